"""What people sign in tests: forwarded calls (ERC-2771) and token transfers (ERC-3009)."""

from __future__ import annotations

from typing import Any

from eth_account import Account

from .evm import CHAIN_ID, Contract

CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
FAR = 2**48 - 1


def _fields(text: str) -> list[dict[str, str]]:
    return [dict(zip(("type", "name"), field.split(" "), strict=True)) for field in text.split(",")]


FORWARD = {
    "ForwardRequest": _fields(
        "address from,address to,uint256 value,uint256 gas,uint256 nonce,uint48 deadline,bytes data"
    )
}
_TRANSFER = "address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce"
AUTHORIZATION = {
    "transfer": {"TransferWithAuthorization": _fields(_TRANSFER)},
    "receive": {"ReceiveWithAuthorization": _fields(_TRANSFER)},
    "cancel": {"CancelAuthorization": _fields("address authorizer,bytes32 nonce")},
}


def sign(
    key: Any,
    contract: Contract,
    name: str,
    types: dict[str, Any],
    message: dict[str, Any],
    chain_id: int = CHAIN_ID,
) -> bytes:
    domain = {"name": name, "version": "1", "chainId": chain_id, "verifyingContract": contract.address}
    return bytes(Account.sign_typed_data(key, domain, types, message).signature)


def malleated(signature: bytes) -> bytes:
    """The other signature of the same message and key: s in the upper half of the curve's order."""
    s = CURVE_ORDER - int.from_bytes(signature[32:64], "big")
    return signature[:32] + s.to_bytes(32, "big") + bytes([27 + 28 - signature[64]])


def forward_request(
    forwarder: Contract,
    call: tuple[Any, ...],
    key: Any,
    sender: str,
    *,
    nonce: int | None = None,
    gas: int = 1_000_000,
    deadline: int = FAR,
    value: int = 0,
    chain_id: int = CHAIN_ID,
    signed_for: Contract | None = None,
) -> tuple[Any, ...]:
    """`call` is (function, *args); the result is what `execute` takes."""
    function, *args = call
    message = {
        "from": sender,
        "to": function.contract.address,
        "value": value,
        "gas": gas,
        "nonce": forwarder.nonces(sender) if nonce is None else nonce,
        "deadline": deadline,
        "data": function.encode(*args),
    }
    signature = sign(key, signed_for or forwarder, "chaincity Forwarder", FORWARD, message, chain_id)
    return (sender, message["to"], value, gas, deadline, message["data"], signature)
