"""The documents in the hands of another tool: `schemathesis run`, with the checks that fit these vendors."""

import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from couponspec import build, load_document, load_pack, locate, vendors
from running_mock import Mock, serving

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
CHECKS = (
    "status_code_conformance,content_type_conformance,response_schema_conformance,"
    "negative_data_rejection,not_a_server_error"
)


class _Banana(http.server.BaseHTTPRequestHandler):
    """Answers everything with the same 404 of some other API."""

    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.dumps({"error": "banana", "message": "x"}).encode()
        self.send_response(404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = _answer  # noqa: N815 - the name is the base class's
    do_POST = _answer  # noqa: N815 - as above

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        """Be quiet."""


@pytest.fixture
def banana() -> Iterator[str]:
    """Run a server that answers everything with a stranger's 404."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Banana)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def mock(tmp_path: Path) -> Iterator[Mock]:
    """Run a mock with a log that a program can read."""
    with serving(tmp_path, "--log-format", "json") as running:
        yield running


def credential(vendor: str) -> dict[str, str]:
    """Return the headers of a seeded credential that is sent in one; the command takes no others."""
    document = load_document(vendor)
    operation = next(iter(document.operations.values()))
    bindings = load_pack(document, "demo").bindings(0)
    path = {"path": {parameter.name: "1" for parameter in operation.parameters if parameter.place == "path"}}
    handles = [name.removeprefix("credential.") for name in bindings if name.startswith("credential.")]
    usable = [name for name in handles if bindings[f"credential.{name}"]["principal"]]
    signed = [dict(build(document, operation, {**path, "credential": name}, bindings).headers) for name in usable]
    return next(headers for headers in signed if headers)


def schemathesis(vendor: str, url: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run schemathesis on a vendor's document as a user would."""
    command: list[str | Path] = [SCHEMATHESIS, "run", locate.document_file(vendor), "--url", url, "--checks", CHECKS]
    command += [part for name, value in credential(vendor).items() for part in ("-H", f"{name}: {value}")]
    return subprocess.run(
        [*command, "-n", "20", "--seed", "1"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )


@pytest.mark.parametrize("vendor", vendors())
def test_schemathesis_finds_nothing_wrong_with_the_mock_and_reaches_a_success(
    vendor: str, mock: Mock, tmp_path: Path
) -> None:
    """Every operation gives a 2xx to schemathesis, and none of the five checks fails."""
    done = schemathesis(vendor, mock.origin, tmp_path)
    assert done.returncode == 0, done.stdout
    lines = [json.loads(line) for line in mock.log.read_text().splitlines() if line.startswith("{")]
    succeeded = {line["operation"] for line in lines if line["status"] < 300}
    assert succeeded >= set(load_document(vendor).operations)


@pytest.mark.parametrize("vendor", vendors())
def test_schemathesis_does_not_take_a_stranger_for_the_vendor(vendor: str, banana: str, tmp_path: Path) -> None:
    """A server that answers everything with a 404 of its own fails: each status has a closed set of identifiers."""
    done = schemathesis(vendor, banana, tmp_path)
    assert done.returncode == 1, done.stdout
    assert "Response violates schema" in done.stdout
