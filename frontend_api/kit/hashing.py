"""Keccak-256, and addresses as EIP-55 writes them; the hash of eth_utils picks a backend that takes ten times as long."""

from __future__ import annotations

from functools import lru_cache

import sha3


def keccak(data: bytes) -> bytes:
    return bytes(sha3.keccak_256(data).digest())


@lru_cache(maxsize=65536)
def checksummed(raw: bytes) -> str:
    """An address of 20 bytes as EIP-55 writes it."""
    digits = raw.hex()
    hashed = keccak(digits.encode()).hex()
    return "0x" + "".join(d.upper() if h >= "8" else d for d, h in zip(digits, hashed, strict=False))
