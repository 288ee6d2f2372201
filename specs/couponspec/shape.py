"""The shapes of our own files, checked with the reference implementation of JSON Schema for its messages.

A compiled schema is asked first: it says in microseconds that all is well, which is what a large world needs.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import jsonschema
import jsonschema_rs

from couponspec.faults import Fault
from couponspec.yamlfile import YamlFile, escape

_FORMATS = jsonschema.FormatChecker()


@_FORMATS.checks("date-time", raises=ValueError)
def _is_moment(value: Any) -> bool:
    """Check a time as we read it; jsonschema knows this format only where another package is installed."""
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


def _conforms(value: Any, name: str) -> bool:
    return _FORMATS.conforms(value, name)


_COMPILED_FORMATS: dict[str, Callable[..., bool]] = {name: partial(_conforms, name=name) for name in _FORMATS.checkers}
"""What jsonschema takes for a format, so that the compiled schema never takes more."""


class Shape:
    """A JSON Schema of ours that values are held against."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        """Compile the schema, which has to be one."""
        self._schema = schema
        self._compiled: jsonschema_rs.Draft202012Validator | None = None
        # A pattern that Python understands and the compiler does not is left to jsonschema.
        with suppress(ValueError):
            self._compiled = jsonschema_rs.Draft202012Validator(
                dict(schema), validate_formats=True, formats=_COMPILED_FORMATS
            )

    def problems(self, file: YamlFile, pointer: str, value: Any) -> list[Fault]:
        """List what is wrong with one value of a file that stands at a JSON pointer."""
        return [] if self._fits(value) else problems_under(file, pointer, value, self._schema)

    def _fits(self, value: Any) -> bool:
        try:
            return self._compiled is not None and self._compiled.is_valid(value)
        except ValueError:  # a lone surrogate, or nested too deeply for it
            return False


@cache
def shape(name: str) -> dict[str, Any]:
    """Return the JSON Schema of one kind of our files, such as ``document``, ``sources``, ``pack`` or ``entities``."""
    text = (Path(__file__).parent / "shapes" / f"{name}.schema.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    if name == "world":
        # A world holds what packs hold.
        schema["$defs"] = shape("pack")["$defs"]
    return schema


@cache
def _compiled(name: str) -> Shape:
    return Shape(shape(name))


@cache
def _layer(name: str) -> Shape:
    """Return the shape of a file that may also be laid over others: it need not be whole, and may delete."""
    whole = shape(name)
    entities, entity = whole["$defs"]["entities"], whole["$defs"]["entity"]
    loosened = {"entities": {**entities, "required": []}, "entity": {**entity, "type": ["object", "null"]}}
    return Shape(
        {
            **whole,
            "required": [member for member in whole["required"] if member not in {"title", "clock"}],
            "$defs": {**whole["$defs"], **loosened},
        }
    )


def problems_with(file: YamlFile, kind: str) -> list[Fault]:
    """List what is wrong with the shape of a file, each fault with its line."""
    return _compiled(kind).problems(file, "", file.value)


def problems_with_layer(file: YamlFile, kind: str) -> list[Fault]:
    """List what is wrong with the shape of a file that may be laid over others: a ``pack`` or a ``world``."""
    return _layer(kind).problems(file, "", file.value)


def stranger(file: YamlFile, **named: str) -> list[Fault]:
    """List the members by which a file says that it belongs elsewhere than where it was found."""
    said = file.value if isinstance(file.value, dict) else {}
    return [
        file.fault(f"/{member}", f"the file was found as that of {name!r}", f"write {member}: {name}, or move the file")
        for member, name in named.items()
        if isinstance(said.get(member), str) and said[member] != name
    ]


def problems_under(file: YamlFile, pointer: str, value: Any, schema: Mapping[str, Any]) -> list[Fault]:
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
