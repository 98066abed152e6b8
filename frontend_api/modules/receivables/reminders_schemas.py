"""Bodies of reminders and dunning notices."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from ...kit.schemas import AmountText, Body, Resource

LONGEST_TEXT = 500
Role = Literal["debtor", "holder", "supplier", "bank"]


def parse_text(value: Any) -> str:
    """Some words for people: no control or formatting characters, which could make it look like something else."""
    if not isinstance(value, str):
        raise ValueError("a notice is text")
    text = value.replace("\r\n", "\n").strip()
    if not 0 < len(text) <= LONGEST_TEXT:
        raise ValueError(f"a notice has 1 to {LONGEST_TEXT} characters")
    if any(unicodedata.category(c).startswith("C") and c != "\n" for c in text):
        raise ValueError("a notice has no control, formatting or unassigned characters, line feeds apart")
    return text


class NoticeBody(Body):
    text: Annotated[str, BeforeValidator(parse_text)] = Field(
        description="for the debtor's people; kept off the chain", examples=["Please pay by Friday."]
    )


class NoticeResource(Resource):
    id: int
    receivable_id: int
    holder: str
    debtor: str
    text: str
    sent_at: int = Field(description="chain time, Unix seconds")
    acknowledged_at: int | None


class NoticeList(Resource):
    items: list[NoticeResource]
    next: str | None


class NextAction(Resource):
    method: str
    path: str


class NoticeInReminder(Resource):
    id: int
    text: str
    sent_at: int


class ReminderResource(Resource):
    role: Role
    kind: str = Field(
        description="debtor: due_in_14_days, due_in_7_days, due_in_1_day, due_today, overdue, defaulted, to_answer, notice; "
        "holder: claimable, overdue, defaulted; supplier: unanswered, disputed; "
        "bank: recourse_soon, recourse; supplier of sold units: recourse_owed"
    )
    receivable_id: int
    counterparty: str
    currency: str
    amount: AmountText = Field(description="minor units that the next action is about")
    at: int = Field(description="Unix seconds: due date, default, draft or notice")
    days: int = Field(description="whole days left until then; −1 on the first day after it")
    next_action: NextAction
    notice: NoticeInReminder | None = None


class ReminderList(Resource):
    at: int = Field(description="chain time of the last block, Unix seconds")
    items: list[ReminderResource] = Field(description="by `at`, the longest overdue first")
    next: str | None
