"""Seeded worlds: moments, look-ups, bindings and what makes two packs the same."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from couponspec import Kind, Pack, load_document, load_pack, locate, packs, vendors
from couponspec.pack import load_kinds, lookup, moment
from vendor_tree import VendorTree

EPOCH = 1_478_908_800
"""2016-11-12T00:00:00Z."""

KIND = Kind(
    name="coupon",
    schema={
        "properties": {
            "code": {"type": "string"},
            "made": {"$ref": "#/$defs/moment"},
            "expires": {"anyOf": [{"$ref": "#/$defs/moment"}, {"type": "null"}]},
        }
    },
    keys=(("client", "code"),),
    lookups=(("client", "owner"),),
    references={},
)


def every_pack() -> Iterator[Pack]:
    for vendor in vendors():
        document = load_document(vendor)
        for name in packs(vendor):
            yield load_pack(document, name)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1_479_450_627, 1_479_450_627),
        (1_479_450_627.0, 1_479_450_627),
        ("2016-11-12T00:00:00Z", EPOCH),
        ("2016-11-12T01:00:00+01:00", EPOCH),
        ("2016-11-11T18:30:00-05:30", EPOCH),
        ("+30s", EPOCH + 30),
        ("-5m", EPOCH - 300),
        ("-1h", EPOCH - 3600),
        ("+90d", EPOCH + 90 * 86_400),
        ("+2w", EPOCH + 14 * 86_400),
        ("+0d", EPOCH),
        (None, None),
    ],
)
def test_a_moment_is_unix_seconds_whatever_it_is_written_as(value: Any, expected: int | None) -> None:
    """Absolute times as they are, offsets from the epoch, null as null."""
    found = moment(value, EPOCH)
    assert (found, type(found)) == (expected, type(expected))


@pytest.mark.parametrize(
    "text", ["soon", "+90", "90d", "+1.5h", "2016-11-12", "2016-11-12T00:00:00", "2016-02-30T00:00:00Z", "T", "+1y"]
)
def test_a_text_that_is_no_moment_is_refused_in_a_pack(text: str, tmp_path: Path) -> None:
    """Also where nothing but our own dependencies is installed: jsonschema alone does not know the format."""
    tree = VendorTree.copied(tmp_path, ["crowdtwist"])
    file = "fixtures/crowdtwist/documented.yaml"
    line = tree.replace(file, "coupon_date_created: 1478706211", f"coupon_date_created: '{text}'")
    [fault] = tree.faults()
    assert (fault.line, fault.pointer) == (line, "#/entities/coupon/twenty/coupon_date_created")
    assert fault.fix


def test_a_time_without_zone_is_no_date_time_of_a_schema(tmp_path: Path) -> None:
    """ChargeOver's form with a blank has no zone; the one with a T has to have one."""
    tree = VendorTree.copied(tmp_path, ["chargeover"])
    tree.replace("fixtures/chargeover/documented.yaml", "2021-05-25 08:23:05", "2021-05-25T08:23:05")
    [fault] = tree.faults()
    assert fault.pointer == "#/entities/coupon/printed/write_datetime"


def test_only_the_moments_of_an_entity_are_rendered() -> None:
    """A code that looks like an offset stays a code."""
    data = {"code": "+90d", "made": "-1d", "expires": None}
    assert KIND.moments == ("made", "expires")
    assert KIND.rendered(data, EPOCH) == {"code": "+90d", "made": EPOCH - 86_400, "expires": None}
    assert data["made"] == "-1d"


def test_an_entity_is_found_by_its_keys_and_lookups() -> None:
    """A combination with a null or a missing member finds nothing."""
    whole = {"client": "sunshine", "code": "X", "owner": "alice"}
    assert KIND.index(whole) == [("client+code", '["sunshine", "X"]'), ("client+owner", '["sunshine", "alice"]')]
    assert KIND.index({**whole, "owner": None}) == [("client+code", '["sunshine", "X"]')]
    assert KIND.index({"code": "X"}) == []


def test_a_lookup_tells_numbers_from_texts_and_takes_its_members_in_any_order() -> None:
    """``1`` is not ``"1"``; non-ASCII stays readable."""
    assert lookup({"b": 1, "a": "é"}) == lookup({"a": "é", "b": 1}) == ("a+b", '["é", 1]')
    assert lookup({"a": 1}) != lookup({"a": "1"})


def test_bindings_are_all_entities_by_handle_with_their_times_from_an_epoch() -> None:
    """What a client of a namespace made at that moment sees."""
    pack = load_pack(load_document("crowdtwist"), "demo")
    assert {*pack.bindings(EPOCH)} == {entity.handle for entity in pack.entities}
    assert pack.bindings(EPOCH)["coupon.twenty"]["date_to_expire"] == EPOCH + 6 * 86_400
    assert pack.bindings(0)["coupon.twenty"]["date_to_expire"] == 6 * 86_400
    assert pack.bindings(0)["coupon.forever"]["date_to_expire"] is None


def test_a_binding_shows_the_vendors_members_and_none_of_the_packs() -> None:
    """What an entity answers, and what is inferred of it, is between the pack and the mock."""
    for pack in every_pack():
        for entity in pack.entities:
            assert not {"answers", "inferred"} & {*entity.data}
    demo = load_pack(load_document("crowdtwist"), "demo")
    [breaks] = [entity for entity in demo.entities if entity.handle == "member.breaks"]
    assert breaks.answers == {"listUsableCoupons": "internal_error", "redeemReward": "internal_error"}


def test_the_documented_packs_clock_stands_still_and_the_demo_packs_runs() -> None:
    """All vendors agree."""
    assert {(pack.name, pack.frozen) for pack in every_pack()} == {("demo", None), ("documented", EPOCH)}


def test_every_request_of_a_pack_can_be_made(tmp_path: Path) -> None:
    """It is part of being valid; the vendors' own packs have no faults."""
    assert VendorTree.copied(tmp_path, vendors()).faults() == []


def test_a_pack_has_another_digest_when_its_content_changes(tmp_path: Path) -> None:
    """Two servers on one store share a pack only if it is the same."""
    document = load_document("chargeover")
    pack = load_pack(document, "documented")
    assert load_pack(document, "documented").digest == pack.digest
    tree = VendorTree.copied(tmp_path, ["chargeover"])
    tree.replace("fixtures/chargeover/documented.yaml", "enabled: true", "enabled: false")
    assert load_pack(document, "documented", tmp_path).digest != pack.digest


def test_a_pack_has_another_digest_when_its_entities_are_found_otherwise() -> None:
    """A store is filled with look-ups as well as with entities."""
    pack = load_pack(load_document("chargeover"), "documented")
    coupon = replace(pack.kinds["coupon"], lookups=(("code",),))
    assert replace(pack, kinds={**pack.kinds, "coupon": coupon}).digest != pack.digest


def test_every_kind_that_a_vendor_declares_is_seeded_in_the_demo_pack() -> None:
    """A kind that nobody seeds is not needed."""
    for vendor in vendors():
        _, kinds = load_kinds(load_document(vendor))
        demo = load_pack(load_document(vendor), "demo")
        assert {entity.kind for entity in demo.entities} == {*kinds}


def test_vendors_and_packs_are_found_by_listing_folders(tmp_path: Path) -> None:
    """Adding one edits no list."""
    VendorTree.copied(tmp_path, ["chargeover", "crowdtwist"])
    (tmp_path / "specs" / "notes").mkdir()
    assert locate.vendors(tmp_path) == ["chargeover", "crowdtwist"]
    (tmp_path / "fixtures" / "chargeover" / "large.yaml").touch()
    assert locate.packs("chargeover", tmp_path) == ["demo", "documented", "large"]
