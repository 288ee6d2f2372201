"""How an adversary would be wrong about Shoplazza's page."""

import json
import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from couponmock.behaviour import Answer, Behaviour, Call, Entity, Refused, World
from couponmock.defect import (
    Defect,
    all_of,
    behaving,
    body_of,
    mishearing,
    misleading,
    namespace_of,
    with_body,
)
from couponmock.defects.adversary.crowd import Crowd, crowding, stale
from couponmock.defects.adversary.making import (
    HTTP_LENGTH,
    JSON_NUMBERS,
    JSON_UNIQUE,
    Misbehaving,
    Wrong,
    answering,
    lending,
    like,
    measured_in_characters,
    mending,
    mojibake,
    saying,
    sent_member,
    with_json,
)
from couponmock.exchange import Handler, Reply, Request
from couponmock.finding import BODY_LIMIT, buffered

_RECEIVE = "receiveCoupons"
_TOKEN = "access-token"  # noqa: S105 - the name of a header
_COUPONS = "/openapi/2022-01/coupons/"
_PATH = _COUPONS + "receive"
_HOUR = 3600
_DAY = 86_400

_ASSIGNS = ("receive#scope", "enables assigning specific coupons to a customer")
_SCOPE = ("receive#scope", "Requires price_rules access scope.")
_CUSTOMER = ("receive#body-parameters", "customer_idstringYesCustomer's unique ID to assign the coupons.")
_IDS = ("receive#body-parameters", "coupon_idsarray of stringsYesArray of coupon IDs to be assigned to the customer.")
_ITEMS = ("receive#success-response", "itemsarrayList of assigned coupons and their details.")
_ITEM_ID = ("receive#success-response", "items.idstringThe ID of the assigned coupon.")
_VALUE = ("receive#success-response", "items.valuefloatThe value of the coupon.")
_STOCK = ("receive#success-response", "items.stockintThe available stock of the coupon.")
_COUNT = ("receive#success-response", "items.received_countintThe count of times the coupon has been received.")
_TEXT = ("receive#success-response", "items.discount_textstringDescription of the discount applied by the coupon.")
_ERRORS = ("receive#error-response", "A list of errors encountered during the request processing.")
_BAD = ("receive#error-detail", "missing required fields or incorrect data types")
_DENIED = (
    "receive#error-detail",
    "missing valid authentication credentials or the credentials provided are invalid",
)
_NO_CUSTOMER = ("receive#error-detail", "The Customer's ID provided is not existed.")
_EMPTY = ("receive#error-detail", "Empty Coupon Id")
_JSON = ("public-parameters#request-headers", "application/json")
_METHOD = ("http-status#codes", "405")

_defect = partial(Defect, "shoplazza")

Item = dict[str, Any]


# -- requests and replies ----------------------------------------------------------------------------------------------


def _received(_: Request, reply: Reply) -> bool:
    return reply.status == 200


def _gave(*examples: str) -> Callable[[Request, Reply], bool]:
    return lambda _, reply: reply.diagnosis.example in examples


def _listing(change: Callable[[int, Item], Item], *, least: int = 1) -> Wrong:
    """Change some members of every item, by its place from the end, if there are as many as `least`."""

    def changed(reply: Reply) -> Reply:
        items = body_of(reply)["items"]
        if len(items) < least:
            return reply
        return saying(reply, items=[{**item, **change(len(items) - at, item)} for at, item in enumerate(items)])

    return answering(_received, changed)


def _token(request: Request) -> str:
    return request.headers.get(_TOKEN, "")


def _with_token(request: Request, token: str) -> Request:
    return replace(request, headers={**request.headers, _TOKEN: token})


def _lending(same: Callable[[str, str], bool]) -> Wrong:
    return lending(_token, _with_token, same)


def _working(status: int) -> Wrong:
    """Refuse a token, but do what it asks for."""
    return lending(_token, _with_token, lambda sent, _: bool(sent), status=status, told=False)


def _customers_first(right: Handler) -> Handler:
    """Look for the customer before looking at the token."""
    tokens: list[str] = []

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        if reply.status == 200:
            tokens.append(_token(request))
        if reply.status != 401 or not tokens:
            return reply
        # Nothing can be received by an id that no coupon has.
        body = {"customer_id": sent_member(request, "customer_id"), "coupon_ids": ["0"]}
        looked = right(with_json(_with_token(request, tokens[-1]), body))
        return looked if looked.diagnosis.example == "customer_not_exist" else reply

    return handle


def _broke(kind: str) -> Callable[[Reply], bool]:
    return lambda reply: reply.diagnosis.finding.startswith(kind)


def _token_from_query(request: Request) -> Request | None:
    token = dict(parse_qsl(request.query)).get("access_token")
    return _with_token(request, token) if token else None


def _as_post(*methods: str) -> Callable[[Request], Request | None]:
    return lambda request: replace(request, method="POST") if request.method in methods else None


def _as_json(request: Request) -> Request:
    return replace(request, headers={**request.headers, "content-type": "application/json"})


def _good_ids(request: Request) -> Request | None:
    """Leave out what is no coupon id."""
    ids = sent_member(request, "coupon_ids")
    good = [one for one in ids if isinstance(one, str) and one.strip()] if isinstance(ids, list) else []
    return (
        with_json(request, {"customer_id": sent_member(request, "customer_id"), "coupon_ids": good}) if good else None
    )


def _hearing_ids(change: Callable[[list[Any]], list[Any]]) -> Wrong:
    def changed(body: Any) -> Any:
        ids = body.get("coupon_ids") if isinstance(body, dict) else None
        return {**body, "coupon_ids": change(ids)} if isinstance(ids, list) else body

    return mishearing(changed)


def _ids_of_before(right: Handler) -> Handler:
    """Take the coupon_ids of the request before, where none are sent."""
    last: dict[str, Any] = {}

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        customer = sent_member(request, "customer_id")
        if reply.status == 200:
            last[request.namespace] = sent_member(request, "coupon_ids")
        elif reply.diagnosis.finding == "missing body:/coupon_ids" and request.namespace in last:
            return right(with_json(request, {"customer_id": customer, "coupon_ids": last[request.namespace]}))
        return reply

    return handle


def _huge(request: Request, _reply: Reply) -> bool:
    numbers: list[float] = []
    try:
        json.loads(request.read(BODY_LIMIT) or b"", parse_float=lambda text: numbers.append(float(text)))
    except (ValueError, RecursionError):
        return False
    return math.inf in numbers


def _count_twice(reply: Reply) -> Reply:
    return replace(reply, body=reply.body.replace(b'"received_count": ', b'"received_count": 0, "received_count": '))


def _value_nan(reply: Reply) -> Reply:
    items = [{**item, "value": float("nan")} if item["stock"] < 0 else item for item in body_of(reply)["items"]]
    return saying(reply, items=items)


def _customers_named(right: Handler) -> Handler:
    """Name customers that were asked for before to who asks for one that does not exist."""
    names: dict[str, dict[str, None]] = {}

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        known = names.setdefault(request.namespace, {})
        if reply.status == 200:
            known[sent_member(request, "customer_id")] = None
        if reply.diagnosis.example == "customer_not_exist" and known:
            return with_body(reply, {"errors": [f"customer not exist, there are {', '.join(known)}"]})
        return reply

    return handle


def _token_told(right: Handler) -> Handler:
    """Name a good token to who has a wrong one."""
    tokens: dict[str, str] = {}

    def handle(request: Request) -> Reply:
        reply = right(request)
        if reply.status == 200:
            tokens[request.namespace] = _token(request)
        if reply.status == 401 and request.namespace in tokens:
            return with_body(reply, {"error": f"Unauthorized, expected {tokens[request.namespace]}"})
        return reply

    return handle


# -- effects -----------------------------------------------------------------------------------------------------------


def _finding(kind: str, change: Callable[[Entity, World], Mapping[str, Any]]) -> Misbehaving:
    """See entities of a kind with some members changed."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        def find(found: Callable[..., Entity | None], asked: str, **members: Any) -> Entity | None:
            entity = found(asked, **members)
            if entity is None or asked != kind:
                return entity
            return replace(entity, data={**entity.data, **change(entity, world)})

        return misleading(find)(right)(call, world)

    return behaving(changed)


def _coupon(call: Call, world: World, coupon_id: str) -> Entity | None:
    return world.find("coupon", shop=call.principal, id=coupon_id)


def _own_receipts(call: Call, world: World, coupon_ids: list[str]) -> list[Entity]:
    """Return the customer's receipts of some coupons."""
    customer = world.find("customer", shop=call.principal, customer_id=call.body["customer_id"])
    coupons = {coupon.name for one in coupon_ids if (coupon := _coupon(call, world, one))}
    return [
        receipt
        for receipt in all_of(world, "receipt")
        if customer and receipt["customer"] == customer.name and receipt["coupon"] in coupons
    ]


def _counting(change: Callable[[Item, Call, World], int]) -> Misbehaving:
    """Show other counts than the right ones."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        answer = right(call, world)
        items = [{**item, "received_count": change(item, call, world)} for item in answer.members["items"]]
        return replace(answer, members={**answer.members, "items": items})

    return behaving(changed)


def _afterwards(change: Callable[[Answer, Call, World], object]) -> Misbehaving:
    """Do something more when the right answer is made."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        answer = right(call, world)
        change(answer, call, world)
        return answer

    return behaving(changed)


def _given_to_the_first(right: Behaviour) -> Behaviour:
    """Write what a second customer receives to the account of the first one that received anything."""
    first: dict[str, str] = {}

    def change(right: Behaviour, call: Call, world: World) -> Answer:
        customer = first.setdefault(f"{namespace_of(world)} {call.principal}", call.body["customer_id"])
        return right(replace(call, body={**call.body, "customer_id": customer}), world)

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        if world.find("customer", shop=call.principal, customer_id=call.body["customer_id"]) is None:
            return right(call, world)
        return change(right, call, world)

    return behaving(changed)(right)


def _refusals_counted(answer: Answer, call: Call, world: World) -> None:
    refused = [item["id"] for item in answer.members["items"] if item["coupon_status"] == 2]
    for receipt in _own_receipts(call, world, refused):
        world.change(receipt, received_count=receipt["received_count"] + 1)


def _refusals_taken(answer: Answer, call: Call, world: World) -> None:
    if answer.example in {"limit_reached", "already_received", "expired", "not_started"}:
        for coupon_id in call.body["coupon_ids"]:
            coupon = _coupon(call, world, coupon_id)
            if coupon is not None and coupon["stock"] > 0:
                world.change(coupon, stock=coupon["stock"] - 1)


def _given_back(which: Callable[[int, Entity], bool]) -> Misbehaving:
    """Give back to the stock what was taken for some coupons of a batch; the answer tells nothing of it."""

    def change(answer: Answer, call: Call, world: World) -> None:
        for index, item in enumerate(answer.members["items"]):
            coupon = _coupon(call, world, item["id"])
            if coupon is not None and item["coupon_status"] == 1 and coupon["stock"] >= 0 and which(index, coupon):
                world.change(coupon, stock=coupon["stock"] + 1)

    return _afterwards(change)


def _batch_forgotten(answer: Answer, call: Call, world: World) -> None:
    items = answer.members["items"]
    if items and len(items) < len(call.body["coupon_ids"]):
        received = [item["id"] for item in items if item["coupon_status"] == 1]
        for receipt in _own_receipts(call, world, received):
            world.change(receipt, received_count=receipt["received_count"] - 1)


def _limited_by_all(right: Behaviour, call: Call, world: World) -> Answer:
    """Hold the receipt of whoever has received a coupon as often as allowed against everybody."""
    limits = {coupon.name: coupon["per_customer"] for coupon in all_of(world, "coupon") if coupon["per_customer"]}

    def find(found: Callable[..., Entity | None], kind: str, **members: Any) -> Entity | None:
        own = found(kind, **members)
        if kind != "receipt" or members["coupon"] not in limits:
            return own
        full = (
            receipt
            for receipt in all_of(world, "receipt")
            if receipt["coupon"] == members["coupon"] and receipt["received_count"] >= limits[members["coupon"]]
        )
        return next(full, own)

    return misleading(find)(right)(call, world)


def _all_received(_item: Item, call: Call, world: World) -> int:
    customer = world.find("customer", shop=call.principal, customer_id=call.body["customer_id"])
    receipts = [receipt for receipt in all_of(world, "receipt") if customer and receipt["customer"] == customer.name]
    return sum(receipt["received_count"] for receipt in receipts)


def _taken_elsewhere(_answer: Answer, call: Call, world: World) -> None:
    for coupon in all_of(world, "coupon"):
        if coupon["shop"] != call.principal and coupon["id"] in call.body["coupon_ids"] and coupon["stock"] > 0:
            world.change(coupon, stock=coupon["stock"] - 1)


def _counts_begin_anew(answer: Answer, _call: Call, world: World) -> None:
    if answer.example == "received":
        for receipt in all_of(world, "receipt"):
            if receipt["received_count"] > 3:
                world.change(receipt, received_count=0)


def _running_out(right: Behaviour) -> Behaviour:
    """End an unlimited stock after three receipts."""
    taken: Counter[tuple[str, str]] = Counter()

    def change(answer: Answer, call: Call, world: World) -> None:
        for item in answer.members["items"]:
            if item["stock"] < 0:
                taken[namespace_of(world), item["id"]] += 1
                coupon = _coupon(call, world, item["id"])
                if coupon is not None and taken[namespace_of(world), item["id"]] >= 3:
                    world.change(coupon, stock=0)

    return _afterwards(change)(right)


def _patterns(right: Behaviour, call: Call, world: World) -> Answer:
    def fitting(coupon_id: str) -> str:
        if _coupon(call, world, coupon_id) is None and any(sign in coupon_id for sign in "%*"):
            for coupon in all_of(world, "coupon"):
                if coupon["shop"] == call.principal and like(coupon_id, coupon["id"]):
                    return str(coupon["id"])
        return coupon_id

    ids = [fitting(coupon_id) for coupon_id in call.body["coupon_ids"]]
    return right(replace(call, body={**call.body, "coupon_ids": ids}), world)


def _digits_of_customer(right: Behaviour, call: Call, world: World) -> Answer:
    try:
        return right(call, world)
    except Refused as refused:
        sent = call.body["customer_id"]
        digits = sent[: len(sent) - len(sent.lstrip("0123456789"))]
        if refused.problem != "customer_not_exist" or digits in {"", sent}:
            raise
        return right(replace(call, body={**call.body, "customer_id": digits}), world)


_BUYERS = Crowd()
_CLICKS = Crowd()

DEFECTS: tuple[Defect, ...] = (
    # -- status
    _defect(
        "unknown-customer-succeeds",
        "A customer that does not exist gets 200 and no items.",
        handler=answering(
            _gave("customer_not_exist"),
            lambda reply: replace(
                with_body(reply, {"status": 2, "items": [], "limit": 0, "has_more": False, "cursor": "0"}), status=200
            ),
        ),
        of="status",
        breaks=_NO_CUSTOMER,
    ),
    _defect(
        "empty-among-good",
        "An empty coupon id beside a good one is left out.",
        handler=mending(_broke("blank body:/coupon_ids/"), _good_ids),
        of="status",
        breaks=_EMPTY,
        hard=True,
    ),
    _defect(
        "null-among-good",
        "A coupon id beside a good one is left out if it is null.",
        handler=_hearing_ids(lambda ids: [one for one in ids if one is not None] or ids),
        of="status",
        breaks=_BAD,
        hard=True,
        held_out=True,
    ),
    # -- identifiers
    _defect(
        "empty-id-no-error",
        "errors is empty for an empty coupon id.",
        handler=answering(_gave("coupon_ids_required"), lambda reply: with_body(reply, {"errors": []})),
        of="identifiers",
        breaks=_ERRORS,
    ),
    _defect(
        "customer-errors-nested",
        "The error of a customer that does not exist stands in a list in a list.",
        handler=answering(
            _gave("customer_not_exist"), lambda reply: with_body(reply, {"errors": [body_of(reply)["errors"]]})
        ),
        of="identifiers",
        breaks=_ERRORS,
    ),
    # -- shape
    _defect(
        "last-value-padded",
        "The value of the last of several items is a text with blanks around it.",
        handler=_listing(lambda place, item: {"value": f" {item['value']} "} if place == 1 else {}, least=2),
        of="shape",
        breaks=_VALUE,
        hard=True,
        held_out=True,
    ),
    _defect(
        "ids-rounded",
        "The id of an item is rounded to what a floating-point number holds.",
        handler=_listing(lambda _, item: {"id": str(int(float(item["id"])))}),
        of="shape",
        breaks=_ITEM_ID,
        hard=True,
    ),
    _defect(
        "count-twice",
        "An item has two members received_count, the first of them 0.",
        handler=answering(_received, _count_twice),
        of="shape",
        breaks=JSON_UNIQUE,
        hard=True,
    ),
    _defect(
        "unlimited-is-null",
        "stock is null for a coupon without end of stock.",
        handler=_listing(lambda _, item: {"stock": None} if item["stock"] < 0 else {}),
        of="shape",
        breaks=_STOCK,
        held_out=True,
    ),
    _defect(
        "unlimited-nan",
        "The value of a coupon without end of stock is NaN.",
        handler=answering(_received, _value_nan),
        of="shape",
        breaks=JSON_NUMBERS,
        hard=True,
    ),
    _defect(
        "texts-encoded-twice",
        "Texts beyond ASCII are encoded twice.",
        handler=_listing(lambda _, item: {"discount_text": mojibake(item["discount_text"])}),
        of="shape",
        breaks=_TEXT,
        hard=True,
    ),
    # -- credentials
    _defect(
        "half-a-token",
        "A token is let in of which only the beginning is sent.",
        handler=_lending(lambda sent, known: len(sent) > 2 and known.startswith(sent)),
        of="credentials",
        breaks=_DENIED,
        hard=True,
        held_out=True,
    ),
    _defect(
        "token-any-case",
        "A token is let in whose letters differ in case from one that was let in before.",
        handler=_lending(lambda sent, known: sent.casefold() == known.casefold()),
        of="credentials",
        breaks=_DENIED,
        hard=True,
    ),
    _defect(
        "token-in-query",
        "Without the header, access_token is taken from the query.",
        handler=mending(_broke("credential_missing"), _token_from_query),
        of="credentials",
        breaks=("access-token#header", "access-token"),
        hard=True,
    ),
    _defect(
        "wrong-token-works",
        "A wrong token is refused as it should, but the coupons are assigned.",
        handler=_working(401),
        of="credentials",
        breaks=_DENIED,
        hard=True,
        held_out=True,
    ),
    _defect(
        "read-only-token-works",
        "A token without the scope is refused as it should, but the coupons are assigned.",
        handler=_working(403),
        of="credentials",
        breaks=_SCOPE,
        hard=True,
    ),
    _defect(
        "customers-before-token",
        "With a wrong token, a customer that does not exist is 404.",
        handler=_customers_first,
        of="credentials",
        breaks=_DENIED,
        hard=True,
    ),
    # -- method
    _defect(
        "patch-assigns",
        "PATCH does what POST does.",
        handler=mending(_broke("method_not_allowed"), _as_post("PATCH")),
        of="method",
        breaks=_METHOD,
        hard=True,
        held_out=True,
    ),
    _defect(
        "refused-methods-assign",
        "GET, HEAD and OPTIONS are refused as they should, but the coupons are assigned.",
        handler=mending(_broke("method_not_allowed"), _as_post("GET", "HEAD", "OPTIONS"), told=False),
        of="method",
        breaks=_METHOD,
        hard=True,
    ),
    _defect(
        "refused-types-assign",
        "A body that does not call itself JSON is refused as it should, but the coupons are assigned.",
        handler=mending(_broke("unsupported_media_type"), _as_json, told=False),
        of="method",
        breaks=_JSON,
        hard=True,
    ),
    # -- routing
    _defect(
        "any-action",
        "Whichever action on coupons the path names, they are assigned.",
        handler=mending(
            _broke("unrouted"),
            lambda request: replace(request, path=_PATH) if request.path.startswith(_COUPONS) else None,
        ),
        of="routing",
        breaks=("admin-api#not-found", "Not found"),
        held_out=True,
    ),
    # -- state
    _defect(
        "given-to-the-first",
        "What a second customer receives is assigned to the first one that received anything.",
        {_RECEIVE: _given_to_the_first},
        of="state",
        breaks=_ASSIGNS,
        hard=True,
    ),
    _defect(
        "refusals-counted",
        "A receipt that the limit forbids is counted, which the next answer shows.",
        {_RECEIVE: _afterwards(_refusals_counted)},
        of="state",
        breaks=_COUNT,
        hard=True,
    ),
    _defect(
        "refusals-taken",
        "A receipt that limit or dates forbid takes from the stock.",
        {_RECEIVE: _afterwards(_refusals_taken)},
        of="state",
        breaks=_STOCK,
        hard=True,
        held_out=True,
    ),
    _defect(
        "batch-takes-once",
        "Of several coupons only the first one's stock is taken, which the answer does not tell.",
        {_RECEIVE: _given_back(lambda index, _: index > 0)},
        of="state",
        breaks=_STOCK,
        hard=True,
    ),
    _defect(
        "batch-forgotten",
        "Coupons that are received together with one that is not are assigned in the answer only.",
        {_RECEIVE: _afterwards(_batch_forgotten)},
        of="state",
        breaks=_ITEMS,
        hard=True,
    ),
    _defect(
        "bad-id-assigns",
        "A list with an empty coupon id is refused as it should, but the others are assigned.",
        handler=mending(_broke("blank body:/coupon_ids/"), _good_ids, told=False),
        of="state",
        breaks=_EMPTY,
        hard=True,
        held_out=True,
    ),
    _defect(
        "number-id-assigns",
        "A list with a number in it is refused as it should, but the others are assigned.",
        handler=mending(_broke("invalid body:/coupon_ids/"), _good_ids, told=False),
        of="state",
        breaks=_BAD,
        hard=True,
    ),
    # -- time
    _defect(
        "an-hour-late",
        "A coupon is assigned for another hour after its time is over.",
        {
            _RECEIVE: _finding(
                "coupon",
                lambda coupon, _: {"ends_at": coupon["ends_at"] + _HOUR} if coupon["ends_at"] is not None else {},
            )
        },
        of="time",
        breaks=("receive#success-response", "items.statusintThe status of the coupon."),
        hard=True,
    ),
    _defect(
        "a-day-early",
        "A coupon is assigned from a day before its time begins.",
        {
            _RECEIVE: _finding(
                "coupon",
                lambda coupon, _: {"starts_at": coupon["starts_at"] - _DAY} if coupon["starts_at"] is not None else {},
            )
        },
        of="time",
        breaks=("receive#success-response", "items.statusintThe status of the coupon."),
        hard=True,
        held_out=True,
    ),
    # -- isolation
    _defect(
        "limit-for-all",
        "A coupon that one customer has received as often as allowed is refused to all others.",
        {_RECEIVE: behaving(_limited_by_all)},
        of="isolation",
        breaks=("receive-2025-06#coupon-status", "personal limit reached"),
        hard=True,
    ),
    _defect(
        "count-of-all-coupons",
        "received_count counts every coupon that the customer has received.",
        {_RECEIVE: _counting(_all_received)},
        of="isolation",
        breaks=_COUNT,
        hard=True,
    ),
    _defect(
        "other-shops-stock",
        "Another shop's coupon is refused as unknown, but its stock is taken.",
        {_RECEIVE: _afterwards(_taken_elsewhere)},
        of="isolation",
        breaks=_STOCK,
        hard=True,
        held_out=True,
    ),
    # -- limits
    _defect(
        "five-ids",
        "Of more than five coupon ids the rest is ignored.",
        handler=_hearing_ids(lambda ids: ids[:5]),
        of="limits",
        breaks=_IDS,
        hard=True,
    ),
    _defect(
        "counts-begin-anew",
        "A fourth receipt of a coupon is forgotten with the three before it, once it was answered.",
        {_RECEIVE: _afterwards(_counts_begin_anew)},
        of="limits",
        breaks=_COUNT,
        hard=True,
    ),
    _defect(
        "large-stock-stays",
        "A stock of ninety or more never gets smaller, which the answer does not tell.",
        {_RECEIVE: _given_back(lambda _, coupon: coupon["stock"] >= 90)},
        of="limits",
        breaks=_STOCK,
        hard=True,
        held_out=True,
    ),
    _defect(
        "unlimited-runs-out",
        "A stock without end ends after three receipts.",
        {_RECEIVE: _running_out},
        of="limits",
        breaks=_STOCK,
        hard=True,
    ),
    # -- concurrency
    _defect(
        "last-one-twice",
        "The last one of a coupon is assigned to two customers who ask at once.",
        {_RECEIVE: stale(_BUYERS, "coupon")},
        handler=crowding(_BUYERS, lambda request: request.method == "POST"),
        of="concurrency",
        breaks=_STOCK,
        hard=True,
    ),
    _defect(
        "once-is-twice",
        "A coupon that a customer can receive once is assigned twice to one who asks twice at once.",
        {_RECEIVE: stale(_CLICKS, "receipt")},
        handler=crowding(_CLICKS, lambda request: request.method == "POST"),
        of="concurrency",
        breaks=("receive-2025-06#receive-status", "already received"),
        hard=True,
        held_out=True,
    ),
    # -- robustness
    _defect(
        "coupon-patterns",
        "A coupon id with % or * means the first coupon that it fits.",
        {_RECEIVE: behaving(_patterns)},
        of="robustness",
        breaks=_IDS,
        hard=True,
    ),
    _defect(
        "letters-behind-customer",
        "What follows the digits of a customer_id is ignored.",
        {_RECEIVE: behaving(_digits_of_customer)},
        of="robustness",
        breaks=_NO_CUSTOMER,
        hard=True,
    ),
    _defect(
        "zeros-before-coupon",
        "Zeros before a coupon id are ignored.",
        handler=_hearing_ids(lambda ids: [one.lstrip("0") or one if isinstance(one, str) else one for one in ids]),
        of="robustness",
        breaks=_IDS,
        hard=True,
        held_out=True,
    ),
    _defect(
        "ids-of-before",
        "Without coupon_ids, those of the request before are assigned.",
        handler=_ids_of_before,
        of="robustness",
        breaks=_BAD,
        hard=True,
    ),
    _defect(
        "huge-number-crash",
        "A number beyond what a floating-point number holds gets 500.",
        handler=answering(_huge, lambda reply: replace(with_body(reply, {"errors": ["Infinity"]}), status=500)),
        of="robustness",
        breaks=_BAD,
        hard=True,
    ),
    _defect(
        "items-measured-in-characters",
        "The length of an answer is told in characters: one beyond ASCII is cut.",
        handler=measured_in_characters,
        of="robustness",
        breaks=HTTP_LENGTH,
        hard=True,
        held_out=True,
    ),
    # -- leaks
    _defect(
        "customer-quotes-tell-sql",
        "A customer_id with an apostrophe gets 500, and the error is the SQL statement.",
        handler=answering(
            lambda request, reply: (
                reply.diagnosis.example == "customer_not_exist" and "'" in sent_member(request, "customer_id")
            ),
            lambda reply: replace(
                with_body(reply, {"errors": ["Error 1064: SELECT * FROM customer WHERE customer_id = ?"]}), status=500
            ),
        ),
        of="leaks",
        breaks=_NO_CUSTOMER,
        hard=True,
    ),
    _defect(
        "customers-named",
        "Who asks for a customer that does not exist is told those who do.",
        handler=_customers_named,
        of="leaks",
        breaks=_NO_CUSTOMER,
        hard=True,
    ),
    _defect(
        "token-told",
        "The refusal of a wrong token names the good one that was used last.",
        handler=_token_told,
        of="leaks",
        breaks=_DENIED,
        hard=True,
        held_out=True,
    ),
)
