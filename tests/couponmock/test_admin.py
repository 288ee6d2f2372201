"""The mock's own interface below /__admin."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from admin_contract import document, operations
from couponmock.app import create_app
from couponmock.assembly import assemble
from couponmock.settings import Settings
from running_mock import Mock, exchange, request_bytes
from vendor_answers import assert_problem


def describe(mock: Mock) -> dict[str, Any]:
    """Return what the admin interface tells of a world."""
    answer = mock.admin("GET", f"/namespaces/{mock.namespace}")
    assert (answer.status, answer.media_type) == (200, "application/json")
    found: dict[str, Any] = answer.json
    return found


def names(server: Mock) -> set[str]:
    """Return the names of all namespaces."""
    return {namespace["name"] for namespace in server.admin("GET", "/namespaces").json["namespaces"]}


def test_health_says_ok(server: Mock) -> None:
    """Once the store can be read."""
    answer = server.admin("GET", "/health")
    assert (answer.status, answer.media_type, answer.json) == (200, "application/json", {"status": "ok"})


def test_version_says_who_answers(server: Mock) -> None:
    """Name, version, vendors and packs: the suite recognises the mock by it."""
    assert server.admin("GET", "/version").json == {
        "name": "couponmock",
        "version": version("couponproof"),
        "vendors": ["chargeover", "crowdtwist", "shoplazza"],
        "packs": ["demo", "documented"],
        "pack": "demo",
        "defects": [],
    }


def test_a_namespace_is_made_shown_listed_and_dropped(server: Mock) -> None:
    """Its description is the same in all three places; afterwards it is gone."""
    mock = server.new_world("documented")
    described = describe(mock)
    assert described == {
        "name": mock.namespace,
        "pack": "documented",
        "epoch": 1478908800,
        "now": 1478908800,
        "frozen": True,
        "readings": {},
    }
    assert described in server.admin("GET", "/namespaces").json["namespaces"]
    dropped = server.admin("DELETE", f"/namespaces/{mock.namespace}")
    assert (dropped.status, dropped.body) == (204, b"")
    assert mock.namespace not in names(server)
    assert_problem(server.admin("GET", f"/namespaces/{mock.namespace}"), 404, "namespace")


def test_a_namespace_is_made_from_the_servers_pack_if_none_is_named(documented_server: Mock) -> None:
    """The one that --pack gave."""
    assert describe(documented_server.new_world())["pack"] == "documented"


def test_the_default_namespace_is_there_before_its_first_use(server: Mock) -> None:
    """It can be described, reset and bound from the beginning."""
    for method, path in (("GET", "/namespaces/default"), ("POST", "/reset"), ("GET", "/namespaces/default/bindings")):
        answer = server.admin(method, path)
        assert (answer.status, answer.json["name"]) == (200, "default")


def test_bindings_tell_every_seeded_value_with_times_as_numbers(mock: Mock) -> None:
    """By vendor and handle; offsets have become Unix seconds of this world."""
    answer = mock.admin("GET", f"/namespaces/{mock.namespace}/bindings")
    assert answer.json["bindings"].keys() == {"chargeover", "crowdtwist", "shoplazza"}
    seeded = mock.bindings("crowdtwist")
    assert seeded["credential.main"]["secret"] == "QWERTY"
    assert seeded["coupon.used"]["code"] == "JDSI2JE"
    assert seeded["coupon.twenty"]["date_to_expire"] == answer.json["epoch"] + 6 * 86_400
    assert seeded["coupon.forever"]["date_to_expire"] is None
    assert mock.bindings("chargeover")["coupon.printed"]["coupon_id"] == 1
    assert mock.bindings("shoplazza")["customer.ann"]["customer_id"] == "5001"


def test_bindings_are_the_packs_whatever_has_happened(mock: Mock) -> None:
    """They tell what the world began with."""
    before = mock.bindings("crowdtwist")
    assert mock.post("/v2/coupon/unuse?api_key=QWERTY", {"coupon_value": "JDSI2JE"}).status == 200
    assert mock.bindings("crowdtwist") == before


def test_resetting_starts_the_time_of_a_running_world_anew(mock: Mock) -> None:
    """The epoch becomes the present."""
    before = describe(mock)
    after = mock.admin("POST", "/reset", {"namespace": mock.namespace}).json
    assert after["epoch"] >= before["epoch"]
    assert after["epoch"] == after["now"]
    assert not after["frozen"]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({}, "1 to 64 letters"),
        ({"name": ""}, "1 to 64 letters"),
        ({"name": "a b"}, "1 to 64 letters"),
        ({"name": "a\n"}, "1 to 64 letters"),
        ({"name": "x" * 65}, "1 to 64 letters"),
        ({"name": "\u00e9\u00e8"}, "1 to 64 letters"),
        ({"name": "fine", "pack": "nope"}, "'nope'"),
        ({"name": "fine", "pack": ""}, "no pack ''"),
        ({"name": "fine", "packs": "demo"}, "Unknown member 'packs'"),
        ({"name": 1}, "1 to 64 letters"),
        ({"name": None}, "1 to 64 letters"),
        ({"name": "fine", "pack": 1}, "no pack 1"),
        ({"name": "fine", "clock": {"now": "noon"}}, "Unix seconds"),
        ({"name": "fine", "clock": {"frozen": 1}}, "true or false"),
        ({"name": "fine", "clock": {"by": "1d"}}, "frozen, now"),
        ({"name": "fine", "clock": None}, "frozen, now"),
        ({"name": "fine", "readings": []}, "name of a reading -> option"),
        ({"name": "fine", "readings": {"crowdtwist.unknown-member": "500"}}, '"400", "404"'),
        ({"name": "fine", "readings": {"crowdtwist.nope": "400"}}, "crowdtwist.unknown-member"),
        (["fine"], "JSON object"),
        ("fine", "JSON object"),
    ],
)
def test_a_namespace_that_cannot_be_made_is_a_problem_that_says_why(server: Mock, value: Any, words: str) -> None:
    """And none is made."""
    answer = server.admin("POST", "/namespaces", value)
    assert_problem(answer, 400, "request")
    assert words in answer.json["detail"]
    assert "fine" not in names(server)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff",
        b'{"name": "fine", "name": "fine"}',
        b'{"name": NaN}',
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"name": "\\ud800"}',
    ],
)
@pytest.mark.parametrize("path", ["/namespaces", "/reset"])
def test_a_body_that_is_no_json_object_is_a_problem(server: Mock, path: str, body: bytes) -> None:
    """On every route that reads one."""
    request = request_bytes("POST", f"/__admin{path}", [("Content-Type", "application/json")], body)
    assert_problem(exchange(server.port, request), 400, "request")
    assert "fine" not in names(server)


def test_a_name_that_is_taken_is_a_conflict_and_the_world_stays(mock: Mock) -> None:
    """What has happened in it is kept."""
    assert mock.post("/v2/coupon/unuse?api_key=QWERTY", {"coupon_value": "JDSI2JE"}).status == 200
    assert_problem(mock.admin("POST", "/namespaces", {"name": mock.namespace}), 409, "namespace")
    answer = mock.post("/v2/coupon/unuse?api_key=QWERTY", {"coupon_value": "JDSI2JE"})
    assert answer.example == "not_used"


@pytest.mark.parametrize(
    ("method", "path", "value"),
    [
        ("GET", "/namespaces/nobody-made-it", None),
        ("DELETE", "/namespaces/nobody-made-it", None),
        ("GET", "/namespaces/nobody-made-it/bindings", None),
        ("GET", "/namespaces/%00", None),
        ("GET", "/namespaces/%ff", None),
        ("DELETE", "/namespaces/a%20b", None),
        ("POST", "/reset", {"namespace": "nobody-made-it"}),
        ("POST", "/reset", {"namespace": ""}),
        ("POST", "/reset", {"namespace": "a\x00b"}),
    ],
)
def test_a_namespace_that_is_not_there_is_a_problem_and_is_not_made(
    server: Mock, method: str, path: str, value: Any
) -> None:
    """Asking is not using."""
    assert_problem(server.admin(method, path, value), 404, "namespace")
    assert "nobody-made-it" not in names(server)


def test_a_reset_with_a_mistake_resets_nothing(mock: Mock) -> None:
    """Not even the default namespace."""
    assert mock.post("/v2/coupon/unuse?api_key=QWERTY", {"coupon_value": "JDSI2JE"}).status == 200
    for value in ({"name": mock.namespace}, {"namespace": mock.namespace, "pack": "demo"}, [mock.namespace]):
        assert_problem(mock.admin("POST", "/reset", value), 400, "request")
    answer = mock.post("/v2/coupon/unuse?api_key=QWERTY", {"coupon_value": "JDSI2JE"})
    assert answer.example == "not_used"


@pytest.mark.parametrize("path", ["", "/", "/nope", "/health/", "/namespaces/", "/%ff", "/../v2/coupon/unuse"])
def test_an_unknown_admin_path_is_a_problem(server: Mock, path: str) -> None:
    """In JSON, and never a redirect."""
    assert_problem(server.admin("GET", path), 404, "admin")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/health", "GET, HEAD"),
        ("/version", "GET, HEAD"),
        ("/reset", "POST"),
        ("/namespaces", "GET, HEAD, POST"),
        ("/namespaces/default", "DELETE, GET, HEAD"),
        ("/namespaces/default/bindings", "GET, HEAD"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "PATCH", "TRACE", "BREW"])
def test_a_wrong_method_is_a_problem_that_tells_the_right_ones(
    server: Mock, method: str, path: str, allowed: str
) -> None:
    """As HTTP asks of a 405."""
    answer = server.admin(method, path)
    assert_problem(answer, 405, "admin")
    assert answer.headers["Allow"] == allowed


def test_head_is_get_without_a_body(server: Mock) -> None:
    """For what only reads."""
    answer = server.admin("HEAD", "/health")
    assert (answer.status, answer.media_type, answer.body) == (200, "application/json", b"")


def test_a_reset_needs_no_body_and_no_content_type(documented_server: Mock) -> None:
    """A bare POST, as of curl -X POST, is enough."""
    request = request_bytes("POST", "/__admin/reset")
    answer = exchange(documented_server.port, request)
    assert (answer.status, answer.json["name"]) == (200, "default")


def test_the_interface_serves_its_own_document(server: Mock) -> None:
    """So that a client in any language can be generated from it."""
    answer = server.admin("GET", "/openapi.json")
    assert (answer.status, answer.media_type, answer.json) == (200, "application/json", document())


def test_the_document_names_exactly_the_routes_that_there_are(tmp_path: Path) -> None:
    """Every exchange of the other tests is held against it, so that its bodies are true as well."""
    mock = assemble(Settings(f"sqlite:///{tmp_path}/state.db", ("shoplazza",)))
    rules = [rule for rule in create_app(mock).url_map.iter_rules() if rule.rule.startswith("/__admin")]
    mock.store.close()
    served = {
        (method, rule.rule.replace("<", "{").replace(">", "}"))
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD"}
    }
    assert {(method, path) for method, path, _ in operations()} == served


def test_operations_are_named_once_and_all_are_explained() -> None:
    """An operationId becomes a function's name in generated clients."""
    named = [operation["operationId"] for _, _, operation in operations()]
    assert len(named) == len({*named})
    assert all(operation["summary"].endswith(".") and operation["tags"] for _, _, operation in operations())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/requests?operation=getCoupon"),
        ("POST", "/reset?namespace=other"),
        ("DELETE", "/faults?id=f1"),
        ("GET", "/readings?vendor=crowdtwist"),
        ("PUT", "/snapshots/x?y=1"),
    ],
)
def test_parameters_that_nobody_reads_are_refused_before_anything_is_done(mock: Mock, method: str, path: str) -> None:
    """Who narrows a request down must not have all of it."""
    mock.send("GET", "/api/v3/coupon/1")
    refused = mock.send(method, f"/__admin{path}")
    assert_problem(refused, 400, "request")
    assert "takes no parameters" in refused.json["detail"]
    assert mock.send("GET", "/__admin/requests").json["count"] == 1
    assert mock.send("GET", "/__admin/snapshots").json == {"snapshots": []}
