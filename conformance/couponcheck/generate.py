"""Requests that schemathesis makes up, judged by our own oracle. The one module that imports schemathesis.

Its own checks are not used: their defaults contradict what these vendors document, and they pass when nothing was
reached (see docs/adr).
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any
from urllib.parse import unquote

import hypothesis
import schemathesis
from couponspec.document import Document, Operation
from couponspec.request import build
from couponspec.schema import compiled
from hypothesis import HealthCheck, Phase

from couponcheck.exchange import READING, Exchange
from couponcheck.target import Target

_JSON_TYPES = (dict, list, str, int, float, bool, type(None))
_MODES = {"invalid": schemathesis.GenerationMode.NEGATIVE, "valid": schemathesis.GenerationMode.POSITIVE}


@cache
def _schema(vendor: str) -> Any:
    """Load a vendor's document once, with a configuration of our own and never one found in the working directory."""
    from couponspec import load_document

    return schemathesis.openapi.from_dict(load_document(vendor).file.value, config=schemathesis.Config())


def exchanges(
    document: Document, operation: Operation, target: Target, requests: str, examples: int, seed: int
) -> Iterator[Exchange]:
    """Send generated requests and yield what came back; the same seed sends the same requests.

    Nothing is shrunk or replayed: the target has a state, and a second try would meet another one.

    Args:
        document: The vendor's document.
        operation: What to call.
        target: Whom to ask.
        requests: ``invalid`` for requests that break the document, ``valid`` for ones that keep to it.
        examples: How many.
        seed: Of hypothesis.

    Raises:
        TargetUnreachable: an answer did not come.
    """
    api_operation = _schema(document.vendor)[operation.path][operation.method]
    strategy = api_operation.as_strategy(generation_mode=_MODES[requests])
    asked: dict[str, dict[str, Any]] = {}

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=False,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=strategy)
    def collect(case: Any) -> None:
        hypothesis.assume(_is_sendable(case) and (requests == "invalid") == _is_invalid(operation, case))
        data = _data(operation, case)
        hypothesis.assume(repr(data) not in asked)  # what is asked twice finds nothing the second time
        asked[repr(data)] = data

    collect()
    # Sent by our own client, with a credential that would be accepted.
    made = (build(document, operation, data, target.bindings) for data in asked.values())
    if operation.method in READING:
        yield from target.client.each_of(lambda client, request: client.send(operation.id, request), made)
    else:
        yield from (target.client.send(operation.id, request) for request in made)


def _data(operation: Operation, case: Any) -> dict[str, Any]:
    """Write a case as a catalogue would write its request."""
    # Path parameters come percent-encoded; our own request does that.
    path = {name: unquote(value) if isinstance(value, str) else value for name, value in case.path_parameters.items()}
    # A credential in the query is made up like any parameter; beside the good one it would end the request too early.
    credentials = {security.scheme.parameter for security in operation.security if security.scheme.kind == "query"}
    query = {name: value for name, value in (case.query or {}).items() if name not in credentials}
    data: dict[str, Any] = {"path": path, "query": query}
    if isinstance(case.body, bytes):
        data["raw"] = case.body.decode("utf-8", "replace")
    elif isinstance(case.body, _JSON_TYPES):
        data["body"] = case.body
    return data


def _is_sendable(case: Any) -> bool:
    """Tell whether a path would reach any server as it is, and not the gateway's own opinion of odd paths."""
    values = [unquote(value) for value in case.path_parameters.values() if isinstance(value, str)]
    return all(value.isprintable() and not set(value) & set("/\\%?#;") and value.strip(".") for value in values)


def _is_invalid(operation: Operation, case: Any) -> bool:
    """Tell whether a case really breaks the document; its maker only means it to."""
    for parameter in operation.parameters:
        values: Mapping[str, Any] = (case.path_parameters if parameter.place == "path" else case.query) or {}
        value = values.get(parameter.name)
        if value is None:
            if parameter.required:
                return True
            continue
        schema = dict(parameter.schema)
        if parameter.place == "path" and isinstance(value, str):
            value = unquote(value)
        if schema.get("type") == "integer" and isinstance(value, str) and re.fullmatch("-?[0-9]{1,4000}", value):
            value = int(value)
        if not compiled(schema, {}).is_valid(value):
            return True
    if operation.body is None:
        return False
    try:
        return not compiled(operation.body, operation.components).is_valid(case.body)
    except ValueError:  # no JSON value at all: no body, or raw bytes
        return True
