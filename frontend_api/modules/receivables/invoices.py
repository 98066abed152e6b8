"""What an invoice is worth as a receivable: the judgement on a UBL 2.1 / EN 16931 invoice or credit note.

`judge` is a pure function of the file's bytes. It never raises for a bad file: a file that cannot become a receivable
is a judgement too, with the reason.

Two keyed fingerprints are what others get to see of an invoice; docs/invoices.md defines them to the byte:

    HMAC(key, canonical), RFC 2104 with Keccak-256 (block of 136 bytes)
    canonical = the UTF-8 bytes of a JSON array, without spaces and with non-ASCII characters as they are:
        full    ["chaincity invoice 1", seller, buyer, number, issue date, payable, currency]
        number  ["chaincity invoice number 1", seller, number in letters and digits]

- seller, buyer: the first that the invoice gives of: VAT id, legal id, identification with a scheme, name; written as
  `vat:ID`, `legal:ID` or `id:SCHEME:ID` with ids and schemes in NFKC, in capitals, letters and digits only, or as
  `name:NAME` in NFKC, case-folded, runs of white space as one space.
- number: NFKC, runs of white space as one space, none at the ends; in the number fingerprint in NFKC, in capitals,
  letters and digits only. A credit note's has `credit note ` before it, so that it never equals an invoice's.
- issue date: YYYY-MM-DD.
- payable: minor units as decimal digits, with the sign that the document gives. currency: ISO 4217 code.

Formatting, namespace prefixes, notes, lines and attachments do not enter; a change to any of the six facts changes the
full fingerprint. The number fingerprint stays when an altered copy keeps its number. Without the key nobody can try
amounts and names until a fingerprint on chain fits.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from eth_utils.crypto import keccak
from pydantic import SecretStr

from . import ubl

Outcome = Literal["receivable", "dilution", "needs_due_date", "refused"]

#: For demonstrations and tests only. Everybody knows it, so that what is made with it can be guessed; a consortium
#: shares a secret of its own.
DEMONSTRATION_KEY: Final = keccak(text="chaincity demonstration consortium key")

_KECCAK_BLOCK: Final = 136
_FULL: Final = "chaincity invoice 1"
_NUMBER: Final = "chaincity invoice number 1"
_CREDIT_NOTE: Final = "credit note "


@dataclass(frozen=True)
class Judgement:
    """What a file is, and what it says as far as it could be read.

    seller, buyer: the party's key as the invoice writes it: VAT id, legal id, `scheme:id` or name
    issue_date, due_date: YYYY-MM-DD
    payable: minor units of `currency`, as the document signs it
    reason: why it is not (yet) a receivable; names the element and the rule
    fingerprint, number_fingerprint: see the module; None when refused
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
    fingerprint: bytes | None = None
    number_fingerprint: bytes | None = None

    def to_json(self, *, number_fingerprint: bool = False) -> dict[str, str | None]:
        """As the command line prints it; the API shows the number fingerprint too."""
        return {
            "outcome": self.outcome,
            "number": self.number,
            "seller": self.seller,
            "buyer": self.buyer,
            "issueDate": self.issue_date,
            "dueDate": self.due_date,
            "currency": self.currency,
            "payable": None if self.payable is None else str(self.payable),
            "fingerprint": hex_of(self.fingerprint),
            **({"numberFingerprint": hex_of(self.number_fingerprint)} if number_fingerprint else {}),
            "reason": self.reason,
        }


def key_of(secret: SecretStr | None) -> bytes:
    """The consortium's key from the settings: the UTF-8 bytes of the secret; the demonstration key without one."""
    return DEMONSTRATION_KEY if secret is None else secret.get_secret_value().encode()


def too_large(size: int) -> Judgement:
    """The judgement on a file that is refused unread."""
    return Judgement(outcome="refused", reason=ubl.too_large(size))


def judge(data: bytes, *, currencies: Collection[str] | None = None, key: bytes = DEMONSTRATION_KEY) -> Judgement:
    """Judge one file.

    currencies: codes that have a settlement token; None lets every ISO 4217 currency pass
    key: the consortium's secret for the fingerprints
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
    if not ubl.letters_and_digits(number):
        raise ubl.Refused(f"number (cbc:ID) has neither a letter nor a digit: {ubl.shortened(number)}")
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
    if not is_credit and payable > 0 and due_text is not None and facts["due_date"] < issued:
        raise ubl.Refused(f"cbc:DueDate {facts['due_date']} is before cbc:IssueDate {issued}")
    prints = Facts(
        seller.canonical, buyer.canonical, number, issued, payable, currency, is_credit=is_credit
    ).fingerprints(key)
    facts |= {"fingerprint": prints[0], "number_fingerprint": prints[1]}
    if is_credit or payable < 0:
        what = "credit note" if is_credit else "negative invoice"
        return Judgement(outcome="dilution", reason=f"{what}: reduces what is owed", **facts)
    if due_text is None:
        return Judgement(outcome="needs_due_date", reason="cbc:DueDate is missing", **facts)
    return Judgement(outcome="receivable", **facts)


# --- the fingerprints


@dataclass(frozen=True)
class Facts:
    """What the fingerprints are made of.

    seller, buyer: in canonical form, `legal:91431381MA5198083N` for instance
    number: as the invoice writes it
    issued: YYYY-MM-DD
    payable: minor units of `currency`, as the document signs it
    """

    seller: str
    buyer: str
    number: str
    issued: str
    payable: int
    currency: str
    is_credit: bool = False

    def fingerprints(self, key: bytes) -> tuple[bytes, bytes]:
        """The full one and that of the number, 32 bytes each."""
        prefix = _CREDIT_NOTE if self.is_credit else ""
        number = prefix + ubl.normal(self.number)
        full = (_FULL, self.seller, self.buyer, number, self.issued, str(self.payable), self.currency)
        plain = (_NUMBER, self.seller, prefix + ubl.letters_and_digits(self.number))
        return keyed(key, full), keyed(key, plain)


def hex_of(fingerprint: bytes | None) -> str | None:
    return None if fingerprint is None else "0x" + fingerprint.hex()


def keyed(key: bytes, texts: tuple[str, ...]) -> bytes:
    """HMAC (RFC 2104, Keccak-256) of the canonical JSON array of the texts; a lot's fingerprints are made with it too."""
    canonical = json.dumps(texts, ensure_ascii=False, separators=(",", ":"))
    inner, outer = _pads(key)
    return keccak(outer + keccak(inner + canonical.encode()))


@lru_cache(maxsize=8)
def _pads(key: bytes) -> tuple[bytes, bytes]:
    """The key as RFC 2104 mixes it into the inner and the outer hash."""
    block = (keccak(key) if len(key) > _KECCAK_BLOCK else key).ljust(_KECCAK_BLOCK, b"\0")
    return bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block)
