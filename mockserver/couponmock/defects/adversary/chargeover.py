"""How an adversary would be wrong about ChargeOver's page."""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import unquote

from couponmock.defect import Defect, asking, body_of, with_body
from couponmock.defects.adversary.crowd import crossing
from couponmock.defects.adversary.making import (
    HTTP_LENGTH,
    JSON_UNIQUE,
    URI_DECODING,
    Wrong,
    answering,
    at_times,
    every_third,
    lending,
    measured_in_characters,
    mending,
    mojibake,
    remembering,
    saying,
    sent_json,
)
from couponmock.exchange import Handler, Reply, Request
from couponmock.finding import buffered

_COUPON = "/api/v3/coupon/"
_INT32 = 2**32
_HASHED = 8
"""How much of a secret an old way to hash passwords looks at."""

_REQUEST = ("get-coupon#request", "retrieve a specific coupon based on its coupon_id")
_GET = ("get-coupon#request", "GET/api/v3/coupon/:coupon_id")
_OK = ("get-coupon#ok", "Object was fetched successfully")
_ENABLED = ("get-coupon#ok", "Enabled/disabled")
_WRITTEN = ("get-coupon#ok", "Date/time the coupon was created")
_CODE = ("get-coupon#ok", "Coupon code")
_DESCRIPTION = ("get-coupon#ok", "descrip string")
_INVALID = ("get-coupon#bad-request", "Missing or invalid parameter.")
_FALSE = ("get-coupon#bad-request", '"response": false')
_ERROR = ("get-coupon#bad-request", '"status": "Error"')
_DETAILS = ("get-coupon#bad-request", "details objectnullable")
_DENIED = ("get-coupon#unauthorized", "Authentication error")
_DENIED_BECAUSE = (
    "get-coupon#unauthorized",
    "Invalid or incorrect authorization [Missing (basic) authorization header.]",
)
_NOT_FOUND = ("get-coupon#not-found", "Object not found")
_CODE_404 = ("get-coupon#not-found", '"code": 404')
_UNSUPPORTED = ("http-status-codes#codes", "400")

_defect = partial(Defect, "chargeover")


def _found(_: Request, reply: Reply) -> bool:
    return reply.diagnosis.example == "found"


def _missing(_: Request, reply: Reply) -> bool:
    return reply.diagnosis.example == "not_found"


def _getting(request: Request) -> bool:
    return request.method == "GET" and request.path.startswith(_COUPON)


def _id(request: Request) -> str:
    return request.path.removeprefix(_COUPON)


def _with_id(request: Request, coupon_id: object) -> Request:
    return replace(request, path=f"{_COUPON}{coupon_id}")


def _shown(reply: Reply, **members: Any) -> Reply:
    body = body_of(reply)
    return with_body(reply, {**body, "response": {**body["response"], **members}})


def _showing(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Wrong:
    """Change some members of every coupon that is shown."""
    return answering(_found, lambda reply: _shown(reply, **change(body_of(reply)["response"])))


def _pair(request: Request) -> str:
    """Return the decoded key pair of a request; empty if there is none."""
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        pair = b64decode(encoded, validate=True).decode()
    except ValueError:
        return ""
    return pair if scheme.lower() == "basic" and ":" in pair else ""


def _with_pair(request: Request, pair: str) -> Request:
    return replace(request, headers={**request.headers, "authorization": f"Basic {b64encode(pair.encode()).decode()}"})


def _lending(same: Callable[[str, str, str, str], bool]) -> Wrong:
    """Let pairs in that are like one that was let in: handed the public and private key that was sent and is known."""
    return lending(
        _pair, _with_pair, lambda sent, known: ":" in sent and same(*sent.split(":", 1), *known.split(":", 1))
    )


def _any_private_key(right: Handler) -> Handler:
    """Take the private key of one account for another's."""
    pairs: dict[str, str] = {}

    def handle(request: Request) -> Reply:
        reply = right(request)
        public, _, private = _pair(request).partition(":")
        if reply.status == 200:
            pairs[public] = private
        elif reply.status == 401 and public in pairs and private in pairs.values():
            return right(_with_pair(request, f"{public}:{pairs[public]}"))
        return reply

    return handle


def _naming_the_key(right: Handler) -> Handler:
    """Name the private key to who knows the public one."""
    pairs: dict[str, str] = {}

    def handle(request: Request) -> Reply:
        reply = right(request)
        public, _, private = _pair(request).partition(":")
        if reply.status == 200:
            pairs[public] = private
        elif reply.status == 401 and public in pairs:
            return saying(reply, message=f"Invalid or incorrect authorization [Key is not {pairs[public]}.]")
        return reply

    return handle


def _american(coupon: dict[str, Any]) -> dict[str, Any]:
    year, month, rest = coupon["write_datetime"].split("-")
    day, _, time = rest.partition(" ")
    return {"write_datetime": f"{month}/{day}/{year} {time}"} if year < "2022" else {}


def _an_hour_later(reply: Reply) -> Reply:
    date, _, time = body_of(reply)["response"]["write_datetime"].partition(" ")
    return _shown(reply, write_datetime=f"{date} {(int(time[:2]) + 1) % 24:02}{time[2:]}")


def _enabled_twice(reply: Reply) -> Reply:
    return replace(reply, body=reply.body.replace(b'"enabled": ', b'"enabled": null, "enabled": '))


def _still_missing(request: Request, reply: Reply, before: Reply) -> Reply:
    return before if _found(request, reply) and before.diagnosis.example == "not_found" else reply


def _hexadecimal(request: Request) -> Request | None:
    return _with_id(request, int(_id(request), 16)) if re.fullmatch("0[xX][0-9a-fA-F]{1,16}", _id(request)) else None


def _any_digits(request: Request) -> Request | None:
    digits = _id(request)
    return _with_id(request, int(digits[:100])) if digits.isdecimal() and not digits.isascii() else None


def _wrapped(request: Request) -> Request | None:
    digits = _id(request)
    return _with_id(request, int(digits[:100]) % _INT32) if digits.isdecimal() and len(digits) > 9 else None


def _without_tail(request: Request) -> Request | None:
    head, slash, _ = _id(request).partition("/")
    return _with_id(request, head) if slash and head.isdecimal() else None


def _written_by(*methods: str) -> Wrong:
    """Remember what refused commands would have written, and show it."""

    def wrap(right: Handler) -> Handler:
        written: dict[tuple[str, str], dict[str, Any]] = {}

        def handle(request: Request) -> Reply:
            request = buffered(request)
            reply = right(request)
            place = (request.namespace, request.path)
            sent = sent_json(request)
            if request.method in methods and reply.status >= 400 and isinstance(sent, dict):
                written[place] = {name: sent[name] for name in ("code", "descrip") if name in sent}
            return _shown(reply, **written[place]) if _found(request, reply) and place in written else reply

        return handle

    return wrap


def _deleting(right: Handler) -> Handler:
    """Show a coupon as disabled after a DELETE that was refused."""
    deleted: set[tuple[str, str]] = set()

    def handle(request: Request) -> Reply:
        reply = right(request)
        place = (request.namespace, request.path)
        if request.method == "DELETE":
            deleted.add(place)
        return _shown(reply, enabled=False) if _found(request, reply) and place in deleted else reply

    return handle


def _others_forbidden(right: Handler) -> Handler:
    """Tell apart what does not exist and what another account has."""
    seen: dict[tuple[str, str], str] = {}

    def handle(request: Request) -> Reply:
        reply = right(request)
        if _found(request, reply):
            seen[request.namespace, request.path] = _pair(request)
        if _missing(request, reply) and seen.get((request.namespace, request.path), "") != "":
            return saying(reply, 403, code=403)
        return reply

    return handle


DEFECTS: tuple[Defect, ...] = (
    # -- status
    _defect(
        "not-found-succeeds",
        "An unknown id has the status 200; only the body says 404.",
        handler=answering(_missing, lambda reply: replace(reply, status=200)),
        of="status",
        breaks=_NOT_FOUND,
    ),
    _defect(
        "once-missing",
        "The first coupon that is fetched after an unknown id is not found either.",
        handler=remembering(lambda _: "before", lambda request, _: _getting(request), _still_missing),
        of="status",
        breaks=_OK,
        hard=True,
    ),
    # -- identifiers
    _defect(
        "denied-in-small-letters",
        "The status of a wrong key pair's refusal is in small letters; that of a missing one is right.",
        handler=answering(
            lambda request, reply: reply.status == 401 and "authorization" in request.headers,
            lambda reply: saying(reply, status="error"),
        ),
        of="identifiers",
        breaks=_ERROR,
        hard=True,
        held_out=True,
    ),
    _defect(
        "not-found-is-code-400",
        "The code of an unknown id is 400 in the body.",
        handler=answering(_missing, lambda reply: saying(reply, code=400)),
        of="identifiers",
        breaks=_CODE_404,
    ),
    # -- shape
    _defect(
        "code-as-text",
        "The code of an unknown id is a text.",
        handler=answering(_missing, lambda reply: saying(reply, code="404")),
        of="shape",
        breaks=_CODE_404,
    ),
    _defect(
        "unsupported-response-true",
        "response is true in the refusal of a command that coupons do not support.",
        handler=answering(lambda request, _: request.method != "GET", lambda reply: saying(reply, response=True)),
        of="shape",
        breaks=_FALSE,
        hard=True,
        held_out=True,
    ),
    _defect(
        "american-dates",
        "write_datetime of coupons from before 2022 begins with the month.",
        handler=_showing(_american),
        of="shape",
        breaks=_WRITTEN,
        hard=True,
    ),
    _defect(
        "descriptions-encoded-twice",
        "Descriptions beyond ASCII are encoded twice.",
        handler=_showing(lambda coupon: {"descrip": mojibake(coupon["descrip"])}),
        of="shape",
        breaks=_DESCRIPTION,
        hard=True,
    ),
    _defect(
        "enabled-twice",
        "A coupon has two members enabled, the first of them null.",
        handler=answering(_found, _enabled_twice),
        of="shape",
        breaks=JSON_UNIQUE,
        hard=True,
        held_out=True,
    ),
    # -- credentials
    _defect(
        "private-key-any-case",
        "A private key is let in whose letters differ in case from the right one, once that was let in.",
        handler=_lending(
            lambda public, private, known_public, known: (
                public == known_public and private.casefold() == known.casefold()
            )
        ),
        of="credentials",
        breaks=_DENIED,
        hard=True,
    ),
    _defect(
        "private-key-cut",
        "Of a private key only the first eight characters count, once the right one was let in.",
        handler=_lending(
            lambda public, private, known_public, known: public == known_public and private[:_HASHED] == known[:_HASHED]
        ),
        of="credentials",
        breaks=_DENIED,
        hard=True,
    ),
    _defect(
        "keys-swapped",
        "A key pair is let in the wrong way round too, once it was let in the right way.",
        handler=_lending(lambda public, private, known_public, known: (public, private) == (known, known_public)),
        of="credentials",
        breaks=_DENIED,
        hard=True,
        held_out=True,
    ),
    # -- routing
    _defect(
        "id-decoded-twice",
        "A coupon_id is percent-decoded twice.",
        handler=asking(lambda request: replace(request, path=unquote(request.path))),
        of="routing",
        breaks=URI_DECODING,
        hard=True,
    ),
    _defect(
        "path-goes-on",
        "What follows a coupon's id and a slash is ignored.",
        handler=mending(lambda reply: reply.status == 400, _without_tail),
        of="routing",
        breaks=_UNSUPPORTED,
    ),
    # -- method
    _defect(
        "post-fetches",
        "A POST is answered as a GET.",
        handler=mending(
            lambda reply: reply.status == 400,
            lambda request: replace(request, method="GET") if request.method == "POST" else None,
        ),
        of="method",
        breaks=_GET,
        held_out=True,
    ),
    _defect(
        "delete-disables",
        "DELETE is refused as it should, but the coupon is shown as disabled from then on.",
        handler=_deleting,
        of="method",
        breaks=_ENABLED,
        hard=True,
    ),
    # -- state
    _defect(
        "put-writes",
        "PUT and PATCH are refused as they should, but their code and descrip are shown from then on.",
        handler=_written_by("PUT", "PATCH"),
        of="state",
        breaks=_CODE,
        hard=True,
    ),
    _defect(
        "third-fetch-disabled",
        "Every third coupon that is fetched, whichever it is, has the other value of enabled.",
        handler=at_times(
            every_third,
            _found,
            lambda reply: _shown(reply, enabled=not body_of(reply)["response"]["enabled"]),
        ),
        of="state",
        breaks=_ENABLED,
        hard=True,
        held_out=True,
    ),
    # -- time
    _defect(
        "third-fetch-later",
        "In every third answer a coupon was created an hour later.",
        handler=at_times(every_third, _found, _an_hour_later),
        of="time",
        breaks=_WRITTEN,
        hard=True,
    ),
    # -- isolation
    _defect(
        "any-private-key",
        "A public key is let in with the private key of another account.",
        handler=_any_private_key,
        of="isolation",
        breaks=_DENIED,
        hard=True,
    ),
    _defect(
        "others-forbidden",
        "An id that another account has fetched is 403 instead of 404.",
        handler=_others_forbidden,
        of="isolation",
        breaks=_NOT_FOUND,
        hard=True,
        held_out=True,
    ),
    # -- limits
    _defect(
        "coupon-ids-wrap",
        "Of an unknown id only the lower 32 bits count.",
        handler=mending(lambda reply: reply.status == 404, _wrapped),
        of="limits",
        breaks=_REQUEST,
        hard=True,
    ),
    # -- concurrency
    _defect(
        "coupons-crossed",
        "Two coupons that are fetched at once are exchanged.",
        handler=crossing(_getting),
        of="concurrency",
        breaks=_REQUEST,
        hard=True,
    ),
    # -- robustness
    _defect(
        "hexadecimal-ids",
        "An id is read as hexadecimal behind 0x.",
        handler=mending(lambda reply: reply.status == 400, _hexadecimal),
        of="robustness",
        breaks=_INVALID,
        hard=True,
        held_out=True,
    ),
    _defect(
        "any-digits",
        "An id is read in the digits of any script.",
        handler=mending(lambda reply: reply.status == 400, _any_digits),
        of="robustness",
        breaks=_INVALID,
        hard=True,
    ),
    _defect(
        "bytes-crash",
        "An id that is not UTF-8 gets 500.",
        handler=answering(
            lambda request, _: any("\ud800" <= character <= "\udfff" for character in request.path),
            lambda reply: saying(reply, 500, code=500),
        ),
        of="robustness",
        breaks=_INVALID,
        hard=True,
    ),
    _defect(
        "coupon-measured-in-characters",
        "The length of an answer is told in characters: a coupon beyond ASCII is cut.",
        handler=measured_in_characters,
        of="robustness",
        breaks=HTTP_LENGTH,
        hard=True,
        held_out=True,
    ),
    # -- leaks
    _defect(
        "private-key-told",
        "The refusal of a wrong private key names the right one, once that was let in.",
        handler=_naming_the_key,
        of="leaks",
        breaks=_DENIED_BECAUSE,
        hard=True,
    ),
    _defect(
        "trace-in-details",
        "The details of an id that is no number hold a stack trace.",
        handler=answering(
            lambda _, reply: reply.diagnosis.example == "invalid_coupon_id",
            lambda reply: saying(
                reply, details={"trace": "#0 /srv/app/Api/Coupon.php(118): intval()\n#1 {main}", "db": "mysql://co@db1"}
            ),
        ),
        of="leaks",
        breaks=_DETAILS,
        hard=True,
    ),
)
