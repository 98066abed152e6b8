"""Shared fixtures. `city` is a founded city on an in-process chain; whatever a test does to it is undone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scripts.deployment.artifacts import compile_if_stale


def pytest_sessionstart(session: pytest.Session) -> None:
    compile_if_stale()


@pytest.fixture(scope="session")
def founded_city():
    from .city import TestCity

    return TestCity()


@pytest.fixture
def city(founded_city) -> Iterator:
    with founded_city.chain.isolated():
        yield founded_city
