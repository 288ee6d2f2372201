"""Where Flask starts: HTTP in, a request to the vendor's pipeline, HTTP out."""

import json
import logging
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any
from uuid import uuid4

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from couponmock import admin, coverage, strict
from couponmock.assembly import Assembly, assemble
from couponmock.exchange import DEFAULT_NAMESPACE, NAMESPACE, NAMESPACE_RULE, Reply, Request, Transit
from couponmock.forced import Unforceable
from couponmock.journal import entry
from couponmock.renderer import BrokenAnswer
from couponmock.settings import VARIABLE, Settings
from couponmock.store import NoSuchNamespace

NAMESPACE_HEADER = "X-Mock-Namespace"
_NAMED = "couponmock.namespace"
"""Where the environment keeps the namespace of a prefix that was taken off the path."""
_PREFIX = re.compile(r"/~([^/]*)(/.*|\Z)", re.DOTALL)
_LOG = logging.getLogger("couponmock")


class WrongNamespace(Exception):
    """The request names no usable namespace."""


def create_app(mock: Assembly) -> Flask:
    """Make the WSGI application of a mock.

    Every path that is not the admin interface's goes to a vendor, whatever its method; Flask's own routing only ever
    sees ``/__admin``.
    """
    app = Flask("couponmock", static_folder=None)
    app.wsgi_app = _PrefixedAdmin(app.wsgi_app)  # type: ignore[method-assign]  # Flask's own way to put something before it
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False  # they would be HTML by name
    app.register_blueprint(admin.blueprint(mock))
    app.register_error_handler(HTTPException, admin.http_problem)
    app.register_error_handler(Exception, _unexpected)

    @app.before_request
    def act() -> Response | None:
        g.started = time.perf_counter()
        g.request_id = uuid4().hex
        try:
            g.namespace, path = _namespace()
        except WrongNamespace as error:
            return admin.problem(400, "namespace", str(error))
        return None if admin.owns(request.path) else _answer(mock, path)

    @app.after_request
    def log(response: Response) -> Response:
        _log(mock.settings.log_format, response)
        return response

    return app


def from_environment() -> Flask:
    """Make the application in a worker process, from the settings its parent left in the environment."""
    settings = Settings.load(os.environ[VARIABLE])
    configure_log(settings.log_format)
    return create_app(assemble(settings))


def configure_log(log_format: str) -> None:
    """Send the mock's log lines to standard error, one for each request."""
    _LOG.handlers = [logging.NullHandler() if log_format == "none" else logging.StreamHandler()]
    _LOG.setLevel(logging.INFO)
    _LOG.propagate = False


class _PrefixedAdmin:
    """Lets the admin interface be asked under a namespace's prefix: ``/~NAME/__admin/...``."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        prefix = _PREFIX.match(environ["PATH_INFO"])
        if prefix and admin.owns(prefix[2]):
            environ[_NAMED] = prefix[1]
            environ["PATH_INFO"] = prefix[2]
        return self._app(environ, start_response)


def _answer(mock: Assembly, path: str) -> Response:
    asked = Request(
        method=request.environ["REQUEST_METHOD"],  # as sent: methods are case-sensitive, and Flask's is in capitals
        path=path,
        query=request.query_string.decode("utf-8", "surrogateescape"),
        headers={name.lower(): value for name, value in request.headers.items()},
        read=_read,
        id=g.request_id,
        namespace=g.namespace,
    )
    try:
        reply = mock.handle(asked)
    except Unforceable as error:
        return admin.problem(400, "preference", str(error))
    except strict.WrongMode as error:
        return admin.problem(400, "strict-mode", str(error))
    except BrokenAnswer as error:
        _LOG.exception("the mock's own answer breaks the document")
        return admin.problem(500, "broken-answer", f"The mock's own answer would break the document: {error}")
    if reply is None:
        known = ", ".join(f"{prefix} ({vendor})" for vendor, doc in mock.documents.items() for prefix in doc.prefixes)
        return admin.problem(404, "no-vendor", f"No vendor has this path. Paths begin with {known} or /__admin/.")
    g.reply = reply
    if mock.settings.journal:
        _keep(mock, asked, reply)
    if reply.transit:
        time.sleep(reply.transit.wait)
    return _response(reply, g.namespace, mock_headers=mock.settings.mock_headers)


def _keep(mock: Assembly, asked: Request, reply: Reply) -> None:
    """Journal an exchange, also the first one of a namespace that reached no operation and so has not made it."""
    document = mock.documents[mock.vendor_of(asked.path) or ""]
    kept = entry(asked, reply, g.get("body"), document)
    answer = coverage.answer_of(document, reply)
    try:
        mock.store.record(asked.namespace, kept, answer=answer)
    except NoSuchNamespace:
        with mock.store.session(asked.namespace, write=False, pack=mock.default_pack):
            pass
        mock.store.record(asked.namespace, kept, answer=answer)


def _namespace() -> tuple[str, str]:
    """Return the namespace of the request and its path without the namespace's prefix."""
    path = request.environ["PATH_INFO"].encode("latin-1").decode("utf-8", "surrogateescape")
    prefix = _PREFIX.match(path)
    prefixed = request.environ.get(_NAMED, prefix[1] if prefix else None)
    names = {name for name in (request.headers.get(NAMESPACE_HEADER), prefixed) if name is not None}
    for name in names:
        if not NAMESPACE.match(name):
            raise WrongNamespace(NAMESPACE_RULE)
    if len(names) > 1:
        raise WrongNamespace(f"The URL names one namespace, the header {NAMESPACE_HEADER} another; name one.")
    return next(iter(names), DEFAULT_NAMESPACE), (prefix[2] or "/") if prefix else path


def _read(limit: int) -> bytes | None:
    """Read the request's body; None if it is longer than the limit, in bytes."""
    length = request.content_length
    body: bytes | None = b""
    if length is not None:
        body = None if length > limit else request.stream.read(length)
    elif "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        read: bytes = request.environ["wsgi.input"].read(limit + 1)
        body = None if len(read) > limit else read
    g.body = body
    return body


def _response(reply: Reply, namespace: str, *, mock_headers: bool) -> Response:
    headers = [*reply.headers, ("Content-Type", reply.announced_type)]
    if mock_headers:
        diagnosis = reply.diagnosis
        told = (
            ("X-Mock-Vendor", diagnosis.vendor),
            ("X-Mock-Operation", diagnosis.operation),
            ("X-Mock-Finding", diagnosis.finding),
            ("X-Mock-Fault", diagnosis.fault),
            ("X-Mock-Example", diagnosis.example),
            ("X-Mock-Basis", diagnosis.basis),
            ("X-Mock-Reading", ", ".join(diagnosis.readings)),
            ("X-Mock-Unknown", strict.told(diagnosis.unknown)),
            (NAMESPACE_HEADER, namespace),
            ("X-Mock-Request-Id", g.request_id),
        )
        headers += [(name, value) for name, value in told if value]
    if reply.transit:
        return _Damaged(reply, headers, reply.transit)
    return Response(reply.body, reply.status, headers)


class _Damaged(Response):
    """A response that does not arrive at once, whole and in one piece.

    It leans on how granian, and hyper beneath it, treat a Content-Length of the application's, since WSGI has no words
    for a connection that ends.
    """

    def __init__(self, reply: Reply, headers: list[tuple[str, str]], transit: Transit) -> None:
        super().__init__(reply.announced, reply.status, headers)
        self._sent = reply.sent
        self._transit = transit

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        _, status, headers = self.get_wsgi_response(environ)
        if self._transit.dropped:
            # With a length that is none hyper gives up on the answer before its first byte, and on the connection.
            start_response("200 OK", [("Content-Length", "none")])
            return _pieces(b"-", 1, 0)
        if self._transit.cut is not None:
            # A list is sent whatever the length says, and after it there is nothing left to wait for.
            start_response(status, [*headers, ("Connection", "close")])
            return [self._sent]
        start_response(status, headers)
        return _pieces(self._sent, self._transit.chunks, self._transit.over)


def _pieces(body: bytes, count: int, over: float) -> Iterator[bytes]:
    """Yield a body in pieces of about the same size, spread over some seconds."""
    count = max(min(count, len(body)), 1)
    bounds = [len(body) * number // count for number in range(count + 1)]
    for number, (start, end) in enumerate(pairwise(bounds)):
        if number:
            time.sleep(over / (count - 1))
        yield body[start:end]


def _unexpected(error: Exception) -> Response:
    """Answer a failure of the mock itself; it must not look like a vendor's answer."""
    _LOG.exception("the mock failed", exc_info=error)
    return admin.problem(500, "failure", "The mock itself failed; its log has the reason.")


def _log(log_format: str, response: Response) -> None:
    if log_format == "none":
        return
    reply: Reply | None = g.get("reply")
    line: dict[str, Any] = {
        "method": request.method,
        "path": request.path,
        "status": None if reply and reply.dropped else response.status_code,
        "ms": round((time.perf_counter() - g.started) * 1000, 2),
        "namespace": g.get("namespace", ""),
        "operation": reply.diagnosis.operation if reply else "",
        "example": reply.diagnosis.example if reply else "",
        "finding": reply.diagnosis.finding if reply else "",
        **({"fault": reply.diagnosis.fault} if reply and reply.diagnosis.fault else {}),
        "request_id": g.request_id,
        **({"unknown": strict.told(reply.diagnosis.unknown)} if reply and reply.diagnosis.unknown else {}),
    }
    if log_format == "json":
        _LOG.info(json.dumps(line))
    else:
        head = f"{line['method']} {line['path']!a} {line['status'] or 'dropped'} {line['ms']}ms"
        tail = " ".join(
            f"{name}={line[name]}"
            for name in ("namespace", "operation", "example", "finding", "fault", "unknown")
            if line.get(name)
        )
        _LOG.info("%s %s", head, tail)
