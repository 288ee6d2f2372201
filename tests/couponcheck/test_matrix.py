"""The suite measured: what counts as caught, the scores, and the command over real servers."""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from broken_server import VENDORS, catalogue
from couponcheck.expect import Mismatch
from couponcheck.outcome import ERROR, FAIL, NOT_TESTABLE, PASS, WARN, Outcome
from couponcheck.score import (
    BROKEN,
    CAUGHT,
    EXCUSED,
    MISSED,
    Defect,
    Matrix,
    Row,
    Survivor,
    as_json,
    as_markdown,
    as_text,
    read_defects,
    read_survivors,
)
from couponcheck.transport import UnusableTarget
from couponspec.faults import FaultyFile

COUPONCHECK = str(Path(sys.executable).with_name("couponcheck"))
FIRST, SECOND = (requirement for requirement in catalogue("chargeover").checked[:2])
WRONG = (Mismatch("this", "that"),)


def defect(name: str, of: str = "state", *, held_out: bool = False) -> Defect:
    return Defect(f"chargeover.{name}", "chargeover", of, f"{name} is wrong.", held_out, "adversary", "a page: a rule")


def row(name: str, *outcomes: Outcome, of: str = "state", held_out: bool = False) -> Row:
    return Row.of(defect(name, of, held_out=held_out), outcomes, 7)


@pytest.mark.parametrize(
    ("outcomes", "result"),
    [
        ((Outcome(FIRST, FAIL, "broken", WRONG), Outcome(SECOND, PASS)), CAUGHT),
        ((Outcome(FIRST, WARN, "broken", WRONG), Outcome(SECOND, PASS)), CAUGHT),
        ((Outcome(FIRST, WARN, "tolerated variant seen"), Outcome(SECOND, PASS)), MISSED),
        ((Outcome(FIRST, NOT_TESTABLE, "nothing seen"), Outcome(SECOND, PASS)), MISSED),
        ((Outcome(FIRST, ERROR, "no answer"), Outcome(SECOND, PASS)), BROKEN),
        ((Outcome(FIRST, ERROR, "no answer"), Outcome(SECOND, FAIL, "broken", WRONG)), CAUGHT),
    ],
)
def test_a_defect_is_caught_by_a_breach_and_by_nothing_else(outcomes: tuple[Outcome, ...], result: str) -> None:
    assert row("one", *outcomes).result == result


def matrix(*, survivors: dict[str, Survivor] | None = None) -> Matrix:
    rows = [
        row("caught", Outcome(FIRST, FAIL, "broken", WRONG), Outcome(SECOND, PASS)),
        row("missed", Outcome(FIRST, PASS), Outcome(SECOND, PASS)),
        row("silent", Outcome(FIRST, ERROR, "no answer"), of="robustness"),
        row("aside", Outcome(FIRST, FAIL, "broken", WRONG), of="robustness", held_out=True),
    ]
    return Matrix(rows, survivors or {})


def known(name: str, *, excused: bool = False) -> dict[str, Survivor]:
    return {f"chargeover.{name}": Survivor(f"chargeover.{name}", "nobody could notice", excused)}


def test_scores_are_by_class_then_open_and_held_out_then_all() -> None:
    assert {name: (s.caught, s.missed, s.errors, s.percent) for name, s in matrix().scores()} == {
        "state": (1, 1, 0, 50.0),
        "robustness": (1, 0, 1, 50.0),
        "open": (1, 1, 1, 33.3),
        "held out": (1, 0, 0, 100.0),
        "all": (2, 1, 1, 50.0),
    }


def test_an_excused_survivor_does_not_count_and_one_that_is_only_known_does() -> None:
    excused = matrix(survivors=known("missed", excused=True))
    assert (excused.result(excused.rows[1]), excused.percent) == (EXCUSED, 66.6)
    only_known = matrix(survivors=known("missed"))
    assert (only_known.result(only_known.rows[1]), only_known.percent) == (MISSED, 50.0)


def test_a_listed_survivor_that_is_caught_is_stale() -> None:
    assert matrix(survivors=known("missed")).stale == []
    (said,) = matrix(survivors=known("caught")).stale
    assert said.startswith("chargeover.caught is listed as a survivor, and caught by chargeover.getCoupon.")


def test_what_catches_nothing_is_listed() -> None:
    assert matrix().idle == [SECOND.id]


def test_every_form_tells_the_same() -> None:
    found = matrix(survivors=known("missed"))
    text, markdown, data = "\n".join(as_text(found)), as_markdown(found), as_json(found)
    assert "missed  chargeover.missed (state): -" in text
    assert "Known: nobody could notice" in text
    assert "chargeover.silent: getCoupon.found: no answer" in text
    assert "| all | 2 | 1 | 1 | 0 | 50 % |" in markdown
    assert "| `chargeover.caught` | state | caught | `getCoupon.found` |" in markdown
    assert (data["percent"], data["scores"]["held out"]["caught"], data["idle"]) == (50.0, 1, [SECOND.id])
    assert data["defects"][0]["caught_by"] == {FIRST.id: "broken"}
    assert SECOND.id not in "\n".join(as_text(found, idle=False))


@pytest.mark.parametrize("text", ["", "{}[", "[1]", '[{"id": "x"}]', '{"id": 1}'])
def test_a_list_of_defects_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UnusableTarget, match="no JSON list of objects with id and vendor"):
        read_defects(text)


@pytest.mark.parametrize(
    "text",
    [
        "survivors: [{id: a.b}]",
        "survivors: [{id: a.b, reason: too hard for us, colour: red}]",
        "survivors: [{id: a.b, reason: too hard for us}, {id: a.b, reason: too hard for us}]",
    ],
)
def test_a_faulty_list_of_survivors_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "survivors.yaml"
    file.write_text(text + "\n", encoding="utf-8")
    with pytest.raises(FaultyFile):
        read_survivors(file)


def test_the_survivors_of_this_project_are_well_formed() -> None:
    assert isinstance(read_survivors(Path(__file__).parent / "survivors.yaml"), dict)


def measured(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([COUPONCHECK, "matrix", *arguments], capture_output=True, text=True, timeout=110, check=False)


OPEN = ("--registry", "adversary", "--no-held-out", "--generate", "0")
"""An adversary's defects that may be looked at."""


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_command_starts_servers_and_tells_what_they_fail(vendor: str, tmp_path: Path) -> None:
    """A fair sample of each vendor, over real servers; `make matrix` takes all."""
    file, tables = tmp_path / "matrix.json", tmp_path / "matrix.md"
    done = measured(
        *OPEN, "--vendor", vendor, "--sample", "3", "--seed", "1", "--json", str(file), "--markdown", str(tables),
        "--fail-under", "97",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    assert [item["result"] for item in found["defects"]] == [CAUGHT] * 3
    assert all(item["caught_by"] and not item["held_out"] and item["requests"] > 50 for item in found["defects"])
    assert "all             3 of   3 caught, 100 %" in done.stdout
    assert "| all | 3 | 0 | 0 | 0 | 100 % |" in tables.read_text(encoding="utf-8")


def test_a_server_without_defect_is_not_caught_and_fails_the_threshold(tmp_path: Path) -> None:
    """With any other commands, and what is listed as a survivor stays one."""
    listing = tmp_path / "defects.json"
    listing.write_text(json.dumps([{"id": "chargeover.none", "vendor": "chargeover"}]), encoding="utf-8")
    done = measured(
        "--list-command", shlex.join([sys.executable, "-c", f"print(open({str(listing)!r}).read())"]),
        "--serve-command", "couponmock serve --port 0 --port-file {port_file} --vendor {vendor} --log-format none",
        "--generate", "0", "--fail-under", "97",
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert "missed  chargeover.none: -" in done.stdout


def test_a_server_that_does_not_come_up_is_an_error_and_no_catch() -> None:
    done = measured(
        *OPEN, "--only", "chargeover.code-as-text", "--serve-command", "couponmock serve --port 0 --pack {defect}",
        "--fail-under", "97",
    )  # fmt: skip
    assert done.returncode == 1
    assert "error   chargeover.code-as-text (shape): -" in done.stdout
    assert "the server did not come up: couponmock: " in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--only", "chargeover.no-such"), "there is no defect chargeover.no-such among those"),
        (("--vendor", "nobody"), "no defect is left"),
        (("--list-command", "couponmock defects"), "the list of defects is no JSON list"),
        (("--list-command", "couponmock no-such-command"), "ended with 2"),
        (("--list-command", "/no/such/program"), "cannot be run"),
    ],
)
def test_what_cannot_be_carried_out_is_said_in_one_line(arguments: tuple[str, ...], said: str) -> None:
    done = measured(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
