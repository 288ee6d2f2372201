"""Request bodies that no client should send: each gets the vendor's own refusal, and nothing changes."""

import gzip
import json
import socket
from collections.abc import Callable

import pytest
from running_mock import ANSWER_SECONDS, Answer, Mock, read_answer, request_bytes
from vendor_answers import CREDENTIALS, TARGETS, assert_example, assert_refusal

JSON = "application/json"
LIMIT = 1_048_576
"""Bytes of a body; the mock's own limit."""
GOOD = {
    "unuseCoupon": b'{"coupon_value": "JDSI2JE"}',
    "receiveCoupons": b'{"customer_id": "5001", "coupon_ids": ["202314454241654711"]}',
}
REFUSED_AS = {
    ("unuseCoupon", "malformed"): "malformed_body",
    ("unuseCoupon", "media type"): "unsupported_media_type",
    ("unuseCoupon", "too large"): "body_too_large",
    ("receiveCoupons", "malformed"): "bad_request",
    ("receiveCoupons", "media type"): "bad_request",
    ("receiveCoupons", "too large"): "bad_request",
}
OPERATIONS = sorted(GOOD)

every_operation = pytest.mark.parametrize("operation", OPERATIONS)


def send(mock: Mock, operation: str, body: bytes | None, *headers: tuple[str, str]) -> Answer:
    """Send a body with valid credentials."""
    vendor, method, target = TARGETS[operation]
    return mock.send(method, target, [*CREDENTIALS[vendor].items(), *headers], body)


def assert_refused(operation: str, why: str, answer: Answer) -> None:
    """Check that the body was refused in the vendor's words."""
    vendor = TARGETS[operation][0]
    assert_refusal(vendor, answer)
    assert_example(vendor, operation, REFUSED_AS[operation, why], answer)


def assert_untouched(mock: Mock) -> None:
    """Check that the good bodies still do what they do in a fresh world."""
    assert send(mock, "unuseCoupon", GOOD["unuseCoupon"], ("Content-Type", JSON)).example == "unused"
    received = send(mock, "receiveCoupons", GOOD["receiveCoupons"], ("Content-Type", JSON))
    assert received.json["items"][0]["stock"] == 19


def within(good: bytes, member: bytes) -> bytes:
    """Add a member to a good body."""
    return good[:-1] + b", " + member + b"}"


MALFORMED: dict[str, bytes | Callable[[bytes], bytes]] = {
    "a lone brace": b"{",
    "nothing": b"",
    "white space": b" \n\t ",
    "half of it": lambda good: good[:-5],
    "something behind": lambda good: good + b"x",
    "two of them": lambda good: good + good,
    "single quotes": lambda good: good.replace(b'"', b"'"),
    "a trailing comma": lambda good: good[:-1] + b",}",
    "a comment": lambda good: b"/* */" + good,
    "a key twice": lambda good: good[:-1] + b", " + good[1:],
    "an unknown key twice": lambda good: within(good, b'"x": 1, "x": 1'),
    "a key twice deep inside": lambda good: within(good, b'"x": [{"y": {"z": 1, "z": 2}}]'),
    "a key twice, once escaped": lambda good: within(good, b'"a": 1, "\\u0061": 1'),
    "NaN": lambda good: within(good, b'"x": NaN'),
    "Infinity": lambda good: within(good, b'"x": Infinity'),
    "-Infinity": lambda good: within(good, b'"x": [-Infinity]'),
    "a byte order mark": lambda good: b"\xef\xbb\xbf" + good,
    "UTF-16": lambda good: good.decode().encode("utf-16"),
    "UTF-16 without a mark": lambda good: good.decode().encode("utf-16-le"),
    "UTF-32": lambda good: good.decode().encode("utf-32"),
    "Latin-1": lambda good: within(good, b'"x": "\xe9\xe8"'),
    "an overlong encoding": lambda good: within(good, b'"x": "\xc0\xaf"'),
    "an encoded surrogate": lambda good: within(good, b'"x": "\xed\xa0\x80"'),
    "a lone surrogate": lambda good: within(good, b'"x": "\\ud800"'),
    "a lone low surrogate": lambda good: within(good, b'"x": "\\udc00 \\ud83d"'),
    "a lone surrogate as a key": lambda good: within(good, b'"\\udfff": 1'),
    "a control character": lambda good: within(good, b'"x": "\x01"'),
    "a NUL byte": lambda good: good + b"\x00",
    "100000 open brackets": b"[" * 100_000,
    "100000 brackets inside": lambda good: within(good, b'"x": ' + b"[" * 100_000 + b"]" * 100_000),
    "100000 objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "a leading zero": lambda good: within(good, b'"x": 007'),
    "a list": lambda good: b"[" + good + b"]",
    "a text": lambda good: json.dumps(good.decode()).encode(),
    "a number": b"1",
    "null": b"null",
    "true": b"true",
    "HTML": b"<html></html>",
    "a form": b"coupon_value=JDSI2JE",
}


@every_operation
@pytest.mark.parametrize("mistake", MALFORMED)
def test_a_body_that_is_no_json_object_is_malformed(mock: Mock, operation: str, mistake: str) -> None:
    """400 in the vendor's envelope, as if the whole of it had not come; the reader is a strict one."""
    made = MALFORMED[mistake]
    body = made if isinstance(made, bytes) else made(GOOD[operation])
    assert_refused(operation, "malformed", send(mock, operation, body, ("Content-Type", JSON)))
    assert_untouched(mock)


UNUSUAL = {
    "a huge integer": b'"x": ' + b"9" * 4000,
    "a number beyond any double": b'"x": [1e999, -1E+999]',
    "a tiny number": b'"x": 1e-999',
    "a NUL escaped": b'"x": "\\u0000"',
    "a pair of surrogates": b'"x": "\\ud83c\\udf89"',
    "an empty key": b'"": 1',
    "a deep list": b'"x": ' + b"[" * 300 + b"]" * 300,
    "a key with a slash": b'"coupon_value/0": 1, "~1": null',
}


@every_operation
@pytest.mark.parametrize("member", UNUSUAL)
def test_an_unusual_but_correct_body_is_understood(mock: Mock, operation: str, member: str) -> None:
    """JSON allows it, and the page does not know the member."""
    body = within(GOOD[operation], UNUSUAL[member])
    assert send(mock, operation, body, ("Content-Type", JSON)).status == 200


@every_operation
@pytest.mark.parametrize("member", UNUSUAL)
def test_an_unusual_body_without_what_is_required_is_refused(mock: Mock, operation: str, member: str) -> None:
    """What is unusual about it does not get in the way of telling what is missing."""
    answer = send(mock, operation, b"{" + UNUSUAL[member] + b"}", ("Content-Type", JSON))
    assert_refusal(TARGETS[operation][0], answer)
    assert answer.status == 400


@pytest.mark.parametrize("number", [b"9" * 400, b"9" * 4000, b"1e999", b"-1e999", b"1e-999", b"-0"])
def test_a_huge_number_is_no_coupon_value(mock: Mock, number: bytes) -> None:
    """A number is of the wrong type however large it is; it is not a missing value."""
    answer = send(mock, "unuseCoupon", b'{"coupon_value": ' + number + b"}", ("Content-Type", JSON))
    assert_example("crowdtwist", "unuseCoupon", "invalid_coupon_value", answer)


WRONG_TYPES = [
    None,
    "",
    "text/plain",
    "text/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/xml",
    "application/jsonx",
    "application/problem+json",
    "application/vnd.api+json",
    "application/*",
    "*/*",
    "json",
    ";",
    "application/json/",
    "application json",
    "application/json; charset=latin-1",
    "application/json; charset=utf-16",
    'application/json; charset="ISO-8859-1"',
    "application/json, text/plain",
    "\xe9\xe8/json",
]


@every_operation
@pytest.mark.parametrize("media_type", WRONG_TYPES)
def test_a_body_of_another_media_type_is_refused(mock: Mock, operation: str, media_type: str | None) -> None:
    """Also of none, and JSON in another encoding than UTF-8; what is in the body does not matter."""
    headers = [] if media_type is None else [("Content-Type", media_type)]
    for body in (GOOD[operation], b"{"):
        assert_refused(operation, "media type", send(mock, operation, body, *headers))
    assert_untouched(mock)


@every_operation
@pytest.mark.parametrize(
    "media_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json ; charset=utf8",
        "application/json; version=1",
        " application/json ",
    ],
)
def test_json_may_be_written_in_the_ways_http_allows(mock: Mock, operation: str, media_type: str) -> None:
    """Case, spaces, quotes and further parameters do not matter."""
    assert send(mock, operation, GOOD[operation], ("Content-Type", media_type)).status == 200


@every_operation
@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "identity, gzip", "nonsense"])
def test_a_compressed_body_is_refused(mock: Mock, operation: str, coding: str) -> None:
    """No page documents one; it is not taken for JSON."""
    body = gzip.compress(GOOD[operation])
    headers = [("Content-Type", JSON), ("Content-Encoding", coding)]
    assert_refused(operation, "media type", send(mock, operation, body, *headers))
    assert_untouched(mock)


def chunked(body: bytes, size: int = 60_000) -> bytes:
    """Write a body in chunks."""
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@every_operation
def test_a_body_in_chunks_is_a_body(mock: Mock, operation: str) -> None:
    """Without a Content-Length, in pieces of one byte."""
    headers = [("Content-Type", JSON), ("Transfer-Encoding", "chunked")]
    assert send(mock, operation, chunked(GOOD[operation], 1), *headers).status == 200


@every_operation
@pytest.mark.parametrize("with_length", [True, False])
def test_a_body_beyond_the_limit_is_refused(mock: Mock, operation: str, *, with_length: bool) -> None:
    """One byte too many is enough, whether its length is told before or found out; the limit itself is allowed."""
    for length, why in ((LIMIT + 1, "too large"), (3 * LIMIT, "too large"), (LIMIT, "fine")):
        body = GOOD[operation].ljust(length)
        headers = [("Content-Type", JSON), *([] if with_length else [("Transfer-Encoding", "chunked")])]
        answer = send(mock, operation, body if with_length else chunked(body), *headers)
        if why == "fine":
            assert answer.status == 200
        else:
            assert_refused(operation, why, answer)


@every_operation
def test_a_body_announced_as_too_large_is_refused_before_it_has_come(mock: Mock, operation: str) -> None:
    """A client that waits for the answer after the headers gets it."""
    vendor, method, target = TARGETS[operation]
    headers = [*CREDENTIALS[vendor].items(), ("Content-Type", JSON), ("Content-Length", str(10**12))]
    with socket.create_connection(("127.0.0.1", mock.port), timeout=ANSWER_SECONDS) as connection:
        connection.sendall(request_bytes(method, target, headers))
        assert_refused(operation, "too large", read_answer(connection, method))


@every_operation
def test_without_a_valid_credential_nothing_is_told_about_a_body(mock: Mock, operation: str) -> None:
    """Too large, malformed, of another type: 401 comes first."""
    vendor, method, target = TARGETS[operation]
    for body, media_type in ((b"{", JSON), (b" " * (LIMIT + 1), JSON), (b"x", "text/plain")):
        answer = mock.send(method, target.partition("?")[0], {"Content-Type": media_type}, body)
        assert_refusal(vendor, answer)
        assert answer.status == 401


@pytest.mark.parametrize("operation", sorted(TARGETS))
def test_a_body_that_nobody_reads_does_not_disturb_the_next_request(mock: Mock, operation: str) -> None:
    """On a connection that is kept, what is left of a refused request is not taken for another one."""
    _, _, target = TARGETS[operation]
    path = target.partition("?")[0]
    unread = b"GET /v2/nope HTTP/1.1\r\nHost: mock\r\n\r\n"
    first = f"POST {path} HTTP/1.1\r\nHost: mock\r\nContent-Length: {len(unread)}\r\n\r\n".encode() + unread
    with socket.create_connection(("127.0.0.1", mock.port), timeout=ANSWER_SECONDS) as connection:
        connection.sendall(first)
        assert read_answer(connection).status in {400, 401, 405}
        connection.sendall(request_bytes("GET", "/__admin/health"))
        assert read_answer(connection).json == {"status": "ok"}


def test_a_body_of_a_request_that_has_none_is_ignored(mock: Mock) -> None:
    """A GET with a body is a GET."""
    vendor, method, target = TARGETS["getCoupon"]
    assert mock.send(method, target, CREDENTIALS[vendor], b"{").status == 200


@every_operation
def test_a_client_that_asks_first_is_told_to_go_on(mock: Mock, operation: str) -> None:
    """Expect: 100-continue, as curl sends it for larger bodies."""
    vendor, method, target = TARGETS[operation]
    good = GOOD[operation]
    headers = [
        *CREDENTIALS[vendor].items(),
        ("Content-Type", JSON),
        ("Content-Length", str(len(good))),
        ("Expect", "100-continue"),
        ("X-Mock-Namespace", mock.namespace or ""),
    ]
    with socket.create_connection(("127.0.0.1", mock.port), timeout=ANSWER_SECONDS) as connection:
        connection.sendall(request_bytes(method, target, headers))
        assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        connection.sendall(good)
        assert read_answer(connection, method).status == 200
