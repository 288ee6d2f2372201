"""How an adversary would be wrong about CrowdTwist's pages."""

from couponmock.defects.adversary.crowdtwist import listing, unuse

DEFECTS = (*unuse.DEFECTS, *listing.DEFECTS)
