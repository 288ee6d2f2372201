"""JSON read as fast as JSON is: where a value stands is found out only when somebody asks for its line."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from couponspec.faults import Fault, FaultyFile
from couponspec.yamlfile import YamlFile, escape, read

_TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|([{}\[\]:,])|[^\s{}\[\]:,"]+)')


def load(path: Path) -> YamlFile:
    """Read a JSON file.

    Raises:
        FaultyFile: the file is missing, or says what `parse` refuses.
    """
    text = read(path)
    return parse(text, path, Lines(path))


def parse(text: str, path: Path, lines: Mapping[str, int] | None = None) -> YamlFile:
    """Read JSON that a file, or a request, holds.

    Args:
        text: What it holds.
        path: Its name in what is said of it.
        lines: Where its values stand; nothing has a line without it.

    Raises:
        FaultyFile: it is not JSON, gives a key twice, or holds what is no number or no Unicode text.
    """
    twice: list[str] = []

    def mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            twice.append("")
        return made

    def number(digits: str) -> float:
        value = float(digits)
        if not math.isfinite(value):
            raise ValueError(digits)
        return value

    try:
        value = json.loads(text, object_pairs_hook=mapping, parse_float=number, parse_constant=number)
    except json.JSONDecodeError as error:
        reason = f"it is not JSON: {error.msg}"
        raise FaultyFile([Fault(path, error.lineno, "#", reason, "correct the syntax")]) from error
    except ValueError as error:
        reason = f"it holds a number that JSON cannot: {str(error)[:40]}"
        raise FaultyFile([Fault(path, None, "#", reason, "give a smaller number, or put it in quotes")]) from error
    except RecursionError as error:
        raise FaultyFile([Fault(path, None, "#", "it is nested too deeply", "nest it less")]) from error
    if twice:
        raise FaultyFile(
            Fault(path, line, f"#{place}", "the key is given twice", "keep one of them") for place, line in _twice(text)
        )
    if "\\u" in text and not _is_unicode(value):
        reason = "a text holds half of a surrogate pair, which is no character"
        raise FaultyFile([Fault(path, None, "#", reason, "write both halves, or the character itself")])
    return YamlFile(path, value, lines if lines is not None else {})


def _is_unicode(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


class Lines(Mapping[str, int]):
    """The line of each value of a JSON file; it is read again when the first line is asked for."""

    def __init__(self, path: Path) -> None:
        """Name the file."""
        self._path = path

    @cached_property
    def _found(self) -> dict[str, int]:
        return dict(places(read(self._path)))

    def __getitem__(self, pointer: str) -> int:
        """Return the line of a value; that of a member is the line of its name."""
        return self._found[pointer]

    def __iter__(self) -> Iterator[str]:
        """Walk through the pointers of all values."""
        return iter(self._found)

    def __len__(self) -> int:
        """Count the values."""
        return len(self._found)


def _twice(text: str) -> Iterator[tuple[str, int]]:
    seen: set[str] = set()
    for pointer, line in places(text):
        if pointer in seen:
            yield pointer, line
        seen.add(pointer)


def places(text: str) -> Iterator[tuple[str, int]]:
    """Yield pointer and line of every value of a JSON text, which has to be JSON."""
    line, counted = 1, 0
    # For each open object or list: its pointer, and the number of its next item; None in an object.
    around: list[tuple[str, int | None]] = []
    pointer, named = "", False
    position = 0
    while match := _TOKEN.match(text, position):
        position = match.end()
        start = position - len(match[0].lstrip())
        line, counted = line + text.count("\n", counted, start), start
        mark = match[2]
        if mark in {"}", "]"}:
            around.pop()
        elif mark == ",":
            place, index = around[-1]
            around[-1] = (place, None if index is None else index + 1)
            named = False
        elif mark != ":":
            if around and not named:
                place, index = around[-1]
                pointer = f"{place}/{index if index is not None else escape(json.loads(match[1]))}"
                yield pointer, line
                if index is None:
                    named = True
                    continue
            elif not around:
                yield pointer, line
            if mark in {"{", "["}:
                around.append((pointer, None if mark == "{" else 0))
            named = False
