"""Unuse Coupon, as wrong as it can be without being noticed."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, parse_qsl

from couponmock.behaviour import Answer, Behaviour, Call, Entity, Refused, World
from couponmock.defect import Defect, all_of, behaving, body_of, mishearing, namespace_of, with_body
from couponmock.defects.adversary.crowd import Crowd, crowding, stale
from couponmock.defects.adversary.crowdtwist.parts import defect, found, gave, key_of, with_key, worded
from couponmock.defects.adversary.making import (
    HTTP_LENGTH,
    Misbehaving,
    Wrong,
    answering,
    at_times,
    despite,
    every_third,
    from_second,
    lending,
    like,
    mending,
    remembering,
    saying,
    sent_json,
    sent_member,
    with_json,
)
from couponmock.exchange import Handler, Reply, Request
from couponmock.finding import BODY_LIMIT, buffered

_UNUSE = "unuseCoupon"
_PATH = "/v2/coupon/unuse"
_DAY = 86_400
_LOOKING = ContextVar("looking", default=False)
"""Whether a coupon is only looked up."""
_UNUSABLE = ("no_data", "not_issued", "not_used")

_AGAIN = ("unuse#request-details", "mark a coupon as “unused”, available to be used again")
_JSON = ("unuse#request-details", "application/json")
_KEY = ("unuse#query-parameters", "api_key | QWERTY | Yes | String |")
_VALUE = ("unuse#request-body", "coupon_value | 1X3FJ9K003 | Yes | String | The value of the coupon being updated.")
_SUCCESS = ("unuse#response-body", "success | true | Yes | Boolean | True if the request was successful.")
_IDENTIFIER = ("unuse#error-responses", "make assumptions based on the identifier of the error")
_MESSAGE = ("unuse#error-responses", "message | Coupon could not be found | Yes | String")
_MALFORMED = ("unuse#error-response-codes", "including situations in which the body is malformed")
_METHOD = ("unuse#error-response-codes", "HTTP method not supported")
_REASONS = ("unuse#error-response-codes", "not_used")
_NOT_ISSUED = ("unuse#example-response-codes", "404 | not_issued | Coupon has not been issued.")
_NO_DATA = ("unuse#example-response-codes", "404 | no_data | Unable to find coupon.")
_REQUIRED = ("unuse#example-response-codes", "400 | input_error | Coupon value is required.")
_ASSIGNED = ("usable-coupons#request-details", "assigned to the user through reward redemption")
_BALANCE = ("usable-coupons#successful-response", "redeemable points balance after the redemption order")
_ORDERED = (
    "usable-coupons#successful-response",
    "The Unix timestamp of when the reward redemption order that assigned the coupon took place",
)
_NO_PAGE = (
    "usable-coupons#error-response-codes",
    "page_not_found The requested page does not exist or has been removed.",
)


def _value(request: Request) -> str:
    """Return the coupon_value that was sent; empty if it is no text."""
    value = sent_member(request, "coupon_value")
    return value if isinstance(value, str) else ""


def _coupon(call: Call, world: World) -> Entity | None:
    return world.find("coupon", client=call.principal, code=call.body["coupon_value"])


def _refused_with(*findings: str) -> Callable[[Reply], bool]:
    return lambda reply: reply.diagnosis.finding in findings


# -- answers -----------------------------------------------------------------------------------------------------------


def _conflicting(request: Request, reply: Reply) -> bool:
    body = sent_json(request)
    return reply.diagnosis.example == "coupon_value_required" and bool(body) and "coupon_value" not in body


def _marking_expired(right: Behaviour, call: Call, world: World) -> Answer:
    coupon = _coupon(call, world)
    answer = right(call, world)
    expired = coupon is not None and coupon["date_to_expire"] is not None and coupon["date_to_expire"] <= world.now
    return replace(answer, members={"message": "expired"}) if expired else answer


def _failing_late(right: Handler) -> Handler:
    return answering(
        lambda _, reply: reply.diagnosis.example == "unused" and body_of(reply)["message"] == "expired",
        lambda reply: with_body(reply, {"success": False, "message": "Successfully submitted"}),
    )(right)


def _previous_identifier(_request: Request, reply: Reply, before: Reply) -> Reply:
    return saying(reply, error=body_of(before)["error"]) if reply.diagnosis.example == "no_data" else reply


def _deep(request: Request, reply: Reply) -> bool:
    return reply.status >= 400 and (request.read(BODY_LIMIT) or b"").count(b"[") > 100


# -- requests ----------------------------------------------------------------------------------------------------------


def _key_from_body(request: Request) -> Request | None:
    key = sent_member(request, "api_key")
    return with_key(request, key) if isinstance(key, str) else None


def _looking_up_first(right: Handler) -> Handler:
    """Tell that a coupon does not exist before looking at the key."""
    keys: list[str] = []

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        if reply.status < 400 and key_of(request):
            keys.append(key_of(request))
        if reply.status == 401 and reply.diagnosis.operation == _UNUSE and keys:
            token = _LOOKING.set(True)
            looked = right(with_key(request, keys[-1]))
            _LOOKING.reset(token)
            return looked if looked.diagnosis.example == "no_data" else reply
        return reply

    return handle


def _only_looking(right: Behaviour, call: Call, world: World) -> Answer:
    if _LOOKING.get() and _coupon(call, world) is not None:
        raise Refused("not_used")
    return right(call, world)


def _beneath(request: Request) -> Request | None:
    code = request.path.removeprefix(_PATH + "/")
    if request.method != "POST" or code in {"", request.path}:
        return None
    return with_json(replace(request, path=_PATH), {"coupon_value": code})


def _from_query(request: Request) -> Request | None:
    value = dict(parse_qsl(request.query)).get("coupon_value")
    if request.method != "GET" or request.path != _PATH or value is None:
        return None
    return with_json(replace(request, method="POST"), {"coupon_value": value})


def _as_post(*methods: str) -> Callable[[Request], Request | None]:
    return lambda request: replace(request, method="POST") if request.method in methods else None


def _form(request: Request) -> Request | None:
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return None
    values = parse_qs((request.read(BODY_LIMIT) or b"").decode(errors="replace"))
    return with_json(request, {name: value[0] for name, value in values.items()})


def _as_json(request: Request) -> Request | None:
    return replace(request, headers={**request.headers, "content-type": "application/json"})


def _first_line(request: Request) -> Request | None:
    text = (request.read(BODY_LIMIT) or b"").decode(errors="replace")
    end = text.find("}")
    body = text[: end + 1].encode()
    return replace(request, read=lambda _: body) if 0 < end < len(text) - 1 else None


def _first_text(body: Any) -> Any:
    return {**body, "coupon_value": body["value"]} if isinstance(body, dict) and "value" in body else body


# -- effects -----------------------------------------------------------------------------------------------------------


def _after(change: Callable[[Entity, Call, World], object]) -> Misbehaving:
    """Do something more to a coupon that has been unused."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        answer = right(call, world)
        coupon = _coupon(call, world)
        if coupon is not None:
            change(coupon, call, world)
        return answer

    return behaving(changed)


def _with_unexpiring(coupon: Entity, _call: Call, world: World) -> None:
    for other in all_of(world, "coupon"):
        same = all(other[member] == coupon[member] for member in ("client", "owner"))
        if same and other["state"] == "used" and other["date_to_expire"] is None:
            world.change(other, state="issued")


def _becoming(state: str) -> Callable[[Call, World], None]:
    """Put the coupon into another state."""

    def change(call: Call, world: World) -> None:
        coupon = _coupon(call, world)
        if coupon is not None:
            world.change(coupon, state=state)

    return change


def _moved(right: Behaviour) -> Behaviour:
    """Give every second unused coupon to the owner of the one that was unused before."""
    owners: dict[str, str] = {}

    def change(coupon: Entity, _call: Call, world: World) -> None:
        before = owners.get(namespace_of(world), coupon["owner"])
        owners[namespace_of(world)] = coupon["owner"]
        if before != coupon["owner"]:
            world.change(coupon, owner=before)

    return _after(change)(right)


def _of_others(call: Call, world: World) -> None:
    for other in all_of(world, "coupon"):
        if other["code"] == call.body["coupon_value"] and other["state"] == "used":
            world.change(other, state="issued")


def _reasons_of_others(right: Behaviour, call: Call, world: World) -> Answer:
    try:
        return right(call, world)
    except Refused as refused:
        others = [other for other in all_of(world, "coupon") if other["code"] == call.body["coupon_value"]]
        if refused.problem == "no_data" and others and others[0]["state"] == "issued":
            raise Refused("not_used") from refused
        raise


def _first_characters(count: int) -> Misbehaving:
    """Compare codes up to a length only."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        value = call.body["coupon_value"]
        if _coupon(call, world) is None and len(value) > count:
            for other in all_of(world, "coupon"):
                if other["client"] == call.principal and other["code"][:count] == value[:count]:
                    return right(replace(call, body={"coupon_value": other["code"]}), world)
        return right(call, world)

    return behaving(changed)


def _patterns(right: Behaviour, call: Call, world: World) -> Answer:
    value = call.body["coupon_value"]
    if _coupon(call, world) is None and any(sign in value for sign in "%*"):
        for other in all_of(world, "coupon"):
            if other["client"] == call.principal and like(value, other["code"]):
                return right(replace(call, body={"coupon_value": other["code"]}), world)
    return right(call, world)


def _unlisted_long(right: Behaviour, call: Call, world: World) -> Answer:
    if len(call.body["coupon_value"]) > 255:
        raise Refused("no_data")
    return right(call, world)


_TWINS = Crowd()
_RIVALS = Crowd()


def _last_writer(right: Behaviour, call: Call, world: World) -> Answer:
    """Write what was read before somebody else wrote: of two coupons of a member, one stays used."""
    answer = right(call, world)
    coupon = _coupon(call, world)
    seen = _RIVALS.seen(namespace_of(world))
    if coupon is not None:
        first = seen.setdefault(coupon["owner"], coupon)
        if first.name != coupon.name:
            world.change(first, state="used")
    return answer


def _posting(request: Request) -> bool:
    return request.method == "POST" and request.path == _PATH


def _lending(same: Callable[[str, str], bool], *, told: bool = True) -> Wrong:
    return lending(key_of, with_key, same, told=told)


def _keys_named(right: Handler) -> Handler:
    """Name a good key to who has a wrong one."""
    keys: list[str] = []

    def handle(request: Request) -> Reply:
        reply = right(request)
        if reply.status < 400 and key_of(request):
            keys.append(key_of(request))
        if reply.diagnosis.finding == "credential_invalid credential:api_key" and reply.diagnosis.operation == _UNUSE:
            return saying(reply, message=f"The key differs from {keys[-1]}." if keys else "The key is not known.")
        return reply

    return handle


_DEEP_CRASH = answering(_deep, lambda reply: saying(reply, 500, error="internal_error"))

DEFECTS: tuple[Defect, ...] = (
    # -- status
    defect(
        "second-success-empty",
        "From the second coupon on, a success is 204 without a body.",
        handler=at_times(from_second, gave("unused"), lambda reply: replace(reply, status=204, body=b"")),
        of="status",
        breaks=_SUCCESS,
        hard=True,
    ),
    defect(
        "third-refusal-succeeds",
        "Every third refusal of a coupon has the status 200, with the right error in its body.",
        handler=at_times(every_third, gave(*_UNUSABLE), lambda reply: replace(reply, status=200)),
        of="status",
        breaks=_NO_DATA,
        hard=True,
    ),
    defect(
        "not-issued-conflicts",
        "not_issued has the status 409.",
        handler=worded(gave("not_issued"), 409),
        of="status",
        breaks=_NOT_ISSUED,
        held_out=True,
    ),
    defect(
        "other-members-422",
        "A body that has members, but no coupon_value, is 422; an empty one is 400.",
        handler=worded(_conflicting, 422),
        of="status",
        breaks=_REQUIRED,
        hard=True,
    ),
    # -- identifiers
    defect(
        "small-codes-in-capitals",
        "The identifier is NO_DATA if the code has small letters.",
        handler=worded(
            lambda request, reply: reply.diagnosis.example == "no_data" and not _value(request).isupper(),
            error="NO_DATA",
        ),
        of="identifiers",
        breaks=_IDENTIFIER,
        hard=True,
    ),
    defect(
        "receipts-not-found",
        "An unknown coupon whose code begins with a digit is receipt_not_found.",
        handler=worded(
            lambda request, reply: reply.diagnosis.example == "no_data" and _value(request)[:1].isdigit(),
            error="receipt_not_found",
        ),
        of="identifiers",
        breaks=_REASONS,
        hard=True,
        held_out=True,
    ),
    defect(
        "identifier-of-before",
        "An unknown coupon has the identifier of the error before, whichever operation's that was.",
        handler=remembering(lambda _: "error", lambda _, reply: reply.status >= 400, _previous_identifier),
        of="identifiers",
        breaks=_NO_DATA,
        hard=True,
    ),
    # -- shape
    defect(
        "success-is-one",
        "success is the number 1.",
        handler=answering(gave("unused"), lambda reply: saying(reply, success=1)),
        of="shape",
        breaks=_SUCCESS,
        hard=True,
    ),
    defect(
        "no-data-explained",
        "The message of no_data is an object with a text in it.",
        handler=worded(gave("no_data"), message={"text": "Unable to find coupon."}),
        of="shape",
        breaks=_MESSAGE,
        held_out=True,
    ),
    defect(
        "malformed-in-errors",
        "The error of a body that is not JSON stands in a list under errors.",
        handler=answering(gave("malformed_body"), lambda reply: with_body(reply, {"errors": [body_of(reply)]})),
        of="shape",
        breaks=_MESSAGE,
        hard=True,
    ),
    defect(
        "expired-unsuccessful",
        "success is false for a used and expired coupon, although it has been unused.",
        {_UNUSE: behaving(_marking_expired)},
        handler=_failing_late,
        of="shape",
        breaks=_SUCCESS,
        hard=True,
    ),
    # -- credentials
    defect(
        "key-in-small-letters",
        "A key is let in whose letters differ in case from one that was let in before.",
        handler=_lending(lambda sent, known: sent.casefold() == known.casefold()),
        of="credentials",
        breaks=_KEY,
        hard=True,
        held_out=True,
    ),
    defect(
        "key-goes-on",
        "A key is let in that begins with one that was let in before.",
        handler=_lending(lambda sent, known: sent.startswith(known)),
        of="credentials",
        breaks=_KEY,
        hard=True,
    ),
    defect(
        "key-in-body",
        "Without a key in the query, a member api_key of the body is taken.",
        handler=mending(_refused_with("credential_missing credential:api_key"), _key_from_body),
        of="credentials",
        breaks=_KEY,
        hard=True,
    ),
    defect(
        "wrong-key-works",
        "A wrong key is refused as it should, but the coupon is unused.",
        handler=_lending(lambda sent, _: bool(sent), told=False),
        of="credentials",
        breaks=_KEY,
        hard=True,
        held_out=True,
    ),
    defect(
        "looks-before-key",
        "With a wrong key, an unknown coupon is no_data.",
        {_UNUSE: behaving(_only_looking)},
        handler=_looking_up_first,
        of="credentials",
        breaks=_KEY,
        hard=True,
    ),
    # -- routing
    defect(
        "code-in-path",
        "A coupon is unused by its code behind the path too: POST /v2/coupon/unuse/CODE.",
        handler=mending(_refused_with("unrouted"), _beneath),
        of="routing",
        breaks=_NO_PAGE,
        hard=True,
    ),
    # -- method
    defect(
        "unuse-by-get",
        "A GET with the coupon_value in its query unuses the coupon.",
        handler=mending(_refused_with("method_not_allowed"), _from_query),
        of="method",
        breaks=_METHOD,
        hard=True,
        held_out=True,
    ),
    defect(
        "unuse-by-put",
        "PUT does what POST does.",
        handler=mending(_refused_with("method_not_allowed"), _as_post("PUT")),
        of="method",
        breaks=_METHOD,
    ),
    defect(
        "refused-methods-work",
        "HEAD, OPTIONS and DELETE are refused as they should, but unuse the coupon of their body.",
        handler=mending(_refused_with("method_not_allowed"), _as_post("HEAD", "OPTIONS", "DELETE"), told=False),
        of="method",
        breaks=_METHOD,
        hard=True,
    ),
    defect(
        "forms-taken",
        "A form is taken in place of JSON.",
        handler=mending(_refused_with("unsupported_media_type body:"), _form),
        of="method",
        breaks=_JSON,
        held_out=True,
    ),
    defect(
        "refused-types-work",
        "A body that does not call itself JSON is refused as it should, but the coupon is unused.",
        handler=mending(_refused_with("unsupported_media_type body:"), _as_json, told=False),
        of="method",
        breaks=_JSON,
        hard=True,
    ),
    # -- state
    defect(
        "unexpiring-too",
        "Unusing a coupon also unuses the member's used coupons that never expire.",
        {_UNUSE: _after(_with_unexpiring)},
        of="state",
        breaks=_VALUE,
        hard=True,
    ),
    defect(
        "owner-of-before",
        "An unused coupon goes to the owner of the one that was unused before.",
        {_UNUSE: _moved},
        of="state",
        breaks=_ASSIGNED,
        hard=True,
        held_out=True,
    ),
    defect(
        "points-given-back",
        "Unusing a coupon adds its points to the balance that its order left.",
        {
            _UNUSE: _after(
                lambda coupon, _, world: world.change(
                    coupon, ending_balance=coupon["ending_balance"] + coupon["total_points_redeemed"]
                )
            )
        },
        of="state",
        breaks=_BALANCE,
        hard=True,
    ),
    defect(
        "ordered-anew",
        "An unused coupon seems to have been ordered when it was unused.",
        {_UNUSE: _after(lambda coupon, _, world: world.change(coupon, order_date_created=world.now))},
        of="state",
        breaks=_ORDERED,
        hard=True,
    ),
    defect(
        "not-used-becomes-used",
        "A coupon that is refused as not_used is used from then on.",
        {_UNUSE: despite("not_used", _becoming("used"))},
        of="state",
        breaks=_REASONS,
        hard=True,
        held_out=True,
    ),
    defect(
        "not-issued-once",
        "A coupon that was refused as not_issued is not_used the second time.",
        {_UNUSE: despite("not_issued", _becoming("issued"))},
        of="state",
        breaks=_NOT_ISSUED,
        hard=True,
    ),
    # -- time
    defect(
        "lasts-a-day",
        "An unused coupon that would expire later expires after a day.",
        {
            _UNUSE: _after(
                lambda coupon, _, world: world.change(
                    coupon, date_to_expire=min(coupon["date_to_expire"] or world.now + _DAY, world.now + _DAY)
                )
            )
        },
        of="time",
        breaks=_AGAIN,
        hard=True,
    ),
    # -- isolation
    defect(
        "other-clients-not-used",
        "Another client's coupon that was issued is refused as not_used.",
        {_UNUSE: behaving(_reasons_of_others)},
        of="isolation",
        breaks=_NO_DATA,
        hard=True,
        held_out=True,
    ),
    defect(
        "other-clients-unused",
        "Another client's used coupon is refused as no_data, but it is unused.",
        {_UNUSE: despite("no_data", _of_others)},
        of="isolation",
        breaks=_NO_DATA,
        hard=True,
    ),
    # -- limits
    defect(
        "long-codes-cut",
        "Codes of more than 64 characters are compared by their first 64.",
        {_UNUSE: _first_characters(64)},
        of="limits",
        breaks=_VALUE,
        hard=True,
    ),
    defect(
        "long-codes-unknown",
        "A coupon is not found if its code has more than 255 characters.",
        {_UNUSE: behaving(_unlisted_long)},
        of="limits",
        breaks=("usable-coupons#successful-response", "code     String[1000] The coupon code"),
        hard=True,
        held_out=True,
    ),
    # -- concurrency
    defect(
        "unused-twice-at-once",
        "Of two requests at once for the same coupon both succeed.",
        {_UNUSE: stale(_TWINS, "coupon")},
        handler=crowding(_TWINS, _posting),
        of="concurrency",
        breaks=_REASONS,
        hard=True,
    ),
    defect(
        "one-of-two-lost",
        "Of two coupons of a member that are unused at once, one stays used.",
        {_UNUSE: behaving(_last_writer)},
        handler=crowding(_RIVALS, _posting),
        of="concurrency",
        breaks=_AGAIN,
        hard=True,
    ),
    # -- robustness
    defect(
        "emoji-crash",
        "A coupon_value with an emoji is internal_error.",
        handler=worded(
            lambda request, reply: reply.status >= 400 and any(character > "\uffff" for character in _value(request)),
            500,
            error="internal_error",
        ),
        of="robustness",
        breaks=_NO_DATA,
        hard=True,
        held_out=True,
    ),
    defect(
        "deep-crash",
        "A body that is nested more than a hundred times is internal_error.",
        handler=_DEEP_CRASH,
        of="robustness",
        breaks=_MALFORMED,
        hard=True,
    ),
    defect(
        "refusal-cut",
        "The error of a body that is not JSON is a byte longer than its Content-Length: its last one is lost.",
        handler=answering(gave("malformed_body"), lambda reply: replace(reply, body=reply.body[:-1])),
        of="robustness",
        breaks=HTTP_LENGTH,
        hard=True,
    ),
    defect(
        "patterns",
        "A coupon_value with % or * finds the first coupon that it fits.",
        {_UNUSE: behaving(_patterns)},
        of="robustness",
        breaks=_NO_DATA,
        hard=True,
        held_out=True,
    ),
    defect(
        "trailing-text-works",
        "A body that goes on behind its JSON object is refused as it should, but the coupon is unused.",
        handler=mending(_refused_with("malformed body:"), _first_line, told=False),
        of="robustness",
        breaks=_MALFORMED,
        hard=True,
    ),
    defect(
        "value-by-another-name",
        "A member value passes for coupon_value.",
        handler=mishearing(_first_text),
        of="robustness",
        breaks=_REQUIRED,
        hard=True,
    ),
    # -- leaks
    defect(
        "quotes-tell-sql",
        "A coupon_value with a quotation mark is internal_error, and the message is the SQL statement.",
        handler=answering(
            lambda request, reply: reply.diagnosis.example == "no_data" and "'" in _value(request),
            lambda reply: saying(
                reply, 500, error="internal_error", message='near "\'": SELECT * FROM coupon WHERE code = ?'
            ),
        ),
        of="leaks",
        breaks=_NO_DATA,
        hard=True,
        held_out=True,
    ),
    defect(
        "key-told",
        "The refusal of a wrong key names the good key that was used last.",
        handler=_keys_named,
        of="leaks",
        breaks=_KEY,
        hard=True,
    ),
    defect(
        "trace-told",
        "The message of a coupon_value that is no text is a stack trace.",
        handler=worded(
            found("invalid body:/coupon_value"),
            message='Traceback (most recent call last):\n  File "/srv/app/coupon.py", line 31, in unuse\nTypeError',
        ),
        of="leaks",
        breaks=_MESSAGE,
        hard=True,
    ),
)
