"""The command ``couponcheck``. Exit codes: 0 conformant, 1 not or only partly, 2 the run could not be carried out."""

import sys


def main() -> None:
    """Run the command, or say in one line what is not installed."""
    try:
        from couponcheck.commands import couponcheck
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in {"couponcheck", "couponspec"}:
            raise
        sys.stderr.write(f"couponcheck: {error.name} is not installed; run pip install 'couponproof[conformance]'\n")
        sys.exit(2)
    couponcheck()


if __name__ == "__main__":
    main()
