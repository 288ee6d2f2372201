"""How texts and documents are written so that both engines keep, find and order them alike."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

# A PostgreSQL index entry may take about 2700 bytes. The longest one is (world, kind, field, value, id), which these
# limits keep below 2100, even where the world is a snapshot's, which holds two words.
LONGEST_WORD = 200
LONGEST_ID = 1000
LONGEST_VALUE = 200

DIGEST = "\x01"

_documents = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_ascii_documents = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"), allow_nan=False)


def storable(text: str) -> bool:
    """Say whether both engines can hold `text`: PostgreSQL refuses NUL, and neither takes lone surrogates."""
    if "\x00" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def checked_key(what: str, text: str, longest: int) -> str:
    """Return `text` if it can be part of a key, at most `longest` bytes long, or raise ValueError naming `what`."""
    if not text:
        message = f"{what} is empty."
    elif not storable(text):
        message = f"{what} {text!r} contains NUL or a lone surrogate."
    elif len(text.encode()) > longest:
        message = f"{what} {text[:20]!r}... is longer than {longest} bytes."
    else:
        return text
    raise ValueError(message)


def lookup_value(value: str) -> str | None:
    """Give the text `value` is indexed as; None if it cannot be stored, so that nothing is ever found by it."""
    if not storable(value):
        return None
    encoded = value.encode()
    # A short value that looks like a digest is digested as well, so that no value can pass for another one.
    if len(encoded) > LONGEST_VALUE or value.startswith(DIGEST):
        return DIGEST + hashlib.sha256(encoded).hexdigest()
    return value


def document(data: Mapping[str, Any]) -> str:
    """Write `data` as JSON; raise ValueError for what JSON does not have (NaN) and TypeError for foreign objects."""
    members = dict(data)
    text = _documents.encode(members)
    # Inside JSON a NUL is escaped anyway; only lone surrogates are left to be escaped on demand.
    return text if storable(text) else _ascii_documents.encode(members)
