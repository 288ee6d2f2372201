"""Create or update the development environment: `python3 tools/setup_env.py .venv`.

Runs on a bare Python: nothing here may import what it is about to install.
"""

import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSTRAINTS = ROOT / "constraints.txt"


def bare_environment(folder: Path) -> Path:
    """Make an empty environment with our pinned pip in it; return its Python."""
    # Debian ships venv without ensurepip, so pip comes from the pip that called us wherever there is one.
    venv.create(folder, clear=True, symlinks=True, with_pip=False)
    python = folder / "bin" / "python"
    has_pip = subprocess.run([sys.executable, "-m", "pip", "--version"], check=False, capture_output=True)
    if has_pip.returncode == 0:
        _run(sys.executable, "-m", "pip", "--python", python, "install", "-qq", "--constraint", CONSTRAINTS, "pip")
    else:
        _run(python, "-m", "ensurepip")
        install(python, "pip")
    return python


def install(python: Path, *what: str | Path) -> None:
    """Install into that Python's environment, at the pinned versions."""
    _run(python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--constraint", CONSTRAINTS, *what)


def _run(*command: str | Path) -> None:
    subprocess.run([str(word) for word in command], check=True, cwd=ROOT)


def _works(python: Path) -> bool:
    """Tell whether an earlier environment can be updated: it is whole, and of the Python that is asked for."""
    if not python.exists():
        return False
    code = "import pip, sys; print(sys.version_info[:2])"
    answer = subprocess.run([str(python), "-c", code], check=False, capture_output=True, text=True)
    return answer.stdout.strip() == str(sys.version_info[:2])


def main(folder: Path) -> None:
    """Install the project, every extra and the development tools."""
    print(f"Setting up {folder} with Python {sys.version.split()[0]} (once; a minute or so) ...", flush=True)
    python = folder / "bin" / "python"
    if not _works(python):
        bare_environment(folder)
    install(python, "pip")  # of an earlier environment, brought to the pinned version
    install(python, "--group", "dev")
    # The build backend is pinned as everything else: it comes from the group above, not from an isolated newest one.
    install(python, "--no-build-isolation", "--editable", ".[conformance,postgres]")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except subprocess.CalledProcessError as failure:
        sys.exit(f"Set-up failed: {' '.join(failure.cmd)}")
