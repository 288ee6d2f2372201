"""Broken ways to list a member's coupons."""

import json
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from couponmock.behaviour import Call, World
from couponmock.defect import all_of, body_of
from couponmock.defects.adversary.making import Misbehaving, Wrong, answering, lending, saying, where
from couponmock.defects.second.crowdtwist.parts import (
    ASSIGNED,
    LIST,
    LIST_KEY,
    USABLE,
    defect,
    is_list,
    key_of,
    lists,
    member_of,
)
from couponmock.defects.second.making import asked_with, cached, listed, with_query
from couponmock.defects.second.meeting import Meeting, Party, meeting
from couponmock.defects.third.making import asking_for, first_of, object_in, second_try, with_error
from couponmock.exchange import Handler, Reply, Request

_NUMERIC = ("usable-coupons#successful-response", "Numeric")
_EXPIRY = ("usable-coupons#successful-response", "If the coupon will expire, the Unix timestamp when it will expire")
_NOT_PASSED = ("usable-coupons#request-details", "its expiration date (if it has one) has not yet passed")
_MEMBER = ("usable-coupons#url-parameters", "Unique ID of the user")
_ID_TYPE = ("usable-coupons#query-parameters", "id_type email No String")
_ERROR = ("usable-coupons#error-response", "A machine readable code that describes the error.")
_FAULT = ("usable-coupons#error-response-codes", "internal_error Something went wrong on our end.")

_TIMES = ("date_to_expire", "order_date_created", "coupon_date_created")
_NEW_YORK = -5 * 3600
_LAST_SECOND = 2**31 - 1
_EXCEPTION = (
    "OperationalError: could not connect: postgresql://crowdtwist:c0up0ns@db-3.internal:5432/rewards"
    " (rewards/models/coupon.py, line 214)"
)

Row = dict[str, Any]


# -- requests ----------------------------------------------------------------------------------------------------------


def _names(request: Request) -> set[str]:
    pairs = parse_qsl(request.query, keep_blank_values=True, errors="surrogateescape")
    return {name for name, _ in pairs}


def _key_or_array(request: Request) -> str:
    return "[]" if "api_key[]" in _names(request) else key_of(request)


def _place(request: Request) -> Any:
    return (member_of(request), asked_with(request, "id_type"), key_of(request)) if is_list(request) else None


# -- replies -----------------------------------------------------------------------------------------------------------


def _rows(change: Callable[[Row], Row]) -> Wrong:
    """Change members of every coupon of a list."""
    return answering(lists, lambda reply: listed(reply, lambda rows: [{**row, **change(row)} for row in rows]))


def _grouped(row: Row) -> Row:
    balance = row["ending_balance"]
    return {"ending_balance": f"{balance:,}"} if isinstance(balance, int) and balance >= 1000 else {}


def _in_new_york(row: Row) -> Row:
    return {name: row[name] + _NEW_YORK for name in _TIMES if isinstance(row[name], int)}


def _a_line_each(reply: Reply) -> Reply:
    rows = [json.dumps(row, ensure_ascii=False).encode() for row in body_of(reply)]
    return replace(reply, body=b"\n".join(rows)) if rows else reply


def _in_time(row: Row) -> bool:
    expires = row["date_to_expire"]
    return not isinstance(expires, int) or expires <= _LAST_SECOND


# -- effects -----------------------------------------------------------------------------------------------------------


def _alike(id_type: str, simplified: Callable[[str], str]) -> Misbehaving:
    """Find members whose id of a type is like the one that is asked for."""

    def other(call: Call, world: World) -> Call | None:
        if call.parameters["id_type"] != id_type:
            return None
        asked = simplified(call.parameters["user_id"])
        members = [member for member in all_of(world, "member") if member["client"] == call.principal]
        found = first_of(members, lambda member: member[id_type] is not None and simplified(member[id_type]) == asked)
        return asking_for(call, user_id=found[id_type]) if found else None

    return second_try("unknown_member", other)


def _without_tag(address: str) -> str:
    name, _, host = address.rpartition("@")
    return f"{name.partition('+')[0]}@{host}"


def _without_accents(name: str) -> str:
    return "".join(part for part in unicodedata.normalize("NFD", name) if not unicodedata.combining(part))


def _type_of_the_first(right: Handler, request: Request, party: Party, place: int) -> Reply:
    """Look a member up by the type of id that the first of the party has sent."""
    first = asked_with(party.requests[0], "id_type") or "id"
    return right(with_query(request, id_type=first) if place else request)


LIST_DEFECTS = (
    # -- status
    defect(
        "empty-list-not-found",
        "A list without coupons has the status 404.",
        handler=answering(
            lambda request, reply: lists(request, reply) and not body_of(reply),
            lambda reply: replace(reply, status=404),
        ),
        of="status",
        breaks=_ERROR,
    ),
    # -- shape
    defect(
        "a-line-each",
        "Coupons stand one a line, with nothing around or between them.",
        handler=answering(lists, _a_line_each),
        of="shape",
        breaks=USABLE,
    ),
    defect(
        "balances-grouped",
        "An ending_balance of a thousand or more is a text with a comma in it.",
        handler=_rows(_grouped),
        of="shape",
        breaks=_NUMERIC,
        hard=True,
    ),
    # -- credentials
    defect(
        "key-in-an-array",
        "A key that is sent as api_key[] is let in, whatever it is.",
        handler=where(
            is_list,
            lending(
                _key_or_array,
                lambda request, known: with_query(request, api_key=known),
                lambda sent, _: sent == "[]",
            ),
        ),
        of="credentials",
        breaks=LIST_KEY,
        hard=True,
    ),
    # -- state
    defect(
        "nothing-remembered",
        "A member who was asked for before the first coupon was assigned has none for ever.",
        handler=cached(
            _place, lambda request, reply: is_list(request) and object_in(reply).get("error") == "no_activities"
        ),
        of="state",
        breaks=ASSIGNED,
        hard=True,
    ),
    # -- time
    defect(
        "times-of-new-york",
        "All times of a coupon are five hours early.",
        handler=_rows(_in_new_york),
        of="time",
        breaks=_EXPIRY,
    ),
    # -- isolation
    defect(
        "addresses-without-tags",
        "What stands between a plus and the @ of an e-mail address does not count.",
        behaviours={LIST: _alike("email", _without_tag)},
        of="isolation",
        breaks=_MEMBER,
        hard=True,
    ),
    # -- limits
    defect(
        "nothing-after-2038",
        "A coupon that expires after 19 January 2038 is not listed.",
        handler=answering(lists, lambda reply: listed(reply, lambda rows: [row for row in rows if _in_time(row)])),
        of="limits",
        breaks=_NOT_PASSED,
        hard=True,
    ),
    # -- concurrency
    defect(
        "type-of-the-first",
        "Members who are asked for at once are all looked up by the type of id of the first.",
        handler=meeting(Meeting(), is_list, _type_of_the_first),
        of="concurrency",
        breaks=_ID_TYPE,
        hard=True,
    ),
    # -- robustness
    defect(
        "unknown-parameter-crash",
        "A query parameter that is not documented gets a 500.",
        handler=answering(
            lambda request, reply: lists(request, reply) and not _names(request) <= {"api_key", "id_type"},
            lambda reply: with_error(reply, 500, {"error": "internal_error", "message": _FAULT[1][15:]}),
        ),
        of="robustness",
        breaks=_FAULT,
    ),
    defect(
        "accents-ignored",
        "A user name finds a member whose name differs from it in accents.",
        behaviours={LIST: _alike("username", _without_accents)},
        of="robustness",
        breaks=_MEMBER,
        hard=True,
    ),
    # -- leaks
    defect(
        "exception-told",
        "The message of an internal error is the exception, with the password of the data base.",
        handler=answering(
            lambda request, reply: is_list(request) and reply.status >= 500,
            lambda reply: saying(reply, message=_EXCEPTION),
        ),
        of="leaks",
        breaks=_FAULT,
        hard=True,
    ),
)
