"""CrowdTwist: a loyalty program's members and the coupons they have redeemed."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote

from storefront.errors import error_for
from storefront.transport import Transport

IdType = Literal["id", "email", "facebook_user_id", "twitter_user_id", "third_party_id", "username"]


@dataclass(frozen=True)
class UsableCoupon:
    """A coupon that a member can use now."""

    code: str
    title: str
    expires: datetime | None


class CrowdTwist:
    """A client's view of the program."""

    def __init__(self, transport: Transport, api_key: str) -> None:
        self.transport = transport
        self._key = {"api_key": api_key}

    def unuse(self, code: str) -> None:
        """Take a use of a coupon back, so that its owner can use it again.

        Raises:
            NotFound: there is no such coupon, or it has not been used.
            VendorError: see there.
        """
        self._send("POST", "/v2/coupon/unuse", json={"coupon_value": code}, params=self._key)

    def usable_coupons(self, member: str, id_type: IdType = "id") -> list[UsableCoupon]:
        """Return the coupons that a member can use now; none also for one who never got any.

        Raises:
            InvalidRequest: there is no such member.
            VendorError: see there.
        """
        path = f"/v2/users/{quote(member, safe='')}/usable_coupons"
        found = self._send("GET", path, params={**self._key, "id_type": id_type}, fine={"no_activities"})
        return [_coupon(members) for members in found]

    def _send(self, method: str, path: str, fine: set[str] | None = None, **parts: Any) -> Any:
        status, answer = self.transport.send(method, path, **parts)
        if status == 200:
            return answer
        if answer.get("error") in (fine or ()):
            return []
        raise error_for(status, answer.get("message", ""), answer.get("error", ""))


def _coupon(members: dict[str, Any]) -> UsableCoupon:
    expires = members["date_to_expire"]
    return UsableCoupon(
        code=members["code"],
        title=members["reward_title"],
        expires=None if expires is None else datetime.fromtimestamp(expires, UTC),
    )
