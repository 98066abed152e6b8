"""The settings as every command reads them: what is wrong with them is one line and exit status 2."""

from __future__ import annotations

import click
from pydantic import ValidationError

from .config import Settings


def read_settings() -> Settings:
    """The settings, or which variable is wrong and why."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = [
            f"CHAINCITY_{str(e['loc'][0]).upper()}: {e['msg'].removeprefix('Value error, ')}" for e in error.errors()
        ]
        raise click.ClickException("; ".join(wrong)) from error
