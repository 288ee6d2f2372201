"""A provider of test data for couponcheck: makes every entity anew in couponmock, and removes it when it is done with.

For a server of your own replace `put` and `delete` by what makes and removes entities there; the rest is the protocol.
It needs nothing but Python: COUPONMOCK_URL=http://127.0.0.1:8642 python mock_provider.py
"""

import itertools
import json
import os
import secrets
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

ADMIN = os.environ["COUPONMOCK_URL"].rstrip("/") + "/__admin/state/crowdtwist"
ACCOUNTS = {"main": "sunshine", "other": "moonlight"}
UNIQUE = {
    "id",
    "email",
    "facebook_user_id",
    "twitter_user_id",
    "third_party_id",
    "username",
    "mobile_phone_number",
    "inst_username",
    "code",
}
"""Members whose value no other entity may have."""
ORDER = {
    "reward_id": 1,
    "reward_title": "A reward",
    "redeem_order_id": 1,
    "redeem_order_coupon_id": 1,
    "total_points_redeemed": 50,
    "ending_balance": 0,
    "quantity": 1,
    "coupon_category_id": 1,
    "coupon_category_name": "Rewards",
    "coupon_category_expiration_days": 90,
    "batch_num": 1,
}
"""What a coupon has that somebody owns."""

numbers = itertools.count(secrets.randbelow(10**9) + 10**9)
Made = list[tuple[str, str]]
"""Kind and name of what was made, in that order."""
grants: dict[str, Made] = {}


def send(method: str, kind: str, name: str, members: dict[str, Any] | None = None) -> None:
    """Ask the admin interface to put or delete an entity."""
    body = None if members is None else json.dumps({"members": members}).encode()
    request = urllib.request.Request(  # noqa: S310 - the URL is the operator's own
        f"{ADMIN}/{kind}/{name}", data=body, method=method, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310 - as above
        response.read()


def fresh(members: dict[str, Any]) -> dict[str, Any]:
    """Give every member that has to be unique a value that nothing else has, as long as before if that is long."""
    number = str(next(numbers))
    made = dict(members)
    for name in UNIQUE & members.keys():
        value = members[name]
        made[name] = number + value[len(number) :] if len(value) > 100 else f"{number}-{value}"
    if "id" in made:
        made["id"] = number
    return made


def owned(need: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield coupons for a member who has to own some that nobody asks for by a handle."""
    moments = {"past": "-1d", "to come": "+30d"}
    for group in need["owns"]:
        for _ in range(group["number"]):
            state = {name: moments.get(value, value) for name, value in group["state"].items()}
            yield {"code": "OWNED", **ORDER, "order_date_created": "-2d", "coupon_date_created": "-3d", **state}


def provide(needs: dict[str, Any]) -> dict[str, Any]:
    """Make the entities that are needed, members before their coupons, and remember them under a new grant."""
    if any("main" not in need["credentials"] and "other" not in need["credentials"] for need in needs.values()):
        return {"cannot": "there are two programs only"}
    made: Made = []
    names: dict[str, str] = {}
    entities = {}
    grant = str(next(numbers))
    grants[grant] = made  # at once: what was made before a failure can still be removed

    def put(kind: str, members: dict[str, Any]) -> str:
        name = f"provided_{next(numbers)}"
        send("PUT", kind, name, members)
        made.append((kind, name))
        return name

    for handle, need in sorted(needs.items(), key=lambda item: item[1]["kind"] != "member"):
        client = next(ACCOUNTS[name] for name in need["credentials"] if name in ACCOUNTS)
        members = {"client": client, **fresh(need["sample"])}
        if members.get("owner") is not None:
            owner = members["owner"]
            if owner not in names:
                names[owner] = put("member", {"client": client, "id": str(next(numbers))})
            members["owner"] = names[owner]
        names[handle] = put(need["kind"], members)
        entities[handle] = {
            name: value for name, value in members.items() if name in need["sample"] and name != "owner"
        }
        if need["kind"] == "member" and not any(other["sample"].get("owner") == handle for other in needs.values()):
            for coupon in owned(need):
                put("coupon", {"client": client, "owner": names[handle], **fresh(coupon)})
    return {"entities": entities, "grant": grant}


def release(grant: str) -> dict[str, Any]:
    """Remove what was made, coupons before their members."""
    for kind, name in reversed(grants.pop(grant)):
        send("DELETE", kind, name)
    return {"released": True}


def answer(message: dict[str, Any]) -> dict[str, Any]:
    """Answer one request of the protocol."""
    if message["vendor"] != "crowdtwist":
        return {"error": f"{message['vendor']} is not known here"}
    if message["request"] == "describe":
        return {"handles": ["member.*", "coupon.*"]}
    if message["request"] == "provide":
        return provide(message["needs"])
    return release(message["grant"])


for line in sys.stdin:
    try:
        said = answer(json.loads(line))
    except urllib.error.HTTPError as error:
        said = {"error": error.read().decode()}
    except OSError as error:
        said = {"error": f"the mock cannot be reached: {error}"}
    print(json.dumps({"version": 1, **said}), flush=True)
