"""Races that need more than two, or two of a certain kind."""

import contextlib
from collections.abc import Callable, Iterator
from threading import Condition, local
from typing import Any

from couponmock.behaviour import Answer, Behaviour, Call, World
from couponmock.defect import behaving
from couponmock.defects.adversary import crowd
from couponmock.defects.adversary.making import Misbehaving, Wrong
from couponmock.exchange import Handler, Reply, Request
from couponmock.finding import buffered

_PATIENCE = 3
"""How many windows of a crowd a request waits for others: more of them are to come."""


class Party:
    """Requests of a namespace that are being answered at the same time."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.present = 0
        self.notes: dict[Any, Any] = {}
        """What those who are present share."""

    def differ(self, member: Callable[[Request], object]) -> bool:
        """Tell whether the requests are not all alike in something."""
        return len({repr(member(request)) for request in self.requests}) > 1


class Meeting:
    """Lets requests wait for each other for a moment, and knows who met whom."""

    def __init__(self, least: int = 2) -> None:
        """Wait for so many, but not for long."""
        self._least = least
        self._changed = Condition()
        self._parties: dict[str, Party] = {}
        self._here = local()

    @contextlib.contextmanager
    def joined(self, request: Request) -> Iterator[tuple[Party | None, int]]:
        """Be present as long as the block lasts; the party, None if too few came, and one's place in it, from 0."""
        with self._changed:
            party = self._parties.setdefault(request.namespace, Party())
            place = len(party.requests)
            party.requests.append(request)
            party.present += 1
            self._changed.notify_all()
            met = self._changed.wait_for(lambda: len(party.requests) >= self._least, crowd.WINDOW_SECONDS * _PATIENCE)
        here = self._here.guest = (party if met else None, place)
        try:
            yield here
        finally:
            self._here.guest = (None, 0)
            with self._changed:
                party.present -= 1
                if not party.present:
                    self._parties.pop(request.namespace, None)

    @property
    def guest(self) -> tuple[Party | None, int]:
        """Return what `joined` has given in this thread; no party outside of it."""
        found: tuple[Party | None, int] = getattr(self._here, "guest", (None, 0))
        return found


def meeting(
    together: Meeting,
    applies: Callable[[Request], bool],
    change: Callable[[Handler, Request, Party, int], Reply] = lambda right, request, _, __: right(request),
) -> Wrong:
    """Let requests meet, and answer those that have met in another way.

    Args:
        together: Where they meet.
        applies: Which requests meet.
        change: Is handed the right handler, a request, its party and its place there; the right answer by default.
    """

    def wrap(right: Handler) -> Handler:
        def handle(request: Request) -> Reply:
            request = buffered(request)
            if not applies(request):
                return right(request)
            with together.joined(request) as (party, place):
                return right(request) if party is None else change(right, request, party, place)

        return handle

    return wrap


def outdated(together: Meeting, kind: str, fooled: Callable[[Party, int], bool]) -> Misbehaving:
    """Let some of a party find entities of a kind as the first of it has found them: what the others wrote is lost."""

    def changed(right: Behaviour, call: Call, world: World) -> Answer:
        party, place = together.guest
        if party is None:
            return right(call, world)
        return crowd.as_first(kind, party.notes, fooled=lambda: fooled(party, place))(right)(call, world)

    return behaving(changed)
