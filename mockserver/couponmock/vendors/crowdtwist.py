"""CrowdTwist: a coupon is generated, issued to a member, used, and can be unused again."""

from couponmock.behaviour import Answer, Call, Entity, Refused, World, behaviour


@behaviour("unuseCoupon", "unused", "no_data", "not_issued", "not_used")
def unuse_coupon(call: Call, world: World) -> Answer:
    """Make a used coupon usable again; any other coupon is refused with the reason its state gives."""
    coupon = world.find("coupon", client=call.principal, code=call.body["coupon_value"])
    if coupon is None:
        raise Refused("no_data")
    if coupon["state"] == "generated":
        raise Refused("not_issued")
    if coupon["state"] == "issued":
        raise Refused("not_used")
    world.change(coupon, state="issued")
    return Answer("unused")


@behaviour("listUsableCoupons", "usable_coupons", "none_usable", "unknown_member", "no_activities")
def list_usable_coupons(call: Call, world: World) -> Answer:
    """List what a member was issued, has not used and can still use."""
    id_type = call.parameters["id_type"]
    member = world.find("member", client=call.principal, **{id_type: call.parameters["user_id"]})
    if member is None:
        raise Refused("unknown_member")
    owned = world.list("coupon", client=call.principal, owner=member.name)
    if not owned:
        raise Refused("no_activities")
    usable = sorted(
        (coupon for coupon in owned if is_usable(coupon, world.now)),
        key=lambda coupon: (coupon["order_date_created"], coupon["redeem_order_coupon_id"]),
    )
    shown = call.templates["usable_coupons"][0]
    return Answer(
        "usable_coupons" if usable else "none_usable",
        body=[{name: coupon.data[name] for name in shown} for coupon in usable],
    )


def is_usable(coupon: Entity, now: int) -> bool:
    """Tell whether a coupon is issued, not used and not expired at a time in Unix seconds."""
    expires = coupon["date_to_expire"]
    return coupon["state"] == "issued" and (expires is None or expires > now)
