"""Both ways: whatever a page documents is a requirement or excluded with a reason, and each requirement has its page.

That each quotation is one of `sources.yaml` is checked whenever a catalogue is loaded.
"""

from itertools import chain

import pytest
from broken_server import VENDORS, catalogue
from couponspec import Operation, load_document

SEEDS = {"crowdtwist": ("unuse", "usable-coupons"), "chargeover": ("get-coupon",), "shoplazza": ("receive",)}
"""Vendor -> the pages that everything rests on."""


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_named_example_of_every_operation_is_cited(vendor: str) -> None:
    """But for those that another reading puts in the place of one: the requirement of that one tolerates both."""
    document = load_document(vendor)
    requirements = catalogue(vendor).requirements
    uncited = {
        (operation.id, example)
        for operation in document.operations.values()
        if not operation.companion
        for example in usual(operation)
        if not any(
            example in requirement.cites for requirement in requirements if requirement.operation == operation.id
        )
    }
    assert uncited == set()
    anywhere = {example for requirement in requirements for example in requirement.cites}
    assert usual(document.general) <= anywhere


def usual(operation: Operation) -> set[str]:
    return {name for name, example in operation.examples.items() if not example.instead_of}


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_section_of_the_pages_is_quoted_by_a_requirement(vendor: str) -> None:
    quoted = {requirement.page for requirement in catalogue(vendor).requirements}
    sections = {place for place in load_document(vendor).sources.headings if place.partition("#")[0] in SEEDS[vendor]}
    assert sections - quoted == set()
    assert sections


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_operation_has_requirements_of_every_layer(vendor: str) -> None:
    for operation in load_document(vendor).operations.values():
        own = [requirement for requirement in catalogue(vendor).checked if requirement.operation == operation.id]
        if operation.companion:
            continue
        assert any(requirement.calls for requirement in own)
        assert any(requirement.contract for requirement in own)
        assert any(requirement.generated for requirement in own)


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("of", ["success", "errors"])
def test_whatever_else_is_wrong_with_an_answer_some_requirement_is_about(vendor: str, of: str) -> None:
    for operation in load_document(vendor).operations.values():
        own = [one for one in catalogue(vendor).checked if one.operation == operation.id and one.contract]
        whole = [one for one in own if one.contract and one.contract.of == of and not one.contract.member]
        assert operation.companion or len(whole) == 1


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_requirement_that_leaves_a_reading_open_names_one_of_the_sources(vendor: str) -> None:
    readings = load_document(vendor).sources.readings
    assert {requirement.reading for requirement in catalogue(vendor).requirements} - {""} <= set(readings)


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_text_is_a_sentence_that_no_other_requirement_of_the_operation_has(vendor: str) -> None:
    texts = [(requirement.operation, requirement.text) for requirement in catalogue(vendor).requirements]
    assert len(set(texts)) == len(texts)
    assert all(text.endswith(".") for _, text in texts)


def test_no_two_requirements_of_any_vendors_share_an_id() -> None:
    ids = [requirement.id for requirement in chain.from_iterable(catalogue(vendor).requirements for vendor in VENDORS)]
    assert len(set(ids)) == len(ids)
