"""Receivables and who holds them, in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Boolean, Column, Connection, String, Table, and_, insert, select

from ...chain.events import ChainEvent
from ...chain.projection import CHANGED, Handlers, Projection
from ...db import ChainTime, Row, Whole, metadata
from .contract import ReceivableState

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
    Column("fingerprint", String(66), nullable=False, index=True),
    Column("number_fingerprint", String(66), nullable=False, index=True),
    #: Minor units that all holders have claimed; the Escrow holds what was paid and not claimed.
    Column("claimed", String(39), nullable=False),
    #: Whether units ever went back to who sold them: from then on a claim is capped by what the Escrow holds.
    Column("given_back", Boolean, nullable=False),
    #: What the debtor said is wrong: a commitment. It stays when the dispute has ended.
    Column("dispute", String(66)),
    #: The court's decision, where it struck the draft: a commitment.
    Column("struck", String(66)),
    #: Minor units that credit notes took off the face.
    Column("diluted", String(39), nullable=False),
    Column("drafted_at", Whole, nullable=False),
    Column("disputed_at", Whole),
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
    #: When the holder wrote its units off, and what had not been paid on them then.
    Column("written_off_at", Whole),
    Column("written_off", String(39)),
    #: Of what was claimable when it wrote them off, how much is not yet claimed: that is no recovery.
    Column("written_off_claimable", String(39)),
    #: Minor units of later payments that it claimed since.
    Column("recovered", String(39)),
    Column(CHANGED, Whole, nullable=False),
)

#: The ledger's grace period, kept so that reading needs no node: one row, and the deployment never changes it.
grace_periods = Table(
    "grace_periods",
    metadata,
    Column("id", Whole, primary_key=True),
    Column("seconds", Whole, nullable=False),
)

#: States in which the debtor owes.
UNDERTAKEN = ("confirmed", "partly_paid")

handlers = Handlers()
_NOBODY = "0x" + "00" * 20


# --- receivables


@handlers.on("ReceivableLedger", "ReceivableDrafted")
def _drafted(p: Projection, event: ChainEvent) -> None:
    p.add(
        receivables,
        {"id": event.args["id"]},
        supplier=event.args["actor"],
        debtor=event.args["debtor"],
        currency=event.args["currency"].decode("ascii").rstrip("\0"),
        face=str(event.args["face"]),
        paid="0",
        due_at=event.args["dueAt"],
        state=_name(ReceivableState.DRAFT),
        fingerprint="0x" + event.args["fingerprint"].hex(),
        number_fingerprint="0x" + event.args["numberFingerprint"].hex(),
        diluted="0",
        claimed="0",
        given_back=False,
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


@handlers.on("ReceivableLedger", "ReceivableDisputed")
def _disputed(p: Projection, event: ChainEvent) -> None:
    p.put(
        receivables,
        {"id": event.args["id"]},
        state=_name(ReceivableState.DISPUTED),
        dispute="0x" + event.args["basis"].hex(),
        disputed_at=event.block.time,
    )


@handlers.on("ReceivableLedger", "ReceivableWithdrawn")
def _withdrawn(p: Projection, event: ChainEvent) -> None:
    state = _name(ReceivableState.WITHDRAWN)
    p.put(receivables, {"id": event.args["id"]}, state=state, withdrawn_at=event.block.time)


@handlers.on("ReceivableLedger", "ReceivableStruck")
def _struck(p: Projection, event: ChainEvent) -> None:
    state, basis = _name(ReceivableState.WITHDRAWN), "0x" + event.args["basis"].hex()
    p.put(receivables, {"id": event.args["id"]}, state=state, withdrawn_at=event.block.time, struck=basis)


@handlers.on("ReceivableLedger", "ReceivablePaid")
def _paid(p: Projection, event: ChainEvent) -> None:
    key, found = _seen(p, event)
    paid = str(event.args["paid"])
    if paid == found["face"]:
        p.put(receivables, key, paid=paid, state=_name(ReceivableState.SETTLED), settled_at=event.block.time)
    else:
        p.put(receivables, key, paid=paid, state=_name(ReceivableState.PARTLY_PAID))


@handlers.on("ReceivableLedger", "ReceivableClaimed")
def _claimed(p: Projection, event: ChainEvent) -> None:
    key, found = _seen(p, event)
    p.put(receivables, key, claimed=str(int(found["claimed"]) + event.args["amount"]))
    _change(p, event.args["id"], event.args["actor"], claimed=event.args["amount"])
    _recover(p, event.args["id"], event.args["actor"], event.args["amount"])


@handlers.on("ReceivableLedger", "ReceivableDiluted")
def _diluted(p: Projection, event: ChainEvent) -> None:
    key, found = _seen(p, event)
    face, diluted = str(event.args["face"]), str(int(found["diluted"]) + event.args["amount"])
    if face == "0":
        state = _name(ReceivableState.SETTLED)
        p.put(receivables, key, face=face, diluted=diluted, state=state, settled_at=event.block.time)
    else:
        p.put(receivables, key, face=face, diluted=diluted)


@handlers.on("ReceivableLedger", "ReceivableWrittenOff")
def _written_off(p: Projection, event: ChainEvent) -> None:
    _, found = _seen(p, event)
    key = {"receivable_id": event.args["id"], "holder": event.args["actor"]}
    held = p.get(holdings, **key)
    if held is None:
        raise LookupError(f"{key['holder']} wrote off units of receivable {key['receivable_id']} that were not seen")
    p.put(
        holdings,
        key,
        written_off_at=event.block.time,
        written_off=str(event.args["unpaid"]),
        written_off_claimable=str(max(0, entitlement(found, held) - int(held["claimed"]))),
        recovered="0",
    )


# --- units


@handlers.on("ReceivableLedger", "UnitsGivenBack")
def _given_back(p: Projection, event: ChainEvent) -> None:
    """The units themselves move with the TransferSingle that follows; here goes what was claimed on them."""
    p.put(receivables, {"id": event.args["id"]}, given_back=True)
    _change(p, event.args["id"], event.args["from"], claimed=-event.args["claimed"])
    _change(p, event.args["id"], event.args["to"], claimed=event.args["claimed"])


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
    if taker != _NOBODY:
        _change(p, receivable_id, taker, units=units)


def _change(p: Projection, receivable_id: int, holder: str, *, units: int = 0, claimed: int = 0) -> None:
    key = {"receivable_id": receivable_id, "holder": holder}
    found = p.get(holdings, **key) or {"units": "0", "claimed": "0"}
    p.put(holdings, key, units=str(int(found["units"]) + units), claimed=str(int(found["claimed"]) + claimed))


def _recover(p: Projection, receivable_id: int, holder: str, amount: int) -> None:
    """Count a claim after a write-off: first what was claimable then already, the rest is recovered."""
    key = {"receivable_id": receivable_id, "holder": holder}
    found = p.get(holdings, **key)
    if found is None or found["written_off_at"] is None:
        return
    before = min(int(found["written_off_claimable"]), amount)
    p.put(
        holdings,
        key,
        written_off_claimable=str(int(found["written_off_claimable"]) - before),
        recovered=str(int(found["recovered"]) + amount - before),
    )


def _seen(p: Projection, event: ChainEvent) -> tuple[dict[str, int], Row]:
    key = {"id": event.args["id"]}
    found = p.get(receivables, **key)
    if found is None:
        raise LookupError(f"{event.name} of receivable {key['id']}, whose draft was not seen")
    return key, found


def _name(state: ReceivableState) -> str:
    return state.name.lower()


# --- what follows from the rows, as the ledger computes it


def entitlement(receivable: Mapping[Any, Any], holding: Mapping[Any, Any]) -> int:
    """Minor units that were paid on a holder's units: floor(units × paid ÷ face)."""
    units = int(holding["units"])
    # Nobody holds units of a receivable without a face.
    return units * int(receivable["paid"]) // int(receivable["face"]) if units else 0


def claimable(receivable: Mapping[Any, Any], holding: Mapping[Any, Any]) -> int:
    """Minor units that the holder's claim would send now.

    Units that were given back carry what was claimed on them, which rounding can make one more than their
    entitlement; so the Escrow can hold less than the others' entitlements until the next payment.
    """
    amount = max(0, entitlement(receivable, holding) - int(holding["claimed"]))
    if not receivable["given_back"]:
        return amount
    return min(amount, int(receivable["paid"]) - int(receivable["claimed"]))


# --- queries


def find_receivable(connection: Connection, receivable_id: int) -> Row | None:
    return connection.execute(select(receivables).where(receivables.c.id == receivable_id)).mappings().first()


def known_of(connection: Connection, receivable_ids: Sequence[int]) -> set[int]:
    """Those of the numbers, at most 1,000, that there is a receivable for."""
    found = connection.execute(select(receivables.c.id).where(receivables.c.id.in_(receivable_ids)))
    return {int(number) for number in found.scalars()}


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


def kept_grace_period(connection: Connection) -> int | None:
    return connection.execute(select(grace_periods.c.seconds)).scalar()


def keep_grace_period(connection: Connection, seconds: int) -> None:
    if kept_grace_period(connection) is None:
        connection.execute(insert(grace_periods).values(id=1, seconds=seconds))
