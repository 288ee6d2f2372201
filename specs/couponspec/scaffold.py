"""``python -m couponspec.scaffold NAME``: another vendor's skeleton in all four halls, right and running as it stands.

It is of an imaginary page, whose words and values are then replaced by those of a real one, file by file.
"""

import keyword
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from couponspec import locate
from couponspec.document import prefix_of
from couponspec.faults import FaultyFile
from couponspec.reader import load_document

FILES = {
    "openapi.yaml.tmpl": "specs/{vendor}/openapi.yaml",
    "sources.yaml.tmpl": "specs/{vendor}/sources.yaml",
    "entities.schema.yaml.tmpl": "fixtures/{vendor}/entities.schema.yaml",
    "demo.yaml.tmpl": "fixtures/{vendor}/demo.yaml",
    "documented.yaml.tmpl": "fixtures/{vendor}/documented.yaml",
    "vendor.py.tmpl": "mockserver/couponmock/vendors/{vendor}.py",
    "defects.py.tmpl": "mockserver/couponmock/defects/{vendor}.py",
    "requirements.yaml.tmpl": "conformance/couponcheck/requirements/{vendor}.yaml",
    "proofs.yaml.tmpl": "tests/couponcheck/proofs/{vendor}.yaml",
}
"""Template -> the file made of it."""

EXIT_USAGE = 2
_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


class Refused(Exception):
    """Nothing was written; the message says why in one line."""


def skeleton(vendor: str) -> dict[str, str]:
    """Return the files of a new vendor: path in the checkout -> text."""
    words = vendor.split("_")
    values = {
        "%vendor%": vendor,
        "%Vendor%": " ".join(word.capitalize() for word in words if word),
        "%Camel%": "".join(word.capitalize() for word in words),
    }
    files = {}
    for template, path in FILES.items():
        text = (Path(__file__).parent / "templates" / template).read_text(encoding="utf-8")
        for token, value in values.items():
            text = text.replace(token, value)
        files[path.format(vendor=vendor)] = text
    return files


def refuse_unless_free(vendor: str, files: Mapping[str, str], root: Path) -> None:
    """Let a name pass that a vendor can have in this checkout.

    Raises:
        Refused: it cannot.
    """
    if not _NAME.match(vendor) or keyword.iskeyword(vendor):
        fix = "take lower-case letters, digits and _, a letter first, and no keyword of Python"
        raise Refused(f"{vendor!r} cannot be a vendor's name: {fix}")
    for path in files:
        if not (root / path).parents[1].is_dir():
            raise Refused(f"{root} is no checkout of couponproof: a vendor is written in a checkout")
        if (root / path).exists():
            raise Refused(f"there is a vendor {vendor!r} already: {path}")
    prefix = prefix_of(f"/{vendor}/v1/coupons")
    for other in locate.vendors(root):
        try:
            document = load_document(other, root)
        except FaultyFile as error:
            raise Refused(f"the document of {other} has to be mended first: {error.faults[0]}") from error
        if any(prefix.startswith(taken) or taken.startswith(prefix) for taken in document.prefixes):
            raise Refused(f"the paths under {prefix} belong to {other}: take another name")


def write(files: Mapping[str, str], root: Path) -> None:
    """Write all files, or none.

    Raises:
        Refused: one of them cannot be written.
    """
    made: list[Path] = []
    try:
        for path, text in files.items():
            if not (folder := (root / path).parent).exists():
                folder.mkdir()
                made.append(folder)
            with (root / path).open("x", encoding="utf-8") as file:
                made.append(root / path)
                file.write(text)
    except BaseException as error:
        for own in reversed(made):
            if own.is_dir():
                own.rmdir()
            else:
                own.unlink()
        if isinstance(error, OSError):
            raise Refused(f"{error.filename} cannot be written: {error.strerror}") from error
        raise


def main(arguments: Sequence[str]) -> int:
    """Write a vendor's skeleton and say what to do with it; return the exit code."""
    if len(arguments) != 1:
        sys.stderr.write("new-vendor: give one name, as in: make new-vendor NAME=acme\n")
        return EXIT_USAGE
    [vendor] = arguments
    root = locate.root()
    try:
        files = skeleton(vendor)
        refuse_unless_free(vendor, files, root)
        write(files, root)
    except Refused as error:
        sys.stderr.write(f"new-vendor: {error}\n")
        return EXIT_USAGE
    for path in files:
        sys.stdout.write(f"{path}\n")
    sys.stdout.write(
        "Now put the words of the vendor's pages in the place of the imaginary ones, and run make check.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
