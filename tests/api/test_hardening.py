"""What somebody tries who wants the service to stop, to leak or to work for strangers."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from frontend_api import auth
from frontend_api.chain import outbox
from frontend_api.db import Database
from frontend_api.modules.transactions.forwarding import FORWARDED_GAS, ForwardRequest
from scripts.demonstration.make_titles import FILE
from tests.anvil import RpcBackend
from tests.api.conftest import FIELDS
from tests.evm import dev_account

UNIT = "431302001001GB00003F0001{:04d}"


def made_key(served, member, *scopes):
    database = Database(served.settings.database_url)
    try:
        return database.write_now(auth.create_key, served.chain.member(member), "test", scopes)
    finally:
        database.close()


def sign(served, person, to, data="0x", nonce=0, gas=FORWARDED_GAS):
    """A request for any address, signed well, without `prepare`'s help."""
    city = served.app.state.city
    deadline = city.indexer.head.time + 3600
    made = ForwardRequest(person.address, to, gas, nonce, deadline, bytes.fromhex(data[2:]))
    typed = city.forwarder.typed_data(made, city.deployment.chain_id)
    signed = Account.sign_message(encode_typed_data(full_message=typed), person.key)
    fields = {"signer": person.address, "to": to, "gas": gas, "nonce": nonce, "deadline": deadline, "data": data}
    return {"request": fields, "signature": "0x" + bytes(signed.signature).hex()}


# --- what was meant otherwise


def test_query__dry_run_misspelled__refused_and_nothing_is_drafted(served):
    before = served.get("/receivables", "supplier").json()
    csv = b"number,buyer,issueDate,dueDate,currency,payable\nA1,91431382MA5277275H,2026-09-17,2026-12-16,CNY,1.00\n"
    answer = served.http.post(
        "/receivables/from-csv?dryrun=true", headers=served.as_("supplier"), files={"file": ("a.csv", csv)}
    )
    rule = "there is no such parameter; did you mean dryRun?"
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"field": "query.dryrun", "rule": rule}])
    assert served.get("/receivables", "supplier").json() == before


@pytest.mark.parametrize("kind", ["text/csv", "application/json"])
def test_upload__not_as_a_form__415_says_how(served, kind):
    headers = served.as_("supplier") | {"content-type": kind}
    answer = served.http.post("/receivables/from-csv", headers=headers, content=b"{}")
    assert (answer.status_code, answer.json()["detail"]) == (
        415,
        f"Send `multipart/form-data` with the field `file`, as `curl -F file=@NAME` does; it is {kind!r}.",
    )


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        (b"{units: 1}", "body", "is not JSON: "),
        (b"[]", "body", "must be a JSON object"),
        (b'{"accounts": []}', "accounts", "there is no such field"),
    ],
)
def test_body__broken__words_for_who_sends_it(served, body, field, words):
    headers = served.as_("bank") | {"content-type": "application/json"}
    answer = served.http.post("/currencies/CNY/approvals", headers=headers, content=body)
    assert answer.status_code == 422
    [error] = [e for e in answer.json()["errors"] if e["field"] == field]
    assert error["rule"].startswith(words)


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nosuch", 404), ("DELETE", "/receivables", 405)])
def test_route__none__says_where_they_are(served, method, path, status):
    answer = served.http.request(method, path)
    detail = f"There is no {method} {path}; /docs lists what there is."
    assert (answer.status_code, answer.json()["detail"]) == (status, detail)


# --- keys and personal data


def test_certificate__another_organisations_key__refused(served, li):
    served.title(UNIT.format(1), li)
    path = f"/titles/{UNIT.format(1)}/certificate"
    assert served.get(path, "registry").status_code == 200
    for member in ("bank", "supplier", "reader"):
        answer = served.get(path, member)
        assert (answer.status_code, "李建国" in answer.text) == (403, False)


def test_read__key_without_the_scope__refused(served):
    key = {"authorization": f"Bearer {made_key(served, 'registry', 'write')}"}
    assert served.http.get("/titles", headers=key).status_code == 403
    assert served.http.post("/invoices/check", headers=key, files={"file": b"x"}).status_code == 403


# --- one request, many times


def test_idempotency__same_key_fifty_times_at_once__one_transaction(served, li):
    body = {"unit": UNIT.format(2), "owner": li.address, "fields": FIELDS}
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda _: served.post("/titles", body, key="fifty"), range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["id"] for answer in answers}) == 1


def test_idempotency__refused_by_simulation_because_the_first_is_mined__first_result(served, li, monkeypatch):
    """Both were simulated at once, but the second one's simulation took longer than the first one's block."""
    body = {"unit": UNIT.format(3), "owner": li.address, "fields": FIELDS}
    first = served.post("/titles", body, key="twice").json()
    submissions = served.app.state.city.submissions
    original, asked = submissions.earlier, []

    async def too_early(found):
        asked.append(found)
        return None if len(asked) == 1 else await original(found)

    monkeypatch.setattr(submissions, "earlier", too_early)
    again = served.post("/titles", body, key="twice")
    assert (again.status_code, again.json()["id"]) == (200, first["id"]), again.text


def test_import__same_file_and_key_after_the_titles_are_registered__first_result(served, li):
    good, known = UNIT.format(4), UNIT.format(5)
    served.title(known, li)
    heading, sample = FILE.read_text(encoding="utf-8").splitlines()[:2]
    rows = [",".join([u, li.address, *sample.split(",")[2:]]) for u in (good, known)]
    headers = served.as_("registry") | {"idempotency-key": "import"}

    def send():
        return served.http.post(
            "/titles/import", headers=headers, files={"file": ("t.csv", "\n".join([heading, *rows]).encode())}
        )

    first = send()
    assert (first.status_code, first.json()["accepted"], first.json()["refused"]) == (202, 1, 1), first.text
    deadline = time.monotonic() + 20
    while served.get(f"/titles/{good}").status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    again = send()
    assert (again.status_code, again.json()) == (202, first.json())


# --- forward requests


def test_forward_request__target_that_is_no_desk__refused_before_the_node_is_asked(served, li):
    for to in (dev_account(15).address, served.chain.city.contracts["TitleRegistry"]):
        answer = served.post("/forward-requests", sign(served, li, to), None)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["field"] == "request.to"


def test_forward_request__signer_whom_the_city_does_not_know__refused(served):
    signed = served.sign(dev_account(18), "FinancingDesk", "cancel", [7])
    answer = served.post("/forward-requests", signed, None)
    assert (answer.status_code, "no member or resident" in answer.text) == (403, True)


def test_forward_request__broken_signature_while_the_relayer_is_busy__refused(served, li, monkeypatch):
    """Whoever sends it needs no key: nothing that the forwarder refuses may enter the outbox."""
    database, relayer = Database(served.settings.database_url), served.settings.relayer
    signed = served.sign(li, "FinancingDesk", "cancel", [8])
    forged = signed | {"signature": "0x" + "11" * 65}
    busy = outbox.Intent(relayer, served.app.state.city.titles.cancel(UNIT.format(99), b"\1" * 32))
    monkeypatch.setattr(served.app.state.city.sender, "step", _idle)
    [identifier] = database.write_now(outbox.enqueue, "somebody", [busy])
    try:
        answer = served.post("/forward-requests", forged, None, wait=0)
    finally:
        database.write_now(outbox.fail, identifier, {})
        database.close()
    assert answer.status_code == 422, answer.text


async def _idle() -> None:
    return


def test_forward_request__many_with_one_nonce__one_on_its_way(served, li, monkeypatch):
    nonce = served.sign(li, "FinancingDesk", "cancel", [9])["request"]["nonce"]
    signed = [served.sign(li, "FinancingDesk", "cancel", [number]) for number in range(9, 14)]
    with monkeypatch.context() as patched:
        patched.setattr(served.app.state.city.sender, "step", _idle)
        answers = [served.post("/forward-requests", entry, None, wait=0) for entry in signed]
        codes = [answer.status_code for answer in answers]
        again = served.post("/forward-requests", signed[0], None, wait=0).status_code
    assert (codes, again) == ([202, 409, 409, 409, 409], 202)
    deadline = time.monotonic() + 20
    first = f"/transactions/{answers[0].json()['id']}"
    while served.get(first).json()["state"] not in ("mined", "final"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert served.sign(li, "FinancingDesk", "cancel", [9])["request"]["nonce"] == nonce + 1
    following = served.post("/forward-requests", served.sign(li, "FinancingDesk", "cancel", [20]), None)
    assert following.status_code == 200, "the next one is taken when that has ended"


# --- what a member can put on the chain without the service


@pytest.mark.parametrize("until", [2**63 - 1, 2**63, 2**64 - 1])
def test_indexer__time_that_no_column_holds__goes_on(served, until):
    chain = served.chain
    backend = RpcBackend(chain.url)
    backend.deployer = chain.member("registry")
    person = dev_account(until % 1000 + 100).address
    backend.send("Members", chain.city.contracts["Members"], "enrol", [person, until.to_bytes(32, "big"), until])
    deadline = time.monotonic() + 10
    while (answer := served.get(f"/members/{person}", "supplier")).status_code != 200:
        assert time.monotonic() < deadline, served.http.get("/readyz").text
        time.sleep(0.05)
    assert int(answer.json()["validUntil"]) == 2**63 - 1
    assert served.http.get("/readyz").json()["problems"] == []
