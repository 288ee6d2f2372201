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

    def __init__(
        self, sets: Sequence[DataSet], always: Bindings, stand_ins: Mapping[str, Sequence[str]] | None = None
    ) -> None:
        """Begin with nothing used up.

        Args:
            sets: The operator's data.
            always: What belongs to every set: credentials and made-up values.
            stand_ins: Handle -> other handles whose entities can be made stand for it.
        """
        self._sets = sets or ({},)
        self.always = always
        self._stand_ins = stand_ins or {}
        self._spent: list[Entities] = []

    def lacking(self, requirement: Requirement) -> list[str]:
        """Return what the set that comes nearest lacks of a requirement's needs: handles and members."""
        return min((self._lacking(one, requirement) for one in self._sets), key=len)

    def _lacking(self, one: DataSet, requirement: Requirement) -> list[str]:
        lacking: list[str] = []
        taken: list[Members] = []
        for handle, members in sorted(requirement.needs.items()):
            entities = [self.always[handle]] if handle in self.always else self._entities(one, handle)
            if handle in self._stand_ins:  # no entity stands for two handles at once
                entities = [entity for entity in entities if entity not in taken]
                taken += [entity for entity in entities if members <= entity.keys()][:1]
            if not entities:
                lacking.append(handle)
            elif not any(members <= entity.keys() for entity in entities):
                most = max(entities, key=lambda entity: len(members & entity.keys()))
                lacking += [f"{handle}.{member}" for member in sorted(members - most.keys())]
        return lacking

    def choices(self, requirement: Requirement) -> Iterator[Bindings]:
        """Yield what a requirement can be carried out with, what stands first in the file before the rest."""
        one = next((one for one in self._sets if not self._lacking(one, requirement)), None)
        if one is None:
            return
        handles = sorted(requirement.needs.keys() - self.always.keys())
        pools = [
            [entity for entity in self._entities(one, handle) if requirement.needs[handle] <= entity.keys()]
            for handle in handles
        ]
        for entities in _combined(pools):
            chosen = dict(zip(handles, entities, strict=True))
            if self._is_distinct(chosen) and not any(
                self._holds(chosen, part) for spent in self._spent for part in _apart(spent)
            ):
                yield {**self.always, **chosen}

    def _entities(self, one: DataSet, handle: str) -> list[Members]:
        """Return what a handle's entity can be: those given for it first, then those that can be made stand for it."""
        found: list[Members] = []
        for name in (handle, *self._stand_ins.get(handle, ())):
            found += [entity for entity in one.get(name, ()) if entity not in found]
        return found

    def origins(self, chosen: Bindings) -> dict[str, str]:
        """Return handle -> the handle that its entity was given for."""
        return {
            handle: next(
                (
                    name
                    for name in (handle, *self._stand_ins.get(handle, ()))
                    if any(members in one.get(name, ()) for one in self._sets)
                ),
                handle,
            )
            for handle, members in chosen.items()
        }

    def _is_distinct(self, chosen: Entities) -> bool:
        """Tell whether no entity stands for two handles, where one can stand for more than its own."""
        return not any(
            chosen[other] == members
            for handle, members in chosen.items()
            if handle in self._stand_ins
            for other in chosen.keys() - {handle}
        )

    def spend(self, entities: Entities) -> None:
        """Remember entities that together cannot serve any more."""
        self._spent.append(entities)

    def take_back(self, entities: Entities) -> None:
        """Forget that entities were spent: they are again as they were."""
        self._spent.remove(entities)

    def _holds(self, chosen: Entities, spent: Entities) -> bool:
        return all(
            any(
                all(chosen[name].get(member) == value for member, value in members.items())
                for name in chosen
                if name == handle or handle in self._stand_ins.get(name, ())
            )
            for handle, members in spent.items()
        )


def _apart(spent: Entities) -> list[Entities]:
    """Return what cannot serve again: each coupon that was unused, but a customer and a coupon only together."""
    alike = len({handle.partition(".")[0] for handle in spent}) == 1
    return [{handle: members} for handle, members in spent.items()] if alike else [spent]


def _combined(pools: Sequence[Sequence[Members]]) -> Iterator[tuple[Members, ...]]:
    """Yield an entity of each pool: first those that stand in the same place, as they are used up together."""
    if not all(pools):
        return
    longest = max(map(len, pools), default=1)
    abreast = [tuple(pool[min(place, len(pool) - 1)] for pool in pools) for place in range(longest)]
    yield from abreast
    yield from (entities for entities in product(*pools) if entities not in abreast)


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
