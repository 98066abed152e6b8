"""Rules of the receivable routes; intake.py has those of invoices. No JSON-RPC here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...chain.abi import Call
from ...chain.projection import CHANGED
from ...db import Row
from ...errors import InvalidInput, NotFound
from ...kit.pagination import decode_number, encode_cursor
from . import repository
from .schemas import Draft, HoldingResource, ReceivableList, ReceivableResource, ReceivableSummary

if TYPE_CHECKING:
    from ...city import City

UNDERTAKEN = ("confirmed", "partly_paid")


class ReceivablesService:
    def __init__(self, city: City):
        self._city = city

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
            **self._facts(row, newest),
            holdings=[
                HoldingResource(
                    holder=entry["holder"],
                    units=entry["units"],
                    claimed=entry["claimed"],
                    claimable=str(claimable(row, entry)),
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
        return ReceivableList(items=[ReceivableSummary(**self._facts(row, row)) for row in rows], next=following)

    # --- internals

    async def known(self, receivable_id: int) -> Row:
        row = await self._city.database.read(repository.find_receivable, receivable_id)
        if row is None:
            raise NotFound(f"There is no receivable {receivable_id}.")
        return row

    def _facts(self, row: Row, newest: Row) -> dict[str, Any]:
        """`newest` is the row that changed last of all that is shown."""
        undertaken, due = row["state"] in UNDERTAKEN, row["due_at"] <= self._city.indexer.head.time
        return {
            **{name: row[name] for name in row if name != CHANGED},
            "outstanding": str(int(row["face"]) - int(row["paid"]) if undertaken else 0),
            "open": row["state"] == "confirmed" and not due,
            "overdue": undertaken and due,
            "finality": self._city.finality(newest),
        }


def claimable(receivable: Row, holding: Row) -> int:
    """As the ledger computes it: floor(units × paid ÷ face) − claimed, minor units."""
    entitled = int(holding["units"]) * int(receivable["paid"]) // int(receivable["face"])
    return entitled - int(holding["claimed"])
