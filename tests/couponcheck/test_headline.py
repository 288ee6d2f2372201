"""The one line that somebody reads who has no time: what was observed, to which request, and what was expected."""

import json
import re
from contextlib import closing
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from broken_server import SEED, catalogue, document, serving
from click.testing import CliRunner
from couponcheck.commands import couponcheck
from couponcheck.exchange import Client, Exchange
from couponcheck.expect import Mismatch
from couponcheck.headline import headline
from couponcheck.judge import Judge
from couponcheck.outcome import FAIL, Outcome
from couponcheck.target import Target, open_target
from couponspec.request import build

VENDOR = "crowdtwist"
SECRET = "a-secret-that-is-much-longer-than-what-is-shown-of-a-value"
CURL = re.compile("curl|https?://")


def told(requirement: str, defect: str) -> str:
    """Return the headline of a requirement, from a server with a defect."""
    vendor = requirement.partition(".")[0]
    (chosen,) = [one for one in catalogue(vendor).checked if one.id == requirement]
    with serving(vendor, defects=(f"{vendor}.{defect}",)) as url, closing(open_target(url, vendor, SEED)) as target:
        judge = Judge(document(vendor), catalogue(vendor), target, SEED)
        outcome = judge.outcome(chosen)
        assert outcome.needs_a_look
        return headline(judge, outcome)


@pytest.mark.parametrize(
    ("requirement", "defect", "said"),
    [
        # a status, and what kind of answer it is where its status does not tell that
        (
            "chargeover.getCoupon.disabled",
            "hides-disabled",
            r"answered 404 to getCoupon \(coupon_id 2\); expected status 200",
        ),
        (
            "crowdtwist.listUsableCoupons.by-third-party",
            "not-by-third-party-id",
            (
                r"answered 400 \(error page_not_found\) to listUsableCoupons \(user_id \S+, id_type third_party_id\); "
                r"expected status 200 as in listUsableCoupons \(user_id 1001\)"
            ),
        ),
        # what comes and goes
        (
            "crowdtwist.listUsableCoupons.repeatable",
            "third-list-short",
            r"not always \([1-4] of 5 more times as expected\): .*",
        ),
        # what is special about a call, where the requirement does not say it
        (
            "shoplazza.receiveCoupons.other-methods",
            "any-version",
            r"answered 200 to POST .*; expected status 3xx or 4xx for another version of the interface",
        ),
        # a request that reaches no operation, by method and path
        (
            "chargeover.getCoupon.unsupported-command",
            "crashes-on-commands",
            r"answered 500 to DELETE /api/v3/coupon/\d+; expected status 400 or 404 or 405",
        ),
        # a credential that is not the right one: none, another's
        (
            "shoplazza.receiveCoupons.token-required",
            "open-session",
            r"answered 200 to receiveCoupons \(no access-token, customer_id .*expected status 400 or 401",
        ),
        (
            "crowdtwist.listUsableCoupons.key-checked",
            "list-with-wrong-key",
            r"answered 200 to listUsableCoupons \(api_key credential.wrong, user_id 1001\); expected status 4.*",
        ),
        # a value of the wrong type, as it was sent
        (
            "crowdtwist.unuseCoupon.value-is-text",
            "value-in-list",
            r'answered 200 to unuseCoupon \(coupon_value \["[^"]+"\]\); expected status 4xx',
        ),
        ("shoplazza.receiveCoupons.empty-list", "accepts-empty-list", r".*\(customer_id \"5001\", coupon_ids \[\]\).*"),
        # status and identifier together
        (
            "crowdtwist.listUsableCoupons.invalid-id-type",
            "id-type-ignored",
            (
                r"answered 200 to listUsableCoupons \(user_id 1001, id_type shoe_size\); "
                r"expected status 4xx and error is input_error or param_error"
            ),
        ),
        (
            "crowdtwist.listUsableCoupons.no-activities",
            "never-any-unknown",
            (
                r"error is page_not_found, in the 400 answer to listUsableCoupons \(user_id 1003\); "
                r"expected error is no_activities, or status 200 and the number of items is 0"
            ),
        ),
        # a member and its value
        (
            "crowdtwist.unuseCoupon.field-success",
            "success-is-text",
            r'success is "true", in the 200 answer to unuseCoupon \(.*\); expected success is true or false',
        ),
        (
            "chargeover.getCoupon.field-write-ipaddr",
            "bracketed-address",
            r'response.write_ipaddr is "\[2001:db8::17\]", in the .* is a text in the format ipv4 or .* ipv6.*',
        ),
        (
            "shoplazza.receiveCoupons.error-envelope",
            "errors-and-error",
            r"the body is \{.*, in the 404 .*; expected the body in one of the forms .*",
        ),
        # an item of a long list
        (
            "shoplazza.receiveCoupons.unlimited",
            "unlimited-is-zero",
            r"the item in items has stock=0, in the 200 answer .*",
        ),
        # of what has come as well, that which was not to come
        (
            "crowdtwist.unuseCoupon.only-that-coupon",
            "whole-order-unused",
            r'the item \{"code": "BOB-USED-2", \.\.\.\} is new, in .* one more item, with \{"code": "BOB-USED-1"\}',
        ),
        # a value that is made of another
        (
            "crowdtwist.listUsableCoupons.whole-id",
            "ids-wrap-around",
            r"the number of items is 5, in the 200 answer .*; expected .* \(sent member\.alice\.id plus 2\^32\)",
        ),
        (
            "crowdtwist.listUsableCoupons.omits-used",
            "used-unexpiring-listed",
            r'\[\]\.code contains "(\S+)", in the 200 answer to .*; expected \[\]\.code does not contain "\1"',
        ),
        (
            "crowdtwist.listUsableCoupons.repeatable",
            "balance-drifts",
            (
                r'the item \{"code": "DAVE-00\d+"\} changed: ending_balance was \d+ and is \d+, '
                r"in the 200 answer to .*, the 2nd time; expected the same answer as the 1st time"
            ),
        ),
        (
            "crowdtwist.listUsableCoupons.same-id-other-client",
            "ids-shared-by-clients",
            r"\[\]\.code has no \"OLGA-1\": \[.*\], in the 200 answer to list.* \(api_key credential.other, .*",
        ),
        (
            "chargeover.getCoupon.without-details",
            "null-entries",
            r"the number of items in response.discount is 1, in the .* in response.discount is 0",
        ),
        # what was done before, and along with it
        (
            "crowdtwist.unuseCoupon.other-types-harmless",
            "plain-text-works",
            (
                r'the item \{"code": "PLAIN-USED-1", \.\.\.\} is new, in the 200 answer to list.*, the 2nd time, '
                r'after unuseCoupon \(Content-Type text/plain, coupon_value "PLAIN-USED-1"\) got 400; expected .*'
            ),
        ),
        # of much that was done before, that which named what is not there
        (
            "crowdtwist.unuseCoupon.codes-intact",
            "third-unuse-lost",
            r'.* has no ("[^"]+"): .*, after 6 requests, among them unuseCoupon \(coupon_value \1\) got 200; .* \1',
        ),
        # what the model knows and the vendor, too
        (
            "crowdtwist.unuseCoupon.life-cycle",
            "third-unuse-lost",
            r".* is not listed, .*; expected .* listed once \(state issued, owner \w+\)",
        ),
        (
            "crowdtwist.unuseCoupon.at-once-one",
            "same-unuse-shared",
            r"\d of 8 have status 2xx, among the answers to unuseCoupon \(.*\), sent at once with 7 others; .*",
        ),
        # a request that was made up
        (
            "crowdtwist.listUsableCoupons.survives-invalid",
            "wild-id-type-crashes",
            r"answered 500 \(error internal_error\) to listUsableCoupons .*; expected no server error .*",
        ),
    ],
)
def test_a_headline_tells_what_is_wrong(requirement: str, defect: str, said: str) -> None:
    line = told(requirement, defect)
    assert re.fullmatch(said, line), line
    assert not CURL.search(line)
    assert len(line) < 700


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Carry out a run against a server that hides disabled coupons, and give the folder of its reports."""
    folder = tmp_path_factory.mktemp("reports")
    with serving("chargeover", defects=("chargeover.hides-disabled",)) as url:
        done = CliRunner().invoke(couponcheck, ["run", url, "-k", "disabled or found", "--report", str(folder)])
    (folder / "terminal").write_text(done.output, encoding="utf-8")
    return folder


def test_every_report_begins_a_failure_with_the_same_line(reports: Path) -> None:
    """The rule comes second, with what it rests on."""
    name, line = "chargeover.getCoupon.disabled", "answered 404 to getCoupon (coupon_id 2); expected status 200"
    (rule,) = [one for one in catalogue("chargeover").checked if one.id == name]
    terminal = (reports / "terminal").read_text(encoding="utf-8")
    at = terminal.index(f"FAIL {name}: {line}\n  rule:     {rule.text} (must)\n  source:   “{rule.quote}”")
    assert "expected: " not in terminal[:at]
    (told,) = [
        one
        for one in json.loads((reports / "report.json").read_text(encoding="utf-8"))["requirements"]
        if one["id"] == name
    ]
    assert (told["headline"], told["text"]) == (line, rule.text)
    (failure,) = ET.parse(reports / "junit.xml").iter("failure")  # noqa: S314 - written here
    assert failure.get("message") == line
    assert (failure.text or "").startswith(f"FAIL {name}: {line}\n  rule:     {rule.text}")
    page = (reports / "report.html").read_text(encoding="utf-8")
    assert 0 < page.index(f">{line}<") < page.index(f"<p>{rule.text} ") < page.index(f"<blockquote>{rule.quote}<")
    summary = (reports / "summary.md").read_text(encoding="utf-8")
    (row,) = [row for row in summary.splitlines() if f"`{name}`" in row]
    assert row.startswith(f"| ❌ `{name}` | {line.replace('_', chr(92) + '_')} | {rule.text} “{rule.quote}”")
    assert (reports / "repro" / f"{name}.sh").read_text(encoding="utf-8").splitlines()[1] == f"# {name}: {line}"


@pytest.fixture
def judge() -> Judge:
    """Give a judge of a server that nobody asks."""
    bindings = {"credential.main": {"scheme": "api_key", "secret": SECRET}, "credential.other": {"secret": "OTHER"}}
    client = Client("http://127.0.0.1:9", "nobody")
    target = Target(VENDOR, client, bindings, may_write=False, secrets={SECRET: "$KEY"})
    return Judge(document(VENDOR), catalogue(VENDOR), target, SEED)


def failed(judge: Judge, data: dict[str, Any], got: str, *, reason: str = "") -> str:
    """Return the headline of a failure of a request, whose answer is a plain text."""
    operation = judge.document.operations["unuseCoupon"]
    request = build(judge.document, operation, data, judge.target.bindings)
    exchange = Exchange(request, operation.id, 400, {"content-type": "text/plain"}, b"no")
    mismatch = Mismatch("status 200", got, "status")
    found = reason or f"expected {mismatch.expected}; got {mismatch.got}"
    requirement = next(one for one in judge.catalogue.checked if one.operation == operation.id)
    return headline(judge, Outcome(requirement, FAIL, found, (mismatch,), (exchange,)))


@pytest.mark.parametrize(
    ("data", "asked"),
    [
        ({"body": {"coupon_value": "A"}}, 'unuseCoupon (coupon_value "A")'),
        ({"credential": "none", "body": {}}, "unuseCoupon (no api_key and no X-CT-Authorization, the body {})"),
        ({"credential": "none", "query": {"api_key": "  "}, "raw": "[1]"}, 'unuseCoupon (api_key "  ", the body [1])'),
        ({"secret": "", "raw": ""}, 'unuseCoupon (api_key "", the body empty)'),
        ({"secret": "OTHER"}, "unuseCoupon (api_key credential.other, no body)"),
        ({"body": {"coupon_value": SECRET}}, 'unuseCoupon (coupon_value "$KEY")'),
        (
            {"headers": {"X-Real-IP": "127.0.0.1", "Accept": None}, "body": {"coupon_value": "A"}},
            'unuseCoupon (X-Real-IP 127.0.0.1, no Accept, coupon_value "A")',
        ),
        ({"secret": SECRET[:9], "body": {"a": None}}, 'unuseCoupon (api_key "a-secret-", no coupon_value, a null)'),
        ({"raw": '{"a": 1, "a": {"b": [2]}}'}, 'unuseCoupon (no coupon_value, a 1, a {"b": [2]})'),
        ({"raw": f"{'x' * 40}{SECRET}"}, f"unuseCoupon (the body {'x' * 40}$KEY)"),
        ({"method": "PUT", "query": {"v": "1 2"}}, 'PUT /v2/coupon/unuse (v "1 2", no body)'),
        ({"url": f"/v2/coupon/unuse/{SECRET}"}, "POST /v2/coupon/unuse/$KEY (no body)"),
    ],
    ids=str,
)
def test_a_request_is_told_in_a_few_words_and_without_secrets(judge: Judge, data: dict[str, Any], asked: str) -> None:
    """A secret is not told even in part where it is at the end of what there is room for."""
    assert failed(judge, data, "status 400: no") == f"answered 400 (text/plain) to {asked}; expected status 200"


def test_a_headline_is_one_line_whatever_a_server_says(judge: Judge) -> None:
    line = failed(judge, {"body": {}}, f'a\r\nb\t{{"long": "{"x" * 999}", "code": "C"}} [1, {SECRET}')
    assert line.startswith('a b\\t{"code": "C", ...} [1, $KEY, in the 400 answer to ')
    assert line.isprintable()


def test_a_failure_that_is_accepted_says_that_behind_what_is_wrong(judge: Judge) -> None:
    line = failed(judge, {"body": {}}, "status 400: no", reason="known and accepted until 2999-01-01: #12")
    assert line.endswith("; expected status 200; known and accepted until 2999-01-01: #12")
