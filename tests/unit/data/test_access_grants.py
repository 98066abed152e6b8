"""AccessGrants: every transition that is allowed, every one that is not, and the money to the fen."""

from __future__ import annotations

import pytest

from tests.city import CNY
from tests.evm import reverts

from .conftest import ANSWER, MAX_USES, PERIOD, PRICE, PURPOSE, GrantState

LARGEST_PRICE = 2**96 - 1
LONGEST = 5 * 365 * 86_400


def make_offer(data, sender=None, **changes):
    data.datasets.datasetCount() or data.dataset()
    facts = {"dataset": 1, "purpose": PURPOSE, "currency": CNY, "price": PRICE, "period": PERIOD, "uses": 5, **changes}
    return data.grants.offer(*facts.values(), sender=sender or data.hospital)


# --- offers


def test_offer__by_the_holder__recorded(data):
    receipt = make_offer(data)

    assert (receipt.value, len(receipt.events)) == (1, 1)
    assert receipt.only("OfferMade") == {
        "offerId": 1, "actor": data.hospital, "datasetId": 1, "purpose": PURPOSE, "currency": CNY, "price": PRICE,
        "period": PERIOD, "maxUses": 5,
    }  # fmt: skip
    assert data.grants.offerOf(1) == (data.hospital, PERIOD, 5, 1, data.city.token.address, PRICE, 1, PURPOSE)
    assert data.grants.offerCount() == 1


def test_offer__largest_numbers__recorded(data):
    make_offer(data, price=LARGEST_PRICE, period=LONGEST, uses=65_535)
    assert data.grants.offerOf(1)[1:3] + data.grants.offerOf(1)[5:6] == (LONGEST, 65_535, LARGEST_PRICE)


def test_offer__terms_out_of_range__refused(data):
    with reverts("AccessGrants_EmptyPurpose"):
        make_offer(data, purpose=bytes(24))
    with reverts("AccessGrants_PriceTooHigh", price=2**96, highest=LARGEST_PRICE):
        make_offer(data, price=2**96)
    for period in (0, LONGEST + 1, 2**64 - 1):
        with reverts("AccessGrants_PeriodOutOfRange", period=period, longest=LONGEST):
            make_offer(data, period=period)
    with reverts("AccessGrants_NoUses"):
        make_offer(data, uses=0)
    with reverts("Currencies_NotListed", currency=b"XXX"):
        make_offer(data, currency=b"XXX")


def test_offer__wrong_party__refused(data):
    other = data.second_hospital()
    with reverts("DatasetRegistry_NotTheHolder", datasetId=1, actor=other, holder=data.hospital):
        make_offer(data, sender=other)
    with reverts("DatasetRegistry_UnknownDataset", datasetId=2):
        make_offer(data, dataset=2)
    with reverts("AccessManagedUnauthorized", caller=data.institute):
        make_offer(data, sender=data.institute)
    data.suspend(data.hospital)
    with reverts("Members_Suspended", account=data.hospital):
        make_offer(data)


def test_withdraw_offer__open__no_new_requests_but_old_ones_go_on(data):
    grant = data.requested()
    receipt = data.grants.withdrawOffer(1, sender=data.hospital)

    assert receipt.only("OfferWithdrawn") == {"offerId": 1, "actor": data.hospital}
    with reverts("AccessGrants_OfferNotOpen", offerId=1, state=2):
        data.grants.request(1, 1, sender=data.institute)
    with reverts("AccessGrants_OfferNotOpen", offerId=1, state=2):
        data.grants.withdrawOffer(1, sender=data.hospital)
    data.grants.approve(grant, sender=data.hospital)
    assert data.grant_state(grant) == GrantState.APPROVED


def test_withdraw_offer__unknown_or_by_another__refused(data):
    with reverts("AccessGrants_OfferNotOpen", offerId=1, state=0):
        data.grants.withdrawOffer(1, sender=data.hospital)
    data.offer()
    with reverts("AccessGrants_NotTheHolder", id=1, actor=data.institute, holder=data.hospital):
        data.grants.withdrawOffer(1, sender=data.institute)


# --- requests


def test_request__paid__money_in_escrow_and_request_recorded(data):
    offer = data.offer()
    data.city.fund(data.institute, 3 * PRICE + 7)
    data.city.approve_escrow(data.institute, 3 * PRICE)
    receipt = data.grants.request(offer, 3, sender=data.institute)

    assert receipt.value == 1
    assert receipt.only("GrantRequested") == {
        "grantId": 1, "actor": data.institute, "offerId": offer, "uses": 3, "amount": 3 * PRICE,
        "answerBy": data.now + ANSWER,
    }  # fmt: skip
    assert [e.name for e in receipt.events] == ["GrantRequested", "Held", "Transfer"]
    assert receipt.only("Held")["desk"] == data.grants.address
    assert data.grants.grantOf(1) == (data.institute, data.now + ANSWER, 3, 0, GrantState.REQUESTED, offer, 3)
    assert (data.held(1), data.city.token.balanceOf(data.institute), data.grants.grantCount()) == (3 * PRICE, 7, 1)
    assert data.grants.isUsable(1) is False


def test_request__largest_numbers__held_to_the_fen(data):
    data.city.contract("SettlementToken:CNY").setCap(data.city.bank, 2**127 - 1, sender=data.city.founder)
    offer = data.offer(price=LARGEST_PRICE, max_uses=65_535)
    grant = data.requested(65_535, offer=offer, price=LARGEST_PRICE)
    assert data.held(grant) == LARGEST_PRICE * 65_535
    data.grants.deny(grant, sender=data.hospital)
    assert (data.held(grant), data.claimable(data.institute)) == (0, LARGEST_PRICE * 65_535)


def test_request__free_offer__needs_no_money(data):
    grant = data.approved(2, price=0)
    job = data.submitted(grant)
    data.desk.accept(job, sender=data.hospital)
    data.complete(job)
    data.city.chain.mine(PERIOD + 1)
    assert data.grants.expire(grant, sender=data.institute).only("GrantExpired")["refunded"] == 0
    assert (data.held(grant), data.claimable(data.hospital), data.claimable(data.institute)) == (0, 0, 0)


def test_request__not_within_the_offer__refused(data):
    with reverts("AccessGrants_OfferNotOpen", offerId=1, state=0):
        data.grants.request(1, 1, sender=data.institute)
    data.offer()
    with reverts("AccessGrants_NoUses"):
        data.grants.request(1, 0, sender=data.institute)
    with reverts("AccessGrants_TooManyUses", offerId=1, uses=6, maxUses=MAX_USES):
        data.grants.request(1, 6, sender=data.institute)
    with reverts("AccessGrants_OwnOffer", offerId=1, holder=data.hospital):
        data.grants.request(1, 1, sender=data.hospital)


def test_request__not_paid__refused(data):
    data.offer()
    with reverts("ERC20InsufficientAllowance", spender=data.escrow, allowance=0, needed=PRICE):
        data.grants.request(1, 1, sender=data.institute)
    data.city.approve_escrow(data.institute, PRICE)
    with reverts("ERC20InsufficientBalance", sender=data.institute, balance=0, needed=PRICE):
        data.grants.request(1, 1, sender=data.institute)


def test_request__without_role_or_with_a_suspended_party__refused(data):
    data.offer()
    with reverts("AccessManagedUnauthorized", caller=data.city.bank):
        data.grants.request(1, 1, sender=data.city.bank)
    data.suspend(data.institute)
    with reverts("Members_Suspended", account=data.institute):
        data.grants.request(1, 1, sender=data.institute)


def test_request__holder_suspended__refused(data):
    data.offer()
    data.suspend(data.hospital)
    with reverts("Members_Suspended", account=data.hospital):
        data.grants.request(1, 1, sender=data.institute)


# --- answers


def test_approve__in_the_last_second__good_for_the_period(data):
    grant = data.requested()
    data.city.chain.mine(ANSWER)
    receipt = data.grants.approve(grant, sender=data.hospital)

    assert [e.name for e in receipt.events] == ["GrantApproved"]
    assert receipt.only("GrantApproved") == {
        "grantId": grant, "actor": data.hospital, "validUntil": data.now + PERIOD,
    }  # fmt: skip
    assert data.grants.grantOf(grant) == (data.institute, data.now + PERIOD, 3, 0, GrantState.APPROVED, 1, 3)
    assert (data.held(grant), data.grants.isUsable(grant)) == (3 * PRICE, True)


def test_approve__too_late__refused(data):
    grant = data.requested()
    until = data.now + ANSWER
    data.city.chain.mine(ANSWER + 1)
    with reverts("AccessGrants_TooLate", grantId=grant, until=until, chainTime=until + 1):
        data.grants.approve(grant, sender=data.hospital)


def test_approve__wrong_party__refused(data):
    grant = data.requested()
    other = data.second_hospital()
    with reverts("AccessGrants_NotTheHolder", id=grant, actor=other, holder=data.hospital):
        data.grants.approve(grant, sender=other)
    with reverts("AccessManagedUnauthorized", caller=data.institute):
        data.grants.approve(grant, sender=data.institute)
    data.suspend(data.institute)
    with reverts("Members_Suspended", account=data.institute):
        data.grants.approve(grant, sender=data.hospital)


def test_approve__holder_suspended__refused_but_may_deny(data):
    grant = data.requested()
    data.suspend(data.hospital)
    with reverts("Members_Suspended", account=data.hospital):
        data.grants.approve(grant, sender=data.hospital)
    data.grants.deny(grant, sender=data.hospital)
    assert data.claimable(data.institute) == 3 * PRICE


def test_deny__requested__all_money_claimable_by_the_requester(data):
    grant = data.requested()
    receipt = data.grants.deny(grant, sender=data.hospital)

    assert receipt.only("GrantDenied") == {"grantId": grant, "actor": data.hospital, "refunded": 3 * PRICE}
    assert [e.name for e in receipt.events] == ["Released", "GrantDenied"]
    assert (data.held(grant), data.claimable(data.institute), data.claimable(data.hospital)) == (0, 3 * PRICE, 0)
    data.escrow.claim(data.institute, data.city.token, sender=data.city.li)
    assert data.city.token.balanceOf(data.institute) == 3 * PRICE


def test_deny__by_another__refused(data):
    grant = data.requested()
    with reverts("AccessGrants_NotTheHolder", id=grant, actor=data.institute, holder=data.hospital):
        data.grants.deny(grant, sender=data.institute)


def test_lapse__nobody_answered__anyone_refunds(data):
    grant = data.requested()
    until = data.now + ANSWER
    data.city.chain.mine(ANSWER)
    with reverts("AccessGrants_TooEarly", grantId=grant, until=until, chainTime=until):
        data.grants.lapse(grant, sender=data.city.li)
    data.city.chain.mine(1)
    receipt = data.grants.lapse(grant, sender=data.city.li)

    assert receipt.only("GrantLapsed") == {"grantId": grant, "actor": data.city.li.address, "refunded": 3 * PRICE}
    assert (data.held(grant), data.claimable(data.institute)) == (0, 3 * PRICE)


# --- ends


def test_revoke__some_uses_taken__only_the_rest_is_refunded(data):
    grant = data.approved(3)
    done, running = data.accepted(grant), data.accepted(grant)
    data.complete(done)
    receipt = data.grants.revoke(grant, sender=data.hospital)

    assert receipt.only("GrantRevoked") == {"grantId": grant, "actor": data.hospital, "refunded": PRICE}
    assert data.grants.grantOf(grant)[2:5] == (0, 1, GrantState.REVOKED)
    assert (data.held(grant), data.claimable(data.institute), data.claimable(data.hospital)) == (PRICE, PRICE, PRICE)
    data.desk.fail(running, 1, sender=data.hospital)
    assert (data.held(grant), data.claimable(data.institute)) == (0, 2 * PRICE)


def test_revoke__by_a_suspended_holder__still_possible(data):
    grant = data.approved()
    data.suspend(data.hospital)
    data.grants.revoke(grant, sender=data.hospital)
    assert data.claimable(data.institute) == 3 * PRICE


def test_revoke__by_another__refused(data):
    grant = data.approved()
    with reverts("AccessGrants_NotTheHolder", id=grant, actor=data.institute, holder=data.hospital):
        data.grants.revoke(grant, sender=data.institute)


def test_expire__time_over__rest_refunded_and_open_uses_still_paid(data):
    grant = data.approved(3)
    until = data.now + PERIOD
    data.city.chain.mine(PERIOD - 100)
    running = data.accepted(grant)
    data.city.chain.mine(100)
    with reverts("AccessGrants_TooEarly", grantId=grant, until=until, chainTime=until):
        data.grants.expire(grant, sender=data.institute)
    data.city.chain.mine(1)
    assert data.grants.isUsable(grant) is False
    receipt = data.grants.expire(grant, sender=data.city.li)

    assert receipt.only("GrantExpired") == {"grantId": grant, "actor": data.city.li.address, "refunded": 2 * PRICE}
    data.complete(running)
    assert (data.held(grant), data.claimable(data.institute), data.claimable(data.hospital)) == (0, 2 * PRICE, PRICE)


# --- every forbidden transition


def at_state(data, state: int) -> int:
    if state == GrantState.NONE:
        return 9
    grant = data.requested(1)
    if state in (GrantState.APPROVED, GrantState.REVOKED, GrantState.EXPIRED):
        data.grants.approve(grant, sender=data.hospital)
    if state == GrantState.DENIED:
        data.grants.deny(grant, sender=data.hospital)
    if state == GrantState.REVOKED:
        data.grants.revoke(grant, sender=data.hospital)
    if state in (GrantState.LAPSED, GrantState.EXPIRED):
        data.city.chain.mine(PERIOD + 1)
        getattr(data.grants, "lapse" if state == GrantState.LAPSED else "expire")(grant, sender=data.city.li)
    assert data.grant_state(grant) == state
    return grant


ALLOWED_FROM = {
    "approve": GrantState.REQUESTED,
    "deny": GrantState.REQUESTED,
    "lapse": GrantState.REQUESTED,
    "revoke": GrantState.APPROVED,
    "expire": GrantState.APPROVED,
}


@pytest.mark.parametrize("state", range(7))
@pytest.mark.parametrize("move", ALLOWED_FROM)
def test_every_move__from_a_wrong_state__refused(data, move, state):
    if state == ALLOWED_FROM[move]:
        return
    grant = at_state(data, state)
    data.city.chain.mine(2 * PERIOD)
    with reverts("AccessGrants_WrongState", grantId=grant, state=state, required=ALLOWED_FROM[move]):
        getattr(data.grants, move)(grant, sender=data.hospital)


@pytest.mark.parametrize("state", [s for s in range(7) if s != GrantState.APPROVED])
def test_use__of_a_grant_that_is_not_approved__refused(data, state):
    grant = at_state(data, state)
    data.confer("GRANT_METER", data.city.court)
    with reverts("AccessGrants_WrongState", grantId=grant, state=state, required=GrantState.APPROVED):
        data.grants.use(grant, data.institute, sender=data.city.court)


# --- uses, by a desk of the test's own


@pytest.fixture
def meter(data):
    for role in ("GRANT_METER", "GRANT_SETTLER"):
        data.confer(role, data.city.court)
    return data.city.court


def test_use__last_one_in_the_last_second__taken(data, meter):
    grant = data.approved(1)
    until = data.now + PERIOD
    data.city.chain.mine(PERIOD)
    receipt = data.grants.use(grant, data.institute, sender=meter)

    assert [e.name for e in receipt.events] == ["GrantUsed"]
    assert receipt.only("GrantUsed") == {"grantId": grant, "actor": data.institute, "usesLeft": 0}
    assert data.grants.grantOf(grant) == (data.institute, until, 0, 1, GrantState.APPROVED, 1, 1)
    assert data.grants.isUsable(grant) is False
    with reverts("AccessGrants_NoUseLeft", grantId=grant):
        data.grants.use(grant, data.institute, sender=meter)


def test_use__too_late_or_by_another__refused(data, meter):
    grant = data.approved()
    with reverts("AccessGrants_NotTheGrantee", grantId=grant, actor=data.hospital, grantee=data.institute):
        data.grants.use(grant, data.hospital, sender=meter)
    until = data.now + PERIOD
    data.city.chain.mine(PERIOD + 1)
    with reverts("AccessGrants_TooLate", grantId=grant, until=until, chainTime=until + 1):
        data.grants.use(grant, data.institute, sender=meter)


def test_use__255_open_ones__another_waits_until_one_is_settled(data, meter):
    grant = data.approved(300, offer=data.offer(price=1, max_uses=300), price=1)
    for _ in range(255):
        data.grants.use(grant, data.institute, sender=meter)
    assert data.grants.isUsable(grant) is False
    with reverts("AccessGrants_TooManyOpenUses", grantId=grant, limit=255):
        data.grants.use(grant, data.institute, sender=meter)
    data.grants.refundUse(grant, meter, sender=meter)
    data.grants.use(grant, data.institute, sender=meter)
    assert data.grants.grantOf(grant)[2:4] == (44, 255)


def test_settle__paid_and_refunded__each_once(data, meter):
    grant = data.approved(3)
    for _ in range(2):
        data.grants.use(grant, data.institute, sender=meter)
    paid = data.grants.payUse(grant, data.hospital, sender=meter)
    refunded = data.grants.refundUse(grant, data.hospital, sender=meter)

    assert paid.only("UsePaid") == {"grantId": grant, "actor": data.hospital, "amount": PRICE}
    assert refunded.only("UseRefunded") == {"grantId": grant, "actor": data.hospital, "amount": PRICE}
    assert (data.held(grant), data.claimable(data.institute), data.claimable(data.hospital)) == (PRICE, PRICE, PRICE)
    for settle in (data.grants.payUse, data.grants.refundUse):
        with reverts("AccessGrants_NoOpenUse", grantId=grant):
            settle(grant, data.hospital, sender=meter)


def test_pay_use__after_revocation__refused_but_refunded(data, meter):
    grant = data.approved(1)
    data.grants.use(grant, data.institute, sender=meter)
    data.grants.revoke(grant, sender=data.hospital)
    with reverts("AccessGrants_Revoked", grantId=grant):
        data.grants.payUse(grant, data.hospital, sender=meter)
    data.grants.refundUse(grant, data.hospital, sender=meter)
    assert (data.held(grant), data.claimable(data.institute)) == (0, PRICE)


@pytest.mark.parametrize("function", ["use", "payUse", "refundUse"])
def test_metering__by_anyone_but_a_desk__refused(data, function):
    grant = data.approved()
    with reverts("AccessManagedUnauthorized", caller=data.hospital):
        getattr(data.grants, function)(grant, data.institute, sender=data.hospital)
