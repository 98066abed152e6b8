"""A changed storage layout is noticed, and explained in the commit that changes the snapshot."""

from __future__ import annotations

import json

from .storage_layout import FOLDER, expected


def test_storage_layout__every_deployed_contract__equals_its_snapshot():
    committed = {path.name: path.read_text() for path in FOLDER.glob("*.json")}
    assert committed == expected(), "run `python -m tests.snapshots.update` and say in the commit why"


def test_storage_layout__title_record__a_move_touches_one_slot():
    record = json.loads((FOLDER / "TitleRegistry.json").read_text())["structs"]["struct TitleRegistry.Record"]
    assert [line for line in record if not line.startswith("slot 0 ")] == [
        "slot 1 offset 0: certificateRoot bytes32 (32 bytes)"
    ]
