"""JSON Schemas taken out of a document: with every reading, or with only the chosen ones."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

MARK = "x-reading"
"""The member by which a branch of a document says which option it belongs to."""


@dataclass(frozen=True, slots=True, order=True)
class Option:
    """One option of one reading, written ``reading=option`` in a document."""

    reading: str
    option: str

    @classmethod
    def parse(cls, text: str) -> "Option":
        """Read the written form."""
        reading, _, option = text.partition("=")
        return cls(reading, option)

    def __str__(self) -> str:
        """Give the written form."""
        return f"{self.reading}={self.option}"


Readings = Mapping[str, str]
"""The option chosen for each reading."""


def prune(value: Any, readings: Readings, without: Option | None = None) -> Any:
    """Copy a piece of a document without the branches that the readings exclude.

    A branch is a member or an item that carries ``x-reading``. With ``without`` every reading stays in but that one.
    """

    def stays(item: Any) -> bool:
        if not isinstance(item, dict) or MARK not in item:
            return True
        option = Option.parse(item[MARK])
        if without is not None:
            return option != without
        return readings.get(option.reading, option.option) == option.option

    if isinstance(value, list):
        return [prune(item, readings, without) for item in value if stays(item)]
    if not isinstance(value, dict):
        return value
    pruned = {key: prune(item, readings, without) for key, item in value.items() if stays(item)}
    for choice in ("anyOf", "oneOf"):
        # A choice of one is no choice: said so, a validator names the wrong member instead of the whole choice.
        if isinstance(pruned.get(choice), list) and len(pruned[choice]) == 1:
            pruned["allOf"] = [*pruned.get("allOf", []), *pruned.pop(choice)]
    return pruned


def options_in(value: Any, components: Mapping[str, Any], seen: frozenset[str] = frozenset()) -> Iterator[Option]:
    """Yield every option that a schema offers, also behind its references."""
    if isinstance(value, dict):
        if MARK in value:
            yield Option.parse(value[MARK])
        reference = value.get("$ref")
        if isinstance(reference, str) and reference not in seen:
            yield from options_in(resolve({"components": components}, reference), components, seen | {reference})
        for item in value.values():
            yield from options_in(item, components, seen)
    elif isinstance(value, list):
        for item in value:
            yield from options_in(item, components, seen)


def resolve(document: Any, reference: str) -> Any:
    """Return what a local reference (``#/components/...``) points to.

    Raises:
        KeyError: nothing is there.
    """
    value = document
    for token in reference.removeprefix("#/").split("/"):
        value = value[token.replace("~1", "/").replace("~0", "~")]
    return value


def property_names(value: Any, components: Mapping[str, Any], seen: set[str] | None = None) -> set[str]:
    """Return the names of all properties of a schema, wherever they stand, also behind its references."""
    seen = set() if seen is None else seen
    if isinstance(value, list):
        return {name for item in value for name in property_names(item, components, seen)}
    if not isinstance(value, Mapping):
        return set()
    names = set(value.get("properties", {}))
    reference = value.get("$ref")
    if isinstance(reference, str) and reference not in seen:
        seen.add(reference)
        names |= property_names(resolve({"components": components}, reference), components, seen)
    return names | {name for item in value.values() for name in property_names(item, components, seen)}


def compiled(schema: Mapping[str, Any], components: Mapping[str, Any]) -> jsonschema_rs.Draft202012Validator:
    """Compile a schema of a document together with the components it may refer to."""
    bundle = {"components": {"schemas": components.get("schemas", {})}, "allOf": [schema]}
    return jsonschema_rs.Draft202012Validator(bundle, validate_formats=True)
