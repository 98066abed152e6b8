"""A bank's own limits per debtor and per group of debtors, and what they are held against. Private, off the chain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Column, ColumnElement, Connection, String, Table, and_, delete, insert, select

from ...db import Row, metadata
from ...errors import Conflict
from ..receivables.repository import holdings, receivables
from . import repository
from .contract import Quote

#: Limits by what they limit: a debtor's account or a group's name. At most one row per currency.
ceilings = Table(
    "financing_limits",
    metadata,
    Column("bank", String(42), primary_key=True),
    Column("scope", String(6), primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("amount", String(39), nullable=False),
)

#: A bank's groups; a group may have no limit yet.
groups = Table(
    "limit_groups",
    metadata,
    Column("bank", String(42), primary_key=True),
    Column("name", String(64), primary_key=True),
)

#: A debtor is in one group of a bank at most.
group_debtors = Table(
    "limit_group_debtors",
    metadata,
    Column("bank", String(42), primary_key=True),
    Column("debtor", String(42), primary_key=True),
    Column("name", String(64), nullable=False),
)

DEBTOR, GROUP = "debtor", "group"


class LimitExceeded(Conflict):
    """The bank's own limit does not leave room for a quote."""

    code, title = "limit-exceeded", "Your own limit does not leave room for this"


@dataclass(frozen=True)
class Ceiling:
    """One limit, in minor units of the currency. `debtors` are those that it counts."""

    scope: str
    name: str
    currency: str
    amount: int
    debtors: tuple[str, ...]


# --- limits and groups


def put_ceilings(connection: Connection, bank: str, scope: str, name: str, amounts: Mapping[str, int]) -> None:
    """Replace the limits of a debtor or a group, per currency; none without amounts."""
    connection.execute(delete(ceilings).where(_of(bank, scope, name)))
    if amounts:
        key = {"bank": bank, "scope": scope, "name": name}
        rows = [key | {"currency": currency, "amount": str(amount)} for currency, amount in amounts.items()]
        connection.execute(insert(ceilings), rows)


def put_group(connection: Connection, bank: str, name: str, debtors: Iterable[str], amounts: Mapping[str, int]) -> None:
    """Replace a group; a debtor that is in another group is refused."""
    wanted = list(debtors)
    taken = connection.execute(
        select(group_debtors.c.debtor, group_debtors.c.name).where(
            group_debtors.c.bank == bank, group_debtors.c.debtor.in_(wanted), group_debtors.c.name != name
        )
    ).first()
    if taken is not None:
        rule = f"{taken.debtor} is in the group {taken.name!r}; a debtor is in one group at most."
        field = f"debtors.{wanted.index(taken.debtor)}"
        raise Conflict(rule, errors=[{"field": field, "rule": rule}])
    drop_group(connection, bank, name)
    connection.execute(insert(groups).values(bank=bank, name=name))
    if wanted:
        rows = [{"bank": bank, "debtor": debtor, "name": name} for debtor in wanted]
        connection.execute(insert(group_debtors), rows)
    put_ceilings(connection, bank, GROUP, name, amounts)


def drop_group(connection: Connection, bank: str, name: str) -> bool:
    """Forget a group with its limits; false when there was none."""
    put_ceilings(connection, bank, GROUP, name, {})
    connection.execute(delete(group_debtors).where(group_debtors.c.bank == bank, group_debtors.c.name == name))
    return connection.execute(delete(groups).where(groups.c.bank == bank, groups.c.name == name)).rowcount > 0


def drop_ceilings(connection: Connection, bank: str, debtor: str) -> bool:
    return connection.execute(delete(ceilings).where(_of(bank, DEBTOR, debtor))).rowcount > 0


def ceilings_of(connection: Connection, bank: str, scope: str, name: str) -> dict[str, int]:
    """Limits by currency."""
    rows = connection.execute(select(ceilings.c.currency, ceilings.c.amount).where(_of(bank, scope, name)))
    return {row.currency: int(row.amount) for row in rows.fetchall()}


def limited_debtors(connection: Connection, bank: str, after: str | None, limit: int) -> list[str]:
    """Debtors with a limit, by account."""
    wanted = [ceilings.c.bank == bank, ceilings.c.scope == DEBTOR]
    if after is not None:
        wanted.append(ceilings.c.name > after)
    query = select(ceilings.c.name).where(*wanted).distinct().order_by(ceilings.c.name).limit(limit)
    return list(connection.execute(query).scalars())


def groups_of(connection: Connection, bank: str, after: str | None, limit: int) -> list[str]:
    wanted = [groups.c.bank == bank]
    if after is not None:
        wanted.append(groups.c.name > after)
    return list(connection.execute(select(groups.c.name).where(*wanted).order_by(groups.c.name).limit(limit)).scalars())


def has_group(connection: Connection, bank: str, name: str) -> bool:
    found = select(groups.c.name).where(groups.c.bank == bank, groups.c.name == name)
    return connection.execute(found).first() is not None


def debtors_of(connection: Connection, bank: str, name: str) -> list[str]:
    wanted = and_(group_debtors.c.bank == bank, group_debtors.c.name == name)
    query = select(group_debtors.c.debtor).where(wanted).order_by(group_debtors.c.debtor)
    return list(connection.execute(query).scalars())


def group_of(connection: Connection, bank: str, debtor: str) -> str | None:
    wanted = and_(group_debtors.c.bank == bank, group_debtors.c.debtor == debtor)
    return connection.execute(select(group_debtors.c.name).where(wanted)).scalar()


# --- exposure


def exposure(
    connection: Connection,
    bank: str,
    debtors: Sequence[str],
    currency: str,
    now: int,
    *,
    except_nonce: str | None = None,
) -> int:
    """What a bank may lose with some debtors, minor units: what is outstanding on the units that it holds, and what its
    quotes that can still be filled would add.

    Of several open quotes with one nonce only one can be filled, so the largest counts.
    """
    held = select(holdings.c.units, receivables.c.face, receivables.c.paid).join(
        receivables, receivables.c.id == holdings.c.receivable_id
    )
    owed = and_(receivables.c.debtor.in_(debtors), receivables.c.currency == currency)
    undertaken = receivables.c.state.in_(("confirmed", "partly_paid"))
    rows = connection.execute(held.where(holdings.c.holder == bank, holdings.c.units != "0", owed, undertaken))
    total = sum(outstanding(int(row.units), int(row.face), int(row.paid)) for row in rows.fetchall())

    offered = select(repository.quotes.c.nonce, *_SIZE).select_from(repository.JOINED)
    largest: dict[str, int] = defaultdict(int)
    for row in connection.execute(offered.where(repository.quotes.c.bank == bank, owed, repository.is_open(now))):
        if row.nonce != except_nonce:
            # Of another quote with the same nonce nothing can be filled any more, so it is not open.
            largest[row.nonce] = max(largest[row.nonce], int(row.units) - int(row.filled_units or 0))
    return total + sum(largest.values())


_SIZE = (repository.quotes.c.units, repository.quote_nonces.c.filled_units)


def outstanding(units: int, face: int, paid: int) -> int:
    """What has not been paid on units, as the ledger divides payments: units − floor(units × paid ÷ face)."""
    return units - units * paid // face


def require_room(connection: Connection, quote: Quote, receivable: Row, now: int) -> None:
    """Refuse a quote that would take the bank over a limit of its own for the debtor, or for the debtor's group."""
    for ceiling in _ceilings_for(connection, quote.bank, receivable["debtor"], receivable["currency"]):
        used = exposure(connection, quote.bank, ceiling.debtors, ceiling.currency, now, except_nonce=str(quote.nonce))
        if used + quote.units > ceiling.amount:
            rule = (
                f"Your limit for the {ceiling.scope} {ceiling.name} is {ceiling.amount} {ceiling.currency} minor units; "
                f"{used} are used, {quote.units} more are too many."
            )
            raise LimitExceeded(
                rule,
                errors=[{"field": "quote.units", "rule": rule}],
                limitOf=ceiling.scope,
                name=ceiling.name,
                currency=ceiling.currency,
                limit=str(ceiling.amount),
                exposure=str(used),
                requested=str(quote.units),
            )


def _ceilings_for(connection: Connection, bank: str, debtor: str, currency: str) -> list[Ceiling]:
    found = []
    own = ceilings_of(connection, bank, DEBTOR, debtor).get(currency)
    if own is not None:
        found.append(Ceiling(DEBTOR, debtor, currency, own, (debtor,)))
    group = group_of(connection, bank, debtor)
    common = None if group is None else ceilings_of(connection, bank, GROUP, group).get(currency)
    if group is not None and common is not None:
        found.append(Ceiling(GROUP, group, currency, common, tuple(debtors_of(connection, bank, group))))
    return found


def _of(bank: str, scope: str, name: str) -> ColumnElement[bool]:
    return and_(ceilings.c.bank == bank, ceilings.c.scope == scope, ceilings.c.name == name)
