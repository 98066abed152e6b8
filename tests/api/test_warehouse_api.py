"""Warehouse receipts and pledges over HTTP: the whole way, what is refused, who sees what, and that the chain agrees."""

from __future__ import annotations

import asyncio

import pytest

from frontend_api.chain.rpc import Rpc
from frontend_api.modules.receivables.invoices import DEMONSTRATION_KEY
from frontend_api.modules.warehouse.contract import PledgeState, ReceiptState, WarehouseLedger
from frontend_api.modules.warehouse.lots import Lot, goods_commitment
from scripts.demonstration.processes import rpc
from tests.evm import dev_account

DAY = 86400
BASIS = "0x" + "ba" * 32
DESCRIPTION = "热轧卷板 Q235B"
FACTS = {"takenIn": "2026-09-17", "description": DESCRIPTION, "quantity": "500000", "unit": "KGM"}


@pytest.fixture(scope="module")
def lot(served):
    """A new lot of the supplier's, with any fact replaced."""
    numbers = iter(range(1, 10**6))

    def made(**changed):
        facts = FACTS | {"number": f"2026/{next(numbers)}", "owner": served.chain.member("supplier")}
        return facts | changed

    return made


@pytest.fixture(scope="module")
def issued(served, lot):
    def made(**changed):
        answer = served.post("/warehouse-receipts", lot(**changed), member="warehouse")
        assert answer.status_code == 200, answer.text
        return event(answer, "ReceiptIssued")["receiptId"]

    return made


@pytest.fixture(scope="module")
def proposal(served):
    def made(**changed):
        body = {
            "bank": served.chain.member("bank"),
            "supervisor": served.chain.member("supervisor"),
            "quantity": "200000",
            "securedAmount": "90000000",
            "currency": "CNY",
            "answerBy": served.chain.time() + DAY,
        }
        return body | changed

    return made


@pytest.fixture(scope="module")
def proposed(served, proposal):
    def made(receipt, **changed):
        answer = served.post(f"/warehouse-receipts/{receipt}/pledges", proposal(**changed), member="supplier")
        assert answer.status_code == 200, answer.text
        return event(answer, "PledgeProposed")["pledgeId"]

    return made


@pytest.fixture(scope="module")
def active(served, proposed):
    def made(receipt, **changed):
        number = proposed(receipt, **changed)
        assert served.post(f"/pledges/{number}/accept", member="bank").status_code == 200
        assert served.post(f"/pledges/{number}/confirm", {"basis": BASIS}, member="supervisor").status_code == 200
        return number

    return made


@pytest.fixture
def on_chain(served):
    """What a view of the ledger says."""

    def read(function, number):
        async def asked():
            rpc = Rpc(served.chain.url, 10)
            try:
                ledger = WarehouseLedger(rpc, served.chain.city.contracts["WarehouseLedger"])
                return await getattr(ledger, function)(number)
            finally:
                await rpc.close()

        return asyncio.run(asked())

    return read


def event(answer, name):
    return next(entry["args"] for entry in answer.json()["events"] if entry["event"] == name)


def refused(answer, status, error=None):
    assert answer.status_code == status, answer.text
    body = answer.json()
    if error:
        assert body["detail"].endswith(".")
        assert body["contractError"]["name"] == error
    return body


# --- the whole way


def test_receipt__from_issue_to_delivery__tables_and_chain_agree(served, issued, proposed, on_chain):
    receipt = issued(number="WHOLE-1")
    pledge = proposed(receipt)

    def queue(member, state):
        query = {member: served.chain.member(member), "state": state}
        return [item["id"] for item in served.get("/pledges", member=member, **query).json()["items"]]

    assert pledge in queue("bank", "proposed")
    assert served.post(f"/pledges/{pledge}/accept", member="bank").status_code == 200
    assert pledge not in queue("bank", "proposed")
    assert pledge in queue("supervisor", "accepted")
    assert served.post(f"/pledges/{pledge}/confirm", {"basis": BASIS}, member="supervisor").status_code == 200
    assert pledge in queue("bank", "active")

    found = served.get(f"/warehouse-receipts/{receipt}").json()
    assert (found["state"], found["issued"], found["quantity"], found["pledged"], found["free"]) == (
        *("stored", "500000", "500000"),
        *("200000", "300000"),
    )
    assert [entry["id"] for entry in found["pledges"]] == [pledge]

    too_much = served.post(f"/warehouse-receipts/{receipt}/deliveries", {"quantity": 300001}, member="warehouse")
    args = refused(too_much, 409, "WarehouseLedger_InsufficientFree")["contractError"]["args"]
    assert args == {"receiptId": receipt, "free": 300000, "requested": 300001}
    assert served.post(f"/pledges/{pledge}/releases", {"quantity": "150000"}, member="bank").status_code == 200
    one = served.get(f"/pledges/{pledge}").json()
    assert (one["state"], one["proposed"], one["quantity"], one["hasLapsed"]) == ("active", "200000", "50000", False)
    kept = on_chain("pledge_of", pledge)
    assert (kept.state, kept.quantity, kept.secured_amount, kept.currency, kept.receipt_id, kept.answer_by) == (
        *(PledgeState.ACTIVE, 50_000, 90_000_000, "CNY", receipt),
        one["answerBy"],
    )
    assert served.post(f"/pledges/{pledge}/releases", {"quantity": 50000}, member="bank").status_code == 200
    assert served.get(f"/pledges/{pledge}").json()["state"] == "released"

    delivered = served.post(f"/warehouse-receipts/{receipt}/deliveries", {"quantity": "500000"}, member="warehouse")
    assert event(delivered, "GoodsDelivered")["to"] == served.chain.member("supplier")
    found = served.get(f"/warehouse-receipts/{receipt}").json()
    assert (found["state"], found["quantity"], found["pledged"], found["free"]) == ("delivered", "0", "0", "0")
    assert found["endedAt"] is not None
    kept = on_chain("receipt", receipt)
    assert (kept.state, kept.quantity, kept.pledged, kept.unit) == (ReceiptState.DELIVERED, 0, 0, "KGM")
    assert "0x" + kept.fingerprint.hex() == found["fingerprint"]


# --- issue


def test_issue__fingerprints_and_commitment__as_documented(served, lot):
    body = lot(number="PRINT-1")
    codes = {name: served.chain.city.members[name]["creditCode"] for name in ("warehouse", "supplier")}
    answer = served.post("/warehouse-receipts", body, member="warehouse")
    args = event(answer, "ReceiptIssued")
    facts = Lot(codes["warehouse"], codes["supplier"], "PRINT-1", "2026-09-17", DESCRIPTION, 500_000, "KGM")
    full, number = ("0x" + made.hex() for made in facts.fingerprints(DEMONSTRATION_KEY))
    assert (args["fingerprint"], args["numberFingerprint"]) == (full, number)

    checked = served.post(
        "/lots/check",
        {k: v for k, v in body.items() if k != "owner"} | {"warehouse": codes["warehouse"], "owner": codes["supplier"]},
        member="bank",
    )
    assert checked.status_code == 200
    assert checked.json() == {"fingerprint": full, "numberFingerprint": number, "demonstrationKey": True}

    found = served.get(f"/warehouse-receipts/{args['receiptId']}", member="supplier").json()
    salt = bytes.fromhex(found["lot"].pop("salt")[2:])
    assert found["lot"] == {"number": "PRINT-1", "takenIn": "2026-09-17", "description": DESCRIPTION}
    assert "0x" + goods_commitment(salt, DESCRIPTION).hex() == found["goods"]


def test_issue__the_same_lot_again__409_and_an_altered_copy_too(served, lot):
    body = lot()
    assert served.post("/warehouse-receipts", body, member="warehouse").status_code == 200
    refused(served.post("/warehouse-receipts", body, member="warehouse"), 409, "FinancingRegister_Taken")
    altered = body | {"quantity": "600000"}
    refused(served.post("/warehouse-receipts", altered, member="warehouse"), 409, "FinancingRegister_NumberTaken")


def test_issue__same_key_and_body__the_first_receipt(served, lot):
    body = lot()
    first = served.post("/warehouse-receipts", body, member="warehouse", key="lot-twice")
    again = served.post("/warehouse-receipts", body, member="warehouse", key="lot-twice")
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json()["id"] == again.json()["id"]
    number = event(again, "ReceiptIssued")["receiptId"]
    assert served.get(f"/warehouse-receipts/{number}", member="warehouse").json()["lot"]["number"] == body["number"]


def test_issue__many__each_item_for_itself(served, lot):
    nobody = dev_account(18).address
    items = [lot(), lot(unit="kg"), lot(owner=nobody), lot()]
    answer = served.post("/warehouse-receipts", {"items": items}, member="warehouse")
    assert answer.status_code == 202
    found = answer.json()["items"]
    assert [item["problem"] and item["problem"]["errors"][0]["field"] for item in found] == [
        *(None, "items.1.unit"),
        *("owner", None),
    ]
    assert served.get(f"/transactions/{found[3]['transaction']['id']}", member="warehouse").json()["state"] == "mined"
    whole = served.post("/warehouse-receipts", {"items": items[2:], "onError": "refuse"}, member="warehouse")
    assert refused(whole, 422)["errors"][0]["field"] == "items.0.owner"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"quantity": 1.5}, "quantity"),
        ({"quantity": "-1"}, "quantity"),
        ({"quantity": str(2**128)}, "quantity"),
        ({"unit": "kgm"}, "unit"),
        ({"unit": "KILO"}, "unit"),
        ({"takenIn": "2026-02-30"}, "takenIn"),
        ({"takenIn": 20260917}, "takenIn"),
        ({"number": " /- "}, "number"),
        ({"description": ""}, "description"),
        ({"owner": "0x00"}, "owner"),
        ({"goods": "x"}, "goods"),
    ],
)
def test_issue__what_is_no_lot__422_with_the_field(served, lot, changed, field):
    answer = served.post("/warehouse-receipts", lot(**changed), member="warehouse")
    assert [entry["field"] for entry in refused(answer, 422)["errors"]] == [field]


def test_issue__by_another_than_a_warehouse__403(served, lot):
    refused(served.post("/warehouse-receipts", lot(), member="bank"), 403, "AccessManagedUnauthorized")
    assert served.post("/warehouse-receipts", lot(), member=None).status_code == 401
    assert served.post("/warehouse-receipts", lot(), member="reader").status_code == 403


# --- who sees what


def test_lot__its_facts__for_its_parties_only(served, issued, proposed):
    receipt = issued()

    def shown(member):
        found = served.get(f"/warehouse-receipts/{receipt}", member=member)
        assert found.status_code == 200
        return found.json()["lot"] is not None

    everybody = ("warehouse", "supplier", "bank", "bank2", "supervisor", "debtor", "court")
    assert [name for name in everybody if shown(name)] == ["warehouse", "supplier"]
    proposed(receipt)
    assert [name for name in everybody if shown(name)] == ["warehouse", "supplier", "bank", "supervisor"]
    assert served.get(f"/warehouse-receipts/{receipt}", member=None).status_code == 401


# --- receipts


def test_transfer__then_the_list_by_owner__follows(served, issued, proposed):
    receipt, pledged = issued(), issued()
    proposed(pledged)
    body = {"to": served.chain.member("debtor")}
    assert served.post(f"/warehouse-receipts/{receipt}/transfers", body, member="supplier").status_code == 200
    listed = served.get("/warehouse-receipts", owner=body["to"], state="stored").json()["items"]
    assert receipt in [item["id"] for item in listed]
    answer = served.post(f"/warehouse-receipts/{pledged}/transfers", body, member="supplier")
    assert refused(answer, 409, "WarehouseLedger_Pledged")["detail"].startswith(f"200000 of receipt {pledged}")


def test_lists__pages_of_one__all_of_them_once(served, issued):
    for _ in range(2):
        issued()
    query = {"warehouse": served.chain.member("warehouse"), "limit": 1}
    found, cursor = [], None
    while True:
        page = served.get("/warehouse-receipts", **query, **({"cursor": cursor} if cursor else {})).json()
        found += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    everything = served.get("/warehouse-receipts", warehouse=query["warehouse"], limit=1000).json()["items"]
    assert found == [item["id"] for item in everything] == sorted(set(found))
    assert len(found) >= 2


def test_lists__unknown_state__422(served):
    assert served.get("/warehouse-receipts", state="gone").status_code == 422
    assert served.get("/pledges", state="gone").status_code == 422


def test_look_ups__of_what_is_not_there__404(served):
    refused(served.get("/warehouse-receipts/999999"), 404)
    refused(served.get("/pledges/999999"), 404)
    refused(served.post("/pledges/999999/accept", member="bank"), 409, "WarehouseLedger_WrongPledgeState")


def test_shortage__by_warehouse_and_supervisor__each_has_its_own_figure(served, issued, active):
    receipt = issued()
    pledge = active(receipt)
    path, body = f"/warehouse-receipts/{receipt}/shortages", {"quantity": "40", "basis": BASIS}
    assert served.post(path, body, member="warehouse").status_code == 200
    assert served.post(path, body | {"quantity": 60, "pledge": pledge}, member="supervisor").status_code == 200
    found = served.get(f"/warehouse-receipts/{receipt}").json()
    assert (found["shortage"], found["pledges"][0]["shortage"]) == ("40", "60")
    assert found["quantity"] == "500000"
    assert served.post(path, body | {"quantity": 0}, member="warehouse").status_code == 200
    found = served.get(f"/warehouse-receipts/{receipt}").json()
    assert (found["shortage"], found["pledges"][0]["shortage"]) == ("0", "60"), "the supervisor's report stands"
    refused(served.post(path, body, member="supervisor"), 403, "WarehouseLedger_NotWarehouse")


def test_strike__by_the_court__ended(served, issued):
    receipt = issued()
    assert served.post(f"/warehouse-receipts/{receipt}/strike", {"basis": BASIS}, member="court").status_code == 200
    found = served.get(f"/warehouse-receipts/{receipt}").json()
    assert (found["state"], found["free"]) == ("struck", "0")


# --- pledges


def test_pledge__the_same_goods_to_two_banks__409(served, issued, proposed, proposal):
    receipt = issued()
    proposed(receipt, quantity="500000")
    second = proposal(bank=served.chain.member("bank2"), quantity="1")
    answer = served.post(f"/warehouse-receipts/{receipt}/pledges", second, member="supplier")
    assert refused(answer, 409, "WarehouseLedger_InsufficientFree")["detail"] == (
        f"0 of receipt {receipt} are neither pledged nor delivered; 1 were asked for."
    )


@pytest.mark.parametrize(
    ("changed", "status", "what"),
    [
        ({"currency": "USD"}, 422, "currency"),
        ({"securedAmount": "0"}, 422, "securedAmount"),
        ({"quantity": None}, 422, "quantity"),
        ({"answerBy": 2**53}, 422, "answerBy"),
        ({"answerBy": 1}, 422, "WarehouseLedger_AnswerInPast"),
        ({"answerBy": 2**53 - 1}, 422, "WarehouseLedger_AnswerTooLate"),
        ({"bank": dev_account(18).address}, 409, "Members_NotEnrolled"),
        ({"bank": dev_account(5).address}, 422, "WarehouseLedger_WrongBank"),
        ({"supervisor": dev_account(2).address}, 422, "WarehouseLedger_WrongSupervisor"),
    ],
)
def test_pledge__wrong_terms__refused_with_field_or_rule(served, issued, proposal, changed, status, what):
    answer = served.post(f"/warehouse-receipts/{issued()}/pledges", proposal(**changed), member="supplier")
    if what[0].islower():
        assert [entry["field"] for entry in refused(answer, status)["errors"]] == [what]
    else:
        refused(answer, status if what != "Members_NotEnrolled" else answer.status_code, what)


def test_pledge__declined_withdrawn_or_lapsed__goods_are_free_again(served, issued, proposed):
    receipt = issued()
    declined, withdrawn = proposed(receipt, quantity=1), proposed(receipt, quantity=2)
    lapsed = proposed(receipt, quantity=3, answerBy=served.chain.time() + 60)
    assert served.get(f"/warehouse-receipts/{receipt}").json()["pledged"] == "6"
    assert served.post(f"/pledges/{declined}/decline", {"basis": BASIS}, member="supervisor").status_code == 200
    assert served.post(f"/pledges/{withdrawn}/withdraw", member="supplier").status_code == 200
    refused(served.post(f"/pledges/{lapsed}/lapse", member="debtor"), 409, "WarehouseLedger_NotLapsed")
    rpc(served.chain.url, "evm_increaseTime", 120)
    rpc(served.chain.url, "evm_mine")
    refused(served.post(f"/pledges/{lapsed}/accept", member="bank"), 409, "WarehouseLedger_HasLapsed")
    assert served.post(f"/pledges/{lapsed}/lapse", member="debtor").status_code == 200
    found = served.get(f"/warehouse-receipts/{receipt}").json()
    assert [pledge["state"] for pledge in found["pledges"]] == ["declined", "withdrawn", "lapsed"]
    assert (found["pledged"], found["free"]) == ("0", "500000")
    assert all(pledge["endedAt"] for pledge in found["pledges"])


def test_enforcement__by_the_court__goods_leave_pledge_and_receipt(served, issued, active):
    receipt = issued()
    pledge = active(receipt, quantity="500000")
    body = {"quantity": "499999", "to": served.chain.member("debtor"), "basis": BASIS}
    refused(served.post(f"/pledges/{pledge}/enforcements", body, member="bank"), 403, "AccessManagedUnauthorized")
    assert served.post(f"/pledges/{pledge}/enforcements", body, member="court").status_code == 200
    found = served.get(f"/warehouse-receipts/{receipt}").json()
    assert (found["quantity"], found["pledged"], found["state"]) == ("1", "1", "stored")
    assert served.post(f"/pledges/{pledge}/enforcements", body | {"quantity": 1}, member="court").status_code == 200
    found = served.get(f"/warehouse-receipts/{receipt}").json()
    assert (found["quantity"], found["pledged"], found["state"]) == ("0", "0", "delivered")
    assert found["pledges"][0]["state"] == "enforced"
