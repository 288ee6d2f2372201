"""The target file that `couponcheck init` prints: everything that can be said, and what each has to be."""

from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from textwrap import wrap

from couponspec import Document, Entity, Pack

from couponcheck.catalogue import Catalogue, Requirement
from couponcheck.companion import names
from couponcheck.condition import sentence, verification_of, written
from couponcheck.contract import operation_of
from couponcheck.targetfile import CREDENTIAL, MAIN, REPLACE, is_data, is_wrong, known, schemes

_PLACE = "# (base_url)"
"""Line of the head that says what base_url is for these vendors."""
_HEAD = f"""\
# What couponcheck has to know of a server that is not our mock. Replace every {REPLACE} by what your server has, or
# leave the line out: `couponcheck doctor FILE` says what that costs. The JSON Schema: `couponcheck schema target`.
# "It has to be" begins a condition, and so does the comment behind a line: only such an entity can serve. "Such as"
# begins an example from our mock's world: another value will do. How variables are called is for you to choose.
version: 1
{_PLACE}
base_url: https://{REPLACE}
# Say true where writes must not happen by mistake: --allow-writes then takes --production HOST as well.
production: false
# Sent with every request. Here, in base_url, in proxy and in credentials $NAME, or "${{NAME}}", stands for the
# environment variable NAME.
# headers: {{X-Environment: sandbox}}
# proxy: http://proxy.example.com:3128
# ca_file: authority.pem
# Requests are sent one after the other. Seconds, numbers and bytes; these are the defaults, without the last two.
# limits: {{timeout: 10, deadline: 60, body: 10000000, requests: 2000, per_second: 20}}
# Where a read may show an old state for some seconds after a write:
# consistency: {{kind: eventual, within: 10, every: 1}}
# A program or a server of yours that makes the data below when it is needed, with --allow-writes (docs/providers.md):
# provider: {{command: [python3, provider.py], environment: {{ADMIN_TOKEN: $ADMIN_TOKEN}}, timeout: 30}}
# provider: {{url: http://127.0.0.1:9000/provider, headers: {{Authorization: $PROVIDER_TOKEN}}, timeout: 30}}
vendors:
"""
_COMPANIONS = """\
    # Whether {names} may be called, with --allow-writes: then a coupon is used when that is needed, what a requirement
    # unused is used again, and one coupon serves many requirements.
    # companions: true
"""
_SETS = """\
    # Several sets may be given as a list, each complete in itself: a requirement takes the first that has all it needs.
    # Where one of several entities can serve, give a list of them: [{code: A}, {code: B}].
"""
_UNSUPPORTED = """\
    # What your server is not meant to do; * stands for any part of an id.
    # unsupported: [{{requirement: {example}, reason: Why not}}]
"""
_WIDTH = 118


def started(vendors: Sequence[str]) -> str:
    """Return a target file for these vendors, to be filled in."""
    paths = " or ".join(next(iter(known(vendor)[0].operations.values())).path for vendor in vendors)
    place = f"Where the vendor's paths begin, or $NAME: with a path of your own before them, and without {paths}."
    head = _HEAD.replace(_PLACE, "\n".join(_comment(place, indent=0)))
    return head + "".join(line + "\n" for vendor in vendors for line in _vendor(vendor))


def _vendor(vendor: str) -> Iterator[str]:
    document, catalogue, pack = known(vendor)
    needed: dict[str, list[Requirement]] = {}
    for requirement in catalogue.checked:
        for handle in requirement.needs:
            needed.setdefault(handle, []).append(requirement)
    entities = pack.by_handle
    order = [handle for handle in entities if handle in needed]
    yield f"  {vendor}:"
    yield from _comment(_principals([entities[handle] for handle in order if not is_data(handle)], pack), indent=4)
    yield "    credentials:"
    for handle in order:
        if not is_data(handle):
            yield from _comment(_needed_by(needed[handle]), _of_credential(entities[handle], pack, catalogue))
            yield f"      {handle.partition('.')[2]}: {_credential(entities[handle], document, pack)}"
    if catalogue.companions:
        yield from _COMPANIONS.format(names=names(catalogue.companions)).splitlines()
    yield from _SETS.splitlines()
    yield "    data:"
    data = [*filter(is_data, order)]
    if not data:
        yield "      {}"
    for requirements, handles in groupby(data, lambda handle: needed[handle]):
        group = [*handles]
        conditions = [sentence(entities[handle], pack, catalogue) for handle in group]
        yield from _comment(
            _needed_by(requirements),
            f"It has to be {conditions[0]}." if len(group) == 1 else "",
            _comparable(group, requirements, document, pack),
        )
        for handle, condition in zip(group, conditions, strict=True):
            members = sorted({name for requirement in requirements for name in requirement.needs[handle]})
            line = f"      {handle}: {{{', '.join(f'{name}: {REPLACE}' for name in members)}}}"
            yield line if len(group) == 1 else f"{line}  # {condition}"
    yield from _UNSUPPORTED.format(example=catalogue.checked[0].id).splitlines()


def _comment(*texts: str, indent: int = 6) -> Iterator[str]:
    for text in filter(None, texts):
        begin = " " * indent + "# "
        yield from wrap(text, _WIDTH, initial_indent=begin, subsequent_indent=f"{begin}  ")


def _principals(credentials: Sequence[Entity], pack: Pack) -> str:
    """Say whom of the operator's own the accounts, clients or shops of the mock's world stand for."""
    names: dict[str, list[str]] = {}
    for entity in credentials:
        if not is_wrong(pack, entity.name):
            names.setdefault(entity.data["principal"], []).append(entity.name)
    kind = pack.kinds[CREDENTIAL].references["principal"]
    said = [f"{name} (that of {', '.join(of)})" for name, of in names.items()]
    article = "an" if kind[0] in "aeiou" else "a"
    return f"These names stand for {article} {kind} of yours: {', '.join(said)}." if said else ""


def _needed_by(requirements: Sequence[Requirement]) -> str:
    first = requirements[0]
    by = first.id if len(requirements) == 1 else f"{len(requirements)} requirements, such as {first.id}"
    is_a_must = any(requirement.level == "must" for requirement in requirements)
    spared = "" if is_a_must else " (No must needs it: what a server does not offer may be declared unsupported.)"
    return f"Needed by {by}: {first.text}{spared}"


def _of_credential(entity: Entity, pack: Pack, catalogue: Catalogue) -> str:
    """Say what a credential has to be, in the words of `couponcheck doctor`."""
    verification = verification_of(entity, pack, catalogue)
    means = verification.means if verification else "as follows"
    if is_wrong(pack, entity.name):
        return f"It has to be {means}: it is nobody's, so it may stand here as it is, or as another of your choice."
    said = [f"It has to be {means}: a credential of {entity.data['principal']}"]
    main = pack.by_handle[MAIN].data
    for name, value in entity.data.items():
        if isinstance(value, list):
            lacking = [item for item in main.get(name, ()) if item not in value]
            said.append(f"{name}: {f'without {written(lacking)}' if lacking else f'such as {written(value)}'}")
    return ", ".join(said) + "."


def _credential(entity: Entity, document: Document, pack: Pack) -> str:
    scheme = entity.data["scheme"]
    basic = schemes(document)[scheme].kind == "basic"
    parts = {name: _part(entity, name, pack) for name in (("user", "password") if basic else ("secret",))}
    return f"{{scheme: {scheme}, {', '.join(f'{name}: {part}' for name, part in parts.items())}}}"


def _part(entity: Entity, name: str, pack: Pack) -> str:
    """Write a part of a credential: what is right by a variable, what is wrong as it is."""
    if not is_wrong(pack, entity.name):
        return f"${pack.vendor}_{entity.name}_{name}".upper()
    user = entity.data["secret"].partition(":")[0]
    for other in pack.entities:
        right = other.kind == CREDENTIAL and not is_wrong(pack, other.name)
        if name == "user" and right and other.data["secret"].partition(":")[0] == user:
            return _part(other, name, pack)
    return f"{entity.name}-{name}"


def _comparable(handles: Sequence[str], requirements: Sequence[Requirement], document: Document, pack: Pack) -> str:
    """Name the members of entities that an answer shows and that nothing needs."""
    shown: dict[str, None] = {}
    for requirement in requirements:
        needed = {name for handle in handles for name in requirement.needs[handle]}
        names = {*chain.from_iterable(operation_of(document, requirement.operation).members.values())}
        for handle in requirement.shown & {*handles}:
            entity = pack.by_handle[handle]
            shown |= {name: None for name in entity.data if name in names and name not in needed}
    return f"Also compared where it is shown, if you give it: {', '.join(shown)}." if shown else ""
