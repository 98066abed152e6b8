"""ape run call: any function of any deployed contract, by its name in the address book."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from ape import accounts, networks, project
from ape.cli import ConnectedProviderCommand, network_option

from scripts.deployment.artifacts import ROOT


@click.command(cls=ConnectedProviderCommand)
@network_option(default="ethereum:local:foundry")
@click.argument("contract")
@click.argument("function")
@click.argument("args", nargs=-1)
@click.option("--as", "member", help="who sends: a founding member's name; needed for functions that change state")
@click.option("--deployment", type=click.Path(path_type=Path), help="another address book")
@click.option("--json", "as_json", is_flag=True)
def cli(
    contract: str, function: str, args: tuple[str, ...], member: str | None, deployment: Path | None, as_json: bool
) -> None:
    """Call a contract function. ARGS: whole numbers, true or false, members' names or 0x-addresses, text or 0x-hex for bytes.

    \b
    Examples:
      ape run call TitleRegistry titleOf 431302001001GB00001F00010001 --network http://127.0.0.1:8545
      ape run call MortgageDesk release 1 --as bank --network http://127.0.0.1:8545
    """
    path = deployment or ROOT / "deployments" / f"{networks.provider.chain_id}.json"
    if not path.exists():
        raise click.ClickException(f"there is no address book at {path}; run `ape run deploy` first")
    book = json.loads(path.read_text())
    if contract not in book["contracts"]:
        raise click.UsageError(f"the address book has no {contract}; it has: {', '.join(book['contracts'])}")
    entry = book["contracts"][contract]
    instance = getattr(project, entry["type"]).at(entry["address"], fetch_from_explorer=False)
    kinds = [
        abi
        for abi in [*instance.contract_type.view_methods, *instance.contract_type.mutable_methods]
        if abi.name == function and len(abi.inputs) == len(args)
    ]
    if not kinds:
        raise click.UsageError(f"{contract} has no function {function} that takes {len(args)} arguments")
    values = [_value(book, str(p.type), text) for p, text in zip(kinds[0].inputs, args, strict=True)]
    handler = getattr(instance, function)
    if kinds[0].is_stateful:
        if member is None:
            raise click.UsageError(f"{function} changes state: say who sends it, with --as")
        receipt = handler(*values, sender=_account(book, member))
        found = {"transaction": receipt.txn_hash, "gas": receipt.gas_used, "events": [str(e) for e in receipt.events]}
        click.echo(json.dumps(found) if as_json else "\n".join([found["transaction"], *found["events"]]))
        return
    answer = handler(*values)
    fields = answer._asdict() if hasattr(answer, "_asdict") else getattr(answer, "items", lambda: None)()
    shown = {k: _plain(v) for k, v in dict(fields).items()} if fields else _plain(answer)
    if as_json or not isinstance(shown, dict):
        click.echo(json.dumps(shown))
    else:
        click.echo("\n".join(f"{name}: {value}" for name, value in shown.items()))


def _value(book: dict[str, Any], kind: str, text: str) -> Any:
    """Command-line text as the ABI type."""
    if kind == "address":
        return book["members"][text]["address"] if text in book["members"] else text
    if kind == "bool":
        if text not in ("true", "false"):
            raise click.BadParameter(f"{text!r} is neither true nor false")
        return text == "true"
    if kind.startswith(("uint", "int")):
        try:
            return int(text, 0)
        except ValueError as error:
            raise click.BadParameter(f"{text!r} is no whole number") from error
    if kind.startswith("bytes") and not text.startswith("0x"):
        size = int(kind[5:] or len(text))
        return text.encode().ljust(size, b"\0")
    return text


def _account(book: dict[str, Any], member: str) -> Any:
    if member not in book["members"]:
        raise click.UsageError(f"the city has no founding member {member}; it has: {', '.join(book['members'])}")
    wanted = book["members"][member]["address"]
    for account in [*accounts.test_accounts, *accounts]:
        if account.address == wanted:
            return account
    raise click.ClickException(f"Ape has no key for {member} ({wanted}); import it with `ape accounts import`")


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + bytes(value).hex()
    return value if isinstance(value, int | bool) else str(value)
