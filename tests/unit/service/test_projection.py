from __future__ import annotations

import asyncio

import pytest

from frontend_api.chain.indexer import Indexer
from frontend_api.chain.projection import Handlers, merged
from frontend_api.errors import Unavailable


def test_merged__two_modules_project_one_event__refused():
    first, second = Handlers(), Handlers()
    for module in (first, second):
        module.on("Members", "MemberAdmitted")(lambda p, event: None)
    with pytest.raises(ValueError, match=r"Members\.MemberAdmitted is projected by two modules"):
        merged([first, second])


def test_run__database_locked_for_a_while__goes_on(monkeypatch):
    """`chaincity keys create` beside a running service locks it for a moment."""
    indexer = Indexer.__new__(Indexer)
    steps = iter([Unavailable("locked"), None])

    async def step():
        found = next(steps, asyncio.CancelledError())
        if found is not None:
            raise found

    monkeypatch.setattr(indexer, "step", step, raising=False)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(indexer.run(0))
