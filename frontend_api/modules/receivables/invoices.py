"""What an invoice is worth as a receivable: the judgement on a UBL 2.1 / EN 16931 invoice or credit note.

`judge` is a pure function of the file's bytes. It never raises for a bad file: a file that cannot become a receivable
is a judgement too, with the reason.

The invoice hash is what the chain gets to see of an invoice:

    HMAC(key, canonical), RFC 2104 with Keccak-256 (block of 136 bytes)
    canonical = the UTF-8 bytes of the JSON array, without spaces and with non-ASCII characters as they are,
        ["chaincity invoice 1", seller, buyer, number, issue date, payable, currency]

- seller, buyer: the first that the invoice gives of: VAT id, legal id, identification with a scheme, name; written as
  `vat:ID`, `legal:ID` or `id:SCHEME:ID` with ids and schemes in NFKC, in capitals, letters and digits only, or as
  `name:NAME` in NFKC, case-folded, runs of white space as one space.
- number: NFKC, runs of white space as one space, none at the ends. A credit note's has `credit note ` before it, so
  that it never equals an invoice's.
- issue date: YYYY-MM-DD.
- payable: minor units as decimal digits, with the sign that the document gives. currency: ISO 4217 code.

Formatting, namespace prefixes, notes, lines and attachments do not enter; a change to any of the six facts changes the
hash. Without the key nobody can try amounts and names until a hash on chain fits.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final, Literal

from eth_utils.crypto import keccak
from pydantic import SecretStr

from . import ubl

Outcome = Literal["receivable", "dilution", "needs_due_date", "refused"]

#: For demonstrations and tests only. Everybody knows it, so that hashes made with it can be guessed; a consortium
#: shares a secret of its own.
DEMONSTRATION_KEY: Final = keccak(text="chaincity demonstration consortium key")

_KECCAK_BLOCK: Final = 136
_CANONICAL_VERSION: Final = "chaincity invoice 1"


@dataclass(frozen=True)
class Judgement:
    """What a file is, and what it says as far as it could be read.

    seller, buyer: the party's key as the invoice writes it: VAT id, legal id, `scheme:id` or name
    issue_date, due_date: YYYY-MM-DD
    payable: minor units of `currency`, as the document signs it
    reason: why it is not (yet) a receivable; names the element and the rule
    invoice_hash: see the module; None when refused
    """

    outcome: Outcome
    number: str | None = None
    seller: str | None = None
    buyer: str | None = None
    issue_date: str | None = None
    due_date: str | None = None
    currency: str | None = None
    payable: int | None = None
    reason: str | None = None
    invoice_hash: bytes | None = None

    def to_json(self) -> dict[str, str | None]:
        """As the API and the command line print it."""
        return {
            "outcome": self.outcome,
            "number": self.number,
            "seller": self.seller,
            "buyer": self.buyer,
            "issueDate": self.issue_date,
            "dueDate": self.due_date,
            "currency": self.currency,
            "payable": None if self.payable is None else str(self.payable),
            "fingerprint": None if self.invoice_hash is None else "0x" + self.invoice_hash.hex(),
            "reason": self.reason,
        }


def key_of(secret: SecretStr | None) -> bytes:
    """The consortium's key from the settings: the UTF-8 bytes of the secret; the demonstration key without one."""
    return DEMONSTRATION_KEY if secret is None else secret.get_secret_value().encode()


def judge(data: bytes, *, currencies: Collection[str] | None = None, key: bytes = DEMONSTRATION_KEY) -> Judgement:
    """Judge one file.

    currencies: codes that have a settlement token; None lets every ISO 4217 currency pass
    key: the consortium's secret for the invoice hash
    """
    facts: dict[str, Any] = {}
    try:
        return _judge(ubl.parse(data), currencies, key, facts)
    except ubl.Refused as refusal:
        return Judgement(outcome="refused", reason=str(refusal), **facts)


def _judge(root: ubl.Element, currencies: Collection[str] | None, key: bytes, facts: dict[str, Any]) -> Judgement:
    """`facts` fills up on the way, so that a refusal still says what could be read."""
    document = ubl.document_of(root)
    facts["number"] = number = ubl.required(root, f"{ubl.CBC}ID", "number (cbc:ID)")
    seller = ubl.party(root, "AccountingSupplierParty", "seller")
    facts["seller"] = seller.printed
    buyer = ubl.party(root, "AccountingCustomerParty", "buyer")
    facts["buyer"] = buyer.printed
    facts["issue_date"] = issued = ubl.read_date(
        ubl.required(root, f"{ubl.CBC}IssueDate", "cbc:IssueDate"), "cbc:IssueDate"
    )
    due_text = ubl.text(root, f"{ubl.CBC}DueDate", "cbc:DueDate")
    if due_text is not None:
        facts["due_date"] = ubl.read_date(due_text, "cbc:DueDate")
    facts["currency"] = currency = ubl.read_currency(root)
    if currencies is not None and currency not in currencies:
        raise ubl.Refused(f"no settlement token for {currency}")
    facts["payable"] = payable = ubl.read_payable(root, currency)
    ubl.check_sums(root, document, currency)
    is_credit = ubl.is_credit(root, document)

    if payable == 0:
        raise ubl.Refused("cbc:PayableAmount is zero: nothing is owed")
    if is_credit and payable < 0:
        raise ubl.Refused("a credit note over a negative amount raises a debt: that takes an invoice")
    if seller.is_same_as(buyer):
        raise ubl.Refused(f"seller and buyer are the same party, {seller.printed}")
    invoice_hash = _invoice_hash(
        key,
        seller.canonical,
        buyer.canonical,
        ("credit note " if is_credit else "") + ubl.normal(number),
        issued,
        str(payable),
        currency,
    )
    if is_credit or payable < 0:
        what = "credit note" if is_credit else "negative invoice"
        return Judgement(outcome="dilution", reason=f"{what}: reduces what is owed", invoice_hash=invoice_hash, **facts)
    if due_text is None:
        return Judgement(outcome="needs_due_date", reason="cbc:DueDate is missing", invoice_hash=invoice_hash, **facts)
    if facts["due_date"] < issued:
        raise ubl.Refused(f"cbc:DueDate {facts['due_date']} is before cbc:IssueDate {issued}")
    return Judgement(outcome="receivable", invoice_hash=invoice_hash, **facts)


# --- the hash


def _invoice_hash(key: bytes, *facts: str) -> bytes:
    canonical = json.dumps([_CANONICAL_VERSION, *facts], ensure_ascii=False, separators=(",", ":"))
    return _hmac_keccak(key, canonical.encode())


def _hmac_keccak(key: bytes, message: bytes) -> bytes:
    block = (keccak(key) if len(key) > _KECCAK_BLOCK else key).ljust(_KECCAK_BLOCK, b"\0")
    inner = keccak(bytes(b ^ 0x36 for b in block) + message)
    return keccak(bytes(b ^ 0x5C for b in block) + inner)
