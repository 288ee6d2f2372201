"""What a document must be before it can be read: shapes, references, statuses and names, each fault with its place."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from couponspec import schema
from couponspec.faults import Fault
from couponspec.shape import problems_with
from couponspec.yamlfile import YamlFile, escape

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
GENERAL = "general"
"""Stands for an operationId where answers to requests that reach no operation are meant."""


def wellformed_faults(file: YamlFile) -> list[Fault]:
    """List what keeps a file from being read as a document."""
    # Later checks look where earlier ones have made sure that there is something.
    return problems_with(file, "document") or [*_dangling(file)] or [*_status_faults(file), *_name_faults(file)]


def nodes(value: Any, pointer: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every object of a document with its JSON pointer; example values are the vendor's and left alone."""
    if isinstance(value, dict):
        yield pointer, value
        of_an_example = re.search(r"/examples/[^/]+\Z", pointer)
        for key, item in value.items():
            if not (of_an_example and key == "value"):
                yield from nodes(item, f"{pointer}/{escape(key)}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from nodes(item, f"{pointer}/{index}")


def place_of(item: Mapping[str, Any], pointer: str) -> str:
    """Return where an item of a document is really written: where it refers to, or where it stands."""
    return str(item["$ref"]).removeprefix("#") if "$ref" in item else pointer


def _dangling(file: YamlFile) -> Iterator[Fault]:
    schemes = file.value.get("components", {}).get("securitySchemes", {})
    for pointer, node in nodes(file.value):
        reference = node.get("$ref")
        if isinstance(reference, str) and not leads_somewhere(file.value, reference):
            yield file.fault(f"{pointer}/$ref", f"nothing is at {reference!r}", "refer to a place of this document")
        # A schema may have a property of that name, which is no list.
        requirements = node.get("security", ())
        for index, requirement in enumerate(requirements if isinstance(requirements, list) else ()):
            for name in [*requirement]:
                if name not in schemes:
                    place = f"{pointer}/security/{index}/{escape(name)}"
                    yield file.fault(place, f"no security scheme {name!r}", f"use one of {[*schemes]}")


def leads_somewhere(document: Any, reference: str) -> bool:
    """Tell whether a reference names a place of the same document."""
    try:
        schema.resolve(document, reference)
    except (KeyError, TypeError):
        return False
    return reference.startswith("#/")


def _responses(file: YamlFile) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
    """Yield operation pointer, status or range, pointer and content of every response."""
    owners = [
        (f"/paths/{escape(path)}/{method}", item[method]["responses"])
        for path, item in file.value["paths"].items()
        for method in METHODS
        if method in item
    ]
    owners.append(("/x-general-responses", file.value.get("x-general-responses", {})))
    for owner, responses in owners:
        for key, item in responses.items():
            place = place_of(item, f"{owner}/{key}" if owner.startswith("/x-") else f"{owner}/responses/{key}")
            yield owner, key, place, schema.resolve(file.value, f"#{place}")


def _examples(place: str, response: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for media_type, content in response.get("content", {}).items():
        for name, example in content.get("examples", {}).items():
            yield name, f"{place}/content/{escape(media_type)}/examples/{name}", example


def _status_faults(file: YamlFile) -> Iterator[Fault]:
    for _, key, response_place, response in _responses(file):
        for _, place, example in _examples(response_place, response):
            status = example.get("x-status")
            if status is None and key.endswith("XX"):
                yield file.fault(place, f"the example has no status of the range {key}", "give it an x-status")
            elif status is not None and not re.fullmatch(key.replace("X", "[0-9]"), str(status)):
                yield file.fault(f"{place}/x-status", f"{status} is not a status of the response {key}", "correct it")


def _name_faults(file: YamlFile) -> Iterator[Fault]:
    ids = {GENERAL}
    for path, item in file.value["paths"].items():
        for method in (method for method in METHODS if method in item):
            name = item[method]["operationId"]
            if name in ids:
                place = f"/paths/{escape(path)}/{method}/operationId"
                yield file.fault(place, f"the operationId {name!r} is taken", "choose another")
            ids.add(name)
    taken: set[tuple[str, str]] = set()
    for owner, _, response_place, response in _responses(file):
        for name, place, _ in _examples(response_place, response):
            if (owner, name) in taken:
                yield file.fault(place, f"an operation has two examples {name!r}", "choose another name")
            taken.add((owner, name))
