"""The tables of the data product: those that follow the chain, and two that do not, the model files and the encrypted
results, which the chain knows by hash only."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, LargeBinary, String, Table

from ...chain.projection import CHANGED
from ...db import Whole, metadata

datasets = Table(
    "datasets",
    metadata,
    Column("dataset_id", Whole, primary_key=True),
    Column("holder", String(42), nullable=False, index=True),
    Column("version", Whole, nullable=False),
    Column("schema_root", String(66), nullable=False),
    Column("content_commitment", String(66), nullable=False),
    Column("row_count_bucket", Whole, nullable=False),
    Column("classification", String(20), nullable=False),
    Column("lineage_id", Whole, nullable=False, index=True),
    Column("licence", String(66), nullable=False),
    Column("registered_at", Whole, nullable=False),
    Column(CHANGED, Whole, nullable=False),
)

versions = Table(
    "dataset_versions",
    metadata,
    Column("dataset_id", Whole, primary_key=True),
    Column("version", Whole, primary_key=True),
    Column("schema_root", String(66), nullable=False),
    Column("content_commitment", String(66), nullable=False),
    Column("row_count_bucket", Whole, nullable=False),
    Column("registered_at", Whole, nullable=False),
    Column(CHANGED, Whole, nullable=False),
)

models = Table(
    "models",
    metadata,
    Column("model_id", Whole, primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("content_hash", String(66), nullable=False, index=True),
    Column("output_schema", String(66), nullable=False),
    Column("publisher", String(42), nullable=False, index=True),
    Column("published_at", Whole, nullable=False),
    Column(CHANGED, Whole, nullable=False),
)

approvals = Table(
    "model_approvals",
    metadata,
    Column("dataset_id", Whole, primary_key=True),
    Column("model_id", Whole, primary_key=True),
    Column("approved", Boolean, nullable=False),
    Column(CHANGED, Whole, nullable=False),
)

offers = Table(
    "offers",
    metadata,
    Column("offer_id", Whole, primary_key=True),
    Column("dataset_id", Whole, nullable=False, index=True),
    Column("holder", String(42), nullable=False, index=True),
    Column("purpose", String(50), nullable=False),
    Column("currency", String(3), nullable=False),
    Column("price", String(39), nullable=False),
    Column("period", Whole, nullable=False),
    Column("max_uses", Whole, nullable=False),
    Column("state", String(12), nullable=False),
    Column("offered_at", Whole, nullable=False),
    Column(CHANGED, Whole, nullable=False),
)

#: `until` is the last moment to answer a request, then the last moment of use. `state_block` is the block of the last change of state:
#: other than `changed_block` it does not move with every use, so a grant in steady use has a final standing.
grants = Table(
    "grants",
    metadata,
    Column("grant_id", Whole, primary_key=True),
    Column("offer_id", Whole, nullable=False, index=True),
    Column("dataset_id", Whole, nullable=False, index=True),
    Column("holder", String(42), nullable=False, index=True),
    Column("grantee", String(42), nullable=False, index=True),
    Column("state", String(12), nullable=False, index=True),
    Column("uses", Whole, nullable=False),
    Column("uses_left", Whole, nullable=False),
    Column("open_uses", Whole, nullable=False),
    Column("paid", String(39), nullable=False),
    Column("refunded", String(39), nullable=False),
    Column("until", Whole, nullable=False),
    Column("requested_at", Whole, nullable=False),
    Column("approved_at", Whole),
    Column("closed_at", Whole),
    Column("state_block", Whole, nullable=False),
    Column(CHANGED, Whole, nullable=False),
)

#: `epsilon` is text: the contract takes any uint64, SQL integers end at 2^63.
jobs = Table(
    "jobs",
    metadata,
    Column("job_id", Whole, primary_key=True),
    Column("grant_id", Whole, nullable=False, index=True),
    Column("dataset_id", Whole, nullable=False, index=True),
    Column("holder", String(42), nullable=False, index=True),
    Column("grantee", String(42), nullable=False, index=True),
    Column("model_id", Whole, nullable=False),
    Column("result_key", String(66), nullable=False),
    Column("state", String(12), nullable=False, index=True),
    Column("reason", String(24)),
    Column("deadline", Whole, nullable=False),
    Column("ciphertext_hash", String(66)),
    Column("dataset_version", Whole),
    Column("model_hash", String(66)),
    Column("epsilon", String(20)),
    Column("submitted_at", Whole, nullable=False),
    Column("accepted_at", Whole),
    Column("ended_at", Whole),
    Column(CHANGED, Whole, nullable=False),
)

#: Model files by content hash, in their canonical bytes. Not on chain.
model_files = Table(
    "model_files",
    metadata,
    Column("content_hash", String(66), primary_key=True),
    Column("content", LargeBinary, nullable=False),
    Column("created_at", Float, nullable=False),
)

#: Encrypted results as the holders delivered them. Not on chain.
results = Table(
    "results",
    metadata,
    Column("job_id", Whole, primary_key=True),
    Column("ciphertext_hash", String(66), nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("delivered_at", Float, nullable=False),
)
