"""Each word of an expectation: what it accepts, what it does not, and what a correct server is free in."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from answers import answer
from couponcheck.exchange import Exchange
from couponcheck.expect import Judgement, Mismatch, same
from couponspec import load_document
from couponspec.request import HttpRequest

ALIASES = {"reward_order_id": "redeem_order_id"}
BINDINGS: dict[str, dict[str, Any]] = {
    "coupon.five": {"code": "FIVE", "quantity": 5, "state": "issued"},
    "coupon.bare": {"code": "BARE"},
}
CODES = [{"code": "FIVE"}, {"code": "TEN"}]


def mismatches(
    expect: Mapping[str, Any], got: Exchange, earlier: Mapping[str, Exchange] | None = None
) -> list[Mismatch]:
    document = load_document("crowdtwist")
    judgement = Judgement(document, BINDINGS, frozenset({"listUsableCoupons"}), ALIASES, earlier or {})
    return [*judgement.mismatches(expect, got)]


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (200, 200.0),
        (200, "200"),
        (200, "200.0"),
        (-1, "-1"),
        (10**400, str(10**400)),
        (9007199254740993, 9007199254740993),
        ("text", "text"),
        (None, None),
        (True, True),
        ([1, 2, 2], [2, 1, 2]),
        ([{"a": [1, 2]}, {"b": 1}], [{"b": 1.0}, {"a": ["2", "1"]}]),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ],
)
def test_values_mean_the_same_however_a_correct_server_writes_them(expected: Any, got: Any) -> None:
    assert same(expected, got)
    assert same(got, expected)


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (9007199254740993, 9007199254740992),
        (9007199254740993, "9007199254740992"),
        (10**400, 1.5),
        ("007", "7"),
        ("1.0", "1"),
        (1, True),
        (0, False),
        (0, None),
        ("", None),
        (1, "one"),
        (1, "１"),  # noqa: RUF001 - a digit that is none in JSON
        ([1, 2], [1, 2, 2]),
        ([1, 2, 2], [1, 1, 2]),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 1}, [1]),
    ],
)
def test_values_differ(expected: Any, got: Any) -> None:
    assert not same(expected, got)
    assert not same(got, expected)


@pytest.mark.parametrize(
    ("expect", "body"),
    [
        ({"equal": {"[0].code": "FIVE"}}, CODES),
        ({"equal": {"[0].code": "{coupon.five.code}"}}, CODES),
        ({"equal": {"[0].quantity": "{coupon.five.quantity}"}}, [{"quantity": "5"}]),
        ({"equal": {"length(@)": 0}}, []),
        ({"equal": {"[0].redeem_order_id": 7}}, [{"reward_order_id": 7}]),
        ({"unequal": {"status": 0}}, {"status": 1}),
        ({"unequal": {"status": 0}}, {}),
        ({"contains": {"[].code": "TEN"}}, CODES),
        ({"contains": {"@": {"code": "TEN", "quantity": 1}}}, [{"code": "TEN", "quantity": 1, "more": None}]),
        ({"lacks": {"[].code": "SIX"}}, CODES),
        ({"lacks": {"[].code": "SIX"}}, {"error": "page_not_found"}),
        ({"contains_each": {"[].code": ["TEN", "FIVE"]}}, CODES),
        ({"lacks_each": {"[].code": ["SIX", "SEVEN"]}}, CODES),
        ({"exactly": {"[].code": ["TEN", "FIVE"]}}, CODES),
        ({"at_least": {"n": 3}}, {"n": 3}),
        ({"at_least": {"n": 3}}, {"n": "4"}),
        ({"shows": ["coupon.five"]}, [{"code": "TEN", "quantity": 1}, {"code": "FIVE", "quantity": 5, "more": 1}]),
        ({"shows": ["coupon.five"]}, {"coupons": [{"code": "FIVE", "quantity": "5.0"}]}),
        ({"shows": ["coupon.bare"]}, [{"code": "BARE", "quantity": 9}]),
    ],
)
def test_a_word_holds(expect: dict[str, Any], body: Any) -> None:
    assert mismatches(expect, answer(body)) == []


@pytest.mark.parametrize(
    ("expect", "body", "expected", "got"),
    [
        ({"equal": {"[0].code": "{coupon.five.code}"}}, [{"code": "SIX"}], '[0].code is "FIVE"', '[0].code is "SIX"'),
        ({"equal": {"length(@)": 0}}, {"a": 1}, "the number of items is 0", "the number of items is 1"),
        ({"equal": {"length(@)": 0}}, 7, "the number of items is 0", "is missing or null"),
        ({"unequal": {"status": 0}}, {"status": 0.0}, "status is not 0", "status is 0.0"),
        ({"contains": {"[].code": "SIX"}}, CODES, '[].code contains "SIX"', '[].code has no "SIX": ["FIVE", "TEN"]'),
        ({"contains": {"[].code": "SIX"}}, {"error": "x"}, '[].code contains "SIX"', "[].code is missing or null"),
        (
            {"contains": {"@": {"code": "TEN", "quantity": 1}}},
            CODES,
            "the body contains",
            "nearest in the body has no quantity",
        ),
        (
            {"contains": {"items[?id=='7']": {"id": "7", "stock": 1}}},
            {"items": [{"id": "6", "stock": 1}, {"id": "7", "stock": 2}], "others": []},
            "the items with id 7 contains",
            "the item with id 7 has stock=2",
        ),
        ({"contains": {"@": {"code": "TEN", "n": 1}}}, CODES[1:], "the body contains", "the item in the body has no n"),
        ({"lacks": {"[].code": "TEN"}}, CODES, '[].code does not contain "TEN"', '[].code contains "TEN"'),
        ({"contains_each": {"[].code": ["TEN", "SIX"]}}, CODES, '[].code contains "SIX"', '[].code has no "SIX"'),
        ({"lacks_each": {"[].code": ["SIX", "TEN"]}}, CODES, 'does not contain "TEN"', '[].code contains "TEN"'),
        ({"exactly": {"[].code": ["FIVE"]}}, CODES, 'has exactly ["FIVE"]', '[].code has ["TEN"] besides'),
        ({"exactly": {"[].code": ["FIVE", "TEN", "TEN"]}}, CODES, "has exactly", '[].code lacks ["TEN"]'),
        ({"at_least": {"n": 3}}, {"n": 2}, "n is at least 3", "n is 2"),
        ({"at_least": {"n": 0}}, {"n": True}, "n is at least 0", "n is true"),
        (
            {"shows": ["coupon.five"]},
            [{"code": "FIVE", "quantity": 6}],
            "coupon.five is shown with quantity=5",
            "quantity=6",
        ),
        (
            {"shows": ["coupon.five"]},
            [{"code": "TEN", "quantity": 5}],
            'coupon.five is shown with code="FIVE"',
            'code="TEN"',
        ),
        (
            {"shows": ["coupon.five"]},
            [],
            'coupon.five is shown with code="FIVE", quantity=5',
            "coupon.five is not shown",
        ),
        ({"shows": ["coupon.five"]}, {"error": "x"}, "coupon.five is shown with", "coupon.five is not shown"),
    ],
)
def test_a_word_does_not_hold_and_says_why(expect: dict[str, Any], body: Any, expected: str, got: str) -> None:
    (mismatch,) = mismatches(expect, answer(body))
    assert expected in mismatch.expected
    assert got in mismatch.got


@pytest.mark.parametrize(("wanted", "status"), [([200], 200), (["2xx"], 204), ([400, 404], 404), (["4xx", 200], 418)])
def test_a_status_is_one_of_those_or_of_their_class(wanted: list[int | str], status: int) -> None:
    assert mismatches({"status": wanted}, answer(status=status)) == []


def test_a_wrong_status_is_shown_with_the_body() -> None:
    (mismatch,) = mismatches({"status": [400, "2xx"]}, answer({"why": "so"}, status=500))
    assert mismatch == Mismatch("status 400 or 2xx", 'status 500: {"why": "so"}')


def test_an_example_stands_for_its_identifier() -> None:
    refusal = answer({"error": "page_not_found", "message": "whatever"}, status=404)
    assert mismatches({"example": ["unknown_member", "invalid_parameter"]}, refusal) == []
    (mismatch,) = mismatches({"example": ["invalid_parameter", "no_activities"]}, refusal)
    assert mismatch.expected == "error is no_activities or param_error"
    assert mismatch.got.startswith("error is page_not_found: {")
    assert mismatches({"example": ["unknown_member"]}, answer(["page_not_found"]))


def test_same_as_wants_status_and_body_of_the_earlier_call_in_any_order() -> None:
    earlier = {"first": answer(CODES)}
    assert mismatches({"same_as": "first"}, answer(CODES[::-1]), earlier) == []
    assert mismatches({"same_as": "first"}, answer({"coupons": CODES}), earlier) == []
    (lost,) = mismatches({"same_as": "first"}, answer(CODES[:1]), earlier)
    assert lost == Mismatch("the same answer as 'first'", 'the item {"code": "TEN"} is missing')
    assert mismatches({"same_as": "first"}, answer(CODES, status=201), earlier)
    (other,) = mismatches({"same_as": "first"}, answer("text"), earlier)
    assert other.got.endswith('and is "text"')


def test_kept_wants_the_members_of_the_earlier_call() -> None:
    earlier = {"first": answer({"a": [1, 2], "b": 1}, operation="unuseCoupon")}
    assert mismatches({"kept": {"a": "first"}}, answer({"a": [2, 1], "b": 2}, operation="unuseCoupon"), earlier) == []
    (mismatch,) = mismatches({"kept": {"b": "first"}}, answer({"b": 2}), earlier)
    assert mismatch == Mismatch("b as in 'first'", "it was 1 and is 2")
    (mismatch,) = mismatches({"kept": {"a": "first"}}, answer({"a": [2, 3]}, operation="unuseCoupon"), earlier)
    assert mismatch.got == "the item 1 is missing; the item 3 is new"


def test_alike_wants_what_was_said_before_but_for_what_each_request_said_itself() -> None:
    def no(code: str, message: str) -> Exchange:
        request = HttpRequest("POST", "/v2/coupon/unuse", (), json.dumps({"coupon_value": code}).encode())
        return replace(answer({"message": message}, status=404, operation="unuseCoupon"), request=request)

    earlier = {"unknown": no("ABC", "There is no ABC.")}
    expect = {"alike": {"message": "unknown"}}
    assert mismatches(expect, no("XYZ", "There is no XYZ."), earlier) == []
    (mismatch,) = mismatches(expect, no("XYZ", "XYZ is somebody else's."), earlier)
    assert mismatch.expected == "message as in 'unknown'"


def test_alike_leaves_out_what_a_list_of_the_request_said() -> None:
    def no(*ids: str) -> Exchange:
        request = HttpRequest("POST", "/x", (), json.dumps({"coupon_ids": ids}).encode())
        told = {"errors": [f"{one} does not exist" for one in ids]}
        return replace(answer(told, status=422, operation="unuseCoupon"), request=request)

    assert mismatches({"alike": {"errors": "unknown"}}, no("700"), {"unknown": no("900")}) == []
    assert mismatches({"alike": {"errors": "unknown"}}, no("700", "800"), {"unknown": no("900")})


ITEMS = [{"id": 1, "stock": 3, "name": "one"}, {"id": 2, "stock": 3, "name": "two"}]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (ITEMS, [ITEMS[0]], 'the item {"id": 2, "stock": 3, "name": "two"} is missing'),
        ([ITEMS[0]], ITEMS, 'the item {"id": 2, "stock": 3, "name": "two"} is new'),
        (
            ITEMS,
            [{**ITEMS[0], "stock": 2}, ITEMS[1]],
            'the item {"id": 1, "stock": 3, "name": "one"} changed: stock was 3 and is 2',
        ),
        ({"a": {"b": [1, 2]}, "c": 1}, {"a": {"b": [1]}, "c": "1"}, "the item of a.b 2 is missing"),
        ({"a": True, "b": None}, {"b": "x", "c": 0}, 'a is missing, it was true; b was null and is "x"; c is new: 0'),
    ],
)
def test_of_what_has_changed_only_that_is_told(before: Any, after: Any, said: str) -> None:
    earlier = {"first": answer(before, operation="unuseCoupon")}
    (mismatch,) = mismatches({"same_as": "first"}, answer(after, operation="unuseCoupon"), earlier)
    assert mismatch.got == said


def test_earlier_calls_go_by_the_number_that_reports_give_them() -> None:
    calls = [answer(CODES), answer(CODES), answer(CODES)]
    judgement = Judgement(
        load_document("crowdtwist"), BINDINGS, frozenset(), {}, {"second": calls[1]}, {"rush": (*calls[1:],)}, calls
    )
    (mismatch,) = judgement.mismatches({"same_as": "second"}, answer([]))
    assert mismatch.expected == "the same answer as call 2"
    wanted = {"calls": "rush", "like": {"status": [404]}, "number": 1}
    assert [*judgement.mismatches({"among": wanted}, answer([]))] == [
        Mismatch("1 of the answers to calls 2 to 3 with status 404", "0 of 2 have status 404")
    ]


def test_what_answers_at_once_have_to_have_in_common_is_told_in_words() -> None:
    calls = (answer({"n": 0}), answer({"n": 2}))
    judgement = Judgement(load_document("crowdtwist"), BINDINGS, frozenset(), {}, {}, {"rush": calls}, calls)
    wanted = {"calls": "rush", "like": {"status": ["2xx", 404], "at_least": {"n": 3}}, "number": 1}
    (mismatch,) = judgement.mismatches({"among": wanted}, calls[-1])
    assert mismatch.expected == "1 of the answers to calls 1 to 2 with status 2xx or 404 and n at least 3"
    assert mismatch.got == "0 of 2 have status 2xx or 404 and n at least 3"


def test_added_wants_exactly_one_more_item() -> None:
    wanted = {"added": {"to": "first", "item": {"code": "{coupon.five.code}"}}}
    earlier = {"first": answer(CODES[1:])}
    assert mismatches(wanted, answer(CODES), earlier) == []
    assert mismatches(wanted, answer(CODES), {"first": answer({"error": "no_activities"}, status=400)})
    for wrong in (CODES[1:], CODES[:1], [*CODES, {"code": "SIX"}], [*CODES, CODES[0]], [CODES[1], {"code": "SIX"}]):
        (mismatch,) = mismatches(wanted, answer(wrong), earlier)
        assert "exactly one more item" in mismatch.expected
    (mismatch,) = mismatches(wanted, answer({"error": "x"}), earlier)
    assert mismatch.got == '{"error": "x"}'


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (CODES[1:], 'no item is new that has {"code": "FIVE"}'),
        ([*CODES, {"code": "SIX"}], 'the item {"code": "SIX"} is new'),
        (CODES[:1], 'the item {"code": "TEN"} is missing'),
        ([*CODES, CODES[0]], 'the item {"code": "FIVE"} is new'),
        ([CODES[1], {"code": "SIX"}], 'no item is new that has {"code": "FIVE"}; the item {"code": "SIX"} is new'),
    ],
)
def test_what_was_to_come_and_has_come_is_not_told_with_what_is_wrong(after: Any, said: str) -> None:
    wanted = {"added": {"to": "first", "item": {"code": "FIVE"}}}
    (mismatch,) = mismatches(wanted, answer(after), {"first": answer(CODES[1:])})
    assert mismatch.got == said


@pytest.mark.parametrize(
    ("items", "told"),
    [
        ([{"code": "FIVE", "quantity": 6}], 'coupon.five ("FIVE") has quantity=6'),
        ([{"code": "FIV", "quantity": 5}], 'coupon.five ("FIVE") is not shown; what comes nearest has code="FIV"'),
        ([{"code": "TEN", "quantity": 6}], 'coupon.five ("FIVE") is not shown'),
        ([], 'coupon.five ("FIVE") is not shown'),
    ],
)
def test_an_item_that_is_another_one_is_not_told_as_the_one_that_is_missing(items: Any, told: str) -> None:
    judgement = Judgement(load_document("crowdtwist"), BINDINGS, frozenset(), {}, {}, identities={"coupon": ["code"]})
    (mismatch,) = judgement.mismatches({"shows": ["coupon.five"]}, answer(items))
    assert mismatch.got == told


def test_a_value_that_is_taken_by_its_place_is_told_with_whose_it_is() -> None:
    """What stands first may be another item each time."""
    calls = [answer({"items": [{"code": code, "n": n}], "more": []}) for code, n in (("FIVE", 1), ("TEN", 9))]
    judgement = Judgement(
        load_document("crowdtwist"), BINDINGS, frozenset(), {}, {}, {}, calls, identities={"coupon": ["code"]}
    )
    (mismatch,) = judgement.mismatches({"equal": {"items[0].n": 2}}, answer({"items": [{"code": "FIVE", "n": 3}]}))
    assert mismatch.before == ((1, 'items[0].n 1 of code "FIVE"'), (2, 'items[0].n 9 of code "TEN"'))


def test_what_came_and_went_has_not_stayed() -> None:
    calls = [answer({"n": n}) for n in (2, 3, 1)]
    judgement = Judgement(load_document("crowdtwist"), BINDINGS, frozenset(), {}, {"first": calls[0]}, {}, calls)
    wanted = {"change": {"n": {"since": "first", "by": 3}}}
    (mismatch,) = judgement.mismatches(wanted, answer({"n": 2}))
    assert mismatch.got == "n was 2 and is 2 (one after the other: 2, 3, 1, 2)"
    (mismatch,) = judgement.mismatches(wanted, answer({"n": 1}))
    assert mismatch.got == "n was 2 and is 1 (one after the other: 2, 3, 1, 1)"


def test_of_alternatives_one_with_the_right_status_tells_more() -> None:
    wanted = {"any_of": [{"status": [403]}, {"status": [404], "equal": {"n": 1, "m": 1}}]}
    (mismatch,) = mismatches(wanted, answer({"n": 2, "m": 2}, status=404))
    assert mismatch.got == "n is 2"


def test_what_a_value_was_before_is_remembered_by_the_numbers_of_the_calls() -> None:
    calls = [answer({"n": 1}), answer({"n": [2]}), answer({"m": 3}), answer({"n": 4}, operation="unuseCoupon")]
    last = answer({"n": 5})
    judgement = Judgement(load_document("crowdtwist"), BINDINGS, frozenset(), {}, {"first": calls[0]}, {}, calls)
    for expect in ({"equal": {"n": 2}}, {"change": {"n": {"since": "first", "by": 1}}}, {"kept": {"n": "first"}}):
        (mismatch,) = judgement.mismatches(expect, last)
        assert mismatch.before == ((1, "n 1"),)
        (mismatch,) = judgement.mismatches({"any_of": [expect, {"status": [404]}]}, last)
        assert mismatch.before == ((1, "n 1"),)


def test_added_to_no_list_is_added_to_an_empty_one() -> None:
    wanted = {"added": {"to": "first", "item": {"code": "FIVE"}}}
    refused = {"first": answer({"error": "no_activities"}, status=400)}
    assert mismatches(wanted, answer(CODES[:1]), refused) == []


@pytest.mark.parametrize(("before", "after"), [(20, 19), (20, "19"), ("20", 19.0), (10**20, 10**20 - 1)])
def test_change_wants_a_number_to_have_grown_by_so_much(before: Any, after: Any) -> None:
    wanted = {"change": {"stock": {"since": "first", "by": -1}}}
    assert mismatches(wanted, answer({"stock": after}), {"first": answer({"stock": before})}) == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (20, 20, "stayed at 20"),
        (20, 18, "was 20 and is 18"),
        (20, None, "was 20 and is null"),
        ("many", 19, 'was "many" and is 19'),
        (True, 0, "was true and is 0"),
    ],
)
def test_change_says_what_the_number_was_and_is(before: Any, after: Any, said: str) -> None:
    wanted = {"change": {"stock": {"since": "first", "by": -1}}}
    (mismatch,) = mismatches(wanted, answer({"stock": after}), {"first": answer({"stock": before})})
    assert mismatch == Mismatch("stock changes by -1 since 'first'", f"stock {said}")


def test_any_of_wants_one_alternative_and_otherwise_names_them_all() -> None:
    wanted = {"any_of": [{"status": [200], "equal": {"length(@)": 0}}, {"status": [404]}]}
    assert mismatches(wanted, answer([])) == []
    assert mismatches(wanted, answer({}, status=404)) == []
    (mismatch,) = mismatches(wanted, answer(CODES))
    assert mismatch.expected == "the number of items is 0, or status 404"


def test_every_word_of_an_expectation_has_to_hold() -> None:
    wanted = {"status": [404], "equal": {"[0].code": "SIX"}, "lacks": {"[].code": "SEVEN"}}
    assert len(mismatches(wanted, answer(CODES))) == 2


def test_a_list_under_one_key_is_seen_without_it_only_where_a_list_is_promised() -> None:
    wanted = {"equal": {"length(@)": 2}}
    assert mismatches(wanted, answer({"coupons": CODES})) == []
    assert mismatches(wanted, answer({"coupons": CODES, "count": 2, "more": False})) == []
    assert mismatches(wanted, answer({"coupons": CODES, "expired": [], "more": False}))
    assert mismatches(wanted, answer({"coupons": CODES}, operation="unuseCoupon"))


def test_another_name_of_a_member_is_taken_for_its_own_unless_both_are_there() -> None:
    assert mismatches({"equal": {"redeem_order_id": 1}}, answer({"redeem_order_id": 1, "reward_order_id": 2})) == []


def test_a_time_with_a_zone_is_not_held_against_one_without() -> None:
    document = load_document("chargeover")
    bindings = {"coupon.one": {"coupon_id": 1, "write_datetime": "2021-05-25 08:23:05"}}
    judgement = Judgement(document, bindings, frozenset(), {}, {})
    for written, right in (
        ("2021-05-25 08:23:05", True),
        ("2021-05-25T08:23:05-06:00", True),
        ("2021-05-25T14:23:05.000Z", True),
        ("2021-05-25 08:23:06", False),
        ("yesterday", False),
    ):
        got = answer({"response": {"coupon_id": 1, "write_datetime": written}}, operation="getCoupon")
        assert (not [*judgement.mismatches({"shows": ["coupon.one"]}, got)]) is right, written


def test_a_long_body_is_cut_in_a_reason() -> None:
    (mismatch,) = mismatches({"status": [404]}, answer({"text": "x" * 10_000}))
    assert len(mismatch.got) < 700


def test_a_body_that_is_no_json_fails_every_word_about_it() -> None:
    broken = answer(content=json.dumps(CODES).encode() + b"<!-- -->")
    assert mismatches({"equal": {"[0].code": "FIVE"}}, broken)
    assert mismatches({"contains": {"[].code": "FIVE"}}, broken)
    assert mismatches({"shows": ["coupon.five"]}, broken)
