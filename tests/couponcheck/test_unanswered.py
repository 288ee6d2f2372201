"""Targets that are dead, hang or are no servers at all: each ends in time, in one sentence, with exit code 2."""

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from couponcheck.commands import couponcheck
from couponcheck.exchange import Client
from couponcheck.transport import Access, Limits, TargetUnreachable
from couponspec.request import HttpRequest
from target_files import written

GET = HttpRequest("GET", "/", (), None)
Script = Callable[[socket.socket, threading.Event], None]


def silent(connection: socket.socket, over: threading.Event) -> None:
    over.wait(30)


def closing(connection: socket.socket, over: threading.Event) -> None:
    connection.recv(65536)


def saying(text: bytes, *, hangs: bool = False) -> Script:
    def script(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65536)
        connection.sendall(text)
        if hangs:
            over.wait(30)

    return script


def dripping(before: bytes, drop: bytes) -> Script:
    def script(connection: socket.socket, over: threading.Event) -> None:
        connection.recv(65536)
        connection.sendall(before)
        while not over.wait(0.02):
            connection.sendall(drop)

    return script


@contextlib.contextmanager
def port_of(script: Script) -> Iterator[int]:
    """Run a script for each connection to a port, as long as the block lasts."""
    over = threading.Event()
    threads: list[threading.Thread] = []

    def carried_out(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            script(connection, over)

    def accepting() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                if over.is_set():
                    connection.close()
                    return
                threads.append(threading.Thread(target=carried_out, args=(connection,)))
                threads[-1].start()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        accepts = threading.Thread(target=accepting)
        accepts.start()
        try:
            yield port
        finally:
            over.set()
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                pass  # wakes who accepts
            accepts.join()
            for thread in threads:
                thread.join()


def closed_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
    return port


OK = b"HTTP/1.1 200 OK\r\n"
DRIPS = "did not finish its answer within 0.6 seconds (limits.deadline)"
HANGS = "did not answer within 0.3 seconds"


def limits(says: str) -> Limits:
    """Return limits of which the one that is meant comes first, however busy the machine is."""
    return Limits(timeout=0.3) if says == HANGS else Limits(timeout=30, deadline=0.6)


CLOSES = "closed the connection without an answer"
TLS = "speaks no TLS that is understood here; give http:// if it speaks none"
NO_HTTP = "does not speak HTTP; give https:// if it speaks TLS"
WAYS: dict[str, tuple[str, Script, str]] = {
    "never answers": ("http", silent, HANGS),
    "never answers in TLS": ("https", silent, HANGS),
    "headers and no more": ("http", saying(OK + b"Content-Length: 9\r\n\r\n{", hangs=True), HANGS),
    "half a status line": ("http", saying(b"HTTP/1.1 2", hangs=True), HANGS),
    "drips headers": ("http", dripping(OK + b"A: ", b"a"), DRIPS),
    "drips a body": ("http", dripping(OK + b"\r\n", b" "), DRIPS),
    "goes on and on with 100": ("http", dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), DRIPS),
    "drips a handshake": ("https", dripping(b"\x16\x03\x03\x40\x00", b"\x02"), DRIPS),
    "closes": ("http", closing, CLOSES),
    "closes in the middle": (
        "http", saying(OK + b"Content-Length: 9\r\n\r\n{"), "closed the connection in the middle of an answer",
    ),
    "is another service": ("http", saying(b"SSH-2.0-OpenSSH_9.2\r\n"), NO_HTTP),
    "speaks TLS only": ("http", saying(b"\x15\x03\x01\x00\x02\x02\x46"), NO_HTTP),
    "speaks no TLS": ("https", saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), TLS),
    "too many headers": (
        "http", saying(OK + b"A: b\r\n" * 200 + b"\r\n"), "sent headers that are longer or more than clients read",
    ),
}  # fmt: skip


def said_by(url: str, says: str = "", **how: Any) -> str:
    """Return what is said of a server that does not answer."""
    access = Access(limits(says), **how)
    with contextlib.closing(Client(url, "test", access)) as client, pytest.raises(TargetUnreachable) as caught:
        client.send("x", GET)
    return str(caught.value)


@pytest.mark.parametrize("way", WAYS)
def test_each_way_not_to_answer_has_its_sentence(way: str) -> None:
    scheme, script, says = WAYS[way]
    with port_of(script) as port:
        url = f"{scheme}://127.0.0.1:{port}"
        assert said_by(url, says) == f"{url} {says}"


def test_a_body_that_is_not_encoded_as_it_says_is_a_wrong_answer_and_not_a_missing_one() -> None:
    script = saying(OK + b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc")
    with port_of(script) as port, contextlib.closing(Client(f"http://127.0.0.1:{port}", "test")) as client:
        exchange = client.send("x", GET)
    assert (exchange.status, exchange.parsed) == (200, (None, "it is not encoded as its Content-Encoding says"))


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://no-such-host.invalid", "its name is not known here"),
        ("http://a..b", "its name is none that a host can have"),
        (f"http://{'a' * 70}.example", "its name is none that a host can have"),
    ],
)
def test_a_name_that_nobody_has_is_said(url: str, says: str) -> None:
    assert said_by(url) == f"{url} cannot be reached: {says}"


def test_a_name_is_not_looked_up_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lookup has no timeout of its own, and a resolver that is cut off may take minutes."""
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(30))
    try:
        assert said_by("http://slow.invalid", HANGS) == f"http://slow.invalid {HANGS}"
    finally:
        over.set()


FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"
WHO_ARE_YOU = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    ("scheme", "script", "says"),
    [
        ("http", saying(WHO_ARE_YOU), "it answers 407 Proxy Authentication Required"),
        ("https", saying(WHO_ARE_YOU), "it answers 407 Proxy Authentication Required"),
        ("https", saying(FORBIDDEN), "it answers 403 Forbidden"),
        ("http", None, "nobody answers there"),
        ("https", None, "nobody answers there"),
    ],
)
def test_a_proxy_that_lets_nothing_through_is_named_without_its_password(
    scheme: str, script: Script | None, says: str
) -> None:
    with port_of(script) if script else contextlib.nullcontext(closed_port()) as port:
        said = said_by(f"{scheme}://target.invalid", proxy=f"http://me:secret@127.0.0.1:{port}")
    assert said == f"{scheme}://target.invalid cannot be reached through the proxy 127.0.0.1:{port}: {says}"


@pytest.mark.parametrize(("script", "says"), [(silent, HANGS), (dripping(b"HTTP/1.1 2", b"0"), DRIPS)])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_hangs_or_drips_ends_in_time(scheme: str, script: Script, says: str) -> None:
    with port_of(script) as port:
        said = said_by(f"{scheme}://target.invalid", says, proxy=f"http://127.0.0.1:{port}")
    assert said == f"{scheme}://target.invalid {says}"


@pytest.mark.parametrize("proxy", ["ftp://127.0.0.1:1", "http://"])
def test_what_is_no_proxy_is_said(proxy: str) -> None:
    assert "is no proxy that can be asked" in said_by("http://target.invalid", proxy=proxy)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
def test_a_certificate_that_is_not_trusted_is_told_with_the_reason(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=elsewhere.example",
            "-keyout", str(key), "-out", str(certificate),
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def handshake(connection: socket.socket, over: threading.Event) -> None:
        context.wrap_socket(connection, server_side=True).close()

    with port_of(handshake) as port:
        url = f"https://127.0.0.1:{port}"
        assert said_by(url).startswith(f"{url} has a certificate that is not trusted here (self-signed certificate); ")
        assert "IP address mismatch" in said_by(url, ca_file=str(certificate))


# -- at the terminal -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["never answers", "headers and no more", "drips a body", "closes", "speaks no TLS"])
@pytest.mark.parametrize("command", ["run", "run FILE", "doctor FILE"])
def test_every_command_ends_in_time_with_one_sentence(
    command: str, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheme, script, says = WAYS[way]
    # Of a target that is given by its URL alone there is no file that could say how long to wait.
    monkeypatch.setattr("couponcheck.target.Access", lambda: Access(limits(says)))
    monkeypatch.setenv("CO", "secret")
    credentials = {"main": {"scheme": "basic", "user": "$CO", "password": "$CO"}}
    with port_of(script) as port:
        url = f"{scheme}://127.0.0.1:{port}"
        waits = {"timeout": limits(says).timeout, "deadline": limits(says).deadline}
        vendors = {"chargeover": {"credentials": credentials, "data": {}}}
        contents = {"version": 1, "base_url": url, "limits": waits, "vendors": vendors}
        name, _, file = command.partition(" ")
        target = str(written(tmp_path, contents)) if file else url
        done = CliRunner().invoke(couponcheck, [name, target])
    assert done.exit_code == 2, done.output
    assert done.stderr == f"couponcheck: {url} {says}\n"
