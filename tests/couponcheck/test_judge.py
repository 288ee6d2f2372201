"""Verdicts: what passes, fails or only warns, and what was never judged is never a pass."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from answers import answer, row
from couponcheck.catalogue import load_catalogue
from couponcheck.exchange import Client, Exchange
from couponcheck.generate import SMALLER
from couponcheck.judge import AGAIN, Judge
from couponcheck.outcome import ERROR, FAIL, NOT_SELECTED, NOT_TESTABLE, PASS, WARN, Outcome
from couponcheck.target import Target, unknown_values
from couponcheck.targetfile import Consistency
from couponcheck.transport import TargetUnreachable
from couponspec import load_document
from couponspec.request import HttpRequest

BINDINGS = {
    "credential.main": {"scheme": "api_key", "secret": "KEY"},
    "member.alice": {"id": "1001"},
    "coupon.used": {"code": "USED"},
}
LISTING: dict[str, Any] = {
    "id": "crowdtwist.listUsableCoupons.lists",
    "text": "A list is a list.",
    "level": "must",
    "operation": "listUsableCoupons",
    "source": {"page": "usable-coupons#query-parameters", "quote": "username"},
    "calls": [{"request": {"path": {"user_id": "{member.alice.id}"}}, "expect": {"status": [200]}}],
}


def contract(name: str, **what: str) -> dict[str, Any]:
    """Make a requirement about every answer."""
    entry = {key: value for key, value in LISTING.items() if key != "calls"}
    return {**entry, "id": f"crowdtwist.listUsableCoupons.{name}", "contract": what}


class Canned(Client):
    """Gives prepared answers, the last one again and again, and keeps what it was asked."""

    def __init__(self, *answers: Exchange | Exception) -> None:
        super().__init__("http://target.invalid", "test")
        self.answers = list(answers)
        self.asked: list[HttpRequest] = []

    def send(self, operation: str, request: HttpRequest, patience: int = 1, *, kind: str = "") -> Exchange:
        del patience
        self.sent[kind or "reads"] += 1
        self.asked.append(request)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(found, Exception):
            raise found
        return Exchange(request, operation, found.status, found.headers, found.content)


class Prepared(Target):
    """Counts how often its data was put in order."""

    prepared = 0

    def prepare(self) -> None:
        self.prepared += 1


@contextlib.contextmanager
def judging(
    folder: Path,
    client: Canned,
    *entries: dict[str, Any],
    may_write: bool = True,
    generate: int | None = None,
    bindings: Any = None,
) -> Iterator[Judge]:
    (folder / "crowdtwist.yaml").write_text(
        json.dumps({"vendor": "crowdtwist", "lists": ["listUsableCoupons"], "requirements": entries})
    )
    document = load_document("crowdtwist")
    known = {**(BINDINGS if bindings is None else bindings), **unknown_values(1)}
    with contextlib.closing(Prepared("crowdtwist", client, known, may_write, generate=generate)) as target:
        yield Judge(document, load_catalogue(document, folder), target, 1)


def outcomes(judge: Judge) -> dict[str, Outcome]:
    return {item.id.rpartition(".")[2]: judge.outcome(item) for item in judge.catalogue.checked}


def test_what_is_as_expected_passes(tmp_path: Path) -> None:
    with judging(tmp_path, Canned(answer([row()])), LISTING) as judge:
        outcome = outcomes(judge)["lists"]
    assert (outcome.verdict, outcome.reason, len(outcome.exchanges)) == (PASS, "", 1)


def test_what_is_not_fails_with_expected_and_got(tmp_path: Path) -> None:
    with judging(tmp_path, Canned(answer({}, status=500)), LISTING) as judge:
        outcome = outcomes(judge)["lists"]
    assert (outcome.verdict, outcome.reason) == (FAIL, "expected status 200; got status 500: {}")


@pytest.mark.parametrize("level", ["should", "may"])
def test_less_than_a_must_warns(tmp_path: Path, level: str) -> None:
    entries = ({**LISTING, "level": level}, {**contract("status", aspect="status"), "level": level})
    with judging(tmp_path, Canned(answer({}, status=302)), *entries) as judge:
        assert {outcome.verdict for outcome in outcomes(judge).values()} == {WARN}


def test_missing_data_is_not_testable_and_nothing_is_asked(tmp_path: Path) -> None:
    client = Canned(answer([]))
    with judging(tmp_path, client, LISTING, bindings={"credential.main": BINDINGS["credential.main"]}) as judge:
        outcome = outcomes(judge)["lists"]
    assert (outcome.verdict, outcome.reason) == (NOT_TESTABLE, "the target's data lacks member.alice")
    assert client.asked == []


def test_a_missing_member_is_not_testable_either(tmp_path: Path) -> None:
    with judging(tmp_path, Canned(answer([])), LISTING, bindings={**BINDINGS, "member.alice": {}}) as judge:
        outcome = outcomes(judge)["lists"]
    assert (outcome.verdict, outcome.reason) == (NOT_TESTABLE, "the target's data lacks member.alice.id")


def test_writes_that_are_switched_off_are_not_selected(tmp_path: Path) -> None:
    client = Canned(answer([]))
    with judging(tmp_path, client, {**LISTING, "writes": True}, may_write=False) as judge:
        outcome = outcomes(judge)["lists"]
    assert (outcome.verdict, client.asked) == (NOT_SELECTED, [])
    assert "--allow-writes" in outcome.reason


def test_a_target_that_does_not_answer_is_an_error_and_no_verdict(tmp_path: Path) -> None:
    entries = (LISTING, contract("status", aspect="status"))
    with judging(tmp_path, Canned(TargetUnreachable("nobody is there")), *entries) as judge:
        found = outcomes(judge)
    assert (found["lists"].verdict, found["lists"].reason) == (ERROR, "nobody is there")
    assert (found["status"].verdict, found["status"].reason) == (NOT_TESTABLE, "no such answer was seen")


@pytest.mark.parametrize(
    ("shown", "member", "verdict"),
    [
        ([], "code", NOT_TESTABLE),
        ({"coupons": []}, "code", NOT_TESTABLE),
        ([row()], "code", PASS),
        ({"coupons": [row()]}, "code", PASS),
    ],
)
def test_a_member_of_items_is_judged_only_if_some_answer_has_items(
    shown: Any, member: str, verdict: str, tmp_path: Path
) -> None:
    entries = (LISTING, contract("whole", of="success"), contract("member", of="success", member=member))
    with judging(tmp_path, Canned(answer(shown)), *entries) as judge:
        found = outcomes(judge)
    assert found["member"].verdict == verdict
    assert found["member"].reason == ("" if verdict == PASS else "no such answer was seen")
    assert found["whole"].verdict in {PASS, WARN}


def test_a_member_of_items_that_only_a_write_would_show_is_not_selected(tmp_path: Path) -> None:
    entries = (
        LISTING,
        {**LISTING, "id": f"{LISTING['id']}-too", "writes": True},
        contract("m", of="success", member="code"),
    )
    with judging(tmp_path, Canned(answer([])), *entries, may_write=False) as judge:
        outcome = outcomes(judge)["m"]
    assert outcome.verdict == NOT_SELECTED
    assert outcome.reason == "no such answer was seen without the requests that change data"


def test_a_member_of_an_error_is_judged_whatever_list_stands_beside_it(tmp_path: Path) -> None:
    refusal = answer({"error": "page_not_found", "message": "No.", "details": []}, status=400)
    calls = [{**LISTING["calls"][0], "expect": {"status": [400]}}]
    entries = ({**LISTING, "calls": calls}, contract("error", of="errors", member="error"))
    with judging(tmp_path, Canned(refusal), *entries) as judge:
        assert outcomes(judge)["error"].verdict == PASS


def test_a_requirement_is_carried_out_once(tmp_path: Path) -> None:
    client = Canned(answer([row()]))
    with judging(tmp_path, client, contract("status", aspect="status"), LISTING) as judge:
        outcomes(judge)
        outcomes(judge)
    assert len(client.asked) == 1


def test_the_data_is_put_in_order_before_each_requirement_but_the_first(tmp_path: Path) -> None:
    again = {**LISTING, "id": "crowdtwist.listUsableCoupons.again", "text": "Again."}
    with judging(tmp_path, Canned(answer([row()])), LISTING, again, contract("json", aspect="json")) as judge:
        outcomes(judge)
        assert isinstance(judge.target, Prepared)
        assert judge.target.prepared == 1


def test_a_repeated_call_stops_at_its_first_failure(tmp_path: Path) -> None:
    calls = [{**LISTING["calls"][0], "times": 3}]
    client = Canned(answer([]), answer([], status=500))
    with judging(tmp_path, client, {**LISTING, "calls": calls}) as judge:
        assert outcomes(judge)["lists"].verdict == FAIL
    assert len(client.asked) == 2 + AGAIN


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([500, 500], ""),
        ([500, 200, 500], f"not always (1 of {AGAIN} more times as expected)"),
        ([500, 200], f"not always ({AGAIN} of {AGAIN} more times as expected)"),
    ],
)
def test_a_read_that_is_not_as_expected_is_asked_again_and_said_to_come_and_go(
    answers: list[int], said: str, tmp_path: Path
) -> None:
    with judging(tmp_path, Canned(*(answer([], status=status) for status in answers)), LISTING) as judge:
        outcome = outcomes(judge)["lists"]
    assert outcome.verdict == FAIL
    assert {mismatch.again for mismatch in outcome.mismatches} == {said}
    assert len(outcome.exchanges) == 1, "it is the first failure that is shown"


def test_each_breach_is_the_one_requirements_whose_member_it_is(tmp_path: Path) -> None:
    entries = (
        LISTING,
        contract("status", aspect="status"),
        contract("json", aspect="json"),
        contract("shape", of="success"),
        contract("code", of="success", member="code"),
        contract("quantity", of="success", member="quantity"),
    )
    for body, failing in (
        ([row()], set()),
        ([row(code=None)], {"code"}),
        ([row(quantity="many")], {"quantity"}),
        ([row(code=1, batch_num=None)], {"code", "shape"}),
        ("no list", {"shape"}),
    ):
        with judging(tmp_path, Canned(answer(body)), *entries) as judge:
            found = outcomes(judge)
        assert {name for name, outcome in found.items() if outcome.verdict == FAIL} == failing, body


def test_what_holds_for_errors_is_not_testable_without_one(tmp_path: Path) -> None:
    with judging(tmp_path, Canned(answer([row()])), LISTING, contract("envelope", of="errors")) as judge:
        assert outcomes(judge)["envelope"].verdict == NOT_TESTABLE


def test_a_tolerated_variant_warns_once_and_names_itself(tmp_path: Path) -> None:
    entries = (LISTING, contract("shape", of="success"), contract("code", of="success", member="code"))
    with judging(tmp_path, Canned(answer({"coupons": [row()]})), *entries) as judge:
        found = outcomes(judge)
    assert {name: outcome.verdict for name, outcome in found.items()} == {"lists": PASS, "shape": WARN, "code": PASS}
    assert found["shape"].reason == "tolerated variant seen: list-shape=wrapped"


def test_a_reading_that_is_as_good_as_the_mocks_passes_and_is_remembered(tmp_path: Path) -> None:
    refusal = answer({"error": "no_activities", "message": "None."}, status=422)
    calls = [{**LISTING["calls"][0], "expect": {"status": ["4xx"]}}]
    with judging(tmp_path, Canned(refusal), {**LISTING, "calls": calls}) as judge:
        outcome = outcomes(judge)["lists"]
    assert (outcome.verdict, [str(option) for option in outcome.readings]) == (PASS, ["list-error-status=other-4xx"])


@pytest.mark.parametrize(
    ("answers", "verdict", "reason"),
    [
        ([answer({"error": "param_error", "message": "No."}, status=400)], PASS, ""),
        ([answer([row()])], FAIL, "a refusal of a request that breaks the document"),
        ([answer({"error": "internal_error", "message": "No."}, status=500)], FAIL, "no server error"),
        ([answer({"error": "banana", "message": "No."}, status=400)], FAIL, 'error is one of "input_error"'),
    ],
)
def test_a_generated_request_that_is_invalid_has_to_be_refused_properly(
    tmp_path: Path, answers: list[Exchange], verdict: str, reason: str
) -> None:
    entry = {key: value for key, value in LISTING.items() if key != "calls"}
    entry["generated"] = {"requests": "invalid", "examples": 3}
    with judging(tmp_path, Canned(*answers), entry) as judge:
        outcome = outcomes(judge)["lists"]
    assert outcome.verdict == verdict
    assert reason in outcome.reason
    assert outcome.exchanges


def test_generated_requests_must_change_nothing(tmp_path: Path) -> None:
    entry = {key: value for key, value in LISTING.items() if key != "calls"}
    entry["generated"] = {
        "requests": "invalid",
        "examples": 1,
        "unchanged": [{"request": LISTING["calls"][0]["request"]}],
    }
    refusal = answer({"error": "param_error", "message": "No."}, status=400)
    with judging(tmp_path, Canned(answer([row()]), refusal, answer([])), entry) as judge:
        outcome = outcomes(judge)["lists"]
    assert outcome.verdict == FAIL
    assert "the same answer as call 1" in outcome.reason


def test_generated_requests_carry_the_one_good_credential(tmp_path: Path) -> None:
    """A second key in the query would end each request before it reaches what is to be tested."""
    entry = {key: value for key, value in LISTING.items() if key != "calls"}
    entry["generated"] = {"requests": "valid", "examples": 20}
    client = Canned(answer([row()]))
    with judging(tmp_path, client, entry) as judge:
        outcomes(judge)
    assert len({request.target for request in client.asked}) == len(client.asked) == 20
    assert all(request.target.count("api_key=") == 1 and "api_key=KEY" in request.target for request in client.asked)


class Picky(Canned):
    """Gives a right answer, but a wrong one to whatever its test does not like."""

    def __init__(self, dislikes: Callable[[HttpRequest, int], bool], wrong: Exchange) -> None:
        super().__init__(answer([row()]))
        self.dislikes, self.wrong = dislikes, wrong

    def send(self, operation: str, request: HttpRequest, patience: int = 1, *, kind: str = "") -> Exchange:
        exchange = super().send(operation, request, patience, kind=kind)
        disliked = self.dislikes(request, len(self.asked))
        return Exchange(request, operation, 500, self.wrong.headers, self.wrong.content) if disliked else exchange


WRONG = answer({"error": "internal_error", "message": "No."}, status=500)


def making_up(requests: str, examples: int, **more: Any) -> dict[str, Any]:
    entry = {key: value for key, value in LISTING.items() if key != "calls"}
    return {**entry, "generated": {"requests": requests, "examples": examples}, **more}


def test_a_read_that_is_answered_wrongly_is_shown_as_small_as_it_can_be(tmp_path: Path) -> None:
    """Two characters that are not ASCII are enough, so nobody has to find them in a long text."""
    found = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        client = Picky(lambda request, _: request.target.partition("?")[0].count("%C") > 1, WRONG)
        with judging(tmp_path / name, client, making_up("valid", 100)) as judge:
            outcome = outcomes(judge)["lists"]
        assert (outcome.verdict, len(outcome.exchanges)) == (FAIL, 1)
        path = unquote(outcome.exchanges[0].request.target.partition("?")[0].split("/")[3])
        assert len(path) == 2
        assert "id_type" not in outcome.exchanges[0].request.target
        assert client.sent["generated"] <= 100 + SMALLER + 1
        assert len({request.target for request in client.asked}) == len(client.asked) - 1  # the smallest, once more
        found.append([request.target for request in client.asked])
    assert found[0] == found[1]


def test_what_is_not_wrong_a_second_time_is_shown_with_all_that_came_before(tmp_path: Path) -> None:
    """Then it is not the request that matters but how many there were."""
    client = Picky(lambda _, number: number == 7, WRONG)
    with judging(tmp_path, client, making_up("valid", 20)) as judge:
        outcome = outcomes(judge)["lists"]
    assert outcome.verdict == FAIL
    assert [exchange.status for exchange in outcome.exchanges] == [200] * 6 + [500]


def test_a_write_that_is_answered_wrongly_is_not_tried_in_another_way(tmp_path: Path) -> None:
    client = Picky(lambda _, number: number == 7, WRONG)
    entry = making_up("invalid", 20, id="crowdtwist.unuseCoupon.survives", operation="unuseCoupon")
    entry["source"] = {"page": "unuse#error-response-codes", "quote": "missing required fields"}
    client.answers = [answer({"error": "input_error", "message": "No."}, status=400)]
    with judging(tmp_path, client, entry) as judge:
        outcome = outcomes(judge)["survives"]
    assert outcome.verdict == FAIL
    assert len(client.asked) == len(outcome.exchanges) == 7


def test_a_target_that_falls_silent_ends_what_is_made_up(tmp_path: Path) -> None:
    client = Canned(answer([row()]), answer([row()]), TargetUnreachable("gone"))
    with judging(tmp_path, client, making_up("valid", 20)) as judge:
        outcome = outcomes(judge)["lists"]
    assert (outcome.verdict, outcome.reason, len(client.asked)) == (ERROR, "gone", 3)


@pytest.mark.parametrize(("generate", "sent"), [(None, 20), (5, 5), (30, 30)])
def test_as_many_requests_are_made_up_as_are_asked_for(tmp_path: Path, generate: int | None, sent: int) -> None:
    client = Canned(answer([row()]))
    with judging(tmp_path, client, making_up("valid", 20), generate=generate) as judge:
        assert outcomes(judge)["lists"].verdict == PASS
    assert client.sent["generated"] == sent


def test_made_up_requests_that_are_switched_off_are_not_selected(tmp_path: Path) -> None:
    client = Canned(answer([row()]))
    with judging(tmp_path, client, making_up("valid", 20), generate=0) as judge:
        outcome = outcomes(judge)["lists"]
    assert (outcome.verdict, client.asked) == (NOT_SELECTED, [])
    assert outcome.reason == "it makes requests up, which is switched off (--generate N)"


def test_made_up_writes_need_the_permission_of_writes_as_well(tmp_path: Path) -> None:
    entry = making_up("invalid", 20, id="crowdtwist.unuseCoupon.survives", operation="unuseCoupon")
    entry["source"] = {"page": "unuse#error-response-codes", "quote": "missing required fields"}
    client = Canned(answer({}))
    with judging(tmp_path, client, entry, may_write=False, generate=5) as judge:
        outcome = outcomes(judge)["survives"]
    assert (outcome.verdict, client.asked) == (NOT_SELECTED, [])
    assert "--allow-writes" in outcome.reason


def test_a_failure_of_the_suite_is_an_error_and_never_vanishes(tmp_path: Path) -> None:
    with judging(tmp_path, Canned(RuntimeError("odd")), LISTING) as judge:
        outcome = outcomes(judge)["lists"]
    assert outcome.verdict == ERROR
    assert outcome.reason == "the suite itself failed, please report it: RuntimeError: odd"


def test_a_target_that_stays_silent_is_not_asked_for_ever(tmp_path: Path) -> None:
    client = Canned(TargetUnreachable("gone"))
    entries = [{**LISTING, "id": f"crowdtwist.listUsableCoupons.lists-{number}"} for number in range(6)]
    with judging(tmp_path, client, *entries) as judge:
        verdicts = [outcome.verdict for outcome in outcomes(judge).values()]
    assert (verdicts, len(client.asked)) == ([ERROR] * 6, 3)


def test_what_only_writes_could_show_is_not_selected_without_them(tmp_path: Path) -> None:
    entries = ({**LISTING, "writes": True}, contract("shape", of="success"))
    with judging(tmp_path, Canned(answer([])), *entries, may_write=False) as judge:
        found = outcomes(judge)
    assert {name: outcome.verdict for name, outcome in found.items()} == {"lists": NOT_SELECTED, "shape": NOT_SELECTED}


# -- a target that shows late what was written ---------------------------------------------------------------------

UNUSING: dict[str, Any] = {
    **{key: value for key, value in LISTING.items() if key != "calls"},
    "id": "crowdtwist.listUsableCoupons.late",
    "writes": True,
}
READ: dict[str, Any] = {"request": {"path": {"user_id": "{member.alice.id}"}}}
WRITE: dict[str, Any] = {"operation": "unuseCoupon", "request": {"body": {"coupon_value": "{coupon.used.code}"}}}
SHOWN: dict[str, Any] = {**READ, "expect": {"contains": {"[].code": "{coupon.used.code}"}}}
OLD, NEW, WRITTEN = answer([]), answer([row(code="USED")]), answer({"success": True}, operation="unuseCoupon")


@pytest.mark.parametrize(
    ("consistency", "answers", "verdict", "asked"),
    [
        (Consistency(), [WRITTEN, OLD, NEW], FAIL, 2 + AGAIN),
        (Consistency(60, 0.001), [WRITTEN, OLD, OLD, OLD, NEW], PASS, 5),
        (Consistency(60, 0.001), [WRITTEN, NEW], PASS, 2),
        (Consistency(0.05, 0.01), [WRITTEN, OLD], FAIL, None),
    ],
)
def test_a_read_after_a_write_is_repeated_as_long_as_the_target_says(
    consistency: Consistency, answers: list[Exchange], verdict: str, asked: int | None, tmp_path: Path
) -> None:
    client = Canned(*answers)
    with judging(tmp_path, client, {**UNUSING, "calls": [WRITE, SHOWN]}) as judge:
        judge.target.consistency = consistency
        assert outcomes(judge)["late"].verdict == verdict
    assert len(client.asked) == asked or (asked is None and len(client.asked) > 2)


def test_a_read_before_any_write_is_not_repeated(tmp_path: Path) -> None:
    client = Canned(OLD, NEW)
    with judging(tmp_path, client, {**UNUSING, "calls": [SHOWN]}) as judge:
        judge.target.consistency = Consistency(60, 0.001)
        assert outcomes(judge)["late"].verdict == FAIL
    assert len(client.asked) == 1 + AGAIN


@pytest.mark.parametrize(
    "calls",
    [
        [{**READ, "as": "before"}, WRITE, {**READ, "expect": {"same_as": "before"}}],
        [WRITE, {**READ, "expect": {"lacks": {"[].code": "{coupon.used.code}"}}}],
        [WRITE, {**READ, "as": "between"}],
    ],
)
def test_what_an_old_state_would_fulfil_is_read_once_every_write_is_shown(
    calls: list[dict[str, Any]], tmp_path: Path
) -> None:
    """A read at once could hide what a faulty server has changed, or be compared with what comes after."""
    moments: list[tuple[str, float]] = []

    class Timed(Canned):
        def send(self, operation: str, request: HttpRequest, patience: int = 1, *, kind: str = "") -> Exchange:
            moments.append((request.method, time.monotonic()))
            return super().send(operation, request, patience, kind=kind)

    with judging(tmp_path, Timed(OLD), {**UNUSING, "calls": calls}) as judge:
        judge.target.consistency = Consistency(0.05, 0.01)
        assert outcomes(judge)["late"].verdict == PASS
    written = next(moment for method, moment in moments if method == "POST")
    assert moments[-1][1] - written >= 0.05


def test_a_call_is_left_out_unless_the_earlier_answer_is_as_it_asks(tmp_path: Path) -> None:
    """The second answer would fail; after a success it is not asked for."""
    calls = [
        {"as": "first", "request": {"path": {"user_id": "1"}}, "expect": {"status": [200, "4xx"]}},
        {
            "when": {"first": {"status": ["4xx"]}},
            "request": {"path": {"user_id": "2"}},
            "expect": {"same_as": "first"},
        },
    ]
    for first, verdict, asked in ((answer([]), PASS, 1), (answer({}, status=404), FAIL, 2 + AGAIN)):
        client = Canned(first, answer([]))
        with judging(tmp_path, client, {**LISTING, "calls": calls}) as judge:
            assert (outcomes(judge)["lists"].verdict, len(client.asked)) == (verdict, asked)
