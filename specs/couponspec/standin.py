"""Examples that stand in for others where another reading is chosen (`x-instead-of`), and what is wrong with them."""

from collections.abc import Iterator

from couponspec.document import Document, Example, Operation
from couponspec.faults import Fault
from couponspec.yamlfile import escape


def stand_in_faults(document: Document) -> list[Fault]:
    """List the examples that cannot stand in for the ones that their `x-instead-of` names."""
    operations = (*document.operations.values(), document.general)
    faults = [
        fault
        for operation in operations
        for example in operation.examples.values()
        if example.instead_of
        for fault in (*_name_faults(document, operation, example), *_option_faults(document, operation, example))
    ]
    faults += [fault for operation in operations for fault in _forgotten(document, operation)]
    return [*dict.fromkeys(faults)]  # a response that several operations share is faulty once


def _place(operation: Operation, example: Example) -> str:
    pointer = operation.responses[example.response].pointer
    return f"{pointer}/content/{escape(example.media_type)}/examples/{example.name}/x-instead-of"


def _name_faults(document: Document, operation: Operation, example: Example) -> Iterator[Fault]:
    place = _place(operation, example)
    for name in example.instead_of:
        if name not in operation.examples:
            others = [other for other in operation.examples if other != example.name]
            reason = f"{operation.id} has no example {name!r}"
            yield document.file.fault(place, reason, f"use one of {others}")
    if example.name in _replaced(operation, example):
        yield document.file.fault(place, "the example stands in for itself in the end", "break the circle")


def _replaced(operation: Operation, example: Example) -> set[str]:
    """Return the names of all that an example replaces, also by way of others."""
    found: set[str] = set()
    rest = [*example.instead_of]
    while rest:
        name = rest.pop()
        if name in operation.examples and name not in found:
            found.add(name)
            rest += operation.examples[name].instead_of
    return found


def _option_faults(document: Document, operation: Operation, example: Example) -> Iterator[Fault]:
    option = example.option
    if option is None:
        return  # the shape of a document asks for one
    place = _place(operation, example)
    if document.sources.taken.get(option.reading) == option.option:
        reason = f"{option} is the option taken, under which nothing is replaced"
        yield document.file.fault(place, reason, "name another option in x-reading, or leave x-instead-of out")
    around = operation.responses[example.response].option
    if around is not None and around.reading == option.reading and around != option:
        fix = "write the same option, or move the example"
        yield document.file.fault(place, f"the example is of {option}, the response around it of {around}", fix)
    for name in example.instead_of:
        replaced = operation.examples.get(name)
        if replaced is None:
            continue
        if replaced.option == option:
            reason = f"the replaced example {name!r} is of {option} too"
            yield document.file.fault(place, reason, "name an example of another option")
        rivals = [other.name for other in operation.stand_ins[name] if other.option == option]
        if rivals[0] != example.name:
            reason = f"{rivals[0]!r} stands in for {name!r} under {option} already"
            yield document.file.fault(place, reason, "leave one of them out")


def _forgotten(document: Document, operation: Operation) -> Iterator[Fault]:
    """Yield the answers that an option replaces in another operation and forgets in this one."""
    for other in (*document.operations.values(), document.general):
        for name, stand_ins in other.stand_ins.items():
            if name not in operation.examples or name not in other.examples:
                continue
            own = {example.option for example in operation.stand_ins.get(name, ())}
            for example in stand_ins:
                if example.option not in own and _concerns(example, other.examples[name], operation.examples[name]):
                    reason = f"{other.id} replaces {name!r} under {example.option}, {operation.id} does not"
                    fix = f"add an example with x-reading: {example.option} and x-instead-of: {name}"
                    yield document.file.fault(f"{operation.pointer}/responses", reason, fix)


def _concerns(stand_in: Example, replaced: Example, namesake: Example) -> bool:
    """Tell whether a reading is about an answer of the same name too: not if only the replaced one says so."""
    readings = [example.option.reading if example.option else "" for example in (stand_in, replaced, namesake)]
    return readings[1] != readings[0] or readings[2] == readings[0]
