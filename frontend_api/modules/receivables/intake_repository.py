"""What the tables know of the parties and receivables that an upload speaks of; each question is asked for many at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection, select

from ..financing import register_repository as register
from ..members.contract import PartyStatus
from ..members.repository import parties
from .repository import receivables

#: Databases take a bounded number of parameters per statement.
_AT_ONCE = 500
#: A draft that was dropped lets its invoice be drafted again.
_DROPPED = ("rejected", "withdrawn")


def accounts_of(connection: Connection, codes: Iterable[str]) -> dict[str, str]:
    """The member with each credit code, the active one where several had it, else the latest."""
    found: dict[str, str] = {}
    active = parties.c.status == PartyStatus.ACTIVE.name.lower()
    for chunk in _chunks(codes):
        query = select(parties.c.credit_code, parties.c.account).where(parties.c.credit_code.in_(chunk))
        for row in connection.execute(query.order_by(active, parties.c.enrolled_at)):
            found[row.credit_code] = row.account
    return found


def statuses_of(connection: Connection, accounts: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for chunk in _chunks(accounts):
        query = select(parties.c.account, parties.c.status).where(parties.c.account.in_(chunk))
        found |= {row.account: row.status for row in connection.execute(query)}
    return found


def drafted_before(connection: Connection, fingerprints: Iterable[str]) -> dict[str, int]:
    """The receivable that each fingerprint was drafted as, dropped drafts apart."""
    found: dict[str, int] = {}
    for chunk in _chunks(fingerprints):
        query = select(receivables.c.fingerprint, receivables.c.id).where(
            receivables.c.fingerprint.in_(chunk), receivables.c.state.not_in(_DROPPED)
        )
        found |= {row.fingerprint: row.id for row in connection.execute(query)}
    return found


@dataclass(frozen=True)
class Taken:
    """What the financing register has of the fingerprints and numbers that were asked for, by chain time.

    holders: of taken fingerprints. numbers: the taken fingerprint that each number stands for. cleared: the number
    with which a fingerprint was let in beside another.
    """

    holders: Mapping[str, str]
    numbers: Mapping[str, str]
    cleared: Mapping[str, str]


def taken(connection: Connection, fingerprints: Iterable[str], numbers: Iterable[str], now: int) -> Taken:
    entries, known, clearances = register.entries, register.numbers, register.clearances
    stands: dict[str, str] = {}
    for chunk in _chunks(numbers):
        query = select(known.c.number_fingerprint, known.c.fingerprint).where(known.c.number_fingerprint.in_(chunk))
        stands |= {row.number_fingerprint: row.fingerprint for row in connection.execute(query)}
    holders: dict[str, str] = {}
    numbered: dict[str, str] = {}
    cleared: dict[str, str] = {}
    for chunk in _chunks([*fingerprints, *stands.values()]):
        for row in connection.execute(select(entries).where(entries.c.fingerprint.in_(chunk))).mappings():
            if register.entry_state(row, now) != "free":
                holders[row["fingerprint"]] = row["holder"]
                numbered[row["fingerprint"]] = row["number_fingerprint"]
        query = select(clearances).where(clearances.c.fingerprint.in_(chunk))
        cleared |= {row["fingerprint"]: row["number_fingerprint"] for row in connection.execute(query).mappings()}
    # As `takenBy` of the contract: the last fingerprint of a number counts while it is taken with that number.
    standing = {n: f for n, f in stands.items() if f == register.AMBIGUOUS or numbered.get(f) == n}
    return Taken(holders, standing, cleared)


def _chunks(values: Iterable[str]) -> Iterator[list[str]]:
    remaining = iter(sorted(set(values)))
    while chunk := list(islice(remaining, _AT_ONCE)):
        yield chunk
