"""Quotes over HTTP: given, compared, filled once or in parts, cancelled; every wrong one refused and nothing kept of it."""

from __future__ import annotations

import pytest

from tests.api.market import DAY, FACE, Market, fields_of, hexed, refusal
from tests.evm import dev_account
from tests.signing import malleated


@pytest.fixture(scope="module")
def market(served):
    made = Market(served)
    made.fund("bank", "bank2")
    return made


@pytest.fixture(scope="module")
def number(market):
    """A confirmed receivable for tests that sell nothing of it."""
    return market.confirmed()


def held(market, number):
    return {h["holder"]: h["units"] for h in market.get(f"/receivables/{number}").json()["holdings"]}


def balance(market, name):
    return int(market.get(f"/currencies/CNY/balances/{market.member(name)}").json()["balance"])


# --- giving


def test_quote__given_twice__kept_once_and_the_second_says_200(market, number):
    prepared = market.prepared(number)
    first, second = market.give(prepared), market.give(prepared)
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["id"] == second.json()["id"]
    assert first.headers["location"] == f"/quotes/{first.json()['id']}"


def test_quote__private__only_its_bank_and_its_seller_see_it(market):
    number = market.confirmed()
    given = market.given(number)
    for member, count in (("bank", 1), ("supplier", 1), ("bank2", 0), ("debtor", 0), ("founder", 0)):
        assert len(market.open_of(number, member)) == count
        assert market.get(f"/quotes/{given['id']}", member).status_code == (200 if count else 404)
    for act in ("fill", "cancel"):
        assert market.post(f"/quotes/{given['id']}/{act}", member="debtor").status_code == 404
    assert market.get(f"/quotes/{given['id']}", None).status_code == 401


def test_quote__unknown__404(market):
    assert market.get("/quotes/0x" + "11" * 32).status_code == 404
    assert market.get("/quotes/1").status_code == 422


@pytest.mark.parametrize(
    ("terms", "status", "name"),
    [
        ({"units": str(FACE + 1)}, 409, "ReceivableLedger_InsufficientUnits"),
        ({"units": str(2**128 - 1)}, 409, "ReceivableLedger_InsufficientUnits"),
        ({"validUntil": 1}, 409, "FinancingDesk_Expired"),
        ({"seller": dev_account(2).address}, 422, "FinancingDesk_OwnQuote"),
        ({"seller": dev_account(6).address}, 409, "ReceivableLedger_InsufficientUnits"),
    ],
)
def test_quote__cannot_be_filled_now__refused_as_the_chain_would(market, terms, status, name):
    number = market.confirmed()
    assert refusal(market.give(market.prepared(number, **terms))) == (status, name)
    assert market.open_of(number, "bank") == []


def test_quote__more_than_the_bank_has_approved__refused_as_the_chain_would(market):
    number = market.confirmed()

    def approve(amount):
        approval = {"spender": "FinancingDesk", "amount": str(amount)}
        market.done(market.post("/currencies/CNY/approvals", approval, member="bank"))

    approve(100)
    try:
        assert refusal(market.give(market.prepared(number))) == (409, "ERC20InsufficientAllowance")
    finally:
        approve(10**9)
    assert market.open_of(number, "bank") == []


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ('"units": "100", "proceeds": "101"', "proceeds"),
        ('"units": 0', "units"),
        ('"units": -5', "units"),
        ('"units": 1.5', "units"),
        ('"units": 1e400', "units"),
        ('"units": NaN', "units"),
        ('"units": "340282366920938463463374607431768211456"', "units"),
        ('"proceeds": 0', "proceeds"),
        ('"proceeds": null', "proceeds"),
        ('"validUntil": 18446744073709551616', "validUntil"),
        ('"validUntil": 9007199254740992', "validUntil"),
        ('"validUntil": "soon"', "validUntil"),
        ('"nonce": "115792089237316195423570985008687907853269984665640564039457584007913129639936"', "nonce"),
        ('"seller": "0x0000000000000000000000000000000000000000"', "seller"),
        ('"recourse": "perhaps"', "recourse"),
        ('"receivableId": 0', "receivableId"),
        ('"bank": "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"', "bank"),
    ],
)
def test_quote__malformed_terms__422_with_the_field_and_nothing_kept(served, market, number, terms, field):
    before = market.open_of(number, "bank")
    good = (
        f'"receivableId": {number}, "units": "10", "proceeds": "9", "seller": "{market.member("supplier")}",'
        f'"recourse": false, "validUntil": {market.now() + DAY}, "nonce": "77"'
    )
    # As text: what Python would write differently must arrive as it is. Of two equal names the last one counts.
    for path, body in (
        ("/quotes/prepare", f"{{{good}, {terms}}}"),
        ("/quotes", f'{{"quote": {{{good}, {terms}}}, "sign": true}}'),
    ):
        headers = served.as_("bank") | {"content-type": "application/json"}
        answer = served.http.post(path, content=body, headers=headers)
        assert answer.status_code == 422
        assert [name.removeprefix("quote.") for name in fields_of(answer)] == [field]
    assert market.open_of(number, "bank") == before


def test_quote__unknown_receivable__404(market, number):
    prepared = market.prepared(number)
    prepared["quote"]["receivableId"] = 999_999
    assert market.give(prepared).status_code == 404
    body = prepared["quote"] | {"validUntil": market.now() + DAY}
    assert market.post("/quotes/prepare", body, member="bank").status_code == 404


def test_quote__of_a_draft__refused(market):
    answer = market.give(market.prepared(market.drafted()))
    assert refusal(answer) == (409, "ReceivableLedger_WrongState")


def test_quote__not_a_bank__refused(market, number):
    assert refusal(market.give(market.prepared(number, "debtor"), "debtor")) == (403, "FinancingDesk_NotAFinancier")


def test_quote__reader_s_key__may_not_prepare_or_give(market, number):
    assert market.give(market.prepared(number), "reader").status_code == 403
    assert market.get("/quotes", "reader", receivable=number).status_code == 200


# --- signatures


def changed_domain(prepared, **changes):
    return prepared["typedData"] | {"domain": prepared["typedData"]["domain"] | changes}


def changed_message(prepared, **changes):
    return prepared["typedData"] | {"message": prepared["typedData"]["message"] | changes}


SIGNATURES = {
    "other chain": lambda m, p: m.sign("bank", changed_domain(p, chainId=1)),
    "other contract": lambda m, p: m.sign("bank", changed_domain(p, verifyingContract=m.member("bank"))),
    "other name": lambda m, p: m.sign("bank", changed_domain(p, name="chaincity FinancingRegister")),
    "other version": lambda m, p: m.sign("bank", changed_domain(p, version="2")),
    "other terms": lambda m, p: m.sign("bank", changed_message(p, proceeds="1")),
    "other signer": lambda m, p: m.sign("bank2", p["typedData"]),
    "truncated": lambda m, p: m.sign("bank", p["typedData"])[:-1],
    "one byte more": lambda m, p: m.sign("bank", p["typedData"]) + b"\0",
    "compact": lambda m, p: m.sign("bank", p["typedData"])[:64],
    "high s": lambda m, p: malleated(m.sign("bank", p["typedData"])),
    "wrong v": lambda m, p: m.sign("bank", p["typedData"])[:64] + b"\x02",
    "zeros": lambda m, p: bytes(65),
    "ones": lambda m, p: b"\xff" * 65,
    "one byte": lambda m, p: b"\0",
    "2000 bytes": lambda m, p: b"\x11" * 2000,
}


@pytest.mark.parametrize("kind", SIGNATURES)
def test_quote__wrong_signature__refused_and_nothing_kept(market, number, kind):
    before = market.open_of(number, "bank")
    prepared = market.prepared(number)
    answer = market.give(prepared, signature=hexed(SIGNATURES[kind](market, prepared)))
    assert refusal(answer) == (422, "FinancingDesk_WrongSigner")
    assert market.open_of(number, "bank") == before


@pytest.mark.parametrize("text", ["", "0x", "0x1", "11" * 65, "0x" + "zz" * 65, "0x" + "11" * 2001, "０x11", None, 7])
def test_quote__no_signature_at_all__422_with_the_field(market, number, text):
    answer = market.give(market.prepared(number), signature=text)
    assert answer.status_code == 422
    assert fields_of(answer) in (["signature"], ["body"])


def test_quote__both_or_neither_signature__422(market, number):
    quote = market.prepared(number)["quote"]
    for body in (
        {"quote": quote},
        {"quote": quote, "sign": True, "signature": "0x11"},
        {"quote": quote, "sign": False},
    ):
        assert market.post("/quotes", body, member="bank", wait=0).status_code == 422


def test_quote__own_signature__taken_from_its_bank_alone(market, number):
    prepared = market.prepared(number)
    own = hexed(market.sign("bank", prepared["typedData"]))
    # Another bank cannot pass the signature off as its own.
    assert refusal(market.give(prepared, "bank2", signature=own)) == (422, "FinancingDesk_WrongSigner")
    assert market.give(prepared, signature=own).status_code == 201


# --- comparing


def test_quotes__several_banks__the_cheapest_first_and_what_is_left_of_a_part_filled_one(market):
    number = market.confirmed()
    dear = market.given(number, "bank", units="1000", proceeds="900")
    cheap = market.given(number, "bank2", units="1000", proceeds="990")
    parts = market.given(number, "bank", units="3", proceeds="2", divisible=True)
    costs = {q["id"]: q["annualisedCostBasisPoints"] for q in market.open_of(number, "supplier")}
    assert list(costs) == [cheap["id"], dear["id"], parts["id"]]
    assert market.fill(parts, 2).status_code == 200
    # floor(2 × 2 ÷ 3) = 1 was paid; 1 unit is left for 1.
    first = market.open_of(number, "supplier")[0]
    assert (first["id"], first["state"], first["filled"], first["paid"]) == (parts["id"], "in_parts", "2", "1")
    assert first["annualisedCostBasisPoints"] == 0
    assert [q["id"] for q in market.open_of(number, "bank2")] == [cheap["id"]]


def test_quotes__ended_ones__come_after_in_pages(market):
    number = market.confirmed()
    kept = market.given(number)
    cancelled = []
    for _ in range(3):
        cancelled.append(market.given(number)["id"])
        assert market.post(f"/quotes/{cancelled[-1]}/cancel", member="bank").status_code == 200
    page = market.get("/quotes", "supplier", receivable=number, limit=2).json()
    assert page["items"][0]["id"] == kept["id"]
    rest = market.get("/quotes", "supplier", receivable=number, limit=2, cursor=page["next"]).json()
    assert rest["next"] is None
    seen = [q["id"] for q in page["items"][1:] + rest["items"]]
    assert sorted(seen) == sorted(cancelled)
    assert market.get("/quotes", "supplier", receivable=number, cursor="%%").status_code == 422


# --- filling


def test_fill__then_replayed__once_only(market):
    number = market.confirmed()
    given = market.given(number)
    assert market.fill(given, member="bank").status_code == 403
    assert market.fill(given).status_code == 200
    assert refusal(market.fill(given)) == (409, "FinancingDesk_NonceUsed")
    assert market.get(f"/quotes/{given['id']}", "bank").json()["state"] == "filled"
    assert held(market, number) == {market.member("supplier"): str(FACE - 1000), market.member("bank"): "1000"}


def test_fill__in_parts__all_parts_together_pay_the_proceeds(market):
    number = market.confirmed()
    given = market.given(number, units="10", proceeds="7", divisible=True)
    before = balance(market, "supplier")
    paid = []
    for units in (3, 4, None):
        assert market.fill(given, units).status_code == 200
        shown = market.get(f"/quotes/{given['id']}", "supplier").json()
        paid.append(int(shown["paid"]))
        assert balance(market, "supplier") == before + paid[-1]
    assert paid == [2, 4, 7]  # floor(7 × 3 ÷ 10), floor(7 × 7 ÷ 10), 7
    assert (shown["state"], shown["filled"]) == ("filled", "10")
    assert refusal(market.fill(given, 1)) == (409, "FinancingDesk_NonceUsed")
    assert held(market, number)[market.member("bank")] == "10"


def test_fill__more_than_is_left__refused(market):
    given = market.given(market.confirmed(), units="10", proceeds="9", divisible=True)
    assert market.fill(given, 6).status_code == 200
    assert market.fill(given, 5).json()["contractError"]["args"]["remaining"] == 4
    assert market.get(f"/quotes/{given['id']}", "supplier").json()["filled"] == "6"


def test_fill__part_of_an_indivisible_quote__refused(market):
    given = market.given(market.confirmed())
    assert market.fill(given, 999).json()["contractError"]["name"] == "FinancingDesk_Indivisible"
    assert market.get(f"/quotes/{given['id']}", "supplier").json()["state"] == "open"
    assert market.fill(given, 1000).status_code == 200


@pytest.mark.parametrize("units", ["0", "-1", 1.5, "1e3", None])
def test_fill__no_amount__422_with_the_field(market, number, units):
    given = market.given(number, divisible=True)
    answer = market.post(f"/quotes/{given['id']}/fill", {"units": units}, member="supplier")
    assert answer.status_code == 422
    assert fields_of(answer) == ["units"]


def test_quote__one_nonce_twice__the_other_says_so(market):
    number = market.confirmed()
    first = market.prepared(number, divisible=True)
    second = market.prepared(number, nonce=first["quote"]["nonce"], proceeds="980", divisible=True)
    taken, left = market.give(first).json(), market.give(second).json()
    assert market.fill(taken, 1000 - 1).status_code == 200
    assert market.get(f"/quotes/{left['id']}", "supplier").json()["state"] == "nonce_used"
    assert market.fill(left).json()["contractError"]["name"] == "FinancingDesk_NonceOfAnotherQuote"
    assert [q["id"] for q in market.open_of(number, "supplier")] == [taken["id"], left["id"]]


def test_cancel__by_its_bank_alone__also_in_parts(market):
    given = market.given(market.confirmed(), divisible=True)
    assert market.fill(given, 400).status_code == 200
    assert market.post(f"/quotes/{given['id']}/cancel", member="supplier").status_code == 403
    assert market.post(f"/quotes/{given['id']}/cancel", member="bank").status_code == 200
    assert refusal(market.fill(given)) == (409, "FinancingDesk_NonceCancelled")
    shown = market.get(f"/quotes/{given['id']}", "supplier").json()
    assert (shown["state"], shown["filled"]) == ("cancelled", "400")


def test_quote__receivable_closed_by_a_payment__closed(market):
    number = market.confirmed()
    given = market.given(number)
    market.fund("debtor", spender="Escrow")
    market.done(market.post(f"/receivables/{number}/payments", {"amount": "1"}, member="debtor"))
    assert market.get(f"/quotes/{given['id']}", "supplier").json()["state"] == "closed"
    assert refusal(market.fill(given)) == (409, "ReceivableLedger_WrongState")


def test_quote__expired_by_chain_time__neither_filled_nor_given_again(market):
    number = market.confirmed()
    prepared = market.prepared(number, validUntil=market.now() + 600)
    late = market.prepared(number, validUntil=market.now() + 600)
    given = market.give(prepared).json()
    market.wait(1000)
    assert market.get(f"/quotes/{given['id']}", "supplier").json()["state"] == "expired"
    assert refusal(market.fill(given)) == (409, "FinancingDesk_Expired")
    assert refusal(market.give(late)) == (409, "FinancingDesk_Expired")
    assert [q["id"] for q in market.open_of(number, "bank")] == [given["id"]]
