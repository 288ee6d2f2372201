"""The shapes of the files that the suite reads: JSON Schemas that lie beside it."""

import json
from functools import cache
from pathlib import Path
from typing import Any


@cache
def shape(name: str) -> dict[str, Any]:
    """Return the JSON Schema of a kind of file or message: ``baseline``, ``catalogue``, ``provider`` and the like."""
    text = (Path(__file__).parent / "shapes" / f"{name}.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
