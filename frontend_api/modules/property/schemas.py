"""Bodies of the property routes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, Field

from ...documents.certificate import check_field
from ...documents.strict import CertificateError
from ...kit.ids import Address, Amount, CurrencyCode, Hash32, UnitNumber
from ...kit.schemas import Body, Resource

#: What a title's certificate cannot be without.
REQUIRED_FIELDS = ("ownerName", "location", "use", "areaM2")
LARGEST_FIELD = 500
_AREA = re.compile(r"[0-9]{1,8}(\.[0-9]{1,2})?")


def certificate_fields(fields: dict[str, str]) -> Iterator[tuple[str, str]]:
    """What is wrong with a certificate's fields: the field and the rule, in the order of a reader."""
    for name in REQUIRED_FIELDS:
        if not fields.get(name):
            yield name, "must not be empty"
    for name, value in fields.items():
        if len(value) > LARGEST_FIELD:
            yield name, f"has more than {LARGEST_FIELD} characters"
    for name, value in fields.items():
        try:
            check_field(name, value)
        except CertificateError as error:
            yield name, error.rule
    area = fields.get("areaM2")
    if area:
        if not _AREA.fullmatch(area):
            yield "areaM2", "must be square metres with at most two decimals"
        elif not area.strip("0."):
            yield "areaM2", "must be more than zero"


def _checked(fields: dict[str, str]) -> dict[str, str]:
    for name, rule in certificate_fields(fields):
        raise ValueError(f"{name} {rule}")
    return fields


CertificateFields = Annotated[
    dict[str, str],
    AfterValidator(_checked),
    Field(
        description=f"what the certificate says; at least {', '.join(REQUIRED_FIELDS)}",
        min_length=1,
        max_length=40,
        examples=[{"ownerName": "李建国", "location": "娄底市娄星区湘中大道1号", "use": "住宅", "areaM2": "118.60"}],
    ),
]


class TitleRegistration(Body):
    """A title to be registered. The fields become a certificate: salted, signed off by the registry's anchor, never on chain in clear."""

    unit: UnitNumber
    owner: Address
    fields: CertificateFields


class Reissue(Body):
    fields: CertificateFields
    basis: Hash32 = Field(description="commitment to the decision it rests on")


class Basis(Body):
    basis: Hash32 = Field(description="commitment to the decision it rests on")


class MortgageApplication(Body):
    unit: UnitNumber
    bank: Address
    principal: Amount
    currency: CurrencyCode


class MortgageOffer(Body):
    principal: Amount
    terms: Hash32 = Field(description="salted hash of the contract that is offered")
    forbids_transfer: bool = Field(description="whether the lien will forbid transfer (Civil Code 406 allows both)")
    valid_until: int = Field(gt=0, description="Unix seconds by chain time, at most 30 days ahead")


class MortgageAcceptance(Body):
    terms: Hash32 = Field(description="the offered contract's hash; nothing else can be accepted by mistake")


class LienResource(Resource):
    number: int = Field(description="also the lien's rank; never used twice")
    holder: str
    amount: str
    currency: str
    forbids_transfer: bool
    placed_at: int
    released_at: int | None


class TitleResource(Resource):
    unit: str
    owner: str
    status: str
    version: int
    registered_at: int
    certificate_root: str
    encumbered: bool
    liens: list[LienResource]
    finality: str = Field(description="`final` once enough blocks stand on the last change, else `mined`")


class TitleList(Resource):
    items: list[TitleResource]
    next: str | None


class MortgageResource(Resource):
    case_id: int
    unit: str
    applicant: str
    bank: str
    principal: str
    currency: str
    state: str
    expired: bool = Field(description="by chain time: an open case that nobody acted on in time")
    terms: str | None
    lien: int | None
    valid_until: int
    applied_at: int
    offered_at: int | None
    accepted_at: int | None
    registered_at: int | None
    released_at: int | None
    closed_at: int | None
    application_to_registration_seconds: int | None = Field(description="the figure to hold against 6 hours")
    finality: str


class MortgageList(Resource):
    items: list[MortgageResource]
    next: str | None


class ImportRow(Resource):
    row: int = Field(description="line in the file; the heading is line 1")
    unit: str | None
    outcome: str = Field(description="accepted, refused, or would_be_accepted in a dry run")
    field: str | None = None
    reason: str | None = None
    transaction: str | None = None


class ImportResource(Resource):
    accepted: int
    refused: int
    dry_run: bool
    batch_root: str | None = Field(description="Merkle root of the certificates, anchored by one transaction")
    anchor_transaction: str | None
    rows: list[ImportRow]
