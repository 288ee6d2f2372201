"""What a run leaves of a target's data: what it changed, what of that is as it was found, and what is used up.

Of our mock nothing is told: the worlds of the run are gone with all that was changed in them.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from couponcheck.exchange import Exchange
from couponcheck.judge import Judge
from couponcheck.masking import masked
from couponcheck.run import Run
from couponcheck.wording import counted

PUT_BACK, CHANGED, USED_UP = "put back", "changed", "used up"


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of what is left, as every report tells it."""

    kind: str
    """`PUT_BACK`, `CHANGED` or `USED_UP`."""
    title: str
    lines: tuple[str, ...]


def aftermath(run: Run) -> list[Part]:
    """Return what is to be told, without any secret; nothing where nothing is left."""
    kept = [change for change in changes(run) if not change["put_back"]]
    may = f"{counted(len(kept), 'request')} succeeded that may have changed data; no operation takes that back"
    later = "Used up (a later run leaves this alone if you give it this run's JSON report with --spent)"
    parts = [
        Part(
            PUT_BACK,
            "Put back as it was found",
            _grouped(f"{item['requirement']}: {_entities(item)} (by {item['by']})" for item in put_back(run)),
        ),
        Part(CHANGED, may, _grouped(f"{item['requirement']}: {item['status']} {item['curl']}" for item in kept)),
        Part(USED_UP, later, _grouped(f"{item['requirement']}: {_entities(item)}" for item in spent(run))),
    ]
    return [part for part in parts if part.lines]


def _grouped(lines: Iterator[str]) -> tuple[str, ...]:
    """Write a line that is there more than once as one, with how often, where it is for the first time."""
    counts = Counter(line.replace("\r", "\\r").replace("\n", "\\n") for line in lines)
    return tuple(f"{count} x {line}" if count > 1 else line for line, count in counts.items())


def _entities(item: Mapping[str, Any]) -> str:
    return ", ".join(f"{handle} {json.dumps(members)}" for handle, members in item["entities"].items())


def changes(run: Run) -> list[dict[str, Any]]:
    """Return each request that changed a stranger's data, in the order in which they were sent."""
    return [
        {"requirement": change.requirement.id, **asked(judge, change.exchange), "put_back": change.is_put_back}
        for judge in _strangers(run)
        for change in judge.ledger.changes
    ]


def put_back(run: Run) -> list[dict[str, Any]]:
    """Return what is again as it was found."""
    return [
        {
            "vendor": item.requirement.vendor,
            "requirement": item.requirement.id,
            "entities": item.entities,
            "by": item.by,
        }
        for judge in _strangers(run)
        for item in judge.ledger.put_back
    ]


def spent(run: Run) -> list[dict[str, Any]]:
    """Return what is used up."""
    return [
        {"vendor": requirement.vendor, "requirement": requirement.id, "entities": entities}
        for judge in _strangers(run)
        for requirement, entities in judge.ledger.spent
    ]


def _strangers(run: Run) -> Sequence[Judge]:
    return [] if run.is_mock else [*run.judges.values()]


def asked(judge: Judge, exchange: Exchange) -> dict[str, Any]:
    """Return a request as a command, and the status that it got."""
    secrets = judge.target.secrets
    curl = masked(exchange.request.curl(judge.target.client.base_url, secrets), secrets)
    return {"curl": curl, "status": exchange.status}
