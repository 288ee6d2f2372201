"""What counts as seen, and the figures of it."""

from collections.abc import Iterable, Mapping
from typing import Any

from couponspec.document import Document, Example, Operation

from couponmock.exchange import Reply
from couponmock.tour import Stop

_FORCED = " forced"

Report = dict[str, Any]
Ways = Mapping[tuple[str, str], Stop]
"""Operation and example -> how to get that answer."""


def answer_of(document: Document, reply: Reply) -> str | None:
    """Name the documented answer that a reply is, as the store keeps it; None if it is none of the document's.

    There are as many names as the document has examples, and as many again for those that were asked for.
    """
    if reply.damaged:
        return None
    diagnosis = reply.diagnosis
    # A general answer that was asked for comes under the name of the operation.
    for operation in (document.operations.get(diagnosis.operation, document.general), document.general):
        example = operation.examples.get(diagnosis.example)
        if example is not None and example.status == reply.status:
            return _name(document, operation, example) + (_FORCED if diagnosis.forced else "")
    return None


def counts(document: Document, operation: Operation) -> bool:
    """Tell whether the answers of an operation are among those that a client has to have seen.

    General answers and companions are listed only: whoever gets one of the first has asked for something that is no
    operation, and the others only complete a life cycle.
    """
    return operation is not document.general and not operation.companion


def report(namespace: str, documents: Iterable[Document], seen: Iterable[str], ways: Mapping[str, Ways]) -> Report:
    """Hold what was seen against what is documented.

    Args:
        namespace: Whose figures they are; ``*`` for those of the server.
        documents: Those of the vendors that are asked about.
        seen: Names by `answer_of`.
        ways: How to get the answers, by vendor.
    """
    names = frozenset(seen)
    vendors = [_vendor(document, names, ways[document.vendor]) for document in documents]
    return {"namespace": namespace, "total": _figures(_counted(vendors)), "vendors": vendors}


def _vendor(document: Document, seen: frozenset[str], ways: Ways) -> Report:
    operations = [
        _operation(document, operation, seen, ways) for operation in (*document.operations.values(), document.general)
    ]
    vendor = {"vendor": document.vendor, "operations": operations}
    return {"vendor": document.vendor, **_figures(_counted([vendor])), "operations": operations}


def _operation(document: Document, operation: Operation, seen: frozenset[str], ways: Ways) -> Report:
    examples = [
        _example(document, operation, example, seen, ways.get((operation.id, example.name)))
        for example in operation.examples.values()
        if not example.instead_of
    ]
    general = operation is document.general
    return {
        "operation": operation.id,
        "method": None if general else operation.method,
        "path": None if general else operation.path,
        "counted": counts(document, operation),
        **_figures(examples),
        "examples": examples,
    }


def _example(
    document: Document, operation: Operation, example: Example, seen: frozenset[str], way: Stop | None
) -> Report:
    # Under another reading another example stands in; who has seen that one has seen this answer.
    names = [_name(document, operation, each) for each in (example, *operation.stand_ins.get(example.name, ()))]
    given, asked_for = any(name in seen for name in names), any(name + _FORCED in seen for name in names)
    return {
        "example": example.name,
        "status": example.status,
        "code": _code(document, example),
        "basis": example.basis,
        "seen": given or asked_for,
        "forced": asked_for and not given,
        "reach": {"handle": way.handle, "curl": way.curl} if way else None,
    }


def _counted(vendors: list[Report]) -> list[Report]:
    """Return the examples that count."""
    operations = [operation for vendor in vendors for operation in vendor["operations"] if operation["counted"]]
    return [example for operation in operations for example in operation["examples"]]


def _figures(examples: list[Report]) -> Report:
    """Count examples, and apart from the rest those that are errors by their status."""
    return {**_share(examples), "errors": _share([example for example in examples if example["status"] >= 400])}


def _share(examples: list[Report]) -> Report:
    documented, seen = len(examples), sum(example["seen"] for example in examples)
    # Cut and not rounded: 100 means all.
    percent = 1000 * seen // documented / 10 if documented else 100.0
    forced = sum(example["forced"] for example in examples)
    return {"documented": documented, "seen": seen, "forced": forced, "percent": percent}


def _code(document: Document, example: Example) -> str | int | None:
    """Return the vendor's own code of an error."""
    member = (document.identifier or "").removeprefix("/")
    value = example.value.get(member) if example.status >= 400 and isinstance(example.value, Mapping) else None
    return value if isinstance(value, str | int) else None


def _name(document: Document, operation: Operation, example: Example) -> str:
    return f"{document.vendor} {operation.id} {example.name}"
