"""`couponcheck doctor`: is the target as its file says, and what would enable more requirements?"""

import contextlib
import json
import re
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from alternative_server import alternative
from broken_server import VENDORS, serving
from click.testing import CliRunner
from couponcheck.commands import couponcheck
from couponcheck.contradiction import in_answer
from couponcheck.starter import started
from couponcheck.targetfile import REPLACE, known
from couponmock.exchange import Handler, Reply
from couponspec import load_document
from target_files import contents, described, environment, seeded, written

NOT_READY = "not ready: something is missing, is not as the file says, or cannot be told"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for vendor in VENDORS:
        for name, value in environment(vendor).items():
            monkeypatch.setenv(name, value)


def examined(folder: Path, raw: Mapping[str, Any]) -> tuple[int, list[str]]:
    done = CliRunner().invoke(couponcheck, ["doctor", str(written(folder, raw))])
    return done.exit_code, done.output.replace(f"{folder}/", "").splitlines()


def unverified(lines: list[str]) -> dict[str, list[str]]:
    """Return what cannot be verified, by the reason, which is said once."""
    found: dict[str, list[str]] = {}
    for line in lines:
        if match := re.fullmatch(r"  untold \d+ entities (.*?) \((.*)\)", line):
            found[match[1]] = match[2].split(", ")
        elif match := re.fullmatch(r"  untold (\S+(?: \(.*?\))?) (.*)", line):
            found.setdefault(match[2], []).append(match[1])
    return found


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_target_with_everything_is_ready_and_stays_as_it_is(vendor: str, tmp_path: Path) -> None:
    with serving(vendor) as url:
        before = seeded(url, vendor)
        code, lines = examined(tmp_path, contents(url, vendor))
        assert seeded(url, vendor) == before
    untold = sum(len(names) for names in unverified(lines).values())
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
    assert "coupon.welcome" in unverified(lines)["cannot be verified by reading"]


def test_a_coupon_that_is_nowhere_is_never_said_to_be_there(tmp_path: Path) -> None:
    """That it is in no list is true of a used coupon, and of one that does not exist."""
    untold = "cannot be verified by reading: it is not listed for its member, and so is one that is made up"
    with serving("crowdtwist") as url:
        raw = contents(url, "crowdtwist")
        raw["vendors"]["crowdtwist"]["data"]["coupon.used"] = {"code": "NO-SUCH-CODE"}
        raw["vendors"]["crowdtwist"]["data"]["coupon.five"] = {"code": "NO-SUCH-CODE"}
        code, lines = examined(tmp_path, raw)
    assert {"coupon.used", "coupon.expired"} <= {*unverified(lines)[untold]}
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
    untold = "cannot be verified by reading: it is accepted, and so is one that is made up"
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
    shown = 'coupon.twenty ("ACC58191285") is shown with quantity=7; got coupon.twenty ("ACC58191285") has quantity=1'
    assert f"expected {shown}" in found["  wrong  coupon.twenty"]
    assert any("coupon.used (1 of 2)" in names for names in unverified(lines).values())
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
        "    coupon.still_used (code, redeem_order_coupon_id, redeem_order_id): enables 13 more",
        "    member.alice.username: enables 6 more, needed by 1 besides, together with others",
        "    member.dave (id): enables 5 more, needed by 1 besides, together with others",
        "    member.frank (id): enables 1 more, needed by 1 besides, together with others",
        "    coupon.dave_01 (code) to coupon.dave_30 (code), 30 in all: needed by 1, together with others",
    ]


def needed(url: str, vendor: str, entities: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a target file that has the members that requirements need, and nothing that tells the state."""
    raw = described(url, vendor, entities)
    _, catalogue, _ = known(vendor)
    data = raw["vendors"][vendor]["data"]
    for handle, members in data.items():
        names = {name for requirement in catalogue.checked for name in requirement.needs.get(handle, ())}
        data[handle] = {name: members[name] for name in names}
    return raw


def of(raw: Mapping[str, Any], vendor: str, **handles: tuple[str, str]) -> None:
    """Let handles stand for the entities of others in some of their members: ``kind__name=(other handle, members)``."""
    data = raw["vendors"][vendor]["data"]
    taken = {handle: {name: data[other][name] for name in names.split()} for handle, (other, names) in handles.items()}
    for handle, members in taken.items():
        data[handle.replace("__", ".")] |= members


def wrong(lines: list[str]) -> list[str]:
    return [line.removeprefix("  wrong  ") for line in lines if line.startswith("  wrong  ")]


def test_what_a_read_shows_is_held_against_conditions_that_the_file_does_not_repeat(tmp_path: Path) -> None:
    with serving("chargeover") as url:
        raw = needed(url, "chargeover", seeded(url, "chargeover"))
        of(
            raw,
            "chargeover",
            coupon__disabled=("coupon.printed", "coupon_id"),
            coupon__trial=("coupon.empty_lists", "coupon_id"),
        )
        code, lines = examined(tmp_path, raw)
    assert wrong(lines) == [
        "coupon.disabled should have enabled: false; shown is true",
        "coupon.trial should have discount_item_id: none; shown is 675",
    ]
    assert (code, lines[-1]) == (1, f"target.yaml: {NOT_READY}")


def test_a_list_is_held_against_what_its_member_has_to_own(tmp_path: Path) -> None:
    """None, none that could be listed, or what is given and nothing else; how many is an example."""
    with serving("crowdtwist") as url:
        raw = needed(url, "crowdtwist", seeded(url, "crowdtwist"))
        of(
            raw,
            "crowdtwist",
            member__carol=("member.dave", "id"),
            member__erin=("member.bob", "id"),
            member__frank=("member.bob", "id"),
            coupon__forever=("coupon.five", "code"),
            coupon__soon=("coupon.forever", "code"),
        )
        del raw["vendors"]["crowdtwist"]["data"]["coupon.five"]
        before = wrong(examined(tmp_path, raw)[1])
        raw["vendors"]["crowdtwist"]["data"]["coupon.dave_07"]["code"] = "DAVE-0008"
        after = wrong(examined(tmp_path, raw)[1])
    expires = next(line for line in before if "forever" in line)
    before.remove(expires)
    assert re.fullmatch(r"coupon\.forever should have date_to_expire: none; shown is \d{10}", expires)
    states = "should be owner of coupons, all of them (state: {}, date_to_expire: {})"
    bobs = 'its list has 1 item, such as code "BOB-TEN-1"'
    assert {*before} == {
        'member.carol should be owner of no coupon; its list has 30 items, such as code "DAVE-0001"',
        f"member.erin {states.format('used', 'to come')}; {bobs}",
        f"member.frank {states.format('issued', 'past')}; {bobs}",
        "coupon.soon should have date_to_expire: to come; shown is null",
    }
    (more,) = {*after} - {*before, expires}
    assert more == (
        "member.dave should have in its list what is given as coupon.dave_01 to coupon.dave_30, and nothing else; "
        'its list has 1 item, such as code "DAVE-0007" besides'
    )


@pytest.mark.parametrize(
    ("vendor", "handle", "member", "value", "says"),
    [
        ("chargeover", "coupon.large_id", "coupon_id", 5, "an odd one beyond 2^53 = 9007199254740992"),
        ("chargeover", "coupon.large_id", "coupon_id", 2**54, "an odd one beyond 2^53 = 9007199254740992"),
        ("chargeover", "coupon.unicode", "descrip", "Sale", "with characters that are not ASCII"),
        ("chargeover", "coupon.globex_twin", "coupon_id", 900, "that of coupon.twin (77)"),
        ("crowdtwist", "coupon.grace_long", "code", "SHORT", "of 1000 characters"),
        ("crowdtwist", "coupon.used_digits", "code", 71234500, "of digits only and beginning with 0"),
        ("crowdtwist", "coupon.moonlight_twin", "code", "OTHER", 'that of coupon.twin ("TWIN-1")'),
        ("crowdtwist", "member.olga", "id", "9", 'that of member.alice ("1001")'),
        ("shoplazza", "coupon.unicode", "discount_text", "Sale", "with characters that are not ASCII"),
    ],
)
def test_what_the_file_itself_shows_needs_no_request(
    vendor: str, handle: str, member: str, value: Any, says: str, tmp_path: Path
) -> None:
    with serving(vendor) as url:
        raw = contents(url, vendor)
        raw["vendors"][vendor]["data"][handle][member] = value
        code, lines = examined(tmp_path, raw)
    assert f"{handle} should have {member}: {says}; the file has {json.dumps(value)}" in wrong(lines)
    assert code == 1


def test_ids_may_be_written_as_text_or_as_numbers(tmp_path: Path) -> None:
    with serving("chargeover") as url:
        raw = needed(url, "chargeover", seeded(url, "chargeover"))
        for members in raw["vendors"]["chargeover"]["data"].values():
            members["coupon_id"] = str(members["coupon_id"])
        code, lines = examined(tmp_path, raw)
    assert (code, wrong(lines)) == (0, [])


@pytest.mark.parametrize(
    ("vendor", "readings"),
    [
        ("crowdtwist", {"none-usable": "error", "number-type": "string", "order-field-names": "reward"}),
        ("crowdtwist", {"no-coupons": "empty-list", "list-shape": "wrapped"}),
        ("chargeover", {"shown": "required", "datetime-format": "iso8601"}),
        ("chargeover", {"shown": "nulls", "lists": "always"}),
        ("shoplazza", {}),
    ],
)
def test_right_data_of_a_correct_server_is_never_wrong(
    vendor: str, readings: Mapping[str, str], tmp_path: Path
) -> None:
    """Whatever it leaves out, and however it writes what it shows."""
    entities = known(vendor)[2].bindings(int(time.time()))
    freedoms = frozenset({"more-members", "backwards", "charset"})
    with alternative(vendor, entities, readings, freedoms) as running:
        code, lines = examined(tmp_path, needed(running.url, vendor, entities))
    assert (code, wrong(lines)) == (0, [])
    assert [line for line in lines if "rest on" in line] == []


WEEK = 7 * 86_400


@pytest.mark.parametrize(
    ("handle", "shown", "is_wrong"),
    [
        ("coupon.forever", lambda now: now + WEEK, True),
        ("coupon.forever", lambda now: str(now + WEEK), True),
        ("coupon.forever", lambda now: time.strftime("%Y-%m-%d", time.gmtime(now + WEEK)), True),
        ("coupon.forever", lambda _: None, False),
        ("coupon.forever", lambda _: "", False),
        ("coupon.forever", lambda _: 0, False),
        ("coupon.forever", lambda _: "0000-00-00 00:00:00", False),
        ("coupon.forever", lambda _: "never", False),
        ("coupon.soon", lambda now: now + WEEK, False),
        ("coupon.soon", lambda now: (now + WEEK) * 1000, False),
        ("coupon.soon", lambda now: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + WEEK)), False),
        ("coupon.soon", lambda now: int(time.strftime("%Y%m%d", time.gmtime(now + WEEK))), False),
        ("coupon.soon", lambda now: time.strftime("%Y-%m-%d", time.gmtime(now)), False),
        ("coupon.soon", lambda now: now - WEEK, True),
        ("coupon.soon", lambda now: time.strftime("%Y-%m-%d", time.gmtime(now - WEEK)), True),
        ("coupon.soon", lambda _: None, True),
    ],
)
def test_a_date_is_wrong_only_where_it_surely_is(handle: str, shown: Callable[[int], Any], is_wrong: bool) -> None:  # noqa: FBT001 - a parameter of the test's table
    _, catalogue, pack = known("crowdtwist")
    body = [{"code": "MINE", "date_to_expire": shown(int(time.time()))}, {"code": "ANOTHER", "date_to_expire": 1}]
    names = frozenset({"code", "date_to_expire"})
    found = [*in_answer(pack.by_handle[handle], {"code": "MINE"}, pack, catalogue, body, names)]
    assert bool(found) is is_wrong
    assert [*in_answer(pack.by_handle[handle], {"code": "MINE"}, pack, catalogue, [{"code": "MINE"}], names)] == []


@pytest.mark.parametrize("shown", [1, "Y", "true", None])
def test_a_yes_or_no_in_another_form_is_not_judged(shown: Any) -> None:
    _, catalogue, pack = known("chargeover")
    body = {"response": {"coupon_id": 2, "enabled": shown}}
    names = frozenset({"coupon_id", "enabled"})
    assert [*in_answer(pack.by_handle["coupon.disabled"], {"coupon_id": 2}, pack, catalogue, body, names)] == []


def test_it_is_told_how_many_requirements_rest_on_data_that_is_wrong(tmp_path: Path) -> None:
    _, catalogue, _ = known("chargeover")
    with serving("chargeover") as url:
        raw = contents(url, "chargeover")
        raw["vendors"]["chargeover"]["data"]["coupon.disabled"] = {"coupon_id": 1}
        _, lines = examined(tmp_path, raw)
    resting = [item for item in catalogue.checked if "coupon.disabled" in item.handles]
    place = next(number for number, line in enumerate(lines) if line.startswith("  The data enables"))
    assert len(resting) > 1
    assert lines[place + 1] == f"  {len(resting)} of these rest on data that is wrong."


def test_a_file_that_is_still_to_be_filled_in_takes_few_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One for each vendor's data, with what is left of it, and the variables that are not set in the same go."""
    monkeypatch.delenv("SHOPLAZZA_OTHER_SECRET")
    path = tmp_path / "target.yaml"
    path.write_text(started(["shoplazza", "chargeover"]), encoding="utf-8")
    done = CliRunner().invoke(couponcheck, ["doctor", str(path)])
    assert done.exit_code == 2
    says = [re.sub(r"^couponcheck: .*?:\d+ ", "", line) for line in done.output.splitlines()]
    left = "Fix: give what your server has, and leave the other lines out."
    assert [line.partition(": ")[0] for line in says] == [
        "#/base_url",
        "#/vendors/shoplazza/data",
        "#/vendors/chargeover/data",
        "#/vendors/shoplazza/credentials/other/secret",
    ]
    assert says[2] == (
        "#/vendors/chargeover/data: 14 values are still to be given, of coupon.printed, coupon.disabled, "
        f"coupon.empty_lists and 6 more. {left}"
    )
    assert "the environment variable SHOPLAZZA_OTHER_SECRET is not set" in says[3]


def test_few_values_that_are_still_to_be_given_are_told_each_with_its_place(tmp_path: Path) -> None:
    raw = described("http://127.0.0.1:9", "chargeover", {"coupon.printed": {"coupon_id": REPLACE, "code": REPLACE}})
    code, lines = examined(tmp_path, raw)
    places = [line.split("#")[1].partition(": ")[0] for line in lines]
    data = "/vendors/chargeover/data/coupon.printed"
    assert (code, places) == (2, [f"{data}/coupon_id", f"{data}/code"])


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
