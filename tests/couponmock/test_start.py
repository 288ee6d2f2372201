"""Files with a mistake are refused before anything is served, with file, line, pointer, reason and fix."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import couponmock
import pytest
from copied_halls import VENDORS, copy_halls, spoil
from couponmock.assembly import load_documents, load_vendor, load_worlds
from couponmock.behaviour import behaviours_of, precheck
from couponmock.form import form
from couponmock.pipeline import Vendor, start_faults
from couponmock.vendors import chargeover
from couponspec import Fault, FaultyFile, load_document, locate
from couponspec.pack import load_kinds

COMPLAINT = re.compile(r"(?P<file>/\S+?)(?::(?P<line>\d+))? #(?P<pointer>\S*): (?P<reason>.+)\. Fix: (?P<fix>.+)\.")


@pytest.fixture
def halls(tmp_path: Path) -> Path:
    """Give a copy of specs/ and fixtures/ to spoil."""
    return copy_halls(tmp_path / "halls")


def faults_of(halls: Path, *vendors: str) -> tuple[Fault, ...]:
    """Read and match everything of some vendors, or of all, as a start does, and return what is wrong."""
    try:
        documents = load_documents(vendors or VENDORS, halls)
        load_worlds(documents, halls)
        for document in documents.values():
            load_vendor(document, halls)
    except FaultyFile as error:
        return error.faults
    return ()


def test_the_copied_halls_are_fine(halls: Path) -> None:
    """What the tests below find is what they have spoiled."""
    assert faults_of(halls) == ()


MISTAKES: dict[str, tuple[str, str, str, str, str]] = {
    # file, what stands there, what shall, pointer, a word of the reason
    "a pack is no YAML": ("fixtures/crowdtwist/demo.yaml", "clock: now", "clock: [now", "", "not YAML"),
    "a pack has a key twice": (
        "fixtures/crowdtwist/demo.yaml",
        "title: A small loyalty program at the present",
        "title: A\ntitle: B",
        "/title",
        "twice",
    ),
    "a pack has no title": (
        "fixtures/shoplazza/documented.yaml",
        "title: The shapes printed on the page; it prints no values",
        "name: x",
        "",
        "title",
    ),
    "a clock is no time": ("fixtures/shoplazza/demo.yaml", "clock: now", "clock: noon", "/clock", "noon"),
    "an entity lacks a member": (
        "fixtures/shoplazza/demo.yaml",
        '{shop: sunny, customer_id: "5002"}',
        "{shop: sunny}",
        "/entities/customer/ben",
        "customer_id",
    ),
    "an entity has an unknown member": (
        "fixtures/shoplazza/demo.yaml",
        '{shop: sunny, customer_id: "5002"}',
        '{shop: sunny, customer_id: "5002", colour: red}',
        "/entities/customer/ben",
        "colour",
    ),
    "a member has the wrong type": (
        "fixtures/shoplazza/demo.yaml",
        '{shop: sunny, customer_id: "5002"}',
        "{shop: sunny, customer_id: 5002}",
        "/entities/customer/ben/customer_id",
        "5002",
    ),
    "a reference leads nowhere": (
        "fixtures/shoplazza/demo.yaml",
        '{shop: sunny, customer_id: "5002"}',
        '{shop: stormy, customer_id: "5002"}',
        "/entities/customer/ben/shop",
        "shop.stormy",
    ),
    "two entities share a key": (
        "fixtures/shoplazza/demo.yaml",
        '{shop: sunny, customer_id: "5002"}',
        '{shop: sunny, customer_id: "5001"}',
        "/entities/customer/ben",
        "customer.ann",
    ),
    "an entity is of no kind": (
        "fixtures/chargeover/documented.yaml",
        "  account:\n",
        "  planet: {mars: {}}\n  account:\n",
        "/entities/planet/mars",
        "planet",
    ),
    "an entity answers with an unknown example": (
        "fixtures/crowdtwist/demo.yaml",
        'id: "1500", answers: {"listUsableCoupons": "internal_error"',
        'id: "1500", answers: {"listUsableCoupons": "banana"',
        "/entities/member/breaks/answers/listUsableCoupons",
        "banana",
    ),
    "an inferred member is not there": (
        "fixtures/shoplazza/documented.yaml",
        'inferred: ["customer_id"]',
        'inferred: ["shoe_size"]',
        "/entities/customer/ann/inferred",
        "shoe_size",
    ),
    "a line of the reach table names no operation": (
        "fixtures/chargeover/documented.yaml",
        "{operation: getCoupon, answer: not_found,",
        "{operation: getBanana, answer: not_found,",
        "/reach/3/operation",
        "getBanana",
    ),
    "a line of the reach table names no example": (
        "fixtures/chargeover/documented.yaml",
        "{operation: getCoupon, answer: not_found,",
        "{operation: getCoupon, answer: banana,",
        "/reach/3/answer",
        "banana",
    ),
    "a line of the reach table names no entity": (
        "fixtures/shoplazza/documented.yaml",
        "customer_id: '{customer.ann.customer_id}', coupon_ids: []",
        "customer_id: '{customer.zoe.customer_id}', coupon_ids: []",
        "/reach/1",
        "customer.zoe",
    ),
    "the clocks of one world differ": (
        "fixtures/crowdtwist/documented.yaml",
        "clock: '2016-11-12T00:00:00Z'",
        "clock: '2016-11-13T00:00:00Z'",
        "/clock",
        "clock",
    ),
    "a document is no YAML": ("specs/chargeover/openapi.yaml", "openapi: 3.1.0", "openapi: 3.1.0: x", "", "not YAML"),
    "a document is of another version": (
        "specs/chargeover/openapi.yaml",
        "openapi: 3.1.0",
        "openapi: 3.0.3",
        "/openapi",
        "3.0.3",
    ),
    "an operation has no name": (
        "specs/chargeover/openapi.yaml",
        "      operationId: getCoupon\n",
        "",
        "",
        "operationId",
    ),
    "an example breaks its schema": (
        "specs/chargeover/openapi.yaml",
        "not_found:\n                  value: {code: 404, status: Error, message: This object does not exist.,",
        "not_found:\n                  value: {code: 404, status: 404, message: This object does not exist.,",
        "/paths/~1api~1v3~1coupon~1{coupon_id}/get/responses/404/content/application~1json/examples/not_found",
        "schema",
    ),
    "a taken reading is no option": (
        "specs/crowdtwist/sources.yaml",
        "taken: redeem\n",
        "taken: banana\n",
        "/readings/order-field-names/taken",
        "banana",
    ),
    "a reading quotes what no page says": (
        "specs/crowdtwist/sources.yaml",
        "      - {source: usable-coupons#successful-response, text: Numeric}",
        "      - {source: usable-coupons#successful-response, text: Banana}",
        "/readings/number-type/quotes/0",
        "Banana",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_file_is_told_with_its_place_and_its_fix(halls: Path, mistake: str) -> None:
    """File, line and pointer are those of the mistake; the reason names it, and there is a fix."""
    file, old, new, pointer, word = MISTAKES[mistake]
    line = spoil(halls / file, old, new)
    faults = faults_of(halls, *(() if pointer == "/clock" else (file.split("/")[1],)))
    fault = next((fault for fault in faults if word in fault.reason), None)
    assert fault, faults
    assert fault.file.samefile(halls / file)
    assert fault.pointer.startswith(f"#{pointer}")
    assert COMPLAINT.fullmatch(str(fault)), str(fault)
    assert fault.fix
    if pointer:
        assert fault.line
        assert abs(fault.line - line) <= 3, (fault.line, line)


def test_every_mistake_of_a_file_is_told_at_once(halls: Path) -> None:
    """Nobody has to start as often as there are mistakes."""
    file = halls / "fixtures" / "shoplazza" / "demo.yaml"
    spoil(file, '{shop: sunny, customer_id: "5001"}', "{shop: sunny}")
    spoil(file, '{shop: sunny, customer_id: "5002"}', '{shop: stormy, customer_id: "5002"}')
    spoil(file, '{shop: sunny, customer_id: "5003"}', '{shop: sunny, customer_id: "5002"}')
    pointers = {fault.pointer for fault in faults_of(halls, "shoplazza")}
    assert {"#/entities/customer/ann", "#/entities/customer/ben/shop"} <= pointers


@pytest.mark.parametrize(
    "file",
    ["specs/crowdtwist/openapi.yaml", "specs/crowdtwist/sources.yaml", "fixtures/crowdtwist/entities.schema.yaml"],
)
@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"- 1\n", b"x: 1\n", b"{", b"\x00"])
def test_a_file_that_is_missing_empty_or_something_else_is_a_fault(
    halls: Path, file: str, content: bytes | None
) -> None:
    """Whatever is in it: one that names the file, and never another exception."""
    if content is None:
        (halls / file).unlink()
    else:
        (halls / file).write_bytes(content)
    faults = faults_of(halls, "crowdtwist")
    assert faults
    assert all(fault.file == halls / file for fault in faults)


# What keeps a document and its behaviours apart: each fault of pipeline.start_faults.


def start_faults_of(halls: Path, vendor: str = "chargeover") -> list[Fault]:
    """Match a spoiled document with the vendor's behaviours."""
    document = load_document(vendor, halls)
    module = __import__(f"couponmock.vendors.{vendor}", fromlist=["x"])
    return start_faults(Vendor.of(document, load_kinds(document, halls)[1], module))


def test_every_vendors_document_and_behaviours_match(halls: Path) -> None:
    """No start fault anywhere."""
    assert [start_faults_of(halls, vendor) for vendor in VENDORS] == [[]] * len(VENDORS)


def test_an_operation_without_a_behaviour_and_a_behaviour_without_an_operation_are_faults(halls: Path) -> None:
    """One misspelt operationId is both."""
    spoil(halls / "specs/chargeover/openapi.yaml", "operationId: getCoupon", "operationId: fetchCoupon")
    missing, lost = start_faults_of(halls)
    assert (missing.pointer, lost.pointer) == ("#/paths/~1api~1v3~1coupon~1{coupon_id}/get", "#/paths")
    assert "fetchCoupon has no behaviour" in missing.reason
    assert "couponmock/vendors/chargeover.py" in missing.fix
    assert "getCoupon belongs to no operation" in lost.reason


def test_a_behaviour_that_names_an_example_which_is_not_there_is_a_fault(halls: Path) -> None:
    """The place to add it is told."""
    spoil(halls / "specs/chargeover/openapi.yaml", "                not_found:\n", "                gone:\n")
    [fault] = start_faults_of(halls)
    assert "'not_found'" in fault.reason
    assert fault.pointer == "#/paths/~1api~1v3~1coupon~1{coupon_id}/get/responses"
    assert fault.line


@pytest.mark.parametrize(
    ("vendor", "old", "new", "finding"),
    [
        ("chargeover", "  unrouted: unknown_endpoint\n", "", "unrouted"),
        ("chargeover", "method_not_allowed: unsupported_command", "method_not_allowed: banana", "method_not_allowed"),
        ("chargeover", "missing: missing_authorization", "missing: banana", "credential_missing credential:basic"),
        ("chargeover", "invalid: wrong_authorization", "invalid: banana", "credential_invalid credential:basic"),
        ("chargeover", "{missing: missing_coupon_id, ", "{", "missing path:coupon_id"),
        ("chargeover", ", invalid: invalid_coupon_id}", "}", "invalid path:coupon_id"),
        ("shoplazza", "  forbidden: missing_scope\n", "", "forbidden credential:access_token"),
        ("shoplazza", "        too_large: bad_request\n", "", "too_large body:"),
        ("shoplazza", "        malformed: bad_request\n", "", "malformed body:"),
        (
            "shoplazza",
            "unsupported_media_type: bad_request",
            "unsupported_media_type: x",
            "unsupported_media_type body:",
        ),
        ("shoplazza", "        missing: bad_request\n", "", "missing body:/coupon_ids/0"),
        ("shoplazza", "        invalid: bad_request\n", "", "invalid body:/coupon_ids"),
        (
            "shoplazza",
            "{missing: missing_coupon_ids, blank: coupon_ids_required}",
            "{missing: missing_coupon_ids, blank: banana}",
            "blank body:/coupon_ids",
        ),
        (
            "shoplazza",
            "                    x-problems: {blank: coupon_ids_required}\n                  x-problems",
            "                    x-problems: {blank: banana}\n                  x-problems",
            "blank body:/coupon_ids/0",
        ),
        (
            "crowdtwist",
            "x-problems: {invalid: malformed_body}\n            examples:\n              used:",
            "x-problems: {invalid: banana}\n            examples:\n              used:",
            "invalid body:",
        ),
        (
            "crowdtwist",
            "#url-parameters}\n          x-problems: {missing: missing_user_id, invalid: malformed_user_id}",
            "#url-parameters}\n          x-problems: {missing: missing_user_id, invalid: banana}",
            "invalid path:user_id",
        ),
    ],
)
def test_a_finding_that_no_example_answers_is_a_fault(
    halls: Path, vendor: str, old: str, new: str, finding: str
) -> None:
    """For each class of finding that a request to the operation can give, and each place."""
    spoil(halls / f"specs/{vendor}/openapi.yaml", old, new)
    faults = start_faults_of(halls, vendor)
    assert [fault for fault in faults if f"the finding {finding} of" in fault.reason], faults
    assert all("x-problems" in fault.fix for fault in faults)


def test_an_option_that_nothing_acts_out_is_a_fault(halls: Path) -> None:
    """Neither an example nor the vendor's module; the ways out are told."""
    spoil(
        halls / "specs/chargeover/sources.yaml",
        "      space: The printed example.\n",
        "      space: The printed example.\n      unix: Many APIs do so.\n",
    )
    [fault] = start_faults_of(halls)
    assert (fault.file.name, fault.pointer) == ("sources.yaml", "#/readings/datetime-format/options/unix")
    assert fault.reason == "nothing acts out datetime-format=unix"
    assert "openapi.yaml an example with x-reading: datetime-format=unix and x-instead-of" in fault.fix
    assert "couponmock/vendors/chargeover.py" in fault.fix
    assert fault.line


def test_what_acts_out_an_option_that_is_not_there_is_a_fault(halls: Path) -> None:
    """Or that is the taken one, which needs no acting."""
    spoil(halls / "specs/chargeover/sources.yaml", "      iso8601: The general page", "      iso: The general page")
    reasons = [fault.reason for fault in start_faults_of(halls)]
    assert reasons == [
        "couponmock/vendors/chargeover.py acts out datetime-format=iso8601, which is no option beside the taken one",
        "nothing acts out datetime-format=iso",
    ]


def test_a_form_that_rests_on_nothing_is_a_fault(halls: Path) -> None:
    """The branch of the schema has to say what it rests on."""
    spoil(
        halls / "specs/chargeover/openapi.yaml",
        "x-reading: details-shape=empty-list, x-basis: inferred",
        "x-reading: details-shape=empty-list",
    )
    [fault] = start_faults_of(halls)
    assert fault.reason == "nothing says what the form details-shape=empty-list rests on"
    assert "x-basis" in fault.fix


def test_a_form_and_a_precheck_of_no_operation_are_faults(halls: Path) -> None:
    """As behaviours are."""
    module = ModuleType("couponmock.vendors.chargeover")
    vars(module).update(vars(chargeover))
    vars(module)["lost_form"] = form("details-shape=empty-list", "fetchCoupon")(lambda body: body)
    vars(module)["lost_check"] = precheck("details-shape=empty-list", "seeCoupon")(lambda _call, _world: None)
    document = load_document("chargeover", halls)
    faults = start_faults(Vendor.of(document, load_kinds(document, halls)[1], module))
    assert [fault.reason.rpartition(" ")[2] for fault in faults] == ["'seeCoupon'", "'fetchCoupon'"]


def test_a_vendor_without_behaviours_is_a_fault(halls: Path) -> None:
    """A document and a pack alone do not make a vendor."""
    for hall in ("specs", "fixtures"):
        shutil.copytree(halls / hall / "chargeover", halls / hall / "halfbuilt")
    for file in (halls / "fixtures/halfbuilt").glob("*.yaml"):
        spoil(file, "vendor: chargeover", "vendor: halfbuilt")
    spoil(halls / "specs/halfbuilt/sources.yaml", "vendor: chargeover", "vendor: halfbuilt")
    with pytest.raises(FaultyFile, match=r"couponmock\.vendors\.halfbuilt.*Fix: write"):
        load_vendor(load_document("halfbuilt", halls), halls)


def test_behaviours_are_found_by_their_mark_alone() -> None:
    """Helpers of a vendor's module are none."""
    assert behaviours_of(chargeover).keys() == {"getCoupon"}


# The same through the command line: a whole copy of the mock, since its files are those beside it.


@pytest.fixture
def spoilt_mock(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Give a function that runs a command of a copied mock after one of its files has been spoiled."""
    home = copy_halls(tmp_path / "home")
    shutil.copytree(Path(locate.__file__).parent, home / "specs" / "couponspec")
    shutil.copytree(Path(couponmock.__file__).parent, home / "mockserver" / "couponmock")

    def run(mistake: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        if mistake:
            file, old, new, _, _ = MISTAKES[mistake]
            spoil(home / file, old, new)
        path = os.pathsep.join([str(home / "specs"), str(home / "mockserver")])
        return subprocess.run(
            [sys.executable, "-m", "couponmock.cli", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )

    return run


def test_the_copied_mock_is_fine(spoilt_mock: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """Before anything is spoiled, validate says so."""
    done = spoilt_mock("", "validate")
    assert (done.returncode, done.stdout) == (0, f"{len(VENDORS)} documents and 2 packs are valid\n")


@pytest.mark.parametrize(
    ("mistake", "command"),
    [
        ("a reference leads nowhere", "serve"),
        ("an example breaks its schema", "serve"),
        ("a taken reading is no option", "serve"),
        ("an operation has no name", "serve"),
        ("a member has the wrong type", "validate"),
        ("a pack is no YAML", "fixtures"),
    ],
)
def test_a_command_that_meets_a_mistake_says_so_and_ends_with_2(
    spoilt_mock: Callable[..., subprocess.CompletedProcess[str]], mistake: str, command: str
) -> None:
    """One line for each mistake on standard error, no traceback, nothing served."""
    done = spoilt_mock(mistake, command, *(("--port", "0") if command == "serve" else ()))
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert lines
    assert all(COMPLAINT.fullmatch(line.removeprefix("couponmock: ")) for line in lines), done.stderr
    assert MISTAKES[mistake][0] in done.stderr
    assert "serves" not in done.stdout
