"""Puts documents, packs, behaviours and store together into a mock, or says what keeps them apart."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path

from couponspec import FaultyFile, load_document, load_pack, locate
from couponspec.document import Document
from couponspec.faults import Fault
from couponspec.pack import Pack
from couponspec.reader import example_faults
from couponspec.sources import Reading

from couponmock.behaviour import ANSWERS, store_kind
from couponmock.defect import Defect, defects_of
from couponmock.exchange import Handler, Reply, Request
from couponmock.injection import Limit
from couponmock.pipeline import Pipeline, Vendor, start_faults
from couponmock.reading import known, parsed
from couponmock.settings import Settings
from couponmock.store import Seed, Store


@dataclass(frozen=True)
class World:
    """A pack of every vendor that is acted out."""

    id: str
    """Name and content; two servers on one store share a pack only if it is the same."""
    packs: Mapping[str, Pack]
    """Vendor -> its part."""
    frozen: int | None
    """Unix seconds at which its clock stands still; None if it runs."""

    def seeds(self) -> list[Seed]:
        """Return the entities as the store takes them."""
        return [
            Seed(
                kind=store_kind(vendor, entity.kind),
                id=entity.name,
                data={**entity.data, ANSWERS: dict(entity.answers)} if entity.answers else dict(entity.data),
                lookups=tuple(pack.kinds[entity.kind].index(entity.data)),
            )
            for vendor, pack in self.packs.items()
            for entity in pack.entities
        ]


@dataclass(frozen=True)
class Assembly:
    """The vendors, acted out over one store."""

    settings: Settings
    store: Store
    documents: Mapping[str, Document]
    worlds: Mapping[str, World]
    """Name of a pack -> that world."""
    handlers: Mapping[str, Handler]
    """Vendor -> what answers for it."""

    @cached_property
    def readings(self) -> dict[str, Reading]:
        """Return every reading that leaves a choice, by its name: ``vendor.reading``."""
        return known({vendor: document.sources for vendor, document in self.documents.items()})

    @cached_property
    def chosen(self) -> dict[str, str]:
        """Return the server's own choices: name of a reading -> option."""
        return parsed(self.settings.readings, self.readings)

    @property
    def default_pack(self) -> str:
        """Return the id of the pack that namespaces are made from on first use."""
        return self.worlds[self.settings.pack].id

    def vendor_of(self, path: str) -> str | None:
        """Return the vendor whose documented paths share a path's prefix."""
        return next((vendor for vendor, document in self.documents.items() if document.owns(path)), None)

    def handle(self, request: Request) -> Reply | None:
        """Answer a request; None if its path belongs to no vendor."""
        vendor = self.vendor_of(request.path)
        return self.handlers[vendor](request) if vendor else None


def load_documents(vendors: tuple[str, ...], at: Path | None = None) -> dict[str, Document]:
    """Read the vendors' documents, each example checked against its schema.

    Raises:
        FaultyFile: a document has a mistake.
    """
    documents = {vendor: load_document(vendor, at) for vendor in vendors}
    if faults := [fault for document in documents.values() for fault in example_faults(document)]:
        raise FaultyFile(faults)
    return documents


def load_worlds(documents: Mapping[str, Document], at: Path | None = None) -> dict[str, World]:
    """Read every pack that all the vendors have.

    Raises:
        FaultyFile: a pack has a mistake, or the vendors' parts of a pack disagree about the time.
    """
    names = set.intersection(*(set(locate.packs(vendor, at)) for vendor in documents))
    worlds = {}
    for name in sorted(names):
        packs = {vendor: load_pack(document, name, at) for vendor, document in documents.items()}
        first = next(iter(packs.values()))
        if faults := [
            pack.file.fault("/clock", f"the clock is not that of {first.file.path}", "give both the same")
            for pack in packs.values()
            if pack.frozen != first.frozen
        ]:
            raise FaultyFile(faults)
        digest = hashlib.sha256("".join(f"{vendor}{pack.digest}" for vendor, pack in packs.items()).encode())
        worlds[name] = World(f"{name}-{digest.hexdigest()[:12]}", packs, first.frozen)
    return worlds


def load_vendor(document: Document, at: Path | None = None) -> Vendor:
    """Match a document with its vendor's behaviours.

    Raises:
        FaultyFile: they do not match.
    """
    name = f"couponmock.vendors.{document.vendor}"
    try:
        module = import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        fault = document.file.fault("", f"there is no module {name}", "write the vendor's behaviours there")
        raise FaultyFile([fault]) from error
    kinds = load_pack(document, locate.packs(document.vendor, at)[0], at).kinds
    vendor = Vendor.of(document, kinds, module)
    if faults := start_faults(vendor):
        raise FaultyFile(faults)
    return vendor


def assemble(settings: Settings) -> Assembly:
    """Make a mock.

    Raises:
        FaultyFile: a document, a pack or a setting has a mistake; every mistake found is named.
        UnknownChoice: there is no such reading or option.
        StoreFault: the store cannot be used.
    """
    documents = load_documents(settings.vendors)
    readings = parsed(settings.readings, known({vendor: each.sources for vendor, each in documents.items()}))
    worlds = load_worlds(documents)
    if settings.pack not in worlds:
        fix = f"use one of {', '.join(worlds)}"
        reason = f"not every vendor has a pack {settings.pack!r}"
        raise FaultyFile([Fault(locate.root() / "fixtures", None, "#", reason, fix)])
    vendors = {slug: load_vendor(document) for slug, document in documents.items()}
    defects = [defects_of(slug) for slug in vendors]
    chosen = [registry[name] for registry in defects for name in settings.defects if name in registry]
    store = Store.open(settings.store)
    for world in worlds.values():
        store.install_pack(world.id, world.seeds(), frozen=world.frozen)
    pack = worlds[settings.pack].id
    limits = limits_of(settings)
    pipelines = [Pipeline(v, store, pack, readings, limits.get(slug), settings.strict) for slug, v in vendors.items()]
    handlers = {pipeline.vendor.document.vendor: _handler(pipeline, chosen) for pipeline in pipelines}
    return Assembly(settings, store, documents, worlds, handlers)


def limits_of(settings: Settings) -> dict[str, Limit]:
    """Return the server's own limits by vendor."""
    return {vendor: Limit(size, leak) for vendor, size, leak in settings.limits}


def _handler(right: Pipeline, defects: list[Defect]) -> Handler:
    """Return what answers for a vendor: its pipeline, and around it the deliberate defects of this server."""
    vendor = right.vendor
    own = [defect for defect in defects if defect.vendor == vendor.document.vendor]
    behaviours = dict(vendor.behaviours)
    for defect in own:
        for operation, breaking in defect.behaviours.items():
            behaviours[operation] = breaking(behaviours[operation])
    handler: Handler = replace(right, vendor=replace(vendor, behaviours=behaviours)).answer if own else right.answer
    for defect in own:
        if defect.handler is not None:
            handler = defect.handler(handler)
    return handler
