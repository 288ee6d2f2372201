"""The verdict over a whole run, and what is refused before one begins."""

import contextlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from couponcheck.catalogue import Requirement, load_catalogue
from couponcheck.judge import ERROR, FAIL, NOT_SELECTED, NOT_TESTABLE, PASS, WARN, Outcome
from couponcheck.run import CONFORMANT, EXIT_CODES, NOT_CONFORMANT, NOT_RUN, PARTIAL, Run, verdict
from couponcheck.target import UnusableTarget, read_bindings
from couponspec import load_document

SOME: Requirement = load_catalogue(load_document("crowdtwist")).checked[0]


def outcomes(*verdicts: str) -> list[Outcome]:
    """Make outcomes with these verdicts."""
    return [Outcome(SOME, one) for one in verdicts]


@pytest.fixture
def quiet_url() -> Iterator[str]:
    """Run a server that knows nothing and answers 501."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


class _Quiet(http.server.BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Be quiet."""


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
        Run.prepare(url, ("crowdtwist",), 0, None, allow_writes=False)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("chargeoverr: {}", "there is no vendor 'chargeoverr'; there are chargeover, crowdtwist"),
        ("- 1", "give vendor, handle and members"),
        ("crowdtwist: {coupon.used: JDSI2JE}", "give vendor, handle and members"),
        ("crowdtwist: {credential.main: {secret: $NO_SUCH_VARIABLE}}", "variable NO_SUCH_VARIABLE is not set"),
    ],
)
def test_a_bindings_file_with_a_mistake_is_refused(content: str, message: str, tmp_path: Path) -> None:
    """The message names the file and what to give."""
    file = tmp_path / "bindings.yaml"
    file.write_text(content, encoding="utf-8")

    with pytest.raises(UnusableTarget, match=message) as refused:
        read_bindings(file)
    assert str(file) in str(refused.value)


@pytest.mark.parametrize(
    ("bindings", "message"),
    [
        ({"credential.main": {"scheme": "basick", "secret": "x"}}, "scheme of credential.main as one of api_key"),
        ({"credential.main": {"scheme": "api_key"}}, "secret of credential.main as a text"),
        ({"credential.main": {"scheme": "api_key", "secret": 7}}, "secret of credential.main as a text"),
        ({"coupon.generate": {"code": "x"}}, "no requirement names coupon.generate; did you mean coupon.generated"),
    ],
)
def test_test_data_that_would_be_misunderstood_is_refused(
    bindings: dict[str, Any], message: str, tmp_path: Path, quiet_url: str
) -> None:
    """A credential nobody could send and a misspelt handle end the run before it begins."""
    given = read_bindings(_written(tmp_path, bindings))

    with pytest.raises(UnusableTarget, match=message), contextlib.closing(_prepared(quiet_url, given)):
        pass


def _written(folder: Path, bindings: dict[str, Any]) -> Path:
    file = folder / "bindings.yaml"
    file.write_text(json.dumps({"crowdtwist": bindings}), encoding="utf-8")
    return file


def _prepared(url: str, given: Any) -> Run:
    return Run.prepare(url, ("crowdtwist",), 0, given, allow_writes=False)
