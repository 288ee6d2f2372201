"""Every answer that the vendors document, met by the clients. `couponmock fixtures` lists them."""

import pytest
from couponmock import Namespace
from storefront import (
    ChargeOver,
    CrowdTwist,
    InvalidRequest,
    NotFound,
    Outcome,
    Shoplazza,
    Unauthorized,
    Unavailable,
    VendorError,
)
from storefront.transport import Transport


def expect(transport: Transport, example: str) -> None:
    """Ask the mock for an answer by the name it has in the vendor's document."""
    transport.session.headers["Prefer"] = f"example={example}"


@pytest.mark.parametrize(
    ("example", "error", "status", "identifier"),
    [
        ("coupon_value_required", InvalidRequest, 400, "input_error"),
        ("malformed_body", InvalidRequest, 400, "input_error"),
        ("invalid_coupon_value", InvalidRequest, 400, "input_error"),
        ("unsupported_media_type", InvalidRequest, 400, "input_error"),
        ("missing_api_key", Unauthorized, 401, "input_error"),
        ("unknown_api_key", Unauthorized, 401, "input_error"),
        ("no_data", NotFound, 404, "no_data"),
        ("not_issued", NotFound, 404, "not_issued"),
        ("not_used", NotFound, 404, "not_used"),
        ("body_too_large", InvalidRequest, 413, "input_error"),
        ("internal_error", Unavailable, 500, "internal_error"),
        ("not_configured", Unavailable, 500, "not_configured"),
    ],
)
def test_unuse_maps_every_error(
    crowdtwist: CrowdTwist, example: str, error: type[VendorError], status: int, identifier: str
) -> None:
    """By status; the vendor's own name of it is kept."""
    expect(crowdtwist.transport, example)
    with pytest.raises(error) as raised:
        crowdtwist.unuse("JDSI2JE")
    assert (raised.value.status, raised.value.identifier) == (status, identifier)


@pytest.mark.parametrize(
    ("example", "error", "identifier"),
    [
        ("unknown_member", InvalidRequest, "page_not_found"),
        ("missing_user_id", InvalidRequest, "param_error"),
        ("invalid_parameter", InvalidRequest, "param_error"),
        ("malformed_user_id", InvalidRequest, "input_error"),
        ("missing_api_key", Unauthorized, "param_error"),
        ("internal_error", Unavailable, "internal_error"),
    ],
)
def test_usable_coupons_maps_every_error(
    crowdtwist: CrowdTwist, example: str, error: type[VendorError], identifier: str
) -> None:
    """By status; only a member who never got a coupon is none."""
    expect(crowdtwist.transport, example)
    with pytest.raises(error) as raised:
        crowdtwist.usable_coupons("1001")
    assert raised.value.identifier == identifier


@pytest.mark.parametrize(
    ("example", "error"),
    [
        ("invalid_coupon_id", InvalidRequest),
        ("missing_authorization", Unauthorized),
        ("wrong_authorization", Unauthorized),
        ("not_found", NotFound),
        ("internal_error", Unavailable),
    ],
)
def test_coupon_maps_every_error(chargeover: ChargeOver, example: str, error: type[VendorError]) -> None:
    """By status."""
    expect(chargeover.transport, example)
    with pytest.raises(error):
        chargeover.coupon(1)


@pytest.mark.parametrize(
    ("example", "error"),
    [
        ("bad_request", InvalidRequest),
        ("unauthorized", Unauthorized),
        ("missing_scope", Unauthorized),
        ("customer_not_exist", NotFound),
        ("coupon_ids_required", InvalidRequest),
        ("internal_error", Unavailable),
    ],
)
def test_receive_maps_every_error(shoplazza: Shoplazza, example: str, error: type[VendorError]) -> None:
    """By status."""
    expect(shoplazza.transport, example)
    with pytest.raises(error):
        shoplazza.receive("5001", ["202314454241654711"])


@pytest.mark.parametrize(
    ("handle", "outcome"),
    [
        ("coupon.welcome", Outcome.RECEIVED),
        ("coupon.limit", Outcome.LIMIT_REACHED),
        ("coupon.received", Outcome.ALREADY_RECEIVED),
        ("coupon.exhausted", Outcome.OUT_OF_STOCK),
        ("coupon.expired", Outcome.EXPIRED),
        ("coupon.upcoming", Outcome.NOT_STARTED),
    ],
)
def test_receive_tells_every_outcome(
    couponmock: Namespace, shoplazza: Shoplazza, handle: str, outcome: Outcome
) -> None:
    """Nothing is asked for here: the world holds a coupon in each of the states."""
    coupon = couponmock.bindings("shoplazza")[handle]["id"]
    assert shoplazza.receive("5001", [coupon]).outcome is outcome
    assert shoplazza.receive("5001", ["1"]).outcome is Outcome.UNKNOWN_COUPON


def test_a_request_too_many_is_sent_once_more(
    couponmock: Namespace, chargeover: ChargeOver, pauses: list[float]
) -> None:
    """After the time that the vendor asks for, and then no more."""
    throttled = couponmock.bindings("chargeover")["coupon.throttled"]["coupon_id"]
    with pytest.raises(Unavailable) as raised:
        chargeover.coupon(throttled)
    assert raised.value.status == 429
    assert pauses == [1.0]
    couponmock.verify("getCoupon", count=2, match={"status": 429})


def test_a_vendor_that_is_not_there_is_unavailable() -> None:
    """Nobody answers."""
    with pytest.raises(Unavailable, match="No answer"):
        CrowdTwist(Transport("http://127.0.0.1:1"), "KEY").unuse("JDSI2JE")
