"""The three documents say what the vendors' four pages say, and the quotations are really there."""

import copy
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from couponspec import Document, Example, Operation, Response, load_document, load_pack, vendors
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis.core.result import Ok
from vendor_pages import (
    CONTENT_TYPE,
    DEFAULT_ID_TYPE,
    DIFFERENT_IN_THE_SAMPLE,
    FIELDS,
    ID_TYPES,
    MISSING,
    PAGES,
    PARAMETERS,
    REFUSALS,
    REQUESTS,
    SUCCESSES,
    WORDS,
    Field,
    Page,
    Parameter,
    Refusal,
)

SEEDS = Path(__file__).resolve().parents[3] / "shared" / "seeds"
"""The pages themselves stand beside the checkout, where there are any."""

RIGHT: dict[str, list[Any]] = {
    "boolean": [True],
    "integer": [1, 2**53],
    "number": [0.5, 7],
    "string": ["x"],
    "array": [[]],
    "object": [{}],
}
WRONG: dict[str, list[Any]] = {
    "boolean": [1, "true", []],
    "integer": [1.5, "one", True, [], {}],
    "number": ["many", True, []],
    "string": [1, True, [], {}],
    "array": ["x", 1, {"0": 1}],
    "object": ["x", 1, True],
}
JSON_TYPE = {
    "Array": "array",
    "Boolean": "boolean",
    "Numeric": "integer",  # every sample is one, and every member counts or identifies something
    "String": "string",
    "bool": "boolean",
    "float": "number",
    "int": "integer",
}

needs_pages = pytest.mark.skipif(not SEEDS.is_dir(), reason="the vendors' pages do not stand beside this checkout")


@cache
def document(vendor: str) -> Document:
    return load_document(vendor)


def operation_of(page: Page) -> Operation:
    return document(page.vendor).operations[page.operation]


def every_operation() -> list[Operation]:
    """Return all operations and the answers to requests that reach none."""
    return [each for vendor in vendors() for each in (*document(vendor).operations.values(), document(vendor).general)]


def answers_of(field: Field) -> Iterator[tuple[Document, Operation, Example]]:
    """Yield the documented answers that have a printed field."""
    operation = operation_of(field.page)
    found = [
        example
        for example in operation.examples.values()
        if (example.status < 300) == (field.answer == "success")
        and field.answer in {"success", "error", str(example.status)}
        # An empty list shows no member, and an item is shown only where one was assigned.
        and member_of(example.value, field.name) is not MISSING
    ]
    assert found or not field.required, f"no example shows {field.name}"
    for example in found or [example for example in operation.examples.values() if example.status == 200]:
        yield document(field.page.vendor), operation, example


def steps(value: Any, name: str) -> Iterator[tuple[Any, str]]:
    """Yield the objects that lead to a member, each with the name of the next step."""
    for part in name.split("."):
        while isinstance(value, list) and value:
            value = value[0]
        yield value, part
        value = value.get(part, MISSING) if isinstance(value, dict) else MISSING


def member_of(value: Any, name: str) -> Any:
    owner, part = [*steps(value, name)][-1]
    return owner.get(part, MISSING) if isinstance(owner, dict) else MISSING


def changed(value: Any, name: str, member: Any) -> Any:
    """Copy an answer with another value in the place of a member, or without the member."""
    value = copy.deepcopy(value)
    owner, part = [*steps(value, name)][-1]
    if member is MISSING:
        owner.pop(part, None)
    else:
        owner[part] = member
    return value


def fits(place: tuple[Document, Operation, Example], value: Any) -> bool:
    """Tell whether an answer is right as the mock's readings have it."""
    vendor, operation, example = place
    taken = dict(vendor.sources.taken)
    if example.option:
        taken[example.option.reading] = example.option.option
    return operation.validator(operation.responses[example.response], example.media_type, taken).is_valid(value)


def named(items: tuple[Any, ...]) -> dict[str, Any]:
    return {
        "argvalues": items,
        "ids": [
            f"{item.page.operation}-{getattr(item, 'answer', '')}-{item.name}".replace("--", "-") for item in items
        ],
    }


# -- the pages' tables against the documents ------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.id)
def test_an_operation_has_the_printed_method_and_path(page: Page) -> None:
    """The request line of each page."""
    operation = operation_of(page)
    assert (operation.method, operation.path) == (page.method, page.path)


@pytest.mark.parametrize("parameter", **named(PARAMETERS))
def test_a_parameter_has_the_printed_place_type_and_need(parameter: Parameter) -> None:
    """Each row of the tables of parameters and body members."""
    operation = operation_of(parameter.page)
    if parameter.name == "api_key":
        schemes = [security.scheme for security in operation.security]
        assert ("query", "api_key") in [(scheme.kind, scheme.parameter) for scheme in schemes]
        return
    if parameter.place == "body":
        assert operation.body is not None
        schema = operation.body["properties"][parameter.name]
        required = parameter.name in operation.body["required"]
    else:
        [found] = [each for each in operation.parameters if each.name == parameter.name]
        assert found.place == parameter.place
        schema, required = found.schema, found.required
    assert required == (parameter.required == "Yes")
    if parameter.type == "array of strings":
        assert (schema["type"], schema["items"]["type"]) == ("array", "string")
    else:
        assert schema["type"] == JSON_TYPE.get(parameter.type, parameter.type)


@pytest.mark.parametrize("parameter", **named(tuple(item for item in PARAMETERS if item.sample is not MISSING)))
def test_a_printed_sample_value_is_in_the_document_or_is_the_printed_credential(parameter: Parameter) -> None:
    """Each sample value of the request tables."""
    operation = operation_of(parameter.page)
    if parameter.name == "api_key":
        pack = load_pack(document(parameter.page.vendor), "documented")
        secrets = {entity.data["secret"]: entity for entity in pack.entities if entity.kind == "credential"}
        assert "secret" not in secrets[parameter.sample].inferred
    elif parameter.place == "body":
        assert parameter.sample in [sample.get(parameter.name) for sample in operation.body_samples.values()]
    else:
        assert [each.sample for each in operation.parameters if each.name == parameter.name] == [parameter.sample]


def test_the_types_of_id_are_the_six_printed_ones_and_id_is_the_default() -> None:
    """The options of id_type."""
    [id_type] = [each for each in document("crowdtwist").operations["listUsableCoupons"].parameters if each.when == {}]
    assert (id_type.name, id_type.schema["default"]) == ("id_type", DEFAULT_ID_TYPE)
    assert sorted(id_type.schema["enum"]) == sorted(ID_TYPES)


@pytest.mark.parametrize(("page", "body", "_printed"), REQUESTS, ids=lambda item: getattr(item, "id", ""))
def test_a_printed_request_is_an_example(page: Page, body: Any, _printed: str) -> None:
    """The sample request."""
    assert body in operation_of(page).body_samples.values()


@pytest.mark.parametrize("page", [page for page in PAGES if page.method == "POST"], ids=lambda page: page.id)
def test_a_body_is_json(page: Page) -> None:
    """Both POST pages ask for application/json and nothing else."""
    item = document(page.vendor).file.value["paths"][page.path]["post"]
    assert [*item["requestBody"]["content"]] == [CONTENT_TYPE]


def test_every_answer_is_json() -> None:
    """No page prints another media type for an answer."""
    responses = [response for operation in every_operation() for response in operation.responses.values()]
    assert {media_type for response in responses for media_type in response.schemas} == {CONTENT_TYPE}


@pytest.mark.parametrize("field", **named(FIELDS))
def test_a_field_has_the_printed_type(field: Field) -> None:
    """A value of the type is right in its place, values of other types are wrong."""
    json_type = JSON_TYPE.get(field.type, field.type)
    for place in answers_of(field):
        sample = member_of(place[2].value, field.name)
        constant = sample is not MISSING and not fits(place, changed(place[2].value, field.name, RIGHT[json_type][0]))
        for value in [sample] if constant else RIGHT[json_type]:
            assert fits(place, changed(place[2].value, field.name, value)), value
        for value in WRONG[json_type]:
            assert not fits(place, changed(place[2].value, field.name, value)), value


@pytest.mark.parametrize("field", **named(FIELDS))
def test_a_field_may_be_null_where_the_page_says_so_and_only_there(field: Field) -> None:
    """Nullable members, and all others."""
    # The page says "if applicable", which a server may also say with null.
    nullable = field.nullable or field.name == "response.discount_item_id"
    for place in answers_of(field):
        if place[2].status == 404 and field.name == "response":
            continue  # a reading of its own: see response-of-not-found
        assert fits(place, changed(place[2].value, field.name, None)) == nullable


@pytest.mark.parametrize("field", **named(FIELDS))
def test_a_field_is_there_where_the_contract_says_so(field: Field) -> None:
    """Required members, and those that may be left out."""
    for place in answers_of(field):
        assert fits(place, changed(place[2].value, field.name, MISSING)) == (not field.required)


@pytest.mark.parametrize("field", **named(tuple(field for field in FIELDS if field.length)))
def test_a_text_is_as_long_as_printed_and_no_longer(field: Field) -> None:
    """The three printed lengths."""
    assert field.length is not None
    for place in answers_of(field):
        assert fits(place, changed(place[2].value, field.name, "ü" * field.length))
        assert not fits(place, changed(place[2].value, field.name, "ü" * (field.length + 1)))


@pytest.mark.parametrize(
    "refusal", REFUSALS, ids=lambda item: f"{item.page.operation}-{'-'.join(map(str, item.members.values()))[:40]}"
)
def test_a_printed_error_is_a_named_example(refusal: Refusal) -> None:
    """Status, identifier and message together, as one answer of the operation or of the vendor in general."""
    vendor = document(refusal.page.vendor)
    examples = [*operation_of(refusal.page).examples.values(), *vendor.general.examples.values()]
    statuses = re.compile(refusal.status.replace("X", "[0-9]") or "[45][0-9]{2}")
    assert [
        example
        for example in examples
        if statuses.fullmatch(str(example.status))
        and {name: example.value.get(name, MISSING) for name in refusal.members} == refusal.members
    ]


@pytest.mark.parametrize(("page", "answer", "_printed"), SUCCESSES, ids=lambda item: getattr(item, "id", ""))
def test_a_printed_success_is_a_named_example(page: Page, answer: Any, _printed: tuple[str, ...]) -> None:
    """Value for value; where the sample's names differ from the table's, the table's are used."""
    if isinstance(answer, list):
        answer = [{DIFFERENT_IN_THE_SAMPLE.get(name, name): item[name] for name in item} for item in answer]
    assert answer in [example.value for example in operation_of(page).examples.values() if example.status == 200]


def test_the_names_of_the_printed_sample_are_a_reading_of_their_own() -> None:
    """A server that answers exactly as printed, but for the brackets, is right in another reading."""
    vendor = document("crowdtwist")
    operation = vendor.operations["listUsableCoupons"]
    response = operation.responses["200"]
    [printed] = [answer for page, answer, _ in SUCCESSES if page.operation == operation.id]
    assert not operation.validator(response, CONTENT_TYPE, vendor.sources.taken).is_valid(printed)
    other = {**vendor.sources.taken, "order-field-names": "reward"}
    assert operation.validator(response, CONTENT_TYPE, other).is_valid(printed)


@pytest.mark.parametrize(
    ("page", "words"), WORDS, ids=lambda item: item.replace(" ", "-")[:50] if isinstance(item, str) else item.id
)
def test_a_rule_in_prose_is_a_recorded_quotation(page: Page, words: str) -> None:
    """What no example can say is quoted, so that rules can rest on it."""
    quotes = document(page.vendor).sources.quotes
    assert [
        source for source, texts in quotes.items() if source.startswith(f"{page.id}#") and words in "\n".join(texts)
    ]


# -- the pages themselves -------------------------------------------------------------------------------------------


@cache
def page_text(page: Page) -> str:
    """Return the text of a page with single blanks: the pages have tabs and odd spacing."""
    texts = [" ".join(file.read_text(encoding="utf-8").split()) for file in sorted(SEEDS.glob("*.txt"))]
    [text] = [text for text in texts if text.startswith(page.begins)]
    return text


@needs_pages
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.id)
def test_every_quotation_is_on_its_page(page: Page) -> None:
    """Word for word, whatever the blanks between."""
    quotes = document(page.vendor).sources.quotes
    recorded = [text for source, texts in quotes.items() if source.startswith(f"{page.id}#") for text in texts]
    assert recorded
    assert [text for text in recorded if " ".join(text.split()) not in page_text(page)] == []


@needs_pages
def test_the_tables_of_these_tests_say_what_the_pages_say() -> None:
    """The documents are judged by tables that are right themselves."""
    printed = [(page, page.printed) for page in PAGES]
    printed += [(parameter.page, parameter.printed) for parameter in PARAMETERS]
    printed += [(field.page, field.printed) for field in FIELDS]
    printed += [(refusal.page, text) for refusal in REFUSALS for text in refusal.printed]
    printed += [(page, text) for page, _, text in REQUESTS]
    printed += [(page, text) for page, _, texts in SUCCESSES for text in texts]
    printed += WORDS
    assert [text for page, text in printed if " ".join(text.split()) not in page_text(page)] == []


@needs_pages
@pytest.mark.parametrize(
    ("page", "answer"),
    [(page, answer) for page, answer, texts in SUCCESSES if not texts],
    ids=lambda item: getattr(item, "id", ""),
)
def test_the_sample_of_these_tests_is_the_printed_one(page: Page, answer: Any) -> None:
    """Every member with its value, in the order of the page."""
    objects = answer if isinstance(answer, list) else [answer["response"], {**answer, "response": MISSING}]
    for item in objects:
        members = [json.dumps({name: value})[1:-1] for name, value in item.items() if value is not MISSING]
        text = page_text(page).replace('":', '": ').replace('":  ', '": ')
        assert ", ".join(members) in re.sub(r",(?=\S)", ", ", text)


@needs_pages
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.id)
def test_every_member_that_a_page_prints_in_json_is_in_the_tables(page: Page) -> None:
    """Nothing printed was overlooked."""
    known = {parameter.name for parameter in PARAMETERS if parameter.page == page}
    known |= {part for field in FIELDS if field.page == page for part in field.name.split(".")}
    assert {*re.findall(r'"(\w+)" ?:', page_text(page))} - known <= {*DIFFERENT_IN_THE_SAMPLE}


# -- what every document has to be ----------------------------------------------------------------------------------


@pytest.mark.parametrize("vendor", vendors())
def test_a_document_is_valid_openapi_for_an_independent_validator(vendor: str) -> None:
    """OpenAPI 3.1, every error of it."""
    assert [*OpenAPIV31SpecValidator(document(vendor).file.value).iter_errors()] == []


def test_the_operations_that_are_on_none_of_the_four_pages_are_companions() -> None:
    """And no other is."""
    operations = [each for vendor in vendors() for each in document(vendor).operations.values()]
    assert {each.id for each in operations if not each.companion} == {page.operation for page in PAGES}
    assert {each.id for each in operations if each.companion} == {"useCoupon", "redeemReward"}


@pytest.mark.parametrize("vendor", vendors())
def test_schemathesis_loads_a_document_without_complaint(vendor: str) -> None:
    """Every operation is found; a warning would fail this test as any other."""
    loaded = schemathesis.openapi.from_dict(document(vendor).file.value)
    results = [*loaded.get_all_operations()]
    assert [result for result in results if not isinstance(result, Ok)] == []
    found = {result.ok().definition.raw["operationId"] for result in results if isinstance(result, Ok)}
    assert found == set(document(vendor).operations)


def test_every_documented_response_has_a_named_example() -> None:
    """Only a status that some other reading may use has none: the mock never gives it."""
    bare = [
        f"{operation.id} {key}"
        for operation in every_operation()
        for key, response in operation.responses.items()
        if not response.examples and response.option is None
    ]
    assert bare == []


def test_every_example_carries_a_basis_and_a_source_and_notes_what_is_ours() -> None:
    """What is printed and what is inferred are never mixed up."""
    for operation in every_operation():
        for example in operation.examples.values():
            assert example.basis in {"documented", "example", "inferred", "contradicted"}
            assert example.source
            assert example.note or example.basis == "documented"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.id)
def test_an_example_that_is_called_documented_is_printed_whole(page: Page) -> None:
    """No status, identifier or message of it is ours."""
    printed = [refusal for refusal in REFUSALS if refusal.page == page]
    for example in operation_of(page).examples.values():
        if example.basis == "documented" and example.status >= 400:
            assert [entry for entry in printed if (entry.status, entry.members) == (str(example.status), example.value)]


def test_a_strangers_404_is_no_operations_404() -> None:
    """A server that knows none of the paths must not pass: the identifiers are closed for each status."""
    banana = {"error": "banana", "message": "x"}
    for vendor in vendors():
        for operation in document(vendor).operations.values():
            response = operation.response(404)
            assert response is not None, operation.id
            assert not operation.validator(response, CONTENT_TYPE, {}).is_valid(banana), operation.id


def test_an_error_has_only_an_identifier_of_its_status() -> None:
    """With every reading left in, and for every example that has one."""
    seen = 0
    for vendor in vendors():
        pointer = document(vendor).identifier
        if pointer is None:
            continue
        name = pointer.removeprefix("/")
        for operation in (*document(vendor).operations.values(), document(vendor).general):
            for response, example in examples_of_errors(operation):
                identifier: object = "banana" if isinstance(example.value[name], str) else 299
                if document(vendor).vendor == "crowdtwist" and example.status in {401, 403}:
                    identifier = "no_activities"  # no page names one for a refused key, but this has its meaning
                validator = operation.validator(response, example.media_type, {})
                assert not validator.is_valid({**example.value, name: identifier}), f"{operation.id} {example.name}"
                seen += 1
    assert seen


def examples_of_errors(operation: Operation) -> Iterator[tuple[Response, Example]]:
    for response in operation.responses.values():
        for example in response.examples.values():
            # No page says anything of a rate limit's body.
            if example.status >= 400 and example.status != 429:
                yield response, example


def test_every_reference_of_a_finding_names_an_example() -> None:
    """``x-problems`` of every level: document, operation, parameter, member, security scheme."""
    for vendor in vendors():
        names = {name for operation in every_operation_of(vendor) for name in operation.examples}
        assert {*problems_in(document(vendor).file.value)} <= names


def every_operation_of(vendor: str) -> list[Operation]:
    return [*document(vendor).operations.values(), document(vendor).general]


def problems_in(node: Any) -> Iterator[str]:
    if isinstance(node, Mapping):
        yield from node.get("x-problems", {}).values()
        for item in node.values():
            yield from problems_in(item)
    elif isinstance(node, list):
        for item in node:
            yield from problems_in(item)


def test_a_reading_quotes_both_sides_and_gives_its_reason() -> None:
    """A contradiction is shown, and not only decided."""
    for vendor in vendors():
        for reading in document(vendor).sources.readings.values():
            assert len({(quote.source, quote.text) for quote in reading.quotes}) >= 2
            assert reading.taken in reading.options
            assert reading.taken not in reading.tolerated
            assert reading.question.endswith("?")
            assert reading.reason


def test_every_option_that_a_document_marks_is_one_of_at_least_two() -> None:
    """A branch that could not be otherwise would not be marked."""
    for vendor in vendors():
        text = document(vendor).file.path.read_text(encoding="utf-8")
        for mark in {*re.findall(r"x-reading: ([^\s}]+)", text)}:
            assert len(document(vendor).sources.readings[mark.partition("=")[0]].options) >= 2, mark
