"""The deployment plan on a real network through Ape, and the address book that it leaves."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ape import accounts, networks, project
from ape.api import AccountAPI

from .artifacts import ROOT
from .plan import Charter, City, found_city


class ApeBackend:
    def __init__(self, deployer: AccountAPI):
        self._account = deployer
        self.deployer: str = deployer.address

    def deploy(self, contract: str, args: Sequence[Any]) -> str:
        made = self._account.deploy(getattr(project, contract), *args, publish=False)
        return str(made.address)

    def send(self, contract: str, address: str, function: str, args: Sequence[Any]) -> None:
        instance = getattr(project, contract).at(address)
        getattr(instance, function)(*args, sender=self._account)

    def encode(self, contract: str, function: str, args: Sequence[Any]) -> bytes:
        instance = getattr(project, contract).at(self.deployer, fetch_from_explorer=False)
        return bytes(getattr(instance, function).encode_input(*args))

    def account(self, reference: dict[str, Any]) -> str:
        if "address" in reference:
            return str(reference["address"])
        return str(accounts.test_accounts[reference["account"]].address)


def deploy_with_ape(
    deployer: AccountAPI, charter: Charter, progress: Any = lambda _: None, folder: Path = ROOT / "deployments"
) -> tuple[City, Path]:
    """Found the city on the connected network and write `<folder>/<chainId>.json`."""
    provider = networks.provider
    start_block = provider.get_block("latest").number
    city = found_city(ApeBackend(deployer), charter, progress=progress)
    genesis = "0x" + bytes(provider.get_block(0).hash).hex()
    path = write_address_book(folder, city, provider.chain_id, start_block, genesis)
    return city, path


def write_address_book(folder: Path, city: City, chain_id: int, start_block: int, genesis_hash: str) -> Path:
    """The truth about what is where; and, apart from it and never committed, what opens the members' profile commitments."""
    book = {
        "city": city.name,
        "chainId": chain_id,
        "genesisHash": genesis_hash,
        "startBlock": start_block,
        "contracts": {name: {"address": address, "type": city.types[name]} for name, address in city.contracts.items()},
        "currencies": city.currencies,
        "kinds": city.kinds,
        "members": city.members,
        "roles": {label: str(number) for label, number in city.roles.items()},
    }
    path = folder / f"{chain_id}.json"
    _write(path, book)
    _write(ROOT / ".run" / f"profiles-{chain_id}.json", city.profiles)
    return path


def _write(path: Path, content: Any) -> None:
    """Whole or not at all: a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part")
    draft.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    draft.replace(path)
