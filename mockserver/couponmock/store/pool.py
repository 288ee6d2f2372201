"""The few connections of one process, shared by its threads."""

import contextlib
import os
import queue
from collections.abc import Iterator

from .engine import PATIENCE, Connection, Engine
from .fault import StoreFault

CAPACITY = 16

Slots = queue.LifoQueue[Connection | None]


def empty_slots() -> Slots:
    """Make room for CAPACITY connections, none of them open."""
    slots = Slots()
    for _ in range(CAPACITY):
        slots.put(None)
    return slots


class Pool:
    """At most CAPACITY connections; the one used last is used next, so that few stay open when little happens."""

    def __init__(self, engine: Engine) -> None:
        """Start with no connection open."""
        self._engine = engine
        self._closed = False
        self._process = os.getpid()
        self._slots = empty_slots()
        self._of_parent: Slots | None = None

    @contextlib.contextmanager
    def transaction(self, *, write: bool, lasting: bool = True) -> Iterator[Connection]:
        """Lend a connection inside a transaction: committed at a clean exit, rolled back when the body raises."""
        connection = self._begin(write=write, lasting=lasting)
        try:
            yield connection
            connection.commit()
        except BaseException:
            connection.rollback()
            raise
        finally:
            self._give_back(connection)

    def close(self) -> None:
        """Close every connection; one that is lent out is closed when it comes back. Harmless when repeated."""
        self._closed = True
        with contextlib.suppress(queue.Empty):
            while True:
                connection = self._slots.get_nowait()
                if connection is not None:
                    connection.close()

    def _begin(self, *, write: bool, lasting: bool) -> Connection:
        while True:
            idle = self._take()
            connection = idle or self._connect()
            try:
                connection.begin(write=write, lasting=lasting)
            except BaseException:
                connection.rollback()
                lost = connection.broken
                self._give_back(connection)
                # The server went away while this one was idle. Nothing has been done on it yet: take another one.
                if idle is not None and lost:
                    continue
                raise
            return connection

    def _take(self) -> Connection | None:
        if self._closed:
            message = "The store is closed."
            raise RuntimeError(message)
        if self._process != os.getpid():
            # A forked process must neither use nor close its parent's connections.
            self._process, self._of_parent, self._slots = os.getpid(), self._slots, empty_slots()
        try:
            return self._slots.get(timeout=PATIENCE)
        except queue.Empty:
            message = f"All {CAPACITY} connections to the store stayed in use for {PATIENCE} seconds."
            raise StoreFault(message) from None

    def _connect(self) -> Connection:
        try:
            return self._engine.connect()
        except BaseException:
            self._slots.put(None)
            raise

    def _give_back(self, connection: Connection) -> None:
        if connection.broken:
            connection.close()
            self._slots.put(None)
        else:
            self._slots.put(connection)
        if self._closed:
            self.close()
