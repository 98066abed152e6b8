"""Quotes in SQL: what the chain says became of them, and the quotes themselves, which it does not know until they are filled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, Column, Connection, String, Table, and_, func, insert, not_, or_, select, update

from ...chain.events import ChainEvent
from ...chain.projection import CHANGED, Handlers, Projection
from ...db import ChainTime, Row, Whole, metadata
from ...errors import Conflict, InvalidInput
from ...kit.pagination import decode_cursor
from ..receivables.repository import receivables
from . import recourse_repository
from .contract import NonceState, Quote

#: Nonces that banks have used, wholly or in part, or cancelled; the last columns say by which quote, where one was filled.
quote_nonces = Table(
    "quote_nonces",
    metadata,
    Column("bank", String(42), primary_key=True),
    Column("nonce", String(78), primary_key=True),
    Column("state", String(12), nullable=False),
    Column("ended_at", Whole, nullable=False),
    Column("digest", String(66)),
    Column("filled_units", String(39)),
    Column("paid_proceeds", String(39)),
    Column(CHANGED, Whole, nullable=False),
)

#: Signed quotes. They are private to bank and seller and not derived from the chain: a replay does not bring them back.
quotes = Table(
    "quotes",
    metadata,
    Column("id", String(66), primary_key=True),
    Column("receivable_id", Whole, nullable=False, index=True),
    Column("units", String(39), nullable=False),
    Column("proceeds", String(39), nullable=False),
    Column("seller", String(42), nullable=False, index=True),
    Column("bank", String(42), nullable=False, index=True),
    Column("recourse", Boolean, nullable=False),
    Column("divisible", Boolean, nullable=False),
    Column("valid_until", ChainTime, nullable=False),
    Column("nonce", String(78), nullable=False),
    Column("signature", String, nullable=False),
    Column("quoted_at", Whole, nullable=False),
    #: The request that it answers.
    Column("request_id", String(35), index=True),
)

#: The nonce that this service proposes next for a bank's quote.
quote_counters = Table(
    "quote_counters",
    metadata,
    Column("bank", String(42), primary_key=True),
    Column("next", Whole, nullable=False),
)

handlers = Handlers()


@handlers.on("FinancingDesk", "QuoteFilled")
def _filled(p: Projection, event: ChainEvent) -> None:
    key = {"bank": event.args["bank"], "nonce": str(event.args["nonce"])}
    before = p.get(quote_nonces, **key) or {"filled_units": "0", "paid_proceeds": "0"}
    p.put(
        quote_nonces,
        key,
        state=_name(NonceState.USED if event.args["complete"] else NonceState.IN_PARTS),
        ended_at=event.block.time,
        digest="0x" + event.args["digest"].hex(),
        filled_units=str(int(before["filled_units"]) + event.args["units"]),
        paid_proceeds=str(int(before["paid_proceeds"]) + event.args["proceeds"]),
    )
    if event.args["recourse"]:
        recourse_repository.hold(p, event)


@handlers.on("FinancingDesk", "QuoteCancelled")
def _cancelled(p: Projection, event: ChainEvent) -> None:
    p.put(
        quote_nonces,
        {"bank": event.args["actor"], "nonce": str(event.args["nonce"])},
        state=_name(NonceState.CANCELLED),
        ended_at=event.block.time,
    )


def _name(state: NonceState) -> str:
    return state.name.lower()


# --- quotes, off the chain


def next_nonce(connection: Connection, bank: str) -> int:
    """A nonce that was neither proposed before nor seen in use. Consecutive ones share storage on chain."""
    counted = connection.execute(select(quote_counters.c.next).where(quote_counters.c.bank == bank)).scalar()
    nonce = counted or 1
    while _is_taken(connection, bank, str(nonce)):
        nonce += 1
    if counted is None:
        connection.execute(insert(quote_counters).values(bank=bank, next=nonce + 1))
    else:
        connection.execute(update(quote_counters).where(quote_counters.c.bank == bank).values(next=nonce + 1))
    return nonce


def _is_taken(connection: Connection, bank: str, nonce: str) -> bool:
    return any(
        connection.execute(select(table.c.nonce).where(table.c.bank == bank, table.c.nonce == nonce)).first()
        for table in (quote_nonces, quotes)
    )


@dataclass(frozen=True)
class Given:
    """A signed quote as it is stored. `digest` is 0x-hex, `quoted_at` chain time."""

    digest: str
    quote: Quote
    signature: str
    quoted_at: int
    request_id: str | None = None


def keep_quote(connection: Connection, given: Given, most_open: int) -> None:
    """Store a quote under its digest, unless the bank has as many open to the seller as may be."""
    quote = given.quote
    between = and_(
        quotes.c.receivable_id == quote.receivable_id, quotes.c.bank == quote.bank, quotes.c.seller == quote.seller
    )
    counted = select(func.count()).select_from(JOINED).where(between, is_open(given.quoted_at))
    if connection.execute(counted).scalar_one() >= most_open:
        raise Conflict(
            f"{most_open} quotes for receivable {quote.receivable_id} are open to {quote.seller}; cancel one first."
        )
    connection.execute(
        insert(quotes).values(
            id=given.digest,
            receivable_id=quote.receivable_id,
            units=str(quote.units),
            proceeds=str(quote.proceeds),
            seller=quote.seller,
            bank=quote.bank,
            recourse=quote.recourse,
            divisible=quote.divisible,
            valid_until=quote.valid_until,
            nonce=str(quote.nonce),
            signature=given.signature,
            quoted_at=given.quoted_at,
            request_id=given.request_id,
        )
    )


#: Quotes with their receivable and what became of their nonce.
JOINED = quotes.join(receivables, receivables.c.id == quotes.c.receivable_id).outerjoin(
    quote_nonces, and_(quote_nonces.c.bank == quotes.c.bank, quote_nonces.c.nonce == quotes.c.nonce)
)
QUOTE_ROW = (
    *quotes.c,
    receivables.c.currency,
    receivables.c.due_at,
    receivables.c.state.label("receivable_state"),
    quote_nonces.c.state.label("nonce_state"),
    quote_nonces.c.ended_at,
    quote_nonces.c.digest.label("filled_digest"),
    quote_nonces.c.filled_units,
)


def is_open(now: int) -> Any:
    """Which rows of `JOINED` can still be filled, wholly or further: `terms.quote_state` in SQL."""
    return and_(
        receivables.c.state == "confirmed",
        receivables.c.due_at > now,
        quotes.c.valid_until >= now,
        or_(
            quote_nonces.c.state.is_(None),
            and_(quote_nonces.c.state == _name(NonceState.IN_PARTS), quote_nonces.c.digest == quotes.c.id),
        ),
    )


def find_quote(connection: Connection, digest: str, party: str) -> Row | None:
    """A quote with its receivable's terms and what became of its nonce; `party` is its bank or its seller."""
    wanted = and_(quotes.c.id == digest, _of(party))
    return connection.execute(select(*QUOTE_ROW).select_from(JOINED).where(wanted)).mappings().first()


def open_quotes(connection: Connection, receivable_id: int, party: str, now: int) -> list[Row]:
    """Every quote for a receivable that `party` gave or was given and that can be filled now."""
    wanted = and_(quotes.c.receivable_id == receivable_id, _of(party), is_open(now))
    return list(connection.execute(select(*QUOTE_ROW).select_from(JOINED).where(wanted)).mappings())


def ended_quotes(
    connection: Connection, receivable_id: int, party: str, now: int, after: tuple[int, str] | None, limit: int
) -> list[Row]:
    """The others, the newest first."""
    wanted = [quotes.c.receivable_id == receivable_id, _of(party), not_(is_open(now))]
    if after is not None:
        time, digest = after
        wanted.append(or_(quotes.c.quoted_at < time, and_(quotes.c.quoted_at == time, quotes.c.id > digest)))
    query = select(*QUOTE_ROW).select_from(JOINED).where(*wanted)
    return list(connection.execute(query.order_by(quotes.c.quoted_at.desc(), quotes.c.id).limit(limit)).mappings())


def decode_position(cursor: str | None) -> tuple[int, str] | None:
    """The (time, id) that a cursor stands for."""
    found = decode_cursor(cursor, 2)
    if found is None:
        return None
    if not (found[0].isascii() and found[0].isdigit() and len(found[0]) <= 18):
        raise InvalidInput("This cursor belongs to another list.", field="cursor")
    return int(found[0]), found[1]


def _of(party: str) -> Any:
    return or_(quotes.c.bank == party, quotes.c.seller == party)
