"""/recourse: what sellers answer for when their debtors default."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BeforeValidator

from ...auth import Caller
from ...kit.ids import Address
from ...kit.pagination import Cursor, Limit
from ...submission import Act, TransactionResource
from .recourse import RecourseService
from .schemas import QuoteId, RecourseList, RecoursePayment, RecourseResource, parse_nonce

router = APIRouter(tags=["recourse"])


def _service(request: Request) -> RecourseService:
    found: RecourseService = request.app.state.city.financing.recourse
    return found


Service = Annotated[RecourseService, Depends(_service)]
Bank = Annotated[Address, Path(description="who bought with recourse")]
NonceInPath = Annotated[int, BeforeValidator(parse_nonce), Path(description="of the quote")]


@router.post("/quotes/{quote_id}/put-back", status_code=202, tags=["quotes"], operation_id="putBackQuote")
async def put_back_quote(quote_id: QuoteId, act: Act, service: Service) -> TransactionResource:
    """Put the units that were bought with a quote back to their seller after the debtor's default, as the bank.

    The seller then owes what had not been paid on them.
    """
    return await act.send(await service.put_back_quote(act.account, quote_id))


@router.get("/recourse", operation_id="listRecourse")
async def list_recourse(
    service: Service,
    caller: Caller,
    *,
    side: Annotated[
        Literal["bank", "seller"] | None, Query(alias="as", description="which side the caller is on")
    ] = None,
    state: Annotated[Literal["held", "owed", "repaid"] | None, Query()] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> RecourseList:
    """What sellers answer for towards the caller, and what the caller answers for as a seller; with the next action."""
    return await service.recourses(caller.account, side, state, cursor, limit)


@router.get("/recourse/{bank}/{nonce}", operation_id="getRecourse")
async def get_recourse(bank: Bank, nonce: NonceInPath, service: Service, caller: Caller) -> RecourseResource:
    """One recourse, as its bank or its seller."""
    return await service.recourse(caller.account, bank, nonce)


@router.post("/recourse/{bank}/{nonce}/put-back", status_code=202, operation_id="putBackUnits")
async def put_back_units(bank: Bank, nonce: NonceInPath, act: Act, service: Service) -> TransactionResource:
    """The same as for a quote, also where this service does not keep the quote (any more)."""
    return await act.send(service.put_back(act.account, bank, nonce))


@router.post("/recourse/{bank}/{nonce}/payments", status_code=202, operation_id="payRecourse")
async def pay_recourse(
    bank: Bank, nonce: NonceInPath, body: RecoursePayment, act: Act, service: Service
) -> TransactionResource:
    """Pay what one owes, wholly or in part, as the seller, which has approved the FinancingDesk."""
    return await act.send(service.repay(bank, nonce, body.amount))
