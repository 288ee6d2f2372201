"""Requests that schemathesis makes up, judged by our own oracle. The one module that imports schemathesis.

Its own checks are not used: their defaults contradict what these vendors document, and they pass when nothing was
reached (see docs/adr).
"""

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import unquote

import hypothesis
import schemathesis
from couponspec.document import Document, Operation, Parameter
from couponspec.request import build
from couponspec.schema import compiled
from hypothesis import HealthCheck, Phase, Verbosity
from hypothesis import strategies as st

from couponcheck.exchange import GENERATED, READING, Exchange
from couponcheck.target import Target

SMALLER = 40
"""Requests at most that look for a smaller one, once a read was answered wrongly."""
_JSON_TYPES = (dict, list, str, int, float, bool, type(None))
_MODES = {"invalid": schemathesis.GenerationMode.NEGATIVE, "valid": schemathesis.GenerationMode.POSITIVE}
_ODD = "/\\%?#;*<>"
"""Characters that gateways have opinions of their own about."""
_SEGMENTS = st.text(
    st.characters(codec="utf-8", categories=("L", "M", "N", "P", "S"), include_characters=" ", exclude_characters=_ODD)
)


@cache
def _schema(vendor: str) -> Any:
    """Load what a vendor's document says of requests, once, and with no configuration of the working directory."""
    from couponspec import load_document

    raw = deepcopy(load_document(vendor).file.value)
    # A credential is not made up: our own request carries a good one, and another would end it too early.
    raw.pop("security", None)
    raw.get("components", {}).pop("securitySchemes", None)
    for path in raw["paths"].values():
        for operation in path.values():
            if isinstance(operation, dict):
                operation.pop("security", None)
    # No document forbids a parameter that it does not name, so one more makes no request invalid.
    settings = {"generation": {"allow-extra-parameters": False}}
    return schemathesis.openapi.from_dict(raw, config=schemathesis.Config.from_dict(settings))


class _Wrong(Exception):
    """A request was answered wrongly: hypothesis looks for a smaller one, where it may."""


class _Ended(BaseException):
    """No more can be asked; hypothesis lets it through as it is."""

    def __init__(self, why: Exception) -> None:
        """Keep what happened."""
        self.why = why


@dataclass
class _Attempt:
    """What was asked so far, and what came of it."""

    ask: Callable[[Mapping[str, Any]], Exchange]
    is_wrong: Callable[[Exchange], bool]
    asked: dict[str, bool] = field(default_factory=dict)
    """Request -> whether its answer was wrong; nothing is sent twice."""
    exchanges: list[Exchange] = field(default_factory=list)
    """All up to the first that was wrong."""
    smallest: Mapping[str, Any] | None = None
    left: int = SMALLER

    def __call__(self, data: Mapping[str, Any]) -> None:
        """Ask unless that was asked before.

        Raises:
            _Wrong: the answer is wrong.
            _Ended: none came.
        """
        key = repr(data)
        if key not in self.asked:
            if self.smallest is not None:
                hypothesis.assume(self.left > 0)
                self.left -= 1
            self.asked[key] = self._answered(data)
            if not self.asked[key]:
                return
        hypothesis.assume(self.asked[key])  # what is asked twice finds nothing the second time
        self.smallest = data
        raise _Wrong

    def _answered(self, data: Mapping[str, Any]) -> bool:
        try:
            exchange = self.ask(data)
        except Exception as error:
            raise _Ended(error) from error
        if self.smallest is None:
            self.exchanges.append(exchange)
        return self.is_wrong(exchange)


def exchanges(
    document: Document,
    operation: Operation,
    target: Target,
    requests: str,
    examples: int,
    seed: int,
    is_wrong: Callable[[Exchange], bool],
) -> list[Exchange]:
    """Send made-up requests until one is answered wrongly, and return what came back, that answer last.

    A wrongly answered read is made smaller for as long as the answer stays wrong; if the smallest is answered wrongly
    once more, it is all that is returned. Writes are sent as they come: the target has a state, and a second try would
    meet another one. The same seed sends the same requests to a server that answers in the same way.

    Args:
        document: The vendor's document.
        operation: What to call.
        target: Whom to ask.
        requests: ``invalid`` for requests that break the document, ``valid`` for ones that keep to it.
        examples: How many.
        seed: Of hypothesis.
        is_wrong: Judges an answer.

    Raises:
        TargetUnreachable: an answer did not come.
        LimitReached: no more requests may be sent.
    """

    def ask(data: Mapping[str, Any]) -> Exchange:
        # Sent by our own client, with a credential that would be accepted.
        request = build(document, operation, data, target.bindings)
        return target.client.send(operation.id, request, kind=GENERATED)

    attempt = _Attempt(ask, is_wrong)
    is_read = operation.method.upper() in READING

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink] if is_read else [Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        verbosity=Verbosity.quiet,
    )
    @hypothesis.given(case=_cases(document, operation, requests))
    def tried(case: Any) -> None:
        hypothesis.assume(_is_sendable(case) and (requests == "invalid") == _is_invalid(operation, case))
        attempt(_data(case))

    try:
        tried()
    except (_Wrong, hypothesis.errors.Flaky):  # the latter where something made smaller had been asked, and was right
        if is_read and attempt.smallest is not None and is_wrong(again := ask(attempt.smallest)):
            return [again]
    except _Ended as ended:
        raise ended.why from None
    return attempt.exchanges


def _cases(document: Document, operation: Operation, requests: str) -> st.SearchStrategy[Any]:
    """Make up cases, with texts in paths that servers get to see as they are."""
    api_operation = _schema(document.vendor)[operation.path][operation.method]
    mode = _MODES[requests]
    texts = [item for item in operation.parameters if item.place == "path" and item.schema.get("type") == "string"]
    if not texts:
        whole: st.SearchStrategy[Any] = api_operation.as_strategy(generation_mode=mode)
        return whole

    def rest(path: dict[str, str]) -> Any:
        # One thing is wrong with an invalid request, so that nothing else can be what it is refused for.
        broken = any(not _fits(item, path[item.name]) for item in texts)
        return api_operation.as_strategy(generation_mode=_MODES["valid"] if broken else mode, path_parameters=path)

    paths = st.fixed_dictionaries({item.name: _segments(item) for item in texts})
    return paths.flatmap(rest)


def _segments(parameter: Parameter) -> st.SearchStrategy[str]:
    made_up = _SEGMENTS.filter(lambda text: bool(text.strip(".")))
    return made_up if parameter.sample is None else st.just(str(parameter.sample)) | made_up


def _fits(parameter: Parameter, value: Any) -> bool:
    return compiled(parameter.schema, {}).is_valid(value)


def _data(case: Any) -> dict[str, Any]:
    """Write a case as a catalogue would write its request."""
    # Path parameters come percent-encoded; our own request does that.
    path = {name: unquote(value) if isinstance(value, str) else value for name, value in case.path_parameters.items()}
    data: dict[str, Any] = {"path": path, "query": dict(case.query or {})}
    if isinstance(case.body, bytes):
        data["raw"] = case.body.decode("utf-8", "replace")
    elif isinstance(case.body, _JSON_TYPES):
        data["body"] = case.body
    return data


def _is_sendable(case: Any) -> bool:
    """Tell whether a path would reach any server as it is, and not the gateway's own opinion of odd paths."""
    values = [unquote(value) for value in case.path_parameters.values() if isinstance(value, str)]
    return all(value.isprintable() and not set(value) & set(_ODD) and value.strip(".") for value in values)


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
