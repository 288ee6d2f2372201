"""Every answer against the document: is it listed, is it JSON, does it fit its schema, which readings does it take?"""

from collections.abc import Iterator
from dataclasses import dataclass
from http.client import BAD_REQUEST, METHOD_NOT_ALLOWED
from typing import Any

from couponspec import schema
from couponspec.document import Document, Operation, Response
from couponspec.schema import Option, Readings

from couponcheck.exchange import Exchange
from couponcheck.wording import as_text

Told = tuple[str, str]
"""What was expected, and what came."""
_WRONG_METHOD = {BAD_REQUEST, METHOD_NOT_ALLOWED}
_NOT_OURS = {"HEAD", "OPTIONS", "TRACE"}
"""Methods that are answered by what stands before an application, or by HTTP itself."""
_TYPES = {
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which an answer breaks the document."""

    aspect: str
    """``status``, ``media-type``, ``json``, ``schema``, ``allow`` or ``disclosure``."""
    of: str
    """``success`` or ``errors``."""
    member: str
    """Dotted name of the member, without list positions; empty for the whole."""
    expected: str
    got: str


def operation_of(document: Document, operation: str) -> Operation:
    """Return an operation, or the general answers."""
    return document.operations.get(operation, document.general)


def violations(document: Document, exchange: Exchange) -> list[Violation]:
    """List the ways in which an answer breaks the document; empty if it is right in some reading."""
    operation = operation_of(document, exchange.operation)
    of = "success" if exchange.status < 400 else "errors"
    response = operation.response(exchange.status)
    if response is None:
        listed = f"one of the documented statuses {', '.join(operation.responses)}"
        if operation is document.general and exchange.status < 400:
            is_known = document.methods_at(exchange.request.target.partition("?")[0])
            what = f"{exchange.request.method} on a path that has no such method" if is_known else "a path of no page"
            listed = f"a refusal of {what}, by {listed}"
        return [Violation("status", of, "", listed, f"status {exchange.status}")]
    if exchange.media_type not in response.schemas:
        expected = " or ".join(response.schemas)
        return [
            Violation(
                "media-type", of, "", f"Content-Type {expected}", f"Content-Type {exchange.media_type or '(none)'}"
            )
        ]
    value, wrong = exchange.parsed
    if wrong:
        return [Violation("json", of, "", "a body that is JSON", wrong)]
    if operation.validator(response, exchange.media_type, {}).is_valid(value):
        return []
    return [
        Violation("schema", of, member, expected, got)
        for member, (expected, got) in _errors(document, operation, response, exchange)
    ]


def has_place(body: Any, member: str) -> bool:
    """Tell whether a body has an object in which a member stands or is missing: an empty list proves nothing of items.

    Args:
        body: An answer's JSON.
        member: Dotted name without list positions.
    """
    level = [body]
    for name in [*member.split(".")[:-1], None]:
        objects: list[Any] = []
        for value in level:
            objects += value if isinstance(value, list) else [value]
        level = [item for item in objects if isinstance(item, dict)]
        if name is not None:
            level = [item[name] for item in level if name in item]
    return bool(level)


def allowances(document: Document, exchange: Exchange) -> Iterator[Violation]:
    """Yield what a refused method's answer says wrongly of the methods that are allowed (RFC 9110, 15.5.6)."""
    request = exchange.request
    if exchange.status not in _WRONG_METHOD or request.method in _NOT_OURS:
        return
    methods = document.methods_at(request.target.partition("?")[0])
    if not methods or request.method in methods:
        return
    header = exchange.headers.get("allow")
    if header is None:
        if exchange.status == METHOD_NOT_ALLOWED:
            yield Violation("allow", "errors", "", f"a header Allow with {' and '.join(methods)}", "no header Allow")
        return
    told = {method.strip() for method in header.split(",")}
    if request.method in told or not told >= {*methods}:
        yield Violation(
            "allow",
            "errors",
            "",
            f"a header Allow with {' and '.join(methods)} and not with {request.method}",
            f"Allow: {header}",
        )


def _errors(document: Document, operation: Operation, response: Response, exchange: Exchange) -> list[tuple[str, Told]]:
    """Explain a wrong body by the mixture of readings that leaves the fewest members wrong."""
    chosen = dict(document.sources.taken)
    best = _wrong_members(operation, response, exchange, chosen)
    for option in sorted({*schema.options_in(response.schemas[exchange.media_type], operation.components)}):
        # Its other option, or either: one item may take this and the next one that.
        either = {reading: name for reading, name in chosen.items() if reading != option.reading}
        for readings in ({**chosen, option.reading: option.option}, either):
            found = _wrong_members(operation, response, exchange, readings)
            if (found.wholly, len(found.members)) < (best.wholly, len(best.members)):
                chosen, best = readings, found
    nothing = (f"a body that fits the schema of {response.key} in some mixture of readings", "it fits none")
    return [*best.members.items()] or [("", nothing)]


@dataclass(frozen=True, slots=True)
class _Wrong:
    """What is wrong with a body in certain readings."""

    wholly: bool
    """Whether it is the body itself, which explains less than any member."""
    members: dict[str, Told]
    """Member -> its first error: a long list is as wrong as its items, not as many times."""


def _wrong_members(operation: Operation, response: Response, exchange: Exchange, readings: Readings) -> _Wrong:
    wholly = False
    members: dict[str, Told] = {}
    for error in operation.validator(response, exchange.media_type, readings).iter_errors(exchange.body):
        path = [str(token) for token in error.instance_path if isinstance(token, str)]
        if missing := getattr(error.kind, "property", None):
            path.append(str(missing))
        wholly = wholly or not (error.instance_path or missing)
        members.setdefault(".".join(path), _told(error))
    return _Wrong(wholly, members)


def _told(error: Any) -> Told:
    """Say what an error of the schema's validator expected and got, in the words that a developer has for it."""
    place = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in error.instance_path).lstrip(".")
    if missing := getattr(error.kind, "property", None):
        return f"{place or 'the body'} with a member {missing}", f"{place and f'{place}.'}{missing} is missing"
    place = place or "the body"
    got = f"{place} is {as_text(error.instance)}"
    if wanted := _wanted(error):
        return f"{place} is {wanted}", got
    if isinstance(error.kind, error.kind.OneOfMultipleValid):
        return f"{place} in one of the forms that its schema has, and not in several at a time", got
    return f"{place} as its schema has it", got if hasattr(error.kind, "context") else error.message


def _wanted(error: Any) -> str:
    """Name what a value should be; empty for what only the validator's own words tell."""
    kind = error.kind
    if branches := getattr(kind, "context", None):
        # Of alternatives that look deeper into the value, each is wrong in another place.
        options = [
            _wanted(errors[0]) for errors in branches if errors and errors[0].instance_path == error.instance_path
        ]
        return " or ".join(dict.fromkeys(filter(None, options)))
    told = {
        "const": lambda: as_text(kind.expected_value),
        "enum": lambda: f"one of {', '.join(map(as_text, kind.options))}",
        "type": lambda: " or ".join(_TYPES[name] for name in kind.types),
        "maxLength": lambda: f"no longer than {kind.limit} characters",
        "minLength": lambda: "not empty" if kind.limit == 1 else f"no shorter than {kind.limit} characters",
        "maxItems": lambda: "empty" if kind.limit == 0 else f"no longer than {kind.limit} items",
        "minItems": lambda: "not empty" if kind.limit == 1 else f"no shorter than {kind.limit} items",
        "format": lambda: f"a text in the format {kind.format}",
        "minimum": lambda: f"{kind.limit} or more",
        "pattern": lambda: f"a text that matches {kind.pattern}",
    }
    return told[kind.name]() if kind.name in told else ""


def readings_used(document: Document, exchange: Exchange) -> list[Option]:
    """List the options other than the taken ones that a right answer rests on."""
    operation = operation_of(document, exchange.operation)
    response = operation.response(exchange.status)
    if response is None or exchange.media_type not in response.schemas or exchange.parsed[1]:
        return []
    used = [response.option] if response.option else []

    def fits(readings: Readings) -> bool:
        return operation.validator(response, exchange.media_type, readings).is_valid(exchange.body)

    if fits({}) and not fits(document.sources.taken):  # a wrong answer rests on no option
        used += operation.options_used(response, exchange.media_type, exchange.body)
    taken = document.sources.taken
    return [option for option in used if taken.get(option.reading) != option.option]


def tolerated(document: Document, option: Option) -> bool:
    """Tell whether an option is accepted with a warning only."""
    return option.option in document.sources.readings[option.reading].tolerated
