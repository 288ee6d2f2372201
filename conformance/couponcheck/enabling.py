"""Which requirements a target's data enables, and what would enable more."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from couponcheck.catalogue import Catalogue, Requirement
from couponcheck.provider import makes
from couponcheck.target import GivenTarget
from couponcheck.targetfile import is_data

_MANY = 4
"""Handles that are needed together from which on only the first and the last are named."""


@dataclass(frozen=True, slots=True)
class Maker:
    """Who could make data that the file does not give, once it may be written."""

    name: str
    lacking: Callable[[Requirement], list[str]]


def lacking_beside(target: GivenTarget, handles: Sequence[str], requirement: Requirement) -> list[str]:
    """Return what a requirement lacks if a provider makes such handles: it makes all of its data, or none."""
    lacking = target.lacking(requirement)
    return [item for item in lacking if not is_data(item)] if makes(handles, requirement) else lacking


def enabling(
    target: GivenTarget, catalogue: Catalogue, makers: Sequence[Maker], wrong: set[str]
) -> tuple[list[str], bool]:
    """Tell which requirements the data enables and what would enable more; and whether that is all of them.

    Args:
        target: Says what each requirement lacks.
        catalogue: The requirements.
        makers: Who could make what is lacking, in the order in which they are asked.
        wrong: Handles of data that is not as it has to be.
    """
    wanted = [requirement for requirement in catalogue.checked if requirement.id not in target.unsupported]
    lacking = {item.id: target.lacking(item) for item in wanted if item.contract is None}
    disabled = _disabled(wanted, lacking)
    enabled = [item for item in wanted if item not in disabled]
    writing = sum(item.needs_permission for item in enabled)
    made_up = sum(item.generated is not None for item in enabled)
    permitted = f"{writing} of them with --allow-writes only, {made_up} with --generate only"
    lines = [f"  The data enables {len(enabled)} of {len(wanted)} requirements, {permitted}."]
    if resting := sum(bool(item.handles & wrong) for item in enabled):
        lines.append(f"  {resting} of these rest{'s' if resting == 1 else ''} on data that is wrong.")
    for maker in makers:
        before = len(disabled)
        lacking |= {item.id: maker.lacking(item) for item in disabled if item.contract is None}
        disabled = _disabled(wanted, lacking)
        lines.append(f"  With --allow-writes {maker.name} enables {before - len(disabled)} more.")
    if unsupported := len(catalogue.checked) - len(wanted):
        lines.append(f"  {unsupported} are declared unsupported.")
    without = [item for item in disabled if item.contract is None]
    if without:
        lines += ["  To enable the rest, add:", *_additions(without, lacking)]
    return lines, not disabled


def _disabled(wanted: Sequence[Requirement], lacking: Mapping[str, Sequence[str]]) -> list[Requirement]:
    """Return what cannot be carried out with so much lacking; what is about every answer needs one of the operation."""
    reached = {item.operation for item in wanted if item.calls and not lacking[item.id]}
    return [item for item in wanted if (item.operation not in reached if item.contract else bool(lacking[item.id]))]


def _additions(requirements: Sequence[Requirement], lacking: Mapping[str, Sequence[str]]) -> list[str]:
    """List what is missing, what enables most first; what is needed by the same requirements is one line."""
    needing: dict[str, set[str]] = {}
    for requirement in requirements:
        for item in lacking[requirement.id]:
            needing.setdefault(item, set()).add(requirement.id)
    groups: dict[frozenset[str], list[str]] = {}
    for item, needed_by in needing.items():
        groups.setdefault(frozenset(needed_by), []).append(item)
    ranked = sorted(
        ((sum(set(lacking[id_]) <= set(items) for id_ in ids), ids, items) for ids, items in groups.items()),
        key=lambda group: (-group[0], -len(group[1]), group[2]),
    )
    lines = []
    for alone, ids, items in ranked:
        said = [_with_members(item, requirements) for item in items]
        names = ", ".join(said) if len(said) < _MANY else f"{said[0]} to {said[-1]}, {len(said)} in all"
        others = f"needed by {len(ids) - alone}{' besides' if alone else ''}, together with others"
        enables = [f"enables {alone} more"] if alone else []
        lines.append(f"    {names}: {', '.join(enables + ([others] if alone < len(ids) else []))}")
    return lines


def _with_members(item: str, requirements: Sequence[Requirement]) -> str:
    members = sorted({name for requirement in requirements for name in requirement.needs.get(item, ())})
    return f"{item} ({', '.join(members)})" if members else item
