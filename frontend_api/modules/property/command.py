"""`chaincity titles import`: judge a file here, or have the service register it."""

from __future__ import annotations

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
    """The service's report on every row."""
    if key is None:
        raise click.ClickException("give the registry's API key in CHAINCITY_KEY")
    form = aiohttp.FormData()
    form.add_field("file", _read(path), filename=path.name, content_type="text/csv")
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    headers = {"authorization": f"Bearer {key}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, headers=headers) as session,
            session.post(f"{url}/titles/import", data=form, params={"onError": on_error}) as response,
        ):
            answer = await response.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise click.ClickException(f"{url} did not answer: {error}") from error
    if response.status >= 400:
        raise click.ClickException(answer.get("detail") or answer.get("title") or f"HTTP {response.status}")
    return list(answer["rows"])


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from error
