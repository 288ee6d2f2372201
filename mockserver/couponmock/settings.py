"""What a server is started with; handed to its worker processes as one environment variable."""

import json
from dataclasses import asdict, dataclass
from typing import Self

VARIABLE = "COUPONMOCK_SETTINGS"
DEFAULT_PACK = "demo"
DEFAULT_PORT = 8642
DEFAULT_URL = f"http://127.0.0.1:{DEFAULT_PORT}"
"""Where a mock listens that was told nothing else."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The choices of whoever starts the mock."""

    store: str
    """URL of the store, such as ``sqlite:////tmp/state.db``."""
    vendors: tuple[str, ...]
    pack: tuple[str, ...] = (DEFAULT_PACK,)
    """Names of packs and paths of files, laid over one another, that namespaces are made from."""
    mock_headers: bool = True
    """Whether replies carry the X-Mock-* headers."""
    journal: bool = True
    """Whether exchanges are journalled."""
    log_format: str = "text"
    """``text``, ``json`` or ``none``."""
    defects: tuple[str, ...] = ()
    readings: tuple[str, ...] = ()
    """Options of readings that are chosen, each ``vendor.reading=option``; for the rest the taken ones."""
    limits: tuple[tuple[str, int, float], ...] = ()
    """Vendor, size of its leaky bucket in requests, and by how many of them it drains in a second."""
    strict: str = "off"
    """What becomes of requests that hold more than is documented: ``off``, ``warn`` or ``refuse``."""

    def dump(self) -> str:
        """Write for `load`."""
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> Self:
        """Read what `dump` wrote."""
        raw = json.loads(text)
        lists = {name: tuple(value) for name, value in raw.items() if isinstance(value, list)}
        limits = tuple((vendor, size, leak) for vendor, size, leak in raw["limits"])
        return cls(**{**raw, **lists, "limits": limits})
