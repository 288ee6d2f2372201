"""What commands have in common: whose part they are about, and how one ends that cannot be carried out."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import click
from couponspec import FaultyFile

from couponcheck.transport import LimitReached, TargetUnreachable, UnusableTarget

EXIT_NOT_RUN = 2

P = ParamSpec("P")

vendor_option = click.option(
    "--vendor", "vendors", multiple=True, metavar="NAME", help="Only this vendor; may be given more than once."
)


def guarded(command: Callable[P, None]) -> Callable[P, None]:
    """Turn faults of files and unusable targets into one clear message and exit code 2."""

    @wraps(command)
    def carried_out(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except (FaultyFile, UnusableTarget, TargetUnreachable, LimitReached, OSError) as error:
            for line in str(error).splitlines():
                click.echo(f"couponcheck: {line}", err=True)
            sys.exit(EXIT_NOT_RUN)

    return carried_out
