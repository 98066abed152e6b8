"""Project events of one block as the indexer does, and store what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from frontend_api.chain.events import Block
from frontend_api.chain.projection import Changes, Projection


@contextmanager
def projecting(connection: Connection, block: Block) -> Iterator[Projection]:
    changes = Changes(connection)
    yield Projection(changes, block)
    changes.flush()
