"""/datasets, /models, /offers, /grants and /jobs."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from ...auth import Caller, Writer
from ...compute.vocabulary import Reason
from ...errors import InvalidInput
from ...kit.bulk import Bulk, parse_items
from ...kit.ids import Address, CaseId
from ...kit.pagination import Cursor, Limit
from ...submission import Act, BulkResource, TransactionResource
from . import repository
from .contract import Classification, ModelKind
from .schemas import (
    ApprovalResource,
    Completion,
    DatasetList,
    DatasetRegistration,
    DatasetResource,
    DatasetVersion,
    Failure,
    GrantList,
    GrantRequest,
    GrantResource,
    JobList,
    JobResource,
    JobSubmission,
    ModelList,
    ModelResource,
    Offering,
    OfferList,
    OfferResource,
    ResultResource,
    VersionResource,
)
from .service import DataService

router = APIRouter()


def _service(request: Request) -> DataService:
    found: DataService = request.app.state.city.data
    return found


Service = Annotated[DataService, Depends(_service)]

_MODEL_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "the model file, `chaincity-model-v1`",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}
_RESULT_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "the encrypted result",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


# --- datasets


@router.post("/datasets", status_code=202, tags=["datasets"], operation_id="registerDatasets")
async def register_datasets(body: DatasetRegistration | Bulk, act: Act) -> TransactionResource | BulkResource:
    """Register one dataset as its holder, or up to 1,000. On chain go a salted commitment to the records, an unsalted
    hash of the columns and a coarse size."""
    registry = act.city.datasets

    def call(item: DatasetRegistration) -> Any:
        return registry.register(
            item.schema_root,
            item.content_commitment,
            item.row_count_bucket,
            Classification[item.classification.upper()],
            item.lineage_id or 0,
            item.licence,
        )

    if isinstance(body, DatasetRegistration):
        return await act.send(call(body))
    parsed = parse_items(DatasetRegistration, body)
    return await act.send_many([item if isinstance(item, InvalidInput) else call(item) for item in parsed])


@router.get("/datasets", tags=["datasets"], operation_id="listDatasets")
async def list_datasets(
    service: Service, _: Caller, holder: Address | None = None, cursor: Cursor = None, limit: Limit = 100
) -> DatasetList:
    """Datasets by number."""
    return await service.datasets(holder, cursor, limit)


@router.get("/datasets/{dataset_id}", tags=["datasets"], operation_id="getDataset")
async def get_dataset(dataset_id: CaseId, service: Service, _: Caller) -> DatasetResource:
    """A dataset with its newest version's commitments."""
    return await service.dataset(dataset_id)


@router.post(
    "/datasets/{dataset_id}/versions", status_code=202, tags=["datasets"], operation_id="registerDatasetVersion"
)
async def register_version(dataset_id: CaseId, body: DatasetVersion, act: Act) -> TransactionResource:
    """Register a newer version of one's own dataset; grants go on."""
    return await act.send(
        act.city.datasets.register_version(dataset_id, body.schema_root, body.content_commitment, body.row_count_bucket)
    )


@router.get("/datasets/{dataset_id}/versions/{version}", tags=["datasets"], operation_id="getDatasetVersion")
async def get_version(dataset_id: CaseId, version: CaseId, service: Service, _: Caller) -> VersionResource:
    """What a version consists of; every version stays readable."""
    return await service.version(dataset_id, version)


# --- models


@router.post("/models", status_code=202, tags=["models"], operation_id="publishModel", openapi_extra=_MODEL_BODY)
async def publish_model(request: Request, act: Act, service: Service) -> TransactionResource:
    """Publish a model: the body is its file. The service keeps the file in its canonical form; the chain gets its hash."""
    model = service.parse_model(await request.body())
    call = act.city.models.publish(ModelKind[model.kind.upper()], model.content_hash, model.output_schema_hash)
    content_hash, content = "0x" + model.content_hash.hex(), model.canonical_bytes
    return await act.send(call, also=lambda connection: repository.keep_model(connection, content_hash, content))


@router.get("/models", tags=["models"], operation_id="listModels")
async def list_models(
    service: Service, _: Caller, publisher: Address | None = None, cursor: Cursor = None, limit: Limit = 100
) -> ModelList:
    """Models by number."""
    return await service.models(publisher, cursor, limit)


@router.get("/models/{model_id}", tags=["models"], operation_id="getModel")
async def get_model(model_id: CaseId, service: Service, _: Caller) -> ModelResource:
    """A model as the chain has it."""
    return await service.model(model_id)


@router.get("/models/{model_id}/file", tags=["models"], operation_id="getModelFile")
async def get_model_file(model_id: CaseId, service: Service, _: Caller) -> Response:
    """The model's file in its canonical form: keccak-256 of these bytes is its content hash."""
    return Response(await service.model_file(model_id), media_type="application/json")


@router.get("/datasets/{dataset_id}/models/{model_id}", tags=["models"], operation_id="getModelApproval")
async def get_approval(dataset_id: CaseId, model_id: CaseId, service: Service, _: Caller) -> ApprovalResource:
    """Whether a dataset's holder lets a model run on it."""
    return await service.approval(dataset_id, model_id)


@router.post(
    "/datasets/{dataset_id}/models/{model_id}/approve", status_code=202, tags=["models"], operation_id="approveModel"
)
async def approve_model(dataset_id: CaseId, model_id: CaseId, act: Act) -> TransactionResource:
    """Let a model run on one's own dataset."""
    return await act.send(act.city.models.approve(dataset_id, model_id))


@router.post(
    "/datasets/{dataset_id}/models/{model_id}/withdraw", status_code=202, tags=["models"], operation_id="withdrawModel"
)
async def withdraw_model(dataset_id: CaseId, model_id: CaseId, act: Act) -> TransactionResource:
    """Stop a model from running on one's own dataset, jobs already accepted included."""
    return await act.send(act.city.models.withdraw(dataset_id, model_id))


# --- offers


@router.post("/offers", status_code=202, tags=["grants"], operation_id="makeOffer")
async def make_offer(body: Offering, act: Act) -> TransactionResource:
    """Offer the use of one's own dataset for one purpose; the terms never change."""
    return await act.send(
        act.city.grants.offer(body.dataset_id, body.purpose, body.currency, body.price, body.period, body.max_uses)
    )


@router.get("/offers", tags=["grants"], operation_id="listOffers")
async def list_offers(
    service: Service,
    _: Caller,
    dataset_id: Annotated[int | None, Query(alias="datasetId", ge=1, le=2**53 - 1)] = None,
    state: Annotated[str | None, Query(pattern="^(open|withdrawn)$")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> OfferList:
    """Offers by number."""
    return await service.offers(dataset_id, state, cursor, limit)


@router.get("/offers/{offer_id}", tags=["grants"], operation_id="getOffer")
async def get_offer(offer_id: CaseId, service: Service, _: Caller) -> OfferResource:
    """An offer's terms."""
    return await service.offer(offer_id)


@router.post("/offers/{offer_id}/withdraw", status_code=202, tags=["grants"], operation_id="withdrawOffer")
async def withdraw_offer(offer_id: CaseId, act: Act) -> TransactionResource:
    """Take an offer back; requests and grants under it go on."""
    return await act.send(act.city.grants.withdraw_offer(offer_id))


# --- grants


@router.post("/grants", status_code=202, tags=["grants"], operation_id="requestGrant")
async def request_grant(body: GrantRequest, act: Act) -> TransactionResource:
    """Ask for uses under an offer. Price × uses goes into the Escrow, which the caller lets take it beforehand (`POST
    /currencies/CNY/approvals` with the spender `Escrow`)."""
    return await act.send(act.city.grants.request(body.offer_id, body.uses))


@router.get("/grants", tags=["grants"], operation_id="listGrants")
async def list_grants(
    service: Service,
    _: Caller,
    state: Annotated[
        str | None, Query(pattern="^(requested|approved|denied|lapsed|revoked|expired)$", description="as stored")
    ] = None,
    party: Address | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> GrantList:
    """Grants by number; `party` is the holder or the grantee."""
    return await service.grants(state, party, cursor, limit)


@router.get("/grants/{grant_id}", tags=["grants"], operation_id="getGrant")
async def get_grant(grant_id: CaseId, service: Service, _: Caller) -> GrantResource:
    """A grant with its uses and its money."""
    return await service.grant(grant_id)


@router.post("/grants/{grant_id}/approve", status_code=202, tags=["grants"], operation_id="approveGrant")
async def approve_grant(grant_id: CaseId, act: Act) -> TransactionResource:
    """Grant what was asked for, as the holder."""
    return await act.send(act.city.grants.approve(grant_id))


@router.post("/grants/{grant_id}/deny", status_code=202, tags=["grants"], operation_id="denyGrant")
async def deny_grant(grant_id: CaseId, act: Act) -> TransactionResource:
    """Refuse what was asked for, as the holder; the money goes back."""
    return await act.send(act.city.grants.deny(grant_id))


@router.post("/grants/{grant_id}/lapse", status_code=202, tags=["grants"], operation_id="lapseGrant")
async def lapse_grant(grant_id: CaseId, act: Act) -> TransactionResource:
    """Refund a request that nobody answered in time. Anyone may."""
    return await act.send(act.city.grants.lapse(grant_id))


@router.post("/grants/{grant_id}/revoke", status_code=202, tags=["grants"], operation_id="revokeGrant")
async def revoke_grant(grant_id: CaseId, act: Act) -> TransactionResource:
    """End a grant at once, as the holder; the money of the uses not taken goes back, open uses can only be refunded."""
    return await act.send(act.city.grants.revoke(grant_id))


@router.post("/grants/{grant_id}/expire", status_code=202, tags=["grants"], operation_id="expireGrant")
async def expire_grant(grant_id: CaseId, act: Act) -> TransactionResource:
    """Refund the uses not taken of a grant whose time is over. Anyone may."""
    return await act.send(act.city.grants.expire(grant_id))


# --- jobs


@router.post("/jobs", status_code=202, tags=["jobs"], operation_id="submitJob")
async def submit_job(body: JobSubmission, act: Act) -> TransactionResource:
    """Have a model run under one's own grant; this takes one use, and the result will be encrypted to `resultKey`."""
    return await act.send(act.city.compute.submit(body.grant_id, body.model_id, body.result_key))


@router.get("/jobs", tags=["jobs"], operation_id="listJobs")
async def list_jobs(
    service: Service,
    _: Caller,
    state: Annotated[
        str | None,
        Query(pattern="^(open|submitted|accepted|completed|failed|timed_out)$", description="`open`: not ended"),
    ] = None,
    holder: Address | None = None,
    grantee: Address | None = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> JobList:
    """Jobs by number."""
    return await service.jobs(state, holder, grantee, cursor, limit)


@router.get("/jobs/{job_id}", tags=["jobs"], operation_id="getJob")
async def get_job(job_id: CaseId, service: Service, _: Caller) -> JobResource:
    """A job from submission to its end."""
    return await service.job(job_id)


@router.post("/jobs/{job_id}/accept", status_code=202, tags=["jobs"], operation_id="acceptJob")
async def accept_job(job_id: CaseId, act: Act) -> TransactionResource:
    """Take a job on, as the holder's node."""
    return await act.send(act.city.compute.accept(job_id))


@router.post("/jobs/{job_id}/complete", status_code=202, tags=["jobs"], operation_id="completeJob")
async def complete_job(job_id: CaseId, body: Completion, act: Act) -> TransactionResource:
    """Say what was delivered, as the holder's node; the use is paid."""
    return await act.send(
        act.city.compute.complete(job_id, body.ciphertext_hash, body.dataset_version, body.model_hash, body.epsilon)
    )


@router.post("/jobs/{job_id}/fail", status_code=202, tags=["jobs"], operation_id="failJob")
async def fail_job(job_id: CaseId, body: Failure, act: Act) -> TransactionResource:
    """Say why nothing is delivered, as the holder's node; the use is refunded."""
    return await act.send(act.city.compute.fail(job_id, Reason[body.reason.upper()]))


@router.post("/jobs/{job_id}/timeout", status_code=202, tags=["jobs"], operation_id="timeOutJob")
async def time_out_job(job_id: CaseId, act: Act) -> TransactionResource:
    """Refund a job whose deadline passed. Anyone may."""
    return await act.send(act.city.compute.time_out(job_id))


@router.put("/jobs/{job_id}/result", tags=["jobs"], operation_id="deliverResult", openapi_extra=_RESULT_BODY)
async def deliver_result(job_id: CaseId, request: Request, service: Service, caller: Writer) -> ResultResource:
    """Deliver the encrypted result, as the holder's node. It stays off chain; the same again changes nothing."""
    return await service.keep_result(caller.account, job_id, await request.body())


@router.get("/jobs/{job_id}/result", tags=["jobs"], operation_id="getResult")
async def get_result(job_id: CaseId, service: Service, caller: Caller) -> Response:
    """The encrypted result, for the requester, once its completion is final. Its keccak-256 is the job's `ciphertextHash`."""
    return Response(await service.result(caller.account, job_id), media_type="application/octet-stream")
