"""Which credit note may be used on which receivable: parties, currency, and the invoice that it names."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import insert

from frontend_api.db import Database
from frontend_api.errors import InvalidInput, NotFound
from frontend_api.modules.members.repository import parties
from frontend_api.modules.receivables.contract import ReceivableLedger
from frontend_api.modules.receivables.credit_notes import billed_numbers
from frontend_api.modules.receivables.intake import InvoiceFile
from frontend_api.modules.receivables.invoices import judge
from frontend_api.modules.receivables.maturity import MaturityService
from frontend_api.modules.receivables.service import ReceivablesService
from tests.evm import dev_account
from tests.unit.receivables.test_service import apply, drafted

FOLDER = Path(__file__).parents[2] / "fixtures" / "invoices"
INVOICE = (FOLDER / "lianyuan-steel-2026-0917.xml").read_bytes()
NOTE = (FOLDER / "lianyuan-steel-credit-note-0003.xml").read_bytes()
NEGATIVE = (FOLDER / "lianyuan-steel-negative-invoice.xml").read_bytes()
SUPPLIER_CODE, DEBTOR_CODE = b"91431381MA5198083N", b"91431382MA5277275H"
NUMBER = judge(INVOICE).number
REFERENCE = (
    "<cac:BillingReference><cac:InvoiceDocumentReference><cbc:ID>{}</cbc:ID>"
    "</cac:InvoiceDocumentReference></cac:BillingReference><cac:AccountingSupplierParty>"
)


def naming(*numbers, note=NOTE):
    for number in numbers:
        note = note.replace(b"<cac:AccountingSupplierParty>", REFERENCE.format(number).encode(), 1)
    return note


@pytest.fixture
def service(tmp_path):
    """Receivable 1 is of INVOICE, in a city where supplier and debtor are members."""
    database = Database(f"sqlite:///{tmp_path / 'service.db'}")
    database.create()
    rows = [
        {"account": dev_account(i).address, "kind": 5, "credit_code": code, "status": "active", "enrolled_at": 1}
        for i, code in ((5, SUPPLIER_CODE.decode()), (6, DEBTOR_CODE.decode()), (7, "91431300MA49605155"))
    ]
    database.write_now(lambda c: c.execute(insert(parties), [row | {"changed_block": 1} for row in rows]))
    contract, name, args = drafted()
    prints = {"fingerprint": judge(INVOICE).fingerprint, "numberFingerprint": judge(INVOICE).number_fingerprint}
    apply(database, 1, (contract, name, args | prints))
    city = SimpleNamespace(
        settings=SimpleNamespace(fingerprint_key=None),
        deployment=SimpleNamespace(currencies={"CNY": {}, "EUR": {}}),
        database=database,
        receivable_ledger=ReceivableLedger(None, "0x" + "1e" * 20),
    )
    city.receivables = ReceivablesService(city)
    yield MaturityService(city)
    database.close()


def use(service, content, receivable_id=1):
    return service.dilute_from(receivable_id, InvoiceFile("note.xml", content))


@pytest.mark.parametrize(
    "content",
    [
        NOTE,
        naming(NUMBER),
        naming(f"  {NUMBER.lower()} "),  # letters and digits count
        naming("ANOTHER-1", NUMBER),
        naming(NUMBER, note=NOTE.replace(DEBTOR_CODE, b"0088")),  # the number shows whose it is
    ],
)
async def test_dilute_from__a_credit_note_of_this_receivable__its_amount_and_fingerprints(service, content):
    call = await use(service, content)
    found = judge(content)
    assert (call.function, call.args["id"], call.args["amount"]) == ("dilute", 1, 971_800)
    assert (call.args["creditNote"], call.args["creditNoteNumber"]) == (found.fingerprint, found.number_fingerprint)


async def test_dilute_from__negative_invoice__its_amount_without_the_sign(service):
    assert judge(NEGATIVE).payable < 0
    assert (await use(service, NEGATIVE)).args["amount"] == -judge(NEGATIVE).payable


@pytest.mark.parametrize(
    ("content", "field", "words"),
    [
        (INVOICE, "file", "an invoice that claims payment"),
        (b"<x/>", "file", "neither a UBL"),
        (NOTE.replace(b"CNY", b"EUR"), "cbc:DocumentCurrencyCode", "in EUR, the receivable in CNY"),
        (naming("ANOTHER-1"), "cac:BillingReference", "names the invoice ANOTHER-1"),
        (naming(NUMBER, note=NOTE.replace(SUPPLIER_CODE, b"0088")), "cac:BillingReference", "is not the receivable's"),
        (NOTE.replace(SUPPLIER_CODE, b"91431300MA49605155"), "cac:AccountingSupplierParty", "is the member"),
        (
            naming(NUMBER, note=NOTE.replace(DEBTOR_CODE, b"91431300MA49605155")),
            "cac:AccountingCustomerParty",
            "member",
        ),
        (NOTE.replace(SUPPLIER_CODE, b"0088"), "cac:AccountingSupplierParty", "no member's credit code"),
        (NOTE.replace(DEBTOR_CODE, b"0088"), "cac:AccountingCustomerParty", "no member's credit code"),
    ],
)
async def test_dilute_from__anything_else__refused_with_file_field_and_rule(service, content, field, words):
    with pytest.raises(InvalidInput) as refused:
        await use(service, content)
    [error] = refused.value.problem()["errors"]
    assert (error["file"], error["field"]) == ("note.xml", field)
    assert words in error["rule"]


async def test_dilute_from__unknown_receivable__404(service):
    with pytest.raises(NotFound):
        await use(service, NOTE, 2)


def test_billed_numbers__none_one_many():
    assert billed_numbers(NOTE) == []
    assert billed_numbers(naming("A", " B  1 ", "")) == ["A", "B 1"]
