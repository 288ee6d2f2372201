"""The mock checks its own answers: one that breaks the document never leaves as a vendor's."""

import contextlib
import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from copied_halls import VENDORS
from couponmock.app import create_app
from couponmock.assembly import Assembly, assemble, load_vendor
from couponmock.behaviour import Answer, Behaviour, Call, Refused, World, behaviour
from couponmock.exchange import Reply, Request
from couponmock.pipeline import Pipeline
from couponmock.settings import Settings
from couponmock.store import NoSuchNamespace
from flask.testing import FlaskClient
from vendor_answers import TARGETS, document

BODIES = {
    "unuseCoupon": {"coupon_value": "JDSI2JE"},
    "useCoupon": {"coupon_value": "ACC58191285"},
    "redeemReward": {"reward_id": "127817", "quantity": 1},
    "receiveCoupons": {"customer_id": "5001", "coupon_ids": ["202314454241654711"]},
}
HEADERS = {"access-token": "sunny-token", "Authorization": "Basic YWNtZS1wdWJsaWM6YWNtZS1wcml2YXRl"}


@pytest.fixture(scope="module")
def assembled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assembly]:
    """Make a mock in this process."""
    state = tmp_path_factory.mktemp("own") / "state.db"
    made = assemble(Settings(f"sqlite:///{state}", VENDORS, log_format="none"))
    yield made
    made.store.close()


@pytest.fixture
def mock(assembled: Assembly) -> Assembly:
    """Give the mock with its default world as it was in the beginning."""
    with contextlib.suppress(NoSuchNamespace):
        assembled.store.drop_namespace("default")
    return assembled


def client_with(mock: Assembly, *effects: Behaviour) -> FlaskClient:
    """Return a client of a mock that has these behaviours in place of its own."""
    handlers = dict(mock.handlers)
    for effect in effects:
        slug = TARGETS[effect.operation][0]
        vendor = load_vendor(document(slug))
        vendor = replace(vendor, behaviours={**vendor.behaviours, effect.operation: effect})
        handlers[slug] = Pipeline(vendor, mock.store, mock.default_pack).answer
    return create_app(replace(mock, handlers=handlers)).test_client()


def ask(client: FlaskClient, operation: str) -> tuple[int, str | None, Any]:
    """Make a good request to an operation."""
    _, method, target = TARGETS[operation]
    answer = client.open(target, method=method, json=BODIES.get(operation), headers=HEADERS)
    return answer.status_code, answer.headers["Content-Type"], json.loads(answer.data)


def assert_own_fault(kind: str, answered: tuple[int, str | None, Any]) -> None:
    """Check that the mock speaks of its own failure."""
    status, media_type, value = answered
    assert (status, media_type) == (500, "application/problem+json")
    assert value["type"] == f"urn:couponmock:{kind}"
    assert not value.keys() & {"error", "errors", "message", "code", "response"}


WRONG = {
    "getCoupon": Answer("found", {"response": {"coupon_id": "one"}}),
    "unuseCoupon": Answer("unused", {"success": "yes"}),
    "useCoupon": Answer("used", {"success": "yes"}),
    "redeemReward": Answer("redeemed", {"coupons": []}),
    "listUsableCoupons": Answer("usable_coupons", body=[{"code": "X"}]),
    "receiveCoupons": Answer("received", {"status": -1}),
}


@pytest.mark.parametrize("operation", TARGETS)
def test_an_answer_that_breaks_the_schema_is_the_mocks_own_500(mock: Assembly, operation: str) -> None:
    """A problem of the mock, in none of the vendors' envelopes, that says what is wrong and where."""

    @behaviour(operation)
    def wrong(call: Call, world: World) -> Answer:
        return WRONG[operation]

    answered = ask(client_with(mock, wrong), operation)
    assert_own_fault("broken-answer", answered)
    assert operation in answered[2]["detail"]


TOLERATED = {
    "listUsableCoupons": Answer("usable_coupons", body={"coupons": []}),
    "receiveCoupons": Answer("received", {"items": [{"id": "1", "value": "5.0"}]}),
}


@pytest.mark.parametrize("operation", TOLERATED)
def test_an_answer_of_another_reading_is_a_wrong_one_for_the_mock(mock: Assembly, operation: str) -> None:
    """The document lets other servers answer so; this one has chosen."""

    @behaviour(operation)
    def other(call: Call, world: World) -> Answer:
        return TOLERATED[operation]

    assert_own_fault("broken-answer", ask(client_with(mock, other), operation))


def unuse_and_answer_wrongly(call: Call, world: World) -> Answer:
    """Change the world, then break the document."""
    coupon = world.find("coupon", client=call.principal, code=call.body["coupon_value"])
    assert coupon
    world.change(coupon, state="issued")
    return Answer("unused", {"success": None})


def unuse_and_fail(call: Call, world: World) -> Answer:
    """Change the world, then fall over."""
    unuse_and_answer_wrongly(call, world)
    raise ZeroDivisionError("a secret of the mock")


def unuse_and_refuse(call: Call, world: World) -> Answer:
    """Change the world, then refuse."""
    unuse_and_answer_wrongly(call, world)
    raise Refused("not_issued")


def unuse_and_name_nothing(call: Call, world: World) -> Answer:
    """Change the world, then name an example that is not there."""
    unuse_and_answer_wrongly(call, world)
    return Answer("banana")


@pytest.mark.parametrize(
    ("effect", "kind"),
    [
        (unuse_and_answer_wrongly, "broken-answer"),
        (unuse_and_fail, "failure"),
        (unuse_and_name_nothing, "failure"),
        (unuse_and_refuse, None),
    ],
)
def test_a_call_that_does_not_end_well_changes_nothing(mock: Assembly, effect: Any, kind: str | None) -> None:
    """What it did before is undone: afterwards the coupon can be unused, once."""
    answered = ask(client_with(mock, behaviour("unuseCoupon")(effect)), "unuseCoupon")
    if kind is None:
        assert answered[0] == 404
    else:
        assert_own_fault(kind, answered)
    assert "secret" not in json.dumps(answered[2])
    client = create_app(mock).test_client()
    assert ask(client, "unuseCoupon")[0] == 200
    assert ask(client, "unuseCoupon")[0] == 404


def test_a_failure_of_the_mock_is_in_its_log_with_the_reason(
    mock: Assembly, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client is told to look there."""
    monkeypatch.setattr(logging.getLogger("couponmock"), "propagate", True)
    with caplog.at_level(logging.ERROR, "couponmock"):
        ask(client_with(mock, behaviour("unuseCoupon")(unuse_and_fail)), "unuseCoupon")
    assert "ZeroDivisionError" in caplog.text


def test_a_reading_operation_cannot_change_the_world(mock: Assembly) -> None:
    """Whatever its behaviour tries."""

    @behaviour("listUsableCoupons")
    def meddling(call: Call, world: World) -> Answer:
        coupon = world.find("coupon", client=call.principal, code="JDSI2JE")
        assert coupon
        world.change(coupon, state="issued")
        return Answer("none_usable")

    assert_own_fault("failure", ask(client_with(mock, meddling), "listUsableCoupons"))
    assert ask(create_app(mock).test_client(), "unuseCoupon")[0] == 200


def test_a_finding_that_no_example_answers_is_the_mocks_own_500(mock: Assembly) -> None:
    """The start would have refused it; should one get through, it is not passed off as the vendor's."""
    vendor = load_vendor(document("crowdtwist"))
    operation = replace(vendor.document.operations["unuseCoupon"], problems={})
    vendor = replace(vendor, document=replace(vendor.document, operations={"unuseCoupon": operation}))
    handlers = {"crowdtwist": Pipeline(vendor, mock.store, mock.default_pack).answer}
    client = create_app(replace(mock, handlers=handlers)).test_client()
    answer = client.post("/v2/coupon/unuse?api_key=QWERTY", data="{", content_type="application/json")
    assert_own_fault("broken-answer", (answer.status_code, answer.headers["Content-Type"], answer.json))


def test_what_stands_around_the_pipeline_may_break_an_answer(mock: Assembly) -> None:
    """Deliberate defects come after the check, so that servers can be wrong on purpose."""

    def defective(request: Request) -> Reply:
        return replace(mock.handlers["crowdtwist"](request), body=b'{"banana": 1}')

    client = create_app(replace(mock, handlers={**mock.handlers, "crowdtwist": defective})).test_client()
    assert ask(client, "unuseCoupon") == (200, "application/json", {"banana": 1})
