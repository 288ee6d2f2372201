"""What a caller may do to a namespace as a whole, in both engines: its clock, its settings, its counters."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from couponmock.store import Difference, Namespace, NoSuchNamespace, Seed, Session, Store, wall_clock
from couponmock.store.sqlite import SqliteConnection
from couponspec.pack import LAST_MOMENT

pytest_plugins = ("postgres_server",)

FROZEN = 1_478_908_800
HOUR = 3600
NO_NAMES = ("nul\x00", "surrogate\ud800", "")


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """Open a store with a namespace of the pack `demo`, whose clock runs, and the pack `frozen`, whose does not."""
    with contextlib.closing(Store.open(store_url)) as opened:
        opened.install_pack("demo", [Seed("coupon", "a", {}, ())])
        opened.install_pack("frozen", [], frozen=FROZEN)
        opened.create_namespace("n", "demo")
        yield opened


@contextlib.contextmanager
def writing(store: Store, name: str = "n") -> Iterator[Session]:
    """Open a writing session of a namespace of `demo`."""
    with store.session(name, write=True, pack="demo") as session:
        yield session


def raise_key_error(settings: dict[str, Any]) -> dict[str, Any]:
    """Change the settings at hand, and fail."""
    settings["n"] = 2
    raise KeyError


def test_an_unknown_namespace_is_a_no_such_namespace(store: Store) -> None:
    """Whatever is to be done to it; and nothing makes it."""
    acts: tuple[Callable[[str], object], ...] = (
        lambda name: store.set_clock(name, frozen=FROZEN),
        lambda name: store.advance_clock(name, 1),
        lambda name: store.update_settings(name, lambda _: {}),
        lambda name: store.update_settings(name, dict),
        lambda name: store.snapshot(name, "s"),
        lambda name: store.restore(name, "s"),
        lambda name: store.drop_snapshot(name, "s"),
        lambda name: store.record(name, {}),
        store.snapshots,
        store.journal,
        store.clear_journal,
    )
    for name in ("missing", *NO_NAMES):
        for act in acts:
            with pytest.raises(NoSuchNamespace):
                act(name)
    assert [namespace.name for namespace in store.namespaces()] == ["n"]


def test_a_namespace_needs_neither_offset_nor_settings() -> None:
    """It can be made of name, pack, epoch and frozen alone, and be a member of a set."""
    assert Namespace("n", "demo", 1, 2) == Namespace("n", "demo", 1, 2, 0, {})
    assert len({Namespace("n", "demo", 1, 2), Namespace("n", "demo", 1, 2)}) == 1


# Clock


def test_a_running_clock_is_ahead_of_the_real_one_by_its_offset(store: Store) -> None:
    """For the namespace and its sessions; the epoch stays, and other namespaces keep the real time."""
    other, before = store.create_namespace("m", "demo"), store.namespace("n")
    now = store.set_clock("n", frozen=None, offset=-HOUR)
    assert (now.epoch, now.frozen, now.offset) == (before.epoch, None, -HOUR)
    assert store.namespace("n") == now
    assert store.namespace("m") == other
    with writing(store) as session:
        assert abs(session.now() + HOUR - wall_clock()) < 60


def test_a_clock_can_be_stopped_and_started(store: Store) -> None:
    """A stopped one shows its moment, whatever its offset."""
    stopped = store.set_clock("n", frozen=FROZEN, offset=HOUR)
    assert (stopped.frozen, stopped.offset, stopped.now()) == (FROZEN, HOUR, FROZEN)
    with writing(store) as session:
        assert session.now() == FROZEN
        assert session.namespace == stopped
    assert abs(store.set_clock("n", frozen=None).now() - wall_clock()) < 60


def test_a_clock_may_show_the_first_and_the_last_moment(store: Store) -> None:
    """Stopped there, or running from there; a running one never leaves the years that can be written."""
    for moment, near in ((0, 30), (LAST_MOMENT, LAST_MOMENT - 30)):
        assert store.set_clock("n", frozen=moment).now() == moment
        assert abs(store.set_clock("n", frozen=None, offset=near - wall_clock()).now() - near) < 30
    assert Namespace("n", "demo", 0, None, LAST_MOMENT).now() == LAST_MOMENT
    assert Namespace("n", "demo", 0, None, -LAST_MOMENT).now() == 0


def test_an_impossible_moment_is_refused(store: Store) -> None:
    """With a sentence that says what is allowed; nothing changes."""
    before = store.set_clock("n", frozen=FROZEN)
    for frozen in (-1, LAST_MOMENT + 1, 2**64):
        with pytest.raises(ValueError, match=f"from 0 to 253402300799, in unix seconds, not {frozen}"):
            store.set_clock("n", frozen=frozen)
    for offset in (LAST_MOMENT, -LAST_MOMENT, 2**64):
        for stopped in (None, FROZEN):
            with pytest.raises(ValueError, match="A clock shows"):
                store.set_clock("n", frozen=stopped, offset=offset)
    assert store.namespace("n") == before


def test_a_clock_can_be_advanced(store: Store) -> None:
    """From where it is, be it running or stopped, and back; not past the end of time."""
    assert store.advance_clock("n", HOUR).offset == HOUR
    assert store.advance_clock("n", -3 * HOUR).offset == -2 * HOUR
    store.set_clock("n", frozen=FROZEN, offset=5)
    advanced = store.advance_clock("n", HOUR)
    assert (advanced.frozen, advanced.offset) == (FROZEN + HOUR, 5)
    with pytest.raises(ValueError, match="A clock shows"):
        store.advance_clock("n", LAST_MOMENT)
    assert store.namespace("n") == advanced


@pytest.mark.parametrize("pack", ["demo", "frozen"])
def test_a_reset_brings_the_clock_of_the_pack_back(store: Store, pack: str) -> None:
    """Running or stopped, with the epoch of that moment, as at creation."""
    made = store.create_namespace("m", pack)
    for frozen in (5, None):
        store.set_clock("m", frozen=frozen, offset=HOUR)
        again = store.reset_namespace("m")
        assert (again.frozen, again.offset) == (made.frozen, 0)
        assert made.epoch <= again.epoch <= made.epoch + 60
        assert store.namespace("m") == again


# Settings


def test_settings_are_read_with_the_namespace(store: Store) -> None:
    """By name, in the list and in a session; another namespace has its own, a new one has none."""
    assert store.namespace("n").settings == {}
    settings = {"readings": {"unknown-member": 404}, "strict": True, "faults": [{"nth": 3}, None, 0.5]}
    assert store.update_settings("n", lambda _: settings).settings == settings
    store.create_namespace("m", "demo")
    assert [namespace.settings for namespace in store.namespaces()] == [{}, settings]
    with writing(store) as session:
        assert session.namespace == store.namespace("n")
        assert session.namespace.settings == settings


@pytest.mark.parametrize(
    ("pack", "wanted", "frozen", "now"),
    [
        ("demo", {"now": FROZEN}, False, FROZEN),
        ("demo", {"now": FROZEN, "frozen": True}, True, FROZEN),
        ("frozen", {"now": 5}, True, 5),
        ("frozen", {"frozen": False}, False, FROZEN),
    ],
)
def test_a_namespace_is_made_with_a_clock_and_settings_of_its_own(
    store: Store, pack: str, wanted: Any, frozen: object, now: int
) -> None:
    """What is not said is the pack's; a reset brings the pack's clock back and leaves the settings."""
    made = store.create_namespace("m", pack, settings={"n": 1}, **wanted)
    assert (made.frozen is not None) is frozen
    assert now <= made.now() <= now + 60
    assert made.settings == {"n": 1}
    assert store.namespace("m") == made
    again = store.reset_namespace("m")
    assert (again.frozen, again.offset) == (FROZEN if pack == "frozen" else None, 0)
    assert again.settings == {"n": 1}


@pytest.mark.parametrize("wanted", [{"now": -1}, {"now": LAST_MOMENT + 1, "frozen": True}, {"settings": {"n": {1}}}])
def test_a_namespace_that_cannot_be_as_wanted_is_not_made(store: Store, wanted: Any) -> None:
    """Neither its clock nor its settings without the other."""
    with pytest.raises((ValueError, TypeError)):
        store.create_namespace("m", "demo", **wanted)
    assert [namespace.name for namespace in store.namespaces()] == ["n"]


def test_settings_cost_a_session_no_statement(tmp_path: Path) -> None:
    """The one that finds the namespace has them, and its clock; both engines run the same."""
    asked: list[str] = []
    with contextlib.closing(Store.open(f"sqlite:///{tmp_path / 'store.db'}")) as store:
        store.install_pack("demo", [])
        store.create_namespace("n", "demo")
        store.update_settings("n", lambda _: {"strict": True})
        with writing(store) as session:
            connection = session._alive()
        assert isinstance(connection, SqliteConnection)
        connection._driver.set_trace_callback(asked.append)
        with writing(store) as session:
            assert session.namespace.settings == {"strict": True}
    assert [statement.split()[0] for statement in asked] == ["BEGIN", "SELECT", "COMMIT"]


def test_configuring_replaces_all_settings(store: Store) -> None:
    """Members that are not named again are gone."""
    store.update_settings("n", lambda _: {"a": 1, "b": 2})
    assert store.update_settings("n", lambda _: {"a": 3}).settings == {"a": 3}
    assert store.update_settings("n", lambda _: {}) == store.namespace("n") == Namespace(*vars_of(store.namespace("n")))


def vars_of(namespace: Namespace) -> tuple[str, str, int, int | None]:
    """Give what a namespace had before it had settings."""
    return namespace.name, namespace.pack, namespace.epoch, namespace.frozen


@pytest.mark.parametrize("text", ["", "クーポン", "a\x00b", "\ud83d", '100%s ? $1 \\ "'], ids=ascii)
def test_settings_may_hold_any_text(store: Store, text: str) -> None:
    """As a member's name and as its value."""
    assert store.update_settings("n", lambda _: {text: text}).settings == {text: text}
    assert store.namespace("n").settings == {text: text}


def test_settings_must_be_json(store: Store) -> None:
    """What JSON does not have is refused, and nothing changes."""
    store.update_settings("n", lambda _: {"n": 1})
    with pytest.raises(ValueError, match="JSON"):
        store.update_settings("n", lambda _: {"n": float("nan")})
    with pytest.raises(TypeError, match="JSON"):
        store.update_settings("n", lambda _: {"n": store})
    assert store.namespace("n").settings == {"n": 1}


def test_settings_are_a_copy(store: Store) -> None:
    """Neither what was given nor what is returned is what is stored."""
    given = {"list": [1]}
    returned = store.update_settings("n", lambda _: given)
    given["list"].append(2)
    returned.settings["list"].append(3)
    assert store.namespace("n").settings == {"list": [1]}


def test_settings_can_be_changed_in_place(store: Store) -> None:
    """The change gets what is there and gives what shall be there."""
    store.update_settings("n", lambda _: {"a": 1})
    assert store.update_settings("n", lambda settings: settings | {"b": 2}).settings == {"a": 1, "b": 2}
    assert store.namespace("n").settings == {"a": 1, "b": 2}


def test_a_change_that_raises_changes_nothing(store: Store) -> None:
    """And its caller hears of it."""
    store.update_settings("n", lambda _: {"n": 1})
    with pytest.raises(KeyError):
        store.update_settings("n", raise_key_error)
    assert store.namespace("n").settings == {"n": 1}


def test_a_reset_keeps_the_settings_unless_it_is_told_otherwise(store: Store) -> None:
    """A dropped namespace loses them."""
    store.update_settings("n", lambda _: {"n": 1})
    assert store.reset_namespace("n").settings == store.namespace("n").settings == {"n": 1}
    assert store.reset_namespace("n", lambda _: {}).settings == store.namespace("n").settings == {}
    store.update_settings("n", lambda _: {"n": 1})
    store.drop_namespace("n")
    assert store.create_namespace("n", "demo").settings == {}


def test_setting_the_clock_keeps_the_settings_and_the_other_way_round(store: Store) -> None:
    """Each changes its own."""
    store.update_settings("n", lambda _: {"n": 1})
    assert store.set_clock("n", frozen=FROZEN).settings == {"n": 1}
    assert store.update_settings("n", lambda _: {"n": 2}).frozen == FROZEN


# Counters


def test_a_counter_counts(store: Store) -> None:
    """From 1, in steps, on from session to session; each key and each namespace for itself."""
    with writing(store) as session:
        assert [session.count("id"), session.count("id"), session.count("id", by=10)] == [1, 2, 12]
        assert session.count("nth", by=0) == 0
    with writing(store) as session:
        assert [session.count("id"), session.count("id", by=-3), session.count("nth")] == [13, 10, 1]
    with writing(store, "m") as session:
        assert session.count("id") == 1


def test_a_counter_is_no_record(store: Store) -> None:
    """Nothing that walks through the namespace meets it."""
    with writing(store) as session:
        session.count("coupon")
        assert [record.id for record in session.scan()] == ["a"]


def test_a_counter_lives_as_long_as_its_namespace(store: Store) -> None:
    """A reset and a drop set it back."""
    for end in (store.reset_namespace, store.drop_namespace):
        with writing(store) as session:
            assert session.count("id") == 1
        end("n")
        with writing(store) as session:
            assert session.count("id") == 1
        store.reset_namespace("n")


def test_a_session_that_fails_has_not_counted(store: Store) -> None:
    """The number is given to the next one."""

    def count_and_fail() -> None:
        with writing(store) as session:
            session.count("id")
            raise KeyError

    with pytest.raises(KeyError):
        count_and_fail()
    with writing(store) as session:
        assert session.count("id") == 1


def test_an_impossible_key_counts_nothing(store: Store) -> None:
    """It raises ValueError."""
    with writing(store) as session:
        for key in (*NO_NAMES, "x" * 201):
            with pytest.raises(ValueError, match="A counter's key"):
                session.count(key)


def test_a_reading_session_counts_nothing(store: Store) -> None:
    """Nor does one that is over."""
    with store.session("n", write=False, pack="demo") as session, pytest.raises(RuntimeError, match="only reads"):
        session.count("id")
    with pytest.raises(RuntimeError, match="over"):
        session.count("id")


# -- a whole difference at once -------------------------------------------------------------------------------------


def coupon(name: str, **data: Any) -> Seed:
    """Give an entity that is found by its code."""
    return Seed("coupon", name, data, (("code", f"code-{name}"),))


def test_a_refilled_namespace_holds_its_pack_and_the_difference(store: Store) -> None:
    """Whatever it held before: records, look-ups and counters; its settings stay."""
    store.update_settings("n", lambda _: {"kept": 1})
    with writing(store) as session:
        session.put("coupon", "old", {}, [("code", "code-old")])
        session.delete("coupon", "a")
        session.count("number", by=5)
    seen: list[Namespace] = []

    def fill(namespace: Namespace) -> Difference:
        seen.append(namespace)
        return Difference(FROZEN - HOUR, FROZEN, [coupon("b", n=1), coupon("c")], [])

    refilled = store.refill_namespace("n", fill)
    assert refilled == Namespace("n", "demo", FROZEN - HOUR, FROZEN, 0, {"kept": 1})
    assert [namespace.name for namespace in seen] == ["n"]
    with writing(store) as session:
        assert [record.id for record in session.scan()] == ["a", "b", "c"]
        assert [record.data for record in session.find("coupon", "code", "code-b")] == [{"n": 1}]
        assert session.find("coupon", "code", "code-old") == []
        assert session.count("number") == 1
        session.put("coupon", "b", {}, [("code", "other")])
        assert session.find("coupon", "code", "code-b") == []
        assert session.counts() == {"coupon": 3}


def test_a_refilled_namespace_can_lack_what_its_pack_has(store: Store) -> None:
    """Until it is reset."""
    store.refill_namespace("n", lambda namespace: Difference(namespace.epoch, None, [], [("coupon", "a")]))
    with writing(store) as session:
        assert session.get("coupon", "a") is None
        assert session.counts() == {}
    store.reset_namespace("n")
    with writing(store) as session:
        assert session.counts() == {"coupon": 1}


def test_a_refill_that_fails_changes_nothing(store: Store) -> None:
    """Neither records nor clock."""
    with writing(store) as session:
        session.put("coupon", "b", {}, [])
    before = store.namespace("n")

    def fail(_: Namespace) -> Difference:
        raise KeyError

    for fill in (
        fail,
        lambda _: Difference(0, FROZEN, [Seed("coupon", "", {}, ())], []),
        lambda _: Difference(0, -1, [], []),
    ):
        with pytest.raises((KeyError, ValueError)):
            store.refill_namespace("n", fill)
    assert store.namespace("n") == before
    with writing(store) as session:
        assert [record.id for record in session.scan()] == ["a", "b"]
    with pytest.raises(NoSuchNamespace):
        store.refill_namespace("nobody", fail)


def test_records_are_counted_by_kind_as_the_namespace_has_them(store: Store) -> None:
    """Replaced, deleted, added, added and deleted again."""
    with writing(store) as session:
        session.put("coupon", "a", {"n": 1}, [])
        session.put("coupon", "b", {}, [])
        session.put("member", "m", {}, [])
        assert session.counts() == {"coupon": 2, "member": 1}
        session.delete("coupon", "a")
        session.delete("coupon", "b")
        assert session.counts() == {"member": 1}
        session.delete("member", "m")
        assert session.counts() == {}
