"""ChargeOver: coupons are read."""

from typing import Any

from couponmock.behaviour import Answer, Call, Refused, World, behaviour
from couponmock.form import form

_UNSHOWN = {"account"}


_GET = "getCoupon"


@behaviour(_GET, "found", "not_found")
def get_coupon(call: Call, world: World) -> Answer:
    """Show a coupon of the account, enabled or not."""
    coupon = world.find("coupon", account=call.principal, coupon_id=call.parameters["coupon_id"])
    if coupon is None:
        raise Refused("not_found")
    return Answer("found", {"response": {name: coupon[name] for name in coupon.data if name not in _UNSHOWN}})


@form("response-of-not-found=false", _GET)
def false_for_nothing(body: Any) -> Any:
    """Say `false` where there is no object, as other errors do."""
    return {**body, "response": False} if body["response"] is None else body


@form("datetime-format=iso8601", _GET)
def iso_times(body: Any) -> Any:
    """Write times as ISO 8601 has them; an account's zone is unknown, so they are in UTC."""
    shown = body["response"]
    if not isinstance(shown, dict) or shown.get("write_datetime") is None:
        return body
    written = shown["write_datetime"].replace(" ", "T")
    return {**body, "response": {**shown, "write_datetime": f"{written}+00:00"}}


@form("details-shape=empty-list")
def empty_details(body: Any) -> Any:
    """Write empty details as an empty list."""
    return {**body, "details": []} if body["details"] == {} else body
