"""ChargeOver: coupons of a billing account."""

from dataclasses import dataclass

from storefront.errors import error_for
from storefront.transport import Transport


@dataclass(frozen=True)
class Coupon:
    """A coupon of the account."""

    id: int
    code: str
    description: str


class ChargeOver:
    """An account, seen with its pair of keys."""

    def __init__(self, transport: Transport, public_key: str, private_key: str) -> None:
        self.transport = transport
        transport.session.auth = (public_key, private_key)

    def coupon(self, coupon_id: int) -> Coupon:
        """Return a coupon.

        Raises:
            NotFound: there is none of that id.
            VendorError: see there.
        """
        status, answer = self.transport.send("GET", f"/api/v3/coupon/{coupon_id}")
        if status != 200:
            raise error_for(status, answer.get("message", ""))
        found = answer["response"]
        return Coupon(found["coupon_id"], found["code"], found["descrip"])
