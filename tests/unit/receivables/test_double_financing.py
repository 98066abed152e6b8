"""The same invoice is not financed twice: every way in after every other way in, as the same invoice and as an altered copy.

Credit notes have a domain of their own: none takes an invoice, whatever fingerprints it is said to have.
"""

from __future__ import annotations

import pytest

from tests.city import CNY
from tests.evm import dev_account, reverts
from tests.unit.receivables.conftest import INVOICE, number_of, registered

FREE, RESERVED, FINANCED, ENTERED = range(4)
NUMBER = number_of(INVOICE)
COPY = b"\x5b" * 32
BASIS = b"\xba" * 32
APPLICATION = dev_account(17).address
WAYS = ["reserved", "financed", "entered", "drafted", "confirmed"]


@pytest.fixture
def take(city, ledger, register, draft, consent, reserve):
    """A way of speaking for an invoice, by one bank or the other; answers its entry's (state, holder, caseId)."""
    city.contract("Authority").grantRole(city.city.roles["FINANCING_APPLICATION"], APPLICATION, 0, sender=city.founder)
    nonces = iter(range(1000))

    def done(way, fingerprint=INVOICE, bank="bank"):
        bank = getattr(city, bank)
        if way in ("reserved", "financed"):
            reserve(consent(fingerprint=fingerprint, numberFingerprint=NUMBER, bank=bank, nonce=next(nonces)))
            if way == "reserved":
                return RESERVED, bank, 0
            register.finance(fingerprint, bytes(32), sender=bank)
            return FINANCED, bank, 0
        if way == "entered":
            register.enter(fingerprint, NUMBER, 3, city.supplier, sender=APPLICATION)
            return ENTERED, APPLICATION, 3
        id_ = draft(invoice=fingerprint, number=NUMBER)
        if way == "confirmed":
            ledger.confirm(id_, sender=city.debtor)
        return ENTERED, ledger.address, id_

    return done


@pytest.mark.parametrize("second", WAYS)
@pytest.mark.parametrize("first", WAYS)
def test_take__the_same_invoice_twice__refused_in_every_combination(city, register, take, first, second):
    state, holder, case = take(first)
    with reverts("FinancingRegister_Taken", fingerprint=INVOICE, state=state, holder=holder, caseId=case):
        take(second, bank="bank2")
    entry = register.entryOf(INVOICE)
    assert (entry.state, entry.holder, entry.caseId) == (state, holder, case)


@pytest.mark.parametrize("second", WAYS)
@pytest.mark.parametrize("first", WAYS)
def test_take__an_altered_copy__refused_until_the_arbiter_clears_it(city, register, take, first, second):
    take(first)
    with reverts("FinancingRegister_NumberTaken", fingerprint=COPY, numberFingerprint=NUMBER, by=INVOICE):
        take(second, COPY, bank="bank2")
    assert register.entryOf(COPY).state == FREE

    register.clear(COPY, NUMBER, BASIS, sender=city.founder)
    state, holder, case = take(second, COPY, bank="bank2")
    entry = register.entryOf(COPY)
    assert (entry.state, entry.holder, entry.caseId) == (state, holder, case)


@pytest.mark.parametrize("second", ["reserved", "entered", "drafted"])
@pytest.mark.parametrize("end", ["release", "annul", "lapse", "annul financed"])
def test_take__after_the_first_ended__free_for_the_other_bank(city, register, take, end, second):
    take("financed" if end == "annul financed" else "reserved")
    if end == "release":
        register.release(INVOICE, sender=city.bank)
    elif end == "lapse":
        city.chain.mine(7 * 86400 + 1)
    else:
        register.annul(INVOICE, BASIS, sender=city.founder)
    for fingerprint in (INVOICE, COPY):
        with city.chain.isolated():
            state, holder, _ = take(second, fingerprint, bank="bank2")
            assert (register.entryOf(fingerprint).state, register.entryOf(fingerprint).holder) == (state, holder)


# --- credit notes


@pytest.fixture
def burn(city, ledger, confirmed):
    """Use somebody's invoice as if it were a credit note on an invoice of one's own; answers one's receivable."""

    def done(fingerprint=INVOICE, number=NUMBER, invoice=b"\x71" * 32):
        id_ = confirmed(invoice=invoice)
        ledger.dilute(id_, 1, fingerprint, number, sender=city.supplier)
        return id_

    return done


@pytest.mark.parametrize("way", WAYS)
def test_credit_note__with_an_invoices_fingerprints__the_invoice_is_taken_all_the_same(
    city, ledger, register, take, burn, way
):
    id_ = burn()
    assert (register.entryOf(INVOICE).state, register.takenBy(NUMBER)) == (FREE, bytes(32))
    state, holder, case = take(way)
    entry = register.entryOf(INVOICE)
    assert (entry.state, entry.holder, entry.caseId, register.takenBy(NUMBER)) == (state, holder, case, INVOICE)
    used = register.entryOf(registered(INVOICE))
    assert tuple(used) == (ENTERED, ledger.address, 0, id_, registered(NUMBER))
    assert register.takenBy(registered(NUMBER)) == registered(INVOICE)


@pytest.mark.parametrize("way", WAYS)
def test_credit_note__with_the_fingerprints_of_a_taken_invoice__used_and_the_invoice_stays(
    city, ledger, register, take, burn, way
):
    take(way)
    before = tuple(register.entryOf(INVOICE))
    id_ = burn()
    assert (tuple(register.entryOf(INVOICE)), register.takenBy(NUMBER)) == (before, INVOICE)
    assert tuple(register.entryOf(registered(INVOICE))) == (ENTERED, ledger.address, 0, id_, registered(NUMBER))


def test_credit_note__with_the_number_of_its_invoice__used(city, ledger, register, confirmed):
    """Many issuers number invoices and credit notes in one row, and some repeat the invoice's number."""
    id_ = confirmed()
    ledger.dilute(id_, 1, COPY, NUMBER, sender=city.supplier)
    assert register.takenBy(NUMBER) == INVOICE
    assert register.takenBy(registered(NUMBER)) == registered(COPY)
    # Nor does it lift the refusal of the invoice's altered copy.
    assert register.entryOf(COPY).state == FREE
    with reverts("FinancingRegister_NumberTaken", fingerprint=COPY, numberFingerprint=NUMBER, by=INVOICE):
        ledger.draft(city.debtor, CNY, 1, city.chain.time + 1, COPY, NUMBER, sender=city.supplier)


def test_credit_note__of_one_receivable_then_of_another__once(city, ledger, burn, confirmed):
    first = burn()
    second = confirmed(invoice=b"\x72" * 32)
    taken = {"fingerprint": registered(INVOICE), "state": ENTERED, "holder": ledger, "caseId": first}
    for id_ in (first, second):
        with reverts("FinancingRegister_Taken", **taken):
            ledger.dilute(id_, 1, INVOICE, NUMBER, sender=city.supplier)


def test_take__debtor_confirms_an_invoice_that_a_bank_financed__cannot_come_that_far(city, take, draft):
    take("financed")
    with reverts("FinancingRegister_Taken", fingerprint=INVOICE, state=FINANCED, holder=city.bank, caseId=0):
        draft()
