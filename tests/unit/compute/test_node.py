"""The node against the real contracts on the in-process chain: what it checks, what it refuses, kills at every step."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from frontend_api.compute import node as node_module
from frontend_api.compute.datasets import describe
from frontend_api.compute.node import (
    ChainRefused,
    ChainUnavailable,
    Grant,
    GrantState,
    HeldDataset,
    Job,
    JobState,
    Node,
    Reason,
)
from frontend_api.compute.policy import OutputPolicy
from frontend_api.compute.sealed import ciphertext_hash, new_result_key, open_result
from tests.evm import Reverted
from tests.unit.data.conftest import GENERAL, LICENCE, PERIOD, PRICE, SQL, Data

ROOT = Path(__file__).resolve().parents[3]


class Killed(BaseException):
    """The process dies here: nothing catches it."""


class EvmPort:
    """The node's chain on an in-process EVM. `die` names calls that kill the node, before or after they took effect."""

    def __init__(self, data):
        self.data, self.keys, self.delivered, self.die, self.calls = data, {}, {}, set(), []

    def _send(self, name, function, *args):
        self.calls.append(name)
        if f"before {name}" in self.die:
            raise Killed(name)
        if f"unreachable {name}" in self.die:
            raise ChainUnavailable(name)
        try:
            function(*args, sender=self.data.hospital)
        except Reverted as error:
            raise ChainRefused(error.error) from error
        if f"after {name}" in self.die:
            raise Killed(name)

    def open_jobs(self):
        desk = self.data.desk
        return [n for n in range(1, desk.jobCount() + 1) if desk.job(n).state in (1, 2)]

    def job(self, job_id):
        found = self.data.desk.job(job_id)
        state = JobState(found.state)
        return Job(job_id, found.grantId, found.modelId, state, found.deadline, self.keys[job_id])

    def grant(self, grant_id):
        holder, dataset, state, until = self.data.grants.standingOf(grant_id)
        return Grant(grant_id, holder, dataset, GrantState(state), until)

    def approved_model_hash(self, dataset_id, model_id):
        models = self.data.models
        return models.model(model_id).contentHash if models.isApproved(dataset_id, model_id) else None

    def dataset_version(self, dataset_id):
        return self.data.datasets.versionOf(dataset_id)

    def chain_time(self):
        return self.data.now

    def accept(self, job_id):
        self._send("accept", self.data.desk.accept, job_id)

    def complete(self, job_id, ciphertext_hash, dataset_version, model_hash, epsilon):
        facts = (job_id, ciphertext_hash, dataset_version, model_hash, epsilon)
        self._send("complete", self.data.desk.complete, *facts)

    def fail(self, job_id, reason):
        self._send("fail", self.data.desk.fail, job_id, int(reason))

    def deliver(self, job_id, ciphertext):
        def keep(*_, sender):
            assert self.delivered.setdefault(job_id, ciphertext) == ciphertext, "sealed twice"

        self._send("deliver", keep)


class Hospital:
    """A registered dataset, an approved model, a paid grant of three uses, and the node's own things."""

    def __init__(self, city, records, model, folder):
        self.data, self.model, self.folder = Data(city), model, folder
        facts = describe(records)
        data = self.data
        self.dataset = data.datasets.register(
            facts.schema_root, facts.content_commitment, facts.row_count_bucket, GENERAL, 0, LICENCE,
            sender=data.hospital,
        ).value  # fmt: skip
        self.grant = data.approved(3, offer=data.offer(self.dataset))
        self.port = EvmPort(data)
        columns = ("diagnosis", "mean_radius", "mean_area")
        self.datasets = {self.dataset: HeldDataset(records, 1, columns, OutputPolicy(minimum_group=10))}
        self.files, self.runs = {}, 0
        self.model_id = self.publish(model)

    def publish(self, model):
        data = self.data
        number = data.models.publish(SQL, model.content_hash, model.output_schema_hash, sender=data.institute).value
        data.models.approve(self.dataset, number, sender=data.hospital)
        self.files[number] = model
        return number

    def submit(self, model_id=None, key=None):
        private, public = new_result_key()
        job = self.data.desk.submit(
            self.grant, model_id or self.model_id, key or public, sender=self.data.institute
        ).value
        self.port.keys[job] = key or public
        return job, private

    def node(self):
        return Node(self.port, self.folder / "node.sqlite", self.datasets, self.files)

    def serve(self):
        """Start a node, let it do one pass, stop it; a kill in between ends it."""
        node = self.node()
        try:
            node.run_once()
        except Killed:
            return "killed"
        finally:
            node.close()
        return "served"

    def job(self, job):
        return self.data.desk.job(job)

    def outcome(self, job):
        found = self.job(job)
        return JobState(found.state), Reason(found.reason)

    def money(self):
        """(held for the grant, claimable by the holder, by the requester), in prices."""
        sums = (
            self.data.held(self.grant),
            self.data.claimable(self.data.hospital),
            self.data.claimable(self.data.institute),
        )
        return tuple(amount / PRICE for amount in sums)


@pytest.fixture
def hospital(city, records, model, tmp_path, monkeypatch):
    made = Hospital(city, records, model, tmp_path)
    run_sql = node_module.sandbox.run_sql

    def counted(*args, **kwargs):
        made.runs += 1
        return run_sql(*args, **kwargs)

    monkeypatch.setattr(node_module.sandbox, "run_sql", counted)
    return made


def test_run_once__submitted_job__result_delivered_hash_on_chain_holder_paid(hospital):
    job, private = hospital.submit()
    hospital.serve()

    found = hospital.job(job)
    ciphertext = hospital.port.delivered[job]
    assert (JobState(found.state), found.datasetVersion, found.epsilon) == (JobState.COMPLETED, 1, 0)
    assert found.ciphertextHash == ciphertext_hash(ciphertext)
    result = open_result(ciphertext, private, found.ciphertextHash)
    assert (result["jobId"], result["modelHash"]) == (job, "0x" + hospital.model.content_hash.hex())
    assert [row[:2] for row in result["rows"]] == [["benign", 357], ["malignant", 212]]
    assert result["rows"][1][2] == pytest.approx(17.46283018867925, rel=1e-12)
    assert hospital.money() == (2, 1, 0)
    assert (hospital.port.calls, hospital.runs) == (["accept", "deliver", "complete"], 1)
    hospital.serve()
    assert (hospital.port.calls, hospital.runs) == (["accept", "deliver", "complete"], 1)


def test_run_once__three_jobs_in_one_pass__all_served(hospital):
    jobs = [hospital.submit()[0] for _ in range(3)]
    hospital.serve()
    assert [hospital.outcome(job)[0] for job in jobs] == [JobState.COMPLETED] * 3
    assert hospital.money() == (0, 3, 0)


def revoke(h):
    h.data.grants.revoke(h.grant, sender=h.data.hospital)


def withdraw(h):
    h.data.models.withdraw(h.dataset, h.model_id, sender=h.data.hospital)


def outgrow_grant(h):
    h.data.city.chain.mine(PERIOD + 1)


def register_new_version(h):
    h.data.datasets.registerVersion(h.dataset, b"\x01" * 32, b"\x02" * 32, 3, sender=h.data.hospital)


def lose_dataset(h):
    h.datasets.clear()


def lose_model(h):
    h.files.clear()


def change_model(h):
    h.files[h.model_id] = replace(h.model, sql=h.model.sql + " LIMIT 1")


def narrow_columns(h):
    h.datasets[h.dataset] = replace(h.datasets[h.dataset], columns=("diagnosis",))


def raise_minimum(h):
    h.datasets[h.dataset] = replace(h.datasets[h.dataset], policy=OutputPolicy(minimum_group=213))


STALE = [
    (revoke, Reason.GRANT_INACTIVE, 0),
    (outgrow_grant, Reason.GRANT_INACTIVE, 0),
    (withdraw, Reason.MODEL_NOT_APPROVED, 0),
    (lose_model, Reason.MODEL_UNAVAILABLE, 0),
    (change_model, Reason.MODEL_HASH_MISMATCH, 0),
    (register_new_version, Reason.DATASET_VERSION_MISMATCH, 0),
    (lose_dataset, Reason.DATASET_VERSION_MISMATCH, 0),
    (narrow_columns, Reason.MODEL_INVALID, 0),
    (raise_minimum, Reason.OUTPUT_REFUSED, 1),
]


@pytest.mark.parametrize(("change", "reason", "runs"), STALE)
def test_run_once__something_is_stale__refused_with_the_reason_and_refunded(hospital, change, reason, runs):
    job, _ = hospital.submit()
    change(hospital)
    hospital.serve()

    assert hospital.outcome(job) == (JobState.FAILED, reason)
    assert (hospital.runs, hospital.port.delivered) == (runs, {})
    assert hospital.money()[1] == 0
    assert hospital.money()[2] == (3 if change is revoke else 1)


def test_run_once__key_that_nothing_can_be_sealed_to__refused_before_it_runs(hospital):
    job, _ = hospital.submit(key=b"\x01" + bytes(31))
    hospital.serve()
    assert hospital.outcome(job) == (JobState.FAILED, Reason.RESULT_KEY_INVALID)
    assert hospital.runs == 0


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT * FROM read_csv('/etc/passwd')", Reason.MODEL_INVALID),
        ("SELECT diagnosis, 100::BIGINT AS cases, mean_radius FROM cases", Reason.MODEL_INVALID),
        ("SELECT diagnosis::INT AS diagnosis, count(*) AS cases FROM cases GROUP BY 1", Reason.EXECUTION_FAILED),
        ("SELECT mean_radius AS diagnosis, count(*) AS cases FROM cases GROUP BY 1", Reason.OUTPUT_REFUSED),
        ("SELECT diagnosis, count(*) AS cases FROM cases WHERE mean_radius > 28 GROUP BY 1", Reason.OUTPUT_REFUSED),
    ],
)
def test_run_once__hostile_or_broken_model__contained_and_next_job_served(hospital, sql, reason):
    output = tuple(column for column in hospital.model.output if column.name in ("diagnosis", "cases"))
    hostile = hospital.publish(replace(hospital.model, sql=sql, output=output))
    bad, _ = hospital.submit(hostile)
    good, _ = hospital.submit()
    hospital.serve()

    assert hospital.outcome(bad) == (JobState.FAILED, reason)
    assert hospital.outcome(good) == (JobState.COMPLETED, Reason.NONE)
    assert hospital.money() == (1, 1, 1)


@pytest.mark.parametrize("change", [revoke, withdraw, register_new_version, lose_model])
def test_run_once__stale_once_the_acceptance_is_final__never_run(hospital, change):
    job, _ = hospital.submit()
    accept = hospital.port.accept

    def meanwhile(job_id):
        accept(job_id)
        change(hospital)

    hospital.port.accept = meanwhile
    hospital.serve()
    assert hospital.outcome(job)[0] is JobState.FAILED
    assert (hospital.runs, hospital.money()[1]) == (0, 0)


@pytest.mark.parametrize("change", [revoke, withdraw])
def test_run_once__revoked_or_withdrawn_while_the_model_runs__nothing_is_released(hospital, change, monkeypatch):
    job, _ = hospital.submit()
    sealed = node_module.Store.sealed

    def meanwhile(*args):
        sealed(*args)
        change(hospital)

    monkeypatch.setattr(node_module.Store, "sealed", meanwhile)
    hospital.serve()
    assert hospital.outcome(job)[0] is JobState.FAILED
    assert hospital.port.delivered == {}
    assert hospital.money()[1] == 0


def test_run_once__revoked_between_delivery_and_completion__refunded(hospital):
    job, _ = hospital.submit()
    hospital.port.die = {"after deliver"}
    assert hospital.serve() == "killed"
    revoke(hospital)
    hospital.port.die = set()
    hospital.serve()
    assert hospital.outcome(job) == (JobState.FAILED, Reason.GRANT_INACTIVE)
    assert hospital.money() == (0, 0, 3)


KILLS = [f"{when} {call}" for call in ("accept", "deliver", "complete") for when in ("before", "after")]


@pytest.mark.parametrize("kill", KILLS)
def test_kill__around_each_call__job_completed_once_and_run_once(hospital, kill):
    job, private = hospital.submit()
    hospital.port.die = {kill}
    assert hospital.serve() == "killed"
    hospital.port.die = set()
    hospital.serve(), hospital.serve()

    assert hospital.outcome(job) == (JobState.COMPLETED, Reason.NONE)
    assert hospital.runs == 1
    assert open_result(hospital.port.delivered[job], private, hospital.job(job).ciphertextHash)["jobId"] == job
    assert hospital.money() == (2, 1, 0)


STORE_KILLS = [
    f"{when} {write}" for write in ("running", "sealed", "delivered", "done") for when in ("before", "after")
]


@pytest.mark.parametrize("kill", STORE_KILLS)
def test_kill__around_each_own_write__never_run_twice_never_lost(hospital, kill, monkeypatch):
    job, _ = hospital.submit()
    when, write = kill.split()
    original = getattr(node_module.Store, write)

    def dying(*args):
        if when == "after":
            original(*args)
        raise Killed(kill)

    with monkeypatch.context() as patch:
        patch.setattr(node_module.Store, write, dying)
        assert hospital.serve() == "killed"
    hospital.serve(), hospital.serve()

    interrupted = kill in ("after running", "before sealed")
    if interrupted:
        assert hospital.outcome(job) == (JobState.FAILED, Reason.INTERRUPTED)
    else:
        assert hospital.outcome(job) == (JobState.COMPLETED, Reason.NONE)
    assert hospital.runs <= 1
    assert hospital.money() == ((2, 0, 1) if interrupted else (2, 1, 0))


@pytest.mark.parametrize("kill", ["before fail", "after fail"])
def test_kill__around_a_failure__same_reason_told_once(hospital, kill):
    job, _ = hospital.submit()
    raise_minimum(hospital)
    hospital.port.die = {kill}
    assert hospital.serve() == "killed"
    hospital.port.die = set()
    hospital.datasets[hospital.dataset] = replace(
        hospital.datasets[hospital.dataset], policy=OutputPolicy(minimum_group=10)
    )
    hospital.serve(), hospital.serve()
    assert hospital.outcome(job) == (JobState.FAILED, Reason.OUTPUT_REFUSED)
    assert (hospital.runs, hospital.money()) == (1, (2, 0, 1))


@pytest.mark.parametrize("call", ["accept", "deliver", "complete"])
def test_run_once__chain_unreachable__goes_on_in_the_next_pass(hospital, call):
    job, _ = hospital.submit()
    hospital.port.die = {f"unreachable {call}"}
    with pytest.raises(ChainUnavailable):
        hospital.serve()
    hospital.port.die = set()
    hospital.serve()
    assert (hospital.outcome(job), hospital.runs) == ((JobState.COMPLETED, Reason.NONE), 1)


def test_run_once__timed_out_meanwhile__left_alone(hospital):
    job, _ = hospital.submit()
    hospital.port.die = {"before deliver"}
    assert hospital.serve() == "killed"
    hospital.port.die = set()
    hospital.data.city.chain.mine(86_401)
    hospital.data.desk.timeOut(job, sender=hospital.data.city.li)
    hospital.serve()
    assert hospital.outcome(job)[0] is JobState.TIMED_OUT
    assert (hospital.port.delivered, hospital.money()) == ({}, (2, 0, 1))


def test_run_once__too_late_to_complete__refunded_instead(hospital):
    job, _ = hospital.submit()
    hospital.port.die = {"before complete"}
    assert hospital.serve() == "killed"
    hospital.port.die = set()
    hospital.data.city.chain.mine(86_401)
    hospital.serve()
    assert hospital.outcome(job) == (JobState.FAILED, Reason.RESOURCE_LIMIT)


@pytest.mark.parametrize(
    ("enum", "file", "name"),
    [
        (JobState, "IComputeDesk", "State"),
        (Reason, "IComputeDesk", "Reason"),
        (GrantState, "IAccessGrants", "State"),
    ],
)
def test_enums__python_and_solidity__have_the_same_members_in_order(enum, file, name):
    source = (ROOT / "contracts" / "data" / "interfaces" / f"{file}.sol").read_text()
    body = re.search(rf"enum {name} \{{([^}}]*)\}}", source)[1]
    solidity = [entry.strip() for entry in body.split(",")]
    python = ["".join(part.capitalize() for part in member.name.split("_")) for member in enum]
    assert python == solidity
