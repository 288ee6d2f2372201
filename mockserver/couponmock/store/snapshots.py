"""Labelled copies of what a namespace has changed of its pack; their cost is that of the change."""

from dataclasses import replace

from . import difference, statements
from .difference import namespace_world, snapshot_world
from .engine import Connection
from .fault import NoSuchSnapshot
from .text import LONGEST_WORD, checked_key, storable
from .world import Namespace, Snapshot


def take(connection: Connection, namespace: Namespace, label: str) -> Snapshot:
    """Copy a namespace that is locked, in place of an earlier copy; raise ValueError for an impossible label."""
    checked_key("A snapshot's label", label, LONGEST_WORD)
    taken = Snapshot(namespace.name, label, namespace.epoch, namespace.frozen, namespace.offset)
    difference.copy(connection, namespace_world(namespace.name), snapshot_world(namespace.name, label))
    row = (taken.namespace, taken.label, taken.epoch, taken.frozen, taken.offset)
    connection.change(statements.PUT_SNAPSHOT, row)
    return taken


def bring_back(connection: Connection, namespace: Namespace, label: str) -> Namespace:
    """Put a snapshot in place of what a locked namespace has changed, and give it with its clock of then."""
    found = existing(connection, namespace.name, label)
    difference.copy(connection, snapshot_world(namespace.name, label), namespace_world(namespace.name))
    return replace(namespace, epoch=found.epoch, frozen=found.frozen, offset=found.offset)


def listing(connection: Connection, name: str) -> list[Snapshot]:
    """Read the snapshots of a namespace, by label."""
    return [Snapshot(*row) for row in connection.rows(statements.LIST_SNAPSHOTS, (name,))]


def drop(connection: Connection, name: str, label: str) -> None:
    """Remove a snapshot of a namespace that is locked; raise NoSuchSnapshot."""
    existing(connection, name, label)
    difference.clear(connection, snapshot_world(name, label))
    connection.change(statements.DROP_SNAPSHOT, (name, label))


def existing(connection: Connection, name: str, label: str) -> Snapshot:
    """Read a snapshot; raise NoSuchSnapshot."""
    found = connection.rows(statements.READ_SNAPSHOT, (name, label)) if storable(label) else []
    if not found:
        raise NoSuchSnapshot(name, label)
    return Snapshot(*found[0])
