"""What strict mode does about requests that hold what no document knows."""

from typing import Any

from flask import Response, jsonify

from couponmock import strict
from couponmock.admin.answers import Wrong, chosen, members, without
from couponmock.assembly import Assembly
from couponmock.store import Namespace


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
        own = setting(raw["mode"])
        name = chosen(self._mock).name
        return self._shown(self._mock.store.update_settings(name, lambda old: without(old, strict.STRICT) | own))

    def _shown(self, namespace: Namespace) -> Response:
        own = namespace.settings.get(strict.STRICT)
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
    return {strict.STRICT: mode}
