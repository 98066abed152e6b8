"""Typed wrapper of ReceivableLedger."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from ...chain.abi import Call
from ...chain.contract import Wrapper


class ReceivableState(IntEnum):
    NONE = 0
    DRAFT = 1
    REJECTED = 2
    WITHDRAWN = 3
    CONFIRMED = 4
    PARTLY_PAID = 5
    SETTLED = 6
    DISPUTED = 7


@dataclass(frozen=True)
class Receivable:
    """`face` and `paid` in minor units of `currency`; `due_at` in Unix seconds."""

    debtor: str
    due_at: int
    state: ReceivableState
    currency: str
    face: int
    paid: int
    supplier: str
    fingerprint: bytes


@dataclass(frozen=True)
class Holding:
    """Face value held and what was claimed on it, minor units."""

    units: int
    claimed: int


class ReceivableLedger(Wrapper):
    contract = "ReceivableLedger"

    def draft(
        self, debtor: str, currency: str, face: int, due_at: int, fingerprint: bytes, number_fingerprint: bytes
    ) -> Call:
        return self._call("draft", debtor, currency.encode(), face, due_at, fingerprint, number_fingerprint)

    def confirm(self, receivable_id: int) -> Call:
        return self._call("confirm", receivable_id)

    def dispute(self, receivable_id: int, basis: bytes) -> Call:
        return self._call("dispute", receivable_id, basis)

    def reject(self, receivable_id: int) -> Call:
        return self._call("reject", receivable_id)

    def withdraw(self, receivable_id: int) -> Call:
        return self._call("withdraw", receivable_id)

    def strike(self, receivable_id: int, basis: bytes) -> Call:
        return self._call("strike", receivable_id, basis)

    def dilute(self, receivable_id: int, amount: int, credit_note: bytes, credit_note_number: bytes) -> Call:
        return self._call("dilute", receivable_id, amount, credit_note, credit_note_number)

    def write_off(self, receivable_id: int, basis: bytes) -> Call:
        return self._call("writeOff", receivable_id, basis)

    def transfer(self, holder: str, to: str, receivable_id: int, units: int) -> Call:
        return self._call("safeTransferFrom", holder, to, receivable_id, units, b"")

    def pay(self, receivable_id: int, amount: int) -> Call:
        return self._call("pay", receivable_id, amount)

    def claim(self, receivable_id: int) -> Call:
        return self._call("claim", receivable_id)

    async def receivable(self, receivable_id: int, block: str = "latest") -> Receivable:
        raw = await self._read("receivable", receivable_id, block=block)
        return Receivable(
            raw["debtor"],
            raw["dueAt"],
            ReceivableState(raw["state"]),
            raw["currency"].decode("ascii").rstrip("\0"),
            raw["face"],
            raw["paid"],
            raw["supplier"],
            bytes(raw["fingerprint"]),
        )

    async def holding(self, receivable_id: int, holder: str, block: str = "latest") -> Holding:
        raw = await self._read("holding", receivable_id, holder, block=block)
        return Holding(raw["units"], raw["claimed"])

    async def claimable(self, receivable_id: int, holder: str, block: str = "latest") -> int:
        return int(await self._read("claimable", receivable_id, holder, block=block))

    async def grace_period(self) -> int:
        """Seconds after the due date from which an unpaid receivable is defaulted; fixed for the contract's life."""
        return int(await self._read("gracePeriod"))
