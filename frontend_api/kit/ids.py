"""Typed identifiers. Each parser names the rule that a text breaks; pydantic types of the same names use them in requests."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import Path
from pydantic import BeforeValidator, Field

from .hashing import checksummed

_CREDIT_CODE_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
LARGEST_AMOUNT = 2**128 - 1


def parse_unit_number(text: str) -> str:
    """A property unit number as GB/T 37346 lays it out: 12 digits, 2 capitals, 5 digits, F|L|Q|W, 8 digits or capitals (zeros after W)."""
    if not isinstance(text, str) or len(text) != 28:
        raise ValueError("a unit number has 28 characters (GB/T 37346)")
    if not re.fullmatch(r"[0-9]{12}", text[:12]):
        raise ValueError("characters 1 to 12 of a unit number are digits: county, zone and sub-zone (GB/T 37346)")
    if not re.fullmatch(r"[A-Z]{2}", text[12:14]):
        raise ValueError("characters 13 and 14 of a unit number are capital letters: the parcel's feature (GB/T 37346)")
    if not re.fullmatch(r"[0-9]{5}", text[14:19]):
        raise ValueError("characters 15 to 19 of a unit number are digits: the parcel's serial number (GB/T 37346)")
    if text[19] not in "FLQW":
        raise ValueError("character 20 of a unit number is F, L, Q or W: what stands on the parcel (GB/T 37346)")
    if not re.fullmatch(r"[0-9A-Z]{8}", text[20:]):
        raise ValueError("characters 21 to 28 of a unit number are digits or capitals (GB/T 37346)")
    if text[19] == "W" and text[20:] != "00000000":
        raise ValueError("after W a unit number ends with eight zeros (GB/T 37346)")
    return text


def unit_bytes(unit: str) -> bytes:
    return unit.encode("ascii")


def parse_credit_code(text: str) -> str:
    """A unified social credit code with its check character (GB 32100-2015, 5.4)."""
    if not isinstance(text, str) or len(text) != 18:
        raise ValueError("a credit code has 18 characters (GB 32100-2015)")
    for character in text:
        if character not in _CREDIT_CODE_CHARACTERS:
            raise ValueError(f"{character!r} is not a character of credit codes (GB 32100-2015)")
    total = sum(_CREDIT_CODE_CHARACTERS.index(c) * pow(3, i, 31) for i, c in enumerate(text[:17]))
    expected = _CREDIT_CODE_CHARACTERS[-total % 31]
    if text[17] != expected:
        raise ValueError(f"the check character of this credit code is {expected}, not {text[17]} (GB 32100-2015)")
    return text


def parse_address(text: Any) -> str:
    """A checksummed address. Mixed case must be the right checksum (EIP-55); one case only is taken and checksummed."""
    if not isinstance(text, str) or not re.fullmatch(r"0x[0-9a-fA-F]{40}", text):
        raise ValueError("an address is 0x and 40 hexadecimal digits")
    digits = text[2:]
    made = checksummed(bytes.fromhex(digits))
    if digits not in (digits.lower(), digits.upper()) and made != text:
        raise ValueError("the address has a wrong checksum (EIP-55): a digit was mistyped")
    if int(digits, 16) == 0:
        raise ValueError("the zero address is nobody")
    return made


def parse_amount(value: Any) -> int:
    """Minor units, 1 to 2^128 − 1, as an integer or a string of digits; never a float."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,39}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(
            "an amount is a whole number of minor units (fen for CNY), as an integer or a string of digits"
        )
    if not 0 < value <= LARGEST_AMOUNT:
        raise ValueError("an amount is at least 1 and below 2^128 minor units")
    return value


def parse_hash(value: Any) -> bytes:
    """32 bytes as 0x and 64 hexadecimal digits, not all zero."""
    if not isinstance(value, str) or not re.fullmatch(r"0x[0-9a-fA-F]{64}", value):
        raise ValueError("a hash is 0x and 64 hexadecimal digits")
    raw = bytes.fromhex(value[2:])
    if not any(raw):
        raise ValueError("the zero hash commits to nothing")
    return raw


def parse_currency(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Z]{3}", value):
        raise ValueError("a currency is an ISO 4217 code, three capitals")
    return value


def _text(example: str, description: str, **extra: Any) -> Any:
    return Field(examples=[example], description=description, json_schema_extra=extra or None)


UnitNumber = Annotated[
    str,
    BeforeValidator(parse_unit_number),
    _text("431302001001GB00001F00010001", "28-character property unit number, GB/T 37346"),
]
CreditCode = Annotated[
    str, BeforeValidator(parse_credit_code), _text("91350100M000100Y43", "unified social credit code, GB 32100-2015")
]
Address = Annotated[
    str,
    BeforeValidator(parse_address),
    _text("0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "checksummed account address (EIP-55)"),
]
CurrencyCode = Annotated[str, BeforeValidator(parse_currency), _text("CNY", "ISO 4217 code")]
Amount = Annotated[
    int, BeforeValidator(parse_amount), _text("85000000", "minor units of the currency, as an integer or string")
]
Hash32 = Annotated[
    bytes, BeforeValidator(parse_hash), _text("0x" + "5a" * 32, "32 bytes, 0x and 64 hexadecimal digits")
]
#: A case, receivable, dataset, … by its number on chain; they count from 1.
CaseId = Annotated[int, Path(ge=1, le=2**53 - 1, description="the number that the chain gave it")]
