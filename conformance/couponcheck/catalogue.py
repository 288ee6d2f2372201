"""The catalogue: one entry for each rule of a vendor's pages, and how it is checked, or why it is not."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from couponspec.document import Document, Operation
from couponspec.faults import Fault, FaultyFile
from couponspec.request import names_in
from couponspec.shape import problems_under
from couponspec.yamlfile import YamlFile, load

FOLDER = Path(__file__).parent / "requirements"
UNKNOWN = "unknown.value"
"""Handle of values that nothing has; the suite makes them up for each run."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a requirement and what its answer has to be."""

    name: str
    operation: str
    request: Mapping[str, Any]
    expect: Mapping[str, Any]
    times: int = 1


@dataclass(frozen=True, slots=True)
class Contract:
    """What of the document every answer of an operation is held against."""

    aspect: str = ""
    """``status``, ``media-type`` or ``json``; empty for the schema."""
    of: str = ""
    """``success`` or ``errors``: which answers' schema."""
    member: str = ""
    """Member of the schema; empty for all that no other requirement names."""


@dataclass(frozen=True, slots=True)
class Generated:
    """Requests that schemathesis makes up."""

    requests: str
    """``invalid`` or ``valid``."""
    examples: int
    unchanged: tuple[Call, ...]
    """Reads whose answers must be the same before and after."""


@dataclass(frozen=True)
class Requirement:
    """One rule of a vendor's page."""

    id: str
    vendor: str
    text: str
    level: str
    operation: str
    page: str
    quote: str
    reading: str
    cites: tuple[str, ...]
    writes: bool
    calls: tuple[Call, ...] = ()
    contract: Contract | None = None
    generated: Generated | None = None
    excluded: str = ""
    pointer: str = field(default="", repr=False)

    @property
    def handles(self) -> set[str]:
        """Return the seeded entities that the requirement needs."""
        named: set[str] = set()
        for call in (*self.calls, *(self.generated.unchanged if self.generated else ())):
            named |= names_in(call.request) | names_in(call.expect) | set(call.expect.get("shows", ()))
            credential = call.request.get("credential", "main")
            named |= {f"credential.{credential}"} if credential != "none" else set()
        if self.generated:
            named.add("credential.main")
        return named - {UNKNOWN}


@dataclass(frozen=True)
class Catalogue:
    """The requirements of one vendor."""

    vendor: str
    file: YamlFile
    lists: frozenset[str]
    aliases: Mapping[str, str]
    """Other name of a member that a reading allows -> the name used here."""
    requirements: tuple[Requirement, ...]

    @property
    def checked(self) -> tuple[Requirement, ...]:
        """Return the requirements that are checked: all but the excluded."""
        return tuple(requirement for requirement in self.requirements if not requirement.excluded)


@cache
def _shape() -> dict[str, Any]:
    text = (Path(__file__).parent / "shapes" / "catalogue.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def catalogued() -> list[str]:
    """List the vendors that have a catalogue."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load_catalogue(document: Document, folder: Path = FOLDER) -> Catalogue:
    """Read a vendor's catalogue.

    Raises:
        FaultyFile: an entry has not the right shape, quotes what no page says, or names what the document has not.
    """
    file = load(folder / f"{document.vendor}.yaml")
    if faults := problems_under(file, "", file.value, _shape()):
        raise FaultyFile(faults)
    requirements = tuple(
        _requirement(document.vendor, f"/requirements/{index}", raw)
        for index, raw in enumerate(file.value["requirements"])
    )
    lists, aliases = frozenset(file.value.get("lists", ())), file.value.get("aliases", {})
    catalogue = Catalogue(document.vendor, file, lists, aliases, requirements)
    if faults := [*_faults(catalogue, document)]:
        raise FaultyFile(faults)
    return catalogue


def _requirement(vendor: str, pointer: str, raw: Mapping[str, Any]) -> Requirement:
    operation = raw["operation"]
    generated = raw.get("generated")
    return Requirement(
        id=raw["id"],
        vendor=vendor,
        text=raw["text"],
        level=raw["level"],
        operation=operation,
        page=raw["source"]["page"],
        quote=raw["source"]["quote"],
        reading=raw.get("reading", ""),
        cites=tuple(raw.get("cites", ())),
        writes=raw.get("writes", False),
        calls=tuple(_call(operation, item) for item in raw.get("calls", ())),
        contract=Contract(**raw["contract"]) if "contract" in raw else None,
        generated=Generated(
            generated["requests"],
            generated["examples"],
            tuple(_call(operation, item) for item in generated.get("unchanged", ())),
        )
        if generated
        else None,
        excluded=raw.get("excluded", ""),
        pointer=pointer,
    )


def _call(operation: str, raw: Mapping[str, Any]) -> Call:
    request = raw.get("request", {})
    default = "general" if "url" in request or "method" in request else operation
    return Call(raw.get("as", ""), raw.get("operation", default), request, raw.get("expect", {}), raw.get("times", 1))


def _faults(catalogue: Catalogue, document: Document) -> Iterator[Fault]:
    seen: set[str] = set()
    operations = {**document.operations, document.general.id: document.general}
    for requirement in catalogue.requirements:
        place = requirement.pointer
        if requirement.id in seen:
            yield catalogue.file.fault(f"{place}/id", f"the id {requirement.id} is given twice", "choose another")
        seen.add(requirement.id)
        if not requirement.id.startswith(f"{catalogue.vendor}.{requirement.operation}."):
            fix = f"begin it with {catalogue.vendor}.{requirement.operation}."
            yield catalogue.file.fault(f"{place}/id", "the id does not begin with vendor and operation", fix)
        if not document.sources.has(requirement.page, requirement.quote):
            reason = f"no quotation of {requirement.page} contains {requirement.quote!r}"
            fix = f"correct it, or record it in {document.sources.file.path.name}"
            yield catalogue.file.fault(f"{place}/source", reason, fix)
        if requirement.reading and requirement.reading not in document.sources.readings:
            fix = f"use one of {[*document.sources.readings]}"
            yield catalogue.file.fault(f"{place}/reading", f"no reading {requirement.reading!r}", fix)
        yield from _name_faults(catalogue.file, requirement, operations)


def _name_faults(file: YamlFile, requirement: Requirement, operations: Mapping[str, Operation]) -> Iterator[Fault]:
    if requirement.operation not in operations:
        fix = f"use one of {[*operations]}"
        yield file.fault(f"{requirement.pointer}/operation", f"no operation {requirement.operation!r}", fix)
        return
    if operations[requirement.operation].companion:
        reason = f"{requirement.operation} is a companion, and no verdict is about it"
        yield file.fault(f"{requirement.pointer}/operation", reason, "call it from a requirement of another operation")
        return
    known = {**operations["general"].examples, **operations[requirement.operation].examples}
    for name in requirement.cites:
        if name not in known:
            reason = f"{requirement.operation} has no example {name!r}"
            yield file.fault(f"{requirement.pointer}/cites", reason, f"use one of {[*known]}")
    names: set[str] = set()
    for index, call in enumerate(requirement.calls):
        yield from _call_faults(file, f"{requirement.pointer}/calls/{index}", call, operations, names)
        names.add(call.name)


def _call_faults(
    file: YamlFile, place: str, call: Call, operations: Mapping[str, Operation], earlier: set[str]
) -> Iterator[Fault]:
    operation = operations.get(call.operation)
    if operation is None:
        yield file.fault(f"{place}/operation", f"no operation {call.operation!r}", f"use one of {[*operations]}")
        return
    for expect in (call.expect, *call.expect.get("any_of", ())):
        for name in expect.get("example", ()):
            if name not in operation.examples:
                reason = f"{call.operation} has no example {name!r}"
                yield file.fault(f"{place}/expect", reason, f"use one of {[*operation.examples]}")
        for name in _earlier(expect):
            if name not in earlier:
                yield file.fault(f"{place}/expect", f"no earlier call is named {name!r}", "name it with `as`")


def _earlier(expect: Mapping[str, Any]) -> Iterator[str]:
    """Yield the earlier calls that an expectation refers to."""
    if "same_as" in expect:
        yield expect["same_as"]
    if "added" in expect:
        yield expect["added"]["to"]
    yield from expect.get("kept", {}).values()
    yield from (change["since"] for change in expect.get("change", {}).values())
