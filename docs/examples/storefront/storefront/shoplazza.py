"""Shoplazza: coupons that a shop's customers receive."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from storefront.errors import error_for
from storefront.transport import Transport


class Outcome(IntEnum):
    """What became of a request to receive coupons."""

    RECEIVED = 0
    LIMIT_REACHED = 4
    EXPIRED = 5
    UNKNOWN_COUPON = 6
    ALREADY_RECEIVED = 7
    OUT_OF_STOCK = 8
    NOT_STARTED = 10


@dataclass(frozen=True)
class Receipt:
    """The vendor's answer to it."""

    outcome: Outcome
    coupon_ids: tuple[str, ...]
    """The coupons that it tells about."""


class Shoplazza:
    """A shop, seen with an access token."""

    def __init__(self, transport: Transport, access_token: str) -> None:
        self.transport = transport
        transport.session.headers["access-token"] = access_token

    def receive(self, customer_id: str, coupon_ids: Sequence[str]) -> Receipt:
        """Let a customer receive coupons.

        Raises:
            NotFound: there is no such customer.
            VendorError: see there.
        """
        body = {"customer_id": customer_id, "coupon_ids": list(coupon_ids)}
        status, answer = self.transport.send("POST", "/openapi/2022-01/coupons/receive", json=body)
        if status != 200:
            told = answer.get("errors") or [answer.get("error", "")]
            raise error_for(status, "; ".join(told))
        return Receipt(Outcome(answer["status"]), tuple(item["id"] for item in answer["items"]))
