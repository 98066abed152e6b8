"""The pinned compiler, run directly for what Ape does not keep: storage layouts, and mutants of single files. Answers are kept under .build/
by the digest of the question, so that nothing is compiled twice."""

from __future__ import annotations

import hashlib
import json
import subprocess
from typing import Any

from scripts.deployment.artifacts import ROOT

SOLC = ROOT / ".build" / "bin" / "solc-v0.8.37"
KEPT = ROOT / ".build" / "solc"
#: As in ape-config.yaml.
SETTINGS = {
    "evmVersion": "cancun",
    "optimizer": {"enabled": True, "runs": 100_000},
    "remappings": ["@openzeppelin/=node_modules/@openzeppelin/"],
}


def sources() -> dict[str, str]:
    files = sorted(p for p in (ROOT / "contracts").rglob("*.sol") if ".cache" not in p.parts)
    return {str(path.relative_to(ROOT)): path.read_text() for path in files}


def compile_json(texts: dict[str, str], selection: dict[str, dict[str, list[str]]]) -> dict[str, Any]:
    """The `contracts` of solc's answer: by file, then by contract."""
    question = json.dumps(
        {
            "language": "Solidity",
            "sources": {name: {"content": text} for name, text in texts.items()},
            "settings": {**SETTINGS, "outputSelection": selection},
        },
        sort_keys=True,
    )
    # What OpenZeppelin's files say is pinned by the lock file.
    lock = (ROOT / "package-lock.json").read_bytes()
    kept = KEPT / f"{hashlib.sha256(question.encode() + lock).hexdigest()[:32]}.json"
    if not kept.exists():
        command = [str(SOLC), "--standard-json", "--base-path", str(ROOT)]
        done = subprocess.run(command, input=question, capture_output=True, text=True, check=True)
        answer = json.loads(done.stdout)
        errors = [e["formattedMessage"] for e in answer.get("errors", []) if e["severity"] == "error"]
        if errors:
            raise RuntimeError("\n".join(errors))
        KEPT.mkdir(parents=True, exist_ok=True)
        draft = kept.with_suffix(".part")
        draft.write_text(json.dumps(answer["contracts"]))
        draft.replace(kept)
    found: dict[str, Any] = json.loads(kept.read_text())
    return found
