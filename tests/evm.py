"""An in-process chain for contract tests: pyrevm behind contract objects that decode results, events and errors exactly.

A call that changes state returns a `Receipt`; a view returns its decoded value, a struct as a named tuple. A revert raises `Reverted`
with the custom error's name and arguments.
"""

from __future__ import annotations

import re
from collections import namedtuple
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
from eth_abi import decode, encode
from eth_account import Account
from eth_utils import keccak, to_checksum_address
from pyrevm import EVM, BlockEnv, CfgEnv, Env

from scripts.deployment.artifacts import Artifact, canonical_type, load, signature

CHAIN_ID = 31337
START = 1_790_000_000  # 2026-09-21, a fixed chain time
MNEMONIC = "test test test test test test test test test test test junk"
Account.enable_unaudited_hdwallet_features()


@cache
def dev_account(index: int) -> Any:
    """The index-th account of the well-known development mnemonic."""
    return Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")


@dataclass(frozen=True)
class Event:
    contract: str
    name: str
    args: dict[str, Any]


class Reverted(Exception):
    def __init__(self, name: str, args: dict[str, Any], raw: bytes):
        super().__init__(f"{name}({', '.join(f'{k}={v!r}' for k, v in args.items())})")
        self.error, self.error_args, self.raw = name, args, raw


@dataclass(frozen=True)
class Receipt:
    value: Any
    gas_used: int
    events: list[Event] = field(default_factory=list)

    def only(self, name: str) -> dict[str, Any]:
        """The arguments of the one event of that name; fails when there are none or several."""
        found = [event.args for event in self.events if event.name == name]
        assert len(found) == 1, f"{len(found)} {name} in {self.events}"
        return found[0]


def _shape(parameter: dict[str, Any], value: Any) -> Any:
    """Decoded ABI values as Python reads them: structs become named tuples, addresses are checksummed."""
    kind = parameter["type"]
    if kind.endswith("]"):
        inner = {**parameter, "type": kind[: kind.rindex("[")]}
        return [_shape(inner, item) for item in value]
    if kind == "tuple":
        names = [c["name"] or f"field{i}" for i, c in enumerate(parameter["components"])]
        made = namedtuple(parameter.get("internalType", "Struct").split(".")[-1].split(" ")[-1], names)  # noqa: PYI024
        return made(*(_shape(c, v) for c, v in zip(parameter["components"], value, strict=True)))
    return to_checksum_address(value) if kind == "address" else value


def _plain(value: Any) -> Any:
    """Contract objects and accounts stand for their addresses."""
    if isinstance(value, Contract):
        return value.address
    if hasattr(value, "address") and not isinstance(value, tuple):
        return value.address
    if isinstance(value, tuple):
        return tuple(_plain(v) for v in value)
    return [_plain(v) for v in value] if isinstance(value, list) else value


class Contract:
    def __init__(self, chain: Chain, artifact: Artifact, address: str):
        self.chain, self.artifact, self.address = chain, artifact, to_checksum_address(address)

    def __repr__(self) -> str:
        return f"<{self.artifact.name} {self.address}>"

    def __getattr__(self, name: str) -> Function:
        entries = [e for e in self.artifact.abi if e["type"] == "function" and e["name"] == name]
        if not entries:
            raise AttributeError(f"{self.artifact.name} has no function {name}")
        return Function(self, entries)


class Function:
    def __init__(self, contract: Contract, entries: list[dict[str, Any]]):
        self.contract, self.entries = contract, entries

    def _entry(self, args: Sequence[Any]) -> dict[str, Any]:
        fitting = [e for e in self.entries if len(e["inputs"]) == len(args)]
        assert fitting, f"{self.entries[0]['name']} does not take {len(args)} arguments"
        return fitting[0]

    def encode(self, *args: Any) -> bytes:
        entry = self._entry(args)
        types = [canonical_type(p) for p in entry["inputs"]]
        return keccak(text=signature(entry))[:4] + encode(types, [_plain(a) for a in args])

    def __call__(self, *args: Any, sender: Any = None, value: int = 0) -> Any:
        entry = self._entry(args)
        data = self.encode(*args)
        is_view = entry["stateMutability"] in ("view", "pure")
        if is_view and sender is None:
            sender = self.contract.chain.stranger
        assert sender is not None, f"{entry['name']} changes state: say who sends it"
        raw, receipt = self.contract.chain.send(sender, self.contract.address, data, value)
        values = decode([canonical_type(p) for p in entry["outputs"]], raw) if entry["outputs"] else ()
        shaped = [_shape(p, v) for p, v in zip(entry["outputs"], values, strict=True)]
        answer = None if not shaped else shaped[0] if len(shaped) == 1 else tuple(shaped)
        return answer if is_view else Receipt(answer, receipt.gas_used, receipt.events)


class Chain:
    def __init__(self) -> None:
        self.evm = EVM(spec_id="CANCUN", env=Env(cfg=CfgEnv(chain_id=CHAIN_ID)))
        self.stranger = to_checksum_address("0x" + "99" * 20)
        self.contracts: dict[str, Contract] = {}
        self.number, self.time = 1, START
        self._block()
        #: By topic and number of indexed arguments: ERC-20 and ERC-721 share the topic of Transfer.
        self._events: dict[tuple[bytes, int], tuple[str, dict[str, Any]]] = {}
        self._errors: dict[bytes, dict[str, Any]] = {}
        for artifact in load().values():
            for entry in artifact.abi:
                if entry["type"] == "event":
                    indexed = sum(p["indexed"] for p in entry["inputs"])
                    self._events[keccak(text=signature(entry)), indexed] = (artifact.name, entry)
                elif entry["type"] == "error":
                    self._errors[keccak(text=signature(entry))[:4]] = entry
        for text in ("Error(string)", "Panic(uint256)"):
            name, kind = re.fullmatch(r"(\w+)\((\w+)\)", text).groups()  # type: ignore[union-attr]
            self._errors[keccak(text=text)[:4]] = {"name": name, "inputs": [{"name": "value", "type": kind}]}

    # --- time

    def _block(self) -> None:
        self.evm.set_block_env(BlockEnv(number=self.number, timestamp=self.time, gas_limit=10**12))

    def mine(self, seconds: int = 1) -> None:
        """Go on to a later block."""
        self.number, self.time = self.number + 1, self.time + seconds
        self._block()

    @contextmanager
    def isolated(self) -> Any:
        """Undo everything that happens inside."""
        number, time, checkpoint = self.number, self.time, self.evm.snapshot()
        try:
            yield
        finally:
            self.evm.revert(checkpoint)
            self.number, self.time = number, time
            self._block()

    # --- contracts

    def deploy(self, name: str, *args: Any, sender: Any = None, label: str | None = None) -> Contract:
        artifact = load()[name]
        assert artifact.creation_code, f"{name} is abstract"
        inputs = next((e["inputs"] for e in artifact.abi if e["type"] == "constructor"), [])
        data = artifact.creation_code + encode([canonical_type(p) for p in inputs], [_plain(a) for a in args])
        try:
            address = self.evm.deploy(_plain(sender or self.stranger), data)
        except RuntimeError as error:
            raise self._reverted(error) from None
        finally:
            self.evm.reset_transient_storage()
        contract = Contract(self, artifact, address)
        self.contracts[contract.address] = contract
        if label:
            setattr(self, label, contract)
        return contract

    def at(self, name: str, address: str) -> Contract:
        contract = Contract(self, load()[name], address)
        self.contracts[contract.address] = contract
        return contract

    def send(self, sender: Any, to: str, data: bytes, value: int = 0) -> tuple[bytes, Receipt]:
        """One message with its logs decoded; raises `Reverted`."""
        try:
            raw = self.evm.message_call(_plain(sender), to, calldata=data, value=value or None)
        except RuntimeError as error:
            raise self._reverted(error) from None
        finally:
            self.evm.reset_transient_storage()
        result = self.evm.result
        assert result is not None
        return bytes(raw), Receipt(None, result.gas_used, [self._event(log) for log in result.logs])

    # --- decoding

    def _event(self, log: Any) -> Event:
        topics, data = log.data
        owner, entry = self._events[topics[0], len(topics) - 1]
        contract = self.contracts.get(to_checksum_address(log.address))
        args: dict[str, Any] = {}
        indexed = [p for p in entry["inputs"] if p["indexed"]]
        plain = [p for p in entry["inputs"] if not p["indexed"]]
        for parameter, topic in zip(indexed, topics[1:], strict=True):
            args[parameter["name"]] = _shape(parameter, decode([canonical_type(parameter)], topic)[0])
        for parameter, value in zip(plain, decode([canonical_type(p) for p in plain], data), strict=True):
            args[parameter["name"]] = _shape(parameter, value)
        ordered = {p["name"]: args[p["name"]] for p in entry["inputs"]}
        return Event(contract.artifact.name if contract else owner, entry["name"], ordered)

    def _reverted(self, error: RuntimeError) -> Reverted:
        found = re.search(r"output: 0x([0-9a-f]*)", str(error))
        if not found or not found[1]:
            return Reverted("<no data>", {"reason": str(error)}, b"")
        raw = bytes.fromhex(found[1])
        entry = self._errors.get(raw[:4])
        if entry is None:
            return Reverted("<unknown>", {"selector": raw[:4].hex()}, raw)
        values = decode([canonical_type(p) for p in entry["inputs"]], raw[4:])
        args = {p["name"]: _shape(p, v) for p, v in zip(entry["inputs"], values, strict=True)}
        return Reverted(entry["name"], args, raw)


@contextmanager
def reverts(name: str, **expected: Any) -> Any:
    """The block must revert with exactly this custom error and these arguments (all of them)."""
    with pytest.raises(Reverted) as caught:
        yield
    found = (caught.value.error, caught.value.error_args)
    assert found == (name, {k: _plain(v) for k, v in expected.items()})


class EvmBackend:
    """Lets the deployment plan found a city on a `Chain`."""

    def __init__(self, chain: Chain):
        self.chain, self.deployer = chain, dev_account(0).address

    def deploy(self, contract: str, args: Sequence[Any]) -> str:
        return self.chain.deploy(contract, *args, sender=self.deployer).address

    def send(self, contract: str, address: str, function: str, args: Sequence[Any]) -> None:
        getattr(self.chain.at(contract, address), function)(*args, sender=self.deployer)

    def encode(self, contract: str, function: str, args: Sequence[Any]) -> bytes:
        return getattr(Contract(self.chain, load()[contract], self.deployer), function).encode(*args)

    def account(self, reference: dict[str, Any]) -> str:
        return reference.get("address") or dev_account(reference["account"]).address
