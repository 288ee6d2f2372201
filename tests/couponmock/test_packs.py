"""A mock that is started with files of one's own, laid over one another."""

from pathlib import Path

import pytest
from running_mock import Mock, couponmock, log_lines, serving

MINE = """\
vendor: crowdtwist
pack: mine
entities:
  member:
    zoe: {client: sunshine, id: "2001"}
  coupon:
    generated: null
    used:
      {
        client: sunshine, state: issued, owner: zoe, code: "ZOE-1", reward_id: 1, redeem_order_id: 2,
        redeem_order_coupon_id: 3, total_points_redeemed: 4, ending_balance: 5, quantity: 1, reward_title: A treat,
        coupon_category_id: 6, coupon_category_name: Treats, coupon_category_expiration_days: null, batch_num: 7,
        date_to_expire: +1d, order_date_created: -1d, coupon_date_created: -2d
      }
"""
UNUSE = "/v2/coupon/unuse?api_key=QWERTY"


@pytest.fixture
def mine(tmp_path: Path) -> str:
    """Write a layer and return its path, relative to where the mock is started."""
    (tmp_path / "my pack.yaml").write_text(MINE, encoding="utf-8")
    return "./my pack.yaml"


def zoes(mock: Mock) -> list[str]:
    """Return the codes that Zoe can use."""
    return [coupon["code"] for coupon in mock.send("GET", "/v2/users/2001/usable_coupons?api_key=QWERTY").json]


def test_requests_meet_the_world_of_all_layers(tmp_path: Path, mine: str) -> None:
    """Replaced, added and deleted entities in both workers; the packs below can still be had by their names."""
    with serving(tmp_path, "--pack", "demo", "--pack", mine, "--workers", "2") as mock:
        assert mock.admin("GET", "/version").json["pack"] == "mine"
        assert mock.admin("GET", "/version").json["packs"] == ["demo", "documented", "mine"]
        for _ in range(6):
            assert zoes(mock) == ["ZOE-1"]
            assert mock.post(UNUSE, {"coupon_value": "JDSI2JE"}).example == "no_data"
        assert mock.admin("GET", "/namespaces/default").json["pack"] == "mine"
        assert (
            mock.send("GET", "/api/v3/coupon/1", {"Authorization": "Basic YWNtZS1wdWJsaWM6YWNtZS1wcml2YXRl"}).status
            == 200
        )
        assert mock.new_world("demo").post(UNUSE, {"coupon_value": "JDSI2JE"}).example == "unused"
        assert zoes(mock.new_world("mine")) == zoes(mock.new_world()) == ["ZOE-1"]
        bound = mock.new_world().bindings("crowdtwist")
        assert bound["coupon.used"]["code"] == "ZOE-1"
        assert "coupon.generated" not in bound
        assert log_lines(mock, "More: couponmock fixtures --pack demo --pack './my pack.yaml'")


def test_a_vendors_file_alone_serves_that_vendor(tmp_path: Path) -> None:
    """With a curl for what its own table reaches."""
    (tmp_path / "small.json").write_text(
        '{"vendor": "chargeover", "pack": "small", "title": "Small", "clock": "now", "entities":'
        ' {"account": {"acme": {}}, "credential": {"main": {"scheme": "basic", "secret": "a:b", "principal": "acme"}}},'
        ' "reach": [{"operation": "getCoupon", "answer": "not_found", "handle": "-",'
        ' "request": {"path": {"coupon_id": 9}}}]}'
    )
    with serving(tmp_path, "--pack", "small.json", "--vendor", "chargeover") as mock:
        assert mock.send("GET", "/api/v3/coupon/9", {"Authorization": "Basic YTpi"}).example == "not_found"
        assert log_lines(mock, r"curl -sS -u a:b http.*/api/v3/coupon/9")


def test_the_fixtures_of_layers_are_those_of_the_whole(tmp_path: Path, mine: str) -> None:
    """A line about a deleted entity is gone; the others show the values of the upper layer."""
    demo, whole = (couponmock(tmp_path, "fixtures", *flags) for flags in ([], ["--pack", "demo", "--pack", mine]))
    assert (demo.returncode, whole.returncode) == (0, 0)
    assert "unuseCoupon -> 404 not_issued" in demo.stdout
    assert "unuseCoupon -> 404 not_issued" not in whole.stdout
    assert "handle: coupon.used   code=ZOE-1" in whole.stdout


def test_a_valid_file_is_said_to_be_valid(tmp_path: Path, mine: str) -> None:
    """Together with what it is laid over."""
    done = couponmock(tmp_path, "validate", "--pack", "demo", "--pack", mine)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"3 documents and 2 packs and demo with {mine} are valid\n"


@pytest.mark.parametrize("command", ["serve", "fixtures", "validate"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "./my pack.yaml #: No such file or directory"),
        ("a: b: c", "my pack.yaml:1 #: it is not YAML"),
        (
            MINE.replace("generated: null", "gone: null"),
            "my pack.yaml:7 #/entities/coupon/gone: there is no entity coupon",
        ),
        (
            MINE.replace("pack: mine", "pack: demo"),
            "my pack.yaml:2 #/pack: there is a pack 'demo' already. Fix: give it another name",
        ),
        ("format: 2\npack: x\nvendors: {}\n", "my pack.yaml:1 #/format: 1 was expected. Fix: write format: 1, the one"),
    ],
)
def test_a_file_with_a_mistake_is_one_line_and_exit_code_2(
    tmp_path: Path, mine: str, command: str, text: str | None, said: str
) -> None:
    """With file, line, pointer, reason and fix."""
    (tmp_path / mine).unlink()
    if text is not None:
        (tmp_path / mine).write_text(text)
    flags = ("--port", "0") if command == "serve" else ()
    done = couponmock(tmp_path, command, "--pack", "demo", "--pack", mine, *flags)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert done.stderr.startswith("couponmock: ")
    assert said.removeprefix("./") in done.stderr


def test_a_namespace_that_stays_on_another_pack_is_told_of_at_the_start(tmp_path: Path, mine: str) -> None:
    """One line says what to do; after that, nothing is said."""
    state = ("--state", f"sqlite:///{tmp_path / 'state.db'}")
    layers = ("--pack", "demo", "--pack", mine)
    warning = (
        "couponmock: the namespace 'default' is kept from before, with the pack demo, not mine; drop it with DELETE"
    )
    with serving(tmp_path, *state) as mock:
        assert not log_lines(mock, "kept from before")
        assert mock.post(UNUSE, {"coupon_value": "JDSI2JE"}).example == "unused"
        mock.stop()
    with serving(tmp_path, *state, *layers) as mock:
        [line] = log_lines(mock, "kept from before")
        assert line.startswith(warning)
        assert mock.post(UNUSE, {"coupon_value": "JDSI2JE"}).example == "not_used"
        assert mock.admin("DELETE", "/namespaces/default").status == 204
        assert zoes(mock) == ["ZOE-1"]
        mock.stop()
    with serving(tmp_path, *state, *layers) as mock:
        assert not log_lines(mock, "kept from before")
        assert zoes(mock) == ["ZOE-1"]


def test_coverage_shows_no_requests_for_a_pack_that_the_server_does_not_have(tmp_path: Path, mine: str) -> None:
    """Those of its own pack would name entities that are not there."""
    state = ("--state", f"sqlite:///{tmp_path / 'state.db'}")
    with serving(tmp_path, *state, "--pack", "demo", "--pack", mine) as mock:
        assert zoes(mock) == ["ZOE-1"]
        mock.stop()
    with serving(tmp_path, *state) as mock:
        kept, fresh = (
            [
                example["reach"]
                for vendor in world.send("GET", "/__admin/coverage").json["vendors"]
                for operation in vendor["operations"]
                for example in operation["examples"]
            ]
            for world in (mock, mock.new_world())
        )
        assert not any(kept)
        assert any(fresh)
        assert zoes(mock) == ["ZOE-1"]


def test_a_file_that_has_changed_is_another_pack(tmp_path: Path, mine: str) -> None:
    """A namespace made from the earlier one stays as it was."""
    state = ("--state", f"sqlite:///{tmp_path / 'state.db'}", "--pack", "demo", "--pack", mine)
    with serving(tmp_path, *state) as mock:
        assert zoes(mock) == ["ZOE-1"]
        mock.stop()
    (tmp_path / mine).write_text(MINE.replace("ZOE-1", "ZOE-2"))
    with serving(tmp_path, *state) as mock:
        assert log_lines(mock, "kept from before, with the pack mine-[0-9a-f]{12}, not mine")
        assert zoes(mock) == ["ZOE-1"]
        assert zoes(mock.new_world()) == ["ZOE-2"]
