"""What reminders need to know of recourse."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, or_, select

from ..receivables.reminders import Recourse
from ..receivables.repository import UNDERTAKEN, entitlement, holdings, receivables
from .recourse_repository import JOINED, left_to_put_back, recourses


def open_recourses(connection: Connection, account: str) -> Iterator[Recourse]:
    """All recourses that are owed, or held with units left to put back, and in which the account is bank or seller."""
    columns = (
        *recourses.c,
        *(receivables.c[name] for name in ("currency", "due_at", "face", "paid")),
        holdings.c.units.label("bank_units"),
    )
    query = (
        select(*columns, receivables.c.state.label("receivable_state"))
        .select_from(JOINED)
        .where(recourses.c.state != "repaid", or_(recourses.c.bank == account, recourses.c.seller == account))
    )
    for row in connection.execute(query).mappings():
        held = row["state"] == "held"
        units = left_to_put_back(row)
        if held and units == 0:
            continue
        yield Recourse(
            bank=row["bank"],
            seller=row["seller"],
            nonce=int(row["nonce"]),
            receivable_id=row["receivable_id"],
            currency=row["currency"],
            due_at=row["due_at"],
            state=row["state"],
            # What was paid on the units stays with the bank that puts them back.
            amount=units - entitlement(row, {"units": units}) if held else int(row["owed"]) - int(row["repaid"]),
            undertaken=row["receivable_state"] in UNDERTAKEN,
        )
