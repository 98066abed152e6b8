"""ABI encoding and decoding. Bytes stay bytes here; `to_json` is how values leave the service."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from eth_abi import decode
from eth_abi.exceptions import EncodingError
from eth_utils.abi import abi_to_signature, collapse_if_tuple

from ..errors import InvalidInput
from ..kit.hashing import checksummed, keccak
from . import words

FOLDER = Path(__file__).resolve().parents[1] / "abi"
#: Integers above this are strings in JSON (RFC 8259, section 6: interoperable integers).
LARGEST_JSON_INTEGER = 2**53 - 1


@dataclass(frozen=True)
class Call:
    """One contract call, ready to be simulated, signed or forwarded."""

    contract: str
    to: str
    function: str
    data: bytes
    args: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Decoded:
    """An event or an error: its name and its arguments by name."""

    name: str
    args: dict[str, Any]


class Abi:
    """One contract type's interface."""

    def __init__(self, name: str, entries: list[dict[str, Any]]):
        self.name, self.entries = name, entries
        #: Selector and encoder of each function that was called, by name and number of arguments.
        self._encoders: dict[tuple[str, int], tuple[bytes, Callable[[Sequence[Any]], bytes]]] = {}

    @cached_property
    def _functions(self) -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = {}
        for entry in self.entries:
            if entry["type"] == "function":
                found.setdefault(entry["name"], []).append(entry)
        return found

    @cached_property
    def events(self) -> dict[bytes, dict[str, Any]]:
        return {_hash(e): e for e in self.entries if e["type"] == "event"}

    @cached_property
    def errors(self) -> dict[bytes, dict[str, Any]]:
        return {_hash(e)[:4]: e for e in self.entries if e["type"] == "error"}

    @cached_property
    def _event_readers(self) -> dict[bytes, _EventReader]:
        return {topic: _EventReader(entry) for topic, entry in self.events.items()}

    def has_function(self, name: str) -> bool:
        return name in self._functions

    def function(self, name: str, arguments: int) -> dict[str, Any]:
        for entry in self._functions.get(name, []):
            if len(entry["inputs"]) == arguments:
                return entry
        raise InvalidInput(f"{self.name} has no function {name} with {arguments} arguments", field="function")

    def encode(self, name: str, args: tuple[Any, ...] | list[Any]) -> bytes:
        known = self._encoders.get((name, len(args)))
        if known is None:
            entry = self.function(name, len(args))
            known = _hash(entry)[:4], words.encoder([collapse_if_tuple(p) for p in entry["inputs"]])
            self._encoders[name, len(args)] = known
        selector, encoded = known
        try:
            return selector + encoded(args)
        except (EncodingError, TypeError, ValueError, OverflowError) as error:
            raise InvalidInput(f"{self.name}.{name}: {error}", field="args") from error

    def decode_result(self, name: str, arguments: int, raw: bytes) -> Any:
        outputs = self.function(name, arguments)["outputs"]
        values = decode([collapse_if_tuple(p) for p in outputs], raw)
        shaped = [shape(p, v) for p, v in zip(outputs, values, strict=True)]
        if len(shaped) == 1:
            return shaped[0]
        return {p["name"] or str(i): v for i, (p, v) in enumerate(zip(outputs, shaped, strict=True))}

    def decode_event(self, topics: list[bytes], data: bytes) -> Decoded | None:
        """None when it is no event of this contract."""
        reader = self._event_readers.get(topics[0]) if topics else None
        return None if reader is None or reader.indexed != len(topics) - 1 else reader.read(topics[1:], data)


class _EventReader:
    """Decodes one event; how is worked out once."""

    def __init__(self, entry: dict[str, Any]):
        self._name, inputs = entry["name"], entry["inputs"]
        self._order = [p["name"] for p in inputs]
        topics, plain = [p for p in inputs if p["indexed"]], [p for p in inputs if not p["indexed"]]
        self.indexed = len(topics)
        self._topics = [(p, words.decoder([collapse_if_tuple(p)])) for p in topics]
        self._plain, self._read_plain = plain, words.decoder([collapse_if_tuple(p) for p in plain])
        topic_readers = [words.reader_of(p["type"]) for p in topics]
        plain_readers = [words.reader_of(p["type"]) for p in plain]
        #: By name and place among topics and data, for an event of single words, which nearly all are.
        self._words: list[tuple[str, bool, int, words.Reader]] | None = None
        if None not in (*topic_readers, *plain_readers):
            topic, data = zip(topics, topic_readers, strict=True), zip(plain, plain_readers, strict=True)
            places = {p["name"]: (True, i, r) for i, (p, r) in enumerate(topic)}
            places |= {p["name"]: (False, 32 * i, r) for i, (p, r) in enumerate(data)}
            self._words = [(name, *places[name]) for name in self._order]  # type: ignore[misc]
        self._size = 32 * len(plain)

    def read(self, topics: list[bytes], data: bytes) -> Decoded:
        if self._words is not None and len(data) == self._size:
            with suppress(words.NotAWord):
                return Decoded(
                    self._name,
                    {n: r(topics[i] if is_topic else data[i : i + 32]) for n, is_topic, i, r in self._words},
                )
        found = {p["name"]: shape(p, read(t)[0]) for (p, read), t in zip(self._topics, topics, strict=True)}
        for parameter, value in zip(self._plain, self._read_plain(data), strict=True):
            found[parameter["name"]] = shape(parameter, value)
        return Decoded(self._name, {name: found[name] for name in self._order})


def _hash(entry: dict[str, Any]) -> bytes:
    """Keccak-256 of the canonical signature: an event's topic; its first 4 bytes are a selector."""
    return keccak(abi_to_signature(entry).encode())  # type: ignore[arg-type]


def shape(parameter: dict[str, Any], value: Any) -> Any:
    """Decoded values as Python reads them: structs are dicts, addresses are checksummed."""
    kind = parameter["type"]
    if kind.endswith("]"):
        inner = {**parameter, "type": kind[: kind.rindex("[")]}
        return [shape(inner, item) for item in value]
    if kind == "tuple":
        return {c["name"]: shape(c, v) for c, v in zip(parameter["components"], value, strict=True)}
    if kind != "address":
        return value
    # The general codec gives lower case; sliced words come checksummed.
    return checksummed(bytes.fromhex(value[2:])) if value.islower() else value


def to_json(value: Any) -> Any:
    """Bytes as 0x-hex, integers beyond 2^53 as strings."""
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) <= LARGEST_JSON_INTEGER else str(value)
    if isinstance(value, dict):
        return {k: to_json(v) for k, v in value.items()}
    return [to_json(v) for v in value] if isinstance(value, (list, tuple)) else value


@cache
def abi_of(contract: str) -> Abi:
    """The ABI of a contract type, as committed in frontend_api/abi (a test compares it with the compiler's output)."""
    return Abi(contract, json.loads((FOLDER / f"{contract}.json").read_text()))


@cache
def contract_types() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.json"))
