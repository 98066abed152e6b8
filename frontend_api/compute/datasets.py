"""Datasets as the chain knows them: schema root, salted content commitment and a coarse size, computed from a Parquet
file."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

import duckdb
from eth_utils.crypto import keccak

from frontend_api.documents.merkle import MerkleTree

LARGEST_BUCKET = 19
_BATCH = 10_000


@dataclass(frozen=True)
class DatasetFacts:
    """What a holder registers. The salt opens the content commitment and stays with the holder."""

    columns: tuple[tuple[str, str], ...]
    rows: int
    schema_root: bytes
    content_commitment: bytes
    salt: bytes

    @property
    def row_count_bucket(self) -> int:
        return row_count_bucket(self.rows)


def describe(path: Path, salt: bytes | None = None) -> DatasetFacts:
    """Read a Parquet file through. `salt` is 32 bytes; a fresh one unless given."""
    salt = secrets.token_bytes(32) if salt is None else salt
    if len(salt) != 32:
        raise ValueError("a salt has 32 bytes")
    with duckdb.connect(":memory:") as database:
        cursor = database.execute("SELECT * FROM read_parquet(?)", [str(path)])
        columns = tuple((column[0], str(column[1])) for column in cursor.description or ())
        digest, rows = salt, 0
        while batch := cursor.fetchmany(_BATCH):
            for row in batch:
                digest = keccak(digest + keccak(json.dumps(row, default=str, ensure_ascii=False).encode("utf-8")))
            rows += len(batch)
    return DatasetFacts(columns, rows, schema_root(columns), digest, salt)


def schema_root(columns: tuple[tuple[str, str], ...]) -> bytes:
    """Root of a StandardMerkleTree over (name, type)."""
    return MerkleTree.of_values(("string", "string"), columns).root


def row_count_bucket(rows: int) -> int:
    """Decimal digits of the row count: 569 rows are bucket 3. An empty dataset cannot be registered."""
    if rows < 1:
        raise ValueError("a dataset has at least one row")
    return min(len(str(rows)), LARGEST_BUCKET)


def write_breast_cancer(path: Path) -> Path:
    """The Breast Cancer Wisconsin (Diagnostic) records, 569 real cases, as a Parquet file: `diagnosis` (malignant or
    benign) and 30 measurements such as `mean_radius` (units of the digitised image).

    Source: W. Wolberg, O. Mangasarian, W. N. Street, UCI Machine Learning Repository, CC BY 4.0; scikit-learn carries a
    copy.
    """
    from sklearn.datasets import load_breast_cancer

    records = load_breast_cancer()
    names = [str(name).replace(" ", "_") for name in records.feature_names]
    rows = [
        [str(records.target_names[target]), *map(float, values)]
        for values, target in zip(records.data, records.target, strict=True)
    ]
    target_file = str(path).replace("'", "''")
    with duckdb.connect(":memory:") as database:
        database.execute(f"CREATE TABLE cases (diagnosis VARCHAR, {', '.join(f'{name} DOUBLE' for name in names)})")
        database.executemany(f"INSERT INTO cases VALUES ({', '.join('?' * (len(names) + 1))})", rows)  # noqa: S608
        database.execute(f"COPY cases TO '{target_file}' (FORMAT parquet)")
    return path
