"""The catalogue: one entry for each rule of a vendor's pages, and how it is checked, or why it is not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from couponspec.document import Document, Operation
from couponspec.faults import Fault, FaultyFile
from couponspec.pack import Kind, load_kinds
from couponspec.request import LIKENESSES, NO_CREDENTIAL, likenesses_in, members_in
from couponspec.shape import problems_under
from couponspec.yamlfile import YamlFile, escape, load

from couponcheck.exchange import READING
from couponcheck.lifecycle import LifeCycle, life_cycle, mistakes
from couponcheck.shape import shape

FOLDER = Path(__file__).parent / "requirements"
UNKNOWN = "unknown.value"
"""Handle of values that nothing has; the suite makes them up for each run."""
NOW = "now.value"
"""Handle of moments around the run."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a requirement and what its answer has to be."""

    name: str
    operation: str
    request: Mapping[str, Any]
    expect: Mapping[str, Any]
    times: int = 1
    when: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Earlier call -> what its answer has to be for this one to be made at all."""
    together: "tuple[Call, ...]" = ()
    """Calls that are made at once in place of this one, each ``times`` times."""
    case: str = ""
    """What is special about it; empty where the requirement says all."""
    untestable: Mapping[str, Any] = field(default_factory=dict)
    """Answers that say that the data is not what the requirement is about, so that to keep it proves nothing."""


@dataclass(frozen=True, slots=True)
class Depletion:
    """How an answer shows what is left of an entity that requests use up."""

    kind: str
    by: str
    """Member that an item is known by."""
    items: str
    """JMESPath of the items in an answer."""
    left: str
    """Member that tells how much is left."""


@dataclass(frozen=True, slots=True)
class Contract:
    """What of the document every answer of an operation is held against."""

    aspect: str = ""
    """``status``, ``media-type``, ``json``, ``allow`` or ``disclosure``; empty for the schema."""
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


@dataclass(frozen=True, slots=True)
class Verification:
    """How an entity of a target is looked at by reading.

    The request names the entity as ``KIND.self``, and what it refers to by the member: ``member.owner``.
    """

    kind: str
    where: str
    """JMESPath over the pack's entity, with times counted from now; empty for every entity of the kind."""
    call: Call
    means: str
    lists: "Listing | None" = None
    """Of which entities the answer is a list."""


@dataclass(frozen=True, slots=True)
class Listing:
    """Which entities, of those that refer to the one looked at, an answer lists."""

    kind: str
    member: str
    """Member by which they refer to it."""
    where: str
    """JMESPath over the pack's entity, with times counted from now."""


@dataclass(frozen=True, slots=True)
class MemberTrait:
    """What the value of a member has to be like."""

    says: str
    schema: Mapping[str, Any]
    """JSON Schema of the value."""


@dataclass(frozen=True, slots=True)
class Trait:
    """What an entity has to be like beside its state, because requirements rely on it."""

    members: Mapping[str, MemberTrait] = field(default_factory=dict)
    """Member -> what a target file alone shows of it."""
    same: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Another handle -> members that have the values of its entity."""
    says: Sequence[str] = ()
    """What nothing shows, in words."""
    state: Mapping[str, Any] = field(default_factory=dict)
    """Members that conditions name and the pack's entity has not -> values."""
    free: Sequence[str] = ()
    """Members that conditions name and that may be anything here."""
    complete: bool = False
    """Whether a list of what refers to it has what the pack has and nothing else."""


NO_TRAIT = Trait()


@dataclass(frozen=True, slots=True)
class Companion:
    """How a companion operation brings an entity of a target into another state, and what takes that back.

    Requests name the entity as those of a verification do.
    """

    kind: str
    where: str
    """JMESPath over the pack's entity, with times counted from now: of this state it makes an entity."""
    of: str
    """The same of the state that it starts from."""
    call: Call
    back: Call
    read: Call
    before: Mapping[str, Any]
    """What the read gives of an entity in the state that it starts from."""
    after: Mapping[str, Any]
    """What the read gives of an entity in the state that it makes."""
    means: str


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
    probes: bool = False
    """Whether a faulty server would change data that a correct one leaves alone."""
    given: tuple[Call, ...] = ()
    """Reads that tell whether the data is as the calls need it."""
    spends: tuple[str, ...] = ()
    """Handles whose entities, taken together, can serve once only."""
    calls: tuple[Call, ...] = ()
    contract: Contract | None = None
    generated: Generated | None = None
    life_cycle: LifeCycle | None = None
    """Model of entities that sequences of requests are compared with."""
    excluded: str = ""
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict, repr=False)
    """Kind -> members that tell its entities apart."""
    pointer: str = field(default="", repr=False)

    @property
    def handles(self) -> set[str]:
        """Return the seeded entities that the requirement needs."""
        return set(self.needs)

    @cached_property
    def needs(self) -> Mapping[str, frozenset[str]]:
        """Return the seeded entities that the requirement needs, each with the members that it needs of them."""
        named: dict[str, set[str]] = {}
        for call in self._sent:
            for handle, member in members_in(call.request) | members_in(call.expect):
                named.setdefault(handle, set()).add(member)
            for handle in call.expect.get("shows", ()):
                named.setdefault(handle, set()).update(self.keys.get(handle.partition(".")[0], ()))
            credential = call.request.get("credential", "main")
            if credential != NO_CREDENTIAL:
                named.setdefault(f"credential.{credential}", set())
        if self.generated:
            named.setdefault("credential.main", set())
        for handle, member in self.life_cycle.needs() if self.life_cycle else ():
            named.setdefault(handle, set()).update({member} - {""})
        for ours in (UNKNOWN, NOW):
            named.pop(ours, None)
        return {handle: frozenset(members) for handle, members in named.items()}

    @property
    def _sent(self) -> "Iterator[Call]":
        """Yield every call that sends a request."""
        for call in (*self.given, *self.calls, *(self.generated.unchanged if self.generated else ())):
            yield from call.together or (call,)

    @property
    def is_concurrent(self) -> bool:
        """Tell whether requests are sent at once."""
        return any(call.together for call in self.calls)

    @property
    def shown(self) -> set[str]:
        """Return the seeded entities of which every member that is known is compared."""
        return {handle for call in self._sent for handle in call.expect.get("shows", ())}

    @property
    def needs_permission(self) -> bool:
        """Tell whether the requirement changes data, on a correct server or on a faulty one."""
        return self.writes or self.probes


@dataclass(frozen=True)
class Catalogue:
    """The requirements of one vendor."""

    vendor: str
    file: YamlFile
    lists: frozenset[str]
    aliases: Mapping[str, str]
    """Other name of a member that a reading allows -> the name used here."""
    requirements: tuple[Requirement, ...]
    conditions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Kind -> members of the pack's entities that say in which state an entity has to be."""
    samples: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    """Kind -> member of a condition -> `where` (JMESPath over a value: another will do) and `says` (in which words)."""
    verifications: tuple[Verification, ...] = ()
    depletions: tuple[Depletion, ...] = ()
    identities: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Kind -> every member by which one of its entities is known."""
    companions: tuple[Companion, ...] = ()
    traits: Mapping[str, Trait] = field(default_factory=dict)
    """Handle -> what its entity has to be like beside its state."""

    @property
    def checked(self) -> tuple[Requirement, ...]:
        """Return the requirements that are checked: all but the excluded."""
        return tuple(requirement for requirement in self.requirements if not requirement.excluded)


def catalogued() -> list[str]:
    """List the vendors that have a catalogue."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def load_catalogue(document: Document, folder: Path = FOLDER) -> Catalogue:
    """Read a vendor's catalogue.

    Raises:
        FaultyFile: an entry has not the right shape, quotes what no page says, or names what the document has not.
    """
    file = load(folder / f"{document.vendor}.yaml")
    if faults := problems_under(file, "", file.value, shape("catalogue")):
        raise FaultyFile(faults)
    _, kinds = load_kinds(document)
    keys = {name: _keys(kind) for name, kind in kinds.items()}
    requirements = tuple(
        _requirement(document, f"/requirements/{index}", raw, keys)
        for index, raw in enumerate(file.value["requirements"])
    )
    lists, aliases = frozenset(file.value.get("lists", ())), file.value.get("aliases", {})
    verifications = tuple(
        Verification(
            item["kind"],
            item.get("where", ""),
            _call(item["operation"], item),
            item["means"],
            Listing(**item["lists"]) if "lists" in item else None,
        )
        for item in file.value.get("verify", ())
    )
    catalogue = Catalogue(
        document.vendor,
        file,
        lists,
        aliases,
        requirements,
        file.value.get("conditions", {}),
        file.value.get("samples", {}),
        verifications,
        tuple(Depletion(**item) for item in file.value.get("used_up", ())),
        {name: _identities(kind) for name, kind in kinds.items()},
        tuple(_companion(item) for item in file.value.get("companions", ())),
        {handle: _trait(item) for handle, item in file.value.get("traits", {}).items()},
    )
    if faults := [*_faults(catalogue, document)]:
        raise FaultyFile(faults)
    return catalogue


def _keys(kind: Kind) -> list[str]:
    """Return the members that tell entities of a kind apart, for a client who sees those of one account only."""
    return [name for name in (kind.keys[0] if kind.keys else ()) if name not in kind.references]


def _identities(kind: Kind) -> list[str]:
    return sorted({name for keys in kind.keys for name in keys if name not in kind.references})


def _requirement(
    document: Document, pointer: str, raw: Mapping[str, Any], keys: Mapping[str, Sequence[str]]
) -> Requirement:
    operation = raw["operation"]
    generated = raw.get("generated")
    called = document.operations.get(operation)
    # Nobody knows beforehand what a faulty server makes of a request that is made up.
    risky = generated is not None and called is not None and called.method.upper() not in READING
    return Requirement(
        id=raw["id"],
        vendor=document.vendor,
        text=raw["text"],
        level=raw["level"],
        operation=operation,
        page=raw["source"]["page"],
        quote=raw["source"]["quote"],
        reading=raw.get("reading", ""),
        cites=tuple(raw.get("cites", ())),
        writes=raw.get("writes", False),
        probes=raw.get("probes", False) or risky,
        given=tuple(_call(operation, item) for item in raw.get("given", ())),
        spends=tuple(raw.get("spends", ())),
        calls=tuple(_call(operation, item) for item in raw.get("calls", ())),
        contract=Contract(**raw["contract"]) if "contract" in raw else None,
        generated=Generated(
            generated["requests"],
            generated["examples"],
            tuple(_call(operation, item) for item in generated.get("unchanged", ())),
        )
        if generated
        else None,
        life_cycle=life_cycle(raw["life_cycle"]) if "life_cycle" in raw else None,
        excluded=raw.get("excluded", ""),
        keys=keys,
        pointer=pointer,
    )


def _call(operation: str, raw: Mapping[str, Any]) -> Call:
    request = raw.get("request", {})
    default = "general" if "url" in request or "method" in request else operation
    return Call(
        raw.get("as", ""),
        raw.get("operation", default),
        request,
        raw.get("expect", {}),
        raw.get("times", 1),
        raw.get("when", {}),
        tuple(_call(operation, item) for item in raw.get("together", ())),
        raw.get("case", ""),
        raw.get("untestable", {}),
    )


def _companion(raw: Mapping[str, Any]) -> Companion:
    call, back, read = (_call(raw[name]["operation"], raw[name]) for name in ("call", "back", "read"))
    return Companion(raw["kind"], raw["where"], raw["of"], call, back, read, raw["before"], raw["after"], raw["means"])


def _trait(raw: Mapping[str, Any]) -> Trait:
    members = {name: MemberTrait(**item) for name, item in raw.get("members", {}).items()}
    return Trait(**{**raw, "members": members})


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
    for index, verification in enumerate(catalogue.verifications):
        yield from _call_faults(catalogue.file, f"/verify/{index}", verification.call, operations, set())
    yield from _companion_faults(catalogue, operations)
    yield from _trait_faults(catalogue)


def _trait_faults(catalogue: Catalogue) -> Iterator[Fault]:
    needs: dict[str, set[str]] = {}
    for requirement in catalogue.checked:
        for handle, members in requirement.needs.items():
            needs.setdefault(handle, set()).update(members)
    for handle, trait in catalogue.traits.items():
        place = f"/traits/{escape(handle)}"
        for other in (handle, *trait.same):
            if other not in needs:
                yield catalogue.file.fault(place, f"no requirement names {other}", "leave it out")
        for name in {*trait.members, *chain.from_iterable(trait.same.values())} - needs.get(handle, set()):
            yield catalogue.file.fault(place, f"no requirement needs the member {name!r} of it", "leave it out")


def _companion_faults(catalogue: Catalogue, operations: Mapping[str, Operation]) -> Iterator[Fault]:
    for index, companion in enumerate(catalogue.companions):
        place = f"/companions/{index}"
        for name, call in (("call", companion.call), ("back", companion.back), ("read", companion.read)):
            yield from _call_faults(catalogue.file, f"{place}/{name}", call, operations, set())
        for expect in (companion.before, companion.after):
            told = replace(companion.read, expect=expect)
            yield from _call_faults(catalogue.file, place, told, operations, set())
        if companion.call.operation in operations and not operations[companion.call.operation].companion:
            reason = f"{companion.call.operation} is no companion"
            yield catalogue.file.fault(f"{place}/call", reason, "name an operation with x-companion: true")


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
    for index, call in enumerate(requirement.given):
        yield from _call_faults(file, f"{requirement.pointer}/given/{index}", call, operations, set())
    for index, handle in enumerate(requirement.spends):
        if handle not in requirement.needs:
            reason = f"no call names {handle}"
            yield file.fault(f"{requirement.pointer}/spends/{index}", reason, f"use one of {sorted(requirement.needs)}")
    if requirement.life_cycle:
        yield from _life_cycle_faults(file, f"{requirement.pointer}/life_cycle", requirement.life_cycle, operations)
    names: set[str] = set()
    for index, call in enumerate(requirement.calls):
        yield from _call_faults(file, f"{requirement.pointer}/calls/{index}", call, operations, names)
        names.add(call.name)


def _life_cycle_faults(
    file: YamlFile, place: str, cycle: LifeCycle, operations: Mapping[str, Operation]
) -> Iterator[Fault]:
    for pointer, reason, fix in mistakes(cycle):
        yield file.fault(f"{place}/{pointer}", reason, fix)
    for part in ("rules", "reads"):
        for index, asked in enumerate(getattr(cycle, part)):
            for expect in filter(None, (asked.expect, getattr(asked, "nothing", {}))):
                call = Call("", asked.operation, asked.request, expect)
                yield from _call_faults(file, f"{place}/{part}/{index}", call, operations, set())


def _call_faults(
    file: YamlFile, place: str, call: Call, operations: Mapping[str, Operation], earlier: set[str]
) -> Iterator[Fault]:
    operation = operations.get(call.operation)
    if operation is None:
        yield file.fault(f"{place}/operation", f"no operation {call.operation!r}", f"use one of {[*operations]}")
        return
    yield from _form_faults(file, place, call, operations, earlier)
    for expect in (call.expect, *call.expect.get("any_of", ()), *call.when.values(), call.untestable):
        for name in expect.get("example", ()):
            if name not in operation.examples:
                reason = f"{call.operation} has no example {name!r}"
                yield file.fault(f"{place}/expect", reason, f"use one of {[*operation.examples]}")
        for name in _earlier(expect):
            if name not in earlier:
                yield file.fault(f"{place}/expect", f"no earlier call is named {name!r}", "name it with `as`")


def _form_faults(
    file: YamlFile, place: str, call: Call, operations: Mapping[str, Operation], earlier: set[str]
) -> Iterator[Fault]:
    """Yield what is wrong with likenesses, calls at once and conditions."""
    for likeness in dict.fromkeys(name for _, names in likenesses_in([call.request, call.expect]) for name in names):
        if likeness not in LIKENESSES:
            fix = f"use one of {[*LIKENESSES]}"
            yield file.fault(f"{place}/request", f"nothing can be made {likeness!r}", fix)
    for index, one in enumerate(call.together):
        yield from _call_faults(file, f"{place}/together/{index}", one, operations, earlier)
    for name in call.when:
        if name not in earlier:
            yield file.fault(f"{place}/when", f"no earlier call is named {name!r}", "name it with `as`")


def _earlier(expect: Mapping[str, Any]) -> Iterator[str]:
    """Yield the earlier calls that an expectation refers to."""
    if "same_as" in expect:
        yield expect["same_as"]
    if "added" in expect:
        yield expect["added"]["to"]
    if "among" in expect:
        yield expect["among"]["calls"]
    yield from (*expect.get("kept", {}).values(), *expect.get("alike", {}).values())
    yield from (change["since"] for change in expect.get("change", {}).values())
