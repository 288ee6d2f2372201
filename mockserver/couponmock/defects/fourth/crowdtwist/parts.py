"""What the defects of both CrowdTwist operations are made of beside the parts of the second registry."""

from couponmock.behaviour import Call, Entity, World

USE = "useCoupon"
REDEEM = "redeemReward"


def asked_for(call: Call, world: World) -> Entity | None:
    """Return the coupon whose code a call sends; None if the client has none."""
    return world.find("coupon", client=call.principal, code=call.body["coupon_value"])
