"""The tables of how to reach every documented answer, and the commands that the mock prints, do what they say."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from couponspec import load_pack, locate
from couponspec.check import reachable
from couponspec.pack import Reach
from couponspec.request import build
from running_mock import ANSWER_SECONDS, Mock, couponmock
from vendor_answers import assert_fits_document, assert_is_json, document, operation, same

VENDORS = locate.vendors()
LINES = [
    pytest.param(vendor, pack, reach, id=f"{vendor}-{pack}-{reach.operation}-{reach.answer}")
    for vendor in VENDORS
    for pack in locate.packs(vendor)
    for reach in load_pack(document(vendor), pack).reach
]

FILLED_BY_THE_WORLD = {"received", "limit_reached", "already_received", "out_of_stock"}
"""The examples whose items show the seeded coupon that was asked for."""


@pytest.mark.parametrize(("vendor", "pack", "reach"), LINES)
def test_every_line_of_a_reach_table_gives_the_answer_it_promises(
    documented_server: Mock, vendor: str, pack: str, reach: Reach
) -> None:
    """In a fresh world the request gives the named example: its status, its body, its headers."""
    mock = documented_server.new_world(pack)
    asked = operation(vendor, reach.operation)
    request = build(document(vendor), asked, reach.request, mock.bindings(vendor))
    answer = mock.send(request.method, request.target, request.headers, request.body)
    expected = asked.examples[reach.answer]
    assert (answer.status, answer.example) == (expected.status, reach.answer)
    assert_is_json(answer)
    assert_fits_document(vendor, reach.operation, answer)
    assert {name for name in expected.headers if name not in answer.headers} == set()
    given, wanted = answer.json, expected.value
    if reach.answer == "usable_coupons":
        assert [item.keys() for item in given] == [wanted[0].keys()] * len(given)
    elif reach.answer == "redeemed":
        [coupon] = given["coupons"]
        assert coupon.keys() == {"code"}
    elif reach.answer in FILLED_BY_THE_WORLD:
        assert [item.keys() for item in given["items"]] == [wanted["items"][0].keys()]
        assert same({**given, "items": None}, {**wanted, "items": None})
        assert given["items"][0]["coupon_status"] == wanted["items"][0]["coupon_status"]
    else:
        assert same(given, wanted), answer.body


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_demo_pack_reaches_every_answer_of_the_document(vendor: str) -> None:
    """No named example of a response is out of reach of plain requests to the default pack."""
    reached = {(reach.operation, reach.answer) for reach in load_pack(document(vendor), "demo").reach}
    by_operation = {answer for _, answer in reached}
    for name, example in reachable(document(vendor)):
        assert (name, example.name) in reached or (name == "general" and example.name in by_operation), example.name


@pytest.mark.parametrize(
    ("vendor", "name", "statuses"),
    [
        ("chargeover", "getCoupon", {200, 400, 401, 404, 429, 500}),
        ("crowdtwist", "unuseCoupon", {200, 400, 401, 404, 413, 429, 500}),
        ("crowdtwist", "useCoupon", {200, 400, 401, 404, 413, 429, 500}),
        ("crowdtwist", "redeemReward", {200, 400, 401, 413, 429, 500}),
        ("crowdtwist", "listUsableCoupons", {200, 400, 401, 429, 500}),
        ("shoplazza", "receiveCoupons", {200, 400, 401, 403, 404, 422, 429, 500}),
    ],
)
def test_the_demo_pack_reaches_every_status_of_the_pages(vendor: str, name: str, statuses: set[int]) -> None:
    """A client can meet each status that the vendor's pages know, also the vendor's own failures."""
    lines = load_pack(document(vendor), "demo").reach
    examples = operation(vendor, name).examples
    assert {examples[line.answer].status for line in lines if line.operation == name} == statuses


def curl_in_the_shell(command: str, folder: Path) -> tuple[int, str]:
    """Run a printed command as it is and return the status and the error output; needs the program curl."""
    (folder / ".curlrc").write_text('output = "/dev/null"\nwrite-out = "%{http_code}"\n')
    done = subprocess.run(
        ["sh", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        timeout=ANSWER_SECONDS,
        env={**os.environ, "CURL_HOME": str(folder), "NO_PROXY": "*"},
    )
    return int(done.stdout or 0), done.stderr


@pytest.fixture
def curl() -> None:
    """Need the program curl: skip without it, but fail on CI."""
    if shutil.which("curl") is None:
        assert not os.environ.get("CI"), "CI has to have the program curl"
        pytest.skip("needs the program curl")


@pytest.mark.parametrize("pack", ["demo", "documented"])
def test_every_curl_of_the_fixtures_table_works_in_a_shell(
    curl: None, documented_server: Mock, tmp_path: Path, pack: str
) -> None:
    """Pasted as printed, each command gets the status that stands above it."""
    printed = couponmock(tmp_path, "fixtures", "--pack", pack, "--base-url", f"{documented_server.origin}/~NAMESPACE")
    assert printed.returncode == 0, printed.stderr
    stops = re.findall(
        r"^  (\S+) -> (\d{3}) (\S+) \(.*\)\n    handle: .*\n    (.*curl .*)$", printed.stdout, re.MULTILINE
    )
    assert len(stops) == sum(len(load_pack(document(vendor), pack).reach) for vendor in VENDORS)
    wrong = []
    for name, status, example, command in stops:
        namespace = documented_server.new_world(pack).namespace or ""
        got = curl_in_the_shell(command.replace("~NAMESPACE", f"~{namespace}"), tmp_path)
        if got != (int(status), ""):
            wrong.append((name, example, command, got))
    assert wrong == []


def test_every_curl_of_the_banner_works_in_a_shell(curl: None, server: Mock, tmp_path: Path) -> None:
    """The first thing a person pastes succeeds: for each of the four operations, and then for the two companions."""
    lines = server.log.read_text().splitlines()
    asked = [line for line in lines if line.startswith("# ")]
    assert asked[4:] == ["# crowdtwist useCoupon (companion)", "# crowdtwist redeemReward (companion)"]
    commands = [line for line in lines if line.startswith("curl ")]
    assert len(commands) == len(asked) == 6
    namespace = server.new_world().namespace
    for command in commands:
        here = command.replace(server.origin, f"{server.origin}/~{namespace}")
        assert here != command
        assert curl_in_the_shell(here, tmp_path) == (200, ""), shlex.split(command)


def test_the_fixtures_table_lists_every_value_that_no_page_prints(tmp_path: Path) -> None:
    """What is ours in the printed world is named with its handle, below a line that says so."""
    printed = couponmock(tmp_path, "fixtures", "--pack", "documented")
    assert printed.returncode == 0
    for vendor in VENDORS:
        for entity in load_pack(document(vendor), "documented").entities:
            if entity.inferred:
                assert f"    {entity.handle}: {', '.join(entity.inferred)}\n" in printed.stdout
    assert printed.stdout.count("ours (inferred)") == len(VENDORS)
