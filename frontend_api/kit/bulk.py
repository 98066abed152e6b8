"""One item or up to 1,000 under one Idempotency-Key: every create route takes both."""

from __future__ import annotations

from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Discriminator, Field, Tag, ValidationError

from ..errors import InvalidInput
from .schemas import Body

Item = TypeVar("Item", bound=BaseModel)


class Bulk(Body):
    """Several items. `onError` says whether the good ones go through when others are refused."""

    items: list[dict[str, Any]] = Field(min_length=1, max_length=1000)
    on_error: Literal["skip", "refuse"] = "skip"


def one_or_bulk(body: Any) -> str:
    """Which of the two a body means to be, so that only that one's rules are spoken of."""
    items = "items" in body if isinstance(body, dict) else isinstance(body, Bulk)
    return "bulk" if items else "one"


OneOrBulk = Discriminator(one_or_bulk)
One, Many = Tag("one"), Tag("bulk")


def parse_items(model: type[Item], bulk: Bulk) -> list[Item | InvalidInput]:
    """Each item as the model, or the reason why it is none."""
    found: list[Item | InvalidInput] = []
    for index, raw in enumerate(bulk.items):
        try:
            found.append(model.model_validate(raw))
        except ValidationError as error:
            found.append(_refusal(error, f"items.{index}"))
    refused = [item for item in found if isinstance(item, InvalidInput)]
    if refused and bulk.on_error == "refuse":
        raise InvalidInput(
            f"{len(refused)} of {len(found)} items are not valid; nothing was stored.",
            errors=[entry for item in refused for entry in item.extra["errors"]],
        )
    return found


def _refusal(error: ValidationError, prefix: str) -> InvalidInput:
    errors = field_errors(error.errors(), prefix)
    return InvalidInput("; ".join(f"{e['field']}: {e['rule']}" for e in errors), errors=errors)


#: Pydantic's words that only a Python programmer would understand.
_RULES = {
    "extra_forbidden": "there is no such field",
    "dict_type": "must be a JSON object",
    "model_type": "must be a JSON object",
    "model_attributes_type": "must be a JSON object",
}


def field_errors(errors: Any, prefix: str = "") -> list[dict[str, str]]:
    """Pydantic's errors as {field, rule}, without the values, which may be personal."""
    found = []
    for entry in errors:
        field = ".".join(str(part) for part in ((prefix,) if prefix else ()) + tuple(entry["loc"]))
        rule = _RULES.get(entry["type"]) or str(entry["msg"]).removeprefix("Value error, ")
        if entry["type"] == "json_invalid":
            field, rule = prefix or "body", f"is not JSON: {entry['ctx']['error']} at character {entry['loc'][-1]}"
        found.append({"field": field, "rule": rule})
    return found
