"""One vendor's OpenAPI document, read into the terms that the mock and the suite speak.

This is the only code that reads a document. Everything a vendor can answer is an `Example` here; Python elsewhere only
says its name.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jsonschema_rs

from couponspec import schema
from couponspec.schema import Option, Readings
from couponspec.sources import Sources
from couponspec.yamlfile import YamlFile

JSON = "application/json"
BASES = ("documented", "example", "inferred", "contradicted")
"""What a rule can rest on, the firmest first."""

COARSER = {
    "blank": "missing",
    "credential_missing": "unauthenticated",
    "credential_invalid": "unauthenticated",
}
"""Finer classes of findings and the class that stands in where a document does not name the finer one."""

CREDENTIAL_CLASSES = {"missing": "credential_missing", "invalid": "credential_invalid"}
"""A security scheme's own `x-problems` says `missing` and `invalid` of its credential."""


@dataclass(frozen=True, slots=True)
class Example:
    """A named answer: the whole of what a vendor says in one situation."""

    name: str
    status: int
    media_type: str
    value: Any
    headers: Mapping[str, str]
    """Header name -> template."""
    templates: Mapping[str, str]
    """JSON pointer into the value -> template."""
    basis: str
    source: str
    note: str
    option: Option | None
    response: str
    """Key of the response the example stands in: a status or a range such as ``4XX``."""
    instead_of: tuple[str, ...] = ()
    """Examples of the same operation that this one replaces where its option is chosen; empty for all but those."""


@dataclass(frozen=True, slots=True)
class Response:
    """What a document says of one status or range of statuses."""

    key: str
    description: str
    schemas: Mapping[str, Any]
    """Media type -> schema."""
    examples: Mapping[str, Example]
    option: Option | None
    pointer: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """A path, query or header parameter."""

    name: str
    place: str
    """``path``, ``query`` or ``header``."""
    required: bool
    schema: Mapping[str, Any]
    problems: Mapping[str, str]
    when: Mapping[str, Mapping[str, Mapping[str, Any]]]
    """Other parameter -> its value -> schema that this parameter then has to fit as well."""
    sample: Any

    @property
    def location(self) -> str:
        """Name the parameter in findings."""
        return f"{self.place}:{self.name}"


@dataclass(frozen=True, slots=True)
class SecurityScheme:
    """One way to send a credential."""

    name: str
    kind: str
    """``query``, ``header`` or ``basic``."""
    parameter: str
    prefix: str
    problems: Mapping[str, str]

    @property
    def location(self) -> str:
        """Name the scheme in findings."""
        return f"credential:{self.name}"


@dataclass(frozen=True, slots=True)
class Security:
    """A security requirement: one scheme and the scopes it needs."""

    scheme: SecurityScheme
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class Operation:
    """One operation of a document, or the answers to requests that reach none (`Document.general`)."""

    id: str
    method: str
    path: str
    summary: str
    parameters: tuple[Parameter, ...]
    body: Mapping[str, Any] | None
    """Schema of the JSON request body, if the operation has one."""
    body_samples: Mapping[str, Any]
    """Name -> example of the request body."""
    security: tuple[Security, ...]
    responses: Mapping[str, Response]
    problems: Mapping[str, str]
    pointer: str
    components: Mapping[str, Any] = field(repr=False)
    companion: bool = False
    """Whether it only completes a life cycle, and no verdict is about it."""
    page: str = ""
    """The vendor's page that is about it, if one is."""

    @cached_property
    def examples(self) -> dict[str, Example]:
        """Return every named example of every response."""
        return {name: example for response in self.responses.values() for name, example in response.examples.items()}

    @cached_property
    def stand_ins(self) -> dict[str, tuple[Example, ...]]:
        """Return for each example that other readings replace those that then stand in for it."""
        found: dict[str, tuple[Example, ...]] = {}
        for example in self.examples.values():
            for name in example.instead_of:
                found[name] = (*found.get(name, ()), example)
        return found

    @cached_property
    def refusals_of_credentials(self) -> frozenset[str]:
        """Return the names of the examples that refuse a credential, under whatever reading."""
        named = {name for security in self.security for name in security.scheme.problems.values()}
        named |= {name for finding in ("unauthenticated", "forbidden") if (name := self.problem(finding))}
        instead = {example.name for name in named for example in self.stand_ins.get(name, ())}
        return frozenset(named | instead)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Return what a path of this operation looks like; an empty segment is for the vendor to refuse."""
        parts = re.split(r"\{([^}]+)\}", self.path)
        names = dict.fromkeys(parts[1::2])
        expression = "".join(f"(?P<{part}>[^/]*)" if part in names else re.escape(part) for part in parts)
        return re.compile(expression + r"\Z")

    @cached_property
    def _validators(self) -> dict[tuple[object, ...], jsonschema_rs.Validator]:
        return {}

    def response(self, status: int) -> Response | None:
        """Return what is said of a status: its own response, else its range's, else none."""
        return self.responses.get(str(status)) or self.responses.get(f"{status // 100}XX")

    @cached_property
    def members(self) -> dict[str, frozenset[str]]:
        """Return for each response the names of all members that its bodies may have, wherever they stand."""
        return {
            key: frozenset(
                name for node in response.schemas.values() for name in schema.property_names(node, self.components)
            )
            for key, response in self.responses.items()
        }

    def members_at(self, status: int) -> frozenset[str]:
        """Return the names of all members that an answer of a status may have; none where nothing is said of it."""
        response = self.response(status)
        return self.members[response.key] if response else frozenset()

    def body_schema_at(self, path: Iterable[str | int]) -> Mapping[str, Any]:
        """Return the schema of a place in the request body; the empty schema where the document says nothing."""
        node: Mapping[str, Any] = self.body or {}
        for token in path:
            node = node.get("items", {}) if isinstance(token, int) else node.get("properties", {}).get(token, {})
            if "$ref" in node:
                node = {**schema.resolve({"components": self.components}, node["$ref"]), **node}
        return node

    def problem(self, finding: str, places: Iterable[Mapping[str, str]] = ()) -> str | None:
        """Name the example that answers a class of finding.

        Args:
            finding: The class, such as ``missing``.
            places: ``x-problems`` of the place the finding is about, nearest first; the operation's own come last.
        """
        for place in (*places, self.problems):
            name: str | None = finding
            while name is not None:
                if name in place:
                    return place[name]
                name = COARSER.get(name)
        return None

    def validator(self, response: Response, media_type: str, readings: Readings) -> jsonschema_rs.Validator:
        """Compile the schema of an answer as the chosen readings have it, once; no choice leaves every reading in."""
        key = (response.key, media_type, tuple(sorted(readings.items())))
        if key not in self._validators:
            pruned = schema.prune(response.schemas[media_type], readings)
            self._validators[key] = schema.compiled(pruned, schema.prune(self.components, readings))
        return self._validators[key]

    def options_used(self, response: Response, media_type: str, value: Any) -> list[Option]:
        """List the options without which a valid answer would not be valid."""
        found = sorted({*schema.options_in(response.schemas[media_type], self.components)})
        return [
            option
            for option in found
            if not schema.compiled(
                schema.prune(response.schemas[media_type], {}, without=option),
                schema.prune(self.components, {}, without=option),
            ).is_valid(value)
        ]


@dataclass(frozen=True)
class Document:
    """One vendor's document and the sources it rests on."""

    vendor: str
    file: YamlFile
    sources: Sources
    operations: Mapping[str, Operation]
    general: Operation
    """Answers to requests that reach no operation; its method is ``*``."""
    identifier: str | None
    """JSON pointer of the member that identifies an error, if the vendor has one."""
    bases: Mapping[Option, str]
    """What the branches of schemas that belong to an option rest on, where they say so."""

    @cached_property
    def prefixes(self) -> tuple[str, ...]:
        """Return the leading path segments that belong to this vendor, such as ``/api/v3/``."""
        return tuple(sorted({prefix_of(operation.path) for operation in self.operations.values()}))

    @cached_property
    def secret_queries(self) -> frozenset[str]:
        """Return the query parameters that carry credentials."""
        schemes = (security.scheme for operation in self.operations.values() for security in operation.security)
        return frozenset(scheme.parameter for scheme in schemes if scheme.kind == "query")

    def methods_at(self, path: str) -> list[str]:
        """Return the methods that the document has for a path, with no query; empty if it knows no such path."""
        return [operation.method for operation in self.operations.values() if operation.pattern.fullmatch(path)]

    def owns(self, path: str) -> bool:
        """Tell whether an unknown path is this vendor's to refuse."""
        return any(path.startswith(prefix) or path == prefix.rstrip("/") for prefix in self.prefixes)


def weakest(bases: Iterable[str]) -> str:
    """Return the basis of what has several parts: that of its weakest."""
    return max(bases, key=BASES.index)


def prefix_of(path: str) -> str:
    """Return everything up to the version segment, else the first segment: the vendor's part of a path."""
    segments = path.strip("/").split("/")
    version = next((i for i, segment in enumerate(segments) if re.fullmatch(r"v\d+(\.\d+)*", segment)), 0)
    return "/" + "/".join(segments[: version + 1]) + "/"
