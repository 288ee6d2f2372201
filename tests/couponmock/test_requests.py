"""Paths, methods, parameters and credentials that no client should send: always the vendor's own envelope."""

from base64 import b64encode

import pytest
from running_mock import Answer, Mock, exchange, request_bytes
from vendor_answers import (
    CREDENTIALS,
    TARGETS,
    assert_example,
    assert_is_json,
    assert_problem,
    assert_refusal,
    document,
    vendor_of,
)

UNROUTED = {
    "crowdtwist": (404, "unknown_route"),
    "chargeover": (400, "unknown_endpoint"),
    "shoplazza": (404, "unknown_route"),
}
WRONG_METHOD = {
    "crowdtwist": (405, "method_not_supported"),
    "chargeover": (400, "unsupported_command"),
    "shoplazza": (405, "method_not_allowed"),
}
ALLOWED = {
    "unuseCoupon": "POST",
    "listUsableCoupons": "GET",
    "useCoupon": "POST",
    "redeemReward": "POST",
    "receiveCoupons": "POST",
}
METHODS = [
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "PATCH",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "BREW",
    "PROPFIND",
    "get",
    "post",
]
TOO_LONG = 66_000
"""Bytes of a request target that the HTTP server itself refuses."""


def send(mock: Mock, operation: str, method: str | None = None, *headers: tuple[str, str]) -> Answer:
    """Send a request with valid credentials and no body."""
    vendor, usual, target = TARGETS[operation]
    return mock.send(method or usual, target, [*CREDENTIALS[vendor].items(), *headers])


@pytest.mark.parametrize("operation", TARGETS)
@pytest.mark.parametrize("method", METHODS)
def test_a_method_that_a_path_does_not_have_is_refused_in_the_vendors_words(
    mock: Mock, operation: str, method: str
) -> None:
    """Also HEAD, OPTIONS, TRACE and methods that nobody knows; methods have a case. Credentials do not matter."""
    vendor, right, target = TARGETS[operation]
    if method == right:
        return
    status, example = WRONG_METHOD[vendor]
    for answer in (send(mock, operation, method), mock.send(method, target.partition("?")[0])):
        assert (answer.status, answer.example) == (status, example)
        if method == "HEAD":
            assert (answer.media_type, answer.body) == ("application/json", b"")
        else:
            assert_refusal(vendor, answer)
        assert answer.headers.get("Allow") == ALLOWED.get(operation)


@pytest.mark.parametrize("method", [method for method in METHODS if method != "CONNECT"])
@pytest.mark.parametrize("prefix", ["/v2", "/api/v3", "/openapi"])
def test_an_unknown_path_is_refused_by_the_vendor_of_its_prefix_for_any_method(
    mock: Mock, prefix: str, method: str
) -> None:
    """Not a single method makes a framework answer."""
    vendor = vendor_of(prefix)
    assert vendor
    answer = mock.send(method, f"{prefix}/no/such/thing")
    assert (answer.status, answer.example) == UNROUTED[vendor]
    if method != "HEAD":
        assert_refusal(vendor, answer)


STRANGE_PATHS = [
    "/v2",
    "/v2/",
    "/v2/coupon",
    "/v2/coupon/unuse/",
    "/v2/coupon//unuse",
    "/v2//coupon/unuse",
    "/v2/coupon/unuse//",
    "/v2/coupon/./unuse",
    "/v2/coupon/../coupon/unuse",
    "/v2/../v2/coupon/unuse",
    "/v2/%2e%2e/v2/coupon/unuse",
    "/v2/coupon/unuse%00",
    "/v2/coupon/unuse%0A",
    "/v2/coupon/unuse%20",
    "/v2/coupon/unuse;jsessionid=1",
    "/v2/Coupon/Unuse",
    "/v2/coupon/reuse",
    "/v2/coupon/unuse/JDSI2JE",
    "/v2/%ff",
    "/v2/%ed%a0%80",
    "/v2/%00",
    "/v2/%",
    "/v2/%zz",
    "/v2/%c3%a9",
    "/v2/users/1001",
    "/v2/users/1001/",
    "/v2/users/1001/usable_coupons/",
    "/v2/users/10%2F01/usable_coupons",
    "/v2/users/10/01/usable_coupons",
    "/v2/users/usable_coupons",
    "/v2/v2/coupon/unuse",
    "/v2/__admin/health",
    "/v2/~default/coupon/unuse",
    "/v2/" + "a" * 60_000,
    "/v2/" + "a/" * 30_000,
    "/v2/" + "%41" * 20_000,
    "/v2?api_key=QWERTY",
    "/v2/?" + "a=1&" * 15_000,
    "/api/v3",
    "/api/v3/",
    "/api/v3/coupon",
    "/api/v3/coupons/1",
    "/api/v3/coupon/1/",
    "/api/v3/coupon/1/2",
    "/api/v3/coupon/1%2F2",
    "/api/v3//coupon/1",
    "/api/v3/coupon//1",
    "/api/v3/../v3/coupon/1",
    "/api/v3/COUPON/1",
    "/api/v3/%ff",
    "/openapi",
    "/openapi/",
    "/openapi/2022-01",
    "/openapi/2022-01/coupons",
    "/openapi/2022-01/coupons/receive/",
    "/openapi/2022-01//coupons/receive",
    "/openapi/2025-06/coupons/receive",
    "/openapi/2022-01/coupons/receive%00",
    "/openapi/2022-01/Coupons/receive",
    "/openapi/2022-01/coupons/../coupons/receive",
    "/openapi/%fe%ff",
    "/openapi/.json",
]


@pytest.mark.parametrize("path", STRANGE_PATHS, ids=lambda path: path[:50])
def test_a_strange_path_below_a_vendors_prefix_gets_the_vendors_unknown_route(mock: Mock, path: str) -> None:
    """Whatever its bytes, its length, its dots, slashes and case; nothing is normalised and nothing redirected."""
    vendor = vendor_of(path.partition("?")[0])
    assert vendor
    for method in ("GET", "POST"):
        answer = mock.send(method, path, CREDENTIALS[vendor])
        assert (answer.status, answer.example) == UNROUTED[vendor]
        assert_refusal(vendor, answer)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "*",
        "//",
        "/v1/coupon",
        "/v20/coupon/unuse",
        "/v2x",
        "//v2/coupon/unuse",
        "/api",
        "/api/",
        "/api/v2/coupon/1",
        "/api/v33/coupon/1",
        "/openapi.json",
        "/openapis/x",
        "/OPENAPI/2022-01/coupons/receive",
        "/%ff",
        "/%00",
        "/favicon.ico",
        "/__adminx/health",
        "/%5f%5fadminx",
        "/" + "a" * 60_000,
    ],
    ids=lambda path: path[:40],
)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS", "BREW"])
def test_a_path_of_no_vendor_gets_a_small_json_404_that_names_the_vendors(server: Mock, path: str, method: str) -> None:
    """In the mock's own name."""
    answer = exchange(server.port, request_bytes(method, path))
    assert_problem(answer, 404, "no-vendor")
    for prefix, vendor in (("/v2/", "crowdtwist"), ("/api/v3/", "chargeover"), ("/openapi/", "shoplazza")):
        assert f"{prefix} ({vendor})" in answer.json["detail"]
    assert len(answer.body) < 500


@pytest.mark.parametrize("operation", TARGETS)
def test_an_encoded_path_is_the_path(mock: Mock, operation: str) -> None:
    """Percent-encoding any of its characters, also a slash, does not change it."""
    vendor, method, target = TARGETS[operation]
    path, mark, query = target.partition("?")
    encoded = "/" + "".join(f"%{ord(character):02x}" for character in path[1:]) + mark + query
    usual = mock.send(method, target, CREDENTIALS[vendor])
    answer = mock.send(method, encoded, CREDENTIALS[vendor])
    assert (answer.status, answer.body) == (usual.status, usual.body)


@pytest.mark.parametrize("operation", TARGETS)
def test_a_whole_url_as_target_is_its_path(mock: Mock, operation: str) -> None:
    """As proxies send it."""
    vendor, method, target = TARGETS[operation]
    answer = mock.send(method, f"http://{vendor}.example{target}", CREDENTIALS[vendor])
    assert answer.body == mock.send(method, target, CREDENTIALS[vendor]).body


@pytest.mark.parametrize("target", ["/v2/", "/api/v3/coupon/", "/openapi/2022-01/coupons/receive?"])
def test_a_target_that_no_server_would_read_is_refused_and_not_with_html(mock: Mock, target: str) -> None:
    """The HTTP server itself says no; the mock never sees such a request."""
    answer = mock.send("GET", target + "a" * TOO_LONG)
    assert (answer.status, answer.body) == (414, b"")


@pytest.mark.parametrize(
    "raw",
    [
        b"GET\r\n\r\n",
        b"GET /v2/x HTTP/9.9\r\nHost: mock\r\n\r\n",
        b"GET /v2/\xff HTTP/1.1\r\nHost: mock\r\n\r\n",
        b"GET /v2/a b HTTP/1.1\r\nHost: mock\r\n\r\n",
        b"GET /<script> HTTP/1.1\r\nHost: mock\r\n\r\n",
        b"GET /v2/x HTTP/1.1\r\nHost: mock\r\nBad Header: x\r\n\r\n",
        b"GET /v2/x HTTP/1.1\r\nHost: mock\r\nX: \x00\r\n\r\n",
        b"POST /v2/x HTTP/1.1\r\nHost: mock\r\nContent-Length: -1\r\n\r\n",
        b"POST /v2/x HTTP/1.1\r\nHost: mock\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_is_not_http_is_refused_and_not_with_html(server: Mock, raw: bytes) -> None:
    """By the HTTP server itself, with no body; it keeps serving."""
    try:
        answer = exchange(server.port, raw + b"\r\n\r\n")
    except OSError:
        pass  # it may also just hang up
    else:
        assert (answer.status, answer.body) in {(400, b""), (505, b"")}
    assert server.admin("GET", "/health").status == 200


@pytest.mark.parametrize(
    "host", ["a b", "[", "\xff", "..", "a..b", "x" * 300, "", "xn--\xff", "mock:99999999", "[::1]:x"]
)
def test_any_host_is_as_good_as_another(server: Mock, host: str) -> None:
    """The vendors live under many names, and the mock under any."""
    answer = exchange(server.port, request_bytes("GET", "/v2/nope", host=host))
    assert_example("crowdtwist", "general", "unknown_route", answer)


def test_a_request_of_http_1_0_without_a_host_is_answered(server: Mock) -> None:
    """Old clients and health checks send it."""
    answer = exchange(server.port, b"GET /api/v3/coupon/1 HTTP/1.0\r\n\r\n")
    assert_example("chargeover", "getCoupon", "missing_authorization", answer)


# Credentials.

BLANK_KEYS = [
    "",
    "?",
    "?api_key",
    "?api_key=",
    "?API_KEY=QWERTY",
    "?api_key%20=QWERTY",
    "?apikey=QWERTY",
    "?;api_key=QWERTY",
]
WRONG_KEYS = [
    "?api_key=NO-SUCH-KEY",
    "?api_key=qwerty",
    "?api_key=QWERTY%20",
    "?api_key=+QWERTY",
    "?api_key=QWERTY%00",
    "?api_key=%ff",
    "?api_key=%ed%a0%80",
    "?api_key=%",
    "?api_key=%C3%A9%C3%A8",
    "?api_key=\xc3\xa9",
    "?api_key=" + "Q" * 60_000,
    "?api_key=QWERTY&api_key=QWERTY",
    "?api_key=QWERTY&api_key=",
    "?api_key=&api_key=QWERTY",
    "?api_key[]=QWERTY&api_key=x",
    "?api_key=QWERTY;id_type=id",
]


@pytest.mark.parametrize("operation", ["unuseCoupon", "listUsableCoupons"])
@pytest.mark.parametrize(
    ("query", "example"),
    [*((query, "missing_api_key") for query in BLANK_KEYS), *((query, "unknown_api_key") for query in WRONG_KEYS)],
    ids=lambda text: text[:40],
)
def test_crowdtwist_tells_a_missing_key_from_a_wrong_one(mock: Mock, operation: str, query: str, example: str) -> None:
    """A blank key is missing, a key given twice is wrong, whatever its bytes."""
    _, method, target = TARGETS[operation]
    answer = mock.send(method, target.partition("?")[0] + query)
    assert_refusal("crowdtwist", answer)
    assert_example("crowdtwist", operation, example, answer)


@pytest.mark.parametrize("operation", ["unuseCoupon", "listUsableCoupons"])
@pytest.mark.parametrize(
    ("header", "example"),
    [
        ("", "missing_api_key"),
        (" ", "missing_api_key"),
        ("QWERTY", "unknown_api_key"),
        ("CTApiKey", "unknown_api_key"),
        ("CTApiKey QWERTZ", "unknown_api_key"),
        ("CTApiKey  QWERTY", "unknown_api_key"),
        ("CTApiKeyQWERTY", "unknown_api_key"),
        ("ctapikey QWERTY", "unknown_api_key"),
        ("Bearer QWERTY", "unknown_api_key"),
        ("CTApiV2Auth public:signature", "unknown_api_key"),
        ("CTApiKey \xe9\xe8", "missing_api_key"),  # the HTTP server empties what is not ASCII
        ("CTApiKey QWERTY, CTApiKey QWERTY", "unknown_api_key"),
    ],
)
def test_crowdtwists_header_has_one_prefix(mock: Mock, operation: str, header: str, example: str) -> None:
    """CTApiKey, one space and the key; anything else is a wrong credential."""
    _, method, target = TARGETS[operation]
    answer = mock.send(method, target.partition("?")[0], {"X-CT-Authorization": header})
    assert_example("crowdtwist", operation, example, answer)


def basic(text: bytes) -> str:
    """Write a Basic credential."""
    return "Basic " + b64encode(text).decode()


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic YWNtZS1wdWJsaWM",
        "Basic YWNtZS1wdWJsaWM6YWNtZS1wcml2YXRl x",
        basic(b""),
        basic(b":"),
        basic(b"acme-public"),
        basic(b"acme-public:"),
        basic(b":acme-private"),
        basic(b"acme-public:acme-private\n"),
        basic(b"acme-public:acme-private:"),
        basic(b"ACME-PUBLIC:acme-private"),
        basic(b"acme-private:acme-public"),
        basic(b"acme-public:globex-private"),
        basic(b"\xff\xfe:x"),
        basic(b"a\x00b:c"),
        basic(b"x" * 30_000),
        "Bearer YWNtZS1wdWJsaWM6YWNtZS1wcml2YXRl",
        "YWNtZS1wdWJsaWM6YWNtZS1wcml2YXRl",
        "acme-public:acme-private",
        'ChargeOver co_public_key="acme-public" co_signature="x"',
        "Digest username=acme-public",
    ],
    ids=lambda text: text[:40],
)
def test_chargeover_refuses_any_other_authorization_with_a_reason_in_brackets(mock: Mock, header: str) -> None:
    """The envelope and the beginning of the sentence are the page's; the challenge asks for Basic again."""
    answer = mock.send("GET", "/api/v3/coupon/1", {"Authorization": header})
    assert_refusal("chargeover", answer)
    assert_example("chargeover", "getCoupon", "wrong_authorization", answer)
    assert answer.json["message"].startswith("Invalid or incorrect authorization [")
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="ChargeOver"'


@pytest.mark.parametrize(
    "token", ["", " ", "no-such-token", "SUNNY-TOKEN", "sunny-token x", "Bearer sunny-token", "\xe9\xe8", "x" * 60_000]
)
def test_shoplazza_refuses_any_other_token(mock: Mock, token: str) -> None:
    """Missing or wrong, the page has one text for both."""
    answer = mock.send("POST", TARGETS["receiveCoupons"][2], {"access-token": token})
    assert_refusal("shoplazza", answer)
    assert_example("shoplazza", "receiveCoupons", "unauthorized", answer)


@pytest.mark.parametrize(
    ("operation", "header", "value", "status"),
    [
        ("getCoupon", "Authorization", CREDENTIALS["chargeover"]["Authorization"], 401),
        ("receiveCoupons", "access-token", "sunny-token", 401),
        ("unuseCoupon", "X-CT-Authorization", "CTApiKey QWERTY", 401),
    ],
)
def test_a_credential_sent_twice_is_none(mock: Mock, operation: str, header: str, value: str, status: int) -> None:
    """Nobody can tell which one is meant."""
    vendor, method, target = TARGETS[operation]
    answer = mock.send(method, target.partition("?")[0], [(header, value), (header, value)])
    assert_refusal(vendor, answer)
    assert answer.status == status


@pytest.mark.parametrize("vendor", sorted(CREDENTIALS))
def test_a_vendors_seeded_wrong_credential_is_wrong(mock: Mock, vendor: str) -> None:
    """The packs hold one for clients to try."""
    secret = mock.bindings(vendor)["credential.wrong"]["secret"]
    headers = {"chargeover": {"Authorization": basic(secret.encode())}, "shoplazza": {"access-token": secret}}
    operation = next(name for name in TARGETS if TARGETS[name][0] == vendor)
    _, method, target = TARGETS[operation]
    answer = mock.send(method, target.replace("QWERTY", secret), headers.get(vendor, {}))
    assert_refusal(vendor, answer)
    assert answer.status == 401


def test_parameters_are_read_as_browsers_send_them(mock: Mock) -> None:
    """Plus or %20 for a space, UTF-8, any order, unknown ones beside."""
    name = "Gr%C3%A2ce%20%C5%8Cta"
    target = f"/v2/users/{name}/usable_coupons?z=%ff&&=&id_type=username&api_key=QWERTY&a"
    answer = mock.send("GET", target)
    assert (answer.status, len(answer.json)) == (200, 3)


def test_every_answer_says_json_without_a_charset(mock: Mock) -> None:
    """As the vendor's recorded traffic does; JSON is UTF-8 anyway."""
    for operation in TARGETS:
        assert_is_json(send(mock, operation))


def test_every_vendor_has_its_prefix() -> None:
    """The list of prefixes in these tests is that of the documents."""
    found = {vendor: document(vendor).prefixes for vendor in CREDENTIALS}
    assert found == {"crowdtwist": ("/v2/",), "chargeover": ("/api/v3/",), "shoplazza": ("/openapi/",)}
