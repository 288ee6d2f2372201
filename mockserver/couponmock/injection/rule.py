"""A rule that makes a vendor fail: which requests, how, and how often."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from couponspec.document import Document

from couponmock.forced import Forced, Unforceable
from couponmock.injection.mistake import Unusable, whole
from couponmock.injection.schedule import check_span, check_times
from couponmock.reading import Acting

MOST_RULES = 100
"""Rules that a namespace can have."""
LONGEST_RULE = 10_000
"""Characters of a rule."""
MATCHED = ("method", "path", "vendor", "query", "body")
"""Members of a journal entry that a rule may match: those that are known before the answer is."""
_MOST_CHUNKS = 1000
_LONGEST_WAIT = 86_400
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(; ?[a-z]+=[A-Za-z0-9._-]+)*\Z")


@dataclass(frozen=True, slots=True)
class Kind:
    """One way to fail."""

    checks: Mapping[str, Callable[[str, Any], Any]] = field(default_factory=dict)
    """Member of the rule -> raises Unusable for a value that it cannot have."""
    required: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    stages: tuple[str, ...] = ("after",)
    """Whether the operation happens: ``before``, it does not; ``after``, it does. The first is the default."""


def _text(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise Unusable(f"Give {name} as a text.")


def _media_type(name: str, value: Any) -> None:
    if not isinstance(value, str) or not _MEDIA_TYPE.match(value):
        raise Unusable(f"Give {name} as a media type such as text/html.")


KINDS: Mapping[str, Kind] = {
    "problem": Kind({"example": _text}, ("example",), stages=("before", "after")),
    "status": Kind(
        {
            "status": lambda name, value: whole(name, value, 200, 599),
            "retryAfter": lambda name, value: whole(name, value, 0, _LONGEST_WAIT),
        },
        ("status",),
        stages=("before", "after"),
    ),
    "latency": Kind({"delay": check_span}, ("delay",)),
    "drip": Kind(
        {"chunks": lambda name, value: whole(name, value, 2, _MOST_CHUNKS), "over": check_span},
        ("over",),
        {"chunks": 5},
    ),
    "truncate": Kind({"after": lambda name, value: whole(name, value, 1, 2**31)}),
    "malformed": Kind(),
    "media-type": Kind({"mediaType": _media_type}, defaults={"mediaType": "text/html"}),
    "drop": Kind(stages=("after", "before")),
}
_OF_ALL = ("operation", "match", "kind", "times", "stage")
RULE_MEMBERS = {*_OF_ALL, *(name for kind in KINDS.values() for name in kind.checks)}
"""Every member that a rule of some kind may have."""


def read(raw: Mapping[str, Any], documents: Mapping[str, Document]) -> dict[str, Any]:
    """Check a rule and fill in what it leaves to us.

    Args:
        raw: What the admin interface was sent; its members are out of `RULE_MEMBERS`.
        documents: The documents of the vendors that the server acts out.

    Raises:
        Unusable: it is no rule, or one that could never apply.
    """
    kind = KINDS.get(raw["kind"]) if isinstance(raw.get("kind"), str) else None
    if kind is None:
        raise Unusable(f"Give kind as one of {', '.join(KINDS)}.")
    known = (*_OF_ALL, *kind.checks)
    if alien := sorted(set(raw) - set(known)):
        raise Unusable(f"A rule of kind {raw['kind']} has no member {alien[0]!r}; known are {', '.join(known)}.")
    if len(json.dumps(raw)) > LONGEST_RULE:
        raise Unusable(f"A rule has at most {LONGEST_RULE} characters.")
    for name in kind.required:
        if name not in raw:
            raise Unusable(f"A rule of kind {raw['kind']} needs the member {name}.")
    for name, check in kind.checks.items():
        if name in raw:
            check(name, raw[name])
    if "times" in raw:
        check_times(raw["times"])
    if raw.get("stage", kind.stages[0]) not in kind.stages:
        raise Unusable(f"Give the stage of a rule of kind {raw['kind']} as {' or '.join(kind.stages)}.")
    _check_match(raw.get("match", {}), documents)
    _check_operation(raw, documents)
    return {"stage": kind.stages[0], **kind.defaults, **raw}


def wish(rule: Mapping[str, Any]) -> Forced | None:
    """Return the answer that a rule gives instead of the vendor's; None if it gives none."""
    if rule["kind"] == "problem":
        return Forced(example=rule["example"])
    if rule["kind"] == "status":
        return Forced(code=str(rule["status"]))
    return None


def _check_match(match: Any, documents: Mapping[str, Document]) -> None:
    if not isinstance(match, Mapping):
        raise Unusable(f"Give match as an object with members out of {', '.join(MATCHED)}.")
    if unknown := sorted(set(match) - set(MATCHED)):
        raise Unusable(f"A rule cannot match {unknown[0]!r}; give match members out of {', '.join(MATCHED)}.")
    for name in ("method", "path"):
        _text(f"{name} of match", match.get(name, ""))
    if match.get("vendor", next(iter(documents))) not in list(documents):
        raise Unusable(f"There is no vendor {match['vendor']!r}; there are {', '.join(documents)}.")
    query = match.get("query", {})
    if not isinstance(query, Mapping):
        raise Unusable("Give query of match as an object of parameters.")
    for name, value in query.items():
        _text(f"{name} in query of match", value)
    methods = sorted(
        {operation.method for document in documents.values() for operation in document.operations.values()}
    )
    if match.get("method", methods[0]).upper() not in methods:
        raise Unusable(f"No operation has the method {match['method']!r}; there are {', '.join(methods)}.")
    secret = sorted(name for name in query for document in documents.values() if name in document.secret_queries)
    if secret:
        raise Unusable(f"A rule cannot match {secret[0]!r}: it is a credential, and credentials are never kept.")


def _check_operation(raw: Mapping[str, Any], documents: Mapping[str, Document]) -> None:
    """Check that there is such an operation, and that every operation the rule is for has the answer it gives."""
    every = [(document, operation) for document in documents.values() for operation in document.operations.values()]
    names = sorted({operation.id for _, operation in every})
    if "operation" in raw and raw["operation"] not in names:
        raise Unusable(f"There is no operation {raw['operation']!r}; there are {', '.join(names)}.")
    if raw["kind"] == "problem" and "operation" not in raw:
        raise Unusable("A rule of kind problem needs the member operation, since an example belongs to one.")
    forced = wish(raw)
    vendor = raw.get("match", {}).get("vendor")
    concerned = [
        (document, operation)
        for document, operation in every
        if raw.get("operation", operation.id) == operation.id and vendor in {None, document.vendor}
    ]
    if not concerned:
        raise Unusable(f"{raw['operation']} is no operation of {vendor}, so the rule could never apply.")
    for document, operation in concerned:
        if forced:
            try:
                forced.answer(operation, document.general, document.identifier, Acting({}))
            except Unforceable as error:
                raise Unusable(str(error)) from error
