"""Rules of the request routes: a seller asks chosen banks for quotes. No bank learns whom else it asked."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection

from ...db import Row
from ...errors import Conflict, Forbidden, InvalidInput, NotFound
from ...kit.pagination import decode_cursor, decode_number, encode_cursor
from ..members import repository as members_repository
from . import requests_repository as repository
from .requests_repository import Asked, request_state
from .requests_schemas import (
    BankAnswer,
    QuoteRequest,
    QuoteRequestList,
    QuoteRequestResource,
    QuoteRequestSummary,
)
from .terms import FILLABLE, by_cost, quote_state, resource_of

if TYPE_CHECKING:
    from ...city import City

FINANCIER: Final = "RECEIVABLE_FINANCIER"


class RequestsService:
    def __init__(self, city: City):
        self._city = city
        self._financiers: dict[int, bool] = {}

    async def prepare(self, seller: str, body: QuoteRequest) -> Asked:
        """The request as it is to be stored, once everything that it says holds."""
        now = self._city.indexer.head.time
        receivable = await self._city.receivables.known(body.receivable_id)
        held = await self._city.database.read(repository.units_held, body.receivable_id, seller)
        if held == 0:
            raise Forbidden(f"You hold no units of receivable {body.receivable_id}.")
        if receivable["state"] != "confirmed" or now >= receivable["due_at"]:
            raise _conflict(f"Receivable {body.receivable_id} is not open: no units change hands.", "receivableId")
        if body.units > held:
            raise _conflict(f"You hold {held} units; {body.units} are more.", "units")
        if body.answer_by <= now:
            raise InvalidInput(f"It is {now} on the chain already.", field="answerBy")
        if body.answer_by >= receivable["due_at"]:
            raise InvalidInput(f"From {receivable['due_at']} on no units change hands.", field="answerBy")
        party = await self._city.database.read(members_repository.find_party, seller)
        if party is None or party["status"] != "active":
            raise Forbidden("Only an active member starts new business.")
        for index, bank in enumerate(body.banks):
            await self._require_bank(seller, bank, f"banks.{index}")
        return Asked(
            id="qr_" + secrets.token_hex(16),
            receivable_id=body.receivable_id,
            seller=seller,
            units=body.units,
            recourse=body.recourse,
            divisible=body.divisible,
            answer_by=body.answer_by,
            note=body.note,
            asked_at=now,
        )

    def storing(self, asked: Asked, body: QuoteRequest) -> Callable[[Connection], None]:
        """What stores a prepared request, in whatever database transaction it belongs to."""
        return lambda connection: repository.ask(connection, asked, body.banks)

    async def request(self, party: str, request_id: str) -> QuoteRequestResource:
        def work(connection: Connection) -> QuoteRequestResource:
            row = repository.find_request(connection, request_id, party)
            if row is None:
                raise NotFound("There is no such request that you sent or received.")
            return self._resource(connection, row, party)

        return await self._city.database.read(work)

    async def requests(self, party: str, cursor: str | None, limit: int) -> QuoteRequestList:
        """Sent and received, the newest first."""
        rows = await self._city.database.read(repository.list_requests, party, decode_number(cursor), limit)
        following = encode_cursor(rows[-1]["sequence"]) if len(rows) == limit else None
        return QuoteRequestList(items=await self._summaries(rows, party), next=following)

    async def waiting(self, bank: str, cursor: str | None, limit: int) -> QuoteRequestList:
        """What the bank has received and not answered, the most urgent first."""
        now = self._city.indexer.head.time
        rows = await self._city.database.read(repository.list_waiting, bank, now, _position(cursor), limit)
        following = encode_cursor(rows[-1]["answer_by"], rows[-1]["sequence"]) if len(rows) == limit else None
        return QuoteRequestList(items=await self._summaries(rows, bank), next=following)

    async def decline(self, bank: str, request_id: str) -> QuoteRequestResource:
        await self._city.database.write(repository.decline, request_id, bank, self._city.indexer.head.time)
        return await self.request(bank, request_id)

    async def close(self, seller: str, request_id: str) -> QuoteRequestResource:
        now = self._city.indexer.head.time
        if not await self._city.database.write(repository.close, request_id, seller, now):
            raise NotFound("There is no such request that you sent.")
        return await self.request(seller, request_id)

    async def is_financier(self, account: str) -> bool:
        """Whether an account is an active member of a kind that may buy receivables."""
        party = await self._city.database.read(members_repository.find_party, account)
        if party is None or party["status"] != "active":
            return False
        kind = int(party["kind"])
        if kind not in self._financiers:
            # A kind is defined once, with its roles.
            roles = await self._city.members.roles_of(kind)
            self._financiers[kind] = self._city.deployment.roles[FINANCIER] in roles
        return self._financiers[kind]

    # --- internals

    async def _require_bank(self, seller: str, bank: str, field: str) -> None:
        if bank == seller:
            raise InvalidInput("You cannot ask yourself.", field=field)
        if not await self.is_financier(bank):
            raise InvalidInput(f"{bank} is no active member that may buy receivables.", field=field)

    async def _summaries(self, rows: Sequence[Row], party: str) -> list[QuoteRequestSummary]:
        def work(connection: Connection) -> list[QuoteRequestSummary]:
            found = self._answers(connection, rows, party)
            return [QuoteRequestSummary(**self._facts(row, party, *found[row["id"]])) for row in rows]

        return await self._city.database.read(work)

    def _resource(self, connection: Connection, row: Row, party: str) -> QuoteRequestResource:
        banks, quotes = self._answers(connection, [row], party)[row["id"]]
        is_seller, now = row["seller"] == party, self._city.indexer.head.time
        state = request_state(row, now)
        quoted = {quote["bank"] for quote in quotes}
        answers = [
            BankAnswer(bank=b["bank"], answer=_answer(b, quoted, state), declined_at=b["declined_at"]) for b in banks
        ]
        return QuoteRequestResource(
            **self._facts(row, party, banks, quotes),
            banks=answers if is_seller else None,
            quotes=sorted((resource_of(quote, now) for quote in quotes), key=by_cost),
        )

    def _answers(
        self, connection: Connection, rows: Sequence[Row], party: str
    ) -> dict[str, tuple[list[Row], list[Row]]]:
        """Banks and quotes of each request, as far as `party` may know of them."""
        found: dict[str, tuple[list[Row], list[Row]]] = defaultdict(lambda: ([], []))
        sent = {row["id"] for row in rows if row["seller"] == party}
        ids = [row["id"] for row in rows]
        for bank in repository.banks_of(connection, ids):
            if bank["request_id"] in sent or bank["bank"] == party:
                found[bank["request_id"]][0].append(bank)
        for quote in repository.quotes_for(connection, ids):
            if quote["request_id"] in sent or quote["bank"] == party:
                found[quote["request_id"]][1].append(quote)
        return found

    def _facts(self, row: Row, party: str, banks: list[Row], quotes: list[Row]) -> dict[str, object]:
        now = self._city.indexer.head.time
        state, quoted = request_state(row, now), {quote["bank"] for quote in quotes}
        answers = [_answer(bank, quoted, state) for bank in banks]
        own = None if row["seller"] == party else answers[0]
        if own is not None:
            action = "answer" if own == "waiting" else None
        elif any(quote_state(quote, now) in FILLABLE for quote in quotes):
            action = "compare"
        else:
            action = "wait" if "waiting" in answers else None
        facts = {name: row[name] for name in QuoteRequestSummary.model_fields if name in row}
        return {**facts, "state": state, "answer": own, "next_action": action}


def _answer(bank: Row, quoted: set[str], state: str) -> str:
    if bank["bank"] in quoted:
        return "quoted"
    if bank["declined_at"] is not None:
        return "declined"
    return "waiting" if state == "open" else "none"


def _conflict(rule: str, field: str) -> Conflict:
    return Conflict(rule, errors=[{"field": field, "rule": rule}])


def _position(cursor: str | None) -> tuple[int, int] | None:
    found = decode_cursor(cursor, 2)
    if found is None:
        return None
    if not all(part.isascii() and part.isdigit() and len(part) <= 18 for part in found):
        raise InvalidInput("This cursor belongs to another list.", field="cursor")
    return int(found[0]), int(found[1])
