"""/reports/ageing and /reports/exposure."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response

from ...auth import Caller
from ...errors import InvalidInput, NotFound
from ...kit.ids import Address, CurrencyCode
from . import report_plot
from .report_schemas import AgeingReport, ExposureReport, ageing_report, as_csv, exposure_report
from .reports import By, Report, ReportService, Side

router = APIRouter(tags=["reports"])


def _service(request: Request) -> ReportService:
    found: ReportService = request.app.state.city.reports
    return found


Service = Annotated[ReportService, Depends(_service)]
Format = Annotated[
    Literal["json", "csv", "svg", "png"],
    Query(description="`csv` is RFC 4180 in UTF-8; `svg` and `png` are stacked bars, the largest first"),
]
Currency = Annotated[CurrencyCode | None, Query(description="only this currency")]
_FORMATS: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "image/svg+xml": {"schema": {"type": "string"}},
            "image/png": {"schema": {"type": "string", "format": "binary"}},
        }
    }
}


@router.get("/reports/ageing", operation_id="getAgeing", response_model=AgeingReport, responses=_FORMATS)
async def get_ageing(
    request: Request,
    service: Service,
    caller: Caller,
    *,
    side: Annotated[Side, Query(alias="as", description="whose report: what is owed to, owed by, or once drafted by")],
    party: Annotated[Address | None, Query(description="the caller when not given")] = None,
    currency: Currency = None,
    form: Annotated[Format, Query(alias="format")] = "json",
) -> Any:
    """How late what is outstanding is, by counterparty and currency, at the chain time of the last block."""
    account = party or caller.account
    found = await service.ageing(side, account, _known(request, currency))
    body = ageing_report(found, side, account)
    return await _rendered(request, found, body, form, f"Ageing as {side}: {account}", f"ageing-{side}")


@router.get("/reports/exposure", operation_id="getExposure", response_model=ExposureReport, responses=_FORMATS)
async def get_exposure(
    request: Request,
    service: Service,
    caller: Caller,
    *,
    by: Annotated[By, Query(description="`group`: the calling bank's own groups of debtors")],
    bank: Annotated[Address | None, Query(description="only what this bank holds")] = None,
    currency: Currency = None,
    form: Annotated[Format, Query(alias="format")] = "json",
) -> Any:
    """What is at stake with whom, and how concentrated it is, at the chain time of the last block."""
    if by == "group" and bank not in (None, caller.account):
        raise InvalidInput("A bank's groups are its own; only it can ask by group.", field="bank")
    holder = caller.account if by == "group" else bank
    found = await service.exposure(by, caller.account, bank, _known(request, currency))
    body = exposure_report(found, by, holder)
    title = f"Exposure by {by}" + (f": {holder}" if holder else "")
    return await _rendered(request, found, body, form, title, f"exposure-{by}")


def _known(request: Request, currency: str | None) -> str | None:
    known = request.app.state.city.deployment.currencies
    if currency is not None and currency not in known:
        raise NotFound(f"There is no settlement token for {currency}; there are: {', '.join(known)}.")
    return currency


async def _rendered(
    request: Request, report: Report, body: AgeingReport | ExposureReport, form: str, title: str, name: str
) -> Any:
    currencies = request.app.state.city.deployment.currencies
    decimals = {code: int(entry["decimals"]) for code, entry in currencies.items()}
    headers = {"content-disposition": f'attachment; filename="{name}-{report.at.block}.csv"'}
    if form == "json":
        return body
    if form == "csv":
        return Response(as_csv(body, decimals), media_type="text/csv; charset=utf-8; header=present", headers=headers)
    picture = await asyncio.to_thread(report_plot.draw, report, title, decimals, form)
    return Response(picture, media_type="image/svg+xml" if form == "svg" else "image/png")
