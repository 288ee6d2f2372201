"""What clients have seen of the documents, and what strict mode does about what they send."""

from typing import Any

from couponspec.document import Document
from flask import Response, g, jsonify, request

from couponmock import coverage, strict, tour
from couponmock.admin.answers import Wrong, chosen, members, named, query, without_journal
from couponmock.assembly import Assembly, World
from couponmock.exchange import DEFAULT_NAMESPACE
from couponmock.store import Namespace

EVERYWHERE = "*"
"""In place of a namespace: all of them, and those that are dropped."""
FORMATS = ("json", "markdown", "junit")


class Coverage:
    """What is asked about the answers seen in a namespace, or in all of them."""

    def __init__(self, mock: Assembly) -> None:
        self._mock = mock

    def show(self) -> Response:
        """Show the figures, answer by answer."""
        if not self._mock.settings.journal:
            return without_journal()
        wanted = query({"namespace", "vendor", "format"}, repeated={"vendor"}).get("format", "json")
        if wanted not in FORMATS:
            raise Wrong(f"Give format as one of {', '.join(FORMATS)}.")
        documents = self._documents()
        namespace = self._namespace()
        name = namespace.name if namespace else EVERYWHERE
        ways = {document.vendor: self._ways(document, namespace) for document in documents}
        report = coverage.report(name, documents, self._mock.store.seen(namespace.name if namespace else None), ways)
        if wanted == "markdown":
            return Response(coverage.markdown(report), content_type="text/markdown; charset=utf-8")
        if wanted == "junit":
            return Response(coverage.junit(report), content_type="application/xml")
        return jsonify(report)

    def clear(self) -> Response:
        """Forget what was seen."""
        if not self._mock.settings.journal:
            return without_journal()
        query({"namespace"})
        namespace = self._namespace()
        self._mock.store.clear_seen(namespace.name if namespace else None)
        return Response(status=204)

    def _namespace(self) -> Namespace | None:
        """Return the namespace that the query or else the request names; None for all."""
        name = request.args.get("namespace", g.namespace)
        if name == EVERYWHERE:
            return None
        return chosen(self._mock) if name == g.namespace else named(self._mock, name)

    def _documents(self) -> list[Document]:
        """Return the documents of the vendors asked about."""
        vendors = request.args.getlist("vendor")
        for vendor in vendors:
            if vendor not in self._mock.documents:
                raise Wrong(f"There is no vendor {vendor!r}; there are {', '.join(self._mock.documents)}.")
        return [document for vendor, document in self._mock.documents.items() if not vendors or vendor in vendors]

    def _ways(self, document: Document, namespace: Namespace | None) -> coverage.Ways:
        """Return how to get a vendor's answers in the world that is asked about."""
        url = request.host_url.rstrip("/") if request.host else coverage.DEFAULT_URL  # a host that is none is empty
        if namespace and namespace.name != DEFAULT_NAMESPACE:
            url += f"/~{namespace.name}"
        return tour.ways(document, self._world(namespace).packs[document.vendor], url)

    def _world(self, namespace: Namespace | None) -> World:
        pack = namespace.pack if namespace else self._mock.default_pack
        worlds = self._mock.worlds
        return next((world for world in worlds.values() if world.id == pack), worlds[self._mock.pack])


class Strictness:
    """What is asked about the strict mode of the request's namespace."""

    def __init__(self, mock: Assembly) -> None:
        self._mock = mock

    def show(self) -> Response:
        """Show the mode, and who has chosen it."""
        return self._shown(chosen(self._mock))

    def set(self) -> Response:
        """Choose a mode for the namespace; null gives the choice back to the server."""
        raw = members({"mode"})
        if "mode" not in raw:
            raise Wrong(f"Give mode as one of {', '.join(strict.MODES)}, or null for the server's.")
        settings = setting(raw["mode"])
        name = chosen(self._mock).name
        return self._shown(self._mock.store.update_settings(name, lambda before: _without(before) | settings))

    def _shown(self, namespace: Namespace) -> Response:
        own = namespace.settings.get(strict.SETTING)
        server = self._mock.settings.strict
        return jsonify({"namespace": namespace.name, "mode": own or server, "chosen": own, "server": server})


def setting(mode: Any) -> dict[str, Any]:
    """Return what a namespace's settings hold of a mode; nothing for null.

    Raises:
        Wrong: there is no such mode.
    """
    if mode is None:
        return {}
    if mode not in strict.MODES:
        raise Wrong(f"Give the strict mode as one of {', '.join(strict.MODES)}, or null for the server's.")
    return {strict.SETTING: mode}


def _without(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name != strict.SETTING}
