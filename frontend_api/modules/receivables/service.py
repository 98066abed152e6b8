"""Rules of the invoice and receivable routes. No JSON-RPC here."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ...chain.abi import Call
from ...chain.projection import CHANGED
from ...db import Row
from ...errors import InvalidInput, NotFound
from ...kit.ids import parse_credit_code
from ...kit.pagination import decode_number, encode_cursor
from ..members import repository as members_repository
from . import repository
from .invoices import DEMONSTRATION_KEY, Judgement, judge, key_of
from .schemas import (
    Draft,
    HoldingResource,
    JudgementList,
    JudgementResource,
    ReceivableList,
    ReceivableResource,
    ReceivableSummary,
)

if TYPE_CHECKING:
    from ...city import City

UNDERTAKEN = ("confirmed", "partly_paid")


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
        if (
            found.currency is None
            or found.payable is None
            or found.fingerprint is None
            or found.number_fingerprint is None
        ):
            raise refusal(file.name, found.reason or "the invoice could not be read")
        return self._city.receivable_ledger.draft(
            owing, found.currency, found.payable, end_of(due), found.fingerprint, found.number_fingerprint
        )

    # --- receivables

    def draft(self, body: Draft) -> Call:
        if body.currency not in self._city.deployment.currencies:
            known = ", ".join(self._city.deployment.currencies)
            raise InvalidInput(
                f"There is no settlement token for {body.currency}; there are: {known}.", field="currency"
            )
        return self._city.receivable_ledger.draft(
            body.debtor, body.currency, body.face, body.due_at, body.fingerprint, body.number_fingerprint
        )

    async def receivable(self, receivable_id: int) -> ReceivableResource:
        row = await self.known(receivable_id)
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

    async def known(self, receivable_id: int) -> Row:
        row = await self._city.database.read(repository.find_receivable, receivable_id)
        if row is None:
            raise NotFound(f"There is no receivable {receivable_id}.")
        return row

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
