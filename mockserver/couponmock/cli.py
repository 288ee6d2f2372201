"""The command ``couponmock``. Exit codes: 0 fine, 1 a check failed, 2 wrong usage or a faulty file, 3 port in use."""

import json
import os
import re
import shlex
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import click
from couponspec import FaultyFile, load_document, locate
from couponspec.pack import Pack
from couponspec.version import version

from couponmock import coverage, strict, tour
from couponmock.assembly import Assembly, assemble, load_documents, load_world, load_worlds
from couponmock.defect import REGISTRIES, Defect, defects_of
from couponmock.exchange import DEFAULT_NAMESPACE
from couponmock.injection import Limit, Unusable
from couponmock.reading import UnknownChoice
from couponmock.settings import DEFAULT_PACK, DEFAULT_PORT, DEFAULT_URL, Settings
from couponmock.store import NoSuchNamespace, StoreFault, temporary_store

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_PORT = 3


def _fault(text: str, code: int = EXIT_USAGE) -> SystemExit:
    """Say what is wrong on standard error and end with an exit code."""
    for line in text.splitlines():
        click.echo(f"couponmock: {line}", err=True)
    return SystemExit(code)


P = ParamSpec("P")


def _guarded(command: Callable[P, None]) -> Callable[P, None]:
    """Turn faults of our files and of the store into one clear message and exit code 2."""

    @wraps(command)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (FaultyFile, StoreFault, UnknownChoice) as error:
            raise _fault(str(error)) from error

    return guarded


@click.group(context_settings={"auto_envvar_prefix": "COUPONMOCK", "help_option_names": ["-h", "--help"]})
@click.version_option(version(), prog_name="couponmock")
def main() -> None:
    """Act out the coupon APIs of CrowdTwist, ChargeOver and Shoplazza as their pages document them."""


_vendor_option = click.option(
    "--vendor", "vendors", multiple=True, metavar="NAME", help="Only this vendor; may be given more than once."
)
_pack_option = click.option(
    "--pack",
    "layers",
    multiple=True,
    default=(DEFAULT_PACK,),
    show_default=True,
    metavar="NAME|FILE",
    help="The seeded world; given more than once, each is laid over those before it.",
)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    "-p",
    default=DEFAULT_PORT,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="Port; 0 for any free one.",
)
@click.option(
    "--port-file", type=click.Path(path_type=Path, dir_okay=False), help="Write the port here once it answers."
)
@click.option("--stop-with-stdin", is_flag=True, help="Stop when standard input ends, as when its writer has gone.")
@_pack_option
@_vendor_option
@click.option(
    "--state", metavar="URL", help="Where state is kept: sqlite:///FILE or postgresql://...; else nothing stays."
)
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Worker processes.")
@click.option("--log-format", default="text", show_default=True, type=click.Choice(["text", "json", "none"]))
@click.option("--mock-headers/--no-mock-headers", default=True, show_default=True, help="Send the X-Mock-* headers.")
@click.option(
    "--journal/--no-journal", default=True, show_default=True, help="Keep what was asked, for /__admin/requests."
)
@click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="VENDOR=SIZE/LEAK",
    help="Answer 429 beyond SIZE requests, of which LEAK are forgotten each second.",
)
@click.option(
    "--defect", "defects", multiple=True, metavar="NAME", help="Be wrong in this way; see `couponmock defects`."
)
@click.option(
    "--reading",
    "readings",
    multiple=True,
    metavar="VENDOR.READING=OPTION",
    help="Understand an open question of the pages in this way; see /__admin/readings.",
)
@click.option(
    "--strict",
    "strict_mode",
    is_flag=False,
    flag_value=strict.WARN,
    default=strict.OFF,
    show_default=True,
    type=click.Choice(strict.MODES),
    help="Tell of what a request holds and no page documents, or refuse it; --strict alone tells.",
)
@_guarded
def serve(  # noqa: PLR0913, PLR0917 - one parameter for each flag
    host: str,
    port: int,
    port_file: Path | None,
    stop_with_stdin: bool,  # noqa: FBT001 - a flag of the command line
    layers: tuple[str, ...],
    vendors: tuple[str, ...],
    state: str | None,
    workers: int,
    log_format: str,
    mock_headers: bool,  # noqa: FBT001 - a flag of the command line
    journal: bool,  # noqa: FBT001 - as above
    limits: tuple[str, ...],
    defects: tuple[str, ...],
    readings: tuple[str, ...],
    strict_mode: str,
) -> None:
    """Serve the vendors on one port, at their real paths."""
    from couponmock.server import CannotListen, PortInUse, reserved, serve as run, write_port  # noqa: I001 - granian is loaded only to serve

    # Until the server listens to signals itself, SIGTERM unwinds what has been begun.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    if stop_with_stdin:
        _stop_with_stdin()
    chosen = _vendors(vendors)
    _check_defects(defects, chosen)
    limited = tuple(_limit(text, chosen) for text in limits)
    if port_file and not port_file.absolute().parent.is_dir():
        raise _fault(f"there is no folder {port_file.absolute().parent} for --port-file")
    with ExitStack() as stack:
        try:
            host, port = stack.enter_context(reserved(host, port))
            if port_file:
                port_file.unlink(missing_ok=True)  # of a server that was killed
                stack.callback(port_file.unlink, missing_ok=True)
            store = state or stack.enter_context(temporary_store())
            settings = Settings(
                store=store,
                vendors=chosen,
                pack=layers,
                mock_headers=mock_headers,
                journal=journal,
                log_format=log_format,
                defects=defects,
                readings=readings,
                limits=limited,
                strict=strict_mode,
            )
            begun = time.monotonic()
            mock = assemble(settings)
            assembled_in = time.monotonic() - begun
            if state:
                _warn_of_another_pack(mock)
            mock.store.close()

            def ready(base_url: str) -> None:
                click.echo(_banner(base_url, mock.worlds[mock.pack].packs, layers))
                if port_file:
                    write_port(port_file, base_url)

            run(settings, host, port, workers, ready, assembled_in)
        except PortInUse as error:
            fix = "stop what listens there, or choose another with --port (0 for any free one)"
            raise _fault(f"{error} is in use; {fix}", EXIT_PORT) from error
        except CannotListen as error:
            raise _fault(f"cannot listen on {error}") from error


def _check_defects(names: tuple[str, ...], vendors: tuple[str, ...]) -> None:
    known = [name for vendor in vendors for name in defects_of(vendor)] if names else []
    for name in names:
        if name not in known:
            raise _fault(f"there is no defect {name!r}; `couponmock defects` lists them")


def _stop_with_stdin() -> None:
    """Have this process told to stop when its standard input ends, as it does when whoever holds its other end dies."""

    def wait() -> None:
        with suppress(OSError):
            while os.read(0, 4096):
                pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def _vendors(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the vendors to act out: the named ones, or all."""
    known = locate.vendors()
    for name in names:
        if name not in known:
            raise _fault(f"there is no vendor {name!r}; there are {', '.join(known)}")
    return tuple(vendor for vendor in known if not names or vendor in names)


def _limit(text: str, vendors: tuple[str, ...]) -> tuple[str, int, float]:
    """Read a rate limit such as ``shoplazza=40/2``."""
    found = re.fullmatch(r"([^=]*)=([0-9]{1,9})/([0-9]{1,9}(?:\.[0-9]{1,9})?)", text, re.ASCII)
    if found is None:
        raise _fault(f"--limit {text!r} is no limit; write VENDOR=SIZE/LEAK, such as {vendors[0]}=40/2")
    vendor, size, leak = found.groups()
    if vendor not in vendors:
        raise _fault(f"--limit {text!r} is for none of this server's vendors, which are {', '.join(vendors)}")
    try:
        limit = Limit.read({"size": int(size), "leak": float(leak)})
    except Unusable as error:
        raise _fault(f"--limit {text!r}: {error}") from error
    return vendor, limit.size, limit.leak


def _warn_of_another_pack(mock: Assembly) -> None:
    """Say so if requests that name no namespace will not meet the pack that was asked for."""
    try:
        kept = mock.store.namespace(DEFAULT_NAMESPACE).pack
    except NoSuchNamespace:
        return
    if kept != mock.default_pack:
        world = next((name for name, world in mock.worlds.items() if world.id == kept), kept)
        fix = f"drop it with DELETE /__admin/namespaces/{DEFAULT_NAMESPACE}, or choose another --state"
        text = f"the namespace {DEFAULT_NAMESPACE!r} is kept from before, with the pack {world}, not {mock.pack}; {fix}"
        click.echo(f"couponmock: {text}", err=True)


def _banner(base_url: str, packs: Mapping[str, Pack], layers: Sequence[str]) -> str:
    lines = [f"couponmock {version()} serves {', '.join(packs)} at {base_url}", ""]
    found = [stop for name, pack in packs.items() for stop in tour.highlights(load_document(name), pack, base_url)]
    for stop in sorted(found, key=lambda stop: stop.companion):
        lines += [f"# {stop.vendor} {stop.operation}{' (companion)' if stop.companion else ''}", stop.curl]
    flags = " ".join(f"--pack {shlex.quote(layer)}" for layer in layers)
    lines += ["", f"More: couponmock fixtures {flags}. Stop with Ctrl-C."]
    return "\n".join(lines)


@main.command()
@_pack_option
@_vendor_option
@click.option("--base-url", default=DEFAULT_URL, show_default=True, help="Where the mock listens.")
@_guarded
def fixtures(layers: tuple[str, ...], vendors: tuple[str, ...], base_url: str) -> None:
    """Show how to reach every documented answer of a pack, and which of its values no page prints."""
    documents = load_documents(_vendors(vendors))
    _, whole = load_world(documents, layers, load_worlds(documents))
    for vendor, world in whole.packs.items():
        document = documents[vendor]
        click.echo(f"{vendor}: {world.title}")
        for stop in tour.stops(document, world, base_url):
            example = stop.example
            click.echo(f"\n  {stop.operation} -> {example.status} {example.name} ({example.basis})")
            click.echo(f"    handle: {stop.handle}   {stop.values}")
            click.echo(f"    {stop.curl}")
        ours = tour.inferred(world)
        if ours:
            click.echo("\n  Not printed on any page, ours (inferred):")
            for entity in ours:
                click.echo(f"    {entity.handle}: {', '.join(entity.inferred)}")
        click.echo()


@main.command()
@click.option(
    "--pack", "layers", multiple=True, metavar="NAME|FILE", help="Also check these packs, laid over one another."
)
@_vendor_option
@_guarded
def validate(layers: tuple[str, ...], vendors: tuple[str, ...]) -> None:
    """Check the documents, their sources and the packs."""
    documents = load_documents(_vendors(vendors))
    worlds = load_worlds(documents)
    if layers:
        load_world(documents, layers, worlds)
    whole = f" and {' with '.join(layers)}" if layers else ""
    click.echo(f"{len(documents)} documents and {len(worlds)} packs{whole} are valid")


@main.command()
@_vendor_option
@click.option(
    "--registry",
    type=click.Choice([*REGISTRIES]),
    help="Only simple defects that prove the suite's requirements, or only those of one adversary.",
)
@click.option(
    "--held-out/--no-held-out",
    default=None,
    help="Only those that are kept aside to measure the suite, or only the others.",
)
@click.option(
    "--format", "wanted", default="text", show_default=True, type=click.Choice(["text", "json"]), help="How to say it."
)
def defects(vendors: tuple[str, ...], registry: str | None, held_out: bool | None, wanted: str) -> None:  # noqa: FBT001 - a flag of the command line
    """List the deliberate defects that `serve --defect` takes; an adversary's with their class."""
    chosen = [
        (defect, name)
        for vendor in _vendors(vendors)
        for name in ([registry] if registry else REGISTRIES)
        for defect in defects_of(vendor, name).values()
        if held_out is None or defect.held_out == held_out
    ]
    if wanted == "json":
        click.echo(json.dumps([_as_data(defect, name) for defect, name in chosen], indent=2, ensure_ascii=False))
        return
    for defect, _ in chosen:
        click.echo(f"{defect.id}{_class_of(defect)}: {defect.text}")


def _as_data(defect: Defect, registry: str) -> dict[str, object]:
    page, rule = defect.breaks
    return {
        "id": defect.id,
        "vendor": defect.vendor,
        "registry": registry,
        "of": defect.of,
        "text": defect.text,
        "hard": defect.hard,
        "held_out": defect.held_out,
        "breaks": {"page": page, "rule": rule},
    }


def _class_of(defect: Defect) -> str:
    """Return the class of a defect in brackets, and whether it is hard to see and held out; empty without a class."""
    facts = [defect.of, "hard" if defect.hard else "", "held out" if defect.held_out else ""]
    return f" ({', '.join(fact for fact in facts if fact)})" if defect.of else ""


_COVERAGE_FORMATS = {
    "text": coverage.text,
    "json": lambda report: json.dumps(report, indent=2) + "\n",
    "markdown": coverage.markdown,
    "junit": coverage.junit,
}


@main.command("coverage")
@click.argument("url", default=DEFAULT_URL)
@click.option("--namespace", metavar="NAME", help="Only this one; else the one of the URL, else all that ever were.")
@_vendor_option
@click.option("--fail-under", metavar="PERCENT", type=click.FloatRange(0, 100), help="End with 1 below this share.")
@click.option(
    "--format",
    "wanted",
    default="text",
    show_default=True,
    type=click.Choice([*_COVERAGE_FORMATS]),
    help="How to say it.",
)
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write to this file, and say one line.")
def show_coverage(
    url: str,
    namespace: str | None,
    vendors: tuple[str, ...],
    fail_under: float | None,
    wanted: str,
    output: Path | None,
) -> None:
    """Tell which documented answers the clients of the mock at URL have got."""
    try:
        report = coverage.ask(url, namespace, vendors)
        shown = _COVERAGE_FORMATS[wanted](report)
        if output:
            output.write_text(shown, encoding="utf-8")
    except coverage.Unreachable as error:
        raise _fault(str(error).rstrip(".")) from error
    except OSError as error:
        raise _fault(f"cannot write to {output}: {error.strerror}") from error
    click.echo(coverage.summary(report) if output else shown, nl=bool(output))
    percent = report["total"]["percent"]
    if fail_under is not None and not percent >= fail_under:
        raise _fault(f"{percent} % of the documented answers were seen, {fail_under:g} % are asked for", EXIT_FAILED)


if __name__ == "__main__":
    sys.exit(main())
