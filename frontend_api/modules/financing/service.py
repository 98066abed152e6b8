"""Rules of the quote routes. No JSON-RPC here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection

from ...chain.abi import Call
from ...db import Row
from ...errors import Forbidden, NotFound
from ...kit.pagination import encode_cursor
from ..receivables.repository import find_receivable
from . import limits_repository, repository, requests_repository
from .contract import Quote
from .limits import LimitsService
from .recourse import RecourseService
from .register import RegisterService
from .repository import Given
from .requests import RequestsService
from .schemas import (
    PreparedQuote,
    QuoteFields,
    QuoteList,
    QuotePreparation,
    QuoteResource,
    QuoteTerms,
    SignedQuote,
)
from .terms import by_cost, filled_of, resource_of, stored

if TYPE_CHECKING:
    from ...city import City

#: Quotes that a bank may have open for one receivable and one seller: all that are open are compared, so they must be few.
MOST_OPEN: Final = 100


class FinancingService:
    def __init__(self, city: City):
        self._city = city
        self.limits = LimitsService(city)
        self.requests = RequestsService(city)
        self.recourse = RecourseService(city)
        self.register = RegisterService(city)

    async def prepare_quote(self, bank: str, body: QuotePreparation) -> PreparedQuote:
        """The EIP-712 message of a quote, with a nonce that no other quote of the bank has."""
        await self._city.receivables.known(body.receivable_id)
        # Without a nonce of its own it replaces nothing; 0 stands for none yet.
        terms = {name: getattr(body, name) for name in QuoteTerms.model_fields}
        await self._city.database.read(self._require_room, quote_of(bank, QuoteFields(**terms, nonce=body.nonce or 0)))
        nonce = body.nonce
        if nonce is None:
            nonce = await self._city.database.write(repository.next_nonce, bank)
        fields = QuoteFields(**terms, nonce=nonce)
        written = fields.model_dump(by_alias=True)
        for name in ("units", "proceeds", "nonce"):
            written[name] = str(written[name])
        return PreparedQuote(typed_data=self._typed_data(quote_of(bank, fields)), quote=written)

    async def keep_quote(self, bank: str, body: SignedQuote) -> tuple[QuoteResource, bool]:
        """Store a quote for its seller, if the chain would let the seller fill it now; also says whether it is new.

        Before it is signed: the bank's own limits, and the request that it answers, where it names one.
        What the chain checks: signature, role, nonce and validity; that the receivable is open and the seller holds
        the units; that the bank has the money and has approved the desk.
        """
        quote = quote_of(bank, body.quote)
        await self._city.receivables.known(quote.receivable_id)
        desk = self._city.financing_desk
        digest = "0x" + (await desk.digest_of(quote)).hex()
        earlier = await self._city.database.read(repository.find_quote, digest, bank)
        if earlier is not None:
            return resource_of(earlier, self._now), False
        # Once before it is signed, and once more when it is stored: two at once must not both pass.
        await self._city.database.read(self._require_kept, quote, body.request_id)
        signature = body.signature
        if signature is None:
            signature = "0x" + self._city.keys.sign_typed_data(bank, self._typed_data(quote)).hex()
        filled = desk.fill(quote, quote.units, bytes.fromhex(signature[2:]))
        await self._city.sender.simulate(quote.seller, filled.to, filled.data)
        given = Given(digest, quote, signature, self._now, body.request_id)
        new = await self._city.database.write(self._keep, given)
        return await self.quote(bank, digest), new

    async def quote(self, party: str, digest: str) -> QuoteResource:
        return resource_of(await self.known_quote(party, digest), self._now)

    async def quotes(self, party: str, receivable_id: int, cursor: str | None, limit: int) -> QuoteList:
        """The quotes for a receivable that the party gave or was given: on the first page all that can be filled, the
        cheapest first; then those that have ended, the newest first."""
        now, after = self._now, repository.decode_position(cursor)
        rows: list[Row] = []
        if after is None:
            rows = await self._city.database.read(repository.open_quotes, receivable_id, party, now)
        ended = await self._city.database.read(repository.ended_quotes, receivable_id, party, now, after, limit)
        following = encode_cursor(ended[-1]["quoted_at"], ended[-1]["id"]) if len(ended) == limit else None
        items = sorted((resource_of(row, now) for row in rows), key=by_cost)
        return QuoteList(items=items + [resource_of(row, now) for row in ended], next=following)

    async def fill(self, party: str, digest: str, units: int | None) -> Call:
        """A fill of so many units; of all that is left of the quote when not given."""
        row = await self.known_quote(party, digest)
        if units is None:
            # When nothing is left, all of it, so that the chain's refusal says what became of it.
            units = int(row["units"]) - filled_of(row) or int(row["units"])
        return self._city.financing_desk.fill(stored(row), units, bytes.fromhex(row["signature"][2:]))

    async def cancel(self, party: str, digest: str) -> Call:
        row = await self.known_quote(party, digest)
        # On chain everybody cancels its own nonces: the seller's call would succeed and cancel nothing of the bank's.
        if row["bank"] != party:
            raise Forbidden(f"Only {row['bank']}, which gave this quote, can cancel it.")
        return self._city.financing_desk.cancel(int(row["nonce"]))

    async def known_quote(self, party: str, digest: str) -> Row:
        row = await self._city.database.read(repository.find_quote, digest.lower(), party)
        if row is None:
            raise NotFound("There is no such quote that you gave or were given.")
        return row

    # --- internals

    def _keep(self, connection: Connection, given: Given) -> bool:
        """In one database transaction: nothing that the checks speak of changes before it is stored."""
        if repository.find_quote(connection, given.digest, given.quote.bank) is not None:
            return False
        self._require_kept(connection, given.quote, given.request_id)
        repository.keep_quote(connection, given, MOST_OPEN)
        return True

    def _require_kept(self, connection: Connection, quote: Quote, request_id: str | None) -> None:
        if request_id is not None:
            requests_repository.require_answerable(connection, request_id, quote, self._now)
        self._require_room(connection, quote)

    def _require_room(self, connection: Connection, quote: Quote) -> None:
        """The bank's own limits, for the debtor and its group."""
        receivable = find_receivable(connection, quote.receivable_id)
        if receivable is None:
            raise NotFound(f"There is no receivable {quote.receivable_id}.")
        limits_repository.require_room(connection, quote, receivable, self._now)

    @property
    def _now(self) -> int:
        """Chain time, as far as the tables are."""
        return self._city.indexer.head.time

    def _typed_data(self, quote: Quote) -> dict[str, Any]:
        return self._city.financing_desk.typed_data(quote, self._city.deployment.chain_id)


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
