"""A look before a run: are the credentials that an operator gives accepted at all?

Where they are not, hardly any requirement can pass, and no failure of them would say why.
"""

from collections.abc import Iterator, Sequence

from couponspec import Document
from couponspec.document import Operation
from couponspec.request import build

from couponcheck.catalogue import Call, Catalogue
from couponcheck.condition import verification_of
from couponcheck.contract import operation_of
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
    that an operator gave and might have mistaken, and can be left out.

    Args:
        targets: One for each vendor.
        preflight: Whether the credentials are looked at; otherwise it is only whether anybody is there.

    Raises:
        UnusableTarget: a credential is refused.
        TargetUnreachable: nobody answers.
        LimitReached: not even that many requests may be sent.
    """
    asked: set[str] = set()
    refused = []
    for target in targets:
        document, catalogue, pack = known(target.vendor)
        looks = preflight and MAIN in target.bindings
        verification = verification_of(pack.by_handle[MAIN], pack, catalogue) if looks else None
        if verification is not None:
            refused += [*_refusal(target, document, catalogue, verification.call)]
        elif target.client.base_url not in asked:
            target.client.greet()
        asked.add(target.client.base_url)
    if refused:
        raise UnusableTarget("\n".join(refused))


def _refusal(target: Target, document: Document, catalogue: Catalogue, call: Call) -> Iterator[str]:
    """Yield a sentence if a target refuses the main credential."""
    operation = operation_of(document, call.operation)
    exchange = target.client.send(call.operation, build(document, operation, call.request, target.bindings))
    judgement = Judgement(document, target.bindings, catalogue.lists, catalogue.aliases, {})
    if not [*judgement.mismatches(call.expect, exchange)] or not is_refusal(document, operation, exchange):
        return
    named = target.secrets.get(target.bindings[MAIN]["secret"], MAIN)
    answer = one_line(exchange.text, _LONGEST)
    yield masked(
        f"{target.client.base_url} refuses {MAIN} of {target.vendor} ({named}): {operation.id} was answered "
        f"{exchange.status} {answer}; either {named} is not accepted by this server, or the server refuses valid ones: "
        f"set {named} to one that it accepts, or judge the server as it is with {SKIP}",
        target.secrets,
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
    said = exchange.body
    member = (document.identifier or "").removeprefix("/")
    if member:
        return isinstance(said, dict) and any(one.value[member] == said.get(member) for one in refusals)
    return any({*texts(one.value)} <= {*texts(said)} for one in refusals)
