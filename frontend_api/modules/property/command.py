"""`chaincity titles import`: judge a file here, or have the service register it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import aiohttp
import click

from ...errors import ServiceError
from .importing import read_titles

TIMEOUT_SECONDS = 600


def judge_file(path: Path) -> list[dict[str, Any]]:
    """Every row's outcome, without a service or a chain: what only they know (a unit registered before) is not judged."""
    try:
        rows = read_titles(_read(path))
    except ServiceError as error:
        raise click.ClickException(f"{path}: {error.detail}") from error
    return [
        {
            "row": row.line,
            "unit": row.unit,
            "outcome": "refused" if row.refused else "would_be_accepted",
            "field": row.refused[0] if row.refused else None,
            "reason": row.refused[1] if row.refused else None,
        }
        for row in rows
    ]


async def import_file(path: Path, url: str, key: str | None, on_error: str) -> list[dict[str, Any]]:
    """The service's report on every row, once each registration has ended; the same file is registered once."""
    if key is None:
        raise click.ClickException("give the registry's API key in CHAINCITY_KEY")
    content = _read(path)
    headers = {
        "authorization": f"Bearer {key}",
        "idempotency-key": f"titles-import-{hashlib.sha256(content).hexdigest()}-{on_error}",
    }
    form = aiohttp.FormData()
    form.add_field("file", content, filename=path.name, content_type="text/csv")
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    try:
        async with aiohttp.ClientSession(url, timeout=timeout, headers=headers) as session:
            params = {"onError": on_error}
            rows = list((await _answer(session.post("/titles/import", data=form, params=params)))["rows"])
            return [await _ended(session, row) for row in rows]
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise click.ClickException(f"{url} did not answer: {error}") from error


async def _ended(session: aiohttp.ClientSession, row: dict[str, Any]) -> dict[str, Any]:
    """A row with what became of its registration on the chain."""
    while row["transaction"] is not None:
        found = await _answer(session.get(f"/transactions/{row['transaction']}", headers={"prefer": "wait=30"}))
        if found["state"] == "failed":
            return row | {"outcome": "failed", "reason": found["problem"]["detail"]}
        if found["state"] in ("mined", "final"):
            return row | {"outcome": "registered"}
    return row


async def _answer(sent: Any) -> dict[str, Any]:
    async with sent as response:
        answer = await response.json(content_type=None)
    if response.status >= 400:
        raise click.ClickException(answer.get("detail") or answer.get("title") or f"HTTP {response.status}")
    return dict(answer)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from error
