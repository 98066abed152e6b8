"""The command line: `chaincity`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import click

from .chain.deployment import Deployment, DeploymentError
from .command_receivables import invoices, receivables
from .command_settings import read_settings
from .documents.wording import Language


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option("0.1.0", prog_name="chaincity")
def main() -> None:
    """One chain, many city applications. Settings come from CHAINCITY_… variables; see frontend_api/config.py."""


@main.command()
@click.option("--host", help="address to bind to; loopback unless you say otherwise")
@click.option("--port", type=int)
def serve(host: str | None, port: int | None) -> None:
    """Serve the HTTP API and the verification page.

    \b
    Example:
      CHAINCITY_DEPLOYMENT=deployments/31337.json chaincity serve --port 8000
    """
    from granian import Granian
    from granian.constants import Interfaces

    settings = read_settings()
    try:
        # The worker looks again, but could only end with a stack trace.
        asyncio.run(Deployment.load(settings.deployment).check_at(settings.rpc_url, settings.rpc_timeout_seconds))
    except DeploymentError as error:
        raise click.ClickException(str(error)) from error
    server = Granian(
        "frontend_api.worker:create",
        address=host or settings.host,
        port=port or settings.port,
        interface=Interfaces.ASGI,
        factory=True,
        workers=1,
        log_access=False,
        websockets=False,
        # Requests in flight get this long to end before the worker does.
        workers_kill_timeout=15,
    )
    server.serve()


@main.group()
def keys() -> None:
    """API keys of organisations."""


@keys.command("create")
@click.option("--account", required=True, help="the organisation's account on the chain")
@click.option("--name", required=True, help="what the key is for")
@click.option("--scope", "scopes", multiple=True, type=click.Choice(["read", "write"]), default=("read", "write"))
@click.option("--json", "as_json", is_flag=True)
def create_key(account: str, name: str, scopes: tuple[str, ...], as_json: bool) -> None:
    """Make an API key. It is shown once and stored as a hash.

    \b
    Example:
      chaincity keys create --account 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 --name "registry's counter"
    """
    from . import auth
    from .db import Database
    from .kit.ids import parse_address

    try:
        checked = parse_address(account)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--account") from error
    database = Database(read_settings().database_url)
    try:
        database.create()
        key = database.write_now(auth.create_key, checked, name, tuple(scopes))
    finally:
        database.close()
    click.echo(json.dumps({"account": checked, "name": name, "key": key}) if as_json else key)


@keys.command("list")
def list_keys() -> None:
    """Print one JSON object per key: id, name, account, scopes and when it was made or revoked. Secrets are not stored.

    \b
    Example:
      chaincity keys list
    """
    from . import auth
    from .db import Database

    database = Database(read_settings().database_url)
    try:
        database.create()
        found = database.write_now(auth.list_keys)
    finally:
        database.close()
    for entry in found:
        click.echo(json.dumps(entry, ensure_ascii=False))


@keys.command("revoke")
@click.argument("key_id")
def revoke_key(key_id: str) -> None:
    """Refuse a key from now on. KEY_ID as `chaincity keys list` shows it; a running service needs no restart.

    \b
    Exit status: 0 revoked, 2 there is no such key that still works.
    \b
    Example:
      chaincity keys revoke key_8f1c2a9d4b7e6053
    """
    from . import auth
    from .db import Database

    database = Database(read_settings().database_url)
    try:
        database.create()
        done = database.write_now(auth.revoke_key, key_id)
    finally:
        database.close()
    if not done:
        click.echo(f"Error: there is no key {key_id} that still works", err=True)
        sys.exit(2)


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--rpc", required=True, help="JSON-RPC address of a node you trust")
@click.option(
    "--deployment",
    type=click.Path(path_type=Path),
    help="the city's address book; deployments/<chainId>.json when it is there, else the registries that the file names",
)
@click.option("--lang", type=click.Choice(["en", "zh"]), default="en", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="print the whole result for a program")
def verify(file: Path, rpc: str, deployment: Path | None, lang: Language, as_json: bool) -> None:
    """Check a certificate against the chain: is the file intact, who issued it, what is its status now.

    \b
    Exit status: 0 valid, 1 anything that a reader must know first (revoked, superseded, pledged, …),
    2 the file cannot be read, 3 unknown: the chain could not be asked.
    \b
    Example:
      chaincity verify certificate.json --rpc http://127.0.0.1:8545
    """
    from .documents.command import check_file

    try:
        content = file.read_bytes()
    except OSError as error:
        click.echo(f"{file}: {error.strerror}", err=True)
        sys.exit(2)
    status, output = asyncio.run(check_file(content, rpc, deployment, lang, as_json))
    click.echo(output, err=status == 2)
    sys.exit(status)


@main.group()
def titles() -> None:
    """Property titles."""


@titles.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--url", default="http://127.0.0.1:8000", show_default=True, help="the service")
@click.option("--key", envvar="CHAINCITY_KEY", help="the registry's API key; better in CHAINCITY_KEY")
@click.option("--dry-run", is_flag=True, help="judge every row, store nothing; needs no service")
@click.option("--on-error", type=click.Choice(["skip", "refuse"]), default="skip", show_default=True)
def import_titles(file: Path, url: str, key: str | None, dry_run: bool, on_error: str) -> None:
    """Register titles from a CSV file; prints one JSON object per row, once it is registered, refused or failed.

    \b
    The same file sent again is the same request: nothing is registered twice.
    Exit status: 0 every row was taken, 1 some were refused or failed, 2 the file cannot be read.
    \b
    Example:
      chaincity titles import scripts/demonstration/titles-1000.csv --dry-run
    """
    from .modules.property.command import import_file, judge_file

    try:
        rows = judge_file(file) if dry_run else asyncio.run(import_file(file, url, key, on_error))
    except click.ClickException as error:
        click.echo(f"Error: {error.message}", err=True)
        sys.exit(2)
    for row in rows:
        click.echo(json.dumps(row, ensure_ascii=False))
    sys.exit(1 if any(row["outcome"] in ("refused", "failed") for row in rows) else 0)


@main.command()
@click.option("--config", required=True, type=click.Path(path_type=Path), help="TOML file; docs/node.example.toml")
@click.option("--once", is_flag=True, help="one pass over the open jobs, then stop")
@click.option("--log-format", type=click.Choice(["json", "console"]), default="json", show_default=True)
def node(config: Path, once: bool, log_format: str) -> None:
    """Run a data holder's node: it takes jobs on, runs approved models where the data lie, and delivers encrypted results.

    The API key of the holder's service is in the environment, under the name that the file gives (CHAINCITY_NODE_KEY).

    \b
    Exit status: 0 stopped cleanly, 1 the data are not what is registered or not this holder's,
    2 the configuration is wrong, 3 with --once: the service could not be reached.
    \b
    Example:
      CHAINCITY_NODE_KEY=cck_… chaincity node --config node.toml
    """
    from .compute.command import ConfigRefused, StartRefused
    from .compute.command import run as run_node
    from .compute.node import ChainUnavailable
    from .logs import configure_logs

    configure_logs(log_format)
    try:
        run_node(config, once=once)
    except (StartRefused, ChainUnavailable) as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(3 if isinstance(error, ChainUnavailable) else 2 if isinstance(error, ConfigRefused) else 1)


@main.group()
def datasets() -> None:
    """Datasets that stay with their holder."""


@datasets.command("describe")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--salt", help="0x and 64 hexadecimal digits; a fresh one when not given")
def describe_dataset(file: Path, salt: str | None) -> None:
    """What the chain is told of a Parquet file: the body of POST /datasets, and the salt, which stays here.

    \b
    Example:
      chaincity datasets describe cases.parquet
    """
    import duckdb

    from .compute.datasets import describe

    try:
        facts = describe(file, None if salt is None else bytes.fromhex(salt.removeprefix("0x")))
        bucket = facts.row_count_bucket
    except (ValueError, OSError, duckdb.Error) as error:
        click.echo(f"Error: {file}: {str(error).splitlines()[0]}", err=True)
        sys.exit(2)
    found = {
        "schemaRoot": "0x" + facts.schema_root.hex(),
        "contentCommitment": "0x" + facts.content_commitment.hex(),
        "rowCountBucket": bucket,
        "salt": "0x" + facts.salt.hex(),
        "rows": facts.rows,
        "columns": [{"name": name, "type": kind} for name, kind in facts.columns],
    }
    click.echo(json.dumps(found, ensure_ascii=False))


main.add_command(invoices)
main.add_command(receivables)


def run(args: list[str] | None = None) -> Any:
    """For tests: the command without leaving the process."""
    return main.main(args=args, standalone_mode=False)


if __name__ == "__main__":
    main()
