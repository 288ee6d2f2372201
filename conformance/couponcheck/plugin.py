"""The suite as pytest items: one for each requirement, named by its id."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from couponcheck.aftermath import aftermath
from couponcheck.catalogue import FOLDER, Requirement
from couponcheck.headline import headline
from couponcheck.masking import masked
from couponcheck.outcome import ERROR, FAIL, NOT_SELECTED, NOT_TESTABLE, WARN, Outcome
from couponcheck.report import Progress, failure
from couponcheck.run import Run


class RequirementBroken(Exception):
    """A requirement failed or could not be carried out."""

    def __init__(self, outcome: Outcome) -> None:
        """Keep the outcome for the report."""
        self.outcome = outcome
        super().__init__(outcome.reason)


PREFIX = "couponcheck/"
"""Begins the node id of every requirement, wherever the suite is installed."""


class CatalogueFile(pytest.File):
    """A vendor's catalogue."""

    run: Run

    @classmethod
    def of(cls, run: Run, file_path: Path, parent: pytest.Collector) -> "CatalogueFile | None":
        """Collect a file if it is a catalogue that a run is about."""
        if file_path.parent != FOLDER or file_path.suffix != ".yaml" or file_path.stem not in run.judges:
            return None
        file: CatalogueFile = cls.from_parent(parent, path=file_path, nodeid=f"{PREFIX}{file_path.name}")
        file.run = run
        return file

    def collect(self) -> Iterator["RequirementItem"]:
        """Yield an item for each requirement that is checked."""
        checked = self.run.judges[self.path.stem].catalogue.checked
        for marker in sorted({marker for requirement in checked for marker in markers(requirement)}):
            self.config.addinivalue_line("markers", f"{marker}: requirements of couponcheck")
        for requirement in checked:
            item = RequirementItem.from_parent(self, name=requirement.id)
            item.requirement = requirement
            for marker in markers(requirement):
                item.add_marker(marker)
            yield item


class RequirementItem(pytest.Item):
    """One requirement."""

    parent: CatalogueFile
    requirement: Requirement

    def runtest(self) -> None:
        """Carry out the requirement."""
        run = self.parent.run
        with warnings.catch_warnings():
            # What our libraries warn of is ours to mend, and no error of the session that we are in.
            warnings.simplefilter("ignore")
            outcome = run.judge(self.requirement)
        self.user_properties += [("level", self.requirement.level), ("verdict", outcome.verdict)]
        if outcome.verdict in {FAIL, ERROR} or (run.strict and outcome.verdict == WARN):
            raise RequirementBroken(outcome)
        if outcome.verdict in {NOT_TESTABLE, NOT_SELECTED}:
            secrets = run.judges[self.requirement.vendor].target.secrets
            pytest.skip(masked(f"{outcome.verdict}: {outcome.reason}", secrets))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Say what was observed and expected instead of showing a traceback; in one line where there is no room."""
        if not isinstance(excinfo.value, RequirementBroken):
            return super().repr_failure(excinfo, style)
        judge, outcome = self.parent.run.judges[self.requirement.vendor], excinfo.value.outcome
        shown: Any = excinfo.getrepr(style="native")
        # The one form of a failure that pytest-xdist passes on whole; reports take its one line from where it crashed.
        shown.reprtraceback.reprentries[0].lines = [failure(judge, outcome) + "\n"]
        shown.reprcrash.message = headline(judge, outcome)
        return shown

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Say where the requirement stands."""
        line = self.parent.run.judges[self.requirement.vendor].catalogue.file.line(self.requirement.pointer)
        # A name that ends the node id would be shown with :: for every dot.
        return self.path, line, f"requirement {self.requirement.id}"


def markers(requirement: Requirement) -> tuple[str, str, str]:
    """Return what a requirement can be chosen by with pytest's ``-m``: its vendor, level and operation."""
    return requirement.vendor, requirement.level, requirement.operation


class Plugin:
    """Collects the catalogues of one run and shows how far it is."""

    def __init__(self, run: Run, progress: Progress) -> None:
        """Take part in a pytest session that carries out a run."""
        self._run = run
        self._progress = progress

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> CatalogueFile | None:
        """Collect a catalogue."""
        return CatalogueFile.of(self._run, file_path, parent)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Tell what is to be carried out."""
        self._run.begin([*requirements(session)])
        self._progress.start(len(session.items))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Put back what can be, and tell a JUnit report of it."""
        self._run.leave()
        add_aftermath(session.config, self._run)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Tell that one more is done."""
        self._progress.advance(nodeid.rpartition("::")[2], self._run.requests)


def requirements(session: pytest.Session) -> Iterator[Requirement]:
    """Yield those of a session's items that are requirements."""
    return (item.requirement for item in session.items if isinstance(item, RequirementItem))


def add_aftermath(config: pytest.Config, run: Run) -> None:
    """Have a JUnit report tell, as properties of its suite, what a run leaves of the target's data.

    Args:
        config: Of a session that may be writing such a report.
        run: All of which has been put back that can be.
    """
    for junit in config.pluginmanager.get_plugins():
        if add := getattr(junit, "add_global_property", None):  # what `record_testsuite_property` calls
            for part in aftermath(run):
                for line in part.lines:
                    add(part.kind, line)


def carry_out(run: Run, progress: Progress, keyword: str, junit: Path | None) -> int:
    """Carry out a run in a pytest session that nothing around us can change, and return pytest's exit code.

    Args:
        run: What to carry out.
        progress: Where to show how far it is.
        keyword: pytest's ``-k`` expression over the requirements' ids.
        junit: Where to write a JUnit report.
    """
    arguments = [str(FOLDER / f"{vendor}.yaml") for vendor in run.judges]
    # An ini file, a cache or a plug-in of the project we are started in must not change what the suite does.
    arguments += ["-c", os.devnull, "--rootdir", str(FOLDER), "-p", "no:cacheprovider", "-p", "no:terminal", "-s"]
    if keyword:
        arguments += ["-k", keyword]
    if junit:
        arguments += [f"--junitxml={junit}", "-o", "junit_suite_name=couponcheck", "-o", "junit_family=xunit2"]
    with _undisturbed():
        return int(pytest.main(arguments, plugins=[Plugin(run, progress)]))


@contextmanager
def _undisturbed() -> Iterator[None]:
    before = {
        name: os.environ.get(name) for name in ("PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    }
    os.environ.pop("PYTEST_ADDOPTS", None)
    os.environ.pop("PYTEST_PLUGINS", None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
