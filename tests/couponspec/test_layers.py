"""Worlds in files: read, laid over one another, and every mistake named where it is written."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from couponspec import Document, FaultyFile, Pack, load_document, load_layers, vendors
from couponspec.layers import names_file

VENDORS = tuple(vendors())
ACCOUNT = "account: {acme: {}}"
KEY = "credential: {main: {scheme: basic, secret: 'a:b', principal: acme}}"
COUPON = (
    "{account: acme, coupon_id: 7, code: SEVEN, descrip: Seven, type: give-a-discount, enabled: true,"
    " write_datetime: '2021-05-25 08:23:05', write_ipaddr: 172.19.0.1}"
)
SMALL = f"vendor: chargeover\npack: small\ntitle: Small\nclock: now\nentities:\n  {ACCOUNT}\n  {KEY}\n"

Write = Callable[[str, str], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Give a function that writes a file and returns its path."""

    def writing(name: str, text: str) -> str:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return str(tmp_path / name)

    return writing


def documents(*names: str) -> dict[str, Document]:
    """Return the documents of some vendors, or of all."""
    return {vendor: load_document(vendor) for vendor in names or VENDORS}


def layered(layers: Sequence[str], *names: str) -> dict[str, Pack]:
    """Lay packs over one another for some vendors, or for all."""
    return load_layers(documents(*names), layers)


def faults(layers: Sequence[str], *names: str) -> list[tuple[str, int | None, str, str]]:
    """Return file, line, pointer and reason of all that is wrong with layers."""
    with pytest.raises(FaultyFile) as caught:
        layered(layers, *names)
    assert all(fault.fix for fault in caught.value.faults)
    return [(fault.file.name, fault.line, fault.pointer, fault.reason) for fault in caught.value.faults]


def members(packs: dict[str, Pack], vendor: str, handle: str) -> dict[str, Any] | None:
    """Return the members of an entity; None if there is none."""
    return packs[vendor].bindings(0).get(handle)


@pytest.mark.parametrize(
    ("layer", "file"),
    [
        ("demo", False),
        ("./demo", True),
        ("a.yaml", True),
        ("a.yml", True),
        ("a.json", True),
        ("a\\b", True),
        ("yaml", False),
    ],
)
def test_a_layer_with_a_slash_or_a_suffix_is_a_file(layer: str, *, file: bool) -> None:
    """Everything else is the name of a pack."""
    assert names_file(layer) is file


def test_a_vendors_pack_in_a_file_is_a_world_of_that_vendor(write: Write) -> None:
    """With its name, its title and its clock."""
    packs = layered([write("a.yaml", SMALL)], "chargeover")
    assert [(pack.name, pack.title, pack.frozen) for pack in packs.values()] == [("small", "Small", None)]
    assert packs["chargeover"].bindings(0).keys() == {"account.acme", "credential.main"}


def test_a_world_holds_any_number_of_vendors(write: Write) -> None:
    """In JSON as in YAML; vendors that are not acted out are left aside."""
    world = {
        "format": 1,
        "pack": "W.1",
        "title": "All",
        "clock": "2016-11-12T00:00:00Z",
        "vendors": {
            vendor: {"entities": {}} | ({"entities": {"credential": {"wrong": item}}})
            for vendor, item in {
                "chargeover": {"scheme": "basic", "secret": "a:b", "principal": None},
                "crowdtwist": {"scheme": "api_key", "secret": "a", "principal": None},
                "shoplazza": {"scheme": "access_token", "secret": "a", "principal": None, "scopes": []},
            }.items()
        },
    }
    for name in ("w.json", "w.yaml"):
        packs = layered([write(name, json.dumps(world))])
        assert {vendor: (pack.name, pack.title, pack.frozen) for vendor, pack in packs.items()} == dict.fromkeys(
            VENDORS, ("W.1", "All", 1_478_908_800)
        )
        assert [*layered([write(name, json.dumps(world))], "shoplazza")] == ["shoplazza"]


def test_the_upper_layer_wins_handle_by_handle(write: Write) -> None:
    """It replaces a whole entity, adds one, deletes one, and leaves the others alone."""
    upper = write(
        "a.yaml",
        "vendor: chargeover\npack: mine\nentities:\n  coupon:\n"
        f"    disabled: {COUPON}\n    new: {COUPON.replace('7', '8')}\n    trial: null\n",
    )
    below, packs = layered(["demo"]), layered(["demo", upper])
    assert packs["chargeover"].name == "mine"
    assert packs["chargeover"].title == below["chargeover"].title
    changed = {"coupon.disabled", "coupon.new", "coupon.trial"}
    assert (members(packs, "chargeover", "coupon.disabled") or {})["code"] == "SEVEN"
    assert "discount_item_id" not in (members(packs, "chargeover", "coupon.disabled") or {})
    assert (members(packs, "chargeover", "coupon.new") or {})["coupon_id"] == 8
    assert members(packs, "chargeover", "coupon.trial") is None
    for vendor in VENDORS:
        before, after = below[vendor].bindings(0), packs[vendor].bindings(0)
        assert {handle for handle in {*before, *after} if before.get(handle) != after.get(handle)} == (
            changed if vendor == "chargeover" else set()
        )


def test_null_inside_an_entity_is_a_value(write: Write) -> None:
    """Only a handle is deleted by it."""
    upper = write(
        "a.yaml",
        "vendor: crowdtwist\npack: mine\nentities:\n"
        "  credential: {main: {scheme: api_key, secret: X, principal: null}}\n",
    )
    assert members(layered(["demo", upper]), "crowdtwist", "credential.main") == {
        "scheme": "api_key",
        "secret": "X",
        "principal": None,
    }


def test_what_a_layer_deletes_another_can_bring_back(write: Write) -> None:
    """Later wins, always."""
    gone = write("gone.yaml", "vendor: chargeover\npack: gone\nentities: {coupon: {disabled: null}}\n")
    back = write("back.yaml", f"vendor: chargeover\npack: back\nentities: {{coupon: {{disabled: {COUPON}}}}}\n")
    assert members(layered(["demo", gone]), "chargeover", "coupon.disabled") is None
    assert members(layered(["demo", gone, back]), "chargeover", "coupon.disabled") is not None
    assert members(layered(["demo", back, gone]), "chargeover", "coupon.disabled") is None


def test_the_last_clock_and_title_are_those_of_the_whole(write: Write) -> None:
    """A layer may leave them out."""
    frozen = write("a.yaml", "vendor: chargeover\npack: a\nclock: '2020-01-01T00:00:00Z'\nentities: {}\n")
    titled = write("b.yaml", "format: 1\npack: b\ntitle: Mine\nvendors: {chargeover: {entities: {}}}\n")
    packs = layered(["demo", frozen, titled])
    assert {pack.frozen for pack in packs.values()} == {1_577_836_800}
    assert (packs["chargeover"].title, packs["shoplazza"].title) == ("Mine", "A small store")
    assert {pack.frozen for pack in layered(["demo", frozen, "documented"]).values()} == {1_478_908_800}


def test_packs_by_name_alone_are_named_after_all_of_them() -> None:
    """There is no file that could name the whole."""
    assert layered(["demo", "demo"], "chargeover")["chargeover"].name == "demo+demo"


def test_the_content_and_not_the_layers_make_a_pack_the_same(write: Write) -> None:
    """Two servers on one store share it if they hold the same."""
    file = write("a.yaml", SMALL)
    again = write("b.json", json.dumps({"vendor": "chargeover", "pack": "b", "entities": {"account": {"acme": {}}}}))
    other = write("c.yaml", "vendor: chargeover\npack: c\nentities: {account: {acme: {title: X}}}\n")
    digests = [layered(layers, "chargeover")["chargeover"].digest for layers in ([file], [file, again], [file, other])]
    assert digests[0] == digests[1] != digests[2]


# -- how to reach answers -------------------------------------------------------------------------------------------


def answers(packs: dict[str, Pack], vendor: str = "chargeover") -> list[tuple[str, str]]:
    """Return answer and handle of every line."""
    return [(line.answer, line.handle) for line in packs[vendor].reach]


def test_a_line_of_a_lower_layer_goes_with_the_entity_that_it_names(write: Write) -> None:
    """Deleted as a handle or as a name in the request; the other lines stay."""
    upper = write(
        "a.yaml",
        "vendor: chargeover\npack: a\nentities: {coupon: {printed: null}, credential: {wrong: null}}\n",
    )
    before, after = answers(layered(["demo"])), answers(layered(["demo", upper]))
    assert {"found", "missing_authorization", "wrong_authorization"} <= {answer for answer, _ in before}
    assert after == [line for line in before if line[1] not in {"coupon.printed", "credential.wrong"}]


def test_a_line_of_a_lower_layer_goes_when_its_entity_loses_the_member(write: Write) -> None:
    """Nothing could be sent."""
    line = "reach: [{operation: getCoupon, answer: found, handle: '-', request: {url: '/{account.acme.title}'}}]\n"
    whole = write("a.yaml", SMALL.replace("acme: {}", "acme: {title: x}") + line)
    untitled = write("b.yaml", "vendor: chargeover\npack: b\nentities: {account: {acme: {}}}\n")
    assert answers(layered([whole], "chargeover")) == [("found", "-")]
    assert answers(layered([whole, untitled], "chargeover")) == []


def test_a_line_of_an_upper_layer_takes_the_place_of_the_one_for_the_same_answer(write: Write) -> None:
    """So that the first answer of an operation stays the one that succeeds."""
    upper = write(
        "a.yaml",
        "vendor: chargeover\npack: a\nentities: {}\nreach:\n"
        "  - {operation: getCoupon, answer: found, handle: coupon.trial, request: {path: {coupon_id: 4}}}\n",
    )
    before, after = answers(layered(["demo"])), answers(layered(["demo", upper]))
    assert before[0] == ("found", "coupon.printed")
    assert after == [("found", "coupon.trial"), *before[1:]]


# -- mistakes -------------------------------------------------------------------------------------------------------


def line_of(entities: str, handle: str, coupon: str) -> str:
    """Write a line of how to reach an answer, below the entities of a layer."""
    request = f"request: {{path: {{coupon_id: {coupon}}}}}"
    return f"{entities}\nreach:\n- {{operation: getCoupon, answer: found, handle: {handle}, {request}}}\n"


OVER_DEMO = {
    "a deletion of nothing": (
        "entities:\n  coupon:\n    nope: null\n",
        5,
        "#/entities/coupon/nope",
        "there is no entity coupon.nope to delete",
    ),
    "a deletion of what others name": (
        "entities:\n  account:\n    globex: null\n",
        5,
        "#/entities/account/globex",
        "credential.other still names it in principal",
    ),
    "a key that a lower layer has": (
        f"entities:\n  coupon:\n    mine: {COUPON.replace('7', '2')}\n",
        5,
        "#/entities/coupon/mine",
        "account and coupon_id are those of coupon.disabled",
    ),
    "a reference to nothing": (
        f"entities:\n  coupon:\n    mine: {COUPON.replace('acme', 'emca')}\n",
        5,
        "#/entities/coupon/mine/account",
        "there is no entity account.emca",
    ),
    "a part of an entity": (
        "entities:\n  coupon:\n    printed: {enabled: false}\n",
        5,
        "#/entities/coupon/printed",
        "'account' is a required property",
    ),
    "an unknown kind": ("entities:\n  voucher:\n    a: {}\n", 5, "#/entities/voucher/a", "there is no kind 'voucher'"),
    "a line of its own about what it deletes": (
        line_of("entities: {coupon: {trial: null}}", "coupon.trial", "1"),
        5,
        "#/reach/0/handle",
        "there is no entity coupon.trial",
    ),
    "a line about an entity that never was": (
        line_of("entities: {}", "'-'", "'{coupon.x.code}'"),
        5,
        "#/reach/0/request",
        "nothing is named coupon.x.code",
    ),
    "a line about no answer": (
        "entities: {}\nreach:\n- {operation: getCoupon, answer: x, handle: '-', request: {path: {coupon_id: 1}}}\n",
        5,
        "#/reach/0/answer",
        "getCoupon has no example 'x'",
    ),
    "no entities": ("", 1, "#", "'entities' is a required property"),
}


@pytest.mark.parametrize("mistake", OVER_DEMO.values(), ids=[name.replace(" ", "-") for name in OVER_DEMO])
def test_a_mistake_over_the_demo_pack_is_named_where_it_is_written(
    write: Write, mistake: tuple[str, int, str, str]
) -> None:
    """It is the overlay's fault, not that of the pack below."""
    text, line, pointer, reason = mistake
    upper = write("a.yaml", "vendor: chargeover\npack: a\n" + text)
    found = faults(["demo", upper], "chargeover")
    assert found[0] == ("a.yaml", line, pointer, reason)
    assert {name for name, *_ in found} == {"a.yaml"}


ALONE = {
    "no clock": (SMALL.replace("clock: now\n", ""), 1, "#", "no layer gives a clock"),
    "a clock before 1970": (
        SMALL.replace("clock: now", "clock: '1960-01-01T00:00:00Z'"),
        4,
        "#/clock",
        "no clock stands at 1960-01-01T00:00:00Z",
    ),
    "a clock after 9999": (
        SMALL.replace("clock: now", "clock: '9999-12-31T23:59:59-14:00'"),
        4,
        "#/clock",
        "no clock stands at 9999-12-31T23:59:59-14:00",
    ),
    "a counter below zero": (
        "format: 1\npack: a\nvendors:\n  chargeover: {entities: {}, counters: {one: -1}}\n",
        4,
        "#/vendors/chargeover/counters/one",
        "-1 is less than the minimum of 0",
    ),
    "no credential": (SMALL.replace(KEY, "coupon: {}"), 5, "#/entities", "there is no credential of chargeover"),
    "a deletion": (SMALL.replace("{acme: {}}", "{acme: {}, b: null}"), 6, "#/entities/account/b", "to delete"),
    "an unknown vendor": (SMALL.replace("chargeover", "nobody"), 1, "#/vendor", "there is no vendor 'nobody'"),
    "another format": ("format: 2\npack: a\nvendors: {}\n", 1, "#/format", "1 was expected"),
    "no format": ("pack: a\nvendors: {}\n", 1, "#", "'format' is a required property"),
    "a name that is none": ("format: 1\npack: a b\nvendors: {}\n", 2, "#/pack", "'a b' does not match"),
    "an unknown member": (f"{SMALL}entries: {{}}\n", 1, "#", "'entries' was unexpected"),
    "a vendor of a world that is none": (
        "format: 1\npack: a\nvendors:\n  nobody: {entities: {}}\n",
        4,
        "#/vendors/nobody",
        "there is no vendor 'nobody'",
    ),
    "another vendor alone": (
        "format: 1\npack: a\nclock: now\nvendors: {}\n",
        1,
        "#",
        "no layer has entities of chargeover",
    ),
    "no mapping": ("- 1\n", 1, "#", "is not of type 'object'"),
    "nothing": ("", None, "#", "None is not of type 'object'"),
}


@pytest.mark.parametrize("mistake", ALONE.values(), ids=[name.replace(" ", "-") for name in ALONE])
def test_a_mistake_of_a_file_alone_is_named_with_its_line(
    write: Write, mistake: tuple[str, int | None, str, str]
) -> None:
    """As for the vendors' own packs."""
    text, line, pointer, reason = mistake
    [found] = faults([write("a.yaml", text)], "chargeover")
    assert found[:3] == ("a.yaml", line, pointer)
    assert reason in found[3]


def test_a_fault_of_a_json_file_has_its_line(write: Write) -> None:
    """Though it is read without lines."""
    text = json.dumps({"vendor": "chargeover", "pack": "a", "entities": {"coupon": {"x": None}}}, indent=1)
    [found] = faults(["demo", write("a.json", text)], "chargeover")
    assert found[:3] == ("a.json", 1 + text[: text.index('"x"')].count("\n"), "#/entities/coupon/x")


def test_a_world_without_a_vendor_that_is_acted_out_says_what_to_do(write: Write) -> None:
    """Lay it over the demo pack, or serve its vendors alone."""
    with pytest.raises(FaultyFile) as caught:
        layered([write("a.yaml", SMALL)])
    [fault] = caught.value.faults
    assert fault.reason == "no layer has entities of crowdtwist and shoplazza"
    assert fault.fix == "put --pack demo before it, or serve --vendor chargeover alone"


@pytest.mark.parametrize(
    ("layer", "reason"),
    [("nope", "not every vendor has a pack 'nope'"), ("./nope.json", "No such file"), ("./nope.yaml", "No such file")],
)
def test_a_layer_that_is_not_there_is_one_fault(layer: str, reason: str) -> None:
    """By name as by path."""
    [found] = faults(["demo", layer], "chargeover")
    assert reason in found[3]


def test_a_file_of_a_thousand_mistakes_names_a_hundred(write: Write) -> None:
    """Nobody reads more."""
    text = json.dumps({"vendor": "chargeover", "pack": "a", "entities": {"coupon": {f"c{n}": {} for n in range(1000)}}})
    assert len(faults(["demo", write("a.json", text)], "chargeover")) == 100


def test_names_of_entities_may_have_dots_inside(write: Write) -> None:
    """As those of entities that an operation has made; a request can name them."""
    line = (
        "reach: [{operation: getCoupon, answer: found, handle: coupon.a.b,"
        " request: {path: {coupon_id: '{coupon.a.b.coupon_id}'}}}]\n"
    )
    packs = layered([write("a.yaml", f"{SMALL}  coupon:\n    a.b: {COUPON}\n{line}")], "chargeover")
    assert (members(packs, "chargeover", "coupon.a.b") or {})["coupon_id"] == 7
    for name in (".a", "a.", "a..b", "A.b"):
        assert faults([write("b.yaml", f"{SMALL}  coupon:\n    {name}: {COUPON}\n")], "chargeover")
