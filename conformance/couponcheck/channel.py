"""How a provider of test data is reached: lines of JSON to and from a command, or one HTTP request after the other."""

import os
import queue
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from couponspec.document import JSON

from couponcheck.transport import Access, Limits, Line, TargetUnreachable

TIMEOUT = 30.0
"""Seconds that a provider has for an answer, if the target file does not say otherwise."""
_LONGEST = 10_000_000
"""Bytes of an answer."""
_GRACE = 5.0
"""Seconds that a command has to end by itself once there is nothing more to ask."""
_LAST_WORDS = 500
"""Characters of what a command wrote for people that are told when it fails."""


class ProviderFailed(Exception):
    """A provider did not do what the protocol asks of it; the message is one sentence with the reason."""


@dataclass(frozen=True)
class ProviderSettings:
    """What a target file says of a provider: a command or a URL."""

    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    """Variables that the command gets beside those of the suite; a value may be ``$NAME``."""
    folder: Path = Path()
    """Where the command is started."""
    url: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with every request; a value may be ``$NAME``."""
    timeout: float = TIMEOUT
    """Seconds that an answer may take."""


class Channel(Protocol):
    """A way to a provider."""

    def ask(self, message: bytes) -> bytes:
        """Send one message, a line without its end, and return the answer.

        Raises:
            ProviderFailed: no whole answer came.
        """

    def late(self) -> bytes:
        """Return the answer to a message whose sender was interrupted; empty if there is none.

        Raises:
            ProviderFailed: no whole answer came.
        """

    def close(self) -> None:
        """Say that nothing more will be asked."""


def channel(settings: ProviderSettings) -> Channel:
    """Make the way to a provider; nothing is started or sent yet.

    Args:
        settings: What the target file says, with the environment's values in place of their names.
    """
    return Web(settings) if settings.url else Command(settings)


class Web:
    """A provider that answers HTTP: each message is posted, each answer a response of 2xx."""

    def __init__(self, settings: ProviderSettings) -> None:
        """Send nothing yet."""
        self._settings = settings
        limits = Limits(timeout=settings.timeout, deadline=settings.timeout, body=_LONGEST)
        self._line = Line(settings.url, Access(limits))

    def ask(self, message: bytes) -> bytes:
        """Post one message and return the body of the answer.

        Raises:
            ProviderFailed: no answer came, or one that is no success.
        """
        headers = {"Content-Type": JSON, "Accept": JSON, **self._settings.headers}
        slash = "/" if self._settings.url.endswith("/") else ""
        try:
            answer = self._line.ask("POST", slash, headers=headers, data=message)
        except TargetUnreachable as error:
            # Its own timeout is meant, and none of the target's limits.
            reason = str(error).partition(" (limits.")[0]
            raise ProviderFailed(f"the provider does not answer: {reason}") from error
        if not 200 <= answer.status < 300:
            raise ProviderFailed(f"the provider answered with status {answer.status}{_quoted(answer.text)}")
        return answer.content

    def late(self) -> bytes:
        """Return nothing: with the connection the answer is lost."""
        return b""

    def close(self) -> None:
        """Close the connections."""
        self._line.close()


class Command:
    """A provider that is a command, started once: a line for each message, a line for each answer."""

    def __init__(self, settings: ProviderSettings) -> None:
        """Start nothing yet."""
        self._settings = settings
        self._running: _Process | None = None

    def ask(self, message: bytes) -> bytes:
        """Write a line and return the line that comes back.

        Raises:
            ProviderFailed: the command cannot be started, ends, is silent for too long, or says too much.
        """
        self.late()
        if self._running is None:
            self._running = _Process(self._settings)
        try:
            self._running.tell(message)
            return self._running.answer(self._settings.timeout)
        except ProviderFailed:
            # What it says from now on may belong to this question, so another one is asked of a new process.
            self._end()
            raise

    def late(self) -> bytes:
        """Return the answer to a message whose sender was interrupted; empty if there is none.

        Raises:
            ProviderFailed: no whole answer came.
        """
        if self._running is None or not self._running.is_asked:
            return b""
        try:
            return self._running.answer(self._settings.timeout)
        except ProviderFailed:
            self._end()
            raise

    def _end(self) -> None:
        if self._running is not None:
            self._running.end(at_once=True)
            self._running = None

    def close(self) -> None:
        """Close the command's standard input, and end it if that does not."""
        if self._running is not None:
            self._running.end(at_once=False)
            self._running = None


class _Process:
    """A command that runs, in a process group of its own: a Ctrl-C that ends the suite must not end it first."""

    def __init__(self, settings: ProviderSettings) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the operator's own command, from the operator's own file
                settings.command,
                cwd=settings.folder,
                env={**os.environ, **settings.environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                process_group=0,
            )
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ProviderFailed(f"the provider {settings.command[0]} cannot be started: {reason}") from error
        self._lines: queue.Queue[bytes] = queue.Queue()
        self.is_asked = False
        """Whether an answer is still to come."""
        self._words: deque[str] = deque(maxlen=_LAST_WORDS)
        self._threads = [
            threading.Thread(target=self._read, args=(self._process.stdout,), daemon=True),
            threading.Thread(target=self._overhear, args=(self._process.stderr,), daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _read(self, output: IO[bytes]) -> None:
        while line := output.readline(_LONGEST + 1):
            self._lines.put(line)
        self._lines.put(b"")

    def _overhear(self, errors: IO[bytes]) -> None:
        for line in errors:
            self._words.extend(line.decode("utf-8", "replace"))

    def tell(self, message: bytes) -> None:
        """Write a message.

        Raises:
            ProviderFailed: the command has ended, or said something by itself.
        """
        if not self._lines.empty():
            if not (unasked := self._lines.get()):
                raise ProviderFailed(self._ended())
            said = _quoted(unasked.decode("utf-8", "replace"))
            raise ProviderFailed(f"the provider said something that nobody had asked for{said}")
        self.is_asked = True
        # In a thread of its own: a command that reads nothing would be written to for ever.
        threading.Thread(target=self._write, args=(message,), daemon=True).start()

    def answer(self, timeout: float) -> bytes:
        """Wait for the answer to the last message.

        Raises:
            ProviderFailed: the command ends, is silent for too long, or says too much.
        """
        try:
            line = self._lines.get(timeout=timeout)
        except queue.Empty:
            raise ProviderFailed(f"the provider did not answer within {timeout:g} seconds (provider.timeout)") from None
        self.is_asked = False
        if len(line) > _LONGEST:
            raise ProviderFailed(f"the provider's answer has more than {_LONGEST} bytes")
        if not line.endswith(b"\n"):
            raise ProviderFailed(self._ended())
        return line

    def _write(self, message: bytes) -> None:
        assert self._process.stdin is not None  # noqa: S101 - for the type checker; it is a pipe
        with suppress(OSError, ValueError):  # it has ended, as its output tells
            self._process.stdin.write(message + b"\n")
            self._process.stdin.flush()

    def _ended(self) -> str:
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(_GRACE)
        self._threads[1].join(_GRACE)
        code = self._process.returncode
        how = "closed its output" if code is None else f"ended with exit code {code}"
        return f"the provider {how} without a whole line as an answer{_quoted(''.join(self._words))}"

    def end(self, *, at_once: bool) -> None:
        """End the command.

        Args:
            at_once: Whether it gets no time to end by itself.
        """
        assert self._process.stdin is not None  # noqa: S101 - for the type checker; it is a pipe
        if not at_once:
            with suppress(OSError, ValueError):
                self._process.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE)
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self._process.poll() is None:
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, number)
                with suppress(subprocess.TimeoutExpired):
                    self._process.wait(_GRACE)
        for thread, stream in zip(self._threads, (self._process.stdout, self._process.stderr), strict=True):
            thread.join(_GRACE)
            if stream is not None and not thread.is_alive():
                stream.close()
        with suppress(OSError, ValueError):
            self._process.stdin.close()


def _quoted(said: str) -> str:
    """Quote the end of what a provider said, in one line."""
    words = " ".join(said.split())
    words = words if len(words) <= _LAST_WORDS else f"...{words[-_LAST_WORDS:]}"
    return f": {words}" if words else ""
