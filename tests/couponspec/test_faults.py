"""Every mistake in a document, in its sources or in a pack is named: file, line, pointer, reason and a way out."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from couponspec import FaultyFile, load_document, locate
from couponspec.check import check
from couponspec.faults import Fault
from vendor_tree import VendorTree


@dataclass(frozen=True)
class Mistake:
    """One deliberate mistake and the fault that has to be found."""

    sentence: str
    file: str
    old: str
    new: str
    pointer: str
    reason: str
    """Part of the reason."""
    line: str = ""
    """Text of the line that is named, the nearest before the mistake; the mistake's own line if empty."""


CROWDTWIST = "specs/crowdtwist/openapi.yaml"
CHARGEOVER = "specs/chargeover/openapi.yaml"
SOURCES = "specs/chargeover/sources.yaml"
ENTITIES = "fixtures/chargeover/entities.schema.yaml"
PACK = "fixtures/chargeover/documented.yaml"
COUPON = "#/paths/~1api~1v3~1coupon~1{coupon_id}"
UNUSE = "#/paths/~1v2~1coupon~1unuse/post"
WRITTEN = '"2021-05-25 08:23:05"'

MISTAKES = [
    Mistake("a document of another OpenAPI", CHARGEOVER, "openapi: 3.1.0", "openapi: 3.0.3", "#/openapi", "3.0.3"),
    Mistake(
        "an operation without operationId",
        CHARGEOVER,
        "      operationId: getCoupon\n",
        "",
        f"{COUPON}/get",
        "'operationId' is a required property",
        line="    get:",
    ),
    Mistake(
        "a companion that is perhaps none",
        CROWDTWIST,
        "      operationId: unuseCoupon\n",
        "      operationId: unuseCoupon\n      x-companion: perhaps\n",
        f"{UNUSE}/x-companion",
        "'perhaps' is not of type 'boolean'",
        line="      x-companion: perhaps",
    ),
    Mistake(
        "an example without basis",
        CHARGEOVER,
        "                  x-basis: documented\n                  x-source: get-coupon#ok",
        "                  x-source: get-coupon#ok",
        f"{COUPON}/get/responses/200/content/application~1json/examples/found",
        "'x-basis' is a required property",
        line="                found:",
    ),
    Mistake(
        "a default response, which hides what is documented",
        CHARGEOVER,
        "        '429': {$ref: '#/components/responses/RateLimited'}\n        5XX",
        "        default",
        f"{COUPON}/get/responses",
        "'default' does not match",
        line="      responses:",
    ),
    Mistake(
        "parameters that no operation reads",
        CHARGEOVER,
        "    get:\n",
        "    parameters: []\n    get:\n",
        f"{COUPON}/parameters",
        "should not be valid",
        line="    parameters: []",
    ),
    Mistake(
        "an unknown kind of security scheme",
        CHARGEOVER,
        "scheme: basic\n",
        "scheme: digest\n",
        "#/components/securitySchemes/basic/scheme",
        "'basic' was expected",
    ),
    Mistake(
        "a dangling reference",
        CHARGEOVER,
        "$ref: '#/components/schemas/Found'",
        "$ref: '#/components/schemas/Lost'",
        f"{COUPON}/get/responses/200/content/application~1json/schema/$ref",
        "nothing is at '#/components/schemas/Lost'",
    ),
    Mistake(
        "a reference to another file",
        CHARGEOVER,
        "$ref: '#/components/schemas/Found'",
        "$ref: 'common.yaml#/Found'",
        f"{COUPON}/get/responses/200/content/application~1json/schema/$ref",
        "nothing is at 'common.yaml#/Found'",
    ),
    Mistake(
        "an unknown security scheme",
        CHARGEOVER,
        "security:\n  - basic: []",
        "security:\n  - signed: []",
        "#/security/0/signed",
        "no security scheme 'signed'",
    ),
    Mistake(
        "an example of a range without its status",
        CROWDTWIST,
        "                  x-status: 413\n",
        "",
        f"{UNUSE}/responses/4XX/content/application~1json/examples/body_too_large",
        "no status of the range 4XX",
        line="                body_too_large:",
    ),
    Mistake(
        "an example with a status of another response",
        CROWDTWIST,
        "x-status: 413",
        "x-status: 513",
        f"{UNUSE}/responses/4XX/content/application~1json/examples/body_too_large/x-status",
        "513 is not a status of the response 4XX",
    ),
    Mistake(
        "an operationId that is kept for answers to requests that reach none",
        CHARGEOVER,
        "operationId: getCoupon",
        "operationId: general",
        f"{COUPON}/get/operationId",
        "'general' is taken",
    ),
    Mistake(
        "two operations of one name",
        CROWDTWIST,
        "operationId: listUsableCoupons",
        "operationId: unuseCoupon",
        "#/paths/~1v2~1users~1{user_id}~1usable_coupons/get/operationId",
        "'unuseCoupon' is taken",
    ),
    Mistake(
        "two examples of one name",
        CHARGEOVER,
        "                not_found:\n",
        "                found:\n",
        f"{COUPON}/get/responses/404/content/application~1json/examples/found",
        "two examples 'found'",
    ),
    Mistake(
        "an example that does not fit its schema",
        CHARGEOVER,
        "enabled: true",
        "enabled: 'yes'",
        f"{COUPON}/get/responses/200/content/application~1json/examples/found",
        '"yes" is not of type "boolean"',
        line="                found:",
    ),
    Mistake(
        "an example that fits another reading than its own",
        CROWDTWIST,
        "x-reading: not-used-status=404\n                  x-note",
        "x-reading: not-used-status=409\n                  x-note",
        f"{UNUSE}/responses/404/content/application~1json/examples/not_used",
        "does not fit its schema",
        line="                not_used:",
    ),
    Mistake(
        "a schema that is none",
        CHARGEOVER,
        "descrip: {type: string",
        "descrip: {type: text",
        "#/components/schemas/Coupon/properties/descrip/type",
        "'text'",
    ),
    Mistake(
        "a schema that refers to what is no schema",
        CHARGEOVER,
        "$ref: '#/components/schemas/Found'",
        "$ref: '#/components/responses/RateLimited'",
        f"{COUPON}/get/responses/200/content/application~1json/schema",
        "the schema is not valid: Pointer '/components/responses/RateLimited' does not exist",
    ),
    Mistake(
        "a parameter's example that does not fit",
        CHARGEOVER,
        "sample: {value: 1,",
        "sample: {value: one,",
        f"{COUPON}/get/parameters/0/examples",
        '"one" is not of type "integer"',
        line="          examples:",
    ),
    Mistake(
        "a request body's example that does not fit",
        CROWDTWIST,
        "value: {coupon_value: JDSI2JE}",
        "value: {coupon_value: 7}",
        f"{UNUSE}/requestBody/content/application~1json/examples/used",
        '7 is not of type "string"',
        line="              used:",
    ),
    Mistake(
        "a basis that is none",
        CHARGEOVER,
        "x-basis: documented",
        "x-basis: guessed",
        f"{COUPON}/get/parameters/0/examples/sample/x-basis",
        "'guessed' is no basis",
    ),
    Mistake(
        "a source that no page has",
        CHARGEOVER,
        "x-source: get-coupon#request",
        "x-source: get-coupon#rumour",
        f"{COUPON}/get/x-source",
        "no page and section 'get-coupon#rumour'",
    ),
    Mistake(
        "an inferred example that does not say what is inferred",
        CHARGEOVER,
        "x-note: An empty coupon_id; the answer is",
        "x-notes: An empty coupon_id; the answer is",
        f"{COUPON}/get/responses/400/content/application~1json/examples/missing_coupon_id",
        "does not say what is inferred",
        line="                missing_coupon_id:",
    ),
    Mistake(
        "an option that no reading has",
        CHARGEOVER,
        "x-reading: invalid-id-status=400",
        "x-reading: invalid-id-status=418",
        f"{COUPON}/get/responses/400/content/application~1json/examples/invalid_coupon_id/x-reading",
        "invalid-id-status=418 is no option of a reading",
    ),
    Mistake(
        "an example of a reading that nobody recorded",
        CHARGEOVER,
        "x-reading: invalid-id-status=400",
        "x-reading: rumour=400",
        f"{COUPON}/get/responses/400/content/application~1json/examples/invalid_coupon_id/x-reading",
        "rumour=400 is no option of a reading",
    ),
    Mistake(
        "an option under a property that is called value",
        "specs/shoplazza/openapi.yaml",
        "x-reading: value-type=string",
        "x-reading: value-type=text",
        "#/components/schemas/Item/properties/value/anyOf/1/x-reading",
        "value-type=text is no option of a reading",
    ),
    Mistake(
        "sources without pages", SOURCES, "pages:\n", "papers:\n", "#", "'pages' is a required property", line="vendor:"
    ),
    Mistake(
        "another vendor's sources",
        SOURCES,
        "vendor: chargeover",
        "vendor: crowdtwist",
        "#/vendor",
        "found as that of 'chargeover'",
    ),
    Mistake(
        "a reading that quotes what no page says",
        SOURCES,
        "text: This customer does not exist.}",
        "text: This customer is gone.}",
        "#/readings/not-found-message/quotes/1",
        "no quotation of recorded-traffic#missing-customer contains 'This customer is gone.'",
    ),
    Mistake(
        "a reading with one side only",
        SOURCES,
        "      - {source: datetimes#format, text: ISO-8601}\n",
        "",
        "#/readings/datetime-format/quotes",
        "is too short",
        line="    quotes:",
    ),
    Mistake(
        "a reading that takes what is no option",
        SOURCES,
        "taken: space",
        "taken: comma",
        "#/readings/datetime-format/taken",
        "'comma' is no option",
    ),
    Mistake(
        "a reading that tolerates what is no option",
        SOURCES,
        "tolerated: [empty-list]",
        "tolerated: [empty-text]",
        "#/readings/details-shape/tolerated",
        "'empty-text' is no option",
    ),
    Mistake(
        "entities without kinds",
        ENTITIES,
        "kinds:\n",
        "sorts:\n",
        "#",
        "'kinds' is a required property",
        line="vendor:",
    ),
    Mistake(
        "another vendor's entities",
        ENTITIES,
        "vendor: chargeover",
        "vendor: shoplazza",
        "#/vendor",
        "found as that of 'chargeover'",
    ),
    Mistake(
        "a kind whose schema is none",
        ENTITIES,
        "account: {type: string}",
        "account: {type: text}",
        "#/kinds/coupon/properties/account/type",
        "'text'",
    ),
    Mistake(
        "a kind with a dangling reference",
        ENTITIES,
        "Coupon/properties/descrip",
        "Coupon/properties/prose",
        "#/kinds/coupon/properties/descrip/$ref",
        "nothing is at",
    ),
    Mistake(
        "a key of a member that is not there",
        ENTITIES,
        "keys: [[account, coupon_id]]",
        "keys: [[account, number]]",
        "#/kinds/coupon/keys/0",
        "'number' is no property",
    ),
    Mistake(
        "a reference to a kind that is not there",
        ENTITIES,
        "references: {account: account}",
        "references: {account: shop}",
        "#/kinds/coupon/references/account",
        "'shop' no kind",
    ),
    Mistake(
        "a state of a member that is not there",
        ENTITIES,
        "disabled: {enabled: false}",
        "disabled: {active: false}",
        "#/kinds/coupon/states/disabled/active",
        "'active' is no property",
    ),
    Mistake(
        "a state with a value that no entity can have",
        ENTITIES,
        "disabled: {enabled: false}",
        "disabled: {enabled: never}",
        "#/kinds/coupon/states/disabled/enabled",
        "'never' is not of type 'boolean'",
    ),
    Mistake(
        "a state whose second choice is no schema",
        ENTITIES,
        "disabled: {enabled: false}",
        "disabled: {enabled: [false, {type: text}]}",
        "#/kinds/coupon/states/disabled/enabled/1/type",
        "'text'",
    ),
    Mistake(
        "a state without a name that a request could say",
        ENTITIES,
        "disabled: {enabled: false}",
        "Disabled: {enabled: false}",
        "#/kinds/coupon/states",
        "'Disabled' does not match",
        line="    states:",
    ),
    Mistake(
        "a condition that is no schema",
        ENTITIES,
        "    states:\n      enabled",
        "    allOf: [{required: code}]\n    states:\n      enabled",
        "#/kinds/coupon/allOf/0/required",
        "'code' is not of type 'array'",
        line="    allOf:",
    ),
    Mistake(
        "a condition with a dangling reference",
        ENTITIES,
        "    states:\n      enabled",
        "    allOf: [{$ref: '#/components/schemas/Nothing'}]\n    states:\n      enabled",
        "#/kinds/coupon/allOf/0/$ref",
        "nothing is at",
        line="    allOf:",
    ),
    Mistake("a pack without title", PACK, "title:", "name:", "#", "'title' is a required property", line="vendor:"),
    Mistake(
        "another vendor's pack",
        PACK,
        "vendor: chargeover",
        "vendor: crowdtwist",
        "#/vendor",
        "found as that of 'chargeover'",
    ),
    Mistake(
        "a pack of another name",
        PACK,
        "pack: documented",
        "pack: printed",
        "#/pack",
        "found as that of 'documented'",
    ),
    Mistake(
        "a clock that shows no moment",
        PACK,
        "clock: '2016-11-12T00:00:00Z'",
        "clock: '2016-13-12T00:00:00Z'",
        "#/clock",
        "'2016-13-12T00:00:00Z' is not a 'date-time'",
    ),
    Mistake(
        "an entity of an unknown kind",
        PACK,
        "  account:\n    acme: {}",
        "  account:\n    acme: {}\n  shop:\n    sunny: {}",
        "#/entities/shop/sunny",
        "there is no kind 'shop'",
    ),
    Mistake(
        "a handle that nobody could write in a request",
        PACK,
        "    printed:",
        "    Printed:",
        "#/entities/coupon",
        "'Printed' does not match",
        line="  coupon:",
    ),
    Mistake(
        "an entity with a member of the wrong type",
        PACK,
        "enabled: true",
        "enabled: 1",
        "#/entities/coupon/printed/enabled",
        "1 is not of type 'boolean'",
    ),
    Mistake(
        "an entity with a member that the vendor does not show",
        PACK,
        "enabled: true",
        "enabled: true, colour: red",
        "#/entities/coupon/printed",
        "'colour' was unexpected",
        line="    printed:",
    ),
    Mistake(
        "an entity that names one that is not there",
        PACK,
        "account: acme, coupon_id",
        "account: emca, coupon_id",
        "#/entities/coupon/printed/account",
        "there is no entity account.emca",
    ),
    Mistake(
        "two entities with one key",
        "fixtures/chargeover/demo.yaml",
        "account: acme, coupon_id: 2,",
        "account: acme, coupon_id: 1,",
        "#/entities/coupon/disabled",
        "account and coupon_id are those of coupon.printed",
        line="    disabled:",
    ),
    Mistake(
        "an entity that gives an answer its operation has not",
        PACK,
        f"write_datetime: {WRITTEN}",
        f"write_datetime: {WRITTEN}, answers: {{getCoupon: banana}}",
        "#/entities/coupon/printed/answers/getCoupon",
        "getCoupon has no example 'banana'",
    ),
    Mistake(
        "an inferred member that is not there",
        PACK,
        'principal: acme, inferred: ["secret"]',
        'principal: acme, inferred: ["colour"]',
        "#/entities/credential/main/inferred",
        "'colour' is no member here",
    ),
    Mistake(
        "a request to an operation that is not there",
        PACK,
        "  - operation: getCoupon",
        "  - operation: getVoucher",
        "#/reach/0/operation",
        "no operation 'getVoucher'",
    ),
    Mistake(
        "a request for an answer that its operation has not",
        PACK,
        "answer: found",
        "answer: lost",
        "#/reach/0/answer",
        "getCoupon has no example 'lost'",
    ),
    Mistake(
        "a request that shows a handle that is not there",
        PACK,
        "handle: coupon.printed",
        "handle: coupon.painted",
        "#/reach/0/handle",
        "there is no entity coupon.painted",
    ),
    Mistake(
        "a request that names a value that is not there",
        PACK,
        "{coupon_id: '{coupon.printed.coupon_id}'}",
        "{coupon_id: '{coupon.printed.number}'}",
        "#/reach/0/request",
        "nothing is named coupon.printed.number",
    ),
    Mistake(
        "a request without a parameter of its path",
        PACK,
        "request: {path: {coupon_id: '{coupon.printed.coupon_id}'}}",
        "request: {path: {}}",
        "#/reach/0/request",
        "nothing is named path.coupon_id",
    ),
    Mistake(
        "a request with a credential that is not there",
        PACK,
        "credential: none",
        "credential: lost",
        "#/reach/2/request",
        "nothing is named credential.lost",
    ),
    Mistake(
        "an answer of the demo pack that nothing reaches",
        "fixtures/chargeover/demo.yaml",
        "answer: wrong_authorization",
        "answer: missing_authorization",
        "#/reach",
        "nothing reaches 'wrong_authorization' of getCoupon",
        line="reach:",
    ),
    Mistake(
        "a general answer of the demo pack that nothing reaches",
        "fixtures/chargeover/demo.yaml",
        "answer: unknown_endpoint",
        "answer: unsupported_command",
        "#/reach",
        "nothing reaches 'unknown_endpoint' of general",
        line="reach:",
    ),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake.sentence.replace(" ", "-") for mistake in MISTAKES])
def test_a_mistake_is_named_with_file_line_pointer_reason_and_fix(mistake: Mistake, tmp_path: Path) -> None:
    """A person reads where the mistake is, what is wrong and what to do."""
    tree = VendorTree.copied(tmp_path, [mistake.file.split("/")[1]])
    assert tree.faults() == []
    changed = tree.replace(mistake.file, mistake.old, mistake.new)
    faults = tree.faults()
    assert mistake.reason in "\n".join(fault.reason for fault in faults)
    [fault] = [fault for fault in faults if mistake.reason in fault.reason and fault.pointer == mistake.pointer]
    assert fault.file == tmp_path / mistake.file
    assert fault.line == tree.line_before(mistake.file, mistake.line, changed)
    assert fault.fix
    assert str(fault) == f"{fault.file}:{fault.line} {fault.pointer}: {fault.reason}. Fix: {fault.fix}."


def test_a_credential_of_a_scheme_that_no_operation_takes_is_named(tmp_path: Path) -> None:
    """A kind may allow more than the document; the document decides."""
    tree = VendorTree.copied(tmp_path, ["chargeover"])
    tree.replace(ENTITIES, "scheme: {const: basic}", "scheme: {type: string}")
    line = tree.replace(PACK, "scheme: basic", "scheme: token")
    [fault] = tree.faults()
    assert (fault.file, fault.line, fault.pointer) == (tmp_path / PACK, line, "#/entities/credential/main/scheme")
    assert fault.reason == "no operation has a security scheme 'token'"
    assert fault.fix == "use one of ['basic']"


def test_every_mistake_of_a_file_is_named_at_once(tmp_path: Path) -> None:
    """Nobody wants to mend a pack one start at a time."""
    tree = VendorTree.copied(tmp_path, ["chargeover"])
    tree.replace(PACK, "account: acme, coupon_id", "account: emca, coupon_id")
    tree.replace(PACK, 'inferred: ["secret"]', 'inferred: ["colour"]')
    assert [fault.pointer for fault in tree.faults()] == [
        "#/entities/credential/main/inferred",
        "#/entities/coupon/printed/account",
    ]


def test_a_response_that_several_operations_share_is_faulty_once(tmp_path: Path) -> None:
    """The fault stands where the response is written, and not at each reference to it."""
    tree = VendorTree.copied(tmp_path, ["crowdtwist"])
    tree.replace(CROWDTWIST, "message: Too many requests.", "message: 429")
    [fault] = tree.faults()
    assert fault.pointer == "#/components/responses/RateLimited/content/application~1json/examples/rate_limited"


def test_a_mistake_in_the_kinds_is_told_once_and_not_for_every_pack(tmp_path: Path) -> None:
    """Both packs rest on the same kinds."""
    tree = VendorTree.copied(tmp_path, ["chargeover"])
    tree.replace(ENTITIES, "vendor: chargeover", "vendor: shoplazza")
    assert len(tree.faults()) == 1


@pytest.mark.parametrize("file", [CHARGEOVER, SOURCES, ENTITIES, PACK])
def test_a_file_that_is_not_yaml_is_named_with_its_line(file: str, tmp_path: Path) -> None:
    """Each of the four kinds of file goes through the same reader."""
    tree = VendorTree.copied(tmp_path, ["chargeover"])
    line = tree.replace(file, "\n", "\n\t- [\n") - 1
    [fault] = tree.faults()
    assert (fault.file, fault.line) == (tmp_path / file, line + 1)
    assert fault.reason.startswith("it is not YAML: ")


@pytest.mark.parametrize("file", [SOURCES, ENTITIES])
def test_a_file_that_is_missing_is_named(file: str, tmp_path: Path) -> None:
    """A vendor needs each of its files."""
    tree = VendorTree.copied(tmp_path, ["chargeover"])
    (tmp_path / file).unlink()
    [fault] = tree.faults()
    assert str(fault) == f"{tmp_path / file} #: No such file or directory. Fix: give a readable UTF-8 file."


def test_a_vendor_without_the_demo_pack_is_named(tmp_path: Path) -> None:
    """Everything documented has to be reachable in one pack."""
    tree = VendorTree.copied(tmp_path, ["chargeover"])
    missing = tmp_path / "fixtures/chargeover/demo.yaml"
    missing.unlink()
    [fault] = tree.faults()
    assert (fault.file, fault.line, fault.reason) == (missing, None, "the pack is missing")


def test_two_vendors_with_one_operation_id_are_named(tmp_path: Path) -> None:
    """A requirement's id begins with it, so it has to be one operation's."""
    tree = VendorTree.copied(tmp_path, ["chargeover", "crowdtwist"])
    tree.replace(CHARGEOVER, "operationId: getCoupon", "operationId: unuseCoupon")
    [fault] = [fault for fault in tree.faults() if fault.file == tmp_path / CROWDTWIST]
    assert fault.line == tree.line_before(CROWDTWIST, "operationId: unuseCoupon", 999)
    assert fault.pointer == f"{UNUSE}/operationId"
    assert fault.reason == "the operationId 'unuseCoupon' is one of chargeover too"


@pytest.mark.parametrize("path", ["/v2/coupons/{coupon_id}", "/v2/users/v3/{coupon_id}"])
def test_two_vendors_whose_paths_share_a_prefix_are_named(path: str, tmp_path: Path) -> None:
    """An unknown path has to belong to one vendor."""
    tree = VendorTree.copied(tmp_path, ["chargeover", "crowdtwist"])
    tree.replace(CHARGEOVER, "/api/v3/coupon/{coupon_id}:", f"{path}:")
    [fault, *_] = [fault for fault in tree.faults() if "belong to" in fault.reason]
    assert fault.file == tmp_path / CROWDTWIST
    assert fault.reason == "the paths under /v2/ belong to chargeover too"


def test_a_faulty_document_is_no_reason_to_be_silent_about_the_next_vendor(tmp_path: Path) -> None:
    """All vendors are checked in one go."""
    tree = VendorTree.copied(tmp_path, ["chargeover", "crowdtwist"])
    tree.replace(CHARGEOVER, "openapi: 3.1.0", "openapi: 2.0.0")
    tree.replace(CROWDTWIST, "openapi: 3.1.0", "openapi: 2.0.0")
    documents, faults = check(tmp_path)
    assert documents == []
    assert [fault.file for fault in faults] == [tmp_path / CHARGEOVER, tmp_path / CROWDTWIST]


def test_a_document_with_a_mistake_is_not_loaded(tmp_path: Path) -> None:
    """Whoever loads it gets every fault, one a line."""
    tree = VendorTree.copied(tmp_path, ["chargeover"])
    tree.replace(CHARGEOVER, "      operationId: getCoupon\n", "")
    with pytest.raises(FaultyFile) as caught:
        load_document("chargeover", tmp_path)
    assert str(caught.value).splitlines() == [str(fault) for fault in caught.value.faults]


def test_a_fault_without_line_names_the_file_alone() -> None:
    """A file that is missing has no lines."""
    fault = Fault(Path("pack.yaml"), None, "#", "it is missing", "write it")
    assert str(fault) == "pack.yaml #: it is missing. Fix: write it."


def test_the_command_says_that_everything_is_valid() -> None:
    """``python -m couponspec`` ends with 0 and names the vendors."""
    outcome = subprocess.run([sys.executable, "-m", "couponspec"], check=False, capture_output=True, text=True)
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert outcome.stdout == f"{', '.join(locate.vendors())}: documents, sources and packs are valid\n"


def test_the_command_prints_one_line_for_each_fault_and_ends_with_1(tmp_path: Path) -> None:
    """An installed package that carries a faulty document says so."""
    package = tmp_path / "couponspec"
    shutil.copytree(Path(locate.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    tree = VendorTree.copied(package / "_data", ["chargeover"])
    tree.replace(CHARGEOVER, "x-basis: documented", "x-basis: guessed")
    outcome = subprocess.run(
        [sys.executable, "-m", "couponspec"],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert outcome.stderr.splitlines() == [str(fault) for fault in tree.faults()]
