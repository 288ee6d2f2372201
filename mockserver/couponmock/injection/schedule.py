"""When a rule applies, and how long it takes: the same for the same seed, on every machine and in every process."""

import hashlib
import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import Any

from couponmock.injection.mistake import number, one_of, whole

LONGEST_MS = 60_000
"""The longest time that a rule may take, in milliseconds."""
_MOST = 1_000_000_000
_WIDEST = 5
_FIRST, _NTH, _EVERY = '{"first": 3}', '{"nth": 2}', '{"every": 3}'
_RATE = '{"rate": 0.3, "seed": 7}'
_TIMES = {_FIRST: ("first",), _NTH: ("nth",), _EVERY: ("every",), _RATE: ("rate",)}
_FIXED, _UNIFORM = '{"ms": 250}', '{"from": 100, "to": 400, "seed": 7}'
_LOGNORMAL = '{"median": 80, "sigma": 0.5, "seed": 7}'
_SPANS = {_FIXED: ("ms",), _UNIFORM: ("from", "to"), _LOGNORMAL: ("median", "sigma")}


def draw(purpose: str, seed: int, count: int) -> float:
    """Draw a number between 0 and 1, neither included, that depends on nothing but the arguments."""
    digest = hashlib.sha256(f"{purpose} {seed} {count}".encode()).digest()
    return ((int.from_bytes(digest[:8]) >> 11) + 0.5) / 2**53


def check_times(times: Any) -> None:
    """Raise Unusable for what does not say how often a rule applies."""
    form = one_of("times", times, _TIMES, ("seed",))
    if form == _RATE:
        number("the rate of times", times["rate"], 0, 1)
        _check_seed("times", times)
    else:
        (name,) = _TIMES[form]
        whole(f"{name} of times", times[name], 1, _MOST)


def applies(times: Mapping[str, Any], count: int) -> bool:
    """Tell whether a rule applies to the request that is number `count` of those that match it, from 1 on."""
    if "first" in times:
        return bool(count <= times["first"])
    if "nth" in times:
        return bool(count == times["nth"])
    if "every" in times:
        return count % int(times["every"]) == 0
    return "rate" not in times or draw("times", times.get("seed", 0), count) < times["rate"]


def check_span(name: str, span: Any) -> None:
    """Raise Unusable for what is no time in milliseconds, fixed or distributed."""
    form = one_of(name, span, _SPANS, ("seed",))
    for member in ("ms", "from", "to", "median"):
        if member in span:
            number(f"{member} of {name}", span[member], 0, LONGEST_MS)
    if form == _UNIFORM and span["from"] > span["to"]:
        number(f"to of {name}", span["to"], span["from"], LONGEST_MS)
    if form == _LOGNORMAL:
        number(f"sigma of {name}", span["sigma"], 0, _WIDEST)
    _check_seed(name, span)


def seconds(span: Mapping[str, Any], count: int) -> float:
    """Return how long a span is for the request with this number; never longer than `LONGEST_MS`."""
    if "ms" in span:
        return float(span["ms"]) / 1000
    chance = draw("span", span.get("seed", 0), count)
    if "median" in span:
        drawn = span["median"] * math.exp(span["sigma"] * NormalDist().inv_cdf(chance))
    else:
        drawn = span["from"] + (span["to"] - span["from"]) * chance
    return float(min(drawn, LONGEST_MS)) / 1000


def _check_seed(name: str, holder: Mapping[str, Any]) -> None:
    whole(f"seed of {name}", holder.get("seed", 0), -(2**63), 2**63 - 1)
