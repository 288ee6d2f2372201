"""One run: targets, requirements, outcomes, and the verdict over all of them."""

from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field

from couponspec import load_document

from couponcheck.catalogue import Requirement, load_catalogue
from couponcheck.judge import ERROR, FAIL, NOT_TESTABLE, PASS, WARN, Judge, Outcome
from couponcheck.target import GivenBindings, MockAdmin, UnusableTarget, open_target

CONFORMANT, PARTIAL, NOT_CONFORMANT, NOT_RUN = "conformant", "partial", "not conformant", "not run"
EXIT_CODES = {CONFORMANT: 0, PARTIAL: 1, NOT_CONFORMANT: 1, NOT_RUN: 2}


def verdict(outcomes: Iterable[Outcome]) -> str:
    """Weigh outcomes: a failure decides, missing data makes a run partial, and one that judged nothing is none."""
    seen = Counter(outcome.verdict for outcome in outcomes)
    if seen[FAIL]:
        return NOT_CONFORMANT
    if seen[ERROR] or not seen[PASS] + seen[WARN] + seen[NOT_TESTABLE]:
        return NOT_RUN
    return PARTIAL if seen[NOT_TESTABLE] else CONFORMANT


@dataclass
class Run:
    """Everything about one run of the suite against one base URL."""

    url: str
    seed: int
    judges: dict[str, Judge]
    """Vendor -> who judges."""
    is_mock: bool
    outcomes: list[Outcome] = field(default_factory=list)
    """In the order in which they came out."""

    @classmethod
    def prepare(
        cls, url: str, vendors: tuple[str, ...], seed: int, given: GivenBindings | None, *, allow_writes: bool
    ) -> "Run":
        """Look at the target and get ready.

        Args:
            url: Base URL of the implementation.
            vendors: Whose promises to check; empty for all that our mock acts as.
            seed: Of everything made up.
            given: The operator's test data, for a server that is not our mock.
            allow_writes: Whether such a server's data may be changed.

        Raises:
            UnusableTarget: the URL, the vendor or the data cannot be used.
            TargetUnreachable: nobody answers.
            FaultyFile: a document or a catalogue has a mistake.
        """
        with closing(MockAdmin(url)) as admin:
            about = admin.about() if given is None else None
        if not vendors:
            if about is None:
                raise UnusableTarget(f"{url} is not our mock; say whose promises it makes with --vendor")
            vendors = tuple(about["vendors"])
        run = cls(url, seed, {}, about is not None)
        try:
            for vendor in vendors:
                document = load_document(vendor)
                target = open_target(url, vendor, seed, given, allow_writes=allow_writes)
                run.judges[vendor] = Judge(document, load_catalogue(document), target, seed)
        except BaseException:
            run.close()
            raise
        return run

    def judge(self, requirement: Requirement) -> Outcome:
        """Carry out a requirement and keep what came out."""
        outcome = self.judges[requirement.vendor].outcome(requirement)
        self.outcomes.append(outcome)
        return outcome

    @property
    def requests(self) -> int:
        """Return how many requests were sent so far."""
        return sum(judge.target.client.count for judge in self.judges.values())

    @property
    def verdict(self) -> str:
        """Return the verdict over all outcomes."""
        return verdict(self.outcomes)

    def close(self) -> None:
        """Leave the target as it was found, where that is possible."""
        for judge in self.judges.values():
            judge.target.close()
