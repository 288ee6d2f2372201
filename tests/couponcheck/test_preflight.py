"""A look before a run: a credential that is refused is one sentence, and no server hides behind it."""

import json
import time
import urllib.request
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alternative_server import alternative
from broken_server import VENDORS, document, serving
from click.testing import CliRunner, Result
from couponcheck.commands import couponcheck
from couponcheck.targetfile import PACK
from couponmock.exchange import Handler, Reply, Request
from couponspec import load_document, load_pack
from couponspec.document import JSON
from target_files import contents, described, environment, variable, written

WRONG = "no-key-of-anybody"
SHOWN = {
    "crowdtwist": "$CROWDTWIST_MAIN_SECRET",
    "chargeover": "$CHARGEOVER_MAIN_USER:$CHARGEOVER_MAIN_PASSWORD",
    "shoplazza": "$SHOPLAZZA_MAIN_SECRET",
}
"""Vendor -> what stands for its main credential in what is printed."""


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for vendor in VENDORS:
        for name, value in environment(vendor).items():
            monkeypatch.setenv(name, value)


@pytest.fixture
def _wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    for vendor in VENDORS:
        part = "password" if variable(vendor, "main", "password") in environment(vendor) else "secret"
        monkeypatch.setenv(variable(vendor, "main", part), WRONG)


def ended(folder: Path, raw: dict[str, Any], *flags: str) -> Result:
    return CliRunner().invoke(couponcheck, ["run", str(written(folder, raw)), *flags])


def received(url: str) -> list[dict[str, Any]]:
    """Return what a mock has been asked, of its journal."""
    with urllib.request.urlopen(f"{url}/__admin/requests?limit=1000", timeout=30) as response:  # noqa: S310 - the URL is that of a mock of ours
        found: list[dict[str, Any]] = json.load(response)["requests"]
    return found


READINGS = [
    ("crowdtwist", (), 401),
    ("crowdtwist", ("crowdtwist.refused-credential-status=400",), 400),
    ("crowdtwist", ("crowdtwist.refused-credential-status=403",), 403),
    ("chargeover", (), 401),
    ("shoplazza", (), 401),
    ("shoplazza", ("shoplazza.unauthorized-status=400",), 400),
]


@pytest.mark.usefixtures("_wrong")
@pytest.mark.parametrize(("vendor", "readings", "status"), READINGS)
def test_a_credential_that_is_refused_is_one_sentence_with_both_explanations_and_the_way_out(
    vendor: str, readings: tuple[str, ...], status: int, tmp_path: Path
) -> None:
    with serving(vendor, readings=readings) as url:
        done = ended(tmp_path, contents(url, vendor))
        asked = received(url)
    (said,) = done.output.splitlines()
    shown = SHOWN[vendor]
    assert done.exit_code == 2
    assert said.startswith(f"couponcheck: {url} refuses credential.main of {vendor} ({shown}): ")
    assert f" was answered {status} {{" in said
    assert said.endswith(
        f"; either {shown} is not accepted by this server, or the server refuses valid ones: "
        f"set {shown} to one that it accepts, or judge the server as it is with --no-preflight"
    )
    assert WRONG not in said
    assert len(asked) == 1


@pytest.mark.usefixtures("_wrong")
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_server_that_refuses_valid_credentials_can_be_judged_all_the_same(vendor: str, tmp_path: Path) -> None:
    with serving(vendor) as url:
        done = ended(tmp_path, contents(url, vendor), "--no-preflight")
    assert done.exit_code == 1
    assert f"{url}: not conformant" in done.output.splitlines()[-1]


def refusing(handler: Handler) -> Handler:
    """Make a server that refuses every credential."""

    def answer(request: Request) -> Reply:
        return handler(replace(request, headers={"content-type": JSON}, query=""))

    return answer


@pytest.mark.parametrize("vendor", VENDORS)
def test_credentials_that_our_mock_itself_names_are_good_so_to_refuse_them_is_a_failure(vendor: str) -> None:
    with serving(vendor, handling=refusing) as url:
        done = CliRunner().invoke(couponcheck, ["run", url, "-k", "found or assigns or lists-usable"])
    assert done.exit_code == 1
    assert f"{url}: not conformant" in done.output.splitlines()[-1]


@pytest.mark.parametrize(("flags", "vendors_own"), [((), 2), (("--no-preflight",), 1)])
def test_one_request_comes_before_the_others_with_it_or_without(
    flags: tuple[str, ...], vendors_own: int, tmp_path: Path
) -> None:
    """With it that is also the one by which it is found out whether anybody is there, and it is counted."""
    with serving("chargeover") as url:
        report = tmp_path / "report.json"
        raw = contents(url, "chargeover")
        done = ended(tmp_path, raw, "-k", "chargeover.getCoupon.found", "--json", str(report), *flags)
        asked = received(url)
    told = json.loads(report.read_text(encoding="utf-8"))
    assert (done.exit_code, told["requests"], told["sent"]["chargeover"]["reads"]) == (0, 2, 2)
    assert len(asked) == vendors_own


def test_it_keeps_to_the_limit_of_requests(tmp_path: Path) -> None:
    with serving("crowdtwist") as url, serving("chargeover") as other:
        raw = {**contents(url, "crowdtwist"), "limits": {"requests": 1}}
        raw["vendors"]["chargeover"] = {**contents(other, "chargeover")["vendors"]["chargeover"], "base_url": other}
        done = ended(tmp_path, raw)
        assert (len(received(url)), len(received(other))) == (1, 0)
    assert (done.exit_code, done.output) == (
        2,
        "couponcheck: the limit of 1 requests for a run is reached (limits.requests)\n",
    )


def test_an_answer_that_is_no_refusal_of_credentials_stops_nothing(tmp_path: Path) -> None:
    """A server at which everything fails is judged, whatever is wrong with it."""
    with serving("crowdtwist", handling=lambda _: lambda _: Reply(500, JSON, b"{}")) as url:
        done = ended(tmp_path, contents(url, "crowdtwist"), "-k", "lists-usable")
    assert done.exit_code == 1


ELSEWHERE = [
    ("crowdtwist", "chargeover", "", 400),
    ("crowdtwist", "shoplazza", "", 404),
    ("chargeover", "crowdtwist", "", 404),
    ("shoplazza", "chargeover", "", 400),
    ("shoplazza", "shoplazza", "/openapi/2022-01/", 404),
    ("chargeover", "chargeover", "/api/v3", 400),
    ("crowdtwist", "crowdtwist", "/v2", 404),
]


@pytest.mark.parametrize(("vendor", "there", "path", "status"), ELSEWHERE)
def test_where_nobody_acts_as_the_vendor_nothing_is_judged_and_base_url_is_named(
    vendor: str, there: str, path: str, status: int, tmp_path: Path
) -> None:
    """Whatever is there: another vendor's server, or the right one under a path that has a part of the vendor's."""
    seed = load_pack(document(there), PACK).bindings(int(time.time()))
    own = load_pack(document(vendor), PACK).bindings(int(time.time()))
    with alternative(there, seed) as running:
        base_url = running.url + path
        done = ended(tmp_path, described(base_url, vendor, own))
        judged = ended(tmp_path, described(base_url, vendor, own), "--no-preflight", "-k", "error")
    (said,) = done.output.splitlines()
    begins = f"couponcheck: nothing at {base_url.rstrip('/')} acts as {vendor}: "
    assert (done.exit_code, said[: len(begins)]) == (2, begins)
    assert f" {base_url.rstrip('/')}/" in said
    assert f" was answered {status} {{" in said
    assert "target.yaml:3) may be wrong: it is what comes before /" in said
    assert said.endswith("Correct it, or judge the server as it is with --no-preflight")
    assert not [value for value in environment(vendor).values() if value in said]
    assert "requirements were selected)" in judged.output.splitlines()[-1]


@pytest.mark.parametrize(
    ("status", "media_type", "headers", "body"),
    [
        (404, "text/html", (), b"<h1>Not Found</h1>"),
        (301, "text/html", (("Location", "https://other.example/"),), b""),
        (410, JSON, (), b'{"detail": "Gone"}'),
    ],
)
@pytest.mark.parametrize("vendor", VENDORS)
def test_a_page_of_some_other_server_is_no_answer_of_the_vendor(
    vendor: str, status: int, media_type: str, headers: tuple[tuple[str, str], ...], body: bytes, tmp_path: Path
) -> None:
    def strange(_: Handler) -> Handler:
        return lambda _: Reply(status, media_type, body, headers)

    with serving(vendor, handling=strange) as url:
        done = ended(tmp_path, contents(url, vendor))
    assert (done.exit_code, len(done.output.splitlines())) == (2, 1), done.output
    said = headers[0][1] if headers else body.decode()
    assert f" was answered {status} {said}, and " in done.output


@pytest.mark.parametrize("vendor", VENDORS)
def test_who_tells_credentials_apart_acts_as_the_vendor_however_wrong_its_answers_are(
    vendor: str, tmp_path: Path
) -> None:
    """A form of errors that no page has is a fault to be found, and no reason to judge nothing."""

    def malformed(right: Handler) -> Handler:
        def answer(request: Request) -> Reply:
            reply = right(request)
            is_refused = reply.status in {400, 404, 422}
            return replace(reply, status=404, body=b'{"detail": "Not Found"}') if is_refused else reply

        return answer

    with serving(vendor, handling=malformed) as url:
        done = ended(tmp_path, contents(url, vendor), "-k", "error or unknown")
    assert done.exit_code == 1, done.output
    assert f"{url}: not conformant" in done.output.splitlines()[-1]


@pytest.mark.parametrize("vendor", VENDORS)
def test_what_refuses_a_credential_is_known_from_the_document_and_says_what_nothing_else_says(vendor: str) -> None:
    for operation in load_document(vendor).operations.values():
        said = {name: json.dumps(example.value) for name, example in operation.examples.items()}
        refusals = operation.refusals_of_credentials
        assert refusals
        assert {said[name] for name in refusals}.isdisjoint(said[name] for name in said.keys() - refusals)
