"""Bodies of the receivable routes."""

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


class Named(Body):
    """One of several receivables that a bulk request names."""

    receivable_id: Number


class NamedPayment(Named):
    amount: Amount


class Transfer(Body):
    to: Address
    units: Amount


class Basis(Body):
    basis: Hash32 = Field(description="commitment to the document that says why; the chain keeps nothing else of it")


class Dilution(Body):
    """A credit note that the caller keeps; `POST …/dilutions/from-credit-note` reads it from the file."""

    amount: Amount
    credit_note: Hash32 = Field(description="fingerprint of the credit note; POST /invoices/check computes it")
    credit_note_number: Hash32 = Field(description="fingerprint of its issuer and number")


class HoldingResource(Resource):
    holder: str
    units: AmountText = Field(description="face value held, minor units")
    claimed: AmountText
    claimable: AmountText = Field(description="floor(units × paid ÷ face) − claimed, at most what the Escrow holds")
    written_off_at: int | None
    written_off: AmountText | None = Field(description="what had not been paid on the units when they were written off")
    recovered: AmountText | None = Field(description="what the holder claimed of payments after it wrote off")


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
    defaults_at: int = Field(description="Unix seconds: the due date and the ledger's grace period")
    defaulted: bool = Field(description="by chain time: overdue since the grace period or longer")
    diluted: AmountText = Field(description="what credit notes took off the face")
    dispute: str | None = Field(description="commitment to what the debtor said is wrong; open while `disputed`")
    struck: str | None = Field(description="commitment to the court's decision, where it struck the draft")
    fingerprint: str
    number_fingerprint: str
    drafted_at: int
    disputed_at: int | None
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
