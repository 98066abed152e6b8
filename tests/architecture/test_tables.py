"""Every table of the service, as SQLAlchemy knows it."""

from __future__ import annotations

import pytest
from sqlalchemy import Integer

import frontend_api.app  # noqa: F401 - registers every table
from frontend_api.chain.indexer import projections
from frontend_api.db import metadata

COLUMNS = [(table.name, column.name) for table in metadata.sorted_tables for column in table.c]


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_whole_numbers__have_64_bits_on_every_database(table, column):
    kind = metadata.tables[table].c[column].type
    assert type(kind) is not Integer, "use frontend_api.db.Whole: 32 bits of seconds end in 2038"


def test_projections__follow_the_chain_and_keys_do_not():
    names = {table.name for table in projections()}
    assert {"titles", "liens", "mortgages", "parties", "receivables", "warehouse_receipts", "pledges"} <= names
    assert {"datasets", "dataset_versions", "models", "model_approvals", "offers", "grants", "jobs"} <= names
    assert names.isdisjoint({"model_files", "results", "lots"})
    assert names.isdisjoint({"transactions", "idempotency_keys", "api_keys", "certificates", "quotes", "meta"})
