"""Values as people read them in a report."""

import json
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
