"""A target file in its beginning state: what is still to be given, in few lines instead of one for each value."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from couponspec import Fault, FaultyFile
from couponspec.yamlfile import YamlFile, escape, load

from couponcheck.environment import unset
from couponcheck.targetfile import TO_BE_GIVEN, TargetFile, read_target

_FEW = 3
"""Handles that are named; and values up to which each is told on a line of its own."""


def read_to_look(path: Path, vendors: Sequence[str]) -> TargetFile:
    """Read a target file for somebody who may have just begun to fill it in.

    Args:
        path: The file.
        vendors: Whose variables are looked at where values are still to be given; empty for all that the file names.

    Raises:
        FaultyFile: it has mistakes. What is still to be given is one of them for each vendor, and the variables that
            are not set are told in the same go.
    """
    try:
        return read_target(path)
    except FaultyFile as error:
        if not any(fault.reason == TO_BE_GIVEN for fault in error.faults):
            raise
        source = load(path)
        chosen = [vendor for vendor in source.value["vendors"] if vendor in vendors or not vendors]
        raise FaultyFile([*_condensed(source, error.faults), *unset(source, chosen)]) from error


def _condensed(source: YamlFile, faults: Sequence[Fault]) -> Iterator[Fault]:
    """Yield what is told once for a vendor in place of its many values, and the other mistakes as they are."""
    many: dict[str, list[Fault]] = {}
    for vendor in source.value["vendors"]:
        inside = f"#/vendors/{escape(vendor)}/data/"
        found = [item for item in faults if item.reason == TO_BE_GIVEN and item.pointer.startswith(inside)]
        if len(found) > _FEW:
            many[vendor] = found
    told = {id(fault) for found in many.values() for fault in found}
    yield from (fault for fault in faults if id(fault) not in told)
    for vendor, found in many.items():
        handles = [*dict.fromkeys(part for fault in found for part in fault.pointer.split("/") if "." in part)]
        named = ", ".join(handles[:_FEW])
        rest = f" and {len(handles) - _FEW} more" if len(handles) > _FEW else ""
        reason = f"{len(found)} values are still to be given, of {named}{rest}"
        fix = "give what your server has, and leave the other lines out"
        yield Fault(source.path, found[0].line, f"#/vendors/{escape(vendor)}/data", reason, fix)
