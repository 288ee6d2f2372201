"""The pytest plug-in: ``pytest --pyargs couponcheck --couponcheck-target ...`` runs the suite in anybody's session.

pytest loads this module in every run of an environment that has couponproof, with or without what the suite needs. It
therefore imports nothing of ours, and hardly anything at all, before it is asked to check a target.
"""

from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

import pytest

_WRITES = "also send requests that change data, of a faulty server at least"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a session say what the command's flags say."""
    group = parser.getgroup("couponcheck", "couponcheck, the conformance suite (with --pyargs couponcheck)")

    def add(name: str, about: str, **how: Any) -> None:
        group.addoption(f"--couponcheck-{name}", help=about, **how)

    add("target", "check this: the base URL of a couponmock, or a target file", metavar="TARGET")
    add("vendor", "only this vendor; may be given more than once", metavar="NAME", action="append", default=[])
    add("seed", "of all made-up requests and values (default: 0)", metavar="N", type=_natural, default=0)
    add("allow-writes", _WRITES, action="store_true")
    add("allow-concurrency", "also send some requests at once, ten at most", action="store_true")
    made_up = "make up so many requests for each requirement; none of a server that is not our mock if left out"
    add("generate", made_up, metavar="N", type=_natural)
    again = "write to this host although the file marks it as production"
    add("production", again, metavar="HOST", action="append", default=[])
    judged = "judge a target also if it refuses the credential main of the target file"
    add("no-preflight", judged, action="store_true")
    spent = (
        "a JSON report of an earlier run: what it used up is left alone; each report has what its own run used up, so "
        "name all of them: may be given more than once"
    )
    add("spent", spent, metavar="FILE", type=Path, action="append", default=[])
    add("baseline", "failures that are known and accepted, each with a reason and a date", metavar="FILE", type=Path)
    add("strict", "let warnings fail", action="store_true")
    add("allow-partial", "let data that is missing not fail: a partial run can end with 0", action="store_true")
    reports = "write all reports into this folder: HTML, JSON, Markdown, a badge, and a script for each failure"
    add("report", reports, metavar="FOLDER", type=Path)


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"{text!r} is no number from 0 on")
    return int(text)


def pytest_configure(config: pytest.Config) -> None:
    """Take part in a session that is asked for the suite, and in no other."""
    asked = config.option.pyargs and any(argument.partition("::")[0] == "couponcheck" for argument in config.args)
    if not asked:
        return
    if not config.option.couponcheck_target:
        raise pytest.UsageError("couponcheck: say what to check with --couponcheck-target: a base URL or a target file")
    try:
        from couponcheck.session import Suite
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in {"couponcheck", "couponspec"}:
            raise
        fix = "run pip install 'couponproof[conformance]'"
        raise pytest.UsageError(f"couponcheck: {error.name} is not installed; {fix}") from None
    Suite.take_part(config)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Tell somebody who names a target and does not ask for the suite that nothing was checked."""
    if config.option.couponcheck_target and not config.pluginmanager.hasplugin("couponcheck-suite"):
        terminalreporter.write_line(
            "couponcheck: nothing was checked; the suite is asked for with --pyargs couponcheck"
        )
