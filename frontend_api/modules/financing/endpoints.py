"""/quotes, and the routers of what belongs to them: requests, limits, recourse, the financing register."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from ...auth import Caller, Writer
from ...kit.pagination import Cursor, Limit
from ...submission import Act, TransactionResource
from .limits_endpoints import router as limits_router
from .recourse_endpoints import router as recourse_router
from .register_endpoints import router as register_router
from .requests_endpoints import router as requests_router
from .schemas import Fill, PreparedQuote, QuoteId, QuoteList, QuotePreparation, QuoteResource, SignedQuote
from .service import FinancingService

router = APIRouter()


def _service(request: Request) -> FinancingService:
    found: FinancingService = request.app.state.city.financing
    return found


Service = Annotated[FinancingService, Depends(_service)]

# --- quotes


@router.post("/quotes/prepare", tags=["quotes"], operation_id="prepareQuote")
async def prepare_quote(body: QuotePreparation, service: Service, caller: Writer) -> PreparedQuote:
    """The EIP-712 message of a quote, for the calling bank to sign."""
    return await service.prepare_quote(caller.account, body)


@router.post("/quotes", status_code=201, tags=["quotes"], operation_id="giveQuote")
async def give_quote(body: SignedQuote, service: Service, caller: Writer, response: Response) -> QuoteResource:
    """Give the seller a signed quote, as the bank. It is kept only if the seller could fill it now.

    The same quote again answers 200 and the first one.
    """
    found, new = await service.keep_quote(caller.account, body)
    response.status_code = 201 if new else 200
    response.headers["location"] = f"/quotes/{found.id}"
    return found


@router.get("/quotes", tags=["quotes"], operation_id="listQuotes")
async def list_quotes(
    service: Service,
    caller: Caller,
    receivable: Annotated[int, Query(ge=1, lt=2**53)],
    cursor: Cursor = None,
    limit: Limit = 100,
) -> QuoteList:
    """The quotes for a receivable that the caller gave or was given.

    The first page has all that can be filled, the cheapest first; then come those that have ended, the newest first,
    at most `limit` of them on a page.
    """
    return await service.quotes(caller.account, receivable, cursor, limit)


@router.get("/quotes/{quote_id}", tags=["quotes"], operation_id="getQuote")
async def get_quote(quote_id: QuoteId, service: Service, caller: Caller) -> QuoteResource:
    """A quote that the caller gave or was given."""
    return await service.quote(caller.account, quote_id)


@router.post("/quotes/{quote_id}/fill", status_code=202, tags=["quotes"], operation_id="fillQuote")
async def fill_quote(quote_id: QuoteId, act: Act, service: Service, body: Fill | None = None) -> TransactionResource:
    """Sell as quoted, as the seller: units to the bank against its money, both or neither.

    Without a body, all that is left of the quote; a divisible quote may be filled in parts.
    """
    return await act.send(await service.fill(act.account, quote_id, body.units if body else None))


@router.post("/quotes/{quote_id}/cancel", status_code=202, tags=["quotes"], operation_id="cancelQuote")
async def cancel_quote(quote_id: QuoteId, act: Act, service: Service) -> TransactionResource:
    """Make sure that a quote is never filled, as the bank."""
    return await act.send(await service.cancel(act.account, quote_id))


for part in (requests_router, limits_router, recourse_router, register_router):
    router.include_router(part)
