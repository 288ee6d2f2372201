"""A request and a reply, free of any web framework."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

DEFAULT_NAMESPACE = "default"
NAMESPACE = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
"""What the name of a namespace looks like."""
NAMESPACE_RULE = "A namespace's name has 1 to 64 letters, digits, dots, underscores and hyphens."


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked."""

    method: str
    path: str
    """Decoded path, without a namespace prefix; bytes that are not UTF-8 are lone surrogates."""
    query: str
    """Query string as it came."""
    headers: Mapping[str, str]
    """By lower-case name."""
    read: Callable[[int], bytes | None]
    """Reads the body; returns None if it has more bytes than the given limit."""
    id: str
    namespace: str = DEFAULT_NAMESPACE


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something in a request that its operation does not document."""

    place: str
    """``query:NAME``, ``header:NAME``, or ``body:`` and a JSON pointer."""
    did_you_mean: str | None
    """The documented name that comes near, in the same place."""

    def __str__(self) -> str:
        """Render for headers and logs, in ASCII: the names are the client's own."""
        near = f" (did you mean {self.did_you_mean}?)" if self.did_you_mean else ""
        return json.dumps(self.place)[1:-1] + near

    def member(self) -> dict[str, str | None]:
        """Render for JSON."""
        return {"place": self.place, "didYouMean": self.did_you_mean}


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why a reply is what it is. It goes into headers and the log, never into a body."""

    vendor: str = ""
    operation: str = ""
    finding: str = ""
    """Class and place of the rule that the request broke, such as ``missing body:/coupon_value``."""
    example: str = ""
    basis: str = ""
    forced: bool = False
    """Whether the client has asked for this answer."""
    unknown: tuple[Unknown, ...] = ()
    """What strict mode has found."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the client gets."""

    status: int
    media_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    diagnosis: Diagnosis = field(default_factory=Diagnosis)


Handler = Callable[[Request], Reply]
