"""`make freeze`: write constraints.txt anew, from the newest versions that pyproject.toml allows.

Only names and versions are written: where a package comes from is the business of the machine that installs it.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from packaging.utils import canonicalize_name
from setup_env import CONSTRAINTS, ROOT

HEADER = """\
# Exact versions of everything a development environment holds, for Python 3.11 to 3.14. Written by `make freeze`.
"""


def resolve() -> dict[str, str]:
    """Ask pip what it would install into an empty environment."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        asked = ["pip", "--group", "dev", "--no-build-isolation", "--editable", ".[conformance,postgres]"]
        flags = ["-qq", "--dry-run", "--ignore-installed", "--report", str(report)]
        subprocess.run([sys.executable, "-m", "pip", "install", *flags, *asked], check=True, cwd=ROOT)
        chosen = [item["metadata"] for item in json.loads(report.read_text())["install"]]
    return {canonicalize_name(each["name"]): each["version"] for each in chosen if each["name"] != "couponproof"}


if __name__ == "__main__":
    versions = resolve()
    CONSTRAINTS.write_text(HEADER + "".join(f"{name}=={versions[name]}\n" for name in sorted(versions)))
    print(f"{CONSTRAINTS.name}: {len(versions)} versions")
