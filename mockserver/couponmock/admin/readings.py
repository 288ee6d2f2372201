"""The readings of a namespace: which questions the pages leave open, and how they are answered here."""

from typing import Any

from flask import Response, jsonify

from couponmock.admin.answers import Wrong, chosen, members, without
from couponmock.assembly import Assembly
from couponmock.reading import READINGS, UnknownChoice, checked
from couponmock.store import Namespace


class Readings:
    """What is asked about the readings of the request's namespace."""

    def __init__(self, mock: Assembly) -> None:
        self._mock = mock

    def show(self) -> Response:
        return self._shown(chosen(self._mock))

    def choose(self) -> Response:
        """Choose options beside those chosen earlier; null gives the server's choice back."""
        raw = members(set(self._mock.readings))
        made = choices_of(self._mock, {name: option for name, option in raw.items() if option is not None})

        def merged(settings: dict[str, Any]) -> dict[str, Any]:
            own = {name: option for name, option in settings.get(READINGS, {}).items() if name not in raw}
            return _with(settings, {**own, **made})

        return self._shown(self._mock.store.update_settings(chosen(self._mock).name, merged))

    def clear(self) -> Response:
        """Give the server's choices back for all readings."""
        name = chosen(self._mock).name
        return self._shown(self._mock.store.update_settings(name, lambda settings: _with(settings, {})))

    def _shown(self, namespace: Namespace) -> Response:
        choices = {**self._mock.chosen, **namespace.settings.get(READINGS, {})}
        return jsonify(
            {
                "readings": [
                    {
                        "id": name,
                        "question": reading.question,
                        "quotes": [{"source": quote.source, "text": quote.text} for quote in reading.quotes],
                        "options": dict(reading.options),
                        "taken": reading.taken,
                        "chosen": choices.get(name, reading.taken),
                        "reason": reading.reason,
                        "tolerated": sorted(reading.tolerated),
                    }
                    for name, reading in self._mock.readings.items()
                ]
            }
        )


def choices_of(mock: Assembly, raw: Any) -> dict[str, str]:
    """Return the choices that an object names.

    Raises:
        Wrong: it is no object, or names a choice that cannot be made.
    """
    if not isinstance(raw, dict):
        raise Wrong("Give readings as an object: name of a reading -> option.")
    try:
        return checked(raw, mock.readings)
    except UnknownChoice as error:
        raise Wrong(str(error)) from error


def _with(settings: dict[str, Any], own: dict[str, str]) -> dict[str, Any]:
    """Return settings with a namespace's own choices, or without a trace of any."""
    rest = without(settings, READINGS)
    return {**rest, READINGS: own} if own else rest
