"""Recourse over HTTP: from a sale with recourse over the debtor's default to the seller's last payment; and banks that are contracts."""

from __future__ import annotations

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import to_checksum_address

from frontend_api import auth
from frontend_api.db import Database
from tests.anvil import RpcBackend
from tests.api.market import DAY, FACE, Market, fields_of, hexed, refusal
from tests.evm import dev_account


@pytest.fixture(scope="module")
def market(served):
    made = Market(served)
    made.fund("bank", "bank2", "supplier")
    made.fund("debtor", spender="Escrow")
    return made


def shown(market, quote, member="bank"):
    return market.get(f"/recourse/{quote['bank']}/{quote['nonce']}", member)


def listed(market, member, **query):
    page = market.get("/recourse", member, limit=1000, **query).json()
    assert page["next"] is None
    return [item["nonce"] for item in page["items"]]


def sold(market, number, **terms):
    given = market.given(number, recourse=True, **terms)
    market.done(market.fill(given))
    return given


def pay(market, quote, amount, member="supplier"):
    return market.post(f"/recourse/{quote['bank']}/{quote['nonce']}/payments", {"amount": amount}, member=member)


def test_recourse__whole_life__held_owed_paid_in_parts_repaid(market):
    number = market.confirmed()
    parts = market.given(number, units="1000", proceeds="900", recourse=True, divisible=True)
    market.done(market.fill(parts, 400))
    found = shown(market, parts).json()
    assert (found["state"], found["units"], found["owed"], found["nextAction"]) == ("held", "400", "0", None)
    market.done(market.fill(parts))
    found = shown(market, parts).json()
    assert (found["state"], found["units"], found["seller"]) == ("held", "1000", market.member("supplier"))
    assert (found["receivableId"], found["currency"], found["defaulted"]) == (number, "CNY", False)

    # Before the default nothing is put back.
    back = f"/quotes/{parts['id']}/put-back"
    assert refusal(market.post(back, member="bank")) == (409, "ReceivableLedger_NotDefaulted")
    market.done(market.post(f"/receivables/{number}/payments", {"amount": str(FACE // 4)}, member="debtor"))
    market.wait(121 * DAY)
    found = shown(market, parts).json()
    assert (found["defaulted"], found["nextAction"]) == (True, "put_back")
    assert shown(market, parts, "supplier").json()["nextAction"] is None

    # By the bank alone; the seller's own call would speak of a nonce of its own.
    assert market.post(back, member="supplier").status_code == 403
    assert market.post(back, member="bank2").status_code == 404
    by_nonce = f"/recourse/{parts['bank']}/{parts['nonce']}/put-back"
    assert market.post(by_nonce, member="supplier").status_code == 403
    assert refusal(pay(market, parts, "1")) == (409, "FinancingDesk_WrongRecourseState")
    market.done(market.post(back, member="bank"))
    found = shown(market, parts, "supplier").json()
    # A quarter of the receivable was paid: floor(1000 ÷ 4) of the units stay with the bank.
    assert (found["state"], found["owed"], found["outstanding"], found["nextAction"]) == ("owed", "750", "750", "pay")
    assert found["unitsPutBack"] == found["units"] == "1000"
    assert refusal(market.post(by_nonce, member="bank")) == (409, "FinancingDesk_WrongRecourseState")
    held = {h["holder"]: h["units"] for h in market.get(f"/receivables/{number}").json()["holdings"]}
    assert held == {market.member("supplier"): str(FACE)}

    before = int(market.get(f"/currencies/CNY/balances/{market.member('bank')}").json()["balance"])
    market.done(pay(market, parts, "300"))
    assert refusal(pay(market, parts, "451")) == (409, "FinancingDesk_Overpaid")
    assert refusal(pay(market, parts, "1", "debtor")) == (403, "FinancingDesk_WrongSeller")
    found = shown(market, parts).json()
    assert (found["state"], found["repaid"], found["outstanding"], found["repaidAt"]) == ("owed", "300", "450", None)
    market.done(pay(market, parts, "450"))
    found = shown(market, parts, "supplier").json()
    assert (found["state"], found["outstanding"], found["nextAction"]) == ("repaid", "0", None)
    assert found["heldAt"] < found["putBackAt"] <= found["repaidAt"]
    balance = int(market.get(f"/currencies/CNY/balances/{market.member('bank')}").json()["balance"])
    assert balance == before + 750
    assert refusal(pay(market, parts, "1")) == (409, "FinancingDesk_WrongRecourseState")


def test_recourse__units_sold_on__put_back_in_part_or_not_at_all(market):
    number = market.confirmed()
    some, all_ = sold(market, number, units="1000", proceeds="900"), sold(market, number, units="500", proceeds="400")
    moved = {"to": market.member("bank2"), "units": "600"}
    market.done(market.post(f"/receivables/{number}/transfers", moved, member="bank"))
    market.wait(121 * DAY)
    market.done(market.post(f"/quotes/{some['id']}/put-back", member="bank"))
    found = shown(market, some, "supplier").json()
    assert (found["units"], found["unitsPutBack"], found["owed"], found["nextAction"]) == ("1000", "900", "900", "pay")
    found = shown(market, all_).json()
    assert (found["state"], found["defaulted"], found["nextAction"]) == ("held", True, None)
    assert (found["unitsPutBack"], found["owed"]) == (None, "0")
    assert refusal(market.post(f"/quotes/{all_['id']}/put-back", member="bank")) == (422, "ReceivableLedger_ZeroUnits")
    held = {h["holder"]: h["units"] for h in market.get(f"/receivables/{number}").json()["holdings"]}
    assert held == {market.member("supplier"): str(FACE - 600), market.member("bank2"): "600"}


def test_recourse__lists__by_side_and_state_for_the_parties_alone(market):
    quote = sold(market, market.confirmed())
    without = market.given(market.confirmed())
    market.done(market.fill(without))
    assert quote["nonce"] in listed(market, "bank", state="held")
    assert quote["nonce"] in listed(market, "bank", **{"as": "bank"})
    assert quote["nonce"] in listed(market, "supplier", **{"as": "seller"})
    assert without["nonce"] not in listed(market, "bank")
    assert quote["nonce"] not in listed(market, "bank", state="owed")
    for query in ({}, {"as": "bank"}, {"as": "seller"}):
        assert listed(market, "bank2", **query) == []
    assert listed(market, "bank", **{"as": "seller"}) == listed(market, "supplier", **{"as": "bank"}) == []
    assert shown(market, quote, "bank2").status_code == 404
    assert market.get("/recourse", None).status_code == 401
    page = market.get("/recourse", "bank", limit=1).json()
    following = market.get("/recourse", "bank", limit=1, cursor=page["next"]).json()
    assert page["items"][0]["nonce"] != following["items"][0]["nonce"]
    for query in ({"as": "debtor"}, {"state": "lost"}, {"cursor": "MQ"}):
        assert market.get("/recourse", "bank", **query).status_code == 422


def test_recourse__unknown_or_malformed__404_or_422(market):
    bank = market.member("bank")
    assert market.get(f"/recourse/{bank}/99999", "bank").status_code == 404
    for path in (f"/recourse/{bank}/{2**256}", f"/recourse/{bank}/-1", f"/recourse/{bank}/1e3", "/recourse/0x12/1"):
        assert market.get(path, "bank").status_code == 422
    for amount in ("0", "-1", 1.5, "1e400", None, str(2**128)):
        answer = pay(market, {"bank": bank, "nonce": "99999"}, amount)
        assert (answer.status_code, fields_of(answer)) == (422, ["amount"])
    assert refusal(pay(market, {"bank": bank, "nonce": "99999"}, "1")) == (409, "FinancingDesk_WrongRecourseState")
    answer = market.post(f"/recourse/{bank}/99999/put-back", member="bank")
    assert refusal(answer) == (409, "FinancingDesk_WrongRecourseState")
    assert market.post("/quotes/0x" + "11" * 32 + "/put-back", member="bank").status_code == 404


def test_put_back__sold_without_recourse_or_never__refused(market):
    number = market.confirmed()
    without = market.given(number)
    market.done(market.fill(without))
    never = market.given(number, recourse=True)
    for quote in (without, never):
        answer = market.post(f"/quotes/{quote['id']}/put-back", member="bank")
        assert refusal(answer) == (409, "FinancingDesk_WrongRecourseState")


# --- a bank that is a contract (ERC-1271)

OPERATOR, SUCCESSOR = dev_account(15), dev_account(16)


@pytest.fixture(scope="module")
def contract_bank(served, market):
    """A bank whose account is a contract: its operator signs, the service holds no key for it."""
    chain = RpcBackend(served.chain.url)
    account = to_checksum_address(chain.deploy("SigningAccountMock", [OPERATOR.address]))
    admission = {"account": account, "kind": "bank", "creditCode": "91431302MA56000005", "profile": "0x" + "77" * 32}
    market.done(market.post("/members", admission, member="founder"))
    issued = {"to": account, "amount": "1000000", "booking": "0x" + "11" * 32}
    market.done(market.post("/currencies/CNY/issues", issued, member="bank"))
    contracts = served.chain.city.contracts
    args = [contracts["SettlementToken:CNY"], contracts["FinancingDesk"], 1_000_000]
    chain.send("SigningAccountMock", account, "approve", args)
    database = Database(served.settings.database_url)
    served.keys["contract"] = database.write_now(auth.create_key, account, "contract")
    database.close()
    return account


def signed(prepared, operator):
    signable = encode_typed_data(full_message=prepared["typedData"])
    return hexed(bytes(Account.sign_message(signable, operator.key).signature))


def test_quote__bank_is_a_contract__its_operator_signs_and_the_seller_fills(market, contract_bank):
    number = market.confirmed()
    prepared = market.prepared(number, "contract", units="1000", divisible=True)
    assert prepared["typedData"]["message"]["bank"] == contract_bank
    # The service holds no key for it, and only its operator signs.
    assert market.give(prepared, "contract").status_code == 403
    answer = market.give(prepared, "contract", signature=signed(prepared, SUCCESSOR))
    assert refusal(answer) == (422, "FinancingDesk_WrongSigner")
    answer = market.give(prepared, "contract", signature=hexed(market.sign("bank", prepared["typedData"])))
    assert refusal(answer) == (422, "FinancingDesk_WrongSigner")
    answer = market.give(prepared, "contract", signature=signed(prepared, OPERATOR))
    assert answer.status_code == 201, answer.text
    quote = answer.json()
    assert quote["bank"] == contract_bank
    market.done(market.fill(quote, 400))
    held = {h["holder"]: h["units"] for h in market.get(f"/receivables/{number}").json()["holdings"]}
    assert held[contract_bank] == "400"
    assert market.get(f"/quotes/{quote['id']}", "contract").json()["state"] == "in_parts"


def test_request__bank_is_a_contract__asked_like_any_other(market, contract_bank):
    number = market.confirmed()
    body = {"receivableId": number, "units": "1000", "banks": [contract_bank], "recourse": False}
    request = market.post("/quote-requests", body | {"answerBy": market.now() + DAY}, member="supplier").json()
    prepared = market.prepared(number, "contract")
    answer = market.give(prepared, "contract", signature=signed(prepared, OPERATOR), requestId=request["id"])
    assert answer.status_code == 201
    assert market.get(f"/quote-requests/{request['id']}", "supplier").json()["banks"][0]["answer"] == "quoted"


def test_quote__contract_replaced_its_operator__what_the_former_signed_is_good_no_more(served, market, contract_bank):
    number = market.confirmed()
    prepared = market.prepared(number, "contract", divisible=True)
    quote = market.give(prepared, "contract", signature=signed(prepared, OPERATOR)).json()
    market.done(market.fill(quote, 10))
    chain = RpcBackend(served.chain.url)
    chain.send("SigningAccountMock", contract_bank, "replaceOperator", [SUCCESSOR.address])
    assert refusal(market.fill(quote, 10)) == (422, "FinancingDesk_WrongSigner")
    again = market.prepared(number, "contract")
    former = market.give(again, "contract", signature=signed(again, OPERATOR))
    assert refusal(former) == (422, "FinancingDesk_WrongSigner")
    assert market.give(again, "contract", signature=signed(again, SUCCESSOR)).status_code == 201
    chain.send("SigningAccountMock", contract_bank, "replaceOperator", [OPERATOR.address])
