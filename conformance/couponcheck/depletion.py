"""Whether a stranger's data has too little left for a requirement, as the target's own answers tell."""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import jmespath
from couponspec.pack import Pack
from couponspec.request import Bindings

from couponcheck.catalogue import Depletion, Requirement
from couponcheck.exchange import Exchange
from couponcheck.expect import number, same
from couponcheck.wording import texts

_BEFORE = "as if those who ask for it had it from an earlier run, whose report is for --spent"


def depleted(
    rules: Sequence[Depletion],
    pack: Pack,
    requirement: Requirement,
    bindings: Bindings,
    exchanges: Sequence[Exchange],
    view: Callable[[Exchange], Any],
) -> Iterator[tuple[str, str]]:
    """Yield handles of which the first answer shows less than the requirement takes, each with what is to be said.

    Only the first answer counts: what becomes less than it should later is the target's fault. Of what serves once and
    for all it counts as well if nobody who asks for it gets it, or if some is left and no answer shows another number:
    who asks then had their share before.

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
            if entity.handle in requirement.spends and (refused := _refused(known.get(rule.by), exchanges)):
                yield entity.handle, f"{entity.handle} ({known[rule.by]}) was refused with {refused}, {_BEFORE}"
                continue
            numbers = [*_shown(rule, known.get(rule.by), exchanges, view)]
            if not numbers or numbers[0] < 0:
                continue
            has = f"{entity.handle} ({known[rule.by]}) has {rule.left} {numbers[0]}"
            if numbers[0] < min(int(seeded), len(exchanges)) - 1:
                yield entity.handle, f"{has} left; it has to be {int(seeded)}, or as much as the requirement takes"
            elif entity.handle in requirement.spends and numbers[0] and len(numbers) > 1 and len({*numbers}) == 1:
                yield entity.handle, f"{has} whatever is asked for, {_BEFORE}"


def _refused(identity: Any, exchanges: Sequence[Exchange]) -> int:
    """Return the status by which everybody who asked for an entity was refused first; 0 if somebody was not."""
    asked = [one for one in exchanges if str(identity) in texts(one.request.said)]
    return asked[0].status if asked and all(400 <= one.status < 500 for one in asked) else 0


def _shown(
    rule: Depletion, identity: Any, exchanges: Sequence[Exchange], view: Callable[[Exchange], Any]
) -> Iterator[Decimal]:
    """Yield the numbers that answers show of an entity, one after the other."""
    for exchange in exchanges:
        items = jmespath.search(rule.items, view(exchange)) if exchange.body is not None else None
        for item in items if isinstance(items, list) else ():
            if not isinstance(item, dict) or not same(identity, item.get(rule.by)):
                continue
            if (shown := number(item.get(rule.left))) is not None:
                yield shown
