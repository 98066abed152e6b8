"""An application with only the pages, before a chain that plays every scenario. Also served for the browser."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from frontend_api.documents.api import verifications_router
from frontend_api.documents.certificate import Certificate, parse
from frontend_api.documents.strict import CertificateError, CertificateTooLarge
from frontend_api.web.pages import pages_router
from tests.certificates import FakeChain, scenarios


class ManyChains:
    """A reader that answers as the chain of the scenario being checked: `play` chooses it."""

    def __init__(self) -> None:
        self.chain: FakeChain | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.chain, name)


def make_app() -> FastAPI:
    """`?scenario=` names the chain that a request meets; it is the test's own, the pages know nothing of it."""
    app = FastAPI()
    played = scenarios()
    kept: dict[bytes, Certificate] = {parse(s.file).document_root: parse(s.file) for s in played.values()}
    stage = ManyChains()

    @app.middleware("http")
    async def choose(request: Request, call_next: Any) -> Any:
        name = request.query_params.get("scenario") or request.headers.get("x-scenario") or "valid"
        stage.chain = played[name].chain
        return await call_next(request)

    @app.exception_handler(CertificateError)
    async def show(request: Request, error: CertificateError) -> JSONResponse:
        status = 413 if isinstance(error, CertificateTooLarge) else 422
        return JSONResponse({"field": error.field, "rule": error.rule}, status)

    async def load(root: bytes) -> Certificate | None:
        if root == b"\xee" * 32:
            raise ConnectionError("the database is away")
        return kept.get(root)

    app.include_router(verifications_router(lambda: stage))
    app.include_router(pages_router(lambda: stage, load, public_fields={"用途", "建筑面积"}))
    return app
