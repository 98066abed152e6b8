"""Reminders, derived from the tables and chain time whenever somebody asks, and dunning notices between holder and debtor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection

from ...db import Row
from ...errors import Conflict, Forbidden, InvalidInput, NotFound
from ...kit.pagination import decode_cursor, decode_number, encode_cursor
from . import reminders_repository as repository
from .positions import moment
from .reminders_schemas import (
    NextAction,
    NoticeInReminder,
    NoticeList,
    NoticeResource,
    ReminderList,
    ReminderResource,
    Role,
)
from .repository import UNDERTAKEN, claimable, entitlement, find_receivable

if TYPE_CHECKING:
    from ...city import City

DAY: Final = 86400
#: How early a debtor is reminded, in days.
EARLIEST: Final = 14
#: A holder reminds a debtor of a receivable at most once in so many seconds.
NOTICE_EVERY: Final = DAY


@dataclass(frozen=True)
class Recourse:
    """What a seller answers for, or owes, by a bank's nonce; amounts in minor units.

    state: held (the bank may put the units back once the receivable is defaulted) or owed (the seller repays)
    amount: what the bank would put back or is owed now
    undertaken: whether the receivable is still owed
    """

    bank: str
    seller: str
    nonce: int
    receivable_id: int
    currency: str
    due_at: int
    state: str
    amount: int
    undertaken: bool


#: All open recourses of an account, as bank or as seller.
Recourses = Callable[[Connection, str], Iterable[Recourse]]


def no_recourse(_: Connection, __: str) -> Iterable[Recourse]:
    return ()


#: What orders reminders and where a page begins: time, receivable, kind, and what tells those of one kind apart.
Key = tuple[int, int, str, str]
Keyed = tuple[Key, ReminderResource]


class ReminderService:
    def __init__(self, city: City, recourses: Recourses = no_recourse):
        self._city = city
        self._recourses = recourses

    async def reminders(
        self, account: str, role: Role | None, answer_days: int, cursor: str | None, limit: int
    ) -> ReminderList:
        """One page of what the account must or may do, the longest overdue first."""
        grace, after = await self._city.receivables.grace_period(), _position(cursor)

        def read(connection: Connection) -> tuple[int, list[Keyed]]:
            now = moment(connection).time
            desk = _Desk(connection, account, now, grace, answer_days, after)
            sources = {
                "debtor": (desk.to_pay(), desk.to_answer(), desk.notices()),
                "holder": (desk.to_claim(), desk.to_collect()),
                "supplier": (desk.unanswered(), desk.recourse(self._recourses, as_bank=False)),
                "bank": (desk.recourse(self._recourses, as_bank=True),),
            }
            wanted = [source for name, group in sources.items() if role in (None, name) for source in group]
            found = (entry for entry in merge(*wanted, key=_key) if after is None or entry[0] > after)
            return now, list(islice(found, limit))

        now, found = await self._city.database.read_snapshot(read)
        following = encode_cursor(*found[-1][0]) if len(found) == limit else None
        return ReminderList(at=now, items=[reminder for _, reminder in found], next=following)

    # --- notices

    async def send_notice(self, holder: str, receivable_id: int, text: str) -> tuple[NoticeResource, bool]:
        """A notice of a holder to the debtor; also says whether it is new: the same words on one day are sent once."""
        now = self._city.indexer.head.time

        def write(connection: Connection) -> tuple[Row, bool]:
            row = find_receivable(connection, receivable_id)
            if row is None:
                raise NotFound(f"There is no receivable {receivable_id}.")
            if not repository.held_units(connection, receivable_id, holder):
                raise Forbidden(f"{holder} holds no units of receivable {receivable_id}.")
            if row["state"] not in UNDERTAKEN:
                raise Conflict(f"Receivable {receivable_id} is {row['state']}: there is nothing to remind of.")
            last = repository.last_notice(connection, receivable_id, holder)
            if last is not None and now - last["sent_at"] < NOTICE_EVERY:
                if last["text"] == text:
                    return last, False
                raise Conflict(f"You reminded the debtor at {last['sent_at']} already; once a day is enough.")
            return repository.keep_notice(connection, receivable_id, holder, row["debtor"], text, now), True

        row, new = await self._city.database.write(write)
        return _notice(row), new

    async def notices(self, party: str, receivable_id: int, cursor: str | None, limit: int) -> NoticeList:
        """Those that the party sent or was sent."""
        rows = await self._city.database.read(
            repository.list_notices, receivable_id, party, decode_number(cursor), limit
        )
        following = encode_cursor(rows[-1]["id"]) if len(rows) == limit else None
        return NoticeList(items=[_notice(row) for row in rows], next=following)

    async def acknowledge(self, debtor: str, receivable_id: int, notice_id: int) -> NoticeResource:
        now = self._city.indexer.head.time

        def write(connection: Connection) -> Row:
            row = repository.find_notice(connection, receivable_id, notice_id)
            if row is None or debtor not in (row["debtor"], row["holder"]):
                raise NotFound("There is no such notice that you sent or were sent.")
            if row["debtor"] != debtor:
                raise Forbidden(f"Only {row['debtor']}, to which it was sent, can acknowledge it.")
            repository.acknowledge_notice(connection, notice_id, now)
            return repository.find_notice(connection, receivable_id, notice_id) or row

        return _notice(await self._city.database.write(write))


class _Desk:
    """What lies on an account's desk at a chain time. Each source is in the order of keys."""

    def __init__(self, connection: Connection, account: str, now: int, grace: int, answer_days: int, after: Key | None):
        self._connection, self._account = connection, account
        self._now, self._grace, self._answer_days = now, grace, answer_days
        self._start = (0, 0) if after is None else after[:2]

    def to_pay(self) -> Iterator[Keyed]:
        until = self._now + (EARLIEST + 1) * DAY
        for row in repository.owed_by(self._connection, self._account, until, self._start):
            amount = int(row["face"]) - int(row["paid"])
            yield self._made("debtor", self._due(row), row, row["due_at"], row["supplier"], amount, "payments")

    def to_answer(self) -> Iterator[Keyed]:
        for row in repository.to_answer(self._connection, self._account, self._start):
            yield self._made(
                "debtor", "to_answer", row, row["drafted_at"], row["supplier"], int(row["face"]), "confirm"
            )

    def notices(self) -> Iterator[Keyed]:
        for row in repository.unread(self._connection, self._account, self._start):
            amount, number = int(row["face"]) - int(row["paid"]), row["notice_id"]
            notice = NoticeInReminder(id=number, text=row["text"], sent_at=row["sent_at"])
            path = f"reminders/{number}/acknowledge"
            yield self._made("debtor", "notice", row, row["sent_at"], row["holder"], amount, path, notice)

    def to_claim(self) -> Iterator[Keyed]:
        for row in repository.paid_to(self._connection, self._account, self._start):
            amount = claimable(row, {"units": row["units"], "claimed": row["claimed_by_holder"]})
            if amount:
                yield self._made("holder", "claimable", row, row["due_at"], row["debtor"], amount, "claims")

    def to_collect(self) -> Iterator[Keyed]:
        for row in repository.late_for(self._connection, self._account, self._now, self._start):
            kind = self._due(row)
            amount = int(row["units"]) - entitlement(row, row)
            path = "write-offs" if kind == "defaulted" else "reminders"
            yield self._made("holder", kind, row, row["due_at"], row["debtor"], amount, path)

    def unanswered(self) -> Iterator[Keyed]:
        before = self._now - self._answer_days * DAY
        for row in repository.unanswered(self._connection, self._account, before, self._start):
            kind = "disputed" if row["state"] == "disputed" else "unanswered"
            yield self._made("supplier", kind, row, row["drafted_at"], row["debtor"], int(row["face"]), "withdraw")

    def recourse(self, recourses: Recourses, *, as_bank: bool) -> Iterator[Keyed]:
        """A bank's are shown from the due date on: before the default there is time to collect otherwise."""
        found = []
        for entry in recourses(self._connection, self._account):
            defaults_at = entry.due_at + self._grace
            mine = (entry.bank if as_bank else entry.seller) == self._account
            if entry.state == "held":
                if not (as_bank and mine and entry.undertaken and entry.due_at <= self._now):
                    continue
                kind = "recourse" if defaults_at <= self._now else "recourse_soon"
                other, act = entry.seller, "put-back"
            elif as_bank or not mine:
                continue
            else:
                kind, other, act = "recourse_owed", entry.bank, "payments"
            facts = {"id": entry.receivable_id, "currency": entry.currency}
            detail = f"{entry.bank}/{entry.nonce}"
            path = f"/recourse/{detail}/{act}"
            role: Role = "bank" if as_bank else "supplier"
            found.append(self._made(role, kind, facts, defaults_at, other, entry.amount, path, detail=detail))
        return iter(sorted(found, key=_key))

    def _due(self, row: Row) -> str:
        if row["due_at"] + self._grace <= self._now:
            return "defaulted"
        days = days_until(row["due_at"], self._now)
        if days < 0:
            return "overdue"
        if days == 0:
            return "due_today"
        return next(f"due_in_{n}_day{'s' if n > 1 else ''}" for n in (1, 7, EARLIEST) if days <= n)

    def _made(
        self,
        role: Role,
        kind: str,
        row: Row | dict[str, object],
        at: int,
        counterparty: str,
        amount: int,
        path: str,
        notice: NoticeInReminder | None = None,
        detail: str = "-",
    ) -> Keyed:
        number = int(str(row["id"]))
        key = (at, number, f"{role} {kind}", detail if notice is None else f"{notice.id:020d}")
        action = NextAction(method="POST", path=path if path.startswith("/") else f"/receivables/{number}/{path}")
        reminder = ReminderResource(
            role=role,
            kind=kind,
            receivable_id=number,
            counterparty=counterparty,
            currency=str(row["currency"]),
            amount=str(amount),
            at=at,
            days=days_until(at, self._now),
            next_action=action,
            notice=notice,
        )
        return key, reminder


def days_until(at: int, now: int) -> int:
    """Whole days left until a time: 0 within the last 24 hours, −1 within the first 24 from then on."""
    return (at - now - 1) // DAY


def _key(entry: Keyed) -> Key:
    return entry[0]


def _position(cursor: str | None) -> Key | None:
    found = decode_cursor(cursor, 4)
    if found is None:
        return None
    if not all(part.isascii() and part.isdigit() and len(part) <= 18 for part in found[:2]):
        raise InvalidInput("This cursor belongs to another list.", field="cursor")
    return int(found[0]), int(found[1]), found[2], found[3]


def _notice(row: Row) -> NoticeResource:
    return NoticeResource(**{name: row[name] for name in NoticeResource.model_fields})
