"""The clock of a namespace, over HTTP."""

import json
from typing import Any

import pytest
from running_mock import Answer, Mock

DAY = 86_400
YEAR_2030 = 1_893_456_000


def clock(mock: Mock, method: str, path: str = "", value: Any = None) -> Answer:
    """Ask about the clock of the mock's namespace, which the header names."""
    body = None if value is None else json.dumps(value).encode()
    return mock.send(method, f"/__admin/clock{path}", {"Content-Type": "application/json"}, body)


def codes(mock: Mock) -> set[str]:
    """Return the codes that Alice can use now."""
    return {coupon["code"] for coupon in mock.send("GET", "/v2/users/1001/usable_coupons?api_key=QWERTY").json}


def test_a_clock_can_be_set_and_stopped(mock: Mock) -> None:
    """Seconds and RFC 3339 name the same moment, and a stopped clock stays there."""
    by_text = clock(mock, "PUT", "", {"now": "2030-01-01T00:00:00Z", "frozen": True})
    by_number = clock(mock, "PUT", "", {"now": YEAR_2030})

    assert by_text.json == by_number.json == {"namespace": mock.namespace, "now": YEAR_2030, "frozen": True}
    assert clock(mock, "GET").json == by_number.json


def test_a_coupon_expires_when_the_clock_passes_its_date(mock: Mock) -> None:
    """Expiry follows the clock, forwards and backwards."""
    clock(mock, "POST", "/freeze")
    assert {"LAST-DAY-77", "ACC58111301", "FOREVER-2024"} <= codes(mock)

    assert clock(mock, "POST", "/advance", {"by": "2d"}).status == 200
    assert "LAST-DAY-77" not in codes(mock)
    assert {"ACC58111301", "FOREVER-2024"} <= codes(mock)

    clock(mock, "POST", "/advance", {"by": 400 * DAY})
    assert codes(mock) == {"FOREVER-2024"}

    clock(mock, "POST", "/advance", {"by": "-402d"})
    assert "LAST-DAY-77" in codes(mock)


def test_a_coupon_can_be_received_once_the_clock_reaches_its_start(mock: Mock) -> None:
    """A coupon that has not started is refused until the clock says so."""
    coupon = mock.bindings("shoplazza")["coupon.upcoming"]["id"]
    wanted = {"customer_id": "5001", "coupon_ids": [coupon]}
    before = mock.post("/openapi/2022-01/coupons/receive", wanted, {"access-token": "sunny-token"})
    clock(mock, "POST", "/advance", {"by": "8d"})
    after = mock.post("/openapi/2022-01/coupons/receive", wanted, {"access-token": "sunny-token"})

    assert (before.example, after.example) == ("not_started", "received")


def test_a_released_clock_runs_on_from_where_it_stood(mock: Mock) -> None:
    """Freezing and releasing do not move the time, and release lets it run."""
    clock(mock, "PUT", "", {"now": YEAR_2030, "frozen": True})
    released = clock(mock, "POST", "/release").json

    assert released["frozen"] is False
    assert YEAR_2030 <= released["now"] <= YEAR_2030 + 60


def test_a_reset_brings_the_clock_of_the_pack_back_and_a_snapshot_that_of_the_beginning(mock: Mock) -> None:
    """Where the namespace was made with a clock of its own."""
    present = clock(mock, "GET").json["now"]
    world = mock.within(f"{mock.namespace}-own")
    made = {"name": world.namespace, "pack": "demo", "clock": {"now": YEAR_2030, "frozen": True}}
    assert mock.admin("POST", "/namespaces", made).status == 201
    assert world.send("PUT", "/__admin/snapshots/beginning").status == 201
    try:
        world.admin("POST", "/reset", {"namespace": world.namespace})
        reset = clock(world, "GET").json
        assert (reset["frozen"], present <= reset["now"] <= present + 600) == (False, True)
        assert world.send("POST", "/__admin/snapshots/beginning/restore").status == 200
        restored = clock(world, "GET").json
        assert (restored["now"], restored["frozen"]) == (YEAR_2030, True)
    finally:
        mock.admin("DELETE", f"/namespaces/{world.namespace}")


def test_a_reset_brings_the_clock_of_the_pack_back(mock: Mock) -> None:
    """After a reset the time is the pack's: for `demo` the present."""
    present = clock(mock, "GET").json["now"]
    clock(mock, "PUT", "", {"now": YEAR_2030 * 2, "frozen": True})
    mock.admin("POST", "/reset", {"namespace": mock.namespace})

    reset = clock(mock, "GET").json
    assert reset["frozen"] is False
    assert present <= reset["now"] <= present + 600


def test_two_namespaces_have_two_clocks(mock: Mock, other_mock: Mock) -> None:
    """Moving one clock leaves the other alone."""
    before = clock(other_mock, "POST", "/freeze").json
    clock(mock, "POST", "/advance", {"by": "90d"})

    assert clock(other_mock, "GET").json == before


def test_the_namespace_can_be_named_by_prefix(mock: Mock, server: Mock) -> None:
    """`/~NAME/__admin/clock` is the clock of that namespace."""
    clock(mock, "PUT", "", {"now": YEAR_2030, "frozen": True})

    assert server.send("GET", f"/~{mock.namespace}/__admin/clock").json["now"] == YEAR_2030


@pytest.mark.parametrize(
    ("method", "path", "value"),
    [
        ("PUT", "", {"now": "2030-01-01"}),
        ("PUT", "", {"now": "tomorrow"}),
        ("PUT", "", {"now": "2030-01-01T00:00:00"}),
        ("PUT", "", {"now": -1}),
        ("PUT", "", {"now": 1.5}),
        ("PUT", "", {"now": True}),
        ("PUT", "", {"now": None}),
        ("PUT", "", {"now": 10**12}),
        ("PUT", "", {"frozen": "yes"}),
        ("PUT", "", {"time": 1}),
        ("PUT", "", [1]),
        ("POST", "/advance", {}),
        ("POST", "/advance", {"by": "soon"}),
        ("POST", "/advance", {"by": "5y"}),
        ("POST", "/advance", {"by": 10**18}),
        ("POST", "/advance", {"by": False}),
        ("POST", "/freeze", {"now": 1}),
    ],
)
def test_a_wrong_request_says_what_is_allowed_and_moves_nothing(mock: Mock, method: str, path: str, value: Any) -> None:
    """Bad input is a 400 with a sentence, and the clock stays where it was."""
    clock(mock, "PUT", "", {"now": YEAR_2030, "frozen": True})
    refused = clock(mock, method, path, value)

    assert (refused.status, refused.media_type) == (400, "application/problem+json")
    assert refused.json["detail"].endswith(".")
    assert clock(mock, "GET").json == {"namespace": mock.namespace, "now": YEAR_2030, "frozen": True}
