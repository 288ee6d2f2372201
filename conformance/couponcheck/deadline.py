"""Connections that can be cut when their time is up, so that nobody who drips, hangs or is unknown is waited for.

They also read past what a server may say before its answer.
"""

import http.client
import math
import socket
import threading
import time
from contextlib import suppress
from typing import Any, Self

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError


class Alarm:
    """Cuts the connection that an answer comes on when its time is up.

    A timeout of a socket begins anew with every byte, so a server that sends one now and then would be waited for for
    ever.
    """

    def __init__(self, seconds: float) -> None:
        self.rung = False
        self.until = time.monotonic() + seconds
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        _current.alarm = self
        _watchman.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        _watchman.remove(self)
        with self._lock:
            self._forget()
        del _current.alarm

    def watch(self, connected: socket.socket) -> None:
        """Name the socket to cut; a copy, since TLS takes a socket over and an answer's end may close it."""
        with self._lock:
            self._forget()
            self._socket = connected.dup()
            if self.rung:
                self._cut()

    def ring(self) -> None:
        with self._lock:
            self.rung = True
            self._cut()

    def _cut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):  # the other side may just have gone
                self._socket.shutdown(socket.SHUT_RDWR)

    def _forget(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _Watchman:
    """Rings alarms, all from one thread: one for each request would cost a tenth of the request."""

    def __init__(self) -> None:
        self._alarms: set[Alarm] = set()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._wakes = math.inf

    def add(self, alarm: Alarm) -> None:
        with self._changed:
            self._alarms.add(alarm)
            if self._thread is None or not self._thread.is_alive():  # a fork takes no threads along
                self._thread = threading.Thread(target=self._watch, daemon=True)
                self._thread.start()
            elif alarm.until < self._wakes:
                self._changed.notify()

    def remove(self, alarm: Alarm) -> None:
        with self._changed:
            self._alarms.discard(alarm)

    def _watch(self) -> None:
        while True:
            with self._changed:
                now = time.monotonic()
                due = {alarm for alarm in self._alarms if alarm.until <= now}
                self._alarms -= due
                if not due:
                    self._wakes = min((alarm.until for alarm in self._alarms), default=math.inf)
                    self._changed.wait(None if math.isinf(self._wakes) else self._wakes - now)
            for alarm in due:
                alarm.ring()


_watchman = _Watchman()
_current = threading.local()
"""The alarm of the answer that this thread waits for."""


class _Watched:
    """What every connection does so that an alarm can cut it: in a handshake, with a proxy, and in an answer."""

    _plain: socket.socket | None = None

    def _new_conn(self: Any) -> socket.socket:
        _look_up(self)
        connected: socket.socket = super()._new_conn()  # type: ignore[misc] # of the class that stands beside
        self._plain = connected.dup()
        _current.alarm.watch(connected)
        return connected

    def getresponse(self: Any) -> Any:
        _current.alarm.watch(self._plain)
        return super().getresponse()  # type: ignore[misc] # as above

    def close(self: Any) -> None:
        super().close()  # type: ignore[misc] # as above
        if self._plain is not None:
            self._plain.close()


def _look_up(connection: HTTPConnection) -> None:
    """Wait for a name no longer than for an answer; a lookup itself knows no timeout.

    Raises:
        ConnectTimeoutError: nothing was found in time.
    """
    host, port = connection._dns_host, connection.port  # noqa: SLF001 - where urllib3 looks itself
    if host in _found:  # and requests that are sent at once lose no time
        return
    thread = threading.Thread(target=_looked_up, args=(host, port), daemon=True)
    thread.start()
    thread.join(connection.timeout)
    if thread.is_alive():
        raise ConnectTimeoutError(connection, f"{host} was not found in time")
    _found.add(host)


_found: set[str] = set()
"""Hosts that were looked up before, which is not worth a thread again."""


def _looked_up(host: str, port: int) -> None:
    with suppress(OSError, UnicodeError):  # who connects says so
        socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class _Response(http.client.HTTPResponse):
    def begin(self) -> None:
        super().begin()
        # What comes before the answer, such as 103 Early Hints; the library knows of 100 only.
        while http.client.SWITCHING_PROTOCOLS < self.status < http.client.OK:
            self.headers = None  # type: ignore[assignment] # None says that the head is still to be read
            super().begin()


class _Connection(_Watched, HTTPConnection):
    response_class = _Response


class _SecureConnection(_Watched, HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class Adapter(HTTPAdapter):
    """Opens connections that an alarm can cut."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        return manager
