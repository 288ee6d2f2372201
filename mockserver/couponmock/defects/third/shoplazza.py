"""Broken ways to receive coupons from Shoplazza."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import unquote

from couponmock.behaviour import Answer, Behaviour, Call, Entity, World
from couponmock.defect import Defect, all_of, asking, behaving, body_of, namespace_of, secretly, with_body
from couponmock.defects.adversary.making import URI_DECODING, Wrong, answering, sent_json, sent_member, with_json
from couponmock.defects.second.making import Memory, seeing, with_headers, without
from couponmock.defects.second.meeting import Meeting, Party, meeting
from couponmock.defects.third.making import aside, first_of, object_in, second_try, with_error
from couponmock.exchange import Handler, Reply, Request
from couponmock.finding import buffered

_RECEIVE = "receiveCoupons"
_PATH = "/openapi/2022-01/coupons/receive"
_SUCCESS = "receive#success-response"
_ITEMS = (_SUCCESS, "itemsarrayList of assigned coupons and their details.")
_ID = (_SUCCESS, "items.idstringThe ID of the assigned coupon.")
_VALUE = (_SUCCESS, "items.valuefloatThe value of the coupon.")
_STOCK = (_SUCCESS, "items.stockintThe available stock of the coupon.")
_COUNT = (_SUCCESS, "items.received_countintThe count of times the coupon has been received.")
_TEXT = (_SUCCESS, "items.discount_textstringDescription of the discount applied by the coupon.")
_FIRST_ORDER = (_SUCCESS, "items.is_first_orderboolIndicates if the coupon is for first orders only.")
_CREDENTIALS = (
    "receive#error-detail",
    "missing valid authentication credentials or the credentials provided are invalid",
)
_SCOPE = ("receive#scope", "Requires price_rules access scope.")
_ASSIGNS = ("receive#scope", "enables assigning specific coupons to a customer")
_NOBODY = ("receive#error-detail", "The Customer's ID provided is not existed.")
_BAD = ("receive#error-detail", "400Bad RequestInvalid input format or request structure")
_CUSTOMER = ("receive#body-parameters", "customer_idstringYesCustomer's unique ID to assign the coupons.")
_METHOD = ("http-status#codes", "405")

_NUMBER = re.compile(r"\s*[+-]?[0-9]{1,300}(\.[0-9]{0,300})?(e[0-9]{1,3})?\s*\Z", re.IGNORECASE)
_BACK = "_back"
"""Member of a body by which a handler asks the behaviour to take coupons back."""


# -- requests and replies ----------------------------------------------------------------------------------------------


def _is_receive(request: Request) -> bool:
    return request.path == _PATH


def _received(request: Request, reply: Reply) -> bool:
    return _is_receive(request) and reply.status == 200 and "items" in object_in(reply)


def _items(change: Callable[[list[dict[str, Any]]], Any]) -> Callable[[Reply], Reply]:
    """Change the items of a reply."""
    return lambda reply: with_body(reply, {**body_of(reply), "items": change(body_of(reply)["items"])})


def _each(change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> Wrong:
    """Change every item of every reply."""
    return answering(_received, _items(lambda items: [{**item, **change(item)} for item in items]))


def _in_order(right: Handler) -> Handler:
    """Put details, which come in the order of the ids, beside the ids in the order in which they were sent."""

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        if not _received(request, reply):
            return reply
        ids = [item["id"] for item in body_of(reply)["items"]]
        return _items(
            lambda items: [
                {**item, "id": wanted}
                for wanted, item in zip(ids, sorted(items, key=lambda each: each["id"]), strict=True)
            ]
        )(reply)

    return handle


def _undocumented(request: Request, reply: Reply) -> bool:
    body = sent_json(request) if _received(request, reply) else None
    return isinstance(body, dict) and not body.keys() <= {"customer_id", "coupon_ids"}


# -- handlers ----------------------------------------------------------------------------------------------------------


def _allowed_before(right: Handler) -> Handler:
    """Remember of each customer that somebody was allowed to assign, and not who."""
    memory = Memory()

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        allowed, customer = memory.of(request.namespace), sent_member(request, "customer_id")
        if not isinstance(customer, str):
            return reply
        if reply.status == 200:
            allowed.setdefault(customer, request.headers.get("access-token", ""))
        elif reply.status == 403 and customer in allowed:
            return right(with_headers(request, access_token=allowed[customer]))
        return reply

    return handle


def _texts_by_value(right: Handler) -> Handler:
    """Word the discount of a value once."""
    memory = Memory()

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        if not _received(request, reply):
            return reply
        texts = memory.of(request.namespace)
        worded = _items(
            lambda items: [
                {**item, "discount_text": texts.setdefault(str(item["value"]), item["discount_text"])} for item in items
            ]
        )
        return worded(reply)

    return handle


def _carried_out_twice(right: Handler, request: Request, _: Party, place: int) -> Reply:
    """Carry a request that met another one out again, and answer as the first time."""
    reply = right(request)
    if place:
        right(request)
    return reply


def _back(request: Request, _: Reply) -> Request | None:
    """Make the request behind a DELETE."""
    body = sent_json(request)
    if request.method != "DELETE" or not _is_receive(request) or not isinstance(body, dict):
        return None
    return replace(with_json(request, {**body, _BACK: True}), method="POST")


# -- effects -----------------------------------------------------------------------------------------------------------


def _coupons(call: Call, world: World) -> Iterator[Entity]:
    """Yield the coupons that a call asks for, as they are."""
    for coupon_id in dict.fromkeys(call.body["coupon_ids"]):
        if coupon := world.find("coupon", shop=call.principal, id=coupon_id):
            yield coupon


def _customer(call: Call, world: World) -> Entity | None:
    return world.find("customer", shop=call.principal, customer_id=call.body["customer_id"])


def _assigned(answer: Answer) -> set[str]:
    """Return the ids of the coupons that an answer has assigned."""
    return {item["id"] for item in answer.members.get("items", ()) if item["coupon_status"] == 1}


def _taken_back(right: Behaviour, call: Call, world: World) -> Answer:
    """Forget receipts where that is wanted."""
    customer = _customer(call, world)
    if not call.body.get(_BACK) or customer is None:
        return right(call, world)
    for coupon in _coupons(call, world):
        if receipt := world.find("receipt", customer=customer.name, coupon=coupon.name):
            world.change(receipt, received_count=0)
    return Answer("unknown_coupon", {"items": []})


def _two_taken(right: Behaviour, call: Call, world: World) -> Answer:
    """Take another one of each coupon that is assigned."""
    answer = right(call, world)
    assigned = _assigned(answer)
    for coupon in _coupons(call, world):
        if coupon["id"] in assigned and coupon["stock"] > 0:
            world.change(coupon, stock=coupon["stock"] - 1)
    return answer


def _below_zero(right: Behaviour, call: Call, world: World) -> Answer:
    """Count the stock on below zero, which means that it has no end."""
    empty = [coupon for coupon in _coupons(call, world) if coupon["stock"] == 0]
    answer = right(call, world)
    for coupon in empty:
        world.change(coupon, stock=-1)
    return answer


_early = Memory()


def _still_early(_: Call, world: World, entity: Entity) -> dict[str, Any]:
    """See a coupon as not started that was seen so before."""
    if entity.kind != "coupon":
        return {}
    early = _early.of(namespace_of(world))
    if (entity["starts_at"] or 0) > world.now:
        early[entity.name] = True
    return {"starts_at": world.now + 1} if entity.name in early else {}


_last = Memory()


def _other_in_between(_: Call, world: World, entity: Entity) -> dict[str, Any]:
    """See a coupon as unlimited unless the last receipt was of this one."""
    last = _last.of(namespace_of(world)).get("id")
    return {"per_customer": 0} if entity.kind == "coupon" and last not in {None, entity["id"]} else {}


def _remembering_the_last(right: Behaviour, call: Call, world: World) -> Answer:
    answer = right(call, world)
    for coupon_id in call.body["coupon_ids"]:
        if coupon_id in _assigned(answer):
            _last.of(namespace_of(world))["id"] = coupon_id
    return answer


def _number(text: str) -> float | None:
    return float(text) if _NUMBER.match(text) and text.isascii() else None


def _as_a_number(call: Call, world: World) -> Call | None:
    """Ask for the customer whose id is the same number."""
    asked = _number(call.body["customer_id"])
    mine = [customer for customer in all_of(world, "customer") if customer["shop"] == call.principal]
    found = first_of(mine, lambda each: asked is not None and _number(each["customer_id"]) == asked)
    return replace(call, body={**call.body, "customer_id": found["customer_id"]}) if found else None


def _with_receivers(right: Behaviour, call: Call, world: World) -> Answer:
    """Show with a coupon who has received it."""
    answer = right(call, world)
    receivers: dict[str, list[str]] = {}
    names = {customer.name: customer["customer_id"] for customer in all_of(world, "customer")}
    for coupon in _coupons(call, world):
        mine = [receipt for receipt in all_of(world, "receipt") if receipt["coupon"] == coupon.name]
        receivers[coupon["id"]] = [names[receipt["customer"]] for receipt in mine]
    items = [{**item, "customers": receivers[item["id"]]} for item in answer.members.get("items", ())]
    return replace(answer, members={**answer.members, "items": items})


_defect = partial(Defect, "shoplazza")

DEFECTS = aside(
    # -- status
    _defect(
        "no-token-crash",
        "A request without the header of the token gets a 500.",
        handler=answering(
            lambda request, reply: reply.status == 401 and "access-token" not in request.headers,
            lambda reply: with_error(reply, 500, {"errors": ["Internal Server Error"]}),
        ),
        of="status",
        breaks=_CREDENTIALS,
    ),
    # -- shape
    _defect(
        "items-by-id",
        "items is an object that has each item under its id.",
        handler=answering(_received, _items(lambda items: {item["id"]: item for item in items} if items else items)),
        of="shape",
        breaks=_ITEMS,
    ),
    _defect(
        "falsehood-left-out",
        "What is false or an empty text is left out of an item.",
        handler=answering(
            _received,
            _items(lambda items: [without(item, lambda _, value: value is False or value == "") for item in items]),
        ),
        of="shape",
        breaks=_FIRST_ORDER,
    ),
    # -- identifiers
    _defect(
        "ids-beside-others",
        "Of several coupons that are not asked for in the order of their ids each has the details of another.",
        handler=_in_order,
        of="identifiers",
        breaks=_ID,
        hard=True,
    ),
    # -- credentials
    _defect(
        "allowed-by-customer",
        "A token without the scope may assign to a customer to whom another token has.",
        handler=_allowed_before,
        of="credentials",
        breaks=_SCOPE,
        hard=True,
    ),
    # -- routing
    _defect(
        "path-decoded-twice",
        "The path is percent-decoded twice.",
        handler=asking(lambda request: replace(request, path=unquote(request.path, errors="surrogateescape"))),
        of="routing",
        breaks=URI_DECODING,
        hard=True,
    ),
    # -- method
    _defect(
        "taken-back",
        "DELETE is refused, but the customer has not received the coupons any more.",
        handler=secretly(_back),
        behaviours={_RECEIVE: behaving(_taken_back)},
        of="method",
        breaks=_METHOD,
        hard=True,
    ),
    # -- state
    _defect(
        "two-taken",
        "A receipt takes two of the stock, of which the answer tells one.",
        behaviours={_RECEIVE: behaving(_two_taken)},
        of="state",
        breaks=_STOCK,
    ),
    _defect(
        "below-zero",
        "A coupon that is sold out is refused once, and is without end from then on.",
        behaviours={_RECEIVE: behaving(_below_zero)},
        of="state",
        breaks=_STOCK,
        hard=True,
    ),
    # -- time
    _defect(
        "early-for-ever",
        "A coupon that was refused because it had not started is refused when it has.",
        behaviours={_RECEIVE: seeing(_still_early)},
        of="time",
        breaks=_ASSIGNS,
        hard=True,
    ),
    # -- isolation
    _defect(
        "texts-by-value",
        "The discount_text of an item is that of the first one of the same value, whichever coupon that was.",
        handler=_texts_by_value,
        of="isolation",
        breaks=_TEXT,
        hard=True,
    ),
    # -- limits
    _defect(
        "limit-until-another",
        "A customer can receive a coupon beyond its limit if another one was received in between.",
        behaviours={
            _RECEIVE: lambda right: behaving(_remembering_the_last)(seeing(_other_in_between)(right)),
        },
        of="limits",
        breaks=_COUNT,
        hard=True,
    ),
    _defect(
        "one-decimal",
        "A value is rounded to one decimal.",
        handler=_each(lambda item: {"value": round(float(item["value"]), 1)}),
        of="limits",
        breaks=_VALUE,
        hard=True,
    ),
    # -- concurrency
    _defect(
        "carried-out-twice",
        "Of two calls at once one is carried out twice, which its answer does not tell.",
        handler=meeting(Meeting(), _is_receive, _carried_out_twice),
        of="concurrency",
        breaks=_COUNT,
        hard=True,
    ),
    # -- robustness
    _defect(
        "undocumented-member-crash",
        "A body with a member that is not documented gets a 500.",
        handler=answering(_undocumented, lambda reply: with_error(reply, 500, {"errors": ["Internal Server Error"]})),
        of="robustness",
        breaks=_BAD,
    ),
    _defect(
        "customers-as-numbers",
        "A customer_id finds the customer whose id is the same number: 5001.0 is 5001.",
        behaviours={_RECEIVE: second_try("customer_not_exist", _as_a_number)},
        of="robustness",
        breaks=_NOBODY,
        hard=True,
    ),
    # -- leaks
    _defect(
        "receivers-shown",
        "An item lists the customers who have received the coupon.",
        behaviours={_RECEIVE: behaving(_with_receivers)},
        of="leaks",
        breaks=_CUSTOMER,
        hard=True,
    ),
)
