"""Facts of a UBL 2.1 / EN 16931 invoice or credit note, read strictly: every doubt is a `Refused` that names the rule.

Nothing but the given bytes is read: no DTD, no entity, no network.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal
from typing import Final, TypeAlias

from lxml import etree

from frontend_api.kit.iso4217 import EXPONENTS

Element: TypeAlias = etree._Element

#: Larger files are refused unread.
MAX_BYTES: Final = 16 * 1024 * 1024
#: The chain's amounts are uint128.
MAX_PAYABLE: Final = 2**128 - 1

_UBL = "urn:oasis:names:specification:ubl:schema:xsd:"
_CAC = f"{{{_UBL}CommonAggregateComponents-2}}"
CBC: Final = f"{{{_UBL}CommonBasicComponents-2}}"
_ROOTS: Final = {f"{{{_UBL}Invoice-2}}Invoice": "Invoice", f"{{{_UBL}CreditNote-2}}CreditNote": "CreditNote"}

#: UNTDID 1001 codes of credit notes (EN 16931 code list for BT-3), which some write in an Invoice document.
_CREDIT_TYPES: Final = frozenset(
    ("81", "83", "261", "262", "296", "308", "381", "396", "420", "458", "502", "503", "532")
)
#: UNTDID 1001 documents that claim no payment.
_TYPES_WITHOUT_CLAIM: Final = {"325": "a pro forma invoice", "751": "invoice information for accounting purposes"}

_NO_DOCTYPE: Final = "the file has a DOCTYPE: document types and entities are refused"
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)")  # xsd:decimal: no exponent, no INF, no NaN
_PLAIN_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})")
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})?")  # xsd:date
_LONGEST_NUMERAL: Final = 60
#: Characters of a number, an id or a name. Some are eighteen once they are normalised: a file full of them would keep a
#: processor busy for a minute.
LONGEST_TEXT: Final = 500
#: Ways in which an invoice names one party.
_MOST_NAMES: Final = 50
_EXACT = Context(prec=200)


class Refused(Exception):
    """The file cannot be judged further; the message is the reason."""


@dataclass(frozen=True)
class Party:
    """Every way in which an invoice names a party, by rank: (kind, scheme, value)."""

    names: tuple[tuple[str, str, str], ...]

    @property
    def printed(self) -> str:
        _, scheme, value = self.names[0]
        return f"{scheme}:{value}" if scheme else value

    @property
    def canonical(self) -> str:
        return canonical_name(*self.names[0])

    def is_same_as(self, other: Party) -> bool:
        """The same key, and nothing of the same kind that tells them apart.

        Members of a VAT group share a VAT id, but each has a legal id of its own.
        """
        if self.canonical != other.canonical:
            return False
        mine, theirs = ({n[:2]: canonical_name(*n) for n in p.names if n[0] != "name"} for p in (self, other))
        return all(mine[kind] == theirs[kind] for kind in mine.keys() & theirs.keys())


def canonical_name(kind: str, scheme: str, value: str) -> str:
    """A party's name as the fingerprints take it in, `legal:91431381MA5198083N` for instance."""
    if kind == "name":
        return "name:" + normal(value).casefold()
    return ":".join([kind, *([letters_and_digits(scheme)] if scheme else []), letters_and_digits(value)])


# --- XML


def too_large(size: int) -> str:
    return f"the file has {size} bytes; at most {MAX_BYTES} are read"


def parse(data: bytes) -> Element:
    if len(data) > MAX_BYTES:
        raise Refused(too_large(len(data)))
    if not data.strip():
        raise Refused("the file is empty")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        # libxml2 stops at an entity bomb by itself; the reason should name the cause, not the symptom.
        if b"<!DOCTYPE" in data:
            raise Refused(_NO_DOCTYPE) from None
        raise Refused(f"not well-formed XML: {_brief(error)}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Refused(_NO_DOCTYPE)
    document_of(root)
    return root


def document_of(root: Element) -> str:
    """`Invoice` or `CreditNote`."""
    document = _ROOTS.get(str(root.tag))
    if document is None:
        raise Refused(f"neither a UBL 2.1 Invoice nor a CreditNote: the root element is {shortened(str(root.tag))}")
    return document


def _brief(error: Exception) -> str:
    return shortened(str(error).splitlines()[0] if str(error) else type(error).__name__)


def shortened(text: str) -> str:
    return text if len(text) <= 120 else text[:119] + "…"


def _child(parent: Element, tag: str, label: str) -> Element | None:
    """The child element; two of them where the standard has one would let two readers see two invoices."""
    found = list(parent.iterchildren(tag))
    if len(found) > 1:
        raise Refused(f"{label} occurs {len(found)} times")
    return found[0] if found else None


def _value(element: Element, label: str) -> str | None:
    if len(element):
        raise Refused(f"{label} is not plain text")
    found = spaces(element.text or "")
    if len(found) > LONGEST_TEXT:
        raise Refused(f"{label} has {len(found)} characters; at most {LONGEST_TEXT} are read")
    return found or None


def text(parent: Element, tag: str, label: str) -> str | None:
    element = _child(parent, tag, label)
    return None if element is None else _value(element, label)


def required(parent: Element, tag: str, label: str) -> str:
    found = text(parent, tag, label)
    if found is None:
        raise Refused(f"{label} is missing")
    return found


def normal(text: str) -> str:
    """As far as two writings of a text are the same: NFKC, runs of white space as one space."""
    return spaces(unicodedata.normalize("NFKC", text))


def spaces(text: str) -> str:
    return " ".join(text.split())


def letters_and_digits(text: str) -> str:
    """In capitals, without anything else than letters and digits (Unicode's general categories L and N)."""
    if text.isascii() and text.isalnum():
        return text.upper()
    return "".join(c for c in unicodedata.normalize("NFKC", text).upper() if c.isalnum())


# --- facts


def party(root: Element, role: str, label: str) -> Party:
    outer = _child(root, f"{_CAC}{role}", f"cac:{role}")
    party = None if outer is None else _child(outer, f"{_CAC}Party", f"{label}'s cac:Party")
    if party is None:
        raise Refused(f"{label} (cac:{role}/cac:Party) is missing")
    vat, ids, traded = [], [], []
    for scheme in party.iterchildren(f"{_CAC}PartyTaxScheme"):
        kind = scheme.findtext(f"{_CAC}TaxScheme/{CBC}ID") or ""
        number = text(scheme, f"{CBC}CompanyID", f"{label}'s tax id")
        if number and kind.strip().upper() == "VAT":
            vat.append(("vat", "", number))
    entity = _child(party, f"{_CAC}PartyLegalEntity", f"{label}'s cac:PartyLegalEntity")
    legal = None if entity is None else text(entity, f"{CBC}CompanyID", f"{label}'s legal id")
    registered = None if entity is None else text(entity, f"{CBC}RegistrationName", f"{label}'s name")
    for identification in party.iterfind(f"{_CAC}PartyIdentification/{CBC}ID"):
        scheme_id = spaces(identification.get("schemeID") or "")[:LONGEST_TEXT]
        # Without a scheme it is a number of the other side's books, which says nothing to a third.
        if scheme_id and (value := _value(identification, f"{label}'s identification")):
            ids.append(("id", scheme_id, value))
    for name in party.iterfind(f"{_CAC}PartyName/{CBC}Name"):
        if value := _value(name, f"{label}'s name"):
            traded.append(("name", "", value))
    ranked = (
        vat,
        [("legal", "", legal)] if legal else [],
        ids,
        [("name", "", registered)] if registered else [],
        traded,
    )
    if sum(map(len, ranked)) > _MOST_NAMES:
        raise Refused(f"{label} is named in {sum(map(len, ranked))} ways; at most {_MOST_NAMES} are read")
    # Of several of one rank the smallest counts, so that their order in the file does not. And an id without a letter
    # or digit identifies nobody.
    names = [n for rank in ranked for n in sorted(rank, key=lambda n: canonical_name(*n)) if letters_and_digits(n[2])]
    if not names:
        raise Refused(f"{label} has neither a VAT id, a legal id, an identification with scheme nor a name")
    if len({letters_and_digits(n[2]) for n in names if n[0] == "vat"}) > 1:
        raise Refused(f"{label} has several VAT ids")
    return Party(tuple(names))


def read_date(text: str, label: str, *, with_zone: bool = True) -> str:
    """YYYY-MM-DD; a time zone after it, which xsd:date allows, is dropped."""
    match = (_DATE if with_zone else _PLAIN_DATE).fullmatch(text)
    try:
        return date.fromisoformat(match[1] if match else "").isoformat()
    except ValueError:
        raise Refused(f"{label} is not a date (YYYY-MM-DD): {shortened(text)}") from None


def read_currency(root: Element) -> str:
    code = required(root, f"{CBC}DocumentCurrencyCode", "cbc:DocumentCurrencyCode")
    if code not in EXPONENTS:
        raise Refused(f"cbc:DocumentCurrencyCode {shortened(code)} is not an ISO 4217 currency")
    return code


def _amount(element: Element, currency: str, label: str) -> Decimal:
    amount = read_decimal(_value(element, label) or "", label)
    stated = element.get("currencyID")
    if stated != currency:
        raise Refused(f"{label} is in {stated or 'no currency'}, the document in {currency}")
    return amount


def read_decimal(text: str, label: str) -> Decimal:
    if len(text) > _LONGEST_NUMERAL or not _DECIMAL.fullmatch(text):
        raise Refused(f"{label} is not a decimal number: {shortened(text)}")
    return Decimal(text)


def read_payable(root: Element, currency: str) -> int:
    total = _total(root)
    label = "cbc:PayableAmount"
    element = _child(total, f"{CBC}PayableAmount", label)
    if element is None:
        raise Refused(f"{label} is missing")
    return minor_units(_amount(element, currency, label), currency, label)


def minor_units(amount: Decimal, currency: str, label: str) -> int:
    """An amount in minor units of its currency, exactly."""
    exponent = EXPONENTS[currency]
    # EN 16931 BR-DEC-18 writes two decimals at most; more only where ISO 4217 gives the currency more. So "1.00000" is
    # refused like "1.00001".
    written = -int(amount.as_tuple().exponent)
    if written > max(exponent, 2):
        raise Refused(f"{label} has {written} decimals; {currency} has {exponent}")
    scaled = amount.scaleb(exponent, _EXACT)
    if scaled != scaled.to_integral_value(context=_EXACT):
        raise Refused(f"{label} {amount} is no whole number of minor units; {currency} has {exponent} decimals")
    minor = int(scaled)
    if abs(minor) > MAX_PAYABLE:
        raise Refused(f"{label} exceeds 2^128 - 1 minor units")
    return minor


def _total(root: Element) -> Element:
    total = _child(root, f"{_CAC}LegalMonetaryTotal", "cac:LegalMonetaryTotal")
    if total is None:
        raise Refused("cac:LegalMonetaryTotal is missing")
    return total


def is_credit(root: Element, document: str) -> bool:
    code = text(root, f"{CBC}{document}TypeCode", f"cbc:{document}TypeCode")
    if code in _TYPES_WITHOUT_CLAIM:
        raise Refused(f"cbc:{document}TypeCode {code} is {_TYPES_WITHOUT_CLAIM[code]}: it claims no payment")
    return document == "CreditNote" or code in _CREDIT_TYPES


# --- sums


def check_sums(root: Element, document: str, currency: str) -> None:
    """The calculation rules of EN 16931 (BR-CO-10 to 16), each where the document has the amounts it speaks of."""
    total = _total(root)

    def stated(name: str) -> Decimal | None:
        element = _child(total, f"{CBC}{name}", f"cbc:{name}")
        return None if element is None else _amount(element, currency, f"cbc:{name}")

    def added(elements: list[Element], label: str) -> Decimal:
        result = Decimal(0)
        for element in elements:
            result = _EXACT.add(result, _amount(element, currency, label))
        return result

    def require(rule: str, label: str, actual: Decimal | None, expected: Decimal) -> None:
        if actual is not None and actual != expected:
            raise Refused(f"wrong sum: {label} is {actual}, but {rule} gives {expected}")

    lines = [
        amount for line in root.findall(f"{_CAC}{document}Line") for amount in line.findall(f"{CBC}LineExtensionAmount")
    ]
    net, exclusive, inclusive = (
        stated("LineExtensionAmount"),
        stated("TaxExclusiveAmount"),
        stated("TaxInclusiveAmount"),
    )
    prepaid, rounding = stated("PrepaidAmount") or Decimal(0), stated("PayableRoundingAmount") or Decimal(0)
    if lines:
        require("BR-CO-10 (the lines)", "cbc:LineExtensionAmount", net, added(lines, "line amount"))
    charges, allowances = (added(found, "charge or allowance") for found in _charges_and_allowances(root))
    require("BR-CO-11 (the allowances)", "cbc:AllowanceTotalAmount", stated("AllowanceTotalAmount"), allowances)
    require("BR-CO-12 (the charges)", "cbc:ChargeTotalAmount", stated("ChargeTotalAmount"), charges)
    if net is not None:
        expected = _EXACT.subtract(_EXACT.add(net, charges), allowances)
        require("BR-CO-13 (lines, allowances and charges)", "cbc:TaxExclusiveAmount", exclusive, expected)
    taxes = _taxes(root, currency)
    for tax in taxes:
        parts = tax.findall(f"{_CAC}TaxSubtotal/{CBC}TaxAmount")
        if parts:
            require(
                "BR-CO-14 (its subtotals)",
                "cbc:TaxAmount",
                added(tax.findall(f"{CBC}TaxAmount"), "cbc:TaxAmount"),
                added(parts, "cbc:TaxAmount"),
            )
    if exclusive is not None:
        tax_amounts = [amount for tax in taxes for amount in tax.findall(f"{CBC}TaxAmount")]
        expected = _EXACT.add(exclusive, added(tax_amounts, "cbc:TaxAmount"))
        require("BR-CO-15 (net and tax)", "cbc:TaxInclusiveAmount", inclusive, expected)
    if inclusive is not None:
        expected = _EXACT.add(_EXACT.subtract(inclusive, prepaid), rounding)
        require("BR-CO-16 (gross, prepaid and rounding)", "cbc:PayableAmount", stated("PayableAmount"), expected)


def _charges_and_allowances(root: Element) -> tuple[list[Element], list[Element]]:
    charges: list[Element] = []
    allowances: list[Element] = []
    for entry in root.findall(f"{_CAC}AllowanceCharge"):
        indicator = required(entry, f"{CBC}ChargeIndicator", "cbc:ChargeIndicator")
        if indicator not in ("true", "false", "1", "0"):
            raise Refused(f"cbc:ChargeIndicator is neither true nor false: {shortened(indicator)}")
        (charges if indicator in ("true", "1") else allowances).extend(entry.findall(f"{CBC}Amount"))
    return charges, allowances


def _taxes(root: Element, currency: str) -> list[Element]:
    """The tax totals in the document's currency; another may repeat the tax in the currency of the accounts (BT-6)."""
    accounts = text(root, f"{CBC}TaxCurrencyCode", "cbc:TaxCurrencyCode")
    found = []
    for tax in root.findall(f"{_CAC}TaxTotal"):
        element = _child(tax, f"{CBC}TaxAmount", "cbc:TaxAmount")
        if element is not None and accounts not in (None, currency) and element.get("currencyID") == accounts:
            continue
        found.append(tax)
    return found
