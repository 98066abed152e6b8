"""Rules of the data routes: models with their files, grants with their money, results and who may have them. No JSON-RPC here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...chain.projection import CHANGED
from ...compute import models as model_files
from ...compute.models import Model, ModelError
from ...compute.sealed import ciphertext_hash
from ...db import Row
from ...errors import Conflict, Forbidden, InvalidInput, NotFound, TooLarge
from ...kit.pagination import decode_cursor, encode_cursor
from . import repository
from .schemas import (
    ApprovalResource,
    DatasetList,
    DatasetResource,
    GrantList,
    GrantResource,
    JobList,
    JobResource,
    ModelList,
    ModelResource,
    OfferList,
    OfferResource,
    ResultResource,
    VersionResource,
)

if TYPE_CHECKING:
    from ...city import City

#: Far more than a node seals: its results are aggregates.
LARGEST_RESULT = 1024 * 1024
OPEN_JOBS = ("submitted", "accepted")


class DataService:
    def __init__(self, city: City):
        self._city = city

    # --- datasets

    async def dataset(self, dataset_id: int) -> DatasetResource:
        row = await self._city.database.read(repository.find_dataset, dataset_id)
        if row is None:
            raise NotFound(f"There is no dataset {dataset_id}.")
        return self._dataset(row)

    async def datasets(self, holder: str | None, cursor: str | None, limit: int) -> DatasetList:
        rows = await self._city.database.read(repository.list_datasets, holder, _after(cursor), limit)
        return DatasetList(items=[self._dataset(row) for row in rows], next=_next(rows, "dataset_id", limit))

    async def version(self, dataset_id: int, version: int) -> VersionResource:
        row = await self._city.database.read(repository.find_version, dataset_id, version)
        if row is None:
            raise NotFound(f"There is no version {version} of dataset {dataset_id}.")
        return VersionResource(**_fields(row), finality=self._city.finality(row))

    # --- models

    def parse_model(self, raw: bytes) -> Model:
        """The model in a request's body."""
        try:
            return model_files.parse_model(raw)
        except ModelError as error:
            field, _, rule = str(error).partition(": ")
            if not field.isidentifier():
                field, rule = "body", str(error)
            raise InvalidInput(rule, field=field) from error

    async def model(self, model_id: int) -> ModelResource:
        return self._model(await self._model_row(model_id))

    async def models(self, publisher: str | None, cursor: str | None, limit: int) -> ModelList:
        rows = await self._city.database.read(repository.list_models, publisher, _after(cursor), limit)
        return ModelList(items=[self._model(row) for row in rows], next=_next(rows, "model_id", limit))

    async def model_file(self, model_id: int) -> bytes:
        """The canonical bytes, whose hash is on the chain."""
        row = await self._model_row(model_id)
        content = await self._city.database.read(repository.find_model_file, row["content_hash"])
        if content is None:
            raise NotFound(f"This service keeps no file for model {model_id}.")
        return bytes(content)

    async def approval(self, dataset_id: int, model_id: int) -> ApprovalResource:
        await self.dataset(dataset_id)
        model = await self._model_row(model_id)
        row = await self._city.database.read(repository.find_approval, dataset_id, model_id)
        return ApprovalResource(
            dataset_id=dataset_id,
            model_id=model_id,
            approved=row is not None and row["approved"],
            content_hash=model["content_hash"],
            finality=self._city.finality(row or model),
        )

    # --- offers and grants

    async def offer(self, offer_id: int) -> OfferResource:
        row = await self._city.database.read(repository.find_offer, offer_id)
        if row is None:
            raise NotFound(f"There is no offer {offer_id}.")
        return self._offer(row)

    async def offers(self, dataset_id: int | None, state: str | None, cursor: str | None, limit: int) -> OfferList:
        rows = await self._city.database.read(repository.list_offers, dataset_id, state, _after(cursor), limit)
        return OfferList(items=[self._offer(row) for row in rows], next=_next(rows, "offer_id", limit))

    async def grant(self, grant_id: int) -> GrantResource:
        row = await self._city.database.read(repository.find_grant, grant_id)
        if row is None:
            raise NotFound(f"There is no grant {grant_id}.")
        return self._grant(row)

    async def grants(self, state: str | None, party: str | None, cursor: str | None, limit: int) -> GrantList:
        rows = await self._city.database.read(repository.list_grants, state, party, _after(cursor), limit)
        return GrantList(items=[self._grant(row) for row in rows], next=_next(rows, "grant_id", limit))

    # --- jobs and results

    async def job(self, job_id: int) -> JobResource:
        return self._job(await self._job_row(job_id))

    async def jobs(
        self, state: str | None, holder: str | None, grantee: str | None, cursor: str | None, limit: int
    ) -> JobList:
        """`open` asks for submitted and accepted ones."""
        states = OPEN_JOBS if state == "open" else (state,) if state else ()
        rows = await self._city.database.read(repository.list_jobs, states, holder, grantee, _after(cursor), limit)
        return JobList(items=[self._job(row) for row in rows], next=_next(rows, "job_id", limit))

    async def keep_result(self, account: str, job_id: int, ciphertext: bytes) -> ResultResource:
        """Keep what the holder delivers. Until the job is completed another delivery takes its place; afterwards only the very bytes whose
        hash is on the chain are taken."""
        if not ciphertext:
            raise InvalidInput("an encrypted result is not empty", field="body")
        if len(ciphertext) > LARGEST_RESULT:
            raise TooLarge(f"An encrypted result has at most {LARGEST_RESULT} bytes.")
        job = await self._job_row(job_id)
        if account != job["holder"]:
            raise Forbidden(f"The result of job {job_id} comes from {job['holder']}.")
        hashed = "0x" + ciphertext_hash(ciphertext).hex()
        if job["state"] not in ("accepted", "completed"):
            raise Conflict(f"Job {job_id} is {job['state'].replace('_', ' ')}; for a result it must be accepted.")
        if job["state"] == "completed" and hashed != job["ciphertext_hash"]:
            raise Conflict(f"Job {job_id} was completed with {job['ciphertext_hash']}; this is {hashed}.")
        await self._city.database.write(repository.keep_result, job_id, hashed, ciphertext)
        return ResultResource(job_id=job_id, ciphertext_hash=hashed, bytes=len(ciphertext))

    async def result(self, account: str, job_id: int) -> bytes:
        """The ciphertext, for the requester, once the completion that pays for it can no longer be undone."""
        job = await self._job_row(job_id)
        if account != job["grantee"]:
            raise Forbidden(f"The result of job {job_id} is for {job['grantee']}.")
        if job["state"] != "completed":
            raise Conflict(f"Job {job_id} is {job['state'].replace('_', ' ')}; for a result it must be completed.")
        if self._city.finality(job) != "final":
            raise Conflict(f"The completion of job {job_id} is not final yet; ask again in a few blocks.")
        found = await self._city.database.read(repository.find_result, job_id)
        if found is None or found["ciphertext_hash"] != job["ciphertext_hash"]:
            raise NotFound(f"The holder has not delivered the result of job {job_id} here.")
        return bytes(found["ciphertext"])

    # --- internals

    async def _model_row(self, model_id: int) -> Row:
        row = await self._city.database.read(repository.find_model, model_id)
        if row is None:
            raise NotFound(f"There is no model {model_id}.")
        return row

    async def _job_row(self, job_id: int) -> Row:
        row = await self._city.database.read(repository.find_job, job_id)
        if row is None:
            raise NotFound(f"There is no job {job_id}.")
        return row

    def _dataset(self, row: Row) -> DatasetResource:
        return DatasetResource(**_fields(row), finality=self._city.finality(row))

    def _model(self, row: Row) -> ModelResource:
        return ModelResource(**_fields(row), finality=self._city.finality(row))

    def _offer(self, row: Row) -> OfferResource:
        return OfferResource(**_fields(row), finality=self._city.finality(row))

    def _grant(self, row: Row) -> GrantResource:
        head = self._city.indexer.head
        approved = row["state"] == "approved"
        over = row["until"] < head.time
        # Invariant G1 of AccessGrants: a closed grant has no uses left.
        held = int(row["price"]) * (row["uses_left"] + row["open_uses"])
        return GrantResource(
            **_fields(row, "state_block"),
            expired=row["state"] in ("requested", "approved") and over,
            usable=approved and not over and row["uses_left"] > 0 and row["open_uses"] < 255,
            held=str(held),
            state_finality="final" if row["state_block"] <= head.final else "mined",
            finality=self._city.finality(row),
        )

    def _job(self, row: Row) -> JobResource:
        overdue = row["state"] in OPEN_JOBS and row["deadline"] < self._city.indexer.head.time
        return JobResource(**_fields(row), overdue=overdue, finality=self._city.finality(row))


def _fields(row: Row, *without: str) -> dict[str, object]:
    return {name: row[name] for name in row if name not in (CHANGED, *without)}


def _after(cursor: str | None) -> int | None:
    """The number after which a page starts."""
    found = decode_cursor(cursor, 1)
    if found is None:
        return None
    if not found[0].isdecimal():
        raise InvalidInput("This cursor belongs to another list.", field="cursor")
    return int(found[0])


def _next(rows: list[Row], key: str, limit: int) -> str | None:
    return encode_cursor(rows[-1][key]) if len(rows) == limit else None
