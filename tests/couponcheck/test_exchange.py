"""Requests over HTTP: what is sent, what is waited for, and what is not JSON."""

import contextlib
import gzip
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from answers import answer
from couponcheck.exchange import DEEPEST, Client
from couponcheck.transport import Access, Allowance, LimitReached, Limits, Sharing, TargetUnreachable
from couponspec.request import HttpRequest

GET = HttpRequest("GET", "/v2/list?a=b%20c&d=%40", (("X-Key", "secret"),), None)
Script = Callable[[BaseHTTPRequestHandler], None]


def reply(status: int, body: bytes = b"{}", /, **headers: str) -> Script:
    """Make the script of one answer."""

    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return send


@dataclass
class Tiny:
    """A server that answers as it is told, one script after the other, and remembers what it was asked."""

    url: str = ""
    scripts: list[Script] = field(default_factory=list)
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def tiny() -> Iterator[Tiny]:
    state = Tiny()

    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.readline() if "Transfer-Encoding" in self.headers else b""
            body += self.rfile.read(int(self.headers.get("Content-Length", 0)))
            state.asked.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            state.scripts.pop(0)(self)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        state.done.set()
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def client(url: str, limits: Limits | None = None, **how: Any) -> Iterator[Client]:
    with contextlib.closing(Client(url, "couponcheck/test", Access(limits or Limits(), **how))) as made:
        yield made


def test_a_request_is_sent_byte_for_byte(tiny: Tiny) -> None:
    tiny.scripts = [reply(200, b'{"a": 1}', Content_Type="application/json")]
    body = '{"coupon_value": "é"}'.encode()
    with client(f"{tiny.url}/base/") as asking:
        got = asking.send("unuseCoupon", HttpRequest("POST", GET.target, GET.headers, body))
    assert (got.status, got.body, got.operation, got.media_type) == (200, {"a": 1}, "unuseCoupon", "application/json")
    ((method, path, headers, sent),) = tiny.asked
    assert (method, path, sent) == ("POST", "/base/v2/list?a=b%20c&d=%40", body)
    assert headers["x-key"] == "secret"
    assert headers["user-agent"] == "couponcheck/test"


CHUNKED = HttpRequest("POST", "/a", (("Transfer-Encoding", "chunked"),), b"{}")


@pytest.mark.parametrize(("version", "sent"), [("HTTP/1.1", ("chunked", None)), ("HTTP/1.0", (None, "2"))])
def test_only_a_server_that_is_known_to_speak_http_1_1_is_sent_chunks(
    tiny: Tiny, version: str, sent: tuple[str | None, str | None]
) -> None:
    def told(handler: BaseHTTPRequestHandler) -> None:
        handler.protocol_version = version
        reply(200)(handler)

    tiny.scripts = [told] * 3
    with client(tiny.url) as asking:
        for request in (CHUNKED, GET, CHUNKED):
            asking.send("x", request)
    ways = [(headers.get("transfer-encoding"), headers.get("content-length")) for _, _, headers, _ in tiny.asked]
    assert ways == [(None, "2"), (None, None), sent]


def test_a_header_that_is_sent_otherwise_may_be_left_out(tiny: Tiny) -> None:
    tiny.scripts = [reply(200)] * 2
    with client(tiny.url) as asking:
        asking.send("x", GET)
        asking.send("x", HttpRequest("GET", "/a", (), None, ("Accept",)))
    assert ["accept" in headers for _, _, headers, _ in tiny.asked] == [True, False]


def test_a_redirect_is_an_answer_and_not_followed(tiny: Tiny) -> None:
    tiny.scripts = [reply(302, Location="/login")]
    with client(tiny.url) as asking:
        assert asking.send("x", GET).status == 302
    assert len(tiny.asked) == 1


@pytest.mark.parametrize("busy", [429, 503])
def test_a_busy_server_that_says_when_to_come_back_is_asked_once_more(tiny: Tiny, busy: int) -> None:
    tiny.scripts = [reply(busy, Retry_After="0"), reply(200)]
    with client(tiny.url) as asking:
        assert asking.send("x", GET).status == 200
        assert asking.count == 2


def test_a_server_that_stays_busy_is_asked_no_third_time(tiny: Tiny) -> None:
    tiny.scripts = [reply(503, Retry_After="0"), reply(503, Retry_After="0")]
    with client(tiny.url) as asking:
        assert asking.send("x", GET).status == 503
    assert len(tiny.asked) == 2


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (503, {}),
        (503, {"Retry_After": "31"}),
        (429, {"Retry_After": "Wed, 21 Oct 2099 07:28:00 GMT"}),
        (503, {"Retry_After": "soon"}),
        (503, {"Retry_After": "1e1"}),
        (500, {"Retry_After": "0"}),
    ],
)
def test_nothing_else_is_waited_out(tiny: Tiny, status: int, headers: dict[str, str]) -> None:
    tiny.scripts = [reply(status, b"{}", **headers)]
    with client(tiny.url) as asking:
        assert asking.send("x", GET).status == status
    assert len(tiny.asked) == 1


def test_a_429_that_does_not_say_when_to_come_back_is_asked_again_a_little_later(
    tiny: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    tiny.scripts = [reply(429, b"<p>Too many</p>"), reply(200)]
    with client(tiny.url) as asking:
        assert asking.send("x", GET).status == 200
    assert waited == [1.0]


def test_what_comes_before_an_answer_is_not_taken_for_it(tiny: Tiny) -> None:
    def hinted(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
        reply(201, b"[1]")(handler)

    tiny.scripts = [hinted, reply(200, b"[2]")]
    with client(tiny.url) as asking:
        first, second = asking.send("x", GET), asking.send("x", GET)
    assert (first.status, first.body, "link" in first.headers) == (201, [1], False)
    assert second.body == [2]


def test_a_cookie_is_never_sent_back(tiny: Tiny) -> None:
    tiny.scripts = [reply(200, Set_Cookie="session=1; Path=/"), reply(200)]
    with client(tiny.url) as asking:
        asking.send("x", GET)
        asking.send("x", GET)
    assert [headers.get("cookie") for _, _, headers, _ in tiny.asked] == [None, None]


def hung_up(handler: BaseHTTPRequestHandler) -> None:
    """Close the connection without a word."""
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


def test_a_read_that_met_a_dying_connection_is_sent_again(tiny: Tiny) -> None:
    tiny.scripts = [reply(200), hung_up, reply(200, b"[2]")]
    with client(tiny.url) as asking:
        asking.send("x", GET)
        assert asking.send("x", GET).body == [2]


def test_a_write_is_never_sent_twice(tiny: Tiny) -> None:
    tiny.scripts = [reply(200), hung_up]
    with client(tiny.url) as asking:
        asking.send("x", GET)
        with pytest.raises(TargetUnreachable):
            asking.send("x", HttpRequest("POST", "/v2/list", (), b"{}"))
    assert len(tiny.asked) == 2


def test_a_moment_to_come_back_at_may_be_a_date(tiny: Tiny) -> None:
    tiny.scripts = [reply(503, b"<p>busy</p>", Retry_After="Wed, 21 Oct 2015 07:28:00 GMT"), reply(200, b"{}")]
    with client(tiny.url) as asking:
        assert asking.send("x", GET).status == 200
    assert len(tiny.asked) == 2


def test_no_credential_of_the_machine_is_sent(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password mine\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    tiny.scripts = [reply(200)]
    with client(tiny.url) as asking:
        asking.send("x", GET)
    assert "authorization" not in tiny.asked[0][2]


def test_a_server_that_does_not_answer_is_named_with_the_limit(tiny: Tiny) -> None:
    tiny.scripts = [lambda _: (tiny.done.wait(30), None)[1]]
    with client(tiny.url, Limits(timeout=0.1)) as asking, pytest.raises(TargetUnreachable) as caught:
        asking.send("x", GET)
    assert str(caught.value) == f"{tiny.url} did not answer within 0.1 seconds"


def dripping(text: bytes, *, before: bytes = b"HTTP/1.1 200 OK\r\n") -> Script:
    """Make the script of an answer that sends a piece again and again and never ends."""

    def send(handler: BaseHTTPRequestHandler) -> None:
        with contextlib.suppress(OSError):
            handler.wfile.write(before)
            while True:
                handler.wfile.write(text)
                handler.wfile.flush()
                time.sleep(0.01)
        handler.close_connection = True

    return send


@pytest.mark.parametrize(
    "script",
    [
        dripping(b"x", before=b"HTTP/1.1 200 OK\r\nX-Long: "),
        dripping(b" ", before=b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"),
        dripping(b" ", before=b"HTTP/1.1 200 OK\r\n\r\n"),
        dripping(b"1\r\n \r\n", before=b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ],
)
def test_an_answer_that_drips_for_ever_ends_with_the_deadline(tiny: Tiny, script: Script) -> None:
    tiny.scripts = [script]
    with client(tiny.url, Limits(deadline=0.2)) as asking, pytest.raises(TargetUnreachable) as caught:
        asking.send("x", GET)
    assert str(caught.value) == f"{tiny.url} did not finish its answer within 0.2 seconds (limits.deadline)"


@pytest.mark.parametrize(
    "script",
    [
        reply(200, b"x" * 1001),
        reply(200, gzip.compress(b"x" * 1001), Content_Encoding="gzip"),
        dripping(b"x" * 1000, before=b"HTTP/1.1 200 OK\r\n\r\n"),
    ],
)
def test_a_body_that_is_too_large_is_not_read_to_its_end(tiny: Tiny, script: Script) -> None:
    tiny.scripts = [script]
    with client(tiny.url, Limits(body=1000)) as asking, pytest.raises(TargetUnreachable) as caught:
        asking.send("x", GET)
    assert str(caught.value) == f"{tiny.url} sent a body of more than 1000 bytes (limits.body)"


def test_a_body_as_large_as_allowed_is_read(tiny: Tiny) -> None:
    tiny.scripts = [reply(200, b"x" * 1000)]
    with client(tiny.url, Limits(body=1000)) as asking:
        assert asking.send("x", GET).content == b"x" * 1000


def test_the_clients_of_a_run_share_what_may_be_sent(tiny: Tiny) -> None:
    limits = Limits(requests=3)
    shared = Allowance(limits)
    tiny.scripts = [reply(200), reply(200), reply(200)]
    with contextlib.ExitStack() as stack:
        one, other = (
            stack.enter_context(contextlib.closing(Client(tiny.url, "test", Access(limits), shared))) for _ in range(2)
        )
        for asking in (one, other, one):
            asking.send("x", GET)
        with pytest.raises(LimitReached, match=r"the limit of 3 requests for a run is reached \(limits.requests\)"):
            other.send("x", GET)
    assert (len(tiny.asked), one.count, other.count) == (3, 2, 1)


def test_the_processes_of_a_run_share_what_may_be_sent(tmp_path: Path) -> None:
    """Each counts what the others have sent, and no request is allowed twice."""
    ledger = tmp_path / "ledger"
    ledger.touch()
    limits = Limits(requests=40)
    allowances = [Allowance(limits, Sharing(2, ledger)) for _ in range(2)]

    def take(number: int) -> bool:
        try:
            allowances[number % 2].take()
        except LimitReached:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(take, range(60))) == 40


def test_a_server_that_is_busy_with_the_same_run_is_waited_for(tiny: Tiny) -> None:
    """Each of those that are asking may have come first."""
    tiny.scripts = [reply(429, Retry_After="0"), reply(429, Retry_After="0"), reply(429, Retry_After="0"), reply(200)]
    with client(tiny.url, Limits(parallel=3)) as asking:
        assert asking.send("x", GET).status == 200


def test_processes_keep_the_distance_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("couponcheck.transport.time.sleep", waits.append)
    monkeypatch.setattr("couponcheck.transport.time.monotonic", lambda: 100.0)
    ledger = tmp_path / "ledger"
    ledger.touch()
    for _ in range(3):
        Allowance(Limits(per_second=4), Sharing(2, ledger)).take()
    assert waits == [0, 0.25, 0.5]


def test_requests_keep_the_distance_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("couponcheck.transport.time.sleep", waits.append)
    monkeypatch.setattr("couponcheck.transport.time.monotonic", lambda: 100.0)
    allowance = Allowance(Limits(per_second=4))
    for _ in range(3):
        allowance.take()
    assert waits == [0, 0.25, 0.5]


def test_headers_of_the_target_file_are_sent_and_yield_to_the_requests_own(tiny: Tiny) -> None:
    tiny.scripts = [reply(200)]
    with client(tiny.url, headers={"X-Stage": "test", "x-key": "other"}) as asking:
        got = asking.send("x", GET)
    assert (tiny.asked[0][2]["x-stage"], tiny.asked[0][2]["x-key"]) == ("test", "secret")
    assert got.request.headers == (("X-Key", "secret"), ("X-Stage", "test"))


def test_a_proxy_is_asked_instead_of_the_target(tiny: Tiny) -> None:
    tiny.scripts = [reply(200, b"[]")]
    with client("http://target.invalid", proxy=tiny.url) as asking:
        assert asking.send("x", GET).body == []
    assert tiny.asked[0][1] == f"http://target.invalid{GET.target}"


def test_a_port_where_nobody_listens_is_named() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    with client(url) as asking, pytest.raises(TargetUnreachable) as caught:
        asking.send("x", GET)
    assert str(caught.value) == f"{url} cannot be reached: nobody answers there"


def test_a_connection_that_is_cut_is_named(tiny: Tiny) -> None:
    def cut(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        handler.wfile.flush()
        handler.connection.shutdown(socket.SHUT_RDWR)
        handler.close_connection = True

    tiny.scripts = [cut]
    with client(tiny.url) as asking, pytest.raises(TargetUnreachable) as caught:
        asking.send("x", GET)
    assert str(caught.value).startswith(tiny.url)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (
            b' {"a": [1, 2.5, -0.0, 1e3, true, null, "\\u00e9\\ud83c\\udf89"]}\n',
            {"a": [1, 2.5, 0, 1000, True, None, "é🎉"]},
        ),
        (b'"text"', "text"),
        (b"9007199254740993", 9007199254740993),
        (b"[" * DEEPEST + b"]" * DEEPEST, None),
    ],
)
def test_strict_json_is_read(content: bytes, value: Any) -> None:
    body, wrong = answer(content=content).parsed
    assert wrong == ""
    assert body == (json.loads(content) if value is None else value)


@pytest.mark.parametrize(
    ("content", "wrong"),
    [
        (b"", "there is no body"),
        (b'{"a": "b', 'after 8 bytes it ends before its JSON does: ...{"a": "b'),
        (b'{"a": 1,}', 'at character 9: ...{"a": 1,}'),
        (b"<p>no</p>", "Expecting value"),
        (b'{"a": 1} trailing', "Extra data"),
        (b'{"a" 1}', "delimiter"),
        (b'{"a": 1, "b": {"c": 1, "c": 1}}', "the key 'c' is given twice"),
        (b'{"a": NaN}', "NaN is no JSON number"),
        (b"[-Infinity]", "-Infinity is no JSON number"),
        (b"[1e999]", "1e999 is beyond the range"),
        (b"9" * 5000, "Exceeds the limit"),
        (b'\xef\xbb\xbf{"a": 1}', "BOM"),
        (b'{"a": "\xe9"}', "it is not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "it is not UTF-8"),
        (b'["\\ud83c"]', "half of a surrogate pair"),
        (b'{"\\udf89": 1}', "half of a surrogate pair"),
        (b"[" * 200 + b"]" * 200, "more than 100 levels"),
        (b"[" * 100_000 + b"]" * 100_000, "more than 100 levels"),
    ],
)
def test_what_is_not_strict_json_is_named(content: bytes, wrong: str) -> None:
    body, reason = answer(content=content).parsed
    assert body is None
    assert wrong in reason


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "application/json; charset=utf-8",
        'Application/JSON;charset="UTF-8"',
        "application/json; charset=utf-8; profile=x",
        "application/json; profile=x",
    ],
)
def test_a_charset_parameter_may_say_utf_8(content_type: str) -> None:
    got = answer([], content_type=content_type)
    assert got.parsed == ([], "")
    assert got.media_type == "application/json"


@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "us-ascii"])
def test_no_other_charset_is_that_of_json(charset: str) -> None:
    assert answer([], content_type=f"application/json; charset={charset}").parsed == (
        None,
        f"the charset of JSON is UTF-8, not {charset}",
    )
