"""The servers that the tests of the mock share, each started once by each test process, and worlds in them."""

from collections.abc import Iterator
from uuid import uuid4

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


def new_world(server: Mock, pack: str | None = None) -> Mock:
    """Make a namespace that nobody else uses."""
    name = f"test-{uuid4().hex}"
    answer = server.admin("POST", "/namespaces", {"name": name, **({"pack": pack} if pack else {})})
    assert answer.status == 201, answer
    return server.within(name)


@pytest.fixture
def mock(server: Mock) -> Mock:
    """Give a world of its own to a test, made from the pack `demo`."""
    return new_world(server)


@pytest.fixture
def other_mock(server: Mock) -> Mock:
    """Give a second world of the same server and pack."""
    return new_world(server)


@pytest.fixture
def documented(documented_server: Mock) -> Mock:
    """Give a world of its own to a test, made from the pack `documented`."""
    return new_world(documented_server)
