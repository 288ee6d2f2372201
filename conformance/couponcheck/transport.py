"""How a target is talked to: its limits, proxy and trust."""

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import PROXY_AUTHENTICATION_REQUIRED
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from couponcheck.deadline import Adapter, Alarm
from couponcheck.unanswered import is_closed, reason, refused

_HTTP_1_1 = 11
_PIECE = 16_384
"""Bytes that are read at once."""


class TargetUnreachable(Exception):
    """The target does not answer; the message is one sentence with the reason."""


class _ClosedConnection(TargetUnreachable):
    """The connection was closed before anything of the answer came."""


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


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    content: bytes
    fault: str = ""
    """Why the content cannot be read, if it cannot."""

    @property
    def text(self) -> str:
        """Return the content as people read it."""
        return self.content.decode("utf-8", "replace")


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
        # A server may know by a cookie who asked before, and must not be reminded where nobody is to be known.
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._is_used = False
        self.takes_chunks = False
        """Whether it is known that the server speaks HTTP/1.1, which others must not be sent chunks (RFC 9112, 6.1)."""
        if access.proxy:
            self.session.proxies.update({"http": access.proxy, "https": access.proxy})
        else:
            self.session.proxies.update(requests.utils.get_environ_proxies(base_url, no_proxy=None))
        environment = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
        self.session.verify = access.ca_file or environment or True
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, Adapter())

    def ask(self, method: str, target: str, *, is_safe: bool = False, **content: Any) -> Answer:
        """Send a request and read its whole answer; a redirect is an answer.

        A server may close a connection whenever it waits for the next request. So what changes data, which nobody may
        send twice, goes over a new one, and what is safe is sent again if it met one that was being closed.

        Args:
            method: The request's method.
            target: Path and query, percent-encoded.
            is_safe: Whether it changes nothing.
            content: ``headers`` and ``data`` or ``json``, as requests takes them.

        Raises:
            TargetUnreachable: no answer came, or none that ends.
        """
        if not is_safe:
            self.session.close()
        try:
            answer = self._asked(method, target, content)
        except _ClosedConnection:
            if not (is_safe and self._is_used):
                raise
            self.session.close()
            answer = self._asked(method, target, content)
        self._is_used = True
        return answer

    def _asked(self, method: str, target: str, content: Mapping[str, Any]) -> Answer:
        limits = self.access.limits
        with Alarm(limits.deadline) as alarm:
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
                    self.takes_chunks = response.raw.version >= _HTTP_1_1
            except requests.exceptions.ContentDecodingError:
                fault = "it is not encoded as its Content-Encoding says"
                return Answer(response.status_code, _by_name(response), b"", fault)
            except (requests.RequestException, HTTPError) as error:
                late = alarm.rung
                kind = _ClosedConnection if is_closed(error) and not late else TargetUnreachable
                raise kind(
                    self._late() if late else reason(error, self.base_url, limits.timeout, self._proxy)
                ) from error
            if alarm.rung:  # a body without a length just ends when it is cut
                raise TargetUnreachable(self._late())
        if response.status_code == PROXY_AUTHENTICATION_REQUIRED and self._proxy:
            raise TargetUnreachable(refused(self.base_url, self._proxy, f"{response.status_code} {response.reason}"))
        return Answer(response.status_code, _by_name(response), body)

    @property
    def _proxy(self) -> str:
        """Return host and port of the proxy that is asked, without its password; empty if none is."""
        url = requests.utils.select_proxy(self.base_url, self.session.proxies)
        return urlsplit(url).netloc.rpartition("@")[2] if url else ""

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


def _by_name(response: requests.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in response.headers.items()}
