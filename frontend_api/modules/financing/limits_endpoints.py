"""/limits and /limit-groups."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from ...auth import Caller, Writer
from ...kit.ids import Address
from ...kit.pagination import Cursor, Limit
from .limits import LimitsService
from .limits_schemas import (
    GroupName,
    LimitGroup,
    LimitGroupList,
    LimitGroupResource,
    LimitList,
    LimitResource,
    Limits,
)

router = APIRouter(tags=["limits"])


def _service(request: Request) -> LimitsService:
    found: LimitsService = request.app.state.city.financing.limits
    return found


Service = Annotated[LimitsService, Depends(_service)]
Debtor = Annotated[Address, Path(description="whose receivables it limits")]


@router.put("/limits/{debtor}", operation_id="putLimit")
async def put_limit(debtor: Debtor, body: Limits, service: Service, caller: Writer) -> LimitResource:
    """Set what the caller may be exposed to a debtor at most, per currency, as a bank; replaces what was set before.

    Held against: what is outstanding on the units that the bank holds, and what its quotes that can still be filled
    would add. A quote beyond it is refused before it is signed. Without a limit nothing is checked. Nobody else sees it.
    """
    return await service.put(caller.account, debtor, body)


@router.get("/limits", operation_id="listLimits")
async def list_limits(service: Service, caller: Caller, cursor: Cursor = None, limit: Limit = 100) -> LimitList:
    """The caller's limits per debtor, and how much of them is used."""
    return await service.limits(caller.account, cursor, limit)


@router.get("/limits/{debtor}", operation_id="getLimit")
async def get_limit(debtor: Debtor, service: Service, caller: Caller) -> LimitResource:
    """The caller's limits for a debtor, and how much of them is used."""
    return await service.get(caller.account, debtor)


@router.delete("/limits/{debtor}", status_code=204, operation_id="deleteLimit")
async def delete_limit(debtor: Debtor, service: Service, caller: Writer) -> None:
    """Check quotes for a debtor's receivables no more, but for its group's limit."""
    await service.delete(caller.account, debtor)


@router.put("/limit-groups/{group}", operation_id="putLimitGroup")
async def put_group(group: GroupName, body: LimitGroup, service: Service, caller: Writer) -> LimitGroupResource:
    """Set which debtors the caller counts together, and their common limits; replaces the group of that name.

    A debtor is in one group at most. Its own limit and its group's both hold.
    """
    return await service.put_group(caller.account, group, body)


@router.get("/limit-groups", operation_id="listLimitGroups")
async def list_groups(service: Service, caller: Caller, cursor: Cursor = None, limit: Limit = 100) -> LimitGroupList:
    """The caller's groups, and how much of their limits is used."""
    return await service.groups(caller.account, cursor, limit)


@router.get("/limit-groups/{group}", operation_id="getLimitGroup")
async def get_group(group: GroupName, service: Service, caller: Caller) -> LimitGroupResource:
    """A group of the caller's, and how much of its limits is used."""
    return await service.get_group(caller.account, group)


@router.delete("/limit-groups/{group}", status_code=204, operation_id="deleteLimitGroup")
async def delete_group(group: GroupName, service: Service, caller: Writer) -> None:
    """Forget a group with its limits."""
    await service.delete_group(caller.account, group)
