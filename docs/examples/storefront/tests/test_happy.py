"""What the shop does every day."""

import pytest
from couponmock import Namespace
from storefront import ChargeOver, Coupon, CrowdTwist, NotFound, Outcome, Shoplazza


def test_a_use_that_is_taken_back_makes_the_coupon_usable(couponmock: Namespace, crowdtwist: CrowdTwist) -> None:
    """Once; the second time there is no use to take back."""
    code = couponmock.bindings("crowdtwist")["coupon.used"]["code"]
    assert code not in {coupon.code for coupon in crowdtwist.usable_coupons("1001")}
    crowdtwist.unuse(code)
    assert code in {coupon.code for coupon in crowdtwist.usable_coupons("alice@crowdtwist.com", "email")}
    with pytest.raises(NotFound):
        crowdtwist.unuse(code)

    couponmock.verify("unuseCoupon", count=2, match={"body": {"coupon_value": code}})
    couponmock.verify("listUsableCoupons", count=1, match={"query": {"id_type": "email"}})


def test_a_member_without_coupons_has_none(crowdtwist: CrowdTwist) -> None:
    """CrowdTwist calls one who never got any an error; for us it is an empty list."""
    assert crowdtwist.usable_coupons("1003") == []
    assert crowdtwist.usable_coupons("1005") == []


@pytest.mark.couponmock(pack="documented")
def test_the_printed_coupon_is_read(chargeover: ChargeOver) -> None:
    """The world `documented` holds what the vendors' own pages print."""
    assert chargeover.coupon(1) == Coupon(1, "ABC123", "10% off your next purchase")


def test_a_customer_receives_the_last_coupon(couponmock: Namespace, shoplazza: Shoplazza) -> None:
    """And nobody after that."""
    world = couponmock.bindings("shoplazza")
    ann, ben = world["customer.ann"]["customer_id"], world["customer.ben"]["customer_id"]
    last_one = world["coupon.last_one"]["id"]
    received = shoplazza.receive(ann, [last_one])
    assert (received.outcome, received.coupon_ids) == (Outcome.RECEIVED, (last_one,))
    assert shoplazza.receive(ben, [last_one]).outcome is Outcome.OUT_OF_STOCK
