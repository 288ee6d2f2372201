"""Reads that are sent at the same time, where a target file allows it, and all that must not be."""

import contextlib
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from broken_server import catalogue, requirements, serving
from couponcheck.catalogue import Requirement
from couponcheck.exchange import READING
from couponcheck.outcome import PASS
from couponcheck.run import CONFORMANT, NOT_CONFORMANT, NOT_RUN, Run
from couponcheck.target import Permissions
from couponcheck.targetfile import read_target
from target_files import contents, environment, written

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

VENDOR = "crowdtwist"
AT_A_TIME = 3


class Watch:
    """Stands before a mock and sees which requests are there at the same time."""

    def __init__(self, *, together: bool) -> None:
        """Watch; and let the first reads wait for each other if they are to come together."""
        self.most = 0
        self.beside_a_write: list[str] = []
        self._together = threading.Barrier(AT_A_TIME) if together else None
        self._there: list[str] = []
        self._lists = 0
        self._lock = threading.Lock()

    def before(self, application: "WSGIApplication") -> "WSGIApplication":
        """Put the watch before an application."""

        def watched(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            method = environ["REQUEST_METHOD"]
            if "/__admin/" in environ["PATH_INFO"]:
                return application(environ, start_response)
            first = False
            with self._lock:
                self._there.append(method)
                if "usable_coupons" in environ["PATH_INFO"]:
                    self._lists += 1
                    first = self._lists <= AT_A_TIME
                self.most = max(self.most, len(self._there))
                if len(self._there) > 1 and not READING.issuperset(self._there):
                    self.beside_a_write.append(f"{method} {environ['PATH_INFO']}")
            if self._together and first:
                with contextlib.suppress(threading.BrokenBarrierError):  # they do not: the test says so
                    self._together.wait(20)
            try:
                return [b"".join(application(environ, start_response))]
            finally:
                with self._lock:
                    self._there.remove(method)

        return watched


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(VENDOR).items():
        monkeypatch.setenv(name, value)


@contextlib.contextmanager
def prepared(url: str, folder: Path, **limits: Any) -> Iterator[Run]:
    """Get ready to check a mock as if it were a stranger's server that may be written to."""
    file = read_target(written(folder, contents(url, VENDOR) | {"limits": limits}))
    with contextlib.closing(Run.prepare_given(file, (), 0, Permissions(writes=True), preflight=False)) as run:
        yield run


def told(run: Run, chosen: list[Requirement]) -> list[tuple[str, str, str, int]]:
    """Carry requirements out and return what came out, in this order."""
    run.begin(chosen)
    outcomes = [run.judge(requirement) for requirement in chosen]
    assert run.outcomes == outcomes
    return [(one.requirement.id, one.verdict, one.reason, len(one.exchanges)) for one in outcomes]


@pytest.mark.parametrize(("defect", "verdict"), [((), CONFORMANT), (("crowdtwist.unuse-not-done",), NOT_CONFORMANT)])
def test_reads_at_the_same_time_come_to_the_same(defect: tuple[str, ...], verdict: str, tmp_path: Path) -> None:
    """The same outcomes in the same order with the same requests; and what may change data is sent alone."""
    found = []
    for watch, limits in ((Watch(together=False), {}), (Watch(together=True), {"parallel": AT_A_TIME})):
        with serving(VENDOR, defects=defect, transport=watch.before) as url, prepared(url, tmp_path, **limits) as run:
            found.append((told(run, requirements(VENDOR)), run.requests, run.verdict))
        assert watch.most == limits.get("parallel", 1)
        assert watch.beside_a_write == []
    assert found[0] == found[1]
    assert found[0][2] == verdict


@pytest.mark.parametrize(
    "name",
    ["listUsableCoupons.by-email", "listUsableCoupons.json", "unuseCoupon.usable-again", "unuseCoupon.media-type"],
)
def test_what_was_not_chosen_is_not_sent(name: str, tmp_path: Path) -> None:
    """Neither before nor after what was; a contract is about all answers, so it takes all requests there are."""
    (chosen,) = [one for one in catalogue(VENDOR).checked if one.id == f"{VENDOR}.{name}"]
    found = []
    for limits in ({}, {"parallel": AT_A_TIME}):
        with serving(VENDOR) as url, prepared(url, tmp_path, **limits) as run:
            found.append((told(run, [chosen]), run.requests))
    assert found[0] == found[1]
    assert found[0][0][0][1] == PASS


def test_a_target_that_falls_silent_is_left_alone_by_all_who_read(tmp_path: Path) -> None:
    """After three requirements without an answer nobody asks any more, however many ask at a time."""
    asked = []

    def silent(application: "WSGIApplication") -> "WSGIApplication":
        def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            if "/__admin/" in environ["PATH_INFO"] or environ["PATH_INFO"] == "/":
                return application(environ, start_response)
            asked.append(environ["PATH_INFO"])
            raise ConnectionError

        return answer

    with serving(VENDOR, transport=silent) as url, prepared(url, tmp_path, parallel=AT_A_TIME) as run:
        told(run, requirements(VENDOR))
        assert run.verdict == NOT_RUN
    assert len(asked) <= 3 + AT_A_TIME
