"""A `couponmock serve` of one's own: a process that is gone when whoever started it is."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_START_WITHIN = 60.0
_STOP_WITHIN = 10.0
"""Seconds; three are promised, a busy machine gets more."""
_POLL = 0.01


class MockNotStarted(Exception):
    """There is no mock to ask; if it could not start, the message is what the server itself said."""


@contextmanager
def own_process(*flags: str) -> Iterator[str]:
    """Run a server on a free port as long as the block lasts, and yield its URL.

    It is in a group of its own, so that Ctrl-C reaches the one who started it alone, who then stops it. Should that
    one be killed, the server's standard input ends, and it stops by itself.

    Args:
        flags: What `couponmock serve` is to be told besides.

    Raises:
        MockNotStarted: the server refuses the flags, or does not answer.
    """
    with tempfile.TemporaryDirectory(prefix="couponmock-", ignore_cleanup_errors=True) as folder:
        port_file, said = Path(folder) / "port", Path(folder) / "said"
        command = [sys.executable, "-P", "-m", "couponmock.cli", "serve", "--port", "0", "--port-file", str(port_file)]
        with said.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603 - our own command
                [*command, "--log-format", "none", "--stop-with-stdin", *flags],
                env=_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=output,
                process_group=0,
            )
        try:
            yield f"http://127.0.0.1:{_port(process, port_file, said)}"
        finally:
            _stop(process)


def _environment() -> dict[str, str]:
    """Return the environment without what would choose flags of the command in our stead."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COUPONMOCK_")}


def _port(process: subprocess.Popen[bytes], port_file: Path, said: Path) -> int:
    """Wait for the port file, which the server writes once it answers."""
    deadline = time.monotonic() + _START_WITHIN
    while time.monotonic() < deadline:
        with suppress(FileNotFoundError):
            return int(port_file.read_text(encoding="utf-8"))
        if process.poll() is not None:
            raise MockNotStarted(_words(said) or f"the server ended at once with exit code {process.returncode}")
        time.sleep(_POLL)
    raise MockNotStarted(_words(said) or f"the server did not answer within {_START_WITHIN:g} seconds")


def _words(said: Path) -> str:
    lines = said.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return "\n".join(line.removeprefix("couponmock: ") for line in lines)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Tell the server to stop and wait for it; one that does not is killed with its workers."""
    try:
        process.terminate()
        process.wait(_STOP_WITHIN)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        if process.stdin is not None:
            process.stdin.close()
