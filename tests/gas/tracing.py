"""What a transaction touched, read from its opcode trace: accounts, storage slots by name, logs, precompiles, memory of hashes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from eth_utils import keccak, to_checksum_address

from tests.anvil import rpc

_CALLS = ("CALL", "STATICCALL", "DELEGATECALL", "CALLCODE")


@dataclass(frozen=True)
class Slot:
    """One storage slot with its value before and after the transaction."""

    contract: str
    name: str
    before: int
    after: int
    written: bool


@dataclass
class Touched:
    gas_used: int
    calldata: bytes
    slots: list[Slot] = field(default_factory=list)
    #: Every touch of an account in order, by name: message calls, and looks at its code.
    calls: list[str] = field(default_factory=list)
    logs: list[tuple[str, int, int]] = field(default_factory=list)
    precompiles: list[str] = field(default_factory=list)


def trace(url: str, tx_hash: str, names: Mapping[str, str], layouts: Mapping[str, dict[int, str]]) -> Touched:
    """Run the transaction's trace through a small machine that knows where it is.

    :param names: contract name by checksummed address
    :param layouts: per contract, the variable's name by its base slot
    """
    receipt = rpc(url, "eth_getTransactionReceipt", tx_hash)
    sent = rpc(url, "eth_getTransactionByHash", tx_hash)
    steps = rpc(url, "debug_traceTransaction", tx_hash, {"enableMemory": True})["structLogs"]
    found = Touched(int(receipt["gasUsed"], 16), bytes.fromhex(sent["input"][2:]))
    here = [to_checksum_address(sent["to"])]
    hashes: dict[int, tuple[bytes, int]] = {}
    read: dict[tuple[str, int], bool] = {}
    pending: str | None = None
    for step in steps:
        while len(here) > step["depth"]:
            here.pop()
        if len(here) < step["depth"] and pending is not None:
            here.append(pending)
        pending = None
        stack = [int(item, 16) for item in step.get("stack") or []]
        operation = step["op"]
        if operation in ("SLOAD", "SSTORE"):
            key = (here[-1], stack[-1])
            read[key] = read.get(key, False) or operation == "SSTORE"
        elif operation in _CALLS:
            target = to_checksum_address(f"0x{stack[-2] & (2**160 - 1):040x}")
            if int(target, 16) <= 0x11:
                found.precompiles.append(f"{int(target, 16):#x}")
            else:
                pending = here[-1] if operation in ("DELEGATECALL", "CALLCODE") else target
                found.calls.append(names.get(target, target))
        elif operation in ("EXTCODESIZE", "EXTCODEHASH", "BALANCE"):
            target = to_checksum_address(f"0x{stack[-1] & (2**160 - 1):040x}")
            found.calls.append(names.get(target, "an account"))
        elif operation.startswith("LOG"):
            found.logs.append((names.get(here[-1], here[-1]), int(operation[3:]), stack[-2]))
        elif operation in ("KECCAK256", "SHA3") and stack[-2] == 64:
            data = _memory(step["memory"], stack[-1], 64)
            hashes[int.from_bytes(keccak(data), "big")] = (data[:32], int.from_bytes(data[32:], "big"))
    block = int(receipt["blockNumber"], 16)
    for (address, slot), written in read.items():
        before, after = (
            int(rpc(url, "eth_getStorageAt", address, hex(slot), hex(number)), 16) for number in (block - 1, block)
        )
        owner = names.get(address, address)
        found.slots.append(Slot(owner, _name(slot, hashes, layouts.get(owner, {})), before, after, written))
    return found


def _memory(words: list[str], offset: int, size: int) -> bytes:
    raw = bytes.fromhex("".join(word.removeprefix("0x") for word in words))
    return raw[offset : offset + size]


def _name(slot: int, hashes: Mapping[int, tuple[bytes, int]], layout: Mapping[int, str]) -> str:
    """`_titles[…]+1` for the second slot of a mapping's value; nested mappings nest their keys."""
    if slot in layout:
        return layout[slot]
    for offset in range(8):
        if slot - offset in hashes:
            _, base = hashes[slot - offset]
            suffix = f"+{offset}" if offset else ""
            return f"{_name(base, hashes, layout)}[]{suffix}"
    return f"{slot:#x}" if slot < 2**64 else "constant slot"
