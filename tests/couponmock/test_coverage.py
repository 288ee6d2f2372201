"""Which documented answers the clients of a mock have got: counted, shown in three forms, and asked for in CI."""

import contextlib
import json
import os
import subprocess
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from couponmock.coverage import answer_of
from couponmock.exchange import Diagnosis, Reply
from couponspec import load_document, vendors
from running_mock import ANSWER_SECONDS, COUPONMOCK, START_SECONDS, Answer, Mock, couponmock, environment, serving
from vendor_answers import CREDENTIALS, assert_problem, document

JSON = [("Content-Type", "application/json")]
LIST = "/v2/users/1001/usable_coupons?api_key=QWERTY"
COUPON = "/api/v3/coupon/1"
OPERATIONS = {operation: vendor for vendor in vendors() for operation in document(vendor).operations}
DOCUMENTED = sum(
    not example.instead_of and not operation.companion
    for vendor in vendors()
    for operation in document(vendor).operations.values()
    for example in operation.examples.values()
)


def asked(mock: Mock, query: str = "") -> Any:
    """Ask for the coverage of the mock's namespace, or of what the query names."""
    answer = mock.send("GET", f"/__admin/coverage{query}")
    assert (answer.status, answer.media_type) == (200, "application/json"), answer
    return answer.json


def examples(report: Any, mark: str = "seen") -> set[tuple[str, str]]:
    """Return vendor.operation and example of the answers that a report marks."""
    return {
        (f"{vendor['vendor']}.{operation['operation']}", example["example"])
        for vendor in report["vendors"]
        for operation in vendor["operations"]
        for example in operation["examples"]
        if example[mark]
    }


def listed(report: Any) -> Iterator[Any]:
    """Yield every answer that a report lists."""
    for vendor in report["vendors"]:
        for operation in vendor["operations"]:
            yield from operation["examples"]


def unuse(mock: Mock, code: str = "JDSI2JE") -> Answer:
    """Unuse a coupon."""
    return mock.post("/v2/coupon/unuse?api_key=QWERTY", {"coupon_value": code})


def in_the_shell(command: str, folder: Path) -> None:
    """Run a printed command as it is."""
    (folder / ".curlrc").write_text('output = "/dev/null"\n')
    environment = {**os.environ, "CURL_HOME": str(folder), "NO_PROXY": "*"}
    subprocess.run(["sh", "-c", command], check=True, env=environment, timeout=ANSWER_SECONDS)


# What counts


def test_a_fresh_world_has_seen_nothing(mock: Mock) -> None:
    """Every named answer of every operation is listed with its status, basis and code, and a way to get it."""
    report = asked(mock)

    assert report["namespace"] == mock.namespace
    errors = report["total"].pop("errors")
    assert report["total"] == {"documented": DOCUMENTED, "seen": 0, "forced": 0, "percent": 0.0}
    assert 0 < errors["documented"] < DOCUMENTED
    for vendor in report["vendors"]:
        operations = {operation["operation"]: operation for operation in vendor["operations"]}
        assert {*operations} == {*document(vendor["vendor"]).operations, "general"}
        for name, operation in operations.items():
            known = document(vendor["vendor"])
            wanted = known.general if name == "general" else known.operations[name]
            shown = [(one["example"], one["status"], one["basis"]) for one in operation["examples"]]
            usual = [one for one in wanted.examples.values() if not one.instead_of]
            assert shown == [(one.name, one.status, one.basis) for one in usual]
            assert operation["counted"] == (name != "general" and not wanted.companion)
    not_issued = next(example for example in listed(report) if example["example"] == "not_issued")
    reach = not_issued.pop("reach")
    assert not_issued == {
        "example": "not_issued",
        "status": 404,
        "code": "not_issued",
        "basis": "documented",
        "seen": False,
        "forced": False,
    }
    assert reach["handle"] == "coupon.generated"
    assert f"http://mock/~{mock.namespace}/v2/coupon/unuse" in reach["curl"]


def test_what_a_client_is_answered_is_seen_in_its_own_namespace(mock: Mock, other_mock: Mock) -> None:
    """However often; whoever of the workers answers or is asked."""
    for _ in range(4):
        unuse(mock)
        mock.send("GET", COUPON)
        mock.send("GET", LIST)

    seen = {
        ("crowdtwist.unuseCoupon", "unused"),
        ("crowdtwist.unuseCoupon", "not_used"),
        ("crowdtwist.listUsableCoupons", "usable_coupons"),
        ("chargeover.getCoupon", "missing_authorization"),
    }
    for _ in range(8):
        report = asked(mock)
        assert examples(report) == seen
        assert (report["total"]["seen"], report["total"]["errors"]["seen"], report["total"]["forced"]) == (4, 2, 0)
    assert examples(asked(other_mock)) == set()
    assert examples(asked(other_mock, f"?namespace={mock.namespace}")) == seen


def test_figures_are_cut_and_never_rounded_up(mock: Mock) -> None:
    """A share is that of the operation, of the vendor, of all that was asked about."""
    mock.send("GET", COUPON)
    unuse(mock)
    unuse(mock)
    report = asked(mock, "?vendor=chargeover&vendor=crowdtwist")

    chargeover, crowdtwist = report["vendors"]
    assert [vendor["vendor"] for vendor in report["vendors"]] == ["chargeover", "crowdtwist"]
    assert (chargeover["percent"], chargeover["operations"][0]["percent"]) == (12.5, 12.5)
    assert (crowdtwist["seen"], crowdtwist["percent"]) == (2, 2000 // crowdtwist["documented"] / 10)
    documented = chargeover["documented"] + crowdtwist["documented"]
    assert report["total"]["documented"] == documented
    assert report["total"]["percent"] == 3000 // documented / 10
    assert report["total"]["percent"] < 300 / documented


def test_an_answer_that_was_asked_for_counts_and_says_so(mock: Mock) -> None:
    """Until the client gets it without asking."""
    asking = {**CREDENTIALS["chargeover"], "Prefer": "example=not_found"}
    not_found = ("chargeover.getCoupon", "not_found")
    assert mock.send("GET", COUPON, asking).status == 404
    report = asked(mock)
    assert examples(report) == examples(report, "forced") == {not_found}
    assert (report["total"]["seen"], report["total"]["forced"]) == (1, 1)

    assert mock.send("GET", "/api/v3/coupon/999", CREDENTIALS["chargeover"]).status == 404
    report = asked(mock)
    assert (examples(report), examples(report, "forced")) == ({not_found}, set())

    mock.send("GET", COUPON, asking)
    assert examples(asked(mock), "forced") == set()


def test_a_status_that_no_page_documents_does_not_count(mock: Mock) -> None:
    """The mock makes it up when it is asked for."""
    assert mock.send("GET", COUPON, {**CREDENTIALS["chargeover"], "Prefer": "code=418"}).status == 418
    assert examples(asked(mock)) == set()


@pytest.mark.parametrize("kind", ["truncate", "malformed", "media-type", "drop"])
def test_an_answer_that_a_fault_has_damaged_does_not_count(mock: Mock, kind: str) -> None:
    """Nobody has handled what did not arrive."""
    assert mock.send("POST", "/__admin/faults", JSON, json.dumps({"kind": kind}).encode()).status == 201
    with contextlib.suppress(ConnectionError, HTTPException):
        mock.send("GET", COUPON, CREDENTIALS["chargeover"])
    assert examples(asked(mock)) == set()


@pytest.mark.parametrize("rule", [{"kind": "latency", "delay": {"ms": 1}}, {"kind": "drip", "over": {"ms": 1}}])
def test_an_answer_that_only_comes_late_counts(mock: Mock, rule: dict[str, Any]) -> None:
    """It is whole, and nobody has asked for it."""
    assert mock.send("POST", "/__admin/faults", JSON, json.dumps(rule).encode()).status == 201
    assert mock.send("GET", COUPON, CREDENTIALS["chargeover"]).status == 200
    report = asked(mock)
    assert (examples(report), examples(report, "forced")) == ({("chargeover.getCoupon", "found")}, set())


def test_an_answer_of_a_limit_counts_as_the_clients_own(mock: Mock) -> None:
    """Nobody has asked for it: the client was too fast."""
    limits = b'{"chargeover": {"size": 1, "leak": 0.001}}'
    assert mock.send("PUT", "/__admin/limits", JSON, limits).status == 200
    assert [mock.send("GET", COUPON, CREDENTIALS["chargeover"]).status for _ in range(2)] == [200, 429]
    report = asked(mock)
    assert examples(report) == {("chargeover.getCoupon", "found"), ("chargeover.getCoupon", "rate_limited")}
    assert examples(report, "forced") == set()


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "problem", "operation": "getCoupon", "example": "not_found"},
        {"kind": "status", "operation": "getCoupon", "status": 404},
    ],
)
def test_an_answer_that_a_rule_gives_was_asked_for(mock: Mock, rule: dict[str, Any]) -> None:
    """By the test that made the rule, as if by `Prefer`."""
    assert mock.send("POST", "/__admin/faults", JSON, json.dumps(rule).encode()).status == 201
    assert mock.send("GET", COUPON, CREDENTIALS["chargeover"]).status == 404
    report = asked(mock)
    assert examples(report) == examples(report, "forced") == {("chargeover.getCoupon", "not_found")}


def test_what_reaches_no_operation_is_listed_and_not_counted(mock: Mock) -> None:
    """Whether the client stumbled upon it or asked for it."""
    mock.send("GET", "/api/v3/nowhere")
    mock.send("GET", f"{LIST}&__example=unknown_route")
    report = asked(mock)

    general = {("chargeover.general", "unknown_endpoint"), ("crowdtwist.general", "unknown_route")}
    assert (examples(report), report["total"]["seen"]) == (general, 0)
    assert examples(report, "forced") == {("crowdtwist.general", "unknown_route")}


def test_an_answer_that_was_broken_on_its_way_does_not_count() -> None:
    """With another status than the document gives it, it is not that answer."""
    found = Diagnosis("chargeover", "getCoupon", example="found")
    replies = {status: Reply(status, "application/json", b"{}", diagnosis=found) for status in (200, 502)}
    assert answer_of(load_document("chargeover"), replies[200]) == "chargeover getCoupon found"
    assert answer_of(load_document("chargeover"), replies[502]) is None


def test_every_answer_can_be_got_as_the_report_says(mock: Mock, tmp_path: Path) -> None:
    """Pasted one after the other, its commands make 100 %, with nothing asked for."""
    report = asked(mock)
    for vendor in report["vendors"]:
        for operation in vendor["operations"]:
            for example in operation["examples"]:
                if operation["counted"]:
                    in_the_shell(example["reach"]["curl"].replace("http://mock/", f"{mock.origin}/"), tmp_path)
    report = asked(mock)

    missing = examples(report, "example") - examples(report)
    assert {operation.partition(".")[2] for operation, _ in missing} == {"general", "useCoupon", "redeemReward"}
    assert report["total"]["percent"] == 100.0
    assert examples(report, "forced") == set()


def test_an_answer_counts_under_any_reading(mock: Mock) -> None:
    """Whoever handles the 404 of a member that there is not has handled that there is none."""
    assert mock.send("PUT", "/__admin/readings", [], b'{"crowdtwist.unknown-member": "404"}').status == 200
    assert mock.send("GET", "/v2/users/99/usable_coupons?api_key=QWERTY").status == 404
    assert examples(asked(mock)) == {("crowdtwist.listUsableCoupons", "unknown_member")}


# How long it is remembered


def test_what_was_seen_outlives_the_journal_and_a_reset(mock: Mock) -> None:
    """The journal keeps the newest entries; coverage does not depend on them."""
    unuse(mock)
    assert mock.send("DELETE", "/__admin/requests").status == 204
    assert mock.send("POST", "/__admin/reset").status == 200
    assert examples(asked(mock)) == {("crowdtwist.unuseCoupon", "unused")}


def test_coverage_can_be_cleared(mock: Mock, other_mock: Mock) -> None:
    """Of one namespace, by the request's or by name; what comes afterwards is seen."""
    for one in (mock, other_mock):
        unuse(one)
    assert mock.send("DELETE", "/__admin/coverage").status == 204
    assert (len(examples(asked(mock))), len(examples(asked(other_mock)))) == (0, 1)
    assert mock.send("DELETE", f"/__admin/coverage?namespace={other_mock.namespace}").status == 204
    assert examples(asked(other_mock)) == set()
    unuse(mock)
    assert examples(asked(mock)) == {("crowdtwist.unuseCoupon", "not_used")}


def test_all_namespaces_together_remember_the_dropped_ones(tmp_path: Path) -> None:
    """A suite that makes and drops a namespace for each test has one coverage, also after the server's restart."""
    state = ("--state", f"sqlite:///{tmp_path}/state.db", "--workers", "2")
    with serving(tmp_path, *state) as server:
        for code in ("JDSI2JE", "NO-SUCH-COUPON"):
            world = server.within("brief")
            unuse(world, code)
            assert len(examples(asked(world))) == 1
            assert server.admin("DELETE", "/namespaces/brief").status == 204
        server.send("GET", COUPON)
    seen = {("crowdtwist.unuseCoupon", "unused"), ("crowdtwist.unuseCoupon", "no_data")}
    with serving(tmp_path, *state) as server:
        report = asked(server, "?namespace=*")
        assert (report["namespace"], report["total"]["seen"]) == ("*", 3)
        assert examples(report) == seen | {("chargeover.getCoupon", "missing_authorization")}
        assert examples(asked(server)) == {("chargeover.getCoupon", "missing_authorization")}
        assert examples(asked(server.within("brief"))) == set()

        assert server.admin("DELETE", "/coverage?namespace=*").status == 204
        assert examples(asked(server, "?namespace=*")) == examples(asked(server)) == set()


# Its forms


def test_markdown_is_a_table_and_the_requests_that_are_missing(mock: Mock) -> None:
    """What was seen is counted; what was not comes with its handle and a command."""
    unuse(mock)
    answer = mock.send("GET", "/__admin/coverage?format=markdown&vendor=crowdtwist")
    assert (answer.status, answer.media_type) == (200, "text/markdown; charset=utf-8")
    text = answer.body.decode()
    lines = text.splitlines()
    assert lines[0] == "## Coverage of the documented answers: 4.0 %"
    assert "| crowdtwist | unuseCoupon | 1 | 14 | 0 | 7.1 |" in lines
    assert "| crowdtwist | general (not counted) | 0 | 4 | 0 | 0.0 |" in lines
    assert "# 404 not_issued (documented), handle coupon.generated" in lines
    assert "# 400 unknown_member (documented, code page_not_found)" in lines
    assert "200 unused" not in text
    assert f"http://mock/~{mock.namespace}/v2/coupon/unuse" in text


def test_junit_has_a_case_for_each_documented_answer(mock: Mock) -> None:
    """Seen passed, not seen failed, not counted skipped; the counts are those of the cases."""
    unuse(mock)
    mock.send("GET", COUPON, {**CREDENTIALS["chargeover"], "Prefer": "example=not_found"})
    answer = mock.send("GET", "/__admin/coverage?format=junit")
    assert (answer.status, answer.media_type) == (200, "application/xml")
    root = ET.fromstring(answer.body)  # noqa: S314 - our own
    report = asked(mock)

    assert (root.tag, {child.tag for child in root}) == ("testsuites", {"testsuite"})
    for element in (root, *root):
        cases = element.findall(".//testcase")
        for name, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            if name in element.attrib:
                assert int(element.attrib[name]) == len(element.findall(f".//{kind}"))
        assert int(element.attrib["tests"]) == len(cases)
    passed = {
        (case.attrib["classname"], case.attrib["name"])
        for case in root.iter("testcase")
        if case.find("failure") is None and case.find("skipped") is None
    }
    assert passed == {("crowdtwist.unuseCoupon", "200 unused"), ("chargeover.getCoupon", "404 not_found")}
    assert int(root.attrib["failures"]) == report["total"]["documented"] - 2
    assert [case.attrib["name"] for case in root.iter("testcase") if case.find("system-out") is not None] == [
        "404 not_found"
    ]
    texts = {element.text for element in root.iter("failure")}
    assert texts <= {example["reach"]["curl"] for example in listed(report) if example["reach"]}
    assert any("&" in (text or "") for text in texts)  # came back whole: it was escaped


@pytest.mark.parametrize(
    ("method", "query", "status", "kind"),
    [
        ("GET", "?colour=red", 400, "request"),
        ("GET", "?format=html", 400, "request"),
        ("GET", "?format=json&format=junit", 400, "request"),
        ("GET", "?vendor=nope", 400, "request"),
        ("GET", "?namespace=never-made", 404, "namespace"),
        ("GET", "?namespace=", 404, "namespace"),
        ("DELETE", "?namespace=never-made", 404, "namespace"),
        ("DELETE", "?vendor=crowdtwist", 400, "request"),
    ],
)
def test_a_wrong_question_says_what_is_allowed(mock: Mock, method: str, query: str, status: int, kind: str) -> None:
    """And nothing is forgotten."""
    unuse(mock)
    assert_problem(mock.send(method, f"/__admin/coverage{query}"), status, kind)
    assert len(examples(asked(mock))) == 1


# The command


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mock]:
    """Run a mock of one vendor, half of whose answers were seen in the namespace `half`, and a quarter in `quarter`."""
    with serving(tmp_path_factory.mktemp("half"), "--vendor", "chargeover") as server:
        for name, wanted in (("half", ("found", "not_found")), ("quarter", ("rate_limited",))):
            for example in wanted:
                headers = {**CREDENTIALS["chargeover"], "Prefer": f"example={example}"}
                assert server.within(name).send("GET", COUPON, headers).example == example
            server.within(name).send("GET", COUPON)
        yield server


def run(folder: Path, *arguments: str, **variables: str) -> tuple[int, str, str]:
    """Run `couponmock coverage` and return its exit code, its output and what it complained about."""
    done = subprocess.run(
        [COUPONMOCK, "coverage", *arguments],
        cwd=folder,
        env={**environment(folder), **variables},
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
        check=False,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("flags", "code", "percent"),
    [
        ([], 0, "4 of 8 (50.0 %)"),
        (["--fail-under", "50"], 0, "4 of 8 (50.0 %)"),
        (["--fail-under", "50.1"], 1, "4 of 8 (50.0 %)"),
        (["--namespace", "quarter", "--fail-under", "26"], 1, "2 of 8 (25.0 %)"),
        (["--namespace", "quarter", "--fail-under", "25"], 0, "2 of 8 (25.0 %)"),
        (["--namespace", "*", "--vendor", "chargeover"], 0, "4 of 8 (50.0 %)"),
        (["--fail-under", "nan"], 1, "4 of 8 (50.0 %)"),
    ],
)
def test_the_command_says_the_figures_and_whether_they_are_enough(
    half: Mock, tmp_path: Path, flags: list[str], code: int, percent: str
) -> None:
    """Exit code 1 and one line if they are not; it asks about all namespaces unless one is named."""
    got, out, complaint = run(tmp_path, half.origin, *flags, http_proxy="http://127.0.0.1:1")
    assert (got, len(complaint.splitlines())) == (code, code)
    assert out.startswith(f"{percent} documented answers seen in ")
    assert "not seen     500 internal_error (inferred)" in out
    assert "only forced  429 rate_limited (inferred)" in out


def test_the_url_may_name_the_namespace(half: Mock, tmp_path: Path) -> None:
    """As for every client of the mock."""
    _, out, _ = run(tmp_path, half.within("quarter").url)
    assert out.startswith("2 of 8 (25.0 %) documented answers seen in namespace quarter, 1 only forced; errors 2 of 7 ")


@pytest.mark.parametrize("wanted", ["json", "markdown", "junit"])
def test_the_command_writes_what_the_endpoint_answers(half: Mock, tmp_path: Path, wanted: str) -> None:
    """To its output, or to a file; then its output is one line."""
    answer = half.send("GET", f"/__admin/coverage?namespace=*&format={wanted}")
    body = answer.body.replace(b"http://mock/", f"{half.origin}/".encode())
    code, out, complaint = run(tmp_path, half.origin, "--format", wanted)
    assert (code, complaint) == (0, "")
    if wanted == "json":
        assert json.loads(out) == json.loads(body)
    else:
        assert out == body.decode()
    code, line, complaint = run(tmp_path, half.origin, "--format", wanted, "--output", "report")
    assert (code, complaint, line.count("\n")) == (0, "", 1)
    assert (tmp_path / "report").read_text() == out


class Stranger(BaseHTTPRequestHandler):
    """Some other server."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path.startswith("/fine") else 404)
        self.end_headers()
        self.wfile.write(b"<p>hello")

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has above
        """Keep quiet."""


@pytest.fixture(scope="module")
def stranger() -> Iterator[str]:
    """Run a server that is no mock and return its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["http://127.0.0.1:1"], "no mock answers at http://127.0.0.1:1"),
        (["STRANGER/fine"], "no mock answers at "),
        (["STRANGER"], "answers 404, and not as a couponmock does"),
        (["nonsense"], "'nonsense' is no address of a mock"),
        (["http://127.0.0.1:port"], "'http://127.0.0.1:port' is no address of a mock"),
        (["http://[::1"], "'http://[::1' is no address of a mock"),
        (["MOCK", "--namespace", "nope"], "There is no namespace 'nope'"),
        (["MOCK", "--vendor", "nope"], "There is no vendor 'nope'; there are chargeover"),
        (["MOCK", "--output", "no/such/folder/report"], "cannot write to no/such/folder/report"),
    ],
)
def test_what_cannot_be_told_is_one_line_and_exit_code_2(
    half: Mock, stranger: str, tmp_path: Path, arguments: list[str], words: str
) -> None:
    """No mock, no such namespace, no such file: the line says which."""
    filled = [argument.replace("MOCK", half.origin).replace("STRANGER", stranger) for argument in arguments]
    code, out, complaint = run(tmp_path, *filled)
    assert (code, out, len(complaint.splitlines())) == (2, "", 1), complaint
    assert words in complaint


@pytest.mark.parametrize("flags", [["--fail-under", "101"], ["--fail-under", "much"], ["--format", "html"]])
def test_wrong_usage_is_exit_code_2(tmp_path: Path, flags: list[str]) -> None:
    """Before anybody is asked."""
    assert couponmock(tmp_path, "coverage", *flags).returncode == 2


def test_without_a_journal_there_is_no_coverage(tmp_path: Path) -> None:
    """The endpoint and the command say why."""
    with serving(tmp_path, "--no-journal") as quiet:
        assert_problem(quiet.admin("GET", "/coverage"), 409, "journal")
        assert_problem(quiet.admin("DELETE", "/coverage"), 409, "journal")
        code, _, complaint = run(tmp_path, quiet.origin)
        assert (code, "--no-journal" in complaint) == (2, True)
