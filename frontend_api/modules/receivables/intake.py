"""From invoices to drafts: single files, many files, CSV. Rules only; no JSON-RPC here."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from ...chain.abi import Call
from ...errors import Forbidden, InvalidInput, Unavailable
from ...submission import Action, BulkItem, BulkResource
from ..members import repository as members_repository
from . import intake_repository
from .drafts import COLUMNS_OF_CSV, ELEMENTS, Draft, Standing, credit_code_of, end_of, parse_date, refusal
from .intake_schemas import IntakeItem, IntakeReport, JudgementList, JudgementResource
from .invoices import DEMONSTRATION_KEY, Judgement, judge, key_of
from .rows import InvoiceRow, read_rows

if TYPE_CHECKING:
    from ...city import City

#: Rows of a CSV file that one database transaction stores.
PART: Final = 1000

WOULD_BE_ACCEPTED: Final = "would_be_accepted"
ACCEPTED: Final = "accepted"
_ALL_OR_NOTHING: Final = ("file", "another row was refused, and the caller wants all or nothing")


@dataclass(frozen=True)
class InvoiceFile:
    name: str
    content: bytes


@dataclass(frozen=True)
class Wanted:
    """What the form says beside the files.

    everywhere: it is meant for every file: a contradiction to the invoice is refused. Otherwise it stands in where an
    invoice does not say it.
    """

    debtor: str | None = None
    due_date: str | None = None
    everywhere: bool = True


@dataclass(frozen=True)
class _Judged:
    """A file with what would come of it: a draft, or why there is none."""

    file: str
    judgement: Judgement
    result: Draft | InvalidInput


class IntakeService:
    def __init__(self, city: City):
        self._city = city
        self._key = key_of(city.settings.fingerprint_key)

    async def check(self, files: Sequence[InvoiceFile]) -> JudgementList:
        """A judgement per file; nothing is stored."""
        judged = [await self._judge(file) for file in files]
        return JudgementList(
            items=[
                JudgementResource.model_validate({"file": file.name, **found.to_json(number_fingerprint=True)})
                for file, found in zip(files, judged, strict=True)
            ],
            demonstration_key=self._demonstration,
        )

    # --- files

    async def draft_from_invoice(self, supplier: str, file: InvoiceFile, wanted: Wanted) -> Call:
        """The draft of an uploaded invoice, or the refusal with file, field and rule."""
        self._require_tables()
        found = await self._plan(supplier, file, wanted)
        if isinstance(found.result, InvalidInput):
            raise found.result
        return self._call(found.result)

    async def draft_many(self, act: Action, files: Sequence[InvoiceFile], wanted: Wanted, refuse: bool) -> BulkResource:
        """Draft what can be drafted, in one database transaction; each file has its own outcome.

        The same request again is answered as the first time, from what was stored then: the files are judged once.
        """
        recorded = await act.earlier_part(0)
        if recorded is None:
            results = [entry.result for entry in await self._plan_many(act.account, files, wanted)]
            refusals = [entry for entry in results if isinstance(entry, InvalidInput)]
            if refusals and refuse:
                raise InvalidInput(
                    f"{len(refusals)} of {len(files)} files are refused; nothing was stored.",
                    errors=[error for refused in refusals for error in refused.extra["errors"]],
                )
            calls = [self._call(entry) for entry in results if isinstance(entry, Draft)]
            if calls:
                await act.require_right(calls[0])

            def record(ids: list[str]) -> list[dict[str, Any]]:
                remaining = iter(ids)
                return [
                    {"transaction": next(remaining)} if isinstance(entry, Draft) else {"problem": entry.problem()}
                    for entry in results
                ]

            recorded = await act.accept_part(0, calls, record)
        return await self._bulk(act, recorded)

    async def dry_run(self, act: Action, files: Sequence[InvoiceFile], wanted: Wanted) -> IntakeReport:
        """What `draft_many` would do; nothing is stored."""
        judged = await self._plan_many(act.account, files, wanted)
        drafts = [entry.result for entry in judged if isinstance(entry.result, Draft)]
        if drafts:
            await act.require_right(self._call(drafts[0]))
        return self._report([_item_of_file(entry) for entry in judged], dry_run=True)

    # --- CSV

    async def draft_rows(self, act: Action, file: InvoiceFile, *, dry_run: bool, refuse: bool) -> IntakeReport:
        """Draft every good row of a CSV file as its seller; each row has its own outcome.

        Parts of 1,000 rows are stored one after the other, each with its answer. Whoever sends the same request again,
        after a crash say, gets the answers of the parts that were stored, and the rest is done. All or nothing
        (`refuse`) is one part.
        """
        self._require_tables()
        seller = await self._own_code(act.account)
        rows = await asyncio.to_thread(
            read_rows,
            file.content,
            seller=seller,
            currencies=self._city.deployment.currencies,
            key=self._key,
            file=file.name,
        )
        size = len(rows) if refuse else PART
        parts = [rows[start : start + size] for start in range(0, len(rows), size)]
        answers = [None if dry_run else await act.earlier_part(number) for number in range(len(parts))]
        unanswered = [row for part, answer in zip(parts, answers, strict=True) if answer is None for row in part]
        drafts: dict[int, Draft] = {}
        known: dict[int, InvoiceRow] = {}
        for row, draft in await self._known_rows(unanswered):
            known[row.line] = row
            if draft is not None:
                drafts[row.line] = draft
        if drafts:
            await act.require_right(self._call(next(iter(drafts.values()))))
        if dry_run:
            items = [_item_of_row(file.name, seller, row, WOULD_BE_ACCEPTED, drafts) for row in known.values()]
            return self._report(items, dry_run=True)
        if refuse and len(drafts) < len(known):
            drafts = {}
            known = {line: row if row.refused else replace(row, refused=_ALL_OR_NOTHING) for line, row in known.items()}
        items = []
        for number, part in enumerate(parts):
            stored = answers[number]
            if stored is None:
                stored = await self._store(act, number, file.name, seller, [known[row.line] for row in part], drafts)
            items += [IntakeItem.model_validate(entry) for entry in stored]
        last = next((item.transaction for item in reversed(items) if item.transaction), None)
        if last is not None:
            await act.wait(last)
        return self._report(items, dry_run=False)

    async def _store(
        self, act: Action, number: int, file: str, seller: str, rows: list[InvoiceRow], drafts: Mapping[int, Draft]
    ) -> Any:
        good = [row.line for row in rows if row.line in drafts]
        calls = await asyncio.to_thread(lambda: [self._call(drafts[line]) for line in good])

        def record(ids: list[str]) -> list[dict[str, Any]]:
            sent = dict(zip(good, ids, strict=True))
            items = [_item_of_row(file, seller, row, ACCEPTED, drafts, sent.get(row.line)) for row in rows]
            return [item.model_dump(by_alias=True) for item in items]

        return await act.accept_part(number, calls, record)

    async def _known_rows(self, rows: Sequence[InvoiceRow]) -> list[tuple[InvoiceRow, Draft | None]]:
        """Each row with its draft, after what only the tables know."""
        good = [row for row in rows if row.refused is None]
        accounts = await self._city.database.read(
            intake_repository.accounts_of, [row.buyer for row in good if row.buyer is not None]
        )
        drafts = {row.line: _draft_of_row(row, accounts) for row in good}
        rules = await self._standing([draft for draft in drafts.values() if draft is not None])
        found: list[tuple[InvoiceRow, Draft | None]] = []
        for row in rows:
            draft, refused = drafts.get(row.line), row.refused
            if refused is None:
                refused = (
                    ("buyer", f"the buyer {row.buyer} is no member") if draft is None else rules(draft, COLUMNS_OF_CSV)
                )
            found.append((replace(row, refused=refused), None if refused else draft))
        return found

    # --- internals

    def _require_tables(self) -> None:
        """A service that has just started would take members for strangers, and remember that as the answer."""
        if not self._city.indexer.caught_up:
            raise Unavailable("The tables are still catching up with the chain; nothing was judged. Try again shortly.")

    @property
    def _demonstration(self) -> bool:
        return self._key == DEMONSTRATION_KEY

    async def _judge(self, file: InvoiceFile) -> Judgement:
        currencies = self._city.deployment.currencies
        return await asyncio.to_thread(judge, file.content, currencies=currencies, key=self._key)

    async def _plan(self, supplier: str, file: InvoiceFile, wanted: Wanted) -> _Judged:
        found = await self._judge(file)
        try:
            return _Judged(file.name, found, await self._draft(supplier, file.name, found, wanted))
        except InvalidInput as refused:
            return _Judged(file.name, found, refused)

    async def _plan_many(self, supplier: str, files: Sequence[InvoiceFile], wanted: Wanted) -> list[_Judged]:
        """Each file with what would come of it beside the others, and after what only the tables know."""
        self._require_tables()
        planned = [await self._plan(supplier, file, wanted) for file in files]
        rules = await self._standing([entry.result for entry in planned if isinstance(entry.result, Draft)])
        first: dict[bytes, str] = {}
        found = []
        for entry in planned:
            broken = None
            if isinstance(entry.result, Draft):
                number = entry.result.number_fingerprint
                broken = rules(entry.result, ELEMENTS)
                if number in first:
                    broken = ("cbc:ID", f"has the seller and number of {first[number]}; letters and digits count")
                first.setdefault(number, entry.file)
            found.append(entry if broken is None else replace(entry, result=refusal(entry.file, broken[1], broken[0])))
        return found

    async def _draft(self, supplier: str, file: str, found: Judgement, wanted: Wanted) -> Draft:
        due = _due_date(file, found, wanted)
        await self._require_seller(supplier, file, str(found.seller))
        debtor = await self._debtor(file, str(found.buyer), wanted)
        if (
            found.currency is None
            or found.payable is None
            or found.fingerprint is None
            or found.number_fingerprint is None
        ):
            raise refusal(file, found.reason or "the invoice could not be read")
        return Draft(debtor, found.currency, found.payable, end_of(due), found.fingerprint, found.number_fingerprint)

    def _call(self, draft: Draft) -> Call:
        return self._city.receivable_ledger.draft(
            draft.debtor, draft.currency, draft.face, draft.due_at, draft.fingerprint, draft.number_fingerprint
        )

    async def _standing(self, drafts: Sequence[Draft]) -> Standing:
        """What the tables say against drafts; the chain would, too, but only once they are sent."""
        read, now = self._city.database.read, self._city.indexer.head.time
        fingerprints = ["0x" + draft.fingerprint.hex() for draft in drafts]
        numbers = ["0x" + draft.number_fingerprint.hex() for draft in drafts]
        return Standing(
            now=now,
            statuses=await read(intake_repository.statuses_of, [draft.debtor for draft in drafts]),
            drafted=await read(intake_repository.drafted_before, fingerprints),
            taken=await read(intake_repository.taken, fingerprints, numbers, now),
        )

    async def _member_with(self, party_key: str) -> str | None:
        code = credit_code_of(party_key)
        if code is None:
            return None
        return await self._city.database.read(members_repository.find_by_credit_code, code)

    async def _own_code(self, account: str) -> str:
        row = await self._city.database.read(members_repository.find_party, account)
        if row is None or not row["credit_code"]:
            raise Forbidden(f"{account} is no member with a credit code, so it is the seller of no invoice.")
        return str(row["credit_code"])

    async def _require_seller(self, supplier: str, file: str, seller: str) -> None:
        """Whose invoice it is, where the invoice's seller is a member; nobody drafts another member's."""
        member = await self._member_with(seller)
        if member not in (None, supplier):
            raise refusal(
                file, f"the seller {seller} is the member {member}, not {supplier}", "cac:AccountingSupplierParty"
            )

    async def _debtor(self, file: str, buyer: str, wanted: Wanted) -> str:
        member, given = await self._member_with(buyer), wanted.debtor
        if member is None and given is None:
            raise refusal(
                file, f"the buyer {buyer} is no member's credit code; give `debtor`", "cac:AccountingCustomerParty"
            )
        if None not in (member, given) and member != given and wanted.everywhere:
            raise refusal(file, f"the buyer {buyer} is the member {member}", "debtor")
        return str(member or given)

    async def _bulk(self, act: Action, recorded: Sequence[Mapping[str, Any]]) -> BulkResource:
        ids = [entry["transaction"] for entry in recorded if "transaction" in entry]
        if ids:
            await act.wait(ids[-1])
        return BulkResource(
            items=[
                BulkItem(index=index, problem=entry["problem"])
                if "problem" in entry
                else BulkItem(index=index, transaction=await act.resource(entry["transaction"]))
                for index, entry in enumerate(recorded)
            ]
        )

    def _report(self, items: list[IntakeItem], *, dry_run: bool) -> IntakeReport:
        refused = sum(item.outcome == "refused" for item in items)
        return IntakeReport(
            accepted=len(items) - refused,
            refused=refused,
            dry_run=dry_run,
            demonstration_key=self._demonstration,
            items=items,
        )


# --- rules


def _due_date(file: str, found: Judgement, wanted: Wanted) -> str:
    """When an invoice that can be drafted is due."""
    given = wanted.due_date
    if found.outcome == "needs_due_date" and given is not None:
        due = parse_date(given)
        if found.issue_date is not None and due < found.issue_date:
            raise refusal(file, f"the due date is before the invoice's date, {found.issue_date}", "dueDate")
        return due
    if found.outcome != "receivable":
        raise refusal(file, found.reason or found.outcome)
    if given not in (None, found.due_date) and wanted.everywhere:
        raise refusal(file, f"the invoice says itself when it is due: {found.due_date}", "dueDate")
    return str(found.due_date)


def _draft_of_row(row: InvoiceRow, accounts: Mapping[str, str]) -> Draft | None:
    """None when the buyer is no member."""
    debtor = accounts.get(str(row.buyer))
    if debtor is None or row.payable is None or row.fingerprint is None or row.number_fingerprint is None:
        return None
    due_at = end_of(str(row.due_date))
    return Draft(debtor, str(row.currency), row.payable, due_at, row.fingerprint, row.number_fingerprint)


def _item_of_file(entry: _Judged) -> IntakeItem:
    found, result = entry.judgement, entry.result
    facts: dict[str, Any] = found.to_json(number_fingerprint=True)
    facts |= {"file": entry.file, "outcome": WOULD_BE_ACCEPTED, "reason": None}
    if isinstance(result, InvalidInput):
        [error] = result.extra["errors"]
        return IntakeItem.model_validate(
            facts | {"outcome": "refused", "field": error["field"], "reason": error["rule"]}
        )
    return IntakeItem.model_validate(facts | {"debtor": result.debtor, "dueAt": result.due_at})


def _item_of_row(
    file: str,
    seller: str,
    row: InvoiceRow,
    outcome: str,
    drafts: Mapping[int, Draft],
    transaction: str | None = None,
) -> IntakeItem:
    draft = drafts.get(row.line)
    return IntakeItem.model_validate(
        row.to_json(outcome)
        | {
            "file": file,
            "seller": seller,
            "debtor": None if draft is None else draft.debtor,
            "dueAt": None if draft is None else draft.due_at,
            "transaction": transaction,
        }
    )
