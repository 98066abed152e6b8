"""What a quote costs, how much is left of it and what became of it: pure functions of its row."""

from __future__ import annotations

from typing import Final

from ...db import Row
from .contract import Quote
from .schemas import QuoteResource

_YEAR: Final = 365 * 86400
_BASIS: Final = 10_000

#: States in which the seller can still fill a quote.
FILLABLE: Final = ("open", "in_parts")


def annualised_cost(units: int, proceeds: int, seconds: int) -> int | None:
    """What the seller pays a year for the money, in basis points, actual/365, without compounding:

        (units − proceeds) ÷ proceeds × 365 days ÷ seconds to the due date × 10 000, rounded half up

    In integers throughout, so that equal quotes compare as equal. None when no time is left.
    """
    if seconds <= 0:
        return None
    numerator, denominator = (units - proceeds) * _YEAR * _BASIS, proceeds * seconds
    return (2 * numerator + denominator) // (2 * denominator)


def filled_of(row: Row) -> int:
    """Units filled so far of this very quote."""
    return int(row["filled_units"]) if row["filled_digest"] == row["id"] else 0


def paid_of(row: Row) -> int:
    """What the parts filled so far have paid: floor(proceeds × units filled ÷ units offered), as the desk computes it."""
    return int(row["proceeds"]) * filled_of(row) // int(row["units"])


def quote_state(row: Row, now: int) -> str:
    """What became of a quote: its nonce's end, perhaps by another quote; else by chain time and its receivable."""
    if row["nonce_state"] == "cancelled":
        return "cancelled"
    if row["nonce_state"] is not None and row["filled_digest"] != row["id"]:
        return "nonce_used"
    if row["nonce_state"] == "used":
        return "filled"
    if now > row["valid_until"]:
        return "expired"
    if row["receivable_state"] != "confirmed" or now >= row["due_at"]:
        return "closed"
    return "open" if row["nonce_state"] is None else "in_parts"


def cost_of(row: Row, now: int) -> int | None:
    """Of what is left of the quote, from now on; of a filled one, of the whole as of its last sale."""
    units, proceeds = int(row["units"]), int(row["proceeds"])
    if quote_state(row, now) == "filled":
        return annualised_cost(units, proceeds, row["due_at"] - row["ended_at"])
    # Rounding favours the bank until the last part, so that the rest is a little cheaper than the whole was.
    return annualised_cost(units - filled_of(row), proceeds - paid_of(row), row["due_at"] - now)


def resource_of(row: Row, now: int) -> QuoteResource:
    names = [name for name in QuoteResource.model_fields if name in row]
    return QuoteResource(
        **{name: row[name] for name in names},
        filled=str(filled_of(row)),
        paid=str(paid_of(row)),
        state=quote_state(row, now),
        annualised_cost_basis_points=cost_of(row, now),
    )


def by_cost(quote: QuoteResource) -> tuple[bool, bool, int, str]:
    """Those that can be filled first, the cheapest first."""
    cost = quote.annualised_cost_basis_points
    return quote.state not in FILLABLE, cost is None, cost or 0, quote.id


def stored(row: Row) -> Quote:
    """The struct that the bank signed."""
    return Quote(
        row["receivable_id"],
        int(row["units"]),
        int(row["proceeds"]),
        row["seller"],
        row["bank"],
        row["recourse"],
        row["divisible"],
        row["valid_until"],
        int(row["nonce"]),
    )
