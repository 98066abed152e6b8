"""Refusals of the data contracts."""

from __future__ import annotations

from .sentence import Sentence as S

_OFFER = ("not there", "open", "withdrawn")
_GRANT = ("not there", "requested", "approved", "denied", "lapsed", "revoked", "expired")
_JOB = ("not there", "submitted", "accepted", "completed", "failed", "timed out")

DATA = {
    "DatasetRegistry_EmptyCommitment": S(422, "Schema root, content commitment and licence hash must not be zero."),
    "DatasetRegistry_NoClassification": S(422, "A dataset is classified when it is registered."),
    "DatasetRegistry_NotTheHolder": S(403, "{actor} does not hold dataset {datasetId}, {holder} does."),
    "DatasetRegistry_RowCountBucketOutOfRange": S(
        422, "{rowCountBucket} is no row-count bucket: it is the number of digits of the row count, 1 to {largest}."
    ),
    "DatasetRegistry_SameContent": S(409, "This is the current content of dataset {datasetId} already."),
    "DatasetRegistry_TooManyVersions": S(409, "Dataset {datasetId} has {limit} versions, the most there can be."),
    "DatasetRegistry_UnknownDataset": S(404, "There is no dataset {datasetId}."),
    "ModelRegistry_AlreadyApproved": S(409, "Model {modelId} is approved for dataset {datasetId} already."),
    "ModelRegistry_AlreadyPublished": S(409, "This model was published before, as number {modelId}."),
    "ModelRegistry_EmptyHash": S(422, "Content hash and output schema must not be zero."),
    "ModelRegistry_NoKind": S(422, "A model has a kind."),
    "ModelRegistry_NotApproved": S(409, "The holder of dataset {datasetId} does not approve model {modelId}."),
    "ModelRegistry_UnknownModel": S(404, "There is no model {modelId}."),
    "AccessGrants_EmptyPurpose": S(422, "An offer names the purpose it is for."),
    "AccessGrants_NoOpenUse": S(409, "Grant {grantId} has no use that waits to be settled."),
    "AccessGrants_NoUseLeft": S(409, "Every use of grant {grantId} is taken."),
    "AccessGrants_NoUses": S(422, "The number of uses is at least one."),
    "AccessGrants_NotTheGrantee": S(403, "Grant {grantId} is not {actor}'s but {grantee}'s."),
    "AccessGrants_NotTheHolder": S(403, "{actor} does not hold the dataset of {id}, {holder} does."),
    "AccessGrants_OfferNotOpen": S(409, "Offer {offerId} is {state}.", {"state": _OFFER}),
    "AccessGrants_OwnOffer": S(422, "{holder} made offer {offerId} itself."),
    "AccessGrants_PeriodOutOfRange": S(422, "A grant is good for 1 to {longest} seconds, not {period}."),
    "AccessGrants_PriceTooHigh": S(422, "A use costs at most {highest} minor units, not {price}."),
    "AccessGrants_Revoked": S(409, "Grant {grantId} was revoked; its open uses can only be refunded."),
    "AccessGrants_TooEarly": S(409, "Grant {grantId} runs until {until}; it is {chainTime} on the chain."),
    "AccessGrants_TooLate": S(409, "The time of grant {grantId} was over at {until}; it is {chainTime} on the chain."),
    "AccessGrants_TooManyOpenUses": S(409, "Grant {grantId} has {limit} open uses, the most at one time."),
    "AccessGrants_TooManyUses": S(422, "Offer {offerId} allows {maxUses} uses a grant, not {uses}."),
    "AccessGrants_WrongState": S(
        409, "Grant {grantId} is {state}; for this it must be {required}.", {"state": _GRANT, "required": _GRANT}
    ),
    "ComputeDesk_EmptyHash": S(422, "Job {jobId} is completed with the hash of its encrypted result, not zero."),
    "ComputeDesk_EmptyResultKey": S(422, "A job names the X25519 key to which its result is encrypted."),
    "ComputeDesk_GrantNotInForce": S(
        409, "Grant {grantId} of job {jobId} is not in force: it is {state}, until {until}.", {"state": _GRANT}
    ),
    "ComputeDesk_NoReason": S(422, "Job {jobId} cannot fail without a reason."),
    "ComputeDesk_NotTheHolder": S(403, "{actor} does not hold the dataset of job {jobId}, {holder} does."),
    "ComputeDesk_TooEarly": S(409, "Job {jobId} may be answered until {deadline}; it is {chainTime} on the chain."),
    "ComputeDesk_TooLate": S(409, "The deadline of job {jobId} was {deadline}; it is {chainTime} on the chain."),
    "ComputeDesk_UnknownDatasetVersion": S(
        422, "Job {jobId} cannot have run on version {datasetVersion}; the newest is {newest}."
    ),
    "ComputeDesk_UnknownModel": S(404, "There is no model {modelId}."),
    "ComputeDesk_WrongModelHash": S(422, "Job {jobId} was to run the model {registered}, not {modelHash}."),
    "ComputeDesk_WrongState": S(409, "Job {jobId} is {state}.", {"state": _JOB}),
}
