"""/members and /residents."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request

from ...auth import Caller
from ...db import Row
from ...errors import InvalidInput, NotFound
from ...kit.bulk import Bulk, Many, One, OneOrBulk, parse_items
from ...kit.ids import Address
from ...kit.pagination import Cursor, Limit, decode_cursor, encode_cursor
from ...submission import Act, BulkResource, TransactionResource
from . import repository
from .contract import RESIDENT
from .schemas import Admission, CallerResource, Decision, Enrolment, PartyList, PartyResource

router = APIRouter()

EnrolmentBody = Annotated[Annotated[Enrolment, One] | Annotated[Bulk, Many], OneOrBulk]


@router.post("/members", status_code=202, tags=["members"], operation_id="admitMember")
async def admit_member(body: Admission, act: Act) -> TransactionResource:
    """Admit an organisation, as the registrar of members; it receives the roles of its kind."""
    number = act.city.deployment.kinds.get(body.kind)
    if number is None:
        known = ", ".join(act.city.deployment.kinds)
        raise InvalidInput(f"The charter has no kind `{body.kind}`; it has: {known}.", field="kind")
    return await act.send(act.city.members.admit(body.account, number, body.credit_code, body.profile))


@router.post("/residents", status_code=202, tags=["members"], operation_id="enrolResidents")
async def enrol_residents(body: EnrolmentBody, act: Act) -> TransactionResource | BulkResource:
    """Enrol one resident, or up to 1,000."""
    members = act.city.members
    if isinstance(body, Enrolment):
        return await act.send(members.enrol(body.account, body.identity, body.valid_until))
    items: list[Any] = [
        item if isinstance(item, InvalidInput) else members.enrol(item.account, item.identity, item.valid_until)
        for item in parse_items(Enrolment, body)
    ]
    return await act.send_many(items)


@router.get("/me", tags=["members"], operation_id="getCaller")
async def get_caller(caller: Caller) -> CallerResource:
    """Which account the API key acts as, and what it may do."""
    return CallerResource(account=caller.account, name=caller.name, scopes=list(caller.scopes))


@router.post("/members/{account}/suspend", status_code=202, tags=["members"], operation_id="suspendParty")
async def suspend(account: Address, body: Decision, act: Act) -> TransactionResource:
    """Bar a member or resident from new business; obligations go on."""
    return await act.send(act.city.members.suspend(account, body.basis))


@router.post("/members/{account}/reinstate", status_code=202, tags=["members"], operation_id="reinstateParty")
async def reinstate(account: Address, body: Decision, act: Act) -> TransactionResource:
    """End a suspension."""
    return await act.send(act.city.members.reinstate(account, body.basis))


@router.get("/members", tags=["members"], operation_id="listMembers")
async def list_members(
    request: Request, _: Caller, kind: str | None = None, cursor: Cursor = None, limit: Limit = 100
) -> PartyList:
    """Members and residents by account; `kind` is a kind of the charter or `resident`."""
    city = request.app.state.city
    number = None
    if kind is not None:
        number = RESIDENT if kind == "resident" else city.deployment.kinds.get(kind)
        if number is None:
            raise InvalidInput(f"The charter has no kind `{kind}`.", field="kind")
    after = decode_cursor(cursor, 1)
    rows = await city.database.read(repository.list_parties, number, after[0] if after else None, limit)
    following = encode_cursor(rows[-1]["account"]) if len(rows) == limit else None
    return PartyList(items=[_resource(city, row) for row in rows], next=following)


@router.get("/members/{account}", tags=["members"], operation_id="getMember")
async def get_member(account: Address, request: Request, _: Caller) -> PartyResource:
    """A member or resident."""
    city = request.app.state.city
    row = await city.database.read(repository.find_party, account)
    if row is None:
        raise NotFound(f"{account} was never admitted or enrolled.")
    return _resource(city, row)


def _resource(city: Any, row: Row) -> PartyResource:
    labels = {number: label for label, number in city.deployment.kinds.items()}
    names = {entry["address"]: entry["name"] for entry in city.deployment.members.values()}
    until = row["valid_until"]
    return PartyResource(
        account=row["account"],
        kind=labels.get(row["kind"], "resident"),
        name=names.get(row["account"]),
        credit_code=row["credit_code"],
        status=row["status"],
        expired=until is not None and until < city.indexer.head.time,
        valid_until=until,
        enrolled_at=row["enrolled_at"],
        finality=city.finality(row),
    )
