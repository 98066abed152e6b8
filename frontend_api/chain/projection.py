"""Tables that follow the chain, and how they go back when the chain does.

A module projects events into its tables through `Projection.put`. A block's first write of a row journals the row's
former image under the block's number, so that undoing a block is replaying its journal backwards; the tables then equal
what a fresh replay of the remaining blocks gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import JSON, Column, Connection, String, Table, and_, bindparam, delete, insert, select, update

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


@dataclass
class _Entry:
    """A row that a run of blocks looks at: whether it is in its table, and what it is by now."""

    key: dict[str, Any]
    stored: bool
    row: dict[str, Any] | None
    changed: bool = False
    journaled: int | None = None


class Changes:
    """Rows that a run of blocks reads and writes, in memory until `flush` stores them with few statements."""

    def __init__(self, connection: Connection):
        self._connection = connection
        self._entries: dict[tuple[str, tuple[Any, ...]], _Entry] = {}
        self._journal: list[dict[str, Any]] = []

    def entry(self, table: Table, key: Mapping[str, Any], *, new: bool = False) -> _Entry:
        identity = table.name, tuple(key[name] for name in sorted(key))
        found = self._entries.get(identity)
        if found is None and new:
            found = self._entries[identity] = _Entry(dict(key), stored=False, row=None)
        if found is None:
            stored = self._connection.execute(select(table).where(_matches(table, key))).mappings().first()
            found = _Entry(dict(key), stored is not None, None if stored is None else dict(stored))
            self._entries[identity] = found
        return found

    def prefetch(self, wanted: Iterable[tuple[Table, Mapping[str, Any]]]) -> None:
        """Read rows by keys of one column that the handlers are going to ask for: a query per table instead of one per row."""
        by_column: dict[tuple[str, str], set[Any]] = {}
        for table, key in wanted:
            [(name, value)] = key.items()
            by_column.setdefault((table.name, name), set()).add(value)
        for (table_name, name), values in by_column.items():
            table = metadata.tables[table_name]
            missing = [value for value in values if (table_name, (value,)) not in self._entries]
            for start in range(0, len(missing), 500):
                chunk = missing[start : start + 500]
                found = {
                    row[name]: dict(row)
                    for row in self._connection.execute(select(table).where(table.c[name].in_(chunk))).mappings()
                }
                for value in chunk:
                    row = found.get(value)
                    self._entries[table_name, (value,)] = _Entry({name: value}, row is not None, row)

    def put(
        self, table: Table, block: int, key: Mapping[str, Any], values: Mapping[str, Any], *, new: bool = False
    ) -> None:
        entry = self.entry(table, key, new=new)
        if entry.journaled != block:
            before = None if entry.row is None else dict(entry.row)
            self._journal.append({"block_number": block, "table_name": table.name, "key": dict(key), "before": before})
            entry.journaled = block
        row = dict.fromkeys(column.name for column in table.c) if entry.row is None else entry.row
        entry.row = {**row, **key, **values, CHANGED: block}
        entry.changed = True

    def flush(self) -> None:
        """Store everything. The journal first: it is what a rewind needs."""
        if self._journal:
            self._connection.execute(insert(journal), self._journal)
        added: dict[str, list[dict[str, Any]]] = {}
        changed: dict[tuple[str, tuple[str, ...]], list[_Entry]] = {}
        for (name, _), entry in self._entries.items():
            if not entry.changed or entry.row is None:
                continue
            if entry.stored:
                changed.setdefault((name, tuple(sorted(entry.key))), []).append(entry)
            else:
                added.setdefault(name, []).append(entry.row)
        for name, rows in added.items():
            self._connection.execute(insert(metadata.tables[name]), rows)
        for (name, keys), entries in changed.items():
            self._update(metadata.tables[name], keys, entries)
        self._entries, self._journal = {}, []

    def _update(self, table: Table, keys: tuple[str, ...], entries: list[_Entry]) -> None:
        others = [column.name for column in table.c if column.name not in keys]
        statement = (
            update(table)
            .where(and_(*(table.c[name] == bindparam(f"key_{name}") for name in keys)))
            .values({name: bindparam(f"new_{name}") for name in others})
        )
        rows = [entry.row for entry in entries if entry.row is not None]
        values = [{f"key_{n}": row[n] for n in keys} | {f"new_{n}": row[n] for n in others} for row in rows]
        self._connection.execute(statement, values)


class Projection:
    """Reads and writes of one block."""

    def __init__(self, changes: Changes, block: Block):
        self._changes, self.block = changes, block

    def get(self, table: Table, **key: Any) -> Row | None:
        """The row as the events so far have made it, read like a row of a query."""
        return cast("Row | None", self._changes.entry(table, key).row)

    def put(self, table: Table, key: Mapping[str, Any], **values: Any) -> None:
        """Insert the row or change it."""
        self._changes.put(table, self.block.number, key, values)

    def add(self, table: Table, key: Mapping[str, Any], **values: Any) -> None:
        """Insert a row that cannot be there yet, because the chain numbers what it makes; saves looking."""
        self._changes.put(table, self.block.number, key, values, new=True)


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


Function = Callable[[Projection, ChainEvent], None]
#: Which rows a handler will ask for, by keys of one column.
Reads = Callable[[ChainEvent], Iterable[tuple[Table, Mapping[str, Any]]]]


@dataclass(frozen=True)
class Handler:
    """Projects one event."""

    function: Function
    reads: Reads | None = None

    def __call__(self, projection: Projection, event: ChainEvent) -> None:
        self.function(projection, event)


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

    def on(self, contract_type: str, event: str, reads: Reads | None = None) -> Callable[[Function], Function]:
        def register(function: Function) -> Function:
            key = (contract_type, event)
            if key in self.by_event:
                raise ValueError(f"{contract_type}.{event} is projected twice")
            self.by_event[key] = Handler(function, reads)
            return function

        return register
