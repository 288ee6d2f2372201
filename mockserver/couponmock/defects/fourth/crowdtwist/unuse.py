"""Broken ways to unuse a coupon."""

import re
from dataclasses import replace
from threading import Lock

from couponmock.behaviour import Answer, Behaviour, Call, Refused, World
from couponmock.defect import all_of, asking, behaving, namespace_of, with_body
from couponmock.defects.adversary.making import answering, lending
from couponmock.defects.fourth.crowdtwist.parts import REDEEM, asked_for
from couponmock.defects.fourth.making import JSON_ESCAPES, followed, veiled, with_header
from couponmock.defects.second.crowdtwist.parts import KEY, UNUSE, defect, is_unuse, key_of
from couponmock.defects.second.making import Memory, afterwards, answered_by, refused_instead, text_of, with_query
from couponmock.defects.second.meeting import Meeting, Party, meeting
from couponmock.defects.third.making import object_in
from couponmock.exchange import Handler, Reply, Request
from couponmock.finding import buffered

_AVAILABLE = ("unuse#request-details", "mark a coupon as “unused”, available to be used again")
_UPDATED = ("unuse#request-body", "coupon_value | 1X3FJ9K003 | Yes | String | The value of the coupon being updated.")
_SUCCESS = ("unuse#response-body", "success | true | Yes | Boolean | True if the request was successful.")

_SURROGATES = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_rolling_back = Lock()


# -- requests and replies ----------------------------------------------------------------------------------------------


def _refused(request: Request, reply: Reply) -> bool:
    return is_unuse(request) and reply.status >= 400


def _as_problem(reply: Reply) -> Reply:
    problem = {"type": "about:blank", "title": object_in(reply).get("message"), "status": reply.status}
    return replace(with_body(reply, problem), media_type="application/problem+json")


def _overridden(request: Request) -> Request:
    wanted = request.headers.get("x-http-method-override", "").upper()
    return replace(request, method="POST") if is_unuse(request) and wanted == "POST" else request


def _alike(sent: str, known: str) -> bool:
    """Compare two keys in constant time, as somebody did who wrote = for |=."""
    return sent != known and len(sent) == len(known) and sent[-1:] == known[-1:]


def _surrogates_unread(request: Request) -> Request | None:
    """Take each half of a character that is written as two escapes for an unknown one."""
    text = text_of(request) if is_unuse(request) else ""
    heard = _SURROGATES.sub(r"\\ufffd", text).encode()
    return replace(request, read=lambda _: heard) if _SURROGATES.search(text) else None


def _traced(right: Handler) -> Handler:
    """Send the request line back, for whoever can read it."""

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        if reply.status < 400:
            return reply
        return with_header(reply, "X-Trace-Id", veiled(f"{request.method} {request.path}?{request.query}"))

    return handle


def _rolled_back(right: Handler, request: Request, party: Party, _: int) -> Reply:
    """Undo what succeeds beside a request that is refused: both were in one transaction."""
    reply = right(request)
    with _rolling_back:
        done = party.notes.setdefault("done", [])
        if reply.status < 300:
            done.append(request)
        elif 400 <= reply.status < 500:
            party.notes["refused"] = True
        # Whoever is last finds all others here, and no success is undone before it is one.
        while done and "refused" in party.notes:
            right(replace(done.pop(), path="/v2/coupon/use"))
    return reply


# -- effects -----------------------------------------------------------------------------------------------------------


def _in_the_pool(call: Call, world: World) -> bool:
    coupon = asked_for(call, world)
    return coupon is not None and coupon["reward_id"] is not None


_behind_the_first = Memory()


def _remember_all_but_the_first(call: Call, world: World, answer: Answer) -> None:
    for coupon in answer.members["coupons"][1:]:
        _behind_the_first.of(namespace_of(world))[call.principal, coupon["code"]] = True


def _not_issued_to(right: Behaviour, call: Call, world: World) -> Answer:
    if (call.principal, call.body["coupon_value"]) in _behind_the_first.of(namespace_of(world)):
        raise Refused("not_issued")
    return right(call, world)


def _number_of_all_clients(call: Call, world: World) -> None:
    number = coupon["redeem_order_coupon_id"] if (coupon := asked_for(call, world)) else None
    for other in all_of(world, "coupon"):
        if other["state"] == "used" and other["redeem_order_coupon_id"] == number:
            world.change(other, state="issued")


UNUSE_DEFECTS = (
    # -- identifiers
    defect(
        "pool-coupons-not-used",
        "A coupon that was not issued is not_used instead of not_issued if it was generated for a reward.",
        behaviours={UNUSE: refused_instead("not_issued", "not_used", _in_the_pool)},
        of="identifiers",
        breaks=("unuse#example-response-codes", "404 | not_issued | Coupon has not been issued."),
        hard=True,
    ),
    defect(
        "problem-details",
        "Who also takes application/problem+json gets errors without error and message.",
        handler=answering(
            lambda request, reply: _refused(request, reply) and "problem+json" in request.headers.get("accept", ""),
            _as_problem,
        ),
        of="identifiers",
        breaks=("unuse#error-responses", "error | internal_error | Yes | String"),
        hard=True,
    ),
    # -- credentials
    defect(
        "last-character-compared",
        "A key is let in that is as long as one that was let in before and ends with the same character.",
        handler=lending(key_of, lambda request, known: with_query(request, api_key=known), _alike),
        of="credentials",
        breaks=KEY,
        hard=True,
    ),
    # -- method
    defect(
        "method-overridden",
        "A GET with X-HTTP-Method-Override: POST unuses the coupon of its body.",
        handler=asking(_overridden),
        of="method",
        breaks=("unuse#error-response-codes", "HTTP method not supported"),
        hard=True,
    ),
    # -- state
    defect(
        "second-of-an-order-not-issued",
        "Of the coupons that one redemption has issued, all but the first cannot be unused once used: not_issued.",
        behaviours={REDEEM: followed(_remember_all_but_the_first), UNUSE: behaving(_not_issued_to)},
        of="state",
        breaks=_AVAILABLE,
        hard=True,
    ),
    # -- isolation
    defect(
        "record-number-of-all-clients",
        "With a coupon another client's becomes unused that has the same redeem_order_coupon_id.",
        behaviours={UNUSE: afterwards(_number_of_all_clients)},
        of="isolation",
        breaks=_UPDATED,
        hard=True,
    ),
    # -- concurrency
    defect(
        "rolled-back-with-another",
        "A coupon that is unused while another request is refused is said to be unused and stays used.",
        handler=meeting(Meeting(), is_unuse, _rolled_back),
        of="concurrency",
        breaks=_SUCCESS,
        hard=True,
    ),
    # -- robustness
    defect(
        "surrogate-pairs-unread",
        "A character of a code that is written as two escapes in JSON is not understood: no_data.",
        handler=answered_by(_surrogates_unread),
        of="robustness",
        breaks=JSON_ESCAPES,
        hard=True,
    ),
    # -- leaks
    defect(
        "key-in-a-trace",
        "Errors have a header X-Trace-Id, which is the request line with the key in base64.",
        handler=_traced,
        of="leaks",
        breaks=KEY,
        hard=True,
    ),
)
