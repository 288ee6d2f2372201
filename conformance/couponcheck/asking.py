"""How a target is asked for a requirement: with which data, and when what was written before is shown."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from couponspec.document import Document
from couponspec.request import Bindings, HttpRequest, build

from couponcheck.catalogue import Call, Catalogue, Requirement
from couponcheck.contract import operation_of
from couponcheck.exchange import READING, Exchange
from couponcheck.expect import Judgement
from couponcheck.ledger import Ledger
from couponcheck.target import Target

_AS_BEFORE = {"same_as", "kept", "lacks", "lacks_each"}
"""Words of expectations that a read from before a write would fulfil, too."""


@dataclass
class Asking:
    """Asks one vendor's side of a target, and writes down what that may have changed."""

    document: Document
    catalogue: Catalogue
    target: Target
    ledger: Ledger
    requirement: Requirement | None = None
    """For whom is asked."""

    def send(self, call: Call, bindings: Bindings | None = None) -> Exchange:
        """Make a call.

        Args:
            call: What to ask.
            bindings: With which data; the target's if left out.

        Raises:
            TargetUnreachable: the answer did not come.
            LimitReached: no more requests may be sent.
            Unbound: the request needs a value that nobody supplied.
        """
        request = self._built(call, bindings)
        # What later calls are compared with, and what has to be as before, must not be an old state still shown.
        if request.method in READING and (call.name or _may_be_old(call)):
            self.settle()
        exchange = self.target.client.send(call.operation, request)
        self.note(exchange)
        return exchange

    def send_settled(self, call: Call, bindings: Bindings) -> Exchange:
        """Make a call once every read shows all that was written; it raises what `send` does."""
        self.settle()
        return self.send(call, bindings)

    def send_at_once(self, calls: Sequence[Call]) -> list[Exchange]:
        """Make calls at the same moment, and return the answers in their order; it raises what `send` does."""
        self.settle()
        answers = self.target.client.send_at_once([(call.operation, self._built(call)) for call in calls])
        for exchange in answers:
            self.note(exchange)
        return answers

    def note(self, exchange: Exchange) -> None:
        """Write down what may have changed the target's data."""
        if not exchange.is_read:
            self.ledger.shown_at = time.monotonic() + self.target.consistency.within
            if exchange.status < 400 and self.requirement is not None:
                self.ledger.change(self.requirement, exchange)

    def settle(self) -> None:
        """Wait until every read shows all that was written."""
        if (left := self._left()) > 0:  # to sleep for no time at all gives the processor away
            time.sleep(left)

    def wait_a_while(self) -> bool:
        """Wait for the next try of a read; tell whether there is to be one."""
        left = self._left()
        time.sleep(max(0.0, min(left, self.target.consistency.every)))
        return left > 0

    def judgement(
        self,
        earlier: Mapping[str, Exchange] | None = None,
        at_once: Mapping[str, tuple[Exchange, ...]] | None = None,
        so_far: Sequence[Exchange] = (),
        bindings: Bindings | None = None,
    ) -> Judgement:
        """Return how answers are compared with what is expected of them.

        Args:
            earlier: Name of a call -> its answer, for what is compared with that.
            at_once: Name of calls that were made at once -> their answers.
            so_far: All answers in their order.
            bindings: What was asked with; the target's if left out.
        """
        return Judgement(
            self.document,
            self.target.bindings if bindings is None else bindings,
            self.catalogue.lists,
            self.catalogue.aliases,
            {} if earlier is None else earlier,
            {} if at_once is None else at_once,
            so_far,
            self.catalogue.identities,
        )

    def _built(self, call: Call, bindings: Bindings | None = None) -> HttpRequest:
        operation = operation_of(self.document, call.operation)
        return build(self.document, operation, call.request, self.target.bindings if bindings is None else bindings)

    def _left(self) -> float:
        """Return the seconds until every read shows all that was written; below zero when they are over."""
        return self.ledger.shown_at - time.monotonic()


def _may_be_old(call: Call) -> bool:
    """Tell whether a read from before a write could fulfil what is expected of one after it."""
    return any(_AS_BEFORE & expect.keys() for expect in (call.expect, *call.expect.get("any_of", ())))
