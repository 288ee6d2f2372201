"""The fault rules of a namespace: listed, added, removed."""

from typing import Any

from flask import Response, jsonify

from couponmock.admin.answers import Wrong, chosen, members, problem, without
from couponmock.assembly import Assembly
from couponmock.injection import MOST_RULES, RULE_MEMBERS, RULES, read


class NoSuchRule(Exception):
    """The namespace has no fault rule with this id."""


class Faults:
    """What is asked about the fault rules of the request's namespace."""

    def __init__(self, mock: Assembly) -> None:
        self._mock = mock

    def show(self) -> Response:
        return jsonify({"faults": chosen(self._mock).settings.get(RULES, {}).get("rules", [])})

    def add(self) -> Response:
        """Add a rule after those that are there."""
        rule = read(members(RULE_MEMBERS), self._mock.documents)
        counted = {**rule, "seen": 0, "applied": 0}

        def change(settings: dict[str, Any]) -> dict[str, Any]:
            own = settings.get(RULES, {"made": 0, "rules": []})
            if len(own["rules"]) >= MOST_RULES:
                raise Wrong(f"A namespace has at most {MOST_RULES} fault rules; remove some.")
            counted["id"] = f"f{own['made'] + 1}"
            return {**settings, RULES: {"made": own["made"] + 1, "rules": [*own["rules"], counted]}}

        self._mock.store.update_settings(chosen(self._mock).name, change)
        return Response(jsonify(counted).data, 201, content_type="application/json")

    def clear(self) -> Response:
        """Remove all rules."""
        self._mock.store.update_settings(chosen(self._mock).name, lambda settings: without(settings, RULES))
        return Response(status=204)

    def remove(self, rule: str) -> Response:
        """Remove one rule."""

        def change(settings: dict[str, Any]) -> dict[str, Any]:
            own = settings.get(RULES, {"rules": []})
            kept = [other for other in own["rules"] if other["id"] != rule]
            if len(kept) == len(own["rules"]):
                raise NoSuchRule
            return {**settings, RULES: {**own, "rules": kept}}

        try:
            self._mock.store.update_settings(chosen(self._mock).name, change)
        except NoSuchRule:
            return problem(404, "fault", f"There is no fault rule {rule!r}; GET /__admin/faults lists them.")
        return Response(status=204)
