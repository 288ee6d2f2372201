"""Worlds of our own making, acted out in the test's process: moments of time, and names that a pack may hold."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from copied_halls import VENDORS, client_of, copy_halls, mock_of, spoil
from flask.testing import FlaskClient

FIVE_EXPIRES = 1479441218
"""When the second printed coupon expires: 18 November 2016, 03:53:38 UTC."""


@pytest.fixture
def halls(tmp_path: Path) -> Path:
    """Give a copy of specs/ and fixtures/ to change."""
    return copy_halls(tmp_path / "halls")


@pytest.fixture
def ask(halls: Path, tmp_path: Path) -> Iterator[Any]:
    """Give a function that makes a mock of the changed copies and returns a client of it."""
    mocks = []

    def make(pack: str = "documented") -> FlaskClient:
        mocks.append(mock_of(halls, tmp_path / "state.db", pack))
        return client_of(mocks[-1])

    yield make
    for mock in mocks:
        mock.store.close()


def set_clock(halls: Path, moment: str) -> None:
    """Let the printed world stand still at another moment."""
    for vendor in VENDORS:
        spoil(halls / "fixtures" / vendor / "documented.yaml", "'2016-11-12T00:00:00Z'", f"'{moment}'")


@pytest.mark.parametrize(
    ("moment", "usable"),
    [
        ("2016-11-18T03:53:37Z", ["ACC58191285", "ACC58111301"]),
        ("2016-11-18T03:53:38Z", ["ACC58191285"]),
        ("2016-11-18T06:30:26Z", ["ACC58191285"]),
        ("2016-11-18T06:30:27Z", []),
        ("2016-11-18T07:30:26+01:00", ["ACC58191285"]),
        ("2030-01-01T00:00:00Z", []),
    ],
)
def test_a_coupon_is_usable_until_the_second_before_it_expires(
    halls: Path, ask: Any, moment: str, usable: list[str]
) -> None:
    """At date_to_expire itself it has expired."""
    set_clock(halls, moment)
    target = "/v2/users/alice@crowdtwist.com/usable_coupons?api_key=QWERTY&id_type=email"
    answer = ask().get(target)
    assert (answer.status_code, [coupon["code"] for coupon in answer.json]) == (200, usable)


@pytest.mark.parametrize(("moment", "returns"), [("2016-11-18T03:53:37Z", True), ("2016-11-18T03:53:38Z", False)])
def test_an_unused_coupon_returns_only_if_it_has_not_expired(
    halls: Path, ask: Any, moment: str, *, returns: bool
) -> None:
    """Unusing succeeds either way."""
    set_clock(halls, moment)
    client = ask()
    assert client.post("/v2/coupon/unuse?api_key=QWERTY", json={"coupon_value": "JDSI2JE"}).status_code == 200
    listed = [coupon["code"] for coupon in client.get("/v2/users/1002/usable_coupons?api_key=QWERTY").json]
    assert ("JDSI2JE" in listed) is returns


RECEIVED, EXPIRED, NOT_STARTED = 0, 5, 10


@pytest.mark.parametrize(
    ("moment", "status"),
    [
        ("2016-11-12T00:00:00Z", RECEIVED),
        ("2016-11-11T23:59:59Z", NOT_STARTED),
        ("2016-11-12T23:59:59Z", RECEIVED),
        ("2016-11-13T00:00:00Z", EXPIRED),
    ],
)
def test_a_coupon_can_be_received_from_its_start_until_the_second_before_its_end(
    halls: Path, ask: Any, moment: str, status: int
) -> None:
    """At starts_at itself it has started, at ends_at it has ended."""
    file = halls / "fixtures" / "shoplazza" / "documented.yaml"
    spoil(file, "stock: 20,", 'stock: 20, starts_at: "2016-11-12T00:00:00Z", ends_at: 1478995200,')
    set_clock(halls, moment)
    body = {"customer_id": "5001", "coupon_ids": ["202314454241654711"]}
    answer = ask().post("/openapi/2022-01/coupons/receive", json=body, headers={"access-token": "token"})
    assert (answer.status_code, answer.json["status"]) == (200, status)


def test_receipts_of_entities_with_names_alike_are_told_apart(halls: Path, ask: Any) -> None:
    """Customer a-b and coupon c, customer a and coupon b-c: hyphens in names do not mix them up."""
    file = halls / "fixtures" / "shoplazza" / "documented.yaml"
    spoil(
        file,
        "  customer:\n",
        '  customer:\n    a: {shop: sunny, customer_id: "a"}\n    a-b: {shop: sunny, customer_id: "ab"}\n',
    )
    coupon = "value: 1.0, stock: -1, per_customer: 1, discount_text: '', prerequisite_text: '', is_first_order: false"
    coupons = "".join(f"    {name}: {{shop: sunny, id: '{name}', {coupon}}}\n" for name in ("c", "b-c"))
    spoil(file, "  coupon:\n", f"  coupon:\n{coupons}")
    client = ask()

    def receive(customer: str, coupon_id: str) -> int:
        body = {"customer_id": customer, "coupon_ids": [coupon_id]}
        answer = client.post("/openapi/2022-01/coupons/receive", json=body, headers={"access-token": "token"})
        status: int = answer.json["status"]
        return status

    calls = [("ab", "c"), ("a", "b-c"), ("ab", "c"), ("a", "b-c")]
    assert [receive(*call) for call in calls] == [RECEIVED, RECEIVED, 7, 7]


@pytest.mark.parametrize("day", ["-0d", "+0d", "1478908800", '"2016-11-12T00:00:00Z"', '"2016-11-12T01:00:00+01:00"'])
def test_a_time_can_be_written_in_every_way_a_pack_allows(halls: Path, ask: Any, day: str) -> None:
    """Unix seconds, an offset from the frozen clock, RFC 3339 with any zone: the client sees Unix seconds."""
    file = halls / "fixtures" / "crowdtwist" / "documented.yaml"
    spoil(file, "order_date_created: 1478820760", f"order_date_created: {day}")
    answer = ask().get("/v2/users/1001/usable_coupons?api_key=QWERTY")
    assert 1478908800 in {coupon["order_date_created"] for coupon in answer.json}
