"""The things the store holds, as its callers see them."""

import time
from dataclasses import dataclass
from typing import Any


def wall_clock() -> int:
    """Read the real time, in whole unix seconds; nothing else in the mock does."""
    return int(time.time())


@dataclass(frozen=True, slots=True)
class Seed:
    """One entity of a pack, and the (field, value) pairs it is found by."""

    kind: str
    id: str
    data: dict[str, Any]
    lookups: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Record:
    """One entity as a namespace sees it; `data` is a fresh copy, changing it changes nothing in the store."""

    kind: str
    id: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Namespace:
    """An isolated world made from a pack.

    `epoch` is the moment relative times count from, `frozen` the moment its clock stands still at (None: it runs);
    both in whole unix seconds.
    """

    name: str
    pack: str
    epoch: int
    frozen: int | None

    def now(self) -> int:
        """Tell the time in this namespace, in whole unix seconds: frozen, or the real one."""
        return wall_clock() if self.frozen is None else self.frozen
