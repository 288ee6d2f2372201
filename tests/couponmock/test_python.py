"""`couponmock.Mock`: a mock beside a test in Python, in a process of its own or in a thread."""

import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import couponmock
import pytest
from coupon_client import USED, ask, unuse, usable
from couponmock import AdminError, JournalEntry, Mock, MockNotStarted, Namespace, VerificationFailed
from running_mock import START_SECONDS, survivors
from running_mock import Mock as Server

CLIENTS = 200


def answers(url: str) -> bool:
    """Tell whether somebody listens at a URL."""
    try:
        socket.create_connection((urlsplit(url).hostname, urlsplit(url).port or 80), timeout=1).close()
    except OSError:
        return False
    return True


def gone(url: str) -> bool:
    """Tell whether nobody listens there any more, after a moment's grace."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if not answers(url):
            return True
        time.sleep(0.02)
    return False


@pytest.fixture(scope="module", params=["process", "thread"])
def running(request: pytest.FixtureRequest) -> Iterator[Mock]:
    """Run a mock in each of the two ways."""
    with Mock(in_thread=request.param == "thread") as mock:
        yield mock


@pytest.fixture
def world(running: Mock) -> Iterator[Namespace]:
    """Give a world of its own to a test."""
    with running.namespace() as namespace:
        yield namespace


# -- a world --------------------------------------------------------------------------------------------------------


def test_a_client_finds_every_vendor_at_the_base_url(world: Namespace) -> None:
    """It is the same for all of them, within the namespace, and an unknown name is refused with those there are."""
    assert world.vendors == ("chargeover", "crowdtwist", "shoplazza")
    assert {world.base_url(vendor) for vendor in world.vendors} == {world.url}
    assert world.url.endswith(f"/~{world.name}")
    with pytest.raises(ValueError, match="there is no vendor 'acme'; there are chargeover, crowdtwist, shoplazza"):
        world.base_url("acme")


def test_a_mock_is_its_namespace_default_and_the_server(running: Mock) -> None:
    """Its URL has no prefix, so that a client may name a namespace in a header."""
    assert (running.name, urlsplit(running.url).path) == ("default", "")
    running.reset()
    running.clear_requests()
    assert unuse(running)[0] == 200
    assert running.verify("unuseCoupon", count=1) == 1
    assert "default" in running.namespaces


def test_namespaces_do_not_see_each_other_and_end_with_their_block(running: Mock) -> None:
    """State and journal are their own; a made-up name is new each time; dropping twice is harmless."""
    with running.namespace() as first, running.namespace("second", pack="documented") as second:
        assert unuse(first)[0] == 200
        assert unuse(first)[0] == 404
        assert unuse(second)[0] == 200
        assert (first.verify("unuseCoupon"), second.verify("unuseCoupon")) == (2, 1)
        assert {first.name, second.name} <= set(running.namespaces)
        assert second.clock.now == datetime(2016, 11, 12, tzinfo=UTC)
        assert first.name != second.name
        second.drop()
    assert {first.name, second.name}.isdisjoint(running.namespaces)


def test_a_reset_and_a_snapshot_bring_the_world_back(world: Namespace) -> None:
    """A reset to the pack, a snapshot to where it was taken."""
    assert world.snapshots == []
    assert unuse(world)[0] == 200
    world.snapshot("unused")
    world.reset()
    assert unuse(world)[0] == 200
    world.reset()
    world.restore("unused")
    assert unuse(world)[0] == 404
    assert world.snapshots == ["unused"]
    with pytest.raises(AdminError, match="nope"):
        world.restore("nope")


def test_expiry_follows_the_clock(world: Namespace) -> None:
    """Set, moved, stopped, released; times are aware datetimes."""
    assert "ACC58191285" in usable(world)
    stood = world.clock.freeze()
    assert (world.clock.frozen, world.clock.now) == (True, stood)
    assert world.clock.advance(timedelta(days=400)) == stood + timedelta(days=400)
    assert "ACC58191285" not in usable(world)
    assert world.clock.advance("-400d") == world.clock.advance(0) == stood
    assert "ACC58191285" in usable(world)
    for moment in (datetime(2030, 1, 1, tzinfo=UTC), "2030-01-01T00:00:00Z", 1893456000):
        assert world.clock.set(moment) == datetime(2030, 1, 1, tzinfo=UTC)
    assert world.clock.release() >= datetime(2030, 1, 1, tzinfo=UTC)
    assert not world.clock.frozen


def test_a_time_that_could_mean_several_is_refused(world: Namespace) -> None:
    """A datetime without a zone never reaches the mock; what the mock refuses it says itself."""
    before = world.clock.freeze()
    with pytest.raises(ValueError, match="has no time zone"):
        world.clock.set(datetime(2030, 1, 1))  # noqa: DTZ001 - that is the mistake
    with pytest.raises(AdminError, match="Give now as Unix seconds or an RFC 3339 time") as refused:
        world.clock.set("tomorrow")
    assert (refused.value.status, refused.value.problem["type"]) == (400, "urn:couponmock:request")
    assert world.clock.now == before


def test_bindings_name_the_seeded_values(world: Namespace) -> None:
    """By handle, for requests that need not repeat a pack's values."""
    assert world.bindings("crowdtwist")["coupon.used"]["code"] == USED
    assert world.bindings("shoplazza")["customer.ann"] == {"shop": "sunny", "customer_id": "5001"}
    with pytest.raises(ValueError, match="no vendor 'acme'"):
        world.bindings("acme")


# -- the journal ----------------------------------------------------------------------------------------------------


def test_the_journal_comes_as_typed_entries(world: Namespace) -> None:
    """With everything that explains an exchange; filters narrow it; it can be cleared."""
    status, body = unuse(world, "")
    usable(world)
    first, second = world.requests()
    assert first == JournalEntry(
        id=first.id,
        method="POST",
        path="/v2/coupon/unuse",
        query={"api_key": "***"},
        body={"coupon_value": ""},
        vendor="crowdtwist",
        operation="unuseCoupon",
        finding="blank body:/coupon_value",
        example="coupon_value_required",
        basis="documented",
        status=status,
        answer=body,
        extras={},
    )
    assert str(first).splitlines() == [
        "POST /v2/coupon/unuse?api_key=*** -> 400 coupon_value_required (blank body:/coupon_value)",
        '    sent {"coupon_value": ""}',
        f"    got  {json.dumps(body)}",
    ]
    assert world.requests(operation="listUsableCoupons", status=200) == [second]
    assert world.requests(limit=1) == [second]
    with pytest.raises(AdminError, match="Unknown parameter 'colour'"):
        world.requests(colour="red")
    world.clear_requests()
    assert world.requests() == []


def test_what_the_server_tells_besides_is_kept_and_shown() -> None:
    """A newer server's members are not lost on an older client; long values are cut."""
    told: dict[str, Any] = {"id": "1", "method": "GET", "path": "/", "query": {}, "body": None, "vendor": ""}
    told |= {"operation": "general", "finding": "", "example": "unknown_route", "basis": "inferred", "status": 404}
    entry = JournalEntry.read({**told, "answer": "x" * 1000, "unknown": [{"place": "query:pgae"}]})
    assert entry.extras == {"unknown": [{"place": "query:pgae"}]}
    assert str(entry).splitlines() == [
        "GET / -> 404 unknown_route",
        f"    got  {'x' * 300}...",
        '    unknown: [{"place": "query:pgae"}]',
    ]


def test_a_verification_counts_and_fails_with_the_nearest_miss(world: Namespace) -> None:
    """As an assertion does, in words that a person can act upon."""
    unuse(world)
    unuse(world)
    assert world.verify("unuseCoupon") == 2
    assert world.verify("unuseCoupon", count=1, match={"status": 404}) == 1
    assert world.verify(at_least=1, at_most=2, match={"body": {"coupon_value": USED}}) == 2
    assert world.verify("getCoupon", at_most=0) == 0
    with pytest.raises(VerificationFailed) as failed:
        world.verify("unuseCoupon", match={"body": {"coupon_value": "OTHER"}, "status": 200})
    nearest = world.requests()[0]
    assert isinstance(failed.value, AssertionError)
    assert (failed.value.count, failed.value.nearest) == (0, nearest)
    assert str(failed.value).splitlines() == [
        "Expected at least 1 matching requests, found 0 among 2.",
        "The nearest was",
        *str(nearest).splitlines(),
        "but",
        f"    body.coupon_value is '{USED}', not 'OTHER'",
    ]
    with pytest.raises(VerificationFailed, match=r"^Expected 1 matching requests, found 2 among 2\.$") as too_many:
        world.verify("unuseCoupon", count=1)
    assert (too_many.value.count, too_many.value.nearest, too_many.value.misses) == (2, None, [])
    with pytest.raises(AdminError, match="There is no operation 'unuse'"):
        world.verify("unuse")


# -- starting and stopping ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("in_thread", [False, True])
@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"pack": "nope"}, "'nope'"),
        ({"vendors": ["acme"]}, "there is no vendor 'acme'; there are chargeover, crowdtwist, shoplazza"),
        ({"strict": "bogus"}, "'bogus'"),
    ],
)
def test_what_cannot_be_started_says_why(choices: dict[str, Any], words: str, in_thread: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """In the server's own words, without its name or a traceback."""
    with pytest.raises(MockNotStarted) as refused:
        Mock(in_thread=in_thread, **choices).start()
    assert words in str(refused.value)
    assert "Traceback" not in str(refused.value)
    assert not str(refused.value).startswith("couponmock:")


@pytest.mark.parametrize("in_thread", [False, True])
def test_a_mock_takes_the_choices_of_the_command(in_thread: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001 - a parameter of the test
    """Pack, vendors, journal; what the environment would choose for the command has no say."""
    monkeypatch.setenv("COUPONMOCK_SERVE_DEFECT", "nope")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with Mock(pack="documented", vendors=["crowdtwist"], journal=False, in_thread=in_thread) as mock:
        assert mock.vendors == ("crowdtwist",)
        assert mock.clock.now == datetime(2016, 11, 12, tzinfo=UTC)
        assert unuse(mock)[0] == 200
        with pytest.raises(AdminError, match="keeps no journal"):
            mock.requests()


@pytest.mark.parametrize("in_thread", [False, True])
def test_a_mock_ends_with_its_block_whatever_happens_in_it(
    in_thread: bool,  # noqa: FBT001 - a parameter of the test
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody answers any more, no thread and no file is left, and whoever still asks is told what to do."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = set(threading.enumerate())
    mock = Mock(in_thread=in_thread)
    seen = []

    def fail() -> None:
        with mock:
            seen.append(mock.url)
            with pytest.raises(MockNotStarted, match="runs already"):
                mock.start()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert gone(seen[0])
    assert list(tmp_path.iterdir()) == []
    assert [thread for thread in threading.enumerate() if thread not in before and thread.name == "couponmock"] == []
    for use in (lambda: mock.url, mock.requests, lambda: mock.clock.now):
        with pytest.raises(MockNotStarted, match=r"with couponmock\.Mock\(\) as mock"):
            use()
    mock.stop()
    with mock:
        assert unuse(mock)[0] == 200


HOLDER = """
import sys, couponmock
with couponmock.Mock() as mock:
    print(mock.url, flush=True)
    try:
        sys.stdin.read()
    finally:
        for _ in range(200):
            mock.clock.now
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_mock_ends_with_the_process_that_started_it(number: signal.Signals, tmp_path: Path) -> None:
    """Also if that is killed; Ctrl-C, which reaches the whole group of a terminal, unwinds its block first."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    assert holder.stdout
    url = holder.stdout.readline().strip()
    assert ask(f"{url}/__admin/health")[0] == 200
    os.killpg(holder.pid, number)
    _, said = holder.communicate(timeout=START_SECONDS)
    assert holder.returncode == -number
    assert said.strip().endswith("KeyboardInterrupt") if number == signal.SIGINT else said == ""
    assert gone(url)
    assert not survivors(holder.pid)


def test_a_server_that_runs_already_is_used_and_left_alone(server: Server) -> None:
    """With url= nothing is started and nothing is stopped."""
    with Mock(url=f"{server.origin}/") as mock:
        assert mock.url == server.origin
        with mock.namespace() as world:
            assert unuse(world)[0] == 200
    assert server.admin("GET", "/health").status == 200


class _Stranger(http.server.BaseHTTPRequestHandler):
    """Some other server."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"[]" if "~" in self.path else b"hello")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Be quiet."""


@pytest.fixture
def stranger() -> Iterator[str]:
    """Run a server that is no mock."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Stranger) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_a_url_at_which_no_mock_answers_is_said_so(stranger: str) -> None:
    """Whether nobody does, or somebody else."""
    for url in (stranger, "http://127.0.0.1:1"):
        with pytest.raises(MockNotStarted, match=f"no mock answers at {url}"):
            Mock(url=url).start()


@pytest.mark.parametrize("url", ["", "127.0.0.1:8642", "ftp://x", "http://", "http://127.0.0.1:1/~name", "http://x:y"])
def test_what_is_no_url_of_a_mock_is_refused(url: str) -> None:
    """Before anything is asked."""
    with pytest.raises(ValueError, match="is no URL of a mock"):
        Mock(url=url)


@pytest.mark.parametrize(
    "choices", [{"pack": "demo"}, {"vendors": ["crowdtwist"]}, {"journal": False}, {"in_thread": True}]
)
def test_a_server_that_runs_cannot_be_told_how_to_start(choices: dict[str, Any]) -> None:
    """It is said where the choice belongs instead of being ignored."""
    with pytest.raises(ValueError, match="keeps what it was started with"):
        Mock(url="http://127.0.0.1:8642", **choices)


def test_vendors_are_a_list() -> None:
    """A text would be taken for a list of letters."""
    with pytest.raises(ValueError, match="give vendors as a list"):
        Mock(vendors="crowdtwist")


# -- weight ---------------------------------------------------------------------------------------------------------


def loaded(statement: str) -> set[str]:
    """Return the modules that a statement loads in a fresh interpreter."""
    code = f"{statement}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_couponmock_loads_nothing_before_it_is_used() -> None:
    """Neither the server nor the client; the client needs none of the server's modules."""
    assert {name for name in loaded("import couponmock") if name.startswith("coupon")} == {"couponmock"}
    server = {"flask", "werkzeug", "granian", "couponspec", "couponmock.app", "couponmock.assembly", "couponmock.store"}
    assert server & loaded("import couponmock; couponmock.Mock") == set()


def test_everything_that_is_offered_is_there() -> None:
    """And a misspelt name is an AttributeError as in any module."""
    assert [name for name in couponmock.__all__ if not hasattr(couponmock, name)] == []
    with pytest.raises(AttributeError, match="has no attribute 'Mok'"):
        _ = couponmock.Mok  # the mistake


# -- many -----------------------------------------------------------------------------------------------------------


def test_two_hundred_namespaces_side_by_side_never_see_each_other(server: Server) -> None:
    """Each client changes its own world in its own way, all at once, and finds exactly its own doings."""
    at_once = threading.Barrier(CLIENTS)

    def live(number: int) -> None:
        with mock.namespace(f"client-{number}-{os.getpid()}") as world:
            at_once.wait(START_SECONDS)
            own = [f"NO-{number}-{i}" for i in range(number % 3)]
            expected = [(200, USED), *((404, code) for code in own)]
            if number % 2:
                world.clock.advance("400d")
            assert [(unuse(world, code)[0], code) for _, code in expected] == expected
            assert ("ACC58191285" in usable(world)) == (number % 2 == 0)
            seen = [(entry.status, entry.body["coupon_value"]) for entry in world.requests(operation="unuseCoupon")]
            assert seen == expected
            assert len(world.requests()) == len(expected) + 1
            world.reset()
            assert unuse(world)[0] == 200

    with Mock(url=server.origin) as mock, ThreadPoolExecutor(CLIENTS) as clients:
        for _ in clients.map(live, range(CLIENTS)):
            pass
        assert [name for name in mock.namespaces if name.startswith("client-")] == []


def test_a_server_without_a_holder_of_its_input_stops(tmp_path: Path) -> None:
    """`--stop-with-stdin` serves programs in any language: when they go, the mock does."""
    command = [sys.executable, "-m", "couponmock.cli", "serve", "--port", "0", "--stop-with-stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert process.stdout
        assert process.stdin
        banner = process.stdout.readline()
        assert answers(banner.split()[-1]), banner
        process.stdin.close()
        assert process.wait(START_SECONDS) == 0
