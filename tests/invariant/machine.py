"""Random calls to the contracts and to the model: outcomes must agree, invariants must hold. See README.md for their numbers."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tests.city import CNY, TestCity
from tests.evm import Reverted, dev_account
from tests.samples import BASIS, unit_number

from .model import ACCEPTED, APPLIED, OFFERED, REGISTERED, Model

CAP = 400
DESK = dev_account(17).address
TERMS = b"\x7e" * 32
HOLDERS = ("li", "wang", "supplier", "bank", "bank2")
OWNERS = ("li", "wang", "supplier", "bank")
BANKS = ("bank", "bank2")
UNITS = (1, 2, 3)
AMOUNT = st.integers(1, 60)
HOLDER, OWNER, BANK = st.sampled_from(HOLDERS), st.sampled_from(OWNERS), st.sampled_from(BANKS)
#: See `number`.
CASE = st.integers(0, 3)


def machine_for(city: TestCity, tally: Counter[str]) -> type[RuleBasedStateMachine]:
    """A state machine on this city; each run of it leaves the city as it was. `tally` counts calls and successes."""
    members, token, escrow = city.contract("Members"), city.token, city.contract("Escrow")
    titles, desk = city.contract("TitleRegistry"), city.contract("MortgageDesk")
    addresses = {name: getattr(getattr(city, name), "address", getattr(city, name)) for name in HOLDERS}
    addresses["court"] = city.court

    class City(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.undo = city.chain.isolated()
            self.undo.__enter__()
            self.root, self.ready = 0, False
            self.changed = {"money", "property"}
            self.model = Model(city.chain.time, dict.fromkeys(BANKS, CAP))
            admin = dev_account(0)
            for label in ("ESCROW_DESK", "TITLE_OPEN", "TITLE_FINISH"):
                city.contract("Authority").grantRole(city.city.roles[label], DESK, 0, sender=admin)
            for bank in BANKS:
                token.setCap(addresses[bank], CAP, sender=city.founder)
            for holder in HOLDERS:
                token.approve(escrow, 2**256 - 1, sender=addresses[holder])
                self.issue("bank", holder, 30)
            for unit, owner in zip(UNITS, OWNERS[: len(UNITS) - 1], strict=False):
                self.register_title(unit, owner)
            self.ready = True

        def teardown(self) -> None:
            self.undo.__exit__(None, None, None)

        def both(self, expected: str | None, call: Callable[[], Any], what: str = "money") -> None:
            self.changed.add(what)
            try:
                call()
            except Reverted as error:
                outcome = error.error
            else:
                outcome = None
            assert outcome == expected, f"contracts: {outcome or 'success'}, model: {expected or 'success'}"
            if not self.ready:
                return
            tally["calls"] += 1
            tally["succeeded"] += outcome is None
            tally[f"{sys._getframe(1).f_code.co_name}: {outcome or 'done'}"] += 1

        def certificate(self) -> bytes:
            self.root += 1
            return self.root.to_bytes(32, "big")

        def number(self, back: int, *states: int) -> int:
            """The newest case in one of these states; every fourth time, and where there is none, one counted from the newest, which may
            not even exist."""
            fitting = [n for n, case in enumerate(self.model.cases, 1) if case.state in states]
            if back != 1 and fitting:
                return fitting[-1]
            return max(1, len(self.model.cases) - back)

        # --- parties and time

        @rule(who=HOLDER, lift=st.sampled_from((True, False)))
        def suspend_or_reinstate(self, who: str, lift: bool) -> None:
            if lift and self.model.suspended:
                who = sorted(self.model.suspended)[0]
                self.both(
                    self.model.reinstate(who), lambda: members.reinstate(addresses[who], BASIS, sender=city.founder)
                )
            else:
                self.both(self.model.suspend(who), lambda: members.suspend(addresses[who], BASIS, sender=city.founder))

        @rule(days=st.sampled_from((0, 0, 1, 5, 31)))
        def wait(self, days: int) -> None:
            city.chain.mine(days * 86400 + 1)
            self.model.time = city.chain.time

        # --- money

        @rule(bank=BANK, to=HOLDER, amount=AMOUNT)
        def issue(self, bank: str, to: str, amount: int) -> None:
            self.both(
                self.model.issue(bank, to, amount),
                lambda: token.issue(addresses[to], amount, BASIS, sender=addresses[bank]),
            )

        @rule(holder=HOLDER, bank=BANK, amount=AMOUNT)
        def redeem(self, holder: str, bank: str, amount: int) -> None:
            self.both(
                self.model.redeem(holder, bank, amount),
                lambda: token.redeem(addresses[bank], amount, BASIS, sender=addresses[holder]),
            )

        @rule(holder=HOLDER, to=HOLDER, amount=AMOUNT)
        def transfer(self, holder: str, to: str, amount: int) -> None:
            self.both(
                self.model.transfer(holder, to, amount),
                lambda: token.transfer(addresses[to], amount, sender=addresses[holder]),
            )

        @rule(holder=HOLDER)
        def transfer_all_that_is_free(self, holder: str) -> None:
            free = max(0, self.model.balances[holder] - self.model.frozen[holder])
            for amount in (free + 1, free):  # one too many first: the boundary of a freeze from both sides
                self.both(
                    self.model.transfer(holder, "court", amount),
                    lambda amount=amount: token.transfer(city.court, amount, sender=addresses[holder]),
                )

        @rule(holder=HOLDER, amount=st.integers(0, 60))
        def freeze(self, holder: str, amount: int) -> None:
            self.both(
                self.model.freeze(holder, amount),
                lambda: token.setFreeze(addresses[holder], amount, BASIS, sender=city.court),
            )

        @rule(holder=HOLDER, amount=AMOUNT)
        def deduct(self, holder: str, amount: int) -> None:
            self.both(
                self.model.deduct(holder, "court", amount),
                lambda: token.deduct(addresses[holder], city.court, amount, BASIS, sender=city.court),
            )

        @rule(case=st.sampled_from(UNITS), payer=HOLDER, amount=AMOUNT)
        def hold(self, case: int, payer: str, amount: int) -> None:
            amount = min(amount, max(1, self.model.balances[payer]))
            self.both(
                self.model.hold(case, payer, amount),
                lambda: escrow.hold(case, token, addresses[payer], amount, sender=DESK),
            )

        @precondition(lambda self: any(self.model.held.values()))
        @rule(case=st.sampled_from(UNITS), payee=HOLDER, amount=st.integers(1, 30), at_once=st.booleans())
        def pay(self, case: int, payee: str, amount: int, at_once: bool) -> None:
            amount = min(amount, self.model.held[case] + 1)
            function = escrow.payOut if at_once else escrow.release
            self.both(
                self.model.pay(case, payee, amount, at_once),
                lambda: function(case, token, addresses[payee], amount, sender=DESK),
            )

        @precondition(lambda self: any(self.model.claimable.values()))
        @rule(payee=HOLDER, of_those_who_can=st.sampled_from((True, True, False)))
        def claim(self, payee: str, of_those_who_can: bool) -> None:
            waiting = sorted(name for name, amount in self.model.claimable.items() if amount)
            if of_those_who_can and waiting:
                payee = waiting[0]
            self.both(self.model.claim(payee), lambda: escrow.claim(addresses[payee], token, sender=DESK))

        # --- titles

        @rule(unit=st.sampled_from(UNITS), owner=OWNER)
        def register_title(self, unit: int, owner: str) -> None:
            root = self.certificate()
            self.both(
                self.model.register_title(unit, owner),
                lambda: titles.registerTitle(unit_number(unit), addresses[owner], root, sender=city.registry),
                "property",
            )

        @rule(unit=st.sampled_from(UNITS), to=OWNER, stale=st.sampled_from((False, False, False, True)))
        def transfer_title(self, unit: int, to: str, stale: bool) -> None:
            title = self.model.titles.get(unit)
            holder = "bank2" if stale or title is None else title.owner
            root = self.certificate()
            args = (unit_number(unit), addresses[holder], addresses[to], root, city.court)
            self.both(
                self.model.transfer_title(unit, holder, to),
                lambda: titles.transferTitle(*args, sender=DESK),
                "property",
            )

        @rule(unit=st.sampled_from(UNITS), earnest=st.sampled_from((False, False, False, False, True)))
        def cancel_title(self, unit: int, earnest: bool) -> None:
            title = self.model.titles.get(unit)
            if not earnest and (title is None or not title.active()):
                return
            self.both(
                self.model.cancel_title(unit),
                lambda: titles.cancel(unit_number(unit), BASIS, sender=city.registry),
                "property",
            )

        # --- mortgages

        @rule(
            unit=st.sampled_from(UNITS),
            bank=BANK,
            owner=st.sampled_from((None, None, None, *OWNERS)),
            steps=st.integers(0, 3),
            forbids=st.booleans(),
        )
        def mortgage(self, unit: int, bank: str, owner: str | None, steps: int, forbids: bool) -> None:
            """An application, and as often as not some steps further at once."""
            if self.model.titles[1].cancelled is False and unit not in self.model.titles:
                unit = 1
            title = self.model.titles.get(unit)
            if self.apply(unit, bank, owner or (title.owner if title else "li")):
                number = len(self.model.cases)
                applicant = self.model.cases[-1].applicant
                further = (
                    lambda: self.offer_at(number, bank, forbids, 9),
                    lambda: self.accept_at(number, applicant),
                    lambda: self.register_at(number),
                )
                for step in further[:steps]:
                    step()

        def apply(self, unit: int, bank: str, owner: str) -> bool:
            before = len(self.model.cases)
            self.both(
                self.model.apply(owner, unit, bank),
                lambda: desk.applyFor(unit_number(unit), addresses[bank], 5, CNY, sender=addresses[owner]),
                "property",
            )
            return len(self.model.cases) > before

        @precondition(lambda self: self.model.cases)
        @rule(back=CASE, bank=st.sampled_from((None, None, *BANKS)), forbids=st.booleans(), days=st.integers(0, 30))
        def offer(self, back: int, bank: str | None, forbids: bool, days: int) -> None:
            number = self.number(back, APPLIED)
            actor = bank or (self.model.cases[number - 1].bank if 0 < number <= len(self.model.cases) else "bank")
            self.offer_at(number, actor, forbids, days)

        def offer_at(self, number: int, actor: str, forbids: bool, days: int) -> None:
            until = city.chain.time + days * 86400
            self.both(
                self.model.offer(number, actor, forbids, days * 86400),
                lambda: desk.offer(number, 7, TERMS, forbids, until, sender=addresses[actor]),
                "property",
            )

        @precondition(lambda self: self.model.cases)
        @rule(back=CASE, owner=st.sampled_from((None, None, None, *OWNERS)))
        def accept(self, back: int, owner: str | None) -> None:
            number = self.number(back, OFFERED)
            known = 0 < number <= len(self.model.cases)
            actor = owner or (self.model.cases[number - 1].applicant if known else "li")
            self.accept_at(number, actor)

        def accept_at(self, number: int, actor: str) -> None:
            self.both(
                self.model.accept(number, actor),
                lambda: desk.accept(number, TERMS, sender=addresses[actor]),
                "property",
            )

        @precondition(lambda self: self.model.cases)
        @rule(back=CASE)
        def register(self, back: int) -> None:
            self.register_at(self.number(back, ACCEPTED))

        def register_at(self, number: int) -> None:
            self.both(self.model.register(number), lambda: desk.register(number, sender=city.registry), "property")

        @precondition(lambda self: self.model.cases)
        @rule(back=CASE)
        def close(self, back: int) -> None:
            number = self.number(back, APPLIED, OFFERED, ACCEPTED)
            self.both(self.model.close(number), lambda: desk.refuse(number, BASIS, sender=city.registry), "property")

        @precondition(lambda self: self.model.cases)
        @rule(pick=st.integers(0, 7), wrong=st.sampled_from((False, False, False, True)))
        def release(self, pick: int, wrong: bool) -> None:
            registered = [n for n, c in enumerate(self.model.cases, 1) if c.state == REGISTERED]
            number = registered[pick % len(registered)] if registered else self.number(0)
            known = 0 < number <= len(self.model.cases)
            actor = self.model.cases[number - 1].bank if known and not wrong else "li"
            self.release_at(number, actor)

        def release_at(self, number: int, actor: str) -> None:
            self.both(
                self.model.release(number, actor), lambda: desk.release(number, sender=addresses[actor]), "property"
            )

        @precondition(lambda self: any(case.state in (APPLIED, OFFERED, ACCEPTED) for case in self.model.cases))
        @rule(late=st.booleans())
        def step_at_the_deadline(self, late: bool) -> None:
            number = self.number(0, APPLIED, OFFERED, ACCEPTED)
            case = self.model.cases[number - 1]
            city.chain.mine(max(0, case.until - city.chain.time) + late)
            self.model.time = city.chain.time
            {
                APPLIED: lambda: self.offer_at(number, case.bank, True, 1),
                OFFERED: lambda: self.accept_at(number, case.applicant),
                ACCEPTED: lambda: self.register_at(number),
            }[case.state]()

        @precondition(lambda self: any(case.state == REGISTERED for case in self.model.cases))
        @rule(to=OWNER)
        def release_and_sell(self, to: str) -> None:
            number = self.number(0, REGISTERED)
            case = self.model.cases[number - 1]
            self.release_at(number, case.bank)
            self.transfer_title(case.unit, to, False)

        # --- invariants

        @invariant()
        def money(self) -> None:
            if "money" not in self.changed:
                return
            self.changed.discard("money")
            balances = {name: token.balanceOf(address) for name, address in addresses.items()}
            assert balances == {name: self.model.balances[name] for name in addresses}
            positions = {bank: token.positionOf(addresses[bank])[0] for bank in BANKS}
            in_escrow, supply = token.balanceOf(escrow), token.totalSupply()
            assert supply == sum(positions.values()) == sum(balances.values()) + in_escrow, "S1"
            assert {name: token.frozenOf(addresses[name]) for name in HOLDERS} == {
                name: self.model.frozen[name] for name in HOLDERS
            }, "S2"
            assert all(position <= CAP for position in positions.values()), "S3"
            held = sum(escrow.held(DESK, case, token) for case in UNITS)
            claimable = sum(escrow.claimable(addresses[name], token) for name in HOLDERS)
            assert in_escrow == held + claimable, "E1"
            assert held == sum(self.model.held.values()), "E2"

        @invariant()
        def property(self) -> None:
            if "property" not in self.changed:
                return
            self.changed.discard("property")
            owned: Counter[str] = Counter()
            for unit in UNITS:
                found, expected = titles.titleOf(unit_number(unit)), self.model.titles.get(unit)
                if expected is None:
                    assert found.status == 0
                    continue
                last = len(expected.liens)
                statuses = [titles.lienOf(unit_number(unit), n).status for n in range(1, last + 2)]
                assert found.liens == statuses.count(1) <= 8, "T1"
                assert statuses == [1 if expected.liens[n].active else 2 for n in range(1, last + 1)] + [0], "T2"
                assert found.version == expected.version, "T3"
                if expected.cancelled:
                    assert (found.status, int(found.owner, 16), found.liens) == (3, 0, 0), "T4"
                else:
                    assert (found.status, found.owner) == (1, addresses[expected.owner]), "T3"
                    owned[expected.owner] += 1
            for name in OWNERS:
                assert titles.balanceOf(addresses[name]) == owned[name], "T5"
            for number, expected_case in enumerate(self.model.cases, 1):
                case = desk.caseOf(number)
                assert case.state == expected_case.state, "M2"
                lien = titles.lienOf(case.unit, case.lien)
                assert (lien.status == 1 and lien.holder == case.bank) == (case.state == REGISTERED), "M1"
                assert case.lien != 0 or case.state <= ACCEPTED or case.state > REGISTERED, "M1"

    return City
