"""What a run leaves behind: for people, for programs, for CI."""

import base64
import html.parser
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import couponcheck
import jsonschema
import pytest
import yaml
from broken_server import document, serving
from couponcheck.baseline import Baseline, load_baseline
from couponcheck.documented import documented
from couponcheck.page import page
from couponcheck.plugin import carry_out
from couponcheck.report import Progress, as_json, causes, failure
from couponcheck.repro import scripts
from couponcheck.run import CONFORMANT, NOT_CONFORMANT, Run
from couponcheck.summary import badge, markdown
from couponcheck.targetfile import read_target
from couponspec import FaultyFile
from rich.console import Console
from running_mock import serving as running

SHAPES = Path(couponcheck.__file__).parent / "shapes"
DEFECT = "chargeover.hides-disabled"
CHOSEN = "getCoupon and not authorization"
"""Requirements of which the defect breaks one: those about credentials ask for what it hides, too."""
SECRET = "key:with/odd chars+%"
"""Looks different in a URL, in base64 and in JSON."""


def carried_out(target: str | Path, *, vendor: str = "chargeover", keyword: str = "", **choices: Any) -> Run:
    """Carry out a run of a vendor's catalogue against a mock or what a target file tells of."""
    if isinstance(target, Path):
        run = Run.prepare_given(read_target(target), (), 0, preflight=False)
    else:
        run = Run.prepare(target, (vendor,), 0)
    for name, choice in choices.items():
        setattr(run, name, choice)
    try:
        carry_out(run, Progress(Console(quiet=True)), keyword, None)
    finally:
        run.close()
    return run


@pytest.fixture(scope="module")
def right() -> Iterator[str]:
    """Give the URL of a mock without defect."""
    with serving("chargeover") as url:
        yield url


@pytest.fixture(scope="module")
def wrong() -> Iterator[str]:
    """Give the URL of a mock with a defect."""
    with serving("chargeover", defects=(DEFECT,)) as url:
        yield url


@pytest.fixture(scope="module")
def failed(wrong: str) -> Run:
    """Give a run that found something."""
    run = carried_out(wrong, keyword=CHOSEN)
    assert run.verdict == NOT_CONFORMANT
    return run


def broken(run: Run) -> list[str]:
    """Return the ids of the requirements that failed."""
    return [outcome.requirement.id for outcome in run.outcomes if outcome.verdict == "fail"]


class _Reader(html.parser.HTMLParser):
    """Reads a page: its elements in balance, its texts, what it would load."""

    VOID = frozenset({"meta", "input", "br", "link", "img"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            self.ids += [value or ""] if name == "id" else []
            self.targets += [value or ""] if name == "href" else []
            self.loads += [f"{tag} {value}"] if name == "src" or tag in {"script", "link"} else []

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(text: str) -> _Reader:
    """Read a page to its end."""
    reader = _Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


def test_the_page_shows_every_requirement_and_loads_nothing(failed: Run) -> None:
    reader = read(page(failed))
    ids = [outcome.requirement.id for outcome in failed.outcomes]
    assert [found for found in reader.ids if found.startswith("chargeover.")] == ids
    assert {target.removeprefix("#") for target in reader.targets} <= {*ids}
    assert reader.loads == []
    assert len({*reader.ids}) == len(reader.ids)
    text = " ".join(reader.text)
    (failure,) = [outcome for outcome in failed.outcomes if outcome.verdict == "fail"]
    for said in (failure.requirement.text, failure.requirement.quote, failure.mismatches[0].got, "not conformant"):
        assert said in text


def test_a_page_opens_on_what_went_wrong(failed: Run, right: str) -> None:
    (name,) = broken(failed)
    assert re.findall("<details [^>]*open>", page(failed)) == [f'<details class="requirement fail" id="{name}" open>']
    assert 'id="show-fail" checked' in page(failed)
    assert 'id="show-all" checked' in page(carried_out(right, keyword="found"))


def test_a_page_shows_what_a_server_says_and_does_not_carry_it_out(right: str, failed: Run) -> None:
    attack = "</pre><script>alert(1)</script><img src=x>"
    outcome = failed.outcomes[0]
    exchange = outcome.exchanges[0]
    spoilt = type(exchange)(exchange.request, exchange.operation, 200, {"content-type": attack}, attack.encode())
    run = Run(
        right,
        0,
        failed.judges,
        is_mock=True,
        outcomes=[type(outcome)(outcome.requirement, "fail", attack, (), (spoilt,))],
    )
    assert read(page(run)).loads == []
    assert "<script" not in page(run)
    assert "<img" not in markdown(run).replace("\\<", "")


def test_documented_answers_are_counted_with_who_saw_them_first(failed: Run) -> None:
    rows = {(row.operation, row.status): row for row in documented(document("chargeover"), failed.outcomes)}
    assert rows["getCoupon", "404"].seen > 1
    assert rows["getCoupon", "404"].first.startswith("chargeover.getCoupon.")
    assert (rows["getCoupon", "5XX"].seen, rows["getCoupon", "5XX"].first) == (0, "")
    assert sum(row.seen for row in rows.values()) == len({id(e) for o in failed.outcomes for e in o.exchanges})


def test_the_json_report_has_the_published_shape(failed: Run) -> None:
    schema = json.loads((SHAPES / "report.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(json.dumps(as_json(failed))), schema)


def test_the_same_seed_gives_the_same_outcomes_in_the_same_order(wrong: str, failed: Run) -> None:
    again = carried_out(wrong, keyword=CHOSEN)
    told = [[(o.requirement.id, o.verdict, o.reason) for o in run.outcomes] for run in (failed, again)]
    assert told[0] == told[1]


def test_the_summary_names_what_failed_and_what_it_rests_on(failed: Run) -> None:
    text = markdown(failed)
    assert text.startswith("## couponcheck: not conformant: 49 pass, 1 fail\n")
    for name in broken(failed):
        assert f"`{name}`" in text
    rows = [line for line in text.splitlines() if line.startswith("| ❌")]
    assert len(rows) == len(broken(failed))
    assert all(re.sub(r"\\.", "", row).count("|") == 4 for row in rows)


def test_a_badge_is_what_shields_io_takes(failed: Run, right: str) -> None:
    assert badge(failed)["color"] == "red"
    found = badge(carried_out(right, keyword="authorization"))
    assert (found["schemaVersion"], found["color"]) == (1, "brightgreen")
    assert found["message"].startswith("conformant ")


def test_a_script_repeats_what_failed(failed: Run, wrong: str, tmp_path: Path) -> None:
    """In a world of its own, with the answer that was complained of."""
    (made,) = [*scripts(failed)]
    assert made[0] == f"{broken(failed)[0]}.sh"
    file = tmp_path / made[0]
    file.write_text(made[1], encoding="utf-8")
    done = subprocess.run(["sh", str(file)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    (outcome,) = [outcome for outcome in failed.outcomes if outcome.verdict == "fail"]
    assert [json.loads(line) for line in done.stdout.splitlines()[-2:]] == [
        outcome.exchanges[-1].body,
        outcome.exchanges[-1].status,
    ]


UNREADABLE = "crowdtwist.code-twice"
"""A defect that makes an answer no JSON."""


def test_what_fails_because_nobody_can_read_an_answer_stands_beside_that() -> None:
    with serving("crowdtwist", defects=(UNREADABLE,)) as url:
        run = carried_out(url, vendor="crowdtwist", keyword="listUsableCoupons and (json or lists or titles)")
    (cause, beside), *others = causes(run)
    assert (cause.requirement.id, others) == ("crowdtwist.listUsableCoupons.json", [])
    assert {other.requirement.id for other in beside} == {*broken(run)} - {cause.requirement.id}
    assert len(beside) > 1
    told = failure(run.judges["crowdtwist"], cause, beside)
    assert "the key 'code' is given twice" in told
    assert f"as well:  {len(beside)} more" in told


def test_a_failure_marks_the_call_that_decided_and_tells_what_each_got(failed: Run) -> None:
    (name,) = broken(failed)
    (outcome,) = [outcome for outcome in failed.outcomes if outcome.requirement.id == name]
    lines = failure(failed.judges["chargeover"], outcome).splitlines()
    calls = [line for line in lines if "curl " in line]
    assert len(calls) == len(outcome.exchanges)
    assert all(f" {one.status}  curl" in line for one, line in zip(outcome.exchanges, calls, strict=True))
    assert [line[0] for line in calls] == [*" " * (len(calls) - 1), ">" if len(calls) > 1 else " "]


def test_a_failure_says_beside_each_call_who_asked_and_what_the_value_was() -> None:
    names = ("other-shop-coupon", "several-ids")
    with serving("shoplazza", defects=("shoplazza.count-of-all-coupons", "shoplazza.other-shops-stock")) as url:
        run = carried_out(url, vendor="shoplazza", keyword=" or ".join(names))
    judge = run.judges["shoplazza"]
    told = {outcome.requirement.id.rpartition(".")[2]: failure(judge, outcome) for outcome in run.outcomes}
    calls = {name: re.findall(r"call (\d+): +200  (?:\((.*?)\)  )?curl", text) for name, text in told.items()}
    assert re.fullmatch(
        r'access-token credential.other, items\[0\].stock 19 of id "\d+"', calls["other-shop-coupon"][0][1]
    )
    assert calls["other-shop-coupon"][-1] == ("4", "access-token credential.other")
    assert all(note.startswith("items[0].received_count ") for _, note in calls["several-ids"][:-1])


def test_no_report_holds_a_secret_in_any_form(wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither as it is, nor as a URL or a header has it; and a script asks for it."""
    user, _, password = SECRET.partition(":")
    monkeypatch.setenv("CO_USER", user)
    monkeypatch.setenv("CO_PASSWORD", password)
    file = tmp_path / "target.yaml"
    vendor = {
        "credentials": {
            "main": {"scheme": "basic", "user": "$CO_USER", "password": "$CO_PASSWORD"},
            "wrong": {"scheme": "basic", "user": "x", "password": "y"},
        },
        "data": {"coupon.printed": {"coupon_id": 1}},
    }
    file.write_text(yaml.safe_dump({"version": 1, "base_url": wrong, "vendors": {"chargeover": vendor}}))
    run = carried_out(file)
    assert "fail" in {outcome.verdict for outcome in run.outcomes}
    texts = [
        page(run),
        markdown(run),
        json.dumps(as_json(run), ensure_ascii=False),
        *(text for _, text in scripts(run)),
    ]
    for written in (SECRET, password, quote(password, safe=""), base64.b64encode(SECRET.encode()).decode()):
        assert [text for text in texts if written in text] == []
    assert all("$CO_PASSWORD" in text for text in (texts[0], texts[2]))
    assert all(': "${CO_PASSWORD:?' in text and ': "${CO_USER:?' in text for _, text in scripts(run))


# -- known failures ----------------------------------------------------------------------------------------------------


@pytest.fixture
def accepting(tmp_path: Path) -> Callable[..., Baseline]:
    """Return what reads a baseline that accepts one requirement."""

    def load(name: str, days: int = 30) -> Baseline:
        until = (datetime.now(UTC) + timedelta(days=days)).date().isoformat()
        file = tmp_path / "baseline.yaml"
        file.write_text(yaml.safe_dump({"format": 1, "accepted": [{"id": name, "reason": "#12", "until": until}]}))
        return load_baseline(file, {name})

    return load


def test_a_known_failure_is_a_warning_until_its_day(
    wrong: str, failed: Run, accepting: Callable[..., Baseline]
) -> None:
    (name,) = broken(failed)
    today = carried_out(wrong, keyword=CHOSEN, baseline=accepting(name, 0))
    assert (today.verdict, today.stale) == (CONFORMANT, [])
    (known,) = [outcome for outcome in today.outcomes if outcome.requirement.id == name]
    assert (known.verdict, known.reason[:31]) == ("warn", "known and accepted until " + known.reason[25:31])
    yesterday = carried_out(wrong, keyword=CHOSEN, baseline=accepting(name, -2))
    assert yesterday.verdict == NOT_CONFORMANT
    assert "mend it, or give a later date" in yesterday.stale[0]


def test_an_entry_that_does_not_fail_any_more_fails_the_run(right: str, accepting: Callable[..., Baseline]) -> None:
    run = carried_out(right, keyword="found", baseline=accepting("chargeover.getCoupon.found"))
    assert run.verdict == NOT_CONFORMANT
    assert run.stale == ["chargeover.getCoupon.found: it does not fail any more (pass); remove the entry"]
    assert run.stale[0] in markdown(run)


def test_an_entry_of_what_was_not_judged_is_left_alone(right: str, accepting: Callable[..., Baseline]) -> None:
    run = carried_out(right, keyword="authorization", baseline=accepting("chargeover.getCoupon.found"))
    assert run.verdict == CONFORMANT


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"format": 2, "accepted": []}, "1 was expected"),
        ({"format": 1, "accepted": [{"id": "known", "until": "2030-01-01"}]}, "'reason' is a required property"),
        ({"format": 1, "accepted": [{"id": "known", "reason": " ", "until": "2030-01-01"}]}, "say why the failure"),
        ({"format": 1, "accepted": [{"id": "known", "reason": "r", "until": "2030-02-31"}]}, "give the last day"),
        (
            {"format": 1, "accepted": [{"id": "no.such", "reason": "r", "until": "2030-01-01"}]},
            "no requirement 'no.such'",
        ),
        (
            {"format": 1, "accepted": [{"id": "known", "reason": "r", "until": "2030-01-01"}] * 2},
            "known is given twice",
        ),
    ],
)
def test_a_baseline_with_a_mistake_is_refused(raw: dict[str, Any], said: str, tmp_path: Path) -> None:
    """With the file, the line and what to give."""
    file = tmp_path / "baseline.yaml"
    file.write_text(yaml.safe_dump(raw), encoding="utf-8")
    with pytest.raises(FaultyFile) as refused:
        load_baseline(file, {"known"})
    assert said in str(refused.value)
    assert str(file) in str(refused.value)


# -- the command -------------------------------------------------------------------------------------------------------


def command(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run couponcheck."""
    clean = {name: value for name, value in os.environ.items() if name != "GITHUB_STEP_SUMMARY"}
    return subprocess.run(
        [Path(sys.executable).with_name("couponcheck"), *arguments],
        env={**clean, **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_folder_of_reports_holds_them_all_and_a_job_gets_its_summary(wrong: str, tmp_path: Path) -> None:
    """Scripts of an earlier run do not stay; what the job's page had, stays."""
    folder, step = tmp_path / "out", tmp_path / "step.md"
    (folder / "repro").mkdir(parents=True)
    (folder / "repro" / "old.sh").touch()
    step.write_text("before\n")
    done = command("run", wrong, "-k", CHOSEN, "--report", str(folder), GITHUB_STEP_SUMMARY=str(step))
    assert done.returncode == 1, done.stderr
    assert sorted(path.name for path in folder.iterdir()) == [
        "badge.json",
        "junit.xml",
        "report.html",
        "report.json",
        "repro",
        "summary.md",
    ]
    (script,) = (folder / "repro").iterdir()
    assert os.access(script, os.X_OK)
    assert step.read_text() == "before\n" + (folder / "summary.md").read_text()


def test_a_warning_fails_only_a_strict_run(right: str, wrong: str, failed: Run, tmp_path: Path) -> None:
    (name,) = broken(failed)
    file = tmp_path / "baseline.yaml"
    file.write_text(f"format: 1\naccepted: [{{id: {name}, reason: known, until: '2999-01-01'}}]\n")
    known = ("run", wrong, "-k", CHOSEN, "--baseline", str(file))
    assert command(*known).returncode == 0
    assert command(*known, "--strict").returncode == 1
    assert command("run", right, "-k", "found", "--strict").returncode == 0


def test_two_runs_with_one_seed_leave_the_same_reports(wrong: str, tmp_path: Path) -> None:
    """Byte for byte, but for times and the names that are new in every run."""
    reports = []
    for name in ("first", "second"):
        folder = tmp_path / name
        done = command("run", wrong, "-k", CHOSEN, "--report", str(folder))
        assert done.returncode == 1, done.stderr
        files = [file for file in folder.rglob("*") if file.is_file()]
        told = {str(file.relative_to(folder)): file.read_text(encoding="utf-8") for file in files}
        reports.append({name: _without_what_is_new(text) for name, text in {**told, "": done.stdout}.items()})
    assert len(reports[0]) > 6
    assert reports[0] == reports[1]


def _without_what_is_new(text: str) -> str:
    for new in (
        r"(?<=couponcheck-chargeover-)[0-9a-f]{12}",  # the namespace
        r'(?<="x-mock-request-id": ")[0-9a-f]{32}',
        r"20[0-9]{2}-[01][0-9]-[0-3][0-9][T ][0-9:.+]+",
        r'(?<="date": ")[^"]+',
        r'(?<= time=")[0-9.]+',
    ):
        text = re.sub(new, "", text)
    return text


# -- scripts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shell", ["sh", "bash", "dash"])
def test_a_script_sends_at_once_what_was_sent_at_once(shell: str, tmp_path: Path) -> None:
    """As it is printed, and the server does the same wrong thing again: more than one of the requests succeed."""
    if not (program := shutil.which(shell)):
        pytest.skip(f"there is no {shell}")
    with running(tmp_path, "--vendor", "crowdtwist", "--defect", "crowdtwist.same-unuse-shared") as mock:
        run = carried_out(mock.origin, vendor="crowdtwist", keyword="at-once-one")
        ((name, text),) = scripts(run)
        script = tmp_path / name
        script.write_text(text, encoding="utf-8")
        done = subprocess.run([program, str(script)], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    told = re.findall(
        r"^--- call ([0-9]+)(, at once)?, which got ([0-9]+)\n(.*)\n([0-9]{3})$", done.stdout, re.MULTILINE
    )
    (outcome,) = run.outcomes
    assert sorted(int(number) for number, *_ in told) == [*range(1, len(outcome.exchanges) + 1)]
    succeeded = [status for _, at_once, _, _, status in told if at_once and status == "200"]
    assert len(succeeded) > 1
    assert all(json.loads(body) for *_, body, _ in told)
