"""ChargeOver: coupons are read."""

from datetime import UTC, datetime
from typing import Any

from couponmock.behaviour import Answer, Call, Entity, Refused, World, behaviour

_UNSHOWN = {"account", "answers"}


@behaviour("getCoupon", "found", "not_found")
def get_coupon(call: Call, world: World) -> Answer:
    """Show a coupon of the account, enabled or not."""
    coupon = world.find("coupon", account=call.principal, coupon_id=call.parameters["coupon_id"])
    if coupon is None:
        raise Refused("not_found")
    return Answer("found", {"response": _shown(coupon)})


def _shown(coupon: Entity) -> dict[str, Any]:
    shown = {name: value for name, value in coupon.data.items() if name not in _UNSHOWN}
    shown["write_datetime"] = datetime.fromtimestamp(coupon["write_datetime"], UTC).strftime("%Y-%m-%d %H:%M:%S")
    return shown
