"""Namespaces: made, shown, reset, dropped, and kept as snapshots."""

from couponspec.version import version
from flask import Response, g, jsonify

from couponmock.admin.answers import Wrong, chosen, described, members, named
from couponmock.admin.clock import CLOCK_MEMBERS, clock_of
from couponmock.admin.readings import choices_of
from couponmock.admin.strictness import setting
from couponmock.assembly import Assembly
from couponmock.exchange import NAMESPACE, NAMESPACE_RULE
from couponmock.injection import restarted
from couponmock.reading import READINGS
from couponmock.transfer import OtherPack


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
        """Bring a namespace back to its pack; rules and limits start anew, or go with all its other settings."""
        wanted = members({"namespace", "settings"})
        name, forget = wanted.get("namespace", g.namespace), wanted.get("settings", False)
        if not isinstance(name, str):
            raise Wrong("Give namespace as a text.")
        if not isinstance(forget, bool):
            raise Wrong("Give settings as true, to forget fault rules, limits and all other choices, or as false.")
        if name == g.namespace:
            chosen(self._mock)
        change = (lambda _: {}) if forget else restarted
        return jsonify(described(self._mock, self._mock.store.reset_namespace(name, change)))

    def namespaces(self) -> Response:
        return jsonify(
            {"namespaces": [described(self._mock, namespace) for namespace in self._mock.store.namespaces()]}
        )

    def create(self) -> Response:
        wanted = members({"name", "pack", "clock", "readings", "strict"})
        pack = wanted.get("pack", self._mock.pack)
        clock = wanted.get("clock", {})
        if not isinstance(wanted.get("name"), str) or not NAMESPACE.match(wanted["name"]):
            raise Wrong(f"Give the new namespace's name in the member name. {NAMESPACE_RULE}")
        if not isinstance(pack, str) or pack not in self._mock.worlds:
            raise Wrong(f"There is no pack {pack!r}; use one of {', '.join(self._mock.worlds)}.")
        if not isinstance(clock, dict) or set(clock) - CLOCK_MEMBERS:
            raise Wrong(f"Give clock as an object with members out of {', '.join(sorted(CLOCK_MEMBERS))}.")
        readings = choices_of(self._mock, wanted.get("readings", {}))
        namespace = self._mock.store.create_namespace(
            wanted["name"],
            self._mock.worlds[pack].id,
            **clock_of(clock),
            settings={**({READINGS: readings} if readings else {}), **setting(wanted.get("strict"))},
        )
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
            raise OtherPack(name)
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
