"""The data story: 569 real cases stay at the hospital, a model goes there, and only what the policy allows comes back, paid per use."""

from __future__ import annotations

import json
import math
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
from eth_utils.crypto import keccak

from frontend_api.compute.datasets import DatasetFacts, describe, write_breast_cancer
from frontend_api.compute.sealed import ciphertext_hash, new_result_key, open_result
from scripts.deployment.artifacts import tool_environment

from .client import event
from .processes import Process, StartError
from .stage import Stage, commitment
from .steps import Mismatch, expect, expect_refusal, until

STORY = "data"
MODEL = Path(__file__).parent / "models" / "tumour-size-by-diagnosis.json"
PRICE = 12_345  # fen per use: 123.45 yuan
USES = 5
MONTH = 30 * 86_400
APPROVED, REVOKED = 2, 5
COMPLETED, FAILED = 3, 4

#: What a curious institute might try, and the reason that the chain then records.
HOSTILE = (
    ("raw rows", "SELECT diagnosis, 100::BIGINT AS cases, mean_radius FROM cases", "model_invalid", 6),
    (
        "groups of a few patients",
        "SELECT diagnosis, count(*) AS cases, avg(mean_radius) AS mean_radius FROM cases WHERE mean_radius > 27 GROUP BY diagnosis",
        "output_refused",
        9,
    ),
    (
        "other files of the hospital",
        "SELECT column0 AS diagnosis, count(*) AS cases, 0.0 AS mean_radius FROM read_csv('/etc/passwd') GROUP BY 1",
        "model_invalid",
        6,
    ),
)


def play(stage: Stage) -> None:
    with tempfile.TemporaryDirectory(prefix="chaincity-hospital-") as name, _Node(stage, Path(name)) as node:
        _play(stage, Path(name), node)


def _play(stage: Stage, folder: Path, node: _Node) -> None:
    run = stage.steps.run
    hospital, institute = stage.client("hospital"), stage.client("institute")
    holder, requester = stage.address("hospital"), stage.address("institute")
    registry, models = stage.contract("DatasetRegistry"), stage.contract("ModelRegistry")
    grants, desk = stage.contract("AccessGrants"), stage.contract("ComputeDesk")
    escrow, token = stage.contract("Escrow"), stage.contract("SettlementToken:CNY")
    cases = write_breast_cancer(folder / "cases.parquet")
    facts = describe(cases)
    raw = MODEL.read_bytes()

    def register() -> Any:
        body = {
            "schemaRoot": "0x" + facts.schema_root.hex(),
            "contentCommitment": "0x" + facts.content_commitment.hex(),
            "rowCountBucket": facts.row_count_bucket,
            "classification": "sensitive_personal",
            "licence": commitment(),
        }
        sent = hospital.post("/datasets", body)
        number = event(sent, "DatasetRegistered")["datasetId"]
        held, content = registry.dataset(number), registry.contentOf(number, 1)
        shown = institute.get(f"/datasets/{number}")
        expect("holder", (held.holder, shown["holder"]), (holder, holder))
        expect("commitment on chain", bytes(content.contentCommitment), facts.content_commitment)
        expect("commitment in the API", shown["contentCommitment"], body["contentCommitment"])
        expect("schema root", bytes(content.schemaRoot), facts.schema_root)
        expect("digits of 569", (int(held.rowCountBucket), shown["rowCountBucket"]), (3, 3))
        return sent

    registered = run(STORY, f"register {facts.rows} cases: commitments only, no record", "hospital", register)
    dataset = event(registered, "DatasetRegistered")["datasetId"]

    def publish() -> Any:
        broken = json.loads(raw) | {"kind": "python"}
        expect_refusal(lambda: institute.post("/models", broken), 422, "must be one of sql")
        sent = institute.post("/models", json.loads(raw))
        number = event(sent, "ModelPublished")["modelId"]
        kept = institute.file(f"/models/{number}/file")
        expect("hash of the kept file", bytes(models.model(number).contentHash), keccak(kept))
        expect("the file's content", json.loads(kept), json.loads(raw))
        expect("publisher in the API", institute.get(f"/models/{number}")["publisher"], requester)
        return sent

    published = run(STORY, "publish a SQL model: the file stays here, its hash goes on chain", "institute", publish)
    model = event(published, "ModelPublished")["modelId"]

    def approve_model() -> Any:
        expect_refusal(lambda: institute.post(f"/datasets/{dataset}/models/{model}/approve"), 403, "role")
        sent = hospital.post(f"/datasets/{dataset}/models/{model}/approve")
        expect("approved on chain", models.isApproved(dataset, model), True)
        expect("approved in the API", institute.get(f"/datasets/{dataset}/models/{model}")["approved"], True)
        return sent

    run(STORY, "let the model run on the dataset", "hospital", approve_model)

    def offer() -> Any:
        body = {
            "datasetId": dataset,
            "purpose": "MEDICAL_RESEARCH",
            "currency": "CNY",
            "price": str(PRICE),
            "period": MONTH,
            "maxUses": USES,
        }
        sent = hospital.post("/offers", body)
        number = event(sent, "OfferMade")["offerId"]
        terms, shown = grants.offerOf(number), institute.get(f"/offers/{number}")
        expect("price on chain", int(terms.price), PRICE)
        expect("price in the API", shown["price"], str(PRICE))
        expect("purpose", bytes(terms.purpose).rstrip(b"\0").decode(), shown["purpose"])
        return sent

    offered = run(STORY, "offer its use for research at 123.45 yuan", "hospital", offer)
    terms = event(offered, "OfferMade")["offerId"]

    def issue() -> Any:
        before = token.balanceOf(requester)
        booking = bytes.fromhex(commitment()[2:])
        receipt = token.issue(requester, PRICE * USES, booking, sender=stage.ape_account("bank"))
        expect("balance on chain", token.balanceOf(requester), before + PRICE * USES)
        shown = institute.get(f"/currencies/CNY/balances/{requester}")
        expect("balance in the API", shown["balance"], str(before + PRICE * USES))
        return str(receipt.txn_hash)

    run(STORY, "issue the institute's deposit as tokens, with Ape instead of the API", "bank", issue)

    def request() -> Any:
        body = {"offerId": terms, "uses": USES}
        expect_refusal(lambda: institute.post("/grants", body), 409, "approve more first")
        institute.post("/currencies/CNY/approvals", {"spender": "Escrow", "amount": str(PRICE * USES)})
        before = token.balanceOf(escrow.address)
        sent = institute.post("/grants", body)
        expect("the Escrow's balance", token.balanceOf(escrow.address) - before, PRICE * USES)
        _same_grant(stage, event(sent, "GrantRequested")["grantId"], 1, USES, 0)
        return sent

    requested = run(STORY, "ask for 5 uses and pay them into the Escrow", "institute", request)
    grant = event(requested, "GrantRequested")["grantId"]

    def approve() -> Any:
        sent = hospital.post(f"/grants/{grant}/approve")
        _same_grant(stage, grant, APPROVED, USES, 0)
        expect("usable", (grants.isUsable(grant), institute.get(f"/grants/{grant}")["usable"]), (True, True))
        return sent

    run(STORY, "grant it", "hospital", approve)

    def altered() -> Any:
        other = folder / "altered.parquet"
        with duckdb.connect(":memory:") as database:
            database.execute("CREATE TABLE cases AS SELECT * FROM read_parquet(?)", [str(cases)])
            database.execute("UPDATE cases SET mean_radius = mean_radius + 1e-9 WHERE rowid = 0")
            database.execute(f"COPY cases TO '{other}' (FORMAT parquet)")
        try:
            node.start("altered", dataset, other, facts)
        except StartError as error:
            if "is not what was registered" not in str(error):
                raise
        else:
            raise Mismatch("the node started on an altered file")

    run(STORY, "see the node refuse to start on an altered file", "hospital", altered)
    run(
        STORY,
        "start the hospital's node, which holds no chain key",
        "hospital",
        lambda: node.start("node", dataset, cases, facts),
    )
    private, public = new_result_key()

    def submit(number: int, key: bytes) -> Any:
        return institute.post("/jobs", {"grantId": grant, "modelId": number, "resultKey": "0x" + key.hex()})

    def submit_good() -> Any:
        expect_refusal(lambda: submit(model, b"\x01" + bytes(31)), 422, "nothing can be encrypted")
        sent = submit(model, public)
        expect("uses left on chain", int(grants.grantOf(grant).usesLeft), USES - 1)
        return sent

    job = event(run(STORY, "submit a job with a fresh key for its result", "institute", submit_good), "JobSubmitted")[
        "jobId"
    ]

    def completed() -> Any:
        until(lambda: _ended(institute, job), ("completed", "final"), 60)
        found, shown = desk.job(job), institute.get(f"/jobs/{job}")
        expect("state on chain", int(found.state), COMPLETED)
        expect("result hash in the API", shown["ciphertextHash"], "0x" + bytes(found.ciphertextHash).hex())
        expect(
            "what ran",
            (int(found.datasetVersion), shown["modelHash"]),
            (1, institute.get(f"/models/{model}")["contentHash"]),
        )
        _same_grant(stage, grant, APPROVED, USES - 1, 0)

    run(STORY, "have it run where the data lie", "hospital's node", completed)

    def result() -> Any:
        expect_refusal(lambda: stage.client("bank").file(f"/jobs/{job}/result"), 403, "is for")
        ciphertext = institute.file(f"/jobs/{job}/result")
        on_chain = bytes(desk.job(job).ciphertextHash)
        expect("hash of the delivered bytes", ciphertext_hash(ciphertext), on_chain)
        opened = open_result(ciphertext, private, on_chain)
        expect("the job it belongs to", opened["jobId"], job)
        for row, wanted in zip(opened["rows"], _computed_directly(), strict=True):
            expect("diagnosis and cases", tuple(row[:2]), wanted[:2])
            for found, value in zip(row[2:], wanted[2:], strict=True):
                if not math.isclose(found, value, rel_tol=1e-12):
                    raise Mismatch(f"{wanted[0]}: found {found!r}, numpy computes {value!r}")
        for diagnosis, count, radius, deviation, area in opened["rows"]:
            stage.steps.console.print(
                f"       {diagnosis}: {count} cases, radius {radius:.2f} ± {deviation:.2f}, area {area:.1f}"
            )

    run(STORY, "open the result and compute the same with numpy", "institute", result)

    def paid() -> Any:
        expect("claimable on chain", escrow.claimable(holder, token.address), PRICE)
        before = token.balanceOf(holder)
        sent = hospital.post("/currencies/CNY/claims")
        expect("balance on chain", token.balanceOf(holder), before + PRICE)
        shown = hospital.get(f"/currencies/CNY/balances/{holder}")
        expect("in the API", (shown["balance"], shown["claimable"]), (str(before + PRICE), "0"))
        return sent

    run(STORY, "claim the payment for one use", "hospital", paid)

    for number, (what, sql, reason, code) in enumerate(HOSTILE, start=1):

        def hostile(
            what: str = what, sql: str = sql, reason: str = reason, code: int = code, number: int = number
        ) -> Any:
            columns = [
                {"name": n, "type": t}
                for n, t in (("diagnosis", "VARCHAR"), ("cases", "BIGINT"), ("mean_radius", "DOUBLE"))
            ]
            body = json.loads(raw) | {"title": f"Asks for {what}", "sql": sql, "output": columns}
            published = event(institute.post("/models", body), "ModelPublished")["modelId"]
            hospital.post(f"/datasets/{dataset}/models/{published}/approve")
            asked = event(submit(published, new_result_key()[1]), "JobSubmitted")["jobId"]
            until(lambda: _ended(institute, asked), ("failed", "final"), 60)
            found = desk.job(asked)
            expect("state and reason on chain", (int(found.state), int(found.reason)), (FAILED, code))
            expect("reason in the API", institute.get(f"/jobs/{asked}")["reason"], reason)
            expect("result hash", bytes(found.ciphertextHash), bytes(32))
            expect_refusal(lambda: institute.file(f"/jobs/{asked}/result"), 409, "is failed")
            expect("the uses' money returned", escrow.claimable(requester, token.address), number * PRICE)
            _same_grant(stage, grant, APPROVED, USES - 1 - number, 0)

        run(STORY, f"see a model that asks for {what} refused, the use's money returned", "hospital's node", hostile)

    def revoke() -> Any:
        sent = hospital.post(f"/grants/{grant}/revoke")
        _same_grant(stage, grant, REVOKED, 0, 0)
        expect_refusal(lambda: submit(model, new_result_key()[1]), 409, "is revoked")
        expect("jobs on chain", int(desk.jobCount()), institute.get("/jobs", limit=1000)["items"][-1]["jobId"])
        return sent

    run(STORY, "revoke the grant: no further job", "hospital", revoke)

    def refund() -> Any:
        due = PRICE * (USES - 1)
        expect("claimable on chain", escrow.claimable(requester, token.address), due)
        before = token.balanceOf(requester)
        sent = institute.post("/currencies/CNY/claims")
        expect("balance on chain", token.balanceOf(requester), before + due)
        shown = institute.get(f"/grants/{grant}")
        expect("paid, refunded, held", (shown["paid"], shown["refunded"], shown["held"]), (str(PRICE), str(due), "0"))
        return sent

    run(STORY, "claim back the uses that gave no result", "institute", refund)

    def stop() -> Any:
        expect("the node's exit status", node.stop(), 0)

    run(STORY, "stop the node cleanly", "hospital", stop)


class _Node:
    """The hospital's node as a process of its own, stopped however the story ends."""

    def __init__(self, stage: Stage, folder: Path):
        self._stage, self._folder = stage, folder
        self._process: Process | None = None

    def __enter__(self) -> _Node:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, name: str, dataset: int, file: Path, facts: DatasetFacts) -> None:
        """Raises `StartError` with the end of its log."""
        config = self._folder / f"{name}.toml"
        config.write_text(
            f'''database = "{name}.sqlite"
models = "models"
poll_seconds = 0.3

[service]
url = "{self._stage.service_url}"
key_env = "CHAINCITY_NODE_KEY"

[[datasets]]
id = {dataset}
file = "{file.name}"
version = 1
salt_env = "CHAINCITY_SALT"
columns = ["diagnosis", "mean_radius", "mean_area"]

[datasets.policy]
minimum_group = 10
'''
        )
        secrets = {"CHAINCITY_NODE_KEY": self._stage.keys["hospital"], "CHAINCITY_SALT": "0x" + facts.salt.hex()}
        command = [sys.executable, "-m", "frontend_api.cli", "node", "--config", str(config)]
        process = Process(name, command, self._folder, {**tool_environment(), **secrets})
        try:
            process.wait_until(lambda: '"event": "started"' in process.log.read_text(), 40)
        except StartError:
            process.stop()
            raise
        self._process = process

    def stop(self) -> int | None:
        """Its exit status."""
        if self._process is None:
            return None
        self._process.stop(30)
        return self._process.status


def _ended(client: Any, job: int) -> tuple[str, str]:
    shown = client.get(f"/jobs/{job}")
    return shown["state"], shown["finality"]


def _same_grant(stage: Stage, grant: int, state: int, uses_left: int, open_uses: int) -> None:
    """State, uses and money of a grant: on chain as expected, and in the API as on chain."""
    grants, token = stage.contract("AccessGrants"), stage.contract("SettlementToken:CNY")
    found, shown = grants.grantOf(grant), stage.client("institute").get(f"/grants/{grant}")
    expect(
        "state, uses left, open uses",
        (int(found.state), int(found.usesLeft), int(found.openUses)),
        (state, uses_left, open_uses),
    )
    names = ("none", "requested", "approved", "denied", "lapsed", "revoked", "expired")
    expect(
        "the same in the API",
        (shown["state"], shown["usesLeft"], shown["openUses"]),
        (names[state], uses_left, open_uses),
    )
    held = stage.contract("Escrow").held(grants.address, grant, token.address)
    expect("held by the Escrow", held, PRICE * (uses_left + open_uses))
    expect("held in the API", shown["held"], str(held))


def _computed_directly() -> Iterator[tuple[Any, ...]]:
    """The model's answer from scikit-learn's own copy of the records, by numpy."""
    from sklearn.datasets import load_breast_cancer

    records = load_breast_cancer()
    names = [str(name) for name in records.feature_names]
    radius, area = names.index("mean radius"), names.index("mean area")
    for diagnosis in sorted(map(str, records.target_names)):
        rows = records.data[records.target == list(records.target_names).index(diagnosis)]
        yield (
            diagnosis,
            len(rows),
            float(rows[:, radius].mean()),
            float(rows[:, radius].std(ddof=1)),
            float(rows[:, area].mean()),
        )
