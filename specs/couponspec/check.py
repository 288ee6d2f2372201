"""Everything that can be wrong with the documents, sources and packs, checked in one go."""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from couponspec import locate
from couponspec.document import BASES, Document, Example, prefix_of
from couponspec.faults import Fault, FaultyFile
from couponspec.pack import Pack, load_pack
from couponspec.reader import example_faults, load_document
from couponspec.schema import MARK, Option
from couponspec.wellformed import nodes

COMPLETE = "demo"
"""The pack in which every documented answer can be reached."""


def check(at: Path | None = None) -> tuple[list[Document], list[Fault]]:
    """Read all that the vendors' halls hold and return the readable documents and every fault."""
    documents: list[Document] = []
    faults: list[Fault] = []
    for vendor in locate.vendors(at):
        try:
            document = load_document(vendor, at)
        except FaultyFile as error:
            faults += error.faults
            continue
        documents.append(document)
        faults += [*example_faults(document), *_source_faults(document), *_reading_faults(document)]
        for name in locate.packs(vendor, at):
            try:
                pack = load_pack(document, name, at)
            except FaultyFile as error:
                faults += error.faults
                continue
            if name == COMPLETE:
                faults += _unreached(document, pack)
        if COMPLETE not in locate.packs(vendor, at):
            file = locate.pack_file(vendor, COMPLETE, at)
            faults.append(
                Fault(file, None, "#", "the pack is missing", "write it; every answer must be reachable in it")
            )
    faults += _shared(documents)
    return documents, [*dict.fromkeys(faults)]  # every pack of a vendor finds the same fault of its entities


def _shared(documents: list[Document]) -> Iterator[Fault]:
    """Yield what two vendors both claim."""
    for one, other in combinations(documents, 2):
        for name in one.operations.keys() & other.operations.keys():
            reason = f"the operationId {name!r} is one of {one.vendor} too"
            yield other.file.fault(f"{other.operations[name].pointer}/operationId", reason, "choose another")
        for operation in other.operations.values():
            prefix = prefix_of(operation.path)
            if any(prefix.startswith(taken) or taken.startswith(prefix) for taken in one.prefixes):
                reason = f"the paths under {prefix} belong to {one.vendor} too"
                yield other.file.fault(operation.pointer.rpartition("/")[0], reason, "lead to them by another prefix")


def reachable(document: Document) -> Iterator[tuple[str, Example]]:
    """Yield operation and example for every answer that the taken readings let the mock give."""
    taken = document.sources.taken
    for operation in (*document.operations.values(), document.general):
        for example in operation.examples.values():
            options = (operation.responses[example.response].option, example.option)
            if all(option is None or taken.get(option.reading) == option.option for option in options):
                yield operation.id, example


def _unreached(document: Document, pack: Pack) -> Iterator[Fault]:
    reached = {(reach.operation, reach.answer) for reach in pack.reach}
    everywhere = {name for operation in document.operations.values() for name in operation.examples}
    for operation, example in reachable(document):
        if (operation, example.name) in reached:
            continue
        if operation == document.general.id and example.name in everywhere:
            continue  # a general answer such as a rate limit, reached through an operation
        reason = f"nothing reaches {example.name!r} of {operation}"
        yield pack.file.fault("/reach", reason, "add a request that makes the mock give this answer")


def _source_faults(document: Document) -> Iterator[Fault]:
    for pointer, node in nodes(document.file.value):
        source = node.get("x-source")
        if source is not None and source not in document.sources.quotes:
            reason = f"no page and section {source!r} in {document.sources.file.path.name}"
            yield document.file.fault(f"{pointer}/x-source", reason, "name a recorded section as page#section")
        basis = node.get("x-basis")
        if basis is not None and basis not in BASES:
            yield document.file.fault(f"{pointer}/x-basis", f"{basis!r} is no basis", f"use one of {', '.join(BASES)}")
        if basis == "inferred" and "value" in node and "x-note" not in node:
            reason = "an inferred example does not say what is inferred"
            yield document.file.fault(pointer, reason, "say in x-note which part is documented and which is ours")


def _reading_faults(document: Document) -> Iterator[Fault]:
    readings = document.sources.readings
    for pointer, node in nodes(document.file.value):
        if MARK not in node:
            continue
        option = Option.parse(node[MARK])
        if option.reading not in readings or option.option not in readings[option.reading].options:
            reason = f"{option} is no option of a reading"
            yield document.file.fault(f"{pointer}/{MARK}", reason, "record reading and option in sources.yaml")
