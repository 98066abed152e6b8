"""ABI values that take one 32-byte word each, encoded and decoded by slicing (Contract ABI Specification).

Nearly all calls and events of the contracts consist of them, and a general codec costs twenty times as much. Whatever is
not one word, or does not fit its type, is left to eth_abi, which also says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from eth_abi import decode, encode

from ..kit.hashing import checksummed

Reader = Callable[[bytes], Any]
Writer = Callable[[Any], bytes]


class NotAWord(Exception):
    """The value is left to the general codec."""


def reader_of(kind: str) -> Reader | None:
    """How a word of this type is read, None when the type takes more than a word or is not met here."""
    if kind == "address":
        return _read_address
    if kind == "bool":
        return _read_bool
    if kind.startswith("uint") and kind[4:].isdigit():
        bits = int(kind[4:])
        return lambda word: _read_uint(word, bits)
    if kind.startswith("bytes") and kind[5:].isdigit():
        size = int(kind[5:])
        return lambda word: _read_bytes(word, size)
    return None


def writer_of(kind: str) -> Writer | None:
    if kind == "address":
        return _write_address
    if kind == "bool":
        return _write_bool
    if kind.startswith("uint") and kind[4:].isdigit():
        bits = int(kind[4:])
        return lambda value: _write_uint(value, bits)
    if kind.startswith("bytes") and kind[5:].isdigit():
        size = int(kind[5:])
        return lambda value: _write_bytes(value, size)
    return None


def decoder(kinds: Sequence[str]) -> Callable[[bytes], tuple[Any, ...]]:
    """Decodes values of these types one after the other; addresses come checksummed where they were sliced."""
    readers = [reader_of(kind) for kind in kinds]
    if None in readers:
        return lambda data: decode(list(kinds), data)

    def read(data: bytes) -> tuple[Any, ...]:
        if len(data) != 32 * len(kinds):
            return decode(list(kinds), data)
        try:
            return tuple(r(data[32 * i : 32 * i + 32]) for i, r in enumerate(readers) if r)
        except NotAWord:
            return decode(list(kinds), data)

    return read


def encoder(kinds: Sequence[str]) -> Callable[[Sequence[Any]], bytes]:
    writers = [writer_of(kind) for kind in kinds]
    if None in writers:
        return lambda values: encode(list(kinds), list(values))

    def write(values: Sequence[Any]) -> bytes:
        try:
            return b"".join(w(value) for w, value in zip(writers, values, strict=True) if w)
        except NotAWord:
            return encode(list(kinds), list(values))

    return write


def _read_address(word: bytes) -> str:
    if word[:12] != bytes(12):
        raise NotAWord
    return checksummed(word[12:])


def _read_bool(word: bytes) -> bool:
    number = int.from_bytes(word, "big")
    if number > 1:
        raise NotAWord
    return bool(number)


def _read_uint(word: bytes, bits: int) -> int:
    number = int.from_bytes(word, "big")
    if number >> bits:
        raise NotAWord
    return number


def _read_bytes(word: bytes, size: int) -> bytes:
    if any(word[size:]):
        raise NotAWord
    return word[:size]


def _write_address(value: Any) -> bytes:
    if not isinstance(value, str) or len(value) != 42 or not value.startswith("0x"):
        raise NotAWord
    try:
        raw = bytes.fromhex(value[2:])
    except ValueError:
        raise NotAWord from None
    if checksummed(raw) != value:
        raise NotAWord
    return bytes(12) + raw


def _write_bool(value: Any) -> bytes:
    if not isinstance(value, bool):
        raise NotAWord
    return value.to_bytes(32, "big")


def _write_uint(value: Any, bits: int) -> bytes:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0 or value >> bits:
        raise NotAWord
    return value.to_bytes(32, "big")


def _write_bytes(value: Any, size: int) -> bytes:
    if not isinstance(value, bytes) or len(value) > size:
        raise NotAWord
    return value.ljust(32, b"\0")
