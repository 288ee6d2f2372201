"""CrowdTwist's companion operation on a target that allows it: data is made fit, and left as it was found."""

import html
import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from alternative_server import alternative
from broken_server import document, serving
from click.testing import CliRunner
from coupon_client import ask
from couponcheck.commands import couponcheck
from couponcheck.outcome import FAIL, NOT_TESTABLE, PASS, Outcome
from couponcheck.run import CONFORMANT
from couponcheck.starter import started
from couponcheck.target import Permissions
from couponcheck.targetfile import PACK
from couponmock.exchange import Handler, Reply, Request
from couponspec import load_pack
from target_files import contents, described, environment, judged, running, written

COUPONCHECK = str(Path(sys.executable).with_name("couponcheck"))
UNUSE = "crowdtwist.unuseCoupon."
LIST = "crowdtwist.listUsableCoupons."
USED = "JDSI2JE"
USABLE = "ACC58111301"
MEMBERS = ("1001", "1002")
GIVEN_UP = "useCoupon was answered 404 before, so it is not called any more in this run and no other coupon stands in"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment("crowdtwist").items():
        monkeypatch.setenv(name, value)


def little(url: str, *, companions: bool, **data: Any) -> dict[str, Any]:
    """Return a file with two members, one used coupon and whatever else is given."""
    raw = contents(url, "crowdtwist")
    whole = raw["vendors"]["crowdtwist"]["data"]
    kept = ("member.alice", "member.bob", "coupon.generated")
    raw["vendors"]["crowdtwist"]["data"] = {
        **{handle: whole[handle] for handle in kept},
        "coupon.used": {"code": USED},
        **{name.replace("__", "."): value for name, value in data.items()},
    }
    raw["vendors"]["crowdtwist"]["companions"] = companions
    return raw


def listed(url: str) -> list[Any]:
    """Return what the members' lists show."""
    return [ask(f"{url}/v2/users/{member}/usable_coupons?api_key=QWERTY") for member in MEMBERS]


def passed(found: dict[str, Outcome]) -> set[str]:
    return {name for name, outcome in found.items() if outcome.verdict == PASS}


def test_one_used_coupon_serves_every_requirement_that_needs_one_and_is_used_in_the_end(tmp_path: Path) -> None:
    with serving("crowdtwist") as url:
        before = listed(url)
        with running(tmp_path, little(url, companions=True)) as run:
            found = judged(run)
            (judge,) = run.judges.values()
            assert [change for change in judge.ledger.changes if not change.is_put_back] == []
            assert judge.ledger.spent == []
            assert {item.by for item in judge.ledger.put_back} == {"useCoupon"}
        assert listed(url) == before
        with running(tmp_path, little(url, companions=False)) as run:
            without = judged(run)
    assert passed(without) < passed(found)
    names = "second-time value-is-text key-required key-checked other-client value-named malformed-harmless at-once-one"
    assert passed(found) - passed(without) >= {f"{UNUSE}{name}" for name in names.split()}
    # What needs two coupons at once has one only.
    lacking = found[f"{UNUSE}at-once-several"]
    reason = "the target's data lacks coupon.used_second"
    assert (lacking.verdict, lacking.reason) == (NOT_TESTABLE, reason)


def test_a_used_coupon_is_made_of_a_usable_one_of_the_same_member_and_made_usable_again(tmp_path: Path) -> None:
    """A coupon of Bob's stands for his used one; no coupon of Bob's for one of Alice's."""
    chosen = (f"{LIST}omits-used", f"{UNUSE}at-once-several", f"{UNUSE}value-named")
    with serving("crowdtwist") as url:
        before = listed(url)
        raw = little(url, companions=True, coupon__five={"code": USABLE}, coupon__bob_ten={"code": "BOB-TEN-1"})
        with running(tmp_path, raw) as run:
            assert passed(judged(run, *chosen)) == {*chosen}
            (judge,) = run.judges.values()
            moved = [(list(item.entities.values()), item.by) for item in judge.ledger.put_back]
            assert ([{"code": USABLE}], "unuseCoupon") in moved
            assert ([{"code": USED}], "useCoupon") in moved
        assert listed(url) == before
        del raw["vendors"]["crowdtwist"]["data"]["coupon.used"], raw["vendors"]["crowdtwist"]["data"]["coupon.five"]
        with running(tmp_path, raw) as run:
            outcome = judged(run, f"{UNUSE}value-named")[f"{UNUSE}value-named"]
    assert (outcome.verdict, outcome.reason) == (NOT_TESTABLE, "the target's data lacks coupon.still_used")


@pytest.mark.parametrize(("companions", "writes"), [(False, True), (True, False)])
def test_no_companion_is_called_unless_file_and_command_line_allow_it(
    companions: bool,  # noqa: FBT001 - a parameter of the test's table
    writes: bool,  # noqa: FBT001 - as above
    tmp_path: Path,
) -> None:
    asked: list[str] = []

    def watched(right: Handler) -> Handler:
        def handle(request: Request) -> Reply:
            asked.append(request.path)
            return right(request)

        return handle

    with serving("crowdtwist", handling=watched) as url:
        raw = little(url, companions=companions, coupon__five={"code": USABLE})
        with running(tmp_path, raw, Permissions(writes=writes, concurrency=True)) as run:
            outcome = judged(run)[f"{LIST}omits-used"]
    assert asked
    assert "/v2/coupon/use" not in asked
    hint = "; companions may make data with --allow-writes only" if companions else ""
    assert (outcome.verdict, outcome.reason) == (NOT_TESTABLE, f"the target's data lacks coupon.still_used{hint}")


def test_with_all_data_everything_passes_and_only_what_no_companion_brings_back_is_left(tmp_path: Path) -> None:
    with serving("crowdtwist") as url:
        raw = contents(url, "crowdtwist")
        raw["vendors"]["crowdtwist"]["companions"] = True
        with running(tmp_path, raw) as run:
            found = judged(run)
            assert {name: outcome.reason for name, outcome in found.items() if outcome.verdict != PASS} == {}
            assert run.verdict == CONFORMANT
            (judge,) = run.judges.values()
            # An expired coupon cannot be used again, nor can one of a client whose key companions are not called with.
            left = {change.requirement.id for change in judge.ledger.changes if not change.is_put_back}
            assert left == {f"{UNUSE}expired-stays-unusable"}
            others = {f"{UNUSE}life-cycle", f"{UNUSE}same-code-other-client"}
            assert {one.id for one, _ in judge.ledger.spent} == left | others


@pytest.mark.parametrize(
    ("defect", "accused"),
    [
        ("crowdtwist.used-unexpiring-listed", f"{LIST}omits-used"),
        ("crowdtwist.unuse-whole-reward", f"{UNUSE}only-that-coupon"),
        ("crowdtwist.unuse-not-done", f"{UNUSE}usable-again"),
        ("crowdtwist.unuse-without-key", f"{UNUSE}key-required"),
        ("crowdtwist.plain-text-works", f"{UNUSE}other-types-harmless"),
        ("crowdtwist.same-unuse-shared", f"{UNUSE}at-once-one"),
    ],
)
def test_no_fault_hides_behind_a_companion(defect: str, accused: str, tmp_path: Path) -> None:
    with serving("crowdtwist", defects=(defect,)) as url:
        raw = contents(url, "crowdtwist")
        raw["vendors"]["crowdtwist"]["companions"] = True
        with running(tmp_path, raw) as run:
            assert judged(run)[accused].verdict == FAIL


def test_a_server_without_the_companion_is_not_accused_and_is_said_to_be_changed(tmp_path: Path) -> None:
    """What was given as used serves once, as without companions; a usable coupon cannot be made stand for it."""
    seed = load_pack(document("crowdtwist"), PACK).bindings(int(time.time()))
    chosen = (f"{UNUSE}usable-again", f"{UNUSE}value-named", f"{UNUSE}second-time")
    with serving("crowdtwist") as url:
        raw = little(url, companions=True, coupon__five={"code": USABLE})
    with (
        alternative("crowdtwist", seed) as server,
        running(tmp_path, {**raw, "base_url": server.url}) as run,
    ):
        found = judged(run, *chosen)
        run.leave()
        (judge,) = run.judges.values()
        changes = [(change.requirement.id, change.is_put_back) for change in judge.ledger.changes]
        spent = [entities for _, entities in judge.ledger.spent]
    assert found[chosen[0]].verdict == PASS
    assert {found[name].verdict for name in chosen[1:]} == {NOT_TESTABLE}
    assert found[chosen[2]].reason == GIVEN_UP
    assert changes == [(chosen[0], False)]
    assert spent == [{"coupon.used": {"code": USED}}]


def test_a_companion_that_is_not_there_is_called_once_and_no_coupon_is_borrowed_after_that(tmp_path: Path) -> None:
    """What the operator gave for the very handle is judged as without companions."""
    seed = load_pack(document("crowdtwist"), PACK).bindings(int(time.time()))
    found, sent = {}, {}
    with alternative("crowdtwist", seed) as server:
        raw = described(server.url, "crowdtwist", seed)
        for allowed in (False, True):
            server.service.reset()
            raw["vendors"]["crowdtwist"]["companions"] = allowed
            with running(tmp_path, raw) as run:
                found[allowed] = {name: outcome.verdict for name, outcome in judged(run).items()}
                run.leave()
                sent[allowed] = run.requests
                (judge,) = run.judges.values()
                assert [item.by for item in judge.ledger.put_back] == []
    assert found[True] == found[False]
    assert sent[True] < sent[False] + 20


@pytest.mark.parametrize(
    ("given", "chosen", "reasons"),
    [
        (
            {"coupon.five": USABLE},
            ("value-named", "second-time"),
            ["useCoupon does not make coupon.five used: expected status 2xx; got status 501", GIVEN_UP],
        ),
        # What was unused cannot be used again: not after the requirement, and not once more at the end.
        ({"coupon.used": USED, "coupon.five": USABLE}, ("usable-again", "second-time"), ["", GIVEN_UP]),
    ],
    ids=["to make it fit", "to put it back"],
)
def test_a_companion_that_refused_is_not_asked_again(
    given: dict[str, str], chosen: tuple[str, ...], reasons: list[str], tmp_path: Path
) -> None:
    calls: list[str] = []

    def without(right: Handler) -> Handler:
        def handle(request: Request) -> Reply:
            calls.append(request.path)
            return Reply(501, "text/plain", b"") if request.path == "/v2/coupon/use" else right(request)

        return handle

    with serving("crowdtwist", handling=without) as url:
        raw = little(url, companions=True)
        data = raw["vendors"]["crowdtwist"]["data"]
        del data["coupon.used"]
        data |= {handle: {"code": code} for handle, code in given.items()}
        with running(tmp_path, raw) as run:
            found = judged(run, *(f"{UNUSE}{name}" for name in chosen))
            run.leave()
    # Whichever came first, the other is told that the companion was asked before.
    said = sorted((outcome.reason for outcome in found.values()), key=lambda reason: " before" in reason)
    for reason, begins in zip(said, reasons, strict=True):
        assert reason.startswith(begins.replace("404", "501"))
    assert calls.count("/v2/coupon/use") == 1


def test_a_failure_shows_how_the_data_was_made_fit(tmp_path: Path) -> None:
    with serving("crowdtwist", defects=("crowdtwist.value-is-code",)) as url:
        raw = little(url, companions=True, coupon__five={"code": USABLE})
        del raw["vendors"]["crowdtwist"]["data"]["coupon.used"]
        with running(tmp_path, raw) as run:
            outcome = judged(run, f"{UNUSE}value-named")[f"{UNUSE}value-named"]
    assert outcome.verdict == FAIL
    assert outcome.exchanges[0].operation == "useCoupon"


@pytest.mark.parametrize(
    ("companions", "chosen", "kind", "title", "line"),
    [
        (
            True,
            "usable-again",
            "put back",
            "Put back as it was found",
            rf'{UNUSE}usable-again: coupon.used {{"code": "{USED}"}} (by useCoupon)',
        ),
        (
            False,
            "at-once-one",
            "changed",
            "{} requests succeeded that may have changed data; no operation takes that back",
            f"{{}} x {UNUSE}at-once-one: 200 curl -sS -H 'Content-Type: application/json' --data-raw ",
        ),
        (
            False,
            "at-once-one",
            "used up",
            "Used up (a later run leaves this alone if you give it this run's JSON report with --spent)",
            f'{UNUSE}at-once-one: coupon.used_rush {{"code": "{USED}"}}',
        ),
    ],
    ids=["put back", "changed", "used up"],
)
def test_every_report_tells_what_a_run_leaves(
    tmp_path: Path, *, companions: bool, chosen: str, kind: str, title: str, line: str
) -> None:
    """In the same words; what was sent more than once stands there once."""
    flags = ["--allow-writes", "--allow-concurrency", "-k", chosen, "--report", str(tmp_path)]
    with serving("crowdtwist", defects=("crowdtwist.same-unuse-shared",)) as url:
        raw = little(url, companions=companions, coupon__used_rush={"code": USED})
        done = CliRunner().invoke(couponcheck, ["run", str(written(tmp_path, raw)), *flags])
    if kind == "changed":
        sent = json.loads((tmp_path / JSON).read_text(encoding="utf-8"))["changed"]
        assert len(sent) > 1
        title, line = title.format(len(sent)), line.format(len(sent))
    assert done.output.count(f"\n{title}:\n  {line}") == 1
    properties = [
        (one.get("name"), (one.get("value") or "")[: len(line)])
        for one in ET.parse(tmp_path / "junit.xml").iter("property")  # noqa: S314 - written here
        if one.get("name") == kind
    ]
    assert properties == [(kind, line)]
    page = html.unescape((tmp_path / "report.html").read_text(encoding="utf-8"))
    assert page.count(f"<h3>{title}</h3>\n<ul>\n<li><code>{line}") == 1
    summary = html.unescape((tmp_path / "summary.md").read_text(encoding="utf-8"))
    assert summary.count(f"<details><summary>{title}</summary>\n\n- ` {line}") == 1


# -- runs that are broken off ------------------------------------------------------------------------------------------

LISTENING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
"""A shell of a CI job has what it starts in the background ignore Ctrl-C."""
COMMAND = [sys.executable, "-c", f"{LISTENING}; from couponcheck.cli import main; main()", "run"]
SESSION = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--pyargs", "couponcheck"]
JSON = "report.json"


@dataclass
class BrokenOff:
    """What a run did that was sent a signal in the middle."""

    code: int
    said: str
    is_as_found: bool
    """Whether members' lists show what they showed before."""


def broken_off(folder: Path, started: Sequence[str | Path], paths: Mapping[str, int], *flags: str) -> BrokenOff:
    """Carry out a run against a target that sends it a signal right before it answers.

    Args:
        folder: Where to write the target file.
        started: The command, up to the target file.
        paths: Path -> the signal that the first successful request to it causes.
        flags: What comes after the target file.
    """
    suite: list[subprocess.Popen[str]] = []
    left = dict(paths)

    def interrupting(right: Handler) -> Handler:
        def handle(request: Request) -> Reply:
            reply = right(request)
            if reply.status == 200 and suite and request.path in left:
                suite[0].send_signal(left.pop(request.path))
            return reply

        return handle

    with serving("crowdtwist", handling=interrupting) as url:
        before = listed(url)
        target = written(folder, little(url, companions=True))
        suite.append(
            subprocess.Popen(
                [*started, target, *flags], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
        )
        said, _ = suite[0].communicate(timeout=60)
        return BrokenOff(suite[0].returncode, said, listed(url) == before)


@pytest.mark.parametrize(
    ("started", "flags", "number", "code"),
    [
        (COMMAND, ["--allow-writes", "--report", "."], signal.SIGINT, 130),
        (COMMAND, ["--allow-writes", "--report", "."], signal.SIGTERM, 143),
        (
            [*SESSION, "--couponcheck-target"],
            ["--couponcheck-allow-writes", "--couponcheck-report", "."],
            signal.SIGTERM,
            143,
        ),
        (
            [*SESSION, "-n", "1", "--couponcheck-target"],
            ["--couponcheck-allow-writes", "--couponcheck-report", "."],
            signal.SIGTERM,
            143,
        ),
    ],
    ids=["Ctrl-C", "SIGTERM", "SIGTERM to pytest", "SIGTERM to pytest with workers"],
)
def test_a_run_that_is_broken_off_leaves_coupons_as_they_were_found(
    tmp_path: Path, started: list[str], flags: list[str], number: int, code: int
) -> None:
    """The signal comes when a coupon was just unused; what came out so far is reported."""
    done = broken_off(tmp_path, started, {"/v2/coupon/unuse": number}, *flags, "-k", "usable-again or second-time")
    assert (done.code, done.is_as_found) == (code, True), done.said
    told = json.loads((tmp_path / JSON).read_text(encoding="utf-8"))
    assert [(item["requirement"], item["by"]) for item in told["put_back"]] == [(f"{UNUSE}usable-again", "useCoupon")]
    assert (told["verdict"], told["spent"]) == ("not run", [])
    assert "\nPut back as it was found:\n" in done.said
    assert f'usable-again: coupon.used {{"code": "{USED}"}} (by useCoupon)' in done.said
    assert "that may have changed data" not in done.said


@pytest.mark.parametrize("second", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_the_second_signal_ends_a_run_at_once(tmp_path: Path, second: int) -> None:
    """It comes when the first has the run put back what it changed."""
    paths = {"/v2/coupon/unuse": signal.SIGTERM, "/v2/coupon/use": second}
    done = broken_off(tmp_path, COMMAND, paths, "--allow-writes", "-k", "usable-again", "--json", JSON)
    assert done.code == -second, done.said
    assert (tmp_path / JSON).read_text(encoding="utf-8") == ""


def test_a_signal_while_something_is_put_back_does_not_keep_the_rest_from_it(tmp_path: Path) -> None:
    """Here the first request that puts something back causes it."""
    done = broken_off(tmp_path, COMMAND, {"/v2/coupon/use": signal.SIGTERM}, "--allow-writes", "-k", "usable-again")
    assert (done.code, done.is_as_found) == (143, True), done.said


def test_the_doctor_tells_what_companions_would_enable_and_calls_none(tmp_path: Path) -> None:
    with serving("crowdtwist") as url:
        before = listed(url)
        raw = little(url, companions=True, coupon__used=[{"code": USED}, {"code": USABLE}])
        done = CliRunner().invoke(couponcheck, ["doctor", str(written(tmp_path, raw))])
        assert listed(url) == before
    lines = done.output.splitlines()
    assert "  untold coupon.used (2 of 2) is not used; whether useCoupon makes it so, only a run tries" in lines
    (enables,) = [line for line in lines if line.startswith("  With --allow-writes useCoupon enables ")]
    assert int(enables.split()[-2]) > 10
    assert not [line for line in lines if line.lstrip().startswith("coupon.still_used (")]


def test_init_writes_how_both_are_allowed() -> None:
    text = started(["crowdtwist", "shoplazza"])
    assert text.count("    # companions: true\n") == 1
    assert text.count("# provider: {command: ") == text.count("# provider: {url: ") == 1
