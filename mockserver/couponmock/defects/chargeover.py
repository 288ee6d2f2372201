"""Ways to be wrong about ChargeOver's page."""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from couponmock.behaviour import Answer, Behaviour, Call, Entity, Refused, World
from couponmock.defect import (
    Defect,
    all_of,
    asking,
    behaving,
    body_of,
    borrowing,
    misleading,
    once_after,
    replying,
    sharing,
    with_body,
)
from couponmock.exchange import Handler, Reply, Request

_COUPON = "/api/v3/coupon/"
_LOW_IDS = range(1, 10)
"""Ids that a defect looks through where the store has no other way to search."""
_IN_A_ROW = 3


def _succeeding(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Handler], Handler]:
    """Change the body of every success."""
    return replying(lambda _, reply: reply if reply.status >= 400 else with_body(reply, change(body_of(reply))))


def _failing(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Handler], Handler]:
    """Change the body of every error."""
    return replying(lambda _, reply: reply if reply.status < 400 else with_body(reply, change(body_of(reply))))


def _showing(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Handler], Handler]:
    """Change some members of every coupon that is shown."""
    return _succeeding(lambda body: {**body, "response": {**body["response"], **change(body["response"])}})


def _in_small_letters(coupon: dict[str, Any]) -> dict[str, Any]:
    return {**coupon, "code": coupon["code"].lower()}


def _remembering(
    shown: Callable[[dict[str, Any]], bool], instead: Callable[[Reply], bool]
) -> Callable[[Handler], Handler]:
    """Answer again what was answered first.

    Args:
        shown: Which coupons are remembered.
        instead: In place of which answers to the same path they are shown.
    """

    def wrap(right: Handler) -> Handler:
        first: dict[tuple[str, str], Reply] = {}

        def handle(request: Request) -> Reply:
            reply = right(request)
            key = (request.namespace, request.path)
            if reply.diagnosis.example == "found" and shown(body_of(reply)["response"]):
                first.setdefault(key, reply)
            return first.get(key, reply) if instead(reply) else reply

        return handle

    return wrap


def _dated_elsewhere(right: Behaviour, call: Call, world: World) -> Answer:
    try:
        return right(call, world)
    except Refused as refused:
        for coupon in all_of(world, "coupon"):
            if str(coupon["coupon_id"]) == str(call.parameters["coupon_id"]):
                return Answer(refused.problem, {"details": {"since": coupon["write_datetime"]}})
        raise


def _refusing_as(status: int, when: Callable[[Request, Reply], bool]) -> Callable[[Handler], Handler]:
    """Give some refusals another status, also in the body."""

    def change(request: Request, reply: Reply) -> Reply:
        if not when(request, reply):
            return reply
        return replace(with_body(reply, {**body_of(reply), "code": status, "response": False}), status=status)

    return replying(change)


def _pair(request: Request) -> tuple[str, str]:
    """Return public and private key of a request's credentials; both empty if it has none in the Basic scheme."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        public, colon, private = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return (public, private) if scheme.lower() == "basic" and colon else ("", "")


def _public_keys(right: Handler) -> Handler:
    """Look at the public key only, once it has been let in with its private key."""
    known: dict[str, str] = {}

    def handle(request: Request) -> Reply:
        reply = right(request)
        public, _ = _pair(request)
        if reply.status == 200:
            known[public] = request.headers["authorization"]
        elif reply.status == 401 and public in known:
            return right(replace(request, headers={**request.headers, "authorization": known[public]}))
        return reply

    return handle


def _strangers(right: Handler) -> Handler:
    """Let public keys in that have never been seen."""
    known = {""}

    def noting(request: Request) -> Reply:
        reply = right(request)
        if reply.status == 200:
            known.add(_pair(request)[0])
        return reply

    return borrowing("authorization", lambda request, reply: reply.status == 401 and _pair(request)[0] not in known)(
        noting
    )


def _any_scheme(right: Handler) -> Handler:
    """Take the words behind any scheme for a key pair."""

    def handle(request: Request) -> Reply:
        _, _, pair = request.headers.get("authorization", "").partition(" ")
        if ":" not in pair:
            return right(request)
        basic = "Basic " + b64encode(pair.encode()).decode()
        return right(replace(request, headers={**request.headers, "authorization": basic}))

    return handle


def _looking_up_first(right: Handler) -> Handler:
    """Tell that a coupon does not exist before asking for credentials."""
    let_in = borrowing("authorization", lambda _, reply: reply.status == 401)(right)

    def handle(request: Request) -> Reply:
        reply = let_in(request)
        return reply if reply.status == 404 else right(request)

    return handle


def _leading_digits(right: Handler) -> Handler:
    """Read an id as far as its digits go."""

    def handle(request: Request) -> Reply:
        coupon_id = request.path.removeprefix(_COUPON)
        digits = coupon_id[: len(coupon_id) - len(coupon_id.lstrip("0123456789"))]
        return right(replace(request, path=_COUPON + digits) if digits else request)

    return handle


def _codes(right: Handler) -> Handler:
    """Look for a code where an id leads nowhere."""

    def handle(request: Request) -> Reply:
        reply = right(request)
        if reply.status == 400 and request.path.startswith(_COUPON):
            for coupon_id in _LOW_IDS:
                found = right(replace(request, path=f"{_COUPON}{coupon_id}"))
                if found.status == 200 and body_of(found)["response"]["code"] == request.path.removeprefix(_COUPON):
                    return found
        return reply

    return handle


def _shared_cache(right: Handler) -> Handler:
    """Keep the coupons that were shown, for whoever asks next."""
    kept: dict[tuple[str, str], Reply] = {}

    def handle(request: Request) -> Reply:
        reply = right(request)
        place = (request.namespace, request.path)
        if reply.status == 200:
            kept[place] = reply
        return kept.get(place, reply) if reply.status == 404 else reply

    return handle


def _wearing_off(right: Handler) -> Handler:
    """Show a coupon as disabled when it is asked for too often in a row."""
    last: list[Request] = []

    def handle(request: Request) -> Reply:
        reply = right(request)
        if last and (last[0].namespace, last[0].path) != (request.namespace, request.path):
            last.clear()
        last.append(request)
        if reply.status != 200 or len(last) < _IN_A_ROW:
            return reply
        body = body_of(reply)
        return with_body(reply, {**body, "response": {**body["response"], "enabled": False}})

    return handle


def _like_the_first(right: Behaviour, call: Call, world: World) -> Answer:
    """Show the first coupon of the same type and state under the id that was asked for."""
    shown = right(call, world).members["response"]
    for coupon_id in _LOW_IDS:
        first = world.find("coupon", account=call.principal, coupon_id=coupon_id)
        if first is not None and (first["type"], first["enabled"]) == (shown["type"], shown["enabled"]):
            call = replace(call, parameters={**call.parameters, "coupon_id": coupon_id})
            first_shown = right(call, world).members["response"]
            return Answer("found", {"response": {**first_shown, "coupon_id": shown["coupon_id"]}})
    return Answer("found", {"response": shown})


def _enabled_only(find: Callable[..., Entity | None], kind: str, **members: Any) -> Entity | None:
    entity = find(kind, **members)
    return entity if entity is None or entity["enabled"] else None


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()


def _disabled(reply: Reply) -> Reply:
    body = body_of(reply)
    return with_body(reply, {**body, "response": {**body["response"], "enabled": False}})


DEFECTS: tuple[Defect, ...] = (
    Defect(
        "chargeover",
        "server-address",
        "write_ipaddr is the address of the server for every coupon that was created inside its network",
        handler=_showing(
            lambda coupon: {"write_ipaddr": "127.0.0.1"} if coupon["write_ipaddr"].startswith("172.") else {}
        ),
    ),
    Defect(
        "chargeover",
        "first-of-its-type",
        "every coupon looks like the first of its type and state; only the id is its own",
        behaviours={"getCoupon": behaving(_like_the_first)},
    ),
    Defect(
        "chargeover",
        "wears-off",
        "a coupon that is fetched three times in a row is shown as disabled",
        handler=_wearing_off,
    ),
    Defect(
        "chargeover",
        "hides-disabled",
        "a disabled coupon is not found",
        behaviours={"getCoupon": misleading(_enabled_only)},
    ),
    Defect(
        "chargeover",
        "item-zero",
        "discount_item_id is 0 where no item is related",
        handler=_showing(lambda coupon: {"discount_item_id": coupon.get("discount_item_id") or 0}),
    ),
    Defect(
        "chargeover",
        "null-entries",
        "an empty list of discount or free trial details has a null in it",
        handler=_showing(lambda coupon: {name: [None] for name in ("discount", "freetrial") if name in coupon}),
    ),
    Defect(
        "chargeover",
        "ascii-descriptions",
        "characters beyond ASCII are question marks in descriptions",
        handler=_showing(lambda coupon: {"descrip": _ascii(coupon["descrip"])}),
    ),
    Defect(
        "chargeover",
        "rounded-ids",
        "a large id is rounded to what a floating-point number holds",
        handler=_showing(lambda coupon: {"coupon_id": int(float(coupon["coupon_id"]))}),
    ),
    Defect(
        "chargeover",
        "unknown-is-bad",
        "an unknown id gets 400 instead of 404",
        handler=_refusing_as(400, lambda _, reply: reply.status == 404),
    ),
    Defect(
        "chargeover",
        "leading-digits",
        "of an id only the digits at its beginning count",
        handler=_leading_digits,
    ),
    Defect(
        "chargeover",
        "finds-codes",
        "a coupon is fetched by its code too",
        handler=_codes,
    ),
    Defect(
        "chargeover",
        "shared-cache",
        "a coupon that its account has fetched is shown to other accounts",
        handler=_shared_cache,
    ),
    Defect(
        "chargeover",
        "open-session",
        "a request without credentials is served as the first one that had some",
        handler=borrowing(
            "authorization", lambda request, reply: reply.status == 401 and "authorization" not in request.headers
        ),
    ),
    Defect(
        "chargeover",
        "strangers-welcome",
        "an unknown public key is let in",
        handler=_strangers,
    ),
    Defect(
        "chargeover",
        "public-key-suffices",
        "the private key is not looked at",
        handler=_public_keys,
    ),
    Defect(
        "chargeover",
        "any-scheme",
        "a key pair is accepted without being encoded, behind whatever scheme",
        handler=_any_scheme,
    ),
    Defect(
        "chargeover",
        "looks-up-first",
        "an unknown id gets 404 without credentials",
        handler=_looking_up_first,
    ),
    Defect(
        "chargeover",
        "crashes-beside-endpoints",
        "an endpoint that does not exist gets 500",
        handler=_refusing_as(500, lambda request, _: not request.path.startswith(_COUPON)),
    ),
    Defect(
        "chargeover",
        "crashes-on-commands",
        "a command that coupons do not support gets 500",
        handler=_refusing_as(500, lambda request, _: request.method != "GET"),
    ),
    Defect(
        "chargeover",
        "forbids-schemes",
        "credentials that are not in the Basic scheme get 403",
        handler=_refusing_as(
            403,
            lambda request, reply: reply.status == 401 and "authorization" in request.headers and not _pair(request)[0],
        ),
    ),
    Defect(
        "chargeover",
        "html",
        "every answer calls itself text/html",
        handler=replying(lambda _, reply: replace(reply, media_type="text/html")),
    ),
    Defect(
        "chargeover",
        "byte-order-mark",
        "errors begin with a byte order mark",
        handler=replying(
            lambda _, reply: reply if reply.status < 400 else replace(reply, body=b"\xef\xbb\xbf" + reply.body)
        ),
    ),
    Defect(
        "chargeover",
        "success-code-zero",
        "the code of a success is 0",
        handler=_succeeding(lambda body: {**body, "code": 0}),
    ),
    Defect(
        "chargeover",
        "success-status-lowercase",
        "the status of a success is in small letters",
        handler=_succeeding(lambda body: {**body, "status": body["status"].lower()}),
    ),
    Defect(
        "chargeover",
        "success-message-false",
        "the message of a success is false",
        handler=_succeeding(lambda body: {**body, "message": False}),
    ),
    Defect(
        "chargeover",
        "success-details-text",
        "the details of a success are a text",
        handler=_succeeding(lambda body: {**body, "details": json.dumps(body["details"])}),
    ),
    Defect(
        "chargeover",
        "error-code-zero",
        "the code of an error is 0",
        handler=_failing(lambda body: {**body, "code": 0}),
    ),
    Defect(
        "chargeover",
        "error-status-ok",
        "the status of an error is OK",
        handler=_failing(lambda body: {**body, "status": "OK"}),
    ),
    Defect(
        "chargeover",
        "error-message-list",
        "the message of an error is a list",
        handler=_failing(lambda body: {**body, "message": [body["message"]]}),
    ),
    Defect(
        "chargeover",
        "error-response-object",
        "the response of an error is an empty object",
        handler=_failing(lambda body: {**body, "response": {}}),
    ),
    Defect(
        "chargeover",
        "error-details-text",
        "the details of an error are a text",
        handler=_failing(lambda body: {**body, "details": json.dumps(body["details"])}),
    ),
    Defect(
        "chargeover",
        "text-coupon-id",
        "coupon_id is a text",
        handler=_showing(lambda coupon: {"coupon_id": str(coupon["coupon_id"])}),
    ),
    Defect(
        "chargeover",
        "null-code",
        "a code with characters beyond ASCII is null",
        handler=_showing(lambda coupon: {"code": coupon["code"] if coupon["code"].isascii() else None}),
    ),
    Defect(
        "chargeover",
        "null-descrip",
        "the description of a disabled coupon is null",
        handler=_showing(lambda coupon: {"descrip": coupon["descrip"] if coupon["enabled"] else None}),
    ),
    Defect(
        "chargeover",
        "null-type",
        "the type of a coupon without related item is null",
        handler=_showing(lambda coupon: {"type": coupon["type"] if "discount_item_id" in coupon else None}),
    ),
    Defect(
        "chargeover",
        "text-item-id",
        "discount_item_id is a text",
        handler=_showing(lambda coupon: {name: str(coupon[name]) for name in ("discount_item_id",) if name in coupon}),
    ),
    Defect(
        "chargeover",
        "numeric-enabled",
        "enabled is 1 or 0",
        handler=_showing(lambda coupon: {"enabled": int(coupon["enabled"])}),
    ),
    Defect(
        "chargeover",
        "null-discount",
        "discount is null where it has no entries",
        handler=_showing(lambda coupon: {name: None for name in ("discount",) if name in coupon}),
    ),
    Defect(
        "chargeover",
        "object-freetrial",
        "freetrial is an object",
        handler=_showing(lambda coupon: {name: {} for name in ("freetrial",) if name in coupon}),
    ),
    Defect(
        "chargeover",
        "date-at-midnight",
        "write_datetime is a date alone where the time is midnight",
        handler=_showing(lambda coupon: {"write_datetime": coupon["write_datetime"].removesuffix(" 00:00:00")}),
    ),
    Defect(
        "chargeover",
        "bracketed-address",
        "an IPv6 address stands in brackets",
        handler=_showing(
            lambda coupon: {"write_ipaddr": f"[{coupon['write_ipaddr']}]"} if ":" in coupon["write_ipaddr"] else {}
        ),
    ),
    Defect(
        "chargeover",
        "crashes-on-powers-of-ten",
        "an id in scientific notation gets 500",
        handler=_refusing_as(500, lambda request, _: re.search(r"\de[-+]\d", request.path) is not None),
    ),
    Defect(
        "chargeover",
        "crashes-on-long-ids",
        "an unknown id of more than ten digits gets 500",
        handler=_refusing_as(
            500, lambda request, reply: reply.status == 404 and len(request.path.removeprefix(_COUPON)) > 10
        ),
    ),
    Defect(
        "chargeover",
        "endpoints-below-coupons",
        "what follows a coupon's id and a slash is ignored",
        handler=asking(lambda request: replace(request, path=re.sub(f"^({_COUPON}[^/]+)/.*", r"\1", request.path))),
    ),
    Defect(
        "chargeover",
        "disabled-after-patch",
        "the first coupon that is fetched after a PATCH that was refused is disabled",
        handler=once_after("PATCH", _disabled),
    ),
    Defect(
        "chargeover",
        "fetches-shared",
        "coupons that are fetched at the same time are all the first one",
        handler=sharing(lambda request: request.namespace if request.path.startswith(_COUPON) else None),
    ),
    Defect(
        "chargeover",
        "source-line-told",
        "the details of an unknown id name a line of the source",
        handler=replying(
            lambda _, reply: (
                with_body(reply, {**body_of(reply), "details": {"raised": "/srv/billing/coupon.php(118)"}})
                if reply.status == 404
                else reply
            )
        ),
    ),
    Defect(
        "chargeover",
        "codes-translated",
        "A client that names a language gets codes in small letters.",
        handler=replying(
            lambda request, reply: (
                with_body(reply, {**(body := body_of(reply)), "response": _in_small_letters(body["response"])})
                if reply.status == 200 and "accept-language" in request.headers
                else reply
            )
        ),
    ),
    Defect(
        "chargeover",
        "disabled-open-to-all",
        "A disabled coupon that was fetched once is open to everybody.",
        handler=_remembering(lambda shown: not shown["enabled"], lambda reply: reply.status == 401),
    ),
    Defect(
        "chargeover",
        "trials-for-all",
        "A coupon without a related item that was fetched once is fetched by every account.",
        handler=_remembering(lambda shown: shown.get("discount_item_id") is None, lambda reply: reply.status == 404),
    ),
    Defect(
        "chargeover",
        "first-account-wins",
        "An id that two accounts use is the coupon of the one that fetched it first.",
        handler=_remembering(lambda _: True, lambda reply: reply.status == 200),
    ),
    Defect(
        "chargeover",
        "format-ignored",
        "A format behind an id is ignored.",
        handler=asking(lambda request: replace(request, path=request.path.removesuffix(".json"))),
    ),
    Defect(
        "chargeover",
        "others-dated",
        "The details of the 404 for another account's coupon say when it was made.",
        {"getCoupon": behaving(_dated_elsewhere)},
    ),
)
