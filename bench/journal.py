"""Does the journal stay small, however much is recorded, and what does it cost to remember what was seen?

    python bench/journal.py [--url postgresql://...] [--requests 50000] [--rounds 15]

Records N exchanges and then 9 N more, and prints the resident memory of the process and the size of the store after
each, with their ratios. Then records with and without an answer to remember, in turn, and prints the processor time of
both and the median ratio. Without --url the store is a temporary SQLite file.
"""

import argparse
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path

from couponmock.store import Seed, Store

ENTRY = {
    "id": "0123456789abcdef0123456789abcdef",
    "method": "POST",
    "path": "/v2/coupon/unuse",
    "query": {"api_key": "***"},
    "body": {"coupon_value": "JDSI2JE"},
    "vendor": "crowdtwist",
    "operation": "unuseCoupon",
    "finding": "",
    "example": "not_used",
    "basis": "inferred",
    "status": 404,
    "answer": {"error": "not_used", "message": "Coupon has not been used."},
}
ANSWERS = [f"vendor operation example_{number}" for number in range(96)]
"""As many as the three vendors document, and as many again for those that were asked for."""
SEED = Seed("coupon", "a", {}, ())
AT_ONCE = 500
"""Recordings of one block when two ways are compared."""


def record(store: Store, times: int, *, remember: bool) -> None:
    """Record exchanges."""
    for turn in range(times):
        store.record("bench", {**ENTRY, "turn": turn}, answer=ANSWERS[turn % len(ANSWERS)] if remember else None)


def resident() -> int:
    """Return the resident memory of this process in bytes."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise LookupError


def size(folder: Path) -> int:
    """Return the size of the store's files in bytes, its write-ahead log included."""
    return sum(file.stat().st_size for file in folder.iterdir())


def grow(store: Store, folder: Path, requests: int) -> None:
    """Print memory and size after some requests and after ten times as many."""
    figures = []
    for times in (requests, 9 * requests):
        record(store, times, remember=True)
        figures.append((resident(), size(folder)))
    print(f"{'bytes after requests':<22}{requests:>14,}{10 * requests:>14,}{'ratio':>8}")
    for name, few, many in zip(("resident memory", "store file"), *figures, strict=True):
        if few:
            print(f"{name:<22}{few:>14,}{many:>14,}{many / few:>8.2f}")
    print(f"journal {len(store.journal('bench')):,} entries, {len(store.seen('bench'))} answers seen")


def compare(store: Store, rounds: int) -> None:
    """Print what remembering an answer costs, as a ratio."""
    took: dict[bool, list[float]] = {False: [], True: []}
    for turn in range(rounds):
        for remember in (False, True) if turn % 2 else (True, False):
            start = time.process_time()
            record(store, AT_ONCE, remember=remember)
            took[remember].append((time.process_time() - start) / AT_ONCE * 1e6)
    without, remembering = (statistics.median(took[remember]) for remember in (False, True))
    ratio = statistics.median(one / other for one, other in zip(took[True], took[False], strict=True))
    print(f"record {without:.1f} us, with an answer {remembering:.1f} us of processor time, ratio {ratio:.2f}")


def main() -> None:
    """Read the options and measure."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--url", help="the store to measure (default: a temporary SQLite file)")
    options.add_argument("--requests", type=int, default=50_000)
    options.add_argument("--rounds", type=int, default=15)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = given.url or f"sqlite:///{Path(folder, 'store.db')}"
        with closing(Store.open(url)) as store:
            store.install_pack("bench", [SEED])
            with store.session("bench", write=False, pack="bench"):
                pass
            grow(store, Path(folder), given.requests)
            compare(store, given.rounds)


if __name__ == "__main__":
    main()
