"""Where a target file, or what a read shows, contradicts what an entity has to be.

What is not shown contradicts nothing, nor does what is only an example, nor a form of a value that is not understood.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import jsonschema
from couponspec import Entity, Pack

from couponcheck.catalogue import Catalogue, Listing, MemberTrait
from couponcheck.condition import conditioned, is_sample, listed, offset, ownership, trait_of, written
from couponcheck.expect import number, objects, same
from couponcheck.targetfile import DataSet, Members
from couponcheck.wording import as_text, counted

_LONGEST = 60
"""Characters of a value that is shown."""
_SLACK = 86_400
"""Seconds: a date may be without its time of day, and a clock may be that of another zone."""
_FIRST_SECOND = 1_000_000_000
"""Unix time from which on a number is taken for one: what is smaller may be a date in digits."""
_NOTHING: tuple[Any, ...] = (None, False, "", "0", [], {})
"""What a server may show where there is nothing."""


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One thing that is not as it has to be."""

    should: str
    """What has to be, as in: should have enabled: false."""
    is_so: str
    """What is, in a clause."""

    def __str__(self) -> str:
        """Say both in one sentence."""
        return f"should {self.should}; {self.is_so}"


def in_file(entity: Entity, members: Members, one: DataSet, catalogue: Catalogue) -> Iterator[Contradiction]:
    """Yield what contradicts in the target file itself; no request is needed for that.

    Args:
        entity: The pack's entity that another has to be like.
        members: What the file says of the other.
        one: The set of data that it stands in.
        catalogue: Says what it has to be like.
    """
    trait = trait_of(entity, catalogue)
    for name, member in trait.members.items():
        if name in members and not _fits(members[name], member):
            yield Contradiction(f"have {name}: {member.says}", f"the file has {as_text(members[name], _LONGEST)}")
    for handle, names in trait.same.items():
        for name in names:
            others = [item[name] for item in one.get(handle, ()) if name in item]
            if name in members and others and not any(same(other, members[name]) for other in others):
                told = " or ".join(as_text(other, _LONGEST) for other in others)
                should = f"have {name}: that of {handle} ({told})"
                yield Contradiction(should, f"the file has {as_text(members[name], _LONGEST)}")


def in_answer(
    entity: Entity, members: Members, pack: Pack, catalogue: Catalogue, body: Any, names: frozenset[str]
) -> Iterator[Contradiction]:
    """Yield what contradicts in the answer to a read, also where the target file does not say what it has to be.

    Args:
        entity: The pack's entity that another has to be like.
        members: What the file says of the other.
        pack: The mock's own world.
        catalogue: Says what it has to be like.
        body: The answer's body by the catalogue's names.
        names: Members that the answer may have; others mean nothing.
    """
    known = {name: members[name] for name in catalogue.identities.get(entity.kind, ()) if name in members}
    shown = [item for item in objects(body) if known and _is(item, known)]
    if len(shown) != 1:
        return
    references = pack.kinds[entity.kind].references
    for name, wanted in conditioned(entity, catalogue).items():
        compared = name in names and name in shown[0] and name not in references
        if compared and not is_sample(entity.kind, name, wanted, catalogue):
            got = shown[0][name]
            moment = offset(entity.kind, name, wanted, pack)
            timed = name in pack.kinds[entity.kind].moments
            differs = _differs_in_time(moment[1] if moment else "", got) if timed else _differs(wanted, got)
            if differs:
                says = {"+": "to come", "-": "past"}[moment[1]] if moment else written(wanted)
                yield Contradiction(f"have {name}: {says}", f"shown is {as_text(got, _LONGEST)}")


def in_list(
    entity: Entity, one: DataSet, listing: Listing, pack: Pack, catalogue: Catalogue, body: Any
) -> Iterator[Contradiction]:
    """Yield what contradicts in a list of what refers to an entity: something that must not be there.

    Args:
        entity: The pack's entity that another has to be like.
        one: The set of data that the other stands in.
        listing: Of which entities the answer is a list.
        pack: The mock's own world.
        catalogue: Says what it has to be like.
        body: The list; anything else shows nothing.
    """
    items = [item for item in body if isinstance(item, Mapping)] if isinstance(body, list) else []
    wanted = listed(entity, listing, pack)
    identities = catalogue.identities.get(listing.kind, ())
    if not wanted and items:
        should = f"be {ownership(entity, listing, pack, catalogue)}"
        yield Contradiction(should, f"its list has {_counted(items, identities)}")
    elif trait_of(entity, catalogue).complete and all(item.handle in one for item in wanted):
        given = [_known(members, identities) for item in wanted for members in one[item.handle]]
        if all(given) and (more := [item for item in items if not any(_is(item, known) for known in given)]):
            should = f"have in its list what is given as {wanted[0].handle} to {wanted[-1].handle}, and nothing else"
            yield Contradiction(should, f"its list has {_counted(more, identities)} besides")


def _known(members: Members, identities: Sequence[str]) -> dict[str, Any]:
    return {name: members[name] for name in identities if name in members}


def _is(item: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """Tell whether an object is the entity that is known by these members."""
    shared = [name for name in known if name in item]
    return bool(shared) and all(same(known[name], item[name]) for name in shared)


def _counted(items: Sequence[Mapping[str, Any]], identities: Sequence[str]) -> str:
    told = ", ".join(f"{name} {as_text(value, _LONGEST)}" for name, value in _known(items[0], identities).items())
    number_of = counted(len(items), "item")
    return f"{number_of}, such as {told}" if told else number_of


def _fits(value: Any, member: MemberTrait) -> bool:
    """Tell whether a value is as it has to be, as a number or as the digits of one."""
    forms = [value]
    if isinstance(value, int) and not isinstance(value, bool):
        forms.append(str(value))
    elif isinstance(value, str) and value.isascii() and value.isdecimal():
        forms.append(int(value))
    validator = jsonschema.Draft202012Validator(member.schema)
    return any(validator.is_valid(form) for form in forms)


def _differs(wanted: Any, got: Any) -> bool:
    if wanted == []:
        return isinstance(got, list | Mapping) and bool(got)
    if wanted is None:
        return got not in _NOTHING
    if got is None:
        return False
    # Another server may write true as 1 or as "Y".
    return wanted is not got if isinstance(wanted, bool) and isinstance(got, bool) else _is_other(wanted, got)


def _is_other(wanted: Any, got: Any) -> bool:
    return type(wanted) is type(got) and not isinstance(wanted, bool) and not same(wanted, got)


def _differs_in_time(sign: str, got: Any) -> bool:
    """Tell whether a time is surely not to come ("+"), not past ("-"), or there at all ("")."""
    seconds = _seconds(got)
    if seconds is None:
        return got is None and bool(sign)
    now = time.time()
    return not sign or (seconds < now - _SLACK if sign == "+" else seconds > now + _SLACK)


def _seconds(value: Any) -> float | None:
    """Return a time in Unix seconds; None if it is none that is understood."""
    found = number(value)
    if found is not None:
        return float(found) if found >= _FIRST_SECOND else None
    if isinstance(value, str):
        with suppress(ValueError, OverflowError):
            moment = datetime.fromisoformat(value)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return None
