"""`chaincity verify`: the page's check, with only the file and a node's address."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from ..chain.deployment import Deployment, DeploymentError
from ..chain.rpc import Rpc, RpcError
from ..errors import ServiceError
from . import certificate as certificates
from .api import VerificationBody
from .certificate import Certificate
from .contract import NodeReader, registries_named_by
from .strict import CertificateError
from .verification import Verdict, verify
from .wording import ADVICE, Language, say

#: What a reader without the city's address book must do by hand.
NO_BOOK: dict[Language, str] = {
    "en": "No address book was given: the registries are those that the file names. Compare {} with the city's own.",
    "zh": "未提供地址簿：登记簿地址取自文件本身。请与本市公布的地址核对：{}。",
}


async def check_file(content: bytes, url: str, book: Path | None, lang: Language, as_json: bool) -> tuple[int, str]:
    """Exit status and what to print."""
    try:
        certificate = certificates.parse(content)
    except CertificateError as error:
        return 2, f"The file is no certificate: {error}"
    rpc = Rpc(url)
    try:
        deployment, path = await _deployment(certificate, rpc, book)
        result = await verify(certificate, NodeReader(rpc, deployment))
    except DeploymentError as error:
        return 2, str(error)
    finally:
        await rpc.close()
    status = {Verdict.VALID: 0, Verdict.UNKNOWN: 3}.get(result.verdict, 1)
    body = VerificationBody.of(result)
    if as_json:
        shown = body.model_dump(mode="json", by_alias=True) | {"addressBook": str(path) if path else None}
        return status, json.dumps(shown, indent=2, ensure_ascii=False)
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
    if path is None:
        lines += ["", NO_BOOK[lang].format(certificate.context.registry)]
    return status, "\n".join(lines)


async def _deployment(certificate: Certificate, rpc: Rpc, book: Path | None) -> tuple[Deployment, Path | None]:
    """The city's registries by its address book; without one, those that the file names."""
    context = certificate.context
    path = book or Path("deployments") / f"{context.chain_id}.json"
    if book is not None or path.exists():
        return Deployment.load(path), path
    try:
        return await registries_named_by(rpc, context.registry, context.title_registry), None
    except (ServiceError, RpcError):
        # The check itself finds that the chain cannot be asked, and says so.
        return Deployment.of_registries(context.registry, context.title_registry), None
