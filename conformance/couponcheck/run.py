"""One run: targets, requirements, outcomes, and the verdict over all of them."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from couponcheck.baseline import NOTHING, Baseline
from couponcheck.beside import Ahead
from couponcheck.catalogue import Requirement
from couponcheck.environment import fill_in
from couponcheck.exchange import KINDS
from couponcheck.judge import Judge
from couponcheck.outcome import ERROR, FAIL, NOT_TESTABLE, PASS, WARN, Outcome
from couponcheck.pool import spent_before
from couponcheck.preflight import look
from couponcheck.provider import Provider
from couponcheck.target import READ_ONLY, MockAdmin, Permissions, Target, open_given, open_target
from couponcheck.targetfile import TargetFile, promised
from couponcheck.transport import Allowance, UnusableTarget, is_base_url

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
    """Base URL; of a target file with several, all of them."""
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
    allow_partial: bool = False
    """Whether a run is good enough that lacks data for a part of what it was to check."""
    _judged: dict[str, Outcome] = field(default_factory=dict)

    @classmethod
    def prepare(
        cls,
        url: str,
        vendors: tuple[str, ...],
        seed: int,
        permissions: Permissions = READ_ONLY,
        allowance: Allowance | None = None,
    ) -> "Run":
        """Look at what is at a URL and get ready.

        Args:
            url: Base URL of the implementation.
            vendors: Whose promises to check; empty for all that our mock acts as.
            seed: Of everything made up.
            permissions: What may be done to a server that is not our mock.
            allowance: What may be sent, where other processes carry out parts of the same run.

        Raises:
            UnusableTarget: the URL or the vendor cannot be used.
            TargetUnreachable: nobody answers.
            FaultyFile: a document or a catalogue has a mistake.
        """
        _check_url(url)
        with closing(MockAdmin(url)) as admin:
            about = admin.about()  # also the first request of all: a target that is dead is found out at once
        if not vendors:
            if about is None:
                raise UnusableTarget(f"{url} is not our mock; {_begun('NAME')}")
            vendors = tuple(about["vendors"])
        run = cls(url, seed, {}, about is not None)

        run._open(vendors, lambda vendor: open_target(url, vendor, seed, permissions, allowance))
        if not run.is_mock and not any(
            judge.asks(one) for judge in run.judges.values() for one in judge.catalogue.checked
        ):
            run.close()
            raise UnusableTarget(
                f"{url} is not our mock, and nothing can be checked without credentials and data; {_begun(*vendors)}"
            )
        return run

    @classmethod
    def prepare_given(
        cls,
        file: TargetFile,
        vendors: tuple[str, ...],
        seed: int,
        permissions: Permissions = READ_ONLY,
        allowance: Allowance | None = None,
        *,
        reports: Iterable[Mapping[str, Any]] = (),
        preflight: bool = True,
    ) -> "Run":
        """Look at a server that a target file describes and get ready.

        Args:
            file: What its operator has written.
            vendors: Whose promises to check; empty for all that the file names.
            seed: Of everything made up.
            permissions: What may be done to it.
            allowance: What may be sent, where other processes carry out parts of the same run.
            reports: JSON reports of earlier runs, which used some of the data up.
            preflight: Whether a server that refuses the main credential is not judged at all.

        Raises:
            UnusableTarget: a vendor is not in the file, writes are refused, or the main credential is.
            TargetUnreachable: nobody answers.
            FaultyFile: the environment lacks a secret, or a document or a catalogue has a mistake.
        """
        meant = file.chosen(vendors)
        opened = fill_in(file, meant)
        urls = list(dict.fromkeys(opened.base_urls.values()))
        if file.production:
            _check_production(file.path, urls, permissions)
        reports, shared = list(reports), allowance or Allowance(opened.access.limits)
        providers = {id(settings): Provider(settings, opened.secrets) for settings in opened.providers.values()}
        run = cls(", ".join(urls), seed, {}, is_mock=False)

        def open_one(vendor: str) -> Target:
            return open_given(
                opened,
                vendor,
                seed,
                permissions,
                shared,
                spent=spent_before(reports, vendor),
                provider=providers.get(id(opened.providers.get(vendor))),
            )

        run._open(meant, open_one)
        try:
            look([judge.target for judge in run.judges.values()], preflight=preflight)
        except BaseException:
            run.close()
            raise
        return run

    def _open(self, vendors: Iterable[str], open_one: Callable[[str], Target]) -> None:
        try:
            for vendor in vendors:
                document, catalogue = promised(vendor)
                self.judges[vendor] = Judge(document, catalogue, open_one(vendor), self.seed)
        except BaseException:
            self.close()
            raise

    def begin(self, requirements: Collection[Requirement]) -> None:
        """Learn what is to be carried out, so that reads can be where they may be sent at the same time."""
        self.selected = len(requirements)
        for judge in self.judges.values():
            if judge.target.client.at_a_time > 1:
                wanted = [one for one in requirements if one.vendor == judge.catalogue.vendor]
                # A contract is about every answer there is.
                whole = any(one.contract for one in wanted)
                judge.ahead = Ahead(judge, {one.id for one in (judge.catalogue.checked if whole else wanted)})

    def judge(self, requirement: Requirement) -> Outcome:
        """Carry out a requirement and keep what came out; a second time, recall it."""
        if requirement.id not in self._judged:
            outcome = self.baseline.weighed(self.judges[requirement.vendor].outcome(requirement))
            self._judged[requirement.id] = outcome
            self.outcomes.append(outcome)
        return self._judged[requirement.id]

    @property
    def requests(self) -> int:
        """Return how many requests were sent so far."""
        return sum(judge.target.client.count for judge in self.judges.values())

    @property
    def sent(self) -> dict[str, dict[str, int]]:
        """Return vendor -> kind -> how many requests were sent so far."""
        return {
            vendor: {kind: judge.target.client.sent[kind] for kind in KINDS} for vendor, judge in self.judges.items()
        }

    @property
    def verdict(self) -> str:
        """Return the verdict over all outcomes; a run that was broken off has none, and what is stale fails."""
        if len(self.outcomes) < self.selected:
            return NOT_RUN
        found = verdict(self.outcomes, strict=self.strict)
        return NOT_CONFORMANT if self.stale and found != NOT_RUN else found

    @property
    def exit_code(self) -> int:
        """Return the exit code of the verdict."""
        verdict = self.verdict
        return 0 if verdict == PARTIAL and self.allow_partial else EXIT_CODES[verdict]

    @property
    def stale(self) -> list[str]:
        """Say which known failures of the baseline are none any more, or are accepted no longer."""
        return self.baseline.stale(self.outcomes)

    def leave(self) -> None:
        """Put back what requirements have changed and can be put back; what is left is in the judges' changes."""
        for judge in self.judges.values():
            judge.leave()

    def close(self) -> None:
        """Leave the target as it was found, where that is possible."""
        try:
            self.leave()
        finally:
            for judge in self.judges.values():
                judge.target.close()


def _check_url(url: str) -> None:
    """Refuse what cannot be a base URL."""
    if not is_base_url(url):
        fix = "give http://HOST:PORT or https://HOST, or a target file"
        raise UnusableTarget(f"{url} is no base URL and no file; {fix}")


def _begun(*vendors: str) -> str:
    """Say how an operator describes a server."""
    flags = " ".join(f"--vendor {vendor}" for vendor in vendors)
    return f"give a target file, which `couponcheck init {flags} > target.yaml` begins"


def _check_production(path: Path, urls: Iterable[str], permissions: Permissions) -> None:
    """Refuse to do more than read to a host that is marked as production and not named once more."""
    asked_for = {
        "--allow-writes": permissions.writes,
        "--allow-concurrency": permissions.concurrency,
        "--generate": permissions.generate,
    }
    flags = [flag for flag, wanted in asked_for.items() if wanted]
    for url in urls:
        host = urlsplit(url).hostname or ""
        if flags and host not in permissions.production:
            raise UnusableTarget(
                f"{path} marks {host} as production; to use {' and '.join(flags)} all the same add --production {host}"
            )
