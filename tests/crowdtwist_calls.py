"""What a client of CrowdTwist asks, in a world of the pack `demo`, and what it gets to see."""

from typing import Any

from running_mock import Answer, Mock

DAY = 86_400
KEY = "QWERTY"
OTHER_CLIENT = "MOONLIGHT"
MEMBERS = {KEY: ("1001", "1002", "1003", "1004", "1005", "1006", "1007"), OTHER_CLIENT: ("1001", "2002")}
LISTED = {
    "reward_id": int,
    "redeem_order_id": int,
    "redeem_order_coupon_id": int,
    "total_points_redeemed": int,
    "ending_balance": int,
    "quantity": int,
    "code": str,
    "reward_title": str,
    "coupon_category_id": int,
    "coupon_category_name": str,
    "coupon_category_expiration_days": int,
    "batch_num": int,
    "date_to_expire": int,
    "order_date_created": int,
    "coupon_date_created": int,
}
"""The fifteen members of the page's table."""


def unuse(mock: Mock, code: Any, key: str = KEY) -> Answer:
    """Unuse a coupon."""
    return mock.post(f"/v2/coupon/unuse?api_key={key}", {"coupon_value": code})


def ask_list(mock: Mock, member: str, query: str = "", key: str = KEY) -> Answer:
    """List a member's usable coupons."""
    return mock.send("GET", f"/v2/users/{member}/usable_coupons?api_key={key}{query}")


def usable(mock: Mock, member: str, key: str = KEY) -> list[dict[str, Any]]:
    """Return a member's usable coupons; no_activities counts as none."""
    answer = ask_list(mock, member, key=key)
    if answer.example == "no_activities":
        return []
    assert answer.status == 200, answer
    found: list[dict[str, Any]] = answer.json
    return found


def codes(mock: Mock, member: str, key: str = KEY) -> list[str]:
    """Return the codes of a member's usable coupons."""
    return [coupon["code"] for coupon in usable(mock, member, key)]


def every_list(mock: Mock) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Return what each member of both clients can use."""
    return {(key, member): usable(mock, member, key) for key, members in MEMBERS.items() for member in members}


def use(mock: Mock, code: Any, key: str = KEY, **members: Any) -> Answer:
    """Use a coupon."""
    return mock.post(f"/v2/coupon/use?api_key={key}", {"coupon_value": code, **members})


def redeem(mock: Mock, member: str, reward: Any, quantity: Any = 1, query: str = "", key: str = KEY) -> Answer:
    """Redeem a reward for a member."""
    body = {"reward_id": reward, "quantity": quantity}
    return mock.post(f"/v2/users/{member}/redemption?api_key={key}{query}", body)


def freeze(mock: Mock) -> int:
    """Let the namespace's clock stand still and return its time."""
    now: int = mock.post("/__admin/clock/freeze", {}).json["now"]
    return now


def advance(mock: Mock, by: str) -> None:
    """Move the namespace's clock."""
    assert mock.post("/__admin/clock/advance", {"by": by}).status == 200
