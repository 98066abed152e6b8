"""Bodies of the request routes."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator, Field

from ...kit.ids import Address, Amount
from ...kit.schemas import AmountText, Body, Resource
from ..receivables.schemas import Number, Time
from .limits_schemas import distinct
from .schemas import QuoteResource, RequestId

#: Banks that one request can go to.
MOST_BANKS = 20
LONGEST_NOTE = 500


def parse_note(text: str) -> str:
    # Half of a surrogate pair is in JSON's reach and in no database's.
    if re.search(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]", text):
        raise ValueError("a note has no control characters but line breaks, and is valid Unicode")
    return text


RequestInPath = Annotated[RequestId, Path()]


class QuoteRequest(Body):
    """What a holder of units wants to sell, and whom it asks."""

    receivable_id: Number
    units: Amount = Field(description="face value to sell, minor units")
    banks: Annotated[
        list[Address], AfterValidator(distinct), Field(min_length=1, max_length=MOST_BANKS, description="whom to ask")
    ]
    recourse: bool = Field(
        description="whether the seller is ready to answer for the debtor; a quote may say otherwise"
    )
    divisible: bool = Field(False, description="whether the seller wants to fill in parts; a quote may say otherwise")
    answer_by: Time = Field(description="Unix seconds by chain time, the last second included")
    note: Annotated[str, AfterValidator(parse_note)] | None = Field(
        None, max_length=LONGEST_NOTE, description="for the banks; kept off the chain"
    )


class BankAnswer(Resource):
    bank: str
    answer: str = Field(description="quoted, declined, waiting, or none: the request ended without an answer")
    declined_at: int | None


class QuoteRequestSummary(Resource):
    id: str
    receivable_id: int
    seller: str
    debtor: str
    currency: str
    due_at: int
    units: AmountText
    recourse: bool
    divisible: bool
    answer_by: int
    note: str | None
    asked_at: int
    closed_at: int | None
    state: str = Field(
        description="open, closed by the seller, or expired: `answerBy` has passed or the receivable is no longer open"
    )
    answer: str | None = Field(description="a bank's own: quoted, declined, waiting or none; null for the seller")
    next_action: str | None = Field(
        description="what the caller can do now: as a bank `answer`, as the seller `compare` (a quote can be filled) "
        "or `wait`; or nothing"
    )


class QuoteRequestResource(QuoteRequestSummary):
    banks: list[BankAnswer] | None = Field(description="who was asked and what became of it; for the seller alone")
    quotes: list[QuoteResource] = Field(
        description="for the seller all answers, those that can be filled first and the cheapest first; for a bank its own"
    )


class QuoteRequestList(Resource):
    items: list[QuoteRequestSummary]
    next: str | None
