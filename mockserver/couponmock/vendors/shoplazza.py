"""Shoplazza: customers receive coupons as long as dates, limits and stock allow."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from couponmock.behaviour import Answer, Call, Entity, Refused, World, behaviour, precheck
from couponmock.form import form

_RECEIVE = "receiveCoupons"
_SHOWN = ("id", "value", "discount_text", "prerequisite_text", "is_first_order")
_RECEIVED = "received"
_REFUSED_IS_ERROR = "refused-coupon=error"
_UNKNOWN_IS_ERROR = ("unknown-coupon=404", "unknown-coupon=422")
_STOCK_BEFORE = "stock-after=before"


@behaviour(
    _RECEIVE,
    _RECEIVED,
    "limit_reached",
    "already_received",
    "out_of_stock",
    "expired",
    "not_started",
    "unknown_coupon",
    "customer_not_exist",
    options=(_REFUSED_IS_ERROR, *_UNKNOWN_IS_ERROR, _STOCK_BEFORE),
)
def receive_coupons(call: Call, world: World) -> Answer:
    """Assign each coupon that can be received; the answer names the first refusal if none could be.

    Where a refused coupon is an error, it is one of the whole request, and nothing is assigned.
    """
    customer = _customer(call, world, call.body["customer_id"])
    outcomes: list[str] = []
    items: list[dict[str, Any]] = []
    for coupon_id in dict.fromkeys(call.body["coupon_ids"]):
        coupon = world.find("coupon", shop=call.principal, id=coupon_id)
        outcome, item = _receive(call, world, customer, coupon)
        if outcome != _RECEIVED and _is_error(world, coupon):
            raise Refused(outcome)
        outcomes.append(outcome)
        items += item
    return Answer(_RECEIVED if _RECEIVED in outcomes else outcomes[0], {"items": items})


@precheck("checks-order=customer-first", _RECEIVE, "customer_not_exist")
def customer_first(call: Call, world: World) -> None:
    """Look the customer up although something is wrong with the body, as long as it names one."""
    customer_id = call.body.get("customer_id") if isinstance(call.body, dict) else None
    if isinstance(customer_id, str) and customer_id.strip():
        _customer(call, world, customer_id)


def _customer(call: Call, world: World, customer_id: str) -> Entity:
    customer = world.find("customer", shop=call.principal, customer_id=customer_id)
    if customer is None:
        raise Refused("customer_not_exist")
    return customer


def _is_error(world: World, coupon: Entity | None) -> bool:
    """Tell whether a coupon that could not be received makes an error of the answer."""
    if coupon is None:
        return any(world.takes(option) for option in _UNKNOWN_IS_ERROR)
    return world.takes(_REFUSED_IS_ERROR)


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
            world.change(coupon, stock=stock - 1)
            stock = stock if world.takes(_STOCK_BEFORE) else stock - 1
    shown = {name: coupon[name] for name in _SHOWN}
    template = call.templates[outcome]["items"][0]
    return outcome, [{**template, **shown, "stock": stock, "received_count": count}]


@form("value-type=string", _RECEIVE)
def value_as_text(body: Any) -> Any:
    """Write the value of items as a string."""
    return _each(body, lambda item: {**item, "value": _decimal(item["value"])})


@form("item-status=absent", _RECEIVE)
def without_item_status(body: Any) -> Any:
    """Leave the deprecated status of items out."""
    return _each(body, lambda item: {name: value for name, value in item.items() if name != "status"})


def _each(body: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """Change every item of an outcome; an error is left alone."""
    return {**body, "items": [change(item) for item in body["items"]]} if "items" in body else body


def _decimal(value: float) -> str:
    """Write a number without an exponent, and a whole one without decimals."""
    text = format(Decimal(str(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
