"""/reminders, and /receivables/{id}/reminders: dunning notices."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from ...auth import Caller, Writer
from ...kit.pagination import Cursor, Limit
from .endpoints import Known
from .reminders import ReminderService
from .reminders_schemas import NoticeBody, NoticeList, NoticeResource, ReminderList, Role

router = APIRouter(tags=["reminders"])


def _service(request: Request) -> ReminderService:
    found: ReminderService = request.app.state.city.reminders
    return found


Service = Annotated[ReminderService, Depends(_service)]
NoticeId = Annotated[int, Path(ge=1, lt=2**53)]


@router.get("/reminders", operation_id="listReminders")
async def list_reminders(
    service: Service,
    caller: Caller,
    *,
    role: Annotated[Role | None, Query(description="only what the caller is reminded of as this")] = None,
    answer_days: Annotated[
        int, Query(alias="answerDays", ge=0, le=365, description="a supplier's drafts count from so many days on")
    ] = 7,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> ReminderList:
    """What the caller must or may do about receivables now, by chain time, each with the next action.

    As debtor what to pay, answer or read; as holder what to claim or collect; as supplier what is not answered; as bank
    what can be put back.
    """
    return await service.reminders(caller.account, role, answer_days, cursor, limit)


@router.post("/receivables/{receivable_id}/reminders", status_code=201, operation_id="sendNotice")
async def send_notice(
    receivable_id: Known, body: NoticeBody, caller: Writer, service: Service, response: Response
) -> NoticeResource:
    """Remind the debtor, as a holder; once a day at most. The same words again answer 200 and the first notice."""
    found, new = await service.send_notice(caller.account, receivable_id, body.text)
    response.status_code = 201 if new else 200
    return found


@router.get("/receivables/{receivable_id}/reminders", operation_id="listNotices")
async def list_notices(
    receivable_id: Known, service: Service, caller: Caller, cursor: Cursor = None, limit: Limit = 100
) -> NoticeList:
    """The notices about a receivable that the caller sent or was sent, oldest first."""
    return await service.notices(caller.account, receivable_id, cursor, limit)


@router.post("/receivables/{receivable_id}/reminders/{notice_id}/acknowledge", operation_id="acknowledgeNotice")
async def acknowledge_notice(
    receivable_id: Known, notice_id: NoticeId, caller: Writer, service: Service
) -> NoticeResource:
    """Say that one has read a notice, as the debtor. It then leaves the debtor's reminders."""
    return await service.acknowledge(caller.account, receivable_id, notice_id)
