"""What other processes do to a store in `couponmock/test_store_*.py`; a spawned one imports it from here."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

from couponmock.store import NamespaceExists, Seed, Store

if TYPE_CHECKING:
    import threading

THREADS = 4
COUPONS = tuple(f"coupon-{number}" for number in range(12))
SEEDS = (
    *(Seed("coupon", id_, {"state": "issued"}, (("state", "issued"),)) for id_ in COUPONS),
    Seed("purse", "left", {"cents": 1000}, (("cents", "1000"),)),
    Seed("purse", "right", {"cents": 0}, (("cents", "0"),)),
)


def install(store: Store) -> None:
    """Install the pack all rivals use."""
    store.install_pack("demo", SEEDS)


def redeem(store: Store, coupon: str) -> bool:
    """Try to use a coupon, count the attempt, and say whether it was us who used it."""
    with store.session("n", write=True, pack="demo") as session:
        count = session.get("count", "attempts")
        session.put("count", "attempts", {"n": count.data["n"] + 1 if count else 1}, [])
        found = session.get("coupon", coupon)
        if found is None or found.data["state"] != "issued":
            return False
        session.put("coupon", coupon, {"state": "used"}, [("state", "used")])
        return True


def redeem_all(url: str) -> list[str]:
    """Try every coupon from several threads at once and name those this process has used."""
    with closing(Store.open(url)) as store, ThreadPoolExecutor(THREADS) as threads:
        attempts = [(coupon, threads.submit(redeem, store, coupon)) for coupon in COUPONS for _ in range(THREADS)]
        return [coupon for coupon, attempt in attempts if attempt.result()]


def open_at_once(urls: list[str], start: "threading.Barrier") -> list[str]:
    """Open stores one by one, each at the same moment as the other rivals, install the pack and use a namespace."""
    packs = []
    for url in urls:
        start.wait()
        with closing(Store.open(url)) as store:
            install(store)
            with store.session("n", write=True, pack="demo") as session:
                session.put("rival", f"{session.namespace.epoch}", {}, [])
            packs += store.packs()
    return packs


def create_at_once(url: str, start: "threading.Barrier", names: list[str]) -> list[str]:
    """Make namespaces at the same moment as the other rivals and name those this process has made."""
    with closing(Store.open(url)) as store:
        start.wait()
        return [name for name in names if made(store, name)]


def made(store: Store, name: str) -> bool:
    """Try to make a namespace and say whether it was us who made it."""
    try:
        store.create_namespace(name, "demo")
    except NamespaceExists:
        return False
    return True


def shift(url: str, times: int) -> None:
    """Move a cent from one purse to the other, again and again, and start over now and then."""
    with closing(Store.open(url)) as store:
        for turn in range(times):
            with store.session("n", write=True, pack="demo") as session:
                left, right = session.get("purse", "left"), session.get("purse", "right")
                assert left is not None
                assert right is not None
                for purse, cents in (("left", left.data["cents"] - 1), ("right", right.data["cents"] + 1)):
                    session.put("purse", purse, {"cents": cents}, [("cents", f"{cents}")])
            if turn % 10 == 0:
                store.reset_namespace("n")


def count_often(url: str, times: int) -> list[int]:
    """Move a counter on from several threads at once and name what it stood at."""

    def count(_: int) -> int:
        with store.session("n", write=True, pack="demo") as session:
            return session.count("id")

    with closing(Store.open(url)) as store, ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(count, range(times)))


def configure_often(url: str, times: int) -> None:
    """Count in the settings of a namespace, and move its clock on by a second each time."""

    def one_more(settings: dict[str, Any]) -> dict[str, Any]:
        return settings | {"n": settings.get("n", 0) + 1}

    with closing(Store.open(url)) as store:
        for _ in range(times):
            store.update_settings("n", one_more)
            store.advance_clock("n", 1)


def record_often(url: str, rival: int, times: int) -> None:
    """Record numbered entries."""
    with closing(Store.open(url)) as store:
        for turn in range(times):
            store.record("n", {"rival": rival, "turn": turn})
