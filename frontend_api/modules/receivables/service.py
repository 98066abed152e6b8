"""Rules of the receivable routes; intake.py has those of invoices. No JSON-RPC here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ...chain.abi import Call
from ...chain.projection import CHANGED
from ...db import Row
from ...errors import InvalidInput, NotFound, ServiceError
from ...kit.pagination import decode_number, encode_cursor
from . import repository
from .contract import ReceivableState
from .repository import UNDERTAKEN, claimable
from .schemas import Draft, HoldingResource, Named, ReceivableList, ReceivableResource, ReceivableSummary

if TYPE_CHECKING:
    from ...city import City

NamedItem = TypeVar("NamedItem", bound=Named)


class ReceivablesService:
    def __init__(self, city: City):
        self._city = city
        self._grace: int | None = None

    # --- receivables

    def draft(self, body: Draft) -> Call:
        if body.currency not in self._city.deployment.currencies:
            known = ", ".join(self._city.deployment.currencies)
            raise InvalidInput(
                f"There is no settlement token for {body.currency}; there are: {known}.", field="currency"
            )
        return self._city.receivable_ledger.draft(
            body.debtor, body.currency, body.face, body.due_at, body.fingerprint, body.number_fingerprint
        )

    async def receivable(self, receivable_id: int) -> ReceivableResource:
        row = await self.known(receivable_id)
        held = await self._city.database.read(repository.holdings_of, receivable_id)
        newest = max((row, *held), key=lambda entry: int(entry[CHANGED]))
        return ReceivableResource(
            **self._facts(row, newest, await self.grace_period()),
            holdings=[
                HoldingResource(
                    holder=entry["holder"],
                    units=entry["units"],
                    claimed=entry["claimed"],
                    claimable=str(claimable(row, entry)),
                    written_off_at=entry["written_off_at"],
                    written_off=entry["written_off"],
                    recovered=entry["recovered"],
                )
                for entry in held
            ],
        )

    async def receivables(
        self,
        cursor: str | None,
        limit: int,
        *,
        supplier: str | None,
        debtor: str | None,
        holder: str | None,
        state: str | None,
    ) -> ReceivableList:
        rows = await self._city.database.read(
            repository.list_receivables,
            decode_number(cursor),
            limit,
            supplier=supplier,
            debtor=debtor,
            holder=holder,
            state=state,
        )
        following = encode_cursor(rows[-1]["id"]) if len(rows) == limit else None
        grace = await self.grace_period()
        items = [ReceivableSummary(**self._facts(row, row, grace)) for row in rows]
        return ReceivableList(items=items, next=following)

    async def grace_period(self) -> int:
        """Seconds from the due date to the default. The ledger is asked once in the database's life: it never changes."""
        if self._grace is None:
            kept = await self._city.database.read(repository.kept_grace_period)
            if kept is None:
                kept = await self._city.receivable_ledger.grace_period()
                await self._city.database.write(repository.keep_grace_period, kept)
            self._grace = kept
        return self._grace

    async def require_known(self, receivable_id: int) -> None:
        """404 for a receivable that neither the tables nor, as they follow it, the chain know."""
        if await self._city.database.read(repository.find_receivable, receivable_id) is None:
            found = await self._city.receivable_ledger.receivable(receivable_id)
            if found.state == ReceivableState.NONE:
                raise _unknown(receivable_id)

    async def calls(
        self, items: Sequence[NamedItem | InvalidInput], call: Callable[[NamedItem], Call], *, refuse: bool
    ) -> list[Call | ServiceError]:
        """The call for each item of a bulk request, or why there is none; with `refuse`, the first reason is raised."""
        named = [item.receivable_id for item in items if isinstance(item, Named)]
        known = await self._city.database.read(repository.known_of, named)
        found: list[Call | ServiceError] = []
        for index, item in enumerate(items):
            if isinstance(item, InvalidInput):
                found.append(item)
                continue
            try:
                if item.receivable_id not in known:
                    await self.require_known(item.receivable_id)
            except NotFound as error:
                if refuse:
                    raise InvalidInput(error.detail, field=f"items.{index}.receivableId") from error
                found.append(error)
            else:
                found.append(call(item))
        return found

    # --- internals

    async def known(self, receivable_id: int) -> Row:
        row = await self._city.database.read(repository.find_receivable, receivable_id)
        if row is None:
            raise _unknown(receivable_id)
        return row

    def _facts(self, row: Row, newest: Row, grace: int) -> dict[str, Any]:
        """`newest` is the row that changed last of all that is shown."""
        now = self._city.indexer.head.time
        undertaken, due = row["state"] in UNDERTAKEN, row["due_at"] <= now
        return {
            **{name: row[name] for name in ReceivableSummary.model_fields if name in row},
            "outstanding": str(int(row["face"]) - int(row["paid"]) if undertaken else 0),
            "open": row["state"] == "confirmed" and not due,
            "overdue": undertaken and due,
            "defaults_at": row["due_at"] + grace,
            "defaulted": undertaken and row["due_at"] + grace <= now,
            "finality": self._city.finality(newest),
        }


def _unknown(receivable_id: int) -> NotFound:
    return NotFound(f"There is no receivable {receivable_id}.")
