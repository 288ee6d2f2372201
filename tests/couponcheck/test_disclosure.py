"""What an answer must not tell, and what it may."""

import base64
import json
from collections.abc import Collection

import pytest
from couponcheck.disclosure import disclosures
from couponcheck.exchange import Exchange
from couponspec.request import HttpRequest

BINDINGS = {
    "credential.main": {"secret": "user-one:private-one"},
    "credential.other": {"secret": "another-secret"},
    "member.ann": {"id": "5001", "email": "ann@example.com"},
    "member.ben": {"id": "5002"},
}
IDENTITIES = {"member": ["email", "id"]}


def told(
    status: int,
    message: str,
    *,
    target: str = "/x",
    header: tuple[str, str] = ("X", ""),
    documented: Collection[str] = ("code",),
) -> list[str]:
    request = HttpRequest("GET", target, (header,), None)
    content = json.dumps({"message": message}).encode()
    exchange = Exchange(request, "any", status, {"content-type": "application/json"}, content)
    return [violation.expected for violation in disclosures(exchange, BINDINGS, IDENTITIES, documented)]


@pytest.mark.parametrize("status", [200, 401])
def test_a_secret_is_told_in_no_answer_also_if_it_was_sent(status: int) -> None:
    secret = ["no credential in an answer"]
    assert told(status, "try another-secret") == secret
    assert told(status, "the key is private-one") == secret
    assert told(status, "not another-secret", target="/x?key=another-secret") == secret
    assert told(status, "not private-one", header=("Authorization", "Basic dXNlci1vbmU6cHJpdmF0ZS1vbmU=")) == secret
    assert told(status, "hello user-one") == []


def test_a_secret_is_found_in_base64_of_a_header_and_of_an_error() -> None:
    """With either alphabet, alone or within something longer, and with or without what it is filled up with."""
    secret = ["no credential in an answer"]
    for said in (b"another-secret", b"/x?key=another-secret&to=?>?"):
        for encoded in (base64.b64encode(said), base64.urlsafe_b64encode(said)):
            for written in (encoded.decode(), encoded.decode().rstrip("=")):
                assert told(401, f"trace {written}") == secret
                exchange = Exchange(HttpRequest("GET", "/x", (), None), "any", 200, {"x-trace": written}, b"[]")
                assert [one.expected for one in disclosures(exchange, BINDINGS, IDENTITIES)] == secret
    assert told(401, f"trace {base64.b64encode(b'nothing but a trace').decode()}") == []


def test_an_address_that_is_repeated_may_hold_the_secret_that_was_sent_in_it() -> None:
    request = HttpRequest("GET", "/x?key=another-secret", (), None)
    exchange = Exchange(request, "any", 301, {"location": "/x/?key=another-secret"}, b"")
    assert [*disclosures(exchange, BINDINGS, IDENTITIES)] == []


@pytest.mark.parametrize(
    "message",
    [
        "Traceback (most recent call last): ...",
        'File "/srv/app.py", line 12, in get',
        "at com.shop.Coupons.get(Coupons.java:118)",
        "at Object.get (/srv/app/index.js:12:5)",
        "#0 /srv/app/Api/Coupon.php(118): intval()",
        "cannot reach postgres://coupons@db1",
        "near: SELECT code FROM coupons",
        "select code from coupons where id = 1",
        "insert into receipts (id) failed",
        "ORA-00942: no such table",
        "You have an error in your SQL syntax",
        "interface conversion: interface {} is not string; goroutine 41 [running]: main.go:118",
        "java.lang.NullPointerException",
        "KeyError: 'customer_id'",
        "Undefined index: coupon_ids",
    ],
)
def test_the_insides_of_a_server_are_told_in_no_error(message: str) -> None:
    assert told(400, message) == ["an answer without the insides of the server"]
    assert told(200, message) == []


@pytest.mark.parametrize(
    "message",
    [
        "Coupon could not be found",
        "Select another coupon from the list.",
        "Please update your profile and set a password",
        "See https://docs.example.com/errors.html",
        "no member 5003",
        "ValidationError: coupon_ids has to be a list",
    ],
)
def test_what_people_write_is_no_disclosure(message: str) -> None:
    assert told(400, message) == []


def test_an_error_names_nobody_that_the_request_did_not() -> None:
    assert told(404, "there are 5001, 5002") == ["an error that names nobody else"]
    assert told(404, "did you mean ann@example.com?") == ["an error that names nobody else"]
    assert told(404, "did you mean 5001?") == ["an error that names nobody else"]
    assert told(404, "error 5001") == told(404, "failed with code: 5002") == []
    assert told(404, "no ann@example.com", target="/users/ann%40example.com") == []
    assert told(200, "5001, 5002, ann@example.com") == []


def test_a_success_shows_nobody_else_in_members_that_no_page_has_and_no_insides_in_its_headers() -> None:
    somebody = ["an answer that names nobody else"]
    assert told(200, "ann@example.com") == somebody
    assert told(200, "ann@example.com", target="/users/5001") == []
    assert told(200, "ann@example.com", documented={"message"}) == []
    assert told(200, "ann@example.com", documented={"email"}) == [], "members of that kind are what is shown"
    request = HttpRequest("GET", "/x", (), None)
    wrapped = json.dumps({"coupons": [{"message": "ann@example.com"}]}).encode()
    assert [*disclosures(Exchange(request, "any", 200, {}, wrapped), BINDINGS, IDENTITIES, {"message"})] == []
    exchange = Exchange(request, "any", 200, {"x-debug": "SELECT code FROM coupons"}, b"{}")
    assert [one.expected for one in disclosures(exchange, BINDINGS, IDENTITIES)] == [
        "an answer without the insides of the server"
    ]
