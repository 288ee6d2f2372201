"""Judges one target: carries out a vendor's requirements and says of each what came out."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from couponspec.document import Document
from couponspec.request import LIKENESSES, Unbound, likenesses_in
from couponspec.schema import Option

from couponcheck.asking import Asking
from couponcheck.catalogue import Call, Catalogue, Contract, Requirement
from couponcheck.channel import ProviderFailed
from couponcheck.contract import Violation, allowances, has_place, operation_of, readings_used, tolerated, violations
from couponcheck.disclosure import disclosures
from couponcheck.exchange import Exchange
from couponcheck.expect import Judgement, Mismatch
from couponcheck.gateway import is_beyond_the_pages
from couponcheck.ledger import Ledger
from couponcheck.outcome import ERROR, FAIL, NOT_SELECTED, NOT_TESTABLE, PASS, WARN, Outcome, failed
from couponcheck.provision import TRIES, Provision, lack, not_fit, sentence
from couponcheck.target import Target
from couponcheck.transport import LimitReached, TargetUnreachable, UnusableTarget
from couponcheck.wording import one_line

_PATIENCE = 3
"""Unanswered requirements after which a target is not asked any more."""
_LONGEST = 300
"""Characters of an answer that is no reason for a failure."""
AGAIN = 5
"""How often a read is asked again that was not answered as expected: some faults come and go."""


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

    @cached_property
    def _asking(self) -> Asking:
        return Asking(self.document, self.catalogue, self.target, self.ledger)

    @cached_property
    def _provision(self) -> Provision:
        return Provision(self._asking)

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
            self._provision.leave(requirement)
        return self._outcomes[requirement.id]

    def asks(self, requirement: Requirement) -> bool:
        """Tell whether requests are sent for a requirement, as far as can be told before."""
        return not requirement.contract and self._hindrance(requirement) is None

    def leave(self) -> None:
        """Put back all that can be, also if the run was broken off, and have everything released."""
        self._provision.leave_all()

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
            self._asking.requirement = requirement
            outcome = self._tried(requirement)
        except (Unbound, LimitReached) as error:
            reason = lack([error.name]) if isinstance(error, Unbound) else str(error)
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
        spent = ""
        for _ in range(TRIES):
            if reason := self._provision.take(requirement):
                return Outcome(requirement, NOT_TESTABLE, spent or reason)
            outcome = carry_out(requirement)
            if outcome.verdict != FAIL or self.target.is_restored:
                return outcome
            spent = self._provision.set_aside(requirement, outcome.exchanges)
            if not spent:
                return outcome
        return Outcome(requirement, NOT_TESTABLE, spent)

    def _hindrance(self, requirement: Requirement) -> Outcome | None:
        """Tell why a requirement is not carried out at all; None if nothing is in the way."""
        if requirement.id in self.target.unsupported:
            reason = f"declared unsupported: {self.target.unsupported[requirement.id]}"
            # To leave out what a page demands is allowed, and no way to be called conformant.
            return Outcome(requirement, NOT_TESTABLE if requirement.level == "must" else NOT_SELECTED, reason)
        if switched_off := self._switched_off(requirement):
            return Outcome(requirement, NOT_SELECTED, switched_off)
        if lacking := self.target.lacking(requirement):
            return Outcome(requirement, NOT_TESTABLE, sentence(lack(lacking), self.target.withheld))
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

    def _weighed(self, outcome: Outcome) -> Outcome:
        """Let a breach of a requirement that is no `must` be a warning."""
        if outcome.verdict == FAIL and outcome.requirement.level != "must":
            return replace(outcome, verdict=WARN)
        return outcome

    def _calls(self, requirement: Requirement) -> Outcome:
        exchanges = self._provision.made(requirement)
        earlier: dict[str, Exchange] = {}
        at_once: dict[str, tuple[Exchange, ...]] = {}
        judgement = self._asking.judgement(earlier, at_once, exchanges)  # it sees what is added to them
        unfit = ""
        for call in requirement.calls:
            if any(
                name not in earlier or [*judgement.mismatches(wanted, earlier[name])]
                for name, wanted in call.when.items()
            ):
                continue
            if call.together:
                answers, mismatches = self._together(call, judgement)
                exchanges += answers
                if mismatches:
                    return failed(requirement, mismatches, exchanges)
                earlier[call.name], at_once[call.name] = answers[-1], tuple(answers)
                continue
            for _ in range(call.times):
                exchange, mismatches = self._asked(call, judgement)
                exchanges.append(exchange)
                if mismatches:
                    again = self._again(call, judgement) if exchange.is_read else ""
                    told = [replace(_explained(call, mismatch), again=again) for mismatch in mismatches]
                    return failed(requirement, told, exchanges)
                if call.untestable and not [*judgement.mismatches(call.untestable, exchange)]:
                    said = one_line(exchange.text, _LONGEST)
                    unfit = unfit or f"{call.operation} was answered {exchange.status} {said}"
            if call.name:
                earlier[call.name] = exchange
        if unfit:
            reason = not_fit(requirement, f"the requirement needs it: {unfit}")
            return Outcome(requirement, NOT_TESTABLE, reason, exchanges=tuple(exchanges))
        return Outcome(requirement, PASS, exchanges=tuple(exchanges), readings=self._readings(exchanges))

    def _asked(self, call: Call, judgement: Judgement) -> tuple[Exchange, list[Mismatch]]:
        """Make a call, a read once more as long as it may show an old state, and return all that is not as expected."""
        while True:
            exchange = self._asking.send(call)
            mismatches = [*judgement.mismatches(call.expect, exchange)]
            if not (mismatches and exchange.is_read and self._asking.wait_a_while()):
                return exchange, mismatches

    def _again(self, call: Call, judgement: Judgement) -> str:
        """Ask again what was not as expected, and say so if that comes and goes; empty if it does not."""
        asked = right = 0
        with suppress(LimitReached, TargetUnreachable):
            for _ in range(AGAIN):
                exchange = self._asking.send(call)
                asked += 1
                right += next(judgement.mismatches(call.expect, exchange), None) is None
        return f"not always ({right} of {asked} more times as expected)" if right else ""

    def _together(self, group: Call, judgement: Judgement) -> tuple[list[Exchange], list[Mismatch]]:
        """Make calls at once, and return the answers and all that is not as expected of them."""
        calls = [call for call in group.together for _ in range(call.times)]
        answers = self._asking.send_at_once(calls)
        return answers, [
            replace(mismatch, call=number)
            for number, (call, exchange) in enumerate(zip(calls, answers, strict=True), len(judgement.so_far) + 1)
            for mismatch in judgement.mismatches(call.expect, exchange)
        ]

    def _generated(self, requirement: Requirement) -> Outcome:
        from couponcheck.generate import exchanges as generated

        rules = requirement.generated
        assert rules is not None  # noqa: S101 - for the type checker; _carried_out looked
        operation = self.document.operations[requirement.operation]
        before = [self._asking.send(call) for call in rules.unchanged]

        def is_wrong(exchange: Exchange) -> bool:
            self._asking.note(exchange)
            return self._broken(exchange, rules.requests) is not None

        examples = rules.examples if self.target.generate is None else self.target.generate
        made_up = generated(self.document, operation, self.target, rules.requests, examples, self.seed, is_wrong)
        exchanges = [*self._provision.made(requirement), *before, *made_up]
        for exchange in made_up[-1:]:
            if mismatch := self._broken(exchange, rules.requests):
                return failed(requirement, [mismatch], exchanges)
        self._asking.settle()
        for call, first in zip(rules.unchanged, before, strict=True):
            exchange = self._asking.send(call)
            exchanges.append(exchange)
            judgement = self._asking.judgement({"before": first}, so_far=exchanges)
            mismatches = [*judgement.mismatches({"same_as": "before"}, exchange)]
            if mismatches:
                return failed(requirement, mismatches, exchanges)
        for number, exchange in enumerate(exchanges, 1):
            for found in self._disclosures(exchange):
                # No page speaks of it, so it is never worse than a warning, and what the pages do say comes first.
                mismatch = Mismatch(found.expected, found.got, call=number)
                return replace(failed(requirement, [mismatch], exchanges[:number]), verdict=WARN)
        return Outcome(requirement, PASS, exchanges=tuple(exchanges), readings=self._readings(exchanges))

    def _life_cycle(self, requirement: Requirement) -> Outcome:
        """Walk through a life cycle; every answer is also held against the document, by the contract."""
        from couponcheck.machine import walk

        assert requirement.life_cycle is not None  # noqa: S101 - for the type checker; _carried_out looked
        walked = walk(self.document, requirement.life_cycle, self.target, self._asking, self.seed)
        if walked.mismatch:
            outcome = failed(requirement, [walked.mismatch], [*self._provision.made(requirement), *walked.exchanges])
            return replace(outcome, reason=f"{outcome.reason}; the sequence: {' > '.join(walked.trail)}")
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
            breaches = [v for v in self._violations(exchange) if self._concerns(requirement, contract, v)]
            if breaches:
                mismatches = [Mismatch(breach.expected, breach.got) for breach in breaches]
                return self._weighed(failed(requirement, mismatches, [exchange]))
            if contract.member and not has_place(self._shown(exchange), contract.member):
                continue
            judged.append(exchange)
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

    def _shown(self, exchange: Exchange) -> Any:
        """Return what an answer shows, bared of what a list is wrapped in."""
        return exchange.body if exchange.status >= 400 else self._asking.judgement().view(exchange)

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
        documented = operation_of(self.document, exchange.operation).members_at(exchange.status)
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

    def _readings(self, exchanges: list[Exchange]) -> tuple[Option, ...]:
        return tuple(sorted({option for exchange in exchanges for option in readings_used(self.document, exchange)}))


def _explained(call: Call, mismatch: Mismatch) -> Mismatch:
    """Say what a call is about: its case, and what in it is like a right value and is not that value."""
    likened = ", ".join(
        " ".join([name, *(LIKENESSES[likeness].says for likeness in likenesses)])
        for name, likenesses in likenesses_in(call.request)
    )
    case = f" for {call.case}" if call.case else ""
    return replace(mismatch, expected=f"{mismatch.expected}{case}{f' (sent {likened})' if likened else ''}")
