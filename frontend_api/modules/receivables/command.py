"""`chaincity invoices check`: judge invoice files here, without a service or a chain."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import click
from pydantic import SecretStr

from ...chain.deployment import Deployment, DeploymentError
from .invoices import judge, key_of, too_large
from .ubl import MAX_BYTES

UNREADABLE = 2


def check_files(
    files: Sequence[Path], deployment: Path | None, secret: SecretStr | None, *, number_fingerprint: bool = False
) -> int:
    """Print a judgement per file, and say what could not be read; returns the exit status.

    Each file is judged by itself. That two of them have one seller and number is only noted.
    """
    try:
        currencies = None if deployment is None else currencies_of(deployment)
    except click.ClickException as error:
        click.echo(f"Error: {error.message}", err=True)
        return UNREADABLE
    say_which_key(secret)
    status = 0
    first: dict[bytes, str] = {}
    for path in files:
        name = click.format_filename(path)
        try:
            content = read_at_most(path, MAX_BYTES)
        except OSError as error:
            click.echo(f"Error: {name}: {error.strerror}", err=True)
            status = UNREADABLE
            continue
        found = (
            too_large(content)
            if isinstance(content, int)
            else judge(content, currencies=currencies, key=key_of(secret))
        )
        print_json({"file": name, **found.to_json(number_fingerprint=number_fingerprint)})
        if found.number_fingerprint is not None:
            earlier = first.setdefault(found.number_fingerprint, name)
            if earlier != name:
                click.echo(f"Note: {name} has the seller and number of {earlier}.", err=True)
    return status


def say_which_key(secret: SecretStr | None) -> None:
    if secret is None:
        click.echo(
            "CHAINCITY_FINGERPRINT_KEY is not set: the fingerprints are made with the demonstration key, "
            "which everybody knows.",
            err=True,
        )


def read_at_most(path: Path, limit: int) -> bytes | int:
    """A file's content; of one that is larger than the limit only its size, as far as that can be told."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > limit:
            return size
        content = file.read(limit + 1)
    return len(content) if len(content) > limit else content


def print_json(entry: dict[str, Any]) -> None:
    """One line of JSON, which is UTF-8 (RFC 8259) whatever the terminal takes."""
    click.echo(json.dumps(entry, ensure_ascii=False).encode())


def currencies_of(deployment: Path) -> Collection[str]:
    """The currencies that have a settlement token."""
    try:
        return Deployment.load(deployment).currencies.keys()
    except DeploymentError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{deployment}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise click.ClickException(f"{deployment} is no address book: {type(error).__name__} {error}") from error
