"""Usable Coupons, as wrong as it can be without being noticed."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from html import escape
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from couponmock.behaviour import Answer, Behaviour, Call, Entity, Refused, World
from couponmock.defect import Defect, all_of, asking, behaving, body_of, with_body
from couponmock.defects.adversary.crowd import crossing
from couponmock.defects.adversary.crowdtwist.parts import defect, found, gave, key_of, owned, with_key, worded
from couponmock.defects.adversary.making import (
    HTTP_LENGTH,
    JSON_NUMBERS,
    JSON_UNIQUE,
    JSON_UTF8,
    URI_DECODING,
    Misbehaving,
    Wrong,
    answering,
    at_times,
    every_third,
    lending,
    like,
    measured_in_characters,
    mending,
    mojibake,
    remembering,
    rows_of,
    saying,
    where,
)
from couponmock.exchange import Handler, Reply, Request
from couponmock.finding import buffered

_LIST = "listUsableCoupons"
_DAY = 86_400
_INT32 = 2**32

_USABLE = (
    "usable-coupons#request-details",
    "a list of reward coupons which are available for use by a given program member",
)
_ASSIGNED = ("usable-coupons#request-details", "assigned to the user through reward redemption")
_UNREDEEMED = ("usable-coupons#request-details", "it has not yet itself been redeemed")
_UNEXPIRED = ("usable-coupons#request-details", "its expiration date (if it has one) has not yet passed")
_USER = ("usable-coupons#url-parameters", "Unique ID of the user")
_KEY = ("usable-coupons#query-parameters", "api_key QWERTYUIOP Yes String")
_DEFAULT = ("usable-coupons#query-parameters", "default ID if id_type is not specified")
_NUMERIC = ("usable-coupons#successful-response", "Numeric")
_ORDER = (
    "usable-coupons#successful-response",
    "The ID of the redemption order record",
)
_NEVER = (
    "usable-coupons#successful-response",
    "the Unix timestamp when it will expire (otherwise null)",
)
_NO_DAYS = ("usable-coupons#successful-response", "null if expiration is not performed")
_GENERATED = ("usable-coupons#successful-response", "The Unix timestamp of when the coupon was originally generated")
_BALANCE = (
    "usable-coupons#successful-response",
    "redeemable points balance after the redemption order that resulted in the coupon assignment",
)
_CATEGORY = ("usable-coupons#successful-response", "coupon_category_name     String[50]")
_TITLE = ("usable-coupons#successful-response", "reward_title     String[100]")
_SENTENCE = ("usable-coupons#error-response", "A short, descriptive sentence detailing the error.")
_CODE = ("usable-coupons#error-response", "A machine readable code that describes the error.")
_PARAMETER = (
    "usable-coupons#error-response-codes",
    "param_error A missing or invalid parameter is included in the request.",
)
_INPUT = ("usable-coupons#error-response-codes", "input_error The input provided in invalid or formatted incorrectly.")
_NO_PAGE = (
    "usable-coupons#error-response-codes",
    "page_not_found The requested page does not exist or has been removed.",
)
_NOBODY = ("usable-coupons#sample-error-response", "User does not exist.")

_NO_EXPIRATION = ("coupon_category_expiration_days", None)

Row = Mapping[str, Any]
"""A coupon as the list shows it."""


def _listing(request: Request) -> bool:
    return request.method == "GET" and request.path.endswith("/usable_coupons")


def _listed(_: Request, reply: Reply) -> bool:
    return reply.diagnosis.operation == _LIST and reply.status == 200


def _rows(change: Callable[[int, Row], Row]) -> Wrong:
    """Show some members of coupons with other values, by their place from the end of the list."""
    return answering(_listed, lambda reply: rows_of(reply, change))


def _lists(change: Callable[[list[Row]], Any]) -> Wrong:
    """Answer with something else than the right list."""
    return answering(_listed, lambda reply: with_body(reply, change(body_of(reply))))


def _id_type(request: Request) -> str:
    return dict(parse_qsl(request.query)).get("id_type", "")


def _user(request: Request) -> str:
    return request.path.removeprefix("/v2/users/").removesuffix("/usable_coupons")


def _as_user(request: Request, user_id: str, id_type: str | None = None) -> Request:
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    if id_type:
        query["id_type"] = id_type
    return replace(request, path=f"/v2/users/{user_id}/usable_coupons", query=urlencode(query))


def _unknown(id_type: str) -> Callable[[Request, Reply], bool]:
    return lambda request, reply: reply.diagnosis.example == "unknown_member" and _id_type(request) == id_type


# -- what a list shows -------------------------------------------------------------------------------------------------


def _in_milliseconds(_place: int, row: Row) -> Row:
    old = row["order_date_created"] - row["coupon_date_created"] >= 20 * _DAY
    return {"coupon_date_created": row["coupon_date_created"] * 1000} if old else {}


def _pair_mixed(place: int, row: Row) -> Row:
    return {"reward_order_id": row["redeem_order_id"]} if place == 1 else {}


def _without_mixed(rows: list[Row]) -> list[Row]:
    return [
        {name: value for name, value in row.items() if name != "redeem_order_id" or "reward_order_id" not in row}
        for row in rows
    ]


def _last_is_nan(reply: Reply) -> Reply:
    rows = body_of(reply)
    if len(rows) <= 20:
        return reply
    return replace(
        reply, body=json.dumps([*rows[:-1], {**rows[-1], "ending_balance": float("nan")}], ensure_ascii=False).encode()
    )


def _code_twice(reply: Reply) -> Reply:
    return replace(reply, body=reply.body.replace(b'"code": ', b'"code": "", "code": '))


def _latin(reply: Reply) -> Reply:
    return replace(reply, body=reply.body.decode().encode("latin-1", "replace"))


def _balance_of_before(_request: Request, reply: Reply, before: Reply) -> Reply:
    rows, other = body_of(reply), body_of(before)
    if not _listed(_request, reply) or not rows or not other:
        return reply
    return with_body(reply, [{**rows[0], "ending_balance": other[0]["ending_balance"]}, *rows[1:]])


# -- what is in a list -------------------------------------------------------------------------------------------------


def _adding(more: Callable[[Entity, Call, World], bool]) -> Misbehaving:
    """List more coupons of the member than the usable ones, of which there have to be some."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        answer = right(call, world)
        if not answer.body:
            return answer
        member = world.find("member", client=call.principal, **{call.parameters["id_type"]: call.parameters["user_id"]})
        codes = {row["code"] for row in answer.body}
        added = [
            {name: coupon.data[name] for name in answer.body[0]}
            for coupon in owned(call, world, member)
            if coupon["code"] not in codes and coupon["state"] == "issued" and more(coupon, call, world)
        ]
        return replace(answer, body=[*answer.body, *added])

    return behaving(changed)


def _dropping(which: Callable[[Row, World], bool]) -> Misbehaving:
    """Leave usable coupons out."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        answer = right(call, world)
        rows = [row for row in answer.body or () if not which(row, world)]
        return replace(answer, example="usable_coupons" if rows else "none_usable", body=rows)

    return behaving(changed)


def _a_minute_late(coupon: Entity, _call: Call, world: World) -> bool:
    return coupon["date_to_expire"] is not None and world.now - 60 < coupon["date_to_expire"]


def _of_many(coupon: Entity, call: Call, world: World) -> bool:
    return len(owned(call, world, Entity("member", coupon["owner"], {}))) > 20


def _last_day(row: Row, world: World) -> bool:
    return row["date_to_expire"] is not None and row["date_to_expire"] - world.now <= _DAY


def _once(right: Handler) -> Handler:
    """Keep the first list of each e-mail."""
    first: dict[tuple[str, ...], Reply] = {}

    def handle(request: Request) -> Reply:
        reply = right(request)
        if not _listed(request, reply) or _id_type(request) != "email":
            return reply
        return first.setdefault((request.namespace, request.path, request.query), reply)

    return handle


def _late_after_unuse(right: Handler) -> Handler:
    """Answer the first list after a coupon was unused as the one before."""
    last: dict[tuple[str, str, str], Reply] = {}
    behind: set[str] = set()

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        if reply.diagnosis.example == "unused":
            behind.add(request.namespace)
        if not _listed(request, reply):
            return reply
        place = (request.namespace, request.path, request.query)
        before = last.get(place, reply)
        last[place] = reply
        if request.namespace not in behind:
            return reply
        behind.discard(request.namespace)
        return before

    return handle


def _shown_once(right: Handler) -> Handler:
    """Show an unused coupon in one list, and in none after it."""
    unused: dict[tuple[str, str], int] = {}

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        if reply.diagnosis.example == "unused":
            unused[request.namespace, json.loads(request.read(1 << 20) or b"{}")["coupon_value"]] = 0
        if not _listed(request, reply):
            return reply
        rows = []
        for row in body_of(reply):
            place = (request.namespace, row["code"])
            times = unused.get(place, -1)
            if times >= 0:
                unused[place] = times + 1
            if times < 1:
                rows.append(row)
        return with_body(reply, rows)

    return handle


# -- whose list it is --------------------------------------------------------------------------------------------------


def _instead(other: Callable[[Call, World], Mapping[str, str] | None]) -> Misbehaving:
    """List the coupons of somebody else if the right member does not exist.

    Args:
        other: Returns the id and, if it is another one, its type; None for nobody.
    """

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        try:
            return right(call, world)
        except Refused as refused:
            found_instead = other(call, world) if refused.problem == "unknown_member" else None
            if found_instead is None:
                raise
            return right(replace(call, parameters={**call.parameters, **found_instead}), world)

    return behaving(changed)


def _by(applies: Callable[[str, str], bool], *id_types: str) -> Callable[[Call, World], Mapping[str, str] | None]:
    """Look for the first member whose id passes for the one that was sent."""

    def other(call: Call, world: World) -> Mapping[str, str] | None:
        id_type, sent = call.parameters["id_type"], call.parameters["user_id"]
        if id_type not in id_types:
            return None
        for member in all_of(world, "member"):
            if member["client"] == call.principal and member[id_type] and applies(sent, member[id_type]):
                return {"user_id": member[id_type]}
        return None

    return other


def _same_mailbox(sent: str, known: str) -> bool:
    return sent.partition("@")[0] == known.partition("@")[0]


def _same_pattern(sent: str, known: str) -> bool:
    return any(sign in sent for sign in "%_*") and like(sent, known)


def _wrapping(call: Call, _world: World) -> Mapping[str, str] | None:
    sent = call.parameters["user_id"]
    if call.parameters["id_type"] != "id" or int(sent[:100]) < _INT32:
        return None
    return {"user_id": str(int(sent[:100]) % _INT32)}


def _digits(request: Request) -> Request | None:
    sent = _user(request)
    digits = sent[: len(sent) - len(sent.lstrip("0123456789"))]
    return _as_user(request, digits) if digits and "@" not in sent else None


def _own_id(call: Call, _world: World) -> Mapping[str, str] | None:
    return {"id_type": "id"} if call.parameters["id_type"] == "third_party_id" else None


def _type_of_before(right: Handler) -> Handler:
    """Take the id_type of the request before, where none is sent."""
    last: dict[str, str] = {}

    def handle(request: Request) -> Reply:
        if not _listing(request):
            return right(request)
        id_type = _id_type(request)
        if not id_type and request.namespace in last:
            return right(_as_user(request, _user(request), last[request.namespace]))
        reply = right(request)
        if reply.status == 200 and id_type:
            last[request.namespace] = id_type
        return reply

    return handle


def _kept_for_all(right: Handler) -> Handler:
    """Keep lists by member, whosever key they were asked with, until a coupon is unused."""
    kept: dict[tuple[str, str, str], Reply] = {}

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        if reply.diagnosis.example == "unused":
            kept.clear()
        if not _listed(request, reply):
            return reply
        return kept.setdefault((request.namespace, request.path, _id_type(request)), reply)

    return handle


def _first_key_only(right: Handler) -> Handler:
    """Show nothing to a client's second key."""
    first: dict[tuple[str, str], str] = {}

    def handle(request: Request) -> Reply:
        reply = right(request)
        if not _listed(request, reply):
            return reply
        key = first.setdefault((request.namespace, request.path), key_of(request))
        return reply if key_of(request) in {key, ""} else with_body(reply, [])

    return handle


def _nothing_to_hide(right: Handler) -> Handler:
    """Let anybody see a list that is empty."""
    lent = lending(key_of, with_key, lambda sent, _: bool(sent))(right)

    def handle(request: Request) -> Reply:
        if not _listing(request):
            return right(request)
        reply = lent(request)
        return reply if reply.diagnosis.example == "none_usable" else right(request)

    return handle


def _cookie_key(request: Request) -> Request | None:
    cookies = dict(pair.strip().partition("=")[::2] for pair in request.headers.get("cookie", "").split(";"))
    return with_key(request, cookies["api_key"]) if cookies.get("api_key") else None


def _suggesting(right: Handler) -> Handler:
    """Name a member that was asked for before to who asks for one that does not exist."""
    names: dict[str, str] = {}

    def handle(request: Request) -> Reply:
        reply = right(request)
        if _listed(request, reply):
            names[request.namespace] = _user(request)
        if reply.diagnosis.example == "unknown_member" and request.namespace in names:
            return saying(reply, message=f"User does not exist. Did you mean {names[request.namespace]}?")
        return reply

    return handle


def _without_tail(request: Request) -> Request | None:
    head, found_tail, _ = request.path.partition("/usable_coupons/")
    return replace(request, path=f"{head}/usable_coupons") if found_tail else None


def _emptying(right: Handler) -> Handler:
    """Show no coupon of a member any more after a DELETE that was refused."""
    emptied: set[tuple[str, str]] = set()

    def handle(request: Request) -> Reply:
        reply = right(request)
        if request.method == "DELETE" and reply.diagnosis.finding == "method_not_allowed":
            emptied.add((request.namespace, request.path))
        gone = _listed(request, reply) and (request.namespace, request.path) in emptied
        return with_body(reply, []) if gone else reply

    return handle


DEFECTS: tuple[Defect, ...] = (
    # -- status
    defect(
        "empty-list-no-content",
        "A list without coupons is 204 without a body.",
        handler=answering(gave("none_usable"), lambda reply: replace(reply, status=204, body=b"")),
        of="status",
        breaks=_USABLE,
        held_out=True,
    ),
    defect(
        "unknown-email-nobody",
        "A member that does not exist gets an empty list, if asked for by e-mail.",
        handler=answering(_unknown("email"), lambda reply: replace(with_body(reply, []), status=200)),
        of="status",
        breaks=_NOBODY,
        hard=True,
    ),
    # -- identifiers
    defect(
        "unknown-username-no-data",
        "A member that does not exist is no_data, if asked for by user name.",
        handler=worded(_unknown("username"), error="no_data"),
        of="identifiers",
        breaks=_NOBODY,
        hard=True,
    ),
    defect(
        "param-error-capitalised",
        "An invalid id_type is Param_Error.",
        handler=worded(found("invalid query:id_type"), error="Param_Error"),
        of="identifiers",
        breaks=_PARAMETER,
        held_out=True,
    ),
    defect(
        "third-party-swapped",
        "error and message are swapped for a member that does not exist, if asked for by third party id.",
        handler=answering(
            _unknown("third_party_id"),
            lambda reply: saying(reply, error=body_of(reply)["message"], message=body_of(reply)["error"]),
        ),
        of="identifiers",
        breaks=_CODE,
        hard=True,
    ),
    # -- shape
    defect(
        "one-is-no-list",
        "A list of one coupon is the coupon.",
        handler=_lists(lambda rows: rows[0] if len(rows) == 1 else rows),
        of="shape",
        breaks=_USABLE,
        hard=True,
    ),
    defect(
        "waited-in-milliseconds",
        "coupon_date_created is in milliseconds if the coupon waited for twenty days or more.",
        handler=_rows(_in_milliseconds),
        of="shape",
        breaks=_GENERATED,
        hard=True,
        held_out=True,
    ),
    defect(
        "last-batch-padded",
        "batch_num of the last coupon of a list is a text with a blank before it.",
        handler=_rows(lambda place, row: {"batch_num": f" {row['batch_num']}"} if place == 1 else {}),
        of="shape",
        breaks=_NUMERIC,
        hard=True,
    ),
    defect(
        "last-order-renamed",
        "The last coupon of a list has reward_order_id and redeem_order_coupon_id.",
        handler=lambda right: _lists(_without_mixed)(_rows(_pair_mixed)(right)),
        of="shape",
        breaks=_ORDER,
        hard=True,
    ),
    defect(
        "never-as-text",
        "date_to_expire is the text null, if the coupon never expires and others are in the list.",
        handler=_rows(lambda place, row: {"date_to_expire": "null"} if place > 1 and not row["date_to_expire"] else {}),
        of="shape",
        breaks=_NEVER,
        hard=True,
        held_out=True,
    ),
    defect(
        "no-days-left-out",
        "coupon_category_expiration_days is left out where it is null.",
        handler=_lists(
            lambda rows: [
                {name: value for name, value in row.items() if (name, value) != _NO_EXPIRATION} for row in rows
            ]
        ),
        of="shape",
        breaks=_NO_DAYS,
        hard=True,
    ),
    defect(
        "categories-escaped",
        "The name of a category is written as in HTML.",
        handler=_rows(lambda _, row: {"coupon_category_name": escape(row["coupon_category_name"])}),
        of="shape",
        breaks=_CATEGORY,
        hard=True,
    ),
    defect(
        "titles-encoded-twice",
        "Titles beyond ASCII are encoded twice.",
        handler=_rows(lambda _, row: {"reward_title": mojibake(row["reward_title"])}),
        of="shape",
        breaks=_TITLE,
        hard=True,
        held_out=True,
    ),
    defect(
        "last-balance-nan",
        "ending_balance of the last coupon of a list of more than twenty is NaN.",
        handler=answering(_listed, _last_is_nan),
        of="shape",
        breaks=JSON_NUMBERS,
        hard=True,
    ),
    defect(
        "code-twice",
        "Each coupon has two members code, the first of them empty.",
        handler=answering(_listed, _code_twice),
        of="shape",
        breaks=JSON_UNIQUE,
        hard=True,
    ),
    # -- credentials
    defect(
        "half-a-key",
        "A key is let in of which only the beginning is sent.",
        handler=where(
            _listing, lending(key_of, with_key, lambda sent, known: len(sent) > 2 and known.startswith(sent))
        ),
        of="credentials",
        breaks=_KEY,
        hard=True,
        held_out=True,
    ),
    defect(
        "key-in-cookie",
        "Without a key in the query, a cookie api_key is taken.",
        handler=mending(
            lambda reply: (
                reply.diagnosis.operation == _LIST
                and reply.diagnosis.finding == "credential_missing credential:api_key"
            ),
            _cookie_key,
        ),
        of="credentials",
        breaks=_KEY,
        hard=True,
    ),
    defect(
        "second-key-sees-nothing",
        "Of two keys of a client, the one that asks for a member later gets an empty list.",
        handler=_first_key_only,
        of="credentials",
        breaks=_USABLE,
        hard=True,
    ),
    defect(
        "empty-list-needs-no-key",
        "With a wrong key, a member whose list is empty gets it.",
        handler=_nothing_to_hide,
        of="credentials",
        breaks=_KEY,
        hard=True,
        held_out=True,
    ),
    # -- routing
    defect(
        "decoded-twice",
        "A user_id is percent-decoded twice.",
        handler=where(_listing, asking(lambda request: replace(request, path=unquote(request.path)))),
        of="routing",
        breaks=URI_DECODING,
        hard=True,
    ),
    defect(
        "tail-ignored",
        "What follows /usable_coupons/ in a path is ignored.",
        handler=mending(lambda reply: reply.diagnosis.finding == "unrouted", _without_tail),
        of="routing",
        breaks=_NO_PAGE,
    ),
    # -- method
    defect(
        "list-by-post",
        "A POST is answered with the list.",
        handler=mending(
            lambda reply: reply.diagnosis.finding == "method_not_allowed",
            lambda request: (
                replace(request, method="GET")
                if request.method == "POST" and request.path.endswith("/usable_coupons")
                else None
            ),
        ),
        of="method",
        breaks=("unuse#error-response-codes", "HTTP method not supported"),
        held_out=True,
    ),
    defect(
        "delete-empties",
        "DELETE is refused as it should, but the member's list is empty from then on.",
        handler=_emptying,
        of="method",
        breaks=_USABLE,
        hard=True,
    ),
    # -- state
    defect(
        "third-list-short",
        "Every third list of more than three coupons lacks its last one.",
        handler=at_times(
            every_third,
            lambda request, reply: _listed(request, reply) and len(body_of(reply)) > 3,
            lambda reply: with_body(reply, body_of(reply)[:-1]),
        ),
        of="state",
        breaks=_USABLE,
        hard=True,
    ),
    defect(
        "late-after-unuse",
        "The first list after a coupon was unused is the one before.",
        handler=_late_after_unuse,
        of="state",
        breaks=_UNREDEEMED,
        hard=True,
        held_out=True,
    ),
    defect(
        "kept-by-email",
        "A list that is asked for by e-mail stays as it was the first time.",
        handler=_once,
        of="state",
        breaks=_UNREDEEMED,
        hard=True,
    ),
    defect(
        "shown-once",
        "A coupon that was unused is in the next list, and in none after it.",
        handler=_shown_once,
        of="state",
        breaks=("unuse#request-details", "mark a coupon as “unused”, available to be used again"),
        hard=True,
    ),
    # -- time
    defect(
        "last-day-missing",
        "A coupon that expires within a day is not listed.",
        {_LIST: _dropping(_last_day)},
        of="time",
        breaks=_UNEXPIRED,
        hard=True,
        held_out=True,
    ),
    defect(
        "a-minute-late",
        "A coupon is listed for another minute after it has expired.",
        {_LIST: _adding(_a_minute_late)},
        of="time",
        breaks=_UNEXPIRED,
        hard=True,
    ),
    defect(
        "many-never-expire",
        "Coupons of members who have more than twenty are listed after they have expired.",
        {_LIST: _adding(_of_many)},
        of="time",
        breaks=_UNEXPIRED,
        hard=True,
    ),
    # -- isolation
    defect(
        "kept-for-all-keys",
        "A list is remembered by member: another client that has a member of the same id gets it.",
        handler=_kept_for_all,
        of="isolation",
        breaks=_ASSIGNED,
        hard=True,
        held_out=True,
    ),
    defect(
        "balance-of-before",
        "ending_balance of the first coupon is that of the list that was asked for before.",
        handler=remembering(lambda _: "list", _listed, _balance_of_before),
        of="isolation",
        breaks=_BALANCE,
        hard=True,
    ),
    defect(
        "any-mail-domain",
        "Of an e-mail address only what stands before the @ counts.",
        {_LIST: _instead(_by(_same_mailbox, "email"))},
        of="isolation",
        breaks=_USER,
        hard=True,
    ),
    defect(
        "type-of-before",
        "Without an id_type, the one of the request before is taken.",
        handler=_type_of_before,
        of="isolation",
        breaks=_DEFAULT,
        hard=True,
        held_out=True,
    ),
    defect(
        "third-party-falls-back",
        "A third party id that nobody has is looked for among the CrowdTwist ids.",
        {_LIST: _instead(_own_id)},
        of="isolation",
        breaks=_USER,
        hard=True,
    ),
    # -- limits
    defect(
        "ids-wrap",
        "Of a CrowdTwist id only the lower 32 bits count.",
        {_LIST: _instead(_wrapping)},
        of="limits",
        breaks=_USER,
        hard=True,
    ),
    # -- concurrency
    defect(
        "lists-crossed",
        "Two lists that are asked for at once are exchanged.",
        handler=crossing(_listing),
        of="concurrency",
        breaks=_ASSIGNED,
        hard=True,
        held_out=True,
    ),
    # -- robustness
    defect(
        "letters-behind-id",
        "What follows the digits of a CrowdTwist id is ignored.",
        handler=mending(lambda reply: reply.diagnosis.example == "malformed_user_id", _digits),
        of="robustness",
        breaks=_INPUT,
        hard=True,
    ),
    defect(
        "member-patterns",
        "A user name or e-mail address with %, _ or * finds the first member that it fits.",
        {_LIST: _instead(_by(_same_pattern, "email", "username"))},
        of="robustness",
        breaks=_NOBODY,
        hard=True,
    ),
    defect(
        "list-in-latin-1",
        "A list is encoded in Latin-1.",
        handler=answering(_listed, _latin),
        of="robustness",
        breaks=JSON_UTF8,
        hard=True,
        held_out=True,
    ),
    defect(
        "list-measured-in-characters",
        "The length of a list is told in characters: one beyond ASCII is cut.",
        handler=where(_listing, measured_in_characters),
        of="robustness",
        breaks=HTTP_LENGTH,
        hard=True,
    ),
    # -- leaks
    defect(
        "apostrophe-tells-sql",
        "An e-mail address with an apostrophe is internal_error, and the message is the SQL statement.",
        handler=worded(
            lambda request, reply: reply.diagnosis.example == "unknown_member" and "'" in request.path,
            500,
            error="internal_error",
            message="unterminated quoted string: SELECT * FROM member WHERE email = ?",
        ),
        of="leaks",
        breaks=_NOBODY,
        hard=True,
    ),
    defect(
        "others-suggested",
        "Who asks for a member that does not exist is told the last one that does.",
        handler=_suggesting,
        of="leaks",
        breaks=_SENTENCE,
        hard=True,
        held_out=True,
    ),
    defect(
        "id-type-trace",
        "The message of an invalid id_type is a stack trace.",
        handler=worded(
            found("invalid query:id_type"),
            message='Traceback (most recent call last):\n  File "/srv/app/users.py", line 77, in find\nKeyError',
        ),
        of="leaks",
        breaks=_SENTENCE,
        hard=True,
    ),
)
