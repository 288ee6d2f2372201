"""Named snapshots of a namespace, over HTTP."""

import pytest
from running_mock import Mock

USED = "JDSI2JE"


def unuse(mock: Mock) -> int:
    """Unuse Alice's used coupon and return the status."""
    return mock.post("/v2/coupon/unuse?api_key=QWERTY", {"coupon_value": USED}).status


def test_a_restored_world_is_the_one_of_the_snapshot(mock: Mock) -> None:
    """What happened after the snapshot is gone, what happened before is there, time included."""
    assert unuse(mock) == 200
    mock.post("/__admin/clock/advance", {"by": "3d"})
    taken = mock.send("PUT", "/__admin/snapshots/after-unuse")
    mock.admin("POST", "/reset", {"namespace": mock.namespace})
    assert unuse(mock) == 200
    mock.post("/__admin/clock/advance", {"by": "300d"})

    restored = mock.send("POST", "/__admin/snapshots/after-unuse/restore")

    assert (taken.status, restored.status) == (201, 200)
    assert unuse(mock) == 404
    listed = mock.send("GET", "/v2/users/1001/usable_coupons?api_key=QWERTY").json
    assert {USED, "ACC58111301"} <= {coupon["code"] for coupon in listed}
    assert "LAST-DAY-77" not in {coupon["code"] for coupon in listed}


def test_snapshots_are_listed_and_dropped_by_label(mock: Mock, other_mock: Mock) -> None:
    """A namespace knows its own snapshots only."""
    for label in ("b", "a"):
        mock.send("PUT", f"/__admin/snapshots/{label}")

    assert mock.send("GET", "/__admin/snapshots").json == {"snapshots": ["a", "b"]}
    assert other_mock.send("GET", "/__admin/snapshots").json == {"snapshots": []}
    assert mock.send("DELETE", "/__admin/snapshots/a").status == 204
    assert mock.send("GET", "/__admin/snapshots").json == {"snapshots": ["b"]}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/__admin/snapshots/none/restore", 404),
        ("DELETE", "/__admin/snapshots/none", 404),
        ("PUT", "/__admin/snapshots/with%20blank", 400),
        ("PUT", f"/__admin/snapshots/{'x' * 65}", 400),
        ("PUT", "/__admin/snapshots/..%2F..", 404),
    ],
)
def test_a_wrong_label_is_refused_and_nothing_changes(mock: Mock, method: str, path: str, status: int) -> None:
    """An unknown or impossible label is a problem with a sentence."""
    refused = mock.send(method, path)

    assert (refused.status, refused.media_type) == (status, "application/problem+json")
    assert mock.send("GET", "/__admin/snapshots").json == {"snapshots": []}
    assert unuse(mock) == 200
