"""What the mock tells about its answers: headers for the client, log lines for whoever runs it, and no secrets."""

import json
from pathlib import Path
from typing import Any

import pytest
from running_mock import Mock, log_lines, serving
from vendor_answers import CREDENTIALS, TARGETS

SECRETS = ("QWERTY", "MOONLIGHT", "SUNSHINE-HEADER-KEY", "sunny-token", "acme-private", "YWNtZS1wdWJsaWM6", "hunter2")


@pytest.mark.parametrize(
    ("method", "target", "body", "expected"),
    [
        (
            "POST",
            "/v2/coupon/unuse?api_key=QWERTY",
            b"{}",
            ("crowdtwist", "unuseCoupon", "missing body:/coupon_value", "coupon_value_required", "documented"),
        ),
        (
            "POST",
            "/v2/coupon/unuse",
            b"{}",
            ("crowdtwist", "unuseCoupon", "credential_missing credential:api_key", "missing_api_key", "inferred"),
        ),
        (
            "GET",
            "/v2/users/1001/usable_coupons?api_key=QWERTY&id_type=x",
            None,
            ("crowdtwist", "listUsableCoupons", "invalid query:id_type", "invalid_parameter", "inferred"),
        ),
        ("GET", "/v2/nope", None, ("crowdtwist", "general", "unrouted", "unknown_route", "inferred")),
        (
            "GET",
            "/api/v3/coupon/1",
            None,
            ("chargeover", "getCoupon", "credential_missing credential:basic", "missing_authorization", "documented"),
        ),
        (
            "GET",
            "/openapi/2022-01/coupons/receive",
            None,
            ("shoplazza", "general", "method_not_allowed", "method_not_allowed", "inferred"),
        ),
    ],
)
def test_the_headers_tell_the_rule_that_was_broken_and_what_the_answer_rests_on(
    mock: Mock, method: str, target: str, body: bytes | None, expected: tuple[str, ...]
) -> None:
    """Vendor, operation, finding, example and basis; the namespace and an id of the request."""
    answer = mock.send(method, target, [("Content-Type", "application/json")] if body else [], body)
    names = ("Vendor", "Operation", "Finding", "Example", "Basis")
    assert tuple(answer.headers[f"X-Mock-{name}"] for name in names) == expected
    assert answer.headers["X-Mock-Namespace"] == mock.namespace
    assert answer.headers["X-Mock-Request-Id"]


def test_an_answer_without_a_finding_has_no_finding_header(mock: Mock) -> None:
    """Nothing was wrong with the request."""
    answer = mock.post("/v2/coupon/unuse?api_key=QWERTY", {"coupon_value": "JDSI2JE"})
    assert (answer.headers["X-Mock-Example"], answer.headers["X-Mock-Finding"]) == ("unused", None)


@pytest.mark.parametrize("operation", TARGETS)
def test_nothing_of_the_diagnosis_is_in_a_vendors_body(mock: Mock, operation: str) -> None:
    """Bodies are the vendor's alone."""
    _, method, target = TARGETS[operation]
    answer = mock.send(method, target.partition("?")[0])
    for word in ("mock", "finding", "namespace", "credential:", mock.namespace or ""):
        assert word.encode() not in answer.body.lower()


def test_the_requests_id_is_the_same_in_vendors_header_mocks_header_and_log(mock: Mock) -> None:
    """So that an answer can be found in the log."""
    answer = mock.post(TARGETS["receiveCoupons"][2], {}, CREDENTIALS["shoplazza"])
    number = answer.headers["X-Mock-Request-Id"]
    assert answer.headers["Request-Id"] == number
    [line] = log_lines(mock, number)
    assert json.loads(line)["request_id"] == number


def line_of(mock: Mock, number: str) -> dict[str, Any]:
    """Return the log line of a request."""
    [line] = log_lines(mock, number)
    found: dict[str, Any] = json.loads(line)
    return found


def test_a_json_log_line_tells_the_whole_story(mock: Mock) -> None:
    """One object on one line, for each request."""
    answer = mock.post("/v2/coupon/unuse?api_key=QWERTY", {})
    line = line_of(mock, answer.headers["X-Mock-Request-Id"])
    assert line.pop("ms") >= 0
    assert line == {
        "method": "POST",
        "path": "/v2/coupon/unuse",
        "status": 400,
        "namespace": mock.namespace,
        "operation": "unuseCoupon",
        "example": "coupon_value_required",
        "finding": "missing body:/coupon_value",
        "request_id": answer.headers["X-Mock-Request-Id"],
    }


def send_secrets(mock: Mock) -> None:
    """Use each vendor's credentials, right and wrong, in every place they can be put."""
    for operation, (vendor, method, target) in TARGETS.items():
        mock.send(method, target, CREDENTIALS[vendor])
        mock.send(method, target + ("&" if "?" in target else "?") + "password=hunter2", CREDENTIALS[vendor])
        mock.send(method, target, {"Authorization": "Bearer hunter2", "access-token": "hunter2"})
        mock.send(method, target.partition("?")[0], {"X-CT-Authorization": "CTApiKey SUNSHINE-HEADER-KEY"})
        mock.post(target, {"coupon_value": "hunter2", "api_key": "hunter2", operation: "hunter2"}, CREDENTIALS[vendor])
    mock.send("GET", "/nowhere?api_key=MOONLIGHT", {"Cookie": "session=hunter2"})
    mock.admin("GET", "/health?token=hunter2")


def test_no_credential_no_query_and_no_body_is_ever_logged_as_json(mock: Mock) -> None:
    """Whatever was asked."""
    send_secrets(mock)
    lines = [line for line in mock.log.read_text().splitlines() if line.startswith("{")]
    assert len(lines) > 20
    assert [line for line in lines for secret in SECRETS if secret in line] == []


def test_text_lines_are_one_for_each_request_without_secrets_and_without_forged_lines(tmp_path: Path) -> None:
    """Line breaks and control characters in a path stay escaped."""
    with serving(tmp_path, "--log-format", "text") as mock:
        before = len(mock.log.read_text().splitlines())
        send_secrets(mock)
        mock.send("GET", "/v2/%0AGET%20/forged%20200%1b[31m")
        mock.send("GET", "/v2/%C3%A9%C3%A8%ff")
        lines = mock.log.read_text().splitlines()[before:]
        assert len(lines) == 5 * len(TARGETS) + 4
        assert [line for line in lines for secret in SECRETS if secret in line] == []
        assert lines[-2].startswith("GET '/v2/\\nGET /forged 200\\x1b[31m' 404 ")
        assert all(line.isascii() for line in lines)
        assert "finding=credential_missing credential:basic" in " ".join(lines)
        assert "namespace=default operation=unuseCoupon example=no_data" in " ".join(lines)
