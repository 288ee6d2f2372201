"""`couponmock serve` as a process: how it starts, what it says, and how it stops."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from couponmock.cli import main
from running_mock import (
    ANSWER_SECONDS,
    START_SECONDS,
    STOP_SECONDS,
    Mock,
    await_port,
    couponmock,
    exchange,
    launch,
    request_bytes,
    serving,
    survivors,
)

UNUSE = "/v2/coupon/unuse?api_key=QWERTY"


def refused(folder: Path, *flags: str) -> tuple[int, str]:
    """Start a mock that cannot start and return its exit code and what it said."""
    done = couponmock(folder, "serve", *flags)
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--pack", "nope"], "'nope'"),
        (["--vendor", "nope"], "there is no vendor 'nope'; there are chargeover, crowdtwist, shoplazza"),
        (["--vendor", "crowdtwist", "--vendor", "CrowdTwist"], "there is no vendor 'CrowdTwist'"),
        (["--defect", "nope"], "there is no defect 'nope'; `couponmock defects` lists them"),
        (["--host", "256.1.1.1"], "cannot listen on 256.1.1.1"),
        (["--host", "192.0.2.1"], "cannot listen on 192.0.2.1:0"),
        (["--host", "a..b"], "cannot listen on a..b"),
        (["--host", ""], "cannot listen on"),
        (["--state", "nope"], "sqlite:///"),
        (["--state", "sqlite:///:memory:"], "sqlite:///"),
        (["--state", "sqlite:////no/such/folder/state.db"], "/no/such/folder/state.db"),
        (["--state", "mysql://somebody:hunter2@localhost/x"], "'mysql'"),
        (["--state", "postgresql://somebody:hunter2@127.0.0.1:1/x"], "127.0.0.1:1"),
        (["--port-file", "/no/such/folder/port"], "/no/such/folder"),
    ],
)
def test_what_cannot_be_served_is_one_clear_line_and_exit_code_2(tmp_path: Path, flags: list[str], words: str) -> None:
    """It names what was wrong, and never a password."""
    code, said = refused(tmp_path, "--port", "0", *flags)
    assert (code, len(said.splitlines())) == (2, 1), said
    assert said.startswith("couponmock: ")
    assert words in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--nope"], "--nope"),
        (["nope"], "nope"),
        (["--port", "65536"], "65536"),
        (["--port", "-1"], "-1"),
        (["--port", "x"], "'x'"),
        (["--workers", "0"], "0"),
        (["--log-format", "xml"], "'xml'"),
    ],
)
def test_a_wrong_flag_is_explained_with_exit_code_2(flags: list[str], words: str) -> None:
    """With where to read more."""
    done = CliRunner().invoke(main, ["serve", *flags])
    assert (done.exit_code, done.stdout) == (2, "")
    assert words in done.stderr.splitlines()[-1]
    assert "serve --help" in done.stderr


@pytest.mark.parametrize(
    "command", [["fixtures", "--pack", "nope"], ["fixtures", "--vendor", "x"], ["validate", "--vendor", "x"]]
)
def test_the_other_commands_refuse_unknown_names_in_the_same_way(command: list[str]) -> None:
    """One line, exit code 2."""
    done = CliRunner().invoke(main, command)
    assert (done.exit_code, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert done.stderr.startswith("couponmock: ")


@pytest.fixture
def listener() -> Iterator[int]:
    """Give a port on which somebody listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as somebody:
        yield somebody.getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])  # noqa: S104 - the port is taken, nothing is opened
def test_a_port_in_use_is_one_clear_line_and_exit_code_3(tmp_path: Path, listener: int, host: str) -> None:
    """With what to do about it."""
    code, said = refused(tmp_path, "--host", host, "--port", str(listener))
    assert (code, len(said.splitlines())) == (3, 1), said
    assert f"{host}:{listener} is in use" in said
    assert "--port" in said


def test_a_port_that_another_mock_serves_is_in_use(tmp_path: Path, server: Mock) -> None:
    """Although its server would share the port; and the first one goes on."""
    code, said = refused(tmp_path, "--port", str(server.port))
    assert code == 3, said
    assert server.admin("GET", "/health").status == 200


def test_a_mock_that_finds_its_port_taken_leaves_the_port_file_of_the_other(tmp_path: Path, listener: int) -> None:
    """It is not its own."""
    (tmp_path / "port").write_text("1234\n")
    assert refused(tmp_path, "--port", str(listener), "--port-file", str(tmp_path / "port"))[0] == 3
    assert (tmp_path / "port").read_text() == "1234\n"


def test_the_banner_names_version_vendors_and_address(server: Mock) -> None:
    """The first line after the start."""
    said = server.log.read_text()
    assert f" serves chargeover, crowdtwist, shoplazza at {server.origin}\n" in said
    for operation in ("getCoupon", "unuseCoupon", "listUsableCoupons", "receiveCoupons"):
        assert said.count(f" {operation}\ncurl ") == 1


def half_sent(port: int) -> socket.socket:
    """Begin a request and never end it."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS)
    headers = [("Content-Type", "application/json"), ("Content-Length", "1000")]
    connection.sendall(request_bytes("POST", UNUSE, headers) + b'{"coupon_value": ')
    return connection


@pytest.mark.parametrize(
    ("number", "workers"), [(signal.SIGTERM, "1"), (signal.SIGTERM, "2"), (signal.SIGINT, "1")], ids=str
)
def test_a_signal_stops_the_mock_within_three_seconds_even_with_a_slow_request_in_flight(
    tmp_path: Path, number: signal.Signals, workers: str
) -> None:
    """Exit code 0, no traceback, and nothing of it is left: no process, no port file, no temporary store."""
    with serving(tmp_path, "--workers", workers) as mock:
        assert list(tmp_path.glob("couponmock-*"))
        # The server may still be busy with an idle connection, a half-sent head, and a half-sent body.
        with (
            half_sent(mock.port),
            socket.create_connection(("127.0.0.1", mock.port)) as idle,
            socket.create_connection(("127.0.0.1", mock.port)) as begun,
        ):
            begun.sendall(b"GET /v2/us")
            assert mock.admin("GET", "/health").status == 200
            took = mock.stop(number)
            idle.close()
        assert mock.process.returncode == 0, mock.log.read_text()
        assert took < STOP_SECONDS
        assert not survivors(mock.process.pid)
        assert "Traceback" not in mock.log.read_text()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["log"]
        with pytest.raises(ConnectionRefusedError):
            exchange(mock.port, request_bytes("GET", "/__admin/health"))


def test_a_signal_that_comes_before_the_mock_serves_leaves_nothing_either(tmp_path: Path) -> None:
    """Told to stop while it reads its files, it ends with 0 and takes its temporary store with it."""
    process = launch(tmp_path, "--port", "0")
    try:
        while not list(tmp_path.glob("couponmock-*/state.db")):
            assert process.poll() is None, (tmp_path / "log").read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(START_SECONDS) == 0, (tmp_path / "log").read_text()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["log"]
        assert not survivors(process.pid)
    finally:
        process.kill()
        process.wait()


def test_state_in_a_file_survives_a_restart(tmp_path: Path) -> None:
    """What was unused stays unused, stocks and namespaces stay; a reset brings the pack back."""
    state = f"sqlite:///{tmp_path / 'state.db'}"
    body = {"customer_id": "5001", "coupon_ids": ["202314454241654711"]}
    token = {"access-token": "sunny-token"}
    with serving(tmp_path, "--state", state) as first:
        kept = first.new_world()
        assert kept.post(UNUSE, {"coupon_value": "JDSI2JE"}).status == 200
        assert kept.post("/openapi/2022-01/coupons/receive", body, token).json["items"][0]["stock"] == 19
        described = kept.admin("GET", f"/namespaces/{kept.namespace}").json
        first.stop()
    with serving(tmp_path, "--state", state, "--workers", "2") as second:
        again = second.within(kept.namespace or "")
        after = again.admin("GET", f"/namespaces/{again.namespace}").json
        assert {**after, "now": None} == {**described, "now": None}
        assert again.post(UNUSE, {"coupon_value": "JDSI2JE"}).example == "not_used"
        assert again.post("/openapi/2022-01/coupons/receive", body, token).json["items"][0]["stock"] == 18
        assert second.admin("POST", "/reset", {"namespace": again.namespace}).status == 200
        assert again.post(UNUSE, {"coupon_value": "JDSI2JE"}).example == "unused"


def test_only_the_chosen_vendors_are_acted_out_and_only_their_state_is_bound(tmp_path: Path) -> None:
    """Paths of another vendor are nobody's; a world made with all of them, in the same store, is told apart."""
    state = f"sqlite:///{tmp_path / 'state.db'}"
    flags = (
        "--state",
        state,
        "--vendor",
        "shoplazza",
        "--vendor",
        "crowdtwist",
        "--no-mock-headers",
        "--log-format",
        "none",
    )
    with serving(tmp_path, *flags) as mock:
        assert mock.admin("GET", "/version").json["vendors"] == ["crowdtwist", "shoplazza"]
        answer = mock.send("GET", "/api/v3/coupon/1")
        assert (answer.status, answer.media_type) == (404, "application/problem+json")
        assert "chargeover" not in answer.json["detail"]
        assert mock.send("GET", "/openapi/x").json == {"errors": ["Not Found"]}
        world = mock.new_world()
        bound = mock.admin("GET", f"/namespaces/{world.namespace}/bindings").json["bindings"]
        assert bound.keys() == {"crowdtwist", "shoplazza"}
        # Without the mock's headers nothing but the vendor's own and HTTP's are left.
        got = exchange(mock.port, request_bytes("POST", UNUSE, [("Content-Type", "application/json")], b"{}"))
        assert {name.lower() for name in got.headers} <= {
            "content-type",
            "content-length",
            "server",
            "date",
            "connection",
        }
        said = mock.log.read_text()
        assert "chargeover" not in said
        assert said.splitlines()[-1].startswith("More: couponmock fixtures")
        mock.stop()
    with serving(tmp_path, "--state", state) as whole:
        answer = whole.admin("GET", f"/namespaces/{world.namespace}/bindings")
        assert (answer.status, answer.json["type"]) == (409, "urn:couponmock:pack")


def read_if_there(file: Path) -> str:
    """Read a file that somebody else may remove at any moment."""
    try:
        return file.read_text()
    except FileNotFoundError:
        return ""


def test_an_old_port_file_is_not_taken_for_the_new_one(tmp_path: Path) -> None:
    """A killed mock leaves its port file; whoever waits for the next mock must not read it. Localhost is a host."""
    (tmp_path / "port").write_text("1\n")
    process = launch(tmp_path, "--port", "0", "--host", "localhost", "--vendor", "chargeover")
    try:
        while read_if_there(tmp_path / "port") == "1\n":
            assert process.poll() is None, (tmp_path / "log").read_text()
        port = await_port(process, tmp_path)
        assert port > 1
        assert exchange(port, request_bytes("GET", "/__admin/health")).status == 200
        os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does: the workers get it too
        assert process.wait(STOP_SECONDS) == 0
    finally:
        process.kill()
        process.wait()
