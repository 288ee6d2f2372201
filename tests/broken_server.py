"""Mocks in this process that are wrong on purpose, or right in another way, and what the suite says of them."""

import contextlib
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from couponcheck.catalogue import Catalogue, Requirement, catalogued, load_catalogue
from couponcheck.judge import Judge
from couponcheck.outcome import ERROR, FAIL, WARN, Outcome
from couponcheck.target import open_target
from couponmock.app import create_app
from couponmock.assembly import assemble
from couponmock.exchange import Handler
from couponmock.settings import Settings
from couponspec import Document, load_document
from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

SEED = 1
VENDORS = catalogued()


class _Quiet(WSGIRequestHandler):
    """Writes no log, and can send an answer in chunks."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""


@cache
def document(vendor: str) -> Document:
    """Return a vendor's document, whose schemas are compiled once for all targets."""
    return load_document(vendor)


@cache
def catalogue(vendor: str) -> Catalogue:
    """Return a vendor's catalogue."""
    return load_catalogue(document(vendor))


def requirements(vendor: str, *, also: Iterable[str] = ()) -> list[Requirement]:
    """Return what is checked of a vendor, without the slow requirements that make requests up but for the named."""
    return [item for item in catalogue(vendor).checked if item.generated is None or item.id in also]


@contextlib.contextmanager
def serving(
    vendor: str,
    *,
    defects: tuple[str, ...] = (),
    readings: tuple[str, ...] = (),
    handling: Callable[[Handler], Handler] | None = None,
    transport: "Callable[[WSGIApplication], WSGIApplication] | None" = None,
) -> Iterator[str]:
    """Run a mock of one vendor on a free port as long as the block lasts, and give its URL.

    Args:
        vendor: Whom it acts as.
        defects: Ids of the defects it has.
        readings: Options of readings that it acts out.
        handling: Makes another handler of the mock's; for freedoms that it cannot be told to take.
        transport: Makes another WSGI application of the mock's; for what is below a handler.
    """
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            store=f"sqlite:///{Path(folder) / 'state.db'}",
            vendors=(vendor,),
            log_format="none",
            defects=defects,
            readings=readings,
        )
        mock = assemble(settings)
        if handling:
            mock = replace(mock, handlers={vendor: handling(mock.handlers[vendor])})
        app: WSGIApplication = create_app(mock)
        application = transport(app) if transport else app
        server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Quiet)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            mock.store.close()


def judged(vendor: str, url: str, chosen: Iterable[Requirement]) -> dict[str, Outcome]:
    """Return what the suite says of the chosen requirements of a server, by their ids."""
    with contextlib.closing(open_target(url, vendor, SEED)) as target:
        judge = Judge(document(vendor), catalogue(vendor), target, SEED)
        return {requirement.id: judge.outcome(requirement) for requirement in chosen}


def accused(outcomes: dict[str, Outcome]) -> dict[str, str]:
    """Return the requirements that are not kept, with the reasons; a tolerated variant is no breach."""
    return {
        requirement: f"{outcome.verdict}: {outcome.reason}"
        for requirement, outcome in outcomes.items()
        if outcome.verdict in ({FAIL, ERROR} if outcome.requirement.level == "must" else {FAIL, ERROR, WARN})
    }
