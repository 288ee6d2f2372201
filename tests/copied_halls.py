"""Copies of `specs/` and `fixtures/` that a test may spoil, and a mock made of such a copy in the same process."""

import shutil
from pathlib import Path
from unittest.mock import patch

from couponmock.app import create_app
from couponmock.assembly import Assembly, assemble
from couponmock.settings import Settings
from couponspec import locate
from flask.testing import FlaskClient

VENDORS = tuple(locate.vendors())


def copy_halls(folder: Path) -> Path:
    """Copy the vendors' documents, sources and packs into a folder and return it."""
    for hall in ("specs", "fixtures"):
        for vendor in VENDORS:
            shutil.copytree(locate.root() / hall / vendor, folder / hall / vendor)
    return folder


def spoil(file: Path, old: str, new: str, *, everywhere: bool = False) -> int:
    """Replace a text that a file holds once, or everywhere, and return the first line it stood on."""
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1 or (everywhere and old in text), f"{file.name} has {old!r} {text.count(old)} times"
    file.write_text(text.replace(old, new), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


def mock_of(halls: Path, state: Path, pack: str = "demo") -> Assembly:
    """Make a mock of copied halls with its state in a file; close its store in the end."""
    with patch.object(locate, "root", lambda: halls):
        return assemble(Settings(f"sqlite:///{state}", VENDORS, pack=(pack,), log_format="none"))


def client_of(mock: Assembly) -> FlaskClient:
    """Return a client that talks to a mock without a network."""
    return create_app(mock).test_client()
