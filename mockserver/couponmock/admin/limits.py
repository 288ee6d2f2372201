"""How fast the vendors may be asked in a namespace."""

from collections.abc import Mapping
from typing import Any

from flask import Response, jsonify

from couponmock.admin.answers import Wrong, chosen, members
from couponmock.assembly import Assembly, limits_of
from couponmock.injection import BUCKETS, LIMITS, Limit
from couponmock.store import Namespace


class Limits:
    """What is asked about the rate limits of the request's namespace."""

    def __init__(self, mock: Assembly) -> None:
        self._mock = mock

    def show(self) -> Response:
        return self._shown(chosen(self._mock))

    def set(self) -> Response:
        """Give some vendors another limit, or with null the server's; their buckets are empty then."""
        wanted = members(set(self._mock.documents))
        if not wanted:
            raise Wrong(
                f"Give a limit for a vendor out of {', '.join(self._mock.documents)}, or null for the server's."
            )
        limits = {vendor: None if raw is None else Limit.read(raw).dump() for vendor, raw in wanted.items()}
        return self._changed(limits)

    def clear(self) -> Response:
        """Give every vendor the server's limit back."""
        self._changed(dict.fromkeys(self._mock.documents))
        return Response(status=204)

    def _changed(self, limits: Mapping[str, Mapping[str, Any] | None]) -> Response:
        def change(settings: dict[str, Any]) -> dict[str, Any]:
            own = {**settings.get(LIMITS, {}), **limits}
            parts = {
                **settings,
                LIMITS: {vendor: limit for vendor, limit in own.items() if limit},
                BUCKETS: {
                    vendor: filled for vendor, filled in settings.get(BUCKETS, {}).items() if vendor not in limits
                },
            }
            return {
                name: value for name, value in parts.items() if value or name in settings.keys() - {LIMITS, BUCKETS}
            }

        return self._shown(self._mock.store.update_settings(chosen(self._mock).name, change))

    def _shown(self, namespace: Namespace) -> Response:
        servers = {vendor: limit.dump() for vendor, limit in limits_of(self._mock.settings).items()}
        return jsonify({"limits": {**servers, **namespace.settings.get(LIMITS, {})}})
