"""What was accepted is executed once, whatever dies in between; what the tables say follows the chain, also backwards."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, select

from frontend_api.chain.deployment import DeploymentError
from frontend_api.chain.indexer import projections
from frontend_api.chain.rpc import NodeUnreachable, Rpc
from tests.anvil import AnvilCity, RpcBackend, rpc
from tests.api.conftest import FIELDS, Served
from tests.evm import dev_account

UNIT = "431302001001GB00002F0001{:04d}"


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[AnvilCity]:
    made = AnvilCity(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def served(chain: AnvilCity, tmp_path: Path) -> Iterator[Served]:
    made = Served(chain, tmp_path)
    with made.http:
        made.enrol(dev_account(10))
        yield made


def body(number: int, **change: Any) -> dict[str, Any]:
    return {"unit": UNIT.format(number), "owner": dev_account(10).address, "fields": FIELDS} | change


def wait_for(served: Served, identifier: str, *states: str, seconds: float = 30) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while True:
        found = served.get(f"/transactions/{identifier}").json()
        if found["state"] in states:
            return dict(found)
        assert time.monotonic() < deadline, found
        time.sleep(0.05)


def registrations(chain: AnvilCity, unit: str) -> int:
    """How often the chain registered a unit, by its logs and nothing else."""
    logs = rpc(
        chain.url,
        "eth_getLogs",
        {
            "fromBlock": "0x0",
            "address": chain.city.contracts["TitleRegistry"],
            "topics": [None, "0x" + unit.encode().hex().ljust(64, "0")],
        },
    )
    return len(logs)


def tables(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every projected row, without the block that last changed it (a transaction sent again lands in another block)."""
    engine = create_engine(url)
    with engine.connect() as connection:
        found = {}
        for table in projections():
            columns = [c for c in table.c if c.name != "changed_block" and not c.name.endswith("_at")]
            found[table.name] = sorted(tuple(row) for row in connection.execute(select(*columns)))
    engine.dispose()
    return found


def replay(chain: AnvilCity, folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """What an empty database makes of the same chain."""
    fresh = Served(chain, folder, database_url=f"sqlite:///{folder / 'fresh.db'}")
    with fresh.http:
        latest = int(rpc(chain.url, "eth_blockNumber"), 16)
        deadline = time.monotonic() + 30
        while fresh.http.get("/readyz").json()["block"] < latest:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    return tables(fresh.settings.database_url)


def another_chain(chain: AnvilCity, folder: Path) -> AnvilCity:
    """The same city on a new chain with the same id; Anvil's genesis differs by its second only."""
    began = int(rpc(chain.url, "eth_getBlockByNumber", "0x0", False)["timestamp"], 16)
    while int(time.time()) <= began:
        time.sleep(0.05)
    (folder / "other").mkdir()
    return AnvilCity(folder / "other")


class Broken:
    """Stands between the service and the node: loses requests before or after they got there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch):
        self.lose: str | None = None
        self.sent: list[str] = []
        original = Rpc.batch

        async def batch(rpc_: Rpc, requests: Any) -> Any:
            if any(method == "eth_sendRawTransaction" for method, _ in requests):
                self.sent += [params[0] for _, params in requests]
                if self.lose == "request":
                    raise NodeUnreachable("lost on the way")
                if self.lose == "reply":
                    await original(rpc_, requests)
                    raise NodeUnreachable("the reply was lost")
            return await original(rpc_, requests)

        monkeypatch.setattr(Rpc, "batch", batch)


@pytest.mark.parametrize("lost", ["request", "reply"])
def test_broadcast__lost_and_service_restarted__same_bytes_one_effect(chain, tmp_path, monkeypatch, lost):
    broken = Broken(monkeypatch)
    first = Served(chain, tmp_path)
    with first.http:
        first.enrol(dev_account(10))
        broken.lose = lost
        broken.sent.clear()
        accepted = first.post("/titles", body(1), wait=0)
        assert accepted.status_code == 202
        if lost == "request":
            wait_for(first, accepted.json()["id"], "submitted")
    broken.lose = None
    second = Served(chain, tmp_path)
    with second.http:
        ended = wait_for(second, accepted.json()["id"], "mined", "final")
    assert ended["events"][0]["event"] == "TitleRegistered"
    assert len(set(broken.sent)) == 2, "the anchor and the registration, each time the same bytes"
    assert registrations(chain, UNIT.format(1)) == 1


def test_queue__service_dies_before_sending__sent_after_restart(chain, tmp_path, monkeypatch):
    from frontend_api.chain.sender import Sender

    with monkeypatch.context() as patched:

        async def dead(_: Sender) -> None:
            return

        first = Served(chain, tmp_path)
        with first.http:
            first.enrol(dev_account(10))
            patched.setattr(Sender, "step", dead)
            accepted = first.post("/titles", body(2), wait=0)
            assert wait_for(first, accepted.json()["id"], "queued")["txHash"] is None
    second = Served(chain, tmp_path)
    with second.http:
        wait_for(second, accepted.json()["id"], "mined", "final")
    assert registrations(chain, UNIT.format(2)) == 1


def test_bulk__two_items_that_exclude_each_other__one_effect_one_recorded_failure(served, chain):
    answer = served.post("/titles", {"items": [body(3), body(3)]}, wait=0)
    ids = [item["transaction"]["id"] for item in answer.json()["items"]]
    ended = [wait_for(served, identifier, "mined", "final", "failed") for identifier in ids]
    assert sorted(t["state"] in ("mined", "final") for t in ended) == [False, True]
    [failure] = [t["problem"] for t in ended if t["state"] == "failed"]
    assert failure["contractError"]["name"] == "TitleRegistry_AlreadyRegistered"
    assert registrations(chain, UNIT.format(3)) == 1
    following = served.post("/titles", body(4))
    assert following.status_code == 200, "the queue goes on"


@pytest.mark.parametrize("depth", [1, 6], ids=["shallow", "past the finality window"])
def test_reorganisation__tables_equal_a_replay_and_transactions_are_sent_again(served, chain, tmp_path, depth):
    for number in range(10, 15):
        assert served.post("/titles", body(number)).status_code == 200
    last = served.post("/titles", body(15)).json()["id"]
    before = tables(served.settings.database_url)

    rpc(chain.url, "anvil_reorg", depth, [])
    rpc(chain.url, "evm_mine")

    deadline = time.monotonic() + 40
    while registrations(chain, UNIT.format(15)) == 0:
        assert time.monotonic() < deadline, "the reorganised transaction was not sent again"
        time.sleep(0.1)
    wait_for(served, last, "mined", "final")
    for number in range(10, 16):
        while registrations(chain, UNIT.format(number)) == 0:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    rpc(chain.url, "evm_mine")
    latest = int(rpc(chain.url, "eth_blockNumber"), 16)
    while served.http.get("/readyz").json()["block"] < latest:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert tables(served.settings.database_url) == before
    assert before == replay(chain, tmp_path)
    assert all(registrations(chain, UNIT.format(number)) == 1 for number in range(10, 16))


def test_look_alike__same_event_from_another_contract__ignored(served, chain):
    backend = RpcBackend(chain.url)
    core = tuple(
        chain.city.contracts[n] for n in ("Authority", "Forwarder", "Members", "Mandates", "Currencies", "Escrow")
    )
    copy = backend.deploy("TitleRegistry", [core])
    selector = backend.encode(
        "TitleRegistry", "registerTitle", [UNIT.format(20).encode(), dev_account(10).address, b"\1" * 32]
    )[:4]
    authority = chain.city.contracts["Authority"]
    backend.send("Authority", authority, "setTargetFunctionRole", [copy, [selector], 2**64 - 1])
    backend.send(
        "TitleRegistry", copy, "registerTitle", [UNIT.format(20).encode(), dev_account(10).address, b"\1" * 32]
    )
    served.post("/titles", body(21))
    assert served.get(f"/titles/{UNIT.format(21)}").status_code == 200
    assert served.get(f"/titles/{UNIT.format(20)}").status_code == 404


def test_node_down__reads_go_on_writes_are_503_and_verification_is_unknown(served, chain):
    served.post("/titles", body(30))
    certificate = served.get(f"/titles/{UNIT.format(30)}/certificate", "registry").content
    chain.anvil.stop()

    assert served.get(f"/titles/{UNIT.format(30)}").status_code == 200
    answer = served.post("/titles", body(31), wait=0)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    verification = served.http.post("/verifications", content=certificate)
    assert (verification.status_code, verification.json()["verdict"]) == (503, "unknown")
    assert served.http.get("/readyz").status_code == 503
    assert served.http.get("/healthz").status_code == 200


def test_start__other_chain_id__refused_with_both_ids(chain, tmp_path):
    rpc(chain.url, "anvil_setChainId", 4242)
    made = Served(chain, tmp_path)
    with (
        pytest.raises(DeploymentError, match="The node is on chain 4242, the address book is for chain 31337"),
        made.http,
    ):
        pass


def test_start__database_of_another_deployment__refused(chain, tmp_path):
    with Served(chain, tmp_path).http:
        pass
    other = another_chain(chain, tmp_path)
    try:
        mixed = Served(other, tmp_path)
        with pytest.raises(DeploymentError, match="The database belongs to another deployment"), mixed.http:
            pass
    finally:
        other.stop()


def test_start__new_genesis_behind_the_same_id__refused(chain, tmp_path):
    other = another_chain(chain, tmp_path)
    try:
        made = Served(chain, tmp_path)
        made.app.state.city.rpc._url = other.url
        with pytest.raises(DeploymentError, match="another one with the same id"), made.http:
            pass
    finally:
        other.stop()


def test_start__a_second_service_on_the_database__refused(served, chain, tmp_path):
    second = Served(chain, tmp_path)
    with pytest.raises(DeploymentError, match="Another service is running on this database"), second.http:
        pass


def test_indexer__stumbles__writes_are_503_until_it_is_back(served, monkeypatch):
    from frontend_api.chain.indexer import Indexer

    async def stumble(_: Indexer) -> bool:
        raise RuntimeError("secret words that only the log may show")

    with monkeypatch.context() as patched:
        patched.setattr(Indexer, "step", stumble)
        deadline = time.monotonic() + 10
        while served.http.get("/readyz").status_code == 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        problems = served.http.get("/readyz").json()["problems"]
        answer = served.post("/titles", body(40), wait=0)
    assert problems == ["indexer: RuntimeError"]
    assert (answer.status_code, "indexer is down" in answer.json()["detail"]) == (503, True)
    deadline = time.monotonic() + 20
    while served.post("/titles", body(41), wait=10).status_code != 200:
        assert time.monotonic() < deadline, "the indexer did not come back"
        rpc(served.chain.url, "evm_mine")
        time.sleep(0.2)
    assert served.get(f"/titles/{UNIT.format(40)}").status_code == 404
