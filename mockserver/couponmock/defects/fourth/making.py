"""What the fourth registry's defects are made of beside the tools of the first three."""

from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from couponmock.behaviour import Answer, Behaviour, Call, Entity, World
from couponmock.defect import behaving
from couponmock.defects.adversary.making import Misbehaving
from couponmock.defects.second.making import Sight
from couponmock.exchange import Reply

HTTP_ENCODING = ("RFC 9110, 12.5.3", "A qvalue of 0 means not acceptable.")
JSON_ESCAPES = ("RFC 8259, 7", "An extended character is represented as a sequence encoding the UTF-16 surrogate pair.")
JSON_BLANKS = ("RFC 8259, 2", "Insignificant whitespace is allowed before or after any of the structural characters.")
"""Rules of HTTP and JSON that no vendor's page repeats, shortened."""


def listing(sight: Sight) -> Misbehaving:
    """See some members of the entities that are listed as they are not; nothing is written so."""
    return behaving(lambda right, call, world: right(call, _Seen(world, call, sight)))


class _Seen(World):
    """A world whose lists show entities as they are not."""

    def __init__(self, world: World, call: Call, sight: Sight) -> None:
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


def veiled(text: str) -> str:
    """Write a text so that only a program reads it."""
    return urlsafe_b64encode(text.encode(errors="replace")).decode().rstrip("=")


def with_header(reply: Reply, name: str, value: str) -> Reply:
    """Give a reply a header in place of those of that name."""
    kept = [header for header in reply.headers if header[0].lower() != name.lower()]
    return replace(reply, headers=(*kept, (name, value)))
