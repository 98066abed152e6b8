"""Rules of the receivable and quote routes; intake.py has those of invoices. No JSON-RPC here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ...chain.abi import Call
from ...chain.projection import CHANGED
from ...db import Row
from ...errors import Forbidden, InvalidInput, NotFound
from ...kit.pagination import decode_number, encode_cursor
from . import repository
from .contract import Quote
from .schemas import (
    Draft,
    HoldingResource,
    PreparedQuote,
    QuoteFields,
    QuoteList,
    QuotePreparation,
    QuoteResource,
    QuoteTerms,
    ReceivableList,
    ReceivableResource,
    ReceivableSummary,
    SignedQuote,
)

if TYPE_CHECKING:
    from ...city import City

UNDERTAKEN = ("confirmed", "partly_paid")
#: Quotes that one look-up compares.
MOST_QUOTES: Final = 1000

_YEAR: Final = 365 * 86400
_BASIS: Final = 10_000


class ReceivablesService:
    def __init__(self, city: City):
        self._city = city

    # --- receivables

    def draft(self, body: Draft) -> Call:
        if body.currency not in self._city.deployment.currencies:
            known = ", ".join(self._city.deployment.currencies)
            raise InvalidInput(
                f"There is no settlement token for {body.currency}; there are: {known}.", field="currency"
            )
        return self._city.receivable_ledger.draft(body.debtor, body.currency, body.face, body.due_at, body.invoice_hash)

    async def receivable(self, receivable_id: int) -> ReceivableResource:
        row = await self._known(receivable_id)
        held = await self._city.database.read(repository.holdings_of, receivable_id)
        newest = max((row, *held), key=lambda entry: int(entry[CHANGED]))
        return ReceivableResource(
            **self._facts(row, newest),
            holdings=[
                HoldingResource(
                    holder=entry["holder"],
                    units=entry["units"],
                    claimed=entry["claimed"],
                    claimable=str(claimable(row, entry)),
                )
                for entry in held
            ],
        )

    async def receivables(
        self,
        cursor: str | None,
        limit: int,
        *,
        supplier: str | None,
        debtor: str | None,
        holder: str | None,
        state: str | None,
    ) -> ReceivableList:
        rows = await self._city.database.read(
            repository.list_receivables,
            decode_number(cursor),
            limit,
            supplier=supplier,
            debtor=debtor,
            holder=holder,
            state=state,
        )
        following = encode_cursor(rows[-1]["id"]) if len(rows) == limit else None
        return ReceivableList(items=[ReceivableSummary(**self._facts(row, row)) for row in rows], next=following)

    # --- quotes

    async def prepare_quote(self, bank: str, body: QuotePreparation) -> PreparedQuote:
        """The EIP-712 message of a quote, with a nonce that no other quote of the bank has."""
        await self._known(body.receivable_id)
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
        await self._known(quote.receivable_id)
        signature = body.signature
        if signature is None:
            signature = "0x" + self._city.keys.sign_typed_data(bank, self._typed_data(quote)).hex()
        desk = self._city.financing_desk
        digest = "0x" + (await desk.digest_of(quote)).hex()
        earlier = await self._city.database.read(repository.find_quote, digest, bank)
        if earlier is not None:
            return self._quote(earlier), False
        filled = desk.fill(quote, bytes.fromhex(signature[2:]))
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

    async def fill(self, party: str, digest: str) -> Call:
        row = await self._known_quote(party, digest)
        return self._city.financing_desk.fill(_stored(row), bytes.fromhex(row["signature"][2:]))

    async def cancel(self, party: str, digest: str) -> Call:
        row = await self._known_quote(party, digest)
        # On chain everybody cancels its own nonces: the seller's call would succeed and cancel nothing of the bank's.
        if row["bank"] != party:
            raise Forbidden(f"Only {row['bank']}, which gave this quote, can cancel it.")
        return self._city.financing_desk.cancel(int(row["nonce"]))

    # --- internals

    async def _known(self, receivable_id: int) -> Row:
        row = await self._city.database.read(repository.find_receivable, receivable_id)
        if row is None:
            raise NotFound(f"There is no receivable {receivable_id}.")
        return row

    async def _known_quote(self, party: str, digest: str) -> Row:
        row = await self._city.database.read(repository.find_quote, digest.lower(), party)
        if row is None:
            raise NotFound("There is no such quote that you gave or were given.")
        return row

    def _typed_data(self, quote: Quote) -> dict[str, Any]:
        return self._city.financing_desk.typed_data(quote, self._city.deployment.chain_id)

    def _facts(self, row: Row, newest: Row) -> dict[str, Any]:
        """`newest` is the row that changed last of all that is shown."""
        undertaken, due = row["state"] in UNDERTAKEN, row["due_at"] <= self._city.indexer.head.time
        return {
            **{name: row[name] for name in row if name != CHANGED},
            "outstanding": str(int(row["face"]) - int(row["paid"]) if undertaken else 0),
            "open": row["state"] == "confirmed" and not due,
            "overdue": undertaken and due,
            "finality": self._city.finality(newest),
        }

    def _quote(self, row: Row) -> QuoteResource:
        now = self._city.indexer.head.time
        state = quote_state(row, now)
        at = row["ended_at"] if state == "filled" else now
        cost = annualised_cost(int(row["units"]), int(row["proceeds"]), row["due_at"] - at)
        names = [name for name in QuoteResource.model_fields if name in row]
        return QuoteResource(**{name: row[name] for name in names}, state=state, annualised_cost_basis_points=cost)


def annualised_cost(units: int, proceeds: int, seconds: int) -> int | None:
    """What the seller pays a year for the money, in basis points, actual/365, without compounding:

        (units − proceeds) ÷ proceeds × 365 days ÷ seconds to the due date × 10 000, rounded half up

    In integers throughout, so that equal quotes compare as equal. None when no time is left.
    """
    if seconds <= 0:
        return None
    numerator, denominator = (units - proceeds) * _YEAR * _BASIS, proceeds * seconds
    return (2 * numerator + denominator) // (2 * denominator)


def claimable(receivable: Row, holding: Row) -> int:
    """As the ledger computes it: floor(units × paid ÷ face) − claimed, minor units."""
    entitled = int(holding["units"]) * int(receivable["paid"]) // int(receivable["face"])
    return entitled - int(holding["claimed"])


def quote_of(bank: str, fields: QuoteFields) -> Quote:
    return Quote(
        fields.receivable_id,
        fields.units,
        fields.proceeds,
        fields.seller,
        bank,
        fields.recourse,
        fields.valid_until,
        fields.nonce,
    )


def quote_state(row: Row, now: int) -> str:
    """What became of a quote: its nonce's end, perhaps by another quote; else by chain time."""
    if row["nonce_state"] == "cancelled":
        return "cancelled"
    if row["nonce_state"] == "used":
        names = ("receivable_id", "seller", "units", "proceeds", "recourse")
        return "filled" if all(row[name] == row[f"filled_{name}"] for name in names) else "nonce_used"
    return "expired" if now > row["valid_until"] else "open"


def _stored(row: Row) -> Quote:
    return Quote(
        row["receivable_id"],
        int(row["units"]),
        int(row["proceeds"]),
        row["seller"],
        row["bank"],
        row["recourse"],
        row["valid_until"],
        int(row["nonce"]),
    )


def _by_cost(quote: QuoteResource) -> tuple[bool, bool, int, str]:
    cost = quote.annualised_cost_basis_points
    return quote.state != "open", cost is None, cost or 0, quote.id
