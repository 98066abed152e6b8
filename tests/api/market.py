"""What the tests of the financing routes do again and again: a receivable to sell, banks with money, quotes."""

from __future__ import annotations

from itertools import count
from typing import Any

from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak

from scripts.demonstration.processes import rpc
from tests.evm import dev_account

DAY = 86400
FACE = 1_000_000
#: Members by their index in the development mnemonic.
INDEX = {"bank": 2, "bank2": 3, "supplier": 5, "debtor": 6}


class Market:
    def __init__(self, served: Any):
        self.served = served
        self.post, self.get = served.post, served.get
        self._numbers = count(1)

    def member(self, name: str) -> str:
        return str(self.served.chain.member(name))

    def now(self) -> int:
        return int(self.served.chain.time())

    def prints(self) -> dict[str, str]:
        """The two fingerprints of an invoice of its own."""
        number = next(self._numbers)
        return {
            "fingerprint": "0x" + keccak(text=f"invoice {number}").hex(),
            "numberFingerprint": "0x" + keccak(text=f"number {number}").hex(),
        }

    def drafted(self, **terms: Any) -> int:
        body = {"debtor": self.member("debtor"), "currency": "CNY", "face": str(FACE), "dueAt": self.now() + 90 * DAY}
        sent = self.done(self.post("/receivables", body | self.prints() | terms, member="supplier"))
        return int(event(sent, "ReceivableDrafted")["id"])

    def confirmed(self, **terms: Any) -> int:
        number = self.drafted(**terms)
        self.done(self.post(f"/receivables/{number}/confirm", member="debtor"))
        return number

    def fund(self, *members: str, amount: int = 10**9, spender: str = "FinancingDesk") -> None:
        """Money, and leave for the desk to take it."""
        for name in members:
            issued = {"to": self.member(name), "amount": str(amount), "booking": "0x" + "11" * 32}
            self.done(self.post("/currencies/CNY/issues", issued, member="bank"))
            approval = {"spender": spender, "amount": str(amount)}
            self.done(self.post("/currencies/CNY/approvals", approval, member=name))

    def prepared(self, number: int, bank: str = "bank", **terms: Any) -> dict[str, Any]:
        """A quote that is not yet given; the terms can be replaced."""
        body = {
            "receivableId": number,
            "units": "1000",
            "proceeds": "990",
            "seller": self.member("supplier"),
            "recourse": False,
            "validUntil": self.now() + DAY,
        }
        answer = self.post("/quotes/prepare", body | terms, member=bank, wait=0)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def give(self, prepared: dict[str, Any], bank: str = "bank", **extra: Any) -> Any:
        body = {"quote": prepared["quote"]} | extra
        if "signature" not in body:
            body["sign"] = True
        return self.post("/quotes", body, member=bank, wait=0)

    def given(self, number: int, bank: str = "bank", **terms: Any) -> dict[str, Any]:
        """A quote that the seller may fill."""
        answer = self.give(self.prepared(number, bank, **terms), bank)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def fill(self, quote: dict[str, Any], units: int | None = None, member: str = "supplier") -> Any:
        body = None if units is None else {"units": str(units)}
        return self.post(f"/quotes/{quote['id']}/fill", body, member=member)

    def open_of(self, number: int, member: str) -> list[dict[str, Any]]:
        return list(self.get("/quotes", member, receivable=number).json()["items"])

    def sign(self, member: str, typed_data: dict[str, Any]) -> bytes:
        key = dev_account(INDEX[member]).key
        return bytes(Account.sign_message(encode_typed_data(full_message=typed_data), key).signature)

    def wait(self, seconds: int) -> None:
        """Let chain time pass, and wait until the tables have seen it."""
        rpc(self.served.chain.url, "evm_increaseTime", seconds)
        rpc(self.served.chain.url, "evm_mine")
        self.fund("debtor", amount=1)

    def done(self, answer: Any) -> Any:
        assert answer.status_code == 200, answer.text
        return answer.json()


def event(sent: dict[str, Any], name: str) -> dict[str, Any]:
    """The arguments of the one event of that name that a transaction emitted."""
    [args] = [entry["args"] for entry in sent["events"] if entry["event"] == name]
    return dict(args)


def hexed(signature: bytes) -> str:
    return "0x" + signature.hex()


def refusal(answer: Any) -> tuple[int, str]:
    """Status and contract error of a refusal that has one."""
    return answer.status_code, answer.json()["contractError"]["name"]


def fields_of(answer: Any) -> list[str]:
    """The fields that a 422 or 409 complains of; it is a problem document, each with its rule."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert all(entry["rule"] for entry in answer.json()["errors"])
    return [entry["field"] for entry in answer.json()["errors"]]
