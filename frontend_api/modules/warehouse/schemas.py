"""Bodies of the warehouse routes."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

from ...kit.ids import LARGEST_AMOUNT, Address, Amount, CreditCode, CurrencyCode, Hash32
from ...kit.schemas import AmountText, Body, Resource
from ..receivables.ubl import letters_and_digits


def parse_quantity(value: Any) -> int:
    """Whole units, 1 to 2^128 − 1, as an integer or a string of digits; never a float."""
    found = parse_missing(value)
    if found == 0:
        raise ValueError("a quantity is at least 1")
    return found


def parse_missing(value: Any) -> int:
    """A quantity that may be zero."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,39}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("a quantity is a whole number of units, as an integer or a string of digits")
    if not 0 <= value <= LARGEST_AMOUNT:
        raise ValueError("a quantity is not negative and below 2^128")
    return value


def parse_unit(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Z0-9]{2,3}", value):
        raise ValueError("a unit is a UN/ECE Recommendation 20 code, two or three capitals or digits (KGM, TNE, H87)")
    return value


def parse_day(value: Any) -> str:
    """YYYY-MM-DD, and nothing else that ISO 8601 allows."""
    try:
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
            raise ValueError(value)
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise ValueError("a date is written YYYY-MM-DD") from None


def _named(text: str) -> str:
    # JSON can write half of a surrogate pair and a zero byte; no hash and no database takes both.
    if re.search(r"[\x00-\x1f\x7f\ud800-\udfff]", text):
        raise ValueError("has a control character or is no valid Unicode")
    if not letters_and_digits(text):
        raise ValueError("has neither a letter nor a digit")
    return text


Quantity = Annotated[
    int, BeforeValidator(parse_quantity), Field(examples=["500000"], description="whole units, as integer or string")
]
Missing = Annotated[
    int, BeforeValidator(parse_missing), Field(examples=["40"], description="whole units, as integer or string")
]
Unit = Annotated[str, BeforeValidator(parse_unit), Field(examples=["KGM"], description="UN/ECE Recommendation 20 code")]
Day = Annotated[str, BeforeValidator(parse_day), Field(examples=["2026-09-17"], description="YYYY-MM-DD")]
LotNumber = Annotated[
    str, AfterValidator(_named), Field(min_length=1, max_length=100, examples=["2026-0917/3"], description="lot number")
]
Description = Annotated[
    str,
    AfterValidator(_named),
    Field(min_length=1, max_length=1000, examples=["热轧卷板 Q235B"], description="of the goods"),
]
#: Unix seconds by chain time; below 2^53, so that JSON and SQL carry it exactly.
Time = Annotated[int, Field(gt=0, lt=2**53)]


# --- lots and receipts


class LotFacts(Body):
    number: LotNumber
    taken_in: Day = Field(description="when the lot came into the warehouse, YYYY-MM-DD")
    description: Description
    quantity: Quantity
    unit: Unit


class LotCheck(LotFacts):
    warehouse: CreditCode
    owner: CreditCode


class LotFingerprints(Resource):
    """What stands for a lot on chain and in the financing register."""

    fingerprint: str
    number_fingerprint: str
    demonstration_key: bool = Field(
        description="the fingerprints were made with the demonstration key, which everybody knows"
    )


class Issue(LotFacts):
    """A receipt for a lot, as its warehouse. The lot's facts stay off the chain; parties of the receipt can read them here."""

    owner: Address = Field(description="a member; residents have no credit code for the fingerprint")


class ReceiptTransfer(Body):
    to: Address


class Delivery(Body):
    quantity: Quantity


class Shortage(Body):
    quantity: Missing = Field(description="missing of what the ledger has on hand; zero: it was made good")
    pledge: int | None = Field(
        None, ge=1, lt=2**53, description="the active pledge of the supervisor who reports; none: the warehouse does"
    )
    basis: Hash32 = Field(description="commitment to the finding")


class Basis(Body):
    basis: Hash32 = Field(description="commitment to what it rests on")


class PledgeProposal(Body):
    bank: Address
    supervisor: Address = Field(description="a third party: neither owner, bank nor warehouse")
    quantity: Quantity
    secured_amount: Amount
    currency: CurrencyCode
    answer_by: Time = Field(description="Unix seconds by chain time, at most 30 days ahead, the last second included")


class Release(Body):
    quantity: Quantity


class Enforcement(Body):
    quantity: Quantity
    to: Address
    basis: Hash32 = Field(description="commitment to the decision")


class PledgeResource(Resource):
    id: int
    receipt_id: int
    owner: str = Field(description="who proposed it")
    bank: str
    supervisor: str
    state: str = Field(description="proposed, accepted, active, declined, withdrawn, lapsed, released or enforced")
    has_lapsed: bool = Field(description="by chain time: an open proposal that can no longer be answered")
    proposed: AmountText = Field(description="quantity at the beginning")
    quantity: AmountText = Field(description="quantity still bound while it is open")
    shortage: AmountText = Field(description="of the receipt's goods, as the supervisor reported last")
    secured_amount: AmountText
    currency: str
    answer_by: int
    proposed_at: int
    accepted_at: int | None
    confirmed_at: int | None
    ended_at: int | None
    finality: str = Field(description="`final` once enough blocks stand on the last change, else `mined`")


class PledgeList(Resource):
    items: list[PledgeResource]
    next: str | None


class LotResource(Resource):
    """What the lot is; `salt` and description open the receipt's `goods`."""

    number: str
    taken_in: str
    description: str
    salt: str


class ReceiptSummary(Resource):
    id: int
    warehouse: str
    owner: str
    state: str = Field(description="stored, delivered or struck")
    unit: str
    issued: AmountText = Field(description="quantity at the beginning")
    quantity: AmountText = Field(description="on hand, by the ledger")
    pledged: AmountText
    free: AmountText = Field(description="on hand and not pledged; zero once it has ended")
    shortage: AmountText = Field(
        description="as the warehouse reported last; zero when none was, or it was made good. Supervisors' are in `pledges`"
    )
    fingerprint: str
    number_fingerprint: str
    goods: str = Field(description="salted commitment to the description of the goods")
    issued_at: int
    ended_at: int | None
    finality: str = Field(description="`final` once enough blocks stand on the last change, else `mined`")


class ReceiptResource(ReceiptSummary):
    pledges: list[PledgeResource]
    lot: LotResource | None = Field(description="for the warehouse, the owner and the parties of its pledges only")


class ReceiptList(Resource):
    items: list[ReceiptSummary]
    next: str | None
