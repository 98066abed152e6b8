"""The address book `deployments/<chainId>.json` that `ape run deploy` writes: the truth about what is where."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .rpc import NodeUnreachable, Rpc, RpcError


class DeploymentError(RuntimeError):
    """The address book is missing or does not belong to the chain behind the URL."""


@dataclass(frozen=True)
class Deployment:
    chain_id: int
    genesis_hash: str
    start_block: int
    city: str
    contracts: dict[str, dict[str, Any]]
    currencies: dict[str, dict[str, Any]]
    members: dict[str, dict[str, Any]]
    kinds: dict[str, int]
    roles: dict[str, int]

    @classmethod
    def load(cls, path: Path) -> Deployment:
        if not path.exists():
            raise DeploymentError(f"There is no address book at {path}. Run `ape run deploy` first.")
        raw = json.loads(path.read_text())
        return cls(
            raw["chainId"],
            raw["genesisHash"],
            raw["startBlock"],
            raw["city"],
            raw["contracts"],
            raw["currencies"],
            raw["members"],
            raw["kinds"],
            {label: int(number) for label, number in raw["roles"].items()},
        )

    @classmethod
    def of_registries(
        cls, documents: str, titles: str, members: str = "0x" + "00" * 20, kinds: dict[str, int] | None = None
    ) -> Deployment:
        """What can be known of a city without its address book: enough to check a certificate."""
        found = {"DocumentRegistry": documents, "TitleRegistry": titles, "Members": members}
        contracts = {name: {"address": address, "type": name} for name, address in found.items()}
        return cls(0, "", 0, "", contracts, {}, {}, kinds or {}, {})

    def address(self, name: str) -> str:
        return str(self.contracts[name]["address"])

    def type_of(self, name: str) -> str:
        return str(self.contracts[name]["type"])

    @property
    def by_address(self) -> dict[str, str]:
        return {entry["address"]: name for name, entry in self.contracts.items()}

    async def check_at(self, url: str, timeout_seconds: float) -> None:
        """`check` at a node's address. A node that does not answer now is no reason to refuse."""
        rpc = Rpc(url, timeout_seconds)
        try:
            await self.check(rpc)
        except (NodeUnreachable, RpcError):
            pass
        finally:
            await rpc.close()

    async def check(self, rpc: Rpc) -> None:
        """Refuse to serve on another chain: same chain id, same genesis, the authority's code in place."""
        chain_id = int(await rpc.call("eth_chainId"), 16)
        if chain_id != self.chain_id:
            raise DeploymentError(f"The node is on chain {chain_id}, the address book is for chain {self.chain_id}.")
        genesis = await rpc.call("eth_getBlockByNumber", "0x0", False)
        if genesis["hash"] != self.genesis_hash:
            raise DeploymentError(
                f"The chain behind the node is another one with the same id: its genesis is {genesis['hash']}, "
                f"the address book says {self.genesis_hash}. Deploy again."
            )
        code = await rpc.call("eth_getCode", self.address("Authority"), "latest")
        if code == "0x":
            raise DeploymentError(f"There is no contract at {self.address('Authority')}. Deploy again.")
