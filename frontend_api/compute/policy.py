"""What may leave: exactly the declared columns, few rows, no small group, no long text."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .models import Model
from .sandbox import Rows

_PYTHON_TYPES: dict[str, type] = {"BIGINT": int, "DOUBLE": float, "VARCHAR": str, "BOOLEAN": bool}


class OutputRefused(Exception):
    """The result must not leave. The message names the rule and the column, and quotes no value."""


@dataclass(frozen=True)
class OutputPolicy:
    """The holder's own rules for one dataset."""

    minimum_group: int = 10
    max_rows: int = 100
    max_text: int = 64

    def __post_init__(self) -> None:
        if self.minimum_group < 2:
            raise ValueError("a group of one is a person: the minimum is 2")


def check_output(rows: Rows, model: Model, policy: OutputPolicy) -> None:
    """Raises `OutputRefused`."""
    declared = tuple((column.name, column.type) for column in model.output)
    if rows.columns != declared:
        raise OutputRefused("the columns or their types are not those declared")
    if len(rows.rows) > policy.max_rows:
        raise OutputRefused(f"more than {policy.max_rows} rows")
    count_at = [column.name for column in model.output].index(model.count_column)
    for row in rows.rows:
        for (name, kind), value in zip(declared, row, strict=True):
            _check_value(name, kind, value, policy)
        if row[count_at] is None or row[count_at] < policy.minimum_group:
            raise OutputRefused(f"a group is smaller than {policy.minimum_group}")


def _check_value(name: str, kind: str, value: Any, policy: OutputPolicy) -> None:
    if value is None:
        return
    if type(value) is not _PYTHON_TYPES[kind]:
        raise OutputRefused(f"column {name}: not a {kind}")
    if isinstance(value, float) and not math.isfinite(value):
        raise OutputRefused(f"column {name}: not a finite number")
    if isinstance(value, str) and len(value) > policy.max_text:
        raise OutputRefused(f"column {name}: text longer than {policy.max_text}")
