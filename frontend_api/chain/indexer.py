"""From chain to SQL: blocks by hash, one database transaction per run of blocks, rewound when the chain was.

A block is followed only when its parent is the block that was stored last; otherwise stored blocks are undone, newest first, until one is
still on the chain. Logs are asked for by block hash, so that a lagging node answers an error instead of an empty list.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy import JSON, Column, Connection, String, Table, delete, func, insert, select

from ..db import Database, Whole, metadata
from ..errors import Unavailable
from .abi import to_json
from .deployment import Deployment
from .events import Block, ChainEvent, Decoder
from .outbox import Outcome, mark_outcomes, submitted_among, unmine
from .projection import CHANGED, Changes, Handler, Projection, forget_journal, journal, undo_block
from .reverts import is_revert, refused, revert_data
from .rpc import NodeUnreachable, Rpc, RpcError

log = structlog.get_logger("indexer")

#: Blocks per database transaction while catching up.
CHUNK = 50

blocks = Table(
    "blocks",
    metadata,
    Column("number", Whole, primary_key=True),
    Column("hash", String, nullable=False, unique=True),
    Column("parent_hash", String, nullable=False),
    Column("time", Whole, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("block_number", Whole, primary_key=True),
    Column("log_index", Whole, primary_key=True),
    Column("block_hash", String, nullable=False),
    Column("block_time", Whole, nullable=False),
    Column("tx_hash", String, nullable=False, index=True),
    Column("contract", String, nullable=False),
    Column("event", String, nullable=False),
    Column("subject", String, nullable=False, index=True),
    Column("args", JSON, nullable=False),
)


#: One row: the block up to which the journal was dropped. A restart must not believe that it could undo less.
finality = Table(
    "finality",
    metadata,
    Column("id", Whole, primary_key=True),
    Column("block", Whole, nullable=False),
)


@dataclass(frozen=True)
class Head:
    """How far the tables are: the last block, and the last final one."""

    number: int
    time: int
    final: int


class ChainMismatch(RuntimeError):
    """The node is on another chain than the tables."""


class Indexer:
    def __init__(
        self, rpc: Rpc, database: Database, deployment: Deployment, handlers: dict[tuple[str, str], Handler], depth: int
    ):
        self._rpc, self._database, self._deployment = rpc, database, deployment
        self._handlers, self._depth = handlers, depth
        self._decoder = Decoder(deployment)
        self._types = {name: entry["type"] for name, entry in deployment.contracts.items()}
        self.head = Head(-1, 0, -1)
        #: Whether the tables have reached the chain's head since the start; before, they know less than is true.
        self.caught_up = False
        self._advanced = asyncio.Condition()
        self.on_advance: list[Callable[[], Awaitable[None]]] = []

    async def start(self) -> None:
        await self._refresh_head()

    async def run(self, poll_seconds: float) -> None:
        """Follow the chain for ever; a node that cannot be reached is tried again."""
        while True:
            try:
                await self.step()
            except NodeUnreachable as error:
                log.warning("node_unreachable", reason=error.detail)
            except Unavailable as error:
                # The database is locked by another process, or its disk is full: nothing was stored, so the next step does the same again.
                log.warning("waiting", reason=error.detail)
            except RpcError as error:
                log.warning("node_refused", reason=error.message)
            await asyncio.sleep(poll_seconds)

    async def step(self) -> bool:
        """Take in the blocks that are new; true when there were any."""
        latest = int(await self._rpc.call("eth_blockNumber"), 16)
        changed = False
        while True:
            first = max(self.head.number + 1, self._deployment.start_block)
            if self.head.number > latest or (first > latest and await self._is_gone(self.head.number)):
                await self._rewind()
                changed = True
                continue
            if first > latest:
                break
            if not await self._take(first, min(latest, first + CHUNK - 1)):
                await self._rewind()
            changed = True
        self.caught_up = True
        if changed:
            await self._announce()
        return changed

    async def wait_for(self, condition: Callable[[], Awaitable[bool]], seconds: float) -> bool:
        """Wait until the condition holds after some block, at most so many seconds."""
        try:
            async with asyncio.timeout(seconds):
                while not await condition():
                    async with self._advanced:
                        await self._advanced.wait()
        except TimeoutError:
            return await condition()
        return True

    async def _take(self, first: int, last: int) -> bool:
        """Fetch and store blocks first…last; false when they do not follow what is stored."""
        numbers = range(first, last + 1)
        raw = await self._rpc.batch([("eth_getBlockByNumber", (hex(n), False)) for n in numbers])
        fetched = [_block(item) for item in raw]
        parent = self._head_hash
        for block in fetched:
            if parent is not None and block.parent_hash != parent:
                if block is fetched[0]:
                    return False
                raise NodeUnreachable("The node's blocks do not follow each other; it is changing chains.")
            parent = block.hash
        # Of our contracts only: what others log into a block is of any size.
        ours = self._decoder.addresses
        logs = await self._rpc.batch(
            [("eth_getLogs", ({"blockHash": block.hash, "address": ours},)) for block in fetched]
        )
        for item in logs:
            if isinstance(item, RpcError):
                raise item
        decoded = [self._decoder.decode(block, entries) for block, entries in zip(fetched, logs, strict=True)]
        outcomes = await self._outcomes(fetched, decoded)
        await self._database.write(self._store, fetched, decoded, outcomes)
        await self._refresh_head()
        return True

    async def _outcomes(self, fetched: list[Block], decoded: list[list[ChainEvent]]) -> dict[str, Outcome]:
        """How our own transactions of these blocks ended.

        An event of ours is proof of success; where there is none, the receipt is asked.
        """
        outcomes: dict[str, Outcome] = {}
        for block, found in zip(fetched, decoded, strict=True):
            if not block.transactions:
                continue
            ours = await self._database.read(submitted_among, block.transactions)
            proven = {event.tx_hash for event in found}
            outcomes |= {tx_hash: Outcome(block, True) for tx_hash in ours & proven}
            silent = sorted(ours - proven)
            receipts = await self._rpc.batch([("eth_getTransactionReceipt", (tx_hash,)) for tx_hash in silent])
            for tx_hash, receipt in zip(silent, receipts, strict=True):
                if isinstance(receipt, RpcError) or receipt is None or receipt["blockHash"] != block.hash:
                    raise NodeUnreachable("The node does not have the receipt of a transaction that it announced.")
                succeeded = int(receipt["status"], 16) == 1
                problem = None if succeeded else await self._reason(tx_hash, block)
                outcomes[tx_hash] = Outcome(block, succeeded, problem)
        return outcomes

    async def _reason(self, tx_hash: str, block: Block) -> dict[str, Any]:
        """Why a transaction failed on chain: the same call again, on the state before its block and on the block's own.

        The first finds most reasons; the second finds that another transaction of the block came first.
        """
        sent = await self._rpc.call("eth_getTransactionByHash", tx_hash)
        request = {"from": sent["from"], "to": sent["to"], "data": sent["input"], "gas": sent["gas"]}
        for number in (block.number - 1, block.number):
            try:
                await self._rpc.call("eth_call", request, hex(number))
            except RpcError as error:
                if is_revert(error):
                    return refused(revert_data(error), tx_hash).problem()
        return {
            **refused(b"", tx_hash).problem(),
            "detail": "The transaction failed on chain and its reason can no longer be found.",
        }

    def _store(
        self,
        connection: Connection,
        fetched: list[Block],
        decoded: list[list[ChainEvent]],
        outcomes: dict[str, Outcome],
    ) -> None:
        changes = Changes(connection)
        wanted: list[tuple[Table, Mapping[str, Any]]] = []
        for event in (event for found in decoded for event in found):
            handler = self._handlers.get((self._types[event.contract], event.name))
            if handler is not None and handler.reads is not None:
                wanted.extend(handler.reads(event))
        changes.prefetch(wanted)
        for block, found in zip(fetched, decoded, strict=True):
            projection = Projection(changes, block)
            for event in found:
                handler = self._handlers.get((self._types[event.contract], event.name))
                if handler is not None:
                    handler(projection, event)
        changes.flush()
        connection.execute(
            insert(blocks),
            [{"number": b.number, "hash": b.hash, "parent_hash": b.parent_hash, "time": b.time} for b in fetched],
        )
        rows = [_row(event) for found in decoded for event in found]
        if rows:
            connection.execute(insert(events), rows)
        mark_outcomes(connection, outcomes)
        forget_journal(connection, fetched[-1].number - self._depth)
        _remember_final(connection, fetched[-1].number - self._depth)

    async def _is_gone(self, number: int) -> bool:
        """Whether the stored head is no longer what the chain has at that height."""
        if number < 0 or self._head_hash is None:
            return False
        raw = await self._rpc.call("eth_getBlockByNumber", hex(number), False)
        return raw is None or raw["hash"] != self._head_hash

    async def _rewind(self) -> None:
        """Undo the newest stored block."""
        number = self.head.number
        if number < self._deployment.start_block:
            raise ChainMismatch("The chain no longer has the block of the deployment.")
        if number <= self.head.final:
            # The journal of final blocks is gone, so the tables are built anew from the deployment's block.
            log.error("reorganisation_past_finality", block=number, final=self.head.final)
            await self._database.write(_empty)
        else:
            log.warning("rewind", block=number)
            await self._database.write(_undo, number)
        await self._refresh_head()

    async def _refresh_head(self) -> None:
        row = await self._database.read(_newest)
        # Finality never goes back: what was reported final stays so, and a deeper reorganisation raises an alarm.
        final = max(self.head.final, await self._database.read(_final))
        if row is None:
            self.head, self._head_hash = Head(-1, 0, final), None
            return
        self.head, self._head_hash = Head(row["number"], row["time"], final), row["hash"]

    _head_hash: str | None = None

    async def _announce(self) -> None:
        async with self._advanced:
            self._advanced.notify_all()
        for listener in self.on_advance:
            await listener()


def _newest(connection: Connection) -> Any:
    newest = select(func.max(blocks.c.number)).scalar_subquery()
    return connection.execute(select(blocks).where(blocks.c.number == newest)).mappings().first()


def _final(connection: Connection) -> int:
    found = connection.execute(select(finality.c.block)).scalar()
    return -1 if found is None else int(found)


def _remember_final(connection: Connection, block: int) -> None:
    before = _final(connection)
    if block > before:
        connection.execute(delete(finality))
        connection.execute(insert(finality).values(id=1, block=block))


def _undo(connection: Connection, number: int) -> None:
    undo_block(connection, number)
    unmine(connection, number)
    connection.execute(delete(events).where(events.c.block_number == number))
    connection.execute(delete(blocks).where(blocks.c.number == number))


def _empty(connection: Connection) -> None:
    unmine(connection, 0, every=True)
    for table in (*projections(), journal, events, blocks):
        connection.execute(delete(table))


def projections() -> list[Table]:
    """The tables that follow the chain."""
    return [table for table in metadata.sorted_tables if CHANGED in table.c]


def _block(raw: Any) -> Block:
    if isinstance(raw, RpcError):
        raise raw
    if raw is None:
        raise NodeUnreachable("The node does not have a block that it announced.")
    return Block(
        int(raw["number"], 16),
        raw["hash"],
        raw["parentHash"],
        int(raw["timestamp"], 16),
        tuple(raw["transactions"]),
    )


def _row(event: ChainEvent) -> dict[str, Any]:
    subject = next(iter(event.args.values()), "")
    return {
        "block_number": event.block.number,
        "log_index": event.log_index,
        "block_hash": event.block.hash,
        "block_time": event.block.time,
        "tx_hash": event.tx_hash,
        "contract": event.contract,
        "event": event.name,
        "subject": str(to_json(subject)),
        "args": to_json(event.args),
    }
