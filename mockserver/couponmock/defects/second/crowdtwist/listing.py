"""Broken ways to list a member's usable coupons."""

import re
import struct
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from couponmock.behaviour import Answer, Behaviour, Call, Entity, Refused, World
from couponmock.defect import (
    all_of,
    asking,
    behaving,
    body_of,
    misleading,
    namespace_of,
    sharing,
)
from couponmock.defects.adversary.making import (
    HTTP_SAFE,
    Misbehaving,
    Wrong,
    answering,
    remembering,
    rows_of,
    saying,
    with_json,
)
from couponmock.defects.second.crowdtwist.parts import (
    ASSIGNED,
    LIST,
    LIST_END,
    LIST_KEY,
    UNUSE,
    USABLE,
    defect,
    is_list,
    is_unuse,
    lists,
    member_of,
    unused,
)
from couponmock.defects.second.making import (
    HTTP_CODING,
    HTTP_PARTIAL,
    URI_PLUS,
    Memory,
    asked_with,
    cached,
    listed,
    refused_instead,
    told_only,
    with_query,
    without,
)
from couponmock.defects.second.meeting import Meeting, Party, meeting
from couponmock.exchange import Handler, Reply, Request
from couponmock.finding import buffered
from couponmock.vendors.crowdtwist import is_usable

_FIELDS = "usable-coupons#successful-response"
_CODES = "usable-coupons#error-response-codes"
_UNREDEEMED = ("usable-coupons#request-details", "it has not yet itself been redeemed")
_UNEXPIRED = ("usable-coupons#request-details", "its expiration date (if it has one) has not yet passed")
_UNIQUE = ("usable-coupons#url-parameters", "Unique ID of the user")
_ID_TYPE = ("usable-coupons#query-parameters", "id_type email No String")
_NOBODY = ("usable-coupons#sample-error-response", "User does not exist.")
_NO_PAGE = (_CODES, "page_not_found The requested page does not exist or has been removed.")
_PARAMETER = (_CODES, "param_error A missing or invalid parameter is included in the request.")
_NO_REWARDS = (_CODES, "no_activities There are no rewards available to this user.")
_INPUT = (_CODES, "input_error The input provided in invalid or formatted incorrectly.")
_MACHINE = ("usable-coupons#error-response", "A machine readable code that describes the error.")
_SENTENCE = ("usable-coupons#error-response", "A short, descriptive sentence detailing the error.")
_TITLE = (_FIELDS, "reward_title     String[100]")
_CATEGORY = (_FIELDS, "coupon_category_name     String[50]")
_CODE = (_FIELDS, "code     String[1000] The coupon code")
_POINTS = (_FIELDS, "The number of points redeemed in the redemption order that resulted in the coupon assignment")
_BALANCE = (_FIELDS, "redeemable points balance after the redemption order that resulted in the coupon assignment")
_EXPIRES = (_FIELDS, "If the coupon will expire, the Unix timestamp when it will expire (otherwise null)")
_NO_DAYS = (_FIELDS, "null if expiration is not performed")
_ORDERED = (_FIELDS, "The Unix timestamp of when the reward redemption order that assigned the coupon took place")
_QUANTITY = (_FIELDS, "The quantity from the redemption order that assigned the coupon")
_RECORD = (_FIELDS, "The ID of the redemption order coupon record that resulted in the coupon assignment")

_HOUR = 3600
_DAY = 24 * _HOUR


# -- requests and rows -------------------------------------------------------------------------------------------------


def _rows(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Wrong:
    """Change the rows of every list whose members have the names and types that the table prints."""

    def as_printed(row: dict[str, Any]) -> dict[str, Any]:
        return change(row) if isinstance(row.get("redeem_order_coupon_id"), int) else {}

    return answering(lists, lambda reply: rows_of(reply, lambda _, row: as_printed(dict(row))))


def _whole(change: Callable[[list[Any]], list[Any]]) -> Wrong:
    """Change every list."""
    return answering(lists, lambda reply: listed(reply, change))


def _is_about(request: Request) -> tuple[str, str]:
    """Return the id that a request sends and its type."""
    return member_of(request), asked_with(request, "id_type")


def _crash(applies: Callable[[str], bool]) -> Wrong:
    """Fail for the back end's sake at some ids, which are refused or unknown."""
    return answering(
        lambda request, reply: is_list(request) and reply.status == 400 and applies(member_of(request)),
        lambda reply: saying(reply, 500, error="internal_error"),
    )


def _renamed(change: Callable[[str], str]) -> Wrong:
    """Understand another id than was sent."""

    def changed(request: Request) -> Request:
        if not is_list(request):
            return request
        head, _, end = request.path.rpartition("/")
        before, _, member = head.rpartition("/")
        return replace(request, path=f"{before}/{change(member)}/{end}")

    return asking(changed)


def _query_wins(right: Handler) -> Handler:
    """Let a member's id in the query stand in for the one in the path."""

    def handle(request: Request) -> Reply:
        member = asked_with(request, "user_id") if is_list(request) else ""
        return (_renamed(lambda _: member)(right) if member else right)(request)

    return handle


def _error(problem: str, reply: Reply) -> bool:
    """Tell whether a reply refuses with an identifier."""
    return reply.status >= 400 and body_of(reply).get("error") == problem


def _keeping(kept: Callable[[Call, World, dict[str, Any]], bool]) -> Misbehaving:
    """Leave some coupons out."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        answer = right(call, world)
        if not answer.body:
            return answer
        rows = [row for row in answer.body if kept(call, world, row)]
        return Answer(answer.example if rows else "none_usable", body=rows)

    return behaving(changed)


def _adding(found: Callable[[Call, World], Iterable[Entity]]) -> Misbehaving:
    """List more coupons than there should be."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        answer = right(call, world)
        shown = call.templates["usable_coupons"][0]
        more = [{name: coupon[name] for name in shown} for coupon in found(call, world)]
        return Answer("usable_coupons", body=[*answer.body, *more]) if more else answer

    return behaving(changed)


def _member(call: Call, world: World) -> Entity | None:
    """Return the member that a call is about."""
    return world.find("member", client=call.principal, **{call.parameters["id_type"]: call.parameters["user_id"]})


def _owned(call: Call, world: World) -> list[Entity]:
    """Return all coupons of the member that a call is about."""
    member = _member(call, world)
    return world.list("coupon", client=call.principal, owner=member.name) if member else []


# -- whose coupons -----------------------------------------------------------------------------------------------------


def _namesakes(call: Call, world: World) -> list[Entity]:
    """Return what other clients' members of the same user name can use."""
    if call.parameters["id_type"] != "username":
        return []
    same = {
        member.name
        for member in all_of(world, "member")
        if member["client"] != call.principal and member["username"] == call.parameters["user_id"]
    }
    return [coupon for coupon in all_of(world, "coupon") if coupon["owner"] in same and is_usable(coupon, world.now)]


def _of_any_client(right: Behaviour, call: Call, world: World) -> Answer:
    """Look an unknown e-mail address up among all clients' members."""
    if call.parameters["id_type"] == "email" and _member(call, world) is None:
        for member in all_of(world, "member"):
            if member["email"] == call.parameters["user_id"]:
                return right(replace(call, principal=member["client"]), world)
    return right(call, world)


def _either_network(found: Callable[..., Entity | None], kind: str, **members: Any) -> Entity | None:
    """Find a member by the id of one network in the column of the other."""
    entity = found(kind, **members)
    for name, other in (("facebook_user_id", "twitter_user_id"), ("twitter_user_id", "facebook_user_id")):
        if kind == "member" and entity is None and name in members:
            return found(kind, client=members["client"], **{other: members[name]})
    return entity


def _suggesting(right: Behaviour, call: Call, world: World) -> Answer:
    """Name a member whose address is at the same host as one that is unknown."""
    try:
        return right(call, world)
    except Refused as refused:
        host = call.parameters["user_id"].partition("@")[2]
        emails = [str(member["email"]) for member in all_of(world, "member") if member["client"] == call.principal]
        near = next((email for email in emails if host and email.endswith(f"@{host}")), None)
        if refused.problem != "unknown_member" or near is None:
            raise
        return Answer("unknown_member", {"message": f"{call.templates['unknown_member']['message']} ({near}?)"})


# -- what is kept ------------------------------------------------------------------------------------------------------


def _lent_list(right: Handler) -> Handler:
    """Serve a list that was made before, whoever asks for it now."""
    memory = Memory()

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        kept, place = memory.of(request.namespace), _is_about(request)
        if lists(request, reply):
            kept[place] = reply
        before: Reply | None = kept.get(place) if is_list(request) and reply.status == 401 else None
        return before or reply

    return handle


def _list_before_empty(_: Request, reply: Reply, before: Reply) -> Reply:
    """Send the list that is still in the buffer where nothing is written to it."""
    return before if reply.body == b"[]" and reply.status == 200 else reply


def _balance_before(request: Request, reply: Reply, before: Reply) -> Reply:
    """Leave the balance of the list before in the last row."""
    last = body_of(before)[-1]["ending_balance"]
    if not lists(request, reply):
        return reply
    return rows_of(reply, lambda place, row: {"ending_balance": last} if place == 1 else row)


def _has_rows(request: Request, reply: Reply) -> bool:
    return lists(request, reply) and bool(body_of(reply))


_LAST_UNUSED = Memory()
_UNUSED_ON_PAPER = Memory()
_CLOCK = Memory()


def _expired_for_usable(right: Behaviour, call: Call, world: World) -> Answer:
    """Put one coupon that has expired in the place of one that has not: two faults that keep a list as long."""
    answer = right(call, world)
    over = [each for each in _owned(call, world) if each["state"] == "issued" and not is_usable(each, world.now)]
    if not answer.body or not over:
        return answer
    row = {name: over[0][name] for name in answer.body[0]}
    return replace(answer, body=[row, *answer.body[1:]])


def _note_unuse(memory: Memory) -> Misbehaving:
    """Note which coupon was unused last, and all of them."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        answer = right(call, world)
        code = (call.principal, call.body["coupon_value"])
        kept = memory.of(namespace_of(world))
        kept["last"] = code
        kept[code] = True
        return answer

    return behaving(changed)


def _on_paper(right: Behaviour) -> Behaviour:
    """Unuse a coupon nowhere but in the memory of this process."""
    return _note_unuse(_UNUSED_ON_PAPER)(told_only(lambda _, __: True)(right))


def _papers(call: Call, world: World) -> list[Entity]:
    """Return what is unused in the memory of this process, where a member is asked for by the usual id."""
    kept = _UNUSED_ON_PAPER.of(namespace_of(world))
    return [
        coupon
        for coupon in (_owned(call, world) if call.parameters["id_type"] == "id" else [])
        if (call.principal, coupon["code"]) in kept
        and is_usable(replace(coupon, data={**coupon.data, "state": "issued"}), world.now)
        and coupon["state"] == "used"
    ]


class _Stopped(World):
    """A world whose clock has stopped."""

    def __init__(self, world: World, now: int) -> None:
        vars(self).update(vars(world))
        self._stopped = now

    @property
    def now(self) -> int:
        return self._stopped


def _when_started(right: Behaviour, call: Call, world: World) -> Answer:
    """Take the time of the first list for that of all."""
    started = _CLOCK.of(namespace_of(world)).setdefault("now", world.now)
    return right(call, _Stopped(world, started))


# -- effects of reading ------------------------------------------------------------------------------------------------


def _using_up(right: Handler, request: Request, reply: Reply) -> None:
    """Use the first coupon of a list."""
    rows = body_of(reply)
    if isinstance(rows, list) and rows:
        asked = replace(request, method="POST", path="/v2/coupon/use")
        right(with_json(asked, {"coupon_value": rows[0]["code"]}))


def _third_reading(right: Handler) -> Handler:
    """Use a coupon with the third list of a member."""
    memory = Memory()

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        if lists(request, reply):
            kept, place = memory.of(request.namespace), _is_about(request)
            kept[place] = kept.get(place, 0) + 1
            if kept[place] == 3:
                _using_up(right, request, reply)
        return reply

    return handle


def _deleting(right: Handler) -> Handler:
    """Use a coupon of a list that was to be deleted, which is refused."""

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        if is_list(request) and request.method == "DELETE" and reply.status == 405:
            found = right(replace(request, method="GET"))
            if found.status == 200:
                _using_up(right, request, found)
        return reply

    return handle


# -- at once -----------------------------------------------------------------------------------------------------------


def _run_together(right: Handler, request: Request, party: Party, _: int) -> Reply:
    """Append the rows of a list to those of others that are being made."""
    rows = party.notes.setdefault("rows", [])

    def appended(own: list[Any]) -> list[Any]:
        rows.extend(own)
        return [*rows]

    return listed(right(request), appended)


def _locked_out(right: Handler, request: Request, party: Party, _: int) -> Reply:
    """Find no rows while some are being written."""
    reply = right(request)
    writing = any(is_unuse(other) for other in party.requests)
    return listed(reply, lambda _: []) if is_list(request) and writing else reply


def _half(right: Handler, request: Request, _: Party, place: int) -> Reply:
    """Send the first half of a list if there are too many at once."""
    reply = right(request)
    return listed(reply, lambda rows: rows[: (len(rows) + 1) // 2]) if place > 2 else reply


def _same_list(request: Request) -> object:
    return (request.namespace, request.method, *_is_about(request)) if is_list(request) else None


# -- members -----------------------------------------------------------------------------------------------------------


def _single(number: int) -> int:
    """Return what is left of a number in single precision."""
    return int(struct.unpack("f", struct.pack("f", number))[0])


def _wrapped(member: str) -> str:
    """Return what is left of an id in 32 bits, if it fits into 64."""
    return str(int(member) % 2**32) if member.isascii() and member.isdigit() and len(member) < 20 else member


def _bmp(text: str) -> str:
    return re.sub("[\U00010000-\U0010ffff]", "\ufffd", text)


def _distinct(rows: list[Any]) -> list[Any]:
    """Keep one row of those that agree in reward and date."""
    return [*{(row["reward_id"], row["date_to_expire"]): row for row in rows}.values()]


def _labelled(right: Handler) -> Handler:
    """Say of a long list that it is compressed, which it is not."""

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        taken = "gzip" in request.headers.get("accept-encoding", "")
        if not (taken and lists(request, reply) and len(reply.body) > 8192):
            return reply
        return replace(reply, headers=(*reply.headers, ("Content-Encoding", "gzip")))

    return handle


LIST_DEFECTS = (
    # -- status
    defect(
        "long-list-is-partial",
        "A list of more than twenty coupons, which is whole, has the status 206.",
        handler=answering(
            lambda request, reply: _has_rows(request, reply) and len(body_of(reply)) > 20,
            lambda reply: replace(reply, status=206),
        ),
        of="status",
        breaks=HTTP_PARTIAL,
        hard=True,
    ),
    defect(
        "unknown-network-id-fails",
        "An unknown id of a network gets a 500.",
        handler=answering(
            lambda request, reply: (
                is_list(request)
                and _error("page_not_found", reply)
                and asked_with(request, "id_type").endswith("_user_id")
            ),
            lambda reply: saying(reply, 500, error="internal_error"),
        ),
        of="status",
        breaks=_NOBODY,
        hard=True,
    ),
    # -- shape
    defect(
        "no-days-no-member",
        "Where a category's coupons do not expire, coupon_category_expiration_days is left out.",
        handler=answering(
            lists,
            lambda reply: listed(
                reply,
                lambda rows: [
                    without(row, lambda name, value: name == "coupon_category_expiration_days" and value is None)
                    for row in rows
                ],
            ),
        ),
        of="shape",
        breaks=_NO_DAYS,
        hard=True,
    ),
    defect(
        "quantity-one-is-true",
        "A quantity of one is true.",
        handler=_rows(lambda row: {"quantity": True} if row["quantity"] == 1 else {}),
        of="shape",
        breaks=_QUANTITY,
    ),
    defect(
        "astral-titles",
        "A character of a title that needs four bytes is replaced.",
        handler=_rows(lambda row: {"reward_title": _bmp(row["reward_title"])}),
        of="shape",
        breaks=_TITLE,
        hard=True,
    ),
    defect(
        "long-list-labelled-gzip",
        "A list of more than eight kilobytes is said to be compressed and is not.",
        handler=_labelled,
        of="shape",
        breaks=HTTP_CODING,
        hard=True,
    ),
    # -- identifiers
    defect(
        "never-received-is-nobody",
        "A member who never received a coupon does not exist.",
        behaviours={LIST: refused_instead("no_activities", "unknown_member", lambda _, __: True)},
        of="identifiers",
        breaks=_NO_REWARDS,
        hard=True,
    ),
    defect(
        "strange-type-is-no-page",
        "An id_type that there is not gets the identifier of a page that there is not.",
        handler=answering(
            lambda request, reply: (
                is_list(request) and _error("param_error", reply) and asked_with(request, "id_type") != ""
            ),
            lambda reply: saying(reply, error="page_not_found"),
        ),
        of="identifiers",
        breaks=_PARAMETER,
    ),
    defect(
        "formatted-incorrectly-by-number",
        "The identifier of an id of the wrong form is a number.",
        handler=answering(
            lambda request, reply: is_list(request) and _error("input_error", reply),
            lambda reply: saying(reply, error=1004),
        ),
        of="identifiers",
        breaks=_MACHINE,
    ),
    # -- credentials
    defect(
        "list-of-before-needs-no-key",
        "A list that was served before is served again to whoever has no key, or a wrong one.",
        handler=_lent_list,
        of="credentials",
        breaks=LIST_KEY,
        hard=True,
    ),
    # -- routing
    defect(
        "type-only-behind-the-key",
        "An id_type that stands before the key in the query is not seen.",
        handler=asking(
            lambda request: (
                with_query(request, id_type="id")
                if is_list(request) and re.search(r"(\A|&)id_type=.*&api_key=", request.query)
                else request
            )
        ),
        of="routing",
        breaks=_ID_TYPE,
        hard=True,
    ),
    defect(
        "member-in-the-query-wins",
        "A user_id in the query stands in for the one in the path.",
        handler=_query_wins,
        of="routing",
        breaks=_UNIQUE,
        hard=True,
    ),
    defect(
        "anything-behind-a-list",
        "A path that goes on behind a list is a list.",
        handler=asking(
            lambda request: (
                replace(request, path=request.path.partition(f"{LIST_END}/")[0] + LIST_END)
                if f"{LIST_END}/" in request.path
                else request
            )
        ),
        of="routing",
        breaks=_NO_PAGE,
    ),
    # -- method
    defect(
        "deleted-nevertheless",
        "DELETE of a list is refused, and uses the first of its coupons.",
        handler=_deleting,
        of="method",
        breaks=_UNREDEEMED,
        hard=True,
    ),
    # -- state
    defect(
        "third-reading-uses",
        "The third time that a member is asked for, the first coupon of the list is used up.",
        handler=_third_reading,
        of="state",
        breaks=HTTP_SAFE,
        hard=True,
    ),
    defect(
        "one-unuse-behind",
        "A coupon that was unused is not listed before another one is.",
        behaviours={
            UNUSE: _note_unuse(_LAST_UNUSED),
            LIST: _keeping(
                lambda call, world, row: (
                    _LAST_UNUSED.of(namespace_of(world)).get("last") != (call.principal, row["code"])
                )
            ),
        },
        of="state",
        breaks=USABLE,
    ),
    defect(
        "unused-on-paper",
        "A coupon that was unused is listed for the usual id, and is still used for every other type of id.",
        behaviours={UNUSE: _on_paper, LIST: _adding(_papers)},
        of="state",
        breaks=USABLE,
        hard=True,
    ),
    defect(
        "expired-for-usable",
        "A list has one of the member's expired coupons in the place of its first: it is as long as it should be.",
        behaviours={LIST: behaving(_expired_for_usable)},
        of="state",
        breaks=USABLE,
        hard=True,
    ),
    # -- isolation
    defect(
        "e-mail-cache-of-all-clients",
        "A list by e-mail address comes from a cache that knows no clients, until a coupon is unused.",
        handler=cached(
            lambda request: _is_about(request) if is_list(request) and _is_about(request)[1] == "email" else None,
            lists,
            unused,
        ),
        of="isolation",
        breaks=ASSIGNED,
        hard=True,
    ),
    defect(
        "namesakes",
        "A list by user name holds the coupons of another client's member of that name too.",
        behaviours={LIST: _adding(_namesakes)},
        of="isolation",
        breaks=ASSIGNED,
        hard=True,
    ),
    defect(
        "e-mail-of-any-client",
        "The coupons of another client's member are listed if the e-mail address is not one of the own members'.",
        behaviours={LIST: behaving(_of_any_client)},
        of="isolation",
        breaks=LIST_KEY,
        hard=True,
    ),
    defect(
        "either-network",
        "The id of one network finds a member by that of the other.",
        behaviours={LIST: misleading(_either_network)},
        of="isolation",
        breaks=_UNIQUE,
        hard=True,
    ),
    defect(
        "empty-list-is-the-one-before",
        "Instead of an empty list the one that was made before is sent.",
        handler=remembering(lambda _: "list", _has_rows, _list_before_empty),
        of="isolation",
        breaks=ASSIGNED,
        hard=True,
    ),
    defect(
        "last-balance-of-before",
        "The last row of a list has the balance of the last row of the list before.",
        handler=remembering(lambda _: "list", _has_rows, _balance_before),
        of="isolation",
        breaks=_BALANCE,
        hard=True,
    ),
    # -- concurrency
    defect(
        "lists-run-together",
        "Lists that are made at once run into each other.",
        handler=meeting(Meeting(), is_list, _run_together),
        of="concurrency",
        breaks=USABLE,
        hard=True,
    ),
    defect(
        "empty-while-unusing",
        "A list that is asked for during an unuse is empty.",
        handler=meeting(Meeting(), lambda request: is_list(request) or is_unuse(request), _locked_out),
        of="concurrency",
        breaks=USABLE,
        hard=True,
    ),
    defect(
        "one-list-for-all",
        "Who asks for a list while it is being made for somebody else gets that one, whatever the key.",
        handler=sharing(_same_list),
        of="concurrency",
        breaks=LIST_KEY,
        hard=True,
    ),
    defect(
        "fourth-list-halved",
        "Of lists that are made at once, those beyond the third end in the middle.",
        handler=meeting(Meeting(4), is_list, _half),
        of="concurrency",
        breaks=USABLE,
        hard=True,
    ),
    # -- time
    defect(
        "summer-orders-last-longer",
        "A coupon whose order is more than sixty days old expires an hour late.",
        behaviours={
            LIST: _adding(
                lambda call, world: [
                    coupon
                    for coupon in _owned(call, world)
                    if coupon["order_date_created"] < world.now - 60 * _DAY
                    and not is_usable(coupon, world.now)
                    and is_usable(coupon, world.now - _HOUR)
                ]
            )
        },
        of="time",
        breaks=_UNEXPIRED,
        hard=True,
    ),
    defect(
        "east-of-the-client",
        "A coupon disappears fourteen hours before it expires.",
        behaviours={
            LIST: _keeping(
                lambda _, world, row: row["date_to_expire"] is None or row["date_to_expire"] > world.now + 14 * _HOUR
            )
        },
        of="time",
        breaks=_UNEXPIRED,
        hard=True,
    ),
    defect(
        "clock-of-the-first-list",
        "What has expired since the first list is still listed.",
        behaviours={LIST: behaving(_when_started)},
        of="time",
        breaks=_UNEXPIRED,
        hard=True,
    ),
    defect(
        "old-orders-an-hour-off",
        "The order_date_created of a coupon that expires more than three weeks from its order is an hour late.",
        handler=_rows(
            lambda row: (
                {"order_date_created": row["order_date_created"] + _HOUR}
                if row["date_to_expire"] is not None and row["date_to_expire"] - row["order_date_created"] > 21 * _DAY
                else {}
            )
        ),
        of="time",
        breaks=_ORDERED,
        hard=True,
    ),
    defect(
        "last-row-expires-the-day-before",
        "The date_to_expire of the last row is the last second of the day before.",
        handler=answering(
            lists,
            lambda reply: rows_of(
                reply,
                lambda place, row: (
                    {"date_to_expire": row["date_to_expire"] // _DAY * _DAY - 1}
                    if place == 1 and isinstance(row["date_to_expire"], int)
                    else {}
                ),
            ),
        ),
        of="time",
        breaks=_EXPIRES,
        hard=True,
    ),
    # -- limits
    defect(
        "titles-of-sixty-four",
        "A title ends after sixty-four characters.",
        handler=_rows(lambda row: {"reward_title": row["reward_title"][:64]}),
        of="limits",
        breaks=_TITLE,
        hard=True,
    ),
    defect(
        "categories-of-thirty-two",
        "A category's name ends after thirty-two characters.",
        handler=_rows(lambda row: {"coupon_category_name": row["coupon_category_name"][:32]}),
        of="limits",
        breaks=_CATEGORY,
        hard=True,
    ),
    defect(
        "codes-of-two-hundred-fifty-five",
        "A code ends after 255 characters in a list.",
        handler=_rows(lambda row: {"code": row["code"][:255]}),
        of="limits",
        breaks=_CODE,
        hard=True,
    ),
    defect(
        "single-precision-ids",
        "A redeem_order_coupon_id beyond 2^24 is rounded to an even number.",
        handler=_rows(lambda row: {"redeem_order_coupon_id": _single(row["redeem_order_coupon_id"])}),
        of="limits",
        breaks=_RECORD,
    ),
    defect(
        "points-in-a-byte",
        "More than 255 points redeemed begin again at zero.",
        handler=_rows(lambda row: {"total_points_redeemed": row["total_points_redeemed"] % 256}),
        of="limits",
        breaks=_POINTS,
        hard=True,
    ),
    defect(
        "between-two-pages",
        "Each eleventh coupon of a list is lost between two pages.",
        handler=_whole(lambda rows: [row for place, row in enumerate(rows, 1) if place % 11]),
        of="limits",
        breaks=USABLE,
        hard=True,
    ),
    defect(
        "one-of-a-reward-and-date",
        "Of a member's coupons for one reward that expire together, one is listed.",
        handler=_whole(_distinct),
        of="limits",
        breaks=USABLE,
        hard=True,
    ),
    # -- robustness
    defect(
        "ids-wrap-around",
        "An id beyond 2^32 finds the member that has the rest.",
        handler=_renamed(_wrapped),
        of="robustness",
        breaks=_NOBODY,
        hard=True,
    ),
    defect(
        "plus-is-a-blank",
        "A plus in an id is taken for a blank.",
        handler=_renamed(lambda member: member.replace("+", " ")),
        of="robustness",
        breaks=URI_PLUS,
        hard=True,
    ),
    defect(
        "apostrophe-crash",
        "An id with an apostrophe gets a 500.",
        handler=_crash(lambda member: "'" in member),
        of="robustness",
        breaks=_NOBODY,
    ),
    defect(
        "long-number-crash",
        "A number for an id that needs more than 63 bits gets a 500.",
        handler=_crash(lambda member: member.isascii() and member.isdigit() and len(member.lstrip("0")) > 19),
        of="robustness",
        breaks=_NOBODY,
    ),
    defect(
        "astral-crash",
        "An id with a character that needs four bytes gets a 500.",
        handler=_crash(lambda member: _bmp(member) != member),
        of="robustness",
        breaks=_INPUT,
        hard=True,
    ),
    # -- leaks
    defect(
        "address-suggested",
        "The refusal of an unknown e-mail address tells that of a member at the same host.",
        behaviours={LIST: behaving(_suggesting)},
        of="leaks",
        breaks=_SENTENCE,
        hard=True,
    ),
)
