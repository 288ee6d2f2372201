"""Runs the mock in a thread of this process: for tests that want it fast, not for many clients."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from werkzeug.serving import WSGIRequestHandler, make_server

from couponmock.app import create_app
from couponmock.assembly import assemble
from couponmock.settings import Settings
from couponmock.store import temporary_store

_POLL = 0.05
"""Seconds after which a server that is told to stop notices."""


class _Handler(WSGIRequestHandler):
    """Answers without a word: what happened is in the journal."""

    def send_header(self, keyword: str, value: str) -> None:
        """Give up on an answer whose length is no number, before its first byte: so the app drops a connection."""
        if keyword.lower() == "content-length" and not value.isdigit():
            self.close_connection = True
            raise ConnectionAbortedError
        super().send_header(keyword, value)

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002 - the name is werkzeug's
        """Say nothing."""


@contextmanager
def serving(vendors: tuple[str, ...], choices: Mapping[str, Any]) -> Iterator[str]:
    """Serve on a free port as long as the block lasts, and yield the URL.

    Args:
        vendors: Whom to act out.
        choices: Further members of `Settings`.

    Raises:
        FaultyFile: a pack or a setting cannot be used.
        StoreFault: no temporary store can be made.
    """
    with temporary_store() as store:
        mock = assemble(Settings(store=store, vendors=vendors, log_format="none", **choices))
        with closing(mock.store):
            server = make_server("127.0.0.1", 0, create_app(mock), threaded=True, request_handler=_Handler)
            thread = threading.Thread(target=server.serve_forever, args=(_POLL,), name="couponmock", daemon=True)
            thread.start()
            try:
                yield f"http://127.0.0.1:{server.server_port}"
            finally:
                server.shutdown()
                thread.join()
