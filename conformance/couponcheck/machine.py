"""Sequences of a life cycle: a state machine of hypothesis throws the dice, `couponcheck.walker` takes the steps.

Nothing is shrunk or replayed: the target has a state, and a second try would meet another one. So no step ever raises;
the first thing that is wrong is remembered, and no more is asked.
"""

import hypothesis
from couponspec.document import Document
from hypothesis import HealthCheck, Phase
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from couponcheck.asking import Asking
from couponcheck.lifecycle import LifeCycle
from couponcheck.target import Target
from couponcheck.walker import DICE, Walk, Walker

_SIDES = 120
"""Of each of the dice. They are numbers, and not choices: after the same beginning another server, or the same one at
another time, leaves other choices, and hypothesis would take that for a fault of the test. Few sides fall evenly, and
120 of them make even choices of up to six."""


def walk(document: Document, cycle: LifeCycle, target: Target, asking: Asking, seed: int) -> Walk:
    """Walk through a life cycle; the same seed takes the same steps as long as the same is answered.

    Where the target's data can be restored, it is before each sequence but the first.

    Args:
        document: The vendor's document.
        cycle: What holds.
        target: Whom to ask; its companions take part as far as it allows them.
        asking: How.
        seed: Of hypothesis.

    Raises:
        TargetUnreachable: an answer did not come.
        LimitReached: no more requests may be sent.
        Unbound: a request needs a value that nobody supplied.
    """
    walker = Walker(document, cycle, target, asking)
    settings = hypothesis.settings(
        max_examples=cycle.sequences if target.is_restored else 1,
        stateful_step_count=cycle.steps,
        database=None,
        deadline=None,
        derandomize=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(hypothesis.seed(seed)(_machine(walker)), settings=settings)
    if walker.raised is not None:
        raise walker.raised
    return walker.walk


def _machine(walker: "Walker") -> type[RuleBasedStateMachine]:
    """Make a state machine that takes a walker's steps.

    It has one rule, which chooses a rule of the catalogue: of several, hypothesis would switch some off for a sequence,
    and give up one in which no other holds.
    """

    class Sequences(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            walker.begin()

        @rule(dice=st.tuples(*[st.integers(0, _SIDES - 1)] * DICE))
        def step(self, dice: tuple[int, ...]) -> None:
            walker.step(iter(dice))

        def teardown(self) -> None:
            walker.end()

    return Sequences
