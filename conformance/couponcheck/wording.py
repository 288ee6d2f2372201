"""Values as people read them in a report."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

_LONGEST = 600
"""Characters of a value that is shown."""


def as_text(value: Any, longest: int = _LONGEST) -> str:
    """Write a value as JSON, and no more of it than so many characters."""
    return cut(json.dumps(value, ensure_ascii=False, default=str), longest)


def cut(text: str, longest: int = _LONGEST) -> str:
    """Shorten a text that is longer than so many characters, and say by how much."""
    return text if len(text) <= longest else f"{shortened(text, longest)} ({len(text)} characters)"


def shortened(text: str, longest: int) -> str:
    """Shorten a text that is longer than so many characters."""
    return text if len(text) <= longest else f"{text[:longest]}..."


def one_line(text: str, longest: int) -> str:
    """Shorten a text to what fits on a line."""
    return shortened(text.replace("\n", " "), longest)


def counted(number: int, what: str) -> str:
    """Say how many there are of something, which is named in the singular."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def texts(value: Any, *, names: bool = False) -> Iterator[str]:
    """Yield every text in a JSON value.

    Args:
        value: A JSON value.
        names: Whether the names of members are texts, too.
    """
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            if names:
                yield str(name)
            yield from texts(item, names=names)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item, names=names)
