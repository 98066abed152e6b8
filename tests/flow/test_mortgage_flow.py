"""A mortgage from application to release as a developer plays it with Ape, on a chain of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from scripts.deployment.artifacts import tool_environment
from scripts.deployment.plan import read_charter

UNIT = b"431302001001GB00004F00010001"
PRINCIPAL = 85_000_000


@dataclass
class Stage:
    ape: Any
    titles: Any
    desk: Any
    registry: Any
    bank: Any
    court: Any
    li: Any
    wang: Any


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    os.environ.update(tool_environment())
    import ape
    from ape.logging import LogLevel, logger

    from scripts.deployment.ape_backend import ApeBackend
    from scripts.deployment.plan import found_city

    logger.set_level(LogLevel.ERROR)
    with ape.networks.parse_network_choice("ethereum:local:foundry"):
        accounts = ape.accounts.test_accounts
        city = found_city(ApeBackend(accounts[0]), read_charter())

        def at(name: str) -> Any:
            return getattr(ape.project, city.types[name]).at(city.contracts[name], fetch_from_explorer=False)

        until = ape.chain.pending_timestamp + 10 * 365 * 86400
        for number in (10, 11):
            at("Members").enrol(accounts[number], bytes([number]) * 32, until, sender=accounts[1])
        yield Stage(
            ape,
            at("TitleRegistry"),
            at("MortgageDesk"),
            accounts[1],
            accounts[2],
            accounts[4],
            accounts[10],
            accounts[11],
        )


def test_mortgage__application_to_release__title_pledged_then_free(stage):
    ape, titles, desk = stage.ape, stage.titles, stage.desk
    titles.registerTitle(UNIT, stage.li, b"\1" * 32, sender=stage.registry)
    assert titles.ownerOf(int.from_bytes(UNIT, "big")) == stage.li

    with ape.reverts(desk.Desk_NotAuthorized):
        desk.applyFor(UNIT, stage.bank, PRINCIPAL, b"CNY", sender=stage.wang)
    applied = desk.applyFor(UNIT, stage.bank, PRINCIPAL, b"CNY", sender=stage.li)
    case = applied.return_value
    assert applied.events == [
        desk.MortgageApplied(
            caseId=case,
            actor=stage.li,
            unit=UNIT,
            applicant=stage.li,
            bank=stage.bank,
            principal=PRINCIPAL,
            currency=b"CNY",
            validUntil=applied.timestamp + 30 * 86400,
        )
    ]

    terms = b"\7" * 32
    desk.offer(case, PRINCIPAL, terms, True, ape.chain.pending_timestamp + 86400, sender=stage.bank)
    with ape.reverts(desk.MortgageDesk_OtherTerms, caseId=case, terms=b"\6" * 32, offered=terms):
        desk.accept(case, b"\6" * 32, sender=stage.li)
    desk.accept(case, terms, sender=stage.li)
    with ape.reverts(desk.AccessManagedUnauthorized, caller=stage.bank.address):
        desk.register(case, sender=stage.bank)
    registered = desk.register(case, sender=stage.registry)
    assert titles.titleOf(UNIT).liens == 1
    assert titles.lienOf(UNIT, 1).holder == stage.bank
    assert registered.timestamp - applied.timestamp < 6 * 3600, "Loudi's figure, on a chain that only we use"

    desk.release(case, sender=stage.bank)
    assert titles.titleOf(UNIT).liens == 0
    assert desk.caseOf(case).state == 5
    with ape.reverts(desk.MortgageDesk_WrongState, caseId=case, state=5, required=4):
        desk.release(case, sender=stage.bank)
