"""Bodies of the financing register's routes."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import Path, Query
from pydantic import BeforeValidator, Field

from ...kit.ids import Address, Hash32, parse_hash
from ...kit.schemas import Body, Resource
from ..receivables.schemas import Time
from .schemas import Nonce, Signature


def parse_filing(value: Any) -> bytes:
    """1 to 32 printable ASCII characters without spaces, as 32 bytes."""
    if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e]{1,32}", value):
        raise ValueError("a filing number has 1 to 32 ASCII characters, without spaces")
    return value.encode("ascii").ljust(32, b"\0")


Filing = Annotated[
    bytes,
    BeforeValidator(parse_filing),
    Field(examples=["03582918002198756521"], description="number in the national register (中登网)"),
]
FingerprintInPath = Annotated[
    bytes,
    BeforeValidator(parse_hash),
    Path(description="0x and 64 hexadecimal digits; POST /invoices/check computes it"),
]
NumberInQuery = Annotated[
    bytes | None,
    BeforeValidator(lambda value: None if value is None else parse_hash(value)),
    Query(alias="numberFingerprint", description="of the invoice or lot, to ask for its number too"),
]

IsCreditNote = Annotated[
    bool,
    Query(alias="creditNote", description="ask for a credit note with these fingerprints, not for an invoice or lot"),
]


class ConsentTerms(Body):
    fingerprint: Hash32
    number_fingerprint: Hash32
    bank: Address = Field(description="who alone may reserve with it")
    reserved_until: Time = Field(description="Unix seconds by chain time, the last second included")


class ConsentPreparation(ConsentTerms):
    nonce: Nonce | None = Field(None, description="the seller's own choice; a random one when not given")
    sign: bool = Field(False, description="where the service holds the seller's key: answer with its signature")


class ConsentFields(ConsentTerms):
    seller: Address
    nonce: Nonce


class SignedConsent(Body):
    consent: ConsentFields
    signature: Signature


class ConsentWithdrawal(Body):
    consent: ConsentFields


class PreparedConsent(Resource):
    typed_data: dict[str, Any] = Field(
        description="sign this with eth_signTypedData_v4, then give `consent` and the signature to the bank"
    )
    consent: dict[str, Any]
    signature: str | None = Field(description="the seller's, where `sign` asked for it")


class Financing(Body):
    filing: Filing | None = None


class FilingBody(Body):
    filing: Filing


class Clearance(Body):
    """The arbiter's decision that two invoices or lots with one number are two."""

    fingerprint: Hash32
    number_fingerprint: Hash32
    basis: Hash32 = Field(description="commitment to the decision")


class Annulment(Body):
    fingerprint: Hash32
    basis: Hash32 = Field(description="commitment to the decision")


class FilingResource(Resource):
    bank: str
    filing: str
    recorded_at: int


class RegisterEntry(Resource):
    """What the register knows of a fingerprint now. It speaks for its participants only."""

    fingerprint: str = Field(
        description="as the register has it, and as annulments and clearances want it; for a credit note that is another than "
        "POST /invoices/check answers"
    )
    state: str = Field(
        description="free, reserved, financed or entered (by an application of this chain), by chain time"
    )
    holder: str | None = Field(description="the bank, or the application's contract")
    application: str | None = Field(description="the application's name in the address book")
    case_id: int | None = Field(description="the application's own number, such as the receivable's")
    seller: str | None = Field(description="who consented to the bank's reservation")
    reserved_until: int | None
    number_fingerprint: str | None = Field(description="that it was taken with, or that was asked for")
    number_taken_by: str | None = Field(
        description="another fingerprint that is taken with the number; `ambiguous` when the arbiter has let in several"
    )
    cleared: bool = Field(description="the arbiter lets it be taken though its number is")
    filings: list[FilingResource]
    next_action: str | None = Field(description="what the caller can do now: finance, or nothing")
    finality: str | None = Field(description="of the last change: final or mined; null when it was never taken")


class RegisterList(Resource):
    items: list[RegisterEntry]
    next: str | None
