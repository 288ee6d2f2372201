"""What the suite finds of servers that are wrong on purpose: which defect fails which requirements, and the score."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from couponspec import yamlfile
from couponspec.faults import FaultyFile
from couponspec.shape import problems_under
from couponspec.version import version

from couponcheck.outcome import ERROR, Outcome
from couponcheck.shape import shape
from couponcheck.transport import UnusableTarget

MATRIX_VERSION = 1
CAUGHT, MISSED, BROKEN, EXCUSED = "caught", "missed", "error", "excused"


@dataclass(frozen=True, slots=True)
class Defect:
    """One way in which a server is wrong on purpose."""

    id: str
    vendor: str
    of: str
    """Its class; empty for one that has none."""
    text: str
    held_out: bool
    registry: str
    breaks: str
    """What it breaks, as its author says."""


def read_defects(text: str) -> list[Defect]:
    """Read a list of defects as a command prints it.

    Args:
        text: A JSON list of objects with at least ``id`` and ``vendor``.

    Raises:
        UnusableTarget: it is something else.
    """
    try:
        raw = json.loads(text)
        return [
            Defect(
                id=item["id"],
                vendor=item["vendor"],
                of=item.get("of", ""),
                text=item.get("text", ""),
                held_out=bool(item.get("held_out", False)),
                registry=item.get("registry", ""),
                breaks=": ".join(filter(None, item.get("breaks", {}).values())),
            )
            for item in raw
        ]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        reason = "the list of defects is no JSON list of objects with id and vendor"
        raise UnusableTarget(f"{reason} ({type(error).__name__}: {error})") from error


@dataclass(frozen=True, slots=True)
class Row:
    """What came out of one defect."""

    defect: Defect
    caught_by: Mapping[str, str] = field(default_factory=dict)
    """Id of a requirement that was broken -> why; also one that is no `must`, whose breach a run only warns of."""
    errors: Mapping[str, str] = field(default_factory=dict)
    """Id of a requirement that could not be carried out -> why; under an empty id, why none could."""
    checked: Sequence[str] = ()
    """Ids of all requirements that were to be carried out."""
    requests: int = 0

    @classmethod
    def of(cls, defect: Defect, outcomes: Iterable[Outcome], requests: int) -> "Row":
        """Weigh outcomes: what is broken catches the defect, an error does not, nor does a tolerated variant."""
        outcomes = [*outcomes]
        return cls(
            defect,
            {o.requirement.id: o.reason for o in outcomes if o.is_breach},
            {o.requirement.id: o.reason for o in outcomes if o.verdict == ERROR},
            [o.requirement.id for o in outcomes],
            requests,
        )

    @property
    def result(self) -> str:
        """Return what came out in a word."""
        return CAUGHT if self.caught_by else BROKEN if self.errors else MISSED


@dataclass(frozen=True, slots=True)
class Survivor:
    """A defect that the suite is known not to catch."""

    id: str
    reason: str
    excused: bool
    """Whether no client could notice it by a documented rule, so that it does not count."""


@dataclass(frozen=True)
class Matrix:
    """The outcome of all defects."""

    rows: Sequence[Row]
    survivors: Mapping[str, Survivor]

    def result(self, row: Row) -> str:
        """Return what came out of a defect, with those that do not count set aside."""
        known = self.survivors.get(row.defect.id)
        return EXCUSED if known and known.excused and row.result == MISSED else row.result

    @property
    def stale(self) -> list[str]:
        """Say which known survivors are none any more."""
        return [
            f"{row.defect.id} is listed as a survivor, and caught by {', '.join(row.caught_by)}; remove the entry"
            for row in self.rows
            if row.defect.id in self.survivors and row.result == CAUGHT
        ]

    @property
    def idle(self) -> list[str]:
        """Return the requirements that catch nothing, in their order."""
        catching = {requirement for row in self.rows for requirement in row.caught_by}
        checked = dict.fromkeys(requirement for row in self.rows for requirement in row.checked)
        return [requirement for requirement in checked if requirement not in catching]

    @property
    def percent(self) -> float:
        """Return the share of defects that are caught, in percent, rounded down; 100 if none counts."""
        return Score.of(self, self.rows).percent

    def scores(self) -> Iterator[tuple[str, "Score"]]:
        """Yield the score of each class, of what is open and held out, and of all."""
        for of in dict.fromkeys(row.defect.of for row in self.rows):
            yield of or "(no class)", Score.of(self, [row for row in self.rows if row.defect.of == of])
        parts = {held: [row for row in self.rows if row.defect.held_out == held] for held in (False, True)}
        if all(parts.values()):
            yield "open", Score.of(self, parts[False])
            yield "held out", Score.of(self, parts[True])
        yield "all", Score.of(self, self.rows)


@dataclass(frozen=True, slots=True)
class Score:
    """How many defects came out in which way."""

    caught: int
    missed: int
    errors: int
    excused: int

    @classmethod
    def of(cls, matrix: Matrix, rows: Iterable[Row]) -> "Score":
        """Count rows."""
        results = [matrix.result(row) for row in rows]
        return cls(*(results.count(result) for result in (CAUGHT, MISSED, BROKEN, EXCUSED)))

    @property
    def percent(self) -> float:
        """Return the share that is caught of what counts, in percent, rounded down to a tenth."""
        counted = self.caught + self.missed + self.errors
        return 1000 * self.caught // counted / 10 if counted else 100.0


def read_survivors(file: Path) -> dict[str, Survivor]:
    """Read the defects that are known to survive, each with its reason.

    Raises:
        FaultyFile: the file has not the right shape, or names a defect twice.
    """
    read = yamlfile.load(file)
    if faults := problems_under(read, "", read.value, shape("survivors")):
        raise FaultyFile(faults)
    survivors: dict[str, Survivor] = {}
    for index, raw in enumerate(read.value["survivors"]):
        if raw["id"] in survivors:
            fault = read.fault(f"/survivors/{index}/id", f"{raw['id']} is given twice", "keep one of them")
            raise FaultyFile([fault])
        survivors[raw["id"]] = Survivor(raw["id"], raw["reason"], raw.get("excused", False))
    return survivors


def as_json(matrix: Matrix) -> dict[str, Any]:
    """Return all as data."""
    return {
        "matrix_version": MATRIX_VERSION,
        "couponcheck": version(),
        "percent": matrix.percent,
        "scores": {
            name: {
                "caught": score.caught,
                "missed": score.missed,
                "errors": score.errors,
                "excused": score.excused,
                "percent": score.percent,
            }
            for name, score in matrix.scores()
        },
        "idle": matrix.idle,
        "stale": matrix.stale,
        "defects": [
            {
                "id": row.defect.id,
                "vendor": row.defect.vendor,
                "class": row.defect.of,
                "registry": row.defect.registry,
                "held_out": row.defect.held_out,
                "text": row.defect.text,
                "breaks": row.defect.breaks,
                "result": matrix.result(row),
                "caught_by": dict(row.caught_by),
                "errors": dict(row.errors),
                "requests": row.requests,
            }
            for row in matrix.rows
        ],
    }


def as_text(matrix: Matrix, *, idle: bool = True) -> Iterator[str]:
    """Yield the lines that a person reads: each defect with what it fails, the scores, what is missed.

    Args:
        matrix: What came out.
        idle: Whether to list the requirements that catch nothing, which says little of a few defects.
    """
    for row in matrix.rows:
        found = ", ".join(_short(requirement) for requirement in row.caught_by)
        yield f"{matrix.result(row):8}{row.defect.id}{f' ({row.defect.of})' if row.defect.of else ''}: {found or '-'}"
    yield ""
    for name, score in matrix.scores():
        yield f"{name:14}{_counted(score)}"
    yield from _listed("Caught by nothing:", [*_missed(matrix)])
    yield from _listed("Could not be carried out:", [*_errors(matrix)])
    if idle:
        yield from _listed("Requirements that catch nothing here:", matrix.idle)
    yield from _listed("Survivors that are none:", matrix.stale)


def as_markdown(matrix: Matrix) -> str:
    """Return the scores and the matrix as Markdown."""
    lines = ["| class | caught | missed | errors | excused | share |", "| --- | ---: | ---: | ---: | ---: | ---: |"]
    lines += [
        f"| {name} | {s.caught} | {s.missed} | {s.errors} | {s.excused} | {s.percent:g} % |"
        for name, s in matrix.scores()
    ]
    lines += ["", "| defect | class | what came out | requirements that fail |", "| --- | --- | --- | --- |"]
    for row in matrix.rows:
        found = ", ".join(f"`{_short(requirement)}`" for requirement in row.caught_by)
        lines.append(f"| `{row.defect.id}` | {row.defect.of} | {matrix.result(row)} | {found} |")
    for title, items in (
        ("Caught by nothing", [*_missed(matrix)]),
        ("Could not be carried out", [*_errors(matrix)]),
        ("Requirements that catch nothing here", [f"`{requirement}`" for requirement in matrix.idle]),
        ("Survivors that are none", matrix.stale),
    ):
        if items:
            lines += ["", f"## {title}", "", *(f"- {item}" for item in items)]
    return "\n".join(lines) + "\n"


def _counted(score: Score) -> str:
    whole = score.caught + score.missed + score.errors
    beside = [
        f"{score.errors} with errors" if score.errors else "",
        f"{score.excused} excused" if score.excused else "",
    ]
    more = "".join(f", {text}" for text in beside if text)
    return f"{score.caught:3} of {whole:3} caught, {score.percent:g} %{more}"


def _listed(title: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        yield from ("", title, *(f"  {item}" for item in items))


def _missed(matrix: Matrix) -> Iterator[str]:
    for row in matrix.rows:
        if row.result == MISSED:
            known = matrix.survivors.get(row.defect.id)
            yield f"{row.defect.id}: {row.defect.text}{f' Known: {known.reason}' if known else ''}"


def _errors(matrix: Matrix) -> Iterator[str]:
    for row in matrix.rows:
        for requirement, reason in row.errors.items():
            yield f"{row.defect.id}: {f'{_short(requirement)}: ' if requirement else ''}{reason}"


def _short(requirement: str) -> str:
    """Return a requirement's id without its vendor, which the defect's says already."""
    return requirement.partition(".")[2]
