"""Run a `couponmock serve` beside a script, and leave nothing of it behind."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

START_SECONDS = 30
STOP_SECONDS = 5  # three are promised; a busy machine gets two more


class MockFailedError(Exception):
    """The mock did not start, or did not stop as it should."""


@contextmanager
def running_mock(couponmock: str | Path, *flags: str, log: Path) -> Iterator[str]:
    """Start the mock on a free port, give its URL, and stop it with SIGTERM whatever happens."""
    _die_as_if_interrupted()
    with tempfile.TemporaryDirectory(prefix="couponmock-") as folder, log.open("w") as output:
        port_file = Path(folder) / "port"
        mock = subprocess.Popen(
            [str(couponmock), "serve", "--port", "0", "--port-file", str(port_file), *flags],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A group of its own: Ctrl-C reaches this script alone, and workers the mock lost can still be found.
            process_group=0,
        )
        try:
            yield f"http://127.0.0.1:{_port(mock, port_file, log)}"
        except BaseException:
            _stop(mock)  # what went wrong inside matters more than how the mock ended
            raise
        trouble = _stop(mock)
        if trouble:
            raise MockFailedError(f"{trouble}; see {log}")


def _die_as_if_interrupted() -> None:
    """Turn the signals that end a script into an exception, so that `finally` and `with` do their work."""

    def leave(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, leave)


def _port(mock: subprocess.Popen[bytes], port_file: Path, log: Path) -> int:
    """Wait for the port file, which the mock writes once it answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if port_file.exists() and (text := port_file.read_text().strip()):
            return int(text)
        if mock.poll() is not None:
            raise MockFailedError(f"The mock ended at once with {mock.returncode}:\n{log.read_text()}")
        time.sleep(0.05)
    raise MockFailedError(f"The mock did not answer within {START_SECONDS} seconds:\n{log.read_text()}")


def _stop(mock: subprocess.Popen[bytes]) -> str:
    """Stop the mock; return what was wrong with how it ended, or nothing."""
    trouble = ""
    mock.terminate()
    try:
        if mock.wait(STOP_SECONDS) != 0:
            trouble = f"The mock ended with {mock.returncode} instead of 0"
    except subprocess.TimeoutExpired:
        trouble = f"The mock still ran {STOP_SECONDS} seconds after SIGTERM"
    if _outlives(mock.pid):
        os.killpg(mock.pid, signal.SIGKILL)
        trouble = trouble or "The mock left processes behind"
    mock.wait()
    return trouble


def _outlives(group: int) -> bool:
    """Tell whether any process of the group is still there after a moment's grace."""
    for _ in range(20):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return False
        time.sleep(0.05)
    return True
