"""Worlds in files of one's own: a vendor's pack or a world of all vendors, laid over one another."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from couponspec import jsonfile, locate, yamlfile
from couponspec.document import Document
from couponspec.faults import Fault, FaultyFile
from couponspec.kind import Kind, load_kinds
from couponspec.pack import NOW, Pack, Part, Place, composed, stopped_at
from couponspec.shape import problems_with_layer
from couponspec.yamlfile import YamlFile

FORMAT = 1
"""The version of the world files that are written and understood here."""
_FILE = re.compile(r"[/\\]|\.(?:ya?ml|json)\Z")


def names_file(layer: str) -> bool:
    """Tell whether a layer is the path of a file, and not the name of a pack that is here."""
    return _FILE.search(layer) is not None


@dataclass(frozen=True, slots=True)
class Layer:
    """What one file, or the vendors' packs of one name, say of a world."""

    name: str
    file: YamlFile
    parts: tuple[Part, ...]
    titles: Mapping[str, str]
    """Vendor -> title, where one is given."""
    clock: str | None
    """``now``, or an RFC 3339 time; None if none is given."""
    installed: bool = False
    """Whether the vendors' halls hold it."""


def layer_of(file: YamlFile, documents: Mapping[str, Document], number: int = 0) -> Layer:
    """Read what a file says of the vendors that are acted out; what it says of others is left aside.

    Args:
        file: A vendor's pack or a world.
        documents: The documents of the vendors that are acted out.
        number: Which layer it is, from below.

    Raises:
        FaultyFile: the file has not the right shape, or names a vendor that does not exist.
    """
    raw = file.value
    single = isinstance(raw, dict) and "vendor" in raw
    if faults := problems_with_layer(file, "pack" if single else "world"):
        raise FaultyFile(faults)
    written: dict[str, tuple[str, Mapping[str, Any]]] = (
        {raw["vendor"]: ("", raw)}
        if single
        else {vendor: (f"/vendors/{vendor}", item) for vendor, item in raw["vendors"].items()}
    )
    known = sorted({*documents, *locate.vendors()})
    if faults := [
        file.fault(pointer or "/vendor", f"there is no vendor {vendor!r}", f"use one of {', '.join(known)}")
        for vendor, (pointer, _) in written.items()
        if vendor not in known
    ]:
        raise FaultyFile(faults)
    parts = tuple(
        Part(vendor, item["entities"], item.get("reach", ()), Place(file, pointer, number), item.get("counters", {}))
        for vendor, (pointer, item) in written.items()
        if vendor in documents
    )
    titles = {part.vendor: raw["title"] for part in parts} if "title" in raw else {}
    return Layer(raw["pack"], file, parts, titles, raw.get("clock"))


def load_layers(documents: Mapping[str, Document], names: Sequence[str], at: Path | None = None) -> dict[str, Pack]:
    """Lay packs over one another, the last one on top, into a world of all the vendors that are acted out.

    Args:
        documents: The vendors' documents.
        names: Names of packs that all these vendors have, and paths of files; at least one.
        at: The folder that holds the vendors' own packs, if not the usual one.

    Raises:
        FaultyFile: a layer cannot be read, or the whole is not valid; each mistake is named where it is written.
    """
    known = sorted(set.intersection(*(set(locate.packs(vendor, at)) for vendor in documents)))
    layers = [_load(documents, known, name, number, at) for number, name in enumerate(names)]
    if faults := [
        layer.file.fault(
            "/pack", f"there is a pack {layer.name!r} already", f"give it another name, such as pack: my-{layer.name}"
        )
        for layer in layers
        if layer.name in known and not layer.installed
    ]:
        raise FaultyFile(faults)
    kinds = {vendor: load_kinds(document, at)[1] for vendor, document in documents.items()}
    packs = packs_of(documents, kinds, layers)
    if missing := [vendor for vendor in documents if vendor not in packs]:
        reason = f"no layer has entities of {' and '.join(missing)}"
        fix = f"put --pack demo before it, or serve {' '.join(f'--vendor {vendor}' for vendor in packs)} alone"
        raise FaultyFile([layers[-1].file.fault("", reason, fix)])
    return packs


def packs_of(
    documents: Mapping[str, Document], kinds: Mapping[str, Mapping[str, Kind]], layers: Sequence[Layer]
) -> dict[str, Pack]:
    """Lay layers over one another into the packs of the vendors that they name.

    Raises:
        FaultyFile: the whole is not valid; each mistake is named where it is written.
    """
    timed = next((layer for layer in reversed(layers) if layer.clock is not None), None)
    if timed is None:
        fix = f"write clock: {NOW}, or a time at which the clock stands still"
        raise FaultyFile([layers[0].file.fault("", "no layer gives a clock", fix)])
    frozen = stopped_at(timed.file)
    files = [layer.name for layer in layers if not layer.installed]
    name = files[-1] if files else "+".join(layer.name for layer in layers)
    titles = {vendor: title for layer in layers for vendor, title in layer.titles.items()}
    packs: dict[str, Pack] = {}
    faults: list[Fault] = []
    for vendor, document in documents.items():
        parts = [part for layer in layers for part in layer.parts if part.vendor == vendor]
        if not parts:
            continue
        try:
            pack = composed(document, kinds[vendor], parts)
        except FaultyFile as error:
            faults += error.faults
            continue
        if all(entity.kind != "credential" for entity in pack.entities):
            fix = "seed one, so that a request can be answered"
            faults.append(parts[0].place.fault("/entities", f"there is no credential of {vendor}", fix))
        title = titles.get(vendor, name)
        packs[vendor] = replace(pack, name=name, title=title, frozen=frozen)
    if faults:
        raise FaultyFile(faults)
    return packs


def _load(documents: Mapping[str, Document], known: Sequence[str], name: str, number: int, at: Path | None) -> Layer:
    if names_file(name):
        path = Path(name)
        file = jsonfile.load(path) if path.suffix == ".json" else yamlfile.load(path)
        return layer_of(file, documents, number)
    if name not in known:
        fix = f"use one of {', '.join(known)}, or the path of a file such as ./{name}.yaml"
        folder = (at or locate.root()) / "fixtures"
        raise FaultyFile([Fault(folder, None, "#", f"not every vendor has a pack {name!r}", fix)])
    layers = [layer_of(yamlfile.load(locate.pack_file(vendor, name, at)), documents, number) for vendor in documents]
    return Layer(
        name=name,
        file=layers[0].file,
        parts=tuple(part for layer in layers for part in layer.parts),
        titles={vendor: title for layer in layers for vendor, title in layer.titles.items()},
        clock=layers[0].clock,
        installed=True,
    )
