"""`POST /verifications`: a certificate in, the three answers and the verdict out."""

from __future__ import annotations

from collections.abc import Callable

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from .certificate import parse
from .strict import MAX_BYTES, CertificateTooLarge
from .verification import ChainReader, Finding, Question, Tone, Verdict, Verification, verify
from .wording import ADVICE, LANGUAGES, VERDICTS, say


class _Schema(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Words(_Schema):
    """The same in English and Chinese."""

    en: str
    zh: str


class FindingBody(_Schema):
    """One finding: a stable code, what it is about, how good or bad it is, and its sentence."""

    code: str
    tone: Tone
    values: dict[str, str | int] = Field(
        description="what the sentence speaks of; times in Unix seconds, names end in `At`"
    )
    text: Words

    @classmethod
    def of(cls, finding: Finding) -> FindingBody:
        text = Words(**{language: say(finding, language) for language in LANGUAGES})
        return cls(code=finding.code, tone=finding.tone, values=finding.values, text=text)


class Answers(_Schema):
    """The three answers."""

    intact: FindingBody
    issuer: FindingBody
    status: FindingBody


class VerificationBody(_Schema):
    """The result of a check."""

    verdict: Verdict
    headline: Words
    advice: Words
    decided_by: FindingBody
    answers: Answers
    remarks: list[FindingBody] = Field(
        description="what else is true of the document, such as a lien on a frozen title"
    )
    document_root: str
    subject: str
    issuer: str
    chain_id: int
    checked_at: int | None = Field(
        description="chain time of the check, Unix seconds; null when the chain was not asked"
    )
    block: int | None
    disclosed: dict[str, str]
    hidden: int = Field(description="how many fields the holder does not show")

    @classmethod
    def of(cls, result: Verification) -> VerificationBody:
        certificate = result.certificate
        return cls(
            verdict=result.verdict,
            headline=Words.model_validate(VERDICTS[result.verdict]),
            advice=Words.model_validate(ADVICE[result.verdict]),
            decided_by=FindingBody.of(result.decided_by),
            answers=Answers(**{q.value: FindingBody.of(result.answers[q]) for q in Question}),
            remarks=[FindingBody.of(finding) for finding in result.remarks],
            document_root="0x" + certificate.document_root.hex(),
            subject=certificate.context.subject,
            issuer=certificate.context.issuer,
            chain_id=certificate.context.chain_id,
            checked_at=result.head.time if result.head else None,
            block=result.head.number if result.head else None,
            disclosed={field.name: field.value for field in certificate.disclosed},
            hidden=certificate.hidden,
        )


async def read_body(request: Request, limit: int) -> bytes:
    """The request's body, never more than `limit` bytes of it. Raises CertificateTooLarge past that."""
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and len(declared) < 20 and int(declared) > limit:
        raise CertificateTooLarge()
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > limit:
            raise CertificateTooLarge()
    return bytes(content)


#: An unreachable chain is 503 for whoever looks at the status only; the body is the same as with 200.
UNKNOWN_STATUS = 503
RETRY_AFTER = {"Retry-After": "30"}


def verifications_router(get_reader: Callable[[], ChainReader]) -> APIRouter:
    """The route. It raises CertificateError (422, CertificateTooLarge 413) for the application's error handler to
    render.
    """
    router = APIRouter(tags=["documents"])

    @router.post(
        "/verifications",
        operation_id="verifyCertificate",
        summary="Check a certificate",
        response_model=VerificationBody,
        responses={
            413: {"description": f"more than {MAX_BYTES // 1024} KiB"},
            422: {"description": "not a certificate: `field` and `rule` say where and why"},
            503: {"model": VerificationBody, "description": "the chain could not be asked: the verdict is `unknown`"},
        },
        openapi_extra={
            "requestBody": {
                "required": True,
                "description": "a certificate file, format `chaincity-certificate/1`",
                "content": {"application/json": {"schema": {"type": "object"}}},
            }
        },
    )
    async def verify_certificate(request: Request, response: Response) -> VerificationBody:
        certificate = parse(await read_body(request, MAX_BYTES))
        result = await verify(certificate, get_reader())
        if result.verdict is Verdict.UNKNOWN:
            response.status_code = UNKNOWN_STATUS
            response.headers.update(RETRY_AFTER)
        return VerificationBody.of(result)

    return router
