"""What clients have seen of the documents."""

from couponspec.document import Document
from flask import Response, g, jsonify, request

from couponmock import coverage, tour
from couponmock.admin.answers import Wrong, chosen, named, query, without_journal
from couponmock.assembly import Assembly
from couponmock.exchange import DEFAULT_NAMESPACE
from couponmock.settings import DEFAULT_URL
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
        url = request.host_url.rstrip("/") if request.host else DEFAULT_URL  # a host that is none is empty
        if namespace and namespace.name != DEFAULT_NAMESPACE:
            url += f"/~{namespace.name}"
        world = self._mock.world(namespace.pack if namespace else self._mock.default_pack)
        # The namespace may be made from a pack of another server on this store; this one does not know its requests.
        return tour.ways(document, world.packs[document.vendor], url) if world else {}
