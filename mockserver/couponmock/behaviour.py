"""What a vendor's behaviours are made of: the call, the world it acts on, and the named answers it can give."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import chain, count
from types import ModuleType
from typing import Any, Protocol, cast

from couponspec.kind import OWN
from couponspec.pack import Kind, lookup
from couponspec.schema import Option

from couponmock.reading import Acting
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
    own: Mapping[str, Any] = field(default_factory=dict)
    """What the pack says of it beside its data, such as the answers it is seeded to give."""

    def __getitem__(self, member: str) -> Any:
        """Return a member; None if the entity has none of that name."""
        return self.data.get(member)


class World:
    """A vendor's part of a namespace, for the length of one call."""

    def __init__(
        self, session: Session, vendor: str, kinds: Mapping[str, Kind], operation: str, acting: Acting
    ) -> None:
        """Look at the world of a session through the eyes of one operation, by the chosen readings."""
        self._session = session
        self._vendor = vendor
        self._kinds = kinds
        self._operation = operation
        self._acting = acting

    def takes(self, option: str) -> bool:
        """Tell whether an option (``reading=option``) is chosen that is not the taken one.

        To be asked where the answer depends on it: if so, the answer is said to be shaped by the option.
        """
        return self._acting.takes(Option.parse(option))

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
            answers = entity.own.get(ANSWERS, {})
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
        return self._put(Entity(entity.kind, entity.name, {**entity.data, **members}, entity.own))

    def add(self, kind: str, name: str, **members: Any) -> Entity:
        """Add an entity and return it; where the name is taken, it gets the next free one: `name-2`, `name-3`."""
        names = chain([name], (f"{name}-{number}" for number in count(2)))
        free = next(name for name in names if self._session.get(self._key(kind), name) is None)
        return self._put(Entity(kind, free, members))

    def _put(self, entity: Entity) -> Entity:
        index = self._kinds[entity.kind].index(entity.data)
        self._session.put(self._key(entity.kind), entity.name, {**entity.data, **entity.own}, index)
        return entity

    def count(self, counter: str) -> int:
        """Move one of the vendor's counters in this namespace on by one and return where it stands; the first is 1."""
        return self._session.count(store_kind(self._vendor, counter))

    def _key(self, kind: str) -> str:
        return store_kind(self._vendor, kind)

    def _entity(self, kind: str, record: Record) -> Entity:
        own = {name: record.data.pop(name) for name in OWN if name in record.data}
        return Entity(kind, record.id, self._kinds[kind].rendered(record.data, self._session.namespace.epoch), own)


def store_kind(vendor: str, kind: str) -> str:
    """Return the name under which the store keeps a vendor's kind."""
    return f"{vendor}.{kind}"


Effect = Callable[[Call, World], Answer]
"""What an operation does: answers, or raises `Refused`."""


class Behaviour(Protocol):
    """An effect that knows which operation it belongs to and which examples it can name."""

    operation: str
    examples: tuple[str, ...]
    options: tuple[str, ...]

    def __call__(self, call: Call, world: World) -> Answer:
        """Carry out the operation."""


def behaviour(operation: str, *examples: str, options: tuple[str, ...] = ()) -> Callable[[Effect], Behaviour]:
    """Mark a function as the behaviour of an operation.

    Args:
        operation: The operationId.
        examples: Every example of the operation that the function names; checked against the document at start.
        options: Every option (``reading=option``) that the function asks its world for; checked at start too.
    """

    def mark(effect: Effect) -> Behaviour:
        marked = cast("Behaviour", effect)
        marked.operation = operation
        marked.examples = examples
        marked.options = options
        return marked

    return mark


def behaviours_of(module: ModuleType) -> dict[str, Behaviour]:
    """Return the behaviours a vendor's module holds, by operationId."""
    return {item.operation: item for item in vars(module).values() if hasattr(item, "operation")}


Look = Callable[[Call, World], None]
"""Looks at the world and raises `Refused`, or lets the request pass."""


@dataclass(frozen=True, slots=True)
class Precheck:
    """What an operation looks up before it refuses a body, where an option wants it in that order."""

    option: Option
    before: str
    """The operationId."""
    examples: tuple[str, ...]
    look: Look

    def __call__(self, call: Call, world: World) -> None:
        """Look; the call's body is any JSON value, and breaks the document.

        Raises:
            Refused: what is found ends the request.
        """
        self.look(call, world)


def precheck(option: str, operation: str, *examples: str) -> Callable[[Look], Precheck]:
    """Mark a function as what comes before the faults of a body where an option is chosen.

    Args:
        option: ``reading=option``; checked at start.
        operation: The operationId.
        examples: Every example of the operation that the function names; checked at start.
    """
    return lambda look: Precheck(Option.parse(option), operation, examples, look)


def prechecks_of(module: ModuleType) -> tuple[Precheck, ...]:
    """Return the prechecks that a vendor's module holds."""
    return tuple(item for item in vars(module).values() if isinstance(item, Precheck))
