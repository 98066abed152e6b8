"""The state machine on the contracts as they are, and on mutants of them, which it must catch."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from scripts.deployment.artifacts import Artifact, load
from tests.city import TestCity
from tests.solc import compile_json, sources

from .machine import machine_for

SEED = int(os.environ.get("CHAINCITY_SEED", "20140101"))
SIZE = settings(
    max_examples=int(os.environ.get("CHAINCITY_EXAMPLES", "50")),
    stateful_step_count=50,
    deadline=None,
    database=None,
    report_multiple_bugs=False,
    phases=(Phase.generate, Phase.shrink),
    suppress_health_check=list(HealthCheck),
)
#: (file, what stands there, what the mutant has instead)
MUTANTS = {
    "redeeming leaves the position": (
        "contracts/core/SettlementToken.sol",
        "issuer.position = (issuer.position - amount.toInt256()).toInt128();",
        "",
    ),
    "one frozen unit may leave": (
        "contracts/core/SettlementToken.sol",
        "balance - amount < frozen)",
        "balance - amount + 1 < frozen)",
    ),
    "what was claimed stays claimable": ("contracts/core/Escrow.sol", "delete _claimable[payee][token];", ""),
    "a released lien still forbids": (
        "contracts/property/TitleRegistry.sol",
        "if (lien.forbidsTransfer) --title.forbidding;",
        "",
    ),
    "a registered case can be closed": (
        "contracts/property/MortgageDesk.sol",
        "state != State.Accepted)",
        "state != State.Accepted && state != State.Registered)",
    ),
    "an expired step can be taken": (
        "contracts/property/MortgageDesk.sol",
        "if (block.timestamp > found.validUntil)",
        "if (block.timestamp > uint256(found.validUntil) + 1 days)",
    ),
    "the suspended may apply": (
        "contracts/core/Application.sol",
        "members.requireBothActive(actor, counterparty);",
        "members.requireActive(counterparty);",
    ),
}


def run(city: TestCity, size: settings) -> Counter[str]:
    tally: Counter[str] = Counter()
    machine = machine_for(city, tally)
    print(f"seed {SEED} (CHAINCITY_SEED=… takes another)")
    run_state_machine_as_test(seed(SEED)(machine), settings=size)
    return tally


def test_invariants__random_calls__contracts_and_model_agree(founded_city):
    tally = run(founded_city, SIZE)
    print(dict(tally))
    assert tally["calls"] > 1000
    assert tally["succeeded"] / tally["calls"] >= 0.4, tally


@pytest.fixture(scope="module")
def mutated() -> dict[str, dict[str, bytes]]:
    """The creation code of each mutant, all from one run of the compiler: each is a copy of its file under another name."""
    texts, selection = sources(), {}
    changed: dict[str, str] = {}
    for number, (file, old, new) in enumerate(MUTANTS.values()):
        assert texts[file].count(old) == 1, f"{file} no longer says: {old}"
        name = file.replace(".sol", f"Mutant{number}.sol")
        changed[name] = texts[file].replace(old, new)
        contract = file.rsplit("/", 1)[1][:-4]
        if contract == "Application":  # abstract: what inherits it is compiled on top of the changed copy
            desk = "contracts/property/MortgageDesk.sol"
            name = desk.replace(".sol", f"Mutant{number}.sol")
            changed[name] = texts[desk].replace("core/Application.sol", f"core/ApplicationMutant{number}.sol")
            contract = "MortgageDesk"
        selection[name] = {contract: ["evm.bytecode.object"]}
    made = compile_json({**texts, **changed}, selection)
    codes = (
        {contract: bytes.fromhex(made[file][contract]["evm"]["bytecode"]["object"]) for contract in wanted}
        for file, wanted in selection.items()
    )
    return dict(zip(MUTANTS, codes, strict=True))


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant__same_machine_same_size__caught(monkeypatch, mutated, name):
    artifacts = load()
    for contract, code in mutated[name].items():
        known = artifacts[contract]
        assert code != known.creation_code
        monkeypatch.setitem(
            artifacts, contract, Artifact(known.name, known.source, known.abi, code, known.runtime_code)
        )
    with pytest.raises(AssertionError):
        run(TestCity(), settings(SIZE, phases=(Phase.generate,)))
