"""Bodies of the member and resident routes."""

from __future__ import annotations

from pydantic import Field

from ...kit.ids import Address, CreditCode, Hash32
from ...kit.schemas import Body, Resource


class Admission(Body):
    account: Address
    kind: str = Field(description="a kind of the charter, such as `bank`")
    credit_code: CreditCode
    profile: Hash32 = Field(description="salted hash of the profile")


class Enrolment(Body):
    """A resident. Only a salted commitment to the identity goes on chain."""

    account: Address
    identity: Hash32 = Field(description="salted identity commitment")
    valid_until: int = Field(gt=0, description="Unix seconds by chain time")


class Decision(Body):
    basis: Hash32 = Field(description="commitment to the decision it rests on")


class CallerResource(Resource):
    account: str
    name: str = Field(description="what the key is for")
    scopes: list[str]


class PartyResource(Resource):
    account: str
    kind: str
    name: str | None = Field(description="as the charter names founding members")
    credit_code: str | None
    status: str
    expired: bool
    valid_until: int | None
    enrolled_at: int
    finality: str


class PartyList(Resource):
    items: list[PartyResource]
    next: str | None
