"""The same rules, driven by Hypothesis, which shrinks what it finds to the fewest and smallest choices."""

from __future__ import annotations

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from .rules import WEIGHTS, Rules
from .world import World


class DrawnSource:
    def __init__(self, data: st.DataObject) -> None:
        self.data = data

    def choice(self, size: int) -> int:
        return int(self.data.draw(st.integers(0, size - 1)))


def machine_for(world: World) -> type[RuleBasedStateMachine]:
    """A state machine on this world; each run of it leaves the city as it was."""

    class Receivables(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            world.begin()
            self.life, self.failed = Rules(world), False

        def teardown(self) -> None:
            try:
                if not self.failed:
                    world.sweep()
            finally:
                for line in world.log:
                    note(line)
                world.end()

    def rule_of(name: str) -> None:
        def run(self: Receivables, data: st.DataObject) -> None:
            try:
                self.life.run(name, DrawnSource(data))
            except BaseException:  # Hypothesis also stops a run by raising
                self.failed = True
                raise

        run.__name__ = name
        setattr(Receivables, name, rule(data=st.data())(run))

    for name in WEIGHTS:
        rule_of(name)
    return Receivables
