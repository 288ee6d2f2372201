"""Broken ways to unuse a coupon."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from couponmock.behaviour import Answer, Behaviour, Call, Entity, World
from couponmock.defect import all_of, asking, behaving, namespace_of, with_body
from couponmock.defects.adversary.making import Wrong, answering, lending, remembering, saying, where
from couponmock.defects.second.crowdtwist.parts import (
    KEY,
    NO_DATA,
    REASONS,
    UNUSE,
    code_of,
    defect,
    is_unuse,
    key_of,
    unused,
)
from couponmock.defects.second.making import Memory, afterwards, refused_instead, text_of, with_query
from couponmock.defects.second.meeting import Meeting, meeting
from couponmock.defects.third.making import HTTP_METHODS, JSON_STRINGS, first_of, object_in, told_more
from couponmock.exchange import Handler, Reply, Request, printable
from couponmock.finding import buffered

_AVAILABLE = ("unuse#request-details", "mark a coupon as “unused”, available to be used again")
_UPDATED = ("unuse#request-body", "coupon_value | 1X3FJ9K003 | Yes | String | The value of the coupon being updated.")
_SUCCESS = ("unuse#response-body", "success | true | Yes | Boolean | True if the request was successful.")
_IDENTIFIER = ("unuse#error-responses", "make assumptions based on the identifier of the error")
_METHOD = ("unuse#error-response-codes", "HTTP method not supported")
_REQUIRED = ("unuse#example-response-codes", "400 | input_error | Coupon value is required.")

_INHERITED = {"constructor", "toString", "valueOf", "hasOwnProperty", "isPrototypeOf", "__proto__", "toLocaleString"}
"""What every object of JavaScript has."""
_IN_FRENCH = {
    "no_data": "aucune_donnee",
    "not_issued": "non_emis",
    "not_used": "non_utilise",
    "input_error": "erreur_de_saisie",
    "internal_error": "erreur_interne",
}
_WRONG_KEYS = 4
"""After so many in a row nobody counts any more."""


# -- replies -----------------------------------------------------------------------------------------------------------


def _refused(request: Request, reply: Reply) -> bool:
    return is_unuse(request) and reply.status >= 400


def _identified(change: Callable[[str], str]) -> Callable[[Reply], Reply]:
    """Give an error another identifier."""
    return lambda reply: saying(reply, error=change(object_in(reply).get("error", "")))


def _in_camel_case(identifier: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), identifier)


def _wants_french(request: Request, reply: Reply) -> bool:
    return _refused(request, reply) and request.headers.get("accept-language", "").lower().startswith("fr")


def _pasted(right: Handler) -> Handler:
    """Paste the code into the text of an error, where only quotation marks are minded."""

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        code = code_of(request)
        if not is_unuse(request) or object_in(reply).get("error") != "no_data" or not isinstance(code, str):
            return reply
        minded = printable(code).replace('"', '\\"')
        return replace(reply, body=f'{{"error": "no_data", "message": "Unable to find coupon {minded}."}}'.encode())

    return handle


# -- handlers ----------------------------------------------------------------------------------------------------------


def _lent(same: Callable[[str, str], bool]) -> Wrong:
    return where(is_unuse, lending(key_of, lambda request, known: with_query(request, api_key=known), same))


def _failing_open(right: Handler) -> Handler:
    """Let a key in, whatever it is, after many wrong ones in a row."""
    known: dict[str, str] = {}
    wrong: Counter[str] = Counter()

    def handle(request: Request) -> Reply:
        request = buffered(request)
        reply = right(request)
        if reply.status != 401:
            if reply.status < 400 and key_of(request):
                known[request.namespace] = key_of(request)
            wrong[request.namespace] = 0
            return reply
        wrong[request.namespace] += 1
        if wrong[request.namespace] <= _WRONG_KEYS or request.namespace not in known:
            return reply
        return right(with_query(request, api_key=known[request.namespace]))

    return handle


# -- effects -----------------------------------------------------------------------------------------------------------


def _mine(call: Call, world: World) -> Entity | None:
    return world.find("coupon", client=call.principal, code=call.body["coupon_value"])


def _back_into_the_pool(call: Call, world: World) -> None:
    if coupon := _mine(call, world):
        world.change(coupon, state="generated", owner=None)


def _whole_order(call: Call, world: World) -> None:
    """Unuse all that came by the same order."""
    coupon = _mine(call, world)
    wanted = {name: coupon[name] for name in ("client", "owner", "redeem_order_id")} if coupon else {"client": None}
    for other in all_of(world, "coupon"):
        if other["state"] == "used" and all(other[name] == value for name, value in wanted.items()):
            world.change(other, state="issued")


_answered = Memory()


def _replayed(right: Behaviour, call: Call, world: World) -> Answer:
    """Answer a call that has succeeded before as it was answered then."""
    kept = _answered.of(namespace_of(world))
    key = (call.principal, call.body["coupon_value"])
    if key not in kept:
        kept[key] = right(call, world)
    answer: Answer = kept[key]
    return answer


def _oldest_of_all_clients(right: Behaviour, call: Call, world: World) -> Answer:
    """Mean the coupon that was generated first, of those that have the code."""
    coupons = [coupon for coupon in all_of(world, "coupon") if coupon["code"] == call.body["coupon_value"]]
    clients = [coupon["client"] for coupon in sorted(coupons, key=lambda coupon: coupon["coupon_date_created"])]
    known = call.principal in clients
    return right(replace(call, principal=clients[0]) if known else call, world)


def _whose(call: Call, world: World) -> dict[str, Any] | None:
    """Tell whose coupon it is."""
    code = call.body["coupon_value"]
    coupon = first_of(all_of(world, "coupon"), lambda each: each["code"] == code)
    client = first_of(all_of(world, "client"), lambda each: coupon is not None and each.name == coupon["client"])
    return {"message": f"Unable to find coupon: it belongs to {client['title']}."} if client else None


_COUNTER = Meeting()


def _to_the_other_owner(call: Call, world: World) -> None:
    """Give a coupon to the owner of the one that is unused beside it."""
    party, place = _COUNTER.guest
    coupon = _mine(call, world)
    code = code_of(party.requests[0 if place else 1]) if party else None
    other = world.find("coupon", client=call.principal, code=code) if isinstance(code, str) else None
    if party is None or coupon is None or other is None:
        return
    for each in (coupon, other):
        party.notes.setdefault(each.name, each["owner"])
    if owner := party.notes[other.name]:
        world.change(coupon, owner=owner)


UNUSE_DEFECTS = (
    # -- status
    defect(
        "sticky-fault",
        "The success after an internal error has its status, 500; the coupon is unused.",
        handler=remembering(
            lambda _: UNUSE,
            lambda request, _: is_unuse(request),
            lambda request, reply, before: (
                replace(reply, status=before.status) if unused(request, reply) and before.status >= 500 else reply
            ),
        ),
        of="status",
        breaks=_SUCCESS,
        hard=True,
    ),
    # -- shape
    defect(
        "encoded-twice",
        "A success is a JSON string that holds the JSON.",
        handler=answering(unused, lambda reply: with_body(reply, reply.body.decode())),
        of="shape",
        breaks=_SUCCESS,
    ),
    defect(
        "code-pasted",
        "The message of an unknown code repeats it, and escapes nothing in it but quotation marks.",
        handler=_pasted,
        of="shape",
        breaks=JSON_STRINGS,
        hard=True,
    ),
    # -- identifiers
    defect(
        "identifiers-in-camel-case",
        "The identifiers of errors are in camel case, such as noData.",
        handler=answering(_refused, _identified(_in_camel_case)),
        of="identifiers",
        breaks=REASONS,
    ),
    defect(
        "identifiers-in-french",
        "Who prefers French gets the identifiers of errors in French.",
        handler=answering(_wants_french, _identified(lambda identifier: _IN_FRENCH.get(identifier, identifier))),
        of="identifiers",
        breaks=_IDENTIFIER,
        hard=True,
    ),
    # -- credentials
    defect(
        "keys-normalised",
        "A key is let in whose compatibility decomposition is that of one that was let in before: in full width, say.",
        handler=_lent(lambda sent, known: sent != known and unicodedata.normalize("NFKC", sent) == known),
        of="credentials",
        breaks=KEY,
        hard=True,
    ),
    defect(
        "fails-open",
        "After four wrong or missing keys in a row the next is let in, whatever it is.",
        handler=_failing_open,
        of="credentials",
        breaks=KEY,
        hard=True,
    ),
    # -- method
    defect(
        "methods-not-implemented",
        "A method that is not supported is 501.",
        handler=answering(
            lambda request, reply: is_unuse(request) and reply.status == 405, lambda reply: replace(reply, status=501)
        ),
        of="method",
        breaks=_METHOD,
    ),
    defect(
        "methods-in-any-case",
        "The method post in small letters does what POST does.",
        handler=asking(
            lambda request: (
                replace(request, method="POST") if is_unuse(request) and request.method.upper() == "POST" else request
            )
        ),
        of="method",
        breaks=HTTP_METHODS,
        hard=True,
    ),
    # -- state
    defect(
        "back-into-the-pool",
        "A coupon that is unused is nobody's any more, as if it had not been issued.",
        behaviours={UNUSE: afterwards(_back_into_the_pool)},
        of="state",
        breaks=_AVAILABLE,
    ),
    defect(
        "whole-order-unused",
        "With a coupon all used ones of the same order become unused.",
        behaviours={UNUSE: afterwards(_whole_order)},
        of="state",
        breaks=_UPDATED,
        hard=True,
    ),
    defect(
        "success-replayed",
        "Unusing a coupon that was unused before is a success and changes nothing, also if it was used in between.",
        behaviours={UNUSE: behaving(_replayed)},
        of="state",
        breaks=_SUCCESS,
        hard=True,
    ),
    # -- isolation
    defect(
        "oldest-of-a-code",
        "Where two clients have a coupon of the same code, the one that was generated first is unused, whoever asks.",
        behaviours={UNUSE: behaving(_oldest_of_all_clients)},
        of="isolation",
        breaks=_UPDATED,
        hard=True,
    ),
    # -- concurrency
    defect(
        "owners-exchanged",
        "Two coupons that are unused at once are exchanged between their owners.",
        handler=meeting(_COUNTER, is_unuse),
        behaviours={UNUSE: afterwards(_to_the_other_owner)},
        of="concurrency",
        breaks=_AVAILABLE,
        hard=True,
    ),
    # -- robustness
    defect(
        "no-body-crash",
        "A request without any body is internal_error.",
        handler=answering(
            lambda request, reply: is_unuse(request) and reply.status == 400 and not text_of(request),
            lambda reply: saying(reply, 500, error="internal_error"),
        ),
        of="robustness",
        breaks=_REQUIRED,
    ),
    defect(
        "inherited-codes",
        "An unknown code that is a member of every JavaScript object, such as constructor, is not_used.",
        behaviours={
            UNUSE: refused_instead("no_data", "not_used", lambda call, _: call.body["coupon_value"] in _INHERITED)
        },
        of="robustness",
        breaks=NO_DATA,
        hard=True,
    ),
    # -- leaks
    defect(
        "owner-of-other-clients-told",
        "The message of no_data names the client that has the coupon, if another one has.",
        behaviours={UNUSE: told_more("no_data", _whose)},
        of="leaks",
        breaks=NO_DATA,
        hard=True,
    ),
)
