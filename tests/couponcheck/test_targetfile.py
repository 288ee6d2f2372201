"""The target file: what is refused, and how; what the environment gives; what `couponcheck init` writes."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from broken_server import VENDORS
from click.testing import CliRunner
from couponcheck.commands import couponcheck
from couponcheck.condition import verification_of
from couponcheck.contradiction import in_file
from couponcheck.environment import fill_in, variables
from couponcheck.masking import masked
from couponcheck.shape import shape
from couponcheck.starter import started
from couponcheck.targetfile import REPLACE, known, read_target
from couponspec import FaultyFile
from target_files import written

WHOLE: dict[str, Any] = {
    "version": 1,
    "base_url": "https://sandbox.example.com/loyalty",
    "vendors": {
        "crowdtwist": {
            "credentials": {
                "main": {"scheme": "api_key", "secret": "$CT_KEY"},
                "wrong": {"scheme": "api_key", "secret": "no-such-key"},
            },
            "data": {"member.alice": {"id": "1001"}, "coupon.used": [{"code": "A"}, {"code": "B"}]},
        }
    },
}
Change = Callable[[dict[str, Any]], Any]


def changed(change: Change) -> dict[str, Any]:
    """Copy the whole file and change it."""
    copy: dict[str, Any] = json.loads(json.dumps(WHOLE))
    change(copy)
    return copy


def within(place: str, value: Any) -> Change:
    """Make a change that sets one value."""

    def change(raw: dict[str, Any]) -> None:
        *path, last = place.split("/")
        for name in path:
            raw = raw[name]
        raw[last] = value

    return change


CREDENTIALS = "vendors/crowdtwist/credentials"
DATA = "vendors/crowdtwist/data"


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    file = read_target(written(tmp_path, WHOLE))

    assert file.vendors["crowdtwist"].base_url == "https://sandbox.example.com/loyalty"
    assert file.vendors["crowdtwist"].sets == [
        {"member.alice": [{"id": "1001"}], "coupon.used": [{"code": "A"}, {"code": "B"}]}
    ]
    assert (file.production, file.limits.timeout, file.consistency.within) == (False, 10, 0)
    assert fill_in(file, ["crowdtwist"], {"CT_KEY": "QWERTY"}).bindings("crowdtwist") == {
        "credential.main": {"scheme": "api_key", "secret": "QWERTY"},
        "credential.wrong": {"scheme": "api_key", "secret": "no-such-key"},
    }


@pytest.mark.parametrize(
    ("change", "place", "reason", "fix"),
    [
        (within("version", 2), "/version", "1 was expected", "write version: 1, the version of this format"),
        (within("base-url", "x"), "", "'base-url' was unexpected", ""),
        (within("base_url", "sandbox"), "/base_url", "not as it has to be", "give http://HOST:PORT or https://HOST"),
        (within("base_url", "https://me:pw@x"), "/base_url", "no base URL", "give http://HOST:PORT or https://HOST"),
        (within("base_url", "https://x:99999"), "/base_url", "no base URL", "give http://HOST:PORT or https://HOST"),
        (lambda raw: raw.pop("base_url"), "/vendors/crowdtwist", "not said where", "give base_url here or for all"),
        (within("production", "no"), "/production", "is not of type 'boolean'", "say true if writes"),
        (within("headers", {"X": 7}), "/headers/X", "not as it has to be", ""),
        (within("proxy", "me:pw@proxy"), "/proxy", "not as it has to be", "give the URL of a proxy"),
        (within("ca_file", "none.pem"), "/ca_file", "there is no file 'none.pem'", "name a PEM file"),
        (within("limits", {"timeout": 0}), "/limits/timeout", "", "give a number of seconds"),
        (within("limits", {"concurrent": 4}), "/limits", "'concurrent' was unexpected", ""),
        (within("limits", {"parallel": 0}), "/limits/parallel", "0 is less than", "give how many reads of one vendor"),
        (within("consistency", {"kind": "weak"}), "/consistency/kind", "'weak'", "write strong or eventual"),
        (within("consistency", {"kind": "eventual"}), "/consistency", "'within' is a required property", ""),
        (within("consistency", {"kind": "strong", "within": 5}), "/consistency/kind", "", "write eventual"),
        (within("vendors", {}), "/vendors", "", "give each vendor"),
        (
            within("vendors", {"acme": {}}),
            "/vendors/acme",
            "there is no vendor 'acme'",
            "use one of chargeover, crowdt",
        ),
        (within(f"{CREDENTIALS}/main", "QWERTY"), f"/{CREDENTIALS}/main", "not as it has to be", "give {scheme: NAME"),
        (
            within(f"{CREDENTIALS}/main/secret", "QWERTY"),
            f"/{CREDENTIALS}/main/secret",
            "a credential that is accepted must not stand in a file",
            "write $NAME of an environment variable",
        ),
        (
            within(f"{CREDENTIALS}/main/secret", "$QWERTY-7"),
            f"/{CREDENTIALS}/main/secret",
            "still to be given",
            "$NAME",
        ),
        (
            within(f"{CREDENTIALS}/main/scheme", "basic"),
            f"/{CREDENTIALS}/main/scheme",
            "no such scheme",
            "api_key, ct_a",
        ),
        (
            within(f"{CREDENTIALS}/main", {"scheme": "api_key", "user": "$A", "password": "$B"}),
            f"/{CREDENTIALS}/main",
            "is given in another way",
            "give its secret",
        ),
        (
            within(f"{CREDENTIALS}/mine", {"scheme": "api_key", "secret": "$A"}),
            f"/{CREDENTIALS}/mine",
            "no requirement names credential.mine",
            "did you mean credential.main",
        ),
        (within(f"{DATA}/coupon.usd", {}), f"/{DATA}/coupon.usd", "no requirement names", "did you mean coupon.used"),
        (within(f"{DATA}/coupon.used", "A"), f"/{DATA}/coupon.used", "", "give the members of one entity"),
        (within(f"{DATA}/coupon.used", []), f"/{DATA}/coupon.used", "", ""),
        (
            within(f"{DATA}/coupon.used", [{"code": "A"}, {"cod": "B"}]),
            f"/{DATA}/coupon.used/1/cod",
            "coupon.used has no member 'cod'",
            "did you mean code",
        ),
        (
            within(f"{DATA}/credential.main", {"scheme": "api_key"}),
            f"/{DATA}/credential.main",
            "is no data",
            "give it as main under credentials",
        ),
        (
            within("vendors/crowdtwist/data", [{"member.alice": {"id": REPLACE}}]),
            f"/{DATA}/0/member.alice/id",
            "still to be given",
            "give the value, or leave the line out",
        ),
        (within("provider", {}), "/provider", "is not valid under any", "give {command: [PROGRAM, ARGUMENT]} or {url"),
        (within("provider", {"command": []}), "/provider/command", "", "give program and arguments"),
        (
            within("provider", {"command": ["make-it", "$TOKEN"]}),
            "/provider/command/1",
            "for everybody on the machine to see",
            "environment: {TOKEN: $TOKEN} says what is secret",
        ),
        (
            within("provider", {"command": ["x"], "url": "http://x"}),
            "/provider",
            "is valid under each of",
            "give {comm",
        ),
        (
            within("vendors/crowdtwist/provider", {"url": "http://me:pw@x"}),
            "/vendors/crowdtwist/provider/url",
            "this is no URL of a provider",
            "and a secret as a header",
        ),
        (within("provider", {"url": "http://x", "environment": {}}), "/provider", "'command' is a dependency", ""),
        (within("vendors/crowdtwist/companions", "yes"), "/vendors/crowdtwist/companions", "", "say true if companion"),
        (
            within("vendors/shoplazza", {"companions": True}),
            "/vendors/shoplazza/companions",
            "no companion operation of shoplazza",
            "leave it out",
        ),
        (
            within("vendors/crowdtwist/unsupported", [{"requirement": "crowdtwist.x", "reason": "old"}]),
            "/vendors/crowdtwist/unsupported/0/requirement",
            "no requirement is 'crowdtwist.x'",
            "take an id of `couponcheck list`",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place_and_the_way_out(
    change: Change, place: str, reason: str, fix: str, tmp_path: Path
) -> None:
    path = written(tmp_path, changed(change))

    with pytest.raises(FaultyFile) as caught:
        read_target(path)

    (fault,) = caught.value.faults
    assert fault.pointer == f"#{place}"
    assert fault.line is not None
    assert reason in fault.reason
    assert fix in fault.fix
    assert "pw" not in str(fault)
    assert "QWERTY" not in fault.reason + fault.fix


def test_all_that_the_environment_lacks_is_said_at_once_each_with_its_line_and_the_way_out(tmp_path: Path) -> None:
    raw = changed(lambda raw: raw.update(headers={"X-Key": "$CT_HEADER", "X-Other": "$CT_KEY"}, proxy="$CT_PROXY"))
    file = read_target(written(tmp_path, raw))
    with pytest.raises(FaultyFile) as caught:
        fill_in(file, ["crowdtwist"], {"CT_HEADER": ""})
    lines = file.path.read_text(encoding="utf-8").splitlines()
    assert {fault.line: (fault.reason, fault.fix) for fault in caught.value.faults} == {
        next(number for number, line in enumerate(lines, 1) if f"${name}" in line): (
            f"the environment variable {name} is {state}",
            f"export {name}=..., or name another variable here",
        )
        for name, state in (("CT_PROXY", "not set"), ("CT_HEADER", "empty"), ("CT_KEY", "not set"))
    }


@pytest.mark.parametrize("name", ["$CT_URL", "${CT_URL}"])
@pytest.mark.parametrize("place", ["base_url", "vendors/crowdtwist/base_url"])
def test_where_the_server_is_may_come_from_the_environment_and_is_no_secret(
    place: str, name: str, tmp_path: Path
) -> None:
    file = read_target(written(tmp_path, changed(within(place, name))))
    values = {"CT_KEY": "QWERTY", "CT_URL": "https://staging.example.com/loyalty"}
    opened = fill_in(file, ["crowdtwist"], values)
    assert opened.base_urls == {"crowdtwist": "https://staging.example.com/loyalty"}
    assert values["CT_URL"] not in opened.secrets
    assert variables(file, ["crowdtwist"]) == ["CT_KEY", "CT_URL"]


def test_a_variable_in_braces_is_the_same(tmp_path: Path) -> None:
    raw = changed(within(f"{CREDENTIALS}/main/secret", "${CT_KEY}"))
    raw |= {"proxy": "${CT_PROXY}", "headers": {"X-Key": "${CT_KEY}"}}
    values = {"CT_KEY": "QWERTY", "CT_PROXY": "http://me:pw@proxy.example.com"}
    opened = fill_in(read_target(written(tmp_path, raw)), ["crowdtwist"], values)
    assert (opened.access.proxy, opened.access.headers) == (values["CT_PROXY"], {"X-Key": "QWERTY"})
    assert opened.bindings("crowdtwist")["credential.main"]["secret"] == "QWERTY"
    assert opened.secrets["QWERTY"] == "$CT_KEY"


@pytest.mark.parametrize(
    ("place", "value", "reason", "fix"),
    [
        ("base_url", "staging.example.com", "CT_OTHER has no base URL", "give http://HOST:PORT or https://HOST"),
        ("base_url", "https://me:pw@staging.example.com", "CT_OTHER has no base URL", "give http://HOST:PORT"),
        ("headers", "dev", "CT_OTHER has fewer than 6 characters", "or write it here if it is no secret"),
        (f"{CREDENTIALS}/main/secret", "a", "CT_OTHER has fewer than 6 characters", "give the server under test a"),
        (f"{CREDENTIALS}/main/secret", "schlüssel", "credential main of crowdtwist is no text of ASCII", "header of"),
    ],
)
def test_what_the_environment_gives_and_cannot_be_used_is_told_with_its_line_and_not_shown(
    place: str, value: str, reason: str, fix: str, tmp_path: Path
) -> None:
    """A secret is hidden wherever a report has it, so one of a letter would hide that letter everywhere."""
    inside = {"X-Key": "$CT_OTHER"} if place == "headers" else "$CT_OTHER"
    file = read_target(written(tmp_path, changed(within(place, inside))))
    with pytest.raises(FaultyFile) as caught:
        fill_in(file, ["crowdtwist"], {"CT_KEY": "QWERTY", "CT_OTHER": value})
    (fault,) = caught.value.faults
    assert "$CT_OTHER" in file.path.read_text(encoding="utf-8").splitlines()[(fault.line or 0) - 1]
    assert reason in fault.reason
    assert fix in fault.fix
    assert len(value) == 1 or value not in str(fault)


def test_a_short_user_is_hidden_together_with_its_password_only(tmp_path: Path) -> None:
    """It is no secret by itself, and `root` or `me` is a part of many words."""
    main = {"scheme": "basic", "user": "$CO_USER", "password": "$CO_PASSWORD"}
    raw = {"version": 1, "base_url": "http://x", "vendors": {"chargeover": {"credentials": {"main": main}}}}
    values = {"CO_USER": "me", "CO_PASSWORD": "private"}
    opened = fill_in(read_target(written(tmp_path, raw)), ["chargeover"], values)
    said = "some me:private, private and bWU6cHJpdmF0ZQ== of me"
    hidden = "some $CO_USER:$CO_PASSWORD, $CO_PASSWORD and $CO_USER:$CO_PASSWORD of me"
    assert masked(said, opened.secrets) == hidden


def test_what_came_from_the_environment_has_a_name_to_be_printed_by(tmp_path: Path) -> None:
    main = {"scheme": "basic", "user": "$CO_USER", "password": "$CO_PASSWORD"}
    wrong = {"scheme": "basic", "user": "$CO_USER", "password": "wrong"}
    contents = {
        "version": 1,
        "base_url": "http://x",
        "headers": {"X-Key": "$CO_HEADER", "X-Plain": "plain"},
        "vendors": {"chargeover": {"credentials": {"main": main, "wrong": wrong}}},
    }
    values = {"CO_USER": "public", "CO_PASSWORD": "private", "CO_HEADER": "hidden"}

    opened = fill_in(read_target(written(tmp_path, contents)), ["chargeover"], values)

    assert opened.bindings("chargeover")["credential.main"]["secret"] == "public:private"
    assert opened.bindings("chargeover")["credential.wrong"]["secret"] == "public:wrong"
    assert opened.access.headers == {"X-Key": "hidden", "X-Plain": "plain"}
    named = {
        "public": "$CO_USER",
        "private": "$CO_PASSWORD",
        "hidden": "$CO_HEADER",
        "public:private": "$CO_USER:$CO_PASSWORD",
    }
    assert {secret: name for secret, name in opened.secrets.items() if secret in named} == named
    # What is sent in place of a secret would tell most of it.
    assert opened.secrets["PRIVATE"] == "$CO_PASSWORD_OTHER_CASE"
    assert opened.secrets["privat"] == "$CO_PASSWORD_SHORTER"


def test_the_schema_is_published() -> None:
    done = CliRunner().invoke(couponcheck, ["schema", "target"])
    assert json.loads(done.output) == shape("target")
    jsonschema.Draft202012Validator.check_schema(shape("target"))


# -- couponcheck init ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("vendor", VENDORS)
def test_what_init_writes_asks_for_every_value_and_is_whole_once_they_are_given(vendor: str, tmp_path: Path) -> None:
    """Line by line a value of the mock's own world takes the place of each that is to be replaced."""
    _, catalogue, pack = known(vendor)
    text = started([vendor])
    path = tmp_path / "target.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FaultyFile) as caught:
        read_target(path)
    asked = [index for index, line in enumerate(text.splitlines(), 1) if REPLACE in line.partition("#")[0]]
    assert {fault.line for fault in caught.value.faults} == set(asked)
    assert {fault.reason for fault in caught.value.faults} == {"the value is still to be given"}

    bindings = pack.bindings(0)
    first, *places = asked
    lines = text.splitlines()
    assert lines[first - 1] == f"base_url: https://{REPLACE}"
    lines[first - 1] = "base_url: https://sandbox.example.com"
    for place in places:
        handle = lines[place - 1].strip().partition(":")[0]
        for member in re.findall(rf"(\w+): {REPLACE}", lines[place - 1]):
            value = json.dumps(bindings[handle][member], ensure_ascii=False)
            lines[place - 1] = lines[place - 1].replace(f"{member}: {REPLACE}", f"{member}: {value}", 1)
    path.write_text("\n".join(lines), encoding="utf-8")
    file = read_target(path)
    (one,) = file.vendors[vendor].sets
    given = {*one, *(f"credential.{name}" for name in file.vendors[vendor].credentials)}
    assert given == {handle for requirement in catalogue.checked for handle in requirement.handles}
    for requirement in catalogue.checked:
        for handle, members in requirement.needs.items():
            assert handle.startswith("credential.") or members <= one[handle][0].keys()


def comments(*vendors: str) -> str:
    return " ".join(line.strip(" #") for line in started(vendors).splitlines())


def test_init_says_what_each_entity_has_to_be_and_what_is_only_an_example() -> None:
    text = comments("crowdtwist", "chargeover")
    assert '"Such as" begins an example from our mock\'s world: another value will do.' in text
    used = "a coupon of sunshine, state: used, owner: member.alice, date_to_expire: to come, such as in 30 days."
    assert f"It has to be {used}" in text
    assert "It has to be a member of sunshine, owner of no coupon." in text
    assert "owner of coupons, all of them (state: used, date_to_expire: to come), such as 3." in text
    assert "A member who never received a coupon gets no_activities, or an empty list." in text
    assert "enabled: false, discount_item_id: such as 674." in text
    assert "wrong: {scheme: basic, user: $CHARGEOVER_MAIN_USER, password: wrong-password}" in text
    assert (
        "These names stand for a client of yours: sunshine (that of main, second, header), moonlight (that of other)."
        in text
    )


def test_init_leaves_numbers_that_matter_and_frees_those_that_do_not() -> None:
    text = comments("shoplazza")
    assert "It has to be a coupon of sunny, stock: 1, per_customer: 0." in text
    assert "It has to be a coupon of sunny, stock: 20 or more for each run, per_customer: 0." in text


def test_init_says_what_requirements_rely_on_beside_the_state() -> None:
    text = comments("crowdtwist", "chargeover", "shoplazza")
    assert "a coupon of acme (coupon_id: an odd one beyond 2^53 = 9007199254740992; no coupon has the" in text
    assert "enabled: true, discount_item_id: none." in text
    assert "a coupon of globex (coupon_id: that of coupon.twin), enabled: true" in text
    assert "a coupon of sunshine (code: of 1000 characters), state: issued" in text
    assert "a member of moonlight (id and email and username: those of member.alice), owner of coupons, such as" in text
    assert "a coupon of sunny (no customer given here has received it yet), stock: 20 or more for each run" in text
    assert "These names stand for an account of yours" in text


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_mocks_own_world_is_as_init_says(vendor: str) -> None:
    """Every trait that a file alone can show is one of the entity that requirements were written with."""
    _, catalogue, pack = known(vendor)
    one = {handle: [members] for handle, members in pack.bindings(0).items()}
    assert catalogue.traits
    for handle in catalogue.traits:
        assert [*map(str, in_file(pack.by_handle[handle], one[handle][0], one, catalogue))] == []


@pytest.mark.parametrize("vendor", VENDORS)
def test_init_says_of_each_credential_what_doctor_says(vendor: str) -> None:
    _, catalogue, pack = known(vendor)
    said = comments(vendor)
    for handle in {handle for one in catalogue.checked for handle in one.handles if handle.startswith("credential.")}:
        verification = verification_of(pack.by_handle[handle], pack, catalogue)
        assert verification
        before = said.partition(f" {handle.partition('.')[2]}: {{scheme: ")[0]
        assert before.rpartition("It has to be ")[2].startswith(f"{verification.means}: ")


def test_init_writes_every_vendor_asked_for() -> None:
    done = CliRunner().invoke(couponcheck, ["init", "--vendor", "shoplazza", "--vendor", "chargeover"])
    assert done.exit_code == 0
    assert list(yaml.safe_load(done.output)["vendors"]) == ["shoplazza", "chargeover"]
