"""Whether a stranger's data has too little left for a requirement, as the target's own answers tell."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jmespath
from couponspec.pack import Pack
from couponspec.request import Bindings

from couponcheck.catalogue import Depletion, Requirement
from couponcheck.exchange import Exchange
from couponcheck.expect import number, same


def depleted(
    rules: Sequence[Depletion],
    pack: Pack,
    requirement: Requirement,
    bindings: Bindings,
    exchanges: Sequence[Exchange],
    view: Callable[[Exchange], Any],
) -> Iterator[tuple[str, str]]:
    """Yield handles of which the first answer shows less than the requirement takes, each with what is to be said.

    Only the first answer counts: what becomes less than it should later is the target's fault.

    Args:
        rules: How answers show what is left.
        pack: What each entity has to be.
        requirement: What was carried out.
        bindings: With which data.
        exchanges: What was sent and came back.
        view: Reads an answer's body by the catalogue's names.
    """
    for rule in rules:
        for entity in pack.entities:
            seeded = number(entity.data.get(rule.left))
            known = bindings.get(entity.handle, {})
            if entity.kind != rule.kind or entity.handle not in requirement.needs or seeded is None:
                continue
            shown = _shown(rule, known.get(rule.by), exchanges, view)
            if shown is not None and 0 <= shown < min(int(seeded), len(exchanges)) - 1:
                has = f"{entity.handle} ({known[rule.by]}) has {rule.left} {shown} left"
                yield entity.handle, f"{has}; it has to be {int(seeded)}, or as much as the requirement takes"


def _shown(rule: Depletion, identity: Any, exchanges: Sequence[Exchange], view: Callable[[Exchange], Any]) -> Any:
    for exchange in exchanges:
        items = jmespath.search(rule.items, view(exchange)) if exchange.body is not None else None
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict) and same(identity, item.get(rule.by)):
                return number(item.get(rule.left))
    return None
