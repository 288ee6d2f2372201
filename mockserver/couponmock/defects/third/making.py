"""What the third registry's defects are made of beside the tools of the first two."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from couponmock.behaviour import Answer, Behaviour, Call, Entity, Refused, World
from couponmock.defect import Defect, behaving, body_of, with_body
from couponmock.defects.adversary.making import Misbehaving
from couponmock.defects.second.making import digest
from couponmock.exchange import Reply

HTTP_CONDITION = ("RFC 9110, 13.1.2", "The condition is true if none of the listed tags match.")
HTTP_METHODS = ("RFC 9110, 9.1", "The method token is case-sensitive.")
JSON_STRINGS = ("RFC 8259, 7", "The characters that MUST be escaped are the quotation mark and the reverse solidus.")
"""Rules of HTTP and JSON that no vendor's page repeats, shortened."""


def aside(*defects: Defect) -> tuple[Defect, ...]:
    """Keep about half of a table aside, chosen by nobody: by a digest of each id."""
    return tuple(replace(defect, held_out=digest(defect.id) % 2 == 1) for defect in defects)


def object_in(reply: Reply) -> dict[str, Any]:
    """Return a reply's JSON object; an empty one if it is something else."""
    body = body_of(reply)
    return body if isinstance(body, dict) else {}


def with_error(reply: Reply, status: int, value: Any) -> Reply:
    """Turn a reply into an error with a body of its own."""
    return replace(with_body(reply, value), status=status)


def second_try(problem: str, other: Callable[[Call, World], Call | None]) -> Misbehaving:
    """Carry out another call where one is refused with a problem.

    Args:
        problem: The refusal after which something else is tried.
        other: Makes the other call; None if the refusal stays.
    """

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        try:
            return right(call, world)
        except Refused as refused:
            tried = other(call, world) if refused.problem == problem else None
            if tried is None:
                raise
            return right(tried, world)

    return behaving(changed)


def told_more(problem: str, more: Callable[[Call, World], Mapping[str, Any] | None]) -> Misbehaving:
    """Answer a refusal with other members than those it has.

    Args:
        problem: The refusal.
        more: Makes the members; None if the refusal stays as it is.
    """

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        try:
            return right(call, world)
        except Refused as refused:
            members = more(call, world) if refused.problem == problem else None
            if members is None:
                raise
            return Answer(problem, members)

    return behaving(changed)


def asking_for(call: Call, **parameters: Any) -> Call:
    """Give a call other parameters beside its own."""
    return replace(call, parameters={**call.parameters, **parameters})


def first_of(entities: list[Entity], wanted: Callable[[Entity], bool]) -> Entity | None:
    """Return the first entity that is wanted; None if none is."""
    return next((entity for entity in entities if wanted(entity)), None)
