"""Worlds written as files and taken in again, over HTTP."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from couponspec import build, load_pack, vendors
from crowdtwist_calls import redeem
from running_mock import Answer, Mock, couponmock, serving
from vendor_answers import CREDENTIALS, document, operation

JSON, YAML = "application/json", "application/yaml"
CODE = "JDSI2JE"
NOW = 1_893_456_000
"""2030-01-01T00:00:00Z."""


def export(mock: Mock, form: str = "json") -> Answer:
    """Export the mock's namespace."""
    answer = mock.send("GET", f"/__admin/export?format={form}")
    assert answer.status == 200, answer.body
    return answer


def take(mock: Mock, world: Any, media_type: str = JSON) -> Answer:
    """Import a world, written already or not."""
    body = world if isinstance(world, bytes) else json.dumps(world).encode()
    return mock.send("POST", "/__admin/import", {"Content-Type": media_type}, body)


def clock(mock: Mock, method: str, path: str, value: Any) -> None:
    """Set or move the clock."""
    body = json.dumps(value).encode()
    assert mock.send(method, f"/__admin/clock{path}", {"Content-Type": JSON}, body).status == 200


def unuse(mock: Mock, code: str = CODE) -> str | None:
    """Unuse a coupon and return the name of the answer."""
    return mock.post("/v2/coupon/unuse?api_key=QWERTY", {"coupon_value": code}).example


def receive(mock: Mock, customer: str, coupon: str) -> Answer:
    """Receive a coupon."""
    body = {"customer_id": customer, "coupon_ids": [coupon]}
    return mock.post("/openapi/2022-01/coupons/receive", body, CREDENTIALS["shoplazza"])


def change(mock: Mock) -> None:
    """Change the world by its own operations and from outside: unused, received, deleted, made, seeded to fail."""
    assert unuse(mock) == "unused"
    assert receive(mock, "5001", "202314454241654711").example == "received"
    assert receive(mock, "5002", "202314454241654714").example == "received"
    assert mock.send("DELETE", "/__admin/state/chargeover/coupon/unicode").status == 204
    for path, value in {
        "chargeover/coupon/trial": {"members": {"answers": {"getCoupon": "internal_error"}, "descrip": "\u2028 é\x7f"}},
        "shoplazza/customer/on": {"members": {"shop": "sunny", "customer_id": "5777"}},
        "crowdtwist/coupon/forever": {"state": "used"},
    }.items():
        body = json.dumps(value).encode()
        assert mock.send("PUT", f"/__admin/state/{path}", {"Content-Type": JSON}, body).status in {200, 201}


def answers(mock: Mock, bound: Mock) -> list[tuple[int, str | None, bytes]]:
    """Send every request that the demo pack lists, one after the other, and return what comes back.

    The requests are made of the values that another namespace was seeded with.
    """
    found = []
    for vendor in vendors():
        bindings = bound.bindings(vendor)
        for line in load_pack(document(vendor), "demo").reach:
            request = build(document(vendor), operation(vendor, line.operation), line.request, bindings)
            answer = mock.send(request.method, request.target, request.headers, request.body)
            request_id = answer.headers["X-Mock-Request-Id"].encode()
            found.append((answer.status, answer.example, answer.body.replace(request_id, b"ID")))
    return found


@pytest.mark.parametrize("changed", [False, True], ids=["untouched", "changed"])
@pytest.mark.parametrize("form", ["json", "yaml"])
def test_an_exported_world_is_a_pack_whose_server_answers_as_the_namespace_does(
    mock: Mock, tmp_path: Path, form: str, *, changed: bool
) -> None:
    """Request by request, byte by byte; the command `validate` finds it valid, and `fixtures` can tell about it."""
    clock(mock, "PUT", "", {"now": NOW, "frozen": True})
    if changed:
        change(mock)
    file = tmp_path / f"world.{form}"
    file.write_bytes(export(mock, form).body)
    checked = couponmock(tmp_path, "validate", "--pack", str(file))
    assert (checked.returncode, checked.stderr) == (0, "")
    assert str(file) in checked.stdout
    told = couponmock(tmp_path, "fixtures", "--pack", str(file))
    assert told.returncode == 0
    assert "unuseCoupon -> 200 unused" in told.stdout
    with serving(tmp_path, "--pack", str(file)) as server:
        assert server.admin("GET", "/version").json["pack"] == mock.namespace
        assert answers(server, mock) == answers(mock, mock)


def test_a_running_world_is_exported_by_offsets_from_its_present(mock: Mock, other_mock: Mock) -> None:
    """Wherever it is taken in, a coupon has as long to live as it had."""
    clock(mock, "POST", "/advance", {"by": "3d"})
    world = export(mock).json
    assert (world["clock"], world["format"]) == ("now", 1)
    written = world["vendors"]["crowdtwist"]["entities"]["coupon"]["five"]["date_to_expire"]
    assert 2 * 86_400 - 600 <= int(written.removeprefix("+").removesuffix("s")) <= 2 * 86_400

    assert take(other_mock, world).status == 200
    shown = other_mock.send("GET", "/__admin/state/crowdtwist/coupon/five").json["members"]["date_to_expire"]
    now = other_mock.send("GET", "/__admin/clock").json
    assert now["frozen"] is False
    assert 2 * 86_400 - 600 <= shown - now["now"] <= 2 * 86_400
    assert other_mock.send("GET", "/__admin/state/crowdtwist/coupon/soon").json["state"] == "expired"


def test_a_frozen_world_is_exported_with_times_that_people_read(documented: Mock) -> None:
    """And as both formats say the same."""
    world = export(documented).json
    assert world["clock"] == "2016-11-12T00:00:00Z"
    coupon = world["vendors"]["crowdtwist"]["entities"]["coupon"]["twenty"]
    assert coupon["date_to_expire"] == "2016-11-18T06:30:27Z"
    assert "owner" in world["vendors"]["crowdtwist"]["entities"]["coupon"]["used"]["inferred"]
    answer = export(documented, "yaml")
    assert answer.media_type == YAML
    assert yaml.safe_load(answer.body).keys() == world.keys()
    assert take(documented, answer.body, YAML).status == 200
    assert export(documented).json == world


@pytest.mark.parametrize("frozen", [True, False], ids=["frozen", "running"])
@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (2e11, "8307-10-01T19:33:20Z"),
        (-62_135_596_800, "0001-01-01T00:00:00Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
    ],
)
def test_every_time_that_can_be_put_is_exported_and_taken_in(
    mock: Mock, other_mock: Mock, seconds: float, written: str, *, frozen: bool
) -> None:
    """Also the first and the last, and one that JSON writes with a fraction."""
    clock(mock, "PUT", "", {"now": NOW, "frozen": frozen})
    path = "/__admin/state/crowdtwist/coupon/forever"
    body = json.dumps({"members": {"date_to_expire": seconds}}).encode()
    assert mock.send("PUT", path, {"Content-Type": JSON}, body).json["members"]["date_to_expire"] == int(seconds)
    world = export(mock).json
    if frozen:
        assert world["vendors"]["crowdtwist"]["entities"]["coupon"]["forever"]["date_to_expire"] == written
        assert take(other_mock, world).status == 200
        assert other_mock.send("GET", path).json["members"]["date_to_expire"] == int(seconds)
    else:
        assert take(other_mock, world).status == 200


def test_a_time_after_the_year_9999_is_exported_as_an_offset(mock: Mock, other_mock: Mock) -> None:
    """A clock near the end of time makes such: of coupons that are given out then."""
    clock(mock, "PUT", "", {"now": 253_402_300_000, "frozen": True})
    made = export(mock).json
    made["vendors"]["crowdtwist"]["entities"]["coupon"]["forever"]["date_to_expire"] = "+90d"
    assert take(mock, made).status == 200
    world = export(mock).json
    assert world["vendors"]["crowdtwist"]["entities"]["coupon"]["forever"]["date_to_expire"] == f"+{90 * 86_400}s"
    assert take(other_mock, world).status == 200


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_taking_in_what_was_exported_changes_nothing(mock: Mock, other_mock: Mock, form: str) -> None:
    """Here and in another namespace, byte by byte but for the name; it is in an order of its own, one entity a line."""
    clock(mock, "PUT", "", {"now": NOW, "frozen": True})
    change(mock)
    first = export(mock, form).body
    for target in (mock, other_mock):
        assert take(target, first, f"application/{form}; charset=utf-8").status == 200
        again = export(target, form).body
        assert again.replace(str(target.namespace).encode(), str(mock.namespace).encode()) == first
    assert sum(b'"code": "JDSI2JE"' in line for line in first.splitlines()) == 1


def test_taking_a_world_in_is_in_place_of_everything_that_was(mock: Mock) -> None:
    """What happened before is gone, what was deleted is back, the clock is the file's."""
    world = export(mock).json
    change(mock)
    clock(mock, "PUT", "", {"now": NOW, "frozen": True})
    taken = take(mock, world)
    assert (taken.status, taken.json["name"], taken.json["frozen"]) == (200, mock.namespace, False)
    assert unuse(mock) == "unused"
    assert receive(mock, "5002", "202314454241654714").example == "received"
    assert mock.send("GET", "/api/v3/coupon/5", CREDENTIALS["chargeover"]).status == 200
    assert mock.send("GET", "/__admin/state/shoplazza/customer/on").status == 404


def test_an_entity_that_the_file_leaves_out_is_gone_and_a_vendor_is_as_seeded(mock: Mock) -> None:
    """The file says all of a vendor, or nothing."""
    change(mock)
    world = export(mock).json
    del world["vendors"]["chargeover"]
    del world["vendors"]["crowdtwist"]["entities"]["coupon"]["used_too"]
    assert take(mock, world).status == 200
    assert unuse(mock, "JDSI2JF") == "no_data"
    assert unuse(mock) == "not_used"
    assert mock.send("GET", "/api/v3/coupon/5", CREDENTIALS["chargeover"]).status == 200


def test_a_vendors_pack_can_be_taken_in(mock: Mock) -> None:
    """The format of the vendors' own packs is as good."""
    text = b"""
vendor: chargeover
pack: mine
clock: 2020-01-01T00:00:00Z
entities:
  account: {acme: {}}
  credential: {main: {scheme: basic, secret: "a:b", principal: acme}}
"""
    assert take(mock, text, YAML).json["now"] == 1_577_836_800
    assert mock.send("GET", "/api/v3/coupon/1", {"Authorization": "Basic YTpi"}).example == "not_found"


def test_a_reset_brings_the_pack_back_and_a_snapshot_the_world_that_was_taken_in(mock: Mock) -> None:
    """A namespace stays one of its pack."""
    clock(mock, "PUT", "", {"now": NOW, "frozen": True})
    change(mock)
    world = export(mock)
    mock.admin("POST", "/reset", {"namespace": mock.namespace})
    assert take(mock, world.body).status == 200
    mock.send("PUT", "/__admin/snapshots/taken")
    mock.admin("POST", "/reset", {"namespace": mock.namespace})
    assert unuse(mock) == "unused"
    mock.send("POST", "/__admin/snapshots/taken/restore")
    assert export(mock).body == world.body


def test_another_namespace_is_not_touched(mock: Mock, other_mock: Mock) -> None:
    """By what is taken in next to it."""
    change(mock)
    take(mock, export(mock).body)
    assert unuse(other_mock) == "unused"


def test_what_is_added_gets_a_name_that_is_free(mock: Mock) -> None:
    """A world may hold a receipt by the name that the mock would give, for somebody else."""
    receipt = {"customer": "ben", "coupon": "once", "received_count": 1}
    body = json.dumps({"members": receipt}).encode()
    mock.send("PUT", "/__admin/state/shoplazza/receipt/ann.welcome", {"Content-Type": JSON}, body)
    assert receive(mock, "5001", "202314454241654711").example == "received"
    receipts = export(mock).json["vendors"]["shoplazza"]["entities"]["receipt"]
    assert receipts["ann.welcome"] == receipt
    assert receipts["ann.welcome-2"] == {"customer": "ann", "coupon": "welcome", "received_count": 1}
    assert receive(mock, "5001", "202314454241654711").json["items"][0]["received_count"] == 2


def ordered(mock: Mock) -> tuple[int, int]:
    """Redeem a reward for Carol; return the ids of the order and of its coupon."""
    assert redeem(mock, "1003", "127817").example == "redeemed"
    coupons = state(mock, "crowdtwist", "coupon")
    new = [coupon for coupon in coupons if coupon["code"].startswith("FIVE-000") and "redeem_order_id" in coupon]
    newest = max(new, key=lambda coupon: coupon["redeem_order_coupon_id"])
    return newest["redeem_order_id"], newest["redeem_order_coupon_id"]


def state(mock: Mock, vendor: str, kind: str) -> list[dict[str, Any]]:
    """Return the members of all entities of a kind."""
    entities = mock.send("GET", f"/__admin/state/{vendor}/{kind}").json["entities"]
    return [entity["members"] for entity in entities]


@pytest.mark.parametrize("form", ["json", "yaml"])
def test_numbers_go_on_where_the_exported_world_had_come_to(
    mock: Mock, other_mock: Mock, tmp_path: Path, form: str
) -> None:
    """Taken in as well as served, so that no order has the id of another; a reset brings back the pack's."""
    untouched = export(mock).body
    first = ordered(mock)
    world = export(mock, form)
    second = ordered(mock)
    assert second == (first[0] + 1, first[1] + 1)

    assert take(other_mock, world.body, f"application/{form}").status == 200
    assert ordered(other_mock) == second
    other_mock.admin("POST", "/reset", {"namespace": other_mock.namespace})
    assert ordered(other_mock) == first

    file = tmp_path / f"world.{form}"
    file.write_bytes(world.body)
    with serving(tmp_path, "--pack", str(file)) as server:
        assert ordered(server) == second
        server.admin("POST", "/reset", {"namespace": "default"})
        assert ordered(server) == second
        # A world without counters is one in which nothing has been counted, whatever the pack below has.
        assert take(server, untouched).status == 200
        assert ordered(server) == first


def test_only_counters_that_have_moved_are_written(mock: Mock) -> None:
    """Each of its vendor."""
    assert not any("counters" in item for item in export(mock).json["vendors"].values())
    ordered(mock)
    counters = {vendor: item.get("counters") for vendor, item in export(mock).json["vendors"].items()}
    assert counters == {
        "chargeover": None,
        "crowdtwist": {"redeem_order": 1, "redeem_order_coupon": 1},
        "shoplazza": None,
    }


@pytest.mark.parametrize("counters", [{"redeem_order": 5.0}, {"redeem_order": 9_007_199_254_740_991}])
def test_a_counter_is_any_whole_number_that_json_has(mock: Mock, counters: dict[str, Any]) -> None:
    """However it is written."""
    world = export(mock).json
    world["vendors"]["crowdtwist"]["counters"] = counters
    assert take(mock, world).status == 200
    assert export(mock).json["vendors"]["crowdtwist"]["counters"] == counters


MISTAKES: dict[str, tuple[Any, str]] = {
    "another format": ({"format": 2}, "/format"),
    "no clock": ({"clock": None}, "/clock"),
    "no vendors": ({"vendors": []}, "/vendors"),
    "an unknown vendor": ({"vendors": {"nobody": {"entities": {}}}}, "/vendors/nobody"),
    "a vendor without credential": ({"vendors": {"chargeover": {"entities": {}}}}, "/vendors/chargeover/entities"),
    "no vendor at all": ({"vendors": {}}, "/vendors"),
    "a clock before 1970": ({"clock": "1960-01-01T00:00:00Z"}, "/clock"),
    "a clock before the year 1": ({"clock": "0001-01-01T00:00:00+14:00"}, "/clock"),
    "a clock after the year 9999": ({"clock": "9999-12-31T23:59:59-14:00"}, "/clock"),
    "a counter that is none": (
        {"vendors": {"crowdtwist": {"entities": {"credential": {}}, "counters": {"redeem_order": "5"}}}},
        "/vendors/crowdtwist/counters/redeem_order",
    ),
    "a counter too large": (
        {"vendors": {"crowdtwist": {"entities": {"credential": {}}, "counters": {"redeem_order": 2**63}}}},
        "/vendors/crowdtwist/counters/redeem_order",
    ),
    "a deletion": (
        {"vendors": {"chargeover": {"entities": {"coupon": {"printed": None}}}}},
        "/vendors/chargeover/entities/coupon/printed",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=[name.replace(" ", "-") for name in MISTAKES])
def test_a_world_with_a_mistake_is_refused_whole(mock: Mock, mistake: tuple[Any, str]) -> None:
    """The answer names its place, and nothing has changed."""
    clock(mock, "PUT", "", {"now": NOW, "frozen": True})
    change(mock)
    before = export(mock)
    members, pointer = mistake
    refused = take(mock, {**before.json, **members})
    assert (refused.status, refused.media_type) == (422, "application/problem+json")
    assert pointer in [fault["pointer"] for fault in refused.json["faults"]]
    assert all(fault["reason"] and fault["fix"] for fault in refused.json["faults"])
    assert refused.json["detail"].startswith("The world is not valid, and nothing has changed: ")
    assert export(mock).body == before.body


def test_every_mistake_is_listed_and_in_yaml_with_its_line(mock: Mock) -> None:
    """Across vendors."""
    text = export(mock, "yaml").body.decode()
    wrong = text.replace('"principal": "acme"', '"principal": "emca"').replace('"owner": "carol"', '"owner": "x"')
    wrong = wrong.replace('"stock": 20', '"stock": "many"', 1)
    refused = take(mock, wrong.encode(), YAML)
    found = {fault["pointer"]: fault["line"] for fault in refused.json["faults"]}
    lines = wrong.splitlines()
    assert {pointer.split("/")[2] for pointer in found} == {"chargeover", "shoplazza"}
    assert all("emca" in lines[line - 1] or "many" in lines[line - 1] for line in found.values())


@pytest.mark.parametrize(
    ("body", "media_type", "words"),
    [
        (b"", JSON, "it is not JSON"),
        (b"{", JSON, "it is not JSON"),
        (b'{"a": 1, "a": 1}', JSON, "the key is given twice"),
        (b"\xff", JSON, "UTF-8"),
        (b"a: [", YAML, "it is not YAML"),
        (b"format: 1", JSON, "it is not JSON"),
    ],
)
def test_a_body_that_cannot_be_read_is_a_400(mock: Mock, body: bytes, media_type: str, words: str) -> None:
    """With a sentence that says why."""
    refused = take(mock, body, media_type)
    assert (refused.status, refused.media_type) == (400, "application/problem+json")
    assert words in refused.json["detail"]


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("format=xml", "Give format as one of json, yaml."),
        ("format=", "Give format as one of json, yaml."),
        ("form=json", "Unknown parameter 'form'; known are format."),
        ("format=json&format=yaml", "Give format once."),
    ],
)
def test_a_format_that_is_none_is_refused(mock: Mock, query: str, detail: str) -> None:
    """It says which there are."""
    refused = mock.send("GET", f"/__admin/export?{query}")
    assert (refused.status, refused.json["detail"]) == (400, detail)


def test_a_namespace_of_a_pack_that_this_server_has_not_cannot_take_a_world_in(tmp_path: Path) -> None:
    """But it can be exported; nothing of it is lost."""
    store = f"sqlite:///{tmp_path / 'state.db'}"
    with serving(tmp_path, "--state", store) as whole:
        kept = whole.new_world()
        assert unuse(kept) == "unused"
        whole.stop()
    with serving(tmp_path, "--state", store, "--vendor", "crowdtwist") as part:
        again = part.within(kept.namespace or "")
        unknown = part.admin("GET", f"/namespaces/{kept.namespace}/bindings")
        world = export(again)
        assert [*world.json["vendors"]] == ["crowdtwist"]
        refused = take(again, world.body)
        assert (refused.status, refused.json["type"]) == (409, "urn:couponmock:pack")
        assert (unknown.status, unknown.json) == (409, refused.json)
        assert take(part.new_world(), world.body).status == 200
        others = {**world.json, "vendors": {"shoplazza": {"entities": {"credential": {}}}}}
        refused = take(part.new_world(), others)
        assert refused.status == 422
        assert refused.json["faults"] == [
            {
                "pointer": "/vendors",
                "reason": "no vendor is there that this server acts out",
                "fix": "give the world of at least one of crowdtwist",
            }
        ]
