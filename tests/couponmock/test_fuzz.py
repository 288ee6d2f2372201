"""Two hundred random requests, the same every time: no answer is anybody's but the vendor's."""

import json
import string
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from running_mock import Mock
from vendor_answers import CREDENTIALS, assert_fits_document, assert_is_json, assert_problem, assert_refusal, vendor_of

SEEDED_FAILURES = {"internal_error", "not_configured", "rate_limited"}

TOKEN = st.text(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~", min_size=1, max_size=12)
METHODS = st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get"]) | TOKEN
PERCENT = st.binary(max_size=6).map(lambda raw: "".join(f"%{byte:02x}" for byte in raw))
PLAIN = st.text(string.ascii_letters + string.digits + "-._~!$&'()*+,;=:@%{}|", max_size=12)
SEGMENT = st.one_of(
    PLAIN,
    PERCENT,
    st.sampled_from(
        [
            "",
            ".",
            "..",
            "coupon",
            "coupons",
            "unuse",
            "users",
            "1001",
            "usable_coupons",
            "redemption",
            "2022-01",
            "receive",
            "1",
            "500",
        ]
    ),
)
KNOWN = st.sampled_from(
    [
        "/v2/coupon/unuse",
        "/v2/coupon/use",
        "/v2/users/{}/redemption",
        "/v2/users/{}/usable_coupons",
        "/api/v3/coupon/{}",
        "/openapi/2022-01/coupons/receive",
    ]
)
PREFIX = st.sampled_from(["/v2/", "/api/v3/", "/openapi/", "/"])
PATHS = st.one_of(
    st.builds(lambda path, segment: path.replace("{}", segment), KNOWN, SEGMENT),
    st.builds(lambda prefix, segments: prefix + "/".join(segments), PREFIX, st.lists(SEGMENT, max_size=6)),
)
PARAMETER = st.builds(
    lambda name, value: f"{name}={value}",
    st.sampled_from(["api_key", "id_type", "access-token", ""]) | PLAIN,
    PLAIN | PERCENT,
)
QUERIES = st.lists(PARAMETER | st.sampled_from(["api_key=QWERTY", "id_type=email", "id_type=id"]), max_size=4).map(
    "&".join
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.fixed_dictionaries(
    {},
    optional={
        "coupon_value": VALUES | st.sampled_from(["JDSI2JE", "FRESH-0001"]),
        "reward_id": VALUES | st.just("127817"),
        "quantity": VALUES | st.just(1),
        "use_date": VALUES | st.just("2016-11-11T14:30:00-05:00"),
        "customer_id": VALUES | st.just("5001"),
        "coupon_ids": VALUES | st.lists(VALUES, max_size=3) | st.just(["202314454241654711"]),
    },
)
BODIES = st.one_of(
    st.none(),
    st.binary(max_size=60),
    VALUES.map(lambda value: json.dumps(value).encode()),
    OBJECTS.map(lambda value: json.dumps(value).encode()),
    OBJECTS.map(lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")),
)
TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=30)
HEADERS = st.lists(
    st.one_of(
        st.sampled_from([*(("Content-Type", "application/json"),) * 4, ("Content-Type", "text/plain")]),
        st.sampled_from([*CREDENTIALS["chargeover"].items(), *CREDENTIALS["shoplazza"].items()]),
        st.tuples(
            st.sampled_from(
                [
                    "Authorization",
                    "access-token",
                    "X-CT-Authorization",
                    "Content-Type",
                    "Content-Encoding",
                    "Accept",
                    "Cookie",
                ]
            ),
            TEXT,
        ),
        st.tuples(TOKEN.map(lambda name: f"X-{name}"), TEXT),
    ),
    max_size=5,
)


@settings(
    max_examples=200,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(method=METHODS, path=PATHS, query=QUERIES, headers=HEADERS, body=BODIES)
def test_no_request_gets_anything_but_the_envelope_of_its_vendor(
    mock: Mock, method: str, path: str, query: str, headers: list[tuple[str, str]], body: bytes | None
) -> None:
    """Never a 5xx that is not seeded, never HTML, always JSON that the vendor's document allows for the status."""
    answer = mock.send(method, f"{path}?{query}" if query else path, headers, body)
    vendor: Any = answer.headers.get("X-Mock-Vendor")
    if vendor is None and not answer.body:
        assert answer.status == 400 or method == "HEAD"  # no HTTP, so the HTTP server's own answer
        return
    if vendor is None:
        assert vendor_of(path) is None
        kind = "namespace" if answer.status == 400 else "no-vendor"
        assert_problem(answer, answer.status, kind)
        assert answer.status in {400, 404}
        return
    assert vendor == vendor_of(path) or "%" in path
    if method == "HEAD":
        assert answer.body == b""
        return
    assert_is_json(answer)
    name = answer.headers["X-Mock-Operation"]
    assert_fits_document(vendor, name, answer)
    assert answer.status < 500 or answer.example in SEEDED_FAILURES
    if 400 <= answer.status < 500:
        assert_refusal(vendor, answer)
