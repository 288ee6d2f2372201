"""couponmock with requests: a world of one's own, a client, a look at what was asked.

Run `couponmock serve`, then this, with COUPONMOCK_URL set if it is not at http://127.0.0.1:8642.
"""

import os
from uuid import uuid4

import requests

SERVER = os.environ.get("COUPONMOCK_URL", "http://127.0.0.1:8642")
ADMIN = f"{SERVER}/__admin"


def main() -> None:
    """Take the use of a coupon back, and let it expire."""
    name = f"requests-{uuid4().hex}"
    requests.post(f"{ADMIN}/namespaces", json={"name": name}, timeout=10).raise_for_status()
    try:
        # The only thing a client has to be told: this in place of the vendor's host.
        base_url = f"{SERVER}/~{name}"
        key = {"api_key": "QWERTY"}

        unused = requests.post(f"{base_url}/v2/coupon/unuse", params=key, json={"coupon_value": "JDSI2JE"}, timeout=10)
        assert unused.json() == {"success": True, "message": "Successfully submitted"}

        usable = requests.get(f"{base_url}/v2/users/1001/usable_coupons", params=key, timeout=10)
        assert "JDSI2JE" in {coupon["code"] for coupon in usable.json()}

        requests.post(f"{base_url}/__admin/clock/advance", json={"by": "400d"}, timeout=10).raise_for_status()
        usable = requests.get(f"{base_url}/v2/users/1001/usable_coupons", params=key, timeout=10)
        assert "JDSI2JE" not in {coupon["code"] for coupon in usable.json()}

        expected = {"operationId": "unuseCoupon", "count": 1, "match": {"body": {"coupon_value": "JDSI2JE"}}}
        verified = requests.post(f"{base_url}/__admin/verify", json=expected, timeout=10)
        assert verified.ok, verified.json()["detail"]
    finally:
        requests.delete(f"{ADMIN}/namespaces/{name}", timeout=10).raise_for_status()


if __name__ == "__main__":
    main()
    print("requests: all is well")
