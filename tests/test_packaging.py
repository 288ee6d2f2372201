"""What a stranger installs, and the promises the project makes about its own tools."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path, PurePosixPath

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PACKAGES = {"couponspec", "couponmock", "couponcheck"}


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist, and the wheel from the sdist: what is missing in the first cannot be in the second."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    outcome = subprocess.run(command, check=False, capture_output=True, text=True)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return folder


@pytest.fixture(scope="session")
def in_wheel(built: Path) -> set[str]:
    [wheel] = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="session")
def in_sdist(built: Path) -> set[str]:
    [sdist] = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        return {str(PurePosixPath(*PurePosixPath(name).parts[1:])) for name in archive.getnames()}


def beside_the_code() -> list[str]:
    """List the files of specs/<vendor> and fixtures."""
    vendors = [document.parent for document in ROOT.glob("specs/*/openapi.yaml")]
    files = [file for folder in [*vendors, ROOT / "fixtures"] for file in folder.rglob("*") if file.is_file()]
    return sorted(file.relative_to(ROOT).as_posix() for file in files)


def every_ignore() -> Iterator[tuple[str, str]]:
    """Yield each place that switches a check of ruff or mypy off, and what its line says after that."""
    lines = enumerate((ROOT / "pyproject.toml").read_text().splitlines(), 1)
    for number, line in lines:
        if code := re.match(r'\s+"[A-Z]+[0-9]+",?(.*)', line):
            yield f"pyproject.toml:{number}", code[1]
    folders = ("specs", "mockserver", "conformance", "tests", "tools", "bench")
    for file in sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            if code := re.search(r"# (?:noqa|type: ignore)\b(?:: [A-Z0-9, ]+(?<! )|\[[a-z, -]+\])?(.*)", line):
                yield f"{file.relative_to(ROOT)}:{number}", code[1]


def required(requirement: Requirement, seen: set[str]) -> None:
    """Collect the names of all that installing this requirement here brings."""
    for extra in requirement.extras or {""}:
        key = f"{canonicalize_name(requirement.name)}[{extra}]"
        if key in seen:
            continue
        seen.add(key)
        for line in metadata.requires(requirement.name) or []:
            further = Requirement(line)
            if further.marker is None or further.marker.evaluate({"extra": extra}):
                required(further, seen)


def test_the_wheel_carries_the_documents_and_the_seeded_worlds(in_wheel: set[str]) -> None:
    expected = {f"couponspec/_data/{name}" for name in beside_the_code()}
    assert any(name.endswith("/openapi.yaml") for name in expected)
    assert expected == {name for name in in_wheel if name.startswith("couponspec/_data/")}


def test_the_wheel_ships_the_three_packages_and_nothing_else_to_import(in_wheel: set[str]) -> None:
    assert {PurePosixPath(name).parts[0] for name in in_wheel if ".dist-info/" not in name} == PACKAGES


def test_the_wheel_ships_every_file_of_the_packages(in_wheel: set[str]) -> None:
    for package in (ROOT / folder for folder in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]):
        files = {file for file in package.rglob("*") if file.is_file() and "__pycache__" not in file.parts}
        assert {file.relative_to(package.parent).as_posix() for file in files} <= in_wheel


def test_the_packages_tell_type_checkers_that_they_are_typed(in_wheel: set[str]) -> None:
    assert {f"{package}/py.typed" for package in PACKAGES} <= in_wheel


def test_the_sdist_is_enough_to_build_and_to_test(in_sdist: set[str]) -> None:
    tests = {file.relative_to(ROOT).as_posix() for file in (ROOT / "tests").rglob("*.py")}
    tools = {file.relative_to(ROOT).as_posix() for file in (ROOT / "tools").rglob("*.py")}
    assert tests | tools | {"hatch_build.py", "pyproject.toml", "constraints.txt", "Makefile", "LICENSE"} <= in_sdist
    assert set(beside_the_code()) <= in_sdist


def test_the_folders_that_hold_the_packages_are_no_packages() -> None:
    folders = ("specs", "mockserver", "conformance", "fixtures")
    assert [folder for folder in folders if (ROOT / folder / "__init__.py").exists()] == []


def test_every_ignored_check_has_its_reason_on_its_line() -> None:
    assert [place for place, rest in every_ignore() if not re.match(r"\s+(#|-) \w+", rest)] == []


def test_every_target_of_the_makefile_says_what_it_does_and_is_phony() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = dict(re.findall(r"^([a-z][a-z-]*):(.*)$", makefile, re.MULTILINE))
    assert targets
    assert [target for target, rest in targets.items() if not re.search(r"  ## \w+", rest)] == []
    assert re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE) == list(targets)


def test_the_constraints_are_versions_and_no_addresses() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[0-9][0-9a-z.+!]*", line)] == []


def test_the_constraints_pin_everything_the_development_environment_needs() -> None:
    pinned = {line.split("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    groups = PROJECT["dependency-groups"].values()
    asked = [Requirement(entry) for group in groups for entry in group if isinstance(entry, str)]
    seen: set[str] = set()
    for requirement in [Requirement("couponproof[conformance,postgres]"), Requirement("pip"), *asked]:
        required(requirement, seen)
    assert {name.partition("[")[0] for name in seen} - {"couponproof"} <= pinned
