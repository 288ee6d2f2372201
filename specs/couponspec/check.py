"""Everything that can be wrong with the documents, sources and packs, checked in one go."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from couponspec import locate
from couponspec.document import BASES, Document, Example, example_faults, load_document
from couponspec.faults import Fault, FaultyFile
from couponspec.pack import Pack, load_pack
from couponspec.schema import MARK, Option
from couponspec.yamlfile import escape

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
    return documents, faults


def reachable(document: Document) -> Iterator[tuple[str, Example]]:
    """Yield operation and example for every answer that the taken readings let the mock give."""
    taken = document.sources.taken
    for operation in (*document.operations.values(), document.general):
        for example in operation.examples.values():
            options = (operation.responses[example.response].option, example.option)
            if all(option is None or taken[option.reading] == option.option for option in options):
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
    for pointer, node in _nodes(document.file.value):
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
    for pointer, node in _nodes(document.file.value):
        if MARK not in node:
            continue
        option = Option.parse(node[MARK])
        if option.reading not in readings or option.option not in readings[option.reading].options:
            reason = f"{option} is no option of a reading"
            yield document.file.fault(f"{pointer}/{MARK}", reason, "record reading and option in sources.yaml")


def _nodes(value: Any, pointer: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every object of a document with its JSON pointer; example values are the vendor's and left alone."""
    if isinstance(value, dict):
        yield pointer, value
        for key, item in value.items():
            if key != "value":
                yield from _nodes(item, f"{pointer}/{escape(key)}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _nodes(item, f"{pointer}/{index}")
