"""No alarm on a correct server: whoever is right in another way than the mock fails no requirement."""

import pytest
from broken_server import VENDORS, accused, catalogue, document, judged, requirements, serving
from correct_servers import FREEDOMS
from sampling import is_sampled


@pytest.mark.parametrize(
    ("vendor", "freedom"),
    [
        (vendor, freedom)
        for vendor in VENDORS
        for freedom in FREEDOMS.get(vendor, ())
        if is_sampled(f"{vendor} {freedom}", 2)
    ],
)
def test_a_server_that_takes_a_freedom_fails_nothing(vendor: str, freedom: str) -> None:
    other = FREEDOMS[vendor][freedom]
    with serving(vendor, readings=other.readings, handling=other.handling, transport=other.transport) as url:
        found = accused(judged(vendor, f"{url}{other.path}", requirements(vendor)))
    assert found == {}


LAST_OPTIONS = {
    vendor: tuple(
        f"{vendor}.{reading.id}={[*reading.options][-1]}"
        for reading in document(vendor).sources.readings.values()
        if len(reading.options) > 1
    )
    for vendor in VENDORS
}
"""Vendor -> the last option of every reading: nowhere the one that the mock takes by itself."""


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_server_that_takes_another_option_of_every_reading_at_once_fails_nothing(vendor: str) -> None:
    """Also under requests that are made up."""
    with serving(vendor, readings=LAST_OPTIONS[vendor]) as url:
        found = accused(judged(vendor, url, catalogue(vendor).checked))
    assert found == {}
