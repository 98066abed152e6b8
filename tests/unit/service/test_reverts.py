"""Return data comes from whatever contract was called: hostile bytes must not stop who reads them."""

from __future__ import annotations

import pytest
from eth_abi import encode

from frontend_api.chain.reverts import contract_error, refused
from frontend_api.chain.rpc import RpcError

STRING = bytes.fromhex("08c379a0")
PANIC = bytes.fromhex("4e487b71")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\1",
        STRING,
        PANIC + b"\1",
        STRING + encode(["uint256", "uint256"], [2**255, 2**255]),
        STRING + encode(["bytes"], [b"\xff\xfe\xff"]),
    ],
    ids=["none", "one byte", "selector only", "too short", "offset to nowhere", "text that is no UTF-8"],
)
def test_refused__return_data_that_does_not_decode__a_refusal_without_a_reason(raw):
    error = refused(raw)
    assert (error.status, error.extra["contractError"]["args"]) == (409, {})


def test_contract_error__data_that_is_no_hex__a_refusal_without_a_reason():
    assert contract_error(RpcError(3, "execution reverted", "0xzz")).status == 409
