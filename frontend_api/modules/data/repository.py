"""Datasets, models, offers, grants and jobs in SQL: how events change the tables, and the queries."""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Connection, Table, and_, delete, insert, select

from ...chain.events import ChainEvent
from ...chain.projection import Handlers, Projection
from ...compute.vocabulary import GrantState, JobState, Reason
from ...db import Row
from .contract import Classification, ModelKind
from .tables import approvals, datasets, grants, jobs, model_files, models, offers, results, versions

handlers = Handlers()


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def label(value: bytes) -> str:
    """A padded ASCII label of the chain. The contract takes any bytes: what is no printable ASCII is shown in hexadecimal."""
    stripped = value.rstrip(b"\0")
    if stripped.isascii() and stripped.decode("ascii").isprintable():
        return stripped.decode("ascii")
    return _hex(value)


def _seen(p: Projection, table: Table, **key: int) -> Row:
    """A row that an earlier event made."""
    found = p.get(table, **key)
    if found is None:
        raise LookupError(f"{table.name} {key}, whose first event was not seen")
    return found


# --- datasets


@handlers.on("DatasetRegistry", "DatasetRegistered")
def _registered(p: Projection, event: ChainEvent) -> None:
    content = {
        "schema_root": _hex(event.args["schemaRoot"]),
        "content_commitment": _hex(event.args["contentCommitment"]),
        "row_count_bucket": event.args["rowCountBucket"],
        "registered_at": event.block.time,
    }
    p.put(
        datasets,
        {"dataset_id": event.args["datasetId"]},
        holder=event.args["actor"],
        version=1,
        classification=Classification(event.args["classification"]).name.lower(),
        lineage_id=event.args["lineageId"],
        licence=_hex(event.args["licence"]),
        **content,
    )
    p.put(versions, {"dataset_id": event.args["datasetId"], "version": 1}, **content)


@handlers.on("DatasetRegistry", "DatasetVersionRegistered")
def _version_registered(p: Projection, event: ChainEvent) -> None:
    dataset_id, version = event.args["datasetId"], event.args["version"]
    content = {
        "schema_root": _hex(event.args["schemaRoot"]),
        "content_commitment": _hex(event.args["contentCommitment"]),
        "row_count_bucket": event.args["rowCountBucket"],
    }
    p.put(datasets, {"dataset_id": dataset_id}, version=version, **content)
    p.put(versions, {"dataset_id": dataset_id, "version": version}, registered_at=event.block.time, **content)


# --- models


@handlers.on("ModelRegistry", "ModelPublished")
def _published(p: Projection, event: ChainEvent) -> None:
    p.put(
        models,
        {"model_id": event.args["modelId"]},
        kind=ModelKind(event.args["kind"]).name.lower(),
        content_hash=_hex(event.args["contentHash"]),
        output_schema=_hex(event.args["outputSchema"]),
        publisher=event.args["actor"],
        published_at=event.block.time,
    )


@handlers.on("ModelRegistry", "ModelApproved")
def _model_approved(p: Projection, event: ChainEvent) -> None:
    p.put(approvals, {"dataset_id": event.args["datasetId"], "model_id": event.args["modelId"]}, approved=True)


@handlers.on("ModelRegistry", "ModelWithdrawn")
def _model_withdrawn(p: Projection, event: ChainEvent) -> None:
    p.put(approvals, {"dataset_id": event.args["datasetId"], "model_id": event.args["modelId"]}, approved=False)


# --- offers and grants


@handlers.on("AccessGrants", "OfferMade")
def _offered(p: Projection, event: ChainEvent) -> None:
    p.put(
        offers,
        {"offer_id": event.args["offerId"]},
        dataset_id=event.args["datasetId"],
        holder=event.args["actor"],
        purpose=label(event.args["purpose"]),
        currency=event.args["currency"].decode("ascii"),
        price=str(event.args["price"]),
        period=event.args["period"],
        max_uses=event.args["maxUses"],
        state="open",
        offered_at=event.block.time,
    )


@handlers.on("AccessGrants", "OfferWithdrawn")
def _offer_withdrawn(p: Projection, event: ChainEvent) -> None:
    p.put(offers, {"offer_id": event.args["offerId"]}, state="withdrawn")


@handlers.on("AccessGrants", "GrantRequested")
def _requested(p: Projection, event: ChainEvent) -> None:
    offer = _seen(p, offers, offer_id=event.args["offerId"])
    p.put(
        grants,
        {"grant_id": event.args["grantId"]},
        offer_id=offer["offer_id"],
        dataset_id=offer["dataset_id"],
        holder=offer["holder"],
        grantee=event.args["actor"],
        state=GrantState.REQUESTED.name.lower(),
        uses=event.args["uses"],
        uses_left=event.args["uses"],
        open_uses=0,
        paid="0",
        refunded="0",
        until=event.args["answerBy"],
        requested_at=event.block.time,
        state_block=event.block.number,
    )


@handlers.on("AccessGrants", "GrantApproved")
def _grant_approved(p: Projection, event: ChainEvent) -> None:
    p.put(
        grants,
        {"grant_id": event.args["grantId"]},
        state=GrantState.APPROVED.name.lower(),
        until=event.args["validUntil"],
        approved_at=event.block.time,
        state_block=event.block.number,
    )


def _close(p: Projection, event: ChainEvent, state: GrantState) -> None:
    grant = _seen(p, grants, grant_id=event.args["grantId"])
    p.put(
        grants,
        {"grant_id": grant["grant_id"]},
        state=state.name.lower(),
        uses_left=0,
        refunded=str(int(grant["refunded"]) + event.args["refunded"]),
        closed_at=event.block.time,
        state_block=event.block.number,
    )


@handlers.on("AccessGrants", "GrantDenied")
def _denied(p: Projection, event: ChainEvent) -> None:
    _close(p, event, GrantState.DENIED)


@handlers.on("AccessGrants", "GrantLapsed")
def _lapsed(p: Projection, event: ChainEvent) -> None:
    _close(p, event, GrantState.LAPSED)


@handlers.on("AccessGrants", "GrantRevoked")
def _revoked(p: Projection, event: ChainEvent) -> None:
    _close(p, event, GrantState.REVOKED)


@handlers.on("AccessGrants", "GrantExpired")
def _expired(p: Projection, event: ChainEvent) -> None:
    _close(p, event, GrantState.EXPIRED)


@handlers.on("AccessGrants", "GrantUsed")
def _used(p: Projection, event: ChainEvent) -> None:
    grant = _seen(p, grants, grant_id=event.args["grantId"])
    p.put(
        grants,
        {"grant_id": grant["grant_id"]},
        uses_left=event.args["usesLeft"],
        open_uses=grant["open_uses"] + 1,
    )


def _settle(p: Projection, event: ChainEvent, column: str) -> None:
    grant = _seen(p, grants, grant_id=event.args["grantId"])
    changes = {"open_uses": grant["open_uses"] - 1, column: str(int(grant[column]) + event.args["amount"])}
    p.put(grants, {"grant_id": grant["grant_id"]}, **changes)


@handlers.on("AccessGrants", "UsePaid")
def _use_paid(p: Projection, event: ChainEvent) -> None:
    _settle(p, event, "paid")


@handlers.on("AccessGrants", "UseRefunded")
def _use_refunded(p: Projection, event: ChainEvent) -> None:
    _settle(p, event, "refunded")


# --- jobs


@handlers.on("ComputeDesk", "JobSubmitted")
def _submitted(p: Projection, event: ChainEvent) -> None:
    grant = _seen(p, grants, grant_id=event.args["grantId"])
    p.put(
        jobs,
        {"job_id": event.args["jobId"]},
        grant_id=grant["grant_id"],
        dataset_id=grant["dataset_id"],
        holder=grant["holder"],
        grantee=event.args["actor"],
        model_id=event.args["modelId"],
        result_key=_hex(event.args["resultKey"]),
        state=JobState.SUBMITTED.name.lower(),
        deadline=event.args["acceptBy"],
        submitted_at=event.block.time,
    )


@handlers.on("ComputeDesk", "JobAccepted")
def _accepted(p: Projection, event: ChainEvent) -> None:
    p.put(
        jobs,
        {"job_id": event.args["jobId"]},
        state=JobState.ACCEPTED.name.lower(),
        deadline=event.args["completeBy"],
        accepted_at=event.block.time,
    )


@handlers.on("ComputeDesk", "JobCompleted")
def _completed(p: Projection, event: ChainEvent) -> None:
    p.put(
        jobs,
        {"job_id": event.args["jobId"]},
        state=JobState.COMPLETED.name.lower(),
        ciphertext_hash=_hex(event.args["ciphertextHash"]),
        dataset_version=event.args["datasetVersion"],
        model_hash=_hex(event.args["modelHash"]),
        epsilon=str(event.args["epsilon"]),
        ended_at=event.block.time,
    )


@handlers.on("ComputeDesk", "JobFailed")
def _failed(p: Projection, event: ChainEvent) -> None:
    p.put(
        jobs,
        {"job_id": event.args["jobId"]},
        state=JobState.FAILED.name.lower(),
        reason=Reason(event.args["reason"]).name.lower(),
        ended_at=event.block.time,
    )


@handlers.on("ComputeDesk", "JobTimedOut")
def _timed_out(p: Projection, event: ChainEvent) -> None:
    p.put(jobs, {"job_id": event.args["jobId"]}, state=JobState.TIMED_OUT.name.lower(), ended_at=event.block.time)


# --- queries


def _page(
    connection: Connection, table: Table, key: Any, wanted: list[Any], after: int | None, limit: int
) -> list[Row]:
    if after is not None:
        wanted = [*wanted, key > after]
    return list(connection.execute(select(table).where(and_(True, *wanted)).order_by(key).limit(limit)).mappings())


def find_dataset(connection: Connection, dataset_id: int) -> Row | None:
    return connection.execute(select(datasets).where(datasets.c.dataset_id == dataset_id)).mappings().first()


def list_datasets(connection: Connection, holder: str | None, after: int | None, limit: int) -> list[Row]:
    """Ordered by number."""
    wanted = [datasets.c.holder == holder] if holder else []
    return _page(connection, datasets, datasets.c.dataset_id, wanted, after, limit)


def find_version(connection: Connection, dataset_id: int, version: int) -> Row | None:
    wanted = and_(versions.c.dataset_id == dataset_id, versions.c.version == version)
    return connection.execute(select(versions).where(wanted)).mappings().first()


def find_model(connection: Connection, model_id: int) -> Row | None:
    return connection.execute(select(models).where(models.c.model_id == model_id)).mappings().first()


def list_models(connection: Connection, publisher: str | None, after: int | None, limit: int) -> list[Row]:
    """Ordered by number."""
    wanted = [models.c.publisher == publisher] if publisher else []
    return _page(connection, models, models.c.model_id, wanted, after, limit)


def find_approval(connection: Connection, dataset_id: int, model_id: int) -> Row | None:
    wanted = and_(approvals.c.dataset_id == dataset_id, approvals.c.model_id == model_id)
    return connection.execute(select(approvals).where(wanted)).mappings().first()


def find_offer(connection: Connection, offer_id: int) -> Row | None:
    return connection.execute(select(offers).where(offers.c.offer_id == offer_id)).mappings().first()


def list_offers(
    connection: Connection, dataset_id: int | None, state: str | None, after: int | None, limit: int
) -> list[Row]:
    """Ordered by number."""
    wanted = [offers.c.dataset_id == dataset_id] if dataset_id else []
    if state:
        wanted.append(offers.c.state == state)
    return _page(connection, offers, offers.c.offer_id, wanted, after, limit)


_with_terms = select(grants, offers.c.purpose, offers.c.currency, offers.c.price).join(
    offers, offers.c.offer_id == grants.c.offer_id
)


def find_grant(connection: Connection, grant_id: int) -> Row | None:
    """With the terms of its offer."""
    return connection.execute(_with_terms.where(grants.c.grant_id == grant_id)).mappings().first()


def list_grants(
    connection: Connection, state: str | None, party: str | None, after: int | None, limit: int
) -> list[Row]:
    """Ordered by number. `party` is the holder or the grantee."""
    wanted: list[Any] = [grants.c.state == state] if state else []
    if party:
        wanted.append((grants.c.holder == party) | (grants.c.grantee == party))
    if after is not None:
        wanted.append(grants.c.grant_id > after)
    found = _with_terms.where(and_(True, *wanted)).order_by(grants.c.grant_id).limit(limit)
    return list(connection.execute(found).mappings())


def find_job(connection: Connection, job_id: int) -> Row | None:
    return connection.execute(select(jobs).where(jobs.c.job_id == job_id)).mappings().first()


def list_jobs(
    connection: Connection,
    states: tuple[str, ...],
    holder: str | None,
    grantee: str | None,
    after: int | None,
    limit: int,
) -> list[Row]:
    """Ordered by number; no state asks for all."""
    wanted: list[Any] = [jobs.c.state.in_(states)] if states else []
    if holder:
        wanted.append(jobs.c.holder == holder)
    if grantee:
        wanted.append(jobs.c.grantee == grantee)
    return _page(connection, jobs, jobs.c.job_id, wanted, after, limit)


# --- files


def keep_model(connection: Connection, content_hash: str, content: bytes) -> None:
    """The same content again changes nothing."""
    if find_model_file(connection, content_hash) is None:
        connection.execute(
            insert(model_files).values(content_hash=content_hash, content=content, created_at=time.time())
        )


def find_model_file(connection: Connection, content_hash: str) -> bytes | None:
    return connection.execute(select(model_files.c.content).where(model_files.c.content_hash == content_hash)).scalar()


def keep_result(connection: Connection, job_id: int, ciphertext_hash: str, ciphertext: bytes) -> None:
    """Takes the place of what was delivered for the job before."""
    connection.execute(delete(results).where(results.c.job_id == job_id))
    connection.execute(
        insert(results).values(
            job_id=job_id, ciphertext_hash=ciphertext_hash, ciphertext=ciphertext, delivered_at=time.time()
        )
    )


def find_result(connection: Connection, job_id: int) -> Row | None:
    return connection.execute(select(results).where(results.c.job_id == job_id)).mappings().first()
