"""What every application and desk inherits: who acts, in whose name, and that the manager never does."""

from __future__ import annotations

import pytest

from tests.evm import Reverted, dev_account, reverts
from tests.signing import forward_request

SCOPE = b"PROPERTY".ljust(32, b"\0")
NOBODY = dev_account(19).address


@pytest.fixture
def desk(city):
    names = ("Authority", "Forwarder", "Members", "Mandates", "Currencies", "Escrow")
    return city.chain.deploy("DeskMock", tuple(city.contract(n).address for n in names))


def test_act__anybody__is_the_actor(desk):
    assert desk.act(sender=NOBODY).only("Acted") == {"actor": NOBODY, "data": desk.act.encode()}


def test_act_active__status_decides(city, desk, suspend, retire):
    assert desk.actActive(sender=city.li).only("Acted")["actor"] == city.li.address
    with reverts("Members_NotEnrolled", account=NOBODY):
        desk.actActive(sender=NOBODY)
    suspend(city.bank)
    with reverts("Members_Suspended", account=city.bank):
        desk.actActive(sender=city.bank)
    retire(city.bank)
    with reverts("Members_Retired", account=city.bank):
        desk.actActive(sender=city.bank)
    city.chain.mine(11 * 365 * 86400)
    until = city.contract("Members").party(city.li).validUntil
    with reverts("Members_Expired", account=city.li, validUntil=until):
        desk.actActive(sender=city.li)


def test_act_with__counterparty_not_active__refused(city, desk, suspend):
    desk.actWith(city.bank, sender=city.li)
    suspend(city.bank)
    with reverts("Members_Suspended", account=city.bank):
        desk.actWith(city.bank, sender=city.li)
    with reverts("Members_Suspended", account=city.bank):
        desk.actWith(city.li, sender=city.bank)


def test_act_for__with_and_without_a_mandate(city, desk):
    assert desk.actFor(city.li, SCOPE, sender=city.li).only("Acted")["actor"] == city.li.address
    with reverts("Desk_NotAuthorized", actor=city.wang, principal=city.li, scope=SCOPE):
        desk.actFor(city.li, SCOPE, sender=city.wang)
    city.contract("Mandates").grant(city.wang, SCOPE, city.chain.time + 9, sender=city.li)
    assert desk.actFor(city.li, SCOPE, sender=city.wang).only("Acted")["actor"] == city.wang.address
    city.chain.mine(10)
    with reverts("Desk_NotAuthorized", actor=city.wang, principal=city.li, scope=SCOPE):
        desk.actFor(city.li, SCOPE, sender=city.wang)


@pytest.mark.parametrize("name", ["act", "actActive", "actRestricted", "actWith", "actFor"])
def test_any__through_the_manager__refused(city, desk, authority, through_manager, name):
    args = {"actWith": (city.bank,), "actFor": (authority, SCOPE)}.get(name, ())
    with reverts("Application_ManagerCannotAct", manager=authority):
        through_manager(getattr(desk, name), *args, sender=dev_account(0))


def test_restricted__without_a_role_set__the_admin_only(city, desk):
    desk.actRestricted(sender=dev_account(0))
    for caller in (city.bank, city.court, NOBODY):
        with reverts("AccessManagedUnauthorized", caller=caller):
            desk.actRestricted(sender=caller)


def test_restricted__with_a_delay__scheduled_then_called_directly_or_forwarded(city, desk, authority):
    """Delayed calls are scheduled, then called directly; the schedule is for the data without the forwarder's suffix."""
    admin = dev_account(0)
    selector = desk.actRestricted.encode()
    authority.setTargetFunctionRole(desk, [selector], 42, sender=admin)
    authority.grantRole(42, city.li, 60, sender=admin)
    forwarder = city.contract("Forwarder")
    request = forward_request(forwarder, (desk.actRestricted,), city.li.key, city.li.address)
    with pytest.raises(Reverted, match="AccessManagerNotScheduled"):
        desk.actRestricted(sender=city.li)

    authority.schedule(desk, selector, 0, sender=city.li)
    with pytest.raises(Reverted, match="AccessManagerNotReady"):
        forwarder.execute(request, sender=NOBODY)
    city.chain.mine(60)
    assert forwarder.execute(request, sender=NOBODY).only("Acted")["actor"] == city.li.address
    with pytest.raises(Reverted, match="AccessManagerNotScheduled"):
        desk.actRestricted(sender=city.li)


def test_set_authority__by_anybody_but_the_authority__refused(city, desk):
    for caller in (NOBODY, dev_account(0).address):
        with reverts("AccessManagedUnauthorized", caller=caller):
            desk.setAuthority(NOBODY, sender=caller)
