"""Bodies of the invoice, receivable and quote routes."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, model_validator

from ...chain.abi import to_json
from ...kit.ids import Address, Amount, CurrencyCode, Hash32
from ...kit.schemas import AmountText, Body, Resource


def parse_nonce(value: Any) -> int:
    """0 to 2^256 − 1, as an integer or a string of digits."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,78}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**256:
        raise ValueError("a nonce is a whole number below 2^256, as an integer or a string of digits")
    return value


def parse_signature(value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"0x([0-9a-fA-F]{2}){1,2000}", value):
        raise ValueError("a signature is 0x and an even number of hexadecimal digits")
    return value


Nonce = Annotated[
    int, BeforeValidator(parse_nonce), Field(examples=["7"], description="as an integer or a string of digits")
]
Signature = Annotated[
    str, BeforeValidator(parse_signature), Field(description="65 bytes of ECDSA, or what an ERC-1271 account takes")
]
#: Unix seconds by chain time; below 2^53, so that JSON and SQL carry it exactly.
Time = Annotated[int, Field(gt=0, lt=2**53)]
Number = Annotated[int, Field(ge=1, lt=2**53)]
#: Basis points; a string beyond 2^53, like every integer.
BasisPoints = Annotated[int, PlainSerializer(to_json)]


# --- receivables


class Draft(Body):
    """A receivable from an invoice that the caller keeps; `POST /receivables/from-invoice` reads it from the file."""

    debtor: Address
    currency: CurrencyCode
    face: Amount
    due_at: Time = Field(description="Unix seconds; from then on no units change hands")
    invoice_hash: Hash32 = Field(description="the invoice's fingerprint")


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
    state: str = Field(description="draft, rejected, withdrawn, confirmed, partly_paid or settled")
    open: bool = Field(description="by chain time: units may change hands")
    overdue: bool = Field(description="by chain time: confirmed, due and not wholly paid")
    invoice_hash: str
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


# --- quotes


class QuoteTerms(Body):
    """What a bank offers one seller."""

    receivable_id: Number
    units: Amount = Field(description="face value bought, minor units")
    proceeds: Amount = Field(description="what the bank pays for it, minor units of the same currency")
    seller: Address
    recourse: bool = Field(description="whether the bank may come back on the seller when the debtor defaults")
    valid_until: Time = Field(description="Unix seconds by chain time, the last second included")


class QuotePreparation(QuoteTerms):
    nonce: Nonce | None = Field(None, description="the bank's own choice; the service's next one when not given")


class QuoteFields(QuoteTerms):
    nonce: Nonce


class SignedQuote(Body):
    """A quote with the bank's signature, or `sign: true` where the service holds the bank's key."""

    quote: QuoteFields
    signature: Signature | None = None
    sign: bool = False

    @model_validator(mode="after")
    def _either(self) -> SignedQuote:
        if self.sign == (self.signature is not None):
            raise ValueError("send either `signature` or `sign: true`")
        return self


class PreparedQuote(Resource):
    typed_data: dict[str, Any] = Field(
        description="sign this with eth_signTypedData_v4, then send `quote` and the signature"
    )
    quote: dict[str, Any]


class QuoteResource(Resource):
    id: str = Field(description="the quote's EIP-712 digest")
    receivable_id: int
    bank: str
    seller: str
    currency: str
    units: AmountText
    proceeds: AmountText
    recourse: bool
    valid_until: int
    nonce: str
    signature: str
    quoted_at: int
    state: str = Field(
        description="open, filled, cancelled, expired (by chain time), or nonce_used: another quote had the same nonce"
    )
    annualised_cost_basis_points: BasisPoints | None = Field(
        description="(units − proceeds) ÷ proceeds × 365 days ÷ time to the due date, rounded half up; as of now, "
        "of a filled quote as of its sale; null when nothing is left of the time"
    )


class QuoteList(Resource):
    items: list[QuoteResource]
