"""The sender against a node that the tests play: whose trouble ends what, and what it learns about gas."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from eth_account import Account
from eth_account.typed_transactions import TypedTransaction
from hexbytes import HexBytes

from frontend_api.chain import outbox
from frontend_api.chain.abi import Call
from frontend_api.chain.keys import LocalKeys
from frontend_api.chain.outbox import Intent
from frontend_api.chain.rpc import RpcError
from frontend_api.chain.sender import BATCH, BATCHES_PER_TURN, FIRST_GAS_LIMIT, NODE_TRIES, Sender
from frontend_api.db import Database

KEY = Account.from_key("0x" + "11" * 32)
GONE = Account.from_key("0x" + "22" * 32)
TO = "0x" + "33" * 20
CHEAP, DEAR = b"\1\2\3\4" + b"\0" * 32, b"\1\2\3\4" + b"\1" * 32


class Node:
    """Answers as told: `call(data, gas)` and `estimate(data)` return a value or raise."""

    def __init__(self) -> None:
        self.call_of: Any = lambda data, gas: "0x"
        self.estimate_of: Any = lambda data: hex(50_000)
        self.sent: list[str] = []
        self.block_gas_limit = 30_000_000

    async def call(self, method: str, *params: Any) -> Any:
        if method == "eth_estimateGas":
            return self.estimate_of(bytes.fromhex(params[0]["data"][2:]))
        if method == "eth_call":
            gas = params[0].get("gas")
            return self.call_of(bytes.fromhex(params[0]["data"][2:]), int(gas, 16) if gas else None)
        if method == "eth_sendRawTransaction":
            self.sent.append(params[0])
            return "0x"
        block = {"baseFeePerGas": "0x0", "gasLimit": hex(self.block_gas_limit)}
        return {"eth_getTransactionCount": "0x0", "eth_getBlockByNumber": block}[method]

    def gas_limits(self) -> list[int]:
        """Of the transactions that were sent."""
        return [TypedTransaction.from_bytes(HexBytes(raw)).as_dict()["gas"] for raw in self.sent]

    async def batch(self, requests: Any) -> list[Any]:
        answers = []
        for method, params in requests:
            try:
                answers.append(await self.call(method, *params))
            except RpcError as error:
                answers.append(error)
        return answers


@pytest.fixture
def database(tmp_path):
    made = Database(f"sqlite:///{tmp_path / 'service.db'}")
    made.create()
    yield made
    made.close()


@pytest.fixture
def node():
    return Node()


@pytest.fixture
def sender(database, node):
    return Sender(node, database, LocalKeys({KEY.address: KEY}), 31337)


def accept(database, data, account=KEY.address):
    call = Call("Thing", TO, "act", data)
    return database.write_now(outbox.enqueue, "owner", [Intent(account, call)])[0]


def state(database, identifier):
    return asyncio.run(database.read(outbox.find, identifier))["state"]


def step(sender, times=1):
    for _ in range(times):
        asyncio.run(sender.step())


def test_step__key_taken_out_of_the_keystore__its_work_fails_and_the_others_goes_on(database, node, sender):
    orphan, other = accept(database, CHEAP, GONE.address), accept(database, CHEAP)
    step(sender)
    assert (state(database, orphan), state(database, other)) == ("failed", "submitted")
    assert len(node.sent) == 1


def test_step__node_has_trouble_of_its_own__the_accepted_transaction_waits(database, node, sender):
    def trouble(*_):
        raise RpcError(-32000, "header not found")

    node.call_of = node.estimate_of = trouble
    identifier = accept(database, CHEAP)
    step(sender, NODE_TRIES - 1)
    assert state(database, identifier) == "queued"
    node.call_of, node.estimate_of = lambda data, gas: "0x", lambda data: hex(50_000)
    step(sender)
    assert state(database, identifier) == "submitted"


def test_step__node_never_runs_it__given_up_and_the_queue_goes_on(database, node, sender):
    def trouble(data, gas=None):
        if data == DEAR:
            raise RpcError(-32000, "gas required exceeds allowance")
        return "0xc350"

    node.call_of = node.estimate_of = trouble
    poison, following = accept(database, DEAR), accept(database, CHEAP)
    step(sender)
    assert (state(database, poison), state(database, following)) == ("queued", "submitted")
    database.write_now(outbox.fail, following, {})
    step(sender, NODE_TRIES)
    assert state(database, poison) == "failed"


def test_step__limit_learned_from_a_cheap_call__a_dear_one_is_estimated_anew(database, node, sender):
    """Out of gas below the called contract is a revert, which looks like the contract's own refusal."""

    def call(data, gas):
        if data == DEAR and gas < 400_000:
            raise RpcError(3, "execution reverted", "0x")
        return "0x"

    node.call_of = call
    node.estimate_of = lambda data: hex(300_000 if data == DEAR else 50_000)
    cheap = accept(database, CHEAP)
    step(sender)
    dear = accept(database, DEAR)
    database.write_now(outbox.fail, cheap, {})
    step(sender)
    assert state(database, dear) == "submitted"


def test_step__call_that_needs_most_of_a_block__signed_below_the_blocks_limit(database, node, sender):
    """A node takes no transaction that could not fit into a block; its nonce would hold up the key for ever."""
    node.block_gas_limit = 30_000_000
    node.estimate_of = lambda data: hex(20_000_000 if data == DEAR else 50_000)
    greedy = accept(database, DEAR)
    step(sender)
    assert state(database, greedy) == "submitted"
    assert node.gas_limits() == [30_000_000]


def test_step__one_caller_made_a_function_dear__the_others_reserve_no_more_for_it(database, node, sender):
    """Who gets a function's callee to burn gas must not fill the blocks of everybody who calls it later."""
    node.estimate_of = lambda data: hex(14_000_000 if data == DEAR else 50_000)
    node.call_of = _runs_out
    greedy = accept(database, DEAR)
    step(sender)
    database.write_now(outbox.fail, greedy, {})
    accept(database, CHEAP)
    step(sender)
    assert node.gas_limits() == [28_000_000, FIRST_GAS_LIMIT]


def test_step__what_a_row_waits_for_comes_into_a_block_meanwhile__not_failed(database, node, sender):
    """The simulation saw the state before the block, the outbox is read after it."""
    first = accept(database, CHEAP)
    step(sender)
    dependent = accept(database, DEAR)

    def before_the_block(data, gas):
        database.write_now(outbox.fail, first, {})  # stands for mined: it is on its way no more
        raise RpcError(3, "execution reverted", "0x")

    node.call_of = node.estimate_of = before_the_block
    node.estimate_of = lambda data: before_the_block(data, 0)
    step(sender)
    assert state(database, dependent) == "queued"
    step(sender)
    assert state(database, dependent) == "failed"


def test_step__transactions_that_ended__forgotten(database, node, sender):
    """A service sends for years."""
    for _ in range(3):
        identifier = accept(database, CHEAP)
        step(sender)
        database.write_now(outbox.fail, identifier, {})
    step(sender)
    assert sender._sent_at == {}


def _runs_out(data, gas):
    if data == DEAR and gas < 20_000_000:
        raise RpcError(-32000, "out of gas")
    return "0x"


def test_step__a_long_queue_of_one_key__others_have_their_turn_meanwhile(database, node):
    other = Account.from_key("0x" + "44" * 32)
    sender = Sender(node, database, LocalKeys({KEY.address: KEY, other.address: other}), 31337)
    count = 3 * BATCH * BATCHES_PER_TURN // 2
    call = Call("Thing", TO, "act", CHEAP)
    database.write_now(outbox.enqueue, "owner", [Intent(KEY.address, call)] * count)
    late = accept(database, CHEAP, other.address)
    step(sender)

    recovered = [Account.recover_transaction(raw) for raw in node.sent]
    assert recovered.count(KEY.address) == count
    assert recovered.index(other.address) == BATCH * BATCHES_PER_TURN
    assert state(database, late) == "submitted"
