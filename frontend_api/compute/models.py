"""The model file: JSON that says what runs and what comes out, and the hashes by which the chain knows it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth_utils.crypto import keccak

KINDS = ("sql",)
#: Types a result column may have, as DuckDB names them.
TYPES = ("BIGINT", "DOUBLE", "VARCHAR", "BOOLEAN")
MAX_BYTES = 64 * 1024
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_FIELDS = {"format", "kind", "title", "table", "inputs", "sql", "output", "countColumn"}
FORMAT = "chaincity-model-v1"


class ModelError(ValueError):
    """The file is no model; the message names the field and the rule."""


@dataclass(frozen=True)
class OutputColumn:
    name: str
    type: str


@dataclass(frozen=True)
class Model:
    """One model. `table` is the name under which the query sees the dataset, `inputs` the columns it needs of it,
    `count_column` the output column that says how many records are behind a row."""

    kind: str
    title: str
    table: str
    inputs: tuple[str, ...]
    sql: str
    output: tuple[OutputColumn, ...]
    count_column: str

    @property
    def canonical_bytes(self) -> bytes:
        """What is hashed: JSON with sorted keys, no spaces, UTF-8. The file's own layout does not matter."""
        return _canonical(
            {
                "format": FORMAT,
                "kind": self.kind,
                "title": self.title,
                "table": self.table,
                "inputs": list(self.inputs),
                "sql": self.sql,
                "output": self._output(),
                "countColumn": self.count_column,
            }
        )

    @property
    def content_hash(self) -> bytes:
        """keccak-256, 32 bytes: the model's name on the chain."""
        return keccak(self.canonical_bytes)

    @property
    def output_schema_hash(self) -> bytes:
        """keccak-256 of the canonical output declaration, 32 bytes."""
        return keccak(_canonical({"output": self._output(), "countColumn": self.count_column}))

    def _output(self) -> list[dict[str, str]]:
        return [{"name": column.name, "type": column.type} for column in self.output]


def read_model(path: Path) -> Model:
    """Raises `ModelError`, or OSError when the file cannot be read."""
    with path.open("rb") as file:
        return parse_model(file.read(MAX_BYTES + 1))


def parse_model(raw: bytes) -> Model:
    """Raises `ModelError`."""
    if len(raw) > MAX_BYTES:
        raise ModelError(f"a model file has at most {MAX_BYTES} bytes")
    try:
        fields = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise ModelError(f"not JSON in UTF-8: {error}") from error
    if not isinstance(fields, dict) or set(fields) != _FIELDS:
        raise ModelError(f"the fields must be exactly {', '.join(sorted(_FIELDS))}")
    if fields["format"] != FORMAT:
        raise ModelError(f"format: must be {FORMAT}")
    if fields["kind"] not in KINDS:
        raise ModelError(f"kind: must be one of {', '.join(KINDS)}")
    for name in ("title", "sql"):
        if not isinstance(fields[name], str) or not fields[name].strip():
            raise ModelError(f"{name}: must be a text")
    inputs = fields["inputs"]
    if not isinstance(inputs, list) or not inputs or len(set(map(str, inputs))) != len(inputs):
        raise ModelError("inputs: must be a list of different column names")
    output = _output_columns(fields["output"])
    count_column = _name("countColumn", fields["countColumn"])
    if OutputColumn(count_column, "BIGINT") not in output:
        raise ModelError("countColumn: must be an output column of type BIGINT")
    return Model(
        fields["kind"],
        fields["title"],
        _name("table", fields["table"]),
        tuple(_name("inputs", name) for name in inputs),
        fields["sql"],
        output,
        count_column,
    )


def _output_columns(value: Any) -> tuple[OutputColumn, ...]:
    if not isinstance(value, list) or not value:
        raise ModelError("output: must be a list of columns")
    columns = []
    for entry in value:
        if not isinstance(entry, dict) or set(entry) != {"name", "type"}:
            raise ModelError("output: a column has a name and a type")
        if entry["type"] not in TYPES:
            raise ModelError(f"output: the type must be one of {', '.join(TYPES)}")
        columns.append(OutputColumn(_name("output", entry["name"]), entry["type"]))
    if len({column.name for column in columns}) != len(columns):
        raise ModelError("output: column names must differ")
    return tuple(columns)


def _name(field: str, value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ModelError(f"{field}: a name has lower-case letters, digits and underscores")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ModelError("a field is given twice")
    return found


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
