"""Rules of what happens to a receivable after its draft: here, credit notes from files. No JSON-RPC here."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ...chain.abi import Call
from ...db import Row
from ..members import repository as members_repository
from . import ubl
from .credit_notes import billed_numbers, number_fingerprints
from .drafts import credit_code_of, refusal
from .intake import InvoiceFile
from .invoices import Judgement, judge, key_of

if TYPE_CHECKING:
    from ...city import City

_SELLER, _BUYER, _REFERENCE = "cac:AccountingSupplierParty", "cac:AccountingCustomerParty", "cac:BillingReference"


class MaturityService:
    def __init__(self, city: City):
        self._city = city
        self._key = key_of(city.settings.fingerprint_key)

    async def dilute_from(self, receivable_id: int, file: InvoiceFile) -> Call:
        """The use of an uploaded credit note on a receivable, or the refusal with file, field and rule."""
        row = await self._city.receivables.known(receivable_id)
        currencies = self._city.deployment.currencies
        found = await asyncio.to_thread(judge, file.content, currencies=currencies, key=self._key)
        if found.outcome != "dilution":
            what = found.reason if found.outcome == "refused" else "an invoice that claims payment"
            raise refusal(file.name, f"no credit note: {what}")
        if found.currency != row["currency"]:
            raise refusal(
                file.name,
                f"the credit note is in {found.currency}, the receivable in {row['currency']}",
                "cbc:DocumentCurrencyCode",
            )
        await self._require_same_case(file, found, row)
        if found.payable is None or found.fingerprint is None or found.number_fingerprint is None:
            raise refusal(file.name, found.reason or "the credit note could not be read")
        # A credit note writes what it takes off as positive, a negative invoice as negative.
        amount = abs(found.payable)
        ledger = self._city.receivable_ledger
        return ledger.dilute(receivable_id, amount, found.fingerprint, found.number_fingerprint)

    async def _require_same_case(self, file: InvoiceFile, found: Judgement, row: Row) -> None:
        """The parties are the receivable's, and the invoice that the credit note names is the receivable's invoice.

        A party that no member's credit code names can only be believed where the fingerprint of seller and number fits.
        """
        numbers = await asyncio.to_thread(number_fingerprints, file.content, self._key)
        fits = row["number_fingerprint"] in ["0x" + number.hex() for number in numbers]
        if numbers and not fits:
            named = ", ".join(ubl.shortened(number) for number in billed_numbers(file.content))
            raise refusal(
                file.name,
                f"cac:BillingReference names the invoice {named} of {found.seller}, which is not the receivable's",
                _REFERENCE,
            )
        for role, party, element, account in (
            ("seller", str(found.seller), _SELLER, row["supplier"]),
            ("buyer", str(found.buyer), _BUYER, row["debtor"]),
        ):
            member = await self._member_with(party)
            if member not in (None, account):
                raise refusal(file.name, f"the {role} {party} is the member {member}, not {account}", element)
            if member is None and not fits:
                raise refusal(
                    file.name,
                    f"the {role} {party} is no member's credit code, and no cac:BillingReference shows that the "
                    "credit note is for this receivable",
                    element,
                )

    async def _member_with(self, party: str) -> str | None:
        code = credit_code_of(party)
        return None if code is None else await self._city.database.read(members_repository.find_by_credit_code, code)
