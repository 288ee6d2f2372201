"""Findings: which rule of the document a request breaks. Findings classify; they never word an answer."""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any
from urllib.parse import parse_qsl

import jsonschema_rs
from couponspec.document import JSON, Operation, Parameter, SecurityScheme

from couponmock.exchange import Request

BODY_LIMIT = 1_048_576
"""Bytes of a request body that are read; a longer one is too large. The limit is ours: no vendor prints one."""

_ORDER = ("too_large", "unsupported_media_type", "malformed", "missing", "invalid", "blank")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)\Z")
_MOST_DIGITS = 1000
_EMPTINESS = (
    jsonschema_rs.ValidationErrorKind.MinItems,
    jsonschema_rs.ValidationErrorKind.MinLength,
    jsonschema_rs.ValidationErrorKind.Pattern,
)
"""Rules by which a document refuses an empty value of the right type."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule that a request breaks."""

    kind: str
    """Class: ``missing``, ``blank``, ``invalid``, ``malformed``, ``unsupported_media_type``, ``too_large``, ..."""
    location: str
    """``path:NAME``, ``query:NAME``, ``credential:NAME``, ``body:`` and a JSON pointer, or empty."""
    places: tuple[Mapping[str, str], ...] = ()
    """The ``x-problems`` that say more than the operation's, nearest first."""

    def __str__(self) -> str:
        """Render for headers and logs."""
        return f"{self.kind} {self.location}".strip()


def first(findings: Iterable[Finding]) -> Finding | None:
    """Return the finding to answer: shape before content, and otherwise in the document's order."""
    return min(findings, key=lambda finding: _ORDER.index(finding.kind), default=None)


class Query:
    """The query string, decoded once."""

    def __init__(self, raw: str) -> None:
        """Decode; bytes that are not UTF-8 become lone surrogates, which no value of a world contains."""
        self._values: dict[str, list[str]] = {}
        for name, value in parse_qsl(raw, keep_blank_values=True, errors="surrogateescape", max_num_fields=None):
            self._values.setdefault(name, []).append(value)

    def get(self, name: str) -> str | None:
        """Return the value of a parameter given once; None if it is absent.

        Raises:
            ValueError: it is given more than once.
        """
        values = self._values.get(name, [])
        if len(values) > 1:
            raise ValueError(name)
        return values[0] if values else None

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all parameters, each once, in the order in which they came."""
        return tuple(self._values)


def buffered(request: Request) -> Request:
    """Read the body of a request now, and let it be read more than once."""
    body = request.read(BODY_LIMIT)
    return replace(request, read=lambda _: body)


def credential(scheme: SecurityScheme, request: Request, query: Query) -> str | None:
    """Return the secret sent under a security scheme; None if there is none.

    Raises:
        ValueError: something was sent that cannot be a credential of the scheme.
    """
    if scheme.kind == "query":
        return query.get(scheme.parameter) or None
    sent = request.headers.get(scheme.parameter.lower())
    if not sent:
        return None
    if scheme.kind == "basic":
        kind, _, encoded = sent.partition(" ")
        if kind.lower() != "basic":
            raise ValueError(scheme.parameter)
        try:
            return base64.b64decode(encoded.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ValueError(scheme.parameter) from error
    if not sent.startswith(scheme.prefix):
        raise ValueError(scheme.parameter)
    return sent.removeprefix(scheme.prefix)


class Validator:
    """The rules of one operation for its parameters and body, compiled once."""

    def __init__(self, operation: Operation) -> None:
        """Compile the schemas of an operation."""
        self.operation = operation
        self._parameters = [(parameter, _compiled(parameter.schema)) for parameter in operation.parameters]
        self._when = {
            (parameter.name, other, value): _compiled(schema)
            for parameter in operation.parameters
            for other, cases in parameter.when.items()
            for value, schema in cases.items()
        }
        schemas = operation.components.get("schemas", {})
        self._body = (
            None
            if operation.body is None
            else jsonschema_rs.Draft202012Validator(
                {"components": {"schemas": schemas}, "allOf": [operation.body]}, validate_formats=True
            )
        )

    def parameters(self, path: Mapping[str, str], query: Query) -> tuple[dict[str, Any], list[Finding]]:
        """Return the values of the parameters, with defaults, and what is wrong with them."""
        values: dict[str, Any] = {}
        findings: list[Finding] = []
        for parameter, validator in self._parameters:
            try:
                sent = path[parameter.name] if parameter.place == "path" else query.get(parameter.name)
            except ValueError:
                findings.append(_about(parameter, "invalid"))
                continue
            if sent is None or (parameter.required and not sent.strip()):
                if parameter.required:
                    findings.append(_about(parameter, "missing"))
                values[parameter.name] = parameter.schema.get("default")
                continue
            value = _coerced(sent, parameter)
            if _has_surrogates(sent) or not validator.is_valid(value):
                findings.append(_about(parameter, "invalid"))
            else:
                values[parameter.name] = value
        findings += [
            _about(parameter, "invalid")
            for parameter in self.operation.parameters
            for other in parameter.when
            for validator in [self._when.get((parameter.name, other, str(values.get(other))))]
            if validator and values.get(parameter.name) is not None and not validator.is_valid(values[parameter.name])
        ]
        return values, findings

    def body(self, request: Request) -> tuple[Any, list[Finding]]:
        """Return the JSON body and what is wrong with it; None for an operation without a body."""
        if self._body is None:
            return None, []
        raw = request.read(BODY_LIMIT)
        if raw is None:
            return None, [Finding("too_large", "body:")]
        if not _is_json(request):
            return None, [Finding("unsupported_media_type", "body:")]
        try:
            value = strict_json(raw)
        except ValueError:
            return None, [Finding("malformed", "body:")]
        return value, [] if self._body.is_valid(value) else self._findings(self._body, value)

    def _findings(self, validator: jsonschema_rs.Draft202012Validator, body: Any) -> list[Finding]:
        try:
            return [self._finding(error, body) for error in validator.iter_errors(body)]
        except ValueError:  # nested too deeply for a list of errors
            return [Finding("malformed", "body:")]

    def _finding(self, error: jsonschema_rs.ValidationError, body: Any) -> Finding:
        path = list(error.instance_path)
        # The error's own copy of the value is null for a number beyond a double's range.
        value = reduce(lambda node, token: node[token], path, body)
        kind = "invalid"
        if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.Required):
            path.append(error.kind.property)
            kind = "missing"
        elif value is None and path:
            kind = "missing"
        elif isinstance(error.kind, _EMPTINESS) and (value == [] or (isinstance(value, str) and not value.strip())):
            kind = "blank"
        places = tuple(self._places(path))
        return Finding(kind, "body:" + "".join(f"/{token}" for token in path), places)

    def _places(self, path: list[str | int]) -> Iterator[Mapping[str, str]]:
        problems = self.operation.body_schema_at(path).get("x-problems")
        if problems:
            yield problems


def _compiled(schema: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(dict(schema), validate_formats=True)


def _about(parameter: Parameter, kind: str) -> Finding:
    return Finding(kind, parameter.location, (parameter.problems,))


def _coerced(sent: str, parameter: Parameter) -> Any:
    """Read a parameter as the type its schema names; what cannot be read stays text and fails the schema."""
    if parameter.schema.get("type") != "integer" or not _INTEGER.match(sent):
        return sent
    # No entity has a number of a thousand digits, and Python refuses to convert four times as many.
    return int(sent[:_MOST_DIGITS])


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)


def _is_json(request: Request) -> bool:
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = re.search(r"charset\s*=\s*\"?([^\s\";]+)", parameters, re.IGNORECASE)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        return False
    return media_type.strip().lower() == JSON and (charset is None or charset[1].lower() in {"utf-8", "utf8"})


def strict_json(raw: bytes) -> Any:
    """Read JSON as RFC 8259 has it for exchange: UTF-8 without a mark, no NaN, no duplicate keys, no lone surrogates.

    Raises:
        ValueError: it is something else.
    """
    text = raw.decode("utf-8")
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if "\\u" in text and _has_surrogates(json.dumps(value, ensure_ascii=False)):
        raise ValueError("lone surrogate")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("duplicate key")
    return members


def _constant(name: str) -> Any:
    raise ValueError(name)
