"""`ape run demo` counts what fails: the last line and the exit status say so."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.deployment.artifacts import ROOT, tool_environment

APE = Path(sys.executable).with_name("ape")


@pytest.mark.timeout(240)
def test_demo__a_step_is_made_to_fail__counted_and_exit_status_1():
    done = subprocess.run(
        [str(APE), "run", "demo", "--story", "property", "--break-step", "2", "--json"],
        cwd=ROOT,
        env=tool_environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    lines = done.stdout.splitlines()
    assert lines[-1] == "demo: 2 steps, 1 failed", done.stdout + done.stderr
    assert done.returncode == 1
    first, second = json.loads(lines[-2])
    assert (first["problem"], first["tx_hash"][:2]) == (None, "0x")
    assert second["problem"] == "Mismatch: this step was made to fail (BREAK_STEP)"
