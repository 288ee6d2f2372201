"""The documents in the hands of two programs that run on Node: Prism, and the parser behind Swagger UI.

Both are installed by their exact versions into a folder of the test run. Without Node they are skipped, visibly; on CI
(CI is set) a skip would be a hole in the proof, so it fails.
"""

import json
import os
import re
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest
from couponspec import HttpRequest, build, load_document, load_pack, locate, vendors

PACKAGES = {"@apidevtools/swagger-parser": "12.1.0", "@stoplight/prism-cli": "5.14.2"}
PARSE = """
const parser = require("@apidevtools/swagger-parser").default ?? require("@apidevtools/swagger-parser");
parser.validate(process.argv[1]).then((api) => console.log(JSON.stringify(Object.keys(api.paths))));
"""

pytestmark = [
    pytest.mark.node,
    pytest.mark.slow,
    pytest.mark.timeout(300),  # the first install of a machine waits for the network
    pytest.mark.xdist_group("node"),
]


def absent(reason: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"{reason}, and CI installs what the checks need")
    pytest.skip(reason)


@pytest.fixture(scope="module")
def node_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install both programs; nobody's own folders are touched."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            absent(f"there is no {program} here")
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text(json.dumps({"private": True, "dependencies": PACKAGES}), encoding="utf-8")
    flags = ["--no-audit", "--no-fund", "--no-update-notifier", "--ignore-scripts"]
    outcome = subprocess.run(["npm", "install", *flags], cwd=folder, check=False, capture_output=True, text=True)
    if outcome.returncode != 0:
        absent(f"npm installs nothing here: {outcome.stderr.strip().splitlines()[:1]}")
    return folder / "node_modules"


@contextmanager
def prism(node_modules: Path, vendor: str) -> Iterator[tuple[str, list[str]]]:
    """Let Prism mock a document; yield its URL and what it said until it listened."""
    program, document = str(node_modules / ".bin" / "prism"), str(locate.document_file(vendor))
    command = ["node", program, "mock", "--port", "0", document]
    said: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                said.append(line)
                if listening := re.search(r"listening on (http://\S+)", line):
                    yield listening[1], said
                    break
            else:
                pytest.fail("".join(said))
        finally:
            process.terminate()


def first_request(vendor: str) -> tuple[HttpRequest, int]:
    """Return the request that a vendor's pack gives for its first answer, and that answer's status."""
    document = load_document(vendor)
    pack = load_pack(document, "documented")
    reach = pack.reach[0]
    operation = document.operations[reach.operation]
    status = operation.examples[reach.answer].status
    return build(document, operation, reach.request, pack.bindings(0)), status


@pytest.mark.parametrize("vendor", vendors())
def test_the_parser_behind_swagger_ui_loads_a_document_without_complaint(vendor: str, node_modules: Path) -> None:
    """It follows every reference and validates what it finds."""
    command = ["node", "--eval", PARSE, str(locate.document_file(vendor))]
    outcome = subprocess.run(command, cwd=node_modules.parent, check=False, capture_output=True, text=True)
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert json.loads(outcome.stdout) == [operation.path for operation in load_document(vendor).operations.values()]


@pytest.mark.parametrize("vendor", vendors())
def test_prism_mocks_a_document_without_complaint(vendor: str, node_modules: Path) -> None:
    """It finds every operation, and its answer to our first request is one of the document's examples."""
    document = load_document(vendor)
    asked, status = first_request(vendor)
    with prism(node_modules, vendor) as (url, said):
        lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in said]
        assert len([line for line in lines if " info " in line]) == len(document.operations), lines
        assert [line for line in lines if re.search(r"warn|error|invalid", line, re.IGNORECASE)] == []
        request = urllib.request.Request(  # noqa: S310 - Prism on this machine
            url + asked.target, data=asked.body, method=asked.method, headers=dict(asked.headers)
        )
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - as above
            assert response.status == status
            answer = json.load(response)
    examples = [example for operation in document.operations.values() for example in operation.examples.values()]
    assert answer in [example.value for example in examples if example.status == status]
