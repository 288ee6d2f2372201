"""What a transaction does to a namespace as a whole."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from couponspec.pack import LAST_MOMENT

from . import difference, journal, seen, snapshots, statements
from .difference import namespace_world
from .engine import Connection, Row
from .fault import NoSuchNamespace, NoSuchPack
from .text import LONGEST_WORD, checked_key, document, storable
from .world import Namespace, wall_clock


def settings_text(settings: Mapping[str, Any]) -> str | None:
    """Write settings as they are stored; raise ValueError or TypeError for what is no JSON object."""
    return document(settings) if settings else None


def row_of(namespace: Namespace) -> Row:
    """Give what is stored of a namespace beside its name and its pack."""
    return namespace.epoch, namespace.frozen, namespace.offset, settings_text(namespace.settings)


def namespace_in(row: Row) -> Namespace:
    """Make a namespace of a row that was read."""
    name, pack, epoch, frozen, offset, settings = row
    return Namespace(name, pack, epoch, frozen, offset, json.loads(settings) if settings else {})


def read(connection: Connection, name: str, *, lock: bool) -> Namespace | None:
    """Read a namespace, None if there is none; with `lock` nobody else writes to it until the transaction ends."""
    if not storable(name):
        return None
    ask = connection.locked if lock else connection.rows
    found = ask(statements.READ_NAMESPACE, (name,))
    return namespace_in(found[0]) if found else None


def existing(connection: Connection, name: str, *, lock: bool) -> Namespace:
    """Read a namespace as `read` does; raise NoSuchNamespace."""
    found = read(connection, name, lock=lock)
    if found is None:
        raise NoSuchNamespace(name)
    return found


def listing(connection: Connection) -> list[Namespace]:
    """Read all namespaces, by name."""
    return [namespace_in(row) for row in connection.rows(statements.LIST_NAMESPACES)]


def create(
    connection: Connection, name: str, pack: str, *, now: int | None, frozen: bool | None, settings: Mapping[str, Any]
) -> Namespace | None:
    """Make a namespace, None if it is there already; raise NoSuchPack, or ValueError for an impossible clock."""
    checked_key("A namespace's name", name, LONGEST_WORD)
    made = _clocked(replace(fresh(connection, name, pack), settings=settings), now, frozen=frozen)
    if not connection.change(statements.CREATE_NAMESPACE, (name, pack, *row_of(made))):
        return None
    # Whoever recorded at the very moment in which an earlier one was dropped has left an entry behind.
    journal.clear(connection, name)
    seen.leave(connection, name)
    return made


def fresh(connection: Connection, name: str, pack: str) -> Namespace:
    """Give a namespace as its pack has it, at this moment; raise NoSuchPack."""
    found = connection.rows(statements.READ_PACK, (pack,)) if storable(pack) else []
    if not found:
        raise NoSuchPack(pack)
    frozen = found[0][0]
    return Namespace(name, pack, wall_clock() if frozen is None else frozen, frozen)


def _clocked(namespace: Namespace, now: int | None, *, frozen: bool | None) -> Namespace:
    """Give a namespace a clock that shows a moment, and stands or runs, as far as either is said."""
    if now is None and frozen is None:
        return namespace
    moment = namespace.now() if now is None else now
    if namespace.frozen is not None if frozen is None else frozen:
        check_clock(frozen=moment, offset=0)
        return replace(namespace, frozen=moment, offset=0)
    offset = moment - wall_clock()
    check_clock(frozen=None, offset=offset)
    return replace(namespace, frozen=None, offset=offset)


def save(connection: Connection, namespace: Namespace) -> Namespace:
    """Write what has changed of a namespace that is locked, and read it as it is stored."""
    row = row_of(namespace)
    connection.change(statements.SET_NAMESPACE, (*row, namespace.name))
    return namespace_in((namespace.name, namespace.pack, *row))


def check_clock(*, frozen: int | None, offset: int) -> None:
    """Raise ValueError for a clock that shows a moment outside of the years 1970 to 9999."""
    for moment in (frozen or 0, wall_clock() + offset):
        if not 0 <= moment <= LAST_MOMENT:
            message = f"A clock shows a moment from 0 to {LAST_MOMENT}, in unix seconds, not {moment}."
            raise ValueError(message)


def drop(connection: Connection, name: str) -> None:
    """Remove a namespace that is locked, and everything of it."""
    for snapshot in snapshots.listing(connection, name):
        snapshots.drop(connection, name, snapshot.label)
    difference.clear(connection, namespace_world(name))
    connection.change(statements.DROP_NAMESPACE, (name,))
    journal.clear(connection, name)
    seen.leave(connection, name)
