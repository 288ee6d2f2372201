"""What a run is asked to do and to leave behind, whoever asks: the command, or a pytest session."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

from couponspec import load_document

from couponcheck.baseline import NOTHING, load_baseline
from couponcheck.catalogue import catalogued, load_catalogue
from couponcheck.report import read_json, write_json
from couponcheck.repro import write_scripts
from couponcheck.run import Run
from couponcheck.summary import badge, markdown
from couponcheck.target import READ_ONLY, Permissions
from couponcheck.targetfile import read_target
from couponcheck.transport import Allowance, Limits, Sharing, UnusableTarget


@dataclass(frozen=True)
class Choices:
    """What a run is asked to do."""

    target: str
    """Base URL, or path of a target file."""
    vendors: tuple[str, ...] = ()
    """Whose promises to check; empty for all that the target makes."""
    seed: int = 0
    permissions: Permissions = READ_ONLY
    spent: tuple[Path, ...] = ()
    """JSON reports of earlier runs, which used some of the data up."""
    baseline: Path | None = None
    """File of known failures."""
    preflight: bool = True
    """Whether a server that refuses the operator's main credential is not judged at all."""
    strict: bool = False
    allow_partial: bool = False

    def prepare(self, sharing: Sharing | None = None) -> Run:
        """Read all that is named, look at the target and get ready.

        Args:
            sharing: How other processes take part; None if there are none.

        Raises:
            UnusableTarget: the target or what was said of it cannot be used.
            TargetUnreachable: nobody answers.
            LimitReached: not even a look at it is allowed.
            FaultyFile: a file has a mistake.
            OSError: a file cannot be read.
        """
        check_vendors(self.vendors)
        baseline = load_baseline(self.baseline, _checked()) if self.baseline else NOTHING
        run = self._opened(sharing)
        run.baseline, run.strict, run.allow_partial = baseline, self.strict, self.allow_partial
        return run

    def _opened(self, sharing: Sharing | None) -> Run:
        def shared(limits: Limits) -> Allowance | None:
            return Allowance(limits, sharing) if sharing else None

        if "://" in self.target or not Path(self.target).exists():
            return Run.prepare(self.target, self.vendors, self.seed, self.permissions, shared(Limits()))
        file = read_target(Path(self.target))
        return Run.prepare_given(
            file,
            self.vendors,
            self.seed,
            self.permissions,
            shared(file.limits),
            reports=[read_json(path) for path in self.spent],
            preflight=self.preflight,
        )


def check_vendors(vendors: tuple[str, ...]) -> None:
    """Refuse a vendor that there is not.

    Raises:
        UnusableTarget: one of them is unknown.
    """
    for vendor in vendors:
        if vendor not in catalogued():
            raise UnusableTarget(f"there is no vendor {vendor!r}; there are {', '.join(catalogued())}")


def _checked() -> set[str]:
    return {requirement.id for vendor in catalogued() for requirement in load_catalogue(load_document(vendor)).checked}


def write_folder(run: Run, folder: Path) -> None:
    """Write the reports that are made of a run into a folder; JUnit's is pytest's own."""
    from couponcheck.page import page  # templates take long to import, and most runs have none

    with (folder / "report.json").open("w", encoding="utf-8") as file:
        write_json(run, file)
    (folder / "report.html").write_text(page(run), encoding="utf-8")
    (folder / "summary.md").write_text(markdown(run), encoding="utf-8")
    (folder / "badge.json").write_text(json.dumps(badge(run)) + "\n", encoding="utf-8")
    write_scripts(run, folder / "repro")


def add_to_job(run: Run) -> None:
    """Add the summary to the page of the CI job that we are in, if it has one."""
    if step := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(step).open("a", encoding="utf-8") as file:
            file.write(markdown(run))
