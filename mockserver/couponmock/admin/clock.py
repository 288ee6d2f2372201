"""The clock of a namespace: read, set, advanced, frozen, released."""

from collections.abc import Mapping
from typing import Any, TypedDict

from couponspec.pack import LAST_MOMENT, moment
from flask import Response, jsonify

from couponmock.admin.answers import Wrong, chosen, members
from couponmock.assembly import Assembly
from couponmock.store import Namespace, wall_clock

_TIME = "Unix seconds or an RFC 3339 time such as 2030-01-01T00:00:00Z"
CLOCK_MEMBERS = {"now", "frozen"}
"""What can be said of a clock."""
_SPAN = "seconds or a span such as 90d, 12h, 30m, 45s or -1w"


class Clock:
    """What is asked about the time of the request's namespace."""

    def __init__(self, mock: Assembly) -> None:
        self._mock = mock

    def show(self) -> Response:
        return _shown(chosen(self._mock))

    def set(self) -> Response:
        """Set the time, stop the clock, let it run, or all of that in one."""
        wanted = clock_of(members(CLOCK_MEMBERS))
        namespace = chosen(self._mock)
        frozen = wanted.get("frozen", namespace.frozen is not None)
        now = wanted.get("now", namespace.now())
        return _shown(self._standing(namespace, now) if frozen else self._running(namespace, now))

    def advance(self) -> Response:
        """Move the time, forwards or backwards, whether the clock runs or stands."""
        raw = members({"by"})
        if "by" not in raw:
            raise Wrong(f"Say in by how far to move the clock: {_SPAN}.")
        namespace = chosen(self._mock)
        by = _span(raw["by"])
        if not 0 <= namespace.now() + by <= LAST_MOMENT:
            raise Wrong("The clock stays between the years 1970 and 9999.")
        return _shown(self._mock.store.advance_clock(namespace.name, by))

    def freeze(self) -> Response:
        """Stop the clock where it is."""
        members(set())
        namespace = chosen(self._mock)
        return _shown(self._standing(namespace, namespace.now()))

    def release(self) -> Response:
        """Let the clock run on from where it is."""
        members(set())
        namespace = chosen(self._mock)
        return _shown(self._running(namespace, namespace.now()))

    def _standing(self, namespace: Namespace, now: int) -> Namespace:
        return self._mock.store.set_clock(namespace.name, frozen=now)

    def _running(self, namespace: Namespace, now: int) -> Namespace:
        return self._mock.store.set_clock(namespace.name, frozen=None, offset=now - wall_clock())


class Wanted(TypedDict, total=False):
    """What a clock is to show, and whether it is to stand still."""

    now: int
    frozen: bool


def clock_of(raw: Mapping[str, Any]) -> Wanted:
    """Read what is said of a clock.

    Raises:
        Wrong: it is no moment or no truth value.
    """
    wanted = Wanted()
    if "now" in raw:
        wanted["now"] = _moment(raw["now"])
    if "frozen" in raw:
        if not isinstance(raw["frozen"], bool):
            raise Wrong("Give frozen as true or false.")
        wanted["frozen"] = raw["frozen"]
    return wanted


def _shown(namespace: Namespace) -> Response:
    return jsonify({"namespace": namespace.name, "now": namespace.now(), "frozen": namespace.frozen is not None})


def _moment(value: Any) -> int:
    try:
        seconds = value if isinstance(value, int) else moment(value, 0) if _is_absolute(value) else None
    except ValueError:
        seconds = None
    if not isinstance(seconds, int) or isinstance(seconds, bool) or not 0 <= seconds <= LAST_MOMENT:
        raise Wrong(f"Give now as {_TIME}, between the years 1970 and 9999.")
    return seconds


def _is_absolute(value: Any) -> bool:
    return isinstance(value, str) and value[10:11] == "T" and (value.endswith("Z") or value[-6:-5] in {"+", "-"})


def _span(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    text = value if isinstance(value, str) else ""
    try:
        seconds = moment(text if text[:1] in {"+", "-"} else f"+{text}", 0)
    except ValueError:
        seconds = None
    if not isinstance(seconds, int):
        raise Wrong(f"Give by as {_SPAN}.")
    return seconds
