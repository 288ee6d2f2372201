"""A namespace's whole world written as a file, and such a file made a namespace's world."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from couponspec.faults import FaultyFile
from couponspec.layers import FORMAT, layer_of, packs_of
from couponspec.pack import NOW, Entity, Kind, Pack
from couponspec.yamlfile import YamlFile

from couponmock.assembly import Assembly, World
from couponmock.behaviour import store_kind
from couponmock.store import Difference, Namespace, Seed, wall_clock

_PLAIN = re.compile(r"[a-z_][a-z0-9_-]*\Z")
_OTHER_TYPES = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
"""Names that some reader of YAML takes for something else than a text."""
_UNPRINTABLE = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""What stands in JSON as it is but not in YAML, or would be a line break there."""


class OtherPack(LookupError):
    """The namespace was made from a pack that is none of this server's, and so nothing can be told of it."""

    def __init__(self, name: str) -> None:
        """Name the namespace."""
        super().__init__(f"The pack that {name!r} was made from is none of this server's.")


def exported(mock: Assembly, name: str) -> dict[str, Any]:
    """Return the world of a namespace as a file holds it, made on first use as by any request.

    Where the clock stands still, times are RFC 3339, but for those that it cannot write; they, and all times where the
    clock runs, are offsets from the namespace's present.
    """
    kinds = mock.kinds
    with mock.store.session(name, write=False, pack=mock.default_pack) as session:
        namespace, now = session.namespace, session.now()
        vendors: dict[str, dict[str, Any]] = {vendor: {"entities": {}} for vendor in mock.documents}
        for record in session.scan():
            vendor, _, kind_name = record.kind.partition(".")
            if kind := kinds.get(vendor, {}).get(kind_name):
                entities = vendors[vendor]["entities"].setdefault(kind_name, {})
                entities[record.id] = _written(kind, kind.rendered(record.data, namespace.epoch), namespace, now)
        for key, value in session.counters().items():
            vendor, _, counter = key.partition(".")
            if vendor in vendors and value:
                vendors[vendor].setdefault("counters", {})[counter] = value
    base = mock.world(namespace.pack)
    for vendor, item in vendors.items():
        if lines := _reach(base.packs[vendor], item["entities"]) if base else []:
            item["reach"] = lines
    return {
        "format": FORMAT,
        "pack": name,
        "title": f"The namespace {name}",
        "clock": NOW if namespace.frozen is None else _rfc3339(namespace.frozen),
        "vendors": vendors,
    }


def _written(kind: Kind, data: Mapping[str, Any], namespace: Namespace, now: int) -> dict[str, Any]:
    """Write an entity's members in their order, which some vendor's answers show."""
    written = dict(data)
    for member in kind.moments:
        value = written.get(member)
        if value is not None:
            exact = None if namespace.frozen is None else _rfc3339(value)
            written[member] = exact or f"{value - now:+d}s"
    return written


def _rfc3339(moment: int) -> str | None:
    """Write a time; None if it is before the year 1 or after the year 9999."""
    try:
        return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ").zfill(20)
    except (ValueError, OverflowError, OSError):
        return None


def _reach(pack: Pack, entities: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the pack's lines whose entities are all still there."""
    there = {f"{kind}.{name}" for kind, members in entities.items() for name in members}
    return [
        {"operation": line.operation, "answer": line.answer, "handle": line.handle, "request": line.request}
        for line in pack.reach
        if line.handles <= there
    ]


def as_json(world: Mapping[str, Any]) -> str:
    """Write a world as JSON, one line for each entity and request."""
    lines = ["{", *(f'  "{name}": {_flow(world[name])},' for name in _HEAD), '  "vendors": {']
    vendors = [_json_vendor(vendor, item) for vendor, item in world["vendors"].items()]
    return "\n".join([*lines, ",\n".join(vendors), "  }", "}", ""])


_HEAD = ("format", "pack", "title", "clock")


def _json_vendor(vendor: str, item: Mapping[str, Any]) -> str:
    kinds = []
    for kind, members in item["entities"].items():
        entities = ",\n".join(f"          {_flow(name)}: {_flow(data)}" for name, data in members.items())
        kinds.append(f'        "{kind}": {{\n{entities}\n        }}')
    parts = ['      "entities": {\n' + ",\n".join(kinds) + "\n      }"]
    if "counters" in item:
        parts.append(f'      "counters": {_flow(item["counters"])}')
    if "reach" in item:
        lines = ",\n".join(f"        {_flow(line)}" for line in item["reach"])
        parts.append(f'      "reach": [\n{lines}\n      ]')
    return f'    "{vendor}": {{\n' + ",\n".join(parts) + "\n    }"


def as_yaml(world: Mapping[str, Any]) -> str:
    """Write a world as YAML, one line for each entity and request."""
    return "\n".join([*_yaml_lines(world), ""])


def _yaml_lines(world: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"{name}: {_flow(world[name])}" for name in _HEAD)
    yield "vendors:"
    for vendor, item in world["vendors"].items():
        yield f"  {vendor}:"
        yield "    entities:" if item["entities"] else "    entities: {}"
        for kind, members in item["entities"].items():
            yield f"      {kind}:"
            for name, data in members.items():
                plain = _PLAIN.match(name) and name not in _OTHER_TYPES
                yield f"        {name if plain else _flow(name)}: {_flow(data)}"
        if "counters" in item:
            yield f"    counters: {_flow(item['counters'])}"
        if "reach" in item:
            yield "    reach:"
            yield from (f"      - {_flow(line)}" for line in item["reach"])


def _flow(value: Any) -> str:
    """Write a value as JSON that is YAML as well."""
    text = json.dumps(value, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def imported(mock: Assembly, name: str, file: YamlFile) -> Namespace:
    """Make a namespace hold exactly the world of a file; a vendor that it leaves out is as the namespace's pack has it.

    Raises:
        FaultyFile: the file is not valid; every mistake is named, and nothing has changed.
        OtherPack: the namespace's own pack is unknown here.
    """
    packs = packs_of(mock.documents, mock.kinds, [layer_of(file, mock.documents)])
    if not packs:
        fix = f"give the world of at least one of {', '.join(mock.documents)}"
        raise FaultyFile([file.fault("/vendors", "no vendor is there that this server acts out", fix)])
    frozen = next(iter(packs.values())).frozen

    def difference(pack: str) -> Difference:
        base = mock.world(pack)
        if base is None:
            raise OtherPack(name)
        epoch = wall_clock() if frozen is None else frozen
        return Difference(
            epoch, frozen, [*_records(packs, base, epoch)], [*_deleted(packs, base)], _counters(packs, base)
        )

    with mock.store.session(name, write=False, pack=mock.default_pack) as session:
        pack = session.namespace.pack
    # Beforehand, since it takes as long as the world is large, and meanwhile nobody else could write.
    prepared = difference(pack)

    def fill(namespace: Namespace) -> Difference:
        # Somebody may have dropped it and made it anew of another pack.
        return prepared if namespace.pack == pack else difference(namespace.pack)

    return mock.store.refill_namespace(name, fill)


def _records(packs: Mapping[str, Pack], base: World, epoch: int) -> Iterator[Seed]:
    """Yield the entities that are not as the pack below has them, at a moment from which its offsets count."""
    for vendor, pack in packs.items():
        seeded = {entity.handle: entity for entity in base.packs[vendor].entities}
        for entity in pack.entities:
            kind = pack.kinds[entity.kind]
            data = _whole(kind, entity, epoch)
            below = seeded.get(entity.handle)
            # As texts: 5 and 5.0, or another order, are equal and yet not the same answer.
            if below is None or json.dumps(_whole(kind, below, epoch)) != json.dumps(data):
                index = tuple(kind.index(entity.data))
                yield Seed(store_kind(vendor, entity.kind), entity.name, data, index)


def _deleted(packs: Mapping[str, Pack], base: World) -> Iterator[tuple[str, str]]:
    for vendor, pack in packs.items():
        kept = {entity.handle for entity in pack.entities}
        for entity in base.packs[vendor].entities:
            if entity.handle not in kept:
                yield store_kind(vendor, entity.kind), entity.name


def _counters(packs: Mapping[str, Pack], base: World) -> dict[str, int]:
    """Return where the counters of the vendors stand; one that the pack below has moved on may have to go back to 0."""
    return {
        store_kind(vendor, name): value
        for vendor, pack in packs.items()
        for name, value in {**dict.fromkeys(base.packs[vendor].counters, 0), **pack.counters}.items()
    }


def _whole(kind: Kind, entity: Entity, epoch: int) -> dict[str, Any]:
    return {**kind.rendered(entity.data, epoch), **entity.own}
