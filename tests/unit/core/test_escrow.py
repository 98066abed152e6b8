"""Escrow: money per case of a desk, what a desk can do with it, and tokens and desks that mean harm."""

from __future__ import annotations

import pytest

from tests.city import CNY
from tests.evm import dev_account, reverts
from tests.samples import BASIS

DESK, OLD_DESK = dev_account(17).address, dev_account(18).address
NOBODY = dev_account(19).address
ZERO = "0x" + "00" * 20
MAX = 2**256 - 1
HONEST, KEEPS_FEE, BRINGS_MORE, ANSWERS_FALSE, REVERTS, REENTERS = range(6)


@pytest.fixture
def escrow(city, give):
    give("ESCROW_DESK", DESK)
    return city.contract("Escrow")


@pytest.fixture
def token(city):
    city.fund(city.li, 1000)
    city.approve_escrow(city.li, 1000)
    return city.token


@pytest.fixture
def holding(city, escrow, token):
    """100 of Li's held for case 7."""
    escrow.hold(7, token, city.li, 100, sender=DESK)
    return escrow


def args(desk, case, other, token, amount, role):
    return {"desk": desk, "caseId": case, role: other, "token": token.address, "amount": amount}


# --- the honest path


def test_hold__approved__taken_to_the_unit(city, escrow, token):
    receipt = escrow.hold(7, token, city.li, 100, sender=DESK)
    assert receipt.only("Held") == args(DESK, 7, city.li.address, token, 100, "payer")
    assert escrow.held(DESK, 7, token) == token.balanceOf(escrow) == 100
    assert token.balanceOf(city.li) == 900


def test_release_and_claim__anyone_sends__payee_gets_it(city, holding, token):
    receipt = holding.release(7, token, city.wang, 60, sender=DESK)
    assert receipt.only("Released") == args(DESK, 7, city.wang.address, token, 60, "payee")
    assert (holding.held(DESK, 7, token), holding.claimable(city.wang, token)) == (40, 60)
    assert token.balanceOf(city.wang) == 0

    receipt = holding.claim(city.wang, token, sender=NOBODY)
    assert receipt.value == 60
    assert receipt.only("Claimed") == {
        "payee": city.wang.address,
        "actor": NOBODY,
        "token": token.address,
        "amount": 60,
    }
    assert (token.balanceOf(city.wang), token.balanceOf(holding)) == (60, 40)


def test_pay_out__at_once__payee_gets_it(city, holding, token):
    receipt = holding.payOut(7, token, city.wang, 100, sender=DESK)
    assert receipt.only("PaidOut") == args(DESK, 7, city.wang.address, token, 100, "payee")
    assert (token.balanceOf(city.wang), holding.held(DESK, 7, token)) == (100, 0)


def test_release__several_cases__add_up_and_are_claimed_once(city, holding, token):
    holding.hold(8, token, city.li, 50, sender=DESK)
    holding.release(7, token, city.wang, 100, sender=DESK)
    holding.release(8, token, city.wang, 50, sender=DESK)
    assert holding.claim(city.wang, token, sender=city.wang).value == 150
    with reverts("Escrow_NothingToClaim", payee=city.wang, token=token):
        holding.claim(city.wang, token, sender=city.wang)


# --- refusals


def test_hold__zero__refused(city, escrow, token):
    with reverts("Escrow_ZeroAmount"):
        escrow.hold(7, token, city.li, 0, sender=DESK)


def test_hold__token_not_listed__refused(city, escrow):
    stranger = city.chain.deploy("HostileTokenMock", CNY)
    with reverts("Currencies_TokenNotListed", token=stranger):
        escrow.hold(7, stranger, city.li, 1, sender=DESK)


def test_hold__without_approval_or_balance__refused(city, escrow, token):
    with reverts("ERC20InsufficientAllowance", spender=escrow, allowance=1000, needed=1001):
        escrow.hold(7, token, city.li, 1001, sender=DESK)
    city.approve_escrow(city.wang, MAX)
    with reverts("ERC20InsufficientBalance", sender=city.wang, balance=0, needed=1):
        escrow.hold(7, token, city.wang, 1, sender=DESK)
    assert escrow.held(DESK, 7, token) == 0


def test_hold__by_no_desk__refused(city, escrow, token):
    for caller in (city.li.address, city.bank, city.founder):
        with reverts("AccessManagedUnauthorized", caller=caller):
            escrow.hold(7, token, city.li, 1, sender=caller)


@pytest.mark.parametrize("function", ["release", "payOut"])
def test_release__zero_or_more_than_held__refused(city, holding, token, function):
    with reverts("Escrow_ZeroAmount"):
        getattr(holding, function)(7, token, city.wang, 0, sender=DESK)
    for amount in (101, MAX):
        with reverts("Escrow_InsufficientHeld", desk=DESK, caseId=7, held=100, requested=amount):
            getattr(holding, function)(7, token, city.wang, amount, sender=DESK)


@pytest.mark.parametrize("function", ["release", "payOut"])
def test_release__of_another_case_token_or_desk__refused(city, holding, token, function, give):
    give("ESCROW_DESK", OLD_DESK)
    euro = city.contract("SettlementToken:EUR")
    for desk, case, money in ((DESK, 8, token), (DESK, 7, euro), (OLD_DESK, 7, token), (NOBODY, 7, token)):
        with reverts("Escrow_InsufficientHeld", desk=desk, caseId=case, held=0, requested=1):
            getattr(holding, function)(case, money, city.wang, 1, sender=desk)


@pytest.mark.parametrize("function", ["release", "payOut"])
def test_release__to_whom_nobody_could_pay__refused(city, holding, token, function):
    for payee in (ZERO, holding.address):
        with reverts("Escrow_InvalidPayee", payee=payee):
            getattr(holding, function)(7, token, payee, 1, sender=DESK)


def test_release__twice__second_refused(city, holding, token):
    holding.release(7, token, city.wang, 100, sender=DESK)
    with reverts("Escrow_InsufficientHeld", desk=DESK, caseId=7, held=0, requested=100):
        holding.release(7, token, city.wang, 100, sender=DESK)


def test_release__desk_that_lost_its_role__still_finishes(city, holding, token, authority):
    authority.revokeRole(city.city.roles["ESCROW_DESK"], DESK, sender=dev_account(0))
    holding.release(7, token, city.wang, 40, sender=DESK)
    holding.payOut(7, token, city.wang, 60, sender=DESK)
    with reverts("AccessManagedUnauthorized", caller=DESK):
        holding.hold(7, token, city.li, 1, sender=DESK)


def test_claim__nothing__refused(city, escrow, token):
    with reverts("Escrow_NothingToClaim", payee=city.wang, token=token):
        escrow.claim(city.wang, token, sender=city.wang)


def test_hold_and_claim__through_the_manager__refused(city, holding, token, authority, through_manager, give):
    give("ESCROW_DESK", NOBODY)
    with reverts("Escrow_ManagerCannotAct", manager=authority):
        through_manager(holding.hold, 9, token, city.li, 1, sender=NOBODY)
    holding.release(7, token, city.wang, 1, sender=DESK)
    with reverts("Escrow_ManagerCannotAct", manager=authority):
        through_manager(holding.claim, city.wang, token, sender=dev_account(0))


# --- payees that cannot take money block nobody


def test_claim__retired_payee__stays_claimable_and_others_go_on(city, holding, token, retire):
    holding.release(7, token, city.supplier, 60, sender=DESK)
    retire(city.supplier)
    with reverts("SettlementToken_NotAHolder", account=city.supplier):
        holding.claim(city.supplier, token, sender=NOBODY)
    assert holding.claimable(city.supplier, token) == 60
    holding.release(7, token, city.wang, 40, sender=DESK)
    assert holding.claim(city.wang, token, sender=NOBODY).value == 40


def test_claim__frozen_or_suspended_payee__arrives_and_stays_there(city, holding, token, suspend):
    token.setFreeze(city.wang, MAX, BASIS, sender=city.court)
    suspend(city.wang)
    holding.release(7, token, city.wang, 100, sender=DESK)
    holding.claim(city.wang, token, sender=NOBODY)
    assert token.balanceOf(city.wang) == 100


# --- tokens that break their word


@pytest.fixture
def hostile(city, escrow):
    made = city.chain.deploy("HostileTokenMock", b"XAU")
    city.contract("Currencies").list(b"XAU", made, sender=city.founder)
    made.mint(city.li, 1000, sender=NOBODY)
    made.approve(escrow, MAX, sender=city.li)
    return made


@pytest.mark.parametrize(("mode", "received"), [(KEEPS_FEE, 99), (BRINGS_MORE, 101)])
def test_hold__token_moves_another_amount__refused(city, escrow, hostile, mode, received):
    hostile.set(mode, ZERO, b"", sender=NOBODY)
    with reverts("Escrow_ShortTransfer", token=hostile, expected=100, received=received):
        escrow.hold(7, hostile, city.li, 100, sender=DESK)
    assert escrow.held(DESK, 7, hostile) == 0


@pytest.mark.parametrize("function", ["hold", "payOut", "claim"])
def test_move__token_answers_false__refused(city, escrow, hostile, function):
    call = prepare(city, escrow, hostile, function)
    hostile.set(ANSWERS_FALSE, ZERO, b"", sender=NOBODY)
    with reverts("SafeERC20FailedOperation", token=hostile):
        call()


@pytest.mark.parametrize("function", ["hold", "payOut", "claim"])
def test_move__token_reverts__its_own_error_and_nothing_written(city, escrow, hostile, function):
    call = prepare(city, escrow, hostile, function)
    before = escrow.held(DESK, 7, hostile), escrow.claimable(city.wang, hostile)
    hostile.set(REVERTS, ZERO, b"", sender=NOBODY)
    with reverts("HostileTokenMock_Refused"):
        call()
    assert (escrow.held(DESK, 7, hostile), escrow.claimable(city.wang, hostile)) == before


def prepare(city, escrow, token, function):
    """The call, ready to be made, with what it needs in place."""
    if function == "hold":
        return lambda: escrow.hold(7, token, city.li, 100, sender=DESK)
    escrow.hold(7, token, city.li, 100, sender=DESK)
    if function == "payOut":
        return lambda: escrow.payOut(7, token, city.wang, 100, sender=DESK)
    escrow.release(7, token, city.wang, 100, sender=DESK)
    return lambda: escrow.claim(city.wang, token, sender=NOBODY)


@pytest.mark.parametrize("inner", ["hold", "release", "payOut", "claim"])
@pytest.mark.parametrize("outer", ["hold", "payOut", "claim"])
def test_move__token_calls_back__nothing_moves_twice(city, escrow, hostile, give, outer, inner):
    """The token is itself a desk with a case of its own, and payee of something claimable: only the guard stands in its way."""
    give("ESCROW_DESK", hostile)
    hostile.run(escrow, escrow.hold.encode(1, hostile, city.li, 50), sender=NOBODY)
    hostile.run(escrow, escrow.release.encode(1, hostile, city.chen, 20), sender=NOBODY)
    call = prepare(city, escrow, hostile, outer)
    data = {
        "hold": escrow.hold.encode(1, hostile, city.li, 5),
        "release": escrow.release.encode(1, hostile, city.chen, 5),
        "payOut": escrow.payOut.encode(1, hostile, city.chen, 5),
        "claim": escrow.claim.encode(city.chen, hostile),
    }[inner]
    hostile.set(REENTERS, escrow, data, sender=NOBODY)
    call()
    assert hostile.reentered() is False
    with reverts("ReentrancyGuardReentrantCall"):
        raise city.chain._reverted(RuntimeError(f"output: 0x{hostile.answer().hex()}"))
    assert escrow.claimable(city.chen, hostile) == 20
    assert hostile.balanceOf(escrow) >= escrow.held(hostile, 1, hostile) + 20
