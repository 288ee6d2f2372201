"""Rate limits: a leaky bucket for each of a vendor's clients, and 429 for whoever finds it full."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from running_mock import Answer, Mock, couponmock, serving

LIST = "/v2/users/1001/usable_coupons?api_key=QWERTY"
COUPON = "/api/v3/coupon/1"
BASIC = {"Authorization": "Basic " + base64.b64encode(b"acme-public:acme-private").decode()}
TOKEN = {"access-token": "sunny-token"}
RECEIVE = "/openapi/2022-01/coupons/receive"
CLIENTS = 20
ROOM = 7
TINY = 1e-6
"""Requests a second that are as good as none while a test lasts."""


def ask_admin(mock: Mock, method: str, path: str, value: Any = None) -> Answer:
    """Ask the admin interface about the mock's namespace."""
    body = None if value is None else json.dumps(value).encode()
    return mock.send(method, f"/__admin{path}", {"Content-Type": "application/json"}, body)


def limit(mock: Mock, vendor: str = "crowdtwist", size: int = 2, leak: float = TINY) -> None:
    """Set a limit in the mock's namespace."""
    answer = ask_admin(mock, "PUT", "/limits", {vendor: {"size": size, "leak": leak}})
    assert answer.status == 200, answer


def statuses(mock: Mock, count: int) -> list[int]:
    """Ask CrowdTwist some times."""
    return [mock.send("GET", LIST).status for _ in range(count)]


@pytest.mark.parametrize(
    ("vendor", "ask"),
    [
        ("crowdtwist", lambda mock: mock.send("GET", LIST)),
        ("chargeover", lambda mock: mock.send("GET", COUPON, BASIC)),
        ("shoplazza", lambda mock: mock.post(RECEIVE, {"customer_id": "5001", "coupon_ids": ["1"]}, TOKEN)),
    ],
)
def test_beyond_its_limit_a_vendor_answers_429_in_its_own_words(mock: Mock, vendor: str, ask: Any) -> None:
    """The document's example says it, and Retry-After the whole seconds until there is room."""
    limit(mock, vendor, 1, 0.25)
    inside, beyond = ask(mock), ask(mock)

    assert inside.status == 200
    assert (beyond.status, beyond.example) == (429, "rate_limited")
    assert beyond.headers.get_all("Retry-After") == ["4"]
    assert beyond.headers["X-Mock-Fault"] == f"{vendor} limit"
    entry = ask_admin(mock, "GET", "/requests?status=429").json["requests"][0]
    assert (entry["fault"], entry["answer"]) == (f"{vendor} limit", beyond.json)


def test_a_bucket_without_a_leak_promises_nothing(mock: Mock) -> None:
    """No time is named after which there would be room."""
    limit(mock, size=1, leak=0)
    assert statuses(mock, 2) == [200, 429]
    assert mock.send("GET", LIST).headers["Retry-After"] is None


@pytest.mark.parametrize("frozen", [True, False])
def test_the_namespaces_clock_drains_the_bucket(mock: Mock, frozen: object) -> None:
    """After as long as Retry-After says by the namespace's clock there is room for one, whether it runs or stands."""
    ask_admin(mock, "PUT", "/clock", {"frozen": frozen})
    limit(mock, size=2, leak=0.001)
    assert statuses(mock, 3) == [200, 200, 429]

    wait = int(mock.send("GET", LIST).headers["Retry-After"])
    ask_admin(mock, "POST", "/clock/advance", {"by": wait})
    assert statuses(mock, 2) == [200, 429]
    ask_admin(mock, "POST", "/clock/advance", {"by": "1d"})
    assert statuses(mock, 3) == [200, 200, 429]


def test_waiting_drains_the_bucket_though_the_clock_stands_still(mock: Mock) -> None:
    """Real time counts, too: a client that keeps asking gets through."""
    ask_admin(mock, "POST", "/clock/freeze")
    limit(mock, size=1, leak=2)
    assert statuses(mock, 2) == [200, 429]
    while mock.send("GET", LIST).status == 429:
        pass


def test_a_clock_that_is_turned_back_gives_nothing_away(mock: Mock) -> None:
    """The bucket stays as full as it was."""
    limit(mock)
    assert statuses(mock, 3) == [200, 200, 429]
    ask_admin(mock, "POST", "/clock/advance", {"by": "-1w"})
    assert statuses(mock, 1) == [429]
    ask_admin(mock, "POST", "/clock/advance", {"by": "1d"})
    assert statuses(mock, 1) == [429]


def test_exactly_as_many_pass_as_there_is_room_for(mock: Mock) -> None:
    """Twenty clients at once on two workers."""
    limit(mock, size=ROOM)
    start = Barrier(CLIENTS)

    def ask(_: int) -> int:
        start.wait(timeout=30)
        return mock.send("GET", LIST).status

    with ThreadPoolExecutor(CLIENTS) as clients:
        assert sorted(clients.map(ask, range(CLIENTS))) == [200] * ROOM + [429] * (CLIENTS - ROOM)


def test_every_client_of_a_vendor_has_a_bucket_of_its_own(mock: Mock, other_mock: Mock) -> None:
    """One that is full is no other client's, no other vendor's and no other namespace's."""
    limit(mock)
    assert statuses(mock, 3) == [200, 200, 429]

    other_client = mock.send("GET", "/v2/users/1001/usable_coupons?api_key=MOONLIGHT")
    assert other_client.status != 429
    assert mock.send("GET", COUPON, BASIC).status == 200
    assert statuses(other_mock, 3) == [200] * 3


def test_who_is_refused_or_asks_for_an_answer_takes_no_room(mock: Mock) -> None:
    """Neither a request without a credential nor a wish counts; beyond the limit a wish is still granted."""
    limit(mock)
    for _ in range(3):
        assert mock.send("GET", "/v2/users/1001/usable_coupons").status == 401
        assert mock.send("GET", LIST, {"Prefer": "example=no_activities"}).status == 400
    assert statuses(mock, 3) == [200, 200, 429]
    assert mock.send("GET", LIST, {"Prefer": "example=no_activities"}).status == 400


def test_a_request_beyond_the_limit_has_no_effect_and_meets_no_rule(mock: Mock) -> None:
    """The coupon stays used, the rule uncounted."""
    limit(mock, size=1)
    ask_admin(mock, "POST", "/faults", {"kind": "status", "status": 503, "times": {"nth": 2}})
    statuses(mock, 1)
    assert mock.post("/v2/coupon/unuse?api_key=QWERTY", {"coupon_value": "JDSI2JE"}).status == 429
    assert ask_admin(mock, "GET", "/faults").json["faults"][0]["seen"] == 1

    ask_admin(mock, "DELETE", "/limits")
    ask_admin(mock, "DELETE", "/faults")
    assert mock.post("/v2/coupon/unuse?api_key=QWERTY", {"coupon_value": "JDSI2JE"}).example == "unused"


def test_limits_are_shown_changed_and_lifted(mock: Mock) -> None:
    """PUT merges, null and DELETE give the server's choice back, which is none here; the buckets are empty then."""
    both = {"shoplazza": {"size": 40, "leak": 2}, "crowdtwist": {"size": 1, "leak": 0.5}}
    assert ask_admin(mock, "GET", "/limits").json == {"limits": {}}
    assert ask_admin(mock, "PUT", "/limits", both).json == {"limits": both}
    changed = {**both, "crowdtwist": {"size": 2, "leak": 0}}
    assert ask_admin(mock, "PUT", "/limits", {"crowdtwist": changed["crowdtwist"]}).json == {"limits": changed}
    assert statuses(mock, 3) == [200, 200, 429]
    limit(mock, size=1)
    assert statuses(mock, 2) == [200, 429]
    assert ask_admin(mock, "PUT", "/limits", {"crowdtwist": None}).json == {"limits": {"shoplazza": both["shoplazza"]}}
    assert statuses(mock, 3) == [200] * 3
    assert ask_admin(mock, "DELETE", "/limits").status == 204
    assert ask_admin(mock, "GET", "/limits").json == {"limits": {}}


def test_a_reset_empties_the_buckets(mock: Mock) -> None:
    """The limits stay; with `settings` they go."""
    limit(mock)
    assert statuses(mock, 3) == [200, 200, 429]
    ask_admin(mock, "POST", "/reset")
    assert statuses(mock, 3) == [200, 200, 429]
    ask_admin(mock, "POST", "/reset", {"settings": True})
    assert statuses(mock, 3) == [200] * 3


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ({}, "Give a limit for a vendor out of"),
        ({"acme": {"size": 1, "leak": 1}}, "Unknown member 'acme'; known are chargeover, crowdtwist, shoplazza."),
        ({"crowdtwist": 40}, 'Give a limit as {"size": 40, "leak": 2}.'),
        ({"crowdtwist": {"size": 40}}, 'Give a limit as {"size": 40, "leak": 2}.'),
        ({"crowdtwist": {"size": 40, "leak": 2, "per": 60}}, 'Give a limit as {"size": 40, "leak": 2}.'),
        ({"crowdtwist": {"size": 0, "leak": 2}}, "Give size of a limit as a whole number from 1 to 1000000."),
        ({"crowdtwist": {"size": 1.5, "leak": 2}}, "Give size of a limit as a whole number from 1 to 1000000."),
        ({"crowdtwist": {"size": 4, "leak": -1}}, "Give leak of a limit as a number from 0 to 1000000."),
        ({"crowdtwist": {"size": 4, "leak": "2"}}, "Give leak of a limit as a number from 0 to 1000000."),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused_with_a_sentence(mock: Mock, limits: Any, says: str) -> None:
    """400, and the limits are what they were."""
    limit(mock)
    refused = ask_admin(mock, "PUT", "/limits", limits)

    assert (refused.status, refused.media_type) == (400, "application/problem+json")
    assert says in refused.json["detail"]
    assert ask_admin(mock, "GET", "/limits").json == {"limits": {"crowdtwist": {"size": 2, "leak": TINY}}}


def test_a_server_can_have_limits_of_its_own(tmp_path: Path) -> None:
    """`--limit` is for every namespace that has none; the vendors that it does not name are not limited."""
    with serving(tmp_path, "--limit", "crowdtwist=2/0.000001", "--limit", "shoplazza=40/2") as mock:
        own = {"crowdtwist": {"size": 2, "leak": TINY}, "shoplazza": {"size": 40, "leak": 2}}
        first, second = mock.new_world(), mock.new_world()
        assert ask_admin(first, "GET", "/limits").json == {"limits": own}
        assert statuses(first, 3) == [200, 200, 429]
        assert {first.send("GET", COUPON, BASIC).status for _ in range(4)} == {200}

        limit(second, size=3)
        assert statuses(second, 4) == [200, 200, 200, 429]
        ask_admin(second, "DELETE", "/limits")
        assert statuses(second, 3) == [200, 200, 429]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("shoplazza", "is no limit; write VENDOR=SIZE/LEAK, such as "),
        ("shoplazza=40", "is no limit; write VENDOR=SIZE/LEAK, such as "),
        ("shoplazza=many/2", "is no limit; write VENDOR=SIZE/LEAK, such as "),
        ("acme=40/2", "is for none of this server's vendors, which are chargeover, crowdtwist, shoplazza"),
        ("shoplazza=0/2", "Give size of a limit as a whole number from 1 to 1000000."),
    ],
)
def test_a_wrong_flag_is_one_clear_line(tmp_path: Path, text: str, says: str) -> None:
    """Exit code 2 and no traceback."""
    done = couponmock(tmp_path, "serve", "--port", "0", "--limit", text)

    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
