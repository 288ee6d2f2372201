"""What came out of a requirement."""

from collections.abc import Sequence
from dataclasses import dataclass

from couponspec.schema import Option

from couponcheck.catalogue import Requirement
from couponcheck.exchange import Exchange
from couponcheck.expect import Mismatch

PASS, FAIL, WARN = "pass", "fail", "warn"
NOT_TESTABLE, NOT_SELECTED, ERROR = "not testable", "not selected", "error"


@dataclass(frozen=True)
class Outcome:
    """What came out of a requirement."""

    requirement: Requirement
    verdict: str
    reason: str = ""
    mismatches: tuple[Mismatch, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    """All exchanges of the requirement, the one that decided last."""
    readings: tuple[Option, ...] = ()
    """Options seen that are not the mock's own reading."""

    @property
    def is_breach(self) -> bool:
        """Tell whether the requirement is broken, also one that is no `must`; a variant that is tolerated is none."""
        return self.verdict == FAIL or (self.verdict == WARN and bool(self.mismatches))

    @property
    def needs_a_look(self) -> bool:
        """Tell whether somebody has to look into it: a breach, or an error."""
        return self.is_breach or self.verdict == ERROR


def failed(requirement: Requirement, mismatches: Sequence[Mismatch], exchanges: Sequence[Exchange]) -> Outcome:
    """Say that a requirement is broken, and that the last of what was asked for it shows that."""
    return Outcome(requirement, FAIL, str(mismatches[0]), tuple(mismatches), tuple(exchanges))
