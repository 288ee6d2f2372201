"""A stateful mock of the vendors whose documents are in ``specs/``, acting in the worlds of ``fixtures/``.

For tests in Python::

    import couponmock

    with couponmock.Mock() as mock:
        shop = Shop(base_url=mock.base_url("crowdtwist"))
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from couponmock.client import (
        AdminError,
        Entity,
        Fault,
        JournalEntry,
        Mock,
        MockNotStarted,
        Namespace,
        Reading,
        VerificationFailed,
    )

__all__ = [
    "AdminError",
    "Entity",
    "Fault",
    "JournalEntry",
    "Mock",
    "MockNotStarted",
    "Namespace",
    "Reading",
    "VerificationFailed",
]


def __getattr__(name: str) -> Any:
    """Import the Python interface when it is first used: a server needs none of it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from couponmock import client

    return getattr(client, name)
