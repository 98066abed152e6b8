"""Succession: proposed, contested or dismissed, completed after the waiting period; every move in every state."""

from __future__ import annotations

import pytest

from tests.evm import dev_account, reverts
from tests.samples import BASIS

WAITING = 15 * 86400
NONE, PROPOSED, COMPLETED = range(3)
NOBODY = dev_account(19).address
ZERO = "0x" + "00" * 20


@pytest.fixture
def succession(city):
    return city.contract("Succession")


@pytest.fixture
def put(city, succession):
    def placed(state):
        if state != NONE:
            succession.propose(city.li, city.wang, BASIS, sender=city.court)
            city.chain.mine(WAITING)
        if state == COMPLETED:
            succession.complete(city.li, sender=NOBODY)
        assert succession.caseOf(city.li).state == state

    return placed


MOVES = {
    "propose": (NONE, "SuccessionProposed"),
    "contest": (PROPOSED, "SuccessionContested"),
    "dismiss": (PROPOSED, "SuccessionContested"),
    "complete": (PROPOSED, "SuccessionCompleted"),
}


def move(city, succession, name):
    args, sender = {
        "propose": ((city.li, city.wang, BASIS), city.court),
        "contest": ((city.li,), city.li.address),
        "dismiss": ((city.li, BASIS), city.court),
        "complete": ((city.li,), NOBODY),
    }[name]
    return getattr(succession, name)(*args, sender=sender)


@pytest.mark.parametrize("state", [NONE, PROPOSED, COMPLETED])
@pytest.mark.parametrize("name", MOVES)
def test_state__every_move_in_every_state__allowed_or_refused(city, succession, put, name, state):
    put(state)
    starts_from, event = MOVES[name]
    if state != starts_from:
        with reverts("Succession_WrongState", predecessor=city.li, state=state):
            move(city, succession, name)
        return
    receipt = move(city, succession, name)
    li, wang = city.li.address, city.wang.address
    assert (
        receipt.only(event)
        == {
            "propose": {
                "predecessor": li,
                "actor": city.court,
                "successor": wang,
                "completableAt": city.chain.time + WAITING,
                "basis": BASIS,
            },
            "contest": {"predecessor": li, "actor": li, "basis": bytes(32)},
            "dismiss": {"predecessor": li, "actor": city.court, "basis": BASIS},
            "complete": {"predecessor": li, "actor": NOBODY, "successor": wang},
        }[name]
    )
    leads_to = {"propose": PROPOSED, "complete": COMPLETED}.get(name, NONE)
    assert succession.caseOf(city.li).state == leads_to
    assert succession.successorOf(city.li) == (wang if leads_to == COMPLETED else ZERO)


def test_propose__after_it_was_contested__begins_anew(city, succession, put):
    put(PROPOSED)
    succession.contest(city.li, sender=city.li)
    succession.propose(city.li, city.chen, BASIS, sender=city.court)
    with reverts(
        "Succession_TooEarly",
        predecessor=city.li,
        completableAt=city.chain.time + WAITING,
        chainTime=city.chain.time,
    ):
        succession.complete(city.li, sender=NOBODY)


def test_complete__a_second_early__refused(city, succession):
    succession.propose(city.li, city.wang, BASIS, sender=city.court)
    completable = city.chain.time + WAITING
    city.chain.mine(WAITING - 1)
    with reverts("Succession_TooEarly", predecessor=city.li, completableAt=completable, chainTime=completable - 1):
        succession.complete(city.li, sender=NOBODY)
    city.chain.mine(1)
    succession.complete(city.li, sender=NOBODY)


def test_propose__suspended_retired_or_expired_predecessor__may_be_succeeded(city, succession, suspend, retire):
    suspend(city.supplier)
    retire(city.debtor)
    for account in (city.supplier, city.debtor):
        succession.propose(account, city.wang, BASIS, sender=city.court)
        assert succession.caseOf(account).state == PROPOSED


def test_propose__predecessor_nobody_knows__refused(city, succession):
    for account in (NOBODY, ZERO):
        with reverts("Succession_UnknownPredecessor", account=account):
            succession.propose(account, city.wang, BASIS, sender=city.court)


def test_propose__by_itself__refused(city, succession):
    with reverts("Succession_ToItself", account=city.li):
        succession.propose(city.li, city.li, BASIS, sender=city.court)


def test_propose__successor_or_court_not_active__refused(city, succession, suspend):
    with reverts("Members_NotEnrolled", account=NOBODY):
        succession.propose(city.li, NOBODY, BASIS, sender=city.court)
    suspend(city.court)
    with reverts("Members_Suspended", account=city.court):
        succession.propose(city.li, city.wang, BASIS, sender=city.court)


def test_complete__successor_suspended_meanwhile__refused_until_reinstated(city, succession, put, suspend, members):
    put(PROPOSED)
    suspend(city.wang)
    with reverts("Members_Suspended", account=city.wang):
        succession.complete(city.li, sender=NOBODY)
    members.reinstate(city.wang, BASIS, sender=city.founder)
    succession.complete(city.li, sender=NOBODY)


def test_propose__successor_was_succeeded__refused(city, succession, put):
    put(COMPLETED)
    with reverts("Succession_SuccessorWasSucceeded", successor=city.li, by=city.wang):
        succession.propose(city.chen, city.li, BASIS, sender=city.court)


def test_complete__two_that_succeed_each_other__only_the_first(city, succession):
    succession.propose(city.li, city.wang, BASIS, sender=city.court)
    succession.propose(city.wang, city.li, BASIS, sender=city.court)
    city.chain.mine(WAITING)
    succession.complete(city.li, sender=NOBODY)
    with reverts("Succession_SuccessorWasSucceeded", successor=city.li, by=city.wang):
        succession.complete(city.wang, sender=NOBODY)


def test_contest__by_anybody_else__refused(city, succession, put):
    put(PROPOSED)
    for caller in (city.wang.address, city.court, NOBODY):
        with reverts("Succession_NotThePredecessor", actor=caller, predecessor=city.li):
            succession.contest(city.li, sender=caller)


def test_contest__suspended_predecessor__still_may(city, succession, put, suspend):
    put(PROPOSED)
    suspend(city.li)
    succession.contest(city.li, sender=city.li)


def test_dismiss__suspended_court__refused(city, succession, put, suspend):
    put(PROPOSED)
    suspend(city.court)
    with reverts("Members_Suspended", account=city.court):
        succession.dismiss(city.li, BASIS, sender=city.court)


@pytest.mark.parametrize("name", ["propose", "dismiss"])
def test_restricted__not_a_court_or_through_the_manager__refused(
    city, succession, put, authority, through_manager, name
):
    args = (city.li, city.wang, BASIS) if name == "propose" else (city.li, BASIS)
    put(NONE if name == "propose" else PROPOSED)
    with reverts("AccessManagedUnauthorized", caller=city.founder):
        getattr(succession, name)(*args, sender=city.founder)
    with reverts("Application_ManagerCannotAct", manager=authority):
        through_manager(getattr(succession, name), *args, sender=city.court)
