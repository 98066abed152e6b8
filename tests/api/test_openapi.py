"""The OpenAPI document is complete enough to write a client from."""

from __future__ import annotations

import re

import pytest

METHODS = ("get", "post", "put", "delete", "patch")


@pytest.fixture(scope="module")
def document(served) -> dict:
    return served.http.get("/openapi.json").json()


def operations(document: dict) -> list[tuple[str, str, dict]]:
    return [(p, m, o) for p, item in document["paths"].items() for m, o in item.items() if m in METHODS]


def test_openapi__version_and_unique_operation_ids(document):
    assert document["openapi"].startswith("3.1")
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(names) == len(set(names)) >= 60
    assert all(re.fullmatch(r"[a-z][A-Za-z]+", name) for name in names), names


def test_openapi__every_operation_has_words_a_tag_and_its_refusals(document):
    for path, method, operation in operations(document):
        place = f"{method} {path}"
        assert operation.get("description") or operation.get("summary"), place
        assert operation.get("tags"), place
        assert "503" in operation["responses"], place
        if method == "post" and "/forward-requests" not in path and path not in ("/verifications", "/invoices/check"):
            assert {"401", "403", "409", "422"} <= set(operation["responses"]), place


def test_openapi__documentation_page_loads_nothing_from_elsewhere(served):
    page = served.http.get("/docs").text
    assert "swagger" in page.lower()
    assert re.findall(r'(?:src|href)="(https?:)?//', page) == []
