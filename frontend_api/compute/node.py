"""The holder's node: takes jobs from the chain, checks everything again at the moment of execution, runs, releases, is
paid.

Order of writes for one job, so that a kill at any point neither runs it twice nor loses it. `→` is a commit to the
node's own database (SQLite, synchronous=FULL) before the next step:

    check, accept on chain → `running` → run, check output, seal → `sealed` with the ciphertext → check again, deliver →
    `delivered` → complete on chain → `done`

- Killed before `running`: the job is found again on the chain and starts over; nothing was read.
- Killed in `running`: rows may have been read, so it is never run again; it fails with `Interrupted` and the requester
  is refunded.
- Killed from `sealed` on: the stored ciphertext goes on its way. It is never sealed anew (sealing is randomised: the
  hash would differ); delivering and completing the same again changes nothing.
- A failure is stored (`failing` with its reason) before it is told to the chain, so that a node that comes back tells
  the same reason.

An unreachable chain stops a pass and changes nothing; the next pass goes on from what is stored.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import structlog

from . import sandbox, sealed
from .models import Model
from .policy import OutputPolicy, OutputRefused, check_output
from .sandbox import Contained, Containment, Limits, Rows, Source
from .vocabulary import GrantState, JobState, Reason

log = structlog.get_logger(__name__)


_CONTAINED = {
    Containment.GRAMMAR: Reason.MODEL_INVALID,
    Containment.EXECUTION: Reason.EXECUTION_FAILED,
    Containment.RESOURCES: Reason.RESOURCE_LIMIT,
    Containment.OUTPUT: Reason.OUTPUT_REFUSED,
    Containment.SANDBOX: Reason.EXECUTION_FAILED,
}

#: What a contract's refusal means for the job. Any other refusal is looked at again in the next pass.
_REFUSALS = {
    "AccessGrants_Revoked": Reason.GRANT_INACTIVE,
    "ComputeDesk_GrantNotInForce": Reason.GRANT_INACTIVE,
    "ComputeDesk_TooLate": Reason.RESOURCE_LIMIT,
    "ComputeDesk_UnknownDatasetVersion": Reason.DATASET_VERSION_MISMATCH,
    "ComputeDesk_WrongModelHash": Reason.MODEL_HASH_MISMATCH,
    "ModelRegistry_NotApproved": Reason.MODEL_NOT_APPROVED,
}


class ChainUnavailable(Exception):
    """The chain could not be asked or told. Nothing is known of the outcome; ask again."""


class ChainRefused(Exception):
    """The contract refused; `error` is its custom error's name."""

    def __init__(self, error: str):
        super().__init__(error)
        self.error = error


@dataclass(frozen=True)
class Job:
    """A job as the chain has it: ComputeDesk.job and the key from its JobSubmitted event."""

    job_id: int
    grant_id: int
    model_id: int
    state: JobState
    deadline: int
    result_key: bytes


@dataclass(frozen=True)
class Grant:
    """AccessGrants.standingOf. `until` in Unix seconds."""

    grant_id: int
    holder: str
    dataset_id: int
    state: GrantState
    until: int


class ChainPort(Protocol):
    """What the node needs of the chain. Reads are of the newest final block. Every method may raise `ChainUnavailable`.

    The three writes return when the transaction is final, and raise `ChainRefused` when the contract reverted. They may
    be called again with the same arguments after a kill; the port then finds the first transaction's outcome or the
    contract refuses the second.
    """

    def open_jobs(self) -> Sequence[int]:
        """Ids of the jobs, submitted or accepted, on datasets of this holder, oldest first."""

    def job(self, job_id: int) -> Job: ...

    def grant(self, grant_id: int) -> Grant: ...

    def approved_model_hash(self, dataset_id: int, model_id: int) -> bytes | None:
        """The model's content hash; None when the holder does not approve it for the dataset now."""

    def dataset_version(self, dataset_id: int) -> int:
        """The newest registered version."""

    def chain_time(self) -> int:
        """Unix seconds of that block."""

    def accept(self, job_id: int) -> None: ...

    def complete(
        self, job_id: int, ciphertext_hash: bytes, dataset_version: int, model_hash: bytes, epsilon: int
    ) -> None: ...

    def fail(self, job_id: int, reason: Reason) -> None: ...

    def deliver(self, job_id: int, ciphertext: bytes) -> None:
        """Put the ciphertext where the requester finds it; the same again changes nothing."""


@dataclass(frozen=True)
class HeldDataset:
    """A dataset of this holder: its file, which registered version that is, and what may leave of it."""

    file: Path
    version: int
    columns: tuple[str, ...]
    policy: OutputPolicy


class Stopped(Exception):
    """A job ends here, for a reason that goes on chain; the detail stays in the holder's log."""

    def __init__(self, reason: Reason, detail: str = ""):
        super().__init__(f"{reason.name}: {detail}")
        self.reason, self.detail = reason, detail


@dataclass(frozen=True)
class Admitted:
    """What a job may use, as checked just now."""

    job: Job
    dataset_id: int
    held: HeldDataset
    model: Model


class Node:
    """One holder's node. `datasets` are those it keeps, by dataset id; `models` the model files it has, by model id."""

    def __init__(
        self,
        chain: ChainPort,
        database: Path,
        datasets: Mapping[int, HeldDataset],
        models: Mapping[int, Model],
        limits: Limits | None = None,
    ):
        self.chain, self.datasets, self.models = chain, datasets, models
        self.limits = limits or Limits()
        self.store = Store(database)

    def close(self) -> None:
        self.store.close()

    def run_once(self) -> int:
        """One pass over the jobs at hand; returns how many were looked at. Raises `ChainUnavailable`."""
        jobs = self.jobs()
        for job_id in jobs:
            self.advance(job_id)
        return len(jobs)

    def jobs(self) -> list[int]:
        """The open jobs and those left over, oldest first. Raises `ChainUnavailable`."""
        return sorted({*self.chain.open_jobs(), *self.store.unfinished()})

    def advance(self, job_id: int) -> None:
        """Take one job as far as it goes."""
        try:
            entry = self.store.entry(job_id)
            if entry.stage == "done":
                return
            job = self.chain.job(job_id)
            if job.state not in (JobState.SUBMITTED, JobState.ACCEPTED):
                # Timed out meanwhile, or told to the chain just before a kill.
                self.store.done(job_id)
            elif entry.stage == "failing":
                self._tell_failure(job_id, entry.reason)
            elif entry.stage in ("sealed", "delivered"):
                self._release(job, entry)
            elif entry.stage == "running":
                raise Stopped(Reason.INTERRUPTED, "the node was stopped while the model ran")
            elif self._execute(job):
                self._release(job, self.store.entry(job_id))
        except ChainRefused as error:
            # Told before a kill and not yet final, or a rule that the node does not know: the next pass looks again.
            log.error("the chain refused", job=job_id, error=error.error)
        except Stopped as stop:
            log.warning("job stopped", job=job_id, reason=stop.reason.name, detail=stop.detail)
            self.store.failing(job_id, stop.reason)
            self._tell_failure(job_id, stop.reason)

    def _execute(self, job: Job) -> bool:
        """Run a job that was not run yet; whether it has a sealed result now."""
        admitted = self._admit(job)
        if self.chain.chain_time() > job.deadline:
            raise Stopped(Reason.RESOURCE_LIMIT, "its deadline passed")
        if job.state is JobState.SUBMITTED:
            self._tell(lambda: self.chain.accept(job.job_id))
            # Accepting took a block or more: look at everything again.
            job = self.chain.job(job.job_id)
            if job.state is not JobState.ACCEPTED:
                return False
            admitted = self._admit(job)
        self.store.running(job.job_id)
        ciphertext = self._run(admitted)
        self.store.sealed(job.job_id, ciphertext, admitted.held.version, admitted.model.content_hash)
        return True

    def _admit(self, job: Job) -> Admitted:
        """Everything a job rests on, asked of the chain now. Raises `Stopped`."""
        grant = self.chain.grant(job.grant_id)
        if grant.state is not GrantState.APPROVED or self.chain.chain_time() > grant.until:
            raise Stopped(Reason.GRANT_INACTIVE, f"grant {grant.grant_id} is {grant.state.name} until {grant.until}")
        registered = self.chain.approved_model_hash(grant.dataset_id, job.model_id)
        if registered is None:
            raise Stopped(Reason.MODEL_NOT_APPROVED, f"model {job.model_id} on dataset {grant.dataset_id}")
        model = self.models.get(job.model_id)
        if model is None:
            raise Stopped(Reason.MODEL_UNAVAILABLE, f"no file for model {job.model_id}, 0x{registered.hex()}")
        if model.content_hash != registered:
            raise Stopped(Reason.MODEL_HASH_MISMATCH, f"the file's hash is 0x{model.content_hash.hex()}")
        held = self.datasets.get(grant.dataset_id)
        newest = self.chain.dataset_version(grant.dataset_id)
        if held is None or held.version != newest:
            local = "none" if held is None else str(held.version)
            raise Stopped(Reason.DATASET_VERSION_MISMATCH, f"registered {newest}, here {local}")
        missing = [column for column in model.inputs if column not in held.columns]
        if missing:
            raise Stopped(Reason.MODEL_INVALID, f"columns that are not granted: {', '.join(missing)}")
        try:
            sealed.check_result_key(job.result_key)
        except sealed.SealError as error:
            raise Stopped(Reason.RESULT_KEY_INVALID, str(error)) from error
        return Admitted(job, grant.dataset_id, held, model)

    def _run(self, admitted: Admitted) -> bytes:
        model, held = admitted.model, admitted.held
        try:
            rows: Rows = sandbox.run_sql(
                model.sql, {model.table: Source(held.file, model.inputs)}, model.count_column, self.limits
            )
            check_output(rows, model, held.policy)
        except Contained as error:
            raise Stopped(_CONTAINED[error.reason], error.detail) from error
        except OutputRefused as error:
            raise Stopped(Reason.OUTPUT_REFUSED, str(error)) from error
        receipt = sealed.Receipt(admitted.job.job_id, admitted.dataset_id, held.version, model.content_hash)
        return sealed.seal(sealed.result_bytes(rows, model, receipt), admitted.job.result_key)

    def _release(self, job: Job, entry: Entry) -> None:
        """Deliver and complete; a revocation or withdrawal in the meantime stops it."""
        grant = self.chain.grant(job.grant_id)
        if grant.state is GrantState.REVOKED:
            raise Stopped(Reason.GRANT_INACTIVE, "revoked before the result was released")
        if self.chain.approved_model_hash(grant.dataset_id, job.model_id) != entry.model_hash:
            raise Stopped(Reason.MODEL_NOT_APPROVED, "withdrawn before the result was released")
        if entry.stage == "sealed":
            self.chain.deliver(job.job_id, entry.ciphertext)
            self.store.delivered(job.job_id)
        facts = (sealed.ciphertext_hash(entry.ciphertext), entry.dataset_version, entry.model_hash, 0)
        self._tell(lambda: self.chain.complete(job.job_id, *facts))
        self.store.done(job.job_id)
        log.info("job completed", job=job.job_id)

    def _tell_failure(self, job_id: int, reason: Reason) -> None:
        try:
            self.chain.fail(job_id, reason)
        except ChainRefused as error:
            # It ended otherwise, by its time-out: the next pass reads that from the chain.
            log.warning("the failure was refused", job=job_id, error=error.error)
            return
        self.store.done(job_id)

    def _tell(self, write: Callable[[], None]) -> None:
        """A write whose refusal ends the job where the contract names a reason that the requester should know."""
        try:
            write()
        except ChainRefused as error:
            if error.error in _REFUSALS:
                raise Stopped(_REFUSALS[error.error], error.error) from error
            raise


@dataclass(frozen=True)
class Entry:
    """What the node remembers of a job. Stage: new, running, sealed, delivered, failing, done."""

    stage: str = "new"
    reason: Reason = Reason.NONE
    ciphertext: bytes = b""
    dataset_version: int = 0
    model_hash: bytes = b""


class Store:
    """The node's memory. A database of its own, never the service's; plaintext results are never stored."""

    def __init__(self, path: Path):
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.execute(
            """CREATE TABLE IF NOT EXISTS jobs (
                job_id INTEGER PRIMARY KEY,
                stage TEXT NOT NULL CHECK (stage IN ('running', 'sealed', 'delivered', 'failing', 'done')),
                reason INTEGER NOT NULL DEFAULT 0,
                ciphertext BLOB NOT NULL DEFAULT x'',
                dataset_version INTEGER NOT NULL DEFAULT 0,
                model_hash BLOB NOT NULL DEFAULT x''
            ) STRICT"""
        )

    def close(self) -> None:
        self._database.close()

    def entry(self, job_id: int) -> Entry:
        with closing(
            self._database.execute(
                "SELECT stage, reason, ciphertext, dataset_version, model_hash FROM jobs WHERE job_id = ?", (job_id,)
            )
        ) as cursor:
            row = cursor.fetchone()
        return Entry() if row is None else Entry(row[0], Reason(row[1]), *row[2:])

    def unfinished(self) -> list[int]:
        with closing(self._database.execute("SELECT job_id FROM jobs WHERE stage <> 'done'")) as cursor:
            return [row[0] for row in cursor]

    def running(self, job_id: int) -> None:
        # A plain INSERT: a second start of the same job is an error, whoever asks for it.
        self._database.execute("INSERT INTO jobs (job_id, stage) VALUES (?, 'running')", (job_id,))

    def sealed(self, job_id: int, ciphertext: bytes, dataset_version: int, model_hash: bytes) -> None:
        self._database.execute(
            "UPDATE jobs SET stage = 'sealed', ciphertext = ?, dataset_version = ?, model_hash = ? WHERE job_id = ?",
            (ciphertext, dataset_version, model_hash, job_id),
        )

    def delivered(self, job_id: int) -> None:
        self._set(job_id, "delivered", Reason.NONE)

    def failing(self, job_id: int, reason: Reason) -> None:
        self._set(job_id, "failing", reason)

    def done(self, job_id: int) -> None:
        self._set(job_id, "done", self.entry(job_id).reason)

    def _set(self, job_id: int, stage: str, reason: Reason) -> None:
        self._database.execute(
            "INSERT INTO jobs (job_id, stage, reason) VALUES (?, ?, ?) "
            "ON CONFLICT (job_id) DO UPDATE SET stage = excluded.stage, reason = excluded.reason",
            (job_id, stage, int(reason)),
        )
