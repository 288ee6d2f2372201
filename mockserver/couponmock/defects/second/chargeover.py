"""Broken ways to get a coupon from ChargeOver."""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from couponmock.behaviour import Answer, Behaviour, Call, Entity, World
from couponmock.defect import Defect, all_of, asking, behaving, body_of, misleading, sharing, with_body
from couponmock.defects.adversary.making import (
    HTTP_SAFE,
    Wrong,
    answering,
    at_times,
    every_third,
    lending,
    remembering,
    saying,
    sent_json,
)
from couponmock.defects.second.making import (
    BASIC_PASSWORD,
    HTTP_NOT_MODIFIED,
    HTTP_TRACE,
    Memory,
    blind,
    cached,
    with_headers,
    without,
)
from couponmock.defects.second.meeting import Meeting, Party, meeting
from couponmock.exchange import Handler, Reply, Request, printable
from couponmock.finding import buffered

_GET = "getCoupon"
_PREFIX = "/api/v3/coupon/"
_OK = "get-coupon#ok"
_FETCHED = (_OK, "Object was fetched successfully")
_ID = (_OK, "The coupon ID #")
_CODE = (_OK, "Coupon code")
_ITEM = (_OK, "Item ID # or related discount (if applicable)")
_ENABLED = (_OK, "Enabled/disabled")
_DISCOUNT = (_OK, "Discount details")
_CREATED = (_OK, "Date/time the coupon was created")
_ADDRESS = (_OK, "IP address that created the coupon")
_DESCRIPTION = (_OK, "descrip string")
_JSON = (_OK, "application/json")
_CODE_200 = (_OK, '"code": 200')
_UNAUTHORIZED = ("get-coupon#unauthorized", "Authentication error")
_REASON = ("get-coupon#unauthorized", "Invalid or incorrect authorization [Missing (basic) authorization header.]")
_BASIC = ("rest#authentication", "Basic")
_INVALID = ("get-coupon#bad-request", "Missing or invalid parameter.")
_NOT_FOUND = ("get-coupon#not-found", "Object not found")
_NO_RESPONSE = ("get-coupon#not-found", '"response": null')
_CODE_404 = ("get-coupon#not-found", '"code": 404')
_ENDPOINT = ("get-coupon#request", "GET/api/v3/coupon/:coupon_id")
_BY_ID = ("get-coupon#request", "retrieve a specific coupon based on its coupon_id")
_BAD_ENDPOINT = ("http-status-codes#codes", "400")
_COMMAND = ("recorded-traffic#unsupported-command", "The command requested is not supported: modify(package, 628)")

_NUMBER = re.compile(r"-?[0-9]{1,40}\Z")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(.*)\Z")
_TIME = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2})\Z")


# -- requests ----------------------------------------------------------------------------------------------------------


def _is_coupon(request: Request) -> bool:
    return request.path.startswith(_PREFIX)


def _id_of(request: Request) -> str:
    """Return the id that a request sends; empty if it asks for something else."""
    return request.path.removeprefix(_PREFIX) if _is_coupon(request) else ""


def _with_id(request: Request, coupon_id: str) -> Request:
    return replace(request, path=_PREFIX + coupon_id)


def _reading(change: Callable[[str], str]) -> Wrong:
    """Understand another id than was sent."""
    return asking(lambda request: _with_id(request, change(_id_of(request))) if _is_coupon(request) else request)


def _pair_of(request: Request) -> str:
    """Return the key pair that a request sends; empty if there is none."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        return b64decode(encoded, validate=True).decode() if scheme.lower() == "basic" else ""
    except ValueError:
        return ""


def _with_pair(request: Request, pair: str) -> Request:
    return with_headers(request, authorization=f"Basic {b64encode(pair.encode()).decode()}")


def _lending(same: Callable[[str, str], bool]) -> Wrong:
    """Let key pairs in that are like one that was let in before."""
    return lending(_pair_of, _with_pair, same)


def _halves(pair: str) -> tuple[str, str]:
    user, _, password = pair.partition(":")
    return user, password


def _short_passwords(sent: str, known: str) -> bool:
    """Tell whether two pairs agree in the user and in the first eight characters of the password."""
    (user, password), (other, right) = _halves(sent), _halves(known)
    return user == other and len(right) > 8 and password[:8] == right[:8]


def _scheme_of(request: Request) -> str:
    """Return the key pair that a request sends, or the name of the other scheme that it uses."""
    scheme = request.headers.get("authorization", "").partition(" ")[0].lower()
    return _pair_of(request) if scheme in {"", "basic"} else f"{scheme} "


def _found(_: Request, reply: Reply) -> bool:
    return reply.status == 200


def _is_unknown(_: Request, reply: Reply) -> bool:
    return reply.status == 404


# -- replies -----------------------------------------------------------------------------------------------------------


def _shown(reply: Reply, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Reply:
    """Change members of the coupon in a reply."""
    body = body_of(reply)
    return with_body(reply, {**body, "response": {**body["response"], **change(body["response"])}})


def _coupons(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Wrong:
    """Change members of every coupon that is shown."""
    return answering(_found, lambda reply: _shown(reply, change))


def _without(gone: Callable[[str, Any], bool]) -> Callable[[Reply], Reply]:
    """Leave members of a coupon out."""

    def change(reply: Reply) -> Reply:
        body = body_of(reply)
        return with_body(reply, {**body, "response": without(body["response"], gone)})

    return change


def _coupon_in(reply: Reply) -> dict[str, Any]:
    shown: dict[str, Any] = body_of(reply)["response"]
    return shown


def _no_such(right: Handler, request: Request) -> Reply:
    """Answer as if the id were unknown."""
    return right(_with_id(request, "0"))


def _month_first(shown: dict[str, Any]) -> dict[str, Any]:
    """Swap the day and the month where both could be either."""
    match = _DATE.match(shown["write_datetime"])
    if match is None or int(match[3]) > 12:
        return {}
    return {"write_datetime": f"{match[1]}-{match[3]}-{match[2]}{match[4]}"}


def _months_for_minutes(shown: dict[str, Any]) -> dict[str, Any]:
    """Write the month where the minutes belong."""
    match = _TIME.match(shown["write_datetime"])
    return {"write_datetime": f"{match[1]}-{match[2]}-{match[3]} {match[4]}:{match[2]}:{match[6]}"} if match else {}


# -- what is kept ------------------------------------------------------------------------------------------------------


def _every_second_unchanged(right: Handler) -> Handler:
    """Say every second time that a coupon has not changed, to clients that did not ask for that."""
    memory = Memory()

    def handle(request: Request) -> Reply:
        reply = right(request)
        if reply.status != 200:
            return reply
        kept, place = memory.of(request.namespace), (request.path, _pair_of(request))
        kept[place] = kept.get(place, 0) + 1
        return reply if kept[place] % 2 else replace(reply, status=304, body=b"")

    return handle


def _next_is_free(right: Handler) -> Handler:
    """Let the public key of the client before in once more, whatever its private key."""
    memory = Memory()

    def handle(request: Request) -> Reply:
        reply = right(request)
        kept, pair = memory.of(request.namespace), _pair_of(request)
        before = kept.pop("pair", None)
        if reply.status == 200:
            kept["pair"] = pair
        elif reply.status == 401 and before and _halves(before)[0] == _halves(pair)[0]:
            return right(_with_pair(request, before))
        return reply

    return handle


def _wears_out(right: Handler) -> Handler:
    """Disable a coupon when it is read for the fifth time."""
    memory = Memory()

    def handle(request: Request) -> Reply:
        reply = right(request)
        if reply.status != 200:
            return reply
        kept, place = memory.of(request.namespace), _id_of(request)
        kept[place] = kept.get(place, 0) + 1
        return _shown(reply, lambda _: {"enabled": False}) if kept[place] >= 5 else reply

    return handle


def _kept_changes(right: Handler) -> Handler:
    """Refuse to change a coupon, and change it."""
    memory = Memory()

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        kept, place = memory.of(request.namespace), _id_of(request)
        sent = sent_json(request)
        if request.method in {"PUT", "PATCH"} and isinstance(sent, dict) and place:
            kept[place] = {name: value for name, value in sent.items() if name in {"enabled", "descrip", "code"}}
        elif reply.status == 200 and place in kept:
            return _shown(reply, lambda _: kept[place])
        return reply

    return handle


def _deleted_in_passing(right: Handler) -> Handler:
    """Refuse to delete a coupon, and find it no more."""
    memory = Memory()

    def handle(request: Request) -> Reply:
        reply = right(request)
        kept, place = memory.of(request.namespace), _id_of(request)
        if request.method == "DELETE" and place and reply.status != 401:
            kept[place] = True
        return _no_such(right, request) if reply.status == 200 and place in kept else reply

    return handle


def _code_before(_: Request, reply: Reply, before: Reply) -> Reply:
    """Leave the code of the answer before in the envelope."""
    return saying(reply, code=before.status)


def _address_before(_: Request, reply: Reply, before: Reply) -> Reply:
    """Leave the address of the coupon before in a coupon."""
    if reply.status != 200:
        return reply
    return _shown(reply, lambda __: {"write_ipaddr": _coupon_in(before)["write_ipaddr"]})


# -- whose coupon ------------------------------------------------------------------------------------------------------


def _or_disabled(right: Behaviour, call: Call, world: World) -> Answer:
    """Find what is the account's and enabled, or disabled: brackets are missing."""

    def find(found: Callable[..., Entity | None], kind: str, **members: Any) -> Entity | None:
        entity = found(kind, **members)
        if entity or kind != "coupon":
            return entity
        asked = members["coupon_id"]
        return next(
            (each for each in all_of(world, "coupon") if each["coupon_id"] == asked and not each["enabled"]), None
        )

    return misleading(find)(right)(call, world)


def _as_double(right: Behaviour, call: Call, world: World) -> Answer:
    """Find a coupon whose id is the same number in double precision."""

    def find(found: Callable[..., Entity | None], kind: str, **members: Any) -> Entity | None:
        entity = found(kind, **members)
        asked = members.get("coupon_id")
        if entity or kind != "coupon" or not isinstance(asked, int) or not 2**53 <= asked < 2**63:
            return entity
        return next(
            (
                each
                for each in all_of(world, "coupon")
                if each["account"] == members["account"] and float(each["coupon_id"]) == float(asked)
            ),
            None,
        )

    return misleading(find)(right)(call, world)


# -- at once -----------------------------------------------------------------------------------------------------------


def _mixed(right: Handler, request: Request, party: Party, place: int) -> Reply:
    """Take some members of another coupon that is being read."""
    reply = right(request)
    other = right(party.requests[place - 1 if place else 1])
    if reply.status != 200 or other.status != 200:
        return reply
    taken = {name: _coupon_in(other)[name] for name in ("descrip", "write_ipaddr")}
    return _shown(reply, lambda _: taken)


def _whose_turn(right: Handler, request: Request, party: Party, _: int) -> Reply:
    """Take a refused client for another one who is being served."""
    reply = right(request)
    others = [_pair_of(other) for other in party.requests]
    if reply.status != 401:
        return reply
    served = next((pair for pair in others if pair and right(_with_pair(request, pair)).status != 401), None)
    return right(_with_pair(request, served)) if served else reply


def _pool_empty(right: Handler, request: Request, _: Party, place: int) -> Reply:
    """Find nothing where no connection to the data base is free."""
    reply = right(request)
    return _no_such(right, request) if reply.status == 200 and place > 2 else reply


def _status_of_another(right: Handler, request: Request, party: Party, place: int) -> Reply:
    """Send one's own body with the status of another answer."""
    other = right(party.requests[place - 1 if place else 1])
    return replace(right(request), status=other.status)


# -- odd requests ------------------------------------------------------------------------------------------------------


def _unacceptable(right: Handler) -> Handler:
    """Fail where a client does not say that it takes JSON."""

    def handle(request: Request) -> Reply:
        accept = request.headers.get("accept", "") or "*/*"
        reply = right(request)
        if reply.status != 200 or "json" in accept or "*/*" in accept or "application/*" in accept:
            return reply
        return saying(_no_such(right, request), 500, code=500)

    return handle


def _echo(right: Handler) -> Handler:
    """Send back what a proxy has sent, with credentials."""

    def handle(request: Request) -> Reply:
        reply = right(request)
        if request.method != "TRACE":
            return reply
        lines = [f"TRACE {request.path} HTTP/1.1", *(f"{name}: {value}" for name, value in request.headers.items())]
        return replace(reply, status=200, media_type="message/http", body=printable("\r\n".join(lines)).encode())

    return handle


def _pair_told(right: Handler) -> Handler:
    """Tell in a refusal which key pair was refused."""

    def handle(request: Request) -> Reply:
        reply = right(request)
        if reply.status != 401 or not _pair_of(request):
            return reply
        return saying(reply, message=body_of(reply)["message"].replace("]", f" {_pair_of(request)}]"))

    return handle


def _pair_in_header(right: Handler) -> Handler:
    """Tell in a header of a 404 who has asked."""

    def handle(request: Request) -> Reply:
        reply = right(request)
        if reply.status != 404:
            return reply
        told = _pair_of(request).encode("unicode_escape").decode()
        return replace(reply, headers=(*reply.headers, ("X-Authenticated-As", told)))

    return handle


def _same_id(request: Request) -> object:
    return (request.namespace, request.method, _id_of(request)) if _is_coupon(request) else None


def _integer(text: str) -> int | None:
    return int(text) if _NUMBER.match(text) else None


def _int64(text: str) -> str:
    """Return what is left of a number in 64 bits."""
    number = _integer(text)
    if number is None or -(2**63) <= number < 2**63:
        return text
    return str((number + 2**63) % 2**64 - 2**63)


_defect = partial(Defect, "chargeover")

DEFECTS = blind(
    # -- status
    _defect(
        "unchanged-unasked",
        "Every second answer about a coupon is an empty 304, although no condition was sent.",
        handler=_every_second_unchanged,
        of="status",
        breaks=HTTP_NOT_MODIFIED,
        hard=True,
    ),
    _defect(
        "large-unknown-in-200",
        "An unknown id beyond 2^31 has the status 200 and the envelope of an error.",
        handler=answering(
            lambda request, reply: reply.status == 404 and (_integer(_id_of(request)) or 0) > 2**31,
            lambda reply: replace(reply, status=200),
        ),
        of="status",
        breaks=_NOT_FOUND,
        hard=True,
    ),
    # -- shape
    _defect(
        "false-left-out",
        "A disabled coupon has no member enabled.",
        handler=answering(_found, _without(lambda name, value: name == "enabled" and value is False)),
        of="shape",
        breaks=_ENABLED,
        hard=True,
    ),
    _defect(
        "empty-lists-null",
        "An empty list of discounts or trials is null.",
        handler=_coupons(lambda shown: {name: None for name, value in shown.items() if value == []}),
        of="shape",
        breaks=_DISCOUNT,
        hard=True,
    ),
    _defect(
        "no-item-is-empty-text",
        "A coupon without a related item has an empty text for its id.",
        handler=_coupons(lambda shown: {} if "discount_item_id" in shown else {"discount_item_id": ""}),
        of="shape",
        breaks=_ITEM,
        hard=True,
    ),
    _defect(
        "addresses-in-brackets",
        "An address of IPv6 stands in brackets.",
        handler=_coupons(
            lambda shown: {"write_ipaddr": f"[{shown['write_ipaddr']}]"} if ":" in shown["write_ipaddr"] else {}
        ),
        of="shape",
        breaks=_ADDRESS,
        hard=True,
    ),
    # -- identifiers
    _defect(
        "code-of-before",
        "The code of an answer is that of the answer before.",
        handler=remembering(lambda _: "code", lambda _, __: True, _code_before),
        of="identifiers",
        breaks=_CODE_200,
    ),
    _defect(
        "nobody-is-an-object",
        "The 404 for a negative id has an empty object for its response.",
        handler=answering(
            lambda request, reply: reply.status == 404 and _id_of(request).startswith("-"),
            lambda reply: saying(reply, response={}),
        ),
        of="identifiers",
        breaks=_NO_RESPONSE,
        hard=True,
    ),
    _defect(
        "third-unknown-is-true",
        "Every third 404 has true for its response.",
        handler=at_times(every_third, _is_unknown, lambda reply: saying(reply, response=True)),
        of="identifiers",
        breaks=_NO_RESPONSE,
        hard=True,
    ),
    _defect(
        "invalid-says-unknown-code",
        "The answer to an id that is no integer has the code 404 in its envelope.",
        handler=answering(
            lambda request, reply: reply.status == 400 and request.method == "GET" and _is_coupon(request),
            lambda reply: saying(reply, code=404),
        ),
        of="identifiers",
        breaks=_CODE_404,
    ),
    # -- credentials
    _defect(
        "eight-characters",
        "Only the first eight characters of a private key count.",
        handler=_lending(_short_passwords),
        of="credentials",
        breaks=_UNAUTHORIZED,
        hard=True,
    ),
    _defect(
        "second-colon-ends",
        "A private key ends at a colon: what follows is not looked at.",
        handler=_lending(lambda sent, known: sent.startswith(f"{known}:")),
        of="credentials",
        breaks=BASIC_PASSWORD,
        hard=True,
    ),
    _defect(
        "private-key-alone",
        "The private key alone says which account asks: any public key goes with it.",
        handler=_lending(lambda sent, known: _halves(sent)[1] == _halves(known)[1]),
        of="credentials",
        breaks=_BASIC,
        hard=True,
    ),
    _defect(
        "no-private-key",
        "An empty private key lets the public one in.",
        handler=_lending(lambda sent, known: sent == f"{_halves(known)[0]}:"),
        of="credentials",
        breaks=_UNAUTHORIZED,
        hard=True,
    ),
    _defect(
        "other-schemes-pass",
        "An authorization of any other scheme than Basic is let in as the account that was first let in.",
        handler=lending(_scheme_of, _with_pair, lambda sent, known: sent.endswith(" ") and not known.endswith(" ")),
        of="credentials",
        breaks=_REASON,
        hard=True,
    ),
    _defect(
        "next-is-free",
        "The call after one with a good key pair may have any private key.",
        handler=_next_is_free,
        of="credentials",
        breaks=_UNAUTHORIZED,
        hard=True,
    ),
    # -- routing
    _defect(
        "any-object-is-a-coupon",
        "A path of another kind of object gets the coupon with its id.",
        handler=asking(
            lambda request: (
                replace(request, path=re.sub(r"\A/api/v3/[a-z_]+/", _PREFIX, request.path))
                if not _is_coupon(request)
                else request
            )
        ),
        of="routing",
        breaks=_BAD_ENDPOINT,
        hard=True,
    ),
    _defect(
        "anything-behind-an-id",
        "A path that goes on behind an id gets the coupon.",
        handler=_reading(lambda asked: asked.partition("/")[0] or asked),
        of="routing",
        breaks=_BAD_ENDPOINT,
    ),
    # -- method
    _defect(
        "put-is-get",
        "PUT without a body gets the coupon.",
        handler=asking(
            lambda request: (
                replace(request, method="GET")
                if request.method == "PUT" and request.headers.get("content-length", "0") == "0"
                else request
            )
        ),
        of="method",
        breaks=_COMMAND,
        hard=True,
    ),
    _defect(
        "deleted-in-passing",
        "DELETE is refused, and the coupon does not exist afterwards.",
        handler=_deleted_in_passing,
        of="method",
        breaks=_COMMAND,
        hard=True,
    ),
    # -- state
    _defect(
        "wears-out",
        "A coupon is disabled from the fifth time on that it is read.",
        handler=_wears_out,
        of="state",
        breaks=HTTP_SAFE,
        hard=True,
    ),
    _defect(
        "refused-change-kept",
        "A change by PUT or PATCH is refused, and can be read afterwards.",
        handler=_kept_changes,
        of="state",
        breaks=_COMMAND,
        hard=True,
    ),
    # -- isolation
    _defect(
        "cache-of-all-accounts",
        "A coupon that was read twice is served from a cache that knows no accounts.",
        handler=cached(lambda request: _id_of(request) or None, _found, admitted=2),
        of="isolation",
        breaks=_NOT_FOUND,
        hard=True,
    ),
    _defect(
        "unknown-to-all-accounts",
        "An id that one account did not find is not found by the account that has it.",
        handler=cached(lambda request: _id_of(request) or None, _is_unknown),
        of="isolation",
        breaks=_FETCHED,
        hard=True,
    ),
    _defect(
        "disabled-for-all-accounts",
        "A disabled coupon is found by every account.",
        behaviours={_GET: behaving(_or_disabled)},
        of="isolation",
        breaks=_NOT_FOUND,
        hard=True,
    ),
    _defect(
        "address-of-before",
        "A coupon has the write_ipaddr of the coupon that was read before, whosever it is.",
        handler=remembering(lambda _: "address", _found, _address_before),
        of="isolation",
        breaks=_ADDRESS,
        hard=True,
    ),
    # -- concurrency
    _defect(
        "members-of-another",
        "A coupon that is read at the same time as another has the description and the address of that one.",
        handler=meeting(Meeting(), _is_coupon, _mixed),
        of="concurrency",
        breaks=_BY_ID,
        hard=True,
    ),
    _defect(
        "one-answer-for-an-id",
        "Who asks for an id while somebody else does gets the answer of that one, whatever the account.",
        handler=sharing(_same_id),
        of="concurrency",
        breaks=_UNAUTHORIZED,
        hard=True,
    ),
    _defect(
        "someone-elses-turn",
        "Who has a wrong key pair is served while a client with a good one is.",
        handler=meeting(Meeting(), _is_coupon, _whose_turn),
        of="concurrency",
        breaks=_UNAUTHORIZED,
        hard=True,
    ),
    _defect(
        "fourth-finds-nothing",
        "Of calls at once those beyond the third find nothing.",
        handler=meeting(Meeting(4), _is_coupon, _pool_empty),
        of="concurrency",
        breaks=_FETCHED,
        hard=True,
    ),
    _defect(
        "status-of-another",
        "An answer that is made at the same time as another has the status of that one.",
        handler=meeting(Meeting(), _is_coupon, _status_of_another),
        of="concurrency",
        breaks=_CODE_200,
        hard=True,
    ),
    # -- time
    _defect(
        "month-first",
        "Day and month of a date are swapped where both could be either.",
        handler=_coupons(_month_first),
        of="time",
        breaks=_CREATED,
        hard=True,
    ),
    _defect(
        "months-for-minutes",
        "The minutes of a time are its month.",
        handler=_coupons(_months_for_minutes),
        of="time",
        breaks=_CREATED,
    ),
    # -- limits
    _defect(
        "ids-as-doubles",
        "An id beyond 2^53 finds the coupon next to it.",
        behaviours={_GET: behaving(_as_double)},
        of="limits",
        breaks=_ID,
        hard=True,
    ),
    _defect(
        "descriptions-of-twenty-five",
        "A description ends after twenty-five characters.",
        handler=_coupons(lambda shown: {"descrip": shown["descrip"][:25]}),
        of="limits",
        breaks=_DESCRIPTION,
    ),
    _defect(
        "codes-of-eight-bytes",
        "A code ends after eight bytes.",
        handler=_coupons(lambda shown: {"code": shown["code"].encode()[:8].decode("utf-8", "ignore")}),
        of="limits",
        breaks=_CODE,
        hard=True,
    ),
    # -- robustness
    _defect(
        "ids-wrap-around",
        "An id beyond 2^63 finds the coupon that has the rest.",
        handler=_reading(_int64),
        of="robustness",
        breaks=_BY_ID,
        hard=True,
    ),
    _defect(
        "underscores-between-digits",
        "An underscore between the digits of an id is not looked at.",
        handler=_reading(lambda asked: re.sub(r"(?<=[0-9])_(?=[0-9])", "", asked).lstrip("0") or asked),
        of="robustness",
        breaks=_INVALID,
        hard=True,
    ),
    _defect(
        "first-of-several-ids",
        "Ids with commas between them get the coupon of the first.",
        handler=_reading(lambda asked: asked.partition(",")[0] or asked),
        of="robustness",
        breaks=_INVALID,
        hard=True,
    ),
    _defect(
        "line-break-after-an-id",
        "A line break behind an id is not looked at.",
        handler=_reading(lambda asked: asked.removesuffix("\n") or asked),
        of="robustness",
        breaks=_INVALID,
        hard=True,
    ),
    _defect(
        "ids-end-at-nul",
        "An id ends at a NUL: what follows is not looked at.",
        handler=_reading(lambda asked: asked.partition("\x00")[0] or asked),
        of="robustness",
        breaks=_INVALID,
        hard=True,
    ),
    _defect(
        "only-json-wanted",
        "A client that does not say that it takes JSON gets a 500.",
        handler=_unacceptable,
        of="robustness",
        breaks=_JSON,
        hard=True,
    ),
    # -- leaks
    _defect(
        "pair-told",
        "The refusal of a key pair repeats it.",
        handler=_pair_told,
        of="leaks",
        breaks=_REASON,
    ),
    _defect(
        "request-echoed",
        "TRACE sends the request back with its credentials.",
        handler=_echo,
        of="leaks",
        breaks=HTTP_TRACE,
        hard=True,
    ),
    _defect(
        "pair-in-a-header",
        "A 404 has a header with the key pair that has asked.",
        handler=_pair_in_header,
        of="leaks",
        breaks=_NOT_FOUND,
        hard=True,
    ),
)
