"""Shared fixtures. `city` is a founded city on an in-process chain; whatever a test does to it is undone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scripts.deployment.artifacts import compile_if_stale


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--strict-skips", action="store_true", help="a skipped test is a failure")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    report = yield
    if report.skipped and item.config.getoption("--strict-skips") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and here nothing may be: {report.longrepr}"
    return report


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
