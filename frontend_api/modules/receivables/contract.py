"""Typed wrappers of ReceivableLedger and FinancingDesk."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

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


class NonceState(IntEnum):
    OPEN = 0
    USED = 1
    CANCELLED = 2


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


@dataclass(frozen=True)
class Holding:
    """Face value held and what was claimed on it, minor units."""

    units: int
    claimed: int


@dataclass(frozen=True)
class Quote:
    """What a bank signs: units of a receivable against money, for one seller; the struct of IFinancingDesk.

    units, proceeds: minor units of the receivable's currency
    valid_until: Unix seconds, the last second included
    nonce: the bank's own, good for one quote
    """

    receivable_id: int
    units: int
    proceeds: int
    seller: str
    bank: str
    recourse: bool
    valid_until: int
    nonce: int

    def fields(self) -> tuple[Any, ...]:
        return (
            self.receivable_id,
            self.units,
            self.proceeds,
            self.seller,
            self.bank,
            self.recourse,
            self.valid_until,
            self.nonce,
        )


class ReceivableLedger(Wrapper):
    contract = "ReceivableLedger"

    def draft(self, debtor: str, currency: str, face: int, due_at: int, invoice_hash: bytes) -> Call:
        return self._call("draft", debtor, currency.encode(), face, due_at, invoice_hash)

    def confirm(self, receivable_id: int) -> Call:
        return self._call("confirm", receivable_id)

    def reject(self, receivable_id: int) -> Call:
        return self._call("reject", receivable_id)

    def withdraw(self, receivable_id: int) -> Call:
        return self._call("withdraw", receivable_id)

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
        )

    async def holding(self, receivable_id: int, holder: str, block: str = "latest") -> Holding:
        raw = await self._read("holding", receivable_id, holder, block=block)
        return Holding(raw["units"], raw["claimed"])

    async def claimable(self, receivable_id: int, holder: str, block: str = "latest") -> int:
        return int(await self._read("claimable", receivable_id, holder, block=block))


_QUOTE = [
    {"name": "receivableId", "type": "uint256"},
    {"name": "units", "type": "uint128"},
    {"name": "proceeds", "type": "uint128"},
    {"name": "seller", "type": "address"},
    {"name": "bank", "type": "address"},
    {"name": "recourse", "type": "bool"},
    {"name": "validUntil", "type": "uint64"},
    {"name": "nonce", "type": "uint256"},
]
_DOMAIN = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
]


class FinancingDesk(Wrapper):
    contract = "FinancingDesk"

    def fill(self, quote: Quote, signature: bytes) -> Call:
        return self._call("fill", quote.fields(), signature)

    def cancel(self, nonce: int) -> Call:
        return self._call("cancel", nonce)

    async def nonce_state(self, bank: str, nonce: int, block: str = "latest") -> NonceState:
        return NonceState(await self._read("nonceState", bank, nonce, block=block))

    async def digest_of(self, quote: Quote) -> bytes:
        """The EIP-712 digest of a quote, as the contract computes it."""
        return bytes(await self._read("digestOf", quote.fields()))

    def typed_data(self, quote: Quote, chain_id: int) -> dict[str, Any]:
        """The EIP-712 message as wallets and `eth_account` take it; integers are strings, for JavaScript's sake."""
        message = {
            entry["name"]: str(value) if entry["type"].startswith("uint") else value
            for entry, value in zip(_QUOTE, quote.fields(), strict=True)
        }
        return {
            "types": {"EIP712Domain": _DOMAIN, "Quote": _QUOTE},
            "primaryType": "Quote",
            "domain": {
                "name": "chaincity FinancingDesk",
                "version": "1",
                "chainId": chain_id,
                "verifyingContract": self.address,
            },
            "message": message,
        }
