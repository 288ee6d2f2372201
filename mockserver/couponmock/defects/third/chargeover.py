"""Broken ways to get a coupon from ChargeOver."""

from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from couponmock.behaviour import Call, World
from couponmock.defect import Defect, all_of, asking, body_of, with_body
from couponmock.defects.adversary.making import HTTP_SAFE, Wrong, answering, lending, remembering, saying
from couponmock.defects.second.making import BASIC_PASSWORD, Memory, with_headers
from couponmock.defects.second.meeting import Meeting, Party, meeting
from couponmock.defects.third.making import HTTP_CONDITION, aside, asking_for, first_of, second_try, told_more
from couponmock.exchange import Handler, Reply, Request

_GET = "getCoupon"
_PREFIX = "/api/v3/coupon/"
_OK = "get-coupon#ok"
_UNAUTHORIZED = ("get-coupon#unauthorized", "Authentication error")
_NOT_FOUND = ("get-coupon#not-found", "Object not found")
_BY_ID = ("get-coupon#request", "retrieve a specific coupon based on its coupon_id")


# -- requests ----------------------------------------------------------------------------------------------------------


def _is_coupon(request: Request) -> bool:
    return request.path.startswith(_PREFIX)


def _id_of(request: Request) -> str:
    return request.path.removeprefix(_PREFIX) if _is_coupon(request) else ""


def _with_id(request: Request, coupon_id: object) -> Request:
    return replace(request, path=f"{_PREFIX}{coupon_id}")


def _authorization(request: Request) -> str:
    return request.headers.get("authorization", "")


def _pair_in(authorization: str) -> str:
    try:
        return b64decode(authorization.partition(" ")[2], validate=True).decode()
    except ValueError:
        return ""


def _padded(sent: str, known: str) -> bool:
    """Tell whether a key pair is another one with blanks behind it."""
    pair = _pair_in(sent)
    return pair.endswith(" ") and pair.rstrip(" ") == _pair_in(known)


def _found(_: Request, reply: Reply) -> bool:
    return reply.status == 200


# -- replies -----------------------------------------------------------------------------------------------------------


def _coupons(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Wrong:
    """Change members of every coupon that is shown."""

    def changed(reply: Reply) -> Reply:
        body = body_of(reply)
        return with_body(reply, {**body, "response": {**body["response"], **change(body["response"])}})

    return answering(_found, changed)


def _shown_as(reply: Reply, response: Any) -> Reply:
    """Make a success of a refusal."""
    return saying(reply, 200, code=200, status="OK", message="", response=response)


def _twelve_hours(shown: dict[str, Any]) -> dict[str, Any]:
    date, time = shown["write_datetime"][:11], shown["write_datetime"][11:]
    return {"write_datetime": f"{date}{(int(time[:2]) - 1) % 12 + 1:02}{time[2:]}"}


def _eager(shown: dict[str, Any]) -> dict[str, Any]:
    item = shown.get("discount_item_id")
    return {"discount_item_id": {"item_id": item, "item_type": "discount"}} if item else {}


def _unsupported_page(reply: Reply) -> Reply:
    page = b"<!doctype html>\n<title>405 Method Not Allowed</title>\n<h1>Method Not Allowed</h1>\n"
    headers = (*reply.headers, ("Allow", "GET"))
    return replace(reply, status=405, media_type="text/html; charset=utf-8", body=page, headers=headers)


# -- handlers ----------------------------------------------------------------------------------------------------------


def _zero_is_none(right: Handler) -> Handler:
    """List coupons where no id is given, and take zero for none."""

    def handle(request: Request) -> Reply:
        reply = right(request)
        if reply.status != 404 or _id_of(request) != "0":
            return reply
        replies = [right(_with_id(request, coupon_id)) for coupon_id in range(1, 11)]
        return _shown_as(reply, [body_of(each)["response"] for each in replies if each.status == 200])

    return handle


def _found_or_made(right: Handler) -> Handler:
    """Make a coupon of an id that is unknown, and show it the next time."""
    memory = Memory()

    def handle(request: Request) -> Reply:
        reply = right(request)
        made, asked = memory.of(request.namespace), (_id_of(request), _authorization(request))
        if reply.status != 404 or not made.setdefault(asked, 0):
            made[asked] = reply.status == 404
            return reply
        coupon_id = _id_of(request)
        coupon = {"coupon_id": int(coupon_id[:100]), "code": coupon_id, "descrip": "", "type": "give-a-discount"}
        times = {"write_datetime": "2025-01-01 00:00:00", "write_ipaddr": "127.0.0.1"}
        return _shown_as(reply, {**coupon, "enabled": False, **times})

    return handle


def _refused_together(right: Handler, request: Request, party: Party, _: int) -> Reply:
    """Refuse everybody who is there if one of them has no good key pair."""
    replies = [right(each) for each in party.requests]
    return next((reply for reply in replies if reply.status == 401), None) or right(request)


# -- effects -----------------------------------------------------------------------------------------------------------


def _by_item(call: Call, world: World) -> Call | None:
    """Ask for the coupon whose item has the id."""
    asked = call.parameters["coupon_id"]
    mine = [coupon for coupon in all_of(world, "coupon") if coupon["account"] == call.principal]
    coupon = first_of(mine, lambda each: each["discount_item_id"] == asked)
    return asking_for(call, coupon_id=coupon["coupon_id"]) if coupon else None


def _without_item(call: Call, world: World) -> Call | None:
    """Ask in the name of the account that has the coupon, if no item says whose it is."""
    asked = call.parameters["coupon_id"]
    coupons = [coupon for coupon in all_of(world, "coupon") if coupon["coupon_id"] == asked]
    coupon = first_of(coupons, lambda each: each["discount_item_id"] is None)
    return replace(call, principal=coupon["account"]) if coupon else None


def _whose(call: Call, world: World) -> dict[str, Any] | None:
    """Tell of the coupon that another account has."""
    asked = call.parameters["coupon_id"]
    coupon = first_of(all_of(world, "coupon"), lambda each: each["coupon_id"] == asked)
    return {"details": {"account": coupon["account"], "code": coupon["code"]}} if coupon else None


_defect = partial(Defect, "chargeover")

DEFECTS = aside(
    # -- status
    _defect(
        "zero-is-no-id",
        "An id of zero is taken for none: the first coupons of the account are listed.",
        handler=_zero_is_none,
        of="status",
        breaks=_NOT_FOUND,
    ),
    _defect(
        "any-tag-matches",
        "Whatever entity tag If-None-Match names, the coupon is said not to have changed: an empty 304.",
        handler=answering(
            lambda request, reply: reply.status == 200 and request.headers.get("if-none-match", "*").strip() != "*",
            lambda reply: replace(reply, status=304, body=b""),
        ),
        of="status",
        breaks=HTTP_CONDITION,
        hard=True,
    ),
    # -- shape
    _defect(
        "item-written-out",
        "discount_item_id is an object that describes the item.",
        handler=_coupons(_eager),
        of="shape",
        breaks=(_OK, "Item ID # or related discount (if applicable)"),
    ),
    # -- identifiers
    _defect(
        "by-the-item",
        "An id that no coupon has finds the coupon whose related item has it.",
        behaviours={_GET: second_try("not_found", _by_item)},
        of="identifiers",
        breaks=_BY_ID,
        hard=True,
    ),
    # -- credentials
    _defect(
        "blanks-behind-private-key",
        "Blanks at the end of a private key do not count.",
        handler=lending(_authorization, lambda request, known: with_headers(request, authorization=known), _padded),
        of="credentials",
        breaks=BASIC_PASSWORD,
        hard=True,
    ),
    _defect(
        "revoked-pair-remembered",
        "A key pair that was revoked is still shown the coupons that it has read before.",
        handler=remembering(
            lambda request: (_id_of(request), _authorization(request)),
            _found,
            lambda _, reply, before: before if reply.status == 401 else reply,
        ),
        of="credentials",
        breaks=_UNAUTHORIZED,
        hard=True,
    ),
    # -- routing
    _defect(
        "format-behind-id",
        "A coupon is shown at its path with .json behind it too.",
        handler=asking(
            lambda request: _with_id(request, _id_of(request).removesuffix(".json")) if _is_coupon(request) else request
        ),
        of="routing",
        breaks=("get-coupon#request", "GET/api/v3/coupon/:coupon_id"),
    ),
    # -- method
    _defect(
        "page-for-other-methods",
        "A command that coupons do not support gets the framework's own page, a 405 in HTML.",
        handler=answering(
            lambda request, reply: reply.status == 400 and request.method != "GET" and _is_coupon(request),
            _unsupported_page,
        ),
        of="method",
        breaks=(_OK, "application/json"),
    ),
    # -- state
    _defect(
        "found-or-made",
        "An id that is unknown is found from the second time on that it is asked for: as a new, disabled coupon.",
        handler=_found_or_made,
        of="state",
        breaks=HTTP_SAFE,
        hard=True,
    ),
    # -- time
    _defect(
        "twelve-hours",
        "The hours of write_datetime are those of a twelve-hour clock.",
        handler=_coupons(_twelve_hours),
        of="time",
        breaks=(_OK, "Date/time the coupon was created"),
        hard=True,
    ),
    # -- isolation
    _defect(
        "no-item-no-account",
        "A coupon without a related item is shown to every account.",
        behaviours={_GET: second_try("not_found", _without_item)},
        of="isolation",
        breaks=_NOT_FOUND,
        hard=True,
    ),
    # -- limits
    _defect(
        "descriptions-of-forty-bytes",
        "A description ends before the character that does not fit into forty bytes.",
        handler=_coupons(lambda shown: {"descrip": shown["descrip"].encode()[:40].decode("utf-8", "ignore")}),
        of="limits",
        breaks=(_OK, "descrip string"),
        hard=True,
    ),
    # -- concurrency
    _defect(
        "refused-together",
        "Who asks with a good key pair while somebody else does with a wrong one is refused too.",
        handler=meeting(Meeting(), _is_coupon, _refused_together),
        of="concurrency",
        breaks=(_OK, "Object was fetched successfully"),
        hard=True,
    ),
    # -- leaks
    _defect(
        "others-in-details",
        "The details of the 404 for another account's coupon hold that account and the coupon's code.",
        behaviours={_GET: told_more("not_found", _whose)},
        of="leaks",
        breaks=_NOT_FOUND,
        hard=True,
    ),
)
