"""Deliberate defects: ways in which a server breaks its vendor's promises, to prove that the suite can tell.

A defect is applied after the mock has checked its own answer, or in place of a behaviour; without ``--defect`` none of
this runs.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.util import find_spec

from couponmock.behaviour import Behaviour
from couponmock.exchange import Handler


@dataclass(frozen=True, slots=True)
class Defect:
    """One way to be wrong."""

    vendor: str
    name: str
    """Unique among the vendor's defects; ``vendor.name`` is what the command line takes."""
    text: str
    """What a client would notice."""
    behaviours: Mapping[str, Callable[[Behaviour], Behaviour]] = field(default_factory=dict)
    """operationId -> makes a broken behaviour of the right one."""
    handler: Callable[[Handler], Handler] | None = None
    """Makes broken replies of the right ones."""

    @property
    def id(self) -> str:
        """Return the name the command line takes."""
        return f"{self.vendor}.{self.name}"


@cache
def defects_of(vendor: str) -> dict[str, Defect]:
    """Return a vendor's defects by id; empty if nobody has written any."""
    name = f"couponmock.defects.{vendor}"
    if find_spec(name) is None:
        return {}
    return {defect.id: defect for defect in import_module(name).DEFECTS}
