"""Bodies of the limit routes."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import Path
from pydantic import AfterValidator, BeforeValidator, Field

from ...kit.ids import LARGEST_AMOUNT, Address, CurrencyCode
from ...kit.schemas import AmountText, Body, Resource

#: Debtors in one group: a quote adds up the exposure to all of them.
LARGEST_GROUP = 1000


def parse_ceiling(value: Any) -> int:
    """0 to 2^128 − 1 minor units: zero is a limit too."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,39}", value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_AMOUNT:
        raise ValueError("a limit is a whole number of minor units below 2^128, as an integer or a string of digits")
    return value


def parse_group(value: Any) -> str:
    if (
        not isinstance(value, str)
        or not re.fullmatch(r"[^\x00-\x1f\x7f\ud800-\udfff/]{1,64}", value)
        or value != value.strip()
    ):
        raise ValueError("a group's name has 1 to 64 characters, none of them a slash or a control character")
    return value


def distinct(accounts: list[str]) -> list[str]:
    if len(set(accounts)) != len(accounts):
        raise ValueError("the same account is named twice")
    return accounts


GroupName = Annotated[str, BeforeValidator(parse_group), Path(description="the bank's own name for it")]
AmountByCurrency = dict[CurrencyCode, Annotated[int, BeforeValidator(parse_ceiling)]]
Debtors = Annotated[list[Address], AfterValidator(distinct), Field(max_length=LARGEST_GROUP)]


class Limits(Body):
    limits: AmountByCurrency = Field(
        min_length=1, max_length=200, examples=[{"CNY": "500000000"}], description="minor units by currency"
    )


class LimitGroup(Body):
    """Debtors that a bank counts together: a group of companies, a sector, a district."""

    debtors: Debtors
    limits: AmountByCurrency = Field(
        default_factory=dict, max_length=200, description="minor units by currency; may have none yet"
    )


class LimitUse(Resource):
    """A limit and what it is held against."""

    currency: str
    limit: AmountText
    exposure: AmountText = Field(
        description="outstanding on the units that the bank holds, and what its open quotes would add"
    )
    available: AmountText = Field(description="limit − exposure, zero where the limit is exceeded")


class LimitResource(Resource):
    debtor: str
    group: str | None
    limits: list[LimitUse]


class LimitList(Resource):
    items: list[LimitResource]
    next: str | None


class LimitGroupResource(Resource):
    group: str
    debtors: list[str]
    limits: list[LimitUse]


class LimitGroupList(Resource):
    items: list[LimitGroupResource]
    next: str | None
