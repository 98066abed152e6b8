"""Typed wrappers of DatasetRegistry, ModelRegistry, AccessGrants and ComputeDesk."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from ...chain.abi import Call
from ...chain.contract import Wrapper
from ...compute.vocabulary import GrantState, JobState, Reason


class Classification(IntEnum):
    """As in IDatasetRegistry.Classification."""

    NONE = 0
    GENERAL = 1
    IMPORTANT = 2
    CORE = 3
    PERSONAL = 4
    SENSITIVE_PERSONAL = 5


class ModelKind(IntEnum):
    """As in IModelRegistry.Kind."""

    NONE = 0
    SQL = 1
    ONNX = 2


@dataclass(frozen=True)
class Dataset:
    """`row_count_bucket` is the number of decimal digits of the row count."""

    holder: str
    version: int
    row_count_bucket: int
    classification: Classification
    lineage_id: int
    licence: bytes


@dataclass(frozen=True)
class Model:
    content_hash: bytes
    output_schema: bytes
    publisher: str
    kind: ModelKind


@dataclass(frozen=True)
class Grant:
    """`until` in Unix seconds: the last moment to answer a request, then the last moment of use."""

    grantee: str
    until: int
    uses_left: int
    open_uses: int
    state: GrantState
    offer_id: int
    uses: int


@dataclass(frozen=True)
class Job:
    """`deadline` in Unix seconds; `epsilon` in micro-epsilon."""

    grant_id: int
    model_id: int
    deadline: int
    state: JobState
    reason: Reason
    dataset_version: int
    epsilon: int
    ciphertext_hash: bytes


class DatasetRegistry(Wrapper):
    contract = "DatasetRegistry"

    def register(
        self,
        schema_root: bytes,
        content_commitment: bytes,
        row_count_bucket: int,
        classification: Classification,
        lineage_id: int,
        licence: bytes,
    ) -> Call:
        return self._call(
            "register", schema_root, content_commitment, row_count_bucket, int(classification), lineage_id, licence
        )

    def register_version(
        self, dataset_id: int, schema_root: bytes, content_commitment: bytes, row_count_bucket: int
    ) -> Call:
        return self._call("registerVersion", dataset_id, schema_root, content_commitment, row_count_bucket)

    async def dataset(self, dataset_id: int, block: str = "latest") -> Dataset:
        raw = await self._read("dataset", dataset_id, block=block)
        return Dataset(
            raw["holder"],
            raw["version"],
            raw["rowCountBucket"],
            Classification(raw["classification"]),
            raw["lineageId"],
            raw["licence"],
        )


class ModelRegistry(Wrapper):
    contract = "ModelRegistry"

    def publish(self, kind: ModelKind, content_hash: bytes, output_schema: bytes) -> Call:
        return self._call("publish", int(kind), content_hash, output_schema)

    def approve(self, dataset_id: int, model_id: int) -> Call:
        return self._call("approve", dataset_id, model_id)

    def withdraw(self, dataset_id: int, model_id: int) -> Call:
        return self._call("withdraw", dataset_id, model_id)

    async def model(self, model_id: int, block: str = "latest") -> Model:
        raw = await self._read("model", model_id, block=block)
        return Model(raw["contentHash"], raw["outputSchema"], raw["publisher"], ModelKind(raw["kind"]))


class AccessGrants(Wrapper):
    contract = "AccessGrants"

    def offer(self, dataset_id: int, purpose: str, currency: str, price: int, period: int, max_uses: int) -> Call:
        label = purpose.encode("ascii").ljust(24, b"\0")
        return self._call("offer", dataset_id, label, currency.encode("ascii"), price, period, max_uses)

    def withdraw_offer(self, offer_id: int) -> Call:
        return self._call("withdrawOffer", offer_id)

    def request(self, offer_id: int, uses: int) -> Call:
        return self._call("request", offer_id, uses)

    def approve(self, grant_id: int) -> Call:
        return self._call("approve", grant_id)

    def deny(self, grant_id: int) -> Call:
        return self._call("deny", grant_id)

    def lapse(self, grant_id: int) -> Call:
        return self._call("lapse", grant_id)

    def revoke(self, grant_id: int) -> Call:
        return self._call("revoke", grant_id)

    def expire(self, grant_id: int) -> Call:
        return self._call("expire", grant_id)

    async def grant_of(self, grant_id: int, block: str = "latest") -> Grant:
        raw = await self._read("grantOf", grant_id, block=block)
        return Grant(
            raw["grantee"],
            raw["until"],
            raw["usesLeft"],
            raw["openUses"],
            GrantState(raw["state"]),
            raw["offerId"],
            raw["uses"],
        )


class ComputeDesk(Wrapper):
    contract = "ComputeDesk"

    def submit(self, grant_id: int, model_id: int, result_key: bytes) -> Call:
        return self._call("submit", grant_id, model_id, result_key)

    def accept(self, job_id: int) -> Call:
        return self._call("accept", job_id)

    def complete(
        self, job_id: int, ciphertext_hash: bytes, dataset_version: int, model_hash: bytes, epsilon: int
    ) -> Call:
        return self._call("complete", job_id, ciphertext_hash, dataset_version, model_hash, epsilon)

    def fail(self, job_id: int, reason: Reason) -> Call:
        return self._call("fail", job_id, int(reason))

    def time_out(self, job_id: int) -> Call:
        return self._call("timeOut", job_id)

    async def job(self, job_id: int, block: str = "latest") -> Job:
        raw = await self._read("job", job_id, block=block)
        return Job(
            raw["grantId"],
            raw["modelId"],
            raw["deadline"],
            JobState(raw["state"]),
            Reason(raw["reason"]),
            raw["datasetVersion"],
            raw["epsilon"],
            raw["ciphertextHash"],
        )
