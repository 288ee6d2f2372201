"""What the defects of both CrowdTwist operations are made of."""

from functools import partial
from typing import Any

from couponmock.defect import Defect
from couponmock.defects.adversary.making import sent_member
from couponmock.defects.second.making import asked_with
from couponmock.exchange import Reply, Request

defect = partial(Defect, "crowdtwist")

UNUSE = "unuseCoupon"
LIST = "listUsableCoupons"
UNUSE_PATH = "/v2/coupon/unuse"
LIST_END = "/usable_coupons"

KEY = ("unuse#query-parameters", "api_key | QWERTY | Yes | String |")
LIST_KEY = ("usable-coupons#query-parameters", "api_key QWERTYUIOP Yes String")
REASONS = ("unuse#error-response-codes", "not_used")
NO_DATA = ("unuse#example-response-codes", "404 | no_data | Unable to find coupon.")
USABLE = (
    "usable-coupons#request-details",
    "returns a list of reward coupons which are available for use by a given program member",
)
ASSIGNED = ("usable-coupons#request-details", "assigned to the user through reward redemption")


def is_unuse(request: Request) -> bool:
    """Tell whether a request asks for an unuse, rightly or not."""
    return request.path == UNUSE_PATH


def is_list(request: Request) -> bool:
    """Tell whether a request asks for a member's coupons, rightly or not."""
    return request.path.endswith(LIST_END)


def code_of(request: Request) -> Any:
    """Return the code that a buffered request sends; None if there is none."""
    return sent_member(request, "coupon_value")


def key_of(request: Request) -> str:
    """Return the key that a request sends in its query."""
    return asked_with(request, "api_key")


def member_of(request: Request) -> str:
    """Return the user id that a request for a list sends."""
    return request.path.removesuffix(LIST_END).rpartition("/")[2]


def lists(request: Request, reply: Reply) -> bool:
    """Tell whether a request got a list, with nothing around it."""
    return is_list(request) and reply.status == 200 and reply.body[:1] == b"["


def unused(request: Request, reply: Reply) -> bool:
    """Tell whether a request has unused a coupon."""
    return is_unuse(request) and reply.status < 300
