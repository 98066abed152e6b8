"""/receivables; intake_endpoints.py has what begins with an invoice."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from ...auth import Caller
from ...errors import InvalidInput
from ...kit.bulk import Bulk, Many, One, OneOrBulk, parse_items
from ...kit.ids import Address, CaseId
from ...kit.pagination import Cursor, Limit
from ...submission import Act, BulkResource, TransactionResource
from .schemas import (
    Draft,
    Payment,
    ReceivableList,
    ReceivableResource,
    Transfer,
)
from .service import ReceivablesService

router = APIRouter()

DraftBody = Annotated[Annotated[Draft, One] | Annotated[Bulk, Many], OneOrBulk]


def _service(request: Request) -> ReceivablesService:
    found: ReceivablesService = request.app.state.city.receivables
    return found


Service = Annotated[ReceivablesService, Depends(_service)]

# --- receivables


@router.post("/receivables", status_code=202, tags=["receivables"], operation_id="draftReceivable")
async def draft_receivable(body: DraftBody, act: Act, service: Service) -> TransactionResource | BulkResource:
    """Draft one receivable, or up to 1,000, as the supplier; each debtor answers by confirming or rejecting."""
    if isinstance(body, Draft):
        return await act.send(service.draft(body))
    items: list[Any] = []
    for index, item in enumerate(parse_items(Draft, body)):
        try:
            items.append(service.draft(item) if isinstance(item, Draft) else item)
        except InvalidInput as error:
            if body.on_error == "refuse":
                raise InvalidInput(error.detail, field=f"items.{index}.currency") from error
            items.append(error)
    return await act.send_many(items)


@router.get("/receivables", tags=["receivables"], operation_id="listReceivables")
async def list_receivables(
    service: Service,
    _: Caller,
    *,
    supplier: Address | None = None,
    debtor: Address | None = None,
    holder: Address | None = None,
    state: Annotated[
        str | None, Query(pattern="^(draft|disputed|rejected|withdrawn|confirmed|partly_paid|settled)$")
    ] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> ReceivableList:
    """Receivables by number; `holder` holds units of it now."""
    return await service.receivables(cursor, limit, supplier=supplier, debtor=debtor, holder=holder, state=state)


@router.get("/receivables/{receivable_id}", tags=["receivables"], operation_id="getReceivable")
async def get_receivable(receivable_id: CaseId, service: Service, _: Caller) -> ReceivableResource:
    """A receivable with who holds it and what each holder can claim."""
    return await service.receivable(receivable_id)


@router.post(
    "/receivables/{receivable_id}/confirm", status_code=202, tags=["receivables"], operation_id="confirmReceivable"
)
async def confirm_receivable(receivable_id: CaseId, act: Act) -> TransactionResource:
    """Undertake to pay, irrevocably, as the debtor; the supplier receives the units."""
    return await act.send(act.city.receivable_ledger.confirm(receivable_id))


@router.post(
    "/receivables/{receivable_id}/reject", status_code=202, tags=["receivables"], operation_id="rejectReceivable"
)
async def reject_receivable(receivable_id: CaseId, act: Act) -> TransactionResource:
    """Refuse a draft, as the debtor."""
    return await act.send(act.city.receivable_ledger.reject(receivable_id))


@router.post(
    "/receivables/{receivable_id}/withdraw", status_code=202, tags=["receivables"], operation_id="withdrawReceivable"
)
async def withdraw_receivable(receivable_id: CaseId, act: Act) -> TransactionResource:
    """Take a draft back, as the supplier."""
    return await act.send(act.city.receivable_ledger.withdraw(receivable_id))


@router.post(
    "/receivables/{receivable_id}/transfers", status_code=202, tags=["receivables"], operation_id="transferUnits"
)
async def transfer_units(receivable_id: CaseId, body: Transfer, act: Act) -> TransactionResource:
    """Pass units of an open receivable on, as their holder: to one's own supplier, for instance."""
    return await act.send(act.city.receivable_ledger.transfer(act.account, body.to, receivable_id, body.units))


@router.post(
    "/receivables/{receivable_id}/payments", status_code=202, tags=["receivables"], operation_id="payReceivable"
)
async def pay_receivable(receivable_id: CaseId, body: Payment, act: Act) -> TransactionResource:
    """Pay, wholly or in part, as the debtor, which has approved the Escrow. The first payment ends transfers."""
    return await act.send(act.city.receivable_ledger.pay(receivable_id, body.amount))


@router.post(
    "/receivables/{receivable_id}/claims", status_code=202, tags=["receivables"], operation_id="claimReceivable"
)
async def claim_receivable(receivable_id: CaseId, act: Act) -> TransactionResource:
    """Collect one's part of what was paid, as a holder."""
    return await act.send(act.city.receivable_ledger.claim(receivable_id))
