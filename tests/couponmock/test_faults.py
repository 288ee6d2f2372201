"""Fault rules: vendors that fail as they are told to, over real connections."""

import base64
import json
import re
import resource
import select
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from running_mock import ANSWER_SECONDS, Answer, Mock, read_answer, request_bytes, serving
from vendor_answers import CREDENTIALS, TARGETS, document

USED = "JDSI2JE"
UNUSE = "/v2/coupon/unuse?api_key=QWERTY"
LIST = "/v2/users/1001/usable_coupons?api_key=QWERTY"
COUPON = "/api/v3/coupon/1"
BASIC = {"Authorization": "Basic " + base64.b64encode(b"acme-public:acme-private").decode()}
CLIENTS = 20
SLOW_CLIENTS = 200


def ask_admin(mock: Mock, method: str, path: str, value: Any = None) -> Answer:
    """Ask the admin interface about the mock's namespace."""
    body = None if value is None else json.dumps(value).encode()
    return mock.send(method, f"/__admin{path}", {"Content-Type": "application/json"}, body)


def add(mock: Mock, **rule: Any) -> dict[str, Any]:
    """Add a fault rule and return it as the mock shows it."""
    answer = ask_admin(mock, "POST", "/faults", rule)
    assert answer.status == 201, answer
    made: dict[str, Any] = answer.json
    return made


def rules(mock: Mock) -> list[dict[str, Any]]:
    """Return the fault rules of the mock's namespace."""
    found: list[dict[str, Any]] = ask_admin(mock, "GET", "/faults").json["faults"]
    return found


def journal(mock: Mock) -> list[dict[str, Any]]:
    """Return what was asked in the mock's namespace."""
    found: list[dict[str, Any]] = ask_admin(mock, "GET", "/requests").json["requests"]
    return found


def unuse(mock: Mock, code: str = USED) -> Answer:
    """Unuse a coupon."""
    return mock.post(UNUSE, {"coupon_value": code})


def coupons(mock: Mock) -> Answer:
    """List the usable coupons of a member."""
    return mock.send("GET", LIST)


def received(mock: Mock, request: bytes) -> tuple[bytes, bytes]:
    """Send a request and return head and body as they come until the connection ends."""
    with socket.create_connection(("127.0.0.1", mock.port), timeout=ANSWER_SECONDS) as connection:
        connection.sendall(request)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    head, _, body = b"".join(parts).partition(b"\r\n\r\n")
    return head, body


def kept_alive(mock: Mock, method: str, target: str, value: Any = None) -> bytes:
    """Write a request of a client that would like to keep the connection."""
    body = None if value is None else json.dumps(value).encode()
    headers = [("X-Mock-Namespace", mock.namespace or ""), ("Content-Type", "application/json")]
    return request_bytes(method, target, headers, body).replace(b"Connection: close\r\n", b"")


def applied(mock: Mock, count: int, ask: Callable[[Mock], Answer] = coupons) -> list[bool]:
    """Tell for some requests, one after the other, whether a rule of kind status was applied."""
    return [ask(mock).status == 503 for _ in range(count)]


# Kinds


def test_a_named_problem_is_answered_in_the_vendors_words(mock: Mock) -> None:
    """The example is given word for word, and the operation does not happen."""
    add(mock, kind="problem", operation="unuseCoupon", example="not_issued", times={"first": 1})
    failed = unuse(mock)

    assert (failed.status, failed.example, failed.json["error"]) == (404, "not_issued", "not_issued")
    assert failed.headers["X-Mock-Fault"] == "f1 problem"
    assert unuse(mock).example == "unused"


@pytest.mark.parametrize("operation_id", TARGETS)
def test_every_answer_of_an_operation_can_be_given_by_a_rule(mock: Mock, operation_id: str) -> None:
    """Those to requests that reach none too, at either stage, and any status in the vendor's envelope."""
    vendor, method, target = TARGETS[operation_id]
    known = document(vendor)
    names = {*known.operations[operation_id].examples, *known.general.examples}
    forced: list[dict[str, Any]] = [
        {"kind": "problem", "operation": operation_id, "example": name} for name in sorted(names)
    ]
    forced += [{"kind": "status", "operation": operation_id, "status": status} for status in (404, 405, 409, 429, 503)]
    body = json.dumps({"coupon_value": "x", "customer_id": "x", "coupon_ids": ["x"]}).encode()
    for rule in forced:
        for stage in ("before", "after"):
            assert ask_admin(mock, "POST", "/faults", {**rule, "stage": stage}).status == 201
            headers = {"Content-Type": "application/json", **CREDENTIALS[vendor]}
            answer = mock.send(method, target, headers, None if method == "GET" else body)
            assert answer.headers["X-Mock-Fault"], (rule, answer)
            if rule["kind"] == "problem":
                assert answer.example == rule["example"]
            else:
                assert answer.status == rule["status"]
            assert ask_admin(mock, "DELETE", "/faults").status == 204


def test_a_status_comes_in_the_vendors_envelope(mock: Mock) -> None:
    """A status that the vendor does not document is marked inferred; a documented one is its documented answer."""
    add(mock, kind="status", status=503, times={"nth": 1})
    add(mock, kind="status", status=404, times={"nth": 2})
    unknown, known = (mock.send("GET", COUPON, BASIC) for _ in range(2))

    assert (unknown.status, unknown.json["code"], unknown.headers["Retry-After"]) == (503, 503, "1")
    assert (unknown.headers["X-Mock-Basis"], unknown.headers["X-Mock-Fault"]) == ("inferred", "f1 status")
    assert (known.status, known.example, known.headers["X-Mock-Fault"]) == (404, "not_found", "f2 status")


@pytest.mark.parametrize("status", [429, 503])
def test_a_status_says_when_to_come_back(mock: Mock, status: int) -> None:
    """`retryAfter` is sent as Retry-After, once."""
    add(mock, kind="status", status=status, retryAfter=7)

    assert coupons(mock).headers.get_all("Retry-After") == ["7"]


@pytest.mark.parametrize(
    "delay", [{"ms": 20}, {"from": 1, "to": 20, "seed": 3}, {"median": 10, "sigma": 0.5, "seed": 3}, {"ms": 0}]
)
def test_latency_changes_nothing_but_the_time(mock: Mock, delay: dict[str, Any]) -> None:
    """The answer is the vendor's, byte for byte; the log line counts the time."""
    fast = coupons(mock)
    add(mock, kind="latency", delay=delay)
    slow = coupons(mock)

    assert (slow.status, slow.body, slow.media_type) == (fast.status, fast.body, fast.media_type)
    assert (slow.headers["X-Mock-Fault"], fast.headers["X-Mock-Fault"]) == ("f1 latency", None)


def test_a_dripping_body_arrives_whole(mock: Mock) -> None:
    """It comes in pieces over the time given, its length said beforehand."""
    whole = coupons(mock).body
    add(mock, kind="drip", chunks=4, over={"ms": 60})
    head, body = received(mock, request_bytes("GET", LIST, [("X-Mock-Namespace", mock.namespace or "")]))

    assert body == whole
    assert f"content-length: {len(body)}".encode() in head
    assert b"x-mock-fault: f1 drip" in head


def test_the_pieces_of_a_dripping_body_are_sent_one_by_one(mock: Mock) -> None:
    """The first piece is there long before the last one is due."""
    add(mock, kind="drip", chunks=2, over={"ms": 60_000})
    with socket.create_connection(("127.0.0.1", mock.port), timeout=ANSWER_SECONDS) as connection:
        connection.sendall(kept_alive(mock, "GET", LIST))
        seen = b""
        while b"\r\n\r\n[" not in seen:
            seen += connection.recv(65536)
        length = int(re.search(rb"content-length: ([0-9]+)", seen)[1])  # type: ignore[index]  # else the test fails
        while len(seen.partition(b"\r\n\r\n")[2]) < length // 2:
            seen += connection.recv(65536)
        assert len(seen.partition(b"\r\n\r\n")[2]) == length // 2
        assert not arrived([connection])


@pytest.mark.parametrize(("rule", "sent"), [({"after": 10}, 10), ({}, None), ({"after": 10**6}, -1)])
def test_a_truncated_body_ends_before_its_length(mock: Mock, rule: dict[str, Any], sent: int | None) -> None:
    """The length of the whole is promised, a part is sent, then the connection ends, though the client keeps it."""
    whole = coupons(mock).body
    add(mock, kind="truncate", **rule)
    for _ in range(30):  # a server that cuts at the wrong moment does so now and then
        head, body = received(mock, kept_alive(mock, "GET", LIST))
        assert f"content-length: {len(whole)}".encode() in head
        assert body == whole[: len(whole) // 2 if sent is None else sent]
    assert journal(mock)[-1]["answer"] == body.decode()


def test_a_malformed_body_looks_right_from_outside(mock: Mock) -> None:
    """Status, media type and length are the vendor's; the body is no JSON."""
    whole = coupons(mock)
    add(mock, kind="malformed")
    broken = coupons(mock)

    assert (broken.status, broken.media_type, len(broken.body)) == (whole.status, whole.media_type, len(whole.body))
    with pytest.raises(json.JSONDecodeError):
        json.loads(broken.body)


@pytest.mark.parametrize(
    ("rule", "sent"),
    [({}, "text/html"), ({"mediaType": "application/xml; charset=utf-8"}, "application/xml; charset=utf-8")],
)
def test_a_wrong_media_type_has_the_right_body(mock: Mock, rule: dict[str, Any], sent: str) -> None:
    """Only the Content-Type lies."""
    right = coupons(mock)
    add(mock, kind="media-type", **rule)
    answer = coupons(mock)

    assert (answer.headers.get_all("Content-Type"), answer.body) == ([sent], right.body)


@pytest.mark.parametrize(("stage", "example"), [("after", "not_used"), ("before", "unused")])
def test_a_dropped_connection_gives_no_byte(mock: Mock, stage: str, example: str) -> None:
    """The client gets nothing; whether the coupon was unused tells the stage."""
    add(mock, kind="drop", stage=stage, times={"first": 1})
    nothing = received(mock, kept_alive(mock, "POST", UNUSE, {"coupon_value": USED}))

    assert nothing == (b"", b"")
    assert unuse(mock).example == example


def test_a_dropped_connection_is_the_clients_own(mock: Mock, other_mock: Mock) -> None:
    """Other connections of the same client, in use all the while, are left alone."""
    add(mock, kind="drop")
    others = [socket.create_connection(("127.0.0.1", mock.port), timeout=ANSWER_SECONDS) for _ in range(4)]
    try:
        for _ in range(2):
            assert received(mock, kept_alive(mock, "GET", LIST)) == (b"", b"")
            for connection in others:
                connection.sendall(kept_alive(other_mock, "GET", LIST))
                assert read_answer(connection).status == 200
    finally:
        for connection in others:
            connection.close()


def test_the_effect_may_have_happened_when_the_answer_fails(mock: Mock) -> None:
    """A status after the operation: the coupon is unused, the client is told 503, and its retry finds it unused."""
    add(mock, kind="status", status=503, stage="after", times={"first": 1})

    assert [unuse(mock).status, unuse(mock).example] == [503, "not_used"]


def test_the_vendors_refusal_can_be_lost_too(mock: Mock) -> None:
    """A rule applies to whatever the vendor would have answered."""
    add(mock, kind="malformed")
    refused = mock.post(UNUSE, {})

    assert (refused.status, refused.example, refused.body[-1:]) == (400, "coupon_value_required", b",")


# How often


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        ({}, [True] * 6),
        ({"times": {"first": 2}}, [True, True, False, False, False, False]),
        ({"times": {"nth": 3}}, [False, False, True, False, False, False]),
        ({"times": {"every": 2}}, [False, True, False, True, False, True]),
        ({"times": {"rate": 0}}, [False] * 6),
        ({"times": {"rate": 1}}, [True] * 6),
    ],
)
def test_a_rule_applies_as_often_as_it_says(mock: Mock, times: dict[str, Any], expected: list[bool]) -> None:
    """Always, the first few, one, every so many, or a share of the requests that match."""
    add(mock, kind="status", status=503, **times)

    assert applied(mock, 6) == expected
    (rule,) = rules(mock)
    assert (rule["seen"], rule["applied"]) == (6, sum(expected))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mock]:
    """Run another server, on another store, with headers off."""
    with serving(tmp_path_factory.mktemp("stranger"), "--no-mock-headers") as running:
        yield running


def test_a_rate_with_a_seed_replays_exactly(mock: Mock, other_mock: Mock, stranger: Mock) -> None:
    """Two servers and three worlds agree on every request; another seed does not."""
    worlds = [mock, other_mock, stranger.new_world()]
    for world in worlds:
        add(world, kind="status", status=503, times={"rate": 0.5, "seed": 7})
    first, *others = [applied(world, 30) for world in worlds]

    assert others == [first, first]
    assert 5 < sum(first) < 25
    ask_admin(mock, "DELETE", "/faults")
    add(mock, kind="status", status=503, times={"rate": 0.5, "seed": 8})
    assert applied(mock, 30) != first


def test_the_first_few_are_exactly_so_many_however_many_ask_at_once(mock: Mock) -> None:
    """Twenty clients on two workers: three of them fail, and every request is counted."""
    add(mock, kind="status", status=503, times={"first": 3})
    start = Barrier(CLIENTS)

    def ask(_: int) -> int:
        start.wait(timeout=30)
        return coupons(mock).status

    with ThreadPoolExecutor(CLIENTS) as clients:
        statuses = sorted(clients.map(ask, range(CLIENTS)))
    assert statuses == [200] * (CLIENTS - 3) + [503] * 3
    (rule,) = rules(mock)
    assert (rule["seen"], rule["applied"]) == (CLIENTS, 3)


# Which requests


@pytest.mark.parametrize(
    ("chosen", "matches"),
    [
        ({}, True),
        ({"operation": "unuseCoupon"}, True),
        ({"operation": "getCoupon"}, False),
        ({"match": {"body": {"coupon_value": USED}}}, True),
        ({"match": {"body": {"coupon_value": "OTHER"}}}, False),
        ({"match": {"method": "POST", "path": "/v2/coupon/unuse", "vendor": "crowdtwist"}}, True),
        ({"match": {"method": "GET"}}, False),
        ({"match": {"vendor": "chargeover"}}, False),
        ({"match": {"query": {"page": "2"}}}, True),
        ({"match": {"query": {"page": "3"}}}, False),
    ],
)
def test_a_rule_is_for_the_requests_it_matches(mock: Mock, chosen: dict[str, Any], matches: object) -> None:
    """By operation, and by method, path, vendor, query and body as in a verification."""
    add(mock, kind="status", status=503, **chosen)
    answer = mock.post(f"{UNUSE}&page=2", {"coupon_value": USED})

    assert (answer.status, rules(mock)[0]["seen"]) == ((503, 1) if matches else (200, 0))


def test_the_first_rule_that_applies_wins_and_latency_goes_with_it(mock: Mock) -> None:
    """One answer, one delay; rules that come later count the request and do nothing."""
    add(mock, kind="status", status=503, times={"first": 1})
    add(mock, kind="latency", delay={"ms": 1})
    add(mock, kind="problem", operation="listUsableCoupons", example="no_activities")
    add(mock, kind="latency", delay={"ms": 60_000})
    first, second = coupons(mock), coupons(mock)

    assert (first.status, first.headers["X-Mock-Fault"]) == (503, "f1 status, f2 latency")
    assert (second.example, second.headers["X-Mock-Fault"]) == ("no_activities", "f2 latency, f3 problem")
    assert [(rule["seen"], rule["applied"]) for rule in rules(mock)] == [(2, 1), (2, 2), (2, 1), (2, 0)]


def test_authentication_and_wishes_come_before_rules(mock: Mock) -> None:
    """Whoever is refused or has asked for an answer himself gets that, and no rule counts it."""
    add(mock, kind="status", status=503)
    wished = mock.send("GET", LIST, {"Prefer": "example=no_activities"})

    assert mock.send("GET", "/v2/users/1001/usable_coupons").status == 401
    assert (wished.example, wished.headers["X-Mock-Fault"]) == ("no_activities", None)
    assert mock.send("GET", "/v2/nowhere").status == 404
    assert rules(mock)[0]["seen"] == 0


def test_rules_are_those_of_one_namespace(mock: Mock, other_mock: Mock) -> None:
    """A neighbour's answers are the same, byte for byte, and so are those of requests that no rule is for."""
    before = unuse(other_mock, "NO-SUCH-CODE")
    add(mock, kind="malformed", operation="unuseCoupon", match={"body": {"coupon_value": "ANOTHER"}})
    same, neighbours = unuse(mock, "NO-SUCH-CODE"), unuse(other_mock, "NO-SUCH-CODE")

    told = ("X-Mock-Namespace", "X-Mock-Request-Id", "date")
    for answer in (before, same, neighbours):
        for name in told:
            del answer.headers[name]
    assert before.body == same.body == neighbours.body
    assert before.headers.items() == same.headers.items() == neighbours.headers.items()


# The rules themselves


def test_rules_are_listed_and_removed(mock: Mock) -> None:
    """A rule is shown with what it was given, its defaults, its id and its counts."""
    first = add(mock, kind="truncate", operation="getCoupon", match={"method": "GET"}, times={"every": 2})
    second = add(mock, kind="drip", over={"ms": 10})

    counted = {"seen": 0, "applied": 0, "stage": "after"}
    assert first == {
        **counted,
        "id": "f1",
        "kind": "truncate",
        "operation": "getCoupon",
        "match": {"method": "GET"},
        "times": {"every": 2},
    }
    assert second == {**counted, "id": "f2", "kind": "drip", "chunks": 5, "over": {"ms": 10}}
    assert rules(mock) == [first, second]
    assert mock.admin("GET", f"/namespaces/{mock.namespace}").json["faults"] == 2

    assert ask_admin(mock, "DELETE", "/faults/f1").status == 204
    assert (rules(mock), add(mock, kind="drop")["id"]) == ([second], "f3")
    assert ask_admin(mock, "DELETE", "/faults").status == 204
    assert rules(mock) == []
    assert "faults" not in mock.admin("GET", f"/namespaces/{mock.namespace}").json


def test_a_rule_that_is_not_there_cannot_be_removed(mock: Mock) -> None:
    """404 names it; the others stay."""
    add(mock, kind="drop")
    refused = ask_admin(mock, "DELETE", "/faults/f7")

    assert (refused.status, refused.json["type"]) == (404, "urn:couponmock:fault")
    assert "'f7'" in refused.json["detail"]
    assert len(rules(mock)) == 1


def test_a_reset_starts_the_schedules_anew(mock: Mock) -> None:
    """The rules stay, their counts begin at nought; with `settings` they go."""
    add(mock, kind="status", status=503, times={"first": 1})
    assert applied(mock, 2) == [True, False]

    assert ask_admin(mock, "POST", "/reset", {"settings": False}).json["faults"] == 1
    assert [(rule["seen"], rule["applied"]) for rule in rules(mock)] == [(0, 0)]
    assert applied(mock, 2) == [True, False]
    assert "faults" not in ask_admin(mock, "POST", "/reset", {"settings": True}).json
    assert rules(mock) == []


@pytest.mark.parametrize("wrong", [{"settings": 1}, {"namespace": 1}, {"colour": "red"}])
def test_a_wrong_reset_says_what_is_allowed(mock: Mock, wrong: dict[str, Any]) -> None:
    """Nothing is reset."""
    unuse(mock)
    refused = ask_admin(mock, "POST", "/reset", wrong)

    assert (refused.status, refused.json["type"]) == (400, "urn:couponmock:request")
    assert unuse(mock).example == "not_used"


PROBLEM = {"kind": "problem", "operation": "unuseCoupon", "example": "not_issued"}
STATUS = {"kind": "status", "status": 503}
DROP = {"kind": "drop"}


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({}, "Give kind as one of problem,"),
        ({"kind": "explode"}, "Give kind as one of problem,"),
        ({"kind": ["drop"]}, "Give kind as one of problem,"),
        ({**DROP, "colour": "red"}, "Unknown member 'colour'"),
        ({**DROP, "delay": {"ms": 1}}, "A rule of kind drop has no member 'delay'"),
        ({**STATUS, "example": "not_issued"}, "A rule of kind status has no member 'example'"),
        ({"kind": "problem", "operation": "unuseCoupon"}, "needs the member example"),
        ({"kind": "problem", "example": "not_issued"}, "needs the member operation"),
        ({**PROBLEM, "example": "no_such"}, "unuseCoupon has no example 'no_such'; there are unused,"),
        ({**PROBLEM, "example": 1}, "Give example as a text."),
        ({**DROP, "operation": "noSuch"}, "There is no operation 'noSuch'; there are getCoupon,"),
        ({**DROP, "operation": 1}, "There is no operation 1; there are getCoupon,"),
        ({"kind": "status"}, "needs the member status"),
        ({**STATUS, "status": "503"}, "Give status as a whole number from 200 to 599."),
        ({**STATUS, "status": True}, "Give status as a whole number from 200 to 599."),
        ({**STATUS, "status": 600}, "Give status as a whole number from 200 to 599."),
        ({**STATUS, "status": 302}, "has no answer like 302; there are 200,"),
        ({**STATUS, "retryAfter": -1}, "Give retryAfter as a whole number from 0 to 86400."),
        ({"kind": "latency"}, "needs the member delay"),
        ({"kind": "latency", "delay": 250}, 'Give delay as {"ms": 250}, or '),
        ({"kind": "latency", "delay": {}}, 'Give delay as {"ms": 250}, or '),
        ({"kind": "latency", "delay": {"ms": 1, "from": 1, "to": 2}}, 'Give delay as {"ms": 250}, or '),
        ({"kind": "latency", "delay": {"ms": 1, "seed": 1}}, 'Give delay as {"ms": 250}, or '),
        ({"kind": "latency", "delay": {"ms": 60_001}}, "Give ms of delay as a number from 0 to 60000."),
        ({"kind": "latency", "delay": {"ms": "1"}}, "Give ms of delay as a number from 0 to 60000."),
        ({"kind": "latency", "delay": {"ms": True}}, "Give ms of delay as a number from 0 to 60000."),
        ({"kind": "latency", "delay": {"from": 9, "to": 1}}, "Give to of delay as a number from 9 to 60000."),
        ({"kind": "latency", "delay": {"median": 9, "sigma": 50}}, "Give sigma of delay as a number from 0 to 5."),
        ({"kind": "latency", "delay": {"from": 1, "to": 2, "seed": "x"}}, "Give seed of delay as a whole number"),
        (
            {"kind": "latency", "delay": {"ms": 1}, "stage": "before"},
            "Give the stage of a rule of kind latency as after.",
        ),
        ({"kind": "drip", "chunks": 3}, "needs the member over"),
        ({"kind": "drip", "over": {"ms": 1}, "chunks": 1}, "Give chunks as a whole number from 2 to 1000."),
        ({"kind": "truncate", "after": 0}, "Give after as a whole number from 1 to"),
        ({"kind": "media-type", "mediaType": "html"}, "Give mediaType as a media type such as text/html."),
        ({"kind": "media-type", "mediaType": "text/html\r\nX: y"}, "Give mediaType as a media type such as text/html."),
        ({**DROP, "stage": "later"}, "Give the stage of a rule of kind drop as after or before."),
        ({**DROP, "stage": ["after"]}, "Give the stage of a rule of kind drop as after or before."),
        ({**DROP, "times": 3}, 'Give times as {"first": 3}, or '),
        ({**DROP, "times": {"first": 1, "nth": 2}}, 'Give times as {"first": 3}, or '),
        ({**DROP, "times": {"first": 1, "seed": 2}}, 'Give times as {"first": 3}, or '),
        ({**DROP, "times": {"first": 0}}, "Give first of times as a whole number from 1 to"),
        ({**DROP, "times": {"nth": 1.5}}, "Give nth of times as a whole number from 1 to"),
        ({**DROP, "times": {"rate": 1.5}}, "Give the rate of times as a number from 0 to 1."),
        ({**DROP, "times": {"rate": 0.5, "seed": 2**64}}, "Give seed of times as a whole number"),
        ({**DROP, "match": []}, "Give match as an object with members out of method, path, vendor, query, body."),
        ({**DROP, "match": {"status": 200}}, "A rule cannot match 'status';"),
        ({**DROP, "match": {"method": 1}}, "Give method of match as a text."),
        ({**DROP, "match": {"query": "x"}}, "Give query of match as an object of parameters."),
        ({**DROP, "match": {"query": {"api_key": "QWERTY"}}}, "A rule cannot match 'api_key': it is a credential"),
        ({**DROP, "match": {"vendor": "acme"}}, "There is no vendor 'acme'; there are chargeover,"),
        ({**DROP, "match": {"body": "x" * 10_000}}, "A rule has at most 10000 characters."),
        ({**DROP, "match": {"query": {"page": 1}}}, "Give page in query of match as a text."),
        ({**DROP, "match": {"method": "PATCH"}}, "No operation has the method 'PATCH'; there are GET, POST."),
        ({**PROBLEM, "match": {"vendor": "shoplazza"}}, "unuseCoupon is no operation of shoplazza, so the rule could"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_with_a_sentence(mock: Mock, rule: dict[str, Any], says: str) -> None:
    """400, a sentence that says what is allowed, and no rule."""
    refused = ask_admin(mock, "POST", "/faults", rule)

    assert (refused.status, refused.media_type) == (400, "application/problem+json")
    assert says in refused.json["detail"]
    assert refused.json["detail"].endswith(".")
    assert rules(mock) == []


def test_a_namespace_has_a_hundred_rules_at_most(mock: Mock) -> None:
    """The next one is refused."""
    for _ in range(100):
        add(mock, kind="drop", operation="getCoupon")
    refused = ask_admin(mock, "POST", "/faults", {"kind": "drop"})

    assert (refused.status, refused.json["detail"]) == (400, "A namespace has at most 100 fault rules; remove some.")
    assert len(rules(mock)) == 100


# What is told about it


@pytest.mark.parametrize(
    ("rule", "status", "answer"),
    [
        ({"kind": "drop"}, None, None),
        ({"kind": "drop", "stage": "before"}, None, None),
        ({"kind": "truncate", "after": 5}, 200, '{"suc'),
        ({"kind": "status", "status": 429}, 429, {"error": "input_error", "message": "Too many requests."}),
    ],
)
def test_the_journal_says_what_was_sent_and_by_which_rule(
    mock: Mock, rule: dict[str, Any], status: int | None, answer: Any
) -> None:
    """An entry has the member `fault` if, and only if, a rule was applied; it can be asked for by it."""
    add(mock, **rule, times={"first": 1})
    headers = [("X-Mock-Namespace", mock.namespace or ""), ("Content-Type", "application/json")]
    received(mock, request_bytes("POST", UNUSE, headers, json.dumps({"coupon_value": USED}).encode()))
    unuse(mock)
    first, second = journal(mock)

    assert (first["fault"], first["status"], first["answer"]) == (f"f1 {rule['kind']}", status, answer)
    assert (first["operation"], first["body"]) == ("unuseCoupon", {"coupon_value": USED})
    assert "fault" not in second
    query = f"/requests?fault=f1 {rule['kind']}".replace(" ", "%20")
    assert [entry["id"] for entry in ask_admin(mock, "GET", query).json["requests"]] == [first["id"]]


def test_without_mock_headers_a_fault_leaves_no_trace_in_the_answer(stranger: Mock) -> None:
    """Only the journal tells."""
    mock = stranger.new_world()
    add(mock, kind="latency", delay={"ms": 1})
    answer = coupons(mock)

    assert not [name for name in answer.headers if name.lower().startswith("x-mock")]
    assert journal(mock)[0]["fault"] == "f1 latency"


# Nobody waits for somebody else


@pytest.fixture
def frugal(tmp_path: Path) -> Iterator[Mock]:
    """Run a server where programs begin with few open files, as on macOS, and one worker, as most people do."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as stack:
        resource.setrlimit(resource.RLIMIT_NOFILE, (SLOW_CLIENTS // 2, hard))
        try:
            running = stack.enter_context(serving(tmp_path, "--log-format", "none"))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        yield running


def test_slow_answers_delay_nobody_else(frugal: Mock) -> None:
    """While two hundred requests are slow, all at the same time, a plain one is answered before any of them."""
    mock, other_mock = frugal.new_world(), frugal.new_world()
    add(mock, kind="latency", operation="unuseCoupon", delay={"ms": 60_000})
    connections: list[socket.socket] = []
    try:
        for _ in range(SLOW_CLIENTS):
            connection = socket.create_connection(("127.0.0.1", mock.port), timeout=ANSWER_SECONDS)
            connections.append(connection)
            connection.sendall(kept_alive(mock, "POST", UNUSE, {"coupon_value": USED}))
        while rules(mock)[0]["applied"] < SLOW_CLIENTS:  # all of them are under way
            assert not arrived(connections)
        assert [coupons(mock).status, unuse(other_mock).status] == [200, 200]
        assert not arrived(connections)
    finally:
        for connection in connections:
            connection.close()


def arrived(connections: list[socket.socket]) -> list[socket.socket]:
    """Return the connections on which something has come."""
    return select.select(connections, [], [], 0)[0]


def test_a_body_that_nobody_asked_for_and_that_never_comes_keeps_nobody_from_the_store(mock: Mock) -> None:
    """Also where strict mode wants to look at it: more such clients than the store has connections."""
    assert ask_admin(mock, "PUT", "/strict", {"mode": "warn"}).status == 200
    head = f"GET /~{mock.namespace}{COUPON} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n".encode()
    with ExitStack() as stack:
        for _ in range(40):
            slow = stack.enter_context(socket.create_connection(("127.0.0.1", mock.port), timeout=ANSWER_SECONDS))
            slow.sendall(head)
        assert [coupons(mock).status for _ in range(30)] == [200] * 30


def test_a_body_that_is_sent_slowly_keeps_nobody_from_the_store(mock: Mock) -> None:
    """While one client is in the middle of its body, another one changes the same world."""
    request = kept_alive(mock, "POST", UNUSE, {"coupon_value": USED})
    with socket.create_connection(("127.0.0.1", mock.port), timeout=ANSWER_SECONDS) as slow:
        slow.sendall(request[:-5])
        examples = [unuse(mock).example for _ in range(30)]  # time enough for the slow one to be taken up
        assert examples == ["unused"] + ["not_used"] * 29
        slow.sendall(request[-5:])
        assert slow.recv(65536).startswith(b"HTTP/1.1 404 ")


def test_the_mock_stops_while_it_is_being_slow(tmp_path: Path) -> None:
    """A delay of a minute does not hold up the end of the server."""
    with serving(tmp_path) as mock:
        add(mock, kind="latency", delay={"ms": 60_000})
        with socket.create_connection(("127.0.0.1", mock.port), timeout=ANSWER_SECONDS) as connection:
            connection.sendall(request_bytes("GET", LIST))
            while not rules(mock)[0]["applied"]:
                pass
            mock.stop()
            assert mock.process.returncode == 0
