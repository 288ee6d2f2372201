"""The things the store holds, as its callers see them."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from couponspec.pack import LAST_MOMENT


def wall_clock() -> int:
    """Read the real time, in whole unix seconds."""
    return int(time.time())


def real_time() -> float:
    """Read the real time, in Unix seconds with a fraction, for what is measured rather than shown."""
    return time.time()


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

    `epoch` is the moment relative times count from, `frozen` the moment its clock stands still at (None: it runs,
    `offset` seconds ahead of the real time); all in whole unix seconds. `settings` is a JSON object that the store
    keeps for its callers; a fresh copy, changing it changes nothing in the store.
    """

    name: str
    pack: str
    epoch: int
    frozen: int | None
    offset: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def now(self) -> int:
        """Tell the time in this namespace, in whole unix seconds; a running clock stops at the end of time."""
        if self.frozen is not None:
            return self.frozen
        return min(max(wall_clock() + self.offset, 0), LAST_MOMENT)

    def exact_time(self) -> float:
        """Tell the time in this namespace with a fraction of a second, for what is measured rather than shown."""
        return real_time() + self.offset if self.frozen is None else float(self.frozen)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A copy of what a namespace had changed of its pack, and of its clock, under a label."""

    namespace: str
    label: str
    epoch: int
    frozen: int | None
    offset: int


@dataclass(frozen=True, slots=True)
class Difference:
    """All that a namespace is to differ in from its pack: its clock, its own records, and its counters."""

    epoch: int
    frozen: int | None
    records: Iterable[Seed]
    deleted: Iterable[tuple[str, str]]
    """Kind and id of records of the pack that the namespace has not."""
    counters: Mapping[str, int] = field(default_factory=dict)
    """Key -> where it stands; one that is not named stands where the pack has it."""
