"""Receivables, who holds them and what became of quotes, in SQL.

And the quotes themselves, which the chain does not know until they are filled.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Connection, String, Table, and_, insert, select, update

from ...chain.events import ChainEvent
from ...chain.projection import CHANGED, Handlers, Projection
from ...db import ChainTime, Row, Whole, metadata
from .contract import NonceState, Quote, ReceivableState

receivables = Table(
    "receivables",
    metadata,
    Column("id", Whole, primary_key=True),
    Column("supplier", String(42), nullable=False, index=True),
    Column("debtor", String(42), nullable=False, index=True),
    Column("currency", String(3), nullable=False),
    Column("face", String(39), nullable=False),
    Column("paid", String(39), nullable=False),
    Column("due_at", ChainTime, nullable=False),
    Column("state", String(12), nullable=False, index=True),
    Column("invoice_hash", String(66), nullable=False, index=True),
    Column("drafted_at", Whole, nullable=False),
    Column("confirmed_at", Whole),
    Column("rejected_at", Whole),
    Column("withdrawn_at", Whole),
    Column("settled_at", Whole),
    Column(CHANGED, Whole, nullable=False),
)

#: Every account that ever held units of a receivable; `units` may be zero again.
holdings = Table(
    "holdings",
    metadata,
    Column("receivable_id", Whole, primary_key=True),
    Column("holder", String(42), primary_key=True, index=True),
    Column("units", String(39), nullable=False),
    Column("claimed", String(39), nullable=False),
    Column(CHANGED, Whole, nullable=False),
)

#: Nonces that banks have used or cancelled; the last columns say by which quote, where one was filled.
quote_nonces = Table(
    "quote_nonces",
    metadata,
    Column("bank", String(42), primary_key=True),
    Column("nonce", String(78), primary_key=True),
    Column("state", String(12), nullable=False),
    Column("ended_at", Whole, nullable=False),
    Column("receivable_id", Whole),
    Column("seller", String(42)),
    Column("units", String(39)),
    Column("proceeds", String(39)),
    Column("recourse", Boolean),
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
    Column("valid_until", ChainTime, nullable=False),
    Column("nonce", String(78), nullable=False),
    Column("signature", String, nullable=False),
    Column("quoted_at", Whole, nullable=False),
)

#: The nonce that this service proposes next for a bank's quote.
quote_counters = Table(
    "quote_counters",
    metadata,
    Column("bank", String(42), primary_key=True),
    Column("next", Whole, nullable=False),
)

handlers = Handlers()
_NOBODY = "0x" + "00" * 20


# --- receivables


@handlers.on("ReceivableLedger", "ReceivableDrafted")
def _drafted(p: Projection, event: ChainEvent) -> None:
    p.put(
        receivables,
        {"id": event.args["id"]},
        supplier=event.args["actor"],
        debtor=event.args["debtor"],
        currency=event.args["currency"].decode("ascii").rstrip("\0"),
        face=str(event.args["face"]),
        paid="0",
        due_at=event.args["dueAt"],
        state=_name(ReceivableState.DRAFT),
        invoice_hash="0x" + event.args["invoiceHash"].hex(),
        drafted_at=event.block.time,
    )


@handlers.on("ReceivableLedger", "ReceivableConfirmed")
def _confirmed(p: Projection, event: ChainEvent) -> None:
    state = _name(ReceivableState.CONFIRMED)
    p.put(receivables, {"id": event.args["id"]}, state=state, confirmed_at=event.block.time)


@handlers.on("ReceivableLedger", "ReceivableRejected")
def _rejected(p: Projection, event: ChainEvent) -> None:
    state = _name(ReceivableState.REJECTED)
    p.put(receivables, {"id": event.args["id"]}, state=state, rejected_at=event.block.time)


@handlers.on("ReceivableLedger", "ReceivableWithdrawn")
def _withdrawn(p: Projection, event: ChainEvent) -> None:
    state = _name(ReceivableState.WITHDRAWN)
    p.put(receivables, {"id": event.args["id"]}, state=state, withdrawn_at=event.block.time)


@handlers.on("ReceivableLedger", "ReceivablePaid")
def _paid(p: Projection, event: ChainEvent) -> None:
    key = {"id": event.args["id"]}
    found = p.get(receivables, **key)
    if found is None:
        raise LookupError(f"a payment on receivable {key['id']}, whose draft was not seen")
    paid = str(event.args["paid"])
    if paid == found["face"]:
        p.put(receivables, key, paid=paid, state=_name(ReceivableState.SETTLED), settled_at=event.block.time)
    else:
        p.put(receivables, key, paid=paid, state=_name(ReceivableState.PARTLY_PAID))


@handlers.on("ReceivableLedger", "ReceivableClaimed")
def _claimed(p: Projection, event: ChainEvent) -> None:
    _change(p, event.args["id"], event.args["actor"], claimed=event.args["amount"])


# --- units


@handlers.on("ReceivableLedger", "TransferSingle")
def _moved(p: Projection, event: ChainEvent) -> None:
    _move(p, event.args["id"], event.args["from"], event.args["to"], event.args["value"])


@handlers.on("ReceivableLedger", "TransferBatch")
def _moved_batch(p: Projection, event: ChainEvent) -> None:
    for receivable_id, units in zip(event.args["ids"], event.args["values"], strict=True):
        _move(p, receivable_id, event.args["from"], event.args["to"], units)


def _move(p: Projection, receivable_id: int, giver: str, taker: str, units: int) -> None:
    if giver != _NOBODY:
        _change(p, receivable_id, giver, units=-units)
    _change(p, receivable_id, taker, units=units)


def _change(p: Projection, receivable_id: int, holder: str, *, units: int = 0, claimed: int = 0) -> None:
    key = {"receivable_id": receivable_id, "holder": holder}
    found = p.get(holdings, **key) or {"units": "0", "claimed": "0"}
    p.put(holdings, key, units=str(int(found["units"]) + units), claimed=str(int(found["claimed"]) + claimed))


# --- quotes


@handlers.on("FinancingDesk", "QuoteFilled")
def _filled(p: Projection, event: ChainEvent) -> None:
    p.put(
        quote_nonces,
        {"bank": event.args["bank"], "nonce": str(event.args["nonce"])},
        state=_name(NonceState.USED),
        ended_at=event.block.time,
        receivable_id=event.args["receivableId"],
        seller=event.args["actor"],
        units=str(event.args["units"]),
        proceeds=str(event.args["proceeds"]),
        recourse=event.args["recourse"],
    )


@handlers.on("FinancingDesk", "QuoteCancelled")
def _cancelled(p: Projection, event: ChainEvent) -> None:
    p.put(
        quote_nonces,
        {"bank": event.args["actor"], "nonce": str(event.args["nonce"])},
        state=_name(NonceState.CANCELLED),
        ended_at=event.block.time,
    )


def _name(state: ReceivableState | NonceState) -> str:
    return state.name.lower()


# --- queries


def find_receivable(connection: Connection, receivable_id: int) -> Row | None:
    return connection.execute(select(receivables).where(receivables.c.id == receivable_id)).mappings().first()


def list_receivables(
    connection: Connection,
    after: int | None,
    limit: int,
    *,
    supplier: str | None = None,
    debtor: str | None = None,
    holder: str | None = None,
    state: str | None = None,
) -> list[Row]:
    """Ordered by number. `holder` holds units of it now."""
    wanted = [receivables.c.supplier == supplier] if supplier else []
    if debtor:
        wanted.append(receivables.c.debtor == debtor)
    if holder:
        held = select(holdings.c.receivable_id).where(holdings.c.holder == holder, holdings.c.units != "0")
        wanted.append(receivables.c.id.in_(held))
    if state:
        wanted.append(receivables.c.state == state)
    if after is not None:
        wanted.append(receivables.c.id > after)
    query = select(receivables).where(and_(True, *wanted)).order_by(receivables.c.id).limit(limit)
    return list(connection.execute(query).mappings())


def holdings_of(connection: Connection, receivable_id: int) -> list[Row]:
    """Who holds units now, by account."""
    wanted = and_(holdings.c.receivable_id == receivable_id, holdings.c.units != "0")
    return list(connection.execute(select(holdings).where(wanted).order_by(holdings.c.holder)).mappings())


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


def keep_quote(connection: Connection, digest: str, quote: Quote, signature: str, quoted_at: int) -> bool:
    """Store a quote under its digest; False when it was there already."""
    if connection.execute(select(quotes.c.id).where(quotes.c.id == digest)).first() is not None:
        return False
    connection.execute(
        insert(quotes).values(
            id=digest,
            receivable_id=quote.receivable_id,
            units=str(quote.units),
            proceeds=str(quote.proceeds),
            seller=quote.seller,
            bank=quote.bank,
            recourse=quote.recourse,
            valid_until=quote.valid_until,
            nonce=str(quote.nonce),
            signature=signature,
            quoted_at=quoted_at,
        )
    )
    return True


_JOINED = quotes.join(receivables, receivables.c.id == quotes.c.receivable_id).outerjoin(
    quote_nonces, and_(quote_nonces.c.bank == quotes.c.bank, quote_nonces.c.nonce == quotes.c.nonce)
)
_QUOTE_ROW = (
    *quotes.c,
    receivables.c.currency,
    receivables.c.due_at,
    quote_nonces.c.state.label("nonce_state"),
    quote_nonces.c.ended_at,
    *(
        quote_nonces.c[name].label(f"filled_{name}")
        for name in ("receivable_id", "seller", "units", "proceeds", "recourse")
    ),
)


def find_quote(connection: Connection, digest: str, party: str) -> Row | None:
    """A quote with its receivable's terms and what became of its nonce; `party` is its bank or its seller."""
    wanted = and_(quotes.c.id == digest, (quotes.c.bank == party) | (quotes.c.seller == party))
    return connection.execute(select(*_QUOTE_ROW).select_from(_JOINED).where(wanted)).mappings().first()


def list_quotes(connection: Connection, receivable_id: int, party: str, limit: int) -> list[Row]:
    """The newest quotes for a receivable that `party` gave or was given."""
    wanted = and_(quotes.c.receivable_id == receivable_id, (quotes.c.bank == party) | (quotes.c.seller == party))
    query = select(*_QUOTE_ROW).select_from(_JOINED).where(wanted)
    return list(connection.execute(query.order_by(quotes.c.quoted_at.desc(), quotes.c.id).limit(limit)).mappings())
