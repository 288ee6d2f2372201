"""Takes the steps of a life cycle: asks, keeps the model, and compares. `couponcheck.machine` throws the dice."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product
from typing import Any, TypeVar

import jmespath
from couponspec.document import Document
from couponspec.request import Bindings, fill

from couponcheck.asking import Asking
from couponcheck.catalogue import Call
from couponcheck.exchange import Exchange
from couponcheck.expect import Mismatch, difference, includes, minus, number, same
from couponcheck.lifecycle import SELF, LifeCycle, Number, Read, Rule
from couponcheck.target import Target
from couponcheck.targetfile import known
from couponcheck.transport import TargetUnreachable, UnusableTarget
from couponcheck.wording import as_text

Picked = Mapping[str, str]
"""Kind -> handle of the entity that a request is about."""
DICE = 4
"""How many are thrown for a step."""
_Meaning = tuple[str, int]
"""A count and the factor by which a number moves with it."""
_T = TypeVar("_T")
_WEIGHT = 2
"""How often a rule that changes the model is chosen for each time that another is."""


@dataclass
class Walk:
    """What came of all sequences."""

    exchanges: list[Exchange] = field(default_factory=list)
    """Every exchange; if something is wrong, those of the sequence in which it is."""
    mismatch: Mismatch | None = None
    trail: tuple[str, ...] = ()
    """The steps of the sequence in which something is wrong, in short."""


class Walker:
    """Walks through a life cycle, one sequence after the other, until something is wrong."""

    def __init__(self, document: Document, cycle: LifeCycle, target: Target, asking: Asking) -> None:
        """Know nothing yet.

        Args:
            document: The vendor's document.
            cycle: What holds.
            target: Whom to ask; its companions take part as far as it allows them.
            asking: How.
        """
        self.cycle = cycle
        self.walk = Walk()
        self.raised: TargetUnreachable | UnusableTarget | LookupError | None = None
        self._document = document
        self._target = target
        self._asking = asking
        self._begun = 0
        self._barred: set[str] = set()
        """Companions that did not do what they are for, and take no more part."""
        self._meanings: dict[str, list[_Meaning]] = {}
        """Number -> the meanings that all answers so far allow; it means the same at all times."""
        self._forget()

    def _forget(self) -> None:
        """Know no more than what the catalogue says."""
        self._model = {handle: dict(members) for handle, members in self.cycle.entities.items()}
        self._aside: set[str] = set()
        """Entities of which nobody can tell any more in which state they are."""
        self._counts: Counter[tuple[str, tuple[str, ...]]] = Counter()
        """Count and the entities that have it together -> how far it has grown."""
        self._bases: dict[tuple[str, _Meaning, tuple[str, ...]], Decimal] = {}
        """Number, meaning and entities -> what it would have been in the beginning."""
        self._items: dict[tuple[int, str], Any] = {}
        """List and entity -> the item that showed it."""
        self._others: dict[tuple[int, str], list[Any]] = {}
        """List and whose it is -> the items that are no entity of the model."""
        self._last: tuple[Rule, Picked] | None = None
        """The step before."""
        self._exchanges: list[Exchange] = []
        self._trail: list[str] = []

    @property
    def is_over(self) -> bool:
        """Tell whether nothing more is to be asked."""
        return self.walk.mismatch is not None or self.raised is not None

    # -- what hypothesis drives ----------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Begin a sequence: every list is as the model says before anything is changed."""
        if self.is_over:
            return
        self._forget()
        with _Kept(self):
            if self._begun:
                self._target.prepare()
            self._begun += 1
            for index, subject in self._lists():
                self._look(index, subject)

    def step(self, dice: Iterator[int]) -> None:
        """Follow a rule, and look at every list that it concerns, or at one that it does not.

        What changes the model is drawn most often, and every other step stays with an entity of the one before. The
        simplest sequence, with which hypothesis begins, always takes the first rule and the first entities that it can:
        it changes one entity back and forth, or lets two take turns.
        """
        possible = [] if self.is_over else [(one, picked) for one in self.cycle.rules for picked in self.picks(one)]
        if not possible:
            return
        # Once more what changed nothing just now would tell little.
        possible = [choice for choice in possible if choice != self._last or choice[0].is_change] or possible
        if _one_of([True, False], dice) and self._last:
            possible = [choice for choice in possible if {*choice[1].values()} & {*self._last[1].values()}] or possible
        rules = {one.text: one for one, _ in possible}
        one = rules[_one_of([text for text in rules for _ in range(_WEIGHT if rules[text].is_change else 1)], dice)]
        picks = [picked for other, picked in possible if other is one]
        # The same again comes last: the simplest sequence takes turns.
        picked = _one_of(sorted(picks, key=lambda one: self._last is not None and one == self._last[1]), dice)
        self._last = one, picked
        with _Kept(self):
            self._follow(one, picked)
            lists = [*self._lists()]
            concerned = [(index, subject) for index, subject in lists if self._concerns(index, subject, picked)]
            for index, subject in concerned or ([_one_of(lists, dice)] if lists else []):
                self._look(index, subject)

    def end(self) -> None:
        """End a sequence: every list is as the model says."""
        if self.is_over:
            return
        with _Kept(self):
            self._asking.settle()
            for index, subject in self._lists():
                self._look(index, subject)
        if not self.is_over:
            self.walk.exchanges += self._exchanges

    def picks(self, one: Rule) -> list[Picked]:
        """Return the entities that a rule can be followed with now."""
        operation = self._document.operations[one.operation]
        if operation.companion and (not self._target.companions or one.operation in self._barred):
            return []
        return [
            picked
            for picked in self._combined(one.kinds)
            if not self._aside & {*picked.values()} and self._holds(one.where, picked)
        ]

    # -- rules ---------------------------------------------------------------------------------------------------------

    def _follow(self, one: Rule, picked: Picked) -> None:
        bindings = self._bound(picked)
        exchange = self._sent(one, picked, bindings)
        for mismatch in self._asking.judgement(bindings=bindings).mismatches(one.expect, exchange):
            if self._document.operations[one.operation].companion:
                # No verdict is about it: whatever it has done or not, the rest goes on without.
                self._barred.add(one.operation)
                self._aside |= {*picked.values()}
            else:
                self._wrong(Mismatch(f"{one.text}: {mismatch.expected}", mismatch.got))
            return
        for name, by in one.counts.items():
            self._counts[name, self._key(name, picked)] += by
        for kind, members in one.becomes.items():
            self._model[picked[kind]] |= members
        for name, followed in one.follows.items():
            self._compare_number(one, name, followed, picked, exchange)

    def _compare_number(self, one: Rule, called: str, followed: Number, picked: Picked, exchange: Exchange) -> None:
        """Compare a number with what it was when it was shown last, in every meaning that is left."""
        judgement = self._asking.judgement(bindings=self._bound(picked), so_far=self._exchanges)
        got = number(jmespath.search(fill(followed.path, judgement.bindings), judgement.view(exchange)))
        if got is None:
            return  # whether it has to be there is another requirement's
        left, expected = [], []
        for meaning in self._meanings.get(called, [next(iter(moves.items())) for moves in followed.moves]):
            name, factor = meaning
            key = self._key(name, picked)
            moved = factor * self._counts[name, key]
            base = self._bases.setdefault((called, meaning, key), got - moved)
            if base + moved == got:
                left.append(meaning)
            else:
                expected.append(str(base + moved))
        if not left:
            wanted = f"{one.text}: {followed.path} is {' or '.join(expected)}"
            seen = judgement.before(followed.path, exchange)
            self._wrong(Mismatch(wanted, f"{followed.path} is {got}", before=seen))
        self._meanings[called] = left

    # -- lists ---------------------------------------------------------------------------------------------------------

    def _lists(self) -> Iterator[tuple[int, Picked]]:
        for index, read in enumerate(self.cycle.reads):
            for subject in self._combined(read.kinds):
                yield index, subject

    def _concerns(self, index: int, subject: Picked, picked: Picked) -> bool:
        read = self.cycle.reads[index]
        return read.lists in picked and self._holds(read.of, {**subject, read.lists: picked[read.lists]})

    def _look(self, index: int, subject: Picked) -> None:
        """Read a list until it is as the model says, or is to be no more."""
        if self.is_over:
            return
        read = self.cycle.reads[index]
        bindings = self._bound(subject)
        mismatch = self._compared(index, subject, self._sent(read, subject, bindings))
        while mismatch and self._asking.wait_a_while():
            mismatch = self._compared(index, subject, self._sent(read, subject, bindings))
        if mismatch:
            self._wrong(mismatch)

    def _compared(self, index: int, subject: Picked, exchange: Exchange) -> Mismatch | None:
        """Compare a list with the model, whole; remember what it shows, for the next time."""
        read = self.cycle.reads[index]
        whose = ", ".join(subject.values())
        judgement = self._asking.judgement(bindings=self._bound(subject))
        if read.nothing and not any(True for _ in judgement.mismatches(read.nothing, exchange)):
            items: Any = []
        else:
            for mismatch in judgement.mismatches(read.expect, exchange):
                return mismatch
            items = judgement.view(exchange)
        if not isinstance(items, list):
            return Mismatch(f"a list for {whose}", as_text(items))
        shown: dict[tuple[int, str], Any] = {}
        for handle in self.cycle.of_kind(read.lists):
            picked = {**subject, read.lists: handle}
            if not self._holds(read.of, picked):
                continue
            wanted = fill(read.item, self._bound(picked))
            found = [item for item in items if includes(item, wanted)]
            items = minus(items, found)
            if handle in self._aside:
                continue
            if misplaced := self._misplaced(index, picked, handle, found):
                return misplaced
            for item in found:
                shown[index, handle] = item
        others = self._others.get((index, whose), items)
        if not same(others, items):
            return Mismatch(f"all else that is listed for {whose} as it was", difference(others, items))
        self._items |= shown
        self._others[index, whose] = items
        return None

    def _misplaced(self, index: int, picked: Picked, handle: str, found: list[Any]) -> Mismatch | None:
        """Tell what is wrong with the items that show an entity; None if it is as it has to be."""
        times = int(self._holds(self.cycle.reads[index].where, picked))
        if len(found) != times:
            # Of the model that which is the vendor's, too, and not only ours.
            data = known(self._asking.target.vendor)[2].by_handle[handle].data
            told = ", ".join(f"{name} {value}" for name, value in self._model[handle].items() if name in data)
            entity = self._asking.judgement(bindings=self._bound(picked)).entity(handle)
            got = f"is listed {len(found)} times" if found else "is not listed"
            return Mismatch(f"{entity} listed {'once' if times else 'not at all'} ({told})", f"{entity} {got}")
        for item in found:
            before = self._items.get((index, handle), item)
            if not same(before, item):
                return Mismatch(f"{handle} listed with the values that it had", difference(before, item))
        return None

    # -- the model -----------------------------------------------------------------------------------------------------

    def _combined(self, kinds: tuple[str, ...]) -> list[Picked]:
        return [dict(zip(kinds, handles, strict=True)) for handles in product(*map(self.cycle.of_kind, kinds))]

    def _holds(self, condition: str, picked: Picked) -> bool:
        if not condition:
            return True
        view: dict[str, Any] = {
            kind: {"name": handle.partition(".")[2], **self._model[handle]} for kind, handle in picked.items()
        }
        for name, kinds in self.cycle.counted.items():
            if {*kinds} <= picked.keys():
                view[name] = self._counts[name, self._key(name, picked)]
        return jmespath.search(condition, view) is True

    def _key(self, name: str, picked: Picked) -> tuple[str, ...]:
        return tuple(picked[kind] for kind in self.cycle.counted[name])

    def _bound(self, picked: Picked) -> Bindings:
        bindings = self._target.bindings
        return {
            **bindings,
            **{f"{kind}.{SELF}": {**bindings[handle], **self._model[handle]} for kind, handle in picked.items()},
        }

    # -- what is kept --------------------------------------------------------------------------------------------------

    def _sent(self, asked: Rule | Read, picked: Picked, bindings: Bindings) -> Exchange:
        exchange = self._asking.send(Call("", asked.operation, asked.request, asked.expect), bindings)
        self._exchanges.append(exchange)
        self._trail.append(f"{' '.join((asked.operation, *picked.values()))}: {exchange.status}")
        return exchange

    def _wrong(self, mismatch: Mismatch) -> None:
        self.walk = Walk(self._exchanges, mismatch, tuple(self._trail))


class _Kept:
    """Keeps what ends a run, so that hypothesis does not take it for a failure to be tried again."""

    def __init__(self, walker: Walker) -> None:
        self._walker = walker

    def __enter__(self) -> None: ...

    def __exit__(self, _: object, error: BaseException | None, __: object) -> bool:
        if isinstance(error, TargetUnreachable | UnusableTarget | LookupError):
            self._walker.raised = error
            return True
        return False


def _one_of(choices: Sequence[_T], dice: Iterator[int]) -> _T:
    """Choose by the next of the dice; 0, which hypothesis finds simplest, is the first choice."""
    return choices[next(dice) % len(choices)]
