"""Steps of a story: what was done, by whom, whether what the API says equals what the chain says, and what it cost."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table

from .client import Refused


class Mismatch(AssertionError):
    """The API and the chain, or the chain and the expectation, differ."""


@dataclass
class Step:
    story: str
    title: str
    actor: str
    tx_hash: str | None = None
    gas: int | None = None
    seconds: float = 0
    problem: str | None = None


@dataclass
class Steps:
    """Records steps with progress; a step that fails ends its story, not the demonstration."""

    console: Console
    gas_of: Callable[[str], int]
    done: list[Step] = field(default_factory=list)
    #: For the test that sees a failure counted: the number of the step that is made to fail.
    break_step: int | None = None

    def run(self, story: str, title: str, actor: str, act: Callable[[], Any]) -> Any:
        """Do one step. `act` returns a transaction (of the API, or a hash) or anything else; it raises when the step fails."""
        step = Step(story, title, actor)
        self.done.append(step)
        began = time.monotonic()
        try:
            if self.break_step == len(self.done):
                raise Mismatch("this step was made to fail (BREAK_STEP)")
            found = act()
        except Exception as error:
            step.problem = f"{type(error).__name__}: {error}"
            raise
        finally:
            step.seconds = time.monotonic() - began
            self._report(step)
        step.tx_hash = _hash_of(found)
        step.gas = self.gas_of(step.tx_hash) if step.tx_hash else None
        return found

    @property
    def failed(self) -> int:
        return sum(step.problem is not None for step in self.done)

    def _report(self, step: Step) -> None:
        mark = "[red]✗[/red]" if step.problem else "[green]✓[/green]"
        self.console.print(f" {mark} {len(self.done):>2}  {step.title} [dim]({step.actor}, {step.seconds:.1f} s)[/dim]")
        if step.problem:
            self.console.print(f"       {step.problem}", style="red", markup=False)

    def table(self) -> Table:
        table = Table("#", "story", "step", "actor", "transaction", "gas", "elapsed", title=None)
        table.columns[5].justify = table.columns[6].justify = "right"
        for number, step in enumerate(self.done, start=1):
            table.add_row(
                str(number),
                step.story,
                step.title if step.problem is None else f"FAILED {step.title}",
                step.actor,
                f"{step.tx_hash[:10]}…" if step.tx_hash else "",
                f"{step.gas:,}" if step.gas else "",
                f"{step.seconds:.1f} s",
            )
        return table


def expect(what: str, found: Any, expected: Any) -> None:
    """Fail the step when two values that must be equal are not."""
    if found != expected:
        raise Mismatch(f"{what}: found {found!r}, expected {expected!r}")


def expect_refusal(act: Callable[[], Any], status: int, words: str) -> None:
    """The act must be refused by the API with this status and these words in the reason."""
    try:
        act()
    except Refused as refused:
        expect("status", refused.problem["status"], status)
        if words not in refused.problem["detail"]:
            raise Mismatch(f"the refusal says {refused.problem['detail']!r}, not {words!r}") from None
    else:
        raise Mismatch(f"was not refused with {status}")


def expect_contract_error(act: Callable[[], Any], status: int, name: str) -> dict[str, Any]:
    """The act must be refused by a contract with this error, and by the API with this status; returns the error's arguments."""
    try:
        act()
    except Refused as refused:
        found = refused.problem.get("contractError", {})
        expect("status and contract error", (refused.problem["status"], found.get("name")), (status, name))
        return dict(found["args"])
    raise Mismatch(f"was not refused with {status} {name}")


def until(read: Callable[[], Any], wanted: Any, seconds: float = 20) -> None:
    """Wait until the API has caught up with something that was not done through it."""
    deadline = time.monotonic() + seconds
    while (found := read()) != wanted:
        if time.monotonic() > deadline:
            raise Mismatch(f"found {found!r} for {seconds:.0f} s, expected {wanted!r}")
        time.sleep(0.1)


def _hash_of(found: Any) -> str | None:
    if isinstance(found, dict):
        return found.get("txHash")
    return found if isinstance(found, str) and found.startswith("0x") and len(found) == 66 else None
