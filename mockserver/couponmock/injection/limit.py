"""A leaky bucket: each request fills it by one, it drains all the time, and whoever finds it full is sent away."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from couponmock.injection.mistake import number, one_of, whole

LARGEST = 1_000_000
_FORM = {'{"size": 40, "leak": 2}': ("size", "leak")}
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Bucket:
    """How full a bucket was when it was looked at last."""

    level: float = 0.0
    real: float = 0.0
    """The real time then, in Unix seconds."""
    time: float = 0.0
    """The namespace's time then, in Unix seconds."""


@dataclass(frozen=True, slots=True)
class Limit:
    """How fast a vendor may be asked."""

    size: int
    """Requests that the bucket holds."""
    leak: float
    """Requests by which it drains in a second."""

    @classmethod
    def read(cls, raw: Any) -> Self:
        """Read a limit as it is given over the admin interface.

        Raises:
            Unusable: it is none.
        """
        one_of("a limit", raw, _FORM)
        return cls(
            whole("size of a limit", raw["size"], 1, LARGEST), number("leak of a limit", raw["leak"], 0, LARGEST)
        )

    def dump(self) -> dict[str, Any]:
        """Write for `read`."""
        return asdict(self)

    def poured(
        self, stored: Mapping[str, float] | None, real: float, time: float
    ) -> tuple[dict[str, float], int | None]:
        """Add a request to a bucket, if there is room.

        The bucket drains by the time that has really gone by or by that of the namespace, whichever is more, so that
        both waiting and advancing the clock help, also when the clock stands still.

        Args:
            stored: What this method returned for the request before; None for the first one.
            real: The real time, in Unix seconds.
            time: The namespace's time, in Unix seconds.

        Returns:
            The bucket, and None if there was room; else the whole seconds until there is, 0 if there never will be.
        """
        bucket = Bucket(**stored) if stored else Bucket(0.0, real, time)
        gone = max(real - bucket.real, time - bucket.time, 0.0)
        level = max(bucket.level - gone * self.leak, 0.0)
        excess = level + 1 - self.size
        if excess <= _ROUNDING:
            return asdict(Bucket(level + 1, real, time)), None
        wait = max(math.ceil(excess / self.leak), 1) if self.leak else 0
        return asdict(Bucket(level, real, time)), wait
