"""Requests for quotes over HTTP: who is asked, who sees what, who has answered; wrong ones refused and nothing stored."""

from __future__ import annotations

import orjson
import pytest

from tests.api.market import DAY, FACE, Market, fields_of
from tests.evm import dev_account


@pytest.fixture(scope="module")
def market(served):
    made = Market(served)
    made.fund("bank", "bank2")
    return made


@pytest.fixture(scope="module")
def number(market):
    return market.confirmed()


@pytest.fixture
def body(market, number):
    return {
        "receivableId": number,
        "units": "5000",
        "banks": [market.member("bank"), market.member("bank2")],
        "recourse": False,
        "divisible": True,
        "answerBy": market.now() + DAY,
        "note": "Für die Lohnzahlung\nim Dezember, 请报价",
    }


def ask(market, body, member="supplier", **options):
    return market.post("/quote-requests", body, member=member, wait=0, **options)


def asked(market, body):
    answer = ask(market, body)
    assert answer.status_code == 201, answer.text
    return answer.json()


def sent(market, member="supplier", **query):
    return market.get("/quote-requests", member, **query).json()["items"]


def act(market, request, what, member):
    return market.post(f"/quote-requests/{request['id']}/{what}", member=member, wait=0)


def answers(market, request):
    shown = market.get(f"/quote-requests/{request['id']}", "supplier").json()
    return {entry["bank"]: entry["answer"] for entry in shown["banks"]}


def test_request__answered_by_both__the_seller_compares_and_no_bank_sees_the_other(market, number, body):
    answer = ask(market, body)
    assert answer.status_code == 201
    request = answer.json()
    assert answer.headers["location"] == f"/quote-requests/{request['id']}"
    bank, bank2 = market.member("bank"), market.member("bank2")
    assert (request["state"], request["nextAction"], request["answer"]) == ("open", "wait", None)
    assert answers(market, request) == {bank: "waiting", bank2: "waiting"}

    for member in ("bank", "bank2"):
        received = market.get(f"/quote-requests/{request['id']}", member).json()
        assert (received["nextAction"], received["answer"], received["note"]) == ("answer", "waiting", body["note"])
        assert (received["banks"], received["quotes"]) == (None, [])
        assert bank2 not in str(received) or member == "bank2"

    def quoted(member, proceeds, **terms):
        prepared = market.prepared(number, member, units="5000", proceeds=proceeds, **terms)
        answer = market.give(prepared, member, requestId=request["id"])
        assert answer.status_code == 201, answer.text
        assert answer.json()["requestId"] == request["id"]
        return answer.json()["id"]

    dear = quoted("bank", "4800")
    assert answers(market, request) == {bank: "quoted", bank2: "waiting"}
    other = market.get(f"/quote-requests/{request['id']}", "bank2").json()
    assert (other["nextAction"], other["quotes"]) == ("answer", [])
    cheap = quoted("bank2", "4900", divisible=True)
    shown = market.get(f"/quote-requests/{request['id']}", "supplier").json()
    assert [quote["id"] for quote in shown["quotes"]] == [cheap, dear]
    assert (shown["nextAction"], answers(market, request)) == ("compare", {bank: "quoted", bank2: "quoted"})
    mine = market.get(f"/quote-requests/{request['id']}", "bank").json()
    assert ([quote["id"] for quote in mine["quotes"]], mine["nextAction"], mine["answer"]) == ([dear], None, "quoted")

    assert market.fill({"id": cheap}).status_code == 200
    shown = market.get(f"/quote-requests/{request['id']}", "supplier").json()
    assert [(quote["id"], quote["state"]) for quote in shown["quotes"]] == [(dear, "open"), (cheap, "filled")]


def test_request__others__404_whatever_they_try(market, body):
    request = asked(market, body | {"banks": [market.member("bank")]})
    for member in ("bank2", "debtor", "founder"):
        assert market.get(f"/quote-requests/{request['id']}", member).status_code == 404
        assert act(market, request, "decline", member).status_code == 404
        assert act(market, request, "close", member).status_code == 404
        assert request["id"] not in str(sent(market, member))
    assert act(market, request, "close", "bank").status_code == 404
    assert act(market, request, "decline", "supplier").status_code == 404
    assert market.get(f"/quote-requests/{request['id']}", None).status_code == 401
    assert act(market, request, "decline", "reader").status_code == 403
    unknown = {"id": "qr_" + "0" * 32}
    assert act(market, unknown, "decline", "bank").status_code == 404
    assert market.get("/quote-requests/7", "bank").status_code == 422
    # A bank that was not asked learns nothing by naming the request either.
    prepared = market.prepared(body["receivableId"], "bank2")
    assert market.give(prepared, "bank2", requestId=request["id"]).status_code == 404
    assert (
        market.give(prepared, "bank2", requestId=unknown["id"]).json()["detail"]
        == (market.give(prepared, "bank2", requestId=request["id"]).json()["detail"])
    )
    assert market.get("/quotes", "bank2", receivable=body["receivableId"]).text.count(request["id"]) == 0


def test_request__declined__the_seller_sees_it_and_the_bank_may_change_its_mind(market, number, body):
    request = asked(market, body)
    bank, bank2 = market.member("bank"), market.member("bank2")
    first = act(market, request, "decline", "bank")
    assert (first.status_code, first.json()["answer"], first.json()["nextAction"]) == (200, "declined", None)
    assert act(market, request, "decline", "bank").status_code == 200
    assert answers(market, request) == {bank: "declined", bank2: "waiting"}
    assert market.give(market.prepared(number), requestId=request["id"]).status_code == 201
    assert answers(market, request) == {bank: "quoted", bank2: "waiting"}
    market.give(market.prepared(number, "bank2"), "bank2", requestId=request["id"])
    answer = act(market, request, "decline", "bank2")
    assert (answer.status_code, "cancel the quote" in answer.json()["detail"]) == (409, True)


def test_request__closed__takes_no_more_answers_and_stays_so(market, number, body):
    request = asked(market, body)
    closed = act(market, request, "close", "supplier")
    assert (closed.json()["state"], closed.json()["nextAction"]) == ("closed", None)
    assert act(market, request, "close", "supplier").json()["closedAt"] == closed.json()["closedAt"]
    assert set(answers(market, request).values()) == {"none"}
    assert act(market, request, "decline", "bank").status_code == 409
    answer = market.give(market.prepared(number), requestId=request["id"])
    assert (answer.status_code, "The request is closed" in answer.json()["detail"]) == (409, True)
    assert market.get(f"/quote-requests/{request['id']}", "bank").json()["nextAction"] is None


def test_request__queue__most_urgent_first_until_it_is_answered(market, number, body):
    now = market.now()
    requests = [asked(market, body | {"answerBy": now + seconds}) for seconds in (9000, 3000, 6000)]
    wanted = [requests[1]["id"], requests[2]["id"], requests[0]["id"]]
    mine = {request["id"] for request in requests}

    def queue():
        found, cursor = [], None
        while True:
            page = market.get(
                "/quote-requests", "bank", waiting=True, limit=2, **({"cursor": cursor} if cursor else {})
            ).json()
            found += [item["id"] for item in page["items"] if item["id"] in mine]
            assert all(item["nextAction"] == "answer" for item in page["items"])
            if (cursor := page["next"]) is None:
                return found

    assert queue() == wanted
    act(market, requests[2], "decline", "bank")
    market.give(market.prepared(number), requestId=requests[0]["id"])
    assert queue() == wanted[:1]
    act(market, requests[1], "close", "supplier")
    assert queue() == []
    assert sent(market, "supplier", waiting=True) == []
    assert market.get("/quote-requests", "bank", waiting=True, cursor="MQ").status_code == 422


def test_request__time_passes__expired_by_chain_time(market, number, body):
    request = asked(market, body | {"answerBy": market.now() + 600})
    prepared = market.prepared(number)
    market.wait(1000)
    shown = market.get(f"/quote-requests/{request['id']}", "bank").json()
    assert (shown["state"], shown["answer"], shown["nextAction"]) == ("expired", "none", None)
    assert market.give(prepared, requestId=request["id"]).status_code == 409
    assert act(market, request, "decline", "bank").status_code == 409


def test_request__listed__the_newest_first_in_pages(market, body):
    ids = [asked(market, body)["id"] for _ in range(3)]
    page = market.get("/quote-requests", "supplier", limit=2).json()
    rest = market.get("/quote-requests", "supplier", limit=2, cursor=page["next"]).json()
    assert [item["id"] for item in page["items"] + rest["items"]][:3] == ids[::-1]
    assert market.get("/quote-requests", "supplier", cursor="%").status_code == 422


def test_request__same_key_and_body__asked_once(market, body):
    before = len(sent(market, limit=1000))
    first, second = ask(market, body, key="ask-1"), ask(market, body, key="ask-1")
    assert first.json()["id"] == second.json()["id"]
    other = ask(market, body | {"units": "4999"}, key="ask-1")
    assert (other.status_code, fields_of(other)) == (422, ["Idempotency-Key"])
    assert len(sent(market, limit=1000)) == before + 1


def test_quote__does_not_answer_the_request_it_names__refused(market, number, body):
    request = asked(market, body)
    elsewhere = market.confirmed()
    debtor = market.member("debtor")
    for prepared, field in (
        (market.prepared(elsewhere), "quote.receivableId"),
        (market.prepared(number, seller=debtor), "quote.seller"),
        (market.prepared(number, units="5001"), "quote.units"),
    ):
        answer = market.give(prepared, requestId=request["id"])
        assert (answer.status_code, fields_of(answer)) == (422, [field])
    for wrong in ("", "qr_1", "qr_" + "G" * 32, 7):
        assert fields_of(market.give(market.prepared(number), requestId=wrong)) == ["requestId"]
    assert answers(market, request)[market.member("bank")] == "waiting"


STRANGER = dev_account(17).address


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"units": "0"}, 422, "units"),
        ({"units": "-1"}, 422, "units"),
        ({"units": 1.5}, 422, "units"),
        ({"units": "1e400"}, 422, "units"),
        ({"units": str(2**128)}, 422, "units"),
        ({"units": str(FACE + 1)}, 409, "units"),
        ({"receivableId": 0}, 422, "receivableId"),
        ({"banks": []}, 422, "banks"),
        ({"banks": ["bank", "bank"]}, 422, "banks"),
        ({"banks": ["bank", STRANGER]}, 422, "banks.1"),
        ({"banks": ["debtor"]}, 422, "banks.0"),
        ({"banks": ["bank2", "founder"]}, 422, "banks.1"),
        ({"banks": ["supplier"]}, 422, "banks.0"),
        ({"banks": ["0x12"]}, 422, "banks.0"),
        ({"banks": [f"0x{n:040x}" for n in range(1, 22)]}, 422, "banks"),
        ({"banks": "bank"}, 422, "banks"),
        ({"answerBy": 1}, 422, "answerBy"),
        ({"answerBy": 2**64}, 422, "answerBy"),
        ({"answerBy": -5}, 422, "answerBy"),
        ({"answerBy": 2**52}, 422, "answerBy"),
        ({"recourse": None}, 422, "recourse"),
        ({"note": "x" * 501}, 422, "note"),
        ({"note": "a\x00b"}, 422, "note"),
        ({"note": 7}, 422, "note"),
        ({"seller": STRANGER}, 422, "seller"),
    ],
)
def test_request__bad__refused_with_the_field_and_nothing_stored(market, body, change, status, field):
    before = sent(market, limit=1000)
    if isinstance(change.get("banks"), list):
        names = market.served.chain.city.members
        change = {"banks": [market.member(name) if name in names else name for name in change["banks"]]}
    answer = ask(market, body | change)
    assert answer.status_code == status, answer.text
    assert fields_of(answer) == [field]
    assert sent(market, limit=1000) == before


def test_request__note_that_no_database_can_hold__422(market, body):
    headers = market.served.as_("supplier") | {"content-type": "application/json"}
    for text in (r'"\ud800"', r'"a\u0000b"', r'"\udfff\ud800"'):
        plain = orjson.dumps({name: value for name, value in body.items() if name != "note"}).decode()
        content = plain[:-1] + f', "note": {text}}}'
        answer = market.served.http.post("/quote-requests", content=content, headers=headers)
        assert (answer.status_code, fields_of(answer)) == (422, ["note"])


def test_request__receivable_unknown_not_held_or_not_open__refused(market, body):
    assert ask(market, body | {"receivableId": 999_999}).status_code == 404
    assert ask(market, body, member="debtor").status_code == 403
    assert ask(market, body, member="reader").status_code == 403
    draft = market.drafted()
    assert ask(market, body | {"receivableId": draft}).status_code == 403  # nobody holds units of a draft
    paid = market.confirmed()
    market.fund("debtor", spender="Escrow")
    market.done(market.post(f"/receivables/{paid}/payments", {"amount": "1"}, member="debtor"))
    answer = ask(market, body | {"receivableId": paid})
    assert (answer.status_code, fields_of(answer)) == (409, ["receivableId"])


def test_request__suspended_bank_or_seller__refused(market, body):
    basis = {"basis": "0x" + "0b" * 32}
    for name, status in (("bank2", 422), ("supplier", 403)):
        account = market.member(name)
        market.done(market.post(f"/members/{account}/suspend", basis, member="founder"))
        assert ask(market, body).status_code == status
        market.done(market.post(f"/members/{account}/reinstate", basis, member="founder"))
    assert ask(market, body).status_code == 201
