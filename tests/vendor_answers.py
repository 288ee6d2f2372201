"""What an answer of each vendor must look like, whatever was asked: by the page's own words and by the document."""

import json
from functools import cache
from typing import Any

from couponspec import load_document
from couponspec.document import Document, Operation
from jsonschema_rs import Validator
from running_mock import Answer

CREDENTIALS = {
    "chargeover": {"Authorization": "Basic YWNtZS1wdWJsaWM6YWNtZS1wcml2YXRl"},  # acme-public:acme-private
    "crowdtwist": {},  # the key is in the query
    "shoplazza": {"access-token": "sunny-token"},
}
"""Headers that authenticate in the pack `demo`."""

TARGETS = {
    "getCoupon": ("chargeover", "GET", "/api/v3/coupon/1"),
    "unuseCoupon": ("crowdtwist", "POST", "/v2/coupon/unuse?api_key=QWERTY"),
    "listUsableCoupons": ("crowdtwist", "GET", "/v2/users/1001/usable_coupons?api_key=QWERTY"),
    "useCoupon": ("crowdtwist", "POST", "/v2/coupon/use?api_key=QWERTY"),
    "redeemReward": ("crowdtwist", "POST", "/v2/users/1001/redemption?api_key=QWERTY"),
    "receiveCoupons": ("shoplazza", "POST", "/openapi/2022-01/coupons/receive"),
}
"""operationId -> vendor, method and a target with the credentials that go into it."""

PREFIXES = {"/v2": "crowdtwist", "/api/v3": "chargeover", "/openapi": "shoplazza"}


@cache
def document(vendor: str) -> Document:
    """Return a vendor's document."""
    return load_document(vendor)


def operation(vendor: str, name: str) -> Operation:
    """Return an operation of a vendor, or its general answers."""
    known = document(vendor)
    return known.general if name == "general" else known.operations[name]


def vendor_of(path: str) -> str | None:
    """Return the vendor that a path belongs to."""
    return next((v for prefix, v in PREFIXES.items() if path == prefix or path.startswith(f"{prefix}/")), None)


def assert_is_json(answer: Answer) -> None:
    """Whatever the vendor: JSON by name and by content, and no trace of a framework."""
    assert answer.media_type == "application/json", answer
    assert answer.headers.get("Content-Length") == str(len(answer.body)) or not answer.body
    assert b"<" not in answer.body[:1]
    assert b"Traceback" not in answer.body


def assert_refusal(vendor: str, answer: Answer) -> None:
    """Check that an answer is an error in the vendor's envelope, as its page words it."""
    assert 400 <= answer.status < 500, answer
    assert_is_json(answer)
    value = answer.json
    if vendor == "crowdtwist":
        assert set(value) == {"error", "message"}, value
        assert value["error"] in {"input_error", "param_error", "page_not_found", "no_activities"} | _COUPON_REASONS
        assert value["message"]
        assert isinstance(value["message"], str)
    elif vendor == "chargeover":
        assert set(value) == {"code", "status", "message", "details", "response"}, value
        assert value["code"] == answer.status
        assert value["status"] == "Error"
        assert value["details"] == {}
        assert value["response"] is (None if answer.status == 404 else False)
    else:
        assert len(value) == 1, value
        texts = value["errors"] if "errors" in value else [value["error"]]
        assert texts
        assert all(isinstance(text, str) and text for text in texts)
        assert answer.headers["Request-Id"]


_COUPON_REASONS = {"no_data", "not_issued", "not_used", "internal_error", "not_configured", "invalid"}


def assert_fits_document(vendor: str, name: str, answer: Answer) -> None:
    """Check an answer against what the vendor's document says of its status."""
    errors = [error.message for error in _validator(vendor, name, answer.status).iter_errors(answer.json)]
    assert errors == []


@cache
def _validator(vendor: str, name: str, status: int) -> Validator:
    asked = operation(vendor, name)
    response = asked.response(status) or document(vendor).general.response(status)
    assert response is not None, f"{name} has no response {status}"
    return asked.validator(response, "application/json", {})


def assert_example(vendor: str, name: str, example: str, answer: Answer) -> None:
    """Check that an answer is exactly a named example of the vendor's document."""
    expected = operation(vendor, name).examples[example]
    assert (answer.status, answer.example) == (expected.status, example), answer
    assert_is_json(answer)
    if answer.body:  # an answer to HEAD has none
        assert same(answer.json, expected.value), answer.body
        assert_fits_document(vendor, name, answer)


def assert_problem(answer: Answer, status: int, kind: str) -> None:
    """Check that the mock speaks for itself, as RFC 9457 has it, and not in a vendor's name."""
    assert (answer.status, answer.media_type) == (status, "application/problem+json"), answer
    value = answer.json
    assert set(value) == {"type", "status", "detail"}
    assert value["type"] == f"urn:couponmock:{kind}"
    assert value["status"] == status
    assert value["detail"]


def same(one: Any, other: Any) -> bool:
    """Tell whether two JSON values are equal, types included: 1 is neither 1.0 nor true."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
