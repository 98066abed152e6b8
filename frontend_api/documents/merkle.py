"""Merkle trees as npm's `@openzeppelin/merkle-tree` builds them (`StandardMerkleTree`, format `standard-v1`).

A leaf is `keccak256(keccak256(abi.encode(types, value)))`: hashed twice, so that no inner node (64 bytes, hashed once)
can pass for a leaf. A pair is sorted before it is hashed, so a proof is a plain list of siblings without directions.
Leaves are sorted by their hash, as the library does unless told otherwise: **the order of the values does not change
the root**, and a proof does not tell at which place its value stood.

Source: https://github.com/OpenZeppelin/merkle-tree, version 1.0.8; the tests compare with that package.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

#: A batch's leaves are document roots.
BATCH_TYPES = ("bytes32",)


def leaf_hash(types: Sequence[str], value: Sequence[Any]) -> bytes:
    """The leaf of one value, 32 bytes; `value` holds one item per ABI type."""
    return keccak(keccak(encode(list(types), list(value))))


def node_hash(left: bytes, right: bytes) -> bytes:
    """The parent of two nodes, whichever comes first."""
    return keccak(left + right if left < right else right + left)


def process_proof(leaf: bytes, proof: Sequence[bytes]) -> bytes:
    """The root that a leaf and its siblings, from the leaf up, lead to."""
    for sibling in proof:
        leaf = node_hash(leaf, sibling)
    return leaf


@dataclass(frozen=True)
class MerkleTree:
    """A complete binary tree in an array: the root at 0, the children of `i` at `2i+1` and `2i+2`, the leaves last, in
    reverse.

    `positions[i]` is where the i-th leaf given to `of` stands in `nodes`.
    """

    nodes: tuple[bytes, ...]
    positions: tuple[int, ...]

    @classmethod
    def of(cls, leaves: Sequence[bytes]) -> MerkleTree:
        """The tree over leaf hashes (32 bytes each). Raises ValueError without leaves or for one of another length."""
        if not leaves:
            raise ValueError("a Merkle tree needs at least one leaf")
        if any(len(leaf) != 32 for leaf in leaves):
            raise ValueError("a leaf hash has 32 bytes")
        size = 2 * len(leaves) - 1
        nodes = [b""] * size
        positions = [0] * len(leaves)
        for place, index in enumerate(sorted(range(len(leaves)), key=lambda i: leaves[i])):
            nodes[size - 1 - place] = leaves[index]
            positions[index] = size - 1 - place
        for i in range(len(leaves) - 2, -1, -1):
            nodes[i] = node_hash(nodes[2 * i + 1], nodes[2 * i + 2])
        return cls(tuple(nodes), tuple(positions))

    @classmethod
    def of_values(cls, types: Sequence[str], values: Sequence[Sequence[Any]]) -> MerkleTree:
        """The tree over values, as `StandardMerkleTree.of(values, types)`."""
        return cls.of([leaf_hash(types, value) for value in values])

    @property
    def root(self) -> bytes:
        return self.nodes[0]

    def proof(self, index: int) -> tuple[bytes, ...]:
        """The siblings of the index-th leaf, from the leaf up. Raises IndexError for a leaf that is not there."""
        if not 0 <= index < len(self.positions):
            raise IndexError(f"no leaf {index} among {len(self.positions)}")
        position = self.positions[index]
        siblings: list[bytes] = []
        while position > 0:
            siblings.append(self.nodes[position + 1 if position % 2 else position - 1])
            position = (position - 1) // 2
        return tuple(siblings)
