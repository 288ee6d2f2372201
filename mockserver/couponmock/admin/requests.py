"""What clients have asked in a namespace: shown, counted, verified."""

import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from couponspec.document import BASES
from flask import Response, jsonify

from couponmock.admin.answers import Wrong, chosen, members, problem, query, without_journal
from couponmock.assembly import Assembly
from couponmock.journal import misses
from couponmock.store import JOURNAL_KEPT

FILTERS = ("method", "path", "vendor", "operation", "status", "example", "finding", "basis", "fault", "id")
"""Members of a journal entry that requests are chosen by."""
_SHOWN = 12
"""Names that a sentence lists; of more only those that come near."""
_COUNTS = ("count", "atLeast", "atMost")


class Requests:
    """What is asked about the journal of the request's namespace."""

    def __init__(self, mock: Assembly) -> None:
        self._mock = mock

    def show(self) -> Response:
        """Show the newest entries that match, in the order in which they came."""
        if not self._mock.settings.journal:
            return without_journal()
        wanted = query({*FILTERS, "limit"})
        limit = wanted.pop("limit", str(JOURNAL_KEPT))
        if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit) <= JOURNAL_KEPT:
            raise Wrong(f"Give limit as a number from 1 to {JOURNAL_KEPT}.")
        self._check(wanted)
        found = [entry for entry in self._entries() if not misses(entry, wanted)]
        return jsonify({"count": len(found), "requests": found[-int(limit) :]})

    def clear(self) -> Response:
        """Forget what was asked."""
        if not self._mock.settings.journal:
            return without_journal()
        self._mock.store.clear_journal(chosen(self._mock).name)
        return Response(status=204)

    def verify(self) -> Response:
        """Tell whether as many requests match as expected; if not, say which came nearest."""
        if not self._mock.settings.journal:
            return without_journal()
        raw = members({"operationId", "match", *_COUNTS})
        match = raw.get("match", {})
        if not isinstance(match, dict):
            raise Wrong(f"Give match as an object with members out of {', '.join((*FILTERS, 'query', 'body'))}.")
        if unknown := sorted(set(match) - {*FILTERS, "query", "body"}):
            raise Wrong(f"Unknown member {unknown[0]!r} of match; known are {', '.join((*FILTERS, 'query', 'body'))}.")
        operations = {operation for document in self._mock.documents.values() for operation in document.operations}
        if "operationId" in raw:
            if raw["operationId"] not in operations:
                raise Wrong(f"There is no operation {raw['operationId']!r}; there are {', '.join(sorted(operations))}.")
            match = {**match, "operation": raw["operationId"]}
        self._check(match)
        least, most = _bounds(raw)
        entries = self._entries()
        missed = [(misses(entry, match), entry) for entry in entries]
        count = sum(not reasons for reasons, _ in missed)
        if least <= count and (most is None or count <= most):
            return jsonify({"verified": True, "count": count})
        expected = f"{least}" if least == most else f"at least {least}" if most is None else f"{least} to {most}"
        nearest = min((item for item in missed if item[0]), key=lambda item: len(item[0]), default=None)
        return problem(
            422,
            "verification",
            f"Expected {expected} matching requests, found {count} among {len(entries)}.",
            count=count,
            nearest={"misses": nearest[0], "request": nearest[1]} if nearest and count < least else None,
        )

    def _check(self, wanted: Mapping[str, Any]) -> None:
        """Refuse what no entry can have: what is never found must not be taken for what was never sent."""
        documents = self._mock.documents.values()
        operations = [each for document in documents for each in (*document.operations.values(), document.general)]
        known = {
            "vendor": sorted(self._mock.documents),
            "operation": sorted({operation.id for operation in operations}),
            "example": sorted({name for operation in operations for name in operation.examples}),
            "basis": sorted(BASES),
        }
        for name, values in known.items():
            value = wanted.get(name, "")
            # An answer that the mock made up is named after the example it was made of.
            if re.sub("_as_[0-9]{3}$", "", str(value)) not in {*values, ""}:
                shown = values if len(values) <= _SHOWN else get_close_matches(str(value), values)
                there = f"; there are {', '.join(shown)}" if shown else ""
                raise Wrong(f"No request can have the {name} {value!r}{there}.")
        status = wanted.get("status")
        if not (status is None or re.fullmatch("[1-5][0-9][0-9]", str(status))):
            raise Wrong(f"No answer has the status {status!r}; give a number from 100 to 599, or null for none.")
        if str(wanted.get("path", "")).startswith("/~"):
            raise Wrong("The journal's paths are the vendors' own, without the prefix of a namespace.")

    def _entries(self) -> list[dict[str, Any]]:
        return self._mock.store.journal(chosen(self._mock).name)


def _bounds(raw: Mapping[str, Any]) -> tuple[int, int | None]:
    """Return the least and the most requests expected."""
    for name in _COUNTS:
        value = raw.get(name, 0)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise Wrong(f"Give {name} as a whole number that is not negative.")
    if "count" in raw:
        if "atLeast" in raw or "atMost" in raw:
            raise Wrong("Give either count, or atLeast and atMost.")
        return raw["count"], raw["count"]
    least, most = raw.get("atLeast", 0 if "atMost" in raw else 1), raw.get("atMost")
    if most is not None and least > most:
        raise Wrong(f"Nothing is at least {least} and at most {most}.")
    return least, most
