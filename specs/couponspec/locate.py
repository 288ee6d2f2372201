"""Where the four halls are: beside this package when installed, two folders up in a checkout."""

from functools import cache
from pathlib import Path


@cache
def root() -> Path:
    """Return the folder that holds ``specs/<vendor>`` and ``fixtures/<vendor>``."""
    installed = Path(__file__).parent / "_data"
    return installed if installed.is_dir() else Path(__file__).parents[2]


def vendors(at: Path | None = None) -> list[str]:
    """List the vendors: every folder of ``specs/`` that holds a document."""
    return sorted(path.parent.name for path in ((at or root()) / "specs").glob("*/openapi.yaml"))


def document_file(vendor: str, at: Path | None = None) -> Path:
    """Return the path of a vendor's OpenAPI document."""
    return (at or root()) / "specs" / vendor / "openapi.yaml"


def sources_file(vendor: str, at: Path | None = None) -> Path:
    """Return the path of the file that names a vendor's pages and readings."""
    return (at or root()) / "specs" / vendor / "sources.yaml"


def entities_file(vendor: str, at: Path | None = None) -> Path:
    """Return the path of the file that says what a vendor's seeded entities look like."""
    return (at or root()) / "fixtures" / vendor / "entities.schema.yaml"


def pack_file(vendor: str, pack: str, at: Path | None = None) -> Path:
    """Return the path of a vendor's pack of that name, which need not exist."""
    return (at or root()) / "fixtures" / vendor / f"{pack}.yaml"


def packs(vendor: str, at: Path | None = None) -> list[str]:
    """List the packs a vendor has."""
    found = ((at or root()) / "fixtures" / vendor).glob("*.yaml")
    return sorted(path.stem for path in found if not path.name.endswith(".schema.yaml"))
