"""The servers that the tests of the mock share, each started once by each test process, and worlds in them."""

from collections.abc import Iterator

import pytest
from running_mock import Mock, serving


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mock]:
    """Run a mock as most people do, but for its two workers: none of its answers may depend on the process."""
    with serving(tmp_path_factory.mktemp("mock"), "--workers", "2", "--log-format", "json") as mock:
        yield mock


@pytest.fixture(scope="session")
def documented_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mock]:
    """Run a mock with the world that the vendors' pages print."""
    with serving(tmp_path_factory.mktemp("documented"), "--pack", "documented") as mock:
        yield mock


@pytest.fixture
def mock(server: Mock) -> Mock:
    """Give a world of its own to a test, made from the pack `demo`."""
    return server.new_world()


@pytest.fixture
def other_mock(server: Mock) -> Mock:
    """Give a second world of the same server and pack."""
    return server.new_world()


@pytest.fixture
def documented(documented_server: Mock) -> Mock:
    """Give a world of its own to a test, made from the pack `documented`."""
    return documented_server.new_world()
