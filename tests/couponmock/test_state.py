"""Entities put into a state from outside, over HTTP: the vendors' own answers reflect it at once."""

import json
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from running_mock import Answer, Mock
from vendor_answers import CREDENTIALS

DAY = 86_400
CODE = "JDSI2JE"
WELCOME = "202314454241654711"
ORDER = {
    "owner": "carol",
    "reward_id": 1,
    "reward_title": "A treat",
    "redeem_order_id": 2,
    "redeem_order_coupon_id": 3,
    "total_points_redeemed": 4,
    "ending_balance": 5,
    "quantity": 1,
    "coupon_category_id": 6,
    "coupon_category_name": "Treats",
    "coupon_category_expiration_days": None,
    "date_to_expire": "+1d",
    "order_date_created": "-1h",
}


def state(mock: Mock, method: str, path: str, value: Any = None) -> Answer:
    """Ask about the state of the mock's namespace, which the header names."""
    body = None if value is None else json.dumps(value).encode()
    return mock.send(method, f"/__admin/state{path}", {"Content-Type": "application/json"}, body)


def put(mock: Mock, path: str, name: str | None = None, **members: Any) -> Answer:
    """Put an entity into a state, give it members, or both."""
    return state(mock, "PUT", path, {"state": name, "members": members} if name else {"members": members})


def unuse(mock: Mock, code: str = CODE) -> str | None:
    """Unuse a coupon and return the name of the answer."""
    return mock.post("/v2/coupon/unuse?api_key=QWERTY", {"coupon_value": code}).example


def usable(mock: Mock, member: int = 1001) -> set[str]:
    """Return the codes that a member can use."""
    answer = mock.send("GET", f"/v2/users/{member}/usable_coupons?api_key=QWERTY")
    return {coupon["code"] for coupon in answer.json} if answer.status == 200 else set()


def receive(mock: Mock, coupon: str = WELCOME) -> str | None:
    """Receive a coupon and return the name of the answer."""
    body = {"customer_id": "5001", "coupon_ids": [coupon]}
    return mock.post("/openapi/2022-01/coupons/receive", body, CREDENTIALS["shoplazza"]).example


def clock(mock: Mock, method: str, path: str, value: Any = None) -> int:
    """Move the clock and return its time."""
    body = None if value is None else json.dumps(value).encode()
    now: int = mock.send(method, f"/__admin/clock{path}", {"Content-Type": "application/json"}, body).json["now"]
    return now


# -- looking --------------------------------------------------------------------------------------------------------


def test_an_entity_is_shown_as_it_is_now(mock: Mock) -> None:
    """Members as a pack writes them, times as Unix seconds, and the state that they amount to."""
    answer = state(mock, "GET", "/shoplazza/coupon/upcoming")
    bound = mock.bindings("shoplazza")["coupon.upcoming"]
    assert (answer.status, answer.media_type) == (200, "application/json")
    assert answer.json == {
        "vendor": "shoplazza",
        "kind": "coupon",
        "name": "upcoming",
        "handle": "coupon.upcoming",
        "members": bound,
        "state": "not_started",
    }


def test_what_an_entity_is_seeded_to_answer_is_shown_among_its_members(mock: Mock) -> None:
    """It can be put in the same way."""
    shown = state(mock, "GET", "/chargeover/coupon/breaks").json["members"]
    assert shown["answers"] == {"getCoupon": "internal_error"}


def test_the_overview_names_kinds_their_states_and_how_many_there_are(mock: Mock) -> None:
    """Of all vendors; the numbers are those of this moment."""
    before = state(mock, "GET", "").json
    assert before["namespace"] == mock.namespace
    coupon = before["vendors"]["shoplazza"]["coupon"]
    assert coupon["states"] == ["not_started", "expired", "out_of_stock", "available"]
    assert coupon["description"] == "A coupon that customers can receive."
    listed = {
        vendor: {kind: state(mock, "GET", f"/{vendor}/{kind}").json["count"] for kind in kinds}
        for vendor, kinds in before["vendors"].items()
    }
    assert {
        vendor: {kind: item["count"] for kind, item in kinds.items()} for vendor, kinds in before["vendors"].items()
    } == listed

    receive(mock)
    receive(mock)
    state(mock, "DELETE", "/shoplazza/receipt/ann_limit")
    state(mock, "DELETE", "/shoplazza/coupon/unicode")
    put(mock, "/shoplazza/coupon/spring", stock=3)
    after = state(mock, "GET", "").json["vendors"]["shoplazza"]
    assert after["receipt"]["count"] == listed["shoplazza"]["receipt"]
    assert after["coupon"]["count"] == listed["shoplazza"]["coupon"] - 1


def test_entities_are_listed_by_the_members_that_the_query_names(mock: Mock) -> None:
    """Numbers and booleans as JSON writes them; all members have to match."""
    listed = state(mock, "GET", "/shoplazza/coupon?per_customer=2&is_first_order=false").json
    assert listed["count"] == 3
    assert [entity["name"] for entity in listed["entities"]] == ["handful", "limit", "twice"]
    assert state(mock, "GET", "/shoplazza/coupon?per_customer=3").json["entities"] == []


# -- putting --------------------------------------------------------------------------------------------------------


def test_a_coupon_that_is_put_used_can_be_unused(mock: Mock) -> None:
    """And one that is put unused is listed, and cannot be unused."""
    assert "ACC58111301" in usable(mock)
    answer = put(mock, "/crowdtwist/coupon/five", "used")
    assert (answer.status, answer.json["state"], answer.json["members"]["state"]) == (200, "used", "used")
    assert "ACC58111301" not in usable(mock)
    assert unuse(mock, "ACC58111301") == "unused"

    assert put(mock, "/crowdtwist/coupon/used", "unused").json["state"] == "issued"
    assert CODE in usable(mock)
    assert unuse(mock) == "not_used"


def test_a_coupon_that_is_put_expired_is_not_listed_until_it_is_put_issued(mock: Mock) -> None:
    """A coupon that has not expired keeps its date."""
    now = clock(mock, "POST", "/freeze")
    expired = put(mock, "/crowdtwist/coupon/five", "expired").json
    assert (expired["state"], expired["members"]["date_to_expire"]) == ("expired", now - 1)
    assert "ACC58111301" not in usable(mock)

    issued = put(mock, "/crowdtwist/coupon/five", "issued").json
    assert (issued["state"], issued["members"]["date_to_expire"]) == ("issued", now + 90 * DAY)
    assert "ACC58111301" in usable(mock)
    dated = state(mock, "GET", "/crowdtwist/coupon/twenty").json
    assert put(mock, "/crowdtwist/coupon/twenty", "issued").json == dated


def test_a_coupon_that_is_put_generated_belongs_to_nobody(mock: Mock) -> None:
    """It is not issued, whoever had it."""
    assert put(mock, "/crowdtwist/coupon/used_by_bob", "generated").json["members"]["owner"] is None
    assert unuse(mock, "BOB-USED-1") == "not_issued"


def test_the_state_shown_follows_the_clock(mock: Mock) -> None:
    """Nobody puts a coupon expired when its date passes."""
    clock(mock, "POST", "/freeze")
    assert state(mock, "GET", "/crowdtwist/coupon/soon").json["state"] == "issued"
    clock(mock, "POST", "/advance", {"by": "2d"})
    assert state(mock, "GET", "/crowdtwist/coupon/soon").json["state"] == "expired"
    assert state(mock, "GET", "/crowdtwist/coupon/used_too").json["state"] == "used"


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("out_of_stock", "out_of_stock"),
        ("expired", "expired"),
        ("not_started", "not_started"),
        ("available", "received"),
    ],
)
@pytest.mark.parametrize("coupon", ["welcome", "expired", "upcoming", "exhausted"])
def test_shoplazza_answers_as_the_state_of_the_coupon_is(mock: Mock, coupon: str, name: str, answer: str) -> None:
    """From whatever state it was in before."""
    shown = put(mock, f"/shoplazza/coupon/{coupon}", name).json
    assert shown["state"] == name
    assert receive(mock, shown["members"]["id"]) == answer


def test_a_coupon_that_is_put_disabled_is_shown_as_such(mock: Mock) -> None:
    """ChargeOver shows disabled coupons."""
    for name, enabled in (("disabled", False), ("enabled", True)):
        assert put(mock, "/chargeover/coupon/printed", name).json["state"] == name
        shown = mock.send("GET", "/api/v3/coupon/1", CREDENTIALS["chargeover"])
        assert (shown.status, shown.json["response"]["enabled"]) == (200, enabled)


def test_a_credential_that_is_put_refused_is_refused(mock: Mock) -> None:
    """Until it has its principal back."""
    put(mock, "/crowdtwist/credential?secret=QWERTY", "refused")
    assert mock.send("GET", "/v2/users/1001/usable_coupons?api_key=QWERTY").status == 401
    put(mock, "/crowdtwist/credential/main", principal="sunshine")
    assert mock.send("GET", "/v2/users/1001/usable_coupons?api_key=QWERTY").status == 200


def test_members_are_put_beside_a_state_and_count_their_offsets_from_the_present(mock: Mock) -> None:
    """Also where the clock has moved away from the moment at which the namespace was made."""
    clock(mock, "POST", "/freeze")
    now = clock(mock, "POST", "/advance", {"by": "100d"})
    shown = put(mock, "/crowdtwist/coupon/used", "issued", date_to_expire="+1h", quantity=7).json
    assert (shown["state"], shown["members"]["date_to_expire"]) == ("issued", now + 3600)
    [listed] = [
        coupon
        for coupon in mock.send("GET", "/v2/users/1001/usable_coupons?api_key=QWERTY").json
        if coupon["code"] == CODE
    ]
    assert (listed["date_to_expire"], listed["quantity"]) == (now + 3600, 7)
    assert put(mock, "/crowdtwist/coupon/used", date_to_expire="2010-01-01T00:00:00Z").json["state"] == "expired"


def test_an_entity_can_be_made_to_give_one_of_its_examples_and_stops_when_told(mock: Mock) -> None:
    """That is how any 5xx is brought about for one entity only; a change by the vendor keeps it."""
    put(mock, "/crowdtwist/coupon/twenty", answers={"unuseCoupon": "internal_error"})
    assert unuse(mock, "ACC58191285") == "internal_error"
    assert put(mock, "/crowdtwist/coupon/twenty", "used").json["members"]["answers"] == {
        "unuseCoupon": "internal_error"
    }
    assert "answers" not in put(mock, "/crowdtwist/coupon/twenty", answers={}).json["members"]
    assert unuse(mock, "ACC58191285") == "unused"


def test_an_entity_is_made_by_its_members(mock: Mock) -> None:
    """201, and the vendor knows it at once."""
    made = put(mock, "/shoplazza/customer/dora", shop="sunny", customer_id="5999")
    assert (made.status, made.json["handle"], made.json["state"]) == (201, "customer.dora", None)
    body = {"customer_id": "5999", "coupon_ids": [WELCOME]}
    assert mock.post("/openapi/2022-01/coupons/receive", body, CREDENTIALS["shoplazza"]).example == "received"
    assert put(mock, "/shoplazza/customer/dora", customer_id="5998").status == 200


def test_a_generated_coupon_is_issued_with_the_order_that_it_needs(mock: Mock) -> None:
    """What is missing is named; with it the coupon is listed."""
    refused = put(mock, "/crowdtwist/coupon/generated", "issued")
    assert refused.status == 422
    for member in ORDER:
        assert f"'{member}' is a required property" in refused.json["detail"]
    assert state(mock, "GET", "/crowdtwist/coupon/generated").json["state"] == "generated"

    shown = put(mock, "/crowdtwist/coupon/generated", "issued", **ORDER)
    assert (shown.status, shown.json["state"]) == (200, "issued")
    assert usable(mock, 1003) == {shown.json["members"]["code"]}


def test_an_entity_is_found_by_a_value(mock: Mock) -> None:
    """As a person knows it: by its code."""
    shown = put(mock, f"/crowdtwist/coupon?code={CODE}", "issued").json
    assert shown["handle"] == "coupon.used"
    assert unuse(mock) == "not_used"
    assert put(mock, "/chargeover/coupon?coupon_id=9007199254740993", "disabled").json["name"] == "large_id"


def test_an_entity_that_is_deleted_is_gone(mock: Mock) -> None:
    """Until it is made again, or the namespace is reset."""
    members = state(mock, "GET", "/crowdtwist/coupon/used").json["members"]
    assert state(mock, "DELETE", "/crowdtwist/coupon/used").status == 204
    assert unuse(mock) == "no_data"
    assert state(mock, "DELETE", "/crowdtwist/coupon/used").status == 404
    assert put(mock, "/crowdtwist/coupon/again", **members).status == 201
    assert unuse(mock) == "unused"
    mock.admin("POST", "/reset", {"namespace": mock.namespace})
    assert unuse(mock) == "unused"


# -- refusing -------------------------------------------------------------------------------------------------------

COUPON = "/crowdtwist/coupon/used"


@pytest.mark.parametrize(
    ("method", "path", "value", "status", "words"),
    [
        ("GET", "/nobody/coupon", None, 404, "there are chargeover, crowdtwist, shoplazza"),
        ("GET", "/crowdtwist/voucher", None, 404, "crowdtwist has no kind 'voucher'; there are client, credential"),
        ("GET", "/crowdtwist/client/moon", None, 404, "There is no client 'moon'; there is moonlight, sunshine."),
        ("PUT", "/crowdtwist/coupon/nope", {"state": "used"}, 404, "There is no coupon 'nope'; there is "),
        ("PUT", "/crowdtwist/coupon?code=NOPE", {"state": "used"}, 404, "There is no coupon with code 'NOPE'."),
        ("DELETE", "/crowdtwist/coupon/nope", None, 404, "There is no coupon 'nope'"),
        ("GET", "/crowdtwist/coupon?colour=red", None, 400, "A coupon has no member 'colour'; there are client"),
        ("PUT", "/crowdtwist/coupon", {"state": "used"}, 400, "by its name in the path"),
        ("PUT", COUPON, None, 400, "Give the name of a state"),
        ("PUT", COUPON, {}, 400, "Give the name of a state"),
        ("PUT", COUPON, {"state": 1}, 400, "Give the name of a state"),
        ("PUT", COUPON, {"state": None}, 400, "Give the name of a state"),
        ("PUT", COUPON, {"members": []}, 400, "Give the name of a state"),
        ("PUT", COUPON, {"status": "used"}, 400, "Unknown member 'status'; known are members, state."),
        ("PUT", COUPON, [1], 400, "Send a JSON object"),
        ("PUT", COUPON, {"state": "lost"}, 422, "a coupon has no state 'lost' (use one of generated, used, expired"),
        ("PUT", "/crowdtwist/client/sunshine", {"state": "used"}, 422, "a client has no state 'used'"),
        ("PUT", COUPON, {"members": {"quantity": "two"}}, 422, "'two' is not of type 'integer'"),
        ("PUT", COUPON, {"members": {"colour": "red"}}, 422, "'colour' was unexpected"),
        ("PUT", COUPON, {"members": {"date_to_expire": "soon"}}, 422, "give Unix seconds, an RFC 3339 time"),
        ("PUT", COUPON, {"members": {"date_to_expire": 253_402_300_800}}, 422, "Unix seconds of the years 1 to 9999"),
        ("PUT", COUPON, {"members": {"date_to_expire": -62_135_596_801}}, 422, "Unix seconds of the years 1 to 9999"),
        ("PUT", COUPON, {"members": {"date_to_expire": 1e300}}, 422, "Unix seconds of the years 1 to 9999"),
        ("PUT", COUPON, {"members": {"date_to_expire": "+999999w"}}, 422, "Unix seconds of the years 1 to 9999"),
        ("PUT", COUPON, {"members": {"date_to_expire": f"+{'9' * 5000}d"}}, 422, "give Unix seconds, an RFC 3339 time"),
        (
            "PUT",
            COUPON,
            {"members": {"date_to_expire": "9999-12-31T23:59:59-05:00"}},
            422,
            "Unix seconds of the years 1 to 9999",
        ),
        ("PUT", COUPON, {"members": {"owner": None}}, 422, "None is not of type 'string'"),
        (
            "PUT",
            COUPON,
            {"members": {"owner": "zoe"}},
            422,
            "owner names member.zoe, which is not there (there is alice",
        ),
        ("PUT", COUPON, {"members": {"answers": {"unuseCoupon": "nope"}}}, 422, "unuseCoupon has no example 'nope'"),
        ("PUT", COUPON, {"members": {"answers": ["x"]}}, 422, "is not of type 'object'"),
        ("PUT", "/crowdtwist/client/Big", {"members": {}}, 422, "'Big' does not match"),
        ("PUT", COUPON, {"members": {"code": "JDSI2JF"}}, 409, "coupon.used_too has the same client and code"),
        ("PUT", "/crowdtwist/coupon?owner=bob", {"state": "used"}, 409, " of kind coupon have owner 'bob': bob_ten"),
        ("DELETE", "/crowdtwist/client/moonlight", None, 409, "client.moonlight is named by credential.other, member"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence_and_nothing_changes(
    mock: Mock, method: str, path: str, value: Any, status: int, words: str
) -> None:
    """It says what there is, or what is missing."""
    before = mock.send("GET", "/__admin/export").json
    refused = state(mock, method, path, value)
    assert (refused.status, refused.media_type) == (status, "application/problem+json")
    assert words in refused.json["detail"]
    assert refused.json["detail"].endswith(".")
    after = mock.send("GET", "/__admin/export").json
    assert without_times(after) == without_times(before)


def without_times(world: Mapping[str, Any]) -> Any:
    """Leave the offsets out, which grow while the clock runs."""
    return json.loads(
        json.dumps(world),
        object_hook=lambda item: {name: value for name, value in item.items() if not str(value).endswith("s")},
    )


def test_each_mistake_is_listed_with_its_place(mock: Mock) -> None:
    """For programs; the sentence is for people."""
    refused = put(mock, COUPON, None, quantity="two", batch_num=None)
    assert {fault["pointer"] for fault in refused.json["faults"]} == {"/members/quantity", "/members/batch_num"}
    assert all(fault["reason"] and fault["fix"] for fault in refused.json["faults"])


# -- with others ----------------------------------------------------------------------------------------------------


def test_another_namespace_keeps_its_state(mock: Mock, other_mock: Mock) -> None:
    """Whatever is put, made or deleted next to it."""
    put(mock, COUPON, "issued")
    state(mock, "DELETE", "/crowdtwist/coupon/used_too")
    put(mock, "/shoplazza/coupon/welcome", "out_of_stock")
    assert unuse(other_mock) == "unused"
    assert unuse(other_mock, "JDSI2JF") == "unused"
    assert receive(other_mock) == "received"


def test_the_namespace_can_be_named_by_prefix(mock: Mock, server: Mock) -> None:
    """As everywhere in the admin interface."""
    put(mock, COUPON, "issued")
    assert server.send("GET", f"/~{mock.namespace}/__admin/state{COUPON}").json["state"] == "issued"


def test_members_put_at_once_are_all_kept(mock: Mock) -> None:
    """Sixteen clients of two workers each give the coupon another member."""
    names = [name for name in ORDER if isinstance(ORDER[name], int)]
    with ThreadPoolExecutor(16) as threads:
        answers = [*threads.map(lambda name: put(mock, COUPON, None, **{name: 77}), names * 3)]
    assert {answer.status for answer in answers} == {200}
    members = state(mock, "GET", COUPON).json["members"]
    assert [members[name] for name in names] == [77] * len(names)


def test_a_unique_value_put_at_once_is_given_once(mock: Mock) -> None:
    """All the others are told who has it."""
    names = [f"customer-{number}" for number in range(16)]
    with ThreadPoolExecutor(16) as threads:
        made = threads.map(
            lambda name: put(mock, f"/shoplazza/customer/{name}", None, shop="sunny", customer_id="9"), names
        )
        assert Counter(answer.status for answer in made) == {201: 1, 409: 15}


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"inferred": 5}, "/members/inferred"),
        ({"inferred": None}, "/members/inferred"),
        ({"inferred": [5]}, "/members/inferred/0"),
        ({"answers": 5}, "/members/answers"),
        ({"answers": None}, "/members/answers"),
        ({"answers": {"unuseCoupon": 5}}, "/members/answers/unuseCoupon"),
    ],
)
def test_members_of_the_packs_own_have_their_shape_too(mock: Mock, members: dict[str, Any], pointer: str) -> None:
    """Of an entity that is there as of a new one."""
    for name in ("forever", "new"):
        refused = state(mock, "PUT", f"/crowdtwist/coupon/{name}", {"members": members})
        assert (refused.status, refused.media_type) == (422, "application/problem+json")
        assert [fault["pointer"] for fault in refused.json["faults"]] == [pointer]


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_member_given_twice_is_refused(mock: Mock, method: str) -> None:
    """Neither of the two is the one that is meant."""
    value = {"state": "used"} if method == "PUT" else None
    refused = state(mock, method, "/crowdtwist/coupon?state=issued&state=used", value)
    assert (refused.status, refused.json["detail"]) == (400, "Give state once.")


@pytest.mark.parametrize(
    ("path", "value", "names"),
    [
        ("chargeover/coupon?account=acme&coupon_id=1", 1, ["printed"]),
        ("crowdtwist/coupon?client=sunshine&code=null", "null", ["none"]),
        ("crowdtwist/coupon?client=sunshine&code=7", "7", ["none"]),
        ("crowdtwist/coupon?client=sunshine&code=%5B1%5D", "[1]", ["none"]),
    ],
)
def test_an_entity_is_found_by_the_text_of_its_value(mock: Mock, path: str, value: Any, names: list[str]) -> None:
    """Whether that is a number, or a text that looks like something else."""
    if isinstance(value, str):
        members = {**generated(mock), "code": value}
        assert state(mock, "PUT", "/crowdtwist/coupon/none", {"members": members}).status == 201
    found = state(mock, "GET", f"/{path}").json["entities"]
    assert [entity["name"] for entity in found] == names


def test_entities_are_found_by_what_they_have_not(mock: Mock) -> None:
    """Nobody owns a coupon that is only generated, though coupons are otherwise found by their owner at once."""
    every = state(mock, "GET", "/crowdtwist/coupon").json["entities"]
    ownerless = [entity["name"] for entity in every if entity["members"].get("owner") is None]
    found = state(mock, "GET", "/crowdtwist/coupon?owner=null").json["entities"]
    assert [entity["name"] for entity in found] == ownerless != []


def generated(mock: Mock) -> dict[str, Any]:
    """Return what a generated coupon has beside its code."""
    [first, *_] = state(mock, "GET", "/crowdtwist/coupon?state=generated").json["entities"]
    return {name: value for name, value in first["members"].items() if name not in {"code", "inferred", "answers"}}


def test_what_others_name_is_kept_however_they_came_to_name_it(mock: Mock) -> None:
    """As seeded, as made by an operation, as put from outside; and it goes once they name something else."""
    assert receive(mock) == "received"
    for kind, name in (("coupon", "welcome"), ("customer", "ann"), ("shop", "sunny")):
        assert state(mock, "DELETE", f"/shoplazza/{kind}/{name}").status == 409
    assert put(mock, "/shoplazza/customer/new", shop="sunny", customer_id="5999").status == 201
    made = put(mock, "/shoplazza/receipt/new", customer="new", coupon="welcome", received_count=1)
    assert made.status == 201
    refused = state(mock, "DELETE", "/shoplazza/customer/new")
    assert refused.status == 409
    assert "receipt.new" in refused.json["detail"]
    assert put(mock, "/shoplazza/receipt/new", customer="ben").status == 200
    assert state(mock, "DELETE", "/shoplazza/customer/new").status == 204
