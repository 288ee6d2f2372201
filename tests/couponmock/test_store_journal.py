"""The journal of a namespace, in both engines: its order, its bound, and whom it keeps waiting."""

import contextlib
import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from couponmock.store import JOURNAL_KEPT, NoSuchNamespace, Store, StoreFault, journal, statements
from couponmock.store.engine import Connection
from couponmock.store.postgresql import PostgresEngine
from couponmock.store.sqlite import SqliteEngine

pytest_plugins = ("postgres_server",)


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """Open a store with the namespaces `n` and `m`."""
    with contextlib.closing(opened(store_url)) as made:
        yield made


@pytest.fixture
def fair_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the same recordings trim each time."""
    monkeypatch.setattr(journal, "chance", random.Random(1).random)  # noqa: S311 - no secret


def opened(store_url: str) -> Store:
    """Open a store and make two namespaces."""
    store = Store.open(store_url)
    store.install_pack("demo", [])
    for name in ("n", "m"):
        store.create_namespace(name, "demo")
    return store


def connect(store_url: str) -> Connection:
    """Open a bare connection as the store does."""
    if store_url.startswith("sqlite:"):
        return SqliteEngine(Path(store_url.removeprefix("sqlite:///"))).connect()
    return PostgresEngine(store_url).connect()


def record_many(store: Store, numbers: range, name: str = "n") -> None:
    """Record numbered entries as the store does, in one transaction."""
    with store._pool.transaction(write=True) as connection:
        for number in numbers:
            journal.append(connection, name, f'{{"n":{number}}}')


def numbers(entries: list[dict[str, Any]]) -> list[int]:
    """Give the numbers of numbered entries."""
    return [entry["n"] for entry in entries]


def stored(store_url: str, name: str = "n") -> int:
    """Count the entries that the table holds."""
    connection = connect(store_url)
    found: int = connection.rows("SELECT count(*) FROM couponmock_journal WHERE namespace = ?", (name,))[0][0]
    connection.close()
    return found


def test_entries_come_back_in_order_of_recording(store: Store) -> None:
    """Or in the opposite one; each namespace has its own."""
    for number in range(5):
        store.record("n", {"n": number})
        store.record("m", {"n": -number})
    assert numbers(store.journal("n")) == [0, 1, 2, 3, 4]
    assert numbers(store.journal("n", newest_first=True)) == [4, 3, 2, 1, 0]
    assert numbers(store.journal("m")) == [0, -1, -2, -3, -4]


def test_a_limit_gives_the_first_ones_in_the_order_asked_for(store: Store) -> None:
    """As many as there are, and none for less than one."""
    record_many(store, range(5))
    for limit, shown in ((-1, 0), (0, 0), (1, 1), (3, 3), (5, 5), (6, 5), (10**30, 5)):
        assert numbers(store.journal("n", limit=limit)) == [0, 1, 2, 3, 4][:shown]
        assert numbers(store.journal("n", limit=limit, newest_first=True)) == [4, 3, 2, 1, 0][:shown]


def test_a_new_namespace_has_an_empty_journal(store: Store) -> None:
    """Nothing is recorded unless somebody records."""
    with store.session("n", write=True, pack="demo") as session:
        session.put("coupon", "a", {}, [])
    assert store.journal("n") == []


def test_an_entry_may_hold_any_text(store: Store) -> None:
    """As a member's name and as its value; what is returned is a copy."""
    texts = ("", "クーポン", "a\x00b", "\ud83d", '100%s ? $1 \\ "', "x" * 100_000)
    entries = [{text: [text, None, 1.5, {"a": text}]} for text in texts]
    for entry in entries:
        store.record("n", entry)
    store.journal("n")[0].clear()
    assert store.journal("n") == entries


def test_an_entry_must_be_json(store: Store) -> None:
    """What JSON does not have is refused, and nothing is recorded."""
    with pytest.raises(ValueError, match="JSON"):
        store.record("n", {"n": float("nan")})
    with pytest.raises(TypeError, match="JSON"):
        store.record("n", {"n": store})
    assert store.journal("n") == []


def test_recording_makes_no_namespace(store: Store, store_url: str) -> None:
    """Nor does it leave anything behind for one that is made later."""
    with pytest.raises(NoSuchNamespace):
        store.record("later", {})
    assert stored(store_url, "later") == 0
    store.create_namespace("later", "demo")
    assert store.journal("later") == []


def test_a_journal_can_be_cleared(store: Store, store_url: str) -> None:
    """Of one namespace; what is recorded afterwards is there."""
    record_many(store, range(5))
    record_many(store, range(5), "m")
    store.clear_journal("n")
    assert (store.journal("n"), stored(store_url)) == ([], 0)
    assert numbers(store.journal("m")) == [0, 1, 2, 3, 4]
    store.record("n", {"n": 6})
    assert numbers(store.journal("n")) == [6]


def test_a_reset_keeps_the_journal(store: Store) -> None:
    """With or without the settings: it tells what happened, also before the reset."""
    record_many(store, range(3))
    store.reset_namespace("n")
    store.reset_namespace("n", lambda _: {})
    assert numbers(store.journal("n")) == [0, 1, 2]


def test_a_dropped_namespace_takes_its_journal_along(store: Store, store_url: str) -> None:
    """The one made after it starts with an empty one, also if somebody recorded while the first one was dropped."""
    record_many(store, range(3))
    record_many(store, range(3), "m")
    store.drop_namespace("n")
    assert stored(store_url) == 0
    connection = connect(store_url)
    connection.change("INSERT INTO couponmock_journal (namespace, entry) VALUES ('n', '{}')")
    connection.close()
    store.create_namespace("n", "demo")
    assert store.journal("n") == []
    assert numbers(store.journal("m")) == [0, 1, 2]


@pytest.mark.usefixtures("fair_chance")
def test_the_oldest_entries_go_first(store: Store, store_url: str) -> None:
    """Never more than the newest thousand are shown, nor more than a tenth above that stored, from beginning to end."""
    record_many(store, range(3), "m")
    for start in range(0, 3000, 100):
        end = start + 100
        record_many(store, range(start, end))
        assert numbers(store.journal("n")) == list(range(max(0, end - JOURNAL_KEPT), end))
        assert min(end, JOURNAL_KEPT) <= stored(store_url) <= 1.1 * JOURNAL_KEPT
    assert numbers(store.journal("n", limit=2)) == [2000, 2001]
    assert numbers(store.journal("n", limit=2, newest_first=True)) == [2999, 2998]
    assert numbers(store.journal("n", limit=5000)) == list(range(2000, 3000))
    assert numbers(store.journal("m")) == [0, 1, 2]


def test_trimming_is_rare_and_due_in_time() -> None:
    """A hundred recordings in a row without any are a matter of one in several hundred."""
    assert journal.TRIMMING <= 0.1
    assert (1 - journal.TRIMMING) ** 100 < 1 / 500


def test_entries_of_many_namespaces_are_trimmed_apart(store: Store, store_url: str, fair_chance: None) -> None:
    """Recording in turn, they share the numbers and not the bound."""
    with store._pool.transaction(write=True) as connection:
        for number in range(2200):
            journal.append(connection, "nm"[number % 2], f'{{"n":{number}}}')
    for name, first in (("n", 0), ("m", 1)):
        assert numbers(store.journal(name)) == list(range(200 + first, 2200, 2))
        assert stored(store_url, name) <= 1.1 * JOURNAL_KEPT


# PostgreSQL


@pytest.mark.postgres
def test_recording_and_sessions_never_wait_for_each_other(postgres_url: str) -> None:
    """A writing session that is open keeps nobody from recording, and a recording that is open no session."""
    with contextlib.closing(opened(postgres_url)) as store, ThreadPoolExecutor(1) as other:
        with store.session("n", write=True, pack="demo") as session:
            session.put("coupon", "a", {}, [])
            other.submit(store.record, "n", {"n": 1}).result(timeout=20)
            assert numbers(other.submit(store.journal, "n").result(timeout=20)) == [1]
        with store._pool.transaction(write=True, lasting=False) as connection:
            journal.append(connection, "n", '{"n": 2}')
            other.submit(store.reset_namespace, "n").result(timeout=20)
            other.submit(store.record, "n", {"n": 3}).result(timeout=20)
        assert numbers(store.journal("n")) == [1, 2, 3]


@pytest.mark.postgres
def test_recording_waits_for_no_disk(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything else does, also on the connection that recorded."""
    asked = "SELECT current_setting('synchronous_commit')"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE \"{connection.info.dbname}\" SET synchronous_commit = 'on'".encode())
    during = []

    def watched(connection: Connection, name: str, entry: str) -> None:
        during.extend(connection.rows(asked))
        append(connection, name, entry)

    append = journal.append
    monkeypatch.setattr(journal, "append", watched)
    with contextlib.closing(opened(postgres_url)) as store:
        for _ in range(10):
            store.record("n", {})
            with store._pool.transaction(write=True) as other:
                assert other.rows(asked) == [("on",)]
    assert during == [("off",)] * 10


@pytest.mark.postgres
@pytest.mark.usefixtures("fair_chance")
def test_trimming_and_clearing_at_once_end_well(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many remove the same entries; all walk along the key, so none ends in a deadlock."""
    monkeypatch.setattr(journal, "TRIMMING", 1)
    monkeypatch.setattr(journal, "JOURNAL_KEPT", 5)
    with contextlib.closing(opened(postgres_url)) as store, ThreadPoolExecutor(8) as threads:
        rivals = [threads.submit(store.record, "n", {"n": number}) for number in range(400)]
        rivals += [threads.submit(store.clear_journal, "n") for _ in range(20)]
        assert [rival.exception() for rival in rivals] == [None] * 420
        record_many(store, range(5))
        assert numbers(store.journal("n")) == [0, 1, 2, 3, 4]
        assert stored(postgres_url) <= 5 + 8


@pytest.mark.postgres
def test_postgresql_finds_the_cut_along_the_key(postgres_url: str) -> None:
    """A journal that has grown is neither sorted nor read as a whole, with or without statistics."""
    with contextlib.closing(opened(postgres_url)) as store:
        record_many(store, range(300), "m")
        record_many(store, range(1200))
        for _ in range(2):
            connection = connect(postgres_url)
            for statement, parameters in (
                (statements.JOURNAL, ("n", 1000)),
                (statements.TRIM_JOURNAL, ("n", "n", 1000)),
                (statements.CLEAR_JOURNAL, ("n",)),
            ):
                plan = "\n".join(row[0] for row in connection.rows(f"EXPLAIN {statement}", parameters))
                assert "couponmock_journal_key" in plan
                assert not [word for word in ("Seq Scan", "Bitmap", "Sort") if word in plan], plan
            connection.change("ANALYZE couponmock_journal")
            connection.close()


@pytest.mark.postgres
def test_a_lost_connection_while_recording_is_a_store_fault(postgres_url: str) -> None:
    """The entry is not there, and the next one is."""
    with contextlib.closing(opened(postgres_url)) as store:

        def lose() -> None:
            with store._pool.transaction(write=True, lasting=False) as connection:
                journal.append(connection, "n", "{}")
                with psycopg.connect(postgres_url, autocommit=True) as killer:
                    killer.execute(
                        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )

        with pytest.raises(StoreFault):
            lose()
        store.record("n", {"n": 1})
        assert numbers(store.journal("n")) == [1]
