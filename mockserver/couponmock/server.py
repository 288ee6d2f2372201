"""Runs the mock on granian, a production WSGI server."""

import json
import multiprocessing
import os
import signal
import socket
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from pathlib import Path

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from couponmock.settings import VARIABLE, Settings

BLOCKING_THREADS = 1000
"""Requests that one worker answers side by side; a slow one must not make the others wait.

A thread is started when there is a request for it and ends when there has been none for half a minute, so that many
cost nothing until they are needed.
"""
KILL_AFTER = 1
"""Seconds that a worker has to finish its requests once the server is told to stop."""
_READY_WITHIN = 60.0
_POLL = 0.02


class PortInUse(Exception):
    """Another program listens on the address."""


class CannotListen(Exception):
    """The address is not one that this machine can listen on."""


@contextmanager
def reserved(host: str, port: int) -> Iterator[tuple[str, int]]:
    """Hold a port, so that nobody takes it before the workers listen, and yield its address and number.

    granian binds with SO_REUSEPORT, which would silently share a port with a server that is already there, so the port
    is first bound without. A held socket that does not listen gets no connections.

    Bound without SO_REUSEADDR it also keeps out a server that starts at this very moment; only if the last connections
    of a server that has just ended are in the way is it bound with it.

    Args:
        host: Name or address to listen on.
        port: Port number; 0 for any free one.

    Raises:
        PortInUse: somebody listens there.
        CannotListen: the host is unknown here, or the port is not allowed.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        holder = socket.socket(family, kind)
    except OSError as error:
        raise CannotListen(f"{host}: {error.strerror}") from error
    except UnicodeError as error:
        raise CannotListen(f"{host}: this is no name of a host") from error
    with holder:
        try:
            try:
                holder.bind(address)
            except OSError:
                holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                holder.bind(address)
            if hasattr(socket, "SO_REUSEPORT"):
                holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        except OSError as error:
            if error.errno in {98, 48, 10048}:
                raise PortInUse(f"{host}:{port}") from error
            raise CannotListen(f"{host}:{port}: {error.strerror}") from error
        yield holder.getsockname()[:2]


def serve(
    settings: Settings, host: str, port: int, workers: int, ready: Callable[[str], None], assembled_in: float = 0
) -> None:
    """Serve until told to stop by SIGINT or SIGTERM.

    Args:
        settings: What the workers act out.
        host: Address to listen on, in numbers.
        port: Port to listen on; somebody holds it with `reserved`.
        workers: Number of worker processes.
        ready: Called once with the base URL, when the first request is answered.
        assembled_in: Seconds that it took here to assemble what each worker assembles again.
    """
    os.environ[VARIABLE] = settings.dump()
    # A worker starts from a fresh interpreter on every platform and version; forking with threads is not safe.
    multiprocessing.set_start_method("spawn", force=True)
    server = Server(
        "couponmock.app:from_environment",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=BLOCKING_THREADS,
        backpressure=BLOCKING_THREADS,
        workers_kill_timeout=KILL_AFTER,
        websockets=False,
        log_enabled=False,
        log_level=LogLevels.critical,
    )
    base_url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    stopped = threading.Event()
    within = _READY_WITHIN + 2 * workers * assembled_in
    threading.Thread(target=_announce, args=(base_url, stopped, ready, within), daemon=True).start()
    try:
        server.serve()
    finally:
        stopped.set()
        # Starting workers afresh brings a helper of multiprocessing's along, which nobody would wait for.
        resource_tracker._resource_tracker._stop()  # type: ignore[attr-defined]  # noqa: SLF001 - no public way


def _announce(base_url: str, stopped: threading.Event, ready: Callable[[str], None], within: float) -> None:
    """Wait until the server answers, then say so; a server that never does is stopped."""
    probe = base_url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:") + "/__admin/health"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(int(within / _POLL)):
        if stopped.wait(_POLL):
            return
        try:
            with opener.open(probe, timeout=1) as response:
                if json.load(response)["status"] == "ok":
                    break
        except (urllib.error.URLError, OSError, ValueError, KeyError):
            continue
    else:
        sys.stderr.write(f"couponmock: {base_url} does not answer; stopping\n")
        os.kill(os.getpid(), signal.SIGTERM)
        return
    ready(base_url)


def write_port(file: Path, base_url: str) -> None:
    """Leave the port in a file, all at once, for whoever waits for it."""
    partial = file.with_name(f".{file.name}.{os.getpid()}")
    partial.write_text(base_url.rpartition(":")[2] + "\n", encoding="utf-8")
    partial.replace(file)
