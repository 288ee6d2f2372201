"""CrowdTwist: coupons are issued, used, unused and listed as its two pages say."""

from collections.abc import Iterator
from typing import Any

import pytest
from crowdtwist_calls import KEY, LISTED, OTHER_CLIENT, ask_list, codes, every_list, unuse, usable
from running_mock import Mock
from vendor_answers import assert_example

NULLABLE = {"coupon_category_expiration_days", "date_to_expire"}


def every_coupon(mock: Mock) -> Iterator[dict[str, Any]]:
    """Yield each coupon of every member's list."""
    for found in every_list(mock).values():
        yield from found


def test_unusing_a_used_coupon_puts_it_back_into_its_members_list(mock: Mock) -> None:
    """It is listed with the order that assigned it; everything else in the list stays."""
    before = usable(mock, "1001")
    assert_example("crowdtwist", "unuseCoupon", "unused", unuse(mock, "JDSI2JE"))
    after = usable(mock, "1001")
    [back] = [coupon for coupon in after if coupon["code"] == "JDSI2JE"]
    assert [coupon for coupon in after if coupon is not back] == before
    seeded = mock.bindings("crowdtwist")["coupon.used"]
    assert back == {name: seeded[name] for name in LISTED}


def test_unusing_a_coupon_changes_no_other_members_list(mock: Mock) -> None:
    """Bob's coupon comes back to Bob and to nobody else, of either client."""
    before = every_list(mock)
    assert unuse(mock, "BOB-USED-1").status == 200
    after = every_list(mock)
    assert {member for member in before if before[member] != after[member]} == {(KEY, "1002")}


def test_a_second_unuse_is_refused_as_not_used(mock: Mock) -> None:
    """Unuse is not idempotent: the coupon is not used any more, and stays as it is."""
    assert unuse(mock, "JDSI2JE").status == 200
    before = every_list(mock)
    assert_example("crowdtwist", "unuseCoupon", "not_used", unuse(mock, "JDSI2JE"))
    assert every_list(mock) == before


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("FRESH-0001", "not_issued"),
        ("FRESH-0002", "not_issued"),
        ("1X3FJ9K003", "not_used"),
        ("OLD-ISSUED-1", "not_used"),
        ("FOREVER-2024", "not_used"),
        ("NO-SUCH-COUPON", "no_data"),
        ("jdsi2je", "no_data"),
        (" JDSI2JE", "no_data"),
        ("JDSI2JE ", "no_data"),
        ("JDSI2JE\x00", "no_data"),
        ("used", "no_data"),
    ],
)
def test_a_coupon_that_is_not_used_is_refused_with_the_reason_its_state_gives(
    mock: Mock, code: str, reason: str
) -> None:
    """Generated, issued and unknown codes are told apart; codes match exactly."""
    before = every_list(mock)
    assert_example("crowdtwist", "unuseCoupon", reason, unuse(mock, code))
    assert every_list(mock) == before


def test_a_used_coupon_that_has_expired_can_be_unused_but_is_not_listed(mock: Mock) -> None:
    """Its date has passed all the same; a second unuse shows that the first one counted."""
    before = every_list(mock)
    assert unuse(mock, "OLD-USED-1").status == 200
    assert every_list(mock) == before
    assert_example("crowdtwist", "unuseCoupon", "not_used", unuse(mock, "OLD-USED-1"))


def test_expired_and_used_coupons_are_not_listed(mock: Mock) -> None:
    """Alice has some of each; only what she can use now is in her list."""
    listed = set(codes(mock, "1001"))
    assert {"ACC58191285", "ACC58111301", "1X3FJ9K003", "FOREVER-2024", "LAST-DAY-77"} <= listed
    assert listed & {"OLD-ISSUED-1", "OLD-USED-1", "JDSI2JE", "JDSI2JF"} == set()
    now = mock.admin("GET", f"/namespaces/{mock.namespace}").json["now"]
    assert all(coupon["date_to_expire"] is None or coupon["date_to_expire"] > now for coupon in every_coupon(mock))


@pytest.mark.parametrize("member", ["1005", "1006"])
def test_a_member_whose_coupons_are_all_used_or_expired_has_an_empty_list(mock: Mock, member: str) -> None:
    """That is a success: 200 and []."""
    assert_example("crowdtwist", "listUsableCoupons", "none_usable", ask_list(mock, member))


def test_a_member_who_never_received_a_coupon_has_no_activities(mock: Mock) -> None:
    """The page's table has an identifier for this, with the status its only error sample prints."""
    assert_example("crowdtwist", "listUsableCoupons", "no_activities", ask_list(mock, "1003"))


def test_unusing_fills_an_empty_list(mock: Mock) -> None:
    """Erin has used all of her coupons and gets one back."""
    assert codes(mock, "1005") == []
    assert unuse(mock, "ERIN-USED-2").status == 200
    assert codes(mock, "1005") == ["ERIN-USED-2"]


def test_listing_changes_nothing(mock: Mock) -> None:
    """Two reads of every list are equal."""
    assert every_list(mock) == every_list(mock)


def test_another_clients_key_does_not_find_a_coupon(mock: Mock) -> None:
    """For the other client the code does not exist, and the coupon stays used for its own."""
    assert_example("crowdtwist", "unuseCoupon", "no_data", unuse(mock, "JDSI2JE", OTHER_CLIENT))
    assert_example("crowdtwist", "unuseCoupon", "unused", unuse(mock, "JDSI2JE"))


def test_two_clients_members_with_the_same_ids_are_different_people(mock: Mock) -> None:
    """1001 and alice@crowdtwist.com are Alice for one key and Olga for the other; their lists share nothing."""
    alice = {coupon["redeem_order_coupon_id"] for coupon in usable(mock, "1001")}
    olga = {coupon["redeem_order_coupon_id"] for coupon in usable(mock, "1001", OTHER_CLIENT)}
    assert alice
    assert olga
    assert alice & olga == set()
    by_email = ask_list(mock, "alice@crowdtwist.com", "&id_type=email", OTHER_CLIENT)
    assert {coupon["redeem_order_coupon_id"] for coupon in by_email.json} == olga


@pytest.mark.parametrize(("member", "key"), [("2002", KEY), ("1002", OTHER_CLIENT)])
def test_a_member_of_another_client_does_not_exist(mock: Mock, member: str, key: str) -> None:
    """The answer is that of an unknown member."""
    assert_example("crowdtwist", "listUsableCoupons", "unknown_member", ask_list(mock, member, key=key))


@pytest.mark.parametrize(
    ("id_type", "value"),
    [
        ("id", "1001"),
        ("email", "alice@crowdtwist.com"),
        ("facebook_user_id", "100004815162342"),
        ("twitter_user_id", "783214"),
        ("third_party_id", "crm-alice-1"),
        ("username", "alice"),
    ],
)
def test_a_member_is_found_by_each_of_the_six_types_of_id(mock: Mock, id_type: str, value: str) -> None:
    """All six give the same list."""
    answer = ask_list(mock, value, f"&id_type={id_type}")
    assert answer.status == 200
    assert answer.json == usable(mock, "1001")


@pytest.mark.parametrize("id_type", ["email", "facebook_user_id", "twitter_user_id", "third_party_id", "username"])
def test_an_id_of_one_type_is_not_one_of_another(mock: Mock, id_type: str) -> None:
    """Alice's CrowdTwist id is nobody's id of any other type."""
    expected = "malformed_user_id" if id_type == "email" else "unknown_member"
    answer = ask_list(mock, "1001", f"&id_type={id_type}")
    assert_example("crowdtwist", "listUsableCoupons", expected, answer)


def test_without_id_type_the_id_is_a_crowdtwist_id(mock: Mock) -> None:
    """The default is used and nothing is guessed: an e-mail address is then malformed."""
    assert ask_list(mock, "1001").json == ask_list(mock, "1001", "&id_type=id").json
    answer = ask_list(mock, "alice@crowdtwist.com")
    assert_example("crowdtwist", "listUsableCoupons", "malformed_user_id", answer)


@pytest.mark.parametrize("id_type", ["", "ID", "e-mail", "mobile_phone_number", "id%20", "email&id_type=email", "%ff"])
def test_any_other_type_of_id_is_a_parameter_error(mock: Mock, id_type: str) -> None:
    """Also a blank one, one of a newer revision, and the right one given twice."""
    answer = ask_list(mock, "1001", f"&id_type={id_type}")
    assert_example("crowdtwist", "listUsableCoupons", "invalid_parameter", answer)


@pytest.mark.parametrize("member", ["", "%20", "%20%20", "%09"])
def test_a_blank_member_is_a_missing_parameter(mock: Mock, member: str) -> None:
    """The empty path segment reaches the vendor, whose sample this answer is."""
    assert_example("crowdtwist", "listUsableCoupons", "missing_user_id", ask_list(mock, member))


def test_a_coupon_has_the_fifteen_members_of_the_table(mock: Mock) -> None:
    """Each of them, no other, each of its type; only two may be null."""
    for coupon in every_coupon(mock):
        assert coupon.keys() == LISTED.keys()
        for name, value in coupon.items():
            assert type(value) is LISTED[name] or (value is None and name in NULLABLE), (name, value)


def test_both_nullable_members_are_null_for_a_coupon_that_never_expires(mock: Mock) -> None:
    """And each of the two is a number somewhere else."""
    by_code = {coupon["code"]: coupon for coupon in usable(mock, "1001")}
    assert {name for name, value in by_code["FOREVER-2024"].items() if value is None} == NULLABLE
    assert None not in by_code["ACC58191285"].values()


def test_a_list_is_ordered_by_order_date_and_then_by_coupon(mock: Mock) -> None:
    """No order is documented; ours is the same every time."""
    for found in every_list(mock).values():
        keys = [(coupon["order_date_created"], coupon["redeem_order_coupon_id"]) for coupon in found]
        assert keys == sorted(keys)


def test_thirty_coupons_are_listed_at_once(mock: Mock) -> None:
    """There is no pagination on the page."""
    assert len(set(codes(mock, "1004"))) == 30


def test_texts_arrive_as_they_were_seeded(mock: Mock) -> None:
    """Characters beyond ASCII, and the longest code, title and category that the page allows."""
    by_code = {coupon["code"]: coupon for coupon in usable(mock, "1007")}
    plain, long = by_code["GRÜSSE-Ω-2024"], by_code[max(by_code, key=len)]
    assert (plain["code"], plain["reward_title"]) == ("GRÜSSE-Ω-2024", "Café ☕ für zwei – 二人のコーヒー 🎉")  # noqa: RUF001 - the seeded text
    assert [len(long[name]) for name in ("code", "reward_title", "coupon_category_name")] == [1000, 100, 50]


def test_a_code_of_a_thousand_characters_can_be_unused_and_one_more_is_too_long(mock: Mock) -> None:
    """String[1000] is the length of a coupon code on the other page."""
    code = mock.bindings("crowdtwist")["coupon.grace_used_long"]["code"]
    assert len(code) == 1000
    assert_example("crowdtwist", "unuseCoupon", "invalid_coupon_value", unuse(mock, f"{code}X"))
    assert_example("crowdtwist", "unuseCoupon", "unused", unuse(mock, code))
    assert code in codes(mock, "1007")


@pytest.mark.parametrize("value", [None, "", " ", "\t\n", "\u00a0"])
def test_a_blank_coupon_value_is_a_missing_one(mock: Mock, value: Any) -> None:
    """Null, empty and white space are answered as the page answers a missing value."""
    assert_example("crowdtwist", "unuseCoupon", "coupon_value_required", unuse(mock, value))


@pytest.mark.parametrize("value", [12, 1.5, 10**30, True, False, [], {}, ["JDSI2JE"], {"a": 1}, "x" * 1001])
def test_a_coupon_value_of_another_type_is_invalid(mock: Mock, value: Any) -> None:
    """Only a String of at most a thousand characters is a coupon value; nothing is converted."""
    assert_example("crowdtwist", "unuseCoupon", "invalid_coupon_value", unuse(mock, value))


def test_members_that_the_page_does_not_know_are_ignored(mock: Mock) -> None:
    """Further members of the body, a key in the body, and further query parameters."""
    body = {"coupon_value": "JDSI2JE", "note": [1, {"a": None}], "api_key": "NO-SUCH-KEY"}
    answer = mock.post("/v2/coupon/unuse?verbose=1&api_key=QWERTY&verbose=2", body)
    assert_example("crowdtwist", "unuseCoupon", "unused", answer)


def test_a_key_in_the_body_is_no_credential(mock: Mock) -> None:
    """The page has the key in the query."""
    answer = mock.post("/v2/coupon/unuse", {"coupon_value": "JDSI2JE", "api_key": KEY})
    assert_example("crowdtwist", "unuseCoupon", "missing_api_key", answer)


@pytest.mark.parametrize("key", ["QWERTY", "SUNSHINE-HEADER-KEY"])
def test_the_header_of_newer_revisions_is_as_good_as_the_query(mock: Mock, key: str) -> None:
    """X-CT-Authorization: CTApiKey and one space before the key."""
    answer = mock.post("/v2/coupon/unuse", {"coupon_value": "JDSI2JE"}, {"X-CT-Authorization": f"CTApiKey {key}"})
    assert_example("crowdtwist", "unuseCoupon", "unused", answer)


@pytest.mark.parametrize(
    ("code", "example"), [("MOCK-500", "internal_error"), ("MOCK-429", "rate_limited"), ("JDSI2JE", "unused")]
)
def test_a_seeded_failure_comes_after_authentication_and_changes_nothing(mock: Mock, code: str, example: str) -> None:
    """Without a key nothing is told about a coupon; with it, failing as often as it is asked."""
    refused = mock.post("/v2/coupon/unuse", {"coupon_value": code})
    assert_example("crowdtwist", "unuseCoupon", "missing_api_key", refused)
    before = every_list(mock)
    assert_example("crowdtwist", "unuseCoupon", example, unuse(mock, code))
    if example != "unused":
        assert every_list(mock) == before
        assert_example("crowdtwist", "unuseCoupon", example, unuse(mock, code))


def test_offsets_of_the_pack_count_from_the_moment_the_world_was_made(mock: Mock) -> None:
    """A coupon that expires in six days was ordered two days ago."""
    epoch = mock.admin("GET", f"/namespaces/{mock.namespace}").json["epoch"]
    [coupon] = [coupon for coupon in usable(mock, "1001") if coupon["code"] == "ACC58191285"]
    assert coupon["date_to_expire"] == epoch + 6 * 86_400
    assert coupon["order_date_created"] == epoch - 2 * 86_400
