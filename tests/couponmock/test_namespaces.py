"""Namespaces: worlds that never see each other, chosen by a prefix of the path or by a header."""

import pytest
from running_mock import Answer, Mock, exchange, request_bytes
from vendor_answers import TARGETS, assert_problem

UNUSE = "/v2/coupon/unuse?api_key=QWERTY"
BODY = b'{"coupon_value": "JDSI2JE"}'
JSON = ("Content-Type", "application/json")


def unuse(server: Mock, prefix: str = "", *headers: tuple[str, str]) -> Answer:
    """Unuse a coupon in the namespace of a prefix, of headers, or of neither."""
    return exchange(server.port, request_bytes("POST", prefix + UNUSE, [JSON, *headers], BODY))


def name_of(mock: Mock) -> str:
    """Return the name of a world's namespace."""
    assert mock.namespace
    return mock.namespace


def test_what_happens_in_one_namespace_is_unseen_in_another(mock: Mock, other_mock: Mock) -> None:
    """Of every vendor: each world has its own JDSI2JE, its own stock."""
    assert unuse(mock, f"/~{name_of(mock)}").example == "unused"
    assert unuse(other_mock, f"/~{name_of(other_mock)}").example == "unused"
    body = {"customer_id": "5001", "coupon_ids": ["202314454241654716"]}
    for world in (mock, other_mock):
        answer = world.post("/openapi/2022-01/coupons/receive", body, {"access-token": "sunny-token"})
        assert answer.json["status"] == 0


@pytest.mark.parametrize("prefix", ["/~{}", "/%7E{}", "/%7e{}"])
def test_a_prefix_and_a_header_choose_the_same_world(mock: Mock, prefix: str) -> None:
    """Also a prefix whose tilde a client has encoded."""
    assert unuse(mock, prefix.format(name_of(mock))).example == "unused"
    assert unuse(mock, "", ("X-Mock-Namespace", name_of(mock))).example == "not_used"


def test_a_prefix_and_a_header_may_agree(mock: Mock) -> None:
    """Naming one world twice is no contradiction."""
    answer = unuse(mock, f"/~{name_of(mock)}", ("X-Mock-Namespace", name_of(mock)))
    assert (answer.status, answer.headers["X-Mock-Namespace"]) == (200, name_of(mock))


def test_a_prefix_and_a_header_that_disagree_are_refused_by_the_mock(mock: Mock, other_mock: Mock) -> None:
    """In its own name; and nothing happens in either world."""
    answer = unuse(mock, f"/~{name_of(mock)}", ("X-Mock-Namespace", name_of(other_mock)))
    assert_problem(answer, 400, "namespace")
    assert [unuse(world, f"/~{name_of(world)}").example for world in (mock, other_mock)] == ["unused", "unused"]


@pytest.mark.parametrize("name", ["", "a%20b", "a" * 65, "%C3%A9%C3%A8", "%ff", "a,b", "a%00", "~a", "a%0A"])
def test_a_prefix_that_is_no_name_is_refused_by_the_mock(server: Mock, name: str) -> None:
    """The rule is in the answer."""
    answer = unuse(server, f"/~{name}")
    assert_problem(answer, 400, "namespace")
    assert "1 to 64 letters" in answer.json["detail"]


@pytest.mark.parametrize("name", ["", "a b", "a" * 65, "\xe9\xe8", "a/b", "a,b", "~a"])
def test_a_header_that_is_no_name_is_refused_by_the_mock(server: Mock, name: str) -> None:
    """Also one that is given twice, which arrives as a list."""
    assert_problem(unuse(server, "", ("X-Mock-Namespace", name)), 400, "namespace")


def test_two_namespace_headers_are_refused_by_the_mock(mock: Mock, other_mock: Mock) -> None:
    """Neither wins in silence."""
    headers = [("X-Mock-Namespace", name_of(world)) for world in (mock, other_mock)]
    assert_problem(unuse(mock, "", *headers), 400, "namespace")


@pytest.mark.parametrize("name", ["a", "A.b_c-D", "0", "..", "-", "x" * 64])
def test_every_name_that_the_rule_allows_is_a_world_on_first_use(server: Mock, name: str) -> None:
    """Nobody has to create it; it is made from the server's pack, and other names stay other worlds."""
    own = f"{name}-{name_of(server.new_world())[-8:]}"[-64:]
    assert unuse(server, f"/~{own}").example == "unused"
    assert unuse(server, f"/~{own}").example == "not_used"
    assert server.admin("GET", f"/namespaces/{own}").json["pack"] == "demo"


@pytest.mark.parametrize("operation", TARGETS)
def test_every_operation_answers_below_a_prefix_as_it_does_without(mock: Mock, operation: str) -> None:
    """A client that can only set its base URL needs nothing else."""
    _, method, target = TARGETS[operation]
    by_prefix = exchange(mock.port, request_bytes(method, f"/~{name_of(mock)}{target}"))
    by_header = mock.send(method, target)
    assert (by_prefix.status, by_prefix.body) == (by_header.status, by_header.body)
    assert by_prefix.headers["X-Mock-Namespace"] == name_of(mock)


def test_a_prefix_alone_belongs_to_no_vendor(mock: Mock) -> None:
    """The mock says which paths there are."""
    for path in (f"/~{name_of(mock)}", f"/~{name_of(mock)}/", f"/~{name_of(mock)}//v2/coupon/unuse"):
        assert_problem(exchange(mock.port, request_bytes("GET", path)), 404, "no-vendor")


def test_a_prefix_counts_once(mock: Mock) -> None:
    """A second one is a path of no vendor."""
    path = f"/~{name_of(mock)}/~{name_of(mock)}{UNUSE}"
    assert_problem(exchange(mock.port, request_bytes("POST", path, [JSON], BODY)), 404, "no-vendor")


def test_the_admin_interface_can_be_asked_under_a_prefix(mock: Mock) -> None:
    """Below a namespace's prefix it is about that namespace."""
    answer = exchange(mock.port, request_bytes("GET", f"/~{name_of(mock)}/__admin/clock"))
    assert (answer.status, answer.json["namespace"]) == (200, name_of(mock))


def test_resetting_restores_the_pack_of_one_world(mock: Mock, other_mock: Mock) -> None:
    """For every vendor in it; the other world keeps what happened."""
    receive = {"customer_id": "5001", "coupon_ids": ["202314454241654711"]}
    token = {"access-token": "sunny-token"}
    for world in (mock, other_mock):
        assert unuse(world, f"/~{name_of(world)}").example == "unused"
        world.post("/openapi/2022-01/coupons/receive", receive, token)
    assert mock.admin("POST", "/reset", {"namespace": name_of(mock)}).status == 200
    assert unuse(mock, f"/~{name_of(mock)}").example == "unused"
    assert unuse(mock, f"/~{name_of(other_mock)}").example == "not_used"
    stocks = [
        world.post("/openapi/2022-01/coupons/receive", receive, token).json["items"][0]["stock"]
        for world in (mock, other_mock)
    ]
    assert stocks == [19, 18]


def test_dropping_a_world_lets_the_next_use_begin_anew(mock: Mock) -> None:
    """Under the same name."""
    assert unuse(mock, f"/~{name_of(mock)}").example == "unused"
    assert mock.admin("DELETE", f"/namespaces/{name_of(mock)}").status == 204
    assert unuse(mock, f"/~{name_of(mock)}").example == "unused"


def test_worlds_of_different_packs_live_in_one_server(server: Mock) -> None:
    """The printed world beside the pleasant one: another owner, another clock."""
    printed = server.new_world("documented")
    target = "/v2/users/alice@crowdtwist.com/usable_coupons?api_key=QWERTYUIOP&id_type=email"
    assert [coupon["code"] for coupon in printed.send("GET", target).json] == ["ACC58191285", "ACC58111301"]
    assert len(server.new_world().send("GET", target).json) > 2
    assert printed.send("GET", "/v2/users/1001/usable_coupons?api_key=MOONLIGHT").status == 401
