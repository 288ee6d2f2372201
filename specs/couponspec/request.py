"""Requests written as data: in packs (how to reach each answer) and in catalogues (what a requirement sends).

A text may name a value of a seeded entity, ``{coupon.used.code}``. A text that is nothing but such a name keeps the
value's type.
"""

import base64
import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from couponspec.document import JSON, Document, Operation, SecurityScheme

Bindings = Mapping[str, Mapping[str, Any]]
"""Handle -> members of the entity, as a client would see them."""

_NAME = re.compile(r"\{([a-z][a-z0-9_]*\.[a-z0-9_-]+)\.([a-z0-9_]+)\}")

_LONGEST_ARGUMENT = 100_000
"""Bytes; a shell refuses arguments not much longer."""

NO_CREDENTIAL = "none"
"""The credential handle of a request that sends none."""


class Unbound(LookupError):
    """A request needs a value that nobody supplied."""

    def __init__(self, name: str) -> None:
        """Remember the value's name (``coupon.used.code``)."""
        self.name = name
        super().__init__(name)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A request ready to be sent to a base URL."""

    method: str
    target: str
    """Path and query, percent-encoded."""
    headers: tuple[tuple[str, str], ...]
    body: bytes | None

    def curl(self, base_url: str) -> str:
        """Render the request as a command for a POSIX shell."""
        parts = ["curl", "-sS"]
        if self.method == "HEAD":
            parts.append("-I")
        elif self.method != ("GET" if self.body is None else "POST"):
            parts += ["-X", self.method]
        for name, value in self.headers:
            if name == "Authorization" and value.startswith("Basic "):
                parts += ["-u", base64.b64decode(value.removeprefix("Basic ")).decode()]
            else:
                parts += ["-H", f"{name}: {value}"]
        source = ""
        if self.body is not None and len(self.body) > _LONGEST_ARGUMENT and len(set(self.body)) == 1:
            source = f"head -c {len(self.body)} /dev/zero | tr '\\0' {shlex.quote(chr(self.body[0]))} | "
            parts += ["--data-binary", "@-"]
        elif self.body is not None:
            parts += ["--data-binary", self.body.decode("utf-8", "replace")]
        parts.append(base_url.rstrip("/") + self.target)
        return source + " ".join(shlex.quote(part) for part in parts)


def names_in(value: Any) -> set[str]:
    """Return the handles that a piece of request data names."""
    if isinstance(value, str):
        return {match[1] for match in _NAME.finditer(value)}
    if isinstance(value, Mapping):
        return {name for item in value.values() for name in names_in(item)}
    if isinstance(value, list):
        return {name for item in value for name in names_in(item)}
    return set()


def fill(value: Any, bindings: Bindings) -> Any:
    """Replace every name in a piece of request data by its value.

    Raises:
        Unbound: a name has no value.
    """
    if isinstance(value, str):
        whole = _NAME.fullmatch(value)
        if whole:
            return _bound(whole, bindings)
        return _NAME.sub(lambda match: str(_bound(match, bindings)), value)
    if isinstance(value, Mapping):
        return {key: fill(item, bindings) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, bindings) for item in value]
    return value


def _bound(match: re.Match[str], bindings: Bindings) -> Any:
    try:
        return bindings[match[1]][match[2]]
    except KeyError:
        raise Unbound(f"{match[1]}.{match[2]}") from None


def build(document: Document, operation: Operation, data: Mapping[str, Any], bindings: Bindings) -> HttpRequest:
    """Make a request out of its data.

    Args:
        document: The vendor's document, which knows how credentials are sent.
        operation: The operation whose method and path are used where the data names no others.
        data: ``credential``, ``path``, ``query``, ``headers``, ``body`` or ``raw`` (sent ``repeat`` times), ``method``,
            ``url``; all optional.
        bindings: Values for the names in the data.

    Raises:
        Unbound: a name has no value.
    """
    data = fill(data, bindings)
    target = data.get("url") or re.sub(
        r"\{([^}]+)\}", lambda match: quote(str(data.get("path", {})[match[1]]), safe="@"), operation.path
    )
    query = [
        (name, str(item))
        for name, value in data.get("query", {}).items()
        for item in (value if isinstance(value, list) else [value])
    ]
    headers: dict[str, str] = {}
    body = None
    if "raw" in data:
        body = data["raw"].encode() * data.get("repeat", 1)
    elif "body" in data:
        body = json.dumps(data["body"], ensure_ascii=False).encode()
    if body is not None:
        headers["Content-Type"] = JSON
    handle = data.get("credential", "main")
    if handle != NO_CREDENTIAL:
        credential = bindings.get(f"credential.{handle}")
        if credential is None:
            raise Unbound(f"credential.{handle}")
        _sign(_scheme(document, credential), credential, query, headers)
    headers.update(data.get("headers", {}))
    if query:
        target += ("&" if "?" in target else "?") + urlencode(query, safe="@")
    return HttpRequest(data.get("method", operation.method), target, tuple(headers.items()), body)


def _scheme(document: Document, credential: Mapping[str, Any]) -> SecurityScheme:
    schemes = {security.scheme.name: security.scheme for op in document.operations.values() for security in op.security}
    return schemes[credential["scheme"]]


def _sign(
    scheme: SecurityScheme, credential: Mapping[str, Any], query: list[tuple[str, str]], headers: dict[str, str]
) -> None:
    secret = str(credential["secret"])
    if scheme.kind == "query":
        query.append((scheme.parameter, secret))
    elif scheme.kind == "basic":
        headers[scheme.parameter] = "Basic " + base64.b64encode(secret.encode()).decode()
    else:
        headers[scheme.parameter] = scheme.prefix + secret
