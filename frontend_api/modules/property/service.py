"""Rules of the property routes: titles with their certificates, mortgages, imports. No JSON-RPC here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from ...chain.abi import Call
from ...db import Row
from ...documents import certificate as certificates
from ...documents import store
from ...documents.certificate import Certificate, Context
from ...documents.strict import CertificateError
from ...errors import Forbidden, InvalidInput, NotFound
from ...kit.pagination import decode_cursor, decode_number, encode_cursor
from ...submission import Action
from . import repository
from .importing import TitleRow, read_titles
from .schemas import (
    ImportResource,
    ImportRow,
    LienResource,
    MortgageList,
    MortgageResource,
    TitleList,
    TitleRegistration,
    TitleResource,
)

if TYPE_CHECKING:
    from ...city import City

OPEN_STATES = ("applied", "offered", "accepted")


@dataclass(frozen=True)
class CertificateBatch:
    """New certificates: the call that anchors their root, the calls that put them on titles, and what stores the files."""

    root: bytes
    anchor: Call
    calls: list[Call]
    made: list[Certificate]

    def keep(self, connection: Connection) -> None:
        store.keep(connection, self.made)


class PropertyService:
    def __init__(self, city: City):
        self._city = city

    # --- titles

    def prepare_titles(self, issuer: str, registrations: Sequence[TitleRegistration]) -> CertificateBatch:
        """Certificates for the titles, the call that anchors them as one batch, and the calls that register them."""
        made = []
        for index, registration in enumerate(registrations):
            context = self._context(issuer, registration.unit)
            try:
                made.append(certificates.build(registration.fields, context))
            except CertificateError as error:
                raise InvalidInput(error.rule, field=f"items.{index}.{error.field}") from error
        root, placed = certificates.issue_batch(made)
        calls = [
            self._city.titles.register_title(registration.unit, registration.owner, made_one.document_root)
            for registration, made_one in zip(registrations, placed, strict=True)
        ]
        return CertificateBatch(root, self._city.documents.anchor(root, len(placed)), calls, list(placed))

    async def prepare_reissue(self, issuer: str, unit: str, fields: dict[str, str], basis: bytes) -> CertificateBatch:
        """The anchor and the reissue of one title's new certificate, and the word that the old one was superseded."""
        row = await self._city.database.read(repository.find_title, unit)
        if row is None:
            raise NotFound(f"No title is registered for {unit}.")
        try:
            made = certificates.build(fields, self._context(issuer, unit))
        except CertificateError as error:
            raise InvalidInput(error.rule, field=error.field) from error
        root, old = made.batch.root, bytes.fromhex(row["certificate_root"][2:])
        calls = [
            self._city.titles.reissue(unit, made.document_root, basis),
            self._city.documents.supersede(old, made.document_root),
        ]
        return CertificateBatch(root, self._city.documents.anchor(root, 1), calls, [made])

    async def title(self, unit: str) -> TitleResource:
        row = await self._city.database.read(repository.find_title, unit)
        if row is None:
            raise NotFound(f"No title is registered for {unit}.")
        return await self._title(row)

    async def titles(self, owner: str | None, cursor: str | None, limit: int) -> TitleList:
        after = decode_cursor(cursor, 1)
        rows = await self._city.database.read(repository.list_titles, owner, after[0] if after else None, limit)
        following = encode_cursor(rows[-1]["unit"]) if len(rows) == limit else None
        return TitleList(items=[await self._title(row) for row in rows], next=following)

    async def certificate(self, account: str, unit: str) -> bytes:
        """The current certificate's file, for the office that issued it and nobody else.

        The file has every field with its salt, the owner's name among them. The office hands it to the owner, who shows it, whole or with
        fields hidden, to whom the owner likes.
        """
        row = await self._city.database.read(repository.find_title, unit)
        issuer = None if row is None else await self._city.database.read(store.issuer_of, row["certificate_root"])
        if issuer not in (None, account):
            raise Forbidden(
                f"The certificate of {unit} holds personal data: only {issuer}, which issued it, gets the file."
            )
        content = None if row is None else await self._city.database.read(store.find, row["certificate_root"])
        if content is None:
            raise NotFound(f"This service keeps no certificate for {unit}.")
        return bytes(content)

    # --- import

    async def import_titles(self, act: Action, content: bytes, *, dry_run: bool, refuse: bool) -> ImportResource:
        """Judge every row; unless it is a dry run, anchor and register the good ones in one database transaction."""
        earlier = None if dry_run else await act.earlier()
        if earlier is not None:
            return await self._imported(content, earlier)
        judged = [await self._known(row) for row in read_titles(content)]
        good = [row for row in judged if row.refused is None]
        bad = len(judged) - len(good)
        if dry_run or not good or (bad and refuse):
            outcome = "would_be_accepted" if dry_run else "refused"
            whole_file = ("file", "another row was refused, and the caller wants all or nothing")
            if not dry_run:
                judged = [row if row.refused else replace(row, refused=whole_file) for row in judged]
            accepted = len(good) if dry_run else 0
            return ImportResource(
                accepted=accepted,
                refused=len(judged) - accepted,
                dry_run=dry_run,
                batch_root=None,
                anchor_transaction=None,
                rows=[_import_row(row, outcome) for row in judged],
            )
        registrations = [TitleRegistration(unit=r.unit, owner=r.owner, fields=r.fields) for r in good]
        batch = self.prepare_titles(act.account, registrations)
        ids = await act.accept([batch.anchor, *batch.calls], also=batch.keep)
        by_line = {row.line: identifier for row, identifier in zip(good, ids[1:], strict=True)}
        return ImportResource(
            accepted=len(good),
            refused=bad,
            dry_run=False,
            batch_root="0x" + batch.root.hex(),
            anchor_transaction=ids[0],
            rows=[_import_row(row, "accepted", by_line.get(row.line)) for row in judged],
        )

    async def _imported(self, content: bytes, ids: list[str]) -> ImportResource:
        """What the first sending of the same file was answered. Its titles are registered by now, so its rows cannot be judged anew."""
        anchor, *registered = [await self._city.submissions.get(identifier) for identifier in ids]
        by_unit = {bytes.fromhex(entry.args["unit"][2:]).decode("ascii"): entry.id for entry in registered}
        rows, left = [], dict(by_unit)
        for row in read_titles(content):
            known = replace(row, refused=row.refused or ("unit", "is registered already"))
            found = left.pop(row.unit, None) if row.refused is None else None
            rows.append(_import_row(known if found is None else row, "accepted", found))
        return ImportResource(
            accepted=len(by_unit),
            refused=len(rows) - len(by_unit),
            dry_run=False,
            batch_root=anchor.args["root"],
            anchor_transaction=anchor.id,
            rows=rows,
        )

    async def _known(self, row: TitleRow) -> TitleRow:
        """What only the tables know: the unit is registered already."""
        if row.refused is None and await self._city.database.read(repository.find_title, row.unit) is not None:
            return replace(row, refused=("unit", "is registered already"))
        return row

    # --- mortgages

    async def mortgage(self, case_id: int) -> MortgageResource:
        row = await self._city.database.read(repository.find_mortgage, case_id)
        if row is None:
            raise NotFound(f"There is no mortgage case {case_id}.")
        return self._mortgage(row)

    async def mortgages(self, state: str | None, party: str | None, cursor: str | None, limit: int) -> MortgageList:
        after = decode_number(cursor)
        rows = await self._city.database.read(repository.list_mortgages, state, party, after, limit)
        following = encode_cursor(rows[-1]["case_id"]) if len(rows) == limit else None
        return MortgageList(items=[self._mortgage(row) for row in rows], next=following)

    # --- internals

    def _context(self, issuer: str, unit: str) -> Context:
        return Context(
            chain_id=self._city.deployment.chain_id,
            registry=self._city.documents.address,
            title_registry=self._city.titles.address,
            subject=unit,
            issuer=issuer,
        )

    async def _title(self, row: Row) -> TitleResource:
        found = await self._city.database.read(repository.liens_of, row["unit"]) if row["liens"] else []
        active = [LienResource.model_validate(dict(lien)) for lien in found if lien["released_at"] is None]
        return TitleResource(
            unit=row["unit"],
            owner=row["owner"],
            status=row["status"],
            version=row["version"],
            registered_at=row["registered_at"],
            certificate_root=row["certificate_root"],
            encumbered=bool(active),
            liens=active,
            finality=self._city.finality(row),
        )

    def _mortgage(self, row: Row) -> MortgageResource:
        fields: dict[str, Any] = {name: row[name] for name in row if name != "changed_block"}
        registered = row["registered_at"]
        return MortgageResource(
            **fields,
            expired=row["state"] in OPEN_STATES and row["valid_until"] < self._city.indexer.head.time,
            application_to_registration_seconds=registered - row["applied_at"] if registered else None,
            finality=self._city.finality(row),
        )


def _import_row(row: TitleRow, outcome: str, identifier: str | None = None) -> ImportRow:
    if row.refused is not None:
        return ImportRow(row=row.line, unit=row.unit, outcome="refused", field=row.refused[0], reason=row.refused[1])
    return ImportRow(row=row.line, unit=row.unit, outcome=outcome, transaction=identifier)
