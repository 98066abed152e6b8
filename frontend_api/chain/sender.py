"""From the outbox to the node: simulate, take nonces, sign, store, broadcast; and again the same bytes until they are in a block.

One sender runs per database. Simulations decide before a nonce is taken, so that a transaction that would revert costs
nothing and leaves no gap. A simulation that fails while earlier transactions are still on their way is not believed: it is
repeated once they are in a block.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from contextlib import suppress
from itertools import count
from typing import Any, TypeAlias

import structlog

from ..db import Database, Row
from ..errors import ContractRefused, Forbidden, ServiceError, Unavailable
from . import outbox
from .keys import KeyStore
from .reverts import contract_error, is_revert
from .rpc import Rpc, RpcError

log = structlog.get_logger("sender")

#: Transactions that are simulated, stored and broadcast together.
BATCH = 500
#: Batches of one key before others that wait have their turn, so that nobody waits long behind somebody's upload.
BATCHES_PER_TURN = 2
#: Gas that a call may use when nothing is known of its function yet.
FIRST_GAS_LIMIT = 2_000_000
#: A broadcast transaction that is not in a block after this long is sent again.
RESEND_SECONDS = 3.0
#: How often a row is tried that the node could not run, for a reason of the node's own, before it is given up.
NODE_TRIES = 20
#: Batches that are broadcast at the same time.
BROADCASTS = 2
#: How long a block's base fee is taken for the next one's; a signed transaction allows twice as much.
FEE_SECONDS = 1.0
#: What nodes answer to bytes that they already have.
_KNOWN = ("already known", "already imported", "alreadyknown", "known transaction")


#: Rows that would succeed, with the gas limit they passed under, and rows that would not, with the problem.
Simulated: TypeAlias = tuple[list[tuple[Row, int]], list[tuple[Row, dict[str, Any]]]]


class Sender:
    def __init__(self, rpc: Rpc, database: Database, keys: KeyStore, chain_id: int, tip: int = 0):
        self._rpc, self._database, self._keys = rpc, database, keys
        self._chain_id, self._tip = chain_id, tip
        self._wake = asyncio.Event()
        self._sent_at: dict[str, float] = {}
        self._gas_limits: dict[tuple[str, bytes], int] = {}
        self._node_failures: dict[str, int] = {}
        self._used: dict[str, int] = {}
        #: When it was asked for, the base fee, and what one transaction of a block can use at most.
        self._block: tuple[float, int, int] = (-math.inf, 0, 0)

    def wake(self) -> None:
        """There is something new in the outbox, or a block came in."""
        self._wake.set()

    async def run(self) -> None:
        while True:
            try:
                await self.step()
            except Unavailable as error:
                log.warning("waiting", reason=error.detail)
                await asyncio.sleep(0.5)
            except RpcError as error:
                log.warning("node_refused", reason=error.message)
                await asyncio.sleep(0.5)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), timeout=1.0)
            self._wake.clear()

    async def step(self) -> None:
        """One round: send again what got lost, then send what is queued, the keys in turn."""
        await self._resend()
        while any([await self._turn(sender) for sender in await self._database.read(outbox.senders_with_work)]):
            pass

    async def _turn(self, sender: str) -> bool:
        """Send some of what is queued for a key; true when more of it waits for the key's next turn."""
        try:
            return await self._send_some(sender)
        except Forbidden as error:
            # Its key was taken out of the keystore while work of its was waiting; that must not stop the others.
            log.error("no_key", sender=sender)
            await self._database.write(outbox.fail_queued, sender, error.problem())
            return False

    async def simulate(self, sender: str, to: str, data: bytes) -> None:
        """Run a call as `sender`; raises the domain error of its refusal.

        On the latest block, and on the pending one only if that refuses: nodes make a pending block anew for every
        question, which takes the longer the more transactions wait.
        """
        request = _request(sender, to, data, None)
        try:
            await self._rpc.call("eth_call", request, "latest")
        except RpcError:
            # What it depends on may be on its way.
            try:
                await self._rpc.call("eth_call", request, "pending")
            except RpcError as error:
                raise contract_error(error) from error

    # --- sending

    async def _send_some(self, sender: str) -> bool:
        """A key's turn, batch by batch: while one is signed and stored, the node simulates the next. True when it was cut short."""
        # Before the simulation: what it waited for may be in a block once it has answered.
        waiting_before = await self._database.read(outbox.is_in_flight, sender)
        rows, simulated = await self._next_batch(sender, 0)
        nonce: int | None = None
        more = False
        broadcasts: deque[asyncio.Task[None]] = deque()
        try:
            for batch in count(1):
                if simulated is None:
                    break
                passed, failed = await simulated
                more = batch % BATCHES_PER_TURN == 0 and await self._database.read(outbox.others_wait, sender)
                following, simulated = ([], None) if more else await self._next_batch(sender, rows[-1]["sequence"])
                waiting = await self._database.read(outbox.is_in_flight, sender)
                if not (waiting_before or nonce or waiting or passed):
                    # Otherwise not believed: what they depend on may be on its way, or have come into a block meanwhile.
                    for row, problem in failed:
                        await self._database.write(outbox.fail, row["id"], problem)
                if passed:
                    nonce = nonce or await self._next_nonce(sender)
                    signed = await self._sign(sender, passed, nonce)
                    nonce += len(signed)
                    if len(broadcasts) == BROADCASTS:
                        await broadcasts.popleft()
                    broadcasts.append(asyncio.create_task(self._broadcast(signed)))
                rows = following
            while broadcasts:
                await broadcasts.popleft()
            return more
        finally:
            left = [task for task in (simulated, *broadcasts) if task is not None and not task.done()]
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _next_batch(self, sender: str, after: int) -> tuple[list[Row], asyncio.Task[Simulated] | None]:
        rows = await self._database.read(outbox.queued, sender, BATCH, after)
        return rows, asyncio.create_task(self._simulate(rows)) if rows else None

    async def _simulate(self, rows: list[Row]) -> Simulated:
        limits = [self._gas_limits.get(_function(row), FIRST_GAS_LIMIT) for row in rows]
        requests = [
            _request(row["sender"], row["to"], row["data"], limit) for row, limit in zip(rows, limits, strict=True)
        ]
        replies = await self._rpc.batch([("eth_call", (request, "latest")) for request in requests])
        refused = [index for index, reply in enumerate(replies) if isinstance(reply, RpcError)]
        if refused:
            again = await self._rpc.batch([("eth_call", (requests[index], "pending")) for index in refused])
            for index, reply in zip(refused, again, strict=True):
                replies[index] = reply
        passed: list[tuple[Row, int]] = []
        failed: list[tuple[Row, dict[str, Any]]] = []
        for row, limit, reply in zip(rows, limits, replies, strict=True):
            if not isinstance(reply, RpcError):
                passed.append((row, await self._learned_limit(row, limit)))
            elif is_revert(reply) and _function(row) not in self._gas_limits:
                failed.append((row, contract_error(reply).problem()))
            else:
                # Where gas ran out below the called contract it is a revert like any other: the limit that others learned may be too low.
                raised = await self._raised_limit(row)
                if isinstance(raised, int):
                    passed.append((row, raised))
                elif is_revert(reply):
                    failed.append((row, contract_error(reply).problem()))
                elif isinstance(raised, ContractRefused) or self._is_given_up(row):
                    failed.append((row, raised.problem()))
        for row, _ in passed:
            self._node_failures.pop(row["id"], None)
        return passed, failed

    def _is_given_up(self, row: Row) -> bool:
        """Whether the node failed often enough at this row. A hiccup of the node must not end a transaction that was accepted."""
        tries = self._node_failures.get(row["id"], 0) + 1
        if tries < NODE_TRIES:
            self._node_failures[row["id"]] = tries
            return False
        self._node_failures.pop(row["id"], None)
        return True

    async def _learned_limit(self, row: Row, limit: int) -> int:
        """The first call of a function is estimated, so that later ones do not reserve more of a block than they need."""
        if _function(row) in self._gas_limits:
            return limit
        raised = await self._raised_limit(row)
        return raised if isinstance(raised, int) else limit

    async def _raised_limit(self, row: Row) -> int | ServiceError:
        """Twice what the node estimates, remembered for the function; or why it cannot run."""
        try:
            request = _request(row["sender"], row["to"], row["data"], None)
            estimate = await self._rpc.call("eth_estimateGas", request, "pending")
        except RpcError as error:
            return contract_error(error)
        limit = 2 * int(estimate, 16)
        # A callee that burns gas, such as somebody's ERC-1271 account, makes its own call dear and not those of the others.
        learned = max(limit, self._gas_limits.get(_function(row), 0))
        self._gas_limits[_function(row)] = min(learned, FIRST_GAS_LIMIT)
        return limit

    async def _sign(self, sender: str, passed: list[tuple[Row, int]], nonce: int) -> list[tuple[str, bytes]]:
        """Sign with the nonces from `nonce` on, store; returns (hash, bytes), which nobody has seen yet."""
        base_fee, largest = await self._newest_block()
        signed = []
        for offset, (row, gas) in enumerate(passed):
            fields = {
                "type": 2,
                "chainId": self._chain_id,
                "nonce": nonce + offset,
                "maxFeePerGas": 2 * base_fee + self._tip,
                "maxPriorityFeePerGas": self._tip,
                # No node takes more than a block has room for, and a nonce that nobody takes would hold up the key for ever.
                "gas": min(gas, largest),
                "to": row["to"],
                "value": 0,
                "data": row["data"],
            }
            raw, tx_hash = self._keys.sign_transaction(sender, fields)
            signed.append({"id": row["id"], "nonce": nonce + offset, "raw": raw, "tx_hash": tx_hash})
        await self._database.write(outbox.submit, sender, signed, nonce + len(signed))
        return [(entry["tx_hash"], entry["raw"]) for entry in signed]

    async def _broadcast(self, signed: list[tuple[str, bytes]]) -> None:
        now = time.monotonic()
        for tx_hash, _ in signed:
            self._sent_at[tx_hash] = now
        replies = await self._rpc.batch([("eth_sendRawTransaction", ("0x" + raw.hex(),)) for _, raw in signed])
        for (tx_hash, _), reply in zip(signed, replies, strict=True):
            if isinstance(reply, RpcError) and not any(known in reply.message.lower() for known in _KNOWN):
                # The bytes stay in the outbox and are sent again; the indexer says when they are in a block.
                log.warning("broadcast_refused", tx_hash=tx_hash, reason=reply.message)

    # --- recovery

    async def _resend(self) -> None:
        """Send again what is not in a block after a while: lost in a restart, dropped, or reorganised away."""
        now = time.monotonic()
        waiting = await self._database.read(outbox.in_flight)
        # What has ended is remembered no more; what a reorganisation brings back is then sent again at once.
        self._sent_at = {
            row["tx_hash"]: self._sent_at[row["tx_hash"]] for row in waiting if row["tx_hash"] in self._sent_at
        }
        late = [row for row in waiting if now - self._sent_at.get(row["tx_hash"], 0) > RESEND_SECONDS]
        due = []
        for sender in sorted({row["sender"] for row in late}):
            used = int(await self._rpc.call("eth_getTransactionCount", sender, "latest"), 16)
            advanced = used != self._used.get(sender)
            self._used[sender] = used
            for row in (row for row in late if row["sender"] == sender):
                if advanced and row["tx_hash"] in self._sent_at:
                    # The chain is busy with what it was sent: wait until it stops before this one.
                    self._sent_at[row["tx_hash"]] = now
                else:
                    due.append(row)
        for start in range(0, len(due), BATCH):
            wanted = [row["id"] for row in due[start : start + BATCH]]
            await self._broadcast(await self._database.read(outbox.signed_bytes, wanted))
        if due:
            await self._settle_taken_nonces(due)

    async def _settle_taken_nonces(self, rows: list[Row]) -> None:
        """A nonce that another transaction of the same key used, outside this service, cannot be used again: that is final."""
        for sender in {row["sender"] for row in rows}:
            used = int(await self._rpc.call("eth_getTransactionCount", sender, "finalized"), 16)
            for row in rows:
                if row["sender"] != sender or row["nonce"] >= used:
                    continue
                if await self._rpc.call("eth_getTransactionReceipt", row["tx_hash"]) is None:
                    problem = Unavailable(
                        f"Nonce {row['nonce']} of {sender} was used by a transaction of another program; "
                        "this one was never executed. Send it again."
                    ).problem()
                    await self._database.write(outbox.fail, row["id"], problem | {"status": 409})

    async def _next_nonce(self, sender: str) -> int:
        """The stored next nonce, or the chain's where the chain is ahead.

        A node that lags behind what was already seen in blocks must not make a nonce be used twice, and a query that
        fails is never taken as zero.
        """
        stored = await self._database.read(outbox.next_nonce, sender)
        on_chain = int(await self._rpc.call("eth_getTransactionCount", sender, "pending"), 16)
        return on_chain if stored is None else max(stored, on_chain)

    async def _newest_block(self) -> tuple[int, int]:
        """Its base fee and its gas limit."""
        at, fee, limit = self._block
        if time.monotonic() - at > FEE_SECONDS:
            block = await self._rpc.call("eth_getBlockByNumber", "latest", False)
            fee, limit = int(block.get("baseFeePerGas", "0x0"), 16), int(block["gasLimit"], 16)
            self._block = (time.monotonic(), fee, limit)
        return fee, limit


def _function(row: Row) -> tuple[str, bytes]:
    return row["to"], bytes(row["data"][:4])


def _request(sender: str, to: str, data: bytes, gas: int | None) -> dict[str, Any]:
    made = {"from": sender, "to": to, "data": "0x" + bytes(data).hex()}
    return made if gas is None else made | {"gas": hex(gas)}
