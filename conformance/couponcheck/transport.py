"""How a target is talked to: its limits, proxy and trust, and a deadline that no dripping answer outlasts."""

import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ReadTimeoutError

_PIECE = 16_384
"""Bytes that are read at once."""


class TargetUnreachable(Exception):
    """The target does not answer; the message is one sentence with the reason."""


class UnusableTarget(Exception):
    """The target, or what was said of it, cannot be used; the message is one sentence with the way out."""


class LimitReached(Exception):
    """As many requests as the target file allows have been sent; the message is one sentence."""


def is_base_url(text: str) -> bool:
    """Tell whether a text can be a base URL: no credentials in it, which would be sent with every request."""
    try:
        parts = urlsplit(text)
        whole = not (parts.query or parts.fragment or parts.username or parts.password)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0 and whole
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run allows itself and its target."""

    timeout: float = 10.0
    """Seconds to wait for a connection or for the next bytes."""
    deadline: float = 60.0
    """Seconds for a whole answer."""
    body: int = 10_000_000
    """Bytes of an answer's body, once it is uncompressed."""
    requests: int | None = None
    """How many requests a run sends at most; None for as many as it takes."""
    per_second: float | None = None
    """How many requests are sent in a second at most; None for no such limit."""
    parallel: int = 1
    """How many reads of one vendor are sent at a time."""


@dataclass(frozen=True, slots=True)
class Access:
    """How a target is reached."""

    limits: Limits = field(default_factory=Limits)
    proxy: str = ""
    """URL of a proxy; empty for those of the environment."""
    ca_file: str = ""
    """File with the authority of the target's certificate; empty for the machine's."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with every request that has no such header of its own."""


@dataclass(frozen=True, slots=True)
class Sharing:
    """How several processes of one machine carry out one run."""

    processes: int
    """How many send requests."""
    ledger: Path
    """File in which they count them; empty at first."""


class Allowance:
    """How many requests may still be sent, and how soon; all vendors of a run share one.

    Where several processes carry out one run, what they allow themselves is allowed them all together.
    """

    def __init__(self, limits: Limits, sharing: Sharing | None = None) -> None:
        """Begin with all that the limits allow, or go on where other processes are.

        Args:
            limits: Of the run.
            sharing: How other processes take part; None if there are none.
        """
        self._limits = limits
        self._ledger = sharing.ledger if sharing else None
        self._sent, self._next = 0, 0.0
        self._lock = threading.Lock()
        self.askers = limits.parallel * (sharing.processes if sharing else 1)
        """How many requests may be on their way at a time."""

    def take(self) -> None:
        """Take one request, and wait until it may be sent.

        Raises:
            LimitReached: there is none left.
        """
        with self._lock, self._shared():
            if self._limits.requests is not None and self._sent >= self._limits.requests:
                reached = f"the limit of {self._limits.requests} requests for a run is reached (limits.requests)"
                raise LimitReached(reached)
            self._sent += 1
            if self._limits.per_second is None:
                return
            now = time.monotonic()  # counts from the same moment in all processes of a machine
            wait = max(0.0, self._next - now)
            self._next = max(now, self._next) + 1 / self._limits.per_second
        time.sleep(wait)

    @contextmanager
    def _shared(self) -> Iterator[None]:
        """Have what other processes have counted, and let them have what is counted here."""
        if self._ledger is None:
            yield
            return
        import fcntl

        with self._ledger.open("r+", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # until it is closed
            sent, _, soonest = file.read().partition(" ")
            self._sent, self._next = int(sent or 0), float(soonest or 0)
            yield
            file.seek(0)
            file.truncate()
            file.write(f"{self._sent} {self._next!r}")


class _Alarm:
    """Cuts the connection that an answer comes on when its time is up.

    A timeout of a socket begins anew with every byte, so a server that sends one now and then would be waited for for
    ever.
    """

    def __init__(self, seconds: float) -> None:
        self.rung = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._ring)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        _current.alarm = self
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._lock:
            self._socket = None
        del _current.alarm

    def watch(self, connected: socket.socket | None) -> None:
        """Name the socket to cut."""
        with self._lock:
            self._socket = connected
            if self.rung:
                self._cut()

    def _ring(self) -> None:
        with self._lock:
            self.rung = True
            self._cut()

    def _cut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):  # it may just have been closed
                self._socket.shutdown(socket.SHUT_RDWR)


_current = threading.local()
"""The alarm of the answer that this thread waits for."""


class _Connection(HTTPConnection):
    def getresponse(self) -> Any:
        _current.alarm.watch(self.sock)
        return super().getresponse()


class _SecureConnection(HTTPSConnection):
    def getresponse(self) -> Any:
        _current.alarm.watch(self.sock)
        return super().getresponse()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class _Adapter(HTTPAdapter):
    """Opens connections that an alarm can cut."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        return manager


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    content: bytes


class Line:
    """A line to one server: it adds nothing of the machine's to a request but proxies and trust."""

    def __init__(self, base_url: str, access: Access) -> None:
        """Open a line; nothing is sent yet.

        Args:
            base_url: Where the server is.
            access: How it is reached.
        """
        self.base_url = base_url.rstrip("/")
        self.access = access
        self.session = requests.Session()
        self.session.trust_env = False  # no .netrc
        if access.proxy:
            self.session.proxies.update({"http": access.proxy, "https": access.proxy})
        else:
            self.session.proxies.update(requests.utils.get_environ_proxies(base_url, no_proxy=None))
        environment = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
        self.session.verify = access.ca_file or environment or True
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, _Adapter())

    def ask(self, method: str, target: str, **content: Any) -> Answer:
        """Send a request and read its whole answer; a redirect is an answer.

        Args:
            method: The request's method.
            target: Path and query, percent-encoded.
            content: ``headers`` and ``data`` or ``json``, as requests takes them.

        Raises:
            TargetUnreachable: no answer came, or none that ends.
        """
        limits = self.access.limits
        with _Alarm(limits.deadline) as alarm:
            try:
                # Read here, piece by piece: requests would take whatever comes.
                with self.session.request(
                    method,
                    self.base_url + target,
                    timeout=limits.timeout,
                    allow_redirects=False,
                    stream=True,
                    **content,
                ) as response:
                    body = self._body(response)
            except requests.RequestException as error:
                late = alarm.rung
                raise TargetUnreachable(self._late() if late else reason(error, self.base_url, limits)) from error
            if alarm.rung:  # a body without a length just ends when it is cut
                raise TargetUnreachable(self._late())
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, body)

    def _body(self, response: requests.Response) -> bytes:
        pieces, size = [], 0
        for piece in response.iter_content(_PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > self.access.limits.body:
                longest = self.access.limits.body
                raise TargetUnreachable(f"{self.base_url} sent a body of more than {longest} bytes (limits.body)")
        return b"".join(pieces)

    def _late(self) -> str:
        seconds = self.access.limits.deadline
        return f"{self.base_url} did not finish its answer within {seconds:g} seconds (limits.deadline)"

    def close(self) -> None:
        """Close the connections."""
        self.session.close()


def reason(error: requests.RequestException, base_url: str, limits: Limits) -> str:
    """Say in one sentence why no answer came, and what can be done about it."""
    if isinstance(error, requests.exceptions.SSLError):
        fix = "name a file with its authority in REQUESTS_CA_BUNDLE or as ca_file, or give http:// if it speaks no TLS"
        return f"{base_url} has a certificate that is not trusted here; {fix}"
    if isinstance(error, requests.Timeout) or any(isinstance(cause, ReadTimeoutError) for cause in error.args):
        return f"{base_url} did not answer within {limits.timeout:g} seconds"
    if isinstance(error, requests.exceptions.ProxyError):
        return f"{base_url} cannot be reached through the proxy"
    if isinstance(error, requests.ConnectionError):
        why = "nobody answers there" if "refused" in str(error) else "it closed the connection, or is unknown here"
        return f"{base_url} cannot be reached: {why}"
    return f"{base_url} cannot be asked: {type(error).__name__}"
