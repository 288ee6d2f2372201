"""The mock on PostgreSQL, where several servers act as one."""

from pathlib import Path

import pytest
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

        assert (first.status, second.status, second.json["error"]) == (200, 404, "not_used")
        assert USED in [coupon["code"] for coupon in listed.json]
