"""Datasets, models, grants, jobs and results over HTTP, and a holder's node that works through the same routes."""

from __future__ import annotations

import json
import time
from itertools import count
from pathlib import Path

import pytest
from eth_utils.crypto import keccak

from frontend_api.compute.datasets import describe, write_breast_cancer
from frontend_api.compute.models import read_model
from frontend_api.compute.node import ChainRefused, ChainUnavailable, GrantState, HeldDataset, JobState, Node, Reason
from frontend_api.compute.policy import OutputPolicy
from frontend_api.compute.port import ModelFolder, ServicePort
from frontend_api.compute.sealed import new_result_key, open_result
from frontend_api.modules.data.repository import label
from scripts.demonstration.processes import rpc
from tests.anvil import AnvilCity
from tests.api.conftest import Served

MODEL = Path(__file__).resolve().parents[1] / "fixtures" / "models" / "tumour-size-by-diagnosis.json"
PRICE, DAY = 12_345, 86_400
CIPHERTEXT = b"sealed" * 20
numbers = count(1)


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """A city of this module's own: it travels in time."""
    folder = tmp_path_factory.mktemp("data-city")
    chain = AnvilCity(folder)
    try:
        made = Served(chain, folder)
        with made.http:
            yield made
    finally:
        chain.stop()


def h32(text) -> str:
    return "0x" + keccak(text=str(text)).hex()


def mine(served, blocks=2, seconds=0):
    """More blocks on top; returns when the tables have them."""
    if seconds:
        rpc(served.chain.url, "evm_increaseTime", seconds)
    for _ in range(blocks):
        rpc(served.chain.url, "evm_mine")
    wanted = int(rpc(served.chain.url, "eth_blockNumber"), 16)
    while served.get("/readyz").json()["block"] < wanted:
        time.sleep(0.01)


def event(answer, name):
    assert answer.status_code == 200, answer.text
    [found] = [e["args"] for e in answer.json()["events"] if e["event"] == name]
    return found


def dataset_body(**changes):
    body = {
        "schemaRoot": h32("schema"),
        "contentCommitment": h32(f"content {next(numbers)}"),
        "rowCountBucket": 3,
        "classification": "general",
        "licence": h32("licence"),
    }
    return body | changes


def new_dataset(served, **changes):
    answer = served.post("/datasets", dataset_body(**changes), "hospital")
    return event(answer, "DatasetRegistered")["datasetId"]


def model_body(**changes):
    return json.loads(MODEL.read_bytes()) | {"title": f"Model {next(numbers)}"} | changes


def new_model(served, dataset=None, **changes):
    number = event(served.post("/models", model_body(**changes), "institute"), "ModelPublished")["modelId"]
    if dataset:
        assert served.post(f"/datasets/{dataset}/models/{number}/approve", None, "hospital").status_code == 200
    return number


def new_offer(served, dataset=None, **changes):
    body = {
        "datasetId": dataset or new_dataset(served),
        "purpose": "MEDICAL_RESEARCH",
        "currency": "CNY",
        "price": str(PRICE),
        "period": 30 * DAY,
        "maxUses": 5,
    }
    return event(served.post("/offers", body | changes, "hospital"), "OfferMade")["offerId"]


def fund(served, amount):
    issue = {"to": served.chain.member("institute"), "amount": str(amount), "booking": h32(next(numbers))}
    assert served.post("/currencies/CNY/issues", issue, "bank").status_code == 200
    approval = {"spender": "Escrow", "amount": str(amount)}
    assert served.post("/currencies/CNY/approvals", approval, "institute").status_code == 200


def requested(served, uses=3, offer=None):
    fund(served, PRICE * uses)
    answer = served.post("/grants", {"offerId": offer or new_offer(served), "uses": uses}, "institute")
    return event(answer, "GrantRequested")["grantId"]


def approved(served, uses=3, offer=None):
    grant = requested(served, uses, offer)
    assert served.post(f"/grants/{grant}/approve", None, "hospital").status_code == 200
    return grant


def submitted(served, grant=None, model=None, key=None):
    grant = grant or approved(served)
    model = model or new_model(served, served.get(f"/grants/{grant}").json()["datasetId"])
    body = {"grantId": grant, "modelId": model, "resultKey": "0x" + (key or new_result_key()[1]).hex()}
    return event(served.post("/jobs", body, "institute"), "JobSubmitted")["jobId"]


def accepted(served):
    job = submitted(served)
    assert served.post(f"/jobs/{job}/accept", None, "hospital").status_code == 200
    return job


def completion(served, job, **changes):
    model = served.get(f"/jobs/{job}").json()["modelId"]
    facts = {
        "ciphertextHash": "0x" + keccak(CIPHERTEXT).hex(),
        "datasetVersion": 1,
        "modelHash": served.get(f"/models/{model}").json()["contentHash"],
        "epsilon": 0,
    }
    return facts | changes


def deliver(served, job, content=CIPHERTEXT, member="hospital"):
    return served.http.put(f"/jobs/{job}/result", content=content, headers=served.as_(member))


def money(served, grant):
    shown = served.get(f"/grants/{grant}").json()
    return tuple(int(shown[name]) / PRICE for name in ("held", "paid", "refunded"))


# --- datasets and models


def test_dataset__registered_and_versioned__on_chain_and_in_the_tables(served):
    body = dataset_body(classification="sensitive_personal")
    number = event(served.post("/datasets", body, "hospital"), "DatasetRegistered")["datasetId"]
    second = {name: body[name] for name in ("schemaRoot", "rowCountBucket")} | {"contentCommitment": h32("second")}
    assert served.post(f"/datasets/{number}/versions", second, "hospital").status_code == 200

    shown = served.get(f"/datasets/{number}").json()
    assert shown == {
        "datasetId": number,
        "holder": served.chain.member("hospital"),
        "version": 2,
        "schemaRoot": body["schemaRoot"],
        "contentCommitment": h32("second"),
        "rowCountBucket": 3,
        "classification": "sensitive_personal",
        "lineageId": number,
        "licence": body["licence"],
        "registeredAt": shown["registeredAt"],
        "finality": "mined",
    }
    first = served.get(f"/datasets/{number}/versions/1").json()
    assert first["contentCommitment"] == body["contentCommitment"]
    assert served.get(f"/datasets/{number}/versions/3").status_code == 404
    raw = served.chain.call("DatasetRegistry", "contentOf", number, 2)
    assert raw.endswith(h32("second")[2:])
    assert served.post(f"/datasets/{number}/versions", second, "hospital").json()["contractError"]["name"] == (
        "DatasetRegistry_SameContent"
    )
    mine(served)
    assert served.get(f"/datasets/{number}").json()["finality"] == "final"


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"schemaRoot": "0x12"}, "schemaRoot", "64 hexadecimal"),
        ({"contentCommitment": "0x" + "00" * 32}, "contentCommitment", "zero hash"),
        ({"rowCountBucket": 0}, "rowCountBucket", "greater than or equal to 1"),
        ({"rowCountBucket": 20}, "rowCountBucket", "less than or equal to 19"),
        ({"classification": "secret"}, "classification", "'general'"),
        ({"lineageId": 0}, "lineageId", "greater than or equal to 1"),
        ({"rows": 569}, "rows", "there is no such field"),
    ],
)
def test_dataset__bad_field__422_names_field_and_rule(served, change, field, words):
    before = served.get("/datasets", limit=1000).json()["items"]
    answer = served.post("/datasets", dataset_body(**change), "hospital")
    assert answer.status_code == 422
    assert any(e["field"].endswith(field) and words in e["rule"] for e in answer.json()["errors"]), answer.text
    assert served.get("/datasets", limit=1000).json()["items"] == before


def test_dataset__several_with_a_broken_one__the_others_go_through(served):
    answer = served.post(
        "/datasets", {"items": [dataset_body(), dataset_body(licence="?"), dataset_body()]}, "hospital"
    )
    first, broken, last = answer.json()["items"]
    assert broken["problem"]["errors"][0]["field"] == "items.1.licence"
    assert {first["transaction"]["function"], last["transaction"]["function"]} == {"register"}


def test_model__published__file_kept_in_its_canonical_form(served):
    body = model_body()
    number = event(served.post("/models", body, "institute"), "ModelPublished")["modelId"]
    content = served.get(f"/models/{number}/file").content
    shown = served.get(f"/models/{number}").json()
    assert shown["contentHash"] == "0x" + keccak(content).hex()
    assert (shown["kind"], shown["publisher"]) == ("sql", served.chain.member("institute"))
    assert json.loads(content) == body
    again = served.post("/models", dict(reversed(body.items())), "institute")
    assert (again.status_code, again.json()["contractError"]["name"]) == (409, "ModelRegistry_AlreadyPublished")


@pytest.mark.parametrize(
    ("raw", "field", "rule"),
    [
        (json.dumps(model_body(kind="python")), "kind", "must be one of sql"),
        (json.dumps(model_body(countColumn="n")), "countColumn", "must be an output column of type BIGINT"),
        (json.dumps(model_body(table="Cases; DROP")), "table", "a name has lower-case letters, digits and underscores"),
        ('{"kind": "sql", "kind": "sql"}', "body", "a field is given twice"),
        ("{", "body", "not JSON in UTF-8: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (json.dumps(model_body(sql="x" * 70_000)), "body", "a model file has at most 65536 bytes"),
    ],
)
def test_model__bad_file__422_names_field_and_rule(served, raw, field, rule):
    answer = served.http.post("/models", content=raw, headers=served.as_("institute"))
    assert (answer.status_code, answer.json()["errors"]) == (422, [{"field": field, "rule": rule}])


def test_model__approved_and_withdrawn__as_on_chain(served):
    dataset = new_dataset(served)
    model = new_model(served)
    path = f"/datasets/{dataset}/models/{model}"
    assert served.get(path).json()["approved"] is False
    assert served.post(f"{path}/approve", None, "institute").status_code == 403
    assert served.post(f"{path}/approve", None, "hospital").status_code == 200
    assert served.get(path).json()["approved"] is True
    assert int(served.chain.call("ModelRegistry", "isApproved", dataset, model), 16) == 1
    assert served.post(f"{path}/withdraw", None, "hospital").status_code == 200
    assert served.get(path).json()["approved"] is False
    assert served.get(f"/datasets/{dataset}/models/999999").status_code == 404


# --- offers and grants


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"purpose": "medical"}, "purpose"),
        ({"purpose": "A" * 25}, "purpose"),
        ({"price": -1}, "price"),
        ({"price": 2**96}, "price"),
        ({"price": False}, "price"),
        ({"period": 0}, "period"),
        ({"maxUses": 65_536}, "maxUses"),
        ({"currency": "yuan"}, "currency"),
        ({"datasetId": 0}, "datasetId"),
    ],
)
def test_offer__bad_field__422(served, change, field):
    body = {"datasetId": 1, "purpose": "X", "currency": "CNY", "price": 1, "period": 1, "maxUses": 1} | change
    answer = served.post("/offers", body, "hospital")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_offer__withdrawn__no_request_any_more(served):
    offer = new_offer(served, price=0)
    assert served.get(f"/offers/{offer}").json()["price"] == "0"
    assert served.post(f"/offers/{offer}/withdraw", None, "hospital").status_code == 200
    assert served.get(f"/offers/{offer}").json()["state"] == "withdrawn"
    answer = served.post("/grants", {"offerId": offer, "uses": 1}, "institute")
    assert answer.json()["detail"] == f"Offer {offer} is withdrawn."


def test_label__what_is_no_ascii__shown_in_hexadecimal():
    assert label(b"MEDICAL_RESEARCH".ljust(24, b"\0")) == "MEDICAL_RESEARCH"
    for odd in (b"\xff" * 24, b"A\0B".ljust(24, b"\0"), b"\n".ljust(24, b"\0")):
        assert label(odd) == "0x" + odd.hex()


def test_grant__requested_without_money_let_through__409_then_paid_to_the_fen(served):
    offer = new_offer(served)
    refused = served.post("/grants", {"offerId": offer, "uses": 3}, "institute")
    assert (refused.status_code, refused.json()["contractError"]["name"]) == (409, "ERC20InsufficientAllowance")
    grant = requested(served, 3, offer)
    shown = served.get(f"/grants/{grant}").json()
    assert (shown["state"], shown["usesLeft"], shown["openUses"], shown["usable"]) == ("requested", 3, 0, False)
    assert (shown["held"], shown["currency"], shown["purpose"]) == (str(3 * PRICE), "CNY", "MEDICAL_RESEARCH")
    contracts = served.chain.city.contracts
    held = served.chain.call("Escrow", "held", contracts["AccessGrants"], grant, contracts["SettlementToken:CNY"])
    assert int(held, 16) == 3 * PRICE
    assert served.post(f"/grants/{grant}/deny", None, "hospital").status_code == 200
    assert served.get(f"/grants/{grant}").json()["state"] == "denied"
    assert money(served, grant) == (0, 0, 3)


def test_grant__time_is_over__expired_by_chain_time_then_closed(served):
    waiting, grant = requested(served), approved(served, offer=new_offer(served, period=60))
    assert served.get(f"/grants/{grant}").json()["usable"] is True
    early = served.post(f"/grants/{grant}/expire", None, "supplier")
    assert early.json()["contractError"]["name"] == "AccessGrants_TooEarly"
    mine(served, 1, seconds=8 * DAY)
    for number, state in ((waiting, "requested"), (grant, "approved")):
        shown = served.get(f"/grants/{number}").json()
        assert (shown["state"], shown["expired"], shown["usable"]) == (state, True, False)
    assert served.post(f"/grants/{grant}/expire", None, "supplier").status_code == 200
    assert served.post(f"/grants/{waiting}/lapse", None, "supplier").status_code == 200
    for number, state in ((waiting, "lapsed"), (grant, "expired")):
        shown = served.get(f"/grants/{number}").json()
        assert (shown["state"], shown["expired"]) == (state, False)
        assert money(served, number) == (0, 0, 3)


def test_grant__uses__do_not_move_the_finality_of_its_standing(served):
    grant = approved(served)
    mine(served)
    submitted(served, grant)
    shown = served.get(f"/grants/{grant}").json()
    assert (shown["stateFinality"], shown["finality"]) == ("final", "mined")
    assert (shown["usesLeft"], shown["openUses"]) == (2, 1)


# --- jobs and results


def test_job__from_submission_to_result__only_the_requester_gets_it_once_final(served):
    job = submitted(served)
    assert deliver(served, job).json()["detail"] == f"Job {job} is submitted; for a result it must be accepted."
    assert served.post(f"/jobs/{job}/accept", None, "institute").status_code == 403
    assert served.post(f"/jobs/{job}/accept", None, "hospital").status_code == 200
    assert deliver(served, job, member="institute").status_code == 403
    assert deliver(served, job, member="reader").status_code == 403
    assert deliver(served, job, b"").status_code == 422
    assert deliver(served, job, bytes(1024 * 1024 + 1)).status_code == 413
    assert deliver(served, job, b"an earlier one").status_code == 200
    assert deliver(served, job).json() == {
        "jobId": job,
        "ciphertextHash": "0x" + keccak(CIPHERTEXT).hex(),
        "bytes": len(CIPHERTEXT),
    }
    assert served.get(f"/jobs/{job}/result", "institute").status_code == 409

    largest = 2**64 - 1
    done = served.post(f"/jobs/{job}/complete", completion(served, job, epsilon=largest), "hospital")
    assert event(done, "JobCompleted")["epsilon"] == str(largest)
    early = served.get(f"/jobs/{job}/result", "institute")
    assert (early.status_code, "not final yet" in early.json()["detail"]) == (409, True)
    mine(served)
    assert served.get(f"/jobs/{job}/result", "institute").content == CIPHERTEXT
    assert served.get(f"/jobs/{job}/result", "hospital").status_code == 403
    assert deliver(served, job).status_code == 200
    assert deliver(served, job, b"something else").status_code == 409
    shown = served.get(f"/jobs/{job}").json()
    assert (shown["state"], shown["finality"], shown["epsilon"]) == ("completed", "final", str(largest))
    assert money(served, shown["grantId"]) == (2, 1, 0)


def test_result__completed_with_another_hash_than_delivered__404(served):
    job = accepted(served)
    deliver(served, job, b"something else")
    assert served.post(f"/jobs/{job}/complete", completion(served, job), "hospital").status_code == 200
    mine(served)
    answer = served.get(f"/jobs/{job}/result", "institute")
    assert (answer.status_code, "has not delivered" in answer.json()["detail"]) == (404, True)


def test_job__failed__reason_told_and_refunded(served):
    job = accepted(served)
    assert served.post(f"/jobs/{job}/fail", {"reason": "none"}, "hospital").status_code == 422
    assert served.post(f"/jobs/{job}/fail", {"reason": "output_refused"}, "hospital").status_code == 200
    shown = served.get(f"/jobs/{job}").json()
    assert (shown["state"], shown["reason"]) == ("failed", "output_refused")
    assert money(served, shown["grantId"]) == (2, 0, 1)


def test_job__deadline_passed__overdue_and_timed_out_by_anyone(served):
    job = submitted(served)
    mine(served, 1, seconds=DAY + 1)
    assert served.get(f"/jobs/{job}").json()["overdue"] is True
    assert job in [item["jobId"] for item in served.get("/jobs", state="open", limit=1000).json()["items"]]
    assert served.post(f"/jobs/{job}/timeout", None, "supplier").status_code == 200
    assert served.get(f"/jobs/{job}").json()["state"] == "timed_out"
    assert job not in [item["jobId"] for item in served.get("/jobs", state="open", limit=1000).json()["items"]]


@pytest.mark.parametrize("key", ["0x" + "00" * 32, "0x01" + "00" * 31, "0x12", 7])
def test_job__key_that_nothing_can_be_sealed_to__422_and_no_use_is_taken(served, key):
    answer = served.post("/jobs", {"grantId": 1, "modelId": 1, "resultKey": key}, "institute")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "resultKey")


def test_reads__unknown_numbers__404_and_without_key_401(served):
    for path in ("datasets", "models", "offers", "grants", "jobs"):
        assert served.get(f"/{path}/99999").status_code == 404
        assert served.get(f"/{path}/0").status_code == 422
        assert served.get(f"/{path}", member=None).status_code == 401
        assert served.get(f"/{path}", cursor="eA").status_code == 422  # "x"


# --- the node through the service


class Keyed:
    """The in-process service with an API key, as httpx's client would be on a network."""

    def __init__(self, served, member):
        self._served, self._member = served, member

    def request(self, method, path, headers=None, **options):
        return self._served.http.request(
            method, path, headers=self._served.as_(self._member) | (headers or {}), **options
        )


@pytest.fixture(scope="module")
def cases(tmp_path_factory):
    return write_breast_cancer(tmp_path_factory.mktemp("hospital") / "cases.parquet")


class Holder:
    def __init__(self, served, cases, folder):
        self.served, self.facts = served, describe(cases)
        self.dataset = new_dataset(
            served,
            schemaRoot="0x" + self.facts.schema_root.hex(),
            contentCommitment="0x" + self.facts.content_commitment.hex(),
        )
        self.grant = approved(served, offer=new_offer(served, self.dataset))
        self.model = new_model(served, self.dataset)
        self.port = ServicePort(Keyed(served, "hospital"), lambda _: mine(served, 1))
        held = HeldDataset(cases, 1, ("diagnosis", "mean_radius", "mean_area"), OutputPolicy(minimum_group=10))
        folder.mkdir()
        self.node = Node(self.port, folder / "node.sqlite", {self.dataset: held}, ModelFolder(folder, self.port))


@pytest.fixture
def holder(served, cases, tmp_path):
    made = Holder(served, cases, tmp_path / "node")
    yield made
    made.node.close()


def test_node__job_through_the_service__final_first_then_completed_and_opened(served, holder):
    private, public = new_result_key()
    job = submitted(served, holder.grant, holder.model, public)
    assert job not in holder.port.open_jobs(), "not final yet"
    mine(served)
    assert job in holder.port.open_jobs()
    holder.node.advance(job)

    shown = served.get(f"/jobs/{job}").json()
    assert (shown["state"], shown["finality"]) == ("completed", "final")
    result = open_result(
        served.get(f"/jobs/{job}/result", "institute").content, private, bytes.fromhex(shown["ciphertextHash"][2:])
    )
    assert [row[:2] for row in result["rows"]] == [["benign", 357], ["malignant", 212]]
    assert money(served, holder.grant) == (2, 1, 0)


def test_node__grant_revoked__not_acted_on_before_it_is_final_then_refused(served, holder):
    job = submitted(served, holder.grant, holder.model)
    mine(served)
    assert served.post(f"/grants/{holder.grant}/revoke", None, "hospital").status_code == 200
    with pytest.raises(ChainUnavailable, match="not final yet"):
        holder.node.advance(job)
    mine(served)
    holder.node.advance(job)
    shown = served.get(f"/jobs/{job}").json()
    assert (shown["state"], shown["reason"]) == ("failed", "grant_inactive")
    assert money(served, holder.grant) == (0, 0, 3)


def test_port__facts_and_refusals__as_the_contracts_say(served, holder):
    job = submitted(served, holder.grant, holder.model)
    mine(served)
    port = holder.port
    assert port.account == served.chain.member("hospital")
    found, grant = port.job(job), port.grant(holder.grant)
    assert (found.state, found.grant_id, found.model_id) == (JobState.SUBMITTED, holder.grant, holder.model)
    assert (grant.state, grant.dataset_id, grant.holder) == (GrantState.APPROVED, holder.dataset, port.account)
    assert port.approved_model_hash(holder.dataset, holder.model) == keccak(
        served.get(f"/models/{holder.model}/file").content
    )
    assert port.approved_model_hash(holder.dataset, 999_999) is None
    assert port.dataset_version(holder.dataset) == 1
    registered = port.registered_version(holder.dataset, 1)
    assert registered.content_commitment == holder.facts.content_commitment
    assert port.registered_version(holder.dataset, 2) is None
    assert abs(port.chain_time() - served.chain.time()) <= 1

    with pytest.raises(ChainRefused) as refused:
        port.complete(job, b"\x01" * 32, 1, b"\x02" * 32, 0)
    assert refused.value.error == "ComputeDesk_WrongState"
    with pytest.raises(ChainRefused) as refused:
        port.deliver(job, b"early")
    assert refused.value.error == "conflict"
    port.accept(job)
    port.accept(job)  # the same again finds the first one's outcome
    with pytest.raises(ChainRefused) as refused:
        port.complete(job, b"\x01" * 32, 1, b"\x02" * 32, 0)
    assert refused.value.error == "ComputeDesk_WrongModelHash"
    port.fail(job, Reason.INTERRUPTED)
    port.fail(job, Reason.INTERRUPTED)
    assert served.get(f"/jobs/{job}").json()["reason"] == "interrupted"
    foreign = ServicePort(Keyed(served, "institute"), lambda _: mine(served, 1))
    with pytest.raises(ChainRefused) as refused:
        foreign.fail(submitted(served, holder.grant, holder.model), Reason.INTERRUPTED)
    assert refused.value.error == "ComputeDesk_NotTheHolder"


def test_fixture__model__is_the_demonstrations():
    shipped = Path(__file__).resolve().parents[2] / "scripts" / "demonstration" / "models" / MODEL.name
    assert read_model(shipped).content_hash == read_model(MODEL).content_hash


def test_words__of_the_schemas__are_the_contracts():
    from typing import get_args

    from frontend_api.modules.data.contract import Classification
    from frontend_api.modules.data.schemas import DatasetRegistration, Failure

    for words, enum in (
        (Failure.model_fields["reason"].annotation, Reason),
        (DatasetRegistration.model_fields["classification"].annotation, Classification),
    ):
        assert list(get_args(words)) == [member.name.lower() for member in enum if member]
