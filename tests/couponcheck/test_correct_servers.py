"""No alarm on a correct server: whoever is right in another way than the mock fails no requirement."""

import pytest
from broken_server import VENDORS, accused, judged, requirements, serving
from correct_servers import FREEDOMS


@pytest.mark.parametrize(
    ("vendor", "freedom"), [(vendor, freedom) for vendor in VENDORS for freedom in FREEDOMS.get(vendor, ())]
)
def test_a_server_that_takes_a_freedom_fails_nothing(vendor: str, freedom: str) -> None:
    other = FREEDOMS[vendor][freedom]
    with serving(vendor, handling=other.handling, transport=other.transport) as url:
        found = accused(judged(vendor, f"{url}{other.path}", requirements(vendor)))
    assert found == {}
