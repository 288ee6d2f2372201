"""The short forms of a run: a Markdown summary for a CI job's page, and a badge."""

import html
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from couponcheck.aftermath import aftermath
from couponcheck.documented import documented
from couponcheck.headline import headline
from couponcheck.outcome import ERROR, FAIL, NOT_SELECTED, NOT_TESTABLE, PASS, WARN, Outcome
from couponcheck.report import causes
from couponcheck.run import CONFORMANT, NOT_CONFORMANT, PARTIAL, Run
from couponcheck.untested import covered
from couponcheck.wording import shortened

_COLORS = {CONFORMANT: "brightgreen", PARTIAL: "yellow", NOT_CONFORMANT: "red"}
_MARKS = {PASS: "✅", WARN: "⚠️", FAIL: "❌", ERROR: "❌", NOT_TESTABLE: "❔", NOT_SELECTED: "⏭️"}
_COLUMNS = (PASS, WARN, FAIL, ERROR, NOT_TESTABLE, NOT_SELECTED)
_MOST = 50
"""Rows of a table; what is beyond is counted."""


def markdown(run: Run) -> str:
    """Summarize a run for a CI job's page."""
    lines = [f"## couponcheck: {run.verdict}{covered(run.outcomes, _COLUMNS)}"]
    lines += ["", f"`{run.url}`, {run.requests} requests, seed {run.seed}", ""]
    lines += [f"- {entry}" for entry in run.stale]
    lines += ["", f"| vendor | {' | '.join(_COLUMNS)} | documented answers seen |"]
    lines += ["| --- |" + " ---: |" * (len(_COLUMNS) + 1)]
    for vendor, judge in run.judges.items():
        counts = Counter(outcome.verdict for outcome in run.outcomes if outcome.requirement.vendor == vendor)
        known = [*documented(judge.document, run.outcomes)]
        seen = f"{sum(bool(item.seen) for item in known)} of {len(known)}"
        lines.append(f"| {vendor} | {' | '.join(str(counts[verdict]) for verdict in _COLUMNS)} | {seen} |")
    for title, verdicts in (
        ("Not as documented", {FAIL, ERROR}),
        ("Warnings", {WARN}),
        ("Not testable", {NOT_TESTABLE}),
    ):
        chosen = [outcome for outcome in run.outcomes if outcome.verdict in verdicts]
        if verdicts & {FAIL, ERROR}:
            beside = {other.requirement.id for _, others in causes(run) for other in others}
            chosen.sort(key=lambda outcome: outcome.requirement.id in beside)  # what cannot be read explains them
        if chosen:
            lines += ["", f"### {title}", "", "| requirement | what came out | rule |", "| --- | --- | --- |"]
            lines += [*_rows(run, chosen[:_MOST])]
        if len(chosen) > _MOST:
            lines += ["", f"... and {len(chosen) - _MOST} more."]
    for part in aftermath(run):
        lines += ["", f"<details><summary>{html.escape(part.title)}</summary>", ""]
        lines += [f"- {_code(line)}" for line in part.lines[:_MOST]]
        lines += [f"- ... and {len(part.lines) - _MOST} more"] if len(part.lines) > _MOST else []
        lines += ["", "</details>"]
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    """Show a text as it is, whatever is in it."""
    text = " ".join(text.split())
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    return f"{fence} {text} {fence}"


def _rows(run: Run, outcomes: list[Outcome]) -> Iterator[str]:
    for outcome in outcomes:
        judge = run.judges[outcome.requirement.vendor]
        heading = judge.document.sources.headings[outcome.requirement.page]
        rule = f"{outcome.requirement.text} “{outcome.requirement.quote}” ({heading})"
        mark = _MARKS[outcome.verdict]
        yield f"| {mark} `{outcome.requirement.id}` | {_cell(headline(judge, outcome))} | {_cell(rule)} |"


def _cell(text: str) -> str:
    """Make a text safe in a table: no cell ends early, no markup of a server's answer is carried out."""
    text = shortened(text, 300)
    for character in "\\`*_{}[]<>|#":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())


def badge(run: Run) -> dict[str, Any]:
    """Describe a badge, as shields.io takes it from an endpoint."""
    counts = Counter(outcome.verdict for outcome in run.outcomes)
    judged = sum(counts[verdict] for verdict in (PASS, WARN, FAIL, ERROR, NOT_TESTABLE))
    return {
        "schemaVersion": 1,
        "label": "coupon API",
        "message": f"{run.verdict} {counts[PASS] + counts[WARN]}/{judged}",
        "color": _COLORS.get(run.verdict, "lightgrey"),
    }
