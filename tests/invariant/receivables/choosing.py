"""How a rule chooses: small numbers from a source, and what it makes of them. Zero is always the ordinary choice, so that whoever shrinks
towards zero shrinks towards an ordinary life; a replay gives the same calls for the same numbers."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Sequence
from typing import Protocol, TypeVar

from . import model as m
from .model import MAX, NIL, Consent, Quote, Signature
from .world import World

T = TypeVar("T")
DAY = 86400


class Source(Protocol):
    def choice(self, size: int) -> int:
        """A number from 0 to size − 1."""
        ...


class RandomSource:
    """Seeded, and remembers what it answered."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)
        self.taken: list[int] = []

    def choice(self, size: int) -> int:
        answer = int(self.random.random() * size)
        self.taken.append(answer)
        return answer


class ReplaySource:
    def __init__(self, answers: Sequence[int]) -> None:
        self.answers = iter(answers)

    def choice(self, size: int) -> int:
        return next(self.answers, 0) % size


class Nothing(Exception):
    """There is no case that this rule could do anything with."""


class Life:
    """One episode's life. What is signed but not yet on the chain is kept here."""

    def __init__(self, world: World) -> None:
        self.w, self.model = world, world.model
        self.source: Source = ReplaySource(())
        self.fresh = 1000
        self.quotes: list[tuple[Quote, Signature]] = []
        self.consents: list[tuple[Consent, Signature]] = []
        w = world
        self.companies = (w.supplier, w.debtor, w.company3, w.company4, w.hook)
        self.banks = (w.bank, w.bank2, w.bank3)
        self.financiers = (w.bank, w.bank2)
        self.all = (*self.companies, *self.banks, w.guest, w.warehouse, w.supervisor2, w.court, w.stranger)
        self.warehouses, self.supervisors = (w.warehouse, w.warehouse2), (w.supervisor, w.supervisor2)

    def run(self, name: str, source: Source) -> None:
        self.source = source
        with contextlib.suppress(Nothing):
            getattr(self, name)()

    # --- choosing

    def pick(self, options: Sequence[T]) -> T:
        return options[self.source.choice(len(options))]

    def odd(self, size: int) -> bool:
        """Once in `size`."""
        return self.source.choice(size) == size - 1

    def recent(self, options: Sequence[T]) -> T:
        """Rather one of the latest."""
        tail = options if self.odd(4) else options[-6:]
        return tail[len(tail) - 1 - self.source.choice(len(tail))]

    def number_of(self, table: m.Table, *states: int) -> int:
        """A case in one of these states; once in 16 any, which may not exist."""
        fitting = [key for key, row in table.items() if row.state in states]
        if self.odd(16):
            return self.source.choice(len(table) + 2)
        return self.recent(self.some(fitting))

    def some(self, fitting: Sequence[T]) -> Sequence[T]:
        if not fitting:
            raise Nothing
        return fitting

    def actor(self, due: str, size: int = 14) -> str:
        return self.pick(self.all) if self.odd(size) else due

    def part(self, limit: int) -> int:
        """Of what is there, mostly: all, one, some; at times nothing, one too many, or the largest number."""
        how = self.source.choice(40)
        if how == 39:
            return 0
        if how >= 36:
            return min(limit + 1, MAX)
        if how == 35:
            return MAX
        if how < 8 or limit <= 1:
            return max(limit, 1)
        options = (1, limit // 2, limit // 3, limit - 1, 1 + self.source.choice(min(limit, 7)))
        return max(1, options[how % 5])

    def new(self) -> bytes:
        self.fresh += 1
        return self.fresh.to_bytes(32, "big")

    def fingerprint(self) -> bytes:
        if self.odd(10) and self.model.entries:
            return self.recent(tuple(self.model.entries))
        if self.odd(60):
            return self.pick((NIL, m.AMBIGUOUS))
        return self.new()

    def number(self) -> bytes:
        if self.odd(10) and self.model.numbers:
            return self.recent(tuple(self.model.numbers))
        return NIL if self.odd(80) else self.new()

    def instant(self, *days: int) -> int:
        """Some time ahead, at times the boundary itself or a second to either side."""
        span = self.pick(days) * DAY
        return self.model.now + span + (self.pick((0, 1, 60, 3600, -1)) if span else self.pick((1, 60, 3600)))
