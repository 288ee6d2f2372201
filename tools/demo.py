"""`make demo`: start the mock, let the suite judge it, write report/, stop the mock."""

import subprocess
import sys
from pathlib import Path

from mock_process import MockFailedError, running_mock

COMMANDS = Path(sys.executable).parent


def main(report: Path) -> int:
    """Return the suite's exit code, which is the demo's."""
    report.mkdir(parents=True, exist_ok=True)
    with running_mock(COMMANDS / "couponmock", log=report / "mock.log") as url:
        print(f"The mock answers at {url}; the suite begins.", flush=True)
        verdict = subprocess.run([COMMANDS / "couponcheck", "run", url, "--report", report], check=False)
    print(f"The mock has stopped. The report is in {report}/.")
    return verdict.returncode


if __name__ == "__main__":
    try:
        sys.exit(main(Path("report")))
    except MockFailedError as failure:
        sys.exit(str(failure))
    except KeyboardInterrupt:
        sys.exit(130)
