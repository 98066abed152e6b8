"""Residents are parties like others, save for roles, receivers and profiles; their enrolment ends by time alone."""

from __future__ import annotations

import pytest

from tests.evm import dev_account, reverts
from tests.samples import BASIS

RESIDENT = 255
IDENTITY = b"\x44" * 32


@pytest.mark.parametrize("office", ["founder", "registry"])
def test_enrol__by_either_office__no_roles_come_with_it(city, members, authority, office):
    account = dev_account(19).address
    members.enrol(account, IDENTITY, city.chain.time + 9, sender=getattr(city, office))
    assert members.party(account).kind == members.RESIDENT() == RESIDENT
    assert members.rolesOf(RESIDENT) == []
    assert not any(authority.hasRole(role, account)[0] for role in city.city.roles.values())


@pytest.mark.parametrize("office", ["bank", "court", "supplier", "hospital"])
def test_enrol__by_another_member__refused(city, members, office):
    caller = getattr(city, office)
    with reverts("AccessManagedUnauthorized", caller=caller):
        members.enrol(dev_account(19), IDENTITY, city.chain.time + 9, sender=caller)


def test_enrol__same_commitment_twice__allowed(city, members):
    """Commitments are salted: equal ones say nothing, and refusing them would tell who is enrolled."""
    for index in (18, 19):
        members.enrol(dev_account(index), IDENTITY, city.chain.time + 9, sender=city.registry)


def test_expired__resident__statuses_stay_as_written(city, members):
    city.chain.mine(11 * 365 * 86400)
    assert members.party(city.li).status == 1
    with reverts("Members_Expired", account=city.li, validUntil=members.party(city.li).validUntil):
        members.requireBothActive(city.bank, city.li)
    members.suspend(city.li, BASIS, sender=city.founder)
    with reverts("Members_Suspended", account=city.li):  # what an office said goes before what time did
        members.requireActive(city.li)


def test_retire__resident__nothing_to_revoke(city, members):
    members.retire(city.li, BASIS, sender=city.founder)
    assert members.mayHold(city.li) is False
    with reverts("Members_WrongStatus", account=city.li, status=3, required=1):
        members.renew(city.li, city.chain.time + 9, sender=city.registry)
