"""Bodies of the data routes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from ...compute.sealed import SealError, check_result_key
from ...kit.ids import CurrencyCode, Hash32, parse_amount, parse_hash
from ...kit.schemas import AmountText, Body, Resource

LARGEST_PRICE = 2**96 - 1

Number = Annotated[int, Field(ge=1, le=2**48 - 1, description="the number that the chain gave it")]


def _price(value: Any) -> int:
    """Minor units; zero, other than for an amount, is a price: free."""
    return 0 if value in (0, "0") and value is not False else parse_amount(value)


def _result_key(value: Any) -> bytes:
    key = parse_hash(value)
    try:
        check_result_key(key)
    except SealError as error:
        raise ValueError("nothing can be encrypted to this X25519 key") from error
    return key


class DatasetVersion(Body):
    """What a version of a dataset consists of; `chaincity datasets describe FILE` computes it."""

    schema_root: Hash32 = Field(description="Merkle root of the columns' names and types")
    content_commitment: Hash32 = Field(description="salted commitment to the records; the salt stays with the holder")
    row_count_bucket: int = Field(ge=1, le=19, description="decimal digits of the row count: 3 for 100 to 999 rows")


class DatasetRegistration(DatasetVersion):
    """A dataset of the caller's, as version 1."""

    classification: Literal["general", "important", "core", "personal", "sensitive_personal"] = Field(
        description="grades of GB/T 43697-2024, personal information apart"
    )
    lineage_id: Number | None = Field(None, description="a dataset of the same holder whose line this one joins")
    licence: Hash32 = Field(description="keccak-256 of the licence's text")


class Offering(Body):
    """The use of a dataset for one purpose."""

    dataset_id: Number
    purpose: str = Field(pattern=r"^[A-Z][A-Z0-9_]{0,23}$", examples=["MEDICAL_RESEARCH"])
    currency: CurrencyCode
    price: Annotated[int, BeforeValidator(_price)] = Field(
        le=LARGEST_PRICE, description="minor units per use, as an integer or string; 0 is free", examples=["12345"]
    )
    period: int = Field(ge=1, le=5 * 365 * 86_400, description="seconds that a grant is good for")
    max_uses: int = Field(ge=1, le=65_535, description="the most uses one grant may have")


class GrantRequest(Body):
    """Uses under an offer. Price × uses is taken from the caller, who lets the `Escrow` take it beforehand."""

    offer_id: Number
    uses: int = Field(ge=1, le=65_535)


class JobSubmission(Body):
    """A model to be run under the caller's grant; this takes one use."""

    grant_id: Number
    model_id: Number
    result_key: Annotated[bytes, BeforeValidator(_result_key)] = Field(
        description="X25519 public key, 32 bytes in hexadecimal, fresh for this job: the result is encrypted to it",
        examples=["0x" + "8f" * 32],
    )


class Completion(Body):
    """What a holder's node delivered."""

    ciphertext_hash: Hash32 = Field(description="keccak-256 of the encrypted result")
    dataset_version: int = Field(ge=1, le=65_535, description="on which version the model ran")
    model_hash: Hash32 = Field(description="content hash of what ran")
    epsilon: int = Field(0, ge=0, lt=2**64, description="privacy cost in micro-epsilon")


class Failure(Body):
    reason: Literal[
        "grant_inactive",
        "model_not_approved",
        "model_unavailable",
        "model_hash_mismatch",
        "dataset_version_mismatch",
        "model_invalid",
        "execution_failed",
        "resource_limit",
        "output_refused",
        "interrupted",
        "result_key_invalid",
    ]


class DatasetResource(Resource):
    """A dataset with its newest version's commitments."""

    dataset_id: int
    holder: str
    version: int
    schema_root: str
    content_commitment: str
    row_count_bucket: int
    classification: str
    lineage_id: int
    licence: str
    registered_at: int
    finality: str = Field(description="`final` once enough blocks stand on the last change, else `mined`")


class DatasetList(Resource):
    items: list[DatasetResource]
    next: str | None


class VersionResource(Resource):
    dataset_id: int
    version: int
    schema_root: str
    content_commitment: str
    row_count_bucket: int
    registered_at: int
    finality: str


class ModelResource(Resource):
    model_id: int
    kind: str
    content_hash: str
    output_schema: str
    publisher: str
    published_at: int
    finality: str


class ModelList(Resource):
    items: list[ModelResource]
    next: str | None


class ApprovalResource(Resource):
    dataset_id: int
    model_id: int
    approved: bool = Field(description="whether the dataset's holder lets the model run on it now")
    content_hash: str
    finality: str


class OfferResource(Resource):
    offer_id: int
    dataset_id: int
    holder: str
    purpose: str
    currency: str
    price: AmountText
    period: int
    max_uses: int
    state: str
    offered_at: int
    finality: str


class OfferList(Resource):
    items: list[OfferResource]
    next: str | None


class GrantResource(Resource):
    grant_id: int
    offer_id: int
    dataset_id: int
    holder: str
    grantee: str
    purpose: str
    currency: str
    price: AmountText
    state: str
    expired: bool = Field(description="by chain time: nobody answered in time, or the time of use is over")
    usable: bool = Field(description="whether a job could be submitted now")
    uses: int
    uses_left: int
    open_uses: int = Field(description="taken by jobs that have not ended")
    held: AmountText = Field(description="what the Escrow holds for it")
    paid: AmountText = Field(description="released to the holder so far")
    refunded: AmountText = Field(description="released to the grantee so far")
    until: int = Field(description="the last moment to answer a request, then the last moment of use")
    requested_at: int
    approved_at: int | None
    closed_at: int | None
    state_finality: str = Field(description="of the last change of `state`; uses do not move it")
    finality: str


class GrantList(Resource):
    items: list[GrantResource]
    next: str | None


class JobResource(Resource):
    job_id: int
    grant_id: int
    dataset_id: int
    holder: str
    grantee: str
    model_id: int
    result_key: str
    state: str
    reason: str | None = Field(description="why it failed")
    deadline: int = Field(description="to accept while submitted, to complete while accepted")
    overdue: bool = Field(description="by chain time: anyone may have it refunded")
    ciphertext_hash: str | None
    dataset_version: int | None
    model_hash: str | None
    epsilon: str | None
    submitted_at: int
    accepted_at: int | None
    ended_at: int | None
    finality: str


class JobList(Resource):
    items: list[JobResource]
    next: str | None


class ResultResource(Resource):
    job_id: int
    ciphertext_hash: str
    bytes: int
