"""What the stories act on: the service's clients, the chain through Ape, and the step recorder."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ape import accounts, networks, project
from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from eth_account import Account
from eth_utils.crypto import keccak

from frontend_api import auth
from frontend_api.db import Database

from .client import Client
from .processes import MNEMONIC, rpc, rpc_many
from .steps import Steps, until

Account.enable_unaudited_hdwallet_features()


@dataclass
class Stage:
    steps: Steps
    book: dict[str, Any]
    rpc_url: str
    service_url: str
    keys: dict[str, str]
    #: The service's own, for API keys: those are made by its operator, not over HTTP.
    database: Database

    def __post_init__(self) -> None:
        self._clients: dict[str | None, Client] = {}

    def client(self, member: str | None = None) -> Client:
        """The service as a founding member sees it; without a member, as anyone does."""
        if member not in self._clients:
            self._clients[member] = Client(self.service_url, self.keys[member] if member else None)
        return self._clients[member]

    def give_key(self, member: str, account: str) -> None:
        """An API key for an organisation that is not in the charter; from then on it is known by `member`."""
        self.keys[member] = self.database.write_now(auth.create_key, account, member)
        self.book["members"][member] = {"address": account}

    def address(self, member: str) -> str:
        return str(self.book["members"][member]["address"])

    def resident(self, index: int) -> Any:
        """A resident's own key; the service does not have it."""
        return Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")

    def contract(self, name: str) -> Any:
        """A contract through Ape: what the chain itself says, without the service."""
        entry = self.book["contracts"][name]
        return getattr(project, entry["type"]).at(entry["address"], fetch_from_explorer=False)

    def ape_account(self, member: str) -> Any:
        """A member's account in Ape's hands."""
        return self.ape_account_of(self.address(member))

    def ape_account_of(self, address: str) -> Any:
        """Any account of the development mnemonic, in Ape's hands."""
        return next(account for account in accounts.test_accounts if account.address == address)

    def read_many(self, name: str, function: str, arguments: Sequence[Sequence[Any]]) -> list[Any]:
        """A view function of a contract for many arguments at once, asked of the node: one value each, structs as dicts."""
        contract = self.contract(name)
        method = next(m for m in contract.contract_type.view_methods if m.name == function)
        types = [entry.canonical_type for entry in method.inputs]
        [output] = method.outputs
        selector = keccak(text=method.selector)[:4]
        requests = [
            ({"to": contract.address, "data": "0x" + (selector + abi_encode(types, arguments_)).hex()}, "latest")
            for arguments_ in arguments
        ]
        found = []
        for raw in rpc_many(self.rpc_url, "eth_call", requests):
            [value] = abi_decode([output.canonical_type], bytes.fromhex(raw[2:]))
            names = [component.name for component in output.components or ()]
            found.append(dict(zip(names, value, strict=True)) if names else value)
        return found

    def events(self, name: str, event: str) -> list[dict[str, Any]]:
        """Every event of that kind that a contract has emitted since its deployment, from the node."""
        contract = self.contract(name)
        entry = next(e for e in contract.contract_type.events if e.name == event)
        query = {"address": contract.address, "fromBlock": "0x0", "topics": ["0x" + keccak(text=entry.selector).hex()]}
        found = []
        for log in rpc(self.rpc_url, "eth_getLogs", query):
            indexed = [part for part in entry.inputs if part.indexed]
            others = [part for part in entry.inputs if not part.indexed]
            values = [bytes.fromhex(topic[2:]) for topic in log["topics"][1:]]
            args = {p.name: abi_decode([p.canonical_type], v)[0] for p, v in zip(indexed, values, strict=True)}
            plain = abi_decode([part.canonical_type for part in others], bytes.fromhex(log["data"][2:]))
            found.append(args | {part.name: value for part, value in zip(others, plain, strict=True)})
        return found

    def block(self) -> int:
        return int(rpc(self.rpc_url, "eth_blockNumber"), 16)

    def logs_after(self, block: int) -> list[Any]:
        """Whatever any contract has emitted since a block: nothing, when nothing has changed."""
        until(lambda: self.block() > block, True)
        return list(rpc(self.rpc_url, "eth_getLogs", {"fromBlock": hex(block + 1)}))

    def chain_time(self) -> int:
        return int(networks.provider.get_block("latest").timestamp)

    def gas_of(self, tx_hash: str) -> int:
        return int(rpc(self.rpc_url, "eth_getTransactionReceipt", tx_hash)["gasUsed"], 16)

    def time_of(self, transaction: dict[str, Any]) -> int:
        """The chain time of a transaction's block."""
        return int(rpc(self.rpc_url, "eth_getBlockByNumber", hex(transaction["blockNumber"]), False)["timestamp"], 16)

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


def commitment() -> str:
    """A salted hash of something that stays off chain; here 32 random bytes stand for it."""
    return "0x" + secrets.token_hex(32)
