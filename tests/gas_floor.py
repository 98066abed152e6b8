"""The floor under an operation's gas: what its touches cost by the protocol, without a single step of computation.

21,000 + calldata + first touches of accounts and slots + writes + logs + precompiles + one authority check per restricted function.
The touches are a committed list (tests/snapshots/gas/<operation>.json); a test sees that the operation's trace touches exactly
that list, so that the floor cannot be padded.
Costs: EIP-2929 (touches), EIP-2200/3529 (writes, refunds), EIP-2028 (calldata), Yellow Paper (logs).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

TRANSACTION = 21_000
ACCOUNT = 2_600
WARM_CALL = 100
SLOT = 2_100
WRITE_NEW = 20_000
WRITE_CHANGE = 2_900
CLEAR_REFUND = 4_800
LOG, LOG_TOPIC, LOG_BYTE = 375, 375, 8
ECRECOVER = 3_000
#: What OpenZeppelin's AccessManager adds to a function that asks it, measured; the later ones of a transaction find it warm.
AUTHORITY_CHECK = 13_523
AUTHORITY_CHECK_WARM = AUTHORITY_CHECK - (ACCOUNT - WARM_CALL)


@dataclass(frozen=True)
class Floor:
    """Parts of the floor, in gas."""

    calldata: int
    accounts: int
    slots: int
    logs: int
    precompiles: int
    authority: int
    refund: int

    @property
    def total(self) -> int:
        gas = TRANSACTION + self.calldata + self.accounts + self.slots + self.logs + self.precompiles + self.authority
        return gas - min(self.refund, gas // 5)


def floor_of(touches: dict[str, Any], calldata: bytes) -> Floor:
    """The floor of an operation from its committed list of touches."""
    checks = touches["calls"].count("Authority")
    accounts = [name for name in touches["calls"] if name != "Authority"]
    first = set(accounts) - {touches["to"]}
    slots = [slot for slot in touches["slots"] if not slot["slot"].startswith("Authority.")]
    return Floor(
        calldata=sum(16 if byte else 4 for byte in calldata),
        accounts=len(first) * ACCOUNT + (len(accounts) - len(first)) * WARM_CALL,
        slots=sum(_slot(slot["access"]) for slot in slots),
        logs=sum(LOG + LOG_TOPIC * log["topics"] + LOG_BYTE * log["bytes"] for log in touches["logs"]),
        precompiles=ECRECOVER * touches["precompiles"].count("0x1"),
        authority=AUTHORITY_CHECK * min(checks, 1) + AUTHORITY_CHECK_WARM * max(checks - 1, 0),
        refund=CLEAR_REFUND * sum(slot["access"] == "clear" for slot in slots),
    )


def _slot(access: str) -> int:
    return SLOT + {"read": 0, "new": WRITE_NEW, "change": WRITE_CHANGE, "clear": WRITE_CHANGE, "same": 0}[access]


def access_of(before: int, after: int, *, written: bool) -> str:
    """How a slot was used, by its value before and after."""
    if not written:
        return "read"
    if before == after:
        return "same"
    return "new" if before == 0 else "clear" if after == 0 else "change"


def listed(
    to: str, calls: Iterable[str], slots: Iterable[Any], logs: Iterable[Any], precompiles: list[str]
) -> dict[str, Any]:
    """A trace in the form of the committed list."""
    return {
        "to": to,
        "calls": list(calls),
        "slots": sorted(
            (
                {"slot": f"{s.contract}.{s.name}", "access": access_of(s.before, s.after, written=s.written)}
                for s in slots
            ),
            key=lambda entry: (entry["slot"], entry["access"]),
        ),
        "logs": [{"contract": contract, "topics": topics, "bytes": size} for contract, topics, size in logs],
        "precompiles": precompiles,
    }
