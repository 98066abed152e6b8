"""Results encrypted to the requester: libsodium's sealed box (X25519, XSalsa20-Poly1305), which only the result key's
owner can open."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from eth_utils.crypto import keccak
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox

if TYPE_CHECKING:
    from .models import Model
    from .sandbox import Rows


class SealError(ValueError):
    """The key is unusable, or the ciphertext is not for this key or was changed."""


@dataclass(frozen=True)
class Receipt:
    """What the result belongs to; sealed with it, so that a ciphertext cannot be passed off as another job's."""

    job_id: int
    dataset_id: int
    dataset_version: int
    model_hash: bytes


def result_bytes(rows: Rows, model: Model, receipt: Receipt) -> bytes:
    """The plaintext: one JSON object in UTF-8."""
    return json.dumps(
        {
            "jobId": receipt.job_id,
            "datasetId": receipt.dataset_id,
            "datasetVersion": receipt.dataset_version,
            "modelHash": "0x" + receipt.model_hash.hex(),
            "columns": [{"name": column.name, "type": column.type} for column in model.output],
            "rows": [list(row) for row in rows.rows],
        },
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
        allow_nan=False,
    ).encode("utf-8")


def new_result_key() -> tuple[bytes, bytes]:
    """A fresh (private, public) X25519 pair, 32 bytes each, for one job."""
    key = PrivateKey.generate()
    return bytes(key), bytes(key.public_key)


def check_result_key(public_key: bytes) -> None:
    """Raises `SealError` for a key that nothing can be sealed to: of a wrong length, or a point of small order."""
    seal(b"", public_key)


def seal(plaintext: bytes, public_key: bytes) -> bytes:
    """Raises `SealError`. Sealing is randomised: the same result sealed twice has two ciphertexts."""
    try:
        return bytes(SealedBox(PublicKey(public_key)).encrypt(plaintext))
    except (CryptoError, TypeError, ValueError) as error:
        raise SealError(f"nothing can be sealed to this key: {error}") from error


def ciphertext_hash(ciphertext: bytes) -> bytes:
    """keccak-256, 32 bytes: what the chain keeps of a result."""
    return keccak(ciphertext)


def open_result(ciphertext: bytes, private_key: bytes, expected_hash: bytes) -> dict[str, Any]:
    """The result, once its ciphertext is the one whose hash is on the chain. Raises `SealError`."""
    if ciphertext_hash(ciphertext) != expected_hash:
        raise SealError("this is not the ciphertext whose hash is on the chain")
    try:
        plaintext = SealedBox(PrivateKey(private_key)).decrypt(ciphertext)
    except (CryptoError, TypeError, ValueError) as error:
        raise SealError(f"the ciphertext cannot be opened with this key: {error}") from error
    opened: dict[str, Any] = json.loads(plaintext)
    return opened
