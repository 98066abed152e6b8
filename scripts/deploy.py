"""ape run deploy: set up a city on any configured network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from ape import accounts, networks
from ape.cli import ConnectedProviderCommand, network_option

from scripts.deployment.artifacts import ROOT
from scripts.deployment.plan import CharterError, read_charter

DEVELOPMENT_CHAINS = (31337, 1337)


@click.command(cls=ConnectedProviderCommand)
@network_option(default="ethereum:local:foundry")
@click.option(
    "--charter", type=click.Path(path_type=Path, exists=True), help="another charter than scripts/charter.yaml"
)
@click.option(
    "--account", help="alias of the deploying Ape account; on a development chain the mnemonic's first account"
)
@click.option("--json", "as_json", is_flag=True, help="print the address book instead of progress")
def cli(charter: Path | None, account: str | None, as_json: bool) -> None:
    """Deploy every contract, apply the permission manifests, admit the charter's founding members and write deployments/<chainId>.json.

    Example: ape run deploy --network http://127.0.0.1:8545
    """
    from scripts.deployment.ape_backend import deploy_with_ape

    try:
        read = read_charter(charter)
    except CharterError as error:
        raise click.ClickException(str(error)) from error
    deployer: Any
    if account is not None:
        deployer = accounts.load(account)
    elif networks.provider.chain_id in DEVELOPMENT_CHAINS:
        deployer = accounts.test_accounts[0]
    else:
        raise click.UsageError("This is no development chain: say which Ape account deploys, with --account.")

    def progress(line: str) -> None:
        if not as_json:
            click.echo(line)

    _, path = deploy_with_ape(deployer, read, progress)
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    click.echo(json.dumps(json.loads(path.read_text()), ensure_ascii=False) if as_json else f"address book: {shown}")
