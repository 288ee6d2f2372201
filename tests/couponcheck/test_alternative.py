"""No alarm on a correct server that shares nothing with ours: each reading, each freedom, and mixtures of them."""

import contextlib
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import pytest
from alternative_server import FREEDOMS, Entities, Running, alternative
from broken_server import SEED, VENDORS, accused, catalogue, document
from couponcheck.exchange import Client
from couponcheck.judge import Judge
from couponcheck.outcome import NOT_SELECTED, NOT_TESTABLE, Outcome
from couponcheck.run import Run
from couponcheck.target import Target, unknown_values
from couponcheck.targetfile import PACK, read_target
from couponcheck.transport import UnusableTarget
from couponspec import load_pack
from target_files import EVERYTHING, described, environment, written

OTHERWISE: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "crowdtwist": {
        "not-used-status": ("400", "409", "422"),
        "repeated-unuse": ("idempotent",),
        "unuse-status": ("201", "202"),
        "wrong-method-status": ("400",),
        "refused-credential-status": ("400", "403"),
        "refused-credential-error": ("param_error", "unauthorized"),
        "unknown-member": ("404",),
        "list-error-status": ("404", "422"),
        "no-coupons": ("empty-list",),
        "none-usable": ("error",),
        "empty-id": ("404",),
        "order-field-names": ("reward",),
        "list-shape": ("wrapped",),
        "number-type": ("string",),
        "sentences": ("own",),
        "member-names": ("any-case",),
        "more-members": ("refused",),
        "form": ("checked",),
        "lenience": ("much",),
    },
    "chargeover": {
        "response-of-not-found": ("false",),
        "not-found-message": ("coupon",),
        "invalid-id-status": ("404",),
        "unknown-endpoint-status": ("404",),
        "unsupported-command-status": ("404", "405"),
        "details": ("absent", "null", "empty-list"),
        "datetime-format": ("iso8601",),
        "message": ("null",),
        "shown": ("required", "nulls"),
        "lists": ("always",),
        "commands": ("supported",),
        "id-range": ("64-bit",),
        "challenge": ("not sent",),
        "lenience": ("much",),
    },
    "shoplazza": {
        "unauthorized-status": ("400",),
        "missing-scope-status": ("401",),
        "missing-field-status": ("422",),
        "wrong-type-status": ("422",),
        "checks-order": ("customer-first",),
        "unknown-coupon": ("404", "422"),
        "refused-coupon": ("error",),
        "refused-listed": ("no",),
        "value-type": ("string",),
        "item-status": ("absent",),
        "stock-after": ("before",),
        "received-status": ("1",),
        "errors": ("errors", "error"),
        "request-id": ("not sent",),
        "form": ("400", "422"),
        "received-count": ("everybody's",),
        "batch": ("atomic",),
        "repeated-id": ("each",),
        "credential-order": ("after-body",),
        "header": ("both",),
        "lenience": ("much",),
        "more": ("others",),
    },
}
"""Vendor -> reading -> what the server can do otherwise than usual."""
TOGETHER = (
    frozenset({"more-members", "backwards", "fractions", "charset", "chunked"}),
    frozenset({"pretty", "gzip", "small-letters", "gateway-404"}),
    frozenset({"deflate", "http-1.0", "gateway-403"}),
    frozenset({"busy", "prefix", "early-hints"}),
    frozenset({"busy-date", "close", "gateway-page"}),
    frozenset({"throttled", "hangs-up", "firewall"}),
    frozenset({"session", "cross-origin", "length-required"}),
)
"""Freedoms that have nothing to do with each other, so that fewer runs see all of them."""
MIXTURES = 5
LEFT_ALONE = (8, 9)
"""Mixtures of servers whose data nobody restores."""


@dataclass
class Resettable(Target):
    """The alternative server, whose data its operator restores between requirements."""

    running: Running = field(kw_only=True)
    is_restored = True

    def prepare(self) -> None:
        """Restore the data."""
        self.running.service.reset()


@cache
def seeded(vendor: str) -> Entities:
    """Return the entities of the pack whose handles the catalogue names."""
    return load_pack(document(vendor), PACK).bindings(int(time.time()))


@contextlib.contextmanager
def judging(vendor: str, readings: Mapping[str, str], freedoms: frozenset[str]) -> Iterator[Judge]:
    """Run the server and give who judges it."""
    with alternative(vendor, seeded(vendor), readings, freedoms) as running:
        target = Resettable(
            vendor,
            Client(running.url, "couponcheck"),
            {**seeded(vendor), **unknown_values(SEED)},
            may_write=True,
            may_rush=True,
            running=running,
        )
        with contextlib.closing(target):
            yield Judge(document(vendor), catalogue(vendor), target, SEED)


def outcomes(
    vendor: str, readings: Mapping[str, str] | None = None, freedoms: frozenset[str] = frozenset(), *, whole: bool
) -> dict[str, Outcome]:
    """Return what the suite says of the server; the slow requirements only of the `whole` suite."""
    with judging(vendor, readings or {}, freedoms) as judge:
        chosen = [item for item in judge.catalogue.checked if whole or item.generated is None]
        return {requirement.id: judge.outcome(requirement) for requirement in chosen}


@pytest.mark.parametrize("vendor", VENDORS)
def test_nothing_is_found_wrong_and_nothing_left_untested(vendor: str) -> None:
    found = outcomes(vendor, whole=True)
    assert accused(found) == {}
    assert [name for name, outcome in found.items() if outcome.verdict == NOT_TESTABLE] == []


@pytest.mark.parametrize(
    ("vendor", "reading", "option"),
    [(v, reading, option) for v in VENDORS for reading, options in OTHERWISE[v].items() for option in options],
)
def test_no_reading_is_accused(vendor: str, reading: str, option: str) -> None:
    assert accused(outcomes(vendor, {reading: option}, whole=False)) == {}


def test_every_freedom_is_taken() -> None:
    assert frozenset().union(*TOGETHER) == FREEDOMS


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("freedoms", TOGETHER, ids=lambda freedoms: "+".join(sorted(freedoms)))
def test_no_freedom_is_accused(vendor: str, freedoms: frozenset[str]) -> None:
    assert accused(outcomes(vendor, freedoms=freedoms, whole=False)) == {}


def mixture(vendor: str, number: int) -> tuple[Mapping[str, str], frozenset[str]]:
    """Return readings and freedoms of a server, the same for the same number."""
    chance = random.Random(f"{vendor} {number}")  # noqa: S311 - repeatable on purpose
    readings = {
        reading: chance.choice(options) for reading, options in OTHERWISE[vendor].items() if chance.random() < 0.5
    }
    return readings, frozenset(freedom for freedom in sorted(FREEDOMS) if chance.random() < 0.3)


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("number", range(MIXTURES))
def test_no_mixture_is_accused(vendor: str, number: int) -> None:
    readings, freedoms = mixture(vendor, number)
    assert accused(outcomes(vendor, readings, freedoms, whole=False)) == {}, (readings, freedoms)


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("number", [None, *LEFT_ALONE])
def test_a_strangers_server_whose_data_is_used_up_is_not_accused(
    vendor: str, number: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A target file, and nobody who restores the data between requirements."""
    for name, value in environment(vendor).items():
        monkeypatch.setenv(name, value)
    readings, freedoms = ({}, frozenset[str]()) if number is None else mixture(vendor, number)
    readings = {**readings, **({"commands": "supported"} if vendor == "chargeover" and number else {})}
    with alternative(vendor, seeded(vendor), readings, freedoms) as running:
        file = read_target(written(tmp_path, described(running.url, vendor, seeded(vendor))))
        run = Run.prepare_given(file, (), SEED, EVERYTHING)
        with contextlib.closing(run):
            found = {item.id: run.judge(item) for item in catalogue(vendor).checked if item.generated is None}
    assert accused(found) == {}, (readings, freedoms)
    assert [name for name, outcome in found.items() if outcome.verdict in {NOT_TESTABLE, NOT_SELECTED}] == []


@pytest.mark.parametrize("vendor", VENDORS)
def test_no_correct_server_is_stopped_at_for_its_way_to_answer_a_valid_credential(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look before a run lets it pass; and it knows a refusal by every status and envelope that may be taken."""
    for name, value in environment(vendor).items():
        monkeypatch.setenv(name, value)
    secret = next(name for name in environment(vendor) if name.endswith(("MAIN_SECRET", "MAIN_PASSWORD")))
    ways = [({name: option}, frozenset[str]()) for name, options in OTHERWISE[vendor].items() for option in options]
    ways += [({}, frozenset({freedom})) for freedom in FREEDOMS]
    file = read_target(written(tmp_path, described("$ALTERNATIVE", vendor, seeded(vendor))))
    for readings, freedoms in ways:
        with alternative(vendor, seeded(vendor), readings, freedoms) as running, monkeypatch.context() as given:
            given.setenv("ALTERNATIVE", running.url)
            Run.prepare_given(file, (), SEED).close()
            given.setenv(secret, "no-key-of-anybody")
            with pytest.raises(UnusableTarget, match=r" refuses credential\.main of "):
                Run.prepare_given(file, (), SEED)
