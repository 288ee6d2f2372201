"""Reads of one vendor that are carried out at the same time, where the target file allows it.

Only reads that follow each other without a write between them: each sees what it would have seen by itself.
"""

from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import replace

from couponcheck.catalogue import Requirement
from couponcheck.contract import operation_of
from couponcheck.exchange import READING, Client
from couponcheck.judge import Judge


class Ahead:
    """Carries out a read and those that follow it in the catalogue, at the same time."""

    def __init__(self, judge: Judge, wanted: Collection[str]) -> None:
        """Read for a judge.

        Args:
            judge: Who waits for the outcomes.
            wanted: Ids of the requirements that are to be carried out at all.
        """
        self._judge = judge
        self._wanted = wanted

    def __call__(self, requirement: Requirement) -> None:
        """Carry out a requirement with those that follow it, if it only reads, and let the judge know."""

        def carry_out(client: Client, read: Requirement) -> None:
            # The bindings are its own; outcomes and silences are the judge's.
            target = replace(self._judge.target, client=client)
            replace(self._judge, target=target, ahead=None).outcome(read)

        if reads := [*self._reads(requirement)]:
            deque(self._judge.target.client.each_of(carry_out, reads), maxlen=0)

    def _reads(self, first: Requirement) -> Iterator[Requirement]:
        """Yield a read and those after it, up to the next requirement that may send anything else."""
        if self._judge.target.supply or self._judge.target.ways:
            return  # data is made for one requirement after the other, and taken back after it
        checked = self._judge.catalogue.checked
        for requirement in checked[checked.index(first) :]:
            if requirement.id not in self._wanted or not self._judge.asks(requirement):
                continue
            if not self._only_reads(requirement):
                return
            yield requirement

    def _only_reads(self, requirement: Requirement) -> bool:
        """Tell whether nothing is changed by a requirement, neither on the target nor of what is left of its data."""
        if requirement.needs_permission or requirement.generated or requirement.is_concurrent or requirement.spends:
            return False
        document = self._judge.document
        methods = {
            call.request.get("method", operation_of(document, call.operation).method)
            for call in (*requirement.given, *requirement.calls)
        }
        return methods <= READING
