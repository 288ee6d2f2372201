"""Broken ways to assign coupons to Shoplazza's customers."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from couponmock.behaviour import Answer, Behaviour, Call, Entity, Refused, World
from couponmock.defect import Defect, all_of, asking, behaving, body_of, mishearing, namespace_of, with_body
from couponmock.defects.adversary.making import answering, lending, sent_json, sent_member, with_json
from couponmock.defects.fourth.making import JSON_BLANKS, followed, veiled, with_header
from couponmock.defects.second.making import Memory, seeing, text_of, with_headers
from couponmock.defects.second.meeting import Meeting, Party, meeting
from couponmock.defects.third.making import aside, object_in, with_error
from couponmock.exchange import Handler, Reply, Request
from couponmock.finding import buffered

_RECEIVE = "receiveCoupons"
_PATH = "/openapi/2022-01/coupons/receive"
_SUCCESS = "receive#success-response"
_ASSIGNED = (_SUCCESS, "itemsarrayList of assigned coupons and their details.")
_COUNT = (_SUCCESS, "items.received_countintThe count of times the coupon has been received.")
_BAD = ("receive#error-detail", "missing required fields or incorrect data types")
_CREDENTIALS = (
    "receive#error-detail",
    "missing valid authentication credentials or the credentials provided are invalid",
)
_IDS = ("receive#body-parameters", "coupon_idsarray of stringsYesArray of coupon IDs to be assigned to the customer.")
_CUSTOMER = ("receive#body-parameters", "customer_idstringYesCustomer's unique ID to assign the coupons.")
_NOTHING = {"status": 0, "items": [], "limit": 0, "has_more": False, "cursor": "0"}
_ZERO = {
    "id": "",
    "status": 0,
    "value": 0,
    "stock": 0,
    "coupon_status": 0,
    "received_count": 0,
    "discount_text": "",
    "prerequisite_text": "",
    "is_first_order": False,
}
_DRY = "_dry"
"""Member of a body by which a handler asks the behaviour to refuse whatever would be written."""
_PAGE, _BUFFER, _WALLET = 10, 4096, 5


def _is_receive(request: Request) -> bool:
    return request.path == _PATH


def _token(request: Request) -> str:
    return request.headers.get("access-token", "")


def _received(request: Request, reply: Reply) -> bool:
    return _is_receive(request) and reply.status == 200 and "items" in object_in(reply)


def _ids(request: Request) -> list[Any]:
    ids = sent_member(request, "coupon_ids")
    return ids if isinstance(ids, list) else []


def _failing(right: Handler, request: Request) -> Reply:
    """Fail without having done anything."""
    return with_error(right(replace(request, read=lambda _: b"{")), 500, {"errors": ["Internal Server Error"]})


# -- handlers ----------------------------------------------------------------------------------------------------------


def _only_empty(request: Request, reply: Reply) -> bool:
    ids = _ids(request)
    return _is_receive(request) and reply.status == 422 and len(ids) > 1 and not any(ids)


def _zeros(right: Handler) -> Handler:
    """Make as many items as there are ids, and fill in those that can be shown."""

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        items = {item["id"]: item for item in body_of(reply)["items"]} if _received(request, reply) else {}
        ids = list(dict.fromkeys(_ids(request)))
        while ids and ids[-1] not in items:
            ids.pop()
        if len(ids) == len(items):
            return reply
        return with_body(reply, {**body_of(reply), "items": [items.get(each, _ZERO) for each in ids]})

    return handle


def _page_of_html(reply: Reply) -> Reply:
    page = f"<!doctype html>\n<title>{reply.status}</title>\n<h1>Sorry, something is not right</h1>\n"
    return replace(reply, media_type="text/html; charset=utf-8", body=page.encode())


def _scope_late(right: Handler) -> Handler:
    """Look at the scope of a token only when something is to be written."""
    memory = Memory()

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        known = memory.of(request.namespace)
        if reply.status == 200:
            known[_token(request)] = True
        if reply.status != 403 or not isinstance(sent_json(request), dict):
            return reply
        dry = with_json(request, {**sent_json(request), _DRY: True})
        tried = (right(with_headers(dry, access_token=token)) for token in list(known))
        return next((each for each in tried if each.status == 200), reply)

    return handle


def _dry(right: Behaviour, call: Call, world: World) -> Answer:
    answer = right(call, world)
    assigned = any(item["coupon_status"] == 1 for item in answer.members.get("items", ()))
    if call.body.get(_DRY) and assigned:
        raise Refused("missing_scope")
    return answer


def _begins_like_json(request: Request) -> Request:
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    alike = media_type.startswith("application/json") and media_type != "application/json"
    return with_headers(request, content_type="application/json") if alike and _is_receive(request) else request


def _customer_kept(right: Handler) -> Handler:
    """Leave the customer of a request that has failed where the next one finds it."""
    memory = Memory()

    def handle(request: Request) -> Reply:
        request = buffered(request)
        kept, body = memory.of(request.namespace), sent_json(request)
        if not _is_receive(request) or not isinstance(body, dict):
            return right(request)
        if kept and "json" in request.headers.get("content-type", "") and isinstance(body.get("customer_id"), str):
            request = with_json(request, {**body, "customer_id": kept.pop("customer")})
        reply = right(request)
        if reply.status >= 500:
            kept["customer"] = body["customer_id"]
        return reply

    return handle


def _token_in_id(right: Handler) -> Handler:
    """Number refused requests by who has sent them."""

    def handle(request: Request) -> Reply:
        reply = right(request)
        if reply.status < 400 or not _token(request):
            return reply
        return with_header(reply, "Request-Id", veiled(f"{_token(request)}:{request.id[:8]}"))

    return handle


def _one_buffer(right: Handler) -> Handler:
    """Read what fits into the first buffer."""

    def handle(request: Request) -> Reply:
        request = buffered(request)
        if _is_receive(request) and len(body := text_of(request).encode()) > _BUFFER:
            request = replace(request, read=lambda _: body[:_BUFFER])
        return right(request)

    return handle


def _full_page(request: Request, reply: Reply) -> bool:
    return _received(request, reply) and len(body_of(reply)["items"]) == _PAGE


def _locks_leaked(right: Handler) -> Handler:
    """Forget to release the lock for which a second call has waited."""
    locked = Memory()

    def pairs(request: Request) -> set[tuple[str, str]]:
        return {(str(sent_member(request, "customer_id")), str(each)) for each in _ids(request)}

    def together(inner: Handler, request: Request, party: Party, place: int) -> Reply:
        reply = inner(request)
        for other in party.requests[:place]:
            for pair in pairs(request) & pairs(other):
                locked.of(request.namespace)[pair] = True
        return reply

    met = meeting(Meeting(), _is_receive, together)(right)

    def handle(request: Request) -> Reply:
        request = buffered(request)
        if pairs(request) & locked.of(request.namespace).keys() and _is_receive(request):
            return _failing(right, request)
        return met(request)

    return handle


def _same_request_id(right: Handler) -> Handler:
    """Take two requests for one if their clients, or proxies, have given them the same id."""
    memory = Memory()

    def handle(request: Request) -> Reply:
        request = buffered(request)
        sent, answered = request.headers.get("x-request-id", ""), memory.of(request.namespace)
        if sent in answered:
            before: Reply = answered[sent]
            return before
        reply = right(request)
        if sent and reply.status == 200:
            answered[sent] = reply
        return reply

    return handle


def _flat(body: Any) -> Any:
    ids = body.get("coupon_ids") if isinstance(body, dict) else None
    if not isinstance(ids, list) or not any(isinstance(each, str) for each in ids):
        return body
    return {**body, "coupon_ids": [one for each in ids for one in (each if isinstance(each, list) else [each])]}


def _split(body: Any) -> Any:
    ids = body.get("coupon_ids") if isinstance(body, dict) else None
    if not isinstance(ids, list):
        return body
    parts = [one for each in ids for one in (each.split(",") if isinstance(each, str) else [each])]
    return {**body, "coupon_ids": parts}


# -- effects -----------------------------------------------------------------------------------------------------------


def _coupon(call: Call, world: World, coupon_id: str) -> Entity | None:
    return world.find("coupon", shop=call.principal, id=coupon_id)


def _receipt(call: Call, world: World, coupon_id: str) -> Entity | None:
    customer = world.find("customer", shop=call.principal, customer_id=call.body["customer_id"])
    coupon = _coupon(call, world, coupon_id)
    return world.find("receipt", customer=customer.name, coupon=coupon.name) if customer and coupon else None


def _neighbours_only(right: Behaviour, call: Call, world: World) -> Answer:
    """Leave out repeated ids as uniq does, which wants them sorted; all are checked before any is assigned."""
    answer = right(call, world)
    ids = call.body["coupon_ids"]
    again = [each for place, each in enumerate(ids) if each in ids[: max(place - 1, 0)] and ids[place - 1] != each]
    items = [dict(item) for item in answer.members.get("items", ())]
    for item in items:
        for _ in range(again.count(item["id"]) if item["coupon_status"] == 1 else 0):
            coupon, receipt = _coupon(call, world, item["id"]), _receipt(call, world, item["id"])
            if coupon is None or receipt is None:
                continue
            item["received_count"] = world.change(receipt, received_count=receipt["received_count"] + 1)[
                "received_count"
            ]
            if coupon["stock"] > 0:
                item["stock"] = world.change(coupon, stock=coupon["stock"] - 1)["stock"]
    return replace(answer, members={**answer.members, "items": items})


_wallets = Memory()


def _wallet(call: Call, world: World, answer: Answer) -> None:
    """Keep the last few coupons of a customer."""
    wallet = _wallets.of(namespace_of(world)).setdefault(call.body["customer_id"], [])
    for item in answer.members.get("items", ()):
        if item["coupon_status"] == 1 and item["id"] not in wallet:
            wallet.append(item["id"])
    while len(wallet) > _WALLET:
        if receipt := _receipt(call, world, wallet.pop(0)):
            world.change(receipt, received_count=0)


def _dateless(call: Call, world: World, entity: Entity) -> Mapping[str, Any]:
    """Look no further at a coupon behind one that is sold out than at stock and limit."""
    ids = call.body["coupon_ids"]
    if entity.kind != "coupon" or entity["id"] not in ids:
        return {}
    before = [_coupon(call, world, each) for each in ids[: ids.index(entity["id"])]]
    sold_out = any(coupon is not None and coupon["stock"] == 0 for coupon in before)
    return {"starts_at": None, "ends_at": None} if sold_out else {}


def _not_eligible(right: Behaviour, call: Call, world: World) -> Answer:
    answer = right(call, world)
    foreign = {coupon["id"] for coupon in all_of(world, "coupon") if coupon["shop"] != call.principal}
    if answer.example != "unknown_coupon" or not foreign.intersection(call.body["coupon_ids"]):
        return answer
    return replace(answer, members={**answer.members, "status": 2})


_defect = partial(Defect, "shoplazza")

DEFECTS = aside(
    # -- status
    _defect(
        "only-empty-ids",
        "Several ids that are all empty get a 200 without items; one gets the 422.",
        handler=answering(_only_empty, lambda reply: replace(with_body(reply, _NOTHING), status=200)),
        of="status",
        breaks=("receive#error-detail", "Empty Coupon Id"),
        hard=True,
    ),
    # -- shape
    _defect(
        "items-of-zeros",
        "A coupon that is left out leaves an item of zeros and empty texts before those that follow it.",
        handler=_zeros,
        of="shape",
        breaks=(_SUCCESS, "items.idstringThe ID of the assigned coupon."),
        hard=True,
    ),
    _defect(
        "full-page-has-more",
        "An answer of exactly ten items says that there are more.",
        handler=answering(
            _full_page, lambda reply: with_body(reply, {**body_of(reply), "has_more": True, "cursor": "10"})
        ),
        of="shape",
        breaks=(_SUCCESS, "has_moreboolIndicates if there are more coupons to receive."),
        hard=True,
    ),
    # -- identifiers
    _defect(
        "pages-for-browsers",
        "Errors are pages of HTML for whoever takes those too, as browsers do.",
        handler=answering(
            lambda request, reply: (
                _is_receive(request) and reply.status >= 400 and "text/html" in request.headers.get("accept", "")
            ),
            _page_of_html,
        ),
        of="identifiers",
        breaks=("receive#error-response", "two different fields: errors and error"),
        hard=True,
    ),
    # -- credentials
    _defect(
        "scope-at-the-last-moment",
        "A token without the scope is refused only where a coupon would be assigned; otherwise it is shown everything.",
        handler=_scope_late,
        behaviours={_RECEIVE: behaving(_dry)},
        of="credentials",
        breaks=("receive#scope", "Requires price_rules access scope."),
        hard=True,
    ),
    _defect(
        "any-of-several-tokens",
        "Of several tokens with commas between them one that was let in before is enough.",
        handler=lending(
            _token,
            lambda request, known: with_headers(request, access_token=known),
            lambda sent, known: known in [part.strip() for part in sent.split(",")],
        ),
        of="credentials",
        breaks=_CREDENTIALS,
        hard=True,
    ),
    # -- method
    _defect(
        "types-that-begin-alike",
        "A body is taken for JSON if its type begins like that of JSON: application/json-seq, application/jsonlines.",
        handler=asking(_begins_like_json),
        of="method",
        breaks=("public-parameters#request-headers", "application/json"),
        hard=True,
    ),
    # -- state
    _defect(
        "customer-of-the-fault",
        "What is received right after an internal error goes to the customer of the request that has failed.",
        handler=_customer_kept,
        of="state",
        breaks=_CUSTOMER,
        hard=True,
    ),
    # -- time
    _defect(
        "dateless-behind-sold-out",
        "Dates of coupons that stand behind one that is sold out are not looked at.",
        behaviours={_RECEIVE: seeing(_dateless)},
        of="time",
        breaks=_ASSIGNED,
        hard=True,
    ),
    # -- isolation
    _defect(
        "same-request-id",
        "Requests with the same X-Request-Id are one request: whoever comes later gets the first answer and no coupon.",
        handler=_same_request_id,
        of="isolation",
        breaks=_CUSTOMER,
        hard=True,
    ),
    # -- limits
    _defect(
        "neighbours-only",
        "An id that a list repeats, not side by side, is assigned again whatever the coupon's limit.",
        behaviours={_RECEIVE: behaving(_neighbours_only)},
        of="limits",
        breaks=_COUNT,
        hard=True,
    ),
    _defect(
        "wallet-of-five",
        "When a customer has received five other coupons, the first one is forgotten, and with it its limit.",
        behaviours={_RECEIVE: followed(_wallet)},
        of="limits",
        breaks=_COUNT,
        hard=True,
    ),
    _defect(
        "one-buffer",
        "A body of more than four kilobytes is read no further: 400.",
        handler=_one_buffer,
        of="limits",
        breaks=JSON_BLANKS,
        hard=True,
    ),
    # -- concurrency
    _defect(
        "locks-leaked",
        "When two calls for a customer and a coupon have met, every later one fails with a 500.",
        handler=_locks_leaked,
        of="concurrency",
        breaks=_ASSIGNED,
        hard=True,
    ),
    # -- robustness
    _defect(
        "lists-within-the-list",
        "A list of ids among the ids is taken apart, and its coupons are assigned.",
        handler=mishearing(_flat),
        of="robustness",
        breaks=_BAD,
        hard=True,
    ),
    _defect(
        "commas-within-an-id",
        "An id with commas in it is taken for several: all coupons that stand between them are assigned.",
        handler=mishearing(_split),
        of="robustness",
        breaks=_IDS,
        hard=True,
    ),
    # -- leaks
    _defect(
        "token-in-the-request-id",
        "The Request-Id of a refused request is its token, in base64.",
        handler=_token_in_id,
        of="leaks",
        breaks=_CREDENTIALS,
        hard=True,
    ),
    _defect(
        "foreign-not-eligible",
        "The status of another store's coupon is 2, that of an unknown one 6.",
        behaviours={_RECEIVE: behaving(_not_eligible)},
        of="leaks",
        breaks=(_SUCCESS, "statusintOperation status code."),
        hard=True,
    ),
)
