"""Each answer against the document: what is wrong with it, and whose member it is."""

from dataclasses import replace
from typing import Any

import pytest
from answers import answer, row, without
from couponcheck.contract import allowances, has_place, readings_used, tolerated, violations
from couponcheck.exchange import Exchange
from couponspec import load_document
from couponspec.request import HttpRequest
from couponspec.schema import Option

CROWDTWIST = load_document("crowdtwist")
CHARGEOVER = load_document("chargeover")
ERROR = {"error": "page_not_found", "message": "User does not exist."}
REWARD = without(row(), "redeem_order_id", "redeem_order_coupon_id") | {
    "reward_order_id": 28184278,
    "reward_order_coupon_id": 17298195,
}


def found(exchange: Exchange) -> list[tuple[str, str, str]]:
    """Return aspect, kind of answer and member of each violation."""
    return [(one.aspect, one.of, one.member) for one in violations(CROWDTWIST, exchange)]


@pytest.mark.parametrize(
    "right",
    [
        answer([row(), row(date_to_expire=None, coupon_category_expiration_days=None)]),
        answer([]),
        answer({"coupons": [row()]}),
        answer([REWARD]),
        answer([{name: str(value) for name, value in row().items()}]),
        answer([row(reward_id=127819.0, anything=[{}])], content_type='Application/JSON; charset="UTF-8"'),
        answer(ERROR, status=400),
        answer(ERROR, status=404),
        answer({"error": "param_error", "message": "No."}, status=422),
        answer({"success": True, "message": "Yes."}, status=202, operation="unuseCoupon"),
        answer({"error": "not_used", "message": "No."}, status=409, operation="unuseCoupon"),
        answer({"error": "no_data", "message": "No.", "success": False}, status=404, operation="unuseCoupon"),
        answer({"error": "not_configured", "message": "No."}, status=503, operation="unuseCoupon"),
        answer({"error": "input_error", "message": "No."}, status=405, operation="general"),
    ],
)
def test_an_answer_that_is_right_in_some_reading_breaks_nothing(right: Exchange) -> None:
    assert found(right) == []


@pytest.mark.parametrize(
    ("wrong", "violation"),
    [
        (answer([], status=204), ("status", "success", "")),
        (answer({}, status=302), ("status", "success", "")),
        (answer([], content_type="text/html"), ("media-type", "success", "")),
        (answer([], content_type=""), ("media-type", "success", "")),
        (answer(ERROR, status=400, content_type="application/problem+json"), ("media-type", "errors", "")),
        (answer(content=b""), ("json", "success", "")),
        (answer(status=400, content=b'{"error": NaN}'), ("json", "errors", "")),
        (answer([], content_type="application/json; charset=latin-1"), ("json", "success", "")),
        (answer({}), ("schema", "success", "")),
        (answer([without(row(), "code")]), ("schema", "success", "code")),
        (answer([row(), row(code=None)]), ("schema", "success", "code")),
        (answer([row(code="x" * 1001)]), ("schema", "success", "code")),
        (answer([row(reward_id="R-1")]), ("schema", "success", "reward_id")),
        (answer([row(reward_id=True)]), ("schema", "success", "reward_id")),
        (answer([row(reward_id=None)]), ("schema", "success", "reward_id")),
        (answer([row(quantity=1.5)]), ("schema", "success", "quantity")),
        (answer([row(date_to_expire="")]), ("schema", "success", "date_to_expire")),
        (answer([without(row(), "redeem_order_id")]), ("schema", "success", "redeem_order_id")),
        (answer({"message": "No."}, status=400), ("schema", "errors", "error")),
        (answer({"error": "banana", "message": "No."}, status=404), ("schema", "errors", "error")),
        (answer({"error": "page_not_found", "message": ""}, status=404), ("schema", "errors", "message")),
        (answer([ERROR], status=400), ("schema", "errors", "")),
        (answer("User does not exist.", status=400), ("schema", "errors", "")),
        (answer({**ERROR, "success": True}, status=400), ("schema", "errors", "success")),
        (
            answer({"success": "true", "message": "Yes."}, operation="unuseCoupon"),
            ("schema", "success", "success"),
        ),
        (
            answer({"error": "not_issued", "message": "No."}, status=400, operation="unuseCoupon"),
            ("schema", "errors", "error"),
        ),
        (
            answer({"error": "internal_error", "message": "No."}, status=404, operation="unuseCoupon"),
            ("schema", "errors", "error"),
        ),
    ],
)
def test_a_wrong_answer_names_aspect_and_member(wrong: Exchange, violation: tuple[str, str, str]) -> None:
    assert found(wrong) == [violation]


@pytest.mark.parametrize(
    ("method", "status", "allow", "breaches"),
    [
        ("GET", 405, "POST", 0),
        ("GET", 405, "OPTIONS, POST", 0),
        ("GET", 405, None, 1),
        ("GET", 405, "GET, POST", 1),
        ("GET", 405, "PUT", 1),
        ("GET", 400, None, 0),
        ("GET", 400, "GET", 1),
        ("GET", 404, None, 0),
        ("TRACE", 405, None, 0),
        ("POST", 405, None, 0),
    ],
)
def test_who_refuses_a_method_says_which_are_allowed(
    method: str, status: int, allow: str | None, breaches: int
) -> None:
    headers = {} if allow is None else {"allow": allow}
    exchange = Exchange(HttpRequest(method, "/v2/coupon/unuse?api_key=x", (), None), "general", status, headers, b"")
    assert [one.aspect for one in allowances(CROWDTWIST, exchange)] == ["allow"] * breaches
    nowhere = replace(exchange, request=HttpRequest(method, "/v2/nothing", (), None))
    assert [*allowances(CROWDTWIST, nowhere)] == []


def test_a_member_inside_an_envelope_has_a_dotted_name() -> None:
    body = {"code": 200, "status": "OK", "message": "", "response": {"coupon_id": "1", "code": "A", "enabled": True}}
    wrong = violations(CHARGEOVER, answer(body, operation="getCoupon"))
    assert sorted(one.member for one in wrong) == ["response.coupon_id", "response.type"]


def test_a_violation_says_what_was_expected_and_where() -> None:
    (wrong,) = violations(CROWDTWIST, answer([row(), row(batch_num="none")]))
    assert (wrong.expected, wrong.got) == ("[1].batch_num is a whole number", '[1].batch_num is "none"')


@pytest.mark.parametrize(
    ("rows", "members"),
    [
        ([REWARD | {"quantity": "many"}], {"quantity"}),
        ([{name: str(value) for name, value in row().items()} | {"quantity": "many"}], {"quantity"}),
        ([{name: str(value) for name, value in REWARD.items()} | {"quantity": "many"}] * 30, {"quantity"}),
        ([row(), REWARD | {"code": 1}], {"code"}),
    ],
)
def test_one_wrong_member_is_named_in_whatever_readings_the_others_are_right(
    rows: list[dict[str, Any]], members: set[str]
) -> None:
    assert {member for _, _, member in found(answer(rows))} == members


@pytest.mark.parametrize(
    "mixture",
    [
        row(reward_order_id=1, reward_order_coupon_id=2),
        without(row(), "redeem_order_id") | {"reward_order_id": 1},
    ],
)
def test_one_coupon_never_mixes_the_two_names_of_an_order(mixture: dict[str, Any]) -> None:
    assert found(answer([mixture]))


@pytest.mark.parametrize(
    ("right", "options"),
    [
        (answer([row()]), []),
        (answer([REWARD]), ["order-field-names=reward"]),
        (answer({"coupons": [row(quantity="1")]}), ["list-shape=wrapped", "number-type=string"]),
        (answer({"error": "no_activities", "message": "No."}, status=422), ["list-error-status=other-4xx"]),
        (answer({"success": True, "message": "Yes."}, status=201, operation="unuseCoupon"), ["unuse-status=other-2xx"]),
        (answer([row(code=1)]), []),
        (answer([], status=302), []),
    ],
)
def test_the_options_that_a_right_answer_rests_on_are_known(right: Exchange, options: list[str]) -> None:
    assert sorted(str(option) for option in readings_used(CROWDTWIST, right)) == options


def test_only_options_that_the_sources_call_tolerated_are() -> None:
    assert tolerated(CROWDTWIST, Option("list-shape", "wrapped"))
    assert not tolerated(CROWDTWIST, Option("order-field-names", "reward"))


@pytest.mark.parametrize(
    ("body", "member", "has"),
    [
        ({"items": []}, "items.id", False),
        ({"items": [{}]}, "items.id", True),
        ({"items": [1]}, "items.id", False),
        ({"items": [[{"id": 1}]]}, "items.id", False),
        ({"items": []}, "items", True),
        ({"response": None}, "response.code", False),
        ({"response": {}}, "response.code", True),
        ({}, "response.code", False),
        ([{"a": {}}, {"b": []}], "b.c.d", False),
        ([{"b": {"c": [{}]}}, 1], "b.c.d", True),
        ("text", "code", False),
        (None, "code", False),
    ],
)
def test_a_member_has_a_place_where_an_object_should_hold_it(body: Any, member: str, *, has: bool) -> None:
    assert has_place(body, member) == has
