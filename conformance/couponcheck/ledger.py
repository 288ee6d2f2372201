"""What a run changed of a target's data, what of it is used up, and what is again as it was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from couponcheck.catalogue import Requirement
from couponcheck.exchange import Exchange
from couponcheck.expect import same
from couponcheck.pool import Entities

PROVIDER = "provider"


@dataclass(frozen=True, slots=True)
class Change:
    """A request that changed the target's data, as far as its answer tells."""

    requirement: Requirement
    exchange: Exchange
    is_put_back: bool = False
    """Whether what it named is again as it was found."""


@dataclass(frozen=True, slots=True)
class PutBack:
    """Entities that are again as a requirement found them."""

    requirement: Requirement
    entities: Entities
    by: str
    """The operation that the target was asked for, or ``provider``."""


@dataclass
class Ledger:
    """The book that is kept of one vendor's side of a target."""

    changes: list[Change] = field(default_factory=list)
    spent: list[tuple[Requirement, Entities]] = field(default_factory=list)
    """What served once and for all, by those members that were needed of it."""
    put_back: list[PutBack] = field(default_factory=list)
    shown_at: float = 0.0
    """Monotonic seconds from which every read shows all that was written."""
    _as_found: dict[str, set[str]] = field(default_factory=dict)
    """Id of a requirement -> handles whose entities are again as it found them."""

    def add(self, other: "Ledger") -> None:
        """Add what another process has written down of the same side."""
        self.changes += other.changes
        self.spent += other.spent
        self.put_back += other.put_back

    def change(self, requirement: Requirement, exchange: Exchange) -> None:
        """Write down a request that was not refused."""
        self.changes.append(Change(requirement, exchange))

    def spend(self, requirement: Requirement, entities: Entities) -> None:
        """Write down entities that have served once and for all."""
        self.spent.append((requirement, entities))

    def restored(self, requirement: Requirement, entities: Entities, by: str) -> list[Entities]:
        """Write down that entities are again as a requirement found them, and return what is therefore not spent.

        Args:
            requirement: Whom they served.
            entities: Handle -> all members that are known.
            by: What brought them back, if anything had to.
        """
        needed = {handle: needed_of(requirement, handle, members) for handle, members in entities.items()}
        values = [value for members in needed.values() for value in members.values()]
        named = [
            index
            for index, change in enumerate(self.changes)
            if change.requirement is requirement and _says_one_of(change.exchange, values)
        ]
        for index in named:
            self.changes[index] = replace(self.changes[index], is_put_back=True)
        if named or by == PROVIDER:
            self.put_back.append(PutBack(requirement, needed, by))
        handles = self._as_found.setdefault(requirement.id, set())
        handles.update(entities)
        unspent = [item for item in self.spent if item[0] is requirement and item[1].keys() <= handles]
        self.spent = [item for item in self.spent if item not in unspent]
        return [spent for _, spent in unspent]


def needed_of(requirement: Requirement, handle: str, members: Mapping[str, Any]) -> dict[str, Any]:
    """Return those members of an entity that a requirement needs."""
    return {name: value for name, value in members.items() if name in requirement.needs.get(handle, ())}


def _says_one_of(exchange: Exchange, values: Sequence[Any]) -> bool:
    """Tell whether the JSON of a request has one of some values as a whole."""
    level = [exchange.request.said]
    while level:
        if any(same(item, value) for item in level for value in values):
            return True
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
    return False
