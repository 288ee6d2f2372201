"""Strict mode: what a request holds that its operation does not document, such as a misspelt parameter.

A vendor ignores it, as its page says or as servers do; the author of a client wants to know. Nothing of this runs while
the mode is off.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import Any

from couponspec import schema
from couponspec.document import Operation
from couponspec.yamlfile import escape

from couponmock.exchange import Diagnosis, Reply, Request, Unknown, printable
from couponmock.finding import BODY_LIMIT, Query, credential, strict_json
from couponmock.forced import QUERIES

OFF, WARN, REFUSE = "off", "warn", "refuse"
MODES = (OFF, WARN, REFUSE)
STRICT = "strict"
"""Member of a namespace's settings that holds its mode."""
HEADER = "X-Mock-Strict"
MOST = 100
"""How many unknown things of one request are told; none but a broken client has more."""
TOLD = 5
"""How many of them a header tells."""
LONGEST = 200
"""Characters of a place that are told."""

_NEAR = 0.6
_NEAR_HEADER = 0.82
"""Nearer, since every client sends headers of its own; `Proxy-Authorization` is no mistake for `Authorization`."""

_Schemas = tuple[Mapping[str, Any], ...]
"""What the document says of one place: a schema and all that it is put together from."""


class WrongMode(Exception):
    """A request asks for a mode that there is not; the message names those there are."""


def mode_of(request: Request, settings: Mapping[str, Any], server: str) -> str:
    """Return the mode for a request: its own, else its namespace's, else the server's.

    Args:
        request: May name a mode in a header.
        settings: Those of the namespace.
        server: The mode the server was started with.

    Raises:
        WrongMode: the request names one that there is not.
    """
    asked = request.headers.get(HEADER.lower())
    if asked is None:
        return str(settings.get(STRICT, server))
    if asked.strip() not in MODES:
        raise WrongMode(f"{HEADER} is one of {', '.join(MODES)}.")
    return asked.strip()


class Known:
    """What an operation documents of a request."""

    def __init__(self, operation: Operation) -> None:
        """Collect the names, once."""
        schemes = [security.scheme for security in operation.security]
        self._operation = operation
        self._schemes = schemes
        self._queries = (
            *(parameter.name for parameter in operation.parameters if parameter.place == "query"),
            *dict.fromkeys(scheme.parameter for scheme in schemes if scheme.kind == "query"),
        )
        self._headers = tuple(dict.fromkeys(scheme.parameter for scheme in schemes if scheme.kind != "query"))
        self._all_of: dict[tuple[int, ...], _Schemas] = {}

    def unknown(self, request: Request, query: Query) -> tuple[Unknown, ...]:
        """List what of a request is not documented, `MOST` at most.

        Args:
            request: Its body has to be readable more than once.
            query: Its query.
        """
        found = (*self._in_query(query), *self._in_headers(request, query))
        return (*found, *islice(self._in_body(request), MOST))[:MOST]

    def _in_query(self, query: Query) -> Iterator[Unknown]:
        known = {*self._queries, *QUERIES}
        return (_unknown("query:", name, self._queries) for name in islice(query.names, MOST) if name not in known)

    def _in_headers(self, request: Request, query: Query) -> Iterator[Unknown]:
        """Yield what was probably meant to be a credential, if there is none; other headers are nobody's business."""
        if not self._headers or any(self._is_sent(request, query)):
            return
        for name in request.headers:
            near = _near(name, self._headers, _NEAR_HEADER)
            if near and near.lower() != name:
                yield Unknown(_place("header:", name), near)

    def _is_sent(self, request: Request, query: Query) -> Iterator[bool]:
        for scheme in self._schemes:
            try:
                yield credential(scheme, request, query) is not None
            except ValueError:
                yield True

    def _in_body(self, request: Request) -> Iterator[Unknown]:
        raw = request.read(BODY_LIMIT)
        if not raw:
            return
        if self._operation.body is None:
            yield Unknown("body:", None)
            return
        try:
            value = strict_json(raw)
        except ValueError:
            return  # which the vendor refuses
        todo: list[tuple[str, Any, _Schemas]] = [("body:", value, self._whole([self._operation.body]))]
        while todo:
            place, value, schemas = todo.pop()
            within: list[tuple[str, Any, _Schemas]] = []
            if isinstance(value, list):
                items = self._whole(each.get("items") for each in schemas)
                if items:
                    holders = ((index, item) for index, item in enumerate(value) if isinstance(item, dict | list))
                    within = [(f"{place}/{index}", item, items) for index, item in holders]
            elif isinstance(value, dict) and not _is_open(schemas):
                members = {name for each in schemas for name in each.get("properties", ())}
                yield from (_unknown(f"{place}/", name, members) for name in value if name not in members)
                for name in [name for name in value if name in members]:
                    inner = self._whole(each.get("properties", {}).get(name) for each in schemas)
                    within.append((f"{place}/{escape(name)}", value[name], inner))
            todo += reversed(within)

    def _whole(self, schemas: Iterable[Any]) -> _Schemas:
        """Return schemas with all that they refer to and consist of; put together once for each place."""
        start = [each for each in schemas if isinstance(each, Mapping)]
        key = tuple(map(id, start))
        if key not in self._all_of:
            found: dict[int, Mapping[str, Any]] = {}
            todo = start
            while todo:
                each = todo.pop()
                if id(each) in found:
                    continue
                found[id(each)] = each
                if "$ref" in each:
                    todo.append(schema.resolve({"components": self._operation.components}, each["$ref"]))
                todo += [part for choice in ("allOf", "anyOf", "oneOf") for part in each.get(choice, ())]
            self._all_of[key] = tuple(found.values())
        return self._all_of[key]


def refusal(vendor: str, operation: str, unknown: tuple[Unknown, ...]) -> Reply:
    """Refuse a request in the mock's own name, never in a vendor's."""
    told = ", ".join(each.told for each in unknown)
    problem = {
        "type": "urn:couponmock:strict",
        "status": 400,
        "detail": f"Strict mode refuses what {operation} does not document: {told}.",
        "unknown": [each.member() for each in unknown],
    }
    return Reply(
        status=400,
        media_type="application/problem+json",
        body=json.dumps(problem, ensure_ascii=False).encode(),
        diagnosis=Diagnosis(vendor, operation, unknown=unknown),
    )


def told(unknown: tuple[Unknown, ...]) -> str:
    """Render for headers and logs: the first few, and how many more there are."""
    rest = len(unknown) - TOLD
    return ", ".join([*map(str, unknown[:TOLD]), *([f"and {rest} more"] if rest > 0 else [])])


def _is_open(schemas: _Schemas) -> bool:
    """Tell whether any member is documented, or whether the document does not speak of members at all."""
    if any(each.get("additionalProperties", False) is not False or "patternProperties" in each for each in schemas):
        return True
    return not any("properties" in each for each in schemas)


def _unknown(place: str, name: str, known: Iterable[str]) -> Unknown:
    return Unknown(_place(place, escape(name) if place.startswith("body:") else name), _near(name, known, _NEAR))


def _place(place: str, name: str) -> str:
    told = printable(f"{place}{name}")
    return told if len(told) <= LONGEST else f"{told[:LONGEST]}..."


def _near(name: str, known: Iterable[str], cutoff: float) -> str | None:
    """Return the known name that comes nearest, whatever the case."""
    by_folded = {one.casefold(): one for one in known}
    near = get_close_matches(name[:LONGEST].casefold(), by_folded, n=1, cutoff=cutoff)
    return by_folded[near[0]] if near else None
