"""The pytest plug-in, as pytest runs it in a project that uses it."""

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points

import pytest
from couponmock import Mock
from running_mock import Mock as Server

pytest_plugins = ["pytester"]

CLIENT = """
import json, urllib.request, urllib.error

OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))

def unuse(world, code="JDSI2JE"):
    url = world.base_url("crowdtwist") + "/v2/coupon/unuse?api_key=QWERTY"
    body = json.dumps({"coupon_value": code}).encode()
    try:
        with OPENER.open(urllib.request.Request(url, body, {"Content-Type": "application/json"})) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Make a project with a client."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    # The plug-ins of our own tools take seconds to load; ours is loaded by the name under which it is offered.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(client=CLIENT)
    flags = "-p couponmock -p xdist -p no:cacheprovider --strict-markers -W error"
    pytester.makeini(f"[pytest]\naddopts = {flags}\npythonpath = .\n")
    return pytester


@pytest.fixture
def shared(server: Server) -> Iterator[Mock]:
    """Look at the server that the projects' tests are told to use."""
    with Mock(url=server.origin) as mock:
        yield mock


def run(project: pytest.Pytester, source: str, *flags: str) -> pytest.RunResult:
    """Run tests of a project in a process of their own."""
    project.makepyfile(test_project=source)
    return project.runpytest_subprocess(*flags)


def left(mock: Mock, run_id: str) -> list[str]:
    """Return the namespaces that a test run has left behind."""
    return [name for name in mock.namespaces if name.startswith(run_id)]


def test_the_plugin_is_offered_by_what_is_installed() -> None:
    """Pytest finds it by itself."""
    (found,) = entry_points(group="pytest11", name="couponmock")
    assert found.value == "couponmock.pytest_plugin"


def test_each_test_has_a_world_of_its_own_on_one_server(project: pytest.Pytester) -> None:
    """The same coupon can be unused in every test; the server is started once and gone at the end."""
    outcome = run(
        project,
        """
        import pytest
        from client import unuse
        servers, names = set(), set()

        @pytest.mark.parametrize("text", ["a", "é" * 300, "/~x", "%00 ?#"])
        def test_world(couponmock, couponmock_server, text):
            assert unuse(couponmock) == 200
            assert unuse(couponmock) == 404
            couponmock.verify("unuseCoupon", count=2)
            assert couponmock.name in couponmock_server.namespaces
            servers.add(couponmock_server.url)
            names.add(couponmock.name)
            assert len([name for name in couponmock_server.namespaces if "test_world" in name]) == 1

        class TestOther:
            def test_world(self, couponmock):
                names.add(couponmock.name.split(".")[-1])

        class TestAnother(TestOther):
            pass

        def test_one_server(couponmock_server):
            assert len(servers) == 1
            assert len(names) == 6
            assert all(len(name) <= 64 for name in names)
            print("SERVER", *servers)
        """,
        "-s",
    )
    outcome.assert_outcomes(passed=7)
    url = re.search(r"SERVER (\S+)", outcome.stdout.str())
    assert url
    with pytest.raises(Exception, match="no mock answers at"):
        Mock(url=url[1]).start()


def test_the_marker_says_what_the_world_is_like(project: pytest.Pytester, shared: Mock) -> None:
    """The nearest marker wins, member by member; option and ini file give the pack of all others."""
    source = """
        import pytest
        pytestmark = pytest.mark.couponmock(pack="documented")

        def test_of_the_module(couponmock):
            assert couponmock.clock.now.year == 2016

        @pytest.mark.couponmock(pack="demo")
        def test_of_its_own(couponmock):
            assert couponmock.clock.now.year > 2016
        """
    run(project, source, "--couponmock-url", shared.url).assert_outcomes(passed=2)
    unmarked = source.replace("pytestmark =", "_ =")
    run(project, unmarked, "--couponmock-url", shared.url, "--couponmock-pack", "documented").assert_outcomes(passed=2)
    run(project, unmarked, "-o", f"couponmock_url={shared.url}", "-o", "couponmock_pack=documented").assert_outcomes(
        passed=2
    )
    run(project, unmarked, "--couponmock-url", shared.url).assert_outcomes(passed=1, failed=1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("packs='demo'", "does not take packs; it takes pack, clock, readings, strict"),
        ("'documented'", "does not take 'documented'; it takes pack, clock, readings, strict"),
    ],
)
def test_a_marker_that_would_be_misunderstood_is_a_usage_error(
    project: pytest.Pytester, arguments: str, words: str
) -> None:
    """Before anything runs, with the test and what is allowed."""
    outcome = run(
        project,
        f"""
        import pytest

        @pytest.mark.couponmock({arguments})
        def test_marked():
            assert False
        """,
    )
    assert outcome.ret == pytest.ExitCode.USAGE_ERROR
    outcome.stderr.fnmatch_lines([f"ERROR: test_project.py::test_marked: the marker couponmock {words}"])
    assert "Traceback" not in outcome.stderr.str()


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ("pack='nope'", "couponmock: There is no pack 'nope'; use one of demo, documented."),
        ("clock=__import__('datetime').datetime(2030, 1, 1)", "*has no time zone*"),
    ],
)
def test_a_world_that_cannot_be_made_fails_its_test_alone(
    project: pytest.Pytester, shared: Mock, marker: str, words: str
) -> None:
    """In the mock's own words and without a traceback."""
    outcome = run(
        project,
        f"""
        import pytest

        @pytest.mark.couponmock({marker})
        def test_marked(couponmock): ...

        def test_other(couponmock): ...
        """,
        "--couponmock-url",
        shared.url,
    )
    outcome.assert_outcomes(passed=1, errors=1)
    outcome.stdout.fnmatch_lines([words])
    assert "pytest_plugin.py" not in outcome.stdout.str()


def test_a_failed_test_shows_what_it_asked(project: pytest.Pytester, shared: Mock) -> None:
    """The newest exchanges of this test and no other, and nothing of one that passes."""
    outcome = run(
        project,
        """
        from client import unuse

        def test_passes(couponmock):
            unuse(couponmock, "OF-A-PASSING-TEST")

        def test_fails(couponmock):
            unuse(couponmock)
            couponmock.verify("unuseCoupon", count=2)

        def test_asks_nothing(couponmock):
            assert False

        def test_asks_much(couponmock):
            for number in range(23):
                unuse(couponmock, f"NO-{number}-")
            assert False
        """,
        "-rP",
        "--couponmock-url",
        shared.url,
    )
    outcome.assert_outcomes(passed=1, failed=3)
    said = outcome.stdout.str()
    outcome.stdout.fnmatch_lines(
        [
            "E * Expected 2 matching requests, found 1 among 1.",
            "*- couponmock journal -*",
            "1. POST /v2/coupon/unuse?api_key=[*][*][*] -> 200 unused",
            '    sent {"coupon_value": "JDSI2JE"}',
            "    got  {*",
            "*- couponmock journal -*",
            "Nothing was asked of *",
            "*- couponmock journal -*",
            "(3 before these are left out)",
            "4. POST *",
            '    sent {"coupon_value": "NO-3-"}',
            "23. POST * -> 404 no_data*",
        ]
    )
    assert "OF-A-PASSING-TEST" not in said
    assert "NO-2-" not in said
    assert "QWERTY" not in said.replace('api_key=QWERTY"', "")
    assert said.count("namespace.py") == 0, "the traceback ends in the test"


def test_a_journal_that_cannot_be_read_does_not_hide_the_failure(project: pytest.Pytester) -> None:
    """As when the server is gone; a project may also choose the server itself."""
    project.makeconftest(
        """
        import pytest
        from couponmock import Mock

        @pytest.fixture(scope="session")
        def couponmock_server():
            with Mock(in_thread=True) as mock:
                yield mock
        """
    )
    outcome = run(
        project,
        """
        def test_fails(couponmock, couponmock_server):
            couponmock_server.stop()
            assert "this" == "that"
        """,
    )
    outcome.assert_outcomes(failed=1, errors=1)
    outcome.stdout.fnmatch_lines(
        ["*assert 'this' == 'that'", "*- couponmock journal -*", "It cannot be read: no mock *"]
    )


@pytest.mark.parametrize("how", ["option", "ini", "environment"])
def test_a_url_at_which_no_mock_answers_is_said_so(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """However it was given."""
    url = "http://127.0.0.1:1"
    flags = {"option": ["--couponmock-url", url], "ini": ["-o", f"couponmock_url={url}"], "environment": []}[how]
    if how == "environment":
        monkeypatch.setenv("COUPONMOCK_URL", url)
    outcome = run(project, "def test_it(couponmock): ...", *flags)
    outcome.assert_outcomes(errors=1)
    outcome.stdout.fnmatch_lines([f"couponmock: no mock answers at {url}: *"])
    assert "pytest_plugin.py" not in outcome.stdout.str()


MANY = """
    import os, pytest
    from client import unuse

    @pytest.mark.parametrize("number", range(40))
    def test_world(couponmock, couponmock_server, number, testrun_uid, worker_id):
        assert couponmock.name.startswith(f"{testrun_uid[:12]}.{worker_id}.")
        assert [unuse(couponmock), unuse(couponmock)] == [200, 404]
        assert len(couponmock.requests()) == 2
        print("SERVER", couponmock_server.url)
"""


def test_workers_of_xdist_share_a_server_without_seeing_each_other(project: pytest.Pytester, shared: Mock) -> None:
    """Names tell run, worker and test apart; nothing is left behind."""
    outcome = run(project, MANY, "-n", "4", "--testrunuid", "sharedrun0000", "--couponmock-url", shared.url)
    outcome.assert_outcomes(passed=40)
    assert left(shared, "sharedrun000") == []


def test_each_worker_of_xdist_starts_a_server_of_its_own(project: pytest.Pytester) -> None:
    """And none of them outlives the run."""
    outcome = run(project, MANY, "-n", "2", "-rP")
    outcome.assert_outcomes(passed=40)
    urls = set(re.findall(r"SERVER (\S+)", outcome.stdout.str()))
    assert len(urls) == 2
    for url in urls:
        with pytest.raises(Exception, match="no mock answers at"):
            Mock(url=url).start()


def test_who_does_not_use_it_does_not_notice_it(project: pytest.Pytester) -> None:
    """Nothing of ours is loaded but the plug-in itself; it tells of itself where pytest lists such things."""
    outcome = run(
        project,
        """
        import sys

        def test_unused():
            ours = {name for name in sys.modules if name.startswith(("coupon", "flask", "granian"))}
            assert ours == {"couponmock", "couponmock.pytest_plugin"}
        """,
    )
    outcome.assert_outcomes(passed=1)
    assert "couponmock journal" not in outcome.stdout.str()
    project.runpytest_subprocess("--markers").stdout.fnmatch_lines(["@pytest.mark.couponmock(pack=..., *"])
    project.runpytest_subprocess("--fixtures").stdout.fnmatch_lines(["couponmock_server *", "couponmock -- *"])
    kept_out = project.runpytest_subprocess("-o", "addopts=", "-p", "no:couponmock", "--couponmock-url", "x")
    assert kept_out.ret == pytest.ExitCode.USAGE_ERROR


def test_importing_the_plugin_loads_no_client_and_no_server() -> None:
    """Measured against pytest alone."""
    code = "import sys, pytest; was = {*sys.modules}; import couponmock.pytest_plugin; print(*{*sys.modules} - was)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"couponmock", "couponmock.pytest_plugin"}
