"""A vendor's pages: what they say, where they disagree, and which reading was taken."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from couponspec import locate, yamlfile
from couponspec.faults import Fault, FaultyFile
from couponspec.shape import problems_with, stranger
from couponspec.yamlfile import YamlFile


@dataclass(frozen=True, slots=True)
class Quote:
    """A short quotation and the page section it stands in (``page#section``)."""

    source: str
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A question on which the pages disagree or are silent, and the options a correct server may have taken."""

    id: str
    question: str
    quotes: tuple[Quote, ...]
    options: Mapping[str, str]
    """What speaks for each option."""
    taken: str
    reason: str
    tolerated: frozenset[str]
    """Options that are accepted with a warning."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The pages of one vendor."""

    file: YamlFile
    title: str
    headings: Mapping[str, str]
    """``page#section`` -> page title and section heading."""
    quotes: Mapping[str, tuple[str, ...]]
    """``page#section`` -> the quotations taken from it."""
    readings: Mapping[str, Reading]

    @property
    def taken(self) -> dict[str, str]:
        """Return the option taken for each reading."""
        return {reading.id: reading.taken for reading in self.readings.values()}

    def has(self, source: str, text: str) -> bool:
        """Tell whether a quotation is part of one that is recorded for the section."""
        return any(text in quote for quote in self.quotes.get(source, ()))


def load_sources(vendor: str, at: Path | None = None) -> Sources:
    """Read a vendor's ``sources.yaml``.

    Raises:
        FaultyFile: the file has not the right shape, is another vendor's, or a reading quotes what no page says.
    """
    file = yamlfile.load(locate.sources_file(vendor, at))
    if faults := [*problems_with(file, "sources"), *stranger(file, vendor=vendor)]:
        raise FaultyFile(faults)
    headings: dict[str, str] = {}
    quotes: dict[str, tuple[str, ...]] = {}
    for page_id, page in file.value["pages"].items():
        for section_id, section in page["sections"].items():
            headings[f"{page_id}#{section_id}"] = f"{page['title']}, {section['heading']}"
            quotes[f"{page_id}#{section_id}"] = tuple(section["quotes"])
    readings = {
        reading_id: Reading(
            id=reading_id,
            question=reading["question"],
            quotes=tuple(Quote(quote["source"], quote["text"]) for quote in reading["quotes"]),
            options=reading["options"],
            taken=reading["taken"],
            reason=reading["reason"],
            tolerated=frozenset(reading.get("tolerated", ())),
        )
        for reading_id, reading in file.value.get("readings", {}).items()
    }
    sources = Sources(file, file.value["title"], headings, quotes, readings)
    if faults := [*_faults(sources)]:
        raise FaultyFile(faults)
    return sources


def _faults(sources: Sources) -> list[Fault]:
    faults: list[Fault] = []
    for reading in sources.readings.values():
        place = f"/readings/{reading.id}"
        for index, quote in enumerate(reading.quotes):
            if not sources.has(quote.source, quote.text):
                faults.append(
                    sources.file.fault(
                        f"{place}/quotes/{index}",
                        f"no quotation of {quote.source} contains {quote.text!r}",
                        "record the quotation under its page and section, or correct it",
                    )
                )
        named = {f"{place}/taken": {reading.taken}, f"{place}/tolerated": set(reading.tolerated)}
        faults.extend(
            sources.file.fault(pointer, f"{option!r} is no option of this reading", f"use one of {[*reading.options]}")
            for pointer, options in named.items()
            for option in sorted(options - set(reading.options))
        )
    return faults
