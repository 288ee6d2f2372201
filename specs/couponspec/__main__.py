"""``python -m couponspec``: are documents, sources and packs valid? Exit code 0 or 1; one line for each fault."""

import sys

from couponspec.check import check


def main() -> int:
    """Check everything and report."""
    documents, faults = check()
    for fault in faults:
        sys.stderr.write(f"{fault}\n")
    if not faults:
        names = ", ".join(document.vendor for document in documents)
        sys.stdout.write(f"{names}: documents, sources and packs are valid\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
