"""Words sliced by hand against the general codec: the same values, the same bytes, and its refusals where a value does not fit."""

from __future__ import annotations

import pytest
from eth_abi import decode, encode
from eth_utils import keccak, to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from frontend_api.chain import words
from frontend_api.kit import hashing

KINDS = ("address", "bool", "uint8", "uint40", "uint64", "uint128", "uint256", "bytes3", "bytes28", "bytes32")
ADDRESS = st.binary(min_size=20, max_size=20).map(to_checksum_address)


def value(kind: str) -> st.SearchStrategy:
    if kind == "address":
        return ADDRESS
    if kind == "bool":
        return st.booleans()
    if kind.startswith("uint"):
        return st.integers(0, 2 ** int(kind[4:]) - 1)
    return st.binary(min_size=int(kind[5:]), max_size=int(kind[5:]))


TYPED = st.lists(st.sampled_from(KINDS), min_size=1, max_size=7).flatmap(
    lambda kinds: st.tuples(st.just(kinds), st.tuples(*(value(k) for k in kinds)))
)


@given(TYPED)
def test_encode_and_decode__any_words__as_the_general_codec(typed):
    kinds, values = typed
    data = encode(kinds, values)
    assert words.encoder(kinds)(values) == data
    assert words.decoder(kinds)(data) == values
    assert tuple(v.lower() if k == "address" else v for k, v in zip(kinds, values, strict=True)) == decode(kinds, data)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("uint8", 256),
        ("uint128", -1),
        ("uint128", "1"),
        ("uint256", 1.0),
        ("bool", 1),
        ("bytes3", b"CNYX"),
        ("bytes32", "0x00"),
        ("address", "0x" + "12" * 19),
        ("address", None),
    ],
)
def test_encode__a_value_that_does_not_fit__refused_as_by_the_general_codec(kind, wrong):
    with pytest.raises(Exception) as expected:  # noqa: PT011 - whichever it is
        encode([kind], [wrong])
    with pytest.raises(type(expected.value)):
        words.encoder([kind])([wrong])


@pytest.mark.parametrize(
    ("kind", "word"),
    [("uint8", b"\1" + bytes(31)), ("address", b"\1" * 32), ("bool", bytes(31) + b"\2"), ("bytes3", b"\1" * 32)],
)
def test_decode__a_word_that_does_not_fit__refused_as_by_the_general_codec(kind, word):
    with pytest.raises(Exception) as expected:  # noqa: PT011 - whichever it is
        decode([kind], word)
    with pytest.raises(type(expected.value)):
        words.decoder([kind])(word)


@pytest.mark.parametrize("kinds", [["string", "uint8"], ["uint64[]"], ["(uint8,address)", "bytes"]])
def test_codec__types_of_more_than_a_word__left_to_the_general_one(kinds):
    values = {"string": "房", "uint8": 3, "uint64[]": (1, 2), "(uint8,address)": (1, "0x" + "11" * 20), "bytes": b"x"}
    given_values = [values[kind] for kind in kinds]
    data = encode(kinds, given_values)
    assert words.encoder(kinds)(given_values) == data
    assert words.decoder(kinds)(data) == decode(kinds, data)


@given(st.binary(max_size=300))
def test_keccak__as_eth_utils(data):
    assert hashing.keccak(data) == keccak(data)


@given(st.binary(min_size=20, max_size=20))
def test_checksummed__as_eth_utils(raw):
    assert hashing.checksummed(raw) == to_checksum_address(raw)
