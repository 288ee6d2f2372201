"""`couponmock.Mock` on readings, faults, limits, state, coverage and strict mode."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import IncompleteRead

import pytest
from coupon_client import USED, ask, unuse, usable
from couponmock import AdminError, Entity, Mock, MockNotStarted, Namespace

UNKNOWN_MEMBER = "crowdtwist.unknown-member"


@pytest.fixture(scope="module")
def running() -> Iterator[Mock]:
    """Run a mock."""
    with Mock(in_thread=True) as mock:
        yield mock


@pytest.fixture
def world(running: Mock) -> Iterator[Namespace]:
    """Give a world of its own to a test."""
    with running.namespace() as namespace:
        yield namespace


def stranger(world: Namespace, query: str = "") -> int:
    """List the coupons of a member that there is not."""
    return ask(f"{world.url}/v2/users/99999999/usable_coupons?api_key=QWERTY{query}")[0]


# -- how a world is made --------------------------------------------------------------------------------------------


def test_a_world_is_made_at_a_time_and_with_its_own_readings(running: Mock) -> None:
    """In one request; a time alone lets the clock run on."""
    at = datetime(2030, 1, 1, tzinfo=UTC)
    standing = {"now": at, "frozen": True}
    with running.namespace(clock=standing, readings={UNKNOWN_MEMBER: "404"}, strict="refuse") as world:
        assert (world.clock.now, world.clock.frozen) == (at, True)
        assert stranger(world) == 404
        assert stranger(world, "&colour=red") == 400
    with running.namespace(clock="2030-01-01T00:00:00Z") as world:
        assert timedelta(0) <= world.clock.now - at < timedelta(minutes=10)
        assert not world.clock.frozen


@pytest.mark.parametrize("in_thread", [False, True])
def test_a_server_is_started_with_readings_strict_mode_and_layers_of_packs(in_thread: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """As with the flags of the command; a choice that cannot be made is said so at the start."""
    with Mock(readings={UNKNOWN_MEMBER: "404"}, strict="refuse", pack=["documented"], in_thread=in_thread) as mock:
        assert stranger(mock) == 404
        assert stranger(mock, "&colour=red") == 400
        assert mock.clock.now == datetime(2016, 11, 12, tzinfo=UTC)
    with pytest.raises(MockNotStarted, match="crowdtwist") as refused:
        Mock(readings={UNKNOWN_MEMBER: "418"}, in_thread=in_thread).start()
    assert "Traceback" not in str(refused.value)


# -- readings -------------------------------------------------------------------------------------------------------


def test_a_reading_is_shown_chosen_and_given_back(world: Namespace) -> None:
    """Choices add up; None gives one back, a reset all."""
    reading = world.readings.get(UNKNOWN_MEMBER)
    assert (reading.id, reading.taken, reading.chosen) == (UNKNOWN_MEMBER, "400", "400")
    assert set(reading.options) == {"400", "404"}
    assert reading.quotes
    assert world.readings.all()[UNKNOWN_MEMBER] == reading
    assert stranger(world) == 400

    assert world.readings.choose({UNKNOWN_MEMBER: "404"})[UNKNOWN_MEMBER].chosen == "404"
    assert stranger(world) == 404
    assert world.readings.choose({UNKNOWN_MEMBER: None})[UNKNOWN_MEMBER].chosen == "400"
    world.readings.choose({UNKNOWN_MEMBER: "404"})
    world.readings.reset()
    assert stranger(world) == 400

    with pytest.raises(KeyError, match=f"there is no reading 'nope'; there are .*{UNKNOWN_MEMBER}"):
        world.readings.get("nope")
    with pytest.raises(AdminError, match="418"):
        world.readings.choose({UNKNOWN_MEMBER: "418"})


# -- faults and limits ----------------------------------------------------------------------------------------------


def test_a_fault_is_in_force_for_a_block_or_until_it_is_removed(world: Namespace) -> None:
    """It counts what it has done; removing it twice is harmless."""
    with world.fault("unuseCoupon", kind="status", status=503) as fault:
        assert [unuse(world)[0], unuse(world)[0]] == [503, 503]
        assert usable(world)
        assert (fault.seen, fault.applied) == (2, 2)
        assert [each.id for each in world.faults] == [fault.id]
    assert unuse(world)[0] == 200
    fault.remove()
    with pytest.raises(LookupError, match="has been removed"):
        _ = fault.applied
    assert world.requests(status=503)[0].extras["fault"]


def test_faults_apply_so_often_and_to_what_matches(world: Namespace) -> None:
    """A number is the first so many; they can be cleared all at once."""
    world.fault(
        "unuseCoupon", kind="problem", example="not_configured", times=1, match={"body": {"coupon_value": USED}}
    )
    assert unuse(world, "OTHER")[0] == 404
    assert unuse(world)[1]["error"] == "not_configured"
    assert unuse(world)[0] == 200
    world.fault(kind="status", status=500, times={"nth": 2})
    assert [unuse(world)[0], unuse(world)[0], unuse(world)[0]] == [404, 500, 404]
    world.fault(kind="status", status=500)
    world.clear_faults()
    assert world.faults == []
    assert unuse(world)[0] == 404
    with pytest.raises(AdminError, match="Give kind as one of"):
        world.fault(kind="nope")


@pytest.mark.parametrize("in_thread", [False, True])
@pytest.mark.parametrize("kind", ["drop", "truncate"])
def test_a_connection_breaks_in_either_way_of_running(kind: str, in_thread: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Before the answer or in the middle of it; the next one is whole."""
    with Mock(in_thread=in_thread) as mock:
        mock.fault("unuseCoupon", kind=kind, times=1)
        with pytest.raises((ConnectionError, IncompleteRead)):
            unuse(mock)
        assert unuse(mock)[0] == 404
        first = mock.requests()[0]
        assert str(first).startswith(
            "POST /v2/coupon/unuse?api_key=*** -> " + ("no answer" if kind == "drop" else "200")
        )


def test_a_limit_refuses_what_is_too_much(world: Namespace) -> None:
    """As a leaky bucket on the world's own clock."""
    world.clock.freeze()
    world.limit("crowdtwist", size=2, leak=1)
    assert "crowdtwist" in world.limits
    assert [unuse(world)[0] for _ in range(3)] == [200, 404, 429]
    world.clear_limits()
    assert unuse(world)[0] == 404


def test_a_reset_starts_the_settings_anew_or_forgets_them(world: Namespace) -> None:
    """A fault counts from the first request again and the bucket is empty; with `settings` nothing of them is left."""
    world.clock.freeze()
    world.limit("crowdtwist", size=2, leak=1)
    world.readings.choose({UNKNOWN_MEMBER: "404"})
    world.set_strict("refuse")
    world.fault("unuseCoupon", kind="status", status=503, times=1)
    assert [unuse(world)[0] for _ in range(3)] == [503, 200, 429]
    world.reset()
    world.clock.freeze()
    assert [unuse(world)[0] for _ in range(3)] == [503, 200, 429]
    world.clear_limits()
    odd = f"{world.url}/v2/users/1001/usable_coupons?api_key=QWERTY&odd=1"
    assert (stranger(world), ask(odd)[0]) == (404, 400)
    world.limit("crowdtwist", size=2, leak=1)
    world.reset(settings=True)
    assert (world.faults, world.limits) == ([], {})
    assert (stranger(world), ask(odd)[0], unuse(world)[0]) == (400, 200, 200)


# -- state ----------------------------------------------------------------------------------------------------------


def test_state_is_read_found_changed_and_removed(world: Namespace) -> None:
    """By handle or by members; what comes back is the entity as it is then."""
    used = world.state.get("crowdtwist", "coupon.used")
    assert isinstance(used, Entity)
    assert (used.handle, used.state, used.members["code"]) == ("coupon.used", "used", USED)
    assert world.state.find("crowdtwist", "coupon", code=USED) == [used]
    assert len(world.state.find("shoplazza", "customer")) > 1
    assert world.state.find("chargeover", "coupon", enabled=False)

    assert unuse(world)[0] == 200
    assert world.state.get("crowdtwist", "coupon.used").state == "issued"
    assert world.state.put("crowdtwist", "coupon.used", "used", quantity=2).members["quantity"] == 2
    assert unuse(world)[0] == 200

    world.state.remove("crowdtwist", "coupon.used")
    assert unuse(world)[0] == 404
    for handle in ("coupon.used", "coupon.nope"):
        with pytest.raises(AdminError):
            world.state.get("crowdtwist", handle)
    with pytest.raises(ValueError, match="is no handle"):
        world.state.get("crowdtwist", "coupon")


def test_a_whole_world_is_carried_to_another(running: Mock, world: Namespace) -> None:
    """As one value."""
    assert unuse(world)[0] == 200
    exported = world.export()
    with running.namespace() as other:
        other.import_(exported)
        assert unuse(other)[0] == 404
    with pytest.raises(AdminError):
        world.import_({"nope": 1})


# -- coverage and strict mode ---------------------------------------------------------------------------------------


def test_coverage_tells_of_one_world_and_of_all(running: Mock, world: Namespace) -> None:
    """What was seen here is seen there too."""
    before, total = world.coverage(), running.total_coverage()
    assert unuse(world)[0] == 200
    assert world.coverage() != before
    assert (world.coverage()["namespace"], total["namespace"]) == (world.name, "*")


def test_strict_mode_tells_what_no_document_knows(world: Namespace) -> None:
    """Refused, or told in the journal, or left alone."""
    world.set_strict("refuse")
    assert stranger(world, "&pgae=2") == 400
    world.set_strict("warn")
    stranger(world, "&id_tpye=email")
    warned = world.requests()[-1]
    assert warned.extras["unknown"][0]["place"] == "query:id_tpye"
    assert "query:id_tpye" in str(warned)
    world.set_strict(None)
    stranger(world, "&id_tpye=email")
    assert "unknown" not in world.requests()[-1].extras
    with pytest.raises(AdminError, match="off, warn, refuse"):
        world.set_strict("nope")  # type: ignore[arg-type]  # the mistake
