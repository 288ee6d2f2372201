"""Looks at a target before a run: does its file tell the truth, and what would enable more?

It reads. Where a vendor has nothing to read, a credential is tried on a write of values that cannot exist.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from couponspec import Bindings, Document, Entity, Pack
from couponspec.request import HttpRequest, Unbound, build, fill

from couponcheck.catalogue import UNKNOWN, Call, Catalogue, Companion, Verification
from couponcheck.channel import ProviderFailed
from couponcheck.companion import names, stand_ins, ways
from couponcheck.condition import credentials_of, verification_of
from couponcheck.contract import operation_of
from couponcheck.contradiction import Contradiction, in_answer, in_file, in_list
from couponcheck.enabling import Maker, enabling, lacking_beside
from couponcheck.environment import OpenedFile, fill_in, variables
from couponcheck.exchange import Exchange
from couponcheck.expect import Judgement, Mismatch
from couponcheck.masking import masked
from couponcheck.pool import Pools
from couponcheck.preflight import absence
from couponcheck.provider import Provider
from couponcheck.target import READ_ONLY, GivenTarget, open_given
from couponcheck.targetfile import CREDENTIAL, MAIN, DataSet, Members, TargetFile, is_data, known
from couponcheck.transport import Allowance
from couponcheck.wording import one_line

READY, NOT_READY, UNUSABLE = 0, 1, 2
_OK, _WRONG, _UNTOLD = "ok", "wrong", "untold"
_UNREADABLE = "cannot be verified by reading"
_LONGEST = 300
"""Characters of what a read told."""


def examine(file: TargetFile, vendors: Sequence[str], say: Callable[[str], None]) -> int:
    """Look at a target and return the exit code.

    Args:
        file: What its operator has written.
        vendors: Whose part to look at; empty for all that the file names.
        say: Takes each line as soon as it is known.

    Raises:
        UnusableTarget: the environment lacks a secret, or a vendor is not in the file.
        TargetUnreachable: the target does not answer.
    """
    vendors = file.chosen(vendors)
    opened = fill_in(file, vendors)
    say(f"{file.path} is well formed.")
    if names_given := variables(file, vendors):
        say(f"The environment has {', '.join(names_given)}.")
    allowance = Allowance(file.limits)
    code, untold = READY, 0
    absent: list[str] = []
    for vendor in vendors:
        with closing(open_given(opened, vendor, 0, READ_ONLY, allowance)) as target:
            target.client.greet()
            nobody = absence(target)
            say(f"\n{vendor}: {nobody or f'{target.client.base_url} answers.'}")
            if nobody:
                code, absent = UNUSABLE, [*absent, vendor]
                continue
            document, catalogue, pack = known(vendor)
            may = ways(catalogue, pack) if file.vendors[vendor].companions else {}
            examination = _Examination(target, document, catalogue, pack, may)
            found = [*examination.credentials(), *examination.data(file.vendors[vendor].sets)]
            makers = []
            if vendor in opened.providers:
                handles, told = _provider(opened, vendor, catalogue)
                found.append(told)
                makers.append(Maker("the provider", partial(lacking_beside, target, handles)))
            if may:
                pools = Pools(file.vendors[vendor].sets, target.pools.always, stand_ins(catalogue, pack))
                makers.append(Maker(names([*may.values()]), pools.lacking))
            for finding in _together(found):
                say(f"  {finding.shown(target.secrets)}")
            wrong_data = {finding.handle for finding in found if finding.verdict == _WRONG}
            said, complete = enabling(target, catalogue, makers, wrong_data)
            for line in said:
                say(line)
        wrong = [finding for finding in found if finding.verdict == _WRONG]
        untold += sum(finding.verdict == _UNTOLD for finding in found)
        if MAIN not in target.bindings or any(finding.what == MAIN for finding in wrong):
            code = UNUSABLE
        elif wrong or not complete or any(finding.what == MAIN for finding in found if finding.verdict == _UNTOLD):
            code = max(code, NOT_READY)
    says = {
        READY: "ready" + (f"; {untold} cannot be verified by reading" if untold else ""),
        NOT_READY: "not ready: something is missing, is not as the file says, or cannot be told",
        UNUSABLE: f"unusable: base_url may be wrong for {', '.join(absent)}" if absent else f"unusable without {MAIN}",
    }
    say(f"\n{file.path}: {says[code]}")
    return code


# -- is it as the file says? ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Finding:
    """What a read told of one credential or entity."""

    verdict: str
    what: str
    says: str
    handle: str = ""

    def shown(self, secrets: Mapping[str, str]) -> str:
        """Write it on a line without secrets; a handle is none, though it may be a secret's word in other letters."""
        return f"{self.verdict:6} {self.what} {masked(self.says, secrets)}"


def _together(findings: Sequence[_Finding]) -> Iterator[_Finding]:
    """Tell what cannot be verified for one reason in one place, where the first of it stands."""
    alike = Counter(finding.says for finding in findings if finding.verdict == _UNTOLD)
    for finding in findings:
        number = alike.pop(finding.says, 0) if finding.verdict == _UNTOLD else 1
        if number == 1:
            yield finding
        elif number:
            labels = [one.what for one in findings if one.verdict == _UNTOLD and one.says == finding.says]
            yield replace(finding, what=f"{number} entities", says=f"{finding.says} ({', '.join(labels)})")


@dataclass
class _Examination:
    """Reads of one vendor's side of a target."""

    target: GivenTarget
    document: Document
    catalogue: Catalogue
    pack: Pack
    ways: Mapping[str, Companion]
    """Handle -> the companion that may be called to make an entity stand for it."""
    _answers: dict[HttpRequest, Exchange] = field(default_factory=dict)
    """One list tells of many coupons."""
    _refused: set[str] = field(default_factory=set)
    """Names of credentials that have to be accepted and are not: what they read tells nothing."""

    def credentials(self) -> Iterator[_Finding]:
        for handle in self.target.bindings:
            if not is_data(handle):
                yield replace(self._finding(handle, handle, {}, {}, handle.partition(".")[2]), handle=handle)

    def data(self, sets: Sequence[DataSet]) -> Iterator[_Finding]:
        unseen: Counter[str] = Counter()
        for number, one in enumerate(sets, 1):
            for handle, pool in one.items():
                for index, members in enumerate(pool, 1):
                    label = handle + (f" ({index} of {len(pool)})" if len(pool) > 1 else "")
                    label += f" of set {number}" if len(sets) > 1 else ""
                    if (credential := self._credential(handle)) in self._refused:
                        unseen[credential] += 1
                    else:
                        yield replace(self._finding(label, handle, members, one, credential), handle=handle)
        for credential, number in unseen.items():
            why = f"{CREDENTIAL}.{credential}, which sees them, is refused"
            yield _Finding(_UNTOLD, f"{number} {'entity' if number == 1 else 'entities'}", f"{_UNREADABLE}: {why}")

    def _finding(self, label: str, handle: str, members: Members, one: DataSet, credential: str) -> _Finding:
        entity = self.pack.by_handle.get(handle)
        verification = verification_of(entity, self.pack, self.catalogue) if entity else None
        for contradiction in in_file(entity, members, one, self.catalogue) if entity else ():
            return self._contradicted(label, contradiction)
        if entity is None or verification is None:
            return _Finding(_UNTOLD, label, _UNREADABLE)
        if not credential:
            return _Finding(_UNTOLD, label, f"{_UNREADABLE}: no credential given here sees it")
        return self._looked_at(label, entity, verification, members, one, credential)

    def _looked_at(
        self, label: str, entity: Entity, verification: Verification, members: Members, one: DataSet, credential: str
    ) -> _Finding:
        bindings = {**self.target.bindings, f"{entity.kind}.self": members, **self._referred(entity, one)}
        call = verification.call
        try:
            exchange = self._asked(call, credential, bindings)
            fill(call.expect, bindings)
        except Unbound as unbound:
            return _Finding(_UNTOLD, label, f"{_UNREADABLE} without {self._given_name(str(unbound), entity)}")
        for mismatch in self._mismatches(call.expect, bindings, exchange):
            if (companion := self._companion(entity.handle, bindings)) is not None:
                says = f"is not {companion.means}; whether {companion.call.operation} makes it so, only a run tries"
                return _Finding(_UNTOLD, label, says)
            text = self._given_name(str(mismatch), entity)
            if self._has_to_be_accepted(entity):
                self._refused.add(credential)
                text = f"{call.operation} was answered {exchange.status} {exchange.text}"
            told = one_line(masked(text, self.target.secrets), _LONGEST)
            return _Finding(_WRONG, label, f"should be {verification.means}: {told}")
        for contradiction in self._contradictions(entity, members, one, verification, bindings, exchange):
            return self._contradicted(label, contradiction)
        untold = self._says_nothing(entity, call, credential, bindings)
        says = f"{_UNREADABLE}: it is {verification.means}, and so is one that is made up"
        return _Finding(_UNTOLD, label, says) if untold else _Finding(_OK, label, f"is {verification.means}")

    def _contradictions(
        self,
        entity: Entity,
        members: Members,
        one: DataSet,
        verification: Verification,
        bindings: Bindings,
        exchange: Exchange,
    ) -> Iterator[Contradiction]:
        """Yield what a read shows that is not as it has to be, although the read itself is as expected."""
        body = self._judgement(bindings).view(exchange)
        names = operation_of(self.document, exchange.operation).members_at(exchange.status)
        yield from in_answer(entity, members, self.pack, self.catalogue, body, names)
        if verification.lists:
            yield from in_list(entity, one, verification.lists, self.pack, self.catalogue, body)

    def _contradicted(self, label: str, contradiction: Contradiction) -> _Finding:
        return _Finding(_WRONG, label, one_line(str(contradiction), _LONGEST))

    def _says_nothing(self, entity: Entity, call: Call, credential: str, bindings: Bindings) -> bool:
        """Tell whether what is made up passes for the entity, so that to pass proves nothing."""
        if entity.kind == CREDENTIAL:
            if not self._has_to_be_accepted(entity):
                return False
            handle = f"{CREDENTIAL}.{credential}"
            made_up = {**bindings, handle: {**bindings[handle], "secret": self._unlike(bindings[handle]["secret"])}}
        else:
            own = f"{entity.kind}.self"
            made_up = {**bindings, own: {name: self._unlike(value) for name, value in bindings[own].items()}}
        return not [*self._mismatches(call.expect, made_up, self._asked(call, credential, made_up))]

    def _has_to_be_accepted(self, entity: Entity) -> bool:
        """Tell whether an entity is a credential that is looked at as the main one is."""
        looks = [verification_of(one, self.pack, self.catalogue) for one in (entity, self.pack.by_handle[MAIN])]
        return entity.kind == CREDENTIAL and looks[0] is looks[1]

    def _unlike(self, value: Any) -> Any:
        """Return a value of the same kind that nothing has."""
        unknown = self.target.bindings[UNKNOWN]
        if isinstance(value, str) and not value.isdecimal():
            return ":".join(unknown["text"] for _ in value.split(":"))
        return str(unknown["number"]) if isinstance(value, str) else unknown["number"]

    def _asked(self, call: Call, credential: str, bindings: Bindings) -> Exchange:
        """Send a request, or recall what it got."""
        operation = operation_of(self.document, call.operation)
        request = build(self.document, operation, {**call.request, CREDENTIAL: credential}, bindings)
        if request not in self._answers:
            self._answers[request] = self.target.client.send(call.operation, request)
        return self._answers[request]

    def _mismatches(self, expect: Mapping[str, Any], bindings: Bindings, exchange: Exchange) -> Iterator[Mismatch]:
        return self._judgement(bindings).mismatches(expect, exchange)

    def _judgement(self, bindings: Bindings) -> Judgement:
        known_by = self.catalogue.identities
        return Judgement(self.document, bindings, self.catalogue.lists, self.catalogue.aliases, {}, identities=known_by)

    def _companion(self, handle: str, bindings: Bindings) -> Companion | None:
        """Return the companion that can make of an entity, as it is now, what it has to be."""
        companion = self.ways.get(handle)
        if companion is None:
            return None
        exchange = self._asked(companion.read, MAIN.partition(".")[2], bindings)
        return None if [*self._mismatches(companion.before, bindings, exchange)] else companion

    def _given_name(self, text: str, entity: Entity) -> str:
        """Write an entity, and what it refers to, by the names that the target file has for them."""
        for name, kind in self.pack.kinds[entity.kind].references.items():
            text = text.replace(f"{kind}.{name}.", f"{kind}.{entity.data.get(name)}.")
        return text.replace(f"{entity.kind}.self", entity.handle)

    def _referred(self, entity: Entity, one: DataSet) -> Bindings:
        """Return what an entity refers to, under the names of its members."""
        return {
            f"{kind}.{name}": one[f"{kind}.{entity.data[name]}"][0]
            for name, kind in self.pack.kinds[entity.kind].references.items()
            if f"{kind}.{entity.data.get(name)}" in one
        }

    def _credential(self, handle: str) -> str:
        """Return the name of the first credential given that sees an entity; empty if none does, as the pack tells."""
        entity = self.pack.by_handle.get(handle)
        names = credentials_of(self.pack, entity) if entity else []
        return next((name for name in names if f"{CREDENTIAL}.{name}" in self.target.bindings), "")


def _provider(opened: OpenedFile, vendor: str, catalogue: Catalogue) -> tuple[list[str], _Finding]:
    """Ask a provider what it makes, which changes nothing."""
    data = {handle for requirement in catalogue.checked for handle in requirement.handles if is_data(handle)}
    with closing(Provider(opened.providers[vendor], opened.secrets)) as provider:
        try:
            handles = provider.describe(vendor)
        except ProviderFailed as error:
            return [], _Finding(_WRONG, "provider", f"should describe itself: {error}")
    said = f"says that it makes {', '.join(handles) or 'nothing'}"
    if strange := [handle for handle in handles if not any(fnmatchcase(name, handle) for name in data)]:
        return handles, _Finding(_WRONG, "provider", f"{said}; no requirement names {', '.join(strange)}")
    return handles, _Finding(_OK, "provider", said)
