"""A demonstration: starts Anvil, deploys, starts the service, plays the stories, stops what it started."""

from __future__ import annotations

import json
import os
import signal
import sys
import tempfile
import threading
import time
from contextlib import closing
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from rich.console import Console

#: Seconds between blocks: short enough to play, long enough that blocks carry many transactions.
BLOCK_TIME = 0.1
#: Accounts of the development mnemonic that the service holds; a story that needs more says so in its `ACCOUNTS`.
ACCOUNTS = 20


def command(name: str, stories: tuple[str, ...], help_text: str) -> click.Command:
    """The Ape command that plays these stories and ends with one line `<name>: N steps, F failed` and status 0 or 1."""

    @click.command(help=help_text)
    @click.option("--story", "chosen", multiple=True, type=click.Choice(stories), help="only these; all when not given")
    @click.option("--serve", is_flag=True, help="leave the service up until interrupted (SERVE=1 does the same)")
    @click.option("--json", "as_json", is_flag=True, help="print the steps as JSON before the last line")
    @click.option("--break-step", type=int, help="make this step fail, to see that a failure is counted")
    def cli(chosen: tuple[str, ...], serve: bool, as_json: bool, break_step: int | None) -> None:
        serve = serve or os.environ.get("SERVE") == "1"
        wanted = [story for story in stories if story in chosen or not chosen]
        sys.exit(play(name, wanted, serve=serve, as_json=as_json, break_step=break_step))

    return cli


def play(name: str, stories: list[str], *, serve: bool, as_json: bool, break_step: int | None) -> int:
    from scripts.demonstration.processes import start_anvil
    from scripts.demonstration.steps import Steps

    console = Console(stderr=as_json, width=140 if not sys.stdout.isatty() else None, highlight=False)
    # Ctrl-C and a plain kill both end in the clean-up below.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    steps = Steps(console, gas_of=lambda _: 0, break_step=break_step)
    broken = 0
    with tempfile.TemporaryDirectory(prefix="chaincity-demo-") as temporary:
        folder = Path(temporary)
        console.print("[bold]Anvil[/bold] …")
        anvil, rpc_url = start_anvil(folder, block_time=BLOCK_TIME)
        try:
            broken = _play_on(rpc_url, folder, stories, steps, console, serve)
        except Exception as error:
            broken = 1
            console.print(f"The demonstration stopped: {type(error).__name__}: {error}", style="red", markup=False)
        finally:
            anvil.stop()
    if as_json:
        click.echo(json.dumps([step.__dict__ for step in steps.done], ensure_ascii=False))
    failed = max(steps.failed, broken)
    click.echo(f"{name}: {len(steps.done)} steps, {failed} failed")
    return 1 if failed else 0


def _play_on(rpc_url: str, folder: Path, stories: list[str], steps: Any, console: Console, serve: bool) -> int:
    from ape import accounts, networks
    from ape.logging import LogLevel, logger

    from frontend_api import auth
    from frontend_api.db import Database
    from scripts.demonstration.processes import free_port, service_environment, start_service, stopping
    from scripts.demonstration.stage import Stage
    from scripts.deployment.ape_backend import deploy_with_ape
    from scripts.deployment.artifacts import ROOT
    from scripts.deployment.plan import read_charter

    modules = [import_module(f"scripts.demonstration.{story}") for story in stories]
    logger.set_level(LogLevel.ERROR)
    with networks.parse_network_choice(rpc_url):
        began = time.monotonic()
        # A city that goes with the demonstration leaves the address book of the developer's own chain alone.
        books = ROOT / "deployments" if serve else folder / "deployments"
        _, path = deploy_with_ape(accounts.test_accounts[0], read_charter(), folder=books)
        book = json.loads(path.read_text())
        console.print(
            f"[bold]deployed[/bold] {len(book['contracts'])} contracts of {book['city']} in {time.monotonic() - began:.0f} s"
        )
        environment = service_environment(rpc_url, path, folder, free_port(), str(accounts.test_accounts[9].address))
        database = Database(environment["CHAINCITY_DATABASE_URL"])
        database.create()
        keys = {
            member: database.write_now(auth.create_key, entry["address"], member)
            for member, entry in book["members"].items()
        }
        accounts_needed = [getattr(story, "ACCOUNTS", ACCOUNTS) for story in modules]
        environment["CHAINCITY_MNEMONIC_ACCOUNTS"] = str(max(accounts_needed))
        service, url = start_service(environment, folder)
        with stopping(service), closing(database):
            console.print(f"[bold]page[/bold] {url}/verify   [bold]API[/bold] {url}/docs   [bold]RPC[/bold] {rpc_url}")
            stage = Stage(steps, book, rpc_url, url, keys, database)
            steps.gas_of = stage.gas_of
            broken = 0
            for story, module in zip(stories, modules, strict=True):
                console.print(f"[bold]{story}[/bold]")
                before = steps.failed
                try:
                    module.play(stage)
                except Exception as error:
                    if steps.failed == before:
                        broken += 1
                        console.print(f"{story}: {type(error).__name__}: {error}", style="red", markup=False)
            console.print(steps.table())
            console.print(f"page {url}/verify   API {url}/docs   RPC {rpc_url}")
            if serve:
                _leave_up(keys, console)
            stage.close()
        return broken


def _leave_up(keys: dict[str, str], console: Console) -> None:
    console.print("The service stays up; Ctrl-C ends it. API keys of this demonstration's members:")
    for member, key in keys.items():
        console.print(f"  {member:<10} {key}")
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        console.print("stopping")
