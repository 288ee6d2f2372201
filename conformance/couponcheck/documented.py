"""Which documented answers a run has seen."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from couponspec.document import Document, Example, Operation

from couponcheck.exchange import Exchange
from couponcheck.outcome import Outcome


@dataclass(frozen=True, slots=True)
class Documented:
    """Answers of an operation that a client tells apart: by status and, where the vendor has one, by identifier."""

    vendor: str
    operation: str
    status: str
    """A status, or a range such as ``4XX``."""
    identifier: str
    examples: tuple[str, ...]
    basis: tuple[str, ...]
    seen: int
    """How many answers of the run were of this kind."""
    first: str
    """Id of the requirement that saw the first of them; empty if none did."""


def documented(document: Document, outcomes: Iterable[Outcome]) -> Iterator[Documented]:
    """Yield what a document lists, in its order, with what was seen of it."""
    seen: dict[int, tuple[Exchange, str]] = {}
    for outcome in outcomes:
        if outcome.requirement.vendor == document.vendor:
            for exchange in outcome.exchanges:
                seen.setdefault(id(exchange), (exchange, outcome.requirement.id))
    for operation in (*document.operations.values(), document.general):
        own = [pair for pair in seen.values() if pair[0].operation == operation.id]
        for (status, identifier), examples in _kinds(document, operation).items():
            found = [name for exchange, name in own if _kind(document, operation, exchange) == (status, identifier)]
            yield Documented(
                vendor=document.vendor,
                operation=operation.id,
                status=status,
                identifier=identifier,
                examples=tuple(examples),
                basis=tuple(sorted({example.basis for example in examples.values()})),
                seen=len(found),
                first=found[0] if found else "",
            )


def _kinds(document: Document, operation: Operation) -> dict[tuple[str, str], dict[str, Example]]:
    kinds: dict[tuple[str, str], dict[str, Example]] = {}
    for name, example in operation.examples.items():
        kinds.setdefault((example.response, _identifier(document, example.value)), {})[name] = example
    return kinds


def _kind(document: Document, operation: Operation, exchange: Exchange) -> tuple[str, str]:
    response = operation.response(exchange.status)
    return response.key if response else str(exchange.status), _identifier(document, exchange.body)


def _identifier(document: Document, body: object) -> str:
    """Return the member that identifies an error, unless it only repeats the status."""
    member = (document.identifier or "").removeprefix("/")
    value = body.get(member) if member and isinstance(body, dict) else None
    return value if isinstance(value, str) else ""
