"""The tree against npm's @openzeppelin/merkle-tree."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from frontend_api.documents.merkle import BATCH_TYPES, MerkleTree, leaf_hash, node_hash, process_proof

FIELD_TYPES = ("string", "string", "bytes32")


def hexed(value: bytes) -> str:
    return "0x" + value.hex()


def ask_openzeppelin(trees: list[dict]) -> list[dict]:
    """What the JavaScript library makes of the same values; one process for all trees."""
    script = Path(__file__).with_name("openzeppelin.mjs")
    done = subprocess.run(
        ["node", str(script)],
        input="".join(json.dumps(tree) + "\n" for tree in trees),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_of_values__1_to_33_documents__root_tree_and_proofs_as_openzeppelin():
    batches = [[[leaf_hash(("uint256",), (size * 100 + i,))] for i in range(size)] for size in range(1, 34)]

    theirs = ask_openzeppelin([{"types": list(BATCH_TYPES), "values": [[hexed(v[0])] for v in b]} for b in batches])

    assert len(theirs) == 33
    for batch, other in zip(batches, theirs, strict=True):
        ours = MerkleTree.of_values(BATCH_TYPES, batch)
        assert hexed(ours.root) == other["root"]
        assert [hexed(node) for node in ours.nodes] == other["tree"]
        assert [[hexed(s) for s in ours.proof(i)] for i in range(len(batch))] == other["proofs"]


def test_of_values__fields_in_chinese_and_emoji__as_openzeppelin():
    fields = [
        ("权利人", "李明", b"\x01" * 32),
        ("area", "", b"\x02" * 32),
        ("备注", "𠮷🏠\n“quoted”" * 20, b"\xff" * 32),
    ]

    (theirs,) = ask_openzeppelin(
        [{"types": list(FIELD_TYPES), "values": [[name, value, hexed(salt)] for name, value, salt in fields]}]
    )

    ours = MerkleTree.of_values(FIELD_TYPES, fields)
    assert hexed(ours.root) == theirs["root"]
    assert [[hexed(s) for s in ours.proof(i)] for i in range(3)] == theirs["proofs"]


def test_of_values__equal_values__as_openzeppelin():
    values = [(b"\x07" * 32,)] * 3 + [(b"\x08" * 32,)]
    (theirs,) = ask_openzeppelin([{"types": list(BATCH_TYPES), "values": [[hexed(v[0])] for v in values]}])
    ours = MerkleTree.of_values(BATCH_TYPES, values)
    assert [[hexed(s) for s in ours.proof(i)] for i in range(4)] == theirs["proofs"]


def test_of__no_leaf__refused():
    with pytest.raises(ValueError, match="at least one leaf"):
        MerkleTree.of([])


def test_of__leaf_of_31_bytes__refused():
    with pytest.raises(ValueError, match="32 bytes"):
        MerkleTree.of([b"\x01" * 31])


@pytest.mark.parametrize("index", [-1, 3])
def test_proof__leaf_not_there__refused(index):
    tree = MerkleTree.of([bytes([i]) * 32 for i in range(3)])
    with pytest.raises(IndexError, match="among 3"):
        tree.proof(index)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.lists(st.binary(min_size=32, max_size=32), min_size=1, max_size=40), st.data())
def test_proof__any_leaf_of_any_tree__leads_to_the_root_and_no_other_leaf_does(leaves, data):
    tree = MerkleTree.of(leaves)
    index = data.draw(st.integers(0, len(leaves) - 1))

    assert process_proof(leaves[index], tree.proof(index)) == tree.root
    assert process_proof(node_hash(leaves[index], leaves[index]), tree.proof(index)) != tree.root


@settings(derandomize=True, max_examples=30, deadline=None)
@given(st.lists(st.binary(min_size=32, max_size=32), min_size=2, max_size=20), st.randoms())
def test_of__other_order__same_root(leaves, random):
    shuffled = list(leaves)
    random.shuffle(shuffled)
    assert MerkleTree.of(shuffled).root == MerkleTree.of(leaves).root
