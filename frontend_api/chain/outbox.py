"""Transactions as durable resources.

queued → submitted → mined → final | failed. The row, and the Idempotency-Key that stands for it, are stored before anybody is told; the
signed bytes and their nonce are stored before they are broadcast, and only ever the same bytes are sent again. `final` is not stored: it is
`mined` in a final block.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Float,
    LargeBinary,
    String,
    Table,
    UniqueConstraint,
    and_,
    bindparam,
    func,
    insert,
    select,
    update,
)

from ..db import Row, Whole, metadata
from ..errors import Conflict, InvalidInput
from .abi import Call, to_json
from .events import Block

transactions = Table(
    "transactions",
    metadata,
    Column("sequence", Whole, primary_key=True, autoincrement=True),
    Column("id", String, nullable=False, unique=True),
    Column("owner", String, nullable=False, index=True),
    Column("sender", String, nullable=False),
    Column("contract", String, nullable=False),
    Column("function", String, nullable=False),
    Column("args", JSON, nullable=False),
    Column("to", String, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("created_at", Float, nullable=False),
    Column("nonce", Whole),
    Column("raw", LargeBinary),
    Column("tx_hash", String, unique=True),
    Column("block_number", Whole, index=True),
    Column("block_hash", String),
    Column("problem", JSON),
    UniqueConstraint("sender", "nonce"),
)

nonces = Table(
    "nonces",
    metadata,
    Column("sender", String, primary_key=True),
    Column("next", Whole, nullable=False),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("owner", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("body_hash", String, nullable=False),
    Column("response", JSON, nullable=False),
    Column("created_at", Float, nullable=False),
)


@dataclass(frozen=True)
class Intent:
    """What somebody asked for: one call, signed by one key."""

    sender: str
    call: Call


@dataclass(frozen=True)
class Outcome:
    """How a transaction ended in a block."""

    block: Block
    succeeded: bool
    problem: dict[str, Any] | None = None


def new_id() -> str:
    """Sortable by time, unguessable: 6 bytes of milliseconds and 10 random bytes."""
    return "tx_" + (int(time.time() * 1000).to_bytes(6, "big") + secrets.token_bytes(10)).hex()


def body_hash(body: Any) -> str:
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def earlier_response(connection: Connection, owner: str, key: str, hashed: str) -> Any | None:
    """The stored response of the same request, None when the key is new; another body under the same key is refused."""
    row = (
        connection.execute(
            select(idempotency_keys).where(and_(idempotency_keys.c.owner == owner, idempotency_keys.c.key == key))
        )
        .mappings()
        .first()
    )
    if row is None:
        return None
    if row["body_hash"] != hashed:
        raise InvalidInput("This Idempotency-Key was used for another request.", field="Idempotency-Key")
    return row["response"]


def enqueue(connection: Connection, owner: str, intents: Iterable[Intent]) -> list[str]:
    """Store what is to be sent; returns the ids in order."""
    rows = [
        {
            "id": new_id(),
            "owner": owner,
            "sender": intent.sender,
            "contract": intent.call.contract,
            "function": intent.call.function,
            "args": to_json(intent.call.args),
            "to": intent.call.to,
            "data": intent.call.data,
            "state": "queued",
            "created_at": time.time(),
        }
        for intent in intents
    ]
    if rows:
        connection.execute(insert(transactions), rows)
    return [row["id"] for row in rows]


def remember(connection: Connection, owner: str, key: str, hashed: str, response: Any) -> None:
    """Bind an Idempotency-Key to its response, in the transaction that stores the outbox rows."""
    if earlier_response(connection, owner, key, hashed) is not None:
        raise Conflict("A request with this Idempotency-Key is being handled; ask again for its result.")
    connection.execute(
        insert(idempotency_keys).values(
            owner=owner, key=key, body_hash=hashed, response=response, created_at=time.time()
        )
    )


def find(connection: Connection, transaction_id: str) -> Row | None:
    return connection.execute(select(transactions).where(transactions.c.id == transaction_id)).mappings().first()


def find_all(connection: Connection, identifiers: Sequence[str]) -> list[Row]:
    """Transactions in the order of their ids, all of which are there."""
    found: dict[str, Row] = {}
    for start in range(0, len(identifiers), 500):
        chunk = identifiers[start : start + 500]
        query = select(transactions).where(transactions.c.id.in_(chunk))
        found |= {row["id"]: row for row in connection.execute(query).mappings()}
    return [found[identifier] for identifier in identifiers]


def listed(connection: Connection, owner: str, state: str | None, after: int | None, limit: int) -> list[Row]:
    """An owner's transactions in the order of acceptance."""
    wanted = [transactions.c.owner == owner]
    if state is not None:
        wanted.append(transactions.c.state == state)
    if after is not None:
        wanted.append(transactions.c.sequence > after)
    query = select(transactions).where(and_(*wanted)).order_by(transactions.c.sequence).limit(limit)
    return list(connection.execute(query).mappings())


def queued(connection: Connection, sender: str, limit: int, after: int = 0) -> list[Row]:
    """What waits to be sent by a key, in the order of acceptance, past a place in it."""
    waiting = and_(transactions.c.sender == sender, transactions.c.state == "queued", transactions.c.sequence > after)
    columns = (transactions.c[name] for name in ("sequence", "id", "sender", "to", "data"))
    return list(
        connection.execute(select(*columns).where(waiting).order_by(transactions.c.sequence).limit(limit)).mappings()
    )


def senders_with_work(connection: Connection) -> list[str]:
    return list(
        connection.execute(select(transactions.c.sender).where(transactions.c.state == "queued").distinct()).scalars()
    )


def others_wait(connection: Connection, sender: str) -> bool:
    """Whether another key than this one has something to send."""
    waiting = and_(transactions.c.state == "queued", transactions.c.sender != sender)
    return connection.execute(select(transactions.c.id).where(waiting).limit(1)).first() is not None


def in_flight(connection: Connection, sender: str | None = None) -> list[Row]:
    """Submitted and not yet seen in a block, in the order of their nonces, without the signed bytes."""
    wanted = transactions.c.state == "submitted"
    if sender is not None:
        wanted = and_(wanted, transactions.c.sender == sender)
    columns = (transactions.c[name] for name in ("id", "sender", "nonce", "tx_hash"))
    return list(connection.execute(select(*columns).where(wanted).order_by(transactions.c.nonce)).mappings())


def signed_bytes(connection: Connection, identifiers: Iterable[str]) -> list[tuple[str, bytes]]:
    """(hash, bytes) of submitted transactions, in the order of their nonces."""
    wanted = select(transactions.c.tx_hash, transactions.c.raw).where(transactions.c.id.in_(list(identifiers)))
    return [(row.tx_hash, bytes(row.raw)) for row in connection.execute(wanted.order_by(transactions.c.nonce))]


def is_in_flight(connection: Connection, sender: str) -> bool:
    wanted = and_(transactions.c.state == "submitted", transactions.c.sender == sender)
    return connection.execute(select(transactions.c.id).where(wanted).limit(1)).first() is not None


def next_nonce(connection: Connection, sender: str) -> int | None:
    return connection.execute(select(nonces.c.next).where(nonces.c.sender == sender)).scalar()


def set_next_nonce(connection: Connection, sender: str, value: int) -> None:
    if next_nonce(connection, sender) is None:
        connection.execute(insert(nonces).values(sender=sender, next=value))
    else:
        connection.execute(update(nonces).where(nonces.c.sender == sender).values(next=value))


def submit(connection: Connection, sender: str, signed: list[dict[str, Any]], following: int) -> None:
    """Store signed bytes with their nonces before anybody sees them."""
    names = ("nonce", "raw", "tx_hash")
    connection.execute(
        update(transactions)
        .where(transactions.c.id == bindparam("of"))
        .values(state="submitted", **{name: bindparam(f"its_{name}") for name in names}),
        [{"of": entry["id"], **{f"its_{name}": entry[name] for name in names}} for entry in signed],
    )
    set_next_nonce(connection, sender, following)


def fail(connection: Connection, transaction_id: str, problem: dict[str, Any]) -> None:
    connection.execute(
        update(transactions).where(transactions.c.id == transaction_id).values(state="failed", problem=problem)
    )


def fail_queued(connection: Connection, sender: str, problem: dict[str, Any]) -> None:
    """End all that waits for a key that cannot sign it."""
    waiting = and_(transactions.c.sender == sender, transactions.c.state == "queued")
    connection.execute(update(transactions).where(waiting).values(state="failed", problem=problem))


def is_on_its_way(connection: Connection, owner: str) -> bool:
    """Whether an owner has a transaction that has not ended."""
    waiting = and_(transactions.c.owner == owner, transactions.c.state.in_(("queued", "submitted")))
    return connection.execute(select(transactions.c.id).where(waiting).limit(1)).first() is not None


def submitted_among(connection: Connection, hashes: Iterable[str]) -> set[str]:
    """Which of these transactions are ours and wait for their block."""
    found: set[str] = set()
    wanted = list(hashes)
    for start in range(0, len(wanted), 500):
        chunk = wanted[start : start + 500]
        found |= set(
            connection.execute(
                select(transactions.c.tx_hash).where(
                    and_(transactions.c.tx_hash.in_(chunk), transactions.c.state == "submitted")
                )
            ).scalars()
        )
    return found


def mark_outcomes(connection: Connection, outcomes: Mapping[str, Outcome]) -> None:
    if not outcomes:
        return
    names = ("state", "block_number", "block_hash", "problem")
    connection.execute(
        update(transactions)
        .where(and_(transactions.c.tx_hash == bindparam("of"), transactions.c.state == "submitted"))
        .values({name: bindparam(f"its_{name}") for name in names}),
        [
            {
                "of": tx_hash,
                "its_state": "mined" if outcome.succeeded else "failed",
                "its_block_number": outcome.block.number,
                "its_block_hash": outcome.block.hash,
                "its_problem": outcome.problem,
            }
            for tx_hash, outcome in outcomes.items()
        ],
    )


def unmine(connection: Connection, number: int, *, every: bool = False) -> None:
    """A block is gone: its transactions, failed ones too, wait again and the same bytes are sent again."""
    of_block = transactions.c.block_number.is_not(None) if every else transactions.c.block_number == number
    connection.execute(
        update(transactions).where(of_block).values(state="submitted", block_number=None, block_hash=None, problem=None)
    )


def depth_of_queue(connection: Connection) -> dict[str, int]:
    rows = connection.execute(select(transactions.c.state, func.count()).group_by(transactions.c.state))
    return {state: count for state, count in rows}
