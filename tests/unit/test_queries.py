"""A parameter that a route does not have is refused, not left unread."""

from __future__ import annotations

from typing import Annotated

import pytest
from fastapi import Depends, FastAPI, Query
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from frontend_api.errors import InvalidInput
from frontend_api.kit.queries import require_known_query


def page_of(cursor: str | None = None) -> str | None:
    return cursor


@pytest.fixture(scope="module")
def client():
    app = FastAPI(dependencies=[Depends(require_known_query)])

    @app.exception_handler(InvalidInput)
    async def refused(_, error):
        return JSONResponse(error.problem(), 422)

    @app.post("/files")
    async def files(dry_run: Annotated[bool, Query(alias="dryRun")] = False) -> bool:
        return dry_run

    @app.get("/things")
    async def things(cursor: Annotated[str | None, Depends(page_of)], state: str = "") -> str:
        return state

    @app.get("/things/{number}")
    async def thing(number: int) -> int:
        return number

    @app.get("/page", include_in_schema=False)
    async def page() -> str:
        return "read"

    return TestClient(app)


@pytest.mark.parametrize("path", ["/things", "/things?state=draft&cursor=x", "/things/7", "/page?lang=zh"])
def test_query__of_the_route__taken(client, path):
    assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    ("path", "field", "rule"),
    [
        ("/things?stat=draft", "query.stat", "there is no such parameter; did you mean state?"),
        ("/things?fingerprint=0x", "query.fingerprint", "there is no such parameter; there are cursor, state"),
        ("/things/7?number=8", "query.number", "there is no such parameter; this request takes none"),
    ],
)
def test_query__of_no_route__refused(client, path, field, rule):
    answer = client.get(path)
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"field": field, "rule": rule}])
    assert answer.json()["detail"] == f"{field}: {rule}"


def test_query__dry_run_in_other_letters__not_taken_for_none(client):
    answer = client.post("/files?dryrun=true")
    assert answer.json()["errors"] == [
        {"field": "query.dryrun", "rule": "there is no such parameter; did you mean dryRun?"}
    ]
