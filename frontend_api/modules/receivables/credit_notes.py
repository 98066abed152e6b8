"""Which receivable a credit note is for, and what the register calls it. Pure functions; the rest of the judgement is in invoices.py."""

from __future__ import annotations

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from . import ubl
from .invoices import Facts

_CAC = ubl.CBC.replace("CommonBasicComponents", "CommonAggregateComponents")
_REFERENCE = f"{_CAC}BillingReference/{_CAC}InvoiceDocumentReference/{ubl.CBC}ID"


#: Invoices that a credit note is asked for; more of them are compared with no receivable.
_MOST_REFERENCES = 100


def registered(fingerprint: bytes) -> bytes:
    """A credit note's fingerprint, or its number's, as the financing register knows it (contracts/receivables/types/CreditNote.sol).

    The register keeps credit notes apart from invoices in this way: none takes an invoice that has its fingerprint.
    """
    return keccak(encode(["string", "bytes32"], ["credit note", fingerprint])) if any(fingerprint) else fingerprint


def billed_numbers(content: bytes) -> list[str]:
    """The numbers of the invoices that a credit note says it is for (EN 16931 BT-25); none where it does not say it."""
    found = [ubl.spaces(element.text or "") for element in ubl.parse(content).iterfind(_REFERENCE)]
    return [number for number in found if 0 < len(number) <= ubl.LONGEST_TEXT][:_MOST_REFERENCES]


def number_fingerprints(content: bytes, key: bytes) -> list[bytes]:
    """The number fingerprints of those invoices, if the credit note's seller wrote them: what a draft of one carries."""
    seller = ubl.party(ubl.parse(content), "AccountingSupplierParty", "seller").canonical
    return [
        # Only seller and number enter the second of the two fingerprints.
        Facts(seller, "", number, "", 0, "").fingerprints(key)[1]
        for number in billed_numbers(content)
    ]
