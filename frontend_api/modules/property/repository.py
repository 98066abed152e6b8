"""Titles, liens and mortgages in SQL: tables that follow the chain, how events change them, and the queries."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Connection, String, Table, and_, select

from ...chain.events import ChainEvent
from ...chain.projection import CHANGED, Handlers, Projection
from ...db import Row, Whole, metadata
from .contract import MortgageState, TitleStatus

titles = Table(
    "titles",
    metadata,
    Column("unit", String(28), primary_key=True),
    Column("owner", String(42), nullable=False, index=True),
    Column("registered_at", Whole, nullable=False),
    Column("version", Whole, nullable=False),
    Column("status", String(12), nullable=False),
    Column("liens", Whole, nullable=False),
    Column("certificate_root", String(66), nullable=False, index=True),
    Column(CHANGED, Whole, nullable=False),
)

liens = Table(
    "liens",
    metadata,
    Column("unit", String(28), primary_key=True),
    Column("number", Whole, primary_key=True),
    Column("holder", String(42), nullable=False),
    Column("amount", String(39), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("forbids_transfer", Boolean, nullable=False),
    Column("placed_at", Whole, nullable=False),
    Column("released_at", Whole),
    Column(CHANGED, Whole, nullable=False),
)

mortgages = Table(
    "mortgages",
    metadata,
    Column("case_id", Whole, primary_key=True),
    Column("unit", String(28), nullable=False, index=True),
    Column("applicant", String(42), nullable=False, index=True),
    Column("bank", String(42), nullable=False, index=True),
    Column("principal", String(39), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("state", String(12), nullable=False, index=True),
    Column("terms", String(66)),
    Column("forbids_transfer", Boolean),
    Column("lien", Whole),
    Column("valid_until", Whole, nullable=False),
    Column("applied_at", Whole, nullable=False),
    Column("offered_at", Whole),
    Column("accepted_at", Whole),
    Column("registered_at", Whole),
    Column("released_at", Whole),
    Column("closed_at", Whole),
    Column(CHANGED, Whole, nullable=False),
)

handlers = Handlers()


def _text(value: bytes) -> str:
    """Fixed-size ASCII of the chain: unit numbers and currency codes."""
    return value.decode("ascii").rstrip("\0")


# --- titles


@handlers.on("TitleRegistry", "TitleRegistered")
def _registered(p: Projection, event: ChainEvent) -> None:
    p.put(
        titles,
        {"unit": _text(event.args["unit"])},
        owner=event.args["owner"],
        registered_at=event.block.time,
        version=1,
        status=TitleStatus.ACTIVE.name.lower(),
        liens=0,
        certificate_root="0x" + event.args["certificateRoot"].hex(),
    )


@handlers.on("TitleRegistry", "TitleTransferred")
def _transferred(p: Projection, event: ChainEvent) -> None:
    p.put(
        titles,
        {"unit": _text(event.args["unit"])},
        owner=event.args["to"],
        version=event.args["version"],
        certificate_root="0x" + event.args["certificateRoot"].hex(),
    )


@handlers.on("TitleRegistry", "TitleReissued")
def _reissued(p: Projection, event: ChainEvent) -> None:
    p.put(
        titles,
        {"unit": _text(event.args["unit"])},
        version=event.args["version"],
        certificate_root="0x" + event.args["certificateRoot"].hex(),
    )


@handlers.on("TitleRegistry", "TitleCancelled")
def _cancelled(p: Projection, event: ChainEvent) -> None:
    p.put(
        titles,
        {"unit": _text(event.args["unit"])},
        owner="0x" + "00" * 20,
        status=TitleStatus.CANCELLED.name.lower(),
    )


@handlers.on("TitleRegistry", "LienPlaced")
def _lien_placed(p: Projection, event: ChainEvent) -> None:
    unit = _text(event.args["unit"])
    p.put(
        liens,
        {"unit": unit, "number": event.args["number"]},
        holder=event.args["holder"],
        amount=str(event.args["amount"]),
        currency=_text(event.args["currency"]),
        forbids_transfer=event.args["forbidsTransfer"],
        placed_at=event.block.time,
    )
    _count_liens(p, unit, +1)


@handlers.on("TitleRegistry", "LienReleased")
def _lien_released(p: Projection, event: ChainEvent) -> None:
    unit = _text(event.args["unit"])
    p.put(liens, {"unit": unit, "number": event.args["number"]}, released_at=event.block.time)
    _count_liens(p, unit, -1)


def _count_liens(p: Projection, unit: str, change: int) -> None:
    title = p.get(titles, unit=unit)
    if title is None:
        raise LookupError(f"a lien on {unit}, whose registration was not seen")
    p.put(titles, {"unit": unit}, liens=title["liens"] + change)


# --- mortgages


@handlers.on("MortgageDesk", "MortgageApplied")
def _applied(p: Projection, event: ChainEvent) -> None:
    p.put(
        mortgages,
        {"case_id": event.args["caseId"]},
        unit=_text(event.args["unit"]),
        applicant=event.args["applicant"],
        bank=event.args["bank"],
        principal=str(event.args["principal"]),
        currency=_text(event.args["currency"]),
        state=MortgageState.APPLIED.name.lower(),
        valid_until=event.args["validUntil"],
        applied_at=event.block.time,
    )


@handlers.on("MortgageDesk", "MortgageOffered")
def _offered(p: Projection, event: ChainEvent) -> None:
    p.put(
        mortgages,
        {"case_id": event.args["caseId"]},
        state=MortgageState.OFFERED.name.lower(),
        principal=str(event.args["principal"]),
        terms="0x" + event.args["terms"].hex(),
        forbids_transfer=event.args["forbidsTransfer"],
        valid_until=event.args["validUntil"],
        offered_at=event.block.time,
    )


@handlers.on("MortgageDesk", "MortgageAccepted")
def _accepted(p: Projection, event: ChainEvent) -> None:
    p.put(
        mortgages,
        {"case_id": event.args["caseId"]},
        state=MortgageState.ACCEPTED.name.lower(),
        valid_until=event.args["validUntil"],
        accepted_at=event.block.time,
    )


@handlers.on("MortgageDesk", "MortgageRegistered")
def _mortgage_registered(p: Projection, event: ChainEvent) -> None:
    p.put(
        mortgages,
        {"case_id": event.args["caseId"]},
        state=MortgageState.REGISTERED.name.lower(),
        lien=event.args["lien"],
        registered_at=event.block.time,
    )


@handlers.on("MortgageDesk", "MortgageReleased")
def _mortgage_released(p: Projection, event: ChainEvent) -> None:
    p.put(
        mortgages,
        {"case_id": event.args["caseId"]},
        state=MortgageState.RELEASED.name.lower(),
        released_at=event.block.time,
    )


@handlers.on("MortgageDesk", "MortgageClosed")
def _mortgage_closed(p: Projection, event: ChainEvent) -> None:
    p.put(
        mortgages,
        {"case_id": event.args["caseId"]},
        state=MortgageState.CLOSED.name.lower(),
        closed_at=event.block.time,
    )


# --- queries


def find_title(connection: Connection, unit: str) -> Row | None:
    return connection.execute(select(titles).where(titles.c.unit == unit)).mappings().first()


def list_titles(connection: Connection, owner: str | None, after: str | None, limit: int) -> list[Row]:
    """Ordered by unit number."""
    wanted = [titles.c.owner == owner] if owner else []
    if after is not None:
        wanted.append(titles.c.unit > after)
    return list(
        connection.execute(select(titles).where(and_(True, *wanted)).order_by(titles.c.unit).limit(limit)).mappings()
    )


def liens_of(connection: Connection, unit: str) -> list[Row]:
    return list(connection.execute(select(liens).where(liens.c.unit == unit).order_by(liens.c.number)).mappings())


def find_mortgage(connection: Connection, case_id: int) -> Row | None:
    return connection.execute(select(mortgages).where(mortgages.c.case_id == case_id)).mappings().first()


def list_mortgages(
    connection: Connection, state: str | None, party: str | None, after: int | None, limit: int
) -> list[Row]:
    """Ordered by case number. `party` is the applicant or the bank."""
    wanted = [mortgages.c.state == state] if state else []
    if party:
        wanted.append((mortgages.c.applicant == party) | (mortgages.c.bank == party))
    if after is not None:
        wanted.append(mortgages.c.case_id > after)
    return list(
        connection.execute(
            select(mortgages).where(and_(True, *wanted)).order_by(mortgages.c.case_id).limit(limit)
        ).mappings()
    )
