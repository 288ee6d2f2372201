"""Makes replies out of a document's examples, as the chosen readings have them, and lets none leave that is wrong."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import jsonschema_rs
from couponspec.document import Document, Example, Operation, Response, weakest
from couponspec.schema import Option, options_in

from couponmock.behaviour import Answer
from couponmock.exchange import Diagnosis, Reply
from couponmock.form import Form
from couponmock.reading import Acting


class BrokenAnswer(Exception):
    """Our own answer breaks the document: a fault of ours, which must never pass for a vendor's answer."""


class Renderer:
    """Words the answers of one vendor."""

    def __init__(self, document: Document, forms: Iterable[Form]) -> None:
        """Keep what is compiled for a document."""
        self._document = document
        self._forms = tuple(forms)
        self._validators: dict[tuple[object, ...], jsonschema_rs.Validator] = {}
        self._open: dict[tuple[str, str], tuple[str, ...]] = {}
        self._values: dict[str, dict[str, Any]] = {}

    def values(self, operation: Operation) -> Mapping[str, Any]:
        """Return the values of an operation's examples by name."""
        if operation.id not in self._values:
            self._values[operation.id] = {name: example.value for name, example in operation.examples.items()}
        return self._values[operation.id]

    def render(
        self, operation: Operation, answer: Answer, facts: Mapping[str, Any], acting: Acting, finding: str = ""
    ) -> Reply:
        """Word an answer by its example, or by the one that stands in for it where another reading is chosen.

        Args:
            operation: The operation, or the document's general answers.
            answer: Which example, and what this call makes of it.
            facts: Values for the example's templates.
            acting: The chosen readings; is told which of them shaped the answer.
            finding: What was wrong with the request, for the diagnosis.

        Raises:
            BrokenAnswer: the body does not fit its schema, as the chosen readings have it.
        """
        example = operation.examples[answer.example]
        if acting.readings:
            named, example = example, _stand_in(operation, example, acting)
            if example.status // 100 != named.status // 100:
                answer = Answer(example.name)  # what this call has made of a success is no part of an error
        return self.word(operation, example, answer, facts, acting, finding)

    def word(
        self,
        operation: Operation,
        example: Example,
        answer: Answer,
        facts: Mapping[str, Any],
        acting: Acting,
        finding: str = "",
    ) -> Reply:
        """Word an answer by an example that need not be one of the document's.

        Raises:
            BrokenAnswer: as `render` does; an answer of a status that the document does not list is not judged.
        """
        value = _value(example, answer, facts)
        formed: list[Option] = []
        if acting.readings:
            value = self._formed(operation, value, acting, formed)
        validator = (
            self._validator(operation, example, acting, formed) if example.response in operation.responses else None
        )
        if validator and not validator.is_valid(value):
            reason = next(iter(validator.iter_errors(value))).message
            raise BrokenAnswer(f"{operation.id} {example.name} ({example.status}): {reason}")
        vendor = self._document.vendor
        basis = weakest((example.basis, *(self._document.bases[each] for each in formed))) if formed else example.basis
        shaped = tuple(f"{vendor}.{option}" for option in acting.shaped) if acting.shaped else ()
        return Reply(
            status=example.status,
            media_type=example.media_type,
            body=json.dumps(value, ensure_ascii=False).encode(),
            headers=tuple((name, template.format_map(facts)) for name, template in example.headers.items()),
            diagnosis=Diagnosis(vendor, operation.id, finding, example.name, basis, shaped),
        )

    def _formed(self, operation: Operation, value: Any, acting: Acting, formed: list[Option]) -> Any:
        """Write a value in the chosen forms and note those that changed it."""
        for form in self._forms:
            if acting.has(form.option) and form.is_of(operation.id):
                before, value = value, form(value)
                if value != before:
                    formed.append(form.option)
                    acting.shape(form.option)
        return value

    def _validator(
        self, operation: Operation, example: Example, acting: Acting, formed: Iterable[Option]
    ) -> jsonschema_rs.Validator:
        """Compile, once, what an answer has to be: as taken, but for the choices, the example, the forms, in turn."""
        response = operation.responses[example.response]
        chosen = self._chosen(operation, response, acting) if acting.readings else ()
        key = (operation.id, response.key, example.option, chosen, tuple(formed))
        if key not in self._validators:
            own = (option for option in (response.option, example.option) if option)
            named = {option.reading: option.option for option in (*chosen, *own, *formed)}
            readings = {**self._document.sources.taken, **named}
            self._validators[key] = operation.validator(response, example.media_type, readings)
        return self._validators[key]

    def _chosen(self, operation: Operation, response: Response, acting: Acting) -> tuple[Option, ...]:
        """Return the chosen options of readings that a response leaves open: only those make another validator."""
        key = (operation.id, response.key)
        if key not in self._open:
            options = options_in([*response.schemas.values()], operation.components)
            self._open[key] = tuple(sorted({option.reading for option in options}))
        return tuple(Option(name, acting.readings[name]) for name in self._open[key] if name in acting.readings)


def _stand_in(operation: Operation, example: Example, acting: Acting) -> Example:
    """Return what the chosen readings put in the place of an example, also by way of others."""
    while True:
        chosen = (
            other for other in operation.stand_ins.get(example.name, ()) if other.option and acting.takes(other.option)
        )
        found = next(chosen, None)
        if found is None:
            return example
        example = found


def in_force(operation: Operation, acting: Acting) -> dict[str, Example]:
    """Return the examples of an operation that the chosen readings let it give."""
    return {
        name: example
        for name, example in operation.examples.items()
        if (not example.instead_of or (example.option and acting.has(example.option)))
        and not any(other.option and acting.has(other.option) for other in operation.stand_ins.get(name, ()))
    }


def _value(example: Example, answer: Answer, facts: Mapping[str, Any]) -> Any:
    if answer.body is not None:
        return answer.body
    value = {**example.value, **answer.members} if answer.members else example.value
    if example.templates:
        value = dict(value)
        for pointer, template in example.templates.items():
            value[pointer.removeprefix("/")] = template.format_map(facts)
    return value
