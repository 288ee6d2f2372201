"""The mock's own interface under ``/__admin``: health, namespaces and what is in them. All of it is JSON."""

from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from couponmock.assembly import Mock
from couponmock.exchange import DEFAULT_NAMESPACE, NAMESPACE, NAMESPACE_RULE
from couponmock.finding import strict_json
from couponmock.store import Namespace, NamespaceExists, NoSuchNamespace
from couponmock.version import version

PREFIX = "/__admin"


def owns(path: str) -> bool:
    """Tell whether a path belongs to the admin interface."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def problem(status: int, kind: str, detail: str) -> Response:
    """Make an answer of the mock about itself, as RFC 9457 has it; no vendor answers like this."""
    response = jsonify({"type": f"urn:couponmock:{kind}", "status": status, "detail": detail})
    response.status_code = status
    response.content_type = "application/problem+json"
    return response


def http_problem(error: HTTPException) -> Response:
    """Answer what Flask's routing refuses."""
    response = problem(error.code or 500, "admin", f"{error.name}: {request.method} {request.path}")
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return response


def blueprint(mock: Mock) -> Blueprint:
    """Make the admin interface of a mock."""
    routes = Blueprint("admin", __name__, url_prefix=PREFIX)
    views = _Views(mock)
    routes.add_url_rule("/health", view_func=views.health)
    routes.add_url_rule("/version", view_func=views.version)
    routes.add_url_rule("/reset", view_func=views.reset, methods=["POST"])
    routes.add_url_rule("/namespaces", view_func=views.namespaces)
    routes.add_url_rule("/namespaces", view_func=views.create, methods=["POST"])
    routes.add_url_rule("/namespaces/<name>", view_func=views.show)
    routes.add_url_rule("/namespaces/<name>", view_func=views.drop, methods=["DELETE"])
    routes.add_url_rule("/namespaces/<name>/bindings", view_func=views.bindings)
    routes.register_error_handler(_Wrong, lambda error: problem(400, "request", str(error)))
    routes.register_error_handler(
        NoSuchNamespace, lambda error: problem(404, "namespace", f"{error} Make it first, or use it once.")
    )
    routes.register_error_handler(
        NamespaceExists, lambda error: problem(409, "namespace", f"{error} Reset it, or choose another name.")
    )
    return routes


class _Views:
    """What the routes of the admin interface answer."""

    def __init__(self, mock: Mock) -> None:
        self._mock = mock
        self._names = {world.id: name for name, world in mock.worlds.items()}

    def health(self) -> Response:
        self._mock.store.packs()
        return jsonify({"status": "ok"})

    def version(self) -> Response:
        return jsonify(
            {
                "name": "couponmock",
                "version": version(),
                "vendors": list(self._mock.documents),
                "packs": list(self._mock.worlds),
                "pack": self._mock.settings.pack,
                "defects": list(self._mock.settings.defects),
            }
        )

    def reset(self) -> Response:
        name = _members({"namespace"}).get("namespace", DEFAULT_NAMESPACE)
        self._named(name)
        return jsonify(self._described(self._mock.store.reset_namespace(name)))

    def namespaces(self) -> Response:
        return jsonify({"namespaces": [self._described(namespace) for namespace in self._mock.store.namespaces()]})

    def create(self) -> Response:
        members = _members({"name", "pack"})
        pack = members.get("pack", self._mock.settings.pack)
        if not NAMESPACE.match(members.get("name", "")):
            raise _Wrong(f"Give the new namespace's name in the member name. {NAMESPACE_RULE}")
        if pack not in self._mock.worlds:
            raise _Wrong(f"There is no pack {pack!r}; use one of {', '.join(self._mock.worlds)}.")
        namespace = self._mock.store.create_namespace(members["name"], self._mock.worlds[pack].id)
        return Response(jsonify(self._described(namespace)).data, 201, content_type="application/json")

    def show(self, name: str) -> Response:
        return jsonify(self._described(self._named(name)))

    def drop(self, name: str) -> Response:
        self._mock.store.drop_namespace(name)
        return Response(status=204)

    def bindings(self, name: str) -> Response:
        namespace = self._named(name)
        world = next((world for world in self._mock.worlds.values() if world.id == namespace.pack), None)
        if world is None:
            fix = "Drop it, or start the mock with the vendors and packs it was made with."
            return problem(409, "pack", f"The pack that {name!r} was made from is none of this server's. {fix}")
        seeded = {vendor: pack.bindings(namespace.epoch) for vendor, pack in world.packs.items()}
        return jsonify({**self._described(namespace), "bindings": seeded})

    def _named(self, name: str) -> Namespace:
        """Return a namespace; the default one is there even before its first use."""
        if name != DEFAULT_NAMESPACE:
            return self._mock.store.namespace(name)
        with self._mock.store.session(name, write=False, pack=self._mock.default_pack) as session:
            return session.namespace

    def _described(self, namespace: Namespace) -> dict[str, Any]:
        return {
            "name": namespace.name,
            "pack": self._names.get(namespace.pack, namespace.pack),
            "epoch": namespace.epoch,
            "now": namespace.now(),
            "frozen": namespace.frozen is not None,
        }


class _Wrong(Exception):
    """The request to the admin interface cannot be understood."""


def _members(known: set[str]) -> dict[str, str]:
    """Return the text members of the request's JSON object; empty without a body."""
    if not request.get_data():
        return {}
    try:
        raw = strict_json(request.get_data())
    except ValueError:
        raw = None
    if not isinstance(raw, dict) or not all(isinstance(value, str) for value in raw.values()):
        raise _Wrong(f"Send a JSON object with text members out of {', '.join(sorted(known))}, or no body.")
    if unknown := sorted(set(raw) - known):
        raise _Wrong(f"Unknown member {unknown[0]!r}; known are {', '.join(sorted(known))}.")
    return raw
