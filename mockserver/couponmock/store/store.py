"""The store: packs, namespaces and the sessions in which they are read and changed."""

import contextlib
import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from . import difference, journal, namespaces, seen, snapshots, statements
from .difference import namespace_world, pack_world
from .engine import Connection, Engine, Row
from .fault import DuplicateRow, NamespaceExists, StoreFault
from .journal import JOURNAL_KEPT
from .pool import Pool
from .postgresql import PostgresEngine
from .session import Session, index_pairs
from .sqlite import SqliteEngine
from .text import LONGEST_ID, LONGEST_WORD, checked_key, document
from .world import Difference, Namespace, Seed, Snapshot

SEEDS_AT_ONCE = 20_000


def engine_at(url: str) -> Engine:
    """Choose the engine for an address; raise StoreFault if it is none."""
    if url.startswith("sqlite:///") and url.removeprefix("sqlite:///").strip("/") not in {"", ":memory:"}:
        # Three slashes or four: Path drops the first one if the rest is absolute by itself.
        return SqliteEngine(Path("/", url.removeprefix("sqlite:///")))
    if url.startswith(("postgresql://", "postgres://")):
        return PostgresEngine(url)
    # What follows the scheme may hold a secret.
    scheme, colon, _ = url.partition("://")
    message = (
        "The address of a store is sqlite:///ABSOLUTE/PATH or postgresql://USER@HOST/DATABASE,"
        f" not {scheme if colon else 'something without a scheme'!r}."
    )
    raise StoreFault(message)


class Store:
    """Packs and the namespaces made from them, in a file or a database that any number of processes share.

    Nothing of the state is kept in the process. Every method may raise StoreFault when the file or the server fails,
    and RuntimeError once the store is closed. Threads may share a store; each has one session open at a time.
    """

    def __init__(self, engine: Engine) -> None:
        """Use an engine whose tables are made; call `open` instead."""
        self._pool = Pool(engine)

    @classmethod
    def open(cls, url: str) -> "Store":
        """Open `sqlite:///ABS/PATH` or `postgresql://...`, making the tables if needed, or raise StoreFault."""
        engine = engine_at(url)
        engine.prepare()
        return cls(engine)

    def close(self) -> None:
        """Close all connections; harmless when repeated."""
        self._pool.close()

    def install_pack(
        self,
        pack: str,
        seeds: Iterable[Seed],
        *,
        frozen: int | None = None,
        counters: Mapping[str, int] = MappingProxyType({}),
    ) -> None:
        """Install a pack, or do nothing if one with this id is installed.

        All of it becomes visible in one moment. `frozen` stops the clocks of its namespaces, in unix seconds, and
        `counters` tells where those stand that do not begin at 0. Raises ValueError for seeds that cannot be stored or
        that share kind and id, and for a counter's key that cannot be one.
        """
        checked_key("A pack's id", pack, LONGEST_WORD)
        if self._has_pack(pack):
            return
        with self._pool.transaction(write=True) as connection:
            # Whoever comes second waits here, until the first has finished or failed.
            if not connection.change(statements.CLAIM_PACK, (pack, frozen)):
                return
            try:
                load(connection, pack_world(pack), seeds)
                load_counters(connection, pack_world(pack), counters)
            except DuplicateRow as error:
                message = f"The pack {pack!r} holds two entities of the same kind and id."
                raise ValueError(message) from error

    def packs(self) -> list[str]:
        """Return the ids of the installed packs, in order."""
        with self._pool.transaction(write=False) as connection:
            return [row[0] for row in connection.rows(statements.LIST_PACKS)]

    def create_namespace(
        self,
        name: str,
        pack: str,
        *,
        now: int | None = None,
        frozen: bool | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Namespace:
        """Make a namespace from a pack, with a clock and settings of its own where they are given.

        `now` is the moment that its clock shows first, in unix seconds, `frozen` whether it stands still there; else
        both are the pack's. Raises NamespaceExists, NoSuchPack, or ValueError for an impossible name, for a clock that
        shows a moment outside 0..253402300799, and for settings that are not JSON.
        """
        with self._pool.transaction(write=True) as connection:
            made = namespaces.create(connection, name, pack, now=now, frozen=frozen, settings=settings or {})
        if made is None:
            raise NamespaceExists(name)
        return made

    def namespace(self, name: str) -> Namespace:
        """Return a namespace; raise NoSuchNamespace."""
        with self._pool.transaction(write=False) as connection:
            return namespaces.existing(connection, name, lock=False)

    def namespaces(self) -> list[Namespace]:
        """Return all namespaces, by name."""
        with self._pool.transaction(write=False) as connection:
            return namespaces.listing(connection)

    def reset_namespace(
        self, name: str, change: Callable[[dict[str, Any]], Mapping[str, Any]] = lambda settings: settings
    ) -> Namespace:
        """Make a namespace its pack again, clock and counters too, with the epoch of this moment.

        Its snapshots and its journal stay, and its settings are what `change` makes of them, as with
        `update_settings`. Raises NoSuchNamespace.
        """
        with self._locked(name) as (connection, before):
            difference.clear(connection, namespace_world(name))
            fresh = namespaces.fresh(connection, name, before.pack)
            return namespaces.save(connection, replace(fresh, settings=change(dict(before.settings))))

    def refill_namespace(self, name: str, fill: Callable[[Namespace], Difference]) -> Namespace:
        """Replace all that a namespace has changed of its pack, counters too, with nobody else in between.

        `fill` gets the namespace as it is and is called inside the transaction; it must not use the store. Settings,
        snapshots and journal stay. Raises NoSuchNamespace, ValueError for records that cannot be stored, and what
        `fill` raises; then nothing changes.
        """
        with self._locked(name) as (connection, before):
            wanted = fill(before)
            namespaces.check_clock(frozen=wanted.frozen, offset=0)
            world = namespace_world(name)
            difference.clear(connection, world)
            load(connection, world, wanted.records, own=True)
            load_counters(connection, world, wanted.counters)
            deleted = [(world, kind, id_, None, None) for kind, id_ in wanted.deleted]
            connection.load("couponmock_record", statements.OWN_RECORD_COLUMNS, deleted)
            return namespaces.save(connection, replace(before, epoch=wanted.epoch, frozen=wanted.frozen, offset=0))

    def drop_namespace(self, name: str) -> None:
        """Remove a namespace with its snapshots and its journal; raise NoSuchNamespace.

        What it has seen stays among what all namespaces have.
        """
        with self._locked(name) as (connection, _):
            namespaces.drop(connection, name)

    def set_clock(self, name: str, *, frozen: int | None, offset: int = 0) -> Namespace:
        """Stop a namespace's clock at a moment, or let it run `offset` seconds ahead of the real time.

        Raises NoSuchNamespace, and ValueError for a clock that shows a moment outside 0..253402300799.
        """
        namespaces.check_clock(frozen=frozen, offset=offset)
        with self._locked(name) as (connection, before):
            return namespaces.save(connection, replace(before, frozen=frozen, offset=offset))

    def advance_clock(self, name: str, seconds: int) -> Namespace:
        """Move a namespace's clock from where it is, be it frozen or running; raises as `set_clock` does."""
        with self._locked(name) as (connection, before):
            frozen = None if before.frozen is None else before.frozen + seconds
            offset = before.offset + (seconds if frozen is None else 0)
            namespaces.check_clock(frozen=frozen, offset=offset)
            return namespaces.save(connection, replace(before, frozen=frozen, offset=offset))

    def update_settings(self, name: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Namespace:
        """Replace the settings of a namespace by what `change` makes of them, with nobody else in between.

        Raises NoSuchNamespace, ValueError for what is not JSON, and what `change` raises; then nothing changes.
        `change` is called inside the transaction and must not use the store.
        """
        return self.revise_settings(name, lambda before: change(dict(before.settings)))

    def revise_settings(self, name: str, change: Callable[[Namespace], dict[str, Any]]) -> Namespace:
        """Do as `update_settings` does, with a `change` that looks at the whole namespace."""
        with self._locked(name) as (connection, before):
            return namespaces.save(connection, replace(before, settings=change(before)))

    def snapshot(self, name: str, label: str) -> Snapshot:
        """Keep a copy of a namespace's state and clock under a label, in place of an earlier one with this label.

        Settings and journal are no part of it. Raises NoSuchNamespace, or ValueError for an impossible label.
        """
        with self._locked(name) as (connection, namespace):
            return snapshots.take(connection, namespace, label)

    def restore(self, name: str, label: str) -> Namespace:
        """Give a namespace the state and the clock it had when a snapshot was made of it.

        Its settings and its journal stay. Raises NoSuchNamespace or NoSuchSnapshot.
        """
        with self._locked(name) as (connection, before):
            return namespaces.save(connection, snapshots.bring_back(connection, before, label))

    def snapshots(self, name: str) -> list[Snapshot]:
        """Return the snapshots of a namespace, by label; raise NoSuchNamespace."""
        with self._pool.transaction(write=False) as connection:
            namespaces.existing(connection, name, lock=False)
            return snapshots.listing(connection, name)

    def drop_snapshot(self, name: str, label: str) -> None:
        """Remove a snapshot; raise NoSuchNamespace or NoSuchSnapshot."""
        with self._locked(name) as (connection, _):
            snapshots.drop(connection, name, label)

    def record(self, name: str, entry: Mapping[str, Any], *, answer: str | None = None) -> None:
        """Append an entry to the journal of a namespace; raise NoSuchNamespace, or ValueError for what is not JSON.

        `answer` names what was answered, if it is to be among what the namespace has seen; the caller sees to it that
        there are only so many names.

        To be called outside of a writing session, since SQLite has one writer at a time; in PostgreSQL nobody waits,
        but for a rival who records the same answer for the first time. Nor is the disk waited for: a crash of the
        machine may lose the last entries.
        """
        text = document(entry)
        with self._pool.transaction(write=True, lasting=False) as connection:
            journal.append(connection, name, text)
            if answer is not None:
                seen.add(connection, name, answer)

    def journal(self, name: str, *, limit: int = JOURNAL_KEPT, newest_first: bool = False) -> list[dict[str, Any]]:
        """Return the first `limit` of the newest JOURNAL_KEPT entries, in order of recording or the other way round.

        Raises NoSuchNamespace.
        """
        with self._pool.transaction(write=False) as connection:
            namespaces.existing(connection, name, lock=False)
            return journal.entries(connection, name, limit=limit, newest_first=newest_first)

    def clear_journal(self, name: str) -> None:
        """Forget all entries of a namespace's journal; raise NoSuchNamespace."""
        with self._locked(name) as (connection, _):
            journal.clear(connection, name)

    def seen(self, name: str | None) -> list[str]:
        """Return the answers that were recorded in a namespace since it was made or they were cleared, in order.

        Neither the bound of the journal nor a reset takes any away. With None: those of all namespaces, also of dropped
        ones. Raises NoSuchNamespace.
        """
        with self._pool.transaction(write=False) as connection:
            if name is not None:
                namespaces.existing(connection, name, lock=False)
            return seen.answers(connection, name)

    def clear_seen(self, name: str | None) -> None:
        """Forget what a namespace has seen, or with None what any has; raise NoSuchNamespace."""
        with self._pool.transaction(write=True) as connection:
            if name is not None:
                namespaces.existing(connection, name, lock=True)
            seen.clear(connection, name)

    def session(self, name: str, *, write: bool, pack: str) -> AbstractContextManager[Session]:
        """Open a session: committed at a clean exit, rolled back when the body raises.

        A reading session sees one snapshot; a writing one has the namespace to itself. A namespace unknown so far is
        made from `pack`; raises NoSuchPack, or ValueError for an impossible name.
        """
        return self._session(name, write=write, pack=pack)

    @contextlib.contextmanager
    def _session(self, name: str, *, write: bool, pack: str) -> Iterator[Session]:
        while True:
            with self._pool.transaction(write=write) as connection:
                found = namespaces.read(connection, name, lock=write)
                if found is not None:
                    session = Session(connection, found, write=write)
                    try:
                        yield session
                    finally:
                        session.close()
                    return
            # Somebody else may do so first, or drop it again before we look.
            with contextlib.suppress(NamespaceExists):
                self.create_namespace(name, pack)

    @contextlib.contextmanager
    def _locked(self, name: str) -> Iterator[tuple[Connection, Namespace]]:
        with self._pool.transaction(write=True) as connection:
            yield connection, namespaces.existing(connection, name, lock=True)

    def _has_pack(self, pack: str) -> bool:
        with self._pool.transaction(write=False) as connection:
            return bool(connection.rows(statements.READ_PACK, (pack,)))


def load_counters(connection: Connection, world: str, counters: Mapping[str, int]) -> None:
    """Set the counters of a world that has none; raise ValueError for a key that cannot be one."""
    rows = [(world, checked_key("A counter's key", key, LONGEST_WORD), value) for key, value in counters.items()]
    connection.load("couponmock_counter", statements.COUNTER_COLUMNS, rows)


def load(connection: Connection, world: str, seeds: Iterable[Seed], *, own: bool = False) -> None:
    """Insert the records and lookups of a pack, or of a namespace that has none of its `own`.

    A bounded number at a time; raises DuplicateRow or ValueError.
    """
    columns = statements.OWN_RECORD_COLUMNS if own else statements.RECORD_COLUMNS
    unread = iter(seeds)
    while some := list(itertools.islice(unread, SEEDS_AT_ONCE)):
        records: list[Row] = []
        lookups: list[Row] = []
        for seed in some:
            kind, id_ = checked_key("A kind", seed.kind, LONGEST_WORD), checked_key("An id", seed.id, LONGEST_ID)
            pairs = index_pairs(seed.lookups)
            row = (world, kind, id_, document(seed.data))
            records.append((*row, json.dumps(sorted(pairs))) if own else row)
            lookups.extend((world, kind, field, value, id_) for field, value in pairs)
        connection.load("couponmock_record", columns, records)
        connection.load("couponmock_lookup", statements.LOOKUP_COLUMNS, lookups)
