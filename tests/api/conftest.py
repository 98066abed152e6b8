"""The service in this process on a real Anvil: one city per test module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from fastapi.testclient import TestClient

from frontend_api import auth
from frontend_api.app import create_app
from frontend_api.config import Settings
from frontend_api.db import Database
from scripts.demonstration.steps import until
from tests.anvil import AnvilCity
from tests.evm import MNEMONIC, dev_account

#: What a title's certificate says at least.
FIELDS = {"ownerName": "李建国", "location": "娄底市娄星区", "use": "住宅", "areaM2": "88.00"}


class Served:
    """The running service, as each member sees it."""

    def __init__(self, chain: AnvilCity, folder: Path, **settings: Any):
        self.chain, self.folder = chain, folder
        self.settings = Settings(
            rpc_url=chain.url,
            deployment=chain.book,
            database_url=settings.pop("database_url", f"sqlite:///{folder / 'service.db'}"),
            mnemonic=MNEMONIC,
            relayer=dev_account(9).address,
            poll_seconds=0.02,
            **settings,
        )
        database = Database(self.settings.database_url)
        database.create()
        self.keys = {
            name: database.write_now(auth.create_key, entry["address"], name)
            for name, entry in chain.city.members.items()
        }
        self.keys["reader"] = database.write_now(auth.create_key, chain.member("bank"), "reader", ("read",))
        database.close()
        self.app = create_app(self.settings)
        self.http = TestClient(self.app, raise_server_exceptions=False)

    def as_(self, member: str | None) -> dict[str, str]:
        return {"authorization": f"Bearer {self.keys[member]}"} if member else {}

    def get(self, path: str, member: str | None = "founder", **query: Any) -> Any:
        return self.http.get(path, params=query, headers=self.as_(member))

    def post(self, path: str, body: Any = None, member: str | None = "registry", wait: int = 10, key: str = "") -> Any:
        headers = self.as_(member) | ({"idempotency-key": key} if key else {})
        if wait:
            headers["prefer"] = f"wait={wait}"
        return self.http.post(path, json=body, headers=headers)

    def sign(self, signer: Any, contract: str, function: str, args: list[Any]) -> dict[str, Any]:
        """A signed forward request, not yet sent."""
        prepared = self.post(
            "/forward-requests/prepare",
            {"signer": signer.address, "contract": contract, "function": function, "args": args},
            member=None,
            wait=0,
        )
        assert prepared.status_code == 200, prepared.text
        signed = Account.sign_message(encode_typed_data(full_message=prepared.json()["typedData"]), signer.key)
        return {"request": prepared.json()["request"], "signature": "0x" + bytes(signed.signature).hex()}

    def enrol(self, *people: Any) -> None:
        for number, person in enumerate(people):
            body = {
                "account": person.address,
                "identity": "0x" + bytes([number + 1]).hex() * 32,
                "validUntil": self.chain.time() + 10**8,
            }
            answer = self.post("/residents", body)
            assert answer.status_code == 200, answer.text

    def title(self, unit: str, owner: Any) -> dict[str, Any]:
        answer = self.post("/titles", {"unit": unit, "owner": owner.address, "fields": FIELDS})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("city")
    chain = AnvilCity(folder)
    try:
        made = Served(chain, folder)
        with made.http:
            until(lambda: made.app.state.city.indexer.caught_up, True)
            yield made
    finally:
        chain.stop()


@pytest.fixture(scope="module")
def li(served: Served) -> Any:
    """A resident who owns what the tests register; the service has the key only because it is a development account."""
    person = dev_account(10)
    served.enrol(person)
    return person
