"""ChargeOver: coupons are read."""

from couponmock.behaviour import Answer, Call, Refused, World, behaviour

_UNSHOWN = {"account"}


@behaviour("getCoupon", "found", "not_found")
def get_coupon(call: Call, world: World) -> Answer:
    """Show a coupon of the account, enabled or not."""
    coupon = world.find("coupon", account=call.principal, coupon_id=call.parameters["coupon_id"])
    if coupon is None:
        raise Refused("not_found")
    return Answer("found", {"response": {name: coupon[name] for name in coupon.data if name not in _UNSHOWN}})
