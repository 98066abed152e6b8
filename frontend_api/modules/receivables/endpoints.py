"""/receivables; intake_endpoints.py has what begins with an invoice."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Query, Request, UploadFile

from ...auth import Caller, Member
from ...errors import InvalidInput
from ...kit.bulk import Bulk, Many, One, OneOrBulk, parse_items
from ...kit.ids import Address, CaseId
from ...kit.pagination import Cursor, Limit
from ...submission import Act, BulkResource, TransactionResource
from .intake import InvoiceFile
from .schemas import (
    Basis,
    Dilution,
    Draft,
    Named,
    NamedPayment,
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


async def _known(receivable_id: CaseId, service: Service, _: Member) -> int:
    await service.require_known(receivable_id)
    return receivable_id


#: The number of a receivable that there is: 404 for another one, whatever is asked for.
Known = Annotated[int, Depends(_known)]

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
async def confirm_receivable(receivable_id: Known, act: Act) -> TransactionResource:
    """Undertake to pay, irrevocably, as the debtor; the supplier receives the units."""
    return await act.send(act.city.receivable_ledger.confirm(receivable_id))


@router.post(
    "/receivables/{receivable_id}/reject", status_code=202, tags=["receivables"], operation_id="rejectReceivable"
)
async def reject_receivable(receivable_id: Known, act: Act) -> TransactionResource:
    """Refuse a draft, as the debtor."""
    return await act.send(act.city.receivable_ledger.reject(receivable_id))


@router.post(
    "/receivables/{receivable_id}/withdraw", status_code=202, tags=["receivables"], operation_id="withdrawReceivable"
)
async def withdraw_receivable(receivable_id: Known, act: Act) -> TransactionResource:
    """Take a draft back, as the supplier."""
    return await act.send(act.city.receivable_ledger.withdraw(receivable_id))


@router.post(
    "/receivables/{receivable_id}/dispute", status_code=202, tags=["receivables"], operation_id="disputeReceivable"
)
async def dispute_receivable(receivable_id: Known, body: Basis, act: Act) -> TransactionResource:
    """Say that a draft is not as agreed, as the debtor. It can still be confirmed, rejected or withdrawn."""
    return await act.send(act.city.receivable_ledger.dispute(receivable_id, body.basis))


@router.post(
    "/receivables/{receivable_id}/strike", status_code=202, tags=["receivables"], operation_id="strikeReceivable"
)
async def strike_receivable(receivable_id: Known, body: Basis, act: Act) -> TransactionResource:
    """Strike a draft that takes somebody else's invoice, as the court."""
    return await act.send(act.city.receivable_ledger.strike(receivable_id, body.basis))


@router.post(
    "/receivables/{receivable_id}/transfers", status_code=202, tags=["receivables"], operation_id="transferUnits"
)
async def transfer_units(receivable_id: Known, body: Transfer, act: Act) -> TransactionResource:
    """Pass units of an open receivable on, as their holder: to one's own supplier, for instance."""
    return await act.send(act.city.receivable_ledger.transfer(act.account, body.to, receivable_id, body.units))


@router.post(
    "/receivables/{receivable_id}/payments", status_code=202, tags=["receivables"], operation_id="payReceivable"
)
async def pay_receivable(receivable_id: Known, body: Payment, act: Act) -> TransactionResource:
    """Pay, wholly or in part, as the debtor, which has approved the Escrow. The first payment ends transfers."""
    return await act.send(act.city.receivable_ledger.pay(receivable_id, body.amount))


@router.post(
    "/receivables/{receivable_id}/claims", status_code=202, tags=["receivables"], operation_id="claimReceivable"
)
async def claim_receivable(receivable_id: Known, act: Act) -> TransactionResource:
    """Collect one's part of what was paid, as a holder."""
    return await act.send(act.city.receivable_ledger.claim(receivable_id))


# --- up to 1,000 at once


@router.post("/receivables/confirmations", status_code=202, tags=["receivables"], operation_id="confirmReceivables")
async def confirm_receivables(body: Bulk, act: Act, service: Service) -> BulkResource:
    """Undertake to pay up to 1,000 receivables, irrevocably, as their debtor: `{"items": [{"receivableId": 7}, …]}`."""
    items, ledger = parse_items(Named, body), act.city.receivable_ledger
    refuse = body.on_error == "refuse"
    return await act.send_many(
        await service.calls(items, lambda item: ledger.confirm(item.receivable_id), refuse=refuse)
    )


@router.post("/receivables/payments", status_code=202, tags=["receivables"], operation_id="payReceivables")
async def pay_receivables(body: Bulk, act: Act, service: Service) -> BulkResource:
    """Pay up to 1,000 receivables, wholly or in part, as their debtor, which has approved the Escrow.

    `{"items": [{"receivableId": 7, "amount": "4860000"}, …]}`
    """
    items, ledger = parse_items(NamedPayment, body), act.city.receivable_ledger
    refuse = body.on_error == "refuse"
    return await act.send_many(
        await service.calls(items, lambda item: ledger.pay(item.receivable_id, item.amount), refuse=refuse)
    )


@router.post("/receivables/claims", status_code=202, tags=["receivables"], operation_id="claimReceivables")
async def claim_receivables(body: Bulk, act: Act, service: Service) -> BulkResource:
    """Collect one's part of what was paid on up to 1,000 receivables, as a holder."""
    items, ledger = parse_items(Named, body), act.city.receivable_ledger
    refuse = body.on_error == "refuse"
    return await act.send_many(await service.calls(items, lambda item: ledger.claim(item.receivable_id), refuse=refuse))


# --- credit notes and losses


@router.post(
    "/receivables/{receivable_id}/dilutions", status_code=202, tags=["receivables"], operation_id="diluteReceivable"
)
async def dilute_receivable(receivable_id: Known, body: Dilution, act: Act) -> TransactionResource:
    """Use a credit note, as the supplier: units that it still holds and as much of the debt are cancelled."""
    ledger = act.city.receivable_ledger
    return await act.send(ledger.dilute(receivable_id, body.amount, body.credit_note, body.credit_note_number))


@router.post(
    "/receivables/{receivable_id}/dilutions/from-credit-note",
    status_code=202,
    tags=["receivables"],
    operation_id="diluteFromCreditNote",
)
async def dilute_from_credit_note(
    receivable_id: Known,
    act: Act,
    file: Annotated[UploadFile, File(description="a UBL 2.1 credit note or negative invoice")],
) -> TransactionResource:
    """Use a credit note from its file, as the supplier.

    Its parties and currency are the receivable's; the invoice that it names, where it names one, is the receivable's.
    """
    upload = InvoiceFile(file.filename or "file", await file.read())
    return await act.send(await act.city.maturity.dilute_from(receivable_id, upload))


@router.post(
    "/receivables/{receivable_id}/write-offs", status_code=202, tags=["receivables"], operation_id="writeOffReceivable"
)
async def write_off_receivable(receivable_id: Known, body: Basis, act: Act) -> TransactionResource:
    """Write one's units of a defaulted receivable off, as a holder, for its own books; it keeps them and what is recovered."""
    return await act.send(act.city.receivable_ledger.write_off(receivable_id, body.basis))
