"""Rules of the invoice, receivable and quote routes. No JSON-RPC here."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from ...chain.abi import Call
from ...chain.projection import CHANGED
from ...db import Row
from ...errors import Forbidden, InvalidInput, NotFound
from ...kit.ids import parse_credit_code
from ...kit.pagination import decode_number, encode_cursor
from ..members import repository as members_repository
from . import repository
from .contract import Quote
from .invoices import DEMONSTRATION_KEY, Judgement, judge, key_of
from .schemas import (
    Draft,
    HoldingResource,
    JudgementList,
    JudgementResource,
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


@dataclass(frozen=True)
class InvoiceFile:
    name: str
    content: bytes


class ReceivablesService:
    def __init__(self, city: City):
        self._city = city
        self._key = key_of(city.settings.fingerprint_key)

    # --- invoices

    async def check(self, files: Sequence[InvoiceFile]) -> JudgementList:
        """A judgement per file; nothing is stored."""
        judged = [await self._judge(file) for file in files]
        return JudgementList(
            items=[
                JudgementResource.model_validate({"file": file.name, **found.to_json()})
                for file, found in zip(files, judged, strict=True)
            ],
            demonstration_key=self._key == DEMONSTRATION_KEY,
        )

    async def draft_from_invoice(
        self, supplier: str, file: InvoiceFile, debtor: str | None, due_date: str | None
    ) -> Call:
        """The draft of an uploaded invoice, or the refusal with file, field and rule."""
        found = await self._judge(file)
        if found.outcome == "needs_due_date" and due_date is not None:
            due = parse_date(due_date)
            if found.issue_date is not None and due < found.issue_date:
                raise InvalidInput(f"The due date is before the invoice's date, {found.issue_date}.", field="dueDate")
        elif found.outcome != "receivable":
            raise refusal(file.name, found.reason or found.outcome)
        elif due_date is not None and due_date != found.due_date:
            raise InvalidInput(f"The invoice says itself when it is due: {found.due_date}.", field="dueDate")
        else:
            due = str(found.due_date)
        await self._require_seller(supplier, file.name, str(found.seller))
        owing = await self._debtor(file.name, str(found.buyer), debtor)
        if found.currency is None or found.payable is None or found.fingerprint is None:
            raise refusal(file.name, found.reason or "the invoice could not be read")
        return self._city.receivable_ledger.draft(owing, found.currency, found.payable, end_of(due), found.fingerprint)

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

    async def _judge(self, file: InvoiceFile) -> Judgement:
        currencies = self._city.deployment.currencies
        return await asyncio.to_thread(judge, file.content, currencies=currencies, key=self._key)

    async def _member_with(self, party_key: str) -> str | None:
        code = credit_code_of(party_key)
        if code is None:
            return None
        return await self._city.database.read(members_repository.find_by_credit_code, code)

    async def _require_seller(self, supplier: str, file: str, seller: str) -> None:
        """Whose invoice it is, where the invoice's seller is a member; nobody drafts another member's."""
        member = await self._member_with(seller)
        if member not in (None, supplier):
            raise refusal(
                file, f"the seller {seller} is the member {member}, not {supplier}", "cac:AccountingSupplierParty"
            )

    async def _debtor(self, file: str, buyer: str, given: str | None) -> str:
        member = await self._member_with(buyer)
        if member is None and given is None:
            raise refusal(
                file, f"the buyer {buyer} is no member's credit code; give `debtor`", "cac:AccountingCustomerParty"
            )
        if None not in (member, given) and member != given:
            raise InvalidInput(f"The invoice's buyer {buyer} is the member {member}.", field="debtor")
        return str(member or given)

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


def credit_code_of(party_key: str) -> str | None:
    """The unified social credit code in a party's key as a judgement prints it: `[scheme:]id`, perhaps after `CN`."""
    letters = "".join(c for c in party_key.rsplit(":", 1)[-1].upper() if c.isalnum())
    if len(letters) == 20:
        letters = letters.removeprefix("CN")
    try:
        return parse_credit_code(letters)
    except ValueError:
        return None


def parse_date(text: str) -> str:
    """YYYY-MM-DD, and nothing else that ISO 8601 allows."""
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError(text)
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise InvalidInput("A due date is written YYYY-MM-DD.", field="dueDate") from None


def end_of(day: str) -> int:
    """The end of a date, 24:00 UTC, in Unix seconds: who pays on the due date pays in time."""
    midnight = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
    return int((midnight + timedelta(days=1)).timestamp()) if day != date.max.isoformat() else 2**53 - 1


def refusal(file: str, rule: str, field: str | None = None) -> InvalidInput:
    """Why a file was refused. The field is the element that the rule speaks of, where it names one."""
    if field is None:
        named = re.search(r"\bc[ab]c:[A-Za-z]+", rule)
        field = named[0] if named else "file"
    return InvalidInput(f"{file}: {rule}", errors=[{"file": file, "field": field, "rule": rule}])


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
