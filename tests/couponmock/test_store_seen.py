"""What a namespace has seen, in both engines: a set that no bound takes anything from, and whom it keeps waiting."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from couponmock.store import NoSuchNamespace, Store, journal, statements
from couponmock.store.engine import Connection
from couponmock.store.postgresql import PostgresEngine
from couponmock.store.sqlite import SqliteEngine

pytest_plugins = ("postgres_server",)

ANSWERS = [f"vendor operation example_{number:02}" for number in range(40)]


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """Open a store with the namespaces `n` and `m`."""
    with contextlib.closing(opened(store_url)) as made:
        yield made


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


def rows(store_url: str) -> list[tuple[str, str]]:
    """Read the whole table."""
    connection = connect(store_url)
    found = connection.rows("SELECT namespace, answer FROM couponmock_seen ORDER BY namespace, answer")
    connection.close()
    return [(name, answer) for name, answer in found]


def test_an_answer_is_remembered_once(store: Store, store_url: str) -> None:
    """In its namespace and among all; recording without one adds none."""
    for _ in range(3):
        store.record("n", {}, answer="b")
        store.record("n", {})
    store.record("n", {}, answer="a")
    store.record("m", {}, answer="b")
    assert (store.seen("n"), store.seen("m"), store.seen(None)) == (["a", "b"], ["b"], ["a", "b"])
    assert rows(store_url) == [("m", "b"), ("n", "a"), ("n", "b")]
    assert len(store.journal("n")) == 7


def test_entry_and_answer_are_recorded_together_or_not_at_all(store: Store, store_url: str) -> None:
    """In one transaction."""
    with pytest.raises(ValueError, match="An answer is empty"):
        store.record("n", {}, answer="")
    with pytest.raises(NoSuchNamespace):
        store.record("later", {}, answer="a")
    assert (store.journal("n"), rows(store_url)) == ([], [])


def test_neither_the_journals_bound_nor_a_reset_takes_any_away(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only clearing does, of one namespace or of all."""
    monkeypatch.setattr(journal, "JOURNAL_KEPT", 3)
    monkeypatch.setattr(journal, "TRIMMING", 1)
    for answer in ANSWERS:
        store.record("n", {}, answer=answer)
    store.record("m", {}, answer="m")
    store.clear_journal("n")
    store.reset_namespace("n", lambda _: {})
    assert store.seen("n") == ANSWERS

    store.clear_seen("n")
    assert (store.seen("n"), store.seen(None)) == ([], ["m"])
    store.record("n", {}, answer="again")
    store.clear_seen(None)
    assert (store.seen("n"), store.seen("m"), store.seen(None)) == ([], [], [])


def test_what_a_dropped_namespace_has_seen_stays_among_all(store: Store, store_url: str) -> None:
    """Once, however many of its name there were; the one made after it starts with nothing."""
    for _ in range(3):
        store.record("n", {}, answer="a")
        store.drop_namespace("n")
        store.create_namespace("n", "demo")
    assert (store.seen("n"), store.seen(None)) == ([], ["a"])
    assert rows(store_url) == [("", "a")]


def test_a_recording_that_a_drop_overtook_is_the_total_s_alone(store: Store, store_url: str) -> None:
    """Whoever records at the very moment in which a namespace is dropped leaves nothing for the next of its name."""
    store.drop_namespace("n")
    connection = connect(store_url)
    connection.change(statements.SEE, ("n", "late"))
    connection.close()
    store.create_namespace("n", "demo")
    assert (store.seen("n"), store.seen(None)) == ([], ["late"])


def test_a_namespace_that_is_not_there_has_seen_nothing_to_tell(store: Store) -> None:
    """Nor can it be cleared."""
    for name in ("never", "a\x00b", "\ud800"):
        with pytest.raises(NoSuchNamespace):
            store.seen(name)
        with pytest.raises(NoSuchNamespace):
            store.clear_seen(name)


def test_a_namespace_can_be_made_with_settings(store: Store) -> None:
    """In one transaction; what is no JSON makes none."""
    assert store.create_namespace("set", "demo", settings={"strict": "warn"}).settings == {"strict": "warn"}
    assert store.namespace("set").settings == {"strict": "warn"}
    with pytest.raises(ValueError, match="JSON"):
        store.create_namespace("unset", "demo", settings={"n": float("nan")})
    with pytest.raises(NoSuchNamespace):
        store.namespace("unset")


def test_many_hands_end_well(store: Store) -> None:
    """Recording, trimming, clearing and dropping at once: no deadlock, and nothing recorded is missing at the end."""

    def drop(name: str) -> None:
        for _ in range(10):
            with contextlib.suppress(NoSuchNamespace):
                store.drop_namespace(name)
            with store.session(name, write=False, pack="demo"):
                pass

    def record(name: str) -> None:
        for answer in ANSWERS:
            with contextlib.suppress(NoSuchNamespace):
                store.record(name, {}, answer=answer)

    with ThreadPoolExecutor(8) as threads:
        rivals = [threads.submit(record, name) for name in ("n", "m", "n", "m")]
        rivals += [threads.submit(drop, name) for name in ("n", "m")]
        assert [rival.exception() for rival in rivals] == [None] * 6
    record("n")
    assert store.seen(None) == ANSWERS


# PostgreSQL


@pytest.mark.postgres
def test_nobody_waits_to_record_what_was_seen_before(postgres_url: str) -> None:
    """An open recording keeps others from recording the same answer only if it is the first of it."""
    with contextlib.closing(opened(postgres_url)) as store, ThreadPoolExecutor(1) as other:
        store.record("n", {}, answer="a")
        with store._pool.transaction(write=True, lasting=False) as connection:
            connection.change(statements.SEE, ("n", "a"))
            other.submit(store.record, "n", {}, answer="a").result(timeout=20)
            other.submit(store.record, "n", {}, answer="b").result(timeout=20)
            other.submit(store.record, "m", {}, answer="a").result(timeout=20)
        with store.session("n", write=True, pack="demo"):
            other.submit(store.record, "n", {}, answer="c").result(timeout=20)
        assert store.seen("n") == ["a", "b", "c"]


@pytest.mark.postgres
def test_postgresql_walks_along_the_key(postgres_url: str) -> None:
    """What many namespaces have seen is not read for one of them."""
    with contextlib.closing(opened(postgres_url)):
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute(
                "INSERT INTO couponmock_seen SELECT 'n' || g / 50, 'a' || g % 50 FROM generate_series(1, 5000) g"
            )
        for _ in range(2):
            bare = connect(postgres_url)
            for statement in (statements.SEEN, statements.KEEP_SEEN, statements.CLEAR_SEEN):
                plan = "\n".join(row[0] for row in bare.rows(f"EXPLAIN {statement}", ("n7",)))
                assert "couponmock_seen_pkey" in plan
                assert not [word for word in ("Seq Scan", "Bitmap") if word in plan], plan
            bare.change("ANALYZE couponmock_seen")
            bare.close()
