"""The state of a namespace: single entities put and shown, and the whole of it as a file."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from couponspec import FaultyFile, jsonfile, yamlfile
from couponspec.faults import Fault
from couponspec.pack import Kind
from flask import Response, g, jsonify, request

from couponmock.admin.answers import Wrong, described, members, once, problem, query
from couponmock.assembly import Assembly
from couponmock.behaviour import store_kind
from couponmock.state import Entities, Missing
from couponmock.transfer import as_json, as_yaml, exported, imported

SHOWN = 1000
"""Entities that a list shows."""
WORLD_LIMIT = 268_435_456
"""Bytes of a world that can be imported."""
_WRITERS = {"json": (as_json, "application/json"), "yaml": (as_yaml, "application/yaml")}


class State:
    """What is asked about the entities of the request's namespace."""

    def __init__(self, mock: Assembly) -> None:
        self._mock = mock

    def overview(self) -> Response:
        """Show vendors, their kinds, how many entities there are of each, and the states they can be put into."""
        with self._mock.store.session(g.namespace, write=False, pack=self._mock.default_pack) as session:
            counts = session.counts()
        vendors = {
            vendor: {
                name: {
                    "description": kind.description,
                    "count": counts.get(store_kind(vendor, name), 0),
                    "states": list(kind.states),
                }
                for name, kind in kinds.items()
            }
            for vendor, kinds in self._mock.kinds.items()
        }
        return jsonify({"namespace": g.namespace, "vendors": vendors})

    def listed(self, vendor: str, kind: str) -> Response:
        """Show the entities of a kind, or those with certain members."""
        with self._entities(vendor, kind, write=False) as (entities, looked):
            having = entities.having(looked, _wanted(looked))
            shown = [*islice(having, SHOWN)]
            count = len(shown) + sum(1 for _ in having)
        return jsonify({"namespace": g.namespace, "count": count, "entities": shown})

    def show(self, vendor: str, kind: str, name: str) -> Response:
        with self._entities(vendor, kind, write=False) as (entities, looked):
            return jsonify(entities.show(looked, name))

    def put(self, vendor: str, kind: str, name: str | None = None) -> Response:
        """Put an entity, named or found by its members, into a state, give it members, or both."""
        raw = members({"state", "members"})
        state, given = raw.get("state"), raw.get("members")
        if state is given is None or not isinstance(state, str | None) or not isinstance(given, dict | None):
            raise Wrong('Give the name of a state, members, or both: {"state": "used", "members": {"quantity": 2}}.')
        wanted: dict[str, str] = {}
        if name is None:
            # Beforehand, since it may look at every entity, and meanwhile nobody else could write.
            with self._entities(vendor, kind, write=False) as (entities, looked):
                wanted = _wanted(looked)
                if not wanted:
                    raise Wrong("Say which entity, by its name in the path or by members in the query: ?code=JDSI2JE.")
                name = entities.named_by(looked, wanted)
        with self._entities(vendor, kind, write=True) as (entities, looked):
            if wanted and not entities.has(looked, name, wanted):
                name = entities.named_by(looked, wanted)  # somebody has changed it in between
            shown, new = entities.put(looked, name, state, given)
        response = jsonify(shown)
        response.status_code = 201 if new else 200
        return response

    def delete(self, vendor: str, kind: str, name: str) -> Response:
        with self._entities(vendor, kind, write=True) as (entities, looked):
            entities.delete(looked, name)
        return Response(status=204)

    def export(self) -> Response:
        """Write the whole world of the namespace as a file that is a pack."""
        form = query({"format"}).get("format", "json")
        if form not in _WRITERS:
            raise Wrong(f"Give format as one of {', '.join(_WRITERS)}.")
        write, media_type = _WRITERS[form]
        return Response(write(exported(self._mock, g.namespace)), content_type=media_type)

    def take(self) -> Response:
        """Make the namespace hold exactly the world of a file."""
        if (request.content_length or 0) > WORLD_LIMIT:
            raise Wrong(f"A world has at most {WORLD_LIMIT} bytes.")
        parse = yamlfile.parse if "yaml" in (request.content_type or "").lower() else jsonfile.parse
        try:
            text = request.get_data().decode("utf-8")
            file = parse(text, Path("world"))
        except UnicodeDecodeError as error:
            raise Wrong("Send a world as JSON or YAML in UTF-8.") from error
        except FaultyFile as error:
            return invalid(400, "world", f"The body cannot be read: {error.faults[0].reason}.", error.faults)
        try:
            namespace = imported(self._mock, g.namespace, file)
        except FaultyFile as error:
            detail = f"The world is not valid, and nothing has changed: {error.faults[0].reason}."
            return invalid(422, "world", detail, error.faults)
        return jsonify(described(self._mock, namespace))

    @contextmanager
    def _entities(self, vendor: str, kind: str, *, write: bool) -> Iterator[tuple[Entities, Kind]]:
        if vendor not in self._mock.documents:
            raise Missing(f"There is no vendor {vendor!r}; there are {', '.join(self._mock.documents)}.")
        with self._mock.store.session(g.namespace, write=write, pack=self._mock.default_pack) as session:
            entities = Entities(self._mock.documents[vendor], self._mock.kinds[vendor], session)
            yield entities, entities.kind(kind)


def invalid(status: int, kind: str, detail: str, faults: Sequence[Fault]) -> Response:
    """Make an answer that lists every mistake with its JSON pointer, and its line where it has one."""
    return problem(status, kind, detail, faults=[_described(fault) for fault in faults])


def _described(fault: Fault) -> dict[str, Any]:
    line = {} if fault.line is None else {"line": fault.line}
    return {"pointer": fault.pointer.removeprefix("#"), **line, "reason": fault.reason, "fix": fault.fix}


def _wanted(kind: Kind) -> dict[str, str]:
    """Return the members that the query names."""
    wanted = once()
    if unknown := sorted(set(wanted) - set(kind.schema["properties"])):
        known = ", ".join(kind.schema["properties"])
        raise Wrong(f"A {kind.name} has no member {unknown[0]!r}; there are {known}.")
    return wanted
