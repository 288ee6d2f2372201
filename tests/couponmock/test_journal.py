"""What the mock remembers of its clients, shown and verified over HTTP."""

import json
from pathlib import Path
from typing import Any

import pytest
from couponmock.admin.requests import FILTERS
from running_mock import Answer, Mock, serving
from vendor_answers import assert_problem

COUPON = "/api/v3/coupon/1"
USED = "JDSI2JE"


def requests(mock: Mock, query: str = "") -> list[dict[str, Any]]:
    """Return the journal of the mock's namespace."""
    found: list[dict[str, Any]] = mock.send("GET", f"/__admin/requests{query}").json["requests"]
    return found


def verify(mock: Mock, **expected: Any) -> Answer:
    """Ask whether the journal is as expected."""
    return mock.send("POST", "/__admin/verify", {"Content-Type": "application/json"}, json.dumps(expected).encode())


def unuse(mock: Mock, code: str = USED) -> Answer:
    """Unuse a coupon."""
    return mock.post("/v2/coupon/unuse?api_key=QWERTY", {"coupon_value": code})


def test_an_exchange_is_journalled_with_all_that_explains_it(mock: Mock) -> None:
    """Operation, finding, example, basis, status, both bodies and the request id are there."""
    answer = mock.post("/v2/coupon/unuse?api_key=QWERTY&page=2", {})

    (entry,) = requests(mock)
    assert entry == {
        "id": answer.headers["X-Mock-Request-Id"],
        "method": "POST",
        "path": "/v2/coupon/unuse",
        "query": {"api_key": "***", "page": "2"},
        "body": {},
        "vendor": "crowdtwist",
        "operation": "unuseCoupon",
        "finding": "missing body:/coupon_value",
        "example": "coupon_value_required",
        "basis": "documented",
        "status": 400,
        "answer": answer.json,
    }


def test_no_credential_is_journalled(mock: Mock) -> None:
    """Neither a key in the query nor one in a header is kept."""
    unuse(mock)
    mock.send("GET", COUPON, {"Authorization": "Basic YWNtZS1wdWJsaWM6YWNtZS1wcml2YXRl"})
    mock.post(
        "/openapi/2022-01/coupons/receive", {"customer_id": "1", "coupon_ids": []}, {"access-token": "sunny-token"}
    )

    text = json.dumps(requests(mock))
    assert not [secret for secret in ("QWERTY", "YWNtZS", "acme-private", "sunny-token") if secret in text]


def test_entries_come_in_order_and_can_be_filtered(mock: Mock, other_mock: Mock) -> None:
    """Filters narrow by any member; the limit keeps the newest; other namespaces have journals of their own."""
    unuse(mock)
    unuse(mock)
    mock.send("GET", COUPON)

    assert [entry["status"] for entry in requests(mock)] == [200, 404, 401]
    assert [entry["example"] for entry in requests(mock, "?operation=unuseCoupon")] == ["unused", "not_used"]
    assert [entry["example"] for entry in requests(mock, "?status=404")] == ["not_used"]
    assert [entry["status"] for entry in requests(mock, "?limit=2")] == [404, 401]
    assert requests(other_mock) == []


def test_a_journal_can_be_cleared_and_outlives_a_reset(mock: Mock) -> None:
    """A reset is about the world, clearing about the journal."""
    unuse(mock)
    mock.admin("POST", "/reset", {"namespace": mock.namespace})
    assert len(requests(mock)) == 1

    assert mock.send("DELETE", "/__admin/requests").status == 204
    assert requests(mock) == []


def test_requests_that_are_odd_are_journalled_too(mock: Mock) -> None:
    """Bytes that are not UTF-8, broken JSON and long bodies do not break the journal."""
    json_type = {"Content-Type": "application/json"}
    mock.send("GET", "/v2/users/%ff/usable_coupons?api_key=QWERTY&x=%ff")
    mock.send("POST", "/v2/coupon/unuse?api_key=QWERTY", json_type, b'{"coupon_value": "\\ud800"}')
    mock.send("POST", "/v2/coupon/unuse?api_key=QWERTY", json_type, b"\xff{")
    mock.send("POST", "/v2/coupon/unuse?api_key=QWERTY", json_type, b'"' + b"x" * 100_000 + b'"')
    mock.send("BREW", "/v2/coupon/unuse")

    entries = requests(mock)
    assert [entry["status"] for entry in entries] == [400, 400, 400, 400, 405]
    assert len(entries[3]["body"]) < 5000


def test_verify_counts_matching_requests(mock: Mock) -> None:
    """A count, a range or at least one; bodies and queries match by the members given."""
    unuse(mock)
    unuse(mock)

    assert verify(mock, operationId="unuseCoupon").json == {"verified": True, "count": 2}
    assert verify(mock, operationId="unuseCoupon", count=1, match={"status": 404}).status == 200
    assert verify(mock, operationId="unuseCoupon", atLeast=1, atMost=2).status == 200
    assert verify(mock, operationId="getCoupon", atMost=0).status == 200
    assert verify(mock, match={"body": {"coupon_value": USED}}, count=2).status == 200
    assert verify(mock, match={"query": {"api_key": "***"}}, count=2).status == 200
    assert verify(mock, match={"method": "post", "status": "404", "example": "not_used"}, count=1).status == 200


def test_a_failed_verification_shows_the_nearest_miss(mock: Mock) -> None:
    """422 says how many were expected and found, and in what the nearest request differs."""
    unuse(mock)
    unuse(mock, "OTHER")
    failed = verify(mock, operationId="unuseCoupon", match={"body": {"coupon_value": "THIRD"}, "status": 404})

    assert failed.status == 422
    assert failed.json["detail"] == "Expected at least 1 matching requests, found 0 among 2."
    assert failed.json["nearest"]["misses"] == ["body.coupon_value is 'OTHER', not 'THIRD'"]
    assert failed.json["nearest"]["request"]["body"] == {"coupon_value": "OTHER"}


@pytest.mark.parametrize(
    "expected",
    [
        {"operationId": "noSuch"},
        {"count": -1},
        {"count": "2"},
        {"count": 1, "atLeast": 1},
        {"match": []},
        {"match": {"colour": 1}},
        {"unknown": 1},
        {"match": {"operation": "nope"}, "count": 0},
        {"match": {"vendor": "nope"}, "count": 0},
        {"match": {"example": "nope"}, "count": 0},
        {"match": {"basis": 7}, "count": 0},
        {"match": {"status": "2xx"}, "count": 0},
        {"match": {"path": "/~x/v2/coupon/unuse"}, "count": 0},
        {"atLeast": 3, "atMost": 1},
    ],
)
def test_a_wrong_verification_says_what_is_allowed(mock: Mock, expected: dict[str, Any]) -> None:
    """Bad input is a 400 with a sentence, never a verdict."""
    refused = verify(mock, **expected)

    assert (refused.status, refused.media_type) == (400, "application/problem+json")
    assert refused.json["detail"].endswith(".")


@pytest.mark.parametrize("query", ["?colour=red", "?limit=0", "?limit=many", "?limit=100000", "?vendor=acme"])
def test_a_wrong_filter_says_what_is_allowed(mock: Mock, query: str) -> None:
    """An unknown filter or limit is a 400 with a sentence."""
    refused = mock.send("GET", f"/__admin/requests{query}")

    assert (refused.status, refused.media_type) == (400, "application/problem+json")


def test_the_journal_can_be_left_off(tmp_path: Path) -> None:
    """Answers are the same with --no-journal; what was asked is not known then, which is not nothing."""
    with serving(tmp_path, "--no-journal", "--log-format", "none") as quiet:
        assert unuse(quiet).json == {"success": True, "message": "Successfully submitted"}
        for method, path in (("GET", "/requests"), ("DELETE", "/requests"), ("POST", "/verify")):
            assert_problem(quiet.admin(method, path), 409, "journal")


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("status=200&status=404", "Give status once."),
        ("limit=1&limit=2", "Give limit once."),
        ("colour=red", f"Unknown parameter 'colour'; known are {', '.join(sorted({*FILTERS, 'limit'}))}."),
    ],
)
def test_a_filter_that_is_none_or_given_twice_is_refused(mock: Mock, query: str, detail: str) -> None:
    """Nobody gets less than was asked for without noticing."""
    refused = mock.send("GET", f"/__admin/requests?{query}")
    assert (refused.status, refused.json["detail"]) == (400, detail)
