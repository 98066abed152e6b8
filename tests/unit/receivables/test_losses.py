"""ReceivableLedger: credit notes, default, writing off and giving back."""

from __future__ import annotations

import pytest

from tests.city import CNY
from tests.evm import Event, dev_account, reverts
from tests.unit.receivables.conftest import INVOICE, registered

NONE, DRAFT, REJECTED, WITHDRAWN, CONFIRMED, PARTLY_PAID, SETTLED, DISPUTED = range(8)
ZERO = "0x" + "00" * 20
FACE = 48_600_000
TENOR = 90 * 86400
GRACE = 30 * 86400
MAX = 2**128 - 1
NOTE, NOTE_NUMBER = b"\xc1" * 32, b"\xc2" * 32
BASIS = b"\xba" * 32
ENTERED = 3
DESK = dev_account(17).address


@pytest.fixture
def dilute(city, ledger):
    def done(id_, amount, note=NOTE, number=NOTE_NUMBER, sender=None):
        return ledger.dilute(id_, amount, note, number, sender=sender or city.supplier)

    return done


@pytest.fixture
def in_state(city, ledger, draft, pay):
    def done(state, **kwargs):
        if state == NONE:
            return 999
        id_ = draft(**kwargs)
        if state == REJECTED:
            ledger.reject(id_, sender=city.debtor)
        elif state == WITHDRAWN:
            ledger.withdraw(id_, sender=city.supplier)
        elif state == DISPUTED:
            ledger.dispute(id_, BASIS, sender=city.debtor)
        elif state >= CONFIRMED:
            ledger.confirm(id_, sender=city.debtor)
            if state != CONFIRMED:
                pay(id_, 1 if state == PARTLY_PAID else ledger.receivable(id_).face)
        assert ledger.receivable(id_).state == state
        return id_

    return done


@pytest.fixture
def defaulted(city, ledger, confirmed, split):
    """A receivable of 100 minor units past its grace period, split as said; nothing paid yet."""

    def done(face=100, **units):
        id_ = confirmed(face=face)
        for holder, part in units.items():
            split(id_, getattr(city, holder), part)
        city.chain.mine(TENOR + GRACE)
        assert ledger.isDefaulted(id_)
        return id_

    return done


@pytest.fixture
def give_back(city, ledger):
    city.contract("Authority").grantRole(city.city.roles["RECEIVABLE_DESK"], DESK, 0, sender=city.founder)

    def done(id_, units, giver=None, taker=None):
        giver, taker = giver or city.bank, taker or city.supplier
        return ledger.giveBack(id_, giver, taker, units, city.court, sender=DESK)

    return done


# --- dilute


def test_dilute__part_of_what_the_supplier_holds__debt_and_units_shrink(city, ledger, register, confirmed, dilute):
    id_ = confirmed()

    receipt = dilute(id_, 600_000)

    diluted = {"id": id_, "actor": city.supplier, "amount": 600_000, "face": FACE - 600_000, "creditNote": NOTE}
    burnt = {"operator": city.supplier, "from": city.supplier, "to": ZERO, "id": id_, "value": 600_000}
    entered = {
        "fingerprint": registered(NOTE),
        "actor": city.supplier,
        "application": ledger.address,
        "caseId": id_,
        "numberFingerprint": registered(NOTE_NUMBER),
    }
    assert receipt.events == [
        Event("ReceivableLedger", "ReceivableDiluted", diluted),
        Event("ReceivableLedger", "TransferSingle", burnt),
        Event("FinancingRegister", "FingerprintEntered", entered),
    ]
    found = ledger.receivable(id_)
    assert (found.face, found.paid, found.state) == (FACE - 600_000, 0, CONFIRMED)
    assert ledger.balanceOf(city.supplier, id_) == FACE - 600_000
    assert tuple(register.entryOf(registered(NOTE))) == (ENTERED, ledger.address, 0, id_, registered(NOTE_NUMBER))
    assert tuple(register.entryOf(NOTE)) == (0, ZERO, 0, 0, bytes(32))


def test_dilute__everything__settled_with_nothing_to_pay_or_claim(city, ledger, register, confirmed, dilute, split):
    id_ = confirmed()
    dilute(id_, FACE)
    found = ledger.receivable(id_)
    assert (found.face, found.state) == (0, SETTLED)
    assert ledger.balanceOf(city.supplier, id_) == ledger.claimable(id_, city.supplier) == 0
    assert not ledger.isOpen(id_)
    with reverts("ReceivableLedger_WrongState", id=id_, state=SETTLED):
        ledger.pay(id_, 1, sender=city.debtor)
    with reverts("ReceivableLedger_NothingToClaim", id=id_, holder=city.supplier):
        ledger.claim(id_, sender=city.supplier)
    with reverts("ReceivableLedger_WrongState", id=id_, state=SETTLED):
        split(id_, city.bank, 1)
    with reverts("ReceivableLedger_WrongState", id=id_, state=SETTLED):
        dilute(id_, 1, b"\1" * 32, b"\2" * 32)
    city.chain.mine(TENOR + GRACE)
    assert not ledger.isDefaulted(id_)
    # The invoice was dealt with: it does not come back.
    assert register.entryOf(INVOICE).state == ENTERED


def test_dilute__after_units_were_passed_on__only_what_is_still_held(city, ledger, confirmed, split, dilute, pay):
    id_ = confirmed(face=100)
    split(id_, city.bank, 70)
    with reverts("ReceivableLedger_InsufficientUnits", id=id_, holder=city.supplier, held=30, requested=31):
        dilute(id_, 31)
    dilute(id_, 30)
    assert (ledger.receivable(id_).face, ledger.receivable(id_).state) == (70, CONFIRMED)
    assert ledger.balanceOf(city.bank, id_) == 70
    with reverts("ReceivableLedger_InsufficientUnits", id=id_, holder=city.supplier, held=0, requested=1):
        dilute(id_, 1, b"\1" * 32, b"\2" * 32)
    pay(id_, 70)
    assert ledger.claim(id_, sender=city.bank).value == 70
    assert city.contract("Escrow").held(ledger, id_, city.token) == 0


def test_dilute__other_holders_part_of_a_payment__grows_with_it(city, ledger, confirmed, split, dilute, pay):
    id_ = confirmed(face=100)
    split(id_, city.bank, 50)
    dilute(id_, 40)
    pay(id_, 30)  # of 60: half of what either holds
    assert (ledger.claimable(id_, city.bank), ledger.claimable(id_, city.supplier)) == (25, 5)


@pytest.mark.parametrize("state", [NONE, DRAFT, DISPUTED, REJECTED, WITHDRAWN, PARTLY_PAID, SETTLED])
def test_dilute__not_confirmed_or_payment_has_begun__refused(in_state, dilute, state):
    id_ = in_state(state)
    with reverts("ReceivableLedger_WrongState", id=id_, state=state):
        dilute(id_, 1)


def test_dilute__after_the_due_date_and_the_default__still_possible(ledger, defaulted, dilute):
    id_ = defaulted()
    dilute(id_, 1)
    assert ledger.receivable(id_).face == 99


@pytest.mark.parametrize("amount", [FACE + 1, MAX])
def test_dilute__more_than_there_is__refused(city, confirmed, dilute, amount):
    id_ = confirmed()
    with reverts("ReceivableLedger_InsufficientUnits", id=id_, holder=city.supplier, held=FACE, requested=amount):
        dilute(id_, amount)


def test_dilute__zero__refused(confirmed, dilute):
    id_ = confirmed()
    with reverts("ReceivableLedger_ZeroAmount", id=id_):
        dilute(id_, 0)


def test_dilute__by_another_company_that_holds_units__refused(city, confirmed, split, dilute):
    id_ = confirmed()
    split(id_, city.debtor, 5)
    with reverts("ReceivableLedger_NotSupplier", id=id_, actor=city.debtor):
        dilute(id_, 1, sender=city.debtor)
    with reverts("AccessManagedUnauthorized", caller=city.bank):
        dilute(id_, 1, sender=city.bank)


def test_dilute__suspended_supplier__refused(city, confirmed, dilute, suspend):
    id_ = confirmed()
    suspend(city.supplier)
    with reverts("Members_Suspended", account=city.supplier):
        dilute(id_, 1)


def test_dilute__same_credit_note_twice__refused_on_any_receivable(ledger, confirmed, dilute):
    first, second = confirmed(), confirmed(invoice=b"\1" * 32)
    dilute(first, 5)
    for id_ in (first, second):
        taken = {"fingerprint": registered(NOTE), "state": ENTERED, "holder": ledger, "caseId": first}
        with reverts("FinancingRegister_Taken", **taken):
            dilute(id_, 5)
    assert ledger.receivable(first).face == FACE - 5
    assert ledger.receivable(second).face == FACE


def test_dilute__altered_copy_of_a_credit_note__refused_until_cleared(city, ledger, register, confirmed, dilute):
    id_ = confirmed()
    dilute(id_, 5)
    copy = b"\xc9" * 32
    refused = {"fingerprint": registered(copy), "numberFingerprint": registered(NOTE_NUMBER), "by": registered(NOTE)}
    with reverts("FinancingRegister_NumberTaken", **refused):
        dilute(id_, 6, copy)
    # The arbiter speaks of the credit note as the register knows it.
    with reverts("FinancingRegister_NumberFree", numberFingerprint=NOTE_NUMBER):
        register.clear(copy, NOTE_NUMBER, BASIS, sender=city.founder)
    register.clear(registered(copy), registered(NOTE_NUMBER), BASIS, sender=city.founder)
    dilute(id_, 6, copy)
    assert ledger.receivable(id_).face == FACE - 11


def test_dilute__fingerprint_or_number_of_zero__refused(confirmed, dilute):
    id_ = confirmed()
    for note, number in ((bytes(32), NOTE_NUMBER), (NOTE, bytes(32)), (bytes(32), bytes(32))):
        with reverts("FinancingRegister_EmptyFingerprint"):
            dilute(id_, 5, note, number)


def test_dilute__fingerprint_that_means_ambiguous_for_invoices__one_like_any_other(register, confirmed, dilute):
    id_ = confirmed()
    dilute(id_, 5, register.AMBIGUOUS(), NOTE_NUMBER)
    assert register.entryOf(registered(register.AMBIGUOUS())).state == ENTERED


def test_dilute__credit_note_whose_entry_was_annulled__may_be_used_where_it_belongs(
    city, ledger, register, confirmed, dilute
):
    wrong, right = confirmed(), confirmed(invoice=b"\1" * 32)
    dilute(wrong, 5)
    register.annul(registered(NOTE), BASIS, sender=city.founder)
    dilute(right, 5)
    assert register.entryOf(registered(NOTE)).caseId == right
    assert [ledger.receivable(id_).face for id_ in (wrong, right)] == [FACE - 5, FACE - 5]


def test_dilute__twice_with_one_receivables_end__the_credit_notes_stay_used(city, ledger, register, confirmed, dilute):
    """Nothing that happens to the receivable later gives a credit note back."""
    id_ = confirmed()
    dilute(id_, FACE - 1)
    dilute(id_, 1, b"\1" * 32, b"\2" * 32)
    assert ledger.receivable(id_).state == SETTLED
    assert [register.entryOf(registered(note)).state for note in (NOTE, b"\1" * 32)] == [ENTERED] * 2


# --- default


def test_default__to_the_second__overdue_first(city, ledger, confirmed):
    id_ = confirmed()
    due = ledger.receivable(id_).dueAt
    assert ledger.gracePeriod() == GRACE
    city.chain.mine(TENOR + GRACE - 1)
    assert not ledger.isDefaulted(id_)
    with reverts("ReceivableLedger_NotDefaulted", id=id_, defaultsAt=due + GRACE, chainTime=due + GRACE - 1):
        ledger.writeOff(id_, BASIS, sender=city.supplier)
    city.chain.mine(1)
    assert ledger.isDefaulted(id_)
    ledger.writeOff(id_, BASIS, sender=city.supplier)


def test_default__longest_term__no_overflow(city, ledger, confirmed):
    term = 50 * 365 * 86400
    id_ = confirmed(due_in=term)
    city.chain.mine(term + GRACE - 1)
    assert not ledger.isDefaulted(id_)
    city.chain.mine(1)
    assert ledger.isDefaulted(id_)


@pytest.mark.parametrize("state", [NONE, DRAFT, DISPUTED, REJECTED, WITHDRAWN, CONFIRMED, PARTLY_PAID, SETTLED])
def test_default__by_state__only_what_is_owed(city, ledger, in_state, give_back, state):
    id_ = in_state(state)
    city.chain.mine(TENOR + GRACE)
    owed = state in (CONFIRMED, PARTLY_PAID)
    assert ledger.isDefaulted(id_) is owed
    if owed:
        ledger.writeOff(id_, BASIS, sender=city.supplier)
        return
    with reverts("ReceivableLedger_WrongState", id=id_, state=state):
        ledger.writeOff(id_, BASIS, sender=city.supplier)
    with reverts("ReceivableLedger_WrongState", id=id_, state=state):
        give_back(id_, 1)


# --- write off


def test_write_off__by_a_holder__recorded_and_nothing_else_changes(city, ledger, defaulted, pay):
    id_ = defaulted(bank=33)
    pay(id_, 10)

    receipt = ledger.writeOff(id_, BASIS, sender=city.bank)

    written = {"id": id_, "actor": city.bank, "unpaid": 30, "basis": BASIS}  # 33 - floor(3.3)
    assert receipt.events == [Event("ReceivableLedger", "ReceivableWrittenOff", written)]
    assert (ledger.isWrittenOff(id_, city.bank), ledger.isWrittenOff(id_, city.supplier)) == (True, False)
    assert ledger.balanceOf(city.bank, id_) == 33
    assert ledger.receivable(id_).state == PARTLY_PAID


def test_write_off__then_recoveries__paid_and_claimed_to_the_last_unit(city, ledger, defaulted, pay):
    id_ = defaulted(bank=33)
    ledger.writeOff(id_, BASIS, sender=city.bank)
    pay(id_, 50)
    assert ledger.claim(id_, sender=city.bank).value == 16
    pay(id_, 50)
    assert ledger.receivable(id_).state == SETTLED
    assert ledger.claim(id_, sender=city.bank).value == 17
    assert ledger.claim(id_, sender=city.supplier).value == 67
    assert city.contract("Escrow").held(ledger, id_, city.token) == 0
    with reverts("ReceivableLedger_WrongState", id=id_, state=SETTLED):
        ledger.writeOff(id_, BASIS, sender=city.supplier)


def test_write_off__twice__refused(city, ledger, defaulted):
    id_ = defaulted()
    ledger.writeOff(id_, BASIS, sender=city.supplier)
    with reverts("ReceivableLedger_AlreadyWrittenOff", id=id_, holder=city.supplier):
        ledger.writeOff(id_, BASIS, sender=city.supplier)


@pytest.mark.parametrize("who", ["bank", "debtor", "founder"])
def test_write_off__who_holds_nothing__refused(city, ledger, defaulted, who):
    id_ = defaulted()
    with reverts("ReceivableLedger_ZeroUnits", id=id_):
        ledger.writeOff(id_, BASIS, sender=getattr(city, who))


def test_write_off__suspended_holder__its_own_books(city, ledger, defaulted, suspend):
    id_ = defaulted(bank=33)
    suspend(city.bank)
    ledger.writeOff(id_, BASIS, sender=city.bank)
    assert ledger.isWrittenOff(id_, city.bank)


# --- give back


def test_give_back__nothing_paid__units_move_and_all_is_owed(city, ledger, defaulted, give_back):
    id_ = defaulted(bank=33)

    receipt = give_back(id_, 33)

    given = {"id": id_, "actor": city.court, "from": city.bank, "to": city.supplier, "units": 33, "claimed": 0}
    moved = {"operator": city.court, "from": city.bank, "to": city.supplier, "id": id_, "value": 33}
    assert receipt.value == (CNY, 33)
    assert receipt.events == [
        Event("ReceivableLedger", "UnitsGivenBack", given),
        Event("ReceivableLedger", "TransferSingle", moved),
    ]
    assert tuple(ledger.holding(id_, city.bank)) == (0, 0)
    assert tuple(ledger.holding(id_, city.supplier)) == (100, 0)


def test_give_back__partly_paid_and_not_claimed__the_giver_is_paid_first(city, ledger, defaulted, give_back, pay):
    id_ = defaulted(bank=33)
    pay(id_, 50)

    receipt = give_back(id_, 33)

    assert receipt.value == (CNY, 33 - 16)
    assert [e.name for e in receipt.events] == [
        "ReceivableClaimed",
        "UnitsGivenBack",
        "TransferSingle",
        "PaidOut",
        "Transfer",
    ]
    assert receipt.only("ReceivableClaimed") == {"id": id_, "actor": city.bank, "amount": 16}
    assert receipt.only("UnitsGivenBack")["claimed"] == 16
    assert city.token.balanceOf(city.bank) == 16
    assert tuple(ledger.holding(id_, city.supplier)) == (100, 16)
    assert ledger.claimable(id_, city.supplier) == 50 - 16
    pay(id_, 50)
    assert ledger.claim(id_, sender=city.supplier).value == 84
    assert city.contract("Escrow").held(ledger, id_, city.token) == 0


def test_give_back__claimed_before__owed_is_what_was_not_paid(city, ledger, defaulted, give_back, pay):
    id_ = defaulted(bank=33)
    pay(id_, 50)
    ledger.claim(id_, sender=city.bank)
    receipt = give_back(id_, 33)
    assert receipt.value == (CNY, 17)
    assert [e.name for e in receipt.events] == ["UnitsGivenBack", "TransferSingle"]


def test_give_back__part_of_a_holding__the_rest_claims_on(city, ledger, defaulted, give_back, pay):
    id_ = defaulted(bank=60)
    pay(id_, 50)
    assert give_back(id_, 20).value == (CNY, 10)
    assert tuple(ledger.holding(id_, city.bank)) == (40, 20)
    assert tuple(ledger.holding(id_, city.supplier)) == (60, 10)
    pay(id_, 50)
    assert ledger.claim(id_, sender=city.bank).value == 20
    assert ledger.claim(id_, sender=city.supplier).value == 50
    assert city.token.balanceOf(city.bank) == 50  # 10 of them on the units it gave back
    assert city.token.balanceOf(city.supplier) == 50


def test_give_back__rounding_leaves_less_than_somebody_is_entitled_to__claims_wait_for_the_next_payment(
    city, ledger, defaulted, give_back, pay
):
    """3 of 100 units, 67 paid: floor(2.01) = 2 claimed; the one unit that goes back carries 1, its own entitlement is 0.67."""
    id_ = defaulted(bank=3, bank2=1)
    escrow = city.contract("Escrow")
    pay(id_, 67)
    ledger.claim(id_, sender=city.bank)
    for _ in range(2):
        give_back(id_, 1, taker=city.bank2)
        held = escrow.held(ledger, id_, city.token)
        assert held == 65
    holdings = [tuple(ledger.holding(id_, who)) for who in (city.bank, city.bank2, city.supplier)]
    assert sum(units for units, _ in holdings) == 100
    assert sum(claimed for _, claimed in holdings) == 2
    for who in (city.supplier, city.bank, city.bank2):
        amount = ledger.claimable(id_, who)
        if amount:
            assert ledger.claim(id_, sender=who).value == amount
    pay(id_, 33)
    for who in (city.bank, city.bank2, city.supplier):
        if ledger.claimable(id_, who):
            ledger.claim(id_, sender=who)
    assert [tuple(ledger.holding(id_, who)) for who in (city.bank, city.bank2, city.supplier)] == [
        (1, 1),
        (3, 3),
        (96, 96),
    ]
    assert escrow.held(ledger, id_, city.token) == 0


def test_give_back__suspended_or_refusing_taker__goes_on(city, ledger, defaulted, give_back, suspend, admit):
    id_ = defaulted(bank=33)
    for party in (city.bank, city.supplier):
        suspend(party)
    refuser = city.chain.deploy("UnitReceiverMock")
    refuser.set(1, ZERO, sender=city.court)
    give_back(id_, 3, taker=refuser.address)
    give_back(id_, 30)
    assert [ledger.balanceOf(who, id_) for who in (city.supplier, refuser)] == [97, 3]


def test_give_back__before_the_default_zero_or_too_much__refused(city, ledger, confirmed, split, give_back):
    id_ = confirmed()
    split(id_, city.bank, 7)
    due = ledger.receivable(id_).dueAt
    city.chain.mine(TENOR + GRACE - 1)
    with reverts("ReceivableLedger_NotDefaulted", id=id_, defaultsAt=due + GRACE, chainTime=city.chain.time):
        give_back(id_, 1)
    city.chain.mine(1)
    with reverts("ReceivableLedger_ZeroUnits", id=id_):
        give_back(id_, 0)
    for units in (8, MAX):
        with reverts("ReceivableLedger_InsufficientUnits", id=id_, holder=city.bank, held=7, requested=units):
            give_back(id_, units)
    with reverts("ReceivableLedger_InsufficientUnits", id=id_, holder=city.bank2, held=0, requested=1):
        give_back(id_, 1, giver=city.bank2)


@pytest.mark.parametrize("who", ["supplier", "bank", "founder"])
def test_give_back__by_anyone_but_a_desk__refused(city, ledger, defaulted, who):
    id_ = defaulted(bank=33)
    actor = getattr(city, who)
    with reverts("AccessManagedUnauthorized", caller=actor):
        ledger.giveBack(id_, city.bank, city.supplier, 1, actor, sender=actor)


def test_give_back__to_oneself__nothing_changes(city, ledger, defaulted, give_back, pay):
    id_ = defaulted(bank=33)
    pay(id_, 50)
    give_back(id_, 10, taker=city.bank)
    assert tuple(ledger.holding(id_, city.bank)) == (33, 16)
