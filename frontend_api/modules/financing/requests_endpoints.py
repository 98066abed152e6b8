"""/quote-requests."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from ...auth import Caller, Writer
from ...kit.pagination import Cursor, Limit
from ...submission import Act
from .requests import RequestsService
from .requests_schemas import QuoteRequest, QuoteRequestList, QuoteRequestResource, RequestInPath

router = APIRouter(tags=["quote requests"])


def _service(request: Request) -> RequestsService:
    found: RequestsService = request.app.state.city.financing.requests
    return found


Service = Annotated[RequestsService, Depends(_service)]


@router.post("/quote-requests", status_code=201, operation_id="requestQuotes")
async def request_quotes(body: QuoteRequest, act: Act, service: Service, response: Response) -> QuoteRequestResource:
    """Ask chosen banks for quotes, as a holder of units of an open receivable. Nothing of it goes on the chain.

    Each bank sees the request, but neither who else was asked nor what the others answer.
    """
    ids = await act.earlier()
    if ids is None:
        asked = await service.prepare(act.account, body)
        ids = await act.once([asked.id], service.storing(asked, body))
    response.headers["location"] = f"/quote-requests/{ids[0]}"
    return await service.request(act.account, ids[0])


@router.get("/quote-requests", operation_id="listQuoteRequests")
async def list_requests(
    service: Service,
    caller: Caller,
    *,
    waiting: Annotated[
        bool, Query(description="only what the caller, a bank, has not answered; the most urgent first")
    ] = False,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> QuoteRequestList:
    """The requests that the caller sent or received, the newest first, each with the caller's next action."""
    if waiting:
        return await service.waiting(caller.account, cursor, limit)
    return await service.requests(caller.account, cursor, limit)


@router.get("/quote-requests/{request_id}", operation_id="getQuoteRequest")
async def get_request(request_id: RequestInPath, service: Service, caller: Caller) -> QuoteRequestResource:
    """A request that the caller sent, with every bank's answer and the quotes by annualised cost; or received."""
    return await service.request(caller.account, request_id)


@router.post("/quote-requests/{request_id}/decline", operation_id="declineQuoteRequest")
async def decline_request(request_id: RequestInPath, service: Service, caller: Writer) -> QuoteRequestResource:
    """Say that no quote will come, as a bank that was asked. It may still change its mind and quote."""
    return await service.decline(caller.account, request_id)


@router.post("/quote-requests/{request_id}/close", operation_id="closeQuoteRequest")
async def close_request(request_id: RequestInPath, service: Service, caller: Writer) -> QuoteRequestResource:
    """Take no more answers, as the seller. Quotes that were given stay as they are."""
    return await service.close(caller.account, request_id)
