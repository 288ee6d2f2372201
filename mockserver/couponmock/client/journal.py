"""What clients have asked a namespace and what they got."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self
from urllib.parse import urlencode

_SHORT = 300
"""Characters of a body that are shown."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One exchange. No credential is in it: the mock keeps none."""

    id: str
    """The same as in the answer's ``X-Mock-Request-Id`` and in the server's log."""
    method: str
    path: str
    """Without the namespace's prefix."""
    query: Mapping[str, str]
    body: Any
    """JSON if it was some, else text; None without a body."""
    vendor: str
    operation: str
    """operationId; ``general`` if the request reached none."""
    finding: str
    """Class and place of the rule that the request broke, such as ``missing body:/coupon_value``; else empty."""
    example: str
    """Name of the document's example that words the answer."""
    basis: str
    """What the answer rests on: documented, example, inferred or contradicted."""
    status: int | None
    """None if a fault has cut the connection before any answer."""
    answer: Any
    """JSON if it was some, else text; None without a body."""
    extras: Mapping[str, Any]
    """Whatever else the server tells about the exchange."""

    @classmethod
    def read(cls, members: Mapping[str, Any]) -> Self:
        """Make an entry from what the admin interface shows."""
        known = {field.name for field in fields(cls)} - {"extras"}
        extras = {name: value for name, value in members.items() if name not in known}
        return cls(**{name: members[name] for name in known}, extras=extras)

    def __str__(self) -> str:
        """Return the exchange in a line or a few: what was asked, what came back, and why."""
        query = f"?{urlencode(self.query, safe='*')}" if self.query else ""
        why = f" ({self.finding})" if self.finding else ""
        status = "no answer" if self.status is None else self.status
        lines = [f"{self.method} {self.path}{query} -> {status} {self.example}".rstrip() + why]
        if self.body is not None:
            lines.append(f"    sent {_short(self.body)}")
        if self.answer is not None:
            lines.append(f"    got  {_short(self.answer)}")
        lines += [f"    {name}: {_short(value)}" for name, value in self.extras.items() if value]
        return "\n".join(lines)


class VerificationFailed(AssertionError):
    """Not as many requests match as were expected.

    Attributes:
        count: How many match.
        nearest: The request that comes nearest, if too few match and there is one.
        misses: In what it differs from what was expected.
    """

    def __init__(self, problem: Mapping[str, Any]) -> None:
        self.count: int = problem["count"]
        nearest = problem.get("nearest") or {}
        self.nearest = JournalEntry.read(nearest["request"]) if nearest else None
        self.misses: list[str] = nearest.get("misses", [])
        lines = [problem["detail"]]
        if self.nearest:
            lines += ["The nearest was", str(self.nearest), "but", *(f"    {miss}" for miss in self.misses)]
        super().__init__("\n".join(lines))


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}..."
