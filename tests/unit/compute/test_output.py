"""Model files, output policy, sealed results and dataset facts."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from eth_utils import keccak

from frontend_api.compute.datasets import describe, row_count_bucket, schema_root
from frontend_api.compute.models import MAX_BYTES, ModelError, parse_model
from frontend_api.compute.policy import OutputPolicy, OutputRefused, check_output
from frontend_api.compute.sandbox import Rows
from frontend_api.compute.sealed import (
    Receipt,
    SealError,
    check_result_key,
    ciphertext_hash,
    new_result_key,
    open_result,
    result_bytes,
    seal,
)

from .conftest import FIXTURES

GOOD = (("benign", 357, 12.1, 1.7, 462.7), ("malignant", 212, 17.4, 3.2, 978.3))


def fields(**changes):
    raw = json.loads((FIXTURES / "models" / "tumour-size-by-diagnosis.json").read_text())
    return json.dumps({**raw, **changes}).encode()


# --- models


def test_model__same_content_in_another_layout__same_hash(model):
    raw = json.loads(fields())
    turned = json.dumps(dict(reversed(raw.items())), indent=8).encode()

    assert parse_model(turned) == model
    assert parse_model(turned).content_hash == model.content_hash == keccak(model.canonical_bytes)
    assert json.loads(model.canonical_bytes) == raw


def test_model__any_other_field__other_hash(model):
    others = [
        fields(title="x"), fields(sql=model.sql + " "), fields(table="records"), fields(inputs=["diagnosis"]),
    ]  # fmt: skip
    hashes = {model.content_hash, *(parse_model(other).content_hash for other in others)}
    assert len(hashes) == 5
    assert {parse_model(other).output_schema_hash for other in others} == {model.output_schema_hash}


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b"\xff", "UTF-8"),
        (b"{", "JSON"),
        (b"[" * 60_000, "JSON"),
        (b'{"kind": "sql", "kind": "sql"}', "twice"),
        (b"[]", "fields"),
        (b" " * (MAX_BYTES + 1), "bytes"),
        (fields(extra=1), "fields"),
        (fields(format="v0"), "format"),
        (fields(kind="onnx"), "kind"),
        (fields(kind=["sql"]), "kind"),
        (fields(sql=" "), "sql"),
        (fields(sql=7), "sql"),
        (fields(inputs=[]), "inputs"),
        (fields(inputs=["a", "a"]), "inputs"),
        (fields(inputs=['a" FROM x']), "inputs"),
        (fields(table="a.b"), "table"),
        (fields(output=[]), "output"),
        (fields(output=[{"name": "n"}]), "output"),
        (fields(output=[{"name": "n", "type": "BLOB"}]), "output"),
        (fields(output=[{"name": "n", "type": ["BIGINT"]}]), "output"),
        (fields(output=[{"name": "n", "type": "BIGINT"}] * 2), "output"),
        (fields(countColumn="mean_radius"), "countColumn"),
        (fields(countColumn=None), "countColumn"),
    ],
)
def test_model__broken_file__refused_with_the_field(raw, rule):
    with pytest.raises(ModelError, match=rule):
        parse_model(raw)


# --- policy


def output(model, *rows, columns=None):
    columns = columns or tuple((column.name, column.type) for column in model.output)
    return Rows(columns, rows)


def test_policy__as_declared__passes(model):
    check_output(output(model, *GOOD), model, OutputPolicy())
    check_output(output(model), model, OutputPolicy())
    check_output(output(model, (None, 10, None, None, None)), model, OutputPolicy(minimum_group=10))


@pytest.mark.parametrize("count", [9, 1, 0, -5, None])
def test_policy__small_group__refused(model, count):
    small = ("malignant", count, 17.4, 3.2, 978.3)
    with pytest.raises(OutputRefused, match="group is smaller than 10"):
        check_output(output(model, GOOD[0], small), model, OutputPolicy(minimum_group=10))


def test_policy__minimum_of_one__cannot_be_set():
    with pytest.raises(ValueError, match="a group of one"):
        OutputPolicy(minimum_group=1)


def test_policy__other_columns_or_types__refused(model):
    declared = tuple((column.name, column.type) for column in model.output)
    for columns in (
        declared[:-1],
        declared[::-1],
        (*declared, ("x", "DOUBLE")),
        (("diagnosis", "BLOB"), *declared[1:]),
    ):
        with pytest.raises(OutputRefused, match="not those declared"):
            check_output(output(model, columns=columns), model, OutputPolicy())
    for row in (
        (7, 212, 1.0, 1.0, 1.0),
        ("m", 212.0, 1.0, 1.0, 1.0),
        ("m", True, 1.0, 1.0, 1.0),
        ("m", 212, 1, 1.0, 1.0),
        ("m", 212, float("nan"), 1.0, 1.0),
        ("m", 212, float("inf"), 1.0, 1.0),
    ):
        with pytest.raises(OutputRefused, match="column"):
            check_output(output(model, row), model, OutputPolicy())


def test_policy__too_many_rows_or_long_text__refused(model):
    check_output(output(model, *([GOOD[0]] * 100)), model, OutputPolicy(max_rows=100))
    with pytest.raises(OutputRefused, match="more than 100 rows"):
        check_output(output(model, *([GOOD[0]] * 101)), model, OutputPolicy(max_rows=100))
    check_output(output(model, ("x" * 64, 10, 1.0, 1.0, 1.0)), model, OutputPolicy())
    with pytest.raises(OutputRefused, match="column diagnosis: text longer than 64") as caught:
        check_output(output(model, ("x" * 65, 10, 1.0, 1.0, 1.0)), model, OutputPolicy())
    assert "xxx" not in str(caught.value)


# --- sealed


def test_sealed__for_the_requester__opened_by_nobody_else(model):
    private, public = new_result_key()
    receipt = Receipt(7, 3, 2, model.content_hash)
    ciphertext = seal(result_bytes(output(model, *GOOD), model, receipt), public)

    assert b"malignant" not in ciphertext
    assert open_result(ciphertext, private, ciphertext_hash(ciphertext)) == {
        "jobId": 7,
        "datasetId": 3,
        "datasetVersion": 2,
        "modelHash": "0x" + model.content_hash.hex(),
        "columns": [{"name": column.name, "type": column.type} for column in model.output],
        "rows": [list(row) for row in GOOD],
    }
    with pytest.raises(SealError, match="cannot be opened"):
        open_result(ciphertext, new_result_key()[0], ciphertext_hash(ciphertext))
    changed = ciphertext[:-1] + bytes([ciphertext[-1] ^ 1])
    with pytest.raises(SealError, match="hash is on the chain"):
        open_result(changed, private, ciphertext_hash(ciphertext))
    with pytest.raises(SealError, match="cannot be opened"):
        open_result(changed, private, ciphertext_hash(changed))


@pytest.mark.parametrize("key", [b"", b"\x01" * 31, bytes(32), b"\x01" + bytes(31)])
def test_sealed__unusable_key__refused(key):
    with pytest.raises(SealError):
        check_result_key(key)


# --- datasets


def test_describe__breast_cancer_records__569_cases_in_bucket_3(records):
    facts = describe(records, b"\x05" * 32)

    assert (facts.rows, facts.row_count_bucket, len(facts.columns)) == (569, 3, 31)
    assert facts.columns[:2] == (("diagnosis", "VARCHAR"), ("mean_radius", "DOUBLE"))
    assert facts.schema_root == schema_root(facts.columns)
    assert describe(records, b"\x05" * 32) == facts
    assert describe(records, b"\x06" * 32).content_commitment != facts.content_commitment
    assert describe(records).salt != describe(records).salt


def test_describe__one_value_changed__another_commitment(records, tmp_path):
    import duckdb

    changed = tmp_path / "changed.parquet"
    with duckdb.connect() as database:
        database.execute("CREATE TABLE t AS SELECT * FROM read_parquet(?)", [str(records)])
        database.execute("UPDATE t SET mean_radius = mean_radius + 1e-9 WHERE rowid = 568")
        database.execute(f"COPY t TO '{changed}' (FORMAT parquet)")
    before, after = describe(records, bytes(32)), describe(changed, bytes(32))
    assert before.schema_root == after.schema_root
    assert before.content_commitment != after.content_commitment


def test_schema_root__other_name_or_type__another_root():
    roots = {schema_root(columns) for columns in (
        (("a", "DOUBLE"), ("b", "DOUBLE")), (("a", "DOUBLE"), ("c", "DOUBLE")), (("a", "DOUBLE"), ("b", "BIGINT")),
    )}  # fmt: skip
    assert len(roots) == 3


@pytest.mark.parametrize(("rows", "bucket"), [(1, 1), (9, 1), (10, 2), (569, 3), (10**18, 19), (10**30, 19)])
def test_row_count_bucket__decimal_digits(rows, bucket):
    assert row_count_bucket(rows) == bucket


def test_row_count_bucket__empty__refused():
    with pytest.raises(ValueError, match="at least one row"):
        row_count_bucket(0)


def test_model__fixture_is_unchanged__known_by_its_published_hash(model):
    assert replace(model, title=model.title).content_hash == model.content_hash
    assert len(model.content_hash) == 32
