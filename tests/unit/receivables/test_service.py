"""Rules of the receivables service that need no chain, and what follows from events. test_mirror.py compares with the chain."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from frontend_api.chain.events import Block, ChainEvent
from frontend_api.chain.projection import undo_block
from frontend_api.db import Database
from frontend_api.errors import InvalidInput
from frontend_api.modules.receivables import repository
from frontend_api.modules.receivables.contract import ReceivableLedger
from frontend_api.modules.receivables.repository import claimable
from frontend_api.modules.receivables.schemas import Draft
from frontend_api.modules.receivables.service import ReceivablesService
from tests.evm import dev_account
from tests.projecting import projecting

SUPPLIER, DEBTOR, OTHER = (dev_account(index).address for index in (5, 6, 7))
HASH = "0x" + "11" * 32
LEDGER = "0x" + "1e" * 20


@pytest.fixture
def database(tmp_path):
    made = Database(f"sqlite:///{tmp_path / 'service.db'}")
    made.create()
    yield made
    made.close()


@pytest.fixture
def service(database):
    """The service of a city without a chain."""
    return ReceivablesService(
        SimpleNamespace(
            deployment=SimpleNamespace(currencies={"CNY": {}, "EUR": {}}, chain_id=31337),
            database=database,
            receivable_ledger=ReceivableLedger(None, LEDGER),
        )
    )


def test_draft__currency_without_token__refused(service):
    body = Draft(debtor=DEBTOR, currency="USD", face="1", due_at=1, fingerprint=HASH, number_fingerprint=HASH)
    with pytest.raises(InvalidInput, match="no settlement token for USD"):
        service.draft(body)


# --- tables


def apply(database, number, *happened):
    """Project events of one block: (contract, event, args)."""
    block = Block(number, f"0x{number:064x}", "0x", 1000 + number)

    def work(connection):
        with projecting(connection, block) as projection:
            for index, (contract, name, args) in enumerate(happened):
                repository.handlers.by_event[contract, name](
                    projection, ChainEvent(contract, name, args, block, "0x", index)
                )

    database.write_now(work)


def drafted(number=1):
    args = {"id": number, "actor": SUPPLIER, "debtor": DEBTOR, "currency": b"CNY", "face": 100, "dueAt": 5000}
    return (
        "ReceivableLedger",
        "ReceivableDrafted",
        args | {"fingerprint": b"\x11" * 32, "numberFingerprint": b"\x12" * 32},
    )


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


def test_projection__disputed_then_confirmed__the_dispute_stays_known(database):
    apply(database, 1, drafted())
    apply(database, 2, ledger("ReceivableDisputed", id=1, actor=DEBTOR, basis=b"\x21" * 32))
    row = database.write_now(repository.find_receivable, 1)
    assert (row["state"], row["dispute"], row["disputed_at"]) == ("disputed", "0x" + "21" * 32, 1002)
    apply(database, 3, ledger("ReceivableConfirmed", id=1, actor=DEBTOR))
    row = database.write_now(repository.find_receivable, 1)
    assert (row["state"], row["dispute"], row["disputed_at"]) == ("confirmed", "0x" + "21" * 32, 1002)


def test_projection__struck__withdrawn_with_the_basis(database):
    apply(database, 1, drafted())
    apply(database, 2, ledger("ReceivableStruck", id=1, actor=OTHER, basis=b"\x22" * 32))
    row = database.write_now(repository.find_receivable, 1)
    assert (row["state"], row["struck"], row["withdrawn_at"]) == ("withdrawn", "0x" + "22" * 32, 1002)


def test_projection__written_off__only_later_payments_are_recovered(database):
    apply(database, 1, drafted(), moved(NOBODY, SUPPLIER, 60), moved(NOBODY, OTHER, 40))
    apply(database, 2, ledger("ReceivablePaid", id=1, actor=DEBTOR, amount=50, paid=50))
    # 20 of the 40 were paid and not claimed; the other 20 are written off.
    apply(database, 3, ledger("ReceivableWrittenOff", id=1, actor=OTHER, unpaid=20, basis=b"\x23" * 32))
    apply(database, 4, ledger("ReceivablePaid", id=1, actor=DEBTOR, amount=10, paid=60))
    apply(database, 5, ledger("ReceivableClaimed", id=1, actor=OTHER, amount=24))
    [other, supplier] = sorted(database.write_now(repository.holdings_of, 1), key=lambda row: int(row["units"]))
    assert (other["written_off"], other["written_off_at"], other["recovered"]) == ("20", 1003, "4")
    assert (supplier["written_off"], supplier["recovered"]) == (None, None)


@pytest.mark.parametrize(("name", "state"), [("ReceivableRejected", "rejected"), ("ReceivableWithdrawn", "withdrawn")])
def test_projection__dropped_draft__state_and_time(database, name, state):
    apply(database, 1, drafted())
    apply(database, 2, ledger(name, id=1, actor=DEBTOR))
    row = database.write_now(repository.find_receivable, 1)
    assert (row["state"], row[f"{state}_at"]) == (state, 1002)
