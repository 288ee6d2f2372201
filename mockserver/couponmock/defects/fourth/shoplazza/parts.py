"""What the defects of reading and of assigning are made of."""

from functools import partial
from typing import Any

from couponmock.defect import Defect
from couponmock.defects.adversary.making import sent_member
from couponmock.defects.third.making import object_in
from couponmock.exchange import Reply, Request

defect = partial(Defect, "shoplazza")

_PATH = "/openapi/2022-01/coupons/receive"

SUCCESS = "receive#success-response"
CREDENTIALS = (
    "receive#error-detail",
    "missing valid authentication credentials or the credentials provided are invalid",
)


def is_receive(request: Request) -> bool:
    """Tell whether a request asks for coupons, rightly or not."""
    return request.path == _PATH


def received(request: Request, reply: Reply) -> bool:
    """Tell whether a request got items."""
    return is_receive(request) and reply.status == 200 and "items" in object_in(reply)


def token_of(request: Request) -> str:
    """Return the token that a request sends; empty if there is none."""
    return request.headers.get("access-token", "")


def ids_of(request: Request) -> list[Any]:
    """Return the ids that a buffered request sends, whatever they are; none if they are no list."""
    ids = sent_member(request, "coupon_ids")
    return ids if isinstance(ids, list) else []
