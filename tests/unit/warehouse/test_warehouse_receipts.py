"""WarehouseLedger, receipts: issue, transfer, delivery, shortage and strike, in every state and by everybody."""

from __future__ import annotations

import pytest

from tests.evm import Event, dev_account, reverts
from tests.lots import BANK, COMPANY, FINGERPRINT, GOODS, NUMBER, QUANTITY, SUPERVISOR, UNIT, WAREHOUSE, Held, Pledged
from tests.samples import BASIS

ZERO = "0x" + "00" * 20
MAX = 2**128 - 1
FREE, RESERVED, FINANCED, ENTERED = range(4)
NOBODY = dev_account(18).address


# --- issue


def test_issue__a_lot__recorded_in_full_and_taken_in_the_register(city, ledger, register):
    args = (city.supplier, FINGERPRINT, NUMBER, GOODS, QUANTITY, UNIT)

    receipt = ledger.issue(*args, sender=city.warehouse)

    assert receipt.value == 1
    assert receipt.events == [
        Event(
            "WarehouseLedger",
            "ReceiptIssued",
            {
                "receiptId": 1,
                "actor": city.warehouse,
                "owner": city.supplier,
                "fingerprint": FINGERPRINT,
                "numberFingerprint": NUMBER,
                "goods": GOODS,
                "quantity": QUANTITY,
                "unit": UNIT,
            },
        ),
        Event(
            "FinancingRegister",
            "FingerprintEntered",
            {
                "fingerprint": FINGERPRINT,
                "actor": city.warehouse,
                "application": ledger.address,
                "caseId": 1,
                "numberFingerprint": NUMBER,
            },
        ),
    ]
    assert tuple(ledger.receipt(1)) == (city.supplier, Held.STORED, UNIT, city.warehouse, QUANTITY, 0, FINGERPRINT)
    assert ledger.free(1) == QUANTITY
    assert tuple(register.entryOf(FINGERPRINT)) == (ENTERED, ledger.address, 0, 1, NUMBER)


def test_issue__several_lots__numbers_are_sequential(issue):
    assert [issue(bytes([n]) * 32) for n in (1 + 8, 2 + 8, 3 + 8)] == [1, 2, 3]


def test_issue__greatest_quantity_and_short_unit__kept_as_they_are(issue, ledger):
    found = ledger.receipt(issue(quantity=MAX, unit=b"5B\0"))
    assert (found.quantity, found.unit) == (MAX, b"5B\0")


@pytest.mark.parametrize("pledged", [False, True])
def test_issue__same_lot_again__refused_by_the_register(ledger, issue, propose, pledged):
    issue()
    if pledged:
        propose()
    with reverts("FinancingRegister_Taken", fingerprint=FINGERPRINT, state=ENTERED, holder=ledger, caseId=1):
        issue(number=b"\x33" * 32)


def test_issue__another_warehouse_for_the_same_lot__refused(ledger, issue, admit):
    other = admit(dev_account(18).address, WAREHOUSE)
    issue()
    with reverts("FinancingRegister_Taken", fingerprint=FINGERPRINT, state=ENTERED, holder=ledger, caseId=1):
        issue(sender=other)


def test_issue__altered_copy_with_the_same_lot_number__refused(issue):
    issue()
    altered = b"\xa1" * 32
    with reverts("FinancingRegister_NumberTaken", fingerprint=altered, numberFingerprint=NUMBER, by=FINGERPRINT):
        issue(altered, number=NUMBER)


def test_issue__altered_copy_that_the_arbiter_cleared__issued(city, register, issue):
    issue()
    altered = b"\xa1" * 32
    register.clear(altered, NUMBER, BASIS, sender=city.founder)
    assert issue(altered, number=NUMBER) == 2


@pytest.mark.parametrize("financed", [False, True])
def test_issue__lot_that_a_bank_has_taken_off_the_platform__refused(city, register, issue, financed):
    until = city.chain.time + 3600
    consent = (FINGERPRINT, NUMBER, city.li.address, city.bank, until, 1)
    signature = city.li.unsafe_sign_hash(register.digestOf(consent)).signature
    register.reserve(consent, bytes(signature), sender=city.bank)
    if financed:
        register.finance(FINGERPRINT, bytes(32), sender=city.bank)
    state = FINANCED if financed else RESERVED
    with reverts("FinancingRegister_Taken", fingerprint=FINGERPRINT, state=state, holder=city.bank, caseId=0):
        issue()


@pytest.mark.parametrize("state", [Held.DELIVERED, Held.STRUCK])
def test_issue__lot_whose_receipt_has_ended__issued_anew(receipt_in, issue, register, state):
    receipt_in(state)
    assert register.entryOf(FINGERPRINT).state == FREE
    assert issue() == 2
    assert register.entryOf(FINGERPRINT).caseId == 2


@pytest.mark.parametrize(("lot", "number"), [(bytes(32), NUMBER), (FINGERPRINT, None), (b"\0" * 31 + b"\1", NUMBER)])
def test_issue__empty_fingerprint__refused(city, ledger, lot, number):
    args = (city.supplier, lot, number or bytes(32), GOODS, 1, UNIT)
    with reverts("FinancingRegister_EmptyFingerprint"):
        ledger.issue(*args, sender=city.warehouse)


@pytest.mark.parametrize(
    ("changed", "error", "args"),
    [
        ({"quantity": 0}, "WarehouseLedger_ZeroQuantity", {"id": 0}),
        ({"goods": bytes(32)}, "WarehouseLedger_EmptyGoods", {}),
        ({"unit": bytes(3)}, "WarehouseLedger_EmptyUnit", {}),
    ],
)
def test_issue__something_missing__refused(issue, changed, error, args):
    with reverts(error, **args):
        issue(**changed)


def test_issue__for_its_own_goods__refused(city, issue):
    with reverts("WarehouseLedger_OwnWarehouse", warehouse=city.warehouse):
        issue(owner=city.warehouse)


def test_issue__for_nobody__refused(issue):
    with reverts("Members_NotEnrolled", account=NOBODY):
        issue(owner=NOBODY)


@pytest.mark.parametrize("member", ["supplier", "bank", "supervisor", "court", "founder"])
def test_issue__by_another_than_a_warehouse__refused(city, issue, member):
    caller = getattr(city, member)
    with reverts("AccessManagedUnauthorized", caller=caller):
        issue(sender=caller, owner=city.debtor)


@pytest.mark.parametrize("party", ["warehouse", "supplier"])
def test_issue__suspended_party__refused(city, issue, suspend, party):
    suspend(getattr(city, party))
    with reverts("Members_Suspended", account=getattr(city, party)):
        issue()


def test_issue__retired_warehouse__has_no_role(city, issue, retire):
    retire(city.warehouse)
    with reverts("AccessManagedUnauthorized", caller=city.warehouse):
        issue()


def test_issue__gas__does_not_depend_on_how_many_there_are(city, ledger):
    def cost(n):
        args = (city.supplier, bytes([n]) * 32, bytes([n]) * 31 + b"\xff", GOODS, QUANTITY, UNIT)
        return ledger.issue(*args, sender=city.warehouse).gas_used

    cost(16)
    first = cost(17)
    for n in range(18, 50):
        cost(n)
    assert cost(50) == first


# --- transfer


def test_transfer__of_a_receipt_that_is_not_pledged__owner_changes_and_nothing_else(city, ledger, issue):
    receipt = issue()
    done = ledger.transfer(receipt, city.debtor, sender=city.supplier)
    args = {"receiptId": receipt, "actor": city.supplier, "to": city.debtor}
    assert done.events == [Event("WarehouseLedger", "ReceiptTransferred", args)]
    assert tuple(ledger.receipt(receipt)) == (city.debtor, Held.STORED, UNIT, city.warehouse, QUANTITY, 0, FINGERPRINT)
    with reverts("WarehouseLedger_NotOwner", receiptId=receipt, actor=city.supplier):
        ledger.transfer(receipt, city.bank, sender=city.supplier)
    ledger.transfer(receipt, city.supplier, sender=city.debtor)


@pytest.mark.parametrize("state", [Pledged.PROPOSED, Pledged.ACCEPTED, Pledged.ACTIVE])
def test_transfer__with_an_open_pledge__refused(city, ledger, pledge_in, state):
    pledge_in(state, quantity=1)
    with reverts("WarehouseLedger_Pledged", receiptId=1, pledged=1):
        ledger.transfer(1, city.debtor, sender=city.supplier)


@pytest.mark.parametrize(
    "state", [Pledged.DECLINED, Pledged.WITHDRAWN, Pledged.LAPSED, Pledged.RELEASED, Pledged.ENFORCED]
)
def test_transfer__once_every_pledge_has_ended__done(city, ledger, pledge_in, state):
    pledge_in(state)
    ledger.transfer(1, city.debtor, sender=city.supplier)
    assert ledger.receipt(1).owner == city.debtor


def test_transfer__to_a_wrong_receiver__refused(city, ledger, issue):
    receipt = issue()
    with reverts("WarehouseLedger_OwnReceipt", receiptId=receipt, owner=city.supplier):
        ledger.transfer(receipt, city.supplier, sender=city.supplier)
    with reverts("WarehouseLedger_OwnWarehouse", warehouse=city.warehouse):
        ledger.transfer(receipt, city.warehouse, sender=city.supplier)
    for nobody in (ZERO, NOBODY):
        with reverts("Members_NotEnrolled", account=nobody):
            ledger.transfer(receipt, nobody, sender=city.supplier)


@pytest.mark.parametrize("member", ["warehouse", "bank", "debtor", "court", "founder"])
def test_transfer__by_another__refused(city, ledger, issue, member):
    receipt, caller = issue(), getattr(city, member)
    with reverts("WarehouseLedger_NotOwner", receiptId=receipt, actor=caller):
        ledger.transfer(receipt, city.bank2, sender=caller)


@pytest.mark.parametrize("party", ["supplier", "debtor"])
def test_transfer__suspended_party__refused(city, ledger, issue, suspend, party):
    receipt = issue()
    suspend(getattr(city, party))
    with reverts("Members_Suspended", account=getattr(city, party)):
        ledger.transfer(receipt, city.debtor, sender=city.supplier)


def test_transfer__by_a_receiver__refused_for_it_is_new_business(city, ledger, issue, receiver_of):
    receipt = issue()
    receiver = receiver_of(city.supplier, city.institute)
    with reverts("WarehouseLedger_NotOwner", receiptId=receipt, actor=receiver):
        ledger.transfer(receipt, city.debtor, sender=receiver)


# --- deliver


def test_deliver__in_parts__the_rest_stays_until_nothing_is_left(city, ledger, register, issue):
    receipt = issue()
    done = ledger.deliver(receipt, 1, sender=city.warehouse)
    args = {"receiptId": receipt, "actor": city.warehouse, "to": city.supplier, "quantity": 1, "left": QUANTITY - 1}
    assert done.events == [Event("WarehouseLedger", "GoodsDelivered", args)]
    assert (ledger.receipt(receipt).quantity, ledger.free(receipt)) == (QUANTITY - 1, QUANTITY - 1)
    assert register.entryOf(FINGERPRINT).state == ENTERED

    done = ledger.deliver(receipt, QUANTITY - 1, sender=city.warehouse)

    assert done.events == [
        Event("WarehouseLedger", "GoodsDelivered", args | {"quantity": QUANTITY - 1, "left": 0}),
        Event(
            "FinancingRegister",
            "FingerprintLeft",
            {"fingerprint": FINGERPRINT, "actor": city.warehouse, "application": ledger.address, "caseId": receipt},
        ),
    ]
    found = ledger.receipt(receipt)
    assert (found.state, found.quantity, ledger.free(receipt)) == (Held.DELIVERED, 0, 0)
    assert register.entryOf(FINGERPRINT).state == FREE


def test_deliver__after_a_transfer__to_the_new_owner(city, ledger, issue):
    receipt = issue()
    ledger.transfer(receipt, city.debtor, sender=city.supplier)
    assert ledger.deliver(receipt, 5, sender=city.warehouse).only("GoodsDelivered")["to"] == city.debtor


@pytest.mark.parametrize("state", [Pledged.PROPOSED, Pledged.ACCEPTED, Pledged.ACTIVE])
def test_deliver__pledged_goods__only_what_is_not_pledged(city, ledger, pledge_in, state):
    pledge_in(state, quantity=200_000)
    with reverts("WarehouseLedger_InsufficientFree", receiptId=1, free=300_000, requested=300_001):
        ledger.deliver(1, 300_001, sender=city.warehouse)
    ledger.deliver(1, 300_000, sender=city.warehouse)
    assert ledger.receipt(1).state == Held.STORED
    with reverts("WarehouseLedger_InsufficientFree", receiptId=1, free=0, requested=1):
        ledger.deliver(1, 1, sender=city.warehouse)


def test_deliver__proposal_that_has_lapsed__bound_until_somebody_says_so(city, ledger, pledge_in):
    number = pledge_in(Pledged.PROPOSED, quantity=QUANTITY)
    city.chain.mine(10**6)
    with reverts("WarehouseLedger_InsufficientFree", receiptId=1, free=0, requested=1):
        ledger.deliver(1, 1, sender=city.warehouse)
    ledger.lapse(number, sender=city.warehouse)
    ledger.deliver(1, QUANTITY, sender=city.warehouse)


@pytest.mark.parametrize("quantity", [QUANTITY + 1, MAX])
def test_deliver__more_than_there_is__refused(city, ledger, issue, quantity):
    receipt = issue()
    with reverts("WarehouseLedger_InsufficientFree", receiptId=receipt, free=QUANTITY, requested=quantity):
        ledger.deliver(receipt, quantity, sender=city.warehouse)


def test_deliver__nothing__refused(city, ledger, issue):
    receipt = issue()
    with reverts("WarehouseLedger_ZeroQuantity", id=receipt):
        ledger.deliver(receipt, 0, sender=city.warehouse)


def test_deliver__by_another__refused(city, ledger, issue, admit):
    receipt = issue()
    for caller in (city.supplier, city.bank, city.court, city.founder, admit(dev_account(18).address, WAREHOUSE)):
        with reverts("WarehouseLedger_NotWarehouse", receiptId=receipt, actor=caller):
            ledger.deliver(receipt, 1, sender=caller)


def test_deliver__everybody_suspended_or_retired__goes_on(city, ledger, issue, suspend, retire):
    receipt = issue()
    suspend(city.warehouse)
    suspend(city.supplier)
    ledger.deliver(receipt, 1, sender=city.warehouse)
    retire(city.warehouse)
    retire(city.supplier)
    ledger.deliver(receipt, QUANTITY - 1, sender=city.warehouse)
    assert ledger.receipt(receipt).state == Held.DELIVERED


def test_deliver__by_the_warehouses_receiver__done(city, ledger, issue, receiver_of):
    receipt = issue()
    receiver = receiver_of(city.warehouse, city.institute)
    args = {"receiptId": receipt, "actor": receiver, "to": city.supplier, "quantity": 7, "left": QUANTITY - 7}
    assert ledger.deliver(receipt, 7, sender=receiver).only("GoodsDelivered") == args


def test_deliver__by_a_receiver_that_was_suspended__refused(city, ledger, issue, receiver_of, suspend):
    receipt = issue()
    receiver = receiver_of(city.warehouse, city.institute)
    suspend(receiver)
    with reverts("WarehouseLedger_NotWarehouse", receiptId=receipt, actor=receiver):
        ledger.deliver(receipt, 7, sender=receiver)


def test_deliver__by_a_receiver_whose_member_was_reinstated__refused(city, ledger, issue, receiver_of):
    receipt = issue()
    receiver = receiver_of(city.warehouse, city.institute)
    city.contract("Members").reinstate(city.warehouse, BASIS, sender=city.founder)
    with reverts("WarehouseLedger_NotWarehouse", receiptId=receipt, actor=receiver):
        ledger.deliver(receipt, 7, sender=receiver)


# --- shortage


def test_report_shortage__by_the_warehouse__said_and_nothing_changed(city, ledger, issue):
    receipt = issue()
    before = ledger.receipt(receipt)
    done = ledger.reportShortage(receipt, 0, 40, BASIS, sender=city.warehouse)
    args = {"receiptId": receipt, "actor": city.warehouse, "pledgeId": 0, "quantity": 40, "basis": BASIS}
    assert done.events == [Event("WarehouseLedger", "ShortageReported", args)]
    assert ledger.receipt(receipt) == before


@pytest.mark.parametrize("quantity", [0, QUANTITY])
def test_report_shortage__by_the_supervisor_of_an_active_pledge__said(city, ledger, pledge_in, suspend, quantity):
    number = pledge_in(Pledged.ACTIVE)
    suspend(city.supervisor)
    done = ledger.reportShortage(1, number, quantity, BASIS, sender=city.supervisor)
    args = {"receiptId": 1, "actor": city.supervisor, "pledgeId": number, "quantity": quantity, "basis": BASIS}
    assert done.only("ShortageReported") == args


def test_report_shortage__of_more_than_is_on_hand__refused(city, ledger, issue):
    receipt = issue()
    args = {"receiptId": receipt, "quantity": QUANTITY, "reported": QUANTITY + 1}
    with reverts("WarehouseLedger_MoreThanOnHand", **args):
        ledger.reportShortage(receipt, 0, QUANTITY + 1, BASIS, sender=city.warehouse)


def test_report_shortage__by_another__refused(city, ledger, pledge_in, admit):
    number = pledge_in(Pledged.ACTIVE)
    for caller in (city.supplier, city.bank, city.supervisor):
        with reverts("WarehouseLedger_NotWarehouse", receiptId=1, actor=caller):
            ledger.reportShortage(1, 0, 1, BASIS, sender=caller)
    for caller in (city.supplier, city.bank, city.warehouse, admit(dev_account(18).address, SUPERVISOR)):
        with reverts("WarehouseLedger_NotSupervisor", pledgeId=number, actor=caller):
            ledger.reportShortage(1, number, 1, BASIS, sender=caller)


def test_report_shortage__under_a_pledge_of_another_receipt__refused(city, ledger, issue, pledge_in):
    number, other = pledge_in(Pledged.ACTIVE), issue(b"\x0e" * 32)
    with reverts("WarehouseLedger_PledgeOfAnotherReceipt", pledgeId=number, receiptId=other):
        ledger.reportShortage(other, number, 1, BASIS, sender=city.supervisor)


@pytest.mark.parametrize("state", set(Pledged) - {Pledged.ACTIVE})
def test_report_shortage__under_a_pledge_that_is_not_active__refused(city, ledger, issue, pledge_in, state):
    issue()
    number = pledge_in(state)
    with reverts("WarehouseLedger_WrongPledgeState", pledgeId=number, state=state):
        ledger.reportShortage(1, number, 1, BASIS, sender=city.supervisor)


# --- strike


def test_strike__a_receipt_without_pledges__ended_and_the_lot_given_back(city, ledger, register, issue):
    receipt = issue()
    done = ledger.strike(receipt, BASIS, sender=city.court)
    assert done.events == [
        Event("WarehouseLedger", "ReceiptStruck", {"receiptId": receipt, "actor": city.court, "basis": BASIS}),
        Event(
            "FinancingRegister",
            "FingerprintLeft",
            {"fingerprint": FINGERPRINT, "actor": city.court, "application": ledger.address, "caseId": receipt},
        ),
    ]
    found = ledger.receipt(receipt)
    assert (found.state, found.quantity, ledger.free(receipt)) == (Held.STRUCK, QUANTITY, 0)


def test_strike__with_an_open_pledge__refused(city, ledger, pledge_in):
    pledge_in(Pledged.PROPOSED, quantity=3)
    with reverts("WarehouseLedger_Pledged", receiptId=1, pledged=3):
        ledger.strike(1, BASIS, sender=city.court)


@pytest.mark.parametrize("member", ["warehouse", "supplier", "bank", "founder"])
def test_strike__by_another_than_the_court__refused(city, ledger, issue, member):
    receipt, caller = issue(), getattr(city, member)
    with reverts("AccessManagedUnauthorized", caller=caller):
        ledger.strike(receipt, BASIS, sender=caller)


def test_strike__suspended_court__refused(city, ledger, issue, suspend):
    receipt = issue()
    suspend(city.court)
    with reverts("Members_Suspended", account=city.court):
        ledger.strike(receipt, BASIS, sender=city.court)


# --- a lot that the arbiter has freed


@pytest.fixture
def annulled(city, ledger, register, issue):
    receipt = issue()
    freed = {"fingerprint": FINGERPRINT, "actor": city.founder, "holder": ledger.address, "basis": BASIS}
    done = register.annul(FINGERPRINT, BASIS, sender=city.founder)
    assert done.events == [Event("FinancingRegister", "FinancingAnnulled", freed)]
    assert register.entryOf(FINGERPRINT).state == FREE
    return receipt


def test_deliver__lot_annulled__in_parts_to_the_end_as_any_other(city, ledger, register, annulled):
    delivered = {"receiptId": annulled, "actor": city.warehouse, "to": city.supplier}
    for quantity, left in ((1, QUANTITY - 1), (QUANTITY - 1, 0)):
        done = ledger.deliver(annulled, quantity, sender=city.warehouse)
        facts = delivered | {"quantity": quantity, "left": left}
        assert done.events == [Event("WarehouseLedger", "GoodsDelivered", facts)]
    assert ledger.receipt(annulled).state == Held.DELIVERED
    assert register.entryOf(FINGERPRINT).state == FREE


def test_strike__lot_annulled__ended_as_any_other(city, ledger, annulled):
    done = ledger.strike(annulled, BASIS, sender=city.court)
    struck = {"receiptId": annulled, "actor": city.court, "basis": BASIS}
    assert done.events == [Event("WarehouseLedger", "ReceiptStruck", struck)]
    assert ledger.receipt(annulled).state == Held.STRUCK


def test_enforce__lot_annulled__ended_as_any_other(city, ledger, annulled, propose):
    pledge = propose(annulled, QUANTITY).value
    ledger.accept(pledge, sender=city.bank)
    ledger.confirm(pledge, BASIS, sender=city.supervisor)
    done = ledger.enforce(pledge, QUANTITY, city.debtor, BASIS, sender=city.court)
    assert [event.name for event in done.events] == ["PledgeEnforced"]
    assert ledger.receipt(annulled).state == Held.DELIVERED


@pytest.mark.parametrize("end", ["deliver", "strike", "enforce"])
def test_lot__annulled_and_issued_anew__the_first_receipts_end_does_not_free_it(
    city, ledger, register, annulled, issue, propose, end
):
    second = issue()
    if end == "deliver":
        ledger.deliver(annulled, QUANTITY, sender=city.warehouse)
    elif end == "strike":
        ledger.strike(annulled, BASIS, sender=city.court)
    else:
        pledge = propose(annulled, QUANTITY).value
        ledger.accept(pledge, sender=city.bank)
        ledger.confirm(pledge, BASIS, sender=city.supervisor)
        ledger.enforce(pledge, QUANTITY, city.debtor, BASIS, sender=city.court)
    assert tuple(register.entryOf(FINGERPRINT)) == (ENTERED, ledger.address, 0, second, NUMBER)
    ledger.deliver(second, QUANTITY, sender=city.warehouse)
    assert register.entryOf(FINGERPRINT).state == FREE


# --- through the manager


@pytest.mark.parametrize(
    "function", ["transfer", "deliver", "reportShortage", "pledge", "decline", "withdraw", "lapse", "release"]
)
def test_any__through_the_manager__refused(city, ledger, pledge_in, function):
    authority = city.contract("Authority")
    number = pledge_in(Pledged.ACTIVE if function == "release" else Pledged.PROPOSED)
    arguments = {
        "transfer": (1, city.debtor),
        "deliver": (1, 1),
        "reportShortage": (1, 0, 1, BASIS),
        "pledge": (1, city.bank, city.supervisor, 1, 1, b"CNY", city.chain.time),
        "decline": (number, BASIS),
        "withdraw": (number,),
        "lapse": (number,),
        "release": (number, 1),
    }
    data = getattr(ledger, function).encode(*arguments[function])
    with reverts("Application_ManagerCannotAct", manager=authority):
        authority.execute(ledger, data, sender=city.founder)


# --- forbidden transitions


ACTS = {
    "transfer": lambda city, ledger, receipt: ledger.transfer(receipt, city.debtor, sender=city.supplier),
    "deliver": lambda city, ledger, receipt: ledger.deliver(receipt, 1, sender=city.warehouse),
    "reportShortage": lambda city, ledger, receipt: ledger.reportShortage(receipt, 0, 0, BASIS, sender=city.warehouse),
    "strike": lambda city, ledger, receipt: ledger.strike(receipt, BASIS, sender=city.court),
    "pledge": lambda city, ledger, receipt: ledger.pledge(
        receipt, city.bank, city.supervisor, 1, 1, b"CNY", city.chain.time, sender=city.supplier
    ),
}


@pytest.mark.parametrize("state", [Held.NONE, Held.DELIVERED, Held.STRUCK])
@pytest.mark.parametrize("function", ACTS)
def test_receipt__that_is_not_stored__nothing_can_be_done_with_it(city, ledger, receipt_in, function, state):
    receipt = receipt_in(state)
    with reverts("WarehouseLedger_WrongReceiptState", receiptId=receipt, state=state):
        ACTS[function](city, ledger, receipt)


def test_views__of_what_does_not_exist__zeros(ledger):
    assert tuple(ledger.receipt(999)) == (ZERO, Held.NONE, bytes(3), ZERO, 0, 0, bytes(32))
    assert tuple(ledger.pledgeOf(999)) == (ZERO, 0, Pledged.NONE, bytes(3), ZERO, 0, 0, 0)
    assert (ledger.free(999), ledger.hasLapsed(999)) == (0, False)


def test_kinds__in_the_charter__are_those_of_these_tests(city):
    kinds = city.city.kinds
    expected = (BANK, COMPANY, WAREHOUSE, SUPERVISOR)
    assert (kinds["bank"], kinds["company"], kinds["warehouse"], kinds["supervisor"]) == expected
