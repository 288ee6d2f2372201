"""Answers that a client asks for: ``Prefer: code=404``, ``Prefer: example=not_issued``, or the same as ``?__code=``."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from couponspec.document import Example, Operation

from couponmock.exchange import Request
from couponmock.finding import Query
from couponmock.reading import Acting
from couponmock.renderer import in_force

_PREFERENCES = ("code", "example")
"""What a client can ask for: in `Prefer` by these names, and each a member of `Forced`."""
QUERIES = {f"__{name}": name for name in _PREFERENCES}
"""Query parameter of the mock itself -> what is asked for with it."""
_PREFERENCE = re.compile(rf"\s*({'|'.join(_PREFERENCES)})\s*=\s*\"?([^\s\",;]*)\"?\s*\Z")
_BUSY = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


class Unforceable(Exception):
    """No such answer can be given; the message names those that can."""


@dataclass(frozen=True, slots=True)
class Forced:
    """What a client wants to be answered."""

    code: str | None = None
    example: str | None = None

    @classmethod
    def of(cls, request: Request, query: Query) -> "Forced | None":
        """Read the wish from the query or from the header; None if there is none."""
        found: dict[str, str] = {}
        for part in re.split("[,;]", request.headers.get("prefer", "")):
            if match := _PREFERENCE.match(part):
                found.setdefault(match[1], match[2])
        for parameter, name in QUERIES.items():
            try:
                value = query.get(parameter)
            except ValueError as error:
                raise Unforceable(f"The query parameter {parameter} is given more than once.") from error
            if value is not None:
                found[name] = value
        return cls(**found) if found else None

    def __str__(self) -> str:
        """Give the form of the Preference-Applied header."""
        return ", ".join(f"{name}={value}" for name in _PREFERENCES if (value := getattr(self, name)) is not None)

    def answer(self, operation: Operation, general: Operation, identifier: str | None, acting: Acting) -> Example:
        """Find the example to answer with.

        Args:
            operation: What was asked for.
            general: The document's general answers.
            identifier: JSON pointer of the member that identifies an error.
            acting: The chosen readings: a status means the answer that they let the operation give, if there is one.

        Raises:
            Unforceable: there is no such example, or no answer of that class to make one from.
        """
        beside = {name: example for name, example in general.examples.items() if name not in operation.examples}
        examples = {**operation.examples, **beside}
        if self.example is not None and self.example not in examples:
            raise Unforceable(f"{operation.id} has no example {self.example!r}; there are {', '.join(examples)}.")
        if self.code is None:
            return examples[str(self.example)]
        if not re.fullmatch("[2-5][0-9][0-9]", self.code):
            raise Unforceable(f"{self.code!r} is no status of an answer; give one from 200 to 599.")
        status = int(self.code)
        usual = {**in_force(operation, acting), **examples}
        chosen = list(usual.values()) if self.example is None else [examples[self.example]]
        same = [example for example in chosen if example.status == status]
        if same:
            return same[0]
        kin = [example for example in chosen if example.status // 100 == status // 100]
        if not kin:
            known = ", ".join(str(known) for known in sorted({example.status for example in chosen}))
            raise Unforceable(f"{operation.id} has no answer like {status}; there are {known}.")
        listed = operation.response(status) or general.response(status)
        return _dressed(kin[0], status, identifier, listed.key if listed else "")


def _dressed(kin: Example, status: int, identifier: str | None, response: str) -> Example:
    """Put a status that has no example into the vendor's envelope."""
    value: Any = kin.value
    member = (identifier or "").removeprefix("/")
    if isinstance(value, Mapping) and value.get(member) == kin.status:
        value = {**value, member: status}
    headers = {**kin.headers, "Retry-After": "1"} if status in _BUSY else kin.headers
    return replace(
        kin,
        name=f"{kin.name}_as_{status}",
        status=status,
        value=value,
        response=response,
        basis="inferred",
        headers={name: template for name, template in headers.items() if name != "Allow"},
    )
