"""A client in front of the stage."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from .stage import make_app


@pytest.fixture(scope="session")
def client() -> Iterator[TestClient]:
    """Answers of 500 are raised: no page may end so."""
    with TestClient(make_app()) as started:
        yield started
