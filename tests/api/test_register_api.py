"""The financing register over HTTP: one bank at a time, the seller's consent, altered copies, filings and the arbiter."""

from __future__ import annotations

import pytest
from eth_utils import keccak

from tests.api.market import DAY, Market, event, fields_of, hexed, refusal
from tests.evm import dev_account
from tests.signing import malleated

BASIS = "0x" + "0b" * 32


@pytest.fixture(scope="module")
def market(served):
    return Market(served)


@pytest.fixture
def prints(market):
    return {name: "0x" + keccak(text=f"lot {market.prints()[name]}").hex() for name in market.prints()}


def consent(market, prints, bank="bank", seller="supplier", **terms):
    """A consent that the service signs for the seller."""
    body = prints | {"bank": market.member(bank), "reservedUntil": market.now() + DAY, "sign": True} | terms
    answer = market.post("/financing-register/consents/prepare", body, member=seller, wait=0)
    assert answer.status_code == 200, answer.text
    return answer.json()


def reserve(market, prepared, member="bank", **changes):
    body = {"consent": prepared["consent"], "signature": prepared["signature"]} | changes
    return market.post("/financing-register/reservations", body, member=member)


def reserved(market, prints, bank="bank", **terms):
    market.done(reserve(market, consent(market, prints, bank, **terms), bank))


def entry(market, prints, member="founder", **query):
    return market.get(f"/financing-register/{prints['fingerprint']}", member, **query).json()


def act(market, prints, what, body=None, member="bank"):
    return market.post(f"/financing-register/{prints['fingerprint']}/{what}", body, member=member)


def test_register__whole_life__free_reserved_financed_filed_annulled(market, prints):
    assert entry(market, prints)["state"] == "free"
    prepared = consent(market, prints)
    until = prepared["consent"]["reservedUntil"]
    sent = market.done(reserve(market, prepared))
    assert event(sent, "FingerprintReserved")["seller"] == market.member("supplier")
    shown = entry(market, prints)
    assert (shown["state"], shown["holder"], shown["reservedUntil"]) == ("reserved", market.member("bank"), until)
    assert (shown["seller"], shown["nextAction"]) == (market.member("supplier"), None)
    assert shown["numberFingerprint"] == prints["numberFingerprint"]
    assert entry(market, prints, "bank")["nextAction"] == "finance"
    assert [e["fingerprint"] for e in market.get("/financing-register", "bank").json()["items"]] == [
        prints["fingerprint"]
    ]

    market.done(act(market, prints, "finance", {"filing": "03582918002198756521"}))
    shown = entry(market, prints, "bank")
    assert (shown["state"], shown["reservedUntil"], shown["nextAction"]) == ("financed", None, None)
    assert [(f["bank"], f["filing"]) for f in shown["filings"]] == [(market.member("bank"), "03582918002198756521")]
    market.done(act(market, prints, "filing", {"filing": "A" * 32}))
    assert [f["filing"] for f in entry(market, prints)["filings"]] == ["A" * 32]

    # For good: neither the bank nor its time ends it, only the arbiter does.
    assert refusal(act(market, prints, "release")) == (409, "FinancingRegister_WrongState")
    body = {"fingerprint": prints["fingerprint"], "basis": BASIS}
    assert market.post("/financing-register/annulments", body, member="bank").status_code == 403
    market.done(market.post("/financing-register/annulments", body, member="founder"))
    assert (entry(market, prints)["state"], entry(market, prints)["holder"]) == ("free", None)
    assert market.get("/financing-register", "bank").json()["items"] == []


def test_register__reserved__no_second_bank_and_no_altered_copy(market, prints):
    reserved(market, prints)
    second = reserve(market, consent(market, prints, "bank2"), "bank2")
    assert refusal(second) == (409, "FinancingRegister_Taken")
    copy = prints | {"fingerprint": "0x" + keccak(text=prints["fingerprint"]).hex()}
    asked = entry(market, copy, "bank2", numberFingerprint=prints["numberFingerprint"])
    assert (asked["state"], asked["numberTakenBy"], asked["cleared"]) == ("free", prints["fingerprint"], False)
    assert refusal(reserve(market, consent(market, copy, "bank2"), "bank2")) == (409, "FinancingRegister_NumberTaken")
    # Nor does it become a receivable.
    body = {"debtor": market.member("debtor"), "currency": "CNY", "face": "5", "dueAt": market.now() + DAY}
    for facts, name in ((prints, "FinancingRegister_Taken"), (copy, "FinancingRegister_NumberTaken")):
        assert refusal(market.post("/receivables", body | facts, member="supplier")) == (409, name)

    # The arbiter has seen both: they are two.
    clearance = copy | {"basis": BASIS}
    assert market.post("/financing-register/clearances", clearance, member="court").status_code == 403
    market.done(market.post("/financing-register/clearances", clearance, member="founder"))
    asked = entry(market, copy, numberFingerprint=prints["numberFingerprint"])
    assert (asked["numberTakenBy"], asked["cleared"]) == ("ambiguous", True)
    reserved(market, copy, "bank2")
    assert (entry(market, copy)["holder"], entry(market, copy)["cleared"]) == (market.member("bank2"), True)
    third = prints | {"fingerprint": "0x" + keccak(text=copy["fingerprint"]).hex()}
    assert refusal(reserve(market, consent(market, third))) == (409, "FinancingRegister_NumberTaken")


def test_register__a_receivable__entered_until_it_is_withdrawn(market):
    number = market.drafted()
    prints = {"fingerprint": market.get(f"/receivables/{number}").json()["fingerprint"]}
    shown = entry(market, prints)
    assert (shown["state"], shown["application"], shown["caseId"]) == ("entered", "ReceivableLedger", number)
    assert shown["holder"] == market.served.chain.city.contracts["ReceivableLedger"]
    market.done(act(market, prints, "filing", {"filing": "0358"}))
    assert [f["filing"] for f in entry(market, prints)["filings"]] == ["0358"]
    market.done(market.post(f"/receivables/{number}/withdraw", member="supplier"))
    assert entry(market, prints)["state"] == "free"


def test_register__a_receivable_annulled__free_and_the_draft_ends_as_any_other(market):
    number = market.drafted()
    prints = {"fingerprint": market.get(f"/receivables/{number}").json()["fingerprint"]}
    annulment = {"fingerprint": prints["fingerprint"], "basis": BASIS}
    assert market.post("/financing-register/annulments", annulment, member="supplier").status_code == 403
    market.done(market.post("/financing-register/annulments", annulment, member="founder"))
    assert (entry(market, prints)["state"], entry(market, prints)["caseId"]) == ("free", None)
    assert refusal(market.post("/financing-register/annulments", annulment, member="founder")) == (
        409,
        "FinancingRegister_WrongState",
    )
    assert market.get(f"/receivables/{number}").json()["state"] == "draft"
    market.done(market.post(f"/receivables/{number}/reject", member="debtor"))
    assert market.get(f"/receivables/{number}").json()["state"] == "rejected"
    assert entry(market, prints)["state"] == "free"


def test_register__released_or_run_out__free_for_the_next(market, prints):
    reserved(market, prints)
    assert refusal(act(market, prints, "release", member="bank2")) == (403, "FinancingRegister_NotHolder")
    market.done(act(market, prints, "release"))
    assert entry(market, prints)["state"] == "free"
    reserved(market, prints, "bank2", reservedUntil=market.now() + 600)
    assert refusal(act(market, prints, "finance")) == (403, "FinancingRegister_NotHolder")
    market.wait(700)
    shown = entry(market, prints)
    assert (shown["state"], shown["holder"], shown["reservedUntil"]) == ("free", None, None)
    assert prints["fingerprint"] not in market.get("/financing-register", "bank2").text
    assert (
        entry(market, {"fingerprint": "0x" + "77" * 32}, numberFingerprint=prints["numberFingerprint"])["numberTakenBy"]
        is None
    )
    assert refusal(act(market, prints, "finance", member="bank2")) == (409, "FinancingRegister_WrongState")
    reserved(market, prints)
    market.done(act(market, prints, "finance"))
    assert (entry(market, prints)["holder"], entry(market, prints)["filings"]) == (market.member("bank"), [])


def test_consent__used_or_withdrawn__good_no_more(market, prints):
    used = consent(market, prints)
    market.done(reserve(market, used))
    market.done(act(market, prints, "release"))
    assert refusal(reserve(market, used)) == (409, "FinancingRegister_ConsentUsed")
    other = consent(market, prints)
    withdrawal = {"consent": other["consent"]}
    path = "/financing-register/consents/withdraw"
    assert refusal(market.post(path, withdrawal, member="bank")) == (403, "FinancingRegister_NotSeller")
    market.done(market.post(path, withdrawal, member="supplier"))
    assert refusal(reserve(market, other)) == (409, "FinancingRegister_ConsentUsed")
    assert entry(market, prints)["state"] == "free"


def test_consent__not_signed_by_the_service__the_typed_data_to_sign(market, prints):
    prepared = consent(market, prints, sign=False, nonce="5")
    assert (prepared["signature"], prepared["consent"]["nonce"]) == (None, "5")
    signature = hexed(market.sign("supplier", prepared["typedData"]))
    market.done(reserve(market, prepared, signature=signature))
    assert entry(market, prints)["state"] == "reserved"


SIGNATURES = {
    "other chain": lambda m, p: m.sign(
        "supplier", p["typedData"] | {"domain": p["typedData"]["domain"] | {"chainId": 1}}
    ),
    "the desk's domain": lambda m, p: m.sign(
        "supplier", p["typedData"] | {"domain": p["typedData"]["domain"] | {"name": "chaincity FinancingDesk"}}
    ),
    "other terms": lambda m, p: m.sign(
        "supplier", p["typedData"] | {"message": p["typedData"]["message"] | {"nonce": "1"}}
    ),
    "the bank's own": lambda m, p: m.sign("bank", p["typedData"]),
    "truncated": lambda m, p: m.sign("supplier", p["typedData"])[:-1],
    "high s": lambda m, p: malleated(m.sign("supplier", p["typedData"])),
    "zeros": lambda m, p: bytes(65),
}


@pytest.mark.parametrize("kind", SIGNATURES)
def test_reserve__wrong_signature__refused(market, prints, kind):
    prepared = consent(market, prints)
    answer = reserve(market, prepared, signature=hexed(SIGNATURES[kind](market, prepared)))
    assert refusal(answer) == (422, "FinancingRegister_WrongSigner")
    assert entry(market, prints)["state"] == "free"


def test_reserve__another_bank_or_no_bank__refused(market, prints):
    prepared = consent(market, prints)
    assert refusal(reserve(market, prepared, "bank2")) == (403, "FinancingRegister_WrongBank")
    assert reserve(market, prepared, "debtor").status_code == 403
    assert reserve(market, prepared, "reader").status_code == 403
    for signature in ("0x", "0xzz", "11" * 65, "0x1"):
        assert fields_of(reserve(market, prepared, signature=signature)) == ["signature"]


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"fingerprint": "0x" + "00" * 32}, "fingerprint"),
        ({"fingerprint": "0x12"}, "fingerprint"),
        ({"numberFingerprint": None}, "numberFingerprint"),
        ({"bank": dev_account(17).address}, "bank"),
        ({"bank": dev_account(6).address}, "bank"),
        ({"bank": "0x12"}, "bank"),
        ({"reservedUntil": 1}, "reservedUntil"),
        ({"reservedUntil": 2**52}, "reservedUntil"),
        ({"reservedUntil": 2**64}, "reservedUntil"),
        ({"nonce": -1}, "nonce"),
        ({"nonce": str(2**256)}, "nonce"),
        ({"sign": "perhaps"}, "sign"),
    ],
)
def test_consent__bad_terms__422_with_the_field(market, prints, terms, field):
    body = prints | {"bank": market.member("bank"), "reservedUntil": market.now() + DAY} | terms
    answer = market.post("/financing-register/consents/prepare", body, member="supplier", wait=0)
    assert (answer.status_code, fields_of(answer)) == (422, [field])


def test_consent__of_a_bank_to_itself__422(market, prints):
    body = prints | {"bank": market.member("bank"), "reservedUntil": market.now() + DAY}
    answer = market.post("/financing-register/consents/prepare", body, member="bank", wait=0)
    assert (answer.status_code, fields_of(answer)) == (422, ["bank"])


@pytest.mark.parametrize("filing", ["", "A" * 33, "0358 2918", "登记", "a\x00", 7, None, "é"])
def test_filing__not_32_ascii_characters__422_and_nothing_recorded(market, prints, filing):
    for what in ("finance", "filing"):
        if what == "finance" and filing is None:
            continue  # financed without a filing number, yet
        answer = act(market, prints, what, {"filing": filing})
        assert (answer.status_code, fields_of(answer)) == (422, ["filing"])
    assert entry(market, prints)["filings"] == []


def test_register__malformed_or_unknown__422_or_refused(market, prints):
    for path in ("0x12", "0x" + "00" * 32, "0x" + "zz" * 32, "11" * 32):
        assert market.get(f"/financing-register/{path}", "bank").status_code == 422
    assert market.get(f"/financing-register/{prints['fingerprint']}", None).status_code == 401
    assert (
        market.get(f"/financing-register/{prints['fingerprint']}", "bank", numberFingerprint="0x1").status_code == 422
    )
    for what in ("release", "finance"):
        assert refusal(act(market, prints, what)) == (409, "FinancingRegister_WrongState")
    assert refusal(act(market, prints, "filing", {"filing": "1"})) == (409, "FinancingRegister_WrongState")
    clearance = prints | {"basis": BASIS}
    answer = market.post("/financing-register/clearances", clearance, member="founder")
    assert refusal(answer) == (409, "FinancingRegister_NumberFree")
    annulment = {"fingerprint": prints["fingerprint"], "basis": "0x" + "00" * 32}
    answer = market.post("/financing-register/annulments", annulment, member="founder")
    assert (answer.status_code, fields_of(answer)) == (422, ["basis"])
