"""Ways to be wrong about Shoplazza's page."""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

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
    namespace_of,
    replying,
    secretly,
    sharing,
    with_body,
)
from couponmock.exchange import Handler, Reply, Request
from couponmock.finding import BODY_LIMIT, buffered

_HEADER = "access-token"
"""Where credentials stand."""

_NOBODY = "0"
"""An id that no customer and no coupon has."""

_MANY = 2
"""Where a count stops that tells none, one and many apart only."""

_MUCH = 200
"""Stock; more than that is kept elsewhere."""
_NAP = 0.1
"""Seconds that a limited coupon takes to be found where the customer asks for it again meanwhile."""

Item = dict[str, Any]


def _answering(change: Callable[[dict[str, Any]], Any]) -> Callable[[Handler], Handler]:
    """Change the body of every success."""
    return replying(lambda _, reply: reply if reply.status >= 400 else with_body(reply, change(body_of(reply))))


def _listing(change: Callable[[Item], Item]) -> Callable[[Handler], Handler]:
    """Change some members of every item."""
    return _answering(lambda body: {**body, "items": [{**item, **change(item)} for item in body["items"]]})


def _failing(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Handler], Handler]:
    """Change the body of every error."""
    return replying(lambda _, reply: reply if reply.status < 400 else with_body(reply, change(body_of(reply))))


def _hearing(member: str, change: Callable[[Any], Any]) -> Callable[[Handler], Handler]:
    """Understand another value of a member of the request's body than was sent."""
    return mishearing(
        lambda body: {**body, member: change(body.get(member))} if isinstance(body, dict) else body,
    )


def _hearing_ids(change: Callable[[list[Any]], list[Any]]) -> Callable[[Handler], Handler]:
    """Understand another list of coupon ids than was sent."""
    return _hearing("coupon_ids", lambda ids: change(ids) if isinstance(ids, list) else ids)


def _seeing(change: Callable[[Entity, Call, World], Mapping[str, Any]]) -> Callable[[Behaviour], Behaviour]:
    """See coupons with some members changed, as that is called for."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        def find(found: Callable[..., Entity | None], kind: str, **members: Any) -> Entity | None:
            entity = found(kind, **members)
            if entity is None or kind != "coupon":
                return entity
            return replace(entity, data={**entity.data, **change(entity, call, world)})

        return misleading(find)(right)(call, world)

    return behaving(changed)


def _coupons(change: Callable[[Entity], Mapping[str, Any]]) -> Callable[[Behaviour], Behaviour]:
    """See coupons with some members changed."""
    return _seeing(lambda coupon, *_: change(coupon))


def _beyond_the_first(change: Callable[[Entity], Mapping[str, Any]]) -> Callable[[Behaviour], Behaviour]:
    """See all coupons of a list but the first with some members changed."""
    return _seeing(lambda coupon, call, _: {} if coupon["id"] == call.body["coupon_ids"][0] else change(coupon))


def _across_shops(kind: str) -> Callable[[Behaviour], Behaviour]:
    """Find entities of one kind in every shop that has ever asked."""

    def wrap(right: Behaviour) -> Behaviour:
        shops: set[str] = set()

        def find(found: Callable[..., Entity | None], wanted: str, **members: Any) -> Entity | None:
            own = found(wanted, **members)
            if own is not None or wanted != kind:
                return own
            elsewhere = (found(wanted, **{**members, "shop": shop}) for shop in shops)
            return next((entity for entity in elsewhere if entity is not None), None)

        misled = misleading(find)(right)

        def change(_: Behaviour, call: Call, world: World) -> Answer:
            shops.add(call.principal)
            return misled(call, world)

        return behaving(change)(right)

    return wrap


def _first_receipts_only(right: Behaviour, call: Call, world: World) -> Answer:
    """Give back to the stock what was taken for a customer who had the coupon already."""
    answer = right(call, world)
    items = []
    for item in answer.members["items"]:
        coupon = world.find("coupon", shop=call.principal, id=item["id"])
        again = answer.example == "received" and item["received_count"] > 1 and item["stock"] >= 0
        if coupon is None or not again:
            items.append(item)
        else:
            items.append({**item, "stock": world.change(coupon, stock=coupon["stock"] + 1)["stock"]})
    return replace(answer, members={**answer.members, "items": items})


def _stock_before_customer(right: Behaviour, call: Call, world: World) -> Answer:
    """Take from the stock for a customer who does not exist."""
    try:
        return right(call, world)
    except Refused as refused:
        for coupon_id in call.body["coupon_ids"]:
            coupon = world.find("coupon", shop=call.principal, id=coupon_id)
            if coupon is not None and coupon["stock"] > 0:
                world.change(coupon, stock=coupon["stock"] - 1)
        # Raised again, the refusal would undo this.
        return Answer(refused.problem)


def _only_first_id(right: Behaviour, call: Call, world: World) -> Answer:
    return right(replace(call, body={**call.body, "coupon_ids": call.body["coupon_ids"][:1]}), world)


def _silent_about_unknown(right: Behaviour, call: Call, world: World) -> Answer:
    answer = right(call, world)
    return replace(answer, example="received") if answer.example == "unknown_coupon" else answer


def _leftovers(right: Behaviour) -> Behaviour:
    """List again what the shop's call before has listed."""
    listed: dict[str, Iterable[Item]] = {}

    def change(_: Behaviour, call: Call, world: World) -> Answer:
        answer = right(call, world)
        items = [*answer.members["items"]]
        known = {item["id"] for item in items}
        old = [item for item in listed.get(call.principal, ()) if item["id"] not in known]
        listed[call.principal] = items
        return replace(answer, members={**answer.members, "items": items + old})

    return behaving(change)(right)


def _body(request: Request) -> bytes:
    return request.read(BODY_LIMIT) or b""


def _doubly_bad(right: Handler) -> Handler:
    """Give 400 to a request without coupon ids for a customer who does not exist."""

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        if reply.status != 422:
            return reply
        body = json.dumps({**json.loads(_body(request)), "coupon_ids": [_NOBODY]}).encode()
        customer = right(replace(request, read=lambda _: body))
        return replace(reply, status=400) if customer.status == 404 else reply

    return handle


def _refusing_as(status: int, when: Callable[[bytes], bool]) -> Callable[[Handler], Handler]:
    """Give 400s another status, as the request's body has it."""

    def wrap(right: Handler) -> Handler:
        def handle(request: Request) -> Reply:
            request = buffered(request)
            reply = right(request)
            return replace(reply, status=status) if reply.status == 400 and when(_body(request)) else reply

        return handle

    return wrap


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return False
    return True


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()


def _last_customer_only(right: Behaviour, call: Call, world: World) -> Answer:
    """Of a coupon with a limit, forget what other customers have received."""
    answer = right(call, world)
    customer = world.find("customer", shop=call.principal, customer_id=call.body["customer_id"])
    for item in answer.members["items"] if answer.example == "received" and customer else ():
        coupon = world.find("coupon", shop=call.principal, id=item["id"])
        for receipt in all_of(world, "receipt") if coupon and coupon["per_customer"] else ():
            if coupon and receipt["coupon"] == coupon.name and customer and receipt["customer"] != customer.name:
                world.change(receipt, received_count=0)
    return answer


def _counted_twice(right: Behaviour, call: Call, world: World) -> Answer:
    answer = right(call, world)
    items = answer.members["items"]
    if items and len(items) < len(call.body["coupon_ids"]):
        items = [{**item, "received_count": item["received_count"] + 1} for item in items]
    return replace(answer, members={**answer.members, "items": items})


def _unlimited_at_once(*, by_list: bool) -> Mapping[str, Any]:
    """Forget the limit of one while the same customer asks again.

    Args:
        by_list: Whether that counts only if another list is asked for; otherwise only if it is the same one.
    """
    running: dict[tuple[str, str], list[list[str]]] = defaultdict(list)

    def wrap(right: Handler) -> Handler:
        def handle(request: Request) -> Reply:
            request = buffered(request)
            try:
                body = json.loads(_body(request))
                key, ids = (request.namespace, str(body["customer_id"])), [*map(str, body["coupon_ids"])]
            except (ValueError, RecursionError, LookupError, TypeError):
                return right(request)
            running[key].append(ids)
            try:
                return right(request)
            finally:
                running[key].remove(ids)

        return handle

    def seen(coupon: Entity, call: Call, world: World) -> Mapping[str, Any]:
        if coupon["per_customer"] != 1:
            return {}
        time.sleep(_NAP)
        lists = running[namespace_of(world), call.body["customer_id"]]
        alike = lists.count(call.body["coupon_ids"])
        others = len(lists) - alike if by_list else alike - 1
        return {"per_customer": 0} if others else {}

    return {"behaviours": {"receiveCoupons": _seeing(seen)}, "handler": wrap}


def _plenty_for_all(right: Handler) -> Handler:
    """Serve a wrong token as the one that a coupon with much stock was assigned with."""
    tokens: dict[bytes, str] = {}

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        if reply.diagnosis.example == "received" and body_of(reply)["items"][0]["stock"] > _MUCH:
            tokens[_body(request)] = request.headers[_HEADER]
        if reply.status == 401 and _HEADER in request.headers and _body(request) in tokens:
            return right(replace(request, headers={**request.headers, _HEADER: tokens[_body(request)]}))
        return reply

    return handle


def _note_crashes(right: Handler) -> Handler:
    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        crashes = b'"note"' in _body(request)
        return replace(with_body(reply, {"error": "oops"}), status=500) if crashes else reply

    return handle


def _like_the_first(items: list[Item]) -> list[Item]:
    return [*items[:_MANY], *({**item, "discount_text": items[0]["discount_text"]} for item in items[_MANY:])]


def _ids(request: Request) -> frozenset[str]:
    """Return the ids of a list of several; none if it is another body."""
    try:
        ids = json.loads(_body(request))["coupon_ids"]
    except (ValueError, RecursionError, LookupError, TypeError):
        return frozenset()
    return frozenset(map(str, ids)) if isinstance(ids, list) and len(ids) > 1 else frozenset()


_defect = partial(Defect, "shoplazza")


def _elsewhere_told(right: Behaviour, call: Call, world: World) -> Answer:
    answer = right(call, world)
    if answer.example != "unknown_coupon" or not any(
        one["id"] in call.body["coupon_ids"] for one in all_of(world, "coupon")
    ):
        return answer
    return replace(answer, members={**answer.members, "status": 3})


DEFECTS: tuple[Defect, ...] = (
    _defect(
        "whole-values",
        "the value of a coupon is cut to a whole number",
        handler=_listing(lambda item: {"value": int(item["value"])}),
    ),
    _defect(
        "never-first-order",
        "is_first_order is false for every coupon",
        handler=_listing(lambda _: {"is_first_order": False}),
    ),
    _defect(
        "ascii-texts",
        "characters beyond ASCII are question marks in texts",
        handler=_listing(lambda item: {name: _ascii(item[name]) for name in ("discount_text", "prerequisite_text")}),
    ),
    _defect(
        "first-id-only",
        "of several coupons only the first is assigned",
        behaviours={"receiveCoupons": behaving(_only_first_id)},
    ),
    _defect(
        "leftovers",
        "items that an earlier answer has listed are listed again",
        behaviours={"receiveCoupons": _leftovers},
    ),
    _defect(
        "always-more",
        "has_more is true in every answer",
        handler=_answering(lambda body: {**body, "has_more": True}),
    ),
    _defect(
        "counts-to-two",
        "received_count is never more than 2",
        handler=_listing(lambda item: {"received_count": min(item["received_count"], _MANY)}),
    ),
    _defect(
        "first-receipts-only",
        "a customer's second receipt of a coupon takes nothing from the stock",
        behaviours={"receiveCoupons": behaving(_first_receipts_only)},
    ),
    _defect(
        "unlimited-is-zero",
        "the stock of a coupon without end of stock is 0",
        handler=_listing(lambda item: {"stock": max(item["stock"], 0)}),
    ),
    _defect(
        "keeps-last-one",
        "the last one of a coupon is not assigned",
        behaviours={"receiveCoupons": _coupons(lambda coupon: {"stock": 0} if coupon["stock"] == 1 else {})},
    ),
    _defect(
        "assigns-without-stock",
        "a coupon of which none is left is assigned",
        behaviours={"receiveCoupons": _coupons(lambda coupon: {"stock": -1} if coupon["stock"] == 0 else {})},
    ),
    _defect(
        "once-again",
        "a coupon that a customer can receive once is assigned again",
        behaviours={
            "receiveCoupons": _coupons(lambda coupon: {"per_customer": 0} if coupon["per_customer"] == 1 else {})
        },
    ),
    _defect(
        "no-limit-above-one",
        "a coupon that a customer can receive twice or more is assigned without limit",
        behaviours={
            "receiveCoupons": _coupons(lambda coupon: {"per_customer": 0} if coupon["per_customer"] > 1 else {})
        },
    ),
    _defect(
        "assigns-expired",
        "a coupon whose time is over is assigned",
        behaviours={"receiveCoupons": _coupons(lambda _: {"ends_at": None})},
    ),
    _defect(
        "assigns-upcoming",
        "a coupon whose time is still to come is assigned",
        behaviours={"receiveCoupons": _coupons(lambda _: {"starts_at": None})},
    ),
    _defect(
        "silent-about-unknown",
        "the status is 0 for a coupon that does not exist",
        behaviours={"receiveCoupons": behaving(_silent_about_unknown)},
    ),
    _defect(
        "unknown-customer-422",
        "a customer that does not exist gets 422 instead of 404",
        handler=replying(lambda _, reply: replace(reply, status=422) if reply.status == 404 else reply),
    ),
    _defect(
        "customers-of-all",
        "coupons are assigned to customers of other shops",
        behaviours={"receiveCoupons": _across_shops("customer")},
    ),
    _defect(
        "coupons-of-all",
        "coupons of other shops are assigned",
        behaviours={"receiveCoupons": _across_shops("coupon")},
    ),
    _defect(
        "looks-up-no-customer",
        "a missing customer_id is looked up and not found",
        handler=_hearing("customer_id", lambda customer_id: _NOBODY if customer_id is None else customer_id),
    ),
    _defect(
        "looks-up-no-coupons",
        "missing coupon_ids are answered like a coupon that does not exist",
        handler=_hearing("coupon_ids", lambda ids: [_NOBODY] if ids is None else ids),
    ),
    _defect(
        "number-customer",
        "a customer_id that is a number is accepted",
        handler=_hearing("customer_id", lambda value: str(value) if isinstance(value, int) else value),
    ),
    _defect(
        "text-coupons",
        "a coupon_ids that is a single text is accepted",
        handler=_hearing("coupon_ids", lambda ids: [ids] if isinstance(ids, str) else ids),
    ),
    _defect(
        "number-coupons",
        "a coupon id that is a number is accepted",
        handler=_hearing_ids(lambda ids: [str(one) if isinstance(one, int) else one for one in ids]),
    ),
    _defect(
        "accepts-empty-list",
        "an empty list of coupon ids is answered like a coupon that does not exist",
        handler=_hearing_ids(lambda ids: ids or [_NOBODY]),
    ),
    _defect(
        "accepts-empty-id",
        "an empty coupon id is answered like a coupon that does not exist",
        handler=_hearing_ids(lambda ids: [one if one != "" else _NOBODY for one in ids]),
    ),
    _defect(
        "both-bad-400",
        "an unknown customer without coupon ids gets 400",
        handler=_doubly_bad,
    ),
    _defect(
        "malformed-422",
        "a body that is not JSON gets 422",
        handler=_refusing_as(422, lambda body: not _is_json(body)),
    ),
    _defect(
        "unwraps-lists",
        "a list of one body is taken for the body",
        handler=mishearing(lambda body: body[0] if isinstance(body, list) and len(body) == 1 else body),
    ),
    _defect(
        "any-content-type",
        "a body of any media type is read as JSON",
        handler=asking(
            lambda request: replace(request, headers={**request.headers, "content-type": "application/json"})
        ),
    ),
    _defect(
        "stock-before-customer",
        "a request for a customer that does not exist takes from the stock",
        behaviours={"receiveCoupons": behaving(_stock_before_customer)},
    ),
    _defect(
        "open-session",
        "a request without token is served as the first one that had some",
        handler=borrowing(_HEADER, lambda request, reply: reply.status == 401 and _HEADER not in request.headers),
    ),
    _defect(
        "any-token",
        "any token is accepted",
        handler=borrowing(_HEADER, lambda request, reply: reply.status == 401 and _HEADER in request.headers),
    ),
    _defect(
        "any-scope",
        "a token without the scope is accepted",
        handler=borrowing(_HEADER, lambda _, reply: reply.status == 403),
    ),
    _defect(
        "any-method",
        "a method other than POST gets an empty answer of 200",
        handler=replying(lambda _, reply: replace(with_body(reply, {}), status=200) if reply.status == 405 else reply),
    ),
    _defect(
        "created",
        "a success is 201",
        handler=replying(lambda _, reply: replace(reply, status=201) if reply.status == 200 else reply),
    ),
    _defect(
        "plain-text",
        "every answer calls itself text/plain",
        handler=replying(lambda _, reply: replace(reply, media_type="text/plain")),
    ),
    _defect(
        "single-quotes",
        "errors are written with single quotes",
        handler=replying(
            lambda _, reply: reply if reply.status < 400 else replace(reply, body=reply.body.replace(b'"', b"'"))
        ),
    ),
    _defect(
        "errors-text",
        "errors is a text",
        handler=_failing(lambda body: {**body, "errors": ", ".join(body["errors"])} if "errors" in body else body),
    ),
    _defect(
        "error-object",
        "error is an object",
        handler=_failing(lambda body: {"error": {"text": body["error"]}} if "error" in body else body),
    ),
    _defect(
        "errors-and-error",
        "an error has both errors and error",
        handler=_failing(
            lambda body: {
                "errors": body.get("errors") or [body["error"]],
                "error": body.get("error") or body["errors"][0],
            }
        ),
    ),
    _defect(
        "bare-nothing",
        "an answer without items is an empty list",
        handler=_answering(lambda body: body if body["items"] else []),
    ),
    _defect(
        "text-status",
        "status is a text",
        handler=_answering(lambda body: {**body, "status": str(body["status"])}),
    ),
    _defect(
        "null-items",
        "items is null where there are none",
        handler=_answering(lambda body: {**body, "items": body["items"] or None}),
    ),
    _defect(
        "text-limit",
        "limit is a text",
        handler=_answering(lambda body: {**body, "limit": str(body["limit"])}),
    ),
    _defect(
        "numeric-has-more",
        "has_more is 1 or 0",
        handler=_answering(lambda body: {**body, "has_more": int(body["has_more"])}),
    ),
    _defect(
        "numeric-cursor",
        "cursor is a number",
        handler=_answering(lambda body: {**body, "cursor": int(body["cursor"])}),
    ),
    _defect(
        "numeric-id",
        "the id of an item is a number",
        handler=_listing(lambda item: {"id": int(item["id"])}),
    ),
    _defect(
        "text-item-status",
        "the status of an item is a text",
        handler=_listing(lambda item: {"status": str(item["status"])}),
    ),
    _defect(
        "currency-values",
        "a value without decimals has a currency sign",
        handler=_listing(
            lambda item: {"value": f"${item['value']:.0f}"} if item["value"] == int(item["value"]) else {}
        ),
    ),
    _defect(
        "text-stock",
        "stock is a text",
        handler=_listing(lambda item: {"stock": str(item["stock"])}),
    ),
    _defect(
        "text-coupon-status",
        "coupon_status is a text",
        handler=_listing(lambda item: {"coupon_status": str(item["coupon_status"])}),
    ),
    _defect(
        "text-count",
        "received_count is a text",
        handler=_listing(lambda item: {"received_count": str(item["received_count"])}),
    ),
    _defect(
        "swallows-dollars",
        "a discount_text that begins with a dollar sign is null",
        handler=_listing(lambda item: {"discount_text": None} if item["discount_text"].startswith("$") else {}),
    ),
    _defect(
        "null-prerequisite",
        "an empty prerequisite_text is null",
        handler=_listing(lambda item: {"prerequisite_text": item["prerequisite_text"] or None}),
    ),
    _defect(
        "numeric-first-order",
        "is_first_order is 1 or 0",
        handler=_listing(lambda item: {"is_first_order": int(item["is_first_order"])}),
    ),
    _defect(
        "crashes-beyond-ascii",
        "a wrong body with characters beyond ASCII gets 500",
        handler=_refusing_as(500, lambda body: not body.isascii()),
    ),
    _defect(
        "ids-of-eighteen",
        "of a coupon id only the first eighteen characters count",
        handler=_hearing_ids(lambda ids: [item[:18] if isinstance(item, str) else item for item in ids]),
    ),
    _defect(
        "unfinished-body-works",
        "a body that goes on behind its JSON is refused, and carried out",
        handler=secretly(
            lambda request, reply: beginning(request) if reply.diagnosis.finding.startswith("malformed") else None
        ),
    ),
    _defect(
        "limit-forgotten",
        "when another customer receives a coupon with a limit, the limit of those who had it begins anew",
        {"receiveCoupons": behaving(_last_customer_only)},
    ),
    _defect(
        "batch-counted-twice",
        "beside a coupon that there is not, received_count is one too high",
        {"receiveCoupons": behaving(_counted_twice)},
    ),
    _defect(
        "put-works",
        "PUT is refused, and carried out",
        handler=secretly(lambda request, _: replace(request, method="POST") if request.method == "PUT" else None),
    ),
    _defect(
        "same-receipt-shared",
        "of receipts of a customer at the same time, only the first is carried out",
        handler=sharing(lambda request: (request.namespace, _body(request))),
    ),
    _defect(
        "coupon-shared",
        "customers who ask for a coupon at the same time all get the answer of the first",
        handler=sharing(lambda request: (request.namespace, _body(request).partition(b"coupon_ids")[2])),
    ),
    _defect(
        "source-line-told",
        "the error of an unknown customer names a line of the source",
        handler=_failing(
            lambda body: (
                {"errors": ["customer not exist (/srv/shop/customers.go:118)"]}
                if body.get("errors") == ["customer not exist"]
                else body
            )
        ),
    ),
    _defect(
        "first-limited-only",
        "of the coupons of a list only the first has a limit",
        {"receiveCoupons": _beyond_the_first(lambda _: {"per_customer": 0})},
    ),
    _defect(
        "two-hours-early",
        "a coupon is assigned from two hours before its time begins",
        {
            "receiveCoupons": _coupons(
                lambda coupon: {} if coupon["starts_at"] is None else {"starts_at": coupon["starts_at"] - 2 * 3600}
            )
        },
    ),
    _defect(
        "zeros-ignored",
        "zeros at the beginning of a coupon id are ignored",
        handler=_hearing_ids(lambda ids: [item.lstrip("0") if isinstance(item, str) else item for item in ids]),
    ),
    _defect(
        "patch-not-found",
        "PATCH gets a 404",
        handler=replying(
            lambda request, reply: (
                replace(reply, status=404) if request.method == "PATCH" and reply.status == 405 else reply
            )
        ),
    ),
    _defect(
        "nothing-in-german",
        "a client that names a language receives an answer without items",
        handler=replying(
            lambda request, reply: (
                with_body(reply, {**body_of(reply), "items": []})
                if reply.status == 200 and "accept-language" in request.headers
                else reply
            )
        ),
    ),
    _defect(
        "get-allowed",
        "the refusal of a wrong method says that GET is allowed, too",
        handler=allowing("GET, POST"),
    ),
    _defect(
        "limit-raced",
        "a customer who asks for a coupon with a limit of one at once receives it more often",
        **_unlimited_at_once(by_list=False),
    ),
    _defect(
        "limit-raced-by-lists",
        "a customer who asks for different lists at once receives a coupon with a limit of one more often",
        **_unlimited_at_once(by_list=True),
    ),
    _defect(
        "plenty-for-all",
        "with any token a coupon is assigned of which more than two hundred are left and that was assigned before",
        handler=_plenty_for_all,
    ),
    _defect(
        "third-like-first",
        "from the third item on all have the discount_text of the first",
        handler=_answering(lambda body: {**body, "items": _like_the_first(body["items"])}),
    ),
    _defect(
        "order-shared",
        "of receipts of the same coupons in another order at the same time, only the first is carried out",
        handler=sharing(lambda request: (request.namespace, ids) if (ids := _ids(request)) else None),
    ),
    _defect(
        "first-with-stock-only",
        "of the coupons of a list only the first has an end of stock",
        {"receiveCoupons": _beyond_the_first(lambda coupon: {"stock": -1} if coupon["stock"] == 0 else {})},
    ),
    _defect(
        "first-dated-only",
        "of the coupons of a list only the first has a time",
        {"receiveCoupons": _beyond_the_first(lambda _: {"starts_at": None, "ends_at": None})},
    ),
    _defect(
        "note-crashes",
        "a body with a note gets 500",
        handler=_note_crashes,
    ),
    _defect(
        "elsewhere-told",
        "the status of a coupon that does not exist is 3 if another store has one with that id",
        {"receiveCoupons": behaving(_elsewhere_told)},
    ),
)
