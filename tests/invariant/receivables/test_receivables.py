"""The receivables' contracts against their model: from a fixed seed, by Hypothesis on the same rules, and mutants that must be caught."""

from __future__ import annotations

import itertools
import os
import re

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from scripts.deployment.artifacts import ROOT, load
from tests.city import TestCity

from . import lifecycles
from .drivers import Failed, episode, replay
from .machine import machine_for
from .mutants import MUTANTS, compiled
from .world import Difference, World

SEED = os.environ.get("CHAINCITY_SEED", "20140101")
SIZE = settings(
    max_examples=int(os.environ.get("CHAINCITY_EXAMPLES", "40")),
    stateful_step_count=40,
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
#: Calls within which a mutant must be caught.
BOUND = 10_000


@pytest.fixture(scope="module")
def world(founded_city):
    with founded_city.chain.isolated():
        yield World(founded_city)


def test_episodes__random_calls__contracts_and_model_agree(world):
    print(f"seed {SEED} (CHAINCITY_SEED=… takes another)")
    calls = sum(episode(world, f"{SEED}:{number}") for number in range(6))
    assert world.tally["succeeded"] / calls >= 0.4, world.tally


def test_machine__random_choices__contracts_and_model_agree(world):
    print(f"seed {SEED} (CHAINCITY_SEED=… takes another)")
    before = world.tally["calls"]
    run_state_machine_as_test(seed(int(SEED))(machine_for(world)), settings=SIZE)
    calls = world.tally["calls"] - before
    print(f"{calls} calls")
    assert calls > 500


def _drawn(contract: str) -> set[tuple[str, str]]:
    """The pairs of states that an interface's documentation joins by an arrow."""
    text = (ROOT / "contracts" / "receivables" / "interfaces" / f"I{contract}.sol").read_text()
    text = " ".join(line.strip().removeprefix("///").strip() for line in text.splitlines() if "///" in line)
    one = r"`\w+`"
    several = rf"{one}(?:(?: or | \| ){one})*"
    pairs = set()
    for chain in re.findall(rf"{several}(?: → {several})+", text):
        groups = [re.findall(r"`(\w+)`", part) for part in chain.split(" → ")]
        for befores, afters in itertools.pairwise(groups):
            pairs |= {(before, after) for before in befores for after in afters}
    return pairs


def test_transitions__drawn_in_the_interfaces__all_are_demanded():
    """A state or an arrow that a contract gains must be added to the lifecycles, and then be reached."""
    known = {(before, after) for _, before, after in lifecycles.EDGES}
    for contract in lifecycles.CONTRACTS:
        drawn = _drawn(contract)
        assert len(drawn) > 3, contract
        assert drawn <= known, (contract, drawn - known)
    for table, contract, enum in (
        ("entries", "FinancingRegister", "State"),
        ("receivables", "ReceivableLedger", "State"),
        ("nonces", "FinancingDesk", "NonceState"),
        ("recourses", "FinancingDesk", "RecourseState"),
        ("receipts", "WarehouseLedger", "ReceiptState"),
        ("pledges", "WarehouseLedger", "PledgeState"),
    ):
        text = (ROOT / "contracts" / "receivables" / "interfaces" / f"I{contract}.sol").read_text()
        found = re.search(rf"enum {enum} \{{([^}}]*)\}}", text)
        assert found is not None
        assert tuple(part.strip() for part in found[1].split(",")) == lifecycles.STATES[table][1]


def test_errors__of_the_core__each_is_demanded_or_explained():
    """Members' other errors come from its own functions, which these contracts do not call: only what `requireActive` says can surface."""
    known = {*lifecycles.CORE_ERRORS, *lifecycles.CORE_UNREACHABLE}
    for contract in ("Escrow", "Currencies"):
        own = {e["name"] for e in load()[contract].abi if e["type"] == "error" and e["name"].startswith(contract)}
        of_listing = {e for e in own if re.search("ManagerCannotAct|AlreadyListed|NotACode|WrongToken", e)}
        assert own - known <= (of_listing if contract == "Currencies" else set()), own - known
    erc20 = {e["name"] for e in load()["SettlementToken"].abi if e["type"] == "error"}
    assert {e for e in erc20 if e.startswith(("SettlementToken_", "ERC20"))} <= known, erc20 - known


@pytest.fixture(scope="module")
def mutants():
    return compiled()


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant__same_rules__caught(monkeypatch, mutants, name):
    contract = MUTANTS[name].contract
    assert mutants[name].creation_code != load()[contract].creation_code
    monkeypatch.setitem(load(), contract, mutants[name])
    world = World(TestCity())
    calls, number = 0, 0
    caught = None
    while caught is None and calls < BOUND:
        try:
            calls += episode(world, f"{SEED}:mutant:{number}", shrinking=False)
        except Failed as failed:
            caught, calls = failed.kind, calls + failed.calls
        number += 1
    print(f"{name}: after {calls} calls by {caught}")
    assert caught is not None, f"{name}: not caught by {calls} calls of seed {SEED}"


def test_machine__mutant__caught_and_shrunk(monkeypatch, mutants, capsys):
    name = "the same goods are pledged twice"
    monkeypatch.setitem(load(), MUTANTS[name].contract, mutants[name])
    world = World(TestCity())
    with pytest.raises(Difference) as caught:
        run_state_machine_as_test(seed(int(SEED))(machine_for(world)), settings=SIZE)
    print(caught.value.kind, *world.log, sep="\n")
    assert caught.value.kind == "warehouse.pledge: warehouse.receipt after it"
    # Shrunk to a lot and a pledge on it.
    assert 2 <= len(world.log) <= 4


def test_episode__mutant__failure_replays(monkeypatch, mutants):
    """What a failure prints is enough to see it again."""
    name = "the same goods are pledged twice"
    monkeypatch.setitem(load(), MUTANTS[name].contract, mutants[name])
    world = World(TestCity())
    with pytest.raises(Failed) as caught:
        episode(world, f"{SEED}:replay", 5_000)
    steps = eval(str(caught.value).rsplit("replay(world, ", 1)[1].removesuffix(")"))
    kind, log = replay(world, steps)
    assert kind == caught.value.kind
    assert len(steps) <= 3, log
