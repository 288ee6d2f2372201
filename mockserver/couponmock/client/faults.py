"""Faults: rules by which answers go wrong on purpose."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from couponmock.client.admin import Admin, AdminError

Times = int | Mapping[str, Any]
"""How often: a number for the first so many, or ``{"nth": 2}``, ``{"every": 3}``, ``{"rate": 0.3, "seed": 7}``."""


class Fault:
    """A rule by which answers of a namespace go wrong, until it is removed or has done its work.

    As a context manager it is removed at the end of the block.
    """

    def __init__(self, admin: Admin, rule: Mapping[str, Any]) -> None:
        self._admin = admin
        self.id: str = str(rule["id"])
        self.rule: Mapping[str, Any] = rule
        """The rule as the mock understood it."""

    @property
    def seen(self) -> int:
        """Return how many requests it was about so far."""
        return int(self._shown()["seen"])

    @property
    def applied(self) -> int:
        """Return how many answers it has spoilt so far."""
        return int(self._shown()["applied"])

    def remove(self) -> None:
        """Let answers be right again. Harmless when it is gone already, as after a `clear_faults`."""
        try:
            self._admin.ask("DELETE", "faults", self.id)
        except AdminError as error:
            if error.status != 404:
                raise

    def _shown(self) -> Mapping[str, Any]:
        for rule in self._admin.ask("GET", "faults")["faults"]:
            if str(rule["id"]) == self.id:
                return rule  # type: ignore[no-any-return]  # JSON
        raise LookupError(f"the fault {self.id} has been removed")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    def __repr__(self) -> str:
        return f"<Fault {self.id}: {dict(self.rule)}>"
