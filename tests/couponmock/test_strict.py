"""Strict mode: what a request holds and no page documents is told, or refused, with what was probably meant."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from couponmock.exchange import Request
from couponmock.finding import Query
from couponmock.strict import Known
from couponspec import load_pack, vendors
from couponspec.request import build
from running_mock import Answer, Mock, couponmock, log_lines, serving
from vendor_answers import CREDENTIALS, TARGETS, assert_problem, document

USED = "JDSI2JE"
UNUSE = "/v2/coupon/unuse?api_key=QWERTY"
RECEIVE = "/openapi/2022-01/coupons/receive"
LIST = "/v2/users/1001/usable_coupons"
COUPON = "/api/v3/coupon/1"
WARN, REFUSE = {"X-Mock-Strict": "warn"}, {"X-Mock-Strict": "refuse"}
JSON = {"Content-Type": "application/json"}


def journal(mock: Mock) -> list[dict[str, Any]]:
    """Return the journal of the mock's namespace."""
    found: list[dict[str, Any]] = mock.send("GET", "/__admin/requests").json["requests"]
    return found


def choose(mock: Mock, mode: Any) -> Answer:
    """Choose the mode of the mock's namespace."""
    return mock.send("PUT", "/__admin/strict", JSON, json.dumps({"mode": mode}).encode())


def of_vendor(answer: Answer) -> tuple[int, Any, dict[str, str]]:
    """Return what a vendor's answer is made of, without what the mock says of it."""
    own = ("x-mock-", "date", "request-id")
    headers = {name.lower(): value for name, value in answer.headers.items()}
    return answer.status, answer.body, {name: value for name, value in headers.items() if not name.startswith(own)}


def refused(answer: Answer) -> list[tuple[str, str | None]]:
    """Return what a refusal names: places, and what was probably meant."""
    assert (answer.status, answer.media_type) == (400, "application/problem+json"), answer
    value = answer.json
    assert (value["type"], value["status"]) == ("urn:couponmock:strict", 400)
    assert {*value} == {"type", "status", "detail", "unknown"}
    found = [(unknown["place"], unknown["didYouMean"]) for unknown in value["unknown"]]
    assert all(place in value["detail"] for place, _ in found)
    return found


# What is unknown


@pytest.mark.parametrize(
    ("method", "target", "headers", "body", "unknown"),
    [
        ("GET", f"{LIST}?api_key=QWERTY&id_typ=email", {}, None, [("query:id_typ", "id_type")]),
        ("GET", f"{LIST}?api_key=QWERTY&ID_TYPE=email", {}, None, [("query:ID_TYPE", "id_type")]),
        ("GET", f"{LIST}?api_key=QWERTY&idType=id&idType=id", {}, None, [("query:idType", "id_type")]),
        ("GET", f"{LIST}?apikey=QWERTY", {}, None, [("query:apikey", "api_key")]),
        ("GET", f"{LIST}?api_key=QWERTY&colour", {}, None, [("query:colour", None)]),
        ("GET", f"{LIST}?api_key=QWERTY&__codes=404", {}, None, [("query:__codes", None)]),
        ("GET", f"{LIST}?api_key=QWERTY&na%C3%AFve=%ff", {}, None, [("query:naïve", None)]),
        ("GET", f"{LIST}?api_key=QWERTY&%ff=1", {}, None, [("query:?", None)]),
        ("GET", f"{LIST}?api_key=QWERTY", {}, b"{}", [("body:", None)]),
        ("POST", UNUSE, {}, {"coupon_valu": 1}, [("body:/coupon_valu", "coupon_value")]),
        (
            "POST",
            UNUSE,
            {},
            {"coupon_value": USED, "Coupon_Value": 1, "x/y\r\nX-Evil: 1": [{"deeper": 1}]},
            [("body:/Coupon_Value", "coupon_value"), ("body:/x~1y\r\nX-Evil: 1", None)],
        ),
        ("POST", RECEIVE, CREDENTIALS["shoplazza"], {"customerId": "1"}, [("body:/customerId", "customer_id")]),
        ("POST", RECEIVE, {"Acess-Token": "sunny-token"}, {}, [("header:acess-token", "access-token")]),
        (
            "GET",
            f"{LIST}?colour=red",
            {"X-CT-Authorisation": "CTApiKey SUNSHINE-HEADER-KEY"},
            None,
            [("query:colour", None), ("header:x-ct-authorisation", "X-CT-Authorization")],
        ),
        ("GET", COUPON, {"Authorisation": "Basic eDp5"}, None, [("header:authorisation", "Authorization")]),
    ],
)
def test_what_no_page_documents_is_refused_by_the_mock_itself(
    mock: Mock,
    method: str,
    target: str,
    headers: dict[str, str],
    body: Any,
    unknown: list[tuple[str, str | None]],
) -> None:
    """Every unknown thing is named with what was probably meant; the journal and the headers name it as well."""
    sent = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    answer = mock.send(method, target, {**JSON, **headers, **REFUSE}, sent)

    assert refused(answer) == unknown
    assert (answer.example, answer.headers["X-Mock-Basis"], answer.headers.get("X-Evil")) == (None, None, None)
    told = answer.headers["X-Mock-Unknown"]
    assert told.isascii()
    for place, near in unknown:
        assert json.dumps(place)[1:-1] + (f" (did you mean {near}?)" if near else "") in told
    (entry,) = journal(mock)
    assert (entry["operation"], entry["status"]) == (answer.headers["X-Mock-Operation"], 400)
    assert [(each["place"], each["didYouMean"]) for each in entry["unknown"]] == unknown


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        (f"{LIST}?api_key=QWERTY", {"X-CT-Authorisation": "x", "Access-Tokens": "x", "X-Colour": "red"}),
        (f"{LIST}?api_key=QWERTY&__code=404", {}),
        (COUPON, {**CREDENTIALS["chargeover"], "Authorisation": "x"}),
        (COUPON, {"Authorization": "Basic %%%"}),
        (COUPON, {"Proxy-Authorization": "Basic eDp5", "X-Auth": "1", "Accept": "*/*", "Accept-Language": "en"}),
        (f"{LIST}?api_key=", {}),
        ("/api/v3/nowhere?colour=red", {}),
    ],
)
def test_nothing_else_is_judged(mock: Mock, target: str, headers: dict[str, str]) -> None:
    """Other headers, credentials that are there but wrong, paths that are no operation: they are the vendor's."""
    answer = mock.send("GET", target, {**headers, **REFUSE})
    assert (answer.media_type, answer.headers["X-Mock-Unknown"]) == ("application/json", None)


@pytest.mark.parametrize(
    "body", [b"{", b'{"a": 1, "a": 2}', b"\xff", b"[]", b'"x"', b"null", b"[" * 5000, b"x" * 1_048_577]
)
def test_a_body_that_cannot_be_read_is_the_vendors_to_refuse(mock: Mock, body: bytes) -> None:
    """Exactly as without strict mode."""
    strictly = mock.send("POST", UNUSE, {**JSON, **REFUSE}, body)
    assert strictly.headers["X-Mock-Unknown"] is None
    assert of_vendor(strictly) == of_vendor(mock.send("POST", UNUSE, JSON, body))
    assert strictly.status in {400, 413}


SAMPLES = [
    (name, sample)
    for name, (vendor, *_) in TARGETS.items()
    for sample in document(vendor).operations[name].body_samples.values() or [None]
]


@pytest.mark.parametrize(("name", "body"), SAMPLES)
def test_the_samples_of_the_documents_hold_nothing_unknown(mock: Mock, name: str, body: Any) -> None:
    """Of all four operations."""
    vendor, method, target = TARGETS[name]
    sent = None if body is None else json.dumps(body).encode()
    answer = mock.send(method, target, {**CREDENTIALS[vendor], **JSON, **REFUSE}, sent)
    assert (answer.headers["X-Mock-Operation"], answer.headers["X-Mock-Unknown"]) == (name, None)
    assert answer.media_type == "application/json"


@pytest.mark.parametrize("pack", ["demo", "documented"])
def test_the_requests_of_the_packs_hold_nothing_unknown(mock: Mock, pack: str) -> None:
    """Whoever learns from `couponmock fixtures` learns nothing wrong."""
    world = mock.new_world(pack)
    assert choose(world, "refuse").status == 200
    for vendor in vendors():
        bindings = world.bindings(vendor)
        for reach in load_pack(document(vendor), pack).reach:
            operation = {**document(vendor).operations, "general": document(vendor).general}[reach.operation]
            request = build(document(vendor), operation, reach.request, bindings)
            answer = world.send(request.method, request.target, request.headers, request.body)
            assert answer.headers["X-Mock-Unknown"] is None, reach


def test_a_body_is_judged_at_every_depth() -> None:
    """Through references, choices, lists and schemas that contain themselves; where any may be, none is unknown."""
    item = {"properties": {"name": {}, "children": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}}}}
    choice = [{"properties": {"plain": {}}}, {"properties": {"open": {"additionalProperties": True, "properties": {}}}}]
    made_up = replace(
        document("crowdtwist").operations["unuseCoupon"],
        body={"allOf": [{"properties": {"tree": {"$ref": "#/components/schemas/Item"}}}, {"oneOf": choice}]},
        components={"schemas": {"Item": item}},
    )
    body = {
        "tree": {"namee": 1, "children": [{"name": 1}, 2, {"child": [], "children": [{"NAME": 3}]}]},
        "plain": {"anything": 1},
        "open": {"anything": 1},
        "trees": {"namee": 1},
    }
    request = Request("POST", "/", "", {}, lambda _: json.dumps(body).encode(), "id")
    assert [(each.place, each.did_you_mean) for each in Known(made_up).unknown(request, Query(""))] == [
        ("body:/trees", "tree"),
        ("body:/tree/namee", "name"),
        ("body:/tree/children/2/child", "children"),
        ("body:/tree/children/2/children/0/NAME", "name"),
    ]


def test_a_hundred_unknown_things_are_told_and_no_more(mock: Mock) -> None:
    """Long names are cut, the header names the first few: no request makes an answer of any size."""
    body = {"coupon_value": USED, **{f"{'x' * 300}{number}": 1 for number in range(2000)}}
    answer = mock.post(UNUSE, body, REFUSE)
    found = refused(answer)
    assert (len(found), found[0]) == (100, (f"body:/{'x' * 194}...", None))
    assert answer.headers["X-Mock-Unknown"].endswith(", and 95 more")
    assert len(answer.headers["X-Mock-Unknown"]) < 2000


def test_a_credential_under_a_misspelt_name_is_not_journalled(mock: Mock) -> None:
    """What it was meant to be decides."""
    for mode in (WARN, REFUSE):
        mock.send("GET", f"{LIST}?apikey=QWERTY&colour=red", mode)
    assert [entry["query"] for entry in journal(mock)] == [{"apikey": "***", "colour": "red"}] * 2


# What becomes of it


def test_a_warning_leaves_the_answer_as_it_is(mock: Mock, other_mock: Mock) -> None:
    """The header, the journal and the log tell; the vendor's answer is the same, also where it is a refusal."""
    for target, body in ((f"{UNUSE}&colour=red", {"coupon_value": USED, "x": 1}), (f"{UNUSE}&colour=red", {})):
        warned, plain = mock.post(target, body, WARN), other_mock.post(target, body)
        assert of_vendor(warned) == of_vendor(plain)
        assert warned.headers["X-Mock-Unknown"] == "query:colour" + (", body:/x" if body else "")
        assert plain.headers["X-Mock-Unknown"] is None
        (line,) = log_lines(mock, warned.headers["X-Mock-Request-Id"])
        assert json.loads(line)["unknown"] == warned.headers["X-Mock-Unknown"]
        (line,) = log_lines(mock, plain.headers["X-Mock-Request-Id"])
        assert "unknown" not in json.loads(line)
    assert [entry.get("unknown") for entry in journal(mock)] == [
        [{"place": "query:colour", "didYouMean": None}, {"place": "body:/x", "didYouMean": None}],
        [{"place": "query:colour", "didYouMean": None}],
    ]
    assert [entry.get("unknown") for entry in journal(other_mock)] == [None, None]


def test_a_refusal_changes_nothing(mock: Mock) -> None:
    """The coupon is still used, no answer was seen, and neither credential nor preference is looked at."""
    assert refused(mock.post(UNUSE, {"coupon_value": USED, "x": 1}, REFUSE))
    assert refused(mock.post("/v2/coupon/unuse", {"coupon_value": USED, "x": 1}, REFUSE))
    assert refused(mock.post(UNUSE, {"x": 1}, {**REFUSE, "Prefer": "example=unused"}))
    assert mock.send("GET", "/__admin/coverage").json["total"]["seen"] == 0
    assert mock.post(UNUSE, {"coupon_value": USED}, REFUSE).example == "unused"


# Who chooses


def test_a_request_chooses_before_its_namespace_and_that_before_the_server(tmp_path: Path) -> None:
    """Each answers for itself; null gives the choice back, and a reset keeps it."""

    def treatment(mock: Mock, headers: dict[str, str] | None = None) -> str:
        answer = mock.post(UNUSE, {"x": 1}, headers)
        return "refuse" if answer.example is None else "warn" if answer.headers["X-Mock-Unknown"] else "off"

    with serving(tmp_path, "--strict", "refuse", "--workers", "2") as server:
        one, other = server.new_world(), server.new_world()
        shown = {"namespace": one.namespace, "mode": "refuse", "chosen": None, "server": "refuse"}
        assert one.send("GET", "/__admin/strict").json == shown
        assert [treatment(one), treatment(one, WARN), treatment(one, {"X-Mock-Strict": "off"})] == [
            "refuse",
            "warn",
            "off",
        ]
        assert choose(one, "off").json == {**shown, "mode": "off", "chosen": "off"}
        one.send("POST", "/__admin/reset")
        assert [treatment(one) for _ in range(8)] == ["off"] * 8
        assert [treatment(one, WARN), treatment(one, REFUSE), treatment(other)] == ["warn", "refuse", "refuse"]
        assert server.admin("GET", f"/namespaces/{one.namespace}").json["strict"] == "off"
        assert choose(one, None).json == shown
        assert "strict" not in server.admin("GET", f"/namespaces/{one.namespace}").json
        assert treatment(one) == "refuse"


def test_strict_alone_warns(tmp_path: Path) -> None:
    """`couponmock serve --strict`."""
    with serving(tmp_path, "--strict", "--log-format", "text") as server:
        answer = server.post(UNUSE, {"coupon_value": USED, "x\ny": 1})
        assert (answer.status, answer.headers["X-Mock-Unknown"]) == (200, "body:/x\\ny")
        assert log_lines(server, r"example=unused unknown=body:/x\\ny$")


def test_a_namespace_can_be_made_strict(mock: Mock) -> None:
    """In the request that makes it; a mode that there is not makes none."""
    name = f"{mock.namespace}-strict"
    refusal = mock.admin("POST", "/namespaces", {"name": name, "strict": "much"})
    assert_problem(refusal, 400, "request")
    made = mock.admin("POST", "/namespaces", {"name": name, "strict": "refuse"})
    assert (made.status, made.json["strict"]) == (201, "refuse")
    assert refused(mock.within(name).post(UNUSE, {"x": 1})) == [("body:/x", None)]
    assert mock.admin("POST", "/namespaces", {"name": f"{name}-not", "strict": None}).status == 201


@pytest.mark.parametrize("raw", [{}, {"mode": "much"}, {"mode": True}, {"mode": []}, {"mood": "warn"}, "warn"])
def test_a_wrong_mode_says_what_is_allowed(mock: Mock, raw: Any) -> None:
    """And the mode stays as it was."""
    choose(mock, "warn")
    refusal = mock.send("PUT", "/__admin/strict", JSON, json.dumps(raw).encode())
    assert_problem(refusal, 400, "request")
    assert mock.send("GET", "/__admin/strict").json["mode"] == "warn"


def test_a_wrong_mode_of_a_request_is_told_so(mock: Mock) -> None:
    """By the mock, and nothing is done."""
    assert_problem(mock.post(UNUSE, {"coupon_value": USED}, {"X-Mock-Strict": "much"}), 400, "strict-mode")
    assert mock.post(UNUSE, {"coupon_value": USED}, {"X-Mock-Strict": " off "}).example == "unused"


def test_a_wrong_mode_on_the_command_line_is_exit_code_2(tmp_path: Path) -> None:
    """Before anything is served."""
    done = couponmock(tmp_path, "serve", "--port", "0", "--strict", "much")
    assert (done.returncode, done.stdout) == (2, "")
    assert "'off', 'warn', 'refuse'" in done.stderr
