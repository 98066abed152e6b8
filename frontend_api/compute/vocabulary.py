"""The words of the data contracts: what both the service and the holder's node call a state or a reason."""

from __future__ import annotations

from enum import IntEnum


class JobState(IntEnum):
    """As in IComputeDesk.State."""

    NONE = 0
    SUBMITTED = 1
    ACCEPTED = 2
    COMPLETED = 3
    FAILED = 4
    TIMED_OUT = 5


class GrantState(IntEnum):
    """As in IAccessGrants.State."""

    NONE = 0
    REQUESTED = 1
    APPROVED = 2
    DENIED = 3
    LAPSED = 4
    REVOKED = 5
    EXPIRED = 6


class Reason(IntEnum):
    """As in IComputeDesk.Reason: all that anyone outside learns of a failure."""

    NONE = 0
    GRANT_INACTIVE = 1
    MODEL_NOT_APPROVED = 2
    MODEL_UNAVAILABLE = 3
    MODEL_HASH_MISMATCH = 4
    DATASET_VERSION_MISMATCH = 5
    MODEL_INVALID = 6
    EXECUTION_FAILED = 7
    RESOURCE_LIMIT = 8
    OUTPUT_REFUSED = 9
    INTERRUPTED = 10
    RESULT_KEY_INVALID = 11
