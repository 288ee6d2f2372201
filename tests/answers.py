"""Answers of a target, made by hand."""

import json
from typing import Any

from couponcheck.exchange import Exchange
from couponspec.request import HttpRequest

JSON = "application/json"
ASKED = HttpRequest("GET", "/", (), None)


def answer(
    body: Any = None,
    *,
    status: int = 200,
    operation: str = "listUsableCoupons",
    content_type: str = JSON,
    content: bytes | None = None,
) -> Exchange:
    """Make an exchange whose answer has a JSON body, or the given bytes."""
    raw = json.dumps(body).encode() if content is None else content
    return Exchange(ASKED, operation, status, {"content-type": content_type}, raw)


def row(**members: Any) -> dict[str, Any]:
    """Make a coupon of a CrowdTwist list; a member given as None is null, not absent."""
    return {
        "reward_id": 127819,
        "redeem_order_id": 28184278,
        "redeem_order_coupon_id": 17298195,
        "total_points_redeemed": 200,
        "ending_balance": 22,
        "quantity": 1,
        "code": "ACC58191285",
        "reward_title": "$20 Sunshine Rewards Coupon",
        "coupon_category_id": 218,
        "coupon_category_name": "Sunshine Rewards",
        "coupon_category_expiration_days": 90,
        "batch_num": 82,
        "date_to_expire": 1479450627,
        "order_date_created": 1478820760,
        "coupon_date_created": 1478706211,
    } | members


def without(value: dict[str, Any], *names: str) -> dict[str, Any]:
    """Copy an object without some members."""
    return {name: item for name, item in value.items() if name not in names}
