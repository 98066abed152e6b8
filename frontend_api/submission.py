"""From a typed call to an accepted transaction: idempotency, simulation, the outbox, and waiting when the caller wants to."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Header, Request, Response
from pydantic import Field
from sqlalchemy import Connection, and_, select

from .auth import Writer
from .chain import outbox
from .chain.abi import Call
from .chain.indexer import Indexer, events
from .chain.keys import KeyStore
from .chain.outbox import Intent
from .chain.sender import Sender
from .db import Database, Row
from .errors import ContractRefused, Forbidden, NotFound, ServiceError
from .kit.pagination import decode_number, encode_cursor
from .kit.schemas import Resource

if TYPE_CHECKING:
    from .city import City

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
    events: list[EventResource] = Field(default_factory=list)
    problem: dict[str, Any] | None = None


class TransactionList(Resource):
    items: list[TransactionResource]
    next: str | None


class BulkItem(Resource):
    """What became of one item of a bulk request: a transaction, or the reason why there is none."""

    index: int
    transaction: TransactionResource | None = None
    problem: dict[str, Any] | None = None


class BulkResource(Resource):
    items: list[BulkItem]


@dataclass(frozen=True)
class Asked:
    """Who asks for what, how: all that makes a write repeatable."""

    owner: str
    account: str
    key: str | None
    hashed: str
    wait_seconds: float
    #: Signed by somebody else than the account, which only carries it: what the account itself has on its way is no excuse for a refusal.
    relayed: bool = False


#: Something to store in the same database transaction as the outbox rows.
Alongside = Callable[[Connection], None]


class Submissions:
    def __init__(self, database: Database, sender: Sender, indexer: Indexer, keys: KeyStore):
        self._database, self._sender, self._indexer = database, sender, indexer
        self._accounts = set(keys.accounts())

    #: Raises while nothing could follow what is accepted; the composition root sets it.
    require_whole: Callable[[], None] = staticmethod(lambda: None)

    async def accept(
        self,
        asked: Asked,
        calls: Sequence[Call],
        before: Sequence[Call] = (),
        also: Alongside | None = None,
        record: Callable[[list[str]], list[Any]] = list,
    ) -> list[Any]:
        """Store the calls, and those that go before them, in one database transaction; returns what `record` makes (JSON)
        of the ids of `calls`, which is these ids when not given.

        The same key and body give the answer of the first time, and nothing is stored again.
        """
        self.require_whole()
        self.require_key(asked.account)
        intents = [Intent(asked.account, call) for call in (*before, *calls)]

        def work(connection: Connection) -> list[Any]:
            if asked.key is not None:
                earlier = outbox.earlier_response(connection, asked.owner, asked.key, asked.hashed)
                if earlier is not None:
                    return list(earlier)
            if also is not None:
                also(connection)
            answer = record(outbox.enqueue(connection, asked.owner, intents)[len(before) :])
            if asked.key is not None:
                outbox.remember(connection, asked.owner, asked.key, asked.hashed, answer)
            return answer

        answer = await self._database.write(work)
        self._sender.wake()
        return answer

    async def accept_part(
        self, asked: Asked, part: int, calls: Sequence[Call], record: Callable[[list[str]], Any]
    ) -> Any:
        """Store one part of a request that is too large for one database transaction, with what it is answered.

        `record` makes the answer (JSON) of the ids. The same key, body and part give the first answer, and nothing is
        stored again: a request that broke off is completed by sending it again.
        """
        self.require_whole()
        self.require_key(asked.account)
        intents = [Intent(asked.account, call) for call in calls]
        key = _key_of_part(asked, part)

        def work(connection: Connection) -> Any:
            if key is not None:
                earlier = outbox.earlier_response(connection, asked.owner, key, asked.hashed)
                if earlier is not None:
                    return earlier
            answer = record(outbox.enqueue(connection, asked.owner, intents))
            if key is not None and asked.key is not None:
                # The key itself is taken too: no other request may have it, on this route or another.
                if outbox.earlier_response(connection, asked.owner, asked.key, asked.hashed) is None:
                    outbox.remember(connection, asked.owner, asked.key, asked.hashed, [])
                outbox.remember(connection, asked.owner, key, asked.hashed, answer)
            return answer

        answer = await self._database.write(work)
        self._sender.wake()
        return answer

    async def earlier_part(self, asked: Asked, part: int) -> Any | None:
        """What `accept_part` answered the same request before."""
        key = _key_of_part(asked, part)
        if key is None:
            return None
        return await self._database.read(outbox.earlier_response, asked.owner, key, asked.hashed)

    async def earlier(self, asked: Asked) -> list[str] | None:
        """The ids that this key and body were given before."""
        if asked.key is None:
            return None
        found = await self._database.read(outbox.earlier_response, asked.owner, asked.key, asked.hashed)
        return None if found is None else list(found)

    async def simulate(self, asked: Asked, call: Call) -> None:
        """Refuse at once what the contract would refuse, unless an earlier act of the account is still on its way."""
        try:
            await self._sender.simulate(asked.account, call.to, call.data)
        except ContractRefused:
            if asked.relayed or not await self._database.read(_is_busy, asked.account):
                raise

    async def get(self, identifier: str) -> TransactionResource:
        row = await self._database.read(outbox.find, identifier)
        if row is None:
            raise NotFound(f"There is no transaction {identifier}.")
        return await self.resource(row)

    async def many(self, identifiers: Sequence[str]) -> list[TransactionResource]:
        """Transactions in the order of their ids, read at once."""
        rows = await self._database.read(outbox.find_all, identifiers)
        return [await self.resource(row) for row in rows]

    async def listed(self, owner: str, state: str | None, cursor: str | None, limit: int) -> TransactionList:
        """An owner's transactions in the order of acceptance. `state` as stored: a final transaction is mined."""
        rows = await self._database.read(outbox.listed, owner, state, decode_number(cursor), limit)
        following = encode_cursor(rows[-1]["sequence"]) if len(rows) == limit else None
        return TransactionList(items=[await self.resource(row) for row in rows], next=following)

    async def resource(self, row: Row) -> TransactionResource:
        state = row["state"]
        found = []
        if state == "mined":
            found = await self._database.read(_events_of, row["tx_hash"])
            if row["block_number"] <= self._indexer.head.final:
                state = "final"
        # Every value is the outbox's own: there is nothing to validate.
        return TransactionResource.model_construct(
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

    async def wait(
        self, identifier: str, seconds: float, states: tuple[str, ...] = ("mined", "final")
    ) -> TransactionResource:
        """The transaction once it has ended or reached one of the states, or as it is after so many seconds."""

        async def ended() -> bool:
            return (await self.get(identifier)).state in (*states, "failed")

        if seconds:
            await self._indexer.wait_for(ended, seconds)
        return await self.get(identifier)

    def require_key(self, account: str) -> None:
        if account not in self._accounts:
            raise Forbidden(f"This service holds no key for {account}; prepare the request and sign it yourself.")


class Action:
    """One write of one caller: what every writing endpoint takes as its parameter."""

    def __init__(self, city: City, asked: Asked, response: Response):
        self.city, self._asked, self._response = city, asked, response

    @property
    def account(self) -> str:
        return self._asked.account

    async def earlier(self) -> list[str] | None:
        """The ids that the same request was given before, None when it is new."""
        return await self.city.submissions.earlier(self._asked)

    async def accept(self, calls: Sequence[Call], also: Alongside | None = None) -> list[str]:
        """Store several calls; returns their ids, or those of the first time."""
        return await self.city.submissions.accept(self._asked, calls, (), also)

    async def earlier_part(self, part: int) -> Any | None:
        """What this part of the same request was answered before, None when it is new."""
        return await self.city.submissions.earlier_part(self._asked, part)

    async def accept_part(self, part: int, calls: Sequence[Call], record: Callable[[list[str]], Any]) -> Any:
        """Store one part of a large request and what it is answered; see `Submissions.accept_part`."""
        return await self.city.submissions.accept_part(self._asked, part, calls, record)

    async def require_right(self, call: Call) -> None:
        """Refuse at once who may not make such a call at all; what else the contract says is for each call to learn."""
        submissions = self.city.submissions
        submissions.require_key(self.account)
        try:
            await submissions.simulate(self._asked, call)
        except ContractRefused as error:
            if error.status == Forbidden.status:
                raise

    async def resource(self, identifier: str) -> TransactionResource:
        return await self.city.submissions.get(identifier)

    async def wait(self, identifier: str) -> None:
        """Wait for a transaction as long as the caller wants to."""
        await self.city.submissions.wait(identifier, self._asked.wait_seconds)

    async def once(self, ids: list[str], store: Alongside) -> list[str]:
        """Store something that is no transaction under ids of its own; the same key and body give the first time's ids."""

        def work(connection: Connection) -> list[str]:
            asked = self._asked
            if asked.key is not None:
                earlier = outbox.earlier_response(connection, asked.owner, asked.key, asked.hashed)
                if earlier is not None:
                    return list(earlier)
                outbox.remember(connection, asked.owner, asked.key, asked.hashed, ids)
            store(connection)
            return ids

        return await self.city.database.write(work)

    async def send(
        self, call: Call, *, before: Sequence[Call] = (), also: Alongside | None = None
    ) -> TransactionResource:
        """Accept one call: 202 and the transaction, or 200 when the caller waited and it is in a block."""
        submissions = self.city.submissions
        ids = await submissions.earlier(self._asked)
        if ids is None:
            submissions.require_key(self.account)
            try:
                await submissions.simulate(self._asked, call)
            except ContractRefused:
                # The same request, sent twice at once: the first may be in a block by now, which is why this one would revert.
                ids = await submissions.earlier(self._asked)
                if ids is None:
                    raise
            else:
                ids = await submissions.accept(self._asked, [call], before, also)
        resource = await submissions.wait(ids[0], self._asked.wait_seconds)
        if resource.problem is not None:
            raise _from_problem(resource)
        self._response.status_code = 200 if resource.state in ("mined", "final") else 202
        self._response.headers["location"] = f"/transactions/{ids[0]}"
        return resource

    async def send_many(
        self,
        items: Sequence[Call | ServiceError],
        *,
        before: Sequence[Call] = (),
        also: Alongside | None = None,
    ) -> BulkResource:
        """Accept several calls in one database transaction; an item that was refused beforehand carries its problem.

        The same request again is answered as the first time, also where more or less of it would be refused by now.
        """

        def record(ids: list[str]) -> list[str | dict[str, Any]]:
            remaining = iter(ids)
            return [item.problem() if isinstance(item, ServiceError) else next(remaining) for item in items]

        submissions = self.city.submissions
        calls = [item for item in items if isinstance(item, Call)]
        answers = await submissions.accept(self._asked, calls, before, also, record)
        ids = [answer for answer in answers if isinstance(answer, str)]
        if ids and self._asked.wait_seconds:
            await submissions.wait(ids[-1], self._asked.wait_seconds)
        sent = {resource.id: resource for resource in await submissions.many(ids)}
        self._response.status_code = 202
        return BulkResource(
            items=[
                BulkItem(index=index, transaction=sent[answer])
                if isinstance(answer, str)
                else BulkItem(index=index, problem=answer)
                for index, answer in enumerate(answers)
            ]
        )


async def action(
    request: Request,
    response: Response,
    caller: Writer,
    idempotency_key: Annotated[
        str | None,
        Header(max_length=200, description="the same key and body give the first result; another body is refused"),
    ] = None,
    prefer: Annotated[
        str | None, Header(description="`wait=10` waits that many seconds for the block (RFC 7240)")
    ] = None,
) -> Action:
    body = await _form_hash(request) if _is_form(request) else hashlib.sha256(await request.body()).hexdigest()
    hashed = outbox.body_hash([request.method, request.url.path, request.url.query, body])
    asked = Asked(caller.key_id, caller.account, idempotency_key, hashed, wait_seconds(prefer))
    return Action(request.app.state.city, asked, response)


Act = Annotated[Action, Depends(action)]


def wait_seconds(prefer: str | None) -> float:
    """How long a `Prefer: wait=…` header wants to wait, capped."""
    if prefer is None:
        return 0
    found = re.search(r"\bwait=(\d{1,5})\b", prefer)
    if found is None:
        return 0  # RFC 7240, 2: preferences that are not known are ignored
    return min(float(found[1]), LONGEST_WAIT_SECONDS)


def _key_of_part(asked: Asked, part: int) -> str | None:
    """No header can have a line break, so no caller's own key is ever the same."""
    return None if asked.key is None else f"{asked.key}\n{part}"


def _is_form(request: Request) -> bool:
    return "multipart/" in request.headers.get("content-type", "")


async def _form_hash(request: Request) -> str:
    """A form by its fields and files: the boundary between them differs from one sending of it to the next."""
    entries: list[list[str | None]] = []
    for name, value in (await request.form()).multi_items():
        if isinstance(value, str):
            entries.append([name, value])
        else:
            entries.append([name, value.filename, hashlib.sha256(await value.read()).hexdigest()])
            await value.seek(0)
    return outbox.body_hash(entries)


def _is_busy(connection: Connection, account: str) -> bool:
    waiting = and_(outbox.transactions.c.sender == account, outbox.transactions.c.state.in_(("queued", "submitted")))
    return connection.execute(select(outbox.transactions.c.id).where(waiting).limit(1)).first() is not None


def _events_of(connection: Connection, tx_hash: str) -> list[EventResource]:
    rows = connection.execute(
        select(events.c.contract, events.c.event, events.c.args)
        .where(events.c.tx_hash == tx_hash)
        .order_by(events.c.block_number, events.c.log_index)
    )
    return [EventResource(contract=row.contract, event=row.event, args=row.args) for row in rows]


def _from_problem(resource: TransactionResource) -> ServiceError:
    """The recorded failure of a transaction as the error that the caller gets."""
    problem = dict(resource.problem or {})
    made = ServiceError(problem.pop("detail", "The transaction failed."))
    made.status = int(problem.pop("status", 409))
    made.title = problem.pop("title", "The transaction failed")
    made.code = str(problem.pop("type", "urn:chaincity:problem:contract-refused")).rsplit(":", 1)[-1]
    made.extra = {**problem, "transaction": resource.id}
    if resource.tx_hash:
        made.extra["txHash"] = resource.tx_hash
    return made
