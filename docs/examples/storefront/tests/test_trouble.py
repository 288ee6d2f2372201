"""What the vendors' sandboxes never do when one needs it: fail, fall silent, and answer in the other of two ways."""

import pytest
from couponmock import Namespace
from storefront import ChargeOver, CrowdTwist, InvalidRequest, NotFound, Outcome, Shoplazza, Unavailable


def test_a_short_outage_is_not_noticed(couponmock: Namespace, crowdtwist: CrowdTwist, pauses: list[float]) -> None:
    """The first request meets a 503, the second one the vendor."""
    couponmock.fault("unuseCoupon", kind="status", status=503, retryAfter=2, times=1)
    crowdtwist.unuse("JDSI2JE")
    assert pauses == [2.0]
    assert [entry.status for entry in couponmock.requests()] == [503, 200]


def test_a_long_outage_is_reported_until_it_is_over(couponmock: Namespace, chargeover: ChargeOver) -> None:
    """Two requests, then it is given up; after the outage all is well."""
    with couponmock.fault("getCoupon", kind="status", status=503) as outage:
        with pytest.raises(Unavailable):
            chargeover.coupon(1)
        assert outage.applied == 2
    assert chargeover.coupon(1).code == "ABC123"


@pytest.mark.parametrize("kind", ["drop", "truncate", "malformed"])
def test_an_answer_that_is_no_answer_is_reported(couponmock: Namespace, shoplazza: Shoplazza, kind: str) -> None:
    """The customer may have got the coupon nevertheless; asking again tells."""
    received = couponmock.bindings("shoplazza")["coupon.once"]["id"]
    couponmock.fault("receiveCoupons", kind=kind, times=1, stage="after")
    with pytest.raises(Unavailable):
        shoplazza.receive("5001", [received])
    assert shoplazza.receive("5001", [received]).outcome is Outcome.ALREADY_RECEIVED


@pytest.mark.couponmock(readings={"crowdtwist.unknown-member": "404"})
def test_an_unknown_member_as_newer_pages_have_it(crowdtwist: CrowdTwist) -> None:
    """The vendor's pages disagree about the status; a client should stand both."""
    with pytest.raises(NotFound):
        crowdtwist.usable_coupons("99999999")


def test_an_unknown_member_as_the_page_prints_it(couponmock: Namespace, crowdtwist: CrowdTwist) -> None:
    """This is the mock's default, and a reading can be changed in the middle of a test."""
    with pytest.raises(InvalidRequest):
        crowdtwist.usable_coupons("99999999")
    couponmock.readings.choose({"crowdtwist.unknown-member": "404"})
    with pytest.raises(NotFound):
        crowdtwist.usable_coupons("99999999")


def test_a_coupon_that_is_used_up_behind_our_back(couponmock: Namespace, shoplazza: Shoplazza) -> None:
    """State can be put where a test needs it."""
    coupon = couponmock.state.get("shoplazza", "coupon.welcome").members["id"]
    couponmock.state.put("shoplazza", "coupon.welcome", stock=0)
    assert shoplazza.receive("5001", [coupon]).outcome is Outcome.OUT_OF_STOCK
