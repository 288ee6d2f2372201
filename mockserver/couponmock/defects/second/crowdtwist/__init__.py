"""How CrowdTwist's operations break."""

from couponmock.defects.second.crowdtwist.listing import LIST_DEFECTS
from couponmock.defects.second.crowdtwist.unuse import UNUSE_DEFECTS
from couponmock.defects.second.making import blind

DEFECTS = blind(*UNUSE_DEFECTS, *LIST_DEFECTS)
