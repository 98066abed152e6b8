"""A founded city on a real Anvil, deployed by plain JSON-RPC in about a second, for tests of the service."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eth_abi import encode
from eth_utils import keccak

from scripts.demonstration.processes import CHAIN_ID, Process, rpc, start_anvil
from scripts.deployment.artifacts import canonical_type, load, overloads, signature
from scripts.deployment.plan import City, found_city, read_charter

from .evm import dev_account


class RpcBackend:
    """The deployment plan on Anvil's unlocked accounts."""

    def __init__(self, url: str):
        self.url, self.deployer = url, dev_account(0).address

    def deploy(self, contract: str, args: Sequence[Any]) -> str:
        artifact = load()[contract]
        inputs = next((e["inputs"] for e in artifact.abi if e["type"] == "constructor"), [])
        data = artifact.creation_code + encode([canonical_type(p) for p in inputs], list(args))
        return str(self._send({"data": "0x" + data.hex()})["contractAddress"])

    def send(self, contract: str, address: str, function: str, args: Sequence[Any]) -> None:
        self._send({"to": address, "data": "0x" + self.encode(contract, function, args).hex()})

    def encode(self, contract: str, function: str, args: Sequence[Any]) -> bytes:
        entry = next(e for e in overloads(load()[contract].abi, function) if len(e["inputs"]) == len(args))
        types = [canonical_type(p) for p in entry["inputs"]]
        return keccak(text=signature(entry))[:4] + encode(types, list(args))

    def account(self, reference: dict[str, Any]) -> str:
        return reference.get("address") or dev_account(reference["account"]).address

    def _send(self, fields: dict[str, Any]) -> dict[str, Any]:
        tx_hash = rpc(self.url, "eth_sendTransaction", {"from": self.deployer, "gas": hex(20_000_000), **fields})
        for _ in range(1000):
            receipt = rpc(self.url, "eth_getTransactionReceipt", tx_hash)
            if receipt is not None:
                break
            time.sleep(0.002)
        assert receipt is not None, "Anvil did not mine the transaction"
        assert int(receipt["status"], 16) == 1, f"deployment transaction failed: {receipt}"
        return dict(receipt)


class AnvilCity:
    """Anvil, the city on it, and its address book."""

    def __init__(self, folder: Path, *options: str):
        self.folder = folder
        self.anvil, self.url = start_anvil(folder, *options)
        try:
            self.city: City = found_city(RpcBackend(self.url), read_charter())
            self.book = folder / "book.json"
            genesis = rpc(self.url, "eth_getBlockByNumber", "0x0", False)["hash"]
            self.book.write_text(json.dumps(_book(self.city, genesis)))
        except BaseException:
            self.anvil.stop()
            raise

    def member(self, name: str) -> str:
        return str(self.city.members[name]["address"])

    def call(self, contract: str, function: str, *args: Any) -> str:
        """A raw view call, without the service's code."""
        backend = RpcBackend(self.url)
        data = backend.encode(self.city.types[contract], function, args)
        return str(
            rpc(self.url, "eth_call", {"to": self.city.contracts[contract], "data": "0x" + data.hex()}, "latest")
        )

    def time(self) -> int:
        return int(rpc(self.url, "eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def stop(self) -> None:
        self.anvil.stop()


def _book(city: City, genesis: str) -> dict[str, Any]:
    return {
        "city": city.name,
        "chainId": CHAIN_ID,
        "genesisHash": genesis,
        "startBlock": 0,
        "contracts": {n: {"address": a, "type": city.types[n]} for n, a in city.contracts.items()},
        "currencies": city.currencies,
        "kinds": city.kinds,
        "members": city.members,
        "roles": {label: str(number) for label, number in city.roles.items()},
    }


__all__ = ["AnvilCity", "Process", "RpcBackend", "rpc"]
