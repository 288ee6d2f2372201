"""What clients have asked in a namespace: shown, counted, verified."""

from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify

from couponmock.admin.answers import Wrong, chosen, members, problem, query
from couponmock.assembly import Assembly
from couponmock.journal import misses
from couponmock.store import JOURNAL_KEPT

FILTERS = ("method", "path", "vendor", "operation", "status", "example", "finding", "basis", "fault", "id")
"""Members of a journal entry that requests are chosen by."""
_COUNTS = ("count", "atLeast", "atMost")


class Requests:
    """What is asked about the journal of the request's namespace."""

    def __init__(self, mock: Assembly) -> None:
        self._mock = mock

    def show(self) -> Response:
        """Show the newest entries that match, in the order in which they came."""
        wanted = query({*FILTERS, "limit"})
        limit = wanted.pop("limit", str(JOURNAL_KEPT))
        if not limit.isascii() or not limit.isdigit() or not 1 <= int(limit) <= JOURNAL_KEPT:
            raise Wrong(f"Give limit as a number from 1 to {JOURNAL_KEPT}.")
        found = [entry for entry in self._entries() if not misses(entry, wanted)]
        return jsonify({"count": len(found), "requests": found[-int(limit) :]})

    def clear(self) -> Response:
        """Forget what was asked."""
        self._mock.store.clear_journal(chosen(self._mock).name)
        return Response(status=204)

    def verify(self) -> Response:
        """Tell whether as many requests match as expected; if not, say which came nearest."""
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
    return raw.get("atLeast", 0 if "atMost" in raw else 1), raw.get("atMost")
