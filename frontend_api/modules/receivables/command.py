"""`chaincity invoices check`: judge invoice files here, without a service or a chain."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path

import click
from pydantic import SecretStr

from ...chain.deployment import Deployment, DeploymentError
from .invoices import judge, key_of

UNREADABLE = 2


def check_files(files: Sequence[Path], deployment: Path | None, secret: SecretStr | None) -> int:
    """Print a judgement per file, and say what could not be read; returns the exit status."""
    try:
        currencies = None if deployment is None else _currencies(deployment)
    except click.ClickException as error:
        click.echo(f"Error: {error.message}", err=True)
        return UNREADABLE
    if secret is None:
        click.echo(
            "CHAINCITY_FINGERPRINT_KEY is not set: the fingerprints are made with the demonstration key, "
            "which everybody knows.",
            err=True,
        )
    status = 0
    for path in files:
        name = click.format_filename(path)
        try:
            content = path.read_bytes()
        except OSError as error:
            click.echo(f"Error: {name}: {error.strerror}", err=True)
            status = UNREADABLE
            continue
        found = judge(content, currencies=currencies, key=key_of(secret))
        click.echo(json.dumps({"file": name, **found.to_json()}, ensure_ascii=False))
    return status


def _currencies(deployment: Path) -> Collection[str]:
    """The currencies that have a settlement token."""
    try:
        return Deployment.load(deployment).currencies.keys()
    except DeploymentError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{deployment}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise click.ClickException(f"{deployment} is no address book: {type(error).__name__} {error}") from error
