"""Readings: a document holds every branch, pruning keeps the chosen ones, and an answer tells which it rests on."""

from collections.abc import Mapping
from typing import Any

import pytest
from couponspec import Document, Operation, load_document, vendors
from couponspec.document import JSON
from couponspec.schema import Option, compiled, options_in, prune, resolve

COUPON = {
    "reward_id": 1,
    "redeem_order_id": 2,
    "redeem_order_coupon_id": 3,
    "total_points_redeemed": 4,
    "ending_balance": 5,
    "quantity": 1,
    "code": "X",
    "reward_title": "",
    "coupon_category_id": 6,
    "coupon_category_name": "",
    "coupon_category_expiration_days": None,
    "batch_num": 7,
    "date_to_expire": None,
    "order_date_created": 8,
    "coupon_date_created": 9,
}
REWARD_NAMES = {
    {"redeem_order_id": "reward_order_id", "redeem_order_coupon_id": "reward_order_coupon_id"}.get(name, name): value
    for name, value in COUPON.items()
}
SHOWN = {"coupon_id": 1, "code": "X", "type": "t", "enabled": True, "write_datetime": "2021-05-25 08:23:05"}
FOUND = {"code": 200, "status": "OK", "message": None, "details": None, "response": SHOWN}
NOT_FOUND = {"code": 404, "status": "Error", "message": "This object does not exist.", "response": None}
ITEM = {
    "id": "1",
    "status": 0,
    "value": 5.0,
    "stock": -1,
    "coupon_status": 1,
    "received_count": 1,
    "discount_text": "",
    "prerequisite_text": "",
    "is_first_order": False,
}
OUTCOME = {"status": 0, "items": [ITEM], "limit": 0, "has_more": False, "cursor": "0"}


def error(identifier: str) -> dict[str, str]:
    return {"error": identifier, "message": "A sentence."}


def found(**members: Any) -> dict[str, Any]:
    return {**FOUND, **members}


def outcome(**members: Any) -> dict[str, Any]:
    return {**OUTCOME, "items": [{**ITEM, **members}]}


WITHOUT_STATUS = {**OUTCOME, "items": [{name: ITEM[name] for name in ITEM if name != "status"}]}

ANSWERS: list[tuple[str, int, Any, tuple[str, ...]]] = [
    ("unuseCoupon", 400, error("input_error"), ()),
    ("unuseCoupon", 400, error("not_used"), ("not-used-status=400",)),
    ("unuseCoupon", 400, error("param_error"), ("refused-credential-status=400",)),
    ("unuseCoupon", 404, error("no_data"), ()),
    ("unuseCoupon", 404, error("not_used"), ("not-used-status=404",)),
    ("unuseCoupon", 409, error("input_error"), ()),
    ("unuseCoupon", 409, error("not_used"), ("not-used-status=409",)),
    ("listUsableCoupons", 200, [COUPON], ()),
    ("listUsableCoupons", 200, [], ()),
    ("listUsableCoupons", 200, {"coupons": [COUPON]}, ("list-shape=wrapped",)),
    ("listUsableCoupons", 200, {"coupons": [COUPON], "total": 1}, ("list-shape=wrapped",)),
    ("listUsableCoupons", 200, [{**COUPON, "reward_id": "1"}], ("number-type=string",)),
    ("listUsableCoupons", 200, [{**COUPON, "date_to_expire": "1"}], ("number-type=string",)),
    ("listUsableCoupons", 200, [REWARD_NAMES], ("order-field-names=reward",)),
    (
        "listUsableCoupons",
        200,
        {"data": [{**REWARD_NAMES, "batch_num": "7"}]},
        ("list-shape=wrapped", "number-type=string", "order-field-names=reward"),
    ),
    ("getCoupon", 200, FOUND, ()),
    ("getCoupon", 200, found(details={"a": 1}), ()),
    ("getCoupon", 200, found(details=[]), ("details-shape=empty-list",)),
    (
        "getCoupon",
        200,
        found(response={**SHOWN, "write_datetime": "2021-05-25T08:23:05-05:00"}),
        ("datetime-format=iso8601",),
    ),
    ("getCoupon", 404, NOT_FOUND, ()),
    ("getCoupon", 404, {**NOT_FOUND, "response": False}, ("response-of-not-found=false",)),
    ("getCoupon", 404, {**NOT_FOUND, "message": "This coupon does not exist."}, ("not-found-message=coupon",)),
    ("receiveCoupons", 200, OUTCOME, ()),
    ("receiveCoupons", 200, outcome(value=5), ()),
    ("receiveCoupons", 200, outcome(value="5.00"), ("value-type=string",)),
    ("receiveCoupons", 200, WITHOUT_STATUS, ("item-status=absent",)),
]
"""Operation, status, answer, and the options that the answer rests on."""


def place(operation_id: str) -> tuple[Document, Operation]:
    documents = [load_document(vendor) for vendor in vendors()]
    return next(
        (document, each) for document in documents for each in document.operations.values() if each.id == operation_id
    )


@pytest.mark.parametrize(("operation_id", "status", "answer", "expected"), ANSWERS)
def test_an_answer_names_the_options_it_rests_on(
    operation_id: str, status: int, answer: Any, expected: tuple[str, ...]
) -> None:
    """Those without which it would be wrong, and no others."""
    _, operation = place(operation_id)
    response = operation.response(status)
    assert response is not None
    assert operation.validator(response, JSON, {}).is_valid(answer)
    assert [str(option) for option in operation.options_used(response, JSON, answer)] == [*expected]


@pytest.mark.parametrize(("operation_id", "status", "answer", "expected"), [row for row in ANSWERS if row[3]])
def test_an_answer_is_right_in_its_own_reading_and_wrong_in_every_other(
    operation_id: str, status: int, answer: Any, expected: tuple[str, ...]
) -> None:
    """Choosing another option of a reading takes the branch out."""
    document, operation = place(operation_id)
    response = operation.response(status)
    assert response is not None
    options = [Option.parse(text) for text in expected]
    own = {**document.sources.taken, **{option.reading: option.option for option in options}}
    assert operation.validator(response, JSON, own).is_valid(answer)
    for option in options:
        for other in {*document.sources.readings[option.reading].options} - {option.option}:
            assert not operation.validator(response, JSON, {**own, option.reading: other}).is_valid(answer)


def test_every_option_of_a_schema_has_an_answer_that_rests_on_it_and_one_that_does_not() -> None:
    """A new reading needs its rows in the table above."""
    for vendor in vendors():
        for operation in load_document(vendor).operations.values():
            schemas = [response.schemas[JSON] for response in operation.responses.values()]
            rests = [row[3] for row in ANSWERS if row[0] == operation.id]
            for option in {*options_in(schemas, operation.components)}:
                assert [options for options in rests if str(option) in options], f"{operation.id} {option}"
                assert [options for options in rests if str(option) not in options], f"{operation.id} {option}"


def test_a_status_can_be_an_option_itself() -> None:
    """A response that only another reading gives says so."""
    marked = {
        f"{operation.id} {key}": str(response.option)
        for vendor in vendors()
        for document in [load_document(vendor)]
        for operation in (*document.operations.values(), document.general)
        for key, response in operation.responses.items()
        if response.option
    }
    assert marked == {
        "unuseCoupon 2XX": "unuse-status=other-2xx",
        "unuseCoupon 403": "refused-credential-status=403",
        "listUsableCoupons 403": "refused-credential-status=403",
        "listUsableCoupons 4XX": "list-error-status=other-4xx",
        "general 400": "wrong-method-status=400",
        "general 404": "unknown-endpoint-status=404",
        "general 405": "unknown-endpoint-status=405",
        "receiveCoupons 4XX": "refused-coupon=error",
    }


def test_a_status_has_its_own_response_else_its_ranges_else_none() -> None:
    """409 is an Input Error of the class 4xx; nothing is said of redirects."""
    _, operation = place("unuseCoupon")
    keys = {status: getattr(operation.response(status), "key", None) for status in (200, 204, 302, 404, 409, 503)}
    assert keys == {200: "200", 204: "2XX", 302: None, 404: "404", 409: "4XX", 503: "5XX"}


BRANCHES: Mapping[str, Any] = {
    "anyOf": [
        {"const": "always"},
        {"const": "left", "x-reading": "way=left"},
        {"const": "right", "x-reading": "way=right"},
        {"const": "up", "x-reading": "height=up"},
    ]
}


@pytest.mark.parametrize(
    ("readings", "kept"),
    [
        ({}, {"always", "left", "right", "up"}),
        ({"way": "left"}, {"always", "left", "up"}),
        ({"way": "right", "height": "down"}, {"always", "right"}),
        ({"way": "straight", "height": "up"}, {"always", "up"}),
    ],
)
def test_pruning_keeps_exactly_the_chosen_branches(readings: dict[str, str], kept: set[str]) -> None:
    """A reading that nobody chose stays open."""
    pruned = compiled(prune(BRANCHES, readings), {})
    assert {value for value in ("always", "left", "right", "up") if pruned.is_valid(value)} == kept


def test_pruning_one_option_away_keeps_all_others() -> None:
    """Also the other options of the same reading."""
    pruned = compiled(prune(BRANCHES, {}, without=Option("way", "left")), {})
    kept = {value for value in ("always", "left", "right", "up") if pruned.is_valid(value)}
    assert kept == {"always", "right", "up"}


def test_pruning_reaches_members_as_well_as_items_and_changes_nothing_in_place() -> None:
    """A response of an object is a branch, too."""
    responses = {"200": {"a": [1]}, "400": {"x-reading": "status=400"}, "404": {"x-reading": "status=404"}}
    assert [*prune(responses, {"status": "404"})] == ["200", "404"]
    assert [*responses] == ["200", "400", "404"]


def test_a_choice_that_pruning_leaves_alone_is_no_choice_any_more() -> None:
    """So that a validator names the wrong member, and not the whole choice."""
    pruned = prune({"allOf": [{"type": "string"}], "oneOf": [{"minLength": 1}, {"x-reading": "a=b"}]}, {"a": "c"})
    assert pruned == {"allOf": [{"type": "string"}, {"minLength": 1}]}
    assert compiled(pruned, {}).is_valid("x")
    assert not compiled(pruned, {}).is_valid("")


def test_an_option_is_written_reading_equals_option() -> None:
    """The same text in a document, in a catalogue and in a report."""
    assert str(Option.parse("way=left")) == "way=left"
    assert min(Option("b", "a"), Option("a", "z")) == Option("a", "z")


def test_options_are_found_behind_references_also_where_schemas_contain_themselves() -> None:
    """Each reference is followed once."""
    components = {
        "schemas": {
            "Tree": {"properties": {"left": {"$ref": "#/components/schemas/Tree"}, "leaf": {"x-reading": "leaf=green"}}}
        }
    }
    assert [*options_in({"$ref": "#/components/schemas/Tree"}, components)] == [Option("leaf", "green")]


def test_a_reference_leads_through_escaped_names() -> None:
    """RFC 6901."""
    assert resolve({"a/b": {"c~d": 1}}, "#/a~1b/c~0d") == 1
    with pytest.raises(KeyError):
        resolve({"a": {}}, "#/a/b")
