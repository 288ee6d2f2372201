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
        return json.dumps(self.told)[1:-1]

    @property
    def told(self) -> str:
        """Render for a sentence."""
        return self.place + (f" (did you mean {self.did_you_mean}?)" if self.did_you_mean else "")

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
    readings: tuple[str, ...] = ()
    """Chosen options that shaped the answer, each ``vendor.reading=option``; empty where all is as usual."""
    fault: str = ""
    """Id and kind of the fault rules that were applied, such as ``f1 latency, f2 drop``."""
    forced: bool = False
    """Whether this answer was asked for: by the client with ``Prefer``, or by a fault rule that gives it."""
    unknown: tuple[Unknown, ...] = ()
    """What strict mode has found."""


@dataclass(frozen=True, slots=True)
class Transit:
    """What happens to a reply on its way to the client."""

    wait: float = 0.0
    """Seconds before anything of it is sent."""
    chunks: int = 1
    """Pieces in which the body is sent, as far as it has as many bytes."""
    over: float = 0.0
    """Seconds from the first piece to the last."""
    media_type: str = ""
    """What the body is said to be; empty where it is not said wrongly."""
    malformed: bool = False
    """Whether the end of the body is damaged, so that it is no JSON any more."""
    cut: int | None = None
    """Bytes of the body after which the connection ends, at the latest before its last one; None if all are sent."""
    dropped: bool = False
    """Whether the connection ends before anything is sent."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the client gets."""

    status: int
    """0 if nobody was asked for an answer, which is then not sent either."""
    media_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    diagnosis: Diagnosis = field(default_factory=Diagnosis)
    transit: Transit | None = None
    """None if nothing happens to it."""

    @property
    def dropped(self) -> bool:
        """Tell whether the client gets nothing of it."""
        return self.transit is not None and self.transit.dropped

    @property
    def damaged(self) -> bool:
        """Tell whether the client does not get this answer: not the whole of it, or something else."""
        way = self.transit
        return way is not None and (way.dropped or way.malformed or way.cut is not None or way.media_type != "")

    @property
    def announced_type(self) -> str:
        """Return the media type that the client is told."""
        return self.transit.media_type if self.transit and self.transit.media_type else self.media_type

    @property
    def announced(self) -> bytes:
        """Return the body that the client is led to expect; it does not get the whole of it if the connection ends."""
        if self.transit is None or not self.transit.malformed:
            return self.body
        # An object or an array that does not end is none, and it is as long as it was.
        return self.body[:-1] + b","

    @property
    def sent(self) -> bytes:
        """Return what the client gets of the body."""
        if self.dropped:
            return b""
        body = self.announced
        if self.transit is None or self.transit.cut is None:
            return body
        return body[: max(min(self.transit.cut, len(body) - 1), 0)]


def printable(text: str) -> str:
    """Return a text without the lone surrogates that stand for bytes that are not UTF-8; no answer holds them."""
    return text.encode(errors="replace").decode()


Handler = Callable[[Request], Reply]
