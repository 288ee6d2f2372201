"""What time does to coupons. No test waits: the mock's clock is moved."""

from datetime import timedelta

from couponmock import Namespace
from storefront import CrowdTwist, Outcome, Shoplazza


def test_a_coupon_is_usable_until_it_expires(couponmock: Namespace, crowdtwist: CrowdTwist) -> None:
    """To the second."""
    couponmock.clock.freeze()
    coupon = next(coupon for coupon in crowdtwist.usable_coupons("1001") if coupon.code == "LAST-DAY-77")
    assert coupon.expires
    couponmock.clock.set(coupon.expires - timedelta(seconds=1))
    assert coupon in crowdtwist.usable_coupons("1001")
    couponmock.clock.advance(1)
    assert coupon not in crowdtwist.usable_coupons("1001")


def test_a_coupon_can_be_received_once_its_time_has_come(couponmock: Namespace, shoplazza: Shoplazza) -> None:
    """Neither before nor after."""
    upcoming = couponmock.bindings("shoplazza")["coupon.upcoming"]["id"]
    outcomes = [shoplazza.receive("5001", [upcoming]).outcome]
    for span in ("8d", "60d"):
        couponmock.clock.advance(span)
        outcomes.append(shoplazza.receive("5002", [upcoming]).outcome)
    assert outcomes == [Outcome.NOT_STARTED, Outcome.RECEIVED, Outcome.EXPIRED]
