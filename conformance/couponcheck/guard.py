"""What commands have in common: options, and how one ends that cannot be carried out."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import click
from couponspec import FaultyFile

from couponcheck.transport import LimitReached, TargetUnreachable, UnusableTarget

EXIT_NOT_RUN = 2

P = ParamSpec("P")
_Command = TypeVar("_Command", bound=Callable[..., Any])

vendor_option = click.option(
    "--vendor", "vendors", multiple=True, metavar="NAME", help="Only this vendor; may be given more than once."
)


def seed_option(of: str) -> Callable[[_Command], _Command]:
    """Return the option ``--seed``; the same gives the same.

    Args:
        of: What is chosen or made up by it.
    """
    return click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help=f"Of {of}.")


def generate_option(does: str, default: str) -> Callable[[_Command], _Command]:
    """Return the option ``--generate``.

    Args:
        does: How the help begins: what is made up, and whether besides other requests.
        default: How many requests are made up if it is left out, in words.
    """
    about = f"{does} N requests for each requirement about them; 0 for none.  [default: {default}]"
    return click.option("--generate", type=click.IntRange(0), metavar="N", help=about)


def guarded(command: Callable[P, None]) -> Callable[P, None]:
    """Turn faults of files and unusable targets into one clear message and exit code 2."""

    @wraps(command)
    def carried_out(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except BrokenPipeError:  # who reads has had enough, which is no fault; click ends quietly
            raise
        except (FaultyFile, UnusableTarget, TargetUnreachable, LimitReached, OSError) as error:
            for line in str(error).splitlines():
                click.echo(f"couponcheck: {line}", err=True)
            sys.exit(EXIT_NOT_RUN)

    return carried_out
