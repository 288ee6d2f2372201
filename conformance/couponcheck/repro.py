"""A script for each failure: the whole sequence of requests, to be run as it is."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from couponcheck.headline import headline
from couponcheck.judge import Judge
from couponcheck.masking import masked
from couponcheck.outcome import Outcome
from couponcheck.run import Run
from couponcheck.target import MockTarget
from couponcheck.targetfile import PACK

_MADE = """\
# A world of its own in the mock, dropped in the end.
curl -sS -o /dev/null -X POST -H 'Content-Type: application/json' \\
  -d '{"name": "%s", "pack": "%s"}' "$MOCK/__admin/namespaces"
trap 'curl -sS -X DELETE "$MOCK/__admin/namespaces/%s"' EXIT
"""
_TOLD = " -w '\\n%{http_code}\\n'"
"""Has curl write the status below the body: a fault may be in it alone."""


def scripts(run: Run) -> Iterator[tuple[str, str]]:
    """Yield name and text of a POSIX shell script for each requirement that something is wrong with."""
    for outcome in run.outcomes:
        if outcome.exchanges and outcome.needs_a_look:
            yield f"{outcome.requirement.id}.sh", _script(run.judges[outcome.requirement.vendor], outcome)


def write_scripts(run: Run, folder: Path) -> None:
    """Leave exactly this run's scripts in a folder."""
    if folder.is_dir():
        for old in folder.glob("*.sh"):
            old.unlink()
    for name, text in scripts(run):
        folder.mkdir(exist_ok=True)
        file = folder / name
        file.write_text(text, encoding="utf-8")
        file.chmod(0o755)


def _script(judge: Judge, outcome: Outcome) -> str:
    head = [
        "#!/bin/sh",
        _comment(f"{outcome.requirement.id}: {headline(judge, outcome)}"),
        _comment(f"rule:     {outcome.requirement.text}"),
    ]
    for mismatch in outcome.mismatches:
        of = f" (call {mismatch.call or len(outcome.exchanges)})"
        head += [_comment(f"expected: {mismatch.expected}{of}"), _comment(f"got:      {mismatch.got}")]
    secrets = judge.target.secrets
    said, done = (masked("\n".join(lines), secrets) for lines in (head, [*_requests(judge, outcome)]))
    # Only what this script needs; what resembles a secret has a name that says how.
    variables = {name for written in secrets.values() for name in re.findall(r"\$(\w+)", written)}
    needed = [name for name in sorted(variables) if re.search(rf"\${name}(?!\w)", done)]
    asked = [f': "${{{name}:?set it to the secret}}"' for name in needed]
    return "\n".join([said, "set -eu", *asked, done, ""])


def _requests(judge: Judge, outcome: Outcome) -> Iterator[str]:
    """Yield the lines that send the whole sequence."""
    target = judge.target
    base_url = target.client.base_url
    if isinstance(target, MockTarget):
        world = f"repro-{outcome.requirement.id}"[:64]
        yield f"MOCK={shlex.quote(target.admin.base_url)}"
        yield _MADE % (world, PACK, world) + f'BASE="$MOCK/~{world}"'
    else:
        yield f"BASE={shlex.quote(base_url)}"
    for number, exchange in enumerate(outcome.exchanges, 1):
        command = exchange.request.curl(base_url, {**target.secrets, base_url: "$BASE"}) + _TOLD
        yield ""
        if not exchange.at_once:
            yield from (f"echo '--- call {number}, which got {exchange.status}'", command)
            continue
        # Each with its answer in one piece, so that they can be told apart.
        yield f"(answer=$({command})"
        yield from (f'echo "--- call {number}, at once, which got {exchange.status}', '$answer") &')
        if not any(one.at_once for one in outcome.exchanges[number : number + 1]):
            yield "wait"


def _comment(text: str) -> str:
    return "# " + text.replace("\n", " ").replace("\r", " ")
