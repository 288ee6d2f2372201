"""What a vendor's entities look like: their kinds, how they are found, and the states that they can be put into."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import jsonschema_rs

from couponspec import locate, yamlfile
from couponspec.document import Document
from couponspec.faults import Fault, FaultyFile
from couponspec.shape import Shape, problems_under, problems_with, stranger
from couponspec.wellformed import leads_somewhere, nodes
from couponspec.yamlfile import YamlFile

OWN = ("answers", "inferred")
"""Members of every entity that belong to the pack and not to the vendor."""
FIRST_MOMENT, LAST_MOMENT = -62_135_596_800, 253_402_300_799
"""The first second of the year 1 and the last of the year 9999, between which every vendor can write a time."""
_OFFSET = re.compile(r"^([+-]\d{1,12})([smhdw])$")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_MOMENT = {
    "description": "give Unix seconds, an RFC 3339 time, or an offset such as +90d, -1h or +30s",
    "anyOf": [
        {
            "description": "give Unix seconds of the years 1 to 9999",
            "type": "integer",
            "minimum": FIRST_MOMENT,
            "maximum": LAST_MOMENT,
        },
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


def moment(value: Any, epoch: int) -> Any:
    """Turn a pack's time into Unix seconds.

    Args:
        value: Unix seconds, an RFC 3339 time, an offset such as ``+90d``, or null.
        epoch: The moment that offsets count from, in Unix seconds.
    """
    if not isinstance(value, str):
        return int(value) if isinstance(value, float) else value  # 2e9 is whole, too
    offset = _OFFSET.match(value)
    if offset:
        return epoch + int(offset[1]) * _SECONDS[offset[2]]
    return int(datetime.fromisoformat(value).timestamp())


@dataclass(frozen=True, slots=True)
class State:
    """A name for what some members of an entity are, such as ``used`` or ``expired``."""

    name: str
    members: Mapping[str, tuple[Any, ...]]
    """Member -> the value that is put, then what does as well: values, or JSON Schemas."""

    def put(self, kind: "Kind", data: Mapping[str, Any], now: int) -> dict[str, Any]:
        """Copy an entity's data and put it into this state; a member that fits it stays as it is.

        Args:
            kind: The entity's kind.
            data: Its members, with times as Unix seconds.
            now: The moment that the state's times count from, in Unix seconds.
        """
        changed = dict(data)
        for name, options in self.members.items():
            if not self._fits(kind, name, data.get(name), now):
                changed[name] = moment(options[0], now) if name in kind.moments else options[0]
        return changed

    def holds(self, kind: "Kind", data: Mapping[str, Any], now: int) -> bool:
        """Tell whether an entity is in this state at a moment; the arguments are those of `put`."""
        return all(self._fits(kind, name, data.get(name), now) for name in self.members)

    def _fits(self, kind: "Kind", name: str, value: Any, now: int) -> bool:
        return any(_fits(option, value, now, timed=name in kind.moments) for option in self.members[name])


def _fits(option: Any, value: Any, now: int, *, timed: bool) -> bool:
    if isinstance(option, dict):
        return jsonschema_rs.is_valid(option, value)
    if timed and option is not None:
        wanted = moment(option, now)
        if not isinstance(option, str) or not _OFFSET.match(option):
            return bool(value == wanted)
        # What is an offset away from now stays so while the clock runs, on its side of the present.
        return value is not None and (value <= now if wanted <= now else value > now)
    return bool(value == option)


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
    description: str = ""
    states: Mapping[str, State] = field(default_factory=dict)
    """What its entities can be put into by name, in the order in which they are looked for."""
    components: Mapping[str, Any] = field(default_factory=dict)
    """Components of the vendor's document, which the schema may refer to."""

    @cached_property
    def shape(self) -> Shape:
        """Return what an entity's data are held against."""
        return Shape({**self.schema, "components": self.components, "$defs": {"moment": _MOMENT}})

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

    @cached_property
    def indexed(self) -> tuple[tuple[str, ...], ...]:
        """Return the combinations of members that entities are found by: among them each that names another entity."""
        named = ((member,) for member in self.references)
        return tuple(dict.fromkeys((*self.keys, *self.lookups, *named)))

    def index(self, data: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return the (fields, values) pairs that the entity is found by."""
        return [
            lookup({field: data[field] for field in fields})
            for fields in self.indexed
            if all(data.get(field) is not None for field in fields)
        ]

    def state(self, data: Mapping[str, Any], now: int) -> str | None:
        """Return the first state that an entity is in, None if it is in none; the arguments are those of a state."""
        return next((state.name for state in self.states.values() if state.holds(self, data, now)), None)


def lookup(wanted: Mapping[str, Any]) -> tuple[str, str]:
    """Return the (fields, values) pair under which entities with these members are found."""
    return "+".join(sorted(wanted)), json.dumps([wanted[field] for field in sorted(wanted)], ensure_ascii=False)


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
                "allOf": item.get("allOf", []),
            },
            keys=tuple(tuple(fields) for fields in item.get("keys", ())),
            lookups=tuple(tuple(fields) for fields in item.get("lookups", ())),
            references=item.get("references", {}),
            description=item["description"],
            states={
                state: State(state, {member: tuple(_options(value)) for member, value in members.items()})
                for state, members in item.get("states", {}).items()
            },
            components=document.file.value.get("components", {}),
        )
        for name, item in file.value["kinds"].items()
    }
    return file, kinds


def _options(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _kind_faults(file: YamlFile, document: Document) -> Iterator[Fault]:
    resolvable = {"components": document.file.value.get("components", {}), "$defs": {"moment": _MOMENT}}
    for kind, item in file.value["kinds"].items():
        place = f"/kinds/{kind}"
        properties = item["properties"]
        conditions = item.get("allOf", [])
        faults = [
            *problems_under(file, f"{place}/properties", properties, {"additionalProperties": _SCHEMA}),
            *problems_under(file, f"{place}/allOf", conditions, {"items": _SCHEMA}),
        ]
        yield from faults
        written = [*nodes(properties, f"{place}/properties"), *nodes(conditions, f"{place}/allOf")]
        dangling = False
        for pointer, node in written:
            reference = node.get("$ref")
            if isinstance(reference, str) and not leads_somewhere(resolvable, reference):
                dangling = True
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
        if not faults and not dangling:
            yield from _state_faults(file, f"{place}/states", item, resolvable)


def _state_faults(
    file: YamlFile, place: str, item: Mapping[str, Any], resolvable: Mapping[str, Any]
) -> Iterator[Fault]:
    for state, members in item.get("states", {}).items():
        for member, value in members.items():
            pointer = f"{place}/{state}/{member}"
            if member not in item["properties"]:
                yield file.fault(pointer, f"{member!r} is no property", f"use one of {[*item['properties']]}")
                continue
            schema = {**resolvable, "allOf": [item["properties"][member]]}
            for index, option in enumerate(_options(value)):
                at = f"{pointer}/{index}" if isinstance(value, list) else pointer
                wanted = _SCHEMA if index and isinstance(option, Mapping) else schema
                yield from problems_under(file, at, option, wanted)
