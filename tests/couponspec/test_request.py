"""Requests written as data become HTTP, and HTTP becomes a command that a shell runs."""

import base64
import json
import shutil
import subprocess
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
from couponspec import Document, HttpRequest, Operation, Unbound, build, load_document
from couponspec.request import fill, names_in

BINDINGS: Mapping[str, Mapping[str, Any]] = {
    "credential.main": {"scheme": "api_key", "secret": "QWERTY"},
    "credential.header": {"scheme": "ct_authorization", "secret": "QWERTY"},
    "credential.odd": {"scheme": "api_key", "secret": "a b&c=d/é"},
    "coupon.used": {"code": "JDSI2JE", "quantity": 2, "value": 5.0, "date_to_expire": None, "enabled": True},
    "member.alice": {"email": "alice@crowdtwist.com", "id": "1001"},
    "coupon.odd": {"code": "50% off/ü?&#"},
}

needs_curl = pytest.mark.skipif(not (shutil.which("curl") and shutil.which("sh")), reason="needs curl and a shell")


def crowdtwist(operation: str) -> tuple[Document, Operation]:
    document = load_document("crowdtwist")
    return document, document.operations[operation]


def made(data: Mapping[str, Any], operation: str = "unuseCoupon") -> HttpRequest:
    return build(*crowdtwist(operation), data, BINDINGS)


def query_of(request: HttpRequest) -> list[tuple[str, str]]:
    return parse_qsl(request.target.partition("?")[2], keep_blank_values=True)


# -- names in data --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("member", ["code", "quantity", "value", "date_to_expire", "enabled"])
def test_a_text_that_is_nothing_but_a_name_keeps_the_values_type(member: str) -> None:
    """A number stays a number, null stays null."""
    filled = fill({"x": f"{{coupon.used.{member}}}"}, BINDINGS)["x"]
    assert (filled, type(filled)) == (BINDINGS["coupon.used"][member], type(BINDINGS["coupon.used"][member]))


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("a {coupon.used.code} b {member.alice.id}", "a JDSI2JE b 1001"),
        ("{coupon.used.quantity} of {coupon.used.value}", "2 of 5.0"),
        ("is {coupon.used.enabled}, ends {coupon.used.date_to_expire}", "is true, ends null"),
        ("{coupon.used.code}{coupon.used.code}", "JDSI2JEJDSI2JE"),
        ("{}", "{}"),
        ("{coupon}", "{coupon}"),
        ("{coupon.used}", "{coupon.used}"),
        ("{Coupon.used.code}", "{Coupon.used.code}"),
    ],
)
def test_a_name_within_a_text_is_written_as_json_has_it(text: str, filled: str) -> None:
    """What is no name is left as it is."""
    assert fill(text, BINDINGS) == filled


def test_names_are_filled_and_found_at_any_depth() -> None:
    """In members and in items, but not in the names of members."""
    data = {"a": [{"b": "{coupon.used.code}"}, 1, None], "{member.alice.id}": "x{member.alice.id}"}
    assert fill(data, BINDINGS) == {"a": [{"b": "JDSI2JE"}, 1, None], "{member.alice.id}": "x1001"}
    assert names_in(data) == {"coupon.used", "member.alice"}


@pytest.mark.parametrize("name", ["coupon.lost.code", "coupon.used.colour"])
def test_a_name_without_value_is_unbound(name: str) -> None:
    """An unknown handle, and an unknown member of a known one."""
    with pytest.raises(Unbound) as caught:
        fill(f"{{{name}}}", BINDINGS)
    assert caught.value.name == name


# -- requests -------------------------------------------------------------------------------------------------------


def test_a_request_without_data_is_the_operations_own() -> None:
    """Method and path of the document, the main credential, no body."""
    assert made({}) == HttpRequest("POST", "/v2/coupon/unuse?api_key=QWERTY", (), None)


def test_a_body_is_json_in_utf_8_with_its_media_type() -> None:
    """Beyond ASCII as it is, and not escaped."""
    request = made({"body": {"coupon_value": "{coupon.used.code}", "note": "é"}})
    assert request.headers == (("Content-Type", "application/json"),)
    assert request.body == '{"coupon_value": "JDSI2JE", "note": "é"}'.encode()


@pytest.mark.parametrize(("body", "sent"), [(None, b"null"), (False, b"false"), (0, b"0"), ("", b'""'), ({}, b"{}")])
def test_an_empty_body_is_a_body(body: Any, sent: bytes) -> None:
    """``null`` and ``{}`` are JSON as everything else."""
    assert made({"body": body}).body == sent


def test_a_raw_body_is_sent_as_it_is_and_as_often_as_asked() -> None:
    """Broken JSON, and too much of anything."""
    assert made({"raw": "{"}).body == b"{"
    assert made({"raw": "é", "repeat": 3}).body == "ééé".encode()
    assert made({"raw": ""}).body == b""
    assert made({"raw": "{coupon.used.quantity}"}).body == b"2"


def test_a_header_of_the_data_takes_the_place_of_ours_in_any_case_of_letters() -> None:
    """Two media types would be another request than the one that was meant."""
    request = made({"body": {}, "headers": {"content-type": "text/plain", "X-Trace": "{coupon.used.quantity}"}})
    assert request.headers == (("content-type", "text/plain"), ("X-Trace", "2"))


def test_a_header_of_the_data_that_is_null_is_left_out() -> None:
    request = made({"headers": {"content-type": None, "Accept": None}, "body": {}})
    assert (dict(request.headers), request.without) == ({}, ("content-type", "Accept"))


def test_escaped_for_json_a_text_is_still_itself() -> None:
    text = 'Grüße 🎉 "\\'
    escaped = fill("{coupon.used.code|escaped}", {"coupon.used": {"code": text}})
    assert escaped.isascii()
    assert json.loads(f'"{escaped}"') == text


def test_a_path_parameter_is_encoded_and_keeps_its_at_sign() -> None:
    """A slash of a value is no slash of the path."""
    target = made({"path": {"user_id": "{coupon.odd.code}"}}, "listUsableCoupons").target
    assert target == "/v2/users/50%25%20off%2F%C3%BC%3F%26%23/usable_coupons?api_key=QWERTY"
    target = made({"path": {"user_id": "{member.alice.email}"}}, "listUsableCoupons").target
    assert target.startswith("/v2/users/alice@crowdtwist.com/usable_coupons?")


@pytest.mark.parametrize(("value", "segment"), [("", ""), (" ", "%20"), (7, "7"), (True, "true"), (None, "null")])
def test_a_path_parameter_may_be_empty_blank_or_no_text(value: Any, segment: str) -> None:
    """An empty segment reaches the vendor."""
    target = made({"path": {"user_id": value}}, "listUsableCoupons").target
    assert target == f"/v2/users/{segment}/usable_coupons?api_key=QWERTY"


def test_a_path_parameter_without_value_is_unbound() -> None:
    """It cannot be left out as a query parameter can."""
    with pytest.raises(Unbound, match=r"path\.user_id"):
        made({}, "listUsableCoupons")


def test_a_query_parameter_may_be_given_twice_empty_or_beyond_ascii() -> None:
    """A list gives one for each item."""
    request = made(
        {"path": {"user_id": 1}, "query": {"id_type": ["id", "email"], "a": "", "é": "& ü", "b": [False, 1.5]}},
        "listUsableCoupons",
    )
    assert query_of(request) == [
        ("id_type", "id"),
        ("id_type", "email"),
        ("a", ""),
        ("é", "& ü"),
        ("b", "false"),
        ("b", "1.5"),
        ("api_key", "QWERTY"),
    ]
    assert request.target.isascii()


def test_a_url_of_the_data_stands_for_path_and_method_may_change_too() -> None:
    """Requests that reach no operation; a query of its own is added to."""
    request = made({"url": "/v2/x?a=%2F&b={coupon.used.quantity}", "method": "DELETE", "query": {"c": "d"}})
    assert (request.method, request.target) == ("DELETE", "/v2/x?a=%2F&b=2&c=d&api_key=QWERTY")


def test_a_url_beyond_ascii_is_encoded_and_what_is_encoded_already_is_left() -> None:
    """A target is always one that can be sent."""
    assert made({"url": "/v2/ü [x]/%C3%BC", "credential": "none"}).target == "/v2/%C3%BC%20%5Bx%5D/%C3%BC"


# -- credentials ----------------------------------------------------------------------------------------------------


def test_an_api_key_goes_into_the_query_encoded() -> None:
    """A key is data as everything else."""
    assert query_of(made({"credential": "odd"})) == [("api_key", "a b&c=d/é")]


def test_an_api_key_of_a_header_goes_behind_its_prefix() -> None:
    """And not into the query."""
    request = made({"credential": "header"})
    assert (request.target, request.headers) == ("/v2/coupon/unuse", (("X-CT-Authorization", "CTApiKey QWERTY"),))


def test_an_access_token_is_a_header_without_prefix() -> None:
    """Shoplazza."""
    document = load_document("shoplazza")
    bindings = {"credential.main": {"scheme": "access_token", "secret": "t"}}
    request = build(document, document.operations["receiveCoupons"], {}, bindings)
    assert request.headers == (("access-token", "t"),)


def test_a_key_pair_is_sent_as_http_basic_has_it() -> None:
    """ChargeOver; beyond ASCII in UTF-8."""
    document = load_document("chargeover")
    bindings = {"credential.main": {"scheme": "basic", "secret": "public:prívate"}}
    request = build(document, document.operations["getCoupon"], {"path": {"coupon_id": 1}}, bindings)
    [(name, value)] = request.headers
    assert (name, base64.b64decode(value.removeprefix("Basic ")).decode()) == ("Authorization", "public:prívate")


def test_a_request_may_send_no_credential() -> None:
    """The one handle that is no entity."""
    assert made({"credential": "none"}).target == "/v2/coupon/unuse"


def test_a_credential_that_nobody_supplied_is_unbound() -> None:
    """What cannot be signed is not sent without."""
    with pytest.raises(Unbound, match=r"credential\.lost"):
        made({"credential": "lost"})


# -- curl -----------------------------------------------------------------------------------------------------------


@dataclass
class Received:
    """What a server was sent."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Echo:
    """A server that remembers."""

    url: str
    received: list[Received] = field(default_factory=list)


@pytest.fixture
def echo() -> Iterator[Echo]:
    """Run a server that takes anything."""
    remembered = Echo("")

    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            """Take a request of any method."""
            self.raw_requestline = self.rfile.readline()
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            length = int(self.headers.get("Content-Length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            remembered.received.append(Received(self.command, self.path, headers, self.rfile.read(length)))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name the base class gave it
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        remembered.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield remembered
        server.shutdown()
        thread.join()


def run(command: str, **environment: str) -> None:
    outcome = subprocess.run(
        ["sh", "-c", command], check=False, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", **environment}
    )
    assert (outcome.returncode, outcome.stderr) == (0, ""), command


REQUESTS = [
    HttpRequest("GET", "/v2/users//usable_coupons?id_type=a&id_type=b&x=", (), None),
    HttpRequest(
        "POST", "/a", (("Content-Type", "application/json"),), '{"coupon_value": "it\'s \\"$HOME\\" `é`"}'.encode()
    ),
    HttpRequest("POST", "/a", (("Content-Type", "application/json"),), b""),
    HttpRequest("POST", "/a", (("Content-Type", "text/plain"),), b"@/etc/passwd"),
    HttpRequest("POST", "/a", (("Content-Type", "text/plain"),), b"line\nline\r\n\ttab "),
    HttpRequest("POST", "/a", (("Content-Type", "text/plain"),), b"\x00\xff%s\\n'\"\x80"),
    HttpRequest("POST", "/a", (("Content-Type", "text/plain"),), b"x" * 1_048_577),
    HttpRequest("GET", "/a", (("Content-Type", "application/json"),), b"{}"),
    HttpRequest("PUT", "/a%20b?c=%26", (("Content-Type", "application/json"),), b"{}"),
    HttpRequest("DELETE", "/a", (), None),
    HttpRequest("HEAD", "/a", (), None),
    HttpRequest("GET", "/a", (("X-Odd", "a'b\"c$d`e\\"), ("X-Empty", "")), None),
    HttpRequest("GET", "/a", (("Authorization", "Basic cHVibGljOnByaXZhdGU="),), None),
    HttpRequest("GET", "/a", (("Authorization", "Basic cHVibGlj"),), None),
    HttpRequest("GET", "/a", (("Authorization", "Basic !"),), None),
    HttpRequest("GET", "/a", (("Authorization", "Basic /w=="),), None),
    HttpRequest("GET", "/a", (("Authorization", "Bearer x"),), None),
    HttpRequest("GET", "/a", (), None, ("Accept",)),
]


@needs_curl
@pytest.mark.parametrize(
    "request_", REQUESTS, ids=lambda request: f"{request.method}-{str(request.body)[:20]}-{request.headers}"
)
def test_a_shell_sends_exactly_the_request_that_the_command_shows(request_: HttpRequest, echo: Echo) -> None:
    """Method, target, headers and body, whatever characters are in them."""
    run(request_.curl(echo.url + "/"))
    [received] = echo.received
    assert (received.method, received.target, received.body) == (request_.method, request_.target, request_.body or b"")
    assert {name: received.headers[name.lower()] for name, _ in request_.headers} == dict(request_.headers)
    assert ("accept" in received.headers) != ("Accept" in request_.without)


def test_a_key_pair_is_shown_as_a_person_would_write_it() -> None:
    """And not in base 64."""
    request = HttpRequest("GET", "/a", (("Authorization", "Basic cHVibGljOnByaXZhdGU="),), None)
    assert request.curl("http://h") == "curl -sS -u public:private http://h/a"


@needs_curl
@pytest.mark.parametrize(
    "request_",
    [
        HttpRequest("GET", "/a?key=top%20secret%40x", (), None),
        HttpRequest("GET", "/a?key=top+secret@x", (), None),
        HttpRequest("GET", "/a", (("X-Key", "CTApiKey top secret@x"),), None),
        HttpRequest("GET", "/a", (("Authorization", "Basic " + base64.b64encode(b"top secret@x").decode()),), None),
        HttpRequest("GET", "/a", (("Authorization", "Basic " + base64.b64encode(b"u:top secret@x").decode()),), None),
        HttpRequest("POST", "/a", (), b'{"key": "top secret@x"}'),
    ],
)
def test_a_secret_is_shown_as_the_variable_that_holds_it(request_: HttpRequest, echo: Echo) -> None:
    """In every form in which a request can carry it; a command can go into a public report."""
    command = request_.curl(echo.url, {"top secret@x": "$KEY", "": "$EMPTY", "top": "$SHORT"})
    assert '"$KEY"' in command
    assert "secret" not in unquote(command).replace("+", " ")
    assert base64.b64encode(b"top secret@x").decode() not in command
    run(command, KEY="key")
    assert "key" in str(echo.received) or base64.b64encode(b"u:key").decode() in str(echo.received)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("{coupon.used.code|longer}", "JDSI2JE0"),
        ("{coupon.used.code|same-form}", "JAIS7TB"),
        ("{member.alice.id|same-form}", "1500001001"),
        ("{coupon.used.code|shorter}", "JDSI2J"),
        ("{coupon.used.code|other-case}", "jdsi2je"),
        ("{member.alice.id|other-case}", "10010"),
        ("{member.alice.id|encoded}", "%31%30%30%31"),
        ("{member.alice.id|wide}", "１００１"),  # noqa: RUF001 - meant
        ("{member.alice.id|beyond-32}", str(1001 + 2**32)),
        ("{coupon.used.quantity|beyond-64}", str(2 + 2**64)),
        ("{coupon.used.code|beyond-32}", "JDSI2JE0"),
        ("x{coupon.used.code|shorter}%", "xJDSI2J%"),
        ("{member.alice.id|hexadecimal}", "0x3e9"),
        ("{coupon.used.code|hexadecimal}", "JDSI2JE0"),
        ("{coupon.used.code|shorter|other-case}", "jdsi2j"),
        ("{credential.main.secret|swapped}", ":QWERTY"),
    ],
)
def test_what_looks_like_a_value_is_another_one(text: str, filled: str) -> None:
    assert fill(text, BINDINGS) == filled


def test_a_secret_of_the_data_is_sent_as_the_credentials_own() -> None:
    assert query_of(made({"secret": "{credential.main.secret|longer}"})) == [("api_key", "QWERTY0")]
