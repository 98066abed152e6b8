"""Rules of the receivables service that need no chain: dates, parties, costs, quotes and what follows from events."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlalchemy import insert

from frontend_api.chain.events import Block, ChainEvent
from frontend_api.chain.keys import LocalKeys
from frontend_api.chain.projection import Projection, undo_block
from frontend_api.db import Database
from frontend_api.errors import Forbidden, InvalidInput
from frontend_api.modules.members.repository import parties
from frontend_api.modules.receivables import repository
from frontend_api.modules.receivables.contract import FinancingDesk, Quote, ReceivableLedger
from frontend_api.modules.receivables.schemas import Draft, SignedQuote
from frontend_api.modules.receivables.service import (
    ReceivablesService,
    annualised_cost,
    claimable,
    quote_state,
)
from tests.evm import dev_account

FOLDER = Path(__file__).parents[2] / "fixtures" / "invoices"
INVOICE = (FOLDER / "lianyuan-steel-2026-0917.xml").read_bytes()
SUPPLIER, DEBTOR, OTHER = (dev_account(index).address for index in (5, 6, 7))
SUPPLIER_CODE, DEBTOR_CODE = "91431381MA5198083N", "91431382MA5277275H"
LEDGER = "0x" + "1e" * 20
YEAR, DAY = 365 * 86400, 86400


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
    return ReceivablesService(
        SimpleNamespace(
            settings=SimpleNamespace(fingerprint_key=None),
            deployment=SimpleNamespace(currencies={"CNY": {}, "EUR": {}}, chain_id=31337),
            database=database,
            receivable_ledger=ReceivableLedger(None, LEDGER),
        )
    )


# --- the annualised cost


@pytest.mark.parametrize(
    ("units", "proceeds", "seconds", "expected"),
    [
        (110, 100, YEAR, 1000),
        (110, 100, YEAR // 2, 2000),
        (30_000_000, 29_700_000, 90 * DAY, 410),  # 1.0101 % × 365 ÷ 90 = 4.0965 %
        (30_000_000, 29_550_000, 90 * DAY, 618),  # 1.5228 % × 365 ÷ 90 = 6.1760 %
        (100, 100, DAY, 0),
        (90, 100, YEAR, -1000),
        (200_001, 200_000, YEAR // 10, 1),  # 0.5 bp rounds up
        (200_001, 200_000, YEAR // 9, 0),
    ],
)
def test_annualised_cost__by_hand__rounded_half_up(units, proceeds, seconds, expected):
    assert annualised_cost(units, proceeds, seconds) == expected


@pytest.mark.parametrize("seconds", [0, -1])
def test_annualised_cost__no_time_left__none(seconds):
    assert annualised_cost(110, 100, seconds) is None


@given(st.integers(1, 2**128 - 1), st.integers(1, 2**128 - 2), st.integers(1, 10 * YEAR))
def test_annualised_cost__more_proceeds__never_dearer(units, proceeds, seconds):
    dearer, cheaper = annualised_cost(units, proceeds, seconds), annualised_cost(units, proceeds + 1, seconds)
    assert cheaper <= dearer


def test_draft__currency_without_token__refused(service):
    body = Draft(debtor=DEBTOR, currency="USD", face="1", due_at=1, invoice_hash="0x" + "11" * 32)
    with pytest.raises(InvalidInput, match="no settlement token for USD"):
        service.draft(body)


# --- quotes

QUOTE = Quote(7, 30_000_000, 29_700_000, SUPPLIER, dev_account(2).address, True, 1_800_000_000, 2**200)


def quote_row(**changed):
    values = {"receivable_id": 7, "seller": SUPPLIER, "units": "30", "proceeds": "29", "recourse": True}
    row = values | {"valid_until": 100, "nonce_state": None, "ended_at": None}
    return row | {f"filled_{name}": None for name in values} | changed


def filled(**changed):
    row = quote_row(nonce_state="used", ended_at=50)
    return row | {f"filled_{n}": row[n] for n in ("receivable_id", "seller", "units", "proceeds", "recourse")} | changed


@pytest.mark.parametrize(
    ("row", "now", "expected"),
    [
        (quote_row(), 100, "open"),
        (quote_row(), 101, "expired"),
        (quote_row(nonce_state="cancelled"), 1, "cancelled"),
        (quote_row(nonce_state="cancelled"), 101, "cancelled"),
        (filled(), 101, "filled"),
        (filled(filled_units="31"), 1, "nonce_used"),
        (filled(filled_seller=OTHER), 1, "nonce_used"),
        (filled(filled_recourse=False), 1, "nonce_used"),
    ],
)
def test_quote_state__nonce_and_time__say_what_became_of_it(row, now, expected):
    assert quote_state(row, now) == expected


def test_typed_data__any_quote__has_the_digest_that_the_contract_computes(city):
    desk = city.contract("FinancingDesk")
    chain_id = 31337
    message = encode_typed_data(full_message=FinancingDesk(None, desk.address).typed_data(QUOTE, chain_id))
    digest = keccak(b"\x19" + message.version + message.header + message.body)
    assert digest == desk.digestOf(QUOTE.fields())


def test_sign_typed_data__held_key__recovers_to_it():
    signer = dev_account(2)
    typed = FinancingDesk(None, LEDGER).typed_data(QUOTE, 31337)
    signature = LocalKeys({signer.address: signer}).sign_typed_data(signer.address, typed)
    assert Account.recover_message(encode_typed_data(full_message=typed), signature=signature) == signer.address


def test_sign_typed_data__other_account__refused():
    with pytest.raises(Forbidden, match="holds no key"):
        LocalKeys({}).sign_typed_data(SUPPLIER, {})


FIELDS = {
    "receivableId": 7,
    "units": "30",
    "proceeds": "29",
    "seller": SUPPLIER,
    "recourse": True,
    "validUntil": 1_800_000_000,
    "nonce": str(2**256 - 1),
}


@pytest.mark.parametrize(
    "body",
    [
        {"quote": FIELDS},
        {"quote": FIELDS, "sign": True, "signature": "0x" + "11" * 65},
        {"quote": FIELDS, "signature": "11" * 65},
        {"quote": FIELDS, "signature": "0x1"},
        {"quote": FIELDS | {"nonce": str(2**256)}, "sign": True},
        {"quote": FIELDS | {"nonce": -1}, "sign": True},
        {"quote": FIELDS | {"proceeds": "0"}, "sign": True},
        {"quote": FIELDS | {"units": 1.5}, "sign": True},
        {"quote": FIELDS | {"bank": OTHER}, "sign": True},
        {"quote": FIELDS | {"validUntil": 2**53}, "sign": True},
    ],
)
def test_signed_quote__malformed__refused(body):
    with pytest.raises(ValidationError):
        SignedQuote.model_validate(body)


def test_signed_quote__largest_nonce__kept_to_the_digit():
    assert SignedQuote.model_validate({"quote": FIELDS, "sign": True}).quote.nonce == 2**256 - 1


# --- tables


def apply(database, number, *happened):
    """Project events of one block: (contract, event, args)."""
    block = Block(number, f"0x{number:064x}", "0x", 1000 + number)

    def work(connection):
        projection = Projection(connection, block)
        for index, (contract, name, args) in enumerate(happened):
            repository.handlers.by_event[contract, name](
                projection, ChainEvent(contract, name, args, block, "0x", index)
            )

    database.write_now(work)


def drafted(number=1):
    args = {"id": number, "actor": SUPPLIER, "debtor": DEBTOR, "currency": b"CNY", "face": 100, "dueAt": 5000}
    return "ReceivableLedger", "ReceivableDrafted", args | {"invoiceHash": b"\x11" * 32}


def ledger(name, **args):
    return "ReceivableLedger", name, args


def moved(giver, taker, units):
    return ledger("TransferSingle", operator=giver, **{"from": giver, "to": taker}, id=1, value=units)


def holdings(database, number=1):
    rows = database.write_now(repository.holdings_of, number)
    return {row["holder"]: (row["units"], row["claimed"]) for row in rows}


NOBODY = "0x" + "00" * 20


def test_projection__whole_life__units_payments_and_claims(database):
    apply(database, 1, drafted())
    apply(database, 2, ledger("ReceivableConfirmed", id=1, actor=DEBTOR), moved(NOBODY, SUPPLIER, 100))
    apply(database, 3, moved(SUPPLIER, OTHER, 30), moved(OTHER, OTHER, 30))
    assert holdings(database) == {SUPPLIER: ("70", "0"), OTHER: ("30", "0")}
    apply(database, 4, ledger("ReceivablePaid", id=1, actor=DEBTOR, amount=51, paid=51))
    row = database.write_now(repository.find_receivable, 1)
    assert (row["state"], row["paid"], row["settled_at"]) == ("partly_paid", "51", None)
    assert claimable(row, {"units": "30", "claimed": "0"}) == 15  # 30 × 51 ÷ 100 = 15.3
    apply(database, 5, ledger("ReceivableClaimed", id=1, actor=OTHER, amount=15))
    apply(database, 6, ledger("ReceivablePaid", id=1, actor=DEBTOR, amount=49, paid=100))
    row = database.write_now(repository.find_receivable, 1)
    assert (row["state"], row["paid"], row["settled_at"]) == ("settled", "100", 1006)
    assert holdings(database)[OTHER] == ("30", "15")
    assert claimable(row, {"units": "30", "claimed": "15"}) == 15


def test_projection__batch_with_an_id_twice__both_counted(database):
    apply(database, 1, drafted(), moved(NOBODY, SUPPLIER, 100))
    batch = {"operator": SUPPLIER, "from": SUPPLIER, "to": OTHER, "ids": [1, 1], "values": [10, 5]}
    apply(database, 2, ledger("TransferBatch", **batch))
    assert holdings(database) == {SUPPLIER: ("85", "0"), OTHER: ("15", "0")}


def test_projection__all_sold__no_holder_any_more_until_the_block_is_undone(database):
    apply(database, 1, drafted(), moved(NOBODY, SUPPLIER, 100))
    apply(database, 2, moved(SUPPLIER, OTHER, 100))
    assert holdings(database) == {OTHER: ("100", "0")}
    assert database.write_now(repository.list_receivables, None, 10, holder=SUPPLIER) == []
    assert [r["id"] for r in database.write_now(repository.list_receivables, None, 10, holder=OTHER)] == [1]
    database.write_now(undo_block, 2)
    assert holdings(database) == {SUPPLIER: ("100", "0")}


@pytest.mark.parametrize(("name", "state"), [("ReceivableRejected", "rejected"), ("ReceivableWithdrawn", "withdrawn")])
def test_projection__dropped_draft__state_and_time(database, name, state):
    apply(database, 1, drafted())
    apply(database, 2, ledger(name, id=1, actor=DEBTOR))
    row = database.write_now(repository.find_receivable, 1)
    assert (row["state"], row[f"{state}_at"]) == (state, 1002)


def test_next_nonce__proposed_kept_or_seen_before__not_again(database):
    bank, other_bank = QUOTE.bank, OTHER
    assert [database.write_now(repository.next_nonce, bank) for _ in range(2)] == [1, 2]
    kept = Quote(*QUOTE.fields()[:-1], 3)
    assert database.write_now(repository.keep_quote, "0x" + "11" * 32, kept, "0x22", 1) is True
    assert database.write_now(repository.keep_quote, "0x" + "11" * 32, kept, "0x22", 1) is False
    apply(database, 1, ("FinancingDesk", "QuoteCancelled", {"nonce": 4, "actor": bank}))
    assert database.write_now(repository.next_nonce, bank) == 5
    assert database.write_now(repository.next_nonce, other_bank) == 1


def test_quotes__seen_by_bank_and_seller_only(database):
    apply(database, 1, drafted(7))
    database.write_now(repository.keep_quote, "0x" + "11" * 32, QUOTE, "0x22", 1)
    for party, count in ((QUOTE.bank, 1), (SUPPLIER, 1), (DEBTOR, 0), (OTHER, 0)):
        assert len(database.write_now(repository.list_quotes, 7, party, 10)) == count
        assert (database.write_now(repository.find_quote, "0x" + "11" * 32, party) is not None) is bool(count)


def test_quotes__filled_on_chain__the_row_says_by_what(database):
    apply(database, 1, drafted(7))
    database.write_now(repository.keep_quote, "0x" + "11" * 32, QUOTE, "0x22", 1)
    args = {"receivableId": 7, "actor": SUPPLIER, "bank": QUOTE.bank, "nonce": QUOTE.nonce}
    args |= {"units": QUOTE.units, "proceeds": QUOTE.proceeds, "recourse": True}
    apply(database, 2, ("FinancingDesk", "QuoteFilled", args))
    row = database.write_now(repository.find_quote, "0x" + "11" * 32, SUPPLIER)
    assert quote_state(row, 0) == "filled"
    assert row["ended_at"] == 1002
