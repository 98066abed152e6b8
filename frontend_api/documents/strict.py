"""Reading a certificate file strictly: every refusal names the place in the file and the rule that it breaks."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from typing import Any

from eth_utils.address import is_checksum_address, to_checksum_address

#: The largest file that is read at all, in bytes.
MAX_BYTES = 256 * 1024
MAX_DEPTH = 4
MAX_NAME = 64

#: 28 characters as GB/T 37346 lays them out: 12 digits (county and zones), 2 feature letters, 5 digits, F|L|Q|W, 8
#: characters.
_UNIT = re.compile(r"[0-9]{12}[A-Z]{2}[0-9]{5}[FLQW][0-9A-Z]{8}")
_BYTES32 = re.compile(r"0x[0-9a-f]{64}")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
#: Characters that turn the direction of what follows: they could make a page show another text than the one that was
#: signed.
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class CertificateError(ValueError):
    """A file is not a certificate: `field` is the place in the file ("fields[2].salt", "" for the whole), `rule`
    what it breaks.
    """

    def __init__(self, field: str, rule: str):
        super().__init__(f"{field}: {rule}" if field else rule)
        self.field, self.rule = field, rule


class CertificateTooLarge(CertificateError):
    """A file has more than MAX_BYTES bytes."""

    def __init__(self) -> None:
        super().__init__("", f"a certificate has at most {MAX_BYTES // 1024} KiB")


def load(content: bytes) -> Any:
    if len(content) > MAX_BYTES:
        raise CertificateTooLarge()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CertificateError("", f"must be UTF-8 text (byte {error.start} is not)") from None
    if not text.strip():
        raise CertificateError("", "the file is empty")
    if _depth(text) > MAX_DEPTH:
        raise CertificateError("", f"must not be nested deeper than {MAX_DEPTH} levels")
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_no_float)
    except json.JSONDecodeError as error:
        raise CertificateError("", f"must be JSON (line {error.lineno}, column {error.colno}: {error.msg})") from None
    except CertificateError:
        raise
    except ValueError:  # an integer of thousands of digits
        raise CertificateError("", "must not hold numbers of thousands of digits") from None


def _depth(text: str) -> int:
    """How deep brackets nest outside strings; known before the parser recurses."""
    deepest = depth = 0
    for bracket in re.finditer(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[{]|[\]}]', text, re.DOTALL):
        if bracket[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif bracket[0] in "]}":
            depth -= 1
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise CertificateError(quoted(key), "must be given once")
        found[key] = value
    return found


def _no_constant(name: str) -> Any:
    raise CertificateError("", f"must not hold {name}")


def _no_float(text: str) -> Any:
    raise CertificateError("", f"must not hold fractions or exponents ({text[:20]})")


def quoted(key: str) -> str:
    """A key from the file, short and printable enough for a message."""
    return key if key.isascii() and key.isprintable() and 0 < len(key) <= MAX_NAME else ascii(key[:MAX_NAME])


def take_object(value: Any, place: str, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise CertificateError(place, "must be an object")
    prefix = f"{place}." if place else ""
    for key in required:
        if key not in value:
            raise CertificateError(prefix + key, "is missing")
    for key in value:
        if key not in required and key not in optional:
            raise CertificateError(prefix + quoted(key), "is not part of the format")
    return value


def take_list(value: Any, place: str, least: int, most: int) -> list[Any]:
    if not isinstance(value, list):
        raise CertificateError(place, "must be a list")
    if not least <= len(value) <= most:
        raise CertificateError(place, f"must have {least} to {most} entries, has {len(value)}")
    return value


def take_text(value: Any, place: str, least: int, most: int) -> str:
    if not isinstance(value, str):
        raise CertificateError(place, "must be text")
    if not least <= len(value) <= most:
        raise CertificateError(place, f"must have {least} to {most} characters, has {len(value)}")
    for character in value:
        kind = unicodedata.category(character)
        if kind == "Cs" or (kind == "Cc" and character not in "\n\t") or character in _DIRECTIONS:
            raise CertificateError(place, f"must not hold the control character U+{ord(character):04X}")
    return value


def take_integer(value: Any, place: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise CertificateError(place, "must be an integer")
    if not least <= value <= most:
        raise CertificateError(place, f"must be between {least} and {most}")
    return value


def take_bytes32(value: Any, place: str) -> bytes:
    if not isinstance(value, str) or not _BYTES32.fullmatch(value):
        raise CertificateError(place, 'must be "0x" and 64 hexadecimal digits in lower case')
    return bytes.fromhex(value[2:])


def take_address(value: Any, place: str) -> str:
    if not isinstance(value, str) or not _ADDRESS.fullmatch(value):
        raise CertificateError(place, 'must be an address: "0x" and 40 hexadecimal digits')
    if value != value.lower() and not is_checksum_address(value):
        raise CertificateError(place, "must be an address whose EIP-55 check digits are right")
    return str(to_checksum_address(value))


def take_unit(value: Any, place: str) -> str:
    if not isinstance(value, str) or not _UNIT.fullmatch(value):
        raise CertificateError(place, "must be a property unit number: 28 characters as GB/T 37346 lays them out")
    return value
