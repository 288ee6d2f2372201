"""In which state an entity of a target has to be: as the one of its name in the mock's own world is."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import jmespath
from couponspec import Entity, Pack

from couponcheck.catalogue import NO_TRAIT, Catalogue, Listing, Trait, Verification
from couponcheck.targetfile import CREDENTIAL

_SECONDS = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}
_OFFSET = re.compile(r"([+-])(\d+)([smhdw])")


def owner_of(pack: Pack, entity: Entity) -> str | None:
    """Return the account, client or shop that an entity of a pack belongs to; None if it is not said."""
    principal = pack.kinds[CREDENTIAL].references.get("principal")
    members = [name for name, kind in pack.kinds[entity.kind].references.items() if kind == principal]
    return next((entity.data[name] for name in members if entity.data.get(name) is not None), None)


def credentials_of(pack: Pack, entity: Entity) -> list[str]:
    """Return the names of the credentials that see an entity, as far as the pack tells."""
    owner = owner_of(pack, entity)
    if owner is None:
        return []
    return [item.name for item in pack.entities if item.kind == CREDENTIAL and item.data["principal"] == owner]


def verification_of(entity: Entity, pack: Pack, catalogue: Catalogue) -> Verification | None:
    """Return how an entity of a target is looked at, which is the one of its name in the mock's own world.

    What it has to prove to be is the only wording for that: "accepted", "refused", "listed for its member".
    """
    rendered = pack.kinds[entity.kind].rendered(entity.data, 0)
    for verification in catalogue.verifications:
        fits = verification.kind == entity.kind
        if fits and (not verification.where or jmespath.search(verification.where, rendered) is True):
            return verification
    return None


def sentence(entity: Entity, pack: Pack, catalogue: Catalogue) -> str:
    """Say in words for people in which state an entity has to be."""
    owner = owner_of(pack, entity)
    # What may be an example comes last, so that nothing after it looks like one.
    traits = "; ".join(_traits(trait_of(entity, catalogue)))
    what = f"a {entity.kind}" + (f" of {owner}" if owner else "") + (f" ({traits})" if traits else "")
    said = [what, *_state(entity, pack, catalogue)]
    for kind, member in _owning(entity, pack, catalogue):
        said.append(f"{member} of {_owned(entity, kind, member, pack, catalogue)}")
    return ", ".join(said)


def state(entity: Entity, pack: Pack, catalogue: Catalogue, epoch: int) -> dict[str, Any]:
    """Return the members that say in which state an entity has to be.

    Args:
        entity: An entity of the pack.
        pack: The mock's own world.
        catalogue: Says which members those are.
        epoch: The moment that times count from, in Unix seconds.
    """
    known = {**sample(entity, pack, epoch), **trait_of(entity, catalogue).state}
    return {name: known[name] for name in conditioned(entity, catalogue)}


def trait_of(entity: Entity, catalogue: Catalogue) -> Trait:
    """Return what an entity has to be like beside its state."""
    return catalogue.traits.get(entity.handle, NO_TRAIT)


def conditioned(entity: Entity, catalogue: Catalogue) -> dict[str, Any]:
    """Return the members that say in which state an entity has to be, as the pack has them."""
    trait = trait_of(entity, catalogue)
    data = {**entity.data, **trait.state}
    names = catalogue.conditions.get(entity.kind, ())
    return {name: data[name] for name in names if name in data and name not in trait.free}


def is_sample(kind: str, name: str, value: Any, catalogue: Catalogue) -> bool:
    """Tell whether another value than that of the pack will do, or more of it."""
    sample = catalogue.samples.get(kind, {}).get(name)
    return sample is not None and jmespath.search(sample["where"], value) is True


def listed(entity: Entity, listing: Listing, pack: Pack) -> list[Entity]:
    """Return the pack's entities that a list of what refers to an entity has to show."""
    return [
        item
        for item in _referring(entity, listing.kind, listing.member, pack)
        if jmespath.search(listing.where, pack.kinds[item.kind].rendered(item.data, 0)) is True
    ]


def ownership(entity: Entity, listing: Listing, pack: Pack, catalogue: Catalogue) -> str:
    """Say of which entities another has to be the owner, without examples."""
    return f"{listing.member} of {_owned(entity, listing.kind, listing.member, pack, catalogue, example=False)}"


def owned(entity: Entity, pack: Pack, catalogue: Catalogue) -> list[dict[str, Any]]:
    """Return how many entities of a kind in which state refer to an entity; times are past or to come only."""
    found = []
    for kind, member in _owning(entity, pack, catalogue):
        states: dict[str, dict[str, Any]] = {}
        numbers: Counter[str] = Counter()
        for item in _referring(entity, kind, member, pack):
            rough = _rough(item, pack, catalogue)
            key = json.dumps(rough, sort_keys=True)
            states[key] = rough
            numbers[key] += 1
        found += [{"kind": kind, "as": member, "number": numbers[key], "state": rough} for key, rough in states.items()]
        if not states:
            found.append({"kind": kind, "as": member, "number": 0, "state": {}})
    return found


def sample(entity: Entity, pack: Pack, epoch: int) -> dict[str, Any]:
    """Return an entity of the mock's own world: times as Unix seconds, others by their handles, no account.

    Args:
        entity: The entity.
        pack: The world.
        epoch: The moment that times count from, in Unix seconds.
    """
    kind = pack.kinds[entity.kind]
    principal = pack.kinds[CREDENTIAL].references.get("principal")
    return {
        name: f"{kind.references[name]}.{value}" if name in kind.references and value is not None else value
        for name, value in kind.rendered(entity.data, epoch).items()
        if kind.references.get(name, "") != principal
    }


def written(value: Any) -> str:
    """Write a value for people."""
    if isinstance(value, list):
        return ", ".join(map(written, value)) or "none"
    return value if isinstance(value, str) else "none" if value is None else json.dumps(value)


def _owning(entity: Entity, pack: Pack, catalogue: Catalogue) -> Iterator[tuple[str, str]]:
    """Yield the kinds whose entities have a state and may refer to an entity, each with the member that does."""
    for kind in catalogue.conditions:
        for member, referred in pack.kinds[kind].references.items():
            if referred == entity.kind:
                yield kind, member


def _referring(entity: Entity, kind: str, member: str, pack: Pack) -> Iterator[Entity]:
    for item in pack.entities:
        if item.kind == kind and item.data.get(member) == entity.name and not item.answers:
            yield item


def _state(entity: Entity, pack: Pack, catalogue: Catalogue, *, roughly: bool = False) -> list[str]:
    kind = pack.kinds[entity.kind]
    said = []
    for name, value in conditioned(entity, catalogue).items():
        if roughly and name in kind.references:
            continue
        moment = offset(entity.kind, name, value, pack)
        reference = f"{kind.references[name]}.{value}" if name in kind.references else ""
        plain = _moment(moment, roughly=roughly) if moment else _value(entity.kind, name, value, catalogue)
        said.append(f"{name}: {reference or plain}")
    return said


def _value(kind: str, name: str, value: Any, catalogue: Catalogue) -> str:
    """Write a value, and say so where another will do."""
    if is_sample(kind, name, value, catalogue):
        return catalogue.samples[kind][name]["says"].format(value=written(value))
    return written(value)


def _traits(trait: Trait) -> Iterator[str]:
    for name, member in trait.members.items():
        yield f"{name}: {member.says}"
    for handle, names in trait.same.items():
        yield f"{' and '.join(names)}: {'that' if len(names) == 1 else 'those'} of {handle}"
    yield from trait.says


def _rough(entity: Entity, pack: Pack, catalogue: Catalogue) -> dict[str, Any]:
    rough = {}
    for name, value in conditioned(entity, catalogue).items():
        if name not in pack.kinds[entity.kind].references:
            moment = offset(entity.kind, name, value, pack)
            rough[name] = _moment(moment, roughly=True) if moment else value
    return rough


def offset(kind: str, name: str, value: Any, pack: Pack) -> re.Match[str] | None:
    """Return a value as sign, number and unit if it is a time that counts from now."""
    timed = isinstance(value, str) and name in pack.kinds[kind].moments
    return _OFFSET.fullmatch(value) if timed else None


def _owned(entity: Entity, kind: str, member: str, pack: Pack, catalogue: Catalogue, *, example: bool = True) -> str:
    """Say what entities of a kind refer to an entity; a state is often that of what somebody owns."""
    states = Counter(
        ", ".join(_state(item, pack, catalogue, roughly=True)) for item in _referring(entity, kind, member, pack)
    )
    if len(states) == 1:
        ((each, number),) = states.items()
        return f"{kind}s, all of them ({each})" + (f", such as {number}" if example else "")
    said = [f"{number} ({each})" for each, number in states.items()]
    return f"{kind}s, such as {', '.join(said)}" if said else f"no {kind}"


def _moment(offset: re.Match[str], *, roughly: bool) -> str:
    sign, number, unit = offset.groups()
    rough = "to come" if sign == "+" else "past"
    if roughly:
        return rough
    span = f"{number} {_SECONDS[unit]}{'' if number == '1' else 's'}"
    return f"{rough}, such as {f'in {span}' if sign == '+' else f'{span} ago'}"
