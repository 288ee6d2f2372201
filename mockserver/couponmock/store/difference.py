"""Worlds: where the records of a pack, of a namespace and of a snapshot are.

The first character keeps the three apart. The order matters for one thing only: a namespace's world sorts after its
pack's. That of a snapshot is never asked for a record, it is copied from and to.
"""

from . import statements
from .engine import Connection


def pack_world(pack: str) -> str:
    """Give the first part of the keys of a pack's records."""
    return f"={pack}"


def namespace_world(name: str) -> str:
    """Give the first part of the keys of a namespace's own records; it sorts after every pack's."""
    return f"~{name}"


def snapshot_world(name: str, label: str) -> str:
    """Give the first part of the keys of a snapshot's records; the length tells where the label begins."""
    return f"!{len(name)}:{name}{label}"


def clear(connection: Connection, world: str) -> None:
    """Forget everything in a world."""
    for statement in statements.CLEAR_WORLD:
        connection.change(statement, (world,))


def copy(connection: Connection, source: str, target: str) -> None:
    """Put what is in one world into another, in place of what was there; nothing of it passes through us."""
    clear(connection, target)
    for statement in statements.COPY_WORLD:
        connection.change(statement, (target, source))
