"""From a typed call to an accepted transaction: idempotency, simulation, the outbox, and waiting when the caller wants to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from pydantic import Field
from sqlalchemy import Connection, and_, select

from .chain import outbox
from .chain.abi import Call
from .chain.indexer import Indexer, events
from .chain.keys import KeyStore
from .chain.outbox import Intent
from .chain.sender import Sender
from .db import Database
from .errors import ContractRefused, Forbidden, InvalidInput, NotFound, ServiceError
from .kit.schemas import Resource

#: A bulk request carries at most this many items.
LARGEST_BULK = 1000
LONGEST_WAIT_SECONDS = 60


class EventResource(Resource):
    contract: str
    event: str
    args: dict[str, Any]


class TransactionResource(Resource):
    """A transaction from acceptance to finality. The id survives replacement of the transaction on chain."""

    id: str
    state: str = Field(description="queued, submitted, mined, final or failed")
    sender: str
    contract: str
    function: str
    args: dict[str, Any]
    tx_hash: str | None = None
    block_number: int | None = None
    nonce: int | None = None
    events: list[EventResource] = []
    problem: dict[str, Any] | None = None


class BulkItem(Resource):
    """What became of one item of a bulk request: a transaction, or the reason why there is none."""

    index: int
    transaction: TransactionResource | None = None
    problem: dict[str, Any] | None = None


class BulkResource(Resource):
    items: list[BulkItem]


@dataclass(frozen=True)
class RequestOptions:
    """Headers that every write takes."""

    idempotency_key: str | None
    wait_seconds: float


async def request_options(
    idempotency_key: Annotated[
        str | None,
        Header(max_length=200, description="the same key and body give the first result; another body is refused"),
    ] = None,
    prefer: Annotated[str | None, Header(description="`wait=10` waits that many seconds for the block (RFC 7240)")] = None,
) -> RequestOptions:
    wait = 0.0
    if prefer is not None:
        found = re.search(r"\bwait=(\d{1,5})\b", prefer)
        if found is None:
            raise InvalidInput("`Prefer` takes `wait=SECONDS` here (RFC 7240).", field="Prefer")
        wait = min(float(found[1]), LONGEST_WAIT_SECONDS)
    return RequestOptions(idempotency_key, wait)


Options = Annotated[RequestOptions, Depends(request_options)]


class Submissions:
    def __init__(self, database: Database, sender: Sender, indexer: Indexer, keys: KeyStore):
        self._database, self._sender, self._indexer = database, sender, indexer
        self._accounts = set(keys.accounts())

    async def one(self, owner: str, account: str, call: Call, options: RequestOptions, response: Response) -> Any:
        """Accept one call: 202 and the transaction, or 200 when the caller waited and it is in a block."""
        self._require_key(account)
        hashed = outbox.body_hash([account, call.to, call.data.hex()])
        identifier = await self._earlier(owner, options, hashed)
        if identifier is None:
            await self._simulate(account, call)
            [identifier] = await self._store(owner, [Intent(account, call)], options, hashed)
        resource = await self.wait(identifier, options.wait_seconds)
        if resource.problem is not None:
            raise _from_problem(resource)
        response.status_code = 200 if resource.state in ("mined", "final") else 202
        response.headers["location"] = f"/transactions/{identifier}"
        return resource

    async def many(
        self,
        owner: str,
        account: str,
        calls: Sequence[Call | ServiceError],
        options: RequestOptions,
    ) -> BulkResource:
        """Accept up to 1,000 calls in one database transaction; items that were refused beforehand carry their problem."""
        self._require_key(account)
        if len(calls) > LARGEST_BULK:
            raise InvalidInput(f"A bulk request carries at most {LARGEST_BULK} items.", field="items")
        good = [call for call in calls if isinstance(call, Call)]
        hashed = outbox.body_hash([account, [[call.to, call.data.hex()] for call in good]])
        ids = await self._earlier(owner, options, hashed)
        if ids is None:
            ids = await self._store(owner, [Intent(account, call) for call in good], options, hashed, bulk=True)
        remaining = iter(ids)
        items = []
        for index, call in enumerate(calls):
            if isinstance(call, ServiceError):
                items.append(BulkItem(index=index, problem=call.problem()))
            else:
                items.append(BulkItem(index=index, transaction=await self.get(next(remaining))))
        return BulkResource(items=items)

    async def get(self, identifier: str) -> TransactionResource:
        row = await self._database.read(outbox.find, identifier)
        if row is None:
            raise NotFound(f"There is no transaction {identifier}.")
        state = row["state"]
        found = []
        if state == "mined":
            found = await self._database.read(_events_of, row["tx_hash"])
            if row["block_number"] <= self._indexer.head.final:
                state = "final"
        return TransactionResource(
            id=row["id"],
            state=state,
            sender=row["sender"],
            contract=row["contract"],
            function=row["function"],
            args=row["args"],
            tx_hash=row["tx_hash"],
            block_number=row["block_number"],
            nonce=row["nonce"],
            events=found,
            problem=row["problem"],
        )

    async def wait(self, identifier: str, seconds: float, states: tuple[str, ...] = ("mined", "final")) -> TransactionResource:
        """The transaction once it has ended or reached one of the states, or as it is after so many seconds."""

        async def ended() -> bool:
            return (await self.get(identifier)).state in (*states, "failed")

        if seconds:
            await self._indexer.wait_for(ended, seconds)
        return await self.get(identifier)

    # --- internals

    def _require_key(self, account: str) -> None:
        if account not in self._accounts:
            raise Forbidden(f"This service holds no key for {account}; prepare the request and sign it yourself.")

    async def _earlier(self, owner: str, options: RequestOptions, hashed: str) -> Any:
        if options.idempotency_key is None:
            return None
        return await self._database.read(outbox.earlier_response, owner, options.idempotency_key, hashed)

    async def _simulate(self, account: str, call: Call) -> None:
        """Refuse at once what the contract would refuse, unless something that it may depend on is still on its way."""
        try:
            await self._sender.simulate(account, call.to, call.data)
        except ContractRefused:
            if not await self._database.read(_is_busy):
                raise

    async def _store(
        self, owner: str, intents: list[Intent], options: RequestOptions, hashed: str, *, bulk: bool = False
    ) -> list[str]:
        def work(connection: Connection) -> list[str]:
            ids = outbox.enqueue(connection, owner, intents)
            if options.idempotency_key is not None:
                outbox.remember(connection, owner, options.idempotency_key, hashed, ids if bulk else ids[0])
            return ids

        ids = await self._database.write(work)
        self._sender.wake()
        return ids


def _is_busy(connection: Connection) -> bool:
    waiting = outbox.transactions.c.state.in_(("queued", "submitted"))
    return connection.execute(select(outbox.transactions.c.id).where(waiting).limit(1)).first() is not None


def _events_of(connection: Connection, tx_hash: str) -> list[EventResource]:
    rows = connection.execute(
        select(events.c.contract, events.c.event, events.c.args)
        .where(and_(events.c.tx_hash == tx_hash))
        .order_by(events.c.block_number, events.c.log_index)
    )
    return [EventResource(contract=row.contract, event=row.event, args=row.args) for row in rows]


def _from_problem(resource: TransactionResource) -> ServiceError:
    problem = dict(resource.problem or {})
    made = ServiceError(problem.pop("detail", "The transaction failed."))
    made.status = int(problem.pop("status", 409))
    made.title = problem.pop("title", "The transaction failed")
    made.code = str(problem.pop("type", "urn:chaincity:problem:contract-refused")).rsplit(":", 1)[-1]
    made.extra = {**problem, "transaction": resource.id}
    if resource.tx_hash:
        made.extra["txHash"] = resource.tx_hash
    return made


def submissions(request: Request) -> Submissions:
    found: Submissions = request.app.state.city.submissions
    return found
