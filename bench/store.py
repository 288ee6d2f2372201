"""Does the cost of a namespace depend on the size of its pack? Prints microseconds and their ratio.

    python bench/store.py [--url postgresql://...] [--small 100] [--large 1000000] [--rounds 5]

Both packs live in one store and are measured in turn, in one run. A server that has installed the packs before is
measured without installing them again; without --url the store is a temporary SQLite file.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from couponmock.store import Record, Seed, Store

Action = Callable[[Store, str, int], None]

ENTRY = {
    "operationId": "getCoupon",
    "request": {"method": "GET", "path": "/v1/coupons/c1", "query": {"api_key": "***"}, "headers": {"accept": "*/*"}},
    "response": {"status": 200, "body": {"code": "CODE0000001", "text": "x" * 400}},
}


def seeds(size: int) -> Iterator[Seed]:
    """Make coupons as the vendors have them: each with a code, three to a member."""
    for number in range(size):
        code, member = f"CODE{number * 7919 % size:07d}", f"member-{number // 3}"
        data = {"code": code, "member": member, "status": "issued", "amount": "10.00", "created": 1_478_908_800}
        yield Seed("coupon", f"c{number}", data, (("code", code), ("member", member)))


def expect(found: Record | list[Record] | None) -> None:
    """Stop if nothing was found: then the figure would be that of a miss."""
    if not found:
        raise LookupError


def get(store: Store, pack: str, turn: int) -> None:
    """Read one record by id, in a session of its own."""
    with store.session(f"read-{pack}", write=False, pack=pack) as session:
        expect(session.get("coupon", f"c{turn % 100}"))


def find(store: Store, pack: str, turn: int) -> None:
    """Find a member's coupons, in a session of its own."""
    with store.session(f"read-{pack}", write=False, pack=pack) as session:
        expect(session.find("coupon", "member", f"member-{turn % 33}"))


def both(store: Store, pack: str, turn: int) -> None:
    """Read one record and find a member's coupons, in one session: a typical request."""
    with store.session(f"read-{pack}", write=False, pack=pack) as session:
        expect(session.get("coupon", f"c{turn % 100}"))
        expect(session.find("coupon", "member", f"member-{turn % 33}"))


def put(store: Store, pack: str, turn: int) -> None:
    """Replace one record, in a session of its own."""
    with store.session(f"write-{pack}", write=True, pack=pack) as session:
        session.put("coupon", f"c{turn % 100}", {"turn": turn}, [("code", f"CODE{turn % 100}")])


def count(store: Store, pack: str, turn: int) -> None:
    """Move a counter on, in a session of its own."""
    with store.session(f"write-{pack}", write=True, pack=pack) as session:
        session.count(f"id-{turn % 10}")


def record(store: Store, pack: str, turn: int) -> None:
    """Append an entry of the usual size to a journal that is full."""
    store.record(f"write-{pack}", ENTRY | {"turn": turn})


def set_clock(store: Store, pack: str, turn: int) -> None:
    """Stop a clock at a moment."""
    store.set_clock(f"write-{pack}", frozen=1_478_908_800 + turn)


def configure(store: Store, pack: str, turn: int) -> None:
    """Replace the settings."""
    store.update_settings(f"write-{pack}", lambda _: {"strict": True, "turn": turn})


def snapshot(store: Store, pack: str, turn: int) -> None:
    """Copy a namespace that has changed a hundred records."""
    store.snapshot(f"write-{pack}", f"bench-{turn % 10}")


def restore(store: Store, pack: str, turn: int) -> None:
    """Put such a copy in place of as many changed records."""
    store.restore(f"write-{pack}", f"bench-{turn % 10}")


def create(store: Store, pack: str, turn: int) -> None:
    """Make a namespace."""
    store.create_namespace(f"{pack}-{turn}", pack)


def reset(store: Store, pack: str, turn: int) -> None:
    """Reset a namespace that has changed nothing."""
    store.reset_namespace(f"{pack}-{turn}")


def drop(store: Store, pack: str, turn: int) -> None:
    """Drop a namespace that has changed nothing."""
    store.drop_namespace(f"{pack}-{turn}")


# The last three work on the namespaces that the first of them makes, those from put to restore on the one it changes.
ACTIONS: tuple[tuple[Action, int], ...] = (
    (get, 2000),
    (find, 2000),
    (both, 2000),
    (put, 500),
    (count, 500),
    (record, 2000),
    (set_clock, 500),
    (configure, 500),
    (snapshot, 100),
    (restore, 100),
    (create, 500),
    (reset, 500),
    (drop, 500),
)


def microseconds(store: Store, action: Action, pack: str, times: int) -> float:
    """Time one action, done `times` times."""
    start = time.perf_counter()
    for turn in range(times):
        action(store, pack, turn)
    return (time.perf_counter() - start) / times * 1e6


def measure(store: Store, small: int, large: int, rounds: int) -> None:
    """Install both packs and print a line per action."""
    packs = {size: f"bench-{size}" for size in (small, large)}
    for size, pack in packs.items():
        start = time.perf_counter()
        store.install_pack(pack, seeds(size))
        print(f"install {size:>9,} coupons {time.perf_counter() - start:8.2f} s")
    print(f"{'microseconds, median':<22}{f'{small:,}':>12}{f'{large:,}':>12}{'ratio':>8}")
    took: dict[tuple[str, str], list[float]] = {}
    for _ in range(rounds):
        for action, times in ACTIONS:
            for pack in packs.values():
                took.setdefault((action.__name__, pack), []).append(microseconds(store, action, pack, times))
    for action, _ in ACTIONS:
        few, many = (statistics.median(took[action.__name__, pack]) for pack in packs.values())
        print(f"{action.__name__:<22}{few:>12.1f}{many:>12.1f}{many / few:>8.2f}")


def main() -> None:
    """Read the options and measure."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--url", help="the store to measure (default: a temporary SQLite file)")
    options.add_argument("--small", type=int, default=100)
    options.add_argument("--large", type=int, default=1_000_000)
    options.add_argument("--rounds", type=int, default=5)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = given.url or f"sqlite:///{Path(folder, 'store.db')}"
        with closing(Store.open(url)) as store:
            measure(store, given.small, given.large, given.rounds)


if __name__ == "__main__":
    main()
