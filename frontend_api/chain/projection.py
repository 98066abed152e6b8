"""Tables that follow the chain, and how they go back when the chain does.

A module projects events into its tables through `Projection.put`. Each write first journals the row's former image under
the block's number, so that undoing a block is replaying its journal backwards; the tables then equal what a fresh replay of
the remaining blocks gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import JSON, Column, Connection, String, Table, and_, delete, insert, select, update

from ..db import Row, Whole, metadata
from .events import Block, ChainEvent

#: The number of the block that last changed a row: what finality is derived from.
CHANGED = "changed_block"

journal = Table(
    "journal",
    metadata,
    Column("sequence", Whole, primary_key=True, autoincrement=True),
    Column("block_number", Whole, nullable=False, index=True),
    Column("table_name", String, nullable=False),
    Column("key", JSON, nullable=False),
    Column("before", JSON),
)


class Projection:
    """Writes of one block."""

    def __init__(self, connection: Connection, block: Block):
        self.connection, self.block = connection, block

    def get(self, table: Table, **key: Any) -> Row | None:
        return self.connection.execute(select(table).where(_matches(table, key))).mappings().first()

    def put(self, table: Table, key: Mapping[str, Any], **values: Any) -> None:
        """Insert the row or change it."""
        before = self.get(table, **key)
        self._journal(table, key, before)
        values[CHANGED] = self.block.number
        if before is None:
            self.connection.execute(insert(table).values(**key, **values))
        else:
            self.connection.execute(update(table).where(_matches(table, key)).values(**values))

    def _journal(self, table: Table, key: Mapping[str, Any], before: Row | None) -> None:
        self.connection.execute(
            insert(journal).values(
                block_number=self.block.number,
                table_name=table.name,
                key=dict(key),
                before=None if before is None else dict(before),
            )
        )


def undo_block(connection: Connection, number: int) -> None:
    """Put every row that the block touched back to its former image."""
    entries = connection.execute(
        select(journal).where(journal.c.block_number == number).order_by(journal.c.sequence.desc())
    ).mappings()
    for entry in list(entries):
        table = metadata.tables[entry["table_name"]]
        connection.execute(delete(table).where(_matches(table, entry["key"])))
        if entry["before"] is not None:
            connection.execute(insert(table).values(**entry["before"]))
    connection.execute(delete(journal).where(journal.c.block_number == number))


def forget_journal(connection: Connection, up_to: int) -> None:
    """Final blocks are never undone."""
    connection.execute(delete(journal).where(journal.c.block_number <= up_to))


def _matches(table: Table, key: Mapping[str, Any]) -> Any:
    return and_(*(table.c[name] == value for name, value in key.items()))


Handler = Callable[[Projection, ChainEvent], None]


def merged(modules: Iterable[Handlers]) -> dict[tuple[str, str], Handler]:
    """The handlers of all modules. An event has one: two modules that project the same one would overwrite each other silently."""
    found: dict[tuple[str, str], Handler] = {}
    for module in modules:
        for key, handler in module.by_event.items():
            if key in found:
                raise ValueError(f"{key[0]}.{key[1]} is projected by two modules")
            found[key] = handler
    return found


class Handlers:
    """Which function projects which event: a module fills one with `@handlers.on("TitleRegistry", "TitleRegistered")`."""

    def __init__(self) -> None:
        self.by_event: dict[tuple[str, str], Handler] = {}

    def on(self, contract_type: str, event: str) -> Callable[[Handler], Handler]:
        def register(function: Handler) -> Handler:
            key = (contract_type, event)
            if key in self.by_event:
                raise ValueError(f"{contract_type}.{event} is projected twice")
            self.by_event[key] = function
            return function

        return register
