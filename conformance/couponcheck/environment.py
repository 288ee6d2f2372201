"""What the environment has to give to a target file: secrets, and where the server is."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from couponspec import Fault, FaultyFile
from couponspec.request import LIKENESSES
from couponspec.yamlfile import YamlFile, escape

from couponcheck.channel import ProviderSettings
from couponcheck.targetfile import BASE_URL_FIX, CREDENTIAL, SECRET_PARTS, TargetFile, variable
from couponcheck.transport import Access, is_base_url

SHORTEST = 6
"""Characters of a secret. A report hides every text that is like a secret, so a shorter one would hide half of the
report; the shortest key that a vendor's page prints is as long as this."""
_USER = "user"
"""Part of a credential that is no secret by itself: one that is short is hidden together with its password only."""


@dataclass(frozen=True)
class OpenedFile:
    """A target file with what the environment gave."""

    file: TargetFile
    access: Access
    base_urls: Mapping[str, str]
    """Vendor -> where its paths begin."""
    credentials: Mapping[str, Mapping[str, Mapping[str, str]]]
    """Vendor -> name -> scheme and secret."""
    secrets: Mapping[str, str] = field(repr=False)
    """Secret -> what stands for it in reports."""
    providers: Mapping[str, ProviderSettings] = field(default_factory=dict, repr=False)
    """Vendor -> who makes its test data; the same object for all that share one."""

    def bindings(self, vendor: str) -> dict[str, Mapping[str, str]]:
        """Return a vendor's credentials by their handles."""
        return {f"{CREDENTIAL}.{name}": item for name, item in self.credentials[vendor].items()}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a target file names an environment variable."""

    pointer: str
    name: str
    is_url: bool
    """Whether it has to be a base URL, which is no secret."""
    may_be_short: bool


def variables(file: TargetFile, vendors: Sequence[str]) -> list[str]:
    """Return the environment variables that these vendors need."""
    return sorted({place.name for place in _places(file.source, vendors)})


def unset(source: YamlFile, vendors: Sequence[str], environment: Mapping[str, str] = os.environ) -> list[Fault]:
    """Return a fault for each variable of these vendors that is not set, of a file that may have other mistakes.

    Args:
        source: A file of the shape of a target file.
        vendors: Whose variables are looked at.
        environment: Name -> value.
    """
    places = sorted(_places(source, vendors), key=lambda place: source.line(place.pointer) or 0)
    return [*_missing(source, places, environment)]


def fill_in(file: TargetFile, vendors: Sequence[str], environment: Mapping[str, str] = os.environ) -> OpenedFile:
    """Fill in what the environment has to give.

    Raises:
        FaultyFile: it does not give all of it, or what cannot be used; every variable is named with its line.
    """
    places = sorted(_places(file.source, vendors), key=lambda place: file.source.line(place.pointer) or 0)
    if faults := [*_missing(file.source, places, environment)] or [*_unfit(file, vendors, places, environment)]:
        raise FaultyFile(faults)

    def value(text: str) -> str:
        return _value(text, environment)

    secrets = {
        environment[place.name]: f"${place.name}"
        for place in places
        if not place.is_url and len(environment[place.name]) >= SHORTEST
    }
    credentials: dict[str, dict[str, dict[str, str]]] = {}
    for vendor in vendors:
        credentials[vendor] = {}
        for name, raw in file.vendors[vendor].credentials.items():
            parts = [raw[part] for part in SECRET_PARTS if part in raw]
            secret = ":".join(map(value, parts))
            names = [*filter(None, map(variable, parts))]
            if len(names) == len(parts):
                secrets[secret] = ":".join(f"${each}" for each in names)
            credentials[vendor][name] = {"scheme": raw["scheme"], "secret": secret}
    for secret, shown in [*secrets.items()]:
        for likeness in ("shorter", "other-case"):  # what is longer holds the secret itself
            secrets.setdefault(LIKENESSES[likeness].of(secret), f"{shown}_{likeness.replace('-', '_').upper()}")
    headers = {name: value(text) for name, text in file.headers.items()}
    access = Access(file.limits, value(file.proxy), file.ca_file, headers)
    urls = {vendor: value(file.vendors[vendor].base_url) for vendor in vendors}
    return OpenedFile(file, access, urls, credentials, secrets, _providers(file, vendors, environment))


def _providers(file: TargetFile, vendors: Sequence[str], environment: Mapping[str, str]) -> dict[str, ProviderSettings]:
    def filled(texts: Mapping[str, str]) -> dict[str, str]:
        return {name: _value(text, environment) for name, text in texts.items()}

    settings = {vendor: one for vendor in vendors if (one := file.vendors[vendor].provider) is not None}
    shared = {
        id(one): replace(one, environment=filled(one.environment), headers=filled(one.headers))
        for one in settings.values()
    }
    return {vendor: shared[id(one)] for vendor, one in settings.items()}


def _value(text: str, environment: Mapping[str, str]) -> str:
    name = variable(text)
    return environment[name] if name else text


def _places(source: YamlFile, vendors: Sequence[str]) -> Iterator[_Place]:
    """Yield every place that matters to these vendors."""
    raw = source.value
    parts = [raw["vendors"][vendor] for vendor in vendors]
    yield from _named("/proxy", raw.get("proxy", ""))
    yield from _each("/headers", raw.get("headers", {}))
    if not all("base_url" in part for part in parts):
        yield from _named("/base_url", raw.get("base_url", ""), is_url=True)
    if not all("provider" in part for part in parts):
        yield from _of_provider("/provider", raw.get("provider", {}))
    for vendor, part in zip(vendors, parts, strict=True):
        place = f"/vendors/{escape(vendor)}"
        yield from _named(f"{place}/base_url", part.get("base_url", ""), is_url=True)
        yield from _of_provider(f"{place}/provider", part.get("provider", {}))
        for name, credential in part.get("credentials", {}).items():
            for item in SECRET_PARTS:
                pointer = f"{place}/credentials/{escape(name)}/{item}"
                yield from _named(pointer, credential.get(item, ""), may_be_short=item == _USER)


def _of_provider(pointer: str, raw: Mapping[str, Any]) -> Iterator[_Place]:
    for member in ("environment", "headers"):
        yield from _each(f"{pointer}/{member}", raw.get(member, {}))


def _each(pointer: str, texts: Mapping[str, str]) -> Iterator[_Place]:
    for name, text in texts.items():
        yield from _named(f"{pointer}/{escape(name)}", text)


def _named(pointer: str, text: str, *, is_url: bool = False, may_be_short: bool = False) -> Iterator[_Place]:
    if name := variable(text):
        yield _Place(pointer, name, is_url, may_be_short)


def _missing(source: YamlFile, places: Sequence[_Place], environment: Mapping[str, str]) -> Iterator[Fault]:
    """Yield a fault for each variable that is not set, where it is named first."""
    first = {place.name: place for place in reversed(places)}
    for place in places:
        if first[place.name] is place and not environment.get(place.name):
            state = "empty" if place.name in environment else "not set"
            fix = f"export {place.name}=..., or name another variable here"
            yield source.fault(place.pointer, f"the environment variable {place.name} is {state}", fix)


def _unfit(
    file: TargetFile, vendors: Sequence[str], places: Sequence[_Place], environment: Mapping[str, str]
) -> Iterator[Fault]:
    """Yield what is wrong with what the environment gives; no fault shows it."""
    for place in places:
        value = environment[place.name]
        if place.is_url:
            if not is_base_url(value):
                fix = f"{BASE_URL_FIX} as its value"
                yield file.source.fault(place.pointer, f"the environment variable {place.name} has no base URL", fix)
        elif len(value) < SHORTEST and not place.may_be_short:
            reason = (
                f"the environment variable {place.name} has fewer than {SHORTEST} characters; what is like a secret is "
                "hidden in every report, and so short a text is a part of many words"
            )
            accepted = place.pointer.rpartition("/")[2] in SECRET_PARTS
            fix = "" if accepted else ", or write it here if it is no secret"
            yield file.source.fault(place.pointer, reason, f"give the server under test a longer one{fix}")
    for vendor in vendors:
        for name, raw in file.vendors[vendor].credentials.items():
            for part in SECRET_PARTS:
                secret = _value(raw.get(part, ""), environment)
                if not secret.isascii() or not secret.isprintable():
                    pointer = f"/vendors/{escape(vendor)}/credentials/{escape(name)}/{part}"
                    reason = f"{CREDENTIAL} {name} of {vendor} is no text of ASCII characters"
                    yield file.source.fault(pointer, reason, "give one that a header of HTTP can carry")
