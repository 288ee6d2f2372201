"""How the admin interface reads requests and says what is wrong with them. Everything is JSON."""

from collections.abc import Collection
from typing import Any

from flask import Response, g, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from couponmock import strict
from couponmock.assembly import Assembly
from couponmock.exchange import DEFAULT_NAMESPACE
from couponmock.finding import strict_json
from couponmock.injection import RULES
from couponmock.reading import READINGS
from couponmock.store import Namespace

PREFIX = "/__admin"
BODY_LIMIT = 16_777_216
"""Bytes of a body that the admin interface reads."""


class Wrong(Exception):
    """The request to the admin interface cannot be understood; the message says what is allowed."""


def owns(path: str) -> bool:
    """Tell whether a path belongs to the admin interface."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def problem(status: int, kind: str, detail: str, **members: Any) -> Response:
    """Make an answer of the mock about itself, as RFC 9457 has it; no vendor answers like this."""
    response = jsonify({"type": f"urn:couponmock:{kind}", "status": status, "detail": detail, **members})
    response.status_code = status
    response.content_type = "application/problem+json"
    return response


def http_problem(error: HTTPException) -> Response:
    """Answer what Flask's routing refuses."""
    response = problem(error.code or 500, "admin", f"{error.name}: {request.method} {request.path}")
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def members(known: set[str]) -> dict[str, Any]:
    """Return the members of the request's JSON object; empty without a body.

    Raises:
        Wrong: it is no JSON object, or has a member that is not known.
    """
    if (request.content_length or 0) > BODY_LIMIT:
        raise Wrong(f"A body has at most {BODY_LIMIT} bytes.")
    if not request.get_data():
        return {}
    allowed = f"a JSON object with members out of {', '.join(sorted(known))}, or no body" if known else "no body"
    try:
        raw = strict_json(request.get_data())
    except ValueError as error:
        raise Wrong(f"The body is no JSON that every reader understands ({error}). Send {allowed}.") from error
    if not isinstance(raw, dict):
        raise Wrong(f"Send {allowed}.")
    if unknown := sorted(set(raw) - known):
        there = f"known are {', '.join(sorted(known))}" if known else "send no body"
        raise Wrong(f"Unknown member {unknown[0]!r}; {there}.")
    return raw


def without_journal() -> Response:
    """Answer what only a journal knows, on a server that keeps none: nothing asked is not nothing known."""
    fix = "Start it without --no-journal."
    return problem(409, "journal", f"This server keeps no journal, so it does not know what was asked or seen. {fix}")


def query(known: Collection[str], *, repeated: Collection[str] = ()) -> dict[str, str]:
    """Return what the request's query says.

    Args:
        known: All that it may say.
        repeated: What it may say more than once; the first of it is returned.

    Raises:
        Wrong: it says something else, or something more than once.
    """
    said = once(repeated)
    if unknown := sorted(set(said) - set(known)):
        raise Wrong(f"Unknown parameter {unknown[0]!r}; known are {', '.join(sorted(known))}.")
    return said


def once(repeated: Collection[str] = ()) -> dict[str, str]:
    """Do as `query` does, whatever the names are."""
    for name, values in request.args.lists():
        if len(values) > 1 and name not in repeated:
            raise Wrong(f"Give {name} once.")
    return request.args.to_dict()


def chosen(mock: Assembly) -> Namespace:
    """Return the namespace that the request is about, made on first use as by any other request."""
    return _opened(mock, g.namespace)


def named(mock: Assembly, name: str) -> Namespace:
    """Return a namespace; the default one is there even before its first use.

    Raises:
        NoSuchNamespace: there is none of that name.
    """
    return _opened(mock, name) if name == DEFAULT_NAMESPACE else mock.store.namespace(name)


def _opened(mock: Assembly, name: str) -> Namespace:
    with mock.store.session(name, write=False, pack=mock.default_pack) as session:
        return session.namespace


def without(settings: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a namespace's settings without one of their members."""
    return {other: value for other, value in settings.items() if other != name}


def described(mock: Assembly, namespace: Namespace) -> dict[str, Any]:
    """Tell about a namespace."""
    names = {world.id: name for name, world in mock.worlds.items()}
    return {
        "name": namespace.name,
        "pack": names.get(namespace.pack, namespace.pack),
        "epoch": namespace.epoch,
        "now": namespace.now(),
        "frozen": namespace.frozen is not None,
        "readings": dict(namespace.settings.get(READINGS, {})),
        **({"faults": len(rules)} if (rules := namespace.settings.get(RULES, {}).get("rules")) else {}),
        **({"strict": namespace.settings[strict.STRICT]} if strict.STRICT in namespace.settings else {}),
    }
