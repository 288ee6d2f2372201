"""A life cycle as data: what can be asked of which entities in which state, what comes of it, and what a read shows.

The vendor's states, statuses and examples stand in the catalogue. `couponcheck.machine` walks through it.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jmespath
from couponspec.request import NO_CREDENTIAL, fill, members_in

SELF = "self"
"""Name, behind a kind, of the entity that a request is about: ``coupon.self``."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number that answers show."""

    path: str
    """JMESPath over the answer."""
    moves: tuple[Mapping[str, int], ...]
    """The meanings that it can have, each a count and the factor that it moves with."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that can be asked, where it holds."""

    text: str
    operation: str
    request: Mapping[str, Any]
    where: str
    """JMESPath over the model of the entities that the request names; empty for always."""
    expect: Mapping[str, Any]
    becomes: Mapping[str, Mapping[str, Any]]
    """Kind -> members of the model's entity that have other values from then on."""
    counts: Mapping[str, int]
    """Count -> by how much it grows."""
    follows: Mapping[str, "Number"]
    """Name -> a number of the answer that moves with a count; rules that use a name speak of the same number."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of which the request names an entity."""
        return kinds_in(self.request)

    @property
    def is_change(self) -> bool:
        """Tell whether the model changes."""
        return bool(self.becomes or self.counts)


@dataclass(frozen=True, slots=True)
class Read:
    """A list that shows entities, and which of them."""

    operation: str
    request: Mapping[str, Any]
    expect: Mapping[str, Any]
    nothing: Mapping[str, Any]
    """Expectation that tells an answer that stands for an empty list; empty if there is none such."""
    lists: str
    """Kind of the entities listed."""
    item: Mapping[str, Any]
    """Members by which an item is known to be an entity."""
    of: str
    """JMESPath: whether an entity belongs to the list, in whichever state."""
    where: str
    """JMESPath: whether one that belongs is shown."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the kinds of which the request names an entity."""
        return kinds_in(self.request)


@dataclass(frozen=True, slots=True)
class LifeCycle:
    """Rules and reads over a model of entities."""

    sequences: int
    """How many sequences are walked where the data is restored between them; elsewhere it is one."""
    steps: int
    """Steps of a sequence, each one request by a rule and the reads that it concerns."""
    entities: Mapping[str, Mapping[str, Any]]
    """Handle -> what the model knows of the entity in the beginning."""
    counted: Mapping[str, tuple[str, ...]]
    """Count -> kinds of the entities that have one together."""
    rules: tuple[Rule, ...]
    reads: tuple[Read, ...]

    def of_kind(self, kind: str) -> list[str]:
        """Return the handles of a kind's entities."""
        return [handle for handle in self.entities if handle.partition(".")[0] == kind]

    def needs(self) -> Iterator[tuple[str, str]]:
        """Yield handle and member of everything that is sent or compared; a credential's member is empty."""
        asking: tuple[Rule | Read, ...] = (*self.rules, *self.reads)
        for asked in asking:
            named = members_in([asked.request, asked.expect, getattr(asked, "item", None)])
            for handle, member in named:
                kind, _, name = handle.partition(".")
                if name != SELF:
                    yield handle, member
                    continue
                for entity in self.of_kind(kind):
                    if member not in self.entities[entity]:
                        yield entity, member
            for credential in self._credentials(asked):
                if credential != NO_CREDENTIAL:
                    yield f"credential.{credential}", ""

    def _credentials(self, asked: Rule | Read) -> set[str]:
        written = asked.request.get("credential", "main")
        kinds = kinds_in(written)
        if not kinds:
            return {written}
        return {
            fill(written, {f"{kind}.{SELF}": self.entities[handle]}) for kind in kinds for handle in self.of_kind(kind)
        }


def kinds_in(value: Any) -> tuple[str, ...]:
    """Return the kinds of which a piece of request data names the entity that it is about."""
    handles = {handle for handle, _ in members_in(value)}
    return tuple(sorted(kind for kind, _, name in (handle.partition(".") for handle in handles) if name == SELF))


def life_cycle(raw: Mapping[str, Any]) -> LifeCycle:
    """Read a life cycle as its schema has it."""
    return LifeCycle(
        raw["sequences"],
        raw["steps"],
        raw["entities"],
        {name: tuple(kinds) for name, kinds in raw.get("counted", {}).items()},
        tuple(
            Rule(
                item["text"],
                item["operation"],
                item["request"],
                item.get("where", ""),
                item["expect"],
                item.get("becomes", {}),
                item.get("counts", {}),
                {name: Number(one["path"], tuple(one["moves"])) for name, one in item.get("follows", {}).items()},
            )
            for item in raw["rules"]
        ),
        tuple(
            Read(
                item["operation"],
                item["request"],
                item["expect"],
                item.get("nothing", {}),
                item["lists"],
                item["item"],
                item["of"],
                item["where"],
            )
            for item in raw.get("reads", ())
        ),
    )


def mistakes(cycle: LifeCycle) -> Iterator[tuple[str, str, str]]:
    """Yield what in a life cycle names nothing: where it stands, the reason, the way out."""
    kinds = sorted({handle.partition(".")[0] for handle in cycle.entities})
    for name, keys in cycle.counted.items():
        for kind in {*keys} - {*kinds}:
            yield f"counted/{name}", f"no entity is a {kind!r}", f"use some of {kinds}"
    texts = [rule.text for rule in cycle.rules]
    for index, rule in enumerate(cycle.rules):
        if rule.text in texts[:index]:
            yield f"rules/{index}/text", "another rule has the same text", "tell them apart"
        yield from _about(f"rules/{index}", rule, kinds, rule.where, *(one.path for one in rule.follows.values()))
        yield from _counting(f"rules/{index}", rule, cycle)
        for kind in {*rule.becomes} - {*rule.kinds}:
            yield f"rules/{index}/becomes", f"the request names no {kind}.{SELF}", f"use some of {[*rule.kinds]}"
    for index, read in enumerate(cycle.reads):
        yield from _about(f"reads/{index}", read, kinds, read.of, read.where)
        if read.lists not in kinds:
            yield f"reads/{index}/lists", f"no entity is a {read.lists!r}", f"use one of {kinds}"


def _about(place: str, asked: Rule | Read, kinds: list[str], *expressions: str) -> Iterator[tuple[str, str, str]]:
    for kind in asked.kinds:
        if kind not in kinds:
            yield f"{place}/request", f"no entity is a {kind!r}", f"use some of {kinds}"
    for expression in filter(None, expressions):
        try:
            jmespath.compile(expression)
        except jmespath.exceptions.JMESPathError as error:
            yield place, f"{expression!r} is no JMESPath expression: {str(error).splitlines()[0]}", "correct it"


def _counting(place: str, rule: Rule, cycle: LifeCycle) -> Iterator[tuple[str, str, str]]:
    moving = {name for number in rule.follows.values() for meaning in number.moves for name in meaning}
    for name in sorted({*rule.counts} | moving):
        if name not in cycle.counted:
            yield f"{place}", f"nothing is counted as {name!r}", f"use some of {[*cycle.counted]}"
        elif not {*cycle.counted[name]} <= {*rule.kinds}:
            yield f"{place}/request", f"it names not all that {name!r} counts", f"name {[*cycle.counted[name]]}"


def explained(cycle: LifeCycle) -> list[str]:
    """Tell in lines what the model knows in the beginning, what can happen, and what is looked at."""
    lines = [
        f"Checked by {cycle.sequences} made-up sequences of {cycle.steps} steps; by one if nothing restores the data.",
        "Operations that only complete a life cycle take part where the target allows them.",
        "In the beginning:",
    ]
    for handle, members in cycle.entities.items():
        lines.append(f"  {handle}: {', '.join(f'{name} {_written(value)}' for name, value in members.items())}")
    lines.append("A step is one of:")
    for rule in cycle.rules:
        where = f" where {rule.where}" if rule.where else ""
        lines += [f"  {rule.text}", f"     {rule.operation} {_written(rule.request)}{where}"]
        lines.append(f"     expects {_written(rule.expect)}")
        if rule.becomes:
            lines.append(f"     makes it {_written(rule.becomes)}")
        for name, by in rule.counts.items():
            lines.append(f"     counts {by:+d} {name} for each {' and '.join(cycle.counted[name])}")
        for number in rule.follows.values():
            moves = " or ".join(f"{name} times {factor}" for move in number.moves for name, factor in move.items())
            lines.append(f"     {number.path} moves with {moves}")
    for read in cycle.reads:
        lines += [
            "Before and after a sequence, and after each step that concerns it:",
            f"  {read.operation} {_written(read.request)}",
            f"     lists, of each {read.lists} where {read.of}, those where {read.where}; all else stays as it was",
        ]
    return lines


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
