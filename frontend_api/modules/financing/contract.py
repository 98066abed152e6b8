"""Typed wrappers of FinancingDesk and FinancingRegister."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from ...chain.abi import Call
from ...chain.contract import Wrapper


class NonceState(IntEnum):
    OPEN = 0
    USED = 1
    CANCELLED = 2
    IN_PARTS = 3


class RecourseState(IntEnum):
    NONE = 0
    HELD = 1
    OWED = 2
    REPAID = 3


class EntryState(IntEnum):
    FREE = 0
    RESERVED = 1
    FINANCED = 2
    ENTERED = 3


@dataclass(frozen=True)
class Quote:
    """What a bank signs: units of a receivable against money, for one seller; the struct of IFinancingDesk.

    units, proceeds: minor units of the receivable's currency
    divisible: whether it may be filled in parts
    valid_until: Unix seconds, the last second included
    nonce: the bank's own, good for one quote
    """

    receivable_id: int
    units: int
    proceeds: int
    seller: str
    bank: str
    recourse: bool
    divisible: bool
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
            self.divisible,
            self.valid_until,
            self.nonce,
        )


_QUOTE = [
    {"name": "receivableId", "type": "uint256"},
    {"name": "units", "type": "uint128"},
    {"name": "proceeds", "type": "uint128"},
    {"name": "seller", "type": "address"},
    {"name": "bank", "type": "address"},
    {"name": "recourse", "type": "bool"},
    {"name": "divisible", "type": "bool"},
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

    def fill(self, quote: Quote, units: int, signature: bytes) -> Call:
        return self._call("fill", quote.fields(), units, signature)

    def cancel(self, nonce: int) -> Call:
        return self._call("cancel", nonce)

    def put_back(self, nonce: int) -> Call:
        return self._call("putBack", nonce)

    def repay(self, bank: str, nonce: int, amount: int) -> Call:
        return self._call("repay", bank, nonce, amount)

    async def nonce_state(self, bank: str, nonce: int, block: str = "latest") -> NonceState:
        return NonceState(await self._read("nonceState", bank, nonce, block=block))

    async def digest_of(self, quote: Quote) -> bytes:
        """The EIP-712 digest of a quote, as the contract computes it."""
        return bytes(await self._read("digestOf", quote.fields()))

    def typed_data(self, quote: Quote, chain_id: int) -> dict[str, Any]:
        """The EIP-712 message as wallets and `eth_account` take it."""
        return _typed_data("Quote", _QUOTE, quote.fields(), "FinancingDesk", chain_id, self.address)


@dataclass(frozen=True)
class Consent:
    """What a seller signs so that a bank may reserve its invoice or lot; the struct of IFinancingRegister.

    reserved_until: Unix seconds, the last second included
    nonce: the seller's own
    """

    fingerprint: bytes
    number_fingerprint: bytes
    seller: str
    bank: str
    reserved_until: int
    nonce: int

    def fields(self) -> tuple[Any, ...]:
        return (self.fingerprint, self.number_fingerprint, self.seller, self.bank, self.reserved_until, self.nonce)


@dataclass(frozen=True)
class Entry:
    """What the register knows of a fingerprint; `holder` and the rest are zero when it is free."""

    state: EntryState
    holder: str
    reserved_until: int
    case_id: int
    number_fingerprint: bytes


_CONSENT = [
    {"name": "fingerprint", "type": "bytes32"},
    {"name": "numberFingerprint", "type": "bytes32"},
    {"name": "seller", "type": "address"},
    {"name": "bank", "type": "address"},
    {"name": "reservedUntil", "type": "uint64"},
    {"name": "nonce", "type": "uint256"},
]


class FinancingRegister(Wrapper):
    contract = "FinancingRegister"

    def reserve(self, consent: Consent, signature: bytes) -> Call:
        return self._call("reserve", consent.fields(), signature)

    def release(self, fingerprint: bytes) -> Call:
        return self._call("release", fingerprint)

    def finance(self, fingerprint: bytes, filing: bytes) -> Call:
        return self._call("finance", fingerprint, filing)

    def record_filing(self, fingerprint: bytes, filing: bytes) -> Call:
        return self._call("recordFiling", fingerprint, filing)

    def clear(self, fingerprint: bytes, number_fingerprint: bytes, basis: bytes) -> Call:
        return self._call("clear", fingerprint, number_fingerprint, basis)

    def annul(self, fingerprint: bytes, basis: bytes) -> Call:
        return self._call("annul", fingerprint, basis)

    def withdraw_consent(self, consent: Consent) -> Call:
        return self._call("withdrawConsent", consent.fields())

    async def entry(self, fingerprint: bytes, block: str = "latest") -> Entry:
        raw = await self._read("entryOf", fingerprint, block=block)
        return Entry(
            EntryState(raw["state"]),
            raw["holder"],
            raw["reservedUntil"],
            raw["caseId"],
            bytes(raw["numberFingerprint"]),
        )

    async def longest_reservation(self) -> int:
        """Seconds; a constant of the contract."""
        return int(await self._read("MAX_RESERVATION"))

    async def digest_of(self, consent: Consent) -> bytes:
        """The EIP-712 digest of a consent, as the contract computes it."""
        return bytes(await self._read("digestOf", consent.fields()))

    def typed_data(self, consent: Consent, chain_id: int) -> dict[str, Any]:
        """The EIP-712 message as wallets and `eth_account` take it."""
        return _typed_data("Consent", _CONSENT, consent.fields(), "FinancingRegister", chain_id, self.address)


def _typed_data(
    name: str, parameters: list[dict[str, str]], values: tuple[Any, ...], contract: str, chain_id: int, address: str
) -> dict[str, Any]:
    """Integers are strings, for JavaScript's sake; bytes are hexadecimal."""

    def written(kind: str, value: Any) -> Any:
        if kind.startswith("uint"):
            return str(value)
        return "0x" + value.hex() if kind.startswith("bytes") else value

    return {
        "types": {"EIP712Domain": _DOMAIN, name: parameters},
        "primaryType": name,
        "domain": {
            "name": f"chaincity {contract}",
            "version": "1",
            "chainId": chain_id,
            "verifyingContract": address,
        },
        "message": {e["name"]: written(e["type"], v) for e, v in zip(parameters, values, strict=True)},
    }
