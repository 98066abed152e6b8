"""Receivables whose invoice the arbiter has freed in the register: they live on, and end without touching who has the invoice now."""

from __future__ import annotations

import pytest

from tests.evm import Event, reverts
from tests.unit.receivables.conftest import FACE, INVOICE, number_of

NONE, DRAFT, REJECTED, WITHDRAWN, CONFIRMED, PARTLY_PAID, SETTLED, DISPUTED = range(8)
FREE, RESERVED, FINANCED, ENTERED = range(4)
ZERO = "0x" + "00" * 20
NUMBER = number_of(INVOICE)
BASIS = b"\xba" * 32
ENDS = {"reject": REJECTED, "withdraw": WITHDRAWN, "strike": WITHDRAWN}


@pytest.fixture
def annul(city, register):
    return lambda fingerprint=INVOICE: register.annul(fingerprint, BASIS, sender=city.founder)


@pytest.fixture
def annulled(city, ledger, register, draft, annul):
    """A draft, disputed or not, whose invoice was freed."""

    def made(disputed=False):
        id_ = draft()
        if disputed:
            ledger.dispute(id_, BASIS, sender=city.debtor)
        freed = {"fingerprint": INVOICE, "actor": city.founder, "holder": ledger.address, "basis": BASIS}
        assert annul().events == [Event("FinancingRegister", "FinancingAnnulled", freed)]
        assert tuple(register.entryOf(INVOICE)) == (FREE, ZERO, 0, 0, bytes(32))
        assert ledger.receivable(id_).state == (DISPUTED if disputed else DRAFT)
        return id_

    return made


@pytest.fixture
def end(city, ledger):
    """End a draft; answers the events."""

    def done(how, id_):
        if how == "strike":
            return ledger.strike(id_, BASIS, sender=city.court).events
        return getattr(ledger, how)(id_, sender=city.debtor if how == "reject" else city.supplier).events

    return done


def own_event(city, how, id_):
    """What the ledger itself says of the end."""
    if how == "reject":
        return Event("ReceivableLedger", "ReceivableRejected", {"id": id_, "actor": city.debtor})
    if how == "withdraw":
        return Event("ReceivableLedger", "ReceivableWithdrawn", {"id": id_, "actor": city.supplier})
    return Event("ReceivableLedger", "ReceivableStruck", {"id": id_, "actor": city.court, "basis": BASIS})


@pytest.mark.parametrize("disputed", [False, True])
@pytest.mark.parametrize("how", ENDS)
def test_draft__entry_annulled__ends_as_any_other(city, ledger, register, annulled, end, how, disputed):
    id_ = annulled(disputed)
    assert end(how, id_) == [own_event(city, how, id_)]
    assert ledger.receivable(id_).state == ENDS[how]
    assert register.entryOf(INVOICE).state == FREE


@pytest.mark.parametrize("disputed", [False, True])
def test_draft__entry_annulled__confirmed_and_paid_as_any_other(city, ledger, register, annulled, pay, disputed):
    id_ = annulled(disputed)
    receipt = ledger.confirm(id_, sender=city.debtor)
    minted = {"operator": city.debtor, "from": ZERO, "to": city.supplier, "id": id_, "value": FACE}
    assert receipt.events == [
        Event("ReceivableLedger", "ReceivableConfirmed", {"id": id_, "actor": city.debtor}),
        Event("ReceivableLedger", "TransferSingle", minted),
    ]
    pay(id_, FACE)
    assert ledger.claim(id_, sender=city.supplier).value == FACE
    assert register.entryOf(INVOICE).state == FREE


@pytest.mark.parametrize("how", ENDS)
def test_draft__annulled_and_drafted_again__the_first_ones_end_does_not_free_it(
    city, ledger, register, annulled, draft, end, how
):
    first = annulled()
    second = draft()
    assert end(how, first) == [own_event(city, how, first)]
    assert tuple(register.entryOf(INVOICE)) == (ENTERED, ledger.address, 0, second, NUMBER)
    with reverts("FinancingRegister_Taken", fingerprint=INVOICE, state=ENTERED, holder=ledger, caseId=second):
        draft()
    left = {"fingerprint": INVOICE, "actor": city.supplier, "application": ledger.address, "caseId": second}
    assert end("withdraw", second)[1:] == [Event("FinancingRegister", "FingerprintLeft", left)]


@pytest.mark.parametrize("financed", [False, True])
@pytest.mark.parametrize("how", ENDS)
def test_draft__annulled_and_taken_by_a_bank__its_end_does_not_free_it(
    city, register, annulled, consent, reserve, end, how, financed
):
    id_ = annulled()
    agreed = consent()
    reserve(agreed)
    if financed:
        register.finance(INVOICE, bytes(32), sender=city.bank)
    assert end(how, id_) == [own_event(city, how, id_)]
    state, until = (FINANCED, 0) if financed else (RESERVED, agreed.reservedUntil)
    assert tuple(register.entryOf(INVOICE)) == (state, city.bank, until, 0, NUMBER)


@pytest.mark.parametrize("how", ENDS)
def test_draft__annulled_and_a_copy_drafted__its_end_leaves_number_and_copy(
    city, ledger, register, annulled, draft, end, how
):
    first, copy = annulled(), b"\x5b" * 32
    second = draft(invoice=copy, number=NUMBER)
    end(how, first)
    assert register.takenBy(NUMBER) == copy
    assert register.entryOf(copy).caseId == second


def test_confirmed__entry_annulled__the_undertaking_stands(city, ledger, register, confirmed, annul, split, pay):
    """The arbiter speaks of who may be financed with the invoice, not of what the debtor undertook."""
    id_ = confirmed(face=100)
    annul()
    split(id_, city.bank, 40)
    ledger.dilute(id_, 10, b"\xc1" * 32, b"\xc2" * 32, sender=city.supplier)
    pay(id_, 90)
    assert [ledger.claim(id_, sender=who).value for who in (city.bank, city.supplier)] == [40, 50]
    assert register.entryOf(INVOICE).state == FREE


def test_withdrawn__annulling_afterwards__nothing_to_free(city, ledger, draft, annul):
    id_ = draft()
    ledger.withdraw(id_, sender=city.supplier)
    with reverts("FinancingRegister_WrongState", fingerprint=INVOICE, state=FREE):
        annul()
