"""`chaincity receivables ageing` and `exposure`: reports of a running service, printed or saved."""

from __future__ import annotations

import asyncio
import json
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
import click

from .report_schemas import major

TIMEOUT_SECONDS = 120
_PICTURES = {".svg": "svg", ".png": "png"}
_AGES = ("notDue", "days1To30", "days31To60", "days61To90", "over90Days", "writtenOff", "defaulted")
_STAKES = ("overdue", "defaulted", "writtenOff", "recovered")


def report(
    url: str, key: str | None, path: str, query: Mapping[str, str | None], form: str, plot: Path | None
) -> str | None:
    """What is to be printed; None where a picture was saved. Raises ClickException with the reason."""
    if key is None:
        raise click.ClickException("give an API key in CHAINCITY_KEY")
    wanted = form
    if plot is not None:
        wanted = _PICTURES.get(plot.suffix.lower(), "")
        if not wanted:
            raise click.ClickException(f"{plot}: a picture is an .svg or a .png")
    params = {name: value for name, value in query.items() if value is not None}
    params["format"] = "json" if wanted == "table" else wanted
    try:
        content, decimals = asyncio.run(_fetch(url, key, path, params))
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        raise click.ClickException(f"{url} did not answer: {error}") from error
    if plot is not None:
        try:
            plot.write_bytes(content)
        except OSError as error:
            raise click.ClickException(f"{plot}: {error.strerror}") from error
        return None
    return _table(json.loads(content), decimals) if wanted == "table" else content.decode()


async def _fetch(url: str, key: str, path: str, params: Mapping[str, str]) -> tuple[bytes, dict[str, int]]:
    """The report, and the decimals of each currency."""
    headers = {"authorization": f"Bearer {key}"}
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS)
    async with aiohttp.ClientSession(url, timeout=timeout, headers=headers) as session:
        content = await _answer(session.get(path, params=params))
        currencies = json.loads(await _answer(session.get("/currencies")))
    return content, {entry["code"]: int(entry["decimals"]) for entry in currencies}


async def _answer(sent: Any) -> bytes:
    async with sent as response:
        content: bytes = await response.read()
    if response.status >= 400:
        try:
            problem = json.loads(content)
        except ValueError:
            problem = {}
        raise click.ClickException(problem.get("detail") or problem.get("title") or f"HTTP {response.status}")
    return content


def _table(body: dict[str, Any], decimals: Mapping[str, int]) -> str:
    """Amounts in major units, right-aligned, one line per counterparty and a total per currency."""
    amounts = ("outstanding", *(_AGES if "as" in body else _STAKES))
    rows = [["", "currency", *(_words(name) for name in amounts), *(["%"] if "by" in body else [])]]
    for line in body["lines"]:
        name = line["name"] or line["creditCode"] or line.get("account") or line.get("group") or "no group"
        rows.append([name, *_cells(line, amounts, decimals), *([line["concentration"] or ""] if "by" in body else [])])
    for line in body["totals"]:
        rows.append(["total", *_cells(line, amounts, decimals), *([""] if "by" in body else [])])
    widths = [max(_width(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [row[0] + " " * (widths[0] - _width(row[0]))]
        cells += [" " * (widths[i] - _width(row[i])) + row[i] for i in range(1, len(row))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join([*lines, f"chain time {body['at']}, block {body['block']}", ""])


def _cells(line: Mapping[str, Any], amounts: tuple[str, ...], decimals: Mapping[str, int]) -> list[str]:
    places = decimals[line["currency"]]
    return [line["currency"], *(major(int(line[name]), places) for name in amounts)]


def _words(name: str) -> str:
    words = {"notDue": "not due", "days1To30": "1-30", "days31To60": "31-60", "days61To90": "61-90"}
    return {**words, "over90Days": ">90 days", "writtenOff": "written off"}.get(name, name)


def _width(text: str) -> int:
    """Columns on a terminal: East Asian characters take two."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
