"""Test data that a provider makes: a command or an HTTP server of the operator's."""

import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from alternative_server import alternative
from broken_server import VENDORS, catalogue, document, serving
from click.testing import CliRunner
from couponcheck.channel import ProviderFailed, ProviderSettings
from couponcheck.commands import couponcheck
from couponcheck.environment import fill_in
from couponcheck.outcome import ERROR, NOT_TESTABLE, PASS, Outcome
from couponcheck.provider import Provider
from couponcheck.run import CONFORMANT, NOT_RUN
from couponcheck.shape import shape
from couponcheck.target import Permissions
from couponcheck.targetfile import PACK, is_data, read_target
from couponspec import load_pack
from http_provider import Message, providing
from target_files import contents, environment, judged, running, seeded, written

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples" / "providers"
COUPONCHECK = str(Path(sys.executable).with_name("couponcheck"))
UNUSE = "crowdtwist.unuseCoupon."
LIST = "crowdtwist.listUsableCoupons."
USABLE_AGAIN = f"{UNUSE}usable-again"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for vendor in VENDORS:
        for name, value in environment(vendor).items():
            monkeypatch.setenv(name, value)


def bare(url: str, provider: Mapping[str, Any], vendor: str = "crowdtwist") -> dict[str, Any]:
    """Return a target file without any data."""
    raw = contents(url, vendor)
    raw["vendors"][vendor]["data"] = {}
    return {**raw, "provider": provider}


def in_python(url: str) -> dict[str, Any]:
    """Name the example that is written in Python."""
    return {
        "command": [sys.executable, str(EXAMPLES / "mock_provider.py")],
        "environment": {"COUPONMOCK_URL": url},
    }


def in_shell(script: str, **more: Any) -> dict[str, Any]:
    return {"command": ["sh", "-c", script], **more}


def reasons(found: Mapping[str, Outcome]) -> dict[str, tuple[str, str]]:
    return {name: (outcome.verdict, outcome.reason) for name, outcome in found.items() if outcome.verdict != PASS}


# -- the examples, and whole catalogues without any data of the operator's ------------------------------------------


def test_the_example_in_python_makes_all_data_of_the_catalogue_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with serving("crowdtwist") as url:
        before = seeded(url, "crowdtwist")
        with running(tmp_path, bare(url, in_python(url))) as run:
            assert reasons(judged(run)) == {}
            assert run.verdict == CONFORMANT
            run.leave()
            (judge,) = run.judges.values()
            assert [change.exchange.request.body for change in judge.ledger.changes if not change.is_put_back] == []
            assert {item.by for item in judge.ledger.put_back} == {"provider"}
            assert judge.ledger.spent == []
        assert seeded(url, "crowdtwist") == before
        done = CliRunner().invoke(couponcheck, ["schema", "provider"])
        assert json.loads(done.output) == shape("provider")


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_provider_that_answers_http_makes_all_data_of_a_server_that_shares_nothing_with_ours(
    vendor: str, tmp_path: Path
) -> None:
    """It puts its server's world in order each time that it is asked, and every message is as the schema says."""
    with serving(vendor) as url:
        raw = bare(url, {}, vendor)
    seed = load_pack(document(vendor), PACK).bindings(int(time.time()))
    with alternative(vendor, seed) as server:
        server.service.entities = {handle: seed[handle] for handle in seed if handle.startswith("credential.")}

        def answer(message: Message) -> Message:
            server.service.reset()
            found = {handle: server.service.entities[handle] for handle in message["needs"]}
            shown = {handle: need["sample"].keys() - need["state"].keys() for handle, need in message["needs"].items()}
            return {"entities": {handle: {name: found[handle][name] for name in shown[handle]} for handle in found}}

        with (
            providing(answer) as asked,
            running(tmp_path, {**raw, "base_url": server.url, "provider": {"url": asked.url}}) as run,
        ):
            assert reasons(judged(run)) == {}
            assert run.verdict == CONFORMANT
    validator = jsonschema.Draft202012Validator(shape("provider"))
    for message in (*asked.requests, *asked.answers):
        validator.validate(message)
    assert {message["request"] for message in asked.requests} == {"provide"}


def test_the_example_in_shell_hands_out_each_coupon_of_its_list_once(tmp_path: Path) -> None:
    (tmp_path / "coupons.txt").write_text("KEPT-USED-7\n", encoding="utf-8")
    command = ["sh", str(EXAMPLES / "list_provider.sh"), "coupons.txt", "1001"]
    names = ("second-time", "other-types-harmless", "value-named")
    with serving("crowdtwist") as url, running(tmp_path, bare(url, {"command": command})) as run:
        found = judged(run, *(f"{UNUSE}{name}" for name in names))
    cannot = "the provider cannot make it:"
    empty = "no used coupon is left in the list; the target's data lacks coupon.used_plain, member.alice"
    other = "the list is not for coupon.still_used; the target's data lacks coupon.still_used, member.alice"
    assert reasons(found) == {
        f"{UNUSE}other-types-harmless": (NOT_TESTABLE, f"{cannot} {empty}"),
        f"{UNUSE}value-named": (NOT_TESTABLE, f"{cannot} {other}"),
    }


def needing(**members: list[str]) -> str:
    """Write a request for entities whose members are named, as the suite writes one."""
    needs = {
        handle.replace("__", "."): {"kind": handle.partition("__")[0], "members": names, "credentials": ["main"]}
        for handle, names in members.items()
    }
    message = {"version": 1, "request": "provide", "vendor": "crowdtwist", "requirement": "x", "needs": needs}
    return json.dumps(message, separators=(",", ":"))


def test_the_example_in_shell_gives_every_member_that_is_asked_for_or_says_that_it_cannot(tmp_path: Path) -> None:
    """What it cannot make takes no coupon from the list, and all that it says is as the schema has it."""
    (tmp_path / "coupons.txt").write_text('FIRST-1\n\nWITH\\A"QUOTE\nLAST-3', encoding="utf-8")
    asked = [
        '{"version":1,"request":"describe","vendor":"crowdtwist"}',
        needing(coupon__used=["code"], member__alice=["email", "id"]),
        needing(coupon__used=["code", "quantity"]),
        needing(coupon__used=["code"], coupon__still_used=["code"]),
        needing(coupon__used=["code"], member__alice=["id"]),
        needing(coupon__used=["code"], coupon__used_plain=["code"], coupon__used_too=["code"]),
        needing(coupon__used=["code"], coupon__used_too=["code"]),
        needing(coupon__used=["code"]),
        "{}",
    ]
    command = ["sh", str(EXAMPLES / "list_provider.sh"), "coupons.txt", '10"01']
    done = subprocess.run(
        command, cwd=tmp_path, input="\n".join(asked) + "\n", capture_output=True, text=True, timeout=60, check=True
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    validator = jsonschema.Draft202012Validator(shape("provider"))
    for answer in answers:
        validator.validate(answer)
    assert [answer.get("cannot") or answer.get("entities") for answer in answers[1:-1]] == [
        'of member.alice only the id is known here, not "email","id"',
        'of coupon.used the list has the code only, not "code","quantity"',
        "the list is not for coupon.still_used",
        {"coupon.used": {"code": "FIRST-1"}, "member.alice": {"id": '10"01'}},
        "no used coupon is left in the list",
        {"coupon.used": {"code": 'WITH\\A"QUOTE'}, "coupon.used_too": {"code": "LAST-3"}},
        "no used coupon is left in the list",
    ]


# -- what is asked, and when ------------------------------------------------------------------------------------------


def of_the_pools(url: str) -> Any:
    """Return a provider that gives what is seeded and wants to be told when it is no longer needed."""
    found = seeded(url, "crowdtwist")
    numbers = itertools.count(1)

    def answer(message: Message) -> Message:
        if message["request"] == "release":
            return {"released": True}
        members = {handle: need["members"] for handle, need in message["needs"].items()}
        made = {handle: {name: found[handle][name] for name in names} for handle, names in members.items()}
        return {"entities": made, "grant": f"grant {next(numbers)}"}

    return answer


def test_it_is_asked_for_exactly_what_is_needed_in_the_state_that_the_catalogue_describes(tmp_path: Path) -> None:
    key = {"headers": {"X-Key": "$CROWDTWIST_MAIN_SECRET"}}
    with (
        serving("crowdtwist") as url,
        providing(of_the_pools(url)) as asked,
        running(tmp_path, bare(url, {"url": asked.url, **key})) as run,
    ):
        assert reasons(judged(run, USABLE_AGAIN, f"{LIST}all-used")) == {}
    first, second = asked.of("provide")
    assert (first["vendor"], first["requirement"]) == ("crowdtwist", f"{LIST}all-used")
    erin = first["needs"]["member.erin"]
    assert erin["owns"] == [
        {"kind": "coupon", "as": "owner", "number": 3, "state": {"state": "used", "date_to_expire": "to come"}}
    ]
    assert first["needs"].keys() == {"member.erin"}
    assert second["needs"].keys() == {"member.alice", "coupon.used"}
    used = second["needs"]["coupon.used"]
    assert (used["kind"], used["members"]) == ("coupon", ["code"])
    assert used["credentials"] == ["main", "second", "header"]
    assert {name: value for name, value in used["state"].items() if name != "date_to_expire"} == {
        "state": "used",
        "owner": "member.alice",
    }
    assert used["state"]["date_to_expire"] > time.time()
    assert used["says"].startswith("a coupon of sunshine, state: used, owner: member.alice")
    assert (used["sample"]["code"], used["sample"]["owner"]) == ("JDSI2JE", "member.alice")
    assert {headers["x-key"] for headers in asked.headers} == {"QWERTY"}


def test_what_only_reads_shares_what_was_made_and_what_writes_gives_it_back_at_once(tmp_path: Path) -> None:
    reads = (f"{LIST}by-email", f"{LIST}default-id-type")
    with serving("crowdtwist") as url, providing(of_the_pools(url)) as asked:
        with running(tmp_path, bare(url, {"url": asked.url})) as run:
            assert reasons(judged(run, *reads, USABLE_AGAIN)) == {}
            asked_for = [message.get("requirement") or message["grant"] for message in asked.requests]
            # By id alone, then by e-mail as well; the second could not have been made of the first.
            assert asked_for == [f"{LIST}default-id-type", f"{LIST}by-email", USABLE_AGAIN, "grant 3"]
            assert reasons(judged(run, f"{LIST}invalid-id-type")) == {}
            assert len(asked.requests) == 4
            run.leave()
            assert [message["grant"] for message in asked.requests[4:]] == ["grant 1", "grant 2"]
        assert len(asked.requests) == 6


@pytest.mark.parametrize("writes", [False, True])
def test_it_is_not_started_unless_writes_are_allowed(writes: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a parameter of the test's table
    provider = in_shell("echo started >> starts; exit 3")
    with serving("crowdtwist") as url, running(tmp_path, bare(url, provider), Permissions(writes=writes)) as run:
        outcome = judged(run, f"{LIST}by-email")[f"{LIST}by-email"]
    assert (tmp_path / "starts").exists() == writes
    if not writes:
        reason = "the target's data lacks member.alice; the provider may make data with --allow-writes only"
        assert (outcome.verdict, outcome.reason) == (NOT_TESTABLE, reason)


def test_what_it_cannot_make_the_operators_data_may_have(tmp_path: Path) -> None:
    with serving("crowdtwist") as url, providing(lambda _: {"cannot": "not on Sundays"}) as asked:
        raw = {**contents(url, "crowdtwist"), "provider": {"url": asked.url}}
        with running(tmp_path, raw) as run:
            assert reasons(judged(run, USABLE_AGAIN, f"{LIST}by-email")) == {}
            (judge,) = run.judges.values()
            assert [entities for _, entities in judge.ledger.spent] == [{"coupon.used": {"code": "JDSI2JE"}}]
    assert len(asked.of("provide")) == 2


def test_what_is_not_as_it_was_asked_for_accuses_nobody(tmp_path: Path) -> None:
    """A read before the write tells that the coupon is usable."""
    with serving("crowdtwist") as url:
        right = of_the_pools(url)

        def wrong(message: Message) -> Message:
            said: Message = right(message)
            if message["request"] == "provide":
                said["entities"]["coupon.used"]["code"] = "ACC58111301"
            return said

        with providing(wrong) as asked, running(tmp_path, bare(url, {"url": asked.url})) as run:
            outcome = judged(run, USABLE_AGAIN)[USABLE_AGAIN]
            (judge,) = run.judges.values()
            assert judge.ledger.changes == []
    assert outcome.verdict == NOT_TESTABLE
    assert outcome.reason.startswith("what the provider made is not what was asked for: coupon.used (")
    assert [message["request"] for message in asked.requests] == ["provide", "release"]


def test_vendors_without_a_provider_of_their_own_share_one(tmp_path: Path) -> None:
    own = {"provider": {"url": "http://127.0.0.1:9/made"}}
    vendors = {"crowdtwist": {}, "shoplazza": {}, "chargeover": own}
    raw = {"version": 1, "base_url": "http://127.0.0.1:9", "provider": in_shell("exit 1"), "vendors": vendors}
    opened = fill_in(read_target(written(tmp_path, raw)), ["crowdtwist", "shoplazza", "chargeover"])
    assert opened.providers["crowdtwist"] is opened.providers["shoplazza"]
    assert opened.providers["chargeover"].url == "http://127.0.0.1:9/made"


# -- a provider that fails --------------------------------------------------------------------------------------------

ALICE = '{"version":1,"entities":{"member.alice":{"id":"1001","email":"alice@crowdtwist.com"}}}'


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("echo out of order >&2; exit 3", "ended with exit code 3 without a whole line as an answer: out of order"),
        ("read -r x; printf '%s' '{}'", "ended with exit code 0 without a whole line as an answer"),
        ("read -r x; echo here you are", "the provider's answer is no JSON, Expecting value at character 1"),
        ('read -r x; echo \'{"version":1,"version":1}\'', "the key 'version' is given twice"),
        ("read -r x; echo '[]'", "not as `couponcheck schema provider` says: [] is not of type"),
        ('read -r x; echo \'{"version":2,"entities":{}}\'', "not as `couponcheck schema provider` says"),
        ('read -r x; echo \'{"version":1,"entities":{}}\'', "not what was asked for: member.alice is missing"),
        (
            'read -r x; echo \'{"version":1,"entities":{"member.alice":{"id":"1001"}}}\'',
            "not what was asked for: member.alice.email is missing",
        ),
        (
            f"read -r x; echo '{ALICE[:-2]},\"coupon.used\":{{}}}}}}'",
            "not what was asked for: nobody asked for coupon.used",
        ),
        (f"read -r x; echo '{ALICE[:-3]},\"age\":7}}}}}}'", "not what was asked for: member.alice has no member 'age'"),
        ('read -r x; echo \'{"version":1,"error":"no  disk"}\'', "the provider failed: no disk"),
        ("exec sleep 1000", "the provider did not answer within 0.3 seconds (provider.timeout)"),
        ("trap '' TERM; read -r x; exec >&-; read -r x", "closed its output without a whole line as an answer"),
    ],
)
def test_a_command_that_fails_is_an_error_and_nothing_else(script: str, says: str, tmp_path: Path) -> None:
    """Whatever the operator's own data is."""
    with serving("crowdtwist") as url:
        raw = {**contents(url, "crowdtwist"), "provider": in_shell(script, timeout=0.3 if "sleep" in script else 20)}
        with running(tmp_path, raw) as run:
            outcome = judged(run, f"{LIST}by-email")[f"{LIST}by-email"]
            assert run.verdict == NOT_RUN
    assert (outcome.verdict, outcome.exchanges) == (ERROR, ())
    assert says in outcome.reason
    assert "\n" not in outcome.reason


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ((500, b"out of\norder"), "the provider answered with status 500: out of order"),
        ((302, b""), "the provider answered with status 302"),
        ((200, b"<html>"), "the provider's answer is no JSON"),
        ({"version": 7, "cannot": "x"}, "not as `couponcheck schema provider` says at #/version"),
    ],
)
def test_a_server_that_fails_is_an_error_and_nothing_else(answer: Any, says: str, tmp_path: Path) -> None:
    with (
        serving("crowdtwist") as url,
        providing(lambda _: answer) as asked,
        running(tmp_path, {**contents(url, "crowdtwist"), "provider": {"url": asked.url}}) as run,
    ):
        outcome = judged(run, f"{LIST}by-email")[f"{LIST}by-email"]
    assert outcome.verdict == ERROR
    assert says in outcome.reason


@pytest.mark.parametrize("hangs", [False, True])
def test_a_server_that_is_dead_or_hangs_is_an_error(hangs: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a parameter of the test's table
    with serving("crowdtwist") as url, contextlib.closing(socket.socket()) as port:
        port.bind(("127.0.0.1", 0))
        if hangs:
            port.listen()
        provider = {"url": f"http://127.0.0.1:{port.getsockname()[1]}", "timeout": 0.2}
        with running(tmp_path, bare(url, provider)) as run:
            outcome = judged(run, f"{LIST}by-email")[f"{LIST}by-email"]
    reason = "within 0.2 seconds" if hangs else "cannot be reached: nobody answers there"
    assert outcome.verdict == ERROR
    assert outcome.reason.startswith(f"the provider does not answer: {provider['url']} ")
    assert outcome.reason.endswith(reason)


def test_a_program_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ProviderFailed, match=r"the provider no-such-program cannot be started: No such file"):
        Provider(ProviderSettings(("no-such-program",), folder=tmp_path), {}).describe("crowdtwist")


def test_what_was_said_unasked_is_no_answer_to_the_next_question(tmp_path: Path) -> None:
    """Two lines for one request: the second one, in time or late, is never taken for what was asked afterwards."""
    said = '{"version":1,"handles":["member.alice"]}'
    script = f"read -r x; echo '{said}'; echo '{said}'; read -r x; exit 9"
    with contextlib.closing(Provider(ProviderSettings(("sh", "-c", script), folder=tmp_path), {})) as provider:
        assert provider.describe("crowdtwist") == ["member.alice"]
        needed = next(item for item in catalogue("crowdtwist").checked if item.id == f"{LIST}by-email")
        with pytest.raises(ProviderFailed):
            provider.provide(needed, {"member.alice": {}})


def test_after_three_failures_it_is_left_alone(tmp_path: Path) -> None:
    provider = in_shell("echo started >> starts; exit 3")
    with serving("crowdtwist") as url, running(tmp_path, bare(url, provider)) as run:
        found = judged(run)
    assert (tmp_path / "starts").read_text().count("started") == 3
    needing = [outcome for outcome in found.values() if any(is_data(handle) for handle in outcome.requirement.needs)]
    assert len(needing) > 20
    assert {outcome.verdict for outcome in needing} == {ERROR}
    last = needing[-1].reason
    assert last.startswith("the provider is not asked any more: it failed 3 times in a row, the last time so: ")
    assert last.endswith("ended with exit code 3 without a whole line as an answer")


def test_no_secret_that_it_was_given_is_ever_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADMIN_TOKEN", "hidden-token")
    say = 'printf \'{"version":1,"cannot":"%s is wrong"}\\n\' "$TOKEN"'
    for script in ('echo "wrong $TOKEN" >&2; exit 3', f"while read -r x; do {say}; done", "read -r x; echo $TOKEN"):
        with serving("crowdtwist") as url:
            raw = bare(url, in_shell(script, environment={"TOKEN": "$ADMIN_TOKEN"}))
            arguments = [
                str(written(tmp_path, raw)),
                "--allow-writes",
                "-k",
                "by-email",
                "--report",
                str(tmp_path / "r"),
            ]
            done = CliRunner().invoke(couponcheck, ["run", *arguments])
        reports = [path.read_text(encoding="utf-8") for path in (tmp_path / "r").iterdir() if path.is_file()]
        assert "$ADMIN_TOKEN" in done.output
        assert [text for text in (done.output, *reports) if "hidden-token" in text] == []


def test_what_was_not_released_is_not_said_to_be_put_back(tmp_path: Path) -> None:
    with serving("crowdtwist") as url:
        right = of_the_pools(url)
        forgetful = lambda message: right(message) if message["request"] == "provide" else {"error": "lost"}  # noqa: E731 - one line
        with providing(forgetful) as asked, running(tmp_path, bare(url, {"url": asked.url})) as run:
            assert reasons(judged(run, USABLE_AGAIN)) == {}
            run.leave()
            (judge,) = run.judges.values()
            assert judge.ledger.put_back == []
            assert [change.is_put_back for change in judge.ledger.changes] == [False]
    assert [message["grant"] for message in asked.of("release")] == ["grant 1"] * 3


# -- a run that is broken off -----------------------------------------------------------------------------------------


def test_a_run_that_is_broken_off_has_everything_released(tmp_path: Path) -> None:
    """Ctrl-C reaches the suite in the middle of a requirement; its command is spared until it has cleaned up."""
    log = tmp_path / "log"
    known = '{"version":1,"entities":{"member.alice":{"id":"1001","email":"alice@crowdtwist.com"}},"grant":"g"}'
    late = known.replace('"g"', '"late"')
    script = f"""
while read -r line; do
  echo "$line" >> {log}
  case $line in
    *by-email*) printf '%s\\n' '{known}' ;;
    *'"release"'*) echo '{{"version":1,"released":true}}' ;;
    *) kill -INT $PPID; printf '%s\\n' '{late}' ;;
  esac
done
"""
    with serving("crowdtwist") as url:
        target = written(tmp_path, bare(url, in_shell(script)))
        done = subprocess.run(
            [COUPONCHECK, "run", target, "--allow-writes", "-k", "by-email or by-facebook"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    requests = [json.loads(line) for line in log.read_text().splitlines()]
    assert [message["request"] for message in requests] == ["provide", "provide", "release", "release"]
    assert [message["grant"] for message in requests[2:]] == ["g", "late"]
    assert done.returncode == 130, done.stdout + done.stderr
    assert 'by-email: member.alice {"id": "1001", "email": "alice@crowdtwist.com"} (by provider)' in done.stdout


# -- couponcheck doctor -----------------------------------------------------------------------------------------------


def test_the_doctor_asks_it_only_what_it_makes(tmp_path: Path) -> None:
    with serving("crowdtwist") as url, providing(lambda _: {"handles": ["member.*", "coupon.used*"]}) as asked:
        done = CliRunner().invoke(couponcheck, ["doctor", str(written(tmp_path, bare(url, {"url": asked.url})))])
    assert [message["request"] for message in asked.requests] == ["describe"]
    lines = done.output.splitlines()
    assert "  ok     provider says that it makes member.*, coupon.used*" in lines
    (enabled,) = [line for line in lines if line.startswith("  With --allow-writes the provider enables ")]
    assert int(enabled.split()[-2]) > 20
    print(done.output)
    assert done.exit_code == 1


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"handles": ["coupon.usd"]}, "says that it makes coupon.usd; no requirement names coupon.usd"),
        ({"error": "closed"}, "should describe itself: the provider failed: closed"),
    ],
)
def test_the_doctor_says_what_is_wrong_with_it(answer: Any, says: str, tmp_path: Path) -> None:
    with serving("crowdtwist") as url, providing(lambda _: answer) as asked:
        raw = {**contents(url, "crowdtwist"), "provider": {"url": asked.url}}
        done = CliRunner().invoke(couponcheck, ["doctor", str(written(tmp_path, raw))])
    assert f"  wrong  provider {says}" in done.output.splitlines()
    assert done.exit_code == 1


def test_its_process_ends_with_the_run(tmp_path: Path) -> None:
    script = 'echo $$ > pid; while read -r x; do echo \'{"version":1,"handles":[]}\'; done; echo ended > end'
    with contextlib.closing(Provider(ProviderSettings(("sh", "-c", script), folder=tmp_path), {})) as made:
        assert made.describe("crowdtwist") == []
        pid = int((tmp_path / "pid").read_text())
        os.kill(pid, 0)
    assert (tmp_path / "end").read_text() == "ended\n"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIGCONT)
