"""Made-up numbers in the layouts of their standards."""

from __future__ import annotations

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
#: A salted commitment to the decision that an act rests on.
BASIS = b"\xba" * 32
YEAR = 365 * 86400
STANDARD_CODE = b"91350100M000100Y43"  # the worked example of GB 32100-2015


def credit_code(number: int) -> bytes:
    """A valid credit code (GB 32100-2015) of our own; different numbers give different codes."""
    body = f"91431300MB{number:07d}"
    total = sum(ALPHABET.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return (body + ALPHABET[-total % 31]).encode()


def unit_number(number: int) -> bytes:
    """A well-formed property unit number (GB/T 37346)."""
    return f"431302001001GB00001F{number:08d}".encode()
