"""A bank's own limits over HTTP: private, per debtor and group, held against units and open quotes, also when many come at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.api.market import FACE, Market, event, fields_of, hexed
from tests.evm import dev_account


@pytest.fixture(scope="module")
def market(served):
    made = Market(served)
    made.fund("bank", "bank2")
    return made


def call(market, method, path, body=None, member="bank"):
    return market.served.http.request(method, path, json=body, headers=market.served.as_(member))


def put(market, amount, debtor="debtor", member="bank", currency="CNY"):
    body = {"limits": {currency: str(amount)}}
    answer = call(market, "PUT", f"/limits/{market.member(debtor)}", body, member)
    assert answer.status_code == 200, answer.text
    return answer.json()


def used(market, member="bank", debtor="debtor"):
    [found] = market.get(f"/limits/{market.member(debtor)}", member).json()["limits"]
    return int(found["exposure"])


@pytest.fixture(autouse=True)
def no_limits(market):
    yield
    for bank in ("bank", "bank2"):
        for item in market.get("/limits", bank).json()["items"]:
            assert call(market, "DELETE", f"/limits/{item['debtor']}", member=bank).status_code == 204
        for item in market.get("/limit-groups", bank).json()["items"]:
            assert call(market, "DELETE", f"/limit-groups/{item['group']}", member=bank).status_code == 204


def test_limits__set_read_replaced_and_deleted__the_bank_s_own_alone(market):
    debtor = market.member("debtor")
    shown = put(market, 10**6)
    assert shown["limits"][0]["limit"] == "1000000"
    assert int(shown["limits"][0]["available"]) == max(10**6 - int(shown["limits"][0]["exposure"]), 0)
    assert market.get(f"/limits/{debtor}", "bank2").status_code == 404
    assert market.get("/limits", "bank2").json() == {"items": [], "next": None}
    put(market, 5, currency="EUR")
    assert [entry["currency"] for entry in market.get(f"/limits/{debtor}", "bank").json()["limits"]] == ["EUR"]
    assert call(market, "DELETE", f"/limits/{debtor}").status_code == 204
    assert call(market, "DELETE", f"/limits/{debtor}").status_code == 404
    assert market.get(f"/limits/{debtor}", "bank").status_code == 404
    assert market.get(f"/limits/{debtor}", None).status_code == 401
    body = {"limits": {"CNY": "1"}}
    assert call(market, "PUT", f"/limits/{debtor}", body, "reader").status_code == 403


@pytest.mark.parametrize(
    ("amounts", "field"),
    [
        ({}, "limits"),
        ({"CNY": -1}, "limits.CNY"),
        ({"CNY": 1.5}, "limits.CNY"),
        ({"CNY": "1e400"}, "limits.CNY"),
        ({"CNY": str(2**128)}, "limits.CNY"),
        ({"CNY": True}, "limits.CNY"),
        ({"CNY": None}, "limits.CNY"),
        ({"cny": "1"}, "limits.cny.[key]"),
        ({"USD": "1"}, "limits.USD"),
        ("1", "limits"),
    ],
)
def test_limits__malformed__422_with_the_field_and_nothing_changed(market, amounts, field):
    put(market, 7)
    for path, body in (
        (f"/limits/{market.member('debtor')}", {"limits": amounts}),
        ("/limit-groups/steel", {"debtors": [], "limits": amounts}),
    ):
        answer = call(market, "PUT", path, body)
        if amounts == {} and "groups" in path:
            continue  # a group may have no limit yet
        assert answer.status_code == 422, answer.text
        assert fields_of(answer) == [field]
    assert market.get(f"/limits/{market.member('debtor')}", "bank").json()["limits"][0]["limit"] == "7"


def test_limits__not_a_member__422(market):
    stranger = dev_account(17).address
    answer = call(market, "PUT", f"/limits/{stranger}", {"limits": {"CNY": "1"}})
    assert (answer.status_code, fields_of(answer)) == (422, ["debtor"])
    answer = call(market, "PUT", "/limit-groups/g", {"debtors": [market.member("debtor"), stranger]})
    assert (answer.status_code, fields_of(answer)) == (422, ["debtors.1"])
    assert call(market, "PUT", "/limits/0x12", {"limits": {"CNY": "1"}}).status_code == 422


def test_groups__set_read_replaced_and_deleted(market):
    debtor, supplier = market.member("debtor"), market.member("supplier")
    body = {"debtors": [debtor, supplier], "limits": {"CNY": "100"}}
    for name in ("steel", "湘中 集团", "a|b"):
        answer = call(market, "PUT", f"/limit-groups/{name}", body)
        assert answer.status_code == (200 if name == "steel" else 409), answer.text
    assert fields_of(answer) == ["debtors.0"]
    assert "'steel'" in answer.json()["detail"]
    assert call(market, "PUT", "/limit-groups/湘中 集团", {"debtors": []}).json()["group"] == "湘中 集团"
    assert call(market, "PUT", "/limit-groups/a|b", {"debtors": []}).status_code == 200
    page = market.get("/limit-groups", "bank", limit=1).json()
    names = [page["items"][0]["group"]]
    while page["next"]:
        page = market.get("/limit-groups", "bank", limit=1, cursor=page["next"]).json()
        names += [item["group"] for item in page["items"]]
    assert names == ["a|b", "steel", "湘中 集团"]
    assert market.get("/limit-groups/steel", "bank").json()["debtors"] == sorted([debtor, supplier])
    assert market.get("/limit-groups/steel", "bank2").status_code == 404
    assert call(market, "PUT", "/limit-groups/steel", {"debtors": [supplier]}).json()["limits"] == []
    # A bank without a limit of its own for the debtor sees where it is counted.
    assert market.get(f"/limits/{supplier}", "bank").json()["group"] == "steel"
    assert market.get(f"/limits/{debtor}", "bank").status_code == 404
    assert call(market, "DELETE", "/limit-groups/steel").status_code == 204
    assert call(market, "DELETE", "/limit-groups/steel").status_code == 404


@pytest.mark.parametrize("name", ["x" * 65, "%20a", "a%0Ab", "%00"])
def test_groups__bad_name__422(market, name):
    assert call(market, "PUT", f"/limit-groups/{name}", {"debtors": []}).status_code == 422


def test_groups__debtor_twice_or_too_many__422(market):
    debtor = market.member("debtor")
    for debtors in ([debtor, debtor], [debtor, debtor.lower()]):
        answer = call(market, "PUT", "/limit-groups/g", {"debtors": debtors})
        assert (answer.status_code, fields_of(answer)) == (422, ["debtors"])
    many = [f"0x{n:040x}" for n in range(1, 1002)]
    assert call(market, "PUT", "/limit-groups/g", {"debtors": many}).status_code == 422


# --- what a limit is held against


def test_quote__beyond_the_debtor_s_limit__refused_before_it_is_signed(market):
    number = market.confirmed()
    put(market, 10**12)
    before = used(market)
    put(market, before + 1500)
    terms = {
        "receivableId": number,
        "units": "1501",
        "proceeds": "1400",
        "seller": market.member("supplier"),
        "recourse": False,
        "validUntil": market.now() + 5000,
    }
    for path, body in (
        ("/quotes/prepare", terms),
        ("/quotes", {"quote": terms | {"nonce": "424242"}, "sign": True}),
        ("/quotes", {"quote": terms | {"nonce": "424242"}, "signature": "0x" + "11" * 65}),
    ):
        answer = market.post(path, body, member="bank", wait=0)
        problem = answer.json()
        assert answer.status_code == 409
        assert answer.headers["content-type"] == "application/problem+json"
        assert problem["type"] == "urn:chaincity:problem:limit-exceeded"
        assert (problem["limitOf"], problem["name"], problem["currency"]) == ("debtor", market.member("debtor"), "CNY")
        assert (problem["limit"], problem["exposure"]) == (str(before + 1500), str(before))
        assert problem["requested"] == "1501"
        assert fields_of(answer) == ["quote.units"]
    assert market.open_of(number, "bank") == []
    # To the limit, and not one minor unit more.
    market.given(number, units="1500", proceeds="1400")
    answer = market.post("/quotes/prepare", terms | {"units": "1", "proceeds": "1"}, member="bank", wait=0)
    assert answer.status_code == 409
    # Another bank has its own limits, or none.
    market.given(number, "bank2", units="1501", proceeds="1400")


def test_quote__own_signature_beyond_the_limit__refused(market):
    prepared = market.prepared(market.confirmed())
    put(market, 999)
    answer = market.give(prepared, signature=hexed(market.sign("bank", prepared["typedData"])))
    assert answer.json()["type"] == "urn:chaincity:problem:limit-exceeded"
    assert market.get("/quotes", "bank", receivable=prepared["quote"]["receivableId"]).json()["items"] == []


def test_quote__same_nonce__only_one_can_be_filled_so_the_larger_counts(market):
    number = market.confirmed()
    put(market, 10**12)
    before = used(market)
    put(market, before + 1000)
    first = market.given(number, units="1000", proceeds="900")
    assert used(market) == before + 1000
    market.given(number, units="999", proceeds="990", nonce=first["nonce"])
    assert used(market) == before + 1000
    # Given again, it is the one that is there, limit or not.
    put(market, 0)
    again = {name: first[name] for name in ("receivableId", "units", "proceeds", "seller", "recourse", "divisible")}
    again |= {"validUntil": first["validUntil"], "nonce": first["nonce"]}
    assert market.give({"quote": again}).status_code == 200


def test_exposure__quote_filled_paid_and_cancelled__goes_with_it(market):
    number = market.confirmed()
    put(market, 10**12)
    before = used(market)
    given = market.given(number, units="1000", proceeds="990", divisible=True)
    assert used(market) == before + 1000
    market.done(market.fill(given, 400))
    assert used(market) == before + 1000  # 400 units, and 600 that may still come
    market.done(market.post(f"/quotes/{given['id']}/cancel", member="bank"))
    assert used(market) == before + 400
    market.fund("debtor", spender="Escrow")
    market.done(market.post(f"/receivables/{number}/payments", {"amount": str(FACE // 4 * 3)}, member="debtor"))
    assert used(market) == before + 100
    market.done(market.post(f"/receivables/{number}/payments", {"amount": str(FACE // 4)}, member="debtor"))
    assert used(market) == before


def test_exposure__quote_expires_or_receivable_closes__counts_no_more(market):
    number, closing = market.confirmed(), market.confirmed()
    put(market, 10**12)
    before = used(market)
    market.given(number, validUntil=market.now() + 600)
    market.given(closing)
    assert used(market) == before + 2000
    market.fund("debtor", spender="Escrow")
    market.done(market.post(f"/receivables/{closing}/payments", {"amount": "1"}, member="debtor"))
    assert used(market) == before + 1000
    market.wait(700)
    assert used(market) == before


def test_exposure__another_currency__apart(market):
    market.confirmed(currency="EUR")
    put(market, 0, currency="EUR")
    number = market.confirmed()
    market.given(number)
    assert used(market) == 0


def test_group__two_debtors_counted_together__refused_by_the_group_s_limit(market):
    debtor, supplier = market.member("debtor"), market.member("supplier")
    mine = market.confirmed()
    # The other way round: the supplier owes the debtor.
    body = {"debtor": supplier, "currency": "CNY", "face": "5000", "dueAt": market.now() + 10**6} | market.prints()
    other = event(market.done(market.post("/receivables", body, member="debtor")), "ReceivableDrafted")["id"]
    market.done(market.post(f"/receivables/{other}/confirm", member="supplier"))
    body = {"debtors": [debtor, supplier], "limits": {"CNY": str(10**12)}}
    shown = call(market, "PUT", "/limit-groups/both", body).json()
    before = int(shown["limits"][0]["exposure"])
    call(market, "PUT", "/limit-groups/both", body | {"limits": {"CNY": str(before + 1500)}})
    market.given(mine, units="1000")
    terms = {"seller": debtor, "units": "501", "proceeds": "500"}
    answer = market.post(
        "/quotes/prepare",
        terms | {"receivableId": other, "recourse": False, "validUntil": market.now() + 500},
        member="bank",
        wait=0,
    )
    assert answer.status_code == 409
    assert (answer.json()["limitOf"], answer.json()["name"]) == ("group", "both")
    assert answer.json()["exposure"] == str(before + 1000)
    market.given(other, **(terms | {"units": "500"}))
    # The debtor's own limit holds as well.
    put(market, 0, "supplier")
    assert call(market, "PUT", "/limit-groups/both", body).status_code == 200
    answer = market.post(
        "/quotes/prepare",
        terms | {"receivableId": other, "recourse": False, "validUntil": market.now() + 500},
        member="bank",
        wait=0,
    )
    assert answer.json()["limitOf"] == "debtor"


def test_burst__many_quotes_at_once__as_many_as_there_is_room_for(market):
    number = market.confirmed()
    put(market, 10**12)
    before = used(market)
    prepared = [market.prepared(number) for _ in range(16)]
    put(market, before + 5999)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(market.give, prepared))
    assert sorted(answer.status_code for answer in answers) == [201] * 5 + [409] * 11
    assert len(market.open_of(number, "bank")) == 5
    assert used(market) == before + 5000
