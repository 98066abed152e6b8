"""Receivables after their draft, over HTTP on Anvil with time travel: disputes, credit notes, default, losses, reminders, reports."""

from __future__ import annotations

import csv
import io
import time
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner

from frontend_api.cli import main
from frontend_api.modules.receivables import report_command
from frontend_api.modules.receivables.credit_notes import registered
from scripts.demonstration.processes import rpc
from tests.api.market import Market
from tests.unit.receivables.test_credit_notes import NOTE

DAY = 86400
GRACE = 30 * DAY
BASIS = {"basis": "0x" + "0b" * 32}
ACTS = {
    "confirm": None,
    "reject": None,
    "withdraw": None,
    "dispute": BASIS,
    "strike": BASIS,
    "transfers": {"to": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "units": "1"},
    "payments": {"amount": "1"},
    "claims": None,
    "dilutions": {"amount": "1", "creditNote": "0x" + "01" * 32, "creditNoteNumber": "0x" + "02" * 32},
    "write-offs": BASIS,
    "reminders": {"text": "x"},
    "reminders/1/acknowledge": None,
}


@pytest.fixture(scope="module")
def later(served):
    def go(seconds):
        """Time passes on the chain, and the tables know of it."""
        rpc(served.chain.url, "evm_increaseTime", seconds)
        rpc(served.chain.url, "evm_mine")
        until, deadline = served.chain.time(), time.monotonic() + 10
        while served.get("/readyz").json()["time"] < until:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    return go


@pytest.fixture(scope="module")
def drafted(served):
    numbers = iter(range(1000, 2000))

    def made(face=1000, due_in=10 * DAY, currency="CNY"):
        number = next(numbers)
        body = {
            "debtor": served.chain.member("debtor"),
            "currency": currency,
            "face": str(face),
            "dueAt": served.chain.time() + due_in,
            "fingerprint": f"0x{number:064x}",
            "numberFingerprint": f"0x{number + 2**128:064x}",
        }
        answer = served.post("/receivables", body, member="supplier")
        assert answer.status_code == 200, answer.text
        return next(e["args"]["id"] for e in answer.json()["events"] if e["event"] == "ReceivableDrafted")

    return made


@pytest.fixture(scope="module")
def confirmed(served, drafted):
    def made(**terms):
        number = drafted(**terms)
        assert served.post(f"/receivables/{number}/confirm", member="debtor").status_code == 200
        return number

    return made


@pytest.fixture(scope="module")
def pay(served):
    def done(number, amount):
        body = {"to": served.chain.member("debtor"), "amount": str(amount), "booking": "0x" + "11" * 32}
        assert served.post("/currencies/CNY/issues", body, member="bank").status_code == 200
        approval = {"spender": "Escrow", "amount": str(amount)}
        assert served.post("/currencies/CNY/approvals", approval, member="debtor").status_code == 200
        answer = served.post(f"/receivables/{number}/payments", {"amount": str(amount)}, member="debtor")
        assert answer.status_code == 200, answer.text

    return done


# --- acts


@pytest.mark.parametrize("act", ACTS)
def test_act__unknown_receivable__404_for_everybody_with_a_key(served, act):
    for member in ("debtor", "supplier", "court"):
        answer = served.post(f"/receivables/987654/{act}", ACTS[act], member=member)
        assert (answer.status_code, answer.json()["detail"]) == (404, "There is no receivable 987654.")
    assert served.post(f"/receivables/987654/{act}", ACTS[act], member=None).status_code == 401
    assert served.post(f"/receivables/0/{act}", ACTS[act], member="debtor").status_code == 422


def test_dispute_and_strike__draft__shown_with_their_bases(served, drafted):
    number = drafted()
    assert served.post(f"/receivables/{number}/dispute", BASIS, member="supplier").status_code == 403
    assert served.post(f"/receivables/{number}/dispute", BASIS, member="debtor").status_code == 200
    shown = served.get(f"/receivables/{number}").json()
    assert (shown["state"], shown["dispute"], shown["struck"]) == ("disputed", BASIS["basis"], None)
    assert [r["id"] for r in served.get("/receivables", state="disputed").json()["items"]] == [number]
    assert served.post(f"/receivables/{number}/strike", BASIS, member="bank").status_code == 403
    assert served.post(f"/receivables/{number}/strike", BASIS, member="court").status_code == 200
    shown = served.get(f"/receivables/{number}").json()
    assert (shown["state"], shown["struck"]) == ("withdrawn", BASIS["basis"])


def test_dilution__json__face_and_units_shrink(served, confirmed):
    number = confirmed()
    body = {"amount": "400", "creditNote": "0x" + "c1" * 32, "creditNoteNumber": "0x" + "c2" * 32}
    assert served.post(f"/receivables/{number}/dilutions", body, member="debtor").status_code == 403
    assert served.post(f"/receivables/{number}/dilutions", body, member="supplier").status_code == 200
    shown = served.get(f"/receivables/{number}").json()
    assert (shown["face"], shown["diluted"], shown["outstanding"]) == ("600", "400", "600")
    assert [h["units"] for h in shown["holdings"]] == ["600"]

    # Used as a credit note, and free as an invoice.
    path = f"/financing-register/{body['creditNote']}"
    number_query = {"numberFingerprint": body["creditNoteNumber"]}
    used = served.get(path, "bank", creditNote="true", **number_query).json()
    assert (used["state"], used["application"], used["caseId"]) == ("entered", "ReceivableLedger", number)
    known = "0x" + registered(b"\xc1" * 32).hex()
    assert (used["fingerprint"], used["numberTakenBy"]) == (known, None)
    assert used["numberFingerprint"] == "0x" + registered(b"\xc2" * 32).hex()
    copy = served.get("/financing-register/0x" + "c9" * 32, "bank", creditNote="true", **number_query).json()
    assert (copy["state"], copy["numberTakenBy"]) == ("free", known)
    invoice = served.get(path, "bank", **number_query).json()
    assert (invoice["state"], invoice["fingerprint"], invoice["numberTakenBy"]) == ("free", body["creditNote"], None)
    assert served.get(path, "bank", creditNote="perhaps").status_code == 422
    again = served.post(f"/receivables/{number}/dilutions", body, member="supplier")
    assert (again.status_code, again.json()["contractError"]["name"]) == (409, "FinancingRegister_Taken")


def test_dilution__credit_note_file__used_once(served, confirmed):
    number = confirmed(face=2_000_000)
    path = f"/receivables/{number}/dilutions/from-credit-note"

    def upload(content, member="supplier"):
        files = {"file": ("note.xml", content, "application/xml")}
        return served.http.post(path, files=files, headers=served.as_(member) | {"prefer": "wait=10"})

    assert upload(NOTE.replace(b"CNY", b"EUR")).json()["errors"][0]["field"] == "cbc:DocumentCurrencyCode"
    assert upload(NOTE, "debtor").status_code == 403
    assert upload(NOTE).status_code == 200
    shown = served.get(f"/receivables/{number}").json()
    assert (shown["diluted"], shown["face"]) == ("971800", str(2_000_000 - 971_800))
    assert upload(NOTE).status_code == 409
    unknown = served.http.post(path.replace(str(number), "987654"), headers=served.as_("supplier"))
    assert unknown.status_code in (404, 422)


# --- default and losses


def test_default__by_chain_time__write_off_and_recovery(served, confirmed, later, pay):
    number = confirmed(face=1000, due_in=DAY)
    bank = served.chain.member("bank")
    moved = {"to": bank, "units": "400"}
    assert served.post(f"/receivables/{number}/transfers", moved, member="supplier").status_code == 200
    early = served.post(f"/receivables/{number}/write-offs", BASIS, member="bank")
    assert (early.status_code, early.json()["contractError"]["name"]) == (409, "ReceivableLedger_NotDefaulted")
    shown = served.get(f"/receivables/{number}").json()
    assert (shown["overdue"], shown["defaulted"], shown["defaultsAt"]) == (False, False, shown["dueAt"] + GRACE)

    later(DAY + GRACE)
    shown = served.get(f"/receivables/{number}").json()
    assert (shown["overdue"], shown["defaulted"]) == (True, True)
    pay(number, 501)
    assert served.post(f"/receivables/{number}/write-offs", BASIS, member="bank").status_code == 200
    pay(number, 100)
    assert served.post(f"/receivables/{number}/claims", member="bank").status_code == 200
    shown = served.get(f"/receivables/{number}").json()
    [held] = [entry for entry in shown["holdings"] if entry["holder"] == bank]
    facts = ("units", "claimed", "claimable", "writtenOff", "recovered")
    assert [held[name] for name in facts] == ["400", "240", "0", "200", "40"]
    assert held["writtenOffAt"] <= served.chain.time()
    again = served.post(f"/receivables/{number}/write-offs", BASIS, member="bank")
    assert again.json()["contractError"]["name"] == "ReceivableLedger_AlreadyWrittenOff"

    report = served.get("/reports/exposure", "bank", by="debtor", bank=bank, currency="CNY").json()
    [line] = report["lines"]
    amounts = [line[n] for n in ("outstanding", "overdue", "defaulted", "writtenOff", "recovered", "concentration")]
    assert amounts == ["160", "0", "0", "160", "40", "100.00"]
    assert (report["at"], line["account"], line["name"]) == (
        served.get("/readyz").json()["time"],
        served.chain.member("debtor"),
        "涟源钢铁 Lianyuan Steel",
    )


# --- reminders


def test_reminders__from_the_draft_to_the_reminder__each_has_a_next_action_that_works(served, drafted, later):
    number = drafted(face=77, due_in=DAY)

    def mine(member, kind):
        found = served.get("/reminders", member, limit=1000).json()["items"]
        return [r for r in found if (r["receivableId"], r["kind"]) == (number, kind)]

    [answer] = mine("debtor", "to_answer")
    assert served.http.request(
        answer["nextAction"]["method"],
        answer["nextAction"]["path"],
        headers=served.as_("debtor") | {"prefer": "wait=10"},
    ).is_success
    [due] = mine("debtor", "due_today")
    assert (due["amount"], due["days"], due["counterparty"]) == ("77", 0, served.chain.member("supplier"))
    later(2 * DAY)
    [overdue] = mine("supplier", "overdue")
    assert overdue["nextAction"] == {"method": "POST", "path": f"/receivables/{number}/reminders"}
    path = overdue["nextAction"]["path"]
    assert served.post(path, {"text": "请付款"}, member="reader").status_code == 403
    assert served.post(path, {"text": "请付款"}, member="bank").status_code == 403
    assert served.post(path, {"text": "x" * 501}, member="supplier").status_code == 422
    assert served.post(path, {"text": "请付款"}, member="supplier").status_code == 201
    assert served.post(path, {"text": "请付款"}, member="supplier").status_code == 200
    assert served.post(path, {"text": "again"}, member="supplier").status_code == 409
    [notice] = mine("debtor", "notice")
    assert notice["notice"]["text"] == "请付款"
    assert served.get(path, "bank").json()["items"] == []
    assert served.post(notice["nextAction"]["path"], member="supplier").status_code == 403
    read = served.post(notice["nextAction"]["path"], member="debtor")
    assert (read.status_code, read.json()["acknowledgedAt"] is not None) == (200, True)
    assert mine("debtor", "notice") == []
    assert served.get("/reminders", "debtor", role="nobody").status_code == 422


def test_reminders__recourse__put_back_and_repaid_by_following_them(served, later):
    market = Market(served)
    market.fund("bank", "supplier")
    number = market.confirmed(face="1000", dueAt=market.now() + DAY)
    market.done(market.fill(market.given(number, units="600", proceeds="590", recourse=True)))

    def mine(member, kind):
        found = served.get("/reminders", member, limit=1000).json()["items"]
        return [r for r in found if (r["receivableId"], r["kind"]) == (number, kind)]

    later(DAY)
    [soon] = mine("bank", "recourse_soon")
    assert (soon["amount"], soon["days"], soon["counterparty"]) == ("600", 29, served.chain.member("supplier"))
    later(GRACE)
    [due] = mine("bank", "recourse")
    assert served.post(due["nextAction"]["path"], member="bank").status_code == 200
    assert mine("bank", "recourse") == []
    [owed] = mine("supplier", "recourse_owed")
    assert owed["amount"] == "600"
    assert served.post(owed["nextAction"]["path"], {"amount": owed["amount"]}, member="supplier").status_code == 200
    assert mine("supplier", "recourse_owed") == []


# --- reports


def test_exposure__by_group__the_calling_bank_s_own(served, confirmed):
    debtor, bank = served.chain.member("debtor"), served.chain.member("bank2")
    number = confirmed(face=500)
    moved = {"to": bank, "units": "300"}
    assert served.post(f"/receivables/{number}/transfers", moved, member="supplier").status_code == 200
    body = served.get("/reports/exposure", "bank2", by="group").json()
    assert [(line["group"], line["outstanding"]) for line in body["lines"]] == [(None, "300")]
    headers = served.as_("bank2")
    put = served.http.put("/limit-groups/steel", json={"debtors": [debtor], "limits": {}}, headers=headers)
    assert put.is_success, put.text
    body = served.get("/reports/exposure", "bank2", by="group").json()
    assert [(line["group"], line["outstanding"], line["concentration"]) for line in body["lines"]] == [
        ("steel", "300", "100.00")
    ]


def test_reports__formats__json_csv_and_pictures_say_the_same(served, confirmed):
    confirmed(face=123_456, currency="EUR")
    supplier = served.chain.member("supplier")
    query = {"as": "supplier", "party": supplier}
    body = served.get("/reports/ageing", "founder", **query).json()
    assert {line["currency"] for line in body["lines"]} == {"CNY", "EUR"}
    for line in body["lines"]:
        parts = ("notDue", "days1To30", "days31To60", "days61To90", "over90Days", "writtenOff")
        assert sum(int(line[name]) for name in parts) == int(line["outstanding"]) > 0

    answer = served.get("/reports/ageing", "founder", format="csv", **query)
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode(), newline="")))
    assert [row["outstanding"] for row in rows] == [line["outstanding"] for line in body["lines"]]
    [euro] = [row for row in rows if row["currency"] == "EUR"]
    assert (euro["outstanding"], euro["outstandingMajor"]) == ("123456", "1234.56")

    picture = served.get("/reports/ageing", "founder", format="svg", **query)
    assert picture.headers["content-type"] == "image/svg+xml"
    texts = ["".join(e.itertext()) for e in ET.fromstring(picture.content).iter("{http://www.w3.org/2000/svg}text")]
    assert any("1,234.56" in text for text in texts)
    assert any("涟源钢铁" in text for text in texts)
    png = served.get("/reports/exposure", "founder", by="bank", format="png")
    assert (png.headers["content-type"], png.content[:4]) == ("image/png", b"\x89PNG")


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("ageing", {}, 422),
        ("ageing", {"as": "nobody"}, 422),
        ("ageing", {"as": "holder", "currency": "XXX"}, 404),
        ("ageing", {"as": "holder", "party": "me"}, 422),
        ("ageing", {"as": "holder", "format": "pdf"}, 422),
        ("exposure", {"by": "group", "bank": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"}, 422),
    ],
)
def test_reports__bad_question__refused(served, path, query, status):
    assert served.get(f"/reports/{path}", "bank", **query).status_code == status
    assert served.get(f"/reports/{path}", None, **query).status_code == 401


@pytest.fixture
def command(served, monkeypatch):
    """The command line against the service in this process."""

    async def fetch(url, key, path, params):
        async def sent(route, **query):
            answer = served.http.get(route, params=query, headers={"authorization": f"Bearer {key}"})
            return await report_command._answer(Answered(answer))

        content = await sent(path, **params)
        currencies = served.http.get("/currencies").json()
        return content, {entry["code"]: entry["decimals"] for entry in currencies}

    class Answered:
        def __init__(self, answer):
            self.status, self.content = answer.status_code, answer.content

        async def __aenter__(self):
            return self

        async def __aexit__(self, *_):
            return None

        async def read(self):
            return self.content

    monkeypatch.setattr(report_command, "_fetch", fetch)
    monkeypatch.setenv("CHAINCITY_KEY", served.keys["supplier"])
    return lambda *args: CliRunner(mix_stderr=False).invoke(main, ["receivables", *args])


def test_command__every_form__as_the_service_answers(served, command, tmp_path):
    table = command("ageing", "--as", "supplier")
    assert table.exit_code == 0, table.stderr
    assert "涟源钢铁 Lianyuan Steel" in table.stdout
    assert "1234.56" in table.stdout
    as_json = command("ageing", "--as", "supplier", "--json")
    supplier = served.chain.member("supplier")
    assert as_json.stdout == served.get("/reports/ageing", "supplier", **{"as": "supplier", "party": supplier}).text
    as_csv = command("exposure", "--by", "debtor", "--currency", "EUR", "--csv")
    assert as_csv.stdout_bytes.count(b"\r\n") == 2
    picture = tmp_path / "ageing.svg"
    assert command("ageing", "--as", "supplier", "--plot", str(picture)).exit_code == 0
    ET.fromstring(picture.read_bytes())


def test_command__refusals__2_and_the_reason(command, tmp_path):
    for args, words in (
        (("ageing", "--currency", "XXX"), "no settlement token for XXX"),
        (("ageing", "--plot", str(tmp_path / "a.pdf")), "an .svg or a .png"),
        (("ageing", "--plot", str(tmp_path / "no" / "a.svg")), "No such file"),
        (("exposure", "--key", "cck_wrong"), "unknown or was revoked"),
    ):
        found = command(*args)
        assert (found.exit_code, found.stdout) == (2, "")
        assert words in found.stderr


def test_command__no_service__2(monkeypatch, tmp_path):
    monkeypatch.setenv("CHAINCITY_KEY", "cck_x")
    args = ["receivables", "ageing", "--url", "http://127.0.0.1:9"]
    found = CliRunner(mix_stderr=False).invoke(main, args)
    assert (found.exit_code, found.stdout) == (2, "")
    assert "did not answer" in found.stderr
    monkeypatch.delenv("CHAINCITY_KEY")
    assert "CHAINCITY_KEY" in CliRunner(mix_stderr=False).invoke(main, args).stderr
    assert Path(tmp_path).exists()
