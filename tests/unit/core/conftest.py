"""Core contracts by name, parties in every status, and calls that go through the authority itself."""

from __future__ import annotations

import pytest

from tests.evm import dev_account
from tests.samples import BASIS


@pytest.fixture
def members(city):
    return city.contract("Members")


@pytest.fixture
def authority(city):
    return city.contract("Authority")


@pytest.fixture
def suspend(city, members):
    return lambda account: members.suspend(account, BASIS, sender=city.founder)


@pytest.fixture
def retire(city, members):
    return lambda account: members.retire(account, BASIS, sender=city.founder)


@pytest.fixture
def give(city, authority):
    """Give an account a role of its own, as governance would: what admission confers is granted by holders of ROLE_GRANTER only."""

    def given(label, account):
        admin = dev_account(0)
        authority.grantRole(city.city.roles["ROLE_GRANTER"], admin, 0, sender=admin)
        authority.grantRole(city.city.roles[label], account, 0, sender=admin)

    return given


@pytest.fixture
def through_manager(authority):
    """Send a call as `AccessManager.execute`, so that the contract sees the manager as its caller."""
    return lambda function, *args, sender: authority.execute(function.contract, function.encode(*args), sender=sender)
