from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select

from frontend_api.chain.events import Block
from frontend_api.chain.indexer import Indexer
from frontend_api.chain.projection import Changes, Handlers, Projection, merged, undo_block
from frontend_api.db import Database
from frontend_api.errors import Unavailable
from frontend_api.modules.members.repository import parties


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


def test_journal__row_as_sql_names_its_columns__stored_and_undone(tmp_path):
    """Rows that were read have SQLAlchemy's names for keys, a subclass of str; the journal keeps them as JSON."""
    database = Database(f"sqlite:///{tmp_path / 'service.db'}")
    database.create()
    key = {"account": "0x" + "11" * 20}

    def at(number, connection, **values):
        changes = Changes(connection)
        Projection(changes, Block(number, "0x", "0x", 1)).put(parties, key, **values)
        changes.flush()

    try:
        database.write_now(lambda c: at(1, c, kind=5, status="active", enrolled_at=1))
        database.write_now(lambda c: at(2, c, status="suspended"))
        database.write_now(undo_block, 2)
        assert database.write_now(lambda c: c.execute(select(parties.c.status)).scalar()) == "active"
    finally:
        database.close()
