"""What sellers answer for, in SQL: recourse by bank and nonce."""

from __future__ import annotations

from sqlalchemy import Column, ColumnElement, Connection, String, Table, and_, or_, select

from ...chain.events import ChainEvent
from ...chain.projection import CHANGED, Handlers, Projection
from ...db import Row, Whole, metadata
from ..receivables.repository import holdings, receivables
from .contract import RecourseState

recourses = Table(
    "recourses",
    metadata,
    Column("bank", String(42), primary_key=True),
    Column("nonce", String(78), primary_key=True),
    Column("seller", String(42), nullable=False, index=True),
    Column("receivable_id", Whole, nullable=False, index=True),
    Column("state", String(8), nullable=False),
    #: Face value bought with the nonce, and what the seller owes for it since it was put back; minor units.
    Column("units", String(39), nullable=False),
    #: What the bank still held of them and put back; it can have sold some on.
    Column("units_put_back", String(39)),
    Column("owed", String(39), nullable=False),
    Column("repaid", String(39), nullable=False),
    #: When the first part was bought.
    Column("held_at", Whole, nullable=False),
    Column("put_back_at", Whole),
    Column("repaid_at", Whole),
    Column(CHANGED, Whole, nullable=False),
)

handlers = Handlers()


def hold(p: Projection, event: ChainEvent) -> None:
    """A fill with recourse; parts of one quote add up."""
    key = {"bank": event.args["bank"], "nonce": str(event.args["nonce"])}
    before = p.get(recourses, **key)
    if before is not None:
        p.put(recourses, key, units=str(int(before["units"]) + event.args["units"]))
        return
    p.put(
        recourses,
        key,
        seller=event.args["actor"],
        receivable_id=event.args["receivableId"],
        state=_name(RecourseState.HELD),
        units=str(event.args["units"]),
        owed="0",
        repaid="0",
        held_at=event.block.time,
    )


@handlers.on("FinancingDesk", "UnitsPutBack")
def _put_back(p: Projection, event: ChainEvent) -> None:
    p.put(
        recourses,
        _seen(p, event.args["actor"], event.args["nonce"]),
        state=_name(RecourseState.OWED),
        units_put_back=str(event.args["units"]),
        owed=str(event.args["owed"]),
        put_back_at=event.block.time,
    )


@handlers.on("FinancingDesk", "RecourseRepaid")
def _repaid(p: Projection, event: ChainEvent) -> None:
    key = _seen(p, event.args["bank"], event.args["nonce"])
    found, repaid = p.get(recourses, **key), str(event.args["repaid"])
    if found is not None and found["owed"] == repaid:
        p.put(recourses, key, repaid=repaid, state=_name(RecourseState.REPAID), repaid_at=event.block.time)
    else:
        p.put(recourses, key, repaid=repaid)


def _seen(p: Projection, bank: str, nonce: int) -> dict[str, str]:
    key = {"bank": bank, "nonce": str(nonce)}
    if p.get(recourses, **key) is None:
        raise LookupError(f"recourse of {bank} by nonce {nonce}, whose fill was not seen")
    return key


def _name(state: RecourseState) -> str:
    return state.name.lower()


# --- queries

#: With the receivable, and with what the bank holds of it now: whatever it sold on cannot be put back.
JOINED = recourses.join(receivables, receivables.c.id == recourses.c.receivable_id).outerjoin(
    holdings, and_(holdings.c.receivable_id == recourses.c.receivable_id, holdings.c.holder == recourses.c.bank)
)
_ROW = (
    *recourses.c,
    holdings.c.units.label("bank_units"),
    receivables.c.currency,
    receivables.c.due_at,
    receivables.c.state.label("receivable_state"),
    receivables.c.face.label("face"),
    receivables.c.paid.label("receivable_paid"),
)


def find_recourse(connection: Connection, bank: str, nonce: int) -> Row | None:
    wanted = and_(recourses.c.bank == bank, recourses.c.nonce == str(nonce))
    return connection.execute(select(*_ROW).select_from(JOINED).where(wanted)).mappings().first()


def left_to_put_back(row: Row) -> int:
    """Minor units of what was bought with the nonce that the bank still has, while it is held."""
    return min(int(row["units"]), int(row["bank_units"] or 0))


def list_recourse(
    connection: Connection, party: str, side: str | None, state: str | None, after: tuple[str, str] | None, limit: int
) -> list[Row]:
    """Where `party` is the bank, the seller or either; by bank and nonce."""
    sides: dict[str | None, ColumnElement[bool]] = {
        "bank": recourses.c.bank == party,
        "seller": recourses.c.seller == party,
        None: or_(recourses.c.bank == party, recourses.c.seller == party),
    }
    wanted = [sides[side]]
    if state is not None:
        wanted.append(recourses.c.state == state)
    if after is not None:
        bank, nonce = after
        wanted.append(or_(recourses.c.bank > bank, and_(recourses.c.bank == bank, recourses.c.nonce > nonce)))
    query = select(*_ROW).select_from(JOINED).where(*wanted).order_by(recourses.c.bank, recourses.c.nonce)
    return list(connection.execute(query.limit(limit)).mappings())
