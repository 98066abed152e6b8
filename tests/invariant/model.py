"""What the contracts should do, in plain Python. Each method returns None after a success or the name of the error that is due."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

STEP = 30 * 86400
NONE, APPLIED, OFFERED, ACCEPTED, REGISTERED, RELEASED, CLOSED = range(7)


@dataclass
class Lien:
    forbids: bool
    active: bool = True


@dataclass
class Title:
    owner: str
    version: int = 1
    cancelled: bool = False
    liens: dict[int, Lien] = field(default_factory=dict)

    def active(self) -> list[Lien]:
        return [lien for lien in self.liens.values() if lien.active]

    def place(self, forbids: bool) -> int:
        number = len(self.liens) + 1
        self.liens[number] = Lien(forbids)
        return number


@dataclass
class Case:
    unit: int
    applicant: str
    bank: str
    until: int
    state: int = APPLIED
    forbids: bool = False
    lien: int = 0


class Model:
    def __init__(self, time: int, caps: dict[str, int]):
        self.time, self.caps = time, caps
        self.suspended: set[str] = set()
        self.balances: dict[str, int] = defaultdict(int)
        self.positions: dict[str, int] = defaultdict(int)
        self.frozen: dict[str, int] = defaultdict(int)
        self.held: dict[int, int] = defaultdict(int)
        self.claimable: dict[str, int] = defaultdict(int)
        self.titles: dict[int, Title] = {}
        self.cases: list[Case] = []

    def _barred(self, *parties: str) -> str | None:
        return "Members_Suspended" if self.suspended.intersection(parties) else None

    # --- parties

    def suspend(self, who: str) -> str | None:
        if who in self.suspended:
            return "Members_WrongStatus"
        self.suspended.add(who)
        return None

    def reinstate(self, who: str) -> str | None:
        if who not in self.suspended:
            return "Members_WrongStatus"
        self.suspended.remove(who)
        return None

    # --- money

    def issue(self, bank: str, to: str, amount: int) -> str | None:
        if error := self._barred(bank, to):
            return error
        if self.positions[bank] + amount > self.caps[bank]:
            return "SettlementToken_CapExceeded"
        self.positions[bank] += amount
        self.balances[to] += amount
        return None

    def _outgoing(self, holder: str, amount: int) -> str | None:
        if self.balances[holder] < amount:
            return "ERC20InsufficientBalance"
        return "SettlementToken_Frozen" if self.balances[holder] - amount < self.frozen[holder] else None

    def redeem(self, holder: str, bank: str, amount: int) -> str | None:
        if error := self._barred(bank) or self._outgoing(holder, amount):
            return error
        self.positions[bank] -= amount
        self.balances[holder] -= amount
        return None

    def transfer(self, holder: str, to: str, amount: int) -> str | None:
        if error := self._outgoing(holder, amount):
            return error
        self.balances[holder] -= amount
        self.balances[to] += amount
        return None

    def freeze(self, holder: str, amount: int) -> str | None:
        self.frozen[holder] = amount
        return None

    def deduct(self, holder: str, to: str, amount: int) -> str | None:
        if self.balances[holder] < amount:
            return "ERC20InsufficientBalance"
        self.balances[holder] -= amount
        self.balances[to] += amount
        self.frozen[holder] = max(0, self.frozen[holder] - amount)
        return None

    def hold(self, case: int, payer: str, amount: int) -> str | None:
        if error := self._outgoing(payer, amount):
            return error
        self.balances[payer] -= amount
        self.held[case] += amount
        return None

    def pay(self, case: int, payee: str, amount: int, at_once: bool) -> str | None:
        if self.held[case] < amount:
            return "Escrow_InsufficientHeld"
        self.held[case] -= amount
        (self.balances if at_once else self.claimable)[payee] += amount
        return None

    def claim(self, payee: str) -> str | None:
        if not self.claimable[payee]:
            return "Escrow_NothingToClaim"
        self.balances[payee] += self.claimable.pop(payee)
        return None

    # --- titles

    def register_title(self, unit: int, owner: str) -> str | None:
        if unit in self.titles:
            return "TitleRegistry_AlreadyRegistered"
        if error := self._barred(owner):
            return error
        self.titles[unit] = Title(owner)
        return None

    def _active(self, unit: int) -> Title | None:
        title = self.titles.get(unit)
        return None if title is None or title.cancelled else title

    def transfer_title(self, unit: int, holder: str, to: str) -> str | None:
        title = self._active(unit)
        if title is None:
            return "TitleRegistry_NotActive"
        if title.owner != holder:
            return "TitleRegistry_NotTheOwner"
        if to == holder:
            return "TitleRegistry_SameOwner"
        if any(lien.forbids for lien in title.active()):
            return "TitleRegistry_TransferForbiddenByLien"
        if error := self._barred(to):
            return error
        title.owner, title.version = to, title.version + 1
        return None

    def cancel_title(self, unit: int) -> str | None:
        title = self._active(unit)
        if title is None:
            return "TitleRegistry_NotActive"
        if title.active():
            return "TitleRegistry_Encumbered"
        title.cancelled = True
        return None

    # --- mortgages

    def apply(self, actor: str, unit: int, bank: str) -> str | None:
        if error := self._barred(actor, bank):
            return error
        title = self._active(unit)
        if title is None:
            return "MortgageDesk_TitleNotActive"
        if bank in (title.owner, actor):
            return "MortgageDesk_SelfDealing"
        if title.owner != actor:
            return "Desk_NotAuthorized"
        self.cases.append(Case(unit, actor, bank, self.time + STEP))
        return None

    def _step(self, number: int, state: int) -> tuple[Case | None, str | None]:
        case = self.cases[number - 1] if 0 < number <= len(self.cases) else None
        if case is None or case.state != state:
            return case, "MortgageDesk_WrongState"
        return case, "MortgageDesk_Expired" if self.time > case.until else None

    def offer(self, number: int, bank: str, forbids: bool, valid_for: int) -> str | None:
        case, error = self._step(number, APPLIED)
        if error:
            return error
        assert case
        if error := self._barred(bank, case.applicant):
            return error
        if bank != case.bank:
            return "MortgageDesk_NotTheBank"
        case.state, case.forbids, case.until = OFFERED, forbids, self.time + valid_for
        return None

    def accept(self, number: int, actor: str) -> str | None:
        case, error = self._step(number, OFFERED)
        if error:
            return error
        assert case
        if error := self._barred(actor, case.bank):
            return error
        if actor == case.bank:
            return "MortgageDesk_SelfDealing"
        if actor != case.applicant:
            return "Desk_NotAuthorized"
        case.state, case.until = ACCEPTED, self.time + STEP
        return None

    def register(self, number: int) -> str | None:
        case, error = self._step(number, ACCEPTED)
        if error:
            return error
        assert case
        title = self._active(case.unit)
        if title is None:
            return "TitleRegistry_NotActive"
        if title.owner != case.applicant:
            return "TitleRegistry_NotTheOwner"
        if len(title.active()) == 8:
            return "TitleRegistry_TooManyLiens"
        case.state, case.lien = REGISTERED, title.place(case.forbids)
        return None

    def close(self, number: int) -> str | None:
        case = self.cases[number - 1] if 0 < number <= len(self.cases) else None
        if case is None or case.state not in (APPLIED, OFFERED, ACCEPTED):
            return "MortgageDesk_WrongState"
        case.state = CLOSED
        return None

    def release(self, number: int, actor: str) -> str | None:
        case = self.cases[number - 1] if 0 < number <= len(self.cases) else None
        if case is None or case.state != REGISTERED:
            return "MortgageDesk_WrongState"
        if actor != case.bank:
            return "MortgageDesk_NotTheBank"
        case.state = RELEASED
        self.titles[case.unit].liens[case.lien].active = False
        return None
