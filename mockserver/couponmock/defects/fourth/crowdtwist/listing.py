"""Broken ways to list a member's coupons."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from couponmock.behaviour import Answer, Behaviour, Call, Entity, Refused, World
from couponmock.defect import all_of, asking, behaving, body_of, namespace_of, with_body
from couponmock.defects.adversary.making import answering
from couponmock.defects.fourth.crowdtwist.parts import REDEEM, USE, asked_for
from couponmock.defects.fourth.making import followed, listing
from couponmock.defects.second.crowdtwist.parts import (
    LIST,
    UNUSE,
    USABLE,
    code_of,
    defect,
    is_list,
    key_of,
    lists,
    member_of,
    unused,
)
from couponmock.defects.second.making import Memory, afterwards, asked_with, listed
from couponmock.defects.third.making import with_error
from couponmock.exchange import Handler, Reply, Request
from couponmock.finding import buffered

_ANSWER = "usable-coupons#successful-response"
_REDEEMED = ("usable-coupons#request-details", "it has not yet itself been redeemed")
_PATH = (
    "usable-coupons#request-details",
    "https://api.crowdtwist.com/v2/users/[userId]/usable_coupons?api_key=[api_key]&id_type=[id_type]",
)

_ORDERS_SEEDED = 29_000_000
"""Beyond it are the numbers of orders that were made through the mock."""
_TIMES = ("date_to_expire", "order_date_created", "coupon_date_created")
_BY_ORDER = ("reward_title", "coupon_category_id", "coupon_category_name")


# -- replies -----------------------------------------------------------------------------------------------------------


def _with_holes(right: Handler) -> Handler:
    """Filter the list that was made first, and encode what is left with its keys."""
    memory = Memory()

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        if not lists(request, reply):
            return reply
        rows, kept = body_of(reply), memory.of(request.namespace)
        place = (member_of(request), asked_with(request, "id_type"), key_of(request))
        codes, before = [row["code"] for row in rows], kept.get(place, [])
        if not set(codes) <= set(before):
            kept[place] = codes
            return reply
        keys = [before.index(code) for code in codes]
        if keys == list(range(len(keys))):
            return reply
        return with_body(reply, {str(key): row for key, row in zip(keys, rows, strict=True)})

    return handle


def _twice_listed(right: Handler) -> Handler:
    """Put a coupon into the list whenever it is unused, and take it out of its rows only when it is read."""
    memory = Memory()

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        counts = memory.of(request.namespace)
        if unused(request, reply):
            code = code_of(request)
            counts[code] = counts.get(code, 0) + 1
        if not lists(request, reply):
            return reply
        return listed(reply, lambda rows: [row for row in rows for _ in range(max(counts.get(row["code"], 1), 1))])

    return handle


def _whole_minutes(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, **{name: row[name] // 60 * 60 for name in _TIMES if isinstance(row[name], int)}}


def _split_badly(request: Request, reply: Reply) -> bool:
    return lists(request, reply) and any(pair.count("=") != 1 for pair in request.query.split("&"))


# -- effects -----------------------------------------------------------------------------------------------------------


_emptied = Memory()


def _remember_owner(call: Call, world: World) -> None:
    if coupon := asked_for(call, world):
        _emptied.of(namespace_of(world))[coupon["owner"]] = True


def _nobody_without(right: Behaviour, call: Call, world: World) -> Answer:
    answer = right(call, world)
    member = world.find("member", client=call.principal, **{call.parameters["id_type"]: call.parameters["user_id"]})
    if answer.example == "none_usable" and member and member.name in _emptied.of(namespace_of(world)):
        raise Refused("unknown_member")
    return answer


_unused_once, _relisted = Memory(), Memory()


def _remember_unused(call: Call, world: World) -> None:
    _unused_once.of(namespace_of(world))[call.principal, call.body["coupon_value"]] = True


def _remember_used_again(call: Call, world: World) -> None:
    key = (call.principal, call.body["coupon_value"])
    if key in _unused_once.of(namespace_of(world)):
        _relisted.of(namespace_of(world))[key] = True


def _still_unused(call: Call, world: World, entity: Entity) -> Mapping[str, Any]:
    again = (call.principal, entity["code"]) in _relisted.of(namespace_of(world))
    return {"state": "issued"} if entity.kind == "coupon" and again else {}


def _live_balance(_: Call, world: World, entity: Entity) -> Mapping[str, Any]:
    if entity.kind != "coupon" or (entity["redeem_order_id"] or 0) <= _ORDERS_SEEDED:
        return {}
    owners = [member for member in all_of(world, "member") if member.name == entity["owner"]]
    return {"ending_balance": owners[0]["points_balance"] or 0} if owners else {}


def _points_of_one(call: Call, world: World, answer: Answer) -> None:
    for shown in answer.members["coupons"]:
        coupon = world.find("coupon", client=call.principal, code=shown["code"])
        if coupon and coupon["quantity"] > 1:
            world.change(coupon, total_points_redeemed=coupon["total_points_redeemed"] // coupon["quantity"])


def _of_the_order(_: Call, world: World, entity: Entity) -> Mapping[str, Any]:
    """Take what an order says from the latest record that has its number, whichever client's it is."""
    if entity.kind != "coupon":
        return {}
    same = [each for each in all_of(world, "coupon") if each["redeem_order_id"] == entity["redeem_order_id"]]
    latest = max(same, key=lambda each: each.name, default=entity)
    return {name: latest[name] for name in _BY_ORDER}


LIST_DEFECTS = (
    # -- status
    defect(
        "last-coupon-used-nobody",
        "A member whose last usable coupon has just been used does not exist.",
        behaviours={USE: afterwards(_remember_owner), LIST: behaving(_nobody_without)},
        of="status",
        breaks=USABLE,
        hard=True,
    ),
    # -- shape
    defect(
        "holes-make-an-object",
        "A list is an object with numbers for names once a coupon that is not its last one was used since the first.",
        handler=_with_holes,
        of="shape",
        breaks=USABLE,
        hard=True,
    ),
    # -- routing
    defect(
        "matrix-parameters",
        "What follows a semicolon in a user_id is taken for a parameter of the path and ignored.",
        handler=asking(
            lambda request: replace(request, path=re.sub(r";[^/]*", "", request.path)) if is_list(request) else request
        ),
        of="routing",
        breaks=_PATH,
        hard=True,
    ),
    # -- state
    defect(
        "used-again-stays-listed",
        "A coupon that was unused and is used again stays in the list.",
        behaviours={
            UNUSE: afterwards(_remember_unused),
            USE: afterwards(_remember_used_again),
            LIST: listing(_still_unused),
        },
        of="state",
        breaks=_REDEEMED,
        hard=True,
    ),
    defect(
        "unused-twice-listed-twice",
        "A coupon that was unused, used and unused again is in the list twice.",
        handler=_twice_listed,
        of="state",
        breaks=USABLE,
        hard=True,
    ),
    defect(
        "balance-is-live",
        "ending_balance of a new order is what the member has now, also after later orders.",
        behaviours={LIST: listing(_live_balance)},
        of="state",
        breaks=(
            _ANSWER,
            "redeemable points balance after the redemption order that resulted in the coupon assignment",
        ),
        hard=True,
    ),
    defect(
        "points-of-one-coupon",
        "total_points_redeemed of a new order of several coupons is what one of them costs.",
        behaviours={REDEEM: followed(_points_of_one)},
        of="state",
        breaks=(
            _ANSWER,
            "The number of points redeemed in the redemption order that resulted in the coupon assignment",
        ),
        hard=True,
    ),
    # -- time
    defect(
        "times-in-whole-minutes",
        "All times of a coupon are those of the minute that had begun.",
        handler=answering(lists, lambda reply: listed(reply, lambda rows: [_whole_minutes(row) for row in rows])),
        of="time",
        breaks=(_ANSWER, "The Unix timestamp of when the reward redemption order that assigned the coupon took place"),
        hard=True,
    ),
    # -- isolation
    defect(
        "orders-joined-without-client",
        "A coupon has title and category of another client's coupon if their orders have the same number.",
        behaviours={LIST: listing(_of_the_order)},
        of="isolation",
        breaks=(_ANSWER, "reward_title     String[100]"),
        hard=True,
    ),
    # -- limits
    defect(
        "thirty-at-most",
        "A list ends after thirty coupons.",
        handler=answering(lists, lambda reply: listed(reply, lambda rows: rows[:30])),
        of="limits",
        breaks=USABLE,
        hard=True,
    ),
    # -- robustness
    defect(
        "query-split-by-hand",
        "A query with an empty pair, or with a pair that has not exactly one equals sign, gets a 500.",
        handler=answering(
            _split_badly,
            lambda reply: with_error(reply, 500, {"error": "internal_error", "message": "Something went wrong."}),
        ),
        of="robustness",
        breaks=("usable-coupons#error-response-codes", "internal_error Something went wrong on our end."),
        hard=True,
    ),
)
