"""The clock of a namespace."""

from datetime import UTC, datetime, timedelta
from typing import Any

from couponmock.client.admin import Admin

Moment = datetime | int | str
"""A time: aware, in Unix seconds, or a text such as ``2030-01-01T00:00:00Z``."""
Span = timedelta | int | str
"""A stretch of time, in seconds if it is a number, or a text such as ``90d`` or ``-1w``."""


class Clock:
    """The clock of a namespace; every expiry follows it. It knows whole seconds."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    @property
    def now(self) -> datetime:
        """Return the time, in UTC."""
        return _now(self._admin.ask("GET", "clock"))

    @property
    def frozen(self) -> bool:
        """Tell whether the clock stands still."""
        return bool(self._admin.ask("GET", "clock")["frozen"])

    def set(self, now: Moment) -> datetime:
        """Set the time; a running clock runs on from there, a standing one stands there. Return the time.

        Raises:
            ValueError: the datetime has no time zone.
            AdminError: it is no time between the years 1970 and 9999.
        """
        return _now(self._admin.ask("PUT", "clock", body={"now": moment(now)}))

    def advance(self, by: Span) -> datetime:
        """Move the time, backwards if the span is negative, and return it.

        Raises:
            AdminError: it is no span, or leads out of the years 1970 to 9999.
        """
        span = int(by.total_seconds()) if isinstance(by, timedelta) else by
        return _now(self._admin.ask("POST", "clock", "advance", body={"by": span}))

    def freeze(self) -> datetime:
        """Stop the clock where it is and return that time."""
        return _now(self._admin.ask("POST", "clock", "freeze"))

    def release(self) -> datetime:
        """Let the clock run on from where it is and return that time."""
        return _now(self._admin.ask("POST", "clock", "release"))


def moment(value: Moment) -> int | str:
    """Return a time as the admin interface takes it.

    Raises:
        ValueError: the datetime has no time zone, so it could mean several times.
    """
    if not isinstance(value, datetime):
        return value
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone; give it one, such as tzinfo=datetime.UTC")
    return int(value.timestamp())


def _now(answer: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(answer["now"], UTC)
