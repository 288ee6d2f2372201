"""What is wrong with one of our own files, said so that a person can mend it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Fault:
    """One mistake in a document, a source file, a pack or a catalogue."""

    file: Path
    line: int | None
    """One-based line of the mistake, if it has one."""
    pointer: str
    """JSON pointer of the place inside the file, as a URI fragment (``#/paths/...``)."""
    reason: str
    fix: str

    def __str__(self) -> str:
        """Render as ``file:line #pointer: reason. Fix: ...``."""
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        return f"{place} {self.pointer}: {self.reason}. Fix: {self.fix}."


class FaultyFile(Exception):
    """One or more of our files are wrong; nothing has been started with them."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        """Keep every fault, in the order in which it was found."""
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))
