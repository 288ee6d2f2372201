"""Broken ways to unuse a coupon."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from couponmock.behaviour import Answer, Behaviour, Call, Entity, Refused, World
from couponmock.defect import (
    all_of,
    asking,
    behaving,
    body_of,
    mishearing,
    misleading,
    namespace_of,
)
from couponmock.defects.adversary.making import (
    Misbehaving,
    answering,
    at_times,
    every_third,
    from_second,
    lending,
    like,
    saying,
    sent_json,
    with_json,
)
from couponmock.defects.second.crowdtwist.parts import (
    KEY,
    NO_DATA,
    REASONS,
    UNUSE,
    UNUSE_PATH,
    code_of,
    defect,
    is_unuse,
    key_of,
)
from couponmock.defects.second.making import (
    HTTP_ALLOW,
    HTTP_CHUNKED,
    HTTP_TYPES,
    Memory,
    afterwards,
    answered_by,
    numbered,
    text_of,
    told_only,
    with_headers,
    with_query,
)
from couponmock.defects.second.meeting import Meeting, Party, meeting, outdated
from couponmock.exchange import Handler, Reply, Request
from couponmock.finding import buffered

_MARK = ("unuse#request-details", "available to be used again")
_VALUE = ("unuse#request-body", "The value of the coupon being updated.")
_STRING = ("unuse#request-body", "coupon_value | 1X3FJ9K003 | Yes | String")
_SUCCESS = ("unuse#response-body", "True if the request was successful.")
_MALFORMED = ("unuse#error-response-codes", "including situations in which the body is malformed")
_METHOD = ("unuse#error-response-codes", "HTTP method not supported")
_BACKEND = ("unuse#error-response-codes", "unexpected error occurred in the CrowdTwist backend")
_CONFIGURATION = ("unuse#error-response-codes", "error occurs when an configuration has not been configured yet")
_IDENTIFIER = ("unuse#error-responses", "make assumptions based on the identifier of the error")
_MESSAGE = ("unuse#error-responses", "message | Coupon could not be found | Yes | String")
_REQUIRED = ("unuse#example-response-codes", "400 | input_error | Coupon value is required.")
_NOT_ISSUED = ("unuse#example-response-codes", "404 | not_issued | Coupon has not been issued.")
_ENDPOINT = ("unuse#request-details", "/v2/coupon/unuse?api_key=[api_key]")
_HEADER = ("usable-coupons-newer#request", "X-CT-Authorization: CTApiKey")
_HEADER_NAME = "x-ct-authorization"
_HEADER_PREFIX = "CTApiKey "


# -- which coupon ------------------------------------------------------------------------------------------------------


def _found(call: Call, world: World) -> Entity | None:
    """Return the coupon that a call is about."""
    return world.find("coupon", client=call.principal, code=call.body["coupon_value"])


def _instead(choose: Callable[[list[Entity], str], Entity | None]) -> Misbehaving:
    """Find another of the client's coupons where there is none with a code."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        def other(found: Callable[..., Entity | None], kind: str, **members: Any) -> Entity | None:
            entity = found(kind, **members)
            if entity or kind != "coupon":
                return entity
            own = [coupon for coupon in all_of(world, "coupon") if coupon["client"] == call.principal]
            return choose(own, members["code"])

        return misleading(other)(right)(call, world)

    return behaving(changed)


def _matching(fits: Callable[[Entity, str], bool]) -> Misbehaving:
    """Find the first of the client's coupons that what was sent fits, where there is none with that code."""
    return _instead(lambda own, sent: next((coupon for coupon in own if fits(coupon, sent)), None))


def _unissued_elsewhere(right: Behaviour, call: Call, world: World) -> Answer:
    """Tell of coupons that were not issued yet, whosever they are."""
    try:
        return right(call, world)
    except Refused as refused:
        code = call.body["coupon_value"]
        if refused.problem == "no_data" and any(
            coupon["code"] == code and coupon["state"] == "generated" for coupon in all_of(world, "coupon")
        ):
            raise Refused("not_issued") from refused
        raise


def _owner_told(right: Behaviour, call: Call, world: World) -> Answer:
    """Tell whose coupon has not been used."""
    try:
        return right(call, world)
    except Refused as refused:
        coupon = _found(call, world) if refused.problem == "not_used" else None
        owner = next((each for each in all_of(world, "member") if coupon and each.name == coupon["owner"]), None)
        if owner is None:
            raise
        return Answer("not_used", {"message": f"{call.templates['not_used']['message']} ({owner['email']})"})


# -- what else happens -------------------------------------------------------------------------------------------------


def _siblings(call: Call, world: World, same: str) -> list[Entity]:
    """Return the other coupons that agree with the one that was unused in owner and one member more."""
    coupon = _found(call, world)
    assert coupon is not None  # noqa: S101 - it has been unused
    return [
        other
        for other in all_of(world, "coupon")
        if other.name != coupon.name and (other["owner"], other[same]) == (coupon["owner"], coupon[same])
    ]


def _unuse_batch(call: Call, world: World) -> None:
    """Unuse what was generated together with a coupon and has the same owner."""
    for other in _siblings(call, world, "batch_num"):
        if other["state"] == "used":
            world.change(other, state="issued")


def _swap(call: Call, world: World) -> None:
    """Use the oldest other coupon of the member that is still unused."""
    others = [other for other in _siblings(call, world, "owner") if other["state"] == "issued"]
    if others:
        world.change(min(others, key=lambda other: other["redeem_order_coupon_id"]), state="used")


def _renumber(call: Call, world: World) -> None:
    """Give a coupon the number of a new record."""
    if coupon := _found(call, world):
        world.change(coupon, redeem_order_coupon_id=coupon["redeem_order_coupon_id"] + 1_000_000)


def _requantify(call: Call, world: World) -> None:
    """Count a coupon that came back as one more of its order."""
    if coupon := _found(call, world):
        world.change(coupon, quantity=coupon["quantity"] + 1)


def _rolled_back(right: Behaviour, call: Call, world: World) -> Answer:
    """Take back the unuse before with the refusal after it: they share a transaction."""
    kept = _OPEN.of(namespace_of(world))
    try:
        answer = right(call, world)
    except Refused as refused:
        code = kept.pop("code", None)
        coupon = world.find("coupon", client=call.principal, code=code) if code else None
        if coupon is None or coupon["state"] != "issued":
            raise
        world.change(coupon, state="used")
        # Raised again, the refusal would undo this.
        return Answer(refused.problem)
    kept["code"] = call.body["coupon_value"]
    return answer


def _unused_before(right: Behaviour, call: Call, world: World) -> Answer:
    """Insert the same row again into a table of what was unused."""
    kept = _DONE.of(namespace_of(world))
    code = (call.principal, call.body["coupon_value"])
    try:
        answer = right(call, world)
    except Refused as refused:
        raise Refused(
            "internal_error" if refused.problem == "not_used" and code in kept else refused.problem
        ) from refused
    kept[code] = True
    return answer


_DONE = Memory()
_OPEN = Memory()
_NUMBERS = Memory()


def _remembered_value() -> Callable[[Handler], Handler]:
    """Take a missing value from the request before."""

    def wrap(right: Handler) -> Handler:
        memory = Memory()

        def handle(request: Request) -> Reply:
            request = buffered(request)
            if not is_unuse(request):
                return right(request)
            kept, sent = memory.of(request.namespace), sent_json(request)
            if isinstance(sent, dict) and "coupon_value" not in sent and "value" in kept:
                request = with_json(request, {**sent, "coupon_value": kept["value"]})
            elif isinstance(sent, dict) and isinstance(sent.get("coupon_value"), str):
                kept["value"] = sent["coupon_value"]
            return right(request)

        return handle

    return wrap


def _credential(request: Request) -> tuple[str, str | None]:
    """Return what a request sends for credentials."""
    return key_of(request), request.headers.get(_HEADER_NAME)


def _trusting(right: Handler) -> Handler:
    """Serve each third client with a wrong key as the first one that was let in."""
    memory = Memory()

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        kept, key = memory.of(request.namespace), key_of(request)
        if reply.status < 400 and key:
            kept.setdefault("key", key)
        if reply.status != 401 or not key or "key" not in kept:
            return reply
        kept["refused"] = kept.get("refused", 0) + 1
        return reply if kept["refused"] % 3 else right(with_query(request, api_key=kept["key"]))

    return handle


def _twice_told(right: Handler, request: Request, party: Party, _: int) -> Reply:
    """Carry out again what has met another one for the same coupon, and answer what comes of that."""
    first = right(request)
    codes = [code_of(other) for other in party.requests]
    return right(request) if first.status < 300 and codes.count(code_of(request)) > 1 else first


def _victim(right: Handler, request: Request, party: Party, _: int) -> Reply:
    """Fail for the back end's sake where somebody else was quicker."""
    reply = right(request)
    codes = [code_of(other) for other in party.requests]
    refused = reply.status in {400, 404, 409} and body_of(reply)["error"] == "not_used"
    return saying(reply, 500, error="internal_error") if refused and codes.count(code_of(request)) > 1 else reply


def _value_of_another(right: Handler, request: Request, party: Party, place: int) -> Reply:
    """Carry out the value of the request that came just before; the buffer is shared."""
    sent = code_of(party.requests[place - 1]) if place else None
    return right(with_json(request, {"coupon_value": sent}) if isinstance(sent, str) else request)


_LATE = Meeting(4)
_TWO_KEYS = Meeting()

_TRAILING_COMMA = re.compile(r",\s*}\s*\Z")
_COMMENT = re.compile(r"/\*.*?\*/|^\s*//.*$", re.DOTALL | re.MULTILINE)


def _lenient(applies: Callable[[str], bool], mend: Callable[[str], str]) -> Callable[[Handler], Handler]:
    """Read more than JSON."""

    def heard(request: Request) -> Request | None:
        text = text_of(request)
        return replace(request, read=lambda _: mend(text).encode()) if is_unuse(request) and applies(text) else None

    return answered_by(heard)


def _crash(applies: Callable[[Any], bool]) -> Callable[[Handler], Handler]:
    """Fail for the back end's sake at some values, which are refused or unknown."""
    return answering(
        lambda request, reply: is_unuse(request) and 400 <= reply.status < 500 and applies(code_of(request)),
        lambda reply: saying(reply, 500, error="internal_error"),
    )


def _with_statement(right: Handler) -> Handler:
    """Show the statement that found nothing."""

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        if not (is_unuse(request) and _refused_as("no_data", reply)):
            return reply
        told = f"client_key={key_of(request)} rows=0".encode("unicode_escape").decode("ascii")
        return replace(reply, headers=(*reply.headers, ("X-Debug-Query", told)))

    return handle


def _refused_as(error: str, reply: Reply) -> bool:
    return reply.status >= 400 and body_of(reply).get("error") == error


UNUSE_DEFECTS = (
    # -- status
    defect(
        "unuse-errors-in-200",
        "Every third refusal of an unuse has the status 200.",
        handler=at_times(
            every_third,
            lambda request, reply: is_unuse(request) and reply.status == 404,
            lambda reply: replace(reply, status=200),
        ),
        of="status",
        breaks=NO_DATA,
        hard=True,
    ),
    defect(
        "unused-before-is-a-fault",
        "A coupon that was unused a moment ago gets a 500 instead of not_used.",
        behaviours={UNUSE: behaving(_unused_before)},
        of="status",
        breaks=REASONS,
        hard=True,
    ),
    # -- identifiers
    defect(
        "no-data-blank-padded",
        "The identifier of an unknown coupon is padded with blanks to ten characters.",
        handler=answering(
            lambda request, reply: is_unuse(request) and _refused_as("no_data", reply),
            lambda reply: saying(reply, error="no_data".ljust(10)),
        ),
        of="identifiers",
        breaks=_IDENTIFIER,
    ),
    defect(
        "not-issued-says-success-false",
        "The refusal of a coupon that was not issued has a member success.",
        handler=answering(
            lambda request, reply: is_unuse(request) and _refused_as("not_issued", reply),
            lambda reply: saying(reply, success=False),
        ),
        of="identifiers",
        breaks=_NOT_ISSUED,
    ),
    defect(
        "second-refusal-speechless",
        "The message of a refused unuse is empty from the second refusal on.",
        handler=at_times(
            from_second,
            lambda request, reply: is_unuse(request) and reply.status == 404,
            lambda reply: saying(reply, message=""),
        ),
        of="identifiers",
        breaks=_MESSAGE,
        hard=True,
    ),
    defect(
        "unknown-with-digits-unconfigured",
        "An unknown code that begins like a known batch gets the identifier not_configured in a 404.",
        handler=answering(
            lambda request, reply: (
                is_unuse(request)
                and _refused_as("no_data", reply)
                and isinstance(code_of(request), str)
                and re.match(r"[A-Z]+-?[0-9]", code_of(request)) is not None
            ),
            lambda reply: saying(reply, error="not_configured"),
        ),
        of="identifiers",
        breaks=_CONFIGURATION,
        hard=True,
    ),
    # -- credentials
    defect(
        "empty-key-is-the-first",
        "An unuse with an empty key is carried out as if it had the key that was first let in.",
        handler=lending(
            lambda request: key_of(request) or ("empty" if "api_key=" in request.query else ""),
            lambda request, key: with_query(request, api_key=key),
            lambda sent, _: sent == "empty",
        ),
        of="credentials",
        breaks=KEY,
        hard=True,
    ),
    defect(
        "key-is-a-pattern",
        "A key with a percent sign or an underscore is matched as a pattern of SQL.",
        handler=lending(
            key_of,
            lambda request, key: with_query(request, api_key=key),
            lambda sent, key: set(sent) & set("%_") != set() and like(sent, key),
        ),
        of="credentials",
        breaks=KEY,
        hard=True,
    ),
    defect(
        "key-ends-at-nul",
        "A key is compared up to a NUL: what follows is not looked at.",
        handler=lending(
            key_of,
            lambda request, key: with_query(request, api_key=key),
            lambda sent, key: "\x00" in sent and sent.partition("\x00")[0] == key,
        ),
        of="credentials",
        breaks=KEY,
        hard=True,
    ),
    defect(
        "one-worker-trusts",
        "One of three workers, who meet a wrong key in turn, takes it for the one that was first let in.",
        handler=_trusting,
        of="credentials",
        breaks=KEY,
        hard=True,
    ),
    defect(
        "slash-needs-no-key",
        "An unuse at a path with a slash at its end needs no key.",
        handler=lending(
            lambda request: key_of(request) or ("slash" if request.path == UNUSE_PATH + "/" else ""),
            lambda request, key: with_query(replace(request, path=UNUSE_PATH), api_key=key),
            lambda sent, _: sent == "slash",
            status=404,
        ),
        of="credentials",
        breaks=_ENDPOINT,
        hard=True,
    ),
    defect(
        "any-header-key",
        "A key in the header is not looked at once another one has been let in.",
        handler=lending(
            lambda request: request.headers.get(_HEADER_NAME) or key_of(request),
            lambda request, key: (
                with_headers(request, **{_HEADER_NAME: key})
                if key.startswith(_HEADER_PREFIX)
                else with_query(with_headers(request, **{_HEADER_NAME: ""}), api_key=key)
            ),
            lambda sent, _: sent.startswith(_HEADER_PREFIX),
        ),
        of="credentials",
        breaks=_HEADER,
    ),
    # -- method
    defect(
        "unuse-allows-get",
        "The refusal of a wrong method says that GET is allowed.",
        handler=answering(
            lambda request, reply: is_unuse(request) and reply.status == 405,
            lambda reply: replace(
                reply,
                headers=(*((name, value) for name, value in reply.headers if name != "Allow"), ("Allow", "GET, HEAD")),
            ),
        ),
        of="method",
        breaks=HTTP_ALLOW,
        hard=True,
    ),
    defect(
        "unuse-by-patch",
        "PATCH unuses a coupon.",
        handler=asking(
            lambda request: (
                replace(request, method="POST") if is_unuse(request) and request.method == "PATCH" else request
            )
        ),
        of="method",
        breaks=_METHOD,
    ),
    # -- state
    defect(
        "everlasting-stays-used",
        "A coupon that does not expire is said to be unused, and stays used.",
        behaviours={
            UNUSE: told_only(
                lambda call, world: (found := _found(call, world)) is not None and not found["date_to_expire"]
            )
        },
        of="state",
        breaks=_MARK,
        hard=True,
    ),
    defect(
        "batch-unused",
        "With a coupon its member's others of the same batch become unused.",
        behaviours={UNUSE: afterwards(_unuse_batch)},
        of="state",
        breaks=_VALUE,
    ),
    defect(
        "one-in-one-out",
        "With a coupon unused, the member's oldest other one is used up.",
        behaviours={UNUSE: afterwards(_swap)},
        of="state",
        breaks=_VALUE,
        hard=True,
    ),
    defect(
        "record-renumbered",
        "An unused coupon gets another redeem_order_coupon_id.",
        behaviours={UNUSE: afterwards(_renumber)},
        of="state",
        breaks=(
            "usable-coupons#successful-response",
            "The ID of the redemption order coupon record that resulted in the coupon assignment",
        ),
    ),
    defect(
        "order-grows",
        "An unused coupon counts as one more of its order: its quantity is raised.",
        behaviours={UNUSE: afterwards(_requantify)},
        of="state",
        breaks=(
            "usable-coupons#successful-response",
            "The quantity from the redemption order that assigned the coupon",
        ),
    ),
    defect(
        "refusal-takes-back",
        "A refused unuse that follows a successful one takes the success back.",
        behaviours={UNUSE: behaving(_rolled_back)},
        of="state",
        breaks=_MARK,
        hard=True,
    ),
    defect(
        "third-unuse-lost",
        "Every third unuse of a namespace is said to have succeeded and has not.",
        behaviours={UNUSE: told_only(lambda _, world: numbered(world, _NUMBERS, "unuse") % 3 == 0)},
        of="state",
        breaks=_SUCCESS,
        hard=True,
    ),
    defect(
        "missing-value-from-before",
        "A missing coupon_value is taken from the request before.",
        handler=_remembered_value(),
        of="isolation",
        breaks=_REQUIRED,
        hard=True,
    ),
    # -- isolation
    defect(
        "other-clients-not-issued",
        "A coupon of another client that was not issued yet is told apart from an unknown one.",
        behaviours={UNUSE: behaving(_unissued_elsewhere)},
        of="isolation",
        breaks=NO_DATA,
        hard=True,
    ),
    # -- concurrency
    defect(
        "late-comers-unuse-too",
        "Of calls at once that unuse a coupon, if there are four, those beyond the second do not see what others did.",
        behaviours={UNUSE: outdated(_LATE, "coupon", lambda _, place: place > 1)},
        handler=meeting(_LATE, is_unuse),
        of="concurrency",
        breaks=REASONS,
        hard=True,
    ),
    defect(
        "lock-of-a-key",
        "Calls at once that unuse a coupon exclude each other only if they use the same credential.",
        behaviours={
            UNUSE: outdated(
                _TWO_KEYS,
                "coupon",
                lambda party, _: party.differ(_credential),
            )
        },
        handler=meeting(_TWO_KEYS, is_unuse),
        of="concurrency",
        breaks=REASONS,
        hard=True,
    ),
    defect(
        "none-told-of-success",
        "Of calls at once that unuse a coupon, all are refused although it becomes unused.",
        handler=meeting(Meeting(), is_unuse, _twice_told),
        of="concurrency",
        breaks=_SUCCESS,
    ),
    defect(
        "losers-fail",
        "Of calls at once that unuse a coupon, one succeeds and the others get a 500.",
        handler=meeting(Meeting(), is_unuse, _victim),
        of="concurrency",
        breaks=_BACKEND,
    ),
    defect(
        "value-of-another-call",
        "A call at the same time as another is about the other's coupon.",
        handler=meeting(Meeting(), is_unuse, _value_of_another),
        of="concurrency",
        breaks=_VALUE,
        hard=True,
    ),
    # -- robustness
    defect(
        "nul-crash",
        "A code with a NUL, which the data base cannot hold, gets a 500.",
        handler=_crash(lambda sent: isinstance(sent, str) and "\x00" in sent),
        of="robustness",
        breaks=NO_DATA,
        hard=True,
    ),
    defect(
        "list-of-one-value",
        "A list with one code is taken for the code.",
        handler=mishearing(
            lambda sent: (
                {**sent, "coupon_value": sent["coupon_value"][0]}
                if isinstance(sent, dict)
                and isinstance(sent.get("coupon_value"), list)
                and len(sent["coupon_value"]) == 1
                else sent
            )
        ),
        of="robustness",
        breaks=_STRING,
        hard=True,
    ),
    defect(
        "object-is-a-query",
        "An object for a code becomes part of the query: one with $regex or $eq finds a coupon.",
        handler=mishearing(
            lambda sent: (
                {**sent, "coupon_value": next(iter(sent["coupon_value"].values()))}
                if isinstance(sent, dict)
                and isinstance(sent.get("coupon_value"), dict)
                and next(iter(sent["coupon_value"]), "") in {"$eq", "$in", "$regex"}
                else sent
            )
        ),
        of="robustness",
        breaks=_STRING,
        hard=True,
    ),
    defect(
        "comments-and-commas",
        "A body with a comment or a comma too many is carried out.",
        handler=_lenient(
            lambda text: bool(_TRAILING_COMMA.search(text) or _COMMENT.search(text)),
            lambda text: _TRAILING_COMMA.sub("}", _COMMENT.sub("", text)),
        ),
        of="robustness",
        breaks=_MALFORMED,
        hard=True,
    ),
    defect(
        "number-for-a-code",
        "The redeem_order_coupon_id of a coupon finds it as its code does.",
        behaviours={UNUSE: _matching(lambda coupon, sent: str(coupon["redeem_order_coupon_id"]) == sent)},
        of="robustness",
        breaks=NO_DATA,
        hard=True,
    ),
    defect(
        "anagrams",
        "Codes are told apart by a sum of their characters: the same ones in another order are the same code.",
        behaviours={UNUSE: _matching(lambda coupon, sent: sorted(str(coupon["code"])) == sorted(sent))},
        of="robustness",
        breaks=NO_DATA,
        hard=True,
    ),
    defect(
        "chunks-unread",
        "A body that is sent in chunks is taken for an empty one.",
        handler=asking(
            lambda request: (
                replace(request, read=lambda _: b"{}") if "transfer-encoding" in request.headers else request
            )
        ),
        of="robustness",
        breaks=HTTP_CHUNKED,
        hard=True,
    ),
    defect(
        "type-in-capitals-refused",
        "A media type that is not written in small letters is refused.",
        handler=asking(
            lambda request: (
                with_headers(request, content_type="text/plain")
                if re.search("[A-Z]", request.headers.get("content-type", "").partition(";")[0])
                else request
            )
        ),
        of="robustness",
        breaks=HTTP_TYPES,
        hard=True,
    ),
    # -- leaks
    defect(
        "owner-told",
        "The refusal of a coupon that has not been used tells the e-mail address of its owner.",
        behaviours={UNUSE: behaving(_owner_told)},
        of="leaks",
        breaks=_MESSAGE,
        hard=True,
    ),
    defect(
        "query-in-a-header",
        "The answer to an unknown code has a header for debugging, with the key of the client in it.",
        handler=_with_statement,
        of="leaks",
        breaks=NO_DATA,
    ),
)
