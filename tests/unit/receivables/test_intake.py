"""From invoices to drafts without a chain: parties, dates, single files, many files and CSV."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import insert

from frontend_api.db import Database
from frontend_api.errors import InvalidInput, Unavailable
from frontend_api.modules.members.repository import parties
from frontend_api.modules.receivables.contract import ReceivableLedger
from frontend_api.modules.receivables.drafts import LONGEST_TERM, credit_code_of, end_of, parse_date, refusal
from frontend_api.modules.receivables.intake import IntakeService, InvoiceFile, Wanted
from tests.evm import dev_account

FOLDER = Path(__file__).parents[2] / "fixtures" / "invoices"
INVOICE = (FOLDER / "lianyuan-steel-2026-0917.xml").read_bytes()
SUPPLIER, DEBTOR, OTHER = (dev_account(index).address for index in (5, 6, 7))
SUPPLIER_CODE, DEBTOR_CODE = "91431381MA5198083N", "91431382MA5277275H"
LEDGER = "0x" + "1e" * 20


@pytest.fixture
def database(tmp_path):
    made = Database(f"sqlite:///{tmp_path / 'service.db'}")
    made.create()
    yield made
    made.close()


@pytest.fixture
def service(database):
    """The service of a city where supplier and debtor are members, without a chain."""
    rows = [
        {"account": account, "kind": 5, "credit_code": code, "status": "active", "enrolled_at": 1, "changed_block": 1}
        for account, code in ((SUPPLIER, SUPPLIER_CODE), (DEBTOR, DEBTOR_CODE))
    ]
    database.write_now(lambda connection: connection.execute(insert(parties), rows))
    return IntakeService(
        SimpleNamespace(
            settings=SimpleNamespace(fingerprint_key=None),
            deployment=SimpleNamespace(currencies={"CNY": {}, "EUR": {}}, chain_id=31337),
            database=database,
            indexer=SimpleNamespace(head=SimpleNamespace(time=1_790_000_000), caught_up=True),  # 2026-09-21
            receivable_ledger=ReceivableLedger(None, LEDGER),
        )
    )


def from_invoice(service, content=INVOICE, supplier=SUPPLIER, debtor=None, due_date=None, name="invoice.xml"):
    return service.draft_from_invoice(supplier, InvoiceFile(name, content), Wanted(debtor, due_date))


# --- parties and dates


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (DEBTOR_CODE, DEBTOR_CODE),
        ("91431382 ma5277275h", DEBTOR_CODE),
        ("CN91431382MA5277275H", DEBTOR_CODE),
        ("0201:91431382MA5277275H", DEBTOR_CODE),
        ("91431382MA5277275J", None),  # another check character
        ("CN91431382MA5277275", None),
        ("DE91431382MA5277275H", None),
        ("涟源钢铁", None),
        ("", None),
    ],
)
def test_credit_code_of__party_keys__only_whole_codes(key, expected):
    assert credit_code_of(key) == expected


def test_end_of__a_day__midnight_after_it_in_utc():
    assert end_of("2026-12-16") == 1_797_465_600  # 2026-12-17 00:00:00 UTC


def test_end_of__last_day_of_the_calendar__does_not_overflow():
    assert end_of("9999-12-31") > end_of("9999-12-30")


@pytest.mark.parametrize("text", ["20261216", "2026-12-32", "2026-W51-3", "16.12.2026", "", "２026-12-16"])
def test_parse_date__not_a_date__refused(text):
    with pytest.raises(InvalidInput):
        parse_date(text)


def test_refusal__names_file_field_and_rule():
    problem = refusal("a.xml", "wrong sum: cbc:PayableAmount is 1").problem()
    rule = "wrong sum: cbc:PayableAmount is 1"
    assert problem["status"] == 422
    assert problem["errors"] == [{"file": "a.xml", "field": "cbc:PayableAmount", "rule": rule}]
    assert refusal("a.xml", "the file is empty").problem()["errors"][0]["field"] == "file"


# --- drafts from invoices


async def test_draft_from_invoice__both_members__the_buyer_is_the_debtor(service):
    call = await from_invoice(service)

    assert (call.to, call.function) == (LEDGER, "draft")
    assert call.args["debtor"] == DEBTOR
    assert call.args["face"] == 48_600_000
    assert call.args["currency"] == b"CNY"
    assert call.args["dueAt"] == end_of("2026-12-16")


@pytest.mark.parametrize(
    ("old", "new", "field", "words"),
    [
        (b"486000.00", b"468000.00", "cbc:PayableAmount", "wrong sum"),
        (b'currencyID="CNY"', b'currencyID="EUR"', "cbc:PayableAmount", "in EUR, the document in CNY"),
        (b"CNY", b"USD", "file", "no settlement token for USD"),
        (b">380<", b">381<", "file", "credit note"),
        (b"  <cbc:DueDate>2026-12-16</cbc:DueDate>", b"", "cbc:DueDate", "is missing"),
        (SUPPLIER_CODE.encode(), b"91431302MA49605155", None, None),
        (DEBTOR_CODE.encode(), b"0088", "cac:AccountingCustomerParty", "give `debtor`"),
    ],
)
async def test_draft_from_invoice__not_good__refused_with_file_field_and_rule(service, old, new, field, words):
    assert old in INVOICE
    if field is None:  # a seller that is no member says nothing about who drafts
        await from_invoice(service, INVOICE.replace(old, new))
        return
    with pytest.raises(InvalidInput) as refused:
        await from_invoice(service, INVOICE.replace(old, new))
    [error] = refused.value.problem()["errors"]
    assert error["file"] == "invoice.xml"
    assert error["field"] == field
    assert words in error["rule"]


async def test_draft_from_invoice__another_member_s_invoice__refused(service):
    with pytest.raises(InvalidInput, match=f"is the member {SUPPLIER}, not {OTHER}"):
        await from_invoice(service, supplier=OTHER)


async def test_draft_from_invoice__buyer_is_no_member__the_given_debtor(service):
    call = await from_invoice(service, INVOICE.replace(DEBTOR_CODE.encode(), b"DE123"), debtor=OTHER)
    assert call.args["debtor"] == OTHER


async def test_draft_from_invoice__another_debtor_than_the_invoice_s__refused(service):
    with pytest.raises(InvalidInput) as refused:
        await from_invoice(service, debtor=OTHER)
    assert refused.value.problem()["errors"][0]["field"] == "debtor"


async def test_draft_from_invoice__due_date_given__only_where_the_invoice_has_none(service):
    without = INVOICE.replace(b"<cbc:DueDate>2026-12-16</cbc:DueDate>", b"")
    call = await from_invoice(service, without, due_date="2026-11-30")
    assert call.args["dueAt"] == end_of("2026-11-30")
    for content, given_date in ((INVOICE, "2026-11-30"), (without, "2026-09-16"), (without, "soon")):
        with pytest.raises(InvalidInput) as refused:
            await from_invoice(service, content, due_date=given_date)
        assert refused.value.problem()["errors"][0]["field"] == "dueDate"


async def test_check__several_files__one_judgement_each_and_the_key_is_named(service):
    found = await service.check([InvoiceFile("a", INVOICE), InvoiceFile("b", b"<x/>"), InvoiceFile("c", b"")])
    assert [(item.file, item.outcome) for item in found.items] == [
        ("a", "receivable"),
        ("b", "refused"),
        ("c", "refused"),
    ]
    assert found.demonstration_key is True


async def test_draft__tables_not_caught_up_yet__503_and_nobody_is_taken_for_a_stranger(service):
    service._city.indexer.caught_up = False
    with pytest.raises(Unavailable):
        await from_invoice(service)


def test_longest_term__is_the_contract_s():
    source = (Path(__file__).parents[3] / "contracts" / "receivables" / "ReceivableLedger.sol").read_text()
    [years] = re.findall(r"MAX_TERM = (\d+) \* 365 days;", source)
    assert int(years) * 365 * 86400 == LONGEST_TERM
