"""Readings: each option of each open question can be chosen for a server and for a namespace, and changes answers."""

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from couponmock.assembly import assemble
from couponmock.reading import UnknownChoice
from couponmock.settings import Settings
from couponspec import locate, vendors
from couponspec.sources import Reading
from running_mock import Answer, Mock, couponmock, serving
from vendor_answers import assert_problem, document

READINGS: Mapping[str, Reading] = {
    f"{vendor}.{reading.id}": reading
    for vendor in vendors()
    for reading in document(vendor).sources.readings.values()
    if len(reading.options) > 1
}
BASIC = {"Authorization": "Basic " + base64.b64encode(b"acme-public:acme-private").decode()}
SUNNY = {"access-token": "sunny-token"}
KEY = "api_key=QWERTY"
ANN = "5001"
WRAPPED, NUMBERS, REWARD = ("crowdtwist.list-shape", "crowdtwist.number-type", "crowdtwist.order-field-names")

Ask = Callable[[Mock], Answer]
View = Callable[[Any], Any]


# -- what is asked -----------------------------------------------------------------------------------------------------


def unuse(code: str, key: str = KEY) -> Ask:
    """Unuse a coupon."""
    return lambda mock: mock.post(f"/v2/coupon/unuse?{key}", {"coupon_value": code})


def use(code: str) -> Ask:
    """Use a coupon."""
    return lambda mock: mock.post(f"/v2/coupon/use?{KEY}", {"coupon_value": code})


def usable(member: str, query: str = KEY) -> Ask:
    """List a member's usable coupons."""
    return lambda mock: mock.send("GET", f"/v2/users/{member}/usable_coupons?{query}")


def coupon(coupon_id: str, headers: Mapping[str, str] | None = None) -> Ask:
    """Retrieve ChargeOver's coupon."""
    return lambda mock: mock.send("GET", f"/api/v3/coupon/{coupon_id}", BASIC if headers is None else headers)


def sent(method: str, target: str, body: str | None = None) -> Ask:
    """Send a request as it is written, with a JSON body if it has one."""
    headers = [] if body is None else [("Content-Type", "application/json")]
    return lambda mock: mock.send(method, target, headers, None if body is None else body.encode())


def receive(*handles: str, customer: Any = ANN, headers: Mapping[str, str] | None = None) -> Ask:
    """Receive seeded coupons by their handles; `unknown` is none of them."""

    def ask(mock: Mock) -> Answer:
        known = mock.bindings("shoplazza")
        ids = [known[f"coupon.{handle}"]["id"] if handle != "unknown" else "1" for handle in handles]
        return received({"customer_id": customer, "coupon_ids": ids}, headers)(mock)

    return ask


def received(body: Any, headers: Mapping[str, str] | None = None) -> Ask:
    """Receive coupons by a body as it is."""
    return lambda mock: mock.post("/openapi/2022-01/coupons/receive", body, SUNNY if headers is None else headers)


def choose(mock: Mock, choices: Any) -> Answer:
    """Choose options in the namespace of a mock."""
    return mock.send("PUT", "/__admin/readings", {"Content-Type": "application/json"}, json.dumps(choices).encode())


def chosen(mock: Mock) -> dict[str, str]:
    """Return what the namespace of a mock says that is chosen."""
    answer = mock.send("GET", "/__admin/readings")
    assert answer.status == 200, answer
    return {reading["id"]: reading["chosen"] for reading in answer.json["readings"]}


# -- every option changes an answer ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A request that an option answers otherwise."""

    option: str
    ask: Ask
    usual: tuple[int, Any]
    """Status and what is looked at, without the option."""
    other: tuple[int, Any]
    """The same with it."""
    basis: str = "inferred"
    view: View = lambda body: body


def error(body: Any) -> Any:
    """Look at an error's identifier, or at what succeeds."""
    return body.get("error", body)


def first(*names: str) -> View:
    """Look at some members of the first item of a list, or of Shoplazza's items."""

    def look(body: Any) -> Any:
        item = (body["items"] if isinstance(body, dict) else body)[0]
        return {name: item.get(name, "absent") for name in names}

    return look


def member(name: str) -> View:
    """Look at one member."""
    return lambda body: body[name]


NOT_FOUND = {"code": 404, "status": "Error", "message": "This object does not exist.", "details": {}, "response": None}
INVALID = {"code": 400, "status": "Error", "message": "Missing or invalid parameter.", "details": {}, "response": False}
UNKNOWN_ENDPOINT = {**INVALID, "message": "The endpoint requested does not exist."}
UNSUPPORTED = {**INVALID, "message": "The command requested is not supported: DELETE(coupon, 1)"}
SUBMITTED = {"success": True, "message": "Successfully submitted"}
NO_KEY = {"error": "input_error", "message": "Missing the api_key parameter"}
WRONG_KEY = {"error": "input_error", "message": "The api_key is not valid."}
NO_ACTIVITIES = {"error": "no_activities", "message": "There are no rewards available to this user."}
REQUIRED = {"errors": ["CouponIds is required"]}
BAD = {"errors": ["Bad Request"]}
CUSTOMER = {"errors": ["customer not exist"]}
UNKNOWN = {"errors": ["coupon does not exist"]}
SHOWN = first("redeem_order_id", "reward_order_id", "redeem_order_coupon_id", "reward_order_coupon_id")


def orders(prefix: str) -> dict[str, Any]:
    """Return what Bob's only coupon shows of its order under the names of a reading."""
    absent = dict.fromkeys(
        ("redeem_order_id", "reward_order_id", "redeem_order_coupon_id", "reward_order_coupon_id"), "absent"
    )
    return {**absent, f"{prefix}_order_id": 28190009, f"{prefix}_order_coupon_id": 17300009}


CASES = [
    Case("crowdtwist.not-used-status=400", unuse("1X3FJ9K003"), (404, "not_used"), (400, "not_used"), view=error),
    Case("crowdtwist.not-used-status=409", unuse("1X3FJ9K003"), (404, "not_used"), (409, "not_used"), view=error),
    Case("crowdtwist.repeated-unuse=idempotent", unuse("1X3FJ9K003"), (404, "not_used"), (200, SUBMITTED), view=error),
    Case("crowdtwist.unuse-status=other-2xx", unuse("JDSI2JE"), (200, SUBMITTED), (202, SUBMITTED)),
    Case(
        "crowdtwist.wrong-method-status=400",
        sent("DELETE", "/v2/coupon/unuse"),
        (405, "input_error"),
        (400, "input_error"),
        view=error,
    ),
    Case("crowdtwist.refused-credential-status=400", unuse("JDSI2JE", ""), (401, NO_KEY), (400, NO_KEY)),
    Case("crowdtwist.refused-credential-status=403", unuse("JDSI2JE", ""), (401, NO_KEY), (403, NO_KEY)),
    Case("crowdtwist.refused-credential-status=400", unuse("JDSI2JE", "api_key=x"), (401, WRONG_KEY), (400, WRONG_KEY)),
    Case("crowdtwist.refused-credential-status=403", unuse("JDSI2JE", "api_key=x"), (401, WRONG_KEY), (403, WRONG_KEY)),
    *(
        Case(
            f"crowdtwist.refused-credential-status={status}",
            usable("1001", query),
            (401, {**body, "error": "param_error"}),
            (status, {**body, "error": "param_error"}),
        )
        for status in (400, 403)
        for query, body in (("", NO_KEY), ("api_key=x", WRONG_KEY))
    ),
    Case(
        "crowdtwist.use-reasons=own",
        use("no-such-coupon"),
        (404, "no_data"),
        (404, "receipt_not_found"),
        view=error,
    ),
    Case("crowdtwist.use-reasons=own", use("FRESH-0001"), (404, "not_issued"), (404, "invalid"), view=error),
    Case(
        "crowdtwist.unknown-member=404",
        sent("POST", f"/v2/users/99/redemption?{KEY}", '{"reward_id": "127817", "quantity": 1}'),
        (400, "page_not_found"),
        (404, "page_not_found"),
        view=error,
    ),
    Case("crowdtwist.unknown-member=404", usable("99"), (400, "page_not_found"), (404, "page_not_found"), view=error),
    Case(
        "crowdtwist.list-error-status=other-4xx",
        usable("1001", f"{KEY}&id_type=shoe"),
        (400, "param_error"),
        (422, "param_error"),
        view=error,
    ),
    Case("crowdtwist.list-error-status=other-4xx", usable(""), (400, "param_error"), (422, "param_error"), view=error),
    Case("crowdtwist.list-error-status=other-4xx", usable("x"), (400, "input_error"), (422, "input_error"), view=error),
    Case("crowdtwist.list-error-status=other-4xx", usable("1003"), (400, NO_ACTIVITIES), (422, NO_ACTIVITIES)),
    Case("crowdtwist.no-coupons=empty-list", usable("1003"), (400, NO_ACTIVITIES), (200, [])),
    Case(
        "crowdtwist.order-field-names=reward",
        usable("1002"),
        (200, orders("redeem")),
        (200, orders("reward")),
        "contradicted",
        SHOWN,
    ),
    Case("crowdtwist.list-shape=wrapped", usable("1005"), (200, []), (200, {"coupons": []}), "contradicted"),
    Case(
        "crowdtwist.number-type=string",
        usable("1002"),
        (200, {"reward_id": 127817, "quantity": 2, "code": "BOB-TEN-1"}),
        (200, {"reward_id": "127817", "quantity": "2", "code": "BOB-TEN-1"}),
        "contradicted",
        first("reward_id", "quantity", "code"),
    ),
    Case(
        "chargeover.response-of-not-found=false",
        coupon("99"),
        (404, NOT_FOUND),
        (404, {**NOT_FOUND, "response": False}),
        "contradicted",
    ),
    Case(
        "chargeover.not-found-message=coupon",
        coupon("99"),
        (404, NOT_FOUND),
        (404, {**NOT_FOUND, "message": "This coupon does not exist."}),
    ),
    Case("chargeover.invalid-id-status=404", coupon("abc"), (400, INVALID), (404, NOT_FOUND)),
    Case(
        "chargeover.unknown-endpoint-status=404",
        sent("GET", "/api/v3/nothing"),
        (400, UNKNOWN_ENDPOINT),
        (404, {**UNKNOWN_ENDPOINT, "code": 404}),
    ),
    Case(
        "chargeover.unknown-endpoint-status=404",
        sent("DELETE", "/api/v3/coupon/1"),
        (400, UNSUPPORTED),
        (404, {**UNSUPPORTED, "code": 404}),
    ),
    Case(
        "chargeover.unknown-endpoint-status=405",
        sent("DELETE", "/api/v3/coupon/1"),
        (400, UNSUPPORTED),
        (405, {**UNSUPPORTED, "code": 405}),
    ),
    Case("chargeover.details-shape=empty-list", coupon("1"), (200, {}), (200, []), view=member("details")),
    Case("chargeover.details-shape=empty-list", coupon("99"), (404, {}), (404, []), view=member("details")),
    Case("chargeover.details-shape=empty-list", coupon("1", {}), (401, {}), (401, []), view=member("details")),
    Case(
        "chargeover.details-shape=empty-list",
        sent("GET", "/api/v3/nothing"),
        (400, {}),
        (400, []),
        view=member("details"),
    ),
    Case(
        "chargeover.datetime-format=iso8601",
        coupon("1"),
        (200, "2021-05-25 08:23:05"),
        (200, "2021-05-25T08:23:05+00:00"),
        "contradicted",
        lambda body: body["response"]["write_datetime"],
    ),
    Case(
        "shoplazza.unauthorized-status=400",
        receive("welcome", headers={}),
        (401, {"error": "Unauthorized"}),
        (400, {"error": "Unauthorized"}),
    ),
    Case(
        "shoplazza.missing-scope-status=401",
        receive("welcome", headers={"access-token": "sunny-read-only-token"}),
        (403, {"error": "Forbidden"}),
        (401, {"error": "Unauthorized"}),
    ),
    Case("shoplazza.missing-field-status=422", received({"customer_id": ANN}), (400, BAD), (422, REQUIRED)),
    Case(
        "shoplazza.missing-field-status=422",
        received({"coupon_ids": ["1"]}),
        (400, BAD),
        (422, {"errors": ["CustomerId is required"]}),
    ),
    Case("shoplazza.checks-order=customer-first", receive(customer="nobody"), (422, REQUIRED), (404, CUSTOMER)),
    Case(
        "shoplazza.checks-order=customer-first",
        received({"customer_id": "nobody", "coupon_ids": 1}),
        (400, BAD),
        (404, CUSTOMER),
    ),
    Case(
        "shoplazza.unknown-coupon=404", receive("unknown"), (200, 6), (404, UNKNOWN), view=lambda b: b.get("status", b)
    ),
    Case(
        "shoplazza.unknown-coupon=422", receive("unknown"), (200, 6), (422, UNKNOWN), view=lambda b: b.get("status", b)
    ),
    *(
        Case(
            "shoplazza.refused-coupon=error",
            receive(handle),
            (200, status),
            (409, {"errors": [words]}),
            view=lambda body: body.get("status", body),
        )
        for handle, status, words in (
            ("limit", 4, "personal limit reached"),
            ("received", 7, "already received"),
            ("exhausted", 8, "insufficient stock"),
            ("expired", 5, "coupon expired"),
            ("upcoming", 10, "coupon not started"),
        )
    ),
    Case(
        "shoplazza.value-type=string",
        receive("spring"),
        (200, {"value": 12.5}),
        (200, {"value": "12.5"}),
        "contradicted",
        first("value"),
    ),
    Case(
        "shoplazza.value-type=string",
        receive("welcome"),
        (200, {"value": 5.0}),
        (200, {"value": "5"}),
        "contradicted",
        first("value"),
    ),
    Case(
        "shoplazza.item-status=absent",
        receive("welcome"),
        (200, {"status": 0, "coupon_status": 1}),
        (200, {"status": "absent", "coupon_status": 1}),
        "contradicted",
        first("status", "coupon_status"),
    ),
    Case(
        "shoplazza.stock-after=before",
        receive("welcome"),
        (200, {"stock": 19}),
        (200, {"stock": 20}),
        view=first("stock"),
    ),
]


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{number}-{case.option}") for number, case in enumerate(CASES)]
)
def test_an_option_changes_the_answer_in_its_own_namespace_only(mock: Mock, other_mock: Mock, case: Case) -> None:
    """Status and body are the option's, and the headers say so; the namespace beside it notices nothing."""
    reading, _, option = case.option.partition("=")
    assert choose(mock, {reading: option}).status == 200

    changed, usual = case.ask(mock), case.ask(other_mock)
    assert (changed.status, case.view(changed.json)) == case.other
    assert (usual.status, case.view(usual.json)) == case.usual
    assert changed.headers["X-Mock-Reading"] == case.option
    assert changed.headers["X-Mock-Basis"] == case.basis
    assert usual.headers["X-Mock-Reading"] is None

    assert choose(mock, {reading: None}).status == 200
    assert mock.admin("POST", "/reset", {"namespace": mock.namespace}).status == 200
    back = case.ask(mock)
    assert (back.status, case.view(back.json)) == case.usual


def test_every_option_of_every_reading_has_a_case() -> None:
    """A new option needs a row in the table above."""
    open_ = {f"{name}={option}" for name, reading in READINGS.items() for option in reading.options}
    taken = {f"{name}={reading.taken}" for name, reading in READINGS.items()}
    assert {case.option for case in CASES} == open_ - taken


@pytest.mark.parametrize("name", READINGS)
def test_choosing_the_option_that_is_taken_anyway_changes_nothing(mock: Mock, name: str) -> None:
    """The answers are the usual ones, and no header says otherwise."""
    assert choose(mock, {name: READINGS[name].taken}).status == 200
    case = next(case for case in CASES if case.option.startswith(f"{name}="))
    answer = case.ask(mock)
    assert (answer.status, case.view(answer.json)) == case.usual
    assert answer.headers["X-Mock-Reading"] is None


# -- options together --------------------------------------------------------------------------------------------------


def test_several_forms_of_one_list_are_given_together(mock: Mock) -> None:
    """A wrapped list of coupons with the sample's names and digits in texts."""
    choose(mock, {WRAPPED: "wrapped", NUMBERS: "string", REWARD: "reward", "crowdtwist.not-used-status": "400"})
    answer = usable("1002")(mock)

    [shown] = answer.json["coupons"]
    assert (shown["reward_order_id"], shown["batch_num"], shown["code"]) == ("28190009", "65", "BOB-TEN-1")
    assert "redeem_order_id" not in shown
    assert answer.headers["X-Mock-Reading"] == f"{NUMBERS}=string, {REWARD}=reward, {WRAPPED}=wrapped"


def test_an_answer_that_stands_in_for_another_is_replaced_in_its_turn(mock: Mock) -> None:
    """An id that is no integer is an object that does not exist, said in the words and the form that are chosen too."""
    choose(
        mock,
        {
            "chargeover.invalid-id-status": "404",
            "chargeover.not-found-message": "coupon",
            "chargeover.response-of-not-found": "false",
            "chargeover.details-shape": "empty-list",
        },
    )
    answer = coupon("abc")(mock)

    assert (answer.status, answer.example) == (404, "not_found_coupon")
    wanted = {**NOT_FOUND, "message": "This coupon does not exist.", "details": [], "response": False}
    assert answer.json == wanted
    assert set(answer.headers["X-Mock-Reading"].split(", ")) == {
        "chargeover.invalid-id-status=404",
        "chargeover.not-found-message=coupon",
        "chargeover.response-of-not-found=false",
        "chargeover.details-shape=empty-list",
    }
    assert answer.headers["X-Mock-Basis"] == "contradicted"


def test_a_repeated_unuse_that_succeeds_has_the_chosen_status_of_a_success(mock: Mock) -> None:
    """What a behaviour answers under one option is worded under the other."""
    choose(mock, {"crowdtwist.repeated-unuse": "idempotent", "crowdtwist.unuse-status": "other-2xx"})
    answer = unuse("1X3FJ9K003")(mock)
    assert (answer.status, answer.example) == (202, "unused_202")


def test_no_coupons_can_be_an_empty_list_that_is_wrapped(mock: Mock) -> None:
    """The form is that of every list."""
    choose(mock, {"crowdtwist.no-coupons": "empty-list", WRAPPED: "wrapped"})
    assert usable("1003")(mock).json == {"coupons": []}


@pytest.mark.parametrize(
    ("choice", "handles", "status"),
    [
        ({"shoplazza.refused-coupon": "error"}, ("welcome", "exhausted"), 409),
        ({"shoplazza.unknown-coupon": "422"}, ("welcome", "unknown"), 422),
    ],
)
def test_an_error_for_one_coupon_is_one_of_the_whole_request(
    mock: Mock, choice: Mapping[str, str], handles: Sequence[str], status: int
) -> None:
    """Nothing is assigned: the stock is what it was."""
    choose(mock, choice)
    assert receive(*handles)(mock).status == status
    assert receive("welcome")(mock).json["items"][0]["stock"] == 19


def test_the_options_of_unknown_and_refused_coupons_do_not_meddle(mock: Mock) -> None:
    """An unknown coupon is no refused one."""
    choose(mock, {"shoplazza.refused-coupon": "error"})
    answer = receive("unknown")(mock)
    assert (answer.status, answer.json["status"], answer.headers["X-Mock-Reading"]) == (200, 6, None)


@pytest.mark.parametrize("body", [[], "x", None, {"customer_id": 5}, {"customer_id": ""}, {"customer_id": ANN}])
def test_a_body_that_names_no_unknown_customer_is_refused_as_ever(mock: Mock, other_mock: Mock, body: Any) -> None:
    """Though the customer is looked up first."""
    choose(mock, {"shoplazza.checks-order": "customer-first"})
    answer, usual = received(body)(mock), received(body)(other_mock)
    assert (answer.status, answer.json) == (usual.status, usual.json)
    assert answer.headers["X-Mock-Reading"] is None


def test_a_405_says_which_methods_there_are(mock: Mock) -> None:
    """As HTTP asks, also where only a reading makes it one."""
    choose(mock, {"chargeover.unknown-endpoint-status": "405"})
    assert sent("DELETE", "/api/v3/coupon/1")(mock).headers["Allow"] == "GET"


# -- choosing ----------------------------------------------------------------------------------------------------------


def test_the_readings_are_shown_with_their_quotations_and_reasons(mock: Mock) -> None:
    """All that sources.yaml says of a question, and what is chosen here."""
    shown = {reading["id"]: reading for reading in mock.send("GET", "/__admin/readings").json["readings"]}
    assert [*shown] == [*READINGS]
    assert shown["chargeover.details-shape"] == {
        "id": "chargeover.details-shape",
        "question": "What is an empty `details`?",
        "quotes": [
            {"source": "get-coupon#ok", "text": '"details": {}'},
            {"source": "get-coupon#ok", "text": "details objectnullable"},
        ],
        "options": {
            "object": "The schema and every printed example.",
            "empty-list": "Back ends in PHP often send an empty map as an empty list.",
        },
        "taken": "object",
        "chosen": "object",
        "reason": "It is documented.",
        "tolerated": ["empty-list"],
    }


def test_choices_are_merged_and_given_back_one_by_one_or_all_at_once(mock: Mock) -> None:
    """PUT answers as GET does; the description of the namespace shows its own choices."""
    choose(mock, {"crowdtwist.unknown-member": "404"})
    answer = choose(mock, {"crowdtwist.not-used-status": "400", "crowdtwist.no-coupons": "empty-list"})
    own = {
        "crowdtwist.unknown-member": "404",
        "crowdtwist.not-used-status": "400",
        "crowdtwist.no-coupons": "empty-list",
    }
    assert answer.json == mock.send("GET", "/__admin/readings").json
    assert described(mock)["readings"] == own
    assert {name: option for name, option in chosen(mock).items() if option != READINGS[name].taken} == own

    choose(mock, {"crowdtwist.unknown-member": None})
    assert described(mock)["readings"] == {name: own[name] for name in own if name != "crowdtwist.unknown-member"}
    cleared = mock.send("DELETE", "/__admin/readings")
    assert (cleared.status, described(mock)["readings"]) == (200, {})
    assert cleared.json == mock.send("GET", "/__admin/readings").json


def described(mock: Mock) -> dict[str, Any]:
    """Return the description of a mock's namespace."""
    found: dict[str, Any] = mock.admin("GET", f"/namespaces/{mock.namespace}").json
    return found


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"crowdtwist.unknown-member": "500"}, '"400", "404"'),
        ({"crowdtwist.unknown-member": 404}, '"400", "404"'),
        ({"crowdtwist.unknown-member": ["404"]}, '"400", "404"'),
        ({"unknown-member": "404"}, "crowdtwist.unknown-member"),
        ({"crowdtwist.not-found-error": "no-data"}, "crowdtwist.unknown-member"),
        ({"crowdtwist.unknown-member": "404", "x": None}, "crowdtwist.unknown-member"),
        (["crowdtwist.unknown-member"], "JSON object"),
    ],
)
def test_what_cannot_be_chosen_is_refused_with_what_can(mock: Mock, choices: Any, words: str) -> None:
    """And nothing changes, not even by the part that could be chosen."""
    choose(mock, {"crowdtwist.not-used-status": "409"})
    before = chosen(mock)
    answer = choose(mock, choices)
    assert_problem(answer, 400, "request")
    assert words in answer.json["detail"]
    assert chosen(mock) == before


def test_a_reset_and_a_restored_snapshot_keep_the_choices(mock: Mock) -> None:
    """They are no part of the state."""
    mock.send("PUT", "/__admin/snapshots/before")
    choose(mock, {"crowdtwist.unknown-member": "404"})
    mock.admin("POST", "/reset", {"namespace": mock.namespace})
    assert usable("99")(mock).status == 404
    assert mock.send("POST", "/__admin/snapshots/before/restore").json["readings"] == {
        "crowdtwist.unknown-member": "404"
    }
    assert usable("99")(mock).status == 404


def test_a_namespace_is_made_with_its_clock_and_its_readings(server: Mock, mock: Mock) -> None:
    """In one request, and shown at once."""
    name = f"{mock.namespace}.made"
    wanted = {
        "name": name,
        "pack": "demo",
        "clock": {"now": "2030-01-01T00:00:00Z", "frozen": True},
        "readings": {"crowdtwist.unknown-member": "404"},
    }
    made = server.admin("POST", "/namespaces", wanted)
    assert made.status == 201
    assert {**made.json, "epoch": 0} == {
        "name": name,
        "pack": "demo",
        "epoch": 0,
        "now": 1_893_456_000,
        "frozen": True,
        "readings": {"crowdtwist.unknown-member": "404"},
    }
    assert usable("99")(server.within(name)).status == 404
    assert server.within(name).send("GET", "/__admin/clock").json["now"] == 1_893_456_000


@pytest.mark.parametrize(
    ("pack", "clock", "frozen"),
    [
        ("demo", {"now": 1_893_456_000}, False),
        ("demo", {"frozen": True}, True),
        ("documented", {"now": 1_893_456_000}, True),
        ("documented", {"frozen": False}, False),
        ("documented", {}, True),
    ],
)
def test_what_is_not_said_of_a_clock_is_the_packs(
    server: Mock,
    mock: Mock,
    pack: str,
    clock: dict[str, Any],
    frozen: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Whether it stands, and where."""
    made = server.admin("POST", "/namespaces", {"name": f"{mock.namespace}.made", "pack": pack, "clock": clock}).json
    of_pack = server.new_world(pack)
    moment = clock.get("now", described(of_pack)["now"])
    assert made["frozen"] is frozen
    assert moment <= made["now"] <= moment + 60


@pytest.mark.parametrize(
    "wrong", [{"readings": {"crowdtwist.x": "1"}}, {"clock": {"now": -1}}, {"clock": {"frozen": 0}}]
)
def test_a_namespace_that_is_wanted_wrongly_is_not_made(server: Mock, mock: Mock, wrong: dict[str, Any]) -> None:
    """Neither with nor without the part that was right."""
    name = f"{mock.namespace}.wrong"
    assert_problem(server.admin("POST", "/namespaces", {"name": name, **wrong}), 400, "request")
    assert server.admin("GET", f"/namespaces/{name}").status == 404


@pytest.fixture(scope="module")
def lenient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mock]:
    """Run a mock that has made choices of its own, with two workers."""
    flags = (
        "--workers",
        "2",
        "--reading",
        "crowdtwist.unknown-member=404",
        "--reading",
        "crowdtwist.no-coupons=empty-list",
    )
    with serving(tmp_path_factory.mktemp("lenient"), *flags) as mock:
        yield mock


def test_the_servers_choices_hold_in_every_namespace_that_makes_none(lenient: Mock) -> None:
    """Also in those that nobody has made yet."""
    for mock in (lenient, lenient.within("never-made"), lenient.new_world()):
        answer = usable("99")(mock)
        assert (answer.status, answer.headers["X-Mock-Reading"]) == (404, "crowdtwist.unknown-member=404")
        assert chosen(mock)["crowdtwist.unknown-member"] == "404"


def test_a_namespaces_choice_goes_before_the_servers(lenient: Mock) -> None:
    """Until it is given back."""
    mock = lenient.new_world()
    choose(mock, {"crowdtwist.unknown-member": "400"})
    assert usable("99")(mock).status == 400
    assert chosen(mock)["crowdtwist.unknown-member"] == "400"
    assert chosen(mock)["crowdtwist.no-coupons"] == "empty-list"
    choose(mock, {"crowdtwist.unknown-member": None})
    assert usable("99")(mock).status == 404


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("crowdtwist.nope=1",), "crowdtwist.unknown-member"),
        (("crowdtwist.unknown-member",), '"400", "404"'),
        (("crowdtwist.unknown-member=400", "crowdtwist.unknown-member=404"), "chosen twice"),
        (("shoplazza.stock-after=never",), '"after", "before"'),
    ],
)
def test_a_server_with_an_impossible_choice_does_not_start(tmp_path: Path, flags: Sequence[str], words: str) -> None:
    """One line says what there is; exit code 2."""
    done = couponmock(tmp_path, "serve", "--port", "0", *(part for flag in flags for part in ("--reading", flag)))
    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert line.startswith("couponmock: ")
    assert words in line


def test_a_choice_for_a_vendor_that_is_not_acted_out_is_impossible(tmp_path: Path) -> None:
    """There is no such reading here."""
    settings = Settings(f"sqlite:///{tmp_path / 'x'}", ("chargeover",), readings=("crowdtwist.unknown-member=404",))
    with pytest.raises(UnknownChoice, match=r"there are chargeover\."):
        assemble(settings)
    assert Settings.load(settings.dump()) == settings


# -- asking for an answer ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preference", "example"),
    [("example=not_used_400", "not_used_400"), ("code=409", "not_used_409"), ("code=404", "no_data")],
)
def test_an_answer_of_another_option_can_be_asked_for(mock: Mock, preference: str, example: str) -> None:
    """Without choosing the option."""
    answer = mock.post(f"/v2/coupon/unuse?{KEY}", {"coupon_value": "x"}, {"Prefer": preference})
    assert (answer.example, answer.headers["X-Mock-Reading"]) == (example, None)


def test_a_status_that_is_asked_for_means_the_answer_that_is_in_force(mock: Mock) -> None:
    """With an option chosen, the one that it puts in the place of another."""
    choose(mock, {"crowdtwist.unknown-member": "404", "crowdtwist.refused-credential-status": "400"})
    asked = {"Prefer": "code=404"}
    assert mock.send("GET", f"/v2/users/1001/usable_coupons?{KEY}", asked).example == "unknown_member_404"
    by_name = mock.send("GET", f"/v2/users/1001/usable_coupons?{KEY}", {"Prefer": "example=unknown_member"})
    assert (by_name.status, by_name.example) == (400, "unknown_member")


def test_an_answer_that_is_asked_for_has_the_chosen_form(mock: Mock) -> None:
    """Its name is asked for, not its form."""
    choose(mock, {"chargeover.details-shape": "empty-list"})
    answer = mock.send("GET", "/api/v3/coupon/1", {**BASIC, "Prefer": "example=not_found"})
    assert answer.json == {**NOT_FOUND, "details": []}
    assert answer.headers["X-Mock-Reading"] == "chargeover.details-shape=empty-list"


# -- documentation -----------------------------------------------------------------------------------------------------


def test_the_documentation_lists_every_reading_with_its_options() -> None:
    """The one that is taken in bold, and no row too many."""
    text = (locate.root() / "docs" / "readings.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith(tuple(f"| `{vendor}." for vendor in vendors()))]
    expected = []
    for name, reading in READINGS.items():
        options = (f"**`{option}`**" if option == reading.taken else f"`{option}`" for option in reading.options)
        expected.append(f"| `{name}` | {reading.question} | {', '.join(options)} |")
    assert rows == expected
