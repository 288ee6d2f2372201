"""What the fourth registry's defects are made of beside the tools of the first three."""

import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from couponmock.behaviour import Answer, Behaviour, Call, Entity, World
from couponmock.defect import asking, behaving, body_of
from couponmock.defects.adversary.making import Misbehaving, Wrong
from couponmock.defects.second.making import text_of
from couponmock.defects.second.meeting import Party
from couponmock.exchange import Handler, Reply, Request
from couponmock.finding import buffered

HTTP_ENCODING = ("RFC 9110, 12.5.3", "A qvalue of 0 means not acceptable.")
JSON_ESCAPES = ("RFC 8259, 7", "An extended character is represented as a sequence encoding the UTF-16 surrogate pair.")
JSON_BLANKS = ("RFC 8259, 2", "Insignificant whitespace is allowed before or after any of the structural characters.")
"""Rules of HTTP and JSON that no vendor's page repeats, shortened."""

_NAP, _NAPS = 0.01, 60


def listing(sight: Callable[[Call, World, Entity], Mapping[str, Any]]) -> Misbehaving:
    """See some members of the entities that are listed as they are not; nothing is written so."""
    return behaving(lambda right, call, world: right(call, _Seen(world, call, sight)))


class _Seen(World):
    """A world whose lists show entities as they are not."""

    def __init__(self, world: World, call: Call, sight: Callable[[Call, World, Entity], Mapping[str, Any]]) -> None:
        vars(self).update(vars(world))
        self._right = world
        self._call = call
        self._sight = sight

    def list(self, kind: str, **members: Any) -> list[Entity]:
        found = self._right.list(kind, **members)
        return [replace(each, data={**each.data, **self._sight(self._call, self._right, each)}) for each in found]


def followed(effect: Callable[[Call, World, Answer], object]) -> Misbehaving:
    """Do something more after an operation has succeeded, knowing how it was answered."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        answer = right(call, world)
        effect(call, world, answer)
        return answer

    return behaving(changed)


def heard(change: Callable[[str], str], applies: Callable[[Request], bool]) -> Wrong:
    """Understand another text than was sent as the body of some requests."""

    def understood(request: Request) -> Request:
        if not applies(request):
            return request
        request = buffered(request)
        body = change(text_of(request)).encode()
        return replace(request, read=lambda _: body)

    return asking(understood)


def veiled(text: str) -> str:
    """Write a text so that only a program reads it."""
    return urlsafe_b64encode(text.encode(errors="replace")).decode().rstrip("=")


def with_header(reply: Reply, name: str, value: str) -> Reply:
    """Give a reply a header in place of those of that name."""
    kept = [header for header in reply.headers if header[0].lower() != name.lower()]
    return replace(reply, headers=(*kept, (name, value)))


def beside_refused(undo: Callable[[Request], Request]) -> Callable[[Handler, Request, Party, int], Reply]:
    """Undo what succeeds beside a request that is refused: both were in one transaction.

    Args:
        undo: Makes the request that takes a success back.
    """

    def change(right: Handler, request: Request, party: Party, place: int) -> Reply:
        reply = right(request)
        party.notes["status", place] = reply.status
        for _ in range(_NAPS):
            if all(("status", other) in party.notes for other in range(len(party.requests))):
                break
            time.sleep(_NAP)
        statuses = [party.notes.get(("status", other), 0) for other in range(len(party.requests))]
        if reply.status < 300 and any(400 <= status < 500 for status in statuses):
            right(undo(request))
        return reply

    return change


def member_in(reply: Reply, name: str) -> Any:
    """Return a member of a reply's object; None if there is none."""
    body = body_of(reply) if reply.body else None
    return body.get(name) if isinstance(body, dict) else None
