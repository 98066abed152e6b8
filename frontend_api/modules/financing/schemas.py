"""Bodies of the quote and financing routes."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import Path
from pydantic import BeforeValidator, Field, PlainSerializer, ValidationInfo, field_validator, model_validator

from ...chain.abi import to_json
from ...kit.ids import Address, Amount
from ...kit.schemas import AmountText, Body, Resource
from ..receivables.schemas import Number, Time


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


QuoteId = Annotated[str, Path(pattern="^0x[0-9a-fA-F]{64}$", description="the quote's EIP-712 digest")]
Nonce = Annotated[
    int, BeforeValidator(parse_nonce), Field(examples=["7"], description="as an integer or a string of digits")
]
Signature = Annotated[
    str, BeforeValidator(parse_signature), Field(description="65 bytes of ECDSA, or what an ERC-1271 account takes")
]
RequestId = Annotated[str, Field(pattern="^qr_[0-9a-f]{32}$", examples=["qr_" + "5a" * 16])]
#: Basis points; a string beyond 2^53, like every integer.
BasisPoints = Annotated[int, PlainSerializer(to_json)]


# --- quotes


class QuoteTerms(Body):
    """What a bank offers one seller."""

    receivable_id: Number
    units: Amount = Field(description="face value bought, minor units")
    proceeds: Amount = Field(description="what the bank pays for it, minor units of the same currency")
    seller: Address
    recourse: bool = Field(description="whether the bank may come back on the seller when the debtor defaults")
    divisible: bool = Field(False, description="whether the seller may fill it in parts")
    valid_until: Time = Field(description="Unix seconds by chain time, the last second included")

    @field_validator("proceeds")
    @classmethod
    def _at_most_what_is_bought(cls, proceeds: int, info: ValidationInfo) -> int:
        units = info.data.get("units")
        if units is not None and proceeds > units:
            raise ValueError(f"the bank would pay {proceeds} for {units} of face value; at most the face value is paid")
        return proceeds


class QuotePreparation(QuoteTerms):
    nonce: Nonce | None = Field(None, description="the bank's own choice; the service's next one when not given")


class QuoteFields(QuoteTerms):
    nonce: Nonce


class SignedQuote(Body):
    """A quote with the bank's signature, or `sign: true` where the service holds the bank's key."""

    quote: QuoteFields
    signature: Signature | None = None
    sign: bool = False
    request_id: RequestId | None = Field(None, description="the request that it answers")

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


class Fill(Body):
    units: Amount = Field(description="minor units of face value to sell now, of a divisible quote")


class QuoteResource(Resource):
    id: str = Field(description="the quote's EIP-712 digest")
    receivable_id: int
    bank: str
    seller: str
    currency: str
    units: AmountText
    proceeds: AmountText
    recourse: bool
    divisible: bool
    filled: AmountText = Field(description="units filled so far, minor units")
    paid: AmountText = Field(description="what the parts filled so far have paid, minor units")
    valid_until: int
    nonce: str
    signature: str
    quoted_at: int
    request_id: str | None
    state: str = Field(
        description="open, in_parts, filled, cancelled, expired (by chain time), closed (no units of the receivable change "
        "hands any more) or nonce_used (another quote had the same nonce)"
    )
    annualised_cost_basis_points: BasisPoints | None = Field(
        description="(units − proceeds) ÷ proceeds × 365 days ÷ time to the due date, rounded half up; of what is left of "
        "the quote, as of now; of a filled one, of the whole, as of its last sale; null when nothing is left of the time"
    )


class QuoteList(Resource):
    items: list[QuoteResource]
    next: str | None


# --- recourse


class RecoursePayment(Body):
    amount: Amount


class RecourseResource(Resource):
    bank: str
    nonce: str
    seller: str
    receivable_id: int
    currency: str
    state: str = Field(
        description="held: the bank may come back on the seller; owed: it did, the seller owes; repaid: all was paid"
    )
    units: AmountText = Field(description="face value bought with the nonce, minor units")
    units_put_back: AmountText | None = Field(
        description="of these, what the bank had not sold on when it put them back"
    )
    owed: AmountText = Field(description="what had not been paid on those when they were put back; zero until then")
    repaid: AmountText
    outstanding: AmountText = Field(description="owed − repaid")
    defaulted: bool = Field(description="by chain time: the receivable is unpaid and past due by the grace period")
    next_action: str | None = Field(description="what the caller can do now: put_back, pay, or nothing")
    held_at: int
    put_back_at: int | None
    repaid_at: int | None
    finality: str = Field(description="`final` once enough blocks stand on the last change, else `mined`")


class RecourseList(Resource):
    items: list[RecourseResource]
    next: str | None
