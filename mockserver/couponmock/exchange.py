"""A request and a reply, free of any web framework."""

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


@dataclass(frozen=True, slots=True)
class Reply:
    """What the client gets."""

    status: int
    media_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    diagnosis: Diagnosis = field(default_factory=Diagnosis)


Handler = Callable[[Request], Reply]
