"""What reminders need to know of recourse."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, or_, select

from ..receivables.reminders import Recourse
from ..receivables.repository import UNDERTAKEN, entitlement, receivables
from .recourse_repository import recourses


def open_recourses(connection: Connection, account: str) -> Iterator[Recourse]:
    """All recourses that are held or owed and in which the account is bank or seller."""
    columns = (*recourses.c, *(receivables.c[name] for name in ("currency", "due_at", "face", "paid")))
    query = (
        select(*columns, receivables.c.state.label("receivable_state"))
        .select_from(recourses.join(receivables, receivables.c.id == recourses.c.receivable_id))
        .where(recourses.c.state != "repaid", or_(recourses.c.bank == account, recourses.c.seller == account))
    )
    for row in connection.execute(query).mappings():
        held = row["state"] == "held"
        yield Recourse(
            bank=row["bank"],
            seller=row["seller"],
            nonce=int(row["nonce"]),
            receivable_id=row["receivable_id"],
            currency=row["currency"],
            due_at=row["due_at"],
            state=row["state"],
            # What was paid on the units stays with the bank that puts them back.
            amount=int(row["units"]) - entitlement(row, row) if held else int(row["owed"]) - int(row["repaid"]),
            undertaken=row["receivable_state"] in UNDERTAKEN,
        )
