"""`make build`: build the sdist, and the wheel from the sdist, then use the wheel as a stranger would.

Everything after the build happens in a fresh environment outside the checkout.
"""

import importlib.metadata
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from mock_process import MockFailedError, running_mock
from setup_env import ROOT, bare_environment, install

NOT_IN_THE_BARE_INSTALL = ("hypothesis", "psycopg", "pytest", "schemathesis")


PYTHON_INTERFACE = """
import couponmock
for in_thread in (False, True):
    with couponmock.Mock(pack="documented", in_thread=in_thread) as mock, mock.namespace() as world:
        assert world.base_url("crowdtwist").startswith(mock.url)
"""


class BuildError(Exception):
    """What was built is not what a stranger needs."""


def build(folder: Path) -> Path:
    """Build both archives into a fresh folder; return the wheel."""
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT], check=True)
    [wheel] = folder.glob("*.whl")
    return wheel


def check_bare_install(bin_folder: Path, away: Path) -> None:
    """Find the mock alone, answering from its own documents and worlds, and a suite that says what it lacks."""
    for name in NOT_IN_THE_BARE_INSTALL:
        if _output(bin_folder / "python", "-c", f"import {name}", cwd=away).returncode == 0:
            raise BuildError(f"The bare install brings {name}")
    _expect_version(bin_folder / "couponmock", away)
    suite = _output(bin_folder / "couponcheck", "run", "http://127.0.0.1:9", cwd=away)
    if suite.returncode != 2 or len(suite.stderr.splitlines()) != 1:
        raise BuildError(f"couponcheck without its extra should end with 2 and one line, not {suite}")
    with running_mock(bin_folder / "couponmock", "--pack", "documented", log=away / "mock.log") as url:
        member = "/v2/users/alice@crowdtwist.com/usable_coupons?api_key=QWERTYUIOP&id_type=email"
        answer = _output("curl", "--silent", "--show-error", "--fail-with-body", url + member, cwd=away)
        if answer.returncode != 0 or len(json.loads(answer.stdout)) != 2:
            raise BuildError(f"The installed mock should list the two printed coupons, not {answer}")
    python = _output(bin_folder / "python", "-W", "error", "-c", PYTHON_INTERFACE, cwd=away)
    if python.returncode != 0:
        raise BuildError(f"couponmock.Mock should start from the bare install, not {python}")


def check_suite(bin_folder: Path, away: Path) -> None:
    """Find a suite that starts and has its catalogues."""
    _expect_version(bin_folder / "couponcheck", away)
    catalogue = _output(bin_folder / "couponcheck", "list", cwd=away)
    if catalogue.returncode != 0 or not catalogue.stdout.strip():
        raise BuildError(f"couponcheck should list its catalogue, not {catalogue}")


def _expect_version(command: Path, away: Path) -> None:
    answer = _output(command, "--version", cwd=away)
    version = importlib.metadata.version("couponproof")
    if answer.returncode != 0 or version not in answer.stdout:
        raise BuildError(f"{command.name} --version should say {version}, not {answer}")


def _output(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in command], check=False, capture_output=True, text=True, cwd=cwd)


def main() -> None:
    """Build, install, try; say in one line each what held."""
    if not shutil.which("curl"):
        raise BuildError("make build asks the installed mock with curl, as its users do: install curl")
    wheel = build(ROOT / "dist")
    with tempfile.TemporaryDirectory(prefix="couponproof-") as folder:
        away = Path(folder)
        python = bare_environment(away / "venv")
        install(python, wheel)
        check_bare_install(python.parent, away)
        print(f"{wheel.name}: the bare install is the mock alone, and it answers", flush=True)
        install(python, f"{wheel}[conformance]")
        check_suite(python.parent, away)
        print(f"{wheel.name}: with [conformance] the suite starts")


if __name__ == "__main__":
    try:
        main()
    except (BuildError, MockFailedError) as failure:
        sys.exit(str(failure))
