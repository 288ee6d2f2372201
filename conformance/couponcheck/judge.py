"""Judges one target: carries out a vendor's requirements and says of each what came out."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice

from couponspec.document import Document
from couponspec.request import Bindings, Unbound, build, likenesses_in
from couponspec.schema import Option

from couponcheck.catalogue import Call, Catalogue, Contract, Requirement
from couponcheck.channel import ProviderFailed
from couponcheck.companion import AFTER, Companions, Tracked
from couponcheck.contract import Violation, allowances, operation_of, readings_used, tolerated, violations
from couponcheck.depletion import depleted
from couponcheck.disclosure import disclosures
from couponcheck.exchange import READING, Exchange
from couponcheck.expect import Judgement, Mismatch, shown_by
from couponcheck.gateway import is_beyond_the_pages
from couponcheck.ledger import PROVIDER, Change, Ledger, needed_of
from couponcheck.pool import Entities
from couponcheck.provider import CannotProvide
from couponcheck.target import Target
from couponcheck.targetfile import known
from couponcheck.transport import LimitReached, TargetUnreachable, UnusableTarget
from couponcheck.walker import Asking

_USED_UP = "the target's data has nothing left for it: all was used up by what needed it before"
_PATIENCE = 3
"""Unanswered requirements after which a target is not asked any more."""
_TRIES = 20
"""Entities of the operator's pools that are looked at for one requirement."""
_AS_BEFORE = {"same_as", "kept", "lacks", "lacks_each"}
"""Words of expectations that a read from before a write would fulfil, too."""
PASS, FAIL, WARN = "pass", "fail", "warn"
NOT_TESTABLE, NOT_SELECTED, ERROR = "not testable", "not selected", "error"


@dataclass(frozen=True)
class Outcome:
    """What came out of a requirement."""

    requirement: Requirement
    verdict: str
    reason: str = ""
    mismatches: tuple[Mismatch, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    """All exchanges of the requirement, the one that decided last."""
    readings: tuple[Option, ...] = ()
    """Options seen that are not the mock's own reading."""

    @property
    def is_breach(self) -> bool:
        """Tell whether the requirement is broken, also one that is no `must`; a variant that is tolerated is none."""
        return self.verdict == FAIL or (self.verdict == WARN and bool(self.mismatches))

    @property
    def needs_a_look(self) -> bool:
        """Tell whether somebody has to look into it: a breach, or an error."""
        return self.is_breach or self.verdict == ERROR


@dataclass
class Silences:
    """How a target leaves requirements unanswered, whoever asks it."""

    in_a_row: int = 0


@dataclass
class Judge:
    """Carries out requirements against one target; each at most once."""

    document: Document
    catalogue: Catalogue
    target: Target
    seed: int
    _outcomes: dict[str, Outcome] = field(default_factory=dict)
    _found: dict[int, list[Violation]] = field(default_factory=dict)
    """Identity of an exchange that an outcome keeps -> what it breaks."""
    _clean: bool = True
    """Whether the target's data is as its bindings say."""
    silences: Silences = field(default_factory=Silences)
    ledger: Ledger = field(default_factory=Ledger)
    ahead: Callable[[Requirement], None] | None = None
    """Carries out a read and those that follow it, where they may be carried out at the same time."""
    _current: Requirement | None = None
    _shown_at: float = 0.0
    """Monotonic seconds from which every read shows all that was written."""

    @cached_property
    def _companions(self) -> Companions:
        pack = known(self.document.vendor)[2]
        return Companions(self.document, self.catalogue, pack, self.target.ways, self._asked)

    def outcome(self, requirement: Requirement) -> Outcome:
        """Carry out a requirement, or recall how it went."""
        if requirement.id not in self._outcomes and self.ahead:
            self.ahead(requirement)
        if requirement.id not in self._outcomes:
            try:
                self._outcomes[requirement.id] = self._carried_out(requirement)
            except Exception as error:  # noqa: BLE001 - whatever it is, a requirement must not vanish from the verdict
                reason = f"the suite itself failed, please report it: {type(error).__name__}: {error}"
                self._outcomes[requirement.id] = Outcome(requirement, ERROR, reason)
            self._leave(requirement)
        return self._outcomes[requirement.id]

    def asks(self, requirement: Requirement) -> bool:
        """Tell whether requests are sent for a requirement, as far as can be told before."""
        return not requirement.contract and self._hindrance(requirement) is None

    def _carried_out(self, requirement: Requirement) -> Outcome:
        if hindrance := self._hindrance(requirement):
            return hindrance
        try:
            if requirement.contract:
                return self._contract(requirement, requirement.contract)
            if not self._clean:
                self.target.prepare()
            # A broken server may write wherever it is asked, so nothing leaves the data trusted.
            self._clean = False
            self._current = requirement
            outcome = self._tried(requirement)
        except (Unbound, LimitReached) as error:
            reason = _lack([error.name]) if isinstance(error, Unbound) else str(error)
            return Outcome(requirement, NOT_TESTABLE, reason)
        except (TargetUnreachable, UnusableTarget) as error:
            self.silences.in_a_row += 1
            return Outcome(requirement, ERROR, str(error))
        except ProviderFailed as error:
            return Outcome(requirement, ERROR, str(error))
        self.silences.in_a_row = 0
        return self._weighed(outcome)

    def _tried(self, requirement: Requirement) -> Outcome:
        """Carry out a requirement, and once more with other data if that which served had too little left."""
        carry_out = self._calls
        if requirement.generated:
            carry_out = self._generated
        elif requirement.life_cycle:
            carry_out = self._life_cycle
        outcome = self._unprovided(requirement) or carry_out(requirement)
        for _ in range(_TRIES):
            if outcome.verdict != FAIL or self.target.is_restored or not (reason := self._set_aside(outcome)):
                break
            again = self._unprovided(requirement)
            outcome = replace(again, reason=reason) if again else carry_out(requirement)
        return outcome

    def _hindrance(self, requirement: Requirement) -> Outcome | None:
        """Tell why a requirement is not carried out at all; None if nothing is in the way."""
        if requirement.id in self.target.unsupported:
            reason = f"declared unsupported: {self.target.unsupported[requirement.id]}"
            # To leave out what a page demands is allowed, and no way to be called conformant.
            return Outcome(requirement, NOT_TESTABLE if requirement.level == "must" else NOT_SELECTED, reason)
        if switched_off := self._switched_off(requirement):
            return Outcome(requirement, NOT_SELECTED, switched_off)
        if lacking := self.target.lacking(requirement):
            return Outcome(requirement, NOT_TESTABLE, _sentence(_lack(lacking), self.target.withheld))
        if self.silences.in_a_row >= _PATIENCE:
            return Outcome(requirement, ERROR, f"not asked: the target left {_PATIENCE} requirements unanswered before")
        return None

    def _switched_off(self, requirement: Requirement) -> str:
        """Tell why the operator's flags leave a requirement out; empty if they do not."""
        if requirement.needs_permission and not self.target.may_write:
            would = "it changes data" if requirement.writes else "a faulty server would change data"
            return f"{would}, which is switched off (--allow-writes)"
        if requirement.is_concurrent and not self.target.may_rush:
            return "it sends requests at once, which is switched off (--allow-concurrency)"
        if requirement.generated and self.target.generate == 0:
            return "it makes requests up, which is switched off (--generate N)"
        return ""

    def _unprovided(self, requirement: Requirement) -> Outcome | None:
        """Take data that is as the requirement needs it, or tell why there is none."""
        self._settle()
        refusal = self._refusal(requirement)
        if refusal is None:
            return None
        unfit = ""
        for bindings in islice(self.target.choices(requirement), _TRIES):
            self.target.bindings = bindings
            reason = "" if self.target.is_restored else self._unfit(requirement)
            if not reason:
                self._spend(requirement, requirement.spends)
                return None
            unfit = unfit or reason
            self._leave(requirement)
        lack = unfit or _lack(self.target.unpooled(requirement)) or _USED_UP
        return Outcome(requirement, NOT_TESTABLE, _sentence(refusal, lack))

    def _refusal(self, requirement: Requirement) -> str | None:
        """Take what a provider makes, and return None; or why that is nothing to go on with, empty without one."""
        try:
            provided = self.target.provided(requirement)
        except CannotProvide as refusal:
            return f"the provider cannot make it: {refusal}"
        if provided is None:
            return ""
        self.target.bindings = provided
        mismatch = self._unmet(requirement)
        return f"what the provider made is not what was asked for: {_first([mismatch])}" if mismatch else None

    def _unfit(self, requirement: Requirement) -> str:
        """Bring the operator's data into the state that is needed, or say why it is not."""
        if reason := self._companions.bring(requirement, self.target.bindings, self.target.origins()):
            return reason
        mismatch = self._unmet(requirement)
        return f"the target's data is not as the target file says: {_first([mismatch])}" if mismatch else ""

    def _unmet(self, requirement: Requirement) -> Mismatch | None:
        for call in requirement.given:
            for mismatch in self._judgement({}).mismatches(call.expect, self._sent(call)):
                return mismatch
        return None

    def _spend(self, requirement: Requirement, handles: Iterable[str]) -> None:
        """Have entities serve nobody else, those of all handles together."""
        bindings = self.target.bindings
        entities = {handle: needed_of(requirement, handle, bindings[handle]) for handle in handles}
        if entities:
            self.target.spend(entities)
            self.ledger.spent.append((requirement, entities))

    def _set_aside(self, outcome: Outcome) -> str:
        """Set data aside that has too little left, and say so; empty if it has enough, and the failure stands."""
        requirement, bindings = outcome.requirement, self.target.bindings
        view = self._judgement({}).view
        pack = known(self.document.vendor)[2]
        reason = ""
        for handle, said in depleted(self.catalogue.depletions, pack, requirement, bindings, outcome.exchanges, view):
            self._spend(requirement, [handle])
            reason = reason or f"the target's data is used up: {said}"
        return reason

    def _made(self, requirement: Requirement) -> list[Exchange]:
        """Return the exchanges that made the data fit, which stand before those that an outcome rests on."""
        tracked = [one for one in self._companions.tracked if one.requirement is requirement]
        return [exchange for one in tracked for exchange in one.calls]

    # -- leaving the target as it was found -----------------------------------------------------------------------

    def _leave(self, requirement: Requirement) -> None:
        """Put back what a requirement was carried out with; what is not put back now is tried once more at the end."""
        self._restore([tracked for tracked in self._companions.tracked if tracked.requirement is requirement])
        self._release()

    def leave(self) -> None:
        """Put back all that can be, also if the run was broken off, and have everything released."""
        self._restore(self._companions.tracked)
        self._release(everything=True)

    def _restore(self, waiting: Sequence[Tracked]) -> None:
        # Backwards: of an entity that was found twice, the state that it was first found in is the one that counts.
        for tracked in [*reversed(waiting)]:
            self._current = tracked.requirement
            try:
                if not self._companions.restore(tracked):
                    continue
            except (TargetUnreachable, LimitReached):
                return
            companion = tracked.companion
            call = companion.call if tracked.found == AFTER else companion.back
            self._restored(tracked.requirement, {tracked.handle: tracked.members}, call.operation)

    def _release(self, *, everything: bool = False) -> None:
        if self.target.supply is not None:
            with suppress(ProviderFailed):  # what is not released is not said to be put back
                for grant in self.target.supply.release(everything=everything):
                    self._restored(grant.requirement, grant.entities, PROVIDER)

    def _restored(self, requirement: Requirement, entities: Entities, by: str) -> None:
        for unspent in self.ledger.restored(requirement, entities, by):
            self.target.take_back(unspent)

    def _weighed(self, outcome: Outcome) -> Outcome:
        """Let a breach of a requirement that is no `must` be a warning."""
        if outcome.verdict == FAIL and outcome.requirement.level != "must":
            return replace(outcome, verdict=WARN)
        return outcome

    def _calls(self, requirement: Requirement) -> Outcome:
        exchanges = self._made(requirement)
        earlier: dict[str, Exchange] = {}
        at_once: dict[str, tuple[Exchange, ...]] = {}
        for call in requirement.calls:
            if any(
                [*self._judgement(earlier).mismatches(wanted, earlier[name])] if name in earlier else True
                for name, wanted in call.when.items()
            ):
                continue
            if call.together:
                answers, mismatches = self._together(call, earlier, exchanges)
                exchanges += answers
                if mismatches:
                    return _failed(requirement, mismatches, exchanges)
                earlier[call.name], at_once[call.name] = answers[-1], tuple(answers)
                continue
            for _ in range(call.times):
                exchange = self._sent(call)
                mismatches = [*self._judgement(earlier, at_once, exchanges).mismatches(call.expect, exchange)]
                while mismatches and exchange.is_read and self._wait_a_while():
                    exchange = self._sent(call)
                    mismatches = [*self._judgement(earlier, at_once, exchanges).mismatches(call.expect, exchange)]
                exchanges.append(exchange)
                if mismatches:
                    return _failed(requirement, [_explained(call, mismatch) for mismatch in mismatches], exchanges)
            if call.name:
                earlier[call.name] = exchange
        return Outcome(requirement, PASS, exchanges=tuple(exchanges), readings=self._readings(exchanges))

    def _together(
        self, group: Call, earlier: dict[str, Exchange], so_far: list[Exchange]
    ) -> tuple[list[Exchange], list[Mismatch]]:
        """Make calls at once, and return the answers and all that is not as expected of them."""
        self._settle()
        calls = [call for call in group.together for _ in range(call.times)]
        answers = self.target.client.send_at_once(
            [
                (
                    call.operation,
                    build(
                        self.document, operation_of(self.document, call.operation), call.request, self.target.bindings
                    ),
                )
                for call in calls
            ]
        )
        for exchange in answers:
            self._note(exchange)
        judgement = self._judgement(earlier, so_far=so_far)
        return answers, [
            replace(mismatch, call=number)
            for number, (call, exchange) in enumerate(zip(calls, answers, strict=True), len(so_far) + 1)
            for mismatch in judgement.mismatches(call.expect, exchange)
        ]

    def _generated(self, requirement: Requirement) -> Outcome:
        from couponcheck.generate import exchanges as generated

        rules = requirement.generated
        assert rules is not None  # noqa: S101 - for the type checker; _carried_out looked
        operation = self.document.operations[requirement.operation]
        before = [self._sent(call) for call in rules.unchanged]

        def is_wrong(exchange: Exchange) -> bool:
            self._note(exchange)
            return self._broken(exchange, rules.requests) is not None

        examples = rules.examples if self.target.generate is None else self.target.generate
        made_up = generated(self.document, operation, self.target, rules.requests, examples, self.seed, is_wrong)
        exchanges = [*self._made(requirement), *before, *made_up]
        for exchange in made_up[-1:]:
            if mismatch := self._broken(exchange, rules.requests):
                return _failed(requirement, [mismatch], exchanges)
        self._settle()
        for call, first in zip(rules.unchanged, before, strict=True):
            exchange = self._sent(call)
            exchanges.append(exchange)
            judgement = self._judgement({"before": first}, so_far=exchanges)
            mismatches = [*judgement.mismatches({"same_as": "before"}, exchange)]
            if mismatches:
                return _failed(requirement, mismatches, exchanges)
        for number, exchange in enumerate(exchanges, 1):
            for found in self._disclosures(exchange):
                # No page speaks of it, so it is never worse than a warning, and what the pages do say comes first.
                mismatch = Mismatch(found.expected, found.got, call=number)
                return replace(_failed(requirement, [mismatch], exchanges[:number]), verdict=WARN)
        return Outcome(requirement, PASS, exchanges=tuple(exchanges), readings=self._readings(exchanges))

    def _life_cycle(self, requirement: Requirement) -> Outcome:
        """Walk through a life cycle; every answer is also held against the document, by the contract."""
        from couponcheck.machine import walk

        assert requirement.life_cycle is not None  # noqa: S101 - for the type checker; _carried_out looked
        asking = Asking(
            self._sent, lambda bindings: self._judgement({}, bindings=bindings), self._settle, self._wait_a_while
        )
        walked = walk(self.document, requirement.life_cycle, self.target, asking, self.seed)
        if walked.mismatch:
            failed = _failed(requirement, [walked.mismatch], [*self._made(requirement), *walked.exchanges])
            return replace(failed, reason=f"{failed.reason}; the sequence: {' > '.join(walked.trail)}")
        return Outcome(requirement, PASS, exchanges=tuple(walked.exchanges), readings=self._readings(walked.exchanges))

    def _broken(self, exchange: Exchange, requests: str) -> Mismatch | None:
        """Judge the answer to a generated request."""
        if exchange.status >= 500:
            return Mismatch("no server error for a request that a client can send", f"status {exchange.status}")
        if requests == "invalid" and exchange.status < 400:
            return Mismatch("a refusal of a request that breaks the document", f"status {exchange.status}")
        for violation in violations(self.document, exchange):
            return Mismatch(violation.expected, violation.got)
        return None

    def _contract(self, requirement: Requirement, contract: Contract) -> Outcome:
        """Hold every answer that the scenarios of the operation got against the document."""
        judged: list[Exchange] = []
        used: set[Option] = set()
        for exchange in self._answers(requirement.operation):
            if contract.aspect != "disclosure" and is_beyond_the_pages(self.document, exchange):
                continue
            if contract.of and (contract.of == "success") != (exchange.status < 400):
                continue
            judged.append(exchange)
            breaches = [v for v in self._violations(exchange) if self._concerns(requirement, contract, v)]
            if breaches:
                mismatches = [Mismatch(breach.expected, breach.got) for breach in breaches]
                return self._weighed(_failed(requirement, mismatches, [exchange]))
            if contract.of and not contract.member:
                used |= {*readings_used(self.document, exchange)}
        if not judged:
            if any(self.outcome(other).verdict == NOT_SELECTED for other in self._scenarios(requirement.operation)):
                return Outcome(
                    requirement, NOT_SELECTED, "no such answer was seen without the requests that change data"
                )
            return Outcome(requirement, NOT_TESTABLE, "no such answer was seen")
        lenient = [str(option) for option in sorted(used) if tolerated(self.document, option)]
        if lenient:
            reason = f"tolerated variant seen: {', '.join(lenient)}"
            return Outcome(requirement, WARN, reason, exchanges=(judged[-1],), readings=tuple(sorted(used)))
        return Outcome(requirement, PASS, exchanges=(judged[-1],), readings=tuple(sorted(used)))

    def _violations(self, exchange: Exchange) -> list[Violation]:
        """Hold an answer against the document once, however many requirements are about that."""
        if id(exchange) not in self._found:
            self._found[id(exchange)] = [
                *violations(self.document, exchange),
                *allowances(self.document, exchange),
                *self._disclosures(exchange),
            ]
        return self._found[id(exchange)]

    def _disclosures(self, exchange: Exchange) -> Iterator[Violation]:
        documented = shown_by(self.document, exchange) or None
        return disclosures(exchange, self.target.bindings, self.catalogue.identities, documented)

    def _answers(self, operation: str) -> Iterator[Exchange]:
        """Yield every answer of an operation, carrying out the scenarios that have not been."""
        for requirement in self.catalogue.checked:
            if not requirement.calls and not requirement.life_cycle:
                continue
            for exchange in self.outcome(requirement).exchanges:
                beside = exchange.operation == self.document.general.id and requirement.operation == operation
                if exchange.operation == operation or beside:
                    yield exchange

    def _scenarios(self, operation: str) -> list[Requirement]:
        return [other for other in self.catalogue.checked if other.calls and other.operation == operation]

    def _concerns(self, requirement: Requirement, contract: Contract, violation: Violation) -> bool:
        """Tell whether a breach is this requirement's: its member, or no other requirement's."""
        if violation.aspect != "schema" or contract.aspect:
            return violation.aspect == contract.aspect
        if violation.of != contract.of:
            return False
        if contract.member:
            return violation.member == contract.member
        named = {
            other.contract.member
            for other in self.catalogue.checked
            if other.contract and other.operation == requirement.operation and other.contract.of == contract.of
        }
        return violation.member not in named - {""}

    def _asked(self, call: Call, bindings: Bindings) -> Exchange:
        """Send a call of a companion or the read beside it, once every read shows what was written."""
        self._settle()
        return self._sent(call, bindings)

    def _sent(self, call: Call, bindings: Bindings | None = None) -> Exchange:
        operation = operation_of(self.document, call.operation)
        request = build(self.document, operation, call.request, self.target.bindings if bindings is None else bindings)
        # What later calls are compared with, and what has to be as before, must not be an old state still shown.
        if request.method in READING and (call.name or _may_be_old(call)):
            self._settle()
        exchange = self.target.client.send(call.operation, request)
        self._note(exchange)
        return exchange

    def _note(self, exchange: Exchange) -> None:
        """Remember what may have changed the target's data."""
        if exchange.is_read:
            return
        self._shown_at = time.monotonic() + self.target.consistency.within
        if exchange.status < 400 and self._current is not None:
            self.ledger.changes.append(Change(self._current, exchange))

    def _settle(self) -> None:
        """Wait until every read shows all that was written."""
        if (left := self._shown_at - time.monotonic()) > 0:  # to sleep for no time at all gives the processor away
            time.sleep(left)

    def _wait_a_while(self) -> bool:
        """Wait for the next try of a read; tell whether there is to be one."""
        left = self._shown_at - time.monotonic()
        time.sleep(max(0.0, min(left, self.target.consistency.every)))
        return left > 0

    def _judgement(
        self,
        earlier: Mapping[str, Exchange],
        at_once: Mapping[str, tuple[Exchange, ...]] | None = None,
        so_far: Sequence[Exchange] = (),
        bindings: Bindings | None = None,
    ) -> Judgement:
        look = (self.document, bindings or self.target.bindings, self.catalogue.lists, self.catalogue.aliases)
        return Judgement(*look, earlier, at_once or {}, so_far, self.catalogue.identities)

    def _readings(self, exchanges: list[Exchange]) -> tuple[Option, ...]:
        return tuple(sorted({option for exchange in exchanges for option in readings_used(self.document, exchange)}))


def _may_be_old(call: Call) -> bool:
    """Tell whether a read from before a write could fulfil what is expected of one after it."""
    return any(_AS_BEFORE & expect.keys() for expect in (call.expect, *call.expect.get("any_of", ())))


def _lack(items: Sequence[str]) -> str:
    return f"the target's data lacks {', '.join(items)}" if items else ""


def _sentence(*parts: str) -> str:
    return "; ".join(filter(None, parts))


def _explained(call: Call, mismatch: Mismatch) -> Mismatch:
    """Say what was like a right value in a request, and was not that value."""
    likened = likenesses_in(call.request)
    return replace(mismatch, expected=f"{mismatch.expected} (sent {'; '.join(likened)})") if likened else mismatch


def _failed(requirement: Requirement, mismatches: Sequence[Mismatch], exchanges: Sequence[Exchange]) -> Outcome:
    return Outcome(requirement, FAIL, _first(mismatches), tuple(mismatches), tuple(exchanges))


def _first(mismatches: Sequence[Mismatch]) -> str:
    return f"expected {mismatches[0].expected}; got {mismatches[0].got}"
