"""Titles and mortgages over HTTP: what is stored, what is refused and with which words, and that the chain agrees."""

from __future__ import annotations

import base64
import json

import pytest

from scripts.demonstration.make_titles import FILE
from tests.api.conftest import FIELDS
from tests.evm import dev_account

UNIT = "431302001001GB00001F0001{:04d}"


def unit(number: int) -> str:
    return UNIT.format(number)


@pytest.fixture(scope="module")
def titled(served, li):
    served.title(unit(1), li)
    return unit(1)


def test_register__one_title__on_chain_and_in_the_tables(served, li):
    answer = served.post("/titles", {"unit": unit(10), "owner": li.address, "fields": FIELDS})

    assert answer.status_code == 200
    transaction = answer.json()
    assert (transaction["state"], transaction["function"]) in (("mined", "registerTitle"), ("final", "registerTitle"))
    [event] = [e for e in transaction["events"] if e["event"] == "TitleRegistered"]
    assert event["args"]["owner"] == li.address
    shown = served.get(f"/titles/{unit(10)}").json()
    assert shown["owner"] == li.address
    assert shown["certificateRoot"] == event["args"]["certificateRoot"]
    assert shown["encumbered"] is False
    raw = served.chain.call("TitleRegistry", "titleOf", unit(10).encode())
    assert raw[2:].endswith(shown["certificateRoot"][2:])


def test_register__twice__409_with_the_contract_error(served, li, titled):
    answer = served.post("/titles", {"unit": titled, "owner": li.address, "fields": FIELDS})

    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["contractError"]["name"] == "TitleRegistry_AlreadyRegistered"
    assert problem["contractError"]["args"]["status"] == 1
    assert problem["detail"] == f"{titled} was registered before; its title is active."


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"unit": "431302001001GB00001F000100"}, "unit", "28 characters"),
        ({"unit": "4313020010O1GB00001F00010001"}, "unit", "characters 1 to 12"),
        ({"unit": "431302001001gb00001F00010001"}, "unit", "characters 13 and 14"),
        ({"unit": "431302001001GB00001X00010001"}, "unit", "character 20"),
        ({"unit": "431302001001GB00001W00010001"}, "unit", "eight zeros"),
        ({"owner": "0x1234"}, "owner", "40 hexadecimal digits"),
        ({"owner": "0x70997970c51812dc3A010C7d01b50e0d17dc79C8"}, "owner", "checksum"),
        ({"owner": "0x" + "00" * 20}, "owner", "zero address"),
        ({"fields": {}}, "fields", "ownerName must not be empty"),
        ({"fields": {k: v for k, v in FIELDS.items() if k != "use"}}, "fields", "use must not be empty"),
        ({"fields": FIELDS | {"areaM2": "0.00"}}, "fields", "areaM2 must be more than zero"),
        ({"fields": FIELDS | {"areaM2": "88,00"}}, "fields", "square metres"),
        ({"colour": "red"}, "colour", "there is no such field"),
    ],
)
def test_register__bad_field__422_names_field_and_rule(served, li, change, field, words):
    body = {"unit": unit(11), "owner": li.address, "fields": FIELDS} | change
    answer = served.post("/titles", body)

    assert answer.status_code == 422
    errors = answer.json()["errors"]
    assert any(e["field"].endswith(field) and words in e["rule"] for e in errors), errors
    assert served.get(f"/titles/{unit(11)}").status_code == 404


def test_register__without_key__401(served, li):
    body = {"unit": unit(12), "owner": li.address, "fields": FIELDS}
    assert served.post("/titles", body, member=None).status_code == 401
    served.keys["forged"] = "cck_" + "A" * 43
    assert served.post("/titles", body, member="forged").status_code == 401


def test_register__key_without_scope_write__403(served, li):
    body = {"unit": unit(12), "owner": li.address, "fields": FIELDS}
    answer = served.post("/titles", body, member="reader")
    assert (answer.status_code, answer.json()["detail"]) == (403, "The key 'reader' has no scope `write`.")


def test_register__by_a_bank__403_with_the_role_refusal(served, li):
    answer = served.post("/titles", {"unit": unit(12), "owner": li.address, "fields": FIELDS}, member="bank")
    assert answer.status_code == 403
    assert answer.json()["contractError"] == {
        "name": "AccessManagedUnauthorized",
        "args": {"caller": served.chain.member("bank")},
    }


def test_register__bulk_with_a_broken_item__others_go_through(served, li):
    items = [
        {"unit": unit(20), "owner": li.address, "fields": FIELDS},
        {"unit": "broken", "owner": li.address, "fields": FIELDS},
        {"unit": unit(21), "owner": li.address, "fields": FIELDS},
    ]
    answer = served.post("/titles", {"items": items})

    assert answer.status_code == 202
    first, broken, last = answer.json()["items"]
    assert broken["transaction"] is None
    assert broken["problem"]["errors"] == [
        {"field": "items.1.unit", "rule": "a unit number has 28 characters (GB/T 37346)"}
    ]
    for item in (first, last):
        found = served.http.get(
            f"/transactions/{item['transaction']['id']}", headers=served.as_("registry") | {"prefer": "wait=10"}
        )
        assert found.json()["state"] in ("mined", "final")
    assert served.get(f"/titles/{unit(21)}").json()["owner"] == li.address


def test_register__bulk_that_wants_all_or_nothing__nothing_is_stored(served, li):
    items = [{"unit": unit(22), "owner": li.address, "fields": FIELDS}, {"unit": unit(23)}]
    answer = served.post("/titles", {"items": items, "onError": "refuse"})
    assert answer.status_code == 422
    assert {e["field"] for e in answer.json()["errors"]} == {"items.1.owner", "items.1.fields"}
    assert served.get(f"/titles/{unit(22)}").status_code == 404


# --- idempotency


def test_idempotency__same_key_and_body__one_title_one_certificate(served, li):
    body = {"unit": unit(30), "owner": li.address, "fields": FIELDS}
    first = served.post("/titles", body, key="same")
    again = served.post("/titles", body, key="same")

    assert first.status_code == again.status_code == 200
    assert first.json()["id"] == again.json()["id"]


def test_idempotency__same_key_other_body__422(served, li):
    body = {"unit": unit(31), "owner": li.address, "fields": FIELDS}
    served.post("/titles", body, key="other")
    answer = served.post("/titles", body | {"unit": unit(32)}, key="other")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "Idempotency-Key"
    assert served.get(f"/titles/{unit(32)}").status_code == 404


# --- import


def _csv(*rows: str) -> bytes:
    return ("\n".join(("unit,owner,ownerName,location,use,areaM2", *rows)) + "\n").encode()


def _upload(served, content: bytes, member: str = "registry", **query):
    return served.http.post(
        "/titles/import", params=query, files={"file": ("t.csv", content, "text/csv")}, headers=served.as_(member)
    )


def test_import__one_broken_row__named_with_column_and_rule(served, li):
    good = f"{unit(40)},{li.address},李建国,娄星区,住宅,88.00"
    answer = _upload(served, _csv(good, f"{unit(41)},{li.address},李建国,娄星区,住宅,88.001"))

    report = answer.json()
    assert (answer.status_code, report["accepted"], report["refused"]) == (202, 1, 1)
    assert report["rows"][1] | {"transaction": None} == {
        "row": 3,
        "unit": unit(41),
        "outcome": "refused",
        "field": "areaM2",
        "reason": "must be square metres with at most two decimals",
        "transaction": None,
    }
    served.http.get(
        f"/transactions/{report['rows'][0]['transaction']}", headers=served.as_("registry") | {"prefer": "wait=10"}
    )
    assert served.get(f"/titles/{unit(40)}").json()["owner"] == li.address
    again = _upload(served, _csv(good)).json()
    assert again["rows"][0]["reason"] == "is registered already"


def test_import__all_or_nothing__nothing_is_stored(served, li):
    rows = (f"{unit(42)},{li.address},李建国,娄星区,住宅,88.00", f"{unit(43)},0x12,李建国,娄星区,住宅,88.00")
    report = _upload(served, _csv(*rows), onError="refuse").json()
    assert (report["accepted"], report["refused"], report["batchRoot"]) == (0, 2, None)
    assert served.get(f"/titles/{unit(42)}").status_code == 404


@pytest.mark.parametrize("dry", [True, False], ids=["dry run", "real"])
@pytest.mark.parametrize("name", ["李\u202e建国", "李\x07建国"], ids=["turns direction", "bell"])
def test_import__value_that_a_certificate_cannot_hold__the_row_is_refused_in_both_runs(served, li, name, dry):
    rows = (f"{unit(44)},{li.address},{name},娄星区,住宅,88.00", "x,y,z,a,b,c")
    report = _upload(served, _csv(*rows), dryRun=dry).json()
    assert (report["refused"], report["rows"][0]["field"]) == (2, "ownerName")
    assert "control character" in report["rows"][0]["reason"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b"a,b\n1,2\n", "lacks: unit, owner, ownerName"),
        (b'unit,owner,ownerName,location,use,areaM2\n"x', "not CSV"),
        (b"unit,unit,owner,ownerName,location,use,areaM2\n", "repeated"),
    ],
)
def test_import__no_such_file__422_says_why(served, content, words):
    answer = _upload(served, content)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]


def test_import__dry_run_of_the_shipped_file__1000_good_6_broken(served):
    report = _upload(served, FILE.read_bytes(), dryRun=True).json()
    assert (report["accepted"], report["refused"], report["dryRun"]) == (1000, 6, True)


# --- mortgages


def test_mortgage__whole_life__each_step_on_chain_and_in_the_tables(served, li):
    served.title(unit(50), li)
    bank = served.chain.member("bank")
    applied = served.post(
        "/forward-requests", served.sign(li, "MortgageDesk", "applyFor", [unit(50), bank, "85000000", "CNY"]), None
    )
    assert applied.status_code == 200, applied.text
    [event] = [e["args"] for e in applied.json()["events"] if e["event"] == "MortgageApplied"]
    case = event["caseId"]
    terms = "0x" + "ab" * 32
    offer = {"principal": 80_000_000, "terms": terms, "forbidsTransfer": True, "validUntil": served.chain.time() + 9999}
    assert served.post(f"/mortgages/{case}/offer", offer, member="bank2").status_code == 403
    assert served.post(f"/mortgages/{case}/offer", offer, member="bank").status_code == 200
    early = served.post(f"/mortgages/{case}/register")
    assert early.json()["detail"] == f"Case {case} is offered; for this it must be accepted."
    accepted = served.post("/forward-requests", served.sign(li, "MortgageDesk", "accept", [case, terms]), None)
    assert accepted.status_code == 200
    assert served.post(f"/mortgages/{case}/register").status_code == 200

    title = served.get(f"/titles/{unit(50)}").json()
    assert title["encumbered"] is True
    [lien] = title["liens"]
    assert (lien["holder"], lien["amount"], lien["currency"], lien["forbidsTransfer"]) == (
        bank,
        "80000000",
        "CNY",
        True,
    )
    shown = served.get(f"/mortgages/{case}").json()
    assert shown["state"] == "registered"
    assert shown["applicationToRegistrationSeconds"] == shown["registeredAt"] - shown["appliedAt"]
    assert served.post(f"/mortgages/{case}/release", member="bank").status_code == 200
    assert served.get(f"/titles/{unit(50)}").json()["encumbered"] is False
    assert served.get(f"/mortgages/{case}").json()["state"] == "released"


def test_mortgage__of_nobodys_title__404(served):
    body = {"unit": unit(99), "bank": served.chain.member("bank"), "principal": 1, "currency": "CNY"}
    answer = served.post("/mortgages", body, member="supplier")
    assert (answer.status_code, answer.json()["contractError"]["name"]) == (404, "MortgageDesk_TitleNotActive")


@pytest.mark.parametrize("principal", [0, -1, 1.5, "1e9", "", None, 2**128, "9" * 40])
def test_mortgage__bad_amount__422(served, titled, principal):
    body = {"unit": titled, "bank": served.chain.member("bank"), "principal": principal, "currency": "CNY"}
    answer = served.post("/mortgages", body, member="supplier")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "principal"


# --- certificates


def test_certificate__of_a_title__verifies_and_shows_pledge(served, li, titled):
    content = served.get(f"/titles/{titled}/certificate", "registry").content
    answer = served.http.post("/verifications", content=content)
    assert (answer.status_code, answer.json()["verdict"]) == (200, "valid")
    tampered = json.loads(content)
    tampered["fields"][0]["value"] = "elsewhere"
    answer = served.http.post("/verifications", content=json.dumps(tampered))
    assert answer.json()["verdict"] == "altered"


def test_reissue__new_certificate__old_one_superseded_in_both_registries(served, li):
    served.title(unit(60), li)
    old = served.get(f"/titles/{unit(60)}/certificate", "registry").content
    answer = served.post(
        f"/titles/{unit(60)}/reissue", {"fields": FIELDS | {"areaM2": "88.50"}, "basis": "0x" + "1" * 64}
    )

    assert answer.status_code == 200, answer.text
    shown = served.get(f"/titles/{unit(60)}").json()
    assert shown["version"] == 2
    checked = served.http.post("/verifications", content=old).json()
    assert checked["verdict"] == "superseded"
    assert checked["decidedBy"]["code"] == "replaced"
    assert checked["decidedBy"]["values"]["root"] == shown["certificateRoot"]
    new = served.get(f"/titles/{unit(60)}/certificate", "registry").content
    assert served.http.post("/verifications", content=new).json()["verdict"] == "valid"
    assert served.post(f"/titles/{unit(98)}/reissue", {"fields": FIELDS, "basis": "0x" + "1" * 64}).status_code == 404


def test_lists__cursor__every_title_once(served, titled):
    seen, cursor = [], None
    while True:
        page = served.get("/titles", limit=3, **({"cursor": cursor} if cursor else {})).json()
        seen += [item["unit"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == sorted(set(seen))
    assert titled in seen
    assert served.get("/titles", cursor="!!").status_code == 422
    words = base64.urlsafe_b64encode(b"seven").decode().rstrip("=")
    assert served.get("/mortgages", cursor=words).status_code == 422


def test_transactions__listed_by_state__own_ones_only(served, titled):
    mine = served.get("/transactions", "registry", limit=1000).json()["items"]
    assert [t["function"] for t in mine[:2]] == ["enrol", "anchor"]
    assert all(t["sender"] == served.chain.member("registry") for t in mine)
    page = served.get("/transactions", "registry", limit=1).json()
    following = served.get("/transactions", "registry", limit=1, cursor=page["next"]).json()
    assert (page["items"][0]["id"], following["items"][0]["id"]) == (mine[0]["id"], mine[1]["id"])
    assert served.get("/transactions", "hospital").json() == {"items": [], "next": None}


def test_forward_request__wrong_signature_replay_and_stranger__refused(served, li, titled):
    bank = served.chain.member("bank")
    signed = served.sign(li, "MortgageDesk", "applyFor", [titled, bank, "1000", "CNY"])
    forged = signed | {"signature": served.sign(dev_account(11), "MortgageDesk", "cases", [])["signature"]}
    answer = served.post("/forward-requests", forged, None)
    assert (answer.status_code, answer.json()["contractError"]["name"]) == (422, "ERC2771ForwarderInvalidSigner")
    first = served.post("/forward-requests", signed, None)
    again = served.post("/forward-requests", signed, None)
    assert first.status_code == again.status_code == 200
    assert first.json()["id"] == again.json()["id"], "the same signed request is one transaction"
    changed = json.loads(json.dumps(signed))
    changed["request"]["gas"] -= 1
    assert served.post("/forward-requests", changed, None).status_code == 422


def test_errors__json_without_its_content_type__415_says_so(served):
    answer = served.http.post(
        "/residents", content=b"{}", headers=served.as_("registry") | {"content-type": "text/plain"}
    )
    assert (answer.status_code, answer.json()["detail"]) == (
        415,
        "Send JSON as `Content-Type: application/json`; it is 'text/plain'.",
    )


def test_prefer__something_else__ignored(served):
    headers = served.as_("registry") | {"prefer": "return=minimal"}
    assert served.http.get("/transactions/tx_none", headers=headers).status_code == 404


def test_errors__unknown_path_method_and_json__problem_json(served):
    for answer in (
        served.get("/nowhere"),
        served.http.delete("/titles"),
        served.http.post("/titles", content=b"{", headers=served.as_("registry")),
        served.http.post("/titles", content=b"[" * 100_000, headers=served.as_("registry")),
        served.get("/titles/short"),
        served.get("/mortgages/0"),
        served.get("/mortgages/99999999999999999999"),
        served.get("/transactions/tx_none"),
    ):
        assert 400 <= answer.status_code < 500, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code
    big = served.http.post("/titles", content=b" " * (9 * 1024 * 1024), headers=served.as_("registry"))
    assert big.status_code == 413
