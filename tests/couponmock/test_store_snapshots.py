"""Snapshots, in both engines: what they hold, what they leave alone, and that nothing else ever sees them."""

import contextlib
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from couponmock.store import NoSuchSnapshot, Record, Seed, Session, Snapshot, Store, statements
from couponmock.store.postgresql import PostgresEngine
from couponmock.store.sqlite import SqliteEngine

pytest_plugins = ("postgres_server",)

FROZEN = 1_478_908_800
SEEDS = (
    Seed("coupon", "a", {"state": "issued"}, (("state", "issued"),)),
    Seed("coupon", "b", {"state": "issued"}, (("state", "issued"),)),
)
RANDOM = random.Random(2)  # noqa: S311 - no secret
RANDOM_KANJI = "".join(chr(RANDOM.randrange(0x4E00, 0x9FFF)) for _ in range(1000))


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """Open a store with a namespace of the pack `demo`."""
    with contextlib.closing(Store.open(store_url)) as opened:
        opened.install_pack("demo", SEEDS)
        opened.create_namespace("n", "demo")
        yield opened


@contextlib.contextmanager
def writing(store: Store, name: str = "n") -> Iterator[Session]:
    """Open a writing session of a namespace of `demo`."""
    with store.session(name, write=True, pack="demo") as session:
        yield session


def put(store: Store, name: str = "n", **states: str) -> None:
    """Bring coupons into states."""
    with writing(store, name) as session:
        for id_, state in states.items():
            session.put("coupon", id_, {"state": state}, [("state", state)])


def coupons(store: Store, name: str = "n") -> dict[str, str]:
    """Read the state of every coupon, and see that the lookups say the same."""
    with store.session(name, write=False, pack="demo") as session:
        states = {record.id: record.data["state"] for record in session.scan("coupon")}
        for state in ("issued", "used", "new"):
            found = [record.id for record in session.find("coupon", "state", state)]
            assert found == sorted(id_ for id_ in states if states[id_] == state)
        return states


def stored(store_url: str) -> dict[str, int]:
    """Count what the tables hold of each world but the packs'."""
    engine = (
        PostgresEngine(store_url) if "postgres" in store_url else SqliteEngine(Path(store_url[len("sqlite:///") :]))
    )
    connection = engine.connect()
    found: dict[str, int] = {}
    for table in ("couponmock_record", "couponmock_lookup", "couponmock_counter"):
        for world, rows in connection.rows(f"SELECT world, count(*) FROM {table} GROUP BY world"):  # noqa: S608 - our own names
            if not world.startswith("="):
                found[world] = found.get(world, 0) + rows
    connection.close()
    return found


def test_restoring_brings_the_state_back(store: Store) -> None:
    """Records that were changed, deleted or new then are so again, and found by what they were found by."""
    put(store, a="used", c="new")
    with writing(store) as session:
        session.delete("coupon", "b")
    store.snapshot("n", "s")
    put(store, a="new", b="used", d="new")
    with writing(store) as session:
        session.delete("coupon", "c")
    assert coupons(store) == {"a": "new", "b": "used", "d": "new"}
    store.restore("n", "s")
    assert coupons(store) == {"a": "used", "c": "new"}
    put(store, b="issued")
    assert coupons(store) == {"a": "used", "b": "issued", "c": "new"}


def test_a_restored_record_can_be_changed_like_any_other(store: Store) -> None:
    """What it is found by came back with it, and leaves with it."""
    put(store, a="used")
    store.snapshot("n", "s")
    store.reset_namespace("n")
    store.restore("n", "s")
    put(store, a="new")
    assert coupons(store) == {"a": "new", "b": "issued"}


def test_a_snapshot_of_nothing_brings_the_pack_back(store: Store) -> None:
    """A namespace that has changed nothing has a snapshot as well."""
    store.snapshot("n", "s")
    put(store, a="used")
    store.restore("n", "s")
    assert coupons(store) == {"a": "issued", "b": "issued"}


def test_a_snapshot_can_be_restored_again_and_again(store: Store) -> None:
    """Nothing done afterwards reaches it: no change, no restore, no reset."""
    put(store, a="used")
    store.snapshot("n", "s")
    for _ in range(2):
        put(store, a="new", b="new")
        store.restore("n", "s")
        assert coupons(store) == {"a": "used", "b": "issued"}
    store.reset_namespace("n", lambda _: {})
    assert coupons(store) == {"a": "issued", "b": "issued"}
    store.restore("n", "s")
    assert coupons(store) == {"a": "used", "b": "issued"}


def test_restoring_brings_the_clock_and_the_epoch_back(store: Store) -> None:
    """Frozen or running; what is returned is what is stored."""
    running = store.set_clock("n", frozen=None, offset=7)
    assert store.snapshot("n", "running") == Snapshot("n", "running", running.epoch, None, 7)
    frozen = store.set_clock("n", frozen=FROZEN, offset=9)
    assert store.snapshot("n", "frozen") == Snapshot("n", "frozen", frozen.epoch, FROZEN, 9)
    for label, then in (("running", running), ("frozen", frozen)):
        store.install_pack("other", [], frozen=5)
        store.reset_namespace("n")
        assert store.restore("n", label) == store.namespace("n") == then


def test_restoring_brings_the_counters_back(store: Store) -> None:
    """So that the ids given next are those that were given then, and never those of restored records."""
    with writing(store) as session:
        session.count("id", by=5)
    store.snapshot("n", "s")
    with writing(store) as session:
        session.count("id", by=5)
        session.count("later")
    store.restore("n", "s")
    with writing(store) as session:
        assert (session.count("id"), session.count("later")) == (6, 1)
    store.reset_namespace("n")
    store.restore("n", "s")
    with writing(store) as session:
        assert session.count("id") == 6


def test_restoring_leaves_settings_and_journal_alone(store: Store) -> None:
    """They are no part of a snapshot."""
    store.update_settings("n", lambda _: {"n": 1})
    store.record("n", {"turn": 1})
    store.snapshot("n", "s")
    store.update_settings("n", lambda _: {"n": 2})
    store.record("n", {"turn": 2})
    assert store.restore("n", "s").settings == store.namespace("n").settings == {"n": 2}
    assert store.journal("n") == [{"turn": 1}, {"turn": 2}]


def test_a_snapshot_takes_the_place_of_one_with_its_label(store: Store, store_url: str) -> None:
    """Nothing of the earlier one is left, be it in the tables or in the clock."""
    put(store, a="used", c="new")
    store.set_clock("n", frozen=FROZEN)
    store.snapshot("n", "s")
    store.reset_namespace("n")
    put(store, b="used")
    store.set_clock("n", frozen=FROZEN + 1, offset=1)
    again = store.snapshot("n", "s")
    assert store.snapshots("n") == [again]
    assert (again.frozen, again.offset) == (FROZEN + 1, 1)
    assert stored(store_url) == {"~n": 2, "!1:ns": 2}
    store.reset_namespace("n")
    store.restore("n", "s")
    assert coupons(store) == {"a": "issued", "b": "used"}


def test_a_snapshot_copies_the_difference_only(store: Store, store_url: str) -> None:
    """As many rows as the namespace has of its own, whatever the pack's size; the pack's are not touched."""
    store.snapshot("n", "empty")
    assert stored(store_url) == {}
    put(store, a="used")
    with writing(store) as session:
        session.delete("coupon", "b")
        session.count("id")
    store.snapshot("n", "s")
    assert stored(store_url) == {"~n": 4, "!1:ns": 4}


def test_snapshots_are_listed_by_label(store: Store) -> None:
    """Bytewise, and only those of the namespace."""
    for label in ("b", "a", "B"):
        store.snapshot("n", label)
    store.create_namespace("m", "demo")
    store.snapshot("m", "c")
    assert [snapshot.label for snapshot in store.snapshots("n")] == ["B", "a", "b"]
    assert [snapshot.namespace for snapshot in store.snapshots("m")] == ["m"]


def test_a_dropped_snapshot_is_gone(store: Store, store_url: str) -> None:
    """With all it held; others stay."""
    put(store, a="used")
    store.snapshot("n", "s")
    store.snapshot("n", "t")
    store.drop_snapshot("n", "s")
    assert [snapshot.label for snapshot in store.snapshots("n")] == ["t"]
    assert stored(store_url) == {"~n": 2, "!1:nt": 2}
    with pytest.raises(NoSuchSnapshot):
        store.restore("n", "s")


def test_a_dropped_namespace_takes_its_snapshots_along(store: Store, store_url: str) -> None:
    """The one made after it has none, and another one keeps its own."""
    for name in ("n", "m"):
        put(store, name, a="used")
        for label in ("s", "t"):
            store.snapshot(name, label)
    store.drop_namespace("n")
    store.create_namespace("n", "demo")
    assert store.snapshots("n") == []
    assert stored(store_url) == {"~m": 2, "!1:ms": 2, "!1:mt": 2}


def test_an_unknown_label_is_a_no_such_snapshot(store: Store) -> None:
    """Restoring and dropping it say so and change nothing, also when another namespace has one."""
    put(store, a="used")
    store.create_namespace("m", "demo")
    store.snapshot("m", "missing")
    for label in ("missing", "nul\x00", "surrogate\ud800", ""):
        for act in (store.restore, store.drop_snapshot):
            with pytest.raises(NoSuchSnapshot, match="The namespace 'n' has no snapshot "):
                act("n", label)
    assert coupons(store) == {"a": "used", "b": "issued"}
    assert len(store.snapshots("m")) == 1


def test_an_impossible_label_makes_no_snapshot(store: Store) -> None:
    """It raises ValueError."""
    for label in ("", "nul\x00", "surrogate\ud800", "x" * 201):
        with pytest.raises(ValueError, match="A snapshot's label"):
            store.snapshot("n", label)
    assert store.snapshots("n") == []


def test_names_and_labels_are_never_mixed_up(store: Store) -> None:
    """However the two are cut, and whatever they look like."""
    pairs = [
        ("a", "bc"),
        ("ab", "c"),
        ("1:a", "b"),
        ("1", "1:ab"),
        ("1", ":ab"),
        ("é", "x"),
        ("!1:n", "s"),
        ("~n", "="),
    ]
    for number, (name, label) in enumerate(pairs):
        put(store, name, mine=f"{number}")
        store.snapshot(name, label)
    for name, _ in pairs:
        store.reset_namespace(name)
    for number, (name, label) in enumerate(pairs):
        store.restore(name, label)
        with writing(store, name) as session:
            assert session.get("coupon", "mine") == Record("coupon", "mine", {"state": f"{number}"})


def test_a_snapshot_is_invisible(store: Store) -> None:
    """No namespace, pack or session sees its records, not even those whose names look like its world."""
    put(store, a="used", z="new")
    store.snapshot("n", "s")
    store.reset_namespace("n")
    for name in ("n", "!1:ns", "1:ns", "ns", "~!1:ns"):
        assert coupons(store, name) == {"a": "issued", "b": "issued"}
    store.install_pack("!1:ns", [])
    with store.session("packed", write=False, pack="!1:ns") as session:
        assert list(session.scan()) == []
    assert store.packs() == ["!1:ns", "demo"]


def test_all_words_may_be_long(store: Store) -> None:
    """Up to the limits of each, together in the longest key there is, and made of what no engine can compress."""
    id_, word, value, label = RANDOM_KANJI[:333], RANDOM_KANJI[400:466], RANDOM_KANJI[500:566], RANDOM_KANJI[600:666]
    with writing(store, word) as session:
        session.put(word, id_, {}, [(word, value)])
        session.count(value)
    store.snapshot(word, label)
    store.reset_namespace(word)
    store.restore(word, label)
    with writing(store, word) as session:
        assert session.find(word, word, value) == [Record(word, id_, {})]
        assert session.count(value) == 2


def test_every_table_of_worlds_is_cleared_and_copied() -> None:
    """Another one cannot be forgotten in a reset, a drop or a snapshot."""
    tables = [table.split()[2] for table in statements.TABLES if "world {text}" in table]
    assert [statement.split()[2] for statement in statements.CLEAR_WORLD] == tables
    assert [statement.split()[2] for statement in statements.COPY_WORLD] == tables
