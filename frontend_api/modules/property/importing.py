"""Titles from a CSV file: each row is judged by itself, and a broken one is refused with its column and the rule.

Columns: `unit`, `owner` (account address), then the certificate's fields. All but `unit` and `owner` go into the certificate
under the column's name.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field

from ...errors import InvalidInput
from ...kit.ids import parse_address, parse_unit_number
from .schemas import REQUIRED_FIELDS, certificate_fields

REQUIRED = ("unit", "owner")


@dataclass(frozen=True)
class TitleRow:
    """One line of the file; `refused` names the column and the rule it breaks."""

    line: int
    unit: str
    owner: str
    fields: dict[str, str] = field(default_factory=dict)
    refused: tuple[str, str] | None = None


def read_titles(content: bytes) -> list[TitleRow]:
    """Judge every line. Raises InvalidInput when it is no CSV file with the right heading."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(
            f"The file is not UTF-8 (byte {error.start}); save it as CSV UTF-8.", field="file"
        ) from error
    reader = csv.reader(io.StringIO(text), strict=True)
    try:
        rows = list(reader)
    except csv.Error as error:
        raise InvalidInput(f"Line {reader.line_num} is not CSV: {error}.", field="file") from error
    if not rows:
        raise InvalidInput("The file is empty.", field="file")
    heading = [name.strip() for name in rows[0]]
    missing = [name for name in (*REQUIRED, *REQUIRED_FIELDS) if name not in heading]
    if missing:
        raise InvalidInput(f"The heading lacks: {', '.join(missing)}.", field="file")
    if len(set(heading)) != len(heading) or "" in heading:
        raise InvalidInput("The heading has an empty or a repeated name.", field="file")
    seen: dict[str, int] = {}
    return [_judge(line, heading, row, seen) for line, row in enumerate(rows[1:], start=2) if any(row)]


def _judge(line: int, heading: list[str], row: list[str], seen: dict[str, int]) -> TitleRow:
    if len(row) != len(heading):
        return TitleRow(
            line, row[0] if row else "", "", refused=("row", f"has {len(row)} columns, the heading {len(heading)}")
        )
    values = dict(zip(heading, (value.strip() for value in row), strict=True))
    unit, owner = values.pop("unit"), values.pop("owner")
    refusal = _refusal(line, unit, owner, values, seen)
    return TitleRow(line, unit, owner, values, refusal)


def _refusal(line: int, unit: str, owner: str, values: dict[str, str], seen: dict[str, int]) -> tuple[str, str] | None:
    try:
        parse_unit_number(unit)
    except ValueError as error:
        return "unit", str(error)
    if unit in seen:
        return "unit", f"is on line {seen[unit]} already"
    seen[unit] = line
    try:
        parse_address(owner)
    except ValueError as error:
        return "owner", str(error)
    for name, rule in certificate_fields(values):
        return name, rule
    return None
