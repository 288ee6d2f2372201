"""CrowdTwist: a coupon is generated, issued to a member, used, and can be unused again."""

from collections.abc import Callable
from typing import Any

from couponmock.behaviour import Answer, Call, Entity, Refused, World, behaviour
from couponmock.form import form

_LIST = "listUsableCoupons"
_IDEMPOTENT = "repeated-unuse=idempotent"
_EMPTY_LIST = "no-coupons=empty-list"

_DAY = 86_400
# Beyond every number that a page prints or a pack of ours seeds.
_ORDERS_SO_FAR = 29_000_000
_ORDER_COUPONS_SO_FAR = 18_000_000


@behaviour("unuseCoupon", "unused", "no_data", "not_issued", "not_used", options=(_IDEMPOTENT,))
def unuse_coupon(call: Call, world: World) -> Answer:
    """Make a used coupon usable again; any other coupon is refused with the reason its state gives."""
    coupon = world.find("coupon", client=call.principal, code=call.body["coupon_value"])
    if coupon is None:
        raise Refused("no_data")
    if coupon["state"] == "generated":
        raise Refused("not_issued")
    if coupon["state"] == "issued":
        if world.takes(_IDEMPOTENT):
            return Answer("unused")
        raise Refused("not_used")
    world.change(coupon, state="issued")
    return Answer("unused")


@behaviour(_LIST, "usable_coupons", "none_usable", "unknown_member", "no_activities", options=(_EMPTY_LIST,))
def list_usable_coupons(call: Call, world: World) -> Answer:
    """List what a member was issued, has not used and can still use."""
    id_type = call.parameters["id_type"]
    member = world.find("member", client=call.principal, **{id_type: call.parameters["user_id"]})
    if member is None:
        raise Refused("unknown_member")
    owned = world.list("coupon", client=call.principal, owner=member.name)
    if not owned and not world.takes(_EMPTY_LIST):
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


@behaviour("useCoupon", "used", "no_data", "not_issued", "already_used", "expired")
def use_coupon(call: Call, world: World) -> Answer:
    """Mark an issued coupon as used; any other coupon is refused with the reason its state gives."""
    coupon = world.find("coupon", client=call.principal, code=call.body["coupon_value"])
    if coupon is None:
        raise Refused("no_data")
    if coupon["state"] == "generated":
        raise Refused("not_issued")
    if coupon["state"] == "used":
        raise Refused("already_used")
    if not is_usable(coupon, world.now):
        raise Refused("expired")
    reported = {"use_date": call.body["use_date"]} if "use_date" in call.body else {}
    world.change(coupon, state="used", **reported)
    return Answer("used")


@behaviour("redeemReward", "redeemed", "unknown_member", "unknown_reward", "not_enough_points", "no_coupons_left")
def redeem_reward(call: Call, world: World) -> Answer:
    """Issue a reward's next generated coupons to a member, all in one order, for the member's points."""
    id_type = call.parameters["id_type"]
    member = world.find("member", client=call.principal, **{id_type: call.parameters["user_id"]})
    if member is None:
        raise Refused("unknown_member")
    reward = world.find("reward", client=call.principal, id=call.body["reward_id"])
    if reward is None:
        raise Refused("unknown_reward")
    quantity = int(call.body["quantity"])  # 2.0 is an integer in JSON Schema
    points = quantity * reward["points_to_redeem"]
    balance = (member["points_balance"] or 0) - points
    if balance < 0:
        raise Refused("not_enough_points")
    reward_id = int(reward["id"])
    coupons = world.first(quantity, "coupon", client=call.principal, reward_id=reward_id, state="generated")
    if len(coupons) < quantity:
        raise Refused("no_coupons_left")
    if points:
        world.change(member, points_balance=balance)
    order = _order(reward, world, quantity=quantity, total_points_redeemed=points, ending_balance=balance)
    for coupon in coupons:
        number = _ORDER_COUPONS_SO_FAR + world.count("redeem_order_coupon")
        world.change(coupon, state="issued", owner=member.name, redeem_order_coupon_id=number, **order)
    return Answer("redeemed", {"coupons": [{"code": coupon["code"]} for coupon in coupons]})


def _order(reward: Entity, world: World, **amounts: int) -> dict[str, Any]:
    """Return what the coupons of a new order have in common."""
    days = reward["coupon_category_expiration_days"]
    return {
        **amounts,
        "redeem_order_id": _ORDERS_SO_FAR + world.count("redeem_order"),
        "reward_title": reward["title"],
        "coupon_category_id": reward["coupon_category_id"],
        "coupon_category_name": reward["coupon_category_name"],
        "coupon_category_expiration_days": days,
        "date_to_expire": None if days is None else world.now + days * _DAY,
        "order_date_created": world.now,
    }


def is_usable(coupon: Entity, now: int) -> bool:
    """Tell whether a coupon is issued, not used and not expired at a time in Unix seconds."""
    expires = coupon["date_to_expire"]
    return coupon["state"] == "issued" and (expires is None or expires > now)


@form("number-type=string", _LIST)
def numbers_as_digits(body: Any) -> Any:
    """Write the numeric members of listed coupons as strings of digits."""
    return _each(body, lambda name, value: (name, str(value) if isinstance(value, int) else value))


@form("order-field-names=reward", _LIST)
def reward_names(body: Any) -> Any:
    """Call the order's members by the names of the printed sample."""
    return _each(body, lambda name, value: (name.replace("redeem_order", "reward_order"), value))


@form("list-shape=wrapped", _LIST)
def wrapped(body: Any) -> Any:
    """Put the list under one key; no page prints which, so its name is ours."""
    return {"coupons": body} if isinstance(body, list) else body


def _each(body: Any, change: Callable[[str, Any], tuple[str, Any]]) -> Any:
    """Change every member of listed coupons; an error is left alone."""
    if not isinstance(body, list):
        return body
    return [dict(change(name, value) for name, value in coupon.items()) for coupon in body]
