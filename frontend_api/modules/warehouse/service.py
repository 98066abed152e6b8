"""Rules of the warehouse routes. No JSON-RPC here."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection

from ...chain.abi import Call
from ...chain.projection import CHANGED
from ...db import Row
from ...errors import InvalidInput, NotFound
from ...kit.pagination import decode_number, encode_cursor
from ..members import repository as members_repository
from ..receivables.invoices import DEMONSTRATION_KEY, key_of
from . import repository
from .lots import Lot, goods_commitment
from .repository import KeptLot
from .schemas import (
    Issue,
    LotCheck,
    LotFingerprints,
    LotResource,
    PledgeList,
    PledgeProposal,
    PledgeResource,
    ReceiptList,
    ReceiptResource,
    ReceiptSummary,
)

if TYPE_CHECKING:
    from ...city import City

UNANSWERED: Final = ("proposed", "accepted")
#: Pledges that one look at a receipt shows; the list has the others.
MOST_PLEDGES: Final = 1000


@dataclass(frozen=True)
class NewReceipt:
    """The call that issues a receipt, and what is kept of its lot."""

    call: Call
    lot: KeptLot


@dataclass(frozen=True)
class Keep:
    """Stores lots together with the transactions that issue their receipts."""

    lots: list[KeptLot]

    def __call__(self, connection: Connection) -> None:
        repository.keep_lots(connection, self.lots)


class WarehouseService:
    def __init__(self, city: City):
        self._city = city
        self._key = key_of(city.settings.fingerprint_key)

    # --- receipts

    def check(self, body: LotCheck) -> LotFingerprints:
        """A lot's fingerprints; nothing is stored."""
        full, number = self._lot(body.warehouse, body.owner, body).fingerprints(self._key)
        return LotFingerprints(
            fingerprint="0x" + full.hex(),
            number_fingerprint="0x" + number.hex(),
            demonstration_key=self._key == DEMONSTRATION_KEY,
        )

    async def issue(self, warehouse: str, body: Issue) -> NewReceipt:
        codes = [
            await self._credit_code(account, field) for account, field in ((warehouse, None), (body.owner, "owner"))
        ]
        full, number = self._lot(codes[0], codes[1], body).fingerprints(self._key)
        salt = secrets.token_bytes(32)
        goods = goods_commitment(salt, body.description)
        call = self._city.warehouse_ledger.issue(body.owner, full, number, goods, body.quantity, body.unit)
        return NewReceipt(call, KeptLot(goods, warehouse, body.number, body.taken_in, body.description, salt))

    async def receipt(self, caller: str, receipt_id: int) -> ReceiptResource:
        row = await self._known(receipt_id)
        found = await self._city.database.read(repository.list_pledges, None, MOST_PLEDGES, receipt_id=receipt_id)
        return ReceiptResource(
            **self._facts(row),
            pledges=[self._pledge(pledge) for pledge in found],
            lot=await self._lot_for(caller, row),
        )

    async def receipts(
        self, cursor: str | None, limit: int, *, owner: str | None, warehouse: str | None, state: str | None
    ) -> ReceiptList:
        after = decode_number(cursor)
        rows = await self._city.database.read(
            repository.list_receipts, after, limit, owner=owner, warehouse=warehouse, state=state
        )
        following = encode_cursor(rows[-1]["id"]) if len(rows) == limit else None
        return ReceiptList(items=[ReceiptSummary(**self._facts(row)) for row in rows], next=following)

    # --- pledges

    def propose(self, receipt_id: int, body: PledgeProposal) -> Call:
        if body.currency not in self._city.deployment.currencies:
            known = ", ".join(self._city.deployment.currencies)
            raise InvalidInput(
                f"There is no settlement token for {body.currency}; there are: {known}.", field="currency"
            )
        return self._city.warehouse_ledger.pledge(
            receipt_id,
            body.bank,
            body.supervisor,
            body.quantity,
            body.secured_amount,
            body.currency,
            body.answer_by,
        )

    async def pledge(self, pledge_id: int) -> PledgeResource:
        row = await self._city.database.read(repository.find_pledge, pledge_id)
        if row is None:
            raise NotFound(f"There is no pledge {pledge_id}.")
        return self._pledge(row)

    async def pledges(self, cursor: str | None, limit: int, **filters: Any) -> PledgeList:
        rows = await self._city.database.read(repository.list_pledges, decode_number(cursor), limit, **filters)
        following = encode_cursor(rows[-1]["id"]) if len(rows) == limit else None
        return PledgeList(items=[self._pledge(row) for row in rows], next=following)

    # --- internals

    def _lot(self, warehouse: str, owner: str, facts: Issue | LotCheck) -> Lot:
        return Lot(warehouse, owner, facts.number, facts.taken_in, facts.description, facts.quantity, facts.unit)

    async def _credit_code(self, account: str, field: str | None) -> str:
        row = await self._city.database.read(members_repository.find_party, account)
        # The tables may be behind: that a member is unknown is for the chain to say.
        code = row["credit_code"] if row is not None else (await self._city.members.party(account)).credit_code
        if not code:
            reason = (
                f"{account} is no member; a lot's fingerprint is made with the credit codes of warehouse and owner."
            )
            raise InvalidInput(reason, field=field) if field else InvalidInput(reason)
        return str(code)

    async def _known(self, receipt_id: int) -> Row:
        row = await self._city.database.read(repository.find_receipt, receipt_id)
        if row is None:
            raise NotFound(f"There is no warehouse receipt {receipt_id}.")
        return row

    async def _lot_for(self, caller: str, row: Row) -> LotResource | None:
        """What the lot is, for those whose business it is; None also where another service issued the receipt."""
        if caller not in (row["warehouse"], row["owner"]) and not await self._city.database.read(
            repository.is_pledged_to, row["id"], caller
        ):
            return None
        lot = await self._city.database.read(repository.find_lot, row["goods"], row["warehouse"])
        return None if lot is None else LotResource(**{name: lot[name] for name in LotResource.model_fields})

    def _facts(self, row: Row) -> dict[str, Any]:
        stored = row["state"] == "stored"
        return {
            **{name: row[name] for name in row if name != CHANGED},
            "free": str(int(row["quantity"]) - int(row["pledged"]) if stored else 0),
            "finality": self._city.finality(row),
        }

    def _pledge(self, row: Row) -> PledgeResource:
        facts: dict[str, Any] = {name: row[name] for name in row if name != CHANGED}
        return PledgeResource(
            **facts,
            has_lapsed=row["state"] in UNANSWERED and row["answer_by"] < self._city.indexer.head.time,
            finality=self._city.finality(row),
        )
