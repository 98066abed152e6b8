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

    async def members(self) -> str:
        """The Members that an application asks (`Application.members`)."""
        return str(await self._read("members"))

    async def _events(self, name: str) -> list[dict[str, Any]]:
        """The arguments of every event of a name since block 0, oldest first; for the few that set a contract up."""
        topic = next(topic for topic, entry in self.abi.events.items() if entry["name"] == name)
        wanted = {"fromBlock": "0x0", "toBlock": "latest", "address": self.address, "topics": ["0x" + topic.hex()]}
        found = []
        for entry in await self._rpc.call("eth_getLogs", wanted):
            topics = [bytes.fromhex(t[2:]) for t in entry["topics"]]
            decoded = self.abi.decode_event(topics, bytes.fromhex(entry["data"][2:]))
            if decoded is not None:
                found.append(decoded.args)
        return found

    async def _read(self, function: str, *args: Any, block: str = "latest") -> Any:
        data = self.abi.encode(function, args)
        try:
            raw = await self._rpc.call("eth_call", {"to": self.address, "data": "0x" + data.hex()}, block)
        except RpcError as error:
            raise contract_error(error) from error
        return self.abi.decode_result(function, len(args), bytes.fromhex(raw[2:]))
