"""couponmock with httpx, side by side in one event loop: a client for each of several worlds.

Run `couponmock serve`, then this, with COUPONMOCK_URL set if it is not at http://127.0.0.1:8642.
"""

import asyncio
import os
from uuid import uuid4

import httpx

SERVER = os.environ.get("COUPONMOCK_URL", "http://127.0.0.1:8642")
ANN = "5001"
LAST_ONE = "202314454241654716"
RECEIVED, OUT_OF_STOCK = 0, 8


async def buy(world: int) -> None:
    """Receive the last coupon of a world; nobody in another world takes it away."""
    name = f"httpx-{world}-{uuid4().hex}"
    async with httpx.AsyncClient(base_url=SERVER) as admin:
        (await admin.post("/__admin/namespaces", json={"name": name})).raise_for_status()
        try:
            # The only thing a client has to be told: this in place of the vendor's host.
            base_url = f"{SERVER}/~{name}"
            async with httpx.AsyncClient(base_url=base_url, headers={"access-token": "sunny-token"}) as shop:
                body = {"customer_id": ANN, "coupon_ids": [LAST_ONE]}
                outcomes = [(await shop.post("/openapi/2022-01/coupons/receive", json=body)).json() for _ in range(2)]
                assert [outcome["status"] for outcome in outcomes] == [RECEIVED, OUT_OF_STOCK]

                verified = await shop.post("/__admin/verify", json={"operationId": "receiveCoupons", "count": 2})
                assert verified.is_success, verified.json()["detail"]
        finally:
            (await admin.delete(f"/__admin/namespaces/{name}")).raise_for_status()


async def main() -> None:
    """Live in ten worlds at once."""
    await asyncio.gather(*(buy(world) for world in range(10)))


if __name__ == "__main__":
    asyncio.run(main())
    print("httpx: all is well")
