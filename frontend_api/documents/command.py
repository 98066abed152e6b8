"""`chaincity verify`: the page's check, with only the file and a node's address."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ..chain.deployment import Deployment, DeploymentError
from ..chain.rpc import Rpc
from . import certificate as certificates
from .api import VerificationBody
from .contract import NodeReader
from .strict import CertificateError
from .verification import Verdict, verify
from .wording import ADVICE, Language, say


async def check_file(content: bytes, url: str, book: Path | None, lang: Language, as_json: bool) -> tuple[int, str]:
    """Exit status and what to print."""
    try:
        certificate = certificates.parse(content)
    except CertificateError as error:
        return 2, f"The file is no certificate: {error}"
    path = book or Path("deployments") / f"{certificate.context.chain_id}.json"
    try:
        deployment = Deployment.load(path)
    except DeploymentError as error:
        return 2, str(error)
    rpc = Rpc(url)
    try:
        result = await verify(certificate, NodeReader(rpc, deployment))
    finally:
        await rpc.close()
    status = {Verdict.VALID: 0, Verdict.UNKNOWN: 3}.get(result.verdict, 1)
    body = VerificationBody.of(result)
    if as_json:
        return status, body.model_dump_json(by_alias=True, indent=2)
    lines = [
        f"{result.verdict.upper()}  {certificate.context.subject}",
        "",
        say(result.decided_by, lang),
        ADVICE[result.verdict][lang],
        "",
        *(f"- {say(finding, lang)}" for finding in (*result.answers.values(), *result.remarks)),
    ]
    if result.head is not None:
        asked = datetime.fromtimestamp(result.head.time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        lines.append(f"- block {result.head.number}, {asked}")
    return status, "\n".join(lines)
