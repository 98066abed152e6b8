"""Ageing and exposure: what is outstanding, how late it is, with whom. Exact integers, never added across currencies.

The age of what is outstanding counts from the due date by chain time: day 1 begins with the due date's end. `not due`, the
four ages and `written off` are parts of `outstanding` that add up to it; `defaulted` is what of it is late by the ledger's grace
period or more and not written off, whatever its age, and so is contained in the ages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from sqlalchemy import Connection, select

from ...db import Row
from ..members.repository import parties
from . import positions
from .positions import Moment, Position

if TYPE_CHECKING:
    from ...city import City

Side = Literal["holder", "debtor", "supplier"]
By = Literal["debtor", "bank", "group"]

#: How a bank calls the group of a debtor; None for a debtor in no group. Private to the bank.
GroupOf = Callable[[Connection, str, str], str | None]

DAY: Final = 86400
#: The parts of `outstanding`, in the order of reports and bars, with the last day of each age.
AGES: Final = (("days_1_to_30", 30), ("days_31_to_60", 60), ("days_61_to_90", 90))
PARTS: Final = ("not_due", *(name for name, _ in AGES), "over_90_days", "written_off")


def no_group(_: Connection, __: str, ___: str) -> str | None:
    return None


@dataclass
class Line:
    """Sums in minor units of one currency; `parts` by the names in PARTS."""

    receivables: int = 0
    parts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PARTS, 0))
    defaulted: int = 0
    recovered: int = 0

    @property
    def outstanding(self) -> int:
        return sum(self.parts.values())

    @property
    def overdue(self) -> int:
        """Late and not written off."""
        return self.outstanding - self.parts["not_due"] - self.parts["written_off"]

    def add(self, position: Position, now: int, grace: int) -> None:
        live = position.outstanding - position.written_off
        self.receivables += 1 if position.outstanding else 0
        self.parts["written_off"] += position.written_off
        self.parts[part_of(position.due_at, now)] += live
        if position.due_at + grace <= now:
            self.defaulted += live
        self.recovered += position.recovered

    def merge(self, other: Line) -> None:
        self.receivables += other.receivables
        self.defaulted += other.defaulted
        self.recovered += other.recovered
        for name in PARTS:
            self.parts[name] += other.parts[name]


#: By currency and whom the line is about; None for debtors that are in no group.
Lines = dict[tuple[str, str | None], Line]


@dataclass(frozen=True)
class Report:
    """Lines by currency, in each the largest first."""

    at: Moment
    grace: int
    lines: Lines
    #: Names and credit codes of the accounts that lines are about, as far as they are known.
    names: Mapping[str, str]
    codes: Mapping[str, str]

    def sorted_lines(self) -> Iterator[tuple[str, str | None, Line]]:
        def rank(entry: tuple[tuple[str, str | None], Line]) -> tuple[str, int, str]:
            (currency, key), line = entry
            return currency, -line.outstanding, key or ""

        for (currency, key), line in sorted(self.lines.items(), key=rank):
            yield currency, key, line

    def totals(self) -> dict[str, Line]:
        found: dict[str, Line] = {}
        for currency, _, line in self.sorted_lines():
            found.setdefault(currency, Line()).merge(line)
        return found


def part_of(due_at: int, now: int) -> str:
    """The part that an amount due at a time belongs to, written off or not."""
    if now < due_at:
        return "not_due"
    day = (now - due_at) // DAY + 1
    return next((name for name, last in AGES if day <= last), "over_90_days")


def add_up(
    found: Iterable[Position], key: Callable[[Position], str | None], at: Moment, grace: int, keys: Lines | None = None
) -> Lines:
    lines: Lines = {} if keys is None else keys
    for position in found:
        lines.setdefault((position.currency, key(position)), Line()).add(position, at.time, grace)
    return lines


def concentration(part: int, whole: int) -> str | None:
    """Per cent of the whole with two decimals, rounded half up; None of nothing."""
    if not whole:
        return None
    hundredths = (2 * part * 10_000 + whole) // (2 * whole)
    return f"{hundredths // 100}.{hundredths % 100:02d}"


class ReportService:
    def __init__(self, city: City, group_of: GroupOf = no_group):
        self._city = city
        self._group_of = group_of

    async def ageing(self, side: Side, party: str, currency: str | None) -> Report:
        """What a party is owed (holder), owes (debtor), or once drafted, whoever holds it (supplier), by counterparty.

        A holder's and a supplier's lines are about debtors, a debtor's about suppliers.
        """

        def read(connection: Connection, grace: int) -> tuple[Moment, Lines]:
            at = positions.moment(connection)
            if side == "holder":
                found = positions.by_holder(connection, holder=party, currency=currency)
                return at, add_up(found, lambda p: p.debtor, at, grace)
            if side == "debtor":
                found = positions.by_receivable(connection, debtor=party, currency=currency)
                return at, add_up(found, lambda p: p.supplier, at, grace)
            found = positions.by_receivable(connection, supplier=party, currency=currency)
            return at, add_up(found, lambda p: p.debtor, at, grace)

        return await self._report(read)

    async def exposure(self, by: By, caller: str, bank: str | None, currency: str | None) -> Report:
        """What debtors owe: to everybody or to one bank, by debtor; by bank that holds it; or by the caller's groups."""
        kind = self._city.deployment.kinds.get("bank")

        def read(connection: Connection, grace: int) -> tuple[Moment, Lines]:
            at = positions.moment(connection)
            if by == "group":
                groups: dict[str, str | None] = {}

                def group(position: Position) -> str | None:
                    if position.debtor not in groups:
                        groups[position.debtor] = self._group_of(connection, caller, position.debtor)
                    return groups[position.debtor]

                # The look-ups share the connection with the stream, so the stream is read to its end first.
                held = list(positions.by_holder(connection, holder=caller, currency=currency))
                return at, add_up(held, group, at, grace)
            if by == "bank":
                found = positions.by_holder(connection, holder=bank, kind=kind or 0, currency=currency)
                return at, add_up(found, lambda p: p.holder, at, grace)
            if bank is not None:
                found = positions.by_holder(connection, holder=bank, currency=currency)
            else:
                found = positions.by_receivable(connection, currency=currency)
            return at, add_up(found, lambda p: p.debtor, at, grace)

        return await self._report(read)

    async def _report(self, read: Callable[[Connection, int], tuple[Moment, Lines]]) -> Report:
        grace = await self._city.receivables.grace_period()

        def work(connection: Connection) -> Report:
            at, lines = read(connection, grace)
            # A position whose every amount is zero says nothing.
            lines = {key: line for key, line in lines.items() if line.outstanding or line.recovered}
            accounts = sorted({key for _, key in lines if key is not None})
            codes = {row["account"]: row["credit_code"] for row in _parties(connection, accounts) if row["credit_code"]}
            members = {entry["address"]: entry["name"] for entry in self._city.deployment.members.values()}
            return Report(at, grace, lines, {a: members[a] for a in accounts if a in members}, codes)

        return await self._city.database.read_snapshot(work)


def _parties(connection: Connection, accounts: list[str]) -> Iterator[Row]:
    for start in range(0, len(accounts), 500):
        chunk = accounts[start : start + 500]
        query = select(parties.c.account, parties.c.credit_code).where(parties.c.account.in_(chunk))
        yield from connection.execute(query).mappings()
