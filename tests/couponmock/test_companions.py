"""CrowdTwist's companions: a reward is redeemed, its coupon is used, and unused again."""

from typing import Any

import pytest
from crowdtwist_calls import (
    DAY,
    KEY,
    LISTED,
    OTHER_CLIENT,
    advance,
    ask_list,
    codes,
    every_list,
    freeze,
    redeem,
    unuse,
    usable,
    use,
)
from running_mock import Mock
from vendor_answers import assert_example, document

FIVE, BIRTHDAY, SOLD_OUT = "127817", "127900", "127999"
FIVE_CODES = [f"FIVE-000{number}" for number in range(1, 6)]


def redeemed(mock: Mock, member: str, reward: str, quantity: int = 1) -> list[str]:
    """Redeem a reward and return the codes of the coupons."""
    answer = redeem(mock, member, reward, quantity)
    assert (answer.status, answer.example) == (200, "redeemed"), answer
    return [coupon["code"] for coupon in answer.json["coupons"]]


def test_a_coupon_is_redeemed_listed_used_gone_unused_and_listed_as_before(mock: Mock) -> None:
    """The whole life of a coupon; Carol never had one before."""
    assert_example("crowdtwist", "listUsableCoupons", "no_activities", ask_list(mock, "1003"))
    [code] = redeemed(mock, "1003", FIVE)
    [listed] = usable(mock, "1003")
    assert listed["code"] == code
    advance(mock, "1h")

    assert_example("crowdtwist", "useCoupon", "used", use(mock, code))
    assert_example("crowdtwist", "listUsableCoupons", "none_usable", ask_list(mock, "1003"))
    assert_example("crowdtwist", "useCoupon", "already_used", use(mock, code))

    assert_example("crowdtwist", "unuseCoupon", "unused", unuse(mock, code))
    assert usable(mock, "1003") == [listed]
    assert_example("crowdtwist", "useCoupon", "used", use(mock, code))


def test_a_redeemed_coupon_has_what_its_order_its_reward_and_its_batch_say(mock: Mock) -> None:
    """All fifteen members; two coupons of one order share everything but their code and their own number."""
    now = freeze(mock)
    assert redeemed(mock, "1001", FIVE, 2) == FIVE_CODES[:2]
    one, two = [coupon for coupon in usable(mock, "1001") if coupon["code"] in FIVE_CODES]
    bindings = mock.bindings("crowdtwist")
    assert one == {
        "reward_id": 127817,
        "redeem_order_id": one["redeem_order_id"],
        "redeem_order_coupon_id": one["redeem_order_coupon_id"],
        "total_points_redeemed": 100,
        "ending_balance": bindings["member.alice"]["points_balance"] - 100,
        "quantity": 2,
        "code": "FIVE-0001",
        "reward_title": "$5 Sunshine Rewards Coupon",
        "coupon_category_id": 218,
        "coupon_category_name": "Sunshine Rewards",
        "coupon_category_expiration_days": 90,
        "batch_num": 84,
        "date_to_expire": now + 90 * DAY,
        "order_date_created": now,
        "coupon_date_created": bindings["coupon.five_fresh_1"]["coupon_date_created"],
    }
    assert {name for name in LISTED if one[name] != two[name]} == {"code", "redeem_order_coupon_id"}


def test_every_order_and_every_coupon_of_an_order_has_a_number_of_its_own(mock: Mock) -> None:
    """No number is one of a seeded order; a reset gives the same numbers again."""
    seeded = {coupon["redeem_order_coupon_id"] for found in every_list(mock).values() for coupon in found}
    redeemed(mock, "1001", FIVE, 2)
    redeemed(mock, "1003", BIRTHDAY)
    orders = {coupon["redeem_order_id"] for coupon in usable(mock, "1001") if coupon["code"] in FIVE_CODES}
    orders |= {coupon["redeem_order_id"] for coupon in usable(mock, "1003")}
    assert len(orders) == 2
    everything = [coupon for found in every_list(mock).values() for coupon in found]
    new = {coupon["redeem_order_coupon_id"] for coupon in everything} - seeded
    assert len(new) == 3

    mock.admin("POST", "/reset", {"namespace": mock.namespace})
    redeemed(mock, "1003", BIRTHDAY)
    [coupon] = usable(mock, "1003")
    assert coupon["redeem_order_id"] == min(orders)
    assert coupon["redeem_order_coupon_id"] == min(new)


def test_a_redemption_takes_points_and_a_free_one_takes_none(mock: Mock) -> None:
    """The balance goes down with each order; a reward for nothing is there for a member without points, too."""
    for reward in (FIVE, BIRTHDAY, FIVE):
        redeemed(mock, "1003", reward)
    by_order = sorted(usable(mock, "1003"), key=lambda coupon: coupon["redeem_order_id"])
    amounts = [(coupon["total_points_redeemed"], coupon["ending_balance"]) for coupon in by_order]
    assert amounts == [(50, 450), (0, 450), (50, 400)]
    redeemed(mock, "1005", BIRTHDAY)
    assert [coupon["ending_balance"] for coupon in usable(mock, "1005")] == [0]


def test_a_coupon_expires_when_its_categorys_days_are_over(mock: Mock) -> None:
    """At the very second; then it is neither listed nor usable, and unusing a used one does not bring it back."""
    freeze(mock)
    kept, gone = redeemed(mock, "1003", FIVE, 2)
    [forever] = redeemed(mock, "1003", BIRTHDAY)
    assert use(mock, gone).status == 200
    advance(mock, "90d")
    advance(mock, "-1s")
    assert codes(mock, "1003") == [kept, forever]
    advance(mock, "1s")
    assert codes(mock, "1003") == [forever]
    assert_example("crowdtwist", "useCoupon", "expired", use(mock, kept))
    assert_example("crowdtwist", "useCoupon", "already_used", use(mock, gone))
    assert_example("crowdtwist", "unuseCoupon", "unused", unuse(mock, gone))
    assert codes(mock, "1003") == [forever]
    assert_example("crowdtwist", "useCoupon", "expired", use(mock, gone))
    assert_example("crowdtwist", "useCoupon", "used", use(mock, forever))


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("FRESH-0001", "not_issued"),
        ("FIVE-0001", "not_issued"),
        ("JDSI2JE", "already_used"),
        ("OLD-USED-1", "already_used"),
        ("OLD-ISSUED-1", "expired"),
        ("NO-SUCH-COUPON", "no_data"),
        ("acc58191285", "no_data"),
        ("ACC58191285 ", "no_data"),
        ("ACC58191285\x00", "no_data"),
        ("OLGA-1", "no_data"),
    ],
)
def test_a_coupon_that_cannot_be_used_is_refused_with_the_reason_its_state_gives(
    mock: Mock, code: str, reason: str
) -> None:
    """Nothing changes: the coupons of every member stay as they were."""
    before = every_list(mock)
    assert_example("crowdtwist", "useCoupon", reason, use(mock, code))
    assert every_list(mock) == before


def test_using_a_coupon_changes_nothing_but_that_it_is_gone(mock: Mock) -> None:
    """Every other coupon of every member of both clients is listed as before."""
    before = every_list(mock)
    assert use(mock, "ACC58191285").status == 200
    after = every_list(mock)
    gone = [coupon for coupon in before.pop((KEY, "1001")) if coupon["code"] != "ACC58191285"]
    assert after.pop((KEY, "1001")) == gone
    assert after == before


@pytest.mark.parametrize(
    "date",
    [
        "2016-11-11T14:30:00-05:00",
        "2016-11-11T14:30:00.125+05:30",
        "2016-11-11T19:30:00Z",
        "2016-11-11T14:30:00-0500",
        "2016-11-11T14:30-05:00",
        "2016-02-29T14:30:00+00",
    ],
)
def test_a_date_of_use_is_an_iso_8601_time_with_an_offset(mock: Mock, date: str) -> None:
    """In any of the usual forms; it changes nothing of the answer."""
    assert_example("crowdtwist", "useCoupon", "used", use(mock, "ACC58191285", use_date=date))


@pytest.mark.parametrize(
    "date",
    [
        "",
        "yesterday",
        "2016-11-11",
        "2016-11-11T14:30:00",
        "2016-11-11 14:30:00",
        "2016-13-11T14:30:00Z",
        "2016-11-11T25:30:00Z",
        "2016-11-11T14:30:00-05:00 ",
        "2016-11-11T14:30:00-0500\n",
        1478892600,
        True,
        None,
        [],
        {},
    ],
)
def test_any_other_date_of_use_is_invalid_and_uses_nothing(mock: Mock, date: Any) -> None:
    """The offset is a part of the documented form."""
    before = usable(mock, "1001")
    assert_example("crowdtwist", "useCoupon", "invalid_use_date", use(mock, "ACC58191285", use_date=date))
    assert usable(mock, "1001") == before


@pytest.mark.parametrize("value", [None, "", " ", "\u00a0"])
def test_a_blank_coupon_value_is_a_missing_one(mock: Mock, value: Any) -> None:
    """As on the page of Unuse Coupon."""
    assert_example("crowdtwist", "useCoupon", "coupon_value_required", use(mock, value))


@pytest.mark.parametrize("value", [12, True, [], {}, "x" * 1001])
def test_a_coupon_value_of_another_type_is_invalid(mock: Mock, value: Any) -> None:
    """As on the page of Unuse Coupon."""
    assert_example("crowdtwist", "useCoupon", "invalid_coupon_value", use(mock, value))


@pytest.mark.parametrize(
    ("id_type", "value"),
    [
        ("id", "1001"),
        ("email", "alice@crowdtwist.com"),
        ("facebook_user_id", "100004815162342"),
        ("twitter_user_id", "783214"),
        ("third_party_id", "crm-alice-1"),
        ("username", "alice"),
        ("mobile_phone_number", "+15550101"),
        ("inst_username", "alice.sunshine"),
    ],
)
def test_a_reward_is_redeemed_for_a_member_known_by_each_of_eight_types_of_id(
    mock: Mock, id_type: str, value: str
) -> None:
    """The six of the usable coupons page and the two that this page adds; it is always Alice who gets the coupon."""
    assert redeem(mock, value, FIVE, query=f"&id_type={id_type}").status == 200
    assert "FIVE-0001" in codes(mock, "1001")


@pytest.mark.parametrize(
    ("member", "reward", "quantity", "query", "example"),
    [
        ("99999999", FIVE, 1, "", "unknown_member"),
        ("2002", FIVE, 1, "", "unknown_member"),
        ("alice", FIVE, 1, "&id_type=inst_username", "unknown_member"),
        ("", FIVE, 1, "", "missing_user_id"),
        ("%20", FIVE, 1, "", "missing_user_id"),
        ("alice@crowdtwist.com", FIVE, 1, "", "malformed_user_id"),
        ("1001", FIVE, 1, "&id_type=email", "malformed_user_id"),
        ("1001", FIVE, 1, "&id_type=shoe_size", "invalid_parameter"),
        ("1001", "1", 1, "", "unknown_reward"),
        ("1001", "0127817", 1, "", "unknown_reward"),
        ("1001", "five", 1, "", "unknown_reward"),
        ("1001", "127817\x00", 1, "", "unknown_reward"),
        ("1001", "", 1, "", "missing_reward_id"),
        ("1001", " ", 1, "", "missing_reward_id"),
        ("1001", None, 1, "", "missing_reward_id"),
        ("1001", 127817, 1, "", "invalid_input"),
        ("1001", ["127817"], 1, "", "invalid_input"),
        ("1001", FIVE, None, "", "missing_quantity"),
        ("1001", FIVE, 0, "", "invalid_input"),
        ("1001", FIVE, -1, "", "invalid_input"),
        ("1001", FIVE, 1.5, "", "invalid_input"),
        ("1001", FIVE, "1", "", "invalid_input"),
        ("1001", FIVE, True, "", "invalid_input"),
        ("1001", FIVE, 6, "", "no_coupons_left"),
        ("1001", SOLD_OUT, 1, "", "no_coupons_left"),
        ("1001", BIRTHDAY, 10**30, "", "no_coupons_left"),
        ("1001", BIRTHDAY, 1e300, "", "no_coupons_left"),
        ("1001", FIVE, 21, "", "not_enough_points"),
        ("1001", FIVE, 10**30, "", "not_enough_points"),
        ("1002", FIVE, 1, "", "not_enough_points"),
        ("1005", FIVE, 1, "", "not_enough_points"),
    ],
)
def test_a_redemption_that_cannot_be_is_refused_and_changes_nothing(
    mock: Mock, member: str, reward: Any, quantity: Any, query: str, example: str
) -> None:
    """Whose member, which reward, how many: the first rule that is broken is named, and nobody pays."""
    before = every_list(mock)
    assert_example("crowdtwist", "redeemReward", example, redeem(mock, member, reward, quantity, query))
    assert every_list(mock) == before
    assert redeemed(mock, "1001", FIVE) == ["FIVE-0001"]
    [coupon] = [coupon for coupon in usable(mock, "1001") if coupon["code"] == "FIVE-0001"]
    assert coupon["ending_balance"] == 950
    assert (coupon["redeem_order_id"], coupon["redeem_order_coupon_id"]) == (29_000_001, 18_000_001)


def test_a_quantity_written_as_a_float_is_a_whole_number_all_the_same(mock: Mock) -> None:
    """2.0 is an integer in JSON; the list shows it as one."""
    assert redeem(mock, "1001", FIVE, 2.0).status == 200
    [one, _] = [coupon for coupon in usable(mock, "1001") if coupon["code"] in FIVE_CODES]
    assert type(one["quantity"]) is int
    assert type(one["total_points_redeemed"]) is int


def test_two_clients_rewards_with_the_same_id_are_different_ones(mock: Mock) -> None:
    """Olga gets a dinner, and Alice's coupons are all there."""
    answer = redeem(mock, "1001", FIVE, key=OTHER_CLIENT)
    assert answer.json == {"coupons": [{"code": "DINNER-0001"}]}
    assert redeemed(mock, "1001", FIVE, 5) == FIVE_CODES
    assert_example("crowdtwist", "redeemReward", "no_coupons_left", redeem(mock, "1001", FIVE, key=OTHER_CLIENT))


def test_the_printed_world_has_a_whole_life_of_a_coupon_too(documented: Mock) -> None:
    """The printed coupon is used; another of the same reward is redeemed, with the printed title and category."""
    assert use(documented, "ACC58111301").status == 200
    assert codes(documented, "1001") == ["ACC58191285"]
    [code] = redeemed(documented, "1001", FIVE)
    [_, new] = usable(documented, "1001")
    assert (new["code"], new["order_date_created"]) == (code, 1_478_908_800)
    printed = mock_values("five", documented)
    same = ("reward_id", "reward_title", "total_points_redeemed", "coupon_category_id", "coupon_category_name")
    assert [new[name] for name in same] == [printed[name] for name in same]


def mock_values(coupon: str, mock: Mock) -> dict[str, Any]:
    """Return the members of a seeded coupon."""
    return mock.bindings("crowdtwist")[f"coupon.{coupon}"]


def test_no_answer_of_a_companion_is_called_documented() -> None:
    """Of each at least the status is ours."""
    companions = [operation for operation in document("crowdtwist").operations.values() if operation.companion]
    assert {operation.id for operation in companions} == {"useCoupon", "redeemReward"}
    bases = {example.basis for operation in companions for example in operation.examples.values()}
    assert bases == {"inferred"}
