"""How CrowdTwist's operations break."""

from couponmock.defects.fourth.crowdtwist.listing import LIST_DEFECTS
from couponmock.defects.fourth.crowdtwist.unuse import UNUSE_DEFECTS
from couponmock.defects.third.making import aside

DEFECTS = aside(*UNUSE_DEFECTS, *LIST_DEFECTS)
