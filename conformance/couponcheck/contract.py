"""Every answer against the document: is it listed, is it JSON, does it fit its schema, which readings does it take?"""

from dataclasses import dataclass

from couponspec import schema
from couponspec.document import Document, Operation, Response
from couponspec.schema import Option, Readings

from couponcheck.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Violation:
    """One way in which an answer breaks the document."""

    aspect: str
    """``status``, ``media-type``, ``json``, ``schema`` or ``disclosure``."""
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
        listed = ", ".join(operation.responses)
        return [Violation("status", of, "", f"one of the documented statuses {listed}", f"status {exchange.status}")]
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
        Violation("schema", of, member, f"a body that fits the schema of {response.key}", message)
        for member, message in _errors(document, operation, response, exchange)
    ]


def _errors(document: Document, operation: Operation, response: Response, exchange: Exchange) -> list[tuple[str, str]]:
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
    return [*best.members.items()] or [("", "the body fits no mixture of the documented readings")]


@dataclass(frozen=True, slots=True)
class _Wrong:
    """What is wrong with a body in certain readings."""

    wholly: bool
    """Whether it is the body itself, which explains less than any member."""
    members: dict[str, str]
    """Member -> its first error: a long list is as wrong as its items, not as many times."""


def _wrong_members(operation: Operation, response: Response, exchange: Exchange, readings: Readings) -> _Wrong:
    wholly = False
    members: dict[str, str] = {}
    for error in operation.validator(response, exchange.media_type, readings).iter_errors(exchange.body):
        path = [str(token) for token in error.instance_path if isinstance(token, str)]
        if missing := getattr(error.kind, "property", None):
            path.append(str(missing))
        place = "/".join(str(token) for token in error.instance_path)
        wholly = wholly or not (place or missing)
        members.setdefault(".".join(path), f"{error.message[:300]} (at /{place})")
    return _Wrong(wholly, members)


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
