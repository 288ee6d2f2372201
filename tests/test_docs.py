"""Every command that the documentation shows is run here, or named with the place that runs it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from couponcheck.commands import couponcheck
from couponmock.cli import main as couponmock
from running_mock import Mock, serving

ROOT = Path(__file__).parent.parent
DOCS = [ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")] + sorted(
    (ROOT / "docs").glob("*.md")
)
COMMANDS = Path(sys.executable).parent
RUN_ELSEWHERE = {
    "make demo": "test_make_demo_judges_the_mock_and_leaves_nothing_running runs its script",
    "make test": "it is what runs this",
    "make test-whole": "it is what runs this, and takes long",
    "make check": "it is what CI runs",
    "make format": "it would change the tree under test",
    "couponmock serve": "the servers of these tests are started so",
    "couponmock coverage --fail-under 80": "test_coverage.py runs it against a mock at another port",
    "pytest -n 4": "tests/test_examples.py runs the tests that are shown",
    "pip install .": "tools/check_build.py installs the wheel",
    "pip install '.[conformance]'": "tools/check_build.py installs the wheel with the extra",
}
PARTIAL = 1


def shell_commands() -> list[tuple[str, str]]:
    """Return file and command for every line of a shell block."""
    found = []
    for file in DOCS:
        for block in re.findall(r"^```sh\n(.*?)^```", file.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
            found += [
                (file.name, command) for line in block.splitlines() if (command := line.partition("  #")[0].strip())
            ]
    return found


def inline_commands() -> list[tuple[str, str]]:
    """Return file and command for every inline mention of one of our two commands."""
    pattern = r"`((?:couponmock|couponcheck) [a-z][^`]*)`"
    return [(file.name, text) for file in DOCS for text in re.findall(pattern, file.read_text(encoding="utf-8"))]


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mock]:
    """Run the mock as the documentation starts it, on another port."""
    with serving(tmp_path_factory.mktemp("docs")) as running:
        yield running


@pytest.mark.timeout(300)  # commands that judge a server take their time on a busy machine
@pytest.mark.parametrize("file", sorted({file for file, command in shell_commands() if command not in RUN_ELSEWHERE}))
def test_the_documented_commands_work_one_after_the_other(file: str, mock: Mock, tmp_path: Path) -> None:
    """The commands of a document's shell blocks end well when a shell runs them as they are written."""
    if shutil.which("curl") is None:
        assert not os.environ.get("CI"), "curl is missing"
        pytest.skip("curl is not installed")
    for command in [command for name, command in shell_commands() if name == file and command not in RUN_ELSEWHERE]:
        done = subprocess.run(
            ["bash", "-c", command.replace("http://127.0.0.1:8642", mock.origin).replace("=... ", "=QWERTY ")],
            cwd=tmp_path,
            env={**os.environ, "PATH": f"{COMMANDS}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        begins = command.startswith("couponcheck init")
        # Our sample test data covers a part of the catalogue, and a part is not enough to be conformant, or ready.
        lacking = "target.yaml" in command and not begins and "allow-partial" not in command
        expected = PARTIAL if lacking else 0
        assert done.returncode == expected, f"{file}: {command}\n{done.stdout}{done.stderr}"
        assert "urn:couponmock" not in done.stdout, f"{file}: {command}\n{done.stdout}"
        assert "FAIL " not in done.stdout, f"{file}: {command}\n{done.stdout}"
        if begins:  # and the reader goes on with what is shown as filled in
            (tmp_path / "target.yaml").write_text(sample_target(mock), encoding="utf-8")


def sample_target(mock: Mock) -> str:
    """Return the target file that docs/your-server.md shows, for a world that nobody else uses."""
    text = (ROOT / "docs" / "your-server.md").read_text(encoding="utf-8")
    block = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert block
    return block[1].replace("https://sandbox.example.com", mock.new_world().url)


def test_the_target_file_that_the_documentation_shows_tells_the_truth(mock: Mock, tmp_path: Path) -> None:
    """With the sample of docs/your-server.md the mock, taken for a stranger's server, is as the file says."""
    (tmp_path / "target.yaml").write_text(sample_target(mock), encoding="utf-8")
    done = subprocess.run(
        [COMMANDS / "couponcheck", "doctor", "target.yaml"],
        cwd=tmp_path,
        env={**os.environ, "CT_API_KEY": "QWERTY"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == PARTIAL, done.stdout + done.stderr
    assert "\n  ok     coupon.bob_ten is listed for its member\n" in done.stdout
    assert "\n  wrong" not in done.stdout


@pytest.mark.parametrize(("file", "text"), inline_commands())
def test_a_command_named_in_passing_exists(file: str, text: str) -> None:
    """A command that a sentence names has that sub-command and those flags."""
    program, name, *rest = text.split()
    group = {"couponmock": couponmock, "couponcheck": couponcheck}[program]
    command = group.commands.get(name)
    assert isinstance(command, click.Command), f"{file}: {text}"
    known = {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in rest if word.startswith("-")} <= known, f"{file}: {text}"


def test_every_make_target_that_the_documentation_names_exists() -> None:
    """`make x` in a document is a target of the Makefile."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {name for file in DOCS for name in re.findall(r"`make ([a-z-]+)", file.read_text(encoding="utf-8"))}
    assert named <= targets


def test_make_demo_judges_the_mock_and_leaves_nothing_running(tmp_path: Path) -> None:
    """The script behind `make demo` ends with 0, writes report/ and prints the verdict."""
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "demo.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert ": conformant" in done.stdout
    assert {path.name for path in (tmp_path / "report").iterdir()} >= {"report.json", "junit.xml"}
