"""The store, in both engines: packs, namespaces as differences, sessions, and what it says when something is wrong."""

import contextlib
import hashlib
import random
import subprocess
import sys
import textwrap
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from couponmock.store import (
    Namespace,
    NamespaceExists,
    NoSuchNamespace,
    NoSuchPack,
    Record,
    Seed,
    Session,
    Store,
    StoreFault,
    statements,
)
from couponmock.store.engine import Connection
from couponmock.store.pool import Pool
from couponmock.store.postgresql import MAKING_TABLES, PostgresEngine
from couponmock.store.sqlite import SqliteEngine

pytest_plugins = ("postgres_server",)

FROZEN = 1_478_908_800
SEEDS = (
    Seed("coupon", "a", {"code": "AAA", "state": "issued"}, (("code", "AAA"), ("member", "alice"))),
    Seed("coupon", "b", {"code": "BBB", "state": "issued"}, (("code", "BBB"), ("member", "alice"))),
    Seed("coupon", "c", {"code": "CCC", "state": "used"}, (("code", "CCC"), ("member", "bob"))),
    Seed("member", "alice", {"name": "Alice"}, (("email", "alice@example.com"),)),
)
RANDOM = random.Random(1)  # noqa: S311 - no secret
RANDOM_KANJI = "".join(chr(RANDOM.randrange(0x4E00, 0x9FFF)) for _ in range(1000))
VALUES = [
    "",
    " ",
    "A B",
    "it's",
    '100%s ? $1 \\ "',
    "naïve",
    "クーポン",
    "😀",
    "x" * 1000,
    RANDOM_KANJI,
    "\x01",
    "﻿\r\n",
]


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """Open a store that holds the pack `demo`."""
    with contextlib.closing(Store.open(store_url)) as opened:
        opened.install_pack("demo", SEEDS)
        yield opened


@contextlib.contextmanager
def reading(store: Store, name: str = "n") -> Iterator[Session]:
    """Open a reading session of a namespace of `demo`."""
    with store.session(name, write=False, pack="demo") as session:
        yield session


@contextlib.contextmanager
def writing(store: Store, name: str = "n") -> Iterator[Session]:
    """Open a writing session of a namespace of `demo`."""
    with store.session(name, write=True, pack="demo") as session:
        yield session


def ids(records: list[Record]) -> list[str]:
    """Give the ids of the records found."""
    return [record.id for record in records]


def rows_of(store_url: str, name: str) -> int:
    """Count what a namespace's difference takes in the tables."""
    connection = connect(store_url)
    try:
        tables = ("couponmock_record", "couponmock_lookup")
        statement = "SELECT count(*) FROM {} WHERE world = ?"
        return sum(connection.rows(statement.format(table), (f"~{name}",))[0][0] for table in tables)
    finally:
        connection.close()


def connect(store_url: str) -> Connection:
    """Open a bare connection as the store does."""
    if store_url.startswith("sqlite:"):
        return SqliteEngine(Path(store_url.removeprefix("sqlite:///"))).connect()
    return PostgresEngine(store_url).connect()


# Packs


def test_an_installed_pack_is_listed(store: Store) -> None:
    """`packs` names every installed pack, in order."""
    store.install_pack("another", [])
    assert store.packs() == ["another", "demo"]


def test_installing_a_pack_again_changes_nothing(store: Store) -> None:
    """The id decides: the second installation is not even read."""
    unread = iter(SEEDS)
    store.install_pack("demo", unread, frozen=FROZEN)
    assert list(unread) == list(SEEDS)
    assert store.create_namespace("n", "demo").frozen is None


def test_a_pack_that_fails_half_way_is_not_there(store: Store) -> None:
    """Nothing of it is visible, and it can be installed afterwards."""

    def broken() -> Iterator[Seed]:
        for number in range(25_000):
            yield Seed("coupon", f"{number}", {}, (("code", "X"),))
        raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - our own
        store.install_pack("broken", broken())
    assert store.packs() == ["demo"]
    store.install_pack("broken", [Seed("coupon", "z", {}, (("code", "X"),))])
    with store.session("n", write=False, pack="broken") as session:
        assert ids(session.find("coupon", "code", "X")) == ["z"]


def test_a_pack_with_two_entities_of_one_kind_and_id_is_refused(store: Store) -> None:
    """The message names the pack."""
    with pytest.raises(ValueError, match="'twins' holds two entities"):
        store.install_pack("twins", [SEEDS[0], SEEDS[0]])
    assert store.packs() == ["demo"]


def test_a_repeated_lookup_is_one_lookup(store: Store) -> None:
    """The same (field, value) twice finds the record once, in a pack and in a namespace."""
    store.install_pack("repeated", [Seed("coupon", "a", {}, (("code", "X"), ("code", "X")))])
    with store.session("n", write=True, pack="repeated") as session:
        session.put("coupon", "b", {}, [("code", "X"), ("code", "X")])
        assert ids(session.find("coupon", "code", "X")) == ["a", "b"]


# Namespaces


def test_a_new_namespace_is_its_pack(store: Store) -> None:
    """Every record of the pack is there."""
    store.create_namespace("n", "demo")
    with reading(store) as session:
        assert [(record.kind, record.id, record.data) for record in session.scan()] == [
            (seed.kind, seed.id, seed.data) for seed in SEEDS
        ]


def test_a_namespace_stores_only_its_difference(store: Store, store_url: str) -> None:
    """Making, resetting and dropping one copies nothing of the pack, whatever the pack's size."""
    store.create_namespace("n", "demo")
    assert rows_of(store_url, "n") == 0
    with writing(store) as session:
        session.put("coupon", "a", {}, [("code", "AAA")])
    assert rows_of(store_url, "n") == 2
    store.reset_namespace("n")
    assert rows_of(store_url, "n") == 0
    with writing(store) as session:
        session.delete("coupon", "a")
    store.drop_namespace("n")
    assert rows_of(store_url, "n") == 0


def test_a_namespace_can_be_made_once(store: Store) -> None:
    """The second attempt raises NamespaceExists and changes nothing."""
    store.create_namespace("n", "demo")
    with pytest.raises(NamespaceExists, match="already is a namespace 'n'"):
        store.create_namespace("n", "demo")


def test_namespaces_are_listed_by_name(store: Store) -> None:
    """Bytewise order: capitals first, whatever the server's locale."""
    for name in ("b", "a", "B"):
        store.create_namespace(name, "demo")
    assert [namespace.name for namespace in store.namespaces()] == ["B", "a", "b"]


@pytest.mark.parametrize("name", ["missing", "nul\x00", "surrogate\ud800", ""])
def test_an_unknown_namespace_is_a_no_such_namespace(store: Store, name: str) -> None:
    """Reading, resetting and dropping it raise the same, and a name no engine can hold is unknown too."""
    for act in (store.namespace, store.reset_namespace, store.drop_namespace):
        with pytest.raises(NoSuchNamespace):
            act(name)


@pytest.mark.parametrize("name", ["", "nul\x00", "surrogate\ud800", "x" * 201])
def test_an_impossible_name_makes_no_namespace(store: Store, name: str) -> None:
    """It raises ValueError, on creation and on first use."""
    with pytest.raises(ValueError, match="A namespace's name"):
        store.create_namespace(name, "demo")
    with pytest.raises(ValueError, match="A namespace's name"), reading(store, name):
        pass


@pytest.mark.parametrize("pack", ["missing", "nul\x00", "surrogate\ud800"])
def test_an_unknown_pack_is_a_no_such_pack(store: Store, pack: str) -> None:
    """On creation and on first use; no namespace comes of it."""
    with pytest.raises(NoSuchPack):
        store.create_namespace("n", pack)
    with pytest.raises(NoSuchPack), store.session("n", write=True, pack=pack):
        pass
    assert store.namespaces() == []


def test_a_namespace_is_made_on_first_use(store: Store) -> None:
    """From the pack given with the session, and only then: later sessions keep what it was made from."""
    store.install_pack("other", [])
    with reading(store) as session:
        assert session.namespace.pack == "demo"
    with store.session("n", write=True, pack="other") as session:
        assert session.namespace.pack == "demo"


def test_a_dropped_namespace_is_gone_with_its_changes(store: Store) -> None:
    """Used again, it is its pack again."""
    with writing(store) as session:
        session.put("coupon", "a", {"state": "used"}, [])
    store.drop_namespace("n")
    assert store.namespaces() == []
    with reading(store) as session:
        assert session.get("coupon", "a") == Record("coupon", "a", SEEDS[0].data)


def test_a_reset_namespace_is_its_pack_again(store: Store) -> None:
    """Changed, deleted and new records all go back, and other namespaces keep theirs."""
    for name in ("n", "m"):
        with writing(store, name) as session:
            session.put("coupon", "a", {"state": "used"}, [("code", "new")])
            session.delete("coupon", "b")
            session.put("coupon", "z", {}, [])
    store.reset_namespace("n")
    with reading(store) as session:
        assert ids(list(session.scan("coupon"))) == ["a", "b", "c"]
        assert session.find("coupon", "code", "new") == []
    with reading(store, "m") as session:
        assert ids(list(session.scan("coupon"))) == ["a", "c", "z"]


def test_the_epoch_is_the_moment_of_creation(store: Store) -> None:
    """In whole unix seconds; the clock runs."""
    before = int(time.time())
    made = store.create_namespace("n", "demo")
    assert before <= made.epoch <= made.now() <= time.time()
    assert store.namespace("n") == made


def test_a_reset_moves_the_epoch_to_now(store: Store, store_url: str) -> None:
    """An old namespace starts anew."""
    store.create_namespace("n", "demo")
    connection = connect(store_url)
    connection.change("UPDATE couponmock_namespace SET epoch = 5")
    connection.close()
    assert store.namespace("n").epoch == 5
    again = store.reset_namespace("n")
    assert again.epoch > FROZEN
    assert store.namespace("n") == again


def test_a_frozen_pack_stops_the_clocks_of_its_namespaces(store: Store) -> None:
    """Epoch, namespace and session all tell the frozen time, after a reset too."""
    store.install_pack("frozen", [], frozen=FROZEN)
    assert store.create_namespace("n", "frozen") == Namespace("n", "frozen", FROZEN, FROZEN)
    assert store.reset_namespace("n").epoch == FROZEN
    with store.session("n", write=False, pack="frozen") as session:
        assert session.now() == session.namespace.now() == FROZEN


# Sessions


def test_a_put_record_replaces_that_of_the_pack(store: Store) -> None:
    """In this namespace, and in no other."""
    with writing(store) as session:
        session.put("coupon", "a", {"state": "used"}, [])
        assert session.get("coupon", "a") == Record("coupon", "a", {"state": "used"})
    with reading(store) as session:
        assert session.get("coupon", "a") == Record("coupon", "a", {"state": "used"})
    with reading(store, "other") as session:
        assert session.get("coupon", "a") == Record("coupon", "a", SEEDS[0].data)


def test_a_missing_record_is_none(store: Store) -> None:
    """By kind or by id."""
    with reading(store) as session:
        assert session.get("coupon", "zzz") is None
        assert session.get("zzz", "a") is None


def test_a_deleted_record_is_gone(store: Store) -> None:
    """From get, find and scan, be it the pack's or the namespace's own; others keep it, and it can come back."""
    with writing(store) as session:
        session.put("coupon", "z", {}, [("member", "alice")])
        session.delete("coupon", "z")
        session.delete("coupon", "a")
        session.delete("coupon", "never was")
    with writing(store) as session:
        assert session.get("coupon", "a") is None
        assert ids(session.find("coupon", "member", "alice")) == ["b"]
        assert ids(list(session.scan("coupon"))) == ["b", "c"]
        session.put("coupon", "a", {"state": "back"}, [("member", "alice")])
        assert ids(session.find("coupon", "member", "alice")) == ["a", "b"]
    with reading(store, "other") as session:
        assert ids(session.find("coupon", "member", "alice")) == ["a", "b"]


def test_deleting_an_own_record_leaves_nothing_behind(store: Store, store_url: str) -> None:
    """A namespace in which coupons come and go does not grow for ever."""
    with writing(store) as session:
        session.put("coupon", "z", {}, [("code", "Z")])
        session.delete("coupon", "z")
    assert rows_of(store_url, "n") == 0


def test_find_returns_records_by_id(store: Store) -> None:
    """The pack's and the namespace's own in one order, each with its data."""
    with writing(store) as session:
        session.put("coupon", "aa", {"state": "new"}, [("member", "alice")])
        session.put("coupon", "b", {"state": "used"}, [("member", "alice")])
        assert session.find("coupon", "member", "alice") == [
            Record("coupon", "a", SEEDS[0].data),
            Record("coupon", "aa", {"state": "new"}),
            Record("coupon", "b", {"state": "used"}),
        ]


@pytest.mark.parametrize("limit", [0, 1, 2, 3, 10**30])
def test_find_returns_the_first_records_and_no_more_than_asked_for(store: Store, limit: int) -> None:
    """The first by id, whether they are the namespace's own or the pack's; records that have left do not count."""
    with writing(store) as session:
        session.put("coupon", "aa", {"state": "new"}, [("member", "alice")])
        session.put("coupon", "b", {"state": "used"}, [("member", "alice")])
        session.put("coupon", "a", {"state": "gone"}, [("member", "bob")])
        found = session.find("coupon", "member", "alice", limit=limit)
        assert [record.id for record in found] == ["aa", "b"][: min(limit, 2)]


def test_find_orders_by_code_point(store: Store) -> None:
    """The same order in every engine and locale."""
    mixed = ["Z", "a", "z", "é", "東", "😀"]
    with writing(store) as session:
        for id_ in reversed(mixed):
            session.put("coupon", id_, {}, [("code", "same")])
        assert ids(session.find("coupon", "code", "same")) == mixed


def test_a_replaced_record_is_found_by_its_new_lookups_only(store: Store) -> None:
    """The pack's lookups and those of an earlier put are forgotten, those of other records are not."""
    with writing(store) as session:
        session.put("coupon", "a", {}, [("code", "new"), ("member", "bob")])
        assert session.find("coupon", "code", "AAA") == []
        assert ids(session.find("coupon", "member", "bob")) == ["a", "c"]
        session.put("coupon", "a", {}, [("code", "newer"), ("member", "bob")])
        assert session.find("coupon", "code", "new") == []
        assert ids(session.find("coupon", "code", "newer")) == ["a"]
        assert ids(session.find("coupon", "member", "alice")) == ["b"]


def test_a_lookup_is_by_kind_and_field(store: Store) -> None:
    """The same value under another kind or field finds nothing."""
    with reading(store) as session:
        assert session.find("member", "code", "AAA") == []
        assert session.find("coupon", "member", "AAA") == []


@pytest.mark.parametrize("value", VALUES)
def test_any_text_can_be_stored_and_found(store: Store, value: str) -> None:
    """As data and as a looked-up value, exactly: in a pack and in a namespace."""
    store.install_pack("texts", [Seed("coupon", "p", {value: [value, None, 1.5]}, (("code", value),))])
    with store.session("n", write=True, pack="texts") as session:
        session.put("coupon", "q", {value: {"x": value}}, [("code", value)])
        assert session.find("coupon", "code", value) == [
            Record("coupon", "p", {value: [value, None, 1.5]}),
            Record("coupon", "q", {value: {"x": value}}),
        ]
        assert session.find("coupon", "code", value + "?") == []
        assert session.find("coupon", "code", value[:-1] or "?") == []


def test_no_value_passes_for_the_digest_of_a_long_one(store: Store) -> None:
    """Long values are indexed by a digest; a value that is that digest is another value."""
    with writing(store) as session:
        session.put("coupon", "z", {}, [("code", "x" * 1000)])
    with reading(store) as session:
        assert session.find("coupon", "code", "\x01" + hashlib.sha256(b"x" * 1000).hexdigest()) == []


@pytest.mark.parametrize("value", ["\x00", "AAA\x00", "\x00AAA", "\ud800", "AAA\udfff"])
def test_a_text_no_engine_holds_is_never_found(store: Store, value: str) -> None:
    """NUL and lone surrogates find nothing and raise nothing, even when they were put."""
    with writing(store) as session:
        session.put("coupon", "z", {}, [("code", value), ("member", "zoe")])
        assert ids(session.find("coupon", "member", "zoe")) == ["z"]
        assert session.find("coupon", "code", value) == []
        assert session.find("coupon", value, "AAA") == []
        assert session.find(value, "code", "AAA") == []
        assert session.get("coupon", value) is None
        assert session.get(value, "a") is None
        session.delete("coupon", value)
        session.delete(value, "a")


@pytest.mark.parametrize("text", ["a\x00b", "\ud83d", "é\udc00"])
def test_data_may_hold_what_keys_may_not(store: Store, text: str) -> None:
    """NUL and lone surrogates come back as they were put."""
    with writing(store) as session:
        session.put("coupon", "z", {"text": text}, [])
        assert session.get("coupon", "z") == Record("coupon", "z", {"text": text})


@pytest.mark.parametrize("word", ["", "nul\x00", "surrogate\ud800", "x" * 1001])
def test_an_impossible_key_is_refused(store: Store, word: str) -> None:
    """As kind, id or field: ValueError, before anything is written."""
    with writing(store) as session:
        for kind, id_, field in ((word, "z", "code"), ("coupon", word, "code"), ("coupon", "z", word)):
            with pytest.raises(ValueError, match=r"^(A kind|An id|A field) "):
                session.put(kind, id_, {}, [(field, "Z")])
        assert ids(list(session.scan("coupon"))) == ["a", "b", "c"]


def test_an_id_may_be_long(store: Store) -> None:
    """Up to a thousand bytes, together with the longest kind, field and value."""
    # Random, since PostgreSQL would compress anything else until it fits its index.
    long_id, word, value = RANDOM_KANJI[:333], RANDOM_KANJI[400:466], RANDOM_KANJI[500:566]
    with writing(store, word) as session:
        session.put(word, long_id, {}, [(word, value), (word, RANDOM_KANJI)])
        assert ids(session.find(word, word, value)) == [long_id]
        assert ids(session.find(word, word, RANDOM_KANJI)) == [long_id]


@pytest.mark.parametrize("data", [{"n": float("nan")}, {"n": float("inf")}])
def test_data_must_be_json(store: Store, data: dict[str, Any]) -> None:
    """What JSON does not have raises ValueError."""
    with pytest.raises(ValueError, match="JSON"), writing(store) as session:
        session.put("coupon", "z", data, [])


def test_data_read_is_a_copy(store: Store) -> None:
    """Changing it changes nothing in the store."""
    with reading(store) as session:
        found = session.get("coupon", "a")
        assert found is not None
        found.data["state"] = "scribbled"
        assert session.get("coupon", "a") == Record("coupon", "a", SEEDS[0].data)


def test_scan_walks_through_everything_in_order(store: Store) -> None:
    """More than one page of the pack's and of the namespace's own records, each once, its own first."""
    store.install_pack("long", [Seed("k", f"{n:05d}", {"by": "pack"}, ()) for n in range(1300)])
    with store.session("n", write=True, pack="long") as session:
        for number in range(0, 2600, 2):
            session.put("k", f"{number:05d}", {"by": "own"}, [])
        session.put("j", "x", {}, [])
        session.delete("k", "00001")
        found = list(session.scan("k"))
        assert ids(found) == [f"{n:05d}" for n in range(2600) if n != 1 and (n < 1300 or n % 2 == 0)]
        assert {record.id for record in found if record.data["by"] == "own"} == {f"{n:05d}" for n in range(0, 2600, 2)}
        assert list(session.scan()) == [Record("j", "x", {}), *found]
        assert list(session.scan("unknown")) == []


def test_a_reading_session_changes_nothing(store: Store) -> None:
    """Put and delete raise RuntimeError."""
    with reading(store) as session:
        with pytest.raises(RuntimeError, match="only reads"):
            session.put("coupon", "a", {}, [])
        with pytest.raises(RuntimeError, match="only reads"):
            session.delete("coupon", "a")


def test_a_session_whose_body_raises_changes_nothing(store: Store) -> None:
    """All of it is rolled back, and the namespace made for it stays."""

    def change_and_fail() -> None:
        with writing(store) as session:
            session.put("coupon", "a", {"state": "used"}, [("code", "new")])
            raise KeyError

    with pytest.raises(KeyError):
        change_and_fail()
    with reading(store) as session:
        assert session.get("coupon", "a") == Record("coupon", "a", SEEDS[0].data)
        assert session.find("coupon", "code", "new") == []


def test_a_reading_session_sees_one_moment(store: Store) -> None:
    """What others commit meanwhile is for the next session."""
    with reading(store) as early:
        with ThreadPoolExecutor(1) as other:
            other.submit(change_a, store).result()
        assert early.get("coupon", "a") == Record("coupon", "a", SEEDS[0].data)
        assert ids(early.find("coupon", "code", "AAA")) == ["a"]
        assert len(list(early.scan("coupon"))) == 3
    with reading(store) as late:
        assert late.get("coupon", "a") == Record("coupon", "a", {})


def change_a(store: Store) -> None:
    """Replace one record and delete another."""
    with writing(store) as session:
        session.put("coupon", "a", {}, [])
        session.delete("coupon", "b")


def test_a_session_is_over_with_its_block(store: Store) -> None:
    """Every use of it raises RuntimeError, also that of a walk begun inside."""
    with writing(store) as session:
        walk = session.scan()
    for use in (
        lambda: session.get("coupon", "a"),
        lambda: session.find("coupon", "code", "AAA"),
        lambda: session.put("coupon", "a", {}, []),
        lambda: session.delete("coupon", "a"),
        lambda: next(walk),
    ):
        with pytest.raises(RuntimeError, match="over"):
            use()


# Opening, sharing, closing


def test_two_openings_are_one_store(store: Store, store_url: str) -> None:
    """What one commits, the other sees, and it is still there after both are closed."""
    with contextlib.closing(Store.open(store_url)) as other, writing(store) as session:
        session.put("coupon", "a", {"state": "used"}, [])
        assert other.packs() == ["demo"]
    store.close()
    with contextlib.closing(Store.open(store_url)) as later, reading(later) as session:
        assert session.get("coupon", "a") == Record("coupon", "a", {"state": "used"})


def test_a_closed_store_says_so(store: Store) -> None:
    """Closing twice is harmless; using it raises RuntimeError."""
    store.close()
    store.close()
    with pytest.raises(RuntimeError, match="closed"):
        store.packs()


def test_a_store_closed_during_a_session_lets_it_finish(store: Store, store_url: str) -> None:
    """Its changes are kept, and its connection is closed afterwards with it."""
    with writing(store) as session:
        connection = session._alive()
        store.close()
        session.put("coupon", "a", {}, [])
    with pytest.raises(StoreFault):
        connection.rows("SELECT 1")
    with contextlib.closing(Store.open(store_url)) as later, reading(later) as session:
        assert session.get("coupon", "a") == Record("coupon", "a", {})


def test_threads_share_connections(store_url: str) -> None:
    """A hundred threads one after the other need one connection."""
    opened = []

    class Counting:
        def connect(self) -> Connection:
            opened.append(connect(store_url))
            return opened[-1]

        def prepare(self) -> None:
            pytest.fail("a pool makes no tables")

    def use() -> None:
        with pool.transaction(write=False):
            pass

    with contextlib.closing(Pool(Counting())) as pool:
        for _ in range(100):
            with ThreadPoolExecutor(1) as thread:
                thread.submit(use).result()
    assert len(opened) == 1


def test_a_forked_process_leaves_its_parents_connections_alone(store: Store, store_url: str) -> None:
    """Parent and child both go on working, on connections of their own."""
    store.create_namespace("n", "demo")
    program = """
        import os, sys
        from couponmock.store import Store
        store = Store.open(sys.argv[1])
        def count():
            with store.session("n", write=True, pack="demo") as session:
                found = session.get("count", "c")
                session.put("count", "c", {"n": found.data["n"] + 1 if found else 1}, [])
        count()
        child = os.fork()
        for _ in range(50):
            count()
        store.close()
        if child:
            assert os.waitpid(child, 0)[1] == 0
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program), store_url], check=True)
    with reading(store) as session:
        assert session.get("count", "c") == Record("count", "c", {"n": 101})


# Faults


def drop_connections(postgres_url: str) -> None:
    """Make the server end every connection to this database but the one that asks for it."""
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.mark.parametrize(
    "url",
    [
        "",
        "store.db",
        "sqlite:",
        "sqlite://store.db",
        "sqlite:///",
        "sqlite:///:memory:",
        "mysql://root:s3cret@host/db",
        "postgresql://u:s3cret@h:port/db",
        "postgresql://u:12/s3cret@h/db",
        "postgresql://u:s3cret/x@h/db",
        "postgresql://u:s3cret?x@h/db",
        "postgresql://u:1?s3cret@h/db",
        "postgresql://u:s3c%ret@h/db",
        "postgresql://u:p@s3cret@h/db",
        "postgresql://h/db?pasword=s3cret",  # codespell:ignore pasword
    ],
)
def test_an_address_that_is_none_is_a_store_fault(url: str) -> None:
    """One sentence that says what to write, and nothing of a secret in it or in the traceback."""
    with pytest.raises(StoreFault) as caught:
        Store.open(url)
    shown = "".join(traceback.format_exception(caught.value))
    assert "s3cret" not in shown
    assert "s3c%ret" not in shown
    assert "\n" not in str(caught.value)


def test_three_or_four_slashes_name_the_same_file(tmp_path: Path) -> None:
    """`sqlite:///` followed by the path with or without its first slash."""
    path = str(tmp_path / "100% & ?.db")
    for rest in (path, path.removeprefix("/")):
        Store.open(f"sqlite:///{rest}").close()
    assert [found.name for found in tmp_path.iterdir()] == ["100% & ?.db"]


def test_a_file_that_cannot_be_used_is_a_store_fault(tmp_path: Path) -> None:
    """A directory, a missing directory, something that is no database: the message names the file."""
    (tmp_path / "text").write_text("This is not a database, and long enough to be seen as none." * 100)
    for path in (tmp_path, tmp_path / "missing" / "store.db", tmp_path / "text"):
        with pytest.raises(StoreFault, match=f"The store file {path} cannot be used: "):
            Store.open(f"sqlite:///{path}")


@pytest.mark.parametrize("version", [statements.LAYOUT - 1, statements.LAYOUT + 1, 999])
def test_a_store_of_another_version_is_refused(store: Store, store_url: str, version: int) -> None:
    """Its tables may be arranged differently; an older one is no better than a newer one."""
    store.close()
    connection = connect(store_url)
    connection.change("UPDATE couponmock_layout SET version = ?", (version,))
    connection.close()
    with pytest.raises(StoreFault, match="was made by another version of couponmock; use a new one"):
        Store.open(store_url)


def test_a_missing_driver_is_a_store_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install; SQLite needs none."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreFault, match=r"pip install 'couponproof\[postgres\]'"):
        Store.open("postgresql://u:s3cret@localhost/db")


def test_the_store_imports_no_driver_until_it_is_asked_for() -> None:
    """The bare install is the mock alone."""
    program = "import sys, couponmock.store; sys.exit(any(name.startswith('psycopg') for name in sys.modules))"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_an_unreachable_server_is_a_store_fault(tmp_path: Path) -> None:
    """The message names the server and the reason, not the password."""
    address = f"postgresql://u:s3cret@/db?host={tmp_path}"
    with pytest.raises(StoreFault, match=r"^The store postgresql://.* cannot be used: .*\.$") as caught:
        Store.open(address)
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.postgres
def test_a_password_the_server_repeats_is_blotted_out(postgres_url: str) -> None:
    """Here the password is the name of the database the server complains about."""
    database = postgres_url.partition("@/")[2].partition("?")[0]
    url = postgres_url.replace("postgres@", "postgres:s3cret@").replace(database, "s3cret")
    with pytest.raises(StoreFault, match="does not exist") as caught:
        Store.open(url)
    assert 's3cret" does not' not in str(caught.value)


@pytest.mark.postgres
def test_the_order_of_texts_is_not_left_to_the_server(postgres_url: str) -> None:
    """Every text is compared bytewise, whatever locale the database was made with."""
    Store.open(postgres_url).close()
    asked = "SELECT DISTINCT collation_name FROM information_schema.columns WHERE table_name LIKE 'couponmock_%'"
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute(f"{asked} AND data_type = 'text'".encode()).fetchall() == [("C",)]


@pytest.mark.postgres
def test_tables_are_made_by_one_at_a_time(postgres_url: str) -> None:
    """Who opens a new store while somebody else makes its tables waits for them."""
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with (
        psycopg.connect(postgres_url, autocommit=True) as maker,
        psycopg.connect(postgres_url, autocommit=True) as onlooker,
        ThreadPoolExecutor(1) as thread,
    ):
        maker.execute("SELECT pg_advisory_lock(%s)", (MAKING_TABLES,))
        opening = thread.submit(Store.open, postgres_url)
        while onlooker.execute(waiting).fetchone() == (0,):
            assert not opening.done()
        maker.execute("SELECT pg_advisory_unlock(%s)", (MAKING_TABLES,))
        opening.result().close()


@pytest.mark.postgres
def test_a_server_that_dropped_idle_connections_is_asked_again(postgres_url: str) -> None:
    """A restart of the server between two requests is not noticed."""
    with contextlib.closing(Store.open(postgres_url)) as store:
        store.install_pack("demo", SEEDS)
        drop_connections(postgres_url)
        assert store.packs() == ["demo"]


@pytest.mark.postgres
def test_a_connection_lost_inside_a_session_is_a_store_fault(postgres_url: str) -> None:
    """The session fails, the next one works."""

    def lose(store: Store) -> None:
        with writing(store) as session:
            session.put("coupon", "a", {}, [])
            drop_connections(postgres_url)

    with contextlib.closing(Store.open(postgres_url)) as store:
        store.install_pack("demo", SEEDS)
        with pytest.raises(StoreFault):
            lose(store)
        with reading(store) as session:
            assert session.get("coupon", "a") == Record("coupon", "a", SEEDS[0].data)


@pytest.mark.postgres
def test_a_swallowed_failure_is_not_taken_for_success(postgres_url: str) -> None:
    """PostgreSQL answers COMMIT with a rollback then; whoever ignored the first error hears of it again."""

    def swallow(store: Store) -> None:
        with writing(store) as session:
            session.put("coupon", "a", {}, [])
            with contextlib.suppress(StoreFault):
                session._alive().rows("SELECT 1 FROM nowhere")

    with contextlib.closing(Store.open(postgres_url)) as store:
        store.install_pack("demo", SEEDS)
        with pytest.raises(StoreFault, match="did not keep"):
            swallow(store)


# Plans

KEYED = [
    statements.GET,
    statements.FIND,
    statements.FIND_FIRST,
    statements.PAGE,
    statements.PAGE_OF_KIND,
    statements.COUNT_PACK,
    statements.COUNT_OWN,
    statements.EXISTS,
    statements.OWN_LOOKUPS,
    statements.REMOVE,
    statements.REMOVE_LOOKUP,
    statements.CLEAR_RECORDS,
    statements.CLEAR_LOOKUPS,
    statements.CLEAR_COUNTERS,
    statements.COPY_RECORDS,
    statements.COPY_LOOKUPS,
    statements.COPY_COUNTERS,
    statements.READ_COUNTER,
    statements.READ_NAMESPACE,
    statements.READ_PACK,
    statements.READ_SNAPSHOT,
    statements.LIST_SNAPSHOTS,
    statements.DROP_SNAPSHOT,
    statements.RECORD,
    statements.JOURNAL,
    statements.TRIM_JOURNAL,
    statements.CLEAR_JOURNAL,
]


def sample(statement: str) -> list[object]:
    """Give one parameter for each placeholder; a LIMIT and an OFFSET want a number."""
    parameters: list[object] = ["=big"] * statement.count("?")
    return [*parameters[:-1], 500] if "LIMIT ?" in statement or "OFFSET ?" in statement else parameters


@pytest.mark.parametrize("statement", KEYED)
def test_sqlite_walks_along_the_key(tmp_path: Path, statement: str) -> None:
    """No plan scans a table or sorts."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    Store.open(url).close()
    connection = connect(url)
    plan = [row[3] for row in connection.rows(f"EXPLAIN QUERY PLAN {statement}", sample(statement))]
    connection.close()
    assert [step for step in plan if step.startswith("SEARCH")]
    assert not [step for step in plan if "SCAN" in step or "TEMP B-TREE" in step]


def postgres_plans(postgres_url: str) -> Iterator[str]:
    """Explain every statement as the store runs it."""
    connection = connect(postgres_url)
    try:
        for statement in KEYED:
            plan = connection.rows(f"EXPLAIN {statement}", sample(statement))
            yield "\n".join([statement, *(row[0] for row in plan)])
    finally:
        connection.close()


@pytest.mark.postgres
def test_postgresql_walks_along_the_key_when_a_table_is_new(postgres_url: str) -> None:
    """Empty and never analysed, analysed while it was small, and grown since: never a sequential scan."""
    with contextlib.closing(Store.open(postgres_url)) as store:
        assert not [plan for plan in postgres_plans(postgres_url) if "Seq Scan" in plan]
        store.install_pack("small", SEEDS)
        with psycopg.connect(postgres_url, autocommit=True) as connection:
            connection.execute("ANALYZE")
        assert not [plan for plan in postgres_plans(postgres_url) if "Seq Scan" in plan]
        store.install_pack("big", big_pack())
        assert not [plan for plan in postgres_plans(postgres_url) if "Seq Scan" in plan]


@pytest.mark.postgres
def test_postgresql_walks_along_the_key_of_its_own_accord(postgres_url: str) -> None:
    """With statistics the planner chooses the key by itself, without the store's discouraging it from scans."""
    with contextlib.closing(Store.open(postgres_url)) as store:
        store.install_pack("big", big_pack())
        with store.session("n", write=True, pack="big") as session:
            for number in range(0, 2000, 2):
                session.put("coupon", f"{number}", {}, [("code", f"{number}"), ("state", "issued")])
    with psycopg.Connection.connect(postgres_url, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        connection.execute("ANALYZE")
        find = statements.FIND.replace("?", "%s").encode()
        for field, value in (("code", "77"), ("state", "rare")):
            asked = ("coupon", field, value)
            plan = connection.execute(b"EXPLAIN " + find, ("~n", *asked, "=big", *asked, "~n")).fetchall()
            shown = "\n".join(row[0] for row in plan)
            assert "Seq Scan" not in shown, shown
            assert "Hash" not in shown, shown


def big_pack() -> Iterator[Seed]:
    """Enough entities for a planner to have an opinion."""
    for number in range(20_000):
        state = "rare" if number % 5000 == 0 else "issued"
        yield Seed("coupon", f"{number}", {"n": number}, (("code", f"{number}"), ("state", state)))
