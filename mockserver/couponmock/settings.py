"""What a server is started with; handed to its worker processes as one environment variable."""

import json
from dataclasses import asdict, dataclass
from typing import Self

VARIABLE = "COUPONMOCK_SETTINGS"
DEFAULT_PACK = "demo"


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

    def dump(self) -> str:
        """Write for `load`."""
        return json.dumps(asdict(self))

    @classmethod
    def load(cls, text: str) -> Self:
        """Read what `dump` wrote."""
        raw = json.loads(text)
        lists = {name: tuple(value) for name, value in raw.items() if isinstance(value, list)}
        return cls(**{**raw, **lists})
