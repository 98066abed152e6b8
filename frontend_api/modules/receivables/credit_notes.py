"""Which receivable a credit note is for. Pure functions of the file's bytes; the rest of the judgement is in invoices.py."""

from __future__ import annotations

from . import ubl
from .invoices import Facts

_CAC = ubl.CBC.replace("CommonBasicComponents", "CommonAggregateComponents")
_REFERENCE = f"{_CAC}BillingReference/{_CAC}InvoiceDocumentReference/{ubl.CBC}ID"


def billed_numbers(content: bytes) -> list[str]:
    """The numbers of the invoices that a credit note says it is for (EN 16931 BT-25); none where it does not say it."""
    found = [ubl.spaces(element.text or "") for element in ubl.parse(content).iterfind(_REFERENCE)]
    return [number for number in found if number]


def number_fingerprints(content: bytes, key: bytes) -> list[bytes]:
    """The number fingerprints of those invoices, if the credit note's seller wrote them: what a draft of one carries."""
    seller = ubl.party(ubl.parse(content), "AccountingSupplierParty", "seller").canonical
    return [
        # Only seller and number enter the second of the two fingerprints.
        Facts(seller, "", number, "", 0, "").fingerprints(key)[1]
        for number in billed_numbers(content)
    ]
