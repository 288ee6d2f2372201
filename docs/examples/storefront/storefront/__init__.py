"""Clients of three coupon vendors."""

from storefront.chargeover import ChargeOver, Coupon
from storefront.crowdtwist import CrowdTwist, UsableCoupon
from storefront.errors import InvalidRequest, NotFound, Unauthorized, Unavailable, VendorError
from storefront.shoplazza import Outcome, Receipt, Shoplazza

__all__ = [
    "ChargeOver",
    "Coupon",
    "CrowdTwist",
    "InvalidRequest",
    "NotFound",
    "Outcome",
    "Receipt",
    "Shoplazza",
    "Unauthorized",
    "Unavailable",
    "UsableCoupon",
    "VendorError",
]
