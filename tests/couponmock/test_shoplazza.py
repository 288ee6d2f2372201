"""Shoplazza: customers receive coupons as long as dates, limits and stock allow."""

from typing import Any

import pytest
from running_mock import Answer, Mock
from vendor_answers import CREDENTIALS, assert_example, assert_fits_document, assert_refusal

TARGET = "/openapi/2022-01/coupons/receive"
SUNNY = CREDENTIALS["shoplazza"]
RAINY = {"access-token": "rainy-token"}
READ_ONLY = {"access-token": "sunny-read-only-token"}
ANN, BEN, CHO = "5001", "5002", "5003"
NAMES = ["welcome", "spring", "unlimited", "once", "twice", "last_one", "exhausted", "received", "expired", "upcoming"]
COUPON = {name: f"2023144542416547{number}" for number, name in enumerate([*NAMES, "unicode", "limit"], 11)}
RAINY_COUPON = "202314454241654761"
THROTTLED, BREAKS = "202314454241655140", "202314454241655211"
UNKNOWN = "1"


def receive(mock: Mock, customer: Any, *ids: Any, headers: dict[str, str] = SUNNY) -> Answer:
    """Let a customer receive coupons."""
    return mock.post(TARGET, {"customer_id": customer, "coupon_ids": [*ids]}, headers)


def outcome(mock: Mock, customer: str, *ids: str) -> tuple[int, list[tuple[str, int, int, int]]]:
    """Receive, and return the status code and (id, coupon_status, stock, received_count) of each item."""
    answer = receive(mock, customer, *ids)
    assert answer.status == 200, answer
    assert_fits_document("shoplazza", "receiveCoupons", answer)
    value = answer.json
    assert (value["limit"], value["has_more"], value["cursor"]) == (0, False, "0")
    items = value["items"]
    return value["status"], [(i["id"], i["coupon_status"], i["stock"], i["received_count"]) for i in items]


def test_the_names_of_this_module_are_those_of_the_pack(mock: Mock) -> None:
    """The ids above belong to the handles they are named after."""
    seeded = mock.bindings("shoplazza")
    assert {name: seeded[f"coupon.{name}"]["id"] for name in COUPON} == COUPON


def test_receiving_takes_one_from_the_stock_and_counts_one_for_the_customer(mock: Mock) -> None:
    """Again and again; the numbers are those after the call."""
    assert outcome(mock, ANN, COUPON["welcome"]) == (0, [(COUPON["welcome"], 1, 19, 1)])
    assert outcome(mock, ANN, COUPON["welcome"]) == (0, [(COUPON["welcome"], 1, 18, 2)])


def test_customers_are_counted_apart_and_share_the_stock(mock: Mock) -> None:
    """Ben's first coupon is his first, whatever Ann has."""
    outcome(mock, ANN, COUPON["welcome"])
    assert outcome(mock, BEN, COUPON["welcome"]) == (0, [(COUPON["welcome"], 1, 18, 1)])
    assert outcome(mock, ANN, COUPON["welcome"]) == (0, [(COUPON["welcome"], 1, 17, 2)])


def test_an_unlimited_stock_stays_minus_one(mock: Mock) -> None:
    """Receiving from it counts, and takes nothing."""
    for count in (1, 2, 3):
        assert outcome(mock, ANN, COUPON["unlimited"]) == (0, [(COUPON["unlimited"], 1, -1, count)])


def test_a_coupon_for_once_is_received_once_by_each_customer(mock: Mock) -> None:
    """The second time the code says already received, and neither stock nor count moves."""
    assert outcome(mock, ANN, COUPON["once"]) == (0, [(COUPON["once"], 1, 19, 1)])
    assert outcome(mock, ANN, COUPON["once"]) == (7, [(COUPON["once"], 2, 19, 1)])
    assert outcome(mock, BEN, COUPON["once"]) == (0, [(COUPON["once"], 1, 18, 1)])


def test_a_coupon_for_twice_reaches_its_limit_at_the_third_time(mock: Mock) -> None:
    """Then the code says limit reached, and neither stock nor count moves."""
    assert outcome(mock, ANN, COUPON["twice"])[0] == 0
    assert outcome(mock, ANN, COUPON["twice"]) == (0, [(COUPON["twice"], 1, 18, 2)])
    assert outcome(mock, ANN, COUPON["twice"]) == (4, [(COUPON["twice"], 2, 18, 2)])


def test_what_a_customer_received_before_the_world_began_counts(mock: Mock) -> None:
    """Ann has one coupon of each limited sort already; Ben has not."""
    assert outcome(mock, ANN, COUPON["received"]) == (7, [(COUPON["received"], 2, 9, 1)])
    assert outcome(mock, ANN, COUPON["limit"]) == (4, [(COUPON["limit"], 2, 9, 2)])
    assert outcome(mock, BEN, COUPON["received"]) == (0, [(COUPON["received"], 1, 8, 1)])


def test_the_last_coupon_is_received_once(mock: Mock) -> None:
    """Afterwards there is no stock, for anybody; each sees the own count."""
    assert outcome(mock, ANN, COUPON["last_one"]) == (0, [(COUPON["last_one"], 1, 0, 1)])
    assert outcome(mock, ANN, COUPON["last_one"]) == (8, [(COUPON["last_one"], 3, 0, 1)])
    assert outcome(mock, BEN, COUPON["last_one"]) == (8, [(COUPON["last_one"], 3, 0, 0)])


def test_an_exhausted_coupon_is_out_of_stock(mock: Mock) -> None:
    """Code 8, and the item says no stock."""
    assert outcome(mock, ANN, COUPON["exhausted"]) == (8, [(COUPON["exhausted"], 3, 0, 0)])


@pytest.mark.parametrize(
    ("coupon_id", "code"),
    [(COUPON["expired"], 5), (COUPON["upcoming"], 10), (UNKNOWN, 6), (RAINY_COUPON, 6), (f"{COUPON['welcome']} ", 6)],
)
def test_a_coupon_that_cannot_be_received_at_all_is_a_code_without_an_item(
    mock: Mock, coupon_id: str, code: int
) -> None:
    """Expired, not started, unknown, or another store's."""
    assert outcome(mock, ANN, coupon_id) == (code, [])


def test_several_coupons_are_received_in_the_order_asked(mock: Mock) -> None:
    """One item for each."""
    assert outcome(mock, ANN, COUPON["spring"], COUPON["unlimited"], COUPON["once"]) == (
        0,
        [(COUPON["spring"], 1, 99, 1), (COUPON["unlimited"], 1, -1, 1), (COUPON["once"], 1, 19, 1)],
    )


def test_what_can_be_received_is_received_beside_what_cannot(mock: Mock) -> None:
    """The status is 0; coupons refused for limit or stock are listed unchanged, others left out."""
    ids = (UNKNOWN, COUPON["exhausted"], COUPON["received"], COUPON["welcome"], COUPON["expired"])
    assert outcome(mock, ANN, *ids) == (
        0,
        [(COUPON["exhausted"], 3, 0, 0), (COUPON["received"], 2, 9, 1), (COUPON["welcome"], 1, 19, 1)],
    )


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (("expired", "exhausted"), 5),
        (("exhausted", "expired"), 8),
        (("limit", "received"), 4),
        (("received", "limit"), 7),
    ],
)
def test_if_nothing_is_received_the_first_refusal_gives_the_status(
    mock: Mock, names: tuple[str, ...], code: int
) -> None:
    """In the order asked."""
    assert outcome(mock, ANN, *(COUPON[name] for name in names))[0] == code


def test_an_id_given_twice_is_received_once(mock: Mock) -> None:
    """One item, one from the stock, one for the customer."""
    ids = [COUPON["welcome"]] * 3 + [COUPON["spring"]] + [COUPON["welcome"]]
    expected = [(COUPON["welcome"], 1, 19, 1), (COUPON["spring"], 1, 99, 1)]
    assert outcome(mock, ANN, *ids) == (0, expected)


def test_an_item_has_the_members_and_types_of_the_page(mock: Mock) -> None:
    """The value is a number, as the page says: 12.5 and not "12.5"."""
    answer = receive(mock, ANN, COUPON["spring"])
    [item] = answer.json["items"]
    assert {name: type(value) for name, value in item.items()} == {
        "id": str,
        "status": int,
        "value": float,
        "stock": int,
        "coupon_status": int,
        "received_count": int,
        "discount_text": str,
        "prerequisite_text": str,
        "is_first_order": bool,
    }
    assert (item["value"], item["discount_text"], item["prerequisite_text"]) == (12.5, "12.5 % off", "from $50")


def test_texts_arrive_as_they_were_seeded(mock: Mock) -> None:
    """Also beyond ASCII."""
    [item] = receive(mock, ANN, COUPON["unicode"]).json["items"]
    assert (item["discount_text"], item["prerequisite_text"]) == ("八折优惠 – ¡gratis! 🎁", "ab 50 €")  # noqa: RUF001 - the seeded text


def test_is_first_order_is_the_coupons_own(mock: Mock) -> None:
    """True for the one and false for the other."""
    items = receive(mock, ANN, COUPON["once"], COUPON["welcome"]).json["items"]
    assert [item["is_first_order"] for item in items] == [True, False]


def test_a_store_does_not_know_another_stores_customers(mock: Mock) -> None:
    """With the other store's token the customer exists, and has the other store's coupon."""
    assert_example("shoplazza", "receiveCoupons", "customer_not_exist", receive(mock, "7001", RAINY_COUPON))
    assert_example(
        "shoplazza", "receiveCoupons", "customer_not_exist", receive(mock, ANN, COUPON["welcome"], headers=RAINY)
    )
    assert receive(mock, "7001", RAINY_COUPON, headers=RAINY).json["status"] == 0
    assert receive(mock, "7001", COUPON["welcome"], headers=RAINY).json["status"] == 6


@pytest.mark.parametrize(
    ("body", "example"),
    [
        ({}, "missing_customer_id"),
        ({"customer_id": ANN}, "missing_coupon_ids"),
        ({"coupon_ids": ["1"]}, "missing_customer_id"),
        ({"coupon_ids": []}, "missing_customer_id"),
        ({"customer_id": ANN, "coupon_ids": None}, "missing_coupon_ids"),
        ({"customer_id": ANN, "coupon_ids": ""}, "bad_request"),
        ({"customer_id": ANN, "coupon_ids": "202314454241654711"}, "bad_request"),
        ({"customer_id": ANN, "coupon_ids": {}}, "bad_request"),
        ({"customer_id": ANN, "coupon_ids": [202314454241654711]}, "bad_request"),
        ({"customer_id": ANN, "coupon_ids": [None]}, "bad_request"),
        ({"customer_id": ANN, "coupon_ids": [[]]}, "bad_request"),
        ({"customer_id": ANN, "coupon_ids": ["", 1]}, "bad_request"),
        ({"customer_id": 5001, "coupon_ids": ["1"]}, "bad_request"),
        ({"customer_id": None, "coupon_ids": ["1"]}, "missing_customer_id"),
        ({"customer_id": 5001, "coupon_ids": []}, "bad_request"),
        ({"customer_id": ANN, "coupon_ids": []}, "coupon_ids_required"),
        ({"customer_id": ANN, "coupon_ids": [""]}, "coupon_ids_required"),
        ({"customer_id": ANN, "coupon_ids": [" "]}, "coupon_ids_required"),
        ({"customer_id": ANN, "coupon_ids": [COUPON["welcome"], ""]}, "coupon_ids_required"),
        ({"customer_id": "nobody", "coupon_ids": []}, "coupon_ids_required"),
        ({"customer_id": "nobody", "coupon_ids": ["1"]}, "customer_not_exist"),
        ({"customer_id": "5001 ", "coupon_ids": ["1"]}, "customer_not_exist"),
    ],
)
def test_a_body_is_refused_for_its_shape_before_its_empty_ids_before_its_customer(
    mock: Mock, body: dict[str, Any], example: str
) -> None:
    """A missing member or a wrong type is 400, an empty id 422, an unknown customer 404, in this order."""
    assert_example("shoplazza", "receiveCoupons", example, mock.post(TARGET, body, SUNNY))


def test_a_refused_call_changes_nothing(mock: Mock) -> None:
    """Neither without a token, nor without the scope, nor for a bad body, nor if one coupon of several fails."""
    good = {"customer_id": ANN, "coupon_ids": [COUPON["welcome"]]}
    refused = [
        mock.post(TARGET, good, {}),
        mock.post(TARGET, good, {"access-token": "no-such-token"}),
        mock.post(TARGET, good, READ_ONLY),
        mock.post(TARGET, {**good, "customer_id": "nobody"}, SUNNY),
        mock.post(TARGET, {**good, "coupon_ids": [COUPON["welcome"], ""]}, SUNNY),
        mock.post(TARGET, {**good, "coupon_ids": [COUPON["welcome"], 1]}, SUNNY),
        mock.post(TARGET, good, {**SUNNY, "Content-Type": "text/plain"}),
        receive(mock, ANN, COUPON["welcome"], BREAKS),
        receive(mock, ANN, COUPON["welcome"], THROTTLED),
    ]
    assert [answer.status for answer in refused] == [401, 401, 403, 404, 422, 400, 400, 500, 429]
    assert outcome(mock, ANN, COUPON["welcome"]) == (0, [(COUPON["welcome"], 1, 19, 1)])


def test_a_token_without_the_scope_is_refused_whatever_it_asks(mock: Mock) -> None:
    """403 comes before anything about the body, the customer or a seeded failure."""
    for body in ({}, {"customer_id": "nobody", "coupon_ids": []}, {"customer_id": ANN, "coupon_ids": [BREAKS]}):
        assert_example("shoplazza", "receiveCoupons", "missing_scope", mock.post(TARGET, body, READ_ONLY))


def test_every_answer_has_a_request_id_of_its_own(mock: Mock) -> None:
    """The vendor's public parameters page requires the header."""
    answers = [
        receive(mock, ANN, COUPON["unlimited"]),
        receive(mock, "nobody", COUPON["unlimited"]),
        receive(mock, ANN, BREAKS),
        mock.post(TARGET, {}, {}),
        mock.send("GET", TARGET),
        mock.send("GET", "/openapi/2022-01/coupon"),
    ]
    ids = [answer.headers["Request-Id"] for answer in answers]
    assert None not in ids
    assert len(set(ids)) == len(answers)


def test_the_name_of_the_token_header_has_no_case(mock: Mock) -> None:
    """The vendor's pages write it in two ways."""
    for name in ("access-token", "Access-Token", "ACCESS-TOKEN"):
        assert receive(mock, ANN, COUPON["unlimited"], headers={name: "sunny-token"}).status == 200


def test_the_token_is_taken_from_its_own_header_only(mock: Mock) -> None:
    """Not from Authorization, which one page names by mistake, nor from the query."""
    body = {"customer_id": ANN, "coupon_ids": [COUPON["welcome"]]}
    for target, headers in (
        (TARGET, {"Authorization": "sunny-token"}),
        (TARGET, {"Authorization": "Bearer sunny-token"}),
        (f"{TARGET}?access-token=sunny-token", {}),
    ):
        answer = mock.post(target, body, headers)
        assert_refusal("shoplazza", answer)
        assert_example("shoplazza", "receiveCoupons", "unauthorized", answer)
