"""The invoices of the story, made anew for chain time: rows of CSV files, and UBL files. The same seed makes the same ones."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from xml.sax.saxutils import escape

from .cast import CORE, CREDITOR, DEFAULTER, TIER_1, Party

SEED = 20260917
#: Days from the invoice's date to the due date.
TERMS = (30, 60, 90)
ROWS_PER_SUPPLIER = 96
FILES_PER_SUPPLIER = 4
#: Per cent.
VAT = 13
#: Net of the invoice that is not paid, fen.
DEFAULTED_NET = 60_000_000


@dataclass(frozen=True)
class Invoice:
    """net: fen, before tax"""

    seller: Party
    buyer: Party
    number: str
    issued: date
    days: int
    net: int

    @property
    def tax(self) -> int:
        return (self.net * VAT + 50) // 100

    @property
    def payable(self) -> int:
        return self.net + self.tax

    @property
    def due(self) -> date:
        return self.issued + timedelta(days=self.days)

    @property
    def due_at(self) -> int:
        """The debtor has until the end of the due date in UTC."""
        midnight = datetime.combine(self.due + timedelta(days=1), datetime.min.time(), UTC)
        return int(midnight.timestamp())


@dataclass(frozen=True)
class Batch:
    """rows: of each supplier's CSV file; files: uploaded as UBL"""

    rows: dict[Party, list[Invoice]]
    files: dict[Party, list[Invoice]]
    defaulted: Invoice

    def all(self) -> list[Invoice]:
        return [entry for part in (*self.rows.values(), *self.files.values()) for entry in part]


def batch(chain_time: int) -> Batch:
    """500 invoices: of five tier-1 suppliers to the core company, and one of a tier-2 supplier to a tier-1 supplier."""
    chance = random.Random(SEED)  # noqa: S311  (the same story every time)
    issued = datetime.fromtimestamp(chain_time, UTC).date() - timedelta(days=1)
    serial = 26_432_000_000_000_000_000 + chance.randrange(10**8)

    def made(seller: Party) -> Invoice:
        nonlocal serial
        serial += chance.randint(1, 40)
        # Many small ones and a few large ones, 3,000 to 2,000,000 yuan.
        net = min(max(round(chance.lognormvariate(11.6, 0.9) * 100), 300_000), 200_000_000)
        return Invoice(seller, CORE, str(serial), issued, chance.choice(TERMS), net)

    rows = {seller: [made(seller) for _ in range(ROWS_PER_SUPPLIER)] for seller in TIER_1}
    files = {seller: [made(seller) for _ in range(FILES_PER_SUPPLIER)] for seller in TIER_1}
    files[DEFAULTER].pop()
    defaulted = replace(made(CREDITOR), buyer=DEFAULTER, days=TERMS[0], net=DEFAULTED_NET)
    files[CREDITOR] = [defaulted]
    return Batch(rows, files, defaulted)


def csv_file(invoices: list[Invoice]) -> str:
    lines = ["number,buyer,issueDate,dueDate,currency,payable"]
    lines += [f"{i.number},{i.buyer.code},{i.issued},{i.due},CNY,{yuan(i.payable)}" for i in invoices]
    return "\n".join(lines) + "\n"


def broken_rows(good: Invoice) -> dict[str, tuple[str, str]]:
    """Rows that a person gets wrong, each with the column and some words of the rule that it breaks."""
    wrong_code = good.buyer.code[:-1] + ("0" if good.buyer.code[-1] != "0" else "1")
    rest = f"{good.issued},{good.due},CNY"
    return {
        f"K-1,{wrong_code},{rest},1000.00": ("buyer", "check character"),
        f"K-2,{good.buyer.code},{rest},1000.125": ("payable", "decimal"),
        f"K-3,{good.buyer.code},{good.issued},{good.issued - timedelta(days=1)},CNY,1000.00": ("dueDate", "before"),
        f"{good.number},{good.buyer.code},{rest},{yuan(good.payable)}": ("number", "on line 2 already"),
        f"K-4,{good.buyer.code},{good.issued},{good.due},XXX,1000.00": ("currency", "XXX"),
        f"K-5,{good.buyer.code},{rest},-1000.00": ("payable", ""),
    }


def ubl(invoice: Invoice) -> bytes:
    return _document("Invoice", "Invoiced", invoice, f"<cbc:DueDate>{invoice.due}</cbc:DueDate>", "380", "")


def credit_note(invoice: Invoice, number: str, net: int) -> bytes:
    """For a part of an invoice, which it names."""
    reference = f"<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>{invoice.number}</cbc:ID>"
    reference += "</cac:InvoiceDocumentReference></cac:BillingReference>"
    note = replace(invoice, number=number, net=net)
    return _document("CreditNote", "Credited", note, "", "381", reference)


def yuan(fen: int) -> str:
    """As files write it."""
    return f"{fen // 100}.{fen % 100:02d}"


def readable(fen: int) -> str:
    """In yuan, as people read it."""
    return ("−" if fen < 0 else "") + f"{abs(fen) // 100:,}.{abs(fen) % 100:02d}"


def _document(root: str, quantity: str, of: Invoice, due: str, kind: str, reference: str) -> bytes:
    def money(name: str, fen: int) -> str:
        return f'<cbc:{name} currencyID="CNY">{yuan(fen)}</cbc:{name}>'

    def party(role: str, who: Party) -> str:
        title = escape(who.title)
        return f"""
  <cac:{role}><cac:Party>
    <cac:PostalAddress><cac:Country><cbc:IdentificationCode>CN</cbc:IdentificationCode></cac:Country></cac:PostalAddress>
    <cac:PartyLegalEntity><cbc:RegistrationName>{title}</cbc:RegistrationName><cbc:CompanyID>{who.code}</cbc:CompanyID></cac:PartyLegalEntity>
  </cac:Party></cac:{role}>"""

    scheme = f"<cbc:ID>S</cbc:ID><cbc:Percent>{VAT}</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>"
    text = f"""<?xml version="1.0" encoding="UTF-8"?>
<{root} xmlns="urn:oasis:names:specification:ubl:schema:xsd:{root}-2"
    xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
    xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
  <cbc:CustomizationID>urn:cen.eu:en16931:2017</cbc:CustomizationID>
  <cbc:ID>{of.number}</cbc:ID>
  <cbc:IssueDate>{of.issued}</cbc:IssueDate>{due}
  <cbc:{root}TypeCode>{kind}</cbc:{root}TypeCode>
  <cbc:DocumentCurrencyCode>CNY</cbc:DocumentCurrencyCode>{reference}{party("AccountingSupplierParty", of.seller)}{
        party("AccountingCustomerParty", of.buyer)
    }
  <cac:TaxTotal>{money("TaxAmount", of.tax)}<cac:TaxSubtotal>{money("TaxableAmount", of.net)}{
        money("TaxAmount", of.tax)
    }<cac:TaxCategory>{scheme}</cac:TaxCategory></cac:TaxSubtotal></cac:TaxTotal>
  <cac:LegalMonetaryTotal>{money("LineExtensionAmount", of.net)}{money("TaxExclusiveAmount", of.net)}{
        money("TaxInclusiveAmount", of.payable)
    }{money("PayableAmount", of.payable)}</cac:LegalMonetaryTotal>
  <cac:{root}Line>
    <cbc:ID>1</cbc:ID><cbc:{quantity}Quantity unitCode="C62">1</cbc:{quantity}Quantity>{
        money("LineExtensionAmount", of.net)
    }
    <cac:Item><cbc:Name>备件 spare parts</cbc:Name><cac:ClassifiedTaxCategory>{
        scheme
    }</cac:ClassifiedTaxCategory></cac:Item>
    <cac:Price>{money("PriceAmount", of.net)}</cac:Price>
  </cac:{root}Line>
</{root}>
"""
    return text.encode()
