"""What `docs/examples` and `docs/python.md` show works for whoever copies it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from couponmock import Mock
from running_mock import Mock as Server
from running_mock import serving

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "docs" / "examples"
RECIPES = {
    "requests_recipe.py": [sys.executable, "-W", "error"],
    "httpx_recipe.py": [sys.executable, "-W", "error"],
    "node_recipe.mjs": ["node", "--test"],
    "curl_recipe.sh": ["bash"],
}
NEEDS = {"node_recipe.mjs": "node", "curl_recipe.sh": "curl"}
"""Recipe -> program that not every machine has."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run the mock that the recipes find."""
    with serving(tmp_path_factory.mktemp("mock"), "--log-format", "none") as running:
        yield running


def run(folder: Path, *command: str | Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, in the environment of a person who has copied an example."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("COUPONMOCK", "PYTEST"))}
    # Our own tools are plug-ins too and take seconds to load; the person would have these two.
    plugins = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "couponmock.pytest_plugin,xdist.plugin"}
    return subprocess.run(
        command, cwd=folder, env={**clean, **plugins, **more}, capture_output=True, text=True, timeout=110, check=False
    )


def copied(folder: Path) -> Path:
    """Copy the example project, as a newcomer would."""
    ignored = shutil.ignore_patterns("__pycache__", ".*_cache")
    return Path(shutil.copytree(EXAMPLES / "storefront", folder / "storefront", ignore=ignored))


def test_no_recipe_is_forgotten() -> None:
    """Each file is run below."""
    assert {path.name for path in (EXAMPLES / "recipes").iterdir() if path.is_file()} == set(RECIPES)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_works_and_leaves_nothing_behind(recipe: str, server: Server) -> None:
    """As it stands, with the URL of a mock in the environment."""
    if shutil.which(NEEDS.get(recipe, "sh")) is None:
        assert not os.environ.get("CI"), f"{NEEDS[recipe]} is missing"
        pytest.skip(f"{NEEDS[recipe]} is not installed")
    client = recipe.partition("_")[0]
    done = run(EXAMPLES / "recipes", *RECIPES[recipe], recipe, COUPONMOCK_URL=server.origin)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(rf"{client}: all is well|^# pass 3$", done.stdout, re.MULTILINE), done.stdout
    with Mock(url=server.origin) as mock:
        assert [name for name in mock.namespaces if name.startswith(f"{client}-")] == []


@pytest.mark.slow
def test_the_example_project_passes_its_own_tests_where_it_is_copied_to(tmp_path: Path) -> None:
    """With four workers, each with a mock of its own; and it is what its README says it is."""
    project = copied(tmp_path)
    done = run(project, sys.executable, "-m", "pytest", "-n", "4", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"=+ \d{2,} passed in ", done.stdout), done.stdout
    assert "skipped" not in done.stdout
    readme = (project / "README.md").read_text(encoding="utf-8")
    assert "pytest -n 4" in readme
    assert [
        name for name in re.findall(r"`(?:tests/)?(\w+\.py)`", readme) if not (project / "tests" / name).is_file()
    ] == []


@pytest.mark.slow
def test_the_example_project_is_typed(tmp_path: Path) -> None:
    """Against what couponmock says of its own types, as an installed package."""
    project = copied(tmp_path)
    done = run(
        project, sys.executable, "-m", "mypy", "--strict", "storefront", "tests", f"--cache-dir={tmp_path}/cache"
    )
    assert done.returncode == 0, done.stdout + done.stderr


def blocks() -> list[str]:
    """Return the Python that docs/python.md shows."""
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.fixture
def shown(tmp_path: Path) -> Path:
    """Write the files that docs/python.md shows, each of which begins with its name."""
    for block in blocks():
        if name := re.match(r"# (\w+\.py)\n", block):
            (tmp_path / name[1]).write_text(block, encoding="utf-8")
    return tmp_path


def test_the_documented_tests_pass(shown: Path) -> None:
    """Those that are shown as files."""
    assert list(shown.glob("test_*.py"))
    done = run(shown, sys.executable, "-m", "pytest", "-n", "2", "-p", "no:cacheprovider", "-W", "error")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("number", [number for number, block in enumerate(blocks()) if not block.startswith("# ")])
def test_the_documented_scripts_run(number: int, shown: Path) -> None:
    """Those that are no files, each by itself beside the files."""
    (shown / "script.py").write_text(blocks()[number], encoding="utf-8")
    done = run(shown, sys.executable, "-W", "error", "script.py")
    assert done.returncode == 0, f"{blocks()[number]}\n{done.stdout}{done.stderr}"
