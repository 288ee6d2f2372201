"""Broken ways to get a coupon from ChargeOver."""

import gzip
import re
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from couponmock.behaviour import Call, World
from couponmock.defect import Defect, all_of, asking, body_of, borrowing, with_body
from couponmock.defects.adversary.making import answering, remembering, saying, sent_member
from couponmock.defects.fourth.making import HTTP_ENCODING
from couponmock.defects.second.making import Memory, with_headers
from couponmock.defects.third.making import aside, object_in, told_more
from couponmock.exchange import Handler, Reply, Request
from couponmock.finding import buffered

_GET = "getCoupon"
_PREFIX = "/api/v3/coupon/"
_OK = "get-coupon#ok"
_BY_ID = ("get-coupon#request", "retrieve a specific coupon based on its coupon_id")
_NOT_FOUND = ("get-coupon#not-found", "Object not found")
_SLOTS = 64
"""Of each account."""
_NO_GZIP = re.compile(r"gzip\s*;\s*q=0(\.0*)?\s*(,|$)")
_HIDDEN = {"hidden": True}
"""Details by which the behaviour tells the handler that there is a coupon, whosever it is."""
_INSIDE = {"127.0.0.1", "::1", "localhost"}


# -- requests and replies ----------------------------------------------------------------------------------------------


def _is_coupon(request: Request) -> bool:
    return request.path.startswith(_PREFIX)


def _id_of(request: Request) -> str:
    return request.path.removeprefix(_PREFIX) if _is_coupon(request) else ""


def _authorization(request: Request) -> str:
    return request.headers.get("authorization", "")


def _rewritten(request: Request) -> Request:
    wanted = request.headers.get("x-original-url") or request.headers.get("x-rewrite-url")
    return replace(request, path=wanted) if wanted and _is_coupon(request) else request


def _body_first(request: Request) -> Request:
    request = buffered(request)
    wanted = sent_member(request, "coupon_id") if _is_coupon(request) and request.method == "GET" else None
    return request if wanted is None else replace(request, path=f"{_PREFIX}{wanted}")


def _compressed(reply: Reply) -> Reply:
    return replace(reply, body=gzip.compress(reply.body), headers=(*reply.headers, ("Content-Encoding", "gzip")))


def _says_hidden(_: Request, reply: Reply) -> bool:
    return reply.status == 404 and object_in(reply).get("details") == _HIDDEN


# -- handlers ----------------------------------------------------------------------------------------------------------


def _slots(right: Handler) -> Handler:
    """Keep coupons in a table of slots, and do not look whose slot it is."""
    memory = Memory()

    def handle(request: Request) -> Reply:
        reply = right(request)
        if reply.status != 200 or not _id_of(request).isdigit():
            return reply
        slot = (int(_id_of(request)) % _SLOTS, _authorization(request))
        kept: Reply = memory.of(request.namespace).setdefault(slot, reply)
        return kept

    return handle


def _other_zone(right: Handler) -> Handler:
    """Leave the zone of an account set where its request ends in an error."""
    memory = Memory()

    def handle(request: Request) -> Reply:
        reply = right(request)
        kept = memory.of(request.namespace)
        before = kept.get("before")
        kept["before"] = (_authorization(request), reply.status)
        if reply.status != 200 or not before or before[1] != 404 or before[0] == _authorization(request):
            return reply
        body = body_of(reply)
        written = datetime.fromisoformat(body["response"]["write_datetime"]) - timedelta(hours=6)
        return with_body(reply, {**body, "response": {**body["response"], "write_datetime": str(written)}})

    return handle


def _account_of_before(right: Handler) -> Handler:
    """Forget to log in anew after a refusal: the connection belongs to whom it belonged before."""
    memory = Memory()

    def handle(request: Request) -> Reply:
        reply = right(request)
        kept, mine = memory.of(request.namespace), _authorization(request)
        if reply.status == 401:
            kept["refused"] = True
            return reply
        before = kept.get("account", mine)
        refused = kept.pop("refused", False)
        kept["account"] = mine
        return right(with_headers(request, authorization=before)) if refused and before != mine else reply

    return handle


# -- effects -----------------------------------------------------------------------------------------------------------


def _hidden(call: Call, world: World) -> dict[str, Any] | None:
    asked = call.parameters["coupon_id"]
    return {"details": _HIDDEN} if any(each["coupon_id"] == asked for each in all_of(world, "coupon")) else None


_defect = partial(Defect, "chargeover")

DEFECTS = aside(
    # -- status
    _defect(
        "fault-for-all",
        "An id that has failed at the vendor for one account fails for every other too, which has no such coupon.",
        handler=remembering(
            _id_of,
            lambda request, reply: _is_coupon(request) and reply.status in {429, 500},
            lambda _, reply, before: before if reply.status == 404 else reply,
        ),
        of="status",
        breaks=_NOT_FOUND,
        hard=True,
    ),
    # -- shape
    _defect(
        "charset-mislabelled",
        "A coupon beyond ASCII is in UTF-8 and said to be in ISO-8859-1.",
        handler=answering(
            lambda _, reply: reply.status == 200 and not reply.body.isascii(),
            lambda reply: replace(reply, media_type="application/json; charset=ISO-8859-1"),
        ),
        of="shape",
        breaks=(_OK, "application/json"),
        hard=True,
    ),
    # -- credentials
    _defect(
        "localhost-forwarded",
        "A request without good keys that says to be forwarded for 127.0.0.1 is served as the account let in first.",
        handler=borrowing(
            "authorization",
            lambda request, reply: reply.status == 401 and request.headers.get("x-forwarded-for", "") in _INSIDE,
        ),
        of="credentials",
        breaks=("get-coupon#unauthorized", "Authentication error"),
        hard=True,
    ),
    # -- routing
    _defect(
        "rewrite-header-wins",
        "A header X-Original-URL or X-Rewrite-URL stands in for the path.",
        handler=asking(_rewritten),
        of="routing",
        breaks=("get-coupon#request", "GET/api/v3/coupon/:coupon_id"),
        hard=True,
    ),
    # -- method
    _defect(
        "body-wins",
        "A coupon_id in a JSON body of a GET stands in for the one in the path.",
        handler=asking(_body_first),
        of="method",
        breaks=_BY_ID,
        hard=True,
    ),
    # -- state
    _defect(
        "ids-share-a-slot",
        "Of two coupons whose ids have the same remainder by 64, the one that is fetched later is shown as the other.",
        handler=_slots,
        of="state",
        breaks=_BY_ID,
        hard=True,
    ),
    # -- time
    _defect(
        "zone-of-the-account-before",
        "A coupon that is fetched right after another account got a 404 was created six hours earlier.",
        handler=_other_zone,
        of="time",
        breaks=(_OK, "Date/time the coupon was created"),
        hard=True,
    ),
    # -- isolation
    _defect(
        "account-before-the-refusal",
        "The first account that asks after wrong keys is served as the account that asked before them.",
        handler=_account_of_before,
        of="isolation",
        breaks=_BY_ID,
        hard=True,
    ),
    # -- robustness
    _defect(
        "gzip-for-whoever-names-it",
        "A client that refuses gzip, by naming it with q=0, gets it.",
        handler=answering(
            lambda request, _: bool(_NO_GZIP.search(request.headers.get("accept-encoding", ""))), _compressed
        ),
        of="robustness",
        breaks=HTTP_ENCODING,
        hard=True,
    ),
    # -- leaks
    _defect(
        "false-for-others",
        "response is false in the 404 for a coupon that another account has, and null for one that nobody has.",
        handler=answering(_says_hidden, lambda reply: saying(reply, response=False, details={})),
        behaviours={_GET: told_more("not_found", _hidden)},
        of="leaks",
        breaks=("get-coupon#not-found", '"response": null'),
        hard=True,
    ),
)
