"""WarehouseLedger, pledges: from proposal to release or enforcement, every function in every state, and no goods pledged twice."""

from __future__ import annotations

import random

import pytest

from tests.city import CNY
from tests.evm import Event, Reverted, dev_account, reverts
from tests.lots import BANK, DAY, FINGERPRINT, QUANTITY, SECURED, SUPERVISOR, Held, Pledged
from tests.samples import BASIS

MAX = 2**128 - 1
MAX_ANSWER = 30 * DAY
FREE, ENTERED = 0, 3
NOBODY = dev_account(18).address
OPEN = (Pledged.PROPOSED, Pledged.ACCEPTED, Pledged.ACTIVE)
UNANSWERED = (Pledged.PROPOSED, Pledged.ACCEPTED)


# --- the happy path


def test_pledge__from_proposal_to_release__every_event_and_every_quantity(city, ledger, issue, propose):
    issue()
    start = city.chain.time

    done = propose(quantity=200_000)

    assert done.value == 1
    assert done.events == [
        Event(
            "WarehouseLedger",
            "PledgeProposed",
            {
                "pledgeId": 1,
                "actor": city.supplier,
                "receiptId": 1,
                "bank": city.bank,
                "supervisor": city.supervisor,
                "quantity": 200_000,
                "securedAmount": SECURED,
                "currency": CNY,
                "answerBy": start + DAY,
            },
        )
    ]
    parties = (city.bank, start + DAY, Pledged.PROPOSED, CNY, city.supervisor, 1, 200_000, SECURED)
    assert tuple(ledger.pledgeOf(1)) == parties
    assert (ledger.receipt(1).quantity, ledger.receipt(1).pledged, ledger.free(1)) == (QUANTITY, 200_000, 300_000)

    done = ledger.accept(1, sender=city.bank)
    assert done.events == [Event("WarehouseLedger", "PledgeAccepted", {"pledgeId": 1, "actor": city.bank})]
    assert ledger.pledgeOf(1).state == Pledged.ACCEPTED

    done = ledger.confirm(1, BASIS, sender=city.supervisor)
    args = {"pledgeId": 1, "actor": city.supervisor, "basis": BASIS}
    assert done.events == [Event("WarehouseLedger", "PledgeConfirmed", args)]
    assert ledger.pledgeOf(1).state == Pledged.ACTIVE
    assert ledger.receipt(1).pledged == 200_000

    city.chain.mine(10**7)  # an active pledge does not lapse
    assert not ledger.hasLapsed(1)
    done = ledger.release(1, 50_000, sender=city.bank)
    args = {"pledgeId": 1, "actor": city.bank, "quantity": 50_000, "left": 150_000}
    assert done.events == [Event("WarehouseLedger", "PledgeReleased", args)]
    assert (ledger.pledgeOf(1).state, ledger.pledgeOf(1).quantity) == (Pledged.ACTIVE, 150_000)
    assert (ledger.receipt(1).pledged, ledger.free(1)) == (150_000, 350_000)

    done = ledger.release(1, 150_000, sender=city.bank)
    args = {"pledgeId": 1, "actor": city.bank, "quantity": 150_000, "left": 0}
    assert done.events == [Event("WarehouseLedger", "PledgeReleased", args)]
    assert tuple(ledger.pledgeOf(1)) == (*parties[:2], Pledged.RELEASED, CNY, city.supervisor, 1, 0, SECURED)
    assert (ledger.receipt(1).pledged, ledger.free(1)) == (0, QUANTITY)


# --- propose


def test_pledge__the_same_goods_to_a_second_bank__refused(city, ledger, issue, propose):
    issue()
    propose(quantity=QUANTITY)
    with reverts("WarehouseLedger_InsufficientFree", receiptId=1, free=0, requested=1):
        propose(quantity=1, bank=city.bank2)
    ledger.accept(1, sender=city.bank)
    ledger.confirm(1, BASIS, sender=city.supervisor)
    with reverts("WarehouseLedger_InsufficientFree", receiptId=1, free=0, requested=QUANTITY):
        propose(quantity=QUANTITY, bank=city.bank2)
    with reverts("WarehouseLedger_InsufficientFree", receiptId=1, free=0, requested=QUANTITY):
        propose(quantity=QUANTITY)


def test_pledge__two_banks__each_a_part_and_no_more(city, ledger, issue, propose):
    issue()
    propose(quantity=300_000)
    with reverts("WarehouseLedger_InsufficientFree", receiptId=1, free=200_000, requested=200_001):
        propose(quantity=200_001, bank=city.bank2)
    assert propose(quantity=200_000, bank=city.bank2).value == 2
    assert (ledger.receipt(1).pledged, ledger.free(1)) == (QUANTITY, 0)


def test_pledge__after_a_delivery__only_what_is_left(city, ledger, issue, propose):
    issue()
    ledger.deliver(1, 400_000, sender=city.warehouse)
    with reverts("WarehouseLedger_InsufficientFree", receiptId=1, free=100_000, requested=100_001):
        propose(quantity=100_001)
    propose(quantity=100_000)


@pytest.mark.parametrize("state", [Pledged.DECLINED, Pledged.WITHDRAWN, Pledged.LAPSED, Pledged.RELEASED])
def test_pledge__goods_whose_pledge_has_ended__pledged_anew(city, ledger, pledge_in, propose, state):
    pledge_in(state, quantity=QUANTITY)
    assert propose(quantity=QUANTITY, bank=city.bank2).value == 2
    assert ledger.receipt(1).pledged == QUANTITY


def test_pledge__greatest_quantity_and_amount__neither_wraps(ledger, issue, propose):
    issue(quantity=MAX)
    propose(quantity=MAX, secured=MAX)
    assert (ledger.pledgeOf(1).quantity, ledger.pledgeOf(1).securedAmount, ledger.free(1)) == (MAX, MAX, 0)
    with reverts("WarehouseLedger_InsufficientFree", receiptId=1, free=0, requested=MAX):
        propose(quantity=MAX)


def test_pledge__nothing_or_for_nothing__refused(issue, propose):
    issue()
    with reverts("WarehouseLedger_ZeroQuantity", id=1):
        propose(quantity=0)
    with reverts("WarehouseLedger_ZeroSecuredAmount", receiptId=1):
        propose(secured=0)


@pytest.mark.parametrize("currency", [b"USD", b"\0\0\0"])
def test_pledge__currency_without_a_token__refused(issue, propose, currency):
    issue()
    with reverts("Currencies_NotListed", currency=currency):
        propose(currency=currency)


@pytest.mark.parametrize("answer_in", [0, MAX_ANSWER])
def test_pledge__shortest_and_longest_time_to_answer__taken(city, ledger, issue, propose, answer_in):
    issue()
    propose(answer_in=answer_in)
    ledger.accept(1, sender=city.bank)


def test_pledge__time_to_answer_out_of_bounds__refused(city, issue, propose):
    issue()
    now = city.chain.time
    with reverts("WarehouseLedger_AnswerInPast", answerBy=now - 1, chainTime=now):
        propose(answer_in=-1)
    with reverts("WarehouseLedger_AnswerTooLate", answerBy=now + MAX_ANSWER + 1, latest=now + MAX_ANSWER):
        propose(answer_in=MAX_ANSWER + 1)
    with reverts("WarehouseLedger_AnswerTooLate", answerBy=2**64 - 1, latest=now + MAX_ANSWER):
        propose(answer_in=2**64 - 1 - now)


@pytest.mark.parametrize("bank", ["supplier", "warehouse"])
def test_pledge__to_the_owner_or_the_warehouse__refused(city, issue, propose, bank):
    issue()
    with reverts("WarehouseLedger_WrongBank", receiptId=1, bank=getattr(city, bank)):
        propose(bank=getattr(city, bank))


@pytest.mark.parametrize("supervisor", ["supplier", "warehouse", "bank"])
def test_pledge__supervisor_who_is_no_third_party__refused(city, issue, propose, supervisor):
    issue()
    with reverts("WarehouseLedger_WrongSupervisor", receiptId=1, supervisor=getattr(city, supervisor)):
        propose(supervisor=getattr(city, supervisor))


@pytest.mark.parametrize("party", ["bank", "supervisor"])
def test_pledge__party_that_nobody_knows__refused(issue, propose, party):
    issue()
    with reverts("Members_NotEnrolled", account=NOBODY):
        propose(**{party: NOBODY})


@pytest.mark.parametrize("party", ["supplier", "bank", "supervisor"])
@pytest.mark.parametrize("status", ["suspend", "retire"])
def test_pledge__party_that_may_do_no_new_business__refused(city, issue, propose, suspend, retire, party, status):
    issue()
    (suspend if status == "suspend" else retire)(getattr(city, party))
    error = "Members_Suspended" if status == "suspend" else "Members_Retired"
    with reverts(error, account=getattr(city, party)):
        propose()


@pytest.mark.parametrize("member", ["warehouse", "bank", "debtor", "supervisor", "court"])
def test_pledge__by_another_than_the_owner__refused(city, issue, propose, member):
    issue()
    with reverts("WarehouseLedger_NotOwner", receiptId=1, actor=getattr(city, member)):
        propose(sender=getattr(city, member), bank=city.bank2)


def test_pledge__gas__does_not_depend_on_how_many_there_are(city, ledger, issue, propose):
    def costs():
        made = propose(quantity=1)
        number = made.value
        done = [
            made,
            ledger.accept(number, sender=city.bank),
            ledger.confirm(number, BASIS, sender=city.supervisor),
            ledger.release(number, 1, sender=city.bank),
        ]
        dropped = propose(quantity=1, answer_in=0).value
        city.chain.mine()
        return [receipt.gas_used for receipt in (*done, ledger.lapse(dropped, sender=city.bank))]

    issue()
    propose(quantity=1)
    city.chain.mine()  # a zero byte in `answerBy` would cost less
    before = costs()
    for n in range(3, 35):
        issue(bytes([n]) * 32)
        propose(quantity=1)
        propose(quantity=1, answer_in=0)
    assert costs() == before


# --- accept and confirm


def test_answers__at_the_last_second__taken(city, ledger, issue, propose):
    issue()
    propose(answer_in=100)
    city.chain.mine(100)
    ledger.accept(1, sender=city.bank)
    ledger.confirm(1, BASIS, sender=city.supervisor)


@pytest.mark.parametrize("state", UNANSWERED)
def test_answers__a_second_late__refused_by_time_alone(city, ledger, pledge_in, state):
    number = pledge_in(state)
    by = ledger.pledgeOf(number).answerBy
    city.chain.mine(by - city.chain.time)
    assert not ledger.hasLapsed(number)
    city.chain.mine(1)
    assert ledger.hasLapsed(number)
    assert ledger.pledgeOf(number).state == state
    with reverts("WarehouseLedger_HasLapsed", pledgeId=number, answerBy=by, chainTime=by + 1):
        if state == Pledged.PROPOSED:
            ledger.accept(number, sender=city.bank)
        else:
            ledger.confirm(number, BASIS, sender=city.supervisor)


@pytest.mark.parametrize("member", ["supplier", "warehouse", "supervisor", "court", "founder"])
def test_accept__without_the_role__refused(city, ledger, pledge_in, member):
    number, caller = pledge_in(Pledged.PROPOSED), getattr(city, member)
    with reverts("AccessManagedUnauthorized", caller=caller):
        ledger.accept(number, sender=caller)


def test_accept__by_another_bank__refused(city, ledger, pledge_in):
    number = pledge_in(Pledged.PROPOSED)
    with reverts("WarehouseLedger_NotBank", pledgeId=number, actor=city.bank2):
        ledger.accept(number, sender=city.bank2)


def test_accept__named_bank_that_is_none__lapses(city, ledger, issue, propose):
    issue()
    number = propose(bank=city.debtor).value
    with reverts("AccessManagedUnauthorized", caller=city.debtor):
        ledger.accept(number, sender=city.debtor)


@pytest.mark.parametrize("member", ["supplier", "warehouse", "bank", "court", "founder"])
def test_confirm__without_the_role__refused(city, ledger, pledge_in, member):
    number, caller = pledge_in(Pledged.ACCEPTED), getattr(city, member)
    with reverts("AccessManagedUnauthorized", caller=caller):
        ledger.confirm(number, BASIS, sender=caller)


def test_confirm__by_another_supervisor__refused(city, ledger, pledge_in, admit):
    number, other = pledge_in(Pledged.ACCEPTED), admit(NOBODY, SUPERVISOR)
    with reverts("WarehouseLedger_NotSupervisor", pledgeId=number, actor=other):
        ledger.confirm(number, BASIS, sender=other)


@pytest.mark.parametrize("party", ["supplier", "bank", "supervisor"])
@pytest.mark.parametrize("state", UNANSWERED)
def test_answers__suspended_party__refused(city, ledger, pledge_in, suspend, state, party):
    number = pledge_in(state)
    suspend(getattr(city, party))
    with reverts("Members_Suspended", account=getattr(city, party)):
        if state == Pledged.PROPOSED:
            ledger.accept(number, sender=city.bank)
        else:
            ledger.confirm(number, BASIS, sender=city.supervisor)


def test_answers__by_a_receiver__refused_for_it_is_new_business(city, ledger, pledge_in, receiver_of):
    number = pledge_in(Pledged.PROPOSED)
    receiver = receiver_of(city.bank, city.bank2)
    with reverts("WarehouseLedger_NotBank", pledgeId=number, actor=receiver):
        ledger.accept(number, sender=receiver)


# --- decline, withdraw, lapse


@pytest.mark.parametrize("state", UNANSWERED)
@pytest.mark.parametrize("member", ["bank", "supervisor"])
@pytest.mark.parametrize("late", [False, True])
def test_decline__by_bank_or_supervisor__goods_are_free(city, ledger, pledge_in, suspend, state, member, late):
    number, caller = pledge_in(state), getattr(city, member)
    suspend(caller)
    city.chain.mine(2 * DAY if late else 1)
    args = {"pledgeId": number, "actor": caller, "basis": BASIS}
    assert ledger.decline(number, BASIS, sender=caller).events == [Event("WarehouseLedger", "PledgeDeclined", args)]
    found = ledger.pledgeOf(number)
    assert (found.state, found.quantity, ledger.receipt(1).pledged) == (Pledged.DECLINED, 200_000, 0)
    assert not ledger.hasLapsed(number)


def test_decline__by_another__refused(city, ledger, pledge_in):
    number = pledge_in(Pledged.PROPOSED)
    for caller in (city.supplier, city.warehouse, city.bank2, city.court, NOBODY):
        with reverts("WarehouseLedger_NotBankOrSupervisor", pledgeId=number, actor=caller):
            ledger.decline(number, BASIS, sender=caller)


@pytest.mark.parametrize("state", UNANSWERED)
@pytest.mark.parametrize("late", [False, True])
def test_withdraw__by_the_owner__goods_are_free(city, ledger, pledge_in, suspend, state, late):
    number = pledge_in(state)
    suspend(city.supplier)
    city.chain.mine(2 * DAY if late else 1)
    args = {"pledgeId": number, "actor": city.supplier}
    assert ledger.withdraw(number, sender=city.supplier).events == [Event("WarehouseLedger", "PledgeWithdrawn", args)]
    assert (ledger.pledgeOf(number).state, ledger.receipt(1).pledged) == (Pledged.WITHDRAWN, 0)


def test_withdraw__by_another__refused(city, ledger, pledge_in):
    number = pledge_in(Pledged.PROPOSED)
    for caller in (city.warehouse, city.bank, city.supervisor, city.court, NOBODY):
        with reverts("WarehouseLedger_NotOwner", receiptId=1, actor=caller):
            ledger.withdraw(number, sender=caller)


@pytest.mark.parametrize("state", UNANSWERED)
def test_lapse__after_the_time_to_answer__by_anyone(city, ledger, pledge_in, state):
    number = pledge_in(state)
    by = ledger.pledgeOf(number).answerBy
    city.chain.mine(by - city.chain.time)
    with reverts("WarehouseLedger_NotLapsed", pledgeId=number, answerBy=by, chainTime=by):
        ledger.lapse(number, sender=NOBODY)
    city.chain.mine(1)
    args = {"pledgeId": number, "actor": NOBODY}
    assert ledger.lapse(number, sender=NOBODY).events == [Event("WarehouseLedger", "PledgeLapsed", args)]
    assert (ledger.pledgeOf(number).state, ledger.receipt(1).pledged) == (Pledged.LAPSED, 0)
    assert not ledger.hasLapsed(number)


# --- release and enforce


@pytest.mark.parametrize("status", ["suspend", "retire"])
def test_release__everybody_suspended_or_retired__goes_on(city, ledger, pledge_in, suspend, retire, status):
    number = pledge_in(Pledged.ACTIVE)
    for party in (city.bank, city.supplier, city.supervisor, city.warehouse):
        (suspend if status == "suspend" else retire)(party)
    ledger.release(number, 200_000, sender=city.bank)
    assert ledger.free(1) == QUANTITY


def test_release__wrong_quantity__refused(city, ledger, pledge_in):
    number = pledge_in(Pledged.ACTIVE)
    with reverts("WarehouseLedger_ZeroQuantity", id=number):
        ledger.release(number, 0, sender=city.bank)
    for quantity in (200_001, MAX):
        with reverts("WarehouseLedger_InsufficientPledged", pledgeId=number, pledged=200_000, requested=quantity):
            ledger.release(number, quantity, sender=city.bank)


def test_release__by_another__refused(city, ledger, pledge_in):
    number = pledge_in(Pledged.ACTIVE)
    for caller in (city.supplier, city.warehouse, city.supervisor, city.bank2, city.court):
        with reverts("WarehouseLedger_NotBank", pledgeId=number, actor=caller):
            ledger.release(number, 1, sender=caller)


def test_ways_out__by_receivers__each_for_its_member(city, ledger, pledge_in, receiver_of):
    """A bank's receiver declines and releases, a supervisor's declines, an owner's withdraws; one that is suspended itself does nothing."""
    active, by_bank, by_supervisor, by_owner, rest = (
        pledge_in(state, 10) for state in (Pledged.ACTIVE, *[Pledged.PROPOSED] * 4)
    )
    for_bank = receiver_of(city.bank, city.bank2)
    for_supervisor = receiver_of(city.supervisor, city.institute)
    for_owner = receiver_of(city.supplier, city.hospital)
    assert ledger.release(active, 10, sender=for_bank).only("PledgeReleased")["actor"] == for_bank
    assert ledger.decline(by_bank, BASIS, sender=for_bank).only("PledgeDeclined")["actor"] == for_bank
    ledger.decline(by_supervisor, BASIS, sender=for_supervisor)
    assert ledger.withdraw(by_owner, sender=for_owner).only("PledgeWithdrawn")["actor"] == for_owner
    with reverts("WarehouseLedger_NotOwner", receiptId=1, actor=for_bank):
        ledger.withdraw(rest, sender=for_bank)
    city.contract("Members").suspend(for_owner, BASIS, sender=city.founder)
    with reverts("WarehouseLedger_NotOwner", receiptId=1, actor=for_owner):
        ledger.withdraw(rest, sender=for_owner)


def test_enforce__in_part__goods_leave_pledge_and_receipt(city, ledger, register, pledge_in):
    number = pledge_in(Pledged.ACTIVE)
    done = ledger.enforce(number, 150_000, city.debtor, BASIS, sender=city.court)
    args = {"pledgeId": number, "actor": city.court, "to": city.debtor, "quantity": 150_000, "left": 50_000}
    assert done.events == [Event("WarehouseLedger", "PledgeEnforced", args | {"basis": BASIS})]
    assert (ledger.pledgeOf(number).state, ledger.pledgeOf(number).quantity) == (Pledged.ACTIVE, 50_000)
    found = ledger.receipt(1)
    assert (found.owner, found.quantity, found.pledged, ledger.free(1)) == (city.supplier, 350_000, 50_000, 300_000)
    ledger.release(number, 50_000, sender=city.bank)
    assert ledger.pledgeOf(number).state == Pledged.RELEASED
    assert register.entryOf(FINGERPRINT).state == ENTERED


@pytest.mark.parametrize("to", ["bank", "supplier", "debtor"])
def test_enforce__all_that_there_is__receipt_ends_and_the_lot_is_given_back(city, ledger, register, pledge_in, to):
    number, to = pledge_in(Pledged.ACTIVE, quantity=QUANTITY), getattr(city, to)
    done = ledger.enforce(number, QUANTITY, to, BASIS, sender=city.court)
    args = {"pledgeId": number, "actor": city.court, "to": to, "quantity": QUANTITY, "left": 0, "basis": BASIS}
    left = {"fingerprint": FINGERPRINT, "actor": city.court, "application": ledger.address, "caseId": 1}
    assert done.events == [
        Event("WarehouseLedger", "PledgeEnforced", args),
        Event("FinancingRegister", "FingerprintLeft", left),
    ]
    assert (ledger.pledgeOf(number).state, ledger.receipt(1).state) == (Pledged.ENFORCED, Held.DELIVERED)
    assert (ledger.receipt(1).quantity, ledger.receipt(1).pledged) == (0, 0)
    assert register.entryOf(FINGERPRINT).state == FREE


def test_enforce__wrong_quantity_or_taker__refused(city, ledger, pledge_in, suspend):
    number = pledge_in(Pledged.ACTIVE)
    with reverts("WarehouseLedger_ZeroQuantity", id=number):
        ledger.enforce(number, 0, city.debtor, BASIS, sender=city.court)
    with reverts("WarehouseLedger_InsufficientPledged", pledgeId=number, pledged=200_000, requested=200_001):
        ledger.enforce(number, 200_001, city.debtor, BASIS, sender=city.court)
    with reverts("Members_NotEnrolled", account=NOBODY):
        ledger.enforce(number, 1, NOBODY, BASIS, sender=city.court)
    suspend(city.debtor)
    with reverts("Members_Suspended", account=city.debtor):
        ledger.enforce(number, 1, city.debtor, BASIS, sender=city.court)
    suspend(city.court)
    with reverts("Members_Suspended", account=city.court):
        ledger.enforce(number, 1, city.bank, BASIS, sender=city.court)


def test_enforce__suspended_bank_owner_and_supervisor__goes_on(city, ledger, pledge_in, suspend):
    number = pledge_in(Pledged.ACTIVE)
    for party in (city.bank, city.supplier, city.supervisor, city.warehouse):
        suspend(party)
    ledger.enforce(number, 1, city.debtor, BASIS, sender=city.court)


@pytest.mark.parametrize("member", ["bank", "supplier", "warehouse", "supervisor", "founder"])
def test_enforce__by_another_than_the_court__refused(city, ledger, pledge_in, member):
    number, caller = pledge_in(Pledged.ACTIVE), getattr(city, member)
    with reverts("AccessManagedUnauthorized", caller=caller):
        ledger.enforce(number, 1, city.debtor, BASIS, sender=caller)


# --- forbidden transitions


ACTS = {
    "accept": ((Pledged.PROPOSED,), lambda c, w, n: w.accept(n, sender=c.bank)),
    "confirm": ((Pledged.ACCEPTED,), lambda c, w, n: w.confirm(n, BASIS, sender=c.supervisor)),
    "decline": (UNANSWERED, lambda c, w, n: w.decline(n, BASIS, sender=c.bank)),
    "withdraw": (UNANSWERED, lambda c, w, n: w.withdraw(n, sender=c.supplier)),
    "lapse": (UNANSWERED, lambda c, w, n: w.lapse(n, sender=c.supplier)),
    "release": ((Pledged.ACTIVE,), lambda c, w, n: w.release(n, 1, sender=c.bank)),
    "enforce": ((Pledged.ACTIVE,), lambda c, w, n: w.enforce(n, 1, c.debtor, BASIS, sender=c.court)),
}


@pytest.mark.parametrize(
    ("function", "state"), [(f, s) for f, (allowed, _) in ACTS.items() for s in Pledged if s not in allowed]
)
def test_pledge__in_a_state_that_does_not_allow_it__refused(city, ledger, pledge_in, function, state):
    number = pledge_in(state)
    with reverts("WarehouseLedger_WrongPledgeState", pledgeId=number, state=state):
        ACTS[function][1](city, ledger, number)


# --- invariants


@pytest.mark.parametrize("seed", range(4))
def test_w1__whatever_is_done__open_pledges_add_up_and_never_exceed_the_goods(city, ledger, issue, admit, seed):
    """Random acts of everybody on three receipts: what is pledged is the sum of the open pledges and at most what is on hand."""
    rng = random.Random(seed)
    admit(NOBODY, BANK)
    for lot in (1, 2, 3):
        issue(bytes([lot + 64]) * 32, quantity=90)
    receipts, pledges, done = (1, 2, 3), [], 0
    for _ in range(400):
        receipt, quantity = rng.choice(receipts), rng.randint(0, 9)
        number = rng.choice(pledges[-3:]) if pledges else 999
        act = rng.choice(["pledge"] * 3 + ["accept", "confirm"] * 3 + ["release", "deliver", "enforce", "drop", "time"])
        try:
            if act == "pledge":
                by = city.chain.time + rng.randint(0, 300)
                bank = rng.choice([city.bank, city.bank2])
                args = (receipt, bank, city.supervisor, quantity, 1, CNY, by)
                pledges.append(ledger.pledge(*args, sender=city.supplier).value)
            elif act == "accept":
                ledger.accept(number, sender=ledger.pledgeOf(number).bank)
            elif act == "confirm":
                ledger.confirm(number, BASIS, sender=city.supervisor)
            elif act == "release":
                ledger.release(number, quantity, sender=ledger.pledgeOf(number).bank)
            elif act == "deliver":
                ledger.deliver(receipt, quantity % 3, sender=city.warehouse)
            elif act == "enforce":
                ledger.enforce(number, quantity % 3, city.debtor, BASIS, sender=city.court)
            elif act == "drop":
                rng.choice([ledger.withdraw, ledger.lapse])(number, sender=city.supplier)
            else:
                city.chain.mine(rng.randint(1, 20))
            done += 1
        except Reverted as refusal:
            if not refusal.error.startswith(("WarehouseLedger_", "AccessManaged")):
                raise
        found = [ledger.pledgeOf(n) for n in pledges]
        for each in receipts:
            kept = ledger.receipt(each)
            assert kept.pledged == sum(p.quantity for p in found if p.receiptId == each and p.state in OPEN)
            assert kept.pledged <= kept.quantity
    assert 100 < done < 400
