"""Which of an operator's entities a requirement is carried out with."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from couponspec.request import Bindings

from couponcheck.catalogue import Requirement
from couponcheck.targetfile import DataSet, Members

Entities = Mapping[str, Members]
"""Handle -> the entity that stands for it, or those of its members that tell it from others."""


class Pools:
    """Data sets, each with one or more entities for a handle.

    A requirement is carried out with the first set that has all it needs, and with the first of a handle's entities
    that has not been used up.
    """

    def __init__(self, sets: Sequence[DataSet], always: Bindings) -> None:
        """Begin with nothing used up.

        Args:
            sets: The operator's data.
            always: What belongs to every set: credentials and made-up values.
        """
        self._sets = sets or ({},)
        self._always = always
        self._spent: list[Entities] = []

    def lacking(self, requirement: Requirement) -> list[str]:
        """Return what the set that comes nearest lacks of a requirement's needs: handles and members."""
        return min((self._lacking(one, requirement) for one in self._sets), key=len)

    def _lacking(self, one: DataSet, requirement: Requirement) -> list[str]:
        lacking = []
        for handle, members in sorted(requirement.needs.items()):
            entities = [self._always[handle]] if handle in self._always else one.get(handle, ())
            if not entities:
                lacking.append(handle)
            elif not any(members <= entity.keys() for entity in entities):
                most = max(entities, key=lambda entity: len(members & entity.keys()))
                lacking += [f"{handle}.{member}" for member in sorted(members - most.keys())]
        return lacking

    def choices(self, requirement: Requirement) -> Iterator[Bindings]:
        """Yield what a requirement can be carried out with, what stands first in the file first."""
        one = next((one for one in self._sets if not self._lacking(one, requirement)), None)
        if one is None:
            return
        handles = sorted(handle for handle in requirement.needs if handle in one)
        pools = [[entity for entity in one[handle] if requirement.needs[handle] <= entity.keys()] for handle in handles]
        for entities in product(*pools):
            chosen = dict(zip(handles, entities, strict=True))
            if not any(_holds(chosen, spent) for spent in self._spent):
                yield {**self._always, **chosen}

    def spend(self, entities: Entities) -> None:
        """Remember entities that together cannot serve any more."""
        self._spent.append(entities)


def _holds(chosen: Entities, spent: Entities) -> bool:
    return all(
        handle in chosen and all(chosen[handle].get(name) == value for name, value in members.items())
        for handle, members in spent.items()
    )


def missing(requirement: Requirement, bindings: Bindings) -> list[str]:
    """Return what a requirement needs and one set of bindings lacks: handles and members."""
    sets = [{handle: [members] for handle, members in bindings.items()}]
    return Pools(sets, {}).lacking(requirement)


def spent_before(reports: Iterable[Mapping[str, Any]], vendor: str) -> Iterator[Entities]:
    """Yield what earlier runs, as they report, used up of a vendor's data."""
    for report in reports:
        for item in report.get("spent", ()):
            if item["vendor"] == vendor:
                yield item["entities"]
