"""A look before a run: does anybody act as the vendor there, and are the credentials accepted that an operator gives?

Where not, hardly any requirement can pass, and no failure of them would say why.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from http.client import INTERNAL_SERVER_ERROR, MULTIPLE_CHOICES
from typing import Any

from couponspec import Document
from couponspec.document import Example, Operation
from couponspec.request import build

from couponcheck.catalogue import UNKNOWN, Call
from couponcheck.condition import verification_of
from couponcheck.contract import operation_of, violations
from couponcheck.exchange import Exchange
from couponcheck.expect import Judgement
from couponcheck.masking import masked
from couponcheck.target import Target
from couponcheck.targetfile import MAIN, known
from couponcheck.transport import UnusableTarget
from couponcheck.wording import one_line, texts

SKIP = "--no-preflight"
_LONGEST = 300
"""Characters of an answer that are shown."""


def look(targets: Sequence[Target], *, preflight: bool) -> None:
    """Send each target one request with its main credential, or find out at least whether anybody is there.

    A server that refuses valid credentials is faulty, and must be judged all the same: so this is only for credentials
    that an operator gave and might have mistaken, and can be left out. So it is with a server that has nothing where
    the vendor's paths should begin.

    Args:
        targets: One for each vendor.
        preflight: Whether the credentials are looked at; otherwise it is only whether anybody is there.

    Raises:
        UnusableTarget: a credential is refused, or what answers does not act as the vendor.
        TargetUnreachable: nobody answers.
        LimitReached: not even that many requests may be sent.
    """
    asked: set[str] = set()
    found = []
    for target in targets:
        probe = _probe(target) if preflight else None
        if probe is not None:
            found += [*filter(None, [_refusal(probe) or _absence(probe)])]
        elif target.client.base_url not in asked:
            target.client.greet()
        asked.add(target.client.base_url)
    if found:
        raise UnusableTarget("\n".join(found))


def absence(target: Target) -> str:
    """Say that a target does not act as its vendor at all; empty if it may, or if there is no credential to tell by.

    Raises:
        TargetUnreachable: nobody answers.
        LimitReached: no more requests may be sent.
    """
    probe = _probe(target)
    return _absence(probe) if probe is not None else ""


@dataclass(frozen=True, slots=True)
class _Probe:
    """The main credential's first request, and what came."""

    target: Target
    document: Document
    operation: Operation
    call: Call
    exchange: Exchange
    is_accepted: bool
    """Whether the answer is one to a credential that is accepted."""

    @property
    def secret(self) -> str:
        secret: str = self.target.bindings[MAIN]["secret"]
        return secret

    @property
    def named(self) -> str:
        """What stands for the credential in what is printed."""
        return self.target.secrets.get(self.secret, MAIN)


def _probe(target: Target) -> _Probe | None:
    """Ask with the main credential; None if there is none, or no way to look at it."""
    document, catalogue, pack = known(target.vendor)
    verification = verification_of(pack.by_handle[MAIN], pack, catalogue) if MAIN in target.bindings else None
    if verification is None:
        return None
    call = verification.call
    operation = operation_of(document, call.operation)
    exchange = target.client.send(call.operation, build(document, operation, call.request, target.bindings))
    judgement = Judgement(document, target.bindings, catalogue.lists, catalogue.aliases, {})
    is_accepted = not [*judgement.mismatches(call.expect, exchange)]
    return _Probe(target, document, operation, call, exchange, is_accepted)


def _refusal(probe: _Probe) -> str:
    """Say that a target refuses the main credential; empty if it does not."""
    target, operation, exchange = probe.target, probe.operation, probe.exchange
    if probe.is_accepted or not is_refusal(probe.document, operation, exchange):
        return ""
    named = probe.named
    answer = one_line(exchange.text, _LONGEST)
    return masked(
        f"{target.client.base_url} refuses {MAIN} of {target.vendor} ({named}): {operation.id} was answered "
        f"{exchange.status} {answer}; either {named} is not accepted by this server, or the server refuses valid ones: "
        f"set {named} to one that it accepts, or judge the server as it is with {SKIP}",
        target.secrets,
    )


def _absence(probe: _Probe) -> str:
    """Say that nobody acts as the vendor where a target is said to be; empty if somebody may.

    A wrong form of an answer is no proof of that, a faulty server has it too; nor is a right one, for some servers say
    of an unknown path what others say of an unknown customer. But who acts as the vendor tells credentials apart.
    """
    target, document, operation, exchange = probe.target, probe.document, probe.operation, probe.exchange
    if not _may_be_of_no_path(document, operation, exchange):
        return ""
    unknown = target.bindings[UNKNOWN]["text"]
    made_up = {**target.bindings[MAIN], "secret": ":".join(unknown for _ in probe.secret.split(":"))}
    bindings = {**target.bindings, MAIN: made_up}
    other = target.client.send(operation.id, build(document, operation, probe.call.request, bindings))
    if other.status != exchange.status or is_refusal(document, operation, other):
        return ""
    base_url, path = target.client.base_url, exchange.request.target.partition("?")[0]
    said = " ".join(filter(None, (exchange.headers.get("location"), one_line(exchange.text, _LONGEST))))
    where = f" ({target.place})" if target.place else ""
    return masked(
        f"nothing at {base_url} acts as {target.vendor}: {exchange.request.method} {base_url}{path} was answered "
        f"{exchange.status} {said or '(no body)'}, and a credential that is made up was answered {other.status} as "
        f"well; base_url{where} may be wrong: it is what comes before {operation.path} and has no part of that. "
        f"Correct it, or judge the server as it is with {SKIP}",
        target.secrets,
    )


def _may_be_of_no_path(document: Document, operation: Operation, exchange: Exchange) -> bool:
    """Tell whether an answer can be one to a path that a server does not have."""
    if not MULTIPLE_CHOICES <= exchange.status < INTERNAL_SERVER_ERROR:
        return False
    if violations(document, exchange):
        return True
    general = document.general
    name = general.problem("unrouted")
    unrouted = [general.examples[name], *general.stand_ins.get(name, ())] if name else []
    # By its texts, for an identifier may be no more than the status again.
    said = {*texts(exchange.body)}
    own = [{*texts(example.value)} for example in operation.examples.values() if example.status == exchange.status]
    elsewhere = [{*texts(example.value)} for example in unrouted]
    return any(example.status == exchange.status for example in unrouted) and not any(
        one <= said and one not in elsewhere for one in own
    )


def is_refusal(document: Document, operation: Operation, exchange: Exchange) -> bool:
    """Tell whether an answer is one by which a document has a credential refused.

    Where a document gives the status to other problems as well, the answer has to say what such an example says: have
    its identifier or, where a vendor has none, its texts.
    """
    refusals = [operation.examples[name] for name in operation.refusals_of_credentials]
    if not any(one.status == exchange.status for one in refusals):
        return False
    if all(one in refusals for one in operation.examples.values() if one.status == exchange.status):
        return True
    # As any of the vendor's pages has it, for hardly one speaks of it.
    told = [one.examples[name] for one in document.operations.values() for name in one.refusals_of_credentials]
    return any(_says(document, one, exchange.body) for one in told)


def _says(document: Document, example: Example, said: Any) -> bool:
    """Tell whether a body says what an example says: its identifier or, where a vendor has none, its texts."""
    member = (document.identifier or "").removeprefix("/")
    if member:
        return isinstance(said, dict) and bool(example.value[member] == said.get(member))
    return {*texts(example.value)} <= {*texts(said)}
