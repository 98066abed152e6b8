"""What a member may try against the others and against the service, each with what stops it."""

from __future__ import annotations

import base64
import json

import pytest

from scripts.demonstration.processes import rpc
from scripts.demonstration.steps import until
from tests.anvil import RpcBackend
from tests.api.market import DAY, Market, event
from tests.evm import dev_account

LOT = {"takenIn": "2026-09-17", "description": "热轧卷板 Q235B", "quantity": "500000", "unit": "KGM"}


@pytest.fixture(scope="module")
def market(served):
    return Market(served)


def send_raw(served, sender, contract, function, *args):
    """A transaction without the service, as any member with a key of its own can send one."""
    backend = RpcBackend(served.chain.url)
    data = "0x" + backend.encode(contract, function, args).hex()
    to = served.chain.city.contracts[contract]
    sent = rpc(served.chain.url, "eth_sendTransaction", {"from": sender, "to": to, "data": data, "gas": hex(10**6)})
    assert mined(served, sent)["status"] == "0x1"


def mined(served, tx_hash):
    until(lambda: rpc(served.chain.url, "eth_getTransactionReceipt", tx_hash) is not None, True)
    return rpc(served.chain.url, "eth_getTransactionReceipt", tx_hash)


# --- reading what is not theirs


def test_lot__goods_of_another_warehouse_copied_onto_an_own_receipt__stay_secret(served, market):
    owner = served.chain.member("supplier")
    body = LOT | {"number": "secret/1", "owner": owner}
    issued = event(market.done(served.post("/warehouse-receipts", body, member="warehouse")), "ReceiptIssued")
    spy = dev_account(18).address
    admission = {"account": spy, "kind": "warehouse", "creditCode": "91350100M000100Y43", "profile": "0x" + "77" * 32}
    market.done(served.post("/members", admission, member="founder"))
    goods = bytes.fromhex(issued["goods"][2:])
    copied = (served.chain.member("debtor"), b"\1" * 32, b"\2" * 32, goods, 1, b"KGM")
    send_raw(served, spy, "WarehouseLedger", "issue", *copied)
    number = issued["receiptId"] + 1
    until(lambda: served.get(f"/warehouse-receipts/{number}", "debtor").status_code, 200)
    answer = served.get(f"/warehouse-receipts/{number}", "debtor")
    assert (answer.json()["owner"], answer.json()["goods"]) == (served.chain.member("debtor"), issued["goods"])
    assert answer.json()["lot"] is None
    assert served.get(f"/warehouse-receipts/{issued['receiptId']}", "supplier").json()["lot"]["number"] == "secret/1"


# --- the same Idempotency-Key


def test_bulk__sent_again_when_more_of_it_would_go__answered_as_the_first_time(served, market):
    known = market.drafted()
    body = {"items": [{"receivableId": known + 1}, {"receivableId": known}]}
    first = served.post("/receivables/confirmations", body, member="debtor", key="again")
    assert [item["problem"] is None for item in first.json()["items"]] == [False, True]
    assert market.drafted() == known + 1
    second = served.post("/receivables/confirmations", body, member="debtor", key="again")
    assert second.status_code == 202, second.text
    assert [item["problem"] is None for item in second.json()["items"]] == [False, True]
    sent = [item["transaction"] and item["transaction"]["id"] for item in second.json()["items"]]
    assert sent == [item["transaction"] and item["transaction"]["id"] for item in first.json()["items"]]


def test_key__of_an_upload_on_another_route__refused_and_the_other_way_round(served, market):
    rows = b"number,buyer,issueDate,dueDate,currency,payable\nHK-1,91431382MA5277275H,2026-09-17,2070-12-31,CNY,12.50\n"
    headers = served.as_("supplier")

    def upload(key):
        return served.http.post(
            "/receivables/from-csv", files={"file": ("f.csv", rows)}, headers=headers | {"idempotency-key": key}
        )

    def draft(key):
        body = {"debtor": market.member("debtor"), "currency": "CNY", "face": "100", "dueAt": market.now() + DAY}
        return served.post("/receivables", body | market.prints(), member="supplier", key=key)

    assert upload("first-csv").status_code == 202
    assert draft("first-csv").status_code == 422
    assert draft("first-draft").status_code == 200
    assert upload("first-draft").status_code == 422


# --- values that break what is behind


HALF = '"x\\ud800"'


@pytest.mark.parametrize("value", [HALF, '"x\\u0000"'])
@pytest.mark.parametrize("field", ["number", "description"])
def test_lot__text_that_no_database_keeps__422(served, field, value):
    owner = served.chain.member("supplier")
    body = json.dumps(LOT | {"number": "1", "owner": owner} | {field: "@"}).replace('"@"', value)
    headers = served.as_("warehouse") | {"content-type": "application/json"}
    answer = served.http.post("/warehouse-receipts", content=body, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    checked = json.dumps(LOT | {"number": "1", "owner": "91350100M000100Y43", "warehouse": "91350100M000100Y43"})
    checked = json.dumps(json.loads(checked) | {field: "@"}).replace('"@"', value)
    answer = served.http.post("/lots/check", content=checked, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


@pytest.mark.parametrize(
    "call", ['"contract": "x\\ud800", "function": "cancel", "args": []',
             '"contract": "FinancingDesk", "function": "cancel", "args": ["' + "9" * 5000 + '"]',
             '"contract": "FinancingDesk", "function": "x\\ud800", "args": []'],
    ids=["contract", "number", "function"],
)  # fmt: skip
def test_forwarding__values_that_no_contract_takes__422_without_a_key(served, call):
    body = f'{{"signer": "{dev_account(10).address}", {call}}}'
    answer = served.http.post("/forward-requests/prepare", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 422, answer.text


@pytest.mark.parametrize("parts", [1, 2, 4])
def test_cursor__with_a_zero_byte__422(served, parts):
    """PostgreSQL takes no such text."""
    cursor = base64.urlsafe_b64encode(b"|".join([b"1\0"] * parts)).decode().rstrip("=")
    path = {1: "/limits", 2: "/recourse", 4: "/reminders"}[parts]
    assert served.get(path, "bank", cursor=cursor).status_code == 422


def test_transaction__number_with_a_zero_byte__no_fault_of_the_service(served):
    assert served.get("/transactions/%00", "bank").status_code in (404, 422)


# --- what a chain carries besides


def test_indexer__strangers_logs_of_megabytes__not_even_asked_for(served, monkeypatch):
    """Whoever reaches the node can fill blocks with logs; a few of them would time out what the tables are made from."""
    rpc_of_service, seen = served.app.state.city.rpc, []
    batch = rpc_of_service.batch

    async def watched(requests):
        replies = await batch(requests)
        seen.extend(reply for (method, _), reply in zip(requests, replies, strict=True) if method == "eth_getLogs")
        return replies

    monkeypatch.setattr(rpc_of_service, "batch", watched)
    # PUSH3 2^20, PUSH0, LOG0: a contract whose making logs a mebibyte of zeros.
    spam = {"from": dev_account(18).address, "data": "0x62100000" + "5fa0", "gas": hex(30_000_000)}
    assert mined(served, rpc(served.chain.url, "eth_sendTransaction", spam))["status"] == "0x1"
    block = int(rpc(served.chain.url, "eth_blockNumber"), 16)
    until(lambda: served.app.state.city.indexer.head.number >= block, True)
    assert all(len(str(reply)) < 100_000 for reply in seen)
