"""The shapes of our own files, checked with the reference implementation of JSON Schema for its messages."""

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from couponspec.faults import Fault
from couponspec.yamlfile import YamlFile, escape

_FORMATS = jsonschema.FormatChecker()


@_FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: Any) -> bool:
    """Check a time as we read it; jsonschema knows this format only where another package is installed."""
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@cache
def shape(name: str) -> dict[str, Any]:
    """Return the JSON Schema of one kind of our files (``document``, ``sources``, ``pack``, ``entities``)."""
    text = (Path(__file__).parent / "shapes" / f"{name}.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def problems_with(file: YamlFile, kind: str) -> list[Fault]:
    """List what is wrong with the shape of a file, each fault with its line."""
    return problems_under(file, "", file.value, shape(kind))


def stranger(file: YamlFile, **named: str) -> list[Fault]:
    """List the members by which a file says that it belongs elsewhere than where it was found."""
    said = file.value if isinstance(file.value, dict) else {}
    return [
        file.fault(f"/{member}", f"the file was found as that of {name!r}", f"write {member}: {name}, or move the file")
        for member, name in named.items()
        if isinstance(said.get(member), str) and said[member] != name
    ]


def problems_under(file: YamlFile, pointer: str, value: Any, schema: dict[str, Any]) -> list[Fault]:
    """List what is wrong with one value of a file that stands at a JSON pointer."""
    validator = jsonschema.Draft202012Validator(schema, format_checker=_FORMATS)
    errors = sorted(validator.iter_errors(value), key=lambda error: [str(token) for token in error.absolute_path])
    return [_fault(file, pointer, jsonschema.exceptions.best_match([error]) or error) for error in errors]


def _fault(file: YamlFile, pointer: str, error: jsonschema.ValidationError) -> Fault:
    place = pointer + "".join(f"/{escape(str(token))}" for token in error.absolute_path)
    expected = error.schema.get("description") if isinstance(error.schema, dict) else None
    keyword = f"{error.validator}: {json.dumps(error.validator_value, ensure_ascii=False)}"
    message = error.message if len(error.message) <= _LONGEST else f"{error.message[:_LONGEST]}..."
    return file.fault(place, message, expected or f"make it fit {keyword[:_LONGEST]}")


_LONGEST = 300
"""Characters of a message that a person will still read."""
