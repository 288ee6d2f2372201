"""The mock's own interface under ``/__admin``. A request is about the namespace that its prefix or header names."""

import json
from functools import cache
from pathlib import Path

from couponspec import yamlfile
from flask import Blueprint, Response, request

from couponmock.admin.answers import PREFIX, Wrong, http_problem, owns, problem
from couponmock.admin.clock import Clock
from couponmock.admin.coverage import Coverage
from couponmock.admin.faults import Faults
from couponmock.admin.limits import Limits
from couponmock.admin.readings import Readings
from couponmock.admin.requests import Requests
from couponmock.admin.state import State, invalid
from couponmock.admin.strictness import Strictness
from couponmock.admin.worlds import Worlds
from couponmock.assembly import Assembly
from couponmock.injection import Unusable
from couponmock.state import Clash, Invalid, Missing
from couponmock.store import NamespaceExists, NoSuchNamespace, NoSuchSnapshot
from couponmock.transfer import OtherPack

__all__ = ["blueprint", "http_problem", "owns", "problem"]


_QUERIED = {
    "GET /requests",
    "GET /coverage",
    "DELETE /coverage",
    "GET /state/<vendor>/<kind>",
    "PUT /state/<vendor>/<kind>",
    "GET /export",
}
"""What takes parameters in the query, and says itself which."""


def blueprint(mock: Assembly) -> Blueprint:
    """Make the admin interface of a mock."""
    routes = Blueprint("admin", __name__, url_prefix=PREFIX)
    worlds, clock, requests = Worlds(mock), Clock(mock), Requests(mock)
    readings, faults, limits = Readings(mock), Faults(mock), Limits(mock)
    coverage, strictness, state = Coverage(mock), Strictness(mock), State(mock)
    for method, path, view in (
        ("GET", "/health", worlds.health),
        ("GET", "/version", worlds.version),
        ("GET", "/openapi.json", _document),
        ("POST", "/reset", worlds.reset),
        ("GET", "/namespaces", worlds.namespaces),
        ("POST", "/namespaces", worlds.create),
        ("GET", "/namespaces/<name>", worlds.show),
        ("DELETE", "/namespaces/<name>", worlds.drop),
        ("GET", "/namespaces/<name>/bindings", worlds.bindings),
        ("GET", "/snapshots", worlds.snapshots),
        ("PUT", "/snapshots/<label>", worlds.snapshot),
        ("DELETE", "/snapshots/<label>", worlds.drop_snapshot),
        ("POST", "/snapshots/<label>/restore", worlds.restore),
        ("GET", "/clock", clock.show),
        ("PUT", "/clock", clock.set),
        ("POST", "/clock/advance", clock.advance),
        ("POST", "/clock/freeze", clock.freeze),
        ("POST", "/clock/release", clock.release),
        ("GET", "/requests", requests.show),
        ("DELETE", "/requests", requests.clear),
        ("POST", "/verify", requests.verify),
        ("GET", "/readings", readings.show),
        ("PUT", "/readings", readings.choose),
        ("DELETE", "/readings", readings.clear),
        ("GET", "/faults", faults.show),
        ("POST", "/faults", faults.add),
        ("DELETE", "/faults", faults.clear),
        ("DELETE", "/faults/<rule>", faults.remove),
        ("GET", "/limits", limits.show),
        ("PUT", "/limits", limits.set),
        ("DELETE", "/limits", limits.clear),
        ("GET", "/coverage", coverage.show),
        ("DELETE", "/coverage", coverage.clear),
        ("GET", "/strict", strictness.show),
        ("PUT", "/strict", strictness.set),
        ("GET", "/state", state.overview),
        ("GET", "/state/<vendor>/<kind>", state.listed),
        ("PUT", "/state/<vendor>/<kind>", state.put),
        ("GET", "/state/<vendor>/<kind>/<name>", state.show),
        ("PUT", "/state/<vendor>/<kind>/<name>", state.put),
        ("DELETE", "/state/<vendor>/<kind>/<name>", state.delete),
        ("GET", "/export", state.export),
        ("POST", "/import", state.take),
    ):
        routes.add_url_rule(path, endpoint=f"{method} {path}".replace(".", "_"), view_func=view, methods=[method])

    @routes.before_request
    def refuse_queries() -> None:
        """Refuse parameters that nobody reads, before something is done that they were to narrow."""
        if request.args and request.endpoint not in {f"admin.{name}" for name in _QUERIED}:
            raise Wrong(f"{request.method} {request.path} takes no parameters in the query.")

    routes.register_error_handler(Wrong, lambda error: problem(400, "request", str(error)))
    routes.register_error_handler(Unusable, lambda error: problem(400, "request", str(error)))
    routes.register_error_handler(
        NoSuchNamespace, lambda error: problem(404, "namespace", f"{error} Make it first, or use it once.")
    )
    routes.register_error_handler(
        NamespaceExists, lambda error: problem(409, "namespace", f"{error} Reset it, or choose another name.")
    )
    routes.register_error_handler(NoSuchSnapshot, lambda error: problem(404, "snapshot", str(error)))
    routes.register_error_handler(Missing, lambda error: problem(404, "state", str(error)))
    routes.register_error_handler(Clash, lambda error: problem(409, "state", str(error)))
    routes.register_error_handler(Invalid, lambda error: invalid(422, "state", str(error), error.faults))
    routes.register_error_handler(
        OtherPack,
        lambda error: problem(
            409, "pack", f"{error} Drop it, or start the mock with the vendors and packs it was made with."
        ),
    )
    return routes


def _document() -> Response:
    return Response(_document_as_json(), content_type="application/json")


@cache
def _document_as_json() -> str:
    """Read the interface's own document, at its first use."""
    return json.dumps(yamlfile.load(Path(__file__).with_name("openapi.yaml")).value)
