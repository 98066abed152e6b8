"""Currencies: one token per currency, once and for ever."""

from __future__ import annotations

import pytest

from tests.city import CNY
from tests.evm import dev_account, reverts

ZERO = "0x" + "00" * 20


@pytest.fixture
def currencies(city):
    return city.contract("Currencies")


def hostile(city, currency=b"XAU"):
    return city.chain.deploy("HostileTokenMock", currency)


def test_list__new_currency__recorded(city, currencies):
    token = hostile(city)
    receipt = currencies.list(b"XAU", token, sender=city.founder)
    assert receipt.only("CurrencyListed") == {"currency": b"XAU", "actor": city.founder, "token": token.address}
    assert currencies.tokenOf(b"XAU") == token.address
    assert currencies.isListed(b"XAU") is True
    currencies.requireListed(token)


@pytest.mark.parametrize("code", [b"cny", b"CN1", b"CN\0", b"\0\0\0", b"[AB", b"@AB", b"AB["])
def test_list__not_three_capitals__refused(city, currencies, code):
    with reverts("Currencies_NotACode", currency=code):
        currencies.list(code, hostile(city), sender=city.founder)


def test_list__twice__refused_even_with_a_better_token(city, currencies):
    with reverts("Currencies_AlreadyListed", currency=CNY, token=city.token):
        currencies.list(CNY, hostile(city, CNY), sender=city.founder)


@pytest.mark.parametrize("what", ["an account", "zero", "another contract", "a token of another currency"])
def test_list__no_token_of_the_currency__refused(city, currencies, what):
    token = {
        "an account": dev_account(19).address,
        "zero": ZERO,
        "another contract": city.contract("Members").address,
        "a token of another currency": city.token.address,
    }[what]
    with reverts("Currencies_WrongToken", currency=b"XAU", token=token):
        currencies.list(b"XAU", token, sender=city.founder)


def test_list__through_the_manager__refused(city, currencies, authority, through_manager):
    with reverts("Currencies_ManagerCannotAct", manager=authority):
        through_manager(currencies.list, b"XAU", hostile(city), sender=city.founder)


def test_list__by_a_bank__refused(city, currencies):
    with reverts("AccessManagedUnauthorized", caller=city.bank):
        currencies.list(b"XAU", hostile(city), sender=city.bank)


def test_views__unlisted__refused(city, currencies):
    assert currencies.isListed(b"XAU") is False
    with reverts("Currencies_NotListed", currency=b"XAU"):
        currencies.tokenOf(b"XAU")
    with reverts("Currencies_TokenNotListed", token=city.bank):
        currencies.requireListed(city.bank)


def test_charter__every_currency__listed_with_its_token(city, currencies):
    for code, entry in city.city.currencies.items():
        assert currencies.tokenOf(code.encode()) == entry["token"]
        token = city.contract(f"SettlementToken:{code}")
        assert (token.currency(), token.symbol(), token.decimals()) == (code.encode(), code, entry["decimals"])
