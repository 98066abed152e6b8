"""The hot operations, each on a fresh Anvil city: who does what first, and the one transaction that is measured.

Every operation is measured as a user meets it the second time: the parties have done business before (their balances and
counters are no longer zero), the case is new.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_account.messages import encode_typed_data

from scripts.deployment.plan import currency_bytes
from tests.anvil import AnvilCity, RpcBackend, rpc
from tests.evm import dev_account

CNY = currency_bytes("CNY")
YEAR = 365 * 86400
FACE = 48_600_000


def unit(number: int) -> bytes:
    return f"431302001001GB00003F0001{number:04d}".encode()


@dataclass(frozen=True)
class Measured:
    """A sent transaction and the contract that it called."""

    to: str
    tx_hash: str


class Bench(AnvilCity):
    """A city whose accounts may all send: contract calls by name, without the service."""

    def __init__(self, folder: Path):
        super().__init__(folder, "--steps-tracing")
        self.backend = RpcBackend(self.url)
        rpc(self.url, "anvil_autoImpersonateAccount", True)
        registry = self.member("registry")
        for index in (10, 11):
            person = dev_account(index).address
            self.send(registry, "Members", "enrol", person, bytes([index]) * 32, self.time() + 10 * YEAR)
        self.li, self.wang = dev_account(10).address, dev_account(11).address
        for member in ("bank", "supplier", "debtor", "institute"):
            self.send(self.member("bank"), "SettlementToken:CNY", "issue", self.member(member), 10**12, b"\1" * 32)
            for spender in ("Escrow", "FinancingDesk"):
                self.send(self.member(member), "SettlementToken:CNY", "approve", self.city.contracts[spender], 2**255)

    def send(self, sender: str, contract: str, function: str, *args: Any) -> Measured:
        kind = self.city.types[contract]
        data = self.backend.encode(kind, function, args)
        fields = {"from": sender, "to": self.city.contracts[contract], "data": "0x" + data.hex(), "gas": hex(5_000_000)}
        tx_hash = rpc(self.url, "eth_sendTransaction", fields)
        while (receipt := rpc(self.url, "eth_getTransactionReceipt", tx_hash)) is None:
            pass
        if int(receipt["status"], 16) != 1:
            raise AssertionError(f"{contract}.{function} failed in {tx_hash}")
        return Measured(contract, tx_hash)

    def grant_role(self, label: str, account: str) -> None:
        authority = self.city.contracts["Authority"]
        self.backend.send("Authority", authority, "grantRole", [self.city.roles[label], account, 0])


# --- property


def register_title(b: Bench) -> Measured:
    registry = b.member("registry")
    b.send(registry, "TitleRegistry", "registerTitle", unit(1), b.li, b"\1" * 32)
    return b.send(registry, "TitleRegistry", "registerTitle", unit(2), b.li, b"\2" * 32)


def transfer_title(b: Bench) -> Measured:
    """As a desk calls it: the role that desks hold is given to an account."""
    registry, desk = b.member("registry"), dev_account(18).address
    b.grant_role("TITLE_OPEN", desk)
    for number, owner in ((1, b.li), (2, b.li), (3, b.wang)):
        b.send(registry, "TitleRegistry", "registerTitle", unit(number), owner, bytes([number]) * 32)
    return b.send(desk, "TitleRegistry", "transferTitle", unit(1), b.li, b.wang, b"\7" * 32, registry)


def _accepted(b: Bench, number: int) -> int:
    bank = b.member("bank")
    b.send(b.member("registry"), "TitleRegistry", "registerTitle", unit(number), b.li, bytes([number]) * 32)
    b.send(b.li, "MortgageDesk", "applyFor", unit(number), bank, 85_000_000, CNY)
    b.send(bank, "MortgageDesk", "offer", number, 85_000_000, b"\5" * 32, False, b.time() + 86400)
    b.send(b.li, "MortgageDesk", "accept", number, b"\5" * 32)
    return number


def register_mortgage(b: Bench) -> Measured:
    return b.send(b.member("registry"), "MortgageDesk", "register", _accepted(b, 1))


def release_mortgage(b: Bench) -> Measured:
    case = _accepted(b, 1)
    b.send(b.member("registry"), "MortgageDesk", "register", case)
    return b.send(b.member("bank"), "MortgageDesk", "release", case)


# --- receivables


def _draft(b: Bench, number: int) -> int:
    args = (b.member("debtor"), CNY, FACE, b.time() + 90 * 86400, bytes([number]) * 32, bytes([number + 100]) * 32)
    b.send(b.member("supplier"), "ReceivableLedger", "draft", *args)
    return number


def confirm_receivable(b: Bench) -> Measured:
    return b.send(b.member("debtor"), "ReceivableLedger", "confirm", _draft(b, 1))


def split_receivable(b: Bench) -> Measured:
    b.send(b.member("debtor"), "ReceivableLedger", "confirm", _draft(b, 1))
    args = (b.member("supplier"), b.member("institute"), 1, 1_000_000, b"")
    return b.send(b.member("supplier"), "ReceivableLedger", "safeTransferFrom", *args)


def fill_quote(b: Bench) -> Measured:
    b.send(b.member("debtor"), "ReceivableLedger", "confirm", _draft(b, 1))
    _fill(b, 1, 1_000_000, 1)
    return _fill(b, 1, 2_000_000, 2)


def _fill(b: Bench, receivable: int, units: int, nonce: int) -> Measured:
    seller, bank = b.member("supplier"), b.member("bank")
    valid_until = b.time() + 86400
    quote = (receivable, units, units - 1000, seller, bank, False, False, valid_until, nonce)
    names = ["receivableId", "units", "proceeds", "seller", "bank", "recourse", "divisible", "validUntil", "nonce"]
    kinds = ["uint256", "uint128", "uint128", "address", "address", "bool", "bool", "uint64", "uint256"]
    message = {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "Quote": [{"name": n, "type": k} for n, k in zip(names, kinds, strict=True)],
        },
        "primaryType": "Quote",
        "domain": {
            "name": "chaincity FinancingDesk",
            "version": "1",
            "chainId": 31337,
            "verifyingContract": b.city.contracts["FinancingDesk"],
        },
        "message": dict(zip(names, quote, strict=True)),
    }
    signed = dev_account(2).sign_message(encode_typed_data(full_message=message))
    return b.send(seller, "FinancingDesk", "fill", quote, units, bytes(signed.signature))


def claim_receivable(b: Bench) -> Measured:
    b.send(b.member("debtor"), "ReceivableLedger", "confirm", _draft(b, 1))
    b.send(b.member("debtor"), "ReceivableLedger", "pay", 1, FACE)
    return b.send(b.member("supplier"), "ReceivableLedger", "claim", 1)


# --- data


def _offer(b: Bench) -> int:
    hospital, institute = b.member("hospital"), b.member("institute")
    b.send(hospital, "DatasetRegistry", "register", b"\1" * 32, b"\2" * 32, 3, 3, 0, b"\3" * 32)
    b.send(institute, "ModelRegistry", "publish", 1, b"\4" * 32, b"\5" * 32)
    b.send(hospital, "ModelRegistry", "approve", 1, 1)
    b.send(hospital, "AccessGrants", "offer", 1, b"RESEARCH".ljust(24, b"\0"), CNY, 5_000, YEAR, 100)
    return 1


def request_grant(b: Bench) -> Measured:
    b.send(b.member("institute"), "AccessGrants", "request", _offer(b), 5)
    return b.send(b.member("institute"), "AccessGrants", "request", 1, 5)


def use_grant(b: Bench) -> Measured:
    """A use as the grantee meets it: a job submitted under the grant."""
    b.send(b.member("institute"), "AccessGrants", "request", _offer(b), 5)
    b.send(b.member("hospital"), "AccessGrants", "approve", 1)
    b.send(b.member("institute"), "ComputeDesk", "submit", 1, 1, b"\6" * 32)
    return b.send(b.member("institute"), "ComputeDesk", "submit", 1, 1, b"\7" * 32)


# --- documents


def anchor_batch(b: Bench) -> Measured:
    return b.send(b.member("registry"), "DocumentRegistry", "anchor", b"\1" * 32, 1000)


OPERATIONS: dict[str, Callable[[Bench], Measured]] = {
    function.__name__: function
    for function in (
        register_title,
        transfer_title,
        register_mortgage,
        release_mortgage,
        confirm_receivable,
        split_receivable,
        fill_quote,
        claim_receivable,
        request_grant,
        use_grant,
        anchor_batch,
    )
}
