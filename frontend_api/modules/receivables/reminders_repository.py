"""What somebody must or may do about receivables, read from the tables, and dunning notices, which the chain does not know."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, Select, String, Table, Text, and_, insert, or_, select, update

from ...db import Row, Whole, metadata
from .repository import UNDERTAKEN, holdings, receivables

#: Rows that are read at once; the reader may stop after any of them.
_PART: Final = 200

#: Sent by a holder to the debtor. Not derived from the chain: a replay does not bring them back, and they can be erased.
dunning_notices = Table(
    "dunning_notices",
    metadata,
    Column("id", Whole, primary_key=True, autoincrement=True),
    Column("receivable_id", Whole, nullable=False, index=True),
    Column("holder", String(42), nullable=False),
    Column("debtor", String(42), nullable=False, index=True),
    Column("text", Text, nullable=False),
    Column("sent_at", Whole, nullable=False),
    Column("acknowledged_at", Whole),
)

#: Where a list goes on: the time that orders it and the receivable.
Position = tuple[int, int]


def owed_by(connection: Connection, debtor: str, until: int, start: Position) -> Iterator[Row]:
    """Receivables that the debtor has to pay, due until a time; by due date."""
    wanted = and_(receivables.c.debtor == debtor, receivables.c.state.in_(UNDERTAKEN), receivables.c.due_at <= until)
    return _stream(connection, select(receivables).where(wanted), receivables.c.due_at, start)


def to_answer(connection: Connection, debtor: str, start: Position) -> Iterator[Row]:
    wanted = and_(receivables.c.debtor == debtor, receivables.c.state == "draft")
    return _stream(connection, select(receivables).where(wanted), receivables.c.drafted_at, start)


def unanswered(connection: Connection, supplier: str, before: int, start: Position) -> Iterator[Row]:
    """A supplier's drafts that were disputed, or not answered since a time; the oldest first."""
    waiting = and_(receivables.c.state == "draft", receivables.c.drafted_at <= before)
    wanted = and_(receivables.c.supplier == supplier, or_(waiting, receivables.c.state == "disputed"))
    return _stream(connection, select(receivables).where(wanted), receivables.c.drafted_at, start)


def paid_to(connection: Connection, holder: str, start: Position) -> Iterator[Row]:
    """Holdings on which something was paid and perhaps not claimed."""
    wanted = and_(receivables.c.paid != "0", holdings.c.claimed != holdings.c.units)
    return _stream(connection, _held(holder).where(wanted), receivables.c.due_at, start)


def late_for(connection: Connection, holder: str, now: int, start: Position) -> Iterator[Row]:
    """Holdings of what is due and unpaid, except what the holder wrote off."""
    wanted = and_(receivables.c.state.in_(UNDERTAKEN), receivables.c.due_at <= now, holdings.c.written_off_at.is_(None))
    return _stream(connection, _held(holder).where(wanted), receivables.c.due_at, start)


def unread(connection: Connection, debtor: str, start: Position) -> Iterator[Row]:
    """Notices that the debtor has not acknowledged, of receivables that it still owes."""
    joined = dunning_notices.join(receivables, receivables.c.id == dunning_notices.c.receivable_id)
    columns = (
        *(receivables.c[name] for name in ("id", "currency", "face", "paid", "due_at")),
        dunning_notices.c.id.label("notice_id"),
        *(dunning_notices.c[name] for name in ("holder", "text", "sent_at")),
    )
    wanted = and_(
        dunning_notices.c.debtor == debtor,
        dunning_notices.c.acknowledged_at.is_(None),
        receivables.c.state.in_(UNDERTAKEN),
    )
    query = select(*columns).select_from(joined).where(wanted)
    return _stream(connection, query, dunning_notices.c.sent_at, start, last=dunning_notices.c.id)


def _held(holder: str) -> Select[Any]:
    joined = holdings.join(receivables, receivables.c.id == holdings.c.receivable_id)
    columns = (*receivables.c, holdings.c.units, holdings.c.claimed.label("claimed_by_holder"))
    return select(*columns).select_from(joined).where(and_(holdings.c.holder == holder, holdings.c.units != "0"))


def _stream(
    connection: Connection,
    query: Select[Any],
    order: ColumnElement[int],
    start: Position,
    last: ColumnElement[int] = receivables.c.id,
) -> Iterator[Row]:
    """Rows from a position on, that position included, in parts that each end before the next is read.

    `last` tells rows of the same time and receivable apart.
    """
    columns = (order, receivables.c.id, last)
    position: tuple[int, ...] = (*start, 0)
    compare: Callable[[tuple[Any, ...], tuple[int, ...]], ColumnElement[bool]] = _from
    while True:
        part = list(
            connection.execute(query.where(compare(columns, position)).order_by(*columns).limit(_PART)).mappings()
        )
        yield from part
        if len(part) < _PART:
            return
        position, compare = tuple(int(part[-1][_name(column)]) for column in columns), _after


def _name(column: Any) -> str:
    """Under which name a row has it: a notice's own id is labelled."""
    return "notice_id" if column is dunning_notices.c.id else str(column.name)


def _after(columns: tuple[Any, ...], values: tuple[int, ...]) -> ColumnElement[bool]:
    first, second, third = columns
    a, b, c = values
    return or_(first > a, and_(first == a, second > b), and_(first == a, second == b, third > c))


def _from(columns: tuple[Any, ...], values: tuple[int, ...]) -> ColumnElement[bool]:
    return or_(columns[0] > values[0], and_(columns[0] == values[0], columns[1] >= values[1]))


# --- notices


def held_units(connection: Connection, receivable_id: int, holder: str) -> int:
    key = and_(holdings.c.receivable_id == receivable_id, holdings.c.holder == holder)
    return int(connection.execute(select(holdings.c.units).where(key)).scalar() or "0")


def last_notice(connection: Connection, receivable_id: int, holder: str) -> Row | None:
    wanted = and_(dunning_notices.c.receivable_id == receivable_id, dunning_notices.c.holder == holder)
    query = select(dunning_notices).where(wanted).order_by(dunning_notices.c.id.desc()).limit(1)
    return connection.execute(query).mappings().first()


def keep_notice(connection: Connection, receivable_id: int, holder: str, debtor: str, text: str, sent_at: int) -> Row:
    values = {"receivable_id": receivable_id, "holder": holder, "debtor": debtor, "text": text, "sent_at": sent_at}
    made = connection.execute(insert(dunning_notices).values(**values).returning(*dunning_notices.c))
    return made.mappings().one()


def find_notice(connection: Connection, receivable_id: int, notice_id: int) -> Row | None:
    wanted = and_(dunning_notices.c.receivable_id == receivable_id, dunning_notices.c.id == notice_id)
    return connection.execute(select(dunning_notices).where(wanted)).mappings().first()


def acknowledge_notice(connection: Connection, notice_id: int, at: int) -> None:
    """The first time counts."""
    wanted = and_(dunning_notices.c.id == notice_id, dunning_notices.c.acknowledged_at.is_(None))
    connection.execute(update(dunning_notices).where(wanted).values(acknowledged_at=at))


def list_notices(connection: Connection, receivable_id: int, party: str, after: int | None, limit: int) -> list[Row]:
    """Those that `party` sent or was sent, oldest first."""
    wanted = [
        dunning_notices.c.receivable_id == receivable_id,
        or_(dunning_notices.c.holder == party, dunning_notices.c.debtor == party),
    ]
    if after is not None:
        wanted.append(dunning_notices.c.id > after)
    query = select(dunning_notices).where(*wanted).order_by(dunning_notices.c.id).limit(limit)
    return list(connection.execute(query).mappings())
