"""What the chain said: decoded events as frozen facts, and which contract of the address book said them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ..kit.hashing import checksummed
from .abi import abi_of
from .deployment import Deployment


@dataclass(frozen=True)
class Block:
    number: int
    hash: str
    parent_hash: str
    time: int
    transactions: tuple[str, ...] = ()


@dataclass(frozen=True)
class ChainEvent:
    """One event of one of our contracts. `contract` is its name in the address book, `args` by ABI name with bytes as bytes."""

    contract: str
    name: str
    args: dict[str, Any]
    block: Block
    tx_hash: str
    log_index: int


class Decoder:
    """Decodes logs of the deployment's contracts; a look-alike contract at another address is ignored."""

    def __init__(self, deployment: Deployment):
        self._names = deployment.by_address
        self._types = {name: entry["type"] for name, entry in deployment.contracts.items()}

    @property
    def addresses(self) -> list[str]:
        return list(self._names)

    def decode(self, block: Block, logs: Iterable[dict[str, Any]]) -> list[ChainEvent]:
        found = []
        for log in logs:
            name = self._names.get(checksummed(bytes.fromhex(log["address"][2:])))
            if name is None:
                continue
            topics = [bytes.fromhex(t[2:]) for t in log["topics"]]
            decoded = abi_of(self._types[name]).decode_event(topics, bytes.fromhex(log["data"][2:]))
            if decoded is not None:
                found.append(
                    ChainEvent(
                        name, decoded.name, decoded.args, block, log["transactionHash"], int(log["logIndex"], 16)
                    )
                )
        return found
