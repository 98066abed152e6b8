"""The base of the typed wrappers: one class per contract, snake_case methods, nothing else encodes calls."""

from __future__ import annotations

from typing import Any

from .abi import Abi, Call, abi_of
from .reverts import contract_error
from .rpc import Rpc, RpcError


class Wrapper:
    #: The contract type that a subclass wraps.
    contract: str = ""

    def __init__(self, rpc: Rpc, address: str, name: str | None = None):
        self._rpc, self.address, self.name = rpc, address, name or self.contract
        self.abi: Abi = abi_of(self.contract)

    def _call(self, function: str, *args: Any) -> Call:
        inputs = self.abi.function(function, len(args))["inputs"]
        named = {p["name"]: a for p, a in zip(inputs, args, strict=True)}
        return Call(self.name, self.address, function, self.abi.encode(function, args), named)

    async def _read(self, function: str, *args: Any, block: str = "latest") -> Any:
        data = self.abi.encode(function, args)
        try:
            raw = await self._rpc.call("eth_call", {"to": self.address, "data": "0x" + data.hex()}, block)
        except RpcError as error:
            raise contract_error(error) from error
        return self.abi.decode_result(function, len(args), bytes.fromhex(raw[2:]))
