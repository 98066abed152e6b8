"""Rules of the quote and financing routes. No JSON-RPC here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ...chain.abi import Call
from ...db import Row
from ...errors import Forbidden, NotFound
from . import repository
from .contract import Quote
from .schemas import (
    PreparedQuote,
    QuoteFields,
    QuoteList,
    QuotePreparation,
    QuoteResource,
    QuoteTerms,
    SignedQuote,
)

if TYPE_CHECKING:
    from ...city import City

#: Quotes that one look-up compares.
MOST_QUOTES: Final = 1000

_YEAR: Final = 365 * 86400
_BASIS: Final = 10_000


class FinancingService:
    def __init__(self, city: City):
        self._city = city

    # --- quotes

    async def prepare_quote(self, bank: str, body: QuotePreparation) -> PreparedQuote:
        """The EIP-712 message of a quote, with a nonce that no other quote of the bank has."""
        await self._city.receivables.known(body.receivable_id)
        nonce = body.nonce
        if nonce is None:
            nonce = await self._city.database.write(repository.next_nonce, bank)
        fields = QuoteFields(**{name: getattr(body, name) for name in QuoteTerms.model_fields}, nonce=nonce)
        written = fields.model_dump(by_alias=True)
        for name in ("units", "proceeds", "nonce"):
            written[name] = str(written[name])
        return PreparedQuote(typed_data=self._typed_data(quote_of(bank, fields)), quote=written)

    async def keep_quote(self, bank: str, body: SignedQuote) -> tuple[QuoteResource, bool]:
        """Store a quote for its seller, if the chain would let the seller fill it now; also says whether it is new.

        What the chain checks: signature, role, nonce and validity; that the receivable is open and the seller holds
        the units; that the bank has the money and has approved the desk.
        """
        quote = quote_of(bank, body.quote)
        await self._city.receivables.known(quote.receivable_id)
        signature = body.signature
        if signature is None:
            signature = "0x" + self._city.keys.sign_typed_data(bank, self._typed_data(quote)).hex()
        desk = self._city.financing_desk
        digest = "0x" + (await desk.digest_of(quote)).hex()
        earlier = await self._city.database.read(repository.find_quote, digest, bank)
        if earlier is not None:
            return self._quote(earlier), False
        filled = desk.fill(quote, quote.units, bytes.fromhex(signature[2:]))
        await self._city.sender.simulate(quote.seller, filled.to, filled.data)
        now = self._city.indexer.head.time
        new = await self._city.database.write(repository.keep_quote, digest, quote, signature, now)
        return await self.quote(bank, digest), new

    async def quote(self, party: str, digest: str) -> QuoteResource:
        return self._quote(await self._known_quote(party, digest))

    async def quotes(self, party: str, receivable_id: int) -> QuoteList:
        """The quotes for a receivable that the party gave or was given: open ones first, the cheapest first."""
        rows = await self._city.database.read(repository.list_quotes, receivable_id, party, MOST_QUOTES)
        return QuoteList(items=sorted((self._quote(row) for row in rows), key=_by_cost))

    async def fill(self, party: str, digest: str, units: int | None) -> Call:
        """A fill of so many units; of all that is left of the quote when not given."""
        row = await self._known_quote(party, digest)
        if units is None:
            units = int(row["units"]) - filled_of(row)
        return self._city.financing_desk.fill(_stored(row), units, bytes.fromhex(row["signature"][2:]))

    async def cancel(self, party: str, digest: str) -> Call:
        row = await self._known_quote(party, digest)
        # On chain everybody cancels its own nonces: the seller's call would succeed and cancel nothing of the bank's.
        if row["bank"] != party:
            raise Forbidden(f"Only {row['bank']}, which gave this quote, can cancel it.")
        return self._city.financing_desk.cancel(int(row["nonce"]))

    # --- internals

    async def _known_quote(self, party: str, digest: str) -> Row:
        row = await self._city.database.read(repository.find_quote, digest.lower(), party)
        if row is None:
            raise NotFound("There is no such quote that you gave or were given.")
        return row

    def _typed_data(self, quote: Quote) -> dict[str, Any]:
        return self._city.financing_desk.typed_data(quote, self._city.deployment.chain_id)

    def _quote(self, row: Row) -> QuoteResource:
        now = self._city.indexer.head.time
        state = quote_state(row, now)
        at = row["ended_at"] if state == "filled" else now
        cost = annualised_cost(int(row["units"]), int(row["proceeds"]), row["due_at"] - at)
        names = [name for name in QuoteResource.model_fields if name in row]
        return QuoteResource(
            **{name: row[name] for name in names},
            filled=str(filled_of(row)),
            state=state,
            annualised_cost_basis_points=cost,
        )


def annualised_cost(units: int, proceeds: int, seconds: int) -> int | None:
    """What the seller pays a year for the money, in basis points, actual/365, without compounding:

        (units − proceeds) ÷ proceeds × 365 days ÷ seconds to the due date × 10 000, rounded half up

    In integers throughout, so that equal quotes compare as equal. None when no time is left.
    """
    if seconds <= 0:
        return None
    numerator, denominator = (units - proceeds) * _YEAR * _BASIS, proceeds * seconds
    return (2 * numerator + denominator) // (2 * denominator)


def quote_of(bank: str, fields: QuoteFields) -> Quote:
    return Quote(
        fields.receivable_id,
        fields.units,
        fields.proceeds,
        fields.seller,
        bank,
        fields.recourse,
        fields.divisible,
        fields.valid_until,
        fields.nonce,
    )


def filled_of(row: Row) -> int:
    """Units filled so far of this very quote."""
    return int(row["filled_units"]) if row["filled_digest"] == row["id"] else 0


def quote_state(row: Row, now: int) -> str:
    """What became of a quote: its nonce's end, perhaps by another quote; else by chain time."""
    if row["nonce_state"] == "cancelled":
        return "cancelled"
    if row["nonce_state"] is not None and row["filled_digest"] != row["id"]:
        return "nonce_used"
    if row["nonce_state"] == "used":
        return "filled"
    if now > row["valid_until"]:
        return "expired"
    return "open" if row["nonce_state"] is None else "in_parts"


def _stored(row: Row) -> Quote:
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


def _by_cost(quote: QuoteResource) -> tuple[bool, bool, int, str]:
    cost = quote.annualised_cost_basis_points
    return quote.state not in ("open", "in_parts"), cost is None, cost or 0, quote.id
