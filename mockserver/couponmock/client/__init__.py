"""The Python interface: a mock beside a test, and everything that can be asked of it.

It knows the server only by its admin interface, over HTTP.
"""

from couponmock.client.admin import AdminError
from couponmock.client.faults import Fault
from couponmock.client.journal import JournalEntry, VerificationFailed
from couponmock.client.mock import Mock
from couponmock.client.namespace import Namespace
from couponmock.client.process import MockNotStarted
from couponmock.client.readings import Reading
from couponmock.client.state import Entity

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
