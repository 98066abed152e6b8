from __future__ import annotations

from pathlib import Path

import pytest

from frontend_api.compute.datasets import write_breast_cancer
from frontend_api.compute.models import Model, read_model

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"


@pytest.fixture(scope="session")
def records(tmp_path_factory) -> Path:
    """The 569 breast-cancer records as a Parquet file."""
    return write_breast_cancer(tmp_path_factory.mktemp("hospital") / "cases.parquet")


@pytest.fixture
def model() -> Model:
    return read_model(FIXTURES / "models" / "tumour-size-by-diagnosis.json")
