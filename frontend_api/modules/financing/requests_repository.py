"""Requests for quotes: off the chain, private to the seller and the banks that it asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Connection,
    String,
    Table,
    and_,
    insert,
    or_,
    select,
    update,
)

from ...db import ChainTime, Row, Whole, metadata
from ...errors import Conflict, InvalidInput, NotFound
from ..receivables.repository import holdings, receivables
from .contract import Quote
from .repository import JOINED, QUOTE_ROW, quotes

requests = Table(
    "quote_requests",
    metadata,
    Column("sequence", Whole, primary_key=True, autoincrement=True),
    Column("id", String(35), nullable=False, unique=True),
    Column("receivable_id", Whole, nullable=False),
    Column("seller", String(42), nullable=False, index=True),
    Column("units", String(39), nullable=False),
    Column("recourse", Boolean, nullable=False),
    Column("divisible", Boolean, nullable=False),
    Column("answer_by", ChainTime, nullable=False),
    Column("note", String(500)),
    Column("asked_at", Whole, nullable=False),
    Column("closed_at", Whole),
)

asked_banks = Table(
    "quote_request_banks",
    metadata,
    Column("request_id", String(35), primary_key=True),
    Column("bank", String(42), primary_key=True, index=True),
    #: In the seller's order.
    Column("position", Whole, nullable=False),
    Column("declined_at", Whole),
)


@dataclass(frozen=True)
class Asked:
    """A request as it is stored. `units` in minor units; times by chain time."""

    id: str
    receivable_id: int
    seller: str
    units: int
    recourse: bool
    divisible: bool
    answer_by: int
    note: str | None
    asked_at: int


def ask(connection: Connection, asked: Asked, banks: Sequence[str]) -> None:
    values = {**asked.__dict__, "units": str(asked.units)}
    connection.execute(insert(requests).values(**values))
    rows = [{"request_id": asked.id, "bank": bank, "position": index} for index, bank in enumerate(banks)]
    connection.execute(insert(asked_banks), rows)


def units_held(connection: Connection, receivable_id: int, holder: str) -> int:
    wanted = and_(holdings.c.receivable_id == receivable_id, holdings.c.holder == holder)
    return int(connection.execute(select(holdings.c.units).where(wanted)).scalar() or 0)


# --- looking

_JOINED = requests.join(receivables, receivables.c.id == requests.c.receivable_id)
_ROW = (
    *requests.c,
    receivables.c.currency,
    receivables.c.due_at,
    receivables.c.debtor,
    receivables.c.state.label("receivable_state"),
)
_IS_ASKED = select(asked_banks.c.request_id)


def find_request(connection: Connection, request_id: str, party: str) -> Row | None:
    """A request that `party` sent or was sent."""
    query = select(*_ROW).select_from(_JOINED).where(requests.c.id == request_id, _concerns(party))
    return connection.execute(query).mappings().first()


def list_requests(connection: Connection, party: str, after: int | None, limit: int) -> list[Row]:
    """Sent or received, the newest first."""
    wanted = [_concerns(party)]
    if after is not None:
        wanted.append(requests.c.sequence < after)
    query = select(*_ROW).select_from(_JOINED).where(*wanted).order_by(requests.c.sequence.desc()).limit(limit)
    return list(connection.execute(query).mappings())


def list_waiting(connection: Connection, bank: str, now: int, after: tuple[int, int] | None, limit: int) -> list[Row]:
    """Received, open, and not answered by the bank; the most urgent first."""
    silent = select(asked_banks.c.request_id).where(asked_banks.c.bank == bank, asked_banks.c.declined_at.is_(None))
    answered = select(quotes.c.request_id).where(quotes.c.bank == bank, quotes.c.request_id == requests.c.id)
    wanted = [requests.c.id.in_(silent), ~answered.exists(), is_open(now)]
    if after is not None:
        time, sequence = after
        wanted.append(
            or_(requests.c.answer_by > time, and_(requests.c.answer_by == time, requests.c.sequence > sequence))
        )
    query = select(*_ROW).select_from(_JOINED).where(*wanted)
    return list(connection.execute(query.order_by(requests.c.answer_by, requests.c.sequence).limit(limit)).mappings())


def is_open(now: int) -> ColumnElement[bool]:
    """Which rows of a request with its receivable can be answered: `requests.request_state` in SQL."""
    return and_(
        requests.c.closed_at.is_(None),
        requests.c.answer_by >= now,
        receivables.c.state == "confirmed",
        receivables.c.due_at > now,
    )


def banks_of(connection: Connection, request_ids: Sequence[str]) -> list[Row]:
    """Who was asked, in the sellers' order."""
    query = select(asked_banks).where(asked_banks.c.request_id.in_(request_ids))
    return list(connection.execute(query.order_by(asked_banks.c.request_id, asked_banks.c.position)).mappings())


def quotes_for(connection: Connection, request_ids: Sequence[str], bank: str | None = None) -> list[Row]:
    """The quotes that answer requests; of one bank alone where it is named."""
    wanted: list[ColumnElement[bool]] = [quotes.c.request_id.in_(request_ids)]
    if bank is not None:
        wanted.append(quotes.c.bank == bank)
    return list(connection.execute(select(*QUOTE_ROW).select_from(JOINED).where(*wanted)).mappings())


def _concerns(party: str) -> ColumnElement[bool]:
    return or_(requests.c.seller == party, requests.c.id.in_(_IS_ASKED.where(asked_banks.c.bank == party)))


# --- answering


def require_answerable(connection: Connection, request_id: str, quote: Quote, now: int) -> None:
    """Refuse a quote that does not answer the request that it names; to who was not asked there is no such request."""
    row = _received(connection, request_id, quote.bank)
    for name, asked, quoted in (
        ("receivableId", row["receivable_id"], quote.receivable_id),
        ("seller", row["seller"], quote.seller),
    ):
        if asked != quoted:
            raise InvalidInput(f"The request is for {asked}, the quote says {quoted}.", field=f"quote.{name}")
    if quote.units > int(row["units"]):
        rule = f"The request is for {row['units']} units; {quote.units} are more."
        raise InvalidInput(rule, field="quote.units")
    _require_open(row, now)


def decline(connection: Connection, request_id: str, bank: str, now: int) -> None:
    """Say that no quote will come. Once is enough; the same again changes nothing."""
    row = _received(connection, request_id, bank)
    mine = and_(asked_banks.c.request_id == request_id, asked_banks.c.bank == bank)
    if connection.execute(select(asked_banks.c.declined_at).where(mine)).scalar() is not None:
        return
    if quotes_for(connection, [request_id], bank):
        raise Conflict("You have answered this request with a quote; cancel the quote instead.")
    _require_open(row, now)
    connection.execute(update(asked_banks).where(mine).values(declined_at=now))


def close(connection: Connection, request_id: str, seller: str, now: int) -> bool:
    """Take no more answers; the same again changes nothing. False when the seller sent no such request."""
    mine = and_(requests.c.id == request_id, requests.c.seller == seller)
    if connection.execute(select(requests.c.id).where(mine)).first() is None:
        return False
    connection.execute(update(requests).where(mine, requests.c.closed_at.is_(None)).values(closed_at=now))
    return True


def _received(connection: Connection, request_id: str, bank: str) -> Row:
    row = find_request(connection, request_id, bank)
    if row is None or row["seller"] == bank:
        raise NotFound("There is no such request that you received.")
    return row


def _require_open(row: Row, now: int) -> None:
    state = request_state(row, now)
    if state != "open":
        raise Conflict(f"The request is {state}; it takes no more answers.")


def request_state(row: Row, now: int) -> str:
    """By its seller's word, chain time and the receivable."""
    if row["closed_at"] is not None:
        return "closed"
    if now > row["answer_by"] or row["receivable_state"] != "confirmed" or now >= row["due_at"]:
        return "expired"
    return "open"
