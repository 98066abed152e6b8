"""create_app(): the HTTP service."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import structlog
from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.params import Form
from fastapi.routing import APIRoute
from fastapi_offline import FastAPIOffline
from sqlalchemy import text
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .chain import outbox
from .chain.rpc import NodeUnreachable
from .city import City
from .config import Settings
from .documents.api import verifications_router
from .documents.endpoints import router as documents_router
from .documents.strict import CertificateError, CertificateTooLarge
from .errors import InvalidInput, ServiceError, TooLarge, UnsupportedMedia
from .kit.bulk import field_errors
from .kit.queries import require_known_query
from .kit.schemas import ProblemBody
from .logs import configure_logs
from .modules.data.endpoints import router as data_router
from .modules.financing.endpoints import router as financing_router
from .modules.members.endpoints import router as members_router
from .modules.money.endpoints import router as money_router
from .modules.property.endpoints import router as property_router
from .modules.receivables.endpoints import router as receivables_router
from .modules.receivables.intake_endpoints import router as intake_router
from .modules.receivables.reminders_endpoints import router as reminders_router
from .modules.receivables.report_endpoints import router as reports_router
from .modules.transactions.endpoints import router as transactions_router
from .modules.warehouse.endpoints import router as warehouse_router
from .web.pages import pages_router

log = structlog.get_logger("http")

DESCRIPTION = """One chain, many city applications. Reads come from tables that follow the chain; writes are durable
transactions: 202 with an id, which goes queued → submitted → mined → final or failed. Send `Idempotency-Key` with every write,
and `Prefer: wait=10` to wait for the block."""


#: What any route may answer instead of what it was asked for.
REFUSALS: dict[int | str, str] = {
    401: "no good API key",
    403: "this caller may not do that",
    404: "there is no such thing",
    409: "the state does not allow it; the contract's error says why",
    422: "a field breaks a rule",
    503: "the node or the database cannot be reached; nothing was done",
}

#: Certificate fields that a page reached by a bare link may show; the others show only to who has the file.
PUBLIC_FIELDS = frozenset({"location", "use", "areaM2", "rightType"})


#: Where FastAPI looked, which says nothing to the caller: the body, and which kind of it.
_PREFIX = re.compile(r"^body\.?((one|bulk)(\.|$))?")


class Problem(Response):
    media_type = "application/problem+json"

    def __init__(self, content: dict[str, Any], headers: dict[str, str] | None = None):
        try:
            body = orjson.dumps(content)
        except orjson.JSONEncodeError:
            # A refusal may quote what the caller sent, also half of a surrogate pair; the standard library escapes it.
            body = json.dumps(content).encode()
        super().__init__(body, status_code=int(content["status"]), headers=headers)


def create_app(settings: Settings | None = None) -> FastAPI:
    """The service for the settings (from the environment when none are given)."""
    settings = settings or Settings()
    configure_logs(settings.log_format)
    city = City(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await city.start()
        log.info("started", chain_id=city.deployment.chain_id, city=city.deployment.city)
        yield
        await city.stop()
        log.info("stopped")

    # Its documentation page loads nothing from elsewhere: a city's network may be closed.
    app = FastAPIOffline(
        title="chaincity",
        version="0.1.0",
        description=DESCRIPTION,
        lifespan=lifespan,
        openapi_url="/openapi.json",
        responses={status: {"model": ProblemBody, "description": words} for status, words in REFUSALS.items()},
        separate_input_output_schemas=False,
        dependencies=[Depends(require_known_query)],
    )
    app.state.city = city
    _add_errors(app)
    app.add_middleware(BodyLimit, limit=settings.max_body_bytes)
    for router in (
        members_router,
        money_router,
        property_router,
        intake_router,
        receivables_router,
        reminders_router,
        reports_router,
        financing_router,
        warehouse_router,
        documents_router,
        transactions_router,
    ):
        app.include_router(router)
    app.include_router(data_router)
    app.include_router(verifications_router(lambda: city.reader))
    app.include_router(
        pages_router(
            lambda: city.reader, city.find_certificate, public_url=settings.public_url, public_fields=PUBLIC_FIELDS
        )
    )
    _add_operations(app, city)
    _describe_problems(app)
    return app


def _add_operations(app: FastAPI, city: City) -> None:
    @app.get("/healthz", tags=["operations"], operation_id="getHealth")
    async def health() -> dict[str, str]:
        """Whether the process is alive."""
        return {"status": "alive"}

    @app.get("/readyz", tags=["operations"], operation_id="getReadiness")
    async def readiness(response: Response) -> dict[str, Any]:
        """Whether requests can be served: the node and the database answer and the tables are near the chain's head."""
        problems = [f"{name}: {reason}" for name, reason in city.broken.items()]
        latest = None
        try:
            latest = int(await city.rpc.call("eth_blockNumber"), 16)
        except NodeUnreachable as error:
            problems.append(error.detail)
        try:
            await city.database.read(lambda connection: connection.execute(text("select 1")).scalar())
        except ServiceError as error:
            problems.append(error.detail)
        head = city.indexer.head
        if not city.indexer.caught_up:
            problems.append("the tables have not reached the chain's head since the start")
        if latest is not None and latest - head.number > 100:
            problems.append(f"the tables are {latest - head.number} blocks behind the chain")
        response.status_code = 503 if problems else 200
        return {
            "status": "not ready" if problems else "ready",
            "problems": problems,
            "city": city.deployment.city,
            "chainId": city.deployment.chain_id,
            "block": head.number,
            "time": head.time,
            "finalBlock": head.final,
            "queue": await city.database.read(outbox.depth_of_queue),
        }


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(ServiceError)
    async def refused(_: Request, error: ServiceError) -> Response:
        headers = {"retry-after": "1"} if error.status == 503 else None
        if error.status == 401:
            headers = {"www-authenticate": "Bearer"}
        return Problem(error.problem(), headers)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        if any(e["loc"][:1] == ("body",) for e in error.errors()) and (words := _wrong_kind(request)):
            return Problem(UnsupportedMedia(words).problem())
        errors = [e | {"field": _PREFIX.sub("", e["field"]) or "body"} for e in field_errors(error.errors())]
        detail = "; ".join(f"{e['field']}: {e['rule']}" for e in errors[:5])
        return Problem(
            {
                "type": "urn:chaincity:problem:invalid-input",
                "title": "The request is not valid",
                "status": 422,
                "detail": detail,
                "errors": errors,
            }
        )

    @app.exception_handler(CertificateError)
    async def no_certificate(_: Request, error: CertificateError) -> Response:
        kind = TooLarge if isinstance(error, CertificateTooLarge) else InvalidInput
        return Problem(kind(error.rule, errors=[{"field": error.field, "rule": error.rule}]).problem())

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> Response:
        if isinstance(error, BodyTooLarge):
            return error.response()
        content: dict[str, Any] = {
            "type": "about:blank",
            "title": str(error.detail),
            "status": error.status_code,
        }
        if error.status_code in (404, 405):
            content["detail"] = f"There is no {request.method} {request.url.path[:200]}; /docs lists what there is."
        if error.status_code == 400:  # a body that cannot be read at all, such as a form with too many files
            content["errors"] = [{"field": "body", "rule": str(error.detail)}]
        return Problem(content, dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> Response:
        log.error("unexpected", path=request.url.path, kind=type(error).__name__, exc_info=error)
        return Problem(ServiceError("Something went wrong here; it was logged.").problem())


def _wrong_kind(request: Request) -> str | None:
    """What to send instead, where the body's kind is the reason why it cannot be read."""
    kind = request.headers.get("content-type", "")
    route = request.scope.get("route")
    body = route.body_field if isinstance(route, APIRoute) else None
    takes_files = body is not None and isinstance(body.field_info, Form)
    if takes_files and kind and "multipart/" not in kind:
        return f"Send `multipart/form-data` with the field `file`, as `curl -F file=@NAME` does; it is {kind!r}."
    if not takes_files and kind and "json" not in kind:
        return f"Send JSON as `Content-Type: application/json`; it is {kind!r}."
    return None


def _describe_problems(app: FastAPI) -> None:
    """The OpenAPI document says what refusals really are: problem+json, not FastAPI's own shape."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = plain()
            for operations in document["paths"].values():
                for operation in operations.values():
                    for status, response in operation.get("responses", {}).items():
                        content = response.get("content", {})
                        if status >= "4" and "application/json" in content and status in map(str, REFUSALS):
                            content["application/problem+json"] = content.pop("application/json")
        return app.openapi_schema or plain()

    app.openapi = described  # type: ignore[method-assign]


class BodyTooLarge(HTTPException):
    """An HTTPException, because FastAPI takes any other error of a body that is being read for a broken body."""

    def __init__(self, limit: int):
        super().__init__(413)
        self.limit = limit

    def response(self) -> Problem:
        rule = f"A body has at most {self.limit} bytes."
        return Problem(TooLarge(rule, errors=[{"field": "body", "rule": rule}]).problem())


class BodyLimit:
    """Refuses bodies beyond the limit before anything reads them into memory."""

    def __init__(self, app: ASGIApp, limit: int):
        self._app, self._limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > self._limit:
            await BodyTooLarge(self._limit).response()(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit:
                raise BodyTooLarge(self._limit)
            return message

        await self._app(scope, counted, send)
