"""Namespaces: made, shown, reset, dropped, and kept as snapshots."""

from couponspec.version import version
from flask import Response, g, jsonify

from couponmock.admin.answers import Wrong, chosen, described, named, problem, texts
from couponmock.assembly import Assembly
from couponmock.exchange import NAMESPACE, NAMESPACE_RULE


class Worlds:
    """What is asked about namespaces and their snapshots."""

    def __init__(self, mock: Assembly) -> None:
        self._mock = mock

    def health(self) -> Response:
        self._mock.store.packs()
        return jsonify({"status": "ok"})

    def version(self) -> Response:
        return jsonify(
            {
                "name": "couponmock",
                "version": version(),
                "vendors": list(self._mock.documents),
                "packs": list(self._mock.worlds),
                "pack": self._mock.pack,
                "defects": list(self._mock.settings.defects),
            }
        )

    def reset(self) -> Response:
        name = texts({"namespace"}).get("namespace", g.namespace)
        if name == g.namespace:
            chosen(self._mock)
        return jsonify(described(self._mock, self._mock.store.reset_namespace(name)))

    def namespaces(self) -> Response:
        return jsonify(
            {"namespaces": [described(self._mock, namespace) for namespace in self._mock.store.namespaces()]}
        )

    def create(self) -> Response:
        wanted = texts({"name", "pack"})
        pack = wanted.get("pack", self._mock.pack)
        if not NAMESPACE.match(wanted.get("name", "")):
            raise Wrong(f"Give the new namespace's name in the member name. {NAMESPACE_RULE}")
        if pack not in self._mock.worlds:
            raise Wrong(f"There is no pack {pack!r}; use one of {', '.join(self._mock.worlds)}.")
        namespace = self._mock.store.create_namespace(wanted["name"], self._mock.worlds[pack].id)
        return Response(jsonify(described(self._mock, namespace)).data, 201, content_type="application/json")

    def show(self, name: str) -> Response:
        return jsonify(described(self._mock, named(self._mock, name)))

    def drop(self, name: str) -> Response:
        self._mock.store.drop_namespace(name)
        return Response(status=204)

    def bindings(self, name: str) -> Response:
        namespace = named(self._mock, name)
        world = self._mock.world(namespace.pack)
        if world is None:
            fix = "Drop it, or start the mock with the vendors and packs it was made with."
            return problem(409, "pack", f"The pack that {name!r} was made from is none of this server's. {fix}")
        seeded = {vendor: pack.bindings(namespace.epoch) for vendor, pack in world.packs.items()}
        return jsonify({**described(self._mock, namespace), "bindings": seeded})

    def snapshots(self) -> Response:
        name = chosen(self._mock).name
        return jsonify({"snapshots": [snapshot.label for snapshot in self._mock.store.snapshots(name)]})

    def snapshot(self, label: str) -> Response:
        name = chosen(self._mock).name
        taken = self._mock.store.snapshot(name, _label(label))
        return Response(jsonify({"namespace": name, "label": taken.label}).data, 201, content_type="application/json")

    def restore(self, label: str) -> Response:
        restored = self._mock.store.restore(chosen(self._mock).name, _label(label))
        return jsonify(described(self._mock, restored))

    def drop_snapshot(self, label: str) -> Response:
        self._mock.store.drop_snapshot(chosen(self._mock).name, _label(label))
        return Response(status=204)


def _label(label: str) -> str:
    """Return a snapshot's label, which looks like a namespace's name."""
    if not NAMESPACE.match(label):
        raise Wrong("A snapshot's label has 1 to 64 letters, digits, dots, underscores and hyphens.")
    return label
