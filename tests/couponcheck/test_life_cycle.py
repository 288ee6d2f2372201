"""Sequences against a model: what only they find, what they never accuse, what they leave alone."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from alternative_server import alternative
from broken_server import catalogue, document, serving
from couponcheck.catalogue import FOLDER, Requirement, load_catalogue
from couponcheck.exchange import Client
from couponcheck.judge import Judge
from couponcheck.outcome import FAIL, PASS, Outcome
from couponcheck.repro import scripts
from couponcheck.run import Run
from couponcheck.target import MockTarget, Target, open_target, unknown_values
from couponcheck.targetfile import PACK
from couponmock.defect import body_of, replying, with_body
from couponmock.exchange import Handler, Reply, Request
from couponspec import load_pack
from couponspec.faults import FaultyFile

UNUSE, RECEIVE = "crowdtwist.unuseCoupon.life-cycle", "shoplazza.receiveCoupons.life-cycle"
IDS = {"crowdtwist": UNUSE, "shoplazza": RECEIVE}
USE_PATH = "/v2/coupon/use"
MOST = 70
"""Requests of a life cycle on the mock."""


def life_cycle_of(vendor: str) -> Requirement:
    return next(item for item in catalogue(vendor).checked if item.id == IDS[vendor])


@contextlib.contextmanager
def judging(vendor: str, seed: int = 0, **how: Any) -> Iterator[Judge]:
    with serving(vendor, **how) as url, contextlib.closing(open_target(url, vendor, seed)) as target:
        yield Judge(document(vendor), catalogue(vendor), target, seed)


def asked(outcome: Outcome) -> list[str]:
    """Say what was asked, without the value that the seed makes up."""
    return [
        f"{one.request.target} {body}"
        for one in outcome.exchanges
        if "couponcheck-" not in (body := (one.request.body or b"").decode())
    ]


def seeded(vendor: str) -> dict[str, dict[str, Any]]:
    """Return the members of the seeded entities by handle, their times counted from now."""
    return load_pack(document(vendor), PACK).bindings(int(time.time()))


def counting(change: Callable[[Request, Reply, int], Reply]) -> Callable[[Handler], Handler]:
    """Make a server whose successes are changed, told how many there were before in its namespace and path."""

    def wrap(right: Handler) -> Handler:
        seen: dict[str, int] = {}

        def handle(request: Request) -> Reply:
            reply = right(request)
            if reply.status >= 300:
                return reply
            seen[request.path] = seen.get(request.path, 0) + 1
            return change(request, reply, seen[request.path])

        return handle

    return wrap


@pytest.mark.parametrize("vendor", IDS)
@pytest.mark.parametrize("seed", range(0, 21, 5))
def test_whatever_the_seed_the_mock_is_not_accused_and_asked_no_more_than_has_to_be(vendor: str, seed: int) -> None:
    with judging(vendor, seed) as judge:
        outcome = judge.outcome(life_cycle_of(vendor))
        assert (outcome.verdict, outcome.reason) == (PASS, "")
        assert len(outcome.exchanges) == judge.target.client.count <= MOST


@pytest.mark.parametrize("vendor", IDS)
def test_the_same_seed_asks_the_same_and_another_seed_something_else(vendor: str) -> None:
    said = []
    for seed in (3, 3, 4):
        with judging(vendor, seed) as judge:
            said.append(asked(judge.outcome(life_cycle_of(vendor))))
    first, again, other = said
    assert first == again
    assert first != other


def test_a_failure_tells_the_sequence_and_its_script_repeats_it_in_a_new_world() -> None:
    with serving("crowdtwist", defects=("crowdtwist.unused-once-only",)) as url:
        run = Run.prepare(url, ("crowdtwist",), 0)
        with contextlib.closing(run):
            outcome = run.judge(life_cycle_of("crowdtwist"))
            assert outcome.verdict == FAIL
            assert outcome.reason.startswith("expected a used coupon is unused: status 2xx; got status 404: ")
            assert outcome.reason.endswith(
                "unuseCoupon coupon.used_often: 200 > listUsableCoupons member.alice: 200 > "
                "useCoupon coupon.used_often: 200 > listUsableCoupons member.alice: 200 > "
                "unuseCoupon coupon.used_often: 404"
            )
            ((name, script),) = scripts(run)
            assert name == f"{UNUSE}.sh"
            assert script.count("echo '--- call ") == len(outcome.exchanges) == 8


def test_what_goes_wrong_in_a_later_sequence_is_told_without_the_sequences_before() -> None:
    """Each begins in a restored world, and so does the script."""

    def late(request: Request, reply: Reply, number: int) -> Reply:
        return replace(reply, status=303) if request.path.endswith("/unuse") and number == 6 else reply

    with judging("crowdtwist", handling=counting(late)) as judge:
        outcome = judge.outcome(life_cycle_of("crowdtwist"))
    assert outcome.verdict == FAIL
    assert len(outcome.exchanges) < judge.target.client.count
    assert [one.status for one in outcome.exchanges if one.operation == "unuseCoupon"][-1] == 303
    assert [one.operation for one in outcome.exchanges[:3]] == ["listUsableCoupons"] * 3


def test_a_coupon_that_changes_on_its_way_is_seen() -> None:
    """What a coupon was listed with before it was used, it is listed with when it is unused again."""

    def aging(request: Request, reply: Reply, number: int) -> Reply:
        if reply.diagnosis.operation != "listUsableCoupons" or number < 5:
            return reply
        return with_body(reply, [{**row, "ending_balance": row["ending_balance"] + 1} for row in body_of(reply)])

    with judging("crowdtwist", handling=counting(aging)) as judge:
        outcome = judge.outcome(life_cycle_of("crowdtwist"))
    assert outcome.verdict == FAIL
    assert "listed with the values that it had" in outcome.reason or "all else that is listed" in outcome.reason


@pytest.mark.parametrize("status", [404, 500])
def test_no_verdict_is_about_a_companion(status: int) -> None:
    """One that does not work takes no more part, and nobody asks in which state its coupon is."""

    def broken(right: Handler) -> Handler:
        def handle(request: Request) -> Reply:
            reply = right(request)
            return replace(reply, status=status) if request.path == USE_PATH else reply

        return handle

    with judging("crowdtwist", handling=broken) as judge:
        outcome = judge.outcome(life_cycle_of("crowdtwist"))
    assert (outcome.verdict, outcome.reason) == (PASS, "")
    assert sum(one.operation == "useCoupon" for one in outcome.exchanges) == 1


def test_companions_are_left_alone_where_the_target_does_not_allow_them() -> None:
    with judging("crowdtwist") as judge:
        assert isinstance(judge.target, MockTarget)
        judge.target.companions = False
        outcome = judge.outcome(life_cycle_of("crowdtwist"))
    assert outcome.verdict == PASS
    assert {one.operation for one in outcome.exchanges} == {"unuseCoupon", "listUsableCoupons"}


@pytest.mark.parametrize("vendor", IDS)
def test_where_nothing_restores_the_data_it_is_one_sequence(vendor: str) -> None:
    entities = seeded(vendor)
    cycle = life_cycle_of(vendor).life_cycle
    assert cycle is not None
    with alternative(vendor, entities) as running:
        bindings = {**entities, **unknown_values(0)}
        target = Target(vendor, Client(running.url, "couponcheck"), bindings, may_write=True)
        with contextlib.closing(target):
            outcome = Judge(document(vendor), catalogue(vendor), target, 0).outcome(life_cycle_of(vendor))
    assert (outcome.verdict, outcome.reason) == (PASS, "")
    assert sum(one.operation == life_cycle_of(vendor).operation for one in outcome.exchanges) == cycle.steps


@pytest.mark.parametrize(("always", "verdict"), [(True, PASS), (False, FAIL)])
def test_a_count_means_the_same_at_all_times_whatever_it_means(verdict: str, *, always: bool) -> None:
    """How often a coupon was received may be told of the customer or of all; now this and now that is neither."""
    stocks = {
        members["id"]: members["stock"]
        for handle, members in seeded("shoplazza").items()
        if handle.startswith("coupon.")
    }

    def overall(_: Request, reply: Reply) -> Reply:
        if reply.status >= 300:
            return reply
        body = body_of(reply)
        items = [
            {**item, "received_count": stocks[item["id"]] - item["stock"]} if always or item["stock"] % 2 else item
            for item in body["items"]
        ]
        return with_body(reply, {**body, "items": items})

    with judging("shoplazza", handling=replying(overall)) as judge:
        outcome = judge.outcome(life_cycle_of("shoplazza"))
    assert outcome.verdict == verdict, outcome.reason


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"rules": 0, "request": {"body": "{shop.self.id}"}}, "no entity is a 'shop'"),
        ({"rules": 0, "where": "taken <"}, "is no JMESPath expression"),
        ({"rules": 0, "counts": {"given": 1}}, "nothing is counted as 'given'"),
        ({"rules": 0, "becomes": {"receipt": {}}}, "the request names no receipt.self"),
        ({"rules": 0, "expect": {"example": ["nothing"]}}, "receiveCoupons has no example 'nothing'"),
        ({"rules": 0, "operation": "useCoupon"}, "no operation 'useCoupon'"),
    ],
)
def test_a_life_cycle_that_names_nothing_is_refused(change: Mapping[str, Any], said: str, tmp_path: Path) -> None:
    raw = yaml.safe_load((FOLDER / "shoplazza.yaml").read_text(encoding="utf-8"))
    raw["requirements"] = [item for item in raw["requirements"] if item["id"] == RECEIVE]
    changed = dict(change)
    raw["requirements"][0]["life_cycle"]["rules"][changed.pop("rules")] |= changed
    (tmp_path / "shoplazza.yaml").write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(FaultyFile, match=said.replace("[", r"\[")):
        load_catalogue(document("shoplazza"), tmp_path)
