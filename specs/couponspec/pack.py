"""Seeded worlds: what a vendor's entities look like, and the packs that hold them."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from couponspec import locate, yamlfile
from couponspec.document import Document
from couponspec.faults import Fault, FaultyFile
from couponspec.request import Unbound, build
from couponspec.shape import problems_under, problems_with, stranger
from couponspec.wellformed import leads_somewhere, nodes
from couponspec.yamlfile import YamlFile

NOW = "now"
_OFFSET = re.compile(r"^([+-]\d+)([smhdw])$")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_MOMENT = {
    "description": "give Unix seconds, an RFC 3339 time, or an offset such as +90d, -1h or +30s",
    "anyOf": [
        {"type": "integer"},
        {"type": "string", "pattern": _OFFSET.pattern},
        {
            "type": "string",
            "format": "date-time",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T.*(Z|[+-][0-9]{2}:[0-9]{2})$",
        },
    ],
}
_SCHEMA = {
    "description": "give a JSON Schema of draft 2020-12",
    "$ref": "https://json-schema.org/draft/2020-12/schema",
}
_OWN = ("answers", "inferred")
"""Members of every entity that belong to the pack and not to the vendor."""


def moment(value: Any, epoch: int) -> Any:
    """Turn a pack's time into Unix seconds.

    Args:
        value: Unix seconds, an RFC 3339 time, an offset such as ``+90d``, or null.
        epoch: The moment that offsets count from, in Unix seconds.
    """
    if not isinstance(value, str):
        return value
    offset = _OFFSET.match(value)
    if offset:
        return epoch + int(offset[1]) * _SECONDS[offset[2]]
    return int(datetime.fromisoformat(value).timestamp())


@dataclass(frozen=True)
class Kind:
    """What one kind of entity looks like and how it is looked up."""

    name: str
    schema: Mapping[str, Any]
    keys: tuple[tuple[str, ...], ...]
    """Combinations of members that are unique."""
    lookups: tuple[tuple[str, ...], ...]
    """Further combinations of members that entities are found by."""
    references: Mapping[str, str]
    """Member -> kind of the entity it names."""

    @cached_property
    def moments(self) -> tuple[str, ...]:
        """Return the members that are times."""
        return tuple(name for name, item in self.schema["properties"].items() if "#/$defs/moment" in json.dumps(item))

    def rendered(self, data: Mapping[str, Any], epoch: int) -> dict[str, Any]:
        """Copy an entity's data with its times as Unix seconds."""
        rendered = dict(data)
        for name in self.moments:
            if name in rendered:
                rendered[name] = moment(rendered[name], epoch)
        return rendered

    def index(self, data: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return the (fields, values) pairs that the entity is found by."""
        return [
            lookup({field: data[field] for field in fields})
            for fields in (*self.keys, *self.lookups)
            if all(data.get(field) is not None for field in fields)
        ]


def lookup(wanted: Mapping[str, Any]) -> tuple[str, str]:
    """Return the (fields, values) pair under which entities with these members are found."""
    return "+".join(sorted(wanted)), json.dumps([wanted[field] for field in sorted(wanted)], ensure_ascii=False)


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

    @property
    def handle(self) -> str:
        """Return the stable name: kind and name."""
        return f"{self.kind}.{self.name}"


@dataclass(frozen=True, slots=True)
class Reach:
    """A plain request that makes an operation give one of its documented answers."""

    operation: str
    answer: str
    handle: str
    request: Mapping[str, Any]


@dataclass(frozen=True)
class Pack:
    """A vendor's part of a seeded world."""

    vendor: str
    name: str
    title: str
    file: YamlFile
    frozen: int | None
    """Unix seconds at which the clock stands still; None if it runs from the present."""
    kinds: Mapping[str, Kind]
    entities: tuple[Entity, ...]
    reach: tuple[Reach, ...]

    def bindings(self, epoch: int) -> dict[str, dict[str, Any]]:
        """Return handle -> members, with times as Unix seconds counted from an epoch."""
        return {entity.handle: self.kinds[entity.kind].rendered(entity.data, epoch) for entity in self.entities}

    @cached_property
    def digest(self) -> str:
        """Return a short name for exactly this content."""
        # Keys and lookups are part of what a store is filled with, so a change of them makes another pack.
        kinds = [[kind.name, kind.keys, kind.lookups] for kind in self.kinds.values()]
        content = json.dumps([self.file.value, kinds], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:12]


def load_kinds(document: Document, at: Path | None = None) -> tuple[YamlFile, dict[str, Kind]]:
    """Read what a vendor's entities look like.

    Raises:
        FaultyFile: the file has not the right shape, or names what is not there.
    """
    file = yamlfile.load(locate.entities_file(document.vendor, at))
    if faults := [*problems_with(file, "entities"), *stranger(file, vendor=document.vendor)]:
        raise FaultyFile(faults)
    if faults := [*_kind_faults(file, document)]:
        raise FaultyFile(faults)
    kinds = {
        name: Kind(
            name=name,
            schema={
                "type": "object",
                "additionalProperties": False,
                "required": item.get("required", []),
                "properties": item["properties"],
            },
            keys=tuple(tuple(fields) for fields in item.get("keys", ())),
            lookups=tuple(tuple(fields) for fields in item.get("lookups", ())),
            references=item.get("references", {}),
        )
        for name, item in file.value["kinds"].items()
    }
    return file, kinds


def load_pack(document: Document, name: str, at: Path | None = None) -> Pack:
    """Read a vendor's pack.

    Raises:
        FaultyFile: the pack has a mistake; every mistake is named with its line.
    """
    _, kinds = load_kinds(document, at)
    file = yamlfile.load(locate.pack_file(document.vendor, name, at))
    if faults := [*problems_with(file, "pack"), *stranger(file, vendor=document.vendor, pack=name)]:
        raise FaultyFile(faults)
    raw = file.value
    entities = tuple(
        Entity(
            kind=kind,
            name=entity,
            data={key: value for key, value in data.items() if key not in _OWN},
            answers=data.get("answers", {}),
            inferred=tuple(data.get("inferred", ())),
        )
        for kind, members in raw["entities"].items()
        for entity, data in members.items()
    )
    reach = tuple(
        Reach(item["operation"], item["answer"], item["handle"], item["request"]) for item in raw.get("reach", ())
    )
    frozen = None if raw["clock"] == NOW else moment(raw["clock"], 0)
    pack = Pack(document.vendor, name, raw["title"], file, frozen, kinds, entities, reach)
    # Requests are made of entities, so faulty entities are told first.
    if faults := [*_entity_faults(pack, document)] or [*_reach_faults(pack, document)]:
        raise FaultyFile(faults)
    return pack


def _kind_faults(file: YamlFile, document: Document) -> Iterator[Fault]:
    resolvable = {"components": document.file.value.get("components", {}), "$defs": {"moment": _MOMENT}}
    for kind, item in file.value["kinds"].items():
        place = f"/kinds/{kind}"
        properties = item["properties"]
        yield from problems_under(file, f"{place}/properties", properties, {"additionalProperties": _SCHEMA})
        for pointer, node in nodes(properties, f"{place}/properties"):
            reference = node.get("$ref")
            if isinstance(reference, str) and not leads_somewhere(resolvable, reference):
                fix = "refer to #/components/... of the document or to #/$defs/moment"
                yield file.fault(f"{pointer}/$ref", f"nothing is at {reference!r}", fix)
        for member in ("keys", "lookups"):
            for index, fields in enumerate(item.get(member, ())):
                for name in (name for name in fields if name not in properties):
                    fix = f"use one of {[*properties]}"
                    yield file.fault(f"{place}/{member}/{index}", f"{name!r} is no property", fix)
        for name, target in item.get("references", {}).items():
            if name not in properties or target not in file.value["kinds"]:
                reason = f"{name!r} is no property or {target!r} no kind"
                yield file.fault(f"{place}/references/{name}", reason, "name a property and the kind it refers to")


def _entity_faults(pack: Pack, document: Document) -> Iterator[Fault]:
    components = document.file.value.get("components", {})
    handles = {entity.handle for entity in pack.entities}
    taken: dict[tuple[str, str, str], str] = {}
    for entity in pack.entities:
        place = f"/entities/{entity.kind}/{entity.name}"
        kind = pack.kinds.get(entity.kind)
        if kind is None:
            yield pack.file.fault(place, f"there is no kind {entity.kind!r}", f"use one of {[*pack.kinds]}")
            continue
        shape = {**kind.schema, "components": components, "$defs": {"moment": _MOMENT}}
        if faults := problems_under(pack.file, place, dict(entity.data), shape):
            yield from faults
            continue
        yield from _reference_faults(pack.file, place, entity, kind, handles)
        yield from _key_faults(pack.file, place, entity, kind, taken)
        yield from _own_faults(pack.file, place, entity, document)


def _reference_faults(file: YamlFile, place: str, entity: Entity, kind: Kind, handles: set[str]) -> Iterator[Fault]:
    for member, target in kind.references.items():
        name = entity.data.get(member)
        if name is not None and f"{target}.{name}" not in handles:
            yield file.fault(f"{place}/{member}", f"there is no entity {target}.{name}", f"name a seeded {target}")


def _key_faults(
    file: YamlFile, place: str, entity: Entity, kind: Kind, taken: dict[tuple[str, str, str], str]
) -> Iterator[Fault]:
    for fields in kind.keys:
        if any(entity.data.get(field) is None for field in fields):
            continue
        key = (entity.kind, *lookup({field: entity.data[field] for field in fields}))
        if key in taken:
            reason = f"{' and '.join(fields)} are those of {taken[key]}"
            yield file.fault(place, reason, "make the combination unique")
        taken.setdefault(key, entity.handle)


def _own_faults(file: YamlFile, place: str, entity: Entity, document: Document) -> Iterator[Fault]:
    for operation, answer in entity.answers.items():
        if operation not in document.operations or answer not in document.operations[operation].examples:
            reason = f"{operation} has no example {answer!r}"
            yield file.fault(f"{place}/answers/{operation}", reason, "name an operation and one of its examples")
    for member in entity.inferred:
        if member not in entity.data:
            yield file.fault(f"{place}/inferred", f"{member!r} is no member here", "name members of this entity")
    schemes = [security.scheme.name for operation in document.operations.values() for security in operation.security]
    if entity.kind == "credential" and entity.data.get("scheme") not in schemes:
        reason = f"no operation has a security scheme {entity.data.get('scheme')!r}"
        yield file.fault(f"{place}/scheme", reason, f"use one of {sorted({*schemes})}")


def _reach_faults(pack: Pack, document: Document) -> Iterator[Fault]:
    bindings = pack.bindings(0)
    operations = {**document.operations, document.general.id: document.general}
    for index, reach in enumerate(pack.reach):
        place = f"/reach/{index}"
        operation = operations.get(reach.operation)
        if operation is None:
            yield pack.file.fault(
                f"{place}/operation", f"no operation {reach.operation!r}", f"use one of {[*operations]}"
            )
            continue
        if reach.answer not in operation.examples:
            reason = f"{reach.operation} has no example {reach.answer!r}"
            yield pack.file.fault(f"{place}/answer", reason, f"use one of {[*operation.examples]}")
        elif operation.examples[reach.answer].instead_of:
            reason = f"{reach.answer!r} is given under {operation.examples[reach.answer].option} only"
            yield pack.file.fault(f"{place}/answer", reason, "name the answer that it stands in for")
        if reach.handle not in {*bindings, "-"}:
            yield pack.file.fault(f"{place}/handle", f"there is no entity {reach.handle}", "name a seeded entity or -")
        try:
            build(document, operation, reach.request, bindings)
        except Unbound as unbound:
            fix = "name a seeded entity and one of its members"
            yield pack.file.fault(f"{place}/request", f"nothing is named {unbound}", fix)
