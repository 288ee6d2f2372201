"""States by name: what an entity is put into, and what it is recognised by."""

from typing import Any

import pytest
from couponspec import Kind, load_document, vendors
from couponspec.kind import State
from couponspec.pack import load_kinds

NOW = 1_500_000_000
DAY = 86_400

KIND = Kind(
    name="coupon",
    schema={"properties": {"stock": {"type": "integer"}, "ends": {"$ref": "#/$defs/moment"}, "on": {}}},
    keys=(),
    lookups=(),
    references={},
)


@pytest.mark.parametrize(
    ("options", "value", "fits"),
    [
        (("-1s",), NOW, True),
        (("-1s",), NOW - 7 * DAY, True),
        (("-1s",), NOW + 1, False),
        (("-1s",), None, False),
        (("+1d",), NOW + 1, True),
        (("+1d",), NOW, False),
        (("+1d", None), None, True),
        ((None, "+1d"), NOW - 1, False),
        ((NOW,), NOW, True),
        ((NOW,), NOW + 1, False),
        (("2017-07-14T02:40:00Z",), NOW, True),
        (("2017-07-14T02:40:00Z",), NOW - 1, False),
    ],
)
def test_an_offset_is_any_time_on_its_side_of_the_present(options: tuple[Any, ...], value: Any, *, fits: bool) -> None:
    """So that a state lasts while the clock runs; an absolute time is that time."""
    assert State("x", {"ends": options}).holds(KIND, {"ends": value}, NOW) is fits


def test_putting_changes_only_what_does_not_fit() -> None:
    """The first value of a list is put; the others are as good, and a schema may say which."""
    state = State("available", {"stock": (100, -1, {"minimum": 1}), "ends": (None, "+1d"), "on": (True,)})
    assert state.put(KIND, {"stock": 0, "ends": NOW - 1, "code": "X"}, NOW) == {
        "stock": 100,
        "ends": None,
        "code": "X",
        "on": True,
    }
    fitting = {"stock": 7, "ends": NOW + 5, "on": True}
    assert state.put(KIND, fitting, NOW) == fitting
    assert state.put(KIND, {"stock": -1}, NOW)["stock"] == -1
    assert State("over", {"ends": ("-1s",)}).put(KIND, {}, NOW) == {"ends": NOW - 1}


def test_a_state_that_is_put_is_the_one_that_is_recognised_or_one_of_the_same_members() -> None:
    """For every vendor, from every state into every state."""
    checked = 0
    for vendor in vendors():
        for kind in load_kinds(load_document(vendor))[1].values():
            for before in kind.states.values():
                for state in kind.states.values():
                    data = state.put(kind, before.put(kind, {}, NOW), NOW)
                    found = kind.state(data, NOW)
                    assert found is not None
                    assert kind.states[found].members == state.members, (vendor, kind.name, before.name, state.name)
                    checked += 1
    assert checked > 40


def test_the_states_that_people_ask_for_are_there() -> None:
    """For each vendor's coupons."""
    named = {vendor: {*load_kinds(load_document(vendor))[1]["coupon"].states} for vendor in vendors()}
    assert named == {
        "chargeover": {"enabled", "disabled"},
        "crowdtwist": {"generated", "issued", "used", "unused", "expired"},
        "shoplazza": {"available", "not_started", "expired", "out_of_stock"},
    }
