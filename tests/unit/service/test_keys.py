"""Signed transactions: the bytes that eth_account makes."""

from __future__ import annotations

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from frontend_api.chain.keys import LocalKeys
from frontend_api.errors import Forbidden

KEY = Account.from_key("0x" + "11" * 32)
KEYS = LocalKeys({KEY.address: KEY})
NUMBER = st.one_of(st.sampled_from((0, 1, 127, 128, 255, 256)), st.integers(0, 2**64 - 1))
DATA = st.one_of(st.sampled_from((b"", b"\x00", b"\x7f", b"\x80", bytes(55), bytes(56), bytes(70_000))), st.binary())


@given(NUMBER, NUMBER, NUMBER, NUMBER, st.integers(1, 2**63), DATA)
def test_sign_transaction__any_fields__byte_for_byte_as_eth_account(nonce, tip, more, value, chain_id, data):
    fields = {
        "type": 2,
        "chainId": chain_id,
        "nonce": nonce,
        "maxFeePerGas": tip + more,
        "maxPriorityFeePerGas": tip,
        "gas": 21_000,
        "to": KEY.address,
        "value": value,
        "data": data,
    }
    expected = Account.sign_transaction(fields, KEY.key)
    raw, tx_hash = KEYS.sign_transaction(KEY.address, fields)
    assert raw == bytes(expected.raw_transaction)
    assert tx_hash == "0x" + bytes(expected.hash).hex()


def test_sign_transaction__a_key_that_is_not_held__forbidden():
    with pytest.raises(Forbidden, match="holds no key for 0xdead"):
        KEYS.sign_transaction("0xdead", {})
