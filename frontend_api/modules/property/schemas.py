"""Bodies of the property routes."""

from __future__ import annotations

from pydantic import Field

from ...kit.ids import Address, Amount, CurrencyCode, Hash32, UnitNumber
from ...kit.schemas import Body, Resource


class TitleRegistration(Body):
    """A title to be registered. The fields become a certificate: salted, signed off by the registry's anchor, never on chain in clear."""

    unit: UnitNumber
    owner: Address
    fields: dict[str, str] = Field(
        description="what the certificate says, in this order",
        min_length=1,
        max_length=40,
        examples=[
            {"owner": "李建国", "location": "娄底市娄星区湘中大道 1 号", "use": "residential", "areaM2": "118.60"}
        ],
    )


class Reissue(Body):
    fields: dict[str, str] = Field(min_length=1, max_length=40)
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
