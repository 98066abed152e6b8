"""Mandates: powers of attorney that principals give and withdraw, guardianships that only an office ends."""

from __future__ import annotations

import pytest

from tests.evm import dev_account, reverts
from tests.samples import BASIS

SCOPE = b"PROPERTY".ljust(32, b"\0")
OTHER_SCOPE = b"MONEY".ljust(32, b"\0")
NONE, ATTORNEY, GUARDIAN = range(3)
LONGEST = 5 * 365 * 86400
NOBODY = dev_account(19).address
DAY = 86400


@pytest.fixture
def mandates(city):
    return city.contract("Mandates")


@pytest.fixture
def grant(city, mandates):
    return lambda days=1: mandates.grant(city.wang, SCOPE, city.chain.time + days * DAY, sender=city.li)


@pytest.fixture
def appoint(city, mandates):
    def appointed(days=1, guardian=None):
        args = (city.li, guardian or city.wang, SCOPE, city.chain.time + days * DAY, BASIS)
        return mandates.appointGuardian(*args, sender=city.court)

    return appointed


def test_grant__by_the_principal__agent_may_act_until_the_last_second(city, mandates, grant):
    until = city.chain.time + DAY
    assert grant().only("MandateGranted") == {
        "principal": city.li.address,
        "actor": city.li.address,
        "agent": city.wang.address,
        "scope": SCOPE,
        "kind": ATTORNEY,
        "validUntil": until,
        "basis": bytes(32),
    }
    assert tuple(mandates.mandate(city.li, city.wang, SCOPE)) == (ATTORNEY, until)
    city.chain.mine(DAY)
    assert mandates.mayAct(city.wang, city.li, SCOPE) is True
    city.chain.mine(1)
    assert mandates.mayAct(city.wang, city.li, SCOPE) is False


def test_may_act__other_scope_other_agent_or_the_other_way__no(city, mandates, grant):
    grant()
    assert mandates.mayAct(city.wang, city.li, OTHER_SCOPE) is False
    assert mandates.mayAct(city.chen, city.li, SCOPE) is False
    assert mandates.mayAct(city.li, city.wang, SCOPE) is False
    assert mandates.mayAct(NOBODY, "0x" + "00" * 20, SCOPE) is False


def test_may_act__as_oneself__always(city, mandates, suspend):
    suspend(city.li)
    for account in (city.li.address, NOBODY):
        assert mandates.mayAct(account, account, SCOPE) is True


def test_may_act__agent_suspended_retired_or_expired__no(city, mandates, grant, suspend, retire):
    grant(days=1825)
    with city.chain.isolated():
        suspend(city.wang)
        assert mandates.mayAct(city.wang, city.li, SCOPE) is False
    with city.chain.isolated():
        retire(city.wang)
        assert mandates.mayAct(city.wang, city.li, SCOPE) is False
    city.contract("Members").renew(city.wang, city.chain.time + DAY, sender=city.registry)
    city.chain.mine(2 * DAY)
    assert mandates.mayAct(city.wang, city.li, SCOPE) is False


def test_grant__again__replaces(city, mandates, grant):
    grant(days=9)
    grant(days=1)
    assert mandates.mandate(city.li, city.wang, SCOPE).validUntil == city.chain.time + DAY


def test_grant__to_oneself__refused(city, mandates):
    with reverts("Mandates_SelfMandate", account=city.li):
        mandates.grant(city.li, SCOPE, city.chain.time + DAY, sender=city.li)


def test_grant__no_scope__refused(city, mandates):
    with reverts("Mandates_EmptyScope"):
        mandates.grant(city.wang, bytes(32), city.chain.time + DAY, sender=city.li)


@pytest.mark.parametrize("late", [0, -1])
def test_grant__validity_in_the_past__refused(city, mandates, late):
    with reverts("Mandates_ValidityInPast", validUntil=city.chain.time + late, chainTime=city.chain.time):
        mandates.grant(city.wang, SCOPE, city.chain.time + late, sender=city.li)


@pytest.mark.parametrize("until", [1, 2**64 - 1])
def test_grant__too_long__refused(city, mandates, until):
    latest = city.chain.time + LONGEST
    until = latest + 1 if until == 1 else until
    with reverts("Mandates_ValidityTooLong", validUntil=until, latest=latest):
        mandates.grant(city.wang, SCOPE, until, sender=city.li)
    mandates.grant(city.wang, SCOPE, latest, sender=city.li)


@pytest.mark.parametrize("who", ["li", "wang"])
def test_grant__either_suspended__refused(city, grant, suspend, who):
    suspend(getattr(city, who))
    with reverts("Members_Suspended", account=getattr(city, who)):
        grant()


def test_grant__either_never_enrolled__refused(city, mandates):
    for sender, agent in ((NOBODY, city.li.address), (city.li.address, NOBODY)):
        with reverts("Members_NotEnrolled", account=NOBODY):
            mandates.grant(agent, SCOPE, city.chain.time + DAY, sender=sender)


def test_withdraw__own__ended_at_once_also_while_suspended(city, mandates, grant, suspend):
    grant()
    suspend(city.li)
    receipt = mandates.withdraw(city.wang, SCOPE, sender=city.li)
    assert receipt.only("MandateEnded") == {
        "principal": city.li.address,
        "actor": city.li.address,
        "agent": city.wang.address,
        "scope": SCOPE,
        "basis": bytes(32),
    }
    assert mandates.mayAct(city.wang, city.li, SCOPE) is False


def test_withdraw__none_or_twice__refused(city, mandates, grant):
    with reverts("Mandates_NoMandate", principal=city.li, agent=city.wang, scope=SCOPE):
        mandates.withdraw(city.wang, SCOPE, sender=city.li)
    grant()
    mandates.withdraw(city.wang, SCOPE, sender=city.li)
    with reverts("Mandates_NoMandate", principal=city.li, agent=city.wang, scope=SCOPE):
        mandates.withdraw(city.wang, SCOPE, sender=city.li)


def test_withdraw__by_the_agent__is_its_own_mandate_only(city, mandates, grant):
    grant()
    with reverts("Mandates_NoMandate", principal=city.wang, agent=city.li, scope=SCOPE):
        mandates.withdraw(city.li, SCOPE, sender=city.wang)


def test_appoint_guardian__by_a_court__in_force(city, mandates, appoint):
    assert appoint().only("MandateGranted") == {
        "principal": city.li.address,
        "actor": city.court,
        "agent": city.wang.address,
        "scope": SCOPE,
        "kind": GUARDIAN,
        "validUntil": city.chain.time + DAY,
        "basis": BASIS,
    }
    assert mandates.mayAct(city.wang, city.li, SCOPE) is True


def test_guardianship__in_force__ward_can_neither_withdraw_nor_replace_it(city, mandates, grant, appoint):
    appoint()
    city.chain.mine(DAY - 1)
    error = {"principal": city.li, "agent": city.wang, "scope": SCOPE}
    with reverts("Mandates_GuardianshipInForce", **error):
        mandates.withdraw(city.wang, SCOPE, sender=city.li)
    with reverts("Mandates_GuardianshipInForce", **error):
        grant()


def test_guardianship__expired__binds_no_longer(city, mandates, grant, appoint):
    appoint()
    city.chain.mine(DAY + 1)
    with city.chain.isolated():
        mandates.withdraw(city.wang, SCOPE, sender=city.li)
    grant()
    assert mandates.mandate(city.li, city.wang, SCOPE).kind == ATTORNEY


def test_appoint_guardian__over_a_power_of_attorney__takes_its_place(city, mandates, grant, appoint):
    grant()
    appoint()
    assert mandates.mandate(city.li, city.wang, SCOPE).kind == GUARDIAN


@pytest.mark.parametrize("who", ["li", "wang", "court"])
def test_appoint_guardian__anybody_suspended__refused(city, appoint, suspend, who):
    suspend(getattr(city, who))
    with reverts("Members_Suspended", account=getattr(city, who)):
        appoint()


def test_appoint_guardian__of_oneself__refused(city, appoint):
    with reverts("Mandates_SelfMandate", account=city.li):
        appoint(guardian=city.li)


@pytest.mark.parametrize("kind", [ATTORNEY, GUARDIAN])
def test_end__by_a_court__either_kind(city, mandates, grant, appoint, kind):
    grant() if kind == ATTORNEY else appoint()
    receipt = mandates.end(city.li, city.wang, SCOPE, BASIS, sender=city.court)
    assert receipt.only("MandateEnded") == {
        "principal": city.li.address,
        "actor": city.court,
        "agent": city.wang.address,
        "scope": SCOPE,
        "basis": BASIS,
    }
    assert tuple(mandates.mandate(city.li, city.wang, SCOPE)) == (NONE, 0)


def test_end__none__refused(city, mandates):
    with reverts("Mandates_NoMandate", principal=city.li, agent=city.wang, scope=SCOPE):
        mandates.end(city.li, city.wang, SCOPE, BASIS, sender=city.court)


def test_end__suspended_court__refused(city, mandates, grant, suspend):
    grant()
    suspend(city.court)
    with reverts("Members_Suspended", account=city.court):
        mandates.end(city.li, city.wang, SCOPE, BASIS, sender=city.court)


@pytest.mark.parametrize("name", ["appointGuardian", "end"])
def test_restricted__not_a_court_or_through_the_manager__refused(city, mandates, authority, through_manager, name):
    args = {
        "appointGuardian": (city.li, city.wang, SCOPE, city.chain.time + DAY, BASIS),
        "end": (city.li, city.wang, SCOPE, BASIS),
    }[name]
    with reverts("AccessManagedUnauthorized", caller=city.bank):
        getattr(mandates, name)(*args, sender=city.bank)
    with reverts("Application_ManagerCannotAct", manager=authority):
        through_manager(getattr(mandates, name), *args, sender=city.court)


@pytest.mark.parametrize("name", ["grant", "withdraw"])
def test_open__through_the_manager__refused(city, mandates, authority, through_manager, name):
    args = (city.wang, SCOPE, city.chain.time + DAY)[: 3 if name == "grant" else 2]
    with reverts("Application_ManagerCannotAct", manager=authority):
        through_manager(getattr(mandates, name), *args, sender=dev_account(0))
