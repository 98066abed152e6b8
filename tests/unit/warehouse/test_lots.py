"""A lot's fingerprints: the same however it is written, others when a fact differs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from frontend_api.modules.warehouse.lots import Lot, goods_commitment

KEY = b"a secret of the consortium"
LOT = Lot("91431302MA55148621", "91431381MA5198083N", "2026-0917/3", "2026-09-17", "热轧卷板 Q235B", 500_000, "KGM")


@pytest.mark.parametrize(
    "change",
    [
        {"number": " 2026-0917/3\t"},
        {"number": "２０２６-0917/3"},
        {"description": "热轧卷板  \n Q235B "},
        {"description": "热轧卷板 Ｑ235B"},
    ],
)
def test_fingerprints__another_writing__the_same(change):
    assert replace(LOT, **change).fingerprints(KEY) == LOT.fingerprints(KEY)


@pytest.mark.parametrize(
    ("change", "number_stays"),
    [
        ({"warehouse": "91431381MA5198083N"}, False),
        ({"owner": "91431382MA5277275H"}, True),
        ({"number": "2026-0917/4"}, False),
        ({"number": "2026 0917 3"}, True),
        ({"taken_in": "2026-09-18"}, True),
        ({"description": "热轧卷板 Q235"}, True),
        ({"quantity": 500_001}, True),
        ({"unit": "TNE"}, True),
    ],
)
def test_fingerprints__another_fact__another_lot_and_the_number_tells_copies(change, number_stays):
    full, number = LOT.fingerprints(KEY)
    other_full, other_number = replace(LOT, **change).fingerprints(KEY)
    assert full != other_full
    assert (number == other_number) is number_stays


def test_fingerprints__another_key__nothing_in_common():
    assert set(LOT.fingerprints(KEY)).isdisjoint(LOT.fingerprints(KEY + b"!"))


def test_fingerprints__facts_that_run_into_each_other__differ():
    """The canonical form quotes each text, so that no two lots read alike."""
    one, other = replace(LOT, number='1","2'), replace(LOT, number="1", taken_in='2","' + LOT.taken_in)
    assert one.fingerprints(KEY)[0] != other.fingerprints(KEY)[0]


def test_goods__opened_by_salt_and_description_only():
    made = goods_commitment(b"\1" * 32, "热轧卷板")
    assert made == goods_commitment(b"\1" * 32, " 热轧卷板\n")
    assert made not in (goods_commitment(b"\2" * 32, "热轧卷板"), goods_commitment(b"\1" * 32, "热轧卷"))
