"""Defects that show only when requests come at the same time."""

import contextlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from threading import Condition
from typing import Any

from couponmock.behaviour import Entity
from couponmock.defect import behaving, misleading, namespace_of
from couponmock.defects.adversary.making import Misbehaving, Wrong
from couponmock.exchange import Handler, Reply, Request

WINDOW_SECONDS = 0.05
"""How long a request waits for another one: races that last a microsecond elsewhere last so long here."""


class Crowd:
    """Requests that are being answered at the same time, by namespace."""

    def __init__(self) -> None:
        """Begin with nobody inside."""
        self._changed = Condition()
        self._inside: Counter[str] = Counter()
        self._came: Counter[str] = Counter()
        self._seen: dict[str, dict[Any, Any]] = defaultdict(dict)

    @contextlib.contextmanager
    def joined(self, namespace: str) -> Iterator[dict[Any, Any]]:
        """Be inside as long as the block lasts, if possible together with another, and share notes."""
        with self._changed:
            self._inside[namespace] += 1
            self._came[namespace] += 1
            me = self._came[namespace]
            self._changed.notify_all()
            # Who came later may have left again before this one looks up.
            self._changed.wait_for(lambda: self._inside[namespace] > 1 or self._came[namespace] > me, WINDOW_SECONDS)
        try:
            yield self._seen[namespace]
        finally:
            with self._changed:
                self._inside[namespace] -= 1
                if not self._inside[namespace]:
                    self._seen.pop(namespace, None)

    def seen(self, namespace: str) -> dict[Any, Any]:
        """Return the notes of those who are inside."""
        return self._seen[namespace]

    def swapped(self, namespace: str, reply: Reply) -> Reply:
        """Hand in a reply and return the one that another has handed in, if somebody else is there."""
        with self._changed:
            replies = self._seen[namespace].setdefault("replies", [])
            index = len(replies)
            replies.append(reply)
            self._changed.notify_all()
            other = index ^ 1
            self._changed.wait_for(lambda: len(replies) > other, WINDOW_SECONDS)
            mine: Reply = replies[other] if len(replies) > other else reply
            return mine


def crowding(crowd: Crowd, applies: Callable[[Request], bool]) -> Wrong:
    """Answer requests together that come together."""

    def wrap(right: Handler) -> Handler:
        def handle(request: Request) -> Reply:
            if not applies(request):
                return right(request)
            with crowd.joined(request.namespace):
                return right(request)

        return handle

    return wrap


def crossing(applies: Callable[[Request], bool]) -> Wrong:
    """Give requests that come together each other's answers."""
    crowd = Crowd()

    def wrap(right: Handler) -> Handler:
        def handle(request: Request) -> Reply:
            if not applies(request):
                return right(request)
            with crowd.joined(request.namespace):
                return crowd.swapped(request.namespace, right(request))

        return handle

    return wrap


def stale(crowd: Crowd, kind: str) -> Misbehaving:
    """Find entities of a kind as the first of a crowd has found them: what the others wrote is lost."""
    return behaving(lambda right, call, world: as_first(kind, crowd.seen(namespace_of(world)))(right)(call, world))


def as_first(kind: str, seen: dict[Any, Any], *, fooled: Callable[[], bool] = lambda: True) -> Misbehaving:
    """Find entities of a kind as they are noted, and note those that nobody has found before.

    Args:
        kind: Of which entities.
        seen: The notes of those who are together.
        fooled: Tells whether what is noted counts; otherwise it is only noted.
    """

    def find(found: Callable[..., Entity | None], asked: str, **members: Any) -> Entity | None:
        entity = found(asked, **members)
        if asked != kind:
            return entity
        first: Entity | None = seen.setdefault((asked, *sorted(members.items())), entity)
        return first if fooled() else entity

    return misleading(find)
