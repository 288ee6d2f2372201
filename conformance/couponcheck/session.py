"""The suite in a pytest session of somebody's own: their settings, their plug-ins, their reports."""

import io
import re
import signal
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from couponspec import FaultyFile
from rich.console import Console
from rich.text import Text

from couponcheck import report
from couponcheck.catalogue import FOLDER
from couponcheck.choices import Choices, add_to_job, write_folder
from couponcheck.headline import headline
from couponcheck.interruption import Interruption
from couponcheck.outcome import NOT_TESTABLE, WARN
from couponcheck.plugin import CatalogueFile, add_aftermath, requirements
from couponcheck.run import PARTIAL, Run
from couponcheck.sharing import Controller, Worker, shared
from couponcheck.target import Permissions
from couponcheck.transport import LimitReached, TargetUnreachable, UnusableTarget

NAME = "couponcheck-suite"
VERDICT = "couponcheck::verdict"
"""Node id of the report that fails where no requirement did and the run is not good enough all the same."""

_FLAG = re.compile(r"(?<![\w-])--([a-z]+(?:-[a-z]+)*)")


def _said_here(error: Exception, config: pytest.Config) -> list[str]:
    """Return the lines of a message with the flags by the names that they have in a session.

    What stands between backquotes is a command of its own.
    """

    def named(flag: re.Match[str]) -> str:
        here = f"--couponcheck-{flag[1]}"
        return here if hasattr(config.option, here.strip("-").replace("-", "_")) else flag[0]

    pieces = str(error).split("`")
    pieces[::2] = [_FLAG.sub(named, piece) for piece in pieces[::2]]
    return "`".join(pieces).splitlines()


class Suite:
    """One run within a session; of several processes each has its own, and the controller puts them together."""

    run: Run

    def __init__(self, choices: Choices, folder: Path | None) -> None:
        """Keep what is to be done.

        Args:
            choices: What to check.
            folder: Where to write reports, if anywhere.
        """
        self._choices = choices
        self._folder = folder
        self._concluded = False
        self._interruption = Interruption(signal.SIGTERM)

    @classmethod
    def take_part(cls, config: pytest.Config) -> None:
        """Take part in a session."""
        given = config.option
        choices = Choices(
            target=given.couponcheck_target,
            vendors=tuple(given.couponcheck_vendor),
            seed=given.couponcheck_seed,
            permissions=Permissions(
                given.couponcheck_allow_writes,
                given.couponcheck_allow_concurrency,
                given.couponcheck_generate,
                tuple(given.couponcheck_production),
            ),
            # Who deals out the work has looked before there are any workers.
            preflight=not (given.couponcheck_no_preflight or hasattr(config, "workerinput")),
            spent=tuple(given.couponcheck_spent),
            baseline=given.couponcheck_baseline,
            strict=given.couponcheck_strict,
            allow_partial=given.couponcheck_allow_partial,
        )
        config.pluginmanager.register(cls(choices, given.couponcheck_report), NAME)

    # -- before ---------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Look at the target before anything is collected, so that one that is dead is found out at once."""
        config = session.config
        sharing = shared(config)
        listening = ExitStack()
        listening.enter_context(self._interruption)
        config.add_cleanup(listening.close)
        try:
            if self._folder:
                self._folder.mkdir(parents=True, exist_ok=True)
                (self._folder / "report.json").touch()  # what cannot be written is found out before the run
            self.run = self._choices.prepare(sharing)
        except (FaultyFile, UnusableTarget, TargetUnreachable, LimitReached, OSError) as error:
            raise pytest.UsageError(*(f"couponcheck: {line}" for line in _said_here(error, config))) from None
        config.add_cleanup(self.run.close)
        if sharing and hasattr(config, "workerinput"):
            config.pluginmanager.register(Worker(self.run, sharing.ledger))
        elif sharing:
            controller = Controller(self.run, sharing, config)
            config.pluginmanager.register(controller)
            self._interruption.ends = controller.end

    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        """Look at no code of ours, whatever the session takes for tests."""
        ours = FOLDER.parent in collection_path.parents
        return True if ours and FOLDER not in {collection_path, collection_path.parent} else None

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> CatalogueFile | None:
        """Collect a catalogue."""
        return CatalogueFile.of(self.run, file_path, parent)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Learn what is left of the catalogues after all that chooses."""
        self.run.begin([*requirements(session)])

    # -- after ----------------------------------------------------------------------------------------------------

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Write the reports, and let no run look green that is not."""
        config = session.config
        if hasattr(config, "workerinput") or config.option.collectonly or not self.run.selected:
            return
        self.run.leave()
        session.exitstatus = self._interruption.exit_code or session.exitstatus
        add_aftermath(config, self.run)
        if self._folder:
            write_folder(self.run, self._folder)
        add_to_job(self.run)
        if session.exitstatus == pytest.ExitCode.OK and self.run.exit_code:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            told = pytest.TestReport(VERDICT, ("couponcheck", None, "verdict"), {}, "failed", self._why(), "call")
            config.hook.pytest_runtest_logreport(report=told)
            self._concluded = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Count the verdict as a failure that has no place in the progress of what is carried out."""
        return ("failed", "", "FAILED" if self._concluded else "") if report.nodeid == VERDICT else None

    def _why(self) -> str:
        """Say why a run is not good enough in which nothing failed."""
        lines = [f"{self.run.url}: {self.run.verdict}", *self.run.stale]
        lacking = sum(outcome.verdict == NOT_TESTABLE for outcome in self.run.outcomes)
        if self.run.verdict == PARTIAL:
            fix = "`couponcheck doctor` says what to add; --couponcheck-allow-partial lets it pass"
            lines.append(f"{lacking} requirements are {NOT_TESTABLE}; {fix}")
        elif not self.run.stale:
            lines.append("no requirement was judged")
        return "\n".join(lines)

    def pytest_terminal_summary(self, terminalreporter: Any, config: pytest.Config) -> None:
        """Say what it comes to, as the command does."""
        if config.option.collectonly:
            return
        terminalreporter.section("couponcheck")
        if not self.run.selected:
            terminalreporter.write_line("no requirement was selected; `couponcheck list` shows them")
            return
        written = io.StringIO()
        width = config.get_terminal_writer().fullwidth
        console = Console(file=written, force_terminal=terminalreporter.hasmarkup, width=width)
        for outcome in self.run.outcomes:
            if outcome.verdict == WARN:
                told = headline(self.run.judges[outcome.requirement.vendor], outcome)
                console.print(Text(f"{WARN}: {outcome.requirement.id}: {told}", style="yellow"), soft_wrap=True)
        report.conclude(console, self.run)
        terminalreporter.write(written.getvalue())
