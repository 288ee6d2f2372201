"""A provider of test data: what it is asked, what it has to answer, and what it made in a run (docs/providers.md)."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from couponspec.shape import problems_under
from couponspec.yamlfile import YamlFile

from couponcheck.catalogue import Requirement
from couponcheck.channel import ProviderFailed, ProviderSettings, channel
from couponcheck.condition import credentials_of, owned, sample, sentence, state
from couponcheck.exchange import strict_json
from couponcheck.masking import masked
from couponcheck.pool import Entities
from couponcheck.shape import shape
from couponcheck.targetfile import is_data, known

PROTOCOL = 1
_PATIENCE = 3
"""Failures in a row after which a provider is not asked any more."""


class CannotProvide(Exception):
    """A provider says that it cannot make something; the message is its own sentence."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a provider made at one time."""

    requirement: Requirement
    entities: Entities
    name: str
    """By which it is released; empty if the provider does not want to be told."""


class Provider:
    """Asks a provider and holds every answer against the protocol."""

    def __init__(self, settings: ProviderSettings, secrets: Mapping[str, str]) -> None:
        """Start and send nothing yet.

        Args:
            settings: Where it is, with the environment's values.
            secrets: Secret -> what stands for it, wherever the provider repeats it.
        """
        self._channel = channel(settings)
        self._secrets = secrets
        self._failures = 0
        self._last = ""
        self._interrupted: Requirement | None = None
        """For whom something is being made."""

    def describe(self, vendor: str) -> list[str]:
        """Ask which handles the provider makes, each with ``*`` for any part; that changes nothing.

        Raises:
            ProviderFailed: it gave no answer that the protocol knows.
        """
        handles: list[str] = self._asked("describe", "described", vendor=vendor)["handles"]
        return handles

    def provide(self, requirement: Requirement, needs: Mapping[str, Mapping[str, Any]]) -> Grant:
        """Ask for entities that belong together.

        Args:
            requirement: Whom they are for.
            needs: Handle -> what its entity has to be.

        Raises:
            CannotProvide: the provider cannot make them.
            ProviderFailed: it gave no answer that the protocol knows, or not what was asked for.
        """
        self._interrupted = requirement
        answer = self._asked(
            "provide", "provided", vendor=requirement.vendor, requirement=requirement.id, needs=dict(needs)
        )
        self._interrupted = None
        if "cannot" in answer:
            self._failures = 0
            raise CannotProvide(masked(" ".join(answer["cannot"].split()), self._secrets))
        entities: Entities = answer["entities"]
        if wrong := _wrong(entities, requirement, needs):
            raise self._failed(f"the provider's answer is not what was asked for: {wrong}")
        self._failures = 0
        return Grant(requirement, entities, answer.get("grant", ""))

    def late(self) -> Grant | None:
        """Return what was being made when the run was broken off, if the provider has told; None if there is nothing.

        Raises:
            ProviderFailed: no whole answer came.
        """
        requirement, self._interrupted = self._interrupted, None
        content = self._channel.late()
        if requirement is None or not content:
            return None
        answer = _read(content, "provided")
        return Grant(requirement, answer["entities"], answer.get("grant", "")) if "entities" in answer else None

    def release(self, grant: Grant) -> None:
        """Tell the provider that what it made is no longer needed.

        Raises:
            ProviderFailed: it did not say that it has understood.
        """
        self._asked("release", "released", vendor=grant.requirement.vendor, grant=grant.name)

    def _asked(self, request: str, answer: str, **content: Any) -> dict[str, Any]:
        if self._failures >= _PATIENCE:
            reason = f"the provider is not asked any more: it failed {_PATIENCE} times in a row, the last time so:"
            raise ProviderFailed(f"{reason} {self._last}")
        message = json.dumps({"version": PROTOCOL, "request": request, **content}, separators=(",", ":"))
        try:
            said = _read(self._channel.ask(message.encode()), answer)
        except ProviderFailed as error:
            raise self._failed(str(error)) from None
        if request != "provide":  # whose answer is still to be looked at
            self._failures = 0
        return said

    def _failed(self, reason: str) -> ProviderFailed:
        self._failures += 1
        self._last = masked(" ".join(reason.split()), self._secrets)
        return ProviderFailed(self._last)

    def close(self) -> None:
        """End what was started."""
        self._channel.close()


def _read(content: bytes, kind: str) -> dict[str, Any]:
    """Read an answer of one kind.

    Raises:
        ProviderFailed: it is something else, or tells of a failure.
    """
    try:
        value = strict_json(content)
    except ValueError as error:
        begin = " ".join(content[:200].decode("utf-8", "replace").split())
        raise ProviderFailed(f"the provider's answer is no JSON, {error}: {begin}") from error
    definitions = shape("provider")["$defs"]
    ways = [definitions[way["$ref"].rpartition("/")[2]] for way in definitions[kind]["anyOf"]]
    # Of the ways to answer the one that was begun, so that what is wrong can be named.
    begun = [way for way in ways if isinstance(value, dict) and set(way["required"]) - {"version"} <= value.keys()]
    schema = {**(begun or ways)[0], "$defs": definitions}
    for fault in problems_under(YamlFile(Path("answer"), value, {}), "", value, schema):
        place = f" at {fault.pointer}" if fault.pointer != "#" else ""
        raise ProviderFailed(
            f"the provider's answer is not as `couponcheck schema provider` says{place}: {fault.reason}"
        )
    if "error" in value:
        raise ProviderFailed(f"the provider failed: {value['error']}")
    said: dict[str, Any] = value
    return said


def _wrong(entities: Entities, requirement: Requirement, needs: Mapping[str, Mapping[str, Any]]) -> str:
    """Say what is missing in an answer, or was not asked for; empty if nothing is wrong."""
    _, _, pack = known(requirement.vendor)
    for handle in needs:
        if handle not in entities:
            return f"{handle} is missing"
        for member in sorted(requirement.needs[handle]):
            if entities[handle].get(member) is None:
                return f"{handle}.{member} is missing"
    for handle, members in entities.items():
        if handle not in needs:
            return f"nobody asked for {handle}"
        strange = members.keys() - pack.kinds[handle.partition(".")[0]].schema["properties"].keys()
        if strange:
            return f"{handle} has no member {min(strange)!r}"
    return ""


# -- what was made in a run -----------------------------------------------------------------------------------------


@dataclass
class Supply:
    """One vendor's data of a run, as far as a provider makes it.

    A requirement that only reads takes what was made for another one that only reads, if that has all it needs; what
    was made for one that writes serves that one alone.
    """

    provider: Provider
    vendor: str
    _kept: list[Grant] = field(default_factory=list)
    """Made for requirements that only read."""
    _left: list[Grant] = field(default_factory=list)
    """Not needed any more, and not released yet."""

    def entities(self, requirement: Requirement) -> Entities:
        """Return entities for all handles that a requirement needs data for.

        Raises:
            CannotProvide: the provider cannot make them.
            ProviderFailed: it did not do what it was asked.
        """
        needs = {handle: members for handle, members in requirement.needs.items() if is_data(handle)}
        if not needs:
            return {}
        if not requirement.needs_permission:
            for grant in self._kept:
                if all(members <= grant.entities.get(handle, {}).keys() for handle, members in needs.items()):
                    return {handle: grant.entities[handle] for handle in needs}
        asked = {handle: self._need(requirement, handle) for handle in sorted(needs)}
        grant = self.provider.provide(requirement, asked)
        (self._left if requirement.needs_permission else self._kept).append(grant)
        return grant.entities

    def _need(self, requirement: Requirement, handle: str) -> Mapping[str, Any]:
        _, catalogue, pack = known(self.vendor)
        entity = pack.by_handle[handle]
        now = int(time.time())
        return {
            "kind": entity.kind,
            "members": sorted(requirement.needs[handle]),
            "credentials": credentials_of(pack, entity),
            "says": sentence(entity, pack, catalogue),
            "state": state(entity, pack, catalogue, now),
            "owns": owned(entity, pack, catalogue),
            "sample": sample(entity, pack, now),
        }

    def release(self, *, everything: bool = False) -> list[Grant]:
        """Release what is no longer needed, and return what of it the provider has taken back.

        Args:
            everything: Whether nothing will be needed any more.

        Raises:
            ProviderFailed: the provider did not take back what is left; it can be tried once more.
        """
        if everything:
            self._left += self._kept
            self._kept = []
            if late := self.provider.late():
                self._left.append(late)
        released = []
        waiting, self._left = self._left, []
        for index, grant in enumerate(waiting):
            if grant.name:
                try:
                    self.provider.release(grant)
                except BaseException:
                    self._left = waiting[index:]
                    raise
                released.append(grant)
        return released


def makes(handles: Sequence[str], requirement: Requirement) -> bool:
    """Tell whether a provider that describes itself so makes all the data that a requirement needs."""
    return all(
        any(fnmatchcase(handle, pattern) for pattern in handles) for handle in requirement.needs if is_data(handle)
    )
