"""What a vendor's behaviours are made of: the call, the world it acts on, and the named answers it can give."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Protocol, cast

from couponspec.pack import Kind, lookup

from couponmock.store import Record, Session

ANSWERS = "answers"
"""Member of a stored entity: operationId -> the example that the entity makes the operation answer."""


class Refused(Exception):
    """The operation ends with one of its documented problems; nothing it changed is kept."""

    def __init__(self, problem: str) -> None:
        """Remember the name of the example that words the refusal."""
        self.problem = problem
        super().__init__(problem)


@dataclass(frozen=True, slots=True)
class Answer:
    """A documented answer: an example of the operation, with what this call makes of it."""

    example: str
    members: Mapping[str, Any] = field(default_factory=dict)
    """Members that replace those of the example."""
    body: Any = None
    """The whole body, where it is not an object."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is authenticated and valid."""

    principal: str
    """Name of the entity that the credential belongs to."""
    parameters: Mapping[str, Any]
    """Path and query parameters by name, with the document's defaults filled in."""
    body: Any
    templates: Mapping[str, Any]
    """Values of the operation's examples by name, to take documented values from."""


@dataclass(frozen=True, slots=True)
class Entity:
    """An entity of a world, as it is now."""

    kind: str
    name: str
    data: Mapping[str, Any]

    def __getitem__(self, member: str) -> Any:
        """Return a member; None if the entity has none of that name."""
        return self.data.get(member)


class World:
    """A vendor's part of a namespace, for the length of one call."""

    def __init__(self, session: Session, vendor: str, kinds: Mapping[str, Kind], operation: str) -> None:
        """Look at the world of a session through the eyes of one operation."""
        self._session = session
        self._vendor = vendor
        self._kinds = kinds
        self._operation = operation

    @property
    def now(self) -> int:
        """Return the namespace's time in Unix seconds."""
        return self._session.now()

    def find(self, kind: str, **members: Any) -> Entity | None:
        """Return the entity with these members, which are one of the kind's unique combinations.

        Raises:
            Refused: the entity is seeded to make this operation fail.
        """
        found = self.list(kind, **members)
        return found[0] if found else None

    def _entities(self, kind: str, members: Mapping[str, Any], limit: int | None = None) -> list[Entity]:
        fields, values = lookup(members)
        records = self._session.find(self._key(kind), fields, values, limit=limit)
        entities = [self._entity(kind, record) for record in records]
        for entity in entities:
            answers = entity[ANSWERS] or {}
            if self._operation in answers:
                raise Refused(answers[self._operation])
        return entities

    def first(self, limit: int, kind: str, **members: Any) -> list[Entity]:
        """Return the first entities with these members, in the order of their names: at most so many.

        Raises:
            Refused: one of them is seeded to make this operation fail.
        """
        return self._entities(kind, members, limit)

    def list(self, kind: str, **members: Any) -> list[Entity]:
        """Return all entities with these members, in the order of their names.

        Raises:
            Refused: one of them is seeded to make this operation fail.
        """
        return self._entities(kind, members)

    def change(self, entity: Entity, **members: Any) -> Entity:
        """Give an entity new members and return it."""
        return self.add(entity.kind, entity.name, **{**entity.data, **members})

    def add(self, kind: str, name: str, **members: Any) -> Entity:
        """Add an entity and return it."""
        index = self._kinds[kind].index(members)
        self._session.put(self._key(kind), name, members, index)
        return Entity(kind, name, members)

    def count(self, counter: str) -> int:
        """Move one of the vendor's counters in this namespace on by one and return where it stands; the first is 1."""
        return self._session.count(store_kind(self._vendor, counter))

    def _key(self, kind: str) -> str:
        return store_kind(self._vendor, kind)

    def _entity(self, kind: str, record: Record) -> Entity:
        return Entity(kind, record.id, self._kinds[kind].rendered(record.data, self._session.namespace.epoch))


def store_kind(vendor: str, kind: str) -> str:
    """Return the name under which the store keeps a vendor's kind."""
    return f"{vendor}.{kind}"


Effect = Callable[[Call, World], Answer]
"""What an operation does: answers, or raises `Refused`."""


class Behaviour(Protocol):
    """An effect that knows which operation it belongs to and which examples it can name."""

    operation: str
    examples: tuple[str, ...]

    def __call__(self, call: Call, world: World) -> Answer:
        """Carry out the operation."""


def behaviour(operation: str, *examples: str) -> Callable[[Effect], Behaviour]:
    """Mark a function as the behaviour of an operation.

    Args:
        operation: The operationId.
        examples: Every example of the operation that the function names; checked against the document at start.
    """

    def mark(effect: Effect) -> Behaviour:
        marked = cast("Behaviour", effect)
        marked.operation = operation
        marked.examples = examples
        return marked

    return mark


def behaviours_of(module: ModuleType) -> dict[str, Behaviour]:
    """Return the behaviours a vendor's module holds, by operationId."""
    return {item.operation: item for item in vars(module).values() if hasattr(item, "operation")}
