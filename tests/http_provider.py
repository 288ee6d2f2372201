"""A provider of test data that answers HTTP, and keeps all that it was asked."""

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Message = dict[str, Any]
Answer = Callable[[Message], Any]
"""Answers a request: a message without its version, or a status and bytes that are sent as they are."""


@dataclass
class Asked:
    """A provider while it runs."""

    url: str
    requests: list[Message] = field(default_factory=list)
    answers: list[Message] = field(default_factory=list)
    headers: list[Mapping[str, str]] = field(default_factory=list)

    def of(self, request: str) -> list[Message]:
        """Return the requests of one sort."""
        return [message for message in self.requests if message["request"] == request]


@contextlib.contextmanager
def providing(answer: Answer) -> Iterator[Asked]:
    """Run a provider on a free port as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.requests.append(message)
            asked.headers.append({name.lower(): value for name, value in self.headers.items()})
            said = answer(message)
            status, content = said if isinstance(said, tuple) else (200, json.dumps({"version": 1, **said}).encode())
            if status == 200:
                with contextlib.suppress(ValueError):
                    asked.answers.append(json.loads(content))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    asked = Asked(f"http://127.0.0.1:{server.server_port}/provider")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
