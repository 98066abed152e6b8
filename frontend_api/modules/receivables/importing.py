"""`chaincity receivables import`: judge a CSV file of invoices here, or have the service draft its receivables."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Final

import aiohttp
import click
from pydantic import SecretStr

from ...errors import ServiceError
from ...kit.ids import parse_credit_code
from .command import currencies_of, read_at_most
from .intake import WOULD_BE_ACCEPTED
from .invoices import key_of
from .rows import MAX_BYTES, read_rows, refused_file

#: Of one request; a file of 10,000 rows is judged and stored in seconds.
TIMEOUT_SECONDS: Final = 600

#: How often a service that is not available for now is asked, once a second.
TRIES: Final = 20

#: Told how many rows are done, of how many.
Progress = Callable[[int, int], None]


class _Unavailable(click.ClickException):
    """The service says 503."""


def judge_file(
    path: Path, seller: str | None, deployment: Path | None, secret: SecretStr | None
) -> list[dict[str, Any]]:
    """Every row's outcome, without a service or a chain.

    What only they know is not judged: whether the buyer is a member, and whether the invoice was drafted before.
    """
    try:
        if seller is not None:
            parse_credit_code(seller)
    except ValueError as error:
        raise click.ClickException(f"--seller: {error}") from error
    currencies = None if deployment is None else currencies_of(deployment)
    try:
        rows = read_rows(_read(path), seller=seller, currencies=currencies, key=key_of(secret), file=path.name)
    except ServiceError as error:
        raise click.ClickException(error.detail) from error
    return [{"file": path.name, **row.to_json(WOULD_BE_ACCEPTED), "seller": seller} for row in rows]


async def import_file(
    path: Path, url: str, key: str | None, on_error: str, progress: Progress, *, anew: bool = False
) -> AsyncIterator[dict[str, Any]]:
    """The service's report on every row, each once its draft has ended; the same file is drafted once."""
    if key is None:
        raise click.ClickException("give the seller's API key in CHAINCITY_KEY")
    content = _read(path)
    request = f"receivables-import-{hashlib.sha256(content).hexdigest()}-{on_error}"
    if anew:
        request += f"-{secrets.token_hex(8)}"
    headers = {"authorization": f"Bearer {key}", "idempotency-key": request}
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    try:
        async with aiohttp.ClientSession(url, timeout=timeout, headers=headers) as session:
            items = list((await _sent(session, path.name, content, on_error))["items"])
            for done, item in enumerate(items, start=1):
                yield await _ended(session, item)
                progress(done, len(items))
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise click.ClickException(f"{url} did not answer: {error}; send the file again to go on") from error


async def _sent(session: aiohttp.ClientSession, name: str, content: bytes, on_error: str) -> dict[str, Any]:
    """The service's report. Where it cannot answer for now (503), it is asked again: the request is the same one."""
    for remaining in reversed(range(TRIES)):
        form = aiohttp.FormData()
        form.add_field("file", content, filename=name, content_type="text/csv")
        sent = session.post("/receivables/from-csv", data=form, params={"onError": on_error})
        try:
            return await _answer(sent)
        except _Unavailable:
            if not remaining:
                raise
            await asyncio.sleep(1)
    raise AssertionError


async def _ended(session: aiohttp.ClientSession, item: dict[str, Any]) -> dict[str, Any]:
    """A row with what became of its draft on the chain."""
    while item["transaction"] is not None:
        found = await _answer(session.get(f"/transactions/{item['transaction']}", headers={"prefer": "wait=30"}))
        if found["state"] == "failed":
            return item | {"outcome": "failed", "reason": found["problem"]["detail"]}
        if found["state"] in ("mined", "final"):
            number = next(e["args"]["id"] for e in found["events"] if e["event"] == "ReceivableDrafted")
            return item | {"outcome": "drafted", "receivable": number}
    return item


async def _answer(sent: Any) -> dict[str, Any]:
    async with sent as response:
        answer = await response.json(content_type=None)
    if response.status >= 400:
        kind = _Unavailable if response.status == 503 else click.ClickException
        raise kind(answer.get("detail") or answer.get("title") or f"HTTP {response.status}")
    return dict(answer)


def _read(path: Path) -> bytes:
    try:
        content = read_at_most(path, MAX_BYTES)
    except OSError as error:
        raise click.ClickException(f"{click.format_filename(path)}: {error.strerror}") from error
    if isinstance(content, int):
        raise click.ClickException(
            refused_file(click.format_filename(path), f"has {content} bytes; at most {MAX_BYTES} are read").detail
        )
    return content
