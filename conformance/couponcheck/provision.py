"""The data that a requirement is carried out with: taken, looked at before it is used, and put back after it."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import islice

from couponspec.pack import Pack
from couponspec.request import names_in

from couponcheck.asking import Asking
from couponcheck.catalogue import Requirement
from couponcheck.channel import ProviderFailed
from couponcheck.companion import AFTER, Companions, Tracked
from couponcheck.depletion import depleted
from couponcheck.exchange import Exchange
from couponcheck.ledger import PROVIDER, needed_of
from couponcheck.masking import masked
from couponcheck.pool import Entities
from couponcheck.provider import CannotProvide
from couponcheck.targetfile import known
from couponcheck.transport import LimitReached, TargetUnreachable
from couponcheck.wording import one_line

TRIES = 20
"""Entities of the operator's pools that are looked at for one requirement."""
_LONGEST = 300
"""Characters of what is said of data."""
IF_SPENT = "if an earlier run used them up, name its JSON report with --spent"
_USED_UP = "the target's data has nothing left for it: all was used up by what needed it before"


class Provision:
    """Finds data for the requirements of one vendor's side of a target; it becomes the target's bindings."""

    def __init__(self, asking: Asking) -> None:
        """Take nothing yet.

        Args:
            asking: How the target is asked.
        """
        self._asking = asking
        self._target = asking.target
        self._ledger = asking.ledger

    @cached_property
    def _pack(self) -> Pack:
        return known(self._target.vendor)[2]

    @cached_property
    def _companions(self) -> Companions:
        asking = self._asking
        return Companions(asking.document, asking.catalogue, self._pack, self._target.ways, asking.send_settled)

    def take(self, requirement: Requirement) -> str:
        """Take data that is as a requirement needs it.

        Returns:
            Why there is none; empty if there is.

        Raises:
            ProviderFailed: the provider did not do what it was asked.
            TargetUnreachable: the target does not answer what would show whether its data is fit.
            LimitReached: no more requests may be sent.
        """
        self._asking.settle()
        refusal = self._refusal(requirement)
        if refusal is None:
            return ""
        first = ""
        for bindings in islice(self._target.choices(requirement), TRIES):
            self._target.bindings = bindings
            reason = "" if self._target.is_restored else self._unfit(requirement)
            if not reason:
                self._spend(requirement, requirement.spends)
                return ""
            first = first or reason
            self.leave(requirement)
        return sentence(refusal, first or lack(self._target.unpooled(requirement)) or _USED_UP)

    def made(self, requirement: Requirement) -> list[Exchange]:
        """Return the exchanges that made the data fit, which stand before those that an outcome rests on."""
        tracked = [one for one in self._companions.tracked if one.requirement is requirement]
        return [exchange for one in tracked for exchange in one.calls]

    def set_aside(self, requirement: Requirement, exchanges: Sequence[Exchange]) -> str:
        """Set data aside that has too little left, and say so; empty if it has enough.

        Args:
            requirement: What was carried out.
            exchanges: What was sent and came back.
        """
        rules, view = self._asking.catalogue.depletions, self._asking.judgement().view
        reason = ""
        for handle, said in depleted(rules, self._pack, requirement, self._target.bindings, exchanges, view):
            self._spend(requirement, [handle])
            reason = reason or f"the target's data is used up: {said}"
        return reason

    def leave(self, requirement: Requirement) -> None:
        """Put back what a requirement was carried out with; what is not put back now is tried once more at the end."""
        self._restore([tracked for tracked in self._companions.tracked if tracked.requirement is requirement])
        self._release()

    def leave_all(self) -> None:
        """Put back all that can be, also if the run was broken off, and have everything released."""
        self._restore(self._companions.tracked)
        self._release(everything=True)

    def _refusal(self, requirement: Requirement) -> str | None:
        """Take what a provider makes, and return None; or why that is nothing to go on with, empty without one."""
        try:
            provided = self._target.provided(requirement)
        except CannotProvide as refusal:
            return f"the provider cannot make it: {refusal}"
        if provided is None:
            return ""
        self._target.bindings = provided
        unmet = self._unmet(requirement)
        return f"what the provider made is not what was asked for: {unmet}" if unmet else None

    def _unfit(self, requirement: Requirement) -> str:
        """Bring the operator's data into the state that is needed, or say why it is not."""
        if reason := self._companions.bring(requirement, self._target.bindings, self._target.origins()):
            return reason
        unmet = self._unmet(requirement)
        return not_fit(requirement, f"the target file says: {unmet}") if unmet else ""

    def _unmet(self, requirement: Requirement) -> str:
        """Say what of the data is not as it has to be, by the handles; empty if all is."""
        judgement = self._asking.judgement()
        for call in requirement.given:
            for mismatch in judgement.mismatches(call.expect, self._asking.send(call)):
                named = ", ".join(judgement.entity(handle) for handle in sorted(names_in(call.expect)))
                told = f"{named}: {mismatch}" if named else str(mismatch)
                return one_line(masked(told, self._target.secrets), _LONGEST)
        return ""

    def _spend(self, requirement: Requirement, handles: Iterable[str]) -> None:
        """Have entities serve nobody else, those of all handles together."""
        bindings = self._target.bindings
        entities = {handle: needed_of(requirement, handle, bindings[handle]) for handle in handles}
        if entities:
            self._target.spend(entities)
            self._ledger.spend(requirement, entities)

    def _restore(self, waiting: Sequence[Tracked]) -> None:
        # Backwards: of an entity that was found twice, the state that it was first found in is the one that counts.
        for tracked in [*reversed(waiting)]:
            self._asking.requirement = tracked.requirement
            try:
                if not self._companions.restore(tracked):
                    continue
            except (TargetUnreachable, LimitReached):
                return
            companion = tracked.companion
            call = companion.call if tracked.found == AFTER else companion.back
            self._restored(tracked.requirement, {tracked.handle: tracked.members}, call.operation)

    def _release(self, *, everything: bool = False) -> None:
        if self._target.supply is not None:
            with suppress(ProviderFailed):  # what is not released is not said to be put back
                for grant in self._target.supply.release(everything=everything):
                    self._restored(grant.requirement, grant.entities, PROVIDER)

    def _restored(self, requirement: Requirement, entities: Entities, by: str) -> None:
        for unspent in self._ledger.restored(requirement, entities, by):
            self._target.take_back(unspent)


def lack(items: Sequence[str]) -> str:
    """Say what the target's data lacks; empty if that is nothing."""
    return f"the target's data lacks {', '.join(items)}" if items else ""


def sentence(*parts: str) -> str:
    """Join what there is to say."""
    return "; ".join(filter(None, parts))


def not_fit(requirement: Requirement, than: str) -> str:
    """Say that the target's data is not as it should be, and as what; who spends data may have done so before."""
    return sentence(f"the target's data is not as {than}", IF_SPENT if requirement.spends else "")
