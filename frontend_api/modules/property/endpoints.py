"""/titles and /mortgages."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, File, Query, Request, Response, UploadFile

from ...auth import Caller
from ...errors import InvalidInput, ServiceError
from ...kit.bulk import Bulk, Many, One, OneOrBulk, parse_items
from ...kit.ids import Address, CaseId, UnitNumber
from ...kit.pagination import Cursor, Limit
from ...submission import Act, BulkResource, TransactionResource
from .schemas import (
    Basis,
    ImportResource,
    MortgageAcceptance,
    MortgageApplication,
    MortgageList,
    MortgageOffer,
    MortgageResource,
    Reissue,
    TitleList,
    TitleRegistration,
    TitleResource,
)
from .service import PropertyService

router = APIRouter()

Registration = Annotated[Annotated[TitleRegistration, One] | Annotated[Bulk, Many], OneOrBulk]


def _service(request: Request) -> PropertyService:
    found: PropertyService = request.app.state.city.property
    return found


Service = Annotated[PropertyService, Depends(_service)]

# --- titles


@router.post("/titles", status_code=202, tags=["titles"], operation_id="registerTitles")
async def register_titles(body: Registration, act: Act, service: Service) -> TransactionResource | BulkResource:
    """Register one title, or up to 1,000. Their certificates are made, kept and anchored as one batch."""
    if isinstance(body, TitleRegistration):
        batch = service.prepare_titles(act.account, [body])
        return await act.send(batch.calls[0], before=[batch.anchor], also=batch.keep)
    parsed = parse_items(TitleRegistration, body)
    good = [item for item in parsed if isinstance(item, TitleRegistration)]
    if not good:
        refused = [entry for item in parsed if isinstance(item, InvalidInput) for entry in item.extra["errors"]]
        raise InvalidInput("No item is valid; nothing was stored.", errors=refused)
    batch = service.prepare_titles(act.account, good)
    remaining = iter(batch.calls)
    items: list[Any] = [item if isinstance(item, ServiceError) else next(remaining) for item in parsed]
    return await act.send_many(items, before=[batch.anchor], also=batch.keep)


@router.get("/titles", tags=["titles"], operation_id="listTitles")
async def list_titles(
    service: Service, _: Caller, owner: Address | None = None, cursor: Cursor = None, limit: Limit = 100
) -> TitleList:
    """Titles by unit number."""
    return await service.titles(owner, cursor, limit)


@router.post("/titles/import", status_code=202, tags=["titles"], operation_id="importTitles")
async def import_titles(
    act: Act,
    service: Service,
    file: Annotated[UploadFile, File(description="CSV, UTF-8, with a heading")],
    dry_run: Annotated[bool, Query(alias="dryRun")] = False,
    on_error: Annotated[str, Query(alias="onError", pattern="^(skip|refuse)$")] = "skip",
) -> ImportResource:
    """Register titles from a CSV file.

    A broken row is refused with its column and the rule; with `onError=refuse` the whole file is refused then.
    """
    return await service.import_titles(act, await file.read(), dry_run=dry_run, refuse=on_error == "refuse")


@router.get("/titles/{unit}", tags=["titles"], operation_id="getTitle")
async def get_title(unit: UnitNumber, service: Service, _: Caller) -> TitleResource:
    """A title with its active liens."""
    return await service.title(unit)


@router.get("/titles/{unit}/certificate", tags=["titles"], operation_id="getTitleCertificate")
async def get_certificate(unit: UnitNumber, service: Service, caller: Caller) -> Response:
    """The current certificate as a file that anyone can verify. It holds personal data: only its issuer gets it here, to hand it over."""
    headers = {"content-disposition": f'attachment; filename="{unit}.json"'}
    return Response(await service.certificate(caller.account, unit), media_type="application/json", headers=headers)


@router.post("/titles/{unit}/reissue", status_code=202, tags=["titles"], operation_id="reissueTitle")
async def reissue_title(unit: UnitNumber, body: Reissue, act: Act, service: Service) -> TransactionResource:
    """Correct or reissue: a new certificate takes the place of the current one."""
    batch = await service.prepare_reissue(act.account, unit, body.fields, body.basis)
    return await act.send(batch.calls[0], before=[batch.anchor, *batch.calls[1:]], also=batch.keep)


@router.post("/titles/{unit}/cancel", status_code=202, tags=["titles"], operation_id="cancelTitle")
async def cancel_title(unit: UnitNumber, body: Basis, act: Act) -> TransactionResource:
    """End a title without liens."""
    return await act.send(act.city.titles.cancel(unit, body.basis))


# --- mortgages


@router.post("/mortgages", status_code=202, tags=["mortgages"], operation_id="applyForMortgage")
async def apply_for_mortgage(body: MortgageApplication, act: Act) -> TransactionResource:
    """Apply at a bank, as the title's owner or its agent. Owners without a key here sign a forward request instead."""
    return await act.send(act.city.mortgages.apply_for(body.unit, body.bank, body.principal, body.currency))


@router.get("/mortgages", tags=["mortgages"], operation_id="listMortgages")
async def list_mortgages(
    service: Service,
    _: Caller,
    state: Annotated[str | None, Query(pattern="^(applied|offered|accepted|registered|released|closed)$")] = None,
    party: Address | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> MortgageList:
    """Mortgage cases by number; `party` is the applicant or the bank."""
    return await service.mortgages(state, party, cursor, limit)


@router.get("/mortgages/{case_id}", tags=["mortgages"], operation_id="getMortgage")
async def get_mortgage(case_id: CaseId, service: Service, _: Caller) -> MortgageResource:
    """A mortgage case with the time of each step."""
    return await service.mortgage(case_id)


@router.post("/mortgages/{case_id}/offer", status_code=202, tags=["mortgages"], operation_id="offerMortgage")
async def offer_mortgage(case_id: CaseId, body: MortgageOffer, act: Act) -> TransactionResource:
    """Offer a mortgage to an applicant, as the bank that was asked."""
    desk = act.city.mortgages
    return await act.send(desk.offer(case_id, body.principal, body.terms, body.forbids_transfer, body.valid_until))


@router.post("/mortgages/{case_id}/accept", status_code=202, tags=["mortgages"], operation_id="acceptMortgage")
async def accept_mortgage(case_id: CaseId, body: MortgageAcceptance, act: Act) -> TransactionResource:
    """Accept the offer, as the applicant or its agent."""
    return await act.send(act.city.mortgages.accept(case_id, body.terms))


@router.post("/mortgages/{case_id}/register", status_code=202, tags=["mortgages"], operation_id="registerMortgage")
async def register_mortgage(case_id: CaseId, act: Act) -> TransactionResource:
    """Register the mortgage, as the registrar: the lien stands from now on."""
    return await act.send(act.city.mortgages.register(case_id))


@router.post("/mortgages/{case_id}/release", status_code=202, tags=["mortgages"], operation_id="releaseMortgage")
async def release_mortgage(case_id: CaseId, act: Act) -> TransactionResource:
    """Release the mortgage, as the bank or its receiver."""
    return await act.send(act.city.mortgages.release(case_id))


@router.post("/mortgages/{case_id}/withdraw", status_code=202, tags=["mortgages"], operation_id="withdrawMortgage")
async def withdraw_mortgage(case_id: CaseId, act: Act) -> TransactionResource:
    """Give the application up before registration, as the applicant or its agent."""
    return await act.send(act.city.mortgages.withdraw(case_id))


@router.post("/mortgages/{case_id}/decline", status_code=202, tags=["mortgages"], operation_id="declineMortgage")
async def decline_mortgage(case_id: CaseId, body: Basis, act: Act) -> TransactionResource:
    """End the case before registration, as the bank."""
    return await act.send(act.city.mortgages.decline(case_id, body.basis))


@router.post("/mortgages/{case_id}/refuse", status_code=202, tags=["mortgages"], operation_id="refuseMortgage")
async def refuse_mortgage(case_id: CaseId, body: Basis, act: Act) -> TransactionResource:
    """End the case before registration, as the registrar."""
    return await act.send(act.city.mortgages.refuse(case_id, body.basis))
