"""`chaincity invoices …` and `chaincity receivables …`."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from .command_settings import read_settings


@click.group()
def invoices() -> None:
    """Invoices that may become receivables."""


@invoices.command("check")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--deployment",
    type=click.Path(path_type=Path),
    help="address book: only currencies with a settlement token pass; without it every ISO 4217 currency does",
)
@click.option("--number-fingerprint", is_flag=True, help="also print `numberFingerprint`, that of seller and number")
def check_invoices(files: tuple[Path, ...], deployment: Path | None, number_fingerprint: bool) -> None:
    """Judge UBL 2.1 / EN 16931 invoices and credit notes; prints one JSON object per file. Needs no chain.

    The fingerprints are made with the consortium's key in CHAINCITY_FINGERPRINT_KEY, else with a demonstration key.

    \b
    Exit status: 0 every file could be judged (refused is a judgement), 2 a path is missing, unreadable or a folder.
    \b
    Example:
      chaincity invoices check invoices/*.xml --deployment deployments/31337.json
    """
    from .modules.receivables.command import check_files

    sys.exit(check_files(files, deployment, read_settings().fingerprint_key, number_fingerprint=number_fingerprint))


@click.group()
def receivables() -> None:
    """Receivables: drafts from invoices, and reports."""


@receivables.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="the service")
@click.option("--key", envvar="CHAINCITY_KEY", help="the seller's API key; better in CHAINCITY_KEY")
@click.option("--dry-run", is_flag=True, help="judge every row, store nothing; needs no service")
@click.option("--seller", help="with --dry-run: the seller's credit code, for the fingerprints")
@click.option(
    "--deployment",
    type=click.Path(path_type=Path),
    help="with --dry-run: address book; only currencies with a settlement token pass",
)
@click.option("--on-error", type=click.Choice(["skip", "refuse"]), default="skip", show_default=True)
@click.option("--anew", is_flag=True, help="judge the file again; what was drafted before is refused as such")
@click.option("--json", "as_json", is_flag=True, help="for a program: no progress on the error output")
def import_receivables(
    file: Path,
    url: str,
    key: str | None,
    dry_run: bool,
    seller: str | None,
    deployment: Path | None,
    on_error: str,
    anew: bool,
    as_json: bool,
) -> None:
    """Draft receivables from a CSV file of one's own invoices; prints one JSON object per row, once it is drafted, refused or
    failed.

    Columns: number, buyer (credit code), issueDate, dueDate (YYYY-MM-DD), currency, payable (1234.50); up to 10,000 rows.
    The same file sent again is the same request: it is answered as the first time, and what broke off is completed. With --anew it is
    judged again, after a buyer became a member, say. Either way nothing is drafted twice.

    \b
    Exit status: 0 every row was taken, 1 some were refused or failed, 2 the file cannot be read or sent.
    \b
    Example:
      chaincity receivables import invoices.csv --dry-run --seller 91431381MA5198083N
    """
    from .modules.receivables.command import print_json, say_which_key
    from .modules.receivables.importing import import_file, judge_file

    outcomes: dict[str, int] = {}

    def show(row: dict[str, Any]) -> None:
        outcomes[row["outcome"]] = outcomes.get(row["outcome"], 0) + 1
        print_json(row)

    def progress(done: int, total: int) -> None:
        if not as_json and (done % 1000 == 0 or done == total):
            click.echo(f"{done} of {total} rows", err=True)

    async def send() -> None:
        async for row in import_file(file, url, key, on_error, progress, anew=anew):
            show(row)

    try:
        if dry_run:
            secret = read_settings().fingerprint_key
            rows = judge_file(file, seller, deployment, secret)
            if seller is not None:
                say_which_key(secret)
            for row in rows:
                show(row)
        else:
            asyncio.run(send())
    except click.ClickException as error:
        click.echo(f"Error: {error.message}", err=True)
        sys.exit(2)
    if not as_json:
        click.echo(", ".join(f"{count} {outcome}" for outcome, count in outcomes.items()), err=True)
    sys.exit(1 if {"refused", "failed"} & outcomes.keys() else 0)


def _report_options(command: Callable[..., None]) -> Callable[..., None]:
    """What both reports take."""
    for option in (
        click.option("--plot", type=click.Path(path_type=Path), help="save stacked bars in this .svg or .png file"),
        click.option("--csv", "form", flag_value="csv", help="print RFC 4180 CSV"),
        click.option("--json", "form", flag_value="json", help="print the service's JSON"),
        click.option("--currency", help="only this ISO 4217 currency"),
        click.option("--key", envvar="CHAINCITY_KEY", help="an API key; better in CHAINCITY_KEY"),
        click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="the service"),
    ):
        command = option(command)
    return command


@receivables.command("ageing")
@click.option("--as", "side", type=click.Choice(["holder", "debtor", "supplier"]), default="holder", show_default=True)
@click.option("--party", help="whose report; the key's account when not given")
@_report_options
def report_ageing(
    side: str, party: str | None, url: str, key: str | None, currency: str | None, form: str | None, plot: Path | None
) -> None:
    """How late what is outstanding is, by counterparty and currency, at the chain's time. Prints a table.

    \b
    Exit status: 0 printed or saved, 2 the service refused or did not answer, or the file cannot be written.
    \b
    Example:
      chaincity receivables ageing --as holder --plot ageing.svg
    """
    _print_report("/reports/ageing", {"as": side, "party": party, "currency": currency}, url, key, form, plot)


@receivables.command("exposure")
@click.option("--by", type=click.Choice(["debtor", "bank", "group"]), default="debtor", show_default=True)
@click.option("--bank", help="only what this bank holds")
@_report_options
def report_exposure(
    by: str, bank: str | None, url: str, key: str | None, currency: str | None, form: str | None, plot: Path | None
) -> None:
    """What is outstanding, overdue, defaulted, written off and recovered, and how concentrated it is. Prints a table.

    \b
    Exit status: 0 printed or saved, 2 the service refused or did not answer, or the file cannot be written.
    \b
    Example:
      chaincity receivables exposure --by group --csv > exposure.csv
    """
    _print_report("/reports/exposure", {"by": by, "bank": bank, "currency": currency}, url, key, form, plot)


def _print_report(
    path: str, query: dict[str, str | None], url: str, key: str | None, form: str | None, plot: Path | None
) -> None:
    from .modules.receivables.report_command import report

    try:
        printed = report(url, key, path, query, form or "table", plot)
    except click.ClickException as error:
        click.echo(f"Error: {error.message}", err=True)
        sys.exit(2)
    if printed is not None:
        # CSV has its own line ends.
        click.echo(printed.encode(), nl=False)
