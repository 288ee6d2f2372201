"""Shoplazza: customers receive coupons as long as dates, limits and stock allow."""

from typing import Any

from couponmock.behaviour import Answer, Call, Entity, Refused, World, behaviour

_SHOWN = ("id", "value", "discount_text", "prerequisite_text", "is_first_order")
_RECEIVED = "received"


@behaviour(
    "receiveCoupons",
    _RECEIVED,
    "limit_reached",
    "already_received",
    "out_of_stock",
    "expired",
    "not_started",
    "unknown_coupon",
    "customer_not_exist",
)
def receive_coupons(call: Call, world: World) -> Answer:
    """Assign each coupon that can be received; the answer names the first refusal if none could be."""
    customer = world.find("customer", shop=call.principal, customer_id=call.body["customer_id"])
    if customer is None:
        raise Refused("customer_not_exist")
    outcomes: list[str] = []
    items: list[dict[str, Any]] = []
    for coupon_id in dict.fromkeys(call.body["coupon_ids"]):
        coupon = world.find("coupon", shop=call.principal, id=coupon_id)
        outcome, item = _receive(call, world, customer, coupon)
        outcomes.append(outcome)
        items += item
    return Answer(_RECEIVED if _RECEIVED in outcomes else outcomes[0], {"items": items})


def _receive(call: Call, world: World, customer: Entity, coupon: Entity | None) -> tuple[str, list[dict[str, Any]]]:
    """Return which example tells the outcome of one coupon, and the item that shows it, if one does."""
    if coupon is None:
        return "unknown_coupon", []
    if coupon["starts_at"] is not None and coupon["starts_at"] > world.now:
        return "not_started", []
    if coupon["ends_at"] is not None and coupon["ends_at"] <= world.now:
        return "expired", []
    receipt = world.find("receipt", customer=customer.name, coupon=coupon.name)
    count = receipt["received_count"] if receipt else 0
    stock = coupon["stock"]
    if coupon["per_customer"] and count >= coupon["per_customer"]:
        outcome = "already_received" if coupon["per_customer"] == 1 else "limit_reached"
    elif stock == 0:
        outcome = "out_of_stock"
    else:
        outcome = _RECEIVED
        count += 1
        if receipt:
            world.change(receipt, received_count=count)
        else:
            name = f"{customer.name}.{coupon.name}"
            world.add("receipt", name, customer=customer.name, coupon=coupon.name, received_count=count)
        if stock > 0:
            stock -= 1
            world.change(coupon, stock=stock)
    shown = {name: coupon[name] for name in _SHOWN}
    template = call.templates[outcome]["items"][0]
    return outcome, [{**template, **shown, "stock": stock, "received_count": count}]
