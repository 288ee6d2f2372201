"""The command ``couponmock``. Exit codes: 0 fine, 1 a check failed, 2 wrong usage or a faulty file, 3 port in use."""

import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import wraps
from pathlib import Path
from typing import ParamSpec

import click
from couponspec import FaultyFile, load_document, load_pack, locate
from couponspec.pack import Pack
from couponspec.version import version

from couponmock import tour
from couponmock.assembly import assemble, load_documents, load_worlds
from couponmock.defect import REGISTRIES, Defect, defects_of
from couponmock.settings import DEFAULT_PACK, Settings
from couponmock.store import StoreFault

EXIT_USAGE = 2
EXIT_PORT = 3
DEFAULT_PORT = 8642


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
        except (FaultyFile, StoreFault) as error:
            raise _fault(str(error)) from error

    return guarded


@click.group(context_settings={"auto_envvar_prefix": "COUPONMOCK", "help_option_names": ["-h", "--help"]})
@click.version_option(version(), prog_name="couponmock")
def main() -> None:
    """Act out the coupon APIs of CrowdTwist, ChargeOver and Shoplazza as their pages document them."""


_vendor_option = click.option(
    "--vendor", "vendors", multiple=True, metavar="NAME", help="Only this vendor; may be given more than once."
)
_pack_option = click.option("--pack", default=DEFAULT_PACK, show_default=True, metavar="NAME", help="The seeded world.")


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
    "--defect", "defects", multiple=True, metavar="NAME", help="Be wrong in this way; see `couponmock defects`."
)
@_guarded
def serve(  # noqa: PLR0913, PLR0917 - one parameter for each flag
    host: str,
    port: int,
    port_file: Path | None,
    pack: str,
    vendors: tuple[str, ...],
    state: str | None,
    workers: int,
    log_format: str,
    mock_headers: bool,  # noqa: FBT001 - a flag of the command line
    journal: bool,  # noqa: FBT001 - as above
    defects: tuple[str, ...],
) -> None:
    """Serve the vendors on one port, at their real paths."""
    from couponmock.server import CannotListen, PortInUse, reserved, serve as run, temporary_store, write_port  # noqa: I001 - granian is loaded only to serve

    # Until the server listens to signals itself, SIGTERM unwinds what has been begun.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    chosen = _vendors(vendors)
    known = [name for vendor in chosen for name in defects_of(vendor)]
    for name in defects:
        if name not in known:
            raise _fault(f"there is no defect {name!r}; `couponmock defects` lists them")
    if port_file and not port_file.absolute().parent.is_dir():
        raise _fault(f"there is no folder {port_file.absolute().parent} for --port-file")
    with ExitStack() as stack:
        try:
            host, port = stack.enter_context(reserved(host, port))
            if port_file:
                port_file.unlink(missing_ok=True)  # of a server that was killed
                stack.callback(port_file.unlink, missing_ok=True)
            store = state or stack.enter_context(temporary_store())
            settings = Settings(store, chosen, pack, mock_headers, journal, log_format, defects)
            mock = assemble(settings)
            mock.store.close()

            def ready(base_url: str) -> None:
                click.echo(_banner(base_url, mock.worlds[pack].packs))
                if port_file:
                    write_port(port_file, base_url)

            run(settings, host, port, workers, ready)
        except PortInUse as error:
            fix = "stop what listens there, or choose another with --port (0 for any free one)"
            raise _fault(f"{error} is in use; {fix}", EXIT_PORT) from error
        except CannotListen as error:
            raise _fault(f"cannot listen on {error}") from error


def _vendors(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return the vendors to act out: the named ones, or all."""
    known = locate.vendors()
    for name in names:
        if name not in known:
            raise _fault(f"there is no vendor {name!r}; there are {', '.join(known)}")
    return tuple(vendor for vendor in known if not names or vendor in names)


def _banner(base_url: str, packs: Mapping[str, Pack]) -> str:
    lines = [f"couponmock {version()} serves {', '.join(packs)} at {base_url}", ""]
    for vendor, pack in packs.items():
        for stop in tour.highlights(load_document(vendor), pack, base_url):
            lines += [f"# {vendor} {stop.operation}", stop.curl]
    lines += ["", f"More: couponmock fixtures --pack {next(iter(packs.values())).name}. Stop with Ctrl-C."]
    return "\n".join(lines)


@main.command()
@_pack_option
@_vendor_option
@click.option(
    "--base-url", default=f"http://127.0.0.1:{DEFAULT_PORT}", show_default=True, help="Where the mock listens."
)
@_guarded
def fixtures(pack: str, vendors: tuple[str, ...], base_url: str) -> None:
    """Show how to reach every documented answer of a pack, and which of its values no page prints."""
    for vendor in _vendors(vendors):
        document = load_document(vendor)
        if pack not in locate.packs(vendor):
            raise _fault(f"{vendor} has no pack {pack!r}; there are {', '.join(locate.packs(vendor))}")
        world = load_pack(document, pack)
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
@_vendor_option
@_guarded
def validate(vendors: tuple[str, ...]) -> None:
    """Check the documents, their sources and the packs."""
    documents = load_documents(_vendors(vendors))
    worlds = load_worlds(documents)
    click.echo(f"{len(documents)} documents and {len(worlds)} packs are valid")


@main.command()
@_vendor_option
@click.option(
    "--registry",
    type=click.Choice([*REGISTRIES]),
    help="Only simple defects that prove the suite's requirements, or only an adversary's.",
)
@click.option(
    "--held-out/--no-held-out",
    default=None,
    help="Only those that are kept aside to measure the suite, or only the others.",
)
def defects(vendors: tuple[str, ...], registry: str | None, held_out: bool | None) -> None:  # noqa: FBT001 - a flag of the command line
    """List the deliberate defects that `serve --defect` takes; an adversary's with their class."""
    for vendor in _vendors(vendors):
        for name, defect in defects_of(vendor, registry).items():
            if held_out is None or defect.held_out == held_out:
                click.echo(f"{name}{_class_of(defect)}: {defect.text}")


def _class_of(defect: Defect) -> str:
    """Return the class of a defect in brackets, and whether it is hard to see and held out; empty without a class."""
    facts = [defect.of, "hard" if defect.hard else "", "held out" if defect.held_out else ""]
    return f" ({', '.join(fact for fact in facts if fact)})" if defect.of else ""


if __name__ == "__main__":
    sys.exit(main())
