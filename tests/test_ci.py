"""The GitHub action does what a runner makes of it: its steps are run here, with the values that a runner fills in."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from running_mock import Mock, serving

ROOT = Path(__file__).parent.parent
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))


def carried_out(folder: Path, **inputs: str) -> tuple[int, str]:
    """Run the action's last step as a runner does and return its exit code and what it puts out."""
    values = {name: item.get("default", "") for name, item in ACTION["inputs"].items()} | inputs
    step = ACTION["runs"]["steps"][-1]
    filled = {
        name: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda match: values[match[1]], text)
        for name, text in step["env"].items()
    }
    output = folder / "output"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
        cwd=folder,
        env={**os.environ, **filled, "PATH": path, "GITHUB_OUTPUT": str(output)},
        timeout=100,
        check=False,
    )
    return done.returncode, output.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mock]:
    """Run a mock of one vendor."""
    with serving(tmp_path_factory.mktemp("action"), "--vendor", "chargeover") as running:
        yield running


def test_the_action_reports_a_verdict_and_leaves_reports(mock: Mock, tmp_path: Path) -> None:
    code, output = carried_out(tmp_path, target=mock.origin, arguments="-k authorization --seed 3", report="out")
    assert (code, output) == (0, "verdict=conformant\n")
    assert (tmp_path / "out" / "report.html").exists()


def test_the_action_fails_as_the_command_does(tmp_path: Path) -> None:
    code, output = carried_out(tmp_path, target="http://127.0.0.1:1")
    assert (code, output) == (2, "verdict=not run\n")


def test_the_action_installs_what_the_repository_pins() -> None:
    """From its own source, so that a tag of the action is a version of the suite."""
    install = ACTION["runs"]["steps"][0]
    assert '"$SOURCE[conformance]"' in install["run"]
    assert '--constraint "$SOURCE/constraints.txt"' in install["run"]
    assert install["env"] == {"SOURCE": "${{ github.action_path }}"}
