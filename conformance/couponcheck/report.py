"""What a person and a program get to see of a run."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any

from couponspec.version import version
from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from couponcheck.aftermath import aftermath, asked, changes, put_back, spent
from couponcheck.condition import verification_of
from couponcheck.exchange import Exchange
from couponcheck.headline import headline, sender
from couponcheck.judge import Judge
from couponcheck.masking import masked
from couponcheck.outcome import ERROR, FAIL, NOT_SELECTED, NOT_TESTABLE, PASS, WARN, Outcome
from couponcheck.provision import IF_SPENT
from couponcheck.run import CONFORMANT, PARTIAL, Run
from couponcheck.targetfile import is_data, known
from couponcheck.transport import UnusableTarget
from couponcheck.untested import covered, untested
from couponcheck.wording import counted, shortened

REPORT_VERSION = 1
_STYLES = {
    FAIL: "bold red",
    ERROR: "bold red",
    WARN: "yellow",
    NOT_TESTABLE: "magenta",
    NOT_SELECTED: "dim",
    PASS: "green",
}
"""Verdicts, the worst first."""
_LONGEST_BODY = 4000
_LONGEST_REASON = 240
_MOST_MISMATCHES = 3
"""What is not as expected of one requirement that is told; the JSON report has all."""
_MOST_CALLS = 10
"""Calls that are told; the scripts have all."""
_MOST_LEFT = 20
"""Of what a run leaves behind that is told on a terminal, of each kind."""
_OPEN = {"status", "example", "any_of"}
"""Words of an expectation that what a page leaves open can be about."""
_EVERY = 50
"""Requirements between two lines of progress in a log."""


class Progress:
    """Shows how far a run is: a bar on a terminal, a line now and then elsewhere."""

    def __init__(self, console: Console, what: str = "requirements") -> None:
        """Show on a console.

        Args:
            console: Where.
            what: What is counted, in the plural.
        """
        self._console = console
        self._what = what
        self._bar = Bar(
            TextColumn("{task.fields[requirement]}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[requests]} requests"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )

    def start(self, total: int) -> None:
        """Begin; so many requirements are to come."""
        self._done, self._total = 0, total
        self._bar.start()
        self._task = self._bar.add_task("", total=total, requirement="", requests=0)

    def advance(self, requirement: str, requests: int) -> None:
        """One more is done."""
        self._done += 1
        self._bar.update(self._task, advance=1, requirement=requirement, requests=requests)
        if not self._console.is_terminal and (self._done % _EVERY == 0 or self._done == self._total):
            self._console.print(f"{self._done} of {self._total} {self._what}, {requests} requests", highlight=False)

    def stop(self) -> None:
        """End, however the run ended."""
        self._bar.stop()


def failure(judge: Judge, outcome: Outcome, beside: Sequence[Outcome] = ()) -> str:
    """Tell all about one failure: what was observed, the rule and what it rests on, and the requests to try.

    Args:
        judge: Who judged it.
        outcome: The failure.
        beside: Others that failed on answers that are wrong in the same way.
    """
    requirement = outcome.requirement
    sources = judge.document.sources
    lines = [f"{outcome.verdict.upper()} {requirement.id}: {headline(judge, outcome)}"]
    lines.append(f"  rule:     {requirement.text} ({requirement.level})")
    lines.append(f"  source:   “{requirement.quote}” ({sources.headings[requirement.page]})")
    for mismatch in outcome.mismatches[:_MOST_MISMATCHES]:
        of = f" (call {mismatch.call})" if mismatch.call else ""
        lines += [f"  expected: {mismatch.expected}{of}", f"  got:      {mismatch.got}"]
    if (more := len(outcome.mismatches) - _MOST_MISMATCHES) > 0:
        lines.append(f"            and {more} more like that")
    lines += [*_calls(judge, outcome)]
    if requirement.reading and any(mismatch.word in _OPEN for mismatch in outcome.mismatches):
        reading = sources.readings[requirement.reading]
        lines.append(f"  open:     {reading.question} Accepted: {', '.join(reading.options)}.")
    data = sorted(filter(is_data, requirement.needs))
    if data and not judge.target.is_restored:
        lines.append(f"  data:     {'; '.join([', '.join(data), *_advice(judge, outcome, data)])}")
    if beside:
        ids = ", ".join(other.requirement.id.partition(".")[2] for other in beside)
        lines.append(f"  as well:  {len(beside)} more cannot be kept by answers that nobody can read: {ids}")
    return masked("\n".join(lines), judge.target.secrets)


def _advice(judge: Judge, outcome: Outcome, data: Sequence[str]) -> Iterator[str]:
    """Yield how to find out whether a stranger's data is to blame."""
    requirement, catalogue = outcome.requirement, judge.catalogue
    pack = known(requirement.vendor)[2]
    if any(verification_of(pack.by_handle[handle], pack, catalogue) for handle in data if handle in pack.by_handle):
        yield "`couponcheck doctor` tells whether they are as the target file says"
    if requirement.spends:
        yield IF_SPENT
    if outcome.exchanges and outcome.exchanges[-1].status == HTTPStatus.NOT_FOUND:
        yield f"{HTTPStatus.NOT_FOUND:d} may say that the target does not know what the file names"


def _calls(judge: Judge, outcome: Outcome) -> Iterator[str]:
    """Yield a line for each call with what it got; what decided is marked, and has its whole answer."""
    numbered = [*enumerate(outcome.exchanges, 1)]
    decided = {mismatch.call or len(numbered) for mismatch in outcome.mismatches[:_MOST_MISMATCHES]} or {len(numbered)}
    notes: dict[int, list[str]] = {number: sender(judge, exchange) for number, exchange in numbered}
    for number, told in dict.fromkeys(pair for mismatch in outcome.mismatches for pair in mismatch.before):
        notes[number].append(told)
    if len(numbered) > _MOST_CALLS:
        yield f"  calls:    {len(numbered)}, the last of them:"
    for number, exchange in numbered[-_MOST_CALLS:]:
        curl = exchange.request.curl(judge.target.client.base_url, judge.target.secrets)
        mark = ">" if number in decided and len(numbered) > 1 else " "
        label = f"call {number}:" if len(numbered) > 1 else "request:"
        note = f"  ({', '.join(notes[number])})" if notes[number] else ""
        yield f"{mark} {label:9} {exchange.status}{' at once' if exchange.at_once else ''}{note}  {curl}"
        # Nobody reads a long answer twice.
        if number in decided and not any(exchange.text in mismatch.got for mismatch in outcome.mismatches):
            yield f"  answer:   {exchange.status} {exchange.media_type} {_body(judge, exchange)}"


def _body(judge: Judge, exchange: Exchange) -> str:
    return shortened(masked(exchange.text, judge.target.secrets), _LONGEST_BODY)


def causes(run: Run) -> list[tuple[Outcome, list[Outcome]]]:
    """Return what is to be looked at, each with what fails on the same unreadable answers beside it.

    Of an answer that is no JSON no member is as expected, which says nothing about the members.
    """
    found = [outcome for outcome in run.outcomes if outcome.needs_a_look]
    unreadable = {
        (outcome.requirement.vendor, outcome.requirement.operation): outcome
        for outcome in found
        if outcome.requirement.contract and outcome.requirement.contract.aspect == "json"
    }
    beside: dict[str, list[Outcome]] = {outcome.requirement.id: [] for outcome in unreadable.values()}
    alone = []
    for outcome in found:
        cause = unreadable.get((outcome.requirement.vendor, outcome.requirement.operation))
        if cause and outcome is not cause and outcome.exchanges and outcome.exchanges[-1].parsed[1]:
            beside[cause.requirement.id].append(outcome)
        else:
            alone.append((outcome, beside.get(outcome.requirement.id, [])))
    return alone


def show(console: Console, run: Run, *, verbose: bool = False) -> None:
    """Print the table, each failure, and the verdict.

    Args:
        console: Where.
        run: What came out.
        verbose: Whether what passes is listed also where there is something to be looked at.
    """
    failures = causes(run)
    passed = {PASS} if failures and not verbose else set()
    table = Table(box=box.SIMPLE, pad_edge=False)
    table.add_column("requirement", no_wrap=True)
    table.add_column("level", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("what came out", overflow="fold")
    for outcome in run.outcomes:
        if outcome.verdict in passed:
            continue
        told = shortened(headline(run.judges[outcome.requirement.vendor], outcome), _LONGEST_REASON)
        verdict = Text(outcome.verdict, style=_STYLES[outcome.verdict])
        table.add_row(outcome.requirement.id, outcome.requirement.level, verdict, Text(told))
    console.print(table)
    if passed:
        console.print("Requirements that pass are not listed; --verbose lists them.\n")
    if failures and run.is_mock:
        console.print(
            "The test data of this run is deleted; the scripts that --report DIR writes bring it back to repeat this.\n"
        )
    for outcome, beside in failures:
        console.print(Text(failure(run.judges[outcome.requirement.vendor], outcome, beside)), soft_wrap=True)
        console.print()
    conclude(console, run)


def conclude(console: Console, run: Run) -> None:
    """Print the counts, what the run has left behind, and the verdict."""
    for vendor in run.judges:
        counts = Counter(o.verdict for o in run.outcomes if o.requirement.vendor == vendor)
        told = [f"{counts[verdict]} {verdict}" for verdict in _STYLES if counts[verdict]]
        if told:
            console.print(f"{vendor}: {', '.join(told)}; {requests_said(run.sent[vendor])}", highlight=False)
    for entry in run.stale:
        console.print(Text(f"baseline: {entry}", style="bold red"), soft_wrap=True)
    for part in aftermath(run):
        console.print(f"{part.title}:", highlight=False)
        for line in part.lines[:_MOST_LEFT]:
            console.print(Text(f"  {line}"), soft_wrap=True)
        if (more := len(part.lines) - _MOST_LEFT) > 0:
            console.print(f"  and {more} more, which --json and --report list", highlight=False)
    excluded = sum(len(j.catalogue.requirements) - len(j.catalogue.checked) for j in run.judges.values())
    console.print(
        f"{run.requests} requests, seed {run.seed}; {excluded} rules are not checked (`couponcheck list` says why).",
        highlight=False,
    )
    total = sum(len(judge.catalogue.checked) for judge in run.judges.values())
    chosen = f" ({len(run.outcomes)} of {total} requirements were selected)" if len(run.outcomes) < total else ""
    warnings = sum(outcome.verdict == WARN for outcome in run.outcomes)
    warned = f" with {counted(warnings, 'warning')}" if warnings and run.verdict in {CONFORMANT, PARTIAL} else ""
    verdict = f"{run.url}: {run.verdict}{warned}{covered(run.outcomes, _STYLES)}{chosen}"
    console.print(Text(verdict, style="bold"), soft_wrap=True)


def requests_said(sent: Mapping[str, int]) -> str:
    """Say how many requests of which kind were sent."""
    kinds = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in sent.items() if count)
    total = sum(sent.values())
    return f"{total} requests" + (f" ({kinds})" if kinds else "")


def as_json(run: Run) -> dict[str, Any]:
    """Return the run as data."""
    return {
        "report_version": REPORT_VERSION,
        "couponcheck": version(),
        "target": {"url": run.url, "mock": run.is_mock, "vendors": list(run.judges)},
        "seed": run.seed,
        "verdict": run.verdict,
        "strict": run.strict,
        "stale": run.stale,
        "counts": dict(Counter(outcome.verdict for outcome in run.outcomes)),
        "not_tested": untested(run.outcomes),
        "requests": run.requests,
        "sent": run.sent,
        "changed": changes(run),
        "put_back": put_back(run),
        "spent": spent(run),
        "requirements": [_outcome(run.judges[o.requirement.vendor], o) for o in run.outcomes]
        + [
            {
                "id": requirement.id,
                "level": requirement.level,
                "text": requirement.text,
                "verdict": "excluded",
                "headline": " ".join(requirement.excluded.split()),
                "reason": requirement.excluded,
                "source": {"page": requirement.page, "quote": requirement.quote},
            }
            for judge in run.judges.values()
            for requirement in judge.catalogue.requirements
            if requirement.excluded
        ],
    }


def _outcome(judge: Judge, outcome: Outcome) -> dict[str, Any]:
    requirement = outcome.requirement
    secrets = judge.target.secrets
    told = outcome.exchanges if outcome.verdict in {FAIL, WARN, ERROR} else ()
    return {
        "id": requirement.id,
        "level": requirement.level,
        "text": requirement.text,
        "verdict": outcome.verdict,
        "headline": headline(judge, outcome),
        "reason": masked(outcome.reason, secrets),
        "source": {"page": requirement.page, "quote": requirement.quote},
        "readings": [str(option) for option in outcome.readings],
        "mismatches": [
            {
                "expected": masked(mismatch.expected, secrets),
                "got": masked(mismatch.got, secrets),
                "call": mismatch.call or len(outcome.exchanges),
            }
            for mismatch in outcome.mismatches
        ],
        "exchanges": [_exchange(judge, exchange) for exchange in told],
    }


def _exchange(judge: Judge, exchange: Exchange) -> dict[str, Any]:
    secrets = judge.target.secrets
    return {
        **asked(judge, exchange),
        "headers": {name: masked(value, secrets) for name, value in exchange.headers.items()},
        "body": _body(judge, exchange),
    }


def write_json(run: Run, file: Any) -> None:
    """Write the run as JSON to an open text file."""
    json.dump(as_json(run), file, indent=2, ensure_ascii=False)
    file.write("\n")


def read_json(path: Path) -> dict[str, Any]:
    """Read the report of an earlier run.

    Raises:
        UnusableTarget: the file is none.
    """
    try:
        report: Any = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        report = None
    if not isinstance(report, dict) or report.get("report_version") != REPORT_VERSION:
        raise UnusableTarget(f"{path} is no JSON report of a run; give one that `couponcheck run --json` wrote")
    return report
