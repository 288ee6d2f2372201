"""One seeded entity, a request that reaches an answer, where they are written, and what can be wrong with an entity."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from couponspec.document import Document
from couponspec.faults import Fault
from couponspec.kind import OWN, Kind
from couponspec.request import NO_CREDENTIAL, names_in
from couponspec.shape import Shape, shape
from couponspec.yamlfile import YamlFile


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is written."""

    file: YamlFile
    pointer: str
    layer: int = 0
    """Which of the files laid over one another it is, from below."""

    def fault(self, below: str, reason: str, fix: str) -> Fault:
        """Describe a mistake there, or at a pointer below."""
        return self.file.fault(self.pointer + below, reason, fix)


@dataclass(frozen=True, slots=True)
class Entity:
    """One seeded entity."""

    kind: str
    name: str
    data: Mapping[str, Any]
    answers: Mapping[str, str]
    """operationId -> the example that this entity makes the operation answer."""
    inferred: tuple[str, ...]
    """Members whose value is ours and not printed by the vendor."""
    place: Place

    @property
    def handle(self) -> str:
        """Return the stable name: kind and name."""
        return f"{self.kind}.{self.name}"

    @property
    def own(self) -> dict[str, Any]:
        """Return the members that belong to the pack and not to the vendor, without empty ones."""
        own = {"answers": dict(self.answers), "inferred": list(self.inferred)}
        return {name: value for name, value in own.items() if value}


@dataclass(frozen=True, slots=True)
class Reach:
    """A plain request that makes an operation give one of its documented answers."""

    operation: str
    answer: str
    handle: str
    request: Mapping[str, Any]
    place: Place

    @property
    def handles(self) -> set[str]:
        """Return the handles of all entities that the request needs."""
        credential = self.request.get("credential", "main")
        signed = set() if credential == NO_CREDENTIAL else {f"credential.{credential}"}
        return ({self.handle} - {"-"}) | names_in(dict(self.request)) | signed


def entity_of(kind: str, name: str, data: Mapping[str, Any], place: Place) -> Entity:
    """Make an entity of the members that are written of it."""
    return Entity(
        kind=kind,
        name=name,
        data={key: value for key, value in data.items() if key not in OWN},
        answers=data.get("answers", {}),
        inferred=tuple(data.get("inferred", ())),
        place=place,
    )


@cache
def _entity_shapes() -> tuple[Shape, Shape]:
    """Return the shapes of an entity's name, and of its members that belong to the pack."""
    entities, entity = (shape("pack")["$defs"][name] for name in ("entities", "entity"))
    return Shape(entities["additionalProperties"]["propertyNames"]), Shape(entity)


def written_faults(name: str, written: Mapping[str, Any], place: Place) -> list[Fault]:
    """List what keeps `entity_of` from making an entity of what is written: its name, or members of the pack's own."""
    names, own = _entity_shapes()
    return names.problems(place.file, place.pointer, name) or own.problems(place.file, place.pointer, written)


def entity_faults(entity: Entity, kind: Kind, document: Document) -> list[Fault]:
    """List what is wrong with one entity by itself, whatever else there is.

    Args:
        entity: What `entity_of` made of something written without `written_faults`.
        kind: Its kind.
        document: The vendor's document.
    """
    place = entity.place
    return kind.shape.problems(place.file, place.pointer, entity.data) or [*own_faults(entity, document)]


def own_faults(entity: Entity, document: Document) -> Iterator[Fault]:
    """Yield what is wrong with the members of an entity that name something of the vendor's document."""
    for operation, answer in entity.answers.items():
        if operation not in document.operations or answer not in document.operations[operation].examples:
            reason = f"{operation} has no example {answer!r}"
            yield entity.place.fault(f"/answers/{operation}", reason, "name an operation and one of its examples")
    for member in entity.inferred:
        if member not in entity.data:
            yield entity.place.fault("/inferred", f"{member!r} is no member here", "name members of this entity")
    if entity.kind != "credential":
        return
    schemes = {security.scheme.name for operation in document.operations.values() for security in operation.security}
    if entity.data.get("scheme") not in schemes:
        reason = f"no operation has a security scheme {entity.data.get('scheme')!r}"
        yield entity.place.fault("/scheme", reason, f"use one of {sorted(schemes)}")
