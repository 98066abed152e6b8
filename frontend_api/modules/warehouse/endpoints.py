"""/lots, /warehouse-receipts and /pledges."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from ...auth import Caller
from ...errors import InvalidInput
from ...kit.bulk import Bulk, Many, One, OneOrBulk, parse_items
from ...kit.ids import Address, CaseId
from ...kit.pagination import Cursor, Limit
from ...submission import Act, BulkResource, TransactionResource
from .repository import KeptLot
from .schemas import (
    Basis,
    Delivery,
    Enforcement,
    Issue,
    LotCheck,
    LotFingerprints,
    PledgeList,
    PledgeProposal,
    PledgeResource,
    ReceiptList,
    ReceiptResource,
    ReceiptTransfer,
    Release,
    Shortage,
)
from .service import Keep, WarehouseService

router = APIRouter()

IssueBody = Annotated[Annotated[Issue, One] | Annotated[Bulk, Many], OneOrBulk]
ReceiptState = Annotated[str | None, Query(pattern="^(stored|delivered|struck)$")]
PledgeState = Annotated[
    str | None, Query(pattern="^(proposed|accepted|active|declined|withdrawn|lapsed|released|enforced)$")
]


def _service(request: Request) -> WarehouseService:
    found: WarehouseService = request.app.state.city.warehouses
    return found


Service = Annotated[WarehouseService, Depends(_service)]


# --- receipts


@router.post("/lots/check", tags=["warehouse receipts"], operation_id="checkLot")
async def check_lot(body: LotCheck, service: Service, _: Caller) -> LotFingerprints:
    """The fingerprints of a lot, with which a bank looks it up in the financing register. Nothing is stored."""
    return service.check(body)


@router.post("/warehouse-receipts", status_code=202, tags=["warehouse receipts"], operation_id="issueReceipts")
async def issue_receipts(body: IssueBody, act: Act, service: Service) -> TransactionResource | BulkResource:
    """Issue a receipt for one lot, or for up to 1,000, as the warehouse. The same lot never gets two."""
    if isinstance(body, Issue):
        made = await service.issue(act.account, body)
        return await act.send(made.call, also=Keep([made.lot]))
    items: list[Any] = []
    kept: list[KeptLot] = []
    for index, item in enumerate(parse_items(Issue, body)):
        if isinstance(item, InvalidInput):
            items.append(item)
            continue
        try:
            made = await service.issue(act.account, item)
        except InvalidInput as error:
            if body.on_error == "refuse":
                raise InvalidInput(error.detail, field=f"items.{index}.owner") from error
            items.append(error)
        else:
            items.append(made.call)
            kept.append(made.lot)
    return await act.send_many(items, also=Keep(kept))


@router.get("/warehouse-receipts", tags=["warehouse receipts"], operation_id="listReceipts")
async def list_receipts(
    service: Service,
    _: Caller,
    *,
    owner: Address | None = None,
    warehouse: Address | None = None,
    state: ReceiptState = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> ReceiptList:
    """Warehouse receipts by number."""
    return await service.receipts(cursor, limit, owner=owner, warehouse=warehouse, state=state)


@router.get("/warehouse-receipts/{receipt_id}", tags=["warehouse receipts"], operation_id="getReceipt")
async def get_receipt(receipt_id: CaseId, service: Service, caller: Caller) -> ReceiptResource:
    """A receipt with its pledges; its parties also see what the lot is."""
    return await service.receipt(caller.account, receipt_id)


@router.post(
    "/warehouse-receipts/{receipt_id}/transfers",
    status_code=202,
    tags=["warehouse receipts"],
    operation_id="transferReceipt",
)
async def transfer_receipt(receipt_id: CaseId, body: ReceiptTransfer, act: Act) -> TransactionResource:
    """Pass a receipt on, as its owner, while nothing of it is pledged."""
    return await act.send(act.city.warehouse_ledger.transfer(receipt_id, body.to))


@router.post(
    "/warehouse-receipts/{receipt_id}/deliveries",
    status_code=202,
    tags=["warehouse receipts"],
    operation_id="deliverGoods",
)
async def deliver_goods(receipt_id: CaseId, body: Delivery, act: Act) -> TransactionResource:
    """Record goods that were handed to the owner, as the warehouse: only what is not pledged."""
    return await act.send(act.city.warehouse_ledger.deliver(receipt_id, body.quantity))


@router.post(
    "/warehouse-receipts/{receipt_id}/shortages",
    status_code=202,
    tags=["warehouse receipts"],
    operation_id="reportShortage",
)
async def report_shortage(receipt_id: CaseId, body: Shortage, act: Act) -> TransactionResource:
    """Say that goods are missing or spoilt, as the warehouse or as the supervisor of an active pledge. Nothing else changes by it."""
    ledger = act.city.warehouse_ledger
    return await act.send(ledger.report_shortage(receipt_id, body.pledge or 0, body.quantity, body.basis))


@router.post(
    "/warehouse-receipts/{receipt_id}/strike",
    status_code=202,
    tags=["warehouse receipts"],
    operation_id="strikeReceipt",
)
async def strike_receipt(receipt_id: CaseId, body: Basis, act: Act) -> TransactionResource:
    """End a receipt that was issued for somebody else's lot or for no goods, as the court, while nothing of it is pledged."""
    return await act.send(act.city.warehouse_ledger.strike(receipt_id, body.basis))


# --- pledges


@router.post(
    "/warehouse-receipts/{receipt_id}/pledges", status_code=202, tags=["pledges"], operation_id="proposePledge"
)
async def propose_pledge(receipt_id: CaseId, body: PledgeProposal, act: Act, service: Service) -> TransactionResource:
    """Offer goods to a bank as security, as the receipt's owner. The quantity is bound at once."""
    return await act.send(service.propose(receipt_id, body))


@router.get("/pledges", tags=["pledges"], operation_id="listPledges")
async def list_pledges(
    service: Service,
    _: Caller,
    *,
    receipt: Annotated[int | None, Query(ge=1, lt=2**53)] = None,
    owner: Address | None = None,
    bank: Address | None = None,
    supervisor: Address | None = None,
    state: PledgeState = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> PledgeList:
    """Pledges by number. A bank's queue is `bank=…&state=proposed`, a supervisor's `supervisor=…&state=accepted`."""
    filters = {"receipt_id": receipt, "owner": owner, "bank": bank, "supervisor": supervisor, "state": state}
    return await service.pledges(cursor, limit, **filters)


@router.get("/pledges/{pledge_id}", tags=["pledges"], operation_id="getPledge")
async def get_pledge(pledge_id: CaseId, service: Service, _: Caller) -> PledgeResource:
    """A pledge with the time of each step."""
    return await service.pledge(pledge_id)


@router.post("/pledges/{pledge_id}/accept", status_code=202, tags=["pledges"], operation_id="acceptPledge")
async def accept_pledge(pledge_id: CaseId, act: Act) -> TransactionResource:
    """Take the goods as security, as the bank, in time."""
    return await act.send(act.city.warehouse_ledger.accept(pledge_id))


@router.post("/pledges/{pledge_id}/confirm", status_code=202, tags=["pledges"], operation_id="confirmPledge")
async def confirm_pledge(pledge_id: CaseId, body: Basis, act: Act) -> TransactionResource:
    """Confirm that the goods are there and under watch, as the supervisor, in time: the pledge is active."""
    return await act.send(act.city.warehouse_ledger.confirm(pledge_id, body.basis))


@router.post("/pledges/{pledge_id}/decline", status_code=202, tags=["pledges"], operation_id="declinePledge")
async def decline_pledge(pledge_id: CaseId, body: Basis, act: Act) -> TransactionResource:
    """Refuse a pledge before it is active, as the bank or the supervisor."""
    return await act.send(act.city.warehouse_ledger.decline(pledge_id, body.basis))


@router.post("/pledges/{pledge_id}/withdraw", status_code=202, tags=["pledges"], operation_id="withdrawPledge")
async def withdraw_pledge(pledge_id: CaseId, act: Act) -> TransactionResource:
    """Take a pledge back before it is active, as the owner."""
    return await act.send(act.city.warehouse_ledger.withdraw(pledge_id))


@router.post("/pledges/{pledge_id}/lapse", status_code=202, tags=["pledges"], operation_id="lapsePledge")
async def lapse_pledge(pledge_id: CaseId, act: Act) -> TransactionResource:
    """Free the goods of a pledge that was not accepted and confirmed in time, as anyone."""
    return await act.send(act.city.warehouse_ledger.lapse(pledge_id))


@router.post("/pledges/{pledge_id}/releases", status_code=202, tags=["pledges"], operation_id="releasePledge")
async def release_pledge(pledge_id: CaseId, body: Release, act: Act) -> TransactionResource:
    """Let go of goods on repayment, wholly or in part, as the bank."""
    return await act.send(act.city.warehouse_ledger.release(pledge_id, body.quantity))


@router.post("/pledges/{pledge_id}/enforcements", status_code=202, tags=["pledges"], operation_id="enforcePledge")
async def enforce_pledge(pledge_id: CaseId, body: Enforcement, act: Act) -> TransactionResource:
    """Hand pledged goods to somebody on a decision, as the court."""
    return await act.send(act.city.warehouse_ledger.enforce(pledge_id, body.quantity, body.to, body.basis))
