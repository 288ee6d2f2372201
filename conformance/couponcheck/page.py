"""The report as one HTML file that needs nothing else: no script, no font, no network."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from couponspec.version import version
from markupsafe import Markup

from couponcheck.aftermath import aftermath
from couponcheck.documented import documented
from couponcheck.exchange import Exchange
from couponcheck.headline import headline
from couponcheck.judge import Judge
from couponcheck.masking import masked
from couponcheck.outcome import ERROR, FAIL, NOT_SELECTED, NOT_TESTABLE, PASS, WARN, Outcome
from couponcheck.report import requests_said
from couponcheck.run import Run
from couponcheck.wording import shortened

_VERDICTS = (FAIL, ERROR, WARN, NOT_TESTABLE, NOT_SELECTED, PASS)
_LONGEST_BODY = 2000
_MOST_CALLS = 12
"""Exchanges of a requirement that are shown; made-up requests are many."""


def page(run: Run) -> str:
    """Render a run."""
    counts = Counter(outcome.verdict for outcome in run.outcomes)
    return _template().render(
        run=run,
        version=version(),
        written=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        # What went wrong is on top of a page that is opened in a hurry.
        shown=next((verdict for verdict in (FAIL, ERROR) if counts[verdict]), ""),
        counts=[(verdict, _slug(verdict), counts[verdict]) for verdict in _VERDICTS if counts[verdict]],
        aftermath=aftermath(run),
        vendors=[_vendor(run, vendor, judge) for vendor, judge in run.judges.items()],
    )


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["verbatim"] = _verbatim
    return environment.from_string((Path(__file__).parent / "templates" / "report.html").read_text(encoding="utf-8"))


def _verbatim(text: str) -> Markup:
    """Escape what is between tags; the quotation marks of JSON would be a quarter of a page if they were escaped."""
    return Markup(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))  # noqa: S704 - escaped here


def _slug(text: str) -> str:
    return text.replace(" ", "-")


def _vendor(run: Run, vendor: str, judge: Judge) -> Mapping[str, Any]:
    outcomes = [outcome for outcome in run.outcomes if outcome.requirement.vendor == vendor]
    operations = dict.fromkeys(outcome.requirement.operation for outcome in outcomes)
    return {
        "name": vendor,
        "title": judge.document.sources.title,
        "requests": requests_said(run.sent[vendor]),
        "operations": {
            operation: [_outcome(judge, o) for o in outcomes if o.requirement.operation == operation]
            for operation in operations
        },
        "excluded": [requirement for requirement in judge.catalogue.requirements if requirement.excluded],
        "documented": [*documented(judge.document, outcomes)],
    }


def _outcome(judge: Judge, outcome: Outcome) -> Mapping[str, Any]:
    requirement, secrets = outcome.requirement, judge.target.secrets
    reading = judge.document.sources.readings.get(requirement.reading)
    told = _told(judge, outcome)
    # What decided comes last, so it is the beginning that is left out.
    shown = told[-_MOST_CALLS:]
    return {
        "requirement": requirement,
        "verdict": outcome.verdict,
        "slug": _slug(outcome.verdict),
        "headline": headline(judge, outcome),
        "heading": judge.document.sources.headings[requirement.page],
        "reading": reading,
        "mismatches": [(masked(m.expected, secrets), masked(m.got, secrets)) for m in outcome.mismatches],
        "left_out": sum(len(one["numbers"]) for one in told[: -len(shown)]) if shown else 0,
        "exchanges": shown,
    }


def _told(judge: Judge, outcome: Outcome) -> list[dict[str, Any]]:
    """Tell the exchanges in their order; those in a row that are alike as one, with the numbers of all."""
    told: list[dict[str, Any]] = []
    for number, exchange in enumerate(outcome.exchanges, 1):
        one = _exchange(judge, exchange)
        if told and {**told[-1], "numbers": []} == one:
            told[-1]["numbers"].append(number)
        else:
            told.append({**one, "numbers": [number]})
    return told


def _exchange(judge: Judge, exchange: Exchange) -> dict[str, Any]:
    secrets = judge.target.secrets
    return {
        "numbers": [],
        "curl": masked(exchange.request.curl(judge.target.client.base_url, secrets), secrets),
        "status": exchange.status,
        "media_type": exchange.media_type,
        "body": shortened(masked(exchange.text, secrets), _LONGEST_BODY),
        "at_once": exchange.at_once,
    }
