"""Seeded worlds: the packs that hold a vendor's entities, each made of one file or of several laid over one another."""

import hashlib
import json
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from couponspec import locate, yamlfile
from couponspec.document import Document
from couponspec.entity import Entity, Place, Reach, entity_faults, entity_of, own_faults, written_faults
from couponspec.faults import Fault, FaultyFile
from couponspec.kind import LAST_MOMENT, Kind, State, load_kinds, lookup, moment
from couponspec.request import Unbound, build
from couponspec.shape import problems_with, stranger
from couponspec.yamlfile import YamlFile

__all__ = [
    "LAST_MOMENT",
    "NOW",
    "Entity",
    "Kind",
    "Pack",
    "Part",
    "Place",
    "Reach",
    "State",
    "composed",
    "entity_faults",
    "entity_of",
    "load_kinds",
    "load_pack",
    "lookup",
    "moment",
    "stopped_at",
    "written_faults",
]

NOW = "now"
MOST_FAULTS = 100
"""Mistakes that a person will still read; a file with a million has one, a million times."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one file says of one vendor."""

    vendor: str
    entities: Mapping[str, Mapping[str, Any]]
    """Kind -> name -> members; null deletes an entity of a layer below."""
    reach: Sequence[Mapping[str, Any]]
    place: Place
    counters: Mapping[str, int] = field(default_factory=dict)
    """Name -> the last number that was given out."""


@dataclass(frozen=True)
class Pack:
    """A vendor's part of a seeded world."""

    vendor: str
    name: str
    title: str
    file: YamlFile
    """The file itself, or the uppermost of the files laid over one another."""
    frozen: int | None
    """Unix seconds at which the clock stands still; None if it runs from the present."""
    kinds: Mapping[str, Kind]
    entities: tuple[Entity, ...]
    reach: tuple[Reach, ...]
    counters: Mapping[str, int] = field(default_factory=dict)
    """Name -> the last number that was given out, so that the next one is another; a counter not named is at 0."""

    def bindings(self, epoch: int, only: Container[str] | None = None) -> dict[str, dict[str, Any]]:
        """Return handle -> members, with times as Unix seconds counted from an epoch, of all entities or of some."""
        return {
            entity.handle: self.kinds[entity.kind].rendered(entity.data, epoch)
            for entity in self.entities
            if only is None or entity.handle in only
        }

    @cached_property
    def by_handle(self) -> Mapping[str, Entity]:
        """Return handle -> entity."""
        return {entity.handle: entity for entity in self.entities}

    @cached_property
    def digest(self) -> str:
        """Return a short name for exactly this content."""
        # Keys and lookups are part of what a store is filled with, so a change of them makes another pack.
        kinds = [[kind.name, kind.keys, kind.indexed] for kind in self.kinds.values()]
        entities = {entity.handle: [entity.data, entity.own] for entity in self.entities}
        counted = [self.counters] if self.counters else []
        content = json.dumps([self.frozen, entities, kinds, *counted], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:12]


def stopped_at(file: YamlFile) -> int | None:
    """Return the Unix seconds at which a file's clock stands still; None if it runs from the present.

    Raises:
        FaultyFile: it stands at a moment that no clock of the mock can show.
    """
    clock = file.value["clock"]
    if clock == NOW:
        return None
    seconds: int = moment(clock, 0)
    if not 0 <= seconds <= LAST_MOMENT:
        fix = f"write clock: {NOW}, or a time in the years 1970 to 9999 of UTC"
        raise FaultyFile([file.fault("/clock", f"no clock stands at {clock}", fix)])
    return seconds


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
    part = Part(document.vendor, raw["entities"], raw.get("reach", ()), Place(file, ""))
    pack = composed(document, kinds, [part])
    return replace(pack, name=name, title=raw["title"], frozen=stopped_at(file))


def composed(document: Document, kinds: Mapping[str, Kind], parts: Sequence[Part]) -> Pack:
    """Lay parts over one another, the last one on top, into a pack that is still to be named, titled and given a clock.

    Raises:
        FaultyFile: the whole is not valid; each mistake is named where it is written.
    """
    layers = _Layers(document, kinds, parts)
    # Requests are made of entities, so faulty entities are told first.
    faults = [*islice(layers.entity_faults(), MOST_FAULTS)]
    reach = () if faults else tuple(layers.reach(faults))
    if faults:
        raise FaultyFile(faults)
    entities = tuple(layers.entities.values())
    # Of 5 and 5.0, which are the same to a schema, a store takes the first.
    counters = {name: int(value) for part in parts for name, value in part.counters.items()}
    return Pack(document.vendor, "", "", parts[-1].place.file, None, kinds, entities, reach, counters)


class _Layers:
    """Parts laid over one another."""

    def __init__(self, document: Document, kinds: Mapping[str, Kind], parts: Sequence[Part]) -> None:
        self._document = document
        self._kinds = kinds
        self._unfounded: list[Fault] = []
        self._deleted: dict[str, Place] = {}
        self._lines: list[Reach] = []
        self.entities: dict[str, Entity] = {}
        """By handle; those of upper layers last, so that they are the ones to blame for a clash."""
        for part in parts:
            self._lay_entities(part)
            self._lay_reach(part)

    def _lay_entities(self, part: Part) -> None:
        for kind, members in part.entities.items():
            for name, data in members.items():
                place = replace(part.place, pointer=f"{part.place.pointer}/entities/{kind}/{name}")
                handle = f"{kind}.{name}"
                known = self.entities.pop(handle, None)
                if data is not None:
                    self._deleted.pop(handle, None)
                    self.entities[handle] = entity_of(kind, name, data, place)
                elif known is not None:
                    self._deleted[handle] = place
                else:
                    reason, fix = f"there is no entity {handle} to delete", "leave it out, or correct the name"
                    self._unfounded.append(place.fault("", reason, fix))

    def _lay_reach(self, part: Part) -> None:
        for index, item in enumerate(part.reach):
            place = replace(part.place, pointer=f"{part.place.pointer}/reach/{index}")
            line = Reach(item["operation"], item["answer"], item["handle"], item["request"], place)
            same = [
                index
                for index, known in enumerate(self._lines)
                if known.place.layer < place.layer and (known.operation, known.answer) == (line.operation, line.answer)
            ]
            if same:
                self._lines[same[0]] = line
                self._lines = [known for index, known in enumerate(self._lines) if index not in same[1:]]
            else:
                self._lines.append(line)

    def entity_faults(self) -> Iterator[Fault]:
        yield from self._unfounded
        taken: dict[tuple[str, str, str], str] = {}
        for entity in self.entities.values():
            kind = self._kinds.get(entity.kind)
            if kind is None:
                yield entity.place.fault("", f"there is no kind {entity.kind!r}", f"use one of {[*self._kinds]}")
                continue
            if faults := kind.shape.problems(entity.place.file, entity.place.pointer, entity.data):
                yield from faults
                continue
            yield from self._reference_faults(entity, kind)
            yield from _key_faults(entity, kind, taken)
            yield from own_faults(entity, self._document)

    def _reference_faults(self, entity: Entity, kind: Kind) -> Iterator[Fault]:
        for member, target in kind.references.items():
            name = entity.data.get(member)
            handle = f"{target}.{name}"
            if name is None or handle in self.entities:
                continue
            deleted = self._deleted.get(handle)
            if deleted is not None and deleted.layer > entity.place.layer:
                reason, fix = f"{entity.handle} still names it in {member}", "delete or replace that one too"
                yield deleted.fault("", reason, fix)
            else:
                yield entity.place.fault(f"/{member}", f"there is no entity {handle}", f"name a seeded {target}")

    def reach(self, faults: list[Fault]) -> Iterator[Reach]:
        """Yield the lines that hold, and add what is wrong with others to the faults.

        A line is left out if a layer above it has taken away what it names.
        """
        operations = {**self._document.operations, self._document.general.id: self._document.general}
        for line in self._lines:
            layer = line.place.layer
            operation = operations.get(line.operation)
            if operation is None:
                reason, fix = f"no operation {line.operation!r}", f"use one of {[*operations]}"
                faults.append(line.place.fault("/operation", reason, fix))
                continue
            if line.answer not in operation.examples:
                reason, fix = f"{line.operation} has no example {line.answer!r}", f"use one of {[*operation.examples]}"
                faults.append(line.place.fault("/answer", reason, fix))
            elif operation.examples[line.answer].instead_of:
                reason = f"{line.answer!r} is given under {operation.examples[line.answer].option} only"
                faults.append(line.place.fault("/answer", reason, "name the answer that it stands in for"))
            if any(handle in self._deleted and self._deleted[handle].layer > layer for handle in line.handles):
                continue
            if line.handle not in {*self.entities, "-"}:
                reason, fix = f"there is no entity {line.handle}", "name a seeded entity or -"
                faults.append(line.place.fault("/handle", reason, fix))
            seeded = {handle: self.entities[handle] for handle in line.handles if handle in self.entities}
            bindings = {handle: self._kinds[entity.kind].rendered(entity.data, 0) for handle, entity in seeded.items()}
            try:
                build(self._document, operation, line.request, bindings)
            except Unbound as unbound:
                if any(entity.place.layer > layer for entity in seeded.values()):
                    continue
                reason, fix = f"nothing is named {unbound}", "name a seeded entity and one of its members"
                faults.append(line.place.fault("/request", reason, fix))
            yield line


def _key_faults(entity: Entity, kind: Kind, taken: dict[tuple[str, str, str], str]) -> Iterator[Fault]:
    for fields in kind.keys:
        if any(entity.data.get(field) is None for field in fields):
            continue
        key = (entity.kind, *lookup({field: entity.data[field] for field in fields}))
        if key in taken:
            reason = f"{' and '.join(fields)} are those of {taken[key]}"
            yield entity.place.fault("", reason, "make the combination unique")
        taken.setdefault(key, entity.handle)
