"""ChargeOver: one coupon is read by its id, as its page and the vendor's general pages say."""

from base64 import b64encode

import pytest
from running_mock import Answer, Mock
from vendor_answers import CREDENTIALS, assert_example, assert_refusal

ACME = CREDENTIALS["chargeover"]
GLOBEX = {"Authorization": "Basic " + b64encode(b"globex-public:globex-private").decode()}


def get(mock: Mock, coupon_id: object, headers: dict[str, str] = ACME) -> Answer:
    """Get a coupon."""
    return mock.send("GET", f"/api/v3/coupon/{coupon_id}", headers)


def test_the_printed_coupon_is_answered_as_printed(mock: Mock) -> None:
    """Coupon 1 is the page's example, also in the default world."""
    assert_example("chargeover", "getCoupon", "found", get(mock, 1))


def test_a_disabled_coupon_is_found_and_says_so(mock: Mock) -> None:
    """A member of the answer tells whether it is enabled, so a disabled coupon is no unknown one."""
    answer = get(mock, 2)
    assert (answer.status, answer.json["response"]["enabled"]) == (200, False)


def test_discount_and_freetrial_are_empty_lists_or_absent(mock: Mock) -> None:
    """The shape of their entries is not documented, so there are none; the printed example has neither."""
    assert (get(mock, 3).json["response"]["discount"], get(mock, 3).json["response"]["freetrial"]) == ([], [])
    assert get(mock, 1).json["response"].keys() & {"discount", "freetrial"} == set()


def test_a_coupon_without_a_related_item_has_no_discount_item_id(mock: Mock) -> None:
    """The page says: if applicable."""
    assert "discount_item_id" not in get(mock, 4).json["response"]


def test_texts_and_large_ids_arrive_as_they_were_seeded(mock: Mock) -> None:
    """Characters beyond ASCII, an IPv6 address, and an id that a double cannot hold."""
    assert get(mock, 5).json["response"]["descrip"] == "Café gratuit – 夏のクーポン 🎉"  # noqa: RUF001 - the seeded text
    assert get(mock, 3).json["response"]["write_ipaddr"] == "2001:db8::17"
    assert get(mock, 9007199254740993).json["response"]["coupon_id"] == 9007199254740993
    assert_example("chargeover", "getCoupon", "not_found", get(mock, 9007199254740992))


def test_the_time_of_writing_is_written_as_the_page_writes_it(mock: Mock) -> None:
    """A space between, no zone."""
    assert get(mock, 2).json["response"]["write_datetime"] == "2019-06-01 00:00:00"


def test_every_answer_repeats_its_status_in_code(mock: Mock) -> None:
    """And status is OK for a success only; all five members of the envelope are always there."""
    for coupon_id in (1, 2, 999, "abc", "", 1000429, 1000500):
        answer = get(mock, coupon_id)
        value = answer.json
        assert value["code"] == answer.status
        assert value["status"] == ("OK" if answer.status == 200 else "Error")
        assert value.keys() == {"code", "status", "message", "details", "response"}


def test_an_account_does_not_see_another_accounts_coupons(mock: Mock) -> None:
    """Each key pair finds its own coupon and not the other's."""
    assert get(mock, 900, GLOBEX).json["response"]["code"] == "GLOBEX-1"
    assert_example("chargeover", "getCoupon", "not_found", get(mock, 900))
    assert_example("chargeover", "getCoupon", "not_found", get(mock, 1, GLOBEX))


def test_reading_changes_nothing(mock: Mock) -> None:
    """The same bytes every time."""
    assert get(mock, 1).body == get(mock, 1).body


@pytest.mark.parametrize(
    "coupon_id",
    [
        "abc",
        "1.5",
        "1.0",
        "1e3",
        "+1",
        "01",
        "1x",
        "0x1",
        "1,2",
        "1;a=1",
        "%00",
        "%ff",
        "1%0A",
        "%D9%A3",
        "%C2%B2",
        "true",
    ],
)
def test_an_id_that_is_no_integer_is_an_invalid_parameter(mock: Mock, coupon_id: str) -> None:
    """The answer's member is an integer, and 400 is documented here with no other parameter to be wrong."""
    assert_example("chargeover", "getCoupon", "invalid_coupon_id", get(mock, coupon_id))


@pytest.mark.parametrize("coupon_id", ["", "%20", "%09"])
def test_an_empty_id_is_a_missing_parameter(mock: Mock, coupon_id: str) -> None:
    """The empty segment reaches the vendor."""
    assert_example("chargeover", "getCoupon", "missing_coupon_id", get(mock, coupon_id))


@pytest.mark.parametrize(
    "coupon_id", [0, -1, 999, 2**31, 2**63, -(2**63) - 1, 10**30, "9" * 400, "9" * 5000, f"-{'9' * 5000}"]
)
def test_an_integer_that_is_no_coupons_id_does_not_exist(mock: Mock, coupon_id: object) -> None:
    """Zero, negative and huge numbers are well-formed and unknown."""
    assert_example("chargeover", "getCoupon", "not_found", get(mock, coupon_id))


@pytest.mark.parametrize("coupon_id", [1, 999, "abc", "", 1000500])
def test_without_credentials_nothing_is_told_about_an_id(mock: Mock, coupon_id: object) -> None:
    """401 comes before 404, 400 and the vendor's own failures, with a challenge."""
    answer = get(mock, coupon_id, {})
    assert_example("chargeover", "getCoupon", "missing_authorization", answer)
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="ChargeOver"'


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_the_name_of_the_scheme_has_no_case(mock: Mock, scheme: str) -> None:
    """As HTTP has it."""
    assert get(mock, 1, {"Authorization": f"{scheme} YWNtZS1wdWJsaWM6YWNtZS1wcml2YXRl"}).status == 200


def test_the_message_of_an_unsupported_command_is_that_of_live_traffic(mock: Mock) -> None:
    """It names the command, whatever bytes the id has."""
    assert mock.send("PUT", "/api/v3/coupon/7", ACME).json["message"] == (
        "The command requested is not supported: PUT(coupon, 7)"
    )
    for coupon_id in ("%ff", "%ed%a0%80", "{method}", "%7B0%7D", "%22%5C"):
        answer = mock.send("DELETE", f"/api/v3/coupon/{coupon_id}", ACME)
        assert_refusal("chargeover", answer)
        assert answer.example == "unsupported_command"
