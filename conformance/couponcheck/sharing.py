"""One run in the processes of pytest-xdist: who carries out what, and how it is put together again.

All requirements of a vendor are carried out by one worker, in the order of the catalogue. A contract is about every
answer that the vendor's other requirements got, and a read must not be compared with another while a write changes what
it shows; both would be lost if they were dealt out one by one.
"""

import io
import pickle
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp
from typing import Any

import pytest

from couponcheck.catalogue import Requirement
from couponcheck.ledger import Ledger
from couponcheck.outcome import Outcome
from couponcheck.plugin import PREFIX, RequirementItem
from couponcheck.run import Run
from couponcheck.transport import Sharing

_KEY = "couponcheck"


@dataclass
class _Part:
    """What one worker has to tell of a run."""

    outcomes: list[Outcome]
    sent: dict[str, Counter[str]]
    """By vendor, as all else."""
    ledgers: dict[str, Ledger]


class _Pickler(pickle.Pickler):
    """Writes ids in place of requirements, which every process has."""

    def persistent_id(self, obj: Any) -> str | None:
        return obj.id if isinstance(obj, Requirement) else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, data: bytes, known: dict[str, Requirement]) -> None:
        super().__init__(io.BytesIO(data))
        self._known = known

    def persistent_load(self, pid: str) -> Requirement:
        return self._known[pid]


def packed(run: Run) -> bytes:
    """Write what came out of a part of a run, for the process that puts the parts together."""
    judges = run.judges.items()
    part = _Part(
        run.outcomes,
        {vendor: judge.target.client.sent for vendor, judge in judges},
        {vendor: judge.ledger for vendor, judge in judges},
    )
    buffer = io.BytesIO()
    _Pickler(buffer).dump(part)
    return buffer.getvalue()


def add_part(run: Run, data: bytes) -> None:
    """Add what came out of a part to the whole, whose outcomes stand in the order of the catalogues."""
    order = {one.id: one for judge in run.judges.values() for one in judge.catalogue.checked}
    part: _Part = _Unpickler(data, order).load()
    places = {name: place for place, name in enumerate(order)}
    run.outcomes = sorted(run.outcomes + part.outcomes, key=lambda outcome: places[outcome.requirement.id])
    for vendor, judge in run.judges.items():
        judge.target.client.sent += part.sent[vendor]
        judge.ledger.add(part.ledgers[vendor])


class Worker:
    """Takes part in a worker of pytest-xdist."""

    def __init__(self, run: Run, ledger: Path) -> None:
        """Carry out a part of a run; it ends early when the controller writes so beside the ledger."""
        self._run = run
        self._ending = _ending(ledger)
        self._begun: set[str] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Go on with no vendor that another worker has begun with: what it changed is not known here."""
        if not isinstance(item, RequirementItem) or item.requirement.vendor in self._begun:
            return
        vendor = item.requirement.vendor
        mine = (one for one in item.session.items if isinstance(one, RequirementItem))
        if next(one for one in mine if one.requirement.vendor == vendor) is not item:
            lost = f"the worker that had begun with {vendor} is gone, and what it changed is not known; start a new run"
            pytest.fail(lost, pytrace=False)
        self._begun.add(vendor)

    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """Go on with nothing else where the session is to end."""
        if self._ending.exists():
            item.session.shouldstop = "the session is to end"

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Tell the controller what came out; not by the reports, which may be written to a file: this holds secrets."""
        self._run.leave()
        session.config.workeroutput[_KEY] = packed(self._run)  # type: ignore[attr-defined] # added by xdist


def _ending(ledger: Path) -> Path:
    """Return the file whose being there tells workers to end."""
    return ledger.with_suffix(".end")


def shared(config: pytest.Config) -> Sharing | None:
    """Return how a session's processes share a run; None if it has one process only."""
    told = getattr(config, "workerinput", None)
    if told is not None:
        return Sharing(told["workercount"], Path(told[_KEY]))
    if not config.pluginmanager.hasplugin("dsession"):
        return None
    if config.getoption("dist") == "each":
        raise pytest.UsageError("couponcheck: --dist each would carry out every requirement more than once")
    ledger = Path(mkstemp(prefix="couponcheck-")[1])

    def remove() -> None:
        for file in (ledger, _ending(ledger)):
            with suppress(FileNotFoundError):
                file.unlink()

    config.add_cleanup(remove)
    return Sharing(1, ledger)


class Controller:
    """Takes part in the process that deals out the work of pytest-xdist."""

    def __init__(self, run: Run, sharing: Sharing, config: pytest.Config) -> None:
        """Put a run together, nothing of which is carried out here."""
        self._run = run
        self._sharing = sharing
        self._config = config

    def end(self, signal: str) -> bool:
        """Have each worker end after the requirement that it is at, and tell what came out; tell whether any is at one.

        Args:
            signal: Why.
        """
        dealer = self._config.pluginmanager.getplugin("dsession")
        if getattr(dealer, "sched", None) is None or dealer.session_finished:
            return False
        dealer.shouldstop = f"ended by {signal}"
        _ending(self._sharing.ledger).touch()  # what was dealt out to a worker is a whole vendor, which takes long
        return True

    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker where requests are counted."""
        node.workerinput[_KEY] = str(self._sharing.ledger)

    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """Keep the requirements of a vendor together; all else is dealt out as it would be."""
        from xdist.scheduler import LoadGroupScheduling  # type: ignore[import-untyped] # it has no types

        class Scheduling(LoadGroupScheduling):  # type: ignore[misc] # as above
            def _split_scope(self, nodeid: str) -> str:
                scope: str = super()._split_scope(nodeid)
                return nodeid.partition("::")[0] if nodeid.startswith(PREFIX) else scope

        # These two keep together what is in one file, and a vendor's requirements are.
        return None if config.getoption("dist") in {"loadfile", "loadscope"} else Scheduling(config, log)

    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Learn how many requirements there are; every worker has collected all."""
        self._run.selected = sum(name.startswith(PREFIX) for name in ids)

    def pytest_testnodedown(self, node: Any) -> None:
        """Take what came out in a worker; one that crashed has nothing to tell, and the run is not complete then."""
        if data := getattr(node, "workeroutput", {}).get(_KEY):
            add_part(self._run, data)
