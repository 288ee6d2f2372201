"""A server that a target file describes: the mock, taken for a stranger's."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from broken_server import VENDORS, catalogue, serving
from click.testing import CliRunner, Result
from couponcheck.commands import couponcheck
from couponcheck.outcome import ERROR, FAIL, NOT_SELECTED, NOT_TESTABLE, PASS, WARN
from couponcheck.report import as_json, failure
from couponcheck.run import CONFORMANT, NOT_CONFORMANT, PARTIAL, Run
from couponcheck.target import Permissions
from couponcheck.targetfile import read_target
from couponcheck.transport import UnusableTarget
from couponmock.exchange import Handler, Reply, Request
from sampling import is_sampled
from target_files import EVERYTHING, contents, environment, judged, running, seeded, written

PROOFS = Path(__file__).parent / "proofs"
UNUSE = "crowdtwist.unuseCoupon."
LIST = "crowdtwist.listUsableCoupons."
EARLIER = "if an earlier run used them up, name its JSON report with --spent"
HARMLESS = {"shoplazza.receiveCoupons.unknown-coupon"}
"""A request that succeeds and changes nothing: no coupon is there to be assigned."""


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for vendor in VENDORS:
        for name, value in environment(vendor).items():
            monkeypatch.setenv(name, value)


def data_of(raw: dict[str, Any], vendor: str = "crowdtwist") -> dict[str, Any]:
    data: dict[str, Any] = raw["vendors"][vendor]["data"]
    return data


@pytest.mark.parametrize("vendor", VENDORS)
def test_with_all_data_and_writes_every_requirement_passes_and_what_was_changed_is_known(
    vendor: str, tmp_path: Path
) -> None:
    with serving(vendor) as url, running(tmp_path, contents(url, vendor)) as run:
        found = judged(run)
        assert {name: outcome.reason for name, outcome in found.items() if outcome.verdict != PASS} == {}
        assert run.verdict == CONFORMANT
        (judge,) = run.judges.values()
        assert {
            change.requirement.id for change in judge.ledger.changes if not change.requirement.needs_permission
        } <= HARMLESS
        wanted = {(item.id, handle) for item in catalogue(vendor).checked for handle in item.spends}
        assert {(requirement.id, handle) for requirement, spent in judge.ledger.spent for handle in spent} == wanted


@pytest.mark.parametrize("vendor", VENDORS)
def test_without_writes_nothing_is_changed_and_nothing_fails(vendor: str, tmp_path: Path) -> None:
    with serving(vendor) as url, running(tmp_path, contents(url, vendor), Permissions(concurrency=True)) as run:
        before = seeded(url, vendor)
        found = judged(run)
        assert {outcome.verdict for outcome in found.values()} <= {PASS, NOT_SELECTED}
        assert {name for name, outcome in found.items() if outcome.verdict == NOT_SELECTED} >= {
            item.id for item in catalogue(vendor).checked if item.needs_permission and item.generated is None
        }
        (judge,) = run.judges.values()
        assert {change.requirement.id for change in judge.ledger.changes} <= HARMLESS
        assert run.verdict == CONFORMANT
        assert seeded(url, vendor) == before


def test_of_a_pool_the_first_that_is_as_it_has_to_be_is_taken(tmp_path: Path) -> None:
    """A coupon that is listed cannot be the used one, so the next is tried."""
    with serving("crowdtwist") as url:
        raw = contents(url, "crowdtwist")
        data = data_of(raw)
        data["coupon.used"] = [{"code": data["coupon.five"]["code"]}, {"code": data["coupon.used"]["code"]}]
        with running(tmp_path, raw) as run:
            found = judged(run, f"{UNUSE}usable-again")
            (judge,) = run.judges.values()
            assert found[f"{UNUSE}usable-again"].verdict == PASS
            assert [spent for _, spent in judge.ledger.spent] == [
                {"coupon.used": {"code": data["coupon.used"][1]["code"]}}
            ]


def test_of_several_long_pools_the_ones_behind_what_is_used_up_are_found(tmp_path: Path) -> None:
    """Four coupons that a requirement uses up together, the first two of each of their pools used up before."""
    name = f"{UNUSE}codes-intact"
    with serving("crowdtwist") as url:
        raw = contents(url, "crowdtwist")
        data = data_of(raw)
        (needed,) = [one for one in catalogue("crowdtwist").checked if one.id == name]
        listed = [{"code": data[handle]["code"]} for handle in ("coupon.grace_markup", "coupon.grace_unicode")]
        for handle in needed.spends:
            data[handle] = [*listed, data[handle]]
        with running(tmp_path, raw) as run:
            assert judged(run, name)[name].verdict == PASS


def test_data_that_is_not_as_a_write_needs_it_is_not_testable_and_accuses_nobody(tmp_path: Path) -> None:
    with serving("crowdtwist") as url:
        raw = contents(url, "crowdtwist")
        data = data_of(raw)
        data["coupon.used"] = {"code": data["coupon.five"]["code"]}
        with running(tmp_path, raw) as run:
            outcome = judged(run, f"{UNUSE}usable-again")[f"{UNUSE}usable-again"]
            (judge,) = run.judges.values()
    assert outcome.verdict == NOT_TESTABLE
    assert outcome.reason.startswith(
        'the target\'s data is not as the target file says: coupon.used ("ACC58111301"): expected [].code does not'
    )
    assert outcome.reason.endswith(EARLIER)
    assert (judge.ledger.changes, judge.ledger.spent) == ([], [])


@pytest.mark.parametrize(
    ("code", "error"),
    [("NO-SUCH-CODE", "no_data"), ("SMR-EXPIRED-1", "not_used"), ("NOT-ISSUED", "not_issued")],
    ids=["unknown", "not used", "not issued"],
)
def test_to_keep_a_rule_with_data_that_the_answer_says_is_not_there_proves_nothing(
    code: str, error: str, tmp_path: Path
) -> None:
    """It is in no list in any case; that it is one that was used and has expired, the answer to unuse has to tell."""
    name = f"{UNUSE}expired-stays-unusable"
    with serving("crowdtwist") as url:
        raw = contents(url, "crowdtwist")
        real = {"SMR-EXPIRED-1": "coupon.expired", "NOT-ISSUED": "coupon.generated"}
        data_of(raw)["coupon.used_expired"] = {"code": data_of(raw)[real[code]]["code"] if code in real else code}
        with running(tmp_path, raw) as run:
            outcome = judged(run, name)[name]
            assert run.verdict != CONFORMANT
    assert outcome.verdict == NOT_TESTABLE
    begins = "the target's data is not as the requirement needs it: unuseCoupon was answered 4"
    assert outcome.reason.startswith(begins)
    assert f'"{error}"' in outcome.reason


def test_a_fault_counts_also_where_an_answer_says_that_the_data_is_not_there(tmp_path: Path) -> None:
    """A server must not hide what it did behind the refusal that it gives."""
    name = f"{UNUSE}expired-stays-unusable"

    def hiding(right: Handler) -> Handler:
        def handle(request: Request) -> Reply:
            reply = right(request)
            told = b'{"error": "no_data", "message": "Unable to find coupon."}'
            is_unused = request.path == "/v2/coupon/unuse" and reply.status == 200
            return replace(reply, status=404, body=told) if is_unused else reply

        return handle

    with (
        serving("crowdtwist", defects=("crowdtwist.unuse-prolongs",), handling=hiding) as url,
        running(tmp_path, contents(url, "crowdtwist")) as run,
    ):
        assert judged(run, name)[name].verdict == FAIL


NOT_KNOWN = "404 may say that the target does not know what the file names"
DOCTOR = "`couponcheck doctor` tells whether they are as the target file says"


@pytest.mark.parametrize(
    ("name", "defects", "advice"),
    [
        ("shoplazza.receiveCoupons.once", ("shoplazza.once-again",), [EARLIER]),
        ("crowdtwist.unuseCoupon.usable-again", ("crowdtwist.unuse-not-done",), [DOCTOR, EARLIER]),
        ("chargeover.getCoupon.found", ("chargeover.server-address",), [DOCTOR]),
        ("chargeover.getCoupon.disabled", ("chargeover.hides-disabled",), [DOCTOR, NOT_KNOWN]),
    ],
)
def test_a_failure_says_how_to_find_out_whether_the_data_is_to_blame(
    name: str, defects: tuple[str, ...], advice: list[str], tmp_path: Path
) -> None:
    """What an earlier run may have used up is said where it may be, and the doctor is named where it can see."""
    vendor = name.partition(".")[0]
    with serving(vendor, defects=defects) as url:
        raw = contents(url, vendor)
        for _ in range(2):
            with running(tmp_path, raw) as run:
                outcome = judged(run)[name]
                (judge,) = run.judges.values()
                told = failure(judge, outcome).splitlines()
    assert outcome.verdict == FAIL
    (said,) = [line for line in told if line.startswith("  data:     ")]
    assert said.removeprefix("  data:     ").split("; ")[1:] == advice


@pytest.mark.parametrize(
    ("defect", "accused"),
    [
        ("crowdtwist.used-unexpiring-listed", f"{LIST}omits-used"),
        ("crowdtwist.expired-listed", f"{LIST}omits-expired"),
        # It shows with the first coupon that is unused, and nothing puts the data back before the next.
        ("crowdtwist.unuse-whole-reward", f"{UNUSE}only-that-coupon"),
    ],
)
def test_a_fault_is_not_excused_as_wrong_data(defect: str, accused: str, tmp_path: Path) -> None:
    """What a precondition looks at is itself judged, so a server that lists too much is still accused."""
    with serving("crowdtwist", defects=(defect,)) as url, running(tmp_path, contents(url, "crowdtwist")) as run:
        found = judged(run)
        assert found[accused].verdict == FAIL
        assert run.verdict == NOT_CONFORMANT


DEFECTS = {
    requirement.id: proofs[requirement.id]["defect"]
    for vendor in VENDORS
    for proofs in [yaml.safe_load((PROOFS / f"{vendor}.yaml").read_text(encoding="utf-8"))["proofs"]]
    for requirement in catalogue(vendor).checked
    if requirement.needs_permission and requirement.generated is None
}


def before(requirement: str) -> Iterator[str]:
    """Yield the ids of all that is carried out before a requirement, but for what makes requests up."""
    for other in catalogue(requirement.partition(".")[0]).checked:
        if other.id == requirement:
            return
        if other.generated is None:
            yield other.id


@pytest.mark.parametrize("requirement", [name for name in DEFECTS if is_sampled(name, 2)])
def test_a_defect_of_what_writes_is_found_where_nothing_puts_the_data_back(requirement: str, tmp_path: Path) -> None:
    """Neither what requirements before have changed nor a precondition hides it."""
    vendor = requirement.partition(".")[0]
    with serving(vendor, defects=(DEFECTS[requirement],)) as url:
        raw = contents(url, vendor)
        # What comes to light when a coupon is used a second time.
        raw["vendors"][vendor] |= {"companions": True} if requirement == "crowdtwist.unuseCoupon.life-cycle" else {}
        with running(tmp_path, raw) as run:
            outcome = judged(run, *before(requirement), requirement)[requirement]
    assert outcome.verdict == (FAIL if outcome.requirement.level == "must" else WARN), outcome.reason


@pytest.mark.parametrize("vendor", ["crowdtwist", "shoplazza"])
def test_run_after_run_a_correct_server_is_not_accused_of_data_that_is_used_up(vendor: str, tmp_path: Path) -> None:
    """What was used up is said; what has too little left is found out by the target's own answers."""
    reports: list[dict[str, Any]] = []
    reasons: list[str] = []
    with serving(vendor) as url:
        raw = contents(url, vendor)
        for _ in range(4):
            with running(tmp_path, raw, reports=reports) as run:
                found = judged(run)
                assert {name: one.reason for name, one in found.items() if one.verdict in {FAIL, WARN, ERROR}} == {}
                reports.append(as_json(run))
                reasons += [one.reason for one in found.values() if one.verdict == NOT_TESTABLE]
    assert run.verdict == PARTIAL
    told = [reason for reason in reasons if reason.startswith("the target's data is used up: coupon.")]
    assert bool(told) == (vendor == "shoplazza"), reasons
    assert all("has stock" in reason for reason in told)


@pytest.mark.parametrize("vendor", VENDORS)
def test_what_is_used_up_is_needed_by_those_only_that_use_it_up(vendor: str) -> None:
    """Nothing else could tell a fault from what an earlier run did."""
    using_up = [one for one in catalogue(vendor).checked if one.spends]
    for other in (one for one in catalogue(vendor).checked if not one.spends):
        assert [one.id for one in using_up if {*one.spends} <= other.handles] == [], other.id


@pytest.mark.parametrize(
    ("vendor", "using_up"),
    [
        ("chargeover", []),
        ("crowdtwist", [f"{UNUSE}usable-again", f"{UNUSE}expired-stays-unusable"]),
        # The limit for each customer is reached: what was used up shows in that nothing of it moves any more.
        ("shoplazza", ["shoplazza.receiveCoupons.limit"]),
    ],
)
def test_a_second_run_that_knows_of_no_other_accuses_nobody(vendor: str, using_up: list[str], tmp_path: Path) -> None:
    """Whoever forgets the first one's report is told what may be used up, and not that the server is at fault."""
    with serving(vendor) as url:
        raw = contents(url, vendor)
        for _ in range(3):
            with running(tmp_path, raw) as run:
                found = judged(run)
                assert {name: one.reason for name, one in found.items() if one.verdict in {FAIL, WARN, ERROR}} == {}
    for name in using_up:
        assert found[name].verdict == NOT_TESTABLE
        assert "earlier run" in found[name].reason
        assert "--spent" in found[name].reason


def test_a_server_that_refuses_what_is_used_up_by_its_status_is_not_accused_either(tmp_path: Path) -> None:
    """What an earlier run received serves nobody, and a refusal shows no stock."""
    using_up = [one.id for one in catalogue("shoplazza").checked if one.spends]
    with serving("shoplazza", readings=("shoplazza.refused-coupon=error",)) as url:
        raw = contents(url, "shoplazza")
        for _ in range(2):
            with running(tmp_path, raw) as run:
                found = judged(run, *using_up)
                assert {name: one.reason for name, one in found.items() if one.verdict in {FAIL, WARN, ERROR}} == {}
    reasons = [one.reason for one in found.values() if "was refused with 4" in one.reason]
    assert len(reasons) > len(using_up) / 2
    assert all("--spent" in reason for reason in reasons)


def test_behind_a_coupon_that_nobody_gets_the_next_of_its_pool_is_tried(tmp_path: Path) -> None:
    name = "shoplazza.receiveCoupons.once"
    with serving("shoplazza", readings=("shoplazza.refused-coupon=error",)) as url:
        raw = contents(url, "shoplazza")
        data = data_of(raw, "shoplazza")
        data["coupon.once"] = [{**data["coupon.once"], "id": data["coupon.exhausted"]["id"]}, data["coupon.once"]]
        with running(tmp_path, raw) as run:
            assert judged(run, name)[name].verdict == PASS


def test_what_was_used_up_together_and_is_of_one_kind_serves_nobody_in_other_combinations(tmp_path: Path) -> None:
    name = f"{UNUSE}same-code-other-client"
    with serving("crowdtwist") as url:
        raw = contents(url, "crowdtwist")
        data = data_of(raw)
        spent = []
        for number in (1, 2):
            twins = {handle: {"code": f"TWIN-{number}"} for handle in ("coupon.twin", "coupon.moonlight_twin")}
            spent.append({"vendor": "crowdtwist", "entities": twins})
        for handle in ("coupon.twin", "coupon.moonlight_twin"):
            data[handle] = [{"code": "TWIN-1"}, {"code": "TWIN-2"}]
        with running(tmp_path, raw, reports=[{"spent": spent}]) as run:
            outcome = judged(run, name)[name]
            assert run.requests == 1  # the look before
    reason = "the target's data has nothing left for it: all was used up by what needed it before"
    assert (outcome.verdict, outcome.reason) == (NOT_TESTABLE, reason)


def test_nothing_is_sent_at_once_without_permission(tmp_path: Path) -> None:
    with serving("chargeover") as url, running(tmp_path, contents(url, "chargeover"), Permissions(writes=True)) as run:
        found = judged(run)["chargeover.getCoupon.at-once"]
    reason = "it sends requests at once, which is switched off (--allow-concurrency)"
    assert (found.verdict, found.reason) == (NOT_SELECTED, reason)


def test_what_a_run_used_up_the_next_leaves_alone(tmp_path: Path) -> None:
    with serving("crowdtwist") as url:
        raw = contents(url, "crowdtwist")
        chosen = (f"{UNUSE}usable-again",)
        with running(tmp_path, raw) as run:
            assert {outcome.verdict for outcome in judged(run, *chosen).values()} == {PASS}
        spent = {"vendor": "crowdtwist", "entities": {"coupon.used": {"code": "JDSI2JE"}}}
        with running(tmp_path, raw, reports=[{"spent": [spent]}]) as run:
            found = judged(run, *chosen)
            assert {outcome.verdict for outcome in found.values()} == {NOT_TESTABLE}
            assert {outcome.reason for outcome in found.values()} == {
                "the target's data has nothing left for it: all was used up by what needed it before"
            }
        data_of(raw)["coupon.used"] = [{"code": "JDSI2JE"}, {"code": "KEPT-USED-7"}]
        with running(tmp_path, raw, reports=[{"spent": [spent]}]) as run:
            assert {outcome.verdict for outcome in judged(run, *chosen).values()} == {PASS}


def test_a_requirement_takes_the_first_set_that_has_all_it_needs(tmp_path: Path) -> None:
    with serving("crowdtwist") as url:
        raw = contents(url, "crowdtwist")
        data = data_of(raw)
        little = {"member.alice": {"id": data["member.alice"]["id"]}}
        other = {"member.alice": {name: data["member.bob"][name] for name in ("id", "email")}}
        raw["vendors"]["crowdtwist"]["data"] = [little, other]
        chosen = (f"{LIST}default-id-type", f"{LIST}by-email", f"{LIST}by-username")
        with running(tmp_path, raw) as run:
            found = judged(run, *chosen)
    asked = {key: outcome.exchanges[0].request.target for key, outcome in found.items() if outcome.exchanges}
    assert asked.keys() == {chosen[0], chosen[1]}
    assert f"/{data['member.alice']['id']}/" in asked[chosen[0]]
    assert f"/{data['member.bob']['id']}/" in asked[chosen[1]]
    assert (found[chosen[2]].verdict, found[chosen[2]].reason) == (
        NOT_TESTABLE,
        "the target's data lacks member.alice.username",
    )


def test_what_is_declared_unsupported_is_not_carried_out_and_no_way_to_be_conformant(tmp_path: Path) -> None:
    with serving("shoplazza") as url:
        raw = contents(url, "shoplazza")
        raw["vendors"]["shoplazza"]["unsupported"] = [
            {"requirement": "shoplazza.receiveCoupons.unlimited", "reason": "every coupon ends"},
            {"requirement": "shoplazza.*.first-*", "reason": "no first orders"},
        ]
        chosen = [f"shoplazza.receiveCoupons.{name}" for name in ("unlimited", "first-order", "assigns")]
        with running(tmp_path, raw) as run:
            found = judged(run, *chosen)
            assert run.verdict == PARTIAL
    assert [(found[name].verdict, found[name].reason) for name in chosen] == [
        (NOT_SELECTED, "declared unsupported: every coupon ends"),
        (NOT_TESTABLE, "declared unsupported: no first orders"),
        (PASS, ""),
    ]


def test_a_run_that_reaches_its_limit_of_requests_is_partial(tmp_path: Path) -> None:
    with serving("chargeover") as url:
        raw = {**contents(url, "chargeover"), "limits": {"requests": 5}}
        with running(tmp_path, raw) as run:
            found = judged(run)
            assert (run.requests, run.verdict) == (5, PARTIAL)
    reason = "the limit of 5 requests for a run is reached (limits.requests)"
    left = [outcome for outcome in found.values() if outcome.verdict != PASS]
    assert {outcome.verdict for outcome in left} == {NOT_TESTABLE}
    assert {outcome.reason for outcome in left if outcome.requirement.calls} == {reason}


@pytest.mark.parametrize("named", [(), ("other.example.com",)])
@pytest.mark.parametrize(
    ("flag", "allowed"),
    [
        ("allow-writes", Permissions(writes=True, generate=0)),
        ("allow-concurrency", Permissions(concurrency=True, generate=0)),
        ("generate", Permissions(generate=5)),
    ],
)
def test_a_target_in_production_is_only_read_unless_it_is_named_again(
    flag: str, allowed: Permissions, named: tuple[str, ...], tmp_path: Path
) -> None:
    with serving("chargeover") as url:
        raw = {**contents(url, "chargeover"), "production": True}
        says = rf"marks 127\.0\.0\.1 as production; to use --{flag} .* add --production 127\.0\.0\.1$"
        with pytest.raises(UnusableTarget, match=says):
            Run.prepare_given(read_target(written(tmp_path, raw)), (), 1, replace(allowed, production=named))
        with running(tmp_path, raw, Permissions(generate=0)) as run:
            assert run.judges
        with running(tmp_path, raw, replace(allowed, production=("127.0.0.1",))) as run:
            assert run.judges


@pytest.mark.parametrize(("generate", "sent"), [(None, 0), (0, 0), (3, 3)])
def test_against_a_stranger_nothing_is_made_up_unless_it_is_asked_for(
    generate: int | None, sent: int, tmp_path: Path
) -> None:
    chosen = "chargeover.getCoupon.survives-invalid"
    with (
        serving("chargeover") as url,
        running(tmp_path, contents(url, "chargeover"), replace(EVERYTHING, generate=generate)) as run,
    ):
        outcome = judged(run, chosen)[chosen]
        assert run.sent["chargeover"]["generated"] == sent
    assert outcome.verdict == (PASS if sent else NOT_SELECTED)


def test_a_vendor_that_the_file_does_not_know_is_refused(tmp_path: Path) -> None:
    with serving("chargeover") as url:
        file = read_target(written(tmp_path, contents(url, "chargeover")))
        with pytest.raises(UnusableTarget, match="has nothing about shoplazza; it is about chargeover"):
            Run.prepare_given(file, ("shoplazza",), 1)


def test_a_verdict_says_how_much_it_is_not_about(tmp_path: Path) -> None:
    """A run that only reads is conformant, and nobody may take that for more than it is."""
    report = tmp_path / "report.json"
    with serving("chargeover") as url:
        raw = contents(url, "chargeover")
        raw["vendors"]["chargeover"]["unsupported"] = [
            {"requirement": one.id, "reason": "an old server"}
            for one in catalogue("chargeover").checked
            if one.level != "must" and not one.needs_permission and not one.generated
        ][:1]
        done = ended("run", str(written(tmp_path, raw)), "--report", str(tmp_path))
    told = json.loads(report.read_text(encoding="utf-8"))
    counts = told["counts"]
    assert told["not_tested"]["with --allow-writes only"] == sum(
        one.needs_permission for one in catalogue("chargeover").checked
    )
    assert told["not_tested"]["declared unsupported"] == 1
    assert sum(told["not_tested"].values()) == counts["not selected"]
    why = ", ".join(f"{number} {reason}" for reason, number in told["not_tested"].items())
    covered = f"conformant: {counts['pass']} pass; {counts['not selected']} not tested ({why})"
    assert done.output.splitlines()[-1] == f"{url}: {covered}"
    assert (tmp_path / "summary.md").read_text(encoding="utf-8").startswith(f"## couponcheck: {covered}\n")


# -- at the terminal -----------------------------------------------------------------------------------------------


def ended(*arguments: str) -> Result:
    return CliRunner().invoke(couponcheck, arguments)


def test_the_terminal_and_the_report_list_what_was_changed_and_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAG", "tag-of-nobody")
    with serving("crowdtwist") as url:
        path = str(written(tmp_path, {**contents(url, "crowdtwist"), "headers": {"X-Tag": "$TAG"}}))
        report = tmp_path / "report.json"
        done = ended("run", path, "--allow-writes", "-k", "usable-again or key-checked", "--json", str(report))
        again = ended("run", path, "--allow-writes", "-k", "usable-again", "--spent", str(report))
    assert done.exit_code == 0, done.output
    assert "1 request succeeded that may have changed data; no operation takes that back:" in done.output
    assert 'usable-again: coupon.used {"code": "JDSI2JE"}' in done.output
    told = json.loads(report.read_text(encoding="utf-8"))
    (change,) = told["changed"]
    assert change["requirement"] == f"{UNUSE}usable-again"
    assert change["curl"].startswith("curl -sS -H 'Content-Type: application/json'")
    assert "-H 'X-Tag: '\"$TAG\" " in change["curl"]
    assert change["curl"].endswith('?api_key=\'"$CROWDTWIST_MAIN_SECRET"')
    assert told["spent"] == [
        {
            "vendor": "crowdtwist",
            "requirement": f"{UNUSE}usable-again",
            "entities": {"coupon.used": {"code": "JDSI2JE"}},
        }
    ]
    assert "tag-of-nobody" not in done.output + report.read_text(encoding="utf-8")
    assert again.exit_code == 2, again.output
    assert "all was used up" in again.output


def test_a_report_that_is_none_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text("[]")
    with serving("chargeover") as url:
        path = str(written(tmp_path, contents(url, "chargeover")))
        done = ended("run", path, "--spent", str(tmp_path / "report.json"))
    assert done.exit_code == 2
    assert done.output.endswith("give one that `couponcheck run --json` wrote\n")


def test_what_a_run_left_is_told_on_single_lines_and_no_more_of_it_than_anybody_reads(tmp_path: Path) -> None:
    with serving("shoplazza") as url:
        report = tmp_path / "report.json"
        done = ended("run", str(written(tmp_path, contents(url, "shoplazza"))), "--allow-writes", "--json", str(report))
    lines = done.output.splitlines()
    start = next(number for number, line in enumerate(lines) if " succeeded that may have changed data" in line)
    told = [line for line in lines[start + 1 :] if line.startswith("  ")][:21]
    assert all(re.match(r"  (\d+ x )?shoplazza\.\S+: 200 curl ", line) for line in told[:20])
    assert re.fullmatch(r"  and \d+ more, which --json and --report list", told[20])
    changed = json.loads(report.read_text(encoding="utf-8"))["changed"]
    assert any("\n" in change["curl"] for change in changed)
    assert len(changed) > len(told)
