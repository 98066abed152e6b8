"""One opaque cursor for every list: the position (block, log) after which the next page starts."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from fastapi import Query

from ..errors import InvalidInput

Limit = Annotated[int, Query(ge=1, le=1000, description="how many rows at most")]
Cursor = Annotated[str | None, Query(description="what `next` of the page before said")]


def encode_cursor(*position: int | str) -> str:
    return base64.urlsafe_b64encode("|".join(str(p) for p in position).encode()).decode().rstrip("=")


def decode_cursor(cursor: str | None, parts: int) -> list[str] | None:
    if cursor is None:
        return None
    try:
        found = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True).decode().split("|")
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise InvalidInput("This cursor was not given out by this service.", field="cursor") from error
    # PostgreSQL takes no text with a zero byte.
    if len(found) != parts or "" in found or "\0" in "".join(found):
        raise InvalidInput("This cursor belongs to another list.", field="cursor")
    return found


def decode_number(cursor: str | None) -> int | None:
    """The cursor of a list that is ordered by a number."""
    found = decode_cursor(cursor, 1)
    if found is None:
        return None
    if not (found[0].isascii() and found[0].isdigit() and len(found[0]) <= 18):
        raise InvalidInput("This cursor belongs to another list.", field="cursor")
    return int(found[0])
