"""Write the contracts' ABIs where the service ships them: frontend_api/abi/<Contract>.json (a test compares them with the compiler)."""

from __future__ import annotations

import json

import click

from scripts.deployment.artifacts import ROOT, compile_if_stale, load

FOLDER = ROOT / "frontend_api" / "abi"


def render(abi: list[dict[str, object]]) -> str:
    """One entry a line, so that a change of an interface is a readable difference."""
    lines = ",\n".join("  " + json.dumps(entry, sort_keys=True) for entry in abi)
    return f"[\n{lines}\n]\n"


def expected() -> dict[str, str]:
    """The files as they should be: every contract that can be deployed, the mocks left out."""
    return {
        f"{name}.json": render(artifact.abi)
        for name, artifact in load().items()
        if artifact.creation_code and artifact.module != "mocks"
    }


@click.command()
@click.option("--check", is_flag=True, help="write nothing, exit 1 when a file is out of date")
def cli(check: bool) -> None:
    """Write frontend_api/abi from the compiled contracts.

    Example: ape run export_abi
    """
    compile_if_stale()
    files = expected()
    present = {path.name: path.read_text() for path in FOLDER.glob("*.json")}
    stale = sorted(name for name in files.keys() | present.keys() if files.get(name) != present.get(name))
    if check:
        if stale:
            raise click.ClickException(f"out of date: {', '.join(stale)}; run `ape run export_abi`")
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in stale:
        if name in files:
            (FOLDER / name).write_text(files[name])
        else:
            (FOLDER / name).unlink()
    click.echo(f"{len(files)} ABIs, {len(stale)} changed")


if __name__ == "__main__":
    cli()
