"""The house keeps its rules: vendors are whole, a new one fits in, and what belongs in a document is in no code."""

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from couponspec import Document, load_document, load_pack, vendors
from couponspec.request import build
from running_mock import START_SECONDS, await_port

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("specs/couponspec", "mockserver/couponmock", "conformance/couponcheck")
HALLS = {
    "specs": "specs/*/openapi.yaml",
    "fixtures": "fixtures/*/demo.yaml",
    "mockserver": "mockserver/couponmock/vendors/[a-z]*.py",
    "conformance": "conformance/couponcheck/requirements/*.yaml",
}


def slugs(pattern: str, root: Path = ROOT) -> list[str]:
    """Return the vendors that a hall has: names of folders, or of files."""
    return sorted(
        path.parent.name if pattern.count("*") == 1 and "/*/" in pattern else path.stem for path in root.glob(pattern)
    )


def tracked() -> list[Path]:
    """Return every file that is, or will be, part of the repository."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    outcome = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    if outcome.returncode != 0:
        pytest.skip("this is no git checkout")
    return [ROOT / name for name in outcome.stdout.split("\0") if name and (ROOT / name).is_file()]


in_one_worker = pytest.mark.xdist_group("new-vendor")
"""The copy of the checkout is made once."""


# -- vendors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hall", HALLS)
def test_no_vendor_is_half_built(hall: str) -> None:
    """The same slugs in all four halls: document, world, behaviours, catalogue."""
    assert slugs(HALLS[hall]) == vendors()


@dataclass(frozen=True)
class Copy:
    """A copy of the checkout with a new vendor in it."""

    root: Path
    untouched: dict[str, str]
    """Path -> digest, from before the vendor was written."""
    said: str

    @property
    def environment(self) -> dict[str, str]:
        """Return an environment in which the copy's three packages are the ones that are found."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("COUPON")}
        folders = os.pathsep.join(str((self.root / package).parent) for package in PACKAGES)
        return {**clean, "PYTHONPATH": folders, "PYTHONDONTWRITEBYTECODE": "1"}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a module of Python in the copy."""
        return subprocess.run(
            [sys.executable, "-m", *arguments],
            cwd=self.root,
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
        )


def digests(root: Path) -> dict[str, str]:
    files = sorted(path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Copy what is tracked and write a new vendor into the copy, as `make new-vendor NAME=acme_shop` does."""
    root = tmp_path_factory.mktemp("copy")
    for path in tracked():
        target = root / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    before = Copy(root, digests(root), "")
    outcome = before.run("couponspec.scaffold", "acme_shop")
    assert outcome.returncode == 0, outcome.stderr
    return Copy(root, before.untouched, outcome.stdout)


@pytest.fixture(scope="module")
def served(copy: Copy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the copy's mock with all vendors, the new one among them."""
    folder = tmp_path_factory.mktemp("served")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "couponmock.cli", "serve", "--port", "0", "--port-file", str(folder / "port")],
            cwd=folder,
            env=copy.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield f"http://127.0.0.1:{await_port(process, folder)}"
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def test_the_makefile_hands_the_name_to_the_scaffold() -> None:
    """``make new-vendor NAME=x`` is ``python -m couponspec.scaffold x``."""
    outcome = subprocess.run(
        ["make", "--dry-run", "new-vendor", "NAME=acme_shop"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert re.search(r"python -m couponspec\.scaffold acme_shop$", outcome.stdout, re.MULTILINE)


@in_one_worker
def test_a_new_vendor_touches_no_existing_file_and_stands_in_all_four_halls(copy: Copy) -> None:
    """Adding one adds files and edits none."""
    now = digests(copy.root)
    assert {path: now.get(path) for path in copy.untouched} == copy.untouched
    assert {*now} - {*copy.untouched} == {*copy.said.splitlines()[:-1]}
    assert [hall for hall, pattern in HALLS.items() if "acme_shop" not in slugs(pattern, copy.root)] == []


@in_one_worker
def test_a_new_vendors_documents_and_worlds_are_valid(copy: Copy) -> None:
    """``python -m couponspec`` in the checkout that has it."""
    outcome = copy.run("couponspec")
    assert (outcome.returncode, outcome.stderr) == (0, "")
    assert outcome.stdout.startswith("acme_shop, ")


@in_one_worker
@pytest.mark.parametrize("tool", [("ruff", "check"), ("ruff", "format", "--check"), ("yamllint", "--strict")])
def test_a_new_vendors_files_are_in_the_houses_style(tool: tuple[str, ...], copy: Copy) -> None:
    """What a person adds to is clean when it is handed over."""
    suffix = ".yaml" if tool[0] == "yamllint" else ".py"
    files = [path for path in copy.said.splitlines()[:-1] if path.endswith(suffix)]
    assert files
    outcome = copy.run(*tool, *files)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


@in_one_worker
def test_every_answer_of_a_new_vendor_is_reached_over_http(copy: Copy, served: str) -> None:
    """Each request of its demo pack gives the example that it promises, beside all other vendors."""
    document = load_document("acme_shop", copy.root)
    pack = load_pack(document, "demo", copy.root)
    operations = {**document.operations, document.general.id: document.general}
    for reach in pack.reach:
        asked = build(document, operations[reach.operation], reach.request, pack.bindings(0))
        example = operations[reach.operation].examples[reach.answer]
        assert sent(served + asked.target, asked.method, dict(asked.headers)) == (example.status, example.value)


def sent(url: str, method: str, headers: dict[str, str]) -> tuple[int, Any]:
    request = urllib.request.Request(url, method=method, headers=headers)  # noqa: S310 - our own server
    try:
        with urllib.request.urlopen(request, timeout=START_SECONDS) as response:  # noqa: S310 - as above
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@in_one_worker
def test_a_new_vendor_is_conformant_by_its_own_catalogue(copy: Copy, served: str) -> None:
    """The suite finds the catalogue, and nothing wrong."""
    outcome = copy.run("couponcheck.cli", "run", served, "--vendor", "acme_shop")
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert ": conformant: " in outcome.stdout.splitlines()[-1]


# -- what is written where ------------------------------------------------------------------------------------------


def texts_of(document: Document) -> Iterator[str]:
    """Yield the wording of every documented answer: messages and errors, but not identifiers."""
    identifier = (document.identifier or "").removeprefix("/")
    for operation in (*document.operations.values(), document.general):
        for example in operation.examples.values():
            members = example.value if isinstance(example.value, dict) else {}
            for name in {"message", "error", "errors"} - {identifier}:
                value = members.get(name)
                yield from [value] if isinstance(value, str) else value or ()


def literals(package: str) -> Iterator[tuple[Path, int, str]]:
    """Yield every text that a package's code holds; sentences for readers of the code are no part of it."""
    for path in sorted((ROOT / package).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        unused = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in unused:
                yield path.relative_to(ROOT), node.lineno, node.value


@pytest.mark.parametrize("package", PACKAGES)
def test_no_wording_of_a_vendor_is_typed_in_code(package: str) -> None:
    """Python only ever says the name of an example. Defects are wrong on purpose, also in their words."""
    texts = {text for vendor in vendors() for text in texts_of(load_document(vendor)) if len(text) > 8}
    assert len(texts) > 20
    found = [
        (str(path), line, text)
        for path, line, literal in literals(package)
        if "defects" not in path.parts
        for text in texts
        if text in literal
    ]
    assert found == []


@pytest.mark.parametrize("where", ["vendors", "pipeline.py", "behaviour.py", "finding.py"])
def test_no_status_of_an_error_is_typed_where_requests_are_answered(where: str) -> None:
    """Which status an example has is written in the document."""
    place = ROOT / "mockserver/couponmock" / where
    files = sorted(place.glob("*.py")) if place.is_dir() else [place]
    assert files
    found = [
        (path.name, node.lineno, node.value)
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and type(node.value) is int and 400 <= node.value < 600
    ]
    assert found == []


FORBIDDEN = {
    # Written so that this file does not hold what it looks for.
    "an unfinished place": re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b"),
    "a path of one machine": re.compile(r"(?<![\w.~*}/-])/(?:home|root|Users|work" + r"|builds)/\w"),
    "a package registry's host": re.compile(
        r"\b(?:registry|pypi|npm|artifactory|nexus)(?:js)?\.[a-z][\w-]*\.[a-z]|pypi\.o" + "rg"
    ),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_holds_what_belongs_elsewhere(what: str) -> None:
    """In an issue, on one machine, or in the configuration of whoever installs."""
    found = []
    for path in tracked():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except UnicodeDecodeError:
            continue
        found += [
            f"{path.relative_to(ROOT)}:{number}" for number, line in enumerate(lines, 1) if FORBIDDEN[what].search(line)
        ]
    assert found == []


def test_no_module_has_a_name_that_says_nothing() -> None:
    """A name says what is inside."""
    names = {"utils", "helpers", "common", "base", "manager", "misc", "lib"}
    assert [path for path in tracked() if path.suffix == ".py" and path.stem in names] == []
