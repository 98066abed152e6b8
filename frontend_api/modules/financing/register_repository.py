"""The financing register in SQL: who has taken which fingerprint, which fingerprint has a number, filings and clearances."""

from __future__ import annotations

from sqlalchemy import Column, Connection, String, Table, and_, or_, select

from ...chain.events import ChainEvent
from ...chain.projection import CHANGED, Handlers, Projection
from ...db import Row, Whole, metadata
from .contract import EntryState

#: Fingerprints that were ever taken. A reservation whose time has passed stays `reserved` here; readers derive that it is free.
entries = Table(
    "register_entries",
    metadata,
    Column("fingerprint", String(66), primary_key=True),
    Column("state", String(8), nullable=False, index=True),
    Column("number_fingerprint", String(66), nullable=False, index=True),
    #: The bank or the application.
    Column("holder", String(42), nullable=False, index=True),
    #: Who consented to a bank's reservation.
    Column("seller", String(42)),
    Column("reserved_until", Whole),
    Column("case_id", Whole),
    Column("taken_at", Whole, nullable=False),
    Column("financed_at", Whole),
    Column("freed_at", Whole),
    #: The arbiter's commitment, where it ended the entry.
    Column("annulment", String(66)),
    Column(CHANGED, Whole, nullable=False),
)

#: The fingerprint that took a number last, or `AMBIGUOUS` for good.
numbers = Table(
    "register_numbers",
    metadata,
    Column("number_fingerprint", String(66), primary_key=True),
    Column("fingerprint", String(66), nullable=False),
    Column(CHANGED, Whole, nullable=False),
)

clearances = Table(
    "register_clearances",
    metadata,
    Column("fingerprint", String(66), primary_key=True),
    Column("number_fingerprint", String(66), nullable=False),
    Column("basis", String(66), nullable=False),
    Column("cleared_at", Whole, nullable=False),
    Column(CHANGED, Whole, nullable=False),
)

filings = Table(
    "register_filings",
    metadata,
    Column("fingerprint", String(66), primary_key=True),
    Column("bank", String(42), primary_key=True),
    Column("filing", String(66), nullable=False),
    Column("recorded_at", Whole, nullable=False),
    Column(CHANGED, Whole, nullable=False),
)

#: As the contract says for a number of which more than one fingerprint was let in.
AMBIGUOUS = "0x" + "00" * 31 + "01"

handlers = Handlers()


@handlers.on("FinancingRegister", "FingerprintReserved")
def _reserved(p: Projection, event: ChainEvent) -> None:
    _take(
        p,
        event,
        EntryState.RESERVED,
        holder=event.args["actor"],
        seller=event.args["seller"],
        reserved_until=event.args["reservedUntil"],
        case_id=None,
    )


def _taking(event: ChainEvent) -> list[tuple[Table, dict[str, str]]]:
    return [
        (numbers, {"number_fingerprint": _hex(event.args["numberFingerprint"])}),
        (entries, {"fingerprint": _hex(event.args["fingerprint"])}),
    ]


@handlers.on("FinancingRegister", "FingerprintEntered", reads=_taking)
def _entered(p: Projection, event: ChainEvent) -> None:
    _take(
        p,
        event,
        EntryState.ENTERED,
        holder=event.args["application"],
        seller=None,
        reserved_until=None,
        case_id=event.args["caseId"],
    )


def _take(p: Projection, event: ChainEvent, state: EntryState, **values: object) -> None:
    fingerprint, number = _hex(event.args["fingerprint"]), _hex(event.args["numberFingerprint"])
    known = p.get(numbers, number_fingerprint=number)
    if known is None or not _has_number(p, known["fingerprint"], number, event.block.time):
        p.put(numbers, {"number_fingerprint": number}, fingerprint=fingerprint)
    p.put(
        entries,
        {"fingerprint": fingerprint},
        state=_name(state),
        number_fingerprint=number,
        taken_at=event.block.time,
        financed_at=None,
        freed_at=None,
        annulment=None,
        **values,
    )


def _has_number(p: Projection, fingerprint: str, number: str, now: int) -> bool:
    """As `takenBy` of the contract: the last fingerprint of a number counts while it is taken with that number."""
    if fingerprint == AMBIGUOUS:
        return True
    row = p.get(entries, fingerprint=fingerprint)
    return row is not None and entry_state(row, now) != "free" and row["number_fingerprint"] == number


@handlers.on("FinancingRegister", "FingerprintReleased")
@handlers.on("FinancingRegister", "FingerprintLeft")
def _freed(p: Projection, event: ChainEvent) -> None:
    _change(p, event, state=_name(EntryState.FREE), freed_at=event.block.time)


@handlers.on("FinancingRegister", "FinancingAnnulled")
def _annulled(p: Projection, event: ChainEvent) -> None:
    basis = _hex(event.args["basis"])
    _change(p, event, state=_name(EntryState.FREE), freed_at=event.block.time, annulment=basis)


@handlers.on("FinancingRegister", "FingerprintFinanced")
def _financed(p: Projection, event: ChainEvent) -> None:
    _change(p, event, state=_name(EntryState.FINANCED), reserved_until=None, financed_at=event.block.time)
    if any(event.args["filing"]):
        _file(p, event)


@handlers.on("FinancingRegister", "FilingRecorded")
def _file(p: Projection, event: ChainEvent) -> None:
    key = {"fingerprint": _hex(event.args["fingerprint"]), "bank": event.args["actor"]}
    p.put(filings, key, filing=text_of(event.args["filing"]), recorded_at=event.block.time)


@handlers.on("FinancingRegister", "NumberCleared")
def _cleared(p: Projection, event: ChainEvent) -> None:
    number = _hex(event.args["numberFingerprint"])
    p.put(
        clearances,
        {"fingerprint": _hex(event.args["fingerprint"])},
        number_fingerprint=number,
        basis=_hex(event.args["basis"]),
        cleared_at=event.block.time,
    )
    p.put(numbers, {"number_fingerprint": number}, fingerprint=AMBIGUOUS)


def _change(p: Projection, event: ChainEvent, **values: object) -> None:
    key = {"fingerprint": _hex(event.args["fingerprint"])}
    if p.get(entries, **key) is None:
        raise LookupError(f"{event.name} of {key['fingerprint']}, whose taking was not seen")
    p.put(entries, key, **values)


def text_of(filing: bytes) -> str:
    """A filing number as text; as hexadecimal where another program recorded what is no ASCII."""
    stripped = filing.rstrip(b"\0")
    return stripped.decode() if all(0x21 <= byte < 0x7F for byte in stripped) else _hex(filing)


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def _name(state: EntryState) -> str:
    return state.name.lower()


# --- queries


def entry_state(row: Row, now: int) -> str:
    """By chain time: a reservation whose time has passed is free."""
    if row["state"] == "reserved" and now > row["reserved_until"]:
        return "free"
    return str(row["state"])


def find_entry(connection: Connection, fingerprint: str) -> Row | None:
    return connection.execute(select(entries).where(entries.c.fingerprint == fingerprint)).mappings().first()


def find_clearance(connection: Connection, fingerprint: str) -> Row | None:
    return connection.execute(select(clearances).where(clearances.c.fingerprint == fingerprint)).mappings().first()


def filings_of(connection: Connection, fingerprint: str) -> list[Row]:
    query = select(filings).where(filings.c.fingerprint == fingerprint).order_by(filings.c.bank)
    return list(connection.execute(query).mappings())


def taken_by(connection: Connection, number: str, now: int) -> str | None:
    """The taken fingerprint that a number stands for; `AMBIGUOUS` after a clearance."""
    query = select(numbers.c.fingerprint).where(numbers.c.number_fingerprint == number)
    fingerprint = connection.execute(query).scalar()
    if fingerprint is None or fingerprint == AMBIGUOUS:
        return fingerprint
    row = find_entry(connection, fingerprint)
    if row is None or entry_state(row, now) == "free" or row["number_fingerprint"] != number:
        return None
    return str(fingerprint)


def list_held(connection: Connection, holder: str, now: int, after: str | None, limit: int) -> list[Row]:
    """What a bank has reserved or financed, by fingerprint."""
    live = or_(
        entries.c.state == _name(EntryState.FINANCED),
        and_(entries.c.state == _name(EntryState.RESERVED), entries.c.reserved_until >= now),
    )
    wanted = [entries.c.holder == holder, live]
    if after is not None:
        wanted.append(entries.c.fingerprint > after)
    query = select(entries).where(*wanted).order_by(entries.c.fingerprint).limit(limit)
    return list(connection.execute(query).mappings())
