"""What one transaction sees of one namespace, and how it changes it."""

import heapq
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import Any

from . import statements
from .difference import namespace_world, pack_world
from .engine import Connection, Row
from .text import LONGEST_ID, LONGEST_WORD, checked_key, document, lookup_value, storable
from .world import Namespace, Record

PAGE_ROWS = 500
MOST_ROWS = 2**63 - 1
"""The largest limit that either engine takes."""


class Session:
    """One namespace inside one transaction: its own record, else its pack's. For one thread, over when closed."""

    namespace: Namespace

    def __init__(self, connection: Connection, namespace: Namespace, *, write: bool) -> None:
        """Work for `namespace` on a connection whose transaction has begun; the store does this."""
        self.namespace = namespace
        self._connection: Connection | None = connection
        self._write = write
        self._now = namespace.now()
        self._own = namespace_world(namespace.name)
        self._shared = pack_world(namespace.pack)

    def now(self) -> int:
        """Tell the moment this session stands at, in whole unix seconds; the same for its whole life."""
        return self._now

    def get(self, kind: str, id: str) -> Record | None:  # noqa: A002 - the word of the domain
        """Return one record, None if there is none."""
        connection = self._alive()
        if not (storable(kind) and storable(id)):
            return None
        found = connection.rows(statements.GET, (self._own, self._shared, kind, id))
        if not found or found[0][0] is None:
            return None
        return Record(kind, id, json.loads(found[0][0]))

    def find(self, kind: str, field: str, value: str, *, limit: int | None = None) -> list[Record]:
        """Return the records put with the lookup (field, value), by id; only the first `limit` of them, if given."""
        connection = self._alive()
        indexed = lookup_value(value)
        if indexed is None or not (storable(kind) and storable(field)):
            return []
        asked = (kind, field, indexed)
        parameters = (self._own, *asked, self._shared, *asked, self._own)
        found = (
            connection.rows(statements.FIND, parameters)
            if limit is None
            else connection.rows(statements.FIND_FIRST, (*parameters, min(limit, MOST_ROWS)))
        )
        return [Record(kind, id_, json.loads(data)) for id_, data in found]

    def scan(self, kind: str | None = None) -> Iterator[Record]:
        """Walk through all records (of one kind), by kind and id. For listings and exports, not for requests."""
        last = None
        # The merge keeps the order of its inputs where keys are equal: the namespace's own record comes first.
        for found_kind, id_, data in heapq.merge(
            self._pages(self._own, kind), self._pages(self._shared, kind), key=itemgetter(0, 1)
        ):
            if (found_kind, id_) != last and data is not None:
                yield Record(found_kind, id_, json.loads(data))
            last = (found_kind, id_)

    def counts(self) -> dict[str, int]:
        """Return how many records there are of each kind that has any, by kind."""
        connection = self._alive()
        total: Counter[str] = Counter(dict(connection.rows(statements.COUNT_PACK, (self._shared,))))
        for kind, more in connection.rows(statements.COUNT_OWN, (self._shared, self._own)):
            total[kind] += int(more)
        return {kind: number for kind, number in sorted(total.items()) if number}

    def put(self, kind: str, id: str, data: dict[str, Any], lookups: Iterable[tuple[str, str]]) -> None:  # noqa: A002 - as above
        """Write a record and the (field, value) pairs it is found by, in place of what was there.

        Raises RuntimeError in a reading session, ValueError for a kind, id or field that cannot be a key (empty, too
        long, NUL) and for data that is not JSON.
        """
        connection = self._writable()
        checked_key("A kind", kind, LONGEST_WORD)
        checked_key("An id", id, LONGEST_ID)
        text = document(data)
        wanted = index_pairs(lookups)
        held = self._held(connection, kind, id)
        connection.change(statements.PUT, (self._own, kind, id, text, json.dumps(sorted(wanted))))
        for field, value in held - wanted:
            connection.change(statements.REMOVE_LOOKUP, (self._own, kind, field, value, id))
        for field, value in wanted - held:
            connection.change(statements.PUT_LOOKUP, (self._own, kind, field, value, id))

    def delete(self, kind: str, id: str) -> None:  # noqa: A002 - as above
        """Remove a record; no record, no effect. Raises RuntimeError in a reading session."""
        connection = self._writable()
        if not (storable(kind) and storable(id)):
            return
        for field, value in self._held(connection, kind, id):
            connection.change(statements.REMOVE_LOOKUP, (self._own, kind, field, value, id))
        if connection.rows(statements.EXISTS, (self._shared, kind, id)):
            connection.change(statements.PUT, (self._own, kind, id, None, None))
        else:
            connection.change(statements.REMOVE, (self._own, kind, id))

    def count(self, key: str, *, by: int = 1) -> int:
        """Move a counter of the namespace on and return where it stands now; one new to its pack too has stood at 0.

        It is part of what the namespace has changed: a reset sets it back, a snapshot holds it. Raises RuntimeError in
        a reading session, ValueError for a key that cannot be one.
        """
        connection = self._writable()
        checked_key("A counter's key", key, LONGEST_WORD)
        found = connection.rows(statements.READ_COUNTER, (self._own, self._shared, key))
        value: int = (found[0][0] if found else 0) + by
        connection.change(statements.PUT_COUNTER, (self._own, key, value))
        return value

    def counters(self) -> dict[str, int]:
        """Return where each counter stands that the namespace or its pack has, by key."""
        rows = self._alive().rows(statements.READ_COUNTERS, (self._own, self._shared))
        # The namespace's own come last.
        return dict(sorted(dict(rows).items()))

    def close(self) -> None:
        """End the session: whoever still holds it can no longer reach into somebody else's transaction."""
        self._connection = None

    def _alive(self) -> Connection:
        if self._connection is None:
            message = "This session is over."
            raise RuntimeError(message)
        return self._connection

    def _writable(self) -> Connection:
        connection = self._alive()
        if not self._write:
            message = "This session only reads; open it with write=True to change the namespace."
            raise RuntimeError(message)
        return connection

    def _held(self, connection: Connection, kind: str, id_: str) -> set[tuple[str, str]]:
        found = connection.rows(statements.OWN_LOOKUPS, (self._own, kind, id_))
        return {(field, value) for field, value in json.loads(found[0][0] or "[]")} if found else set()

    def _pages(self, world: str, kind: str | None) -> Iterator[Row]:
        last_kind, last_id = kind or "", ""
        while True:
            connection = self._alive()
            page = (
                connection.rows(statements.PAGE, (world, last_kind, last_id, PAGE_ROWS))
                if kind is None
                else connection.rows(statements.PAGE_OF_KIND, (world, kind, last_id, PAGE_ROWS))
            )
            yield from page
            if len(page) < PAGE_ROWS:
                return
            last_kind, last_id, _ = page[-1]


def index_pairs(lookups: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Give the distinct (field, value) pairs as they are indexed, without those nothing can be found by."""
    return {
        (checked_key("A field", field, LONGEST_WORD), indexed)
        for field, value in lookups
        if (indexed := lookup_value(value)) is not None
    }
