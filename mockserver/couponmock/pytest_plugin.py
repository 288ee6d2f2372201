"""The pytest plug-in: one mock for each process of a test run, one namespace for each test.

pytest loads this module in every run of an environment that has couponproof. It therefore imports nothing of ours, and
hardly anything at all, before a test asks for a fixture.
"""

import os
import re
from collections.abc import Generator, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from couponmock.client import Mock, Namespace

MARKER = "couponmock"
SECTION = "couponmock journal"
SHOWN = 20
"""Exchanges of a failed test that are shown."""
_ARGUMENTS = ("pack", "clock", "readings", "strict")
_NAMESPACE: "pytest.StashKey[Namespace]" = pytest.StashKey()
_RUN = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run say where the mock is and what its worlds are made from."""
    group = parser.getgroup("couponmock", "couponmock, the mock of coupon vendors")
    group.addoption(
        "--couponmock-url",
        metavar="URL",
        help="use the couponmock that runs there instead of starting one (also COUPONMOCK_URL)",
    )
    group.addoption("--couponmock-pack", metavar="NAME", help="the seeded world that tests get (default: the mock's)")
    parser.addini("couponmock_url", "use the couponmock that runs there instead of starting one")
    parser.addini("couponmock_pack", "the seeded world that tests get")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers",
        f"{MARKER}(pack=..., clock=..., readings=..., strict=...): what the fixture couponmock is like in this test",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse markers that would be misunderstood, before anything runs."""
    for item in items:
        for mark in item.iter_markers(MARKER):
            unknown = [repr(value) for value in mark.args] + [name for name in mark.kwargs if name not in _ARGUMENTS]
            if unknown:
                raise pytest.UsageError(
                    f"{item.nodeid}: the marker couponmock does not take {unknown[0]}; it takes {', '.join(_ARGUMENTS)}"
                )


@pytest.fixture(scope="session")
def couponmock_server(pytestconfig: pytest.Config) -> "Iterator[Mock]":
    """Run a mock for all tests of this process, or use the one that `--couponmock-url` names."""
    from couponmock.client import Mock, MockNotStarted

    url = (
        pytestconfig.getoption("couponmock_url")
        or os.environ.get("COUPONMOCK_URL")
        or pytestconfig.getini("couponmock_url")
    )
    try:
        mock = (Mock(url=url) if url else Mock()).start()
    except (MockNotStarted, ValueError) as error:
        pytest.fail(f"couponmock: {error}", pytrace=False)
    try:
        yield mock
    finally:
        mock.stop()


@pytest.fixture
def couponmock(request: pytest.FixtureRequest, couponmock_server: "Mock") -> "Iterator[Namespace]":
    """Give the test a world of its own in the mock; the marker `couponmock` says what it is like."""
    from couponmock.client import AdminError

    pack = request.config.getoption("couponmock_pack") or request.config.getini("couponmock_pack") or None
    chosen: dict[str, Any] = {"pack": pack}
    for mark in reversed(list(request.node.iter_markers(MARKER))):  # the nearest one last, so that it wins
        chosen.update(mark.kwargs)
    try:
        namespace = couponmock_server.namespace(_name(request.node), **chosen)
    except (AdminError, ValueError) as error:
        pytest.fail(f"couponmock: {error}", pytrace=False)
    request.node.stash[_NAMESPACE] = namespace
    try:
        yield namespace
    finally:
        del request.node.stash[_NAMESPACE]
        namespace.drop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what a failed test has asked the mock, while its world is still there."""
    report = yield
    if report.failed and _NAMESPACE in item.stash:
        report.sections.append((SECTION, _journal(item.stash[_NAMESPACE])))
    return report


def _journal(namespace: "Namespace") -> str:
    """Return the newest exchanges; what keeps them from being read must not hide why the test failed."""
    from couponmock.client import AdminError

    try:
        entries = namespace.requests()
    except (AdminError, ConnectionError) as error:
        return f"It cannot be read: {error}"
    if not entries:
        return f"Nothing was asked of {namespace.url}"
    shown = [f"{number}. {entry}" for number, entry in enumerate(entries, 1)][-SHOWN:]
    if left := len(entries) - len(shown):
        shown.insert(0, f"({left} before these are left out)")
    return "\n".join(shown)


def _name(item: pytest.Item) -> str:
    """Return the name of a test's namespace: that of no other test, process or run on the same mock."""
    from hashlib import sha256
    from uuid import uuid4

    worker: Mapping[str, str] = getattr(item.config, "workerinput", {})  # of pytest-xdist
    run = item.config.stash.setdefault(_RUN, worker.get("testrunuid") or uuid4().hex)
    digest = sha256(item.nodeid.encode()).hexdigest()[:12]
    parts = [run[:12], worker.get("workerid", "main")[:8], item.name[:24], digest]
    return ".".join(re.sub(r"[^A-Za-z0-9_]+", "-", part) for part in parts)
