"""Readings: how a namespace understands what the vendors' pages leave open."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from couponmock.client.admin import Admin


@dataclass(frozen=True, slots=True)
class Reading:
    """A question that the vendors' pages leave open, and how this namespace answers it."""

    id: str
    """Such as ``crowdtwist.unknown-member``."""
    question: str
    options: Mapping[str, str]
    """Option -> what speaks for it."""
    taken: str
    """The option that the mock takes by default."""
    chosen: str
    """The option that holds here."""
    reason: str
    """Why the default is what it is."""
    tolerated: tuple[str, ...]
    """Options beside the taken one that `couponcheck` accepts with a warning; the mock acts them out if chosen."""
    quotes: tuple[Mapping[str, str], ...]
    """What the pages say: ``source`` and ``text``."""


class Readings:
    """The choices of a namespace."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    def all(self) -> dict[str, Reading]:
        """Return id -> reading."""
        return _read(self._admin.ask("GET", "readings"))

    def get(self, id: str) -> Reading:  # noqa: A002 - it is called so everywhere else
        """Return one reading.

        Raises:
            KeyError: there is none of that id; the message names those there are.
        """
        found = self.all()
        if id not in found:
            raise KeyError(f"there is no reading {id!r}; there are {', '.join(found)}")
        return found[id]

    def choose(self, choices: Mapping[str, str | None]) -> dict[str, Reading]:
        """Choose options by id; None gives the server's choice back. Others stay as they are.

        Raises:
            AdminError: there is no such reading or option.
        """
        return _read(self._admin.ask("PUT", "readings", body=dict(choices)))

    def reset(self) -> None:
        """Give all of the server's choices back."""
        self._admin.ask("DELETE", "readings")


def _read(answer: Mapping[str, Any]) -> dict[str, Reading]:
    return {
        each["id"]: Reading(
            id=each["id"],
            question=each["question"],
            options=each["options"],
            taken=each["taken"],
            chosen=each["chosen"],
            reason=each["reason"],
            tolerated=tuple(each["tolerated"]),
            quotes=tuple(each["quotes"]),
        )
        for each in answer["readings"]
    }
