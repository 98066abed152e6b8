"""SettlementToken: issuing within caps, redeeming, freezes, deductions, who may hold, and ERC-3009 transfers."""

from __future__ import annotations

import pytest

from tests.evm import dev_account, reverts
from tests.samples import BASIS
from tests.signing import AUTHORIZATION, malleated, sign

BOOKING = b"\x0b" * 32
NOBODY = dev_account(19).address
CAP = 100_000_000_000_000
ZERO = "0x" + "00" * 20
MAX = 2**256 - 1


@pytest.fixture
def token(city):
    return city.token


@pytest.fixture
def escrow(city):
    return city.contract("Escrow")


def position(token, bank):
    return token.positionOf(bank)[0]


# --- caps and issuing


def test_set_cap__by_the_monetary_authority__recorded(city, token):
    receipt = token.setCap(city.bank, 5, sender=city.founder)
    assert receipt.only("CapSet") == {"bank": city.bank, "actor": city.founder, "cap": 5}
    assert token.positionOf(city.bank) == (0, 5)


def test_issue__within_the_cap__supply_equals_position(city, token):
    receipt = token.issue(city.li, 700, BOOKING, sender=city.bank)
    assert receipt.only("Issued") == {"bank": city.bank, "to": city.li.address, "amount": 700, "booking": BOOKING}
    assert receipt.only("Transfer") == {"from": ZERO, "to": city.li.address, "value": 700}
    assert (token.balanceOf(city.li), token.totalSupply(), position(token, city.bank)) == (700, 700, 700)


def test_issue__to_the_cap_and_one_more__refused(city, token):
    token.issue(city.li, CAP, BOOKING, sender=city.bank)
    with reverts("SettlementToken_CapExceeded", bank=city.bank, position=CAP, amount=1, cap=CAP):
        token.issue(city.li, 1, BOOKING, sender=city.bank)


@pytest.mark.parametrize("amount", [CAP + 1, 2**128 - 1, 2**128, 2**255, MAX])
def test_issue__beyond_the_cap_up_to_the_largest_number__refused(city, token, amount):
    with reverts("SettlementToken_CapExceeded", bank=city.bank, position=0, amount=amount, cap=CAP):
        token.issue(city.li, amount, BOOKING, sender=city.bank)


def test_issue__largest_cap__stops_where_a_position_ends(city, token):
    token.setCap(city.bank, 2**128 - 1, sender=city.founder)
    with reverts("SafeCastOverflowedIntDowncast", bits=128, value=2**127):
        token.issue(city.li, 2**127, BOOKING, sender=city.bank)
    token.issue(city.li, 2**127 - 1, BOOKING, sender=city.bank)
    assert position(token, city.bank) == token.totalSupply() == 2**127 - 1


def test_issue__negative_position__up_to_the_cap_in_one_go(city, token):
    token.issue(city.li, 1000, BOOKING, sender=city.bank)
    token.redeem(city.bank2, 400, BOOKING, sender=city.li)
    token.setCap(city.bank2, 100, sender=city.founder)
    assert token.positionOf(city.bank2) == (-400, 100)
    with reverts("SettlementToken_CapExceeded", bank=city.bank2, position=-400, amount=501, cap=100):
        token.issue(city.li, 501, BOOKING, sender=city.bank2)
    token.issue(city.li, 500, BOOKING, sender=city.bank2)
    assert position(token, city.bank2) == 100


def test_issue__no_cap__nothing_even_on_a_negative_position(city, token):
    token.issue(city.li, 1000, BOOKING, sender=city.bank)
    token.redeem(city.bank2, 400, BOOKING, sender=city.li)
    token.setCap(city.bank2, 0, sender=city.founder)
    with reverts("SettlementToken_CapExceeded", bank=city.bank2, position=-400, amount=1, cap=0):
        token.issue(city.li, 1, BOOKING, sender=city.bank2)


def test_issue__zero__refused(city, token):
    with reverts("SettlementToken_ZeroAmount"):
        token.issue(city.li, 0, BOOKING, sender=city.bank)


@pytest.mark.parametrize("who", ["bank", "supplier"])
def test_issue__suspended_bank_or_payee__refused(city, token, suspend, who):
    account = getattr(city, who)
    suspend(account)
    with reverts("Members_Suspended", account=account):
        token.issue(city.supplier, 1, BOOKING, sender=city.bank)


def test_issue__to_nobody_or_the_escrow__refused(city, token, escrow):
    for account in (NOBODY, escrow.address):
        with reverts("Members_NotEnrolled", account=account):
            token.issue(account, 1, BOOKING, sender=city.bank)


@pytest.mark.parametrize("who", ["founder", "court", "supplier", "registry"])
def test_issue__by_no_bank__refused(city, token, who):
    caller = getattr(city, who)
    with reverts("AccessManagedUnauthorized", caller=caller):
        token.issue(caller, 1, BOOKING, sender=caller)


# --- redeeming


def test_redeem__at_another_bank__its_position_turns_negative(city, token):
    token.issue(city.li, 700, BOOKING, sender=city.bank)
    receipt = token.redeem(city.bank2, 300, BOOKING, sender=city.li)
    assert receipt.only("Redeemed") == {"bank": city.bank2, "from": city.li.address, "amount": 300, "booking": BOOKING}
    assert receipt.only("Transfer") == {"from": city.li.address, "to": ZERO, "value": 300}
    assert (position(token, city.bank), position(token, city.bank2)) == (700, -300)
    assert token.totalSupply() == token.balanceOf(city.li) == 400


def test_redeem__more_than_held__refused(city, token):
    token.issue(city.li, 700, BOOKING, sender=city.bank)
    with reverts("ERC20InsufficientBalance", sender=city.li, balance=700, needed=701):
        token.redeem(city.bank, 701, BOOKING, sender=city.li)


def test_redeem__largest_number__refused(city, token):
    with reverts("SafeCastOverflowedUintToInt", value=MAX):
        token.redeem(city.bank, MAX, BOOKING, sender=city.li)


def test_redeem__zero__refused(city, token):
    with reverts("SettlementToken_ZeroAmount"):
        token.redeem(city.bank, 0, BOOKING, sender=city.li)


def test_redeem__at_no_settlement_bank__refused(city, token):
    city.fund(city.li, 5)
    with reverts("SettlementToken_CapExceeded", bank=city.supplier, position=0, amount=5, cap=0):
        token.redeem(city.supplier, 5, BOOKING, sender=city.li)


def test_redeem__bank_whose_cap_was_taken__winds_down(city, token):
    city.fund(city.li, 5)
    token.setCap(city.bank, 0, sender=city.founder)
    token.redeem(city.bank, 5, BOOKING, sender=city.li)
    assert (token.totalSupply(), position(token, city.bank)) == (0, 0)


def test_redeem__suspended_bank__refused_but_suspended_holder_may(city, token, suspend):
    city.fund(city.supplier, 5)
    suspend(city.supplier)
    token.redeem(city.bank, 2, BOOKING, sender=city.supplier)
    suspend(city.bank)
    with reverts("Members_Suspended", account=city.bank):
        token.redeem(city.bank, 3, BOOKING, sender=city.supplier)


# --- holding


def test_transfer__to_nobody__refused(city, token):
    city.fund(city.li, 5)
    with reverts("SettlementToken_NotAHolder", account=NOBODY):
        token.transfer(NOBODY, 5, sender=city.li)


def test_transfer__to_a_retired_party__refused_but_it_can_send(city, token, retire):
    city.fund(city.supplier, 5)
    retire(city.supplier)
    token.transfer(city.li, 5, sender=city.supplier)
    with reverts("SettlementToken_NotAHolder", account=city.supplier):
        token.transfer(city.supplier, 5, sender=city.li)


def test_transfer__suspended_or_expired_party__money_still_moves(city, token, suspend):
    city.fund(city.li, 5)
    suspend(city.li)
    city.chain.mine(11 * 365 * 86400)
    token.transfer(city.wang, 2, sender=city.li)
    token.transfer(city.li, 1, sender=city.wang)
    assert (token.balanceOf(city.li), token.balanceOf(city.wang)) == (4, 1)


def test_transfer__to_the_escrow__may(city, token, escrow):
    city.fund(city.li, 5)
    token.transfer(escrow, 5, sender=city.li)
    assert token.balanceOf(escrow) == 5


# --- freezes and deductions


def test_set_freeze__part__only_the_rest_leaves(city, token):
    city.fund(city.li, 100)
    receipt = token.setFreeze(city.li, 60, BASIS, sender=city.court)
    assert receipt.only("FreezeSet") == {
        "account": city.li.address,
        "actor": city.court,
        "amount": 60,
        "basis": BASIS,
    }
    assert token.frozenOf(city.li) == 60
    with reverts("SettlementToken_Frozen", account=city.li, balance=100, frozen=60, amount=41):
        token.transfer(city.wang, 41, sender=city.li)
    token.transfer(city.wang, 40, sender=city.li)


def test_set_freeze__more_than_held__incoming_goes_on_and_stays(city, token):
    city.fund(city.li, 10)
    token.setFreeze(city.li, MAX, BASIS, sender=city.court)
    city.fund(city.li, 90)
    assert token.balanceOf(city.li) == 100
    with reverts("SettlementToken_Frozen", account=city.li, balance=100, frozen=MAX, amount=1):
        token.transfer(city.wang, 1, sender=city.li)
    with reverts("SettlementToken_Frozen", account=city.li, balance=100, frozen=MAX, amount=1):
        token.redeem(city.bank, 1, BOOKING, sender=city.li)
    with reverts("ERC20InsufficientBalance", sender=city.li, balance=100, needed=101):
        token.transfer(city.wang, 101, sender=city.li)


def test_set_freeze__through_an_allowance__also_stopped(city, token):
    city.fund(city.li, 10)
    token.approve(city.wang, 10, sender=city.li)
    token.setFreeze(city.li, 10, BASIS, sender=city.court)
    with reverts("SettlementToken_Frozen", account=city.li, balance=10, frozen=10, amount=1):
        token.transferFrom(city.li, city.wang, 1, sender=city.wang)


def test_set_freeze__zero__lifted(city, token):
    city.fund(city.li, 10)
    token.setFreeze(city.li, 10, BASIS, sender=city.court)
    token.setFreeze(city.li, 0, BASIS, sender=city.court)
    token.transfer(city.wang, 10, sender=city.li)


@pytest.mark.parametrize(
    ("frozen", "amount", "left"), [(60, 100, 0), (60, 60, 0), (60, 40, 20), (0, 40, 0), (MAX, 1, MAX - 1)]
)
def test_deduct__frozen_or_not__freeze_shrinks_by_as_much(city, token, frozen, amount, left):
    city.fund(city.li, 100)
    token.setFreeze(city.li, frozen, BASIS, sender=city.court)
    receipt = token.deduct(city.li, city.court, amount, BASIS, sender=city.court)
    assert receipt.only("Deducted") == {
        "account": city.li.address,
        "actor": city.court,
        "to": city.court,
        "amount": amount,
        "basis": BASIS,
    }
    assert (token.balanceOf(city.li), token.balanceOf(city.court)) == (100 - amount, amount)
    assert token.frozenOf(city.li) == left


def test_deduct__more_than_held__nothing_taken_and_freeze_stays(city, token):
    city.fund(city.li, 100)
    token.setFreeze(city.li, 60, BASIS, sender=city.court)
    with reverts("ERC20InsufficientBalance", sender=city.li, balance=100, needed=101):
        token.deduct(city.li, city.court, 101, BASIS, sender=city.court)
    assert token.frozenOf(city.li) == 60


def test_deduct__zero_or_to_nobody__refused(city, token):
    city.fund(city.li, 100)
    with reverts("SettlementToken_ZeroAmount"):
        token.deduct(city.li, city.court, 0, BASIS, sender=city.court)
    with reverts("SettlementToken_NotAHolder", account=NOBODY):
        token.deduct(city.li, NOBODY, 1, BASIS, sender=city.court)


def test_freeze_and_deduct__escrow__exempt(city, token, escrow):
    with reverts("SettlementToken_EscrowExempt", escrow=escrow):
        token.setFreeze(escrow, 1, BASIS, sender=city.court)
    with reverts("SettlementToken_EscrowExempt", escrow=escrow):
        token.deduct(escrow, city.court, 1, BASIS, sender=city.court)


OFFICES = {
    "setCap": ("founder", lambda c: (c.bank, 1)),
    "setFreeze": ("court", lambda c: (c.li, 1, BASIS)),
    "deduct": ("court", lambda c: (c.li, c.court, 1, BASIS)),
}


@pytest.mark.parametrize("name", OFFICES)
def test_restricted__suspended_office__refused(city, token, suspend, name):
    who, args = OFFICES[name]
    city.fund(city.li, 1)
    suspend(getattr(city, who))
    with reverts("Members_Suspended", account=getattr(city, who)):
        getattr(token, name)(*args(city), sender=getattr(city, who))


@pytest.mark.parametrize("name", OFFICES)
def test_restricted__by_the_wrong_office__refused(city, token, name):
    with reverts("AccessManagedUnauthorized", caller=city.bank):
        getattr(token, name)(*OFFICES[name][1](city), sender=city.bank)


@pytest.mark.parametrize("name", [*OFFICES, "issue"])
def test_restricted__through_the_manager__refused(city, token, authority, through_manager, name):
    who, args = OFFICES.get(name, ("bank", lambda c: (c.li, 1, BOOKING)))
    city.fund(city.li, 1)
    with reverts("SettlementToken_ManagerCannotAct", manager=authority):
        through_manager(getattr(token, name), *args(city), sender=getattr(city, who))


# --- ERC-3009


@pytest.fixture
def authorize(city, token):
    """A signed transfer of 40 from Li to Wang; anything can be changed after or before signing."""
    city.fund(city.li, 100)

    def made(
        kind="transfer", key=None, signed=None, on=None, name="Settlement Yuan", chain_id=None, tamper=None, **changed
    ):
        message = {
            "from": city.li.address,
            "to": city.wang.address,
            "value": 40,
            "validAfter": city.chain.time - 1,
            "validBefore": city.chain.time + 100,
            "nonce": bytes(32),
            **changed,
        }
        extra = {} if chain_id is None else {"chain_id": chain_id}
        signature = sign(key or city.li.key, on or token, name, AUTHORIZATION[signed or kind], message, **extra)
        return (*(tamper or message).values(), signature)

    return made


def split(signature):
    return signature[64], signature[:32], signature[32:64]


def test_transfer_with_authorization__relayed__moves_and_uses_the_nonce(city, token, authorize):
    *args, signature = authorize()
    receipt = token.transferWithAuthorization(*args, signature, sender=NOBODY)
    assert receipt.only("Transfer") == {"from": city.li.address, "to": city.wang.address, "value": 40}
    assert receipt.only("AuthorizationUsed") == {"authorizer": city.li.address, "nonce": bytes(32)}
    assert token.authorizationState(city.li, bytes(32)) is True
    assert (token.balanceOf(city.li), token.balanceOf(city.wang)) == (60, 40)


def test_transfer_with_authorization__v_r_s_form__moves(city, token, authorize):
    *args, signature = authorize()
    token.transferWithAuthorization(*args, *split(signature), sender=NOBODY)
    assert token.balanceOf(city.wang) == 40


def test_transfer_with_authorization__replayed__nonce_is_spent(city, token, authorize):
    signed = authorize()
    token.transferWithAuthorization(*signed, sender=NOBODY)
    with reverts("InvalidAccountNonce", account=city.li, currentNonce=1):
        token.transferWithAuthorization(*signed, sender=NOBODY)


def test_transfer_with_authorization__nonces_of_two_keys__independent(city, token, authorize):
    second = (7 << 64).to_bytes(32, "big")
    token.transferWithAuthorization(*authorize(nonce=second), sender=NOBODY)
    token.transferWithAuthorization(*authorize(), sender=NOBODY)
    assert token.balanceOf(city.wang) == 80


@pytest.mark.parametrize("what", ["other contract", "other chain", "other signer", "malleated", "truncated", "empty"])
def test_transfer_with_authorization__not_its_signature__refused(city, token, authorize, what):
    changed = {
        "other contract": {"on": city.contract("SettlementToken:EUR")},
        "other chain": {"chain_id": 1},
        "other signer": {"key": city.wang.key},
    }.get(what, {})
    *args, signature = authorize(**changed)
    signature = {"malleated": malleated(signature), "truncated": signature[:64], "empty": b""}.get(what, signature)
    with reverts("ERC3009InvalidSignature"):
        token.transferWithAuthorization(*args, signature, sender=NOBODY)


@pytest.mark.parametrize("field", range(6))
def test_transfer_with_authorization__a_field_changed_after_signing__refused(city, token, authorize, field):
    *args, signature = authorize()
    args[field] = [city.chen.address, city.chen.address, 41, 0, args[4] + 1, (7 << 64).to_bytes(32, "big")][field]
    with reverts("ERC3009InvalidSignature"):
        token.transferWithAuthorization(*args, signature, sender=NOBODY)


def test_transfer_with_authorization__signed_for_receiving__refused(token, authorize):
    with reverts("ERC3009InvalidSignature"):
        token.transferWithAuthorization(*authorize(signed="receive"), sender=NOBODY)


@pytest.mark.parametrize("when", ["early", "late"])
def test_transfer_with_authorization__outside_its_time__refused(city, token, authorize, when):
    now = city.chain.time
    after, before = (now, now + 9) if when == "early" else (0, now)
    with reverts("ERC3009InvalidAuthorizationTime", validAfter=after, validBefore=before):
        token.transferWithAuthorization(*authorize(validAfter=after, validBefore=before), sender=NOBODY)


def test_transfer_with_authorization__frozen__nonce_is_not_spent(city, token, authorize):
    token.setFreeze(city.li, 100, BASIS, sender=city.court)
    with reverts("SettlementToken_Frozen", account=city.li, balance=100, frozen=100, amount=40):
        token.transferWithAuthorization(*authorize(), sender=NOBODY)
    assert token.authorizationState(city.li, bytes(32)) is False


def test_transfer_with_authorization__to_nobody__refused(token, authorize):
    with reverts("SettlementToken_NotAHolder", account=NOBODY):
        token.transferWithAuthorization(*authorize(to=NOBODY), sender=NOBODY)


def test_receive_with_authorization__only_the_payee_may_send_it(city, token, authorize):
    signed = authorize("receive")
    with reverts("ERC20InvalidReceiver", receiver=city.wang):
        token.receiveWithAuthorization(*signed, sender=NOBODY)
    token.receiveWithAuthorization(*signed, sender=city.wang)
    assert token.balanceOf(city.wang) == 40


def test_cancel_authorization__by_its_signer__cannot_be_used(city, token, authorize):
    message = {"authorizer": city.li.address, "nonce": bytes(32)}
    signature = sign(city.li.key, token, "Settlement Yuan", AUTHORIZATION["cancel"], message)
    receipt = token.cancelAuthorization(city.li, bytes(32), signature, sender=NOBODY)
    assert receipt.only("AuthorizationCanceled") == {"authorizer": city.li.address, "nonce": bytes(32)}
    with reverts("InvalidAccountNonce", account=city.li, currentNonce=1):
        token.transferWithAuthorization(*authorize(), sender=NOBODY)


def test_cancel_authorization__by_another__refused(city, token):
    message = {"authorizer": city.li.address, "nonce": bytes(32)}
    signature = sign(city.wang.key, token, "Settlement Yuan", AUTHORIZATION["cancel"], message)
    with reverts("ERC3009InvalidSignature"):
        token.cancelAuthorization(city.li, bytes(32), signature, sender=NOBODY)


def test_transfer_with_authorization__erc1271_account__its_operator_signs(city, token, authorize, members):
    account = city.chain.deploy("SigningAccountMock", city.chen.address)
    members.enrol(account, b"\x01" * 32, city.chain.time + 10**6, sender=city.registry)
    city.fund(account, 50)
    message = {"from": account.address, "key": city.chen.key}
    token.transferWithAuthorization(*authorize(**message), sender=NOBODY)
    assert token.balanceOf(account) == 10

    second = (9 << 64).to_bytes(32, "big")
    late = authorize(**message, nonce=second)
    account.replaceOperator(city.guo, sender=NOBODY)
    with reverts("ERC3009InvalidSignature"):
        token.transferWithAuthorization(*late, sender=NOBODY)
