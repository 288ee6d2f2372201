"""Connections that an alarm can cut, and that read past what a server says before its answer."""

import http.client
import socket
import threading
from contextlib import suppress
from typing import Any, Self

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class Alarm:
    """Cuts the connection that an answer comes on when its time is up.

    A timeout of a socket begins anew with every byte, so a server that sends one now and then would be waited for for
    ever.
    """

    def __init__(self, seconds: float) -> None:
        """Set the alarm; it begins to run when it is entered.

        Args:
            seconds: Until it rings.
        """
        self.rung = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._ring)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        """Begin to run, for the answer that this thread waits for."""
        _current.alarm = self
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End, whether it has rung or not."""
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


class _Response(http.client.HTTPResponse):
    def begin(self) -> None:
        super().begin()
        # What comes before the answer, such as 103 Early Hints; the library knows of 100 only.
        while http.client.SWITCHING_PROTOCOLS < self.status < http.client.OK:
            # None says that the head is still to be read.
            self.headers = None  # type: ignore[assignment]
            super().begin()


class _Connection(HTTPConnection):
    response_class = _Response

    def getresponse(self) -> Any:
        _current.alarm.watch(self.sock)
        return super().getresponse()


class _SecureConnection(HTTPSConnection):
    response_class = _Response

    def getresponse(self) -> Any:
        _current.alarm.watch(self.sock)
        return super().getresponse()


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class Adapter(HTTPAdapter):
    """Opens connections that an alarm can cut."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Make connections of our own kinds."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Make them through a proxy, too."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}
        return manager
