"""ERC-2771: requests that residents and companies sign and the service's relayer pays for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...chain.abi import Call
from ...chain.contract import Wrapper

#: Gas that a forwarded call may use; the relayer pays, and on this chain gas costs nothing.
FORWARDED_GAS = 1_500_000
#: How long a prepared request can be submitted, in seconds of chain time.
VALIDITY_SECONDS = 3600

_TYPES = {
    "ForwardRequest": [
        {"name": "from", "type": "address"},
        {"name": "to", "type": "address"},
        {"name": "value", "type": "uint256"},
        {"name": "gas", "type": "uint256"},
        {"name": "nonce", "type": "uint256"},
        {"name": "deadline", "type": "uint48"},
        {"name": "data", "type": "bytes"},
    ]
}


@dataclass(frozen=True)
class ForwardRequest:
    """What is signed. `deadline` in Unix seconds; `nonce` is the signer's at the forwarder."""

    signer: str
    to: str
    gas: int
    nonce: int
    deadline: int
    data: bytes


class Forwarder(Wrapper):
    contract = "Forwarder"

    async def nonce_of(self, signer: str) -> int:
        return int(await self._read("nonces", signer))

    def execute(self, request: ForwardRequest, signature: bytes) -> Call:
        fields = (request.signer, request.to, 0, request.gas, request.deadline, request.data, signature)
        return self._call("execute", fields)

    def typed_data(self, request: ForwardRequest, chain_id: int) -> dict[str, Any]:
        """The EIP-712 message as wallets and `eth_account` take it."""
        return {
            "types": {
                "EIP712Domain": [
                    {"name": "name", "type": "string"},
                    {"name": "version", "type": "string"},
                    {"name": "chainId", "type": "uint256"},
                    {"name": "verifyingContract", "type": "address"},
                ],
                **_TYPES,
            },
            "primaryType": "ForwardRequest",
            "domain": {
                "name": "chaincity Forwarder",
                "version": "1",
                "chainId": chain_id,
                "verifyingContract": self.address,
            },
            "message": {
                "from": request.signer,
                "to": request.to,
                "value": 0,
                "gas": request.gas,
                "nonce": request.nonce,
                "deadline": request.deadline,
                "data": "0x" + request.data.hex(),
            },
        }
