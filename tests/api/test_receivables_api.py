"""Invoices, receivables and quotes over HTTP: what is stored, what is refused, who sees what, and that the chain agrees."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from frontend_api.kit.pagination import encode_cursor
from scripts.demonstration.processes import rpc
from scripts.demonstration.receivables import INVOICE, changed
from tests.evm import dev_account

DAY = 86400
FACE = 48_600_000


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


@pytest.fixture(scope="module")
def funded(served):
    """Both banks have money and let the desk take it."""
    for bank in ("bank", "bank2"):
        body = {"to": served.chain.member(bank), "amount": "1000000000", "booking": "0x" + "11" * 32}
        assert served.post("/currencies/CNY/issues", body, member=bank).status_code == 200
        approval = {"spender": "FinancingDesk", "amount": "1000000000"}
        assert served.post("/currencies/CNY/approvals", approval, member=bank).status_code == 200


@pytest.fixture
def quote(served, funded):
    """A prepared quote; the terms can be replaced."""

    def made(number, bank="bank", **terms):
        body = {
            "receivableId": number,
            "units": "1000",
            "proceeds": "990",
            "seller": served.chain.member("supplier"),
            "recourse": False,
            "validUntil": served.chain.time() + DAY,
        }
        answer = served.post("/quotes/prepare", body | terms, member=bank, wait=0)
        assert answer.status_code == 200, answer.text
        return answer.json()

    return made


def give(served, prepared, bank="bank", **extra):
    return served.post("/quotes", {"quote": prepared["quote"]} | (extra or {"sign": True}), member=bank, wait=0)


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
        "invoiceHash": "0x" + "a1" * 32,
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
        good | {"invoiceHash": "0x" + "b1" * 32},
        good | {"invoiceHash": "0x" + "b2" * 32, "currency": "USD"},
        good | {"invoiceHash": "0x" + "b3" * 32, "face": 0},
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
    answer = served.post("/receivables", body | {"invoiceHash": "0x" + "c1" * 32}, member="supplier")
    number = answer.json()["events"][0]["args"]["id"]
    served.post(f"/receivables/{number}/confirm", member="debtor")
    before = served.get(f"/receivables/{number}").json()
    assert (before["open"], before["overdue"], before["outstanding"]) == (True, False, "7")

    rpc(served.chain.url, "evm_increaseTime", 600)
    rpc(served.chain.url, "evm_mine")

    # Drafting waits for its block, and so for the tables to be past the due date.
    served.post("/receivables", body | {"invoiceHash": "0x" + "c2" * 32, "dueAt": due + DAY}, member="supplier")
    after = served.get(f"/receivables/{number}").json()
    assert (after["open"], after["overdue"], after["outstanding"]) == (False, True, "7")
    late = served.post(
        f"/receivables/{number}/transfers", {"to": served.chain.member("bank"), "units": "1"}, member="supplier"
    )
    assert late.json()["contractError"]["name"] == "ReceivableLedger_Due"


def test_get__unknown__404(served):
    assert served.get("/receivables/999999").status_code == 404
    assert served.get("/quotes/0x" + "11" * 32).status_code == 404
    assert served.get("/quotes/1").status_code == 422


# --- quotes


def test_quote__given_twice__kept_once_and_the_second_says_200(served, confirmed, quote):
    prepared = quote(confirmed())
    first, second = give(served, prepared), give(served, prepared)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert first.headers["location"] == f"/quotes/{first.json()['id']}"


def test_quote__private__only_its_bank_and_its_seller_see_it(served, confirmed, quote):
    number = confirmed()
    given = give(served, quote(number)).json()
    for member, count in (("bank", 1), ("supplier", 1), ("bank2", 0), ("debtor", 0), ("founder", 0)):
        assert len(served.get("/quotes", member, receivable=number).json()["items"]) == count
        assert served.get(f"/quotes/{given['id']}", member).status_code == (200 if count else 404)
    assert served.post(f"/quotes/{given['id']}/fill", member="debtor").status_code == 404


@pytest.mark.parametrize(
    ("terms", "status", "name"),
    [
        ({"units": str(FACE + 1)}, 409, "ReceivableLedger_InsufficientUnits"),
        ({"proceeds": "2000000000"}, 409, "ERC20InsufficientAllowance"),
        ({"validUntil": 1}, 409, "FinancingDesk_Expired"),
        ({"seller": dev_account(2).address}, 422, "FinancingDesk_OwnQuote"),
        ({"seller": dev_account(6).address}, 409, "ReceivableLedger_InsufficientUnits"),
    ],
)
def test_quote__cannot_be_filled_now__refused_as_the_chain_would(served, confirmed, quote, terms, status, name):
    number = confirmed()
    answer = give(served, quote(number, **terms))
    assert (answer.status_code, answer.json()["contractError"]["name"]) == (status, name)
    assert served.get("/quotes", "bank", receivable=number).json()["items"] == []


def test_quote__of_a_draft__refused(served, drafted, quote):
    answer = give(served, quote(drafted()))
    assert answer.json()["contractError"]["name"] == "ReceivableLedger_WrongState"


def test_quote__not_a_bank__refused(served, confirmed, quote):
    answer = give(served, quote(confirmed(), bank="debtor"), bank="debtor")
    assert (answer.status_code, answer.json()["contractError"]["name"]) == (403, "FinancingDesk_NotAFinancier")


def test_quote__wrong_signatures__refused(served, confirmed, quote):
    prepared = quote(confirmed())
    own = Account.sign_message(encode_typed_data(full_message=prepared["typedData"]), dev_account(2).key).signature
    elsewhere = prepared["typedData"] | {"domain": prepared["typedData"]["domain"] | {"chainId": 1}}
    for_other_chain = Account.sign_message(encode_typed_data(full_message=elsewhere), dev_account(2).key).signature
    changed_terms = prepared | {"quote": prepared["quote"] | {"proceeds": "991"}}
    for body, signature in (
        (prepared, for_other_chain),
        (prepared, own[:-1]),
        (prepared, b"\x00" * 65),
        (changed_terms, own),
    ):
        answer = give(served, body, signature="0x" + bytes(signature).hex())
        assert (answer.status_code, answer.json()["contractError"]["name"]) == (422, "FinancingDesk_WrongSigner")
    # Another bank cannot pass the signature off as its own.
    stolen = give(served, prepared, bank="bank2", signature="0x" + bytes(own).hex())
    assert stolen.json()["contractError"]["name"] == "FinancingDesk_WrongSigner"
    assert give(served, prepared, signature="0x" + bytes(own).hex()).status_code == 201


def test_quote__filled_then_replayed__once_only(served, confirmed, quote):
    number = confirmed()
    given = give(served, quote(number)).json()
    assert served.post(f"/quotes/{given['id']}/fill", member="bank").status_code == 403
    assert served.post(f"/quotes/{given['id']}/fill", member="supplier").status_code == 200
    again = served.post(f"/quotes/{given['id']}/fill", member="supplier")
    assert (again.status_code, again.json()["contractError"]["name"]) == (409, "FinancingDesk_NonceUsed")
    assert served.get(f"/quotes/{given['id']}", "bank").json()["state"] == "filled"
    held = {h["holder"]: h["units"] for h in served.get(f"/receivables/{number}").json()["holdings"]}
    assert held == {served.chain.member("supplier"): str(FACE - 1000), served.chain.member("bank"): "1000"}


def test_quote__one_nonce_twice__the_other_says_so(served, confirmed, quote):
    number = confirmed()
    first = quote(number)
    second = quote(number, nonce=first["quote"]["nonce"], proceeds="980")
    taken, left = give(served, first).json(), give(served, second).json()
    assert served.post(f"/quotes/{taken['id']}/fill", member="supplier").status_code == 200
    assert served.get(f"/quotes/{left['id']}", "supplier").json()["state"] == "nonce_used"


def test_quote__cancelled__by_its_bank_alone(served, confirmed, quote):
    given = give(served, quote(confirmed())).json()
    assert served.post(f"/quotes/{given['id']}/cancel", member="supplier").status_code == 403
    assert served.post(f"/quotes/{given['id']}/cancel", member="bank").status_code == 200
    answer = served.post(f"/quotes/{given['id']}/fill", member="supplier")
    assert (answer.status_code, answer.json()["contractError"]["name"]) == (409, "FinancingDesk_NonceCancelled")


def test_quote__reader_s_key__may_not_prepare_or_give(served, confirmed, quote):
    prepared = quote(confirmed())
    assert give(served, prepared, bank="reader").status_code == 403
    assert served.get("/quotes", "reader", receivable=prepared["quote"]["receivableId"]).status_code == 200
