"""The pages anyone may open: check a certificate, see the result, print a certificate with its QR code.

No script, no request to another host, no cookie; the Content-Security-Policy says so too. What a visitor sends is
checked and forgotten. Document roots are public (the chain shows them), so a page that is reached by a root shows no
field of the document except those that the application names as public.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import segno
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.types import Message

from frontend_api.documents.api import RETRY_AFTER, UNKNOWN_STATUS, read_body
from frontend_api.documents.certificate import Certificate, parse, show_only, to_json
from frontend_api.documents.strict import MAX_BYTES, CertificateError, CertificateTooLarge
from frontend_api.documents.verification import (
    ChainReader,
    ChainUnavailable,
    Finding,
    Question,
    Verdict,
    Verification,
    examine_file,
    verify,
)
from frontend_api.documents.wording import ADVICE, QUESTIONS, VERDICTS, Language, say, say_rule, say_time

from .texts import TEXTS, choose_language

#: Finds a certificate that the service keeps, by its document root (32 bytes). None: not kept here.
LoadCertificate = Callable[[bytes], Awaitable[Certificate | None]]

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    # A certificate is about somebody: neither a shared browser's cache nor a proxy keeps it.
    "Cache-Control": "no-store",
    "Vary": "Accept-Language",
}

#: What a form adds around a certificate: boundaries, part headers, the other, empty part.
FORM_OVERHEAD = 16 * 1024

_ROOT = re.compile(r"0x[0-9a-fA-F]{64}")
_ASSETS = {"pages.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}


class PageError(Exception):
    """Something to tell the visitor instead of a result: a text of TEXTS, with the place and rule where a file is at
    fault.
    """

    def __init__(self, status: int, text: str, place: str | None = None, rule: str | None = None):
        super().__init__(text)
        self.status, self.text, self.place, self.rule = status, text, place, rule


@dataclass(frozen=True)
class Visit:
    """One visitor's request: the language, and where the other language is."""

    request: Request
    language: Language

    @classmethod
    def of(cls, request: Request) -> Visit:
        asked = request.query_params.get("lang")
        return cls(request, choose_language(asked, request.headers.get("accept-language")))

    def text(self, key: str, **values: object) -> str:
        """A text of the pages in the visitor's language."""
        return TEXTS[key][self.language].format_map(values)

    def say(self, finding: Finding) -> str:
        return say(finding, self.language)

    def say_time(self, seconds: int) -> str:
        return say_time(seconds, self.language)


def pages_router(
    get_reader: Callable[[], ChainReader],
    load_certificate: LoadCertificate,
    *,
    public_url: str | None = None,
    public_fields: Collection[str] = frozenset(),
) -> APIRouter:
    """The pages.

    :param get_reader: gives the chain to ask, per request
    :param load_certificate: see `LoadCertificate`; may raise ChainUnavailable or OSError when it cannot look
    :param public_url: the address that QR codes lead to, such as "https://check.example.cn"; the request's own address
    if None :param public_fields: names of fields that a page reached by a document root may show; nothing personal
    belongs here
    """
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    link_fields = frozenset(public_fields)

    async def find(text: str) -> Certificate:
        if not _ROOT.fullmatch(text):
            raise PageError(404, "error_root")
        try:
            found = await load_certificate(bytes.fromhex(text[2:]))
        except (ChainUnavailable, OSError):
            raise PageError(UNKNOWN_STATUS, "error_busy") from None
        if found is None:
            raise PageError(404, "error_not_here")
        return show_only(found, link_fields)

    def check_address(request: Request, certificate: Certificate) -> str:
        base = (public_url or str(request.base_url)).rstrip("/")
        return f"{base}/verify/0x{certificate.document_root.hex()}"

    async def respond_result(visit: Visit, certificate: Certificate, by_link: bool) -> Response:
        result = await verify(certificate, get_reader())
        unknown = result.verdict is Verdict.UNKNOWN
        return _render(
            visit,
            "result.html",
            UNKNOWN_STATUS if unknown else 200,
            headers=RETRY_AFTER if unknown else {},
            result=result,
            words=_words(visit, result),
            certificate=certificate,
            file=to_json(certificate).decode(),
            by_link=by_link,
        )

    def respond_paper(visit: Visit, certificate: Certificate, by_link: bool) -> Response:
        address = check_address(visit.request, certificate)
        return _render(
            visit,
            "certificate.html",
            certificate=certificate,
            address=address,
            qr_code=draw_qr_code(address, visit.text("qr_alt")),
            by_link=by_link,
        )

    async def guarded(request: Request, act: Callable[[Visit], Awaitable[Response]]) -> Response:
        """Every failure of a page is a page."""
        visit = Visit.of(request)
        try:
            return await act(visit)
        except PageError as error:
            headers = RETRY_AFTER if error.status == UNKNOWN_STATUS else {}
            return _render(visit, "error.html", error.status, headers=headers, error=error)
        except CertificateTooLarge:
            return _render(visit, "error.html", 413, error=PageError(413, "error_too_large"))
        except CertificateError as error:
            shown = PageError(422, "error_file", error.field, say_rule(error.rule, visit.language))
            return _render(visit, "error.html", shown.status, error=shown)

    @router.get("/verify")
    async def verify_form(request: Request) -> Response:
        async def act(visit: Visit) -> Response:
            root = request.query_params.get("root")
            if root is None:
                return _render(visit, "form.html")
            if not _ROOT.fullmatch(root):
                raise PageError(404, "error_root")
            return RedirectResponse(f"/verify/{root}?lang={visit.language}", 303)

        return await guarded(request, act)

    @router.post("/verify")
    async def verify_file(request: Request) -> Response:
        async def act(visit: Visit) -> Response:
            return await respond_result(visit, parse(await read_form(request)), by_link=False)

        return await guarded(request, act)

    @router.get("/verify/{document_root}")
    async def verify_link(request: Request, document_root: str) -> Response:
        async def act(visit: Visit) -> Response:
            return await respond_result(visit, await find(document_root), by_link=True)

        return await guarded(request, act)

    @router.post("/certificate")
    async def print_file(request: Request) -> Response:
        async def act(visit: Visit) -> Response:
            certificate = parse(await read_form(request))
            if examine_file(certificate):
                # Nobody gets a forged certificate on the city's paper.
                raise CertificateError("", "was altered: what it says does not fit its seal")
            return respond_paper(visit, certificate, by_link=False)

        return await guarded(request, act)

    @router.get("/certificate/{document_root}")
    async def print_link(request: Request, document_root: str) -> Response:
        async def act(visit: Visit) -> Response:
            return respond_paper(visit, await find(document_root), by_link=True)

        return await guarded(request, act)

    @router.get("/pages/{name}")
    async def asset(name: str) -> Response:
        if name not in _ASSETS:
            raise HTTPException(404)
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
        return Response(_asset(name), media_type=_ASSETS[name], headers=headers)

    return router


def draw_qr_code(address: str, description: str) -> Markup:
    """The address as inline SVG; `description` is its title for who cannot see it."""
    code = segno.make(address, error="m", micro=False)
    svg = code.svg_inline(border=2, title=description, svgclass="qr", lineclass=None, omitsize=True)
    return Markup(svg)  # noqa: S704 - segno escapes the title; the rest is numbers


async def read_form(request: Request) -> bytes:
    """The certificate that the form sent: the chosen file or, without one, the pasted text. Raises PageError or what
    `read_body` raises.
    """
    body = await read_body(request, MAX_BYTES + FORM_OVERHEAD)

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    try:
        form = await Request(request.scope, receive).form(max_files=1, max_fields=4, max_part_size=MAX_BYTES + 1)
    except HTTPException as error:
        # What the parser says of a part past its limit is the only way it tells; the body as a whole was within ours.
        if "exceeded maximum size" in str(error.detail):
            raise CertificateTooLarge() from None
        raise PageError(400, "error_form") from None
    try:
        chosen, pasted = form.get("file"), form.get("text")
        content = await chosen.read() if isinstance(chosen, UploadFile) else b""
        if not content.strip() and isinstance(pasted, str):
            content = pasted.encode("utf-8", "replace")
        if not content.strip():
            raise PageError(422, "error_nothing")
        return content
    finally:
        await form.close()


def _words(visit: Visit, result: Verification) -> dict[str, Any]:
    """The result in the visitor's language."""
    language = visit.language
    return {
        "headline": VERDICTS[result.verdict][language],
        "sentence": visit.say(result.decided_by),
        "advice": ADVICE[result.verdict][language],
        "answers": [(question, QUESTIONS[question][language], result.answers[question]) for question in Question],
    }


def _asset(name: str) -> bytes:
    return (files("frontend_api.web") / "assets" / name).read_bytes()


def _fingerprint(name: str) -> str:
    """Assets are cached for good, under an address that changes with their content."""
    return f"/pages/{name}?v={hashlib.sha256(_asset(name)).hexdigest()[:12]}"


_templates = Environment(
    loader=PackageLoader("frontend_api.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.globals["asset"] = {name: _fingerprint(name) for name in _ASSETS}
_templates.globals["limit_kib"] = MAX_BYTES // 1024


def _render(
    visit: Visit, template: str, status: int = 200, *, headers: dict[str, str] | None = None, **values: Any
) -> Response:
    page = _templates.get_template(template).render(visit=visit, t=visit.text, lang=visit.language, **values)
    sent = {**SECURITY_HEADERS, "Content-Language": "zh-CN" if visit.language == "zh" else "en", **(headers or {})}
    return HTMLResponse(page, status, sent)
