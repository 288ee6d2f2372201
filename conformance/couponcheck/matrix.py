"""The suite against many servers that are wrong on purpose, each started by a command and stopped afterwards."""

import contextlib
import json
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console

from couponcheck.guard import generate_option, guarded, seed_option, vendor_option
from couponcheck.report import Progress
from couponcheck.run import Run
from couponcheck.score import Defect, Matrix, Row, as_json, as_markdown, as_text, read_defects, read_survivors
from couponcheck.target import Permissions
from couponcheck.transport import TargetUnreachable, UnusableTarget

LISTING = "couponmock defects --format json"
SERVING = "couponmock serve --port 0 --port-file {port_file} --defect {defect} --vendor {vendor} --log-format none"
_START = 60.0
"""Seconds for a server to come up, on a busy machine."""
_STOP = 10.0
"""Seconds for it to go."""
_LOOK = 0.05
EXIT_BELOW = 1


@dataclass(frozen=True, slots=True)
class Work:
    """One defect and how it is judged."""

    defect: Defect
    command: str
    seed: int
    generate: int | None
    """How many requests are made up for each requirement; None for as many as the catalogue says."""


def learned(command: str) -> list[Defect]:
    """Ask a command for the list of defects.

    Raises:
        UnusableTarget: it fails, or prints something else.
    """
    try:
        done = subprocess.run(_words(command), capture_output=True, text=True, timeout=_START, check=False)  # noqa: S603 - the operator's own command
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnusableTarget(f"{command!r} cannot be run: {error}") from error
    if done.returncode:
        raise UnusableTarget(f"{command!r} ended with {done.returncode}: {done.stderr.strip() or 'it said nothing'}")
    return read_defects(done.stdout)


def _words(command: str) -> list[str]:
    """Split a command; a program that stands beside this Python is found there first."""
    program, *rest = shlex.split(command)
    beside = Path(sys.executable).parent / program
    return [str(beside) if beside.exists() else shutil.which(program) or program, *rest]


def judged(work: Work) -> Row:
    """Start a server with one defect, carry out its vendor's requirements, stop it, and say what came out."""
    defect = work.defect
    try:
        with _serving(work) as url:
            permissions = Permissions(writes=True, concurrency=True, generate=work.generate)
            with contextlib.closing(Run.prepare(url, (defect.vendor,), work.seed, permissions)) as run:
                outcomes = [
                    run.judge(requirement)
                    for requirement in run.judges[defect.vendor].catalogue.checked
                    if work.generate != 0 or not requirement.generated
                ]
                return Row.of(defect, outcomes, run.requests)
    except (UnusableTarget, TargetUnreachable, OSError) as error:
        return Row(defect, errors={"": str(error)})


@contextlib.contextmanager
def _serving(work: Work) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        port_file = Path(folder) / "port"
        command = [
            word.format(port_file=port_file, defect=work.defect.id, vendor=work.defect.vendor)
            for word in _words(work.command)
        ]
        said = Path(folder) / "said"
        with said.open("wb") as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)  # noqa: S603 - the operator's own command
        try:
            yield f"http://127.0.0.1:{_port(process, port_file, said)}"
        finally:
            process.terminate()
            try:
                process.wait(_STOP)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _port(process: "subprocess.Popen[bytes]", port_file: Path, said: Path) -> int:
    until = time.monotonic() + _START
    while time.monotonic() < until:
        text = port_file.read_text(encoding="utf-8").strip() if port_file.exists() else ""
        if text:
            return int(text.rpartition(":")[2].strip("/"))
        if process.poll() is not None:
            break
        time.sleep(_LOOK)
    told = said.read_text(encoding="utf-8", errors="replace").strip()
    raise UnusableTarget(f"the server did not come up: {told.splitlines()[-1] if told else 'it said nothing'}")


def carried_out(works: Sequence[Work], jobs: int, progress: Progress) -> list[Row]:
    """Judge all, some at a time, and return the rows in the order of the works."""
    # Imported here: no other command has to wait for what starts processes.
    from concurrent.futures import ProcessPoolExecutor, as_completed
    from multiprocessing import get_context

    rows: dict[str, Row] = {}
    progress.start(len(works))
    # Processes, since judging is work for a processor; fresh ones, since a fork of a process with threads may hang.
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(judged, work) for work in works]
        for future in as_completed(futures):
            row = future.result()
            rows[row.defect.id] = row
            progress.advance(row.defect.id, sum(one.requests for one in rows.values()))
    return [rows[work.defect.id] for work in works]


@click.command()
@vendor_option
@click.option("--registry", metavar="NAME", help="Only defects of this registry.")
@click.option("--held-out/--no-held-out", default=None, help="Only defects that are kept aside, or only the others.")
@click.option("--only", "names", multiple=True, metavar="ID", help="Only this defect; may be given more than once.")
@click.option("--sample", type=click.IntRange(1), metavar="N", help="Only N of them, chosen by --seed.")
@seed_option("the sample and all made-up values")
@click.option(
    "--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, show_default="cores", help="Servers at a time."
)
@generate_option("Make up", "as many as the catalogue says")
@click.option("--serve-command", "serving", default=SERVING, show_default=True, help="Starts a server with a defect.")
@click.option("--list-command", "listing", default=LISTING, show_default=True, help="Prints the defects as JSON.")
@click.option(
    "--survivors",
    "survivors_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Defects that are known not to be caught, each with a reason.",
)
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write all as JSON here.")
@click.option("--markdown", "markdown_file", type=click.Path(path_type=Path, dir_okay=False), help="Write tables here.")
@click.option("--fail-under", type=click.FloatRange(0, 100), metavar="PERCENT", help="End with 1 if fewer are caught.")
@guarded
def matrix(  # noqa: PLR0913, PLR0917 - one parameter for each flag
    vendors: tuple[str, ...],
    registry: str | None,
    held_out: bool | None,  # noqa: FBT001 - a flag of the command line
    names: tuple[str, ...],
    sample: int | None,
    seed: int,
    jobs: int,
    generate: int | None,
    serving: str,
    listing: str,
    survivors_file: Path | None,
    json_file: Path | None,
    markdown_file: Path | None,
    fail_under: float | None,
) -> None:
    """Measure the suite: run it against servers that are wrong on purpose, and tell which defects it catches.

    A defect is caught if a requirement is broken: a `must` that fails, or a `should` that a run warns of. Exit codes:
    0 fine, 1 fewer caught than asked for or a known survivor is caught, 2 it could not be carried out.
    """
    defects = [
        defect
        for defect in learned(listing)
        if (not vendors or defect.vendor in vendors)
        and (registry is None or defect.registry == registry)
        and (held_out is None or defect.held_out == held_out)
        and (not names or defect.id in names)
    ]
    if missing := set(names) - {defect.id for defect in defects}:
        raise UnusableTarget(f"there is no defect {', '.join(sorted(missing))} among those that the other flags leave")
    if not defects:
        raise UnusableTarget(f"no defect is left; {listing!r} lists all")
    if sample is not None and sample < len(defects):
        chosen = {defect.id for defect in random.Random(seed).sample(defects, sample)}  # noqa: S311 - repeatable on purpose
        defects = [defect for defect in defects if defect.id in chosen]
    survivors = read_survivors(survivors_file) if survivors_file else {}
    for written in (json_file, markdown_file):
        if written:
            written.touch()  # what cannot be written is found out before the run and not after it
    progress = Progress(Console(stderr=True), "defects")
    try:
        works = [Work(defect, serving, seed, generate) for defect in defects]
        found = Matrix(carried_out(works, min(jobs, len(works)), progress), survivors)
    finally:
        progress.stop()
    click.echo("\n".join(as_text(found, idle=not (names or sample))))
    if json_file:
        json_file.write_text(json.dumps(as_json(found), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if markdown_file:
        markdown_file.write_text(as_markdown(found), encoding="utf-8")
    if found.stale or (fail_under is not None and found.percent < fail_under):
        sys.exit(EXIT_BELOW)
