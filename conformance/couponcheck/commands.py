"""What ``couponcheck`` can do, once all that it needs is installed."""

import json
import signal
import sys
from contextlib import suppress
from pathlib import Path

import click
from couponspec import load_document, locate
from couponspec.document import Document
from couponspec.version import version
from rich.console import Console

from couponcheck import report
from couponcheck.catalogue import Catalogue, Requirement, load_catalogue
from couponcheck.choices import Choices, add_to_job, check_vendors, write_folder
from couponcheck.doctor import examine
from couponcheck.guard import EXIT_NOT_RUN, generate_option, guarded, seed_option, vendor_option
from couponcheck.interruption import Interruption
from couponcheck.lifecycle import explained
from couponcheck.matrix import matrix
from couponcheck.plugin import carry_out
from couponcheck.starter import started
from couponcheck.target import Permissions
from couponcheck.transport import UnusableTarget
from couponcheck.unfilled import read_to_look

_WIDTH = 160
"""Columns of output that goes to a file or a log."""


@click.group(context_settings={"auto_envvar_prefix": "COUPONCHECK", "help_option_names": ["-h", "--help"]})
@click.version_option(version(), prog_name="couponcheck")
def couponcheck() -> None:
    """Check whether an implementation answers as the vendors' pages document it."""


couponcheck.add_command(matrix)


@couponcheck.command()
@click.argument("target")
@vendor_option
@click.option("-k", "keyword", default="", metavar="EXPR", help="Only requirements whose ids match (pytest's -k).")
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Write a JUnit report here.")
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write all as JSON here.")
@click.option(
    "--report",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write all reports into this folder: HTML, JSON, JUnit, Markdown, a badge, and a script for each failure.",
)
@seed_option("all made-up requests and values")
@click.option("--allow-writes", is_flag=True, help="Also send requests that change data, of a faulty server at least.")
@click.option("--allow-concurrency", is_flag=True, help="Also send some requests at once, ten at most.")
@generate_option("Also make up", "0; for our mock as many as the catalogue says")
@click.option(
    "--production",
    multiple=True,
    metavar="HOST",
    help="Do to this host what the other flags allow, although the file marks it as production.",
)
@click.option(
    "--no-preflight",
    is_flag=True,
    help="Judge a target also if it refuses the credential main of the target file, or nobody acts as the vendor.",
)
@click.option(
    "--spent",
    "reports",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A JSON report of an earlier run: what it used up is left alone. Each report has what its own run used up, so "
    "name all of them: may be given more than once.",
)
@click.option(
    "--baseline",
    "baseline_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Failures that are known and accepted, each with a reason and a date.",
)
@click.option("--strict", is_flag=True, help="Let warnings fail.")
@click.option("-v", "--verbose", is_flag=True, help="List what passes also where something does not.")
@click.option("--allow-partial", is_flag=True, help="Let data that is missing not fail: a partial run ends with 0.")
@guarded
def run(  # noqa: PLR0913, PLR0917 - one parameter for each flag
    target: str,
    vendors: tuple[str, ...],
    keyword: str,
    junit: Path | None,
    json_file: Path | None,
    folder: Path | None,
    seed: int,
    allow_writes: bool,  # noqa: FBT001 - a flag of the command line
    allow_concurrency: bool,  # noqa: FBT001 - as above
    generate: int | None,
    production: tuple[str, ...],
    no_preflight: bool,  # noqa: FBT001 - as above
    reports: tuple[Path, ...],
    baseline_file: Path | None,
    strict: bool,  # noqa: FBT001 - as above
    verbose: bool,  # noqa: FBT001 - as above
    allow_partial: bool,  # noqa: FBT001 - as above
) -> None:
    """Check TARGET: the base URL of our mock, or a file that `couponcheck init` began and you have filled in.

    Our mock brings its test data along; it is checked in a world of its own. Another server needs a file: hardly
    anything can be checked without credentials and data.
    """
    choices = Choices(
        target=target,
        vendors=vendors,
        seed=seed,
        permissions=Permissions(allow_writes, allow_concurrency, generate, production),
        preflight=not no_preflight,
        spent=reports,
        baseline=baseline_file,
        strict=strict,
        allow_partial=allow_partial,
    )
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        junit = junit or folder / "junit.xml"
    for written in (junit, json_file, folder and folder / "report.json"):
        if written:
            written.touch()  # what cannot be written is found out before the run and not after it
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    with Interruption(signal.SIGINT, signal.SIGTERM) as interruption:
        try:
            code = _checked(choices, keyword, junit, json_file, folder, interruption, console, verbose=verbose)
        except KeyboardInterrupt:  # before there was anything to be put back, or when all was
            code = EXIT_NOT_RUN
    sys.exit(interruption.exit_code or code)


def _checked(
    choices: Choices,
    keyword: str,
    junit: Path | None,
    json_file: Path | None,
    folder: Path | None,
    interruption: Interruption,
    console: Console,
    *,
    verbose: bool,
) -> int:
    """Carry out a run, also to an early end, and return its exit code."""
    current = choices.prepare()
    progress = report.Progress(Console(stderr=True))
    try:
        code = EXIT_NOT_RUN
        with suppress(KeyboardInterrupt):  # most are pytest's, which then ends; what has come out so far is reported
            code = carry_out(current, progress, keyword, junit)
        progress.stop()
        if interruption.name:
            done = f"{len(current.outcomes)} of {current.selected} requirements"
            click.echo(f"couponcheck: ended by {interruption.name} after {done}; putting back what can be", err=True)
        try:
            current.leave()
        except KeyboardInterrupt:  # that one was meant for the run; the next is meant for this
            current.leave()
        if not current.selected:
            if code != _USAGE and not interruption.name:
                click.echo(f"couponcheck: no requirement matches -k {keyword!r}; see `couponcheck list`", err=True)
            return EXIT_NOT_RUN
        report.show(console, current, verbose=verbose)
        if json_file:
            with json_file.open("w", encoding="utf-8") as file:
                report.write_json(current, file)
        if folder:
            write_folder(current, folder)
        add_to_job(current)
    finally:
        progress.stop()
        current.close()
    return current.exit_code


_USAGE = 4
"""pytest's exit code for an expression that it cannot read; it has said so."""


def _catalogues(vendors: tuple[str, ...]) -> list[tuple[Document, Catalogue]]:
    check_vendors(vendors)
    documents = [load_document(vendor) for vendor in locate.vendors() if not vendors or vendor in vendors]
    return [(document, load_catalogue(document)) for document in documents]


@couponcheck.command()
@click.option("--vendor", "vendors", multiple=True, required=True, metavar="NAME", help="May be given more than once.")
@guarded
def init(vendors: tuple[str, ...]) -> None:
    """Print a target file to fill in: every credential and handle, and what each has to be."""
    check_vendors(vendors)
    click.echo(started(vendors), nl=False)


@couponcheck.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@vendor_option
@guarded
def doctor(file: Path, vendors: tuple[str, ...]) -> None:
    """Look whether a target FILE is ready, without changing anything, and say what would enable more requirements.

    Exit codes: 0 ready, 1 something is missing or not as the file says, 2 unusable.
    """
    check_vendors(vendors)
    sys.exit(examine(read_to_look(file, vendors), vendors, click.echo))


@couponcheck.command()
@click.argument("name", type=click.Choice(["catalogue", "provider", "target"]))
def schema(name: str) -> None:
    """Print the JSON Schema of a kind of file."""
    click.echo((Path(__file__).parent / "shapes" / f"{name}.schema.json").read_text(encoding="utf-8"), nl=False)


@couponcheck.command("list")
@vendor_option
@guarded
def listed(vendors: tuple[str, ...]) -> None:
    """Print the catalogue: every rule, its level, and the page it stands on."""
    for document, catalogue in _catalogues(vendors):
        click.echo(
            f"{document.sources.title}: {len(catalogue.checked)} of {len(catalogue.requirements)} rules are checked"
        )
        for requirement in catalogue.requirements:
            click.echo(f"\n{requirement.id} ({requirement.level})")
            click.echo(f"    {requirement.text}")
            click.echo(f"    “{requirement.quote}” ({document.sources.headings[requirement.page]})")
            if requirement.excluded:
                click.echo(f"    Not checked: {requirement.excluded}")
        click.echo()


@couponcheck.command()
@click.argument("requirement_id", metavar="ID")
@guarded
def explain(requirement_id: str) -> None:
    """Explain one requirement: what it says, what it rests on, how it is checked."""
    for document, catalogue in _catalogues(()):
        for requirement in catalogue.requirements:
            if requirement.id == requirement_id:
                click.echo(_explained(document, requirement))
                return
    raise UnusableTarget(f"there is no requirement {requirement_id!r}; `couponcheck list` shows them")


def _explained(document: Document, requirement: Requirement) -> str:
    sources = document.sources
    lines = [
        f"{requirement.id} ({requirement.level})",
        requirement.text,
        "",
        f"Rests on: “{requirement.quote}”",
        f"          {sources.headings[requirement.page]} ({document.sources.title})",
    ]
    if requirement.reading:
        reading = sources.readings[requirement.reading]
        lines += ["", f"Left open: {reading.question}"]
        for option, text in reading.options.items():
            mark = " (the mock's)" if option == reading.taken else ""
            mark += " (accepted with a warning)" if option in reading.tolerated else ""
            lines.append(f"  {option}{mark}: {text}")
    if requirement.handles:
        lines += ["", f"Needs: {', '.join(sorted(requirement.handles))}"]
    lines += ["", *_how(requirement)]
    return "\n".join(lines)


def _how(requirement: Requirement) -> list[str]:
    if requirement.excluded:
        return [f"Not checked: {requirement.excluded}"]
    if requirement.contract:
        what = requirement.contract.aspect or f"the schema of {requirement.contract.of}"
        member = f", member {requirement.contract.member}" if requirement.contract.member else ""
        return [f"Checked: every answer of {requirement.operation} against the document: {what}{member}"]
    if requirement.generated:
        rules = requirement.generated
        return [f"Checked: {rules.examples} made-up {rules.requests} requests to {requirement.operation}"]
    if requirement.life_cycle:
        return explained(requirement.life_cycle)
    lines = ["Checked by:"]
    for number, call in enumerate(requirement.calls, 1):
        called = f" ({call.name})" if call.name else ""
        times = f", {call.times} times" if call.times > 1 else ""
        case = f" ({call.case})" if call.case else ""
        lines += [f"  {number}.{called} only if {name!r} is {json.dumps(wanted)}" for name, wanted in call.when.items()]
        if call.together:
            lines.append(f"  {number}.{called} at once:")
            for one in call.together:
                each = f"{one.times} times " if one.times > 1 else ""
                lines.append(f"     {each}{one.operation} {json.dumps(one.request, ensure_ascii=False)}")
                lines.append(f"     expects {json.dumps(one.expect, ensure_ascii=False)}")
            continue
        lines.append(
            f"  {number}.{called} {call.operation} {json.dumps(call.request, ensure_ascii=False)}{times}{case}"
        )
        lines.append(f"     expects {json.dumps(call.expect, ensure_ascii=False)}")
    return lines
