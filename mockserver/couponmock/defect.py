"""Deliberate defects: ways in which a server breaks its vendor's promises, to prove that the suite can tell.

A defect is applied after the mock has checked its own answer, or in place of a behaviour; without ``--defect`` none of
this runs.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from couponmock.behaviour import Answer, Behaviour, Call, Entity, World, behaviour
from couponmock.exchange import Handler, Reply, Request
from couponmock.finding import BODY_LIMIT, buffered

CLASSES = (
    "status",
    "shape",
    "identifiers",
    "credentials",
    "routing",
    "method",
    "state",
    "time",
    "isolation",
    "limits",
    "concurrency",
    "robustness",
    "leaks",
)
"""What a defect can be wrong about."""

REGISTRIES = {
    "proofs": "couponmock.defects",
    "adversary": "couponmock.defects.adversary",
    "second": "couponmock.defects.second",
    "third": "couponmock.defects.third",
    "fourth": "couponmock.defects.fourth",
}
"""Registry -> package with a module for each vendor: simple defects that prove requirements, and four adversaries'."""


@dataclass(frozen=True, slots=True)
class Defect:
    """One way to be wrong."""

    vendor: str
    name: str
    """Unique among the vendor's defects; ``vendor.name`` is what the command line takes."""
    text: str
    """What a client would notice."""
    behaviours: Mapping[str, Callable[[Behaviour], Behaviour]] = field(default_factory=dict)
    """operationId -> makes a broken behaviour of the right one."""
    handler: Callable[[Handler], Handler] | None = None
    """Makes broken replies of the right ones."""
    of: str = ""
    """Its class, one of `CLASSES`; empty for a simple one that only proves a requirement."""
    breaks: tuple[str, str] = ("", "")
    """What it breaks: ``page#section`` and a quotation that its sources have, or an RFC's section and rule."""
    hard: bool = False
    """Whether it shows only sometimes, only for some inputs, or only where nobody looks."""
    held_out: bool = False
    """Whether it is kept aside: to measure the suite, never to write it."""

    @property
    def id(self) -> str:
        """Return the name the command line takes."""
        return f"{self.vendor}.{self.name}"


def replying(change: Callable[[Request, Reply], Reply]) -> Callable[[Handler], Handler]:
    """Make a broken handler that changes replies after the right one has made them."""

    def wrap(right: Handler) -> Handler:
        return lambda request: change(request, right(request))

    return wrap


def asking(change: Callable[[Request], Request]) -> Callable[[Handler], Handler]:
    """Make a broken handler that understands another request than was sent."""

    def wrap(right: Handler) -> Handler:
        return lambda request: right(change(request))

    return wrap


def mishearing(change: Callable[[Any], Any]) -> Callable[[Handler], Handler]:
    """Make a broken handler that understands another JSON body than was sent; what it hears right it leaves alone."""

    def changed(request: Request) -> Request:
        request = buffered(request)
        try:
            value = json.loads(request.read(BODY_LIMIT) or b"")
            heard = change(value)
            if heard == value:
                return request
            body = json.dumps(heard).encode()
        except (ValueError, RecursionError):
            return request
        return replace(request, read=lambda _: body)

    return asking(changed)


def borrowing(header: str, refused: Callable[[Request, Reply], bool]) -> Callable[[Handler], Handler]:
    """Make a broken handler that serves refused clients with the credential of the first one it let in.

    Args:
        header: Where credentials stand, in lower case.
        refused: Tells for a request and its refusal whether the credential is to be borrowed.
    """

    def wrap(right: Handler) -> Handler:
        first: dict[str, str] = {}

        def handle(request: Request) -> Reply:
            request = buffered(request)
            reply = right(request)
            if reply.status < 400:
                if header in request.headers:
                    first.setdefault(request.namespace, request.headers[header])
            elif request.namespace in first and refused(request, reply):
                return right(replace(request, headers={**request.headers, header: first[request.namespace]}))
            return reply

        return handle

    return wrap


def allowing(methods: str) -> Callable[[Handler], Handler]:
    """Make a broken handler that names other methods where one is refused.

    Args:
        methods: What its header Allow says.
    """
    return replying(lambda _, reply: replace(reply, headers=(("Allow", methods),)) if reply.status == 405 else reply)


def behaving(change: Callable[[Behaviour, Call, World], Answer]) -> Callable[[Behaviour], Behaviour]:
    """Make a broken behaviour, which is handed the right one to use or not."""

    def wrap(right: Behaviour) -> Behaviour:
        return behaviour(right.operation, *right.examples, options=right.options)(
            lambda call, world: change(right, call, world)
        )

    return wrap


class _Misled(World):
    """A world whose entities are found in another way."""

    def __init__(self, world: World, find: Callable[..., Entity | None]) -> None:
        vars(self).update(vars(world))
        self._found = find

    def find(self, kind: str, **members: Any) -> Entity | None:
        return self._found(super().find, kind, **members)


def misleading(change: Callable[..., Entity | None]) -> Callable[[Behaviour], Behaviour]:
    """Make a broken behaviour that finds other entities than it should.

    Args:
        change: Is handed the right `World.find` and its arguments.
    """
    return behaving(lambda right, call, world: right(call, _Misled(world, change)))


def all_of(world: World, kind: str) -> list[Entity]:
    """Return every entity of a kind, whosever it is; nothing that is right asks for that."""
    return [world._entity(kind, record) for record in world._session.scan(world._key(kind))]  # noqa: SLF001 - no right behaviour has a way to this


def namespace_of(world: World) -> str:
    """Return the name of the namespace that a world is part of; no right behaviour cares."""
    return world._session.namespace.name  # noqa: SLF001 - as above


def body_of(reply: Reply) -> Any:
    """Read a reply's JSON."""
    return json.loads(reply.body)


def with_body(reply: Reply, value: Any) -> Reply:
    """Give a reply another JSON body."""
    return replace(reply, body=json.dumps(value, ensure_ascii=False).encode())


def secretly(other: Callable[[Request, Reply], Request | None]) -> Callable[[Handler], Handler]:
    """Make a broken handler that answers as the right one does, and then carries out another request.

    Args:
        other: Tells for a request and its reply what is carried out beside it; None for nothing.
    """

    def wrap(right: Handler) -> Handler:
        def handle(request: Request) -> Reply:
            request = buffered(request)
            reply = right(request)
            if (beside := other(request, reply)) is not None:
                right(beside)
            return reply

        return handle

    return wrap


def beginning(request: Request) -> Request:
    """Return a request whose body is the JSON that its own begins with; the same one if it begins with none."""
    request = buffered(request)
    text = (request.read(BODY_LIMIT) or b"").decode("utf-8", "replace")
    try:
        _, end = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return request
    return replace(request, read=lambda _: text[:end].encode())


def once_after(method: str, change: Callable[[Reply], Reply]) -> Callable[[Handler], Handler]:
    """Make a broken handler whose first success after a refused method is changed."""

    def wrap(right: Handler) -> Handler:
        waiting: set[str] = set()

        def handle(request: Request) -> Reply:
            reply = right(request)
            if request.method == method and reply.status >= 400:
                waiting.add(request.namespace)
            elif reply.status < 300 and request.namespace in waiting:
                waiting.discard(request.namespace)
                return change(reply)
            return reply

        return handle

    return wrap


def sharing(same: Callable[[Request], object]) -> Callable[[Handler], Handler]:
    """Make a broken handler that answers requests that overlap with the reply of the first, and carries out no other.

    Args:
        same: Tells by what requests are taken for one another; None for one that is like no other.
    """

    def wrap(right: Handler) -> Handler:
        running: dict[object, Future[Reply]] = {}
        lock = threading.Lock()
        arrived = 0

        def handle(request: Request) -> Reply:
            nonlocal arrived
            request = buffered(request)
            if (key := same(request)) is None:
                return right(request)
            with lock:
                arrived += 1
                before = arrived
                first = running.get(key)
                if first is None:
                    mine = running[key] = Future()
            if first is not None:
                return first.result()
            for nap in range(_NAPS):
                if nap >= _FIRST_NAPS and arrived == before:
                    break
                time.sleep(_NAP)
            try:
                mine.set_result(right(request))
            except BaseException as error:
                mine.set_exception(error)
                raise
            finally:
                with lock:
                    del running[key]
            return mine.result()

        return handle

    return wrap


_FIRST_NAPS, _NAPS, _NAP = 8, 50, 0.003
"""How often while no other comes, how often at most, and seconds each, that a request is left running to be met.

Many short naps take longer where a machine is busy, which is where the others come later.
"""


@cache
def defects_of(vendor: str, registry: str | None = None) -> dict[str, Defect]:
    """Return a vendor's defects by id; empty if nobody has written any.

    Args:
        vendor: The vendor's slug.
        registry: One of `REGISTRIES`; None for all of them.
    """
    packages = REGISTRIES.values() if registry is None else [REGISTRIES[registry]]
    names = [name for package in packages if find_spec(name := f"{package}.{vendor}")]
    return {defect.id: defect for name in names for defect in import_module(name).DEFECTS}
