"""The store: packs, namespaces and the sessions in which they are read and changed."""

import contextlib
import itertools
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from . import statements
from .engine import Connection, Engine, Row
from .fault import DuplicateRow, NamespaceExists, NoSuchNamespace, NoSuchPack, StoreFault
from .pool import Pool
from .postgresql import PostgresEngine
from .session import Session, index_pairs, namespace_world, pack_world
from .sqlite import SqliteEngine
from .text import LONGEST_ID, LONGEST_WORD, document, key, storable
from .world import Namespace, Seed, wall_clock

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

    def install_pack(self, pack: str, seeds: Iterable[Seed], *, frozen: int | None = None) -> None:
        """Install a pack, or do nothing if one with this id is installed.

        All of it becomes visible in one moment. `frozen` stops the clocks of its namespaces, in unix seconds. Raises
        ValueError for seeds that cannot be stored or that share kind and id.
        """
        key("A pack's id", pack, LONGEST_WORD)
        if self._has_pack(pack):
            return
        with self._pool.transaction(write=True) as connection:
            # Whoever comes second waits here, until the first has finished or failed.
            if not connection.change(statements.CLAIM_PACK, (pack, frozen)):
                return
            try:
                load(connection, pack_world(pack), seeds)
            except DuplicateRow as error:
                message = f"The pack {pack!r} holds two entities of the same kind and id."
                raise ValueError(message) from error

    def packs(self) -> list[str]:
        """Return the ids of the installed packs, in order."""
        with self._pool.transaction(write=False) as connection:
            return [row[0] for row in connection.rows(statements.LIST_PACKS)]

    def create_namespace(self, name: str, pack: str) -> Namespace:
        """Make a namespace from a pack; raise NamespaceExists, NoSuchPack, or ValueError for an impossible name."""
        with self._pool.transaction(write=True) as connection:
            made = create(connection, name, pack)
        if made is None:
            raise NamespaceExists(name)
        return made

    def namespace(self, name: str) -> Namespace:
        """Return a namespace; raise NoSuchNamespace."""
        with self._pool.transaction(write=False) as connection:
            return existing(connection, name, lock=False)

    def namespaces(self) -> list[Namespace]:
        """Return all namespaces, by name."""
        with self._pool.transaction(write=False) as connection:
            return [Namespace(*row) for row in connection.rows(statements.LIST_NAMESPACES)]

    def reset_namespace(self, name: str) -> Namespace:
        """Make a namespace its pack again, with the epoch of this moment; raise NoSuchNamespace."""
        with self._pool.transaction(write=True) as connection:
            before = existing(connection, name, lock=True)
            clear(connection, name)
            after = Namespace(name, before.pack, before.now(), before.frozen)
            connection.change(statements.SET_EPOCH, (after.epoch, name))
        return after

    def drop_namespace(self, name: str) -> None:
        """Remove a namespace; raise NoSuchNamespace."""
        with self._pool.transaction(write=True) as connection:
            existing(connection, name, lock=True)
            clear(connection, name)
            connection.change(statements.DROP_NAMESPACE, (name,))

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
                found = read(connection, name, lock=write)
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

    def _has_pack(self, pack: str) -> bool:
        with self._pool.transaction(write=False) as connection:
            return bool(connection.rows(statements.READ_PACK, (pack,)))


def read(connection: Connection, name: str, *, lock: bool) -> Namespace | None:
    """Read a namespace, None if there is none; with `lock` nobody else writes to it until the transaction ends."""
    if not storable(name):
        return None
    ask = connection.locked if lock else connection.rows
    found = ask(statements.READ_NAMESPACE, (name,))
    return Namespace(*found[0]) if found else None


def existing(connection: Connection, name: str, *, lock: bool) -> Namespace:
    """Read a namespace as `read` does; raise NoSuchNamespace."""
    found = read(connection, name, lock=lock)
    if found is None:
        raise NoSuchNamespace(name)
    return found


def create(connection: Connection, name: str, pack: str) -> Namespace | None:
    """Make a namespace, None if it is there already; raise NoSuchPack."""
    key("A namespace's name", name, LONGEST_WORD)
    found = connection.rows(statements.READ_PACK, (pack,)) if storable(pack) else []
    if not found:
        raise NoSuchPack(pack)
    frozen = found[0][0]
    made = Namespace(name, pack, wall_clock() if frozen is None else frozen, frozen)
    row = (made.name, made.pack, made.epoch, made.frozen)
    return made if connection.change(statements.CREATE_NAMESPACE, row) else None


def clear(connection: Connection, name: str) -> None:
    """Forget what a namespace has changed of its pack."""
    connection.change(statements.CLEAR_LOOKUPS, (namespace_world(name),))
    connection.change(statements.CLEAR_RECORDS, (namespace_world(name),))


def load(connection: Connection, world: str, seeds: Iterable[Seed]) -> None:
    """Insert a pack's records and lookups, a bounded number at a time; raise DuplicateRow or ValueError."""
    unread = iter(seeds)
    while some := list(itertools.islice(unread, SEEDS_AT_ONCE)):
        records: list[Row] = []
        lookups: list[Row] = []
        for seed in some:
            kind, id_ = key("A kind", seed.kind, LONGEST_WORD), key("An id", seed.id, LONGEST_ID)
            records.append((world, kind, id_, document(seed.data)))
            lookups.extend((world, kind, field, value, id_) for field, value in index_pairs(seed.lookups))
        connection.load("couponmock_record", statements.RECORD_COLUMNS, records)
        connection.load("couponmock_lookup", statements.LOOKUP_COLUMNS, lookups)
