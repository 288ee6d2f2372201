"""Puts documents, packs, behaviours and store together into a mock, or says what keeps them apart."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path

from couponspec import FaultyFile, load_document, load_layers, load_pack, locate
from couponspec.document import Document
from couponspec.pack import Kind, Pack, load_kinds
from couponspec.reader import example_faults
from couponspec.sources import Reading

from couponmock import strict
from couponmock.behaviour import store_kind
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

    def seeds(self) -> Iterator[Seed]:
        """Yield the entities as the store takes them."""
        for vendor, pack in self.packs.items():
            for entity in pack.entities:
                yield Seed(
                    kind=store_kind(vendor, entity.kind),
                    id=entity.name,
                    data={**entity.data, **entity.own},
                    lookups=tuple(pack.kinds[entity.kind].index(entity.data)),
                )

    def counters(self) -> dict[str, int]:
        """Return where the counters stand, as the store takes them."""
        return {
            store_kind(vendor, name): value
            for vendor, pack in self.packs.items()
            for name, value in pack.counters.items()
        }


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
    pack: str
    """Name of the pack that namespaces are made from on first use."""

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
        return self.worlds[self.pack].id

    @property
    def kinds(self) -> Mapping[str, Mapping[str, Kind]]:
        """Return what the entities of each vendor look like: vendor -> kind."""
        return {vendor: pack.kinds for vendor, pack in self.worlds[self.pack].packs.items()}

    def world(self, pack: str) -> World | None:
        """Return the world with an id; None if it is none of this server's."""
        return next((world for world in self.worlds.values() if world.id == pack), None)

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
        worlds[name] = _world(name, packs)
    return worlds


def load_world(
    documents: Mapping[str, Document], layers: Sequence[str], worlds: Mapping[str, World], at: Path | None = None
) -> tuple[str, World]:
    """Return name and world of packs and files that are laid over one another.

    It has the name that its uppermost file gives to itself, or those of its packs if there is no file.

    Args:
        documents: The vendors' documents.
        layers: Names of packs and paths of files, the uppermost last.
        worlds: The packs that all these vendors have, by name.
        at: The folder that holds the vendors' own packs, if not the usual one.

    Raises:
        FaultyFile: a layer has a mistake, or the whole has.
    """
    if len(layers) == 1 and layers[0] in worlds:
        return layers[0], worlds[layers[0]]
    packs = load_layers(documents, layers, at)
    name = next(iter(packs.values())).name
    return name, _world(name, packs)


def _world(name: str, packs: Mapping[str, Pack]) -> World:
    digest = hashlib.sha256("".join(f"{vendor}{pack.digest}" for vendor, pack in packs.items()).encode())
    return World(f"{name[:64]}-{digest.hexdigest()[:12]}", packs, next(iter(packs.values())).frozen)


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
    _, kinds = load_kinds(document, at)
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
        ValueError: a choice is none of those that there are.
    """
    if settings.strict not in strict.MODES:
        raise ValueError(f"there is no strict mode {settings.strict!r}; there are {', '.join(strict.MODES)}")
    documents = load_documents(settings.vendors)
    readings = parsed(settings.readings, known({vendor: each.sources for vendor, each in documents.items()}))
    worlds = load_worlds(documents)
    pack, worlds[pack] = load_world(documents, settings.pack, worlds)
    vendors = {slug: load_vendor(document) for slug, document in documents.items()}
    # A server without any loads none.
    defects = [defects_of(slug) for slug in vendors] if settings.defects else []
    chosen = [registry[name] for registry in defects for name in settings.defects if name in registry]
    store = Store.open(settings.store)
    for world in worlds.values():
        store.install_pack(world.id, world.seeds(), frozen=world.frozen, counters=world.counters())
    limits = limits_of(settings)
    pipelines = {
        slug: Pipeline(vendor, store, worlds[pack].id, readings, limits.get(slug), settings.strict)
        for slug, vendor in vendors.items()
    }
    handlers = {slug: _handler(pipeline, chosen) for slug, pipeline in pipelines.items()}
    return Assembly(settings, store, documents, worlds, handlers, pack)


def limits_of(settings: Settings) -> dict[str, Limit]:
    """Return the server's own limits by vendor."""
    return {vendor: Limit(size, leak) for vendor, size, leak in settings.limits}


class _Exempt(Exception):
    """A reply is not a vendor's answer, so that there is nothing for a defect to be wrong about."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        super().__init__()


def _handler(right: Pipeline, defects: list[Defect]) -> Handler:
    """Return what answers for a vendor: its pipeline, and around it the deliberate defects of this server."""
    vendor = right.vendor
    own = [defect for defect in defects if defect.vendor == vendor.document.vendor]
    behaviours = dict(vendor.behaviours)
    for defect in own:
        for operation, breaking in defect.behaviours.items():
            behaviours[operation] = breaking(behaviours[operation])
    if not own:
        return right.answer
    misbehaving = replace(right, vendor=replace(vendor, behaviours=behaviours))
    handler: Handler = partial(_answered, misbehaving)
    for defect in own:
        if defect.handler is not None:
            handler = defect.handler(handler)
    return partial(_unless_exempt, handler)


def _answered(right: Pipeline, request: Request) -> Reply:
    """Answer as the pipeline does, but hand nothing to the defects around it that is dropped or the mock's own."""
    reply = right.answer(request)
    if reply.dropped or not reply.diagnosis.example:
        raise _Exempt(reply)
    return reply


def _unless_exempt(wrong: Handler, request: Request) -> Reply:
    """Answer with the defects, or with the reply that they are kept from."""
    try:
        return wrong(request)
    except _Exempt as exempt:
        return exempt.reply
