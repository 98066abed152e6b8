"""The database: a long read sees one state."""

from __future__ import annotations

from sqlalchemy import insert, select

from frontend_api.chain.indexer import blocks
from frontend_api.db import Database


async def test_read_snapshot__a_write_in_between__is_not_seen(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    database.create()

    def add(connection, number):
        connection.execute(insert(blocks).values(number=number, hash=str(number), parent_hash="", time=number))

    def read(connection):
        before = connection.execute(select(blocks.c.number)).scalars().all()
        database.write_now(add, 2)
        return before, connection.execute(select(blocks.c.number)).scalars().all()

    database.write_now(add, 1)
    assert await database.read_snapshot(read) == ([1], [1])
    assert await database.read_snapshot(lambda c: c.execute(select(blocks.c.number)).scalars().all()) == [1, 2]
    database.close()
