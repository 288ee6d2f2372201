"""What the defects of both operations are made of."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from urllib.parse import parse_qsl, urlencode

from couponmock.behaviour import Call, Entity, World
from couponmock.defect import Defect
from couponmock.defects.adversary.making import answering, saying
from couponmock.exchange import Handler, Reply, Request

defect = partial(Defect, "crowdtwist")


def key_of(request: Request) -> str:
    """Return the API key in a request's query; empty if there is none."""
    return dict(parse_qsl(request.query)).get("api_key", "")


def with_key(request: Request, key: str) -> Request:
    """Give a request an API key in its query."""
    query = [pair for pair in parse_qsl(request.query, keep_blank_values=True) if pair[0] != "api_key"]
    return replace(request, query=urlencode([*query, ("api_key", key)]))


def owned(call: Call, world: World, owner: Entity | None) -> list[Entity]:
    """Return all coupons of a member, none for nobody."""
    return [] if owner is None else world.list("coupon", client=call.principal, owner=owner.name)


def gave(*examples: str) -> Callable[[Request, Reply], bool]:
    """Tell whether a reply is one of these named answers."""
    return lambda _, reply: reply.diagnosis.example in examples


def found(*findings: str) -> Callable[[Request, Reply], bool]:
    """Tell whether a request broke one of these rules."""
    return lambda _, reply: reply.diagnosis.finding in findings


def worded(
    applies: Callable[[Request, Reply], bool], status: int | None = None, /, **members: object
) -> Callable[[Handler], Handler]:
    """Give some answers another status or other members."""
    return answering(applies, lambda reply: saying(reply, status, **members))
