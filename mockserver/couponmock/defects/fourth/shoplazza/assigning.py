"""Broken ways to assign coupons to a customer."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from couponmock.behaviour import Answer, Behaviour, Call, Entity, Refused, World
from couponmock.defect import all_of, behaving, namespace_of
from couponmock.defects.adversary.making import sent_json, sent_member, with_json
from couponmock.defects.fourth.making import followed
from couponmock.defects.fourth.shoplazza.parts import SUCCESS, defect, ids_of, is_receive, token_of
from couponmock.defects.second.making import Memory, seeing, with_headers
from couponmock.defects.second.meeting import Meeting, Party, meeting
from couponmock.defects.third.making import with_error
from couponmock.exchange import Handler, Reply, Request
from couponmock.finding import buffered

_RECEIVE = "receiveCoupons"
_ASSIGNED = (SUCCESS, "itemsarrayList of assigned coupons and their details.")
_COUNT = (SUCCESS, "items.received_countintThe count of times the coupon has been received.")
_CUSTOMER = ("receive#body-parameters", "customer_idstringYesCustomer's unique ID to assign the coupons.")

_DRY = "_dry"
"""Member of a body by which a handler asks the behaviour to refuse whatever would be written."""
_WALLET = 5
"""Coupons."""


# -- handlers ----------------------------------------------------------------------------------------------------------


def _failing(right: Handler, request: Request) -> Reply:
    """Fail without having done anything."""
    return with_error(right(replace(request, read=lambda _: b"{")), 500, {"errors": ["Internal Server Error"]})


def _scope_late(right: Handler) -> Handler:
    """Look at the scope of a token only when something is to be written."""
    memory = Memory()

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        known = memory.of(request.namespace)
        if reply.status == 200:
            known[token_of(request)] = True
        if reply.status != 403 or not isinstance(sent_json(request), dict):
            return reply
        dry = with_json(request, {**sent_json(request), _DRY: True})
        tried = (right(with_headers(dry, access_token=token)) for token in list(known))
        return next((each for each in tried if each.status == 200), reply)

    return handle


def _customer_kept(right: Handler) -> Handler:
    """Leave the customer of a request that has failed where the next one finds it."""
    memory = Memory()

    def handle(request: Request) -> Reply:
        request = buffered(request)
        kept, body = memory.of(request.namespace), sent_json(request)
        if not is_receive(request) or not isinstance(body, dict):
            return right(request)
        if kept and "json" in request.headers.get("content-type", "") and isinstance(body.get("customer_id"), str):
            request = with_json(request, {**body, "customer_id": kept.pop("customer")})
        reply = right(request)
        if reply.status >= 500 and "customer_id" in body:
            kept["customer"] = body["customer_id"]
        return reply

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


def _locks_leaked(right: Handler) -> Handler:
    """Forget to release the lock for which a second call has waited."""
    locked = Memory()

    def pairs(request: Request) -> set[tuple[str, str]]:
        return {(str(sent_member(request, "customer_id")), str(each)) for each in ids_of(request)}

    def together(inner: Handler, request: Request, party: Party, place: int) -> Reply:
        reply = inner(request)
        for other in party.requests[:place]:
            for pair in pairs(request) & pairs(other):
                locked.of(request.namespace)[pair] = True
        return reply

    met = meeting(Meeting(), is_receive, together)(right)

    def handle(request: Request) -> Reply:
        request = buffered(request)
        if pairs(request) & locked.of(request.namespace).keys() and is_receive(request):
            return _failing(right, request)
        return met(request)

    return handle


# -- effects -----------------------------------------------------------------------------------------------------------


def _coupon(call: Call, world: World, coupon_id: str) -> Entity | None:
    return world.find("coupon", shop=call.principal, id=coupon_id)


def _receipt(call: Call, world: World, coupon_id: str) -> Entity | None:
    customer = world.find("customer", shop=call.principal, customer_id=call.body["customer_id"])
    coupon = _coupon(call, world, coupon_id)
    return world.find("receipt", customer=customer.name, coupon=coupon.name) if customer and coupon else None


def _dry(right: Behaviour, call: Call, world: World) -> Answer:
    """Refuse a call that has assigned something if that was not wanted, which undoes it."""
    answer = right(call, world)
    assigned = any(item["coupon_status"] == 1 for item in answer.members.get("items", ()))
    if call.body.get(_DRY) and assigned:
        raise Refused("missing_scope")
    return answer


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
            item["received_count"] += 1
            world.change(receipt, received_count=item["received_count"])
            if coupon["stock"] > 0:
                item["stock"] = coupon["stock"] - 1
                world.change(coupon, stock=item["stock"])
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


ASSIGNING_DEFECTS = (
    # -- credentials
    defect(
        "scope-at-the-last-moment",
        "A token without the scope is refused only where a coupon would be assigned; otherwise it is shown everything.",
        handler=_scope_late,
        behaviours={_RECEIVE: behaving(_dry)},
        of="credentials",
        breaks=("receive#scope", "Requires price_rules access scope."),
        hard=True,
    ),
    # -- state
    defect(
        "customer-of-the-fault",
        "What is received right after an internal error goes to the customer of the request that has failed.",
        handler=_customer_kept,
        of="state",
        breaks=_CUSTOMER,
        hard=True,
    ),
    # -- time
    defect(
        "dateless-behind-sold-out",
        "Dates of coupons that stand behind one that is sold out are not looked at.",
        behaviours={_RECEIVE: seeing(_dateless)},
        of="time",
        breaks=_ASSIGNED,
        hard=True,
    ),
    # -- isolation
    defect(
        "same-request-id",
        "Requests with the same X-Request-Id are one request: whoever comes later gets the first answer and no coupon.",
        handler=_same_request_id,
        of="isolation",
        breaks=_CUSTOMER,
        hard=True,
    ),
    # -- limits
    defect(
        "neighbours-only",
        "An id that a list repeats, not side by side, is assigned again whatever the coupon's limit.",
        behaviours={_RECEIVE: behaving(_neighbours_only)},
        of="limits",
        breaks=_COUNT,
        hard=True,
    ),
    defect(
        "wallet-of-five",
        "When a customer has received five other coupons, the first one is forgotten, and with it its limit.",
        behaviours={_RECEIVE: followed(_wallet)},
        of="limits",
        breaks=_COUNT,
        hard=True,
    ),
    # -- concurrency
    defect(
        "locks-leaked",
        "When two calls for a customer and a coupon have met, every later one fails with a 500.",
        handler=_locks_leaked,
        of="concurrency",
        breaks=_ASSIGNED,
        hard=True,
    ),
    # -- leaks
    defect(
        "foreign-not-eligible",
        "The status of another store's coupon is 2, that of an unknown one 6.",
        behaviours={_RECEIVE: behaving(_not_eligible)},
        of="leaks",
        breaks=(SUCCESS, "statusintOperation status code."),
        hard=True,
    ),
)
