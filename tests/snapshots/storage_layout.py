"""How each contract lays out its storage, read from the compiler."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from scripts.deployment.artifacts import load
from tests.solc import compile_json, sources

FOLDER = Path(__file__).parent / "storage"


def _plain(name: str) -> str:
    """Type names carry AST numbers that change with every edit anywhere: t_struct(Party)1234_storage."""
    return re.sub(r"\)\d+", ")", name)


def _layout(raw: dict[str, Any]) -> dict[str, Any]:
    types = raw.get("types") or {}

    def variable(entry: dict[str, Any]) -> str:
        kind = types[entry["type"]]
        return f"slot {entry['slot']} offset {entry['offset']}: {entry['label']} {kind['label']} ({kind['numberOfBytes']} bytes)"

    structs = {
        _plain(kind["label"]): [variable(member) for member in kind["members"]]
        for kind in types.values()
        if "members" in kind
    }
    return {"variables": [variable(e) for e in raw["storage"]], "structs": dict(sorted(structs.items()))}


def expected() -> dict[str, str]:
    """File name and text for each contract that is deployed."""
    made = compile_json(sources(), {"*": {"*": ["storageLayout"]}})
    found = {}
    for name, artifact in load().items():
        if artifact.creation_code and artifact.module != "mocks":
            layout = _layout(made[artifact.source][name]["storageLayout"])
            found[f"{name}.json"] = json.dumps(layout, indent=2, ensure_ascii=False) + "\n"
    return found
