"""One run: targets, requirements, outcomes, and the verdict over all of them."""

from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from difflib import get_close_matches
from urllib.parse import urlsplit

from couponspec import Bindings, Document, load_document

from couponcheck.baseline import NOTHING, Baseline
from couponcheck.catalogue import Catalogue, Requirement, load_catalogue
from couponcheck.judge import ERROR, FAIL, NOT_TESTABLE, PASS, WARN, Judge, Outcome
from couponcheck.target import GivenBindings, MockAdmin, UnusableTarget, open_target

CONFORMANT, PARTIAL, NOT_CONFORMANT, NOT_RUN = "conformant", "partial", "not conformant", "not run"
EXIT_CODES = {CONFORMANT: 0, PARTIAL: 1, NOT_CONFORMANT: 1, NOT_RUN: 2}


def verdict(outcomes: Iterable[Outcome], *, strict: bool = False) -> str:
    """Weigh outcomes: a failure decides, missing data makes a run partial, and one that judged nothing is none.

    Args:
        outcomes: What came out.
        strict: Whether a warning is as bad as a failure.
    """
    seen = Counter(outcome.verdict for outcome in outcomes)
    if seen[FAIL] or (strict and seen[WARN]):
        return NOT_CONFORMANT
    if seen[ERROR] or not seen[PASS] + seen[WARN]:
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
    selected: int = 0
    """How many requirements are to come out."""
    baseline: Baseline = NOTHING
    strict: bool = False
    """Whether warnings fail."""

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
        _check_url(url)
        with closing(MockAdmin(url)) as admin:
            about = admin.about()  # also the first request of all: a target that is dead is found out at once
        if given is not None:
            about = None
            vendors = vendors or tuple(given.bindings)
        if not vendors:
            if about is None:
                raise UnusableTarget(f"{url} is not our mock; say whose promises it makes with --vendor")
            vendors = tuple(about["vendors"])
        run = cls(url, seed, {}, about is not None)
        try:
            for vendor in vendors:
                document = load_document(vendor)
                catalogue = load_catalogue(document)
                if given is not None:
                    _check_bindings(given.bindings.get(vendor, {}), document, catalogue)
                target = open_target(url, vendor, seed, given, allow_writes=allow_writes)
                run.judges[vendor] = Judge(document, catalogue, target, seed)
        except BaseException:
            run.close()
            raise
        return run

    def judge(self, requirement: Requirement) -> Outcome:
        """Carry out a requirement and keep what came out."""
        outcome = self.baseline.weighed(self.judges[requirement.vendor].outcome(requirement))
        self.outcomes.append(outcome)
        return outcome

    @property
    def requests(self) -> int:
        """Return how many requests were sent so far."""
        return sum(judge.target.client.count for judge in self.judges.values())

    @property
    def verdict(self) -> str:
        """Return the verdict over all outcomes; a run that was broken off has none, and what is stale fails."""
        if len(self.outcomes) < self.selected:
            return NOT_RUN
        found = verdict(self.outcomes, strict=self.strict)
        return NOT_CONFORMANT if self.stale and found != NOT_RUN else found

    @property
    def stale(self) -> list[str]:
        """Say which known failures of the baseline are none any more, or are accepted no longer."""
        return self.baseline.stale(self.outcomes)

    def close(self) -> None:
        """Leave the target as it was found, where that is possible."""
        for judge in self.judges.values():
            judge.target.close()


def _check_url(url: str) -> None:
    """Refuse what cannot be a base URL."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UnusableTarget(f"{url} is no base URL; give http://HOST:PORT or https://HOST")


def _check_bindings(bindings: Bindings, document: Document, catalogue: Catalogue) -> None:
    """Refuse test data that would be misunderstood."""
    known = {handle for requirement in catalogue.checked for handle in requirement.handles}
    schemes = {security.scheme.name for operation in document.operations.values() for security in operation.security}
    for handle, members in bindings.items():
        if handle not in known and (near := get_close_matches(handle, known - set(bindings), 1, 0.8)):
            raise UnusableTarget(f"{document.vendor}: no requirement names {handle}; did you mean {near[0]}?")
        if not handle.startswith("credential."):
            continue
        if members.get("scheme") not in schemes:
            known_schemes = ", ".join(sorted(schemes))
            raise UnusableTarget(f"{document.vendor}: give the scheme of {handle} as one of {known_schemes}")
        if not isinstance(members.get("secret"), str) or not members["secret"].isascii():
            raise UnusableTarget(f"{document.vendor}: give the secret of {handle} as a text of ASCII characters")
