"""A client of the vendors in the hands of a test that uses `couponmock.Mock`."""

import json
import urllib.error
import urllib.request
from typing import Any

from couponmock import Namespace
from running_mock import START_SECONDS

USED = "JDSI2JE"
"""A used coupon of the member 1001."""


def ask(url: str, method: str = "GET", value: Any = None) -> tuple[int, Any]:
    """Send a request as a client would and return status and JSON."""
    body = None if value is None else json.dumps(value).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method=method)  # noqa: S310 - our own server
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=START_SECONDS) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def unuse(world: Namespace, code: str = USED) -> tuple[int, Any]:
    """Unuse a coupon."""
    return ask(f"{world.base_url('crowdtwist')}/v2/coupon/unuse?api_key=QWERTY", "POST", {"coupon_value": code})


def usable(world: Namespace, member: str = "1001") -> set[str]:
    """Return the codes of a member's usable coupons."""
    status, coupons = ask(f"{world.base_url('crowdtwist')}/v2/users/{member}/usable_coupons?api_key=QWERTY")
    assert status == 200, coupons
    return {coupon["code"] for coupon in coupons}
