"""The verdict over a whole run, and what is refused before one begins."""

import contextlib
from pathlib import Path

import pytest
from alternative_server import alternative
from broken_server import VENDORS
from click.testing import CliRunner
from couponcheck.catalogue import Requirement, load_catalogue
from couponcheck.commands import couponcheck
from couponcheck.outcome import ERROR, FAIL, NOT_SELECTED, NOT_TESTABLE, PASS, WARN, Outcome
from couponcheck.run import CONFORMANT, EXIT_CODES, NOT_CONFORMANT, NOT_RUN, PARTIAL, Run, verdict
from couponcheck.transport import UnusableTarget
from couponspec import load_document
from running_mock import serving

SOME: Requirement = load_catalogue(load_document("crowdtwist")).checked[0]


def outcomes(*verdicts: str) -> list[Outcome]:
    """Make outcomes with these verdicts."""
    return [Outcome(SOME, one) for one in verdicts]


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([PASS, WARN, NOT_SELECTED], CONFORMANT),
        ([PASS, NOT_TESTABLE], PARTIAL),
        ([PASS, NOT_TESTABLE, FAIL], NOT_CONFORMANT),
        ([FAIL, ERROR], NOT_CONFORMANT),
        ([PASS, ERROR], NOT_RUN),
        ([NOT_TESTABLE, NOT_SELECTED], NOT_RUN),
        ([NOT_TESTABLE], NOT_RUN),
        ([], NOT_RUN),
    ],
)
def test_a_verdict_weighs_all_outcomes(verdicts: list[str], expected: str) -> None:
    """One failure decides, missing data makes a run partial, and where nothing was judged nothing was run."""
    assert verdict(outcomes(*verdicts)) == expected


def test_a_run_that_was_broken_off_is_none() -> None:
    """Passes so far are no verdict when more was to come."""
    run = Run("http://x", 0, {}, is_mock=False, outcomes=outcomes(PASS, PASS), selected=3)

    assert (run.verdict, EXIT_CODES[run.verdict]) == (NOT_RUN, 2)


@pytest.mark.parametrize("url", ["foo", "ftp://x", "http://[::1", "http://", "http://x:0", "http://x:99999", ""])
def test_what_is_no_base_url_is_refused_before_anything_is_sent(url: str) -> None:
    """The message says what a base URL looks like."""
    with pytest.raises(UnusableTarget, match="give http://HOST:PORT or https://HOST"):
        Run.prepare(url, ("crowdtwist",), 0)


@pytest.mark.parametrize("vendors", [(), VENDORS[:1], VENDORS])
def test_a_stranger_that_is_given_by_its_url_alone_is_one_sentence_with_the_way_out(vendors: tuple[str, ...]) -> None:
    """Without credentials and data no requirement could be carried out, so none is listed."""
    flags = [word for vendor in vendors for word in ("--vendor", vendor)]
    with alternative("crowdtwist", {}) as stranger:
        done = CliRunner().invoke(couponcheck, ["run", stranger.url, *flags])
    begun = f"`couponcheck init {' '.join(flags or ['--vendor', 'NAME'])} > target.yaml` begins\n"
    assert done.exit_code == 2
    assert done.output.startswith(f"couponcheck: {stranger.url} is not our mock")
    assert done.output.endswith(f"; give a target file, which {begun}")


def test_what_a_mock_was_started_with_does_not_fail_it(tmp_path: Path) -> None:
    """Neither its strictness nor its rate limits are the vendor's."""
    with serving(tmp_path, "--vendor", "chargeover", "--strict", "refuse", "--limit", "chargeover=3/0.01") as mock:
        run = Run.prepare(mock.origin, (), 0)
        with contextlib.closing(run):
            verdicts = {run.judge(requirement).verdict for requirement in run.judges["chargeover"].catalogue.checked}
    assert verdicts == {PASS}
