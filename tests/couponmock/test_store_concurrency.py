"""The store under many hands: threads and real processes, in both engines, each change exactly once."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing, suppress

import pytest
from couponmock.store import NoSuchNamespace, Store
from store_rivals import (
    COUPONS,
    THREADS,
    configure_often,
    count_often,
    create_at_once,
    install,
    made,
    open_at_once,
    record_often,
    redeem,
    redeem_all,
    shift,
)

pytest_plugins = ("postgres_server",)

PROCESSES = 3


@pytest.fixture
def processes() -> Iterator[ProcessPoolExecutor]:
    """Start processes that share nothing with us but the store."""
    with ProcessPoolExecutor(PROCESSES, mp_context=multiprocessing.get_context("spawn")) as started:
        yield started


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """Open a store that holds the rivals' pack."""
    with closing(Store.open(store_url)) as opened:
        install(opened)
        yield opened


def test_a_coupon_is_used_once_among_threads(store: Store) -> None:
    """Sixteen threads try it at once, one of them succeeds, and no attempt is lost from the count."""
    with ThreadPoolExecutor(16) as threads:
        wins = list(threads.map(lambda _: redeem(store, COUPONS[0]), range(64)))
    assert wins.count(True) == 1
    assert attempts(store) == 64


def test_a_coupon_is_used_once_among_processes(store: Store, store_url: str, processes: ProcessPoolExecutor) -> None:
    """Every coupon has one winner in all processes and threads together, and no attempt is lost from the count."""
    rivals = [processes.submit(redeem_all, store_url) for _ in range(PROCESSES)]
    assert sorted(coupon for rival in rivals for coupon in rival.result()) == sorted(COUPONS)
    assert attempts(store) == PROCESSES * THREADS * len(COUPONS)
    with store.session("n", write=False, pack="demo") as session:
        assert [found.id for found in session.find("coupon", "state", "used")] == sorted(COUPONS)
        assert session.find("coupon", "state", "issued") == []


def attempts(store: Store) -> int:
    """Read how many attempts were counted."""
    with store.session("n", write=False, pack="demo") as session:
        count = session.get("count", "attempts")
        return count.data["n"] if count else 0


def test_a_new_store_may_be_opened_by_several_at_once(store_url: str, processes: ProcessPoolExecutor) -> None:
    """Nobody fails, the pack is installed once, and all find themselves in one namespace."""
    # A new file costs nothing, and the worst moments are rare.
    urls = [f"{store_url}-{number}" for number in range(20)] if store_url.startswith("sqlite:") else [store_url]
    with multiprocessing.get_context("spawn").Manager() as manager:
        start = manager.Barrier(PROCESSES)
        rivals = [processes.submit(open_at_once, urls, start) for _ in range(PROCESSES)]
        assert [rival.result() for rival in rivals] == [["demo"] * len(urls)] * PROCESSES
    for url in urls:
        with closing(Store.open(url)) as store, store.session("n", write=False, pack="demo") as session:
            assert [record.id for record in session.scan("rival")] == [f"{session.namespace.epoch}"]


def test_a_namespace_has_one_maker_among_processes(
    store: Store, store_url: str, processes: ProcessPoolExecutor
) -> None:
    """Of all who make it at once, one succeeds and the others hear that it exists."""
    names = [f"n{number:02d}" for number in range(20)]
    with multiprocessing.get_context("spawn").Manager() as manager:
        start = manager.Barrier(PROCESSES)
        rivals = [processes.submit(create_at_once, store_url, start, names) for _ in range(PROCESSES)]
        assert sorted(name for rival in rivals for name in rival.result()) == names
    assert [namespace.name for namespace in store.namespaces()] == names


def test_a_namespace_has_one_maker_among_threads(store: Store) -> None:
    """As among processes."""
    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(lambda _: made(store, "n"), range(32))).count(True) == 1


def test_first_uses_at_once_make_one_namespace(store: Store) -> None:
    """Readers and writers of a namespace unknown so far all find the same one."""

    def use(number: int) -> int:
        with store.session("n", write=number % 2 == 0, pack="demo") as session:
            return session.namespace.epoch

    with ThreadPoolExecutor(16) as threads:
        assert len(set(threads.map(use, range(32)))) == 1


def test_parallel_namespaces_never_see_each_other(store: Store) -> None:
    """Two hundred of them, all with the same ids, lookups, counters and labels."""

    def live(number: int) -> list[tuple[str, object]]:
        name = f"n{number}"
        store.create_namespace(name, "demo")
        store.update_settings(name, lambda _: {"mine": number})
        store.set_clock(name, frozen=number)
        with store.session(name, write=True, pack="demo") as session:
            session.put("coupon", COUPONS[0], {"owner": name}, [("owner", "me")])
            session.put("coupon", "new", {"owner": name}, [("owner", "me")])
            session.delete("coupon", COUPONS[number % len(COUPONS)])
            assert session.count("id", by=number) == number
        store.record(name, {"mine": number})
        store.snapshot(name, "s")
        store.reset_namespace(name)
        assert store.restore(name, "s").frozen == number
        assert store.journal(name) == [{"mine": number}]
        assert len(store.snapshots(name)) == 1
        with store.session(name, write=False, pack="demo") as session:
            assert session.namespace.settings == {"mine": number}
            assert session.now() == number
            assert session.get("coupon", COUPONS[number % len(COUPONS)]) is None
            return [(record.id, record.data["owner"]) for record in session.find("coupon", "owner", "me")]

    with ThreadPoolExecutor(16) as threads:
        seen = list(threads.map(live, range(200)))
    for number, found in enumerate(seen):
        mine = [] if number % len(COUPONS) == 0 else [(COUPONS[0], f"n{number}")]
        assert found == [*mine, ("new", f"n{number}")]


def test_readers_never_see_half_a_change(store: Store, store_url: str, processes: ProcessPoolExecutor) -> None:
    """While another process moves money between two records and resets the namespace, the sum is always the same."""
    shifting = [processes.submit(shift, store_url, 100) for _ in range(2)]
    sums = set()
    over = False
    while not over:
        over = all(rival.done() for rival in shifting)
        with store.session("n", write=False, pack="demo") as session:
            sums.add(sum(record.data["cents"] for record in session.scan("purse")))
    assert [rival.exception() for rival in shifting] == [None, None]
    assert sums == {1000}


def test_dropping_during_use_is_one_or_the_other(store: Store) -> None:
    """A write in a namespace that is being dropped happens in it or in the one made after it, never in between."""

    def write() -> bool:
        with store.session("n", write=True, pack="demo") as session:
            session.put("pair", "one", {}, [])
            session.put("pair", "two", {}, [])
        with store.session("n", write=False, pack="demo") as session:
            return len(list(session.scan("pair"))) in {0, 2}

    def drop() -> None:
        with suppress(NoSuchNamespace):
            store.drop_namespace("n")

    with ThreadPoolExecutor(8) as threads:
        rivals = [threads.submit(act) for _ in range(50) for act in (write, drop)]
        assert {rival.result() for rival in rivals} == {True, None}


def test_a_counter_counts_exactly_once(store: Store, store_url: str, processes: ProcessPoolExecutor) -> None:
    """All threads of all processes together are given every number, each of them once."""
    store.create_namespace("n", "demo")
    rivals = [processes.submit(count_often, store_url, 40) for _ in range(PROCESSES)]
    given = [number for rival in rivals for number in rival.result()]
    assert sorted(given) == list(range(1, PROCESSES * 40 + 1))


def test_no_change_of_settings_or_clock_is_lost(store: Store, store_url: str, processes: ProcessPoolExecutor) -> None:
    """Whoever changes what is there has it to himself until he is done."""
    store.create_namespace("n", "demo")
    rivals = [processes.submit(configure_often, store_url, 30) for _ in range(PROCESSES)]
    assert [rival.exception() for rival in rivals] == [None] * PROCESSES
    assert store.namespace("n").settings == {"n": PROCESSES * 30}
    assert store.namespace("n").offset == PROCESSES * 30


def test_a_journal_holds_what_every_process_recorded(
    store: Store, store_url: str, processes: ProcessPoolExecutor
) -> None:
    """Each one's entries in its own order, none lost; and one recorded after another comes after it."""
    store.create_namespace("n", "demo")
    rivals = [processes.submit(record_often, store_url, rival, 100) for rival in range(PROCESSES)]
    assert [rival.exception() for rival in rivals] == [None] * PROCESSES
    found = store.journal("n")
    assert len(found) == PROCESSES * 100
    for rival in range(PROCESSES):
        assert [entry["turn"] for entry in found if entry["rival"] == rival] == list(range(100))
    store.clear_journal("n")
    for turn in range(8):
        if turn % 2:
            store.record("n", {"turn": turn})
        else:
            processes.submit(record_often, store_url, turn, 1).result()
    assert [entry.get("rival", entry["turn"]) for entry in store.journal("n")] == list(range(8))


def test_a_snapshot_never_holds_half_a_change(store: Store, store_url: str, processes: ProcessPoolExecutor) -> None:
    """While others move money between two records, every snapshot has all of it, found by what it is found by."""
    store.create_namespace("n", "demo")
    shifting = [processes.submit(shift, store_url, 60) for _ in range(2)]
    taken = 0
    while not all(rival.done() for rival in shifting):
        store.snapshot("n", f"{taken % 50}")
        taken += 1
        if taken % 7 == 0:
            store.restore("n", "0")
    assert [rival.exception() for rival in shifting] == [None, None]
    for snapshot in store.snapshots("n"):
        store.restore("n", snapshot.label)
        with store.session("n", write=False, pack="demo") as session:
            purses = list(session.scan("purse"))
            assert sum(purse.data["cents"] for purse in purses) == 1000
            for purse in purses:
                assert purse in session.find("purse", "cents", f"{purse.data['cents']}")
