"""The base of all request and response bodies: camelCase in JSON, unknown fields refused, big integers as strings."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel

from ..chain.abi import to_json


class Body(BaseModel):
    """A request: every field it does not know is refused, so that a typing error is not silently ignored."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class Resource(BaseModel):
    """A response."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


class FieldRule(Resource):
    field: str
    rule: str


class ContractErrorBody(Resource):
    name: str
    args: dict[str, Any]


class ProblemBody(Resource):
    """RFC 9457 problem document: every refusal has this shape."""

    type: str
    title: str
    status: int
    detail: str | None = None
    errors: list[FieldRule] | None = Field(None, description="each field that breaks a rule")
    contract_error: ContractErrorBody | None = Field(
        None, description="the contract's own error, by name and arguments"
    )
    tx_hash: str | None = None
    transaction: str | None = Field(None, description="the recorded failure's id")


#: An amount in minor units; always a string in JSON, so that no reader loses digits.
AmountText = Annotated[str, PlainSerializer(str)]
#: Anything decoded from the chain.
ChainValue = Annotated[Any, PlainSerializer(to_json)]
