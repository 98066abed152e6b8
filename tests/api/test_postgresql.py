"""The same service on a real PostgreSQL: what the SQLite tests see, this must show too."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import pytest

from frontend_api.chain.deployment import DeploymentError
from scripts.demonstration.steps import until as wait_until
from tests.anvil import AnvilCity, rpc
from tests.api.conftest import Served
from tests.api.market import DAY, FACE, Market
from tests.api.test_durability import UNIT, body, registrations, wait_for
from tests.evm import dev_account

pytestmark = pytest.mark.debian


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    from tests.postgres import PostgreSQL

    server = PostgreSQL(tmp_path_factory.mktemp("pg") / "server")
    yield server
    server.stop()


_names = (f"city{number}" for number in itertools.count())


@pytest.fixture
def served(postgres, tmp_path) -> Iterator[Served]:
    chain = AnvilCity(tmp_path)
    try:
        made = Served(chain, tmp_path, database_url=postgres.database(next(_names)))
        with made.http:
            made.enrol(dev_account(10))
            yield made
    finally:
        chain.stop()


def test_titles__registered_listed_and_refused__as_on_sqlite(served):
    assert served.app.state.city.database.url.get_backend_name() == "postgresql"
    assert served.post("/titles", body(1)).status_code == 200
    assert served.get(f"/titles/{UNIT.format(1)}").json()["owner"] == dev_account(10).address
    again = served.post("/titles", body(1))
    assert (again.status_code, again.json()["contractError"]["name"]) == (409, "TitleRegistry_AlreadyRegistered")
    assert [t["unit"] for t in served.get("/titles").json()["items"]] == [UNIT.format(1)]


def test_idempotency__same_key__one_effect(served):
    first, second = (served.post("/titles", body(2), key="k") for _ in range(2))
    assert first.json()["id"] == second.json()["id"]
    assert registrations(served.chain, UNIT.format(2)) == 1


def test_mortgage__applied_for__in_the_tables(served):
    li = dev_account(10)
    served.post("/titles", body(3))
    signed = served.sign(li, "MortgageDesk", "applyFor", [UNIT.format(3), served.chain.member("bank"), "100", "CNY"])
    applied = served.post("/forward-requests", signed, None)
    assert applied.status_code == 200, applied.text
    [case] = [e["args"]["caseId"] for e in applied.json()["events"] if e["event"] == "MortgageApplied"]
    assert served.get(f"/mortgages/{case}").json()["principal"] == "100"


def test_reorganisation__rewound_and_sent_again(served):
    last = served.post("/titles", body(4)).json()["id"]
    rpc(served.chain.url, "anvil_reorg", 2, [])
    rpc(served.chain.url, "evm_mine")
    deadline = time.monotonic() + 40
    while registrations(served.chain, UNIT.format(4)) == 0:
        assert time.monotonic() < deadline, "the reorganised transaction was not sent again"
        time.sleep(0.1)
    wait_for(served, last, "mined", "final")
    assert registrations(served.chain, UNIT.format(4)) == 1
    assert served.get(f"/titles/{UNIT.format(4)}").status_code == 200


def test_restart__database_keeps_everything_and_serves_one_at_a_time(postgres, tmp_path):
    chain, address = AnvilCity(tmp_path), postgres.database(next(_names))
    try:
        first = Served(chain, tmp_path, database_url=address)
        with first.http:
            first.enrol(dev_account(10))
            assert first.post("/titles", body(5)).status_code == 200
            beside = Served(chain, tmp_path, database_url=address)
            with pytest.raises(DeploymentError, match="Another service is running on this database"), beside.http:
                pass
        again = Served(chain, tmp_path, database_url=address)
        with again.http:
            assert again.get(f"/titles/{UNIT.format(5)}").status_code == 200
    finally:
        chain.stop()


def test_reports_and_reminders__one_state_read_as_a_stream(served):
    market = Market(served)
    number = market.confirmed(dueAt=market.now() + DAY)
    market.fund("debtor", amount=1000, spender="Escrow")
    market.done(served.post(f"/receivables/{number}/payments", {"amount": "1000"}, member="debtor"))
    body = served.get("/reports/ageing", "supplier", **{"as": "supplier"}).json()
    assert [line["notDue"] for line in body["lines"]] == [str(FACE - 1000)]
    assert served.get("/reports/exposure", "bank", by="debtor").json()["totals"][0]["outstanding"] == str(FACE - 1000)
    kinds = [entry["kind"] for entry in served.get("/reminders", "supplier").json()["items"]]
    assert kinds == ["claimable"]
    assert served.post(f"/receivables/{number}/reminders", {"text": "请付款"}, member="supplier").status_code == 201
    found = served.get("/reminders", "debtor").json()["items"]
    assert sorted(entry["kind"] for entry in found) == ["due_today", "notice"]


def test_invoices__csv_of_two_parts__stored_once_and_known_afterwards(served):
    rows = ["number,buyer,issueDate,dueDate,currency,payable"]
    rows += [f"PG-{number},91431382MA5277275H,2026-09-17,2070-12-31,CNY,12.50" for number in range(1100)]

    def send(**query):
        files = {"file": ("a.csv", "\n".join(rows), "text/csv")}
        headers = served.as_("supplier") | {"idempotency-key": "csv"}
        return served.http.post("/receivables/from-csv", files=files, headers=headers, params=query).json()

    wait_until(lambda: served.app.state.city.indexer.caught_up, True)
    first = send()
    assert (first["accepted"], first["refused"]) == (1100, 0)
    assert send() == first
    wait_for(served, first["items"][-1]["transaction"], "mined", "final")
    dry = send(dryRun="true")
    assert (dry["accepted"], dry["refused"]) == (0, 1100)
    assert "was drafted before, as receivable" in dry["items"][0]["reason"]
