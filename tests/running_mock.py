"""A `couponmock serve` beside the tests, and a client that sends exactly the bytes it is given."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPMessage, HTTPResponse
from pathlib import Path
from typing import Any
from uuid import uuid4

from admin_contract import hold

START_SECONDS = 30
STOP_SECONDS = 3
"""What the mock promises."""
ANSWER_SECONDS = 30

COUPONMOCK = str(Path(sys.executable).with_name("couponmock"))


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def media_type(self) -> str | None:
        """Return the Content-Type, byte for byte."""
        return self.headers.get("Content-Type")

    @property
    def json(self) -> Any:
        """Return the body as JSON that any reader understands: UTF-8, no NaN, no key twice."""
        return json.loads(self.body.decode("utf-8"), object_pairs_hook=_members, parse_constant=_constant)

    @property
    def example(self) -> str | None:
        """Return the name of the document's example that the mock says it has given."""
        return self.headers.get("X-Mock-Example")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len({name for name, _ in pairs}) == len(pairs), f"a key is given twice: {pairs}"
    return dict(pairs)


def _constant(name: str) -> Any:
    raise AssertionError(f"{name} is not JSON")


def exchange(port: int, request: bytes, method: str = "GET", *, host: str = "127.0.0.1") -> Answer:
    """Send bytes on a connection of their own and read one answer."""
    with socket.create_connection((host, port), timeout=ANSWER_SECONDS) as connection:
        # The server may answer, and close, before it has read everything.
        with contextlib.suppress(ConnectionError):
            connection.sendall(request)
        return read_answer(connection, method)


def read_answer(connection: socket.socket, method: str = "GET") -> Answer:
    """Read one answer from a connection."""
    response = HTTPResponse(connection, method=method)
    try:
        response.begin()
        return Answer(response.status, response.headers, response.read())
    finally:
        response.close()


def request_bytes(
    method: str, target: str, headers: Sequence[tuple[str, str]] = (), body: bytes | None = None, *, host: str = "mock"
) -> bytes:
    """Write a request; texts are sent as Latin-1, so that every byte can be said."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers]
    names = {name.lower() for name, _ in headers}
    if body is not None and not names & {"content-length", "transfer-encoding"}:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


@dataclass(frozen=True)
class Mock:
    """A running mock and, if named, one of its namespaces."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    namespace: str | None = None

    @property
    def origin(self) -> str:
        """Return the URL of the server."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Return the base URL of the namespace, chosen by prefix; of the server if none is named."""
        return self.origin + (f"/~{self.namespace}" if self.namespace else "")

    def within(self, namespace: str) -> "Mock":
        """Return the same server, seen from a namespace."""
        return Mock(self.process, self.port, self.log, namespace)

    def new_world(self, pack: str | None = None) -> "Mock":
        """Make a namespace that nobody else uses."""
        name = f"test-{uuid4().hex}"
        answer = self.admin("POST", "/namespaces", {"name": name, **({"pack": pack} if pack else {})})
        assert answer.status == 201, answer
        return self.within(name)

    def send(
        self,
        method: str,
        target: str,
        headers: Sequence[tuple[str, str]] | Mapping[str, str] = (),
        body: bytes | None = None,
    ) -> Answer:
        """Send a request exactly as written, to the namespace by header, and return the answer."""
        sent = [*(headers.items() if isinstance(headers, Mapping) else headers)]
        if self.namespace:
            sent.append(("X-Mock-Namespace", self.namespace))
        return self._asked(method, target, sent, body)

    def post(self, target: str, value: Any, headers: Mapping[str, str] | None = None) -> Answer:
        """Post a JSON value."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        return self.send("POST", target, sent, json.dumps(value).encode())

    def admin(self, method: str, path: str, value: Any = None) -> Answer:
        """Ask the admin interface."""
        body = None if value is None else json.dumps(value).encode()
        headers = [] if value is None else [("Content-Type", "application/json")]
        return self._asked(method, f"/__admin{path}", headers, body)

    def _asked(self, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes | None) -> Answer:
        answer = exchange(self.port, request_bytes(method, target, headers, body), method)
        hold(method, target, body, answer.status, answer.media_type, answer.body)
        return answer

    def bindings(self, vendor: str) -> dict[str, dict[str, Any]]:
        """Return handle -> members of the seeded entities of the namespace."""
        answer = self.admin("GET", f"/namespaces/{self.namespace}/bindings")
        assert answer.status == 200, answer
        found: dict[str, dict[str, Any]] = answer.json["bindings"][vendor]
        return found

    def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Tell the mock to stop, wait for it and return how many seconds that took."""
        started = time.monotonic()
        self.process.send_signal(number)
        self.process.wait(timeout=START_SECONDS)
        return time.monotonic() - started


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of a server that keeps its temporary files in a folder of ours."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("COUPONMOCK")}
    return {**clean, "TMPDIR": str(folder)}


def launch(folder: Path, *flags: str) -> subprocess.Popen[bytes]:
    """Start `couponmock serve` with its log in the folder; do not wait for anything."""
    with (folder / "log").open("wb") as log:
        return subprocess.Popen(
            [COUPONMOCK, "serve", "--port-file", str(folder / "port"), *flags],
            cwd=folder,
            env=environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # A group of its own, so that workers it has lost can be found.
            process_group=0,
        )


def await_port(process: subprocess.Popen[bytes], folder: Path) -> int:
    """Wait until a launched mock answers and return its port."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if text := (folder / "port").read_text():
                return int(text)
        assert process.poll() is None, f"ended with {process.returncode}:\n{(folder / 'log').read_text()}"
        time.sleep(0.02)
    raise AssertionError(f"no answer within {START_SECONDS} seconds:\n{(folder / 'log').read_text()}")


def survivors(group: int) -> bool:
    """Tell whether a process of a group is still there after a moment's grace."""
    for _ in range(50):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.02)
    return True


@contextlib.contextmanager
def serving(folder: Path, *flags: str) -> Iterator[Mock]:
    """Run a mock on a free port as long as the block lasts, and let nothing of it live on."""
    process = launch(folder, "--port", "0", *flags)
    try:
        yield Mock(process, await_port(process, folder), folder / "log")
    finally:
        if process.poll() is None:
            process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(START_SECONDS)
        if survivors(process.pid):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def couponmock(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a `couponmock` command that is expected to end by itself."""
    return subprocess.run(
        [COUPONMOCK, *arguments],
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )


def log_lines(mock: Mock, pattern: str) -> list[str]:
    """Return the lines of a mock's log that hold a pattern; the line of an answer is written before the answer."""
    return [line for line in mock.log.read_text().splitlines() if re.search(pattern, line)]
