"""What a companion operation brings into the state that a requirement needs, and back again.

Which operation does that, and how a read tells the one state from the other, stands in the vendor's catalogue.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import jmespath
from couponspec import Document, Entity, Pack
from couponspec.request import Bindings, Unbound

from couponcheck.catalogue import Call, Catalogue, Companion, Requirement
from couponcheck.condition import credentials_of
from couponcheck.exchange import Exchange
from couponcheck.expect import Judgement, Mismatch
from couponcheck.targetfile import Members

BEFORE, AFTER = "before", "after"
"""Where the companion starts from, and what it makes of that."""
_MAIN = "main"
"""The credential that companions are called with."""

Ask = Callable[[Call, Bindings], Exchange]


def ways(catalogue: Catalogue, pack: Pack) -> dict[str, Companion]:
    """Return handle -> the companion that can make an entity stand for it."""
    return {
        entity.handle: companion
        for companion in catalogue.companions
        for entity in _entities(catalogue, pack, companion.kind)
        if _holds(companion.where, entity, pack)
    }


def stand_ins(catalogue: Catalogue, pack: Pack) -> dict[str, list[str]]:
    """Return handle -> the other handles whose entities a companion can make stand for it."""
    found: dict[str, list[str]] = {}
    for handle, companion in ways(catalogue, pack).items():
        entities = {entity.handle: entity for entity in _entities(catalogue, pack, companion.kind)}
        # First those that are as they have to be, so that the companion need not be called.
        found[handle] = [
            other.handle
            for condition in (companion.where, companion.of)
            for other in entities.values()
            if other.handle != handle
            and _holds(condition, other, pack)
            and _references(other, pack) == _references(entities[handle], pack)
        ]
    return found


def _entities(catalogue: Catalogue, pack: Pack, kind: str) -> Iterator[Entity]:
    """Yield the entities of a kind that requirements name and that the credential of companions sees."""
    named = {handle for requirement in catalogue.checked for handle in requirement.handles}
    for entity in pack.entities:
        if entity.kind == kind and entity.handle in named and _MAIN in credentials_of(pack, entity):
            yield entity


def _holds(condition: str, entity: Entity, pack: Pack) -> bool:
    rendered = pack.kinds[entity.kind].rendered(entity.data, 0)
    return bool(jmespath.search(condition, rendered) is True)


def _references(entity: Entity, pack: Pack) -> dict[str, Any]:
    return {name: entity.data.get(name) for name in pack.kinds[entity.kind].references}


@dataclass
class Tracked:
    """An entity whose state was looked at before a requirement was carried out."""

    requirement: Requirement
    handle: str
    members: Members
    companion: Companion
    bindings: Bindings
    found: str
    """`BEFORE` or `AFTER`: the state that it is to be left in."""
    calls: list[Exchange] = field(default_factory=list)
    """By which it was brought into the state that is needed."""


@dataclass
class Companions:
    """The companions of one vendor's side of a target."""

    document: Document
    catalogue: Catalogue
    pack: Pack
    ways: Mapping[str, Companion]
    """Handle -> the companion that can make an entity stand for it; empty where the target allows none."""
    ask: Ask
    """Sends a call with bindings, once every read shows what was written before."""
    tracked: list[Tracked] = field(default_factory=list)
    """What is not known to be as it was found."""
    given_up: dict[str, str] = field(default_factory=dict)
    """Companion operation that is not called any more -> why."""

    def bring(self, requirement: Requirement, bindings: Bindings, origins: Mapping[str, str]) -> str:
        """Bring what a requirement is to be carried out with into the state that it needs.

        An entity that its operator gave for the very handle is never passed over: whether it is as it has to be is for
        the requirement to tell.

        Args:
            requirement: Whom it is for.
            bindings: What it is to be carried out with.
            origins: Handle -> the handle that the operator gave its entity for.

        Returns:
            Why an entity cannot stand for its handle; empty if nothing is in the way.
        """
        for handle in sorted(requirement.needs.keys() & self.ways.keys()):
            companion = self.ways[handle]
            stands_in = origins[handle] != handle
            if why := self.given_up.get(companion.call.operation):
                if stands_in:
                    return why
                continue
            own = self._bound(handle, bindings)
            found = self._state(companion, own)
            if found is None or (found == AFTER and stands_in and origins[handle] not in self.ways):
                if stands_in:
                    return f"a read does not tell that {origins[handle]} can be {companion.means} for {handle}"
                continue
            tracked = Tracked(requirement, handle, bindings[handle], companion, own, found)
            self.tracked.append(tracked)
            if found == BEFORE:
                exchange, mismatch = self._called(companion, own)
                tracked.calls.append(exchange)
                if mismatch and stands_in:
                    return f"{companion.call.operation} does not make {origins[handle]} {companion.means}: {mismatch}"
        return ""

    def restore(self, tracked: Tracked) -> bool:
        """Bring an entity back into the state that it was found in; tell whether a read shows it there.

        Raises:
            TargetUnreachable: an answer did not come.
            LimitReached: no more requests may be sent.
        """
        companion = tracked.companion
        now = self._state(companion, tracked.bindings)
        if now is not None and now != tracked.found:
            if tracked.found == BEFORE:
                self.ask(companion.back, tracked.bindings)
            elif companion.call.operation in self.given_up:
                return False
            else:
                self._called(companion, tracked.bindings)
            now = self._state(companion, tracked.bindings)
        if now != tracked.found:
            return False
        self.tracked.remove(tracked)
        return True

    def _called(self, companion: Companion, bindings: Bindings) -> tuple[Exchange, Mismatch | None]:
        """Call a companion for the last time in this run if the answer is not as expected."""
        exchange = self.ask(companion.call, bindings)
        mismatch = next(self._mismatches(companion.call.expect, bindings, exchange), None)
        if mismatch:
            name = companion.call.operation
            self.given_up[name] = (
                f"{name} was answered {exchange.status} before, so it is not called any more in this run "
                f"and no other {companion.kind} stands in"
            )
        return exchange, mismatch

    def _state(self, companion: Companion, bindings: Bindings) -> str | None:
        """Return which of its two states an entity is in; None if a read does not tell."""
        try:
            exchange = self.ask(companion.read, bindings)
            for name, expect in ((BEFORE, companion.before), (AFTER, companion.after)):
                if not [*self._mismatches(expect, bindings, exchange)]:
                    return name
        except Unbound:  # the requirement needs nothing of whom the entity belongs to
            pass
        return None

    def _mismatches(self, expect: Mapping[str, Any], bindings: Bindings, exchange: Exchange) -> Iterator[Mismatch]:
        judgement = Judgement(self.document, bindings, self.catalogue.lists, self.catalogue.aliases, {})
        return judgement.mismatches(expect, exchange)

    def _bound(self, handle: str, bindings: Bindings) -> Bindings:
        """Add an entity as ``KIND.self``, and what it refers to by the member: ``member.owner``."""
        entity = self.pack.by_handle[handle]
        referred = {
            f"{kind}.{name}": bindings[f"{kind}.{entity.data[name]}"]
            for name, kind in self.pack.kinds[entity.kind].references.items()
            if f"{kind}.{entity.data.get(name)}" in bindings
        }
        return {**bindings, f"{entity.kind}.self": bindings[handle], **referred}


def names(companions: Sequence[Companion]) -> str:
    """Name the operations of companions."""
    return ", ".join(dict.fromkeys(companion.call.operation for companion in companions))
