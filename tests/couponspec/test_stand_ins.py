"""Examples that stand in for others under another reading: what they say, and what is wrong with them is told."""

from pathlib import Path

import pytest
from copied_halls import copy_halls, spoil
from couponspec import FaultyFile, load_document
from couponspec.check import check
from couponspec.document import weakest
from couponspec.schema import Option

LIST = "paths/~1v2~1users~1{user_id}~1usable_coupons/get/responses"
UNUSE = "paths/~1v2~1coupon~1unuse/post/responses"
EXAMPLES = "content/application~1json/examples"

FORGOTTEN = """
                  x-source: usable-coupons#query-parameters
                  x-reading: refused-credential-status=400
                  x-instead-of: missing_api_key
"""


@pytest.fixture
def halls(tmp_path: Path) -> Path:
    """Copy all documents and packs."""
    return copy_halls(tmp_path)


def test_an_operation_knows_what_stands_in_for_its_answers() -> None:
    """Those of its own and those of a response that it shares, each with its option."""
    unuse = load_document("crowdtwist").operations["unuseCoupon"]
    found = {name: [str(each.option) for each in examples] for name, examples in unuse.stand_ins.items()}
    assert found == {
        "unused": ["unuse-status=other-2xx"],
        "not_used": ["not-used-status=400", "not-used-status=409"],
        "missing_api_key": ["refused-credential-status=400", "refused-credential-status=403"],
        "unknown_api_key": ["refused-credential-status=400", "refused-credential-status=403"],
    }
    assert unuse.examples["not_used_400"].instead_of == ("not_used",)


def test_one_example_can_stand_in_for_several() -> None:
    """The words for a coupon that does not exist, whyever it is said."""
    stand_ins = load_document("chargeover").operations["getCoupon"].stand_ins
    assert [each.name for each in stand_ins["not_found"]] == ["not_found_coupon"]
    assert [each.name for each in stand_ins["invalid_coupon_id_404"]] == ["not_found_coupon"]


def test_a_branch_of_a_schema_says_what_its_option_rests_on() -> None:
    """The weakest of its branches counts."""
    assert load_document("chargeover").bases[Option("details-shape", "empty-list")] == "inferred"
    assert load_document("chargeover").bases[Option("datetime-format", "iso8601")] == "contradicted"
    assert weakest(["example", "inferred", "documented"]) == "inferred"


@pytest.mark.parametrize(
    ("old", "new", "pointer", "words"),
    [
        (
            "x-instead-of: unused\n",
            "x-instead-of: used\n",
            f"#/{UNUSE}/2XX/{EXAMPLES}/unused_202/x-instead-of",
            "unuseCoupon has no example 'used'",
        ),
        (
            "                  x-reading: not-used-status=404\n",
            "                  x-reading: not-used-status=409\n                  x-instead-of: not_used_400\n",
            f"#/{UNUSE}/400/{EXAMPLES}/not_used_400/x-instead-of",
            "stands in for itself in the end",
        ),
        (
            "x-reading: unknown-member=404\n",
            "x-reading: unknown-member=400\n",
            f"#/{LIST}/404/{EXAMPLES}/unknown_member_404/x-instead-of",
            "unknown-member=400 is the option taken",
        ),
        (
            "                  x-reading: unknown-member=400\n",
            "                  x-reading: unknown-member=404\n",
            f"#/{LIST}/404/{EXAMPLES}/unknown_member_404/x-instead-of",
            "the replaced example 'unknown_member' is of unknown-member=404 too",
        ),
        (
            "                  x-reading: list-error-status=other-4xx\n                  x-instead-of: no_activities\n",
            "                  x-reading: list-error-status=400\n                  x-instead-of: no_activities\n",
            f"#/{LIST}/4XX/{EXAMPLES}/no_activities_422/x-instead-of",
            "the response around it of list-error-status=other-4xx",
        ),
        (
            "x-instead-of: malformed_user_id\n",
            "x-instead-of: invalid_parameter\n",
            f"#/{LIST}/4XX/{EXAMPLES}/malformed_user_id_422/x-instead-of",
            "'invalid_parameter_422' stands in for 'invalid_parameter' under list-error-status=other-4xx already",
        ),
        (
            FORGOTTEN,
            "\n                  x-source: usable-coupons#query-parameters\n",
            f"#/{LIST}",
            "unuseCoupon replaces 'missing_api_key' under refused-credential-status=400, listUsableCoupons does not",
        ),
        (
            "                  x-reading: unuse-status=other-2xx\n                  x-instead-of: unused\n",
            "                  x-instead-of: unused\n",
            f"#/{UNUSE}/2XX/{EXAMPLES}/unused_202",
            "x-reading",
        ),
    ],
)
def test_an_example_that_cannot_stand_in_is_a_fault(halls: Path, old: str, new: str, pointer: str, words: str) -> None:
    """With its place, before anything is served."""
    file = halls / "specs/crowdtwist/openapi.yaml"
    assert old in file.read_text(encoding="utf-8")
    file.write_text(file.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    found = [fault for fault in check(halls)[1] if fault.pointer == pointer and words in fault.reason]
    assert len(found) == 1, [str(fault) for fault in check(halls)[1]]
    assert found[0].line
    assert found[0].fix


def test_a_pack_that_promises_an_answer_of_another_option_is_faulty(halls: Path) -> None:
    """Its request could not be sent with that result to a mock as it is started."""
    spoil(
        halls / "fixtures/crowdtwist/demo.yaml",
        "answer: unknown_member,",
        "answer: unknown_member_404,",
        everywhere=True,
    )
    faults = [fault for fault in check(halls)[1] if "given under unknown-member=404 only" in fault.reason]
    assert faults
    assert all(fault.pointer.startswith("#/reach/") for fault in faults)


def test_a_document_with_such_a_fault_is_still_read(halls: Path) -> None:
    """But for one whose shape is wrong."""
    spoil(halls / "specs/crowdtwist/openapi.yaml", "x-instead-of: unused\n", "x-instead-of: {unused: 1}\n")
    with pytest.raises(FaultyFile, match="name one example of the operation, or several in a list"):
        load_document("crowdtwist", halls)
