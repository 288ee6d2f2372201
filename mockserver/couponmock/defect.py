"""Deliberate defects: ways in which a server breaks its vendor's promises, to prove that the suite can tell.

A defect is applied after the mock has checked its own answer, or in place of a behaviour; without ``--defect`` none of
this runs.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from couponmock.behaviour import Answer, Behaviour, Call, World, behaviour
from couponmock.exchange import Handler, Reply, Request


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


def replying(change: Callable[[Request, Reply], Reply]) -> Callable[[Handler], Handler]:
    """Make a broken handler that changes replies after the right one has made them."""

    def wrap(right: Handler) -> Handler:
        return lambda request: change(request, right(request))

    return wrap


def asking(change: Callable[[Request], Request]) -> Callable[[Handler], Handler]:
    """Make a broken handler that understands another request than was sent."""

    def wrap(right: Handler) -> Handler:
        return lambda request: right(change(request))

    return wrap


def behaving(change: Callable[[Behaviour, Call, World], Answer]) -> Callable[[Behaviour], Behaviour]:
    """Make a broken behaviour, which is handed the right one to use or not."""

    def wrap(right: Behaviour) -> Behaviour:
        return behaviour(right.operation, *right.examples)(lambda call, world: change(right, call, world))

    return wrap


def body_of(reply: Reply) -> Any:
    """Read a reply's JSON."""
    return json.loads(reply.body)


def with_body(reply: Reply, value: Any) -> Reply:
    """Give a reply another JSON body."""
    return replace(reply, body=json.dumps(value, ensure_ascii=False).encode())


@cache
def defects_of(vendor: str) -> dict[str, Defect]:
    """Return a vendor's defects by id; empty if nobody has written any."""
    name = f"couponmock.defects.{vendor}"
    if find_spec(name) is None:
        return {}
    return {defect.id: defect for defect in import_module(name).DEFECTS}
