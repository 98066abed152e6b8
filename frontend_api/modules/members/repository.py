"""Members and residents in SQL."""

from __future__ import annotations

from sqlalchemy import Column, Connection, String, Table, and_, select

from ...chain.events import ChainEvent
from ...chain.projection import CHANGED, Handlers, Projection
from ...db import ChainTime, Row, Whole, metadata
from .contract import RESIDENT, PartyStatus

parties = Table(
    "parties",
    metadata,
    Column("account", String(42), primary_key=True),
    Column("kind", Whole, nullable=False, index=True),
    Column("credit_code", String(18), index=True),
    Column("status", String(12), nullable=False),
    Column("valid_until", ChainTime),
    Column("enrolled_at", Whole, nullable=False),
    Column(CHANGED, Whole, nullable=False),
)

handlers = Handlers()


@handlers.on("Members", "MemberAdmitted")
def _admitted(p: Projection, event: ChainEvent) -> None:
    p.put(
        parties,
        {"account": event.args["account"]},
        kind=event.args["kind"],
        credit_code=event.args["creditCode"].decode("ascii"),
        status=PartyStatus.ACTIVE.name.lower(),
        enrolled_at=event.block.time,
    )


@handlers.on("Members", "ResidentEnrolled")
def _enrolled(p: Projection, event: ChainEvent) -> None:
    p.put(
        parties,
        {"account": event.args["account"]},
        kind=RESIDENT,
        status=PartyStatus.ACTIVE.name.lower(),
        valid_until=event.args["validUntil"],
        enrolled_at=event.block.time,
    )


@handlers.on("Members", "ResidentRenewed")
def _renewed(p: Projection, event: ChainEvent) -> None:
    p.put(parties, {"account": event.args["account"]}, valid_until=event.args["validUntil"])


@handlers.on("Members", "PartySuspended")
def _suspended(p: Projection, event: ChainEvent) -> None:
    p.put(parties, {"account": event.args["account"]}, status=PartyStatus.SUSPENDED.name.lower())


@handlers.on("Members", "PartyReinstated")
def _reinstated(p: Projection, event: ChainEvent) -> None:
    p.put(parties, {"account": event.args["account"]}, status=PartyStatus.ACTIVE.name.lower())


@handlers.on("Members", "PartyRetired")
def _retired(p: Projection, event: ChainEvent) -> None:
    p.put(parties, {"account": event.args["account"]}, status=PartyStatus.RETIRED.name.lower())


def find_party(connection: Connection, account: str) -> Row | None:
    return connection.execute(select(parties).where(parties.c.account == account)).mappings().first()


def find_by_credit_code(connection: Connection, code: str) -> str | None:
    """The account of the member with a credit code, the active one where several had it."""
    query = select(parties.c.account).where(parties.c.credit_code == code)
    active = parties.c.status == PartyStatus.ACTIVE.name.lower()
    return connection.execute(query.order_by(active.desc(), parties.c.enrolled_at.desc()).limit(1)).scalar()


def list_parties(connection: Connection, kind: int | None, after: str | None, limit: int) -> list[Row]:
    """Ordered by account."""
    wanted = [parties.c.kind == kind] if kind is not None else []
    if after is not None:
        wanted.append(parties.c.account > after)
    return list(
        connection.execute(
            select(parties).where(and_(True, *wanted)).order_by(parties.c.account).limit(limit)
        ).mappings()
    )
