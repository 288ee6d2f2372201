"""How Shoplazza's operation breaks."""

from couponmock.defects.fourth.shoplazza.assigning import ASSIGNING_DEFECTS
from couponmock.defects.fourth.shoplazza.handling import HANDLING_DEFECTS
from couponmock.defects.third.making import aside

DEFECTS = aside(*HANDLING_DEFECTS, *ASSIGNING_DEFECTS)
