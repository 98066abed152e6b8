"""Measure the hot operations and write their lists of touches.

python -m tests.gas.measure            prints gas ÷ floor of every operation
python -m tests.gas.measure --write    and writes tests/snapshots/gas/<operation>.json
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from scripts.deployment.artifacts import compile_if_stale
from tests.gas.operations import OPERATIONS, Bench
from tests.gas.tracing import trace
from tests.gas_floor import Floor, floor_of, listed

SNAPSHOTS = Path(__file__).resolve().parents[1] / "snapshots"
FOLDER = SNAPSHOTS / "gas"


def base_slots() -> dict[str, dict[int, str]]:
    """Per contract, the variables' names by their slot, from the committed storage layouts."""
    found = {}
    for path in (SNAPSHOTS / "storage").glob("*.json"):
        variables = json.loads(path.read_text())["variables"]
        parts = [re.fullmatch(r"slot (\d+) offset \d+: (\w+) .*", line) for line in variables]
        slots: dict[int, str] = {}
        for part in parts:
            if part is not None:
                slots.setdefault(int(part[1]), part[2])
        found[path.stem] = slots
    return found


def measure(bench: Bench, name: str) -> tuple[dict[str, Any], int, bytes]:
    """An operation's touches, its gas and its calldata, on the state as it is; the caller reverts."""
    sent = OPERATIONS[name](bench)
    names = {address: label.split(":")[0] for label, address in bench.city.contracts.items()}
    touched = trace(bench.url, sent.tx_hash, names, base_slots())
    touches = listed(sent.to, touched.calls, touched.slots, touched.logs, touched.precompiles)
    return touches, touched.gas_used, touched.calldata


def committed(name: str) -> dict[str, Any]:
    return dict(json.loads((FOLDER / f"{name}.json").read_text()))


def render(touches: dict[str, Any], gas: int, floor: Floor) -> str:
    return json.dumps({"gas": gas, "floor": floor.total, **touches}, indent=1) + "\n"


def main() -> None:
    from tests.anvil import rpc

    compile_if_stale()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        try:
            for name in OPERATIONS:
                snapshot = rpc(bench.url, "evm_snapshot")
                touches, gas, calldata = measure(bench, name)
                rpc(bench.url, "evm_revert", snapshot)
                floor = floor_of(touches, calldata)
                print(f"{name:<20} {gas:>8,} ÷ {floor.total:>8,} = {gas / floor.total:.3f}   {floor}")
                if "--write" in sys.argv:
                    FOLDER.mkdir(parents=True, exist_ok=True)
                    (FOLDER / f"{name}.json").write_text(render(touches, gas, floor))
        finally:
            bench.stop()


if __name__ == "__main__":
    main()
