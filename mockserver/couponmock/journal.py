"""What the journal keeps of an exchange: enough to verify a client, and no credential."""

import json
import math
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from couponspec.document import Document

from couponmock.exchange import Reply, Request, printable

LONGEST = 4000
"""Characters of a body that are kept as text."""
MASK = "***"


def entry(request: Request, reply: Reply, body: bytes | None, document: Document) -> dict[str, Any]:
    """Describe an exchange.

    Args:
        request: What was asked.
        reply: What was answered.
        body: The request's body, if it was read.
        document: The vendor's document, which knows where credentials stand.
    """
    diagnosis = reply.diagnosis
    secret = document.secret_queries.union(
        unknown.place.removeprefix("query:")
        for unknown in diagnosis.unknown
        if unknown.did_you_mean in document.secret_queries
    )
    return {
        **_request(request, body, secret),
        "vendor": diagnosis.vendor,
        "operation": diagnosis.operation,
        "finding": diagnosis.finding,
        "example": diagnosis.example,
        "basis": diagnosis.basis,
        "status": None if reply.dropped else reply.status,
        "answer": _value(reply.sent),
        **({"fault": diagnosis.fault} if diagnosis.fault else {}),
        **({"unknown": [unknown.member() for unknown in diagnosis.unknown]} if diagnosis.unknown else {}),
    }


def asked(request: Request, body: bytes | None, document: Document) -> dict[str, Any]:
    """Describe a request, without its answer; the arguments are those of `entry`."""
    return {**_request(request, body, document.secret_queries), "vendor": document.vendor}


def _request(request: Request, body: bytes | None, secret: frozenset[str]) -> dict[str, Any]:
    query = parse_qsl(request.query, keep_blank_values=True, errors="replace")
    return {
        "id": request.id,
        "method": request.method,
        "path": printable(request.path),
        "query": {printable(name): MASK if name in secret else printable(value) for name, value in query},
        "body": _value(body),
    }


def misses(entry: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Say in what an entry differs from what is wanted; empty if it matches."""
    found = []
    for name, value in wanted.items():
        got = entry.get(name)
        if name == "method" and str(got).upper() == str(value).upper():
            continue
        if isinstance(value, Mapping) and isinstance(got, Mapping):
            found += [
                f"{name}.{key} is {got.get(key)!r}, not {item!r}" for key, item in value.items() if got.get(key) != item
            ]
        elif isinstance(value, str) and not isinstance(got, str):
            if str(got) != value:
                found.append(f"{name} is {got!r}, not {value!r}")
        elif got != value:
            found.append(f"{name} is {got!r}, not {value!r}")
    return found


def _value(body: bytes | None) -> Any:
    """Return a body as JSON if it is some, otherwise as text, cut if it is long."""
    if not body:
        return None
    text = body.decode("utf-8", "replace")
    if len(text) > LONGEST:
        return f"{text[:LONGEST]}..."
    try:
        value = json.loads(text, parse_constant=str, parse_float=_finite)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return text
    return value


def _finite(text: str) -> float:
    """Read a number that a journal can hold."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value
