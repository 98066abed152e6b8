"""Typed wrapper of WarehouseLedger."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from ...chain.abi import Call
from ...chain.contract import Wrapper


class ReceiptState(IntEnum):
    NONE = 0
    STORED = 1
    DELIVERED = 2
    STRUCK = 3


class PledgeState(IntEnum):
    NONE = 0
    PROPOSED = 1
    ACCEPTED = 2
    ACTIVE = 3
    DECLINED = 4
    WITHDRAWN = 5
    LAPSED = 6
    RELEASED = 7
    ENFORCED = 8


@dataclass(frozen=True)
class Receipt:
    """`quantity` on hand and `pledged` of it, in `unit`s (UN/ECE Recommendation 20)."""

    owner: str
    state: ReceiptState
    unit: str
    warehouse: str
    quantity: int
    pledged: int
    fingerprint: bytes


@dataclass(frozen=True)
class Pledge:
    """`answer_by` in Unix seconds, the last second included; `secured_amount` in minor units of `currency`."""

    bank: str
    answer_by: int
    state: PledgeState
    currency: str
    supervisor: str
    receipt_id: int
    quantity: int
    secured_amount: int


class WarehouseLedger(Wrapper):
    contract = "WarehouseLedger"

    def issue(
        self, owner: str, fingerprint: bytes, number_fingerprint: bytes, goods: bytes, quantity: int, unit: str
    ) -> Call:
        return self._call("issue", owner, fingerprint, number_fingerprint, goods, quantity, unit.encode())

    def transfer(self, receipt_id: int, to: str) -> Call:
        return self._call("transfer", receipt_id, to)

    def deliver(self, receipt_id: int, quantity: int) -> Call:
        return self._call("deliver", receipt_id, quantity)

    def report_shortage(self, receipt_id: int, pledge_id: int, quantity: int, basis: bytes) -> Call:
        """`pledge_id` is zero when the warehouse reports."""
        return self._call("reportShortage", receipt_id, pledge_id, quantity, basis)

    def strike(self, receipt_id: int, basis: bytes) -> Call:
        return self._call("strike", receipt_id, basis)

    def pledge(
        self,
        receipt_id: int,
        bank: str,
        supervisor: str,
        quantity: int,
        secured_amount: int,
        currency: str,
        answer_by: int,
    ) -> Call:
        return self._call(
            "pledge", receipt_id, bank, supervisor, quantity, secured_amount, currency.encode(), answer_by
        )

    def accept(self, pledge_id: int) -> Call:
        return self._call("accept", pledge_id)

    def confirm(self, pledge_id: int, basis: bytes) -> Call:
        return self._call("confirm", pledge_id, basis)

    def decline(self, pledge_id: int, basis: bytes) -> Call:
        return self._call("decline", pledge_id, basis)

    def withdraw(self, pledge_id: int) -> Call:
        return self._call("withdraw", pledge_id)

    def lapse(self, pledge_id: int) -> Call:
        return self._call("lapse", pledge_id)

    def release(self, pledge_id: int, quantity: int) -> Call:
        return self._call("release", pledge_id, quantity)

    def enforce(self, pledge_id: int, quantity: int, to: str, basis: bytes) -> Call:
        return self._call("enforce", pledge_id, quantity, to, basis)

    async def receipt(self, receipt_id: int, block: str = "latest") -> Receipt:
        raw = await self._read("receipt", receipt_id, block=block)
        return Receipt(
            raw["owner"],
            ReceiptState(raw["state"]),
            raw["unit"].decode("ascii").rstrip("\0"),
            raw["warehouse"],
            raw["quantity"],
            raw["pledged"],
            raw["fingerprint"],
        )

    async def pledge_of(self, pledge_id: int, block: str = "latest") -> Pledge:
        raw = await self._read("pledgeOf", pledge_id, block=block)
        return Pledge(
            raw["bank"],
            raw["answerBy"],
            PledgeState(raw["state"]),
            raw["currency"].decode("ascii").rstrip("\0"),
            raw["supervisor"],
            raw["receiptId"],
            raw["quantity"],
            raw["securedAmount"],
        )
