"""The entities of a namespace, looked at and put into a state from outside, whatever the vendor's operations allow."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import islice, product
from pathlib import Path
from typing import Any

from couponspec.document import Document
from couponspec.faults import Fault
from couponspec.kind import OWN
from couponspec.pack import Kind, Place, entity_faults, entity_of, lookup, written_faults
from couponspec.yamlfile import YamlFile

from couponmock.behaviour import store_kind
from couponmock.store import Record, Session

WRITTEN = Place(YamlFile(Path("request"), None, {}), "")
MEMBERS = Place(WRITTEN.file, "/members")
"""Where the members of an entity stand in a request."""
_NAMED = 5
"""Entities that a sentence names."""


class Missing(LookupError):
    """There is no such kind or entity; the message says what there is."""


class Clash(Exception):
    """It would not fit the entities around it, or more than one is meant; the message names them."""


class Invalid(Exception):
    """The entity would not be valid."""

    def __init__(self, handle: str, faults: list[Fault]) -> None:
        """Say all that would be wrong with an entity."""
        self.faults = faults
        reasons: dict[str, list[str]] = {}
        for fault in faults:
            reasons.setdefault(fault.fix, []).append(fault.reason)
        said = "; ".join(f"{', '.join(same)} ({fix})" for fix, same in reasons.items())
        super().__init__(f"{handle} would not be valid: {said}.")


class Entities:
    """One vendor's entities of a namespace, for the length of a session."""

    def __init__(self, document: Document, kinds: Mapping[str, Kind], session: Session) -> None:
        """Look at a session's namespace."""
        self._document = document
        self._kinds = kinds
        self._session = session

    def kind(self, name: str) -> Kind:
        """Return a kind.

        Raises:
            Missing: the vendor has none of that name.
        """
        if name not in self._kinds:
            raise Missing(f"{self._document.vendor} has no kind {name!r}; there are {', '.join(self._kinds)}.")
        return self._kinds[name]

    def show(self, kind: Kind, name: str) -> dict[str, Any]:
        """Describe an entity as it is now.

        Raises:
            Missing: there is none of that name.
        """
        members = self._members(kind, name)
        if members is None:
            raise Missing(f"There is no {kind.name} {name!r}; {self._some(kind)}.")
        return self._shown(kind, name, members)

    def having(self, kind: Kind, wanted: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Describe the entities that have these members, by name.

        Args:
            kind: Their kind.
            wanted: Member -> its value as text; a number, a boolean or null as JSON writes it.
        """
        for record in self._candidates(kind, wanted):
            members = self._rendered(kind, record)
            if _has(members, wanted):
                yield self._shown(kind, record.id, members)

    def has(self, kind: Kind, name: str, wanted: Mapping[str, str]) -> bool:
        """Tell whether there is an entity of a name that has these members."""
        members = self._members(kind, name)
        return members is not None and _has(members, wanted)

    def named_by(self, kind: Kind, wanted: Mapping[str, str]) -> str:
        """Return the name of the one entity that has these members.

        Raises:
            Missing: none has.
            Clash: several have.
        """
        found = [entity["name"] for entity in self.having(kind, wanted)]
        said = " and ".join(f"{name} {value!r}" for name, value in wanted.items())
        if not found:
            raise Missing(f"There is no {kind.name} with {said}.")
        if len(found) > 1:
            raise Clash(f"{len(found)} of kind {kind.name} have {said}: {_few(found)}; give more members, or the name.")
        return str(found[0])

    def put(
        self, kind: Kind, name: str, state: str | None, members: Mapping[str, Any] | None
    ) -> tuple[dict[str, Any], bool]:
        """Put an entity into a state, give it members, or make it; describe it, and tell whether it is new.

        Args:
            kind: Its kind.
            name: Its name within the kind.
            state: One of the kind's states, or None.
            members: Members that it gets then, as a pack would write them; offsets count from the present. Without
                any, not even none, the entity has to be there.

        Raises:
            Missing: there is none of that name, and no members to make it of.
            Invalid: the kind has no such state, or the entity would not be valid.
            Clash: another entity has a combination of members that has to be unique.
        """
        now = self._session.now()
        before = self._members(kind, name)
        if before is None and members is None:
            self.show(kind, name)
        written = dict(before or {})
        if state is not None:
            if state not in kind.states:
                fix = f"use one of {', '.join(kind.states)}" if kind.states else "give members instead"
                fault = WRITTEN.fault("/state", f"a {kind.name} has no state {state!r}", fix)
                raise Invalid(f"{kind.name}.{name}", [fault])
            written = kind.states[state].put(kind, written, now)
        written.update(members or {})
        if faults := written_faults(name, written, MEMBERS):
            raise Invalid(f"{kind.name}.{name}", faults)
        entity = entity_of(kind.name, name, written, MEMBERS)
        if faults := entity_faults(entity, kind, self._document) or [*self._dangling(kind, entity.data)]:
            raise Invalid(entity.handle, faults)
        data = kind.rendered(entity.data, now)
        # What is fine by itself, such as an offset, may still lead to a time that nobody can write.
        if faults := entity_faults(replace(entity, data=data), kind, self._document):
            raise Invalid(entity.handle, faults)
        self._refuse_clash(kind, name, data)
        self._session.put(self._key(kind), name, {**data, **entity.own}, kind.index(data))
        return self._shown(kind, name, {**data, **entity.own}), before is None

    def delete(self, kind: Kind, name: str) -> None:
        """Remove an entity.

        Raises:
            Missing: there is none of that name.
            Clash: others name it.
        """
        self.show(kind, name)
        naming = [*islice(self._naming(kind, name), _NAMED + 1)]
        if naming:
            raise Clash(f"{kind.name}.{name} is named by {_few(naming)}; delete or change what names it first.")
        self._session.delete(self._key(kind), name)

    def _naming(self, kind: Kind, name: str) -> Iterator[str]:
        """Yield the handles of the entities that name another one."""
        for other in self._kinds.values():
            for member in (member for member, target in other.references.items() if target == kind.name):
                for record in self._session.find(self._key(other), *lookup({member: name}), limit=_NAMED + 1):
                    yield f"{other.name}.{record.id}"

    def _candidates(self, kind: Kind, wanted: Mapping[str, str]) -> Iterable[Record]:
        """Return, by name, records among which are all those that have these members.

        By an index where there is one of these members. It knows nothing of times as they are shown, nor of null.
        """
        usable = {name for name, text in wanted.items() if name not in kind.moments and text != _text(None)}
        fields = next((fields for fields in kind.indexed if usable.issuperset(fields)), None)
        if fields is None:
            return self._session.scan(self._key(kind))
        found = [
            record
            for values in product(*(_values(wanted[field]) for field in fields))
            for record in self._session.find(self._key(kind), *lookup(dict(zip(fields, values, strict=True))))
        ]
        return sorted(found, key=lambda record: record.id)

    def _dangling(self, kind: Kind, data: Mapping[str, Any]) -> Iterator[Fault]:
        for member, target in kind.references.items():
            name = data.get(member)
            if name is not None and self._members(self._kinds[target], name) is None:
                reason = f"{member} names {target}.{name}, which is not there"
                yield MEMBERS.fault(f"/{member}", reason, self._some(self._kinds[target]))

    def _refuse_clash(self, kind: Kind, name: str, data: Mapping[str, Any]) -> None:
        for fields in kind.keys:
            if any(data.get(field) is None for field in fields):
                continue
            found = self._session.find(self._key(kind), *lookup({field: data[field] for field in fields}))
            for other in (record.id for record in found if record.id != name):
                raise Clash(f"{kind.name}.{other} has the same {' and '.join(fields)}; they have to be unique.")

    def _members(self, kind: Kind, name: str) -> dict[str, Any] | None:
        record = self._session.get(self._key(kind), name)
        return None if record is None else self._rendered(kind, record)

    def _rendered(self, kind: Kind, record: Record) -> dict[str, Any]:
        return kind.rendered(record.data, self._session.namespace.epoch)

    def _shown(self, kind: Kind, name: str, members: Mapping[str, Any]) -> dict[str, Any]:
        data = {member: value for member, value in members.items() if member not in OWN}
        return {
            "vendor": self._document.vendor,
            "kind": kind.name,
            "name": name,
            "handle": f"{kind.name}.{name}",
            "members": dict(members),
            "state": kind.state(data, self._session.now()),
        }

    def _some(self, kind: Kind) -> str:
        found = [record.id for record in islice(self._session.scan(self._key(kind)), _NAMED + 1)]
        return f"there is {_few(found)}" if found else f"there is no {kind.name} at all"

    def _key(self, kind: Kind) -> str:
        return store_kind(self._document.vendor, kind.name)


def _has(members: Mapping[str, Any], wanted: Mapping[str, str]) -> bool:
    return all(_text(members.get(name)) == text for name, text in wanted.items())


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _values(text: str) -> Iterator[Any]:
    """Yield the values that have a text."""
    yield text
    with suppress(ValueError, RecursionError):
        value = json.loads(text)
        if not isinstance(value, str) and _text(value) == text:
            yield value


def _few(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
