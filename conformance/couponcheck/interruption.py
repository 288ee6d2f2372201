"""How a run ends that is told to: what it changed is put back and what is known is reported, also after SIGTERM."""

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, Self

_DEFAULTS: dict[signal.Signals, Any] = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
}
"""What ends a run -> how Python answers it by itself."""
_SHELL = 128
"""Added to the number of a signal by the exit code that tells of it."""


class Interruption:
    """Has signals interrupt a block as Ctrl-C does, but only once: the next of them ends the process at once.

    A CI job that is cancelled and a container that is stopped get SIGTERM, and some seconds before they are killed.
    """

    def __init__(self, *signals: signal.Signals) -> None:
        """Nothing has been told yet.

        Args:
            signals: SIGINT, SIGTERM or both. One that is ignored or has a handler of somebody else's is left alone.
        """
        self._signals = signals
        self._told: signal.Signals | None = None
        self._replaced: dict[signal.Signals, Any] = {}
        self.ends: Callable[[str], bool] = lambda _: False
        """Has what is going on end by itself, and tells whether it will; if it does not, it is broken off."""

    def __enter__(self) -> Self:
        """Begin to listen, if this is the thread that can."""
        if threading.current_thread() is threading.main_thread():
            for number in self._signals:
                if signal.getsignal(number) is _DEFAULTS[number]:
                    self._replaced[number] = signal.signal(number, self._interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the signals to whom they were left before."""
        for number, handler in self._replaced.items():
            signal.signal(number, handler)
        self._replaced.clear()

    def _interrupt(self, number: int, _frame: FrameType | None) -> None:
        self._told = signal.Signals(number)
        for replaced in self._replaced:
            signal.signal(replaced, signal.SIG_DFL)
        if not self.ends(self.name):
            raise KeyboardInterrupt

    @property
    def exit_code(self) -> int | None:
        """Return what a shell would say of a process that the signal has ended; None as long as there was none."""
        return None if self._told is None else _SHELL + self._told

    @property
    def name(self) -> str:
        """Return the name of the signal; empty as long as there was none."""
        return "" if self._told is None else self._told.name
