"""From a revert's bytes to a sentence: every custom error of every contract has an HTTP status and a wording (a test walks all ABIs)."""

from __future__ import annotations

from functools import cache
from typing import Any

from eth_abi import decode
from eth_abi.exceptions import DecodingError
from eth_utils.abi import collapse_if_tuple

from ..errors import ContractRefused, ServiceError, Unavailable
from .abi import Decoded, abi_of, contract_types, shape, to_json
from .rpc import RpcError
from .sentences import SENTENCES, Sentence

#: solc's own: `require(…, "text")`, assertion failures, arithmetic.
_BUILT_IN: dict[bytes, dict[str, Any]] = {
    bytes.fromhex("08c379a0"): {"name": "Error", "inputs": [{"name": "message", "type": "string"}]},
    bytes.fromhex("4e487b71"): {"name": "Panic", "inputs": [{"name": "code", "type": "uint256"}]},
}


@cache
def _errors() -> dict[bytes, dict[str, Any]]:
    found = dict(_BUILT_IN)
    for name in contract_types():
        found |= abi_of(name).errors
    return found


def decode_error(raw: bytes) -> Decoded | None:
    """The custom error in a revert's return data, None when there is none that we know."""
    entry = _errors().get(raw[:4])
    # Every argument has a head of 32 bytes; a decoder that another library loosened would fill up what is missing.
    if entry is None or len(raw) < 4 + 32 * len(entry["inputs"]):
        return None
    try:
        values = decode([collapse_if_tuple(p) for p in entry["inputs"]], raw[4:])
    except (DecodingError, ValueError, OverflowError):
        # Return data is whatever the called contract likes: a receiver's callback can send our selector with anything behind it.
        return None
    return Decoded(entry["name"], {p["name"]: shape(p, v) for p, v in zip(entry["inputs"], values, strict=True)})


def sentence_for(error: Decoded) -> tuple[int, str]:
    """HTTP status and wording. Unknown errors are a conflict without a wording of their own."""
    sentence = SENTENCES.get(error.name, Sentence(409, "The contract refused: {error}."))
    return sentence.status, sentence.render(error)


def is_revert(error: RpcError) -> bool:
    """Whether the node says the call reverted (rather than that it could not run it)."""
    return error.code == 3 or "revert" in error.message.lower()


def revert_data(error: RpcError) -> bytes:
    data = error.data.get("data") if isinstance(error.data, dict) else error.data
    try:
        return bytes.fromhex(data[2:]) if isinstance(data, str) and data.startswith("0x") else b""
    except ValueError:
        return b""


def contract_error(error: RpcError, tx_hash: str | None = None) -> ServiceError:
    """The domain error for what a node answered to a call or a simulation."""
    if not is_revert(error):
        return Unavailable(f"The node could not run the call: {error.message}")
    return refused(revert_data(error), tx_hash)


def refused(raw: bytes, tx_hash: str | None = None) -> ContractRefused:
    decoded = decode_error(raw)
    if decoded is None:
        name = "0x" + raw[:4].hex() if raw else "none"
        return ContractRefused(
            "The contract refused without a reason that this service knows.",
            status=409,
            name=name,
            args={},
            tx_hash=tx_hash,
        )
    status, sentence = sentence_for(decoded)
    return ContractRefused(sentence, status=status, name=decoded.name, args=to_json(decoded.args), tx_hash=tx_hash)
