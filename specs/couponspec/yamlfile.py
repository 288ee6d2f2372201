"""YAML that remembers its lines, so that every complaint can name one.

Scalars follow the JSON schema of YAML 1.2: ``on``, ``2021-05-25`` and ``12:30`` are strings, not surprises.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from couponspec.faults import Fault, FaultyFile


class _Loader(yaml.CSafeLoader):
    """The safe loader with the few implicit types of JSON."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own contract


_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:null|~|)$"), ["n", "~", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^-?(?:0|[1-9][0-9]*)$"), list("-0123456789"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)$"),
    list("-0123456789"),
)


_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "int", "map", "null", "seq", "str")}
"""The types of JSON."""


def escape(token: str) -> str:
    """Escape one member name for use in a JSON pointer."""
    return token.replace("~", "~0").replace("/", "~1")


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A parsed file and the line of each of its values."""

    path: Path
    value: Any
    lines: Mapping[str, int] = field(repr=False)

    def line(self, pointer: str) -> int | None:
        """Return the line of a value, or of the nearest value around it."""
        while pointer not in self.lines and pointer:
            pointer = pointer.rpartition("/")[0]
        return self.lines.get(pointer)

    def fault(self, pointer: str, reason: str, fix: str) -> Fault:
        """Describe a mistake at a place of this file."""
        return Fault(self.path, self.line(pointer), f"#{pointer}", reason, fix)


def load(path: Path) -> YamlFile:
    """Read a YAML file.

    Raises:
        FaultyFile: the file is missing, is not UTF-8 or not YAML, gives a key twice, or says what JSON cannot.
    """
    return parse(read(path), path)


def read(path: Path) -> str:
    """Read a text file.

    Raises:
        FaultyFile: the file is missing or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror or "cannot be read" if isinstance(error, OSError) else "it is not UTF-8"
        raise FaultyFile([Fault(path, None, "#", reason, "give a readable UTF-8 file")]) from error


def parse(text: str, path: Path) -> YamlFile:
    """Read YAML that a file holds.

    Raises:
        FaultyFile: it is not YAML, gives a key twice, or says what JSON cannot.
    """
    reading = _Reading(path)
    loader: _Loader | None = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        value = _value(loader, node, "", reading) if node is not None else None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
        line = mark.line + 1 if mark else None
        raise FaultyFile([Fault(path, line, "#", f"it is not YAML: {problem}", "correct the syntax")]) from error
    except RecursionError as error:
        reason = "it is nested too deeply, or an alias stands inside what it names"
        raise FaultyFile([Fault(path, None, "#", reason, "write the values out")]) from error
    finally:
        if loader is not None:
            loader.dispose()
    if reading.faults:
        raise FaultyFile(reading.faults)
    return YamlFile(path, value, reading.lines)


@dataclass(frozen=True, slots=True)
class _Reading:
    """What has been found so far."""

    path: Path
    lines: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def fault(self, line: int, pointer: str, reason: str, fix: str) -> None:
        self.faults.append(Fault(self.path, line, f"#{pointer}", reason, fix))


def _value(loader: _Loader, node: yaml.Node, pointer: str, reading: _Reading) -> Any:
    line = node.start_mark.line + 1
    reading.lines[pointer] = line
    if node.tag not in _TAGS:
        reading.fault(line, pointer, f"JSON has no {node.tag!r}", "leave the tag out")
        return None
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, pointer, reading)
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, item, f"{pointer}/{index}", reading) for index, item in enumerate(node.value)]
    try:
        value = loader.construct_object(node)
    except (KeyError, ValueError):  # a tag that its text belies, or more digits than Python reads
        value = math.inf
    if isinstance(value, float) and math.isinf(value):
        reading.fault(line, pointer, "the value cannot be read", "put it in quotes")
        return None
    return value


def _mapping(loader: _Loader, node: yaml.MappingNode, pointer: str, reading: _Reading) -> dict[str, Any]:
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            fix = "put a text that begins with { or [ in quotes"
            reading.fault(line, pointer, "a key is itself a mapping or a list", fix)
            continue
        key = str(key_node.value)
        place = f"{pointer}/{escape(key)}"
        if key in mapping:
            reading.fault(line, place, "the key is given twice", "keep one of them")
        mapping[key] = _value(loader, value_node, place, reading)
        reading.lines[place] = line
    return mapping
