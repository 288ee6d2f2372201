"""Answers that a client asks for by `Prefer` or by query parameter."""

import base64

import pytest
from couponspec import vendors
from running_mock import Answer, Mock
from vendor_answers import document

USED = "JDSI2JE"
BASIC = {"Authorization": "Basic " + base64.b64encode(b"acme-public:acme-private").decode()}
LIST = "/v2/users/1001/usable_coupons?api_key=QWERTY"
COUPON = "/api/v3/coupon/1"


def preferring(mock: Mock, preference: str) -> Answer:
    """Unuse a coupon and say which answer is wanted."""
    return mock.post("/v2/coupon/unuse?api_key=QWERTY", {"coupon_value": USED}, {"Prefer": preference})


@pytest.mark.parametrize(
    ("operation", "example"),
    [
        (operation.id, example)
        for vendor in vendors()
        for operation in document(vendor).operations.values()
        for example in operation.examples
    ],
)
def test_every_documented_answer_can_be_asked_for_by_name(mock: Mock, operation: str, example: str) -> None:
    """The answer is the document's example, word for word, with its status and basis."""
    vendor = next(vendor for vendor in vendors() if operation in document(vendor).operations)
    asked = document(vendor).operations[operation]
    headers = {**BASIC, "access-token": "sunny-token", "X-CT-Authorization": "CTApiKey SUNSHINE-HEADER-KEY"}
    path = asked.path.replace("{user_id}", "1001").replace("{coupon_id}", "1")
    answer = mock.send(asked.method, path, {**headers, "Prefer": f"example={example}"})

    wanted = asked.examples[example]
    assert (answer.status, answer.json, answer.example) == (wanted.status, wanted.value, example)
    assert answer.headers["X-Mock-Basis"] == wanted.basis
    assert answer.headers["Preference-Applied"] == f"example={example}"


def test_a_status_gives_its_documented_answer(mock: Mock) -> None:
    """`code=404` on an operation that documents a 404 gives that."""
    answer = mock.send("GET", COUPON, {**BASIC, "Prefer": "code=404"})

    assert (answer.status, answer.example, answer.json["response"]) == (404, "not_found", None)


def test_a_status_and_a_name_together_choose_the_example(mock: Mock) -> None:
    """Several examples share a status; the name tells which."""
    answer = preferring(mock, "code=404, example=not_issued")

    assert (answer.status, answer.json["error"]) == (404, "not_issued")
    assert answer.headers["Preference-Applied"] == "code=404, example=not_issued"


@pytest.mark.parametrize("code", [429, 503])
def test_a_busy_vendor_says_when_to_come_back(mock: Mock, code: int) -> None:
    """429 and 503 come in the vendor's envelope, marked inferred, with Retry-After."""
    answer = mock.send("GET", COUPON, {**BASIC, "Prefer": f"code={code}"})

    assert (answer.status, answer.json["code"], answer.json["response"]) == (code, code, False)
    assert answer.headers["Retry-After"] == "1"
    assert answer.headers["X-Mock-Basis"] == "inferred"


def test_the_query_can_ask_too(mock: Mock) -> None:
    """`?__code=` and `?__example=` do what the header does, for clients that cannot set one."""
    by_code = mock.send("GET", f"{LIST}&__code=500")
    by_name = mock.send("GET", f"{LIST}&__example=no_activities")

    assert (by_code.status, by_code.json["error"]) == (500, "internal_error")
    assert (by_name.status, by_name.json["error"]) == (400, "no_activities")


def test_a_forced_answer_changes_nothing(mock: Mock) -> None:
    """A success that is forced has no effect: the coupon is still used and can be unused."""
    assert preferring(mock, "example=unused").status == 200
    assert USED not in {coupon["code"] for coupon in mock.send("GET", LIST).json}
    assert mock.post("/v2/coupon/unuse?api_key=QWERTY", {"coupon_value": USED}).status == 200


def test_a_forced_answer_comes_after_authentication(mock: Mock) -> None:
    """Whoever has no credential is refused, whatever he would prefer."""
    answer = mock.send("GET", COUPON, {"Prefer": "example=found"})

    assert (answer.status, answer.example) == (401, "missing_authorization")
    assert answer.headers["Preference-Applied"] is None


@pytest.mark.parametrize("preference", ["respond-async", "return=minimal", "wait=10", ""])
def test_preferences_of_others_are_left_alone(mock: Mock, preference: str) -> None:
    """What the mock does not know in a Prefer header it ignores, as RFC 7240 has it."""
    answer = mock.send("GET", COUPON, {**BASIC, "Prefer": preference})

    assert (answer.status, answer.example) == (200, "found")


@pytest.mark.parametrize(
    "preference", ["example=no_such", "code=999", "code=abc", "code=302", "code=", "example=not_found, code=200"]
)
def test_a_wish_that_cannot_be_granted_is_told_so(mock: Mock, preference: str) -> None:
    """An unknown example or status is a problem of the mock that names what there is."""
    answer = mock.send("GET", COUPON, {**BASIC, "Prefer": preference})

    assert (answer.status, answer.media_type) == (400, "application/problem+json")
    assert answer.json["type"] == "urn:couponmock:preference"


@pytest.mark.parametrize(
    ("vendor", "operation", "example"),
    [
        (vendor, operation.id, example)
        for vendor in vendors()
        for operation in document(vendor).operations.values()
        for example in document(vendor).general.examples
        if example not in operation.examples
    ],
)
def test_an_answer_to_requests_that_reach_no_operation_can_be_asked_for_too(
    mock: Mock, vendor: str, operation: str, example: str
) -> None:
    """Also one whose status the operation itself answers in other words."""
    asked = document(vendor).operations[operation]
    headers = {**BASIC, "access-token": "sunny-token", "X-CT-Authorization": "CTApiKey SUNSHINE-HEADER-KEY"}
    path = asked.path.replace("{user_id}", "1001").replace("{coupon_id}", "1")
    answer = mock.send(asked.method, path, {**headers, "Prefer": f"example={example}"})

    wanted = document(vendor).general.examples[example]
    assert (answer.status, answer.example) == (wanted.status, example)
    assert answer.json.keys() == wanted.value.keys()
