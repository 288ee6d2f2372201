"""The entities of a namespace: read, found, changed, removed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from couponmock.client.admin import Admin


@dataclass(frozen=True, slots=True)
class Entity:
    """A member, a coupon, a customer ... as it is in the namespace now."""

    vendor: str
    kind: str
    name: str
    members: Mapping[str, Any]
    """Times are Unix seconds."""
    state: str | None
    """Such as ``used``, also one that follows from the clock, such as ``expired``; None for a kind without states."""

    @property
    def handle(self) -> str:
        """Return kind and name as one, such as ``coupon.used``."""
        return f"{self.kind}.{self.name}"


class State:
    """The entities of a namespace. A handle is ``kind.name``, such as ``coupon.used``."""

    def __init__(self, admin: Admin) -> None:
        self._admin = admin

    def get(self, vendor: str, handle: str) -> Entity:
        """Return an entity.

        Raises:
            AdminError: there is none.
        """
        return _entity(self._admin.ask("GET", "state", vendor, *_parts(handle)))

    def find(self, vendor: str, kind: str, /, **by: Any) -> list[Entity]:
        """Return the entities of a kind that have these members; all of them without any; at most a thousand.

        Raises:
            AdminError: there is no such vendor or kind, or it cannot be found by such a member.
        """
        query = {name: value if isinstance(value, str) else json.dumps(value) for name, value in by.items()}
        answer = self._admin.ask("GET", "state", vendor, kind, query=query)
        return [_entity(each) for each in answer["entities"]]

    def put(self, vendor: str, handle: str, /, state: str | None = None, **members: Any) -> Entity:
        """Bring an entity into a state, change members of it, or make it; return what it is then.

        Raises:
            AdminError: there is no such vendor, kind or state, or a member is not what the kind allows.
        """
        body: dict[str, Any] = {}
        if state is not None:
            body["state"] = state
        if members:
            body["members"] = members
        return _entity(self._admin.ask("PUT", "state", vendor, *_parts(handle), body=body))

    def remove(self, vendor: str, handle: str) -> None:
        """Remove an entity.

        Raises:
            AdminError: there is none.
        """
        self._admin.ask("DELETE", "state", vendor, *_parts(handle))


def _parts(handle: str) -> tuple[str, str]:
    kind, dot, name = handle.partition(".")
    if not (kind and dot and name):
        raise ValueError(f"{handle!r} is no handle; give kind and name, such as coupon.used")
    return kind, name


def _entity(members: Mapping[str, Any]) -> Entity:
    return Entity(
        vendor=members["vendor"],
        kind=members["kind"],
        name=members["name"],
        members=members["members"],
        state=members["state"],
    )
