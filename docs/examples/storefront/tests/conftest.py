"""The clients, pointed at the mock with the credentials that its world knows."""

import pytest
from couponmock import Namespace
from storefront import ChargeOver, CrowdTwist, Shoplazza
from storefront.transport import Transport


@pytest.fixture
def pauses() -> list[float]:
    """Collect how long the clients would have waited."""
    return []


@pytest.fixture
def crowdtwist(couponmock: Namespace, pauses: list[float]) -> CrowdTwist:
    """Return a client of the program."""
    key = couponmock.bindings("crowdtwist")["credential.main"]["secret"]
    return CrowdTwist(Transport(couponmock.base_url("crowdtwist"), pauses.append), key)


@pytest.fixture
def chargeover(couponmock: Namespace, pauses: list[float]) -> ChargeOver:
    """Return a client of the account."""
    public, private = couponmock.bindings("chargeover")["credential.main"]["secret"].split(":")
    return ChargeOver(Transport(couponmock.base_url("chargeover"), pauses.append), public, private)


@pytest.fixture
def shoplazza(couponmock: Namespace, pauses: list[float]) -> Shoplazza:
    """Return a client of the shop."""
    token = couponmock.bindings("shoplazza")["credential.main"]["secret"]
    return Shoplazza(Transport(couponmock.base_url("shoplazza"), pauses.append), token)
