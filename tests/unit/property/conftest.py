"""Titles and mortgage cases, brought into any state of their lifecycles."""

from __future__ import annotations

import pytest

from tests.city import CNY
from tests.evm import dev_account
from tests.samples import BASIS, unit_number

UNIT = unit_number(1)
ROOT = b"\xce" * 32
TERMS = b"\x7e" * 32
PRINCIPAL = 85_000_000
DESK = dev_account(17).address
SCOPE = b"PROPERTY".ljust(32, b"\0")
NONE, APPLIED, OFFERED, ACCEPTED, REGISTERED, RELEASED, CLOSED = range(7)


@pytest.fixture
def titles(city):
    """The registry; the account `DESK` may do what desks may."""
    admin = dev_account(0)
    for label in ("TITLE_OPEN", "TITLE_FINISH"):
        city.contract("Authority").grantRole(city.city.roles[label], DESK, 0, sender=admin)
    return city.contract("TitleRegistry")


@pytest.fixture
def desk(city):
    return city.contract("MortgageDesk")


@pytest.fixture
def suspend(city):
    return lambda account: city.contract("Members").suspend(account, BASIS, sender=city.founder)


@pytest.fixture
def title(city, titles):
    """Li's title of UNIT."""
    titles.registerTitle(UNIT, city.li, ROOT, sender=city.registry)
    return UNIT


@pytest.fixture
def lien(city, titles, title):
    def placed(forbids=False, amount=1):
        args = (title, city.li, city.bank, amount, CNY, forbids, city.registry)
        return titles.placeLien(*args, sender=DESK).value

    return placed


@pytest.fixture
def case_in(city, desk, title):
    """The number of a case of Li's title at the bank, in a given state."""

    def brought(state, forbids=True):
        if state == NONE:
            return 999
        case = desk.applyFor(title, city.bank, PRINCIPAL - 1, CNY, sender=city.li).value
        if state == CLOSED:
            desk.withdraw(case, sender=city.li)
        if state >= OFFERED and state != CLOSED:
            until = city.chain.time + 86400
            desk.offer(case, PRINCIPAL, TERMS, forbids, until, sender=city.bank)
        if state >= ACCEPTED and state != CLOSED:
            desk.accept(case, TERMS, sender=city.li)
        if state in (REGISTERED, RELEASED):
            desk.register(case, sender=city.registry)
        if state == RELEASED:
            desk.release(case, sender=city.bank)
        assert desk.caseOf(case).state == state
        return case

    return brought
