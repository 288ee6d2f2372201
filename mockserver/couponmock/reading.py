"""Which reading a request is answered by: the namespace's choice, else the server's, else the one taken.

A reading is named ``vendor.reading`` here, such as ``crowdtwist.unknown-member``: a server acts as several vendors.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from couponspec.document import Document
from couponspec.faults import Fault
from couponspec.schema import Option, Readings
from couponspec.sources import Reading, Sources
from couponspec.yamlfile import escape

READINGS = "readings"
"""Member of a namespace's settings that holds its own choices: name of a reading -> option."""


class UnknownChoice(ValueError):
    """There is no such reading or option; the message names those that there are."""


def known(sources: Mapping[str, Sources]) -> dict[str, Reading]:
    """Return every reading of these vendors that leaves a choice, by its name."""
    return {
        f"{vendor}.{reading.id}": reading
        for vendor, each in sources.items()
        for reading in each.readings.values()
        if len(reading.options) > 1
    }


def checked(choices: Mapping[str, Any], readings: Mapping[str, Reading]) -> dict[str, str]:
    """Return choices that can be made.

    Raises:
        UnknownChoice: one of them cannot.
    """
    for name, option in choices.items():
        if name not in readings:
            raise UnknownChoice(f"There is no reading {name!r}; there are {', '.join(readings) or 'none'}.")
        if not isinstance(option, str) or option not in readings[name].options:
            options = ", ".join(f'"{each}"' for each in readings[name].options)
            raise UnknownChoice(f"{name} has no option {option!r}; there are {options}.")
    return dict(choices)


def parsed(texts: Iterable[str], readings: Mapping[str, Reading]) -> dict[str, str]:
    """Read choices that are written ``vendor.reading=option``.

    Raises:
        UnknownChoice: one is written otherwise, cannot be made, or contradicts an earlier one.
    """
    choices: dict[str, str] = {}
    for text in texts:
        name, _, option = text.partition("=")
        checked({name: option}, readings)
        if choices.setdefault(name, option) != option:
            raise UnknownChoice(f"{name} is chosen twice, as {choices[name]!r} and as {option!r}; choose one.")
    return choices


class Acting:
    """The options that one request is answered by, and those of them that have shaped its answer."""

    def __init__(self, readings: Readings) -> None:
        """Answer by these options; readings that are not named are as they were taken."""
        self.readings = readings
        self.shaped: list[Option] = []

    def has(self, option: Option) -> bool:
        """Tell whether an option is chosen that is not the taken one."""
        return self.readings.get(option.reading) == option.option

    def takes(self, option: Option) -> bool:
        """Tell the same, and remember that the answer is shaped by the option if it is chosen."""
        chosen = self.has(option)
        if chosen:
            self.shape(option)
        return chosen

    def shape(self, option: Option) -> None:
        """Remember that the answer is shaped by an option."""
        if option not in self.shaped:
            self.shaped.append(option)


class Choices:
    """What a server has chosen for a vendor, and what that makes of a namespace's own choices."""

    def __init__(self, vendor: str, sources: Sources, server: Mapping[str, str]) -> None:
        """Keep the choices of the server; those for other vendors do no harm."""
        self._vendor = vendor
        self._readings = sources.readings
        self._server = server
        self._default = self._departures({})

    def acting(self, settings: Mapping[str, Any]) -> Acting:
        """Return the options that a request to a namespace with these settings is answered by."""
        own = settings.get(READINGS)
        return Acting(self._departures(own) if own else self._default)

    def _departures(self, own: Mapping[str, str]) -> Readings:
        """Return the chosen options that are not the taken ones.

        What this server does not know is left out: another one, of another version, may have chosen on the same store.
        """
        found = {}
        for name, option in {**self._server, **own}.items():
            vendor, _, id_ = name.partition(".")
            reading = self._readings.get(id_) if vendor == self._vendor else None
            if reading is not None and option in reading.options and option != reading.taken:
                found[id_] = option
        return found


def acting_faults(document: Document, acted: Iterable[Option], formed: Iterable[Option]) -> list[Fault]:
    """List the options that nothing acts out, and what acts out none.

    Args:
        document: The vendor's document.
        acted: The options that the vendor's module acts out.
        formed: Those among them that change the form of an answer; the document says what that form rests on.
    """
    sources = document.sources
    by_code = frozenset(acted)
    module = f"couponmock/vendors/{document.vendor}.py"
    faults = []
    for option in sorted(by_code):
        reading = sources.readings.get(option.reading)
        if reading is None or option.option not in reading.options or option.option == reading.taken:
            reason = f"{module} acts out {option}, which is no option beside the taken one"
            faults.append(
                sources.file.fault("/readings", reason, "record the option, or correct its name on either side")
            )
    for option in sorted(set(formed) - set(document.bases)):
        fix = f"mark the branch of a schema with x-reading: {option} and x-basis"
        faults.append(document.file.fault("", f"nothing says what the form {option} rests on", fix))
    operations = (*document.operations.values(), document.general)
    by_example = {e.option for operation in operations for e in operation.examples.values() if e.instead_of}
    for reading in sources.readings.values():
        for name in reading.options:
            option = Option(reading.id, name)
            if name != reading.taken and option not in by_code and option not in by_example:
                fix = (
                    f"give {document.file.path.name} an example with x-reading: {option} and x-instead-of,"
                    f" or {module} a form or a behaviour for it, or leave the option out"
                )
                place = f"/readings/{reading.id}/options/{escape(name)}"
                faults.append(sources.file.fault(place, f"nothing acts out {option}", fix))
    return faults
