"""A catalogue with a mistake is refused, and the mistake is named with file, line, place, reason and fix."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from broken_server import VENDORS, catalogue
from couponcheck.catalogue import FOLDER, catalogued, load_catalogue
from couponcheck.contract import operation_of
from couponcheck.exchange import READING
from couponspec import FaultyFile, load_document, load_pack
from couponspec.request import names_in

ENTRY: dict[str, Any] = {
    "id": "crowdtwist.unuseCoupon.succeeds",
    "text": "Unusing a used coupon succeeds.",
    "level": "must",
    "operation": "unuseCoupon",
    "source": {"page": "unuse#response-body", "quote": "True if the request was successful."},
    "calls": [{"request": {"body": {"coupon_value": "{coupon.used.code}"}}, "expect": {"status": ["2xx"]}}],
}


def write(folder: Path, *entries: dict[str, Any], **members: Any) -> Path:
    """Write a catalogue of CrowdTwist with each entry on a line of its own: the first on line 3."""
    lines = [f"{name}: {json.dumps(value)}" for name, value in {"vendor": "crowdtwist", **members}.items()]
    lines += ["requirements:", *(f"- {json.dumps(entry)}" for entry in entries)]
    path = folder / "crowdtwist.yaml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def faults(folder: Path) -> list[str]:
    with pytest.raises(FaultyFile) as caught:
        load_catalogue(load_document("crowdtwist"), folder)
    return [str(fault) for fault in caught.value.faults]


def changed(**members: Any) -> dict[str, Any]:
    return {**ENTRY, **members}


def calling(*calls: dict[str, Any]) -> dict[str, Any]:
    return changed(calls=[*calls])


def test_a_right_catalogue_is_loaded(tmp_path: Path) -> None:
    write(tmp_path, ENTRY, aliases={"reward_order_id": "redeem_order_id"}, lists=["listUsableCoupons"])
    loaded = load_catalogue(load_document("crowdtwist"), tmp_path)
    (requirement,) = loaded.checked
    assert requirement.id == ENTRY["id"]
    assert requirement.handles == {"coupon.used", "credential.main"}
    assert loaded.aliases == {"reward_order_id": "redeem_order_id"}
    assert loaded.lists == {"listUsableCoupons"}


@pytest.mark.parametrize(
    ("entry", "pointer", "reason", "fix"),
    [
        (
            changed(id="crowdtwist.listUsableCoupons.succeeds"),
            "/id",
            "the id does not begin with vendor and operation",
            "begin it with crowdtwist.unuseCoupon.",
        ),
        (
            changed(source={"page": "unuse#response-body", "quote": "never printed"}),
            "/source",
            "no quotation of unuse#response-body contains 'never printed'",
            "correct it, or record it in sources.yaml",
        ),
        (
            changed(source={"page": "unuse#nowhere", "quote": "True"}),
            "/source",
            "no quotation of unuse#nowhere contains 'True'",
            "correct it, or record it in sources.yaml",
        ),
        (changed(reading="colour"), "/reading", "no reading 'colour'", "use one of ['not-used-status'"),
        (
            changed(id="crowdtwist.eatCoupon.succeeds", operation="eatCoupon"),
            "/operation",
            "no operation 'eatCoupon'",
            "use one of ['unuseCoupon'",
        ),
        (
            changed(id="crowdtwist.useCoupon.succeeds", operation="useCoupon"),
            "/operation",
            "useCoupon is a companion, and no verdict is about it",
            "call it from a requirement of another operation",
        ),
        (changed(cites=["banana"]), "/cites", "unuseCoupon has no example 'banana'", "use one of ["),
        (calling({"operation": "eatCoupon"}), "/calls/0/operation", "no operation 'eatCoupon'", "use one of ["),
        (
            calling({}, {"expect": {"example": ["unknown_member"]}}),
            "/calls/1/expect",
            "unuseCoupon has no example 'unknown_member'",
            "use one of ['unused'",
        ),
        (
            calling({"expect": {"any_of": [{"status": [200]}, {"example": ["banana"]}]}}),
            "/calls/0/expect",
            "unuseCoupon has no example 'banana'",
            "use one of ['unused'",
        ),
        (
            calling({"as": "later", "expect": {"same_as": "later"}}),
            "/calls/0/expect",
            "no earlier call is named 'later'",
            "name it with `as`",
        ),
        (
            calling({"expect": {"added": {"to": "before", "item": {}}}}),
            "/calls/0/expect",
            "no earlier call is named 'before'",
            "name it with `as`",
        ),
        (
            calling({"expect": {"change": {"stock": {"since": "before", "by": 1}}}}),
            "/calls/0/expect",
            "no earlier call is named 'before'",
            "name it with `as`",
        ),
    ],
)
def test_a_mistake_is_named_with_line_place_reason_and_fix(
    tmp_path: Path, entry: dict[str, Any], pointer: str, reason: str, fix: str
) -> None:
    path = write(tmp_path, changed(id="crowdtwist.unuseCoupon.first"), entry)
    (fault,) = faults(tmp_path)
    assert fault.startswith(f"{path}:4 #/requirements/1{pointer}: {reason}. Fix: {fix}")


def test_an_id_is_given_once(tmp_path: Path) -> None:
    path = write(tmp_path, ENTRY, ENTRY)
    assert faults(tmp_path) == [
        f"{path}:4 #/requirements/1/id: the id crowdtwist.unuseCoupon.succeeds is given twice. Fix: choose another."
    ]


@pytest.mark.parametrize(
    "change",
    [
        lambda entry: {name: value for name, value in entry.items() if name != "level"},
        lambda entry: {name: value for name, value in entry.items() if name != "calls"},
        lambda entry: {**entry, "level": "perhaps"},
        lambda entry: {**entry, "colour": "red"},
        lambda entry: {**entry, "id": "Crowd Twist"},
        lambda entry: {**entry, "excluded": "and checked as well"},
        lambda entry: {**entry, "calls": []},
        lambda entry: {**entry, "calls": [{"expect": {"smells": "well"}}]},
        lambda entry: {**entry, "calls": [{"expect": {"status": ["all"]}}]},
    ],
)
def test_an_entry_of_another_shape_is_named_with_its_line(
    tmp_path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    path = write(tmp_path, changed(id="crowdtwist.unuseCoupon.first"), change(ENTRY))
    named = faults(tmp_path)
    assert named
    assert all(fault.startswith(f"{path}:4 #/requirements/1") and "Fix: " in fault for fault in named)


def test_every_mistake_is_named_at_once(tmp_path: Path) -> None:
    write(
        tmp_path,
        changed(reading="colour", cites=["banana"]),
        changed(id="crowdtwist.unuseCoupon.other", reading="size"),
    )
    assert len(faults(tmp_path)) == 3


def test_a_catalogue_that_is_not_there_is_named(tmp_path: Path) -> None:
    (fault,) = faults(tmp_path)
    assert fault.startswith(str(tmp_path / "crowdtwist.yaml"))


def test_a_catalogue_is_found_by_its_vendor() -> None:
    assert catalogued() == sorted(path.stem for path in FOLDER.iterdir())


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_excluded_requirement_is_not_checked_and_says_why(vendor: str) -> None:
    loaded = catalogue(vendor)
    assert all(
        requirement.excluded.endswith(".") for requirement in loaded.requirements if requirement not in loaded.checked
    )


@pytest.mark.parametrize("vendor", VENDORS)
def test_without_permission_no_request_that_could_change_data_names_a_coupon(vendor: str) -> None:
    """A correct server refuses such a probe; a faulty one would carry it out."""
    document = load_document(vendor)
    named = {
        requirement.id
        for requirement in catalogue(vendor).checked
        for call in requirement.calls
        if call.request.get("method", operation_of(document, call.operation).method) not in READING
        and any(handle.startswith("coupon.") for handle in names_in(call.request))
    }
    assert named <= {requirement.id for requirement in catalogue(vendor).checked if requirement.needs_permission}
    assert named or vendor == "chargeover"


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_entity_that_is_needed_is_in_the_world_that_the_catalogue_is_about(vendor: str) -> None:
    """With all members that are needed of it, and what is needed by nobody is given to nobody."""
    bindings = load_pack(load_document(vendor), "demo").bindings(0)
    for requirement in catalogue(vendor).checked:
        for handle, members in requirement.needs.items():
            assert members <= bindings[handle].keys(), (requirement.id, handle)


def test_a_trait_is_one_that_requirements_need(tmp_path: Path) -> None:
    says = {"says": "short", "schema": {"maxLength": 9}}
    write(
        tmp_path,
        ENTRY,
        traits={
            "coupon.usde": {"says": ["old"]},
            "coupon.used": {"members": {"code": says, "batch_num": says}, "same": {"coupon.twin": ["code"]}},
        },
    )
    assert [fault.partition("#")[2] for fault in faults(tmp_path)] == [
        "/traits/coupon.usde: no requirement names coupon.usde. Fix: leave it out.",
        "/traits/coupon.used: no requirement names coupon.twin. Fix: leave it out.",
        "/traits/coupon.used: no requirement needs the member 'batch_num' of it. Fix: leave it out.",
    ]


def test_what_is_spent_is_named_by_a_call(tmp_path: Path) -> None:
    write(tmp_path, changed(writes=True, spends=["coupon.used", "coupon.usde"]))
    (fault,) = faults(tmp_path)
    assert fault.startswith(f"{tmp_path / 'crowdtwist.yaml'}:3 #/requirements/0/spends/1: no call names coupon.usde")


def test_a_precondition_and_a_verification_name_what_the_document_has(tmp_path: Path) -> None:
    call = {"operation": "eatCoupon", "request": {}, "expect": {}}
    write(tmp_path, changed(given=[call]), verify=[{**call, "kind": "coupon", "means": "eaten"}])
    assert [fault.partition(": no operation")[0].rpartition("#")[2] for fault in faults(tmp_path)] == [
        "/requirements/0/given/0/operation",
        "/verify/0/operation",
    ]


def test_who_reads_only_the_beginning_of_a_list_is_told_of_no_error() -> None:
    command = [str(Path(sys.executable).with_name("couponcheck")), "list"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
