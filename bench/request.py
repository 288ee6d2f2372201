"""What does a request cost, and what do the mock's features add to it?

    python bench/request.py [--rounds 30] [--requests 200]

Asks the mock's WSGI application in this process, without a network, as it comes and with one thing otherwise, in turn,
and prints for each the median processor time of a request and the ratio of the two, the median over the rounds. Beside
them stands the ratio of the plain way to itself, which tells how much is noise.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from couponmock.app import create_app
from couponmock.assembly import assemble
from couponmock.settings import Settings
from couponspec import locate
from flask.testing import FlaskClient

BASIC = {"Authorization": "Basic YWNtZS1wdWJsaWM6YWNtZS1wcml2YXRl"}
COUPON, LIST = "/api/v3/coupon/1", "/v2/users/1001/usable_coupons?api_key=QWERTY"
RULE = {"operation": "receiveCoupons", "kind": "status", "status": 503}
SETUPS: Mapping[str, tuple[tuple[str, str, object], ...]] = {
    "a named namespace": (),
    "clock frozen": (("POST", "/clock/freeze", {}),),
    "clock set and running": (("PUT", "/clock", {"now": 1893456000, "frozen": False}),),
    "a reading chosen": (("PUT", "/readings", {"crowdtwist.number-type": "string"}),),
    "a fault rule for another operation": (("POST", "/faults", RULE),),
    "a fault rule that applies": (("POST", "/faults", {"kind": "latency", "delay": {"ms": 0}}),),
    "a rate limit": (("PUT", "/limits", {"crowdtwist": {"size": 1000000, "leak": 1000000}}),),
    "strict mode": (("PUT", "/strict", {"mode": "warn"}),),
}
"""What is otherwise -> what the admin interface is asked for it."""

Ask = Callable[[], None]


def asking(client: FlaskClient, path: str) -> Ask:
    """Return what sends a request."""

    def ask() -> None:
        response = client.get(path, headers=BASIC)
        if response.status_code != 200:
            raise SystemExit(f"{path} answers {response.status_code}: {response.text}")

    return ask


def spent(ask: Ask, times: int) -> float:
    """Return the processor time of a request in microseconds."""
    begun = time.process_time()
    for _ in range(times):
        ask()
    return (time.process_time() - begun) / times * 1e6


def compare(name: str, plain: Ask, other: Ask, rounds: int, requests: int) -> None:
    """Print what two ways cost, measured in turn."""
    pairs = []
    for turn in range(rounds):
        first, second = (plain, other) if turn % 2 else (other, plain)
        measured = {first: spent(first, requests)}
        measured[second] = spent(second, requests)
        pairs.append((measured[plain], measured[other]))
    usual, changed = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(b / a for a, b in pairs)
    print(f"  {name:36} {usual:7.0f} -> {changed:7.0f} us   ratio {ratio:.2f}")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--requests", type=int, default=200)
    chosen = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = Settings(f"sqlite:///{folder}/state.db", tuple(locate.vendors()), log_format="none")
        mock = assemble(settings)
        stack.callback(mock.store.close)
        client = create_app(mock).test_client()
        silent = create_app(replace(mock, settings=replace(settings, journal=False))).test_client()
        for number, steps in enumerate(SETUPS.values()):
            for method, path, value in steps:
                answer = client.open(f"/~world{number}/__admin{path}", method=method, json=value)
                if answer.status_code >= 300:
                    raise SystemExit(f"{method} {path}: {answer.text}")
        for title, path in (("one coupon", COUPON), ("a list of coupons", LIST)):
            print(f"{title}, {path}")
            plain = asking(client, path)
            compare("the same again (noise)", plain, asking(client, path), chosen.rounds, chosen.requests)
            compare("without journal and coverage", plain, asking(silent, path), chosen.rounds, chosen.requests)
            for number, name in enumerate(SETUPS):
                other = asking(client, f"/~world{number}{path}")
                compare(name, plain, other, chosen.rounds, chosen.requests)


if __name__ == "__main__":
    main()
