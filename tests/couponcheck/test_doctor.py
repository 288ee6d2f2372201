"""`couponcheck doctor`: is the target as its file says, and what would enable more requirements?"""

import contextlib
import json
import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from broken_server import VENDORS, serving
from click.testing import CliRunner
from couponcheck.commands import couponcheck
from couponmock.exchange import Handler, Reply
from couponspec import load_document
from target_files import contents, environment, seeded, written

NOT_READY = "not ready: something is missing, is not as the file says, or cannot be told"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for vendor in VENDORS:
        for name, value in environment(vendor).items():
            monkeypatch.setenv(name, value)


def examined(folder: Path, raw: Mapping[str, Any]) -> tuple[int, list[str]]:
    done = CliRunner().invoke(couponcheck, ["doctor", str(written(folder, raw))])
    return done.exit_code, done.output.replace(f"{folder}/", "").splitlines()


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_target_with_everything_is_ready_and_stays_as_it_is(vendor: str, tmp_path: Path) -> None:
    with serving(vendor) as url:
        before = seeded(url, vendor)
        code, lines = examined(tmp_path, contents(url, vendor))
        assert seeded(url, vendor) == before
    untold = sum(line.startswith("  untold") for line in lines)
    assert (code, lines[-1]) == (
        0,
        "target.yaml: ready" + (f"; {untold} cannot be verified by reading" if untold else ""),
    ), lines
    assert lines[0] == "target.yaml is well formed."
    assert lines[1] == f"The environment has {', '.join(sorted(environment(vendor)))}."
    assert lines[3] == f"{vendor}: {url} answers."
    assert "  ok     credential.main is accepted" in lines
    assert "  ok     credential.wrong is refused" in lines
    assert [line for line in lines if line.startswith("  wrong")] == []
    (enabled,) = [line for line in lines if line.startswith("  The data enables")]
    number, total = enabled.split()[3], enabled.split()[5]
    assert number == total


def test_what_cannot_be_read_is_said_to_be_untold(tmp_path: Path) -> None:
    with serving("shoplazza") as url:
        _, lines = examined(tmp_path, contents(url, "shoplazza"))
    assert "  ok     credential.no_scope is refused" in lines
    assert "  untold coupon.welcome cannot be verified by reading" in lines


def test_a_coupon_that_is_nowhere_is_never_said_to_be_there(tmp_path: Path) -> None:
    """That it is in no list is true of a used coupon, and of one that does not exist."""
    untold = "cannot be verified by reading: one that is made up is not listed for its member as well"
    with serving("crowdtwist") as url:
        raw = contents(url, "crowdtwist")
        raw["vendors"]["crowdtwist"]["data"]["coupon.used"] = {"code": "NO-SUCH-CODE"}
        raw["vendors"]["crowdtwist"]["data"]["coupon.five"] = {"code": "NO-SUCH-CODE"}
        code, lines = examined(tmp_path, raw)
    assert f"  untold coupon.used {untold}" in lines
    assert f"  untold coupon.expired {untold}" in lines
    assert [line for line in lines if line.startswith("  wrong  coupon.five should be listed for its member")]
    assert "  ok     coupon.twenty is listed for its member" in lines
    assert code == 1


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_server_that_takes_any_credential_never_makes_a_target_ready(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says of what is made up what the vendor says, so to be accepted proves nothing there."""
    accepted = {"crowdtwist": "unknown_member", "chargeover": "not_found", "shoplazza": "customer_not_exist"}
    operations = load_document(vendor).operations.values()
    (example,) = [one for item in operations for name, one in item.examples.items() if name == accepted[vendor]][:1]

    def answer_anybody(_handler: Handler) -> Handler:
        return lambda _: Reply(example.status, "application/json", json.dumps(example.value).encode())

    for name in environment(vendor):
        monkeypatch.setenv(name, "wrong-one")
    with serving(vendor, handling=answer_anybody) as url:
        raw = contents(url, vendor)
        raw["vendors"][vendor]["credentials"] = {"main": raw["vendors"][vendor]["credentials"]["main"]}
        code, lines = examined(tmp_path, raw)
    untold = "cannot be verified by reading: one that is made up is accepted as well"
    assert f"  untold credential.main {untold}" in lines
    assert (code, lines[-1]) == (1, f"target.yaml: {NOT_READY}")


@pytest.mark.parametrize("vendor", VENDORS)
def test_where_nobody_acts_as_the_vendor_it_says_so_once_and_looks_at_nothing(
    vendor: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment(vendor).items():
        monkeypatch.setenv(name, value)
    with serving(vendor) as url:
        code, lines = examined(tmp_path, {**contents(url, vendor), "base_url": f"{url}/openapi/2022-01"})
    (said,) = [line for line in lines if line.startswith(f"{vendor}: ")]
    assert said.startswith(f"{vendor}: nothing at {url}/openapi/2022-01 acts as {vendor}: ")
    assert "; base_url (target.yaml:3) may be wrong: " in said
    assert not [line for line in lines if line.startswith("  ")]
    assert (code, lines[-1]) == (2, f"target.yaml: unusable: base_url may be wrong for {vendor}")


def test_each_entity_is_looked_at_as_the_one_that_it_stands_for(tmp_path: Path) -> None:
    """Usable ones have to be listed with their values, others not, for their own member, by the key that sees it."""
    with serving("crowdtwist") as url:
        raw = contents(url, "crowdtwist")
        data = raw["vendors"]["crowdtwist"]["data"]
        data["coupon.five"] = {"code": data["coupon.used"]["code"]}
        data["coupon.twenty"] = {**data["coupon.twenty"], "quantity": 7}
        data["coupon.used"] = [{"code": data["coupon.used"]["code"]}, {"code": data["coupon.soon"]["code"]}]
        data["coupon.bob_ten"] = {"reward_id": 1}
        data["member.carol"] = {"id": "99999999"}
        del data["member.frank"]
        code, lines = examined(tmp_path, raw)
    found = {match[0]: line for line in lines if (match := re.match(r"  \w+ +\w+\.\w+( \(\d of \d\))?", line))}
    assert code == 1
    assert 'should be listed for its member: expected [].code contains "JDSI2JE"' in found["  wrong  coupon.five"]
    assert (
        "is shown with quantity=7; got what comes nearest to coupon.twenty has quantity=1"
        in found["  wrong  coupon.twenty"]
    )
    assert "  untold coupon.used (1 of 2)" in found
    assert "should be not listed for its member" in found["  wrong  coupon.used (2 of 2)"]
    assert found["  untold coupon.bob_ten"].endswith("cannot be verified by reading without coupon.bob_ten.code")
    assert "  wrong  member.carol" in found
    assert "  ok     coupon.olga_issued" in found
    assert lines[-1] == f"target.yaml: {NOT_READY}"


def test_what_would_enable_more_is_told_the_most_useful_first(tmp_path: Path) -> None:
    with serving("crowdtwist") as url:
        raw = contents(url, "crowdtwist")
        data = raw["vendors"]["crowdtwist"]["data"]
        for handle in [*data]:
            if handle.startswith(("coupon.dave", "coupon.still_used")) or handle in {"member.dave", "member.frank"}:
                del data[handle]
        del data["member.alice"]["username"]
        code, lines = examined(tmp_path, raw)
    start = lines.index("  To enable the rest, add:")
    assert code == 1
    assert lines[start - 1].startswith("  The data enables ")
    assert lines[start + 1 : -2] == [
        "    coupon.still_used (code, redeem_order_coupon_id, redeem_order_id): enables 12 more",
        "    member.alice.username: enables 6 more, needed by 1 besides, together with others",
        "    member.dave (id): enables 5 more, needed by 1 besides, together with others",
        "    member.frank (id): enables 1 more, needed by 1 besides, together with others",
        "    coupon.dave_01 (code) to coupon.dave_30 (code), 30 in all: needed by 1, together with others",
    ]


@pytest.mark.parametrize("main", [None, "NOBODY"])
def test_without_a_credential_that_is_accepted_nothing_can_be_done(
    main: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving("crowdtwist") as url:
        raw = contents(url, "crowdtwist")
        if main:
            monkeypatch.setenv("CROWDTWIST_MAIN_SECRET", main)
        else:
            del raw["vendors"]["crowdtwist"]["credentials"]["main"]
        code, lines = examined(tmp_path, raw)
    assert (code, lines[-1]) == (2, "target.yaml: unusable without credential.main")
    assert [line for line in lines if "NOBODY" in line] == []
    if main:
        said = [line for line in lines if line.startswith("  ")]
        assert said[0].startswith("  wrong  credential.main should be accepted: ")
        seen = "cannot be verified by reading: credential.main, which sees them, is refused"
        (untold,) = [line for line in said if line.endswith(seen)]
        assert re.fullmatch(r"  untold \d\d entities", untold.removesuffix(f" {seen}"))
        assert [line for line in said if "member.alice" in line] == []
        assert "  ok     member.olga is known" in said


def test_each_secret_that_is_not_set_is_one_line_with_its_place_and_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CHARGEOVER_MAIN_USER")
    monkeypatch.delenv("CHARGEOVER_OTHER_PASSWORD")
    with serving("chargeover") as url:
        code, lines = examined(tmp_path, contents(url, "chargeover"))
    says = (
        "couponcheck: target.yaml:{} #/vendors/chargeover/credentials/{}: the environment variable {} is not set. "
        "Fix: export {}=..., or name another variable here."
    )
    user, password = "CHARGEOVER_MAIN_USER", "CHARGEOVER_OTHER_PASSWORD"
    assert code == 2
    assert lines == [says.format(9, "main/user", user, user), says.format(15, "other/password", password, password)]


@pytest.mark.parametrize("command", ["doctor", "run"])
@pytest.mark.parametrize("hangs", [False, True])
def test_a_dead_or_hanging_target_is_one_sentence(command: str, hangs: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a parameter of the test's table
    with serving("chargeover") as url:
        raw = contents(url, "chargeover")
    with contextlib.closing(socket.socket()) as port:
        port.bind(("127.0.0.1", 0))
        if hangs:
            port.listen()
        raw |= {"base_url": f"http://127.0.0.1:{port.getsockname()[1]}", "limits": {"timeout": 0.2}}
        done = CliRunner().invoke(couponcheck, [command, str(written(tmp_path, raw))])
    says = "did not answer within 0.2 seconds" if hangs else "cannot be reached: nobody answers there"
    assert done.exit_code == 2
    assert done.output.splitlines()[-1] == f"couponcheck: {raw['base_url']} {says}"
