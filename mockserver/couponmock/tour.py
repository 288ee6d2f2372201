"""What a person can try at once: one working curl for each operation, and the table of how to reach every answer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from couponspec.document import Document, Example
from couponspec.pack import Entity, Pack, Reach
from couponspec.request import Bindings, build, names_in

from couponmock.store import wall_clock


@dataclass(frozen=True, slots=True)
class Stop:
    """One documented answer and how to get it."""

    vendor: str
    operation: str
    companion: bool
    """Whether the operation only completes a life cycle."""
    example: Example
    handle: str
    values: str
    """The seeded values that the request uses."""
    curl: str


def stops(document: Document, pack: Pack, base_url: str) -> Iterator[Stop]:
    """Yield every answer that a pack says how to reach, in the pack's order."""
    bindings = pack.bindings(_epoch(pack), {handle for reach in pack.reach for handle in reach.handles})
    operations = {**document.operations, document.general.id: document.general}
    for reach in pack.reach:
        operation = operations[reach.operation]
        yield Stop(
            vendor=document.vendor,
            operation=reach.operation,
            companion=operation.companion,
            example=operation.examples[reach.answer],
            handle=reach.handle,
            values=_values(reach, bindings),
            curl=build(document, operation, reach.request, bindings).curl(base_url),
        )


def ways(document: Document, pack: Pack, base_url: str) -> dict[tuple[str, str], Stop]:
    """Return how to get each answer, by operation and example.

    As the pack has it; an answer that it does not reach is asked for by `Prefer`, with the operation's first request.
    """
    found: dict[tuple[str, str], Stop] = {}
    for stop in stops(document, pack, base_url):
        found.setdefault((stop.operation, stop.example.name), stop)
    firsts: dict[str, Reach] = {}
    for reach in pack.reach:
        firsts.setdefault(reach.operation, reach)
    bindings = pack.bindings(_epoch(pack), {handle for reach in firsts.values() for handle in reach.handles})
    for operation in document.operations.values():
        first = firsts.get(operation.id)
        for example in operation.examples.values() if first else ():
            if first and not example.instead_of and (operation.id, example.name) not in found:
                headers = {**first.request.get("headers", {}), "Prefer": f"example={example.name}"}
                request = build(document, operation, {**first.request, "headers": headers}, bindings)
                stop = Stop(
                    vendor=document.vendor,
                    operation=operation.id,
                    companion=operation.companion,
                    example=example,
                    handle=first.handle,
                    values=_values(first, bindings),
                    curl=request.curl(base_url),
                )
                found[operation.id, example.name] = stop
    return found


def highlights(document: Document, pack: Pack, base_url: str) -> list[Stop]:
    """Return the first answer of each operation: the one that succeeds."""
    first: dict[str, Stop] = {}
    for stop in stops(document, pack, base_url):
        if stop.operation in document.operations:
            first.setdefault(stop.operation, stop)
    return list(first.values())


def inferred(pack: Pack) -> list[Entity]:
    """Return the entities with values that no page prints."""
    return [entity for entity in pack.entities if entity.inferred]


def _values(reach: Reach, bindings: Bindings) -> str:
    shown = []
    for handle in sorted({reach.handle, *names_in(reach.request)} - {"-"}):
        shown += [f"{name}={_short(value)}" for name, value in _identity(bindings[handle]).items()]
    return " ".join(shown)


def _identity(members: Mapping[str, object]) -> Mapping[str, object]:
    """Return the members that a client would use to name the entity."""
    named = ("code", "coupon_id", "id", "customer_id", "email", "secret")
    return {name: members[name] for name in named if name in members}


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


def _epoch(pack: Pack) -> int:
    return wall_clock() if pack.frozen is None else pack.frozen
