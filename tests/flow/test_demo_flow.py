"""`ape run demo` and `ape run demo_finance` count what fails: the last line and the exit status say so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.deployment.artifacts import ROOT, tool_environment

APE = Path(sys.executable).with_name("ape")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(APE), "run", *arguments], cwd=ROOT, env=tool_environment(), capture_output=True, text=True, check=False
    )


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("script", "options"), [("demo", ("--story", "property")), ("demo_finance", ())])
def test_demo__a_step_is_made_to_fail__counted_and_exit_status_1(script, options):
    done = run(script, *options, "--break-step", "2", "--json")

    lines = done.stdout.splitlines()
    assert lines[-1] == f"{script.replace('_', '-')}: 2 steps, 1 failed", done.stdout + done.stderr
    assert done.returncode == 1
    first, second = json.loads(lines[-2])
    assert (first["problem"], first["tx_hash"][:2]) == (None, "0x")
    assert second["problem"] == "Mismatch: this step was made to fail (BREAK_STEP)"


@pytest.mark.timeout(480)
def test_demo_finance__whole__every_fraud_refused_and_it_balances():
    done = run("demo_finance", "--json")

    lines = done.stdout.splitlines()
    steps = json.loads(lines[-2])
    assert [step["problem"] for step in steps if step["problem"]] == []
    assert lines[-1] == f"demo-finance: {len(steps)} steps, 0 failed"
    assert done.returncode == 0
    titles = [step["title"] for step in steps]
    assert [title[:7] for title in titles if title.startswith("fraud")] == [f"fraud {n}" for n in range(1, 7)]
    assert titles[-1] == "see every fingerprint taken once at most"
    # The reconciliation goes where the progress goes; its last column is what is off.
    table = [row.split("│") for row in done.stderr.split("reconciliation, yuan")[1].splitlines() if row.startswith("│")]
    differences = [row[4].strip() for row in table if len(row) == 6]
    assert len(differences) >= 11
    assert set(differences) == {"0.00"}
