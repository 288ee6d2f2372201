"""What the vendors' pages print: the mock of the printed world answers exactly so."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from running_mock import Mock
from vendor_answers import document, same

FOLDER = Path(__file__).resolve().parent.parent / "golden"
SAMPLES = sorted(path.stem for path in FOLDER.glob("*.yaml"))


def sample(name: str) -> dict[str, Any]:
    """Read a golden sample."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    return found


def ask(mock: Mock, request: dict[str, Any]) -> tuple[int, Any]:
    """Send the request of a sample and return status and body."""
    body = request["body"].encode() if "body" in request else None
    answer = mock.send(request["method"], request["target"], request.get("headers", {}), body)
    assert answer.media_type == "application/json"
    return answer.status, answer.json


@pytest.mark.parametrize("name", SAMPLES)
def test_the_mock_answers_as_the_page_prints_it(documented_server: Mock, name: str) -> None:
    """Same status, and a body with the same members and values of the same types."""
    printed = sample(name)
    status, body = ask(documented_server.new_world(printed.get("pack")), printed["request"])
    assert status == printed["answer"]["status"]
    assert same(body, json.loads(printed["answer"]["body"])), body


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_names_a_section_that_its_vendors_sources_quote(name: str) -> None:
    """The source of a sample is a page and section of sources.yaml with at least one quotation."""
    printed = sample(name)
    assert document(printed["vendor"]).sources.quotes[printed["source"]]


def test_every_operation_has_a_golden_sample_that_succeeds() -> None:
    """Each of the four operations is asked at least once in the way its page means it."""
    asked = set()
    for name in SAMPLES:
        printed = sample(name)
        if printed["answer"]["status"] == 200:
            path = printed["request"]["target"].partition("?")[0]
            asked |= {
                operation.id
                for operation in document(printed["vendor"]).operations.values()
                if operation.pattern.match(path) and operation.method == printed["request"]["method"]
            }
    assert asked == {"getCoupon", "unuseCoupon", "listUsableCoupons", "receiveCoupons"}


def test_the_printed_sample_sequence_of_unuse_ends_in_not_used(documented: Mock) -> None:
    """JDSI2JE can be unused once: the second time it is not used any more."""
    request = sample("crowdtwist-unuse-sample")["request"]
    assert ask(documented, request) == (200, {"success": True, "message": "Successfully submitted"})
    assert ask(documented, request) == (404, {"error": "not_used", "message": "Coupon has not been used."})


@pytest.mark.parametrize("at", ["@", "%40"])
def test_the_printed_member_is_found_with_a_raw_and_an_encoded_at_sign(documented: Mock, at: str) -> None:
    """The page's curl sends a raw @; most clients send %40."""
    target = f"/v2/users/alice{at}crowdtwist.com/usable_coupons?api_key=QWERTYUIOP&id_type=email"
    status, body = ask(documented, {"method": "GET", "target": target})
    assert (status, [coupon["code"] for coupon in body]) == (200, ["ACC58191285", "ACC58111301"])


@pytest.mark.parametrize("key", ["QWERTY", "QWERTYUIOP"])
def test_both_printed_keys_belong_to_one_client(documented: Mock, key: str) -> None:
    """Either key sees the printed member and the printed coupon."""
    target = f"/v2/users/alice@crowdtwist.com/usable_coupons?api_key={key}&id_type=email"
    assert len(ask(documented, {"method": "GET", "target": target})[1]) == 2
    assert documented.post(f"/v2/coupon/unuse?api_key={key}", {"coupon_value": "JDSI2JE"}).status == 200


def test_the_clock_of_the_printed_world_stands_still(documented: Mock) -> None:
    """The printed coupons are usable on 12 November 2016, and it always is that day."""
    before = documented.admin("GET", f"/namespaces/{documented.namespace}").json
    assert (before["frozen"], before["now"], before["epoch"]) == (True, 1478908800, 1478908800)
    documented.admin("POST", "/reset", {"namespace": documented.namespace})
    assert documented.admin("GET", f"/namespaces/{documented.namespace}").json == before


def test_unusing_the_printed_coupon_changes_nobody_elses_list(documented: Mock) -> None:
    """JDSI2JE belongs to another member than Alice, whose list stays as printed."""
    request = sample("crowdtwist-list-sample")["request"]
    before = ask(documented, request)
    assert documented.post("/v2/coupon/unuse?api_key=QWERTY", {"coupon_value": "JDSI2JE"}).status == 200
    assert ask(documented, request) == before
