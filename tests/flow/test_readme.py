"""The README's commands, run as they are written, on free ports and in folders of their own; and the output that it promises."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.demonstration.processes import free_port
from scripts.deployment.artifacts import ROOT, tool_environment

README = (ROOT / "README.md").read_text()


def section(title: str) -> str:
    return README.split(f"## {title}\n")[1].split("\n## ")[0]


def blocks(text: str) -> list[tuple[str, str]]:
    """Every fenced block with its language; plain ones are promised output."""
    return re.findall(r"```(\w*)\n(.*?)```", text, re.DOTALL)


@pytest.mark.timeout(240)
def test_by_hand__every_command__runs_and_prints_what_is_promised(tmp_path: Path):
    rpc_port, api_port = free_port(), free_port()
    script, promised = ["set -eu", "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT"], []
    for language, block in blocks(section("By hand")):
        if language != "sh":
            promised += [line for line in block.splitlines() if line.strip()]
            continue
        own = block.replace("8545", str(rpc_port)).replace("8000", str(api_port))
        own = own.replace("make setup\n", "").replace("sqlite:///.run/readme.db", f"sqlite:///{tmp_path}/readme.db")
        script.append(own)
    book = ROOT / "deployments" / "31337.json"
    kept = tmp_path / "31337.json"
    if book.exists():
        shutil.copy(book, kept)
    try:
        done = subprocess.run(
            ["bash", "-c", "\n".join(script)],
            cwd=ROOT,
            env=tool_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        (ROOT / ".run" / "certificate.json").unlink(missing_ok=True)
        book.unlink(missing_ok=True)
        if kept.exists():
            shutil.copy(kept, book)
    output = done.stdout.replace(str(rpc_port), "8545")
    assert done.returncode == 0, f"{output[-3000:]}\n{done.stderr[-3000:]}"
    for line in promised:
        assert line in output, f"the README promises {line!r}"
    assert '"event":"TitleRegistered"' in output


def test_two_commands__are_targets_of_the_makefile():
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    wanted = re.findall(r"^make ([a-z-]+)", "\n".join(b for k, b in blocks(README) if k == "sh"), re.MULTILINE)
    assert set(wanted) <= set(targets)
    assert {"demo", "test"} <= set(wanted)
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
