"""What the compiler made of contracts/: ABI and creation code per contract, read from Ape's manifest without importing Ape."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from eth_utils.abi import abi_to_signature as signature
from eth_utils.abi import collapse_if_tuple as canonical_type

__all__ = ["Artifact", "canonical_type", "compile_if_stale", "load", "overloads", "signature", "tool_environment"]

ROOT = Path(__file__).resolve().parents[2]
MANIFEST = ROOT / ".build" / "__local__.json"
_STAMP = ROOT / ".build" / "sources.json"
_IMPORT = re.compile(r'^\s*import\b[^"]*"(\.[^"]+)"', re.MULTILINE)


@dataclass(frozen=True)
class Artifact:
    name: str
    source: str
    abi: list[dict[str, Any]]
    creation_code: bytes
    runtime_code: bytes

    @property
    def module(self) -> str:
        """The folder under contracts/: core, property, …"""
        return Path(self.source).parts[1]


def tool_environment() -> dict[str, str]:
    """The environment in which Ape finds the pinned solc and Anvil that the Makefile installed."""
    bin_folder = ROOT / ".build" / "bin"
    return {
        **os.environ,
        "SOLCX_BINARY_PATH": str(bin_folder),
        "PATH": f"{bin_folder}{os.pathsep}{os.environ.get('PATH', '')}",
    }


def sources_now() -> dict[str, str]:
    """Every file that the compiler's result depends on, with its digest."""
    found = [ROOT / "ape-config.yaml", *sorted((ROOT / "contracts").rglob("*.sol"))]
    return {
        str(path.relative_to(ROOT)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in found
        if ".cache" not in path.parts
    }


def with_importers(changed: set[str], sources: Iterable[str]) -> set[str]:
    """These files and all that import them, directly or not: Ape itself compiles a file again only when its own text changed."""
    importers = defaultdict(set)
    for source in sources:
        if source.endswith(".sol"):
            for target in _IMPORT.findall((ROOT / source).read_text()):
                importers[os.path.normpath(os.path.join(os.path.dirname(source), target))].add(source)
    found, waiting = set(), list(changed)
    while waiting:
        source = waiting.pop()
        if source not in found:
            found.add(source)
            waiting += importers[source]
    return found


def compile_if_stale() -> None:
    """Run `ape compile` on what changed since the last time and what imports it; a second call costs milliseconds."""
    sources = sources_now()
    before: dict[str, str] = json.loads(_STAMP.read_text()) if MANIFEST.exists() and _STAMP.exists() else {}
    if before == sources:
        return
    changed = {source for source, digest in sources.items() if before.get(source) != digest}
    everything = not before or "ape-config.yaml" in changed or bool(before.keys() - sources.keys())
    files = [] if everything else sorted(with_importers(changed, sources))
    ape = Path(sys.executable).with_name("ape")
    done = subprocess.run(
        [str(ape), "compile", "--force", *files],
        cwd=ROOT,
        env=tool_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        # Ape prints its own stack first; the compiler's first message is what helps.
        output = done.stdout + done.stderr
        raise RuntimeError(f"ape compile failed:\n{output[max(output.find('ERROR'), 0) :][:2000]}")
    _STAMP.write_text(json.dumps(sources))
    load.cache_clear()


@cache
def load() -> dict[str, Artifact]:
    """All contracts of this project that can be deployed, by name; interfaces and abstract contracts have no creation code."""
    types = json.loads(MANIFEST.read_text())["contractTypes"]
    found = {}
    for name, entry in types.items():
        if not entry["sourceId"].startswith("contracts/") or "/.cache/" in entry["sourceId"]:
            continue
        found[name] = Artifact(
            name,
            entry["sourceId"],
            entry["abi"],
            bytes.fromhex(entry.get("deploymentBytecode", {}).get("bytecode", "0x")[2:]),
            bytes.fromhex(entry.get("runtimeBytecode", {}).get("bytecode", "0x")[2:]),
        )
    return found


def overloads(abi: list[dict[str, Any]], function: str) -> list[dict[str, Any]]:
    return [entry for entry in abi if entry["type"] == "function" and entry["name"] == function]
