"""Invoices and receivables over HTTP: what is stored, what is refused, who sees what, and that the chain agrees."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from frontend_api.kit.pagination import encode_cursor
from scripts.demonstration.processes import rpc
from scripts.demonstration.receivables import INVOICE, changed

DAY = 86400


@pytest.fixture(scope="module")
def invoice(served):
    """An invoice with its own number, due in 90 days of chain time."""
    numbers = iter(range(1, 1000))

    def made(**elements):
        today = datetime.fromtimestamp(served.chain.time(), UTC).date()
        dates = {"IssueDate": str(today - timedelta(days=1)), "DueDate": str(today + timedelta(days=90))}
        return changed(INVOICE.read_bytes(), ID=f"API-{next(numbers)}", **(dates | elements))

    return made


@pytest.fixture(scope="module")
def upload(served):
    def send(content, member="supplier", path="/receivables/from-invoice", key="", **fields):
        headers = served.as_(member) | {"prefer": "wait=10"} | ({"idempotency-key": key} if key else {})
        contents = content if isinstance(content, list) else [content]
        files = [("file", (f"{i}.xml", c, "application/xml")) for i, c in enumerate(contents)]
        return served.http.post(path, files=files, data=fields, headers=headers)

    return send


@pytest.fixture(scope="module")
def drafted(upload, invoice):
    def made():
        answer = upload(invoice())
        assert answer.status_code == 200, answer.text
        return next(e["args"]["id"] for e in answer.json()["events"] if e["event"] == "ReceivableDrafted")

    return made


@pytest.fixture(scope="module")
def confirmed(served, drafted):
    def made():
        number = drafted()
        assert served.post(f"/receivables/{number}/confirm", member="debtor").status_code == 200
        return number

    return made


# --- invoices


def test_check__many_files__one_judgement_each_and_nothing_is_stored(served, upload, invoice):
    before = served.get("/receivables").json()
    answer = upload([invoice(), b"<x/>", invoice(DueDate=None)], path="/invoices/check")

    assert answer.status_code == 200
    found = answer.json()
    assert [item["outcome"] for item in found["items"]] == ["receivable", "refused", "needs_due_date"]
    assert [item["file"] for item in found["items"]] == ["0.xml", "1.xml", "2.xml"]
    assert found["demonstrationKey"] is True
    assert served.get("/receivables").json() == before


def test_check__without_key_or_file__401_and_422(served, upload):
    assert upload(b"<x/>", member=None, path="/invoices/check").status_code == 401
    assert served.http.post("/invoices/check", headers=served.as_("supplier")).status_code == 422


@pytest.mark.parametrize(
    ("elements", "field", "words"),
    [
        ({"PayableAmount": "468000.00"}, "cbc:PayableAmount", "wrong sum"),
        ({"DueDate": None}, "cbc:DueDate", "is missing"),
        ({"InvoiceTypeCode": "381"}, "file", "credit note"),
        ({"DocumentCurrencyCode": "USD"}, "file", "no settlement token for USD"),
    ],
)
def test_from_invoice__not_a_receivable__422_with_file_field_and_rule(served, upload, invoice, elements, field, words):
    before = served.get("/receivables").json()
    answer = upload(invoice(**elements))

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    [error] = answer.json()["errors"]
    assert (error["file"], error["field"]) == ("0.xml", field)
    assert words in error["rule"]
    assert served.get("/receivables").json() == before


def test_from_invoice__due_in_the_past__the_contract_s_refusal(served, upload, invoice):
    answer = upload(invoice(IssueDate="2020-01-01", DueDate="2020-02-01"))
    assert answer.status_code == 422
    assert answer.json()["contractError"]["name"] == "ReceivableLedger_DueInPast"


def test_from_invoice__same_key_and_file__same_transaction(upload, invoice):
    content = invoice()
    first, second = upload(content, key="k-same"), upload(content, key="k-same")
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json()["id"] == second.json()["id"]


def test_from_invoice__same_key_other_file_or_field__refused(upload, invoice, served):
    content = invoice()
    assert upload(content, key="k-other").status_code == 200
    for again in (
        upload(invoice(), key="k-other"),
        upload(content, key="k-other", debtor=served.chain.member("debtor")),
    ):
        assert again.status_code == 422
        assert again.json()["errors"][0]["field"] == "Idempotency-Key"


# --- receivables


def test_draft__json__the_same_facts_on_chain_and_in_the_tables(served):
    body = {
        "debtor": served.chain.member("debtor"),
        "currency": "EUR",
        "face": "125",
        "dueAt": served.chain.time() + DAY,
        "fingerprint": "0x" + "a1" * 32,
        "numberFingerprint": "0x" + "d1" * 32,
    }
    answer = served.post("/receivables", body, member="supplier")
    assert answer.status_code == 200
    shown = served.get(f"/receivables/{answer.json()['events'][0]['args']['id']}").json()
    assert (shown["face"], shown["currency"], shown["state"]) == ("125", "EUR", "draft")
    assert (shown["outstanding"], shown["overdue"], shown["open"]) == ("0", False, False)
    assert shown["holdings"] == []


def test_draft__bulk__each_item_has_its_own_result(served):
    good = {"debtor": served.chain.member("debtor"), "currency": "CNY", "face": 5, "dueAt": served.chain.time() + DAY}
    items = [
        good | {"fingerprint": "0x" + "b1" * 32, "numberFingerprint": "0x" + "e1" * 32},
        good | {"fingerprint": "0x" + "b2" * 32, "numberFingerprint": "0x" + "e2" * 32, "currency": "USD"},
        good | {"fingerprint": "0x" + "b3" * 32, "numberFingerprint": "0x" + "e3" * 32, "face": 0},
    ]
    answer = served.post("/receivables", {"items": items}, member="supplier")
    found = answer.json()["items"]
    assert found[0]["transaction"]["state"] in ("mined", "final")
    assert "no settlement token for USD" in found[1]["problem"]["detail"]
    assert found[2]["problem"]["errors"][0]["field"] == "items.2.face"
    refused = served.post("/receivables", {"items": items[:2], "onError": "refuse"}, member="supplier")
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "items.1.currency"


@pytest.mark.parametrize(
    ("act", "member", "state"), [("reject", "debtor", "rejected"), ("withdraw", "supplier", "withdrawn")]
)
def test_draft__dropped__final_and_the_other_party_cannot(served, drafted, act, member, state):
    number = drafted()
    other = {"debtor": "supplier", "supplier": "debtor"}[member]
    assert served.post(f"/receivables/{number}/{act}", member=other).status_code == 403
    assert served.post(f"/receivables/{number}/{act}", member=member).status_code == 200
    assert served.get(f"/receivables/{number}").json()["state"] == state
    answer = served.post(f"/receivables/{number}/confirm", member="debtor")
    assert (answer.status_code, answer.json()["detail"]) == (
        409,
        f"Receivable {number} is {state}; that does not allow this.",
    )


def test_list__filters_and_cursor__every_receivable_once(served, confirmed):
    number = confirmed()
    supplier, debtor = served.chain.member("supplier"), served.chain.member("debtor")
    seen, cursor = [], None
    while True:
        page = served.get("/receivables", supplier=supplier, limit=2, **({"cursor": cursor} if cursor else {})).json()
        seen += [item["id"] for item in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert seen == sorted(set(seen))
    assert number in seen
    holds = served.get("/receivables", holder=supplier, state="confirmed", debtor=debtor, limit=1000).json()["items"]
    assert number in [item["id"] for item in holds]
    assert served.get("/receivables", supplier=debtor).json()["items"] == []
    assert served.get("/receivables", state="burnt").status_code == 422
    for cursor in (encode_cursor("abc"), encode_cursor(10**30), encode_cursor(1, 2), "%%%"):
        assert served.get("/receivables", cursor=cursor).status_code == 422


def test_get__due_date_passes__overdue_by_chain_time_alone(served):
    due = served.chain.time() + 600
    body = {"debtor": served.chain.member("debtor"), "currency": "CNY", "face": "7", "dueAt": due}
    answer = served.post(
        "/receivables",
        body | {"fingerprint": "0x" + "c1" * 32, "numberFingerprint": "0x" + "f1" * 32},
        member="supplier",
    )
    number = answer.json()["events"][0]["args"]["id"]
    served.post(f"/receivables/{number}/confirm", member="debtor")
    before = served.get(f"/receivables/{number}").json()
    assert (before["open"], before["overdue"], before["outstanding"]) == (True, False, "7")

    rpc(served.chain.url, "evm_increaseTime", 600)
    rpc(served.chain.url, "evm_mine")

    # Drafting waits for its block, and so for the tables to be past the due date.
    served.post(
        "/receivables",
        body | {"fingerprint": "0x" + "c2" * 32, "numberFingerprint": "0x" + "f2" * 32, "dueAt": due + DAY},
        member="supplier",
    )
    after = served.get(f"/receivables/{number}").json()
    assert (after["open"], after["overdue"], after["outstanding"]) == (False, True, "7")
    late = served.post(
        f"/receivables/{number}/transfers", {"to": served.chain.member("bank"), "units": "1"}, member="supplier"
    )
    assert late.json()["contractError"]["name"] == "ReceivableLedger_Due"


def test_get__unknown__404(served):
    assert served.get("/receivables/999999").status_code == 404


# --- up to 1,000 at once


def test_bulk__confirm_pay_claim__each_item_by_itself_and_the_chain_agrees(served, drafted):
    numbers = [drafted(), drafted()]

    def bulk(path, member, *items, **more):
        return served.post(f"/receivables/{path}", {"items": list(items)} | more, member=member)

    answer = bulk("confirmations", "debtor", *({"receivableId": n} for n in (numbers[0], 10**9, numbers[1])))
    assert answer.status_code == 202, answer.text
    first, unknown, last = answer.json()["items"]
    assert (first["problem"], last["transaction"]["state"]) == (None, "mined")
    assert (unknown["transaction"], unknown["problem"]["status"]) == (None, 404)
    assert [served.get(f"/receivables/{n}").json()["state"] for n in numbers] == ["confirmed"] * 2

    money = {"to": served.chain.member("debtor"), "amount": str(10**9), "booking": "0x" + "11" * 32}
    assert served.post("/currencies/CNY/issues", money, member="bank").status_code == 200
    leave = {"spender": "Escrow", "amount": str(10**9)}
    assert served.post("/currencies/CNY/approvals", leave, member="debtor").status_code == 200
    wanted = [{"receivableId": numbers[0], "amount": "5"}, {"receivableId": numbers[1], "amount": "7"}]
    paid = bulk("payments", "debtor", *wanted, {"receivableId": numbers[0]}).json()["items"]
    assert paid[1]["transaction"]["state"] == "mined"
    assert paid[2]["problem"]["errors"] == [{"field": "items.2.amount", "rule": "Field required"}]
    assert [served.get(f"/receivables/{n}").json()["paid"] for n in numbers] == ["5", "7"]

    claimed = bulk("claims", "supplier", *({"receivableId": n} for n in numbers)).json()["items"]
    assert [entry["events"][0]["args"]["amount"] for item in claimed if (entry := item["transaction"])] == [5, 7]
    assert [served.get(f"/receivables/{n}").json()["holdings"][0]["claimed"] for n in numbers] == ["5", "7"]


def test_bulk__one_is_wrong_and_all_or_nothing__422_and_nothing_done(served, drafted):
    number = drafted()
    for wrong in (0, 10**9):
        body = {"items": [{"receivableId": number}, {"receivableId": wrong}], "onError": "refuse"}
        answer = served.post("/receivables/confirmations", body, member="debtor")
        assert answer.status_code == 422
        assert [entry["field"] for entry in answer.json()["errors"]] == ["items.1.receivableId"]
    assert served.get(f"/receivables/{number}").json()["state"] == "draft"


def test_bulk__not_the_debtor__each_has_its_refusal(served, drafted):
    number = drafted()
    body = {"items": [{"receivableId": number}]}
    [item] = served.post("/receivables/confirmations", body, member="supplier").json()["items"]
    assert item["transaction"]["problem"]["contractError"]["name"] == "ReceivableLedger_NotDebtor"
    assert served.get(f"/receivables/{number}").json()["state"] == "draft"


def test_redeem__tokens_go_back_to_the_bank__the_holder_has_less(served):
    account = served.chain.member("supplier")
    money = {"to": account, "amount": "500", "booking": "0x" + "11" * 32}
    assert served.post("/currencies/CNY/issues", money, member="bank").status_code == 200
    before = int(served.get(f"/currencies/CNY/balances/{account}").json()["balance"])
    back = {"bank": served.chain.member("bank"), "amount": "200", "booking": "0x" + "12" * 32}
    sent = served.post("/currencies/CNY/redemptions", back, member="supplier")
    assert sent.status_code == 200, sent.text
    assert int(served.get(f"/currencies/CNY/balances/{account}").json()["balance"]) == before - 200
