"""Invoices from a CSV file: each row is judged by itself, and a broken one is refused with its column and the rule.

Columns, in any order: `number`, `buyer` (credit code), `issueDate`, `dueDate` (YYYY-MM-DD), `currency` (ISO 4217) and
`payable` (major units with a decimal point: 1234.50). The seller is whoever sends the file. Both parties enter the
fingerprints as `legal:` and their credit code, so that the row and the UBL file that gives these as legal ids are one
invoice.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final

from ...errors import InvalidInput
from ...kit.ids import parse_credit_code
from ...kit.iso4217 import EXPONENTS
from . import ubl
from .invoices import Facts, hex_of

COLUMNS: Final = ("number", "buyer", "issueDate", "dueDate", "currency", "payable")
MOST_ROWS: Final = 10_000
#: Larger files are refused unread; 10,000 rows have about 1 MB.
MAX_BYTES: Final = 8 * 1024 * 1024

#: Spreadsheets take such a cell for a formula and run it.
_FORMULA: Final = ("=", "+", "-", "@")


@dataclass(frozen=True)
class InvoiceRow:
    """One record of the file.

    line: where the record begins; the heading is line 1
    payable: minor units of `currency`
    fingerprint, number_fingerprint: None where the seller is not known
    refused: the column and the rule that it breaks
    """

    line: int
    number: str | None = None
    buyer: str | None = None
    issue_date: str | None = None
    due_date: str | None = None
    currency: str | None = None
    payable: int | None = None
    fingerprint: bytes | None = None
    number_fingerprint: bytes | None = None
    refused: tuple[str, str] | None = None

    def to_json(self, outcome: str) -> dict[str, str | int | None]:
        """As the API and the command line show it; a refused row shows its reason, whatever the outcome of the others."""
        field, reason = self.refused or (None, None)
        return {
            "line": self.line,
            "outcome": "refused" if self.refused else outcome,
            "field": field,
            "reason": reason,
            "number": self.number,
            "buyer": self.buyer,
            "issueDate": self.issue_date,
            "dueDate": self.due_date,
            "currency": self.currency,
            "payable": None if self.payable is None else str(self.payable),
            "fingerprint": hex_of(self.fingerprint),
            "numberFingerprint": hex_of(self.number_fingerprint),
        }


class _Broken(Exception):
    """A rule that a row breaks: the column and the rule."""

    def __init__(self, field: str, rule: str):
        super().__init__(rule)
        self.field, self.rule = field, rule


def read_rows(
    content: bytes, *, seller: str | None, currencies: Collection[str] | None, key: bytes, file: str = "file"
) -> list[InvoiceRow]:
    """Judge every record. Raises InvalidInput when it is no CSV file with the right heading, or has too many rows.

    seller: credit code; None leaves the fingerprints out
    currencies: codes that have a settlement token; None lets every ISO 4217 currency pass
    """
    found: list[InvoiceRow] = []
    seen: dict[str, int] = {}
    heading: list[str] | None = None
    for line, record in _records(_text(content, file), file):
        if heading is None:
            heading = _heading(record, file)
        elif len(found) == MOST_ROWS:
            raise refused_file(file, f"has more than {MOST_ROWS} rows; split it", line)
        elif any(record):
            found.append(_judge(line, heading, record, seen, seller, currencies, key))
    if heading is None:
        raise refused_file(file, "is empty", 1)
    if not found:
        raise refused_file(file, "has no row under its heading", 1)
    return found


def refused_file(file: str, rule: str, line: int | None = None) -> InvalidInput:
    """Why a whole file was refused."""
    where = "" if line is None else f" (line {line})"
    entry = {"file": file, **({} if line is None else {"line": line}), "field": "file", "rule": rule}
    return InvalidInput(f"{file} {rule}{where}.", errors=[entry])


def _text(content: bytes, file: str) -> str:
    if len(content) > MAX_BYTES:
        raise refused_file(file, f"has {len(content)} bytes; at most {MAX_BYTES} are read")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise refused_file(file, f"is not UTF-8 (byte {error.start}); save it as CSV UTF-8", line) from None


def _records(text: str, file: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line where it begins; a quoted cell may run over several."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    while True:
        try:
            record = next(reader, None)
        except csv.Error as error:
            raise refused_file(file, f"is not CSV: {error}", line) from None
        if record is None:
            return
        yield line, record
        line = reader.line_num + 1


def _why_missing(names: list[str]) -> str:
    for sign, word in ((";", "semicolons"), ("\t", "tabs")):
        if len(names) == 1 and sign in names[0]:
            return f"; separate the columns with commas, not {word}"
    if {name.lower() for name in names} >= {name.lower() for name in COLUMNS}:
        return "; write the names exactly so"
    return ""


def _heading(record: list[str], file: str) -> list[str]:
    names = [name.strip() for name in record]
    if missing := [name for name in COLUMNS if name not in names]:
        raise refused_file(file, f"has a heading without {', '.join(missing)}{_why_missing(names)}", 1)
    if len(set(names)) != len(names):
        raise refused_file(file, "has a heading with a repeated name", 1)
    if unknown := [ubl.shortened(name) for name in names if name not in COLUMNS]:
        raise refused_file(file, f"has columns that are not known: {', '.join(unknown)}", 1)
    return names


def _judge(
    line: int,
    heading: list[str],
    record: list[str],
    seen: dict[str, int],
    seller: str | None,
    currencies: Collection[str] | None,
    key: bytes,
) -> InvoiceRow:
    if len(record) != len(heading):
        return InvoiceRow(line, refused=("row", f"the row has {len(record)} columns, the heading {len(heading)}"))
    cells = dict(zip(heading, record, strict=True))
    row: dict[str, Any] = {}  # fills up on the way, so that a refusal still shows what could be read
    try:
        for name, value in cells.items():
            _require_plain(name, value)
        row["number"] = number = _number(cells["number"], line, seen)
        row["buyer"] = buyer = _buyer(cells["buyer"], seller)
        row["issue_date"] = issued = _date("issueDate", cells["issueDate"])
        row["due_date"] = _due(cells["dueDate"], issued)
        row["currency"] = currency = _currency(cells["currency"], currencies)
        row["payable"] = payable = _payable(cells["payable"], currency)
    except _Broken as broken:
        return InvoiceRow(line, **row, refused=(broken.field, broken.rule))
    if seller is not None:
        parties = (ubl.canonical_name("legal", "", seller), ubl.canonical_name("legal", "", buyer))
        prints = Facts(parties[0], parties[1], number, issued, payable, currency).fingerprints(key)
        row |= {"fingerprint": prints[0], "number_fingerprint": prints[1]}
    return InvoiceRow(line, **row)


def _require_plain(name: str, value: str) -> None:
    if value.isprintable():
        return
    for character in value:
        if unicodedata.category(character) == "Cc":
            raise _Broken(name, f"{name} has a control character (U+{ord(character):04X})")


def _number(text: str, line: int, seen: dict[str, int]) -> str:
    number = ubl.spaces(text)
    if not number:
        raise _Broken("number", "number is missing")
    if len(number) > ubl.LONGEST_TEXT:
        raise _Broken("number", f"number has {len(number)} characters; at most {ubl.LONGEST_TEXT} are read")
    if number.startswith(_FORMULA):
        raise _Broken("number", f"number begins with {number[0]}, which spreadsheets take for a formula")
    plain = ubl.letters_and_digits(number)
    if not plain:
        raise _Broken("number", "number has neither a letter nor a digit")
    if plain in seen:
        raise _Broken("number", f"number is on line {seen[plain]} already; its letters and digits count")
    seen[plain] = line
    return number


def _buyer(text: str, seller: str | None) -> str:
    try:
        buyer = parse_credit_code(text.strip())
    except ValueError as error:
        raise _Broken("buyer", f"buyer: {error}") from None
    if buyer == seller:
        raise _Broken("buyer", f"buyer and seller are the same party, {buyer}")
    return buyer


def _date(name: str, text: str) -> str:
    try:
        return ubl.read_date(text.strip(), name, with_zone=False)
    except ubl.Refused as refusal:
        raise _Broken(name, str(refusal)) from None


def _due(text: str, issued: str) -> str:
    due = _date("dueDate", text)
    if due < issued:
        raise _Broken("dueDate", f"dueDate {due} is before issueDate {issued}")
    return due


def _currency(text: str, currencies: Collection[str] | None) -> str:
    code = text.strip()
    if code not in EXPONENTS:
        raise _Broken("currency", f"currency {ubl.shortened(code)} is not an ISO 4217 currency")
    if currencies is not None and code not in currencies:
        raise _Broken("currency", f"no settlement token for {code}")
    return code


def _payable(text: str, currency: str) -> int:
    try:
        minor = ubl.minor_units(ubl.read_decimal(text.strip(), "payable"), currency, "payable")
    except ubl.Refused as refusal:
        raise _Broken("payable", str(refusal)) from None
    if minor == 0:
        raise _Broken("payable", "payable is zero: nothing is owed")
    if minor < 0:
        raise _Broken("payable", "payable is negative: what reduces a debt is a credit note, not a receivable")
    return minor
