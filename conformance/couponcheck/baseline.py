"""Failures that an operator knows of and accepts for a while, each with a reason and a date."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from couponspec import yamlfile
from couponspec.faults import FaultyFile
from couponspec.shape import problems_under

from couponcheck.outcome import FAIL, WARN, Outcome
from couponcheck.shape import shape


@dataclass(frozen=True, slots=True)
class Accepted:
    """One known failure."""

    id: str
    reason: str
    until: date
    """The last day, in UTC, on which it is accepted."""


@dataclass(frozen=True)
class Baseline:
    """The known failures of a target."""

    entries: Mapping[str, Accepted]
    today: date

    def weighed(self, outcome: Outcome) -> Outcome:
        """Let a known failure be a warning as long as it is accepted."""
        entry = self.entries.get(outcome.requirement.id)
        if outcome.verdict != FAIL or entry is None or entry.until < self.today:
            return outcome
        reason = f"known and accepted until {entry.until}: {entry.reason}"
        return Outcome(outcome.requirement, WARN, reason, outcome.mismatches, outcome.exchanges, outcome.readings)

    def stale(self, outcomes: Iterable[Outcome]) -> list[str]:
        """Say which entries are no longer true; those whose requirements were not judged are left alone.

        Args:
            outcomes: What came out, as `weighed` has left it.
        """
        said = []
        for outcome in outcomes:
            entry = self.entries.get(outcome.requirement.id)
            if entry is None:
                continue
            if entry.until < self.today:
                said.append(f"{entry.id}: accepted until {entry.until} only; mend it, or give a later date")
            elif outcome.verdict != WARN or not outcome.mismatches:
                said.append(f"{entry.id}: it does not fail any more ({outcome.verdict}); remove the entry")
        return said


NOTHING = Baseline({}, date.max)
"""No failure is known."""


def load_baseline(file: Path, known: set[str]) -> Baseline:
    """Read the known failures.

    Args:
        file: A YAML file.
        known: Ids of all requirements.

    Raises:
        FaultyFile: the file has not the right shape, or names a requirement that there is not, or one twice.
    """
    read = yamlfile.load(file)
    if faults := problems_under(read, "", read.value, shape("baseline")):
        raise FaultyFile(faults)
    entries: dict[str, Accepted] = {}
    faults = []
    for index, raw in enumerate(read.value["accepted"]):
        place = f"/accepted/{index}/id"
        if raw["id"] not in known:
            fix = "give an id that `couponcheck list` shows"
            faults.append(read.fault(place, f"there is no requirement {raw['id']!r}", fix))
        if raw["id"] in entries:
            faults.append(read.fault(place, f"{raw['id']} is given twice", "keep one of them"))
        entries[raw["id"]] = Accepted(raw["id"], raw["reason"], date.fromisoformat(raw["until"]))
    if faults:
        raise FaultyFile(faults)
    return Baseline(entries, datetime.now(UTC).date())
