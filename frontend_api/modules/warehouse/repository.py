"""Warehouse receipts and pledges in SQL. And what the lots are, which the chain does not know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, Connection, String, Table, and_, insert, select

from ...chain.events import ChainEvent
from ...chain.projection import CHANGED, Handlers, Projection
from ...db import Row, Whole, metadata
from .contract import PledgeState, ReceiptState

#: Quantities are uint128: texts, like amounts.
receipts = Table(
    "warehouse_receipts",
    metadata,
    Column("id", Whole, primary_key=True),
    Column("warehouse", String(42), nullable=False, index=True),
    Column("owner", String(42), nullable=False, index=True),
    Column("state", String(12), nullable=False, index=True),
    Column("unit", String(3), nullable=False),
    Column("issued", String(39), nullable=False),
    Column("quantity", String(39), nullable=False),
    Column("pledged", String(39), nullable=False),
    #: As the warehouse reported last; zero when it was made good. What supervisors report is kept with their pledges.
    Column("shortage", String(39), nullable=False),
    Column("fingerprint", String(66), nullable=False, index=True),
    Column("number_fingerprint", String(66), nullable=False, index=True),
    Column("goods", String(66), nullable=False),
    Column("issued_at", Whole, nullable=False),
    Column("ended_at", Whole),
    Column(CHANGED, Whole, nullable=False),
)

pledges = Table(
    "pledges",
    metadata,
    Column("id", Whole, primary_key=True),
    Column("receipt_id", Whole, nullable=False, index=True),
    Column("owner", String(42), nullable=False, index=True),
    Column("bank", String(42), nullable=False, index=True),
    Column("supervisor", String(42), nullable=False, index=True),
    Column("state", String(12), nullable=False, index=True),
    Column("proposed", String(39), nullable=False),
    Column("quantity", String(39), nullable=False),
    #: As its supervisor reported last.
    Column("shortage", String(39), nullable=False),
    Column("secured_amount", String(39), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("answer_by", Whole, nullable=False),
    Column("proposed_at", Whole, nullable=False),
    Column("accepted_at", Whole),
    Column("confirmed_at", Whole),
    Column("ended_at", Whole),
    Column(CHANGED, Whole, nullable=False),
)

#: What lots are, by the commitment to their goods. Known to the parties and not derived from the chain: a replay does not bring it back.
#: Anybody's receipt can repeat a commitment that the chain shows, so a lot belongs to the receipts of the warehouse that described it.
lots = Table(
    "lots",
    metadata,
    Column("goods", String(66), primary_key=True),
    Column("warehouse", String(42), nullable=False),
    Column("number", String, nullable=False),
    Column("taken_in", String(10), nullable=False),
    Column("description", String, nullable=False),
    Column("salt", String(66), nullable=False),
)

handlers = Handlers()
_LEDGER = "WarehouseLedger"


@dataclass(frozen=True)
class KeptLot:
    """What is kept of a lot: `goods` is the commitment that `salt` and description open."""

    goods: bytes
    warehouse: str
    number: str
    taken_in: str
    description: str
    salt: bytes


# --- receipts


@handlers.on(_LEDGER, "ReceiptIssued")
def _issued(p: Projection, event: ChainEvent) -> None:
    quantity = str(event.args["quantity"])
    p.put(
        receipts,
        {"id": event.args["receiptId"]},
        warehouse=event.args["actor"],
        owner=event.args["owner"],
        state=_name(ReceiptState.STORED),
        unit=_text(event.args["unit"]),
        issued=quantity,
        quantity=quantity,
        pledged="0",
        shortage="0",
        fingerprint="0x" + event.args["fingerprint"].hex(),
        number_fingerprint="0x" + event.args["numberFingerprint"].hex(),
        goods="0x" + event.args["goods"].hex(),
        issued_at=event.block.time,
    )


@handlers.on(_LEDGER, "ReceiptTransferred")
def _transferred(p: Projection, event: ChainEvent) -> None:
    p.put(receipts, {"id": event.args["receiptId"]}, owner=event.args["to"])


@handlers.on(_LEDGER, "GoodsDelivered")
def _delivered(p: Projection, event: ChainEvent) -> None:
    _take_out(p, event, event.args["receiptId"], event.args["quantity"])


@handlers.on(_LEDGER, "ShortageReported")
def _reported(p: Projection, event: ChainEvent) -> None:
    """One figure for each reporter, so that the warehouse cannot unsay what a supervisor has seen."""
    pledge = event.args["pledgeId"]
    table, number = (pledges, pledge) if pledge else (receipts, event.args["receiptId"])
    p.put(table, {"id": number}, shortage=str(event.args["quantity"]))


@handlers.on(_LEDGER, "ReceiptStruck")
def _struck(p: Projection, event: ChainEvent) -> None:
    p.put(receipts, {"id": event.args["receiptId"]}, state=_name(ReceiptState.STRUCK), ended_at=event.block.time)


# --- pledges


@handlers.on(_LEDGER, "PledgeProposed")
def _proposed(p: Projection, event: ChainEvent) -> None:
    quantity = event.args["quantity"]
    p.put(
        pledges,
        {"id": event.args["pledgeId"]},
        receipt_id=event.args["receiptId"],
        owner=event.args["actor"],
        bank=event.args["bank"],
        supervisor=event.args["supervisor"],
        state=_name(PledgeState.PROPOSED),
        proposed=str(quantity),
        quantity=str(quantity),
        shortage="0",
        secured_amount=str(event.args["securedAmount"]),
        currency=_text(event.args["currency"]),
        answer_by=event.args["answerBy"],
        proposed_at=event.block.time,
    )
    _bind(p, event.args["receiptId"], quantity)


@handlers.on(_LEDGER, "PledgeAccepted")
def _accepted(p: Projection, event: ChainEvent) -> None:
    key = {"id": event.args["pledgeId"]}
    p.put(pledges, key, state=_name(PledgeState.ACCEPTED), accepted_at=event.block.time)


@handlers.on(_LEDGER, "PledgeConfirmed")
def _confirmed(p: Projection, event: ChainEvent) -> None:
    p.put(pledges, {"id": event.args["pledgeId"]}, state=_name(PledgeState.ACTIVE), confirmed_at=event.block.time)


@handlers.on(_LEDGER, "PledgeDeclined")
def _declined(p: Projection, event: ChainEvent) -> None:
    _drop(p, event, PledgeState.DECLINED)


@handlers.on(_LEDGER, "PledgeWithdrawn")
def _withdrawn(p: Projection, event: ChainEvent) -> None:
    _drop(p, event, PledgeState.WITHDRAWN)


@handlers.on(_LEDGER, "PledgeLapsed")
def _lapsed(p: Projection, event: ChainEvent) -> None:
    _drop(p, event, PledgeState.LAPSED)


@handlers.on(_LEDGER, "PledgeReleased")
def _released(p: Projection, event: ChainEvent) -> None:
    _unbind(p, event, PledgeState.RELEASED)


@handlers.on(_LEDGER, "PledgeEnforced")
def _enforced(p: Projection, event: ChainEvent) -> None:
    found = _unbind(p, event, PledgeState.ENFORCED)
    _take_out(p, event, found["receipt_id"], event.args["quantity"])


def _drop(p: Projection, event: ChainEvent, state: PledgeState) -> None:
    found = _seen(p, pledges, event.args["pledgeId"])
    p.put(pledges, {"id": found["id"]}, state=_name(state), ended_at=event.block.time)
    _bind(p, found["receipt_id"], -int(found["quantity"]))


def _unbind(p: Projection, event: ChainEvent, end: PledgeState) -> Row:
    found = _seen(p, pledges, event.args["pledgeId"])
    left = event.args["left"]
    ended: dict[str, Any] = {} if left else {"state": _name(end), "ended_at": event.block.time}
    p.put(pledges, {"id": found["id"]}, quantity=str(left), **ended)
    _bind(p, found["receipt_id"], -event.args["quantity"])
    return found


def _bind(p: Projection, receipt_id: int, quantity: int) -> None:
    found = _seen(p, receipts, receipt_id)
    p.put(receipts, {"id": receipt_id}, pledged=str(int(found["pledged"]) + quantity))


def _take_out(p: Projection, event: ChainEvent, receipt_id: int, quantity: int) -> None:
    left = int(_seen(p, receipts, receipt_id)["quantity"]) - quantity
    ended: dict[str, Any] = {} if left else {"state": _name(ReceiptState.DELIVERED), "ended_at": event.block.time}
    p.put(receipts, {"id": receipt_id}, quantity=str(left), **ended)


def _seen(p: Projection, table: Table, number: int) -> Row:
    found = p.get(table, id=number)
    if found is None:
        raise LookupError(f"an event of number {number} of {table.name}, whose beginning was not seen")
    return found


def _name(state: ReceiptState | PledgeState) -> str:
    return state.name.lower()


def _text(padded: bytes) -> str:
    # A direct caller's unit may be no text at all; the chain only checks that there is one.
    return padded.rstrip(b"\0").decode("latin-1").replace("\0", "?")


# --- queries


def find_receipt(connection: Connection, receipt_id: int) -> Row | None:
    return connection.execute(select(receipts).where(receipts.c.id == receipt_id)).mappings().first()


def list_receipts(
    connection: Connection,
    after: int | None,
    limit: int,
    *,
    owner: str | None = None,
    warehouse: str | None = None,
    state: str | None = None,
) -> list[Row]:
    """Ordered by number."""
    return _listed(connection, receipts, after, limit, owner=owner, warehouse=warehouse, state=state)


def find_pledge(connection: Connection, pledge_id: int) -> Row | None:
    return connection.execute(select(pledges).where(pledges.c.id == pledge_id)).mappings().first()


def list_pledges(
    connection: Connection,
    after: int | None,
    limit: int,
    *,
    receipt_id: int | None = None,
    owner: str | None = None,
    bank: str | None = None,
    supervisor: str | None = None,
    state: str | None = None,
) -> list[Row]:
    """Ordered by number."""
    return _listed(
        connection,
        pledges,
        after,
        limit,
        receipt_id=receipt_id,
        owner=owner,
        bank=bank,
        supervisor=supervisor,
        state=state,
    )


def is_pledged_to(connection: Connection, receipt_id: int, party: str) -> bool:
    """Whether a party is, or was, the bank or the supervisor of a pledge of the receipt, or the owner who proposed it."""
    one_of = (pledges.c.bank == party) | (pledges.c.supervisor == party) | (pledges.c.owner == party)
    query = select(pledges.c.id).where(pledges.c.receipt_id == receipt_id, one_of).limit(1)
    return connection.execute(query).first() is not None


def _listed(connection: Connection, table: Table, after: int | None, limit: int, **filters: Any) -> list[Row]:
    wanted = [table.c[name] == value for name, value in filters.items() if value is not None]
    if after is not None:
        wanted.append(table.c.id > after)
    query = select(table).where(and_(True, *wanted)).order_by(table.c.id).limit(limit)
    return list(connection.execute(query).mappings())


# --- lots, off the chain


def keep_lots(connection: Connection, kept: Sequence[KeptLot]) -> None:
    if kept:
        connection.execute(
            insert(lots),
            [
                {
                    "goods": "0x" + lot.goods.hex(),
                    "warehouse": lot.warehouse,
                    "number": lot.number,
                    "taken_in": lot.taken_in,
                    "description": lot.description,
                    "salt": "0x" + lot.salt.hex(),
                }
                for lot in kept
            ],
        )


def find_lot(connection: Connection, goods: str, warehouse: str) -> Row | None:
    wanted = and_(lots.c.goods == goods, lots.c.warehouse == warehouse)
    return connection.execute(select(lots).where(wanted)).mappings().first()
