"""The rules driven from a seed, for volume. What fails is replayed, made shorter and printed.

Hypothesis drives the same rules in `machine.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from .choosing import RandomSource, ReplaySource
from .rules import DRAWN, ENDINGS, Rules, Step
from .world import Difference, World

#: Calls of an episode, which starts from the founded city.
EPISODE = 250


class Failed(AssertionError):
    """A difference, with all that it takes to see it again."""

    def __init__(self, kind: str, calls: int, report: str):
        super().__init__(report)
        self.kind, self.calls = kind, calls


def episode(world: World, seed: str, size: int = EPISODE, shrinking: bool = True) -> int:
    """From a seed: as many rules as make `size` calls, then a last look at everything. The number of calls made."""
    steps: list[Step] = []
    world.begin()
    try:
        rules, chooser = Rules(world), RandomSource(seed)
        while world.calls < size:
            name = DRAWN[chooser.choice(len(DRAWN))]
            _step(rules, name, f"{seed}:{len(steps)}", steps)
        for name in ENDINGS:
            _step(rules, name, f"{seed}:{name}", steps)
        world.sweep()
        return world.calls
    except Exception as error:
        kind, calls = getattr(error, "kind", repr(error)), world.calls
        found = f"{type(error).__name__}: {error}"
    finally:
        world.end()
    shorter, log = shrink(world, steps, kind) if shrinking else (steps, world.log)
    report = [
        f"seed {seed!r}, call {calls}: {found}",
        f"{len(shorter)} of {len(steps)} rules are enough to see it:",
        *(f"  {line}" for line in log),
        "replay(world, " + repr(shorter) + ")",
    ]
    raise Failed(kind, calls, "\n".join(report))


def _step(rules: Rules, name: str, seed: str, steps: list[Step]) -> None:
    source = RandomSource(seed)
    steps.append((name, ()))
    try:
        rules.run(name, source)
    finally:
        steps[-1] = (name, tuple(source.taken))


def replay(world: World, steps: Sequence[Step]) -> tuple[str | None, list[str]]:
    """What fails, if anything, and the calls up to there."""
    world.begin()
    try:
        rules = Rules(world)
        for name, answers in steps:
            rules.run(name, ReplaySource(answers))
        world.sweep()
    except Exception as error:
        return getattr(error, "kind", repr(error)), world.log
    finally:
        world.end()
    return None, world.log


def _first_words(kind: str | None) -> str:
    return "" if kind is None else kind.split("[")[0].split("(")[0]


def shrink(world: World, steps: list[Step], kind: str, tries: int = 400) -> tuple[list[Step], list[str]]:
    """Leave out whatever is not needed for the same failure: first large pieces, then single rules."""
    tally = world.tally.copy()  # replays do not count
    current, log = list(steps), list(world.log)
    size = max(1, len(current) // 2)
    while tries > 0:
        at, smaller = 0, False
        while at < len(current) and tries > 0:
            candidate = current[:at] + current[at + size :]
            tries -= 1
            found, calls = replay(world, candidate)
            if found is not None and _first_words(found) == _first_words(kind):
                current, log, smaller = candidate, list(calls), True
            else:
                at += size
        if size == 1 and not smaller:
            break
        size = max(1, size // 2)
    world.tally.clear()
    world.tally.update(tally)
    return current, log


__all__ = ["EPISODE", "Difference", "Failed", "episode", "replay", "shrink"]
