"""The target file: where an operator's server is, what its data is, and what may be done to it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from couponspec import Document, Fault, FaultyFile, Pack, load_document, load_pack
from couponspec.document import SecurityScheme
from couponspec.shape import problems_under
from couponspec.yamlfile import YamlFile, escape, load

from couponcheck.catalogue import Catalogue, catalogued, load_catalogue
from couponcheck.channel import TIMEOUT, ProviderSettings
from couponcheck.shape import shape
from couponcheck.transport import Limits, UnusableTarget, is_base_url

PACK = "demo"
"""The mock's pack whose handles the catalogues name."""
REPLACE = "REPLACE-ME"
"""Stands in a file that `couponcheck init` wrote where the operator has to give a value."""
CREDENTIAL = "credential"
MAIN = f"{CREDENTIAL}.main"
"""Handle of the credential that nearly every request is sent with."""
TO_BE_GIVEN = "the value is still to be given"
"""What is wrong with a value of such a file."""
_VARIABLE = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})")
_PRIVATE = re.compile(r"/(credentials|headers|environment)/|/(proxy|base_url|url)$")
"""Places of the file where a secret may have been written by mistake."""
SECRET_PARTS = ("secret", "user", "password")
"""Members of a credential that are sent, in this order."""
BASE_URL_FIX = "give http://HOST:PORT or https://HOST, with the path that comes before the vendor's own"

Members = Mapping[str, Any]
DataSet = Mapping[str, Sequence[Members]]
"""Handle -> entities that can stand for it."""


def variable(text: str) -> str | None:
    """Return the environment variable that a text of the file stands for, ``$NAME`` or ``${NAME}``; None if none."""
    found = _VARIABLE.fullmatch(text)
    return (found[1] or found[2]) if found else None


@dataclass(frozen=True, slots=True)
class Consistency:
    """How soon a read shows what was written."""

    within: float = 0.0
    """Seconds after which every read shows every write; 0 where each does at once."""
    every: float = 1.0
    """Seconds between two tries."""


@dataclass(frozen=True, slots=True)
class VendorData:
    """One vendor's side of a target."""

    base_url: str
    credentials: Mapping[str, Mapping[str, str]]
    """Name -> scheme, and secret or user and password, as the file has them."""
    sets: Sequence[DataSet]
    unsupported: Mapping[str, str]
    """Id of a requirement -> why the server is not meant to keep it."""
    provider: ProviderSettings | None = None
    """Who makes test data; the same object for all vendors that share one."""
    companions: bool = False
    """Whether companion operations may be called to bring data into a state and back."""


@dataclass(frozen=True)
class TargetFile:
    """What an operator has written, found to be well formed."""

    source: YamlFile
    """Knows the line of everything."""
    production: bool
    headers: Mapping[str, str]
    proxy: str
    ca_file: str
    limits: Limits
    consistency: Consistency
    vendors: Mapping[str, VendorData]

    @property
    def path(self) -> Path:
        """Return where the file is."""
        return self.source.path

    def place_of_url(self, vendor: str) -> str:
        """Return where the base URL of a vendor stands, as ``FILE:LINE``."""
        own = "base_url" in self.source.value["vendors"][vendor]
        return f"{self.path}:{self.source.line(f'/vendors/{escape(vendor)}/base_url' if own else '/base_url')}"

    def chosen(self, vendors: Sequence[str]) -> Sequence[str]:
        """Return the vendors that are meant: all of the file where none is named.

        Raises:
            UnusableTarget: one is named that the file says nothing about.
        """
        for vendor in vendors:
            if vendor not in self.vendors:
                raise UnusableTarget(f"{self.path} has nothing about {vendor}; it is about {', '.join(self.vendors)}")
        return vendors or tuple(self.vendors)


@cache
def promised(vendor: str) -> tuple[Document, Catalogue]:
    """Return what a vendor promises, and how that is checked: its document and its catalogue.

    Raises:
        FaultyFile: one of them has a mistake.
    """
    document = load_document(vendor)
    return document, load_catalogue(document)


@cache
def known(vendor: str) -> tuple[Document, Catalogue, Pack]:
    """Return what is known of a vendor: its document, its catalogue, and the world that the catalogue is about.

    Raises:
        FaultyFile: one of them has a mistake.
    """
    document, catalogue = promised(vendor)
    return document, catalogue, load_pack(document, PACK)


def read_target(path: Path) -> TargetFile:
    """Read a target file; no environment is needed for that.

    Raises:
        FaultyFile: it has mistakes; each is named with its line and the way out, and none shows a secret.
    """
    file = load(path)
    faults = problems_under(file, "", file.value, shape("target"))
    # The validator's words quote what it does not like, and in these places that may be a secret.
    faults = [
        replace(fault, reason="this is not as it has to be") if _PRIVATE.search(fault.pointer) else fault
        for fault in faults
    ]
    if faults or (faults := [*_faults(file)]):
        raise FaultyFile(faults)
    raw = file.value
    limits = Limits(**raw.get("limits", {}))
    consistency = raw.get("consistency", {})
    within = float(consistency.get("within", 0))
    provider = _provider(raw, path)
    return TargetFile(
        source=file,
        production=raw.get("production", False),
        headers=raw.get("headers", {}),
        proxy=raw.get("proxy", ""),
        ca_file=str(path.parent / raw["ca_file"]) if "ca_file" in raw else "",
        limits=limits,
        consistency=Consistency(within, float(consistency.get("every", Consistency().every))),
        vendors={
            vendor: replace(
                _vendor(vendor, item, raw.get("base_url", "")),
                provider=_provider(item, path) or provider,
                companions=item.get("companions", False),
            )
            for vendor, item in raw["vendors"].items()
        },
    )


def _provider(raw: Mapping[str, Any], path: Path) -> ProviderSettings | None:
    if "provider" not in raw:
        return None
    said = raw["provider"]
    return ProviderSettings(
        command=tuple(said.get("command", ())),
        environment=said.get("environment", {}),
        folder=path.absolute().parent,
        url=said.get("url", ""),
        headers=said.get("headers", {}),
        timeout=float(said.get("timeout", TIMEOUT)),
    )


def _vendor(vendor: str, raw: Mapping[str, Any], base_url: str) -> VendorData:
    _, catalogue, _ = known(vendor)
    return VendorData(
        base_url=raw.get("base_url", base_url),
        credentials=raw.get("credentials", {}),
        sets=[
            {handle: item if isinstance(item, list) else [item] for handle, item in one.items()} for one in _sets(raw)
        ],
        unsupported={
            requirement.id: item["reason"]
            for requirement in catalogue.checked
            for item in reversed(raw.get("unsupported", ()))
            if fnmatchcase(requirement.id, item["requirement"])
        },
    )


def _sets(raw: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    data = raw.get("data", {})
    return data if isinstance(data, list) else [data]


# -- what the shape cannot say -------------------------------------------------------------------------------------


def _faults(file: YamlFile) -> Iterator[Fault]:
    raw = file.value
    if "base_url" in raw:
        yield from _url_faults(file, "/base_url", raw["base_url"])
    if "ca_file" in raw and not (file.path.parent / raw["ca_file"]).is_file():
        yield file.fault("/ca_file", f"there is no file {raw['ca_file']!r}", "name a PEM file, as seen from this file")
    yield from _provider_faults(file, "/provider", raw.get("provider", {}))
    for vendor, item in raw["vendors"].items():
        place = f"/vendors/{escape(vendor)}"
        yield from _provider_faults(file, f"{place}/provider", item.get("provider", {}))
        if vendor in catalogued():
            yield from _vendor_faults(file, place, vendor, item)
        else:
            yield file.fault(place, f"there is no vendor {vendor!r}", f"use one of {', '.join(catalogued())}")


def _provider_faults(file: YamlFile, place: str, raw: Mapping[str, Any]) -> Iterator[Fault]:
    if "url" in raw and not is_base_url(raw["url"]):
        fix = "give http://HOST:PORT/PATH or https://HOST/PATH, and a secret as a header"
        yield file.fault(f"{place}/url", "this is no URL of a provider", fix)
    for index, argument in enumerate(raw.get("command", ())):
        if argument == REPLACE:
            yield file.fault(f"{place}/command/{index}", TO_BE_GIVEN, "give the program")
        elif name := variable(argument):
            reason = "an argument is passed on as it stands, for everybody on the machine to see"
            fix = f"let the program read its environment; environment: {{{name}: {argument}}} says what is secret"
            yield file.fault(f"{place}/command/{index}", reason, fix)


def _vendor_faults(file: YamlFile, place: str, vendor: str, raw: Mapping[str, Any]) -> Iterator[Fault]:
    document, catalogue, pack = known(vendor)
    if "base_url" in raw:
        yield from _url_faults(file, f"{place}/base_url", raw["base_url"])
    elif "base_url" not in file.value:
        yield file.fault(place, f"it is not said where {vendor} is", "give base_url here or for all vendors")
    for name, credential in raw.get("credentials", {}).items():
        at = f"{place}/credentials/{escape(name)}"
        yield from _handle_faults(file, at, f"{CREDENTIAL}.{name}", _handles(catalogue))
        yield from _credential_faults(file, at, credential, document, wrong=is_wrong(pack, name))
    for index, one in enumerate(_sets(raw)):
        at = f"{place}/data/{index}" if isinstance(raw.get("data"), list) else f"{place}/data"
        yield from _data_faults(file, at, one, catalogue, pack)
    if raw.get("companions") and not catalogue.companions:
        reason = f"no companion operation of {vendor} brings data into a state"
        yield file.fault(f"{place}/companions", reason, "leave it out")
    for index, item in enumerate(raw.get("unsupported", ())):
        if not any(fnmatchcase(requirement.id, item["requirement"]) for requirement in catalogue.checked):
            reason = f"no requirement is {item['requirement']!r}"
            fix = "take an id of `couponcheck list`, or one with * in it"
            yield file.fault(f"{place}/unsupported/{index}/requirement", reason, fix)


def _url_faults(file: YamlFile, place: str, url: str) -> Iterator[Fault]:
    if REPLACE in url:
        yield file.fault(place, TO_BE_GIVEN, BASE_URL_FIX)
    elif not variable(url) and not is_base_url(url):
        yield file.fault(place, "this is no base URL", shape("target")["$defs"]["base_url"]["description"])


def schemes(document: Document) -> dict[str, SecurityScheme]:
    """Return the ways in which a vendor takes credentials, by name."""
    return {item.scheme.name: item.scheme for operation in document.operations.values() for item in operation.security}


def is_data(handle: str) -> bool:
    """Tell whether a handle is of an entity that an operator or a provider gives, and no credential."""
    return not handle.startswith(f"{CREDENTIAL}.")


def is_wrong(pack: Pack, name: str) -> bool:
    """Tell whether a credential is meant to be refused."""
    entity = pack.by_handle.get(f"{CREDENTIAL}.{name}")
    return entity is not None and entity.data["principal"] is None


def _credential_faults(
    file: YamlFile, place: str, raw: Mapping[str, str], document: Document, *, wrong: bool
) -> Iterator[Fault]:
    scheme = schemes(document).get(raw["scheme"])
    if scheme is None:
        fix = f"use one of {', '.join(sorted(schemes(document)))}"
        yield file.fault(f"{place}/scheme", f"{document.vendor} has no such scheme", fix)
        return
    given = [part for part in SECRET_PARTS if part in raw]
    if given not in ([["secret"], ["user", "password"]] if scheme.kind == "basic" else [["secret"]]):
        fix = "give either user and password or a secret" if scheme.kind == "basic" else "give its secret"
        yield file.fault(place, f"a credential of the scheme {raw['scheme']} is given in another way", fix)
    for part in given:
        if raw[part] == REPLACE or (raw[part].startswith("$") and not variable(raw[part])):
            yield file.fault(f"{place}/{part}", TO_BE_GIVEN, "write $NAME of a variable")
        elif not wrong and not raw[part].startswith("$"):
            fix = "write $NAME of an environment variable that holds it"
            yield file.fault(f"{place}/{part}", "a credential that is accepted must not stand in a file", fix)


def _data_faults(
    file: YamlFile, place: str, data: Mapping[str, Any], catalogue: Catalogue, pack: Pack
) -> Iterator[Fault]:
    for handle, given in data.items():
        at = f"{place}/{escape(handle)}"
        if not is_data(handle):
            yield file.fault(at, f"{handle} is no data", f"give it as {handle.partition('.')[2]} under credentials")
            continue
        yield from (found := [*_handle_faults(file, at, handle, _handles(catalogue))])
        if found:
            continue
        kind = pack.kinds.get(handle.partition(".")[0])
        properties = kind.schema["properties"] if kind else {}
        for index, members in enumerate(given if isinstance(given, list) else [given]):
            inside = f"{at}/{index}" if isinstance(given, list) else at
            for name, value in members.items():
                if name not in properties:
                    fix = _did_you_mean(name, properties) or f"use one of {', '.join(properties)}"
                    yield file.fault(f"{inside}/{escape(name)}", f"{handle} has no member {name!r}", fix)
                elif value == REPLACE:
                    fix = "give the value, or leave the line out"
                    yield file.fault(f"{inside}/{escape(name)}", TO_BE_GIVEN, fix)


def _handles(catalogue: Catalogue) -> set[str]:
    return {handle for requirement in catalogue.checked for handle in requirement.handles}


def _handle_faults(file: YamlFile, place: str, handle: str, handles: set[str]) -> Iterator[Fault]:
    if handle not in handles:
        fix = _did_you_mean(handle, handles) or "leave it out; `couponcheck init` writes every handle there is"
        yield file.fault(place, f"no requirement names {handle}", fix)


def _did_you_mean(name: str, names: Any) -> str:
    near = get_close_matches(name, names, 1, 0.7)
    return f"did you mean {near[0]}" if near else ""
