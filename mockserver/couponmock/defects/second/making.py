"""What the second registry's defects are made of beside the tools of the first: workers, caches, lost writes."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode

from couponmock.behaviour import Answer, Behaviour, Call, Entity, Refused, World
from couponmock.defect import Defect, asking, behaving, body_of, namespace_of, with_body
from couponmock.defects.adversary.making import Misbehaving, Wrong
from couponmock.exchange import Handler, Reply, Request
from couponmock.finding import buffered

HTTP_ALLOW = ("RFC 9110, 15.5.6", "The origin server MUST generate an Allow header field in a 405 response.")
HTTP_TYPES = ("RFC 9110, 8.3.1", "The type and subtype tokens are case-insensitive.")
HTTP_PARAMETERS = ("RFC 9110, 8.3.1", "The type and subtype may be followed by semicolon-delimited parameters.")
HTTP_CODING = ("RFC 9110, 8.4", "Content-Encoding indicates what content codings have been applied.")
HTTP_PARTIAL = ("RFC 9110, 15.3.7", "The 206 status code indicates that a range request is fulfilled.")
HTTP_NOT_MODIFIED = ("RFC 9110, 15.4.5", "The 304 status code indicates that a conditional GET has been received.")
HTTP_CHUNKED = ("RFC 9112, 6.1", "A recipient MUST be able to parse the chunked transfer coding.")
HTTP_TRACE = ("RFC 9110, 9.3.8", "The recipient of a TRACE request should exclude fields likely to contain secrets.")
URI_PLUS = ("RFC 3986, 2.2", "Reserved characters in a path stand for themselves, and a plus is no blank.")
BASIC_PASSWORD = ("RFC 7617, 2", "The user-id ends at the first colon, all that follows is the password.")
"""Rules of HTTP and URIs that no vendor's page repeats, shortened."""

MOST_REMEMBERED = 1000
"""Entries of a memory: it belongs to a server for a test, but may be asked for days."""


def blind(*defects: Defect) -> tuple[Defect, ...]:
    """Keep a third of a table aside, chosen by nobody: by a digest of each id."""
    return tuple(replace(defect, held_out=digest(defect.id) % 3 == 0) for defect in defects)


def digest(text: str) -> int:
    """Return a number that nobody chose, the same for the same text."""
    return int.from_bytes(sha256(text.encode()).digest(), "big")


# -- requests and replies ----------------------------------------------------------------------------------------------


def asked_with(request: Request, name: str) -> str:
    """Return the last value of a query parameter as it was sent; empty if there is none."""
    return dict(parse_qsl(request.query, keep_blank_values=True, errors="surrogateescape")).get(name, "")


def with_query(request: Request, **values: str) -> Request:
    """Give a request other query parameters beside its own."""
    pairs = parse_qsl(request.query, keep_blank_values=True, errors="surrogateescape")
    kept = [(name, value) for name, value in pairs if name not in values]
    query = urlencode([*kept, *values.items()], errors="surrogateescape")
    return replace(request, query=query)


def with_headers(request: Request, **values: str) -> Request:
    """Give a request other headers; an underscore in a name stands for a hyphen."""
    named = {name.replace("_", "-"): value for name, value in values.items()}
    return replace(request, headers={**request.headers, **named})


def text_of(request: Request, limit: int = 1_048_576) -> str:
    """Return the body of a buffered request as text, whatever it is."""
    return (request.read(limit) or b"").decode("utf-8", "replace")


def without(value: Mapping[str, Any], gone: Callable[[str, Any], bool]) -> dict[str, Any]:
    """Return an object without some of its members."""
    return {name: item for name, item in value.items() if not gone(name, item)}


def listed(reply: Reply, change: Callable[[list[Any]], list[Any]]) -> Reply:
    """Change a reply that is a list; leave any other alone."""
    rows = body_of(reply) if reply.status == 200 else None
    return with_body(reply, change(rows)) if isinstance(rows, list) else reply


# -- handlers ----------------------------------------------------------------------------------------------------------


def answered_by(other: Callable[[Request], Request | None]) -> Wrong:
    """Answer a request as another one is answered.

    Args:
        other: Makes the other request; None if this one is understood.
    """

    def understood(request: Request) -> Request:
        request = buffered(request)
        return other(request) or request

    return asking(understood)


# -- memory ------------------------------------------------------------------------------------------------------------


class Memory:
    """What a process keeps between requests and should not: by namespace and key."""

    def __init__(self) -> None:
        self._kept: dict[str, dict[Any, Any]] = defaultdict(dict)

    def of(self, namespace: str) -> dict[Any, Any]:
        """Return what is kept of a namespace, to be read and written."""
        kept = self._kept[namespace]
        if len(kept) > MOST_REMEMBERED:
            kept.clear()
        return kept


def cached(
    place: Callable[[Request], Any],
    kept: Callable[[Request, Reply], bool],
    drops: Callable[[Request, Reply], bool] = lambda _, __: False,
    *,
    admitted: int = 1,
) -> Wrong:
    """Answer from a cache that stands behind authentication.

    Args:
        place: The key of a request; None for one that is not looked up.
        kept: Tells for a request and its right reply whether the reply is kept.
        drops: Tells after which exchange the namespace's entries are forgotten.
        admitted: How often a reply is seen before it is served.
    """

    def wrap(right: Handler) -> Handler:
        memory = Memory()

        def handle(request: Request) -> Reply:
            request = buffered(request)
            reply = right(request)
            entries, key = memory.of(request.namespace), place(request)
            seen, hit = entries.get(key, (0, reply))
            if drops(request, reply):
                entries.clear()
            if key is None or reply.status in {401, 403}:
                return reply
            if seen >= admitted:
                served: Reply = hit
                return served
            if kept(request, reply):
                entries[key] = (seen + 1, reply)
            return reply

        return handle

    return wrap


# -- effects -----------------------------------------------------------------------------------------------------------


def afterwards(effect: Callable[[Call, World], object]) -> Misbehaving:
    """Do something more after an operation has succeeded."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        answer = right(call, world)
        effect(call, world)
        return answer

    return behaving(changed)


def told_only(applies: Callable[[Call, World], bool]) -> Misbehaving:
    """Answer as if some calls had changed the world, which they have not."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        return right(call, _Unchanged(world) if applies(call, world) else world)

    return behaving(changed)


class _Unchanged(World):
    """A world that forgets what is written."""

    def __init__(self, world: World) -> None:
        vars(self).update(vars(world))

    def _put(self, entity: Any) -> Any:
        return entity


Sight = Callable[[Call, World, Entity], Mapping[str, Any]]
"""Tells which members of an entity are seen wrongly in a call, and as what."""


def seeing(sight: Sight) -> Misbehaving:
    """See some members of entities as they are not; they are not written so."""
    return behaving(lambda right, call, world: right(call, _Distorted(world, call, sight)))


class _Distorted(World):
    """A world whose entities look different than they are."""

    def __init__(self, world: World, call: Call, sight: Sight) -> None:
        vars(self).update(vars(world))
        self._right = world
        self._call = call
        self._sight = sight
        self._seen: dict[tuple[str, str], tuple[Entity, Mapping[str, Any]]] = {}

    def find(self, kind: str, **members: Any) -> Entity | None:
        entity = self._right.find(kind, **members)
        seen = self._sight(self._call, self._right, entity) if entity else {}
        if entity is None or not seen:
            return entity
        self._seen[kind, entity.name] = (entity, seen)
        return replace(entity, data={**entity.data, **seen})

    def _put(self, entity: Entity) -> Entity:
        true, seen = self._seen.get((entity.kind, entity.name), (entity, {}))
        unchanged = {name: true[name] for name, value in seen.items() if entity[name] == value}
        super()._put(replace(entity, data={**entity.data, **unchanged}))
        return entity


def refused_instead(problem: str, by: str, applies: Callable[[Call, World], bool]) -> Misbehaving:
    """Give some refusals for another reason."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        try:
            return right(call, world)
        except Refused as refused:
            raise Refused(by if refused.problem == problem and applies(call, world) else refused.problem) from refused

    return behaving(changed)


def numbered(world: World, memory: Memory, key: Any) -> int:
    """Count the calls of a namespace that come with a key, from 1."""
    kept = memory.of(namespace_of(world))
    kept[key] = kept.get(key, 0) + 1
    number: int = kept[key]
    return number
