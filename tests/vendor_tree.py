"""Copies of vendors' documents and worlds, to be spoiled on purpose."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from couponspec import locate
from couponspec.check import check
from couponspec.faults import Fault


@dataclass(frozen=True)
class VendorTree:
    """``specs/`` and ``fixtures/`` of some vendors, in a folder of a test's own."""

    at: Path

    @classmethod
    def copied(cls, at: Path, vendors: Sequence[str]) -> "VendorTree":
        """Copy the vendors' two halls into a folder."""
        for vendor in vendors:
            for hall in ("specs", "fixtures"):
                shutil.copytree(locate.root() / hall / vendor, at / hall / vendor)
        return cls(at)

    def replace(self, file: str, old: str, new: str) -> int:
        """Replace the first occurrence of a text, which has to be there; return the line that the new text ends on."""
        path = self.at / file
        before, found, after = path.read_text(encoding="utf-8").partition(old)
        assert found, f"{file} has no {old!r}; the test has to be brought up to date"
        path.write_text(before + new + after, encoding="utf-8")
        return (before + new.rstrip("\n")).count("\n") + 1

    def line_before(self, file: str, text: str, last: int) -> int:
        """Return the number of the nearest line that holds a text, no later than the given one."""
        lines = (self.at / file).read_text(encoding="utf-8").splitlines()
        return max(number for number, line in enumerate(lines[:last], 1) if text in line)

    def faults(self) -> list[Fault]:
        """Check everything."""
        return check(self.at)[1]
