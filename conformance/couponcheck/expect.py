"""What a requirement expects of an answer, compared with the answer.

Members are named by JMESPath expressions. Lists are compared without regard to their order, and a number is equal to
itself written as a float or in digits: a correct server is free in all of that.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import chain
from typing import Any
from urllib.parse import unquote

import jmespath
from couponspec.document import Document
from couponspec.request import Bindings, fill

from couponcheck.contract import operation_of
from couponcheck.exchange import Exchange
from couponcheck.wording import as_text, cut, texts

_SHORT = 160
"""Characters of one that only tells which item is meant."""
_BY_PLACE = re.compile(r".*\[[0-9]+\](?=\.)")
"""Expression for an item by its place, before one for a member of it."""
_PLACES = {"@": "the body", "length(@)": "the number of items"}
"""Expression -> what it is called."""
_LENGTH = re.compile(r"length\(([\w.\[\]]+)(?: \|\| `\[\]`)?\)")
"""Expression for the length of a list that may be missing or null."""
_ITEM = re.compile(r"\w*\[\?(\w+)=='([^']*)'\](?:\.(\w+))?(?: \| \[0\])?")
"""Expression for the items that are known by a member, or another member of the one that is."""
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(?P<zone>Z|[+-][0-9]{2}:[0-9]{2})?"
)
_DIGITS = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_WORDS = {
    "added",
    "alike",
    "among",
    "at_least",
    "change",
    "contains",
    "contains_each",
    "equal",
    "exactly",
    "example",
    "kept",
    "lacks",
    "lacks_each",
    "same_as",
    "shows",
    "status",
    "unequal",
}
"""Words of an expectation, each a method of `Judgement`; the catalogue's schema says what they mean."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One thing that is not as expected."""

    expected: str
    got: str
    word: str = field(default="", compare=False)
    """Word of the expectation that does not hold."""
    call: int = field(default=0, compare=False)
    """Number of the exchange that it is about; 0 for the last."""
    again: str = field(default="", compare=False)
    """What came when the same was asked again, if that was another time as expected."""
    before: tuple[tuple[int, str], ...] = field(default=(), compare=False)
    """Numbers of exchanges before it -> what the same value was there."""

    def __str__(self) -> str:
        """Say it in one sentence."""
        return f"expected {self.expected}; got {self.got}"


def same(expected: Any, got: Any) -> bool:
    """Tell whether two JSON values mean the same."""
    if isinstance(expected, bool) or isinstance(got, bool) or expected is None or got is None:
        return expected is got
    if isinstance(expected, dict) and isinstance(got, dict):
        return expected.keys() == got.keys() and all(same(expected[key], got[key]) for key in expected)
    if isinstance(expected, list) and isinstance(got, list):
        return not minus(expected, got) and not minus(got, expected)
    if isinstance(expected, str) and isinstance(got, str):
        return expected == got
    one, other = number(expected), number(got)
    if one is None or other is None:
        return bool(expected == got)
    # A float has been rounded by whoever read it, so nothing more exact can be asked of its pair.
    return float(one) == float(other) if isinstance(expected, float) or isinstance(got, float) else one == other


def number(value: Any) -> Decimal | None:
    """Return the number that a JSON value is, or that its digits say; None if it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float) or (isinstance(value, str) and _DIGITS.fullmatch(value)):
        return Decimal(str(value)) if isinstance(value, float) else Decimal(value)
    return None


def step(before: Any, after: Any) -> Decimal | None:
    """Return by how much a number has grown; None if either is none."""
    one, other = number(before), number(after)
    return None if one is None or other is None else other - one


def minus(left: list[Any], right: list[Any]) -> list[Any]:
    """Return the items of the left list that the right one lacks, counting repetitions."""
    rest = list(right)
    missing = []
    for item in left:
        index = next((i for i, other in enumerate(rest) if same(item, other)), None)
        if index is None:
            missing.append(item)
        else:
            del rest[index]
    return missing


def includes(got: Any, wanted: Any) -> bool:
    """Tell whether a value has at least the wanted members."""
    if isinstance(wanted, Mapping):
        return isinstance(got, Mapping) and all(name in got and same(wanted[name], got[name]) for name in wanted)
    return same(wanted, got)


def _unsaid(value: Any, exchange: Exchange) -> Any:
    """Leave out of every text in a value what its request had said."""
    if isinstance(value, str):
        said = [unquote(exchange.request.target.partition("?")[0]).rpartition("/")[2], *texts(exchange.request.said)]
        for text in filter(None, said):
            value = value.replace(text, "...")
        return value
    if isinstance(value, Mapping):
        return {name: _unsaid(item, exchange) for name, item in value.items()}
    return [_unsaid(item, exchange) for item in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Judgement:
    """An answer, what came before it, and how to look at both."""

    document: Document
    bindings: Bindings
    lists: frozenset[str]
    aliases: Mapping[str, str]
    earlier: Mapping[str, Exchange]
    at_once: Mapping[str, tuple[Exchange, ...]] = field(default_factory=dict)
    """Name of calls that were made at once -> their answers."""
    so_far: Sequence[Exchange] = ()
    """All answers in their order, by whose number earlier calls are called in what is said."""
    identities: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Kind -> members by which its entities are known."""

    def view(self, exchange: Exchange) -> Any:
        """Return the answer's body by the catalogue's names; a list that stands under one key is bared of it."""
        body = _renamed(exchange.body, self.aliases)
        if exchange.operation in self.lists and isinstance(body, dict):
            lists = [value for value in body.values() if isinstance(value, list)]
            return lists[0] if len(lists) == 1 else body
        return body

    def mismatches(self, expect: Mapping[str, Any], exchange: Exchange) -> Iterator[Mismatch]:
        """Yield all that is not as expected."""
        if "any_of" in expect:
            yield from self._alternatives(expect["any_of"], exchange)
        for word, wanted in expect.items():
            if word in _WORDS:
                for mismatch in getattr(self, f"_{word}")(wanted, exchange):
                    if exchange.content and exchange.parsed[1] and word != "status":
                        # Of what cannot be read no member is as expected, which says nothing about the members.
                        yield Mismatch("a body that is JSON", exchange.parsed[1], word)
                        return
                    yield replace(mismatch, word=word)

    def _alternatives(self, alternatives: list[Mapping[str, Any]], exchange: Exchange) -> Iterator[Mismatch]:
        failures = [[*self.mismatches(alternative, exchange)] for alternative in alternatives]
        if all(failures):
            expected = ", or ".join(" and ".join(m.expected for m in mismatches) for mismatches in failures)
            # The one that fits best, and of those that fit alike one whose status at least is right.
            nearest = min(failures, key=lambda mismatches: (mismatches[0].word == "status", len(mismatches)))[0]
            yield replace(nearest, expected=expected, word="any_of")

    def _status(self, wanted: list[int | str], exchange: Exchange) -> Iterator[Mismatch]:
        if not any(exchange.status == one or f"{exchange.status // 100}xx" == one for one in wanted):
            yield Mismatch(f"status {' or '.join(map(str, wanted))}", f"status {exchange.status}: {_body(exchange)}")

    def _example(self, wanted: list[str], exchange: Exchange) -> Iterator[Mismatch]:
        pointer = (self.document.identifier or "").removeprefix("/")
        examples = operation_of(self.document, exchange.operation).examples
        identifiers = sorted({str(examples[name].value[pointer]) for name in wanted})
        body = exchange.body
        got = body.get(pointer) if isinstance(body, dict) else None
        if str(got) not in identifiers:
            told = got if isinstance(got, str) else as_text(got)
            yield Mismatch(f"{pointer} is {' or '.join(identifiers)}", f"{pointer} is {told}: {_body(exchange)}")

    def _each(
        self, wanted: Mapping[str, Any], exchange: Exchange, word: str, holds: Callable[[Any, Any], bool]
    ) -> Iterator[Mismatch]:
        for path, template in wanted.items():
            value = fill(template, self.bindings)
            got = self._at(path, exchange)
            if not holds(got, value):
                place = self._place(path)
                found = "missing or null" if got is None else as_text(got)
                told = f"{place} is {found}"
                if word == "contains":
                    lacking = f"{place} has no {as_text(value)}: {found}"
                    told = _nearest(got, value, place) or (lacking if isinstance(got, list) else told)
                elif word == "does not contain":
                    told = f"{place} contains {as_text(value)}"
                elif word == "has exactly" and isinstance(got, list) and isinstance(value, list):
                    told = f"{place} {_instead(value, got)}"
                yield Mismatch(f"{place} {word} {as_text(value)}", told, before=self.before(path, exchange))

    def _call(self, name: str) -> str:
        """Name an earlier call by the number that reports give it."""
        calls = self.at_once.get(name) or (self.earlier[name],)
        numbers = [number for number, one in enumerate(self.so_far, 1) if any(one is call for call in calls)]
        if not numbers:
            return repr(name)
        return f"call {numbers[0]}" if len(numbers) == 1 else f"calls {numbers[0]} to {numbers[-1]}"

    def _place(self, path: str) -> str:
        """Name an expression as a reader knows what it stands for."""
        path = fill(path, self.bindings)
        if items := _LENGTH.fullmatch(path):
            return f"the number of items in {items[1]}"
        if item := _ITEM.fullmatch(path):
            return f"{f'{item[3]} of the item' if item[3] else 'the items'} with {item[1]} {item[2]}"
        return _PLACES.get(path, path)

    def _at(self, path: str, exchange: Exchange) -> Any:
        try:
            return jmespath.search(fill(path, self.bindings), self.view(exchange))
        except jmespath.exceptions.JMESPathError:
            return None

    def _equal(self, wanted: Mapping[str, Any], exchange: Exchange) -> Iterator[Mismatch]:
        return self._each(wanted, exchange, "is", lambda got, value: same(value, got))

    def _unequal(self, wanted: Mapping[str, Any], exchange: Exchange) -> Iterator[Mismatch]:
        return self._each(wanted, exchange, "is not", lambda got, value: not same(value, got))

    def _contains(self, wanted: Mapping[str, Any], exchange: Exchange) -> Iterator[Mismatch]:
        return self._each(
            wanted,
            exchange,
            "contains",
            lambda got, value: isinstance(got, list) and any(includes(item, value) for item in got),
        )

    def _lacks(self, wanted: Mapping[str, Any], exchange: Exchange) -> Iterator[Mismatch]:
        return self._each(
            wanted,
            exchange,
            "does not contain",
            lambda got, value: not (isinstance(got, list) and any(includes(item, value) for item in got)),
        )

    def _contains_each(self, wanted: Mapping[str, list[Any]], exchange: Exchange) -> Iterator[Mismatch]:
        return chain.from_iterable(self._contains(single, exchange) for single in _singles(wanted))

    def _lacks_each(self, wanted: Mapping[str, list[Any]], exchange: Exchange) -> Iterator[Mismatch]:
        return chain.from_iterable(self._lacks(single, exchange) for single in _singles(wanted))

    def _exactly(self, wanted: Mapping[str, Any], exchange: Exchange) -> Iterator[Mismatch]:
        return self._each(
            wanted, exchange, "has exactly", lambda got, value: isinstance(got, list) and same(value, got)
        )

    def _at_least(self, wanted: Mapping[str, Any], exchange: Exchange) -> Iterator[Mismatch]:
        return self._each(
            wanted, exchange, "is at least", lambda got, value: (by := step(value, got)) is not None and by >= 0
        )

    def _shows(self, wanted: list[str], exchange: Exchange) -> Iterator[Mismatch]:
        """Every member of a seeded entity that is shown must have its value; the schema says which must be shown."""
        items = objects(self.view(exchange))
        names = operation_of(self.document, exchange.operation).members_at(exchange.status)
        for handle in wanted:
            known = self.bindings[handle]
            entity = {name: value for name, value in known.items() if name in names} or dict(known)
            nearest = max(
                items, key=lambda item: sum(same(value, item.get(n)) for n, value in entity.items()), default={}
            )
            shown = {name: value for name, value in entity.items() if name in nearest}
            differing = [name for name, value in shown.items() if not _alike(value, nearest[name])]
            if differing or not shown:
                expected = ", ".join(f"{name}={as_text(entity[name])}" for name in differing or entity)
                got = ", ".join(f"{name}={as_text(nearest[name])}" for name in differing)
                what = self.entity(handle)
                identity = [name for name in self.identities.get(handle.partition(".")[0], ()) if name in shown]
                if identity and not {*identity} & {*differing}:
                    told = f"{what} has {got}"
                elif shown and 2 * len(differing) <= len(shown):
                    told = f"{what} is not shown; what comes nearest has {got}"
                else:
                    told = f"{what} is not shown"
                yield Mismatch(f"{what} is shown with {expected}", told)

    def entity(self, handle: str) -> str:
        """Name an entity as a reader of the answers knows it."""
        members = self.bindings[handle]
        known = [members[name] for name in self.identities.get(handle.partition(".")[0], ()) if name in members]
        return f"{handle} ({', '.join(map(as_text, known))})" if known else handle

    def _same_as(self, wanted: str, exchange: Exchange) -> Iterator[Mismatch]:
        before = self.earlier[wanted]
        if exchange.status != before.status:
            yield Mismatch(
                f"status {before.status} as in {self._call(wanted)}", f"status {exchange.status}: {_body(exchange)}"
            )
        elif not same(self.view(before), self.view(exchange)):
            yield Mismatch(
                f"the same answer as {self._call(wanted)}", self._difference(self.view(before), self.view(exchange))
            )

    def _kept(self, wanted: Mapping[str, str], exchange: Exchange) -> Iterator[Mismatch]:
        return self._as_earlier(wanted, exchange, lambda value, _: value)

    def _alike(self, wanted: Mapping[str, str], exchange: Exchange) -> Iterator[Mismatch]:
        """Members are as in an earlier answer, but for what the requests themselves said."""
        return self._as_earlier(wanted, exchange, _unsaid)

    def _as_earlier(
        self, wanted: Mapping[str, str], exchange: Exchange, seen: Callable[[Any, Exchange], Any]
    ) -> Iterator[Mismatch]:
        for path, name in wanted.items():
            before, after = (seen(self._at(path, one), one) for one in (self.earlier[name], exchange))
            if not same(before, after):
                expected = f"{self._place(path)} as in {self._call(name)}"
                yield Mismatch(expected, self._difference(before, after), before=self.before(path, exchange))

    def _added(self, wanted: Mapping[str, Any], exchange: Exchange) -> Iterator[Mismatch]:
        item, since = fill(wanted["item"], self.bindings), self._call(wanted["to"])
        before, after = self.view(self.earlier[wanted["to"]]), self.view(exchange)
        before = before if isinstance(before, list) else []
        if not isinstance(after, list):
            yield Mismatch(f"the list of {since} and one item with {as_text(item)}", _body(exchange))
            return
        added, lost = minus(after, before), minus(before, after)
        wanted_ones = [one for one in added if includes(one, item)][:1]
        if lost or len(added) != 1 or not wanted_ones:
            expected = f"the list of {since} and exactly one more item, with {as_text(item)}"
            told = [] if wanted_ones else [f"no item is new that has {as_text(item)}"]
            # What has come as it has to is no difference.
            if minus(added, wanted_ones) or lost:
                told.append(self._difference([*before, *wanted_ones], after))
            yield Mismatch(expected, "; ".join(told))

    def _difference(self, before: Any, after: Any) -> str:
        return difference(before, after, {name for names in self.identities.values() for name in names})

    def _among(self, wanted: Mapping[str, Any], _exchange: Exchange) -> Iterator[Mismatch]:
        like = [
            exchange
            for exchange in self.at_once[wanted["calls"]]
            if not any(True for _ in self.mismatches(wanted["like"], exchange))
        ]
        if len(like) != wanted["number"]:
            calls = self.at_once[wanted["calls"]]
            first = next((n for n, one in enumerate(self.so_far, 1) if one is calls[0]), 0)
            what = " and ".join(
                phrase for word, value in wanted["like"].items() for phrase in self._phrases(word, value)
            )
            expected = f"{wanted['number']} of the answers to {self._call(wanted['calls'])} with {what}"
            yield Mismatch(expected, f"{len(like)} of {len(calls)} have {what}", call=first)

    def _phrases(self, word: str, wanted: Any) -> Iterator[str]:
        """Yield what a word of an expectation wants, to be read behind "with"."""
        if isinstance(wanted, Mapping):
            for path, value in wanted.items():
                yield f"{self._place(path)} {word.replace('_', ' ')} {as_text(fill(value, self.bindings))}"
        else:
            yield f"{word} {' or '.join(map(str, wanted))}"

    def _change(self, wanted: Mapping[str, Any], exchange: Exchange) -> Iterator[Mismatch]:
        for path, change in wanted.items():
            before, after = self._at(path, self.earlier[change["since"]]), self._at(path, exchange)
            if step(before, after) != change["by"]:
                place = self._place(path)
                expected = f"{place} changes by {change['by']:+d} since {self._call(change['since'])}"
                between = self._between(path, self.earlier[change["since"]], exchange)
                is_still = before is not None and all(same(before, value) for value in (*between, after))
                got = f"{place} {'stayed at' if is_still else f'was {as_text(before)} and is'} {as_text(after)}"
                if len(between) > 2:
                    got += f" (one after the other: {', '.join(map(as_text, between))})"
                yield Mismatch(expected, got, before=self.before(path, exchange))

    def before(self, path: str, exchange: Exchange) -> tuple[tuple[int, str], ...]:
        """Tell what a single value was in the answers before one, and whose it was, by their numbers.

        Args:
            path: JMESPath to the value; nothing is told of a list or an object.
            exchange: The one; only answers of the same operation have the value.
        """
        alike = [(n, one) for n, one in enumerate(self.so_far, 1) if one.operation == exchange.operation]
        shown = [(n, one, self._at(path, one)) for n, one in alike if one is not exchange]
        return tuple(
            (n, f"{self._place(path)} {as_text(value)}{self._whose(path, one)}")
            for n, one, value in shown
            if isinstance(value, str | int | float)
        )

    def _whose(self, path: str, exchange: Exchange) -> str:
        """Tell which item of an answer a value is from, where an item is taken by its place."""
        item = self._at(taken[0], exchange) if (taken := _BY_PLACE.match(path)) else None
        if not isinstance(item, dict):
            return ""
        names = {name for members in self.identities.values() for name in members}
        known = [f"{name} {as_text(item[name])}" for name in item if name in names]
        return f" of {', '.join(known)}" if known else ""

    def _between(self, path: str, first: Exchange, last: Exchange) -> list[Any]:
        """Return what a number was on the way, which says more than its beginning and its end."""
        start = next((index for index, one in enumerate(self.so_far) if one is first), len(self.so_far))
        shown = [self._at(path, one) for one in (*self.so_far[start:], last) if one.request == last.request]
        return [value for value in shown if value is not None]


def _singles(wanted: Mapping[str, list[Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield each item that is wanted at a place on its own."""
    return ({path: item} for path, items in wanted.items() for item in items)


def _renamed(value: Any, aliases: Mapping[str, str]) -> Any:
    """Copy a value with the catalogue's own name for every member that has another there."""
    if isinstance(value, list):
        return [_renamed(item, aliases) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name if aliases.get(name, name) in value else aliases.get(name, name): _renamed(item, aliases)
        for name, item in value.items()
    }


def _alike(wanted: Any, got: Any) -> bool:
    """Tell whether two values mean the same, as far as that can be told.

    A time with a zone says nothing about the same time without one, as long as nobody knows the account's zone.
    """
    times = [isinstance(value, str) and _TIME.fullmatch(value) for value in (wanted, got)]
    if times[0] and times[1] and bool(times[0]["zone"]) != bool(times[1]["zone"]):
        return True
    return same(wanted, got)


def objects(value: Any) -> list[Mapping[str, Any]]:
    """Return every object inside a value."""
    if isinstance(value, Mapping):
        return [value, *(found for item in value.values() for found in objects(item))]
    if isinstance(value, list):
        return [found for item in value for found in objects(item)]
    return []


def difference(before: Any, after: Any, names: Collection[str] = ()) -> str:
    """Tell what is not as it was, and leave out what is.

    Args:
        before: A JSON value.
        after: Another.
        names: Members that tell which item of a list is meant.
    """
    return "; ".join(_changes(before, after, "", names)) or "the same values in other numbers"


def _changes(before: Any, after: Any, place: str, names: Collection[str]) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in dict.fromkeys([*before, *after]):
            where = f"{place}.{name}" if place else name
            if name not in after:
                yield f"{where} is missing, it was {as_text(before[name])}"
            elif name not in before:
                yield f"{where} is new: {as_text(after[name])}"
            elif not same(before[name], after[name]):
                yield from _changes(before[name], after[name], where, names)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _changed_items(minus(before, after), minus(after, before), place, names)
    else:
        yield f"{place or 'it'} was {as_text(before)} and is {as_text(after)}"


def _changed_items(lost: list[Any], added: list[Any], place: str, names: Collection[str]) -> Iterator[str]:
    of = f" of {place}" if place else ""
    for item in lost:
        nearest = max(added, key=lambda other: _shared(item, other), default=None)
        # What has most members in common is the same thing, with some of them changed.
        if isinstance(item, dict) and nearest is not None and 2 * _shared(item, nearest) > len(item):
            added = [other for other in added if other is not nearest]
            known = {name: value for name, value in item.items() if name in names} or item
            yield f"the item{of} {as_text(known, _SHORT)} changed: {', '.join(_changes(item, nearest, '', names))}"
        else:
            yield f"the item{of} {as_text(item)} is missing"
    for item in added:
        yield f"the item{of} {as_text(item)} is new"


def _nearest(items: Any, wanted: Any, place: str) -> str:
    """Tell how the item of a list differs that is most like one that is wanted; empty if none is like it at all."""
    nearest = max(items, key=lambda item: _shared(wanted, item), default=None) if isinstance(items, list) else None
    if not isinstance(nearest, dict) or not _shared(wanted, nearest):
        return ""
    differing = [name for name in wanted if name in nearest and not same(wanted[name], nearest[name])]
    lacking = [f"no {name}" for name in wanted if name not in nearest]
    told = [f"{name}={as_text(nearest[name])}" for name in differing]
    only = "the item" + place.removeprefix("the items") if place.startswith("the items ") else f"the item in {place}"
    what = only if len(items) == 1 else f"what comes nearest in {place}"
    return f"{what} has {', '.join([*told, *lacking])}"


def _instead(wanted: list[Any], got: list[Any]) -> str:
    """Tell what a list lacks of the items that are wanted, and what it has besides."""
    lacking, besides = minus(wanted, got), minus(got, wanted)
    told = [f"lacks {as_text(lacking)}"] if lacking else []
    return " and ".join([*told, *([f"has {as_text(besides)} besides"] if besides else [])])


def _shared(one: Any, other: Any) -> int:
    """Count the members that two objects have alike; 0 for what are none."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return 0
    return sum(name in other and same(value, other[name]) for name, value in one.items())


def _body(exchange: Exchange) -> str:
    return cut(exchange.text)
