"""Broken ways to receive Shoplazza's coupons."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from couponmock.behaviour import Answer, Behaviour, Call, Entity, Refused, World
from couponmock.defect import (
    Defect,
    all_of,
    asking,
    behaving,
    body_of,
    mishearing,
    misleading,
    namespace_of,
    sharing,
)
from couponmock.defects.adversary.making import (
    Misbehaving,
    Wrong,
    answering,
    despite,
    lending,
    mending,
    saying,
    sent_json,
    sent_member,
    with_json,
)
from couponmock.defects.second.making import (
    HTTP_ALLOW,
    HTTP_PARAMETERS,
    Memory,
    afterwards,
    asked_with,
    blind,
    seeing,
    told_only,
    with_headers,
    without,
)
from couponmock.defects.second.meeting import Meeting, Party, meeting, outdated
from couponmock.exchange import Handler, Reply, Request
from couponmock.finding import buffered

_RECEIVE = "receiveCoupons"
_PATH = "/openapi/2022-01/coupons/receive"
_ITEMS = "receive#success-response"
_ERRORS = "receive#error-response"
_DETAIL = "receive#error-detail"
_ASSIGNS = ("receive#scope", "enables assigning specific coupons to a customer")
_SCOPE = ("receive#scope", "Requires price_rules access scope.")
_CUSTOMER = ("receive#body-parameters", "customer_idstringYesCustomer's unique ID to assign the coupons.")
_IDS = ("receive#body-parameters", "coupon_idsarray of stringsYesArray of coupon IDs to be assigned to the customer.")
_ASSIGNED = (_ITEMS, "itemsarrayList of assigned coupons and their details.")
_ID = (_ITEMS, "items.idstringThe ID of the assigned coupon.")
_VALUE = (_ITEMS, "items.valuefloatThe value of the coupon.")
_STOCK = (_ITEMS, "items.stockintThe available stock of the coupon.")
_STATE = (_ITEMS, "items.coupon_statusintThe current status of the coupon.")
_COUNT = (_ITEMS, "items.received_countintThe count of times the coupon has been received.")
_TEXT = (_ITEMS, "items.prerequisite_textstringAny prerequisite details for using the coupon.")
_MORE = (_ITEMS, "has_moreboolIndicates if there are more coupons to receive.")
_EITHER = (_ERRORS, "two different fields: errors and error")
_LIST_OF_ERRORS = (_ERRORS, "A list of errors encountered during the request processing.")
_TYPES = (_DETAIL, "missing required fields or incorrect data types")
_CREDENTIALS = (_DETAIL, "missing valid authentication credentials or the credentials provided are invalid")
_UNKNOWN_CUSTOMER = (_DETAIL, "The Customer's ID provided is not existed.")
_BLANK = (_DETAIL, "Empty Coupon Id")
_LIMIT = ("receive-2025-06#coupon-status", "personal limit reached")
_AGAIN = ("receive-2025-06#receive-status", "already received")
_NO_STOCK = ("receive-2025-06#receive-status", "insufficient stock")
_NO_COUPON = ("receive-2025-06#receive-status", "coupon does not exist")
_HEADER = ("access-token#header", "access-token")
_METHOD = ("http-status#codes", "405")
_NO_ROUTE = ("admin-api#not-found", "Not found")
_FAULT = ("http-status#codes", "500")

_FORTNIGHT = 14 * 86_400


# -- requests and replies ----------------------------------------------------------------------------------------------


def _is_receive(request: Request) -> bool:
    return request.path == _PATH


def _ids_of(request: Request) -> list[Any]:
    """Return the ids that a buffered request sends; none if they are no list."""
    sent = sent_member(request, "coupon_ids")
    return sent if isinstance(sent, list) else []


def _customer_of(request: Request) -> Any:
    """Return the customer that a buffered request names."""
    return sent_member(request, "customer_id")


def _token_of(request: Request) -> str:
    return request.headers.get("access-token", "")


def _with_token(request: Request, token: str) -> Request:
    return with_headers(request, access_token=token)


def _items(reply: Reply) -> list[dict[str, Any]]:
    """Return the items of a reply; none if it refuses."""
    found: list[dict[str, Any]] = body_of(reply)["items"] if reply.status == 200 else []
    return found


def _with_items(reply: Reply, items: list[dict[str, Any]]) -> Reply:
    return saying(reply, items=items)


def _each(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Wrong:
    """Change every item."""
    return answering(
        lambda _, reply: bool(_items(reply)),
        lambda reply: _with_items(reply, [{**item, **change(item)} for item in _items(reply)]),
    )


def _is_unknown_customer(request: Request, reply: Reply) -> bool:
    return _is_receive(request) and reply.status == 404


def _refusal(right: Handler, request: Request) -> Reply:
    """Return the answer to a body that lacks everything, for its envelope."""
    return right(with_json(request, {}))


def _hearing(change: Callable[[dict[str, Any]], Mapping[str, Any]]) -> Wrong:
    """Understand other members of the body than were sent."""
    return mishearing(lambda sent: {**sent, **change(sent)} if isinstance(sent, dict) else sent)


def _several(sent: Mapping[str, Any]) -> list[Any]:
    ids = sent.get("coupon_ids")
    return ids if isinstance(ids, list) else []


# -- worlds ------------------------------------------------------------------------------------------------------------


def _coupon(call: Call, world: World, coupon_id: str) -> Entity | None:
    return world.find("coupon", shop=call.principal, id=coupon_id)


def _customer(call: Call, world: World) -> Entity | None:
    return world.find("customer", shop=call.principal, customer_id=call.body["customer_id"])


def _with_ids(call: Call, ids: list[str]) -> Call:
    return replace(call, body={**call.body, "coupon_ids": ids})


def _finding(change: Callable[[Call, World, Mapping[str, Any]], Mapping[str, Any]], kind: str) -> Misbehaving:
    """Look entities of a kind up by other members than should be."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        def find(found: Callable[..., Entity | None], asked: str, **members: Any) -> Entity | None:
            return found(asked, **(change(call, world, members) if asked == kind else members))

        return misleading(find)(right)(call, world)

    return behaving(changed)


def _outcomes(answer: Answer, status: int) -> list[str]:
    """Return the ids of an answer's items with a coupon_status."""
    return [item["id"] for item in answer.members.get("items", ()) if item["coupon_status"] == status]


def _counted(call: Call, world: World, coupon: Entity) -> None:
    """Count a coupon as received once more."""
    customer = _customer(call, world)
    if customer is None:
        return
    receipt = world.find("receipt", customer=customer.name, coupon=coupon.name)
    if receipt:
        world.change(receipt, received_count=receipt["received_count"] + 1)
    else:
        name = f"{customer.name}.{coupon.name}"
        world.add("receipt", name, customer=customer.name, coupon=coupon.name, received_count=1)


def _taken(_: Call, world: World, coupon: Entity) -> None:
    """Take one of a coupon's stock."""
    if coupon["stock"] > 0:
        world.change(coupon, stock=coupon["stock"] - 1)


def _although(status: int, effect: Callable[[Call, World, Entity], None]) -> Misbehaving:
    """Change the world for coupons that were refused with a coupon_status."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        answer = right(call, world)
        for coupon_id in _outcomes(answer, status):
            if coupon := _coupon(call, world, coupon_id):
                effect(call, world, coupon)
        return answer

    return behaving(changed)


def _all_taken(call: Call, world: World) -> None:
    """Take one of each coupon's stock."""
    for coupon_id in call.body["coupon_ids"]:
        if coupon := _coupon(call, world, coupon_id):
            _taken(call, world, coupon)


def _last_stored(right: Behaviour, call: Call, world: World) -> Answer:
    """Answer for all coupons and store the last one."""
    ids = call.body["coupon_ids"]
    if len(ids) < 2:
        return right(call, world)
    answer = told_only(lambda _, __: True)(right)(call, world)
    right(_with_ids(call, ids[-1:]), world)
    return answer


def _put_back(applies: Callable[[Call, Entity], bool]) -> Misbehaving:
    """Put the stock back that was taken of some coupons."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        stocks = {each: _coupon(call, world, each) for each in call.body["coupon_ids"]}
        answer = right(call, world)
        for coupon_id, before in stocks.items():
            after = _coupon(call, world, coupon_id)
            if before and after and applies(call, before) and after["stock"] != before["stock"]:
                world.change(after, stock=before["stock"])
        return answer

    return behaving(changed)


def _neighbour_pays(right: Behaviour, call: Call, world: World) -> Answer:
    """Take the stock of the next coupon of the same value."""
    answer = right(call, world)
    for coupon_id in _outcomes(answer, 1):
        coupon = _coupon(call, world, coupon_id)
        if coupon is None or coupon["stock"] < 0:
            continue
        others = [
            other
            for other in all_of(world, "coupon")
            if (other["shop"], other["value"]) == (coupon["shop"], coupon["value"])
            and other["id"] > coupon_id
            and other["stock"] > 0
        ]
        if others:
            world.change(coupon, stock=coupon["stock"] + 1)
            _taken(call, world, min(others, key=lambda other: other["id"]))
    return answer


def _sum_of_receipts(right: Behaviour, call: Call, world: World) -> Answer:
    """Count all that a customer has received."""
    answer = right(call, world)
    customer = _customer(call, world)
    if customer is None or not answer.members.get("items"):
        return answer
    receipts = [each for each in all_of(world, "receipt") if each["customer"] == customer.name]
    total = sum(each["received_count"] for each in receipts)
    return replace(answer, members={"items": [{**item, "received_count": total} for item in answer.members["items"]]})


def _begins_alike(call: Call, world: World, members: Mapping[str, Any]) -> Mapping[str, Any]:
    """Look receipts up by the first three digits of the customer's id."""
    mine = _customer(call, world)
    names = [
        each.name
        for each in all_of(world, "customer")
        if mine and each["shop"] == mine["shop"] and each["customer_id"][:3] == mine["customer_id"][:3]
    ]
    return {**members, "customer": min(names, default=members["customer"])}


def _foreign(right: Behaviour, call: Call, world: World) -> Answer:
    """Serve a customer of another store who wants that store's coupons."""
    if _customer(call, world) is None:
        for each in all_of(world, "customer"):
            moved = replace(call, principal=each["shop"])
            wanted = call.body["coupon_ids"]
            if each["customer_id"] == call.body["customer_id"] and all(_coupon(moved, world, one) for one in wanted):
                return right(moved, world)
    return right(call, world)


def _foreign_behind(call: Call, world: World, members: Mapping[str, Any]) -> Mapping[str, Any]:
    """Look a coupon that is not the first up in every store."""
    if members["id"] == call.body["coupon_ids"][0]:
        return members
    shops = [each["shop"] for each in all_of(world, "coupon") if each["id"] == members["id"]]
    return members if call.principal in shops or not shops else {**members, "shop": shops[0]}


def _store_before(right: Behaviour, call: Call, world: World) -> Answer:
    """Look a customer who is unknown up in the store that was served before."""
    kept = _STORES.of(namespace_of(world))
    before = kept.get("store", call.principal)
    kept["store"] = call.principal
    known = _customer(call, world) is not None
    return right(call if known else replace(call, principal=before), world)


def _foreign_shown(right: Behaviour, call: Call, world: World) -> Answer:
    """Show the details of another store's coupon that is asked for."""
    answer = right(call, world)
    if answer.example != "unknown_coupon":
        return answer
    template = call.templates["received"]["items"][0]
    items = [
        {**template, **{name: each[name] for name in template if name in each.data}, "received_count": 0}
        for each in all_of(world, "coupon")
        if each["id"] in call.body["coupon_ids"] and each["shop"] != call.principal
    ]
    return replace(answer, members={"items": items}) if items else answer


def _nobody(right: Behaviour, call: Call, world: World) -> Answer:
    """Assign several coupons to nobody."""
    try:
        return right(call, world)
    except Refused as refused:
        if refused.problem != "customer_not_exist" or len(call.body["coupon_ids"]) < 2:
            raise
        return Answer("unknown_coupon")


def _sold_out(right: Behaviour, call: Call, world: World) -> Answer:
    """Fail where a constraint of the data base keeps stock from sinking."""
    answer = right(call, world)
    if answer.example == "out_of_stock":
        raise Refused("internal_error")
    return answer


def _customer_suggested(right: Behaviour, call: Call, world: World) -> Answer:
    """Name the customers whose ids are nearly the one that is unknown."""
    try:
        return right(call, world)
    except Refused as refused:
        ids = [each["customer_id"] for each in all_of(world, "customer") if each["shop"] == call.principal]
        near = [each for each in ids if len(each) == len(call.body["customer_id"])]
        if refused.problem != "customer_not_exist" or not near:
            raise
        said = call.templates["customer_not_exist"]["errors"]
        return Answer("customer_not_exist", {"errors": [*said, *near]})


# -- what is kept ------------------------------------------------------------------------------------------------------

_STORES = Memory()
_STOCKS = Memory()
_RECEIVERS = Memory()


def _stock_at_first(_: Call, world: World, entity: Entity) -> Mapping[str, Any]:
    """See a coupon that was sold out since it was first seen as one that is not."""
    if entity.kind != "coupon":
        return {}
    first = _STOCKS.of(namespace_of(world)).setdefault(entity.name, entity["stock"])
    return {"stock": 1} if entity["stock"] == 0 and first > 0 else {}


def _forgets_others(call: Call, world: World, entity: Entity) -> Mapping[str, Any]:
    """See how often a coupon was received only if its last receiver asks."""
    if entity.kind != "receipt":
        return {}
    last = _RECEIVERS.of(namespace_of(world)).get(entity["coupon"], call.body["customer_id"])
    return {"received_count": 0} if last != call.body["customer_id"] else {}


def _note_receiver(call: Call, world: World) -> None:
    for coupon_id in call.body["coupon_ids"]:
        if coupon := _coupon(call, world, coupon_id):
            _RECEIVERS.of(namespace_of(world))[coupon.name] = call.body["customer_id"]


def _limited(seen: Callable[[Call, Entity], int]) -> Misbehaving:
    """See another limit of coupons that have one."""
    return seeing(
        lambda call, _, entity: (
            {"per_customer": seen(call, entity)} if entity.kind == "coupon" and entity["per_customer"] else {}
        )
    )


# -- at once -----------------------------------------------------------------------------------------------------------

_CUSTOMERS = Meeting()
_BODIES = Meeting()
_THREE = Meeting(3)


def _deadlock(right: Handler, request: Request, party: Party, place: int) -> Reply:
    """Give up after the first coupon where another wants the same ones in another order."""
    ids = _ids_of(request)
    others = [_ids_of(other) for other in party.requests]
    if place and any(other != ids and sorted(map(str, other)) == sorted(map(str, ids)) for other in others):
        right(with_json(request, {"customer_id": _customer_of(request), "coupon_ids": ids[:1]}))
        return replace(_refusal(right, request), status=500)
    return right(request)


def _token_of_another(right: Handler, request: Request, party: Party, _: int) -> Reply:
    """Serve a client with the token of another one that is being served."""
    if right(with_json(request, {})).status == 401:
        return right(request)
    others = [_token_of(other) for other in party.requests if _token_of(other) != _token_of(request)]
    return right(_with_token(request, others[0]) if others else request)


def _same_coupons(request: Request) -> object:
    ids = _ids_of(request)
    return (request.namespace, _token_of(request), repr(ids)) if _is_receive(request) and ids else None


# -- odd requests ------------------------------------------------------------------------------------------------------


def _query_wins(right: Handler) -> Handler:
    """Let a customer in the query stand in for the one in the body."""

    def handle(request: Request) -> Reply:
        request = buffered(request)
        asked, sent = asked_with(request, "customer_id"), sent_json(request)
        if asked and isinstance(sent, dict) and request.method == "POST":
            request = with_json(request, {**sent, "customer_id": asked})
        return right(request)

    return handle


def _as_numbers(sent: Any) -> Any:
    """Read a number as an id, in double precision."""
    ids = _several(sent) if isinstance(sent, dict) else []
    if not any(isinstance(each, int) and not isinstance(each, bool) for each in ids):
        return sent
    heard = [f"{float(each):.0f}" if isinstance(each, int) and abs(each) < 2**64 else each for each in ids]
    return {**sent, "coupon_ids": heard}


def _crash(applies: Callable[[Request], bool]) -> Wrong:
    """Fail where a request asks for too much."""

    def wrap(right: Handler) -> Handler:
        def handle(request: Request) -> Reply:
            request = buffered(request)
            reply = right(request)
            if not (_is_receive(request) and reply.status in {200, 404} and applies(request)):
                return reply
            return replace(_refusal(right, request), status=500)

        return handle

    return wrap


def _panic(right: Handler) -> Handler:
    """Tell where a body of the wrong types was read."""

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        if "errors" not in body_of(reply) or not isinstance(_customer_of(request), dict | list):
            return reply
        trace = "interface conversion: interface {} is not string; goroutine 41 [running]: main.go:118"
        return saying(reply, errors=[*body_of(reply)["errors"], trace])

    return handle


def _cookie(right: Handler) -> Handler:
    """Keep the token in a cookie."""

    def handle(request: Request) -> Reply:
        reply = right(request)
        if reply.status != 200:
            return reply
        told = _token_of(request).encode("unicode_escape").decode()
        return replace(reply, headers=(*reply.headers, ("Set-Cookie", f"session={told}; Path=/")))

    return handle


def _inheriting(reply: Reply) -> Reply:
    """Leave the text of the item before where an item has none."""
    texts = ""
    items = []
    for item in _items(reply):
        texts = item["prerequisite_text"] or texts
        items.append({**item, "prerequisite_text": texts})
    return _with_items(reply, items)


def _unsupported(right: Handler) -> Handler:
    """Find no route for a method that nobody has thought of."""

    def handle(request: Request) -> Reply:
        reply = right(request)
        odd = _is_receive(request) and request.method in {"PATCH", "DELETE"}
        return right(replace(request, method="GET", path=f"{_PATH}-")) if odd else reply

    return handle


def _paged(reply: Reply) -> Reply:
    """Show three items and keep the others for a page that nobody can ask for."""
    items = _items(reply)
    return saying(reply, items=items[:3], has_more=True, cursor=items[2]["id"]) if len(items) > 3 else reply


_defect = partial(Defect, "shoplazza")

DEFECTS = blind(
    # -- status
    _defect(
        "blank-among-others-skipped",
        "A blank id among others is left out, and the others are assigned.",
        handler=_hearing(
            lambda sent: (
                {"coupon_ids": [each for each in _several(sent) if each != ""]}
                if any(each != "" for each in _several(sent))
                else {}
            )
        ),
        of="status",
        breaks=_BLANK,
        hard=True,
    ),
    _defect(
        "wordy-customer-unprocessable",
        "An unknown customer whose id has letters gets a 422.",
        handler=answering(
            lambda request, reply: (
                _is_unknown_customer(request, reply) and not re.fullmatch("[0-9]+", str(_customer_of(request)))
            ),
            lambda reply: replace(reply, status=422),
        ),
        of="status",
        breaks=_UNKNOWN_CUSTOMER,
        hard=True,
    ),
    _defect(
        "nobody-receives-several",
        "An unknown customer who is to receive several coupons gets a 200.",
        behaviours={_RECEIVE: behaving(_nobody)},
        of="status",
        breaks=_UNKNOWN_CUSTOMER,
        hard=True,
    ),
    _defect(
        "no-stock-is-a-fault",
        "A coupon that is sold out gets a 500.",
        behaviours={_RECEIVE: behaving(_sold_out)},
        of="status",
        breaks=_NO_STOCK,
    ),
    # -- shape
    _defect(
        "zero-left-out",
        "A stock or a count of zero is left out of an item.",
        handler=answering(
            lambda _, reply: bool(_items(reply)),
            lambda reply: _with_items(
                reply,
                [
                    without(item, lambda name, value: name in {"stock", "received_count"} and value == 0)
                    for item in _items(reply)
                ],
            ),
        ),
        of="shape",
        breaks=_STOCK,
        hard=True,
    ),
    _defect(
        "no-items-null",
        "Where there are no items they are null.",
        handler=answering(
            lambda _, reply: reply.status == 200 and not _items(reply), lambda reply: saying(reply, items=None)
        ),
        of="shape",
        breaks=_ASSIGNED,
        hard=True,
    ),
    _defect(
        "text-of-the-item-before",
        "An item without a prerequisite has that of the item before.",
        handler=answering(lambda _, reply: bool(_items(reply)), _inheriting),
        of="shape",
        breaks=_TEXT,
        hard=True,
    ),
    _defect(
        "last-id-a-number",
        "The id of the last item of several is a number.",
        handler=answering(
            lambda _, reply: len(_items(reply)) > 1 and _items(reply)[-1]["id"].isdigit(),
            lambda reply: _with_items(
                reply, [*_items(reply)[:-1], {**_items(reply)[-1], "id": int(_items(reply)[-1]["id"])}]
            ),
        ),
        of="shape",
        breaks=_ID,
        hard=True,
    ),
    _defect(
        "broken-values-in-cents",
        "A value that is not whole is told in cents.",
        handler=_each(
            lambda item: (
                {"value": round(item["value"] * 100)} if isinstance(item["value"], float) and item["value"] % 1 else {}
            )
        ),
        of="shape",
        breaks=_VALUE,
        hard=True,
    ),
    # -- identifiers
    _defect(
        "both-envelopes",
        "The refusal of a customer who is to receive several coupons has both error and errors.",
        handler=answering(
            lambda request, reply: _is_unknown_customer(request, reply) and len(_ids_of(request)) > 1,
            lambda reply: saying(reply, error=body_of(reply)["errors"][0]),
        ),
        of="identifiers",
        breaks=_EITHER,
        hard=True,
    ),
    _defect(
        "errors-in-a-text",
        "The errors of a body that is no JSON are a text.",
        handler=answering(
            lambda request, reply: reply.status == 400 and "errors" in body_of(reply) and sent_json(request) is None,
            lambda reply: saying(reply, errors=body_of(reply)["errors"][0]),
        ),
        of="identifiers",
        breaks=_LIST_OF_ERRORS,
        hard=True,
    ),
    _defect(
        "no-error-in-errors",
        "The errors of a missing customer_id are an empty list.",
        handler=answering(
            lambda request, reply: (
                "errors" in body_of(reply) and _customer_of(request) is None and bool(_ids_of(request))
            ),
            lambda reply: saying(reply, errors=[]),
        ),
        of="identifiers",
        breaks=_LIST_OF_ERRORS,
        hard=True,
    ),
    # -- credentials
    _defect(
        "scope-forgotten-in-batches",
        "A token without the scope may assign several coupons, not one.",
        handler=lending(
            _token_of,
            lambda request, token: _with_token(request, token) if len(_ids_of(request)) > 1 else request,
            lambda _, __: True,
            status=403,
        ),
        of="credentials",
        breaks=_SCOPE,
        hard=True,
    ),
    _defect(
        "blank-token-is-the-first",
        "A blank token is taken for the one that was first let in.",
        handler=lending(
            lambda request: _token_of(request) or ("blank" if "access-token" in request.headers else ""),
            _with_token,
            lambda sent, _: sent == "blank" or not sent.strip(),
        ),
        of="credentials",
        breaks=_HEADER,
        hard=True,
    ),
    _defect(
        "beginning-of-a-token",
        "The first four characters of a token are enough.",
        handler=lending(_token_of, _with_token, lambda sent, known: len(sent) >= 4 and known.startswith(sent)),
        of="credentials",
        breaks=_CREDENTIALS,
        hard=True,
    ),
    _defect(
        "capitals-need-no-token",
        "A path with capitals is served without a token.",
        handler=lending(
            lambda request: _token_of(request) or ("odd" if request.path != request.path.lower() else ""),
            lambda request, token: _with_token(replace(request, path=request.path.lower()), token),
            lambda sent, known: sent == "odd" and known != "odd",
            status=404,
        ),
        of="credentials",
        breaks=_CREDENTIALS,
        hard=True,
    ),
    _defect(
        "refused-scope-assigns-the-last",
        "A token without the scope is refused, and the last coupon is assigned.",
        handler=lending(
            _token_of,
            lambda request, token: with_json(
                _with_token(request, token),
                {"customer_id": _customer_of(request), "coupon_ids": _ids_of(request)[-1:]},
            ),
            lambda sent, known: sent != known,
            status=403,
            told=False,
        ),
        of="credentials",
        breaks=_SCOPE,
        hard=True,
    ),
    # -- routing
    _defect(
        "any-version",
        "A version that there is not is served like this one.",
        handler=asking(
            lambda request: replace(request, path=re.sub(r"\A/openapi/[0-9-]+/", "/openapi/2022-01/", request.path))
        ),
        of="routing",
        breaks=_NO_ROUTE,
        hard=True,
    ),
    _defect(
        "anything-behind-the-path",
        "A path that goes on with letters behind the operation's is the operation's.",
        handler=asking(
            lambda request: replace(request, path=_PATH) if re.match(f"{_PATH}[A-Za-z]", request.path) else request
        ),
        of="routing",
        breaks=_NO_ROUTE,
        hard=True,
    ),
    _defect(
        "customer-in-the-query-wins",
        "A customer_id in the query stands in for the one in the body.",
        handler=_query_wins,
        of="routing",
        breaks=_CUSTOMER,
        hard=True,
    ),
    # -- method
    _defect(
        "received-by-get",
        "GET with a body assigns coupons.",
        handler=asking(
            lambda request: (
                replace(request, method="POST")
                if request.method == "GET" and request.headers.get("content-length", "0") != "0"
                else request
            )
        ),
        of="method",
        breaks=_METHOD,
        hard=True,
    ),
    _defect(
        "odd-methods-unknown",
        "PATCH and DELETE get a 404.",
        handler=_unsupported,
        of="method",
        breaks=_METHOD,
        hard=True,
    ),
    _defect(
        "put-refused-and-done",
        "PUT is refused, and the coupons are assigned.",
        handler=mending(
            lambda reply: reply.status == 405,
            lambda request: replace(request, method="POST") if request.method == "PUT" else None,
            told=False,
        ),
        of="method",
        breaks=_METHOD,
        hard=True,
    ),
    _defect(
        "methods-not-told",
        "The refusal of a wrong method does not say which are allowed.",
        handler=answering(
            lambda _, reply: reply.status == 405,
            lambda reply: replace(reply, headers=tuple(each for each in reply.headers if each[0] != "Allow")),
        ),
        of="method",
        breaks=HTTP_ALLOW,
        hard=True,
    ),
    # -- state
    _defect(
        "sold-out-still-counts",
        "A coupon that is refused for its stock counts as received.",
        behaviours={_RECEIVE: _although(3, _counted)},
        of="state",
        breaks=_COUNT,
        hard=True,
    ),
    _defect(
        "limit-takes-stock",
        "A coupon that is refused for its limit loses one of its stock.",
        behaviours={_RECEIVE: _although(2, _taken)},
        of="state",
        breaks=_STOCK,
        hard=True,
    ),
    _defect(
        "nobody-takes-stock",
        "An unknown customer is refused, and the coupons lose one of their stock.",
        behaviours={_RECEIVE: despite("customer_not_exist", _all_taken)},
        of="state",
        breaks=_UNKNOWN_CUSTOMER,
        hard=True,
    ),
    _defect(
        "blank-refused-rest-assigned",
        "A list with a blank id is refused, and the others are assigned.",
        handler=mending(
            lambda reply: reply.status == 422,
            lambda request: with_json(
                request,
                {
                    "customer_id": _customer_of(request),
                    "coupon_ids": [each for each in _ids_of(request) if isinstance(each, str) and each.strip()],
                },
            ),
            told=False,
        ),
        of="state",
        breaks=_BLANK,
        hard=True,
    ),
    _defect(
        "unknown-last-undoes",
        "Where the last coupon of several is unknown, the others are said to be assigned and are not.",
        behaviours={
            _RECEIVE: told_only(
                lambda call, world: (
                    len(call.body["coupon_ids"]) > 1 and _coupon(call, world, call.body["coupon_ids"][-1]) is None
                )
            )
        },
        of="state",
        breaks=_ASSIGNS,
        hard=True,
    ),
    _defect(
        "last-one-stored",
        "Of several coupons all are said to be assigned, and the last one is.",
        behaviours={_RECEIVE: behaving(_last_stored)},
        of="state",
        breaks=_ASSIGNS,
    ),
    _defect(
        "broken-values-keep-stock",
        "A coupon whose value is not whole does not lose stock.",
        behaviours={_RECEIVE: _put_back(lambda _, coupon: coupon["value"] % 1 != 0)},
        of="state",
        breaks=_STOCK,
        hard=True,
    ),
    _defect(
        "first-of-several-pays",
        "Of several coupons only the first loses stock.",
        behaviours={_RECEIVE: _put_back(lambda call, coupon: coupon["id"] != call.body["coupon_ids"][0])},
        of="state",
        breaks=_STOCK,
        hard=True,
    ),
    _defect(
        "neighbour-pays",
        "Instead of a coupon the next one of the same value loses stock.",
        behaviours={_RECEIVE: behaving(_neighbour_pays)},
        of="state",
        breaks=_STOCK,
        hard=True,
    ),
    # -- limits
    _defect(
        "sold-out-last-in-a-batch",
        "A coupon that is sold out can be received as the last of several.",
        behaviours={
            _RECEIVE: seeing(
                lambda call, _, entity: (
                    {"stock": 1}
                    if entity.kind == "coupon"
                    and entity["stock"] == 0
                    and len(call.body["coupon_ids"]) > 1
                    and entity["id"] == call.body["coupon_ids"][-1]
                    else {}
                )
            )
        },
        of="limits",
        breaks=_NO_STOCK,
        hard=True,
    ),
    _defect(
        "sold-out-unnoticed",
        "A coupon that was sold out since it was first asked for can still be received.",
        behaviours={_RECEIVE: seeing(_stock_at_first)},
        of="limits",
        breaks=_NO_STOCK,
        hard=True,
    ),
    _defect(
        "two-means-three",
        "A coupon that can be received more than once can be received once more than that.",
        behaviours={
            _RECEIVE: _limited(lambda _, coupon: coupon["per_customer"] + (1 if coupon["per_customer"] > 1 else 0))
        },
        of="limits",
        breaks=_LIMIT,
        hard=True,
    ),
    _defect(
        "limit-of-the-last-receiver",
        "A customer's limit begins anew when another customer has received the coupon.",
        behaviours={
            _RECEIVE: lambda right: afterwards(_note_receiver)(seeing(_forgets_others)(right)),
        },
        of="limits",
        breaks=_AGAIN,
        hard=True,
    ),
    _defect(
        "limit-of-the-first-coupon",
        "Of several coupons only the first has a limit.",
        behaviours={
            _RECEIVE: _limited(
                lambda call, coupon: coupon["per_customer"] if coupon["id"] == call.body["coupon_ids"][0] else 0
            )
        },
        of="limits",
        breaks=_LIMIT,
        hard=True,
    ),
    _defect(
        "five-at-most",
        "Of more than five coupons the first five are looked at, and nothing is said of the others.",
        behaviours={
            _RECEIVE: behaving(lambda right, call, world: right(_with_ids(call, call.body["coupon_ids"][:5]), world))
        },
        of="limits",
        breaks=_IDS,
        hard=True,
    ),
    _defect(
        "three-items-a-page",
        "Of more than three items three are shown, and a cursor that leads nowhere.",
        handler=answering(lambda _, reply: reply.status == 200, _paged),
        of="limits",
        breaks=_MORE,
        hard=True,
    ),
    # -- isolation
    _defect(
        "foreign-customer-foreign-coupons",
        "Another store's customer receives that store's coupons by this store's token.",
        behaviours={_RECEIVE: behaving(_foreign)},
        of="isolation",
        breaks=_UNKNOWN_CUSTOMER,
        hard=True,
    ),
    _defect(
        "foreign-coupon-behind-others",
        "Another store's coupon can be received if it is not the first of several.",
        behaviours={_RECEIVE: _finding(_foreign_behind, "coupon")},
        of="isolation",
        breaks=_NO_COUPON,
        hard=True,
    ),
    _defect(
        "foreign-coupon-shown",
        "Another store's coupon is refused, and shown with its details.",
        behaviours={_RECEIVE: behaving(_foreign_shown)},
        of="isolation",
        breaks=_ASSIGNED,
        hard=True,
    ),
    _defect(
        "all-coupons-counted",
        "The received_count of an item counts every coupon that the customer has received.",
        behaviours={_RECEIVE: behaving(_sum_of_receipts)},
        of="isolation",
        breaks=_COUNT,
    ),
    _defect(
        "customers-begin-alike",
        "Customers whose ids begin with the same three digits share one limit.",
        behaviours={_RECEIVE: _finding(_begins_alike, "receipt")},
        of="isolation",
        breaks=_AGAIN,
        hard=True,
    ),
    _defect(
        "store-of-before",
        "A customer who is unknown is looked up in the store that was served before.",
        behaviours={_RECEIVE: behaving(_store_before)},
        of="isolation",
        breaks=_UNKNOWN_CUSTOMER,
        hard=True,
    ),
    # -- concurrency
    _defect(
        "lock-of-a-customer",
        "Customers who receive a coupon at once do not see each other take its stock.",
        behaviours={_RECEIVE: outdated(_CUSTOMERS, "coupon", lambda party, _: party.differ(_customer_of))},
        handler=meeting(_CUSTOMERS, _is_receive),
        of="concurrency",
        breaks=_NO_STOCK,
        hard=True,
    ),
    _defect(
        "lock-of-a-list",
        "A customer who sends different lists at once receives a coupon more often than its limit allows.",
        behaviours={_RECEIVE: outdated(_BODIES, "receipt", lambda party, _: party.differ(_ids_of))},
        handler=meeting(_BODIES, _is_receive),
        of="concurrency",
        breaks=_AGAIN,
        hard=True,
    ),
    _defect(
        "counts-lost-in-a-crowd",
        "Of three calls at once for a customer and a coupon one is counted.",
        behaviours={_RECEIVE: outdated(_THREE, "receipt", lambda _, __: True)},
        handler=meeting(_THREE, _is_receive),
        of="concurrency",
        breaks=_COUNT,
        hard=True,
    ),
    _defect(
        "deadlock-half-done",
        "Of two calls at once with the same coupons in another order one gets a 500 after its first coupon.",
        handler=meeting(Meeting(), _is_receive, _deadlock),
        of="concurrency",
        breaks=_FAULT,
        hard=True,
    ),
    _defect(
        "token-of-another",
        "A client that is served at the same time as one of another store is served as that one.",
        handler=meeting(Meeting(), _is_receive, _token_of_another),
        of="concurrency",
        breaks=_CREDENTIALS,
        hard=True,
    ),
    _defect(
        "one-answer-for-a-list",
        "Who wants the coupons that another customer is receiving gets that answer, and no coupons.",
        handler=sharing(_same_coupons),
        of="concurrency",
        breaks=_ASSIGNS,
        hard=True,
    ),
    # -- time
    _defect(
        "dates-of-the-first-coupon",
        "Of several coupons only the first has dates.",
        behaviours={
            _RECEIVE: seeing(
                lambda call, _, entity: (
                    {"starts_at": None, "ends_at": None}
                    if entity.kind == "coupon" and entity["id"] != call.body["coupon_ids"][0]
                    else {}
                )
            )
        },
        of="time",
        breaks=_STATE,
        hard=True,
    ),
    _defect(
        "a-fortnight-early",
        "A coupon can be received a fortnight before it begins.",
        behaviours={
            _RECEIVE: seeing(
                lambda _, world, entity: (
                    {"starts_at": None}
                    if entity.kind == "coupon" and world.now < (entity["starts_at"] or 0) < world.now + _FORTNIGHT
                    else {}
                )
            )
        },
        of="time",
        breaks=_STATE,
    ),
    # -- robustness
    _defect(
        "customer-as-a-number",
        "A number for a customer_id is taken for the text.",
        handler=_hearing(
            lambda sent: (
                {"customer_id": str(sent["customer_id"])}
                if isinstance(sent.get("customer_id"), int) and abs(sent["customer_id"]) < 2**64
                else {}
            )
        ),
        of="robustness",
        breaks=_TYPES,
    ),
    _defect(
        "text-is-a-list",
        "A text for the list of ids is taken for a list of what stands between its commas.",
        handler=_hearing(
            lambda sent: (
                {"coupon_ids": sent["coupon_ids"].split(",")} if isinstance(sent.get("coupon_ids"), str) else {}
            )
        ),
        of="robustness",
        breaks=_IDS,
        hard=True,
    ),
    _defect(
        "object-is-a-list",
        "An object for the list of ids is taken for a list of its values.",
        handler=_hearing(
            lambda sent: (
                {"coupon_ids": [*sent["coupon_ids"].values()]} if isinstance(sent.get("coupon_ids"), dict) else {}
            )
        ),
        of="robustness",
        breaks=_IDS,
        hard=True,
    ),
    _defect(
        "numbers-are-rounded-ids",
        "A number among the ids is read in double precision: it is another coupon's.",
        handler=mishearing(_as_numbers),
        of="robustness",
        breaks=_TYPES,
        hard=True,
    ),
    _defect(
        "nulls-skipped",
        "A null among the ids is left out, and the others are assigned.",
        handler=_hearing(
            lambda sent: (
                {"coupon_ids": [each for each in _several(sent) if each is not None]} if None in _several(sent) else {}
            )
        ),
        of="robustness",
        breaks=_TYPES,
        hard=True,
    ),
    _defect(
        "charset-refused",
        "A media type with a charset is refused.",
        handler=asking(
            lambda request: (
                with_headers(request, content_type="text/plain")
                if "charset" in request.headers.get("content-type", "").lower()
                else request
            )
        ),
        of="robustness",
        breaks=HTTP_PARAMETERS,
        hard=True,
    ),
    _defect(
        "long-customer-crash",
        "A customer_id of more than 255 characters gets a 500.",
        handler=_crash(lambda request: len(str(_customer_of(request))) > 255),
        of="robustness",
        breaks=_UNKNOWN_CUSTOMER,
        hard=True,
    ),
    _defect(
        "many-ids-crash",
        "More than fifty ids get a 500.",
        handler=_crash(lambda request: len(_ids_of(request)) > 50),
        of="robustness",
        breaks=_IDS,
        hard=True,
    ),
    # -- leaks
    _defect(
        "token-in-a-cookie",
        "A success sets a cookie with the token.",
        handler=_cookie,
        of="leaks",
        breaks=_HEADER,
    ),
    _defect(
        "panic-told",
        "The refusal of a customer_id that is a list or an object tells where the program failed.",
        handler=_panic,
        of="leaks",
        breaks=_LIST_OF_ERRORS,
        hard=True,
    ),
    _defect(
        "customers-suggested",
        "The refusal of an unknown customer lists customers whose ids are as long.",
        behaviours={_RECEIVE: behaving(_customer_suggested)},
        of="leaks",
        breaks=_UNKNOWN_CUSTOMER,
        hard=True,
    ),
)
