"""Domain errors. Each carries its HTTP status and is rendered as RFC 9457 problem+json by one handler in app.py."""

from __future__ import annotations

from typing import Any


class ServiceError(Exception):
    """A refusal that the caller can understand and act on."""

    status = 500
    code = "internal"
    title = "Internal error"

    def __init__(self, detail: str, **extra: Any):
        super().__init__(detail)
        self.detail = detail
        self.extra = extra

    def problem(self) -> dict[str, Any]:
        return {
            "type": f"urn:chaincity:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.extra,
        }


class InvalidInput(ServiceError):
    """A field breaks a rule. `errors` lists each as {field, rule}."""

    status, code, title = 422, "invalid-input", "The request is not valid"

    def __init__(self, detail: str, *, field: str | None = None, **extra: Any):
        if field is not None:
            extra["errors"] = [{"field": field, "rule": detail}]
        super().__init__(detail, **extra)


class Unauthenticated(ServiceError):
    status, code, title = 401, "unauthenticated", "An API key is needed"


class Forbidden(ServiceError):
    status, code, title = 403, "forbidden", "This key may not do that"


class NotFound(ServiceError):
    status, code, title = 404, "not-found", "Not found"


class Conflict(ServiceError):
    status, code, title = 409, "conflict", "The state does not allow that"


class TooLarge(ServiceError):
    status, code, title = 413, "too-large", "The request is too large"


class UnsupportedMedia(ServiceError):
    status, code, title = 415, "unsupported-media-type", "This content type is not taken here"


class Unavailable(ServiceError):
    """The node or the database cannot be reached; nothing was done and the same request may be sent again."""

    status, code, title = 503, "unavailable", "Temporarily unavailable"


class ContractRefused(ServiceError):
    """The contract's own refusal, with the error's name and arguments."""

    status, code, title = 409, "contract-refused", "The contract refused"

    def __init__(self, detail: str, *, status: int, name: str, args: dict[str, Any], tx_hash: str | None = None):
        extra: dict[str, Any] = {"contractError": {"name": name, "args": args}}
        if tx_hash:
            extra["txHash"] = tx_hash
        super().__init__(detail, **extra)
        self.status = status
