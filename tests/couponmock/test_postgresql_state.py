"""The mock on PostgreSQL, where several servers act as one."""

from pathlib import Path

import pytest
from crowdtwist_calls import redeem, usable
from running_mock import serving

pytest_plugins = ("postgres_server",)
pytestmark = pytest.mark.postgres

USED = "JDSI2JE"


def test_two_servers_on_one_database_answer_as_one(postgres_url: str, tmp_path: Path) -> None:
    """What one server changes the other knows, and it happens once."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with (
        serving(tmp_path / "one", "--state", postgres_url, "--log-format", "none") as one,
        serving(tmp_path / "two", "--state", postgres_url, "--log-format", "none") as two,
    ):
        first = one.post("/v2/coupon/unuse?api_key=QWERTY", {"coupon_value": USED})
        second = two.post("/v2/coupon/unuse?api_key=QWERTY", {"coupon_value": USED})
        listed = two.send("GET", "/v2/users/1001/usable_coupons?api_key=QWERTY")

        for server in (one, two):
            redeemed = redeem(server, "1003", "127817", 2)
            assert redeemed.status == 200, redeemed
        left = redeem(one, "1003", "127817", 2)
        coupons = usable(two, "1003")

        assert left.example == "no_coupons_left"
        assert [coupon["redeem_order_coupon_id"] - coupons[0]["redeem_order_coupon_id"] for coupon in coupons] == [
            0,
            1,
            2,
            3,
        ]
        assert (first.status, second.status, second.json["error"]) == (200, 404, "not_used")
        assert USED in [coupon["code"] for coupon in listed.json]
