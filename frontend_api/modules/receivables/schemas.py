"""Bodies of the invoice, receivable and quote routes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from ...kit.ids import Address, Amount, CurrencyCode, Hash32
from ...kit.schemas import AmountText, Body, Resource

#: Unix seconds by chain time; below 2^53, so that JSON and SQL carry it exactly.
Time = Annotated[int, Field(gt=0, lt=2**53)]
Number = Annotated[int, Field(ge=1, lt=2**53)]


# --- receivables


class Draft(Body):
    """A receivable from an invoice that the caller keeps; `POST /receivables/from-invoice` reads it from the file."""

    debtor: Address
    currency: CurrencyCode
    face: Amount
    due_at: Time = Field(description="Unix seconds; from then on no units change hands")
    fingerprint: Hash32 = Field(description="keyed hash of the invoice; POST /invoices/check computes it")
    number_fingerprint: Hash32 = Field(description="keyed hash of its seller and number")


class Payment(Body):
    amount: Amount


class Transfer(Body):
    to: Address
    units: Amount


class HoldingResource(Resource):
    holder: str
    units: AmountText = Field(description="face value held, minor units")
    claimed: AmountText
    claimable: AmountText = Field(description="floor(units × paid ÷ face) − claimed")


class ReceivableSummary(Resource):
    id: int
    supplier: str
    debtor: str
    currency: str
    face: AmountText
    paid: AmountText
    outstanding: AmountText = Field(description="face − paid; zero unless the debtor has confirmed")
    due_at: int
    state: str = Field(description="draft, disputed, rejected, withdrawn, confirmed, partly_paid or settled")
    open: bool = Field(description="by chain time: units may change hands")
    overdue: bool = Field(description="by chain time: confirmed, due and not wholly paid")
    fingerprint: str
    number_fingerprint: str
    drafted_at: int
    confirmed_at: int | None
    rejected_at: int | None
    withdrawn_at: int | None
    settled_at: int | None
    finality: str = Field(description="`final` once enough blocks stand on the last change, else `mined`")


class ReceivableResource(ReceivableSummary):
    holdings: list[HoldingResource]


class ReceivableList(Resource):
    items: list[ReceivableSummary]
    next: str | None
