"""Rules of the recourse routes. No JSON-RPC here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...chain.abi import Call
from ...chain.projection import CHANGED
from ...db import Row
from ...errors import Forbidden, NotFound
from ...kit.pagination import decode_cursor, encode_cursor
from . import recourse_repository as repository
from .repository import find_quote
from .schemas import RecourseList, RecourseResource

if TYPE_CHECKING:
    from ...city import City


class RecourseService:
    def __init__(self, city: City):
        self._city = city
        self._grace: int | None = None

    async def put_back_quote(self, bank: str, digest: str) -> Call:
        row = await self._city.database.read(find_quote, digest.lower(), bank)
        if row is None:
            raise NotFound("There is no such quote that you gave or were given.")
        return self.put_back(bank, row["bank"], int(row["nonce"]))

    def put_back(self, party: str, bank: str, nonce: int) -> Call:
        # On chain everybody puts back by its own nonces: somebody else's call would speak of another quote.
        if party != bank:
            raise Forbidden(f"Only {bank}, which bought the units, can put them back.")
        return self._city.financing_desk.put_back(nonce)

    def repay(self, bank: str, nonce: int, amount: int) -> Call:
        return self._city.financing_desk.repay(bank, nonce, amount)

    async def recourse(self, party: str, bank: str, nonce: int) -> RecourseResource:
        row = await self._city.database.read(repository.find_recourse, bank, nonce)
        if row is None or party not in (row["bank"], row["seller"]):
            raise NotFound("There is no such recourse of yours.")
        return self._resource(row, party, await self._grace_period())

    async def recourses(
        self, party: str, side: str | None, state: str | None, cursor: str | None, limit: int
    ) -> RecourseList:
        position = decode_cursor(cursor, 2)
        after = None if position is None else (position[0], position[1])
        rows = await self._city.database.read(repository.list_recourse, party, side, state, after, limit)
        grace = await self._grace_period()
        following = encode_cursor(rows[-1]["bank"], rows[-1]["nonce"]) if len(rows) == limit else None
        return RecourseList(items=[self._resource(row, party, grace) for row in rows], next=following)

    # --- internals

    async def _grace_period(self) -> int:
        if self._grace is None:
            self._grace = await self._city.receivable_ledger.grace_period()
        return self._grace

    def _resource(self, row: Row, party: str, grace: int) -> RecourseResource:
        names = [name for name in RecourseResource.model_fields if name in row]
        return RecourseResource(
            **{name: row[name] for name in names},
            outstanding=str(int(row["owed"]) - int(row["repaid"])),
            defaulted=is_defaulted(row, grace, self._city.indexer.head.time),
            next_action=next_action(row, party, grace, self._city.indexer.head.time),
            finality="final" if row[CHANGED] <= self._city.indexer.head.final else "mined",
        )


def is_defaulted(row: Row, grace: int, now: int) -> bool:
    """Whether the receivable is unpaid and past due by more than the grace period, by chain time."""
    return row["receivable_state"] in ("confirmed", "partly_paid") and now >= row["due_at"] + grace


def next_action(row: Row, party: str, grace: int, now: int) -> str | None:
    """What `party` can do now."""
    if row["state"] == "held" and row["bank"] == party and is_defaulted(row, grace, now):
        return "put_back" if repository.left_to_put_back(row) else None
    return "pay" if row["state"] == "owed" and row["seller"] == party else None
