"""What was asked of a namespace and answered: its newest entries, written beside everything else."""

import json
import random
from typing import Any

from . import statements
from .engine import Connection
from .fault import NoSuchNamespace
from .text import storable

JOURNAL_KEPT = 1000
"""How many entries of a namespace are kept, the newest; some more may be stored until they are next trimmed."""

TRIMMING = 1 / 16
"""The share of recordings that trim. By chance: nobody counts, however many processes record, however briefly."""

chance = random.random


def append(connection: Connection, name: str, entry: str) -> None:
    """Write an entry and, now and then, remove those that are too old; raise NoSuchNamespace."""
    if not (storable(name) and connection.change(statements.RECORD, (entry, name))):
        raise NoSuchNamespace(name)
    if chance() < TRIMMING:
        connection.change(statements.TRIM_JOURNAL, (name, name, JOURNAL_KEPT))


def entries(connection: Connection, name: str, *, limit: int, newest_first: bool) -> list[dict[str, Any]]:
    """Read the entries kept: the first `limit` of them in the order asked for."""
    wanted = min(max(limit, 0), JOURNAL_KEPT)
    # The oldest ones are counted from the newest as well: those about to be trimmed are no longer shown.
    found = connection.rows(statements.JOURNAL, (name, wanted if newest_first else JOURNAL_KEPT))
    shown = found if newest_first else found[::-1][:wanted]
    return [json.loads(entry) for (entry,) in shown]


def clear(connection: Connection, name: str) -> None:
    """Forget all entries."""
    connection.change(statements.CLEAR_JOURNAL, (name,))
