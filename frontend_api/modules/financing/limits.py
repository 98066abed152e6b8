"""Rules of the limit routes: a bank's own, seen by nobody else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from ...errors import InvalidInput, NotFound
from ...kit.pagination import decode_cursor, encode_cursor
from ..members import repository as members_repository
from . import limits_repository as repository
from .limits_repository import DEBTOR, GROUP
from .limits_schemas import (
    LimitGroup,
    LimitGroupList,
    LimitGroupResource,
    LimitList,
    LimitResource,
    Limits,
    LimitUse,
)

if TYPE_CHECKING:
    from ...city import City


class LimitsService:
    def __init__(self, city: City):
        self._city = city

    async def put(self, bank: str, debtor: str, body: Limits) -> LimitResource:
        self._require_currencies(body.limits)
        await self._require_known(debtor, "debtor")
        await self._city.database.write(repository.put_ceilings, bank, DEBTOR, debtor, body.limits)
        return await self._city.database.read(self._limit, bank, debtor)

    async def get(self, bank: str, debtor: str) -> LimitResource:
        found = await self._city.database.read(self._limit, bank, debtor)
        if not found.limits and found.group is None:
            raise NotFound(f"You have no limit for {debtor}.")
        return found

    async def delete(self, bank: str, debtor: str) -> None:
        if not await self._city.database.write(repository.drop_ceilings, bank, debtor):
            raise NotFound(f"You have no limit for {debtor}.")

    async def limits(self, bank: str, cursor: str | None, limit: int) -> LimitList:
        """By account; debtors that only a group limits are under the group."""

        def work(connection: Connection) -> list[LimitResource]:
            found = repository.limited_debtors(connection, bank, _after(cursor), limit)
            return [self._limit(connection, bank, debtor) for debtor in found]

        items = await self._city.database.read(work)
        return LimitList(items=items, next=encode_cursor(items[-1].debtor) if len(items) == limit else None)

    async def put_group(self, bank: str, name: str, body: LimitGroup) -> LimitGroupResource:
        self._require_currencies(body.limits)
        for index, debtor in enumerate(body.debtors):
            await self._require_known(debtor, f"debtors.{index}")
        await self._city.database.write(repository.put_group, bank, name, body.debtors, body.limits)
        return await self._city.database.read(self._group, bank, name)

    async def get_group(self, bank: str, name: str) -> LimitGroupResource:
        if not await self._city.database.read(repository.has_group, bank, name):
            raise NotFound(f"You have no group {name!r}.")
        return await self._city.database.read(self._group, bank, name)

    async def delete_group(self, bank: str, name: str) -> None:
        if not await self._city.database.write(repository.drop_group, bank, name):
            raise NotFound(f"You have no group {name!r}.")

    async def groups(self, bank: str, cursor: str | None, limit: int) -> LimitGroupList:
        # Names may have any sign, also the one that parts a cursor.
        after = _after_name(cursor)

        def work(connection: Connection) -> list[LimitGroupResource]:
            found = repository.groups_of(connection, bank, after, limit)
            return [self._group(connection, bank, name) for name in found]

        items = await self._city.database.read(work)
        return LimitGroupList(
            items=items, next=encode_cursor(items[-1].group.encode().hex()) if len(items) == limit else None
        )

    # --- internals

    def _limit(self, connection: Connection, bank: str, debtor: str) -> LimitResource:
        amounts = repository.ceilings_of(connection, bank, DEBTOR, debtor)
        group = repository.group_of(connection, bank, debtor)
        return LimitResource(debtor=debtor, group=group, limits=self._use(connection, bank, [debtor], amounts))

    def _group(self, connection: Connection, bank: str, name: str) -> LimitGroupResource:
        amounts = repository.ceilings_of(connection, bank, GROUP, name)
        debtors = repository.debtors_of(connection, bank, name)
        return LimitGroupResource(group=name, debtors=debtors, limits=self._use(connection, bank, debtors, amounts))

    def _use(
        self, connection: Connection, bank: str, debtors: Sequence[str], amounts: Mapping[str, int]
    ) -> list[LimitUse]:
        now = self._city.indexer.head.time
        found = []
        for currency, amount in sorted(amounts.items()):
            used = repository.exposure(connection, bank, debtors, currency, now)
            left = max(amount - used, 0)
            found.append(LimitUse(currency=currency, limit=str(amount), exposure=str(used), available=str(left)))
        return found

    def _require_currencies(self, amounts: Mapping[str, int]) -> None:
        known = self._city.deployment.currencies
        for currency in amounts:
            if currency not in known:
                rule = f"There is no settlement token for {currency}; there are: {', '.join(known)}."
                raise InvalidInput(rule, field=f"limits.{currency}")

    async def _require_known(self, debtor: str, field: str) -> None:
        """A mistyped account would be a limit that never holds."""
        if await self._city.database.read(members_repository.find_party, debtor) is None:
            raise InvalidInput(f"{debtor} is not a member of this city.", field=field)


def _after(cursor: str | None) -> str | None:
    found = decode_cursor(cursor, 1)
    return None if found is None else found[0]


def _after_name(cursor: str | None) -> str | None:
    found = _after(cursor)
    try:
        return None if found is None else bytes.fromhex(found).decode()
    except ValueError as error:
        raise InvalidInput("This cursor belongs to another list.", field="cursor") from error
