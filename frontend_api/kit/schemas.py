"""The base of all request and response bodies: camelCase in JSON, unknown fields refused, big integers as strings."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, PlainSerializer
from pydantic.alias_generators import to_camel

from ..chain.abi import to_json


class Body(BaseModel):
    """A request: every field it does not know is refused, so that a typing error is not silently ignored."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class Resource(BaseModel):
    """A response."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)


#: An amount in minor units; always a string in JSON, so that no reader loses digits.
AmountText = Annotated[str, PlainSerializer(str)]
#: Anything decoded from the chain.
ChainValue = Annotated[Any, PlainSerializer(to_json)]
