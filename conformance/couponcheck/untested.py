"""What a verdict does not cover: requirements that nobody asked for."""

import re
from collections import Counter
from collections.abc import Iterable

from couponcheck.outcome import NOT_SELECTED, Outcome

_FLAG = re.compile(r"\((--[^)]+)\)$")
"""Ends a reason: what the operator could have said for the requirement to be carried out."""
_UNSUPPORTED = "declared unsupported"


def untested(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Return in words what was left out and why -> how many requirements, the most first."""
    found = Counter(_why(outcome) for outcome in outcomes if outcome.verdict == NOT_SELECTED)
    return dict(found.most_common())


def _why(outcome: Outcome) -> str:
    if flag := _FLAG.search(outcome.reason):
        return f"with {flag[1]} only"
    return _UNSUPPORTED if outcome.reason.startswith(_UNSUPPORTED) else "about answers that were not seen"


def covered(outcomes: Iterable[Outcome], order: Iterable[str]) -> str:
    """Say how much stands behind a verdict, and what it is not about.

    Args:
        outcomes: What came out.
        order: Verdicts, as they are told.
    """
    outcomes = [*outcomes]
    counts = Counter(outcome.verdict for outcome in outcomes)
    judged = [f"{counts[verdict]} {verdict}" for verdict in order if counts[verdict] and verdict != NOT_SELECTED]
    said = f": {', '.join(judged) or 'nothing judged'}"
    left_out = untested(outcomes)
    if not left_out:
        return said
    alone = len(left_out) == 1
    reasons = ", ".join(why if alone else f"{number} {why}" for why, number in left_out.items())
    return f"{said}; {counts[NOT_SELECTED]} not tested ({reasons})"
