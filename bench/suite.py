"""What does a run of the suite cost, measured in what it costs to send the same requests and judge nothing?

    couponmock serve --port 8642
    python bench/suite.py http://127.0.0.1:8642 [--vendor crowdtwist] [--generate 20] [--rounds 5]

For each vendor: the processor time of a run without made-up requests and of one with them, each beside that of sending
the same requests again on one plain connection, in turn, and the ratio of the two, the median over the rounds. Wall
time stands beside for a machine that does nothing else. Imports, documents and the server's own time are in neither;
what they cost is printed once.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

from couponcheck.exchange import Exchange
from couponcheck.run import Run
from couponcheck.target import Permissions
from couponspec import locate


def judged(run: Run, vendor: str) -> list[Exchange]:
    """Carry out all of a vendor's requirements and return every exchange once, in the order in which it was sent."""
    seen: dict[int, Exchange] = {}
    for requirement in run.judges[vendor].catalogue.checked:
        for exchange in run.judge(requirement).exchanges:
            seen.setdefault(id(exchange), exchange)
    return [*seen.values()]


def sent_plainly(url: str, exchanges: Sequence[Exchange]) -> None:
    """Send the same requests again, one after the other, and read the answers."""
    parts = urlsplit(url)
    with closing(HTTPConnection(parts.hostname or "", parts.port)) as connection:
        for exchange in exchanges:
            request = exchange.request
            connection.request(request.method, parts.path + request.target, request.body, dict(request.headers))
            connection.getresponse().read()


def measured(url: str, vendor: str, generate: int) -> tuple[int, float, float, float]:
    """Return how many requests a run took, its processor and wall time, and the processor time of sending alone."""
    with closing(Run.prepare(url, (vendor,), 0, Permissions(writes=True, generate=generate))) as run:
        begun, at = time.process_time(), time.perf_counter()
        exchanges = judged(run, vendor)
        judging, wall = time.process_time() - begun, time.perf_counter() - at
        begun = time.process_time()
        sent_plainly(run.judges[vendor].target.client.base_url, exchanges)
        return run.requests, judging, wall, time.process_time() - begun


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--vendor", action="append", choices=locate.vendors())
    parser.add_argument("--generate", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    vendors = chosen.vendor or locate.vendors()
    print(f"imports: {time.process_time():.2f} s")
    for vendor in vendors:
        for generate in (0, chosen.generate):
            measured(chosen.url, vendor, min(generate, 1))  # what is loaded once is loaded now
            rounds = [measured(chosen.url, vendor, generate) for _ in range(chosen.rounds)]
            requests, judging, wall, plain = (statistics.median(column) for column in zip(*rounds, strict=True))
            ratio = statistics.median(one[1] / one[3] for one in rounds)
            print(
                f"{vendor:11} --generate {generate:<4} {requests:4.0f} requests  {judging:6.2f} s of processor "
                f"({wall:.2f} s in all), plain {plain:.2f} s   ratio {ratio:.1f}"
            )


if __name__ == "__main__":
    main()
