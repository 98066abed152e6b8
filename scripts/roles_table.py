"""The table of roles in contracts/README.md, made from the manifests and the charter (a test compares them)."""

from __future__ import annotations

import click

from scripts.deployment.artifacts import ROOT
from scripts.deployment.plan import read_charter, read_manifests

README = ROOT / "contracts" / "README.md"
START = "<!-- roles: made by `ape run roles_table` -->"
END = "<!-- /roles -->"


def render() -> str:
    """One row a role: what it is for, which functions need it, who holds it."""
    manifests = read_manifests()
    kinds = read_charter().kinds
    needs: dict[str, list[str]] = {}
    held: dict[str, list[str]] = {}
    for manifest in manifests:
        for contract, functions in manifest.functions.items():
            for function, role in functions.items():
                needs.setdefault(role, []).append(f"`{contract}.{function}`")
        for contract, roles in manifest.grants.items():
            for role in roles:
                held.setdefault(role, []).append(f"`{contract}`")
    for kind, entry in kinds.items():
        for role in entry["roles"]:
            held.setdefault(role, []).append(kind)
    lines = ["| module | role | what it is for | functions that need it | held by |", "|---|---|---|---|---|"]
    for manifest in manifests:
        for role, purpose in manifest.roles.items():
            functions_of, holders = ", ".join(needs.get(role, ["–"])), ", ".join(held.get(role, ["–"]))
            lines.append(f"| {manifest.application} | {role} | {purpose} | {functions_of} | {holders} |")
    return "\n".join(lines)


def current(text: str) -> str:
    """The table as it stands in the text."""
    return text.split(START, maxsplit=1)[1].split(END, maxsplit=1)[0].strip()


@click.command()
def cli() -> None:
    """Write the table of roles into contracts/README.md.

    Example: ape run roles_table
    """
    before, rest = README.read_text().split(START, maxsplit=1)
    _, after = rest.split(END, maxsplit=1)
    README.write_text(f"{before}{START}\n{render()}\n{END}{after}")
    click.echo(f"{README.relative_to(ROOT)} written")


if __name__ == "__main__":
    cli()
