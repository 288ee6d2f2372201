"""CrowdTwist's deliberate defects: for each rule that the suite checks, a way to break it and little else."""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from unicodedata import combining, normalize
from urllib.parse import parse_qsl, urlencode

from couponmock.behaviour import Answer, Behaviour, Call, Entity, Refused, World
from couponmock.defect import (
    Defect,
    all_of,
    allowing,
    asking,
    beginning,
    behaving,
    body_of,
    borrowing,
    mishearing,
    misleading,
    once_after,
    replying,
    secretly,
    sharing,
    with_body,
)
from couponmock.exchange import Handler, Reply, Request
from couponmock.finding import BODY_LIMIT, buffered
from couponmock.vendors.crowdtwist import is_usable

_UNUSE = "unuseCoupon"
_LIST = "listUsableCoupons"
_DAY = 86_400
_LAST_HOURS = 2
_EIGHTEENTH = 17
_MEANWHILE = 0.5
"""Seconds for which a coupon that was unused counts as being unused."""
_FIRST_NAPS, _NAPS, _NAP = 2, 60, 0.005
"""How often at least, for other lists to meet it, and at most, and seconds each, that a list waits for a coupon to be
unused."""
_KEY_HEADER = "x-ct-authorization"
"""Where the newer pages have the key, in lower case."""
_MARK = b"\xef\xbb\xbf"
"""The byte order mark of UTF-8."""

Row = Mapping[str, Any]
"""A coupon as the list shows it."""


# -- what a list shows -------------------------------------------------------------------------------------------------


def _lists(change: Callable[[Request, list[Row]], Any]) -> Callable[[Handler], Handler]:
    """Answer with something else than the right list."""

    def changed(request: Request, reply: Reply) -> Reply:
        if reply.diagnosis.operation != _LIST or reply.status >= 400:
            return reply
        return with_body(reply, change(request, body_of(reply)))

    return replying(changed)


def _rows(change: Callable[[Row], Row]) -> Callable[[Handler], Handler]:
    """Show some members of each coupon with other values."""
    return _lists(lambda _, rows: [{**row, **change(row)} for row in rows])


def _written_out(member: str) -> Defect:
    """Write a number as a text with decimals."""
    return Defect(
        "crowdtwist",
        f"{member.replace('_', '-')}-written-out",
        f"{member} is a text with two decimals.",
        handler=_rows(lambda row: {} if row[member] is None else {member: f"{row[member]}.00"}),
    )


def _lost_between_pages(member: str) -> Defect:
    """Lose a text wherever the server reads on."""

    def change(_: Request, rows: list[Row]) -> list[Row]:
        return [{**row, member: None} if index % 20 == 19 else row for index, row in enumerate(rows)]

    return Defect(
        "crowdtwist",
        f"{member.replace('_', '-')}-lost",
        f"{member} of every twentieth coupon of a list is null.",
        handler=_lists(change),
    )


def _drifting(request: Request, rows: list[Row]) -> list[Row]:
    if len(rows) <= 20:
        return rows
    return [*rows[:-2], {**rows[-2], "ending_balance": int(request.id[:8], 16)}, rows[-1]]


def _late(row: Row) -> Row:
    ordered = row["order_date_created"]
    return {"coupon_date_created": ordered + 3600} if ordered - row["coupon_date_created"] > 10 * _DAY else {}


# -- what is in a list -------------------------------------------------------------------------------------------------


def _adding(more: Callable[[list[Entity], Call, World], Iterable[Entity]]) -> Callable[[Behaviour], Behaviour]:
    """List further coupons beside a member's usable ones, of which there have to be some."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        answer = right(call, world)
        if answer.body:
            shown = call.templates["usable_coupons"][0]
            added = [{name: coupon[name] for name in shown} for coupon in more(_owned(call, world), call, world)]
            return replace(answer, body=[*answer.body, *added])
        return answer

    return behaving(changed)


def _owned(call: Call, world: World) -> list[Entity]:
    member = world.find("member", client=call.principal, **{call.parameters["id_type"]: call.parameters["user_id"]})
    return world.list("coupon", client=call.principal, owner=member.name) if member else []


def _of_the_batch(owned: list[Entity], call: Call, world: World) -> Iterable[Entity]:
    usable = [coupon for coupon in owned if is_usable(coupon, world.now)]
    if len(usable) > 1:
        return []
    return [
        coupon
        for coupon in all_of(world, "coupon")
        if is_usable(coupon, world.now)
        and (coupon["client"], coupon["batch_num"]) == (call.principal, usable[0]["batch_num"])
        and coupon.name != usable[0].name
    ]


def _used_and_unexpiring(owned: list[Entity], _call: Call, _world: World) -> Iterable[Entity]:
    return [coupon for coupon in owned if coupon["state"] == "used" and coupon["date_to_expire"] is None]


def _lately_expired(owned: list[Entity], _call: Call, world: World) -> Iterable[Entity]:
    return [
        coupon
        for coupon in owned
        if coupon["state"] == "issued"
        and coupon["date_to_expire"] is not None
        and world.now - _DAY < coupon["date_to_expire"] <= world.now
    ]


def _nothing_left(reason: Callable[[list[Entity]], bool]) -> Callable[[Behaviour], Behaviour]:
    """Take a member whose coupons cannot be used, for a certain reason, for one that does not exist."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        answer = right(call, world)
        if answer.body or not reason(_owned(call, world)):
            return answer
        raise Refused("unknown_member")

    return behaving(changed)


def _taken_for(problem: str, other: str) -> Callable[[Behaviour], Behaviour]:
    """Refuse with another problem than the right one."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        try:
            return right(call, world)
        except Refused as refused:
            raise Refused(other if refused.problem == problem else refused.problem) from refused

    return behaving(changed)


# -- whose list it is --------------------------------------------------------------------------------------------------


def _not_by(id_type: str) -> Defect:
    """Find nobody by a type of id."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        if call.parameters["id_type"] == id_type:
            raise Refused("unknown_member")
        return right(call, world)

    return Defect(
        "crowdtwist",
        f"not-by-{id_type.replace('_', '-')}",
        f"A member is not found by {id_type}.",
        {_LIST: behaving(changed)},
    )


def _with_id_type(request: Request, change: Callable[[str | None], str | None]) -> Request:
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    id_type = change(query.pop("id_type", None))
    return replace(request, query=urlencode(query if id_type is None else {**query, "id_type": id_type}))


def _guessed(right: Behaviour, call: Call, world: World) -> Answer:
    try:
        return right(call, world)
    except Refused as refused:
        if refused.problem != "unknown_member" or call.parameters["id_type"] != "id":
            raise
        return right(replace(call, parameters={**call.parameters, "id_type": "twitter_user_id"}), world)


def _without_wrong_id_type(right: Handler) -> Handler:
    def handle(request: Request) -> Reply:
        reply = right(request)
        if reply.diagnosis.finding != "invalid query:id_type":
            return reply
        return right(_with_id_type(request, lambda _: None))

    return handle


def _of_any_client(problem: str) -> Callable[[Behaviour], Behaviour]:
    """Look at the other clients' data where the right client has none."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        for client in (call.principal, *(other.name for other in all_of(world, "client"))):
            try:
                return right(replace(call, principal=client), world)
            except Refused as refused:
                if refused.problem != problem:
                    raise
        raise Refused(problem)

    return behaving(changed)


def _by_name(change: Callable[[Behaviour], Behaviour]) -> Callable[[Behaviour], Behaviour]:
    """Be wrong only about members that are called by user name."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        return (change(right) if call.parameters["id_type"] == "username" else right)(call, world)

    return behaving(changed)


def _of_the_last_client(right: Behaviour, call: Call, world: World) -> Answer:
    id_type, user_id = call.parameters["id_type"], call.parameters["user_id"]
    clients = [member["client"] for member in all_of(world, "member") if member[id_type] == user_id]
    return right(replace(call, principal=max(clients)) if call.principal in clients else call, world)


# -- refusals ----------------------------------------------------------------------------------------------------------


def _answers(
    operation: str, applies: Callable[[Reply], bool], change: Callable[[Reply], Reply]
) -> Callable[[Handler], Handler]:
    """Change some replies of an operation."""
    return replying(
        lambda _, reply: change(reply) if reply.diagnosis.operation == operation and applies(reply) else reply
    )


def _refused(reply: Reply) -> bool:
    return reply.status >= 400


def _keyless(reply: Reply) -> bool:
    return reply.diagnosis.finding.startswith("credential_")


def _finding(start: str) -> Callable[[Reply], bool]:
    return lambda reply: reply.diagnosis.finding.startswith(start)


def _saying(status: int | None = None, **members: Any) -> Callable[[Reply], Reply]:
    """Give an error another status or other members."""
    return lambda reply: replace(with_body(reply, {**body_of(reply), **members}), status=status or reply.status)


def _crash(reply: Reply) -> Reply:
    return _saying(500, error="internal_error")(reply)


def _nobody(reply: Reply) -> Reply:
    return replace(with_body(reply, []), status=200)


def _marked(reply: Reply) -> Reply:
    return replace(reply, body=_MARK + reply.body)


def _retold(example: str) -> Callable[[Handler], Handler]:
    """Tell who has no good key what was told of the same before."""

    def wrap(right: Handler) -> Handler:
        told: dict[tuple[str, str, bytes], Reply] = {}

        def handle(request: Request) -> Reply:
            request = buffered(request)
            reply = right(request)
            asked = (request.namespace, request.path, request.read(BODY_LIMIT) or b"")
            if reply.diagnosis.example == example:
                told[asked] = reply
            return told.get(asked, reply) if reply.diagnosis.finding.startswith("credential_invalid") else reply

        return handle

    return wrap


def _borrowed(operation: str, finding: str) -> Callable[[Handler], Handler]:
    """Serve who has no good key with the key of whoever came before."""

    def wrap(right: Handler) -> Handler:
        last: dict[str, str] = {}

        def handle(request: Request) -> Reply:
            request = buffered(request)
            reply = right(request)
            if reply.status < 400:
                last[request.namespace] = request.query
            elif reply.diagnosis.operation == operation and reply.diagnosis.finding.startswith(finding):
                return right(replace(request, query=last.get(request.namespace, request.query)))
            return reply

        return handle

    return wrap


# -- unuse -------------------------------------------------------------------------------------------------------------


def _coupon(call: Call, world: World) -> Entity | None:
    return world.find("coupon", client=call.principal, code=call.body["coupon_value"])


def _after(change: Callable[[Entity, World], object]) -> Callable[[Behaviour], Behaviour]:
    """Do something more to a coupon that has been unused."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        answer = right(call, world)
        coupon = _coupon(call, world)
        if coupon is not None:
            change(coupon, world)
        return answer

    return behaving(changed)


def _with_others_of_the_reward(coupon: Entity, world: World) -> None:
    busy = {other["owner"] for other in all_of(world, "coupon") if other["state"] == "issued"}
    for other in all_of(world, "coupon"):
        same = all(other[member] == coupon[member] for member in ("client", "reward_id"))
        if same and other["state"] == "used" and other["owner"] not in busy:
            world.change(other, state="issued")


def _prolonged(coupon: Entity, world: World) -> None:
    if coupon["date_to_expire"] is not None and coupon["date_to_expire"] <= world.now:
        world.change(coupon, date_to_expire=world.now + 30 * _DAY)


def _issued_taken_for(problem: str, *, unused_before: bool) -> Callable[[Behaviour], Behaviour]:
    """Refuse a coupon that cannot be unused wrongly, depending on whether it has been unused before."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        coupon = _coupon(call, world)
        if coupon is None or coupon["state"] == "generated":
            return right(call, world)
        if coupon["state"] == "issued":
            raise Refused(problem if bool(coupon["unused_before"]) == unused_before else "not_used")
        answer = right(call, world)
        world.change(coupon, state="issued", unused_before=True)
        return answer

    return behaving(changed)


def _once_only(right: Behaviour, call: Call, world: World) -> Answer:
    """Refuse a coupon that is used and has been unused before."""
    coupon = _coupon(call, world)
    if coupon is not None and coupon["state"] == "used":
        if coupon["unused_before"]:
            raise Refused("not_used")
        world.change(coupon, unused_before=True)
    return right(call, world)


def _check_digit(right: Behaviour, call: Call, world: World) -> Answer:
    try:
        return right(call, world)
    except Refused:
        value = call.body["coupon_value"]
        if _coupon(call, world) is not None or len(value) == 1:
            raise
        return right(replace(call, body={**call.body, "coupon_value": value[:-1]}), world)


def _first_of_list(body: Any) -> Any:
    value = body.get("coupon_value") if isinstance(body, dict) else None
    return {**body, "coupon_value": value[0]} if isinstance(value, list) and value else body


_defect = partial(Defect, "crowdtwist")


def _example(name: str) -> Callable[[Reply], bool]:
    return lambda reply: reply.diagnosis.example == name


def _without_digits(right: Callable[..., Entity | None], kind: str, **members: Any) -> Entity | None:
    if kind == "member" and "username" in members:
        members["username"] = members["username"].rstrip("0123456789")
    return right(kind, **members)


def _up_to(path: str, end: str) -> str:
    start, found, _ = path.partition(end + "/")
    return start + end if found else path


def _unuses(request: Request) -> bool:
    return (request.method, request.path) == ("POST", "/v2/coupon/unuse")


def _retyped(request: Request, _: Reply) -> Request | None:
    """Call a body JSON that calls itself plain text."""
    if not request.headers.get("content-type", "").startswith("text/plain"):
        return None
    return replace(request, headers={**request.headers, "content-type": "application/json"})


def _without_the_last_hours(right: Behaviour, call: Call, world: World) -> Answer:
    answer = right(call, world)
    if not isinstance(answer.body, list):
        return answer
    return replace(
        answer,
        body=[
            row
            for row in answer.body
            if row["date_to_expire"] is None or row["date_to_expire"] - world.now > _LAST_HOURS * 3600
        ],
    )


def _without_capital_type(request: Request) -> Request:
    """Take a body for plain text whose media type has capital letters."""
    said = request.headers.get("content-type", "")
    return (
        request if said == said.lower() else replace(request, headers={**request.headers, "content-type": "text/plain"})
    )


def _form_as_json(request: Request) -> Request:
    """Make JSON of a form."""
    if request.headers.get("content-type") != "application/x-www-form-urlencoded":
        return request
    body = json.dumps(dict(parse_qsl((request.read(BODY_LIMIT) or b"").decode()))).encode()
    headers = {**request.headers, "content-type": "application/json"}
    return replace(request, headers=headers, read=lambda _: body)


def _second_key(right: Handler) -> Handler:
    """Answer with success where a coupon is not used and the key is another than the namespace's first."""
    first: dict[str, str] = {}

    def handle(request: Request) -> Reply:
        reply = right(request)
        key = dict(parse_qsl(request.query)).get("api_key", "")
        if reply.status < 300:
            first.setdefault(request.namespace, key)
        if reply.diagnosis.example == "not_used" and key != first.get(request.namespace, key):
            return replace(with_body(reply, {"success": True, "message": body_of(reply)["message"]}), status=200)
        return reply

    return handle


def _empty_while_unused(right: Handler) -> Handler:
    """List nothing where several lists are asked for while a coupon is unused."""
    lists: Counter[str] = Counter()
    unused: dict[str, float] = {}

    def handle(request: Request) -> Reply:
        space = request.namespace
        if not request.path.endswith("/usable_coupons"):
            reply = right(request)
            if reply.diagnosis.example == "unused":
                unused[space] = time.monotonic()
            return reply
        began = time.monotonic()
        lists[space] += 1
        try:
            reply = right(request)
            for nap in range(_NAPS):
                if nap >= _FIRST_NAPS and (lists[space] == 1 or unused.get(space, 0.0) > began - _MEANWHILE):
                    break
                time.sleep(_NAP)
            is_meanwhile = lists[space] > 1 and unused.get(space, 0.0) > began - _MEANWHILE
            return with_body(reply, []) if is_meanwhile and reply.status < 300 else reply
        finally:
            lists[space] -= 1

    return handle


def _third_party_anywhere(right: Behaviour, call: Call, world: World) -> Answer:
    if call.parameters["id_type"] != "third_party_id":
        return right(call, world)
    return _of_any_client("unknown_member")(right)(call, world)


def _by_order(right: Behaviour, call: Call, world: World) -> Answer:
    """Take the number of a coupon's order for its code."""
    said = call.body["coupon_value"]
    for coupon in all_of(world, "coupon") if said.isdecimal() else ():
        if coupon["client"] == call.principal and str(coupon.data.get("redeem_order_coupon_id")) == said:
            return right(replace(call, body={**call.body, "coupon_value": coupon["code"]}), world)
    return right(call, world)


def _unissued_told(right: Behaviour, call: Call, world: World) -> Answer:
    """Tell of another client's coupon that it has not been issued."""
    try:
        return right(call, world)
    except Refused as refused:
        code = call.body["coupon_value"]
        unissued = any(
            coupon["code"] == code and coupon["state"] == "generated"
            for coupon in (all_of(world, "coupon") if refused.problem == "no_data" else ())
        )
        raise Refused("not_issued" if unissued else refused.problem) from refused


def _bare(text: str) -> str:
    return "".join(character for character in normalize("NFD", text) if not combining(character))


def _without_accents(right: Behaviour, call: Call, world: World) -> Answer:
    """Find a member whose user name has the same letters."""
    said = call.parameters["user_id"]
    for member in all_of(world, "member") if call.parameters["id_type"] == "username" else ():
        name = member.data.get("username")
        if member["client"] == call.principal and name and _bare(name) == _bare(said):
            return right(replace(call, parameters={**call.parameters, "user_id": name}), world)
    return right(call, world)


def _elsewhere_told(right: Behaviour, call: Call, world: World) -> Answer:
    try:
        return right(call, world)
    except Refused as refused:
        if any(coupon["code"] == call.body["coupon_value"] for coupon in all_of(world, "coupon")):
            return Answer(refused.problem, {"message": "It is somebody else's."})
        raise


def _twins_unused(coupon: Entity, world: World) -> None:
    for other in all_of(world, "coupon"):
        if other["code"] == coupon["code"] and other.name != coupon.name and other["state"] == "used":
            world.change(other, state="issued")


DEFECTS: tuple[Defect, ...] = (
    _defect(
        "points-capped",
        "total_points_redeemed is never more than a hundred.",
        handler=_rows(lambda row: {"total_points_redeemed": min(row["total_points_redeemed"], 100)}),
    ),
    _defect("list-cut", "A list ends after twenty coupons.", handler=_lists(lambda _, rows: rows[:20])),
    _defect(
        "batch-shared",
        "A member with one usable coupon is shown all usable coupons of its batch, whoever's they are.",
        {_LIST: _adding(_of_the_batch)},
    ),
    _defect(
        "used-unexpiring-listed",
        "Used coupons stay in the list if they never expire.",
        {_LIST: _adding(_used_and_unexpiring)},
    ),
    _defect(
        "expired-listed",
        "Coupons stay in the list for a day after they have expired, as long as another is usable.",
        {_LIST: _adding(_lately_expired)},
    ),
    _defect(
        "no-expiry-is-zero",
        "date_to_expire is 0 for coupons that never expire.",
        handler=_rows(lambda row: {"date_to_expire": row["date_to_expire"] or 0}),
    ),
    _defect(
        "all-used-unknown",
        "A member whose coupons are all used does not exist.",
        {_LIST: _nothing_left(lambda owned: all(coupon["state"] == "used" for coupon in owned))},
    ),
    _defect(
        "all-expired-unknown",
        "A member whose coupons have all expired does not exist.",
        {_LIST: _nothing_left(lambda owned: all(coupon["state"] == "issued" for coupon in owned))},
    ),
    _defect(
        "never-any-unknown",
        "A member who never received a coupon does not exist.",
        {_LIST: _taken_for("no_activities", "unknown_member")},
    ),
    _defect(
        "generated-late",
        "A coupon that waited for more than ten days seems to have been generated after it was assigned.",
        handler=_rows(_late),
    ),
    _defect("code-cut", "A code ends after 255 characters.", handler=_rows(lambda row: {"code": row["code"][:255]})),
    _defect(
        "titles-in-ascii",
        "Question marks stand in titles for everything that is not ASCII.",
        handler=_rows(lambda row: {"reward_title": row["reward_title"].encode("ascii", "replace").decode()}),
    ),
    _defect(
        "names-cut",
        "The name of a category ends after 32 characters.",
        handler=_rows(lambda row: {"coupon_category_name": row["coupon_category_name"][:32]}),
    ),
    _defect(
        "balance-drifts",
        "The last balance but one of a list of more than twenty coupons is another one each time.",
        handler=_lists(_drifting),
    ),
    _defect(
        "default-not-said",
        "id_type=id is refused; only leaving it out means a CrowdTwist id.",
        handler=asking(lambda request: _with_id_type(request, lambda id_type: "" if id_type == "id" else id_type)),
    ),
    *(_not_by(name) for name in ("email", "facebook_user_id", "twitter_user_id", "third_party_id", "username")),
    _defect(
        "id-type-guessed",
        "A CrowdTwist id that no member has is looked for among the Twitter user ids.",
        {_LIST: behaving(_guessed)},
    ),
    _defect(
        "unknown-member-malformed",
        "A member that does not exist is input_error.",
        {_LIST: _taken_for("unknown_member", "malformed_user_id")},
    ),
    _defect("id-type-ignored", "An id_type that is none of the six is ignored.", handler=_without_wrong_id_type),
    _defect(
        "empty-id-nobody",
        "An empty user_id gets an empty list.",
        handler=_answers(_LIST, _finding("missing path:user_id"), _nobody),
    ),
    _defect(
        "malformed-id-nobody",
        "A user_id that cannot be one of its type gets an empty list.",
        handler=_answers(_LIST, _finding("invalid path:user_id"), _nobody),
    ),
    _defect(
        "members-of-all-clients",
        "A user name that the key's client has not is looked for among the other clients' members.",
        {_LIST: _by_name(_of_any_client("unknown_member"))},
    ),
    _defect(
        "ids-shared-by-clients",
        "A user name that several clients use means the last client's member, whosever key is sent.",
        {_LIST: _by_name(behaving(_of_the_last_client))},
    ),
    _defect(
        "list-without-key", "Without a key, the one before is used.", handler=_borrowed(_LIST, "credential_missing")
    ),
    _defect(
        "list-with-wrong-key",
        "In place of an unknown key, the one before is used.",
        handler=_borrowed(_LIST, "credential_invalid"),
    ),
    _defect(
        "plus-is-space",
        "A plus sign in a path is read as a space.",
        handler=asking(lambda request: replace(request, path=request.path.replace("+", " "))),
    ),
    _defect(
        "unuse-not-done",
        "Unusing is answered as a success and changes nothing.",
        {_UNUSE: _after(lambda coupon, world: world.change(coupon, state="used"))},
    ),
    _defect(
        "unuse-whole-reward",
        "Unusing a coupon also unuses the same reward's coupons of members who have used all of theirs.",
        {_UNUSE: _after(_with_others_of_the_reward)},
    ),
    _defect(
        "unuse-prolongs",
        "Unusing an expired coupon makes it usable for thirty more days.",
        {_UNUSE: _after(_prolonged)},
    ),
    _defect(
        "unused-lost",
        "A coupon that was unused is not found when it is unused again.",
        {_UNUSE: _issued_taken_for("no_data", unused_before=True)},
    ),
    _defect(
        "unused-once-only",
        "A coupon that was unused and used again can no more be unused.",
        {_UNUSE: behaving(_once_only)},
    ),
    _defect(
        "never-used-not-issued",
        "A coupon that was never used is refused as not_issued.",
        {_UNUSE: _issued_taken_for("not_issued", unused_before=False)},
    ),
    _defect(
        "generated-not-found",
        "A coupon that was not issued is refused as no_data.",
        {_UNUSE: _taken_for("not_issued", "no_data")},
    ),
    _defect(
        "unknown-not-issued",
        "A coupon that does not exist is refused as not_issued.",
        {_UNUSE: _taken_for("no_data", "not_issued")},
    ),
    _defect(
        "missing-value-not-found",
        "A request without coupon_value is refused as no_data.",
        handler=_answers(_UNUSE, _finding("missing body:/coupon_value"), _saying(404, error="no_data")),
    ),
    _defect("value-in-list", "A coupon_value in a list is taken.", handler=mishearing(_first_of_list)),
    _defect(
        "malformed-crashes",
        "A body that is not JSON is internal_error.",
        handler=_answers(_UNUSE, _finding("malformed body:"), _crash),
    ),
    _defect("check-digit", "A coupon is found although its code goes on.", {_UNUSE: behaving(_check_digit)}),
    _defect(
        "unuse-without-key", "Without a key, the one before is used.", handler=_borrowed(_UNUSE, "credential_missing")
    ),
    _defect(
        "unuse-with-wrong-key",
        "In place of an unknown key, the one before is used.",
        handler=_borrowed(_UNUSE, "credential_invalid"),
    ),
    _defect(
        "coupons-of-all-clients",
        "A coupon that the key's client has not is looked for among the other clients' coupons.",
        {_UNUSE: _of_any_client("no_data")},
    ),
    _defect(
        "method-not-found",
        "A method that is not supported is page_not_found.",
        handler=_answers("general", _finding("method_not_allowed"), _saying(404, error="page_not_found")),
    ),
    _defect(
        "unuse-redirects",
        "A coupon that has been unused is answered with a redirect.",
        handler=_answers(_UNUSE, lambda reply: reply.status < 300, lambda reply: replace(reply, status=303)),
    ),
    _defect(
        "unuse-as-html",
        "Answers to unusing a coupon say that they are HTML.",
        handler=_answers(_UNUSE, lambda _: True, lambda reply: replace(reply, media_type="text/html")),
    ),
    _defect(
        "unuse-refusal-marked",
        "The refusal of a key begins with a byte order mark when a coupon is unused.",
        handler=_answers(_UNUSE, _keyless, _marked),
    ),
    _defect(
        "success-is-text",
        "success is the text true.",
        handler=_answers(_UNUSE, lambda reply: reply.status < 300, _saying(success="true")),
    ),
    _defect(
        "success-without-message",
        "The message of a success is null.",
        handler=_answers(_UNUSE, lambda reply: reply.status < 300, _saying(message=None)),
    ),
    _defect(
        "wrong-value-named-anew",
        "A coupon_value that is no text is refused with an identifier that no page has.",
        handler=_answers(_UNUSE, _finding("invalid body:/coupon_value"), _saying(error="validation_failed")),
    ),
    _defect(
        "unuse-error-without-message",
        "Errors of unusing a coupon have an empty message.",
        handler=_answers(_UNUSE, _refused, _saying(message="")),
    ),
    _defect(
        "error-claims-success",
        "Errors of unusing a coupon say success: true.",
        handler=_answers(_UNUSE, _refused, _saying(success=True)),
    ),
    _defect(
        "list-redirects",
        "Who asks for a list without a good key is sent elsewhere.",
        handler=_answers(_LIST, _finding("credential_missing"), lambda reply: replace(reply, status=302)),
    ),
    _defect(
        "list-as-html",
        "Answers to asking for a list say that they are HTML.",
        handler=_answers(_LIST, lambda _: True, lambda reply: replace(reply, media_type="text/html")),
    ),
    _defect(
        "list-refusal-marked",
        "The refusal of a key begins with a byte order mark when a list is asked for.",
        handler=_answers(_LIST, _keyless, _marked),
    ),
    _defect(
        "list-refusal-named-anew",
        "A key is refused with the identifier of a page that does not exist when a list is asked for.",
        handler=_answers(_LIST, _keyless, _saying(error="page_not_found")),
    ),
    _defect(
        "list-error-without-message",
        "Errors of asking for a list have no message.",
        handler=_answers(_LIST, _refused, _saying(message=None)),
    ),
    _defect(
        "list-refusal-is-text",
        "A key is refused with a bare text when a list is asked for.",
        handler=_answers(_LIST, _keyless, lambda reply: with_body(reply, body_of(reply)["message"])),
    ),
    _defect(
        "empty-list-is-object",
        "A list without coupons is an empty object.",
        handler=_lists(lambda _, rows: rows or {}),
    ),
    *(
        _written_out(member)
        for member in (
            "reward_id",
            "redeem_order_id",
            "redeem_order_coupon_id",
            "total_points_redeemed",
            "ending_balance",
            "quantity",
            "coupon_category_id",
            "coupon_category_expiration_days",
            "batch_num",
            "date_to_expire",
            "order_date_created",
            "coupon_date_created",
        )
    ),
    *(_lost_between_pages(member) for member in ("code", "reward_title", "coupon_category_name")),
    _defect(
        "bare-json-crashes",
        "A JSON body that is no object is internal_error.",
        handler=_answers(_UNUSE, lambda reply: reply.diagnosis.finding == "invalid body:", _crash),
    ),
    _defect(
        "wild-id-type-crashes",
        "An id_type beyond ASCII is internal_error.",
        handler=replying(
            lambda request, reply: (
                _crash(reply)
                if reply.diagnosis.finding == "invalid query:id_type"
                and not dict(parse_qsl(request.query)).get("id_type", "").isascii()
                else reply
            )
        ),
    ),
    _defect(
        "wild-id-crashes",
        "The id of an unknown member that is not ASCII is internal_error.",
        handler=replying(
            lambda request, reply: (
                _crash(reply) if reply.diagnosis.example == "unknown_member" and not request.path.isascii() else reply
            )
        ),
    ),
    # -- what looks like something else, what nobody looks at, and what happens at once
    _defect(
        "usernames-without-digits",
        "A user name is looked up without the digits at its end.",
        {_LIST: misleading(_without_digits)},
    ),
    _defect(
        "pages-below-list",
        "What follows the list's path is ignored.",
        handler=asking(lambda request: replace(request, path=_up_to(request.path, "/usable_coupons"))),
    ),
    _defect(
        "empty-after-patch",
        "The first list after a PATCH that was refused is empty.",
        handler=once_after("PATCH", lambda reply: with_body(reply, [])),
    ),
    _defect(
        "source-line-told",
        "The message of an invalid id_type names a line of the source.",
        handler=_answers(_LIST, _example("invalid_parameter"), _saying(message="KeyError (/srv/loyalty/users.py:118)")),
    ),
    _defect(
        "value-is-code",
        "Without coupon_value, the member code is taken.",
        handler=mishearing(
            lambda body: {"coupon_value": body["code"]} if isinstance(body, dict) and body.keys() == {"code"} else body
        ),
    ),
    _defect(
        "unfinished-body-works",
        "A body that goes on behind its JSON is refused, and carried out.",
        handler=secretly(
            lambda request, reply: beginning(request) if reply.diagnosis.finding.startswith("malformed body:") else None
        ),
    ),
    _defect(
        "plain-text-works",
        "A body that does not call itself JSON is refused, and carried out.",
        handler=secretly(_retyped),
    ),
    _defect(
        "put-works",
        "PUT is refused, and carried out.",
        handler=secretly(lambda request, _: replace(request, method="POST") if request.method == "PUT" else None),
    ),
    _defect(
        "pages-below-unuse",
        "What follows the path of unusing is ignored.",
        handler=asking(lambda request: replace(request, path=_up_to(request.path, "/v2/coupon/unuse"))),
    ),
    _defect(
        "same-unuse-shared",
        "Requests that unuse one coupon at the same time all get the answer of the first.",
        handler=sharing(lambda request: (request.namespace, request.read(BODY_LIMIT)) if _unuses(request) else None),
    ),
    _defect(
        "any-list-shared",
        "Lists that are asked for at the same time all get the answer of the first.",
        handler=sharing(lambda request: request.namespace if request.path.endswith("/usable_coupons") else None),
    ),
    _defect(
        "any-unuse-shared",
        "Of requests that unuse coupons at the same time, only the first is carried out.",
        handler=sharing(lambda request: request.namespace if _unuses(request) else None),
    ),
    _defect(
        "statement-told",
        "The message of a coupon that has not been issued holds the statement that looked for it.",
        handler=_answers(
            _UNUSE, _example("not_issued"), _saying(message="nothing for SELECT owner FROM coupons WHERE code = $1")
        ),
    ),
    # -- what clients say of themselves, what time it is, and more that happens at once
    _defect(
        "titles-in-capitals",
        "A client that names a language gets titles in capitals.",
        handler=_lists(
            lambda request, rows: (
                [{**row, "reward_title": row["reward_title"].upper()} for row in rows]
                if "accept-language" in request.headers
                else rows
            )
        ),
    ),
    _defect(
        "expires-early",
        "A coupon is not listed in the last two hours before it expires.",
        {_LIST: behaving(_without_the_last_hours)},
    ),
    _defect(
        "dates-mixed-up",
        "The eighteenth coupon of a list has the date of its order for the date on which it expires.",
        handler=_lists(
            lambda _, rows: [
                {**row, "date_to_expire": row["order_date_created"]} if index == _EIGHTEENTH else row
                for index, row in enumerate(rows)
            ]
        ),
    ),
    _defect(
        "types-in-small-letters",
        "A media type that is not written in small letters is not understood.",
        handler=asking(_without_capital_type),
    ),
    _defect("forms-taken-for-json", "A form is taken in place of JSON.", handler=asking(_form_as_json)),
    _defect(
        "second-key-later", "A second key of a client unuses what the first one unused before.", handler=_second_key
    ),
    _defect(
        "empty-while-unused",
        "Lists that are asked for while a coupon is unused are empty.",
        handler=_empty_while_unused,
    ),
    _defect(
        "get-allowed",
        "The refusal of a wrong method says that GET is allowed, too.",
        handler=allowing("GET, POST"),
    ),
    _defect(
        "codes-beyond-ascii-lost",
        "A coupon_value beyond ASCII is looked for without what is beyond.",
        handler=mishearing(
            lambda body: (
                {**body, "coupon_value": body["coupon_value"].encode("ascii", "ignore").decode()}
                if isinstance(body, dict) and isinstance(body.get("coupon_value"), str)
                else body
            )
        ),
    ),
    # -- what is told without being asked
    _defect(
        "lack-told",
        "Whoever has no good key is told which member has never received a coupon.",
        handler=_retold("no_activities"),
    ),
    _defect(
        "third-parties-shared",
        "A member is found by third party id whosever member it is.",
        {_LIST: behaving(_third_party_anywhere)},
    ),
    _defect(
        "order-for-code",
        "The number of a coupon's order stands for its code.",
        {_UNUSE: behaving(_by_order)},
    ),
    _defect(
        "unissued-told-to-strangers",
        "Whoever has no good key is told which coupon has not been issued.",
        handler=_retold("not_issued"),
    ),
    _defect(
        "unissued-told-to-others",
        "Another client is told which coupon has not been issued.",
        {_UNUSE: behaving(_unissued_told)},
    ),
    _defect(
        "path-shared",
        "Lists at the same path that are asked for at the same time all get the answer of the first, whatever the key.",
        handler=sharing(
            lambda request: (request.namespace, request.path) if request.path.endswith("/usable_coupons") else None
        ),
    ),
    _defect(
        "any-header",
        "After a key in the header that is one, any is taken for one.",
        handler=borrowing(
            _KEY_HEADER,
            lambda request, reply: (
                _KEY_HEADER in request.headers and reply.diagnosis.finding.startswith("credential_invalid")
            ),
        ),
    ),
    _defect("bare-usernames", "Accents in user names are ignored.", {_LIST: behaving(_without_accents)}),
    _defect(
        "codes-of-all-clients",
        "Other clients' coupons with the same code are unused, too.",
        {_UNUSE: _after(_twins_unused)},
    ),
    _defect(
        "success-is-a-list",
        "A success of unusing a coupon stands in a list.",
        handler=_answers(_UNUSE, _example("unused"), lambda reply: with_body(reply, [body_of(reply)])),
    ),
    _defect(
        "elsewhere-told",
        "The message of no_data tells if another client has the coupon.",
        {_UNUSE: behaving(_elsewhere_told)},
    ),
)
