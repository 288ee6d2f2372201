"""The suite in a pytest session of somebody's own, as pytest runs it there."""

import contextlib
import json
import re
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from alternative_server import alternative
from broken_server import catalogue, serving
from couponcheck.report import as_json
from couponcheck.run import CONFORMANT, PARTIAL, Run
from couponcheck.targetfile import read_target
from running_mock import Mock
from running_mock import serving as running
from target_files import contents, environment, written

pytest_plugins = ["pytester"]

VENDOR = "chargeover"
VENDORS = ("chargeover", "crowdtwist")
DEFECT = "chargeover.hides-disabled"
Session = Callable[..., pytest.RunResult]


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mock]:
    """Run a mock of two vendors."""
    with running(
        tmp_path_factory.mktemp("session"), *(flag for vendor in VENDORS for flag in ("--vendor", vendor))
    ) as server:
        yield server


@pytest.fixture(scope="module")
def wrong() -> Iterator[str]:
    """Give the URL of a mock with a defect."""
    with serving(VENDOR, defects=(DEFECT,)) as url:
        yield url


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Make a project whose settings are strict."""
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    for vendor in VENDORS:
        for name, value in environment(vendor).items():
            monkeypatch.setenv(name, value)
    # The plug-ins of our own tools take seconds to load; ours is loaded by the name under which it is offered.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    flags = "-p couponcheck -p xdist -p no:cacheprovider --strict-markers -W error"
    pytester.makeini(f"[pytest]\naddopts = {flags}\npython_files = *.py\n")
    return pytester


@pytest.fixture
def session(project: pytest.Pytester) -> Session:
    """Return what runs the suite in a session of the project."""

    def run(target: str | Path, *flags: str) -> pytest.RunResult:
        return project.runpytest_subprocess("--pyargs", "couponcheck", "--couponcheck-target", str(target), *flags)

    return run


@pytest.fixture
def lacking(mock: Mock, project: pytest.Pytester) -> Path:
    """Write a target file that lacks most of the data."""
    raw = contents(mock.origin, VENDOR)
    raw["vendors"][VENDOR]["data"] = {}
    return written(project.path, raw)


def test_the_plugin_is_offered_by_what_is_installed() -> None:
    """Pytest finds it by itself."""
    (found,) = entry_points(group="pytest11", name="couponcheck")
    assert found.value == "couponcheck.pytest_plugin"


def test_requirements_are_tests_named_by_their_ids(session: Session, mock: Mock, tmp_path: Path) -> None:
    """Wherever the suite is installed, on the terminal and in the report that pytest writes."""
    junit = tmp_path / "junit.xml"
    outcome = session(mock.origin, "-v", "-k", "authorization", f"--junitxml={junit}")
    ids = [one.id for one in catalogue(VENDOR).checked if "authorization" in one.id]
    assert outcome.ret == 0
    outcome.assert_outcomes(passed=len(ids))
    outcome.stdout.fnmatch_lines([f"couponcheck/{VENDOR}.yaml::{name} PASSED*" for name in ids])
    assert [case.get("name") for case in ET.parse(junit).iter("testcase")] == ids  # noqa: S314 - written here
    outcome.stdout.fnmatch_lines(
        ["*= couponcheck =*", f"{VENDOR}: {len(ids)} pass; *", f"{mock.origin}: conformant: * (*"]
    )


@pytest.mark.parametrize(
    ("expression", "vendors"),
    [("chargeover and must", {"chargeover"}), ("should", {*VENDORS}), ("getCoupon", {"chargeover"})],
)
def test_markers_choose_by_vendor_level_and_operation(
    session: Session, mock: Mock, expression: str, vendors: set[str]
) -> None:
    outcome = session(mock.origin, "-m", expression, "--collect-only", "-q")
    found = [line.rpartition("::")[2] for line in outcome.outlines if line.startswith("couponcheck/")]
    assert found == [
        one.id
        for vendor in VENDORS
        for one in catalogue(vendor).checked
        if vendor in vendors and (one.level in expression or expression == "getCoupon")
    ]


def test_a_failure_says_what_the_command_says(session: Session, wrong: str) -> None:
    """And no more than that: no traceback of ours. `-x` ends the session, which is no verdict."""
    outcome = session(wrong, "-k", "getCoupon", "-x")
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.assert_outcomes(failed=1, passed=outcome.parseoutcomes().get("passed", 0))
    outcome.stdout.fnmatch_lines(
        ["FAIL chargeover.*", "  rule: *", "  source: *", "  expected: *", "  got: *", f"{wrong}: not run: * (*"]
    )
    assert "Traceback" not in outcome.stdout.str()


@pytest.mark.parametrize("processes", [(), ("-n", "1")], ids=["alone", "xdist"])
def test_a_report_of_pytest_has_the_headline_where_it_has_one_line(
    session: Session, wrong: str, tmp_path: Path, processes: tuple[str, ...]
) -> None:
    junit = tmp_path / "junit.xml"
    outcome = session(wrong, "-k", "disabled", f"--junitxml={junit}", *processes)
    outcome.stdout.fnmatch_lines(["FAILED *::chargeover.getCoupon.disabled - answered *", "*1 failed*"])
    (failure,) = ET.parse(junit).iter("failure")  # noqa: S314 - written here
    assert failure.get("message") == "answered 404 to getCoupon (coupon_id 2); expected status 200"
    assert (failure.text or "").startswith(f"FAIL chargeover.getCoupon.disabled: {failure.get('message')}\n  rule: ")


def test_a_known_failure_is_told_and_passes_unless_the_run_is_strict(
    session: Session, wrong: str, project: pytest.Pytester
) -> None:
    """Nor does a warning become an error where the session has its warnings as errors."""
    failing = re.findall(r"FAIL (chargeover\S+):", session(wrong, "-k", "getCoupon and not survives").stdout.str())[0]
    file = project.path / "known.yaml"
    file.write_text(f"format: 1\naccepted: [{{id: {failing}, reason: known, until: '2999-01-01'}}]\n")
    known = (wrong, "-k", failing, "--couponcheck-baseline", str(file))
    outcome = session(*known)
    outcome.assert_outcomes(passed=1)
    outcome.stdout.fnmatch_lines(
        [f"warn: {failing}: answered *; known and accepted*", "*: conformant with 1 warning: 1 warn (1 of *"]
    )
    assert outcome.ret == 0
    strict = session(*known, "--couponcheck-strict")
    strict.assert_outcomes(failed=1)
    assert strict.ret == pytest.ExitCode.TESTS_FAILED


def test_a_run_that_lacks_data_is_not_green(session: Session, lacking: Path, tmp_path: Path) -> None:
    """Its skips say why; the verdict is a failure of its own, in pytest's report, too."""
    junit = tmp_path / "junit.xml"
    chosen = (lacking, "-k", "getCoupon and not survives", "-rs", f"--junitxml={junit}")
    outcome = session(*chosen)
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(
        [f"*: {PARTIAL}: * not testable, *", "SKIPPED * not testable: the target's data lacks coupon.*"]
    )
    assert outcome.parseoutcomes()["failed"] == 1
    cases = ET.parse(junit).iter("testcase")  # noqa: S314 - written here
    (failed,) = [case for case in cases if case.find("failure") is not None]
    assert (failed.get("classname"), failed.get("name")) == ("couponcheck", "verdict")
    allowed = session(*chosen, "--couponcheck-allow-partial")
    assert allowed.ret == 0
    assert "failed" not in allowed.parseoutcomes()


def test_an_entry_that_does_not_fail_any_more_is_not_green(
    session: Session, mock: Mock, project: pytest.Pytester
) -> None:
    file = project.path / "known.yaml"
    file.write_text("format: 1\naccepted: [{id: chargeover.getCoupon.found, reason: old, until: '2999-01-01'}]\n")
    outcome = session(mock.origin, "-k", "chargeover.getCoupon.found", "--couponcheck-baseline", str(file))
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(["chargeover.getCoupon.found: it does not fail any more*"])


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ([], "say what to check with --couponcheck-target"),
        (["--couponcheck-target", "http://127.0.0.1:1"], "cannot be reached: nobody answers there"),
        (["-n", "2", "--couponcheck-target", "http://127.0.0.1:1"], "cannot be reached: nobody answers there"),
        (["--couponcheck-target", "nowhere.yaml"], "nowhere.yaml is no base URL and no file"),
        (["--couponcheck-target", "tox.ini"], "tox.ini"),
        (["--couponcheck-target", "http://x", "--couponcheck-vendor", "acme"], "there is no vendor 'acme'"),
        (["--couponcheck-target", "http://x", "--couponcheck-seed", "-1"], "'-1' is no number from 0 on"),
        (["--couponcheck-target", "http://x", "--couponcheck-report", "tox.ini"], "File exists"),
        (["--couponcheck-target", "http://x", "--couponcheck-baseline", "none.yaml"], "none.yaml"),
        (["--couponcheck-target", "http://x", "-n", "2", "--dist", "each"], "more than once"),
    ],
)
def test_what_cannot_be_carried_out_is_an_error_of_usage(project: pytest.Pytester, flags: list[str], said: str) -> None:
    """One clear message before anything is collected, and no traceback."""
    outcome = project.runpytest_subprocess("--pyargs", "couponcheck", *flags)
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    assert said in outcome.stderr.str()
    assert "Traceback" not in outcome.stderr.str() + outcome.stdout.str()


@pytest.mark.parametrize("processes", [(), ("-n", "2")])
def test_a_credential_that_is_refused_is_an_error_of_usage_with_the_way_out_of_a_session(
    processes: tuple[str, ...], session: Session, lacking: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in environment(VENDOR):
        monkeypatch.setenv(name, "no-key-of-anybody")
    outcome = session(lacking, *processes)
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    said = outcome.stderr.str().strip().splitlines()
    assert len([line for line in said if " refuses credential.main of " in line]) == 1
    assert said[-1].endswith("or judge the server as it is with --couponcheck-no-preflight")
    judged = session(lacking, "--couponcheck-no-preflight", "-k", "unknown-id", *processes)
    assert judged.ret == pytest.ExitCode.TESTS_FAILED


def test_a_command_that_an_error_names_is_left_as_it_is_to_be_typed(session: Session) -> None:
    with alternative("crowdtwist", {}) as stranger:
        outcome = session(stranger.url)
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    assert "which `couponcheck init --vendor NAME > target.yaml` begins" in outcome.stderr.str()


BLOCKER = """
import sys

NEEDED = {"hypothesis", "jmespath", "requests", "rich", "schemathesis"}

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in NEEDED:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name.partition(".")[0])

sys.meta_path.insert(0, Blocker())

def pytest_sessionfinish():
    print("\\nLOADED", *sorted(name for name in sys.modules if name.startswith(("couponcheck", "couponspec"))))
"""


def test_a_session_that_is_about_something_else_is_left_alone(project: pytest.Pytester) -> None:
    """Even where what the suite needs is not installed; its markers, its ini file, its exit code are its own."""
    project.makepyfile(blocker=BLOCKER, test_own="import pytest\n@pytest.mark.must\ndef test_own(): pass\n")
    project.makeini("[pytest]\naddopts = -p blocker -p couponcheck --strict-markers -W error\nmarkers = must: mine\n")
    outcome = project.runpytest_subprocess("test_own.py", "-m", "must")
    outcome.assert_outcomes(passed=1)
    assert outcome.ret == 0
    outcome.stdout.fnmatch_lines(["LOADED couponcheck couponcheck.pytest_plugin"])
    assert "= couponcheck =" not in outcome.stdout.str()
    lacking = project.runpytest_subprocess("--pyargs", "couponcheck", "--couponcheck-target", "http://127.0.0.1:1")
    assert lacking.ret == pytest.ExitCode.USAGE_ERROR
    lacking.stderr.fnmatch_lines(["ERROR: couponcheck: * is not installed; run pip install 'couponproof?conformance?'"])


def test_a_target_alone_checks_nothing_and_that_is_said(project: pytest.Pytester) -> None:
    project.makepyfile(test_own="def test_own(): pass\n")
    outcome = project.runpytest_subprocess("test_own.py", "--couponcheck-target", "http://127.0.0.1:1")
    assert outcome.ret == 0
    outcome.stdout.fnmatch_lines(["couponcheck: nothing was checked; *--pyargs couponcheck"])


# -- several processes -------------------------------------------------------------------------------------------------


@pytest.fixture
def both(mock: Mock, project: pytest.Pytester) -> Callable[..., Path]:
    """Return what writes a target file about two vendors."""

    def write(**members: Any) -> Path:
        raws = [contents(mock.origin, vendor) for vendor in VENDORS]
        return written(project.path, raws[0] | {"vendors": raws[0]["vendors"] | raws[1]["vendors"]} | members)

    return write


@pytest.mark.timeout(300)  # three processes that start take their time on a busy machine
def test_workers_check_a_vendor_each_and_come_to_the_same(
    session: Session, both: Callable[..., Path], project: pytest.Pytester
) -> None:
    """All of a vendor in one worker in its order, the session's own tests in any; a report as from one process."""
    project.makepyfile(test_own="import pytest\n@pytest.mark.parametrize('n', range(4))\ndef test_own(n): pass\n")
    file = both()
    flags = ("-k", "own or found or checked or json", "test_own.py", "--couponcheck-report", "out", "-n", "2", "-v")
    shared = session(file, *flags)
    done = re.findall(r"\[(gw\d)\].* [A-Z]+ couponcheck/(\w+).yaml::(\S+)", shared.stdout.str())
    assert shared.ret == 0
    assert len({(worker, vendor) for worker, vendor, _ in done}) == len({worker for worker, _, _ in done}) == 2
    assert len(re.findall(r"\[gw\d\].* PASSED test_own.py::", shared.stdout.str())) == 4
    with contextlib.closing(Run.prepare_given(read_target(file), (), 0)) as run:
        names = {name for _, _, name in done}
        chosen = [one for vendor in VENDORS for one in catalogue(vendor).checked if one.id in names]
        for vendor in VENDORS:
            mine = [one.id for one in chosen if one.vendor == vendor]
            assert [name for _, about, name in done if about == vendor] == mine
        run.begin(chosen)
        for requirement in chosen:
            run.judge(requirement)
        report = json.loads((project.path / "out" / "report.json").read_text(encoding="utf-8"))
        # Whoever takes part has a look at the target first: the controller and each worker.
        assert report == as_json(run) | {"requests": run.requests + 2, "sent": report["sent"]}
        assert run.verdict == CONFORMANT
    left_out = f"{sum(report['not_tested'].values())} not tested (with --allow-writes only)"
    shared.stdout.fnmatch_lines(["*= couponcheck =*", f"*: conformant: * pass; {left_out} (*"])


@pytest.mark.timeout(300)  # three processes that start take their time on a busy machine
def test_workers_keep_to_one_limit_of_requests(session: Session, both: Callable[..., Path], mock: Mock) -> None:
    """What is left when it is reached is not testable, as it is in one process."""
    before = len(mock.admin("GET", "/requests?limit=1000").json["requests"])
    outcome = session(both(limits={"requests": 30}), "-n", "2", "-k", "not survives")
    outcome.stdout.fnmatch_lines(["30 requests, *", f"*: {PARTIAL}*"])
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    assert len(mock.admin("GET", "/requests?limit=1000").json["requests"]) - before <= 30


@pytest.mark.timeout(300)  # three processes that start take their time on a busy machine
def test_a_vendor_whose_worker_is_gone_is_not_gone_on_with(
    session: Session, both: Callable[..., Path], project: pytest.Pytester
) -> None:
    """Nobody knows what it had changed; and a run of which a part is lost is none."""
    project.makepyfile(
        crash="""
        import os

        def pytest_runtest_call(item):
            if item.name.endswith("getCoupon.specific"):
                os._exit(1)
        """
    )
    outcome = session(both(), "-p", "crash", "-n", "2", "-k", "getCoupon and (found or specific or repeatable)")
    assert outcome.ret == pytest.ExitCode.TESTS_FAILED
    outcome.stdout.fnmatch_lines(["*the worker that had begun with chargeover is gone*", "*: not run*"])
