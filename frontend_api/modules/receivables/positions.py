"""What is owed to whom at one moment: rows for reports, read as a stream from one consistent state of the tables.

Two views. By receivable: face − paid, exact, whoever holds it. By holder: units − floor(units × paid ÷ face), what had not been
paid on the holder's units, as the ledger writes off and puts back; each holder's part of a payment is rounded down, so all
holders together can be less than one minor unit per holder above the receivable.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from ...chain.indexer import blocks
from ..members.repository import parties
from .repository import UNDERTAKEN, entitlement, holdings, receivables

#: Rows that are in memory at once.
_PART = 1000


@dataclass(frozen=True)
class Moment:
    """The last block that the tables know: chain time in Unix seconds and number."""

    time: int
    block: int


@dataclass(frozen=True)
class Position:
    """A receivable, or one holder's part of it. Amounts in minor units of `currency`.

    holder: None in the view by receivable
    outstanding: not yet paid by the debtor
    written_off: of it, what holders have written off
    recovered: what those who wrote off claimed of later payments
    due_at: Unix seconds
    """

    receivable_id: int
    supplier: str
    debtor: str
    holder: str | None
    currency: str
    due_at: int
    outstanding: int
    written_off: int
    recovered: int


def moment(connection: Connection) -> Moment:
    newest = select(func.max(blocks.c.number)).scalar_subquery()
    row = connection.execute(select(blocks.c.time, blocks.c.number).where(blocks.c.number == newest)).first()
    return Moment(0, -1) if row is None else Moment(row.time, row.number)


def by_receivable(
    connection: Connection, *, supplier: str | None = None, debtor: str | None = None, currency: str | None = None
) -> Iterator[Position]:
    wanted = _wanted(supplier, debtor, currency)
    lost: dict[int, int] = defaultdict(int)
    recovered: dict[int, int] = defaultdict(int)
    for entry in by_holder(connection, supplier=supplier, debtor=debtor, currency=currency, written_off=True):
        lost[entry.receivable_id] += entry.written_off
        recovered[entry.receivable_id] += entry.recovered
    written_off = select(holdings.c.receivable_id).where(holdings.c.written_off_at.is_not(None))
    counted = or_(receivables.c.state.in_(UNDERTAKEN), receivables.c.id.in_(written_off))
    query = select(receivables).where(counted, *wanted).order_by(receivables.c.id)
    for row in connection.execute(query.execution_options(yield_per=_PART)).mappings():
        outstanding = int(row["face"]) - int(row["paid"])
        yield Position(
            row["id"],
            row["supplier"],
            row["debtor"],
            None,
            row["currency"],
            row["due_at"],
            outstanding,
            # Parts are rounded up, and must not be more than the whole.
            min(lost.get(row["id"], 0), outstanding),
            recovered.get(row["id"], 0),
        )


def by_holder(
    connection: Connection,
    *,
    supplier: str | None = None,
    debtor: str | None = None,
    holder: str | None = None,
    kind: int | None = None,
    currency: str | None = None,
    written_off: bool = False,
) -> Iterator[Position]:
    """`kind`: holders of this kind of member only. `written_off`: holders that wrote off only."""
    wanted = _wanted(supplier, debtor, currency)
    joined = holdings.join(receivables, receivables.c.id == holdings.c.receivable_id)
    owed = and_(receivables.c.state.in_(UNDERTAKEN), holdings.c.units != "0")
    if holder is not None:
        wanted.append(holdings.c.holder == holder)
    if kind is not None:
        joined = joined.join(parties, parties.c.account == holdings.c.holder)
        wanted.append(parties.c.kind == kind)
    wanted.append(
        holdings.c.written_off_at.is_not(None) if written_off else or_(owed, holdings.c.written_off_at.is_not(None))
    )
    columns = (
        *(receivables.c[n] for n in ("id", "supplier", "debtor", "currency", "due_at", "face", "paid")),
        *(holdings.c[n] for n in ("holder", "units", "written_off_at", "recovered")),
    )
    query = select(*columns).select_from(joined).where(*wanted).order_by(receivables.c.id, holdings.c.holder)
    for row in connection.execute(query.execution_options(yield_per=_PART)).mappings():
        outstanding = int(row["units"]) - entitlement(row, row)
        yield Position(
            row["id"],
            row["supplier"],
            row["debtor"],
            row["holder"],
            row["currency"],
            row["due_at"],
            outstanding,
            0 if row["written_off_at"] is None else outstanding,
            int(row["recovered"] or "0"),
        )


def _wanted(supplier: str | None, debtor: str | None, currency: str | None) -> list[ColumnElement[bool]]:
    given = {"supplier": supplier, "debtor": debtor, "currency": currency}
    return [receivables.c[name] == value for name, value in given.items() if value is not None]
