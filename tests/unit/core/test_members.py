"""Members: who may be admitted, what suspension stops and what it leaves alone."""

from __future__ import annotations

import pytest

from tests.evm import dev_account, reverts

NEWCOMER = dev_account(19).address
PROFILE = b"\x77" * 32
CODE = b"91350100M000100Y43"  # the worked example of GB 32100-2015


@pytest.fixture
def members(city):
    return city.contract("Members")


def test_admit__valid_code__grants_the_roles_of_the_kind(city, members):
    receipt = members.admit(NEWCOMER, 3, CODE, PROFILE, sender=city.founder)

    assert receipt.only("MemberAdmitted") == {
        "account": NEWCOMER,
        "actor": city.founder,
        "kind": 3,
        "creditCode": CODE,
        "profile": PROFILE,
    }
    authority = city.contract("Authority")
    for label in ("MORTGAGE_LENDER", "SETTLEMENT_BANK"):
        assert authority.hasRole(city.city.roles[label], NEWCOMER) == (True, 0)
    assert members.holderOf(CODE) == NEWCOMER


@pytest.mark.parametrize("code", [b"91350100M000100Y44", b"91350100M000100I43", b"0" * 17 + b"1", bytes(18)])
def test_admit__wrong_check_character_or_letter__refused(city, members, code):
    with reverts("Members_InvalidCreditCode", creditCode=code):
        members.admit(NEWCOMER, 3, code, PROFILE, sender=city.founder)
