"""What a draft must keep to beside its invoice: rules without input or output."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from ...errors import InvalidInput
from ...kit.ids import parse_credit_code
from .intake_repository import Taken

#: Seconds; `MAX_TERM` of ReceivableLedger.
LONGEST_TERM: Final = 50 * 365 * 86400

#: How a refusal names what it speaks of, in an invoice and in a CSV file: due date, buyer, number.
ELEMENTS: Final = ("cbc:DueDate", "cac:AccountingCustomerParty", "cbc:ID")
COLUMNS_OF_CSV: Final = ("dueDate", "buyer", "number")


@dataclass(frozen=True)
class Draft:
    """A receivable to be drafted."""

    debtor: str
    currency: str
    face: int
    due_at: int
    fingerprint: bytes
    number_fingerprint: bytes


@dataclass(frozen=True)
class Standing:
    """What the tables say against drafts. now: chain time. statuses: of debtors by account. drafted: receivables by fingerprint."""

    now: int
    statuses: Mapping[str, str]
    drafted: Mapping[str, int]
    taken: Taken

    def __call__(self, draft: Draft, names: tuple[str, str, str]) -> tuple[str, str] | None:
        """The field and the rule that a draft breaks."""
        due, buyer, number = names
        fingerprint, plain = "0x" + draft.fingerprint.hex(), "0x" + draft.number_fingerprint.hex()
        if draft.due_at <= self.now:
            return due, "the due date has passed by chain time"
        if draft.due_at > self.now + LONGEST_TERM:
            return due, "the due date is more than 50 years away"
        if self.statuses.get(draft.debtor, "active") != "active":
            return buyer, f"the debtor {draft.debtor} is {self.statuses[draft.debtor]}"
        if (earlier := self.drafted.get(fingerprint)) is not None:
            return number, f"this invoice was drafted before, as receivable {earlier}"
        if (holder := self.taken.holders.get(fingerprint)) is not None:
            return number, f"this invoice is taken in the financing register, by {holder}"
        if self.taken.numbers.get(plain) is not None and self.taken.cleared.get(fingerprint) != plain:
            return number, "another invoice with this seller and number is taken; an arbiter has to clear this one"
        return None


def credit_code_of(party_key: str) -> str | None:
    """The unified social credit code in a party's key as a judgement prints it: `[scheme:]id`, perhaps after `CN`."""
    letters = "".join(c for c in party_key.rsplit(":", 1)[-1].upper() if c.isalnum())
    if len(letters) == 20:
        letters = letters.removeprefix("CN")
    try:
        return parse_credit_code(letters)
    except ValueError:
        return None


def parse_date(text: str) -> str:
    """YYYY-MM-DD, and nothing else that ISO 8601 allows."""
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError(text)
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise InvalidInput("A due date is written YYYY-MM-DD.", field="dueDate") from None


def end_of(day: str) -> int:
    """The end of a date, 24:00 UTC, in Unix seconds: who pays on the due date pays in time."""
    midnight = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
    return int((midnight + timedelta(days=1)).timestamp()) if day != date.max.isoformat() else 2**53 - 1


def refusal(file: str, rule: str, field: str | None = None) -> InvalidInput:
    """Why a file was refused. The field is the element that the rule speaks of, where it names one."""
    if field is None:
        named = re.search(r"\bc[ab]c:[A-Za-z]+", rule)
        field = named[0] if named else "file"
    return InvalidInput(f"{file}: {rule}", errors=[{"file": file, "field": field, "rule": rule}])
